//! Three machines behind one nginx or HAProxy, with the files of contrib/many-machines: they are
//! killed, restarted, stopped and updated by rsync one after the other, while clients send requests.
//! No request may fail, and each machine must send the same bytes.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{HTTP, haproxy, is_open, nginx};
use crate::common::fcgi::{Client, Style};
use crate::common::http::{self, Request, Response};
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, confined, run, wait_until, write};

/// The addresses of contrib's files.
const MACHINES: [&str; 3] = ["unix:/run/mailsetup.sock", "192.0.2.12:9000", "192.0.2.13:9000"];

/// The files that are copied to all machines.
const MASTER: &str = "/var/lib/mailsetup";

/// A little more than the time after which changed files are in force.
const SETTLED: Duration = Duration::from_millis(2500);

/// A little more than three times `fastcgi_read_timeout` and `timeout server`: a request may be sent to
/// the machine that does not answer again, as long as it accepts connections (seen: HAProxy 2.6, 5.002 s).
const LONGEST: Duration = Duration::from_secs(7);

/// The pause of a client after its requests.
const PAUSE: Duration = Duration::from_millis(5);

const CONFIG: &str = "
pacc.enabled = true
smtp.security = 'tls'
provider.name = 'Example'
[domains]
list_files = ['domains.txt']
directory = 'domains.d'
";

//------------ The machines ---------------------------------------------------

/// The first two are started by `serve`. The third is as with the units of contrib/systemd: its socket
/// stays open while it is restarted, and it has the restrictions of the unit.
struct Machine<'a> {
    world: &'a Namespace<'a>,
    systemd: Option<TcpListener>,
    /// The address, and the place of its socket: HAProxy has a root of its own.
    listen: String,
    folder: PathBuf,
    process: Option<Process>,
    /// How many requests earlier processes have logged.
    answered: usize,
}

