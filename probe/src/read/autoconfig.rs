//! Reads an autoconfig document as a client reads it.
//!
//! Rules: draft-ietf-mailmaint-autoconfig, and those of each client in its table. What breaks one client
//! and not another is an [`Oddity`] of the reading, not of the document.

use super::{Body, DOMAIN, Found, Oddity, Reader, Setting, odd, shortened};
use mailsetup::account::{Protocol, Security};
use mailsetup::clients::{self, Rule};
use mailsetup::xml::tree::{Element, Piece};
use mailsetup::{address, ports};
use std::num::NonZeroU16;

/// What the words of `authentication` are.
const METHODS: [&str; 9] = [
    "password-cleartext",
    "plain",
    "password-encrypted",
    "secure",
    "GSSAPI",
    "NTLM",
    "OAuth2",
    "none",
    "client-IP-address",
];

/// The words that Pimalaya knows, with its spelling of GSSAPI (io-pim-discovery 0.9,
/// `src/autoconfig/config.rs`).
const STRICT_METHODS: [&str; 8] = [
    "password-cleartext",
    "password-encrypted",
    "NTLM",
    "GSAPI",
    "OAuth2",
    "TLS-client-cert",
    "client-IP-address",
    "none",
];
/// The words that Evolution knows (`src/mail/e-mail-autoconfig.c`).
const LAST_METHODS: [&str; 3] = ["password-cleartext", "plain", "password-encrypted"];

/// What the client finds.
pub fn read(body: &Body, reader: &Reader) -> Result<Found, Oddity> {
    if body.is_cut {
        return Err(odd("doc-too-long", "the document is longer than 64 KiB", body.begin()));
    }
    if reader.has(Rule::NeedsXmlType) {
        let media_type = body.media_type.as_deref().unwrap_or_default();
        let known = ["text/xml", "application/xml", "text/rdf"];
        if !known.iter().any(|known| media_type.starts_with(known)) {
            let message = match media_type {
                "" => "the document has no Content-Type".to_owned(),
                other => format!("the document is sent as {}", shortened(other)),
            };
            let oddity =
                odd("doc-media-type", message, format!("Content-Type: {}", shortened(media_type)));
            return Err(oddity.mend("Send it as Content-Type: text/xml; charset=utf-8."));
        }
    }
    if let Some(coding) = body.coding.as_deref().filter(|_| reader.has(Rule::RefusesCoding)) {
        let message = "the document is compressed, which the request did not ask for";
        let oddity =
            odd("doc-compressed", message, format!("Content-Encoding: {}", shortened(coding)));
        return Err(oddity.mend("Compress it only for requests with Accept-Encoding."));
    }
    let tree = body.tree()?;
    let root = &tree.root;
    if root.name != "clientConfig" {
        let message = format!("the document is not autoconfig: its root is {}", named(root));
        let code = if body.is_web_page() { "doc-web-page" } else { "doc-other" };
        return Err(odd(code, message, body.begin()));
    }
    if tree.has_mark && reader.has(Rule::RefusesMark) {
        return Err(odd("doc-mark", "the document begins with a byte order mark", body.begin())
            .mend("Save it as UTF-8 without a byte order mark."));
    }
    if tree.is_late && !tree.encoding.is_empty() && reader.has(Rule::RefusesLateStart) {
        let message = "white space precedes the XML declaration";
        return Err(odd("doc-late", message, body.begin())
            .mend("Remove the empty lines before the declaration."));
    }
    let is_utf8 = tree.is_utf8 && ["", "utf-8", "us-ascii"].contains(&&*tree.encoding);
    if !is_utf8 && reader.has(Rule::NeedsUtf8) {
        let message = format!("the document is not UTF-8, but {}", shortened(&tree.encoding));
        return Err(odd("doc-encoding", message, body.begin()).mend("Send it in UTF-8."));
    }
    let mut prefixed = None;
    root.each(&mut |element| {
        if !element.prefix.is_empty() {
            prefixed.get_or_insert(element);
        }
    });
    if let Some(element) = prefixed.filter(|_| reader.has(Rule::RefusesPrefixes)) {
        let message = format!("elements have a prefix: {}:{}", element.prefix, element.name);
        return Err(odd("doc-prefix", shortened(&message), body.begin())
            .mend("Write the elements without a prefix."));
    }
    if root.attribute("version").is_none() && reader.has(Rule::NeedsVersion) {
        return Err(odd("doc-no-version", "clientConfig has no version", body.begin())
            .mend("Write <clientConfig version=\"1.1\">."));
    }
    let provider = root
        .first("emailProvider")
        .ok_or_else(|| odd("doc-other", "the document has no emailProvider", body.begin()))?;
    of_provider(provider, reader)
}

