//! A script in PHP that prints documents. See `imported.rs` for what is checked.

pub fn run(data: &[u8]) {
    super::imported::run(mailsetup::import::php::read, data);
}
