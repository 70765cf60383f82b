//! Calendars and address books: a redirect from the well-known URI to the configured URL.
//!
//! Rules: RFC 6764 §5, for any method: clients begin with PROPFIND. It is not cached, so that a
//! correction is in force at once. Refuses a domain without the service, and a redirect to itself.

use super::not_ours;
use crate::account::{Account, ServiceKind};
use crate::address::Domain;
use crate::paths::{self, Path};
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::{Request, eq_ignore_case};
use crate::response::{Response, Status};
use crate::url::HttpsUrl;

/// The URL of a service of a domain.
struct Where<'a> {
    kind: ServiceKind,
    path: &'static Path,
    /// The requested host.
    host: Option<&'a Domain>,
}

/// Reads the question about calendars, which depends only on the Host.
pub fn read_caldav<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    read(request, ServiceKind::CalDav, &paths::CALDAV)
}

/// Reads the question about address books, which depends only on the Host.
pub fn read_carddav<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    read(request, ServiceKind::CardDav, &paths::CARDDAV)
}

fn read<'r>(
    request: &'r Request,
    kind: ServiceKind,
    path: &'static Path,
) -> Result<Question<'r>, Response> {
    let document = Where { kind, path, host: request.host.as_ref() };
    Ok(Question::new(document, None, request.host.clone()))
}

impl Document for Where<'_> {
    fn name(&self) -> &'static str {
        self.path.name
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Host
    }

    fn write(&self, account: &Account) -> Written {
        let url = account.service(self.kind).map(|service| &service.url);
        Written::ForRequest(match url.filter(|url| !self.is_here(url)) {
            Some(url) => Response::text(Status::MovedPermanently, "see the field Location")
                .with("Location", url.to_string()),
            None => Response::text(Status::NotFound, "no such service is configured"),
        })
    }

    fn not_found(&self) -> Response {
        not_ours()
    }
}

impl Where<'_> {
    /// True if a URL leads to that of the request.
    fn is_here(&self, url: &HttpsUrl) -> bool {
        eq_ignore_case(url.path().as_bytes(), self.path.text)
            && self.host.is_some_and(|host| host.as_str() == url.host().as_str())
    }
}
