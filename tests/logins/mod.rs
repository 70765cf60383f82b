//! Logins from a source: who is asked and when, and that a source which fails changes neither the
//! status of a response nor other requests.

mod fake;

use crate::common::fcgi::{Client, Style};
use crate::common::http::{self, Request, Response};
use crate::common::{Process, Sandbox, cgi, command, free_port, program, wait_until};
use crate::servers::{listens, local};
use fake::{Act, BOTH, Fake, Speaks, knows, netstring};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// The time limit in most tests, and how much later a response may come on a busy machine.
const TIMEOUT: Duration = Duration::from_millis(200);
const LATE: Duration = Duration::from_millis(500);

//------------ service --------------------------------------------------------

/// A service that speaks FastCGI and HTTP, with its configuration in `c.toml`.
struct Running {
    process: Process,
    sandbox: Sandbox,
    address: SocketAddr,
}

impl Running {
    fn start(sandbox: Sandbox, config: &str) -> Running {
        let (socket, config) = (sandbox.path("fcgi"), sandbox.write("c.toml", config));
        let address = local(free_port());
        let mut command = command(program());
        command.arg("--config").arg(config).args(["serve", "--http", &address.to_string()]);
        command.arg("--listen").arg(format!("unix:{}", socket.display()));
        let process = Process::start(&sandbox, &mut command).wait_until(|| listens(address));
        Running { process, sandbox, address }
    }

    fn http(&self, request: &Request) -> Response {
        http::send(self.address, request).expect("an answer")
    }

    fn fcgi(&self, request: &Request) -> Response {
        let mut client = Client::unix(&self.sandbox.path("fcgi")).expect("a connection");
        client.send(request, Style::USUAL).expect("an answer")
    }

    /// The login in the document for an address.
    fn login(&self, address: &str) -> String {
        login(&self.http(&autoconfig(address)))
    }

    fn metrics(&self) -> String {
        self.http(&Request::get("/metrics").host("x.invalid")).text()
    }

    fn log(&self) -> String {
        self.process.output()
    }
}

/// A configuration with a source for `example.org`.
fn config(line: &str) -> String {
    format!(
        "metrics.path = '/metrics'\n[login]\n{line}timeout_ms = {}\n[domain.'example.org']\n",
        TIMEOUT.as_millis()
    )
}

fn autoconfig(address: &str) -> Request {
    let target = format!("/mail/config-v1.1.xml?emailaddress={address}");
    Request::get(target).host("autoconfig.example.org")
}

fn pox(address: &str) -> Request {
    let schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook";
    let body = format!(
        "<Autodiscover xmlns=\"{schema}/requestschema/2006\"><Request><EMailAddress>{address}\
         </EMailAddress><AcceptableResponseSchema>{schema}/responseschema/2006a\
         </AcceptableResponseSchema></Request></Autodiscover>"
    );
    Request::post("/autodiscover/autodiscover.xml", body).host("autodiscover.example.org")
}

/// The login of the first server in an autoconfig document.
fn login(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    let text = response.text();
    let login = text.split_once("<username>").and_then(|(_, rest)| rest.split('<').next());
    login.expect("a login").to_owned()
}

/// Sends a request over CGI; the response, and standard error.
fn over_cgi(config: &Path, request: &Request) -> (Response, String) {
    let mut program = command(program());
    for (name, value) in cgi::variables(request) {
        program.env(OsString::from_vec(name), OsString::from_vec(value));
    }
    program.env("MAILSETUP_CONFIG", config);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = program.spawn().expect("program");
    let body = request.body.as_deref().unwrap_or_default();
    program.stdin.take().expect("a pipe").write_all(body).expect("a body");
    let output = program.wait_with_output().expect("program");
    let response = cgi::parse(&output.stdout, false).expect("an answer");
    (response, String::from_utf8_lossy(&output.stderr).into_owned())
}

//------------ whose login ----------------------------------------------------

