//! `contrib/config.example.toml`: the frame `config.example.toml.in`, in which a line `@imap@`
//! stands for the table of that name, and `@domain@` for the keys that only a domain has.

use super::source::{Doc, Key, Source, literal, pieces};
use mailsetup::config::file::DOMAIN_ONLY;

/// The longest line of a comment, in characters.
const WIDTH: usize = 100;

/// The example.
pub fn write(source: &Source, frame: &str) -> String {
    let mut text = String::new();
    for line in frame.lines() {
        match line.strip_prefix('@').and_then(|line| line.strip_suffix('@')) {
            Some("domain") => domain(source, &mut text),
            Some(name) => table(source, source.table(name), &mut text),
            None => text = format!("{text}{line}\n"),
        }
    }
    text.trim_end().to_owned() + "\n"
}

fn table(source: &Source, table: &Key, text: &mut String) {
    let mut about = table.doc.paragraphs[0].clone();
    if let Some(first) = source.first(table) {
        about = format!("{about} The keys are those of [{}].", first.name);
    }
    *text += &format!("{}[{}]\n\n", comment(&about), table.name);
    for key in source.keys(table) {
        let path = [table.name.as_str(), key.name.as_str()];
        if DOMAIN_ONLY.contains(&&path[..]) {
            continue;
        }
        let example = key.doc.row(&table.name, "Example").or(key.doc.block.as_deref());
        match example {
            Some(example) => *text += &setting(&about_key(source, key, table, example), example),
            // It is shown in the table with the same keys.
            None => assert!(source.first(table).is_some(), "{} has no example", path.join(".")),
        }
    }
}

/// The comment in the example about a key.
fn about_key(source: &Source, key: &Key, table: &Key, example: &str) -> String {
    let mut about = match source.first(table) {
        Some(first) if source.keys(first).iter().any(|it| it.name == key.name) => {
            let own = key.doc.own_row(&table.name, "").map(|own| format!(" {own}"));
            format!("As in [{}].{}", first.name, own.unwrap_or_default())
        }
        _ => source.text(key, &table.name),
    };
    if let Some(default) = key.doc.row(&table.name, "Default") {
        // A default that is shown need not be described.
        let is_shown = literal(default).is_some_and(|it| example == format!("{} = {it}", key.name))
            && default.matches('`').count() == 2;
        if !is_shown {
            about = format!("{about} Default: {default}.");
        }
    }
    about
}

fn domain(source: &Source, text: &mut String) {
    let block = |doc: &Doc| doc.block.clone().expect("an example");
    *text += &setting(&source.domain.paragraphs[0], &block(&source.domain));
    for key in &source.structs["Tables"] {
        let own = match DOMAIN_ONLY.contains(&&[key.name.as_str()][..]) {
            true => vec![key],
            false => source.keys(key),
        };
        for own in own {
            let is_own = own.name == key.name
                || DOMAIN_ONLY.contains(&&[key.name.as_str(), own.name.as_str()][..]);
            if is_own {
                let about = about_key(source, own, key, "");
                *text += &setting(&about, &block(&own.doc));
            }
        }
    }
}

/// A comment, and a setting that is commented out.
fn setting(about: &str, example: &str) -> String {
    let lines: String = example.lines().map(|line| format!("#{line}\n")).collect();
    format!("{}{lines}\n", comment(about))
}

/// A text in lines of a comment, without its marks except those of commands.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = "#".to_owned();
    for word in pieces(text) {
        let word = match word.starts_with("`mailsetup ") {
            true => word,
            false => word.replace('`', ""),
        };
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines = format!("{lines}{line}\n");
            line = "#".to_owned();
        }
        line = format!("{line} {word}");
    }
    format!("{lines}{line}\n")
}