/// The name of the provider.
pub fn provider_name(body: &Body) -> Option<String> {
    let tree = body.tree().ok()?;
    let name = tree.root.first("emailProvider")?.first("displayName")?.text();
    super::provider_name(&name)
}

fn of_provider(provider: &Element, reader: &Reader) -> Result<Found, Oddity> {
    let domain = reader.address.domain().as_str();
    let id = provider.attribute("id").unwrap_or_default();
    let is_name = |text: &str| text.contains('%') || address::is_host_name(text);
    if reader.has(Rule::NeedsProviderId) && !is_name(id) {
        let message = match id {
            "" => "emailProvider has no id".to_owned(),
            id => format!("the id of emailProvider is not a host name: {}", shortened(id)),
        };
        return Err(odd("doc-no-id", message, format!("<emailProvider id=\"{}\">", shortened(id)))
            .mend("Write the mail domain as the id of emailProvider."));
    }
    let domains: Vec<_> = provider.all("domain").map(|domain| domain.text()).collect();
    if reader.has(Rule::NeedsDomain) && !domains.iter().any(|name| is_name(name.trim())) {
        return Err(odd("doc-no-domain", "the document names no domain", String::new())
            .mend("Write the mail domain in a domain element."));
    }
    let is_ours = |name: &String| reader.filled(name).trim().eq_ignore_ascii_case(domain);
    if reader.has(Rule::NeedsItsDomain) && !domains.iter().any(is_ours) {
        let message =
            format!("the document is for {}, not for {domain}", shortened(&domains.join(", ")));
        return Err(odd("doc-other-domain", message, shortened(&domains.join(", ")))
            .mend("Add the mail domain in a domain element."));
    }
    let mut found = Found::default();
    for element in &provider.children {
        let is_incoming = match &*element.name {
            "incomingServer" => true,
            "outgoingServer" => false,
            _ => continue,
        };
        match server(element, is_incoming, reader, &mut found.oddities)? {
            Some(setting) => found.settings.push(setting),
            None => continue,
        }
    }
    let has = |is: fn(Protocol) -> bool| found.settings.iter().any(|setting| is(setting.protocol));
    let fatal = |code, message: &str| odd(code, message, String::new());
    if let Some(oddity) = found.oddities.first().filter(|_| found.settings.is_empty()) {
        return Err(oddity.clone());
    }
    let has_imap = has(|protocol| protocol == Protocol::Imap);
    let first = provider.first("incomingServer").and_then(|server| server.attribute("type"));
    if reader.has(Rule::NeedsImap) && !has_imap && has(Protocol::is_incoming) {
        let oddity = found.oddities.first().cloned();
        return Err(
            oddity.unwrap_or_else(|| fatal("doc-no-imap", "the document has no IMAP server"))
        );
    }
    if reader.has(Rule::ImapFirst) && has_imap && first != Some("imap") {
        return Err(fatal("doc-imap-late", "another server precedes the IMAP server")
            .mend("Write the IMAP server first."));
    }
    if !has(Protocol::is_incoming) {
        let oddity = found.oddities.first().cloned();
        return Err(oddity.unwrap_or_else(|| {
            fatal("doc-no-incoming", "the document has no server to read mail from")
        }));
    }
    if !has(|protocol| protocol == Protocol::Smtp) {
        let oddity = found.oddities.first().cloned();
        return Err(oddity
            .unwrap_or_else(|| fatal("doc-no-smtp", "the document has no server to send mail")));
    }
    Ok(found)
}

