//! Reads an Apple configuration profile (`.mobileconfig`), also a signed one.
//!
//! Rules: Apple's device management schema. Mail, calendars, address books and ActiveSync are carried
//! over, all other payloads are named. Passwords are named without their value. Refuses encrypted
//! profiles, and property lists in Apple's binary form. The signature itself is not checked: the file is
//! the admin's own.

use super::marked::is_marked;
use super::part::{Carrier, Part, Said, decoded, described, found, placeholder, text};
use crate::account::{Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security};
use crate::draft::{Draft, NoteKind, Noted, Server, Value, merge};
use crate::ports;
use crate::sign;
use crate::xml::tree::Element;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

/// The beginning of the document.
const START: &str = "<plist";
/// The beginning of a signed profile: an ASN.1 SEQUENCE with a long length.
const SIGNED: [&[u8]; 3] = [&[0x30, 0x80], &[0x30, 0x82], &[0x30, 0x83]];
/// Longest identifier of a mailbox behind that of the provider.
const MAILBOX_LEN: usize = 32;

/// True for a profile, signed or not.
pub fn recognises(bytes: &[u8]) -> bool {
    let text = bytes.windows(START.len()).any(|window| window == START.as_bytes());
    is_binary(bytes) || text || is_pem(bytes)
}

/// True for a signed profile, or a property list in Apple's binary form.
pub fn is_binary(bytes: &[u8]) -> bool {
    SIGNED.iter().any(|start| bytes.starts_with(start)) || bytes.starts_with(b"bplist")
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes.starts_with(b"-----BEGIN PKCS7") || bytes.starts_with(b"-----BEGIN CMS")
}

/// The draft of a file; the error is a message without the name of the file.
pub fn read(source: &str, bytes: &[u8]) -> Result<Draft, String> {
    if is_pem(bytes) {
        return Err(
            "the signed profile is in PEM; `openssl cms -verify -noverify -inform PEM` takes \
                    the profile out of it"
                .to_owned(),
        );
    }
    let is_signed = SIGNED.iter().any(|start| bytes.starts_with(start));
    if !is_signed {
        return of_list(source, bytes);
    }
    let content = sign::content(bytes)?;
    let mut draft = of_list(source, &content)?;
    let text =
        "the profile is signed; apple.signing_certificate and apple.signing_key sign new ones";
    draft.note(NoteKind::Hint, None, text);
    Ok(draft)
}

/// The draft of a property list.
fn of_list(source: &str, bytes: &[u8]) -> Result<Draft, String> {
    if bytes.starts_with(b"bplist") {
        return Err(
            "the profile is a binary property list; `plutil -convert xml1 FILE` on a Mac, or \
                    `plistutil -i FILE` on Linux, makes text of it"
                .to_owned(),
        );
    }
    found(source, &decoded(bytes)?, START, of_part)
}

/// The draft of a document.
pub(super) fn of_part(mut part: Part) -> Result<Draft, String> {
    let root = part.tree()?.root;
    if root.name != "plist" {
        return Err(format!("the root element is {}, not plist", root.name));
    }
    let profile = root.first("dict").ok_or("the property list has no dictionary")?;
    let profile = pairs(profile);
    if profile.flag("IsEncrypted") == Some(true) || profile.has("EncryptedPayloadContent") {
        return Err("the profile is encrypted".to_owned());
    }
    let content = profile.value("PayloadContent");
    let content = content.filter(|content| content.name == "array");
    let content = content.ok_or("the profile has no PayloadContent")?;
    let payloads: Vec<_> = content.all("dict").map(pairs).collect();
    let mut drafts = Vec::new();
    for (address, payloads) in of_mailboxes(&payloads) {
        let mut carrier = Carrier::new(part.source);
        if let Some((line, address)) = address {
            carrier.address(line, address);
        }
        if drafts.is_empty() {
            top(&mut carrier, &profile);
        }
        for payload in payloads {
            self::payload(&mut carrier, payload);
        }
        drafts.push(carrier.finish());
    }
    Ok(merge(drafts))
}

/// The payloads of each mailbox, with its address. Those without an address are of the mailbox before.
type Mailbox<'a> = (Option<(usize, String)>, Vec<&'a Pairs<'a>>);

