//! From TOML to the structs of `file`: reports every unknown key and every wrong type at once.
//!
//! A domain's tables are read over those of the base: a key that the domain leaves out has the
//! base's value. Such a value has no place, and neither has one that is refused here; nothing more
//! is reported about either. Refuses duplicates, with both lines, and placeholders that are not
//! filled in at their place. Rules: TOML 1.1.

use super::file::{self, File, Spanned, Tables};
use super::report::Report;
use super::values;
use crate::address::Domain;
use serde::de::value::{Error, StrDeserializer, UsizeDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::ops::Range;
use toml::Spanned as Located;
use toml::de::{DeInteger, DeString, DeTable, DeValue};

/// Most findings of this kind that are reported for one file; the rest is counted.
const MAX_FINDINGS: usize = 100;
/// How often a text may be read again to find the first one of two duplicates.
const MAX_READINGS: usize = 8;

type Key<'v> = Located<DeString<'v>>;
type Value<'v> = Located<DeValue<'v>>;

//------------ Document -------------------------------------------------------

/// A configuration file that was read; by default, an empty one.
#[derive(Debug, Default)]
pub struct Document<'t> {
    /// The settings of all domains.
    pub base: Tables,
    /// What there is once.
    pub file: File,
    text: &'t str,
    inherited: Inherited,
    /// The domains that were not handed out so far, the next one last.
    domains: Vec<(Key<'t>, Value<'t>)>,
    faults: Faults,
}

impl<'t> Document<'t> {
    /// Reads a text; `None` if it is not TOML.
    pub fn read(text: &'t str, report: &mut Report) -> Option<Document<'t>> {
        let mut faults = Faults::default();
        let top = parse(text, &mut faults);
        let document = top.map(|mut top| {
            let domains = take_domains(&mut top, &mut faults);
            let top = Located::new(0..text.len(), DeValue::Table(top));
            let base = Reader::new(text, Scope::Top, &mut faults).read(&top, None);
            let file: File = Reader::new(text, Scope::WholeFile, &mut faults).read(&top, None);
            let is_needed = !domains.is_empty() || file.domains.directory.is_some();
            let inherited = match top.into_inner() {
                DeValue::Table(mut top) if is_needed => {
                    for key in file::WHOLE_FILE {
                        top.remove(key);
                    }
                    Inherited(Some(plain_table(top)))
                }
                _ => Inherited::default(),
            };
            (base, file, inherited, domains)
        });
        faults.report(report);
        if document.is_none() {
            faults.report_the_rest(report);
        }
        let (base, file, inherited, domains) = document?;
        Some(Document { base, file, text, inherited, domains, faults })
    }

    /// The names of the domains to come, as they are written, and where they are.
    pub fn names(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.domains.iter().map(|(name, _)| (name.get_ref().as_ref(), name.span()))
    }

    /// The next domain and its tables, over those of the base.
    pub fn next_domain(&mut self, report: &mut Report) -> Option<(Spanned<String>, Tables)> {
        let Some((name, value)) = self.domains.pop() else {
            self.faults.report_the_rest(report);
            return None;
        };
        let mut reader = Reader::new(self.text, Scope::Domain, &mut self.faults);
        reader.at.domain = Some(&name);
        let tables = reader.read(&value, self.inherited.0.as_ref());
        self.faults.report(report);
        Some((Spanned::new(name.get_ref().to_string(), name.span()), tables))
    }

    /// What the files of domains stand on.
    pub fn inherited(&self) -> Inherited {
        self.inherited.clone()
    }
}

/// The tables at the top of a configuration file.
#[derive(Clone, Debug, Default)]
pub struct Inherited(Option<toml::Table>);

impl Inherited {
    /// Reads the text of one domain's file; `None` if it is not TOML.
    pub fn domain_file(&self, text: &str, report: &mut Report) -> Option<Tables> {
        let mut faults = Faults::default();
        let tables = parse(text, &mut faults).map(|table| {
            let table = Located::new(0..text.len(), DeValue::Table(table));
            Reader::new(text, Scope::Domain, &mut faults).read(&table, self.0.as_ref())
        });
        faults.report(report);
        faults.report_the_rest(report);
        tables
    }
}

fn take_domains<'t>(top: &mut DeTable<'t>, faults: &mut Faults) -> Vec<(Key<'t>, Value<'t>)> {
    let Some((_, table)) = top.remove_entry("domain") else { return Vec::new() };
    let span = table.span();
    match table.into_inner() {
        DeValue::Table(table) => {
            let mut domains: Vec<_> = table.into_iter().collect();
            domains.reverse();
            domains
        }
        other => {
            faults.refuse("wrong-type", span, || wrong_type(&["domain"], "a table", &other));
            Vec::new()
        }
    }
}

