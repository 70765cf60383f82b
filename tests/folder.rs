//! A folder of domains with patterns, with sub-folders, and with files that have errors.

use crate::common::http::Request;
use crate::common::{Sandbox, cgi, command, program, wait_until};
use crate::reload::Running;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Longer than a change takes to settle.
const SETTLED: Duration = Duration::from_millis(1500);

fn check(config: &Path) -> String {
    let output =
        command(program()).arg("check").arg("--config").arg(config).output().expect("program");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The host of the first server over CGI, else the status.
fn over_cgi(config: &Path, domain: &str) -> String {
    let path = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
    let request = Request::get(path).host("x.invalid");
    let config = [("MAILSETUP_CONFIG", config.as_os_str())];
    let response = cgi::send(&program(), &request, &config).expect("an answer");
    let text = response.text();
    match text.split_once("<hostname>") {
        Some((_, rest)) => rest.split('<').next().expect("a host").to_owned(),
        None => response.status.to_string(),
    }
}

#[test]
fn the_host_may_have_as_many_aliases_as_the_address() {
    let sandbox = Sandbox::new();
    for name in ["a", "b"] {
        for number in 0..8 {
            let text = format!("alias_of = '{name}{}.example'\n", number + 1);
            sandbox.write(&format!("d/{name}{number}.example.toml"), &text);
        }
        sandbox
            .write(&format!("d/{name}8.example.toml"), format!("imap.host = '{name}.invalid'\n"));
    }
    let config = sandbox.write("c.toml", "domains.directory = 'd'\n");
    let request = Request::get("/mail/config-v1.1.xml?emailaddress=ann@a0.example");
    let request = request.host("autoconfig.b0.example");
    let config = [("MAILSETUP_CONFIG", config.as_os_str())];
    let response = cgi::send(&program(), &request, &config).expect("an answer");
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.text().contains("<hostname>a.invalid<"), "{}", response.text());
}

//------------ patterns ------------------------------------------------------

#[test]
fn a_file_may_be_for_a_pattern() {
    let sandbox = Sandbox::new();
    let file = |name: &str, text: &str| sandbox.write(&format!("d/{name}.toml"), text);
    file("*.example.org", "imap.host = 'wide.invalid'\n");
    file("*.a.example.org", "imap.host = 'narrow.invalid'\n");
    file("x.a.example.org", "imap.host = 'own.invalid'\n");
    file("*.both.example", "imap.host = 'file.invalid'\n");
    file("*.a.both.example", "imap.host = 'narrow-file.invalid'\n");
    file("*.xn--bcher-kva.example", "alias_of = 'x.a.example.org'\n");
    let text = "domains.directory = 'd'\n[domain.'*']\nimap.host = 'all.invalid'\n\
                [domain.'*.both.example']\nimap.host = 'table.invalid'\n\
                [domain.'*.t.example.org']\nimap.host = 'narrow-table.invalid'\n";
    let config = sandbox.write("c.toml", text);
    let cases = [
        ("x.a.example.org", "own.invalid"),
        ("y.a.example.org", "narrow.invalid"),
        ("a.example.org", "wide.invalid"),
        ("x.t.example.org", "narrow-table.invalid"),
        ("t.example.org", "wide.invalid"),
        ("example.org", "404"),
        ("other.example", "404"),
        ("b.both.example", "table.invalid"),
        // Of two patterns the longer counts, in a file or in a table.
        ("b.a.both.example", "narrow-file.invalid"),
        ("b.xn--bcher-kva.example", "own.invalid"),
    ];
    for (domain, expected) in cases {
        assert_eq!(over_cgi(&config, domain), expected, "{domain}");
    }
    let found = check(&config);
    assert!(
        found.contains(
            "c.toml:4:9: the file *.both.example.toml is not used, because the pattern also has a \
             table; remove one of them [domain-file]"
        ),
        "{found}"
    );
    assert!(found.ends_with(": 1 warning; 1 domain and 6 patterns\n"), "{found}");
    let service = Running::start(sandbox, text);
    for _ in 0..2 {
        for (domain, expected) in cases {
            assert!(wait_until(|| service.host(domain) == expected), "{domain}");
        }
    }
}

