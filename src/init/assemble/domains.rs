//! The mail domains: named in tables, in list files, or by a command that makes a list of them.

use super::machine::{List, Machine};
use crate::address::Domain;
use crate::draft::{Draft, NoteKind, Noted, Origin};
use crate::init::facts::{DomainSource, Facts};
use crate::order;
use std::path::Path;

/// Most domains that get a table each.
const MAX_TABLES: usize = 50;
/// The list that is suggested.
const LIST: &str = "/etc/mailsetup/domains";
/// What reads the output of a command.
const IMPORT: &str = "mailsetup import --domains -";
/// Where the statements are for databases.
const STATEMENTS: &str =
    "make a list of them: docs/domains-from-databases.md and mailsetup(1), import --domains";

/// Adds the domains; returns those with a table, unless there may be others.
pub(super) fn add(machine: &Machine, draft: &mut Draft) -> Vec<String> {
    let (mut names, mut hosts): (Vec<Noted<String>>, Vec<_>) = (Vec::new(), Vec::new());
    let mut has_others = false;
    for source in sources(machine) {
        let place = source.origin.place().cloned();
        match &source.value {
            DomainSource::Name(name) | DomainSource::Host(name) => {
                let noted =
                    Noted { value: name.to_ascii_lowercase(), origin: source.origin.clone() };
                let is_host = matches!(source.value, DomainSource::Host(_));
                if is_domain(name) {
                    if is_host { &mut hosts } else { &mut names }.push(noted);
                }
            }
            DomainSource::File(file) | DomainSource::Words(file) => {
                has_others = true;
                add_file(machine, file, &source.origin, draft);
            }
            DomainSource::Command(command) => match machine.listed.get(command) {
                Some(Ok(listed)) if listed.len() <= MAX_TABLES => {
                    let listed = listed.iter().filter(|name| is_domain(name));
                    names.extend(listed.map(|name| Noted {
                        value: name.to_ascii_lowercase(),
                        origin: source.origin.clone(),
                    }));
                }
                other => {
                    has_others = true;
                    let why = match other {
                        Some(Ok(listed)) => format!("{} domains", listed.len()),
                        Some(Err(why)) => why.clone(),
                        None => "they were not listed".to_owned(),
                    };
                    let has_failed = matches!(other, Some(Err(_)));
                    let once = if has_failed { "when that is corrected, " } else { "" };
                    let command = format!("{} | {IMPORT}", command.join(" "));
                    let text = format!("domains: {why}; {once}{}", by_command(&command));
                    draft.note(NoteKind::NotCarried, place, text);
                }
            },
            DomainSource::Query { kind, file, command } => {
                has_others = true;
                let of = file.as_ref().map_or(String::new(), |it| format!(" ({})", it.display()));
                let found = file.as_ref().and_then(|file| machine.queries.get(file));
                let text = match (command, found) {
                    (Some(command), _) => by_command(&format!("{command} | {IMPORT}")),
                    (None, Some(Ok(command))) => by_command(command),
                    (None, Some(Err(why))) => format!("{why}; {STATEMENTS}"),
                    (None, None) => STATEMENTS.to_owned(),
                };
                draft.note(NoteKind::NotCarried, place, format!("domains in {kind}{of}: {text}"));
            }
            DomainSource::Unknown(why) => {
                has_others = true;
                draft.note(NoteKind::NotCarried, place, format!("domains: {why}"));
            }
        }
    }
    order::sort_by(&mut names, |one, other| one.value.cmp(&other.value));
    names.dedup_by(|one, other| one.value == other.value);
    add_hosts(hosts, &mut names, has_others, draft);
    if names.len() > MAX_TABLES {
        let text = format!(
            "{} domains are named; write them to a file, one a line, and name it in list_files of \
             [domains]",
            names.len()
        );
        draft.note(NoteKind::NotCarried, names[0].origin.place().cloned(), text);
        return Vec::new();
    }
    let known: Vec<_> = names.iter().map(|name| name.value.clone()).collect();
    for name in names {
        draft.domain(name);
    }
    let is_made = |text: &str| text.contains(&format!("--list {LIST}`"));
    if draft.notes.iter().any(|note| is_made(&note.text)) {
        draft.list_to_make = Some(LIST.to_owned());
    }
    let is_named = !draft.domains.is_empty() || !draft.list_files.is_empty();
    if !is_named {
        draft.note(NoteKind::Warning, None, "no domain is named: any domain is answered");
    } else if is_incomplete(draft) {
        // Domains that are not known yet must be answered, too.
        let reason = "other domains are not named yet; when all of them are, remove this line";
        draft.top.set("domains.answer", Noted::assumed("any", reason));
    }
    if has_others { Vec::new() } else { known }
}

