//! Feeds libFuzzer's bytes to the target `init_others`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::init_others::run(data));
