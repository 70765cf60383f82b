//! Apple's configuration profile (`.mobileconfig`) for iPhone, iPad and Mac.
//!
//! Rules: Apple's machine-readable schema (apple/device-management, `mdm/profiles`). Nothing asks
//! for this by itself: a person opens a link. Without an address in the link the profile is for the
//! Host's domain, and the device asks for address and user name. A profile never holds a password,
//! and every identifier is derived from the address, so that a second download updates the account
//! instead of adding another and two mailboxes never replace each other.

use super::{address_parameter, not_ours};
use crate::account::{Account, Auth, Protocol, Security, Server};
use crate::address::EmailAddress;
use crate::question::{DecidedBy, Document, Question};
use crate::request::Request;
use crate::response::{Response, Status};
use crate::xml;
use serde::Serialize;
use uuid::Uuid;

/// The profile of one mailbox.
static PROFILE: Document =
    Document { decided_by: DecidedBy::Address, signed: true, write, unknown: not_ours };

/// The profile of a domain, for any of its mailboxes.
static GENERIC_PROFILE: Document =
    Document { decided_by: DecidedBy::Host, signed: true, write, unknown: not_ours };

/// Names of the query parameter that holds the address: ours, and the one Plesk made known.
const PARAMETERS: [&str; 2] = ["emailaddress", "email"];

/// Reads the question.
pub fn read(request: &Request) -> Result<Question, Response> {
    let mut question =
        Question { document: &GENERIC_PROFILE, address: None, host: request.host.clone() };
    for name in PARAMETERS {
        if let Some(address) = address_parameter(request, name)? {
            question.document = &PROFILE;
            question.address = Some(address);
            break;
        }
    }
    Ok(question)
}

fn write(account: &Account, request: &Request) -> Response {
    let (Some(incoming), Some(outgoing)) = (account.incoming(), account.outgoing()) else {
        return not_ours(request);
    };
    let profile = profile(account, incoming, outgoing);
    let Ok(document) = xml::property_list(&profile) else {
        return Response::text(Status::InternalServerError, "the profile could not be written");
    };
    let file_name = format!("attachment; filename=\"{}.mobileconfig\"", account.domain);
    Response::document("application/x-apple-aspen-config", document)
        .with("Content-Disposition", file_name)
}

/// Root of all identifiers; never to be changed, or every profile in the field turns into another.
const IDENTIFIER_ROOT: Uuid = Uuid::from_u128(0x4d8b_2f6c_71a3_5e09_9c54_0e6b_d21f_8a37);

fn profile(account: &Account, incoming: &Server, outgoing: &Server) -> Profile {
    let provider = &account.provider;
    let address = account.address.as_ref();
    let (whose, of_whom) = match address {
        Some(address) => (address.to_string(), address.folded()),
        None => (account.domain.to_string(), account.domain.to_string()),
    };
    let mailbox = Uuid::new_v5(&IDENTIFIER_ROOT, of_whom.as_bytes());
    let identifier = format!("{}.{}", provider.identifier, mailbox.simple());
    let uuid = |part: &str| {
        let name = format!("{identifier}.{part}");
        Uuid::new_v5(&IDENTIFIER_ROOT, name.as_bytes()).hyphenated().to_string().to_uppercase()
    };
    Profile {
        payload_type: "Configuration",
        payload_version: 1,
        payload_uuid: uuid("profile"),
        payload_display_name: format!("{} ({whose})", provider.name),
        payload_description: format!(
            "Sets up mail for {whose}. The password is asked while it is installed."
        ),
        payload_organization: provider.name.clone(),
        payload_content: vec![MailPayload {
            payload_type: "com.apple.mail.managed",
            payload_version: 1,
            payload_identifier: format!("{identifier}.mail"),
            payload_uuid: uuid("mail"),
            payload_display_name: format!("Mail ({whose})"),
            account_type: match incoming.protocol {
                Protocol::Pop3 => "EmailTypePOP",
                Protocol::Imap | Protocol::Smtp | Protocol::ManageSieve => "EmailTypeIMAP",
            },
            account_description: provider.name.clone(),
            address: address.map(EmailAddress::to_string),
            incoming_host: incoming.host.clone(),
            incoming_port: incoming.port.get(),
            incoming_use_ssl: incoming.security != Security::Plain,
            incoming_authentication: authentication(incoming.auth),
            incoming_username: address.map(|address| incoming.login.of(address)),
            outgoing_host: outgoing.host.clone(),
            outgoing_port: outgoing.port.get(),
            outgoing_use_ssl: outgoing.security != Security::Plain,
            outgoing_authentication: authentication(outgoing.auth),
            outgoing_username: address.map(|address| outgoing.login.of(address)),
            same_password: true,
        }],
        payload_identifier: identifier,
    }
}

fn authentication(auth: Auth) -> &'static str {
    match auth {
        Auth::Password => "EmailAuthPassword",
        Auth::CramMd5 => "EmailAuthCRAMMD5",
        Auth::Ntlm => "EmailAuthNTLM",
        Auth::None => "EmailAuthNone",
    }
}

//------------ Profile --------------------------------------------------------

/// `TopLevel.yaml`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    payload_content: Vec<MailPayload>,
    payload_description: String,
    payload_display_name: String,
    payload_identifier: String,
    payload_organization: String,
    payload_type: &'static str,
    #[serde(rename = "PayloadUUID")]
    payload_uuid: String,
    payload_version: u32,
}

/// `com.apple.mail.managed.yaml`. Numbers and booleans are always written: the port left out is
/// guessed, and UseSSL left out is false.
#[derive(Serialize)]
struct MailPayload {
    #[serde(rename = "EmailAccountDescription")]
    account_description: String,
    #[serde(rename = "EmailAccountType")]
    account_type: &'static str,
    #[serde(rename = "EmailAddress", skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(rename = "IncomingMailServerAuthentication")]
    incoming_authentication: &'static str,
    #[serde(rename = "IncomingMailServerHostName")]
    incoming_host: String,
    #[serde(rename = "IncomingMailServerPortNumber")]
    incoming_port: u16,
    #[serde(rename = "IncomingMailServerUseSSL")]
    incoming_use_ssl: bool,
    #[serde(rename = "IncomingMailServerUsername", skip_serializing_if = "Option::is_none")]
    incoming_username: Option<String>,
    #[serde(rename = "OutgoingMailServerAuthentication")]
    outgoing_authentication: &'static str,
    #[serde(rename = "OutgoingMailServerHostName")]
    outgoing_host: String,
    #[serde(rename = "OutgoingMailServerPortNumber")]
    outgoing_port: u16,
    #[serde(rename = "OutgoingMailServerUseSSL")]
    outgoing_use_ssl: bool,
    #[serde(rename = "OutgoingMailServerUsername", skip_serializing_if = "Option::is_none")]
    outgoing_username: Option<String>,
    #[serde(rename = "OutgoingPasswordSameAsIncomingPassword")]
    same_password: bool,
    #[serde(rename = "PayloadDisplayName")]
    payload_display_name: String,
    #[serde(rename = "PayloadIdentifier")]
    payload_identifier: String,
    #[serde(rename = "PayloadType")]
    payload_type: &'static str,
    #[serde(rename = "PayloadUUID")]
    payload_uuid: String,
    #[serde(rename = "PayloadVersion")]
    payload_version: u32,
}
