//! Values that may contain `%EMAILDOMAIN%`: they become a host name or a URL when the domain is
//! filled in.
//!
//! A value without it is parsed once, when it is read. One with it is parsed again for each domain,
//! since the name may become too long (RFC 1035 §2.3.4).

use super::defaults::EMAIL_DOMAIN;
use crate::address::{Domain, HostName};
use crate::url::HttpsUrl;

/// A value, or a text with the placeholder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Template<T> {
    /// The same for every domain.
    Whole(T),
    /// With the placeholder; valid for a short domain.
    Open(String),
}

impl Template<HostName> {
    /// The host name for a domain; `None` if it becomes too long.
    pub fn of(&self, domain: &Domain) -> Option<HostName> {
        match self {
            Template::Whole(host) => Some(host.clone()),
            Template::Open(text) => HostName::in_ascii(filled(text, domain.as_str())),
        }
    }
}

impl Template<HttpsUrl> {
    /// The URL for a domain; `None` if its host name becomes too long.
    pub fn of(&self, domain: &Domain) -> Option<HttpsUrl> {
        match self {
            Template::Whole(url) => Some(url.clone()),
            Template::Open(text) => HttpsUrl::parse(filled(text, domain.as_str())),
        }
    }
}

/// A text with the placeholder filled in; most texts do not have it.
pub fn filled(text: &str, domain: &str) -> String {
    match text.contains('%') {
        true => text.replace(EMAIL_DOMAIN, domain),
        false => text.to_owned(),
    }
}
