//! Feeds libFuzzer's bytes to the target `page`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::page::run(data));
