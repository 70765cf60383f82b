//! Logins from Debian's Dovecot, with mailboxes in SQLite and in MariaDB: what mailsetup answers is what
//! `doveadm user` prints, also while Dovecot is restarted, stopped, or replaced by something else.
//!
//! `make test-logins` runs it. Both Dovecot 2.3 and 2.4 are known here.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::http::{self, Request, Response};
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, run, wait_until, write};

use super::logins::{
    GROUP, MARIADB, Maps, as_user, contrib, group, mariadb, postfix, postmap, sqlite,
};
use super::{listens, local};

const SOCKET: &str = "/run/dovecot/mailsetup-userdb";
const LOG: &str = "/var/log/dovecot.log";
const PASSWORD: &str = "correct-horse-7";

/// The table of the mailboxes, in both databases.
const TABLE: &str =
    "CREATE TABLE mailboxes (email VARCHAR(255) PRIMARY KEY, login VARCHAR(255) NOT NULL UNIQUE,
     password VARCHAR(255) NOT NULL);";

/// How long a source may take in these tests, in milliseconds.
const TIMEOUT: u64 = 300;

//------------ Dovecot --------------------------------------------------------

/// The rows of the table: Anna has a login that is not the address; the others have their address.
fn rows() -> String {
    let own = ("anna.smith@example.org".to_owned(), "asmith".to_owned());
    let others = (0..2000).map(|number| format!("box{number:04}@example.org"));
    let rows = std::iter::once(own).chain(others.map(|email| (email.clone(), email)));
    let rows: Vec<_> = rows
        .map(|(email, login)| format!("('{email}', '{login}', '{{PLAIN}}{PASSWORD}')"))
        .collect();
    format!("INSERT INTO mailboxes VALUES {};", rows.join(", "))
}

/// Where the table is.
#[derive(Clone, Copy)]
enum Database {
    Sqlite,
    Mariadb,
}

const SQLITE: &str = "/var/lib/mail/mailboxes.sqlite";

impl Database {
    /// Creates it with its table; the process of its server.
    fn start(self, world: &Namespace) -> Option<Process> {
        let statements = format!("{TABLE}\n{}", rows());
        match self {
            Self::Sqlite => {
                sqlite(SQLITE, &statements);
                None
            }
            Self::Mariadb => {
                let statements = format!(
                    "CREATE DATABASE mail; USE mail; {statements}
                     CREATE USER 'dovecot'@'localhost' IDENTIFIED BY '{PASSWORD}';
                     GRANT SELECT ON mail.mailboxes TO 'dovecot'@'localhost';"
                );
                Some(mariadb(world, &statements))
            }
        }
    }

    /// The configuration of Dovecot.
    fn dovecot(self) -> String {
        let is_2_3 = run(command("dovecot").arg("--version")).starts_with("2.3.");
        let (user, address) = if is_2_3 { ("%u", "%u") } else { ("%{user}", "%{user}") };
        let password_query =
            format!("SELECT login AS user, password FROM mailboxes WHERE login = '{user}'");
        let user_query = format!(
            "SELECT login AS user, 'mail' AS uid, 'mail' AS gid, '/var/mail/x' AS home \
             FROM mailboxes WHERE email = '{address}' OR login = '{address}'"
        );
        let iterate_query = "SELECT email AS user FROM mailboxes";
        let common = format!(
            "protocols =\nlog_path = {LOG}\nauth_mechanisms = plain\nfirst_valid_uid = 1\n\
             !include /etc/dovecot/conf.d/90-mailsetup-userdb.conf\n"
        );
        if is_2_3 {
            let (driver, connect) = match self {
                Self::Sqlite => ("sqlite", SQLITE.to_owned()),
                Self::Mariadb => (
                    "mysql",
                    format!("host={MARIADB} dbname=mail user=dovecot password={PASSWORD}"),
                ),
            };
            let sql = format!(
                "driver = {driver}\nconnect = {connect}\npassword_query = {password_query}\n\
                 user_query = {user_query}\niterate_query = {iterate_query}\n"
            );
            write(Path::new("/etc/dovecot/sql.conf"), sql);
            let database = "{\n  driver = sql\n  args = /etc/dovecot/sql.conf\n}\n";
            return format!("{common}passdb {database}userdb {database}");
        }
        let connect = match self {
            Self::Sqlite => format!("sql_driver = sqlite\nsqlite_path = {SQLITE}\n"),
            Self::Mariadb => format!(
                "sql_driver = mysql\nmysql {MARIADB} {{\n  host = {MARIADB}\n  dbname = mail\n  \
                 user = dovecot\n  password = {PASSWORD}\n}}\n"
            ),
        };
        format!(
            "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n{common}{connect}\
             passdb sql {{\n  query = {password_query}\n}}\n\
             userdb sql {{\n  query = {user_query}\n  iterate_query = {iterate_query}\n}}\n"
        )
    }
}

