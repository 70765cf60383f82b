//! What the program says of Thunderbird, Delta Chat, Pimalaya and Evolution is what these programs do
//! on the same faults.
//!
//! `make test-probe-clients` installs them and runs this. Left out are faults that cost them minutes,
//! and those that they cannot see.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::certificates::AUTHORITY;
use crate::common::{client, command, run, source};
use crate::faults::Fault;
use crate::findings::{chosen, in_worlds_with};
use crate::mail::PASSWORD;
use crate::marionette::Marionette;
use crate::rpc::Core;
use crate::world::{Scene, World};

/// The script that runs in Thunderbird.
const SCRIPT: &str = include_str!("../clients/thunderbird.js");

/// The least share of equal pairs, in percent.
const LEAST: usize = 95;

/// Faults that cost a client minutes: hosts that never answer, dead IPv6, a port with TLS without TLS.
const SLOW: [&str; 12] = [
    "plain",
    "pox-plain",
    "smtp-not-tls",
    "autoconfig-dead-address",
    "autoconfig-dead-ipv6",
    "https-silent",
    "slow",
    "autodiscover-hangs",
    "imap-silent",
    "imap-dead-ipv6",
    "one-address-closed",
    "domain-servfail",
];

/// Pairs that are not equal, each with the reason.
const KNOWN: &[(&str, &str, &str)] = &[
    ("no-smtp", "pimalaya", "its choice ends with a document that can only read"),
    ("pop3-only", "pimalaya", "its choice ends with a document that can only send"),
    (
        "smtp-no-auth",
        "delta-chat",
        "a server without AUTH is accepted; the first message is refused",
    ),
    ("pox-no-port", "delta-chat", "it takes the rest of the document, and guesses the IMAP server"),
    // After the injected text, the scripted server knows no mailbox.
    ("imap-injection", "thunderbird", "the scripted server takes no login"),
    ("imap-injection", "delta-chat", "the scripted server takes no login"),
    ("smtp-injection", "thunderbird", "the scripted server takes no login"),
    ("smtp-injection", "delta-chat", "the scripted server takes no login"),
];

/// What a client did, or would do: a server is `host:port`. One for reading without one for sending,
/// or the other way round, is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Result {
    /// It filled in these servers for reading and sending; empty if it found none.
    found: Vec<String>,
    /// With them it logged in; `None` if it does not try.
    works: Option<bool>,
    /// What it said.
    said: String,
}

type Run = fn(&mut Clients, &World, &Scene) -> Result;

/// The programs of one world.
struct Clients {
    thunderbird: Marionette,
    evolution: PathBuf,
}

impl Clients {
    fn start(world: &World) -> Self {
        let sandbox = world.sandbox();
        let evolution = sandbox.path("evolution");
        let flags = run(command("pkg-config").args(["--cflags", "--libs", "evolution-mail-3.0"]));
        let mut compiler = command("cc");
        compiler.arg("-o").arg(&evolution).arg(source("tests/laboratory/evolution.c"));
        run(compiler.args(flags.split_whitespace()).arg("-Wl,-rpath,/usr/lib/evolution"));
        Self { thunderbird: Marionette::start(sandbox, AUTHORITY), evolution }
    }
}

/// The clients: their names in the table, and how they run.
const CLIENTS: [(&str, Run); 4] = [
    ("thunderbird", thunderbird),
    ("delta-chat", delta_chat),
    ("pimalaya", pimalaya),
    ("evolution", evolution),
];

fn thunderbird(clients: &mut Clients, _: &World, scene: &Scene) -> Result {
    let arguments = json!([scene.address, PASSWORD, false, false]);
    let found = clients.thunderbird.run(SCRIPT, &arguments);
    let said = found["error"].as_str().unwrap_or_default().to_owned();
    let server = |kind: &str| {
        let servers = found["servers"].as_array().into_iter().flatten();
        let mut of_kind = servers.filter(move |server| server["kind"] == kind);
        of_kind.next().map(|server| format!("{}:{}", text(&server["host"]), server["port"]))
    };
    // The first server for reading is the one that it proposes.
    let first = found["servers"][0]["kind"].as_str().unwrap_or_default();
    let servers = [server(first), server("smtp")];
    Result { found: servers.into_iter().flatten().collect(), works: Some(said.is_empty()), said }
}

/// Its authorities are compiled in: certificates are not checked.
fn delta_chat(_: &mut Clients, world: &World, scene: &Scene) -> Result {
    // It keeps answers of web servers with its accounts.
    let _ = std::fs::remove_dir_all(world.sandbox().path("accounts"));
    let mut core = Core::start(world.sandbox());
    let account = core.call("add_account", json!([])).expect("an account");
    let entered = json!({
        "addr": scene.address,
        "password": PASSWORD,
        "certificateChecks": "acceptInvalidCertificates",
    });
    if let Err(said) = core.call("add_or_update_transport", json!([account, entered])) {
        return Result { works: Some(false), said, ..Result::default() };
    }
    let information = core.call("get_info", json!([account])).expect("information");
    let said = text(&information["used_transport_settings"]);
    let mut found = Vec::new();
    for kind in ["imap", "smtp"] {
        let ways = said.split_once(&format!(" {kind}:[")).map_or("", |(_, rest)| rest);
        let ways = ways.split(']').next().unwrap_or_default();
        let places: Vec<_> = ways
            .split(", ")
            .filter_map(|way| way.rsplit_once(':').map(|(place, _)| place))
            .collect();
        // It has found nothing, and tries what is usual, the domain itself among it.
        if places.iter().any(|place| place.starts_with("example.org:")) {
            return Result { works: Some(false), said, ..Result::default() };
        }
        found.extend(places.first().map(|place| (*place).to_owned()));
    }
    Result { found, works: Some(true), said }
}

