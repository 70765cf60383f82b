//! Estimates the memory that the parser needs for a TOML text, without parsing it.
//!
//! A table with one key takes some 1.2 KB and a newline 50 bytes, whatever their size in the text:
//! two megabytes of dots would take gigabytes. Valid TOML below the limit is never refused here.
//! Rule: the parser's own tokens, which both passes have in common.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Most memory that the parser may use, in bytes.
///
/// 20,000 domains with two keys such as `imap.host` and `smtp.host` each take 90 MB.
pub const MAX_MEMORY: usize = 96_000_000;
/// The least memory of a token, in bytes.
const TOKEN: usize = 48;
/// The memory of a token that may open a table, in bytes: the parser reserves space for several
/// keys.
const TABLE: usize = TOKEN + 768;
/// The memory counted for the sign before a value, in bytes: a key with its value, or an element of
/// a list.
const VALUE: usize = TOKEN + 192;

/// The offset at which a text exceeds the memory limit, in bytes; `None` if it does not.
pub fn beyond(text: &str) -> Option<usize> {
    let mut left = MAX_MEMORY;
    for (start, memory) in tokens(text) {
        match left.checked_sub(memory) {
            Some(rest) => left = rest,
            None => return Some(start),
        }
    }
    None
}

/// The memory that the parser needs for a text, in bytes.
pub fn memory(text: &str) -> usize {
    tokens(text).map(|(_, memory)| memory).sum()
}

/// The start of each token and its memory.
fn tokens(text: &str) -> impl Iterator<Item = (usize, usize)> {
    Source::new(text).lex().map(|token| {
        let memory = match token.kind() {
            TokenKind::Dot | TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => TABLE,
            TokenKind::Equals | TokenKind::Comma => VALUE,
            _ => TOKEN,
        };
        (token.span().start(), memory)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_counted_outside_of_strings() {
        for (text, others, tables, values) in [
            ("[domain.\"a.b.example\"]\n", 4, 2, 0),
            ("[domain.'a.b\"c']", 3, 2, 0),
            ("imap.port=993 # [[,,=", 5, 1, 1),
            ("x=[1,{a='}{,'}]", 6, 2, 3),
            ("x='''\n[.{'''\n", 3, 0, 1),
            ("# a = 1", 1, 0, 0),
            ("\n\n\r\n", 3, 0, 0),
        ] {
            // The end is also a token.
            let expected = (others + 1) * TOKEN + tables * TABLE + values * VALUE;
            assert_eq!(memory(text), expected, "{text}");
        }
    }

    #[test]
    fn the_place_is_that_of_the_token_too_many() {
        let text = "\n".repeat(MAX_MEMORY / TOKEN - 1);
        assert_eq!(beyond(&text), None);
        assert_eq!(beyond(&(text.clone() + "\n")), Some(text.len() + 1));
        assert_eq!(beyond(&(text.clone() + "[x]")), Some(text.len()));
    }

    #[test]
    fn twenty_thousand_domains_are_read() {
        let domain = "[domain.\"example.org\"]\nimap.host = \"mail.example.org\"\n\
                      smtp.host = \"mail.example.org\"\n";
        assert_eq!(beyond(&domain.repeat(20_000)), None);
    }
}
