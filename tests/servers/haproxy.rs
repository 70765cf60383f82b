//! HAProxy, in its chroot as in Debian: contrib's sections, and the lines for a frontend from their
//! comment.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::{HTTP, listens, source};
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, run, wait_until, write};

const CFG: &str = "/etc/haproxy/haproxy.cfg";
/// In the chroot of HAProxy, this is contrib's /run/mailsetup.sock.
const SOCKET: &str = "/var/lib/haproxy/run/mailsetup.sock";

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
    run_with(world, &contrib(), lines)
}

/// The same with a check every tenth of a second.
pub fn checked_often(world: &Namespace) -> Vec<Process> {
    let often = contrib().replace("inter 10s fastinter 1s", "inter 100ms");
    assert_ne!(often, contrib());
    run_with(world, &often, "")
}

fn contrib() -> String {
    fs::read_to_string(source("contrib/haproxy/mailsetup.cfg")).expect("contrib")
}

fn run_with(world: &Namespace, contrib: &str, lines: &str) -> Vec<Process> {
    let ours = contrib.lines().filter_map(|line| line.strip_prefix("#     "));
    let ours: Vec<_> = ours.filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(ours.iter().filter(|line| line.contains("mailsetup")).count(), 3, "{ours:?}");
    let lines = format!("{}\n    {lines}", ours.join("\n    "));
    write(Path::new(CFG), MAIN.replace("{lines}", &lines) + contrib);
    fs::create_dir_all("/var/lib/haproxy/run").expect("mkdir");
    let listen = format!("unix:{SOCKET},mode=0660,group=haproxy");
    let responder =
        Process::start(world.sandbox, command(PROGRAM).args(["serve", "--listen", &listen]))
            .wait_until(|| UnixStream::connect(SOCKET).is_ok());
    run(command("haproxy").args(["-c", "-f", CFG]));
    let server = Process::start(world.sandbox, command("haproxy").args(["-db", "-f", CFG]))
        .wait_until(|| listens(HTTP));
    vec![responder, server]
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
