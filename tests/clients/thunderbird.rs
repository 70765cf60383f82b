//! Thunderbird without a window: its own modules discover the account and check the password.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Process, command, run};
use crate::world::{AUTHORITY, HOSTED, PASSWORD, Server, Setup, UNUSUAL, USUAL, World};

/// No answer may take longer, and no start.
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = "/usr/lib/thunderbird/thunderbird";

/// What runs inside.
const SCRIPT: &str = include_str!("thunderbird.js");

/// Nothing that talks to the network by itself.
const PREFERENCES: &str = r#"
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.enabled", false);
"#;

//------------ Thunderbird ---------------------------------------------------

/// A running Thunderbird, remote-controlled by Marionette: `length:JSON` over TCP.
struct Thunderbird {
    stream: BufReader<TcpStream>,
    calls: u64,
    _process: Process,
}

impl Thunderbird {
    fn start(world: &World) -> Self {
        world.sandbox.write("profile/user.js", PREFERENCES);
        let profile = world.sandbox.path("profile");
        let database = format!("sql:{}", profile.display());
        run(command("certutil").args(["-N", "--empty-password", "-d", &database]));
        run(command("certutil")
            .args(["-A", "-d", &database, "-n", "authority"])
            .args(["-t", "C,,", "-i", AUTHORITY]));
        let home = world.sandbox.path("home");
        fs::create_dir(&home).expect("mkdir");
        let mut start = command(PROGRAM);
        start.args(["--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]);
        start.arg("--profile").arg(&profile).env("HOME", &home);
        let process = Process::start(world.sandbox, &mut start);
        let deadline = Instant::now() + PATIENCE;
        let stream = loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", 2828)) {
                break stream;
            }
            assert!(Instant::now() < deadline, "Thunderbird does not start:\n{}", process.output());
            std::thread::sleep(Duration::from_millis(100));
        };
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut this = Self { stream: BufReader::new(stream), calls: 0, _process: process };
        this.receive();
        let timeouts = json!({ "timeouts": { "script": PATIENCE.as_millis() } });
        this.call("WebDriver:NewSession", &json!({ "capabilities": { "alwaysMatch": timeouts } }));
        this.call("Marionette:SetContext", &json!({ "value": "chrome" }));
        this
    }

    /// Discovers the account, logs in everywhere, sends a message, and returns what was found.
    fn set_up(&mut self, address: &str, typed: bool) -> Value {
        let answer = self.call(
            "WebDriver:ExecuteAsyncScript",
            &json!({ "script": SCRIPT, "args": [address, PASSWORD, typed], "sandbox": "system" }),
        );
        answer["value"].clone()
    }

    fn call(&mut self, command: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let message = json!([0, self.calls, command, parameters]).to_string();
        write!(self.stream.get_mut(), "{}:{message}", message.len()).expect("write");
        let answer = self.receive();
        assert_eq!(answer[1], self.calls, "{command}: {answer}");
        assert_eq!(answer[2], Value::Null, "{command}: {answer}");
        answer[3].clone()
    }

    fn receive(&mut self) -> Value {
        let mut length = Vec::new();
        self.stream.read_until(b':', &mut length).expect("a length");
        length.pop();
        let length = String::from_utf8(length).expect("digits").parse().expect("a length");
        let mut message = vec![0; length];
        self.stream.read_exact(&mut message).expect("a message");
        serde_json::from_slice(&message).expect("JSON")
    }
}

fn server(found: &Value) -> Server {
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Server {
        kind: text("kind"),
        host: text("host"),
        port: found["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port"),
        security: text("security"),
        authentication: text("authentication"),
        username: text("username"),
    }
}

/// Sets up an account from there and nowhere else.
fn sets_up(setup: &Setup, source: &str) {
    World::run(setup, |world| {
        // A password that is typed before the discovery is sent along with Autodiscover.
        let typed = source.starts_with("exchange");
        let found = Thunderbird::start(world).set_up(world.address, typed);
        assert_eq!(found["source"], source, "{found:#}");
        let servers = found["servers"].as_array().expect("servers");
        assert_eq!(servers.iter().map(server).collect::<Vec<_>>(), world.servers);
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

/// The domain has an MX record and nothing else; the hoster answers for it.
#[test]
fn sets_up_a_hosted_domain_by_its_mx() {
    sets_up(&HOSTED, "xml-from-isp-https");
}
