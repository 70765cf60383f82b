//! Autodiscover's "plain old XML", asked by Outlook and many others.
//!
//! A POST with an address gets the settings of that mailbox, or an error document inside a 200
//! ([MS-OXDSCLI] 2.2.4). A GET is no request of the protocol, yet Delta Chat, MyMail and Spike
//! send it and want settings: they get those of the Host, without a login. Nobody is ever asked
//! to log in, and nothing of the request is reflected but the checked address.

use super::super::not_ours;
use super::{ErrorCode, answer, error, mobilesync, new_address};
use crate::account::{
    Account, Auth, EMAIL_LOCAL_PART, Login, MailServer, Protocol, Redirect, Security, ServiceKind,
    WebService,
};
use crate::address::EmailAddress;
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::{Method, Request, parse_host};
use crate::response::Response;
use crate::xml;
use percent_encoding::percent_decode_str;

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
        Method::Post => {
            let (document, address) = read_body(&request.body).map_err(error)?;
            Ok(Question { document, address: Some(address), host })
        }
        _ => Ok(Question { document: &DOMAIN_SETTINGS, address: None, host }),
    }
}

/// Reads the address, and which answer is accepted, in any prefix and order of elements.
fn read_body(body: &[u8]) -> Result<(&'static Document, EmailAddress), ErrorCode> {
    let document = xml::read(body).map_err(|_| ErrorCode::InvalidRequest)?;
    let texts = |name: &'static str| {
        document
            .leaves
            .iter()
            .filter(move |(found, text)| found == name && !text.is_empty())
            .map(|(_, text)| text.as_str())
    };
    // A LegacyDN beside the address would count for more (3.2.5), but only Exchange knows it.
    let address = texts("EMailAddress")
        .next()
        .and_then(|text| EmailAddress::parse(text.as_bytes()).ok())
        .ok_or(ErrorCode::InvalidRequest)?;
    let accepts = |schema: &str| texts("AcceptableResponseSchema").any(|text| text == schema);
    let says_nothing = texts("AcceptableResponseSchema").next().is_none();
    let is_mobilesync = document.namespace == mobilesync::REQUEST_NAMESPACE;
    if OUTLOOK_SCHEMAS.into_iter().any(accepts) || says_nothing && !is_mobilesync {
        Ok((&MAILBOX_SETTINGS, address))
    } else if accepts(mobilesync::NAMESPACE) || says_nothing {
        Ok((&mobilesync::SERVER, address))
    } else {
        Err(ErrorCode::SchemaNotAvailable)
    }
}

//------------ settings -------------------------------------------------------

fn write(account: &Account, request: &Request) -> Written {
    if let (Some(address), Some(_)) = (&account.address, &account.moved) {
        let fill = |login: &Login| login.of(address);
        return Written::ForRequest(if let Some(new) = new_address(account) {
            redirect(address, "redirectAddr", |xml| xml.text("RedirectAddr", &new.to_string()))
        } else if let Some(url) = new_url(account, request) {
            redirect(address, "redirectUrl", |xml| xml.text("RedirectUrl", url))
        } else if !account.takes_passwords() {
            no_settings(account, request)
        } else {
            settings(account, Some(&address.for_people()), fill)
        });
    }
    if !account.takes_passwords() {
        return Written::ForRequest(no_settings(account, request));
    }
    // The mailbox is filled in later.
    let name = account
        .address
        .as_ref()
        .map(|address| format!("{EMAIL_LOCAL_PART}@{}", address.domain().for_people()));
    let response = settings(account, name.as_deref(), |login| login.template().to_owned());
    match name {
        Some(_) => Written::ForMailbox(response),
        None => Written::ForDomain(response),
    }
}

/// The answer where nothing can be said: the format has no word for OAuth2
/// ([MS-OXDSCLI] 2.2.4.1.1.2.6).
///
/// seen: Thunderbird, which finds no way in autoconfig where there are tokens only, asks here next,
/// and sends the password to the servers that it gets.
fn no_settings(account: &Account, request: &Request) -> Response {
    match account.address {
        Some(_) => error(ErrorCode::AddressNotFound),
        None => not_ours(request),
    }
}

