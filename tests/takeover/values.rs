//! The values of a document, by name: autoconfig, Autodiscover and profiles, each in one form
//! whatever wrote it. Nothing in a document is left out.
//!
//! What is only another spelling of the same is written alike: the address and its place-holder, the
//! two words for a password, `POP` and `POP3`, the elements that say how a connection is protected.

use mailsetup::xml::tree::{Element, tree};
use plist::Value;
use std::collections::BTreeMap;

/// The values of a document.
pub type Values = BTreeMap<String, String>;

/// The documents of mail clients.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    Autoconfig,
    Autodiscover,
    Profile,
}

impl Kind {
    /// The argument of `mailsetup show --client`.
    pub fn client(self) -> &'static str {
        match self {
            Kind::Autoconfig => "thunderbird",
            Kind::Autodiscover => "outlook",
            Kind::Profile => "apple",
        }
    }

    /// The kind of a document.
    pub fn of(body: &[u8]) -> Option<Kind> {
        let text = String::from_utf8_lossy(body);
        let has = |word: &str| text.contains(word);
        match () {
            () if has("<clientConfig") => Some(Kind::Autoconfig),
            () if has("<Protocol>") => Some(Kind::Autodiscover),
            () if has("<plist") => Some(Kind::Profile),
            () => None,
        }
    }
}

/// The values of a document for `ann@` and the domain.
pub fn values(kind: Kind, body: &[u8], domain: &str) -> Values {
    let mut values = Values::new();
    match kind {
        Kind::Profile => {
            let profile = plist::from_bytes(body).expect("a property list");
            of_profile(&profile, "", &mut values);
        }
        _ => {
            let tree = tree(body).expect("XML");
            of_element(&tree.root, "", &mut values);
        }
    }
    if kind == Kind::Autodiscover {
        values = with_security(values);
    }
    for (name, value) in &mut values {
        *value = value.trim().replace(&format!("ann@{domain}"), "%EMAILADDRESS%");
        let is_login = ["username", "LoginName", "Username"].iter().any(|end| name.ends_with(end));
        if is_login && value == "ann" {
            *value = "%EMAILLOCALPART%".to_owned();
        }
        // Thunderbird takes the first for the second.
        if name.ends_with("/authentication") && value == "plain" {
            *value = "password-cleartext".to_owned();
        }
    }
    values
}

/// Adds a value; a second one of the same name has a number.
fn add(values: &mut Values, name: &str, value: &str) {
    let name = name.trim_start_matches('/');
    let mut found = name.to_owned();
    let mut count = 1;
    while values.contains_key(&found) {
        count += 1;
        found = format!("{name} {count}");
    }
    values.insert(found, value.to_owned());
}

/// Elements by their names, those of servers also by the protocol.
fn of_element(element: &Element, path: &str, values: &mut Values) {
    for (name, value) in &element.attributes {
        let is_structure = name.starts_with("xmlns") || name == "type" || name == "version";
        if !is_structure && name != "lang" {
            add(values, &format!("{path}@{name}"), value);
        }
    }
    if element.children.is_empty() && !element.text().trim().is_empty() {
        add(values, path, &element.text());
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for child in &element.children {
        let own_type = child.first("Type").map(|it| it.text().to_uppercase());
        let label = child.attribute("type").or(child.attribute("lang")).map(str::to_owned);
        let name = match label.or(own_type) {
            Some(label) if label == "POP" => format!("{} POP3", child.name),
            Some(label) => format!("{} {label}", child.name),
            None => child.name.clone(),
        };
        if child.name == "Type" {
            continue;
        }
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        let number = if *count > 1 { format!(" {count}") } else { String::new() };
        // Several accounts, each with a protocol, are one with all of them.
        let inner = match child.name.as_str() {
            "emailProvider" | "Response" | "Account" => path.to_owned(),
            // Old documents have these values beside the others.
            "pop3" => path.to_owned(),
            "domain" => format!("{path}/domain {}", child.text()),
            _ => format!("{path}/{name}{number}"),
        };
        of_element(child, &inner, values);
    }
}

/// With one value for how a connection of Autodiscover is protected. `Encryption` has precedence
/// over `SSL` ([MS-OXDSCLI] 2.2.4.1.1.2.14); without it, clients decide by the port.
fn with_security(mut values: Values) -> Values {
    let servers: Vec<_> = values
        .keys()
        .filter_map(|name| name.strip_suffix("/Port"))
        .filter(|name| !name.contains("DAV"))
        .map(str::to_owned)
        .collect();
    for server in servers {
        let mut take = |name: &str| values.remove(&format!("{server}/{name}"));
        let (encryption, ssl, tls) = (take("Encryption"), take("SSL"), take("TLS"));
        let port: u16 = values[&format!("{server}/Port")].trim().parse().expect("a port");
        let of_port = [993, 995, 465].contains(&port);
        let word = match (encryption.as_deref(), ssl.as_deref(), tls.as_deref()) {
            (Some("SSL"), ..) => "tls",
            (Some("TLS"), ..) | (None, _, Some("on")) => "starttls",
            (None, Some("off"), _) => "none",
            (None, ..) if of_port => "tls",
            (None, ..) => "starttls",
            (Some(other), ..) => other,
        };
        values.insert(format!("{server}/security"), word.to_owned());
    }
    values
}

/// Keys by their names, those of a payload below its type.
fn of_profile(value: &Value, path: &str, values: &mut Values) {
    match value {
        Value::Dictionary(dictionary) => {
            for (key, value) in dictionary {
                of_profile(value, &format!("{path}/{key}"), values);
            }
        }
        Value::Array(array) => {
            for value in array {
                let payload = value.as_dictionary().and_then(|it| it.get("PayloadType"));
                let name = payload.and_then(Value::as_string).map(|it| format!("/{it}"));
                of_profile(value, &name.unwrap_or_else(|| path.to_owned()), values);
            }
        }
        Value::Boolean(flag) => add(values, path, &flag.to_string()),
        Value::Integer(number) => add(values, path, &number.to_string()),
        Value::Real(number) => add(values, path, &number.to_string()),
        Value::String(text) => add(values, path, text),
        other => panic!("{path}: what is {other:?}?"),
    }
}

/// The names that have not the same value in both, with both values.
pub fn differences(old: &Values, new: &Values) -> Vec<(String, String, String)> {
    let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let value = |of: &Values, name: &str| of.get(name).cloned().unwrap_or_else(|| "-".to_owned());
    let all = names.into_iter().map(|name| (name.clone(), value(old, name), value(new, name)));
    all.filter(|(_, old, new)| old != new).collect()
}
