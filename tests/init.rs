//! `mailsetup init`: whole configurations from recorded outputs, and from programs on this machine.
//!
//! `tests/fixtures/init/README.md` says what was recorded. `UPDATE_GOLDEN=1 cargo test --test main
//! init` writes what is expected: read it before it is committed.

use crate::common::{Sandbox, program, source, write_program};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The folder of recorded outputs.
fn fixtures() -> PathBuf {
    source("tests/fixtures/init")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Compares a text with a file, or writes it.
fn compare(file: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match found {
            "" => drop(fs::remove_file(file)),
            found => fs::write(file, found).expect("a golden file"),
        }
        return;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    assert_eq!(found, expected, "{}", file.display());
}

#[test]
fn recorded_machines_get_the_expected_configuration() {
    let folder = fixtures();
    let machines = fs::read_dir(&folder).expect("fixtures").map(|entry| entry.expect("an entry"));
    let machines = machines.filter(|it| it.file_name().to_string_lossy().starts_with("machine-"));
    let mut machines: Vec<_> = machines.map(|entry| entry.path()).collect();
    machines.sort();
    assert!(machines.len() >= 25, "{} machines", machines.len());
    let mut written = 0;
    for machine in machines {
        let options = fs::read_to_string(machine.join("options")).expect("options");
        let mut init = Command::new(program());
        init.current_dir(&folder).args(["--config", "config.toml", "init", "--stdout"]);
        init.args(options.split_whitespace()).env_clear();
        let Output { status, stdout, stderr } = init.output().expect("mailsetup");
        let (stdout, stderr) = (text(&stdout), text(&stderr));
        compare(&machine.join("expected.toml"), &stdout);
        compare(&machine.join("expected.messages"), &stderr);
        assert_eq!(status.code(), Some(i32::from(stdout.is_empty())), "{}", machine.display());
        if stdout.is_empty() {
            assert!(stderr.contains("no configuration was written"), "{stderr}");
            continue;
        }
        written += 1;
        // Files that it names are those of another machine.
        let sandbox = Sandbox::new();
        let config = sandbox.write("config.toml", &stdout);
        let check = Command::new(program()).arg("--config").arg(&config).arg("check").output();
        let check = check.expect("mailsetup");
        assert!(check.status.success(), "{}: {}", machine.display(), text(&check.stdout));
    }
    assert!(written >= 25, "{written} configurations");
}

//------------ Programs of this machine ---------------------------------------

/// A machine with programs that print what was recorded; there is no real mail server on its path but
/// those that the test does not replace.
struct Machine {
    sandbox: Sandbox,
}

impl Machine {
    /// Programs that fail, in place of all that are asked.
    fn new() -> Self {
        let machine = Self { sandbox: Sandbox::new() };
        for name in ["doveconf", "postconf", "postmulti", "postmap", "exim4", "exim"] {
            machine.program(name, "exit 1");
        }
        machine
    }

    /// A program, as a script.
    fn program(&self, name: &str, script: &str) {
        let folder = self.sandbox.path("bin");
        fs::create_dir_all(&folder).expect("folder");
        write_program(&folder.join(name), format!("#!/bin/sh\n{script}\n"));
    }

    /// Dovecot, by the name of its fixture.
    fn dovecot(&self, name: &str) {
        let folder = fixtures().join(name).display().to_string();
        self.program(
            "doveconf",
            &format!(
                "case $1 in -n) cat {folder}/doveconf-n ;; -S) cat {folder}/doveconf-S ;; esac"
            ),
        );
    }

    /// Postfix, by the name of its fixture; lines are added to its parameters.
    fn postfix(&self, name: &str, lines: &str) {
        let folder = fixtures().join(name).display().to_string();
        let more = self.sandbox.write("more", lines);
        self.program(
            "postconf",
            &format!(
                "case \"$*\" in *-M*) cat {folder}/master-M ;; *-P*) cat {folder}/master-P ;; \
                 *) cat {folder}/postconf-x {} ;; esac",
                more.display()
            ),
        );
    }

    /// The names of the files.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.sandbox.path("")).expect("the folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs `init` with these arguments.
    fn init(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        self.run(&[&["--config", "config.toml", "init"], arguments].concat())
    }

    /// Runs the program.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut init = Command::new(program());
        let path = format!("{}:/usr/bin:/bin", self.sandbox.path("bin").display());
        init.env_clear().env("PATH", path).current_dir(self.sandbox.path(""));
        init.args(arguments);
        let Output { status, stdout, stderr } = init.output().expect("mailsetup");
        (status.code(), text(&stdout), text(&stderr))
    }
}

