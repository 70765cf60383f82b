//! Feeds libFuzzer's bytes to the target `host`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::host::run(data));
