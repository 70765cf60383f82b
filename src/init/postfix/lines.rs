//! Lines of main.cf, of master.cf and of what postconf prints of them.
//!
//! A line that begins with white space continues the one before, and comments and empty lines may
//! stand between (postconf(5), master(5)). `postconf -f` prints such lines, too. Braces keep words
//! together.

use crate::draft::Place;
use std::borrow::Cow;

/// A line with those that continue it.
pub struct Logical<'a> {
    /// The text, without the line ends.
    pub text: Cow<'a, str>,
    /// The number of its first line, from 1 on.
    pub number: usize,
}

/// The lines of a text.
pub fn logical(text: &str) -> Vec<Logical<'_>> {
    let mut lines: Vec<Logical> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let rest = line.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            continue;
        }
        match lines.last_mut() {
            Some(last) if rest.len() < line.len() => last.text.to_mut().push_str(line),
            _ => lines.push(Logical { text: line.into(), number: at + 1 }),
        }
    }
    lines
}

/// The words of a text: separated by any of `separators`, unless these are inside of braces. A
/// brace that is not closed holds all that follows.
pub fn words<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut words = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && separators.contains(&c) => {
                words.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// The separators of lists (postconf(5), `mydestination`).
pub const LIST: &[char] = &[',', ' ', '\t', '\r', '\n'];
/// White space.
pub const BLANK: &[char] = &[' ', '\t', '\r', '\n'];

/// What stands inside of one pair of braces around the whole text.
pub fn unbraced(text: &str) -> Option<&str> {
    Some(text.strip_prefix('{')?.strip_suffix('}')?.trim())
}

/// A name and a value around the first `=`, without the white space around both.
pub fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    // The name of a transport is a part of some, and may have hyphens.
    is_name(&name.replace('-', "_")).then(|| (name, value.trim()))
}

/// True for the name of a parameter.
pub fn is_name(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !text.is_empty() && text.bytes().all(is_part)
}

/// A value, with the place and the text where it was set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    /// The value as it is written.
    pub value: String,
    /// Where.
    pub place: Place,
    /// The name and the value, as they are shown.
    pub shown: String,
}

/// The text, or its beginning if it is long.
pub fn shortened(text: &str) -> String {
    const MAX: usize = 160;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_continue() {
        let text = "# c\na = b\n\n# c\n  c\r\n\td\n   # e\nf = \n g\n";
        let lines = logical(text);
        let lines: Vec<_> = lines.iter().map(|line| (line.number, &*line.text)).collect();
        assert_eq!(lines, [(2, "a = b  c\td"), (8, "f =  g")]);
    }

    #[test]
    fn braces_keep_words_together() {
        assert_eq!(words("a, b{c, d} {e{f g}} h", LIST), ["a", "b{c, d}", "{e{f g}}", "h"]);
        assert_eq!(words("a {b c", LIST), ["a", "{b c"]);
        assert_eq!(words("a} b", LIST), ["a}", "b"]);
        assert_eq!(unbraced("{ a = b }"), Some("a = b"));
        assert_eq!(assignment(" a_1 =b = c "), Some(("a_1", "b = c")));
        assert_eq!(assignment("a b = c"), None);
    }
}