#[test]
fn a_machine_is_read_checked_and_written_once() {
    let machine = Machine::new();
    machine.dovecot("dovecot-ispmail");
    machine.postfix("postfix-trap-465", "");
    let (status, stdout, stderr) = machine.init(&[]);
    assert_eq!(status, Some(0), "{stderr}");
    let config = machine.sandbox.path("config.toml");
    let written = fs::read_to_string(&config).expect("a configuration");
    assert!(written.contains("# Seen: doveconf -S:"), "{written}");
    assert!(written.contains("# Seen: postconf -M:"), "{written}");
    assert!(written.contains("[domain.\"example.org\"]"), "{written}");
    assert!(!written.contains("Nothing of this machine"), "{written}");
    let mode = fs::metadata(&config).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert!(stdout.starts_with("Written: config.toml\n"), "{stdout}");
    assert!(stdout.contains("\nmailsetup check of config.toml: no errors"), "{stdout}");
    assert!(
        stdout.contains("\n       mailsetup --config config.toml dns example.org\n"),
        "{stdout}"
    );
    assert!(stdout.contains("\n       mailsetup probe example.org\n"), "{stdout}");
    let steps = stdout.lines().filter(|line| line.starts_with("  "));
    let steps: Vec<_> = steps.filter(|line| line.as_bytes()[2].is_ascii_digit()).collect();
    assert_eq!(steps.len(), 3, "{stdout}");
    assert!(
        stdout.contains("mailsetup.service reads /etc/mailsetup/config.toml, not this file"),
        "{stdout}"
    );

    // Never over a file that exists.
    let (status, stdout, stderr) = machine.init(&[]);
    assert_eq!((status, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("the file exists; --force overwrites it"), "{stderr}");
    fs::write(&config, "# mine\n").expect("write");
    let (status, stdout, stderr) = machine.init(&["--stdout"]);
    assert_eq!((status, &stdout), (Some(0), &written));
    let summary = "mailsetup check of standard output: no errors";
    assert!(stderr.contains(summary) && !stderr.contains("config.toml"), "{stderr}");
    assert_eq!(fs::read_to_string(&config).expect("read"), "# mine\n");
    let (status, _, stderr) = machine.init(&["--force"]);
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(fs::read_to_string(&config).expect("read"), written);
    let kept = machine.sandbox.path("config.toml.bak");
    assert_eq!(fs::read_to_string(kept).expect("the old file"), "# mine\n");
    assert_eq!(machine.files(), ["bin", "config.toml", "config.toml.bak", "more"]);
}

/// The web server of this machine is not that of the other one.
#[test]
fn outputs_of_another_machine_say_nothing_about_this_one() {
    let machine = Machine::new();
    let outputs = fixtures().join("dovecot-ispmail/doveconf-n").display().to_string();
    let master = fixtures().join("postfix-trap-465/master-M").display().to_string();
    let postconf = fixtures().join("postfix-trap-465/postconf-x").display().to_string();
    let arguments = ["--doveconf", &outputs, "--master", &master, "--postconf", &postconf];
    let (status, stdout, stderr) = machine.init(&arguments);
    assert_eq!(status, Some(0), "{stderr}");
    let steps = stdout.split_once("Next:\n").expect("the next steps").1;
    assert!(steps.contains("on the machine that answers mail clients"), "{steps}");
    assert!(steps.contains("mailsetup hook --help\n"), "{steps}");
    assert!(!steps.contains("nginx") && !steps.contains("systemctl"), "{steps}");
}

#[test]
fn every_file_that_is_replaced_is_kept() {
    let machine = Machine::new();
    machine.dovecot("dovecot-ispmail");
    machine.postfix("postfix-trap-465", "");
    let config = machine.sandbox.write("config.toml", "# first\n");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).expect("chmod");
    let kept = |number: &str| {
        let file = machine.sandbox.path(&format!("config.toml.bak{number}"));
        let mode = fs::metadata(&file).expect("a file").permissions().mode() & 0o777;
        (fs::read_to_string(file).expect("a file"), mode)
    };
    let (status, stdout, stderr) = machine.init(&["--force"]);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(
        stdout.starts_with("Written: config.toml\nThe old file: config.toml.bak\n"),
        "{stdout}"
    );
    assert_eq!(kept(""), ("# first\n".to_owned(), 0o600));
    let written = fs::read_to_string(&config).expect("a file");

    // The same again: there is nothing to keep.
    let (status, stdout, _) = machine.init(&["--force"]);
    assert_eq!(status, Some(0));
    assert!(stdout.starts_with("Unchanged: config.toml\n"), "{stdout}");
    assert_eq!(machine.files(), ["bin", "config.toml", "config.toml.bak", "more"]);

    // Also where a link leads.
    fs::write(&config, "# second\n").expect("write");
    std::os::unix::fs::symlink("config.toml", machine.sandbox.path("link.toml")).expect("a link");
    for (text, number) in [("# second\n", ".1"), ("# third\n", ".2")] {
        fs::write(&config, text).expect("write");
        let (status, stdout, stderr) = machine.run(&["--config", "link.toml", "init", "--force"]);
        assert_eq!(status, Some(0), "{stderr}");
        assert!(stdout.contains(&format!("config.toml.bak{number}\n")), "{stdout}");
        assert_eq!(kept(number).0, text);
    }
    assert_eq!(kept("").0, "# first\n");
    assert_eq!(fs::read_to_string(&config).expect("a file"), written);
    assert!(machine.sandbox.path("link.toml").is_symlink());
}

