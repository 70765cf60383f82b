//! A request as the rest of the program sees it, whichever way it came in.
//!
//! Holds bytes that are decoded once and judged by nobody yet, except for the Host, which is a
//! domain or nothing. Says nothing of mail.

use crate::address::Domain;
use memchr::memchr;
use percent_encoding::percent_decode;
use std::borrow::Cow;

//------------ Request --------------------------------------------------------

/// One request, ready to be routed.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The path, percent-decoded once.
    pub path: Cow<'a, [u8]>,
    /// The other path of the request, in two parts, decoded: the one after the web server's own
    /// rewrites, or, once that is looked up, the client's. Empty where the web server does not say it.
    pub rewritten: [&'a [u8]; 2],
    /// What stands behind the `?`, still percent-encoded.
    pub query: &'a [u8],
    /// The name the client asked for, if it is a domain name.
    pub host: Option<Domain>,
    /// The body; empty if there is none.
    pub body: Cow<'a, [u8]>,
    /// What the client says of the response it wants; empty where it says nothing.
    pub wishes: Wishes<'a>,
}

/// Who sent a request, for the access log alone; empty where it is not known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sender<'a> {
    /// The network address, as text.
    pub address: &'a [u8],
    /// `User-Agent` (RFC 9110 §10.1.5).
    pub user_agent: &'a [u8],
}

/// Header fields that choose among answers to the same question.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Wishes<'a> {
    /// `Accept-Language` (RFC 9110 §12.5.4).
    pub languages: &'a [u8],
    /// `If-None-Match` (RFC 9110 §13.1.2).
    pub known_tags: &'a [u8],
}

impl<'a> Request<'a> {
    /// Builds a request from its target: a path with an optional query, or the absolute form
    /// (RFC 9112 §3.2.2; Apache keeps it in `REQUEST_URI`).
    ///
    /// The authority of an absolute target decides, and `host`, the Host field, is ignored beside it
    /// (RFC 9112 §3.2.2): a cache in front files the answer under that authority. Neither stands in
    /// for the other if it is not a domain name.
    pub fn new(
        method: Method,
        target: &'a [u8],
        host: Option<&[u8]>,
        body: impl Into<Cow<'a, [u8]>>,
    ) -> Request<'a> {
        let (authority, target) = split_authority(target);
        let (path, query) = split_at_byte(target, b'?');
        // RFC 9110 §4.2.3
        let path = if path.is_empty() && authority.is_some() { b"/" } else { path };
        Request {
            method,
            path: decode(path),
            rewritten: [b"", b""],
            query: query.unwrap_or_default(),
            host: authority.or(host).and_then(parse_host),
            body: body.into(),
            wishes: Wishes::default(),
        }
    }

    /// The first query parameter called `name` in any letter case, percent-decoded once.
    ///
    /// A `+` stays a plus: FairEmail, Nextcloud and others send it raw and mean it.
    #[inline]
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.encoded_parameter(name).map(decode)
    }

    /// The same, still percent-encoded.
    #[inline]
    pub fn encoded_parameter(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = Some(self.query);
        while let Some(query) = rest {
            let (pair, next) = split_at_byte(query, b'&');
            let (key, value) = split_at_byte(pair, b'=');
            if eq_ignore_case(key, name) {
                return Some(value.unwrap_or_default());
            }
            rest = next;
        }
        None
    }
}

/// True if `key` is `name` in any letter case.
#[inline]
pub fn eq_ignore_case(key: &[u8], name: &str) -> bool {
    // Nearly always it is spelled alike, which is seen at once.
    key == name.as_bytes() || key.eq_ignore_ascii_case(name.as_bytes())
}

/// Decodes what is percent-encoded, once.
pub fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    match memchr(b'%', bytes) {
        Some(_) => percent_decode(bytes).into(),
        None => Cow::Borrowed(bytes),
    }
}

/// True for an absolute target, which names the host itself.
pub fn is_absolute(target: &[u8]) -> bool {
    split_authority(target).0.is_some()
}

/// Splits `scheme://authority` off an absolute target.
fn split_authority(target: &[u8]) -> (Option<&[u8]>, &[u8]) {
    if target.starts_with(b"/") {
        return (None, target);
    }
    let Some(start) = target.windows(3).position(|w| w == b"://") else {
        return (None, target);
    };
    if target[..start].iter().any(|b| !b.is_ascii_alphanumeric()) {
        return (None, target);
    }
    let rest = &target[start + 3..];
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    (Some(&rest[..end]), &rest[end..])
}

/// Splits before the first `separator`, which belongs to neither part.
fn split_at_byte(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(separator, bytes) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    }
}

/// The domain in a Host field: any letter case, with or without port and final dot.
///
/// `None` for addresses and for anything that is no domain name.
pub fn parse_host(host: &[u8]) -> Option<Domain> {
    let host = host.trim_ascii();
    let digits = host.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let name = host[..host.len() - digits].strip_suffix(b":").unwrap_or(host);
    Domain::parse(std::str::from_utf8(name).ok()?).ok()
}

//------------ Method ---------------------------------------------------------

/// The methods that are told apart; they are case-sensitive (RFC 9110 §9.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: a GET whose answer goes out without its body.
    Head,
    /// POST
    Post,
    /// Any other word.
    Other,
}

impl Method {
    /// Reads a method word.
    pub fn parse(word: &[u8]) -> Method {
        match word {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            _ => Method::Other,
        }
    }

    /// The method word, for an `Allow` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Other => "-",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(target: &'a str, host: Option<&str>) -> Request<'a> {
        Request::new(Method::Get, target.as_bytes(), host.map(str::as_bytes), Vec::new())
    }

    #[test]
    fn targets_of_every_form() {
        let host = |target, host| request(target, host).host.map(|domain| domain.to_string());
        assert_eq!(host("/a?b", Some("EXAMPLE.org.:8080")).as_deref(), Some("example.org"));
        assert_eq!(
            host("http://example.net/a", Some("example.org")).as_deref(),
            Some("example.net")
        );
        assert_eq!(host("http://<b>/a", Some("example.org")), None);
        assert_eq!(host("http:///a", Some("example.org")), None);
        assert_eq!(host("http://a@example.net/", Some("example.org")), None);
        assert_eq!(host("http://example.net:80/a", None).as_deref(), Some("example.net"));
        assert_eq!(host("http://example.net?a", Some("<b>")).as_deref(), Some("example.net"));
        assert_eq!(host("/a", Some("<b>")), None, "a bad Host is not replaced");
        assert_eq!(host("/a", Some("192.0.2.1:80")), None);
        assert_eq!(host("/a", Some("[::1]:80")), None);
        assert_eq!(host("/a?u=http://example.net/", None), None);

        let request = request("http://example.net/%41%2525b?c=d?e", None);
        assert_eq!(*request.path, *b"/A%25b", "decoded once");
        assert_eq!(request.query, b"c=d?e");
        let path = |target: &'static str| self::request(target, None).path;
        assert_eq!(*path("http://example.net"), *b"/", "an empty path is the root");
        assert_eq!(*path("http://example.net?a"), *b"/");
        assert_eq!(*path("*"), *b"*");
    }

    #[test]
    fn parameters_in_any_case_with_plus_kept() {
        let request = request("/?x&EmailAddress=a%2Bb+c%40d&emailaddress=second", None);
        assert_eq!(request.parameter("emailaddress").unwrap(), &b"a+b+c@d"[..]);
        assert_eq!(request.parameter("x").unwrap(), &b""[..]);
        assert_eq!(request.parameter("y"), None);
    }
}
