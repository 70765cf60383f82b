//! Settings by environment variables: each key has one, with the effect of the key in the file.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{self, Request};
use crate::common::{Process, Sandbox, cgi, command, free_port, program, source, wait_until};
use crate::keys::source::{Key, Shape, Source, literal};
use crate::servers::{listens, local};
use mailsetup::config::environment::variable;
use mailsetup::config::file::DOMAIN_ONLY;
use mailsetup::config::keys;
use mailsetup::config::reader::Kind;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

const ADDRESS: &str = "ann@example.org";
const AUTOCONFIG: &str = "/mail/config-v1.1.xml?emailaddress=ann@example.org";

/// Runs a command with variables; exit status, standard output, standard error.
fn run(
    variables: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)],
    arguments: &[&str],
) -> (i32, String, String) {
    let variables = variables.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    let output = command(program()).envs(variables).args(arguments).output().expect("program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit status"), text(&output.stdout), text(&output.stderr))
}

/// The lines of `check`, without the summary; its exit status is 1.
fn mistakes(variables: &[(&str, &str)]) -> String {
    let (code, stdout, stderr) = run(variables, &["check"]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{variables:?}: {stdout}");
    stdout
}

//------------ every key ------------------------------------------------------

/// Everything is offered, so that every key has an effect.
const ALL: &str = r#"
[imap]
auth = ["oauth2", "password"]
[smtp]
port = 465
auth = ["oauth2", "password"]
[managesieve]
enabled = true
[caldav]
url = "https://dav.example.org/c/"
[carddav]
url = "https://dav.example.org/d/"
[webdav]
url = "https://files.example.org/f/"
[jmap]
url = "https://jmap.example.org/j"
[activesync]
url = "https://eas.example.org/a"
[oauth2]
issuer = "login.example.org"
scope = "imap"
authorization_url = "https://login.example.org/a"
token_url = "https://login.example.org/t"
client_id = "c"
[pacc]
enabled = true
"#;

/// The request of a client that asks for ActiveSync.
const MOBILESYNC: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006">
  <Request>
    <EMailAddress>ann@example.org</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema>
  </Request>
</Autodiscover>
"#;

/// All that the program says about an address.
fn documents(variables: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for arguments in
        [&["show", ADDRESS][..], &["show", ADDRESS, "--client", "page"], &["dns", "example.org"]]
    {
        let (code, stdout, stderr) = run(variables, arguments);
        // A finding has another place; after the code of the key, it is the same.
        let stderr: Vec<_> = stderr.lines().filter_map(|line| line.rsplit(": ").next()).collect();
        text += &format!("{code}\n{stdout}\n{}\n", stderr.join("\n"));
    }
    let request = Request::post("/autodiscover/autodiscover.xml", MOBILESYNC);
    let settings: Vec<_> =
        variables.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
    match cgi::send(&program(), &request.host("autodiscover.example.org"), &settings) {
        // An error has the time.
        Ok(response) => response
            .text()
            .lines()
            .filter(|line| !line.contains("Time="))
            .fold(text, |all, line| all + line + "\n"),
        Err(_) => text,
    }
}

/// A value of the key that is not its default: as it is written in a variable, and in the file.
fn value(key: &Key, table: &str, sandbox: &Sandbox) -> (String, String) {
    let in_quotes = |text: String| (text.clone(), format!("{text:?}"));
    let default = key.doc.row(table, "Default").and_then(literal);
    let number = |number: &str| (number.to_owned(), number.to_owned());
    match &key.shape {
        Shape::Flag if key.name == "enabled" || default == Some("true") => number("false"),
        Shape::Flag => number("true"),
        Shape::Number => number("1234"),
        Shape::Word(_) => in_quotes("none".to_owned()),
        Shape::WordOrWords(_) => ("cram-md5, password".into(), "['cram-md5', 'password']".into()),
        Shape::TextByLanguage => number("{ en = \"Set by it\" }"),
        Shape::Tables(_) if key.name == "alternatives" => number("[{ port = 1234 }]"),
        Shape::Tables(_) => {
            number("[{ url = \"https://example.org/set\", title = { en = \"Set\" } }]")
        }
        Shape::Text => in_quotes(match key.doc.row("", "Value").unwrap_or("text") {
            "URL" => "https://set.example.org/it".to_owned(),
            "host name" => "set.example.org".to_owned(),
            "login" => "%EMAILLOCALPART%".to_owned(),
            "reverse DNS name" => "org.example.set".to_owned(),
            "#rrggbb" => "#7f1234".to_owned(),
            "path" => {
                let content = match key.name.as_str() {
                    "logo" => "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>",
                    _ => "<p>set {{ t.copy }}</p>",
                };
                sandbox.write(&key.name, content).to_str().expect("text").to_owned()
            }
            "address" => "set@example.org".to_owned(),
            "telephone number" => "+1 234 567".to_owned(),
            "text" => "Set \"by\" it\\".to_owned(),
            other => panic!("{}: a value of the kind {other}", key.name),
        }),
        Shape::Texts | Shape::Table(_) => panic!("{} has its own test", key.name),
    }
}

/// The file with another value of a key.
fn with(table: &str, key: &str, value: &str) -> String {
    let header = format!("[{table}]");
    let mut text = String::new();
    let mut is_inside = false;
    for line in ALL.lines() {
        if line.starts_with('[') {
            is_inside = line == header;
        }
        if !is_inside || !line.starts_with(&format!("{key} = ")) {
            text += &format!("{line}\n");
        }
        if line == header {
            text += &format!("{key} = {value}\n");
        }
    }
    match text.contains(&header) {
        true => text,
        false => format!("{text}{header}\n{key} = {value}\n"),
    }
}

/// With its variable set, the program says the same as with the key in the file, and not what it
/// says without both.
#[test]
fn every_key_is_settable() {
    let sandbox = Sandbox::new();
    let source = Source::read();
    let config = |text: String| {
        let path = sandbox.write("c.toml", text);
        path.to_str().expect("text").to_owned()
    };
    let without = documents(&[("MAILSETUP_CONFIG", &config(ALL.to_owned()))]);
    let mut tested = 0;
    for table in source.structs["Tables"].iter().filter(|it| matches!(it.shape, Shape::Table(_))) {
        for key in source.keys(table) {
            let path = [table.name.as_str(), key.name.as_str()];
            // These need a certificate, or exclude each other, and have their own tests.
            let is_tested_below = key.name.starts_with("signing_") || table.name == "login";
            if DOMAIN_ONLY.contains(&&path[..]) || is_tested_below {
                continue;
            }
            let (given, written) = value(key, &table.name, &sandbox);
            let file = config(ALL.to_owned());
            let by_variable = documents(&[("MAILSETUP_CONFIG", &file), (&variable(&path), &given)]);
            let file = config(with(&table.name, &key.name, &written));
            let by_file = documents(&[("MAILSETUP_CONFIG", &file)]);
            assert!(by_variable == by_file, "{path:?} has another effect than in the file");
            // Only its check is seen: no document has a login for ActiveSync.
            if path == ["activesync", "username"] {
                let found = mistakes(&[(&variable(&path), "a b")]);
                assert!(found.contains("MAILSETUP_ACTIVESYNC_USERNAME: activesync.username"));
                continue;
            }
            assert!(by_variable != without, "{path:?} has no effect");
            tested += 1;
        }
    }
    assert!(tested > 60, "{tested}");
}

/// A service with variables, and the address at which it answers HTTP.
fn serve(sandbox: &Sandbox, variables: &[(&str, &str)]) -> (Process, std::net::SocketAddr) {
    let address = local(free_port());
    let mut serve = command(program());
    serve.envs(variables.iter().copied()).args(["serve", "--http", &address.to_string()]);
    (Process::start(sandbox, &mut serve).wait_until(|| listens(address)), address)
}

fn get(address: std::net::SocketAddr, target: &str) -> http::Response {
    let request = Request::get(target).host("x.invalid").header("User-Agent", "seen");
    http::send(address, &request).expect("an answer")
}

/// The keys that are there once: each has a test of its own, and a new one needs one.
#[test]
fn every_key_of_the_service_is_settable() {
    let sandbox = Sandbox::new();
    let list = sandbox.write("domains.txt", "example.net\n");
    let folder = sandbox.path("domains.d");
    fs::create_dir(&folder).expect("mkdir");
    fs::write(folder.join("example.org.toml"), "imap.host = 'own.example.org'\n").expect("file");
    let (list, folder) = (list.to_str().expect("text"), folder.to_str().expect("text"));
    let split = sandbox.path("d");
    let split = split.to_str().expect("text");
    let source = Source::read();
    for table in &source.structs["File"] {
        for key in source.keys(table) {
            let path = format!("{}.{}", table.name, key.name);
            let name = variable(&[&table.name, &key.name]);
            let told = |value: &str| {
                let (process, address) = serve(&sandbox, &[(&name, value)]);
                get(address, AUTOCONFIG);
                assert!(wait_until(|| process.output().contains("x.invalid") || value == "false"));
                process.output()
            };
            match path.as_str() {
                "domains.answer" => {
                    let found = mistakes(&[(&name, "listed")]);
                    assert!(
                        found.contains(&format!("error: {name}: answer = \"listed\"")),
                        "{found}"
                    );
                }
                "domains.list_files" => {
                    let (code, stdout, _) = run(&[(&name, list)], &["dns", "example.net"]);
                    assert_eq!(code, 0, "{stdout}");
                    assert_eq!(run(&[(&name, list)], &["dns", "example.org"]).0, 1);
                }
                "domains.directory" => {
                    let (code, stdout, _) = run(&[(&name, folder)], &["show", ADDRESS]);
                    assert!(code == 0 && stdout.contains("own.example.org"), "{stdout}");
                }
                "domains.directory_letters" => {
                    sandbox.write("d/ex/example.net.toml", "imap.host = 'split.example.org'\n");
                    let directory = variable(&["domains", "directory"]);
                    let split = [(&*directory, split), (&*name, "2")];
                    let (code, stdout, _) = run(&split, &["show", "ann@example.net"]);
                    assert!(code == 0 && stdout.contains("split.example.org"), "{stdout}");
                }
                "log.requests" => {
                    let (process, address) = serve(&sandbox, &[(&name, "false")]);
                    get(address, AUTOCONFIG);
                    drop(get(address, "/"));
                    assert!(!process.output().contains("x.invalid"), "{}", process.output());
                }
                "log.addresses" => assert!(told("full").contains("ann@example.org")),
                "log.client_addresses" => assert!(told("true").contains(" client=127.0.0.1")),
                "log.user_agents" => assert!(told("true").contains(" user_agent=seen")),
                "metrics.path" => {
                    let (_process, address) = serve(&sandbox, &[(&name, "/numbers")]);
                    assert!(get(address, "/numbers").text().contains("mailsetup_"));
                }
                "metrics.health_path" => {
                    let (_process, address) = serve(&sandbox, &[(&name, "/alive")]);
                    assert_eq!(get(address, "/alive").text(), "ok\n");
                }
                "domains.ask_path" => {
                    let (_process, address) = serve(&sandbox, &[(&name, "/ask")]);
                    assert_eq!(get(address, "/ask").text(), "this name needs no certificate\n");
                }
                "limits.body_bytes" => {
                    let (_process, address) = serve(&sandbox, &[(&name, "10")]);
                    let request = Request::post("/autodiscover/autodiscover.xml", MOBILESYNC);
                    assert_eq!(http::send(address, &request).expect("an answer").status, 413);
                }
                // Their effects take long, or many connections; the value is read all the same.
                "limits.parameters_bytes"
                | "limits.connections"
                | "limits.timeout_s"
                | "limits.buffered_bytes"
                | "limits.stop_timeout_s" => {
                    let found = mistakes(&[(&name, "0")]);
                    assert!(found.contains(&format!("error: {name}: {path}: 0 is not")), "{found}");
                    let (code, stdout, _) = run(&[(&name, "1")], &["check"]);
                    let note = format!("note: {name}: sets {path} [variable]");
                    assert!(code == 0 && stdout.contains(&note), "{stdout}");
                }
                _ => panic!("{path} has no test of its variable"),
            }
        }
    }
}

/// Only one source can be set. A server that does not exist is reported by `show`, with its socket.
#[test]
fn the_keys_of_login_are_settable() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domain.'example.org' = {}\n");
    let map = sandbox.write("logins", "ann@example.org set-by-it\n");
    let socket = sandbox.path("no.sock");
    let [config, map, socket] = [&config, &map, &socket].map(|path| path.to_str().expect("text"));
    let show = |variables: &[(&str, &str)]| {
        let variables = [&[("MAILSETUP_CONFIG", config)], variables].concat();
        let (code, stdout, stderr) = run(&variables, &["show", ADDRESS]);
        assert_eq!(code, 0, "{stderr}");
        (stdout.contains("set-by-it"), stderr)
    };
    let by_map = ("MAILSETUP_LOGIN_MAP", map);
    assert_eq!(show(&[by_map]), (true, String::new()));
    assert_eq!(show(&[by_map, ("MAILSETUP_LOGIN_ENABLED", "false")]), (false, String::new()));
    let socketmap = format!("unix:{socket}:logins");
    for (variable, value, named) in [
        ("MAILSETUP_LOGIN_SOCKETMAP", &*socketmap, format!("socketmap {socketmap} fails: ")),
        ("MAILSETUP_LOGIN_USERDB", socket, format!("userdb {socket} fails: ")),
    ] {
        let (is_set, stderr) = show(&[(variable, value)]);
        assert!(!is_set && stderr.contains(&named), "{stderr}");
        let found = mistakes(&[by_map, (variable, value)]);
        assert!(found.contains(&format!("error: {variable}: only one of")), "{found}");
    }
    let found = mistakes(&[("MAILSETUP_LOGIN_TIMEOUT_MS", "9")]);
    assert!(found.contains("error: MAILSETUP_LOGIN_TIMEOUT_MS: login.timeout_ms: 9 is"), "{found}");
}

