//! A response to Autodiscover in XML. See `imported.rs` for what is checked.

pub fn run(data: &[u8]) {
    super::imported::run(mailsetup::import::pox::read, data);
}
