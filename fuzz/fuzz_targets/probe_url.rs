//! Feeds libFuzzer's bytes to the target `probe_url`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::probe_url::run(data));
