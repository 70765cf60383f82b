//! `mailsetup import --domains`: lists and files of domains from the output of database clients.

use crate::common::{Sandbox, command, program, source};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

const MARK: &str = "# Written by `mailsetup import --domains`, which replaces this file.\n";

/// What a run did: the exit status, standard output, the messages.
#[derive(Debug)]
struct Run {
    status: Option<i32>,
    stdout: String,
    messages: String,
}

/// Runs the command with this input and these arguments, in the folder of a sandbox.
fn import(sandbox: &Sandbox, input: &[u8], arguments: &[&str]) -> Run {
    let mut child = command(program())
        .args(["import", "--domains", "-"])
        .args(arguments)
        .current_dir(sandbox.path(""))
        .env("MAILSETUP_TOML", "[imap]\n")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("program");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may end before it has read all.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        status: output.status.code(),
        stdout: text(&output.stdout),
        messages: text(&output.stderr),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

#[test]
fn domains_are_printed_sorted_and_once() {
    let sandbox = Sandbox::new();
    let input =
        "domain,alias_of\nexample.org,\nALL,\nB\u{dc}CHER.example.,example.org\nexample.org,\n";
    let run = import(&sandbox, input.as_bytes(), &[]);
    assert_eq!((run.status, &*run.stdout), (Some(0), "example.org\nxn--bcher-kva.example\n"));
    let message = "standard input:3: `ALL` is not a domain, and is left out";
    assert!(run.messages.contains(message), "{run:?}");
    // A file, and addresses.
    let file = sandbox.write("addresses.txt", "ann@example.org\nben@example.org\n");
    let output = command(program()).args(["import", "--domains"]).arg(file).output();
    let output = output.expect("program");
    assert_eq!(output.stdout, b"example.org\n");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(messages.contains("which count for its domain: 2"), "{messages}");
}

#[test]
fn of_many_lines_without_a_domain_the_first_are_named() {
    let sandbox = Sandbox::new();
    let run = import(&sandbox, format!("{}example.org\n", "ALL\n".repeat(50)).as_bytes(), &[]);
    assert_eq!((run.status, &*run.stdout), (Some(0), "example.org\n"));
    assert_eq!(run.messages.matches("`ALL` is not a domain").count(), 20);
    assert!(run.messages.contains("30 more lines that name no domain are left out"), "{run:?}");
}

#[test]
fn hostile_input_ends_with_one_line() {
    let sandbox = Sandbox::new();
    let list = sandbox.path("list");
    for (input, status, message) in [
        (vec![0; 1000], 1, "standard input:1: a control character"),
        (b"\x7fELF\x02\x01\x01\x00".repeat(1000), 1, "standard input:1: a control character"),
        (b"example.org\n\x1b[2Jx\n".to_vec(), 1, "standard input:2: a control character"),
        (vec![b'x'; 1024 * 1024], 1, "standard input:1: the line is longer than 64 KiB"),
        (vec![b'x'; 64 * 1024 * 1024 + 1], 2, "it is larger than 64 MiB"),
        (vec![b'\n'; 1000], 1, "it names no domain"),
        (
            Vec::new(),
            1,
            "standard input: it is empty: the command before this one has failed, or has found nothing",
        ),
        (
            b"ERROR 1045 (28000): Access denied for user 'x'@'localhost' (using password: NO)\n"
                .to_vec(),
            1,
            "standard input:1: a program has failed: `ERROR 1045 (28000): Access denied for user \
             'x'@'localhost' (using password: NO)`; nothing is written",
        ),
        (
            b"example.org\npsql: error: connection to server failed: FATAL:  no such role\n"
                .to_vec(),
            1,
            "standard input:2: a program has failed: `psql: error: connection",
        ),
        (
            b"Error: in prepare, no such table: domain\n".to_vec(),
            1,
            "standard input:1: a program has failed: `Error: in prepare, no such table: domain`",
        ),
        (
            b"# Read me\n\nThe domains of our customers:\n\nexample.org\n\
              Please ask before you add one.\nexample.net\n"
                .to_vec(),
            1,
            "standard input:6: `Please ask before you add one.` does not begin with a domain; expected \
             on each line: a domain, an e-mail address, or a row of CSV, mysql, psql or sqlite3",
        ),
    ] {
        let run = import(&sandbox, &input, &["--list", "list"]);
        assert_eq!((run.status, run.messages.lines().count()), (Some(status), 1), "{run:?}");
        assert!(run.messages.contains(message), "{run:?}");
        assert!(!list.exists());
    }
}

#[test]
fn a_list_is_replaced_only_if_it_changes() {
    let sandbox = Sandbox::new();
    let list = sandbox.path("list");
    let write = |input: &str| import(&sandbox, input.as_bytes(), &["--list", "list"]);
    let run = write("b.example\na.example\n");
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.messages.contains("list: written, 2 domains, 2 new, 0 removed"), "{run:?}");
    let text = || fs::read_to_string(&list).expect("a list");
    assert_eq!(text(), format!("{MARK}a.example\nb.example\n"));
    let state = || fs::metadata(&list).expect("a list");
    assert_eq!(state().permissions().mode() & 0o777, 0o644);

    let before = state();
    let run = write("A.example\nb.example.\na.example\n");
    assert!(run.messages.contains("list: unchanged, 2 domains"), "{run:?}");
    assert_eq!((state().ino(), state().ctime_nsec()), (before.ino(), before.ctime_nsec()));

    // Mode and owner stay, also through a link.
    fs::set_permissions(&list, fs::Permissions::from_mode(0o640)).expect("chmod");
    symlink("list", sandbox.path("link")).expect("a link");
    let run = import(&sandbox, b"a.example\nc.example\n", &["--list", "link"]);
    assert!(run.messages.contains("link: written, 2 domains, 1 new, 1 removed"), "{run:?}");
    assert_eq!(text(), format!("{MARK}a.example\nc.example\n"));
    assert_eq!(state().permissions().mode() & 0o777, 0o640);
    assert!(sandbox.path("link").is_symlink());
    assert_eq!(names(&sandbox.path("")), ["link", "list"], "nothing else stays");
}

