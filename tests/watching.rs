//! Monitoring of a running service: a line for each request, metrics, and the health check.

use crate::common::fcgi::{Client, Style};
use crate::common::http::Request;
use crate::common::{Process, Sandbox, cgi, command, free_port, program, wait_until};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

const KEPT: Style = Style { keep: true, ..Style::USUAL };

fn serve(sandbox: &Sandbox, config: &str) -> (Process, PathBuf) {
    let socket = sandbox.path("socket");
    let mut command = command(program());
    command.arg("--config").arg(sandbox.write("c.toml", config));
    command.args(["serve", "--listen"]).arg(format!("unix:{}", socket.display()));
    let process =
        Process::start(sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    (process, socket)
}

fn ask(socket: &Path, target: &str) -> crate::common::http::Response {
    ask_with(socket, &Request::get(target))
}

fn ask_with(socket: &Path, request: &Request) -> crate::common::http::Response {
    Client::unix(socket).expect("connection").send(request, Style::USUAL).expect("answer")
}

/// The lines about requests, once there are `count`.
fn lines(service: &Process, count: usize) -> Vec<String> {
    let lines = || -> Vec<_> {
        let output = service.output();
        output.lines().filter(|line| line.contains("status=")).map(str::to_owned).collect()
    };
    wait_until(|| lines().len() >= count);
    assert_eq!(lines().len(), count, "{}", service.output());
    lines()
}

#[test]
fn a_line_for_each_request() {
    let sandbox = Sandbox::new();
    let (service, socket) = serve(&sandbox, "[domain.'example.org']\n");
    ask(&socket, "/mail/config-v1.1.xml?emailaddress=ann@example.org");
    ask(&socket, "/favicon.ico?secret");
    ask_with(&socket, &Request::post("/mail/config-v1.1.xml", ""));
    ask_with(&socket, &Request::post("/autodiscover/autodiscover.xml", vec![b'x'; 70_000]));
    ask_with(&socket, &Request::new("HEAD", "/favicon.ico"));
    let lines = lines(&service, 5);
    let (before, after) = lines[0].split_once(" us=").expect("a duration");
    let (us, after) = after.split_once(' ').expect("a field behind it");
    assert!(us.parse::<u32>().is_ok(), "{us}");
    let body = ask(&socket, "/mail/config-v1.1.xml?emailaddress=ann@example.org").body.len();
    assert_eq!(
        before,
        format!("mailsetup: method=GET document=autoconfig status=200 bytes={body}")
    );
    assert_eq!(after, "host=autoconfig.example.org address=a***@example.org");
    for (line, start) in lines[1..].iter().zip([
        "method=GET document=- status=404 bytes=13 ",
        "method=POST document=autoconfig status=405 bytes=27 ",
        "method=POST document=- status=413 bytes=30 ",
        "method=HEAD document=- status=404 bytes=0 ",
    ]) {
        assert!(
            line.strip_prefix("mailsetup: ").is_some_and(|line| line.starts_with(start)),
            "{line}"
        );
    }
    assert!(!service.output().contains("secret") && !service.output().contains("ann"));
}

/// Text from a client cannot make another line or look like another field.
#[test]
fn no_request_forges_a_line() {
    let sandbox = Sandbox::new();
    let (service, socket) =
        serve(&sandbox, "[log]\naddresses = 'full'\n[domains]\nanswer = 'any'\n");
    let hostile = [
        "/mail/config-v1.1.xml?emailaddress=%22a%20status=200%22@example.org",
        "/mail/config-v1.1.xml?emailaddress=%22a%0Astatus=200%22@example.org",
        "/mail/config-v1.1.xml?emailaddress=%E2%80%AEa@example.org",
        "/mail/config-v1.1.xml%0Amailsetup:%20status=500",
        "/%1B%5B31m",
    ];
    for target in hostile {
        ask(&socket, target);
    }
    let request = Request::get("/mail/config-v1.1.xml").host("a\x1b[1m\tstatus=1");
    ask_with(&socket, &request);
    let lines = lines(&service, hostile.len() + 1);
    assert!(lines[0].ends_with("address=\"a status=200\"@example.org"), "{}", lines[0]);
    let others = &lines[1..];
    assert!(others.iter().all(|line| line.matches("status=").count() == 1), "{others:?}");
    let output = service.output();
    assert!(!output.contains(|c: char| c.is_control() && c != '\n'), "{output:?}");
    assert!(!output.contains('\u{202e}') && lines[2].contains("status=400 "), "{output}");
}

/// A line contains no data of the client, unless configured.
#[test]
fn lines_hold_the_client_where_it_is_wanted() {
    let sandbox = Sandbox::new();
    let request = Request::get("/mail/config-v1.1.xml").header("User-Agent", "Mail \"1\"\x1b[1m");
    let line = |config: &str| {
        let (service, socket) = serve(&sandbox, &format!("[domains]\nanswer = 'any'\n{config}"));
        ask_with(&socket, &request);
        let line = lines(&service, 1).remove(0);
        line.split_once(" us=").expect("a time").1.split_once(' ').expect("fields").1.to_owned()
    };
    let host = "host=autoconfig.example.org";
    assert_eq!(line(""), host);
    let client = format!("{host} client=127.0.0.1");
    assert_eq!(line("[log]\nclient_addresses = true\n"), client);
    let both = format!("{client} user_agent=\"Mail \\\"1\\\"<U+001B>[1m\"");
    assert_eq!(line("[log]\nclient_addresses = true\nuser_agents = true\n"), both);

    let config =
        sandbox.write("http.toml", "log = { client_addresses = true, user_agents = true }");
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = command(program());
    command.arg("--config").arg(config).args(["serve", "--http"]).arg(address.to_string());
    let service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    let request = "GET /a HTTP/1.1\r\nHost: example.org\r\nUser-Agent: Mail/1 (a)\r\n\r\n";
    TcpStream::connect(address).expect("connection").write_all(request.as_bytes()).expect("sent");
    let line = lines(&service, 1).remove(0);
    assert!(line.ends_with(" client=127.0.0.1 user_agent=\"Mail/1 (a)\""), "{line}");
}

/// A request that is refused before it is read is logged with the address of its client.
#[test]
fn a_malformed_request_is_logged_with_its_client() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("http.toml", "log.client_addresses = true");
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = command(program());
    command.arg("--config").arg(config).args(["serve", "--http"]).arg(address.to_string());
    let service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    let long = format!("GET / HTTP/1.1\r\nHost: a.example\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    for (at, request) in ["GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", &long].into_iter().enumerate() {
        TcpStream::connect(address).expect("connection").write_all(request.as_bytes()).ok();
        let line = lines(&service, at + 1).remove(at);
        assert!(line.ends_with(" client=127.0.0.1"), "{line}");
    }
}

