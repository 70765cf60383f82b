//! What is said at the end: text, JSON, HTML; and what can be made of it: a configuration, zone lines.
//!
//! Everything that comes from outside is escaped: a server cannot write to the terminal.

pub mod config;
pub mod html;
pub mod json;
pub mod print;
pub mod text;
mod words;
pub mod zone;

use crate::finding::Finding;
use crate::net::dns::Answer;
use crate::net::mail::Server;
use crate::read::Setting;
use mailsetup::finding::Level;

/// All that was found out about a domain.
#[derive(Clone, Debug)]
pub struct Report {
    /// The address that was asked for.
    pub address: String,
    /// True if the local part is made up, because only a domain was given.
    pub is_made_up: bool,
    /// Its domain.
    pub domain: String,
    /// The clients, in the order of their table.
    pub clients: Vec<Verdict>,
    /// The findings, the one that matters most first.
    pub findings: Vec<Finding>,
    /// The mail servers that any document names, and what they said.
    pub servers: Vec<Server>,
    /// The DNS answers, in the order in which they were asked.
    pub dns: Vec<Answer>,
    /// How many HTTP requests were made.
    pub requests: usize,
    /// When it began, in seconds since 1970.
    pub at: i64,
    /// How long it took.
    pub took: std::time::Duration,
    /// What was left out, because a limit was reached.
    pub left_out: Vec<String>,
    /// The settings that are published today, for a configuration; `None` if there are none.
    pub published: Option<Published>,
}

/// The settings that are published today, one choice of all that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Published {
    /// The name of the provider.
    pub name: Option<Seen<String>>,
    /// The servers, the preferred one of each protocol first.
    pub servers: Vec<Seen<Setting>>,
}

/// A value, and where it was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen<T> {
    /// The value.
    pub value: T,
    /// `https://autoconfig.example.org/mail/config-v1.1.xml`, `SRV _imaps._tcp.example.org`
    pub at: String,
}

impl Report {
    /// The findings of a level, in their order.
    pub fn of_level(&self, level: Level) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.level == level)
    }

    /// True if there are errors or warnings.
    pub fn has_faults(&self) -> bool {
        self.findings.iter().any(|finding| finding.level != Level::Note)
    }
}

/// What becomes of one client.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Its name in the table of clients.
    pub client: &'static str,
    /// The version in which its rules were seen; empty if they were not seen in a release.
    pub version: &'static str,
    /// What becomes of it.
    pub outcome: Outcome,
    /// How it found its settings.
    pub found_by: FoundBy,
    /// The code and the subject of the finding that is the first cause.
    pub cause: Option<(&'static str, String)>,
    /// What it would fill in: one server for reading and one for sending.
    pub settings: Vec<Setting>,
    /// A sentence: what the user is asked, or why it does not matter.
    pub note: String,
}

/// What becomes of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It sets up the account with address and password.
    Works,
    /// It does, after the user confirms or types something.
    Asks,
    /// It does not.
    Fails,
}

/// How a client found its settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FoundBy {
    /// Autoconfig.
    Autoconfig,
    /// Autodiscover.
    Autodiscover,
    /// SRV records.
    Srv,
    /// PACC.
    Pacc,
    /// An Apple profile.
    Profile,
    /// It did not.
    None,
}

impl Outcome {
    /// The word of the JSON form.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Works => "works",
            Outcome::Asks => "asks",
            Outcome::Fails => "fails",
        }
    }
}

impl FoundBy {
    /// The word of the JSON form.
    pub fn word(self) -> &'static str {
        match self {
            FoundBy::Autoconfig => "autoconfig",
            FoundBy::Autodiscover => "autodiscover",
            FoundBy::Srv => "srv",
            FoundBy::Pacc => "pacc",
            FoundBy::Profile => "profile",
            FoundBy::None => "none",
        }
    }
}
