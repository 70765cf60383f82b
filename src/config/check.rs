//! Makes a [`Config`] of a file, or reports all errors in it.
//!
//! `read` has refused unknown keys, and `build` parses the tables of domains. Refuses limits out of
//! range, paths that are in use, files that cannot be read, and aliases to unknown domains or in
//! circles; all errors in a file are reported at once. Settings that work but break a client are
//! not errors; see `commands::check`.

use super::checker::{Checker, Files, MapFile};
use super::entry::{self, Base, Entry};
use super::file::{self, Spanned, Tables};
use super::lookup::{self, Answer, Config, Log, MAX_ALIASES};
use super::overlay::{Lines, Overlay, Sets};
use super::patterns::Patterns;
use super::read::{Document, Inherited};
use super::report::Report;
use super::value_checks::ValueChecks;
use super::{build, limits, parts};
use crate::address::Domain;
use crate::directory::domains_d::{DomainsD, Settling};
use crate::directory::layout::MAX_LETTERS;
use crate::directory::list::List;
use crate::directory::name::Name;
use crate::files::{self, Kind, Stamp};
use crate::finding::{Finding, Place};
use crate::order;
use crate::record::Fields;
use crate::signing::Identity;
use rustc_hash::{FxHashMap, FxHashSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How files are read.
#[derive(Clone, Copy, Debug)]
pub struct Loading<'a> {
    /// When a changed file of a domain is used.
    pub settling: Settling,
    /// The previous configuration; unchanged lists are not read again.
    pub earlier: Option<&'a Config>,
    /// True if the admin intends the files as they are, at a signal or at the start.
    pub is_meant: bool,
    /// True if lists are searched and not loaded, for a few look-ups only.
    pub searches: bool,
    /// Checks of values that other modules use.
    pub checks: &'static ValueChecks,
}

impl Loading<'static> {
    /// For a process that answers one request.
    pub fn cgi(checks: &'static ValueChecks) -> Loading<'static> {
        let settling = Settling::RefuseEmpty;
        Loading { settling, earlier: None, is_meant: true, searches: true, checks }
    }

    /// For a command.
    pub fn command(checks: &'static ValueChecks) -> Loading<'static> {
        Loading { settling: Settling::TakeAll, searches: false, ..Loading::cgi(checks) }
    }

    /// For a service that starts.
    pub fn start(checks: &'static ValueChecks) -> Loading<'static> {
        Loading { settling: Settling::Wait, ..Loading::command(checks) }
    }
}

/// Most memory that domains may use for settings copied from the base, in bytes: about 20,000
/// domains that set keys in two tables each.
const MAX_COPIED: usize = 32_000_000;
/// Most list files that can be configured: each is checked several times a second.
const MAX_LISTS: usize = 100;

/// The configuration that needs no file.
pub fn built_in(checks: &'static ValueChecks) -> Config {
    let (overlay, variables) = (Arc::default(), Lines::default());
    let checker = Checker::new(Path::new(""), "", checks);
    Check::new(checker, &overlay, &variables, Loading::command(checks)).config(Document::default())
}

/// Reads and checks the file at `path`, and the variables over it; the files that were checked are
/// always returned.
pub fn config(
    path: &Path,
    overlay: &Arc<Overlay>,
    loading: Loading,
) -> (Files, Result<Config, Vec<Finding>>) {
    // The state is taken before the file is read: a change in between is noticed later.
    let files = vec![(path.to_owned(), Stamp::of(path).ok().flatten())];
    let text = match files::read_text(path, Kind::Configuration) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot be read: {}", files::reason(&error));
            let finding = Finding::error("file-unreadable", Some(Place::file(path)), message);
            return (files, Err(vec![finding]));
        }
    };
    let (files, config) = without_file(path, Place::file(path), &text, overlay, loading, files);
    (files, config.map(|config| Config { file: Some(path.to_owned()), ..config }))
}