fn of_mailboxes<'a>(payloads: &'a [Pairs<'a>]) -> Vec<Mailbox<'a>> {
    let mut mailboxes: Vec<Mailbox> = vec![(None, Vec::new())];
    let mut at = 0;
    for payload in payloads {
        let keys = ["EmailAddress", "IncomingMailServerUsername", "CalDAVUsername"];
        let values = keys.into_iter().filter_map(|key| payload.value(key));
        let mut values = values.map(|value| (value.line, text(value)));
        if let Some(address) = values.find(|(_, text)| is_address(text)) {
            let is_it = |(known, _): &Mailbox| {
                known.as_ref().is_none_or(|(_, known)| known.eq_ignore_ascii_case(&address.1))
            };
            at = mailboxes.iter().position(is_it).unwrap_or(mailboxes.len());
            match mailboxes.get_mut(at) {
                Some((known, _)) => drop(known.get_or_insert(address)),
                None => mailboxes.push((Some(address), Vec::new())),
            }
        }
        mailboxes[at].1.push(payload);
    }
    mailboxes
}

fn payload(carrier: &mut Carrier, payload: &Pairs) {
    let kind = payload.text("PayloadType");
    match kind.as_str() {
        "com.apple.mail.managed" => mail(carrier, payload),
        "com.apple.caldav.account" => dav(carrier, payload, &CALDAV),
        "com.apple.carddav.account" => dav(carrier, payload, &CARDDAV),
        "com.apple.eas.account" => activesync(carrier, payload),
        _ => {
            let name = payload.text("PayloadDisplayName");
            let text = match kind.is_empty() {
                true => "a payload without PayloadType".to_owned(),
                false => described(&format!("payload {kind}"), &name),
            };
            carrier.not_carried(payload.line, text);
        }
    }
}

fn is_address(text: &str) -> bool {
    crate::address::EmailAddress::parse(text.as_bytes()).is_ok()
        && !text.contains(['%', '{', '$', '<'])
}

/// True for an address, or the placeholder for one.
fn is_of_address(text: &str) -> bool {
    is_address(text) || text.is_empty() || text == EMAIL_ADDRESS || placeholder(text).is_some()
}

//------------ Pairs ----------------------------------------------------------

/// A dictionary.
struct Pairs<'a> {
    line: usize,
    pairs: Vec<(String, &'a Element)>,
}

fn pairs(dictionary: &Element) -> Pairs<'_> {
    let mut pairs = Vec::new();
    let mut key = None;
    for child in &dictionary.children {
        match (child.name.as_str(), key.take()) {
            ("key", _) => key = Some(text(child)),
            (_, Some(key)) => pairs.push((key, child)),
            (_, None) => {}
        }
    }
    Pairs { line: dictionary.line, pairs }
}

impl<'a> Pairs<'a> {
    fn value(&self, key: &str) -> Option<&'a Element> {
        self.pairs.iter().find(|(known, _)| known == key).map(|(_, value)| *value)
    }

    fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// The text of a key; empty if there is none.
    fn text(&self, key: &str) -> String {
        self.value(key).map(text).unwrap_or_default()
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)?.name.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The keys that are in none of the lists, with their values in words.
    fn others(&self, known: &[&str]) -> Vec<(usize, String)> {
        let is_default = |key: &str, value: &Element| {
            DEFAULT_FALSE.contains(&key) && value.name == "false"
                || SHOWN.contains(&key)
                || key == "EmailAccountName" && is_of_address(&text(value))
        };
        let others = self
            .pairs
            .iter()
            .filter(|(key, value)| !known.contains(&key.as_str()) && !is_default(key, value));
        others.map(|(key, value)| (value.line, in_words(key, value))).collect()
    }

    /// The pairs whose key was there before: the first is read.
    fn doubled(&self) -> impl Iterator<Item = (usize, String)> {
        let mut seen = BTreeSet::new();
        let doubled = self.pairs.iter().filter(move |(key, _)| !seen.insert(key));
        doubled.map(|(key, value)| (value.line, in_words(key, value)))
    }
}

/// A key with its value; a secret without it.
fn in_words(key: &str, value: &Element) -> String {
    match value.name.as_str() {
        "true" | "false" => format!("{key} {}", value.name),
        "dict" | "array" | "data" => key.to_owned(),
        _ => described(key, &text(value)),
    }
}

