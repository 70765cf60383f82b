//! Reads `config-v1.1.xml`: an autoconfig document, also an entry of Mozilla's database, and one inside
//! of another file (a script of a shell, a configuration of a web server).
//!
//! Rules: draft-ietf-mailmaint-autoconfig, and draft-bucksch-autoconfig-00 for what version 1.1 had
//! before. Each element is carried over or named. Refuses what is not well-formed, and documents without
//! `clientConfig`.

use super::marked::is_marked;
use super::part::{
    Carrier, EMAIL_DOMAIN, Part, Said, decoded, described, found, of_type, placeholder, text,
};
use crate::account::{Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security};
use crate::draft::{Draft, Noted, Server, Value, is_secret_name, merge};
use crate::ports;
use crate::url::HttpsUrl;
use crate::xml::tree::Element;
use std::collections::BTreeMap;

/// The beginning of the document.
const START: &str = "<clientConfig";

/// True for a file with an autoconfig document in it.
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
    if root.name != "clientConfig" {
        return Err(format!("the root element is {}, not clientConfig", root.name));
    }
    // What stands beside the providers is of the first one.
    let mut carriers = vec![Carrier::new(part.source)];
    let mut has_provider = false;
    for child in &root.children {
        let mut other = Carrier::new(part.source);
        let carrier = &mut carriers[0];
        match child.name.as_str() {
            "emailProvider" if std::mem::replace(&mut has_provider, true) => {
                provider(&mut other, child);
                carriers.push(other);
            }
            "emailProvider" => provider(carrier, child),
            _ => anywhere(carrier, child),
        }
    }
    Ok(merge(carriers.into_iter().map(Carrier::finish).collect()))
}

fn provider(carrier: &mut Carrier, provider: &Element) {
    let mut pages = Vec::new();
    for child in &provider.children {
        match child.name.as_str() {
            "domain" => domain(carrier, child),
            "displayName" => display_name(carrier, child, "provider.name"),
            "displayShortName" => display_name(carrier, child, "provider.short_name"),
            "incomingServer" | "outgoingServer" => server(carrier, child),
            "documentation" => pages.extend(page(carrier, child)),
            _ => anywhere(carrier, child),
        }
    }
    if let Some((line, _, _)) = pages.first() {
        let line = *line;
        let pages = pages.into_iter().map(|(_, url, titles)| (url, titles)).collect();
        carrier.set("provider.documentation", line, Value::Pages(pages));
    }
}

/// Elements that stand in `emailProvider` in some documents, and beside it in others.
fn anywhere(carrier: &mut Carrier, element: &Element) {
    match element.name.as_str() {
        "addressBook" | "addressbook" | "calendar" | "fileShare" | "filesharing" | "chatServer"
        | "videoConference" => service(carrier, element),
        "setupServer" => server(carrier, element),
        "oAuth2" => oauth2(carrier, element),
        "webMail" => webmail(carrier, element),
        "documentation" => {
            if let Some((line, url, titles)) = page(carrier, element) {
                carrier.set("provider.documentation", line, Value::Pages(vec![(url, titles)]));
            }
        }
        "clientConfigUpdate" => {
            let url = element.attribute("url").unwrap_or_default();
            carrier.not_carried(element.line, described("clientConfigUpdate", url));
        }
        "enable" => {
            let url = element.attribute("visiturl").unwrap_or_default();
            carrier.not_carried(element.line, described("enable", url));
            for instruction in element.all("instruction") {
                let text = described("instruction", &text(instruction));
                carrier.not_carried(instruction.line, text);
            }
        }
        "inputField" => {
            let key = element.attribute("key").unwrap_or_default();
            carrier.not_carried(element.line, described("inputField", key));
        }
        "instruction" | "identity" => {
            let shown = element.children.iter().filter(|child| !is_secret_name(&child.name));
            let texts = shown.chain([element]).map(text);
            let text: String = texts.collect::<Vec<_>>().join(" ");
            if !text.trim().is_empty() {
                carrier.not_carried(element.line, described(&element.name, &text));
            }
        }
        _ => carrier.unknown(element),
    }
}

