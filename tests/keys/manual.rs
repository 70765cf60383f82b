//! `man/mailsetup.toml.5`: the frame `mailsetup.toml.5.in`, in which a line `@imap@` stands for the
//! section of the table of that name, and `@domain@` for that of a domain. In mdoc(7).

use super::source::{Key, Shape, Source, pieces, value};
use mailsetup::config::file::{DOMAIN_ONLY, TOP_ONLY, placeholders};

/// The page.
pub fn write(source: &Source, frame: &str) -> String {
    let mut text = String::new();
    for line in frame.lines() {
        match line.strip_prefix('@').and_then(|line| line.strip_suffix('@')) {
            Some("domain") => domain(source, &mut text),
            Some(name) => table(source, source.table(name), &mut text),
            None => text = format!("{text}{line}\n"),
        }
    }
    text
}

fn table(source: &Source, table: &Key, text: &mut String) {
    *text += &format!(".Ss [{}]\\&\n", table.name);
    let first = source.first(table);
    let mut paragraphs = table.doc.paragraphs.clone();
    // Keys that are as in the first table are not described again.
    let keys = source.keys(table).into_iter();
    let keys: Vec<_> = keys.filter(|key| first.is_none() || is_own(key, &table.name)).collect();
    if let Some(first) = first {
        let but = if keys.is_empty() { "." } else { ", with these differences:" };
        paragraphs[0] += &format!(" Keys and defaults are those of `[{}]`{but}", first.name);
    }
    *text += &prose(&paragraphs);
    if keys.is_empty() {
        return;
    }
    *text += ".Bl -tag -width Ds\n";
    for key in keys {
        let path = [table.name.as_str(), key.name.as_str()];
        if !DOMAIN_ONLY.contains(&&path[..]) {
            entry(source, key, &path, &key.name, first.is_some(), text);
        }
    }
    *text += ".El\n";
}

/// True if a key has a description for this table alone.
fn is_own(key: &Key, table: &str) -> bool {
    ["", "Default", "Tables"].iter().any(|name| key.doc.own_row(table, name).is_some())
}

fn domain(source: &Source, text: &mut String) {
    *text += ".Ss [domain.\\(dqNAME\\(dq]\\&\n";
    *text += &prose(&source.domain.paragraphs);
    *text += ".Bl -tag -width Ds\n";
    let mut tables = Vec::new();
    for key in &source.structs["Tables"] {
        if let Shape::Table(_) = key.shape {
            tables.push(key.name.clone());
            for own in source.keys(key) {
                let path = [key.name.as_str(), own.name.as_str()];
                if DOMAIN_ONLY.contains(&&path[..]) {
                    entry(source, own, &path, &path.join("."), false, text);
                }
            }
        } else {
            entry(source, key, &[&key.name], &key.name, false, text);
        }
    }
    tables.sort();
    let not = TOP_ONLY.map(|path| format!("`{}`", path.join("."))).join(" and ");
    let about = format!("As at the top, without {not}, which hold for all domains.");
    *text += &format!(".It Cm {} No (tables)\n{}.El\n", tables.join(" , "), prose(&[about]));
}

fn entry(
    source: &Source,
    key: &Key,
    path: &[&str],
    name: &str,
    is_different: bool,
    text: &mut String,
) {
    let table = path[0];
    *text += &format!(".It Cm {name} No ({})\n", kind(key));
    let mut said: Vec<String> = Vec::new();
    if is_different && key.doc.own_row(table, "Tables").is_none() {
        said.extend(key.doc.own_row(table, "").map(str::to_owned));
    } else {
        said.push(source.text(key, table));
        said.extend(key.doc.paragraphs[1..].iter().map(|text| source.fill(text, key, table)));
        // For a list of tables, they are described at its keys.
        said.extend(placeholder_text(path).filter(|_| !matches!(key.shape, Shape::Tables(_))));
    }
    // For a table at the top, its own text describes when.
    let is_required = path.len() > 2 && key.doc.row(table, "Required").is_some();
    said.extend(is_required.then(|| "Required.".to_owned()));
    said.extend(key.doc.row(table, "Needs").map(|other| format!("Needs `{other}`.")));
    said.extend(key.doc.row(table, "Default").map(|default| format!("Default: {default}.")));
    // One paragraph: white space within an entry looks like the next entry.
    *text += &prose(&[said.join(" ")]);
    if let Shape::Tables(_) = key.shape {
        for inner in source.keys(key) {
            let path = [path, &[inner.name.as_str()]].concat();
            entry(source, inner, &path, &format!("{name}.{}", inner.name), false, text);
        }
    }
}