/// A change of a pattern's file is followed like that of a domain.
#[test]
fn the_file_of_a_pattern_is_followed() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("d/*.example.org.toml", "imap.host = 'one.invalid'\n");
    let service = Running::start(sandbox, "domains.directory = 'd'\n");
    let is = |host: &str| wait_until(|| service.host("a.b.example.org") == host);
    assert!(is("one.invalid"));
    fs::write(&file, "imap.host = 'two.invalid'\n").expect("write");
    assert!(is("two.invalid"));
    fs::write(&file, "imap.port = 0\n").expect("write");
    assert!(wait_until(|| {
        assert_eq!(service.host("a.b.example.org"), "two.invalid");
        service.process.output().contains("imap.port: 0")
    }));
    let own = service.sandbox.write("d/a.b.example.org.toml", "imap.host = 'own.invalid'\n");
    assert!(is("own.invalid"));
    fs::remove_file(own).expect("remove");
    assert!(is("two.invalid"));
    fs::remove_file(file).expect("remove");
    assert!(is("404"));
}

/// A broken file of a pattern concerns the domains below it, and no others.
#[test]
fn check_reads_the_files_of_patterns() {
    let sandbox = Sandbox::new();
    sandbox.write("d/*.broken.example.toml", "imap.port = 0\n");
    sandbox.write("d/*.plain.example.toml", "\nimap = { security = 'none', port = 143 }\n");
    sandbox.write("d/*.circle.example.toml", "alias_of = 'a.circle.example'\n");
    sandbox.write("d/fine.broken.example.toml", "smtp.port = 465\n");
    for name in ["*", "*broken.example", "a.*.example", "*.Upper.example"] {
        sandbox.write(&format!("d/{name}.toml"), "");
    }
    let config = sandbox.write("c.toml", "domains.directory = 'd'\n");
    let found = check(&config);
    for expected in [
        "d/*.broken.example.toml:1:13: imap.port: 0 is not",
        "d/*.plain.example.toml:2:21: imap: ",
        "d/*.circle.example.toml:1:12: its alias leads to `a.circle.example`, which is invalid or \
         part of a circle",
        "d/*.toml: the table for all domains is [domain.\"*\"] in the configuration file; this file \
         is ignored [domain-file]",
        "d/*broken.example.toml: the file name is not a domain name or a pattern",
        "d/a.*.example.toml: the file name is not a domain name or a pattern",
        "d/*.Upper.example.toml: rename it to *.upper.example.toml",
    ] {
        assert!(found.contains(expected), "{expected} in {found}");
    }
    let service = Running::start(sandbox, "domains.directory = 'd'\n");
    assert_eq!(service.host("a.broken.example"), "503");
    let config = service.sandbox.path("c.toml");
    assert_eq!(over_cgi(&config, "fine.broken.example"), "mail.fine.broken.example");
    assert_eq!(over_cgi(&config, "other.example"), "404");
}

//------------ sub-folders ---------------------------------------------------

#[test]
fn files_lie_in_sub_folders() {
    let sandbox = Sandbox::new();
    sandbox.write("d/ex/example.org.toml", "imap.host = 'one.invalid'\npage.logo = 'l.svg'\n");
    sandbox.write("d/ex/l.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>\n");
    sandbox.write("d/ex/*.example.org.toml", "imap.host = 'pattern.invalid'\n");
    sandbox.write("d/a/a.example.toml", "alias_of = 'example.org'\n");
    let text = "[domains]\ndirectory = 'd'\ndirectory_letters = 2\n";
    let config = sandbox.write("c.toml", text);
    assert!(check(&config).ends_with("no errors, no warnings; 2 domains and 1 pattern\n"));
    for (domain, expected) in [
        ("example.org", "one.invalid"),
        ("x.example.org", "pattern.invalid"),
        ("a.example", "one.invalid"),
        ("other.example", "404"),
    ] {
        assert_eq!(over_cgi(&config, domain), expected, "{domain}");
    }
}

