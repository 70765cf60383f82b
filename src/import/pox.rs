//! Reads a response to Autodiscover in XML ("POX"): the settings of a mailbox, a redirect, or where
//! ActiveSync is.
//!
//! Rules: [MS-OXDSCLI] 2.2.4, [MS-ASCMD] 2.2.1.1, and the elements that other servers than Exchange add.
//! What only Exchange has is named. Refuses errors and requests.

use super::part::{
    Carrier, EMAIL_DOMAIN, Part, Said, decoded, described, found, of_type, placeholder, text,
};
use crate::account::{Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security};
use crate::draft::{Draft, Noted, Server, Value};
use crate::ports;
use crate::xml::tree::Element;

/// The beginning of the document.
const START: &str = "<Autodiscover";
/// Elements without a meaning for other clients than Outlook with Exchange, and how long clients keep a
/// response: none of them is missed.
const WITHOUT_LOSS: [&str; 5] =
    ["TTL", "ExpirationDate", "ServerVersion", "LegacyDN", "DeploymentId"];
/// Elements with the value that means the same as none.
const DEFAULTS: [(&str, &str); 6] = [
    ("UsePOPAuth", "off"),
    ("SMTPLast", "off"),
    ("DirectoryPort", "0"),
    ("ReferralPort", "0"),
    ("MicrosoftOnline", "false"),
    ("ConsumerMailbox", "false"),
];

/// True for a file with a response to Autodiscover in it.
pub fn recognises(bytes: &[u8]) -> bool {
    decoded(bytes).is_ok_and(|text| text.contains(START))
}

/// The draft of a file; the error is a message without the name of the file.
pub fn read(source: &str, bytes: &[u8]) -> Result<Draft, String> {
    found(source, &decoded(bytes)?, START, of_part)
}

/// The draft of a document.
pub(super) fn of_part(mut part: Part) -> Result<Draft, String> {
    let root = part.tree()?.root;
    if root.name != "Autodiscover" {
        return Err(format!("the root element is {}, not Autodiscover", root.name));
    }
    let Some(response) = root.first("Response") else {
        let is_request = root.first("Request").is_some();
        return Err(match is_request {
            true => "it is a request, not a response".to_owned(),
            false => "it has no Response".to_owned(),
        });
    };
    if let Some(error) = response.first("Error") {
        let message = error.first("Message").map(text).unwrap_or_default();
        return Err(described("it is an error:", &message));
    }
    let mut carrier = Carrier::new(part.source);
    if let Some((line, address)) = address(response) {
        carrier.address(line, address);
    }
    for other in root.children.iter().filter(|child| child.name != "Response") {
        carrier.unknown(other);
    }
    // A template may have one for each kind of client.
    let responses = root.children.iter().filter(|child| child.name == "Response");
    for child in responses.flat_map(|response| &response.children) {
        match child.name.as_str() {
            "User" => user(&mut carrier, child),
            "Account" => account(&mut carrier, child),
            "Action" => mobilesync(&mut carrier, child),
            "Culture" => {}
            _ => carrier.unknown(child),
        }
    }
    Ok(carrier.finish())
}

/// The address that the response is for; none if it is a placeholder, or not in it.
fn address(response: &Element) -> Option<(usize, String)> {
    let mut found = None;
    let names = ["EMailAddress", "AutoDiscoverSMTPAddress", "LoginName", "DisplayName"];
    for name in names {
        response.each(&mut |element| {
            if element.name == name && found.is_none() {
                found = Some((element.line, text(element))).filter(|(_, text)| is_address(text));
            }
        });
    }
    found
}

fn is_address(text: &str) -> bool {
    crate::address::EmailAddress::parse(text.as_bytes()).is_ok()
        && !text.contains(['%', '{', '$', '<'])
}

