//! Autodiscover's "plain old XML", asked by Outlook and many others.
//!
//! A POST with an address gets the settings of that mailbox, or an error document inside a 200
//! ([MS-OXDSCLI] 2.2.4). A GET is no request of the protocol, yet Delta Chat, MyMail and Spike
//! send it and want settings: they get those of the Host, without a login. Nobody is ever asked
//! to log in, and nothing of the request is reflected but the checked address.

use super::super::not_ours;
use crate::account::{Account, Auth, Protocol, Security, Server};
use crate::address::EmailAddress;
use crate::question::{DecidedBy, Document, Question};
use crate::request::{Method, Request};
use crate::response::Response;
use crate::xml;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Namespace of the root element, and of a Response that holds an error.
const RESPONSE_NAMESPACE: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
/// Namespace of a Response that holds settings.
const OUTLOOK_NAMESPACE: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
/// The schemas a client may accept and get settings for; the second is the older spelling.
const OUTLOOK_SCHEMAS: [&str; 2] = [
    OUTLOOK_NAMESPACE,
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006",
];

/// The settings of one mailbox, asked for by POST.
static MAILBOX_SETTINGS: Document = Document {
    decided_by: DecidedBy::Address,
    signed: false,
    write,
    unknown: |_| error(ErrorCode::AddressNotFound),
};

/// The settings of a domain, asked for by GET.
static DOMAIN_SETTINGS: Document = Document {
    decided_by: DecidedBy::Host,
    signed: false,
    write,
    // Never a 200 with an error document: Delta Chat would stop searching.
    unknown: not_ours,
};

/// Reads the question; an error document is the answer to a POST that asks none.
pub fn read(request: &Request) -> Result<Question, Response> {
    let host = request.host.clone();
    match request.method {
        Method::Post => Ok(Question {
            document: &MAILBOX_SETTINGS,
            address: Some(read_body(&request.body).map_err(error)?),
            host,
        }),
        _ => Ok(Question { document: &DOMAIN_SETTINGS, address: None, host }),
    }
}

/// Reads the address from a request document, in any prefix and order of elements.
fn read_body(body: &[u8]) -> Result<EmailAddress, ErrorCode> {
    let elements = xml::elements(body).map_err(|_| ErrorCode::InvalidRequest)?;
    let texts = |name: &'static str| {
        elements
            .iter()
            .filter(move |(found, text)| found == name && !text.is_empty())
            .map(|(_, text)| text.as_str())
    };
    // A LegacyDN beside the address would count for more (3.2.5), but only Exchange knows it.
    let address = texts("EMailAddress")
        .next()
        .and_then(|text| EmailAddress::parse(text.as_bytes()).ok())
        .ok_or(ErrorCode::InvalidRequest)?;
    let mut schemas = texts("AcceptableResponseSchema").peekable();
    match schemas.peek().is_none() || schemas.any(|schema| OUTLOOK_SCHEMAS.contains(&schema)) {
        true => Ok(address),
        false => Err(ErrorCode::SchemaNotAvailable),
    }
}

//------------ settings -------------------------------------------------------

fn write(account: &Account, _: &Request) -> Response {
    respond(OUTLOOK_NAMESPACE, |xml| {
        // "MUST return a User element" ([MS-OXDSCLI] 3.2.5); without an address there is no user.
        if let Some(address) = &account.address {
            xml.element("User", &[], |xml| xml.text("DisplayName", &address.to_string()));
        }
        xml.element("Account", &[], |xml| {
            xml.text("AccountType", "email");
            xml.text("Action", "settings");
            for server in &account.servers {
                // seen: Thunderbird drops a Protocol whose Type is in lower case.
                let kind = match server.protocol {
                    Protocol::Imap => "IMAP",
                    Protocol::Pop3 => "POP3",
                    Protocol::Smtp => "SMTP",
                    Protocol::ManageSieve => continue,
                };
                xml.element("Protocol", &[], |xml| {
                    xml.text("Type", kind);
                    write_server(xml, server, account.address.as_ref());
                });
            }
        });
    })
}