#[test]
fn lines_are_off_in_cgi_and_where_they_are_switched_off() {
    let sandbox = Sandbox::new();
    let request = Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org");
    let told = |config: &str| {
        let config = sandbox.write("cgi.toml", config);
        let mut command = command(program());
        for (name, value) in cgi::variables(&request) {
            let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
            command.env(text(name), text(value));
        }
        let output = command.env("MAILSETUP_CONFIG", config).output().expect("a program");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert_eq!(told(""), "");
    let line = told("[log]\nrequests = true\n");
    assert!(line.starts_with("mailsetup: method=GET document=autoconfig status=200 "), "{line}");

    let (service, socket) = serve(&sandbox, "[log]\nrequests = false\n");
    ask(&socket, "/mail/config-v1.1.xml");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!service.output().contains("status="), "{}", service.output());
}

/// A reader that does not read from its pipe does not block requests.
#[test]
fn a_full_pipe_loses_lines_and_nothing_else() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("socket");
    let mut command = command(program());
    command.args(["serve", "--listen"]).arg(format!("unix:{}", socket.display()));
    let mut service =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a program");
    assert!(wait_until(|| UnixStream::connect(&socket).is_ok()));
    let mut client = Client::unix(&socket).expect("connection");
    let begun = Instant::now();
    // A pipe has 64 KiB; each line has about 100 bytes.
    for _ in 0..2000 {
        let request = Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org");
        assert_eq!(client.send(&request, KEPT).expect("answer").status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    service.kill().expect("it runs");
    service.wait().expect("it ends");
}

/// The time that a client takes to send its request is not counted, over HTTP as over FastCGI.
#[test]
fn durations_begin_when_a_request_is_there() {
    let sandbox = Sandbox::new();
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let mut command = command(program());
    command.args(["serve", "--http", &address.to_string()]);
    let service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    let mut stream = TcpStream::connect(address).expect("connection");
    stream
        .write_all(b"POST /x HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\na")
        .expect("write");
    std::thread::sleep(Duration::from_secs(2));
    stream.write_all(b"b").expect("write");
    let lines = lines(&service, 1);
    let (_, after) = lines[0].split_once(" us=").expect("a duration");
    let us = after.split(' ').next().expect("a number");
    assert!(us.parse::<u32>().expect("a number") < 1_000_000, "{us}");
}

/// The numbers, by name and labels.
fn metrics(text: &str) -> BTreeMap<String, f64> {
    let mut typed = Vec::new();
    let mut numbers = BTreeMap::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("# TYPE ") {
            typed.push(line.split(' ').next().expect("a name").to_owned());
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            let name = series.split('{').next().expect("a name");
            assert!(typed.iter().any(|typed| name.starts_with(typed.as_str())), "{line}");
            let before = numbers.insert(series.to_owned(), value.parse().expect("a number"));
            assert!(before.is_none(), "{line}");
        }
    }
    numbers
}

