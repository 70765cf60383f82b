//! Keeps what is at the top of a configuration away from domains that do not have it.
//!
//! A domain gets every key that its table does not set from the top. If all settings of a domain were
//! seen, those at the top are not its own: its table says the default for them. For keys without a value
//! that means nothing, such as a URL, the value is moved from the top to the tables of the domains that
//! have it. What can be neither is a warning.

use super::model::{Draft, Server, Settings, Value};
use super::place::{NoteKind, Noted};
use crate::account::{Auth, EMAIL_ADDRESS, Protocol, Security};
use crate::ports;
use std::num::NonZeroU16;

/// Why a value is written that was not seen.
const REASON: &str = "nothing was said for this domain, and this is the default";
/// The most domains that a note names.
const MAX_NAMED: usize = 3;

/// Completes the tables of domains that have nothing from the top.
pub fn separate(draft: &mut Draft) {
    let top = draft.top.clone();
    let whole = |settings: &Settings| settings.is_whole && !settings.is_empty();
    // Keys that cannot be told from a table alone, with the domains that do not have them.
    let mut others: Vec<(&'static str, Vec<String>)> = Vec::new();
    let mut cannot_send = Vec::new();
    for (name, own) in draft.domains.iter_mut().filter(|(_, own)| whole(own)) {
        for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve] {
            servers(own, &top, protocol);
        }
        if own.of(Protocol::Smtp).next().is_none() && top.of(Protocol::Smtp).next().is_some() {
            cannot_send.push(name.clone());
        }
        for (key, _) in &top.values {
            match neutral(key, own) {
                Neutral::NotInherited => {}
                Neutral::Value(key, value) => {
                    own.set(key, Noted::assumed(value, REASON));
                }
                Neutral::None => match others.iter_mut().find(|(known, _)| is_one(known, key)) {
                    Some((_, names)) => names.push(name.value.clone()),
                    None => others.push((key, vec![name.value.clone()])),
                },
            }
        }
    }
    for name in cannot_send {
        let text = format!(
            "{}: no server to send mail was seen; it gets the one at the top: smtp cannot be disabled",
            name.value
        );
        draft.note(NoteKind::Warning, name.origin.place().cloned(), text);
    }
    for (key, names) in others {
        if !move_down(draft, key) {
            let value = top.value(key);
            let mut named = names[..names.len().min(MAX_NAMED)].join(", ");
            if names.len() > MAX_NAMED {
                named += &format!(" and {} more", names.len() - MAX_NAMED);
            }
            let text = format!("{named}: {key} was not seen, and is that at the top");
            let place = value.and_then(|value| value.origin.place()).cloned();
            draft.note(NoteKind::Warning, place, text);
        }
    }
}

