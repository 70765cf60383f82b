//! Thunderbird without a window: its own modules discover the account and check the password.

use serde_json::{Value, json};

use crate::account::AccountServer;
use crate::certificates::AUTHORITY;
use crate::common::Sandbox;
use crate::marionette::Marionette;
use crate::world::{HOSTED, OWN_LOGIN, PASSWORD, Setup, UNUSUAL, USUAL, World};

/// The script that runs in Thunderbird.
const SCRIPT: &str = include_str!("thunderbird.js");

/// A running Thunderbird.
pub struct Thunderbird(Marionette);

impl Thunderbird {
    pub fn start(sandbox: &Sandbox) -> Self {
        Self(Marionette::start(sandbox, AUTHORITY))
    }

    /// Discovers the account, logs in everywhere, sends a message, and returns what was found.
    pub fn set_up(&mut self, address: &str, typed: bool) -> Value {
        self.0.run(SCRIPT, &json!([address, PASSWORD, typed, false]))
    }

    /// Discovers the account and returns what was found.
    fn discover(&mut self, address: &str) -> Value {
        self.0.run(SCRIPT, &json!([address, PASSWORD, false, true]))
    }
}

/// The servers that were found.
pub fn servers(found: &Value) -> Vec<AccountServer> {
    found["servers"].as_array().expect("servers").iter().map(server).collect()
}

fn server(found: &Value) -> AccountServer {
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    AccountServer {
        kind: text("kind"),
        host: text("host"),
        port: found["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port"),
        security: text("security"),
        authentication: text("authentication"),
        username: text("username"),
    }
}

/// Sets up an account from this source only.
fn sets_up(setup: &Setup, source: &str) {
    World::run(setup, |world| {
        // A password that was entered before the discovery is sent with Autodiscover requests.
        let typed = source.starts_with("exchange");
        let found = Thunderbird::start(world.sandbox).set_up(world.address, typed);
        assert_eq!(found["source"], source, "{found:#}");
        assert_eq!(found["error"], Value::Null, "{found:#}");
        assert_eq!(servers(&found), world.servers);
        for kind in ["imap", "pop3", "smtp"] {
            world.expect_login(kind);
        }
        world.expect_message();
    });
}

#[test]
fn sets_up_by_autoconfig() {
    sets_up(&USUAL, "xml-from-isp-https");
}

#[test]
fn sets_up_by_well_known_alone() {
    sets_up(&Setup { web: &["example.org"], ..UNUSUAL }, "xml-from-isp-https");
}

#[test]
fn sets_up_by_autoconfig_over_http_alone() {
    sets_up(&Setup { https: false, ..UNUSUAL }, "xml-from-isp-http");
}

#[test]
fn sets_up_by_autodiscover_alone() {
    sets_up(&Setup { web: &["autodiscover.example.org"], ..UNUSUAL }, "exchange-from-url1");
}

#[test]
fn sets_up_by_autodiscover_over_http_alone() {
    let web = &["autodiscover.example.org"];
    sets_up(&Setup { web, https: false, ..UNUSUAL }, "exchange-from-url3");
}

/// The domain has only an MX record; its hoster answers for it.
#[test]
fn sets_up_a_hosted_domain_by_its_mx() {
    sets_up(&HOSTED, "xml-from-isp-https");
}

/// Its login is known to Dovecot only.
#[test]
fn sets_up_a_mailbox_with_a_login_of_its_own() {
    sets_up(&OWN_LOGIN, "xml-from-isp-https");
}

#[test]
fn sets_up_a_mailbox_with_a_login_of_its_own_by_autodiscover() {
    sets_up(&Setup { web: &["autodiscover.example.org"], ..OWN_LOGIN }, "exchange-from-url1");
}

//------------ OAuth2 --------------------------------------------------------

/// The settings of all these tests in addition to `auth`.
const OAUTH2: &str = "\
oauth2.issuer = 'login.example.org'
oauth2.scope = 'imap smtp'
oauth2.authorization_url = 'https://login.example.org/authorize'
oauth2.token_url = 'https://login.example.org/token'
oauth2.client_id = 'mail-clients'
";

/// A mail host with these settings for IMAP and submission.
fn with_auth(auth: &str, hosts: &str) -> Setup {
    let config = format!("imap.auth = {auth}\nsmtp.auth = {auth}\n{hosts}{OAUTH2}");
    Setup { config: config.leak(), ..USUAL }
}

/// The methods by which it would log in: to IMAP, to POP3, to submission.
fn methods(found: &Value) -> Vec<&str> {
    let servers = found["servers"].as_array().unwrap_or_else(|| panic!("{found:#}"));
    let methods = servers.iter().map(|server| &server["authentication"]);
    methods.map(|method| method.as_str().expect("a method")).collect()
}

/// It cannot get a token for this host, and uses the password, which is also allowed.
#[test]
fn sets_up_with_a_password_where_a_token_would_do() {
    for auth in ["['oauth2', 'password']", "['password', 'oauth2']"] {
        World::run(&with_auth(auth, ""), |world| {
            let found = Thunderbird::start(world.sandbox).set_up(world.address, false);
            assert_eq!(found["source"], "xml-from-isp-https", "{auth}: {found:#}");
            assert_eq!(methods(&found), ["password-cleartext"; 3], "{auth}");
            for kind in ["imap", "pop3", "smtp"] {
                world.expect_login(kind);
            }
            world.expect_message();
        });
    }
}

/// For a server that it knows by name, it uses the first method.
#[test]
fn takes_the_first_method_of_a_server_that_it_knows() {
    let hosts = "imap.host = 'imap.gmail.com'\nsmtp.host = 'smtp.gmail.com'\n";
    for (auth, method) in [
        ("['oauth2', 'password']", "OAuth2"),
        ("['password', 'oauth2']", "password-cleartext"),
        ("'oauth2'", "OAuth2"),
    ] {
        World::run(&with_auth(auth, hosts), |world| {
            let found = Thunderbird::start(world.sandbox).discover(world.address);
            assert_eq!(methods(&found), [method, "password-cleartext", method], "{auth}");
        });
    }
}

/// It skips an autoconfig document with tokens only, and requests Autodiscover, which must not
/// contain a server that would receive the password and refuse it.
#[test]
fn finds_nothing_where_only_a_token_will_do() {
    World::run(&with_auth("'oauth2'", "pop3.auth = 'oauth2'\n"), |world| {
        let found = Thunderbird::start(world.sandbox).discover(world.address);
        let error = found["error"].as_str().unwrap_or_else(|| panic!("{found:#}"));
        assert!(error.contains("nothing found"), "{error}");
    });
}