fn user(carrier: &mut Carrier, element: &Element) {
    for child in &element.children {
        let text = text(child);
        let is_mailbox = text.contains('@')
            || text.is_empty()
            || placeholder(&text).is_some()
            || text.contains(EMAIL_ADDRESS);
        match child.name.as_str() {
            // Outlook shows it as the name of the user: it is the address now.
            "DisplayName" => {}
            "EMailAddress" | "AutoDiscoverSMTPAddress" if is_mailbox => {}
            "EMailAddress" | "AutoDiscoverSMTPAddress" => {
                carrier.not_carried(child.line, described(&child.name, &text));
            }
            _ if is_without_loss(child) => {}
            _ => carrier.unknown(child),
        }
    }
}

/// True if nothing is lost without the element.
fn is_without_loss(element: &Element) -> bool {
    let value = text(element);
    let is_default = |(name, default): &(&str, &str)| {
        *name == element.name && value.eq_ignore_ascii_case(default)
    };
    WITHOUT_LOSS.contains(&element.name.as_str()) || DEFAULTS.iter().any(is_default)
}

fn account(carrier: &mut Carrier, element: &Element) {
    for child in &element.children {
        match child.name.as_str() {
            "AccountType" => {}
            "Action" => action(carrier, child),
            "Protocol" => protocol(carrier, child),
            _ if is_without_loss(child) => {}
            "RedirectAddr" => redirect(carrier, child, "autodiscover.redirect_address"),
            "RedirectUrl" | "RedirectURL" => {
                redirect(carrier, child, "autodiscover.redirect_url");
            }
            "ServiceHome" => {
                if let Some(url) = carrier.known(child) {
                    carrier.set("provider.homepage", child.line, url);
                }
            }
            "Image"
            | "MicrosoftOnline"
            | "PublicFolderInformation"
            | "ConsumerMailbox"
            | "AlternativeMailbox" => {
                carrier.not_carried(child.line, described(&child.name, &text(child)));
            }
            _ => carrier.unknown(child),
        }
    }
}

fn action(carrier: &mut Carrier, element: &Element) {
    let text = text(element);
    let known = ["settings", "redirectaddr", "redirecturl"];
    if !known.contains(&text.to_ascii_lowercase().as_str()) {
        carrier.not_carried(element.line, described("Action", &text));
    }
}

/// A redirect, which only a domain can have.
fn redirect(carrier: &mut Carrier, element: &Element, key: &'static str) {
    let Some(to) = carrier.known(element) else { return };
    let local_part = carrier.address.as_deref().and_then(|it| it.rsplit_once('@'));
    let local_part = local_part.map(|(local_part, _)| local_part);
    let value = match to.rsplit_once('@') {
        Some((of, domain)) if Some(of) == local_part => format!("{EMAIL_LOCAL_PART}@{domain}"),
        _ => to.clone(),
    };
    let value = carrier.translated(element.line, Value::Text(value), &element.name, &to);
    match carrier.draft.domains.first_mut() {
        Some((_, settings)) => drop(settings.set(key, value)),
        None => {
            let text = format!("{}; set {key} for the domain", described(&element.name, &to));
            carrier.not_carried(element.line, text);
        }
    }
}

