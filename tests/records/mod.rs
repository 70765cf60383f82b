//! `mailsetup dns` for many domains, and its formats.
//!
//! `fixtures/dns/config.toml` has records of all kinds. What each format says of them is in
//! `fixtures/dns/golden`; `UPDATE_GOLDEN=1` rewrites it.

mod tools;

use crate::common::{Sandbox, command, program, source, write};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// The options of the golden files.
const OPTIONS: [&str; 9] = [
    "--all",
    "--zone",
    "example.org",
    "--web-host",
    "www.hoster.example",
    "--autodiscover-srv",
    "autodiscover.hoster.example",
    "--ttl",
    "300",
];

fn fixture(name: &str) -> PathBuf {
    source("tests/fixtures/dns").join(name)
}

fn dns(config: &Path, arguments: &[&str]) -> Output {
    let mut mailsetup = command(program());
    mailsetup.arg("--config").arg(config).arg("dns").args(arguments);
    mailsetup.output().expect("program")
}

/// Standard output of a run without errors.
fn printed(config: &Path, arguments: &[&str]) -> String {
    let output = dns(config, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Exit status, standard output and standard error.
fn run(config: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = dns(config, arguments);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("a status"), text(output.stdout), text(output.stderr))
}

/// What a format says of the fixture.
fn of_fixture(format: &str) -> String {
    printed(&fixture("config.toml"), &[&OPTIONS[..], &["--format", format]].concat())
}

/// The records of zone lines.
fn records(zone: &str) -> Vec<&str> {
    zone.lines().filter(|line| !line.is_empty() && !line.starts_with(';')).collect()
}

fn golden(name: &str, found: &str) {
    let file = fixture("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        write(&file, found);
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{name} has changed; write it with UPDATE_GOLDEN=1, and read it");
    assert!(found.is_ascii(), "{name}");
}

//------------ formats --------------------------------------------------------

#[test]
fn formats_for_all_domains() {
    for format in ["zone", "json", "nsupdate", "powerdns", "terraform"] {
        golden(&format!("all.{format}"), &of_fixture(format));
    }
}

/// An address, in a zone above the domain.
#[test]
fn formats_for_an_address() {
    let arguments =
        ["filed.example.org", "--zone=example.org", "--web-host=192.0.2.80", "--format"];
    for format in ["zone", "json", "nsupdate", "octodns", "powerdns", "terraform"] {
        let found = printed(&fixture("any.toml"), &[&arguments[..], &[format]].concat());
        golden(&format!("address.{format}"), &found);
    }
}

/// octoDNS has a file for each zone, and sorts its names: `2` is before `10`.
#[test]
fn files_of_octodns() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("");
    let folder = folder.to_str().expect("UTF-8");
    let arguments = [&OPTIONS[..], &["--format", "octodns", "--directory", folder]].concat();
    assert_eq!(printed(&fixture("config.toml"), &arguments), "");
    for name in ["example.org.yaml", "xn--bcher-kva.example.yaml"] {
        golden(name, &fs::read_to_string(sandbox.path(name)).expect("a file"));
    }
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), 6);
}

#[test]
fn the_lines_are_those_of_a_zone_file() {
    let sandbox = Sandbox::new();
    let soa = "$ORIGIN example.\n@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS ns.hoster.test.\n";
    let lines = of_fixture("zone");
    // Domains in another zone than `example.` are left out by the checker.
    let lines: Vec<_> = lines.lines().filter(|line| !line.contains("example.org. ")).collect();
    let file = sandbox.write("zone", format!("{soa}{}\n", lines.join("\n")));
    let checked = sandbox.path("checked");
    let mut checker = command("named-checkzone");
    let output =
        checker.args(["-i", "local", "-o"]).arg(&checked).arg("example").arg(file).output();
    let output = output.expect("named-checkzone");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = fs::read_to_string(checked).expect("a zone");
    let strings = text.lines().find(|line| line.contains("path=/calendars")).expect("a TXT record");
    assert_eq!(strings.matches("\" \"").count(), 1, "two strings: {strings}");
}