impl<'a> Machine<'a> {
    fn all(world: &'a Namespace, root: &str, group: &str) -> Vec<Machine<'a>> {
        for address in ["192.0.2.12/32", "192.0.2.13/32"] {
            run(command("ip").args(["address", "add", address, "dev", "lo"]));
        }
        let machine = |(number, address): (usize, &&str)| {
            let listen = match address.strip_prefix("unix:") {
                Some(path) => {
                    let path = format!("{root}{path}");
                    fs::create_dir_all(Path::new(&path).parent().expect("a folder"))
                        .expect("mkdir");
                    format!("unix:{path},mode=0660,group={group}")
                }
                None => (*address).to_owned(),
            };
            let folder = PathBuf::from(format!("/etc/mailsetup-{}", number + 1));
            let systemd = (number == 2).then(|| TcpListener::bind(&listen).expect("bind"));
            Machine { world, systemd, listen, folder, process: None, answered: 0 }
        };
        MACHINES.iter().enumerate().map(machine).collect()
    }

    /// The address without options.
    fn address(&self) -> &str {
        self.listen.split(',').next().expect("an address")
    }

    fn start(&mut self) {
        let mut serve = match &self.systemd {
            Some(listener) => {
                let [python, arguments @ ..] = confined(Path::new(PROGRAM));
                let mut serve = command(python);
                serve.args(arguments).stdin(OwnedFd::from(listener.try_clone().expect("dup")));
                serve
            }
            None => {
                let mut serve = command(PROGRAM);
                serve.args(["serve", "--listen", &self.listen]);
                serve
            }
        };
        serve.env("MAILSETUP_CONFIG", self.folder.join("config.toml"));
        let process = Process::start(self.world.sandbox, &mut serve);
        self.process = Some(process.wait_until(|| is_open(self.address())));
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("a process");
        kill(Pid::from_raw(process.id() as i32), signal).expect("kill");
    }

    /// Ends the process, which has this exit code if it ends by itself.
    fn end(&mut self, by: Signal, code: Option<i32>) {
        self.signal(by);
        let mut process = self.process.take().expect("a process");
        assert_eq!(process.wait(), code, "{}", process.output());
        self.answered += requests_in(&process);
    }

    fn answered(&self) -> usize {
        self.answered + self.process.as_ref().map_or(0, requests_in)
    }

    /// Asks this machine itself.
    fn ask(&self, request: &Request) -> Response {
        let client = match self.address().strip_prefix("unix:") {
            Some(path) => Client::unix(Path::new(path)),
            None => Client::tcp(self.address().parse().expect("an address")),
        };
        client.and_then(|mut client| client.send(request, Style::USUAL)).expect("a response")
    }
}

/// The number of requests in the log of a process.
fn requests_in(process: &Process) -> usize {
    process.output().matches("method=").count()
}

/// Version `number` of the files, copied to all machines as docs/scale.md says.
fn distribute(number: usize, machines: &[Machine]) {
    let master = Path::new(MASTER);
    let hosts = |host: &str| format!("imap.host = '{host}'\npop3.host = '{host}'\n");
    let listed: String = (0..2000).map(|n| format!("d{n}.version{number}.example\n")).collect();
    for (name, text) in [
        ("config.toml", CONFIG.to_owned()),
        ("domains.txt", format!("example.org\n{listed}{}", "# \n".repeat(number))),
        ("domains.d/same.example.toml", hosts("mail.same.example")),
        ("domains.d/changed.example.toml", hosts(&format!("mail{number}.changed.example"))),
        // Each machine sends 503 for it.
        ("domains.d/broken.example.toml", "imap.port = 0\n".to_owned()),
    ] {
        // As with a real change, other files keep their times.
        if fs::read(master.join(name)).ok().as_deref() != Some(text.as_bytes()) {
            write(&master.join(name), text);
        }
    }
    for machine in machines {
        let mut rsync = command("rsync");
        rsync.args(["--archive", "--delete", "--delay-updates", &format!("{MASTER}/")]);
        run(rsync.arg(&machine.folder));
    }
}

/// Waits until each machine answers for the domains of version `number`, and no more for those of
/// the one before.
fn wait_for_version(number: usize, machines: &[Machine]) {
    let text = |machine: &Machine, domain: &str| {
        let path = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
        let answer = machine.ask(&Request::get(path).host(format!("autoconfig.{domain}")));
        (answer.status, answer.text())
    };
    for machine in machines {
        let is_there = || {
            let (status, _) = text(machine, &format!("d1999.version{number}.example"));
            let (_, changed) = text(machine, "changed.example");
            status == 200 && changed.contains(&format!(">mail{number}.changed.example<"))
        };
        assert!(wait_until(is_there), "{} has no version {number}", machine.listen);
        let (status, _) = text(machine, &format!("d1999.version{}.example", number - 1));
        assert_eq!(status, 404, "{}", machine.listen);
    }
}

//------------ The requests ---------------------------------------------------

/// What must be the same from each machine: the status, header fields, and the body.
type Essence = (u16, Vec<(String, String)>, Vec<u8>);

fn essence(answer: &Response) -> Essence {
    let of_mailsetup = ["cache-control", "content-disposition", "content-type", "etag"];
    let fields = answer.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
    let mut fields: Vec<_> =
        fields.filter(|(name, _)| of_mailsetup.contains(&name.as_str())).collect();
    fields.sort();
    (answer.status, fields, answer.body.clone())
}

/// A request for each kind of document, and one for a domain whose file is broken.
fn requests() -> Vec<Request> {
    let pox = |address: &str| {
        let body = format!(
            "<Autodiscover xmlns='http://schemas.microsoft.com/exchange/autodiscover/outlook/\
             requestschema/2006'><Request><EMailAddress>{address}</EMailAddress></Request>\
             </Autodiscover>"
        );
        Request::post("/autodiscover/autodiscover.xml", body)
    };
    let pacc = "/.well-known/user-agent-configuration.json";
    vec![
        Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org"),
        pox("ann@example.org"),
        // It has an ETag.
        Request::get("/mail/config-v1.1.xml").host("autoconfig.same.example"),
        Request::get("/mobileconfig?emailaddress=ann@example.org"),
        Request::get(pacc).host("ua-auto-config.example.org"),
        Request::get("/mobileconfig?emailaddress=ann@same.example"),
        pox("ann@same.example"),
        Request::get("/mail/config-v1.1.xml?emailaddress=ann@broken.example"),
        // Too long for mailsetup or for the web server.
        Request::get(format!(
            "/mail/config-v1.1.xml?emailaddress={}@example.org",
            "a".repeat(6000)
        )),
    ]
}

/// The responses to these requests, which must be the same from all machines.
fn same_from_all(machines: &[Machine], requests: &[Request]) -> Vec<Essence> {
    let first = |request| essence(&machines[0].ask(request));
    let expected: Vec<_> = requests.iter().map(first).collect();
    for machine in &machines[1..] {
        for (request, expected) in requests.iter().zip(&expected) {
            let answer = essence(&machine.ask(request));
            assert_eq!(&answer, expected, "{}: {request:?}", machine.listen);
        }
    }
    let statuses: Vec<_> = expected.iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 503, 400]);
    let tags =
        expected.iter().filter(|(_, fields, _)| fields.iter().any(|(name, _)| name == "etag"));
    assert_eq!(tags.count(), 2, "autoconfig without an address, PACC");
    expected
}

/// Whether it is this response. While files have been changed, it may have `no-store` and no tag.
fn is_as_expected(mut answer: Essence, expected: &Essence) -> bool {
    let is_about_caching = |(name, _): &(String, String)| name == "cache-control" || name == "etag";
    let mut expected = expected.clone();
    let may_not_be_kept = answer.1.iter().any(|(_, value)| value.starts_with("no-store"));
    if may_not_be_kept {
        answer.1.retain(|field| !is_about_caching(field));
        expected.1.retain(|field| !is_about_caching(field));
    }
    answer == expected
}

