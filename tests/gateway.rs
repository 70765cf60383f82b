//! The gateways under load and faults: limits that are reached, peers that are slow or
//! disconnected, signals, sockets that were left behind.

use crate::common::fcgi::{self, Client, Style};
use crate::common::http::{self, Request};
use crate::common::{Process, Sandbox, command, confined, free_port, program, run, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

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
    // Root may connect before group and mode are set.
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

/// As soon as a socket exists, a signal to stop removes it.
#[test]
fn a_signal_that_comes_at_once_is_taken() {
    for _ in 0..20 {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("socket");
        let mut command = command(program());
        command.args(["serve", "--listen", &listen(&socket)]);
        let mut process = Process::start(&sandbox, &mut command);
        // Without a pause between two checks: the signal must arrive as early as possible.
        let begun = Instant::now();
        while !socket.exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{}", process.output());
        }
        signal(&process, Signal::SIGTERM);
        assert_eq!(process.wait(), Some(0), "{}", process.output());
        assert!(!socket.exists());
    }
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
    assert!(refused(&socket).contains("another process listens on this socket"));
    drop(service);
    let file = sandbox.write("file", "");
    assert!(refused(&file).contains("not a socket"));
    let datagram = sandbox.path("datagram");
    let _datagram = UnixDatagram::bind(&datagram).expect("bind");
    refused(&datagram);
    assert!(datagram.exists() && file.exists());
    assert!(
        refused(Path::new("/no/such/folder/socket")).contains("cannot listen on unix:/no/such")
    );
}

/// A service that ends late does not remove the socket of its successor.
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
    assert!(String::from_utf8_lossy(&output.stderr).contains("no socket to listen on"));
}

/// Descriptors that were not passed are not used, whatever LISTEN_FDS contains.
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
    // The connection of the readiness check may still be counted.
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
    assert_eq!(kept[0].send(&get(), KEPT).expect("answer").status, 200);
    // Silent connections over the limit do not prevent others from using a free slot.
    let _silent: Vec<_> =
        (0..64).map(|_| UnixStream::connect(&socket).expect("connection")).collect();
    kept.pop();
    assert!(wait_until(|| {
        let answer = Client::unix(&socket).and_then(|mut client| client.send(&get(), Style::USUAL));
        answer.is_ok_and(|answer| answer.status == 200)
    }));
}

/// A descriptor limit slightly below the need does not raise the number of connections.
#[test]
fn a_descriptor_limit_never_raises_that_of_connections() {
    let sandbox = Sandbox::new();
    let mut limited = command("sh");
    limited.args(["-c", "ulimit -n 100; exec \"$@\"", "sh"]).arg(program());
    let (_service, socket) = start(&sandbox, "limits.connections = 10\n", limited);
    let mut client = Client::unix(&socket).expect("connection");
    let question = fcgi::pairs([(&b"FCGI_MAX_CONNS"[..], &b""[..])]);
    client.write(&fcgi::record(fcgi::GET_VALUES, 0, &question, false)).expect("write");
    let answer = client.read().expect("a record").content;
    assert_eq!(answer, fcgi::pairs([(&b"FCGI_MAX_CONNS"[..], &b"10"[..])]));
}

/// Out of descriptors, the service is slow but continues, and recovers.
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
    // Also with kept connections: they are closed while idle, and no client waits for long.
    let kept: Vec<_> = (0..100)
        .map(|_| {
            let mut client = Client::unix(&socket).expect("connection");
            assert_eq!(client.send(&get(), KEPT).expect("an answer").status, 200);
            client
        })
        .collect();
    assert_eq!(ask(&socket), 200);
    drop(kept);
    assert!(!service.output().contains("panicked"), "{}", service.output());
}