/// A server; `None` if the client skips it.
fn server(
    element: &Element,
    is_incoming: bool,
    reader: &Reader,
    oddities: &mut Vec<Oddity>,
) -> Result<Option<Setting>, Oddity> {
    let kind = element.attribute("type").unwrap_or_default();
    if element.attributes.len() > 1 && reader.has(Rule::RefusesAttributes) {
        let names: Vec<_> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("a server has further attributes than type: {}", names.join(", "));
        return Err(odd("doc-attribute", shortened(&message), shortened(&names.join(" ")))
            .mend("Write only type at a server."));
    }
    let protocol = match (is_incoming, kind) {
        (true, "imap") => Protocol::Imap,
        (true, "pop3") => Protocol::Pop3,
        (false, "smtp") => Protocol::Smtp,
        (_, other) => {
            let message = format!("the type of a server is {}", shortened(other));
            let oddity = odd("doc-type", message, format!("type=\"{}\"", shortened(other)));
            return match reader.has(Rule::RefusesOtherTypes) {
                true => Err(oddity.mend("Write imap, pop3 and smtp first, or leave it out.")),
                false => Ok(None),
            };
        }
    };
    let before = oddities.len();
    let host = value(element, "hostname", reader, oddities).unwrap_or_default();
    if reader.has(Rule::DropsDomainPlaceholder) && host.contains(DOMAIN) {
        let message = format!("{DOMAIN} is in the host of the {kind} server");
        // Evolution takes the server with what is left of its host.
        return Err(odd("doc-placeholder", message, snippet(element, "hostname"))
            .mend("Write the host name itself, without placeholders."));
    }
    let host = match reader.has(Rule::KeepsPlaceholdersInHosts) {
        true => host,
        false => reader.filled(&host),
    };
    let Some(name) = super::host(&host) else {
        let code = if host.contains('%') || element_has(element, DOMAIN) {
            "doc-placeholder"
        } else {
            "doc-host"
        };
        let message = format!("the host of the {kind} server is `{}`", shortened(&host));
        // Unless what is odd about its text was said.
        if oddities.len() == before {
            oddities.push(
                odd(code, message, snippet(element, "hostname"))
                    .mend("Write the host name itself, without placeholders."),
            );
        }
        // Evolution takes the server with that host.
        return match oddities.last().filter(|_| reader.has(Rule::LastServer)) {
            Some(oddity) => Err(oddity.clone()),
            None => Ok(None),
        };
    };
    let port = element.first("port").map(|port| text(port, reader)).unwrap_or_default();
    if reader.has(Rule::ExactPorts) && port.trim() != port {
        let message = format!("white space surrounds the port of the {kind} server");
        return Err(odd("doc-white-space", message, snippet(element, "port"))
            .mend("Write the value as plain text on one line."));
    }
    let port = value(element, "port", reader, oddities);
    let Some(port) = port.and_then(|port| port.trim().parse::<NonZeroU16>().ok()) else {
        let message = format!("the {kind} server has no port");
        let oddity = odd("doc-port", message, snippet(element, "port"))
            .mend("Write the port of each server.");
        // Pimalaya reads a number or nothing; Evolution takes the port as 0.
        if reader.has(Rule::RefusesOtherTypes) || reader.has(Rule::LastServer) {
            return Err(oddity);
        }
        oddities.push(oddity);
        return Ok(None);
    };
    let at = (protocol, port);
    let Some(security) = security(element, at, reader, oddities)? else { return Ok(None) };
    let methods = methods(element, &name, reader);
    if let Some(oddity) = unknown_method(element, kind, &methods, reader) {
        if reader.has(Rule::RefusesOtherTypes) || reader.has(Rule::RefusesOtherMethods) {
            return Err(oddity);
        }
        oddities.push(oddity);
        return Ok(None);
    }
    let template = value(element, "username", reader, oddities).unwrap_or_default();
    let needs_login = is_incoming || methods.iter().any(|method| method != "none");
    let mut login = reader.login(&template);
    let bad_login = |what: String| {
        odd("doc-username", format!("the {kind} server has {what}"), snippet(element, "username"))
            .mend("Write <username>%EMAILADDRESS%</username>.")
    };
    if login.trim().is_empty() && needs_login {
        let oddity = bad_login("no username".to_owned());
        if reader.has(Rule::RefusesPlain) {
            return Err(oddity);
        }
        oddities.push(oddity);
        // Delta Chat and Thunderbird skip the server, the latter only if there is no element.
        let is_skipped = match reader.has(Rule::TypedText) {
            true => element.first("username").is_none(),
            false => reader.has(Rule::EveryServer) && !reader.has(Rule::RefusesOtherTypes),
        };
        if is_skipped {
            return Ok(None);
        }
    }
    if reader.has(Rule::TypedText) && needs_login {
        if let Some(typed) = typed(&template) {
            if !template.is_empty() {
                let what = format!("the username {}, which is read as {typed}", shortened(&login));
                oddities.push(bad_login(what));
            }
            login = typed;
        }
    }
    Ok(Some(Setting { protocol, host: name, port: port.get(), security, methods, login }))
}

