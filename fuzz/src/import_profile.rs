//! An Apple profile. See `imported.rs` for what is checked.

pub fn run(data: &[u8]) {
    super::imported::run(mailsetup::import::profile::read, data);
}
