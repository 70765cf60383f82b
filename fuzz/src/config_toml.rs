//! The configuration file: any text.
//!
//! Files that it names are not read: such a text is only parsed, not checked. Checks: a text is
//! accepted, or refused with errors, each in an existing line; an accepted configuration answers
//! for the domains it names, with valid documents.

use super::answer;
use mailsetup::commands::CHECKS;
use mailsetup::config::overlay::Lines;
use mailsetup::config::read::Document;
use mailsetup::config::report::Report;
use mailsetup::config::{Config, check, file};
use mailsetup::request::{Method, Request};
use std::path::Path;

/// The keys whose values are names of files.
const FILE_KEYS: [&str; 6] =
    ["list_files", "directory", "signing_certificate", "signing_key", "template", "logo"];

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The search misses a key only if it is written with an escape, which needs a backslash.
    let may_name_files = text.contains('\\') || FILE_KEYS.iter().any(|key| text.contains(key));
    if may_name_files && names_files(text) {
        return;
    }
    match check::text(Path::new("config.toml"), text, &CHECKS) {
        Ok(config) => check_config(&config),
        Err(errors) => {
            assert!(!errors.is_empty());
            let lines = text.split('\n').count();
            for error in errors {
                let position = error.place.as_ref().and_then(|place| place.position);
                assert!(position.is_none_or(|(line, _)| (1..=lines).contains(&line)), "{error}");
                assert!(!error.message.is_empty());
            }
        }
    }
}

/// True if the check would read other files.
fn names_files(text: &str) -> bool {
    let mut report = Report::new(Path::new("config.toml"), text);
    let variables = Lines::default();
    let Some(mut document) = Document::read(text, &variables, &mut report) else { return false };
    let signs =
        |apple: &file::Apple| apple.signing_certificate.is_some() || apple.signing_key.is_some();
    let has_files = |tables: &file::Tables| {
        let page = tables.page.as_deref();
        page.is_some_and(|page| page.template.is_some() || page.logo.is_some())
            || tables.apple.as_deref().is_some_and(signs)
    };
    let domains = &document.file.domains;
    let mut names_files = !domains.list_files.is_empty() || domains.directory.is_some();
    names_files |= has_files(&document.base);
    while let Some((_, tables)) = document.next_domain(&mut report) {
        names_files |= has_files(&tables);
    }
    names_files
}

fn check_config(config: &Config) {
    assert!(config.files.is_empty() && config.warnings.is_empty());
    let mut domains: Vec<_> = config.domains().iter().map(ToString::to_string).collect();
    domains.truncate(2);
    domains.push("unnamed.example".to_owned());
    for domain in domains {
        let target = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
        answer::check(&ask(config, &target, None));
        let target = format!("/mobileconfig?emailaddress=ann@{domain}");
        answer::check(&ask(config, &target, None));
        answer::check(&ask(config, "/autodiscover/autodiscover.xml", Some(&domain)));
        answer::check(&ask(config, "/.well-known/user-agent-configuration.json", Some(&domain)));
    }
}

fn ask(config: &Config, target: &str, host: Option<&str>) -> mailsetup::response::Response {
    let host = host.map(str::as_bytes);
    answer::ask_of(&Request::new(Method::Get, target.as_bytes(), host, b""), config)
}
