//! Feeds libFuzzer's bytes to the target `profile_cms`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::profile_cms::run(data));
