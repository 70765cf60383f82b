//! Too many or too slow peers: more than there are descriptors, slow writers, and peers that never
//! read.

use crate::common::fcgi::{self, Style};
use crate::common::{command, free_port, program, wait_until};
use crate::load::{Endpoint, Load, Tally, autoconfig, everything};
use crate::service::{Place, memory};
use crate::{Row, Size};
use rustix::net;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use std::{fs, thread};

pub fn descriptors(size: Size) -> Row {
    let place = Place::new("limits.timeout_s = 2\n");
    let mut limited = command("sh");
    limited.args(["-c", "ulimit -n 64; exec \"$0\""]).arg(program());
    let service = place.start_by(limited);
    let before = memory(&service, "VmRSS");
    let open = || fs::read_dir(format!("/proc/{}/fd", service.id())).expect("it runs").count();
    let at_rest = open();
    let rounds = size.of(5, 1);
    let mut tally = Tally::default();
    let mut recovered = Duration::ZERO;
    for _ in 0..rounds {
        // Half of them keep their connections; when the others get a turn depends on the machine.
        let load = Load::start(&place.endpoint(), 500, everything);
        thread::sleep(Duration::from_secs(size.of(20, 8) as u64));
        tally.add(load.stop());
        // All have disconnected: the service recovers at once.
        let begun = Instant::now();
        tally.ask(&place.endpoint(), &autoconfig());
        recovered = recovered.max(begun.elapsed());
    }
    assert!(wait_until(|| open() <= at_rest + 1), "{} descriptors of {at_rest}", open());
    assert!(recovered < Duration::from_secs(1), "recovered after {recovered:?}");
    let after = memory(&service, "VmRSS");
    place.stop(service);
    let done = format!(
        "{rounds} times 500 clients, half of them with keepalive connections; recovered within {}",
        crate::seconds(recovered)
    );
    Row { done, tally, memory: (before, after) }
}

/// How long the service of `slow` waits for a client.
const TIMEOUT: Duration = Duration::from_secs(2);

pub fn slow(size: Size) -> Row {
    let place = Place::new("");
    let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let socket = place.sandbox.path("own");
    place.configure("limits.timeout_s = 2\n");
    let mut serve = command(program());
    serve.args(["serve", "--http", &http.to_string(), "--listen"]);
    let service = place.start_by({
        serve.arg(format!("unix:{}", socket.display()));
        serve
    });
    let before = memory(&service, "VmRSS");
    let endpoints = [Endpoint::FastCgi(socket.clone()), Endpoint::Http(http)];
    let load: Vec<_> =
        endpoints.iter().map(|endpoint| Load::start(endpoint, 4, everything)).collect();
    let rounds = size.of(10, 2);
    let each = 100;
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        let cut: Vec<_> = (0..each)
            .flat_map(|_| {
                let (socket, http) = (socket.clone(), http);
                [
                    thread::spawn(move || writes_slowly(unix(&socket), &fastcgi_request())),
                    thread::spawn(move || writes_slowly(tcp(http), HTTP_REQUEST.as_bytes())),
                    thread::spawn(move || never_reads(narrow_tcp(http))),
                ]
            })
            .collect();
        for peer in cut {
            longest = longest.max(peer.join().expect("a peer that was cut off"));
        }
    }
    let mut tally = Tally::default();
    load.into_iter().for_each(|load| tally.add(load.stop()));
    // A little more than the timeout, for a machine that is busy.
    assert!(longest < TIMEOUT + Duration::from_secs(4), "{longest:?}");
    assert!(tally.slowest < TIMEOUT, "others waited {:?}", tally.slowest);
    let after = memory(&service, "VmRSS");
    place.stop(service);
    let done = format!(
        "{} slow clients and {} clients that never read, timeout 2 s: all closed within {}; 8 clients",
        rounds * each * 2,
        rounds * each,
        crate::seconds(longest)
    );
    Row { done, tally, memory: (before, after) }
}

const HTTP_REQUEST: &str = "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: example.org\r\n\r\n";

const PAGE_REQUEST: &str =
    "GET /?emailaddress=ann@example.org HTTP/1.1\r\nHost: example.org\r\n\r\n";

fn fastcgi_request() -> Vec<u8> {
    fcgi::request_records(&autoconfig().request, Style::USUAL)
}

fn unix(socket: &std::path::Path) -> UnixStream {
    let stream = UnixStream::connect(socket).expect("connection");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("timeout");
    stream
}

fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connection");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("timeout");
    stream.set_write_timeout(Some(Duration::from_millis(100))).expect("timeout");
    stream
}

/// A connection with a small receive buffer, so that the service soon blocks on a client that does
/// not read.
fn narrow_tcp(address: SocketAddr) -> TcpStream {
    let socket = net::socket(net::AddressFamily::INET, net::SocketType::STREAM, None);
    let socket = socket.expect("socket");
    net::sockopt::set_socket_recv_buffer_size(&socket, 4096).expect("buffer");
    net::connect(&socket, &address).expect("connection");
    let stream = TcpStream::from(socket);
    stream.set_write_timeout(Some(Duration::from_millis(100))).expect("timeout");
    stream
}

/// Writes a byte every tenth of a second until the connection is closed, and returns the duration.
fn writes_slowly(mut stream: impl Read + Write, request: &[u8]) -> Duration {
    let begun = Instant::now();
    for byte in request {
        if stream.write_all(&[*byte]).is_err() {
            return begun.elapsed();
        }
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) | Ok(0) => return begun.elapsed(),
            Ok(_) => panic!("answered before it was asked"),
        }
    }
    panic!("could ask for {:?}", begun.elapsed());
}

/// Sends requests without reading, and returns the time until the connection was closed.
fn never_reads(mut stream: TcpStream) -> Duration {
    let begun = Instant::now();
    let requests = PAGE_REQUEST.repeat(100);
    loop {
        assert!(begun.elapsed() < Duration::from_secs(60), "never cut off");
        match stream.write_all(requests.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return begun.elapsed(),
            _ => {}
        }
    }
}
