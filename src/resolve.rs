//! From a question to the account it is about: whose domain it is, and what is configured for it.
//!
//! The address decides over the Host, because web servers hand requests for many names to one
//! responder. Nothing is guessed by counting labels: only four known names are stripped from a
//! Host, and what remains is looked up. Whether a mailbox exists is never asked.

use crate::account::Account;
use crate::address::{Domain, EmailAddress};
use crate::config::settings::Found;
use crate::config::{Config, NotFound};
use crate::question::{DecidedBy, Question};
use std::borrow::Cow;

/// The names under which clients ask for a domain's settings.
const HOST_PREFIXES: [&str; 4] = ["autoconfig.", "autodiscover.", "ua-auto-config.", "www."];

/// What a question is about: a domain of ours, and what is set for it.
#[derive(Debug)]
pub struct Resolved<'a> {
    /// The domain that decides.
    pub domain: Cow<'a, Domain>,
    /// What was found for it.
    pub found: Found,
    /// The domain of ours that the Host named, where the document wants to know.
    pub host_domain: Option<Cow<'a, Domain>>,
}

/// Finds what a question is about; `None` if its domain is not ours.
pub fn resolve<'a>(
    question: &'a Question<'_>,
    config: &Config,
) -> Result<Option<Resolved<'a>>, NotFound> {
    let by_address = || match question.address.as_ref().map(EmailAddress::domain) {
        Some(domain) => find(Cow::Borrowed(domain), config),
        None => Ok(None),
    };
    let by_host = || match &question.host {
        Some(host) => find(behind(host, config), config),
        None => Ok(None),
    };
    let (found, host_domain) = match question.document.decided_by() {
        DecidedBy::Address => (by_address()?, None),
        DecidedBy::Host => (by_host()?, None),
        DecidedBy::AddressElseHost => match by_address()? {
            Some((domain, found)) => {
                // The Host only adds its name: should its settings be broken, that is no matter here.
                let host_domain = match &question.host {
                    // Nearly always, and then it was found already.
                    Some(host) if stands_for(host, &domain, config) => Some(domain.clone()),
                    _ => match by_host() {
                        Err(NotFound::Unavailable) => None,
                        found => found?.map(|(domain, _)| domain),
                    },
                };
                (Some((domain, found)), host_domain)
            }
            None => (by_host()?, None),
        },
    };
    Ok(found.map(|(domain, found)| Resolved { domain, found, host_domain }))
}

impl Resolved<'_> {
    /// The account for the question; `None` if a host name gets too long for the domain.
    pub fn account(&self, question: &Question, config: &Config) -> Option<Account> {
        let host_domain = self.host_domain.as_deref().cloned();
        let mut account =
            self.found.account(&self.domain, host_domain, question.address.clone())?;
        account.host = question.host.clone().filter(|host| is_checked(host, &account, config));
        Some(account)
    }
}

/// True if a Host may stand in a link of the account's: it stands for the account's own domain or for
/// one that is named in the configuration, or the account knows it. That any domain is answered is
/// not enough.
fn is_checked(host: &Domain, account: &Account, config: &Config) -> bool {
    let domain = behind(host, config);
    *domain == account.domain || config.is_named(&domain) || account.knows(host)
}

fn find<'a>(
    domain: Cow<'a, Domain>,
    config: &Config,
) -> Result<Option<(Cow<'a, Domain>, Found)>, NotFound> {
    Ok(config.find(&domain)?.map(|found| (domain, found)))
}

/// True if a Host stands for `domain`; `behind`, without making it.
fn stands_for(host: &Domain, domain: &Domain, config: &Config) -> bool {
    domain.is_left_of(host, &HOST_PREFIXES) && !config.is_named(host)
}

/// The domain that a Host stands for, whether ours or not.
fn behind<'a>(host: &'a Domain, config: &Config) -> Cow<'a, Domain> {
    // A domain that is itself called www.… or autoconfig.… is asked for by its own name.
    let domain = host.without_prefix(&HOST_PREFIXES).filter(|_| !config.is_named(host));
    domain.map_or(Cow::Borrowed(host), Cow::Owned)
}
