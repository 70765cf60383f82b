//! Delta Chat's core, as `deltachat-rpc-server`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::command;
use crate::world::{AccountServer, PASSWORD, Setup, UNUSUAL, UNUSUAL_HOSTS, USUAL, World, client};

/// The longest time of a response.
const PATIENCE: Duration = Duration::from_secs(60);

/// Delta Chat without a window: JSON-RPC, a line for each message.
struct Core {
    child: Child,
    lines: Receiver<String>,
    calls: u64,
}

impl Core {
    fn start(world: &World) -> Self {
        let mut server: Command = command(client("deltachat-rpc-server"));
        server.env("DC_ACCOUNTS_PATH", world.sandbox.path("accounts"));
        let mut child = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start");
        let output = BufReader::new(child.stdout.take().expect("stdout"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, calls: 0 }
    }

    fn call(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.calls += 1;
        let call = json!({
            "jsonrpc": "2.0", "id": self.calls, "method": method, "params": parameters
        });
        let stdin = self.child.stdin.as_mut().expect("stdin");
        writeln!(stdin, "{call}").expect("write");
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|err| panic!("{method}: {err}"));
            let answer: Value = serde_json::from_str(&line).expect("JSON");
            if answer["id"] == self.calls {
                return match answer.get("error") {
                    Some(error) => Err(error.to_string()),
                    None => Ok(answer["result"].clone()),
                };
            }
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sets up an account with only an address and a password. Its authorities are compiled in, so the
/// one of the test is refused unless certificate checks are off.
fn logs_in(world: &World, securities: fn(&AccountServer) -> &'static [&'static str]) {
    let mut core = Core::start(world);
    let account = core.call("add_account", json!([])).expect("an account");
    let entered = json!({
        "addr": world.address,
        "password": PASSWORD,
        "certificateChecks": "acceptInvalidCertificates",
    });
    core.call("add_or_update_transport", json!([account, entered])).expect("a set-up");
    assert_eq!(core.call("is_configured", json!([account])), Ok(Value::Bool(true)));
    let info = core.call("get_info", json!([account])).expect("information");
    let used = info["used_transport_settings"].as_str().expect("settings");
    for kind in ["imap", "smtp"] {
        let server = world.server(kind);
        let ways = securities(server).iter();
        let ways: Vec<_> =
            ways.map(|security| format!("{}:{}:{security}", server.host, server.port)).collect();
        let ours = format!(" {kind}:[{}] ", ways.join(", "));
        assert!(used.contains(&ours), "{used:?} lacks {ours:?}");
        world.expect_login(kind);
    }
}

/// As in autoconfig.
fn as_told(server: &AccountServer) -> &'static [&'static str] {
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
