//! Reads responses of Autodiscover, in XML and in JSON, as a client reads them.
//!
//! Rules: [MS-OXDSCLI], [MS-ASCMD] 2.2.1.1, and those of each client in its table.

use super::{Body, Found, Oddity, Reader, Setting, odd, shortened};
use mailsetup::account::{Protocol, Security};
use mailsetup::clients::Rule;
use mailsetup::ports;
use mailsetup::xml::tree::Element;
use serde_json::Value;
use std::num::NonZeroU16;

/// What a response is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Read {
    /// Settings.
    Found(Found),
    /// An ActiveSync or Exchange server, and its URL.
    Exchange(String),
    /// An error: its code and message.
    Error(String),
    /// The client is to ask with this address.
    RedirectAddress(String),
    /// The client is to ask at this URL.
    RedirectUrl(String),
}

/// Reads a response in XML.
pub fn read(body: &Body, reader: &Reader) -> Result<Read, Oddity> {
    if body.is_cut {
        return Err(odd("doc-too-long", "the document is longer than 64 KiB", body.begin()));
    }
    let tree = body.tree()?;
    let root = &tree.root;
    if root.name != "Autodiscover" {
        let code = if body.is_web_page() { "doc-web-page" } else { "doc-other" };
        let message =
            format!("the document is not Autodiscover: its root is {}", shortened(&root.name));
        return Err(odd(code, message, body.begin()));
    }
    let response = root
        .first("Response")
        .ok_or_else(|| odd("doc-other", "the document has no Response", body.begin()))?;
    if let Some(error) = response.first("Error").or_else(|| root.first("Error")) {
        let part = |name: &str| error.first(name).map(|part| part.text()).unwrap_or_default();
        let text = format!("{} {}", part("ErrorCode"), part("Message"));
        return Ok(Read::Error(shortened(&text)));
    }
    if let Some(settings) = response.first("Action").and_then(|action| action.first("Settings")) {
        let server = settings.first("Server");
        let url = server.and_then(|server| server.first("Url")).map(|url| url.text());
        return match url {
            Some(url) => Ok(Read::Exchange(shortened(&url))),
            None => Err(odd("doc-other", "the response has no URL of a server", body.begin())),
        };
    }
    let account = response
        .first("Account")
        .ok_or_else(|| odd("doc-other", "the response has no Account", body.begin()))?;
    let part = |name: &str| account.first(name).map(|part| part.text().trim().to_owned());
    match part("Action").unwrap_or_default().to_ascii_lowercase().as_str() {
        "redirectaddr" => {
            return Ok(Read::RedirectAddress(shortened(&part("RedirectAddr").unwrap_or_default())));
        }
        "redirecturl" => {
            return Ok(Read::RedirectUrl(shortened(&part("RedirectUrl").unwrap_or_default())));
        }
        _ => {}
    }
    let mut found = Found::default();
    let mut exchange = None;
    for element in account.all("Protocol") {
        let kind = element.first("Type").map(|kind| kind.text().trim().to_owned());
        let kind = kind.unwrap_or_default();
        if ["EXCH", "EXPR", "EXHTTP", "WEB"].contains(&&*kind.to_ascii_uppercase()) {
            let server = element.first("Server").or_else(|| element.first("EwsUrl"));
            exchange = exchange.or(server.map(|server| shortened(&server.text())));
        }
        found.settings.extend(of_protocol(element, &kind, reader, &mut found.oddities));
    }
    let has = |is: fn(Protocol) -> bool| found.settings.iter().any(|setting| is(setting.protocol));
    if has(Protocol::is_incoming) && has(|protocol| protocol == Protocol::Smtp) {
        return Ok(Read::Found(found));
    }
    match (exchange, found.oddities.first()) {
        (Some(server), _) => Ok(Read::Exchange(server)),
        (None, Some(oddity)) => Err(oddity.clone()),
        (None, None) if has(Protocol::is_incoming) => {
            Err(odd("doc-no-smtp", "the response has no server to send mail", body.begin()))
        }
        (None, None) => {
            let message = "the response has no server to read mail from";
            Err(odd("doc-no-incoming", message, body.begin()))
        }
    }
}

