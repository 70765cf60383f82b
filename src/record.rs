//! The record of a response for the access log and the metrics, and the fields that are logged. It
//! is never sent to the client.

use crate::address::{Domain, EmailAddress};

/// What a response is about, as far as known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The kind of document, a fixed word; a hyphen if the request was not for a known document.
    pub document: &'static str,
    /// The requested address.
    pub address: Option<EmailAddress>,
    /// The host that the request was sent to.
    pub host: Option<Domain>,
    /// Whether the document was signed, if it should be.
    pub signed: Option<bool>,
}

impl Record {
    /// A record of a document and the requested host.
    pub fn new(document: &'static str, host: Option<Domain>) -> Record {
        Record { document, host, ..Record::default() }
    }
}

impl Default for Record {
    fn default() -> Record {
        Record { document: "-", address: None, host: None, signed: None }
    }
}

/// The optional fields of the access log: personal data.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields {
    /// Whole addresses; otherwise they are masked after their first letter.
    pub addresses: bool,
    /// The network address of the client.
    pub client_addresses: bool,
    /// The client's User-Agent.
    pub user_agents: bool,
}
