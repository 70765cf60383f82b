//! Values that may hold `%EMAILDOMAIN%`: only once the domain is filled in are they a host name or
//! a URL.
//!
//! A value without it is parsed once, when it is read. One with it is parsed again for each domain,
//! since the name may get too long (RFC 1035 §2.3.4).

use super::defaults::EMAIL_DOMAIN;
use crate::address::{Domain, HostName};
use crate::url::HttpsUrl;

/// A value, or a text that becomes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Template<T> {
    /// The same for every domain.
    Whole(T),
    /// With the placeholder, and right for a short domain.
    Open(String),
}

impl Template<HostName> {
    /// The host name for a domain; `None` if it gets too long.
    pub fn of(&self, domain: &Domain) -> Option<HostName> {
        match self {
            Template::Whole(host) => Some(host.clone()),
            Template::Open(text) => HostName::in_ascii(filled(text, domain.as_str())),
        }
    }
}

impl Template<HttpsUrl> {
    /// The URL for a domain; `None` if its host name gets too long.
    pub fn of(&self, domain: &Domain) -> Option<HttpsUrl> {
        match self {
            Template::Whole(url) => Some(url.clone()),
            Template::Open(text) => HttpsUrl::parse(filled(text, domain.as_str())),
        }
    }
}

/// A text with the placeholder filled in; most have none.
pub fn filled(text: &str, domain: &str) -> String {
    match text.contains('%') {
        true => text.replace(EMAIL_DOMAIN, domain),
        false => text.to_owned(),
    }
}
