//! The resources of a service: memory, the clock, standard error.

use crate::changes::{certificate, signed_profile, signing};
use crate::common::fcgi::{self, Client, Style};
use crate::common::http::Request;
use crate::common::namespace::Namespace;
use crate::common::{Process, command, free_port, program};
use crate::load::{Endpoint, Load, Tally, autoconfig, everything, profile};
use crate::service::{Place, memory};
use crate::{Row, Size};
use nix::mount::{MsFlags, mount, umount};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

//------------ memory --------------------------------------------------------

/// The limit of the address space, which is more than the process ever uses, in KiB.
const MEMORY_KIB: u64 = 128 * 1024;

/// Connections that use as much memory as possible; the default limit less a few for other clients.
const HOLDING: usize = 4000;

pub fn memory_fastcgi(size: Size) -> Row {
    let place = Place::new("");
    let socket = place.sandbox.path("socket");
    // Parameters and body just below their limits, without the last bytes.
    let large = Request::post("/x", vec![b'x'; 65_000]).header("X", vec![b'x'; 64_000]);
    let records = fcgi::request_records(&large, Style::USUAL);
    let hold = || -> Option<Box<dyn Write + Send>> {
        let mut stream = UnixStream::connect(&socket).ok()?;
        stream.set_nonblocking(true).ok()?;
        write_all(&mut stream, &records[..records.len() - 100]);
        Some(Box::new(stream))
    };
    let service = place.start_by(limited(&[]));
    let row = under_load(size, &service, place.endpoint(), hold, "128 kB of one request");
    place.stop(service);
    row
}

pub fn memory_http(size: Size) -> Row {
    let place = Place::new("");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let head = format!("POST /x HTTP/1.1\r\nHost: example.org\r\nX: {}\r\n", "x".repeat(16_000));
    let request = format!("{head}Content-Length: 65536\r\n\r\n{}", "x".repeat(65_000));
    let hold = || -> Option<Box<dyn Write + Send>> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_nonblocking(true).ok()?;
        write_all(&mut stream, request.as_bytes());
        Some(Box::new(stream))
    };
    let service = place.start_by(limited(&["serve", "--http", &address.to_string()]));
    let row = under_load(size, &service, Endpoint::Http(address), hold, "81 kB of one request");
    place.stop(service);
    row
}

fn limited(arguments: &[&str]) -> std::process::Command {
    let mut command = command("sh");
    let script = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(program()).args(arguments);
    command
}

