//! An autoconfig document, or a file with one in it. See `imported.rs` for what is checked.

pub fn run(data: &[u8]) {
    super::imported::run(mailsetup::import::autoconfig::read, data);
}