/// The message says what is there, with and without `--force`.
#[test]
fn what_is_not_a_file_is_not_replaced() {
    let machine = Machine::new();
    machine.dovecot("dovecot-ispmail");
    machine.postfix("postfix-trap-465", "");
    fs::create_dir(machine.sandbox.path("folder")).expect("a folder");
    std::os::unix::fs::symlink("nowhere", machine.sandbox.path("dangling")).expect("a link");
    machine.sandbox.write("file", "");
    let before = machine.files();
    for (target, message) in [
        ("folder", "folder: it is not a file"),
        ("dangling", "dangling: it is a link to nowhere, which does not exist"),
        ("file/config.toml", "file/config.toml: Not a directory"),
        ("/proc/mailsetup/config.toml", "/proc/mailsetup/config.toml: No such file or directory"),
    ] {
        for force in [&[][..], &["--force"]] {
            let arguments = [&["--config", target, "init"], force].concat();
            let (status, stdout, stderr) = machine.run(&arguments);
            assert_eq!((status, &*stdout), (Some(2), ""), "{stderr}");
            let last = stderr.lines().last().unwrap_or_default();
            assert!(last.ends_with(message), "{last}");
        }
    }
    assert_eq!(machine.files(), before);
}

/// A file that cannot be read is not one that has errors.
#[test]
fn exit_statuses_for_inputs() {
    let machine = Machine::new();
    machine.sandbox.write("prose", "Dear all, this is no configuration.\n");
    fs::create_dir(machine.sandbox.path("folder")).expect("a folder");
    for (status, file, message) in [
        (2, "missing", "missing: No such file or directory"),
        (2, "folder", "folder: Is a directory"),
        (1, "prose", "prose"),
    ] {
        for command in [
            &["init", "--stdout", "--doveconf"][..],
            &["init", "--stdout", "--postconf"],
            &["init", "--stdout", "--smtpd"],
            &["import", "--stdout"],
            &["import", "--domains"],
        ] {
            let run = machine.run(&[command, &[file]].concat());
            assert_eq!((run.0, &*run.1), (Some(status), ""), "{command:?}: {run:?}");
            assert!(run.2.contains(message), "{run:?}");
            assert!(!run.2.contains("os error"), "{run:?}");
        }
    }
}

