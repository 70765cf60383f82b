//! Writes a draft as a configuration in TOML, with a comment above each value that says why it is
//! this one.
//!
//! A comment is written once for values that follow each other and have the same origin. What is not
//! in the configuration is named at the end.

use super::comment::comment;
use super::model::{Draft, Server, Settings, Value, security_word};
use super::place::{Note, NoteKind, Noted, Origin};
use crate::account::{Auth, Protocol};
use crate::visible::replaced;
use std::collections::BTreeMap;

/// The tables in the order of the example.
const TABLES: [&str; 16] = [
    "provider",
    "imap",
    "pop3",
    "smtp",
    "managesieve",
    "caldav",
    "carddav",
    "webdav",
    "jmap",
    "activesync",
    "oauth2",
    "autodiscover",
    "pacc",
    "apple",
    "page",
    "login",
];

/// The tables of servers.
pub(super) const SERVERS: [Protocol; 4] =
    [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve];

/// Most notes at the end of a file.
const MAX_NOTES: usize = 100;

/// The configuration.
pub fn write(draft: &Draft) -> String {
    let mut text = String::new();
    for line in &draft.heading {
        text += &comment(line, "");
    }
    for table in TABLES {
        let lines = lines(&draft.top, table, None);
        if !lines.is_empty() {
            text += &format!("\n[{table}]\n{}", written(&lines, ""));
        }
    }
    let domains = lines(&draft.top, "domains", None);
    if !draft.list_files.is_empty() || !domains.is_empty() {
        text += &format!("\n[domains]\n{}{}", written(&domains, ""), list_files(&draft.list_files));
        text += &list_to_make(draft, "");
    } else {
        text += &list_to_make(draft, "#[domains]\n");
        if let Some(why) = draft.without_domains.filter(|_| draft.domains.is_empty()) {
            text += &format!("\n{}#[domain.\"example.org\"]\n", comment(why, ""));
        }
    }
    let mut before = None;
    for (name, settings) in &draft.domains {
        text += "\n";
        text += &origin(&name.origin, &mut before, "");
        text += &format!("[domain.{}]\n", quoted(&name.value));
        if let Some(target) = settings.value("alias_of") {
            text += &written(&[Line::of("alias_of", target)], "");
        }
        for table in TABLES {
            text += &written(&lines(settings, table, Some(&draft.top)), &format!("{table}."));
        }
    }
    text + &notes(&draft.notes)
}

/// The key with the lists.
fn list_files(files: &[Noted<String>]) -> String {
    let mut before = None;
    let comments: String = files.iter().map(|file| origin(&file.origin, &mut before, "")).collect();
    let names: Vec<_> = files.iter().map(|file| quoted(&file.value)).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("{comments}list_files = [{}]\n", names.join(", ")),
    }
}

/// The key with a list that does not exist yet, as a comment behind `table`.
fn list_to_make(draft: &Draft, table: &str) -> String {
    let Some(list) = &draft.list_to_make else { return String::new() };
    let files = draft.list_files.iter().map(|file| &file.value).chain([list]);
    let names: Vec<_> = files.map(|file| quoted(file)).collect();
    let before = if table.is_empty() { "" } else { "\n" };
    // Two lines with the same key are an error.
    let text = match draft.list_files.is_empty() {
        true if table.is_empty() => {
            "When the list is made, see below, remove the # of the next line:"
        }
        true => "When the list is made, see below, remove the # of the next two lines:",
        false => "When the list is made, see below, write this in place of the line above:",
    };
    let comment = comment(text, "");
    format!("{before}{comment}{table}#list_files = [{}]\n", names.join(", "))
}

/// A key with its value.
struct Line<'a> {
    /// A comment that has no other form; empty if `origin` says all.
    comment: &'static str,
    origin: Option<&'a Origin>,
    key: &'a str,
    value: String,
}

impl<'a> Line<'a> {
    fn of(key: &'a str, value: &'a Noted<Value>) -> Line<'a> {
        Line::new(key, &value.origin, toml(&value.value))
    }

    fn new(key: &'a str, origin: &'a Origin, value: String) -> Line<'a> {
        Line { comment: "", origin: Some(origin), key, value }
    }
}

