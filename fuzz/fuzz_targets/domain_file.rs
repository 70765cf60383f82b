//! Feeds libFuzzer's bytes to the target `domain_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::domain_file::run(data));
