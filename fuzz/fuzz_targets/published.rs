//! Feeds libFuzzer's bytes to the target `published`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::published::run(data));
