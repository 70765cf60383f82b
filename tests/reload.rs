//! Files that change while a service runs: when a change is used, and which changes are refused.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, cgi, command, copy_program, program, run, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a change may take to be in force; a busy machine may take longer.
const IN_FORCE: Duration = Duration::from_secs(2);

/// A service with its configuration in `c.toml`.
pub struct Running {
    pub process: Process,
    pub sandbox: Sandbox,
}

impl Running {
    pub fn start(sandbox: Sandbox, config: &str) -> Running {
        let (socket, config) = (sandbox.path("socket"), sandbox.write("c.toml", config));
        let mut command = command(program());
        command.arg("--config").arg(config);
        command.args(["serve", "--listen"]).arg(format!("unix:{}", socket.display()));
        let is_up = || std::os::unix::net::UnixStream::connect(&socket).is_ok();
        let process = Process::start(&sandbox, &mut command).wait_until(is_up);
        Running { process, sandbox }
    }

    pub fn ask(&self, domain: &str) -> Response {
        let target = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
        let mut client = Client::unix(&self.sandbox.path("socket")).expect("a connection");
        client.send(&Request::get(target).host("x.invalid"), Style::USUAL).expect("an answer")
    }

    /// The host of the first server; else the status.
    pub fn host(&self, domain: &str) -> String {
        host(&self.ask(domain))
    }

    pub fn hang_up(&self) {
        kill(Pid::from_raw(self.process.id() as i32), Signal::SIGHUP).expect("SIGHUP");
    }

    /// Waits until the log contains `text`.
    pub fn wait_for_log(&self, text: &str) {
        assert!(wait_until(|| self.process.output().contains(text)), "{}", self.process.output());
    }
}

fn host(answer: &Response) -> String {
    let text = answer.text();
    let host = text.split_once("<hostname>").and_then(|(_, rest)| rest.split('<').next());
    host.map_or_else(|| answer.status.to_string(), str::to_owned)
}

/// Sends a request over CGI; errors in the configuration are on standard error.
fn over_cgi(config: &Path, request: &Request) -> Response {
    let mut program = command(program());
    for (name, value) in cgi::variables(request) {
        program.env(OsString::from_vec(name), OsString::from_vec(value));
    }
    let output = program.env("MAILSETUP_CONFIG", config).output().expect("program");
    cgi::parse(&output.stdout, false).expect("an answer")
}

fn is_not_stored(answer: &Response) -> bool {
    answer.header("Cache-Control") == Some("no-store")
}

//------------ when a change is used -----------------------------------------

/// The first response after an edit was the old one, however long ago the edit was: files were
/// checked when a request arrived.
#[test]
fn an_edit_that_has_been_quiet_is_in_force_at_the_next_request() {
    let sandbox = Sandbox::new();
    sandbox.write("list", "listed.example\n");
    sandbox.write("domains.d/file.example.toml", "imap.host = 'one.invalid'\n");
    let config = |host: &str| {
        format!(
            "imap.host = '{host}'\n[domains]\nlist_files = ['list']\ndirectory = 'domains.d'\n\
             [domain.'own.example']\n"
        )
    };
    let service = Running::start(sandbox, &config("one.invalid"));
    for domain in ["own.example", "listed.example", "file.example"] {
        assert_eq!(service.host(domain), "one.invalid", "{domain}");
    }
    assert_eq!(service.host("new.example"), "404");
    thread::sleep(IN_FORCE);
    service.sandbox.write("c.toml", config("two.invalid"));
    service.sandbox.write("domains.d/file.example.toml", "imap.host = 'two.invalid'\n");
    service.sandbox.write("domains.d/later.example.toml", "imap.host = 'three.invalid'\n");
    service.sandbox.write("list", "listed.example\nnew.example\n");
    thread::sleep(IN_FORCE);
    for domain in ["own.example", "listed.example", "file.example", "new.example"] {
        assert_eq!(service.host(domain), "two.invalid", "{domain}");
    }
    assert_eq!(service.host("later.example"), "three.invalid");
    let log = service.process.output();
    assert!(log.contains("configuration reloaded: 3 domains (+1)"), "{log}");
}

