//! `mailsetup import`: inputs of every kind with the configuration that is made of them, and what is
//! said about them. `UPDATE_GOLDEN=1` rewrites both; read them.

use crate::common::{Sandbox, command, program, source};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// The files of a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("directory entry").path()).collect();
    entries.sort();
    entries
}

fn fixtures() -> Vec<PathBuf> {
    let folders = entries(&source("tests/fixtures/import"));
    folders.into_iter().filter(|path| path.is_dir()).collect()
}

/// The inputs of a fixture, by name.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    let names =
        entries(folder).into_iter().map(|path| PathBuf::from(path.file_name().expect("a name")));
    names.filter(|name| !name.to_string_lossy().starts_with("expected.")).collect()
}

fn import(folder: &Path, arguments: &[&str], files: &[PathBuf]) -> Output {
    let mut import = command(program());
    import.current_dir(folder).arg("import").args(arguments).args(files);
    import.output().expect("program")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn every_input_becomes_the_expected_configuration() {
    let sandbox = Sandbox::new();
    for folder in fixtures() {
        let output = import(&folder, &["--stdout"], &inputs(&folder));
        let (made, said) = (text(&output.stdout), text(&output.stderr));
        if cfg!(not(feature = "sign")) && folder.ends_with("profile-signed") {
            assert!(said.contains("built without the feature"), "{said}");
            continue;
        }
        let status = output.status.code().expect("a status");
        assert_eq!(status, i32::from(made.is_empty()), "{}: {said}", folder.display());
        let name = folder.file_name().expect("a name").to_string_lossy();
        assert_eq!(made.is_empty(), name.starts_with("error-"), "{name}: {said}");
        if !made.is_empty() {
            let file = sandbox.write("config.toml", &made);
            let mut check = command(program());
            let check = check.arg("--config").arg(&file).arg("check").output().expect("program");
            assert!(check.status.success(), "{}:\n{}", folder.display(), text(&check.stderr));
        }
        for (name, text) in [("expected.toml", made), ("expected.notes", said)] {
            let path = folder.join(name);
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                match text.is_empty() {
                    true => drop(fs::remove_file(&path)),
                    false => fs::write(&path, &text).expect("writable"),
                }
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(text, expected, "{}: UPDATE_GOLDEN=1 rewrites it", path.display());
        }
    }
}

/// The values of an input that are not in the configuration are in the messages.
#[test]
fn every_value_is_carried_or_named() {
    for folder in fixtures() {
        let read = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let all = read("expected.toml") + &read("expected.notes");
        for input in inputs(&folder) {
            // What several inputs say is there once.
            let is_one = inputs(&folder).len() == 1 && folder.join("expected.toml").exists();
            if !is_one || input.extension().is_none_or(|it| it != "env") {
                continue;
            }
            for line in fs::read_to_string(folder.join(&input)).expect("text").lines() {
                let Some((key, value)) = line.trim_start_matches("export ").split_once('=') else {
                    continue;
                };
                let value = &value.replace("user:never-shown@", "***@");
                let is_set = !value.is_empty() && !key.starts_with('#');
                let is_said = !is_set || all.contains(key) || all.contains(value);
                assert!(is_said, "{}: {line}", folder.display());
            }
        }
    }
}

#[test]
fn no_secret_is_repeated() {
    let mut with_secrets = 0;
    for folder in fixtures() {
        for path in entries(&folder) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let is_expected =
                path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("expected."));
            with_secrets += usize::from(text.contains("never-shown"));
            assert!(!is_expected || !text.contains("never-shown"), "{}", path.display());
        }
    }
    assert!(with_secrets > 3, "{with_secrets}");
}

/// The statement in the manual is the one that the fixtures were made with.
#[test]
fn the_statement_for_automx2_prints_what_is_imported() {
    let manual = fs::read_to_string(source("man/mailsetup.1.in")).expect("the manual");
    for line in mailsetup::import::STATEMENT.lines() {
        let line = line.trim().replace('\'', "\\(aq");
        assert!(manual.contains(&line), "{line}");
    }
    let schema = fs::read_to_string(source("tests/fixtures/import/automx2.sql")).expect("a dump");
    let sandbox = Sandbox::new();
    let sqlite = |arguments: &[&str], input: &str| {
        let mut sqlite = command("sqlite3");
        sqlite.current_dir(sandbox.path("")).args(arguments);
        let started = sqlite.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut started =
            started.inspect_err(|error| eprintln!("skipped: sqlite3: {error}")).ok()?;
        started.stdin.take().expect("piped").write_all(input.as_bytes()).expect("sqlite3 reads");
        Some(started.wait_with_output().expect("sqlite3").stdout)
    };
    if sqlite(&["automx2.db"], &schema).is_none() {
        return;
    }
    let rows =
        sqlite(&["-json", "automx2.db", mailsetup::import::STATEMENT], "").expect("installed");
    let fixture = source("tests/fixtures/import/automx2-database/rows.json");
    assert_eq!(text(&rows), fs::read_to_string(fixture).expect("rows"));
}