fn plain_table(table: DeTable) -> toml::Table {
    let entries = table.into_iter();
    entries.map(|(key, value)| (key.into_inner().into_owned(), plain(value))).collect()
}

/// A value without its place.
fn plain(value: Value) -> toml::Value {
    match value.into_inner() {
        DeValue::String(text) => toml::Value::String(text.into_owned()),
        DeValue::Integer(number) => toml::Value::Integer(integer(&number).unwrap_or_default()),
        DeValue::Boolean(flag) => toml::Value::Boolean(flag),
        DeValue::Array(array) => toml::Value::Array(array.into_iter().map(plain).collect()),
        DeValue::Table(table) => toml::Value::Table(plain_table(table)),
        // No key has such a value.
        DeValue::Float(_) | DeValue::Datetime(_) => toml::Value::Boolean(false),
    }
}

fn integer(number: &DeInteger) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

//------------ Faults ---------------------------------------------------------

/// What is wrong with the shape of a file.
#[derive(Debug, Default)]
struct Faults {
    found: Vec<(&'static str, Range<usize>, String)>,
    count: usize,
}

impl Faults {
    /// Only counts once there are enough of them.
    fn refuse(&mut self, code: &'static str, span: Range<usize>, message: impl FnOnce() -> String) {
        if self.count < MAX_FINDINGS {
            self.found.push((code, span, message()));
        }
        self.count += 1;
    }

    fn report(&mut self, report: &mut Report) {
        for (code, span, message) in self.found.drain(..) {
            report.error(code, Some(span), message);
        }
    }

    fn report_the_rest(&mut self, report: &mut Report) {
        if self.count > MAX_FINDINGS {
            let rest = self.count - MAX_FINDINGS;
            self.count = 0;
            let message =
                format!("{rest} more unknown keys, duplicates and values of a wrong type");
            report.error("more-findings", None, message);
        }
    }
}

//------------ Parsing --------------------------------------------------------

/// The tables of a text; `None` if it is not TOML. Of duplicates one is left.
fn parse<'t>(text: &'t str, faults: &mut Faults) -> Option<DeTable<'t>> {
    let syntax = |faults: &mut Faults, error: &toml::de::Error| {
        let span = error.span().unwrap_or_default();
        let message =
            || unquoted(text, span.start).unwrap_or_else(|| error.message().replace('\n', ", "));
        faults.refuse("syntax", span.clone(), message);
    };
    match DeTable::parse(text) {
        Ok(table) => return Some(table.into_inner()),
        Err(error) if !is_duplicate(&error) => {
            syntax(faults, &error);
            return None;
        }
        Err(_) => {}
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut readings = 0;
    let mut earlier = None;
    for error in &errors {
        if !is_duplicate(error) {
            // What follows may be no more than a consequence.
            syntax(faults, error);
            return None;
        }
        let Some(span) =
            error.span().filter(|span| earlier.replace(span.clone()) != Some(span.clone()))
        else {
            continue;
        };
        faults.refuse("duplicate", span.clone(), || {
            readings += 1;
            let first = match readings <= MAX_READINGS {
                true => line_of_the_first(text, &span)
                    .or_else(|| line_within(text, table.get_ref(), &span)),
                false => None,
            };
            let first = first.map(|line| format!(": the first is in line {line}"));
            format!("duplicate {}{}", duplicate(text, &span), first.unwrap_or_default())
        });
    }
    Some(table.into_inner())
}

/// What is wrong with a value that stands at `at`, or around it, without the quotes of text. The
/// parser takes it for what it begins like: `tls` for a boolean, `imap` for a float.
fn unquoted(text: &str, at: usize) -> Option<String> {
    let (before, behind) = text.split_at_checked(at)?;
    let is_bare = |c: char| !c.is_whitespace() && !"=,[]{}#\"'".contains(c);
    let before = before.trim_end_matches(is_bare);
    let value = text.get(before.len()..)?;
    let value = value.split(['\n', '\r', ',', ']', '}', '#', '"', '\'']).next()?.trim();
    let line = before.rsplit('\n').next()?;
    let is_value = match before.trim_end_matches([' ', '\t']).chars().next_back()? {
        '=' => true,
        // In a list; not the name of a table, and not the next key of an inline table.
        '[' | ',' => line.contains('=') && !value.contains('='),
        _ => false,
    };
    let is_number = |value: &str| value.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !is_value || behind.starts_with(['"', '\'']) || value.contains('\\') {
        return None;
    }
    let straight = value.trim_matches(|c| "“”„‘’‚«»".contains(c));
    let is_curly = straight.len() < value.len();
    match value.to_lowercase().as_str() {
        "" if behind.is_empty() || behind.starts_with(['\n', '\r', '#']) => {
            Some("a value is missing".to_owned())
        }
        word @ ("true" | "false" | "inf" | "nan") if word != value => {
            Some(format!("`{value}` must be written `{word}`"))
        }
        _ if is_number(value) => None,
        _ if is_curly => Some(format!("text must be in straight quotes: write \"{straight}\"")),
        _ => Some(format!("text must be in quotes: write \"{value}\"")),
    }
}