/// While a file was being copied into the folder, its domain got wrong servers, in responses that
/// caches may store: the file was used as soon as it existed, empty.
#[test]
fn the_file_of_a_domain_counts_once_it_has_settled() {
    let sandbox = Sandbox::new();
    let good = "imap.host = 'good.invalid'\n";
    sandbox.write("domains.d/own.example.toml", good);
    let service = Running::start(sandbox, "domains.directory = 'domains.d'\n");
    let file = service.sandbox.path("domains.d/own.example.toml");
    let without_address = || {
        let mut client = Client::unix(&service.sandbox.path("socket")).expect("a connection");
        let request = Request::get("/mail/config-v1.1.xml").host("autoconfig.own.example");
        client.send(&request, Style::USUAL).expect("an answer")
    };
    assert!(!is_not_stored(&without_address()));
    assert_eq!(service.host("own.example"), "good.invalid");
    // Emptied and written again, for longer than it takes a file to settle.
    let begun = Instant::now();
    while begun.elapsed() < IN_FORCE {
        fs::write(&file, "").expect("write");
        let answer = without_address();
        assert_eq!((host(&answer).as_str(), is_not_stored(&answer)), ("good.invalid", true));
        fs::write(&file, good).expect("write");
        assert_eq!(host(&without_address()), "good.invalid");
    }
    // Truncated, so that it can be parsed and has fewer settings.
    fs::write(&file, "# imap\n").expect("write");
    assert_eq!(service.host("own.example"), "good.invalid");
    // Moved away, and back.
    fs::rename(&file, service.sandbox.path("away")).expect("rename");
    let answer = without_address();
    assert_eq!((host(&answer).as_str(), is_not_stored(&answer)), ("good.invalid", true));
    fs::rename(service.sandbox.path("away"), &file).expect("rename");
    // The folder itself.
    let folder = service.sandbox.path("domains.d");
    fs::rename(&folder, service.sandbox.path("old.d")).expect("rename");
    let answer = without_address();
    assert_eq!((host(&answer).as_str(), is_not_stored(&answer)), ("good.invalid", true));
    let answer = service.ask("never-asked.example");
    assert_eq!(
        (answer.status, is_not_stored(&answer)),
        (503, true),
        "not known to be a stranger's"
    );
    fs::rename(service.sandbox.path("old.d"), &folder).expect("rename");
    // A new file is used when it has settled; until then, its domain is unavailable.
    service.sandbox.write("domains.d/new.example.toml", "# half\n");
    let answer = service.ask("new.example");
    assert_eq!((answer.status, is_not_stored(&answer)), (503, true));
    service.sandbox.write("domains.d/new.example.toml", "imap.host = 'new.invalid'\n");
    assert!(wait_until(|| service.host("new.example") == "new.invalid"));
}

/// With an emptied configuration, a service answered for domains of others; with an emptied list or
/// domain file, its own domains were lost. No error was logged.
#[test]
fn an_emptied_file_is_refused_until_a_signal_says_that_it_is_meant() {
    let sandbox = Sandbox::new();
    sandbox.write("list", "listed.example\n");
    sandbox.write("domains.d/file.example.toml", "imap.host = 'file.invalid'\n");
    let config = "imap.host = 'own.invalid'\n[domains]\nlist_files = ['list']\n\
                  directory = 'domains.d'\n[domain.'own.example']\n";
    let service = Running::start(sandbox, config);
    let holds = || {
        for (domain, host) in [
            ("own.example", "own.invalid"),
            ("listed.example", "own.invalid"),
            ("file.example", "file.invalid"),
            ("stranger.example", "404"),
        ] {
            assert_eq!(service.host(domain), host, "{domain}: {}", service.process.output());
        }
    };
    holds();
    service.sandbox.write("domains.d/file.example.toml", "");
    thread::sleep(IN_FORCE);
    holds();
    let confirm = "if this is intended, run `systemctl reload mailsetup`, send SIGHUP or restart";
    let line = |start: &str| {
        service.wait_for_log(start);
        let log = service.process.output();
        let line = log.lines().find(|line| line.contains(start)).unwrap_or_default();
        assert!(line.contains(confirm), "{line}");
    };
    line("file.example.toml: the file is empty");
    service.sandbox.write("list", "");
    line("list: the list is empty");
    holds();
    service.sandbox.write("list", "listed.example\n");
    for (text, reason) in [
        ("", "c.toml: the file is empty"),
        ("# nothing is left\n\n", "c.toml: the file is empty"),
        (&config[..config.len() - 5], "c.toml:"),
        (&config[..12], "c.toml:"),
        ("imap.host = 'own.invalid'\n", "any domain would be answered"),
    ] {
        let before = service.process.output().len();
        service.sandbox.write("c.toml", text);
        let is_refused = || {
            holds();
            let log = service.process.output();
            let log = &log[before..];
            log.contains(reason) && log.contains("keeping the previous one")
                // A text that ends within a line may also be no TOML.
                && (log.contains(confirm) || log.contains("has errors"))
        };
        assert!(wait_until(is_refused), "{text:?}: {}", service.process.output());
        holds();
    }
    // An explicit setting.
    service.sandbox.write("c.toml", "imap.host = 'any.invalid'\ndomains.answer = 'any'\n");
    assert!(wait_until(|| service.host("stranger.example") == "any.invalid"));
    // Or a signal confirms the change.
    service.sandbox.write("c.toml", config);
    assert!(wait_until(|| service.host("stranger.example") == "404"));
    service.sandbox.write("c.toml", "");
    service.hang_up();
    assert!(wait_until(|| service.host("stranger.example") == "mail.stranger.example"));
}

