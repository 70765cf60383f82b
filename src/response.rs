//! A response as the rest of the program makes it, whichever way it goes out.
//!
//! Knows the statuses this program uses and their reasons (RFC 9110 §15); the gateways write it
//! in their own form. Errors are one line of `text/plain`: aerc, Geary and KMail parse the body of
//! an error as a configuration if it looks like one.

use bytes::Bytes;
use std::borrow::Cow;

/// A whole response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// The status.
    pub status: Status,
    /// The header fields besides Content-Length, which the gateways derive from the body.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body of the response to a GET; the response to a HEAD goes out without it.
    pub body: Bytes,
}

impl Response {
    /// A document of the given media type with status 200.
    pub fn document(media_type: &'static str, body: impl Into<Bytes>) -> Response {
        Response {
            status: Status::Ok,
            headers: vec![("Content-Type", media_type.into())],
            body: body.into(),
        }
    }

    /// One line of text with the given status. `line` is shown to whoever asked.
    pub fn text(status: Status, line: &str) -> Response {
        let body = format!("{line}\n");
        Response { status, ..Response::document("text/plain; charset=utf-8", body) }
    }

    /// The value of a header field; `name` in the letter case it was written in.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// Adds a header field.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Response {
        self.add(name, value);
        self
    }

    /// The same response with another body, and with room for the fields that `http_cache` adds.
    pub fn with_body(&self, body: Bytes) -> Response {
        let mut headers = Vec::with_capacity(self.headers.len() + 4);
        headers.extend_from_slice(&self.headers);
        Response { status: self.status, headers, body }
    }

    /// How many bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        const FIELD: usize = size_of::<(&str, Cow<str>)>();
        self.headers.iter().map(|(_, value)| FIELD + value.len()).sum::<usize>() + self.body.len()
    }

    /// Adds a header field.
    pub fn add(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.headers.push((name, value.into()));
    }
}

/// The statuses this program answers with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// 200
    Ok,
    /// 301
    MovedPermanently,
    /// 304
    NotModified,
    /// 400
    BadRequest,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 408
    RequestTimeout,
    /// 413
    ContentTooLarge,
    /// 431
    HeaderFieldsTooLarge,
    /// 500
    InternalServerError,
    /// 503
    ServiceUnavailable,
}

impl Status {
    /// The three digits.
    pub fn code(self) -> u16 {
        match self {
            Status::Ok => 200,
            Status::MovedPermanently => 301,
            Status::NotModified => 304,
            Status::BadRequest => 400,
            Status::NotFound => 404,
            Status::MethodNotAllowed => 405,
            Status::RequestTimeout => 408,
            Status::ContentTooLarge => 413,
            Status::HeaderFieldsTooLarge => 431,
            Status::InternalServerError => 500,
            Status::ServiceUnavailable => 503,
        }
    }

    /// The three digits and the words behind them.
    pub fn line(self) -> &'static str {
        match self {
            Status::Ok => "200 OK",
            Status::MovedPermanently => "301 Moved Permanently",
            Status::NotModified => "304 Not Modified",
            Status::BadRequest => "400 Bad Request",
            Status::NotFound => "404 Not Found",
            Status::MethodNotAllowed => "405 Method Not Allowed",
            Status::RequestTimeout => "408 Request Timeout",
            Status::ContentTooLarge => "413 Content Too Large",
            Status::HeaderFieldsTooLarge => "431 Request Header Fields Too Large",
            Status::InternalServerError => "500 Internal Server Error",
            Status::ServiceUnavailable => "503 Service Unavailable",
        }
    }

    /// The three digits as text.
    pub fn digits(self) -> &'static str {
        &self.line()[..3]
    }
}