/// True for what the parser says of a key or a table that is there already.
fn is_duplicate(error: &toml::de::Error) -> bool {
    error.message() == "duplicate key" || error.message().starts_with("cannot extend value")
}

/// Where the line begins that holds the byte `at`.
fn start_of_line(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// The line of a statement, and whether it opens a table.
fn statement<'t>(text: &'t str, span: &Range<usize>) -> (&'t str, bool) {
    let rest = text.get(start_of_line(text, span.start)..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    (line, line.trim_start().starts_with('['))
}

/// `key `host`` or `table [domain."example.org"]`.
fn duplicate(text: &str, span: &Range<usize>) -> String {
    let key = text.get(span.clone()).unwrap_or_default();
    let header = text.get(start_of_line(text, span.start)..span.end).unwrap_or_default();
    match statement(text, span) {
        (_, true) => format!("table [{}]", header.trim_start().trim_start_matches('[')),
        (_, false) => format!("key `{key}`"),
    }
}

/// The line in which the key at `span` is there for the first time.
///
/// The parser knows it and does not say: what stands before the second one is read again, and
/// searched for the path of the second one.
fn line_of_the_first(text: &str, span: &Range<usize>) -> Option<usize> {
    let start = start_of_line(text, span.start);
    let (line, is_header) = statement(text, span);
    let mut before = text.get(..start)?.to_owned();
    let mut probe = "probe".to_owned();
    while before.contains(&probe) {
        probe.push('x');
    }
    before.push_str(&format!("{probe} = 0\n"));
    let tree = DeTable::parse_recoverable(&before).0.into_inner();
    let mut place = if is_header { &tree } else { holder(&tree, &probe)? };
    let path = DeTable::parse_recoverable(line).0.into_inner();
    let mut path = &path;
    loop {
        let (key, value) = path.iter().next().filter(|_| path.len() == 1)?;
        let (first, known) = place.get_key_value(&**key.get_ref())?;
        if start + key.span().start == span.start {
            return Some(text.get(..first.span().start)?.matches('\n').count() + 1);
        }
        path = value.get_ref().as_table()?;
        place = match known.get_ref() {
            DeValue::Table(table) => table,
            DeValue::Array(array) => array.last()?.get_ref().as_table()?,
            _ => return None,
        };
    }
}

/// The same for a key of an inline table, which `table` holds somewhere.
fn line_within(text: &str, table: &DeTable, span: &Range<usize>) -> Option<usize> {
    table.values().find_map(|value| line_within_value(text, value, span))
}

fn line_within_value(text: &str, value: &Value, span: &Range<usize>) -> Option<usize> {
    let table = match value.get_ref() {
        DeValue::Table(table) => table,
        DeValue::Array(array) => {
            return array.iter().find_map(|value| line_within_value(text, value, span));
        }
        _ => return None,
    };
    let deeper = line_within(text, table, span);
    if deeper.is_some() || !value.span().contains(&span.start) {
        return deeper;
    }
    let key = text.get(span.clone())?.trim_matches(['"', '\'']);
    let (first, _) = table.get_key_value(key)?;
    let before = text.get(..first.span().start).filter(|_| first.span().start < span.start)?;
    Some(before.matches('\n').count() + 1)
}

/// The table that holds a key.
fn holder<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    if table.contains_key(key) {
        return Some(table);
    }
    table.values().find_map(|value| match value.get_ref() {
        DeValue::Table(table) => holder(table, key),
        DeValue::Array(array) => array.last()?.get_ref().as_table().and_then(|it| holder(it, key)),
        _ => None,
    })
}

//------------ Reader ---------------------------------------------------------

/// Which keys are known at the root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scope {
    /// Those of the base; those of the whole file are passed over.
    Top,
    /// Those of the whole file; all others are passed over.
    WholeFile,
    /// Those of a domain.
    Domain,
}

/// Where in a file a value is read.
struct Position<'v> {
    text: &'v str,
    scope: Scope,
    /// The name of the domain, where it stands in a table's name.
    domain: Option<&'v Key<'v>>,
    path: Vec<&'v str>,
}

/// On its way through a file.
struct Reader<'v, 'f> {
    at: Position<'v>,
    /// True once a value was refused.
    is_faulty: bool,
    faults: &'f mut Faults,
}

