//! What users type as their login, as far as the settings of a Dovecot tell.
//!
//! `auth_username_format` makes the name that is looked up of the login that was typed, then the format of
//! a file with users is applied to that name: Dovecot 2.3.19 and 2.4.1 do so. A format without the domain
//! accepts the address and its local part, one with the domain needs the address. If both are accepted,
//! the address is the login: some clients cannot use the local part. SMTP servers that ask Dovecot, and
//! protocols without a format of their own, have the format at the top.

use super::config::{Config, Found, shown};
use super::databases::Database;
use super::format::{Parts, parts};
use crate::draft::{Note, NoteKind, Noted, Origin};

/// The whole address.
const ADDRESS: &str = "%EMAILADDRESS%";
/// What is before its `@`.
const LOCAL_PART: &str = "%EMAILLOCALPART%";

/// Finds the login.
pub fn read(
    config: &Config,
    databases: &[Database],
    notes: &mut Vec<Note>,
) -> Option<Noted<String>> {
    let format = format(config, Some("imap"));
    let for_all = parts(&self::format(config, None).value, config.is_new);
    let mut note = |kind, origin: &Origin, text: String| {
        notes.push(Note { kind, place: origin.place().cloned(), text });
    };
    note_realm(config, &mut note);
    note_formats(config, &mut note);
    let passdbs: Vec<_> = databases.iter().filter(|it| it.is_passdb && !it.is_special).collect();
    for database in &passdbs {
        note_proxy(database, &mut note);
        note_refused(database, &mut note);
    }
    let login = match parts(&format.value, config.is_new) {
        Parts::Other => {
            let text = format!(
                "{}: the login cannot be told from it; set username to what users type",
                shown(&format.value)
            );
            note(NoteKind::Hint, &format.origin, text);
            return None;
        }
        Parts::LocalPart => {
            for database in &passdbs {
                note_late_format(database, config.is_new, &mut note);
            }
            let text = match for_all {
                Parts::LocalPart => {
                    "Dovecot removes the domain of a login: users log in with the address, which works \
                     in all clients, or with the name alone"
                }
                // Other servers look up the address as it is.
                _ => {
                    "Dovecot removes the domain of a login to IMAP only: users can log in to IMAP with \
                     the address or the name alone, to other servers with the name; to accept the \
                     address there, set auth_username_format outside of protocol imap"
                }
            };
            note(NoteKind::Hint, &format.origin, text.to_owned());
            let value = if for_all == Parts::LocalPart { ADDRESS } else { LOCAL_PART };
            return Some(Noted { value: value.to_owned(), origin: format.origin });
        }
        Parts::Address => Noted { value: ADDRESS.to_owned(), origin: format.origin },
        Parts::Login => of_databases(config, &format, &passdbs, &mut note)?,
    };
    Some(login)
}

/// `auth_username_format` of a protocol, or of all.
fn format(config: &Config, protocol: Option<&str>) -> Found {
    let default = if config.is_new { "%{user | lower}" } else { "%Lu" };
    config.setting_or("auth_username_format", protocol, default)
}

/// The login if Dovecot looks up what was typed: then the databases decide.
fn of_databases(
    config: &Config,
    format: &Found,
    passdbs: &[&Database],
    note: &mut impl FnMut(NoteKind, &Origin, String),
) -> Option<Noted<String>> {
    let known = passdbs.iter().copied().filter(|it| !it.is_empty());
    let (of_system, others): (Vec<&Database>, Vec<&Database>) =
        known.partition(|it| it.is_of_system());
    if let (Some(system), false) = (of_system.first(), others.is_empty()) {
        let text = "accounts of the system have no domain: they log in by their name alone";
        note(NoteKind::Hint, &system.origin, text.to_owned());
    }
    if let Some(with_domain) = others.iter().find(|it| it.has_file_of_domain()) {
        return Some(Noted { value: ADDRESS.to_owned(), origin: with_domain.origin.clone() });
    }
    let removes_domain = |it: &&&Database| {
        it.format.as_ref().is_some_and(|it| parts(it, config.is_new) == Parts::LocalPart)
    };
    if let Some(file) = others.iter().find(removes_domain) {
        let text = "the domain is removed before the look-up: users may also type the name alone";
        note(NoteKind::Hint, &file.origin, text.to_owned());
        return Some(Noted { value: ADDRESS.to_owned(), origin: file.origin.clone() });
    }
    if let Some(other) = others.first() {
        let place = other.origin.place().map(|it| format!(" ({it})")).unwrap_or_default();
        let reason = format!(
            "Dovecot looks up the login in {}{place}; most such databases have addresses",
            other.driver
        );
        return Some(Noted::assumed(ADDRESS, reason));
    }
    if let Some(system) = of_system.first() {
        if system.driver == "pam" {
            let place = system.origin.place().map(|it| format!(" ({it})")).unwrap_or_default();
            let reason = format!(
                "Dovecot uses PAM{place}, usually without a domain; if users log in with the address, \
                 write %EMAILADDRESS%"
            );
            return Some(Noted::assumed(LOCAL_PART, reason));
        }
        return Some(Noted { value: LOCAL_PART.to_owned(), origin: system.origin.clone() });
    }
    // That there is none is another matter.
    if passdbs.is_empty() {
        return None;
    }
    let text = "no database tells whether logins are addresses; set username to what users type";
    note(NoteKind::Hint, &format.origin, text.to_owned());
    None
}