#[test]
fn counters_and_health_once_they_have_a_path() {
    let sandbox = Sandbox::new();
    let (_service, socket) = serve(&sandbox, "");
    assert_eq!(ask(&socket, "/metrics").status, 404);
    drop(_service);

    let sandbox = Sandbox::new();
    let config = "[metrics]\npath = '/metrics'\nhealth_path = '/health'\n[domain.'example.org']\n";
    let (_service, socket) = serve(&sandbox, config);
    let health = ask(&socket, "/health");
    assert_eq!((health.status, health.text().as_str()), (200, "ok\n"));
    assert_eq!(health.header("Cache-Control"), Some("no-store"));
    assert_eq!(ask_with(&socket, &Request::post("/health", "")).header("Allow"), Some("GET, HEAD"));
    for target in ["/mail/config-v1.1.xml?emailaddress=ann@example.org", "/x\"} 1", "/a%0Ab 2"] {
        for _ in 0..2 {
            ask(&socket, target);
        }
    }
    let other = Request::get("/mail/config-v1.1.xml").host("autoconfig.other.example");
    assert_eq!(ask_with(&socket, &other).status, 404);
    std::fs::write(sandbox.path("c.toml"), format!("{config}\nbroken")).expect("a broken file");
    assert!(wait_until(|| {
        let numbers = metrics(&ask(&socket, "/metrics").text());
        numbers["mailsetup_config_broken"] == 1.0
    }));
    let answer = ask(&socket, "/metrics");
    assert_eq!(answer.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let numbers = metrics(&answer.text());
    let requests = |document: &str, status: u16| {
        let labels = format!("document=\"{document}\",status=\"{status}\"");
        numbers[&format!("mailsetup_requests_total{{{labels}}}")]
    };
    assert_eq!(requests("autoconfig", 200), 2.0);
    assert_eq!(requests("autoconfig", 404), 1.0);
    assert_eq!(requests("-", 404), 4.0);
    assert_eq!(requests("health", 405), 1.0);
    assert_eq!(numbers["mailsetup_config_reloads_total{result=\"broken\"}"], 1.0);
    // Only the connection of this request, once the others are closed.
    let connections = || metrics(&ask(&socket, "/metrics").text())["mailsetup_connections"];
    assert!(wait_until(|| connections() == 1.0));
    let count = numbers["mailsetup_request_duration_seconds_count"];
    assert_eq!(numbers["mailsetup_request_duration_seconds_bucket{le=\"+Inf\"}"], count);
    let all = numbers.iter().filter(|(series, _)| series.starts_with("mailsetup_requests_total"));
    assert_eq!(all.map(|(_, count)| count).sum::<f64>(), count);
}

/// A configuration that had errors and is restored, without being read again, has no errors.
#[test]
fn a_link_that_is_turned_back_mends_the_configuration() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", "metrics.path = '/metrics'\n");
    sandbox.write("bad.toml", "broken");
    let (socket, link) = (sandbox.path("socket"), sandbox.path("c.toml"));
    let turn = |to: &str| {
        std::os::unix::fs::symlink(to, sandbox.path("next")).expect("a link");
        std::fs::rename(sandbox.path("next"), &link).expect("rename");
    };
    turn("good.toml");
    let mut command = command(program());
    command.arg("--config").arg(&link);
    command.args(["serve", "--listen"]).arg(format!("unix:{}", socket.display()));
    let service =
        Process::start(&sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    let is_broken = || metrics(&ask(&socket, "/metrics").text())["mailsetup_config_broken"] == 1.0;
    // It is logged each time.
    for count in 1..3 {
        turn("bad.toml");
        assert!(wait_until(is_broken));
        turn("good.toml");
        assert!(wait_until(|| !is_broken()), "{}", service.output());
        assert_eq!(service.output().matches("keeping the previous one").count(), count);
    }
}

/// A cached document is sent only as long as its settings are in force, and for no other domain.
#[test]
fn kept_documents_follow_the_configuration() {
    let sandbox = Sandbox::new();
    sandbox.write("d/one.example.toml", "imap.host = 'one.invalid'\n");
    sandbox.write("d/alias.example.toml", "alias_of = 'two.example'\n");
    sandbox.write("list", "two.example\nthree.example\n");
    let (_service, socket) = serve(
        &sandbox,
        "[domains]\ndirectory = 'd'\nlist_files = ['list']\n[domain.'named.example']\n",
    );
    let host = |domain: &str| {
        let text = ask(&socket, &format!("/mail/config-v1.1.xml?emailaddress=a@{domain}")).text();
        let (_, rest) = text.split_once("<hostname>").expect("a server");
        rest.split('<').next().expect("a host").to_owned()
    };
    for _ in 0..2 {
        assert_eq!(host("one.example"), "one.invalid");
        assert_eq!(host("alias.example"), "mail.two.example");
    }
    sandbox.write("d/one.example.toml", "imap.host = 'new.invalid'\n");
    sandbox.write("d/alias.example.toml", "alias_of = 'three.example'\n");
    assert!(crate::common::wait_until(|| host("one.example") == "new.invalid"));
    assert!(crate::common::wait_until(|| host("alias.example") == "mail.three.example"));
    assert_eq!(host("three.example"), "mail.three.example");
}
