//! The files of the page's languages, `src/page/languages`: their form, what each lacks, and the
//! table of docs/translating.md. `UPDATE_GOLDEN=1` rewrites the table.
//!
//! An error is reported with file and line. A text that is missing is not an error: the page has
//! the English one, and the table names it.

use crate::common::http::Request;
use crate::common::{Sandbox, cgi, program, source};
use mailsetup::visible::is_visible;
use regex_lite::Regex;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const FOLDER: &str = "src/page/languages";

/// Names that a translation keeps where the English text has them.
const NAMES: [&str; 23] = [
    "@example.org",
    "☰",
    "Android",
    "CalDAV",
    "CardDAV",
    "FairEmail",
    "Gmail",
    "IMAP",
    "K-9 Mail",
    "K‑9 Mail",
    "Mac",
    "ManageSieve",
    "Outlook",
    "POP3",
    "QR",
    "SMTP",
    "SSL",
    "Safari",
    "Thunderbird",
    "WebDAV",
    "iPad",
    "iPhone",
    "macOS 15",
];

/// A file of a language, with the number of each line.
struct File {
    tag: String,
    lines: Vec<(usize, String)>,
}

impl File {
    fn at(&self, line: usize, error: &str) -> String {
        format!("{FOLDER}/{}.toml:{line}: {error}", self.tag)
    }

    /// The lines with a value: number, key, value.
    fn values(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let lines = self.lines.iter().filter(|(_, line)| !line.starts_with('#'));
        lines.filter_map(|(number, line)| {
            line.split_once(" = ").map(|(key, value)| (*number, key, value))
        })
    }

    /// The texts of the page: number of the line, key, text without its quotes.
    fn texts(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let values = self.values().filter(|(_, key, _)| !HEADER.contains(key));
        values.map(|(number, key, value)| (number, key, value.trim_matches('"')))
    }

    fn header(&self, key: &str) -> &str {
        let found = self.values().find(|(_, known, _)| *known == key);
        found.map_or("", |(.., value)| value.trim_matches('"'))
    }
}

/// The keys at the top, which are not texts.
const HEADER: [&str; 3] = ["language", "direction", "checked"];

/// All files, sorted by their tags.
fn all() -> Vec<File> {
    let mut found = Vec::new();
    for entry in fs::read_dir(source(FOLDER)).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let tag = name.strip_suffix(".toml").unwrap_or_else(|| panic!("{name} is not a .toml"));
        let text = fs::read_to_string(&path).expect("UTF-8");
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned()));
        found.push(File { tag: tag.to_owned(), lines: lines.collect() });
    }
    found.sort_by(|one, other| one.tag.cmp(&other.tag));
    assert!(found.len() >= 25, "only {} languages", found.len());
    found
}

fn english() -> File {
    all().into_iter().find(|file| file.tag == "en").expect("en.toml")
}

