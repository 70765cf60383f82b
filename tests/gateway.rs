//! The gateway under load and faults: limits that are reached, peers that are slow or gone,
//! signals, sockets that are left behind.

use crate::common::fcgi::{self, Client, Style};
use crate::common::http::{self, Request};
use crate::common::{Process, Sandbox, command, free_port, program, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const KEPT: Style = Style { keep: true, ..Style::USUAL };

fn get() -> Request {
    Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org")
}

/// A service on a socket in `sandbox`, with the given lines of configuration.
fn serve(sandbox: &Sandbox, config: &str) -> (Process, PathBuf) {
    start(sandbox, config, command(program()))
}

fn start(sandbox: &Sandbox, config: &str, mut command: Command) -> (Process, PathBuf) {
    let socket = sandbox.path("socket");
    let config = sandbox.write("c.toml", config);
    command.arg("serve").arg("--config").arg(config).arg("--listen").arg(listen(&socket));
    let process =
        Process::start(sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    (process, socket)
}

fn listen(socket: &Path) -> String {
    format!("unix:{}", socket.display())
}

fn ask(socket: &Path) -> u16 {
    Client::unix(socket)
        .and_then(|mut client| client.send(&get(), Style::USUAL))
        .expect("an answer")
        .status
}

fn signal(process: &Process, signal: Signal) {
    kill(Pid::from_raw(process.id() as i32), signal).expect("kill");
}

//------------ sockets -------------------------------------------------------

#[test]
fn a_socket_has_the_mode_it_was_given_and_goes_with_its_maker() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("socket");
    let mut command = command(program());
    command.args(["serve", "--listen", &format!("{},mode=0600,group=daemon", listen(&socket))]);
    let mut process =
        Process::start(&sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    // Root may connect before owner and mode are set.
    let mode = || fs::metadata(&socket).expect("socket").permissions().mode() & 0o777;
    assert!(wait_until(|| mode() == 0o600));
    let meta = fs::metadata(&socket).expect("socket");
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::os::unix::fs::MetadataExt::gid(&meta), 1, "daemon");
    signal(&process, Signal::SIGTERM);
    assert_eq!(process.wait(), Some(0), "{}", process.output());
    assert!(!socket.exists());
}

#[test]
fn only_a_socket_that_was_left_behind_is_replaced() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("socket");
    drop(UnixListener::bind(&socket).expect("bind"));
    let (service, _) = serve(&sandbox, "");
    assert_eq!(ask(&socket), 200);

    let refused = |path: &Path| {
        let output = command(program())
            .args(["serve", "--listen", &listen(path)])
            .output()
            .expect("program");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert!(refused(&socket).contains("another process listens there"));
    drop(service);
    let file = sandbox.write("file", "");
    assert!(refused(&file).contains("no socket"));
    let datagram = sandbox.path("datagram");
    let _datagram = UnixDatagram::bind(&datagram).expect("bind");
    refused(&datagram);
    assert!(datagram.exists() && file.exists());
    assert!(
        refused(Path::new("/no/such/folder/socket")).contains("cannot listen on unix:/no/such")
    );
}

/// A service that ends late does not remove the socket of the one that took its place.
#[test]
fn a_restart_keeps_the_new_socket() {
    let sandbox = Sandbox::new();
    let (mut first, socket) = serve(&sandbox, "");
    let mut busy = UnixStream::connect(&socket).expect("connection");
    busy.write_all(&fcgi::record(fcgi::BEGIN_REQUEST, 1, &[0, 1, 0, 0, 0, 0, 0, 0], false))
        .expect("write");
    std::thread::sleep(Duration::from_millis(50));
    signal(&first, Signal::SIGTERM);
    assert!(wait_until(|| UnixStream::connect(&socket).is_err()), "it listens no more");
    let (_second, _) = serve(&sandbox, "");
    drop(busy);
    assert_eq!(first.wait(), Some(0), "{}", first.output());
    assert_eq!(ask(&socket), 200);
}

#[test]
fn an_address_in_use_is_told() {
    let port = free_port();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("bind");
    for option in ["--listen", "--http"] {
        let address = format!("127.0.0.1:{port}");
        let output =
            command(program()).args(["serve", option, &address]).output().expect("program");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr.contains(&format!("cannot listen on {address}")), "{stderr}");
    }
    let output = command(program()).arg("serve").output().expect("program");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no socket to serve on"));
}