#[test]
fn programs_that_hang_or_never_stop_are_ended() {
    let machine = Machine::new();
    machine.program("doveconf", "sleep 100 & sleep 100");
    machine.program("postconf", "exec yes");
    machine.program("exim4", "kill -9 $$");
    let start = Instant::now();
    let (status, _, stderr) = machine.init(&["--stdout"]);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_eq!(status, Some(1), "{stderr}");
    let hangs = "doveconf -n: it has not ended after 10 seconds, and was stopped";
    assert!(stderr.contains(hangs), "{stderr}");
    // It is not asked again, and its many arguments are not repeated.
    assert!(stderr.contains("postconf -x: it prints more than 4 MiB"), "{stderr}");
    assert!(!stderr.contains("postconf -M"), "{stderr}");
    assert!(stderr.contains("no configuration was written"), "{stderr}");
}

/// The shell ends at once, and what it has started keeps its pipes.
#[test]
fn an_output_is_complete_when_its_program_has_ended() {
    let machine = Machine::new();
    machine.dovecot("dovecot-ispmail");
    machine.postfix("postfix-ispmail", "");
    let doveconf = fs::read_to_string(machine.sandbox.path("bin/doveconf")).expect("a script");
    let script = doveconf.trim_start_matches("#!/bin/sh\n");
    machine.program("doveconf", &format!("sleep 100 &\n{script}"));
    let start = Instant::now();
    let (status, stdout, stderr) = machine.init(&["--stdout"]);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stdout.contains("[imap]"), "{stdout}");
    machine.program("doveconf", "kill -9 $$");
    let (_, _, stderr) = machine.init(&["--stdout"]);
    assert!(stderr.contains("ended by signal 9"), "{stderr}");
}

/// Postfix takes several words of a line, lines that continue, and lists in lists.
#[test]
fn lists_of_postfix_are_read_as_postfix_does() {
    let machine = Machine::new();
    machine.dovecot("dovecot-ispmail");
    let one = machine.sandbox.write("one", "example.org\nexample.net\n");
    let two = machine.sandbox.path("two");
    let text = format!(
        "# c\na1.example, a2.example\n  a3.example\n{} {}\n!a4.example\n",
        one.display(),
        two.display()
    );
    fs::write(&two, text).expect("a list");
    let three = machine.sandbox.write("three", format!("{} b1.example,\n", two.display()));
    let list = format!("virtual_mailbox_domains = {}\n", three.display());
    machine.postfix("postfix-ispmail", &list);
    let (status, stdout, stderr) = machine.init(&["--stdout"]);
    assert_eq!(status, Some(0), "{stderr}");
    for name in ["a1", "a2", "a3", "b1"] {
        assert!(stdout.contains(&format!("[domain.\"{name}.example\"]")), "{name}: {stdout}");
    }
    assert!(stdout.contains(&format!("list_files = [\"{}\"]", one.display())), "{stdout}");
    assert!(stderr.contains("!a4.example excludes"), "{stderr}");
}

