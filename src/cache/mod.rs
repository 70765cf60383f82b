//! The cache: documents that were written for earlier requests.
//!
//! Writing a document costs more than the rest of a request. A document that depends only on the
//! domain is sent again unchanged; one with a login is sent with the mailbox filled in. When a second
//! domain with the same settings is asked for, the document is written with gaps for the domain, and
//! from then on it serves all of them (`shared`).
//!
//! A cached document is used as long as the same settings are found; a file that was read again
//! results in new settings. The number of documents and their total size are limited (`store`):
//! where any domain is answered, clients choose the domains.

mod shared;
mod store;

use crate::account::Subject;
use crate::address::Domain;
use crate::config::settings::Identity;
use crate::config::{Config, room};
use crate::form::Form;
use crate::http_cache::Tag;
use crate::question::{DecidedBy, Document, Question, Written};
use crate::resolve::Resolved;
use crate::response::Response;
use rustc_hash::FxBuildHasher;
use shared::may_be_shared;
use std::cell::RefCell;
use std::hash::BuildHasher;
use std::rc::Rc;
use store::{Size, Store};

/// The largest number and size of each of two generations of documents of single domains; they have
/// about 2 KB each, but configured texts may be long.
const DOMAINS: Size = Size { count: 256, bytes: 1536 * 1024 };
/// The same of documents that domains share.
const SETTINGS: Size = Size { count: 128, bytes: 512 * 1024 };
/// The largest document that is cached, in bytes: a page may contain a large logo.
const MAX_DOCUMENT: usize = 64 * 1024;
/// How many of the last uses of shared documents are remembered.
const USES: usize = 256;

/// The cached documents.
#[derive(Debug, Default)]
pub struct Cache(RefCell<Documents>);

#[derive(Debug)]
struct Documents {
    of_domains: Store<Domain, Own>,
    of_settings: Store<u64, Common>,
    /// Which domains a shared document was filled in for lately, by their hashes.
    uses: [u64; USES],
}

/// A document of one domain.
#[derive(Debug)]
struct Own {
    kind: Kind,
    host_domain: Option<Domain>,
    content: Content,
}

/// A document of all domains with the same settings.
#[derive(Debug)]
struct Common {
    kind: Kind,
    state: State,
}

#[derive(Debug)]
enum State {
    /// So far, this domain alone was asked for.
    Single(Domain),
    /// Other domains were, too; the document cannot be shared.
    Separate,
    /// Domains up to this length share it.
    Shared(Content, usize),
}

/// Which document it is, and of which settings.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    variant: Option<String>,
    decided_by: DecidedBy,
    /// True if it names the own login of a mailbox.
    has_login: bool,
    /// Not the settings themselves: they may be large and no longer in force.
    found: Identity,
}

/// The cached form of a document.
#[derive(Debug)]
enum Content {
    /// The whole document and the tag of its body.
    Whole(Response, Rc<Tag>),
    /// A form, to be filled in for the domain.
    OfDomain(Form),
    /// A form, to be filled in for the mailbox.
    OfMailbox(Form),
}

/// A copy of a cached document for a question.
#[derive(Debug)]
pub struct Copy {
    /// The document.
    pub response: Response,
    /// The tag of its body, if other copies have the same body.
    pub tag: Option<Rc<Tag>>,
}

impl Cache {
    /// The document for a question; it is written if it is not cached. `None` if a host name becomes
    /// too long with the domain.
    pub fn document(
        &self,
        question: &Question,
        resolved: &Resolved,
        config: &Config,
    ) -> Option<Copy> {
        let document = &*question.document;
        let subject = resolved.subject(question);
        if let Some(copy) = self.0.borrow_mut().find(document, resolved, &subject) {
            return Some(copy);
        }
        let written = document.write(&resolved.account(question, config)?);
        self.0.borrow_mut().keep(document, resolved, &subject, written)
    }
}

