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

/// The name of the provider.
pub fn provider_name(bytes: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    super::provider_name(document["info"]["provider"]["name"].as_str()?)
}

/// The record that the bytes need.
pub fn record(bytes: &[u8]) -> String {
    format!("v=UAAC1; a=sha256; d={}", BASE64_STANDARD.encode(Sha256::digest(bytes)))
}

/// What is wrong with a record; `None` if it carries the digest of the bytes.
///
/// The tags may be in any order and letter case, as Pimalaya reads them (io-pim-discovery 0.9,
/// `src/pacc`). The draft wants `v` first and `UAAC1` in capitals, as mailsetup writes it.
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
        return Some("v is not UAAC1".to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"{}";

    fn digest() -> String {
        BASE64_STANDARD.encode(Sha256::digest(BYTES))
    }

    #[test]
    fn a_record_with_the_digest_is_accepted() {
        let digest = digest();
        for record in [
            record(BYTES),
            format!("v=UAAC1;a=sha256;d={digest}"),
            format!(" V = uaac1 ; A = SHA256 ; D = {digest} ;"),
            format!("a=sha256; d={digest}; v=UAAC1"),
            format!("v=UAAC1; x=y; nothing; a=sha256; d={digest}"),
        ] {
            assert_eq!(mismatch(&record, BYTES), None, "{record}");
        }
    }

    #[test]
    fn every_other_record_is_said_to_be_wrong() {
        let digest = digest();
        let other = BASE64_STANDARD.encode(Sha256::digest(b"{ }"));
        for (record, wrong) in [
            (String::new(), "v is not UAAC1"),
            ("v=spf1 -all".to_owned(), "v is not UAAC1"),
            (format!("a=sha256; d={digest}"), "v is not UAAC1"),
            (format!("v=UAAC2; a=sha256; d={digest}"), "v is not UAAC1"),
            (format!("v=UAAC1; d={digest}"), "a is not sha256"),
            (format!("v=UAAC1; a=sha512; d={digest}"), "a is not sha256"),
            ("v=UAAC1; a=sha256".to_owned(), "d is missing"),
            ("v=UAAC1; a=sha256; d=%".to_owned(), "d is not in base64"),
            (
                format!("v=UAAC1; a=sha256; d={}", digest.trim_end_matches('=')),
                "d is not in base64",
            ),
            (format!("v=UAAC1; a=sha256; d={other}"), "d is the digest of another document"),
            ("v=UAAC1; a=sha256; d=".to_owned(), "d is the digest of another document"),
            (format!("v=UAAC1; a=sha256; d={digest}; d={digest}"), "the tag d is there twice"),
        ] {
            assert_eq!(mismatch(&record, BYTES).as_deref(), Some(wrong), "{record}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        let address = EmailAddress::parse(b"ann@example.org").unwrap();
        let read = |host: &str| {
            let document = format!(
                r#"{{"protocols":{{"imap":{{"host":"{host}"}}}},"authentication":{{}},
                    "info":{{"provider":{{"name":"a"}}}}}}"#
            );
            settings(document.as_bytes(), &address)
        };
        assert_eq!(read("Imap.Example.org.").unwrap()[0].host, "imap.example.org");
        assert_eq!(read("").unwrap_err(), "the host of imap is ``");
        assert!(read("https://a").is_err() && read("a b").is_err());
    }
}
