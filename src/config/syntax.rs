//! Parses a text into TOML tables; errors of the parser are reported in plain words, and duplicates
//! with both lines.
//!
//! Reports only the parser's errors: causes are not guessed. Rules: TOML 1.1.

use super::faults::Faults;
use super::file;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned as Located;
use toml::de::{DeTable, DeValue};

/// How often a text may be parsed again to find the first of two duplicates.
const MAX_READINGS: usize = 8;

/// The tables of a text; `None` if it is not TOML. One of each set of duplicates is kept.
pub(super) fn parse<'t>(text: &'t str, faults: &mut Faults) -> Option<DeTable<'t>> {
    let syntax = |faults: &mut Faults, error: &toml::de::Error| {
        let span = error.span().unwrap_or_default();
        let message = || unquoted(text, span.start).or_else(|| unquoted_pattern(text, span.start));
        let message = || message().unwrap_or_else(|| plain(error.message()).into_owned());
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
            // Later errors may only be consequences of this one.
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

/// Messages of the parser, and the same in plain words.
const PLAIN: [(&str, &str); 15] = [
    ("invalid basic string, expected `\"`", "the closing quote is missing; expected `\"`"),
    ("invalid literal string, expected `'`", "the closing quote is missing; expected `'`"),
    (
        "invalid multi-line basic string, expected `\"`",
        "the closing quotes are missing; expected `\"\"\"`",
    ),
    (
        "invalid multi-line literal string, expected `'`",
        "the closing quotes are missing; expected `'''`",
    ),
    (
        "invalid basic string, expected non-double-quote visible characters, `\\`",
        "control characters are not allowed in text",
    ),
    (
        "missing escaped value, expected `b`, `e`, `f`, `n`, `r`, `\\`, `\"`, `x`, `u`, `U`",
        "unknown escape sequence; for a backslash write `\\\\`, or put the text in single quotes",
    ),
    ("key with no value, expected `=`", "`=` and a value are missing after the key"),
    ("unclosed table, expected `]`", "the closing bracket is missing; expected `]`"),
    ("unclosed array table, expected `]`", "a closing bracket is missing; expected `]]`"),
    ("unclosed array, expected `]`", "the closing bracket of the list is missing; expected `]`"),
    ("unclosed inline table, expected `}`", "the closing brace is missing; expected `}`"),
    ("unexpected leading zero, expected nothing", "a number cannot begin with 0"),
    (
        "unexpected key or value, expected newline, `#`",
        "expected the end of the line: only one value is allowed here",
    ),
    (
        "missing comma between array elements, expected `,`",
        "a comma is missing between two elements of the list; expected `,`",
    ),
    (
        "unquoted keys cannot be empty, expected letters, numbers, `-`, `_`",
        "a key is missing; expected letters, digits, `-` or `_`",
    ),
];

fn plain(message: &str) -> Cow<'_, str> {
    match PLAIN.iter().find(|(parsers, _)| *parsers == message) {
        Some((_, plain)) => Cow::Borrowed(plain),
        None => message.replace('\n', ", ").into(),
    }
}

/// The error for text without quotes at or around `at`. The parser takes such a value for the type
/// that it begins like: `tls` for a boolean, `imap` for a float.
fn unquoted(text: &str, at: usize) -> Option<String> {
    let (before, behind) = text.split_at_checked(at)?;
    let is_bare = |c: char| !c.is_whitespace() && !"=,[]{}#\"'".contains(c);
    let before = before.trim_end_matches(is_bare);
    let value = text.get(before.len()..)?;
    let value = value.split(['\n', '\r', ',', ']', '}', '#', '"', '\'']).next()?.trim();
    let line = before.rsplit('\n').next()?;
    let is_value = match before.trim_end_matches([' ', '\t']).chars().next_back()? {
        '=' => true,
        // In a list, but not the name of a table, and not the next key of an inline table.
        '[' | ',' => line.contains('=') && !value.contains('='),
        _ => false,
    };
    let is_number = |value: &str| value.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !is_value || behind.starts_with(['"', '\'']) || value.contains('\\') {
        return None;
    }
    let straight = value.trim_matches(|c| "“”„‘’‚«»`´".contains(c));
    let is_curly = straight.len() < value.len();
    let key = line.trim_end().strip_suffix('=').unwrap_or_default().trim_end();
    let key = key.rsplit(['.', ',', '{', ' ', '\t']).next().unwrap_or_default();
    match value.to_lowercase().as_str() {
        _ if value.starts_with('=') => {
            Some("only one `=` is expected between key and value".to_owned())
        }
        "" if behind.is_empty() || behind.starts_with(['\n', '\r', '#']) => {
            Some("a value is missing".to_owned())
        }
        word @ ("true" | "false" | "inf" | "nan") if word != value => {
            Some(format!("`{value}` must be written `{word}`"))
        }
        "" => None,
        _ if file::FLAGS.contains(&key) => {
            Some(format!("{key}: `{value}` is not a valid value; expected true or false"))
        }
        _ if file::NUMBERS.contains(&key) && !is_number(value) => {
            Some(format!("{key}: `{value}` is not a number; expected digits only, without quotes"))
        }
        "yes" | "no" | "on" | "off" => {
            Some(format!("`{value}` is not a value; expected true, false, or text in quotes"))
        }
        _ if is_number(value) => None,
        _ if is_curly => Some(format!("text must be in straight quotes: write \"{straight}\"")),
        _ => Some(format!("text must be in quotes: write \"{value}\"")),
    }
}

/// The error for a pattern without quotes in the name of a table.
fn unquoted_pattern(text: &str, at: usize) -> Option<String> {
    let line = text.get(start_of_line(text, at)..)?.lines().next()?;
    let name = line.trim_start().strip_prefix("[domain.")?;
    name.starts_with('*')
        .then(|| "a pattern must be in quotes, as in [domain.\"*.example.org\"]".to_owned())
}

/// True for the parser's error about a duplicate key or table.
fn is_duplicate(error: &toml::de::Error) -> bool {
    error.message() == "duplicate key" || error.message().starts_with("cannot extend value")
}

/// The start of the line that contains the byte `at`.
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

/// The line of the first occurrence of the key at `span`.
///
/// The parser does not report it: the text before the second one is parsed again, and searched for
/// the path of the second one.
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

/// The same for a key of an inline table anywhere in `table`.
fn line_within(text: &str, table: &DeTable, span: &Range<usize>) -> Option<usize> {
    table.values().find_map(|value| line_within_value(text, value, span))
}

fn line_within_value(text: &str, value: &Located<DeValue>, span: &Range<usize>) -> Option<usize> {
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

/// The table that contains a key.
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
