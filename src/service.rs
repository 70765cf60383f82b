//! A running service: its configuration, which is reloaded when the files change, the cache, the
//! metrics and the log.
//!
//! Three paths are answered here and not by `route`, if they are configured: the metrics, a health
//! check, and the question of a web server whether a name needs a certificate. Their responses do not
//! contain domains.

use crate::access_log;
use crate::config::reload::{Reloading, Reloads};
use crate::config::{Config, NotFound, StatusPaths};
use crate::gateway;
use crate::gateway::inquiry::Inquirer;
use crate::limits::Limits;
use crate::metrics::{self, Metrics};
use crate::record::Record;
use crate::request::{Method, Request, Sender};
use crate::responder::{Kept, respond};
use crate::response::{Response, Status};
use crate::route::is_known;
use crate::step::{Reply, Step};
use crate::web_names;
use std::cell::RefCell;
use std::time::Duration;

/// A running service.
#[derive(Debug)]
pub struct Service {
    reloading: RefCell<Reloading>,
    kept: Kept,
    inquirer: Inquirer,
    metrics: Metrics,
}

impl Service {
    /// A service with a configuration.
    pub fn new(reloading: Reloading) -> Service {
        let reloading = RefCell::new(reloading);
        Service {
            reloading,
            kept: Kept::default(),
            inquirer: Inquirer::default(),
            metrics: Metrics::default(),
        }
    }

    /// The limits of requests, as configured at the start.
    pub fn limits(&self) -> Limits {
        self.reloading.borrow().known().limits
    }

    /// Starts a reload, whether or not the files have changed; `done` is called afterwards.
    pub fn reload(&self, done: impl FnOnce() + Send + 'static) {
        self.reloading.borrow().reload(done);
    }

    /// The next step at one of the three paths.
    ///
    /// Doubled slashes are not merged here: the web server's access rules apply to the path as
    /// configured.
    fn status(&self, request: &Request, paths: &StatusPaths, config: &Config) -> Option<Step> {
        let is_at = |path: &Option<String>| {
            path.as_ref().is_some_and(|path| {
                *path.as_bytes() == *request.path
                    || is_rewritten_to(request, path.as_bytes()) && !is_known(&request.path)
            })
        };
        let document = if is_at(&paths.metrics_path) {
            "metrics"
        } else if is_at(&paths.health_path) {
            "health"
        } else if is_at(&paths.ask_path) {
            "ask"
        } else {
            return None;
        };
        let text = |body| Response::document("text/plain; charset=utf-8", body);
        let response = match (request.method, document) {
            (Method::Post | Method::Other, _) => {
                Response::text(Status::MethodNotAllowed, "this method is not allowed")
                    .with("Allow", "GET, HEAD")
            }
            (_, "metrics") => {
                let Reloads { good, broken, is_broken } = self.reloading.borrow().count();
                let body = self.metrics.text(good, broken, is_broken, &self.kept.lookups.counts());
                Response::document(metrics::MEDIA_TYPE, body.into_bytes())
            }
            (_, "health") => text("ok\n"),
            _ => match needs_certificate(request, config) {
                Ok(true) => text("this name needs a certificate\n"),
                Ok(false) => Response::text(Status::NotFound, "this name needs no certificate"),
                Err(NotFound::Unavailable) => {
                    Response::text(Status::ServiceUnavailable, "the settings cannot be read")
                }
                Err(NotFound::Unread(unread)) => return Some(Step::LookUp(Box::new(unread))),
            },
        };
        let response = response.with("Cache-Control", "no-store");
        let record = Record::new(document, request.host.clone());
        Some(Step::Done(Reply { response, record }))
    }
}

/// True if the request names, in one parameter and as it is in a certificate, a host that needs one.
fn needs_certificate(request: &Request, config: &Config) -> Result<bool, NotFound> {
    match request.query.strip_prefix(b"domain=").map(std::str::from_utf8) {
        Some(Ok(name)) => web_names::is_needed(name, config),
        _ => Ok(false),
    }
}

/// True if the web server rewrote the request's path to this one.
fn is_rewritten_to(request: &Request, path: &[u8]) -> bool {
    let [script, rest] = request.rewritten;
    path.strip_prefix(script) == Some(rest)
}

impl gateway::Handler for Service {
    fn respond(&self, request: &Request) -> Step {
        self.reloading.borrow_mut().refresh();
        let reloading = self.reloading.borrow();
        let config = reloading.known();
        let paths = config.status.as_ref();
        match paths.and_then(|paths| self.status(request, paths, config)) {
            Some(step) => step,
            None => respond(request, config, &self.kept),
        }
    }

    fn answered(&self, method: Method, sender: Sender, reply: &Reply, took: Duration) {
        self.metrics.answered(reply, took);
        let log = self.reloading.borrow().known().log;
        if log.requests.unwrap_or(true) {
            access_log::write(method, sender, reply, took, log.fields);
        }
    }

    fn inquirer(&self) -> &Inquirer {
        &self.inquirer
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