/// After a signal, the emptied file of a domain is used, too.
#[test]
fn a_signal_takes_the_emptied_file_of_a_domain() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/file.example.toml", "imap.host = 'file.invalid'\n");
    let service = Running::start(sandbox, "domains.directory = 'domains.d'\n");
    assert_eq!(service.host("file.example"), "file.invalid");
    service.sandbox.write("domains.d/file.example.toml", "");
    thread::sleep(IN_FORCE);
    assert_eq!(service.host("file.example"), "file.invalid");
    service.hang_up();
    assert!(wait_until(|| service.host("file.example") == "mail.file.example"));
}

/// A list that was cut within a name answered for a domain of others: `example.or` for
/// `example.org`. The file of a domain that was cut within a line had other values.
#[test]
fn a_file_that_is_cut_within_a_line_is_refused() {
    let sandbox = Sandbox::new();
    let (list, file) =
        ("listed.example\nours.example.org\n", "imap.port = 143\nsmtp.port = 2525\n");
    sandbox.write("list", list);
    sandbox.write("domains.d/file.example.toml", file);
    let config = "[domains]\nlist_files = ['list']\ndirectory = 'domains.d'\n";
    let service = Running::start(sandbox, config);
    let smtp = |port: &str| {
        let text = service.ask("file.example").text();
        text.contains(&format!("<port>{port}</port>"))
    };
    assert!(smtp("2525"));
    fs::write(service.sandbox.path("list"), &list[..list.len() - 2]).expect("write");
    let file_path = service.sandbox.path("domains.d/file.example.toml");
    fs::write(&file_path, &file[..file.len() - 3]).expect("write");
    let is_told = || {
        assert!(smtp("2525"));
        let log = service.process.output();
        log.contains("list: the list is truncated: it ends in the middle of a domain")
            && log.contains(
                "file.example.toml: the file is truncated: it ends in the middle of a line",
            )
    };
    assert!(wait_until(is_told), "{}", service.process.output());
    assert_eq!(service.host("ours.example.or"), "404");
    assert_eq!(service.host("ours.example.org"), "mail.ours.example.org");
    // The rest of a name need not be a domain: `our` is not one, and the last domain was lost.
    let refusals = || {
        let log = service.process.output();
        log.matches("list: the list is truncated: it ends in the middle of a domain").count()
    };
    let before = refusals();
    fs::write(service.sandbox.path("list"), "listed.example\nour").expect("write");
    assert!(wait_until(|| refusals() > before), "{}", service.process.output());
    assert_eq!(service.host("ours.example.org"), "mail.ours.example.org");
    fs::write(service.sandbox.path("list"), &list[..list.len() - 2]).expect("write");
    assert!(wait_until(|| refusals() > before + 1), "{}", service.process.output());
    // After a signal, they are used as they are.
    service.hang_up();
    assert!(wait_until(|| smtp("25") && service.host("ours.example.or") != "404"));
    // Lists without a final line end are valid.
    fs::write(service.sandbox.path("list"), format!("{list}new.example")).expect("write");
    assert!(wait_until(|| service.host("new.example") == "mail.new.example"));
}

