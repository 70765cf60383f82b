//! Autodiscover v2: one URL in JSON, for one protocol that the client names.
//!
//! No public document describes it; this follows the behaviour seen of Exchange and of servers that
//! imitate it. It cannot describe IMAP or SMTP: `AutodiscoverV1` leads to the form in XML,
//! `ActiveSync` to that server if configured. Other protocols are refused with status 400 and an
//! error in JSON, which repeats only letters and digits of the request.

use super::super::not_ours;
use crate::account::{Account, ServiceKind};
use crate::address::EmailAddress;
use crate::paths::{AUTODISCOVER, AUTODISCOVER_JSON_V1_0};
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::Request;
use crate::response::{Response, Status};
use serde::Serialize;

/// The longest name of a protocol that is repeated in an error.
const MAX_ECHO: usize = 40;

/// The URL for one protocol.
struct Where {
    /// The requested protocol, shortened so that an error can repeat it.
    protocol: String,
}

impl Document for Where {
    fn name(&self) -> &'static str {
        "autodiscover-json"
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Address
    }

    fn write(&self, account: &Account) -> Written {
        Written::ForRequest(response(account, &self.protocol))
    }

    fn not_found(&self) -> Response {
        not_ours()
    }
}

/// Reads the question from a query: `?Email=…&Protocol=…`.
pub fn read<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    let email = request.parameter("Email").unwrap_or_default();
    question(request, &email)
}

/// Reads the question from a path with the address at its end, and a query `?Protocol=…`.
pub fn read_path<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    let email = request.path.get(AUTODISCOVER_JSON_V1_0.text.len()..).unwrap_or_default();
    question(request, email)
}

fn question<'r>(request: &'r Request, email: &[u8]) -> Result<Question<'r>, Response> {
    if email.is_empty() {
        return Err(missing("Email"));
    }
    let address = EmailAddress::parse(email).map_err(|error| {
        refused("InvalidEmail", &format!("The given value of 'Email' is not an address: {error}"))
    })?;
    let protocol = protocol(request);
    if protocol.is_empty() {
        return Err(missing("Protocol"));
    }
    Ok(Question::new(Where { protocol }, Some(address), request.host.clone()))
}

/// The requested protocol, shortened so that an error can repeat it.
fn protocol(request: &Request) -> String {
    let value = request.parameter("Protocol").unwrap_or_default();
    let plain = value.iter().filter(|byte| byte.is_ascii_alphanumeric());
    plain.take(MAX_ECHO).map(|&byte| char::from(byte)).collect()
}

//------------ responses ------------------------------------------------------

/// The response with a URL.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Place<'a> {
    protocol: &'a str,
    url: &'a str,
}

/// The response with an error.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal<'a> {
    error_code: &'a str,
    error_message: &'a str,
}

fn response(account: &Account, asked: &str) -> Response {
    let activesync = account.service(ServiceKind::ActiveSync);
    let places = [
        // seen: Outlook 2019 requests `Autodiscoverv1`.
        Some(("AutodiscoverV1", pox_url(account))),
        activesync.map(|service| ("ActiveSync", service.url.to_string())),
    ];
    let places = || places.iter().flatten();
    match places().find(|(name, _)| name.eq_ignore_ascii_case(asked)) {
        Some((protocol, url)) => json(Status::Ok, &Place { protocol, url }),
        None => {
            let known: Vec<_> = places().map(|(name, _)| format!("'{name}'")).collect();
            let message = format!(
                "The given protocol value '{asked}' is invalid. Supported values are {}",
                known.join(", ")
            );
            refused("InvalidProtocol", &message)
        }
    }
}

/// The URL of the form in XML, on the requested host if that may be used in a link: it has a name
/// in DNS and a certificate. seen: Outlook sends requests to the target of an SRV record if
/// autodiscover.<domain> does not exist.
fn pox_url(account: &Account) -> String {
    let host = match &account.host {
        Some(host) => host.to_string(),
        None => format!("autodiscover.{}", account.domain),
    };
    format!("https://{host}{}", AUTODISCOVER.text)
}

fn missing(parameter: &str) -> Response {
    refused("MandatoryParameterMissing", &format!("The parameter '{parameter}' is missing"))
}

fn refused(error_code: &str, error_message: &str) -> Response {
    json(Status::BadRequest, &Refusal { error_code, error_message })
}

fn json(status: Status, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => {
            let body = (text + "\n").into_bytes();
            Response { status, ..Response::document("application/json", body) }
        }
        Err(_) => Response::text(Status::InternalServerError, "cannot write the response"),
    }
}
