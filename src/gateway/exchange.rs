//! One exchange of a request for a response, whatever is spoken: asks until there is a response.
//!
//! What takes long holds up no other request, and a request asks for a limited number of files.

use crate::response::{Response, Status};
use crate::step::{Reply, Step};

/// Asks until there is a reply. What takes long runs where it holds up no other request.
// One place asks, so that it is compiled into the place that calls this.
#[inline(always)]
pub async fn finish(ask: impl Fn() -> Step) -> Reply {
    for _ in 0..Step::MAX_LOOK_UPS {
        match ask() {
            Step::Done(reply) => return reply,
            Step::Compute(work) => {
                return tokio::task::spawn_blocking(|| work.compute()).await.unwrap_or_else(|_| {
                    let line = "cannot write the response";
                    Response::text(Status::InternalServerError, line).into()
                });
            }
            // Should it panic, it is asked for again.
            Step::LookUp(work) => {
                tokio::task::spawn_blocking(|| work.look_up()).await.ok();
            }
        }
    }
    Response::text(Status::ServiceUnavailable, "the files of this domain change too often")
        .with("Cache-Control", "no-store")
        .into()
}

/// The answer to a body over the cap.
pub fn body_too_large() -> Response {
    Response::text(Status::ContentTooLarge, "the request body is too large")
}
