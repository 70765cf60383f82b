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
        "group @",
        "executable = imap-login",
        "listen = ::",
        "nologin",
        "allow_nets",
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
        "protocols = imap pop3\nauth_allow_cleartext = yes\nssl_server_cert_file = /x\n\
         protocol pop3 {\n  ssl = required\n  auth_allow_cleartext = no\n}\nprotocol !pop3 {\n  ssl = no\n}\n",
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
fn a_certificate_is_needed() {
    let seen = |facts: &Facts| -> Vec<String> {
        facts.listeners.iter().map(|it| describe_listener(it, false)).collect()
    };
    let warns = |facts: &Facts, text: &str| facts.notes.iter().any(|note| note.text.contains(text));
    let none = "TLS is enabled, and there is no certificate";
    // (lines of 2.3, listeners, warning)
    let old = "protocols = imap\n";
    let with_cert = "ssl_cert = </x\nssl_key = </y\n";
    for (lines, count, text) in [
        ("", 0, none),
        ("ssl_cert = \n", 0, none),
        ("ssl_key = # hidden, use -P to show it\n", 0, none),
        ("ssl_cert = </x\n", 2, "ssl_key is not set"),
        ("disable_plaintext_auth = no\n", 1, none),
        ("listen = 127.0.0.1\n", 2, ""),
        ("ssl = no\n", 1, "no TLS"),
        ("local_name a.example {\n  ssl_cert = </x\n}\n", 0, "for some names (local_name)"),
        ("local 192.0.2.1 {\n  ssl_cert = </x\n}\n", 2, "for some addresses"),
        ("local 192.0.2.1 {\n  protocol imap {\n    ssl_cert = </x\n  }\n}\n", 2, "some addresses"),
        ("local 192.0.2.1 {\n  protocol pop3 {\n    ssl_cert = </x\n  }\n}\n", 0, none),
        ("protocol imap {\n  ssl_cert = </x\n  ssl_key = </y\n}\n", 2, ""),
        ("protocol pop3 {\n  ssl_cert = </x\n  ssl_key = </y\n}\n", 0, none),
        (with_cert, 2, ""),
    ] {
        let facts = of_23(&format!("{old}{lines}"));
        assert_eq!(facts.listeners.len(), count, "{lines}: {:?}", seen(&facts));
        assert!(warns(&facts, text), "{lines}: {:?}", facts.notes);
        assert_eq!(warns(&facts, none), text == none || text.contains("local_name"), "{lines}");
        assert!(!warns(&facts, "listens at no port"), "{lines}");
    }
    // It is what clients can use.
    let plain = of_23(&format!("{old}disable_plaintext_auth = no\n"));
    assert_eq!(seen(&plain), ["imap 143 none, everywhere, auth password"]);
    let facts = of_24("protocols = imap\nssl_server {\n  cert_file = /x\n}\n");
    assert!(warns(&facts, "ssl_server_key_file is not set"), "{:?}", facts.notes);
    let facts = of_24("protocols = imap\nssl = required\nauth_allow_cleartext = yes\n");
    assert_eq!(facts.listeners, []);
    assert!(warns(&facts, "closes every connection to imap"), "{:?}", facts.notes);
}

#[test]
fn a_service_is_known_by_its_program() {
    let listeners = |lines: &str| -> Vec<String> {
        let facts = of_23(&format!("protocols = imap\nssl_cert = </x\nssl_key = </y\n{lines}"));
        facts.listeners.iter().map(|it| describe_listener(it, false)).collect()
    };
    let other = |executable: &str, more: &str| {
        listeners(&format!(
            "service other {{\n  executable = {executable}\n{more}  inet_listener x {{\n    port = 1993\n\
             ssl = yes\n  }}\n}}\n"
        ))
    };
    let found = "imap 1993 tls, everywhere, TLS required, auth password".to_owned();
    for executable in
        ["imap-login", "/usr/lib/dovecot/imap-login", "imap-login -D", "script -x /y/imap-login"]
    {
        assert!(other(executable, "").contains(&found), "{executable}");
    }
    assert!(other("imap-login", "  protocol = imap\n").contains(&found));
    assert!(!other("imap-login", "  protocol = pop3\n").contains(&found));
    for executable in ["pop3-login", "imap", "imap-login-not", ""] {
        assert!(!other(executable, "").contains(&found), "{executable}");
    }
    assert_eq!(listeners("service imap-login {\n  executable = pop3-login\n}\n").len(), 0);
    assert_eq!(listeners("service imap-login {\n  executable = /my/script\n}\n").len(), 2);
}

/// What `doveconf -S` does not say, since it was cut off or is another text, is not missing.
#[test]
fn a_protocol_is_missing_only_if_all_services_are_known() {
    let explicit = "# 2.3.19.1 (x): /x\nprotocols = imap sieve\nssl_cert = </x\nssl_key = </y\n";
    let has_sieve = |all: &str| {
        let facts = facts(explicit, Some(all), "").unwrap();
        let is_missing =
            facts.notes.iter().any(|note| note.text.contains("its package is not installed"));
        let is_there = facts.listeners.iter().any(|it| it.port.value.get() == 4190);
        assert_ne!(is_missing, is_there, "{all}");
        is_there
    };
    for all in ["", "protocols=imap sieve\nservice/imap-login/chroot=login\n", "doveconf: Error\n"]
    {
        assert!(has_sieve(all), "{all}");
    }
    assert!(has_sieve("service=managesieve-login imap-login\nssl=yes\n"));
    // It may have been cut off in this line.
    assert!(has_sieve("service=imap-login"));
    assert!(!has_sieve("service=imap-login\nservice/imap-login/chroot=login\n"));
}

/// `doveconf -a` of 2.4 prints settings that were not set as empty.
#[test]
fn what_is_empty_among_all_settings_is_the_default() {
    let all = "# NOTE: Send doveconf -n output instead when asking for help.\n\
        auth_mechanisms = \nlisten = \nprotocols = imap\nssl_server {\n  cert_file = /x\n  key_file = /y\n}\n";
    let found = of_24(all);
    let seen: Vec<_> = found.listeners.iter().map(|it| describe_listener(it, false)).collect();
    assert_eq!(
        seen,
        [
            "imap 993 tls, everywhere, TLS required, auth password",
            "imap 143 starttls, everywhere, TLS required, auth password",
        ]
    );
    let set = of_24(all.split_once('\n').unwrap().1);
    assert!(set.listeners.iter().all(|it| it.auth.is_none()));
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
