//! A custom page template.
//!
//! Checks: it is accepted, or refused with an existing line; a second check has the same result.
//! The fuzzer itself limits time and memory, and the stack of the thread limits the recursion.

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
