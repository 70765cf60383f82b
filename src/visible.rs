//! Text that others wrote, made fit to be shown: nothing in it forges a line, colours a terminal or
//! hides.
//!
//! Control characters, line and paragraph separators, what turns the direction of text (Unicode
//! Standard Annex #9, table 1) and what is not seen at all are written as `<U+202E>`, or replaced
//! where people read who do not know such numbers. Bytes that are not UTF-8 are for
//! [`crate::finding::name`].

/// True for a character that may be shown as it is. The two joiners are parts of words in some
/// scripts.
pub fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text in one line.
pub fn visible(text: &str) -> String {
    escape(text, is_visible)
}

/// The text with its lines and tabs.
pub fn visible_lines(text: &str) -> String {
    escape(text, |c| is_visible(c) || c == '\n' || c == '\t')
}

/// The text with a replacement character in place of each that may not be shown.
pub fn replaced(text: &str) -> String {
    text.chars().map(|c| if is_visible(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

fn escape(text: &str, is_plain: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            escaped.push(c);
        } else {
            escaped.push_str("<U+");
            escaped.push_str(&format!("{:04X}", u32::from(c)));
            escaped.push('>');
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_looks_like_another_line() {
        let text = "a\nb\u{1b}[1m\u{202e}c\u{2028}d \u{e9}\u{e0041}";
        assert_eq!(visible(text), "a<U+000A>b<U+001B>[1m<U+202E>c<U+2028>d \u{e9}<U+E0041>");
        assert_eq!(visible_lines("a\n\tb\r\n"), "a\n\tb<U+000D>\n");
        assert_eq!(replaced("a\u{202e}b"), "a\u{fffd}b");
    }

    #[test]
    fn words_stay_as_they_are() {
        for word in
            ["b\u{fc}cher", "\u{646}\u{627}\u{645}\u{647}\u{200c}\u{627}\u{6cc}", "\u{ba6}\u{200d}"]
        {
            assert_eq!(visible(word), word);
        }
    }
}