/// True if domains were left out.
fn is_incomplete(draft: &Draft) -> bool {
    let is_about_domains = |text: &str| text.starts_with("domains") || text.contains("are named;");
    let mut notes = draft.notes.iter().filter(|note| note.kind == NoteKind::NotCarried);
    notes.any(|note| is_about_domains(&note.text))
}

/// The sources of the servers that accept mail for domains; without them, those of the others: databases
/// of users.
fn sources(machine: &Machine) -> Vec<&Noted<DomainSource>> {
    let reads = |facts: &&Facts| facts.listeners.iter().any(|it| it.protocol.is_incoming());
    let (readers, others): (Vec<_>, Vec<_>) = machine.facts.iter().partition(reads);
    let of_readers = readers.into_iter().flat_map(|facts| &facts.domains);
    let mut sources: Vec<_> = others.into_iter().flat_map(|facts| &facts.domains).collect();
    // Its own name alone: it may pass on mail for the domains of the database.
    if sources.iter().all(|source| matches!(source.value, DomainSource::Host(_))) {
        sources.extend(of_readers);
    }
    sources
}

/// Takes the names of the machine itself if there are no other domains: local mail has them, and users
/// rarely do. `has_others` is true if there are lists or tables of domains.
fn add_hosts(
    hosts: Vec<Noted<String>>,
    names: &mut Vec<Noted<String>>,
    has_others: bool,
    draft: &mut Draft,
) {
    if names.is_empty() && !has_others {
        names.extend(hosts);
        return;
    }
    for host in hosts.iter().filter(|host| names.iter().all(|it| it.value != host.value)) {
        let text = format!(
            "{} is the name of the machine: it is not taken for a domain of mailboxes",
            host.value
        );
        draft.note(NoteKind::Hint, host.origin.place().cloned(), text);
    }
}

/// A file with domains.
fn add_file(machine: &Machine, file: &Path, origin: &Origin, draft: &mut Draft) {
    let place = origin.place().cloned();
    let shown = file.display();
    if machine.is_elsewhere {
        let text = format!(
            "domains in {shown} of that machine; where it can be read, name it in list_files of [domains]"
        );
        draft.note(NoteKind::NotCarried, place, text);
        return;
    }
    match machine.lists.get(file) {
        Some(List::Domains(count, is_public)) => {
            let path = shown.to_string();
            if !draft.list_files.iter().any(|known| known.value == path) {
                draft.list_files.push(Noted { value: path, origin: origin.clone() });
            }
            if *count == 0 {
                draft.note(NoteKind::Warning, place, format!("{shown} has no domains"));
            } else if !is_public {
                let text = format!(
                    "{shown} cannot be read by all users: the user of the service needs the right to \
                     read it"
                );
                draft.note(NoteKind::Warning, place, text);
            }
        }
        Some(List::Unusable(why)) => {
            draft.note(NoteKind::NotCarried, place, format!("domains in {shown}: {why}"));
        }
        None => draft.note(NoteKind::NotCarried, place, format!("domains in {shown}")),
    }
}

/// What to do with a command that lists domains.
fn by_command(command: &str) -> String {
    format!("`{command} --list {LIST}` makes a list; then name it in list_files of [domains]")
}

/// True for a domain that mailboxes of other machines can have.
fn is_domain(name: &str) -> bool {
    Domain::parse(name).is_ok() && !name.ends_with(".localdomain") && !name.ends_with(".local")
}