#[test]
fn a_login_of_a_server_is_in_the_documents_of_its_mailbox() {
    for speaks in BOTH {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("logins.sock");
        let fake = Fake::start(&socket, speaks, knows);
        let service = Running::start(sandbox, &config(&speaks.line(&socket)));
        for request in [autoconfig("ann@example.org"), pox("ann@example.org")] {
            let by_http = service.http(&request);
            assert!(by_http.text().contains(">login-of-ann<"), "{}", by_http.text());
            assert_eq!(service.fcgi(&request).body, by_http.body);
            let (by_cgi, stderr) = over_cgi(&service.sandbox.path("c.toml"), &request);
            assert_eq!((by_cgi.body, stderr.as_str()), (by_http.body, ""));
        }
        assert_eq!(service.login("nobody@example.org"), "%EMAILADDRESS%");
        // CGI has no kept answers.
        assert_eq!(
            fake.asked(),
            ["ann", "ann", "ann", "nobody"].map(|it| format!("{it}@example.org"))
        );
        let shown = command(program())
            .args(["--config"])
            .arg(service.sandbox.path("c.toml"))
            .args(["show", "ann@example.org", "--client", "thunderbird"])
            .output()
            .expect("program");
        assert!(String::from_utf8_lossy(&shown.stdout).contains(">login-of-ann<"));
        // All documents at once are one question.
        let shown = command(program())
            .args(["--config"])
            .arg(service.sandbox.path("c.toml"))
            .args(["show", "anna@example.org"])
            .output()
            .expect("program");
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(text.matches("login-of-anna").count() > 3, "{text}");
        let asked = fake.asked();
        assert_eq!(asked.iter().filter(|address| address.starts_with("anna")).count(), 1);
        assert!(service.log().lines().all(|line| !line.contains("login:")), "{}", service.log());
    }
}

/// Clients choose addresses, and must not choose what is asked.
#[test]
fn only_named_domains_and_documents_with_a_login_are_looked_up() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("logins.sock");
    let fake = Fake::start(&socket, Speaks::Socketmap, knows);
    let source = Speaks::Socketmap.line(&socket);
    sandbox.write("list", "listed.example\n");
    let service = Running::start(
        sandbox,
        &format!(
            "[domains]\nanswer = 'any'\nlist_files = ['list']\n[login]\n{source}\
             [pacc]\nenabled = true\n[smtp]\nport = 465\n[domain.'example.org']\n[domain.'off.example'.login]\n\
             enabled = false\n[domain.'alias.example']\nalias_of = 'example.org'\n"
        ),
    );
    let at = |target: &str, host: &str| service.http(&Request::get(target).host(host));
    // Any domain is answered, and this one is not named.
    assert_eq!(service.login("ann@unnamed.example"), "%EMAILADDRESS%");
    // The Host decides: the address is of another domain.
    let other = autoconfig("ann@other.example").host("autoconfig.example.org");
    assert_eq!(login(&service.http(&other)), "%EMAILADDRESS%");
    assert_eq!(service.login("ann@off.example"), "%EMAILADDRESS%");
    for target in [
        "/mail/config-v1.1.xml",
        "/.well-known/autoconfig/mail/config-v1.1.xml",
        "/autodiscover/autodiscover.json?Email=ann@example.org&Protocol=AutodiscoverV1",
    ] {
        assert_eq!(at(target, "autoconfig.example.org").status, 200, "{target}");
    }
    let pacc = "/.well-known/user-agent-configuration.json";
    assert_eq!(at(pacc, "ua-auto-config.example.org").status, 200);
    assert_eq!(fake.asked(), [""; 0]);
    for (address, expected) in [
        ("Ann@listed.example", "login-of-ann"),
        ("ann@alias.example", "login-of-ann"),
        ("B%C3%84R@Example.ORG", "%EMAILADDRESS%"),
    ] {
        assert_eq!(service.login(address), expected, "{address}");
    }
    // The key is in lower case, as Postfix has it.
    let asked = ["ann@listed.example", "ann@alias.example", "b\u{e4}r@example.org"];
    assert_eq!(fake.asked(), asked);
}

/// Dovecot has rules of its own for the letter case.
#[test]
fn a_userdb_is_asked_for_the_address_as_it_is() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("userdb");
    let fake = Fake::start(&socket, Speaks::Userdb, |_| Act::Knows(Some("A B".to_owned())));
    let service = Running::start(sandbox, &config(&Speaks::Userdb.line(&socket)));
    assert_eq!(service.login("Ann@Example.ORG"), "A B");
    assert_eq!(fake.asked(), ["Ann@example.org"]);
}

