//! What users type as their login, as far as the settings of a Dovecot tell.
//!
//! `auth_username_format` makes the name that is looked up of the login that was typed, then the format of
//! a file with users is applied to that name: Dovecot 2.3.19 and 2.4.1 do so. A format without the domain
//! accepts the address and its local part, one with the domain needs the address.

use super::config::{Config, Found, shown};
use super::databases::Database;
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
    let default = if config.is_new { "%{user | lower}" } else { "%Lu" };
    let format = config.setting_or("auth_username_format", Some("imap"), default);
    let mut note = |kind, origin: &Origin, text: String| {
        notes.push(Note { kind, place: origin.place().cloned(), text });
    };
    note_realm(config, &mut note);
    let passdbs: Vec<_> = databases.iter().filter(|it| it.is_passdb && !it.is_special).collect();
    for database in &passdbs {
        note_proxy(database, &mut note);
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
            let text = "Dovecot removes the domain of a login: users may also type the address";
            note(NoteKind::Hint, &format.origin, text.to_owned());
            for database in &passdbs {
                note_late_format(database, config.is_new, &mut note);
            }
            return Some(Noted { value: LOCAL_PART.to_owned(), origin: format.origin });
        }
        Parts::Address => Noted { value: ADDRESS.to_owned(), origin: format.origin },
        Parts::Login => of_databases(config, &format, &passdbs, &mut note)?,
    };
    Some(login)
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

//------------ Parts ----------------------------------------------------------

/// Of which parts of the typed login a format is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Parts {
    /// Of all of it.
    Login,
    /// Of the local part only.
    LocalPart,
    /// Of the domain, too: the login must have one.
    Address,
    /// Of something else: an environment variable, the service, nothing.
    Other,
}

/// Reads a format: `%Ln`, `%{user | username | lower}`.
fn parts(format: &str, is_new: bool) -> Parts {
    let (mut user, mut name, mut domain, mut other) = (false, false, false, false);
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let variable = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some((variable, after)) => {
                rest = after;
                new_variable(variable)
            }
            None if is_new => return Parts::Other,
            None => {
                // Letters before the variable change it: `%Lu`, `%-1.3n`.
                let is_modifier = |c: char| "LUEXRNHMDT0123456789.-".contains(c);
                let after = after.trim_start_matches(is_modifier);
                let variable = after.chars().next();
                rest = variable.map_or("", |c| &after[c.len_utf8()..]);
                variable.map_or("", |c| match c {
                    'u' => "user",
                    'n' => "username",
                    'd' => "domain",
                    '%' => "percent",
                    _ => "",
                })
            }
        };
        match variable {
            "user" => user = true,
            "username" => name = true,
            "domain" => domain = true,
            "percent" => {}
            _ => other = true,
        }
    }
    match (user, name, domain) {
        _ if other => Parts::Other,
        // An empty format changes nothing.
        _ if format.is_empty() => Parts::Login,
        (true, _, false) => Parts::Login,
        (_, _, true) => Parts::Address,
        (false, true, false) => Parts::LocalPart,
        (false, false, false) => Parts::Other,
    }
}

/// The part of the login that a variable in braces is: `user | username | lower`, `domain`.
fn new_variable(variable: &str) -> &'static str {
    let mut steps = variable.split('|').map(str::trim);
    let mut part = match steps.next() {
        Some("user" | "original_user") => "user",
        Some("username") => "username",
        Some("domain") => "domain",
        _ => return "",
    };
    for step in steps {
        part = match step {
            "username" if part == "user" => "username",
            "domain" if part == "user" => "domain",
            "lower" | "upper" => part,
            _ => return "",
        };
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_made_of_parts_of_the_login() {
        for (format, expected) in [
            ("", Parts::Login),
            ("%u", Parts::Login),
            ("%Lu", Parts::Login),
            ("%Mu", Parts::Login),
            ("%{user}", Parts::Login),
            ("%n", Parts::LocalPart),
            ("%Ln", Parts::LocalPart),
            ("%{username}", Parts::LocalPart),
            ("%Ln@%Ld", Parts::Address),
            ("%Ln-at-%Ld", Parts::Address),
            ("%d%%", Parts::Address),
            ("%s-%n", Parts::Other),
            ("%{env:A}%u", Parts::Other),
            ("all", Parts::Other),
            ("%", Parts::Other),
        ] {
            assert_eq!(parts(format, false), expected, "{format}");
        }
        for (format, expected) in [
            ("%{user}", Parts::Login),
            ("%{user | lower}", Parts::Login),
            ("%{user|username|lower}", Parts::LocalPart),
            ("%{user | username}@%{user | domain | lower}", Parts::Address),
            ("%{user | username}%{env:SUFFIX}", Parts::Other),
            ("%{user | sha1}", Parts::Other),
            ("%{user", Parts::Other),
            ("%u", Parts::Other),
        ] {
            assert_eq!(parts(format, true), expected, "{format}");
        }
    }
}