/// An answer that leads elsewhere.
fn redirect(address: &EmailAddress, action: &str, to: impl FnOnce(&mut xml::Writer)) -> Response {
    answer(OUTLOOK_NAMESPACE, |xml| {
        write_user(xml, &address.for_people());
        xml.element("Account", &[], |xml| {
            xml.text("AccountType", "email");
            xml.text("Action", action);
            to(xml);
        });
    })
}

/// The settings of the mailbox that people know by this name, or without one those of a domain:
/// these hold no login.
fn settings(account: &Account, name: Option<&str>, login: impl Fn(&Login) -> String) -> Response {
    answer(OUTLOOK_NAMESPACE, |xml| {
        // "MUST return a User element" ([MS-OXDSCLI] 3.2.5); without an address there is no user.
        if let Some(name) = name {
            write_user(xml, name);
        }
        let login = |of: &Login| name.map(|_| login(of));
        xml.element("Account", &[], |xml| {
            xml.text("AccountType", "email");
            xml.text("Action", "settings");
            write_protocols(xml, account, &login);
        });
    })
}

fn write_user(xml: &mut xml::Writer, name: &str) {
    xml.element("User", &[], |xml| xml.text("DisplayName", name));
}

/// The URL to ask instead, where the domain's settings are kept at another one.
///
/// None for a client that asks there already: one host may keep the settings of many domains, its own
/// redirects among them. None without an address, since that is not a request of the protocol.
fn new_url<'a>(account: &'a Account, request: &Request) -> Option<&'a str> {
    let (Some(Redirect::Url(url)), Some(_)) = (&account.moved, &account.address) else {
        return None;
    };
    (!is_here(url, request)).then_some(url)
}

/// True if a URL, in whatever spelling, leads to where the request was sent.
///
/// Neither the port counts, which web servers do not always pass on, nor the query, which decides
/// nothing here. A host that is not a domain name is taken for the one that was asked if that is
/// not one either.
fn is_here(url: &str, request: &Request) -> bool {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    let place = &place[..place.find(['?', '#']).unwrap_or(place.len())];
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let path = percent_decode_str(path).collect::<Vec<_>>();
    let path = segments(&path);
    let is_path = |asked: &[u8]| segments(asked) == path;
    // The client does not know of rewrites: its own path leads here as well.
    parse_host(host.as_bytes()) == request.host
        && (is_path(&request.path) || is_path(&request.rewritten.concat()))
}

/// The segments of a decoded path in lower case, without those that stand for nothing: empty ones
/// and dots (RFC 3986 §5.2.4).
fn segments(path: &[u8]) -> Vec<Vec<u8>> {
    let mut segments = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            _ => segments.push(segment.to_ascii_lowercase()),
        }
    }
    segments
}

fn write_protocols(
    xml: &mut xml::Writer,
    account: &Account,
    login: &impl Fn(&Login) -> Option<String>,
) {
    let servers = account.servers.iter().filter(|server| server.auth.without_token().is_some());
    for server in servers {
        // seen: Thunderbird drops a Protocol whose Type is in lower case.
        let kind = match server.protocol {
            Protocol::Imap => "IMAP",
            Protocol::Pop3 => "POP3",
            Protocol::Smtp => "SMTP",
            Protocol::ManageSieve => continue,
        };
        xml.element("Protocol", &[], |xml| {
            xml.text("Type", kind);
            write_server(xml, server, login(&server.login));
        });
    }
    if account.dav_in_autodiscover {
        for (kind, name) in [(ServiceKind::CalDav, "CalDAV"), (ServiceKind::CardDav, "CardDAV")] {
            if let Some(service) = account.service(kind) {
                xml.element("Protocol", &[], |xml| {
                    xml.text("Type", name);
                    write_service(xml, service, login(&service.login));
                });
            }
        }
    }
}

