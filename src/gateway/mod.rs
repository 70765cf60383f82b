//! How requests come in and answers go out: CGI, FastCGI and HTTP.
//!
//! Hands each [`Request`] to a [`Handler`] and knows nothing of mail. `cgi` serves the one request a
//! process was started for; `server` accepts connections on `listener`s, speaks `fastcgi` or `http`
//! on them within a `budget`, tells them to `stop`, and tells the service manager by `notify`. CGI
//! and FastCGI read the same `variables` and write the same `document_response`; FastCGI and HTTP
//! have the same `exchange` with the handler.

pub mod budget;
pub mod cgi;
pub mod document_response;
pub mod exchange;
pub mod fastcgi;
pub mod http;
pub mod listener;
pub mod notify;
pub mod server;
pub mod stop;
pub mod variables;

use crate::metrics::Metrics;
use crate::request::{Method, Request, Sender};
use crate::step::{Reply, Step};
use std::time::Duration;

/// What answers requests; called on one thread, never by two requests at once.
pub trait Handler {
    /// The next step for a request.
    fn respond(&self, request: &Request) -> Step;

    /// Takes note of a response on its way out, also of one that was given without asking.
    fn answered(&self, method: Method, sender: Sender, reply: &Reply, took: Duration);

    /// Where connections are counted.
    fn metrics(&self) -> &Metrics;
}
