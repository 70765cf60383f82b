//! Autodiscover's "plain old XML", requested by Outlook and many others.
//!
//! A POST with an address gets the settings of that mailbox, or an error document inside a 200
//! ([MS-OXDSCLI] 2.2.4). A GET is not a request of the protocol, but Delta Chat, MyMail and Spike
//! send it and expect settings: they get those of the Host, without a login. Authentication is
//! never required, and only the checked address of the request is repeated.

use super::super::not_ours;
use super::{ErrorCode, answer, error, mobilesync, new_address};
use crate::account::{
    Account, Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, MailServer, Mailbox, OWN_LOGIN, OwnLogin,
    Protocol, Redirect, Security, ServiceKind, Subject, WebService,
};
use crate::address::{Domain, EmailAddress};
use crate::form::Form;
use crate::paths;
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::{Method, Request, parse_host};
use crate::response::Response;
use crate::xml;
use percent_encoding::percent_decode_str;

/// Namespace of a Response with settings.
const OUTLOOK_NAMESPACE: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
/// The schemas a client may accept to get settings; the second is the older spelling.
const OUTLOOK_SCHEMAS: [&str; 2] = [
    OUTLOOK_NAMESPACE,
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006",
];

const NAME: &str = "autodiscover";

/// The settings of one mailbox, requested by POST.
struct OfAMailbox<'a> {
    /// Where the request was sent: its host and its paths, before and after rewrites.
    host: Option<&'a Domain>,
    path: &'a [u8],
    rewritten: [&'a [u8]; 2],
}

/// The settings of a domain, requested by GET.
struct OfADomain;

impl Document for OfAMailbox<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Address
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn names_login(&self) -> bool {
        true
    }

    fn write(&self, account: &Account) -> Written {
        match &account.address {
            Some(address) => self.write_for(account, address),
            None => Written::ForRequest(self.not_found()),
        }
    }

    fn not_found(&self) -> Response {
        error(ErrorCode::AddressNotFound)
    }
}

impl Document for OfADomain {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Host
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn write(&self, account: &Account) -> Written {
        match account.takes_passwords() {
            true => Written::ForDomain(Form::whole(settings(account, None))),
            false => Written::ForRequest(self.not_found()),
        }
    }

    fn not_found(&self) -> Response {
        // Not a 200 with an error document: Delta Chat would stop its search.
        not_ours()
    }
}

/// Reads the question; the response to a POST without one is an error document.
pub fn read<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    let host = request.host.clone();
    let Method::Post = request.method else { return Ok(Question::new(OfADomain, None, host)) };
    let (schema, address) = read_body(&request.body).map_err(error)?;
    let address = Some(address);
    Ok(match schema {
        Schema::Outlook => {
            let Request { path, rewritten, .. } = request;
            let document = OfAMailbox { host: request.host.as_ref(), path, rewritten: *rewritten };
            Question::new(document, address, host)
        }
        Schema::MobileSync => Question::new(mobilesync::OfAMailbox, address, host),
    })
}

/// The schemas of responses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Schema {
    Outlook,
    MobileSync,
}

/// Reads the address and the accepted schema, with any prefix and order of elements.
fn read_body(body: &[u8]) -> Result<(Schema, EmailAddress), ErrorCode> {
    let document = xml::read(body).map_err(|_| ErrorCode::InvalidRequest)?;
    let texts = |name: &'static str| {
        document
            .leaves
            .iter()
            .filter(move |(found, text)| found == name && !text.is_empty())
            .map(|(_, text)| text.as_str())
    };
    // A LegacyDN beside the address would have precedence (3.2.5), but only Exchange can resolve
    // it.
    let address = texts("EMailAddress")
        .next()
        .and_then(|text| EmailAddress::parse(text.as_bytes()).ok())
        .ok_or(ErrorCode::InvalidRequest)?;
    let accepts = |schema: &str| texts("AcceptableResponseSchema").any(|text| text == schema);
    let says_nothing = texts("AcceptableResponseSchema").next().is_none();
    let is_mobilesync = document.namespace == mobilesync::REQUEST_NAMESPACE;
    if OUTLOOK_SCHEMAS.into_iter().any(accepts) || says_nothing && !is_mobilesync {
        Ok((Schema::Outlook, address))
    } else if accepts(mobilesync::NAMESPACE) || says_nothing {
        Ok((Schema::MobileSync, address))
    } else {
        Err(ErrorCode::SchemaNotAvailable)
    }
}

