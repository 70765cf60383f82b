//! What is asked: which document, and for which address or domain.
//!
//! A discovery protocol reads a [`Question`] from a request, and writes the [`Document`] it names
//! once the question is resolved to an account. Between the two, nobody needs to know which
//! protocol it is.

use crate::account::Account;
use crate::address::{Domain, EmailAddress};
use crate::request::Request;
use crate::response::Response;

/// A document, asked for an address or for the domain behind a host.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is wanted.
    pub document: &'static Document,
    /// The address the client sent.
    pub address: Option<EmailAddress>,
    /// The host the client asked.
    pub host: Option<Domain>,
}

/// One kind of answer: how it is written, and how the lack of an account is told.
#[derive(Debug)]
pub struct Document {
    /// Which domain decides.
    pub decided_by: DecidedBy,
    /// True if the bytes are signed where a certificate is configured.
    pub signed: bool,
    /// Writes the document; what else was asked is in the request.
    pub write: fn(&Account, &Request) -> Written,
    /// Answers for a domain that is not ours.
    pub unknown: fn(&Request) -> Response,
}

/// A document that was written, and for whom else it will do.
#[derive(Clone, Debug)]
pub enum Written {
    /// For everybody who asks for it, of the same domain and by the same Host.
    ForDomain(Response),
    /// For them too, once `account`'s placeholders of the login are filled in for the mailbox. It
    /// is XML.
    ForMailbox(Response),
    /// For this request and no other.
    ForRequest(Response),
}

/// Which domain decides what is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecidedBy {
    /// The address's domain if it is ours, else the Host's: the document names no mailbox, so a
    /// hoster's own name may answer for a customer (seen: Thunderbird's look-up by MX).
    AddressElseHost,
    /// Only the address's domain: the document carries the mailbox's login.
    Address,
    /// Only the Host's domain.
    Host,
}
