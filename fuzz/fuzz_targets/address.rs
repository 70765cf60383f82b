//! Feeds libFuzzer's bytes to the target `address`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::address::run(data));
