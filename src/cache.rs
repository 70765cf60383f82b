//! The cache: documents that were written for earlier requests about the same domain.
//!
//! Writing a document costs more than the rest of a request. A document that depends only on the
//! domain is sent again unchanged; one with a login is sent with the mailbox filled in. A cached
//! document is used as long as the same settings are found; a file that was read again results in
//! new settings. The number of documents and their total size are limited: where any domain is
//! answered, clients choose the domains.

use crate::account::Mailbox;
use crate::address::Domain;
use crate::config::settings::Identity;
use crate::form::Form;
use crate::http_cache::Tag;
use crate::question::{DecidedBy, Document, Written};
use crate::resolve::Resolved;
use crate::response::Response;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// How many documents are cached; they have about 2 KB each. When the cache is full, it is emptied.
const MAX_KEPT: usize = 512;
/// How many bytes the documents may have together: configured texts may be long.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The largest document that is cached, in bytes: a page may contain a large logo.
const MAX_DOCUMENT: usize = 64 * 1024;

/// The cached documents.
#[derive(Debug, Default)]
pub struct Cache(RefCell<Documents>);

#[derive(Debug, Default)]
struct Documents {
    /// The number is small enough that an attacker gains nothing by domains of the same hash.
    by_domain: FxHashMap<Domain, Vec<Entry>>,
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    variant: Option<String>,
    decided_by: DecidedBy,
    /// True if the document names the own login of a mailbox.
    has_login: bool,
    /// Not the settings themselves: they may be large and no longer in force.
    found: Identity,
    host_domain: Option<Domain>,
    content: Content,
}

/// The cached form of a document.
#[derive(Debug)]
enum Content {
    /// The whole document and the tag of its body.
    Whole(Response, Rc<Tag>),
    /// A form, to be filled in for the mailbox.
    Open(Form),
}

/// A copy of a cached document for a question.
#[derive(Debug)]
pub struct Copy {
    /// The document.
    pub response: Response,
    /// The tag of its body, shared by all copies.
    pub tag: Rc<Tag>,
}

impl Cache {
    /// The document for a question, if it is cached.
    pub fn find(
        &self,
        document: &dyn Document,
        resolved: &Resolved,
        mailbox: Option<Mailbox>,
    ) -> Option<Copy> {
        let documents = self.0.borrow();
        let mut entries = documents.by_domain.get(&*resolved.domain)?.iter();
        let entry = entries
            .find(|entry| entry.answers(document, resolved) && resolved.found.is(&entry.found))?;
        entry.content.copy(mailbox)
    }

    /// Caches a document that was written for a question, if other questions can use it; returns
    /// the document for this one.
    pub fn keep(
        &self,
        document: &dyn Document,
        resolved: &Resolved,
        mailbox: Option<Mailbox>,
        written: Written,
    ) -> Option<Copy> {
        let (content, bytes) = match written {
            Written::ForRequest(response) => {
                return Some(Copy { response, tag: Rc::default() });
            }
            Written::ForDomain(response) => {
                let bytes = response.body.len();
                (Content::Whole(response, Rc::default()), bytes)
            }
            Written::ForMailbox(form) => {
                let bytes = form.size();
                (Content::Open(form), bytes)
            }
        };
        let copy = content.copy(mailbox);
        if bytes > MAX_DOCUMENT {
            return copy;
        }
        let mut documents = self.0.borrow_mut();
        if documents.count >= MAX_KEPT || documents.bytes + bytes > MAX_BYTES {
            *documents = Documents::default();
        }
        let entries = documents.by_domain.entry(resolved.domain.as_ref().clone()).or_default();
        let before = entries.len();
        // Entries of other settings.
        entries.retain(|entry| !entry.answers(document, resolved));
        entries.push(Entry {
            name: document.name(),
            variant: document.variant(),
            decided_by: document.decided_by(),
            has_login: resolved.login.is_some(),
            found: resolved.found.identity(),
            host_domain: resolved.host_domain.as_deref().cloned(),
            content,
        });
        let added = entries.len() - before;
        documents.count += added;
        // The bytes of removed entries are counted until the cache is emptied.
        documents.bytes += bytes;
        copy
    }
}

impl Entry {
    /// True if this is the document for the domain, whatever its settings.
    fn answers(&self, document: &dyn Document, resolved: &Resolved) -> bool {
        self.name == document.name()
            && self.decided_by == document.decided_by()
            && self.has_login == resolved.login.is_some()
            && self.host_domain.as_ref() == resolved.host_domain.as_deref()
            && self.variant == document.variant()
    }
}

impl Content {
    /// The document for a mailbox; `None` if the document needs one.
    fn copy(&self, mailbox: Option<Mailbox>) -> Option<Copy> {
        Some(match self {
            Content::Whole(response, tag) => {
                Copy { response: response.with_body(response.body.clone()), tag: tag.clone() }
            }
            Content::Open(form) => Copy { response: form.fill_in(&mailbox?), tag: Rc::default() },
        })
    }
}