/// The errors in a file, each with its line.
fn errors(file: &File, english: &File) -> Vec<String> {
    let known: BTreeMap<_, _> = english.texts().map(|(_, key, text)| (key, text)).collect();
    let markup = Regex::new(r"<[^>]*>?|\{[^}]*\}?|%[A-Za-z]+%|&[a-z#0-9]+;").expect("a pattern");
    let line =
        Regex::new(r#"^(#.*|[a-z0-9_]+(\.[1-9])? = "[^"\\]*[^"\\ ]"|checked = (true|false))?$"#)
            .expect("a pattern");
    let mut errors = Vec::new();
    for (number, text) in &file.lines {
        if !line.is_match(text) {
            let form =
                "expected `key = \"text\"`, without a backslash and with quotes of the language";
            errors.push(file.at(*number, form));
        }
        if let Some(hidden) = text.chars().find(|c| !is_visible(*c)) {
            let error = format!("U+{:04X} is not visible", u32::from(hidden));
            errors.push(file.at(*number, &error));
        }
    }
    let mut seen = Vec::new();
    for (number, key, text) in file.texts() {
        if seen.contains(&key) {
            errors.push(file.at(number, &format!("`{key}` is there twice")));
        }
        seen.push(key);
        let Some(original) = known.get(key) else {
            errors.push(file.at(number, &format!("`{key}` is not a key of en.toml")));
            continue;
        };
        let tokens = |text: &str| {
            let mut tokens: Vec<_> =
                markup.find_iter(text).map(|found| found.as_str().to_owned()).collect();
            tokens.sort();
            tokens
        };
        if tokens(text) != tokens(original) {
            let error = format!("`{key}`: markup or placeholders differ from en.toml");
            errors.push(file.at(number, &error));
        }
        for name in NAMES {
            if original.contains(name) && !text.contains(name) {
                errors.push(file.at(number, &format!("`{key}`: {name} is missing")));
            }
        }
    }
    for (key, values) in [
        ("language", None),
        ("direction", Some(["ltr", "rtl"])),
        ("checked", Some(["true", "false"])),
    ] {
        let value = file.header(key);
        if value.is_empty() || values.is_some_and(|values| !values.contains(&value)) {
            errors.push(file.at(1, &format!("`{key}` is missing or wrong")));
        }
    }
    errors
}

/// The keys that a file lacks.
fn missing(file: &File, english: &File) -> Vec<String> {
    let is_there = |key: &str| file.texts().any(|(_, known, _)| known == key);
    let keys = english.texts().map(|(_, key, _)| key.to_owned());
    keys.filter(|key| !is_there(key)).collect()
}

#[test]
fn every_file_has_the_form_and_the_keys_of_the_english_one() {
    let english = english();
    let errors: Vec<_> = all().iter().flat_map(|file| errors(file, &english)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    for file in all() {
        // Editors of TOML read the same.
        let text: Vec<_> = file.lines.iter().map(|(_, line)| line.as_str()).collect();
        let table: toml::Table = toml::from_str(&text.join("\n")).expect(&file.tag);
        for (number, key, text) in file.texts() {
            let value = match key.split_once('.') {
                Some((list, step)) => &table[list][step],
                None => &table[key],
            };
            assert_eq!(value.as_str(), Some(text), "{}", file.at(number, key));
        }
    }
}

#[test]
fn errors_are_found_with_their_lines() {
    let file = |tag: &str, text: &str| {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned()));
        File { tag: tag.to_owned(), lines: lines.collect() }
    };
    let header = "language = \"X\"\ndirection = \"ltr\"\nchecked = false\n";
    let english = file(
        "en",
        &format!("{header}a = \"One <b>\"\nb = \"%NAME% for IMAP\"\ns.1 = \"S\"\ns.2 = \"T\"\n"),
    );
    for (text, error) in [
        ("a = \"Eins <b>\"", None),
        ("# a comment", None),
        ("s.1 = \"x\"", None),
        ("a = \"Eins\"", Some("4: `a`: markup or placeholders differ from en.toml")),
        ("a = \"Eins <i>\"", Some("4: `a`: markup or placeholders differ from en.toml")),
        ("b = \"für IMAP\"", Some("4: `b`: markup or placeholders differ from en.toml")),
        ("b = \"%NAME% für POP3\"", Some("4: `b`: IMAP is missing")),
        ("c = \"x\"", Some("4: `c` is not a key of en.toml")),
        ("s.3 = \"x\"", Some("4: `s.3` is not a key of en.toml")),
        ("s.1 = \"x\"\ns.1 = \"x\"", Some("5: `s.1` is there twice")),
        ("s.1 = \"\"", Some("4: expected `key = \"text\"`")),
        ("s.1 = \"x\\n\"", Some("4: expected `key = \"text\"`")),
        ("s.1 = 'x'", Some("4: expected `key = \"text\"`")),
        ("s.1 = \"x", Some("4: expected `key = \"text\"`")),
        ("s.1 = \"x\u{202e}y\"", Some("4: U+202E is not visible")),
    ] {
        let found = errors(&file("xx", &format!("{header}{text}\n")), &english);
        match error {
            None => assert!(found.is_empty(), "{text}: {found:?}"),
            Some(error) => {
                let expected = format!("{FOLDER}/xx.toml:{error}");
                assert!(found.len() == 1 && found[0].starts_with(&expected), "{text}: {found:?}");
            }
        }
    }
    let found = errors(&file("xx", "direction = \"up\"\nchecked = true\n"), &english);
    let expected = ["language", "direction"]
        .map(|key| format!("{FOLDER}/xx.toml:1: `{key}` is missing or wrong"));
    assert_eq!(found, expected);
    let partly = file("xx", &format!("{header}a = \"Eins <b>\"\ns.2 = \"T\"\n"));
    assert_eq!(missing(&partly, &english), ["b", "s.1"]);
}

