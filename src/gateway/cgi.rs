//! CGI/1.1 (RFC 3875): meta-variables in, a header and a body out.
//!
//! The command line is never looked at: web servers put a query without `=` there (§4.4). The body
//! is read to its end even if nobody wants it, since some servers break off otherwise. FastCGI
//! carries the same variables and the same answer and uses the functions of this file.

use crate::request::{Limits, Method, Request, Wishes, parse_host};
use crate::response::{Answer, Response, Status};
use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;

/// True if a web server started this process for one request (§4.1.4).
pub fn is_cgi() -> bool {
    std::env::var_os("GATEWAY_INTERFACE").is_some()
}

/// Serves the request this process was started for.
pub fn run(respond: impl FnOnce(&Request) -> Answer, limits: &Limits) -> io::Result<()> {
    let variable = |name: &str| std::env::var_os(name).map(|value| Cow::Owned(value.into_vec()));
    let is_head = is_head(variable);
    let request = read_body(variable, limits.body_bytes).and_then(|body| request(variable, body));
    let response = match request {
        Ok(request) => respond(&request).wait(),
        Err(response) => response,
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(&answer(&response, is_head))?;
    stdout.flush()
}

//------------ in -------------------------------------------------------------

/// Makes a request of meta-variables; `variable` finds one by its name.
///
/// Fails with the answer to give if there is no request in them.
pub fn request<'a>(
    variable: impl Fn(&str) -> Option<Cow<'a, [u8]>>,
    body: Vec<u8>,
) -> Result<Request, Response> {
    // Set but empty means the same as not set (§4.1).
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let method = variable("REQUEST_METHOD").ok_or_else(|| {
        Response::text(Status::BadRequest, "the web server sent no REQUEST_METHOD")
    })?;
    let method = Method::parse(&method);
    let host = variable("HTTP_HOST");
    // REQUEST_URI is the only variable that holds the path as the client wrote it behind every
    // server and rewrite; it is no part of RFC 3875.
    let mut request = match variable("REQUEST_URI") {
        Some(target) => Request::new(method, &target, host.as_deref(), body),
        None => {
            let mut request = Request::new(method, b"", host.as_deref(), body);
            for part in ["SCRIPT_NAME", "PATH_INFO"] {
                // These come decoded (§4.1.5, §4.1.13).
                request.path.extend_from_slice(&variable(part).unwrap_or_default());
            }
            request
        }
    };
    let wish = |name| variable(name).unwrap_or_default().into_owned();
    request.wishes =
        Wishes { languages: wish("HTTP_ACCEPT_LANGUAGE"), known_tags: wish("HTTP_IF_NONE_MATCH") };
    if let Some(query) = variable("QUERY_STRING") {
        request.query = query.into_owned();
    }
    if host.is_none() && request.host.is_none() {
        // The server's own name, where it says nothing of the client's word. Under nginx it may be
        // a pattern or `_`, which is no domain.
        request.host = variable("SERVER_NAME").and_then(|name| parse_host(&name));
    }
    Ok(request)
}

/// True for a HEAD, whose answer has no body, whatever it is.
pub fn is_head<'a>(variable: impl Fn(&str) -> Option<Cow<'a, [u8]>>) -> bool {
    variable("REQUEST_METHOD").is_some_and(|method| Method::parse(&method) == Method::Head)
}

/// Reads the body from standard input, and what is over `max_bytes` to its end.
fn read_body<'a>(
    variable: impl Fn(&str) -> Option<Cow<'a, [u8]>>,
    max_bytes: usize,
) -> Result<Vec<u8>, Response> {
    let length = variable("CONTENT_LENGTH").filter(|value| !value.is_empty());
    let length = match &length {
        Some(digits) => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.trim().parse().ok())
            .ok_or_else(|| Response::text(Status::BadRequest, "CONTENT_LENGTH is no number"))?,
        // seen: Apache's mod_cgid decodes a chunked body and sends no length; it ends with the input.
        None if variable("HTTP_TRANSFER_ENCODING").is_some() => u64::MAX,
        None => 0,
    };
    let broken = |_| Response::text(Status::BadRequest, "the body broke off");
    let mut input = io::stdin().lock().take(length);
    let mut body = Vec::new();
    (&mut input).take(max_bytes as u64 + 1).read_to_end(&mut body).map_err(broken)?;
    if body.len() > max_bytes {
        io::copy(&mut input, &mut io::sink()).map_err(broken)?;
        return Err(body_too_large());
    }
    Ok(body)
}

