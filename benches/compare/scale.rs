//! A service with a million domains in a list, and with a hundred thousand files of domains: its
//! memory, its start, requests during a reload, and the instructions of a request for any of them.

use crate::callgrind::total;
use crate::clients::{Endpoint, Load, Question, Tally};
use crate::common::http::Request;
use crate::common::{Process, Sandbox, cgi, command, names, program};
use crate::kept::Connection;
use crate::measure::{megabytes, memory};
use crate::report::{Report, Wanted, number};
use crate::request::of_nginx;
use crate::{median, peers};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The domains of the list, and the files of the folder.
const LISTED: usize = 1_000_000;
const FILES: usize = 100_000;
/// The mail servers that these files name: as many contents are different.
const SERVERS: usize = 20;
/// How many requests are counted.
const COUNTED: usize = 1_000;
/// How often the service is started, reloads, and answers as CGI.
const TIMES: usize = 5;
/// How long a service under valgrind may take for something.
const PATIENCE: Duration = Duration::from_secs(600);

const HOSTS: &str = "imap.host = 'mail.example.net'\nsmtp.host = 'mail.example.net'\n";
/// The usual settings of a hoster. Without it, the domain is the name, which is cut if it is long.
const NAME: &str = "provider.name = 'Example Net'\nprovider.short_name = 'Example'\n";

//------------ requests -------------------------------------------------------

/// A GET of autoconfig for a mailbox of the domain.
fn of(domain: &str) -> Request {
    Request::get(format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}"))
        .host(format!("autoconfig.{domain}"))
}

/// Asks for a mailbox, which must have a document with this word in it.
pub fn ask(connection: &mut Connection, request: &Request, word: &str) {
    let answer = connection.ask(&of_nginx(request));
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("Status: 200") && text.contains(word), "{word}: {text}");
}

fn ask_for(connection: &mut Connection, domain: &str) {
    ask(connection, &of(domain), &format!(">{domain}<"));
}

/// The clients during a reload. The first line of a list is always the same.
fn everybody() -> Vec<Question> {
    vec![
        Question {
            request: of("example.org"),
            is_good: |answer| answer.status == 200 && answer.text().contains(">mail.example.net<"),
        },
        Question { request: of("unknown.example"), is_good: |answer| answer.status == 404 },
    ]
}

//------------ services -------------------------------------------------------

/// A service and its socket.
pub struct Service {
    pub process: Process,
    pub socket: PathBuf,
}

impl Service {
    /// Starts it, and waits for its socket.
    pub fn start(sandbox: &Sandbox, config: &Path) -> Self {
        let socket = sandbox.path("scale.socket");
        let mut serve = command(program());
        peers::serve(&mut serve, config, &socket);
        let process = Process::start(sandbox, &mut serve);
        wait(|| {
            assert!(!process.output().contains("error: "), "{}", process.output());
            UnixStream::connect(&socket).is_ok()
        });
        Self { process, socket }
    }

    /// Resident memory in MB, after a moment in which it is given back.
    pub fn memory(&self) -> f64 {
        thread::sleep(Duration::from_secs(2));
        megabytes(memory(&[self.process.id()]).rss)
    }

    fn reload(&self) {
        let done = || self.process.output().matches("configuration reloaded").count();
        let before = done();
        kill(Pid::from_raw(self.process.id() as i32), Signal::SIGHUP).expect("SIGHUP");
        wait(|| done() > before);
    }

    pub fn connect(&self) -> Connection {
        Connection::open(&self.socket)
    }
}

