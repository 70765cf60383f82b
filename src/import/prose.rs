//! Lines that no database client prints for a row: the message of a program that has failed, and text for
//! people. An input with one of them is not what it should be, even if other lines name domains.

/// What a line is that names no domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Prose {
    /// The message of a program: `ERROR 1045 (28000): Access denied for user`.
    Message,
    /// Text for people.
    Sentence,
}

/// How messages begin, behind the name of the program, in lower case.
const BEGINNINGS: [&str; 3] = ["error", "fatal", "parse error"];
/// Words of other messages.
const OF_MESSAGES: [&str; 6] = ["denied", "not found", "no such", "unable to", "can't", "cannot"];
/// The fewest words of a sentence: `root postmaster` is a line of an alias file.
const MIN_WORDS: usize = 3;

/// Tells rows from prose. Text in the columns of a table is neither.
pub(super) fn prose(line: &str, in_table: bool) -> Option<Prose> {
    let text = line.split(" #").next().unwrap_or_default();
    let has_columns = in_table || text.contains(['\t', '|', '│']);
    let words = text.split_whitespace().count();
    if has_columns || words < 2 {
        return None;
    }
    // Between columns of CSV, there are no blanks.
    let is_csv = text.starts_with('"')
        || text.contains(';')
        || text.split(',').skip(1).any(|cell| !cell.is_empty() && !cell.starts_with(' '));
    let lower = text.to_lowercase();
    let begins = |part: &str| BEGINNINGS.iter().any(|it| part.trim_start().starts_with(it));
    if lower.split(": ").any(begins) || !is_csv && OF_MESSAGES.iter().any(|it| lower.contains(it)) {
        return Some(Prose::Message);
    }
    // Columns that are aligned have several blanks between them.
    (words >= MIN_WORDS && !is_csv && !text.contains("  ")).then_some(Prose::Sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_no_prose() {
        for (line, expected) in [
            ("ERROR 1045 (28000): Access denied for user 'x'@'localhost'", Some(Prose::Message)),
            ("psql: error: connection to server failed: FATAL:  no role", Some(Prose::Message)),
            ("Error: in prepare, no such table: domain", Some(Prose::Message)),
            ("sh: 1: mysql: not found", Some(Prose::Message)),
            ("Copy the file to the server, and run it.", Some(Prose::Sentence)),
            ("Timing is on.", Some(Prose::Sentence)),
            (
                "*************************** 1. row ***************************",
                Some(Prose::Sentence),
            ),
            ("ALL", None),
            ("error_count", None),
            ("postmaster root", None),
            ("localhost # the machine itself", None),
            ("ERROR 1064 (42000): error near 'a,b'", Some(Prose::Message)),
            ("ALL,The first customer of all", None),
            ("ALL,no such customer", None),
            ("ALL  relay  1", None),
            ("1;The first customer of all", None),
            ("\"The first\",\"customer of all\"", None),
            ("NULL\tno such customer", None),
            ("| NULL | an error of ours |", None),
        ] {
            assert_eq!(prose(line, false), expected, "{line}");
            assert_eq!(prose(line, true), None, "{line}");
        }
    }
}