/// A running Dovecot with the listener of contrib.
struct Dovecot(Process);

impl Dovecot {
    fn start(world: &Namespace, database: Database) -> Self {
        group();
        let listener = "dovecot/90-mailsetup-userdb.conf";
        write(Path::new("/etc/dovecot/conf.d/90-mailsetup-userdb.conf"), contrib(listener));
        write(Path::new("/etc/dovecot/dovecot.conf"), database.dovecot());
        let process = Process::start(world.sandbox, command("dovecot").arg("-F"));
        let process = process.wait_until(|| UnixStream::connect(SOCKET).is_ok());
        // Its first question connects to the database.
        assert!(wait_until(|| doveadm_user("anna.smith@example.org").is_some()), "{}", log());
        Self(process)
    }

    /// Sends a signal to all its processes.
    fn signal(&self, signal: Signal) {
        let master = self.0.id();
        let parent = format!("/proc/{master}/task/{master}/children");
        let children = fs::read_to_string(parent).expect("processes");
        let children = children.split_whitespace().map(|pid| pid.parse().expect("a number"));
        for pid in children.chain([i32::try_from(master).expect("a number")]) {
            kill(Pid::from_raw(pid), signal).expect("a signal");
        }
    }
}

fn log() -> String {
    String::from_utf8_lossy(&fs::read(LOG).unwrap_or_default()).into_owned()
}

/// The login that Dovecot's own program finds, by the same socket.
fn doveadm_user(address: &str) -> Option<String> {
    let ask = ["user", "-a", SOCKET, "-f", "user", address];
    let output = command("doveadm").args(ask).output().expect("doveadm");
    let text = String::from_utf8(output.stdout).expect("text");
    output.status.success().then(|| text.trim_end().to_owned())
}

/// What the socket answers to a member of the group, or to a user who is not in it.
fn ask_as(group: &str, question: &str) -> String {
    let script = r"
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall(('VERSION\t1\t1\n' + sys.argv[2] + '\n').encode())
got = b''
while got.count(b'\n') < 3:
    part = s.recv(65536)
    if not part:
        break
    got += part
print(got.decode())
";
    let mut ask = as_user("nobody", group);
    let output = ask.args(["/usr/bin/python3", "-c", script, SOCKET, question]).output();
    let output = output.expect("setpriv");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

//------------ Mailsetup ------------------------------------------------------

/// The service, which is not root but a member of the group.
struct Service {
    process: Process,
    port: u16,
}

impl Service {
    fn start(world: &Namespace, port: u16, login: &str) -> Self {
        let config =
            format!("[login]\n{login}\n[log]\nrequests = false\n[domain.\"example.org\"]\n");
        let config = world.sandbox.write(&format!("config-{port}.toml"), config);
        group();
        let mut service = as_user("nobody", GROUP);
        service.arg(PROGRAM).arg("--config").arg(config);
        service.args(["serve", "--http", &format!("127.0.0.1:{port}")]);
        let process =
            Process::start(world.sandbox, &mut service).wait_until(|| listens(local(port)));
        Self { process, port }
    }

    fn send(&self, request: &Request) -> Response {
        let response = http::send(local(self.port), request).expect("a response");
        assert_eq!(response.status, 200, "{}", response.text());
        response
    }

    /// The login of autoconfig.
    fn autoconfig(&self, address: &str) -> String {
        between(&self.send(&autoconfig(address)).text(), "<username>", "</username>")
    }

    /// The login of Autodiscover.
    fn autodiscover(&self, address: &str) -> String {
        let body = format!(
            "<Autodiscover><Request><EMailAddress>{address}</EMailAddress></Request></Autodiscover>"
        );
        let request = Request::post("/autodiscover/autodiscover.xml", body)
            .header("Content-Type", "text/xml");
        between(&self.send(&request).text(), "<LoginName>", "</LoginName>")
    }

    /// The login, and how long it took.
    fn timed(&self, address: &str) -> (String, Duration) {
        let begun = Instant::now();
        (self.autoconfig(address), begun.elapsed())
    }

    fn log(&self) -> String {
        self.process.output()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{}", self.log());
        }
    }
}