#[test]
fn an_output_counts_even_if_its_program_fails() {
    let machine = Machine::new();
    let folder = fixtures().join("dovecot-unknownprotocol").display().to_string();
    machine.program(
        "doveconf",
        &format!(
            "case $1 in -n) cat {folder}/doveconf-n; cat {folder}/stderr >&2; exit 89 ;; \
             -S) cat {folder}/doveconf-S; exit 89 ;; esac"
        ),
    );
    machine.postfix("postfix-ispmail", "");
    let (status, stdout, stderr) = machine.init(&["--stdout"]);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stdout.contains("[imap]"), "{stdout}");
    assert!(stderr.contains("Dovecot does not start with this configuration"), "{stderr}");
}

/// The other instances are read, or named if that fails.
#[test]
fn further_instances_of_postfix_are_read_or_named() {
    let machine = Machine::new();
    machine.dovecot("dovecot-ispmail");
    let [first, other] = ["postfix-trap-postmulti", "postfix-ispmail"]
        .map(|name| fixtures().join(name).display().to_string());
    machine.program(
        "postconf",
        &format!(
            "case \"$*\" in *submission*) from={other} ;; *) from={first} ;; esac\n\
             case \"$*\" in *-M*) cat $from/master-M ;; *-P*) cat $from/master-P ;; \
             *) cat $from/postconf-x ;; esac"
        ),
    );
    let list = "printf '%s\\n' '- - y /etc/postfix' 'out - n /etc/postfix-out' \
                'submission - y /etc/postfix-submission'";
    for (script, are_read) in [
        (list.to_owned(), true),
        (format!("{list}; exit 1"), false),
        ("exit 1".to_owned(), false),
        ("kill -9 $$".to_owned(), false),
    ] {
        machine.program("postmulti", &script);
        let (status, stdout, stderr) = machine.init(&["--stdout"]);
        let is_named = stderr.contains("Postfix has more instances");
        assert_eq!(is_named, !are_read, "{script}: {stderr}");
        assert_eq!(status == Some(0), are_read, "{script}: {stderr}");
        assert_eq!(stdout.contains("port = 587"), are_read, "{script}: {stdout}");
    }
}

/// Dovecot does not start if a service of a protocol that is on has no program, as on Debian 12 without
/// dovecot-pop3d.
#[test]
fn a_missing_program_of_dovecot_is_named() {
    let machine = Machine::new();
    let folder = fixtures().join("dovecot-ispmail").display().to_string();
    let libexec = machine.sandbox.path("libexec");
    fs::create_dir_all(&libexec).expect("folder");
    machine.program(
        "doveconf",
        &format!(
            "case $1 in -n | -S) sed 's,/usr/lib/dovecot/,{libexec}/,' {folder}/doveconf$1 ;; \
             libexec_dir) echo 'libexec_dir = {libexec}' ;; esac",
            libexec = libexec.display()
        ),
    );
    machine.postfix("postfix-ispmail", "");
    let place = |names: &[&str]| {
        for name in names {
            fs::write(libexec.join(name), "").expect("a program");
        }
    };
    place(&[
        "imap-login",
        "imap",
        "pop3-login",
        "pop3",
        "managesieve-login",
        "managesieve",
        "lmtp",
        "quota-status",
    ]);
    let (_, _, stderr) = machine.init(&["--stdout"]);
    assert!(!stderr.contains("Dovecot does not start"), "{stderr}");
    fs::remove_file(libexec.join("imap")).expect("removed");
    let (status, stdout, stderr) = machine.init(&["--stdout"]);
    assert_eq!(status, Some(0), "{stderr}");
    let message = format!("Dovecot does not start: service imap needs {}/imap,", libexec.display());
    assert!(stderr.contains("warning: doveconf"), "{stderr}");
    assert!(stderr.contains(&message), "{stderr}");
    assert!(stdout.contains("[imap]"), "{stdout}");
    // Another folder, or none, says nothing.
    fs::remove_dir_all(&libexec).expect("removed");
    let (_, _, stderr) = machine.init(&["--stdout"]);
    assert!(!stderr.contains("Dovecot does not start"), "{stderr}");
}

