//! What a response is about, and how much of it is logged: for the access log and the metrics, never
//! for the client.

use crate::address::{Domain, EmailAddress};

/// What a response is about, as far as it is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The kind of document, a word of this program; a hyphen if none was asked for that is known.
    pub document: &'static str,
    /// The address that was asked for.
    pub address: Option<EmailAddress>,
    /// The host that was asked.
    pub host: Option<Domain>,
    /// Whether the signature was made, where one was due.
    pub signed: Option<bool>,
}

impl Record {
    /// A record of a document and the host that was asked.
    pub fn new(document: &'static str, host: Option<Domain>) -> Record {
        Record { document, host, ..Record::default() }
    }
}

impl Default for Record {
    fn default() -> Record {
        Record { document: "-", address: None, host: None, signed: None }
    }
}

/// What the access log holds beside the usual: personal data.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields {
    /// Whole addresses; else they are masked behind their first letter.
    pub addresses: bool,
    /// The network address of the client.
    pub client_addresses: bool,
    /// What the client calls itself.
    pub user_agents: bool,
}
