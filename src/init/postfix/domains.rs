//! The mail domains of users: lists of names, of files and of maps (postconf(5), DATABASE_README).
//!
//! `virtual_mailbox_domains` and `mydestination` have mailboxes. `virtual_alias_domains` have none,
//! and `relay_domains` are those of other servers.

use super::lines::{LIST, logical, shortened, unbraced, words};
use super::parameters::{Found, Overrides, Parameters};
use super::services::Services;
use crate::address::Domain;
use crate::draft::{Note, NoteKind, Noted, Origin};
use crate::init::facts::DomainSource;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// How many names of a list are taken.
const MAX_NAMES: usize = 10_000;
/// How many files, maps and notes a list may have.
const MAX_MAPS: usize = 200;

/// Reads the lists of one Postfix.
pub struct Reader<'a> {
    /// The parameters.
    pub main: &'a Parameters,
    /// The services, for the root of sockets.
    pub services: &'a Services,
    /// What was found.
    pub sources: Vec<Noted<DomainSource>>,
    /// What is to be said about it.
    pub notes: Vec<Note>,
    names: HashSet<Domain>,
    maps: usize,
    /// True if there are no lists but `mydestination`.
    is_only_host: bool,
}

impl<'a> Reader<'a> {
    /// A reader that found nothing so far.
    pub fn new(main: &'a Parameters, services: &'a Services) -> Reader<'a> {
        let (sources, notes) = (Vec::new(), Vec::new());
        let names = HashSet::new();
        Reader { main, services, sources, notes, names, maps: 0, is_only_host: false }
    }

    /// Reads all lists.
    pub fn read(&mut self) {
        let none = Overrides::new();
        self.list("virtual_mailbox_domains", None);
        let host = self.main.value("myhostname", &none).value.to_ascii_lowercase();
        let aliases = self.main.value("virtual_alias_domains", &none);
        let maps = self.main.value("virtual_alias_maps", &none).value;
        let has_aliases = !aliases.value.is_empty() && aliases.value != maps;
        let has_mailboxes = !self.sources.is_empty();
        self.is_only_host = !has_mailboxes && !has_aliases;
        if self.main.setting("mydestination").is_some() {
            self.list("mydestination", Some(&host));
        }
        if !has_aliases {
            return;
        }
        let text = if has_mailboxes {
            "these domains have aliases and no mailboxes; they are left out"
        } else {
            // Without mailboxes of their own, users of the system have several domains by aliases.
            self.list("virtual_alias_domains", None);
            "its addresses are aliases; remove the domains that no user has"
        };
        self.note(NoteKind::Hint, &aliases.origin, text.to_owned());
    }

    /// Reads one list. `host` is the name of the machine, which is left out with its other names.
    fn list(&mut self, name: &str, host: Option<&str>) {
        let Found { value, origin, .. } = self.main.value(name, &Overrides::new());
        self.entries(&value, &origin, name, host);
    }

    /// The words of a list.
    fn entries(&mut self, value: &str, whole: &Origin, name: &str, host: Option<&str>) {
        let (mut own_names, mut excluded) = (Vec::new(), BTreeSet::new());
        let (mut left_out, mut not_domains) = (0_usize, 0_usize);
        for word in words(value, LIST) {
            let origin = part(whole, name, word);
            if let Some(pattern) = word.strip_prefix('!') {
                match Domain::parse(pattern) {
                    Ok(domain) => drop(excluded.insert(domain)),
                    Err(_) => self.excluded(pattern, &origin),
                }
            } else if word.starts_with('/') {
                self.push(DomainSource::Words(PathBuf::from(word)), &origin);
            } else if let Some((kind, rest)) = word.split_once(':') {
                self.map(kind, rest, &origin);
            } else if let Ok(domain) = Domain::parse(word) {
                if host.is_some_and(|host| is_of_machine(domain.as_str(), host)) {
                    own_names.push(word);
                } else if self.names.len() >= MAX_NAMES {
                    left_out += 1;
                } else if !excluded.contains(&domain) {
                    self.name(domain, &origin);
                }
            } else if host.is_some() {
                own_names.push(word);
            } else {
                not_domains += 1;
                if not_domains == 1 {
                    let text = format!("{:?} is not a domain", shortened(word));
                    self.note(NoteKind::NotCarried, &origin, text);
                }
            }
        }
        // The only domain there is.
        if let (Some(host), true) = (host, self.is_only_host && self.sources.is_empty()) {
            let is_own = |name: &&str| name.eq_ignore_ascii_case(host) && is_public(host);
            let own = own_names.iter().position(is_own);
            if let Some(word) = own.map(|at| own_names.remove(at)) {
                own_names.retain(|name| !name.eq_ignore_ascii_case(host));
                self.push(DomainSource::Host(host.to_owned()), &part(whole, name, word));
            }
        }
        if !own_names.is_empty() {
            let names = shortened(&own_names.join(", "));
            let text = format!("names of the machine itself are left out: {names}");
            self.note(NoteKind::Hint, whole, text);
        }
        for domain in excluded {
            self.excluded(domain.as_str(), whole);
        }
        if not_domains > 1 {
            let text = format!("{} more words of {name} are not domains", not_domains - 1);
            self.note(NoteKind::NotCarried, whole, text);
        }
        if left_out > 0 {
            let text = format!("{left_out} domains of {name} after the first {MAX_NAMES}");
            self.note(NoteKind::NotCarried, whole, text);
        }
    }

    fn excluded(&mut self, pattern: &str, origin: &Origin) {
        let text = format!(
            "!{} excludes from what follows it; if a list names it, remove it there",
            shortened(pattern)
        );
        self.note(NoteKind::Hint, origin, text);
    }

    fn name(&mut self, domain: Domain, origin: &Origin) {
        if self.names.insert(domain.clone()) {
            let value = DomainSource::Name(domain.as_str().to_owned());
            self.sources.push(Noted { value, origin: origin.clone() });
        }
    }

    /// A map, as `kind:rest`.
    fn map(&mut self, kind: &str, rest: &str, origin: &Origin) {
        let (mut kind, mut rest) = (kind, rest);
        while let ("proxy" | "debug", Some(inner)) = (kind, rest.split_once(':')) {
            (kind, rest) = inner;
        }
        let map = format!("{kind}:{rest}");
        let unknown = |why: &str| DomainSource::Unknown(format!("{}: {why}", shortened(&map)));
        let source = match kind {
            "hash" | "btree" | "lmdb" | "dbm" | "sdbm" => {
                DomainSource::Command(["postmap", "-s", &map].map(str::to_owned).to_vec())
            }
            "texthash" if rest.starts_with('/') => DomainSource::File(PathBuf::from(rest)),
            "cdb" if rest.starts_with('/') => {
                let text =
                    format!("cdb:{rest} cannot be listed; its source {rest} is read instead");
                self.note(NoteKind::Hint, origin, shortened(&text));
                DomainSource::File(PathBuf::from(rest))
            }
            "mysql" | "pgsql" | "sqlite" | "ldap" | "mongodb" => {
                let file = rest.starts_with('/').then(|| PathBuf::from(rest));
                DomainSource::Query { kind: kind.to_owned(), file, command: None }
            }
            "inline" => return self.inline(rest, origin),
            "unionmap" => {
                for member in words(unbraced(rest).unwrap_or(rest), LIST) {
                    // A union inside of a union is not one that anybody writes.
                    match member.split_once(':') {
                        Some(("unionmap", _)) | None => {
                            self.push(unknown("not understood"), origin);
                        }
                        Some((kind, rest)) => self.map(kind, rest, origin),
                    }
                }
                return;
            }
            "static" => unknown("it matches any domain"),
            "pcre" | "regexp" | "cidr" => unknown("patterns are not a list of domains"),
            "pipemap" | "randmap" => unknown("it cannot be listed; its first map may be"),
            "socketmap" | "tcp" | "memcache" => {
                let is_inside = rest.starts_with("unix:/")
                    && self
                        .services
                        .find("rewrite", "unix")
                        .is_some_and(|service| service.is_chrooted);
                let root = match is_inside {
                    true => {
                        let queue = self.main.value("queue_directory", &Overrides::new()).value;
                        format!("; its path is inside of {queue}, where rewrite/unix is chrooted")
                    }
                    false => String::new(),
                };
                unknown(&format!("a server answers, which gives no list{root}"))
            }
            _ => unknown("it cannot be listed"),
        };
        self.push(source, origin);
    }

    /// `{ example.org = x, { example.net = y } }`
    fn inline(&mut self, rest: &str, origin: &Origin) {
        for entry in words(unbraced(rest).unwrap_or(rest), LIST) {
            let entry = unbraced(entry).unwrap_or(entry);
            let key = entry.split_once('=').map_or(entry, |(key, _)| key).trim();
            match Domain::parse(key) {
                Ok(domain) if self.names.len() < MAX_NAMES => self.name(domain, origin),
                _ => {
                    let text = format!("{:?} of inline:{{…}}", shortened(key));
                    self.note(NoteKind::NotCarried, origin, text);
                }
            }
        }
    }

    fn push(&mut self, source: DomainSource, origin: &Origin) {
        self.maps += 1;
        if self.maps == MAX_MAPS {
            let text = format!("files and maps after the first {MAX_MAPS} are left out");
            self.notes.push(Note { kind: NoteKind::NotCarried, place: None, text });
        }
        if self.maps < MAX_MAPS && !self.sources.iter().any(|known| known.value == source) {
            self.sources.push(Noted { value: source, origin: origin.clone() });
        }
    }

    fn note(&mut self, kind: NoteKind, origin: &Origin, text: String) {
        if self.notes.len() < MAX_MAPS {
            let place = origin.place().cloned();
            let name = match origin {
                Origin::Seen { text, .. } => text.split([':', ' ']).next().unwrap_or_default(),
                Origin::Assumed(_) => "",
            };
            let text = match name {
                "" => text,
                name => format!("{name}: {text}"),
            };
            self.notes.push(Note { kind, place, text });
        }
    }
}

