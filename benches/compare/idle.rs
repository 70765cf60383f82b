//! Memory and the time of a new request with many idle connections; and the sizes of the programs.

use crate::build::Built;
use crate::common::{Process, Sandbox, command, program};
use crate::kept::{Connection, records};
use crate::measure::{megabytes, memory};
use crate::report::{Report, Wanted, number};
use crate::{autoconfig, median, peers, twenty_domains};
use rustix::fs::{Advice, fadvise};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

const MANY: usize = 10_000;
/// Room for other connections than the idle ones, and for other descriptors.
const ROOM: usize = 200;
/// New requests, of which the median is reported.
const NEW: usize = 200;

pub fn compare(built: &Built, report: &mut Report) {
    raise_descriptor_limit();
    let mut rows = Vec::new();
    for (name, program) in
        [("static", &built.static_program), ("with shared libraries", &program())]
    {
        eprintln!("idle connections: {name}");
        for (count, seen) in [0, 1_000, MANY].into_iter().zip(look(program)) {
            if name == "static" {
                hold(report, count, &seen);
            }
            rows.push(vec![
                format!("{name}, {count} idle"),
                number(seen.rss),
                number(seen.pss),
                number(seen.new_request),
            ]);
        }
    }
    report.part(
        "Idle connections",
        &format!(
            "Open FastCGI connections that have had one response, to a service with 20 domains and a limit of {} \
             connections, whose program was read from the disk. A new request: connect, request autoconfig, read the response; median of {NEW}.",
            MANY + ROOM
        ),
    );
    report.table(&["service", "RSS MB", "PSS MB", "a new request µs"], &rows);

    let size = |program: &Path| fs::metadata(program).expect("a program").len() as f64 / 1e6;
    let (signs, does_not) = (size(&built.static_program), size(&built.static_unsigned));
    report.target("size, static, MB", Wanted::AtMost(7.0), signs);
    report.target("size, static without signing, MB", Wanted::AtMost(3.0), does_not);
    report.part("Size", "Stripped.");
    let rows = [
        ("static", signs),
        ("static, without signing", does_not),
        ("with shared libraries", size(&program())),
    ];
    let rows = rows.map(|(name, size)| vec![name.to_owned(), number(size)]);
    report.table(&["program", "MB"], &rows);
}

struct Seen {
    /// In MB.
    rss: f64,
    pss: f64,
    /// In microseconds.
    new_request: f64,
}

fn hold(report: &mut Report, count: usize, seen: &Seen) {
    match count {
        0 => report.target("memory (RSS) idle, MB", Wanted::AtMost(4.0), seen.rss),
        1_000 => {
            report.target(
                "memory (RSS), 1,000 idle connections, MB",
                Wanted::AtMost(8.0),
                seen.rss,
            );
        }
        _ => {
            let milliseconds = seen.new_request / 1e3;
            report.target(
                "a new request, 10,000 idle connections, ms",
                Wanted::AtMost(10.0),
                milliseconds,
            );
        }
    }
}

/// With none, a thousand and many idle connections.
fn look(program: &Path) -> [Seen; 3] {
    let sandbox = Sandbox::new();
    let limit = format!("[limits]\nconnections = {}\n", MANY + ROOM);
    let config = sandbox.write("config.toml", limit + &twenty_domains());
    let socket = sandbox.path("socket");
    forget(program);
    let mut serve = command(program);
    peers::serve(&mut serve, &config, &socket);
    let service =
        Process::start(&sandbox, &mut serve).wait_until(|| UnixStream::connect(&socket).is_ok());

    let request = records(&autoconfig());
    let ask = |connection: &mut Connection| {
        let answer = connection.ask(&request);
        assert!(answer.starts_with(b"Status: 200"), "{}", String::from_utf8_lossy(&answer));
    };
    let mut idle: Vec<Connection> = Vec::new();
    [0, 1_000, MANY].map(|count| {
        while idle.len() < count {
            let mut connection = Connection::open(&socket);
            ask(&mut connection);
            idle.push(connection);
        }
        let memory = memory(&[service.id()]);
        let times = (0..NEW).map(|_| {
            let start = Instant::now();
            ask(&mut Connection::open(&socket));
            start.elapsed().as_secs_f64() * 1e6
        });
        let new_request = median(times);
        // Checks that no connection was closed in the meantime.
        if let (Some(first), true) = (idle.first_mut(), count > 0) {
            ask(first);
        }
        Seen { rss: megabytes(memory.rss), pss: megabytes(memory.pss), new_request }
    })
}

/// Makes the kernel read a program from disk at its next start, as after a boot. For a file that
/// was just written, the kernel keeps larger folios, and maps more of it around each page that is
/// used.
fn forget(program: &Path) {
    let file = fs::File::open(program).expect("a program");
    file.sync_all().expect("sync");
    fadvise(&file, 0, None, Advice::DontNeed).expect("fadvise");
}

/// Raises the limit of descriptors, for this process and those it starts.
fn raise_descriptor_limit() {
    let needed = (MANY + ROOM) as u64;
    let limit = getrlimit(Resource::Nofile);
    // Only root may raise the maximum.
    let maximum = limit.maximum.map(|maximum| maximum.max(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    assert!(raised.is_ok(), "{needed} descriptors are needed, the limit is {limit:?}: ulimit -Hn");
}