impl Documents {
    /// The document for a question, if it is cached.
    fn find(
        &mut self,
        document: &dyn Document,
        resolved: &Resolved,
        subject: &Subject,
    ) -> Option<Copy> {
        let is = |own: &Own| own.answers(document, resolved) && own.kind.is_of(resolved);
        let copy = |own: &Own| own.content.copy(subject);
        if let Some(copy) = self.of_domains.find(&resolved.domain, is, copy) {
            return copy;
        }
        if !may_be_shared(document, resolved) {
            return None;
        }
        let is = |common: &Common| common.answers(document, resolved);
        let (copy, is_whole) =
            self.of_settings.find(&resolved.found.key(), is, |common| match &common.state {
                State::Shared(content, room) if resolved.domain.as_str().len() <= *room => {
                    Some((content.copy(subject)?, matches!(content, Content::OfDomain(_))))
                }
                _ => None,
            })??;
        // A domain that is asked for again gets a copy of its own, which is found sooner.
        if is_whole && self.is_used_again(document, resolved) {
            let Copy { response, .. } = &copy;
            let content = Content::Whole(response.with_body(response.body.clone()), Rc::default());
            self.keep_own(document, resolved, content, response.size());
        }
        Some(copy)
    }

    /// True if a shared document was lately filled in for the same domain; remembers this use.
    fn is_used_again(&mut self, document: &dyn Document, resolved: &Resolved) -> bool {
        let name = document.name().as_ptr();
        let hash =
            FxBuildHasher.hash_one((&*resolved.domain, name, resolved.host_domain.is_some()));
        let place = hash as usize % USES;
        std::mem::replace(&mut self.uses[place], hash) == hash
    }

    /// Caches a document that was written for a question, if other questions can use it; returns
    /// the document for this one.
    fn keep(
        &mut self,
        document: &dyn Document,
        resolved: &Resolved,
        subject: &Subject,
        written: Written,
    ) -> Option<Copy> {
        let (content, bytes) = match written {
            Written::ForRequest(response) => return Some(Copy { response, tag: None }),
            Written::ForDomain(form) => {
                let response = form.fill_in(subject)?;
                let bytes = response.size();
                (Content::Whole(response, Rc::default()), bytes)
            }
            Written::ForMailbox(form) => {
                let bytes = form.size();
                (Content::OfMailbox(form), bytes)
            }
        };
        let copy = content.copy(subject)?;
        if bytes <= MAX_DOCUMENT {
            self.share(document, resolved, subject, &content, &copy.response);
            self.keep_own(document, resolved, content, bytes);
        }
        Some(copy)
    }

    /// Caches a document of one domain.
    fn keep_own(
        &mut self,
        document: &dyn Document,
        resolved: &Resolved,
        content: Content,
        bytes: usize,
    ) {
        let kind = Kind::of(document, resolved);
        let bytes = bytes + kind.variant.as_ref().map_or(0, String::len);
        let own = Own { kind, host_domain: resolved.host_domain.as_deref().cloned(), content };
        // Documents of other settings are dropped.
        let is_old = |own: &Own| own.answers(document, resolved);
        self.of_domains.keep(resolved.domain.as_ref().clone(), own, bytes, is_old);
    }

    /// Remembers that a document was written for a domain; writes it for all domains if it was
    /// written for another one before.
    fn share(
        &mut self,
        document: &dyn Document,
        resolved: &Resolved,
        subject: &Subject,
        content: &Content,
        response: &Response,
    ) {
        if !may_be_shared(document, resolved) {
            return;
        }
        let (key, domain) = (resolved.found.key(), &*resolved.domain);
        let is = |common: &Common| common.answers(document, resolved);
        let is_next = self.of_settings.find(&key, is, |common| match &common.state {
            State::Single(first) => first != domain && domain.as_str() != shared::MARKER,
            State::Separate | State::Shared(..) => false,
        });
        let (state, bytes) = match is_next {
            None => (State::Single(domain.clone()), 0),
            Some(true) => match room::of(&resolved.found) {
                room if room < shared::MARKER.len() => (State::Separate, 0),
                room if room < domain.as_str().len() => return,
                room => match shared::form(document, resolved, subject, response) {
                    Some(form) if form.size() <= MAX_DOCUMENT => {
                        let bytes = form.size();
                        let content = match content {
                            Content::OfMailbox(_) => Content::OfMailbox(form),
                            Content::Whole(..) | Content::OfDomain(_) => Content::OfDomain(form),
                        };
                        (State::Shared(content, room), bytes)
                    }
                    Some(_) | None => (State::Separate, 0),
                },
            },
            Some(false) => return,
        };
        let common = Common { kind: Kind::of(document, resolved), state };
        self.of_settings.keep(key, common, bytes, is);
    }
}

