//! Delta Chat's core, as `deltachat-rpc-server`.

use serde_json::{Value, json};

use crate::account::AccountServer;
use crate::common::Sandbox;
use crate::rpc::Core;
use crate::world::{OWN_LOGIN, PASSWORD, Setup, UNUSUAL, UNUSUAL_HOSTS, USUAL, World};

/// Sets up an account with only an address and a password, and returns the settings that it uses. Its
/// authorities are compiled in, so the one of the test is refused unless certificate checks are off.
pub fn set_up(sandbox: &Sandbox, address: &str) -> String {
    let mut core = Core::start(sandbox);
    let account = core.call("add_account", json!([])).expect("an account");
    let entered = json!({
        "addr": address,
        "password": PASSWORD,
        "certificateChecks": "acceptInvalidCertificates",
    });
    core.call("add_or_update_transport", json!([account, entered])).expect("a set-up");
    assert_eq!(core.call("is_configured", json!([account])), Ok(Value::Bool(true)));
    let info = core.call("get_info", json!([account])).expect("information");
    info["used_transport_settings"].as_str().expect("settings").to_owned()
}

/// Sets up an account and logs in.
fn logs_in(world: &World, securities: fn(&AccountServer) -> &'static [&'static str]) {
    let used = set_up(world.sandbox, world.address);
    for kind in ["imap", "smtp"] {
        expect_use(&used, world.server(kind), securities);
        world.expect_login(kind);
    }
}

/// Panics unless the settings have this server.
pub fn expect_use(
    used: &str,
    server: &AccountServer,
    securities: fn(&AccountServer) -> &'static [&'static str],
) {
    let ways = securities(server).iter();
    let ways: Vec<_> =
        ways.map(|security| format!("{}:{}:{security}", server.host, server.port)).collect();
    let ours = format!(" {}:[{}] ", server.kind, ways.join(", "));
    assert!(used.contains(&ours), "{used:?} lacks {ours:?}");
}

/// As in autoconfig.
pub fn as_told(server: &AccountServer) -> &'static [&'static str] {
    if server.security == "SSL" { &["tls"] } else { &["starttls"] }
}

/// It does not read `Encryption` of Autodiscover.
fn both(_: &AccountServer) -> &'static [&'static str] {
    &["tls", "starttls"]
}

#[test]
fn logs_in_with_the_defaults() {
    World::run(&USUAL, |world| logs_in(world, as_told));
}

#[test]
fn logs_in_to_other_hosts_ports_and_names() {
    World::run(&UNUSUAL, |world| logs_in(world, as_told));
}

/// The login is known to Dovecot only.
#[test]
fn logs_in_with_a_login_of_its_own() {
    World::run(&OWN_LOGIN, |world| logs_in(world, as_told));
}

#[test]
fn logs_in_by_well_known_alone() {
    let setup = Setup { web: &["example.org"], ..UNUSUAL };
    World::run(&setup, |world| logs_in(world, as_told));
}

/// It sends GET without an address: the response has no login, and it uses the address.
#[test]
fn logs_in_by_autodiscover_alone() {
    let setup = Setup { web: &["autodiscover.example.org"], ..UNUSUAL_HOSTS };
    World::run(&setup, |world| logs_in(world, both));
}
