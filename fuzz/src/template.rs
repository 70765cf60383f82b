//! A page template of an admin's.
//!
//! Holds: it is taken, or refused with a line that is there; it is the same at the second try. The
//! fuzzer itself holds that it takes neither long nor much memory, and the stack that it fits.

use mailsetup::page::check_template;

pub fn run(data: &[u8]) {
    let Ok(template) = std::str::from_utf8(data) else { return };
    let first = check_template(template);
    if let Err(error) = &first {
        let lines = template.split('\n').count();
        assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
        assert!(!error.message.is_empty());
    }
    assert_eq!(first.is_ok(), check_template(template).is_ok());
}