#[test]
fn hostile_files_end_with_one_line() {
    let sandbox = Sandbox::new();
    let nested = |depth| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nservices:\n".to_owned()
        + &(0..60_000).map(|at| format!("  s{at}: {{environment: *a}}\n")).collect::<String>();
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("large", vec![b'A'; 64 << 20]),
        ("binary", (0..=255).cycle().take(1 << 20).collect()),
        ("nul", b"IMAP_HOST=a\0b\nSMTP_HOST=\0\n".to_vec()),
        ("nested.json", nested(100_000).into_bytes()),
        ("brackets", vec![b'['; 4 << 20]),
        ("dashes", b"- ".repeat(2 << 20)),
        ("bomb.yaml", bomb.into_bytes()),
        ("empty", Vec::new()),
        ("quotes", b"A=\"".repeat(1 << 20)),
        ("braces", b"IMAP_HOST=${".repeat(300_000)),
        (
            "sections",
            b"[automx]\n".iter().copied().chain(b"[a.b]\n[c.d]\n".repeat(200_000)).collect(),
        ),
        (
            "names",
            [
                b"[automx]\n".to_vec(),
                (0..300_000).flat_map(|at| format!("[{at}.x]\n").into_bytes()).collect(),
            ]
            .concat(),
        ),
        (
            "domains",
            [b"IMAP_SOCKET_TYPE=SSL\nALLOWED_DOMAINS=".to_vec(), b"a.example,".repeat(400_000)]
                .concat(),
        ),
        ("define", b"<?php define('SERVICE_NAME', '".repeat(100_000)),
        (
            "seed.json",
            [
                b"{\"servers\":[],\"domains\":[".to_vec(),
                b"\"a\",".repeat(1 << 20),
                b"\"b\"]}".to_vec(),
            ]
            .concat(),
        ),
    ];
    for (name, bytes) in inputs {
        let file = sandbox.path(name);
        fs::write(&file, &bytes).expect("writable");
        let started = Instant::now();
        let output = import(&sandbox.path(""), &["--stdout"], &[PathBuf::from(name)]);
        let said = text(&output.stderr);
        let status = if said.contains("it is larger than") { 2 } else { 1 };
        assert_eq!(output.status.code(), Some(status), "{name}: {said}");
        assert!(output.stdout.is_empty(), "{name}");
        let is_note =
            |line: &&str| line.starts_with("not carried over:") || line.starts_with("note:");
        let errors = said.lines().filter(|line| !is_note(line));
        assert_eq!(errors.count(), 1, "{name}: {said}");
        assert!(said.len() < 4096, "{name}: {} bytes", said.len());
        assert!(started.elapsed() < Duration::from_secs(20), "{name}: {:?}", started.elapsed());
    }
}

