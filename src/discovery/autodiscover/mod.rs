//! Microsoft Autodiscover ([MS-OXDSCLI], [MS-OXDISCO]), one file per form.
//!
//! This module has the common parts of the forms in XML: the frame of a response, errors, and the
//! address of a redirect.

pub mod json;
mod mobilesync;
pub mod pox;

use crate::account::{Account, Mailbox, Redirect};
use crate::address::EmailAddress;
use crate::response::Response;
use crate::xml;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Namespace of the root element, and of a Response with an error.
const RESPONSE_NAMESPACE: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";

/// A response document with `content` inside its Response element, which is in `namespace`.
fn answer(namespace: &str, content: impl FnOnce(&mut xml::Writer)) -> Response {
    let mut document = xml::Writer::new();
    document.element("Autodiscover", &[("xmlns", RESPONSE_NAMESPACE)], |xml| {
        let inherited = namespace == RESPONSE_NAMESPACE;
        let attributes: &[_] = if inherited { &[] } else { &[("xmlns", namespace)] };
        xml.element("Response", attributes, content);
    });
    Response::document("text/xml; charset=utf-8", document.finish())
}

/// The address to which a client is redirected, if the settings of the domain are under another
/// one.
///
/// `None` if the client used that address already. Within the domain, `None` also if the new
/// address would be redirected again, without end: `x-%EMAILLOCALPART%`.
pub fn new_address(account: &Account) -> Option<EmailAddress> {
    let (Some(Redirect::Address(template)), Some(address)) = (&account.moved, &account.address)
    else {
        return None;
    };
    let next = |address: &EmailAddress| {
        let mailbox = Mailbox { address, login: None };
        EmailAddress::parse(template.of(&mailbox).as_bytes()).ok()
    };
    let new = next(address)?;
    let is_last =
        |new: &EmailAddress| next(new).is_some_and(|after| after.folded() == new.folded());
    let leads_on = new.domain() == address.domain() && !is_last(&new);
    (new.folded() != address.folded() && !leads_on).then_some(new)
}

//------------ errors ---------------------------------------------------------

/// The errors this program sends ([MS-OXDSCLI] 2.2.4.1.1.3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ErrorCode {
    /// 500
    AddressNotFound,
    /// 600
    InvalidRequest,
    /// 601
    SchemaNotAvailable,
}

/// A number for the server; clients only display it.
const SERVER_ID: &str = "1";

fn error(code: ErrorCode) -> Response {
    let (number, message) = match code {
        ErrorCode::AddressNotFound => ("500", "The e-mail address cannot be found."),
        ErrorCode::InvalidRequest => ("600", "Invalid Request"),
        ErrorCode::SchemaNotAvailable => ("601", "Requested schema version not supported"),
    };
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The Response element of an error is in the namespace of the root.
    answer(RESPONSE_NAMESPACE, |xml| {
        xml.element("Error", &[("Time", &time_of_day(since_epoch)), ("Id", SERVER_ID)], |xml| {
            xml.text("ErrorCode", number);
            xml.text("Message", message);
            xml.empty("DebugData");
        });
    })
}

/// UTC as `HH:MM:SS.fffffff`.
fn time_of_day(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{:07}", since_epoch.subsec_nanos() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_seven_digits_of_a_second() {
        assert_eq!(time_of_day(Duration::new(86_399, 1_234_500)), "23:59:59.0012345");
    }
}