#[cfg(feature = "sign")]
#[test]
fn the_keys_of_signing_are_settable() {
    let sandbox = Sandbox::new();
    let (certificate, key) = (sandbox.path("c.pem"), sandbox.path("k.pem"));
    crate::common::run(
        command("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate),
    );
    let variables = [
        ("MAILSETUP_APPLE_SIGNING_CERTIFICATE", certificate.to_str().expect("text")),
        ("MAILSETUP_APPLE_SIGNING_KEY", key.to_str().expect("text")),
        ("MAILSETUP_DOMAINS", "example.org"),
    ];
    let arguments = ["show", ADDRESS, "--client", "apple", "--sign"];
    assert_eq!(run(&variables, &arguments).0, 0);
    assert_eq!(run(&variables[2..], &arguments).0, 1);
    let found = mistakes(&variables[..1]);
    assert!(found.contains("error: MAILSETUP_APPLE_SIGNING_CERTIFICATE: "), "{found}");
}

/// The program and the sources have the same keys, and no two keys have one variable.
#[test]
fn every_key_has_a_variable_of_its_own() {
    let source = Source::read();
    let mut names = BTreeSet::new();
    for table in source.structs["Tables"].iter().chain(&source.structs["File"]) {
        let Shape::Table(_) = table.shape else { continue };
        for key in source.keys(table) {
            let path = [table.name.as_str(), key.name.as_str()];
            if !DOMAIN_ONLY.contains(&&path[..]) {
                assert!(names.insert(variable(&path)), "{path:?}");
            }
        }
    }
    // Keys that only pop3 has are in the struct of all servers.
    let of_pop3 = |key: &keys::Key| {
        let of_another = ["imap", "smtp", "managesieve"].contains(&key.path[0]);
        let last = key.path[key.path.len() - 1];
        of_another && ["leave_on_server", "days_on_server", "fetch_at_once"].contains(&last)
    };
    let known = keys::all().into_iter().filter(|key| key.kind != Kind::Table && !of_pop3(key));
    let known: Vec<_> = known.map(|key| variable(&key.path)).collect();
    assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len());
    assert_eq!(known.into_iter().collect::<BTreeSet<_>>(), names);
    for name in ["MAILSETUP_CONFIG", "MAILSETUP_TOML", "MAILSETUP_DOMAINS"] {
        assert!(!names.contains(name));
    }
    // None is ignored as one that Kubernetes sets. A certificate is read only later, and of several
    // sources of logins, the last one is named.
    let is_unread =
        |name: &str| name.contains("SIGNING") || name.ends_with("MAP") && name.contains("LOGIN");
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), "\u{1}")).collect();
    let found = mistakes(&all);
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !is_unread(name) && !found.contains(&format!(": {name}: ")))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "{found}");
}