impl<'v, 'f> Reader<'v, 'f> {
    fn new(text: &'v str, scope: Scope, faults: &'f mut Faults) -> Reader<'v, 'f> {
        let at = Position { text, scope, domain: None, path: Vec::new() };
        Reader { at, is_faulty: false, faults }
    }

    /// Reads a table over another.
    fn read<T: Default + Deserialize<'v>>(
        &mut self,
        value: &'v Value<'v>,
        base: Option<&'v toml::Table>,
    ) -> T {
        // Nothing fails: what is refused is reported, and something else takes its place.
        let value = Any::Written(value, base);
        T::deserialize(Node { reader: self, value }).unwrap_or_default()
    }

    /// Checks the keys of a table that has these fields.
    fn check_keys(&mut self, table: &'v DeTable<'v>, fields: &'static [&'static str]) {
        let Reader { at, faults, .. } = self;
        for (key, value) in table {
            let name = &**key.get_ref();
            if !fields.contains(&name) && !at.whole_file().contains(&name) {
                faults.refuse("unknown-key", key.span(), || at.unknown_key(key, value, fields));
            } else if !at.is_allowed(name) {
                faults.refuse("key-place", key.span(), || at.wrong_place(name));
            }
        }
    }
}

impl Position<'_> {
    /// The keys that are passed over here, since they are read with the whole file.
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

    /// False for a key that is known and has no meaning in this scope.
    fn is_allowed(&self, name: &str) -> bool {
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
        let place = match self.path.as_slice() {
            [] => String::new(),
            path => format!(" in [{}]", path.join(".")),
        };
        let unquoted = self.unquoted_domain(name, value, fields);
        let likeness = if unquoted.is_some() { 0.8 } else { LIKE };
        match (nearest(name, &known, likeness), unquoted) {
            (Some(near), _) => format!("unknown key `{name}`{place}; did you mean `{near}`?"),
            (None, Some(domain)) => format!(
                "unknown key `{name}`; a domain name must be in quotes: write [domain.\"{domain}\"]"
            ),
            (None, None) => {
                format!("unknown key `{name}`{place}; known keys are {}", quoted(&known))
            }
        }
    }

    /// The domain that is meant by `[domain.example.org]`, which TOML takes for tables inside
    /// tables.
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

    /// The path of a key, or of the value that is read.
    fn key(&self, last: Option<&str>) -> String {
        let path: Vec<_> = self.path.iter().copied().chain(last).collect();
        path.join(".")
    }
}

/// `` `a`, `b` ``
fn quoted(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn wrong_type(path: &[&str], expected: &str, found: &DeValue) -> String {
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

/// How much a word must be like another to be meant.
const LIKE: f64 = 0.7;

/// The word most like `unknown`, if it is as much like it as that.
fn nearest<'a>(unknown: &str, words: &[&'a str], least: f64) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    words
        .iter()
        .map(|word| (strsim::jaro_winkler(&unknown, word), *word))
        .filter(|(likeness, _)| *likeness > least)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

//------------ Any ------------------------------------------------------------

/// A value on its way to a struct.
#[derive(Clone, Copy)]
enum Any<'v> {
    /// One that is written in this file, and the table that it stands over.
    Written(&'v Value<'v>, Option<&'v toml::Table>),
    /// One of the base.
    Inherited(&'v toml::Value),
}

impl<'v> Any<'v> {
    fn as_str(self) -> Option<&'v str> {
        match self {
            Any::Written(value, _) => value.get_ref().as_str(),
            Any::Inherited(value) => value.as_str(),
        }
    }

    fn as_bool(self) -> Option<bool> {
        match self {
            Any::Written(value, _) => value.get_ref().as_bool(),
            Any::Inherited(value) => value.as_bool(),
        }
    }

    fn as_integer(self) -> Option<i64> {
        match self {
            Any::Written(value, _) => value.get_ref().as_integer().and_then(integer),
            Any::Inherited(value) => value.as_integer(),
        }
    }

    fn items(self) -> Option<Vec<Any<'v>>> {
        match self {
            Any::Written(value, _) => {
                let items = value.get_ref().as_array()?.iter();
                Some(items.map(|item| Any::Written(item, None)).collect())
            }
            Any::Inherited(value) => Some(value.as_array()?.iter().map(Any::Inherited).collect()),
        }
    }

    fn entries(self) -> Option<Vec<(&'v str, Any<'v>)>> {
        match self {
            Any::Written(value, _) => {
                let entries = value.get_ref().as_table()?.iter();
                let entries = entries.map(|(key, it)| (&**key.get_ref(), Any::Written(it, None)));
                Some(entries.collect())
            }
            Any::Inherited(value) => {
                let entries = value.as_table()?.iter();
                Some(entries.map(|(key, value)| (key.as_str(), Any::Inherited(value))).collect())
            }
        }
    }

    /// The value of a key that is written in the table itself.
    fn own(self, name: &str) -> Option<Any<'v>> {
        let Any::Written(value, base) = self else { return None };
        let own = value.get_ref().as_table()?.get(name)?;
        let over = base.and_then(|base| base.get(name)?.as_table());
        Some(Any::Written(own, over))
    }

    /// The value of a key in the table that this one stands over.
    fn inherited(self, name: &str) -> Option<Any<'v>> {
        match self {
            Any::Written(_, base) => base?.get(name).map(Any::Inherited),
            Any::Inherited(value) => value.get(name).map(Any::Inherited),
        }
    }

    fn is_empty_table(self) -> bool {
        match self {
            Any::Written(value, _) => value.get_ref().as_table().is_some_and(DeTable::is_empty),
            Any::Inherited(value) => value.as_table().is_some_and(toml::Table::is_empty),
        }
    }
}

