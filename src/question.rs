//! What is asked: which document, and for which address or domain.
//!
//! A discovery protocol reads a [`Question`] from a request. All that was asked is in it: its
//! [`Document`] is written from an account and from nothing else. Between the two, no step needs to
//! know which protocol it is.

use crate::account::Account;
use crate::address::{Domain, EmailAddress};
use crate::form::Form;
use crate::response::Response;
use std::borrow::Cow;

/// A document, asked for an address or for the domain behind a host.
pub struct Question<'a> {
    /// What is wanted, with all that only this kind of document wants to know.
    pub document: Box<dyn Document + 'a>,
    /// The address the client sent.
    pub address: Option<EmailAddress>,
    /// The host the client asked.
    pub host: Option<Domain>,
}

impl<'a> Question<'a> {
    /// A question for an address or, without one, for the domain behind a host.
    pub fn new(
        document: impl Document + 'a,
        address: Option<EmailAddress>,
        host: Option<Domain>,
    ) -> Question<'a> {
        Question { document: Box::new(document), address, host }
    }
}

/// One kind of document: how it is written, and the response if there is no account.
pub trait Document {
    /// What it is called in the log, in the metrics and in the cache. Two documents of one name and
    /// variant, with the same domain to decide, are the same for the same account.
    fn name(&self) -> &'static str;

    /// What else tells it from documents of the same name, such as the language.
    fn variant(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    /// Which domain decides.
    fn decided_by(&self) -> DecidedBy;

    /// True if the bytes are signed where a certificate is configured.
    fn is_signed(&self) -> bool {
        false
    }

    /// Writes the document.
    fn write(&self, account: &Account) -> Written;

    /// The response for a domain that is not configured.
    fn not_found(&self) -> Response;
}

/// A document that was written, and for which other requests it can be used.
#[derive(Debug)]
pub enum Written {
    /// For all that ask for it, of the same domain and by the same Host.
    ForDomain(Response),
    /// For these, too, once its gaps are filled in for the mailbox.
    ForMailbox(Form),
    /// For this request and no other.
    ForRequest(Response),
}

/// Which domain decides what is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecidedBy {
    /// The address's domain if it is configured, else the Host's: the document names no mailbox, so
    /// a hoster's own name may answer for a customer (seen: Thunderbird's look-up by MX).
    AddressElseHost,
    /// Only the address's domain: the document carries the mailbox's login.
    Address,
    /// Only the Host's domain.
    Host,
}
