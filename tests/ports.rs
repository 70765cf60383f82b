//! The registered ports, as manuals and examples tell them: those of the table.

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

/// The port that is used where nothing is configured.
fn default(protocol: Protocol) -> String {
    usual(protocol, defaults::security(protocol)).to_string()
}

/// Fails unless the file has each of the texts, wherever its lines are broken.
fn has(file: &str, texts: &[String]) {
    let content = fs::read_to_string(source(file)).expect(file);
    let words = content.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in texts {
        assert!(words.contains(text.as_str()), "{file} does not say: {text}");
    }
}

#[test]
fn the_manual_has_the_ports_of_the_table() {
    let [(imaps, imap), (pop3s, pop3), (smtps, smtp), (sieve, _)] = PROTOCOLS.map(both);
    let [imap_default, pop3_default, smtp_default, _] = PROTOCOLS.map(default);
    has(
        "man/mailsetup.toml.5",
        &[
            format!(
                "IMAP on port {imap_default} and POP3 on port {pop3_default} with TLS, SMTP on port \
                 {smtp_default} with STARTTLS,"
            ),
            format!(
                ".Cm security : {imaps} (IMAP) and {pop3s} (POP3) for .Cm tls , else {imap} and {pop3}."
            ),
            format!("Default: {smtps} for .Cm tls , else {smtp}."),
            format!(".Cm port says if it is {smtps} or {smtp}, else .Cm starttls ."),
            format!("Default: {sieve}."),
            format!("with TLS from the first byte on ports {imaps}, {pop3s} and {smtps},"),
        ],
    );
}

#[test]
fn the_example_has_the_ports_of_the_table() {
    let [(imaps, imap), (pop3s, pop3), (smtps, smtp), (sieve, _)] = PROTOCOLS.map(both);
    let [imap_default, pop3_default, smtp_default, _] = PROTOCOLS.map(default);
    has(
        "contrib/config.example.toml",
        &[
            format!(
                "the usual one for security: {imaps} for \"tls\", else {imap}. #port = {imap_default}"
            ),
            format!("Default: {pop3s} for \"tls\", else {pop3}. #port = {pop3_default}"),
            format!("Default: {smtps} for \"tls\", else {smtp}. #port = {smtp_default}"),
            format!("The TCP port. #port = {sieve}"),
            format!("knows only TLS on ports {imaps}, {pop3s}, {smtps} and 443"),
        ],
    );
}

#[test]
fn the_documentation_has_the_ports_of_the_table() {
    let [imap, pop3, smtp, _] = PROTOCOLS.map(default);
    let said = format!("IMAP {imap} and POP3 {pop3} with TLS, SMTP {smtp} with STARTTLS");
    has("README.md", &[said]);
    let [(imaps, _), (pop3s, _), (smtps, _), _] = PROTOCOLS.map(both);
    let pacc = format!("servers: TLS from the first byte on {imaps}, {pop3s} and {smtps} only");
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
