//! Recorded outputs of doveconf with the facts that are expected of them: tests/fixtures/init/dovecot*.
//! `UPDATE_GOLDEN=1` writes what is expected.

use super::*;
use crate::account::Security;
use crate::init::facts::{Listener, Reach};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders with recorded outputs.
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/init");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut found: Vec<_> =
        entries.filter(|it| it.is_dir() && name(it).starts_with("dovecot")).collect();
    found.sort();
    found
}

fn file(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok()
}

fn facts(explicit: &str, all: Option<&str>, messages: &str) -> Result<Facts, Refused> {
    read(&Output {
        explicit: Input { source: "doveconf -n", text: explicit },
        all: all.map(|text| Input { source: "doveconf -S", text }),
        messages,
    })
}

/// Facts of a `doveconf -n` of 2.3 with these lines.
fn of_23(lines: &str) -> Facts {
    facts(&format!("# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf\n{lines}"), None, "")
        .unwrap()
}

/// The same of 2.4.
fn of_24(lines: &str) -> Facts {
    let head =
        "# 2.4.1-4 (7d8c0e5759): /etc/dovecot/dovecot.conf\ndovecot_config_version = 2.4.0\n";
    facts(&format!("{head}{lines}"), None, "").unwrap()
}

#[test]
fn recorded_outputs_are_understood() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 30, "{} fixtures", fixtures.len());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for folder in &fixtures {
        let explicit = file(folder, "doveconf-n").unwrap();
        let all = file(folder, "doveconf-S");
        let messages = file(folder, "stderr").unwrap_or_default();
        let facts = facts(&explicit, all.as_deref(), &messages).unwrap();
        let text = describe(&facts);
        let golden = folder.join("expected.txt");
        if update {
            fs::write(golden, text).unwrap();
        } else {
            let expected = fs::read_to_string(&golden).unwrap();
            assert_eq!(text, expected, "{}", folder.display());
        }
    }
}

/// Both outputs in one text tell the same; without `doveconf -S`, defaults are assumed and the facts
/// are the same.
#[test]
fn the_second_output_may_follow_or_be_missing() {
    for folder in fixtures() {
        let explicit = file(&folder, "doveconf-n").unwrap();
        let Some(all) = file(&folder, "doveconf-S") else { continue };
        let messages = file(&folder, "stderr").unwrap_or_default();
        let both = facts(&explicit, Some(&all), &messages).unwrap();
        let joined = facts(&format!("{explicit}{all}"), None, &messages).unwrap();
        let without = facts(&explicit, None, &messages).unwrap();
        for other in [&joined, &without] {
            let listeners = |facts: &Facts| -> Vec<_> {
                facts.listeners.iter().map(|it| describe_listener(it, false)).collect()
            };
            assert_eq!(listeners(other), listeners(&both), "{}", folder.display());
            assert_eq!(
                other.login.as_ref().map(|it| &it.value),
                both.login.as_ref().map(|it| &it.value)
            );
            assert_eq!(other.certificates.len(), both.certificates.len(), "{}", folder.display());
        }
    }
}

/// Each trap that a configuration can be has a recorded output.
#[test]
fn every_trap_is_recorded() {
    let all: String = fixtures()
        .iter()
        .flat_map(|folder| [file(folder, "doveconf-n"), file(folder, "stderr")])
        .flatten()
        .collect();
    for trap in [
        "haproxy = yes",
        "listen = 127.0.0.1, ::1",
        "port = 0",
        "auth_username_format = %Ln",
        "username_format=%u",
        "protocols = lmtp",
        "Unknown protocol: sieve",
        "Unknown setting",
        "%{user | username | lower}",
        "%{env:",
        "$SET:",
        "sieve_deprecated",
        "local_name ",
        "ssl = no",
        "ssl = required",
        "disable_plaintext_auth = no",
        "auth_allow_cleartext = yes",
        "auth_default_realm",
        "proxy=y",
        "nopassword = yes",
        "protocols = \" imap",
        "submissions {",
    ] {
        assert!(all.contains(trap), "{trap}");
    }
}

#[test]
fn passwords_are_not_repeated() {
    let lines = "passdb {\n  args = password=verysecret nopassword=y proxy=y host=192.0.2.1\n  \
        driver = static\n}\npassdb {\n  args = /etc/x verysecret\n  driver = checkpassword\n}\n\
        userdb {\n  args = password=verysecret\n  driver = static\n}\n\
        passdb {\n  args = verysecret\n  driver = sql\n}\n";
    assert!(!describe(&of_23(lines)).contains("verysecret"));
    let lines = "passdb static {\n  password = verysecret\n  fields {\n    nopassword = yes\n  }\n}\n\
        mysql localhost {\n  password = verysecret\n}\n";
    assert!(!describe(&of_24(lines)).contains("verysecret"));
}

#[test]
fn what_is_not_doveconf_is_refused() {
    for text in
        ["", "\0\0\0", "ssl = yes\n", "{".repeat(1000).as_str(), "myhostname = x\n", "# 2.x"]
    {
        assert_eq!(facts(text, None, ""), Err(Refused::NotDoveconf), "{text:?}");
    }
    let deep = format!("# 2.3.19: x\n{}", "a {\n".repeat(1_000_000));
    assert_eq!(facts(&deep, None, ""), Err(Refused::TooDeep { line: 34 }));
    let large = format!("# 2.3.19: x\n{}", "{".repeat(MAX_BYTES));
    assert_eq!(facts(&large, None, ""), Err(Refused::TooLarge));
    assert_eq!(facts("# 2.3.19: x\n", Some(&large), ""), Err(Refused::TooLarge));
    let text = Refused::NotDoveconf.to_string();
    assert!(text.starts_with("not the output of doveconf -n"), "{text}");
}