#[test]
fn a_missing_certificate_is_a_warning() {
    let machine = Machine::new();
    machine.dovecot("dovecot-nologin");
    machine.postfix("postfix-ispmail", "");
    let (_, _, stderr) = machine.init(&["--stdout"]);
    let message = "/etc/t/cert.pem: No such file or directory: connections with TLS need this";
    let line = stderr.lines().find(|line| line.contains(message)).expect("a message");
    assert!(line.starts_with("warning: doveconf -n:"), "{line}");
}

#[test]
fn lists_and_tables_of_domains_are_read() {
    let machine = Machine::new();
    machine.dovecot("dovecot-ispmail");
    let list = machine.sandbox.write("vdomains", "example.org OK\nexample.net OK\n");
    let hidden = machine.sandbox.write("hidden", "example.com\n");
    let query = machine.sandbox.write(
        "mysql.cf",
        "user = mail\npassword = Xyzzy-31415\nhosts = 127.0.0.1\ndbname = mail\n\
         query = SELECT 1 FROM domains WHERE name = '%s'\n",
    );
    let status = Command::new("chmod").arg("600").arg(&hidden).status().expect("chmod");
    assert!(status.success());
    let shown = |path: &Path| path.display().to_string();
    let (list, hidden, query) = (shown(&list), shown(&hidden), shown(&query));
    machine.postfix(
        "postfix-ispmail",
        &format!(
            "virtual_mailbox_domains = hash:{list}, {hidden}, hash:/nowhere/table, mysql:{query}, \
             /nowhere/list\n"
        ),
    );
    // The second table has no text file.
    machine.program(
        "postmap",
        "case $2 in */table) echo 'example.edu x'; echo '@example.info x'; echo 'bob@example.biz x' ;; \
         *) echo 'example.net OK'; echo 'example.org OK' ;; esac",
    );
    let (status, stdout, stderr) = machine.init(&["--stdout"]);
    assert_eq!(status, Some(0), "{stderr}");
    let lists = format!("list_files = [\"{list}\", \"{hidden}\"]");
    assert!(stdout.contains(&lists), "{stdout}");
    assert!(stdout.contains("[domain.\"example.edu\"]"), "{stdout}");
    // An address is no domain.
    assert!(!stdout.contains("example.info") && !stdout.contains("example.biz"), "{stdout}");
    assert!(stdout.contains("answer = \"any\""), "{stdout}");
    assert!(stderr.contains(&format!("{hidden} cannot be read by all users")), "{stderr}");
    assert!(stderr.contains("domains in /nowhere/list: No such file or directory"), "{stderr}");
    let command = "| mailsetup import --domains - --list /etc/mailsetup/domains";
    assert!(stderr.contains(command), "{stderr}");
    assert!(stderr.contains("SELECT DISTINCT name FROM domains"), "{stderr}");
    assert!(!stderr.contains("Xyzzy") && !stdout.contains("Xyzzy"), "{stderr}");
}

#[test]
#[cfg(feature = "sign")]
fn the_name_in_the_certificate_is_the_host() {
    for (names, host, origin) in [
        ("DNS:www.example.org,DNS:mail.example.org", "mail.example.org", "Seen"),
        ("DNS:www.example.org,DNS:imap.example.net", "imap.example.net", "Seen"),
        ("DNS:*.example.org", "mail.example.org", "Seen"),
        ("DNS:*.example.net", "mail.example.net", "Assumed"),
        ("DNS:mx7.example.net", "mx7.example.net", "Seen"),
    ] {
        let machine = Machine::new();
        let file = certificate(&machine.sandbox, names);
        let folder = fixtures().join("dovecot-ispmail").display().to_string();
        let replace = format!("sed 's#/etc/letsencrypt/.*/fullchain.pem#{}#'", file.display());
        machine.program(
            "doveconf",
            &format!("case $1 in -n) {replace} {folder}/doveconf-n ;; -S) {replace} {folder}/doveconf-S ;; esac"),
        );
        machine.postfix("postfix-ispmail", &format!("smtpd_tls_cert_file = {}\n", file.display()));
        let (status, stdout, stderr) = machine.init(&["--stdout"]);
        assert_eq!(status, Some(0), "{stderr}");
        let imap = stdout.split("[imap]").nth(1).expect("a table");
        assert!(imap.starts_with(&format!("\n# {origin}: ")), "{names}: {imap}");
        assert!(imap.contains(&format!("host = \"{host}\"")), "{names}: {imap}");
    }
}