/// Notes all keys that are not known here, in one note for each payload.
fn rest(carrier: &mut Carrier, payload: &Pairs, known: &[&[&str]]) {
    for (line, words) in payload.doubled() {
        carrier.not_carried(line, format!("a second {words}"));
    }
    let known: Vec<_> = known.iter().flat_map(|list| list.iter().copied()).collect();
    let others = payload.others(&known);
    let Some((line, _)) = others.first() else { return };
    let words: Vec<_> = others.iter().take(20).map(|(_, words)| words.as_str()).collect();
    let more = if others.len() > 20 { " …" } else { "" };
    carrier
        .not_carried(*line, format!("{}{more}: mailsetup has no such setting", words.join(", ")));
}

//------------ the profile itself ---------------------------------------------

/// The keys that every payload has. This program writes its own values for them.
const COMMON: [&str; 4] = ["PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadUUID"];
/// Those of the profile itself that are read one by one.
const TOP: [&str; 6] = [
    "PayloadContent",
    "PayloadDisplayName",
    "PayloadDescription",
    "PayloadOrganization",
    "ConsentText",
    "IsEncrypted",
];
/// Keys for what the device shows: it has the address now.
const SHOWN: [&str; 3] =
    ["EmailAccountDescription", "CalDAVAccountDescription", "CardDAVAccountDescription"];
/// Keys that are false if they are missing.
const DEFAULT_FALSE: [&str; 9] = [
    "PayloadRemovalDisallowed",
    "HasRemovalPasscode",
    "PreventMove",
    "PreventAppSheet",
    "SMIMEEnabled",
    "SMIMESigningEnabled",
    "SMIMEEncryptionEnabled",
    "SMIMEEnablePerMessageSwitch",
    "disableMailRecentsSyncing",
];

fn top(carrier: &mut Carrier, profile: &Pairs) {
    let is_of_mailbox = |carrier: &Carrier, text: &str| {
        let address = carrier.address.as_deref();
        address.is_some_and(|address| text.contains(address))
            || [EMAIL_ADDRESS, EMAIL_LOCAL_PART].iter().any(|it| text.contains(it))
            || placeholder(text).is_some()
    };
    if let Some(element) = profile.value("PayloadOrganization") {
        if let Some(name) = carrier.known(element) {
            carrier.set("provider.name", element.line, name);
        }
    }
    if let Some(element) = profile.value("PayloadDescription") {
        if let Some(description) = carrier.known(element) {
            match is_of_mailbox(carrier, &description) {
                // The default names the mailbox, too.
                true => {}
                false => {
                    let texts = BTreeMap::from([("en".to_owned(), description)]);
                    let reason = format!(
                        "{}: the language of the description is not known",
                        carrier.place(element.line)
                    );
                    let value = Noted::assumed(Value::Texts(texts), reason);
                    carrier.put("apple.description", element.line, value);
                }
            }
        }
    }
    if let Some(element) = profile.value("ConsentText") {
        consent(carrier, element);
    }
    if let Some(element) = profile.value("PayloadIdentifier") {
        identifier(carrier, element);
    }
    rest(carrier, profile, &[&COMMON, &TOP]);
}

fn consent(carrier: &mut Carrier, element: &Element) {
    let mut texts = BTreeMap::new();
    let consent = pairs(element);
    for (language, value) in &consent.pairs {
        let Some(text) = carrier.known(value) else { continue };
        if language != "default" && !is_marked(language) {
            texts.insert(language.to_ascii_lowercase(), text);
        }
    }
    let default = consent.text("default");
    let is_other = !default.is_empty() && !texts.values().any(|text| *text == default);
    if is_other && texts.contains_key("en") {
        carrier.not_carried(element.line, described("ConsentText default", &default));
    } else if is_other {
        let reason = format!(
            "{}: the language of the terms under `default` is not known",
            carrier.place(element.line)
        );
        texts.insert("en".to_owned(), default);
        carrier.put("apple.consent", element.line, Noted::assumed(Value::Texts(texts), reason));
        return;
    }
    if !texts.is_empty() {
        carrier.set("apple.consent", element.line, Value::Texts(texts));
    }
}

