//! Records that no web server should send, to the program itself over a socket: each conversation
//! ends with a clean close or the correct status, the next request is answered, and the process
//! does not grow.

use crate::common::fcgi::{self, Client, Style};
use crate::common::http::Request;
use crate::common::{Process, Sandbox, command, program};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How long a conversation may take; the program's own timeout is longer.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// The largest permitted growth of the process, in kB.
const MAX_GROWTH_KB: u64 = 1024;
/// The length of a flood, in bytes.
const FLOOD: usize = 64 * 1024 * 1024;

/// A responder, and the connection is kept.
const KEPT: [u8; 8] = [0, 1, 1, 0, 0, 0, 0, 0];
/// A responder, and the connection is closed after the response.
const CLOSED: [u8; 8] = [0, 1, 0, 0, 0, 0, 0, 0];

#[test]
fn malformed_records_end_in_a_close_or_a_status() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("socket");
    let config = sandbox.write("c.toml", "log.requests = false\n");
    let mut command = command(program());
    command.arg("serve").arg("--config").arg(config);
    command.arg("--listen").arg(format!("unix:{}", socket.display()));
    let service =
        Process::start(&sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    for _ in 0..20 {
        assert_eq!(ask(&socket), 200);
    }
    let before = memory_kb(&service, "VmRSS:");

    let cases =
        [cut_off(), aborted(), wrong_headers(), roles(), out_of_place(), parameters_in_pieces()];
    for case in cases.into_iter().flatten().chain(management()) {
        let told = converse(&socket, case.closed_by, |stream| stream.write_all(&case.bytes));
        assert_eq!(told, case.told, "{}", case.name);
        assert_eq!(ask(&socket), 200, "after {}", case.name);
    }
    for (name, flood, expected) in floods() {
        let told = converse(&socket, Peer::WebServer, |stream| flood.send(stream));
        assert_eq!(told, expected, "64 MiB of {name}");
        assert_eq!(ask(&socket), 200, "after 64 MiB of {name}");
    }

    let growth = memory_kb(&service, "VmHWM:") - before;
    assert!(growth <= MAX_GROWTH_KB, "the process has grown by {growth} kB");
    assert!(!service.output().contains("panicked"), "{}", service.output());
}

/// Sends a request on a new connection.
fn ask(socket: &Path) -> u16 {
    let request = Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org");
    let mut client = Client::unix(socket).expect("connection");
    client.send(&request, Style::USUAL).expect("an answer").status
}

/// The memory of the process (`VmRSS:`), or its peak (`VmHWM:`), in kB; proc_pid_status(5).
fn memory_kb(process: &Process, field: &str) -> u64 {
    let path = format!("/proc/{}/status", process.id());
    let status = fs::read_to_string(path).expect("the process is there");
    let value = status.lines().find_map(|line| line.strip_prefix(field)).expect(field);
    value.trim().trim_end_matches(" kB").parse().expect("a number")
}

//------------ the corpus ----------------------------------------------------

