//! Sends the requests of the targets to the program, and checks every response.

use mailsetup::commands::CHECKS;
use mailsetup::config::{Config, check};
use mailsetup::request::Request;
use mailsetup::responder::{self, Kept};
use mailsetup::response::{Response, Status};
use mailsetup::step::{Failure, Inquiry, Step};
use mailsetup::xml;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    /// Read once: several domains, with all services and texts.
    static CONFIG: Config = match check::text(Path::new("config.toml"), include_str!("config.toml"), &CHECKS) {
        Ok(config) => config,
        Err(errors) => panic!("{errors:?}"),
    };
    /// What is kept from earlier requests.
    static KEPT: Kept = Kept::default();
}

/// The replacement for a byte 1: an element, also within a quoted local part.
const ELEMENT: &[u8] = b"<hostile>";
/// The replacement for a byte 2: the end of an attribute, also within a quoted local part.
const ATTRIBUTE: &[u8] = b"\\\"hostile=";

/// Replaces two bytes by markup that is not in any document of this program.
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

/// The response with the configuration of `config.toml`; checks that a cached document is the same
/// as one that is written again.
pub fn ask(request: &Request) -> Response {
    CONFIG.with(|config| {
        let response = ask_of(request, config);
        let again = KEPT.with(|kept| match responder::respond(request, config, kept) {
            Step::Done(reply) => reply.response,
            _ => panic!("nothing is signed or read here"),
        });
        // An Autodiscover error contains the time.
        if !response.body.windows(7).any(|part| part == b"<Error ") {
            assert_eq!(again, response);
        }
        response
    })
}

/// The response with any configuration.
pub fn ask_of(request: &Request, config: &Config) -> Response {
    let no_reply = |inquiry: Inquiry| {
        inquiry.dialogue.end(Err(Failure::TimedOut), Duration::ZERO);
    };
    responder::respond_now(request, config, &Rc::default(), no_reply).response
}

/// Checks of every response.
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
            // The reader refuses document types.
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

/// Errors are one line of fixed words, which clients cannot mistake for a document.
fn check_line(text: &str) {
    let line = text.strip_suffix('\n').expect(text);
    assert!(
        line.bytes().all(|b| matches!(b, b' '..=b'~')) && !line.contains(['<', '{']),
        "{text:?}"
    );
}

/// Markup in a request is never repeated as markup.
fn check_echo(text: &str, media_type: &str) {
    assert!(!text.contains("<hostile"), "{text}");
    assert!(!media_type.starts_with("text/html") || !text.contains("\"hostile"), "{text}");
}