/// Every file is part of the program, and the page has its texts, in its direction.
#[test]
fn every_file_is_spoken() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("config.toml", "log.requests = false\n");
    let english = english();
    for file in all() {
        let request = Request::get("/?emailaddress=ann@example.org")
            .host("autoconfig.example.org")
            .header("Accept-Language", format!("{}-x-any, en;q=0.5", file.tag));
        let answer = cgi::send(&program(), &request, &[("MAILSETUP_CONFIG", config.as_os_str())]);
        let page = answer.expect("a page").text();
        let html = format!("<html lang=\"{}\" dir=\"{}\">", file.tag, file.header("direction"));
        assert!(page.contains(&html), "{html}: {page}");
        let lacks = missing(&file, &english);
        let mut found = 0;
        for (_, key, text) in file
            .texts()
            .chain(english.texts().filter(|(_, key, _)| lacks.iter().any(|lacking| lacking == key)))
        {
            // The other texts are on the other pages, or for settings that are not there.
            let is_here = key.contains("steps.") || key.starts_with("apple") || key == "title";
            let text = text.replace('&', "&amp;");
            assert!(!is_here || page.contains(&text), "{}: {key}: {text}: {page}", file.tag);
            found += usize::from(is_here);
        }
        assert!(found >= 15, "{}: {found} texts", file.tag);
    }
}

/// The table of languages in docs/translating.md, with the keys that each lacks.
#[test]
fn the_table_of_languages_is_up_to_date() {
    let english = english();
    let mut table =
        "| language | file | direction | checked by a native speaker | missing texts |\n\
         |---|---|---|---|---|\n"
            .to_owned();
    for file in all() {
        let missing = missing(&file, &english);
        for key in &missing {
            println!("{FOLDER}/{}.toml: {key} is missing; the page has the English text", file.tag);
        }
        let missing: Vec<_> = missing.iter().map(|key| format!("`{key}`")).collect();
        let checked = match (file.tag.as_str(), file.header("checked")) {
            ("en", _) => "the original",
            (_, "true") => "yes",
            _ => "not yet",
        };
        writeln!(
            table,
            "| {} | `{}.toml` | {} | {checked} | {} |",
            file.header("language"),
            file.tag,
            match file.header("direction") {
                "rtl" => "right to left",
                _ => "left to right",
            },
            if missing.is_empty() { "none".to_owned() } else { missing.join(", ") },
        )
        .expect("memory");
    }
    let path = source("docs/translating.md");
    let text = fs::read_to_string(&path).expect("docs/translating.md");
    let start = text.find("| language | file |").expect("a table");
    let end = text[start..].find("\n\n").map_or(text.len(), |end| start + end + 1);
    let new = format!("{}{table}{}", &text[..start], &text[end..]);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, new).expect("docs/translating.md");
    } else {
        let hint = "run make languages";
        assert_eq!(text, new, "{hint}");
    }
}
