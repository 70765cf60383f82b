//! Thunderbird's autoconfig (`config-v1.1.xml`), which most free mail clients read.
//!
//! Rules: draft-ietf-mailmaint-autoconfig-06 and draft-bucksch-autoconfig-00 (format 1.1), but the
//! parsers in use have precedence; docs/protocols.md lists them. The document never contains the
//! address: the login is a template that the client fills in, unless the mailbox has a login of its
//! own. Refuses an `emailaddress` that is not an address; the parameter is optional.

use super::{address_parameter, not_ours};
use crate::account::{
    Account, Auth, MailServer, OAuth2, OWN_LOGIN, Pop3Options, Protocol, Security, ServiceKind,
    Subject, WebService,
};
use crate::address::Domain;
use crate::form::Form;
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::Request;
use crate::response::Response;
use crate::xml;

/// The configuration of the domain in the path, or of an address's domain or the Host's.
struct Configuration<const IS_IN_PATH: bool>;

impl<const IS_IN_PATH: bool> Document for Configuration<IS_IN_PATH> {
    fn name(&self) -> &'static str {
        "autoconfig"
    }

    fn decided_by(&self) -> DecidedBy {
        match IS_IN_PATH {
            true => DecidedBy::Host,
            // seen: Thunderbird requests autoconfig.<domain of the MX host> with the user's own
            // address.
            false => DecidedBy::AddressElseHost,
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn names_login(&self) -> bool {
        true
    }

    fn write(&self, account: &Account) -> Written {
        let document = write(account);
        match account.login {
            Some(_) => Written::ForMailbox(Form::new(document, &[OWN_LOGIN], Box::new(own_login))),
            None => Written::ForDomain(Form::whole(document)),
        }
    }

    fn not_found(&self) -> Response {
        not_ours()
    }
}

/// Reads the question. The address is optional: TB Android, KMail, Geary and others send none.
pub fn read<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    let address = address_parameter(request, "emailaddress")?;
    Ok(Question::new(Configuration::<false>, address, request.host.clone()))
}

/// Reads the question in the form of Mozilla's database: the domain is in the path.
pub fn read_database_form<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    let name = request.path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let domain = std::str::from_utf8(name).ok().and_then(|name| Domain::parse(name).ok());
    match domain {
        Some(domain) => Ok(Question::new(Configuration::<true>, None, Some(domain))),
        None => Err(not_ours()),
    }
}

fn own_login(subject: &Subject) -> Option<Vec<String>> {
    Some(vec![xml::escaped(subject.mailbox?.login?.as_str()).into_owned()])
}

fn write(account: &Account) -> Response {
    let mut document = xml::Writer::new();
    document.element("clientConfig", &[("version", "1.1")], |xml| {
        xml.element("emailProvider", &[("id", account.domain.as_str())], |xml| {
            xml.text("domain", account.domain.as_str());
            // seen: Mustang and Sailfish require that the domain they looked up is listed.
            if let Some(domain) =
                account.host_domain.as_ref().filter(|host| **host != account.domain)
            {
                xml.text("domain", domain.as_str());
            }
            xml.text("displayName", &account.provider.name);
            xml.text("displayShortName", &account.provider.short_name);
            for server in &account.servers {
                write_mail_server(xml, server, account);
            }
            for page in &account.provider.documentation {
                xml.element("documentation", &[("url", page.url.as_str())], |xml| {
                    for (language, title) in &page.title {
                        xml.text_in("descr", &[("lang", language)], title);
                    }
                });
            }
        });
        // Services other than mail servers are at the root, where clients that do not support them
        // ignore them.
        for (kind, element, name) in [
            (ServiceKind::CardDav, "addressbook", "carddav"),
            (ServiceKind::CalDav, "calendar", "caldav"),
            (ServiceKind::WebDav, "fileShare", "webdav"),
        ] {
            if let Some(service) = account.service(kind) {
                xml.element(element, &[("type", name)], |xml| write_service(xml, service));
            }
        }
        for server in
            account.servers.iter().filter(|server| server.protocol == Protocol::ManageSieve)
        {
            xml.element("setupServer", &[("type", "managesieve")], |xml| write_server(xml, server));
        }
        if let Some(oauth2) = &account.oauth2 {
            xml.element("oAuth2", &[], |xml| write_oauth2(xml, oauth2));
        }
        if let Some(url) = &account.provider.webmail {
            xml.element("webMail", &[], |xml| {
                xml.empty_with("loginPage", &[("url", url.as_str())])
            });
        }
    });
    // seen: Thunderbird parses only responses with this type at the start of the field, in lower
    // case.
    Response::document("text/xml; charset=utf-8", document.finish())
}