fn autoconfig(address: &str) -> Request {
    let target = format!("/mail/config-v1.1.xml?emailaddress={address}");
    Request::get(target).host("autoconfig.example.org")
}

/// The one text between these, wherever it stands.
fn between(document: &str, from: &str, to: &str) -> String {
    let parts = document.split(from).skip(1);
    let found: BTreeSet<_> = parts.map(|part| part.split(to).next().expect("text")).collect();
    assert_eq!(found.len(), 1, "{found:?}: {document}");
    found.into_iter().next().expect("one").to_owned()
}

/// The form of a login that is not the mailbox's own.
const ADDRESS: &str = "%EMAILADDRESS%";

//------------ Tests ----------------------------------------------------------

/// What the comment of the listener says of it is so.
#[test]
#[ignore = "make test-logins installs what it needs"]
fn the_socket_of_dovecot_is_for_the_group_only_and_gives_more_than_logins() {
    Namespace::run(|world| {
        let _database = Database::Sqlite.start(world);
        let _dovecot = Dovecot::start(world, Database::Sqlite);
        let question = "USER\t1\tanna.smith@example.org\tservice=mailsetup";
        let answer = ask_as("nogroup", question);
        assert!(answer.contains("PermissionError"), "{answer}");
        let answer = ask_as(GROUP, question);
        assert!(answer.contains("USER\t1\tasmith\t"), "{answer}");
        let answer = ask_as(GROUP, "LIST\t1\tuser=*\tservice=mailsetup");
        assert!(answer.contains("LIST\t1\tbox0001@example.org"), "{answer}");
        let answer = ask_as(GROUP, "PASS\t1\tasmith\tservice=imap");
        assert!(answer.contains("PASS\t1\tuser=asmith"), "{answer}");
        // The login of the userdb is that of the passdb.
        let test = ["auth", "test", "-x", "service=imap", "asmith", PASSWORD];
        let accepted = run(command("doveadm").args(test));
        assert!(accepted.contains("auth succeeded"), "{accepted}");
    });
}

#[test]
#[ignore = "make test-logins installs what it needs"]
fn logins_are_those_of_dovecot() {
    for database in [Database::Sqlite, Database::Mariadb] {
        Namespace::run(|world| {
            let _database = database.start(world);
            let _dovecot = Dovecot::start(world, database);
            let service = Service::start(world, 8025, &format!("userdb = \"{SOCKET}\""));
            assert_eq!(doveadm_user("anna.smith@example.org").as_deref(), Some("asmith"));
            for (address, login) in [
                ("anna.smith@example.org", "asmith"),
                ("Anna.Smith@EXAMPLE.org", "asmith"),
                ("box0001@example.org", ADDRESS),
                ("nobody@example.org", ADDRESS),
            ] {
                assert_eq!(service.autoconfig(address), login, "{address}");
                let login = login.replace(ADDRESS, address);
                assert_eq!(service.autodiscover(address), login, "{address}");
            }
            assert!(service.log().lines().count() <= 1, "{}", service.log());
        });
    }
}

