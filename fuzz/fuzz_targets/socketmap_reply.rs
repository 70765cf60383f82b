//! Feeds libFuzzer's bytes to the target `socketmap_reply`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::socketmap_reply::run(data));