//------------ Node -----------------------------------------------------------

/// A value, and who reads it.
struct Node<'n, 'v, 'f> {
    reader: &'n mut Reader<'v, 'f>,
    value: Any<'v>,
}

impl<'v, 'f> Node<'_, 'v, 'f> {
    /// Refuses the value for its type.
    fn wrong(&mut self, expected: &str) {
        self.refuse("wrong-type", |at, value| match (at.path.as_slice(), at.domain) {
            ([], Some(name)) => wrong_type(&["domain", name.get_ref()], expected, value),
            (path, _) => wrong_type(path, expected, value),
        });
    }

    /// Refuses the value. The base's mistakes were reported at their own places.
    fn refuse(&mut self, code: &'static str, message: impl FnOnce(&Position, &DeValue) -> String) {
        self.reader.is_faulty = true;
        if let Any::Written(value, _) = self.value {
            let Reader { at, faults, .. } = &mut *self.reader;
            faults.refuse(code, value.span(), || message(at, value.get_ref()));
        }
    }

    // What follows is not generic: it is compiled once, and not again for each struct.

    fn bool(&mut self) -> bool {
        let value = self.value.as_bool();
        if value.is_none() {
            self.wrong("true or false");
        }
        value.unwrap_or(true)
    }

    fn integer(&mut self) -> i64 {
        let number = self.value.as_integer();
        if number.is_none() {
            self.refuse("wrong-type", |at, value| match value {
                DeValue::Integer(digits) => format!("{}: {digits} is too large", at.key(None)),
                _ => wrong_type(&at.path, "a whole number", value),
            });
        }
        number.unwrap_or(1)
    }

    fn text(&mut self) -> &'v str {
        let Some(text) = self.value.as_str() else {
            self.wrong("text in quotes");
            return "";
        };
        if text.contains('%') {
            let known = file::placeholders(&self.reader.at.path);
            if let Err(message) = values::check_placeholders(text, known) {
                self.refuse("placeholder", |at, _| format!("{}: {message}", at.key(None)));
            }
        }
        text
    }

    /// One of some words.
    fn word(&mut self, words: &'static [&'static str]) -> &'static str {
        let text = self.value.as_str();
        let word = text.and_then(|text| words.iter().find(|word| **word == text));
        match (text, word) {
            (None, _) => self.wrong("text in quotes"),
            (Some(_), Some(_)) => {}
            (Some(text), None) => self.refuse("unknown-value", |at, _| {
                let key = at.key(None);
                match nearest(text, words, LIKE) {
                    Some(near) => format!("{key}: unknown value `{text}`; did you mean `{near}`?"),
                    None => {
                        format!("{key}: unknown value `{text}`; expected one of {}", quoted(words))
                    }
                }
            }),
        }
        word.or(words.first()).copied().unwrap_or_default()
    }

    fn items(&mut self) -> std::vec::IntoIter<Any<'v>> {
        let items = self.value.items();
        if items.is_none() {
            self.wrong("a list in [ ]");
        }
        items.unwrap_or_default().into_iter()
    }

    fn entries(&mut self) -> std::vec::IntoIter<(&'v str, Any<'v>)> {
        let entries = self.value.entries();
        if entries.is_none() {
            self.wrong("a table");
        }
        entries.unwrap_or_default().into_iter()
    }

    /// Refuses what is not a table, and the keys in it that are not fields.
    fn check_table(&mut self, fields: &'static [&'static str]) {
        let Any::Written(value, _) = self.value else { return };
        let is_whole_file =
            self.reader.at.scope == Scope::WholeFile && self.reader.at.path.is_empty();
        match value.get_ref().as_table() {
            Some(_) if is_whole_file => {}
            Some(table) => self.reader.check_keys(table, fields),
            None => self.wrong("a table"),
        }
    }

    /// Another value, read by the same reader.
    fn with<'n>(&'n mut self, value: Any<'v>) -> Node<'n, 'v, 'f> {
        Node { reader: &mut *self.reader, value }
    }
}

