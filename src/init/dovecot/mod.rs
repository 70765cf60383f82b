//! What the output of `doveconf` says about a Dovecot: IMAP, POP3, submission and ManageSieve.
//!
//! Dovecot 2.3 has two outputs: `doveconf -n` shows what was set and hides default listeners, `doveconf
//! -S` shows every value, also those of protocols that are off, without `local_name`. Both together are
//! best. Dovecot 2.4 has other names and another syntax, and `doveconf -n` only. If doveconf fails, it
//! may still have printed all: the output counts, not the status. What cannot be known, such as variables
//! of a running Dovecot, is noted and not made up. Passwords are never repeated.

mod config;
mod databases;
mod format;
mod groups;
mod listeners;
mod login;
mod output;
mod services;
#[cfg(test)]
mod tests;
mod tree;

pub use output::{Input, Output};
pub use tree::{MAX_BYTES, Refused};

use crate::draft::{Note, NoteKind, Noted, Origin, Place};
use crate::init::facts::{Certificate, DomainSource, Facts};
use config::{Config, is_variable, shown, words};
use databases::Database;
use std::path::Path;
use tree::Block;

/// The most messages of doveconf, and the most certificates, that are taken.
const MAX_ITEMS: usize = 1000;

/// True for a text that begins as the output of doveconf does.
pub fn is_output(text: &str) -> bool {
    let comment = text.trim_start_matches('\u{feff}').strip_prefix("# ");
    comment.and_then(|it| config::version(it.lines().next().unwrap_or_default())).is_some()
}

/// Reads the output of doveconf.
///
/// It is refused if it is larger than [`MAX_BYTES`], or is not from doveconf.
pub fn read(output: &Output) -> Result<Facts, Refused> {
    let config = Config::parse(output)?;
    let mut facts = Facts { server: server(&config), ..Facts::default() };
    let failed = note_messages(output.messages, &mut facts.notes);
    if let Some((line, count)) = config.tree.unread {
        let lines = if count == 1 { "line is" } else { "lines are" };
        let text = format!("{count} {lines} not understood, this is the first");
        facts.notes.push(Note {
            kind: NoteKind::NotCarried,
            place: Some(config.place(line)),
            text,
        });
    }
    if config.tree.root.is_empty() && config.flat.is_none() {
        let text = match failed {
            true => "doveconf printed no settings: correct the error, then run it again",
            false => "there are no settings in it: nothing is known about this Dovecot",
        };
        facts.notes.push(Note {
            kind: NoteKind::Warning,
            place: Some(config.whole()),
            text: text.to_owned(),
        });
        return Ok(facts);
    }
    for group in &config.missing_groups {
        let text = format!(
            "{}: this group is not in the output: what it sets is not known, so that what follows \
             may be wrong",
            shown(&group.text)
        );
        let place = Some(config.place(group.line));
        facts.notes.push(Note { kind: NoteKind::Warning, place, text });
    }
    let mut read = listeners::read(&config, output.messages);
    facts.listeners = read.listeners;
    facts.notes.append(&mut read.notes);
    let databases = databases::read(&config);
    if !facts.listeners.is_empty() {
        login::note_none(&config, &databases, &mut facts.notes);
    }
    facts.login = login::read(&config, &databases, &mut facts.notes);
    facts.domains = domains(&config, &databases);
    read_names(&config, &mut facts);
    if config.setting("ssl", None).is_none_or(|it| !it.value.eq_ignore_ascii_case("no")) {
        read_certificates(&config, &mut facts);
    }
    note_filters(&config, &mut facts.notes);
    Ok(facts)
}

