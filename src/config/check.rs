//! From what is written to a [`Config`], or to everything that is wrong with it.
//!
//! Every value is checked here, once. Refuses ports out of range, hosts that are none, unknown
//! placeholders, aliases to nowhere and in circles; all of these in a file are told at once (of a broken
//! shape or a wrong type, only the first).
//! What works but breaks some client is no mistake; see `commands::check`.

use super::file::{self, Mistake};
use super::layer::Layer;
use super::report::Report;
use super::settings::Settings;
use super::{Config, Entry, Log, MAX_ALIASES, StatusPaths};
use crate::address::Domain;
use crate::directory::{domains_d::DomainsD, list};
use crate::files::{self, Stamp};
use crate::finding::{Finding, Place};
use crate::request::Limits;
use crate::route;
use crate::signing::Identity;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::Cell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// Largest cap that can be set on a body or on parameters, in bytes.
const MAX_CAP: i64 = 16 * 1024 * 1024;
/// Most that all requests coming in can be allowed to hold together, in bytes.
const MAX_BUFFERED: i64 = 1024 * 1024 * 1024;
/// Most connections that can be allowed.
const MAX_CONNECTIONS: i64 = 100_000;
/// Longest timeout that can be set, in seconds.
const MAX_TIMEOUT_S: i64 = 3600;

/// The configuration that needs no file.
pub fn built_in() -> Config {
    let mut checker = Checker::new(Path::new(""), "");
    checker.config(file::File::default())
}

/// Reads and checks the file at `path`.
pub fn config(path: &Path) -> Result<Config, Vec<Finding>> {
    // The state is noted before the file is read: what changes meanwhile is seen later.
    let stamp = Stamp::of(path).ok().flatten();
    let text = files::read_text(path).map_err(|error| {
        let message = format!("cannot be read: {error}");
        vec![Finding::error("file-unreadable", Some(Place::file(path)), message)]
    })?;
    let mut config = self::text(path, &text)?;
    config.files.insert(0, (path.to_owned(), stamp));
    Ok(config)
}

/// Checks a text as if it stood in the file at `path`; files that it names are read.
pub fn text(path: &Path, text: &str) -> Result<Config, Vec<Finding>> {
    let mut checker = Checker::new(path, text);
    let file = match file::parse(text) {
        Ok(file) => file,
        Err(mistake) => {
            checker.mistake("syntax", mistake.span, mistake.message);
            return Err(checker.report.findings);
        }
    };
    let config = checker.config(file);
    match checker.report.is_empty() {
        true => Ok(config),
        false => Err(checker.report.findings),
    }
}

/// Checks the text of one domain's file, which stands on `base`.
pub fn domain_file(path: &Path, text: &str, base: &Settings) -> Result<Entry, Vec<Finding>> {
    let mut checker = Checker::new(path, text);
    match file::parse::<file::Domain>(text) {
        Ok(domain) => {
            let entry = checker.entry(&domain, base);
            if checker.report.is_empty() {
                return Ok(entry);
            }
        }
        Err(Mistake { span, message }) => checker.mistake("syntax", span, message),
    }
    Err(checker.report.findings)
}

//------------ Checker --------------------------------------------------------

/// Checks one file and collects its mistakes.
pub(super) struct Checker<'a> {
    path: &'a Path,
    pub(super) report: Report<'a>,
    warnings: Vec<Finding>,
    /// The files that were read on the way, and their states before that.
    read: Vec<(PathBuf, Option<Stamp>)>,
}

