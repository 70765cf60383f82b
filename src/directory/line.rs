//! A line of a list.
//!
//! A line is read as of a plain list, of the source of a Postfix map, or of a passwd-file: its first
//! word, and of that the part after an `@`. A `#` starts a comment, and a line that begins with
//! white space continues the one before (postmap(1)).

use crate::address::{Domain, MAX_DOMAIN, domain_name};
use std::borrow::Cow;

/// How much of a line is read; the rest is of no use. A word of this length is not a domain.
const MAX_LINE: usize = 4096;
/// The beginning of a pattern: `*.example.org` stands for the domains below example.org.
pub const PATTERN: &str = "*.";

/// What a line says.
#[derive(Debug, Eq, PartialEq)]
pub enum Line<'a> {
    /// Nothing: it is empty, a comment, or continues the line before.
    Nothing,
    /// A domain in A-labels and lower case, or [`PATTERN`] and one.
    Name(Cow<'a, str>),
    /// This word, which is not a domain.
    Other(&'a [u8]),
}

impl Line<'_> {
    /// Reads a line without its line end. Bytes that are not UTF-8 are not a domain; mostly they
    /// are in a comment.
    pub fn read(line: &[u8]) -> Line<'_> {
        match line.first() {
            None | Some(b' ' | b'\t') => return Line::Nothing,
            Some(_) => {}
        }
        let (word, is_whole) = first_word(line);
        if word.is_empty() {
            return Line::Nothing;
        }
        let name = after_at(word);
        match std::str::from_utf8(name).ok().filter(|_| is_whole).and_then(read_name) {
            Some(Cow::Owned(name)) if name.starts_with(PATTERN) && name_is_part(word) => {
                Line::Other(word)
            }
            Some(name) => Line::Name(name),
            None => Line::Other(word),
        }
    }
}

/// The name in A-labels and lower case.
fn read_name(text: &str) -> Option<Cow<'_, str>> {
    match text.strip_prefix(PATTERN) {
        None => domain_name(text).ok(),
        Some(domain) => {
            let domain = domain_name(domain).ok()?;
            let is_near = domain.split('.').count() <= Domain::MAX_PARENT_LABELS;
            is_near.then(|| Cow::Owned([PATTERN, &domain].concat()))
        }
    }
}

/// True if the name is only a part of a word: the domain of an address.
fn name_is_part(word: &[u8]) -> bool {
    word.contains(&b'@')
}

/// The part of a word after the last `@`, or all of it.
pub fn after_at(word: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', word).map_or(word, |at| &word[at + 1..])
}

/// The first word of a line, which is empty for a comment; and whether all of it was read.
fn first_word(line: &[u8]) -> (&[u8], bool) {
    let read = &line[..line.len().min(MAX_LINE)];
    let end = read.iter().position(|b| matches!(b, b' ' | b'\t' | b':' | b'\r' | b'#'));
    (&read[..end.unwrap_or(read.len())], end.is_some() || line.len() <= MAX_LINE)
}

/// True if a line begins with white space, and its first word is a domain that is written as in a
/// plain list.
pub fn is_indented_domain(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    text.len() < line.len()
        && matches!(Line::read(text), Line::Name(_))
        && !name_is_part(first_word(text).0)
}

/// True if a line has at most one word.
pub fn is_single_word(line: &[u8]) -> bool {
    let rest = line[first_word(line).0.len()..].trim_ascii_start();
    rest.is_empty() || rest.starts_with(b"#")
}

/// The possible beginning of a name: the text after an `@`, in lower case.
pub fn beginning(word: &[u8]) -> Option<Box<str>> {
    let name = after_at(word);
    let may_be = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'*');
    let is_one = !name.is_empty() && name.len() <= MAX_DOMAIN && name.iter().all(may_be);
    let name = std::str::from_utf8(name).ok().filter(|_| is_one)?;
    Some(name.to_ascii_lowercase().into())
}