#[test]
fn a_source_of_a_domain_replaces_the_one_at_the_top() {
    let sandbox = Sandbox::new();
    let (one, other) = (sandbox.path("one.sock"), sandbox.path("other.sock"));
    let says = |login: &'static str| move |_: &str| Act::Knows(Some(login.to_owned()));
    let _one = Fake::start(&one, Speaks::Socketmap, says("one"));
    let _other = Fake::start(&other, Speaks::Userdb, says("other"));
    sandbox.write("maps/logins", "ann@map.example mapped\n");
    sandbox.write("d/file.example.toml", "");
    sandbox.write("d/off.example.toml", "login.enabled = false\n");
    sandbox.write("d/socket.example.toml", "login.userdb = '/run/x'\n");
    sandbox.write("d/time.example.toml", "login.timeout_ms = 100\n");
    let config = format!(
        "domains.directory = 'd'\n[login]\n{}[domain.'top.example']\n\
         [domain.'other.example'.login]\n{}[domain.'map.example'.login]\nmap = 'maps/logins'\n\
         [domain.'slow.example'.login]\ntimeout_ms = 4000\n",
        Speaks::Socketmap.line(&one),
        Speaks::Userdb.line(&other)
    );
    let service = Running::start(sandbox, &config);
    for (address, expected) in [
        ("ann@top.example", "one"),
        ("ann@slow.example", "one"),
        ("ann@file.example", "one"),
        ("ann@off.example", "%EMAILADDRESS%"),
        ("ann@other.example", "other"),
        ("Ann@map.example", "mapped"),
        ("bob@map.example", "%EMAILADDRESS%"),
    ] {
        assert_eq!(service.login(address), expected, "{address}");
    }
    // Another user may have written these.
    for domain in ["socket.example", "time.example"] {
        let response = service.http(&autoconfig(&format!("ann@{domain}")));
        assert_eq!(response.status, 503, "{domain}");
        let found = format!("{domain}.toml:1:");
        let log = service.log();
        let line = log.lines().find(|line| line.contains(&found)).expect("a line");
        assert!(line.ends_with("[login-place]"), "{line}");
    }
}

//------------ kept answers and connections -----------------------------------

/// A client asks for several documents in a row. Servers of Postfix close idle connections after ten
/// seconds.
#[test]
fn answers_are_kept_for_ten_seconds_and_connections_for_eight() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("logins.sock");
    let fake = Fake::start(&socket, Speaks::Socketmap, |address| match address {
        "temp@example.org" => Act::Says(netstring("TEMP later")),
        _ => knows(address),
    });
    let service = Running::start(sandbox, &config(&Speaks::Socketmap.line(&socket)));
    let begun = Instant::now();
    let locals = ["ann", "nobody", "temp", "ann", "nobody", "temp", "ANN"];
    for local in locals {
        let expected =
            if local.eq_ignore_ascii_case("ann") { "login-of-ann" } else { "%EMAILADDRESS%" };
        assert_eq!(service.login(&format!("{local}@example.org")), expected);
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "this machine is too slow");
    assert_eq!((fake.asked().len(), fake.connections()), (3, 1));
    let count = |kind: &str| {
        let tcp = fs::read_to_string("/proc/net/unix").expect("the sockets");
        tcp.lines().filter(|line| line.ends_with(kind)).count()
    };
    let name = format!(" {}", socket.display());
    // The listener, and the server's side of the connection.
    assert_eq!(count(&name), 2);
    let is_closed = wait_until(|| count(&name) == 1);
    assert!(is_closed && begun.elapsed() > Duration::from_secs(7), "{:?}", begun.elapsed());
    thread::sleep(Duration::from_millis(10_300).saturating_sub(begun.elapsed()));
    assert_eq!(service.login("ann@example.org"), "login-of-ann");
    assert_eq!((fake.asked().len(), fake.connections()), (4, 2));
}

/// A server that closed a kept connection, or was restarted, is asked again on a new one.
#[test]
fn a_kept_connection_that_was_closed_is_replaced() {
    for speaks in BOTH {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("logins.sock");
        let fake = Fake::start(&socket, speaks, |address| match address {
            "closing@example.org" => Act::Last(Box::new(Act::Knows(None))),
            _ => knows(address),
        });
        let service = Running::start(sandbox, &config(&speaks.line(&socket)));
        for local in ["a1", "closing", "a2", "a3"] {
            let expected = match local {
                "closing" => "%EMAILADDRESS%".to_owned(),
                local => format!("login-of-{local}"),
            };
            assert_eq!(service.login(&format!("{local}@example.org")), expected);
        }
        assert_eq!(fake.connections(), 2);
        drop(fake);
        let fake = Fake::start(&socket, speaks, knows);
        assert_eq!(service.login("a4@example.org"), "login-of-a4");
        assert_eq!(fake.connections(), 1);
        assert!(!service.log().contains("fails"), "{}", service.log());
    }
}

