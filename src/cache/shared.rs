//! A document that all domains with the same settings share: its form has gaps for the domain.
//!
//! It is written for a domain that was made up, and split wherever its name stands. That is right
//! only if nothing else depends on the domain: `config::room` knows how long a domain may be for
//! that, and a domain with two adjacent hyphens is refused, since it may be shown in other letters.
//! A configured text may contain the name that was made up, so the form is compared once with the
//! document of a real domain.

use crate::account::Subject;
use crate::address::{Domain, EmailAddress};
use crate::config::settings;
use crate::form::Form;
use crate::question::{Document, Written};
use crate::resolve::Resolved;
use crate::response::Response;
use memchr::memchr;

/// The name that was made up. Its first letter is in it once, so that its places do not overlap.
pub const MARKER: &str = "qz7k.vj";

/// The names of a provider that are the domain, while it is not filled in: they may be shortened.
const NAME: &str = "%NAME%";
const SHORT_NAME: &str = "%SHORTNAME%";

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
    let mut account = resolved.found.account(&marker, None, address)?;
    let [is_name, is_short_name] = settings::are_the_domain(&resolved.found);
    if is_name {
        account.provider.name = NAME.to_owned();
    }
    if is_short_name {
        account.provider.short_name = SHORT_NAME.to_owned();
    }
    let account = match &resolved.login {
        Some(login) => account.with_login(login.clone()),
        None => account,
    };
    let form = match document.write(&account) {
        Written::ForDomain(form) | Written::ForMailbox(form) => form
            .with_gaps_for_domain(MARKER, |domain| domain.as_str().into())
            .with_gaps_for_domain(NAME, settings::name)
            .with_gaps_for_domain(SHORT_NAME, settings::short_name),
        Written::ForRequest(_) => return None,
    };
    (form.fill_in(subject).as_ref() == Some(written)).then_some(form)
}