/// A value that Thunderbird reads as a number or a boolean, as the text that becomes of it.
fn typed(text: &str) -> Option<String> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    match text {
        "" => Some("true".to_owned()),
        text if is_number => {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
            Some(number.to_string())
        }
        _ => None,
    }
}

/// The security of a server; `None` if the client skips the server.
fn security(
    element: &Element,
    (protocol, port): (Protocol, NonZeroU16),
    reader: &Reader,
    oddities: &mut Vec<Oddity>,
) -> Result<Option<Security>, Oddity> {
    let kind = element.attribute("type").unwrap_or_default();
    let by_port = match ports::security_of(protocol, port) {
        Some(Security::StartTls) => Security::StartTls,
        _ => Security::Tls,
    };
    let mut bad = None;
    for child in element.all("socketType") {
        let text = text(child, reader);
        let is_exact = reader.has(Rule::ExactWords);
        let word = if is_exact { text.clone() } else { text.trim().to_ascii_uppercase() };
        match &*word {
            "SSL" => return Ok(Some(Security::Tls)),
            "STARTTLS" => return Ok(Some(Security::StartTls)),
            "plain" | "PLAIN" if reader.has(Rule::RefusesPlain) => {
                let message = format!("the {kind} server is without TLS");
                return Err(odd("doc-plain", message, snippet(element, "socketType"))
                    .mend("Offer TLS, and write <socketType>SSL</socketType>."));
            }
            "plain" | "PLAIN" if reader.has(Rule::IgnoresPlain) => return Ok(Some(by_port)),
            "plain" | "PLAIN" => {
                let message = format!("the {kind} server is without TLS");
                oddities.push(
                    odd("doc-plain", message, snippet(element, "socketType"))
                        .mend("Offer TLS, and write <socketType>SSL</socketType>."),
                );
                return Ok(Some(Security::Plain));
            }
            _ => bad = Some(text),
        }
    }
    let (code, message) = match bad {
        None => ("doc-security", format!("the {kind} server has no socketType")),
        Some(text) if text.trim() != text => (
            "doc-white-space",
            format!("white space surrounds the socketType of the {kind} server"),
        ),
        Some(text) => {
            ("doc-security", format!("the socketType of the {kind} server is {}", shortened(&text)))
        }
    };
    let oddity = odd(code, message, snippet(element, "socketType"))
        .mend("Write <socketType>SSL</socketType> or <socketType>STARTTLS</socketType>.");
    if reader.has(Rule::RefusesPlain) || reader.has(Rule::RefusesOtherTypes) {
        return Err(oddity);
    }
    oddities.push(oddity);
    Ok(match () {
        () if reader.has(Rule::UnknownIsStartTls) => Some(Security::StartTls),
        () if reader.has(Rule::UnknownIsTls) => Some(Security::Tls),
        () if reader.has(Rule::UnknownIsPlain) => Some(Security::Plain),
        () if reader.has(Rule::IgnoresPlain) => Some(by_port),
        // Delta Chat tries both; others skip the server.
        () => reader.has(Rule::EveryServer).then_some(Security::Tls),
    })
}

