//! Reads a PACC document (draft-ietf-mailmaint-pacc-02, and what is known of its successors).
//!
//! It has no ports and no logins: TLS on the registered ports, and the whole address. The digest in
//! the DNS is compared by the caller.

use super::{Setting, shortened};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mailsetup::account::{Protocol, Security};
use mailsetup::address::EmailAddress;
use mailsetup::ports;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The servers in a document.
pub fn settings(bytes: &[u8], address: &EmailAddress) -> Result<Vec<Setting>, String> {
    let document: Value =
        serde_json::from_slice(bytes).map_err(|err| format!("it is not JSON: {err}"))?;
    let protocols = document["protocols"].as_object().ok_or("`protocols` is missing")?;
    if !document["authentication"].is_object() {
        return Err("`authentication` is missing".to_owned());
    }
    if !document["info"]["provider"]["name"].is_string() {
        return Err("`info.provider.name` is missing".to_owned());
    }
    let mut methods = Vec::new();
    if document["authentication"]["password"] == true {
        methods.push("password-cleartext".to_owned());
    }
    if document["authentication"]["oauth-public"].is_object() {
        methods.push("OAuth2".to_owned());
    }
    let mut settings = Vec::new();
    for (keys, protocol) in [
        (&["imap"][..], Protocol::Imap),
        (&["pop3"], Protocol::Pop3),
        (&["smtp", "submit"], Protocol::Smtp),
    ] {
        let host = keys.iter().find_map(|key| protocols.get(*key)?["host"].as_str());
        let Some(host) = host else { continue };
        let host = super::host(host)
            .ok_or_else(|| format!("the host of {protocol} is `{}`", shortened(host)))?;
        settings.push(Setting {
            protocol,
            host,
            port: ports::usual(protocol, Security::Tls).get(),
            security: Security::Tls,
            methods: methods.clone(),
            login: address.to_string(),
        });
    }
    Ok(settings)
}

/// The record that the bytes need.
pub fn record(bytes: &[u8]) -> String {
    format!("v=UAAC1; a=sha256; d={}", BASE64_STANDARD.encode(Sha256::digest(bytes)))
}

/// What is wrong with a record; `None` if it carries the digest of the bytes.
pub fn mismatch(record: &str, bytes: &[u8]) -> Option<String> {
    let mut version = None;
    let mut algorithm = None;
    let mut digest = None;
    for tag in record.split(';') {
        let Some((name, value)) = tag.split_once('=') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match &*name {
            "v" => version = Some(value),
            "a" => algorithm = Some(value),
            "d" if digest.is_some() => return Some("the tag d is there twice".to_owned()),
            "d" => digest = Some(value),
            _ => {}
        }
    }
    if !version.is_some_and(|version| version.eq_ignore_ascii_case("UAAC1")) {
        return Some("it does not begin with v=UAAC1".to_owned());
    }
    if !algorithm.is_some_and(|algorithm| algorithm.eq_ignore_ascii_case("sha256")) {
        return Some("a is not sha256".to_owned());
    }
    match digest.map(|digest| BASE64_STANDARD.decode(digest)) {
        None => Some("d is missing".to_owned()),
        Some(Err(_)) => Some("d is not in base64".to_owned()),
        Some(Ok(digest)) if digest[..] != Sha256::digest(bytes)[..] => {
            Some("d is the digest of another document".to_owned())
        }
        Some(Ok(_)) => None,
    }
}
