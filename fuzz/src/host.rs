//! The Host of a request and the names of hosts: any bytes.
//!
//! Holds: what is taken is a domain name, the same one with a port, with a final dot, in capitals and
//! in an absolute target; an address is never taken; what can be no Host is no domain either.

use super::address;
use mailsetup::address::{Domain, host_name, is_host_name};
use mailsetup::request::{Method, Request, parse_host};
use std::net::IpAddr;

pub fn run(data: &[u8]) {
    let Some(text) = std::str::from_utf8(data).ok() else {
        assert_eq!(parse_host(data), None);
        return;
    };
    if let Some(name) = host_name(text) {
        assert!(is_host_name(&name), "{name:?}");
        assert_eq!(host_name(&name).as_ref(), Some(&name));
    }
    if let Ok(domain) = Domain::parse(text) {
        address::check_domain(&domain);
        assert_eq!(host_name(text).as_deref(), Some(domain.as_str()));
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