/// Moves a key from the top to the domains that have it from there. That is not possible if there are
/// domains without a table.
fn move_down(draft: &mut Draft, key: &str) -> bool {
    let is_any = |it: &Noted<Value>| it.value == Value::from("any");
    let has_others = draft.top.value("domains.answer").is_some_and(is_any)
        || !draft.list_files.is_empty()
        || draft.list_to_make.is_some();
    let inherits = |own: &Settings| !own.is_whole && own.value("alias_of").is_none();
    if has_others || !draft.domains.iter().any(|(_, own)| inherits(own)) {
        return false;
    }
    let (moved, kept) = std::mem::take(&mut draft.top.values)
        .into_iter()
        .partition(|(other, _)| is_one(other, key));
    draft.top.values = kept;
    let moved: Vec<(&'static str, Noted<Value>)> = moved;
    for (_, own) in draft.domains.iter_mut().filter(|(_, own)| inherits(own)) {
        for (key, value) in &moved {
            own.set(key, value.clone());
        }
    }
    true
}

/// True for the same key, and for those of OAuth2, which need each other.
fn is_one(key: &str, other: &str) -> bool {
    key == other || [key, other].iter().all(|key| key.starts_with("oauth2."))
}

/// What a domain needs in place of a key at the top.
enum Neutral {
    /// Nothing: it has the key, or the key has no effect on it.
    NotInherited,
    /// A key with a value that means nothing.
    Value(&'static str, Value),
    /// There is no such value.
    None,
}

fn neutral(key: &'static str, own: &Settings) -> Neutral {
    let is_set = |key: &str| own.value(key).is_some();
    if is_set(key) {
        return Neutral::NotInherited;
    }
    let (table, name) = key.split_once('.').unwrap_or(("", key));
    match (table, name) {
        ("provider", "name") => Neutral::Value("provider.name", Value::from("%EMAILDOMAIN%")),
        // It is that of the name.
        ("provider", "short_name") => Neutral::NotInherited,
        ("provider", "documentation") => Neutral::Value(key, Value::Pages(Vec::new())),
        ("autodiscover", "dav") => Neutral::Value("autodiscover.dav", Value::Flag(false)),
        (_, "url") => match SERVICES.iter().find(|(known, _)| *known == key) {
            Some((_, enabled)) => Neutral::Value(enabled, Value::Flag(false)),
            None => Neutral::None,
        },
        (_, "username") if is_set(&format!("{table}.url")) => {
            Neutral::Value(key, Value::from(EMAIL_ADDRESS))
        }
        (_, "username") => Neutral::NotInherited,
        ("pop3", _) if own.of(Protocol::Pop3).next().is_none() => Neutral::NotInherited,
        ("apple", "signing_certificate" | "signing_key") => Neutral::NotInherited,
        // Those of the whole program.
        ("domains" | "log" | "limits" | "metrics", _) => Neutral::NotInherited,
        _ => Neutral::None,
    }
}

/// The URLs of services, with the keys that switch them off.
const SERVICES: [(&str, &str); 5] = [
    ("caldav.url", "caldav.enabled"),
    ("carddav.url", "carddav.enabled"),
    ("webdav.url", "webdav.enabled"),
    ("jmap.url", "jmap.enabled"),
    ("activesync.url", "activesync.enabled"),
];

/// Says of the servers of a domain what they would have from those at the top.
fn servers(own: &mut Settings, top: &Settings, protocol: Protocol) {
    let Some(of_top) = top.of(protocol).next() else { return };
    let has_others = top.of(protocol).nth(1).is_some();
    let count = own.of(protocol).count();
    let Some(first) = own.servers.iter_mut().find(|it| it.protocol == protocol) else {
        if protocol == Protocol::ManageSieve {
            own.set("managesieve.enabled", Noted::assumed(false, REASON));
        }
        return;
    };
    door(first, of_top);
    if first.auth.is_none() && of_top.auth.is_some() {
        first.auth = Some(Noted::assumed(vec![Auth::Password], REASON));
    }
    if first.username.is_none() && of_top.username.is_some() {
        first.username = Some(Noted::assumed(EMAIL_ADDRESS, REASON));
    }
    if has_others && count == 1 {
        let key = match protocol {
            Protocol::Imap => "imap.alternatives",
            Protocol::Pop3 => "pop3.alternatives",
            Protocol::Smtp => "smtp.alternatives",
            Protocol::ManageSieve => "managesieve.alternatives",
        };
        // An empty list.
        let reason = "one server of the kind was seen for this domain";
        own.set(key, Noted::assumed(Value::Pages(Vec::new()), reason));
    }
}

/// Host, port and protection, if the server has those at the top otherwise.
fn door(server: &mut Server, of_top: &Server) {
    if server.host.is_none() && of_top.host.is_some() {
        server.host = Some(Noted::assumed("mail.%EMAILDOMAIN%", REASON));
    }
    let port = server.port.as_ref().and_then(|port| NonZeroU16::new(port.value));
    if server.security.is_none() {
        let by_port = port.and_then(|port| ports::security_of(server.protocol, port));
        let usual = match server.protocol {
            Protocol::Imap | Protocol::Pop3 => Security::Tls,
            Protocol::Smtp | Protocol::ManageSieve => Security::StartTls,
        };
        if by_port.is_none() {
            server.security = Some(Noted::assumed(usual, REASON));
        }
    }
    if let (None, Some(security)) = (port, &server.security) {
        let port = ports::usual(server.protocol, security.value).get();
        server.port = Some(Noted::assumed(port, REASON));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Place;

    fn domain(draft: &mut Draft, name: &str, is_whole: bool) {
        let mut server = Server::new(Protocol::Imap);
        server.host = Some(Noted::assumed("imap.example.org", ""));
        let own = draft.domain(Noted::seen(name, Place::whole("x"), ""));
        own.is_whole = is_whole;
        if is_whole {
            own.servers.push(server);
        }
    }

    fn of_two_domains() -> Draft {
        let mut draft = Draft::default();
        domain(&mut draft, "a.example", false);
        domain(&mut draft, "b.example", true);
        draft.top.set("provider.webmail", Noted::assumed("https://a.example/", ""));
        draft.top.set("caldav.url", Noted::assumed("https://a.example/", ""));
        draft.top.set("caldav.username", Noted::assumed("%EMAILLOCALPART%", ""));
        draft
    }

    #[test]
    fn a_key_without_a_neutral_value_is_moved_to_the_domains_that_have_it() {
        let mut draft = of_two_domains();
        separate(&mut draft);
        assert_eq!(draft.notes, []);
        assert!(draft.top.value("provider.webmail").is_none());
        assert!(draft.domains[0].1.value("provider.webmail").is_some());
        let own = &draft.domains[1].1;
        assert!(own.value("provider.webmail").is_none());
        let enabled = own.value("caldav.enabled").map(|it| &it.value);
        assert_eq!(enabled, Some(&Value::Flag(false)));
        assert!(own.value("caldav.username").is_none());
    }

    /// Domains that have no table need what is at the top.
    #[test]
    fn a_key_that_others_need_stays_with_a_warning() {
        let mut of_any = of_two_domains();
        of_any.top.set("domains.answer", Noted::assumed("any", ""));
        let mut listed = of_two_domains();
        listed.list_files.push(Noted::assumed("domains.txt", ""));
        for mut draft in [of_any, listed] {
            separate(&mut draft);
            assert!(draft.top.value("provider.webmail").is_some());
            let notes: Vec<_> = draft.notes.iter().map(ToString::to_string).collect();
            let warning =
                "warning: b.example: provider.webmail was not seen, and is that at the top";
            assert_eq!(notes, [warning]);
        }
    }

    /// Port and protection at the top reach a server that has one of them alone.
    #[test]
    fn a_server_says_what_it_would_have_from_the_top() {
        let number = |security| ports::usual(Protocol::Imap, security).get();
        for (port, security, expected) in [
            (None, None, (Some(number(Security::Tls)), Some(Security::Tls))),
            (Some(number(Security::StartTls)), None, (Some(number(Security::StartTls)), None)),
            (Some(2143), None, (Some(2143), Some(Security::Tls))),
            (None, Some(Security::Plain), (Some(number(Security::Plain)), Some(Security::Plain))),
        ] {
            let mut draft = of_two_domains();
            let mut top = Server::new(Protocol::Imap);
            top.auth = Some(Noted::assumed(vec![Auth::Ntlm], ""));
            top.username = Some(Noted::assumed("%EMAILLOCALPART%", ""));
            draft.top.servers = vec![top.clone(), top];
            let own = &mut draft.domains[1].1.servers[0];
            own.port = port.map(|port| Noted::assumed(port, ""));
            own.security = security.map(|security| Noted::assumed(security, ""));
            separate(&mut draft);
            let own = &draft.domains[1].1;
            let server = &own.servers[0];
            let door = (server.port.as_ref(), server.security.as_ref());
            assert_eq!((door.0.map(|it| it.value), door.1.map(|it| it.value)), expected);
            assert_eq!(server.auth.as_ref().map(|it| &it.value[..]), Some(&[Auth::Password][..]));
            assert_eq!(server.username.as_ref().map(|it| &*it.value), Some(EMAIL_ADDRESS));
            assert!(own.value("imap.alternatives").is_some());
        }
    }
}
