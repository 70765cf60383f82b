//! From a request to its answer: the whole way, in one function.
//!
//! No socket, and no file but those of the configuration: whoever holds a request can ask, be it a
//! web server, a test or the command line.

use crate::config::{Config, Unavailable};
use crate::manners;
use crate::request::Request;
use crate::resolve::resolve;
use crate::response::{Answer, Response, Status};
use crate::route::route;
use crate::sign::Identity;

/// Answers a request.
pub fn respond(request: &Request, config: &Config) -> Answer {
    let question = match route(request) {
        Ok(question) => question,
        Err(response) => return Answer::Ready(manners::apply(response, request, true, true)),
    };
    let document = question.document;
    let response = match resolve(&question, config) {
        Ok(Some(account)) => (document.write)(&account, request),
        Ok(None) => (document.unknown)(request),
        Err(Unavailable) => {
            let line = "the settings of this domain cannot be read now";
            Response::text(Status::ServiceUnavailable, line)
        }
    };
    let identity =
        config.signing_identity().filter(|_| document.signed && response.status == Status::Ok);
    let is_personal = question.address.is_some();
    // No two signatures are the same bytes.
    let response = manners::apply(response, request, is_personal, identity.is_none());
    match identity.cloned() {
        Some(identity) => Answer::Slow(Box::new(move || sign(response, &identity))),
        None => Answer::Ready(response),
    }
}

/// Signs a document; one that cannot be signed goes out as it is, which every device still takes.
fn sign(mut response: Response, identity: &Identity) -> Response {
    if let Some(signed) = identity.sign(&response.body) {
        response.body = signed;
    }
    response
}
