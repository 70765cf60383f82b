//! HAProxy, in its chroot as in Debian: contrib's sections over FastCGI or HTTP, and the lines for a
//! frontend from their comment.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::{HTTP, contrib, is_open, launchers, listens, serve_at, where_to};
use crate::common::namespace::Namespace;
use crate::common::{Process, command, run, wait_until, write};

const CFG: &str = "/etc/haproxy/haproxy.cfg";
/// The root of HAProxy, in which contrib's /run/mailsetup.sock is.
pub const ROOT: &str = "/var/lib/haproxy";
const FCGI: &str = "haproxy/mailsetup.cfg";

/// Debian's haproxy.cfg, without unrelated settings, and an existing site. The first `{}` is at the
/// place that contrib's comment gives for its lines.
const MAIN: &str = "\
global
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    stats socket /run/haproxy.sock mode 660 level admin
defaults
    mode http
    option httplog
    timeout connect 5s
    timeout client 50s
    timeout server 50s
frontend site
    bind :80
    {lines}
    default_backend site
backend site
    http-request return status 200 content-type text/plain string \"hello\" if { path /hello.txt }
    http-request return status 404 content-type text/html string \"not here\"
userlist users
    user ann insecure-password secret
";

/// contrib/haproxy/mailsetup.cfg in an existing site.
pub fn start(world: &Namespace) -> Vec<Process> {
    beside(world, "")
}

/// The same with more lines in the frontend, below those of contrib.
pub fn beside(world: &Namespace, lines: &str) -> Vec<Process> {
    let responder = responder(world);
    vec![responder, run_with(world, &contrib(FCGI), lines)]
}

/// The same with a check every tenth of a second.
pub fn checked_often(world: &Namespace) -> Vec<Process> {
    let often = contrib(FCGI).replace("inter 10s fastinter 1s", "inter 100ms");
    assert_ne!(often, contrib(FCGI));
    let responder = responder(world);
    vec![responder, run_with(world, &often, "")]
}

/// contrib/haproxy/mailsetup-http.cfg in an existing site, with more lines in the frontend.
pub fn http_beside(world: &Namespace, lines: &str) -> Vec<Process> {
    let address = where_to("127.0.0.1:8025");
    let config = Path::new("/etc/mailsetup/config.toml");
    let responder =
        launchers::confined_http(world.sandbox, config, address).wait_until(|| is_open(address));
    vec![responder, run_with(world, &contrib("haproxy/mailsetup-http.cfg"), lines)]
}

/// contrib/haproxy/mailsetup-http.cfg in an existing site.
pub fn http(world: &Namespace) -> Vec<Process> {
    http_beside(world, "")
}

/// contrib/many-machines/haproxy.cfg in an existing site, with the lines of contrib/haproxy in its
/// frontend; without the machines.
pub fn many_machines(world: &Namespace) -> Process {
    let single = contrib(FCGI);
    let comment: String =
        single.lines().take_while(|line| line.starts_with('#')).map(|l| format!("{l}\n")).collect();
    run_with(world, &(comment + &contrib("many-machines/haproxy.cfg")), "")
}

/// The responder at a socket below the root of HAProxy, or at an address.
fn responder(world: &Namespace) -> Process {
    let socket = where_to("unix:/run/mailsetup.sock");
    match socket.strip_prefix("unix:") {
        Some(path) => {
            let path = format!("{ROOT}{path}");
            let folder = Path::new(&path).parent().expect("a folder");
            fs::create_dir_all(folder).expect("mkdir");
            serve_at(world, &format!("unix:{path}"), "haproxy")
        }
        None => serve_at(world, socket, "haproxy"),
    }
}

fn run_with(world: &Namespace, contrib: &str, lines: &str) -> Process {
    let ours = contrib.lines().filter_map(|line| line.strip_prefix("#     "));
    let ours: Vec<_> = ours.filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(ours.iter().filter(|line| line.contains("mailsetup")).count(), 3, "{ours:?}");
    let lines = format!("{}\n    {lines}", ours.join("\n    "));
    write(Path::new(CFG), MAIN.replace("{lines}", &lines) + contrib);
    run(command("haproxy").args(["-c", "-f", CFG]));
    Process::start(world.sandbox, command("haproxy").args(["-db", "-f", CFG]))
        .wait_until(|| listens(HTTP))
}

/// HAProxy's state of the server in contrib's backend, and of its last check: `UP L7OK`.
pub fn health() -> String {
    // HAProxy listens here slightly later than for clients.
    let statistics = || UnixStream::connect("/run/haproxy.sock");
    assert!(wait_until(|| statistics().is_ok()), "no statistics");
    let mut socket = statistics().expect("statistics");
    socket.write_all(b"show stat\n").expect("a command");
    let mut table = String::new();
    socket.read_to_string(&mut table).expect("a table");
    let row = |start| table.lines().find(|line| line.starts_with(start)).expect("a row").split(',');
    let values = row("# pxname,").zip(row("mailsetup,mailsetup,"));
    let values = values.filter(|(name, _)| ["status", "check_status"].contains(name));
    values.map(|(_, value)| value).collect::<Vec<_>>().join(" ")
}