/// A page, a profile and its documents are requested at once.
#[test]
fn a_question_of_several_requests_is_asked_once() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("logins.sock");
    let fake = Fake::start(&socket, Speaks::Socketmap, |address| {
        Act::Later(Duration::from_millis(80), Box::new(knows(address)))
    });
    let service = Running::start(sandbox, &config(&Speaks::Socketmap.line(&socket)));
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(service.login("ann@example.org"), "login-of-ann"));
        }
    });
    assert_eq!((fake.asked().len(), fake.connections()), (1, 1));
}

#[test]
fn a_thousand_requests_at_once_get_their_own_logins() {
    for speaks in BOTH {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("logins.sock");
        let fake = Fake::start(&socket, speaks, knows);
        let config = config(&speaks.line(&socket)).replace("= 200", "= 5000");
        let service = Running::start(sandbox, &config);
        thread::scope(|scope| {
            for thread in 0..100 {
                let service = &service;
                scope.spawn(move || {
                    let locals = (0..10).map(|number| format!("a{}", 10 * thread + number));
                    let locals: Vec<_> = locals.collect();
                    let requests: Vec<_> =
                        locals.iter().map(|it| autoconfig(&format!("{it}@example.org"))).collect();
                    let responses = http::send_all(service.address, &requests).expect("answers");
                    for (local, response) in locals.iter().zip(&responses) {
                        assert_eq!(login(response), format!("login-of-{local}"));
                    }
                });
            }
        });
        assert!(fake.connections() <= 8, "{} connections", fake.connections());
        assert_eq!(fake.asked().len(), 1000);
        let metrics = service.metrics();
        let word = if speaks == Speaks::Userdb { "userdb" } else { "socketmap" };
        let line =
            format!("mailsetup_login_lookups_total{{source=\"{word}\",result=\"found\"}} 1000");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

//------------ faults ---------------------------------------------------------

/// What a server does, whether it takes until the timeout, and a part of the line in the log.
fn faults(speaks: Speaks) -> Vec<(&'static str, Act, bool, &'static str)> {
    let says = |text: &str| Act::Says(text.as_bytes().to_vec());
    // Its greeting comes before all that is wrong.
    let userdb = usize::from(speaks == Speaks::Userdb);
    let mut faults = vec![
        ("silent", Act::Hangs, true, "no reply before the timeout"),
        (
            "slow",
            Act::Later(2 * TIMEOUT, Box::new(Act::Knows(Some("late".into())))),
            true,
            "no reply before the timeout",
        ),
        ("closes at once", Act::Closes, false, ["closed the connection", "incomplete"][userdb]),
        ("endless bytes", Act::Repeats(vec![b'x'; 4096]), false, "the reply is"),
        ("endless digits", Act::Repeats(vec![b'1'; 4096]), false, "the reply is"),
        ("rubbish", says("\0\u{1}\u{2}rubbish\r\n\r\n"), speaks == Speaks::Userdb, ""),
        (
            "another protocol",
            says("HTTP/1.1 400 Bad Request\r\n\r\n"),
            speaks == Speaks::Userdb,
            "",
        ),
    ];
    let half = Act::Last(Box::new(says(if speaks == Speaks::Userdb {
        "USER\tID\tha"
    } else {
        "9:OK ha"
    })));
    faults.push(("half a reply", half, false, "incomplete"));
    faults.extend(match speaks {
        Speaks::Socketmap => vec![
            ("TEMP", Act::Says(netstring("TEMP no disk")), false, "TEMP: no disk"),
            ("PERM", Act::Says(netstring("PERM no")), false, "PERM: no"),
            ("TIMEOUT", Act::Says(netstring("TIMEOUT ")), false, "fails: TIMEOUT;"),
            ("no login", Act::Says(netstring("OK ")), false, "not a login"),
            ("a placeholder", Act::Says(netstring("OK %EMAILADDRESS%")), false, "not a login"),
            ("two lines", Act::Says(netstring("OK a\nb")), false, "not a login"),
            ("an unknown word", Act::Says(netstring("YES a")), false, "an unknown word"),
            (
                "100,000 bytes",
                says(&format!("100003:OK {}", "x".repeat(100_000))),
                false,
                "too long",
            ),
        ],
        Speaks::Userdb => vec![
            ("FAIL", says("FAIL\tID\n"), false, "fails: FAIL;"),
            ("FAIL with reason", says("FAIL\tID\treason=no disk\n"), false, "FAIL: no disk"),
            ("another id", says("USER\t99\tx\n"), false, "the id of another request"),
            ("no user", says("USER\tID\n"), false, "no user name"),
            ("two lines", says("USER\tID\ta\u{1}nb\n"), false, "not a login"),
        ],
    });
    faults
}

/// The status and the bytes are those for a mailbox without a login of its own.
#[test]
fn a_source_that_fails_changes_neither_status_nor_document() {
    for speaks in BOTH {
        for (name, act, is_slow, reason) in faults(speaks) {
            let sandbox = Sandbox::new();
            let socket = sandbox.path("logins.sock");
            let _fake = Fake::start(&socket, speaks, move |address| match address {
                "nobody@example.org" => Act::Knows(None),
                _ => act.clone(),
            });
            let service = Running::start(sandbox, &config(&speaks.line(&socket)));
            let request = autoconfig("ann@example.org");
            let usual = service.http(&autoconfig("nobody@example.org"));
            let begun = Instant::now();
            let response = service.http(&request);
            let took = begun.elapsed();
            let what = format!("{speaks:?}, {name}: {took:?}\n{}", service.log());
            assert_eq!((response.status, &response.body), (200, &usual.body), "{what}");
            let most = if is_slow { TIMEOUT + LATE } else { TIMEOUT };
            assert!(took < most && (took >= TIMEOUT) == is_slow, "{what}");
            let failures = service.log().matches(" fails: ").count();
            assert!(failures == 1 && service.log().contains(reason), "{what}");
            // The kept failure.
            let begun = Instant::now();
            assert_eq!(service.fcgi(&request).body, usual.body, "{what}");
            assert!(begun.elapsed() < TIMEOUT, "{what}");
            // The next one is asked on a clean connection.
            assert_eq!(service.login("nobody2@example.org"), "%EMAILADDRESS%");
            let (response, stderr) = over_cgi(&service.sandbox.path("c.toml"), &request);
            assert_eq!((response.status, &response.body), (200, &usual.body), "{what}");
            assert!(stderr.contains(reason) && stderr.lines().count() == 1, "{name}: {stderr}");
        }
    }
}

/// A reply of a byte a time is one reply; bytes behind a reply are not taken for the next one.
#[test]
fn replies_in_pieces_and_with_more_behind_them() {
    for speaks in BOTH {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("logins.sock");
        let fake = Fake::start(&socket, speaks, move |address| match address {
            "slow@example.org" => Act::Dribbles(speaks.reply("ID", Some("dribbled"))),
            "two@example.org" => {
                let replies =
                    [speaks.reply("ID", Some("first")), speaks.reply("ID", Some("second"))];
                Act::Says(replies.concat())
            }
            _ => knows(address),
        });
        let config = config(&speaks.line(&socket)).replace("= 200", "= 5000");
        let service = Running::start(sandbox, &config);
        assert_eq!(service.login("slow@example.org"), "dribbled");
        assert_eq!(service.login("two@example.org"), "first");
        assert_eq!(service.login("ann@example.org"), "login-of-ann");
        assert_eq!(fake.connections(), 2);
    }
}

#[test]
fn a_socket_that_is_missing_or_not_a_socket_fails_at_once() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("file", "");
    let dead = sandbox.path("dead.sock");
    drop(UnixListener::bind(&dead).expect("a socket"));
    for (path, reason) in [
        (sandbox.path("missing.sock"), "No such file or directory"),
        (file, "Connection refused"),
        (dead, "Connection refused"),
    ] {
        for speaks in BOTH {
            let service = Running::start(Sandbox::new(), &config(&speaks.line(&path)));
            let begun = Instant::now();
            assert_eq!(service.login("ann@example.org"), "%EMAILADDRESS%");
            assert!(begun.elapsed() < TIMEOUT);
            let line = format!("{} fails: cannot connect: {reason}", path.display());
            assert!(!service.log().contains(&line) || speaks == Speaks::Userdb);
            assert!(service.log().contains(reason), "{}", service.log());
            let (response, stderr) =
                over_cgi(&service.sandbox.path("c.toml"), &autoconfig("ann@example.org"));
            assert!(response.status == 200 && stderr.contains(reason), "{stderr}");
        }
    }
}

/// Connecting to a server whose backlog is full would block a blocking socket for any time.
#[test]
fn a_full_backlog_is_waited_for_until_the_timeout() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("full.sock");
    let listener = full(&socket);
    let service = Running::start(sandbox, &config(&Speaks::Socketmap.line(&socket)));
    let request = autoconfig("ann@example.org");
    let begun = Instant::now();
    assert_eq!(login(&service.http(&request)), "%EMAILADDRESS%");
    let took = begun.elapsed();
    assert!((TIMEOUT..TIMEOUT + LATE).contains(&took), "{took:?}");
    let begun = Instant::now();
    let (response, stderr) = over_cgi(&service.sandbox.path("c.toml"), &request);
    let took = begun.elapsed();
    assert!((TIMEOUT..TIMEOUT + LATE).contains(&took), "{took:?}");
    assert!(response.status == 200 && stderr.contains("no reply before the timeout"), "{stderr}");
    // Once there is room, it is used.
    let config = config(&Speaks::Socketmap.line(&socket)).replace("= 200", "= 5000");
    let service = Running::start(Sandbox::new(), &config);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(TIMEOUT / 2);
            for _ in 0..FILLS {
                listener.accept().expect("a connection");
            }
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 64];
            assert!(stream.read(&mut request).expect("a request") > 0);
            stream.write_all(&netstring("OK waited")).expect("a reply");
        });
        assert_eq!(service.login("ann2@example.org"), "waited");
    });
}