impl<'v> Deserializer<'v> for Node<'_, 'v, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.bool())
    }

    fn deserialize_i64<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(self.integer())
    }

    fn deserialize_str<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text())
    }

    fn deserialize_string<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        mut self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(StrDeserializer::new(self.word(words)))
    }

    fn deserialize_seq<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let items = self.items();
        visitor.visit_seq(Items { node: self, items })
    }

    fn deserialize_map<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let entries = self.entries();
        visitor.visit_map(Entries { node: self, entries, value: None })
    }

    fn deserialize_struct<V: Visitor<'v>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.check_table(fields);
        visitor.visit_map(Fields { node: self, fields: fields.iter(), field: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name == file::ONE_OR_MORE && self.value.items().is_none() {
            true => visitor.visit_newtype_struct(Single(self)),
            false => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'v>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            file::SPANNED => visitor.visit_seq(Parts { node: self, is_fine: true, step: 0 }),
            _ => self.deserialize_seq(visitor),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'v>>
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        identifier ignored_any
    }
}

/// The fields of a struct: those of the table, then those of the base.
struct Fields<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    fields: std::slice::Iter<'static, &'static str>,
    field: Option<(&'static str, Any<'v>)>,
}

impl<'v> Fields<'_, 'v, '_> {
    /// The name of the next field with a value.
    fn next(&mut self) -> Option<&'static str> {
        let is_root = self.node.reader.at.path.is_empty();
        for name in self.fields.by_ref() {
            let own = self.node.value.own(name);
            // A domain has no table that it does not name or fill: it shares the base's.
            let own = own.filter(|own| !(is_root && own.is_empty_table()));
            let own = own.filter(|_| self.node.reader.at.is_allowed(name));
            let inherited = || (!is_root).then(|| self.node.value.inherited(name)).flatten();
            let Some(value) = own.or_else(inherited) else { continue };
            self.field = Some((name, value));
            return Some(name);
        }
        None
    }
}

impl<'v> MapAccess<'v> for Fields<'_, 'v, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'v>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(name) = self.next() else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((name, value)) = self.field.take() else {
            return Err(serde::de::Error::custom("a value without a key"));
        };
        self.node.reader.at.path.push(name);
        let value = seed.deserialize(self.node.with(value));
        self.node.reader.at.path.pop();
        value
    }
}

/// The entries of a map.
struct Entries<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    entries: std::vec::IntoIter<(&'v str, Any<'v>)>,
    value: Option<(&'v str, Any<'v>)>,
}

impl<'v> MapAccess<'v> for Entries<'_, 'v, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'v>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.value = self.entries.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, value)) = self.value.take() else {
            return Err(serde::de::Error::custom("a value without a key"));
        };
        self.node.reader.at.path.push(key);
        let value = seed.deserialize(self.node.with(value));
        self.node.reader.at.path.pop();
        value
    }
}

/// The items of a list.
struct Items<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    items: std::vec::IntoIter<Any<'v>>,
}

impl<'v> SeqAccess<'v> for Items<'_, 'v, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'v>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(item) = self.items.next() else { return Ok(None) };
        seed.deserialize(self.node.with(item)).map(Some)
    }
}

/// A value that stands for a list of itself.
struct Single<'n, 'v, 'f>(Node<'n, 'v, 'f>);

impl<'v> Deserializer<'v> for Single<'_, 'v, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = vec![self.0.value].into_iter();
        visitor.visit_seq(Items { node: self.0, items })
    }

    forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// The parts of a [`Spanned`]: the value, and where it begins and ends if that is to be reported.
struct Parts<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    is_fine: bool,
    step: usize,
}