/// Writes the children of a Protocol ([MS-OXDSCLI] 2.2.4.1.1.2.6) behind its Type.
fn write_server(xml: &mut xml::Writer, server: &Server, address: Option<&EmailAddress>) {
    let on_off = |on| if on { "on" } else { "off" };
    xml.text("Server", &server.host);
    xml.text("Port", &server.port.to_string());
    xml.text("DomainRequired", "off");
    if let Some(address) = address {
        xml.text("LoginName", &server.login.of(address));
    }
    // Left out, it would count as on, which is NTLM.
    xml.text("SPA", on_off(server.auth == Auth::Ntlm));
    // seen: Thunderbird and Delta Chat take `off` for plain text whatever Encryption says.
    xml.text("SSL", on_off(server.security != Security::Plain));
    xml.text(
        "Encryption",
        match server.security {
            Security::Tls => "SSL",
            Security::StartTls => "TLS",
            Security::Plain => "None",
        },
    );
    xml.text("AuthRequired", on_off(server.auth != Auth::None));
    if server.protocol == Protocol::Smtp {
        xml.text("UsePOPAuth", "off");
        xml.text("SMTPLast", "off");
    }
}

//------------ errors ---------------------------------------------------------

/// The errors this program tells ([MS-OXDSCLI] 2.2.4.1.1.3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ErrorCode {
    /// 500
    AddressNotFound,
    /// 600
    InvalidRequest,
    /// 601
    SchemaNotAvailable,
}

/// A number for the server; clients only show it.
const SERVER_ID: &str = "1";

fn error(code: ErrorCode) -> Response {
    let (number, message) = match code {
        ErrorCode::AddressNotFound => ("500", "The e-mail address cannot be found."),
        ErrorCode::InvalidRequest => ("600", "Invalid Request"),
        ErrorCode::SchemaNotAvailable => ("601", "Requested schema version not supported"),
    };
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The Response of an error stays in the namespace of the root.
    respond(RESPONSE_NAMESPACE, |xml| {
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

/// An answer with `content` inside its Response, which is in `namespace`.
fn respond(namespace: &str, content: impl FnOnce(&mut xml::Writer)) -> Response {
    let mut document = xml::Writer::new();
    document.element("Autodiscover", &[("xmlns", RESPONSE_NAMESPACE)], |xml| {
        let inherited = namespace == RESPONSE_NAMESPACE;
        let attributes: &[_] = if inherited { &[] } else { &[("xmlns", namespace)] };
        xml.element("Response", attributes, content);
    });
    Response::document("text/xml; charset=utf-8", document.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(content: &str) -> Result<String, ErrorCode> {
        let document = format!("<Autodiscover><Request>{content}</Request></Autodiscover>");
        read_body(document.as_bytes()).map(|address| address.to_string())
    }

    #[test]
    fn schema_decides_between_settings_and_601() {
        let address = "<EMailAddress>ann@example.org</EMailAddress>";
        let schema = |name: &str| {
            body(&format!(
                "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/{name}\
                 </AcceptableResponseSchema>{address}"
            ))
        };
        let ann = Ok("ann@example.org".to_owned());
        assert_eq!(body(address), ann);
        assert_eq!(schema("outlook/responseschema/2006a"), ann);
        assert_eq!(schema("outlook/responseschema/2006"), ann);
        assert_eq!(schema("mobilesync/responseschema/2006"), Err(ErrorCode::SchemaNotAvailable));
        assert_eq!(schema("other"), Err(ErrorCode::SchemaNotAvailable));
    }

    #[test]
    fn no_address_is_an_invalid_request() {
        for content in
            ["", "<EMailAddress/>", "<EMailAddress>ann</EMailAddress>", "<LegacyDN>/o=x</LegacyDN>"]
        {
            assert_eq!(body(content), Err(ErrorCode::InvalidRequest), "{content}");
        }
        assert_eq!(read_body(b""), Err(ErrorCode::InvalidRequest));
    }

    #[test]
    fn time_has_seven_digits_of_a_second() {
        assert_eq!(time_of_day(Duration::new(86_399, 1_234_500)), "23:59:59.0012345");
    }
}