/// The identifier, if it is one of this program: devices know the account again then.
fn identifier(carrier: &mut Carrier, element: &Element) {
    let text = text(element);
    let is_of_mailbox = |part: &str| {
        part.len() == MAILBOX_LEN
            && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            // A UUID of version 5.
            && part.as_bytes().get(12) == Some(&b'5')
    };
    match text.rsplit_once('.') {
        Some((provider, mailbox)) if is_of_mailbox(mailbox) => {
            let value =
                carrier.translated(element.line, Value::from(provider), "PayloadIdentifier", &text);
            carrier.put("apple.identifier", element.line, value);
        }
        _ => {
            let text = described("PayloadIdentifier", &text);
            let text = format!("{text}: {}", super::part::NEW_IDENTIFIERS);
            carrier.hint(element.line, text);
        }
    }
}

//------------ payloads -------------------------------------------------------

/// The keys of a mail account that are carried over, or say what this program says as well.
const MAIL: [&str; 13] = [
    "EmailAccountType",
    "EmailAddress",
    "IncomingMailServerHostName",
    "IncomingMailServerPortNumber",
    "IncomingMailServerUseSSL",
    "IncomingMailServerAuthentication",
    "IncomingMailServerUsername",
    "OutgoingMailServerHostName",
    "OutgoingMailServerPortNumber",
    "OutgoingMailServerUseSSL",
    "OutgoingMailServerAuthentication",
    "OutgoingMailServerUsername",
    "OutgoingPasswordSameAsIncomingPassword",
];

fn mail(carrier: &mut Carrier, payload: &Pairs) {
    let incoming = match payload.text("EmailAccountType").as_str() {
        "EmailTypeIMAP" => Some(Protocol::Imap),
        "EmailTypePOP" => Some(Protocol::Pop3),
        other => {
            carrier.not_carried(payload.line, described("EmailAccountType", other));
            None
        }
    };
    for (protocol, prefix) in incoming
        .map(|protocol| (protocol, "IncomingMailServer"))
        .into_iter()
        .chain([(Protocol::Smtp, "OutgoingMailServer")])
    {
        server(carrier, payload, protocol, prefix);
    }
    if payload.flag("OutgoingPasswordSameAsIncomingPassword") == Some(false) {
        let text = "OutgoingPasswordSameAsIncomingPassword false: one password is asked for";
        carrier.not_carried(payload.line, text);
    }
    rest(carrier, payload, &[&COMMON, &MAIL]);
}

fn server(carrier: &mut Carrier, payload: &Pairs, protocol: Protocol, prefix: &str) {
    let field = |name: &str| {
        let key = format!("{prefix}{name}");
        payload.value(&key).map(|element| (element, key))
    };
    let mut server = Server::new(protocol);
    if let Some((element, key)) = field("HostName") {
        if let Some(host) = carrier.known_text(element.line, &key, text(element)) {
            server.host = Some(carrier.seen(element.line, host));
        }
    }
    if server.host.is_none() {
        let text = format!("the {protocol} server: {prefix}HostName is not known");
        return carrier.not_carried(payload.line, text);
    }
    if let Some((element, key)) = field("PortNumber") {
        if let Some(port) = carrier.known_text(element.line, &key, text(element)) {
            match port.parse() {
                Ok(port) => server.port = Some(carrier.seen(element.line, port)),
                Err(_) => carrier.not_carried(element.line, described(&key, &port)),
            }
        }
    }
    // Without the key, a device uses no TLS.
    let (line, has_tls) = match field("UseSSL") {
        Some((element, key)) if !["true", "false"].contains(&element.name.as_str()) => {
            carrier.not_carried(element.line, described(&key, &text(element)));
            (element.line, true)
        }
        Some((element, _)) => (element.line, element.name == "true"),
        None => (payload.line, false),
    };
    let port = server.port.as_ref().map(|port| port.value);
    let by_port = port.and_then(NonZeroU16::new).and_then(|it| ports::security_of(protocol, it));
    // The device uses STARTTLS on the ports for it.
    let security = match (has_tls, by_port, port) {
        (true, Some(security), _) => security,
        (true, None, Some(25)) => Security::StartTls,
        (true, None, _) => Security::Tls,
        (false, ..) => Security::Plain,
    };
    let words = format!("{prefix}UseSSL {has_tls}");
    if server.port.is_none() {
        let port = ports::usual(protocol, security).get();
        server.port = Some(Noted::assumed(port, "the usual port, as none is given"));
    }
    if let Some((element, key)) = field("Authentication") {
        if let Some(method) = carrier.known_text(element.line, &key, text(element)) {
            let auth = match method.as_str() {
                "EmailAuthPassword" => Some(Auth::Password),
                "EmailAuthCRAMMD5" => Some(Auth::CramMd5),
                "EmailAuthNTLM" => Some(Auth::Ntlm),
                "EmailAuthNone" if protocol == Protocol::Smtp => Some(Auth::None),
                _ => {
                    carrier.not_carried(element.line, described(&key, &method));
                    None
                }
            };
            let auth = auth.map(|auth| carrier.translated(element.line, vec![auth], &key, &method));
            server.auth = auth;
        }
    }
    if let Some((element, key)) = field("Username") {
        server.username = carrier.login(element.line, &key, text(element));
    }
    carrier.add(server, Some(Said { security, line, words }));
}

