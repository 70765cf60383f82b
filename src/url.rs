//! URLs in documents and pages, parsed once into a type.
//!
//! Accepts https with a host name or an IPv4 address, in ASCII. Refuses other schemes, user
//! information, characters that URLs may not contain, and an invalid percent-encoding. The text is
//! kept unchanged, since documents repeat it. Rules: RFC 3986, RFC 9110 §4.2.2.

use crate::address::HostName;
use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU16;

/// The beginning of a URL; capital letters are refused.
const SCHEME: &str = "https://";
/// The port of a URL without one (RFC 9110 §4.2.2).
pub const HTTPS_PORT: u16 = 443;

/// An https URL in ASCII.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpsUrl {
    text: String,
    host: HostName,
    port: u16,
    /// Where the path begins in the text; if it is empty, the query or fragment.
    path_at: usize,
}

impl HttpsUrl {
    /// Parses a URL; `None` if the text is not an accepted one.
    pub fn parse(text: impl Into<String>) -> Option<HttpsUrl> {
        let text = text.into();
        let rest = text.strip_prefix(SCHEME)?;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let path_at = SCHEME.len() + authority.len();
        let (name, port) = match authority.split_once(':') {
            Some((name, port)) => (name, number(port)?.get()),
            None => (authority, HTTPS_PORT),
        };
        let host = HostName::parse(name)?;
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&b));
        // RFC 3986 §2.1
        let is_encoded = |rest: &str| {
            rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
        };
        let is_encoded = text.split('%').skip(1).all(is_encoded);
        (is_plain && is_encoded).then_some(HttpsUrl { text, host, port, path_at })
    }

    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host.
    pub fn host(&self) -> &HostName {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, with query and fragment if present; it begins with `/` (RFC 3986 §6.2.3).
    pub fn path_and_more(&self) -> Cow<'_, str> {
        match &self.text[self.path_at..] {
            path if path.starts_with('/') => Cow::Borrowed(path),
            more => Cow::Owned(format!("/{more}")),
        }
    }

    /// The path alone, `/` if it is empty.
    pub fn path(&self) -> &str {
        let more = &self.text[self.path_at..];
        match &more[..more.find(['?', '#']).unwrap_or(more.len())] {
            "" => "/",
            path => path,
        }
    }

    /// True if the URL has a host, with or without a port, and no path.
    pub fn is_bare_origin(&self) -> bool {
        self.path() == "/"
    }
}

/// A port, digits only.
fn number(port: &str) -> Option<NonZeroU16> {
    port.parse().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit()))
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_parts() {
        for (text, host, port, path, is_bare) in [
            ("https://dav.example.org", "dav.example.org", 443, "/", true),
            ("https://dav.example.org/", "dav.example.org", 443, "/", true),
            ("https://dav.example.org:8443/a/b?c", "dav.example.org", 8443, "/a/b?c", false),
            ("https://dav.example.org?c=/", "dav.example.org", 443, "/?c=/", true),
            ("https://dav.example.org#c:1", "dav.example.org", 443, "/#c:1", true),
            ("https://DAV.Example.org.:443/B%C3%BC", "dav.example.org", 443, "/B%C3%BC", false),
            ("https://192.0.2.1:444", "192.0.2.1", 444, "/", true),
            ("https://localhost/", "localhost", 443, "/", true),
        ] {
            let url = HttpsUrl::parse(text).unwrap();
            assert_eq!(url.as_str(), text);
            assert_eq!((url.host().as_str(), url.port()), (host, port), "{text}");
            assert_eq!((&*url.path_and_more(), url.is_bare_origin()), (path, is_bare), "{text}");
            assert_eq!(url.path(), &path[..path.find(['?', '#']).unwrap_or(path.len())], "{text}");
        }
    }

    #[test]
    fn what_is_no_https_url_in_ascii_is_refused() {
        for text in [
            "http://www.example.org/",
            "HTTPS://www.example.org/",
            "https://",
            "https:///",
            "https://a b/",
            "https://ann@www.example.org/",
            "https://www.example.org:0/",
            "https://www.example.org:/",
            "https://www.example.org:+443/",
            "https://bücher.example/",
            "https://www.example.org/bücher",
            "https://dav.example.org/%u/",
            "https://dav.example.org/100%/",
            "https://dav.example.org/%2/",
            "https://dav.example.org/?a=%zz",
            "https://dav.example.org/%",
            "https://dav.example.org/100%",
            "https://dav.example.org/%2",
            "https://dav.example.org/%%20",
            "https://dav.example.org/?a=%2",
            "https://dav.example.org/#%",
            "https://www.example.org/\"",
            "https://www..example.org/",
            "https://[::1]/",
        ] {
            assert_eq!(HttpsUrl::parse(text), None, "{text}");
        }
    }
}