fn domain(carrier: &mut Carrier, element: &Element) {
    let Some(name) = carrier.known(element) else { return };
    if let Some(purpose) = element.attribute("purpose") {
        carrier.not_carried(element.line, format!("domain {name} for its {purpose} record"));
    } else if name == EMAIL_DOMAIN || placeholder(&name).is_some() {
        let text = "the document is for any domain; to answer only yours, name them and remove this \
                    line";
        let any = Noted::seen("any", carrier.place(element.line), text);
        carrier.put("domains.answer", element.line, any);
        let text = "the document is for any domain, so any domain is answered; to answer only yours, \
                    name them";
        carrier.hint(element.line, text);
    } else {
        carrier.domain(element.line, &name);
    }
}

fn display_name(carrier: &mut Carrier, element: &Element, key: &'static str) {
    let Some(name) = carrier.known(element) else { return };
    let is_of_mailbox = [EMAIL_ADDRESS, EMAIL_LOCAL_PART].iter().any(|it| name.contains(it));
    match placeholder(&name) {
        Some(EMAIL_DOMAIN) => carrier.set(key, element.line, EMAIL_DOMAIN),
        // The name of a provider is not a login.
        Some(_) => {}
        None if is_of_mailbox => {}
        None => carrier.set(key, element.line, name),
    }
}

/// A page of instructions: its line, its URL, its titles.
fn page(
    carrier: &mut Carrier,
    element: &Element,
) -> Option<(usize, String, BTreeMap<String, String>)> {
    let url = element.attribute("url").unwrap_or_default().trim().to_owned();
    let mut titles = BTreeMap::new();
    for child in &element.children {
        if !["descr", "description"].contains(&child.name.as_str()) {
            carrier.unknown(child);
            continue;
        }
        let Some(title) = carrier.known(child) else { continue };
        let language = child.attribute("lang").filter(|it| !is_marked(it));
        let language = language.unwrap_or("en").to_ascii_lowercase();
        if titles.contains_key(&language) {
            carrier.not_carried(child.line, described("a second title in its language:", &title));
            continue;
        }
        titles.insert(language, title);
    }
    let url = carrier.known_text(element.line, "documentation", url)?;
    if HttpsUrl::parse(&*url).is_none() {
        let why = match url.contains("%EMAIL") {
            true => "a URL with a placeholder is not accepted",
            false => "only https URLs are accepted",
        };
        let text = format!("{}: {why}", described("documentation", &url));
        carrier.not_carried(element.line, text);
        return None;
    }
    if titles.is_empty() {
        titles.insert("en".to_owned(), url.clone());
    }
    Some((element.line, url, titles))
}

fn webmail(carrier: &mut Carrier, element: &Element) {
    for child in &element.children {
        let url = child.attribute("url").unwrap_or_default().trim().to_owned();
        match child.name.as_str() {
            "loginPage" => {
                if let Some(url) = carrier.known_text(child.line, "loginPage", url) {
                    carrier.set("provider.webmail", child.line, url);
                }
            }
            // How to fill in the form.
            "loginPageInfo" => carrier.not_carried(child.line, described("loginPageInfo", &url)),
            _ => carrier.unknown(child),
        }
    }
}

fn oauth2(carrier: &mut Carrier, element: &Element) {
    for child in &element.children {
        let key = match child.name.as_str() {
            "issuer" => "oauth2.issuer",
            "scope" => "oauth2.scope",
            "authURL" => "oauth2.authorization_url",
            "tokenURL" => "oauth2.token_url",
            "clientID" => "oauth2.client_id",
            "clientSecret" => "oauth2.client_secret",
            _ => {
                carrier.unknown(child);
                continue;
            }
        };
        if let Some(value) = carrier.known(child) {
            carrier.set(key, child.line, value);
        }
    }
}

//------------ servers --------------------------------------------------------

