//! A document in XML inside of a file, and how its values get into a draft.
//!
//! The file may be the document itself, or have text around it: a script of a shell, a configuration of
//! a web server. What is the same for all documents is here: protection and port that do not fit
//! together, logins that are written as placeholders of other programs, values that are not known.

use super::entries::{MAX_READ, beginning};
use super::marked::{is_marked, shown};
use crate::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security};
use crate::draft::{
    Draft, Note, NoteKind, Noted, Place, Server, Value, is_secret, is_secret_name,
    value_without_secrets, without_secrets,
};
use crate::order;
use crate::ports;
use crate::xml::tree::{self, Element, LineCount, Lines, Tree};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::Range;

/// The domain of the address.
pub(super) const EMAIL_DOMAIN: &str = "%EMAILDOMAIN%";
/// What follows from other identifiers in profiles.
pub(super) const NEW_IDENTIFIERS: &str =
    "a device with a new profile has the account twice until the old profile is removed";
/// Longest file, in bytes.
const MAX_FILE: usize = 4 * 1024 * 1024;
/// Longest value in a message, in characters.
const MAX_SHOWN: usize = 100;
/// Most notes about unknown elements of one document.
const MAX_UNKNOWN: usize = 20;

/// The beginnings and ends of documents.
pub(super) const DOCUMENTS: [(&str, &str); 3] = [
    ("<clientConfig", "</clientConfig"),
    ("<Autodiscover", "</Autodiscover"),
    ("<plist", "</plist"),
];

/// The length of a document that begins here, with its end tag; none if it does not end.
pub(super) fn len(text: &str, end: &str) -> Option<usize> {
    let end = text.find(end)? + end.len();
    Some(end + text[end..].find('>')? + 1)
}

/// A document.
pub(super) struct Part<'a> {
    /// The name of the file.
    pub(super) source: &'a str,
    /// The document.
    pub(super) text: &'a str,
    /// The lines of its parts in the file.
    pub(super) lines: &'a mut dyn Lines,
}

impl Part<'_> {
    /// The document as a tree; the error is a message.
    pub(super) fn tree(&mut self) -> Result<Tree, String> {
        let tree = tree::tree_of(self.text, self.lines);
        tree.map_err(|(error, line)| format!("{error} (line {line})"))
    }
}

/// The text of a file: UTF-8, UTF-16 or ISO-8859-1.
pub(super) fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    if bytes.len() > MAX_FILE {
        return Err("the file is larger than 4 MiB".to_owned());
    }
    let (text, _) = tree::decode(bytes).map_err(|_| "the file is not text".to_owned())?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => text,
    })
}

/// Finds the document that begins with `start` in a text, and passes it on.
pub(super) fn found<T>(
    source: &str,
    text: &str,
    start: &str,
    read: impl FnOnce(Part) -> Result<T, String>,
) -> Result<T, String> {
    let end = DOCUMENTS.iter().find(|(known, _)| *known == start).map_or("", |(_, end)| end);
    let begin = text.find(start);
    let (Some(begin), false) = (begin, is_whole(&text[..begin.unwrap_or(0)])) else {
        return read(Part { source, text, lines: &mut LineCount::new(text) });
    };
    let len = len(&text[begin..], end).unwrap_or(text.len() - begin);
    let first = text[..begin].bytes().filter(|byte| *byte == b'\n').count();
    inside(source, text, begin..begin + len, first, read)
}

/// True if a document with this text before it is the whole file.
pub(super) fn is_whole(before: &str) -> bool {
    before.trim_start().is_empty() || before.trim_start().starts_with('<')
}

/// Passes a document on that stands in a text, behind so many lines.
pub(super) fn inside<T>(
    source: &str,
    text: &str,
    range: Range<usize>,
    first: usize,
    read: impl FnOnce(Part) -> Result<T, String>,
) -> Result<T, String> {
    let document = &text[range.clone()];
    // In a string of another language, quotes are escaped.
    let document = match document.contains("=\\\"") {
        true => Cow::Owned(document.replace("\\\"", "\"")),
        false => Cow::Borrowed(document),
    };
    let text = filled_in(&document, &text[..range.start]);
    let mut lines = Later { count: LineCount::new(&text), first };
    read(Part { source, text: &text, lines: &mut lines })
}