/// Checks a text that is from `place`, and the variables over it. Relative paths begin at the
/// folder of `beside`. The files that were checked are returned behind `files`.
pub fn without_file(
    beside: &Path,
    place: Place,
    text: &str,
    overlay: &Arc<Overlay>,
    loading: Loading,
    mut files: Files,
) -> (Files, Result<Config, Vec<Finding>>) {
    let variables = overlay.lines(text.len());
    let report = Report::at(place, text).over(&variables);
    let checker = Checker::new(beside, text, loading.checks).reporting(report);
    let mut check = Check::new(checker, overlay, &variables, loading);
    let config = check.text(text);
    let mut checker = check.checker;
    // A file that many domains name is checked once. The order is that of the findings.
    let mut seen = FxHashSet::default();
    checker.read.retain(|(file, _)| seen.insert(file.clone()));
    files.append(&mut checker.read);
    let config = match config {
        Some(config) if checker.report.is_empty() => {
            Ok(Config { files: files.clone(), text: text.to_owned(), ..config })
        }
        _ => Err(checker.report.sorted()),
    };
    (files, config)
}

/// Checks a text as the content of the file at `path`; files that it names are read.
pub fn text(path: &Path, text: &str, checks: &'static ValueChecks) -> Result<Config, Vec<Finding>> {
    let (overlay, variables) = (Arc::default(), Lines::default());
    let checker = Checker::new(path, text, checks);
    let mut check = Check::new(checker, &overlay, &variables, Loading::command(checks));
    match check.text(text) {
        Some(config) if check.checker.report.is_empty() => Ok(config),
        _ => Err(check.checker.report.sorted()),
    }
}

