//! Makes one draft of several: what one of them says, all say; what two say differently is noted with
//! both places, and the first of them counts.
//!
//! Inputs that name different domains and have different settings do not contradict each other: the
//! settings of the later ones become those of their domains, which have nothing from the top then.

use super::model::{Draft, Server, Settings, is_same_host};
use super::place::{Note, NoteKind, Noted};
use super::secret::is_secret_name;
use super::write::{SERVERS, methods, quoted, toml};
use crate::account::Protocol;

/// One draft of all.
pub fn merge(drafts: Vec<Draft>) -> Draft {
    let mut drafts = drafts.into_iter();
    let mut all = drafts.next().unwrap_or_default();
    for next in drafts {
        add_draft(&mut all, next);
    }
    all
}

/// How the settings at the top of a draft reach a domain of it.
#[derive(Clone, Copy, PartialEq)]
enum From {
    /// They are those of all domains.
    Top,
    /// The domain has its own.
    Own,
}

fn add_draft(all: &mut Draft, next: Draft) {
    let known = |name: &str| {
        let mut domains = all.domains.iter();
        let (_, own) = domains.find(|(known, _)| known.value.eq_ignore_ascii_case(name))?;
        Some(if own.is_whole { From::Own } else { From::Top })
    };
    let known: Vec<_> = next.domains.iter().map(|(name, _)| known(&name.value)).collect();
    let is_same = is_same(&of_domain(&all.top), &of_domain(&next.top));
    // Domains that are new have settings of their own, unless the draft has one that is known.
    let of_new = match known.iter().flatten().any(|known| *known == From::Top) {
        false if !is_same && !all.domains.is_empty() => From::Own,
        _ => From::Top,
    };
    all.notes.extend(next.notes);
    for file in next.list_files {
        if !all.list_files.iter().any(|known| known.value == file.value) {
            all.list_files.push(file);
        }
    }
    let top = next.top;
    let is_of_none = next.domains.iter().all(|(_, own)| own.is_whole);
    let mut is_of_all = is_of_none;
    for ((name, own), known) in next.domains.into_iter().zip(known) {
        // It had those at the top so far.
        let before = match known {
            Some(From::Top) if own.is_whole => of_domain(&all.top),
            _ => Settings::default(),
        };
        let mut notes = Vec::new();
        let settings = all.domain(name);
        add(settings, before, &mut Vec::new());
        settings.is_whole |= own.is_whole || known.unwrap_or(of_new) == From::Own;
        let is_apart = settings.is_whole && !own.is_whole;
        is_of_all |= !settings.is_whole;
        add(settings, own, &mut notes);
        if is_apart {
            // What is of the domain alone is no contradiction to what is of all its domains.
            let mut ignored = Vec::new();
            let notes = if known.is_none() { &mut ignored } else { &mut notes };
            add(settings, of_domain(&top), notes);
        }
        all.notes.extend(notes);
    }
    if is_of_all {
        add(&mut all.top, top, &mut all.notes);
    } else if let Some(answer) = top.value("domains.answer") {
        if all.top.value("domains.answer").is_none_or(|known| known.value != answer.value) {
            let text = "domains.answer: other domains have other settings, and only named ones are answered";
            all.note(NoteKind::NotCarried, answer.origin.place().cloned(), text);
        }
    }
}

/// The settings at the top that a domain may have.
fn of_domain(top: &Settings) -> Settings {
    let is_of_all =
        |key: &str| ["domains.", "log.", "apple.signing_"].iter().any(|it| key.starts_with(it));
    let mut settings = top.clone();
    settings.values.retain(|(key, _)| !is_of_all(key));
    settings
}

/// True if they have the same values, wherever these were seen.
fn is_same(one: &Settings, other: &Settings) -> bool {
    let has_all = |one: &Settings, other: &Settings| {
        let mut notes = Vec::new();
        let mut both = one.clone();
        add(&mut both, other.clone(), &mut notes);
        notes.is_empty() && both == *one
    };
    has_all(one, other) && has_all(other, one)
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
    agree(&one.host, &other.host, |one, other| is_same_host(one, other))
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
