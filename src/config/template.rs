//! Values that may contain `%EMAILDOMAIN%`: they become a host name or a URL when the domain is
//! filled in.
//!
//! A value without it is parsed once, when it is read. One with it is refused if it is valid for no
//! domain, and parsed again for each domain, since the name may become too long (RFC 1035 §2.3.4).

use super::defaults::EMAIL_DOMAIN;
use crate::address::{Domain, HostName};
use crate::url::HttpsUrl;

/// A domain of the least length. No text that is valid with it is invalid only for its letters:
/// neither of them is a hexadecimal digit, which would complete a percent-encoding before it.
pub const SHORTEST: &str = "x.y";
/// Separates labels in a name that people write (UTS #46 §4.5).
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// A value, or a text with the placeholder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Template<T> {
    /// The same for every domain.
    Whole(T),
    /// With the placeholder; valid for a short domain.
    Open(String),
}

/// Why a text is not the template of a host name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HostError {
    /// It is not a host name for any domain.
    Invalid,
    /// The placeholder and an international letter are in the same label, which has no A-label
    /// before the domain is known.
    International,
}

impl Template<HostName> {
    /// Parses a host name as [`HostName::parse`] does. The placeholder may be a label, or a part of
    /// a label of ASCII letters, digits and hyphens.
    pub fn parse(text: &str) -> Result<Template<HostName>, HostError> {
        if !text.contains(EMAIL_DOMAIN) {
            return HostName::parse(text).map(Template::Whole).ok_or(HostError::Invalid);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        let label = |label: &str| match label.contains(EMAIL_DOMAIN) {
            true if !label.is_ascii() => Err(HostError::International),
            true => {
                let between: Vec<_> =
                    label.split(EMAIL_DOMAIN).map(str::to_ascii_lowercase).collect();
                Ok(between.join(EMAIL_DOMAIN))
            }
            false => a_label(label).ok_or(HostError::Invalid),
        };
        let open = text.split(DOTS).map(label).collect::<Result<Vec<_>, _>>()?.join(".");
        match HostName::in_ascii(filled(&open, SHORTEST)) {
            Some(_) => Ok(Template::Open(open)),
            None => Err(HostError::Invalid),
        }
    }

    /// The host name for a domain; `None` if it becomes too long.
    pub fn of(&self, domain: &Domain) -> Option<HostName> {
        match self {
            Template::Whole(host) => Some(host.clone()),
            Template::Open(text) => HostName::in_ascii(filled(text, domain.as_str())),
        }
    }
}

/// A label in ASCII and lower case.
fn a_label(label: &str) -> Option<String> {
    // A label alone is not a domain, which is mapped to ASCII.
    let domain = Domain::parse(&format!("{label}.{SHORTEST}")).ok()?;
    Some(domain.as_str().split_once('.')?.0.to_owned())
}

impl Template<HttpsUrl> {
    /// Parses a URL as [`HttpsUrl::parse`] does; `None` if it is not valid for any domain.
    pub fn parse(text: &str) -> Option<Template<HttpsUrl>> {
        let url = HttpsUrl::parse(filled(text, SHORTEST))?;
        Some(match text.contains(EMAIL_DOMAIN) {
            true => Template::Open(text.to_owned()),
            false => Template::Whole(url),
        })
    }

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
