//! The gateways, which receive requests and send responses: CGI, FastCGI and HTTP.
//!
//! They pass each [`Request`] to a [`Handler`] and do not depend on mail. `cgi` serves the one
//! request a process was started for; `server` accepts connections on `listener`s, speaks `fastcgi`
//! or `http` on them within a `budget`, tells them to `stop`, and informs the service manager by
//! `notify`. CGI and FastCGI read the same `variables` and write the same `document_response`;
//! FastCGI and HTTP share the `exchange` with the handler, and the servers that are asked by
//! `inquiry`; CGI asks by `inquiry_at_once`.

pub mod budget;
pub mod cgi;
pub mod document_response;
pub mod exchange;
pub mod fastcgi;
pub mod http;
pub mod inquiry;
pub mod inquiry_at_once;
pub mod listener;
pub mod notify;
pub mod server;
pub mod stop;
pub mod variables;

use self::inquiry::Inquirer;
use crate::metrics::Metrics;
use crate::request::{Method, Request, Sender};
use crate::step::{Reply, Step};
use std::time::Duration;

/// The handler of requests; called on one thread, never by two requests at once.
pub trait Handler {
    /// The next step for a request.
    fn respond(&self, request: &Request) -> Step;

    /// Records a response that is about to be sent, also one that did not come from `respond`.
    fn answered(&self, method: Method, sender: Sender, reply: &Reply, took: Duration);

    /// The connections to servers that are asked for a response.
    fn inquirer(&self) -> &Inquirer;

    /// The metrics in which connections are counted.
    fn metrics(&self) -> &Metrics;
}