//------------ settings -------------------------------------------------------

impl OfAMailbox<'_> {
    fn write_for(&self, account: &Account, address: &EmailAddress) -> Written {
        if let Some(new) = new_address(account) {
            let to = |xml: &mut xml::Writer| xml.text("RedirectAddr", &new.to_string());
            return Written::ForRequest(redirect(address, "redirectAddr", to));
        }
        // No redirect for a client that requests that URL already: one host may have the settings
        // of many domains, including its own redirects.
        if let Some(Redirect::Url(url)) = account.moved.as_ref().filter(|to| !self.is_sent_to(to)) {
            let to = |xml: &mut xml::Writer| xml.text("RedirectUrl", url.as_str());
            return Written::ForRequest(redirect(address, "redirectUrl", to));
        }
        // seen: Thunderbird finds no usable method in autoconfig if servers accept tokens only. It
        // then sends a request here, and sends the password to the servers in the response. The
        // format cannot express OAuth2 ([MS-OXDSCLI] 2.2.4.1.1.2.6).
        if !account.takes_passwords() {
            return Written::ForRequest(self.not_found());
        }
        let name = format!("{EMAIL_LOCAL_PART}@{}", address.domain().for_people());
        let fill = |subject: &Subject| {
            let Mailbox { address, login } = subject.mailbox?;
            let whole = [address.local_part(), "@", address.domain().as_str()].concat();
            let texts = [whole.as_str(), address.local_part(), login.map_or("", OwnLogin::as_str)];
            Some(texts.map(|text| xml::escaped(text).into_owned()).into())
        };
        let settings = settings(account, Some(&name));
        let markers = [EMAIL_ADDRESS, EMAIL_LOCAL_PART, OWN_LOGIN];
        let form = Form::new(settings, &markers, Box::new(fill));
        // Other mailboxes are redirected.
        match account.moved.as_ref().and_then(|_| form.fill_in(&account.subject())) {
            Some(response) => Written::ForRequest(response),
            None => Written::ForMailbox(form),
        }
    }

    /// True if a redirect, in any spelling, leads to the URL of the request.
    ///
    /// The port is ignored, since web servers do not always pass it on, and so is the query, which
    /// is not used here. Two hosts that are both not domain names are taken for the same.
    fn is_sent_to(&self, redirect: &Redirect) -> bool {
        let Redirect::Url(url) = redirect else { return false };
        let path = percent_decode_str(url.path()).collect::<Vec<_>>();
        let path = segments(&path);
        let is_path = |asked: &[u8]| segments(asked) == path;
        // The client does not see rewrites: its own path also leads here.
        parse_host(url.host().as_str().as_bytes()).as_ref() == self.host
            && (is_path(self.path) || is_path(&self.rewritten.concat()))
    }
}

/// A response with a redirect.
fn redirect(address: &EmailAddress, action: &str, to: impl FnOnce(&mut xml::Writer)) -> Response {
    answer(OUTLOOK_NAMESPACE, |xml| {
        write_user(xml, &address.for_people());
        write_redirect(xml, action, to);
    })
}

fn write_redirect(xml: &mut xml::Writer, action: &str, to: impl FnOnce(&mut xml::Writer)) {
    xml.element("Account", &[], |xml| {
        xml.text("AccountType", "email");
        xml.text("Action", action);
        to(xml);
    });
}

/// The file that Outlook reads in place of a response if PreferLocalXML is set: a redirect to the
/// Autodiscover URL of `host`.
///
/// Outlook has one such file for a domain. It has no settings, because a login in it would be that
/// of one mailbox, and without one Outlook takes the part before the @. The response at the URL has
/// the login of each mailbox.
pub fn local_file(host: &Domain) -> Response {
    let url = format!("https://{host}{}", paths::AUTODISCOVER.text);
    let to = |xml: &mut xml::Writer| xml.text("RedirectUrl", &url);
    answer(OUTLOOK_NAMESPACE, |xml| write_redirect(xml, "redirectUrl", to))
}

