//! The services of a Dovecot: which of them accept connections of a protocol, whether they have a
//! certificate, and which programs they need.
//!
//! A service is known by the program that it runs: `service imap-ext-login { executable = imap-login }`
//! accepts connections as `service imap-login` does.

use super::config::{Config, in_block, is_variable, words};
use super::tree::{Block, escaped};
use crate::draft::Place;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The programs that accept connections of mail clients.
const LOGINS: [&str; 4] = ["imap-login", "pop3-login", "submission-login", "managesieve-login"];
/// The most services of a program.
const MAX_SERVICES: usize = 100;
/// The services that Dovecot has itself, by protocol. Each is the name of its program.
const OF_PROTOCOLS: [(&str, &[&str]); 5] = [
    ("imap", &["imap-login", "imap"]),
    ("pop3", &["pop3-login", "pop3"]),
    ("submission", &["submission-login", "submission"]),
    ("sieve", &["managesieve-login", "managesieve"]),
    ("lmtp", &["lmtp"]),
];

/// The names of the services that run a program, the default one first, for the protocols that are on.
pub fn of_program<'c>(
    config: &'c Config,
    program: &'c str,
    protocols: &BTreeSet<&str>,
) -> Vec<&'c str> {
    let mut names: Vec<&str> = Vec::new();
    let mut others = BTreeSet::new();
    for block in config.tree.root.of("service") {
        let runs = login_program(block);
        let protocol = block.setting("protocol").map_or("", |it| it.value.as_str());
        let is_on = words(protocol).all(|word| protocols.contains(word));
        if block.name == program {
            // A program of another protocol.
            if runs.is_some_and(|runs| runs != program) {
                others.insert(program);
            }
        } else if runs == Some(program) && is_on && others.insert(&block.name) {
            names.push(&block.name);
        }
    }
    names.truncate(MAX_SERVICES);
    if !others.contains(program) {
        names.insert(0, program);
    }
    names
}

/// The program of a service, if it is set, and accepts connections: `executable = imap-login -D`.
fn login_program(block: &Block) -> Option<&'static str> {
    let line = &block.setting("executable")?.value;
    let names = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    // A script may run it.
    names.into_iter().find_map(|name| LOGINS.into_iter().find(|login| *login == name))
}

/// All services, as `doveconf -S` lists them; `None` if it is not there or was cut off.
pub fn all<'c>(config: &'c Config) -> Option<BTreeSet<&'c str>> {
    let flat = config.flat.as_ref()?;
    let (line, list) = flat.get("service")?;
    // The last line may have been cut off.
    (line < flat.last_line()).then(|| words(list).collect())
}

//------------ Programs -------------------------------------------------------

/// A program that a service runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program {
    /// The service.
    pub service: String,
    /// The file.
    pub file: PathBuf,
    /// What says so.
    pub place: Option<Place>,
}

/// The programs of the services that run: Dovecot does not start if one is missing. `folder` is
/// `libexec_dir`; `is_unknown` says of a protocol and its first service that Dovecot does not know them.
pub fn programs(
    config: &Config,
    folder: &Path,
    is_unknown: &dyn Fn(&str, &str) -> bool,
) -> Vec<Program> {
    let protocols = config.protocols();
    let mut on: BTreeSet<&str> = words(&protocols.value).collect();
    let mut services: Vec<&str> = Vec::new();
    for (word, names) in OF_PROTOCOLS {
        if names.first().is_some_and(|first| is_unknown(word, first)) {
            on.remove(word);
        }
        if on.contains(word) {
            services.extend(names);
        }
    }
    let is_known = |word: &str| on.contains(word);
    for block in config.tree.root.of("service").take(MAX_SERVICES) {
        let protocol = block.setting("protocol").map_or("", |it| it.value.as_str());
        let runs = words(protocol).all(is_known) && block.setting("executable").is_some();
        if runs && !services.contains(&block.name.as_str()) {
            services.push(&block.name);
        }
    }
    let program = |service: &str| {
        let mut blocks = config.tree.root.of("service").rev().filter(|it| it.name == service);
        let own = blocks.find_map(|it| it.setting("executable"));
        let line = own.map(|it| config.seen(it));
        let line =
            line.or_else(|| config.flat(&format!("service/{}/executable", escaped(service))));
        let name = line.as_ref().and_then(|it| it.value.split_whitespace().next());
        // A path that is known only to the running Dovecot cannot be looked up.
        let name = name.unwrap_or(service);
        let place =
            line.as_ref().filter(|_| own.is_some()).map_or(&protocols.origin, |it| &it.origin);
        let file = folder.join(name);
        (!is_variable(name)).then(|| Program {
            service: service.to_owned(),
            file,
            place: place.place().cloned(),
        })
    };
    services.into_iter().filter_map(program).collect()
}

//------------ Certificate ----------------------------------------------------

/// Whether a protocol has a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Certificate {
    /// One for all connections.
    Usual,
    /// One for connections to some addresses; where it stands.
    OfAddress(Place),
    /// None. Those for names are of no use then: Dovecot 2.3.19 and 2.4.1 close the connection.
    None {
        /// True if there is one for a name.
        has_names: bool,
    },
}

/// The setting that has the certificate.
pub fn certificate_key(config: &Config) -> &'static str {
    if config.is_new { "ssl_server_cert_file" } else { "ssl_cert" }
}

/// The certificate of a protocol.
pub fn certificate(config: &Config, protocol: &str) -> Certificate {
    let key = certificate_key(config);
    if config.setting(key, Some(protocol)).is_some_and(|it| !it.value.trim().is_empty()) {
        return Certificate::Usual;
    }
    let root = &config.tree.root;
    let line = root.blocks.iter().filter(|it| it.kind != "local_name");
    match line.filter_map(|it| in_filter(it, key, protocol, it.kind == "local")).next() {
        Some(line) => Certificate::OfAddress(config.place(line)),
        None => Certificate::None {
            has_names: root.of("local_name").any(|it| in_block(it, key).is_some()),
        },
    }
}

/// The line of a setting that is in force for an address: `local 192.0.2.1 { protocol imap { … } }`.
fn in_filter(block: &Block, key: &str, protocol: &str, has_address: bool) -> Option<usize> {
    let is_filter = match block.kind {
        "local" | "remote" => true,
        "protocol" => words(&block.name).any(|word| word == protocol),
        _ => false,
    };
    if !is_filter {
        return None;
    }
    let own = in_block(block, key).filter(|it| has_address && !it.value.trim().is_empty());
    own.map(|it| it.line).or_else(|| {
        let mut inner = block.blocks.iter();
        inner.find_map(|it| in_filter(it, key, protocol, has_address || it.kind == "local"))
    })
}
