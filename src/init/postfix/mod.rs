//! What Postfix says: `postconf` with its options, main.cf and master.cf.
//!
//! Reads `postconf`, `postconf -n`, `postconf -x`, `postconf -M`, `postconf -P` and the files, each
//! line by what it is, so that a file may have several of them. Of one service or parameter, the
//! text that is given first counts. Rules: postconf(1), postconf(5), master(5).
//!
//! The mechanisms of logins are those of the SASL server: a listener with an empty list of them takes
//! logins, and Dovecot says which.

mod domains;
mod lines;
mod listeners;
mod parameters;
pub mod query;
mod restrictions;
mod services;
mod statement;

pub use domains::of_file;

use crate::address::Domain;
use crate::draft::{Note, NoteKind, Noted, Origin, Place};
use crate::init::facts::{Certificate, Facts};
use lines::{LIST, logical, shortened, words};
use listeners::shown;
use parameters::{Overrides, Parameters};
pub use restrictions::RESTRICTIONS;
use services::Services;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

/// The parameters that are read.
pub const PARAMETERS: [&str; 31] = [
    "inet_interfaces",
    "mail_version",
    "master_service_disable",
    "multi_instance_directories",
    "mydestination",
    "mydomain",
    "myhostname",
    "postscreen_upstream_proxy_protocol",
    "queue_directory",
    "smtpd_discard_ehlo_keywords",
    "smtpd_enforce_tls",
    "smtpd_sasl_auth_enable",
    "smtpd_sasl_local_domain",
    "smtpd_sasl_security_options",
    "smtpd_sasl_tls_security_options",
    "smtpd_sasl_type",
    "smtpd_tls_auth_only",
    "smtpd_tls_cert_file",
    "smtpd_tls_chain_files",
    "smtpd_tls_dcert_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_security_level",
    "smtpd_tls_wrappermode",
    "smtpd_upstream_proxy_protocol",
    "smtpd_use_tls",
    "tls_server_sni_maps",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
    "virtual_mailbox_maps",
    "inet_protocols",
];

/// The options of postconf whose output says all: `-x` with [`PARAMETERS`] and [`RESTRICTIONS`], then these.
pub const MORE_OPTIONS: [&[&str]; 2] = [&["-M"], &["-P", "-x"]];

/// The output of a command, or a file.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// The command or the file, as it is shown: `postconf -x`.
    pub source: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// True if at least half of the lines are of postconf or master.cf.
pub fn is_output(text: &str) -> bool {
    let (mut main, mut services) = (Parameters::new(), Services::default());
    let (place, lines) = (Place::whole(""), logical(text));
    let others = lines.iter().filter(|line| {
        !services.read_parameter(&line.text, &place)
            && !services.read_line(&line.text, &place)
            && !main.read(&line.text, place.clone())
    });
    others.count() * 2 <= lines.len()
}

/// Parameters that differ between instances of Postfix.
const OF_INSTANCES: [&str; 5] =
    ["myhostname", "queue_directory", "data_directory", "multi_instance_name", "inet_interfaces"];

/// Says which outputs are of two instances, if any are: each has its own services, and their settings
/// cannot be put together.
pub fn two_instances(outputs: &[Output]) -> Option<String> {
    let mut known: HashMap<&str, (String, &str)> = HashMap::new();
    for output in outputs {
        let lines = logical(output.text);
        for (name, value) in lines.iter().filter_map(|line| lines::assignment(&line.text)) {
            let Some(name) = OF_INSTANCES.into_iter().find(|it| *it == name) else { continue };
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            // The same value may stand there with and without references.
            if value.contains('$') {
                continue;
            }
            let (first, source) = known.entry(name).or_insert((value.clone(), output.source));
            if *first != value && *source != output.source {
                return Some(format!(
                    "{source} and {} are of two instances of Postfix, since {name} differs: give the \
                     outputs of the instance that users log in to",
                    output.source
                ));
            }
        }
    }
    None
}

/// What Postfix says in these outputs.
pub fn read(outputs: &[Output]) -> Facts {
    let (mut main, mut services, mut notes) = (Parameters::new(), Services::default(), Vec::new());
    for output in outputs {
        let mut others = 0_usize;
        for line in logical(output.text) {
            let place = Place::line(output.source, line.number);
            // In this order: a parameter of a service has a `=`, and so has the line of a service.
            if services.read_parameter(&line.text, &place)
                || services.read_line(&line.text, &place)
                || main.read(&line.text, place.clone())
            {
                continue;
            }
            others += 1;
            if others == 1 {
                let text = "not a line of postconf or master.cf".to_owned();
                notes.push(Note { kind: NoteKind::Hint, place: Some(place), text });
            }
        }
        if others > 1 {
            let text = format!("{} more lines are not of postconf or master.cf", others - 1);
            let place = Some(Place::whole(output.source));
            notes.push(Note { kind: NoteKind::Hint, place, text });
        }
    }
    let mut facts = Facts { notes, ..Facts::default() };
    if main.is_empty() && services.is_empty() {
        return facts;
    }
    facts.server = Some(server(&main));
    listen(&mut facts, &main, &services);
    names(&mut facts, &main);
    certificates(&mut facts, &main, &services);
    let mut reader = domains::Reader::new(&main, &services);
    reader.read();
    facts.domains = reader.sources;
    facts.notes.append(&mut reader.notes);
    others(&mut facts, &main);
    facts
}

