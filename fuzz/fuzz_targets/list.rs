//! Feeds libFuzzer's bytes to the target `list`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::list::run(data));
