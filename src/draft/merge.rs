//! Makes one draft of several: what one of them says, all say; what two say differently is noted with
//! both places, and the first of them counts.
//!
//! Inputs that name different domains and have different settings do not contradict each other: the
//! settings of the later ones become those of their domains.

use super::model::{Draft, Server, Settings};
use super::place::{Note, NoteKind, Noted};
use super::secret::is_secret_name;
use super::write::{SERVERS, methods, quoted, toml};
use crate::account::Protocol;

/// One draft of all.
pub fn merge(drafts: Vec<Draft>) -> Draft {
    let mut drafts = drafts.into_iter();
    let mut all = drafts.next().unwrap_or_default();
    for next in drafts {
        let is_known = |name: &str| {
            all.domains.iter().any(|(known, _)| known.value.eq_ignore_ascii_case(name))
        };
        let is_apart = !all.domains.is_empty()
            && !next.domains.is_empty()
            && !next.domains.iter().any(|(name, _)| is_known(&name.value))
            && !is_same(&all.top, &next.top);
        all.notes.extend(next.notes);
        for file in next.list_files {
            if !all.list_files.iter().any(|known| known.value == file.value) {
                all.list_files.push(file);
            }
        }
        let top = next.top;
        for (name, own) in next.domains {
            let mut notes = Vec::new();
            let settings = all.domain(name);
            add(settings, own, &mut notes);
            if is_apart {
                // What is of the domain alone is no contradiction to what is of all its domains.
                add(settings, top.clone(), &mut Vec::new());
            }
            all.notes.extend(notes);
        }
        if !is_apart {
            add(&mut all.top, top, &mut all.notes);
        }
    }
    all
}

/// True if they have the same values, wherever these were seen.
fn is_same(one: &Settings, other: &Settings) -> bool {
    let mut notes = Vec::new();
    let mut both = one.clone();
    add(&mut both, other.clone(), &mut notes);
    let counts = |settings: &Settings| (settings.servers.len(), settings.values.len());
    notes.is_empty() && counts(&both) == counts(one) && counts(one) == counts(other)
}

/// Adds settings to others, which count if both differ.
fn add(settings: &mut Settings, more: Settings, notes: &mut Vec<Note>) {
    for (key, value) in more.values {
        if let Some(known) = settings.set(key, value.clone()) {
            if known.value != value.value {
                notes.push(contradiction(key, known, &value, toml));
            }
        }
    }
    for protocol in SERVERS {
        let more = more.servers.iter().filter(|server| server.protocol == protocol);
        add_servers(settings, protocol, more.cloned().collect(), notes);
    }
}

/// Adds the servers of a protocol. The alternatives that one document has are no contradiction to
/// another that has a part of them; other servers are, also those on another port of a host.
fn add_servers(
    settings: &mut Settings,
    protocol: Protocol,
    more: Vec<Server>,
    notes: &mut Vec<Note>,
) {
    let known: Vec<Server> = settings.of(protocol).cloned().collect();
    let are_all_in = |some: &[Server], all: &[Server]| {
        some.iter().all(|server| all.iter().any(|other| is_same_place(server, other)))
    };
    let is_part = are_all_in(&known, &more);
    for server in more {
        let mut all = settings.servers.iter_mut().filter(|it| it.protocol == protocol);
        if let Some(same) = all.find(|known| is_same_place(known, &server)) {
            fill_in(same, server, notes);
            continue;
        }
        let Some(first) = known.first().filter(|_| !is_part) else {
            settings.servers.push(server);
            continue;
        };
        let place = server.origin().and_then(|it| it.place()).cloned();
        let at = first.origin().and_then(|it| it.place());
        let at = at.map_or(String::new(), |at| format!(" ({at})"));
        let text = format!("{first}{at} is used, {server} is not");
        notes.push(Note { kind: NoteKind::Contradiction, place, text });
    }
}

/// True if nothing that is known of both differs: host, port, protection.
fn is_same_place(one: &Server, other: &Server) -> bool {
    fn agree<T>(
        one: &Option<Noted<T>>,
        other: &Option<Noted<T>>,
        is_same: fn(&T, &T) -> bool,
    ) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => is_same(&one.value, &other.value),
            _ => true,
        }
    }
    agree(&one.host, &other.host, |one, other| one.eq_ignore_ascii_case(other))
        && agree(&one.port, &other.port, PartialEq::eq)
        && agree(&one.security, &other.security, PartialEq::eq)
}

/// Fills in what is not known of a server.
fn fill_in(known: &mut Server, more: Server, notes: &mut Vec<Note>) {
    known.port = known.port.take().or(more.port);
    known.security = known.security.take().or(more.security);
    let name = known.to_string();
    let shown = |auth: &Vec<_>| methods(auth);
    one(&format!("{name}: auth"), &mut known.auth, more.auth, shown, notes);
    let shown = |login: &String| quoted(login);
    one(&format!("{name}: username"), &mut known.username, more.username, shown, notes);
}

fn one<T: PartialEq>(
    what: &str,
    known: &mut Option<Noted<T>>,
    more: Option<Noted<T>>,
    shown: fn(&T) -> String,
    notes: &mut Vec<Note>,
) {
    match (&*known, more) {
        (Some(known), Some(more)) if known.value != more.value => {
            notes.push(contradiction(what, known, &more, shown));
        }
        (None, more) => *known = more,
        (Some(_), _) => {}
    }
}

fn contradiction<T>(
    what: &str,
    known: &Noted<T>,
    other: &Noted<T>,
    shown: fn(&T) -> String,
) -> Note {
    let at = known.origin.place().map_or(String::new(), |at| format!(" ({at})"));
    let text = match is_secret_name(what) {
        true => format!("{what}: another value{at} is used"),
        false => {
            format!("{what}: {}{at} is used, {} is not", shown(&known.value), shown(&other.value))
        }
    };
    Note { kind: NoteKind::Contradiction, place: other.origin.place().cloned(), text }
}
