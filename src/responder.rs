//! From a request to its response, in one function.
//!
//! It uses no socket, and no files but those of the configuration, so that a web server, a test or
//! the command line can call it.

use crate::account::OwnLogin;
use crate::address::EmailAddress;
use crate::cache::{Cache, Copy};
use crate::config::{Config, NotFound, Unread};
use crate::http_cache::{self, Tag};
use crate::login::lookup::look_up;
use crate::login::lookups::Lookups;
use crate::login::source::Source;
use crate::question::Question;
use crate::record::Record;
use crate::request::Request;
use crate::resolve::{Resolved, resolve};
use crate::response::{Response, Status};
use crate::route::{other_path, route};
use crate::signing::Identity;
use crate::step::{Compute, Inquiry, LookUp, Reply, Step};
use std::rc::Rc;

/// What is kept from earlier requests.
#[derive(Debug, Default)]
pub struct Kept {
    /// Documents.
    pub cache: Cache,
    /// Answers about logins.
    pub lookups: Rc<Lookups>,
}

/// The next step for a request; what is kept is used, and kept again.
pub fn respond(request: &Request, config: &Config, kept: &Kept) -> Step {
    if let Some((name, question)) = route(request) {
        return answer(request, name, question, config, kept);
    }
    if let Some(path) = other_path(request) {
        // The client's own path is kept: a redirect to it would lead here again.
        let rewritten = [&*request.path, b""];
        let request = Request { path: path.into(), rewritten, ..request.clone() };
        if let Some((name, question)) = route(&request) {
            return answer(&request, name, question, config, kept);
        }
    }
    let nothing = Response::text(Status::NotFound, "nothing here");
    answer(request, Record::default().document, Err(nothing), config, kept)
}

/// Answers a question, or completes the response that the protocol returned in its place.
fn answer(
    request: &Request,
    name: &'static str,
    question: Result<Question, Response>,
    config: &Config,
    kept: &Kept,
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
        match document(&question, config, kept) {
            Ok(answer) => answer,
            Err(first) => return *first,
        };
    let is_due = may_be_signed && response.status == Status::Ok;
    let identity = config.signing_identity().filter(|_| is_due);
    let is_public = question.address.is_none() && is_settled && config.is_settled;
    // Two signatures never have the same bytes.
    let own_tag = Tag::default();
    let tag = identity.is_none().then_some(tag.as_deref().unwrap_or(&own_tag));
    http_cache::apply(&mut response, request, !is_public, tag);
    let document = question.document.name();
    let Question { address, host, .. } = question;
    let reply = Reply { response, record: Record { document, address, host, signed: None } };
    match identity.cloned() {
        Some(identity) => Step::Compute(Box::new(Signature { reply, identity })),
        None => Step::Done(reply),
    }
}

/// Answers a request at once, and waits for files and signatures; `ask` asks servers.
pub fn respond_now(
    request: &Request,
    config: &Config,
    lookups: &Rc<Lookups>,
    ask: impl Fn(Inquiry),
) -> Reply {
    let kept = Kept { cache: Cache::default(), lookups: lookups.clone() };
    for _ in 0..Step::MAX_STEPS {
        match respond(request, config, &kept) {
            Step::Done(reply) => return reply,
            Step::Compute(work) => return work.compute(),
            Step::LookUp(work) => work.look_up(),
            Step::Ask(inquiry) => ask(inquiry),
        }
    }
    unavailable().into()
}

/// The response if the settings of a domain are not available at the moment.
pub fn unavailable() -> Response {
    let line = "the settings of this domain cannot be read at the moment";
    Response::text(Status::ServiceUnavailable, line)
        .with("Retry-After", RETRY_AFTER)
        .with("Cache-Control", "no-store")
}

/// The seconds after which a client should try again; a file that is being written has settled by
/// then.
const RETRY_AFTER: &str = "2";

//------------ documents ------------------------------------------------------

/// A document, or the response that none was found.
struct Answer {
    response: Response,
    /// The tag of its body, if it is known.
    tag: Option<Rc<Tag>>,
    /// False if one of its files may be changing now.
    is_settled: bool,
    /// True if the client chose nothing in it but an address of the usual form: the configuration
    /// names the domain.
    may_be_signed: bool,
}

/// The requested document, or the response that none was found; or what must be done first.
// Called in one place: the document is not moved then.
#[inline(always)]
fn document(question: &Question, config: &Config, kept: &Kept) -> Result<Answer, Box<Step>> {
    let document = &*question.document;
    let other = |response| Answer { response, tag: None, is_settled: true, may_be_signed: false };
    let mut resolved = match resolve(question, config) {
        Ok(Some(resolved)) => resolved,
        Ok(None) => return Ok(other(document.not_found())),
        Err(NotFound::Unavailable) => return Ok(other(unavailable())),
        Err(NotFound::Unread(unread)) => return Err(Box::new(Step::LookUp(Box::new(unread)))),
    };
    if let Some(source) = resolved.found.login() {
        resolved.login = own_login(source, question, &resolved, config, &kept.lookups)?;
    }
    let Some(Copy { response, tag }) = kept.cache.document(question, &resolved, config) else {
        return Ok(other(document.not_found()));
    };
    let address = question.address.as_ref();
    let may_be_signed = document.is_signed()
        && config.is_named(&resolved.domain)
        && !address.is_some_and(EmailAddress::is_quoted);
    Ok(Answer { response, tag, is_settled: resolved.found.is_settled, may_be_signed })
}

/// The own login of the mailbox, if the document names one and a source may be asked for it. One that
/// the settings give anyway is none.
///
/// The domain must be named: otherwise, clients would choose what is asked.
// Most configurations have no source.
#[cold]
fn own_login(
    source: &Source,
    question: &Question,
    resolved: &Resolved,
    config: &Config,
    lookups: &Rc<Lookups>,
) -> Result<Option<OwnLogin>, Box<Step>> {
    match &question.address {
        Some(address)
            if question.document.names_login()
                && address.domain() == &*resolved.domain
                && config.is_named(address.domain()) =>
        {
            let login = look_up(source, address, lookups);
            let login = login.map_err(|inquiry| Box::new(Step::Ask(inquiry)))?;
            // Compared also if there is none, so that both take the same time.
            let name =
                login.as_ref().map_or_else(|| address.to_string(), |it| it.as_str().to_owned());
            let is_given = resolved.found.gives(&name, address);
            Ok(login.filter(|_| !is_given))
        }
        _ => Ok(None),
    }
}

impl LookUp for Unread {
    fn look_up(self: Box<Self>) {
        self.read();
    }
}

//------------ Signature ------------------------------------------------------

/// A document to sign.
struct Signature {
    reply: Reply,
    identity: Identity,
}

impl Compute for Signature {
    /// Signs the document. If that fails, it is sent unsigned, which every device accepts.
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