#[test]
fn a_file_in_another_place_is_a_finding() {
    let sandbox = Sandbox::new();
    sandbox.write("d/ex/example.org.toml", "smtp.port = 465\n");
    sandbox.write("d/ex/*.example.org.toml", "");
    sandbox.write("d/flat.example.toml", "");
    sandbox.write("d/xx/wrong.example.toml", "");
    // These are not files of domains.
    sandbox.write("d/notes.txt", "");
    sandbox.write("d/ex/theme.toml", "");
    let path = |name: &str| sandbox.path("d").join(name).display().to_string();
    let config =
        |letters: &str| sandbox.write("c.toml", format!("[domains]\ndirectory = 'd'\n{letters}"));
    let split = config("directory_letters = 2\n");
    let message = "this file is not used: by domains.directory_letters, its place is";
    let expected = format!(
        "warning: {}: {message} {}; 1 more file is in a wrong place, too; move it there, or correct \
         the key [domain-file-place]\n",
        path("flat.example.toml"),
        path("fl/flat.example.toml")
    );
    assert!(check(&split).contains(&expected), "{}", check(&split));
    assert_eq!(over_cgi(&split, "example.org"), "mail.example.org");
    assert_eq!(over_cgi(&split, "flat.example"), "404");
    let flat = config("");
    let expected = format!(
        "warning: {}: {message} {}; 2 more files are in a wrong place, too;",
        path("ex/*.example.org.toml"),
        path("*.example.org.toml")
    );
    assert!(check(&flat).contains(&expected), "{}", check(&flat));
    assert_eq!(over_cgi(&flat, "example.org"), "404");
    for letters in ["5", "-1"] {
        let found = check(&config(&format!("directory_letters = {letters}\n")));
        let message = format!(
            "c.toml:3:21: domains.directory_letters: {letters} is not a number from 0 to 4 \
             [letters-range]"
        );
        assert!(found.contains(&message), "{found}");
    }
}

/// What holds for files in the folder holds for those in sub-folders.
#[test]
fn changes_below_sub_folders_are_followed() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("d/ex/example.org.toml", "imap.host = 'one.invalid'\n");
    sandbox.write("d/ot/other.example.toml", "imap.host = 'other.invalid'\n");
    sandbox.write("list", "exlisted.example\n");
    let text = "[domains]\ndirectory = 'd'\ndirectory_letters = 2\nlist_files = ['list']\n";
    let service = Running::start(sandbox, text);
    let is = |domain: &str, host: &str| wait_until(|| service.host(domain) == host);
    assert!(is("example.org", "one.invalid") && is("other.example", "other.invalid"));
    // Edited, half written, emptied, with errors.
    fs::write(&file, "imap.host = 'two.invalid'\nimap.port = 993\n").expect("write");
    assert!(is("example.org", "two.invalid"));
    for text in ["imap.host = 'two.inv", "", "imap.port = 0\n"] {
        fs::write(&file, text).expect("write");
        thread::sleep(SETTLED);
        assert_eq!(service.host("example.org"), "two.invalid", "{text}");
    }
    fs::write(&file, "imap.host = 'three.invalid'\n").expect("write");
    assert!(is("example.org", "three.invalid"));
    // A sub-folder that is missing: what is in force stays, and others are not there.
    let (folder, away) = (service.sandbox.path("d/ex"), service.sandbox.path("away"));
    fs::rename(&folder, &away).expect("rename");
    thread::sleep(SETTLED);
    for _ in 0..5 {
        assert_eq!(service.host("example.org"), "three.invalid");
        assert_eq!(service.host("exotic.example"), "404");
        assert_eq!(service.host("exlisted.example"), "mail.exlisted.example");
        assert_eq!(service.host("other.example"), "other.invalid");
    }
    let log = service.process.output();
    assert_eq!(log.matches("d/ex: cannot be read: it is missing; keeping").count(), 1, "{log}");
    // Another one in its place, which is empty.
    fs::create_dir(&folder).expect("mkdir");
    thread::sleep(SETTLED);
    assert_eq!(service.host("example.org"), "three.invalid");
    assert_eq!(service.host("exotic.example"), "503");
    fs::remove_dir(&folder).expect("rmdir");
    fs::rename(&away, &folder).expect("rename");
    assert!(is("example.org", "three.invalid") && is("exotic.example", "404"));
    // The whole folder.
    let (folder, away) = (service.sandbox.path("d"), service.sandbox.path("away"));
    fs::rename(&folder, &away).expect("rename");
    thread::sleep(SETTLED);
    assert_eq!(service.host("example.org"), "three.invalid");
    assert_eq!(service.host("exotic.example"), "503");
    fs::rename(&away, &folder).expect("rename");
    assert!(is("exotic.example", "404"));
    // A new sub-folder, and a removed file.
    service.sandbox.write("d/ne/new.example.toml", "imap.host = 'new.invalid'\n");
    assert!(is("new.example", "new.invalid"));
    fs::remove_file(&file).expect("remove");
    assert!(is("example.org", "404"));
    service.wait_for_log("d/ex/example.org.toml: the file was removed");
    // A signal confirms that a sub-folder is gone.
    fs::remove_dir_all(service.sandbox.path("d/ne")).expect("rm");
    thread::sleep(SETTLED);
    assert_eq!(service.host("new.example"), "new.invalid");
    service.hang_up();
    assert!(is("new.example", "404"));
}

