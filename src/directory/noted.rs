//! Lines of a list or a map that a warning is about: the first of them, and the number of all.

use crate::finding::{Finding, Place};
use std::path::Path;

/// How many lines are reported; the others are counted.
const MAX_REPORTED: usize = 100;
/// How much of a word is reported, in characters.
const MAX_WORD: usize = 80;

/// The lines that a warning is about.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Noted {
    /// The number of each line, and a word of it.
    pub first: Vec<(usize, String)>,
    /// How many there are.
    pub count: usize,
}

impl Noted {
    /// Adds a line.
    pub fn add(&mut self, number: usize, word: &[u8]) {
        self.count += 1;
        if self.first.len() < MAX_REPORTED {
            // A character has up to four bytes.
            let beginning = &word[..word.len().min(4 * MAX_WORD)];
            let text = String::from_utf8_lossy(beginning);
            self.first.push((number, text.chars().take(MAX_WORD).collect()));
        }
    }

    /// Adds a warning for each line to `found`, and one for those that are only counted. `what` says
    /// what is wrong with one line, and with several.
    pub fn add_warning(
        &self,
        code: &'static str,
        file: &Path,
        what: [&str; 2],
        found: &mut Vec<Finding>,
    ) {
        let [one, several] = what;
        for (line, word) in &self.first {
            let place = Place { position: Some((*line, 1)), ..Place::file(file) };
            let message = format!("`{word}` {one}; the line is ignored");
            found.push(Finding::warning(code, Some(place), message));
        }
        let others = self.count - self.first.len();
        if others > 0 {
            let message = format!("{others} more lines {several}; they are ignored");
            found.push(Finding::warning(code, Some(Place::file(file)), message));
        }
    }
}