/// Checks a whole configuration and collects its errors.
struct Check<'a> {
    checker: Checker<'a>,
    overlay: &'a Arc<Overlay>,
    variables: &'a Lines,
    loading: Loading<'a>,
    warnings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn new(
        checker: Checker<'a>,
        overlay: &'a Arc<Overlay>,
        variables: &'a Lines,
        loading: Loading<'a>,
    ) -> Check<'a> {
        let earlier_maps = loading.earlier.map_or(&[][..], |earlier| &earlier.maps);
        let checker = checker.reading_maps(earlier_maps, loading.searches);
        Check { checker, overlay, variables, loading, warnings: Vec::new() }
    }

    /// The configuration in the text; `None` if it cannot be parsed. Errors are added to the
    /// report.
    fn text(&mut self, text: &str) -> Option<Config> {
        if let Some(at) = parts::beyond(text).or_else(|| parts::beyond(&self.variables.text)) {
            let message = format!(
                "the tables, keys and values up to here take more than {} MB of memory; write the \
                 domains to a list or to files in domains.directory",
                parts::MAX_MEMORY / 1_000_000
            );
            self.checker.mistake("too-many-parts", Some(at..at), message);
            return None;
        }
        let document = Document::read(text, self.variables, &mut self.checker.report)?;
        Some(self.config(document))
    }

    /// True if an unknown key was reported in the line of a name.
    fn has_unknown_key(&self, name: &Spanned<String>) -> bool {
        let line = |place: &Place| place.position.map(|(line, _)| line);
        let here = line(&self.checker.report.place(name.span()));
        let is_here = |finding: &Finding| {
            finding.code == "unknown-key" && finding.place.as_ref().and_then(line) == here
        };
        !name.get_ref().contains('.') && self.checker.report.findings.iter().any(is_here)
    }

    fn config(&mut self, mut document: Document) -> Config {
        let base = Base {
            settings: Arc::new(build::settings(&document.base, None, &mut self.checker)),
            tables: match &document.file.domains.directory {
                Some(_) => document.inherited(),
                None => Inherited::default(),
            },
            checks: self.loading.checks,
        };
        let mut domains = FxHashMap::default();
        let mut patterns = Patterns::default();
        let mut aliases = Vec::new();
        self.other_spellings(&document);
        let mut is_complete = true;
        while let Some((name, tables)) = document.next_domain(&mut self.checker.report) {
            if document.copied() > MAX_COPIED {
                let message = format!(
                    "the domains up to here take more than {} MB of memory for settings that they \
                     copy from the tables at the top; a domain copies each table in which it sets a \
                     key; use shorter texts there, or write the domains to files in \
                     domains.directory",
                    MAX_COPIED / 1_000_000
                );
                self.checker.mistake("copies-too-large", name.span(), message);
                is_complete = false;
                break;
            }
            let alias = tables.alias_of.as_ref().and_then(Spanned::span);
            let entry = entry::of_tables(tables, &base, &mut self.checker);
            let parsed = match Name::parse(name.get_ref()) {
                // The name without quotes was parsed as nested tables, which is reported in that
                // line.
                Err(_) if self.has_unknown_key(&name) => continue,
                Err(message) => {
                    self.checker.mistake("domain-name", name.span(), message);
                    continue;
                }
                Ok(parsed) => parsed,
            };
            if let (Entry::AliasOf(target), Some(span)) = (&entry, alias) {
                aliases.push((parsed.clone(), target.clone(), span));
            }
            match parsed {
                Name::Domain(domain) => drop(domains.insert(domain, entry)),
                Name::Below(parent) => drop(patterns.below.insert(parent, entry)),
                Name::All => patterns.all = Some(entry),
            }
        }
        let file = document.file;
        let mut lists = self.list_files(&file.domains);
        lists.extend(self.listed_by_variable());
        let directory = self.directory(&file.domains);
        let has_lists = !file.domains.list_files.is_empty() || !lists.is_empty();
        let has_tables = !domains.is_empty() || !patterns.below.is_empty();
        let named = has_tables || has_lists || directory.is_some();
        let answer = file.domains.answer.as_ref().map(|answer| *answer.get_ref());
        let answer = match answer {
            Some(file::AnswerFor::Any) => Answer::Any,
            Some(file::AnswerFor::Listed) => Answer::Listed,
            None if named => Answer::Listed,
            None => Answer::AnyByDefault,
        };
        look_up_targets(&aliases, &domains, &lists);
        self.aliases(&aliases, |domain| {
            let has_file = || directory.as_ref().is_some_and(|directory| directory.has(domain));
            let is_listed = || lookup::is_listed(&lists, domain);
            if let Some(entry) = domains.get(domain) {
                return Target::Table(Name::Domain(domain.clone()), entry);
            }
            if has_file() {
                return Target::Elsewhere;
            }
            for parent in domain.parents() {
                if let Some((parent, entry)) = patterns.below.get_key_value(parent) {
                    return Target::Table(Name::Below(parent.clone()), entry);
                }
                if directory.as_ref().is_some_and(|directory| directory.has_below(parent)) {
                    return Target::Elsewhere;
                }
            }
            match &patterns.all {
                _ if !is_complete => Target::Elsewhere,
                _ if answer == Answer::Listed && !is_listed() => Target::Nowhere,
                Some(entry) => Target::Table(Name::All, entry),
                None => Target::Elsewhere,
            }
        });
        if let (Some(answer), false) = (&file.domains.answer, named) {
            if *answer.get_ref() == file::AnswerFor::Listed {
                let message = "answer = \"listed\" without any domain: no request would be answered; \
                               add a [domain.\"example.org\"], list_files or directory";
                self.checker.mistake("nobody-answered", answer.span(), message.to_owned());
            }
        }
        Config {
            answer,
            base: Arc::new(base),
            domains,
            patterns,
            lists,
            maps: self.maps(),
            directory: directory.map(Arc::new),
            is_alias_logged: AtomicBool::new(false),
            signing: self.signing(&document.base),
            limits: limits::limits(&file.limits, &mut self.checker),
            log: Log {
                requests: file.log.requests,
                fields: Fields {
                    addresses: file.log.addresses == Some(file::Addresses::Full),
                    client_addresses: file.log.client_addresses == Some(true),
                    user_agents: file.log.user_agents == Some(true),
                },
            },
            status: limits::status(&file.metrics, &file.domains, &mut self.checker),
            files: Vec::new(),
            is_settled: true,
            file: None,
            text: String::new(),
            overlay: self.overlay.clone(),
            warnings: std::mem::take(&mut self.warnings),
        }
    }

    /// Refuses domains that occur in two spellings; the finding is at the later one in the file.
    fn other_spellings(&mut self, document: &Document) {
        let parsed = |(name, span)| Some((Name::parse(name).ok()?, span, name));
        let names = || document.names().filter_map(parsed);
        // Of two spellings, one is not the usual one. Most files have only usual spellings; nothing
        // is collected then.
        let unusual = names().filter(|(parsed, _, name)| !is_usual(parsed, name));
        let unusual: FxHashSet<Name> = unusual.map(|(domain, ..)| domain).collect();
        let mut names: Vec<_> = names().filter(|(domain, ..)| unusual.contains(domain)).collect();
        order::sort_by(&mut names, |a, b| (&a.0, a.1.start).cmp(&(&b.0, b.1.start)));
        for same in names.chunk_by(|a, b| a.0 == b.0) {
            let Some(((_, first, spelling), others)) = same.split_first() else { continue };
            let line =
                self.checker.report.place(Some(first.clone())).position.map_or(1, |(line, _)| line);
            for (_, span, name) in others {
                let message = format!(
                    "duplicate domain `{name}`: the first is in line {line}, in another spelling: \
                     `{spelling}`"
                );
                self.checker.mistake("domain-duplicate", Some(span.clone()), message);
            }
        }
    }

    fn signing(&mut self, base: &Tables) -> Option<Identity> {
        let apple = base.apple.as_ref()?;
        let (certificate, key) = match (&apple.signing_certificate, &apple.signing_key) {
            (None, None) => return None,
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(one), None) | (None, Some(one)) => {
                let message = "apple.signing_certificate and apple.signing_key are both required";
                self.checker.mistake("signing-pair", one.span(), message.to_owned());
                return None;
            }
        };
        if self.checker.is_empty("apple.signing_certificate", certificate)
            || self.checker.is_empty("apple.signing_key", key)
        {
            return None;
        }
        let identity = Identity::new(
            self.checker.beside(certificate.get_ref()),
            self.checker.beside(key.get_ref()),
        );
        let earlier = self.loading.earlier.and_then(|earlier| earlier.signing.as_ref());
        if let (Ok(identity), Some(earlier)) = (&identity, earlier) {
            if identity.is_of_same_files(earlier) {
                return Some(earlier.clone());
            }
        }
        if let Err(error) = &identity {
            self.checker.mistake("signing-not-built", certificate.span(), error.to_string());
        }
        identity.ok()
    }

    fn list_files(&mut self, domains: &file::Domains) -> Vec<(PathBuf, Arc<List>)> {
        let mut lists: Vec<(PathBuf, Arc<List>)> = Vec::new();
        if let Some(path) = domains.list_files.get(MAX_LISTS) {
            let message = format!("domains.list_files: at most {MAX_LISTS} files are allowed");
            self.checker.mistake("too-many-lists", path.span(), message);
            return lists;
        }
        for path in &domains.list_files {
            if self.checker.is_empty("domains.list_files", path) {
                continue;
            }
            let file = self.checker.beside(path.get_ref());
            if lists.iter().any(|(known, _)| *known == file) {
                continue;
            }
            let stamp = Stamp::of(&file).ok().flatten();
            self.checker.read.push((file.clone(), stamp));
            let list = match self.loading.earlier.and_then(|earlier| earlier.list(&file, stamp)) {
                Some(list) => list,
                None => match self.list(&file) {
                    Ok(list) => Arc::new(list),
                    Err(error) => {
                        let message = format!(
                            "domains.list_files: {} cannot be read: {}",
                            file.display(),
                            files::reason(&error)
                        );
                        self.checker.mistake("file-unreadable", path.span(), message);
                        continue;
                    }
                },
            };
            self.warnings.append(&mut list.warnings(&file));
            lists.push((file, list));
        }
        lists
    }

    fn list(&self, file: &Path) -> io::Result<List> {
        if self.loading.searches { List::search(file) } else { List::read(file) }
    }

    /// The domains of the variable, as a list.
    fn listed_by_variable(&self) -> Option<(PathBuf, Arc<List>)> {
        self.variables.variables.iter().find_map(|(_, variable)| match &variable.sets {
            Sets::Domains(names) => {
                let list = List::parse(names.join("\n").into_bytes());
                Some((variable.name.to_path_buf(), Arc::new(list)))
            }
            _ => None,
        })
    }

    /// The maps that were read for the tables, with warnings about their lines.
    fn maps(&mut self) -> Vec<MapFile> {
        let maps = std::mem::take(&mut self.checker.maps);
        self.warnings.extend(maps.iter().flat_map(|(file, _, map)| map.warnings(file)));
        maps
    }

    fn directory(&mut self, domains: &file::Domains) -> Option<DomainsD<Entry>> {
        let letters = domains.directory_letters.as_ref().map_or(Some(0), |letters| {
            let number = usize::try_from(*letters.get_ref()).ok();
            let number = number.filter(|number| *number <= MAX_LETTERS);
            if number.is_none() {
                let message = format!(
                    "domains.directory_letters: {} is not a number from 0 to {MAX_LETTERS}",
                    letters.get_ref()
                );
                self.checker.mistake("letters-range", letters.span(), message);
            }
            number
        })?;
        let path = domains.directory.as_ref()?;
        if self.checker.is_empty("domains.directory", path) {
            return None;
        }
        let folder = self.checker.beside(path.get_ref());
        if let Err(error) = std::fs::read_dir(&folder) {
            // The folder is watched until it can be read; then each domain's file is checked by
            // itself.
            self.checker.read.push((folder.clone(), Stamp::of(&folder).ok().flatten()));
            let message = format!(
                "domains.directory: {} cannot be read: {}",
                folder.display(),
                files::reason(&error)
            );
            self.checker.mistake("file-unreadable", path.span(), message);
            return None;
        }
        let mut directory = DomainsD::new(folder, letters, self.loading.settling);
        let earlier = self.loading.earlier.and_then(|earlier| earlier.directory.as_ref());
        if let Some(earlier) = earlier {
            directory.remember(earlier, self.loading.is_meant);
        }
        Some(directory)
    }

    /// Refuses aliases that lead to unknown domains or back to themselves: each is the name of its
    /// table, the domain that it leads to, and its place.
    fn aliases<'t>(
        &mut self,
        aliases: &[(Name, Domain, Range<usize>)],
        table: impl Fn(&Domain) -> Target<'t>,
    ) {
        for (start, first, alias) in aliases {
            let mut domain = first;
            let mut steps = 1;
            // The entries live as long as the tables.
            let mut next;
            let complaint = loop {
                match table(domain) {
                    Target::Elsewhere | Target::Table(_, Entry::Settings(_)) => break None,
                    Target::Table(name, Entry::AliasOf(_)) if name == *start => {
                        break Some("is part of a circle".to_owned());
                    }
                    Target::Table(_, Entry::AliasOf(_)) if steps == MAX_ALIASES => {
                        break Some(format!(
                            "has more than {MAX_ALIASES} steps, or leads into a circle"
                        ));
                    }
                    Target::Table(_, Entry::AliasOf(target)) => {
                        next = target;
                        domain = next;
                    }
                    Target::Nowhere => {
                        let domain = domain.for_people();
                        break Some(format!("leads to `{domain}`, which is not configured"));
                    }
                }
                steps += 1;
            };
            if let Some(complaint) = complaint {
                let message = format!("the alias of `{start}` {complaint}");
                self.checker.mistake("alias", Some(alias.clone()), message);
            }
        }
    }
}

/// Prepares the lists for the check of aliases to domains without a table.
fn look_up_targets(
    aliases: &[(Name, Domain, Range<usize>)],
    domains: &FxHashMap<Domain, Entry>,
    lists: &[(PathBuf, Arc<List>)],
) {
    let targets = aliases.iter().map(|(_, target, _)| target);
    let mut targets: Vec<_> = targets.filter(|it| !domains.contains_key(*it)).cloned().collect();
    targets.sort_unstable();
    targets.dedup();
    lists.iter().for_each(|(_, list)| list.look_up(&targets));
}

/// True if a name is written in its usual spelling.
fn is_usual(name: &Name, written: &str) -> bool {
    match name {
        Name::Domain(domain) => domain.as_str() == written,
        Name::Below(_) | Name::All => name.to_string() == written,
    }
}

/// Where the entry of the target of an alias is.
enum Target<'t> {
    /// In this table.
    Table(Name, &'t Entry),
    /// In a file, or in the tables at the top.
    Elsewhere,
    /// It is not configured.
    Nowhere,
}