#[test]
#[ignore = "make test-logins installs what it needs"]
fn logins_are_those_of_postmap() {
    Namespace::run(|world| {
        postfix();
        sqlite(
            "/var/lib/mail/users.sqlite",
            "CREATE TABLE users (email TEXT PRIMARY KEY, login TEXT);
             INSERT INTO users VALUES ('anna.smith@example.org', 'asmith'),
               ('o''neil@example.org', 'o''neil'), ('long@example.org', 'company\\long');",
        );
        let _maps = Maps::start(world, "sqlite", &[]);
        let map = "unix:/run/socketmap-sqlite/socket:logins";
        let service = Service::start(world, 8025, &format!("socketmap = \"{map}\""));
        for address in [
            "anna.smith@example.org",
            "ANNA.smith@example.org",
            "o'neil@example.org",
            "long@example.org",
            "nobody@example.org",
        ] {
            let key = address.to_lowercase();
            let expected = postmap(&format!("socketmap:{map}"), &key);
            let expected = expected.unwrap_or_else(|message| {
                assert_eq!(message, "");
                ADDRESS.to_owned()
            });
            assert_eq!(service.autoconfig(address), expected, "{address}");
        }
    });
}

#[test]
#[ignore = "make test-logins installs what it needs"]
fn failures_of_dovecot_end_in_time_and_by_themselves() {
    let slowest = Duration::from_millis(TIMEOUT + 300);
    // Another address each time, as answers are kept for some seconds.
    let mut addresses = (0..2000).map(|number| format!("box{number:04}@example.org"));
    let own = "anna.smith@example.org";
    let kept = Duration::from_secs(11);
    Namespace::run(|world| {
        let _database = Database::Sqlite.start(world);
        let dovecot = Dovecot::start(world, Database::Sqlite);
        let source = format!("userdb = \"{SOCKET}\"\ntimeout_ms = {TIMEOUT}");
        let service = Service::start(world, 8025, &source);
        let mut next = || addresses.next().expect("an address");
        assert_eq!(service.autoconfig(own), "asmith");

        // Restarted: the kept connections are closed.
        drop(dovecot);
        let (login, took) = service.timed(&next());
        assert!(login == ADDRESS && took < slowest, "stopped: {login} after {took:?}");
        thread::sleep(kept);
        let dovecot = Dovecot::start(world, Database::Sqlite);
        let (login, took) = service.timed(own);
        assert!(login == "asmith" && took < slowest, "started: {login} after {took:?}");

        // It accepts connections, as the kernel does that, but says nothing.
        dovecot.signal(Signal::SIGSTOP);
        let (login, took) = service.timed(&next());
        let early = Duration::from_millis(TIMEOUT / 2);
        assert!(login == ADDRESS && (early..slowest).contains(&took), "{login} after {took:?}");
        thread::sleep(kept);
        let (login, took) = service.timed(own);
        assert!(login == ADDRESS && took < slowest, "hanging: {login} after {took:?}");
        dovecot.signal(Signal::SIGCONT);
        thread::sleep(kept);
        let (login, took) = service.timed(own);
        assert!(login == "asmith" && took < slowest, "continued: {login} after {took:?}");

        // A line when it begins to fail, and one when it works again. Whether it failed while it was
        // stopped depends on its auth process, which may have outlived its master.
        let log = service.log();
        let lines = log.lines().filter(|line| line.contains("mailsetup-userdb"));
        let fails: Vec<_> = lines.map(|line| line.contains(" fails: ")).collect();
        let expected: &[bool] = &[true, false, true, false];
        assert!(fails == expected || fails == expected[..2], "{log}");
    });
}