impl<'a> Checker<'a> {
    fn new(path: &'a Path, text: &'a str) -> Checker<'a> {
        Checker { path, report: Report::new(path, text), warnings: Vec::new(), read: Vec::new() }
    }

    pub(super) fn mistake(
        &mut self,
        code: &'static str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
    ) {
        self.report.error(code, span, message);
    }

    /// Reads a file that is named at `path`; the configuration follows its changes.
    pub(super) fn file(&mut self, key: &str, path: &Spanned<String>) -> Option<(PathBuf, Vec<u8>)> {
        let file = self.beside(path.get_ref());
        self.read.push((file.clone(), Stamp::of(&file).ok().flatten()));
        match files::read(&file) {
            Ok(bytes) => Some((file, bytes)),
            Err(error) => {
                let message = format!("{key}: {} cannot be read: {error}", file.display());
                self.mistake("file-unreadable", Some(path.span()), message);
                None
            }
        }
    }

    fn config(&mut self, file: file::File) -> Config {
        let base = self.settings(&Layer::from(&file), None);
        let mut domains = FxHashMap::default();
        for (name, table) in &file.domain {
            let entry = self.entry(table, &base);
            match Domain::parse(name.get_ref()) {
                Err(_) => self.mistake(
                    "domain-name",
                    Some(name.span()),
                    format!("`{}` is not a domain name", name.get_ref()),
                ),
                Ok(domain) => {
                    if domains.insert(domain, entry).is_some() {
                        let message = format!(
                            "the domain `{}` is there twice, in two spellings",
                            name.get_ref()
                        );
                        self.mistake("domain-duplicate", Some(name.span()), message);
                    }
                }
            }
        }
        let mut files = std::mem::take(&mut self.read);
        let listed = self.list_files(&file.domains, &mut files);
        let directory = file.domains.directory.as_ref().and_then(|path| self.directory(path));
        let named =
            !domains.is_empty() || !file.domains.list_files.is_empty() || directory.is_some();
        let answer = file.domains.answer.as_ref().map(|answer| *answer.get_ref());
        let answer_any = answer.map_or(!named, |answer| answer == file::AnswerFor::Any);
        self.aliases(&file, &domains, |domain| {
            answer_any
                || listed.contains(domain)
                || directory.as_ref().is_some_and(|directory| directory.has(domain))
        });
        if let (Some(answer), false) = (&file.domains.answer, named) {
            if *answer.get_ref() == file::AnswerFor::Listed {
                let message = "`answer = \"listed\"` and no domain is listed: nobody would be answered; \
                               add a [domain.\"example.org\"], list_files or directory";
                self.mistake("nobody-answered", Some(answer.span()), message.to_owned());
            }
        }
        Config {
            answer_any,
            base: Arc::new(base),
            domains,
            listed,
            directory,
            circle_told: Cell::new(false),
            signing: self.signing(&file.apple),
            limits: self.limits(&file.limits),
            log: Log {
                requests: file.log.requests,
                addresses: file.log.addresses == Some(file::Addresses::Full),
            },
            status: self.status(&file.metrics),
            files,
            warnings: std::mem::take(&mut self.warnings),
        }
    }

    fn entry(&mut self, table: &file::Domain, base: &Settings) -> Entry {
        let layer = Layer::from(table);
        let settings = self.settings(&layer, Some(base));
        let Some(target) = &table.alias_of else { return Entry::Settings(Arc::new(settings)) };
        if !layer.is_empty() {
            let message = "`alias_of` takes all settings of the other domain: it stands alone";
            self.mistake("alias-alone", Some(target.span()), message.to_owned());
        }
        match Domain::parse(target.get_ref()) {
            Ok(domain) => Entry::AliasOf(domain),
            Err(_) => {
                self.mistake(
                    "domain-name",
                    Some(target.span()),
                    format!("`{}` is not a domain name", target.get_ref()),
                );
                Entry::Settings(Arc::new(settings))
            }
        }
    }

    fn signing(&mut self, apple: &file::Apple) -> Option<Identity> {
        let (certificate, key) = match (&apple.signing_certificate, &apple.signing_key) {
            (None, None) => return None,
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(one), None) | (None, Some(one)) => {
                let message = "apple.signing_certificate and apple.signing_key go together";
                self.mistake("signing-pair", Some(one.span()), message.to_owned());
                return None;
            }
        };
        let identity =
            Identity::new(self.beside(certificate.get_ref()), self.beside(key.get_ref()));
        if let Err(error) = &identity {
            self.mistake("signing-not-built", Some(certificate.span()), error.to_string());
        }
        identity.ok()
    }

    fn status(&mut self, metrics: &file::Metrics) -> StatusPaths {
        let mut path = |key: &str, path: &Option<Spanned<String>>| {
            let path = path.as_ref()?;
            let text = path.get_ref();
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
            let example = "like \"/mailsetup/metrics\", without `?` and `%`";
            let message = if !text.starts_with('/') || !text.bytes().all(is_plain) {
                format!("{key}: `{text}` is no path {example}")
            } else if route::is_known(text.as_bytes()) {
                format!("{key}: `{text}` is what mail clients ask for: take a path of its own")
            } else {
                return Some(text.clone());
            };
            self.mistake("status-path", Some(path.span()), message);
            None
        };
        let paths = StatusPaths {
            metrics_path: path("metrics.path", &metrics.path),
            health_path: path("metrics.health_path", &metrics.health_path),
        };
        if let (Some(path), true) = (
            &metrics.health_path,
            paths.health_path.is_some() && paths.health_path == paths.metrics_path,
        ) {
            let message = "metrics.health_path: it is metrics.path as well".to_owned();
            self.mistake("status-path", Some(path.span()), message);
        }
        paths
    }

    fn limits(&mut self, limits: &file::Limits) -> Limits {
        let mut number = |name: &str, value: &Option<Spanned<i64>>, default: i64, max: i64| {
            let Some(value) = value else { return default };
            if !(1..=max).contains(value.get_ref()) {
                let message =
                    format!("limits.{name}: {} is not between 1 and {max}", value.get_ref());
                self.mistake("limit-range", Some(value.span()), message);
                return default;
            }
            *value.get_ref()
        };
        let defaults = Limits::default();
        let mut size = |name: &str, value: &Option<Spanned<i64>>, default: usize, max: i64| {
            number(name, value, default as i64, max) as usize
        };
        Limits {
            parameters_bytes: size(
                "parameters_bytes",
                &limits.parameters_bytes,
                defaults.parameters_bytes,
                MAX_CAP,
            ),
            body_bytes: size("body_bytes", &limits.body_bytes, defaults.body_bytes, MAX_CAP),
            connections: size(
                "connections",
                &limits.connections,
                defaults.connections,
                MAX_CONNECTIONS,
            ),
            timeout: Duration::from_secs(size(
                "timeout_s",
                &limits.timeout_s,
                defaults.timeout.as_secs() as usize,
                MAX_TIMEOUT_S,
            ) as u64),
            buffered_bytes: size(
                "buffered_bytes",
                &limits.buffered_bytes,
                defaults.buffered_bytes,
                MAX_BUFFERED,
            ),
            stop_timeout: Duration::from_secs(size(
                "stop_timeout_s",
                &limits.stop_timeout_s,
                defaults.stop_timeout.as_secs() as usize,
                MAX_TIMEOUT_S,
            ) as u64),
        }
    }

    fn list_files(
        &mut self,
        domains: &file::Domains,
        files: &mut Vec<(PathBuf, Option<Stamp>)>,
    ) -> FxHashSet<Domain> {
        let mut listed = FxHashSet::default();
        for path in &domains.list_files {
            let file = self.beside(path.get_ref());
            files.push((file.clone(), Stamp::of(&file).ok().flatten()));
            match list::read(&file) {
                Ok(list) => {
                    listed.extend(list.domains);
                    for (line, word) in list.not_domains {
                        let message =
                            format!("`{word}` is not a domain name: this line is left out");
                        let place =
                            Place { file: file.as_path().into(), position: Some((line, 1)) };
                        self.warnings.push(Finding::warning("list-line", Some(place), message));
                    }
                }
                Err(error) => {
                    let message =
                        format!("domains.list_files: {} cannot be read: {error}", file.display());
                    self.mistake("file-unreadable", Some(path.span()), message);
                }
            }
        }
        listed
    }

    fn directory(&mut self, path: &Spanned<String>) -> Option<DomainsD<Entry>> {
        let directory = self.beside(path.get_ref());
        if let Err(error) = std::fs::read_dir(&directory) {
            let message =
                format!("domains.directory: {} cannot be read: {error}", directory.display());
            self.mistake("file-unreadable", Some(path.span()), message);
            return None;
        }
        Some(DomainsD::new(directory))
    }

    /// Refuses aliases that lead nowhere or back to themselves; `elsewhere` knows the domains that
    /// have no table.
    fn aliases(
        &mut self,
        file: &file::File,
        domains: &FxHashMap<Domain, Entry>,
        elsewhere: impl Fn(&Domain) -> bool,
    ) {
        for (name, table) in &file.domain {
            let (Ok(start), Some(alias)) = (Domain::parse(name.get_ref()), &table.alias_of) else {
                continue;
            };
            let mut domain = &start;
            let mut steps = 0;
            let complaint = loop {
                match domains.get(domain) {
                    Some(Entry::Settings(_)) => break None,
                    Some(Entry::AliasOf(target)) if *target == start => {
                        break Some("goes in a circle".to_owned());
                    }
                    Some(Entry::AliasOf(_)) if steps == MAX_ALIASES => {
                        break Some(format!(
                            "is longer than {MAX_ALIASES} steps, or goes in a circle"
                        ));
                    }
                    Some(Entry::AliasOf(target)) => domain = target,
                    None if elsewhere(domain) => break None,
                    None => {
                        break Some(format!("leads to `{domain}`, which is configured nowhere"));
                    }
                }
                steps += 1;
            };
            if let Some(complaint) = complaint {
                let message = format!("the alias of `{}` {complaint}", name.get_ref());
                self.mistake("alias", Some(alias.span()), message);
            }
        }
    }

    /// A path as written, or beside the configuration file if it is relative.
    fn beside(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}
