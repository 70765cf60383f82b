//! Plain words: phrases that are hard to understand must not come back in texts for people:
//! messages, help, manuals, the page, the documentation and the files of contrib.

use crate::common::source;
use std::fs;
use std::path::Path;

/// Phrases, in lower case, each with its replacement.
const PHRASES: [(&str, &str); 34] = [
    ("is no ", "is not a"),
    ("are no ", "are not"),
    ("are none", "are not"),
    ("is none of", "is not one of"),
    ("whoever", "the client, the user"),
    (" anew", "again"),
    ("is told", "is logged, is reported"),
    ("are told", "get, are redirected"),
    ("nobody is", "no request is"),
    ("nobody in particular", "a dynamic user"),
    ("has something to say", "sends"),
    ("in any case", "always"),
    ("for nothing else", "dedicated"),
    ("went out", "was sent"),
    ("goes out", "is sent"),
    ("broke off", "is incomplete"),
    ("who asks", "the client"),
    (" for ever ", "permanently, without a limit"),
    ("a stranger", "a client, any user"),
    ("whatever comes", "for every input"),
    ("kept request", "request on a keepalive connection"),
    ("kept connection", "keepalive connection"),
    ("kept document", "cached document"),
    (" are ours", "are configured"),
    (" is ours", "is configured"),
    (" not ours", "not configured"),
    (" mended", "corrected"),
    ("taken apart", "parsed, split"),
    ("cannot be helped", "limits of the protocol"),
    ("said back", "repeated in the response"),
    ("stands alone", "is the whole value"),
    ("all else stays", "nothing else is affected"),
    ("unasked", "without being asked"),
    ("to the letter", "exactly"),
];

/// Exceptions, in lower case.
const ALLOWED: [&str; 3] = ["there is no ", "there are no ", "is no longer "];

/// The texts for users in a source file: its code, without comments and tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.trim_end_matches('\\').trim()).collect::<Vec<_>>().join(" ")
}

/// The doc comments of the command line, which are its help.
fn help(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("///"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn phrases_that_had_to_be_read_twice_do_not_come_back() {
    let mut texts = Vec::new();
    files(&source("src"), &mut texts);
    files(&source("probe/src"), &mut texts);
    for (file, text) in &mut texts {
        *text = match file.ends_with("cli.rs") {
            true => help(text),
            false => code(text),
        };
    }
    for folder in ["contrib", "docs", "man"] {
        files(&source(folder), &mut texts);
    }
    for file in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        texts.push((file.to_owned(), fs::read_to_string(source(file)).expect("text")));
    }
    assert!(texts.len() > 80, "{} files", texts.len());
    let mut found = Vec::new();
    for (file, text) in &texts {
        let words: Vec<_> = text.split_whitespace().filter(|word| *word != "#").collect();
        let mut text = words.join(" ").to_lowercase();
        for allowed in ALLOWED {
            text = text.replace(allowed, "");
        }
        for (phrase, meant) in PHRASES {
            for (at, _) in text.match_indices(phrase) {
                let around: String = text[at..].chars().take(60).collect();
                found.push(format!("{file}: {around} (meant: {meant})"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The messages of the program, in one list to read: `cargo test --test main messages -- --nocapture`.
#[test]
fn messages_are_listed() {
    let mut texts = Vec::new();
    files(&source("src"), &mut texts);
    let text = regex_lite::Regex::new(r#""((?:[^"\\]|\\.)*)""#).expect("an expression");
    let mut count = 0;
    for (file, content) in &texts {
        // The table of clients has a table of its own.
        if !file.ends_with(".rs") || file.contains("/clients/") {
            continue;
        }
        // A quote as a character begins no text.
        for found in text.captures_iter(&code(content).replace("'\"'", "")) {
            let message = &found[1];
            if message.split(' ').count() < 3 || !message.contains(|c: char| c.is_lowercase()) {
                continue;
            }
            println!("{}", message.split_whitespace().collect::<Vec<_>>().join(" "));
            count += 1;
        }
    }
    assert!(count > 200, "{count} messages");
}
