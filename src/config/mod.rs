//! The configuration: which domains are ours, and what their accounts look like.
//!
//! `file` holds what is written, `check` turns it into a [`Config`] or says what is wrong, `find`
//! knows where the file is, `reload` keeps a running service up to date, and `defaults` is all
//! that holds without any file. A [`Config`] is never half right: it exists or it does not.

pub mod check;
pub mod defaults;
pub mod file;
pub mod find;
pub mod reload;

use crate::account::{Account, Auth, Login, Protocol, Provider, Security, Server};
use crate::address::{Domain, EmailAddress, is_host_name};
use crate::directory::{DirectoryError, domains_d::DomainsD};
use crate::files::{self, Stamp};
use crate::log;
use crate::request::Limits;
use crate::sign::Identity;
use defaults::EMAIL_DOMAIN;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Longest chain of aliases that is followed.
const MAX_ALIASES: usize = 8;

/// Longest name of a provider, in characters (draft-ietf-mailmaint-autoconfig-06, displayName).
const MAX_NAME: usize = 60;
/// Longest short name of a provider, in characters (the same, displayShortName).
const MAX_SHORT_NAME: usize = 20;

//------------ Config ---------------------------------------------------------

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// True if domains that are named nowhere are answered with the base settings.
    answer_any: bool,
    /// What holds where a domain says nothing else.
    base: Rc<Settings>,
    /// The domains with a table of their own.
    domains: HashMap<Domain, Entry>,
    /// The domains of list files.
    listed: HashSet<Domain>,
    /// The folder with a file for each domain.
    directory: Option<DomainsD<Entry>>,
    /// True once a circle of aliases through the folder was logged.
    circle_told: Cell<bool>,
    /// What Apple profiles are signed with.
    signing: Option<Identity>,
    /// What a request may cost.
    pub limits: Limits,
    /// The files this was read from, and their states then: when one changes, so does the
    /// configuration.
    pub files: Vec<(PathBuf, Option<Stamp>)>,
    /// What was left out because it could not be understood.
    pub warnings: Vec<ConfigError>,
}

/// What is known of one domain.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Its settings.
    Settings(Rc<Settings>),
    /// It gets the settings of another domain.
    AliasOf(Domain),
}

/// The settings found for a domain.
pub struct Found {
    settings: Rc<Settings>,
    /// The domain that is filled in: the one found, or the one it is an alias of.
    domain: Domain,
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
        let mut domain = domain.clone();
        for _ in 0..=MAX_ALIASES {
            let Some(entry) = self.entry(&domain)? else { return Ok(None) };
            match entry {
                Entry::Settings(settings) => return Ok(Some(Found { settings, domain })),
                Entry::AliasOf(target) => domain = target,
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
    pub fn directory_errors(&self) -> Vec<ConfigError> {
        let Some(directory) = &self.directory else { return Vec::new() };
        directory.files().iter().flat_map(|path| self.domain_file_errors(path)).collect()
    }

    fn domain_file_errors(&self, path: &Path) -> Vec<ConfigError> {
        let error = |message| vec![ConfigError { file: path.to_owned(), line: None, message }];
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

    /// Takes over what is known of domains that were good and may be broken now.
    pub fn remember(&self, earlier: &Config) {
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

impl Found {
    /// The account of `address`, or of any address at `domain`.
    pub fn account(
        &self,
        domain: Domain,
        host_domain: Option<Domain>,
        address: Option<EmailAddress>,
    ) -> Option<Account> {
        let settings = &self.settings;
        let fill = |template: &str| template.replace(EMAIL_DOMAIN, self.domain.as_str());
        let servers = settings.servers.iter().filter(|server| server.enabled).map(|server| {
            let host = fill(&server.host);
            // A long domain may leave no room for the rest of the name.
            is_host_name(&host).then(|| Server {
                protocol: server.protocol,
                host,
                port: server.port,
                security: server.security,
                auth: server.auth,
                login: Login::new(fill(&server.username)),
            })
        });
        Some(Account {
            provider: Provider {
                name: cut(fill(&settings.name), MAX_NAME),
                short_name: cut(fill(&settings.short_name), MAX_SHORT_NAME),
                identifier: settings.identifier.clone().unwrap_or_else(|| reversed(&self.domain)),
            },
            servers: servers.collect::<Option<_>>()?,
            host_domain: host_domain.filter(|host| *host != domain),
            domain,
            address,
        })
    }
}

/// The text, or as much of it as fits into `max` characters.
fn cut(text: String, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => text[..end].trim_end().to_owned(),
        None => text,
    }
}

/// `org.example.mailsetup` for `example.org`.
fn reversed(domain: &Domain) -> String {
    let mut labels: Vec<_> = domain.as_str().split('.').rev().collect();
    labels.push(defaults::IDENTIFIER_SUFFIX);
    labels.join(".")
}

//------------ Settings -------------------------------------------------------

/// What the accounts of a domain look like, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider's name; may hold `%EMAILDOMAIN%`, like the next.
    pub name: String,
    /// The provider's short name.
    pub short_name: String,
    /// The reverse-DNS name of the provider, if not made of the domain.
    pub identifier: Option<String>,
    /// The servers: IMAP, POP3, SMTP.
    pub servers: [ServerSettings; 3],
}

/// A server, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// What is spoken there.
    pub protocol: Protocol,
    /// False if it is not offered.
    pub enabled: bool,
    /// Host name; may hold `%EMAILDOMAIN%`.
    pub host: String,
    /// TCP port.
    pub port: NonZeroU16,
    /// How the connection is protected.
    pub security: Security,
    /// How users prove who they are.
    pub auth: Auth,
    /// The login; may hold all three placeholders.
    pub username: String,
}

//------------ ConfigError ----------------------------------------------------

/// One mistake in a configuration, told so that it can be mended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// The file it is in.
    pub file: PathBuf,
    /// The line, counted from one, if it has one.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for ConfigError {}