#[test]
fn a_list_does_not_lose_most_of_its_domains() {
    let sandbox = Sandbox::new();
    let list = sandbox.path("list");
    let old = format!("{MARK}a.example\nb.example\nc.example\nd.example\n");
    for (input, arguments, message) in [
        ("a.example\nb.example\n", &[][..], None),
        ("a.example\n", &[], Some("only 1 of its 4 domains are in the input, fewer than 50 %")),
        // As many, but others: another database.
        (
            "e.example\nf.example\ng.example\nh.example\n",
            &[],
            Some("only 0 of its 4 domains are in the input"),
        ),
        ("a.example\n", &["--at-least", "25"], None),
        ("a.example\nb.example\nc.example\n", &["--at-least", "76"], Some("only 3 of its 4")),
        ("e.example\n", &["--at-least", "0"], None),
        ("", &[], Some("it is empty")),
        ("ALL\n", &["--at-least", "0"], Some("it names no domain (line 1: `ALL`); expected on")),
        ("a.example\n", &["--force"], None),
        ("", &["--force"], Some("it is empty")),
        ("ALL\n", &["--force"], Some("it names no domain")),
        // A last line that is cut.
        (
            "a.example\nb.example\nc.examp",
            &[],
            Some("`c.examp`, has no end, and the list has c.example"),
        ),
        ("a.example\nb.example\nc", &[], Some("`c`, has no end, and the list has c.example")),
        ("a.example\nb.example\nc.examp", &["--force"], None),
        ("a.example\nb.example\nc.example", &[], None),
        // A new one may be cut, too.
        (
            "a.example\nb.example\nx.exam",
            &[],
            Some("the last line, `x.exam`, has no line end: it may be cut; nothing is written"),
        ),
        ("a.example\nb.example\nx.example", &["--force"], None),
    ] {
        fs::write(&list, &old).expect("a list");
        let run = import(&sandbox, input.as_bytes(), &[&["--list", "list"], arguments].concat());
        let now = fs::read_to_string(&list).expect("a list");
        match message {
            Some(message) => {
                assert_eq!((run.status, &now), (Some(1), &old), "{run:?}");
                assert!(run.messages.contains(message), "{run:?}");
            }
            None => {
                assert_eq!(run.status, Some(0), "{run:?}");
                assert!(now.starts_with(MARK) && now != old, "{now}");
            }
        }
    }
}

