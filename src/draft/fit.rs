//! Takes out of a draft what a configuration cannot have, by the rules of the configuration itself.
//!
//! Each value is tried in a configuration of its own, so that one that is wrong does not hide others.
//! The keys of `[oauth2]` need each other, and are tried together.

use super::apart::separate;
use super::model::{Draft, Server, Settings, Value};
use super::place::{NoteKind, Noted, Place};
use super::write::write;
use crate::account::Protocol;

/// What is wrong with a configuration: the message for its first error.
pub type Misfit = String;

/// Tries all values by `check`, which gets the text of a configuration. A value that it refuses is
/// taken out and noted. Then the tables of the domains that have nothing from the top are completed.
pub fn fit(draft: &mut Draft, check: &dyn Fn(&str) -> Result<(), Misfit>) {
    let mut misfits = Vec::new();
    tried(&mut draft.top, "", check, &mut misfits);
    draft.domains.retain_mut(|(name, settings)| {
        let mut alone = Draft::default();
        alone.domain(name.clone());
        if let Err(why) = check(&write(&alone)) {
            misfits
                .push((name.origin.place().cloned(), format!("the domain {}: {why}", name.value)));
            return false;
        }
        let before = format!("{}: ", name.value);
        tried(settings, &before, check, &mut misfits);
        true
    });
    for (place, text) in misfits {
        draft.note(NoteKind::NotCarried, place, text);
    }
    let cannot_read =
        |settings: &Settings| !settings.servers.is_empty() && !settings.has_incoming();
    let domains = draft.domains.iter().filter(|(_, settings)| cannot_read(settings));
    let names: Vec<_> = domains.map(|(name, _)| name.clone()).collect();
    for name in names {
        let text = format!(
            "{}: no server to read mail was seen; it gets the one at the top, or else mail.{0}",
            name.value
        );
        draft.note(NoteKind::Warning, name.origin.place().cloned(), text);
    }
    separate(draft);
}

type Misfits = Vec<(Option<Place>, String)>;

fn tried(
    settings: &mut Settings,
    before: &str,
    check: &dyn Fn(&str) -> Result<(), Misfit>,
    misfits: &mut Misfits,
) {
    settings.servers.retain_mut(|server| {
        // The host and the port are of no use without each other; the login and the methods are left
        // to the defaults if they cannot be used.
        let mut place = Server::new(server.protocol);
        (place.host, place.port) = (server.host.clone(), server.port.clone());
        place.security = server.security.clone();
        if let Err(why) = check(&with_server(place.clone())) {
            let at = server.origin().and_then(|origin| origin.place()).cloned();
            misfits.push((at, format!("{before}{server}: {why}")));
            return false;
        }
        let with = |server: &Server, change: fn(&mut Server, &Server)| {
            let mut tried = place.clone();
            change(&mut tried, server);
            check(&with_server(tried)).err()
        };
        if let Some(why) = with(server, |it, server| it.username = server.username.clone()) {
            if let Some(username) = server.username.take() {
                let text = format!("{before}{server}: the login {}: {why}", username.value);
                misfits.push((username.origin.place().cloned(), text));
            }
        }
        if let Some(why) = with(server, |it, server| it.auth = server.auth.clone()) {
            if let Some(auth) = server.auth.take() {
                misfits.push((
                    auth.origin.place().cloned(),
                    format!("{before}{server}: the authentication method: {why}"),
                ));
            }
        }
        true
    });
    let is_group = |key: &str| key.starts_with("oauth2.");
    let group: Vec<_> = settings.values.iter().filter(|(key, _)| is_group(key)).cloned().collect();
    let of_group = check(&with_values(group)).err();
    settings.values.retain(|(key, value)| {
        // It needs the domain that it names, which the whole configuration has.
        if *key == "alias_of" {
            return true;
        }
        let why = match is_group(key) {
            true => of_group.clone(),
            false => check(&with_values(vec![(*key, value.clone())])).err(),
        };
        let Some(why) = why else { return true };
        let text = match why.starts_with(key) {
            true => format!("{before}{why}"),
            false => format!("{before}{key}: {why}"),
        };
        misfits.push((value.origin.place().cloned(), text));
        false
    });
}

/// A configuration with this server alone.
fn with_server(server: Server) -> String {
    let mut draft = Draft::default();
    // One of IMAP and POP3 must be enabled.
    if server.protocol != Protocol::Imap {
        draft.top.servers.push(Server::new(Protocol::Imap));
    }
    draft.top.servers.push(server);
    write(&draft)
}

/// A configuration with these values alone. They are those of a domain, which may have them all.
fn with_values(values: Vec<(&'static str, Noted<Value>)>) -> String {
    let top_only = |key: &str| {
        key.starts_with("apple.signing_") || key.starts_with("domains.") || key.starts_with("log.")
    };
    let mut draft = Draft::default();
    let settings = match values.iter().any(|(key, _)| top_only(key)) {
        true => &mut draft.top,
        false => draft.domain(Noted::assumed("example.org", "")),
    };
    settings.values = values;
    write(&draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a configuration: one of the servers to read mail must be enabled.
    fn check(text: &str) -> Result<(), Misfit> {
        let disabled = text.matches("enabled = false").count();
        if disabled < 2 { Ok(()) } else { Err("imap and pop3 are both disabled".to_owned()) }
    }

    #[test]
    fn a_server_of_each_protocol_fits_alone() {
        for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve] {
            let mut draft = Draft::default();
            let mut server = Server::new(protocol);
            server.host = Some(Noted::assumed("mail.example.org".to_owned(), "a test"));
            draft.top.servers.push(server);
            fit(&mut draft, &check);
            assert_eq!((draft.top.servers.len(), draft.notes), (1, Vec::new()), "{protocol}");
        }
    }
}