fn server(main: &Parameters) -> Noted<String> {
    match main.setting("mail_version") {
        Some(version) => {
            let name = format!("Postfix {}", shortened(&version.value));
            Noted::seen(name, version.place.clone(), version.shown.clone())
        }
        None => Noted::assumed("Postfix", "these are its settings"),
    }
}

fn listen(facts: &mut Facts, main: &Parameters, services: &Services) {
    let mut kinds = BTreeMap::new();
    for service in services.iter() {
        let listener = listeners::listener(service, services, main, &mut facts.notes);
        let takes_logins = listener.as_ref().is_some_and(|listener| listener.auth.is_some());
        if takes_logins && !main.is_partial() {
            let kind = main.value("smtpd_sasl_type", &service.own);
            kinds.entry(kind.value).or_insert(kind.origin);
        }
        facts.listeners.extend(listener);
    }
    facts.notes.extend(kinds.iter().filter_map(|(kind, origin)| sasl(kind, origin, main)));
    if services.left_out() > 0 {
        let text = format!("{} services after the first {}", services.left_out(), services::MAX);
        facts.notes.push(Note { kind: NoteKind::NotCarried, place: None, text });
    }
    let missing = match (main.is_empty(), services.has_lines()) {
        (true, _) => {
            "the output of postconf is missing: what is not set for a service itself is \
                      taken to be Postfix's default"
        }
        (_, true) => return,
        (_, false) if services.is_empty() => {
            "the output of postconf -M is missing: where Postfix listens is not known"
        }
        _ => {
            "the output of postconf -M is missing: services without settings of their own are not \
              known"
        }
    };
    facts.notes.push(Note { kind: NoteKind::Hint, place: None, text: missing.to_owned() });
}

fn names(facts: &mut Facts, main: &Parameters) {
    let name = main.value("myhostname", &Overrides::new());
    if let Ok(domain) = Domain::parse(&name.value) {
        facts.names.push(Noted { value: domain.as_str().to_owned(), origin: name.origin });
        return;
    }
    if main.is_empty() {
        return;
    }
    let text = match name.value.is_empty() {
        true => "myhostname is not set: it is the name of the machine".to_owned(),
        false => format!("{} is not a full host name", shown(&name.origin)),
    };
    facts.notes.push(Note { kind: NoteKind::Hint, place: None, text });
}

/// The certificates of main.cf, and those of services that take logins.
fn certificates(facts: &mut Facts, main: &Parameters, services: &Services) {
    let mut known = HashSet::new();
    let none = Overrides::new();
    let own = services.iter().filter(|service| service.kind == "inet").map(|service| &service.own);
    for own in std::iter::once(&none).chain(own) {
        let chains = main.value("smtpd_tls_chain_files", own);
        let files = match chains.value.is_empty() {
            true => listeners::CERTIFICATES.map(|name| main.value(name, own)).into(),
            false => vec![chains],
        };
        for found in files {
            for file in words(&found.value, LIST).into_iter().filter(|file| *file != "none") {
                if known.insert(file.to_owned()) {
                    let value = Certificate { name: None, file: PathBuf::from(file) };
                    facts.certificates.push(Noted { value, origin: found.origin.clone() });
                }
            }
        }
    }
    let sni = main.value("tls_server_sni_maps", &none);
    if !sni.value.is_empty() {
        let text = "it has certificates for further names, which clients may use, too".to_owned();
        facts.notes.push(Note { kind: NoteKind::Hint, place: sni.origin.place().cloned(), text });
    }
}

/// Who decides about logins, if it is not Dovecot.
fn sasl(kind: &str, origin: &Origin, main: &Parameters) -> Option<Note> {
    let text = match kind {
        "dovecot" => return None,
        "cyrus" => {
            let realm = main.value("smtpd_sasl_local_domain", &Overrides::new()).value;
            let realm = match realm.as_str() {
                "" => String::new(),
                realm => format!("; a login without a domain is one of {}", shortened(realm)),
            };
            format!(
                "logins are those of Cyrus SASL, which has its mechanisms in mech_list of \
                 smtpd.conf: {}{realm}",
                shown(origin)
            )
        }
        _ => format!("who takes the logins is not known: {}", shown(origin)),
    };
    Some(Note { kind: NoteKind::Hint, place: None, text })
}

/// What else an admin must know.
fn others(facts: &mut Facts, main: &Parameters) {
    let none = Overrides::new();
    let directories = main.value("multi_instance_directories", &none);
    if !directories.value.is_empty() {
        let value = shortened(&directories.value);
        facts.instances = Some(Noted { value, origin: directories.origin });
    }
    let protocols = main.value("inet_protocols", &none);
    if protocols.value.eq_ignore_ascii_case("ipv6") {
        let text = format!("clients without IPv6 do not reach it: {}", shown(&protocols.origin));
        facts.notes.push(Note { kind: NoteKind::Warning, place: None, text });
    }
    let unknown = main.unknown();
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(|name| format!("${name}")).collect();
        let text = format!(
            "not set in what was read: {}; what depends on it is assumed; `postconf -n` has all that is \
             set",
            shortened(&names.join(" "))
        );
        facts.notes.push(Note { kind: NoteKind::Warning, place: None, text });
    }
    if main.is_exhausted() {
        let text = "a value has too many references, or one that is not complete; it is taken to be \
                    empty";
        facts.notes.push(Note { kind: NoteKind::Warning, place: None, text: text.to_owned() });
    }
}

#[cfg(test)]
mod tests;
