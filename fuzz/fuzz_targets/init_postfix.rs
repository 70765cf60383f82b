//! Feeds libFuzzer's bytes to the target `init_postfix`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::init_postfix::run(data));
