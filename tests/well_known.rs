//! `/.well-known/caldav` and `/.well-known/carddav` (RFC 6764 §5): which requests are redirected,
//! and to which URL.

use crate::common::http::{Request, Response};
use crate::common::{Sandbox, cgi, program, wait_until_settled};
use std::path::{Path, PathBuf};

fn settled(sandbox: &Sandbox, config: &str) -> PathBuf {
    let config = sandbox.write("config.toml", config);
    wait_until_settled(&config);
    config
}

fn ask(config: &Path, host: &str, method: &str, path: &str) -> Response {
    let request = Request::new(method, path).host(host);
    cgi::send(&program(), &request, &[("MAILSETUP_CONFIG", config.as_os_str())])
        .expect("a response")
}

#[test]
fn each_service_leads_to_its_url() {
    let config = "[caldav]\nurl = 'https://dav.%EMAILDOMAIN%/cal/'\n\
                  [domain.'example.org']\n[domain.'bücher.example']\n\
                  [domain.'example.net']\ncarddav.url = 'https://example.net:8443/b%C3%BC?x'\n";
    let sandbox = Sandbox::new();
    let config = settled(&sandbox, config);
    for (host, path, location) in [
        ("example.org", "/.well-known/caldav", Some("https://dav.example.org/cal/")),
        ("www.example.org:80", "/.Well-Known//CalDAV", Some("https://dav.example.org/cal/")),
        (
            "xn--bcher-kva.example",
            "/.well-known/caldav",
            Some("https://dav.xn--bcher-kva.example/cal/"),
        ),
        ("example.net", "/.well-known/carddav", Some("https://example.net:8443/b%C3%BC?x")),
        ("example.net", "/.well-known/caldav", Some("https://dav.example.net/cal/")),
        ("example.org", "/.well-known/carddav", None),
        ("unknown.example", "/.well-known/caldav", None),
        ("example.org", "/.well-known/caldav/", None),
        ("example.org", "/.well-known/webdav", None),
    ] {
        let response = ask(&config, host, "PROPFIND", path);
        let status = if location.is_some() { 301 } else { 404 };
        assert_eq!(
            (response.status, response.header("location")),
            (status, location),
            "{host} {path}"
        );
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

/// A redirect to the URL of the request would never end.
#[test]
fn nothing_leads_to_itself() {
    let config = "[domain.'example.org']\ncaldav.url = 'https://example.org/.well-known/caldav'\n";
    let sandbox = Sandbox::new();
    let config = settled(&sandbox, config);
    assert_eq!(ask(&config, "example.org", "GET", "/.well-known/caldav").status, 404);
    let other = ask(&config, "www.example.org", "GET", "/.well-known/caldav");
    assert_eq!(other.header("location"), Some("https://example.org/.well-known/caldav"));
}

#[test]
fn head_has_the_header_and_no_body() {
    let config = "[domain.'example.org']\ncaldav.url = 'https://dav.example.org/'\n";
    let sandbox = Sandbox::new();
    let config = settled(&sandbox, config);
    let head = ask(&config, "example.org", "HEAD", "/.well-known/caldav");
    assert_eq!((head.status, head.body.len()), (301, 0));
    assert_eq!(head.header("location"), Some("https://dav.example.org/"));
}
