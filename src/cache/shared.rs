//! A document that all domains with the same settings share: its form has gaps for the domain.
//!
//! It is written for a domain that was made up, and split wherever its name stands. That is right
//! only if nothing else depends on the domain: `config::room` knows how long a domain may be for
//! that, and a domain with two adjacent hyphens is refused, since it may be shown in other letters.
//! A configured text may contain the name that was made up, so the form is compared once with the
//! document of a real domain.

use crate::account::Subject;
use crate::address::{Domain, EmailAddress};
use crate::form::Form;
use crate::question::{Document, Written};
use crate::resolve::Resolved;
use crate::response::Response;
use memchr::memchr;

/// The name that was made up. Its first letter is in it once, so that its places do not overlap.
pub const MARKER: &str = "qz7k.vj";

/// True if a document of these settings might be shared with other domains.
pub fn may_be_shared(document: &dyn Document, resolved: &Resolved) -> bool {
    let is_alone = match resolved.host_domain.as_deref() {
        Some(host) => *host == *resolved.domain,
        None => true,
    };
    is_alone && document.is_shared() && !has_two_hyphens(resolved.domain.as_str())
}

fn has_two_hyphens(domain: &str) -> bool {
    // Most domains have none at all.
    memchr(b'-', domain.as_bytes()).is_some() && domain.contains("--")
}

/// The form for all domains; `None` if there is none, or if it is not right for the `subject`, whose
/// document is `written`.
pub fn form(
    document: &dyn Document,
    resolved: &Resolved,
    subject: &Subject,
    written: &Response,
) -> Option<Form> {
    let marker = Domain::parse(MARKER).ok()?;
    let mailbox = subject.mailbox.map(|_| ["a@", MARKER].concat());
    let address = mailbox.and_then(|mailbox| EmailAddress::parse(mailbox.as_bytes()).ok());
    let account = resolved.found.account(&marker, None, address)?;
    let account = match &resolved.login {
        Some(login) => account.with_login(login.clone()),
        None => account,
    };
    let form = match document.write(&account) {
        Written::ForDomain(form) | Written::ForMailbox(form) => form.with_gaps_for_domain(MARKER),
        Written::ForRequest(_) => return None,
    };
    (form.fill_in(subject).as_ref() == Some(written)).then_some(form)
}
