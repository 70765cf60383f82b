//! The host names of a domain at which mail clients ask a web server: the names in certificates.
//!
//! `autoconfig.` and `autodiscover.`, and `ua-auto-config.` if the domain has a PACC document
//! (draft-ietf-mailmaint-pacc-02). Refuses names that are longer than the DNS allows.

use crate::address::{Domain, MAX_DOMAIN};
use crate::config::settings::Found;
use crate::config::{Config, NotFound};
use crate::discovery::pacc;

/// What stands before the domain, with its dot.
const PREFIXES: [&str; 2] = ["autoconfig.", "autodiscover."];
/// The same for PACC.
const PACC_PREFIX: &str = "ua-auto-config.";

/// The names of a domain, in A-labels. None are too long; few domains are so long that one is.
pub fn of(domain: &Domain, has_pacc: bool) -> impl Iterator<Item = String> {
    let prefixes = PREFIXES.into_iter().chain(has_pacc.then_some(PACC_PREFIX));
    let names = prefixes.map(move |prefix| format!("{prefix}{domain}"));
    names.filter(|name| name.len() <= MAX_DOMAIN)
}

/// True if the settings that were found for a domain make a PACC document.
pub fn has_pacc(domain: &Domain, found: &Found) -> bool {
    // Nearly always PACC is disabled, and no account has to be made.
    found.has_pacc()
        && found.account(domain, None, None).is_some_and(|account| pacc::is_published(&account))
}

/// True if a certificate with this name, in lower case, may be for one of these names.
pub fn may_cover(name: &str) -> bool {
    name.starts_with("*.")
        || name.starts_with(PACC_PREFIX)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// True if `name` is one of the names of a domain that is named exactly.
///
/// It must be written as it is in a certificate: A-labels, lower case, no final dot.
pub fn is_needed(name: &str, config: &Config) -> Result<bool, NotFound> {
    let Some(host) = Domain::parse(name).ok().filter(|host| host.as_str() == name) else {
        return Ok(false);
    };
    if let Some(domain) = host.without_prefix(&PREFIXES) {
        return Ok(config.is_named_exactly(&domain));
    }
    match host.without_prefix(&[PACC_PREFIX]).filter(|domain| config.is_named_exactly(domain)) {
        Some(domain) => Ok(config.find(&domain)?.is_some_and(|found| has_pacc(&domain, &found))),
        None => Ok(false),
    }
}
