//! A checked configuration, and the look-up of a domain in it: its table, its file, the longest
//! pattern for it, the default table, the tables at the top, in this order.
//!
//! The last two only have settings for domains that a list names, or where any is answered. Follows
//! a limited number of aliases. A look-up for a request does not read files: it returns the one that
//! must be read first.

use super::checker::MapFile;
use super::entry::{self, Base, Entry};
use super::overlay::Overlay;
use super::patterns::Patterns;
use super::places::Places;
use super::settings::Found;
use crate::address::Domain;
use crate::directory::domains_d::{DomainsD, Lookup};
use crate::directory::layout::Layout;
use crate::directory::list::List;
use crate::directory::name::Name;
use crate::files::{self, Kind, Stamp, says_nothing};
use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::log;
use crate::record::Fields;
use crate::signing::Identity;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Longest chain of aliases that is followed.
pub(super) const MAX_ALIASES: usize = 8;

//------------ Config ---------------------------------------------------------

/// A checked configuration. One thread makes it, another reads it.
#[derive(Debug)]
pub struct Config {
    /// Whether domains that the configuration does not name are answered with the base settings.
    pub answer: Answer,
    /// The settings that domains inherit from.
    pub(super) base: Arc<Base>,
    /// The domains with a table of their own. The admin chooses these and those of the lists, so
    /// that the hash does not have to resist attacks.
    pub(super) domains: FxHashMap<Domain, Entry>,
    /// The tables for more than one domain.
    pub(super) patterns: Patterns,
    /// The domains of list files, and the file of each list.
    pub(super) lists: Vec<(PathBuf, Arc<List>)>,
    /// The map files of logins.
    pub(super) maps: Vec<MapFile>,
    /// The folder with a file for each domain.
    pub(super) directory: Option<Arc<DomainsD<Entry>>>,
    /// True once a faulty alias through the folder was logged.
    pub(super) is_alias_logged: AtomicBool,
    /// The certificate and key for Apple profiles.
    pub(super) signing: Option<Identity>,
    /// The limits of requests.
    pub limits: Limits,
    /// The settings of the log.
    pub log: Log,
    /// The paths for monitoring and for web servers; `None` if no path is set.
    pub status: Option<StatusPaths>,
    /// The files this was read from, and their states then. A change of one causes a reload.
    pub files: Vec<(PathBuf, Option<Stamp>)>,
    /// False if one of these may be changing now.
    pub is_settled: bool,
    /// The first of these, unless there is no configuration file.
    pub(super) file: Option<PathBuf>,
    /// The text of the configuration.
    pub(super) text: String,
    /// The variables over it.
    pub(super) overlay: Arc<Overlay>,
    /// Warnings about parts that were ignored because they could not be parsed.
    pub warnings: Vec<Finding>,
}

/// Which domains are answered in addition to the named ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// None.
    Listed,
    /// Any, by an explicit setting.
    Any,
    /// Any, since the configuration names no domain.
    AnyByDefault,
}

/// The settings of the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log {
    /// Whether each request is logged; by default, those of a service are, and those of CGI are
    /// not.
    pub requests: Option<bool>,
    /// The optional fields of these lines.
    pub fields: Fields,
}

/// The paths for monitoring and for web servers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StatusPaths {
    /// The path of the metrics.
    pub metrics_path: Option<String>,
    /// The path of the health check.
    pub health_path: Option<String>,
    /// The path that says which names need a certificate.
    pub ask_path: Option<String>,
}

/// Why a domain cannot be looked up now.
#[derive(Debug)]
pub enum NotFound {
    /// The domain is configured, but no valid settings are available; the error is logged where it
    /// is found.
    Unavailable,
    /// Its file must be read first. Then the look-up must be repeated.
    Unread(Unread),
}

/// A file that must be read before a domain can be looked up.
#[derive(Debug)]
pub struct Unread {
    directory: Arc<DomainsD<Entry>>,
    base: Arc<Base>,
    /// Its name without `.toml`: a domain or a pattern.
    stem: String,
}

impl Unread {
    /// Reads the file. This may take a while.
    pub fn read(self) {
        let read = |path: &Path, text: &str| entry::of_file(path, text, &self.base);
        self.directory.read(&self.stem, read);
    }
}

impl Config {
    /// True if the file at `path`, which this was read from, is empty: without a key, a list
    /// without a domain, or a map without a login.
    pub fn is_emptied(&self, path: &Path) -> bool {
        (self.file.as_deref() == Some(path) && says_nothing(&self.text))
            || self.lists.iter().any(|(list, names)| list == path && names.is_empty())
            || self.maps.iter().any(|(file, _, map)| file == path && map.is_empty())
    }