//------------ mistakes -------------------------------------------------------

#[test]
fn every_mistake_names_the_variable_and_what_is_expected() {
    for (name, value, expected) in [
        ("MAILSETUP_POP3_ENABLED", "\"true\"", "pop3.enabled: the quotes are part of the value"),
        ("MAILSETUP_POP3_ENABLED", "True", "pop3.enabled: `True` must be written `true`"),
        ("MAILSETUP_POP3_ENABLED", "yes", "expected true or false; write true"),
        ("MAILSETUP_POP3_ENABLED", "0", "expected true or false; write false"),
        ("MAILSETUP_POP3_ENABLED", "maybe", "`maybe` is not a valid value; expected true or false"),
        ("MAILSETUP_PROVIDER_NAME", "'Ex'", "provider.name: the quotes are part of the value 'Ex'"),
        ("MAILSETUP_IMAP_PORT", "abc", "imap.port: `abc` is not a number; expected digits only"),
        ("MAILSETUP_IMAP_PORT", "70000", "imap.port: 70000 is not a valid TCP port (1-65535)"),
        ("MAILSETUP_IMAP_PORT", "-1", "`-1` is not a number"),
        ("MAILSETUP_IMAP_PORT", "99999999999999999999", "is too large"),
        ("MAILSETUP_IMAP_HOST", "mail example", "imap.host: `mail example` is not a host name"),
        ("MAILSETUP_IMAP_SECURITY", "TLS", "unknown value `TLS`; did you mean `tls`?"),
        ("MAILSETUP_IMAP_AUTH", "password,plain", "unknown value `plain`"),
        ("MAILSETUP_IMAP_AUTH", "[\"password\"]", "expected a list with commas, without brackets"),
        ("MAILSETUP_DOMAINS", "example.org example.net", "expected commas between domains"),
        ("MAILSETUP_DOMAINS", "example.org,x", "`x` is not a domain name"),
        ("MAILSETUP_DOMAINS", ",", "there is nothing between the commas"),
        ("MAILSETUP_IMAP_ALTERNATIVES", "[{ port = 143", "the value is not TOML"),
        ("MAILSETUP_IMAP_ALTERNATIVES", "[]\nlog.requests = false", "the value is not TOML"),
        ("MAILSETUP_IMAP_ALTERNATIVES", "[{ prt = 143 }]", "did you mean `port`?"),
        ("MAILSETUP_IMAP_ALTERNATIVES", "143", "imap.alternatives: a list in [ ] is expected"),
        ("MAILSETUP_APPLE_DESCRIPTION", "Hello", "expected for example { en = "),
        ("MAILSETUP_IMAP_HOTS", "x", "unknown variable; did you mean MAILSETUP_IMAP_HOST?"),
        (
            "MAILSETUP_IMAP",
            "x",
            "`imap` is a table, and each of its keys has a variable: MAILSETUP_IMAP_",
        ),
        ("MAILSETUP_DOMAIN", "example.org", "did you mean MAILSETUP_DOMAINS?"),
        ("MAILSETUP_DOMAIN_EXAMPLE_ORG_IMAP_HOST", "x", "written in [domain.\"example.org\"]"),
        ("MAILSETUP_ALIAS_OF", "example.org", "written in [domain.\"example.org\"]"),
        ("MAILSETUP_AUTODISCOVER_REDIRECT_URL", "x", "written in [domain.\"example.org\"]"),
        ("mailsetup_imap_port", "993", "names are in capital letters: MAILSETUP_IMAP_PORT"),
        ("Mailsetup_Toml", "x", "names are in capital letters: MAILSETUP_TOML"),
        ("MAILSETUP_VERSION", "0.2.0", "that of the key imap.host is MAILSETUP_IMAP_HOST"),
        ("MAILSETUP_", "x", "unknown variable"),
        ("MAILSETUP_IMAP_DAYS_ON_SERVER", "3", "days_on_server"),
    ] {
        let found = mistakes(&[(name, value)]);
        let lines: Vec<_> = found.lines().collect();
        assert!(lines[0].starts_with(&format!("error: {name}: ")), "{found}");
        assert!(lines[0].contains(expected), "{name}={value}: {found}");
        let summary = "environment variables (no configuration file): 1 error; \
                       this configuration cannot be used";
        assert_eq!(lines[1..], [summary], "{name}={value}");
    }
}