/// It does not log in.
fn pimalaya(_: &mut Clients, _: &World, scene: &Scene) -> Result {
    let mut discovery = command(client("pim-discovery"));
    discovery.args(["--json", "--tls-cert", AUTHORITY, "email", "first"]);
    let output = discovery.args(["--server", "192.0.2.53:53", scene.address]).output();
    let output = output.expect("pim-discovery");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let services: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let server = |kind: &str| {
        let services = services.as_array().into_iter().flatten();
        let mut of_kind = services.filter(|service| service["service"] == kind);
        let tcp = &of_kind.next()?["endpoint"]["tcp"];
        Some(format!("{}:{}", text(&tcp["host"]), tcp["port"]))
    };
    let found = [server("imap"), server("smtp")].into_iter().flatten().collect();
    Result { found, works: None, said }
}

/// It does not log in.
fn evolution(clients: &mut Clients, world: &World, scene: &Scene) -> Result {
    let mut look_up = command("dbus-run-session");
    look_up.arg("--").arg(&clients.evolution).arg(scene.address);
    let output = look_up.env("HOME", world.sandbox().path("home")).output().expect("a session");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let place = |kind: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(kind));
        line.and_then(|line| line.rsplit_once('@')).map(|(_, place)| place.to_owned())
    };
    // One without a whole host or a port cannot be used.
    let is_usable = |place: &String| {
        let (host, port) = place.rsplit_once(':').unwrap_or_default();
        host.trim_end_matches('.').contains('.') && port != "0"
    };
    let found = [place("IMAP: ").or_else(|| place("POP3: ")), place("SMTP: ")];
    let found = found.into_iter().map(|place| place.filter(is_usable));
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().last().unwrap_or_default().to_owned();
    Result { found: found.flatten().collect(), works: None, said }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the program says of a client.
fn told(json: &Value, name: &str) -> Result {
    let verdicts = json["clients"].as_array().into_iter().flatten();
    let mut of_client = verdicts.filter(|verdict| verdict["client"] == name);
    let verdict = of_client.next().cloned().unwrap_or_default();
    let is_srv = verdict["found_by"] == "srv" && name == "evolution";
    let settings = verdict["settings"].as_array().into_iter().flatten();
    let place = |setting: &Value| format!("{}:{}", text(&setting["host"]), setting["port"]);
    // Its look-up of SRV records is another part of Evolution.
    let found = if is_srv { Vec::new() } else { settings.map(place).collect() };
    let works = match name {
        "thunderbird" | "delta-chat" => Some(verdict["verdict"] == "works"),
        _ => None,
    };
    Result { found, works, said: format!("{} {}", verdict["verdict"], verdict["cause"]) }
}

/// True if they did what the program says.
fn is_equal(told: &Result, real: &Result) -> bool {
    // A client that fails says nothing of the servers that it tried.
    let is_silent = real.works == Some(false) && real.found.is_empty();
    told.works == real.works && (told.found == real.found || is_silent && told.works == Some(false))
}

/// True if the client can be compared on this fault.
fn is_fit(fault: &Fault, name: &str) -> bool {
    let is_of_certificate = fault.code.starts_with("tls-") && fault.code != "tls-none";
    !(name == "delta-chat" && is_of_certificate)
}

#[test]
#[ignore = "make test-probe-clients"]
fn the_program_agrees_with_the_clients() {
    let equal = AtomicUsize::new(0);
    let all = AtomicUsize::new(0);
    let chosen = chosen().into_iter().filter(|fault| !SLOW.contains(&fault.name));
    let unexplained = in_worlds_with(chosen, Clients::start, |world, clients, fault| {
        let scene = fault.scene(world);
        world.publish(&scene);
        let said = world.probe(&scene);
        let mut complaints = Vec::new();
        for (name, run) in CLIENTS {
            if !is_fit(fault, name) {
                continue;
            }
            let told = told(&said.json, name);
            let mut real = run(clients, world, &scene);
            if real.found.len() < 2 {
                real.found.clear();
            }
            let is_equal = is_equal(&told, &real);
            all.fetch_add(1, Ordering::Relaxed);
            equal.fetch_add(usize::from(is_equal), Ordering::Relaxed);
            let word = if is_equal { "equal" } else { "OTHER" };
            let mut line = format!("{word} {:28} {name:12} {}", fault.name, told.said);
            if !is_equal {
                write!(line, "\n      told {told:?}\n      real {real:?}").expect("text");
                let is_known = KNOWN.iter().any(|known| known.0 == fault.name && known.1 == name);
                if !is_known {
                    complaints.push(format!("{line}\n"));
                }
            }
            println!("{line}");
        }
        complaints
    });
    let (equal, all) = (equal.into_inner(), all.into_inner());
    println!("{equal} of {all} pairs are equal");
    for complaint in &unexplained {
        print!("{complaint}");
    }
    assert!(equal * 100 >= all * LEAST, "{equal} of {all} pairs are equal");
    assert!(unexplained.is_empty(), "{} pairs differ without a reason", unexplained.len());
}