/// There is no list to compare with.
#[test]
fn a_first_list_is_not_made_of_an_input_that_is_cut() {
    let sandbox = Sandbox::new();
    let list = sandbox.path("list");
    let message = "the last line, `b.exam`, has no line end: it may be cut";
    let run = import(&sandbox, b"a.example\nb.exam", &["--list", "list"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(run.messages.contains(message) && !list.exists(), "{run:?}");
    let run = import(&sandbox, b"a.example\nb.exam", &["--list", "list", "--force"]);
    assert_eq!((run.status, list.exists()), (Some(0), true), "{run:?}");
    let run = import(&sandbox, b"a.example\nb.exam", &[]);
    assert_eq!((run.status, &*run.stdout), (Some(0), "a.example\nb.exam\n"));
    assert!(run.messages.contains(message), "{run:?}");

    // People leave out the end of the last line of a file.
    fs::remove_file(&list).expect("a list");
    let file = sandbox.write("domains", "a.example\nb.exam");
    for is_standard_input in [false, true] {
        let mut command = command(program());
        command.current_dir(sandbox.path("")).args(["import", "--list", "list", "--domains"]);
        match is_standard_input {
            true => command.arg("-").stdin(fs::File::open(&file).expect("a file")),
            false => command.arg("domains"),
        };
        let output = command.output().expect("program");
        assert_eq!((output.status.code(), list.exists()), (Some(0), true));
        let messages = String::from_utf8_lossy(&output.stderr);
        assert_eq!(messages.contains(message), !is_standard_input, "{messages}");
    }
}

#[test]
fn a_list_of_another_writer_is_not_replaced() {
    let sandbox = Sandbox::new();
    let list = sandbox.write("list", "# My domains\na.example\n");
    let run = import(&sandbox, b"a.example\nb.example\n", &["--list", "list"]);
    assert_eq!(run.status, Some(1));
    assert!(run.messages.contains("was not written by `mailsetup import --domains`"), "{run:?}");
    assert_eq!(fs::read_to_string(&list).expect("a list"), "# My domains\na.example\n");
    let run = import(&sandbox, b"a.example\nb.example\n", &["--list", "list", "--force"]);
    assert!(run.messages.contains("list: written, 2 domains, 1 new, 0 removed"), "{run:?}");
    assert_eq!(fs::read_to_string(&list).expect("a list"), format!("{MARK}a.example\nb.example\n"));
    let kept = fs::read_to_string(sandbox.path("list.bak")).expect("the old list");
    assert_eq!(kept, "# My domains\na.example\n");
    // The next one does not replace the first.
    let run = import(&sandbox, b"c.example\n", &["--list", "list", "--force"]);
    assert!(run.messages.contains("1 new, 2 removed; the old list: list.bak.1"), "{run:?}");
    let kept = fs::read_to_string(sandbox.path("list.bak")).expect("the first list");
    assert_eq!(kept, "# My domains\na.example\n");
    // What is the same is not kept.
    let run = import(&sandbox, b"c.example\n", &["--list", "list", "--force"]);
    assert!(run.messages.contains("list: unchanged, 1 domain"), "{run:?}");
    assert_eq!(names(&sandbox.path("")), ["list", "list.bak", "list.bak.1"]);
    // An empty file has no writer.
    fs::write(&list, "").expect("a file");
    assert_eq!(import(&sandbox, b"a.example\n", &["--list", "list"]).status, Some(0));

    fs::create_dir(sandbox.path("folder")).expect("a folder");
    symlink("nowhere", sandbox.path("dangling")).expect("a link");
    for (path, message) in [
        ("folder", "folder: it is not a file"),
        ("list/below", "list/below: Not a directory"),
        ("/dev/full", "/dev/full: it is not a file"),
        ("dangling", "dangling: it is a link to nowhere, which does not exist"),
    ] {
        let run = import(&sandbox, b"a.example\n", &["--list", path]);
        assert_eq!(run.status, Some(2), "{run:?}");
        assert!(run.messages.contains(message), "{run:?}");
    }
}

#[test]
fn files_of_domains_are_created_and_never_changed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("domains.d");
    let own = sandbox.write("domains.d/ex/example.com.toml", "imap.host = 'imap.example.com'\n");
    let gone = sandbox.write("domains.d/go/gone.example.toml", "");
    let config =
        sandbox.write("config.toml", "[domains]\ndirectory = 'domains.d'\ndirectory_letters = 2\n");
    let config = config.to_str().expect("a path");
    let input = b"example.com\nexample.net\texample.org\nexample.org\na.example\n";
    let arguments = ["--directory", "domains.d", "--config", config];
    let run = import(&sandbox, input, &arguments);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.messages.contains("domains.d: files written: 3; there already: 1"), "{run:?}");
    assert!(run.messages.contains("not in the input stay: gone.example"), "{run:?}");
    assert_eq!(names(&folder), ["a", "ex", "go"]);
    assert_eq!(
        names(&folder.join("ex")),
        ["example.com.toml", "example.net.toml", "example.org.toml"]
    );
    assert_eq!(fs::read_to_string(&own).expect("a file"), "imap.host = 'imap.example.com'\n");
    assert!(gone.exists());
    let alias = fs::read_to_string(folder.join("ex/example.net.toml")).expect("a file");
    assert!(alias.ends_with("alias_of = \"example.org\"\n"), "{alias}");
    let show = |address: &str| {
        let mut show = command(program());
        let output = show.args(["--config", config, "show", address]).output().expect("program");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(show("ann@example.net").contains("<hostname>mail.example.org</hostname>"));
    assert!(show("ann@a.example").contains("<hostname>mail.a.example</hostname>"));

    let run = import(&sandbox, input, &arguments);
    assert!(run.messages.contains("files written: 0; there already: 4"), "{run:?}");
    assert_eq!(run.status, Some(0), "{run:?}");

    // A link that leads to nothing, and a folder, are no files of a domain. The others are written.
    symlink("nowhere", folder.join("ex/example.de.toml")).expect("a link");
    fs::create_dir(folder.join("ex/example.fr.toml")).expect("a folder");
    let more = [&input[..], b"example.de\nexample.fr\nexample.se\n"].concat();
    let run = import(&sandbox, &more, &arguments);
    assert_eq!(run.status, Some(2), "{run:?}");
    for message in [
        "domains.d: files written: 1; there already: 4",
        "domains.d/ex/example.de.toml: it is a link to nowhere, which does not exist",
        "domains.d/ex/example.fr.toml: it is not a file",
        "domains.d: 2 domains without settings, because their place is taken",
    ] {
        assert!(run.messages.contains(message), "{message}: {run:?}");
    }
    assert!(folder.join("ex/example.se.toml").exists());
    assert_eq!(import(&sandbox, b"ALL\n", &arguments).status, Some(1));
    assert_eq!(import(&sandbox, b"", &[&arguments[..], &["--force"]].concat()).status, Some(1));
    assert_eq!(import(&sandbox, b"a.exam", &arguments).status, Some(1));
    assert_eq!(import(&sandbox, b"a.example", &arguments).status, Some(0));

    // A folder that the configuration does not name has no sub-folders.
    fs::create_dir(sandbox.path("other")).expect("a folder");
    let run = import(&sandbox, input, &["--directory", "other", "--config", config]);
    assert!(run.messages.contains("other: the configuration does not name this folder"), "{run:?}");
    assert!(sandbox.path("other/example.org.toml").exists());
    assert_eq!(import(&sandbox, input, &["--directory", "missing"]).status, Some(2));
}

/// A statement of one's own may lack the semicolon, which is not needed on a command line.
#[test]
fn the_export_takes_statements_in_each_form() {
    let sandbox = Sandbox::new();
    let path = |name: &str| sandbox.path(name).display().to_string();
    fs::create_dir(sandbox.path("bin")).expect("a folder");
    symlink(program(), sandbox.path("bin/mailsetup")).expect("a link");
    let table = "CREATE TABLE t (d); INSERT INTO t VALUES ('example.org'), ('example.net');";
    let made = command("sqlite3").arg(path("db")).arg(table).status().expect("sqlite3");
    assert!(made.success());
    for (statement, is_right) in [
        ("SELECT d FROM t;\n", true),
        ("SELECT d FROM t", true),
        ("SELECT d FROM t\n-- the last one; of all", true),
        ("SELECT d FROM t; -- the last one", true),
        ("/* of t */ SELECT d FROM t; /* the last one */", true),
        ("SELECT x FROM t", false),
    ] {
        fs::remove_file(path("list")).ok();
        let statement = sandbox.write("statement.sql", statement);
        let mut export = command(source("contrib/export/mailsetup-export-domains"));
        export.args(["sqlite3", &path("db")]).arg(&statement).arg(path("list"));
        export.env("PATH", format!("{}:/usr/bin:/bin", path("bin")));
        let output = export.output().expect("the script");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), is_right, "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        let list = fs::read_to_string(path("list")).ok();
        assert_eq!(list, is_right.then(|| format!("{MARK}example.net\nexample.org\n")), "{said}");
    }
}

#[test]
fn options_that_exclude_each_other() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["--list", "a", "--directory", "b"][..],
        &["--list", "a", "--stdout"],
        &["--at-least", "101", "--list", "a"],
        &["--at-least", "10"],
        &["config-v1.1.xml"],
    ] {
        let run = import(&sandbox, b"a.example\n", arguments);
        assert_eq!(run.status, Some(2), "{arguments:?}: {run:?}");
    }
    assert!(names(&sandbox.path("")).is_empty());
}

/// Without domains, a configuration would be written, and no list.
#[test]
fn options_about_domains_need_domains() {
    let sandbox = Sandbox::new();
    for (option, value) in [("--list", "a"), ("--directory", "b"), ("--at-least", "90")] {
        let output = command(program())
            .args(["import", option, value, "config-v1.1.xml"])
            .current_dir(sandbox.path(""))
            .output()
            .expect("program");
        assert_eq!(output.status.code(), Some(2), "{option}");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(option), "{message}");
    }
}