/// Descriptors that nobody handed over are not taken, however many are promised.
#[test]
fn promised_descriptors_that_are_not_there() {
    for count in ["1", "2147483647", "-1", "x"] {
        let script = format!("LISTEN_PID=$$ LISTEN_FDS={count} exec {} serve", program().display());
        let output = command("sh").args(["-c", &script]).output().expect("sh");
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

//------------ limits --------------------------------------------------------

#[test]
fn over_the_limit_fastcgi_is_told_so_and_then_served() {
    let sandbox = Sandbox::new();
    let (_service, socket) = serve(&sandbox, "limits.connections = 2\nlimits.timeout_s = 5\n");
    let mut kept: Vec<_> = (0..2).map(|_| Client::unix(&socket).expect("connection")).collect();
    // The connection that found the service ready may not be forgotten yet.
    for client in &mut kept {
        assert!(wait_until(|| {
            let answer = client.send(&get(), KEPT);
            let served = answer.is_ok_and(|answer| answer.status == 200);
            if !served {
                *client = Client::unix(&socket).expect("connection");
            }
            served
        }));
    }
    let mut third = Client::unix(&socket).expect("connection");
    third.write(&fcgi::request_records(&get(), KEPT)).expect("write");
    let end = third.read().expect("a record");
    assert_eq!((end.kind, end.content[4]), (fcgi::END_REQUEST, 2), "OVERLOADED");
    assert!(third.read().is_err(), "and closed");
    // Over-limit connections that say nothing do not keep others from a slot that is free.
    let _silent: Vec<_> =
        (0..64).map(|_| UnixStream::connect(&socket).expect("connection")).collect();
    kept.pop();
    assert!(wait_until(|| {
        let answer = Client::unix(&socket).and_then(|mut client| client.send(&get(), Style::USUAL));
        answer.is_ok_and(|answer| answer.status == 200)
    }));
    assert_eq!(kept[0].send(&get(), KEPT).expect("answer").status, 200);
}

/// Out of descriptors, the service is slow but not dead, and recovers.
#[test]
fn out_of_descriptors() {
    let sandbox = Sandbox::new();
    let mut limited = command("sh");
    limited.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]).arg(program());
    let (service, socket) = start(&sandbox, "limits.timeout_s = 1\n", limited);
    let silent: Vec<_> =
        (0..100).map(|_| UnixStream::connect(&socket).expect("connection")).collect();
    assert_eq!(ask(&socket), 200, "who says nothing is let go");
    drop(silent);
    assert_eq!(ask(&socket), 200);
    assert!(!service.output().contains("panicked"), "{}", service.output());
}

#[test]
fn caps_on_parameters_and_bodies_can_be_set() {
    let sandbox = Sandbox::new();
    let (_service, socket) =
        serve(&sandbox, "limits.parameters_bytes = 300\nlimits.body_bytes = 10\n");
    let mut client = Client::unix(&socket).expect("connection");
    assert_eq!(client.send(&get(), KEPT).expect("answer").status, 431);
    let short = Request { headers: Vec::new(), ..Request::new("POST", "/x") };
    assert_eq!(client.send(&short.clone().body("x".repeat(10)), KEPT).expect("answer").status, 404);
    assert_eq!(client.send(&short.body("x".repeat(11)), KEPT).expect("answer").status, 413);
}

/// A HEAD gets no body, also when it is refused.
#[test]
fn head_with_a_large_body_gets_no_body() {
    let request = Request::new("HEAD", "/").body(vec![b'x'; 70_000]);
    let answer = crate::common::cgi::send(&program(), &request, &[]).expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (413, 0));
}

#[test]
fn who_is_slow_is_cut_off() {
    let sandbox = Sandbox::new();
    let (_service, socket) = serve(&sandbox, "limits.timeout_s = 1\n");
    let records = fcgi::request_records(&get(), KEPT);
    let mut half = UnixStream::connect(&socket).expect("connection");
    half.write_all(&records[..50]).expect("write");
    let mut silent = UnixStream::connect(&socket).expect("connection");
    let mut kept = Client::unix(&socket).expect("connection");
    assert_eq!(kept.send(&get(), KEPT).expect("answer").status, 200);
    for stream in [&mut half, &mut silent] {
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        assert_eq!(stream.read(&mut [0]).expect("closed, not timed out here"), 0);
    }
    assert_eq!(kept.send(&get(), KEPT).expect("answer").status, 200, "an idle connection is kept");
}

/// Clients that send and never read do not hold their slots for ever.
#[test]
fn who_never_reads_is_cut_off() {
    let sandbox = Sandbox::new();
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let config = sandbox.write("c.toml", "limits.connections = 2\nlimits.timeout_s = 1\n");
    let mut command = command(program());
    command.args(["serve", "--http", &address.to_string(), "--config"]).arg(config);
    let _service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    let requests =
        "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: example.org\r\n\r\n".repeat(100_000);
    let _greedy: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("connection");
            stream.set_write_timeout(Some(Duration::from_millis(300))).expect("timeout");
            stream.write_all(requests.as_bytes()).expect_err("nobody reads the answers");
            stream
        })
        .collect();
    assert_eq!(http::send(address, &get()).expect("an answer").status, 200);
}

