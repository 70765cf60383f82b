//! Feeds libFuzzer's bytes to the target `fastcgi_records`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::fastcgi_records::run(data));
