//! Where something was seen, and what is noted about it.

use super::secret::without_secrets;
use std::fmt;

/// A line of a file, or of the output of a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file as it was named, or the command: `doveconf -n`.
    pub source: String,
    /// The line, from 1 on.
    pub line: Option<usize>,
}

impl Place {
    /// A whole file, or the whole output of a command.
    pub fn whole(source: impl Into<String>) -> Place {
        Place { source: source.into(), line: None }
    }

    /// A line of it, from 1 on.
    pub fn line(source: impl Into<String>, line: usize) -> Place {
        Place { source: source.into(), line: Some(line) }
    }
}

/// `config-v1.1.xml:12`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

/// Why a value is what it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// It was seen.
    Seen {
        /// Where.
        place: Place,
        /// What stands there: `ssl = required`; empty if the place says enough.
        text: String,
    },
    /// It was not seen: the reason for it.
    Assumed(String),
}

impl Origin {
    /// Something that was seen.
    pub fn seen(place: Place, text: impl Into<String>) -> Origin {
        Origin::Seen { place, text: text.into() }
    }

    /// The place, if it was seen.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Origin::Seen { place, .. } => Some(place),
            Origin::Assumed(_) => None,
        }
    }
}

/// `Seen: doveconf -n:3: ssl = required`, `Assumed: …`
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Origin::Seen { place, text } if text.is_empty() => write!(f, "Seen: {place}"),
            Origin::Seen { place, text } => write!(f, "Seen: {place}: {}", without_secrets(text)),
            Origin::Assumed(reason) => write!(f, "Assumed: {}", without_secrets(reason)),
        }
    }
}

/// A value with its origin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Noted<T> {
    /// The value.
    pub value: T,
    /// Why it is this one.
    pub origin: Origin,
}

impl<T> Noted<T> {
    /// A value that was seen.
    pub fn seen(value: impl Into<T>, place: Place, text: impl Into<String>) -> Noted<T> {
        Noted { value: value.into(), origin: Origin::seen(place, text) }
    }

    /// A value that was not seen.
    pub fn assumed(value: impl Into<T>, reason: impl Into<String>) -> Noted<T> {
        Noted { value: value.into(), origin: Origin::Assumed(reason.into()) }
    }
}

/// Something the admin must know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// What kind of note it is.
    pub kind: NoteKind,
    /// What it is about, if that is one place.
    pub place: Option<Place>,
    /// The text, without a full stop at its end.
    pub text: String,
}

/// The kinds of notes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NoteKind {
    /// A value that is not in the configuration.
    NotCarried,
    /// Two places say different things. The text names both.
    Contradiction,
    /// A value that is in the configuration, and breaks clients or is not safe.
    Warning,
    /// What cannot be known, or what to do.
    Hint,
}

impl NoteKind {
    /// The word before a note.
    pub fn label(self) -> &'static str {
        match self {
            NoteKind::NotCarried => "not carried over",
            NoteKind::Contradiction => "contradiction",
            NoteKind::Warning => "warning",
            NoteKind::Hint => "note",
        }
    }
}

/// `not carried over: config-v1.1.xml:12: …`
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.kind.label())?;
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&without_secrets(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let text = "host = mysql://automx:hunter5@localhost/db, password=hunter5";
        let shown = "host = mysql://***@localhost/db, password=***";
        let note = Note { kind: NoteKind::Warning, place: None, text: text.to_owned() };
        assert_eq!(note.to_string(), format!("warning: {shown}"));
        let seen = Origin::seen(Place::whole("x"), text);
        assert_eq!(seen.to_string(), format!("Seen: x: {shown}"));
        assert_eq!(Origin::Assumed(text.to_owned()).to_string(), format!("Assumed: {shown}"));
    }
}