/// How many connections fill the backlog.
const FILLS: usize = 2;

/// A listener that accepts nothing, and whose backlog is full.
fn full(socket: &Path) -> UnixListener {
    let listener = UnixListener::bind(socket).expect("a socket");
    // One more than that may wait.
    rustix::net::listen(&listener, FILLS as i32 - 1).expect("listen");
    for _ in 0..FILLS {
        // They wait in the backlog, also once they are closed.
        std::os::unix::net::UnixStream::connect(socket).expect("a connection");
    }
    listener
}

/// The requests of other domains do not wait for a source that hangs, and all that it is asked by
/// are answered at the timeout, however many they are.
#[test]
fn a_source_that_hangs_does_not_delay_others() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("logins.sock");
    let fake = Fake::start(&socket, Speaks::Userdb, |_| Act::Hangs);
    let config = config(&Speaks::Userdb.line(&socket)).replace("= 200", "= 1000")
        + "[domain.'free.example'.login]\nenabled = false\n";
    let service = Running::start(sandbox, &config);
    let longest = thread::scope(|scope| {
        for number in 0..40 {
            let service = &service;
            scope.spawn(move || {
                let begun = Instant::now();
                assert_eq!(service.login(&format!("a{number}@example.org")), "%EMAILADDRESS%");
                let took = begun.elapsed().as_millis();
                assert!((1000..2000).contains(&took), "{took}");
            });
        }
        assert!(wait_until(|| fake.asked().len() == 8));
        let others = (0..200).map(|_| {
            let begun = Instant::now();
            service.login("ann@free.example");
            begun.elapsed()
        });
        others.max().expect("requests")
    });
    assert!(longest < Duration::from_millis(500), "{longest:?}");
    let metrics = service.metrics();
    let count = |result: &str| -> u64 {
        let name =
            format!("mailsetup_login_lookups_total{{source=\"userdb\",result=\"{result}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or("0").parse().expect("a number")
    };
    assert_eq!((count("timeout"), count("busy")), (8, 32), "{metrics}");
    assert!(!metrics.contains("source=\"map\""), "{metrics}");
}

