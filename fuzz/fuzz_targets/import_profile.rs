//! Feeds libFuzzer's bytes to the target `import_profile`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::import_profile::run(data));
