//! Marks in a text for parts that are not known: `$host` in a document of a script.
//!
//! A value with a mark cannot be carried over. The signs are not characters of Unicode, so that no file
//! has them.

/// The beginning of a mark.
pub const MARK_START: char = '\u{fdd0}';
/// Its end.
pub const MARK_END: char = '\u{fdd1}';

/// True if a part of the text is not known.
pub fn is_marked(text: &str) -> bool {
    text.contains(MARK_START)
}

/// The text for people: what is not known is in back quotes.
pub fn shown(text: &str) -> String {
    text.replace([MARK_START, MARK_END], "`")
}
