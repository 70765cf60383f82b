//! How much a TOML text makes the parser build, told without parsing it.
//!
//! A table with one key takes some 1.4 KB, whatever its size in the text: a few hundred kilobytes of
//! brackets would take gigabytes. Nothing is refused here that is valid TOML and not too much.

/// Most parts of a configuration: tables, keys, elements of lists, and names behind dots.
///
/// 20,000 domains with a key such as `imap.host` each have 80,000.
pub const MAX_PARTS: usize = 80_500;

/// Where a text has one part more than are read, in bytes; `None` if it has no more.
pub fn beyond(text: &str) -> Option<usize> {
    let mut left = MAX_PARTS;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let parts = count(line);
        if parts > left {
            return Some(start);
        }
        left -= parts;
        start += line.len();
    }
    None
}

/// How many parts a line has at most. Signs in strings do not count, if these end on their line.
pub fn count(line: &str) -> usize {
    let mut quote = None;
    let mut is_escaped = false;
    let mut count = 0;
    for byte in line.bytes() {
        match (quote, byte) {
            _ if is_escaped => is_escaped = false,
            (Some(b'"'), b'\\') => is_escaped = true,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'#') => break,
            (None, b'[' | b'{' | b',' | b'=' | b'.') => count += 1,
            (None, _) => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_outside_of_strings() {
        for (line, parts) in [
            ("[domain.\"a.b.example\"]\n", 2),
            ("[domain.'a.b\"c']", 2),
            ("imap.port = 993 # [[,,=", 2),
            ("x = [1, {a = '}{,'}]", 5),
            ("x = \"a\\\",=.\"", 1),
            ("# a = 1", 0),
            ("", 0),
        ] {
            assert_eq!(count(line), parts, "{line}");
        }
    }

    #[test]
    fn the_place_is_that_of_the_line_too_many() {
        let line = "[[x]]\n";
        let text = line.repeat(MAX_PARTS / 2);
        assert_eq!(beyond(&text), None);
        assert_eq!(beyond(&(text.clone() + line)), Some(text.len()));
    }
}
