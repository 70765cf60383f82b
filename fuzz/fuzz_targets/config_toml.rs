//! Feeds libFuzzer's bytes to the target `config_toml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::config_toml::run(data));
