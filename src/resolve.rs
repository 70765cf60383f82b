//! Resolves a question: finds its domain, and the account that is configured for it.
//!
//! The address has precedence over the Host, because web servers pass requests for many names to
//! one program. Domains are not guessed by counting labels: only four known prefixes are removed
//! from a Host, and the rest is looked up. Whether a mailbox exists is never checked.

use crate::account::{Account, Mailbox, OwnLogin, Subject};
use crate::address::{Domain, EmailAddress, HOST_PREFIXES};
use crate::config::settings::Found;
use crate::config::{Config, NotFound};
use crate::question::{DecidedBy, Question};
use std::borrow::Cow;

/// The configured domain of a question, and its settings.
#[derive(Debug)]
pub struct Resolved<'a> {
    /// The domain that determines the settings.
    pub domain: Cow<'a, Domain>,
    /// The settings that were found for it.
    pub found: Found,
    /// The configured domain that the Host named, if the document needs it.
    pub host_domain: Option<Cow<'a, Domain>>,
    /// The own login of the mailbox, if it has one. It is set by the caller, and only if the
    /// document names it ([`Document::names_login`]) and the domain is that of the address.
    ///
    /// [`Document::names_login`]: crate::question::Document::names_login
    pub login: Option<OwnLogin>,
}

/// Finds the domain of a question and its settings; `None` if the domain is not configured.
pub fn resolve<'a>(
    question: &'a Question<'_>,
    config: &Config,
) -> Result<Option<Resolved<'a>>, NotFound> {
    let of_address = question.address.as_ref().map(EmailAddress::domain);
    let by_address = || match of_address {
        Some(domain) => find(Cow::Borrowed(domain), config),
        None => Ok(None),
    };
    let of_host = || question.host.as_ref().map(|host| behind(host, config));
    let by_host = || of_host().map_or(Ok(None), |domain| find(domain, config));
    let (found, host_domain) = match question.document.decided_by() {
        DecidedBy::Address => (by_address()?, None),
        DecidedBy::Host => (by_host()?, None),
        DecidedBy::AddressElseHost => match by_address()? {
            Some((domain, found)) => {
                // Only the name of the Host is used: errors in its settings are ignored here.
                let host_domain = match &question.host {
                    // This is the usual case, and the domain was found already. The Host stands for
                    // it even if it is configured as a domain of its own.
                    Some(host) if is_host_of(host, &domain) => Some(domain.clone()),
                    _ => match by_host() {
                        Err(NotFound::Unavailable) => None,
                        found => found?.map(|(domain, _)| domain),
                    },
                };
                (Some((domain, found)), host_domain)
            }
            // Often it is the domain that was just looked up.
            None => match of_host() {
                Some(domain) if Some(&*domain) != of_address => (find(domain, config)?, None),
                _ => (None, None),
            },
        },
    };
    Ok(found.map(|(domain, found)| Resolved { domain, found, host_domain, login: None }))
}

impl Resolved<'_> {
    /// The account for the question; `None` if a host name becomes too long with the domain.
    pub fn account(&self, question: &Question, config: &Config) -> Option<Account> {
        let host_domain = self.host_domain.as_deref().cloned();
        let mut account =
            self.found.account(&self.domain, host_domain, question.address.clone())?;
        account.host = question.host.clone().filter(|host| is_checked(host, &account, config));
        Some(match &self.login {
            Some(login) => account.with_login(login.clone()),
            None => account,
        })
    }

    /// Whom the document is for.
    pub fn subject<'q>(&'q self, question: &'q Question) -> Subject<'q> {
        let login = self.login.as_ref();
        let mailbox = question.address.as_ref().map(|address| Mailbox { address, login });
        Subject { domain: &self.domain, mailbox }
    }
}

/// True if a Host may be used in a link of the account: it stands for the account's domain or for
/// one that the configuration names, or it is in the account's domain or one of its servers. It is
/// not enough that any domain is answered.
fn is_checked(host: &Domain, account: &Account, config: &Config) -> bool {
    // The first needs no look-up, and is the usual case.
    is_host_of(host, &account.domain)
        || config.is_named(&behind(host, config))
        || account.knows(host)
}

fn find<'a>(
    domain: Cow<'a, Domain>,
    config: &Config,
) -> Result<Option<(Cow<'a, Domain>, Found)>, NotFound> {
    Ok(config.find(&domain)?.map(|found| (domain, found)))
}

/// True if a Host is `domain` itself, or one of its hosts for clients.
fn is_host_of(host: &Domain, domain: &Domain) -> bool {
    host == domain || domain.is_left_of(host, &HOST_PREFIXES)
}

/// The domain that a Host stands for, configured or not.
fn behind<'a>(host: &'a Domain, config: &Config) -> Cow<'a, Domain> {
    // A configured domain may itself begin with www. or autoconfig.; its name is not shortened. A
    // pattern does not name it: *.example.org would name every host for clients below example.org.
    let domain = host.without_prefix(&HOST_PREFIXES).filter(|_| !config.is_named_exactly(host));
    domain.map_or(Cow::Borrowed(host), Cow::Owned)
}