fn placeholder_text(path: &[&str]) -> Option<String> {
    let known: Vec<_> = placeholders(path).iter().map(|name| format!("`{name}`")).collect();
    match known.as_slice() {
        [] => None,
        [only] => Some(format!("May contain {only}.")),
        [first @ .., last] => Some(format!("May contain {} and {last}.", first.join(", "))),
    }
}

fn kind(key: &Key) -> String {
    let text = value(key).0;
    match &key.shape {
        Shape::Flag => "true or false".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Text => text.to_owned(),
        Shape::TextByLanguage => "texts by language".to_owned(),
        Shape::Word(_) => "text".to_owned(),
        Shape::WordOrWords(_) => "text, or a list of texts".to_owned(),
        Shape::Texts => format!("list of {text}s"),
        Shape::Table(_) => "table".to_owned(),
        Shape::Tables(_) => "list of tables".to_owned(),
    }
}

//------------ mdoc -----------------------------------------------------------

/// Paragraphs: a line for each sentence, and one for each macro.
fn prose(paragraphs: &[String]) -> String {
    let texts: Vec<_> = paragraphs.iter().map(|text| paragraph(text)).collect();
    texts.join(".Pp\n")
}

fn paragraph(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in &pieces(text) {
        if let Some(call) = call(word) {
            lines.extend(Some(std::mem::take(&mut line)).filter(|line| !line.is_empty()));
            lines.push(call);
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
        if word.ends_with('.') || line.len() > 72 {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.extend(Some(line).filter(|line| !line.is_empty()));
    lines.iter().fold(String::new(), |text, line| format!("{text}{line}\n"))
}

/// The macro for a word, if it is not plain text.
fn call(word: &str) -> Option<String> {
    let (before, code, after) = marked(word)?;
    let name = match code.strip_prefix("mailsetup ") {
        Some(command) => format!("Nm mailsetup Cm {command}"),
        None => code,
    };
    // Closing signs are separate words.
    let after: String = after.chars().map(|c| format!(" {c}")).collect();
    Some(match before {
        "" => format!(".{name}{after}"),
        before => format!(".Pf {before} {name}{after}"),
    })
}

/// A word as the text before, the macro, and the text after.
fn marked(word: &str) -> Option<(&str, String, &str)> {
    let mark = match word.starts_with('*') {
        true => Some((0, "*")),
        false => word.find('`').map(|at| (at, "`")),
    };
    if let Some((at, mark)) = mark {
        if let Some((inside, after)) = word[at + 1..].split_once(mark) {
            let macros = match (mark, inside) {
                ("*", _) => format!("Sx {inside}"),
                (_, table) if table.starts_with('[') && !table.contains('"') => {
                    format!("Sx {table}\\&")
                }
                (_, domain) if domain.starts_with("[domain.") => {
                    "Sx [domain.\\(dqNAME\\(dq]\\&".to_owned()
                }
                (_, command) if command.starts_with("mailsetup ") => command.to_owned(),
                (_, key) if key.bytes().all(|b| b.is_ascii_lowercase() || b"_.".contains(&b)) => {
                    format!("Cm {key}")
                }
                (_, code) => {
                    let code = code.replace('"', "\\(dq");
                    match code.contains(' ') {
                        true => format!("Li \"{code}\""),
                        false => format!("Li {code}"),
                    }
                }
            };
            return Some((&word[..at], macros, after));
        }
    }
    // A manual page, as systemd(1).
    let (name, rest) = word.split_once('(')?;
    let (section, after) = rest.split_once(')')?;
    let is_page = section.len() == 1 && section.bytes().all(|b| b.is_ascii_digit());
    (is_page && !name.is_empty()).then(|| ("", format!("Xr {name} {section}"), after))
}
