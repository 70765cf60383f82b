//! What the mail servers of this machine say: the output of their programs, and the ports that the kernel
//! lists.

use super::contents;
use super::run::{Failure, Printed, run};
use crate::draft::{Note, NoteKind, Place};
use crate::files::{self, Kind};
use crate::init::assemble::Machine;
use crate::init::dovecot::{self, Input, Output};
use crate::init::listening::Listening;
use crate::init::{exim, opensmtpd, postfix, recognised};
use std::path::{Path, PathBuf};

/// Where smtpd.conf is: Debian and Fedora, OpenBSD and Alpine, Arch Linux.
const SMTPD: [&str; 4] = [
    "/etc/smtpd.conf",
    "/etc/mail/smtpd.conf",
    "/etc/smtpd/smtpd.conf",
    "/etc/opensmtpd/smtpd.conf",
];
/// Most files that smtpd.conf may include.
const MAX_INCLUDED: usize = 50;
const DOVECONF: &str = "doveconf";
/// The names of Exim's program: Debian's, and all others.
const EXIM: [&str; 2] = ["exim4", "exim"];
/// Most instances of Postfix that are asked, beside the first.
const MAX_INSTANCES: usize = 10;
/// Most lines of messages that are repeated.
const MAX_LINES: usize = 20;

/// Asks them.
pub(super) fn read() -> Machine {
    let mut machine = Machine::default();
    let mut missing = Vec::new();
    let mut outputs = Vec::new();
    dovecot(&mut machine, &mut missing, &mut outputs);
    let readers = machine.facts.len();
    postfix(&mut machine, &mut missing, &mut outputs);
    exim(&mut machine, &mut missing);
    opensmtpd(&mut machine);
    // One mail server that sends is enough.
    missing.retain(|program| *program == DOVECONF || machine.facts.len() == readers);
    if !missing.is_empty() {
        let text = format!("not installed: {}", missing.join(", "));
        note(&mut machine, NoteKind::Hint, text);
    }
    let outputs: Vec<_> = outputs.iter().map(String::as_str).collect();
    machine.notes.extend(recognised::notes(&|path| Path::new(path).exists(), &outputs));
    machine.listening = listening();
    if machine.listening.is_none() {
        let text = "/proc/net/tcp cannot be read: whether programs listen is not known";
        note(&mut machine, NoteKind::Hint, text.to_owned());
    }
    contents::read(&mut machine);
    machine
}

fn note(machine: &mut Machine, kind: NoteKind, text: String) {
    machine.notes.push(Note { kind, place: None, text });
}

/// Runs a program and notes why it printed nothing. `None` also if it is missing.
fn ask(
    program: &'static str,
    arguments: &[&str],
    machine: &mut Machine,
    missing: &mut Vec<&'static str>,
) -> Option<Printed> {
    match run(program, arguments) {
        Ok(printed) => Some(printed),
        Err(Failure::Missing) => {
            if !missing.contains(&program) {
                missing.push(program);
            }
            None
        }
        Err(Failure::Other(why)) => {
            note(machine, NoteKind::Warning, format!("{}: {why}", shown(program, arguments)));
            None
        }
    }
}

/// A command without the names of the parameters that it is asked for.
fn shown(program: &str, arguments: &[&str]) -> String {
    let options = arguments.iter().filter(|it| it.starts_with(['-', '/']));
    options.fold(program.to_owned(), |text, option| format!("{text} {option}"))
}

/// Notes what a program printed on standard error.
fn note_messages(command: &str, printed: &Printed, machine: &mut Machine) {
    let kind = if printed.succeeded { NoteKind::Hint } else { NoteKind::Warning };
    let lines = printed.messages.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines.take(MAX_LINES) {
        machine.notes.push(Note {
            kind,
            place: Some(Place::whole(command)),
            text: line.to_owned(),
        });
    }
}

fn dovecot(machine: &mut Machine, missing: &mut Vec<&'static str>, outputs: &mut Vec<String>) {
    let Some(explicit) = ask(DOVECONF, &["-n"], machine, missing) else { return };
    // Dovecot 2.4 has no -S.
    let is_old = explicit.text.starts_with("# 2.2") || explicit.text.starts_with("# 2.3");
    // Without settings, an error in a file keeps it from printing any.
    let has_any =
        explicit.text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let all = if is_old && has_any { ask(DOVECONF, &["-S"], machine, missing) } else { None };
    let output = Output {
        explicit: Input { source: "doveconf -n", text: &explicit.text },
        all: all.as_ref().map(|it| Input { source: "doveconf -S", text: &it.text }),
        messages: &explicit.messages,
    };
    match dovecot::read(&output) {
        Ok(facts) => {
            machine.facts.push(facts);
            let folder = libexec(machine, missing);
            let notes = folder.map(|it| dovecot::missing_programs(&output, &it, &|it| it.exists()));
            machine.notes.extend(notes.into_iter().flatten());
        }
        Err(why) => {
            note_messages("doveconf -n", &explicit, machine);
            note(machine, NoteKind::Warning, format!("doveconf -n: {why}"));
        }
    }
    outputs.push(explicit.text);
}