/// A list that a changed configuration names for the first time was used while it was being
/// written, and so was a file that was moved into its place while it was read.
#[test]
fn a_file_that_is_named_for_the_first_time_settles_before_it_counts() {
    let config =
        |host: &str, list: &str| format!("imap.host = '{host}'\ndomains.list_files = ['{list}']\n");
    let sandbox = Sandbox::new();
    sandbox.write("old", "own.example\n");
    sandbox.write("new", "own.example\n");
    let service = Running::start(sandbox, &config("one.invalid", "old"));
    thread::sleep(IN_FORCE);
    service.sandbox.write("c.toml", config("two.invalid", "new"));
    let (begun, mut written) = (Instant::now(), Instant::now());
    let mut text = "own.example\n".to_owned();
    while begun.elapsed() < 2 * IN_FORCE {
        text += "more.example\n";
        fs::write(service.sandbox.path("new"), &text).expect("write");
        let was_quiet = written.elapsed();
        written = Instant::now();
        let host = service.host("own.example");
        // Unless the machine was so busy that the file settled.
        assert!(host == "one.invalid" || was_quiet > IN_FORCE / 4, "{host}");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(wait_until(|| service.host("more.example") == "two.invalid"));
}

/// The document of PACC could be cached while its file was changing.
#[test]
fn no_document_of_a_file_that_changes_may_be_kept() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/own.example.toml", "provider.name = 'One'\n");
    let config = "domains.directory = 'domains.d'\npacc.enabled = true\nsmtp.security = 'tls'\n";
    let service = Running::start(sandbox, config);
    let ask = |target: &str, host: &str| {
        let request = Request::get(target).host(format!("{host}own.example"));
        let mut client = Client::unix(&service.sandbox.path("socket")).expect("a connection");
        client.send(&request, Style::USUAL).expect("an answer")
    };
    const TARGETS: [(&str, &str); 5] = [
        ("/", "autoconfig."),
        ("/mail/config-v1.1.xml", "autoconfig."),
        ("/v1.1/own.example", ""),
        ("/mobileconfig", ""),
        ("/.well-known/user-agent-configuration.json", "ua-auto-config."),
    ];
    for (target, host) in TARGETS {
        let answer = ask(target, host);
        assert!(answer.status == 200 && answer.header("ETag").is_some(), "{target}");
    }
    service.sandbox.write("domains.d/own.example.toml", "");
    for (target, host) in TARGETS {
        let answer = ask(target, host);
        assert_eq!(answer.status, 200, "{target}");
        let control = answer.header("Cache-Control").unwrap_or_default();
        assert!(control.contains("no-store") && !control.contains("public"), "{target}: {control}");
        assert!(answer.header("ETag").is_none(), "{target}");
    }
}

/// In CGI there is no previous configuration: while a file is being written, the status is 503, and
/// the defaults are not used.
#[test]
fn a_cgi_process_answers_503_while_a_file_is_being_written() {
    let sandbox = Sandbox::new();
    let full = "[domains]\nlist_files = ['list']\ndirectory = 'domains.d'\n";
    let ask = |config: &Path, domain: &str| {
        let target = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
        over_cgi(config, &Request::get(target).host("x.invalid"))
    };
    let is_unavailable = |answer: &Response| {
        answer.status == 503 && is_not_stored(answer) && answer.header("Retry-After").is_some()
    };
    let config = sandbox.path("c.toml");
    for (name, broken) in [
        ("c.toml", ""),
        ("c.toml", "# a copy that has come as far as its comments\n\n"),
        ("c.toml", "\u{feff}\r\n\t# a comment"),
        ("c.toml", "[domains"),
        ("list", ""),
        ("list", "# no domain so far\n\n"),
        ("domains.d/own.example.toml", ""),
        ("domains.d/own.example.toml", "imap.port = 0\n"),
    ] {
        sandbox.write("c.toml", full);
        sandbox.write("list", "own.example\n");
        sandbox.write("domains.d/own.example.toml", "imap.host = 'file.invalid'\n");
        assert_eq!(host(&ask(&config, "own.example")), "file.invalid");
        sandbox.write(name, broken);
        let answer = ask(&config, "own.example");
        assert!(is_unavailable(&answer), "{name} {broken:?}: {} {}", answer.status, answer.text());
    }
}

