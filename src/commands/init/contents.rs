//! The certificates, the lists and the tables that the mail servers of this machine name.

use super::run::{Failure, run};
use crate::address::Domain;
use crate::directory::list::List;
use crate::draft::{Note, NoteKind, Noted};
use crate::files::{self, Kind};
use crate::init::assemble::{self, Machine};
use crate::init::facts::{DomainSource, Facts};
use crate::init::postfix;
use crate::sign::Coverage;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The bit of a mode that lets every user read.
const READ_BY_ALL: u32 = 0o004;

/// Most lists of Postfix that are opened.
const MAX_OPENED: usize = 100;
/// Most sources of domains of a server whose files are looked into.
const MAX_SOURCES: usize = 12_000;

/// Reads them.
pub(super) fn read(machine: &mut Machine) {
    let certificates = machine.facts.iter().flat_map(|facts| &facts.certificates);
    let files: Vec<_> = certificates.map(|it| (it.value.file.clone(), it.origin.clone())).collect();
    for (file, origin) in files {
        if machine.certificates.contains_key(&file) {
            continue;
        }
        let read = certificate(&file).map(|(names, fault)| {
            if let (Some(fault), Some(facts)) = (fault, machine.facts.first_mut()) {
                facts.notes.push(Note {
                    kind: NoteKind::Warning,
                    place: origin.place().cloned(),
                    text: format!("the certificate {} {fault}", file.display()),
                });
            }
            names
        });
        machine.certificates.insert(file, read);
    }
    for facts in &mut machine.facts {
        let (mut at, mut opened) = (0, Vec::new());
        while at < facts.domains.len() && at < MAX_SOURCES {
            at += usize::from(!open(facts, at, &mut opened));
        }
    }
    let sources = machine.facts.iter().flat_map(|facts| &facts.domains);
    let sources: Vec<_> = sources.map(|source| source.value.clone()).collect();
    for source in sources {
        match source {
            DomainSource::File(file) | DomainSource::Words(file) => {
                let list = list(&file);
                machine.lists.insert(file, list);
            }
            DomainSource::Command(command) => {
                let listed = listed(&command);
                if let Some(file) = listed.as_ref().ok().and_then(|it| text_of(&command, it)) {
                    machine.lists.insert(file.clone(), list(&file));
                    replace(machine, &DomainSource::Command(command), DomainSource::File(file));
                } else {
                    machine.listed.insert(command, listed);
                }
            }
            DomainSource::Query { ref kind, file: Some(ref file), command: None } => {
                let text = files::read_text(file, Kind::Configuration);
                let command = text.map_err(|error| files::reason(&error));
                let command = command.and_then(|text| postfix::query::command(kind, &text));
                machine.queries.insert(file.clone(), command);
            }
            DomainSource::Query { .. }
            | DomainSource::Name(_)
            | DomainSource::Host(_)
            | DomainSource::Unknown(_) => {}
        }
    }
}

/// Puts what is in a list of Postfix in its place; false if it is no such list, or one that is read as it
/// is. A file that names itself is left out the second time.
fn open(facts: &mut Facts, at: usize, opened: &mut Vec<PathBuf>) -> bool {
    let Noted { value: DomainSource::Words(file), origin } = facts.domains[at].clone() else {
        return false;
    };
    if opened.contains(&file) || opened.len() >= MAX_OPENED {
        return false;
    }
    opened.push(file.clone());
    let Ok(text) = files::read_text(&file, Kind::List) else { return false };
    let Some((mut sources, mut notes)) = postfix::of_file(&file, &text, &origin) else {
        return false;
    };
    let is_new = |it: &Noted<DomainSource>| facts.domains.iter().all(|old| old.value != it.value);
    sources.retain(is_new);
    sources.retain(|it| !matches!(&it.value, DomainSource::Words(file) if opened.contains(file)));
    facts.domains.splice(at..=at, sources);
    facts.notes.append(&mut notes);
    true
}

fn replace(machine: &mut Machine, old: &DomainSource, new: DomainSource) {
    let sources = machine.facts.iter_mut().flat_map(|facts| &mut facts.domains);
    for source in sources.filter(|source| source.value == *old) {
        source.value = new.clone();
    }
}

/// The text file from which a table of Postfix was made, if it has the same domains: a change is seen
/// there at once.
fn text_of(command: &[String], listed: &[String]) -> Option<PathBuf> {
    let (_, file) = command.last()?.split_once(':')?;
    let file = Path::new(file);
    let bytes = files::read(file, Kind::List).ok()?;
    let mut domains: Vec<_> = List::parse(bytes).domains().map(|it| it.to_string()).collect();
    domains.sort();
    (!listed.is_empty() && domains == listed).then(|| file.to_owned())
}

/// The names of the first certificate in a file, and why it does not count now.
fn certificate(file: &Path) -> Result<(Vec<String>, Option<String>), String> {
    let bytes = files::read(file, Kind::Certificate).map_err(|error| files::reason(&error))?;
    let all = Coverage::from_pem(&bytes).map_err(|error| error.to_string())?;
    // Those behind it are its chain.
    let first = all.into_iter().next().ok_or("it has no certificate")?;
    Ok((first.names, first.fault))
}

/// What is in a file with domains.
fn list(file: &Path) -> assemble::List {
    let read = files::read(file, Kind::List)
        .and_then(|bytes| Ok((bytes, std::fs::metadata(file)?.permissions().mode())));
    match read {
        Ok((bytes, mode)) => {
            let is_public = mode & READ_BY_ALL != 0;
            assemble::List::Domains(List::parse(bytes).domains().count(), is_public)
        }
        Err(error) => assemble::List::Unusable(files::reason(&error)),
    }
}

/// The domains that a command prints, a domain or an address at the beginning of each line.
fn listed(command: &[String]) -> Result<Vec<String>, String> {
    let (program, arguments) = command.split_first().ok_or("there is no command")?;
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let printed = run(program, &arguments).map_err(|failure| match failure {
        Failure::Missing => format!("{program} is not installed"),
        Failure::Other(why) => format!("{program}: {why}"),
    })?;
    if !printed.succeeded {
        let message = printed.messages.lines().last().unwrap_or("it failed");
        return Err(message.trim().to_owned());
    }
    let words = printed.text.lines().filter_map(|line| line.split_whitespace().next());
    // Postfix looks up domains, not addresses: a key with an `@` is not a domain of the table.
    let words = words.filter(|word| program != "postmap" || !word.contains('@'));
    let domains = words.filter_map(|word| word.rsplit('@').next()).map(str::to_ascii_lowercase);
    let mut domains: Vec<_> = domains.filter(|it| Domain::parse(it).is_ok()).collect();
    domains.sort();
    domains.dedup();
    Ok(domains)
}
