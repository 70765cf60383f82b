//! Logins from a file, a socketmap and a userdb: the instructions with a million addresses, the time
//! that a source adds to a request, and other requests while a source does not respond.
//!
//! The servers are threads here that respond at once. A bare client of the same server is measured
//! in turn with the requests.

use crate::common::http::Request;
use crate::common::{Sandbox, names};
use crate::kept::Connection;
use crate::report::{Report, Wanted, number};
use crate::scale::{Service, ask, instructions};
use crate::{median, percentile};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The lines of the file.
const LINES: usize = 1_000_000;
/// How many requests are counted, and how many are measured for each source.
const COUNTED: usize = 1_000;
const MEASURED: usize = 3_000;
/// The deadline of a source, which is the default.
const DEADLINE: Duration = Duration::from_millis(300);
/// Clients that wait for a source that does not respond.
const WAITING: usize = 4;
/// How long the others are observed, and the pause between two of their requests.
const OBSERVED: Duration = Duration::from_secs(6);
const PAUSE: Duration = Duration::from_millis(3);

const DOMAIN: &str = "example.org";
const OTHER: &str = "other.example";

/// A GET of autoconfig for a mailbox.
fn of(local: &str, domain: &str) -> Request {
    Request::get(format!("/mail/config-v1.1.xml?emailaddress={local}@{domain}"))
        .host(format!("autoconfig.{domain}"))
}

/// The login that a server has for an address.
fn login_of(address: &str) -> String {
    let local = address.split('@').next().unwrap_or_default();
    format!("login-{}", local.rsplit('-').next().unwrap_or_default())
}

/// A configuration with a source for one of two domains.
fn config(sandbox: &Sandbox, source: &str) -> PathBuf {
    let text = format!("[domain.'{OTHER}']\n[domain.'{DOMAIN}']\nlogin.{source}\n");
    sandbox.write("sources.toml", text)
}

pub fn compare(report: &mut Report) {
    let mut rows = map(report);
    rows.extend(servers(report));
    rows.extend(hanging(report));
    report.part(
        "Logins",
        &format!(
            "A file with {LINES} addresses and logins: instructions of {COUNTED} requests, each for another address. Servers \
             that respond at once: medians of {MEASURED} requests on one connection, each for another address, in turn with \
             requests for a domain without a source and with a bare client of the same server. A server that does not \
             respond: {WAITING} connections wait for it, and one more requests another domain every {} ms.",
            PAUSE.as_millis()
        ),
    );
    report.table(&["what", ""], &rows);
}

fn row(name: &str, value: f64) -> Vec<String> {
    vec![name.to_owned(), number(value)]
}

//------------ a file ---------------------------------------------------------

fn map(report: &mut Report) -> Vec<Vec<String>> {
    eprintln!("logins: a file of {LINES} lines");
    let sandbox = Sandbox::new();
    let mut locals = names::names(LINES);
    for local in &mut locals {
        local.truncate(local.len() - ".example".len());
    }
    let mut text = String::new();
    for local in &locals {
        writeln!(text, "{local}@{DOMAIN} {}", login_of(local)).expect("memory");
    }
    sandbox.write("logins", text);
    let config = config(&sandbox, "map = 'logins'");
    let service = Service::start(&sandbox, &config);
    ask_for(&mut service.connect(), &locals[LINES / 2]);
    let memory = service.memory();
    drop(service);
    let count = |names: &[String]| {
        let (first, rest) = names.split_at(COUNTED);
        instructions(
            &sandbox,
            &config,
            COUNTED,
            |connection| first.iter().for_each(|local| ask_for(connection, local)),
            |connection| rest.iter().take(COUNTED).for_each(|local| ask_for(connection, local)),
        )
    };
    let counted = count(&locals);
    let what = "a login from a file of 1,000,000 lines, at random: user instructions of a GET";
    report.target(what, Wanted::AtMost(16_000.0), counted);
    vec![
        row("file: user instructions of a GET", counted),
        row("file: memory (RSS) of the service, MB", memory),
    ]
}

fn ask_for(connection: &mut Connection, local: &str) {
    ask(connection, &of(local, DOMAIN), &format!(">{}<", login_of(local)));
}

//------------ servers --------------------------------------------------------

/// A protocol of logins.
#[derive(Clone, Copy)]
enum Protocol {
    Socketmap,
    Userdb,
}

impl Protocol {
    fn key(self, socket: &Path) -> String {
        let socket = socket.display();
        match self {
            Protocol::Socketmap => format!("socketmap = 'unix:{socket}:logins'"),
            Protocol::Userdb => format!("userdb = '{socket}'"),
        }
    }

    /// Responds to the requests of one connection.
    fn serve(self, stream: &UnixStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        if let Protocol::Userdb = self {
            writer.write_all(b"VERSION\t1\t1\nSPID\t1\n").ok()?;
        }
        loop {
            let reply = match self {
                Protocol::Socketmap => {
                    let request = netstring(&mut reader)?;
                    let login = format!("OK {}", login_of(request.split(' ').nth(1)?));
                    format!("{}:{login},", login.len())
                }
                Protocol::Userdb => {
                    let mut line = String::new();
                    reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
                    let mut fields = line.trim_end().split('\t');
                    if fields.next() != Some("USER") {
                        continue;
                    }
                    let (id, user) = (fields.next()?, fields.next()?);
                    format!("USER\t{id}\t{}\tuid=5000\tgid=5000\n", login_of(user))
                }
            };
            writer.write_all(reply.as_bytes()).ok()?;
        }
    }
}