/// Fills in the variables of a shell that stand before the document: `server=mail.example.org`.
fn filled_in(document: &str, before: &str) -> String {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let mut variables = BTreeMap::new();
    for line in before.lines() {
        let line = line.trim();
        let line = ["export ", "local ", "readonly "]
            .iter()
            .find_map(|word| line.strip_prefix(word))
            .unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = value.trim_matches(['"', '\'']);
        if is_name(name)
            && !is_secret_name(name)
            && !value.contains(['$', '`', ' ', '<', '&', '"', '\'', '('])
        {
            variables.insert(name, value);
        }
    }
    if variables.is_empty() {
        return document.to_owned();
    }
    let mut parts = document.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{').and_then(|part| part.split_once('}')) {
            Some((name, rest)) => (name, rest),
            None => {
                let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                part.split_at(part.find(|c| !of_name(c)).unwrap_or(part.len()))
            }
        };
        match variables.get(name) {
            Some(value) => {
                text += value;
                text += rest;
            }
            None => {
                text.push('$');
                text += part;
            }
        }
    }
    text
}

/// Lines of a document that begins in a later line of the file.
struct Later<'a> {
    count: LineCount<'a>,
    first: usize,
}

impl Lines for Later<'_> {
    fn line(&mut self, offset: usize) -> usize {
        self.count.line(offset) + self.first
    }
}

//------------ Carrier --------------------------------------------------------

/// Puts the values of a document into a draft.
pub(super) struct Carrier<'a> {
    source: &'a str,
    /// The draft.
    pub(super) draft: Draft,
    /// The address that the document was made for, if it has one.
    pub(super) address: Option<String>,
    /// Servers that were said to have no protection, by their index in the draft.
    plain: Vec<usize>,
    /// How many unknown elements there are, and the line of the last one.
    unknown: usize,
    last_unknown: usize,
}

