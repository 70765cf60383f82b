//! One exchange of a request for a response, independent of the protocol: runs steps until there is
//! a response.
//!
//! Slow steps do not block other requests, and a request can cause a limited number of look-ups.

use super::Handler;
use crate::request::Request;
use crate::response::{Response, Status};
use crate::step::{Reply, Step};

/// Runs steps until there is a reply. Slow steps run in other threads and do not block requests;
/// servers are asked by the inquirer of the service.
// It is called in two places, with little code around it.
#[inline(always)]
pub async fn finish(service: &dyn Handler, request: &Request<'_>) -> Reply {
    for _ in 0..Step::MAX_STEPS {
        match service.respond(request) {
            Step::Done(reply) => return reply,
            Step::Compute(work) => {
                return tokio::task::spawn_blocking(|| work.compute()).await.unwrap_or_else(|_| {
                    let line = "cannot write the response";
                    Response::text(Status::InternalServerError, line).into()
                });
            }
            // After a panic, the step is repeated.
            Step::LookUp(work) => {
                tokio::task::spawn_blocking(|| work.look_up()).await.ok();
            }
            // In memory of its own: every request would have room for it.
            Step::Ask(inquiry) => Box::pin(service.inquirer().ask(inquiry)).await,
        }
    }
    Response::text(Status::ServiceUnavailable, "the files of this domain change too often")
        .with("Cache-Control", "no-store")
        .into()
}

/// The response to a body over the limit.
pub fn body_too_large() -> Response {
    Response::text(Status::ContentTooLarge, "the request body is too large")
}
