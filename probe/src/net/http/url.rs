//! URLs, as far as clients ask for them: `http` and `https`, host, port, path and query.
//!
//! Rules: RFC 3986, and the URL Standard for a Location that is not a valid URL: octets that a path may
//! not contain are encoded. Refuses user names, other schemes, and hosts that are neither a name nor an
//! IP address.

use mailsetup::address::HostName;
use std::fmt;
use std::fmt::Write;
use std::net::Ipv6Addr;

/// Longest URL, in octets.
pub const MAX_URL: usize = 4096;

/// A URL that can be asked for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Url {
    is_secure: bool,
    host: String,
    port: u16,
    /// Begins with `/`, in ASCII, without blanks.
    target: String,
}

/// Why a text is not a URL that can be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UrlError(&'static str);

/// Reads a whole URL.
///
/// # Errors
///
/// It is not one of `http` or `https`, or has a user name, or a host or port that cannot be.
pub fn parse_url(text: &str) -> Result<Url, UrlError> {
    let text = trimmed(text)?;
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(UrlError("it is not an http or https URL"));
    };
    let is_secure = if scheme.eq_ignore_ascii_case("https") {
        true
    } else if scheme.eq_ignore_ascii_case("http") {
        false
    } else {
        return Err(UrlError("it is not an http or https URL"));
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if authority.contains('@') {
        return Err(UrlError("it contains a user name"));
    }
    let (host, port) = host_and_port(authority)?;
    let port = match (port, is_secure) {
        ("", true) => 443,
        ("", false) => 80,
        (digits, _) => {
            number(digits).ok_or(UrlError("its port is not a number from 1 to 65535"))?
        }
    };
    checked(Url { is_secure, host, port, target: normal_target(target) })
}

impl Url {
    /// True for `https`.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The host: a name in lower case and A-labels, or an IP address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as they are sent: `/mail/config-v1.1.xml?emailaddress=ann%40example.org`
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Host, and port if it is not the one of the scheme: the field Host.
    pub fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match (self.is_secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The URL that a Location of a response to this one means.
    ///
    /// # Errors
    ///
    /// As for [`parse_url`].
    pub fn join(&self, location: &str) -> Result<Url, UrlError> {
        let location = trimmed(location)?;
        if has_scheme(location) {
            return parse_url(location);
        }
        if location.starts_with("//") {
            let scheme = if self.is_secure { "https" } else { "http" };
            return parse_url(&format!("{scheme}:{location}"));
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let target = match location.as_bytes().first() {
            None | Some(b'#') => self.target.clone(),
            Some(b'?') => format!("{path}{location}"),
            Some(b'/') => location.to_owned(),
            Some(_) => {
                let folder = path.rfind('/').map_or("/", |end| &path[..=end]);
                format!("{folder}{location}")
            }
        };
        checked(Url { target: normal_target(&target), ..self.clone() })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.target)
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for UrlError {}

fn trimmed(text: &str) -> Result<&str, UrlError> {
    match text.len() > MAX_URL {
        true => Err(UrlError("it is longer than 4096 octets")),
        false => Ok(text.trim_matches(|c: char| c.is_ascii_whitespace() || c.is_ascii_control())),
    }
}

/// Encoding makes a URL longer.
fn checked(url: Url) -> Result<Url, UrlError> {
    match url.target.len() > MAX_URL {
        true => Err(UrlError("it is longer than 4096 octets")),
        false => Ok(url),
    }
}

/// True if it begins with a scheme (RFC 3986 section 3.1), whichever.
fn has_scheme(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && end.is_some_and(|end| text[end..].starts_with(':'))
}

fn host_and_port(authority: &str) -> Result<(String, &str), UrlError> {
    const NO_HOST: UrlError = UrlError("its host is neither a name nor an IP address");
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(NO_HOST)?;
        let address: Ipv6Addr = address.parse().map_err(|_| NO_HOST)?;
        let port = match rest {
            "" => "",
            _ => rest.strip_prefix(':').ok_or(NO_HOST)?,
        };
        return Ok((address.to_string(), port));
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let host = HostName::parse(host).ok_or(NO_HOST)?;
    Ok((host.as_str().to_owned(), port))
}

fn number(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_number && *port > 0)
}

/// Path and query without fragment and dot segments, with what may not be sent encoded.
fn normal_target(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let path = path.replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = path.strip_prefix('/').unwrap_or(&path).split('/').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    segments.pop();
                }
                if is_last {
                    segments.push("");
                }
            }
            part => segments.push(part),
        }
    }
    let mut target = String::new();
    for segment in segments {
        target.push('/');
        encode(&mut target, segment);
    }
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = query {
        target.push('?');
        encode(&mut target, query);
    }
    target
}

fn encode(target: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | ..=b' ' | 0x7f.. => {
                // Writing to a String cannot fail.
                let _ = write!(target, "%{byte:02X}");
            }
            byte => target.push(char::from(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (text, url) in [
            ("https://example.org", "https://example.org/"),
            ("HTTPS://Example.ORG.:443/a", "https://example.org/a"),
            ("http://example.org:80", "http://example.org/"),
            ("http://example.org:443/", "http://example.org:443/"),
            ("https://example.org:/", "https://example.org/"),
            ("https://bücher.example/?q=ü#part", "https://xn--bcher-kva.example/?q=%C3%BC"),
            ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
            ("https://192.0.2.1/a b", "https://192.0.2.1/a%20b"),
            ("https://example.org/a/./b/../c/..", "https://example.org/a/"),
            ("https://example.org/../../x?a=../b", "https://example.org/x?a=../b"),
            ("https://example.org?x=1", "https://example.org/?x=1"),
            (" https://localhost/%40@:{} \r\n", "https://localhost/%40@:%7B%7D"),
            ("https://example.org//double//x", "https://example.org//double//x"),
        ] {
            assert_eq!(parse_url(text).unwrap().to_string(), url, "{text}");
            assert_eq!(parse_url(url).unwrap().to_string(), url);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let long = format!("https://example.org/{}", "ü".repeat(1400));
        let longer = format!("https://example.org/{}", "a".repeat(5000));
        for text in [
            "",
            "example.org",
            "/path",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https:/example.org",
            "https://",
            "https:///x",
            "https://ann:secret@example.org/",
            "https://ann@example.org/",
            "https://example.org:0/",
            "https://example.org:65536/",
            "https://example.org:+1/",
            "https://exa mple.org/",
            "https://a..b/",
            "https://%65xample.org/",
            "https://[::1/",
            "https://[::1]x/",
            "https://1.2.3/",
            "https://0x7f000001/",
            &long,
            &longer,
        ] {
            assert!(parse_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn locations_are_resolved() {
        let base = parse_url("https://example.org/a/b.xml?q=1").unwrap();
        for (location, url) in [
            ("https://example.net", "https://example.net/"),
            ("http://example.net/x", "http://example.net/x"),
            ("//example.net/x", "https://example.net/x"),
            ("/x", "https://example.org/x"),
            ("x", "https://example.org/a/x"),
            ("../x", "https://example.org/x"),
            ("./", "https://example.org/a/"),
            ("?p=2", "https://example.org/a/b.xml?p=2"),
            ("", "https://example.org/a/b.xml?q=1"),
            ("#top", "https://example.org/a/b.xml?q=1"),
            ("x/y:z", "https://example.org/a/x/y:z"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), url, "{location}");
        }
        for location in ["file:/etc/passwd", "javascript:alert(1)", "data:,x", "https:x", "//"] {
            assert!(base.join(location).is_err(), "{location}");
        }
    }
}
