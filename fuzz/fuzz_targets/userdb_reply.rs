//! Feeds libFuzzer's bytes to the target `userdb_reply`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailsetup_fuzz::userdb_reply::run(data));
