//! Feeds libFuzzer's bytes to the target `pox_body`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::pox_body::run(data));
