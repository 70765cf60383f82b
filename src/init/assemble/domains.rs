//! The mail domains: named in tables, in list files, or by a command that makes a list of them.

use super::{List, Machine};
use crate::address::Domain;
use crate::draft::{Draft, NoteKind, Noted, Origin};
use crate::init::facts::DomainSource;
use std::path::Path;

/// Most domains that get a table each.
const MAX_TABLES: usize = 50;
/// The list that is suggested.
const LIST: &str = "/etc/mailsetup/domains";

/// Adds the domains; returns those with a table, unless there may be others.
pub(super) fn add(machine: &Machine, draft: &mut Draft) -> Vec<String> {
    let mut names: Vec<Noted<String>> = Vec::new();
    let mut has_others = false;
    for source in machine.facts.iter().flat_map(|facts| &facts.domains) {
        let place = source.origin.place().cloned();
        match &source.value {
            DomainSource::Name(name) => {
                let noted =
                    Noted { value: name.to_ascii_lowercase(), origin: source.origin.clone() };
                if is_domain(name) {
                    names.push(noted);
                }
            }
            DomainSource::File(file) => {
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
                    let text = format!("{why}; {}", by_command(&command.join(" ")));
                    draft.note(NoteKind::NotCarried, place, text);
                }
            },
            DomainSource::Query { kind, file, command } => {
                has_others = true;
                let of = file.as_ref().map_or(String::new(), |it| format!(" ({})", it.display()));
                let text = match command {
                    Some(command) => format!("domains in {kind}{of}; {}", by_command(command)),
                    None => format!(
                        "domains in {kind}{of}; docs/init.md has the statements for usual tables, and \
                         how to make a list of them"
                    ),
                };
                draft.note(NoteKind::NotCarried, place, text);
            }
            DomainSource::Unknown(why) => {
                has_others = true;
                draft.note(NoteKind::NotCarried, place, format!("domains: {why}"));
            }
        }
    }
    names.sort_by(|one, other| one.value.cmp(&other.value));
    names.dedup_by(|one, other| one.value == other.value);
    let names = without_hosts(machine, names, draft);
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
    if draft.domains.is_empty() && draft.list_files.is_empty() {
        draft.note(NoteKind::Warning, None, "no domain is named: any domain is answered");
    }
    if has_others { Vec::new() } else { known }
}

/// Leaves out the names of the machine itself if there are other domains: local mail has them, and users
/// rarely do.
fn without_hosts(
    machine: &Machine,
    names: Vec<Noted<String>>,
    draft: &mut Draft,
) -> Vec<Noted<String>> {
    let is_host = |name: &Noted<String>| {
        let hosts = machine.facts.iter().flat_map(|facts| &facts.names);
        hosts.into_iter().any(|host| host.value.eq_ignore_ascii_case(&name.value))
    };
    let has_lists = !draft.list_files.is_empty();
    let (hosts, others): (Vec<_>, Vec<_>) = names.into_iter().partition(is_host);
    if others.is_empty() && !has_lists {
        return hosts;
    }
    for host in hosts {
        let text = format!(
            "{} is the name of the machine: it is not taken for a domain of mailboxes",
            host.value
        );
        draft.note(NoteKind::NotCarried, host.origin.place().cloned(), text);
    }
    others
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

/// How to make a list of the output of a command.
fn by_command(command: &str) -> String {
    format!(
        "`{command} | mailsetup import --domains - --list {LIST}` makes a list; name it in list_files of \
         [domains]"
    )
}

/// True for a domain that mailboxes of other machines can have.
fn is_domain(name: &str) -> bool {
    Domain::parse(name).is_ok() && !name.ends_with(".localdomain") && !name.ends_with(".local")
}