#[test]
fn a_text_of_the_largest_size_takes_no_time() {
    let service = "service imap-login {\n  inet_listener a {\n    port = 1\n  }\n}\n";
    let local = "local_name a.example b.example {\n  ssl_cert = </x\n}\n";
    let passdb = "passdb {\n  driver = passwd-file\n  args = username_format=%u /etc/users\n}\n";
    for part in
        [service, local, passdb, "\u{1}{\n}\n", "{{{{{{", "protocol imap {\n  ssl = no\n}\n"]
    {
        let text = part.repeat((100_000 / part.lines().count()).min(30_000));
        let begin = std::time::Instant::now();
        let facts = of_23(&text);
        assert!(begin.elapsed().as_secs() < 20, "{part}: {:?}", begin.elapsed());
        assert!(describe(&facts).len() < 1_000_000, "{part}");
    }
}

#[test]
fn a_protocol_may_have_settings_of_its_own() {
    let facts = of_24(
        "protocols = imap pop3\nauth_allow_cleartext = yes\n\
         protocol pop3 {\n  ssl = required\n}\nprotocol !pop3 {\n  ssl = no\n}\n",
    );
    let seen: Vec<_> = facts.listeners.iter().map(|it| describe_listener(it, false)).collect();
    assert_eq!(
        seen,
        [
            "imap 143 none, everywhere, auth password",
            "pop3 995 tls, everywhere, TLS required, auth password",
            "pop3 110 starttls, everywhere, TLS required, auth password",
        ]
    );
}

#[test]
fn a_login_is_only_told_if_it_is_known() {
    let login = |lines: &str| of_23(lines).login.map(|it| it.value);
    assert_eq!(login(""), None);
    assert_eq!(login("passdb {\n  driver = passwd\n}\n").unwrap(), "%EMAILLOCALPART%");
    assert_eq!(login("passdb {\n  args = /x\n  driver = sql\n}\n").unwrap(), "%EMAILADDRESS%");
    let special = "passdb {\n  args = /x\n  driver = passwd-file\n  master = yes\n}\n";
    assert_eq!(login(special), None);
    let format = "auth_username_format = %s/%n\npassdb {\n  driver = passwd\n}\n";
    assert_eq!(login(format), None);
}

//------------ describe -------------------------------------------------------

/// Facts as a text.
fn describe(facts: &Facts) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").unwrap();
    if let Some(server) = &facts.server {
        line(format!("server {}\n    {}", server.value, server.origin));
    }
    for listener in &facts.listeners {
        line(describe_listener(listener, true));
    }
    for name in &facts.names {
        line(format!("name {}\n    {}", name.value, name.origin));
    }
    for Noted { value: Certificate { name, file }, origin } in &facts.certificates {
        let name = name.as_deref().map(|name| format!(" for {name}")).unwrap_or_default();
        line(format!("certificate {}{name}\n    {origin}", file.display()));
    }
    if let Some(login) = &facts.login {
        line(format!("login {}\n    {}", login.value, login.origin));
    }
    for Noted { value, origin } in &facts.domains {
        let value = match value {
            DomainSource::Query { kind, file, command } => {
                let file = file.as_ref().map(|it| format!(" {}", it.display())).unwrap_or_default();
                let command =
                    command.as_ref().map(|it| format!("\n    $ {it}")).unwrap_or_default();
                format!("{kind}{file}{command}")
            }
            other => format!("{other:?}"),
        };
        line(format!("domains {value}\n    {origin}"));
    }
    for note in &facts.notes {
        line(format!("{note}"));
    }
    text
}

fn describe_listener(listener: &Listener, origins: bool) -> String {
    let mut text = format!("{} {}", listener.protocol, listener.port.value);
    text.push_str(match listener.security.value {
        Security::Tls => " tls",
        Security::StartTls => " starttls",
        Security::Plain => " none",
    });
    match &listener.reach {
        Reach::Everywhere => text.push_str(", everywhere"),
        Reach::Loopback => text.push_str(", loopback"),
        Reach::Addresses(addresses) => {
            let addresses: Vec<_> = addresses.iter().map(|it| it.to_string()).collect();
            write!(text, ", at {}", addresses.join(" ")).unwrap();
        }
        Reach::Unknown(reason) => write!(text, ", unknown: {reason}").unwrap(),
    }
    if listener.requires_tls {
        text.push_str(", TLS required");
    }
    match &listener.auth {
        Some(auth) => {
            let auth: Vec<_> = auth.value.iter().map(|it| it.to_string()).collect();
            write!(text, ", auth {}", auth.join(" ")).unwrap();
        }
        None => text.push_str(", no login"),
    }
    if listener.behind_proxy.is_some() {
        text.push_str(", behind a proxy");
    }
    if origins {
        let origins = [
            Some(&listener.port.origin),
            Some(&listener.security.origin),
            listener.auth.as_ref().map(|it| &it.origin),
            listener.behind_proxy.as_ref(),
        ];
        let mut known = BTreeSet::new();
        for origin in origins.into_iter().flatten().map(Origin::to_string) {
            if known.insert(origin.clone()) {
                write!(text, "\n    {origin}").unwrap();
            }
        }
    }
    text
}
