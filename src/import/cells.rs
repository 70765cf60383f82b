//! The cells of a row: between tabs, bars, commas or semicolons, else between blanks. Quotes around a cell are
//! left out, and what separates cells may stand between them.

use crate::address::is_around;
use std::borrow::Cow;

/// What separates columns.
const DELIMITERS: [char; 5] = ['\t', '|', '│', ';', ','];

/// The cells of a line, without quotes around them.
pub(super) struct Cells<'a> {
    rest: Option<&'a str>,
    delimiter: Option<char>,
}

impl<'a> Cells<'a> {
    /// The cells between `delimiter`, or the line's own: the first one that is not in quotes.
    pub(super) fn of(line: &'a str, delimiter: Option<char>) -> Cells<'a> {
        let framed = ['|', '│'].into_iter().find_map(|bar| {
            line.strip_prefix(bar).map(|rest| (rest.strip_suffix(bar).unwrap_or(rest), bar))
        });
        match framed {
            Some((rest, bar)) => Cells { rest: Some(rest), delimiter: Some(bar) },
            None => Cells {
                rest: Some(line),
                delimiter: delimiter.or_else(|| first_outside(line, &DELIMITERS).map(|(_, c)| c)),
            },
        }
    }

    /// What separates them.
    pub(super) fn delimiter(&self) -> Option<char> {
        self.delimiter
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest?;
        let end = match self.delimiter {
            Some(delimiter) => first_outside(rest, &[delimiter]),
            None => first_outside(rest, &[' ']),
        };
        let cell = match end {
            Some((at, c)) => {
                let (cell, after) = (&rest[..at], &rest[at + c.len_utf8()..]);
                // Columns that are aligned have several blanks between them.
                self.rest = Some(if c == ' ' { after.trim_start() } else { after });
                cell
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(unquoted(cell.trim_matches(is_around)))
    }
}

/// The first of `wanted` that is not between quotes. Quotes are those at the beginning of a cell: in
/// the middle of a word they are a part of it.
fn first_outside(text: &str, wanted: &[char]) -> Option<(usize, char)> {
    let quoted = text.trim_start_matches(is_around);
    let start = text.len() - quoted.len();
    let skipped = match quoted.strip_prefix('"') {
        Some(inner) => start + 1 + end_of_quotes(inner),
        None => 0,
    };
    text[skipped..]
        .char_indices()
        .find(|(_, c)| wanted.contains(c))
        .map(|(at, c)| (skipped + at, c))
}

/// The length of a text to the quote that ends it, two of which are one that does not; all of it if there is none.
fn end_of_quotes(inner: &str) -> usize {
    let mut bytes = inner.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'"' && bytes.next_if(|(_, next)| *next == b'"').is_none() {
            return at;
        }
    }
    inner.len()
}

/// A cell without the quotes around it. Single ones are those of `.mode quote` of sqlite3.
fn unquoted(cell: &str) -> Cow<'_, str> {
    if let Some(inner) = cell.strip_prefix('\'').and_then(|cell| cell.strip_suffix('\'')) {
        return Cow::Borrowed(inner);
    }
    let Some(inner) = cell.strip_prefix('"') else { return Cow::Borrowed(cell) };
    let (inner, after) = inner.split_at(end_of_quotes(inner));
    let after = after.strip_prefix('"').unwrap_or(after);
    match after.is_empty() && !inner.contains('"') {
        true => Cow::Borrowed(inner),
        false => Cow::Owned([&inner.replace("\"\"", "\""), after].concat()),
    }
}
