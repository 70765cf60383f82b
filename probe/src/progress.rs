//! The line that says what is being done, on a terminal only.
//!
//! It is on standard error, is rewritten by each message, and is cleared at the end. The output of the
//! program stays the same with and without it.

use std::io::{self, IsTerminal, Write};

/// Longest line, in characters: a longer one would not be cleared as a whole.
const MAX_LINE: usize = 78;

/// The line. It is cleared when this is dropped.
#[derive(Debug)]
pub struct Progress {
    is_shown: bool,
}

impl Progress {
    /// A line on standard error, if that is a terminal that can rewrite one, and `is_wanted`.
    pub fn new(is_wanted: bool) -> Progress {
        let is_dumb = std::env::var_os("TERM").is_none_or(|kind| kind.is_empty() || kind == "dumb");
        Progress { is_shown: is_wanted && !is_dumb && io::stderr().is_terminal() }
    }

    /// A line that is never shown.
    pub fn silent() -> Progress {
        Progress { is_shown: false }
    }

    /// Replaces the text of the line: `asking web servers 12/40`.
    pub fn say(&self, text: &str) {
        if self.is_shown {
            let text: String = mailsetup::visible::visible(text).chars().take(MAX_LINE).collect();
            self.write(&text);
        }
    }

    /// Clears the line.
    pub fn clear(&self) {
        if self.is_shown {
            self.write("");
        }
    }

    /// Goes to the start of the line, writes the text, and erases what is behind it (ECMA-48: EL).
    fn write(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        // The terminal may be gone.
        write!(stderr, "\r{text}\x1b[K").and_then(|()| stderr.flush()).ok();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