/// A server, or a service that is written as one.
fn server(carrier: &mut Carrier, element: &Element) {
    let kind = element.attribute("type").unwrap_or_default().to_ascii_lowercase();
    let protocol = match (element.name.as_str(), kind.as_str()) {
        ("incomingServer", "imap") => Protocol::Imap,
        ("incomingServer", "pop3") => Protocol::Pop3,
        ("outgoingServer", "smtp") => Protocol::Smtp,
        ("setupServer", "managesieve") => Protocol::ManageSieve,
        ("incomingServer", "jmap") => return url_service(carrier, element, &JMAP),
        ("incomingServer", "activesync" | "eas") => {
            return url_service(carrier, element, &ACTIVESYNC);
        }
        _ => return other(carrier, element, &kind),
    };
    let mut server = Server::new(protocol);
    let mut said = None;
    let mut methods = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for child in &element.children {
        let line = child.line;
        match child.name.as_str() {
            "hostname" => {
                if let Some(host) = carrier.known(child) {
                    let is_domain = placeholder(&host) == Some(EMAIL_DOMAIN);
                    let host = if is_domain { EMAIL_DOMAIN.to_owned() } else { host };
                    if server.host.is_some() {
                        let text = described("a second hostname", &host);
                        carrier.not_carried(line, text);
                    } else {
                        server.host = Some(carrier.seen(line, host));
                    }
                }
            }
            "port" | "username" if seen.contains(&&*child.name) => {
                let text = described(&child.name, &text(child));
                carrier.not_carried(line, format!("a second {text}"));
            }
            "port" => {
                if let Some(port) = carrier.known(child) {
                    match port.parse() {
                        Ok(port) => server.port = Some(carrier.seen(line, port)),
                        Err(_) => carrier.not_carried(line, described("port", &port)),
                    }
                }
            }
            "socketType" => {
                if let Some(text) = carrier.known(child) {
                    let security = match text.to_ascii_lowercase().as_str() {
                        "ssl" | "tls" | "ssl/tls" => Security::Tls,
                        "starttls" => Security::StartTls,
                        "plain" | "none" => Security::Plain,
                        _ => {
                            carrier.not_carried(line, described("socketType", &text));
                            continue;
                        }
                    };
                    // Clients take the first that they know.
                    let words = described("socketType", &text);
                    match said.is_none() {
                        true => said = Some(Said { security, line, words }),
                        false => carrier.not_carried(line, format!("a second {words}")),
                    }
                }
            }
            "authentication" => methods.extend(method(carrier, child, protocol)),
            "username" => server.username = carrier.login(line, "username", text(child)),
            "pop3" if protocol == Protocol::Pop3 => pop3(carrier, child),
            "leaveMessagesOnServer" | "downloadOnBiff" | "daysToLeaveMessagesOnServer"
                if protocol == Protocol::Pop3 =>
            {
                pop3_option(carrier, child);
            }
            "password" => {
                carrier.not_carried(line, "password (value not shown): every client received it")
            }
            // That is what clients do without it.
            "addThisServer" if text(child) == "true" => {}
            "useGlobalPreferredServer" if text(child) == "false" => {}
            "restriction"
            | "addThisServer"
            | "useGlobalPreferredServer"
            | "owaURL"
            | "ewsURL"
            | "easURL"
            | "checkInterval" => {
                carrier.not_carried(line, described(&child.name, &text(child)));
            }
            _ => carrier.unknown(child),
        }
        seen.push(&child.name);
    }
    server.auth = auth(carrier, methods);
    if server.host.is_none() {
        carrier.not_carried(element.line, format!("the {protocol} server: its host is not known"));
        return;
    }
    if server.port.is_none() {
        let security = said.as_ref().map_or(Security::Tls, |said| said.security);
        let port = ports::usual(protocol, security).get();
        server.port = Some(Noted::assumed(port, "the usual port, as none is known"));
    }
    carrier.add(server, said);
}

/// A method, if it is one that the configuration has.
fn method(
    carrier: &mut Carrier,
    element: &Element,
    protocol: Protocol,
) -> Option<(usize, Auth, String)> {
    let text = carrier.known(element)?;
    let method = match text.to_ascii_lowercase().as_str() {
        "password-cleartext" | "plain" | "login" => Auth::Password,
        "password-encrypted" | "secure" | "cram-md5" => Auth::CramMd5,
        "ntlm" => Auth::Ntlm,
        "oauth2" | "oauth" | "xoauth2" | "oauthbearer" => Auth::OAuth2,
        "none" if protocol == Protocol::Smtp => Auth::None,
        _ => {
            let text = described(&format!("{protocol}: authentication"), &text);
            carrier.not_carried(element.line, text);
            return None;
        }
    };
    Some((element.line, method, text))
}

