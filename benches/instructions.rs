//! What a request costs, in instructions: the same number on every run of the same program,
//! whatever else the machine does. Counts with `valgrind --tool=callgrind`, user space only.
//!
//! `cargo bench` prints a Markdown table. A request on a kept FastCGI connection is the difference
//! between many and few of them; a CGI request is a whole process, from its start to its end.

#[path = "../tests/common/mod.rs"]
mod common;

use common::fcgi::{Client, Style};
use common::http::Request;
use common::{Process, Sandbox, cgi, command, program, source};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt::Write;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// How many requests the longer of two runs has more than the shorter.
const REQUESTS: usize = 500;

fn main() {
    let sandbox = Sandbox::new();
    let outlook = source("tests/fixtures/requests/outlook-pox-root-domain.http");
    let outlook = fs::read_to_string(outlook).expect("fixture");
    let (_, body) = outlook.split_once("\n\n").expect("a body");
    let requests = [
        ("autoconfig, GET", Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org")),
        ("Autodiscover, POST", Request::post("/autodiscover/autodiscover.xml", body)),
        (
            "Apple profile, unsigned, GET",
            Request::get("/mobileconfig?emailaddress=ann@example.org"),
        ),
        ("unknown path, GET", Request::get("/favicon.ico")),
    ];
    let none = sandbox.write("none.toml", "");
    let mut twenty = String::new();
    for number in 0..20 {
        write!(twenty, "[domain.'d{number}.example']\nimap.host = 'imap.d{number}.example'\n")
            .expect("memory");
    }
    let twenty = sandbox.write("twenty.toml", twenty + "[domain.'example.org']\n");

    println!("| what | user instructions |\n|---|---:|");
    for (name, request) in &requests {
        let count = kept(&sandbox, &none, request);
        println!("| FastCGI, kept connection: {name} | {count} |");
    }
    let mut empty = command("true");
    println!("| an empty program, for scale: `true` | {} |", whole(&sandbox, &mut empty));
    for (name, config) in [("no domain configured", &none), ("21 domains configured", &twenty)] {
        let mut program = command(program());
        for (name, value) in cgi::variables(&requests[0].1) {
            let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
            program.env(text(name), text(value));
        }
        program.env("MAILSETUP_CONFIG", config);
        println!(
            "| CGI, start to exit: autoconfig, GET, {name} | {} |",
            whole(&sandbox, &mut program)
        );
    }
}

/// The instructions of one request on a kept connection.
fn kept(sandbox: &Sandbox, config: &Path, request: &Request) -> u64 {
    let run = |count: usize| {
        let socket = sandbox.path("socket");
        let mut serve = command(program());
        serve
            .arg("--config")
            .arg(config)
            .arg("serve")
            .arg("--listen")
            .arg(format!("unix:{}", socket.display()));
        let (mut counted, out) = counted(sandbox, &serve);
        let mut process = Process::start(sandbox, &mut counted)
            .wait_until(|| UnixStream::connect(&socket).is_ok());
        let mut client = Client::unix(&socket).expect("connection");
        for _ in 0..count {
            client.send(request, Style { keep: true, ..Style::USUAL }).expect("answer");
        }
        kill(Pid::from_raw(process.id() as i32), Signal::SIGTERM).expect("SIGTERM");
        assert_eq!(process.wait(), Some(0), "{}", process.output());
        total(&out)
    };
    (run(REQUESTS + 100) - run(100)) / REQUESTS as u64
}

/// The instructions of a whole run of a program.
fn whole(sandbox: &Sandbox, command: &mut Command) -> u64 {
    let (mut counted, out) = counted(sandbox, command);
    let status = counted.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.expect("valgrind: is it installed?").success());
    total(&out)
}

/// The same command under callgrind, and the file its counts go to.
fn counted(sandbox: &Sandbox, counted: &Command) -> (Command, std::path::PathBuf) {
    let out = sandbox.path("callgrind.out");
    let mut valgrind = command("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(counted.get_program()).args(counted.get_args());
    for (name, value) in counted.get_envs() {
        valgrind.env(name, value.expect("set"));
    }
    (valgrind, out)
}

/// The sum in a file of callgrind.
fn total(out: &Path) -> u64 {
    let text = fs::read_to_string(out).expect("callgrind's output");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    line.expect("a sum").trim().parse().expect("a number")
}
