//! The place of the value that is being read, and the messages about unknown keys and words.
//!
//! Refuses keys that are unknown or not allowed at their place, and suggests the most similar known
//! one.

use super::faults::Faults;
use super::file;
use crate::address::Domain;
use toml::Spanned as Located;
use toml::de::{DeInteger, DeString, DeTable, DeValue};

pub(super) type Key<'v> = Located<DeString<'v>>;
pub(super) type Value<'v> = Located<DeValue<'v>>;

pub(super) fn integer(number: &DeInteger) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

//------------ Reader ---------------------------------------------------------

/// Which keys are known at the root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// Those of the base; those of the whole file are skipped.
    Top,
    /// Those of the whole file; all others are skipped.
    WholeFile,
    /// Those of a domain.
    Domain,
}

/// What kind of value a key has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// A whole number.
    Number,
    /// A text.
    Text,
    /// A list of texts.
    List,
    /// A table with known keys.
    Table,
    /// A list of tables.
    Tables,
    /// A table with any keys.
    Map,
}

/// The place in a file from which a value is read.
pub(super) struct Position<'v> {
    text: &'v str,
    pub(super) scope: Scope,
    /// The name of the domain, if it is part of a table's name.
    pub(super) domain: Option<&'v Key<'v>>,
    pub(super) path: Vec<&'v str>,
}

/// The state while a file is read.
pub(super) struct Reader<'v, 'f> {
    pub(super) at: Position<'v>,
    /// True once a value was refused.
    pub(super) is_faulty: bool,
    /// The estimated memory of the values that were copied from the base, in bytes.
    pub(super) copied: usize,
    /// The keys that structs ask for, in their order; only those of [`Reader::ask`].
    pub(super) asked: Vec<(Vec<&'v str>, Kind)>,
    pub(super) faults: &'f mut Faults,
}

impl<'v, 'f> Reader<'v, 'f> {
    pub(super) fn new(text: &'v str, scope: Scope, faults: &'f mut Faults) -> Reader<'v, 'f> {
        let at = Position { text, scope, domain: None, path: Vec::new() };
        Reader { at, is_faulty: false, copied: 0, asked: Vec::new(), faults }
    }

    /// Checks the keys of a table that has these fields.
    pub(super) fn check_keys(&mut self, table: &'v DeTable<'v>, fields: &'static [&'static str]) {
        let Reader { at, faults, .. } = self;
        for (key, value) in table {
            let name = &**key.get_ref();
            if at.is_for_whole_file(name) {
                faults.refuse("key-place", key.span(), || at.wrong_place(name));
            } else if !fields.contains(&name) && !at.whole_file().contains(&name) {
                faults.refuse("unknown-key", key.span(), || at.unknown_key(key, value, fields));
            } else if !at.is_allowed(name) {
                faults.refuse("key-place", key.span(), || at.wrong_place(name));
            }
        }
    }
}