/// An unmounted drive leaves an empty folder, and its domains got the base's hosts without a log
/// line. The removal of a single file is intended, and is logged.
#[test]
fn an_emptied_folder_in_the_place_of_another_keeps_what_was_good() {
    let sandbox = Sandbox::new();
    for name in ["one", "two"] {
        let text = format!("imap.host = '{name}.invalid'\n");
        sandbox.write(&format!("domains.d/{name}.example.toml"), text);
    }
    sandbox.write("list", "one.example\ntwo.example\nthree.example\n");
    let config = "domains.list_files = ['list']\ndomains.directory = 'domains.d'\n";
    let service = Running::start(sandbox, config);
    assert!(wait_until(|| service.host("one.example") == "one.invalid"));
    assert!(wait_until(|| service.host("two.example") == "two.invalid"));
    let folder = service.sandbox.path("domains.d");
    fs::rename(&folder, service.sandbox.path("away")).expect("rename");
    fs::create_dir(&folder).expect("mkdir");
    assert_eq!(service.host("one.example"), "one.invalid");
    thread::sleep(Duration::from_millis(1500));
    for _ in 0..5 {
        let answer = service.ask("one.example");
        assert_eq!((host(&answer), is_not_stored(&answer)), ("one.invalid".to_owned(), true));
        // It is not known whether it had a file.
        assert_eq!(service.host("three.example"), "503");
    }
    service.wait_for_log("domains.d: cannot be used: it is empty");
    let log = service.process.output();
    assert_eq!(log.matches("it is empty").count(), 1, "{log}");
    fs::remove_dir(&folder).expect("rmdir");
    fs::rename(service.sandbox.path("away"), &folder).expect("rename");
    assert!(wait_until(|| service.host("three.example") == "mail.three.example"));
    fs::remove_file(folder.join("one.example.toml")).expect("remove");
    assert!(wait_until(|| service.host("one.example") == "mail.one.example"));
    assert_eq!(service.host("two.example"), "two.invalid");
    let log = service.process.output();
    assert_eq!(log.matches("one.example.toml: the file was removed").count(), 1, "{log}");
}

/// The same before any file was read, and if the inode number is reused.
#[test]
fn an_emptied_folder_is_seen_before_any_file_was_read() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/one.example.toml", "imap.host = 'one.invalid'\n");
    sandbox.write("list", "one.example\n");
    let config = "domains.list_files = ['list']\ndomains.directory = 'domains.d'\n";
    let service = Running::start(sandbox, config);
    let folder = service.sandbox.path("domains.d");
    for is_signalled in [false, true] {
        if is_signalled {
            service.hang_up();
            thread::sleep(Duration::from_millis(500));
        }
        fs::remove_dir_all(&folder).expect("rm");
        fs::create_dir(&folder).expect("mkdir");
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(service.host("one.example"), "503");
        service.sandbox.write("domains.d/one.example.toml", "imap.host = 'one.invalid'\n");
    }
    // A folder that was empty before is not reported.
    fs::remove_dir_all(&folder).expect("rm");
    fs::create_dir(&folder).expect("mkdir");
    service.hang_up();
    assert!(wait_until(|| service.host("one.example") == "mail.one.example"));
    fs::remove_dir(&folder).expect("rmdir");
    fs::create_dir(&folder).expect("mkdir");
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(service.host("one.example"), "mail.one.example");
}

/// A circular link for one domain was logged repeatedly as a fault of the folder.
#[test]
fn a_file_that_cannot_be_looked_at_is_logged_once_and_by_its_name() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/fine.example.toml", "imap.host = 'fine.invalid'\n");
    let link = sandbox.path("domains.d/loop.example.toml");
    std::os::unix::fs::symlink("loop.example.toml", link).expect("a link");
    let service = Running::start(sandbox, "domains.directory = 'domains.d'\n");
    assert!(wait_until(|| service.host("fine.example") == "fine.invalid"));
    for _ in 0..5 {
        assert_eq!(service.host("loop.example"), "503");
        assert_eq!(service.host("fine.example"), "fine.invalid");
    }
    service.wait_for_log("loop.example.toml: cannot be read");
    let log = service.process.output();
    assert_eq!(log.matches("cannot be read").count(), 1, "{log}");
}

/// A file that was just written, or removed, may change again.
#[test]
fn a_cgi_process_has_nothing_cached_from_a_young_folder_of_domains() {
    let sandbox = Sandbox::new();
    let config = "domains.list_files = ['list']\ndomains.directory = 'domains.d'\n";
    let config = sandbox.write("c.toml", config);
    sandbox.write("list", "own.example\n");
    let file = sandbox.write("domains.d/own.example.toml", "imap.host = 'file.invalid'\n");
    let ask = || {
        let request = Request::get("/mail/config-v1.1.xml").host("autoconfig.own.example");
        let answer = over_cgi(&config, &request);
        (host(&answer), is_not_stored(&answer))
    };
    assert_eq!(ask(), ("file.invalid".to_owned(), true));
    assert!(wait_until(|| ask() == ("file.invalid".to_owned(), false)));
    fs::write(&file, "[imap]\n").expect("write");
    assert_eq!(ask(), ("mail.own.example".to_owned(), true));
    assert!(wait_until(|| ask() == ("mail.own.example".to_owned(), false)));
    fs::remove_file(file).expect("remove");
    assert_eq!(ask(), ("mail.own.example".to_owned(), true));
    assert!(wait_until(|| ask() == ("mail.own.example".to_owned(), false)));
}

