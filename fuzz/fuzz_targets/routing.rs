//! Feeds libFuzzer's bytes to the target `routing`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::routing::run(data));
