//! The report as JSON, and contrib/mailsetup-probe.schema.json.

use crate::{fixtures, source};
use mailsetup_probe::net::dns::Outcome as Dns;
use mailsetup_probe::net::mail::{Outcome as Mail, Spoken};
use mailsetup_probe::report::{Report, json};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

fn parsed(report: &Report) -> Value {
    serde_json::from_str(&json::write(report)).expect("JSON")
}

/// The report with every outcome there is.
fn with_everything() -> Report {
    let mut report = fixtures::bad();
    let logged_in = |login| Mail::Spoke(Spoken { login: Some(login), ..Spoken::default() });
    let address = "2001:db8::1".parse().expect("an address");
    report.servers[0].dialogues.extend(
        [
            Mail::Unreachable("connection refused".to_owned()),
            Mail::Unfit("HTTP/1.1 400 Bad Request".to_owned()),
            Mail::NotAsked("the time was up"),
            logged_in(Ok(())),
            logged_in(Err("NO wrong password".to_owned())),
        ]
        .map(|outcome| (address, outcome)),
    );
    for outcome in [
        Dns::NoData,
        Dns::Failed("SERVFAIL".to_owned()),
        Dns::TimedOut,
        Dns::Unreadable("it is cut".to_owned()),
    ] {
        report.dns.push(mailsetup_probe::net::dns::Answer { outcome, ..report.dns[0].clone() });
    }
    report
}

fn schema() -> Value {
    let text = fs::read(source("contrib/mailsetup-probe.schema.json")).expect("the schema");
    serde_json::from_slice(&text).expect("JSON")
}

/// Refuses keys that are not described.
fn close(schema: &mut Value) {
    if let Value::Object(keys) = schema {
        if keys.contains_key("properties") {
            keys.insert("additionalProperties".to_owned(), json!(false));
        }
        keys.values_mut().for_each(close);
    }
}

fn mistakes(schema: &Value, documents: &[Value]) -> Vec<Vec<String>> {
    let mut python = Command::new("/usr/bin/python3");
    python.arg(source("probe/tests/validate.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().expect("python3");
    let mut stdin = python.stdin.take().expect("a pipe");
    let input = json!({ "schema": schema, "documents": documents });
    stdin.write_all(input.to_string().as_bytes()).expect("documents");
    drop(stdin);
    let output = python.wait_with_output().expect("python3");
    assert!(output.status.success(), "it needs the package python3-jsonschema");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_schema_describes_every_key() {
    let mut schema = schema();
    close(&mut schema);
    let reports = [fixtures::good(), fixtures::bad(), with_everything(), fixtures::with_text("x")];
    let documents: Vec<_> = reports.iter().map(parsed).collect();
    let found = mistakes(&schema, &documents);
    assert!(found.iter().all(Vec::is_empty), "{found:#?}");
}

#[test]
fn the_schema_refuses_what_is_not_printed() {
    let good = parsed(&fixtures::bad());
    let mut documents = vec![json!([]), json!({})];
    for (pointer, value) in [
        ("/clients/0/verdict", json!("maybe")),
        ("/clients/0/client", json!("Thunderbird for Android")),
        ("/clients/0/settings/0/port", json!("993")),
        ("/findings/0/level", json!("info")),
        ("/findings/0/id", json!("No Code")),
        ("/servers/0/security", json!("ssl")),
        ("/dns/0/type", json!("CNAME")),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(pointer).expect(pointer) = value;
        documents.push(document);
    }
    let found = mistakes(&schema(), &documents);
    assert!(found.iter().all(|mistakes| !mistakes.is_empty()), "{found:#?}");
}

#[test]
fn its_stable_keys() {
    let json = parsed(&fixtures::bad());
    assert_eq!(json["address"], "ann@example.org");
    assert_eq!(json["domain"], "example.org");
    let client = |name: &str| {
        let clients = json["clients"].as_array().expect("clients");
        clients.iter().find(|client| client["client"] == name).expect(name).clone()
    };
    let thunderbird = client("thunderbird-for-android");
    assert_eq!(thunderbird["verdict"], "asks");
    assert_eq!(thunderbird["found_by"], "autoconfig");
    assert_eq!(thunderbird["cause"], Value::Null);
    assert_eq!(
        thunderbird["settings"][0],
        json!({
            "protocol": "imap", "host": "mail.example.org", "port": 993, "security": "tls",
            "auth": ["password-cleartext"], "login": "ann@example.org",
        })
    );
    let outlook = client("outlook-2016");
    assert_eq!((&outlook["verdict"], &outlook["cause"]), (&json!("fails"), &json!("tls-name")));
    assert_eq!(client("kmail")["settings"][0]["security"], "starttls");
    let finding = &json["findings"][0];
    assert_eq!(finding["id"], "tls-name");
    assert_eq!(finding["level"], "error");
    assert_eq!(finding["clients"], json!(["outlook-2016", "activesync"]));
    assert!(finding["mend"].as_str().expect("text").contains("certbot"));
    assert_eq!(json["servers"][2]["addresses"][0]["outcome"], "tls");
    assert_eq!(json["dns"][2]["records"][0], "0 0 993 mail.example.org.");
}

#[test]
fn nothing_from_outside_reaches_the_terminal() {
    let hostile = "\u{1b}[31m\r\u{202e}\u{9b}\u{e0041}\"\\\n";
    let report = fixtures::with_text(hostile);
    let written = json::write(&report);
    let is_fine = |c: char| c == '\n' || mailsetup::visible::is_visible(c);
    assert!(written.chars().all(is_fine), "{}", written.escape_debug());
    // It is still there for programs.
    assert_eq!(parsed(&report)["findings"][0]["message"], hostile);
}