fn of_protocol(
    element: &Element,
    kind: &str,
    reader: &Reader,
    oddities: &mut Vec<Oddity>,
) -> Option<Setting> {
    let part = |name: &str| element.first(name).map(|part| part.text().trim().to_owned());
    let protocol = match &*kind.to_ascii_uppercase() {
        "IMAP" => Protocol::Imap,
        "POP3" => Protocol::Pop3,
        "SMTP" => Protocol::Smtp,
        _ => return None,
    };
    let piece = |name: &str| match part(name) {
        Some(text) => format!("Type: {kind}, {name}: \"{}\"", shortened(&text)),
        None => format!("Type: {kind}, no {name}"),
    };
    if reader.has(Rule::NeedsCapitals) && kind != kind.to_ascii_uppercase() {
        oddities.push(
            odd("pox-type", format!("Type is {kind}, not in capitals"), piece("Type"))
                .mend("Write IMAP, POP3 and SMTP in capitals."),
        );
        return None;
    }
    let server = part("Server").unwrap_or_default();
    let Some(host) = super::host(&server) else {
        let message = format!("the Server of {kind} is `{}`", shortened(&server));
        oddities.push(odd("doc-host", message, piece("Server")));
        return None;
    };
    let Some(port) = part("Port").and_then(|port| port.parse::<NonZeroU16>().ok()) else {
        let message = format!("{kind} has no Port");
        oddities
            .push(odd("doc-port", message, piece("Port")).mend("Write the port of each server."));
        return None;
    };
    let (ssl, encryption) = (part("SSL"), part("Encryption"));
    let is_empty = |part: &Option<String>| part.as_deref() == Some("");
    if (is_empty(&ssl) || is_empty(&encryption)) && reader.has(Rule::TypedText) {
        let name = if is_empty(&ssl) { "SSL" } else { "Encryption" };
        oddities.push(
            odd("pox-empty", format!("{name} of {kind} is empty"), piece(name))
                .mend("Write <SSL>on</SSL>, and SSL or TLS in Encryption."),
        );
        return None;
    }
    let ssl = ssl.map(|ssl| ssl.to_ascii_lowercase());
    let encryption = encryption.map(|encryption| encryption.to_ascii_lowercase());
    let by_port = match ports::security_of(protocol, port) {
        Some(Security::StartTls) => Security::StartTls,
        _ => Security::Tls,
    };
    let is_off = ssl.as_deref() == Some("off");
    let security = match encryption.as_deref() {
        _ if is_off && reader.has(Rule::PlainIfOff) => Security::Plain,
        _ if reader.has(Rule::SslDecides) => match ssl.as_deref() {
            Some("on") => Security::Tls,
            _ => Security::StartTls,
        },
        Some("none") => Security::Plain,
        _ if reader.has(Rule::PortDecides) || reader.has(Rule::PlainIfOff) => by_port,
        Some("ssl") => Security::Tls,
        Some("tls") => Security::StartTls,
        _ if is_off && encryption.is_none() => Security::Plain,
        _ => by_port,
    };
    if is_off && encryption.as_deref() != Some("none") {
        oddities.push(
            odd("pox-ssl-off", format!("SSL of {kind} is off: no TLS is used"), piece("SSL"))
                .mend("Write <SSL>on</SSL> also for STARTTLS, with <Encryption>TLS</Encryption>."),
        );
    }
    // What is written, not what a client reads into it.
    let written = match encryption.as_deref() {
        Some("ssl") => Security::Tls,
        Some("tls") => Security::StartTls,
        _ => by_port,
    };
    if !is_off && !fits(protocol, port, written) {
        let message = format!("Encryption of {kind} does not fit port {port}");
        oddities.push(
            odd("pox-encryption", message, piece("Encryption"))
                .mend("Write SSL for TLS from the first byte, and TLS for STARTTLS."),
        );
    }
    let is_outlook = reader.client.name.starts_with("Outlook");
    let login = match part("LoginName").filter(|login| !login.is_empty()) {
        Some(_) if reader.has(Rule::IgnoresLoginName) => reader.address.to_string(),
        Some(login) => reader.filled(&login),
        None if is_outlook => {
            let message = format!("{kind} has no LoginName: the part before the @ is used");
            oddities.push(
                odd("pox-login", message, piece("LoginName")).mend("Write the login in LoginName."),
            );
            reader.address.local_part().to_owned()
        }
        None => reader.address.to_string(),
    };
    let has_spa = part("SPA").is_none_or(|spa| !spa.eq_ignore_ascii_case("off"));
    if has_spa && is_outlook {
        let message = format!("SPA of {kind} is on, or left out: Outlook uses NTLM");
        oddities.push(odd("pox-spa", message, piece("SPA")).mend("Write <SPA>off</SPA>."));
    }
    Some(Setting { protocol, host, port: port.get(), security, methods: Vec::new(), login })
}

/// False for TLS on the registered port for STARTTLS, and the other way round.
fn fits(protocol: Protocol, port: NonZeroU16, security: Security) -> bool {
    match (security, ports::security_of(protocol, port)) {
        (Security::Tls, usual) => usual != Some(Security::StartTls),
        (Security::StartTls, usual) => usual != Some(Security::Tls),
        (Security::Plain, _) => true,
    }
}

/// The URL in a response in JSON.
pub fn url(body: &Body) -> Result<String, String> {
    let document: Value = serde_json::from_slice(&body.bytes).map_err(|_| {
        if body.is_web_page() { "it is a web page".to_owned() } else { "it is not JSON".to_owned() }
    })?;
    match (&document["Url"], &document["ErrorCode"]) {
        (Value::String(url), _) => Ok(shortened(url)),
        (_, Value::String(code)) => Err(shortened(code)),
        _ => Err("it has no Url".to_owned()),
    }
}
