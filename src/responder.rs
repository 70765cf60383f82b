//! From a request to its answer: the whole way, in one function.
//!
//! No socket, and no file but those of the configuration: whoever holds a request can ask, be it a
//! web server, a test or the command line.

use crate::config::{Config, Unavailable};
use crate::kept::Kept;
use crate::manners;
use crate::question::Question;
use crate::request::Request;
use crate::resolve::resolve;
use crate::response::{About, Answer, Response, Status};
use crate::route::route;
use crate::signing::Identity;

/// Answers a request; documents may come from those that are kept, and are kept there.
pub fn respond(request: &Request, config: &Config, kept: &Kept) -> Answer {
    let (name, question) = route(request);
    let question = match question {
        Ok(question) => question,
        Err(mut response) => {
            manners::apply(&mut response, request, true, true);
            let host = request.host.clone();
            response.about = Some(Box::new(About { document: name, host, ..About::default() }));
            return Answer::Ready(response);
        }
    };
    let mut response = document(request, &question, config, kept);
    let is_due = question.document.signed && response.status == Status::Ok;
    let identity = config.signing_identity().filter(|_| is_due);
    let is_personal = question.address.is_some();
    // No two signatures are the same bytes.
    manners::apply(&mut response, request, is_personal, identity.is_none());
    let Question { address, host, .. } = question;
    response.about = Some(Box::new(About { document: name, address, host, signed: None }));
    match identity.cloned() {
        Some(identity) => Answer::Slow(Box::new(move || sign(response, &identity))),
        None => Answer::Ready(response),
    }
}

/// The document that is asked for, or the word that there is none.
fn document(request: &Request, question: &Question, config: &Config, kept: &Kept) -> Response {
    let document = question.document;
    let resolved = match resolve(question, config) {
        Ok(Some(resolved)) => resolved,
        Ok(None) => return (document.unknown)(request),
        Err(Unavailable) => {
            let line = "the settings of this domain cannot be read now";
            return Response::text(Status::ServiceUnavailable, line);
        }
    };
    let address = question.address.as_ref();
    if let Some(response) = kept.find(document, &resolved, address) {
        return response;
    }
    match resolved.account(question, config) {
        Some(account) => {
            let written = (document.write)(&account, request);
            kept.keep(document, &resolved, address, written)
        }
        None => (document.unknown)(request),
    }
}

/// Signs a document; one that cannot be signed goes out as it is, which every device still takes.
fn sign(mut response: Response, identity: &Identity) -> Response {
    let signed = identity.sign(&response.body);
    if let Some(about) = &mut response.about {
        about.signed = Some(signed.is_some());
    }
    if let Some(signed) = signed {
        response.body = signed.into();
    }
    response
}