/// One conversation: the bytes sent, and the response of the program.
struct Case {
    name: String,
    bytes: Vec<u8>,
    /// The side that closes it.
    closed_by: Peer,
    /// The records of the response, see `told`.
    told: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Peer {
    /// The program closes by itself, although more could follow.
    Program,
    /// The web server shuts down its sending side, and the program then closes.
    WebServer,
}

fn case(name: impl Into<String>, bytes: Vec<u8>, closed_by: Peer, told: &[&str]) -> Case {
    let told = told.iter().map(|record| (*record).to_owned()).collect();
    Case { name: name.into(), bytes, closed_by, told }
}

fn record(kind: u8, id: u16, content: &[u8]) -> Vec<u8> {
    fcgi::record(kind, id, content, false)
}

/// The variables of a request that gets status 200.
fn parameters() -> Vec<u8> {
    let variables = [
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/mail/config-v1.1.xml"),
        ("HTTP_HOST", "example.org"),
    ];
    fcgi::pairs(variables.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

/// A request with id 1, as a sequence of records; `extra` is inserted before record `at`.
fn request(extra: &[u8], at: usize) -> Vec<u8> {
    let mut records = whole_request();
    records.insert(at, extra.to_vec());
    records.concat()
}

fn whole_request() -> Vec<Vec<u8>> {
    vec![
        record(fcgi::BEGIN_REQUEST, 1, &KEPT),
        record(fcgi::PARAMS, 1, &parameters()),
        record(fcgi::PARAMS, 1, b""),
        record(fcgi::STDIN, 1, b"body"),
        record(fcgi::STDIN, 1, b""),
    ]
}

/// The response to a valid request.
const ANSWERED: [&str; 2] = ["1: Status: 200 OK", "1: ended with 0"];

fn cut_off() -> Vec<Case> {
    let whole = whole_request().concat();
    let cut = (0..whole.len()).map(|len| {
        case(format!("cut behind {len} bytes"), whole[..len].to_vec(), Peer::WebServer, &[])
    });
    let claims = case(
        "a record of 65,535 bytes that are not there",
        vec![1, fcgi::STDIN, 0, 1, 0xff, 0xff, 0xff, 0],
        Peer::WebServer,
        &[],
    );
    cut.chain([claims]).collect()
}

/// An abort after every record of a request, and after every byte.
fn aborted() -> Vec<Case> {
    let abort = record(fcgi::ABORT_REQUEST, 1, b"");
    let records = whole_request();
    let mut cases = Vec::new();
    for len in 0..=records.len() {
        let bytes = [records[..len].concat(), abort.clone()].concat();
        let told: &[&str] = match len {
            0 => &[],
            5 => &ANSWERED,
            _ => &["1: ended with 0"],
        };
        cases.push(case(format!("abort behind {len} records"), bytes, Peer::WebServer, told));
    }
    let not_kept = [record(fcgi::BEGIN_REQUEST, 1, &CLOSED), abort.clone()].concat();
    cases.push(case("abort, not kept", not_kept, Peer::Program, &["1: ended with 0"]));
    // Within a record, the abort is read as the rest of the record.
    let ends: Vec<_> = (1..=records.len()).map(|len| records[..len].concat().len()).collect();
    let whole = records.concat();
    for len in (1..whole.len()).filter(|len| !ends.contains(len)) {
        let bytes = [&whole[..len], &abort].concat();
        let told: &[&str] = match whole.len() - len {
            // The last header lacks the length of its padding and a reserved byte.
            1 | 2 => &ANSWERED,
            // The abort is read as the content of BEGIN_REQUEST, and its first bytes as a role.
            _ if len == 8 => &["1: ended with 3"],
            _ => &[],
        };
        cases.push(case(format!("abort behind {len} bytes"), bytes, Peer::WebServer, told));
    }
    cases
}

fn wrong_headers() -> Vec<Case> {
    let mut cases = Vec::new();
    for version in [0, 2, 3, 0x7f, 0xff] {
        let mut bytes = whole_request().concat();
        bytes[0] = version;
        cases.push(case(format!("version {version}"), bytes, Peer::Program, &[]));
        let second = [whole_request().concat(), vec![version; 8]].concat();
        let name = format!("version {version} behind a request");
        cases.push(case(name, second, Peer::Program, &ANSWERED));
    }
    for len in 0..3 {
        let bytes = record(fcgi::BEGIN_REQUEST, 1, &KEPT[..len]);
        cases.push(case(format!("a beginning of {len} bytes"), bytes, Peer::Program, &[]));
    }
    cases.push(case("HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Peer::Program, &[]));
    cases.push(case("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc], Peer::Program, &[]));
    cases
}

fn roles() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in [0_u16, 2, 3, 4, 257, 0xffff] {
        for (flags, closed_by) in [(1, Peer::WebServer), (0, Peer::Program), (0xfe, Peer::Program)]
        {
            let [role1, role0] = role.to_be_bytes();
            let bytes = record(fcgi::BEGIN_REQUEST, 7, &[role1, role0, flags, 0, 0, 0, 0, 0]);
            let name = format!("role {role}, flags {flags}");
            cases.push(case(name, bytes, closed_by, &["7: ended with 3"]));
        }
    }
    cases
}

/// Records without a meaning at their place: the request around them is answered.
fn out_of_place() -> Vec<Case> {
    let mut cases = Vec::new();
    for at in 1..=5 {
        for kind in [0, 3, 6, 7, 8, 12, 0xff] {
            for id in [1, 9] {
                let bytes = request(&record(kind, id, b"\0\0\0\0\x03\0\0\0"), at);
                let name = format!("type {kind} of request {id} in front of record {at}");
                cases.push(case(name, bytes, Peer::WebServer, &ANSWERED));
            }
            let bytes = request(&record(kind, 0, b"x"), at);
            let mut told = ANSWERED.to_vec();
            told.insert(if at == 5 { 2 } else { 0 }, "0: type 11");
            let name = format!("type {kind} for management in front of record {at}");
            cases.push(case(name, bytes, Peer::WebServer, &told));
        }
        for kind in [fcgi::ABORT_REQUEST, fcgi::PARAMS, fcgi::STDIN] {
            for content in [&b""[..], b"\x01\x01ab"] {
                let bytes = request(&record(kind, 0x0901, content), at);
                let name = format!("type {kind} of an unknown request in front of record {at}");
                cases.push(case(name, bytes, Peer::WebServer, &ANSWERED));
            }
        }
    }
    for at in 3..=5 {
        for late in [&b""[..], b"\x01\x01ab", &[0xff; 8]] {
            let bytes = request(&record(fcgi::PARAMS, 1, late), at);
            cases.push(case("parameters after their end", bytes, Peer::WebServer, &ANSWERED));
        }
    }
    for at in 1..3 {
        let bytes = request(&record(fcgi::STDIN, 1, b""), at);
        cases.push(case(
            "the end of a body before that of the parameters",
            bytes,
            Peer::Program,
            &[],
        ));
    }
    for at in 1..5 {
        let bytes = request(&record(fcgi::BEGIN_REQUEST, 1, &KEPT), at);
        cases.push(case("the same request once more", bytes, Peer::Program, &[]));
        let bytes = request(&record(fcgi::BEGIN_REQUEST, 2, &KEPT), at);
        let told = ["2: ended with 1", ANSWERED[0], ANSWERED[1]];
        cases.push(case("a second request", bytes, Peer::WebServer, &told));
    }
    cases
}

fn parameters_in_pieces() -> Vec<Case> {
    let with = |pieces: &[&[u8]]| {
        let mut records = vec![record(fcgi::BEGIN_REQUEST, 1, &KEPT)];
        records.extend(pieces.iter().map(|piece| record(fcgi::PARAMS, 1, piece)));
        records.push(record(fcgi::PARAMS, 1, b""));
        records.push(record(fcgi::STDIN, 1, b""));
        records.concat()
    };
    let good = parameters();
    let mut cases = Vec::new();
    for at in 1..good.len() {
        let bytes = with(&[&good[..at], &good[at..]]);
        cases.push(case(format!("pairs split at {at}"), bytes, Peer::WebServer, &ANSWERED));
    }
    let single: Vec<_> = good.chunks(1).collect();
    cases.push(case("pairs byte by byte", with(&single), Peer::WebServer, &ANSWERED));
    let refused = ["1: Status: 400 Bad Request", "1: ended with 0"];
    for broken in [
        &b"\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        b"\xff\xff\xff\xff\x00abc",
        b"\x00\xff\xff\xff\xffabc",
        b"\x80\x00\x00\x00\xff\xff\xff\xff",
        b"\x7f\x7fabc",
        b"\x80\x00\x00",
        b"\x01",
        b"\x09\x03HTTP_HOSTa\0b",
    ] {
        for bytes in [with(&[broken]), with(&[&good, broken])] {
            let name = format!("parameters {}", broken.escape_ascii());
            cases.push(case(name, bytes, Peer::WebServer, &refused));
        }
    }
    cases
}

fn management() -> Vec<Case> {
    let get_values =
        |content: &[u8], told| case("a question", record(9, 0, content), Peer::WebServer, told);
    let unknown = record(fcgi::BEGIN_REQUEST, 0, &KEPT);
    vec![
        get_values(b"", &["0: type 10"]),
        get_values(&[0xff; 8], &["0: type 10"]),
        get_values(&[0; 65_535], &["0: type 10"]),
        get_values(&b"\x0f\x00FCGI_MPXS_CONNS".repeat(3000), &["0: type 10"]),
        case("a request with id 0", unknown, Peer::WebServer, &["0: type 11"]),
    ]
}

//------------ floods --------------------------------------------------------

/// Much more than is kept, and the response to it.
fn floods() -> Vec<(&'static str, Flood, &'static [&'static str])> {
    let begin = record(fcgi::BEGIN_REQUEST, 1, &KEPT);
    let end_of = |kind| record(kind, 1, b"");
    let long = |kind| record(kind, 1, &[b'x'; 65_528]);
    let padded = [vec![1, fcgi::PARAMS, 0, 1, 0, 1, 0xff, 0, 0], vec![0; 255]].concat();
    let head = [begin.clone(), record(fcgi::PARAMS, 1, &parameters())].concat();
    vec![
        (
            "parameters",
            Flood {
                before: begin.clone(),
                again: long(fcgi::PARAMS),
                behind: [end_of(fcgi::PARAMS), end_of(fcgi::STDIN)].concat(),
            },
            &["1: Status: 431 Request Header Fields Too Large", "1: ended with 0"],
        ),
        (
            "a body",
            Flood {
                before: [head.clone(), end_of(fcgi::PARAMS)].concat(),
                again: long(fcgi::STDIN),
                behind: end_of(fcgi::STDIN),
            },
            &["1: Status: 413 Content Too Large", "1: ended with 0"],
        ),
        (
            "parameters byte by byte, padded",
            Flood {
                before: begin,
                again: padded,
                behind: [end_of(fcgi::PARAMS), end_of(fcgi::STDIN)].concat(),
            },
            &["1: Status: 431 Request Header Fields Too Large", "1: ended with 0"],
        ),
        (
            "nobody's records",
            Flood {
                before: head,
                again: record(fcgi::STDIN, 9, &[b'x'; 65_528]),
                behind: [end_of(fcgi::PARAMS), end_of(fcgi::STDIN)].concat(),
            },
            &ANSWERED,
        ),
    ]
}

struct Flood {
    before: Vec<u8>,
    /// Sent until the flood is complete.
    again: Vec<u8>,
    behind: Vec<u8>,
}

impl Flood {
    fn send(&self, stream: &mut UnixStream) -> std::io::Result<()> {
        stream.write_all(&self.before)?;
        for _ in 0..FLOOD / self.again.len() + 1 {
            stream.write_all(&self.again)?;
        }
        stream.write_all(&self.behind)
    }
}

//------------ responses -----------------------------------------------------

/// Sends bytes to the program, and reads until it closes; returns its records.
fn converse(
    socket: &Path,
    closed_by: Peer,
    send: impl FnOnce(&mut UnixStream) -> std::io::Result<()> + Send,
) -> Vec<String> {
    let mut reader = UnixStream::connect(socket).expect("connection");
    reader.set_read_timeout(Some(TIME_LIMIT)).expect("timeout");
    reader.set_write_timeout(Some(TIME_LIMIT)).expect("timeout");
    let mut writer = reader.try_clone().expect("dup");
    let mut bytes = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            let sent = send(&mut writer);
            if closed_by == Peer::WebServer {
                sent.expect("the program reads to the end");
                writer.shutdown(Shutdown::Write).expect("shutdown");
            }
        });
        if let Err(error) = reader.read_to_end(&mut bytes) {
            // Bytes that the program did not read any more.
            assert_eq!((error.kind(), closed_by), (ErrorKind::ConnectionReset, Peer::Program));
        }
    });
    told(&bytes)
}

/// The records as text: the first line of a response, the status of an end, else the type.
fn told(mut bytes: &[u8]) -> Vec<String> {
    let mut told = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
        let [1, kind, id1, id0, len1, len0, padding, _] = *header else { panic!("{header:?}") };
        let id = u16::from_be_bytes([id1, id0]);
        let (content, rest) = rest.split_at(usize::from(u16::from_be_bytes([len1, len0])));
        bytes = &rest[usize::from(padding)..];
        match kind {
            fcgi::STDOUT if content.is_empty() => {}
            fcgi::STDOUT => {
                let line = content.split(|&b| b == b'\r').next().unwrap_or_default();
                told.push(format!("{id}: {}", String::from_utf8_lossy(line)));
            }
            fcgi::END_REQUEST => told.push(format!("{id}: ended with {}", content[4])),
            _ => told.push(format!("{id}: type {kind}")),
        }
    }
    assert!(bytes.is_empty(), "a record is cut off");
    told
}