/// Writes as much as is accepted, for a few seconds at most; a refusal ends it.
fn write_all(stream: &mut impl Write, mut bytes: &[u8]) {
    for _ in 0..3000 {
        match stream.write(bytes) {
            Ok(len) if len == bytes.len() => return,
            Ok(len) => bytes = &bytes[len..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(_) => return,
        }
    }
}

fn under_load(
    size: Size,
    service: &Process,
    endpoint: Endpoint,
    hold: impl Fn() -> Option<Box<dyn Write + Send>> + Sync,
    what: &str,
) -> Row {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("limit");
    let before = memory(service, "VmRSS");
    let load = Load::start(&endpoint, 4, everything);
    let rounds = size.of(3, 1);
    for _ in 0..rounds {
        let held: Vec<_> = thread::scope(|scope| {
            let some = || (0..HOLDING / 8).filter_map(|_| hold()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(some)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect()
        });
        assert_eq!(held.len(), HOLDING, "connections");
        thread::sleep(Duration::from_secs(1));
    }
    let tally = load.stop();
    let highest = memory(service, "VmHWM");
    assert!(highest < MEMORY_KIB, "{highest} KiB");
    assert!(!service.output().contains("panicked"), "{}", service.output());
    let done = format!(
        "{rounds} times {HOLDING} connections, each with {what} that is never completed; `ulimit -v` 128 MiB; \
         4 clients"
    );
    Row { done, tally, memory: (before, highest) }
}

//------------ clock ---------------------------------------------------------

/// The path of Debian's package libfaketime, for each architecture.
fn faketime() -> String {
    let library = |entry: std::fs::DirEntry| entry.path().join("faketime/libfaketime.so.1");
    let mut found = std::fs::read_dir("/usr/lib").expect("/usr/lib").flatten().map(library);
    let library = found.find(|path| path.exists()).expect("install libfaketime");
    library.to_str().expect("text").to_owned()
}

pub fn clock(size: Size) -> Row {
    let place = Place::new(&signing());
    certificate(&place.sandbox, "used", "30");
    let set = |offset: &str| {
        let next = place.sandbox.write("clock.next", offset);
        std::fs::rename(next, place.sandbox.path("clock")).expect("rename");
    };
    set("+0");
    let start = |also_monotonic: bool| {
        let mut command = command(program());
        command.env("LD_PRELOAD", faketime());
        command.env("FAKETIME_TIMESTAMP_FILE", place.sandbox.path("clock"));
        command.env("FAKETIME_NO_CACHE", "1");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", if also_monotonic { "0" } else { "1" });
        place.start_by(command)
    };
    let jumps = ["+6h", "-6h", "+1h", "-23h", "+0"];
    let count = size.of(200, 40);
    // Changes by admins and NTP: no request may fail, and no profile may be unsigned.
    let service = start(false);
    let before = memory(&service, "VmRSS");
    let load = Load::start(&place.endpoint(), 8, everything);
    for offset in jumps.iter().cycle().take(count) {
        // The certificate is new, so a jump back is a time before it.
        set(offset);
        thread::sleep(Duration::from_millis(50));
    }
    set("+0");
    let mut tally = load.stop();
    // The validity of certificates follows: no signature after the end, none before the start, and
    // again within the time.
    for (offset, is_signed) in
        [("+0", true), ("+60d", false), ("+0", true), ("-10d", false), ("+0", true)]
    {
        set(offset);
        thread::sleep(Duration::from_millis(50));
        tally.ask(&place.endpoint(), &if is_signed { signed_profile() } else { profile() });
        let Endpoint::FastCgi(socket) = place.endpoint() else { continue };
        let answer = Client::unix(&socket)
            .and_then(|mut client| client.send(&profile().request, Style::USUAL))
            .expect("an answer");
        assert_eq!(!answer.body.starts_with(b"<?xml"), is_signed, "at {offset}");
    }
    let after = memory(&service, "VmRSS");
    place.stop(service);
    // An impossible case: the monotonic clock goes back. Requests may be aborted, but the service
    // continues.
    let service = start(true);
    let load = Load::start(&place.endpoint(), 8, everything);
    for offset in jumps.iter().cycle().take(count) {
        set(offset);
        thread::sleep(Duration::from_millis(50));
    }
    set("+0");
    let monotonic = load.stop();
    tally.ask(&place.endpoint(), &autoconfig());
    place.stop(service);
    let done = format!(
        "{count} jumps by up to 23 hours, 8 clients, with matching certificates; then {count} of the \
         monotonic clock, too, with {} of {} requests aborted",
        monotonic.failures.len(),
        monotonic.requests
    );
    Row { done, tally, memory: (before, after) }
}

//------------ standard error ------------------------------------------------

pub fn standard_error(size: Size) -> Row {
    let row = Mutex::new(None);
    Namespace::run(|_world| {
        let place = Place::new("");
        let disk = place.sandbox.path("disk");
        std::fs::create_dir(&disk).expect("mkdir");
        mount(Some("tmpfs"), &disk, Some("tmpfs"), MsFlags::empty(), Some("size=64k"))
            .expect("tmpfs");
        let mut filler = std::fs::File::create(disk.join("filler")).expect("file");
        while filler.write_all(&[0; 1024]).is_ok() {}
        let count = size.of(100, 10);
        let full = format!("exec 2>>{}", disk.join("log").display());
        let (mut tally, mut before, mut after) = (Tally::default(), 0, 0);
        // The last but one is a pipe whose reader has closed it.
        let broken_pipe = "mkfifo pipe; : <pipe & exec 2>pipe; wait";
        for errors in ["exec 2>/dev/full", &full, "exec 2>&-", broken_pipe, "exec >&- 2>&-"] {
            let mut command = command("sh");
            command.args(["-c", &format!("{errors}; exec \"$0\"")]);
            command.arg(program()).current_dir(place.sandbox.path(""));
            let service = place.start_by(command);
            before = memory(&service, "VmRSS");
            let load = Load::start(&place.endpoint(), 4, everything);
            for _ in 0..count {
                // A file with errors causes log lines.
                place.configure("imap.port = 0\n");
                place.reload(&service);
            }
            tally.add(load.stop());
            after = memory(&service, "VmRSS");
            place.configure("");
            place.reload(&service);
            tally.ask(&place.endpoint(), &autoconfig());
            place.stop(service);
        }
        drop(filler);
        umount(&disk).expect("umount");
        let done = format!(
            "/dev/full, a full file system, closed, a pipe without reader, both outputs closed; \
             {count} error messages each, 4 clients"
        );
        *row.lock().expect("row") = Some(Row { done, tally, memory: (before, after) });
    });
    row.into_inner().expect("row").expect("a row")
}
