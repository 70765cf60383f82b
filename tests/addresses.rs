//! Addresses of all forms in use, in every document: each document contains the address as it was
//! sent, with the domain in ASCII.

use crate::common::http::{Request, Response};
use crate::common::{Sandbox, cgi, program};
use mailsetup::xml;
use std::fmt::Write;
use std::path::Path;

const ADDRESSES: [(&str, &str); 12] = [
    ("ann@example.org", "ann@example.org"),
    ("ann+tag@example.org", "ann+tag@example.org"),
    ("o'hara@example.org", "o'hara@example.org"),
    ("a&b@example.org", "a&b@example.org"),
    ("100%@example.org", "100%@example.org"),
    ("%41@example.org", "%41@example.org"),
    ("%EMAILADDRESS%@example.org", "%EMAILADDRESS%@example.org"),
    ("\"a b\"@example.org", "\"a b\"@example.org"),
    ("\"<b>&\\\"@\"@example.org", "\"<b>&\\\"@\"@example.org"),
    ("дмитрий@example.org", "дмитрий@example.org"),
    ("Ann@BÜCHER.example.", "Ann@xn--bcher-kva.example"),
    ("ann@XN--Bcher-KVA.example", "ann@xn--bcher-kva.example"),
];

fn ask(config: &Path, request: &Request) -> Response {
    cgi::send(&program(), request, &[("MAILSETUP_CONFIG", config.as_os_str())]).expect("an answer")
}

/// Every byte encoded.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").expect("memory");
        encoded
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[test]
fn every_shape_comes_through_every_document() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n[domain.'bücher.example']\n");
    for (sent, kept) in ADDRESSES {
        let body = format!(
            "<Autodiscover><Request><EMailAddress>{}</EMailAddress></Request></Autodiscover>",
            escaped(sent)
        );
        let answer = ask(&config, &Request::post("/autodiscover/autodiscover.xml", body));
        let elements = xml::read(&answer.body).expect("well-formed").leaves;
        let logins: Vec<_> = elements
            .iter()
            .filter(|(name, _)| name == "LoginName")
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(logins, [kept; 3], "{sent}");

        let answer =
            ask(&config, &Request::get(format!("/mobileconfig?emailaddress={}", encoded(sent))));
        let profile: plist::Value = plist::from_bytes(&answer.body).expect("a profile");
        let content =
            profile.as_dictionary().and_then(|profile| profile["PayloadContent"].as_array());
        let mail = content.and_then(|content| content[0].as_dictionary()).expect("a payload");
        for key in ["EmailAddress", "IncomingMailServerUsername", "OutgoingMailServerUsername"] {
            assert_eq!(mail[key].as_string(), Some(kept), "{sent}");
        }

        let target = format!("/mail/config-v1.1.xml?emailaddress={}", encoded(sent));
        let answer = ask(&config, &Request::get(target).host("x.invalid"));
        let (_, domain) = kept.rsplit_once('@').expect("an address");
        assert!(
            answer.text().contains(&format!("<domain>{domain}</domain>")),
            "{sent}: {}",
            answer.text()
        );
        // Text for people may be in letters.
        let text = answer.text();
        let mut used = text.lines().filter(|line| !line.contains("<display"));
        assert!(used.all(str::is_ascii), "{sent}: {text}");
    }
}

/// Not encoded, as FairEmail and Nextcloud send it: a plus stays a plus, and so does a percent sign
/// that begins no escape.
#[test]
fn addresses_that_are_not_encoded() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    for (sent, kept) in
        [("ann+tag@example.org", "ann+tag@example.org"), ("100%@example.org", "100%@example.org")]
    {
        let answer = ask(&config, &Request::get(format!("/mobileconfig?emailaddress={sent}")));
        assert!(
            answer.text().contains(&format!("<string>{kept}</string>")),
            "{sent}: {}",
            answer.text()
        );
    }
}

#[test]
fn lengths_and_shapes_that_are_no_address() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "log.requests = false\n");
    let long_label = format!("a@{}.example", "b".repeat(64));
    let long_domain = format!("a@{}example", "b123456.".repeat(32));
    for address in [
        &format!("{}@example.org", "a".repeat(65)),
        &long_label,
        &long_domain,
        "a b@example.org",
        "@example.org",
        "a@",
        "a@b@example.org",
        "a@192.0.2.1",
        "a@[192.0.2.1]",
        "\u{7f}@example.org",
    ] {
        let answer = ask(
            &config,
            &Request::get(format!("/mail/config-v1.1.xml?emailaddress={}", encoded(address))),
        );
        assert_eq!(answer.status, 400, "{address}");
        assert_eq!(answer.text().lines().count(), 1, "{address}");
        assert!(!answer.text().contains("example"), "nothing is echoed: {}", answer.text());
    }
    let longest = format!("{}@example.org", "a".repeat(64));
    let answer =
        ask(&config, &Request::get(format!("/mail/config-v1.1.xml?emailaddress={longest}")));
    assert_eq!(answer.status, 200);
}