/// The methods of a server, each once.
fn auth(carrier: &mut Carrier, methods: Vec<(usize, Auth, String)>) -> Option<Noted<Vec<Auth>>> {
    let mut kept: Vec<Auth> = Vec::new();
    let mut origin = None;
    for (line, method, text) in methods {
        if kept.contains(&method) {
            continue;
        }
        if method == Auth::None && !kept.is_empty() || kept.contains(&Auth::None) {
            carrier.not_carried(line, described("authentication", &text));
            continue;
        }
        kept.push(method);
        origin.get_or_insert((line, text));
    }
    let (line, text) = origin?;
    Some(carrier.translated(line, kept, "authentication", &text))
}

fn pop3(carrier: &mut Carrier, element: &Element) {
    for child in &element.children {
        pop3_option(carrier, child);
    }
}

fn pop3_option(carrier: &mut Carrier, element: &Element) {
    let key = match element.name.as_str() {
        "leaveMessagesOnServer" => "pop3.leave_on_server",
        "downloadOnBiff" => "pop3.fetch_at_once",
        "daysToLeaveMessagesOnServer" => "pop3.days_on_server",
        "checkInterval" => {
            let minutes = element.attribute("minutes").unwrap_or_default();
            carrier.not_carried(element.line, described("checkInterval", minutes));
            return;
        }
        _ => return carrier.unknown(element),
    };
    let Some(text) = carrier.known(element) else { return };
    let value = match (key, text.parse::<i64>(), text.as_str()) {
        ("pop3.days_on_server", Ok(days), _) => Value::Number(days),
        ("pop3.days_on_server", Err(_), _) => {
            return carrier.not_carried(element.line, described(&element.name, &text));
        }
        (_, _, "true") => Value::Flag(true),
        (_, _, "false") => Value::Flag(false),
        _ => return carrier.not_carried(element.line, described(&element.name, &text)),
    };
    carrier.set(key, element.line, value);
}

/// A server of a protocol that the configuration does not have.
fn other(carrier: &mut Carrier, element: &Element, kind: &str) {
    let place = ["hostname", "url", "serverURL"].into_iter().find_map(|name| element.first(name));
    let place = place.map(text).unwrap_or_default();
    carrier.not_carried(element.line, of_type(&element.name, kind, &place));
}

//------------ services -------------------------------------------------------

/// The keys of a service.
struct Keys {
    url: &'static str,
    username: &'static str,
}

const JMAP: Keys = Keys { url: "jmap.url", username: "jmap.username" };
const ACTIVESYNC: Keys = Keys { url: "activesync.url", username: "activesync.username" };
const CALDAV: Keys = Keys { url: "caldav.url", username: "caldav.username" };
const CARDDAV: Keys = Keys { url: "carddav.url", username: "carddav.username" };
const WEBDAV: Keys = Keys { url: "webdav.url", username: "webdav.username" };

fn service(carrier: &mut Carrier, element: &Element) {
    let kind = element.attribute("type").unwrap_or_default().to_ascii_lowercase();
    let keys = match (element.name.as_str(), kind.as_str()) {
        // Seen in the draft itself: a calendar of the type carddav.
        ("calendar", "caldav" | "carddav") => &CALDAV,
        ("addressBook" | "addressbook", "carddav") => &CARDDAV,
        ("fileShare" | "filesharing", "webdav") => &WEBDAV,
        _ => return other(carrier, element, &kind),
    };
    url_service(carrier, element, keys);
}

fn url_service(carrier: &mut Carrier, element: &Element, keys: &Keys) {
    let mut has_url = false;
    for child in &element.children {
        match child.name.as_str() {
            "url" | "serverURL" => {
                has_url = true;
                if let Some(url) = carrier.known(child) {
                    carrier.set_url(keys.url, child.line, &url);
                }
            }
            "username" => {
                if let Some(login) = carrier.login(child.line, "username", text(child)) {
                    let Noted { value, origin } = login;
                    let login = Noted { value: Value::Text(value), origin };
                    carrier.put(keys.username, child.line, login);
                }
            }
            "authentication" => {
                let Some(method) = carrier.known(child) else { continue };
                let usual = ["basic", "http-basic", "password-cleartext"];
                if !usual.contains(&method.to_ascii_lowercase().as_str()) {
                    let name = format!("{}: authentication", element.name);
                    carrier.not_carried(child.line, described(&name, &method));
                }
            }
            _ => carrier.unknown(child),
        }
    }
    if !has_url {
        carrier.not_carried(element.line, format!("{}: its URL is missing", element.name));
    }
}
