//! A URL to ask for, and a Location to follow from it: two lines of any bytes.
//!
//! Checks: an accepted URL is accepted again, unchanged, within its size; what is sent as its path is
//! in visible ASCII and has no dot segments; its host is a host name or an IP address; the same is
//! true of where a Location leads.

use super::take_until;
use mailsetup::address::HostName;
use mailsetup_probe::net::http::{MAX_URL, Url, parse_url};
use std::net::Ipv6Addr;

pub fn run(mut data: &[u8]) {
    let first = String::from_utf8_lossy(take_until(&mut data, b'\n')).into_owned();
    let location = String::from_utf8_lossy(data);
    let fixed = parse_url("https://example.org/a/b?c").expect("a URL");
    let bases = [parse_url(&first).ok(), Some(fixed)];
    for base in bases.into_iter().flatten() {
        check(&base);
        if let Ok(url) = base.join(&location) {
            check(&url);
            // What leads elsewhere is a whole URL, or begins with two slashes.
            let is_whole = location.contains("//");
            let is_here = url.host() == base.host() && url.port() == base.port();
            assert!(is_whole || is_here, "{base} {location:?}");
        }
    }
}

fn check(url: &Url) {
    let text = url.to_string();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    let again = parse_url(&text);
    // Host and scheme are not part of the limit.
    assert!(again.as_ref() == Ok(url) || text.len() > MAX_URL, "{text:?}: {again:?}");
    assert!(url.target().starts_with('/') && url.target().len() <= MAX_URL, "{text:?}");
    let path = url.target().split('?').next().unwrap_or_default();
    assert!(path.split('/').all(|part| part != "." && part != ".."), "{text:?}");
    assert!(!url.target().contains('#'), "{text:?}");
    let is_name = HostName::parse(url.host()).is_some_and(|name| name.as_str() == url.host());
    assert!(is_name || url.host().parse::<Ipv6Addr>().is_ok(), "{text:?}");
    assert!(url.port() > 0, "{text:?}");
}
