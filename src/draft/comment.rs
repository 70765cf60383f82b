//! Comments of the written file, in lines that fit a terminal.
//!
//! A word that is longer than a line, such as a path or a URL, stays whole. So does what is between
//! backquotes: a command can be copied.

use crate::visible::visible;

/// The longest line, in characters, if no word is longer.
const WIDTH: usize = 80;
/// What follows the `#` of all lines but the first of a comment.
const CONTINUED: &str = "  ";

/// The lines of a comment, each with `indent` before its `#`.
pub(super) fn comment(text: &str, indent: &str) -> String {
    let text = visible(text);
    let mut lines = String::new();
    let mut line = format!("{indent}#");
    let mut has_word = false;
    for word in words(&text) {
        let length = line.chars().count() + 1 + word.chars().count();
        if has_word && length > WIDTH {
            lines += line.trim_end();
            lines += "\n";
            line = format!("{indent}#{CONTINUED}");
            has_word = false;
        }
        // Blanks at the beginning of a line would be taken for its indentation.
        if has_word || !word.is_empty() {
            line += " ";
            line += word;
            has_word = true;
        }
    }
    lines + line.trim_end() + "\n"
}

/// The words of a text. Several blanks between two of them have empty words between them.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        let end = end_of_word(rest);
        words.push(&rest[..end]);
        match rest.get(end + 1..) {
            Some(after) => rest = after,
            None => return words,
        }
    }
}

/// The length of the first word.
fn end_of_word(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find([' ', '`']) {
        at += found;
        if text[at..].starts_with(' ') {
            return at;
        }
        at += 1;
        // A backquote that nothing ends is one like others.
        at += text[at..].find('`').map_or(0, |end| end + 1);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_comments_have_several_lines() {
        let long = "x".repeat(100);
        let command = format!("`mysql -N -e '{} FROM t' | mailsetup`", "a, ".repeat(30));
        let seventy = "0123456789".repeat(7);
        for (text, indent, lines) in [
            ("", "", vec!["#"]),
            ("a  b ", "  ", vec!["  # a  b"]),
            // 80 characters fit, 81 do not.
            (&format!("{seventy} 2345678"), "", vec![&format!("# {seventy} 2345678")]),
            (&format!("{seventy} 23456789"), "", vec![&format!("# {seventy}"), "#   23456789"]),
            (
                &format!("{seventy}  a  b"),
                "     ",
                vec![&format!("     # {seventy}  a"), "     #   b"],
            ),
            (&format!("Seen: {long} b"), "", vec!["# Seen:", &format!("#   {long}"), "#   b"]),
            (&long, "", vec![&format!("# {long}")]),
            (&format!("{command}: b"), "", vec![&format!("# {command}:"), "#   b"]),
            (&format!("a `b {seventy} cccc"), "", vec![&format!("# a `b {seventy}"), "#   cccc"]),
            ("a\nb\u{202e}", "", vec!["# a<U+000A>b<U+202E>"]),
        ] {
            assert_eq!(comment(text, indent), lines.join("\n") + "\n", "{text}");
        }
    }
}