/// What is wrong with the methods, if the client refuses the server for them.
fn unknown_method(
    element: &Element,
    kind: &str,
    methods: &[String],
    reader: &Reader,
) -> Option<Oddity> {
    let words: Vec<_> = element.all("authentication").map(|method| text(method, reader)).collect();
    let is_strict = reader.has(Rule::RefusesOtherTypes);
    let known = if is_strict { &STRICT_METHODS[..] } else { &METHODS };
    let unknown = words.iter().find(|word| !known.contains(&word.trim()));
    // Thunderbird needs one that it can use; Pimalaya, words that it knows.
    let is_refused =
        reader.has(Rule::FirstMethod) && methods.is_empty() || is_strict && unknown.is_some();
    let word = unknown.or(words.first());
    is_refused.then(|| {
        let message = match word {
            Some(word) => format!("the authentication of the {kind} server is {}", shortened(word)),
            None => format!("the {kind} server has no authentication"),
        };
        odd("doc-method", message, snippet(element, "authentication"))
            .mend("Write <authentication>password-cleartext</authentication>.")
    })
}

/// The methods in the order in which the client tries them; unknown words are left out.
fn methods(element: &Element, host: &str, reader: &Reader) -> Vec<String> {
    if reader.has(Rule::IgnoresMethods) {
        return Vec::new();
    }
    let is_usable = |method: &String| match method.as_str() {
        method if reader.has(Rule::LastMethod) => LAST_METHODS.contains(&method),
        "OAuth2" if reader.has(Rule::NoOAuth2) => false,
        "OAuth2" if reader.has(Rule::OAuth2ByHost) => clients::know_oauth2_of(host),
        method => METHODS.contains(&method),
    };
    let all: Vec<_> = element
        .all("authentication")
        .map(|method| text(method, reader).trim().to_owned())
        .filter(is_usable)
        .collect();
    if reader.has(Rule::LastMethod) {
        all.last().cloned().into_iter().collect()
    } else if reader.has(Rule::FirstOtherMethod) {
        let other = all.iter().find(|method| *method != "password-cleartext");
        other.or(all.first()).cloned().into_iter().collect()
    } else if reader.has(Rule::FirstMethod) {
        all.into_iter().take(1).collect()
    } else {
        all
    }
}

/// The text of the first element of a name, as the client reads it.
fn value(
    element: &Element,
    name: &str,
    reader: &Reader,
    oddities: &mut Vec<Oddity>,
) -> Option<String> {
    let child = element.first(name)?;
    let has = |is: fn(&Piece) -> bool| child.pieces.iter().any(is);
    let lost = match () {
        () if reader.has(Rule::DropsCData) && has(|piece| matches!(piece, Piece::CData(_))) => {
            Some(("doc-cdata", "is in a CDATA section"))
        }
        () if reader.has(Rule::LosesReferences)
            && has(|piece| matches!(piece, Piece::Reference(_))) =>
        {
            Some(("doc-reference", "has a character reference"))
        }
        () if reader.has(Rule::KeepsBlanks) && child.text().trim() != child.text() => {
            Some(("doc-white-space", "has white space around its text"))
        }
        () => None,
    };
    if let Some((code, what)) = lost {
        oddities.push(
            odd(code, format!("{name} {what}"), snippet(element, name))
                .mend("Write the value as plain text on one line."),
        );
    }
    let text = text(child, reader);
    // Only names of hosts are trimmed by all.
    Some(match reader.has(Rule::KeepsBlanks) {
        true => text,
        false => text.trim().to_owned(),
    })
}

/// The text of an element, without what the client loses.
fn text(element: &Element, reader: &Reader) -> String {
    let mut text = String::new();
    for piece in &element.pieces {
        match piece {
            Piece::CData(_) if reader.has(Rule::DropsCData) => {}
            Piece::Reference(_) if reader.has(Rule::LosesReferences) => text.clear(),
            piece => text.push_str(piece.as_str()),
        }
    }
    text
}

fn element_has(element: &Element, text: &str) -> bool {
    element.children.iter().any(|child| child.text().contains(text))
}

/// An element as it is in the document.
fn snippet(element: &Element, name: &str) -> String {
    match element.first(name) {
        Some(child) => format!("{name}: \"{}\"", shortened(&child.text())),
        None => format!("{name} is missing"),
    }
}

fn named(element: &Element) -> String {
    shortened(&element.name)
}
