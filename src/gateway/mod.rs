//! How requests come in and answers go out: CGI, FastCGI and HTTP.
//!
//! Hands each [`Request`] to a [`Handler`] and knows nothing of mail. `cgi` serves the one request a
//! process was started for; `server` accepts connections on `listener`s, speaks `fastcgi` or `http`
//! on them within a `budget`, and tells the service manager by `notify`.

pub mod budget;
pub mod cgi;
pub mod fastcgi;
pub mod http;
pub mod listener;
pub mod notify;
pub mod server;

use crate::metrics::Metrics;
use crate::request::{Method, Request};
use crate::response::{Answer, Response};
use std::time::Duration;

/// What answers requests; called on one thread, never by two requests at once.
pub trait Handler {
    /// Answers a request.
    fn respond(&self, request: &Request) -> Answer;

    /// Takes note of an answer on its way out, also of one that was given without asking.
    fn answered(&self, method: Method, response: &Response, took: Duration);

    /// Where connections are counted.
    fn metrics(&self) -> &Metrics;
}
