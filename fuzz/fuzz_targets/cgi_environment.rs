//! Feeds libFuzzer's bytes to the target `cgi_environment`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::cgi_environment::run(data));
