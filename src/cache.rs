//! Documents that are finished, kept for the next who asks about the same domain.
//!
//! Writing a document costs more than all the rest of a request. One that depends on nothing but
//! the domain goes out again as it is; one with a login goes out with the mailbox filled in. It
//! holds as long as the very same settings are found: a file that was read again makes others. How
//! many are kept, and how many bytes, is limited, since where any domain is answered, strangers choose the domains.

use crate::account::fill_in;
use crate::address::{Domain, EmailAddress};
use crate::config::settings::Identity;
use crate::question::{Document, Written};
use crate::resolve::Resolved;
use crate::response::Response;
use crate::xml;
use bytes::Bytes;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::sync::Arc;

/// How many documents are kept; they have about 2 KB each. The next makes room for itself by
/// sending all others away.
const MAX_KEPT: usize = 512;
/// How many bytes the documents may have together: an admin's texts may be long.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The documents.
#[derive(Debug, Default)]
pub struct Cache(RefCell<Documents>);

#[derive(Debug, Default)]
struct Documents {
    /// Few enough that strangers gain nothing by domains of the same hash.
    by_domain: FxHashMap<Domain, Vec<Entry>>,
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    document: &'static Document,
    /// Not the settings themselves: they may be large, and out of use.
    found: Identity,
    host_domain: Option<Domain>,
    form: Form,
}

/// What is kept of a document.
#[derive(Debug)]
enum Form {
    /// All of it.
    Whole(Response),
    /// The frame, and the body with placeholders in it.
    Open(Response, String),
}

impl Cache {
    /// The document for whoever asked, if it is kept.
    pub fn find(
        &self,
        document: &'static Document,
        resolved: &Resolved,
        address: Option<&EmailAddress>,
    ) -> Option<Response> {
        let documents = self.0.borrow();
        let mut entries = documents.by_domain.get(&*resolved.domain)?.iter();
        let entry = entries
            .find(|entry| entry.answers(document, resolved) && resolved.found.is(&entry.found))?;
        Some(entry.form.fill_in(address))
    }

    /// Keeps a document that was written for a question, if it will do for others; the document
    /// for this one.
    pub fn keep(
        &self,
        document: &'static Document,
        resolved: &Resolved,
        address: Option<&EmailAddress>,
        written: Written,
    ) -> Response {
        let form = match written {
            Written::ForRequest(response) => return response,
            Written::ForDomain(mut response) => {
                response.tag = Some(Arc::default());
                Form::Whole(response)
            }
            Written::ForMailbox(mut response) => {
                match String::from_utf8(std::mem::take(&mut response.body).into()) {
                    Ok(body) => Form::Open(response, body),
                    // Never so: it is XML in UTF-8.
                    Err(error) => return Response { body: error.into_bytes().into(), ..response },
                }
            }
        };
        let response = form.fill_in(address);
        let mut documents = self.0.borrow_mut();
        let bytes = response.body.len();
        if documents.count >= MAX_KEPT || documents.bytes + bytes > MAX_BYTES {
            *documents = Documents::default();
        }
        let entries = documents.by_domain.entry(resolved.domain.as_ref().clone()).or_default();
        let before = entries.len();
        // Of other settings.
        entries.retain(|entry| !entry.answers(document, resolved));
        entries.push(Entry {
            document,
            found: resolved.found.identity(),
            host_domain: resolved.host_domain.as_deref().cloned(),
            form,
        });
        let added = entries.len() - before;
        documents.count += added;
        // Those of other settings go on counting until all are sent away.
        documents.bytes += bytes;
        response
    }
}

impl Entry {
    /// True if this is the document for the domain, by whatever settings.
    fn answers(&self, document: &'static Document, resolved: &Resolved) -> bool {
        std::ptr::eq(self.document, document)
            && self.host_domain.as_ref() == resolved.host_domain.as_deref()
    }
}

impl Form {
    fn fill_in(&self, address: Option<&EmailAddress>) -> Response {
        match (self, address) {
            (Form::Whole(response), _) => copy(response, response.body.clone()),
            (Form::Open(response, body), None) => copy(response, body.clone().into()),
            (Form::Open(response, body), Some(address)) => {
                let whole = [address.local_part(), "@", address.domain().as_str()].concat();
                let body =
                    fill_in(body, &xml::escaped(&whole), &xml::escaped(address.local_part()));
                copy(response, body.into())
            }
        }
    }
}

/// The same answer with another body, and with room for the fields that `http_cache` adds.
fn copy(response: &Response, body: Bytes) -> Response {
    let mut headers = Vec::with_capacity(response.headers.len() + 4);
    headers.extend_from_slice(&response.headers);
    Response { headers, body, tag: response.tag.clone(), about: None, ..*response }
}