/// A server.
fn protocol(carrier: &mut Carrier, element: &Element) {
    let field = |name: &str| element.first(name);
    let kind = field("Type")
        .map(text)
        .unwrap_or_else(|| element.attribute("Type").unwrap_or_default().to_owned());
    let protocol = match kind.to_ascii_uppercase().as_str() {
        "IMAP" => Protocol::Imap,
        "POP3" | "POP" => Protocol::Pop3,
        "SMTP" => Protocol::Smtp,
        "CALDAV" => return dav(carrier, element, "caldav.url", "caldav.username"),
        "CARDDAV" => return dav(carrier, element, "carddav.url", "carddav.username"),
        _ => {
            let place = ["Server", "EwsUrl", "OWAUrl"].into_iter().find_map(field);
            let place = place.map(text).unwrap_or_default();
            return carrier.not_carried(element.line, of_type("Protocol", &kind, &place));
        }
    };
    let mut server = Server::new(protocol);
    let is = |name: &str, word: &str| {
        field(name).is_some_and(|element| text(element).eq_ignore_ascii_case(word))
    };
    let mut seen = Vec::new();
    for child in &element.children {
        let (line, name) = (child.line, child.name.as_str());
        if seen.contains(&name) {
            carrier.not_carried(line, format!("a second {}", described(name, &text(child))));
            continue;
        }
        seen.push(name);
        match name {
            "Type" | "SSL" | "Encryption" => {}
            "Server" => {
                if let Some(host) = carrier.known(child) {
                    server.host = Some(carrier.seen(line, host));
                }
            }
            "Port" => {
                if let Some(port) = carrier.known(child) {
                    match port.parse() {
                        Ok(port) => server.port = Some(carrier.seen(line, port)),
                        Err(_) => carrier.not_carried(line, described("Port", &port)),
                    }
                }
            }
            "LoginName" => server.username = carrier.login(line, name, text(child)),
            "SPA" => match text(child).to_ascii_lowercase().as_str() {
                "on" => {
                    server.auth = Some(carrier.translated(line, vec![Auth::Ntlm], "SPA", "on"));
                }
                "off" => {}
                other => carrier.not_carried(line, described("SPA", other)),
            },
            "AuthRequired" => match text(child).to_ascii_lowercase().as_str() {
                "on" => {}
                "off" if protocol == Protocol::Smtp => {
                    let none = carrier.translated(line, vec![Auth::None], name, "off");
                    server.auth = Some(none);
                }
                other => carrier.not_carried(line, described("AuthRequired", other)),
            },
            // The login is complete: nothing is put before it.
            "DomainRequired" => {}
            "DomainName" if is_own_domain(carrier, &text(child)) => {}
            "UsePOPAuth" | "SMTPLast" | "DirectoryPort" | "ReferralPort" | "DomainName"
            | "AuthPackage" | "CertPrincipalName" | "ServerDN" | "MdbDN" | "OOFUrl" | "OABUrl"
            | "UMUrl" | "ASUrl" | "EwsUrl"
                if !is_without_loss(child) =>
            {
                carrier.not_carried(line, described(name, &text(child)));
            }
            _ if is_without_loss(child) => {}
            _ => carrier.unknown(child),
        }
    }
    let Some(host) = &server.host else {
        let text = format!("the {protocol} server: its name is not known");
        return carrier.not_carried(element.line, text);
    };
    if host.value.contains("://") {
        let text = described("Server", &host.value);
        return carrier.not_carried(element.line, text);
    }
    let said = said(carrier, element, protocol, server.port.as_ref().map(|port| port.value), is);
    if server.port.is_none() {
        let security = said.as_ref().map_or(Security::Tls, |said| said.security);
        let port = ports::usual(protocol, security).get();
        server.port = Some(Noted::assumed(port, "the usual port, as none is given"));
    }
    carrier.add(server, said);
}

/// True for no domain, or that of the address.
fn is_own_domain(carrier: &Carrier, domain: &str) -> bool {
    let address = carrier.address.as_deref().and_then(|address| address.rsplit_once('@'));
    let is_own = address.is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain));
    domain.is_empty() || is_own || domain == EMAIL_DOMAIN
}

