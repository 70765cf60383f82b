//! CGI: any variables in the environment, in the form of `/proc/self/environ` (`NAME=value`, each
//! ended by a NUL); an empty one is followed by the body.
//!
//! Checks: there is a request if and only if there is a method; path and query are those of the
//! variables and never longer; a Host is a domain name, and is only replaced if it is missing; the
//! response is a header in the form of RFC 3875, then a body of the given length; a HEAD gets the
//! same header.

use super::{address, take_until};
use mailsetup::gateway::document_response::write_answer;
use mailsetup::gateway::variables::{self, Variables};
use mailsetup::request::{Method, parse_host};
use mailsetup::response::{Response, Status};
use percent_encoding::percent_decode;

pub fn run(data: &[u8]) {
    let mut rest = data;
    let mut variables = Vec::new();
    loop {
        let mut pair = take_until(&mut rest, 0);
        if pair.is_empty() {
            break;
        }
        variables.push((take_until(&mut pair, b'='), pair));
    }
    let body = rest;
    let value = |wanted: &str| {
        let found = variables.iter().rfind(|(name, _)| *name == wanted.as_bytes());
        found.map(|(_, value)| *value)
    };
    let set = |name: &str| value(name).filter(|value| !value.is_empty());

    let all: Variables = variables.iter().copied().collect();
    let is_head = all.method() == Method::Head;
    let response = match variables::request(&all, body.to_vec()) {
        Err(response) => {
            assert!(set("REQUEST_METHOD").is_none());
            assert_eq!(response.status, Status::BadRequest);
            response
        }
        Ok(request) => {
            let method = set("REQUEST_METHOD").expect("no request without a method");
            assert_eq!(request.method, Method::parse(method));
            assert_eq!(is_head, request.method == Method::Head);
            assert_eq!(*request.body, *body);
            match set("REQUEST_URI") {
                Some(target) => {
                    let decoded: Vec<u8> = percent_decode(target).collect();
                    assert!(
                        request.path.is_empty()
                            || decoded
                                .windows(request.path.len())
                                .any(|part| *part == *request.path),
                        "a path that nobody sent"
                    );
                }
                None => {
                    let parts =
                        ["SCRIPT_NAME", "PATH_INFO"].map(|name| value(name).unwrap_or_default());
                    assert_eq!(*request.path, *parts.concat());
                }
            }
            if let Some(query) = set("QUERY_STRING") {
                assert_eq!(request.query, query);
            }
            if let Some(host) = &request.host {
                address::check_domain(host);
            }
            // An absolute target names the host itself (RFC 9112 §3.2.2).
            let is_absolute = set("REQUEST_URI").is_some_and(|target| {
                !target.starts_with(b"/") && target.windows(3).any(|part| part == b"://")
            });
            if let (Some(host), false) = (set("HTTP_HOST"), is_absolute) {
                assert_eq!(request.host, parse_host(host), "the client's word is not replaced");
            }
            Response::document("text/plain", request.body.into_owned())
        }
    };
    let (mut get, mut head) = (Vec::new(), Vec::new());
    write_answer(&mut get, &response, false);
    write_answer(&mut head, &response, true);
    let behind = get.strip_prefix(&head[..]).expect("a HEAD gets the header of a GET");
    assert_eq!(behind, response.body);
    let header = head.strip_suffix(b"\r\n\r\n").expect("a header ends with an empty line");
    let header = std::str::from_utf8(header).expect("ASCII");
    let mut lines = header.split("\r\n");
    assert!(lines.next().is_some_and(|line| line.starts_with("Status: ")));
    assert!(lines.all(|line| line.contains(": ") && !line.contains(char::is_control)));
    assert!(header.ends_with(&format!("\r\nContent-Length: {}", behind.len())));
}
