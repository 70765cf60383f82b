//! What is wrong with a configuration, or works but breaks a client: data, not prose.
//!
//! The same list is printed as text, written as JSON and logged. Every kind of finding has a code
//! that does not change between versions.

use crate::address::Domain;
use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The kind, in kebab case: `port-range`.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What causes it, if that is known.
    pub place: Option<Place>,
    /// The domain it was found for, if it is about one.
    pub domain: Option<Domain>,
    /// The clients that it breaks.
    pub clients: Vec<&'static str>,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where the message does not say so.
    pub mend: Option<String>,
}

/// How bad a finding is; errors come first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The configuration cannot be used, or a part of it.
    Error,
    /// It can be used, but something will not work for everybody.
    Warning,
}

/// A place in a file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The line and the column, counted from one; the column counts characters.
    pub position: Option<(usize, usize)>,
}

impl Finding {
    /// An error.
    pub fn error(code: &'static str, place: Option<Place>, message: impl Into<String>) -> Finding {
        Finding::new(Level::Error, code, place, message.into())
    }

    /// A warning.
    pub fn warning(
        code: &'static str,
        place: Option<Place>,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(Level::Warning, code, place, message.into())
    }

    fn new(level: Level, code: &'static str, place: Option<Place>, message: String) -> Finding {
        Finding { code, level, place, domain: None, clients: Vec::new(), message, mend: None }
    }
}

impl Place {
    /// A file as a whole.
    pub fn file(path: impl Into<PathBuf>) -> Place {
        Place { file: path.into().into(), position: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.position {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// `FILE:LINE:COLUMN: DOMAIN: message; mend`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if let Some(domain) = &self.domain {
            write!(f, "{domain}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.mend {
            Some(mend) => write!(f, "; {mend}"),
            None => Ok(()),
        }
    }
}

/// What is not known is left out.
#[derive(Serialize)]
struct Json<'a> {
    code: &'a str,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    clients: &'a [&'a str],
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'a str>,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = self.place.as_ref();
        let position = place.and_then(|place| place.position);
        Json {
            code: self.code,
            level: self.level,
            // A name that is not UTF-8 must not hide the other findings.
            file: place.map(|place| place.file.to_string_lossy().into_owned()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            domain: self.domain.as_ref().map(Domain::as_str),
            clients: &self.clients,
            message: &self.message,
            mend: self.mend.as_deref(),
        }
        .serialize(serializer)
    }
}