/// What keeps Dovecot from starting: a service that is on has no program. `folder` is `libexec_dir`.
pub fn missing_programs(
    output: &Output,
    folder: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<Note> {
    let Ok(config) = Config::parse(output) else { return Vec::new() };
    let programs = services::programs(&config, folder, &|word, service| {
        listeners::is_unknown(&config, word, service, output.messages)
    });
    let missing = programs.into_iter().filter(|it| !exists(&it.file));
    let note = |program: services::Program| Note {
        kind: NoteKind::Warning,
        place: program.place,
        text: format!(
            "Dovecot does not start: service {} needs {}, which is not there: install its package, or \
             take the protocol out of protocols",
            shown(&program.service),
            shown(&program.file.display().to_string())
        ),
    };
    missing.take(MAX_ITEMS).map(note).collect()
}

/// `Dovecot 2.3.19.1`
fn server(config: &Config) -> Option<Noted<String>> {
    let (line, _) = *config.tree.comments.first()?;
    let name = format!("Dovecot {}", config.version);
    Some(Noted::seen(name, config.place(line), ""))
}

/// What doveconf printed on standard error; true if Dovecot does not start with this configuration.
fn note_messages(messages: &str, notes: &mut Vec<Note>) -> bool {
    let is_fatal = |line: &str| line.contains("Fatal: ");
    let failed = messages.lines().any(is_fatal);
    let lines = messages.lines().map(str::trim).filter(|line| !line.is_empty());
    // An error is printed twice, as itself and as the reason for the end.
    let lines = lines.filter(|line| !failed || is_fatal(line));
    for line in lines.take(MAX_ITEMS) {
        let text = match is_fatal(line) {
            true => format!("Dovecot does not start with this configuration: {}", shown(line)),
            false => shown(line),
        };
        let kind = if failed { NoteKind::Warning } else { NoteKind::Hint };
        notes.push(Note { kind, place: None, text });
    }
    failed
}

/// Where the domains of users stand, each file once: what a `userdb` reads, else what a `passdb` reads.
fn domains(config: &Config, databases: &[Database]) -> Vec<Noted<DomainSource>> {
    let of = |is_passdb: bool| {
        let databases = databases.iter().filter(|it| it.is_passdb == is_passdb).take(MAX_ITEMS);
        let mut sources: Vec<Noted<DomainSource>> = Vec::new();
        for source in databases.filter_map(|it| it.domains(config)) {
            if sources.iter().all(|known| known.value != source.value) {
                sources.push(source);
            }
        }
        sources
    };
    let of_userdb = of(false);
    if of_userdb.is_empty() { of(true) } else { of_userdb }
}

/// The host name that was set, and that of the machine.
fn read_names(config: &Config, facts: &mut Facts) {
    if let Some(name) = config.tree.root.setting("hostname") {
        let found = config.seen(name);
        if is_variable(&found.value) {
            let text = "hostname is known only to the running Dovecot".to_owned();
            let place = found.origin.place().cloned();
            facts.notes.push(Note { kind: NoteKind::NotCarried, place, text });
        } else {
            facts.names.push(Noted { value: found.value, origin: found.origin });
        }
    }
    let of_machine = |(line, comment): &(usize, &str)| {
        let name = comment.strip_prefix("Hostname:")?.trim();
        let is_new = facts.names.iter().all(|it| it.value != name);
        let place = config.place(*line);
        (is_new && name.contains('.'))
            .then(|| Noted::seen(name, place, shown(&format!("Hostname: {name}"))))
    };
    let of_machine = config.tree.comments.iter().find_map(of_machine);
    facts.names.extend(of_machine);
}

/// The certificates: the usual one, those of protocols, and those that clients get by SNI.
fn read_certificates(config: &Config, facts: &mut Facts) {
    let keys = match config.is_new {
        true => ["ssl_server_cert_file", "ssl_server_alt_cert_file"],
        false => ["ssl_cert", "ssl_alt_cert"],
    };
    for key in keys {
        if let Some(found) = config.setting(key, None) {
            add_certificate(config, None, &found, facts);
        }
    }
    note_key(config, &mut facts.notes);
    let mut of_block = |block: &Block, name: Option<&str>| {
        for key in keys {
            if let Some(setting) = config::in_block(block, key) {
                add_certificate(config, name, &config.seen(setting), facts);
            }
        }
    };
    for block in config.tree.root.of("protocol") {
        of_block(block, None);
    }
    for block in config.tree.root.of("local_name") {
        for name in words(&block.name) {
            of_block(block, Some(name));
        }
    }
}

/// A certificate without its key: Dovecot 2.3.19 and 2.4.1 start, and close connections with TLS.
fn note_key(config: &Config, notes: &mut Vec<Note>) {
    let key = if config.is_new { "ssl_server_key_file" } else { "ssl_key" };
    let is_set = |it: &config::Found| !it.value.trim().is_empty();
    let certificate = config.setting(services::certificate_key(config), None).filter(is_set);
    let has_key = config.setting(key, None).is_some_and(|it| is_set(&it));
    if let (Some(certificate), false) = (certificate, has_key) {
        let text = format!("{key} is not set: without it no connection with TLS works");
        let place = certificate.origin.place().cloned();
        notes.push(Note { kind: NoteKind::Warning, place, text });
    }
}

fn add_certificate(config: &Config, name: Option<&str>, found: &config::Found, facts: &mut Facts) {
    if found.value.is_empty() || facts.certificates.len() >= MAX_ITEMS {
        return;
    }
    let name = name.map(str::to_owned);
    match databases::path(found, config.folder()) {
        Ok(file) => {
            let certificate = Certificate { name, file };
            if facts.certificates.iter().all(|known| known.value != certificate) {
                facts.certificates.push(Noted { value: certificate, origin: found.origin.clone() });
            }
        }
        Err(reason) => facts.notes.push(Note {
            kind: NoteKind::NotCarried,
            place: found.origin.place().cloned(),
            text: format!("the certificate is {reason}"),
        }),
    }
}

/// Settings that are in force for some addresses only.
fn note_filters(config: &Config, notes: &mut Vec<Note>) {
    let filters = ["local", "remote"].iter().flat_map(|kind| config.tree.root.of(kind));
    for block in filters.take(MAX_ITEMS) {
        let is_local = block.kind == "local";
        let whom = if is_local { "to" } else { "from" };
        let name = shown(&block.name);
        let mut protection = Vec::new();
        // Those of clients on some networks, such as a webmail, are their matter.
        if is_local && !block.name.starts_with("127.") && block.name != "::1" {
            add_protection(block, &mut protection);
        }
        let (kind, text) = match protection[..] {
            [] => (
                NoteKind::NotCarried,
                format!("settings for connections {whom} {name} are left out"),
            ),
            _ => (
                NoteKind::Warning,
                format!(
                    "connections {whom} {name} have {}, which is left out: if clients use that address, \
                     correct port and security",
                    shown(&protection.join(", "))
                ),
            ),
        };
        let place: Option<Place> = Some(config.place(block.line));
        notes.push(Note { kind, place, text });
    }
    let asks = config.setting("auth_ssl_require_client_cert", None).filter(config::Found::is_yes);
    if let Some(Origin::Seen { place, .. }) = asks.map(|it| it.origin) {
        let text =
            "clients need a certificate of their own, which no document can give them".to_owned();
        notes.push(Note { kind: NoteKind::Warning, place: Some(place), text });
    }
}

/// The settings in a block that decide about the protection of connections: `ssl = no`.
fn add_protection(block: &Block, found: &mut Vec<String>) {
    let names = ["ssl", "disable_plaintext_auth", "auth_allow_cleartext"];
    let settings = names.iter().filter_map(|name| block.setting(name));
    found.extend(settings.map(|it| format!("{} = {}", it.name, it.value)));
    for inner in block.of("protocol") {
        add_protection(inner, found);
    }
}