/// A certificate for these names.
#[cfg(feature = "sign")]
fn certificate(sandbox: &Sandbox, names: &str) -> PathBuf {
    let (file, key) = (sandbox.path("cert.pem"), sandbox.path("cert.key"));
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]);
    openssl.args([
        "-subj",
        "/CN=test",
        "-days",
        "30",
        "-addext",
        &format!("subjectAltName={names}"),
    ]);
    let output = openssl.arg("-keyout").arg(key).arg("-out").arg(&file).output().expect("openssl");
    assert!(output.status.success(), "{}", text(&output.stderr));
    file
}

//------------ Files of another machine ---------------------------------------

#[test]
fn files_that_are_something_else_end_with_one_line() {
    let machine = Machine::new();
    machine.sandbox.write("binary", [0_u8, 159, 146, 150]);
    machine.sandbox.write("large", vec![b'a'; 5 * 1024 * 1024]);
    machine.sandbox.write("other", "hello\n");
    machine.sandbox.write("noise", "hello\nworld\n\u{1b}[1mmyhostname\u{1b}[0m = a.example\n");
    machine.sandbox.write("i1", "myhostname = a.example\ninet_interfaces = all\n");
    machine.sandbox.write("i2", "myhostname = b.example\ninet_interfaces = all\n");
    machine.sandbox.write("deep", format!("# 2.3.19.1 (9b53102964)\n{}", "a {\n".repeat(100_000)));
    for (arguments, message) in [
        (&["--doveconf", "binary"][..], "binary: it is not text"),
        (&["--postconf", "large"], "large: it is larger than 4 MiB"),
        (&["--doveconf", "other"], "other: not the output of doveconf"),
        (&["--doveconf", "deep"], "deep: line "),
        (&["--postconf", "other"], "other: it is not the output of postconf"),
        (&["--postconf", "deep"], "deep:1: this is an output of doveconf: use --doveconf"),
        (&["--master", "deep"], "deep:1: this is an output of doveconf: use --doveconf"),
        (&["--postconf", "noise"], "noise: it is not the output of postconf"),
        (
            &["--postconf", "i1", "--postconf", "i2"],
            "i1 and i2 are of two instances of Postfix, since myhostname differs",
        ),
        (&["--exim", "other"], "other: it is not the output of `exim -bP"),
        (&["--smtpd", "other"], "other: it is not smtpd.conf"),
        (&["--listening", "other"], "other: it is not /proc/net/tcp"),
        (&["--master", "nowhere"], "nowhere: No such file or directory"),
        (&["--master", "bin"], "bin: Is a directory"),
        (&["--doveconf", "-", "--postconf", "-"], "- can be given once"),
        (&["--doveconf", "other", "--doveconf", "other"], "--doveconf takes the output of"),
    ] {
        let (status, stdout, stderr) = machine.init(arguments);
        let cannot_be_read = ["larger", "No such file", "Is a directory", "can be given once"];
        let expected = if cannot_be_read.iter().any(|it| message.contains(it)) { 2 } else { 1 };
        assert_eq!((status, stdout.as_str()), (Some(expected), ""), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
}
