//! Feeds libFuzzer's bytes to the target `dns_answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::dns_answer::run(data));
