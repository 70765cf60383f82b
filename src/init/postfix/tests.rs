//! Recorded outputs, and texts that nobody wrote for Postfix.

use super::*;
use crate::account::Security;
use crate::init::facts::{DomainSource, Reach};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/init");

/// What the outputs of each machine say is in `expected.txt`. To write these files again:
/// `UPDATE_GOLDEN=1 cargo test --lib init::postfix`.
#[test]
fn recorded_outputs_are_understood() {
    let mut count = 0;
    for entry in fs::read_dir(FIXTURES).expect("the fixtures") {
        let folder = entry.expect("a directory entry").path();
        if !folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("postfix-")) {
            continue;
        }
        count += 1;
        let given = texts(&folder, &COMMANDS);
        let facts = read(&outputs(&given));
        let expected = folder.join("expected.txt");
        let shown = show(&facts, &folder);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&expected, &shown).expect("expected.txt");
        }
        let expected_text = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(shown, expected_text, "{}", expected.display());
    }
    assert!(count >= 20, "{count} recordings");
}

/// The files of a machine, or what `postconf -n` and `postconf -M` print, say the same as the
/// commands that an admin may not have.
#[test]
fn other_outputs_say_the_same() {
    for entry in fs::read_dir(FIXTURES).expect("the fixtures") {
        let folder = entry.expect("a directory entry").path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with("postfix-") {
            continue;
        }
        let expected = bare(&read(&outputs(&texts(&folder, &COMMANDS))));
        for files in [
            [("postconf-n", "postconf -n"), ("master-M", "postconf -M")].as_slice(),
            &[("postconf", "postconf"), ("master-M", "postconf -M")],
            &[("master.cf", "master.cf"), ("postconf-n", "main.cf")],
            &[("postconf-n", "a"), ("master-M", "b"), ("master-P", "c")],
        ] {
            if !folder.join(files[0].0).exists() {
                continue;
            }
            let mut given = texts(&folder, files);
            assert_eq!(bare(&read(&outputs(&given))), expected, "{name}: {files:?}");
            // All in one file.
            let all: Vec<_> = given.iter().map(|(_, text)| text.as_str()).collect();
            given = vec![("all".to_owned(), all.join("\n"))];
            assert_eq!(bare(&read(&outputs(&given))), expected, "{name}: {files:?} in one");
        }
    }
}

const COMMANDS: [(&str, &str); 3] =
    [("postconf-x", "postconf -x"), ("master-M", "postconf -M"), ("master-P", "postconf -P")];

fn texts(folder: &Path, files: &[(&str, &str)]) -> Vec<(String, String)> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a recording");
    files.iter().map(|(file, source)| ((*source).to_owned(), read(file))).collect()
}

fn outputs(texts: &[(String, String)]) -> Vec<Output<'_>> {
    texts.iter().map(|(source, text)| Output { source, text }).collect()
}

/// The listeners, names, files and domains without their origins, as text.
fn bare(facts: &Facts) -> String {
    let mut out = String::new();
    for l in &facts.listeners {
        let auth = l.auth.as_ref().map(|auth| &auth.value);
        let proxy = l.behind_proxy.is_some();
        let (port, security) = (l.port.value, l.security.value);
        writeln!(out, "{port} {security:?} {} {:?} {auth:?} {proxy}", l.requires_tls, l.reach)
            .unwrap();
    }
    let certificates = facts.certificates.iter().map(|certificate| &certificate.value);
    let domains = facts.domains.iter().map(|source| &source.value);
    let names = facts.names.iter().map(|name| &name.value);
    let all: (Vec<_>, Vec<_>, Vec<_>) =
        (names.collect(), certificates.collect(), domains.collect());
    write!(out, "{all:#?}").unwrap();
    out
}