impl<'v> SeqAccess<'v> for Parts<'_, 'v, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'v>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let value = self.node.value;
        self.step += 1;
        if self.step == 1 {
            let earlier = std::mem::take(&mut self.node.reader.is_faulty);
            let part = seed.deserialize(self.node.with(value)).map(Some);
            self.is_fine = !self.node.reader.is_faulty;
            self.node.reader.is_faulty |= earlier;
            return part;
        }
        let place = match value {
            Any::Written(value, _) if self.is_fine => value.span(),
            _ => return Ok(None),
        };
        let place = if self.step == 2 { place.start } else { place.end };
        seed.deserialize(UsizeDeserializer::new(place)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// What is reported of a text: line, code and message.
    fn found(text: &str) -> Vec<(usize, &'static str, String)> {
        let mut report = Report::new(Path::new("f"), text);
        if let Some(mut document) = Document::read(text, &mut report) {
            while document.next_domain(&mut report).is_some() {}
        }
        let line = |finding: &crate::finding::Finding| finding.place.clone()?.position;
        let found = report.sorted();
        let found = found.iter();
        found.map(|it| (line(it).map_or(0, |at| at.0), it.code, it.message.clone())).collect()
    }

    fn message(text: &str) -> String {
        let found = found(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found[0].2.clone()
    }

    #[test]
    fn unknown_words_come_with_the_nearest() {
        for (text, expected) in [
            ("[imap]\nhots = 'x'", "unknown key `hots` in [imap]; did you mean `host`?"),
            ("[imaps]", "unknown key `imaps`; did you mean `imap`?"),
            ("[domian.'x.example']", "unknown key `domian`; did you mean `domain`?"),
            (
                "[imap]\nsecurity = 'startls'",
                "imap.security: unknown value `startls`; did you mean `starttls`?",
            ),
            ("[imap]\nsecurity = 'TLS'", "imap.security: unknown value `TLS`; did you mean `tls`?"),
            (
                "[imap]\nauth = ['password', 'oauth']",
                "imap.auth: unknown value `oauth`; did you mean `oauth2`?",
            ),
            ("[domain.'example.org'.imep]", "unknown key `imep`; did you mean `imap`?"),
            ("[pacc]\nqqqq = 1", "unknown key `qqqq` in [pacc]; known keys are `enabled`"),
            (
                "alias_of = 'x.example'",
                "alias_of is only allowed for one domain: write it in [domain.\"example.org\"]",
            ),
            (
                "[domain.'x.example'.apple]\nsigning_key = 'k'",
                "apple.signing_key is only allowed at the top, for all domains",
            ),
        ] {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    #[test]
    fn wrong_types_are_named() {
        for (text, expected) in [
            ("imap = 5", "imap: a table is expected, not a whole number"),
            ("imap.port = 'x'", "imap.port: a whole number is expected, not text"),
            ("imap.port = 99999999999999999999", "imap.port: 99999999999999999999 is too large"),
            ("imap.host = 5", "imap.host: text in quotes is expected, not a whole number"),
            ("imap.auth = 1.5", "imap.auth: text in quotes is expected, not a decimal number"),
            ("imap.enabled = 'yes'", "imap.enabled: true or false is expected, not text"),
            (
                "imap.alternatives = { port = 1 }",
                "imap.alternatives: a list in [ ] is expected, not a table",
            ),
            ("domain = 5", "domain: a table is expected, not a whole number"),
            (
                "domain.'x.example' = 1979-05-27",
                "domain.x.example: a table is expected, not a date",
            ),
            (
                "apple.description.en = 1",
                "apple.description.en: text in quotes is expected, not a whole number",
            ),
            ("limits.body_bytes = 'x'", "limits.body_bytes: a whole number is expected, not text"),
        ] {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    /// A cause is named only where it is the cause.
    #[test]
    fn a_domain_without_quotes_is_not_taken_for_something_else() {
        for (text, domain) in [
            ("[domain.example.org]", "example.org"),
            ("[domain.example.org.imap]\nhost = 'x'", "example.org"),
            ("domain.mail.example.org.imap.host = 'x'", "mail.example.org"),
        ] {
            let expected = format!("a domain name must be in quotes: write [domain.\"{domain}\"]");
            assert!(message(text).ends_with(&expected), "{text}: {}", message(text));
        }
        for text in
            ["[domain.'example.org'.org]", "[domain.example]\norg = 1", "[domain.example.imep]"]
        {
            assert!(!message(text).contains("quotes: write"), "{text}: {}", message(text));
        }
    }

    /// `security = tls` was "invalid boolean, expected `true`".
    #[test]
    fn text_without_quotes_is_called_that() {
        let quotes = |value: &str| format!("text must be in quotes: write \"{value}\"");
        let straight = |value: &str| format!("text must be in straight quotes: write \"{value}\"");
        for (text, line, message) in [
            ("imap.host = imap.example.org", 1, quotes("imap.example.org")),
            ("imap.host=mail.example.org # ours", 1, quotes("mail.example.org")),
            ("\nimap.security = tls\n", 2, quotes("tls")),
            ("imap.security = none", 1, quotes("none")),
            ("imap.host = 192.0.2.1", 1, quotes("192.0.2.1")),
            ("imap.host = 1a.example", 1, quotes("1a.example")),
            ("page.logo = /etc/logo.svg", 1, quotes("/etc/logo.svg")),
            ("provider.name = Example Net\n", 1, quotes("Example Net")),
            ("imap.auth = [oauth2, 'password']", 1, quotes("oauth2")),
            ("imap.auth = ['oauth2', tls]", 1, quotes("tls")),
            ("imap = { host = true.example }", 1, quotes("true.example")),
            ("imap.host = \u{201c}a.example\u{201d}", 1, straight("a.example")),
            ("imap.enabled = True", 1, "`True` must be written `true`".to_owned()),
            ("imap.enabled = FALSE\n", 1, "`FALSE` must be written `false`".to_owned()),
            ("imap.host =\nimap.port = 1", 1, "a value is missing".to_owned()),
            ("imap.host = # none", 1, "a value is missing".to_owned()),
        ] {
            assert_eq!(found(text), [(line, "syntax", message)], "{text}");
        }
        for text in
            ["imap.port = 070", "[imap", "imap.host = 'x", "imap = { host = 'a', \u{e9} = 1 }", "x"]
        {
            let found = found(text);
            assert!(!found.iter().any(|(_, _, message)| message.contains("write")), "{found:?}");
        }
    }

    #[test]
    fn duplicates_name_both_lines() {
        let table = "table [domain.\"example.org\"]";
        for (text, line, what, first) in [
            ("[domain.\"example.org\"]\n[imap]\n[domain.\"example.org\"]", 3, table, 1),
            ("[domain.\"example.org\"]\n[domain.\"example.org\"]\nimap.port = 1", 2, table, 1),
            ("[imap]\nport = 1\nhost = 'a'\nport = 2", 4, "key `port`", 2),
            ("[smtp]\nport = 1\n[imap]\nport = 1\nport = 2", 5, "key `port`", 4),
            ("imap.port = 1\n\n[imap]", 3, "table [imap]", 1),
            ("imap = 5\n[imap.x]", 2, "table [imap]", 1),
            ("imap.port = 1\nimap = 5", 2, "key `imap`", 1),
            ("[imap]\nhost = 'a'\nhost.x = 'b'", 3, "key `host`", 2),
            ("[[imap]]\n[imap]", 2, "table [imap]", 1),
            ("[imap]\n[[imap]]", 2, "table [imap]", 1),
            ("imap = { port = 1, \"port\" = 2 }", 1, "key `\"port\"`", 1),
            ("\nimap.alternatives = [{ port = 1 },\n{ port = 1, port = 2 }]", 3, "key `port`", 3),
            ("apple = { description = { en = 'a', en = 'b' } }", 1, "key `en`", 1),
            ("x = '''\n[imap]\n'''\n[imap]\n[imap]", 5, "table [imap]", 4),
        ] {
            let found = found(text);
            let expected = format!("duplicate {what}: the first is in line {first}");
            let told = found.iter().find(|(_, code, _)| *code == "duplicate");
            assert_eq!(told, Some(&(line, "duplicate", expected)), "{text}: {found:?}");
        }
    }

    #[test]
    fn everything_of_a_file_is_reported_and_a_flood_is_counted() {
        let text = "[imap]\nhots = 1\nport = 'x'\n[smpt]\n[domain.'x.example'.imap]\nhots = 1\nport = 'y'\n";
        let lines: Vec<_> = found(text).iter().map(|found| found.0).collect();
        assert_eq!(lines, [2, 3, 4, 6, 7], "{:?}", found(text));

        let flood: String = (0..250).map(|n| format!("[domain.'d{n}.example']\nx = 1\n")).collect();
        let found = found(&flood);
        assert_eq!(found.len(), MAX_FINDINGS + 1);
        assert!(found[MAX_FINDINGS].2.starts_with("150 more"), "{:?}", found[MAX_FINDINGS]);
    }

    /// What the base has wrong is reported once.
    #[test]
    fn a_domain_inherits_values_and_no_mistakes() {
        let text = "imap.port = 143\nimap.host = 5\n[domain.'x.example']\nimap.username = 'a'\n";
        let mut report = Report::new(Path::new("f"), text);
        let mut document = Document::read(text, &mut report).unwrap();
        let (_, tables) = document.next_domain(&mut report).unwrap();
        let imap = tables.imap.unwrap();
        assert!(imap.username.is_some_and(|it| !it.is_inherited()));
        assert!(imap.port.is_some_and(|it| it.is_inherited() && *it.get_ref() == 143));
        assert!(tables.smtp.is_none());
        assert_eq!(report.findings.len(), 1);
    }

    /// The list stands beside the struct.
    #[test]
    fn the_keys_of_the_whole_file_are_listed() {
        let text: String = file::WHOLE_FILE.iter().map(|key| format!("[{key}]\n")).collect();
        assert_eq!(found(&text), []);
    }
}
