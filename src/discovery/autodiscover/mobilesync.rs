//! The response to ActiveSync clients: the URL of their server ([MS-ASCMD] 2.2.1.1).
//!
//! Phones request it for an account of type "Exchange", Outlook for phones and new Outlook for any
//! account. A domain without ActiveSync gets error 601.

use super::{ErrorCode, answer, error, new_address};
use crate::account::{Account, ServiceKind};
use crate::question::{DecidedBy, Document, Written};
use crate::response::Response;

/// Namespace of a request.
pub(super) const REQUEST_NAMESPACE: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006";
/// Namespace of the Response, and the schema a client accepts.
pub(super) const NAMESPACE: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";

/// The ActiveSync server of one mailbox.
pub(super) struct OfAMailbox;

impl Document for OfAMailbox {
    fn name(&self) -> &'static str {
        "mobilesync"
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Address
    }

    fn write(&self, account: &Account) -> Written {
        Written::ForRequest(settings(account))
    }

    fn not_found(&self) -> Response {
        error(ErrorCode::AddressNotFound)
    }
}

fn settings(account: &Account) -> Response {
    let Some(address) = &account.address else { return error(ErrorCode::InvalidRequest) };
    let service = account.service(ServiceKind::ActiveSync);
    let new_address = new_address(account);
    if service.is_none() && new_address.is_none() {
        return error(ErrorCode::SchemaNotAvailable);
    }
    answer(NAMESPACE, |xml| {
        // "language:country"; clients ignore it.
        xml.text("Culture", "en:us");
        xml.element("User", &[], |xml| {
            xml.text("DisplayName", &address.for_people());
            xml.text("EMailAddress", &address.to_string());
        });
        xml.element("Action", &[], |xml| {
            if let Some(new_address) = &new_address {
                xml.text("Redirect", &new_address.to_string());
            } else if let Some(service) = service {
                xml.element("Settings", &[], |xml| {
                    xml.element("Server", &[], |xml| {
                        xml.text("Type", "MobileSync");
                        xml.text("Url", service.url.as_str());
                        // For MobileSync the name repeats the URL.
                        xml.text("Name", service.url.as_str());
                    });
                });
            }
        });
    })
}