/// The keys of calendars and address books.
struct Dav {
    url: &'static str,
    username: &'static str,
    prefix: &'static str,
}

const CALDAV: Dav = Dav { url: "caldav.url", username: "caldav.username", prefix: "CalDAV" };
const CARDDAV: Dav = Dav { url: "carddav.url", username: "carddav.username", prefix: "CardDAV" };

fn dav(carrier: &mut Carrier, payload: &Pairs, dav: &Dav) {
    let names = ["HostName", "Port", "UseSSL", "PrincipalURL", "Username"];
    let names = names.map(|name| format!("{}{name}", dav.prefix));
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let [host, port, tls, principal, username] = &names;
    rest(carrier, payload, &[&COMMON, &known]);
    let Some(element) = payload.value(host) else {
        return carrier.not_carried(payload.line, format!("{host} is missing"));
    };
    if payload.flag(tls) == Some(false) {
        let text = format!("{tls} false: {} without TLS", text(element));
        return carrier.not_carried(element.line, text);
    }
    let Some(name) = carrier.known(element) else { return };
    let path = payload.text(principal);
    let is_url = path.contains("://");
    if is_url && !path.starts_with("https://") {
        return carrier.not_carried(element.line, described(principal, &path));
    }
    let host = path.split("://").nth(1).unwrap_or_default().split(['/', ':']).next();
    if is_url && !host.is_some_and(|host| host.eq_ignore_ascii_case(&name)) {
        let text = format!("{}: {principal} is on another host", described(&names[0], &name));
        carrier.not_carried(element.line, text);
    }
    let url = url(&name, &payload.text(port), &path);
    if let Some(url) = carrier.known_text(element.line, principal, url) {
        carrier.set_url(dav.url, element.line, &url);
    }
    if let Some(element) = payload.value(username) {
        if let Some(login) = carrier.login(element.line, username, text(element)) {
            let Noted { value, origin } = login;
            let login = Noted { value: Value::Text(value), origin };
            carrier.put(dav.username, element.line, login);
        }
    }
}

/// The URL of a host, a port that may be empty, and a path or a whole URL that may be empty.
fn url(host: &str, port: &str, path: &str) -> String {
    if path.starts_with("https://") {
        return path.to_owned();
    }
    let is_usual = port.is_empty() || port.parse() == Ok(crate::url::HTTPS_PORT);
    let port = if is_usual { String::new() } else { format!(":{port}") };
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("https://{host}{port}{slash}{path}")
}

fn activesync(carrier: &mut Carrier, payload: &Pairs) {
    let known = ["Host", "SSL", "EmailAddress", "UserName"];
    rest(carrier, payload, &[&COMMON, &known]);
    let Some(element) = payload.value("Host") else {
        return carrier.not_carried(payload.line, "Host of ActiveSync is missing");
    };
    if payload.flag("SSL") == Some(false) {
        let text = format!("SSL false: ActiveSync at {} without TLS", text(element));
        return carrier.not_carried(element.line, text);
    }
    if let Some(host) = carrier.known(element) {
        let url = format!("https://{host}/Microsoft-Server-ActiveSync");
        let url = carrier.translated(element.line, Value::Text(url), "Host", &host);
        carrier.put("activesync.url", element.line, url);
    }
    if let Some(element) = payload.value("UserName") {
        if let Some(login) = carrier.login(element.line, "UserName", text(element)) {
            let Noted { value, origin } = login;
            let login = Noted { value: Value::Text(value), origin };
            carrier.put("activesync.username", element.line, login);
        }
    }
}