    /// True if `domain` is named: exactly, or by a pattern.
    pub fn is_named(&self, domain: &Domain) -> bool {
        let has_file = |directory: &Arc<DomainsD<Entry>>| {
            domain.parents().any(|parent| directory.has_below(parent))
        };
        self.is_named_exactly(domain)
            || self.patterns.name(domain)
            || self.lists.iter().any(|(_, list)| list.has_pattern_for(domain))
            || self.directory.as_ref().is_some_and(has_file)
    }

    /// True if `domain` itself is named by a table, a list or a file.
    pub fn is_named_exactly(&self, domain: &Domain) -> bool {
        self.domains.contains_key(domain)
            || self.lists.iter().any(|(_, list)| list.contains(domain))
            || self.directory.as_ref().is_some_and(|directory| directory.has(domain))
    }

    /// Looks up a domain; `None` if it is not configured.
    pub fn find(&self, domain: &Domain) -> Result<Option<Found>, NotFound> {
        let mut alias_of = None;
        let mut is_settled = true;
        for _ in 0..=MAX_ALIASES {
            let (entry, is_known) = self.entry(alias_of.as_ref().unwrap_or(domain))?;
            is_settled &= is_known;
            match entry {
                None => match alias_of {
                    None => return Ok(None),
                    // The alias is configured, but its target no longer is.
                    Some(target) => {
                        let target = target.for_people();
                        return Err(self.faulty_alias(
                            domain,
                            &format!("leads to `{target}`, which is not configured"),
                        ));
                    }
                },
                Some(Entry::Settings(settings)) => {
                    return Ok(Some(Found::new(settings, alias_of, is_settled)));
                }
                Some(Entry::AliasOf(target)) => alias_of = Some(target),
            }
        }
        Err(self.faulty_alias(
            domain,
            &format!("has more than {MAX_ALIASES} steps, or is part of a circle"),
        ))
    }

    /// Logs the first faulty alias through the folder.
    fn faulty_alias(&self, domain: &Domain, fault: &str) -> NotFound {
        if !self.is_alias_logged.swap(true, Ordering::Relaxed) {
            let domain = domain.for_people();
            log::error_on_request(&format!("{domain}: the alias {fault}"));
        }
        NotFound::Unavailable
    }

    /// Looks up a domain, and reads the necessary files at once.
    pub fn find_now(&self, domain: &Domain) -> Result<Option<Found>, NotFound> {
        // Each alias may be in a separate file.
        for _ in 0..=MAX_ALIASES {
            match self.find(domain) {
                Err(NotFound::Unread(unread)) => unread.read(),
                found => return found,
            }
        }
        Err(NotFound::Unavailable)
    }

    /// The entry of a domain, and whether it is settled.
    fn entry(&self, domain: &Domain) -> Result<(Option<Entry>, bool), NotFound> {
        if let Some(entry) = self.domains.get(domain) {
            return Ok((Some(entry.clone()), true));
        }
        let mut is_known = true;
        if let Some(directory) = &self.directory {
            let stem = || domain.as_str().to_owned();
            match self.of_lookup(directory, directory.lookup(domain), stem)? {
                (Some(entry), is_settled) => return Ok((Some(entry), is_settled)),
                (None, is_settled) => is_known = is_settled,
            }
        }
        if let Some((entry, is_settled)) = self.pattern_entry(domain)? {
            return Ok((Some(entry), is_known && is_settled));
        }
        let is_answered = self.answers_any() || is_listed(&self.lists, domain);
        let of_all = || match &self.patterns.all {
            Some(entry) => entry.clone(),
            None => Entry::Settings(self.base.settings.clone()),
        };
        Ok((is_answered.then(of_all), is_known))
    }

    /// The entry of the longest pattern for a domain, and whether it is settled.
    fn pattern_entry(&self, domain: &Domain) -> Result<Option<(Entry, bool)>, NotFound> {
        let Some(directory) = &self.directory else {
            return Ok(self.patterns.of(domain).map(|(_, entry)| (entry.clone(), true)));
        };
        for parent in domain.parents() {
            if let Some(entry) = self.patterns.below.get(parent) {
                return Ok(Some((entry.clone(), true)));
            }
            let found = directory.lookup_below(parent);
            if let (Some(entry), is_settled) =
                self.of_lookup(directory, found, || Name::below(parent))?
            {
                return Ok(Some((entry, is_settled)));
            }
        }
        Ok(None)
    }