/// What is in a file that a list names: the domains, files and maps, and what is to be said about them.
/// `None` if each of its lines is one domain, as other programs read it, too.
pub fn of_file(
    file: &Path,
    text: &str,
    origin: &Origin,
) -> Option<(Vec<Noted<DomainSource>>, Vec<Note>)> {
    let lines = logical(text);
    if lines.iter().all(|line| Domain::parse(line.text.trim()).is_ok()) {
        return None;
    }
    let value = lines.iter().map(|line| &*line.text).collect::<Vec<_>>().join("\n");
    let (main, services) = (Parameters::new(), Services::default());
    let mut reader = Reader::new(&main, &services);
    reader.entries(&value, origin, &file.display().to_string(), None);
    Some((reader.sources, reader.notes))
}

/// Where a word of a list stands.
fn part(whole: &Origin, name: &str, word: &str) -> Origin {
    match whole {
        Origin::Seen { place, .. } => {
            Origin::seen(place.clone(), shortened(&format!("{name}: {word}")))
        }
        assumed => assumed.clone(),
    }
}

/// True for a name that can be a domain of mail from other machines.
fn is_public(host: &str) -> bool {
    host.contains('.') && !is_of_machine(host, "localhost")
}

/// True for the names that a machine has for itself: `localhost`, and that of the host.
fn is_of_machine(name: &str, host: &str) -> bool {
    name == host
        || name.starts_with("localhost.")
        || name.ends_with(".localdomain")
        || name.strip_suffix(host).is_some_and(|rest| rest == "localhost.")
}
