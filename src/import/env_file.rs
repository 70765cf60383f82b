//! Lines `KEY=VALUE`: files for containers and services, what `docker inspect` prints, and the settings
//! of responders that are written as assignments in Python.
//!
//! Quotes around a value and comments behind it are removed. `export` before a key is ignored; so are
//! `ENV` of a Dockerfile and `-e` of a command, and the `\` that continues their lines.

use super::entries::Entry;

/// Most lines.
pub const MAX_LINES: usize = 100_000;

/// The pairs of a text, and the numbers of all other lines with text.
pub fn read(text: &str) -> (Vec<Entry>, Vec<usize>) {
    let (mut entries, mut others) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate().take(MAX_LINES) {
        let line_number = at + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match pair(line) {
            Some((key, value)) => {
                entries.push(Entry { key: key.to_owned(), value, line: line_number });
            }
            None => others.push(line_number),
        }
    }
    (entries, others)
}

/// A pair. In a file of systemd, quotes may be around the whole of it.
pub fn pair(line: &str) -> Option<(&str, String)> {
    let words = ["export ", "ENV ", "-e ", "--env "];
    let line = words.iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line).trim_start();
    let line = line.strip_suffix(" \\").unwrap_or(line);
    let (key, value) = line.split_once('=')?;
    let key = key.trim_end();
    let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_key.then(|| (key, unquoted(value.trim())))
}

/// A value without its quotes, or without the comment behind it.
fn unquoted(value: &str) -> String {
    let single = value.strip_prefix('\'').and_then(|inside| inside.split_once('\''));
    if let Some((inside, _)) = single.filter(|(_, rest)| is_comment(rest)) {
        return inside.to_owned();
    }
    let double = value.strip_prefix('"').and_then(double_quoted);
    if let Some((inside, _)) = double.filter(|(_, rest)| is_comment(rest)) {
        return inside;
    }
    let end = value
        .match_indices('#')
        .find(|(at, _)| *at == 0 || value[..*at].ends_with(|c: char| c.is_ascii_whitespace()));
    value[..end.map_or(value.len(), |(at, _)| at)].trim_end().to_owned()
}

/// The text up to the closing quote, and what is behind it.
fn double_quoted(text: &str) -> Option<(String, &str)> {
    let mut inside = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((inside, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => inside.push('\n'),
                c @ ('"' | '\\' | '$' | '`') => inside.push(c),
                c => inside.extend(['\\', c]),
            },
            c => inside.push(c),
        }
    }
    None
}

fn is_comment(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lose_their_quotes_and_comments() {
        for (line, value) in [
            ("A=b", "b"),
            ("export A = b", "b"),
            ("A='b # c' # d", "b # c"),
            ("A=\"b \\\"c\\\" $\\n\"", "b \"c\" $\n"),
            ("A=b # c", "b"),
            ("A=b#c", "b#c"),
            ("A=", ""),
            ("ENV A=\"b c\" \\", "b c"),
            ("-e A=b \\", "b"),
            ("A=b\\", "b\\"),
            ("A=# b", ""),
            ("A=\"b", "\"b"),
            ("A='b' c", "'b' c"),
        ] {
            assert_eq!(pair(line), Some(("A", value.to_owned())), "{line}");
        }
        for line in ["A b=c", "1A=b", "- A=b", "a: b", "<a b=\"c\">"] {
            assert_eq!(pair(line), None, "{line}");
        }
    }
}
