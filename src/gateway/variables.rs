//! The meta-variables of CGI/1.1 (RFC 3875, §4.1), from which CGI and FastCGI make a request.
//!
//! Refuses a request without a method, and one with a NUL in a variable. Other variables are not
//! kept.

use crate::request::{Method, Request, Sender, Wishes, is_absolute, parse_host};
use crate::response::{Response, Status};
use memchr::memchr;
use std::borrow::Cow;

/// The meta-variables that are used; empty ones are treated as not set (§4.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables<'a> {
    request_method: Option<&'a [u8]>,
    request_uri: Option<&'a [u8]>,
    script_name: Option<&'a [u8]>,
    path_info: Option<&'a [u8]>,
    query_string: Option<&'a [u8]>,
    /// The length of the body, as text; not used for FastCGI, whose body has an end record.
    pub content_length: Option<&'a [u8]>,
    server_name: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    /// The transfer encoding of the body, if any.
    pub transfer_encoding: Option<&'a [u8]>,
    accept_language: Option<&'a [u8]>,
    if_none_match: Option<&'a [u8]>,
    remote_addr: Option<&'a [u8]>,
    user_agent: Option<&'a [u8]>,
}

impl<'a> Variables<'a> {
    /// Sets a variable; the last of several with one name is used.
    // Called for each variable of a request: the call would cost as much as the comparison.
    #[inline(always)]
    pub fn set(&mut self, name: &[u8], value: &'a [u8]) {
        // By the length first: most variables of a request are not used.
        let variable = match (name.len(), name) {
            (14, b"REQUEST_METHOD") => &mut self.request_method,
            (11, b"REQUEST_URI") => &mut self.request_uri,
            (11, b"SCRIPT_NAME") => &mut self.script_name,
            (9, b"PATH_INFO") => &mut self.path_info,
            (12, b"QUERY_STRING") => &mut self.query_string,
            (14, b"CONTENT_LENGTH") => &mut self.content_length,
            (11, b"SERVER_NAME") => &mut self.server_name,
            (9, b"HTTP_HOST") => &mut self.host,
            (22, b"HTTP_TRANSFER_ENCODING") => &mut self.transfer_encoding,
            (20, b"HTTP_ACCEPT_LANGUAGE") => &mut self.accept_language,
            (18, b"HTTP_IF_NONE_MATCH") => &mut self.if_none_match,
            (11, b"REMOTE_ADDR") => &mut self.remote_addr,
            (15, b"HTTP_USER_AGENT") => &mut self.user_agent,
            _ => return,
        };
        *variable = Some(value).filter(|value| !value.is_empty());
    }

    /// True if one that is used contains a NUL, which is not allowed (FastCGI Specification 1.0,
    /// §6.1).
    fn holds_nul(&self) -> bool {
        let holds = |value: Option<&[u8]>| value.is_some_and(|value| memchr(0, value).is_some());
        // SCRIPT_NAME and PATH_INFO are not checked if REQUEST_URI replaces them.
        let is_in_parts =
            self.request_uri.is_none() && (holds(self.script_name) || holds(self.path_info));
        is_in_parts
            || holds(self.request_uri)
            || holds(self.query_string)
            || holds(self.host)
            || holds(self.accept_language)
            || holds(self.if_none_match)
    }

    /// The sender of the request, according to the web server.
    pub fn sender(&self) -> Sender<'a> {
        Sender {
            address: self.remote_addr.unwrap_or_default(),
            user_agent: self.user_agent.unwrap_or_default(),
        }
    }

    /// The method; `Other` if there is none.
    pub fn method(&self) -> Method {
        self.request_method.map_or(Method::Other, Method::parse)
    }
}

impl<'a> FromIterator<(&'a [u8], &'a [u8])> for Variables<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a [u8], &'a [u8])>>(pairs: T) -> Variables<'a> {
        let mut variables = Variables::default();
        pairs.into_iter().for_each(|(name, value)| variables.set(name, value));
        variables
    }
}

/// Makes a request of meta-variables.
///
/// Fails with the response to send if they are not a request.
// Called once in each gateway: the request is not moved then.
#[inline(always)]
pub fn request<'a>(
    variables: &Variables<'a>,
    body: impl Into<Cow<'a, [u8]>>,
) -> Result<Request<'a>, Response> {
    if variables.request_method.is_none() {
        let line = "the web server sent no REQUEST_METHOD";
        return Err(Response::text(Status::BadRequest, line));
    }
    if variables.holds_nul() {
        return Err(broken_parameters());
    }
    let (method, host) = (variables.method(), variables.host);
    // REQUEST_URI is the only variable with the path as the client sent it, with every server and
    // after rewrites; it is not defined in RFC 3875. The others come decoded (§4.1.5, §4.1.13).
    let parts = [variables.script_name, variables.path_info].map(Option::unwrap_or_default);
    let mut request = match variables.request_uri {
        Some(target) => {
            let mut request = Request::new(method, target, host, body);
            request.rewritten = parts;
            request
        }
        None => {
            let mut request = Request::new(method, b"", host, body);
            request.path = parts.concat().into();
            request
        }
    };
    request.wishes = Wishes {
        languages: variables.accept_language.unwrap_or_default(),
        known_tags: variables.if_none_match.unwrap_or_default(),
    };
    if let Some(query) = variables.query_string {
        request.query = query;
    }
    let is_named = host.is_some() || variables.request_uri.is_some_and(is_absolute);
    if !is_named {
        // The server's own name, if the web server does not pass on the Host. With nginx it may be
        // a pattern or `_`, which is not a domain.
        request.host = variables.server_name.and_then(parse_host);
    }
    Ok(request)
}

/// The response to invalid parameters.
pub fn broken_parameters() -> Response {
    Response::text(Status::BadRequest, "the request parameters are invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&'static str, &'static str)]) -> Request<'static> {
        let bytes = variables.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        request(&bytes.collect(), Vec::new()).unwrap()
    }

    #[test]
    fn the_path_and_host_of_every_server() {
        let method = ("REQUEST_METHOD", "GET");
        let host = |variables: &[_]| read(variables).host.map(|host| host.to_string());

        let caddy = [method, ("SCRIPT_NAME", ""), ("PATH_INFO", "/a b"), ("QUERY_STRING", "c=d")];
        assert_eq!((&*read(&caddy).path, read(&caddy).query), (&b"/a b"[..], &b"c=d"[..]));
        let split = [method, ("SCRIPT_NAME", "/Mail"), ("PATH_INFO", "/x%41")];
        assert_eq!(*read(&split).path, *b"/Mail/x%41", "decoded by the server already");
        let rewritten = [method, ("REQUEST_URI", "/a%20b?c=d"), ("SCRIPT_NAME", "/x.cgi")];
        assert_eq!((&*read(&rewritten).path, read(&rewritten).query), (&b"/a b"[..], &b"c=d"[..]));

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
        let invalid = [method, ("REQUEST_URI", "http://<b>/"), ("SERVER_NAME", "example.org")];
        assert_eq!(host(&invalid), None, "what the client named is not replaced");
    }
}