/// What the response says about TLS. `SSL` on a port for STARTTLS means STARTTLS, as clients read it.
fn said(
    carrier: &mut Carrier,
    element: &Element,
    protocol: Protocol,
    port: Option<u16>,
    is: impl Fn(&str, &str) -> bool,
) -> Option<Said> {
    let port = port.and_then(std::num::NonZeroU16::new);
    let by_port = match port.map(std::num::NonZeroU16::get) {
        Some(25) if protocol == Protocol::Smtp => Some(Security::StartTls),
        _ => port.and_then(|port| ports::security_of(protocol, port)),
    };
    for name in ["Encryption", "SSL"] {
        let Some(child) = element.first(name) else { continue };
        let text = text(child);
        let words = described(name, &text);
        let security = match (name, text.to_ascii_lowercase().as_str()) {
            ("Encryption", "ssl") => Security::Tls,
            ("Encryption", "tls" | "starttls") => match by_port {
                // seen: generators write TLS on any port.
                Some(security) => security,
                None => Security::StartTls,
            },
            ("Encryption", "none") => Security::Plain,
            ("Encryption", "auto") => continue,
            ("SSL", "on" | "true" | "yes") => by_port.unwrap_or(Security::Tls),
            ("SSL", "off" | "false" | "no") => Security::Plain,
            _ => {
                carrier.known(child);
                if !super::marked::is_marked(&text) {
                    carrier.not_carried(child.line, words);
                }
                continue;
            }
        };
        if name == "Encryption" && security != Security::Plain && is("SSL", "off") {
            let text = format!("{words}, but SSL off: many clients used no TLS; now they do");
            carrier.warn(child.line, text);
        }
        return Some(Said { security, line: child.line, words });
    }
    None
}

/// Calendars or address books, whose Server is a URL.
fn dav(carrier: &mut Carrier, element: &Element, url: &'static str, username: &'static str) {
    let server = element.first("Server").map(text).unwrap_or_default();
    let is_in_url = |port: &str| {
        let authority = server.split("://").nth(1).unwrap_or_default();
        let authority = authority.split('/').next().unwrap_or_default();
        let its = authority.rsplit_once(':').map(|(_, its)| its);
        let is_usual = ["", "0"].contains(&port) || port.parse() == Ok(crate::url::HTTPS_PORT);
        its == Some(port) || its.is_none() && is_usual
    };
    for child in &element.children {
        match child.name.as_str() {
            "Type" | "DomainRequired" | "DomainName" | "SPA" | "SSL" | "AuthRequired" => {}
            // It is in the URL.
            "Port" if is_in_url(&text(child)) => {}
            "Port" => {
                let text =
                    format!("{}: write the port into {url}", described("Port", &text(child)));
                carrier.not_carried(child.line, text);
            }
            "Server" => {
                if let Some(text) = carrier.known(child) {
                    carrier.set_url(url, child.line, &text);
                    // The response had it.
                    let known = carrier.draft.top.value("autodiscover.dav").is_some();
                    if !known {
                        carrier.set("autodiscover.dav", child.line, true);
                    }
                }
            }
            "LoginName" => {
                if let Some(login) = carrier.login(child.line, "LoginName", text(child)) {
                    let Noted { value, origin } = login;
                    let login = Noted { value: Value::Text(value), origin };
                    carrier.put(username, child.line, login);
                }
            }
            _ => carrier.unknown(child),
        }
    }
}

/// Where ActiveSync is.
fn mobilesync(carrier: &mut Carrier, action: &Element) {
    for child in &action.children {
        match child.name.as_str() {
            "Settings" => {
                for server in &child.children {
                    let kind = server.first("Type").map(text).unwrap_or_default();
                    let url = server.first("Url").or_else(|| server.first("Name"));
                    match (kind.as_str(), url) {
                        ("MobileSync", Some(url)) => {
                            if let Some(text) = carrier.known(url) {
                                carrier.set_url("activesync.url", url.line, &text);
                            }
                        }
                        _ => {
                            let url = url.map(text).unwrap_or_default();
                            carrier.not_carried(server.line, of_type("Server", &kind, &url));
                        }
                    }
                }
            }
            "Redirect" => redirect(carrier, child, "autodiscover.redirect_address"),
            "Error" => carrier.not_carried(child.line, described("Error", &text(child))),
            _ => carrier.unknown(child),
        }
    }
}
