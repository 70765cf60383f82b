//! Feeds libFuzzer's bytes to the target `import_autoconfig`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::import_autoconfig::run(data));