/// A dangling link was treated as a missing configuration: the defaults answered any domain.
#[test]
fn a_link_to_nothing_is_not_a_wish_for_the_defaults() {
    let sandbox = Sandbox::new();
    let copy = sandbox.path("bin/mailsetup.cgi");
    fs::create_dir(sandbox.path("bin")).expect("mkdir");
    copy_program(program(), &copy);
    let config = sandbox.write("real/c.toml", "[domain.'own.example']\n");
    std::os::unix::fs::symlink("../real/c.toml", sandbox.path("bin/mailsetup.toml")).expect("link");
    let ask = || {
        let mut program = command(&copy);
        let request = Request::get("/mail/config-v1.1.xml?emailaddress=ann@stranger.example");
        for (name, value) in cgi::variables(&request.host("x.invalid")) {
            program.env(OsString::from_vec(name), OsString::from_vec(value));
        }
        cgi::parse(&program.output().expect("program").stdout, false).expect("an answer").status
    };
    assert_eq!(ask(), 404);
    fs::rename(config, sandbox.path("real/away")).expect("rename");
    assert!([500, 503].contains(&ask()));
    assert!(wait_until(|| ask() == 500));
    let mut check = command(&copy);
    let output = check.arg("check").output().expect("program");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
}

/// While the file next to the program was moved away, the defaults answered any domain.
#[test]
fn a_cgi_process_answers_503_while_the_file_beside_it_is_away() {
    let sandbox = Sandbox::new();
    let copy = sandbox.path("mailsetup.cgi");
    copy_program(program(), &copy);
    let config = sandbox.write("mailsetup.toml", "[domain.'own.example']\n");
    let ask = |domain: &str| {
        let target = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
        let request = Request::get(target).host("x.invalid");
        cgi::send(&copy, &request, &[]).expect("an answer")
    };
    assert_eq!((ask("own.example").status, ask("stranger.example").status), (200, 404));
    fs::rename(&config, sandbox.path("away")).expect("renamed");
    for domain in ["own.example", "stranger.example"] {
        let answer = ask(domain);
        assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("2")), "{domain}");
        assert!(is_not_stored(&answer), "{domain}");
    }
    // Without a file from the beginning, the defaults are used.
    assert!(wait_until(|| ask("stranger.example").status == 200));
}

/// A recent configuration may be incomplete: its documents were cached for 5 minutes.
#[test]
fn a_cgi_process_has_nothing_cached_from_a_young_file() {
    let sandbox = Sandbox::new();
    let ask = |config: &Path| {
        let request = Request::get("/mail/config-v1.1.xml").host("autoconfig.own.example");
        let answer = over_cgi(config, &request);
        assert_eq!(answer.status, 200, "{}", answer.text());
        is_not_stored(&answer)
    };
    for text in ["[log]\n", "[domain.'own.example']\n", "domains.list_files = ['list']\n"] {
        let list = sandbox.write("list", "own.example\n");
        let config = sandbox.write("c.toml", text);
        assert!(ask(&config), "{text}");
        assert!(wait_until(|| !ask(&config)), "{text}");
        if text.contains("list") {
            fs::write(list, "own.example\nother.example\n").expect("write");
            assert!(ask(&config), "{text}");
        }
    }
}