/// A server in a process of its own.
const SERVER: &str = r#"
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            digits = b""
            while not digits.endswith(b":"):
                byte = self.rfile.read(1)
                if not byte: return
                digits += byte
            key = self.rfile.read(int(digits[:-1]) + 1)[:-1].split(b" ")[1]
            reply = b"OK stopped-" + key.split(b"@")[0]
            self.wfile.write(b"%d:%s," % (len(reply), reply))
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
Server(sys.argv[1], Handler).serve_forever()
"#;

#[test]
fn a_server_that_was_stopped_or_failed_is_used_again() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("logins.sock");
    let mut python = command("/usr/bin/python3");
    python.args(["-c", SERVER]).arg(&socket);
    let server = Process::start(&sandbox, &mut python)
        .wait_until(|| std::os::unix::net::UnixStream::connect(&socket).is_ok());
    let service = Running::start(sandbox, &config(&Speaks::Socketmap.line(&socket)));
    let mut number = 0;
    let mut next = || {
        number += 1;
        (service.login(&format!("a{number}@example.org")), format!("stopped-a{number}"))
    };
    let signal = |signal| kill(Pid::from_raw(server.id() as i32), signal).expect("a signal");
    let (found, expected) = next();
    assert_eq!(found, expected);
    signal(Signal::SIGSTOP);
    let status = format!("/proc/{}/status", server.id());
    let is_stopped = || fs::read_to_string(&status).expect("a status").contains("State:\tT");
    assert!(wait_until(is_stopped));
    for _ in 0..3 {
        assert_eq!(next().0, "%EMAILADDRESS%");
    }
    signal(Signal::SIGCONT);
    let (found, expected) = next();
    assert_eq!(found, expected);
    let log = service.log();
    let name = format!("login: socketmap unix:{}:logins", socket.display());
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&name)).collect();
    assert!(
        matches!(&lines[..], [fails, works]
            if fails.contains(" fails: no reply before the timeout")
                && works.ends_with(&format!("{name} works again"))),
        "{log}"
    );
    // A restart. The failure is not logged again so soon.
    drop(server);
    fs::remove_file(&socket).expect("the socket");
    assert_eq!(next().0, "%EMAILADDRESS%");
    let _fake = Fake::start(&socket, Speaks::Socketmap, knows);
    let (found, _) = next();
    assert!(found.starts_with("login-of-a"), "{found}");
    assert_eq!(service.log().matches(&name).count(), 2, "{}", service.log());
}

