//! The file of one domain in `domains.directory`: any text.
//!
//! Files that it names are not read: such a text is skipped. Checks: a text is accepted, or refused
//! with errors, each in an existing line; the documents of an accepted file are valid.

use super::answer;
use mailsetup::address::Domain;
use mailsetup::commands::CHECKS;
use mailsetup::config::settings::Found;
use mailsetup::config::{Config, Entry, check, entry};
use mailsetup::http_cache;
use mailsetup::question::Written;
use mailsetup::request::{Method, Request};
use mailsetup::route::route;
use std::path::Path;

thread_local! {
    /// The base of the file. Tables are inherited if a folder is configured; it is not read.
    static CONFIG: Config = {
        let text = concat!("domains.directory = '/'\n", include_str!("config.toml"));
        match check::text(Path::new("config.toml"), text, &CHECKS) {
            Ok(config) => config,
            Err(errors) => panic!("{errors:?}"),
        }
    };
}

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The search misses a key only if it is written with an escape, which needs a backslash.
    if text.contains('\\') || text.contains("template") || text.contains("logo") {
        return;
    }
    let path = Path::new("example.org.toml");
    let made = CONFIG.with(|config| entry::of_file(path, text, config.base()));
    match made {
        Ok(made) => {
            assert!(made.files.is_empty() && made.bytes < 64 * 1024);
            if let Entry::Settings(settings) = made.value {
                check_documents(&Found::new(settings, None, true));
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            let lines = text.split('\n').count();
            for error in errors {
                let place = error.place.as_ref().expect("a place");
                assert_eq!(&*place.file, path);
                let line = place.position.map(|(line, _)| line);
                assert!(line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
                assert!(!error.message.is_empty());
            }
        }
    }
}

fn check_documents(found: &Found) {
    let xn = "xn--bcher-kva.example";
    for (target, host) in [
        ("/mail/config-v1.1.xml?emailaddress=ann@example.org", "autoconfig.example.org"),
        ("/mobileconfig?emailaddress=ann@example.org", "autoconfig.example.org"),
        ("/autodiscover/autodiscover.xml", "autodiscover.xn--bcher-kva.example"),
        ("/.well-known/user-agent-configuration.json", xn),
    ] {
        let request = Request::new(Method::Get, target.as_bytes(), Some(host.as_bytes()), b"");
        let Some((_, Ok(question))) = route(&request) else { continue };
        let domain = match &question.address {
            Some(address) => address.domain().clone(),
            None => Domain::parse(xn).expect("a domain"),
        };
        let Some(account) = found.account(&domain, None, question.address.clone()) else {
            continue;
        };
        let mut response = match question.document.write(&account) {
            Written::ForRequest(response) => response,
            Written::ForDomain(form) | Written::ForMailbox(form) => {
                form.fill_in(&account.subject()).expect("an address where one is needed")
            }
        };
        http_cache::apply(&mut response, &request, true, None);
        answer::check(&response);
    }
}
