//! Feeds libFuzzer's bytes to the target `import_pox`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::import_pox::run(data));
