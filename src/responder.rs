//! From a request to its answer: the whole way, in one function.
//!
//! No socket, and no file but those of the configuration: whoever holds a request can ask, be it a
//! web server, a test or the command line.

use crate::address::EmailAddress;
use crate::cache::Cache;
use crate::config::{Config, NotFound, Unread};
use crate::http_cache;
use crate::question::Question;
use crate::request::Request;
use crate::resolve::resolve;
use crate::response::{About, Answer, Response, Status};
use crate::route::{other_path, route};
use crate::signing::Identity;

/// Answers a request; documents may come from those that are kept, and are kept there.
pub fn respond(request: &Request, config: &Config, cache: &Cache) -> Answer {
    if let Some((name, question)) = route(request) {
        return answer(request, name, question, config, cache);
    }
    if let Some(path) = other_path(request) {
        // The client's own path stays known: a redirect to it would lead here again.
        let rewritten = [&*request.path, b""];
        let request = Request { path: path.into(), rewritten, ..request.clone() };
        if let Some((name, question)) = route(&request) {
            return answer(&request, name, question, config, cache);
        }
    }
    let nothing = Response::text(Status::NotFound, "nothing here");
    answer(request, "-", Err(nothing), config, cache)
}

/// The answer to a question, or the one that was given instead of reading a question.
fn answer(
    request: &Request,
    name: &'static str,
    question: Result<Question, Response>,
    config: &Config,
    cache: &Cache,
) -> Answer {
    let question = match question {
        Ok(question) => question,
        Err(mut response) => {
            http_cache::apply(&mut response, request, true, true);
            let host = request.host.clone();
            response.about = Some(Box::new(About { document: name, host, ..About::default() }));
            return Answer::Ready(response);
        }
    };
    let Written { mut response, is_settled, may_be_signed } =
        match document(request, &question, config, cache) {
            Ok(written) => written,
            Err(unread) => return Answer::Unread(Box::new(|| unread.read())),
        };
    let is_due = may_be_signed && question.document.signed && response.status == Status::Ok;
    let identity = config.signing_identity().filter(|_| is_due);
    let is_public = question.address.is_none() && is_settled && config.is_settled;
    // No two signatures are the same bytes.
    http_cache::apply(&mut response, request, !is_public, identity.is_none());
    let Question { address, host, .. } = question;
    response.about = Some(Box::new(About { document: name, address, host, signed: None }));
    match identity.cloned() {
        Some(identity) => Answer::Slow(Box::new(move || sign(response, &identity))),
        None => Answer::Ready(response),
    }
}

/// Answers a request here and now, whatever it takes.
pub fn respond_now(request: &Request, config: &Config) -> Response {
    for _ in 0..Answer::MAX_READS {
        match respond(request, config, &Cache::default()) {
            Answer::Ready(response) => return response,
            Answer::Slow(work) => return work(),
            Answer::Unread(read) => read(),
        }
    }
    unavailable()
}

/// The answer where the settings of a domain are not known now.
pub fn unavailable() -> Response {
    let line = "the settings of this domain cannot be read at the moment";
    Response::text(Status::ServiceUnavailable, line)
        .with("Retry-After", RETRY_AFTER)
        .with("Cache-Control", "no-store")
}

/// After how many seconds to try again: a file that is being written has settled then.
const RETRY_AFTER: &str = "2";

/// A document, or the answer that there is none.
struct Written {
    response: Response,
    /// False if a file that this comes from may be changing now.
    is_settled: bool,
    /// True if nothing in it but an address of the usual form was chosen by a stranger: the
    /// domain is named in the configuration.
    may_be_signed: bool,
}

/// The document that is asked for, or the answer that there is none.
fn document(
    request: &Request,
    question: &Question,
    config: &Config,
    cache: &Cache,
) -> Result<Written, Unread> {
    let document = question.document;
    let other = |response| Written { response, is_settled: true, may_be_signed: false };
    let resolved = match resolve(question, config) {
        Ok(Some(resolved)) => resolved,
        Ok(None) => return Ok(other((document.unknown)(request))),
        Err(NotFound::Unavailable) => return Ok(other(unavailable())),
        Err(NotFound::Unread(unread)) => return Err(unread),
    };
    let address = question.address.as_ref();
    let response = match cache.find(document, &resolved, address) {
        Some(response) => response,
        None => match resolved.account(question, config) {
            Some(account) => {
                let written = (document.write)(&account, request);
                cache.keep(document, &resolved, address, written)
            }
            None => (document.unknown)(request),
        },
    };
    let may_be_signed = document.signed
        && config.is_named(&resolved.domain)
        && !address.is_some_and(EmailAddress::is_quoted);
    Ok(Written { response, is_settled: resolved.found.is_settled, may_be_signed })
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