/// A file that is searched for addresses, although the domain is gone by then.
fn note_late_format(
    database: &Database,
    is_new: bool,
    note: &mut impl FnMut(NoteKind, &Origin, String),
) {
    let Some(format) = &database.format else { return };
    if parts(format, is_new) != Parts::LocalPart {
        let format = shown(format);
        let text = format!("{format} of this file is applied to the name without its domain");
        note(NoteKind::Hint, &database.origin, text);
    }
}

/// Protocols whose logins have another form than those of IMAP.
fn note_formats(config: &Config, note: &mut impl FnMut(NoteKind, &Origin, String)) {
    let of_imap = parts(&format(config, Some("imap")).value, config.is_new);
    for protocol in ["pop3", "submission", "sieve"] {
        let own = format(config, Some(protocol));
        let is_own = own.origin != format(config, None).origin;
        if is_own && parts(&own.value, config.is_new) != of_imap {
            let text = format!(
                "logins to {protocol} have another form than those to imap: {}; one login may not work \
                 for both",
                shown(&own.value)
            );
            note(NoteKind::Warning, &own.origin, text);
        }
    }
}

/// A database that refuses logins.
fn note_refused(database: &Database, note: &mut impl FnMut(NoteKind, &Origin, String)) {
    if database.no_login {
        let text = "this database refuses every login to Dovecot (nologin)".to_owned();
        note(NoteKind::Warning, &database.origin, text);
    }
    if let Some(networks) = &database.networks {
        let text = format!(
            "users of this database log in from {} only (allow_nets)",
            shown(&networks.replace(',', ", "))
        );
        note(NoteKind::Warning, &database.origin, text);
    }
}

/// That nobody can log in, since no database checks passwords.
pub fn note_none(config: &Config, databases: &[Database], notes: &mut Vec<Note>) {
    let mut passdbs = databases.iter().filter(|it| it.is_passdb);
    if passdbs.clone().any(|it| !it.is_special) {
        return;
    }
    let of_protocol = config.tree.root.of("protocol").find_map(|it| it.of("passdb").next());
    let (place, why) = match (passdbs.next(), of_protocol) {
        (Some(special), _) => {
            (special.origin.place().cloned(), "it has no passdb for users".to_owned())
        }
        (None, Some(block)) => {
            let why = "a passdb inside of protocol has no effect: move it to the top";
            (Some(config.place(block.line)), why.to_owned())
        }
        (None, None) => (Some(config.whole()), "it has no passdb".to_owned()),
    };
    let text = format!("nobody can log in to this Dovecot, nor to servers that ask it: {why}");
    notes.push(Note { kind: NoteKind::Warning, place, text });
}

/// A domain that is added to logins without one.
fn note_realm(config: &Config, note: &mut impl FnMut(NoteKind, &Origin, String)) {
    let name = if config.is_new { "auth_default_domain" } else { "auth_default_realm" };
    if let Some(realm) = config.setting(name, None).filter(|it| !it.value.is_empty()) {
        let text = format!("logins without a domain get {}", shown(&realm.value));
        note(NoteKind::Hint, &realm.origin, text);
    }
}

/// A database that passes users on to another server.
fn note_proxy(database: &Database, note: &mut impl FnMut(NoteKind, &Origin, String)) {
    if let Some(host) = &database.proxy {
        let host = match host.as_str() {
            "" => "other servers".to_owned(),
            host => shown(host),
        };
        let text = format!(
            "Dovecot is a proxy: users are passed on to {host}, which decides about logins and methods"
        );
        note(NoteKind::Hint, &database.origin, text);
    } else if database.no_password {
        let text = "this database accepts every password (nopassword)".to_owned();
        note(NoteKind::Warning, &database.origin, text);
    }
}