//------------ conversation --------------------------------------------------

/// Over TCP, only the web servers that are named may connect (FastCGI 1.0 §3.2).
#[test]
fn only_named_web_servers_may_connect() {
    for (allowed, may) in
        [("127.0.0.1", true), ("192.0.2.1, 127.0.0.1", true), ("192.0.2.1", false)]
    {
        let sandbox = Sandbox::new();
        let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let mut command = command(program());
        command.env("FCGI_WEB_SERVER_ADDRS", allowed).args([
            "serve",
            "--listen",
            &address.to_string(),
        ]);
        let _service = Process::start(&sandbox, &mut command)
            .wait_until(|| TcpStream::connect(address).is_ok());
        let answer = Client::tcp(address).and_then(|mut client| client.send(&get(), Style::USUAL));
        assert_eq!(answer.is_ok_and(|answer| answer.status == 200), may, "{allowed}");
    }
}

/// A request over HTTP has one Host field (RFC 9112 §3.2).
#[test]
fn a_request_has_one_host() {
    let sandbox = Sandbox::new();
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let mut command = command(program());
    command.args(["serve", "--http", &address.to_string()]);
    let _service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    let mut none = get();
    none.headers.clear();
    for (request, status) in [
        (get(), 200),
        (get().header("Host", "example.net"), 400),
        (none, 400),
        (get().http_1_0(), 200),
    ] {
        assert_eq!(http::send(address, &request).expect("an answer").status, status);
    }
}

/// Bytes that are no FastCGI end that connection, and nothing else.
#[test]
fn nonsense_ends_its_connection_only() {
    let sandbox = Sandbox::new();
    let (service, socket) = serve(&sandbox, "");
    let mut kept = Client::unix(&socket).expect("connection");
    assert_eq!(kept.send(&get(), KEPT).expect("answer").status, 200);
    let begin = fcgi::record(fcgi::BEGIN_REQUEST, 1, &[0, 1, 1, 0, 0, 0, 0, 0], false);
    for bytes in [
        b"GET / HTTP/1.0\r\n\r\n".to_vec(),
        vec![0; 64],
        vec![0xff; 70_000],
        [&begin[..], &begin].concat(),
        [begin, fcgi::record(fcgi::STDIN, 1, b"", false)].concat(),
    ] {
        let mut stream = UnixStream::connect(&socket).expect("connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        // It may be closed before all is written.
        stream.write_all(&bytes).ok();
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => assert_eq!(answer, b"", "{}", bytes.escape_ascii()),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
    assert_eq!(kept.send(&get(), KEPT).expect("answer").status, 200);
    assert!(!service.output().contains("panicked"), "{}", service.output());
}

#[test]
fn broken_parameters_are_a_400() {
    let sandbox = Sandbox::new();
    let (_service, socket) = serve(&sandbox, "");
    for parameters in [&b"\x05\x05ab"[..], b"\x80\x00", b"\x01\x02a\0b"] {
        let mut client = Client::unix(&socket).expect("connection");
        for (kind, content) in [
            (fcgi::BEGIN_REQUEST, &[0, 1, 0, 0, 0, 0, 0, 0][..]),
            (fcgi::PARAMS, parameters),
            (fcgi::PARAMS, b""),
            (fcgi::STDIN, b""),
        ] {
            client.write(&fcgi::record(kind, 1, content, true)).expect("write");
        }
        let answer = client.read().expect("a record");
        assert!(
            answer.content.starts_with(b"Status: 400 Bad Request\r\n"),
            "{}",
            answer.content.escape_ascii()
        );
    }
}

//------------ signals -------------------------------------------------------

/// SIGTERM closes idle connections at once and lets a running request finish.
#[test]
fn a_stop_finishes_what_runs() {
    let sandbox = Sandbox::new();
    let (mut service, socket) = serve(&sandbox, "");
    let mut idle = Client::unix(&socket).expect("connection");
    assert_eq!(idle.send(&get(), KEPT).expect("answer").status, 200);
    let records = fcgi::request_records(&get(), Style::USUAL);
    let (first, last) = records.split_at(records.len() - 8);
    let mut running = Client::unix(&socket).expect("connection");
    running.write(first).expect("write");
    std::thread::sleep(Duration::from_millis(50));
    signal(&service, Signal::SIGTERM);
    assert!(idle.read().is_err(), "an idle connection is closed");
    running.write(last).expect("write");
    assert!(running.read().expect("a record").content.starts_with(b"Status: 200 OK"));
    assert_eq!(service.wait(), Some(0), "{}", service.output());
}
