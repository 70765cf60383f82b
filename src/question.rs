//! A question: the requested document, and the address or domain it is for.
//!
//! A discovery protocol reads a [`Question`] from a request. Its [`Document`] is then written from
//! an account alone. The steps between the two do not depend on the protocol.

use crate::account::Account;
use crate::address::{Domain, EmailAddress};
use crate::form::Form;
use crate::response::Response;

/// A requested document, for an address or for the domain of a host.
pub struct Question<'a> {
    /// The requested document, with the parameters that only this kind has.
    pub document: Box<dyn Document + 'a>,
    /// The address the client sent.
    pub address: Option<EmailAddress>,
    /// The host that the request was sent to.
    pub host: Option<Domain>,
}

impl<'a> Question<'a> {
    /// A question for an address or, without one, for the domain of a host.
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
    /// Its name in the log, in the metrics and in the cache. Two documents with the same name,
    /// variant and deciding domain are the same for the same account.
    fn name(&self) -> &'static str;

    /// Distinguishes documents of the same name, for example by language; `None` if there is only one.
    fn variant(&self) -> Option<String> {
        None
    }

    /// Which domain determines the settings.
    fn decided_by(&self) -> DecidedBy;

    /// True if the bytes are signed where a certificate is configured.
    fn is_signed(&self) -> bool {
        false
    }

    /// True if the documents of two domains with the same settings differ only in what is filled in
    /// for a domain and in its name, wherever that stands, unless the settings prevent that.
    fn is_shared(&self) -> bool {
        false
    }

    /// True if a mailbox's own login is in the document, where the question has an address.
    fn names_login(&self) -> bool {
        false
    }

    /// Writes the document.
    fn write(&self, account: &Account) -> Written;

    /// The response for a domain that is not configured.
    fn not_found(&self) -> Response;
}

/// A written document, with the other requests it can be used for.
#[derive(Debug)]
pub enum Written {
    /// For all requests for it with the same domain and the same Host, once its gaps are filled in
    /// for the domain.
    ForDomain(Form),
    /// For those requests, once its gaps are filled in for the mailbox.
    ForMailbox(Form),
    /// For this request only.
    ForRequest(Response),
}

/// Which domain determines the settings in the response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecidedBy {
    /// The address's domain if it is configured, else the Host's: the document names no mailbox, so
    /// that a hoster's own name can be used for a customer (seen: Thunderbird's look-up by MX).
    AddressElseHost,
    /// Only the address's domain: the document carries the mailbox's login.
    Address,
    /// Only the Host's domain.
    Host,
}