/// A connection with a running request cannot make room, and does not prevent idle ones from doing
/// so.
#[test]
fn a_busy_connection_keeps_no_idle_one_from_making_room() {
    let sandbox = Sandbox::new();
    let (socket, address) =
        (sandbox.path("socket"), SocketAddr::from(([127, 0, 0, 1], free_port())));
    let config = sandbox.write("c.toml", "limits.connections = 2\nlimits.timeout_s = 60\n");
    let mut command = command(program());
    command.arg("serve").arg("--config").arg(config).arg("--listen").arg(listen(&socket));
    command.args(["--http", &address.to_string()]);
    let _service =
        Process::start(&sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    let kept = || {
        let mut client = None;
        assert!(wait_until(|| {
            client = Client::unix(&socket).ok();
            let answer = client.as_mut().map(|client| client.send(&get(), KEPT));
            answer.is_some_and(|answer| answer.is_ok_and(|answer| answer.status == 200))
        }));
        client.expect("a connection")
    };
    let (mut busy, _idle) = (kept(), kept());
    busy.write(&fcgi::request_records(&get(), KEPT)[..30]).expect("write");
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    assert_eq!(http::send(address, &get()).expect("an answer").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
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

/// The memory of all requests is limited: above the limit large ones are refused, small ones
/// answered.
#[test]
fn large_requests_have_a_budget() {
    let sandbox = Sandbox::new();
    let (socket, address) =
        (sandbox.path("socket"), SocketAddr::from(([127, 0, 0, 1], free_port())));
    let config = sandbox.write("c.toml", "limits.buffered_bytes = 10000\n");
    let mut command = command(program());
    command.arg("serve").arg("--config").arg(config).arg("--listen").arg(listen(&socket));
    command.args(["--http", &address.to_string()]);
    let service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    let post = |len| Request::post("/x", vec![b'x'; len]);
    let mut large = Client::unix(&socket).expect("connection");
    // The connection may be closed before all is written.
    large.write(&fcgi::request_records(&post(60_000), KEPT)).ok();
    let end = large.read().expect("a record");
    assert_eq!((end.kind, end.content[4]), (fcgi::END_REQUEST, 2), "OVERLOADED");
    assert_eq!(http::send(address, &post(60_000)).expect("an answer").status, 503);
    let lines = || service.output().matches(" status=503 ").count();
    assert!(wait_until(|| lines() == 2), "a line for each: {}", service.output());
    let mut small = Client::unix(&socket).expect("connection");
    assert_eq!(small.send(&post(2_000), KEPT).expect("an answer").status, 404);
    assert_eq!(http::send(address, &post(2_000)).expect("an answer").status, 404);
}

/// A HEAD gets no body, also if it is refused.
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

/// Clients that send and never read do not keep their slots without end.
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

/// Over TCP, only the listed web servers may connect (FastCGI 1.0 §3.2).
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

/// Bytes that are not FastCGI end only their connection.
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
        // The connection may be closed before all is written.
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
    for parameters in [&b"\x05\x05ab"[..], b"\x80\x00", b"\x01\x05a"] {
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
    let told: Vec<_> = service.output().lines().map(str::to_owned).collect();
    let last = told.last().expect("a line");
    assert!(last.starts_with("mailsetup: stopped by SIGTERM within "), "{last}");
    assert!(last.ends_with(": 2 connections, 0 cut off"), "{last}");
    assert!(told.iter().filter(|line| line.contains("stop")).count() == 1, "{told:?}");
}

/// A running request that does not finish is aborted at the deadline, or by a second signal.
#[test]
fn a_stop_has_a_deadline() {
    let half = &fcgi::request_records(&get(), Style::USUAL)[..50];
    for (config, second, seconds, why) in [
        ("limits.stop_timeout_s = 1\n", None, 1..3, "at the deadline"),
        ("limits.stop_timeout_s = 60\n", Some(Signal::SIGTERM), 0..2, "at a second signal"),
        ("limits.stop_timeout_s = 60\n", Some(Signal::SIGINT), 0..2, "at a second signal"),
    ] {
        let sandbox = Sandbox::new();
        let (mut service, socket) = serve(&sandbox, config);
        let mut running = Client::unix(&socket).expect("connection");
        running.write(half).expect("write");
        std::thread::sleep(Duration::from_millis(50));
        let begun = Instant::now();
        signal(&service, Signal::SIGTERM);
        if let Some(second) = second {
            std::thread::sleep(Duration::from_millis(200));
            signal(&service, second);
        }
        assert_eq!(service.wait(), Some(0), "{}", service.output());
        assert!(seconds.contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        let end = format!("1 connections, 1 cut off, {why}\n");
        assert!(service.output().ends_with(&end), "{}", service.output());
        assert!(running.read().is_err() && !socket.exists());
    }
}

/// A new connection is about to send a request, and gets its response; one that sends nothing is
/// closed long before the deadline.
#[test]
fn a_stop_waits_a_moment_for_a_new_connection() {
    let sandbox = Sandbox::new();
    let (mut service, socket) = serve(&sandbox, "");
    let mut new = Client::unix(&socket).expect("connection");
    let _silent = Client::unix(&socket).expect("connection");
    std::thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    signal(&service, Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(new.send(&get(), KEPT).expect("an answer").status, 200);
    assert!(new.read().is_err(), "and is closed then");
    assert_eq!(service.wait(), Some(0), "{}", service.output());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// A client that had shut down its sending side got no response, in one of ten cases.
#[test]
fn a_client_that_sends_nothing_more_gets_its_answer_over_http() {
    let sandbox = Sandbox::new();
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let config = sandbox.write("c.toml", "[log]\n");
    let mut command = command(program());
    command.args(["serve", "--http", &address.to_string(), "--config"]).arg(config);
    let _service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    for number in 0..200 {
        let mut stream = TcpStream::connect(address).expect("connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        let head = "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconfig.example.org\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("write");
        stream.shutdown(std::net::Shutdown::Write).expect("shutdown");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer, and the end");
        assert!(answer.starts_with("HTTP/1.1 200"), "{number}: {answer}");
    }
}

/// Also over HTTP: connections that are idle or have sent half a head are closed, and a whole head
/// is answered.
#[test]
fn a_stop_over_http() {
    let sandbox = Sandbox::new();
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let config = sandbox.write("c.toml", "limits.stop_timeout_s = 60\n");
    let mut command = command(program());
    command.args(["serve", "--http", &address.to_string(), "--config"]).arg(config);
    let mut service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    let connect = || {
        let stream = TcpStream::connect(address).expect("connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        stream
    };
    let head = b"GET /x HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let (mut idle, mut half, mut running, mut new) = (connect(), connect(), connect(), connect());
    idle.write_all(head).expect("write");
    assert!(idle.read(&mut [0; 4096]).expect("an answer") > 0);
    half.write_all(&head[..20]).expect("write");
    let post = b"POST /x HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\na";
    running.write_all(post).expect("write");
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    signal(&service, Signal::SIGTERM);
    assert_eq!(idle.read(&mut [0]).expect("closed"), 0);
    assert!(begun.elapsed() < Duration::from_millis(900), "at once: {:?}", begun.elapsed());
    new.write_all(head).expect("write");
    assert!(new.read(&mut [0; 4096]).expect("an answer") > 0);
    assert_eq!(half.read(&mut [0]).unwrap_or(0), 0, "half a head is no request");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    running.write_all(b"b").expect("write");
    let mut answer = String::new();
    running.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("connection: close"), "{answer}");
    assert_eq!(service.wait(), Some(0), "{}", service.output());
    assert!(service.output().contains(", 0 cut off\n"), "{}", service.output());
}

/// An inherited socket is kept, however it was passed; the next process is served from it.
#[test]
fn a_socket_that_was_given_stays() {
    for inetd in [true, false] {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("socket");
        let listener = UnixListener::bind(&socket).expect("bind");
        for _ in 0..2 {
            let (service, _) = given(&sandbox, &listener, inetd, &[]);
            assert_eq!(ask(&socket), 200);
            signal(&service, Signal::SIGTERM);
            let mut service = service;
            assert_eq!(service.wait(), Some(0), "{}", service.output());
            assert!(UnixStream::connect(&socket).is_ok(), "somebody listens still");
        }
    }
}

/// A service on a listening socket, as its standard input or as descriptor 3.
fn given(
    sandbox: &Sandbox,
    listener: &UnixListener,
    inetd: bool,
    environment: &[(&str, &str)],
) -> (Process, PathBuf) {
    let config = sandbox.write("c.toml", "[log]\n");
    let mut command = command("sh");
    let script = match inetd {
        true => "exec \"$0\"",
        false => "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" 3<&0 </dev/null",
    };
    command.args(["-c", script]).arg(program()).env("MAILSETUP_CONFIG", &config);
    command.envs(environment.iter().copied());
    command.stdin(std::os::fd::OwnedFd::from(listener.try_clone().expect("dup")));
    (Process::start(sandbox, &mut command), config)
}

//------------ service manager -----------------------------------------------

/// The manager is informed of start, reload and stop: sd_notify(3), by path and by abstract name.
#[test]
fn the_service_manager_is_told() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("notify");
    let name = format!("mailsetup-test-{}", std::process::id());
    let abstract_address = UnixAddress::from_abstract_name(&name).expect("an address");
    let listener = UnixListener::bind(sandbox.path("socket")).expect("bind");
    for (manager, address) in [
        (UnixDatagram::bind(&path).expect("bind"), path.display().to_string()),
        (UnixDatagram::bind_addr(&abstract_address).expect("bind"), format!("@{name}")),
    ] {
        manager.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        let told = || {
            let mut datagram = [0; 512];
            let len = manager.recv(&mut datagram).expect("a datagram");
            String::from_utf8(datagram[..len].to_vec()).expect("UTF-8")
        };
        let environment = [("NOTIFY_SOCKET", &*address)];
        let (mut service, config) = given(&sandbox, &listener, true, &environment);
        assert_eq!(told(), "READY=1\nSTATUS=Answering requests");
        // After READY, a reload signal does not end the service, and the file is read before the
        // next READY.
        for (text, line) in [("imap.port = 1\n", "reloaded"), ("imap.port = 0\n", "has errors")] {
            fs::write(&config, text).expect("write");
            signal(&service, Signal::SIGHUP);
            let reloading = told();
            let when = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
            let when: i64 = when.split('\n').next().expect("a line").parse().expect("a number");
            let now =
                nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("a clock");
            let age = now.tv_sec() * 1_000_000 + now.tv_nsec() / 1000 - when;
            assert!((0..10_000_000).contains(&age), "{age}");
            assert_eq!(told(), "READY=1\nSTATUS=Answering requests");
            assert!(service.output().contains(line), "{}", service.output());
        }
        signal(&service, Signal::SIGTERM);
        assert_eq!(told(), "STOPPING=1\nSTATUS=Draining 0 connections");
        assert_eq!(service.wait(), Some(0), "{}", service.output());
    }
    // No manager, or an unknown kind of address: logged, and the service continues.
    for address in ["/no/such/socket", "@nobody-listens-here", "vsock:2:1"] {
        let (mut service, _) = given(&sandbox, &listener, true, &[("NOTIFY_SOCKET", address)]);
        assert_eq!(ask(&sandbox.path("socket")), 200);
        signal(&service, Signal::SIGTERM);
        assert_eq!(service.wait(), Some(0), "{}", service.output());
        assert!(service.output().starts_with("mailsetup: warning: "), "{}", service.output());
    }
}

/// With the restrictions of the unit: start, reload, a signed profile, and stop.
#[test]
fn a_whole_life_as_confined_as_the_unit() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("socket");
    let listener = UnixListener::bind(&socket).expect("bind");
    let manager = UnixDatagram::bind(sandbox.path("notify")).expect("bind");
    let text = match cfg!(feature = "sign") {
        true => {
            "apple.signing_certificate = 'p.pem'\napple.signing_key = 'p.key'\n\
             [domain.'example.org']\n"
        }
        false => "",
    };
    let config = sandbox.write("c.toml", text);
    run(command("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"])
        .arg("-keyout")
        .arg(sandbox.path("p.key"))
        .arg("-out")
        .arg(sandbox.path("p.pem")));
    let mut command = command("env");
    command.args(confined(&program())).env("MAILSETUP_CONFIG", &config);
    command.env("NOTIFY_SOCKET", sandbox.path("notify"));
    command.stdin(std::os::fd::OwnedFd::from(listener.try_clone().expect("dup")));
    let mut service = Process::start(&sandbox, &mut command);
    manager.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    manager.recv(&mut [0; 512]).unwrap_or_else(|_| panic!("not ready:\n{}", service.output()));
    let mut client = Client::unix(&socket).expect("connection");
    let profile = Request::get("/mobileconfig?emailaddress=ann@example.org");
    let answer = client.send(&profile, KEPT).expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.starts_with(b"<?xml"), cfg!(not(feature = "sign")), "signed");
    signal(&service, Signal::SIGHUP);
    assert!(
        wait_until(|| service.output().contains("configuration reloaded")),
        "{}",
        service.output()
    );
    let changed = format!("imap.host = 'changed.example.org'\n{text}");
    sandbox.write("c.toml", changed);
    assert!(wait_until(|| {
        let answer = client.send(&get(), KEPT).expect("an answer");
        answer.text().contains("changed.example.org")
    }));
    signal(&service, Signal::SIGTERM);
    assert_eq!(service.wait(), Some(0), "{}", service.output());
}