/// The settings of the mailbox with this display name, with the placeholders of its logins left
/// open; without a name, those of a domain, without logins.
fn settings(account: &Account, name: Option<&str>) -> Response {
    answer(OUTLOOK_NAMESPACE, |xml| {
        // "MUST return a User element" ([MS-OXDSCLI] 3.2.5); without an address there is no user.
        if let Some(name) = name {
            write_user(xml, name);
        }
        xml.element("Account", &[], |xml| {
            xml.text("AccountType", "email");
            xml.text("Action", "settings");
            write_protocols(xml, account, name.is_some());
        });
    })
}

fn write_user(xml: &mut xml::Writer, name: &str) {
    xml.element("User", &[], |xml| xml.text("DisplayName", name));
}

/// The segments of a decoded path in lower case, without empty ones and dots (RFC 3986 §5.2.4).
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

fn write_protocols(xml: &mut xml::Writer, account: &Account, has_login: bool) {
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
            write_server(xml, server, has_login);
        });
    }
    if account.dav_in_autodiscover {
        for (kind, name) in [(ServiceKind::CalDav, "CalDAV"), (ServiceKind::CardDav, "CardDAV")] {
            if let Some(service) = account.service(kind) {
                xml.element("Protocol", &[], |xml| {
                    xml.text("Type", name);
                    write_service(xml, service, has_login);
                });
            }
        }
    }
}

/// Writes the children of a Protocol after its Type, for a Type that Microsoft's documents do not
/// define: the form that is in use for eM Client.
fn write_service(xml: &mut xml::Writer, service: &WebService, has_login: bool) {
    xml.text("Server", service.url.as_str());
    xml.text("DomainRequired", "off");
    if has_login {
        xml.text("LoginName", service.login.template());
    }
}

/// Writes the children of a Protocol ([MS-OXDSCLI] 2.2.4.1.1.2.6) after its Type.
fn write_server(xml: &mut xml::Writer, server: &MailServer, has_login: bool) {
    let on_off = |on| if on { "on" } else { "off" };
    let auth = server.auth.without_token();
    xml.text("Server", server.host.as_str());
    xml.text("Port", &server.port.to_string());
    xml.text("DomainRequired", "off");
    if has_login {
        xml.text("LoginName", server.login.template());
    }
    // The default is on, which means NTLM.
    xml.text("SPA", on_off(auth == Some(Auth::Ntlm)));
    // seen: Thunderbird and Delta Chat treat `off` as plain text, whatever the value of Encryption.
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

    /// The schema requested in the namespace of `form` with these elements.
    fn body(form: &str, content: &str) -> Result<Schema, ErrorCode> {
        let namespace = format!("{SCHEMAS}/{form}/requestschema/2006");
        let document = format!(
            "<Autodiscover xmlns='{namespace}'><Request>{content}</Request></Autodiscover>"
        );
        let (schema, address) = read_body(document.as_bytes())?;
        assert_eq!(address.to_string(), "ann@example.org");
        Ok(schema)
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
            assert_eq!(ask(form, &[newer]), Ok(Schema::Outlook), "{form}");
            assert_eq!(ask(form, &[older]), Ok(Schema::Outlook), "{form}");
            assert_eq!(ask(form, &[mobilesync]), Ok(Schema::MobileSync), "{form}");
            assert_eq!(ask(form, &[mobilesync, newer]), Ok(Schema::Outlook), "{form}");
            assert_eq!(ask(form, &["other", mobilesync]), Ok(Schema::MobileSync), "{form}");
            assert_eq!(ask(form, &["other"]), Err(ErrorCode::SchemaNotAvailable), "{form}");
        }
        assert_eq!(ask("outlook", &[]), Ok(Schema::Outlook));
        assert_eq!(ask("other", &[]), Ok(Schema::Outlook));
        assert_eq!(ask("mobilesync", &[]), Ok(Schema::MobileSync));
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
