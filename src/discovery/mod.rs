//! The discovery protocols, one file each.
//!
//! A file holds all of its protocol: how a question is read from a request and how the document is
//! written from an account. The protocols know nothing of each other, of configuration or of web
//! servers; `route` knows their paths.

pub mod autoconfig;
pub mod autodiscover;
pub mod mobileconfig;
pub mod pacc;
pub mod well_known;

use crate::address::EmailAddress;
use crate::request::Request;
use crate::response::{Response, Status};

/// Reads the address in the query parameter `name`. An empty parameter counts as absent.
///
/// Fails with the response to give: the address is never echoed.
fn address_parameter(request: &Request, name: &str) -> Result<Option<EmailAddress>, Response> {
    match request.parameter(name) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => EmailAddress::parse(&value).map(Some).map_err(|error| {
            Response::text(Status::BadRequest, &format!("{name} is not an e-mail address: {error}"))
        }),
    }
}

/// The response for a domain that is not ours: every client then looks elsewhere.
fn not_ours() -> Response {
    Response::text(Status::NotFound, "this domain is not configured")
}