/// The folder with the programs of Dovecot, if it is there.
fn libexec(machine: &mut Machine, missing: &mut Vec<&'static str>) -> Option<PathBuf> {
    let printed = ask(DOVECONF, &["libexec_dir"], machine, missing)?;
    let folder = PathBuf::from(printed.text.strip_prefix("libexec_dir = ")?.trim());
    (folder.is_absolute() && folder.is_dir()).then_some(folder)
}

/// Asks Postfix, and its other instances.
fn postfix(machine: &mut Machine, missing: &mut Vec<&'static str>, outputs: &mut Vec<String>) {
    instance(None, machine, missing, outputs);
    let Some(at) = machine.facts.iter().position(|facts| facts.instances.is_some()) else { return };
    let printed = ask("postmulti", &["-l"], machine, missing).filter(|it| it.succeeded);
    let Some(printed) = printed else { return };
    // The name, the group, whether it is enabled, the folder.
    let instances = printed.text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace().skip(2);
        words.next().filter(|enabled| *enabled == "y").and_then(|_| words.next())
    });
    let folders: Vec<_> = instances.collect();
    for folder in folders.iter().take(MAX_INSTANCES) {
        instance(Some(folder), machine, missing, outputs);
    }
    if folders.len() <= MAX_INSTANCES {
        machine.facts[at].instances = None;
    }
}

/// Asks one instance of Postfix, by the folder of its configuration.
fn instance(
    folder: Option<&str>,
    machine: &mut Machine,
    missing: &mut Vec<&'static str>,
    outputs: &mut Vec<String>,
) {
    let parameters = [&["-x"], &postfix::PARAMETERS[..], &postfix::RESTRICTIONS].concat();
    let place = folder.map(|folder| ["-c", folder]);
    let place = place.as_ref().map_or(&[][..], |it| &it[..]);
    let mut texts = Vec::new();
    for options in [&parameters[..]].into_iter().chain(postfix::MORE_OPTIONS) {
        let options = [place, options].concat();
        // What failed once fails again, after ten seconds each.
        let Some(printed) = ask("postconf", &options, machine, missing) else { break };
        let command = shown("postconf", &options);
        // Each of them repeats the warnings.
        if texts.is_empty() || !printed.succeeded {
            note_messages(&command, &printed, machine);
        }
        texts.push((command, printed.text));
    }
    let all = texts.iter().map(|(source, text)| postfix::Output { source, text });
    let facts = postfix::read(&all.collect::<Vec<_>>());
    if facts.server.is_some() {
        machine.facts.push(facts);
    }
    outputs.extend(texts.into_iter().map(|(_, text)| text));
}

fn exim(machine: &mut Machine, missing: &mut Vec<&'static str>) {
    let arguments = [&["-bP"], &exim::OPTIONS[..]].concat();
    for program in EXIM {
        let Some(printed) = ask(program, &arguments, machine, missing) else { continue };
        let command = format!("{program} -bP");
        match exim::read(&printed.text, &command) {
            Some(facts) => machine.facts.push(facts),
            None => note_messages(&command, &printed, machine),
        }
        return;
    }
}

/// OpenSMTPD has no program that prints its settings.
fn opensmtpd(machine: &mut Machine) {
    let read = |path: &Path| files::read_text(path, Kind::Configuration).ok();
    let Some((main, text)) = SMTPD.iter().find_map(|path| Some((path, read(Path::new(path))?)))
    else {
        return;
    };
    if !opensmtpd::is_configuration(&text) {
        return;
    }
    let mut files = vec![((*main).to_owned(), text)];
    let mut at = 0;
    while let Some((_, text)) = files.get(at) {
        let included: Vec<PathBuf> = opensmtpd::includes(text);
        for path in included.into_iter().take(MAX_INCLUDED.saturating_sub(files.len())) {
            let name = path.display().to_string();
            match read(&path) {
                _ if files.iter().any(|(known, _)| *known == name) => {}
                Some(text) => files.push((name, text)),
                None => note(machine, NoteKind::NotCarried, format!("{name} cannot be read")),
            }
        }
        at += 1;
    }
    let files: Vec<_> = files.iter().map(|(name, text)| opensmtpd::File { name, text }).collect();
    machine.facts.push(opensmtpd::read(&files));
}

/// The ports on which programs listen.
fn listening() -> Option<Listening> {
    // A busy machine has hundreds of thousands of connections.
    let read = |path: &str| files::read_text(Path::new(path), Kind::List);
    let first = read("/proc/net/tcp").ok()?;
    // A kernel without version 6 of IP has no such file.
    let second = read("/proc/net/tcp6").unwrap_or_default();
    Listening::parse(&(first + &second))
}
