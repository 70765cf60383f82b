//! Thunderbird's autoconfig (`config-v1.1.xml`), which most free mail clients read.
//!
//! Rules: draft-ietf-mailmaint-autoconfig-06 and draft-bucksch-autoconfig-00 (format 1.1), and
//! above both the parsers in use; docs/protocols.md names them. The address never gets into the
//! document: the login is a template that the client fills in. Refuses an `emailaddress` that is
//! no address; answers without one.

use super::{address_parameter, not_ours};
use crate::account::{Account, Auth, Protocol, Security, Server};
use crate::question::{DecidedBy, Document, Question};
use crate::request::Request;
use crate::response::Response;
use crate::xml;

/// The configuration of a domain.
static CONFIGURATION: Document = Document {
    // seen: Thunderbird asks autoconfig.<domain of the MX host> with the user's own address.
    decided_by: DecidedBy::AddressElseHost,
    signed: false,
    write,
    unknown: not_ours,
};

/// Reads the question. The address is optional: TB Android, KMail, Geary and others send none.
pub fn read(request: &Request) -> Result<Question, Response> {
    Ok(Question {
        document: &CONFIGURATION,
        address: address_parameter(request, "emailaddress")?,
        host: request.host.clone(),
    })
}

fn write(account: &Account) -> Response {
    let mut document = xml::Writer::new();
    document.element("clientConfig", &[("version", "1.1")], |xml| {
        xml.element("emailProvider", &[("id", account.domain.as_str())], |xml| {
            xml.text("domain", account.domain.as_str());
            // seen: Mustang and Sailfish want the very domain they looked up to be listed.
            if let Some(domain) = &account.host_domain {
                xml.text("domain", domain.as_str());
            }
            xml.text("displayName", &account.provider.name);
            xml.text("displayShortName", &account.provider.short_name);
            for server in &account.servers {
                write_server(xml, server);
            }
        });
    });
    // seen: Thunderbird parses only what starts with exactly this, in lower case.
    Response::document("text/xml; charset=utf-8", document.finish())
}

fn write_server(xml: &mut xml::Writer, server: &Server) {
    let (element, kind) = match server.protocol {
        Protocol::Imap => ("incomingServer", "imap"),
        Protocol::Pop3 => ("incomingServer", "pop3"),
        Protocol::Smtp => ("outgoingServer", "smtp"),
    };
    // seen: Evolution refuses the document for any other attribute here.
    xml.element(element, &[("type", kind)], |xml| {
        xml.text("hostname", &server.host);
        xml.text("port", &server.port.to_string());
        xml.text(
            "socketType",
            match server.security {
                Security::Tls => "SSL",
                Security::StartTls => "STARTTLS",
                Security::Plain => "plain",
            },
        );
        // Exactly one: Thunderbird takes the first it knows, Evolution the last.
        xml.text(
            "authentication",
            match server.auth {
                Auth::Password => "password-cleartext",
                Auth::CramMd5 => "password-encrypted",
                Auth::Ntlm => "NTLM",
                Auth::None => "none",
            },
        );
        xml.text("username", server.login.template());
    });
}