impl<'a> Carrier<'a> {
    /// Has nothing yet.
    pub(super) fn new(source: &'a str) -> Carrier<'a> {
        Carrier {
            source,
            draft: Draft::default(),
            address: None,
            plain: Vec::new(),
            unknown: 0,
            last_unknown: 0,
        }
    }

    /// A line of the file.
    pub(super) fn place(&self, line: usize) -> Place {
        Place::line(self.source, line)
    }

    /// Notes something that is left out.
    pub(super) fn not_carried(&mut self, line: usize, text: impl Into<String>) {
        self.note(NoteKind::NotCarried, line, text);
    }

    /// Notes something that is not as it should be.
    pub(super) fn warn(&mut self, line: usize, text: impl Into<String>) {
        self.note(NoteKind::Warning, line, text);
    }

    /// Notes what to do, or what is not known.
    pub(super) fn hint(&mut self, line: usize, text: impl Into<String>) {
        self.note(NoteKind::Hint, line, text);
    }

    /// Adds a note. Anything of a document may be marked as not known, also the name of an element.
    fn note(&mut self, kind: NoteKind, line: usize, text: impl Into<String>) {
        let place = self.place(line);
        self.draft.note(kind, Some(place), shown(&text.into()));
    }

    /// Notes an element that is not known, with its text.
    pub(super) fn unknown(&mut self, element: &Element) {
        self.unknown += 1;
        match self.unknown {
            ..=MAX_UNKNOWN => {
                let text = format!("unknown element {}", described(&element.name, &text(element)));
                self.not_carried(element.line, text);
            }
            _ => self.last_unknown = element.line,
        }
    }

    /// The text of an element, if all of it is known and it is not empty; else there is a note.
    pub(super) fn known(&mut self, element: &Element) -> Option<String> {
        self.known_text(element.line, &element.name, text(element))
    }

    /// The same for any text.
    pub(super) fn known_text(&mut self, line: usize, name: &str, text: String) -> Option<String> {
        // A template that something else fills in.
        let is_open = ["${", "{{", "{%", "@@"].iter().any(|sign| text.contains(sign))
            || text.starts_with('$') && text.len() > 1
            || has_placeholder(&text);
        if is_marked(&text) || is_open && placeholder(&text).is_none() {
            let text = shortened(&shown(&text));
            self.not_carried(line, format!("{name}: {text} is not known"));
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// A value that is carried over as it is.
    pub(super) fn seen<T>(&self, line: usize, value: T) -> Noted<T> {
        Noted::seen(value, self.place(line), "")
    }

    /// A value that is written in another way: `name` and `text` are those of the document.
    pub(super) fn translated<T>(&self, line: usize, value: T, name: &str, text: &str) -> Noted<T> {
        Noted::seen(value, self.place(line), described(name, text))
    }

    /// Sets a key.
    pub(super) fn set(&mut self, key: &'static str, line: usize, value: impl Into<Value>) {
        let value = self.seen(line, value.into());
        self.put(key, line, value);
    }

    /// Sets a key; a second value that differs is noted.
    pub(super) fn put(&mut self, key: &'static str, line: usize, value: Noted<Value>) {
        let other = value.value.clone();
        let known = self.draft.top.set(key, value).map(|known| known.value.clone());
        if let Some(known) = known.filter(|known| *known != other) {
            let text = match is_secret_name(key) {
                true => format!("{key}: the first of two values counts"),
                false => {
                    let (known, other) = (in_words(&known), in_words(&other));
                    format!("{key}: {other}; the first value counts: {known}")
                }
            };
            self.not_carried(line, text);
        }
    }

    /// Sets the URL of a service. The address cannot be in it: the URL ends before.
    pub(super) fn set_url(&mut self, key: &'static str, line: usize, url: &str) {
        let of_mailbox = [EMAIL_ADDRESS, EMAIL_LOCAL_PART];
        let mailbox = self.address.clone();
        let mailbox = mailbox.iter().map(String::as_str).chain(of_mailbox);
        let Some(at) = mailbox.filter_map(|text| url.find(text)).min() else {
            return self.set(key, line, url);
        };
        let rest = url.get("https://".len()..at).unwrap_or_default();
        let (Some(end), true) = (url[..at].rfind('/'), rest.contains('/')) else {
            return self.not_carried(line, format!("{key}: {}", shortened(url)));
        };
        let reason = format!(
            "{}: {} ends before the mailbox; clients find the rest",
            self.place(line),
            shortened(url)
        );
        self.put(key, line, Noted::assumed(Value::from(&url[..=end]), reason));
    }

    /// Notes for which mailbox the document was made; its domain is named.
    pub(super) fn address(&mut self, line: usize, address: String) {
        if let Some((_, domain)) = address.rsplit_once('@') {
            let name = domain.to_ascii_lowercase();
            let name = self.translated(line, name, "the document is for", &address);
            self.draft.domain(name);
        }
        self.address = Some(address);
    }

    /// Names a domain.
    pub(super) fn domain(&mut self, line: usize, name: &str) {
        let name = self.seen(line, name.to_ascii_lowercase());
        self.draft.domain(name);
    }

    /// Adds a server; what was said of its protection is judged by its port.
    pub(super) fn add(&mut self, mut server: Server, said: Option<Said>) {
        if let Some(said) = said {
            server.security = Some(self.protection(&server, &said));
            if said.security == Security::Plain {
                self.plain.push(self.draft.top.servers.len());
            }
        }
        self.draft.top.servers.push(server);
    }

    /// The draft.
    pub(super) fn finish(mut self) -> Draft {
        let servers = std::mem::take(&mut self.draft.top.servers);
        let is_known = |server: &Server| {
            server.port.as_ref().is_some_and(|port| port.origin.place().is_some())
        };
        let is_protected = |at: usize| !self.plain.contains(&at);
        let has_other = |protocol: Protocol| {
            let mut all = servers.iter().enumerate();
            all.any(|(at, server)| server.protocol == protocol && is_protected(at))
        };
        let why = |(at, server): (usize, &Server)| {
            let mut others = servers.iter().filter(|other| other.protocol == server.protocol);
            if !is_protected(at) && has_other(server.protocol) {
                Some("without TLS: another server of the protocol has TLS")
            } else if !is_known(server) && others.any(is_known) {
                Some("without a port: another server of the protocol has one")
            } else {
                None
            }
        };
        let reasons: Vec<_> = servers.iter().enumerate().map(why).collect();
        for (mut server, why) in servers.into_iter().zip(reasons) {
            let Some(why) = why else {
                self.draft.top.servers.push(server);
                continue;
            };
            let line = server.host.as_ref().and_then(|host| host.origin.place()?.line);
            server.security = None;
            server.port = server.port.filter(|port| port.origin.place().is_some());
            self.not_carried(line.unwrap_or(1), format!("{server} {why}"));
        }
        if self.unknown > MAX_UNKNOWN {
            let text = format!("{} more unknown elements up to here", self.unknown - MAX_UNKNOWN);
            self.not_carried(self.last_unknown, text);
        }
        in_order(&mut self.draft.notes);
        self.draft
    }

    /// The protection of a server. A sample that says what a port is not for is not copied.
    fn protection(&mut self, server: &Server, said: &Said) -> Noted<Security> {
        let number = server.port.as_ref().map(|port| port.value);
        let by_port = number.and_then(|port| of_port(server.protocol, port));
        let port = number.map_or_else(|| "its port".to_owned(), |port| format!("port {port}"));
        let Said { security, line, words } = said;
        let name = format!("{}: {words}", server.protocol);
        let (security, reason) = match (security, by_port) {
            (Security::Tls, Some(Security::StartTls)) => (
                Security::StartTls,
                format!(
                    "{name}, but {port} is for STARTTLS; if the server begins with TLS there, \
                         set security = \"tls\""
                ),
            ),
            (Security::StartTls, Some(Security::Tls)) => (
                Security::Tls,
                format!(
                    "{name}, but {port} begins with TLS; if the server has STARTTLS there, set \
                         security = \"starttls\""
                ),
            ),
            (Security::Plain, Some(Security::Tls)) => {
                (Security::Tls, format!("{name}, but {port} begins with TLS"))
            }
            (Security::Plain, _) => (
                Security::StartTls,
                format!(
                    "{name}: passwords without TLS can be read by others, so STARTTLS is assumed; \
                         if the server has no TLS, set security = \"none\""
                ),
            ),
            (security, _) => return self.translated(*line, *security, "", words),
        };
        self.warn(*line, &*reason);
        Noted::assumed(security, reason)
    }

    /// The login of a server or a service, if it can be carried over; `name` is that of its field.
    pub(super) fn login(&mut self, line: usize, name: &str, text: String) -> Option<Noted<String>> {
        let text = self.known_text(line, name, text)?;
        let login = match self.placeholder(&text) {
            Some(login) if login != text => {
                return Some(self.translated(line, login.to_owned(), name, &text));
            }
            _ => text,
        };
        if login == [EMAIL_LOCAL_PART, "@", EMAIL_DOMAIN].concat() {
            return Some(self.translated(line, EMAIL_ADDRESS.to_owned(), name, &login));
        }
        let looks_filled = login.contains(['$', '<']);
        let is_other_placeholder = login.replace("%EMAIL", "").matches('%').count() > 1
            && ![EMAIL_ADDRESS, EMAIL_LOCAL_PART, EMAIL_DOMAIN].iter().any(|it| login.contains(it));
        if looks_filled || is_other_placeholder {
            self.not_carried(line, format!("{name}: {} is not known", shortened(&login)));
            return None;
        }
        if !login.contains("%EMAIL") {
            let text = format!(
                "{name}: every mailbox would log in as {}; the address is assumed as login",
                shortened(&login)
            );
            self.warn(line, text);
            return None;
        }
        Some(self.seen(line, login))
    }

    /// What a text stands for: a placeholder of another program, or the mailbox of the document.
    fn placeholder(&self, text: &str) -> Option<&'static str> {
        if let Some(address) = &self.address {
            let local_part = address.rsplit_once('@').map(|(local_part, _)| local_part);
            if text.eq_ignore_ascii_case(address) {
                return Some(EMAIL_ADDRESS);
            } else if local_part.is_some_and(|part| text.eq_ignore_ascii_case(part)) {
                return Some(EMAIL_LOCAL_PART);
            }
        }
        placeholder(text)
    }
}

/// Puts notes into the order of the lines that they are about.
pub(super) fn in_order(notes: &mut [Note]) {
    let line = |note: &Note| note.place.as_ref().and_then(|place| place.line);
    order::sort_by_key(notes, |note| line(note).unwrap_or(usize::MAX));
}

/// What a document says about the protection of a server.
pub(super) struct Said {
    /// The protection.
    pub(super) security: Security,
    /// Where.
    pub(super) line: usize,
    /// How: `socketType SSL`.
    pub(super) words: String,
}

/// The protection that a port is for. Port 25 is for servers among themselves, with STARTTLS.
fn of_port(protocol: Protocol, port: u16) -> Option<Security> {
    let number = NonZeroU16::new(port)?;
    match (protocol, port) {
        (Protocol::Smtp, 25) => Some(Security::StartTls),
        _ => ports::security_of(protocol, number),
    }
}

/// The placeholder that one of another program or language stands for: `{{email}}`, `$emailaddress`.
pub(super) fn placeholder(text: &str) -> Option<&'static str> {
    let is_around = |c: char| "${}%[]()<>#@_\" ".contains(c);
    if !text.starts_with(is_around) {
        return None;
    }
    let word = text.trim_matches(is_around).trim_start_matches("arg_").to_ascii_lowercase();
    let word: String = word.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    Some(match word.as_str() {
        "email" | "emailaddress" | "mail" | "mailaddress" | "address" | "useremail"
        | "usermail" => EMAIL_ADDRESS,
        "emaillocalpart" | "localpart" | "emaillocal" | "local" | "mailbox" | "emailuser" => {
            EMAIL_LOCAL_PART
        }
        "emaildomain" | "domain" | "maildomain" | "domainname" | "smtpdomain" => EMAIL_DOMAIN,
        _ => return None,
    })
}

/// True for a text with a placeholder that something else fills in: `%IMAP_HOST%`, `{imap_host}`,
/// `__IMAP_HOST__`.
fn has_placeholder(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_/.-".contains(c);
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_of_name)
    };
    // Those of autoconfig documents; a single sign is of a percent-encoded URL.
    let mut of_percents = text.split('%').skip(1).step_by(2);
    let count = text.matches('%').count();
    let is_of_percents = |name: &str| {
        is_name(name) && !name.starts_with("EMAIL") && name.chars().all(|c| !c.is_lowercase())
    };
    let inside = |start, end| text.strip_prefix(start).and_then(|it: &str| it.strip_suffix(end));
    count > 0 && count % 2 == 0 && of_percents.any(is_of_percents)
        || inside("{", "}").is_some_and(is_name)
        || inside("__", "__").is_some_and(is_name)
}

