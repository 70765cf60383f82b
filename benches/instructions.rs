//! The cost of a request in instructions: the number is the same for every run of the same program,
//! whatever the load of the machine. Counts with `valgrind --tool=callgrind`, user space only.
//!
//! `cargo bench -p mailsetup --bench instructions` prints a Markdown table; `make bench` runs it, too. A request
//! on a kept FastCGI connection is the difference between many and few of them, with the parameters
//! of nginx and the fields of a mail client; a CGI request is a whole process, from start to end.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it prints tables, and stops at the first failure"
)]

#[path = "../tests/common/mod.rs"]
mod common;

#[path = "compare/callgrind.rs"]
mod callgrind;
#[path = "compare/request.rs"]
mod request;

use callgrind::{counted, total, whole};
use common::fcgi::{self, Client};
use common::http::Request;
use common::{Process, Sandbox, cgi, command, program, source};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use request::of_nginx;
use std::fmt::Write;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// How many more requests the longer of two runs has.
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
        ("page, GET", Request::get("/?emailaddress=ann@example.org")),
        ("unknown path, GET", Request::get("/favicon.ico")),
    ];
    let none = sandbox.write("none.toml", "# nothing\n");
    let mut twenty = String::new();
    for number in 0..20 {
        write!(twenty, "[domain.'d{number}.example']\nimap.host = 'imap.d{number}.example'\n")
            .expect("memory");
    }
    let twenty = sandbox.write("twenty.toml", twenty + "[domain.'example.org']\n");

    println!("| what | user instructions |\n|---|---:|");
    for (name, request) in &requests {
        let count = kept(&sandbox, &twenty, request);
        println!("| FastCGI, keepalive connection, 21 domains configured: {name} | {count} |");
    }
    let empty = command("true");
    println!("| an empty program, for comparison: `true` | {} |", whole(&sandbox, &empty));
    for (name, config) in [("no domain configured", &none), ("21 domains configured", &twenty)] {
        let mut program = command(program());
        for (name, value) in cgi::variables(&requests[0].1) {
            let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
            program.env(text(name), text(value));
        }
        program.env("MAILSETUP_CONFIG", config);
        println!("| CGI, start to exit: autoconfig, GET, {name} | {} |", whole(&sandbox, &program));
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
        let records = of_nginx(request);
        for _ in 0..count {
            client.write(&records).expect("write");
            while client.read().expect("a record").kind != fcgi::END_REQUEST {}
        }
        kill(Pid::from_raw(process.id() as i32), Signal::SIGTERM).expect("SIGTERM");
        assert_eq!(process.wait(), Some(0), "{}", process.output());
        total(&out)
    };
    (run(REQUESTS + 100) - run(100)) / REQUESTS as u64
}
