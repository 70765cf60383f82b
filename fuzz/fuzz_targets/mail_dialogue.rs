//! Feeds libFuzzer's bytes to the target `mail_dialogue`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::mail_dialogue::run(data));