/// The answer to a body over the cap.
pub fn body_too_large() -> Response {
    Response::text(Status::ContentTooLarge, "the body is too large")
}

//------------ out ------------------------------------------------------------

/// The bytes of a document response (§6.2.1); those for a HEAD end with the header (§4.3.3).
pub fn answer(response: &Response, is_head: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + response.body.len());
    let (code, reason) = (response.status.code(), response.status.reason());
    // Writing to memory does not fail.
    write!(bytes, "Status: {code} {reason}\r\n").ok();
    for (name, value) in &response.headers {
        write!(bytes, "{name}: {value}\r\n").ok();
    }
    // That of a 304 would be the one of the body that is not sent (RFC 9110 §8.6).
    if response.status != Status::NotModified {
        write!(bytes, "Content-Length: {}\r\n", response.body.len()).ok();
    }
    bytes.extend_from_slice(b"\r\n");
    if !is_head {
        bytes.extend_from_slice(&response.body);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &'static str)]) -> Request {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| Cow::Borrowed(value.as_bytes()))
        };
        request(find, Vec::new()).unwrap()
    }

    #[test]
    fn the_path_and_host_of_every_server() {
        let method = ("REQUEST_METHOD", "GET");
        let host = |variables: &[_]| read(variables).host.map(|host| host.to_string());

        let caddy = [method, ("SCRIPT_NAME", ""), ("PATH_INFO", "/a b"), ("QUERY_STRING", "c=d")];
        assert_eq!((read(&caddy).path, read(&caddy).query), (b"/a b".to_vec(), b"c=d".to_vec()));
        let split = [method, ("SCRIPT_NAME", "/Mail"), ("PATH_INFO", "/x%41")];
        assert_eq!(read(&split).path, b"/Mail/x%41", "decoded by the server already");
        let rewritten = [method, ("REQUEST_URI", "/a%20b?c=d"), ("SCRIPT_NAME", "/x.cgi")];
        assert_eq!(
            (read(&rewritten).path, read(&rewritten).query),
            (b"/a b".to_vec(), b"c=d".to_vec())
        );

        let nginx = [method, ("HTTP_HOST", "Example.net:80"), ("SERVER_NAME", "example.org")];
        assert_eq!(host(&nginx).as_deref(), Some("example.net"));
        assert_eq!(
            host(&[method, ("HTTP_HOST", ""), ("SERVER_NAME", "example.org")]).as_deref(),
            Some("example.org")
        );
        assert_eq!(host(&[method, ("HTTP_HOST", "<b>"), ("SERVER_NAME", "example.org")]), None);
        for name in ["_", "~^(.*)$", "192.0.2.1", "localhost"] {
            assert_eq!(host(&[method, ("SERVER_NAME", name)]), None, "{name}");
        }
        let absolute =
            [method, ("REQUEST_URI", "http://example.net/"), ("SERVER_NAME", "example.org")];
        assert_eq!(host(&absolute).as_deref(), Some("example.net"));
    }

    #[test]
    fn an_answer_to_head_has_the_header_of_get() {
        let response = Response::text(Status::NotFound, "nothing here");
        let get = answer(&response, false);
        let head = answer(&response, true);
        assert!(get.starts_with(b"Status: 404 Not Found\r\nContent-Type: text/plain"));
        assert!(get.ends_with(b"\r\nContent-Length: 13\r\n\r\nnothing here\n"));
        assert_eq!(get.strip_suffix(b"nothing here\n"), Some(&head[..]));
    }
}