fn wait(mut is_done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_done() {
        assert!(Instant::now() < deadline, "not done within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The user instructions of each of `count` requests, which `ask` sends after `prepare`.
pub fn instructions(
    sandbox: &Sandbox,
    config: &Path,
    count: usize,
    prepare: impl FnOnce(&mut Connection),
    ask: impl FnOnce(&mut Connection),
) -> f64 {
    let (socket, out) = (sandbox.path("counted.socket"), sandbox.path("counted.out"));
    let mut serve = command("valgrind");
    serve.args(["--tool=callgrind", "--instr-atstart=no"]);
    serve.arg(format!("--callgrind-out-file={}", out.display())).arg(program());
    peers::serve(&mut serve, config, &socket);
    let mut process = Process::start(sandbox, &mut serve);
    wait(|| UnixStream::connect(&socket).is_ok());
    let mut connection = Connection::open(&socket);
    prepare(&mut connection);
    let tell = |arguments: &[&str]| {
        let mut vgdb = command("vgdb");
        vgdb.arg(format!("--pid={}", process.id())).args(arguments);
        let status = vgdb.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.expect("vgdb: is valgrind installed?").success());
    };
    tell(&["instrumentation", "on"]);
    ask(&mut connection);
    // The counts until now, in a file of their own.
    tell(&["dump"]);
    tell(&["instrumentation", "off"]);
    kill(Pid::from_raw(process.id() as i32), Signal::SIGTERM).expect("SIGTERM");
    wait(|| process.wait() == Some(0));
    total(&sandbox.path("counted.out.1")) as f64 / count as f64
}

/// The calls of statx(2) for each of `count` requests.
fn statx(sandbox: &Sandbox, service: &Service, count: usize, ask: impl FnOnce()) -> f64 {
    let out = sandbox.path("strace.out");
    let mut strace = command("strace");
    strace.args(["-f", "-e", "trace=statx,newfstatat,stat", "-o"]).arg(&out);
    let tracer = Process::start(sandbox, strace.args(["-p", &service.process.id().to_string()]));
    let status = format!("/proc/{}/status", service.process.id());
    wait(|| fs::read_to_string(&status).is_ok_and(|text| !text.contains("TracerPid:\t0\n")));
    ask();
    drop(tracer);
    let calls = fs::read_to_string(out).expect("strace's output");
    calls.lines().filter(|line| line.contains("stat(") || line.contains("statx(")).count() as f64
        / count as f64
}

//------------ a list ---------------------------------------------------------

pub fn lists(report: &mut Report) {
    let sandbox = Sandbox::new();
    let names = names::names(LISTED);
    let mut other = names.clone();
    names::shuffle(&mut other, 2);
    let lists = [&names, &other].map(|names| format!("example.org\n{}", names::lines(names)));
    let domains = "[domains]\nlist_files = ['list']\n";
    let unnamed = sandbox.write("unnamed.toml", format!("{HOSTS}{domains}"));
    let config = sandbox.write("scale.toml", format!("{HOSTS}{NAME}{domains}"));
    let path = sandbox.write("list", &lists[0]);

    eprintln!("a list of {LISTED} domains: start");
    let starts = (0..TIMES).map(|_| {
        let begun = Instant::now();
        let service = Service::start(&sandbox, &config);
        ask_for(&mut service.connect(), &names[LISTED / 2]);
        begun.elapsed().as_secs_f64()
    });
    let start = median(starts);
    let service = Service::start(&sandbox, &config);
    ask_for(&mut service.connect(), &names[LISTED - 1]);
    let loaded = service.memory();

    eprintln!("a list of {LISTED} domains: reloads");
    let endpoint = Endpoint::FastCgi(service.socket.clone());
    let load = Load::paced(&endpoint, service.process.id(), everybody);
    for number in 1..=TIMES {
        let next = sandbox.write("next", &lists[number % 2]);
        fs::rename(next, &path).expect("rename");
        service.reload();
    }
    let tally = load.stop();
    assert!(tally.failures.is_empty(), "{:?}", tally.failures);
    let reloaded = service.memory();
    let peak = high_water(&service);
    drop(service);

    eprintln!("a list of {LISTED} domains: CGI");
    let cgi = cgi_seconds(&config, &names[LISTED / 3], 200);
    let unknown = cgi_seconds(&config, "unknown.example", 404);
    eprintln!("a list of {LISTED} domains: instructions");
    let (first, rest) = names.split_at(COUNTED);
    let asked = |names: &[String], connection: &mut Connection| {
        names.iter().take(COUNTED).for_each(|domain| ask_for(connection, domain));
    };
    let count = |config: &Path| {
        let ask = |names| move |connection: &mut Connection| asked(names, connection);
        instructions(&sandbox, config, COUNTED, ask(first), ask(rest))
    };
    let (kept, of_unnamed) = (count(&config), count(&unnamed));

    let Tally { slowest, slowest_running, requests, .. } = tally;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let name = "1,000,000 listed domains";
    for (what, wanted, reached) in [
        ("memory (RSS), MB", 40.0, loaded),
        ("the same after reloads, MB", 45.0, reloaded),
        ("slowest request during reloads, ms", 20.0, milliseconds(slowest)),
        ("the same without the wait for a processor, ms", 20.0, milliseconds(slowest_running)),
        ("start to the first response, s", 0.4, start),
        ("CGI, start to exit, ms", 15.0, cgi * 1e3),
        ("GET of autoconfig, domains at random: user instructions", 13_000.0, kept),
    ] {
        report.target(&format!("{name}: {what}"), Wanted::AtMost(wanted), reached);
    }
    report.part(
        "A list of a million domains",
        &format!(
            "Names of 20 to 27 bytes in random order. {TIMES} starts, {TIMES} reloads by SIGHUP of a list in another order, \
             during {requests} requests of two clients that pause for 1.5 ms; medians of {TIMES} CGI requests. Instructions of \
             {COUNTED} requests, each for another domain."
        ),
    );
    let row = |name: &str, value: f64| vec![name.to_owned(), number(value)];
    report.table(
        &["1,000,000 domains", ""],
        &[
            row("memory (RSS) after the start, MB", loaded),
            row("memory (RSS) after reloads, MB", reloaded),
            row("largest memory while reading, MB", peak),
            row("start to the first response, s", start),
            row("slowest request during reloads, ms", milliseconds(slowest)),
            row("the same without the wait for a processor, ms", milliseconds(slowest_running)),
            row("CGI, a domain of the list, ms", cgi * 1e3),
            row("CGI, another domain, ms", unknown * 1e3),
            row("user instructions of a GET", kept),
            row("the same without `provider.name` and `short_name`", of_unnamed),
        ],
    );
}

/// The largest resident memory, in MB.
fn high_water(service: &Service) -> f64 {
    let status = format!("/proc/{}/status", service.process.id());
    let status = fs::read_to_string(status).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    megabytes(line.trim_end_matches("kB").trim().parse().expect("a number"))
}

/// The time of a CGI request, which must have this status.
fn cgi_seconds(config: &Path, domain: &str, status: u16) -> f64 {
    let request = of(domain);
    let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
    let answer = cgi::send(&program(), &request, &settings).expect("a response");
    assert_eq!(answer.status, status, "{}", answer.text());
    median((0..TIMES).map(|_| {
        let mut command = cgi_command(&request, config);
        let begun = Instant::now();
        assert!(command.status().expect("start").success());
        begun.elapsed().as_secs_f64()
    }))
}

fn cgi_command(request: &Request, config: &Path) -> Command {
    let mut command = command(program());
    for (name, value) in cgi::variables(request) {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        command.env(text(name), text(value));
    }
    command.env("MAILSETUP_CONFIG", config);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

//------------ files ----------------------------------------------------------

pub fn files(report: &mut Report) {
    let sandbox = Sandbox::new();
    let names = names::names(FILES);
    eprintln!("{FILES} files: writing");
    fs::create_dir(sandbox.path("d")).expect("mkdir");
    for (number, domain) in names.iter().enumerate() {
        let host = format!("mail{}.example.net", number % SERVERS);
        let text = format!("{NAME}imap.host = '{host}'\nsmtp.host = '{host}'\n");
        fs::write(sandbox.path(&format!("d/{domain}.toml")), text).expect("write");
    }
    let config = sandbox.write("scale.toml", "[domains]\ndirectory = 'd'\n");
    thread::sleep(Duration::from_secs(2));

    eprintln!("{FILES} files: each requested");
    let begun = Instant::now();
    let service = Service::start(&sandbox, &config);
    let mut connection = service.connect();
    ask_for(&mut connection, &names[0]);
    let start = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    names.iter().for_each(|domain| ask_for(&mut connection, domain));
    let first = begun.elapsed().as_secs_f64() * 1e6 / FILES as f64;
    let mut shuffled = names.clone();
    names::shuffle(&mut shuffled, 3);
    let begun = Instant::now();
    shuffled.iter().for_each(|domain| ask_for(&mut connection, domain));
    let again = begun.elapsed().as_secs_f64() * 1e6 / FILES as f64;
    let used = service.memory();
    let at_random = &shuffled[..COUNTED];
    let calls = statx(&sandbox, &service, COUNTED, || {
        at_random.iter().for_each(|domain| ask_for(&mut connection, domain));
    });
    drop(service);

    eprintln!("{FILES} files: instructions");
    let warm = instructions(
        &sandbox,
        &config,
        COUNTED,
        |connection| names.iter().for_each(|domain| ask_for(connection, domain)),
        |connection| at_random.iter().for_each(|domain| ask_for(connection, domain)),
    );

    let name = "100,000 files of domains, all requested before";
    for (what, wanted, reached) in [
        ("user instructions", 16_000.0, warm),
        ("calls of statx, beside the regular checks of files", 1.01, calls),
    ] {
        let what = format!("{name}: GET of autoconfig, domains at random: {what}");
        report.target(&what, Wanted::AtMost(wanted), reached);
    }
    report.part(
        "A hundred thousand files of domains",
        &format!("In one folder, four keys in each, with {SERVERS} different contents. All are requested twice, in random order, on one connection; then \
                  {COUNTED} of them are counted."),
    );
    let row = |name: &str, value: f64| vec![name.to_owned(), number(value)];
    report.table(
        &["100,000 files", ""],
        &[
            row("start to the first response, s", start),
            row("the first request for a domain, µs", first),
            row("the second request, µs", again),
            row("memory (RSS) after that, MB", used),
            row("user instructions of a GET", warm),
            row("calls of statx of a GET", calls),
        ],
    );
}
