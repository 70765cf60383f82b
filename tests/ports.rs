//! The registered ports in manuals and examples are those of the table.

use crate::common::source;
use mailsetup::account::{Protocol, Security};
use mailsetup::config::defaults;
use mailsetup::ports::{of, usual};
use std::fs;

const PROTOCOLS: [Protocol; 4] =
    [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve];

/// The port for TLS and the other one; ManageSieve has only one.
fn both(protocol: Protocol) -> (String, String) {
    let port = |security| usual(protocol, security).to_string();
    (port(Security::Tls), port(Security::StartTls))
}

/// The default port.
fn default(protocol: Protocol) -> String {
    usual(protocol, defaults::security(protocol)).to_string()
}

/// Fails unless the file contains each of the texts, ignoring line breaks.
fn has(file: &str, texts: &[String]) {
    let content = fs::read_to_string(source(file)).expect(file);
    let words = content.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in texts {
        assert!(words.contains(text.as_str()), "{file} does not say: {text}");
    }
}

/// `keys` compares the defaults; this test compares the other text.
#[test]
fn the_manual_and_the_example_have_the_ports_of_the_table() {
    let [imap, pop3, smtp, _] = PROTOCOLS.map(default);
    let said = format!(
        "IMAP on port {imap} and POP3 on port {pop3} with TLS, SMTP on port {smtp} with STARTTLS,"
    );
    has("man/mailsetup.toml.5", &[said]);
    let [(imaps, _), (pop3s, _), (smtps, _), _] = PROTOCOLS.map(both);
    let pacc = format!("only TLS on ports {imaps}, {pop3s}, {smtps} and 443");
    has("man/mailsetup.toml.5", std::slice::from_ref(&pacc));
    has("contrib/config.example.toml", &[pacc]);
}

#[test]
fn the_documentation_has_the_ports_of_the_table() {
    let [imap, pop3, smtp, _] = PROTOCOLS.map(default);
    let said = format!("IMAP {imap} and POP3 {pop3} with TLS, SMTP {smtp} with STARTTLS");
    has("README.md", &[said]);
    let [(imaps, _), (pop3s, _), (smtps, _), _] = PROTOCOLS.map(both);
    let pacc = format!("servers: only implicit TLS on ports {imaps}, {pop3s} and {smtps};");
    // The sources, each with its ports.
    let mut rules: Vec<(&str, Vec<String>)> = Vec::new();
    let tls = PROTOCOLS.into_iter().filter_map(|protocol| of(protocol).tls);
    let starttls = PROTOCOLS.map(|protocol| of(protocol).starttls);
    for port in tls.chain(starttls) {
        match rules.iter_mut().find(|(rule, _)| *rule == port.rule) {
            Some((_, ports)) => ports.push(port.number.to_string()),
            None => rules.push((port.rule, vec![port.number.to_string()])),
        }
    }
    let rules: Vec<_> =
        rules.iter().map(|(rule, ports)| format!("{rule} ({})", ports.join(", "))).collect();
    has("docs/protocols.md", &[pacc, format!("Ports: {}.", rules.join(", "))]);
}