    /// The result of a look-up in the folder: an entry, and whether it or its absence is settled.
    fn of_lookup(
        &self,
        directory: &Arc<DomainsD<Entry>>,
        found: Lookup<Entry>,
        stem: impl FnOnce() -> String,
    ) -> Result<(Option<Entry>, bool), NotFound> {
        match found {
            Lookup::Found { value, is_settled } => Ok((Some(value), is_settled)),
            Lookup::NoFile { is_settled } => Ok((None, is_settled)),
            Lookup::Unavailable => Err(NotFound::Unavailable),
            Lookup::Unread => {
                let (directory, base) = (directory.clone(), self.base.clone());
                Err(NotFound::Unread(Unread { directory, base, stem: stem() }))
            }
        }
    }

    /// The files of the domain folder that have errors, with the findings for each.
    pub fn broken_files(&self) -> impl Iterator<Item = (PathBuf, Vec<Finding>)> {
        let files = self.directory.iter().flat_map(|directory| directory.layout().files());
        let findings = files.map(|path| {
            let findings = self.domain_file_errors(&path);
            (path, findings)
        });
        findings.filter(|(_, findings)| !findings.is_empty())
    }

    /// The domains and patterns that have both a table and a file; the file is not used.
    pub fn names_with_two(&self) -> Vec<Name> {
        let has_table = |name: &Name| match name {
            Name::Domain(domain) => self.domains.contains_key(domain),
            Name::Below(parent) => self.patterns.below.contains_key(parent),
            Name::All => false,
        };
        self.names_of_files().filter(has_table).collect()
    }

    /// The files in the folder that lie in another place than they are looked for, each with this
    /// place.
    pub fn misplaced_files(&self) -> Vec<(PathBuf, PathBuf)> {
        self.directory.iter().flat_map(|directory| directory.layout().misplaced()).collect()
    }

    /// The domains and patterns that have a file.
    pub(super) fn names_of_files(&self) -> impl Iterator<Item = Name> {
        self.directory.iter().flat_map(|directory| directory.layout().names())
    }

    fn domain_file_errors(&self, path: &Path) -> Vec<Finding> {
        let error =
            |code, message: String| vec![Finding::error(code, Some(Place::file(path)), message)];
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match Name::parse(stem) {
            Err(_) => {
                return error(
                    "domain-file",
                    "the file name is not a domain name or a pattern; the file is ignored"
                        .to_owned(),
                );
            }
            Ok(Name::All) => {
                let message = "the table for all domains is [domain.\"*\"] in the configuration file; \
                               this file is ignored";
                return error("domain-file", message.to_owned());
            }
            Ok(name) if name.to_string() != stem => {
                return error("domain-file", format!("rename it to {name}.toml"));
            }
            Ok(_) => {}
        }
        let text = match files::read_text(path, Kind::DomainFile) {
            Ok(text) => text,
            Err(cause) => {
                let message = format!("cannot be read: {}", files::reason(&cause));
                return error("file-unreadable", message);
            }
        };
        let leads = |target: &Domain, what: &str| {
            let place = Places::of(path, &text).first(None, &["alias_of".to_owned()]);
            let target = target.for_people();
            let message = format!("its alias leads to `{target}`, which is {what}");
            vec![Finding::error("alias", place, message)]
        };
        match entry::of_file(path, &text, &self.base).map(|made| made.value) {
            Err(errors) => errors,
            Ok(Entry::AliasOf(target)) => match self.find_now(&target) {
                Ok(None) => leads(&target, "not configured"),
                Ok(Some(_)) => Vec::new(),
                // For a target with errors, this is reported in addition to the errors in its own
                // file.
                Err(_) => leads(&target, "invalid or part of a circle"),
            },
            Ok(Entry::Settings(_)) => Vec::new(),
        }
    }

    /// The text of the configuration file, for [`Places`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The environment variables that are in force.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// The settings that domains inherit from.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Where the settings that were found for `domain` are written.
    pub fn origin(&self, domain: &Domain, found: &Found) -> Origin {
        let domain = found.alias_of().unwrap_or(domain);
        if self.domains.contains_key(domain) {
            return Origin::Table(Name::Domain(domain.clone()));
        }
        let file = |stem: &str| {
            let directory = self.directory.as_ref()?;
            let path = directory.layout().path(stem);
            path.exists().then_some(Origin::File(path))
        };
        let pattern = |parent: &str| match self.patterns.below.get_key_value(parent) {
            Some((parent, _)) => Some(Origin::Table(Name::Below(parent.clone()))),
            None => file(&Name::below(parent)),
        };
        file(domain.as_str())
            .or_else(|| domain.parents().find_map(pattern))
            .or_else(|| self.patterns.all.as_ref().map(|_| Origin::Table(Name::All)))
            .unwrap_or(Origin::Base)
    }