/// While a list, or its folder, was moved away, the status was 500, and a profile was sent unsigned
/// while its certificate was being written.
#[test]
fn a_cgi_process_answers_503_while_a_file_is_away_or_a_certificate_half_written() {
    let sandbox = Sandbox::new();
    let mut openssl = command("openssl");
    openssl.args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt"]);
    openssl.args(["ec_paramgen_curve:prime256v1", "-subj", "/CN=mail.own.example", "-days", "2"]);
    openssl.arg("-keyout").arg(sandbox.path("key")).arg("-out").arg(sandbox.path("cert"));
    run(&mut openssl);
    let config = sandbox.write(
        "c.toml",
        "domains.list_files = ['list']\ndomains.directory = 'domains.d'\npage.logo = 'logo.svg'\n\
         [apple]\nsigning_certificate = 'cert'\nsigning_key = 'key'\n",
    );
    sandbox.write("list", "own.example\n");
    sandbox.write("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
    fs::create_dir(sandbox.path("domains.d")).expect("a folder");
    let ask = || {
        let request = Request::get("/mobileconfig?emailaddress=ann@own.example");
        over_cgi(&config, &request.host("own.example"))
    };
    for name in ["c.toml", "list", "domains.d", "logo.svg", "cert", "key"] {
        assert_eq!(ask().status, 200, "{name}");
        fs::rename(sandbox.path(name), sandbox.path("away")).expect("renamed");
        let answer = ask();
        assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("2")), "{name}");
        assert!(is_not_stored(&answer), "{name}");
        fs::rename(sandbox.path("away"), sandbox.path(name)).expect("renamed");
    }
    for name in ["cert", "key"] {
        let whole = fs::read(sandbox.path(name)).expect("readable");
        for length in [0, whole.len() / 2] {
            sandbox.write(name, &whole[..length]);
            assert_eq!(ask().status, 503, "{name}, {length} bytes");
        }
        // A lasting state is an error: profiles are sent unsigned, which devices accept, too.
        assert!(wait_until(|| ask().status == 200 && ask().body.starts_with(b"<?xml")), "{name}");
        sandbox.write(name, whole);
        assert!(!ask().body.starts_with(b"<?xml"), "{name}");
    }
    fs::remove_file(sandbox.path("list")).expect("removed");
    assert!(wait_until(|| ask().status == 500));
}

//------------ contents of files ---------------------------------------------

/// A domain that sets one key of a table copies the table: 700 KB of text took gigabytes.
#[test]
fn what_domains_copy_is_bounded() {
    let sandbox = Sandbox::new();
    let text = "Terms. ".repeat(1400);
    let each = |count: usize, line: &str| -> String {
        (0..count).map(|number| format!("[domain.'d{number}.example']\n{line}\n")).collect()
    };
    let documents: String = (0..100)
        .map(|number| {
            format!(
                "[[provider.documentation]]\nurl = 'https://e.example/{number}'\ntitle.en = 'a'\n"
            )
        })
        .collect();
    let alternatives = "[[imap.alternatives]]\nport = 1143\n".repeat(5000);
    for (base, line) in [
        (format!("apple.consent.en = '{text}'\n"), "apple.identifier = 'org.example'"),
        (format!("apple.description.en = '{text}'\n"), "apple.identifier = 'org.example'"),
        (format!("imap.username = '{}'\n", "u".repeat(text.len())), "imap.port = 143"),
        (documents, "provider.name = 'x'"),
        (alternatives, "imap.port = 143"),
    ] {
        let config = sandbox.write("c.toml", base + &each(5000, line));
        let mut check = std::process::Command::new("sh");
        check.args(["-c", "ulimit -v 300000; exec \"$0\" --config \"$1\" check"]);
        let output = check.arg(program()).arg(config).output().expect("sh");
        let found = String::from_utf8_lossy(&output.stdout);
        assert!(found.contains("[copies-too-large]"), "{line}: {found}");
        assert_eq!(found.lines().count(), 2, "{line}: {found}");
    }
}

