//! The Host of a request and the names of hosts: any bytes.
//!
//! Checks: an accepted Host is a domain name, the same one with a port, with a final dot, in
//! capitals and in an absolute target; an IP address is never accepted; a refused Host is not a
//! domain; the name of a table or a file has one spelling; a URL is kept unchanged, and its parts are
//! substrings of it.

use super::address;
use mailsetup::address::{Domain, HostName, is_host_name};
use mailsetup::directory::name::Name;
use mailsetup::request::{Method, Request, parse_host};
use mailsetup::url::HttpsUrl;
use std::net::IpAddr;

pub fn run(data: &[u8]) {
    let Some(text) = std::str::from_utf8(data).ok() else {
        assert_eq!(parse_host(data), None);
        return;
    };
    if let Some(name) = HostName::parse(text) {
        assert!(is_host_name(name.as_str()), "{name:?}");
        assert_eq!(HostName::parse(name.as_str()).as_ref(), Some(&name));
        assert_eq!(HostName::in_ascii(name.to_string()).as_ref(), Some(&name));
    }
    if let Ok(domain) = Domain::parse(text) {
        address::check_domain(&domain);
        assert!(HostName::parse(text).is_some_and(|name| name == domain), "{text:?}");
    }
    if let Ok(name) = Name::parse(text) {
        assert_eq!(Name::parse(&name.to_string()), Ok(name.clone()), "{text:?}");
        if let (Name::Below(parent), Some(example)) = (&name, name.example()) {
            assert!(example.parents().any(|it| it == parent.as_str()), "{text:?}");
        }
    }
    // Unchanged, and with the text as the host.
    for text in [text.to_owned(), format!("https://{text}")] {
        if let Some(url) = HttpsUrl::parse(&*text) {
            assert_eq!(url.as_str(), text);
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
            let lower = text.to_ascii_lowercase();
            let rest = lower.strip_prefix("https://").expect("https");
            assert!(rest.starts_with(url.host().as_str()), "{text:?}");
            let more = url.path_and_more();
            assert!(more.starts_with(url.path()) && url.path().starts_with('/'), "{text:?}");
            let is_behind = text.ends_with(&*more);
            assert!(is_behind || url.is_bare_origin(), "{text:?}");
        }
    }
    let Some(domain) = parse_host(data) else { return };
    address::check_domain(&domain);
    assert!(domain.as_str().parse::<IpAddr>().is_err(), "{domain}");
    for spelling in [
        format!("{domain}:443"),
        format!("{domain}.:"),
        format!(" {}:8443 ", domain.as_str().to_ascii_uppercase()),
    ] {
        assert_eq!(parse_host(spelling.as_bytes()).as_ref(), Some(&domain), "{spelling:?}");
    }
    let target = format!("http://{domain}:80/a?b");
    let request = Request::new(Method::Get, target.as_bytes(), None, b"");
    assert_eq!(request.host, Some(domain));
    assert_eq!((&request.path[..], request.query), (&b"/a"[..], &b"b"[..]));
}
