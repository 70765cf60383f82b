//! Feeds libFuzzer's bytes to the target `map`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::map::run(data));
