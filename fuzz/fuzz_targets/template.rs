//! Feeds libFuzzer's bytes to the target `template`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::template::run(data));
