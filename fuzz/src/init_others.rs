//! What Exim prints, smtpd.conf of OpenSMTPD, and the list of ports of the kernel: any text. The
//! configuration that is made of them, too.
//!
//! Checks: the facts are the same a second time; each place is a line of its text; a login needs TLS
//! where TLS begins with the first byte; what is written is a configuration that can be used once the
//! values that do not fit are taken out, and servers that only the machine itself reaches are not in it.

use mailsetup::account::Security;
use mailsetup::commands::{CHECKS, fit};
use mailsetup::config::check;
use mailsetup::draft::{self, Place};
use mailsetup::init::assemble::{Machine, assemble};
use mailsetup::init::exim;
use mailsetup::init::facts::{Facts, Reach};
use mailsetup::init::listening::Listening;
use mailsetup::init::opensmtpd::{self, File};
use std::path::Path;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, second) = text.split_once('\0').unwrap_or((text, ""));
    let listening = Listening::parse(second);
    assert_eq!(listening, Listening::parse(second));
    let files = [File { name: "smtpd.conf", text: first }, File { name: "more", text: second }];
    let opensmtpd = opensmtpd::read(&files);
    assert_eq!(opensmtpd, opensmtpd::read(&files));
    let exim = exim::read(first, "exim -bP");
    assert_eq!(exim, exim::read(first, "exim -bP"));
    let facts: Vec<_> = exim.into_iter().chain([opensmtpd]).collect();
    for facts in &facts {
        check_facts(facts, &[("smtpd.conf", first), ("more", second), ("exim -bP", first)]);
    }
    let machine = Machine { facts, listening, ..Machine::default() };
    let mut draft = assemble(&machine);
    let port = |number: u16| {
        machine
            .facts
            .iter()
            .flat_map(|it| &it.listeners)
            .all(|it| it.port.value.get() != number || it.reach != Reach::Loopback)
    };
    for server in &draft.top.servers {
        let seen = server.port.as_ref().filter(|it| it.origin.place().is_some());
        let is_elsewhere = machine.facts.iter().flat_map(|it| &it.listeners).any(|it| {
            seen.is_some_and(|port| port.value == it.port.value.get())
                && it.reach != Reach::Loopback
        });
        assert!(seen.is_none_or(|it| port(it.value) || is_elsewhere), "{server}");
    }
    draft.settle();
    let path = Path::new("config.toml");
    fit(&mut draft, path);
    let written = draft::write(&draft);
    let result = check::text(path, &written, &CHECKS);
    assert!(result.is_ok(), "{:?}\n{written}", result.err());
}

fn check_facts(facts: &Facts, texts: &[(&str, &str)]) {
    let places = facts.listeners.iter().filter_map(|it| it.port.origin.place());
    let places = places.chain(facts.domains.iter().filter_map(|it| it.origin.place()));
    let places = places.chain(facts.notes.iter().filter_map(|it| it.place.as_ref()));
    for Place { source, line } in places {
        let text = texts.iter().find(|(name, _)| name == source).expect("a text").1;
        assert!(line.is_none_or(|line| line >= 1 && line <= text.lines().count().max(1)));
    }
    for listener in &facts.listeners {
        assert!(listener.security.value != Security::Tls || listener.requires_tls);
    }
}
