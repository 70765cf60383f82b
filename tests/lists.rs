//! Large lists of domains: a service loads them, a CGI process searches them, with the same answers.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, cgi, command, program, wait_until};
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Lines of a list: large enough to be read in several pieces, and short for a debug build.
const LINES: usize = 50_000;

/// The line of a number, and the domain in it, if it has one.
fn line(number: usize) -> (String, Option<String>) {
    match number % 6 {
        0 => (format!("d{number}.example"), Some(format!("d{number}.example"))),
        1 => (format!("D{number}.Example\tOK"), Some(format!("d{number}.example"))),
        2 => (format!("# d{number}.example"), None),
        3 => (
            format!("d{number}.b\u{fc}cher.example # \u{fc}"),
            Some(format!("d{number}.xn--bcher-kva.example")),
        ),
        4 => (format!("ann@d{number}.example:{{PLAIN}}:1:1"), Some(format!("d{number}.example"))),
        _ => (String::new(), None),
    }
}

/// A list with this number of lines, with a byte order mark and the line ends of Windows.
fn list(lines: usize) -> String {
    let mut text = "\u{feff}".to_owned();
    for number in 0..lines {
        write!(text, "{}\r\n", line(number).0).expect("a string");
    }
    text
}

fn target(domain: &str) -> String {
    format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}")
}

/// The response of a new process, and what it wrote to the log.
fn over_cgi(config: &Path, domain: &str, host: &str) -> (Response, String) {
    let mut program = command(program());
    for (name, value) in cgi::variables(&Request::get(target(domain)).host(host)) {
        program.env(OsString::from_vec(name), OsString::from_vec(value));
    }
    let output = program.env("MAILSETUP_CONFIG", config).output().expect("program");
    let response = cgi::parse(&output.stdout, false).expect("an answer");
    (response, String::from_utf8_lossy(&output.stderr).into_owned())
}

struct Service {
    process: Process,
    sandbox: Sandbox,
}

impl Service {
    fn start(sandbox: Sandbox, config: &Path) -> Service {
        let socket = sandbox.path("socket");
        let mut command = command(program());
        command.arg("--config").arg(config);
        command.args(["serve", "--listen"]).arg(format!("unix:{}", socket.display()));
        let process = Process::start(&sandbox, &mut command)
            .wait_until(|| UnixStream::connect(&socket).is_ok());
        Service { process, sandbox }
    }

    fn status(&self, domain: &str) -> u16 {
        let mut client = Client::unix(&self.sandbox.path("socket")).expect("a connection");
        let request = Request::get(target(domain)).host("x.invalid");
        client.send(&request, Style::USUAL).expect("an answer").status
    }

    fn wait_for_log(&self, text: &str, count: usize) {
        let is_there = || self.process.output().matches(text).count() >= count;
        assert!(wait_until(is_there), "{text}: {}", self.process.output());
    }
}

#[test]
fn a_long_list_is_loaded_and_searched() {
    let sandbox = Sandbox::new();
    sandbox.write("list", list(LINES));
    sandbox.write("short", "short.example\n");
    let config = sandbox.write("c.toml", "domains.list_files = ['list', 'short']\n");
    let service = Service::start(sandbox, &config);
    for number in (0..6).chain(25_001..25_007).chain(LINES - 6..LINES) {
        let (_, listed) = line(number);
        let domain = listed.clone().unwrap_or_else(|| format!("d{number}.example"));
        let expected = if listed.is_some() { 200 } else { 404 };
        assert_eq!(service.status(&domain), expected, "{domain}");
        for host in [format!("autoconfig.{domain}"), "mail.invalid".to_owned()] {
            let (response, log) = over_cgi(&config, &domain, &host);
            assert_eq!((response.status, log.as_str()), (expected, ""), "{domain}");
        }
    }
    assert_eq!(service.status("short.example"), 200);
    assert_eq!(over_cgi(&config, "short.example", "x.invalid").0.status, 200);
}

/// The previous list stays in force until the new one is whole.
#[test]
fn a_long_list_may_be_cut_emptied_and_removed() {
    let sandbox = Sandbox::new();
    let text = list(LINES);
    let path = sandbox.write("list", &text);
    let config = sandbox.write("c.toml", "domains.list_files = ['list']\n");
    let service = Service::start(sandbox, &config);
    let statuses = || [0, 1, LINES - 2].map(|n| service.status(&line(n).1.expect("a domain")));
    assert_eq!(statuses(), [200; 3]);
    // Within a name: after `D24997.Exam` of 25,000 lines.
    let end = text.find("D24997.Exam").expect("a line") + "D24997.Exam".len();
    fs::write(&path, &text[..end]).expect("write");
    service.wait_for_log("list: the list is truncated", 1);
    assert_eq!(statuses(), [200; 3]);
    fs::write(&path, "# nothing\n".repeat(LINES)).expect("write");
    service.wait_for_log("list: the list is empty", 1);
    assert_eq!(statuses(), [200; 3]);
    fs::remove_file(&path).expect("remove");
    service.wait_for_log("cannot be read: No such file or directory", 1);
    assert_eq!(statuses(), [200; 3]);
    fs::create_dir(&path).expect("a folder");
    service.wait_for_log("cannot be read: it is not a file", 1);
    assert_eq!(statuses(), [200; 3]);
    fs::remove_dir(&path).expect("remove");
    fs::write(&path, text + "more.example\r\n").expect("write");
    assert!(wait_until(|| service.status("more.example") == 200), "{}", service.process.output());
    assert_eq!(statuses(), [200; 3]);
}

/// The check of aliases asks for many domains, and a request for its own.
#[test]
fn aliases_to_listed_domains_are_checked_in_cgi() {
    let sandbox = Sandbox::new();
    sandbox.write("list", list(1000));
    for count in [1, 8, 9, 40] {
        let aliases: String = (0..count)
            .map(|number| {
                format!("[domain.'a{number}.example']\nalias_of = 'd{}.example'\n", number * 6)
            })
            .collect();
        let text = format!("domains.list_files = ['list']\n{aliases}");
        let config = sandbox.write("c.toml", &text);
        let last = format!("a{}.example", count - 1);
        let (response, log) = over_cgi(&config, &last, "x.invalid");
        assert_eq!((response.status, log.as_str()), (200, ""), "{count}");
        let text = text + "[domain.'b.example']\nalias_of = 'd2.example'\n";
        let config = sandbox.write("c.toml", text);
        let (response, log) = over_cgi(&config, &last, "x.invalid");
        // The file is young, so it may be half written.
        assert_eq!(response.status, 503, "{count}");
        let line = "the alias of `b.example` leads to `d2.example`, which is not configured";
        assert!(log.contains(line) && log.lines().count() == 1, "{count}: {log}");
    }
}

/// A list of junk up to the largest size ends in its time, without memory; a larger one is refused.
#[test]
fn junk_in_place_of_a_list_ends_with_one_line() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.list_files = ['list']\n");
    sandbox.write("list", vec![b'\xff'; 64 << 20]);
    let (response, log) = over_cgi(&config, "a.example", "x.invalid");
    assert_eq!(response.status, 503);
    assert!(log.contains("list cannot be read: it is larger than 32768 KiB"), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
    // A device has no size.
    let config = sandbox.write("c.toml", "domains.list_files = ['/dev/zero']\n");
    let (response, log) = over_cgi(&config, "a.example", "x.invalid");
    assert_eq!(response.status, 503);
    assert!(log.contains("/dev/zero: domains.list_files: cannot be read: it is larger"), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
}
