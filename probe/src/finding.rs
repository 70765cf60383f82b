//! Findings: what is wrong, with which name or server, and whom it hurts; as data.
//!
//! Every kind has a code that does not change between versions; those of the program are in
//! [`CODES`], with their text for `--explain` and for the manual.

use mailsetup::finding::Level;

/// A kind of finding.
#[derive(Debug)]
pub struct Code {
    /// In kebab case: `tls-name`.
    pub id: &'static str,
    /// The level if a client fails because of it. A finding that hurts no client has one level less,
    /// down to a note.
    pub level: Level,
    /// One line about it.
    pub about: &'static str,
    /// What it means, whom it hurts, and the remedy: plain text of one paragraph or more.
    pub explain: &'static str,
}

/// One finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The kind.
    pub code: &'static str,
    /// Its level.
    pub level: Level,
    /// What it is about: `autoconfig.example.org:443`, `_imaps._tcp.example.org`.
    pub subject: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was asked, and what came.
    pub evidence: String,
    /// The remedy: lines that can be pasted, or a sentence; empty if there is none.
    pub remedy: String,
    /// The clients that it hurts, by the names of their table.
    pub clients: Vec<&'static str>,
}