/// The same in the folder, where clients choose which domains are kept: 538 MiB.
#[test]
fn what_files_of_domains_copy_is_bounded() {
    let sandbox = Sandbox::new();
    let count = 400;
    for number in 0..count {
        let text = "apple.identifier = 'org.example'\n";
        sandbox.write(&format!("domains.d/d{number}.example.toml"), text);
    }
    // Documents that are cached held the settings of 512 domains.
    let text = "Terms. ".repeat(80_000);
    let config = format!("domains.directory = 'domains.d'\napple.consent.en = '{text}'\n");
    let service = Running::start(sandbox, &config);
    assert!(wait_until(|| service.host("d0.example") == "mail.d0.example"));
    for number in 0..count {
        let host = service.host(&format!("d{number}.example"));
        assert_eq!(host, format!("mail.d{number}.example"));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", service.process.id()));
    let status = status.expect("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    // 16 MiB are kept, and as much may be in progress; all together are 213 MiB.
    assert!(kib < 64 << 10, "{kib} KiB");
}

/// With 20,000 errors in the configuration, lines were counted from the top for each error, with
/// every request: one response took three seconds.
#[test]
fn many_mistakes_hold_up_no_request() {
    let tables = |line: &str| -> String {
        (0..20_000).map(|number| format!("[domain.\"d{number}.example\"]\n{line}\n")).collect()
    };
    let service = Running::start(Sandbox::new(), &tables("imap.port = 993"));
    service.sandbox.write("c.toml", tables("imap.port = 0"));
    service.wait_for_log("keeping the previous one");
    let log = service.process.output();
    assert!(log.lines().filter(|line| line.contains("imap.port")).count() <= 20, "bounded");
    assert!(log.contains("and 19980 more"), "{log}");
    // The configuration still has errors, and is not read with every request.
    let reads = || fs::read_to_string(format!("/proc/{}/io", service.process.id())).expect("io");
    let bytes = |text: String| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("rchar");
        line.parse().expect("a number")
    };
    let before = bytes(reads());
    for _ in 0..100 {
        assert_eq!(service.host("d7.example"), "mail.d7.example");
    }
    let read = bytes(reads()) - before;
    assert!(read < 3_000_000, "{read} bytes were read for 100 requests");
}

/// A list without domains permanently used a hundred times its size.
#[test]
fn a_list_of_junk_takes_no_memory() {
    let sandbox = Sandbox::new();
    sandbox.write("list", "x\n".repeat(2 * 1024 * 1024));
    let service =
        Running::start(sandbox, "[domain.'own.example']\n[domains]\nlist_files = ['list']\n");
    assert_eq!(service.host("own.example"), "mail.own.example");
    let status = fs::read_to_string(format!("/proc/{}/status", service.process.id()));
    let status = status.expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    let peak: u64 = peak.split_whitespace().next().expect("a number").parse().expect("KiB");
    assert!(peak < 256 * 1000, "{peak} KiB");
}

/// A file over the size limit: the reason names the limit.
#[test]
fn a_file_over_its_size_is_refused() {
    let sandbox = Sandbox::new();
    for (name, bytes, config, limit) in [
        ("c.toml", 3 << 20, "", "larger than 2048 KiB"),
        ("list", 33 << 20, "domains.list_files = ['list']\n", "larger than 32768 KiB"),
        ("page.html", 65 << 10, "page.template = 'page.html'\n", "larger than 64 KiB"),
        ("logo.svg", 65 << 10, "page.logo = 'logo.svg'\n", "larger than 64 KiB"),
        (
            "domains.d/a.example.toml",
            65 << 10,
            "domains.directory = 'domains.d'\n",
            "larger than 64 KiB",
        ),
    ] {
        let path = sandbox.write("c.toml", config);
        sandbox.write(name, "#".repeat(bytes));
        let output = command(program()).arg("--config").arg(path).arg("check").output();
        let output = output.expect("program");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {text}");
        assert!(text.contains(limit), "{name}: {text}");
        fs::remove_file(sandbox.path(name)).expect("remove");
    }
}

/// `page.template = "../key.pem"` in the file of a domain sent the key to clients.
#[test]
fn the_file_of_a_domain_names_files_in_its_own_folder_only() {
    let sandbox = Sandbox::new();
    let page = "<p>{{ address }} secret</p>\n";
    sandbox.write("outside.html", page);
    sandbox.write("domains.d/inside.html", page);
    sandbox.write("domains.d/below/inside.html", page);
    std::os::unix::fs::symlink("../outside.html", sandbox.path("domains.d/link.html"))
        .expect("a link");
    let outside = sandbox.path("outside.html");
    let config = sandbox.write("c.toml", "domains.directory = 'domains.d'\n");
    for (path, is_taken) in [
        ("inside.html", true),
        ("below/inside.html", true),
        ("../outside.html", false),
        ("below/../../outside.html", false),
        ("link.html", false),
        (outside.to_str().expect("UTF-8"), false),
    ] {
        for key in ["template", "logo"] {
            let text = format!("page.{key} = '{path}'\n");
            sandbox.write("domains.d/own.example.toml", text);
            let output = command(program()).arg("--config").arg(&config).arg("check").output();
            let output = String::from_utf8_lossy(&output.expect("program").stdout).into_owned();
            let is_refused = output.contains("own.example.toml:1:")
                && output.contains("is outside the folder of this file");
            assert_eq!(is_refused, !is_taken, "{path}: {output}");
        }
    }
    let request = Request::get("/?emailaddress=ann@own.example").host("own.example");
    let answer = over_cgi(&config, &request);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}