/// The files stay in force while they are moved into sub-folders.
#[test]
fn letters_may_be_set_later() {
    let sandbox = Sandbox::new();
    let flat = sandbox.write("d/example.org.toml", "imap.host = 'one.invalid'\n");
    let service = Running::start(sandbox, "[domains]\ndirectory = 'd'\n");
    assert!(wait_until(|| service.host("example.org") == "one.invalid"));
    fs::create_dir(service.sandbox.path("d/ex")).expect("mkdir");
    fs::hard_link(&flat, service.sandbox.path("d/ex/example.org.toml")).expect("link");
    service.sandbox.write("c.toml", "[domains]\ndirectory = 'd'\ndirectory_letters = 2\n");
    service.wait_for_log("configuration reloaded");
    fs::remove_file(flat).expect("remove");
    for _ in 0..20 {
        assert_eq!(service.host("example.org"), "one.invalid");
        thread::sleep(Duration::from_millis(100));
    }
}

//------------ many broken files ---------------------------------------------

/// Each is one response, and the log is not flooded.
#[test]
fn many_files_with_errors_do_not_flood_the_log() {
    const FILES: usize = 400;
    let sandbox = Sandbox::new();
    let many: String = (0..25).map(|n| format!("[[imap.alternatives]]\nport = -{n}\n")).collect();
    for number in 0..FILES {
        let text = if number % 2 == 0 { "" } else { &many };
        sandbox.write(&format!("d/d{number}.example.toml"), text);
    }
    let service = Running::start(sandbox, "domains.directory = 'd'\n");
    for number in 0..FILES {
        let domain = format!("d{number}.example");
        let expected = if number % 2 == 0 { format!("mail.{domain}") } else { "503".to_owned() };
        assert!(wait_until(|| service.host(&domain) == expected), "{domain}");
    }
    let lines = || service.process.output().lines().filter(|line| line.contains("port")).count();
    let count = lines();
    assert!((1..=250).contains(&count), "{count} lines");
    for number in 0..FILES {
        fs::remove_file(service.sandbox.path(&format!("d/d{number}.example.toml"))).expect("rm");
    }
    thread::sleep(SETTLED);
    for number in 0..FILES {
        assert_eq!(service.host(&format!("d{number}.example")), "404");
    }
    let log = service.process.output();
    let count = log.lines().filter(|line| !line.contains("method=")).count();
    assert!(count <= 300, "{count} lines");
}

#[test]
fn check_prints_the_first_of_very_many_findings() {
    let sandbox = Sandbox::new();
    for number in 0..450 {
        let text = match number {
            0..240 => "\nimap.port = 0\nsmtp.port = 0\n".to_owned(),
            _ => {
                format!(
                    "imap = {{ port = 143, security = 'none' }}\nprovider.name = 'No. {number}'\n"
                )
            }
        };
        sandbox.write(&format!("d/d{number:03}.example.toml"), text);
    }
    let config = sandbox.write("c.toml", "domains.directory = 'd'\n");
    let found = check(&config);
    let folder = sandbox.path("d").display().to_string();
    // Two findings for each of the first hundred files.
    assert_eq!(found.matches("[port-range]").count(), 200);
    let more = format!("error: {folder}: 140 more files of domains have errors [more-findings]\n");
    assert!(found.contains(&more), "{found}");
    assert_eq!(found.matches("[security-none]").count(), 201);
    let more = format!(
        "warning: {folder}: 10 more findings of this kind in files of domains [security-none]\n"
    );
    assert!(found.contains(&more), "{found}");
    assert!(found.lines().count() <= 410, "{found}");
}
