//! Reads an Apple profile: the mail accounts in it.
//!
//! Rules: Apple's device management schema, `com.apple.mail.managed`. Reads the XML form only, which
//! is the one that servers write.

use super::{Setting, shortened};
use mailsetup::account::{Protocol, Security};
use mailsetup::ports;
use mailsetup::xml::tree::{Element, tree};
use std::num::NonZeroU16;

/// The mail account in a profile: its servers, and what is wrong if there is none.
pub fn settings(bytes: &[u8]) -> Result<Vec<Setting>, String> {
    let tree = tree(bytes).map_err(|err| err.to_string())?;
    if tree.root.name != "plist" {
        return Err(format!("the root element is {}, not plist", shortened(&tree.root.name)));
    }
    let profile = tree.root.first("dict").ok_or("the profile has no dictionary")?;
    let content = value(profile, "PayloadContent").ok_or("the profile has no PayloadContent")?;
    let is_mail = |payload: &&Element| {
        value(payload, "PayloadType").is_some_and(|kind| kind.text() == "com.apple.mail.managed")
    };
    let payload = content.all("dict").find(is_mail).ok_or("the profile has no mail account")?;
    let incoming = match text(payload, "EmailAccountType").as_str() {
        "EmailTypeIMAP" => Protocol::Imap,
        "EmailTypePOP" => Protocol::Pop3,
        other => return Err(format!("EmailAccountType is {}", shortened(other))),
    };
    let server = |protocol: Protocol, prefix: &str| {
        let key = |name: &str| format!("{prefix}MailServer{name}");
        let host = text(payload, &key("HostName"));
        if host.is_empty() {
            return Err(format!("{} is missing", key("HostName")));
        }
        let host = super::host(&host)
            .ok_or_else(|| format!("{} is {}", key("HostName"), shortened(&host)))?;
        let has_tls = value(payload, &key("UseSSL")).is_some_and(|value| value.name == "true");
        let security = if has_tls { Security::Tls } else { Security::Plain };
        let port = match value(payload, &key("PortNumber")) {
            Some(port) if port.name == "integer" => {
                let port = port.text().trim().parse::<NonZeroU16>();
                port.map_err(|_| format!("{} is not a port", key("PortNumber")))?
            }
            Some(_) => return Err(format!("{} is not an integer", key("PortNumber"))),
            None => ports::usual(protocol, security),
        };
        // The device uses STARTTLS on the ports for it.
        let usual = ports::security_of(protocol, port);
        let security = match (security, usual) {
            (Security::Tls, Some(Security::StartTls)) => Security::StartTls,
            (security, _) => security,
        };
        let login = text(payload, &key("Username"));
        Ok(Setting { protocol, host, port: port.get(), security, methods: Vec::new(), login })
    };
    Ok(vec![server(incoming, "Incoming")?, server(Protocol::Smtp, "Outgoing")?])
}

fn text(dictionary: &Element, key: &str) -> String {
    value(dictionary, key).map(Element::text).unwrap_or_default()
}

/// The element after a key.
fn value<'a>(dictionary: &'a Element, key: &str) -> Option<&'a Element> {
    let pairs = dictionary.children.windows(2);
    let mut found = pairs.filter(|pair| pair[0].name == "key" && pair[0].text() == key);
    found.next().map(|pair| &pair[1])
}
