//! From a request to its answer: the whole way, in one function.
//!
//! No socket, no file but the configuration's, no clock: whoever holds a request can ask, be it a
//! web server, a test or the command line.

use crate::config::{Config, Unavailable};
use crate::request::Request;
use crate::resolve::resolve;
use crate::response::{Answer, Response, Status};
use crate::route::route;
use crate::sign::Identity;

/// Answers a request.
pub fn respond(request: &Request, config: &Config) -> Answer {
    let question = match route(request) {
        Ok(question) => question,
        Err(response) => return Answer::Ready(response),
    };
    let account = match resolve(&question, config) {
        Ok(Some(account)) => account,
        Ok(None) => return Answer::Ready((question.document.unknown)(request)),
        Err(Unavailable) => {
            let line = "the settings of this domain cannot be read now";
            return Answer::Ready(Response::text(Status::ServiceUnavailable, line));
        }
    };
    let response = (question.document.write)(&account, request);
    match config.signing_identity() {
        Some(identity) if question.document.signed && response.status == Status::Ok => {
            let identity = identity.clone();
            Answer::Slow(Box::new(move || sign(response, &identity)))
        }
        _ => Answer::Ready(response),
    }
}

/// Signs a document; one that cannot be signed goes out as it is, which every device still takes.
fn sign(mut response: Response, identity: &Identity) -> Response {
    if let Some(signed) = identity.sign(&response.body) {
        response.body = signed;
    }
    response
}