/// A server that is none.
#[test]
#[ignore = "make test-logins installs what it needs"]
fn other_answers_than_those_of_dovecot_are_no_logins() {
    let hello = "VERSION\t1\t1\nSPID\t1\n";
    let answers = [
        "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned(),
        "\0".repeat(100_000),
        "VERSION\t2\t0\nSPID\t1\n".to_owned(),
        format!("{hello}USER\t7\tmallory\n"),
        format!("{hello}USER\t1\tmal\x07lory\n"),
        format!("{hello}USER\t1\t%EMAILADDRESS%\n"),
        format!("{hello}USER\t1\t{}\n", "x".repeat(300)),
        format!("{hello}FAIL\t1\treason=mallory\n"),
        format!("{hello}USER\t1\tmallory"),
        String::new(),
    ];
    Namespace::run(|world| {
        let socket = "/run/fake";
        let listener = UnixListener::bind(socket).expect("bind");
        run(command("chmod").args(["666", socket]));
        let current = Arc::new(Mutex::new(String::new()));
        let said = current.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("accept");
                let answer = said.lock().expect("lock").clone();
                thread::spawn(move || {
                    let _ = stream.write_all(answer.as_bytes());
                    let mut question = [0; 4096];
                    while stream.read(&mut question).is_ok_and(|count| count > 0) {}
                });
            }
        });
        let source = format!("userdb = \"{socket}\"\ntimeout_ms = {TIMEOUT}");
        let service = Service::start(world, 8025, &source);
        for (number, answer) in answers.into_iter().enumerate() {
            *current.lock().expect("lock") = answer.clone();
            let (login, took) = service.timed(&format!("box{number}@example.org"));
            let shown = answer.chars().take(50).collect::<String>();
            assert_eq!(login, ADDRESS, "{shown:?}");
            assert!(took < Duration::from_millis(TIMEOUT + 300), "{shown:?}: {took:?}");
        }
        // One that is right is taken.
        *current.lock().expect("lock") = format!("{hello}USER\t1\tasmith\thome=/x\n");
        assert_eq!(service.autoconfig("anna.smith@example.org"), "asmith");
    });
}

