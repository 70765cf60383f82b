//! The codes of findings against the code that makes findings, and the form of remedies: read from the
//! sources.

use crate::source;
use mailsetup_probe::codes;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Words in the form of a code that are not codes: header fields, labels, words of documents.
const OTHERS: [&str; 10] = [
    "client-IP-address",
    "content-encoding",
    "content-type",
    "cram-md5",
    "oauth-public",
    "password-cleartext",
    "password-encrypted",
    "ua-auto-config",
    "us-ascii",
    "utf-8",
];

/// What makes findings: these files and folders.
const MAKERS: [&str; 4] = ["faults", "judge.rs", "play", "read"];

#[test]
fn every_code_that_is_used_is_in_the_table() {
    let first = regex(r#"(?:Fault::new|\bodd|\bfatal|\bfault)\(\s*"([^"\s]+)""#);
    let any = regex(r#""([a-z0-9]+(?:-[A-Za-z0-9]+)+)""#);
    let text = sources();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for expression in [first, any] {
        used.extend(expression.captures_iter(&text).map(|found| found.get(1).unwrap().as_str()));
    }
    assert!(used.len() > 80, "only {} codes were found", used.len());
    for code in used.into_iter().filter(|word| !OTHERS.contains(word)) {
        assert!(codes::code(code).is_some(), "{code} is not in the table");
    }
}

#[test]
fn every_code_in_the_table_is_used() {
    let text = sources();
    for code in codes::all() {
        assert!(text.contains(&format!("\"{}\"", code.id)), "nothing makes {}", code.id);
    }
}

/// A report wraps sentences, and leaves lines to paste as they are: it knows a sentence by its capital
/// letter and its full stop or colon.
#[test]
fn remedies_are_sentences_or_lines_to_paste() {
    let text = sources();
    let remedies = regex(r#"\.mend\(\s*(?:format!\(\s*)?"((?:[^"\\]|\\[\s\S])*)""#);
    let mut count = 0;
    for found in remedies.captures_iter(&text) {
        // A line break in the source is left out with the blanks after it.
        let remedy = regex(r"\\\n\s*").replace_all(&found[1], "").replace("\\n", "\n");
        for line in remedy.lines() {
            let is_sentence = line.starts_with(char::is_uppercase) && line.ends_with(['.', ':']);
            let is_pasted = [" = ", " IN ", "[apple]", "mailsetup dns ", "return 301 "];
            let is_pasted = is_pasted.iter().any(|part| line.contains(part));
            assert!(is_sentence != is_pasted, "{line}");
        }
        count += 1;
    }
    assert!(count > 60, "only {count} remedies were found");
}

fn regex(expression: &str) -> regex_lite::Regex {
    regex_lite::Regex::new(expression).expect("an expression")
}

/// The code of all makers, without tests.
fn sources() -> String {
    let mut text = String::new();
    for maker in MAKERS {
        read(&source("probe/src").join(maker), &mut text);
    }
    text
}

fn read(path: &Path, text: &mut String) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder");
        entries.for_each(|entry| read(&entry.expect("an entry").path(), text));
    } else {
        let code = fs::read_to_string(path).expect("source");
        text.push_str(code.split("#[cfg(test)]").next().expect("code"));
    }
}