/// A record is said twice: as text, and in fields. Its schema knows all of it.
#[test]
fn json_says_the_same_and_is_described() {
    let text = of_fixture("json");
    let found: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let zone = of_fixture("zone");
    let lines = records(&zone);
    assert_eq!(found.len(), lines.len());
    for (record, line) in found.iter().zip(&lines) {
        let text = |key: &str| record[key].as_str().unwrap_or_default();
        let words: Vec<_> = line.splitn(5, ' ').collect();
        assert_eq!((text("name"), words[0]), (words[0], text("name")));
        assert!(line.contains(&format!(" 300 IN {:<5} {}", text("type"), text("data"))), "{line}");
        assert!(text("name").ends_with(&format!(".{}.", text("domain"))), "{record}");
        assert!(text("name").ends_with(&format!(".{}", text("zone"))), "{record}");
        let data = match text("type") {
            "A" => text("address").to_owned(),
            "CNAME" => text("target").to_owned(),
            "SRV" => {
                let [priority, weight, port] = ["priority", "weight", "port"].map(|it| &record[it]);
                format!("{priority} {weight} {port} {}", text("target"))
            }
            "TXT" => {
                let joined = text("data").trim_matches('"').replace("\" \"", "");
                assert_eq!(text("text"), joined);
                continue;
            }
            other => panic!("{other}"),
        };
        assert_eq!(data, text("data"));
    }
    let schema = fs::read_to_string(source("contrib/mailsetup-dns.schema.json")).expect("schema");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let mut missing = found[0].clone();
    missing.as_object_mut().expect("a record").remove("data");
    let mut unknown = found[0].clone();
    unknown["type"] = "MX".into();
    let documents = serde_json::json!([found, [missing], [unknown], found[0]]);
    let input = serde_json::json!({ "schema": schema, "documents": documents });
    let mut python = command("/usr/bin/python3");
    python.arg(source("probe/tests/validate.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().expect("python3");
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(input.to_string().as_bytes()).expect("documents");
    drop(stdin);
    let output = python.wait_with_output().expect("python3");
    assert!(output.status.success(), "it needs the package python3-jsonschema");
    let mistakes: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).expect("JSON");
    let counts: Vec<_> = mistakes.iter().map(|it| it.is_empty()).collect();
    assert_eq!(counts, [true, false, false, false], "{mistakes:#?}");
}

#[test]
fn jq_reads_json_as_documented() {
    let page = fs::read_to_string(source("docs/dns.md")).expect("a page");
    let line =
        page.lines().find_map(|line| line.split_once("--format json | ")).expect("a command");
    let mut jq =
        command("sh").args(["-c", line.1]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let jq = jq.as_mut().expect("sh");
    jq.stdin.take().expect("a pipe").write_all(of_fixture("json").as_bytes()).expect("JSON");
    let mut text = String::new();
    jq.stdout.take().expect("a pipe").read_to_string(&mut text).expect("text");
    assert!(jq.wait().expect("jq").success());
    assert!(text.contains("_imaps._tcp.example.org.\t993\tmail.hoster.example.\n"), "{text}");
}

/// What the other formats rely on.
#[test]
fn a_name_has_one_record_of_a_type_and_nothing_beside_an_alias() {
    let zone = of_fixture("zone");
    let mut seen = BTreeSet::new();
    let mut aliases = BTreeSet::new();
    for line in records(&zone) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert!(seen.insert((words[0], words[3])), "{line}");
        if words[3] == "CNAME" {
            aliases.insert(words[0]);
        }
    }
    assert!(aliases.len() > 5);
    for (name, kind) in seen {
        assert!(kind == "CNAME" || !aliases.contains(name), "{name} {kind}");
    }
}

/// A host named in an SRV record was made an alias, which RFC 2782 forbids.
#[test]
fn a_mail_server_is_not_an_alias() {
    let sandbox = Sandbox::new();
    let text = "imap.host = 'autodiscover.example.org'\nsmtp.host = 'mail.example.org'\n\
                pop3.enabled = false\ncaldav.url = 'https://autoconfig.example.org/x'\n";
    let config = sandbox.write("c.toml", text);
    let zone = printed(&config, &["example.org", "--web-host", "www.example.net", "--soa"]);
    assert!(!zone.contains("CNAME www"), "{zone}");
    let hosts = "autodiscover.example.org. IN A 192.0.2.1\nmail.example.org. IN A 192.0.2.1\n\
                 autoconfig.example.org. IN A 192.0.2.1\n";
    let file = sandbox.write("zone", zone + hosts);
    crate::common::run(command("named-checkzone").arg("example.org").arg(file));
    // The target of this record is the web server's own name.
    let arguments = [
        "a.example",
        "--web-host",
        "www.a.example",
        "--autodiscover-srv",
        "autodiscover.a.example",
    ];
    let zone = printed(&config, &arguments);
    assert!(zone.contains("\nautodiscover.a.example. ") && zone.contains("CNAME www"), "{zone}");
}

/// Each resource has the arguments that the provider documents, and its name is a valid one that no
/// other has; together they say what the zone lines say.
#[test]
fn resources_for_terraform_are_those_of_the_provider() {
    let found: serde_json::Value = serde_json::from_str(&of_fixture("terraform")).expect("JSON");
    let resources = found["resource"].as_array().expect("a list");
    let zone = of_fixture("zone");
    let lines = records(&zone);
    assert_eq!(resources.len(), lines.len());
    let only = |value: &serde_json::Value| {
        let object = value.as_object().filter(|it| it.len() == 1).expect("one");
        object.iter().next().map(|(key, value)| (key.clone(), value.clone())).expect("one")
    };
    let mut names = BTreeSet::new();
    for (resource, line) in resources.iter().zip(lines) {
        let (kind, resource) = only(resource);
        let (name, arguments) = only(&resource);
        let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(name.chars().all(is_valid), "{name}");
        assert!(name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'), "{name}");
        assert!(names.insert((kind.clone(), name.clone())), "{kind} {name}");
        let text = |key: &str| arguments[key].as_str().expect("text");
        let (kind, own, data) = match kind.as_str() {
            "dns_cname_record" => ("CNAME", "cname", text("cname").to_owned()),
            "dns_txt_record_set" => {
                let text = arguments["txt"][0].as_str().expect("text");
                // The provider splits it.
                let (one, other) = text.split_at(text.len().min(255));
                let strings: Vec<_> =
                    [one, other].into_iter().filter(|it| !it.is_empty()).collect();
                ("TXT", "txt", format!("\"{}\"", strings.join("\" \"")))
            }
            "dns_srv_record_set" => {
                let srv = &arguments["srv"][0];
                let target = srv["target"].as_str().expect("text");
                let numbers = ["priority", "weight", "port"].map(|key| srv[key].to_string());
                ("SRV", "srv", format!("{} {target}", numbers.join(" ")))
            }
            other => panic!("{other}"),
        };
        let keys: BTreeSet<_> = arguments.as_object().expect("arguments").keys().collect();
        assert_eq!(
            keys,
            BTreeSet::from(["zone", "name", "ttl", own].map(str::to_owned).each_ref())
        );
        let owner = format!("{}.{}", text("name"), text("zone"));
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words.join(" "), format!("{owner} {} IN {kind} {data}", arguments["ttl"]));
    }
}

//------------ which domains --------------------------------------------------

#[test]
fn all_are_those_that_are_named_in_order() {
    let config = fixture("config.toml");
    let named = [
        "address.example",
        "alias.example",
        "10.example.org",
        "2.example.org",
        "example.org",
        "mail.example.org",
        "filed.example",
        "listed.example",
        "xn--bcher-kva.example",
    ];
    let one_by_one = |domains: &[&str]| {
        let each = domains.iter().map(|domain| printed(&config, &[domain]));
        each.collect::<Vec<_>>().join("\n")
    };
    let all = printed(&config, &["--all", "--zone", "example.org"]);
    assert!(all == one_by_one(&named), "{all}");
    // Several are in the same order, and each is there once.
    let some = ["bücher.example", "2.example.org", "10.example.org", "XN--BCHER-KVA.example."];
    let sorted = ["10.example.org", "2.example.org", "xn--bcher-kva.example"];
    assert!(printed(&config, &some) == one_by_one(&sorted));
    // Of two zones that fit, the longer one.
    let zones = ["a.b.example", "c.example", "--zone", "example.", "--zone", "b.EXAMPLE"];
    assert!(run(&config, &zones).2.contains("--zone: example. is not a domain name"));
    let zones = ["a.x.example.org", "b.example.org", "--zone=example.org", "--zone=x.example.org"];
    let json = printed(&config, &[&zones[..], &["--json"]].concat());
    let found: Vec<serde_json::Value> = serde_json::from_str(&json).expect("JSON");
    let zones: BTreeSet<_> = found
        .iter()
        .map(|record| (record["domain"].as_str().expect("text"), record["zone"].as_str()))
        .collect();
    let expected =
        [("a.x.example.org", Some("x.example.org.")), ("b.example.org", Some("example.org."))];
    assert_eq!(zones, BTreeSet::from(expected));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let config = fixture("config.toml");
    for (arguments, status, says) in [
        (&[][..], 2, "required"),
        (&["--all", "example.org"], 2, "cannot be used with"),
        (&["example.org", "b"], 2, "b is not a domain name"),
        (&["ann@example.org"], 2, "did you mean example.org?"),
        (&["example.org", "--zone", "example.net"], 2, "--zone: no domain is in example.net"),
        (&["example.org", "--ttl", "2147483648"], 2, "--ttl"),
        (&["example.org", "--ttl=-1"], 2, "--ttl"),
        (&["example.org", "--json", "--soa"], 2, "cannot be used with"),
        (&["example.org", "--format", "json", "--soa"], 2, "--soa needs --format zone"),
        (&["example.org", "--json", "--format", "zone"], 2, "cannot be used with"),
        (&["--all", "--soa"], 2, "--soa: there are several zones"),
        (&["--all", "--format", "octodns"], 2, "--format: there are several zones"),
        (&["example.org", "--json", "--directory", "/tmp"], 2, "--directory: this format"),
    ] {
        let (found, stdout, stderr) = run(&config, arguments);
        assert_eq!((found, &*stdout), (status, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
    }
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.answer = 'any'\n");
    let (status, stdout, stderr) = run(&config, &["--all"]);
    assert_eq!((status, &*stdout), (1, ""));
    assert!(stderr.contains("--all: the configuration names no domain"), "{stderr}");
}

#[test]
fn of_many_domains_those_with_errors_are_reported() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.directory = 'd'\n[domain.'a.example']\n");
    sandbox.write("d/b.example.toml", "imap.port = 'x'\n");
    sandbox.write("d/c.example.toml", "imap.host = 'imap.c.example'\n");
    sandbox.write("d/d.example.toml", "alias_of = 'none.example'\n");
    let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(44)].join(".");
    sandbox.write(&format!("d/{long}.toml"), "");
    let (status, stdout, stderr) = run(&config, &["--all"]);
    assert_eq!(status, 1, "{stderr}");
    let both = printed(&config, &["a.example", "c.example"]);
    assert!(stdout == both, "{stdout}");
    for says in [
        "the settings of b.example cannot be used",
        "the settings of d.example cannot be used",
        "is too long for SRV records",
        "imap.port",
    ] {
        assert!(stderr.contains(says), "{stderr}");
    }
    let (status, stdout, stderr) = run(&config, &["c.example", "other.example", "--json"]);
    assert_eq!(status, 1);
    assert!(stderr.contains("other.example is not a configured domain"), "{stderr}");
    let found: Vec<serde_json::Value> = serde_json::from_str(&stdout).expect("JSON");
    assert!(found.iter().all(|record| record["domain"] == "c.example"), "{stdout}");
    // If there is none, there is no empty array either.
    assert_eq!(run(&config, &["b.example", "--json"]).1, "");
}

/// `mailsetup dns --all | head` is not an error, and the output does not wait for the last domain.
#[test]
fn a_reader_may_stop() {
    let sandbox = Sandbox::new();
    let list: String = (0..3000).map(|number| format!("d{number}.example\n")).collect();
    sandbox.write("list", list);
    let config = sandbox.write("c.toml", "domains.list_files = ['list']\n");
    let mut mailsetup = command(program());
    mailsetup.arg("--config").arg(&config).args(["dns", "--all"]);
    let mut mailsetup =
        mailsetup.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("program");
    let mut stdout = mailsetup.stdout.take().expect("a pipe");
    let mut beginning = [0; 100];
    stdout.read_exact(&mut beginning).expect("the beginning");
    assert!(beginning.starts_with(b"; Mail set-up for d0.example"));
    drop(stdout);
    let output = mailsetup.wait_with_output().expect("program");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{}: {stderr}", output.status);
}

//------------ files ----------------------------------------------------------

#[test]
fn a_file_for_each_zone_changes_only_if_it_must() {
    let sandbox = Sandbox::new();
    let text = "domains.directory = 'd'\n[domain.'a.example']\n[domain.'b.example']\n";
    let config = sandbox.write("c.toml", text);
    let folder = sandbox.path("zones");
    for folder in [&folder, &sandbox.path("d")] {
        fs::create_dir(folder).expect("a folder");
    }
    let folder = folder.to_str().expect("UTF-8");
    let written = |arguments: &[&str]| {
        run(&config, &[&["--all", "--soa", "--directory", folder], arguments].concat())
    };
    let nothing = (0, String::new(), String::new());
    assert_eq!(written(&[]), nothing);
    let names = || {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        entries.map(|it| name(it).into_string().expect("UTF-8")).collect::<BTreeSet<_>>()
    };
    assert_eq!(names(), ["a.example.zone", "b.example.zone"].map(str::to_owned).into());
    let path = |name: &str| Path::new(folder).join(name);
    let read = |name: &str| fs::read_to_string(path(name)).expect("a file");
    assert_eq!(read("a.example.zone"), printed(&config, &["a.example", "--soa"]));
    crate::common::run(command("named-checkzone").arg("b.example").arg(path("b.example.zone")));
    // The same content: the same file.
    let inode = |name: &str| fs::metadata(path(name)).expect("a file").ino();
    let before = inode("a.example.zone");
    assert_eq!(written(&[]), nothing);
    assert_eq!(inode("a.example.zone"), before);
    // Another content of the same length, and of another.
    for ttl in ["3601", "1"] {
        assert_eq!(written(&["--ttl", ttl]), nothing);
        assert!(read("a.example.zone").contains(&format!(" {ttl} IN SOA")));
    }
    // Files of others are kept; the rest is written.
    fs::write(path("a.example.zone"), "; mine\n").expect("a file");
    let (status, _, stderr) = written(&["--ttl", "2"]);
    assert_eq!(status, 1);
    assert!(stderr.contains("a.example.zone: this file was not written by"), "{stderr}");
    assert_eq!(read("a.example.zone"), "; mine\n");
    assert!(read("b.example.zone").contains(" 2 IN SOA"));
    fs::remove_file(path("a.example.zone")).expect("remove");
    std::os::unix::fs::symlink("b.example.zone", path("a.example.zone")).expect("a link");
    assert_eq!(written(&["--ttl", "2"]).0, 1);
    fs::remove_file(path("a.example.zone")).expect("remove");
    // A zone with a domain that has errors keeps its file: it would lose the records.
    sandbox.write("d/x.b.example.toml", "imap.port = 'x'\n");
    let (status, _, stderr) = written(&["--ttl", "5", "--zone", "b.example"]);
    assert_eq!(status, 1);
    assert!(stderr.contains("b.example: the file of this zone is not written"), "{stderr}");
    assert!(read("b.example.zone").contains(" 2 IN SOA"));
    assert!(read("a.example.zone").contains(" 5 IN SOA"));
    assert_eq!(names(), ["a.example.zone", "b.example.zone"].map(str::to_owned).into());
    let (status, _, stderr) = run(&config, &["a.example", "--directory", "/nowhere"]);
    // One line, not one for each zone.
    let message = "--directory: /nowhere is not a folder; create it first\n";
    assert_eq!((status, stderr.ends_with(message), stderr.lines().count()), (2, true, 1));
}