/// Writes the children of a Protocol whose Type no document of Microsoft's knows, behind that Type:
/// the form that is in use for eM Client.
fn write_service(xml: &mut xml::Writer, service: &WebService, login: Option<String>) {
    xml.text("Server", &service.url);
    xml.text("DomainRequired", "off");
    if let Some(login) = login {
        xml.text("LoginName", &login);
    }
}

/// Writes the children of a Protocol ([MS-OXDSCLI] 2.2.4.1.1.2.6) behind its Type.
fn write_server(xml: &mut xml::Writer, server: &MailServer, login: Option<String>) {
    let on_off = |on| if on { "on" } else { "off" };
    let auth = server.auth.without_token();
    xml.text("Server", &server.host);
    xml.text("Port", &server.port.to_string());
    xml.text("DomainRequired", "off");
    if let Some(login) = login {
        xml.text("LoginName", &login);
    }
    // Left out, it would count as on, which is NTLM.
    xml.text("SPA", on_off(auth == Some(Auth::Ntlm)));
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
    xml.text("AuthRequired", on_off(auth != Some(Auth::None)));
    if server.protocol == Protocol::Smtp {
        xml.text("UsePOPAuth", "off");
        xml.text("SMTPLast", "off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMAS: &str = "http://schemas.microsoft.com/exchange/autodiscover";

    /// What is asked by a request in the namespace of `form` with these elements.
    fn body(form: &str, content: &str) -> Result<&'static str, ErrorCode> {
        let namespace = format!("{SCHEMAS}/{form}/requestschema/2006");
        let document = format!(
            "<Autodiscover xmlns='{namespace}'><Request>{content}</Request></Autodiscover>"
        );
        let (document, address) = read_body(document.as_bytes())?;
        assert_eq!(address.to_string(), "ann@example.org");
        Ok(if std::ptr::eq(document, &mobilesync::SERVER) { "mobilesync" } else { "outlook" })
    }

    #[test]
    fn the_schema_decides_and_else_the_namespace() {
        let ask = |form: &str, schemas: &[&str]| {
            let schemas = schemas.iter().map(|name| {
                format!("<AcceptableResponseSchema>{SCHEMAS}/{name} </AcceptableResponseSchema>")
            });
            let address = "<EMailAddress>ann@example.org</EMailAddress>";
            body(form, &(schemas.collect::<String>() + address))
        };
        let (newer, older) = ("outlook/responseschema/2006a", "outlook/responseschema/2006");
        let mobilesync = "mobilesync/responseschema/2006";
        for form in ["outlook", "mobilesync", "other"] {
            assert_eq!(ask(form, &[newer]), Ok("outlook"), "{form}");
            assert_eq!(ask(form, &[older]), Ok("outlook"), "{form}");
            assert_eq!(ask(form, &[mobilesync]), Ok("mobilesync"), "{form}");
            assert_eq!(ask(form, &[mobilesync, newer]), Ok("outlook"), "{form}");
            assert_eq!(ask(form, &["other", mobilesync]), Ok("mobilesync"), "{form}");
            assert_eq!(ask(form, &["other"]), Err(ErrorCode::SchemaNotAvailable), "{form}");
        }
        assert_eq!(ask("outlook", &[]), Ok("outlook"));
        assert_eq!(ask("other", &[]), Ok("outlook"));
        assert_eq!(ask("mobilesync", &[]), Ok("mobilesync"));
    }

    #[test]
    fn no_address_is_an_invalid_request() {
        for content in
            ["", "<EMailAddress/>", "<EMailAddress>ann</EMailAddress>", "<LegacyDN>/o=x</LegacyDN>"]
        {
            assert_eq!(body("outlook", content), Err(ErrorCode::InvalidRequest), "{content}");
        }
        assert_eq!(read_body(b"").err(), Some(ErrorCode::InvalidRequest));
    }
}