/// As in the file, the place is a member of its own.
#[test]
fn json_names_the_variable() {
    let (code, stdout, _) = run(&[("MAILSETUP_IMAP_PORT", "0")], &["check", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(code, 1);
    assert_eq!(found[0]["variable"], "MAILSETUP_IMAP_PORT");
    assert_eq!(found[0]["file"], serde_json::Value::Null);
    assert_eq!(found[0]["code"], "port-range");
}

/// Nothing in a name or a value reaches a terminal unescaped.
#[test]
fn values_are_never_echoed_unescaped() {
    let hostile = "\u{1b}[31m\u{202e}x\u{7}\r";
    let keys = keys::all();
    let names: Vec<_> = keys.iter().map(|key| variable(&key.path)).collect();
    let mut variables: Vec<(OsString, OsString)> = names
        .iter()
        .map(String::as_str)
        .chain(["MAILSETUP_DOMAINS", "MAILSETUP_TOML", "MAILSETUP_\u{1b}[1m", "MAILSETUP_X\n"])
        .map(|name| (name.into(), hostile.into()))
        .collect();
    variables.push((OsString::from_vec(b"MAILSETUP_\xff".into()), "x".into()));
    variables.push(("MAILSETUP_IMAP_HOST".into(), OsString::from_vec(b"\xff\x1b".into())));
    for arguments in [&["check"][..], &["check", "--json"], &["show", ADDRESS], &["dns", "x.org"]] {
        let (code, stdout, stderr) = run(&variables, arguments);
        let text = stdout + &stderr;
        assert_eq!(code, 1, "{text}");
        let is_bad = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(text.chars().find(is_bad), None, "{text:?}");
    }
    let found = mistakes(&[("MAILSETUP_TOML", "a\u{1b}")]);
    assert!(found.starts_with("error: MAILSETUP_TOML:1:"), "{found}");
    let (_, found, _) =
        run(&[("MAILSETUP_IMAP_HOST", &OsString::from_vec(b"\xff".into()))], &["check"]);
    assert!(found.contains("MAILSETUP_IMAP_HOST: the value is not UTF-8 text"), "{found}");
}

/// The longest value that Linux passes is read within the limits of the file.
#[test]
fn long_values_are_refused_or_read() {
    let names: Vec<_> = (0..9000).map(|number| format!("d{number}.org")).collect();
    let (code, stdout, _) = run(&[("MAILSETUP_DOMAINS", names.join(","))], &["check"]);
    assert!(code == 0 && stdout.contains("9000 domains"), "{}", &stdout[..200]);
    for (name, value) in [
        ("MAILSETUP_IMAP_ALTERNATIVES", "[".repeat(130_000)),
        ("MAILSETUP_IMAP_ALTERNATIVES", "{a.".repeat(40_000)),
        ("MAILSETUP_TOML", "a.".repeat(60_000)),
        ("MAILSETUP_IMAP_HOST", "x".repeat(130_000)),
    ] {
        let found = mistakes(&[(name, &value)]);
        assert!(found.len() < 3000, "{name}: {} bytes", found.len());
    }
}

//------------ what is in force -----------------------------------------------

/// An empty variable is not set; white space around a value is no part of it.
#[test]
fn empty_variables_are_not_set() {
    let empty = [("MAILSETUP_IMAP_HOST", ""), ("MAILSETUP_DOMAINS", " \n"), ("MAILSETUP_TOML", "")];
    let empty = [&empty[..], &[("MAILSETUP_CONFIG", ""), ("MAILSETUP_FOO", "")]].concat();
    let none: [(&str, &str); 0] = [];
    assert_eq!(run(&empty, &["check"]), run(&none, &["check"]));
    let variables = [
        ("MAILSETUP_IMAP_HOST", "imap.example.org\n"),
        ("MAILSETUP_IMAP_PORT", " 0993 "),
        ("MAILSETUP_DOMAINS", "example.org , example.net,\nb\u{fc}cher.example\n"),
    ];
    let (code, stdout, _) = run(&variables, &["check"]);
    assert!(code == 0 && stdout.contains("3 domains"), "{stdout}");
    let (_, stdout, _) = run(&variables, &["show", "ann@xn--bcher-kva.example"]);
    assert!(stdout.contains("<hostname>imap.example.org</hostname>"), "{stdout}");
    let (code, ..) = run(&variables, &["show", "ann@example.com"]);
    assert_eq!(code, 1);
}

/// Those that Kubernetes and Docker set for services called mailsetup, or mailsetup-imap.
#[test]
fn injected_variables_are_ignored() {
    let injected = [
        ("MAILSETUP_SERVICE_HOST", "10.0.0.1"),
        ("MAILSETUP_SERVICE_PORT", "8025"),
        ("MAILSETUP_SERVICE_PORT_HTTP", "8025"),
        ("MAILSETUP_PORT", "tcp://10.0.0.1:8025"),
        ("MAILSETUP_PORT_8025_TCP", "tcp://10.0.0.1:8025"),
        ("MAILSETUP_PORT_8025_TCP_ADDR", "10.0.0.1"),
        ("MAILSETUP_PORT_8025_TCP_PORT", "8025"),
        ("MAILSETUP_PORT_8025_TCP_PROTO", "tcp"),
        ("MAILSETUP_PORT_53_UDP", "udp://10.0.0.1:53"),
        ("MAILSETUP_NAME", "/web/mailsetup"),
        ("MAILSETUP_ENV_PATH", "/usr/bin"),
        ("MAILSETUP_IMAP_SERVICE_HOST", "10.0.0.2"),
        ("MAILSETUP_IMAP_SERVICE_PORT", "993"),
        ("MAILSETUP_IMAP_SERVICE_PORT_IMAPS", "993"),
        ("MAILSETUP_IMAP_PORT", "tcp://10.0.0.2:993"),
        ("MAILSETUP_IMAP_PORT_993_TCP", "tcp://10.0.0.2:993"),
        ("MAILSETUP_IMAP_PORT_993_TCP_ADDR", "10.0.0.2"),
    ];
    let none: [(&str, &str); 0] = [];
    for arguments in [&["check"][..], &["show", ADDRESS]] {
        assert_eq!(run(&injected, arguments), run(&none, arguments));
    }
}

#[test]
fn variables_are_over_the_file_and_check_says_so() {
    let sandbox = Sandbox::new();
    let config = "[imap]\nhost = 'file.example.org'\nport = 1143\n[domain.'example.net']\n\
                  smtp.host = 'own.example.net'\n";
    let config = sandbox.write("c.toml", config);
    let config = config.to_str().expect("text");
    let variables = [
        ("MAILSETUP_CONFIG", config),
        ("MAILSETUP_IMAP_HOST", "set.example.org"),
        ("MAILSETUP_SMTP_HOST", "set.example.org"),
        ("MAILSETUP_DOMAINS", "example.org"),
    ];
    let (code, stdout, _) = run(&variables, &["check", "--strict"]);
    let expected = format!(
        "note: MAILSETUP_DOMAINS: names 1 domain [variable]\n\
         note: MAILSETUP_IMAP_HOST: sets imap.host, instead of {config}:2:8 [variable]\n\
         note: MAILSETUP_SMTP_HOST: sets smtp.host [variable]\n\
         {config}: no errors, no warnings; 2 domains\n"
    );
    assert_eq!((code, stdout), (0, expected));
    // The domains of the file and those of the variable; a domain's own keys are its own.
    for (address, hosts) in [
        ("ann@example.org", ["set.example.org", "set.example.org"]),
        ("ann@example.net", ["set.example.org", "own.example.net"]),
    ] {
        let (_, stdout, _) = run(&variables, &["show", address, "--client", "thunderbird"]);
        let [imap, smtp] = hosts.map(|host| format!("<hostname>{host}</hostname>"));
        assert!(stdout.contains(&imap) && stdout.contains(&smtp), "{address}: {stdout}");
        assert!(stdout.contains("<port>1143</port>"), "{stdout}");
    }
    // A warning about a value names the variable.
    let (_, stdout, _) = run(&[("MAILSETUP_IMAP_AUTH", "ntlm")], &["check"]);
    assert!(stdout.contains("warning: MAILSETUP_IMAP_AUTH: "), "{stdout}");
    // Errors in the file are at their lines.
    let config = sandbox.write("d.toml", "[imap]\nport = 0\n");
    let config = config.to_str().expect("text");
    let variables = [("MAILSETUP_CONFIG", config), ("MAILSETUP_POP3_HOST", "pop.example.org")];
    assert!(mistakes(&variables).starts_with(&format!("error: {config}:2:8: imap.port: 0")));
}

#[test]
fn a_variable_holds_a_whole_configuration() {
    let sandbox = Sandbox::new();
    let toml = "[domain.'example.org']\nimap.host = 'one.example.org'\n\
                [domain.'example.net']\nalias_of = 'example.org'\n";
    let variables = [("MAILSETUP_TOML", toml), ("MAILSETUP_SMTP_HOST", "set.example.org")];
    let (code, stdout, _) = run(&variables, &["show", "ann@example.net"]);
    assert!(code == 0 && stdout.contains("one.example.org"), "{stdout}");
    assert!(stdout.contains("set.example.org"), "{stdout}");
    let (code, stdout, _) = run(&variables, &["check"]);
    assert!(
        code == 0 && stdout.contains("\nnote: MAILSETUP_TOML: is the configuration"),
        "{stdout}"
    );
    assert!(stdout.ends_with("MAILSETUP_TOML: no errors, no warnings; 2 domains\n"), "{stdout}");
    let found = mistakes(&[("MAILSETUP_TOML", "[imap]\nport = 0\n")]);
    assert!(found.starts_with("error: MAILSETUP_TOML:2:8: imap.port: 0 is not"), "{found}");
    // Two sources are one too many; the option is taken before both.
    let file = sandbox.write("c.toml", "[domain.'example.com']\n");
    let file = file.to_str().expect("text");
    let both = [("MAILSETUP_TOML", toml), ("MAILSETUP_CONFIG", file)];
    assert!(mistakes(&both).contains("set only one of the two"));
    let (code, stdout, _) = run(&both, &["--config", file, "check"]);
    assert_eq!(code, 0, "{stdout}");
    let note = format!("note: MAILSETUP_TOML: is not used, because the configuration is {file}");
    assert!(stdout.contains(&note), "{stdout}");
}

/// Relative paths begin at the folder of the file; without a file, at that of the usual one.
#[test]
fn paths_begin_at_the_folder_of_the_configuration() {
    let sandbox = Sandbox::new();
    sandbox.write("page.html", "<p>of the folder {{ t.copy }}</p>");
    let file = sandbox.write("c.toml", "");
    let file = file.to_str().expect("text");
    let page = ["show", ADDRESS, "--client", "page"];
    let named = [("MAILSETUP_CONFIG", file), ("MAILSETUP_PAGE_TEMPLATE", "page.html")];
    let (_, stdout, _) = run(&named, &page);
    assert!(stdout.contains("of the folder"), "{stdout}");
    let found = mistakes(&named[1..]);
    assert!(found.contains("/etc/mailsetup/page.html cannot be read"), "{found}");
}

/// The variables stay in force when the file changes, and with a signal.
#[test]
fn variables_outlive_a_reload() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("c.toml", "[domain.'example.org']\nsmtp.host = 'one.example.org'\n");
    let name = file.to_str().expect("text");
    let (process, address) =
        serve(&sandbox, &[("MAILSETUP_CONFIG", name), ("MAILSETUP_IMAP_HOST", "set.example.org")]);
    assert!(process.output().contains("settings from environment variables: MAILSETUP_IMAP_HOST"));
    let has = |host: &str| get(address, AUTOCONFIG).text().contains(host);
    assert!(has("set.example.org") && has("one.example.org"));
    for (number, signal) in [(1, false), (2, true)] {
        let host = format!("smtp{number}.example.org");
        let text =
            format!("imap.host = 'x.example.org'\n[domain.'example.org']\nsmtp.host = '{host}'\n");
        fs::write(&file, text).expect("write");
        if signal {
            kill(Pid::from_raw(process.id() as i32), Signal::SIGHUP).expect("signal");
        }
        assert!(wait_until(|| has(&host)), "{}", process.output());
        assert!(has("set.example.org"), "{}", process.output());
    }
}

//------------ requests -------------------------------------------------------

/// A web server sets variables of a CGI program; a client, and the parameters of FastCGI, do not.
#[test]
fn requests_do_not_set_variables() {
    let ours = |response: http::Response| {
        assert_eq!(response.status, 200);
        assert!(response.text().contains("<hostname>mail.example.org</hostname>"));
    };
    let named = ["MAILSETUP_IMAP_HOST", "HTTP_MAILSETUP_IMAP_HOST", "REDIRECT_MAILSETUP_IMAP_HOST"];
    let request = || {
        ["Mailsetup-Imap-Host", "MAILSETUP_IMAP_HOST", "X-MAILSETUP_IMAP_HOST"]
            .iter()
            .fold(Request::get(AUTOCONFIG), |request, name| request.header(name, "evil.example"))
    };
    let redirected = [("REDIRECT_MAILSETUP_IMAP_HOST", OsStr::new("evil.example"))];
    ours(cgi::send(&program(), &request(), &redirected).expect("an answer"));
    let set = [("MAILSETUP_IMAP_HOST", OsStr::new("set.example.org"))];
    let response = cgi::send(&program(), &request(), &set).expect("an answer");
    assert!(response.text().contains("<hostname>set.example.org</hostname>"));
    // A mistake of the admin is a 500, and does not reach the client.
    let wrong = [("MAILSETUP_IMAP_PORT", OsStr::new("abc"))];
    let error = cgi::send(&program(), &request(), &wrong).expect_err("a message in the log");
    assert!(error.to_string().contains("MAILSETUP_IMAP_PORT: imap.port: `abc`"), "{error}");

    let sandbox = Sandbox::new();
    let (http_address, fastcgi) = (local(free_port()), local(free_port()));
    let mut serve = command(program());
    serve.args(["serve", "--http", &http_address.to_string(), "--listen", &fastcgi.to_string()]);
    let _process = Process::start(&sandbox, &mut serve)
        .wait_until(|| listens(http_address) && listens(fastcgi));
    ours(http::send(http_address, &request()).expect("an answer"));
    let request = named.iter().fold(request(), |it, name| it.variable(name, "evil.example"));
    let mut client = Client::tcp(fastcgi).expect("a connection");
    ours(client.send(&request, Style::USUAL).expect("an answer"));
}

//------------ health ---------------------------------------------------------

#[test]
fn health_asks_the_service() {
    let sandbox = Sandbox::new();
    let none: [(&str, &str); 0] = [];
    let (process, address) = serve(&sandbox, &[("MAILSETUP_DOMAINS", "example.org")]);
    let address = address.to_string();
    assert_eq!(run(&none, &["health", &address]), (0, String::new(), String::new()));
    // It needs no configuration.
    assert_eq!(run(&[("MAILSETUP_IMAP_PORT", "abc")], &["health", &address]).0, 0);
    drop(process);
    let (code, _, stderr) = run(&none, &["health", &address]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("no good response from http://{address}: ")), "{stderr}");
    // Something else listens there.
    for (bytes, reason) in [
        (&b"HTTP/1.1 503 Service Unavailable\r\n\r\n"[..], "the status is 503"),
        (b"220 mail.example.org ESMTP\r\n", "the response is not HTTP"),
        (b"", ""),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
        let address = listener.local_addr().expect("an address").to_string();
        let answer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            std::io::Write::write_all(&mut stream, bytes).expect("written");
            let mut head = [0; 1024];
            std::io::Read::read(&mut stream, &mut head).expect("read");
        });
        let (code, _, stderr) = run(&none, &["health", &address]);
        assert!(code == 1 && stderr.contains(reason), "{stderr}");
        answer.join().expect("a thread");
    }
    // The kernel accepts the connection, and nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("an address").to_string();
    let (code, _, stderr) = run(&none, &["health", &address]);
    assert!(code == 1 && stderr.contains("the time limit was reached"), "{stderr}");
}

/// The names of variables in the documents are those of the program.
#[test]
fn documents_name_variables_that_are_known() {
    let name = regex_lite::Regex::new("MAILSETUP_[A-Z0-9_]+").expect("an expression");
    let keys = keys::all();
    let known: BTreeSet<_> = keys
        .iter()
        .map(|key| variable(&key.path))
        .chain(
            ["CONFIG", "TOML", "DOMAINS", "SERVICE_HOST", "PORT"]
                .map(|it| format!("MAILSETUP_{it}")),
        )
        .collect();
    let mut found = 0;
    let mut files = vec![source("docs/container.md"), source("man/mailsetup.toml.5")];
    let container = fs::read_dir(source("contrib/container")).expect("a folder");
    files.extend(container.map(|entry| entry.expect("an entry").path()));
    for file in files.iter().filter(|file| Path::is_file(file)) {
        let text = fs::read_to_string(file).expect("text").replace("\\_", "_");
        for name in name.find_iter(&text) {
            assert!(known.contains(name.as_str()), "{}: {}", file.display(), name.as_str());
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}