/// A relay before Dovecot's socket that keeps what was sent to it.
fn relay(socket: &str) -> Arc<Mutex<Vec<u8>>> {
    let listener = UnixListener::bind(socket).expect("bind");
    run(command("chmod").args(["666", socket]));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let keep = sent.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut client = stream.expect("accept");
            let mut server = UnixStream::connect(SOCKET).expect("connect");
            let (mut back, mut front) =
                (server.try_clone().expect("dup"), client.try_clone().expect("dup"));
            thread::spawn(move || {
                let _ = std::io::copy(&mut back, &mut front);
                let _ = front.shutdown(Shutdown::Both);
            });
            let keep = keep.clone();
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = client.read(&mut bytes) {
                    keep.lock().expect("lock").extend_from_slice(&bytes[..count]);
                    if server.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    sent
}

/// A thousand requests at once, through a relay: each gets its answer, by few connections, and nothing
/// but `VERSION` and `USER` is sent.
#[test]
#[ignore = "make test-logins installs what it needs"]
fn a_thousand_requests_at_once_ask_only_for_users() {
    Namespace::run(|world| {
        let _database = Database::Sqlite.start(world);
        let _dovecot = Dovecot::start(world, Database::Sqlite);
        let sent = relay("/run/relay");
        let service = Service::start(world, 8025, "userdb = \"/run/relay\"\ntimeout_ms = 5000");
        let begun = Instant::now();
        thread::scope(|scope| {
            for number in 0..1000 {
                let service = &service;
                let ask = move || {
                    let (address, login) = match number % 4 {
                        0 => ("anna.smith@example.org".to_owned(), "asmith"),
                        1 => (format!("nobody{number}@example.org"), ADDRESS),
                        _ => (format!("box{number:04}@example.org"), ADDRESS),
                    };
                    assert_eq!(service.autoconfig(&address), login, "{address}");
                };
                let builder = thread::Builder::new().stack_size(256 * 1024);
                builder.spawn_scoped(scope, ask).expect("a thread");
            }
        });
        println!("1,000 requests: {:?}", begun.elapsed());
        let sent = String::from_utf8(sent.lock().expect("lock").clone()).expect("text");
        let words: BTreeSet<_> =
            sent.lines().map(|line| line.split('\t').next().expect("a word")).collect();
        assert_eq!(words, BTreeSet::from(["VERSION", "USER"]), "{words:?}");
        let connections = sent.matches("VERSION\t").count();
        assert!((1..=8).contains(&connections), "{connections} connections");
        for (line, word) in [("USER\t", "\tservice="), ("VERSION\t", "\t1\t")] {
            let mut lines = sent.lines().filter(|sent| sent.starts_with(line));
            assert!(lines.all(|sent| sent.contains(word)), "{line}");
        }
    });
}

/// How often a value of one side is the larger one, over all pairs of both: a half if nothing tells
/// them apart; and how much the medians differ. Prints both.
fn compared(what: &str, there: &mut [Duration], absent: &mut [Duration]) -> (f64, f64) {
    let larger = there.iter().flat_map(|a| absent.iter().map(move |b| u32::from(a > b)));
    let share = f64::from(larger.sum::<u32>()) / (there.len() * absent.len()) as f64;
    there.sort();
    absent.sort();
    let (a, b) = (there[there.len() / 2], absent[absent.len() / 2]);
    println!("{what}: {a:?} with a mailbox, {b:?} without; longer in {:.1} %", share * 100.0);
    (share, a.as_secs_f64() / b.as_secs_f64())
}

/// A mailbox whose login is its address, and an address without a mailbox: the same bytes, and while
/// their answers are kept, the same time. Dovecot itself takes somewhat longer for a mailbox, since
/// it reads and sends more; that is seen by one request in ten seconds for each address.
#[test]
#[ignore = "make test-logins installs what it needs"]
fn nothing_tells_a_mailbox_from_none_if_its_login_is_the_address() {
    const PAIRS: usize = 1000;
    Namespace::run(|world| {
        let _database = Database::Sqlite.start(world);
        let _dovecot = Dovecot::start(world, Database::Sqlite);
        let service = Service::start(world, 8025, &format!("userdb = \"{SOCKET}\""));
        let ask = |address: &str| {
            let request = autoconfig(address);
            let begun = Instant::now();
            let response = service.send(&request);
            let took = begun.elapsed();
            let mut headers = response.headers.clone();
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
            (response.text().replace(address, ""), headers, took)
        };
        // The first request asks Dovecot, the second follows at once.
        let [mut there, mut absent, mut there_kept, mut absent_kept] = [(); 4].map(|()| Vec::new());
        for number in 0..PAIRS {
            // As long as each other, in turns.
            let boxes = format!("box{number:04}@example.org");
            let none = format!("xob{number:04}@example.org");
            let mut answers = Vec::new();
            for is_there in [number % 2 == 0, number % 2 == 1] {
                let address = if is_there { &boxes } else { &none };
                for is_kept in [false, true] {
                    let (body, headers, took) = ask(address);
                    let times = match (is_there, is_kept) {
                        (true, false) => &mut there,
                        (true, true) => &mut there_kept,
                        (false, false) => &mut absent,
                        (false, true) => &mut absent_kept,
                    };
                    times.push(took);
                    answers.push((body, headers));
                }
            }
            assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        }
        // Loose bounds: the machine may be busy.
        let (_, ratio) = compared("asked", &mut there, &mut absent);
        assert!((0.6..1.6).contains(&ratio), "{ratio}");
        let (share, _) = compared("kept", &mut there_kept, &mut absent_kept);
        assert!((0.3..0.7).contains(&share), "{share}");
    });
}