/// `Protocol of type EXCH: mail.example.org`; the place may be empty.
pub(super) fn of_type(name: &str, kind: &str, place: &str) -> String {
    let kind = if kind.is_empty() { "without a type" } else { &*format!("of type {kind}") };
    match place.is_empty() {
        true => format!("{name} {kind}"),
        false => format!("{name} {kind}: {}", shortened(&shown(place))),
    }
}

/// The text of an element, without white space around it.
pub(super) fn text(element: &Element) -> String {
    element.text().trim().to_owned()
}

/// `socketType SSL`, `LoginName is empty`; a secret without its value.
pub(super) fn described(name: &str, text: &str) -> String {
    if is_secret(name, text) {
        return format!("{name} (value not shown)");
    }
    let text = shortened(&value_without_secrets(&shown(beginning(text, MAX_READ))));
    match (name.is_empty(), text.is_empty()) {
        (true, _) => text,
        (false, true) => format!("{name} is empty"),
        (false, false) => format!("{name} {text}"),
    }
}

/// A value in a message. Secrets are taken out before: of a part, they are not known.
pub(super) fn shortened(text: &str) -> String {
    let text: Vec<_> = beginning(text, MAX_READ).split_whitespace().collect();
    let text = text.join(" ");
    let text = without_secrets(&text).into_owned();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Text(text) => shortened(text),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Texts(texts) => shortened(&texts.values().cloned().collect::<Vec<_>>().join("; ")),
        Value::Pages(pages) => {
            let urls: Vec<_> = pages.iter().map(|(url, _)| url.as_str()).collect();
            shortened(&urls.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_other_programs_are_found() {
        for text in ["%IMAP_HOST%", "%SERVER/IMAP/HOST%", "imap.%DOMAIN%", "{host}", "__HOST__"] {
            assert!(has_placeholder(text), "{text}");
        }
        let others =
            ["%EMAILADDRESS%", "mail.%EMAILDOMAIN%", "100%", "a%20b%20c", "{}", "{a b}", "__"];
        for text in others {
            assert!(!has_placeholder(text), "{text}");
        }
    }
}
