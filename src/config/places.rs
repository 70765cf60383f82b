//! Finds the line of a setting in its file, for `check`: computed on demand, from the text alone.
//!
//! A place is that of the value. A text that is not TOML has no places; a service does not use
//! this.

use super::overlay::Lines;
use super::report::Report;
use crate::directory::name::Name;
use crate::finding::Place;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The places of one file.
pub struct Places<'a> {
    report: Report<'a>,
    base: DeTable<'a>,
    /// The tables `[domain."…"]`, and the places of their names.
    domains: FxHashMap<Name, (Range<usize>, DeTable<'a>)>,
}

impl<'a> Places<'a> {
    /// The places of the file at `path` with the content `text`.
    pub fn of(path: &Path, text: &'a str) -> Places<'a> {
        Places::at(Place::file(path), text)
    }

    /// The places of a text that is from `whole`.
    pub fn at(whole: Place, text: &'a str) -> Places<'a> {
        let mut base = DeTable::parse(text).map(Spanned::into_inner).unwrap_or_default();
        let mut domains = FxHashMap::default();
        if let Some(DeValue::Table(tables)) = base.remove("domain").map(Spanned::into_inner) {
            for (name, table) in tables {
                if let (Ok(parsed), DeValue::Table(table)) =
                    (Name::parse(name.get_ref()), table.into_inner())
                {
                    domains.insert(parsed, (name.span(), table));
                }
            }
        }
        Places { report: Report::at(whole, text), base, domains }
    }

    /// The same with the variables that are over the file.
    pub fn over(mut self, variables: &'a Lines) -> Places<'a> {
        variables.lay_over(&mut self.base);
        Places { report: self.report.over(variables), ..self }
    }

    /// The place of the first of `keys` that is set, like `smtp.alternatives[0].port`; in the table
    /// of this name, if given, else outside of those tables.
    pub fn first(&self, name: Option<&Name>, keys: &[String]) -> Option<Place> {
        let table = match name {
            Some(name) => &self.domains.get(name)?.1,
            None => &self.base,
        };
        keys.iter().find_map(|key| Some(self.report.place(Some(span(table, key)?))))
    }

    /// The place of the name in `[domain."…"]`.
    pub fn name(&self, name: &Name) -> Option<Place> {
        let (span, _) = self.domains.get(name)?;
        Some(self.report.place(Some(span.clone())))
    }
}

/// The place of the value of a key.
fn span(table: &DeTable, key: &str) -> Option<Range<usize>> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(key, rest)| (key, Some(rest)));
    let (name, index) = match first.strip_suffix(']').and_then(|first| first.split_once('[')) {
        Some((name, index)) => (name, Some(index.parse().ok()?)),
        None => (first, None),
    };
    let mut value: &Spanned<DeValue> = table.get(name)?;
    if let Some(index) = index {
        value = value.get_ref().as_array()?.get::<usize>(index)?;
    }
    match rest {
        Some(rest) => span(value.get_ref().as_table()?, rest),
        None => Some(value.span()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_every_spelling() {
        let text = "imap.auth = 'ntlm'\nsmtp = { alternatives = [{ host = 'a.example' }, { port = 1 }] }\n\
                    [[pop3.alternatives]]\nport = 2\n[domain.'B\u{fc}cher.example']\n'imap'.port = 3\n\
                    [domain.'a.example'.imap]\nhost = 'x'\n[domain.'*.C.example']\nimap.port = 4\n";
        let places = Places::of(Path::new("f"), text);
        let domain = |name| Name::parse(name).unwrap();
        let (b, a) = (domain("xn--bcher-kva.example"), domain("a.example"));
        let pattern = domain("*.c.example");
        for (domain, key, position) in [
            (None, "imap.auth", Some((1, 13))),
            (None, "imap.port", None),
            (None, "smtp.alternatives[1].port", Some((2, 59))),
            (None, "smtp.alternatives[0]", Some((2, 26))),
            (None, "smtp.alternatives[2]", None),
            (None, "pop3.alternatives[0].port", Some((4, 8))),
            (Some(&b), "imap.port", Some((6, 15))),
            (Some(&a), "imap.host", Some((8, 8))),
            (Some(&a), "imap.port", None),
            (Some(&pattern), "imap.port", Some((10, 13))),
            (Some(&Name::All), "imap.port", None),
        ] {
            let place = places.first(domain, &[key.to_owned()]);
            assert_eq!(place.and_then(|place| place.position), position, "{key}");
        }
        assert_eq!(places.name(&b).and_then(|place| place.position), Some((5, 9)));
        assert_eq!(Places::of(Path::new("f"), "[").first(None, &["imap".to_owned()]), None);
    }
}
