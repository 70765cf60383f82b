//! What holds for each draft that a reader of settings makes, whatever its input is.
//!
//! Checks: an error is one short line; places are lines of the input; notes are short; what is left
//! after `fit` is a valid configuration.

use mailsetup::commands::{CHECKS, fit};
use mailsetup::config::check;
use mailsetup::draft::{self, Draft};
use std::path::Path;

/// The most characters of a message.
const MAX_TEXT: usize = 20_000;

/// Checks what a reader made of `data`, which is called `file`.
pub fn run(data: &[u8], read: Result<Draft, String>) {
    let mut draft = match read {
        Ok(draft) => draft,
        Err(message) => return is_message(&message),
    };
    // The parser of YAML counts more characters as the end of a line than there are line feeds.
    let lines = data.len() + 1;
    for note in &draft.notes {
        is_message(&note.text);
        let line = note.place.as_ref().and_then(|place| place.line);
        assert!(line.is_none_or(|line| (1..=lines).contains(&line)), "{note}");
    }
    draft.settle();
    let target = Path::new("config.toml");
    fit(&mut draft, target);
    if draft.missing().is_none() {
        let text = draft::write(&draft);
        let checked = check::text(target, &text, &CHECKS);
        assert!(checked.is_ok(), "{:?}\n{text}", checked.err());
    }
}

fn is_message(text: &str) {
    assert!(!text.is_empty() && text.chars().count() < MAX_TEXT, "{text}");
}
