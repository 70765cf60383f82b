//! What postconf prints, main.cf, master.cf, and the file of a database, in any order: any text. A
//! NUL begins the next output.
//!
//! Checks: the facts are the same a second time; whatever is said about a line names one that
//! exists; a listener with TLS from the first byte requires TLS; domains are valid and named once;
//! files have absolute paths; texts are short. The command that lists the domains of a database is
//! in one line, has no password, and every word in it that a shell could read as more than a word is
//! quoted.

use mailsetup::account::Security;
use mailsetup::address::Domain;
use mailsetup::draft::{Origin, Place};
use mailsetup::init::facts::{DomainSource, Facts};
use mailsetup::init::postfix::{Output, query, read};
use std::collections::HashSet;

/// The longest text that is shown about a line.
const SHOWN: usize = 2048;
const PASSWORD: &str = "Xyzzy-31415";
const NAMES: [&str; 3] = ["postconf -x", "postconf -M", "postconf -P"];

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let texts = text.splitn(NAMES.len(), '\0');
    let outputs = NAMES.into_iter().zip(texts).map(|(source, text)| Output { source, text });
    let outputs: Vec<_> = outputs.collect();
    let facts = read(&outputs);
    assert_eq!(facts, read(&outputs));
    check(&facts, &outputs);
    for kind in ["mysql", "pgsql", "sqlite", "ldap"] {
        let file = format!("password = {PASSWORD}\nbind_pw = {PASSWORD}\n{text}");
        if let Ok(command) = query::command(kind, &file) {
            assert!(text.contains(PASSWORD) || !command.contains(PASSWORD), "{command}");
            assert!(!command.contains(char::is_control), "{command:?}");
            let pipes = if kind == "ldap" { 2 } else { 1 };
            assert_eq!(pipes_of(&command), Some(pipes), "{command}");
        }
    }
}

fn check(facts: &Facts, outputs: &[Output]) {
    let check_place = |place: &Place| {
        let output = outputs.iter().find(|output| output.source == place.source);
        let lines = output.expect("an output").text.lines().count();
        assert!(place.line.is_none_or(|line| (1..=lines).contains(&line)), "{place}");
    };
    let check_origin = |origin: &Origin| match origin {
        Origin::Seen { place, text } => {
            check_place(place);
            assert!(text.len() <= SHOWN);
        }
        Origin::Assumed(reason) => assert!(matches!(reason.len(), 1..=SHOWN)),
    };
    for note in &facts.notes {
        note.place.iter().for_each(check_place);
        assert!(matches!(note.text.len(), 1..=SHOWN), "{note}");
    }
    for listener in &facts.listeners {
        check_origin(&listener.port.origin);
        check_origin(&listener.security.origin);
        listener.auth.iter().for_each(|auth| check_origin(&auth.origin));
        listener.behind_proxy.iter().for_each(check_origin);
        listener.without.iter().for_each(|without| check_origin(&without.origin));
        listener.refuses_mail.iter().for_each(check_origin);
        assert!(listener.requires_tls || listener.security.value != Security::Tls);
    }
    facts.certificates.iter().for_each(|certificate| check_origin(&certificate.origin));
    let mut names = HashSet::new();
    for source in &facts.domains {
        check_origin(&source.origin);
        match &source.value {
            DomainSource::Name(name) | DomainSource::Host(name) => {
                assert!(Domain::parse(name).is_ok_and(|domain| domain.as_str() == name), "{name}");
                assert!(names.insert(name), "{name}");
            }
            DomainSource::Words(file) | DomainSource::File(file) => assert!(file.is_absolute()),
            DomainSource::Command(words) => assert_eq!(words[..2], ["postmap", "-s"]),
            DomainSource::Query { file, command, .. } => {
                assert!(file.iter().all(|file| file.is_absolute()) && command.is_none());
            }
            DomainSource::Unknown(why) => assert!(matches!(why.len(), 1..=SHOWN)),
        }
    }
}

/// The pipes of a shell command; `None` if a character outside of quotes has another meaning.
fn pipes_of(command: &str) -> Option<usize> {
    let (mut quote, mut pipes) = (None, 0);
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some('"'), '$' | '`' | '\\' | '!') => return None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '|') => pipes += 1,
            (None, '\\') => drop(chars.next()),
            (None, c) if c.is_ascii_alphanumeric() || " -_./:=@%+,".contains(c) => {}
            (None, _) => return None,
        }
    }
    quote.is_none().then_some(pipes)
}
