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

use callgrind::{counted, total, whole};
use common::fcgi::{self, Client};
use common::http::Request;
use common::{Process, Sandbox, cgi, command, program, source};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt::Write;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The parameters of Debian's `fastcgi_params` for nginx in addition to the variables of CGI.
const NGINX: [(&str, &str); 8] = [
    ("DOCUMENT_ROOT", "/usr/share/nginx/html"),
    ("DOCUMENT_URI", "/mailsetup"),
    ("HTTPS", "on"),
    ("REDIRECT_STATUS", "200"),
    ("REMOTE_PORT", "40000"),
    ("SERVER_ADDR", "192.0.2.2"),
    ("CONTENT_TYPE", ""),
    ("CONTENT_LENGTH", ""),
];
/// The fields that Thunderbird sends in addition to the Host.
const THUNDERBIRD: [(&str, &str); 4] = [
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"),
    ("Accept", "*/*"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate"),
];

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

/// The records of a request as nginx sends them.
fn records(request: &Request) -> Vec<u8> {
    let client = THUNDERBIRD
        .iter()
        .fold(request.clone(), |request, (name, value)| request.header(name, value));
    let mut variables = cgi::variables(&client);
    let is_set = |variables: &[(Vec<u8>, _)], name: &str| {
        variables.iter().any(|(known, _)| known == name.as_bytes())
    };
    for (name, value) in NGINX {
        if !is_set(&variables, name) {
            variables.push((name.into(), value.into()));
        }
    }
    let parameters = fcgi::pairs(variables.iter().map(|(name, value)| (&name[..], &value[..])));
    let body = request.body.as_deref().unwrap_or_default();
    let mut records = fcgi::record(fcgi::BEGIN_REQUEST, 1, &[0, 1, 1, 0, 0, 0, 0, 0], true);
    records.extend(fcgi::record(fcgi::PARAMS, 1, &parameters, true));
    records.extend(fcgi::record(fcgi::PARAMS, 1, b"", true));
    if !body.is_empty() {
        records.extend(fcgi::record(fcgi::STDIN, 1, body, true));
    }
    records.extend(fcgi::record(fcgi::STDIN, 1, b"", true));
    records
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
        let records = records(request);
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
