//! The configuration: which domains are ours, and what their accounts look like.
//!
//! `file` holds what is written, `check` and `layer` turn it into a [`Config`] or say what is
//! wrong, `settings` makes an account of what was found, `find` knows where the file is, `reload`
//! keeps a running service up to date, and `defaults` is all that holds without any file. A
//! [`Config`] is never half right: it exists or it does not.

pub mod check;
pub mod defaults;
pub mod file;
pub mod find;
mod layer;
pub mod reload;
mod report;
pub mod settings;

use crate::address::Domain;
use crate::directory::{DirectoryError, domains_d::DomainsD};
use crate::files::{self, Stamp};
use crate::finding::{Finding, Place};
use crate::log;
use crate::request::Limits;
use crate::signing::Identity;
use rustc_hash::{FxHashMap, FxHashSet};
use settings::{Found, Settings};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest chain of aliases that is followed.
const MAX_ALIASES: usize = 8;

//------------ Config ---------------------------------------------------------

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// True if domains that are named nowhere are answered with the base settings.
    answer_any: bool,
    /// What holds where a domain says nothing else.
    base: Arc<Settings>,
    /// The domains with a table of their own. These and the next are chosen by an admin, so that a
    /// hash need not withstand strangers.
    domains: FxHashMap<Domain, Entry>,
    /// The domains of list files.
    listed: FxHashSet<Domain>,
    /// The folder with a file for each domain.
    directory: Option<DomainsD<Entry>>,
    /// True once a circle of aliases through the folder was logged.
    circle_told: Cell<bool>,
    /// What Apple profiles are signed with.
    signing: Option<Identity>,
    /// What a request may cost.
    pub limits: Limits,
    /// What is written to the log.
    pub log: Log,
    /// Where the service says how it is.
    pub status: StatusPaths,
    /// The files this was read from, and their states then: when one changes, so does the
    /// configuration.
    pub files: Vec<(PathBuf, Option<Stamp>)>,
    /// What was left out because it could not be understood.
    pub warnings: Vec<Finding>,
}

/// What is written to the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log {
    /// Whether there is a line for each request; by default for those that a service answers, and
    /// not for CGI.
    pub requests: Option<bool>,
    /// Whether addresses are whole in these.
    pub addresses: bool,
}

/// Paths at which the service says how it is; none by default.
#[derive(Clone, Debug, Default)]
pub struct StatusPaths {
    /// With its counters.
    pub metrics_path: Option<String>,
    /// That it runs.
    pub health_path: Option<String>,
}

/// What is known of one domain.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Its settings.
    Settings(Arc<Settings>),
    /// It gets the settings of another domain.
    AliasOf(Domain),
}

impl Config {
    /// True if `domain` is named by a table, a list or a file.
    pub fn is_named(&self, domain: &Domain) -> bool {
        self.domains.contains_key(domain)
            || self.listed.contains(domain)
            || self.directory.as_ref().is_some_and(|directory| directory.has(domain))
    }

    /// Looks a domain up; `None` if it is not ours.
    ///
    /// Fails if it is ours and its settings cannot be read; that is logged where it is found out.
    pub fn find(&self, domain: &Domain) -> Result<Option<Found>, Unavailable> {
        let mut alias_of = None;
        for _ in 0..=MAX_ALIASES {
            match self.entry(alias_of.as_ref().unwrap_or(domain))? {
                None => return Ok(None),
                Some(Entry::Settings(settings)) => return Ok(Some(Found::new(settings, alias_of))),
                Some(Entry::AliasOf(target)) => alias_of = Some(target),
            }
        }
        if !self.circle_told.replace(true) {
            log::error(&format!("{domain}: too many aliases, or aliases in a circle"));
        }
        Err(Unavailable)
    }

    fn entry(&self, domain: &Domain) -> Result<Option<Entry>, Unavailable> {
        if let Some(entry) = self.domains.get(domain) {
            return Ok(Some(entry.clone()));
        }
        if let Some(directory) = &self.directory {
            let read = |path: &Path, text: &str| check::domain_file(path, text, &self.base);
            let entry = directory.entry(domain, read).map_err(|DirectoryError| Unavailable)?;
            if entry.is_some() {
                return Ok(entry);
            }
        }
        let is_listed = self.answer_any || self.listed.contains(domain);
        Ok(is_listed.then(|| Entry::Settings(self.base.clone())))
    }

    /// What is wrong with the files of the domain folder.
    pub fn directory_errors(&self) -> Vec<Finding> {
        let Some(directory) = &self.directory else { return Vec::new() };
        directory.files().iter().flat_map(|path| self.domain_file_errors(path)).collect()
    }

    fn domain_file_errors(&self, path: &Path) -> Vec<Finding> {
        let error =
            |message: String| vec![Finding::error("domain-file", Some(Place::file(path)), message)];
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match Domain::parse(stem) {
            Err(_) => return error("its name is no domain: nobody is answered from it".to_owned()),
            Ok(domain) if domain.as_str() != stem => {
                return error(format!("call it {domain}.toml: it is looked for by that name"));
            }
            Ok(_) => {}
        }
        let entry = match files::read_text(path) {
            Ok(text) => check::domain_file(path, &text, &self.base),
            Err(reason) => return error(format!("cannot be read: {reason}")),
        };
        match entry {
            Err(errors) => errors,
            Ok(Entry::AliasOf(target)) => match self.find(&target) {
                Ok(None) => {
                    error(format!("its alias leads to `{target}`, which is configured nowhere"))
                }
                Ok(Some(_)) => Vec::new(),
                // Of a broken target, this is said beside what is wrong in its own file.
                Err(Unavailable) => {
                    error(format!("its alias leads to `{target}`, which is broken or a circle"))
                }
            },
            Ok(Entry::Settings(_)) => Vec::new(),
        }
    }

    /// Takes over what is known of domains, and of a certificate, that were good and may be broken
    /// now.
    pub fn remember(&mut self, earlier: &Config) {
        if let (Some(signing), Some(earlier)) = (&mut self.signing, &earlier.signing) {
            if signing.is_of_same_files(earlier) {
                *signing = earlier.clone();
            }
        }
        if let (Some(directory), Some(earlier)) = (&self.directory, &earlier.directory) {
            directory.remember(earlier);
        }
    }

    /// What Apple profiles are signed with, if anything.
    pub fn signing_identity(&self) -> Option<&Identity> {
        self.signing.as_ref()
    }

    /// True if every domain is answered.
    pub fn answers_any(&self) -> bool {
        self.answer_any
    }

    /// Every domain that is named by a table, a list or a file, in the order of their names.
    pub fn domains(&self) -> Vec<Domain> {
        let in_directory = self.directory.iter().flat_map(DomainsD::domains);
        let mut domains: Vec<_> =
            self.domains.keys().chain(&self.listed).cloned().chain(in_directory).collect();
        domains.sort();
        domains.dedup();
        domains
    }
}

/// A domain is ours, but its settings cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unavailable;