/// The facts as people read them.
fn show(facts: &Facts, folder: &Path) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").unwrap();
    if let Some(server) = &facts.server {
        line(format!("server {}\n  {}", server.value, server.origin));
    }
    for l in &facts.listeners {
        let reach = match &l.reach {
            Reach::Everywhere => "everywhere".to_owned(),
            Reach::Loopback => "loopback".to_owned(),
            Reach::Addresses(addresses) => format!("{addresses:?}"),
            Reach::Unknown(why) => format!("unknown: {why}"),
        };
        let required = if l.requires_tls { " required" } else { "" };
        line(format!("{} {} {:?}{required}, {reach}", l.protocol, l.port.value, l.security.value));
        line(format!("  port {}", l.port.origin));
        line(format!("  security {}", l.security.origin));
        match &l.auth {
            Some(auth) => line(format!("  login {:?} {}", auth.value, auth.origin)),
            None => line("  no login".to_owned()),
        }
        if let Some(origin) = &l.behind_proxy {
            line(format!("  behind a proxy {origin}"));
        }
        if let Some(origin) = &l.refuses_mail {
            line(format!("  no mail of users {origin}"));
        }
    }
    for name in &facts.names {
        line(format!("name {}\n  {}", name.value, name.origin));
    }
    for certificate in &facts.certificates {
        line(format!("certificate {}\n  {}", certificate.value.file.display(), certificate.origin));
    }
    for source in &facts.domains {
        let text = match &source.value {
            DomainSource::Name(name) => format!("domain {name}"),
            DomainSource::Host(name) => format!("domain {name}, its own"),
            DomainSource::Words(file) | DomainSource::File(file) => {
                format!("domains in {}", file.display())
            }
            DomainSource::Command(words) => format!("domains by {}", words.join(" ")),
            DomainSource::Unknown(why) => format!("domains unknown: {why}"),
            DomainSource::Query { kind, file, command } => {
                assert_eq!(*command, None);
                let name = file.as_deref().and_then(Path::file_name).unwrap_or_default();
                let command = match fs::read_to_string(folder.join("etc").join(name)) {
                    Ok(text) => query::command(kind, &text),
                    Err(_) => Err("not recorded".to_owned()),
                };
                format!("domains of {kind} {file:?}\n  {command:?}")
            }
        };
        line(format!("{text}\n  {}", source.origin));
    }
    if let Some(folders) = &facts.instances {
        line(format!("further instances {}\n  {}", folders.value, folders.origin));
    }
    for note in &facts.notes {
        line(note.to_string());
    }
    out
}

/// What a listing command needs is asked for, and nothing that is not read.
#[test]
fn all_parameters_are_recorded() {
    let text = fs::read_to_string(Path::new(FIXTURES).join("postfix-debian12/postconf-x")).unwrap();
    let recorded: Vec<_> = text.lines().filter_map(|line| line.split_once(" =")).collect();
    let mut recorded: Vec<_> = recorded.into_iter().map(|(name, _)| name).collect();
    recorded.sort_unstable();
    let mut parameters = [&PARAMETERS[..], &RESTRICTIONS].concat();
    parameters.sort_unstable();
    assert_eq!(recorded, parameters);
}

#[test]
fn nothing_is_made_of_nothing() {
    assert_eq!(read(&[]), Facts::default());
    assert_eq!(read(&[Output { source: "postconf -x", text: "" }]), Facts::default());
    let facts = read(&[Output { source: "file", text: "hello\nworld x\n" }]);
    assert_eq!(facts.server, None);
    assert_eq!(facts.notes.len(), 2);
}

#[test]
fn references_that_are_not_known_are_named() {
    let text = "smtpd_tls_security_level = $level\nsmtpd_sasl_auth_enable = ${auth?no}${auth:yes}\n\
        mydestination = $myhostname\nsmtpd_tls_cert_file = $config_directory/cert\n\
        587 inet n - n - - smtpd\n";
    let facts = read(&[Output { source: "postconf -n", text }]);
    let named: Vec<_> = facts.notes.iter().filter(|note| note.text.contains('$')).collect();
    let [note] = &named[..] else { panic!("{named:?}") };
    assert!(note.text.contains("read: $level;"), "{note}");
    assert_eq!(facts.certificates[0].value.file, Path::new("/etc/postfix/cert"));
}

#[test]
fn parts_of_the_output_are_enough() {
    let text = "587/inet/smtpd_sasl_auth_enable = yes\nmaildrop/unix/flags = x\n";
    let facts = read(&[Output { source: "postconf -P", text }]);
    let [listener] = &facts.listeners[..] else { panic!("{facts:?}") };
    assert!(listener.auth.is_some());
    assert_eq!(facts.notes.iter().filter(|note| note.text.contains("missing")).count(), 1);
}

