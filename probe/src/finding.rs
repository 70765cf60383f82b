//! Findings: what is wrong, with which name or server, and whom it hurts; as data.
//!
//! Every kind has a code that does not change between versions; all of them are in `codes`,
//! with their text for `--explain` and for the manual.

use mailsetup::finding::Level;

/// A kind of finding.
#[derive(Debug)]
pub struct Code {
    /// In kebab case: `tls-name`.
    pub id: &'static str,
    /// Where on the way from a name to a mailbox it stands.
    pub stage: Stage,
    /// Its level if a client fails because of it; see [`Weight`].
    pub weight: Weight,
    /// One line about it.
    pub about: &'static str,
    /// What it means, whom it hurts, and the remedy: plain text of one paragraph or more.
    pub explain: &'static str,
}

/// The way from a name to a mailbox: what comes first matters first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// Names and addresses.
    Dns,
    /// Connections.
    Connection,
    /// TLS.
    Tls,
    /// HTTP.
    Http,
    /// What a document says.
    Document,
    /// Mail servers.
    Mail,
}

/// How much a kind of finding weighs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// An error if it is the cause for a client that fails; else a warning.
    Fault,
    /// A warning, whether or not a client fails.
    Risk,
    /// Something is not published. A warning if it is the cause for Thunderbird, or for another client
    /// while Thunderbird was not looked at; a note if it is the cause for others; else it is left out.
    Absence,
    /// Not published either, and many domains do well without it: a note if it is the cause for a
    /// client; else it is left out.
    Choice,
    /// A note in any case.
    Note,
}

/// Something that is wrong, before it is known whom it hurts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The kind.
    pub code: &'static str,
    /// What it is about.
    pub subject: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was asked, and what came.
    pub evidence: String,
    /// The remedy; empty if there is none.
    pub remedy: String,
}

impl Fault {
    /// Without evidence and remedy.
    pub fn new(
        code: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Fault {
        let (evidence, remedy) = (String::new(), String::new());
        Fault { code, subject: subject.into(), message: message.into(), evidence, remedy }
    }

    /// With what was asked, and what came.
    pub fn seen(self, evidence: impl Into<String>) -> Fault {
        Fault { evidence: evidence.into(), ..self }
    }

    /// With a remedy.
    pub fn mend(self, remedy: impl Into<String>) -> Fault {
        Fault { remedy: remedy.into(), ..self }
    }
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
    /// The remedy: lines that can be pasted, or sentences; empty if there is none. A line that begins with
    /// a capital letter and ends with a full stop or a colon is a sentence, any other is for pasting.
    pub remedy: String,
    /// The clients that it hurts, by the names of their table.
    pub clients: Vec<&'static str>,
}