/// Files of every kind of text in UTF-8 and UTF-16, with and without a byte order mark, and in
/// ISO-8859-1, give the same configuration.
#[test]
fn other_encodings_are_read_or_named() {
    let sandbox = Sandbox::new();
    let fixture = |name| fs::read_to_string(source("tests/fixtures/import").join(name));
    for name in [
        "autoconfig-static/input.xml",
        "pox-dav/input.xml",
        "profile-mail/input.mobileconfig",
        "php-heredoc/input.php",
        "env-solarssk/solarssk.env",
        "automx-sample/automx.conf",
        "automx2-seed/seed.json",
    ] {
        let text = fixture(name).expect("a fixture");
        let file = Path::new(name).file_name().expect("a name");
        let run = |bytes: Vec<u8>| {
            let path = sandbox.path(file.to_str().expect("text"));
            fs::write(path, bytes).expect("writable");
            let output = import(&sandbox.path(""), &["--stdout"], &[PathBuf::from(file)]);
            (self::text(&output.stdout), self::text(&output.stderr))
        };
        let utf16 = |text: &str, to_bytes: fn(u16) -> [u8; 2]| {
            text.encode_utf16().flat_map(to_bytes).collect::<Vec<_>>()
        };
        let marked = format!("\u{feff}{text}");
        let expected = run(text.clone().into_bytes());
        assert!(!expected.0.is_empty(), "{name}: {}", expected.1);
        for bytes in [
            marked.clone().into_bytes(),
            utf16(&text, u16::to_le_bytes),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
        ] {
            let start: Vec<_> = bytes[..4].to_vec();
            assert_eq!(run(bytes), expected, "{name}: {start:?}");
        }
        // A letter in another encoding, in a comment at the end.
        let comment = match text.trim_start().starts_with('<') {
            true => "<!-- Zo\u{eb} -->",
            false if name.ends_with("json") => continue,
            false => "# Zo\u{eb}",
        };
        let text = text.replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"");
        let is_declared = text.contains("ISO-8859-1");
        let latin: String = format!("{text}\n{comment}\n");
        let (made, said) = run(latin.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect());
        assert_eq!(said.contains("was read as ISO-8859-1"), !is_declared, "{name}: {said}");
        // Long comments have further lines.
        let [made, plain] = [&made, &expected.0].map(|text| text.replace("\n#   ", " "));
        let made: Vec<_> = made.lines().filter(|it| !it.contains("read as ISO-8859-1")).collect();
        assert_eq!(made.join("\n").trim_end(), plain.trim_end(), "{name}");
        let text = text.replace("encoding=\"ISO-8859-1\"", "encoding=\"windows-1251\"");
        let mut bytes = text.into_bytes();
        bytes.extend(b"# \x93\xe0\x94\n");
        let (made, said) = run(bytes);
        let encoding = if is_declared { "windows-1251" } else { "ENCODING" };
        let command = format!("`iconv -f {encoding} -t UTF-8 FILE >NEW` converts");
        assert!(made.is_empty() && said.contains(&command), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
    }
}

/// A file that is given twice changes nothing, and its messages are not repeated.
#[test]
fn a_file_that_is_given_twice_is_said_once() {
    for folder in fixtures().into_iter().filter(|folder| folder.join("expected.toml").exists()) {
        let once = inputs(&folder);
        let twice: Vec<_> = once.iter().chain(&once).cloned().collect();
        let [once, twice] = [once, twice].map(|files| import(&folder, &["--stdout"], &files));
        assert_eq!(text(&twice.stderr), text(&once.stderr), "{}", folder.display());
        assert_eq!(text(&twice.stdout), text(&once.stdout), "{}", folder.display());
    }
}

