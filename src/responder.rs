//! From a request to its response: the whole way, in one function.
//!
//! No socket, and no file but those of the configuration: whatever holds a request can ask, be it a
//! web server, a test or the command line.

use crate::address::EmailAddress;
use crate::cache::{Cache, Copy};
use crate::config::{Config, NotFound, Unread};
use crate::http_cache::{self, Tag};
use crate::question::Question;
use crate::record::Record;
use crate::request::Request;
use crate::resolve::resolve;
use crate::response::{Response, Status};
use crate::route::{other_path, route};
use crate::signing::Identity;
use crate::step::{Compute, LookUp, Reply, Step};
use std::rc::Rc;

/// The next step for a request; documents may come from the cache, and are kept there.
pub fn respond(request: &Request, config: &Config, cache: &Cache) -> Step {
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
    answer(request, Record::default().document, Err(nothing), config, cache)
}

/// Answers a question, or completes the response that was given instead of reading one.
fn answer(
    request: &Request,
    name: &'static str,
    question: Result<Question, Response>,
    config: &Config,
    cache: &Cache,
) -> Step {
    let question = match question {
        Ok(question) => question,
        Err(mut response) => {
            http_cache::apply(&mut response, request, true, None);
            let record = Record::new(name, request.host.clone());
            return Step::Done(Reply { response, record });
        }
    };
    let Answer { mut response, tag, is_settled, may_be_signed } =
        match document(&question, config, cache) {
            Ok(answer) => answer,
            Err(unread) => return Step::LookUp(Box::new(unread)),
        };
    let is_due = may_be_signed && response.status == Status::Ok;
    let identity = config.signing_identity().filter(|_| is_due);
    let is_public = question.address.is_none() && is_settled && config.is_settled;
    // No two signatures are the same bytes.
    let tag = identity.is_none().then_some(&*tag);
    http_cache::apply(&mut response, request, !is_public, tag);
    let document = question.document.name();
    let Question { address, host, .. } = question;
    let reply = Reply { response, record: Record { document, address, host, signed: None } };
    match identity.cloned() {
        Some(identity) => Step::Compute(Box::new(Signature { reply, identity })),
        None => Step::Done(reply),
    }
}

/// Answers a request here and now, whatever it takes.
pub fn respond_now(request: &Request, config: &Config) -> Reply {
    for _ in 0..Step::MAX_LOOK_UPS {
        match respond(request, config, &Cache::default()) {
            Step::Done(reply) => return reply,
            Step::Compute(work) => return work.compute(),
            Step::LookUp(work) => work.look_up(),
        }
    }
    unavailable().into()
}

/// The response where the settings of a domain are not known now.
pub fn unavailable() -> Response {
    let line = "the settings of this domain cannot be read at the moment";
    Response::text(Status::ServiceUnavailable, line)
        .with("Retry-After", RETRY_AFTER)
        .with("Cache-Control", "no-store")
}

/// After how many seconds to try again: a file that is being written has settled then.
const RETRY_AFTER: &str = "2";

//------------ documents ------------------------------------------------------

/// A document, or the response that there is none.
struct Answer {
    response: Response,
    tag: Rc<Tag>,
    /// False if a file that this comes from may be changing now.
    is_settled: bool,
    /// True if nothing in it but an address of the usual form was chosen by a stranger: the
    /// domain is named in the configuration.
    may_be_signed: bool,
}

/// The document that is asked for, or the response that there is none.
fn document(question: &Question, config: &Config, cache: &Cache) -> Result<Answer, Unread> {
    let document = &*question.document;
    let other =
        |response| Answer { response, tag: Rc::default(), is_settled: true, may_be_signed: false };
    let resolved = match resolve(question, config) {
        Ok(Some(resolved)) => resolved,
        Ok(None) => return Ok(other(document.not_found())),
        Err(NotFound::Unavailable) => return Ok(other(unavailable())),
        Err(NotFound::Unread(unread)) => return Err(unread),
    };
    let address = question.address.as_ref();
    let copy = cache.find(document, &resolved, address).or_else(|| {
        let account = resolved.account(question, config)?;
        cache.keep(document, &resolved, address, document.write(&account))
    });
    let Some(Copy { response, tag }) = copy else { return Ok(other(document.not_found())) };
    let may_be_signed = document.is_signed()
        && config.is_named(&resolved.domain)
        && !address.is_some_and(EmailAddress::is_quoted);
    Ok(Answer { response, tag, is_settled: resolved.found.is_settled, may_be_signed })
}

impl LookUp for Unread {
    fn look_up(self: Box<Self>) {
        self.read();
    }
}

//------------ Signature ------------------------------------------------------

/// A document that is to be signed.
struct Signature {
    reply: Reply,
    identity: Identity,
}

impl Compute for Signature {
    /// Signs it; one that cannot be signed goes out as it is, which every device still takes.
    fn compute(self: Box<Self>) -> Reply {
        let Signature { mut reply, identity } = *self;
        let signed = identity.sign(&reply.response.body);
        reply.record.signed = Some(signed.is_some());
        if let Some(signed) = signed {
            reply.response.body = signed.into();
        }
        reply
    }
}
