//! A running service: its configuration, which is reloaded when the files change, the cache, the
//! metrics and the log.
//!
//! Two paths are answered here and not by `route`, if they are configured: the metrics, and a
//! health check. Their responses do not contain domains.

use crate::access_log;
use crate::cache::Cache;
use crate::config::Config;
use crate::config::reload::{Reloading, Reloads};
use crate::gateway;
use crate::limits::Limits;
use crate::metrics::{self, Metrics};
use crate::record::Record;
use crate::request::{Method, Request, Sender};
use crate::responder::respond;
use crate::response::{Response, Status};
use crate::route::is_known;
use crate::step::{Reply, Step};
use std::cell::RefCell;
use std::time::Duration;

/// A running service.
#[derive(Debug)]
pub struct Service {
    reloading: RefCell<Reloading>,
    cache: Cache,
    metrics: Metrics,
}

impl Service {
    /// A service with a configuration.
    pub fn new(reloading: Reloading) -> Service {
        let reloading = RefCell::new(reloading);
        Service { reloading, cache: Cache::default(), metrics: Metrics::default() }
    }

    /// The limits of requests, as configured at the start.
    pub fn limits(&self) -> Limits {
        self.reloading.borrow().known().limits
    }

    /// Starts a reload, whether or not the files have changed; `done` is called afterwards.
    pub fn reload(&self, done: impl FnOnce() + Send + 'static) {
        self.reloading.borrow().reload(done);
    }

    /// The response at one of the two paths.
    ///
    /// Doubled slashes are not merged here: the web server's access rules apply to the path as
    /// configured.
    fn status(&self, request: &Request, config: &Config) -> Option<Reply> {
        let is_at = |path: &Option<String>| {
            path.as_ref().is_some_and(|path| {
                *path.as_bytes() == *request.path
                    || is_rewritten_to(request, path.as_bytes()) && !is_known(&request.path)
            })
        };
        let (document, media_type, body) = if is_at(&config.status.metrics_path) {
            let Reloads { good, broken, is_broken } = self.reloading.borrow().count();
            ("metrics", metrics::MEDIA_TYPE, self.metrics.text(good, broken, is_broken))
        } else if is_at(&config.status.health_path) {
            ("health", "text/plain; charset=utf-8", "ok\n".to_owned())
        } else {
            return None;
        };
        let response = match request.method {
            Method::Get | Method::Head => Response::document(media_type, body.into_bytes()),
            Method::Post | Method::Other => {
                Response::text(Status::MethodNotAllowed, "this method is not allowed")
                    .with("Allow", "GET, HEAD")
            }
        };
        let response = response.with("Cache-Control", "no-store");
        Some(Reply { response, record: Record::new(document, request.host.clone()) })
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
        match self.status(request, config) {
            Some(reply) => Step::Done(reply),
            None => respond(request, config, &self.cache),
        }
    }

    fn answered(&self, method: Method, sender: Sender, reply: &Reply, took: Duration) {
        self.metrics.answered(reply, took);
        let log = self.reloading.borrow().known().log;
        if log.requests.unwrap_or(true) {
            access_log::write(method, sender, reply, took, log.fields);
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