/// The lines of a table. The settings of a domain have those at the top behind them.
fn lines<'a>(settings: &'a Settings, table: &str, top: Option<&Settings>) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let values = settings.values.iter().filter_map(|(key, value)| {
        let (its_table, key) = key.split_once('.')?;
        (its_table == table).then_some((key, value))
    });
    let values: Vec<_> = values.collect();
    let Some(protocol) = SERVERS.into_iter().find(|it| it.to_string() == table) else {
        return values.into_iter().map(|(key, value)| Line::of(key, value)).collect();
    };
    let mut servers = settings.of(protocol);
    let is_set = |key| values.iter().any(|(known, _)| *known == key);
    match servers.next() {
        Some(first) => {
            // It is off unless it is switched on, here or at the top.
            let is_off_at_top = protocol.is_incoming()
                && top.is_some_and(|top| top.has_incoming() && top.of(protocol).next().is_none());
            let is_off = protocol == Protocol::ManageSieve || is_off_at_top;
            if is_off && !is_set("enabled") {
                // An assumed name does not say that the server is on; its port does.
                let of_port = first.port.as_ref().map(|port| &port.origin);
                let mut origins = [first.origin(), of_port].into_iter().flatten();
                let seen = origins.find(|origin| origin.place().is_some());
                lines.push(Line {
                    comment: "",
                    origin: seen.or_else(|| first.origin()),
                    key: "enabled",
                    value: "true".to_owned(),
                });
            }
            place(first, &mut lines);
            if let Some(auth) = &first.auth {
                lines.push(Line::new("auth", &auth.origin, methods(&auth.value)));
            }
            if let Some(username) = &first.username {
                lines.push(Line::new("username", &username.origin, quoted(&username.value)));
            }
            let others: Vec<_> = servers.collect();
            if !others.is_empty() {
                lines.push(Line {
                    comment: "",
                    origin: others[0].origin(),
                    key: "alternatives",
                    value: alternatives(&others),
                });
            }
        }
        // One of IMAP and POP3 must be enabled.
        None if protocol.is_incoming() && settings.has_incoming() && !is_set("enabled") => {
            lines.push(Line {
                comment: "No such server was seen.",
                origin: None,
                key: "enabled",
                value: "false".to_owned(),
            });
        }
        None => {}
    }
    lines.extend(values.into_iter().map(|(key, value)| Line::of(key, value)));
    lines
}

/// The lines for the place of a server.
fn place<'a>(server: &'a Server, lines: &mut Vec<Line<'a>>) {
    if let Some(host) = &server.host {
        lines.push(Line::new("host", &host.origin, quoted(&host.value)));
    }
    if let Some(port) = &server.port {
        lines.push(Line::new("port", &port.origin, port.value.to_string()));
    }
    if let Some(security) = &server.security {
        let word = quoted(security_word(security.value));
        lines.push(Line::new("security", &security.origin, word));
    }
}

/// The further servers, a line each with its origin behind it.
fn alternatives(others: &[&Server]) -> String {
    let rows = others.iter().map(|server| {
        let mut keys = Vec::new();
        place(server, &mut keys);
        let keys: Vec<_> =
            keys.iter().map(|line| format!("{} = {}", line.key, line.value)).collect();
        format!("  {{ {} }},\n", keys.join(", "))
    });
    // Each has its comment above it, but the first: its comment is above the key.
    let mut before = others.first().and_then(|server| server.origin());
    let comments = others.iter().map(|server| match server.origin() {
        Some(its) => origin(its, &mut before, "  "),
        None => String::new(),
    });
    let rows: String = comments.zip(rows).flat_map(|(comment, row)| [comment, row]).collect();
    format!("[\n{rows}]")
}

/// Lines with their comments; each key has `prefix` before it.
fn written(lines: &[Line], prefix: &str) -> String {
    let mut text = String::new();
    let mut before = None;
    for line in lines {
        if !line.comment.is_empty() {
            text += &comment(line.comment, "");
        }
        if let Some(its) = line.origin {
            text += &origin(its, &mut before, "");
        }
        text += &format!("{prefix}{} = {}\n", line.key, line.value);
    }
    text
}

/// The comment about an origin, unless the one before has the same.
fn origin<'a>(of: &'a Origin, before: &mut Option<&'a Origin>, indent: &str) -> String {
    if before.replace(of) == Some(of) {
        return String::new();
    }
    comment(&of.to_string(), indent)
}

/// What is not in the configuration.
fn notes(notes: &[Note]) -> String {
    let wanted = |note: &&Note| note.kind != NoteKind::Hint;
    let count = notes.iter().filter(wanted).count();
    let mut text = String::new();
    for note in notes.iter().filter(wanted).take(MAX_NOTES) {
        text += &comment(&note.to_string(), "");
    }
    if count > MAX_NOTES {
        text += &comment(&format!("and {} more", count - MAX_NOTES), "");
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

pub(super) fn toml(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Texts(texts) => by_language(texts),
        Value::Pages(pages) => {
            let pages = pages.iter().map(|(url, title)| {
                format!("  {{ url = {}, title = {} }},\n", quoted(url), by_language(title))
            });
            format!("[\n{}]", pages.collect::<String>())
        }
    }
}

fn by_language(texts: &BTreeMap<String, String>) -> String {
    let texts =
        texts.iter().map(|(language, text)| format!("{} = {}", quoted(language), quoted(text)));
    format!("{{ {} }}", texts.collect::<Vec<_>>().join(", "))
}

pub(super) fn methods(methods: &[Auth]) -> String {
    let words: Vec<_> = methods.iter().map(|method| quoted(&method.to_string())).collect();
    match &words[..] {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// A basic string of TOML. Its escapes are those of JSON; characters that only TOML escapes are replaced.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(replaced(text)).to_string()
}