impl Default for Documents {
    fn default() -> Documents {
        Documents {
            of_domains: Store::new(DOMAINS),
            of_settings: Store::new(SETTINGS),
            uses: [0; USES],
        }
    }
}

impl Own {
    /// True if this is the document for the domain, whatever its settings.
    fn answers(&self, document: &dyn Document, resolved: &Resolved) -> bool {
        self.kind.answers(document, resolved)
            && self.host_domain.as_ref() == resolved.host_domain.as_deref()
            && self.kind.variant == document.variant()
    }
}

impl Common {
    /// True if this is the document of the settings.
    fn answers(&self, document: &dyn Document, resolved: &Resolved) -> bool {
        self.kind.answers(document, resolved) && self.kind.is_of(resolved)
    }
}

impl Kind {
    fn of(document: &dyn Document, resolved: &Resolved) -> Kind {
        Kind {
            name: document.name(),
            variant: document.variant(),
            decided_by: document.decided_by(),
            has_login: resolved.login.is_some(),
            found: resolved.found.identity(),
        }
    }

    fn answers(&self, document: &dyn Document, resolved: &Resolved) -> bool {
        // Nearly always the name is not another text of the same letters.
        (std::ptr::eq(self.name, document.name()) || self.name == document.name())
            && self.decided_by == document.decided_by()
            && self.has_login == resolved.login.is_some()
    }

    fn is_of(&self, resolved: &Resolved) -> bool {
        resolved.found.is(&self.found)
    }
}

impl Content {
    /// The document for a subject; `None` if it needs a mailbox and there is none.
    fn copy(&self, subject: &Subject) -> Option<Copy> {
        Some(match self {
            Content::Whole(response, tag) => {
                let response = response.with_body(response.body.clone());
                Copy { response, tag: Some(tag.clone()) }
            }
            Content::OfDomain(form) | Content::OfMailbox(form) => {
                Copy { response: form.fill_in(subject)?, tag: None }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::CHECKS;
    use crate::config::check;
    use crate::request::{Method, Request};
    use crate::resolve::resolve;
    use crate::route::route;
    use std::path::Path;

    /// Asks for each kind of document of a domain.
    fn ask(cache: &Cache, config: &Config, domain: &str) {
        for target in ["/mail/config-v1.1.xml", "/mobileconfig", "/"] {
            let target = format!("{target}?emailaddress=ann@{domain}");
            let request = Request::new(Method::Get, target.as_bytes(), None, b"");
            let (_, question) = route(&request).unwrap();
            let question = question.unwrap();
            let resolved = resolve(&question, config).unwrap().unwrap();
            cache.document(&question, &resolved, config).unwrap();
        }
    }

    fn sizes(cache: &Cache) -> [Size; 2] {
        let documents = cache.0.borrow();
        [documents.of_domains.size(), documents.of_settings.size()]
    }

    #[test]
    fn domains_of_the_same_settings_share_documents() {
        let config = check::text(Path::new("c.toml"), "page.enabled = false", &CHECKS).unwrap();
        let cache = Cache::default();
        (0..1000).for_each(|number| ask(&cache, &config, &format!("d{number}.example")));
        // Those of the first two domains, and the two forms.
        assert_eq!(sizes(&cache).map(|size| size.count), [4, 2]);
        // One that is asked for again has its own, unless it is filled in for a mailbox.
        (0..3).for_each(|_| ask(&cache, &config, "again.example"));
        assert_eq!(sizes(&cache).map(|size| size.count), [5, 2]);
    }

    #[test]
    fn a_flood_of_domains_stays_within_the_limits() {
        let config = check::text(Path::new("c.toml"), "", &CHECKS).unwrap();
        let cache = Cache::default();
        for number in 0..500 {
            ask(&cache, &config, "hot.example");
            ask(&cache, &config, &format!("d{number}.xn--bcher-kva.example"));
            for (size, max) in sizes(&cache).into_iter().zip([DOMAINS, SETTINGS]) {
                assert!(size.count <= 2 * max.count && size.bytes <= 2 * max.bytes, "{size:?}");
            }
        }
        let documents = &mut *cache.0.borrow_mut();
        let hot = Domain::parse("hot.example").unwrap();
        let is_autoconfig = |own: &Own| own.kind.name == "autoconfig";
        assert!(documents.of_domains.find(&hot, is_autoconfig, |_| ()).is_some());
        assert!(documents.of_domains.size().count > DOMAINS.count);
    }
}