    /// Where the settings of a pattern are written, or those of the default table.
    pub fn origin_of_pattern(&self, name: &Name) -> Origin {
        match (name, &self.directory) {
            (Name::Below(parent), Some(directory)) if !self.patterns.below.contains_key(parent) => {
                Origin::File(directory.layout().path(&name.to_string()))
            }
            _ => Origin::Table(name.clone()),
        }
    }

    /// The list files.
    pub fn list_files(&self) -> impl Iterator<Item = &Path> {
        self.lists.iter().map(|(file, _)| file.as_path())
    }

    /// The map files of logins.
    pub fn map_files(&self) -> impl Iterator<Item = &Path> {
        self.maps.iter().map(|(file, ..)| file.as_path())
    }

    /// The folder with a file for each domain.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_ref().map(|directory| &*directory.layout().folder)
    }

    /// Where the files of that folder lie.
    pub fn layout(&self) -> Option<&Layout> {
        self.directory.as_ref().map(|directory| directory.layout())
    }

    /// The certificate and key for Apple profiles, if configured.
    pub fn signing_identity(&self) -> Option<&Identity> {
        self.signing.as_ref()
    }

    /// True if every domain is answered.
    pub fn answers_any(&self) -> bool {
        self.answer != Answer::Listed
    }

    /// A list, if it was read from this state of its file.
    pub(super) fn list(&self, file: &Path, stamp: Option<Stamp>) -> Option<Arc<List>> {
        let is_same = self.files.iter().any(|(known, then)| known == file && *then == stamp);
        let (_, list) = self.lists.iter().find(|(known, _)| known == file && is_same)?;
        Some(list.clone())
    }

    /// The names of the tables and files for more than one domain, sorted.
    pub fn patterns(&self) -> Vec<Name> {
        let all = self.patterns.all.iter().map(|_| Name::All);
        let tables = self.patterns.below.keys().cloned().map(Name::Below);
        let files = self.names_of_files().filter(|name| matches!(name, Name::Below(_)));
        let mut names: Vec<_> = tables.chain(files).chain(all).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The number of patterns that name domains, those of lists left out.
    pub fn count_of_patterns(&self) -> usize {
        self.patterns().into_iter().filter(|name| *name != Name::All).count()
    }

    /// The settings in the table or the file of a pattern, or in the default table.
    pub fn find_pattern(&self, name: &Name) -> Option<Found> {
        let table = match name {
            Name::Domain(_) => None,
            Name::Below(parent) => self.patterns.below.get(parent),
            Name::All => self.patterns.all.as_ref(),
        };
        let entry = table.cloned().or_else(|| self.pattern_file(name))?;
        match entry {
            Entry::Settings(settings) => Some(Found::new(settings, None, true)),
            Entry::AliasOf(target) => {
                let found = self.find_now(&target).ok()??;
                Some(found.for_alias_of(&target))
            }
        }
    }

    /// The entry in the file of a pattern, which is read at once.
    fn pattern_file(&self, name: &Name) -> Option<Entry> {
        let Name::Below(parent) = name else { return None };
        let directory = self.directory.as_ref()?;
        let look = || {
            let found = directory.lookup_below(parent.as_str());
            self.of_lookup(directory, found, || name.to_string())
        };
        if let Err(NotFound::Unread(unread)) = look() {
            unread.read();
        }
        look().ok()?.0
    }

    /// The number of domains in tables and lists.
    pub fn count(&self) -> usize {
        self.domains.len() + self.lists.iter().map(|(_, list)| list.len()).sum::<usize>()
    }

    /// Every domain that is named by a table, a list or a file, sorted by name.
    pub fn domains(&self) -> Vec<Domain> {
        let mut domains: Vec<_> = self.exact_domains().collect();
        domains.sort_unstable();
        domains
    }
}

/// True if a list names `domain`, exactly or by a pattern.
pub(super) fn is_listed(lists: &[(PathBuf, Arc<List>)], domain: &Domain) -> bool {
    lists.iter().any(|(_, list)| list.contains(domain) || list.has_pattern_for(domain))
}

//------------ Origin ---------------------------------------------------------

/// Where the settings of a domain are written, in addition to the base.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Only in the base.
    Base,
    /// In the table of this name: that of the domain or of a pattern for it, or the one that an alias
    /// leads to.
    Table(Name),
    /// In a file of the folder of domains.
    File(PathBuf),
}
