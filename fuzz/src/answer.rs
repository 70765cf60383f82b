//! How the targets ask the program, and what holds for every answer to whatever was asked.

use mailsetup::cache::Cache;
use mailsetup::commands::CHECKS;
use mailsetup::config::{Config, check};
use mailsetup::request::Request;
use mailsetup::responder;
use mailsetup::response::{Response, Status};
use mailsetup::step::Step;
use mailsetup::xml;
use std::path::Path;

thread_local! {
    /// Read once: several domains, with every service and every text.
    static CONFIG: Config = match check::text(Path::new("config.toml"), include_str!("config.toml"), &CHECKS) {
        Ok(config) => config,
        Err(errors) => panic!("{errors:?}"),
    };
    /// What was written for earlier requests.
    static KEPT: Cache = Cache::default();
}

/// What a byte 1 stands for: an element, also within a quoted local part.
const ELEMENT: &[u8] = b"<hostile>";
/// What a byte 2 stands for: the end of an attribute, also within a quoted local part.
const ATTRIBUTE: &[u8] = b"\\\"hostile=";

/// The bytes that are meant: markup that is in no document of ours is put in place of two of them.
pub fn with_markup(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len());
    for &byte in data {
        match byte {
            1 => bytes.extend_from_slice(ELEMENT),
            2 => bytes.extend_from_slice(ATTRIBUTE),
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// The answer with the configuration of `config.toml`; a document that was kept is the same as one
/// that is written anew.
pub fn ask(request: &Request) -> Response {
    CONFIG.with(|config| {
        let response = ask_of(request, config);
        let again = KEPT.with(|kept| match responder::respond(request, config, kept) {
            Step::Done(reply) => reply.response,
            _ => panic!("nothing is signed or read here"),
        });
        // An error of Autodiscover's has the time in it.
        if !response.body.windows(7).any(|part| part == b"<Error ") {
            assert_eq!(again, response);
        }
        response
    })
}

/// The answer with any configuration.
pub fn ask_of(request: &Request, config: &Config) -> Response {
    responder::respond_now(request, config).response
}

/// What holds for every answer.
pub fn check(response: &Response) {
    use Status::*;
    let known = [Ok, NotModified, BadRequest, NotFound, MethodNotAllowed];
    assert!(known.contains(&response.status), "{response:?}");
    for (at, (name, value)) in response.headers.iter().enumerate() {
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name:?}");
        assert!(value.bytes().all(|b| matches!(b, b' '..=b'~')), "{name}: {value:?}");
        let again = response.headers[..at].iter().any(|(known, _)| known == name);
        assert!(!again, "{name} is there twice");
    }
    assert!(response.header("Cache-Control").is_some(), "{response:?}");
    let is_kept = response.header("ETag").is_some();
    assert!(!is_kept || response.header("Cache-Control") != Some("no-store"), "{response:?}");
    let Some(media_type) = response.header("Content-Type") else {
        assert!(response.status == NotModified && response.body.is_empty(), "{response:?}");
        return;
    };
    let text = std::str::from_utf8(&response.body).expect("UTF-8");
    check_echo(text, media_type);
    match media_type {
        "text/plain; charset=utf-8" => check_line(text),
        "text/xml; charset=utf-8" => {
            xml::read(&response.body).unwrap_or_else(|error| panic!("{error}: {text}"));
        }
        "application/json" => {
            let value: serde_json::Value = serde_json::from_str(text).expect(text);
            assert!(value.is_object(), "{text}");
        }
        "application/x-apple-aspen-config" => {
            // Our reader takes no document type.
            let start = text.find("<plist").expect(text);
            xml::read(&response.body[start..]).unwrap_or_else(|error| panic!("{error}: {text}"));
        }
        "text/html; charset=utf-8" => {
            let policy = response.header("Content-Security-Policy");
            assert!(policy.is_some_and(|policy| policy.contains("default-src 'none'")));
        }
        _ => panic!("{response:?}"),
    }
}

/// Errors are one line of our own words: nothing that a client could take for a document.
fn check_line(text: &str) {
    let line = text.strip_suffix('\n').expect(text);
    assert!(
        line.bytes().all(|b| matches!(b, b' '..=b'~')) && !line.contains(['<', '{']),
        "{text:?}"
    );
}

/// What was sent as markup never comes back as markup.
fn check_echo(text: &str, media_type: &str) {
    assert!(!text.contains("<hostile"), "{text}");
    assert!(!media_type.starts_with("text/html") || !text.contains("\"hostile"), "{text}");
}
