//! The output of a database client: any bytes.
//!
//! Checks: an input with a control character or a line that is too long is refused with the number of
//! the first such line, and no other is; every domain is written somewhere in the input, in its own
//! letters or in those of its A-labels; aliases lead to domains of the input that are not aliases; the
//! lines that are noted are lines of the input, in their order; the domains as a list, and as rows of
//! each client with their aliases, are read as the same again.

use mailsetup::address::Domain;
use mailsetup::import::domains::{self, Domains, MAX_NOTED, Noted, Refused};

/// The longest line.
const LONGEST: usize = 64 * 1024;
/// How much of a word is noted, in characters.
const WORD: usize = 120;

pub fn run(data: &[u8]) {
    let text = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
    let expected = text.split(|b| *b == b'\n').enumerate().find_map(|(index, line)| {
        let line = match line.strip_suffix(b"\r") {
            // A carriage return at the end of the last line ends it, too.
            Some(line) => line,
            None => line,
        };
        match line {
            _ if line.len() > LONGEST => Some(Refused::LongLine(index + 1)),
            _ if line.iter().any(|b| *b < b' ' && *b != b'\t' || *b == 0x7f) => {
                Some(Refused::NotText(index + 1))
            }
            _ => None,
        }
    });
    let domains = match domains::read(data) {
        Ok(domains) => domains,
        Err(Refused::Message(line, text) | Refused::Sentence(line, text)) => {
            let lines = data.split(|b| *b == b'\n').count();
            assert!((1..=lines).contains(&line) && text.chars().count() <= WORD);
            return assert_eq!(expected, None);
        }
        Err(refused) => return assert_eq!(Some(refused), expected),
    };
    assert_eq!(expected, None);
    check(text, &domains);
    let names: Vec<_> = domains.names.iter().collect();
    let list: String = names.iter().flat_map(|(name, _)| [name.as_str(), "\n"]).collect();
    let again = domains::read(list.as_bytes()).expect("a list");
    assert!(again.names.keys().eq(domains.names.keys()) && nothing_is_noted(&again));
    for (before, between, after, none) in [
        ("", "\t", "", "NULL"),
        ("", "|", "", ""),
        ("| ", " | ", " |", "NULL"),
        (" ", " | ", "", ""),
        ("│ ", " │ ", " │", ""),
        ("\"", "\",\"", "\"", ""),
        ("", ";", ";x", ""),
        ("", "   ", "", "x"),
        ("@", "\t@", "", "x"),
    ] {
        for heading in ["", "domain\u{0}alias_of"] {
            let heading = match heading {
                "" => String::new(),
                // The columns of a heading are separated as those of the rows.
                _ => heading.replace('\u{0}', between.trim_matches('@')) + "\n",
            };
            let heading = heading.replace("\",\"", ",");
            let rows = names.iter().map(|(name, target)| {
                let target = target.as_ref().map_or(none, Domain::as_str);
                format!("{before}{name}{between}{target}{after}\n")
            });
            let rows: String = std::iter::once(heading).chain(rows).collect();
            let again = domains::read(rows.as_bytes()).expect("rows");
            assert_eq!(again.names, domains.names, "{rows}");
            assert!(nothing_is_noted(&again), "{rows}");
        }
    }
}

fn check(text: &[u8], domains: &Domains) {
    let lines = text.split(|b| *b == b'\n').count();
    for noted in [&domains.left_out, &domains.not_used] {
        assert_eq!(noted.first.len(), noted.count.min(MAX_NOTED));
        assert!(
            noted.first.iter().all(|(line, text)| (1..=lines).contains(line) && !text.is_empty())
        );
    }
    let words = &domains.left_out.first;
    assert!(words.is_sorted_by_key(|(line, _)| *line));
    assert!(words.iter().all(|(_, word)| word.chars().count() <= WORD));
    assert!(domains.names.len() + domains.left_out.count <= lines && domains.addresses <= lines);
    // Quotes around a part of a name are left out.
    let lower = String::from_utf8_lossy(text).to_ascii_lowercase().replace('"', "");
    for (name, target) in &domains.names {
        if name.as_str().split('.').all(|label| !label.starts_with("xn--")) && lower.is_ascii() {
            assert!(lower.contains(name.as_str()), "{name}");
        }
        if let Some(target) = target {
            assert_eq!(domains.names.get(target), Some(&None), "{name}: {target}");
            assert_ne!(target, name);
        }
    }
    if let Some(unfinished) = &domains.unfinished {
        assert!(!text.ends_with(b"\n") && !unfinished.is_empty());
    }
}

fn nothing_is_noted(domains: &Domains) -> bool {
    let none = Noted::default();
    domains.left_out == none && domains.not_used == none && domains.unfinished.is_none()
}
