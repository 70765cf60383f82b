//! Pimalaya's `pim-discovery`, by which himalaya and related programs find a mailbox.

use serde_json::Value;

use crate::account::AccountServer;
use crate::certificates::AUTHORITY;
use crate::common::{client, command, run};
use crate::dns::RESOLVER;
use crate::world::{PACC, UNUSUAL, USUAL, World};

/// The settings that it finds by one of its mechanisms; `source` is the expected source.
fn discover(world: &World, mechanism: &str, source: &str) -> Vec<AccountServer> {
    let mut discovery = command(client("pim-discovery"));
    discovery.args(["--json", "--tls-cert", AUTHORITY, "email", mechanism]);
    let found = run(discovery.args(["--server", RESOLVER, world.address]));
    let found: Value = serde_json::from_str(&found).expect("JSON");
    let found = found.as_array().expect("an array").iter();
    found.filter(|service| service["source"] == source).map(server).collect()
}

fn server(service: &Value) -> AccountServer {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let endpoint = &service["endpoint"]["tcp"];
    AccountServer {
        kind: text(&service["service"]),
        host: text(&endpoint["host"]),
        port: endpoint["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port"),
        security: match &*text(&endpoint["security"]) {
            "tls" => "SSL".to_owned(),
            "starttls" => "STARTTLS".to_owned(),
            other => panic!("security {other}"),
        },
        authentication: match service["auth"].as_array().map(Vec::as_slice) {
            Some([only]) if only == "password" => "password-cleartext".to_owned(),
            other => panic!("authentication {other:?}"),
        },
        username: text(&service["username"]),
    }
}

/// The two URLs of autoconfig, and the DNS records of `mailsetup dns`.
fn finds_all(world: &World) {
    assert_eq!(discover(world, "autoconfig", "ispMain"), world.servers, "autoconfig.example.org");
    assert_eq!(discover(world, "autoconfig", "ispFallback"), world.servers, ".well-known");
    assert_eq!(discover(world, "first", "ispMain"), world.servers, "its own choice");
    // It does not look for POP3, and DNS contains no login.
    let without_login =
        |kind| AccountServer { username: String::new(), ..world.server(kind).clone() };
    assert_eq!(discover(world, "srv", "srv"), ["imap", "smtp"].map(without_login), "SRV");
}

#[test]
fn finds_the_defaults() {
    World::run(&USUAL, finds_all);
}

#[test]
fn finds_other_hosts_ports_and_logins() {
    World::run(&UNUSUAL, finds_all);
}

/// It accepts the document only if the digest in the DNS is that of the received bytes.
#[test]
fn finds_the_pacc_document() {
    World::run(&PACC, |world| {
        // The login is always the address, and not part of the document.
        let named =
            |server: &AccountServer| AccountServer { username: String::new(), ..server.clone() };
        let ours: Vec<_> = world.servers.iter().map(named).collect();
        assert_eq!(discover(world, "pacc", "pacc"), ours);
    });
}