#[test]
fn files_are_not_overwritten_and_standard_input_is_read() {
    let sandbox = Sandbox::new();
    let env = source("tests/fixtures/import/env-solarssk/solarssk.env");
    let target = sandbox.write("config.toml", "# mine\n");
    let run = |arguments: &[&str]| {
        let mut import = command(program());
        import.arg("--config").arg(&target).arg("import").args(arguments);
        import.stdin(fs::File::open(&env).expect("the fixture"));
        import.output().expect("program")
    };
    let output = run(&["-"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&target).expect("a file"), "# mine\n");
    let output = run(&["--force", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let made = fs::read_to_string(&target).expect("a file");
    assert!(made.contains("# Seen: standard input:8: IMAP_HOST=mail.example.org"), "{made}");
    assert_eq!(fs::read_to_string(sandbox.path("config.toml.bak")).expect("a file"), "# mine\n");
    let steps = text(&output.stdout);
    assert!(steps.contains("\n     Remove the old rules for the same paths.\n"), "{steps}");
    let missing = run(&["--stdout", "nowhere"]);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(text(&missing.stderr).lines().count(), 1);
    assert_eq!(run(&[]).status.code(), Some(2));
    let twice = run(&["--stdout", "-", "-"]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(text(&twice.stderr).contains("- can be given once"), "{}", text(&twice.stderr));
    let mut empty = command(program());
    let empty = empty.args(["import", "--stdout", "-"]).stdin(Stdio::piped()).output();
    let empty = empty.expect("program");
    assert_eq!(empty.status.code(), Some(1));
    let said = "standard input: it is empty: the command before this one has failed";
    assert!(text(&empty.stderr).contains(said), "{}", text(&empty.stderr));
}

/// Each kind of file that the help lists has a fixture, and no other kind has one.
#[test]
fn each_kind_has_a_fixture() {
    let help = command(program()).args(["import", "--help"]).output().expect("program");
    let help = text(&help.stdout);
    let (_, list) = help.split_once("The kinds are:\n").expect("a list");
    let known: Vec<_> = list.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let mut seen = BTreeSet::new();
    for folder in fixtures() {
        let made = fs::read_to_string(folder.join("expected.toml")).unwrap_or_default();
        // Long comments have further lines.
        let made = made.replace("\n#   ", " ");
        for line in made.lines().take_while(|line| line.starts_with("# Imported from ")) {
            let kind = line.split(": ").nth(1).expect("a kind").trim_end_matches('.');
            let listed = known.iter().find(|known| known.starts_with(kind));
            seen.insert(*listed.unwrap_or_else(|| panic!("{kind} is not in the help")));
        }
    }
    assert_eq!(seen.len(), known.len(), "{known:?}");
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
}

/// A package places a file without settings: it is not of the admin, until somebody changes it.
#[test]
fn the_file_of_a_package_is_replaced_and_kept() {
    let sandbox = Sandbox::new();
    let input = vec![source("tests/fixtures/import/autoconfig-1.2/input.xml")];
    let packaged = fs::read_to_string(source("packaging/config.toml")).expect("the file");
    let run = |content: &str| {
        let target = sandbox.write("config.toml", content);
        import(&sandbox.path(""), &["--config", target.to_str().expect("text")], &input)
    };
    // Where the schema lies differs.
    let moved = packaged.replace("/usr/local/share", "/usr/share");
    for content in [&packaged, &moved] {
        let output = run(content);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let kept = fs::read_to_string(sandbox.path("config.toml.bak")).expect("kept");
        assert_eq!(&kept, content);
        assert!(fs::read_to_string(sandbox.path("config.toml")).expect("it").contains("[imap]"));
        fs::remove_file(sandbox.path("config.toml.bak")).expect("removed");
    }
    let noted = format!("{packaged}# mine\n");
    let set = format!("{packaged}imap.host = 'imap.example.org'\n");
    for content in ["", "\n", "# mine\n", "[imap]\n", "broken", &*noted, &*set] {
        let output = run(content);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("--force overwrites it"), "{content}");
        assert_eq!(fs::read_to_string(sandbox.path("config.toml")).expect("it"), content);
        assert!(!sandbox.path("config.toml.bak").exists());
    }
}

/// The service runs as another user: it enters the folder and reads the file, whatever the umask is.
#[test]
fn the_umask_does_not_lock_the_service_out() {
    let sandbox = Sandbox::new();
    let target = sandbox.path("etc/mailsetup/config.toml");
    let list = sandbox.path("var/lists/domains");
    let input = source("tests/fixtures/import/autoconfig-1.2/input.xml");
    let script = "umask 077; \"$1\" import --config \"$2\" \"$3\" && \
                  echo example.org | \"$1\" import --domains - --list \"$4\"";
    let mut shell = command("sh");
    shell.args(["-c", script, "sh"]).arg(program()).arg(&target).arg(&input).arg(&list);
    let output = shell.output().expect("sh");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for (path, mode) in [("etc", 0o755), ("etc/mailsetup", 0o755), ("var/lists", 0o755)]
        .into_iter()
        .chain([("etc/mailsetup/config.toml", 0o644), ("var/lists/domains", 0o644)])
    {
        let meta = fs::metadata(sandbox.path(path)).expect("it is there");
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{path}");
    }
}

/// A configuration that could not be loaded is not written, and no good one is replaced by it.
#[test]
fn a_configuration_that_is_too_large_is_not_written() {
    let sandbox = Sandbox::new();
    let rows: Vec<_> = (0..4000)
        .flat_map(|number| {
            let row = |kind: &str, port: u16| {
                format!(
                    "{{\"provider\":\"p{number}\",\"short_name\":\"p\",\"domains\":\"d{number}.example\",\
                     \"ldapserver\":null,\"type\":\"{kind}\",\"prio\":10,\"host\":\"m.d{number}.example\",\
                     \"port\":{port},\"socket_type\":\"SSL\",\"user_name\":\"%EMAILADDRESS%\",\
                     \"authentication\":\"plain\",\"url\":null}}"
                )
            };
            [row("imap", 993), row("smtp", 465)]
        })
        .collect();
    let input = sandbox.write("rows.json", format!("[{}]", rows.join(",\n")));
    let target = sandbox.write("config.toml", "# nothing\n");
    let output = import(
        &sandbox.path(""),
        &["--force", "--config", target.to_str().expect("text")],
        &[input],
    );
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("it is larger than 2048 KiB"), "{stderr}");
    assert_eq!(fs::read_to_string(&target).expect("there"), "# nothing\n");
}