fn netstring(reader: &mut impl BufRead) -> Option<String> {
    let mut length = Vec::new();
    reader.read_until(b':', &mut length).ok().filter(|len| *len > 1)?;
    length.pop();
    let length: usize = String::from_utf8(length).ok()?.parse().ok()?;
    let mut text = vec![0; length + 1];
    reader.read_exact(&mut text).ok()?;
    text.pop();
    String::from_utf8(text).ok()
}

/// A server that responds to each connection with `serve`; it ends with this process.
fn start(socket: &Path, serve: impl Fn(&UnixStream) -> Option<()> + Copy + Send + 'static) {
    let listener = UnixListener::bind(socket).expect("bind");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(&stream));
        }
    });
}

/// A client that does nothing else.
struct Bare {
    reader: BufReader<UnixStream>,
    protocol: Protocol,
    count: usize,
}

impl Bare {
    fn connect(protocol: Protocol, socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("connection");
        let mut bare = Self { reader: BufReader::new(stream), protocol, count: 0 };
        if let Protocol::Userdb = protocol {
            bare.reader.get_ref().write_all(b"VERSION\t1\t1\n").expect("write");
            for _ in 0..2 {
                bare.line();
            }
        }
        bare
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a line");
        line
    }

    fn ask(&mut self, local: &str) {
        self.count += 1;
        let address = format!("{local}@{DOMAIN}");
        let request = match self.protocol {
            Protocol::Socketmap => format!("{}:logins {address},", address.len() + 7),
            Protocol::Userdb => format!("USER\t{}\t{address}\tservice=imap\n", self.count),
        };
        self.reader.get_ref().write_all(request.as_bytes()).expect("write");
        let reply = match self.protocol {
            Protocol::Socketmap => netstring(&mut self.reader).expect("a netstring"),
            Protocol::Userdb => self.line(),
        };
        assert!(reply.contains(&login_of(local)), "{reply}");
    }
}

fn servers(report: &mut Report) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (name, protocol) in [("socketmap", Protocol::Socketmap), ("userdb", Protocol::Userdb)] {
        eprintln!("logins: {name}");
        let sandbox = Sandbox::new();
        let socket = sandbox.path("logins.socket");
        start(&socket, move |stream| protocol.serve(stream));
        let config = config(&sandbox, &protocol.key(&socket));
        let service = Service::start(&sandbox, &config);
        let mut connection = service.connect();
        let mut bare = Bare::connect(protocol, &socket);
        let (mut with, mut without, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        let timed = |times: &mut Vec<f64>, work: &mut dyn FnMut()| {
            let begun = Instant::now();
            work();
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        };
        for number in 0..MEASURED {
            let local = format!("user{number}");
            timed(&mut with, &mut || ask_for(&mut connection, &local));
            timed(&mut without, &mut || {
                ask(&mut connection, &of(&local, OTHER), &format!(">{OTHER}<"));
            });
            timed(&mut alone, &mut || bare.ask(&local));
        }
        let [with, without, alone] = [with, without, alone].map(median);
        let multiple = (with - without) / alone;
        let what = format!("a login from a {name}: added time, multiple of a bare request's");
        report.target(&what, Wanted::AtMost(1.3), multiple);
        rows.extend([
            row(&format!("{name}: a request with a login, µs"), with),
            row(&format!("{name}: a request without one, µs"), without),
            row(&format!("{name}: a bare request to the server, µs"), alone),
        ]);
    }
    rows
}

//------------ a server that does not respond ---------------------------------

/// Reads, and never writes.
fn never(stream: &UnixStream) -> Option<()> {
    let mut stream = stream;
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).ok()? > 0 {}
    None
}

/// The times of occasional requests for a domain without a source, in µs.
fn others(service: &Service) -> Vec<f64> {
    let mut connection = service.connect();
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < OBSERVED {
        thread::sleep(PAUSE);
        let asked = Instant::now();
        ask(&mut connection, &of("ann", OTHER), &format!(">{OTHER}<"));
        times.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    times
}

fn hanging(report: &mut Report) -> Vec<Vec<String>> {
    eprintln!("logins: a server that does not respond");
    let sandbox = Sandbox::new();
    let socket = sandbox.path("logins.socket");
    start(&socket, never);
    let config = config(&sandbox, &Protocol::Socketmap.key(&socket));
    let service = Service::start(&sandbox, &config);
    let quiet = others(&service);
    let stop = AtomicBool::new(false);
    let wait = |number: usize| {
        let (mut connection, mut times) = (service.connect(), Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let local = format!("user{number}-{}", times.len());
            let asked = Instant::now();
            // The login of the configuration.
            ask(&mut connection, &of(&local, DOMAIN), ">%EMAILADDRESS%<");
            times.push(asked.elapsed().as_secs_f64() * 1e3);
        }
        times
    };
    let (busy, own) = thread::scope(|scope| {
        let wait = &wait;
        let waiting: Vec<_> = (0..WAITING).map(|n| scope.spawn(move || wait(n))).collect();
        let busy = others(&service);
        stop.store(true, Ordering::Relaxed);
        let own = waiting.into_iter().flat_map(|thread| thread.join().expect("a client"));
        (busy, own.collect::<Vec<_>>())
    });
    let p99 = |times: &[f64]| percentile(times.to_vec(), 99);
    let (quiet, busy, own) = (p99(&quiet), p99(&busy), p99(&own));
    let what = "a source that does not respond: p99 of other requests, multiple of it before";
    report.target(what, Wanted::AtMost(1.2), busy / quiet);
    let late = own - DEADLINE.as_secs_f64() * 1e3;
    let what = "a source that does not respond: p99 of the time after its deadline, ms";
    report.target(what, Wanted::AtMost(5.0), late);
    vec![
        row("no response: p99 of other requests before, µs", quiet),
        row("no response: p99 of other requests, µs", busy),
        row("no response: p99 of requests that wait for it, ms", own),
    ]
}