impl Position<'_> {
    /// The keys that are skipped here, since they are read with the whole file.
    fn whole_file(&self) -> &'static [&'static str] {
        match self.scope {
            Scope::Top if self.path.is_empty() => &file::WHOLE_FILE,
            _ => &[],
        }
    }

    fn wrong_place(&self, name: &str) -> String {
        let key = self.key(Some(name));
        match self.scope {
            Scope::Domain => format!("{key} is only allowed at the top, for all domains"),
            _ => format!(
                "{key} is only allowed for one domain: write it in [domain.\"example.org\"]"
            ),
        }
    }

    /// True in the tables of a domain for a key that exists only at the top of the configuration.
    fn is_for_whole_file(&self, name: &str) -> bool {
        let is_top_of_domain = self.scope == Scope::Domain && self.path.is_empty();
        is_top_of_domain && name != "domain" && file::WHOLE_FILE.contains(&name)
    }

    /// False for a known key that is not used in this scope.
    pub(super) fn is_allowed(&self, name: &str) -> bool {
        let refused: &[&[&str]] = match self.scope {
            Scope::Domain => &file::TOP_ONLY,
            Scope::Top => &file::DOMAIN_ONLY,
            Scope::WholeFile => &[],
        };
        !refused.iter().any(|key| {
            key.split_last().is_some_and(|(last, path)| *last == name && *path == self.path[..])
        })
    }

    fn unknown_key(&self, key: &Key, value: &Value, fields: &[&str]) -> String {
        let name = &**key.get_ref();
        let known = fields.iter().filter(|name| self.is_allowed(name)).chain(self.whole_file());
        let known: Vec<_> = known.copied().collect();
        let place = match (self.path.as_slice(), self.domain) {
            ([], None) => String::new(),
            ([], Some(domain)) => format!(" in [domain.\"{}\"]", domain.get_ref()),
            (path, _) => format!(" in [{}]", path.join(".")),
        };
        let unquoted = self.unquoted_domain(name, value, fields);
        let likeness = if unquoted.is_some() { 0.8 } else { LIKE };
        match (nearest(name, &known, likeness), unquoted) {
            (_, None) if name == "domain" && self.path.is_empty() => match self.domain {
                None => {
                    "unknown key `domain`: this file has the settings of one domain; write them \
                         without [domain.\"…\"], and further domains to files of their own"
                        .to_owned()
                }
                Some(_) => format!(
                    "unknown key `domain`{place}: a domain contains no others; write [domain.\"…\"] \
                     for each"
                ),
            },
            (Some(near), _) => format!("unknown key `{name}`{place}; did you mean `{near}`?"),
            (None, Some(domain)) => format!(
                "unknown key `{name}`; a domain name must be in quotes: write [domain.\"{domain}\"]"
            ),
            (None, None) => {
                format!("unknown key `{name}`{place}; known keys are {}", quoted(&known))
            }
        }
    }

    /// The domain meant by `[domain.example.org]`, which TOML parses as nested tables.
    fn unquoted_domain(&self, key: &str, value: &Value, fields: &[&str]) -> Option<String> {
        let first = self.domain.filter(|_| self.path.is_empty())?;
        let is_bare = !self.text.get(first.span())?.starts_with(['"', '\'']);
        let mut table = value.get_ref().as_table().filter(|_| is_bare)?;
        let mut name = format!("{}.{key}", first.get_ref());
        while let Some((next, value)) = table.iter().next().filter(|_| table.len() == 1) {
            let (Some(inner), false) =
                (value.get_ref().as_table(), fields.contains(&&**next.get_ref()))
            else {
                break;
            };
            name = format!("{name}.{}", next.get_ref());
            table = inner;
        }
        Domain::parse(&name).is_ok().then_some(name)
    }

    /// The path of a key, or of the value that is being read.
    pub(super) fn key(&self, last: Option<&str>) -> String {
        let path: Vec<_> = self.path.iter().copied().chain(last).collect();
        path.join(".")
    }
}

/// `` `a`, `b` ``
pub(super) fn quoted(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

pub(super) fn wrong_type(path: &[&str], expected: &str, found: &DeValue) -> String {
    let found = match found {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    format!("{}: {expected} is expected, not {found}", path.join("."))
}

/// The least similarity for a suggestion.
pub(super) const LIKE: f64 = 0.7;

/// Longest word that is compared with others, in bytes: the work grows with the square of it.
const LONGEST_COMPARED: usize = 100;

/// The word most similar to `unknown`, if the similarity is at least `least`.
pub fn nearest<'a>(unknown: &str, words: &[&'a str], least: f64) -> Option<&'a str> {
    if unknown.len() > LONGEST_COMPARED {
        return None;
    }
    let unknown = unknown.to_lowercase();
    words
        .iter()
        .map(|word| (strsim::jaro_winkler(&unknown, word), *word))
        .filter(|(likeness, _)| *likeness > least)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