/// Clients that send these requests to the web server, some on kept connections, until `work` is
/// done. Fails if a response is not the expected one.
fn under_load<T>(requests: &[Request], expected: &[Essence], work: impl FnOnce() -> T) -> T {
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (failures, slowest) = (Mutex::new(Vec::new()), Mutex::new(Duration::ZERO));
    let check = |begun: Instant, answers: std::io::Result<Vec<Response>>, first: usize| {
        // Several requests on one connection may each wait for the machine that does not answer.
        if answers.as_ref().is_ok_and(|answers| answers.len() == 1) {
            let mut slowest = slowest.lock().expect("slowest");
            *slowest = slowest.max(begun.elapsed());
        }
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => return failures.lock().expect("failures").push(error.to_string()),
        };
        for (answer, number) in answers.iter().zip(first..) {
            count.fetch_add(1, Ordering::Relaxed);
            if !is_as_expected(essence(answer), &expected[number]) {
                let target = requests[number].target.escape_ascii();
                let (fields, text) = (&answer.headers, answer.text());
                let text = format!("{target:.80}: {} {fields:?} {text:.200}", answer.status);
                failures.lock().expect("failures").push(text);
            }
        }
    };
    let client = |number: usize| {
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(PAUSE);
            if number % 2 == 0 {
                check(Instant::now(), http::send_all(HTTP, requests), 0);
                continue;
            }
            for (number, request) in requests.iter().enumerate() {
                let begun = Instant::now();
                let answer = http::send(HTTP, request).map(|answer| vec![answer]);
                check(begun, answer, number);
            }
        }
    };
    let result = thread::scope(|scope| {
        for number in 0..4 {
            let client = &client;
            scope.spawn(move || client(number));
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        result
    });
    let result = result.unwrap_or_else(|reason| std::panic::resume_unwind(reason));
    let (failures, count) = (failures.into_inner().expect("failures"), count.into_inner());
    assert!(failures.is_empty(), "{} of {count}: {:#?}", failures.len(), &failures[..1]);
    assert!(count > 1000, "{count} requests");
    let slowest = slowest.into_inner().expect("slowest");
    assert!(slowest < LONGEST, "{slowest:?}");
    println!("{count} requests, the slowest took {slowest:?}");
    result
}

//------------ The test -------------------------------------------------------

fn one_after_the_other(mut machines: Vec<Machine>, front: impl FnOnce() -> Process) {
    distribute(1, &machines);
    machines.iter_mut().for_each(Machine::start);
    // Before, no response may be cached.
    thread::sleep(SETTLED);
    let requests = requests();
    let expected = same_from_all(&machines, &requests);
    let _front = front();
    under_load(&requests, &expected, || {
        let mut version = 1;
        for number in 0..machines.len() {
            // One machine crashes, and the next is restarted while the first is away.
            machines[number].end(Signal::SIGKILL, None);
            thread::sleep(Duration::from_millis(300));
            let next = (number + 1) % 3;
            machines[next].end(Signal::SIGTERM, Some(0));
            machines[next].start();
            machines[number].start();
            // All get other lists and files.
            version += 1;
            distribute(version, &machines);
            thread::sleep(SETTLED);
            wait_for_version(version, &machines);
        }
        // Only one is left.
        machines[0].end(Signal::SIGKILL, None);
        machines[1].end(Signal::SIGKILL, None);
        thread::sleep(SETTLED);
        machines[0].start();
        machines[1].start();
        thread::sleep(SETTLED);
        // One accepts connections and does not answer.
        machines[2].signal(Signal::SIGSTOP);
        thread::sleep(LONGEST);
        machines[2].signal(Signal::SIGCONT);
    });
    assert_eq!(same_from_all(&machines, &requests), expected);
    for machine in &mut machines {
        let output = machine.process.as_ref().expect("a process").output();
        // The folders of --delay-updates are no files of domains.
        assert!(!output.contains(".~tmp~") && !output.contains("panicked"), "{output}");
        machine.end(Signal::SIGTERM, Some(0));
        assert!(machine.answered() > 100, "{}: {}", machine.listen, machine.answered());
    }
}

#[test]
fn no_request_fails_behind_nginx_while_machines_come_and_go() {
    Namespace::run(|world| {
        let machines = Machine::all(world, "", "www-data");
        one_after_the_other(machines, || nginx::many_machines(world));
    });
}

#[test]
fn no_request_fails_behind_haproxy_while_machines_come_and_go() {
    Namespace::run(|world| {
        let machines = Machine::all(world, haproxy::ROOT, "haproxy");
        one_after_the_other(machines, || haproxy::many_machines(world));
    });
}