//------------ maps -----------------------------------------------------------

/// A service loads a map, CGI searches it; both follow changes.
#[test]
fn a_map_is_loaded_searched_and_read_again() {
    let sandbox = Sandbox::new();
    sandbox.write("logins", "# ours\nann@example.org asmith\nbob@example.org,\"b jones\"\n");
    let map = sandbox.path("logins");
    let service = Running::start(sandbox, &config("map = 'logins'\n"));
    let config = service.sandbox.path("c.toml");
    crate::common::wait_until_settled(&config);
    crate::common::wait_until_settled(&map);
    let known = [("ANN", "asmith"), ("bob", "b jones"), ("carl", "%EMAILADDRESS%")];
    for (local, expected) in known {
        let request = autoconfig(&format!("{local}@example.org"));
        assert_eq!(login(&service.http(&request)), expected);
        let (response, stderr) = over_cgi(&config, &request);
        assert_eq!((login(&response), stderr.as_str()), (expected.to_owned(), ""));
    }
    let metrics = service.metrics();
    for line in ["result=\"found\"} 2", "result=\"not_found\"} 1"] {
        let line = format!("mailsetup_login_lookups_total{{source=\"map\",{line}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    fs::write(&map, "ann@example.org asmith2\n").expect("a map");
    assert!(wait_until(|| service.login("ann@example.org") == "asmith2"), "{}", service.log());
    assert_eq!(service.login("bob@example.org"), "%EMAILADDRESS%");
    // An emptied map, and one that ends in the middle of a line, are mistakes.
    for (text, code) in [("", "[emptied]"), ("ann@example.org asmi", "[truncated]")] {
        fs::write(&map, text).expect("a map");
        assert!(wait_until(|| service.log().contains(code)), "{}", service.log());
        assert_eq!(service.login("ann@example.org"), "asmith2");
    }
    fs::remove_file(&map).expect("a map");
    let (response, stderr) = over_cgi(&config, &autoconfig("ann@example.org"));
    assert!(response.status >= 500 && stderr.contains("login.map: "), "{stderr}");
}

//------------ check ----------------------------------------------------------

/// The findings of `check`, by code and place.
fn check(config: &Path) -> Vec<(String, String)> {
    let output = command(program()).args(["check", "--config"]).arg(config).output();
    let output = output.expect("program");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().filter(|line| line.contains("login."));
    let code =
        |line: &str| line.rsplit_once('[').expect("a code").1.trim_end_matches(']').to_owned();
    lines.map(|line| (code(line), line.to_owned())).collect()
}

#[test]
fn check_says_what_a_source_reveals_and_whether_its_socket_can_be_used() {
    let sandbox = Sandbox::new();
    let (file, socket) = (sandbox.write("file", ""), sandbox.path("userdb"));
    let _listener = UnixListener::bind(&socket).expect("a socket");
    let missing = sandbox.path("missing");
    sandbox.write("logins", "ann@example.org asmith\n");
    let mode =
        |mode| fs::set_permissions(&socket, fs::Permissions::from_mode(mode)).expect("chmod");
    for (line, permissions, expected) in [
        ("map = 'logins'\n".to_owned(), 0o660, &[("login-reveals", "note: ")][..]),
        (Speaks::Socketmap.line(&socket), 0o660, &[("login-reveals", "the mailbox exists")]),
        (
            Speaks::Socketmap.line(&missing),
            0o660,
            &[("login-reveals", "note: "), ("login-socket", "No such file or directory; until")],
        ),
        (
            Speaks::Userdb.line(&file),
            0o660,
            &[("login-reveals", "note: "), ("login-socket", "it is not a socket")],
        ),
        (
            Speaks::Userdb.line(&socket),
            0o660,
            &[("login-reveals", "note: "), ("login-userdb", "mode 0660: a user that can open")],
        ),
        (
            Speaks::Userdb.line(&socket),
            0o666,
            &[("login-reveals", "note: "), ("login-userdb", "mode 0666: with mode 0666")],
        ),
    ] {
        mode(permissions);
        let config = sandbox.write(
            "c.toml",
            format!("[login]\n{line}[domain.'example.org']\n[domain.'example.net']\n"),
        );
        let found = check(&config);
        let codes: Vec<_> = found.iter().map(|(code, _)| code.as_str()).collect();
        let expected_codes: Vec<_> = expected.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, expected_codes, "{found:?}");
        for ((_, text), (_, part)) in found.iter().zip(expected) {
            assert!(text.contains(part) && text.contains("c.toml:2:"), "{text}");
            // One finding for both domains.
            assert!(text.contains("example.net and 1 more domain: "), "{text}");
        }
    }
    // Nothing is looked up.
    for text in [
        "[login]\nenabled = false\nmap = 'logins'\n[domain.'example.org']\n",
        "[login]\ntimeout_ms = 100\n[domain.'example.org']\n",
    ] {
        assert_eq!(check(&sandbox.write("c.toml", text)), []);
    }
    // Nothing is looked up, though a source is named; and a pattern names domains.
    for (text, line, expected) in [
        ("[login]\nmap = 'logins'\n", 2, "login-no-domain"),
        ("[domain.'*'.login]\nmap = 'logins'\n", 2, "login-no-domain"),
        ("[login]\nmap = 'logins'\n[domain.'*.example.org']\n", 2, "login-reveals"),
        ("[domain.'*.example.org'.login]\nmap = 'logins'\n", 2, "login-reveals"),
    ] {
        let found = check(&sandbox.write("c.toml", text));
        let [(code, message)] = &found[..] else { panic!("{text}: {found:?}") };
        assert!(code == expected && message.contains(&format!("c.toml:{line}:")), "{message}");
    }
    // The lines of a map.
    sandbox.write("logins", "ann@example.org\nbob@example.org a\nBOB@example.org b\n");
    let config = sandbox.write("c.toml", "login.map = 'logins'\n[domain.'example.org']\n");
    let output = command(program()).args(["check", "--config"]).arg(&config).output();
    let text = String::from_utf8(output.expect("program").stdout).expect("text");
    assert!(text.contains("logins:1:1: ") && text.contains("[map-double]"), "{text}");
}

#[test]
fn mistakes_about_sources_are_found_with_their_lines() {
    let sandbox = Sandbox::new();
    sandbox.write("logins", "ann@example.org asmith\n");
    let long = "x".repeat(120);
    for (text, line, code) in [
        ("map = 'logins'\nuserdb = '/x'\n".to_owned(), 3, "login-twice"),
        ("userdb = '/x'\nmap = 'logins'\n".to_owned(), 3, "login-twice"),
        ("map = ''\n".to_owned(), 2, "file-unreadable"),
        ("map = 'missing'\n".to_owned(), 2, "file-unreadable"),
        ("userdb = ''\n".to_owned(), 2, "socket"),
        (format!("userdb = '/{long}'\n"), 2, "socket"),
        ("socketmap = '/run/x'\n".to_owned(), 2, "socket"),
        ("socketmap = 'unix:/run/x'\n".to_owned(), 2, "socket"),
        ("socketmap = 'unix::x'\n".to_owned(), 2, "socket"),
        ("socketmap = 'unix:/run/x:'\n".to_owned(), 2, "socket"),
        ("socketmap = 'unix:/run/x:a b'\n".to_owned(), 2, "socket"),
        ("socketmap = 'inet:127.0.0.1:99:x'\n".to_owned(), 2, "socket"),
        (format!("socketmap = 'unix:/{long}:x'\n"), 2, "socket"),
        ("timeout_ms = 9\n".to_owned(), 2, "limit-range"),
        ("timeout_ms = 5001\n".to_owned(), 2, "limit-range"),
        ("map = '%EMAILDOMAIN%'\n".to_owned(), 2, "placeholder"),
    ] {
        let config = sandbox.write("c.toml", format!("[login]\n{text}[domain.'example.org']\n"));
        let found = check(&config);
        let place = format!("c.toml:{line}:");
        assert!(
            matches!(&found[..], [(found, text)] if found == code && text.contains(&place)),
            "{text}: {found:?}"
        );
    }
}