/// What was seen at the ports of Postfix 3.7.11 with these settings, and a Dovecot that has PLAIN and
/// LOGIN.
#[test]
fn tls_and_logins_are_those_of_a_running_postfix() {
    const MAIN: &str = "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n";
    const CERTIFICATE: &str = " -o smtpd_tls_cert_file=/c";
    // The settings, the certificate, then: security, TLS required, a login.
    let tls = Some((Security::Tls, true, true));
    for (settings, certificate, expected) in [
        ("smtpd_tls_security_level=may", CERTIFICATE, Some((Security::StartTls, false, true))),
        // STARTTLS is offered, and fails.
        ("smtpd_tls_security_level=may", "", Some((Security::Plain, false, true))),
        ("smtpd_tls_security_level=encrypt", "", None),
        ("smtpd_tls_wrappermode=yes", "", None),
        ("smtpd_tls_wrappermode=yes", CERTIFICATE, tls),
        ("smtpd_tls_wrappermode=yes -o smtpd_tls_security_level=none", CERTIFICATE, tls),
        ("smtpd_tls_security_level=secure", CERTIFICATE, Some((Security::StartTls, true, true))),
        ("smtpd_tls_security_level=bogus", CERTIFICATE, None),
        ("smtpd_tls_security_level=may stray", CERTIFICATE, None),
        ("smtpd_tls_auth_only=yes", "", Some((Security::Plain, false, false))),
        (
            "smtpd_tls_security_level=may -o smtpd_tls_auth_only=yes",
            CERTIFICATE,
            Some((Security::StartTls, true, true)),
        ),
        (
            "smtpd_tls_security_level=may -o smtpd_discard_ehlo_keywords=starttls",
            CERTIFICATE,
            Some((Security::Plain, false, true)),
        ),
        (
            "smtpd_tls_security_level=encrypt -o smtpd_discard_ehlo_keywords=starttls",
            CERTIFICATE,
            Some((Security::Plain, false, false)),
        ),
        (
            "smtpd_tls_security_level=may -o smtpd_discard_ehlo_keywords=auth",
            CERTIFICATE,
            Some((Security::StartTls, false, false)),
        ),
    ] {
        let text = format!("{MAIN}587 inet n - n - - smtpd{certificate} -o {settings}\n");
        let facts = read(&[Output { source: "file", text: &text }]);
        let found = facts.listeners.first();
        let found = found.map(|it| (it.security.value, it.requires_tls, it.auth.is_some()));
        assert_eq!(found, expected, "{settings}{certificate}");
        let is_good =
            found.is_some_and(|(security, _, login)| login && security != Security::Plain);
        assert!(is_good || !facts.notes.is_empty(), "{settings}{certificate}");
    }
}

#[test]
fn hostile_texts_end_in_time() {
    const SIZE: usize = 1024 * 1024;
    let repeated = |text: &str| text.repeat(SIZE / text.len());
    let numbered = |line: &dyn Fn(usize) -> String| (0..40_000).map(line).collect::<String>();
    let start = "virtual_mailbox_domains = ";
    for (name, text) in [
        ("braces", repeated("{")),
        ("closed braces", repeated("}")),
        ("a value of braces", start.to_owned() + &repeated("{")),
        ("one line", repeated("a")),
        ("one value", start.to_owned() + &repeated("a")),
        ("bytes", repeated("\u{0}\u{1}\u{fffd}\u{7f}")),
        ("dollars", start.to_owned() + &repeated("$")),
        ("open references", start.to_owned() + &repeated("${")),
        ("conditions", start.to_owned() + &repeated("${a?")),
        ("closed references", start.to_owned() + &repeated("${a}")),
        ("itself", start.to_owned() + &repeated("$virtual_mailbox_domains ")),
        ("names", start.to_owned() + &numbered(&|n| format!("a{n}.example "))),
        ("maps", start.to_owned() + &numbered(&|n| format!("hash:/{n} "))),
        ("proxies", start.to_owned() + &repeated("proxy:")),
        ("unions", start.to_owned() + &repeated("unionmap:{")),
        ("excluded", start.to_owned() + &numbered(&|n| format!("!a{n}.example !/{n} "))),
        ("inline", start.to_owned() + "inline:{" + &numbered(&|n| format!("{{{n}}},")) + "}"),
        ("assignments", numbered(&|n| format!("a{n}=$a{}\n", n + 1)) + start + "$a1$a2"),
        ("doubled", numbered(&|n| format!("a{n}=$a{0}$a{0}\n", n + 1)) + start + "$a1"),
        ("continued", start.to_owned() + &repeated("\n a")),
        ("empty lines", repeated("\n")),
        ("slashes", repeated("a/inet/b=c\n")),
        ("services", numbered(&|n| format!("{n} inet n - n - - smtpd -o a=$b\n"))),
        ("options", "587 inet n - n - - smtpd ".to_owned() + &repeated("-o a=b ")),
        (
            "many options",
            "587 inet n - n - - smtpd ".to_owned() + &numbered(&|n| format!("-o a{n}=b ")),
        ),
        ("letters", "587 inet n - n - - smtpd -".to_owned() + &repeated("v")),
        (
            "disabled",
            numbered(&|n| format!("{n} inet n - n - - smtpd\n"))
                + "master_service_disable="
                + &repeated("a "),
        ),
        (
            "services of a reference",
            numbered(&|n| format!("{n} inet n - n - - smtpd\n"))
                + "smtpd_tls_security_level=$b\nb="
                + &repeated("a"),
        ),
        ("a query", "query = ".to_owned() + &repeated("SELECT ")),
        ("addresses", "inet_interfaces = ".to_owned() + &repeated("::1 ")),
    ] {
        let begun = Instant::now();
        let facts = read(&[Output { source: "x", text: &text }]);
        assert!(facts.notes.len() < 5000, "{name}: {} notes", facts.notes.len());
        for kind in ["mysql", "ldap"] {
            let _ = query::command(kind, &text);
        }
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
    }
}
