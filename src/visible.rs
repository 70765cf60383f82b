//! Escapes text from other sources for display, so that it cannot forge a line, colour a terminal
//! or hide text.
//!
//! Control characters, line and paragraph separators, characters that change the direction of text
//! (Unicode Standard Annex #9, table 1) and invisible characters are written as `<U+202E>`, or
//! replaced in texts for mailbox owners. Bytes that are not UTF-8 look like `<FF>`.

use std::fmt::Write;

/// True for a character that may be shown as it is. Joiners and variation selectors (U+FE00-FE0F)
/// are parts of words and emoji.
pub fn is_visible(c: char) -> bool {
    !c.is_control() && (!is_hidden(c) || is_joiner(c) || ('\u{fe00}'..='\u{fe0f}').contains(&c))
}

/// True for ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER, which some scripts require within a word.
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// True for characters that are invisible or change how others are displayed: two texts that differ
/// only in them look alike. RFC 8264 §4.3 refuses all but two of them, too.
///
/// Of the Unicode Character Database: the general categories Cf (format), Zl, Zp (separators of
/// lines and paragraphs) and Co (private use), the property Default_Ignorable_Code_Point with what
/// is reserved for it, noncharacters, and three symbols without a glyph: U+2800, U+FFFC and
/// U+1D159. Other unassigned code points are accepted: they may become letters.
pub fn is_hidden(c: char) -> bool {
    const RANGES: [(u32, u32); 30] = [
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x600, 0x605),
        (0x61c, 0x61c),
        (0x6dd, 0x6dd),
        (0x70f, 0x70f),
        (0x890, 0x891),
        (0x8e2, 0x8e2),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xe000, 0xf8ff),
        (0xfdd0, 0xfdef),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffc),
        (0x110bd, 0x110bd),
        (0x110cd, 0x110cd),
        (0x13430, 0x1343f),
        (0x1bca0, 0x1bca3),
        (0x1d159, 0x1d159),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
        (0xf0000, 0x10ffff),
    ];
    let c = u32::from(c);
    let last = RANGES.partition_point(|(first, _)| *first <= c);
    let is_listed = last.checked_sub(1).is_some_and(|at| c <= RANGES[at].1);
    // The last two of each plane are noncharacters.
    is_listed || c & 0xfffe == 0xfffe
}

/// True for characters that change the direction of the text around them (Unicode Standard Annex
/// #9, table 1), and for the separators of lines and paragraphs.
pub fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text, escaped, in one line.
pub fn visible(text: &str) -> String {
    escape(text, is_visible)
}

/// The text, escaped, with its line ends and tabs.
pub fn visible_lines(text: &str) -> String {
    escape(text, |c| is_visible(c) || c == '\n' || c == '\t')
}

/// JSON with escapes (`\\u202e`) in place of characters that may not be shown; its line breaks are kept.
///
/// Takes what serde_json writes: a line break is between values, and escaped inside strings.
pub fn visible_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || is_visible(c) {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to memory does not fail.
                write!(escaped, "\\u{unit:04x}").ok();
            }
        }
    }
    escaped
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

/// Bytes as text; those that are not UTF-8 look like `<FF>`.
pub fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to memory does not fail.
            write!(text, "<{byte:02X}>").ok();
        }
    }
    text
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
    fn what_is_not_seen_is_known() {
        let ranges = "\u{ad}\u{34f}\u{600}\u{605}\u{61c}\u{200b}\u{200f}\u{2028}\u{202e}\u{2066}\u{206f}\
            \u{2800}\u{3164}\u{e000}\u{f8ff}\u{fe0f}\u{feff}\u{ffa0}\u{fffb}\u{1fffe}\u{1d17a}\u{e0001}\
            \u{e01ef}\u{f0000}\u{10ffff}";
        assert!(ranges.chars().all(is_hidden));
        let seen = "aé ~ß\u{300}ア\u{a0}\u{2010}\u{202f}\u{2070}\u{d7ff}\u{f900}\u{fdf0}\u{fffd}😀\u{e1000}";
        assert!(!seen.chars().any(is_hidden));
        assert_eq!(visible("نامه\u{200c}ای ❤\u{fe0f}"), "نامه\u{200c}ای ❤\u{fe0f}");
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