/// Writes the elements of the mail account itself: the servers, with JMAP after POP3.
fn write_mail_server(xml: &mut xml::Writer, server: &MailServer, account: &Account) {
    let (element, kind) = match server.protocol {
        Protocol::Imap => ("incomingServer", "imap"),
        Protocol::Pop3 => ("incomingServer", "pop3"),
        Protocol::Smtp => ("outgoingServer", "smtp"),
        Protocol::ManageSieve => return,
    };
    // seen: Geary requires IMAP first, and an incoming server before the outgoing one.
    if let (Protocol::Smtp, Some(jmap)) = (server.protocol, account.service(ServiceKind::Jmap)) {
        xml.element("incomingServer", &[("type", "jmap")], |xml| write_service(xml, jmap));
    }
    let alternatives =
        account.alternatives.iter().filter(|alternative| alternative.protocol == server.protocol);
    for server in [server].into_iter().chain(alternatives) {
        // seen: Evolution refuses the document for any other attribute here.
        xml.element(element, &[("type", kind)], |xml| {
            write_server(xml, server);
            if server.protocol == Protocol::Pop3 && account.pop3 != Pop3Options::default() {
                xml.element("pop3", &[], |xml| write_pop3_options(xml, account.pop3));
            }
        });
    }
}

fn write_server(xml: &mut xml::Writer, server: &MailServer) {
    xml.text("hostname", server.host.as_str());
    xml.text("port", &server.port.to_string());
    xml.text(
        "socketType",
        match server.security {
            Security::Tls => "SSL",
            Security::StartTls => "STARTTLS",
            Security::Plain => "plain",
        },
    );
    // One method by default: Thunderbird uses the first that it supports, Evolution the last.
    for method in server.auth.iter() {
        xml.text(
            "authentication",
            match method {
                Auth::Password => "password-cleartext",
                Auth::CramMd5 => "password-encrypted",
                Auth::Ntlm => "NTLM",
                Auth::OAuth2 => "OAuth2",
                Auth::None => "none",
            },
        );
    }
    xml.text("username", server.login.template());
}

fn write_pop3_options(xml: &mut xml::Writer, options: Pop3Options) {
    let mut flag = |name, value: Option<bool>| {
        if let Some(value) = value {
            xml.text(name, if value { "true" } else { "false" });
        }
    };
    flag("leaveMessagesOnServer", options.leave_on_server);
    flag("downloadOnBiff", options.fetch_at_once);
    if let Some(days) = options.days_on_server {
        xml.text("daysToLeaveMessagesOnServer", &days.to_string());
    }
}

fn write_service(xml: &mut xml::Writer, service: &WebService) {
    xml.text("url", service.url.as_str());
    xml.text_in("authentication", &[("system", "http")], "Basic");
    xml.text("username", service.login.template());
}

fn write_oauth2(xml: &mut xml::Writer, oauth2: &OAuth2) {
    xml.text("issuer", &oauth2.issuer);
    xml.text("scope", &oauth2.scope);
    xml.text("authURL", oauth2.authorization_url.as_str());
    xml.text("tokenURL", oauth2.token_url.as_str());
    xml.text("clientID", &oauth2.client_id);
    if let Some(client_secret) = &oauth2.client_secret {
        xml.text("clientSecret", client_secret);
    }
}
