//! Feeds libFuzzer's bytes to the target `import_yaml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::import_yaml::run(data));
