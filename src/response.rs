//! An answer as the rest of the program makes it, whichever way it goes out.
//!
//! Knows the statuses this program uses and their reasons (RFC 9110 §15); the gateways write it
//! in their own form. Error answers are one line of `text/plain`: aerc, Geary and KMail parse the
//! body of an error as a configuration if it looks like one.

use std::borrow::Cow;

/// A whole answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// The status.
    pub status: Status,
    /// The header fields besides Content-Length, which the gateways derive from the body.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body of the answer to a GET; a HEAD is answered without it.
    pub body: Vec<u8>,
}

impl Response {
    /// A document of the given media type with status 200.
    pub fn document(media_type: &'static str, body: Vec<u8>) -> Response {
        Response { status: Status::Ok, headers: vec![("Content-Type", media_type.into())], body }
    }

    /// One line of text with the given status. `line` is shown to whoever asked.
    pub fn text(status: Status, line: &str) -> Response {
        Response {
            status,
            headers: vec![("Content-Type", "text/plain; charset=utf-8".into())],
            body: format!("{line}\n").into_bytes(),
        }
    }

    /// The value of a header field; `name` in the letter case it was written in.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// Adds a header field.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Response {
        self.headers.push((name, value.into()));
        self
    }
}

/// The statuses this program answers with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// 200
    Ok,
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

    /// The words after the digits.
    pub fn reason(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::NotModified => "Not Modified",
            Status::BadRequest => "Bad Request",
            Status::NotFound => "Not Found",
            Status::MethodNotAllowed => "Method Not Allowed",
            Status::RequestTimeout => "Request Timeout",
            Status::ContentTooLarge => "Content Too Large",
            Status::HeaderFieldsTooLarge => "Request Header Fields Too Large",
            Status::InternalServerError => "Internal Server Error",
            Status::ServiceUnavailable => "Service Unavailable",
        }
    }
}

/// An answer, or the work that makes it.
pub enum Answer {
    /// There it is.
    Ready(Response),
    /// It takes longer than others should wait: a signature. Run it where it holds up nobody.
    Slow(Box<dyn FnOnce() -> Response + Send>),
}

impl Answer {
    /// The response, made here and now.
    pub fn wait(self) -> Response {
        match self {
            Answer::Ready(response) => response,
            Answer::Slow(work) => work(),
        }
    }
}
