//! `check --explain CODE`: every code has an explanation, and its configuration does not have the
//! finding.

use crate::common::{Sandbox, command, program, write};
use mailsetup::commands::explain::texts;
use mailsetup::finding::CODES;
use mailsetup::lint::LINTS;
use serde_json::Value;
use std::process::Output;

fn explain(code: &str) -> Output {
    command(program()).args(["check", "--explain", code]).output().expect("program")
}

#[test]
fn every_code_is_explained_and_no_other() {
    let mut codes: Vec<_> = CODES.iter().map(|(code, ..)| *code).collect();
    codes.extend(LINTS.iter().map(|lint| lint.code));
    codes.sort_unstable();
    let explained: Vec<_> = texts().map(|(code, _)| code).collect();
    assert_eq!(explained, codes);
    for (code, text) in texts() {
        let prose: Vec<_> = text.lines().filter(|line| !line.starts_with("    ")).collect();
        let prose = prose.join(" ");
        let end = regex_lite::Regex::new(r"[.:]( |$)").expect("an expression");
        let sentences = end.find_iter(&prose).count();
        assert!(sentences >= 2 && prose.len() > 100, "{code}: {prose}");
        assert!(text.lines().all(|line| line.chars().count() <= 79), "{code}");
    }
}

#[test]
fn an_explanation_is_printed_with_its_clients() {
    let output = explain("alternatives");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.starts_with("warning: Some clients take the last server"), "{text}");
    assert!(
        text.contains(" [alternatives]\n\nClients that it breaks:\n  Evolution 3.46\n"),
        "{text}"
    );
    assert!(text.contains("\n    [imap]\n    host = ") && text.ends_with("\n"), "{text}");
    let output = explain("port-range");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.starts_with("error: ") && !text.contains("Clients that"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_code_that_is_not_known_has_the_nearest() {
    for (code, nearest) in [
        ("auth-ntml", Some("auth-ntlm")),
        ("PORT-TLS", Some("port-tls")),
        ("signing-expire", Some("signing-expires")),
        ("zzzz", None),
        ("", None),
        ("# alias", None),
        ("\u{202e}\u{1b}[31m", None),
    ] {
        let output = explain(code);
        let error = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{code}: {error}");
        assert!(output.stdout.is_empty() && error.contains("there is no code `"), "{error}");
        assert!(!error.contains(['\u{1b}', '\u{202e}']), "{error:?}");
        let meant = nearest.map(|nearest| format!("did you mean `{nearest}`?"));
        match meant {
            Some(meant) => assert!(error.contains(&meant), "{error}"),
            None => assert!(!error.contains("did you mean") || code == "# alias", "{error}"),
        }
    }
    // It does not read the configuration.
    for option in ["--json", "--quiet", "--strict"] {
        let output = command(program())
            .args(["check", "--explain", "alias", option])
            .output()
            .expect("program");
        assert_eq!(output.status.code(), Some(2), "{option}");
    }
}

/// Lines with four blanks are a configuration that is accepted, and that does not have this finding.
#[test]
fn the_configuration_of_an_explanation_is_right() {
    let sandbox = Sandbox::new();
    write(&sandbox.path("domains.txt"), "example.org\n");
    write(&sandbox.path("logins"), "ann@example.org asmith\n");
    write(&sandbox.path("domains.d/example.net.toml"), "");
    let mut count = 0;
    for (code, text) in texts() {
        let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        let config: Vec<_> = lines.iter().filter(|line| !line.starts_with("$ ")).collect();
        if config.is_empty() {
            continue;
        }
        assert_eq!(config.len(), lines.len(), "{code}: a configuration beside commands");
        count += 1;
        let config = sandbox.write("c.toml", lines.join("\n"));
        let mut check = command(program());
        let output = check.args(["check", "--json", "--config"]).arg(&config).output();
        let output = output.expect("program");
        let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        for finding in findings {
            assert!(finding["code"] != code && finding["level"] != "error", "{code}: {finding}");
        }
    }
    assert!(count > 60, "{count} configurations");
}
