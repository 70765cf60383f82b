//! What doveconf printed, three texts with 0xFF between them: `doveconf -n`, `doveconf -S`, messages.
//!
//! Checks: the facts are the same a second time; every place is a line of its text; ports are not 0,
//! TLS is required where a connection begins with it, methods are named once; the login is one of two
//! placeholders; notes are short and in one line; only short texts are refused as not from doveconf if
//! they begin with a version. Nothing of a value that may be a password is repeated.

use super::take_until;
use mailsetup::account::Security;
use mailsetup::draft::{Note, Origin, Place};
use mailsetup::init::dovecot::{Input, Output, Refused, read};
use mailsetup::init::facts::{DomainSource, Facts};

/// A password where doveconf hides it, and Dovecot has it in a setting of its own.
const SECRET: &str = "q8secret";

pub fn run(data: &[u8]) {
    let mut rest = data;
    let mut text = || String::from_utf8_lossy(take_until(&mut rest, 0xff)).into_owned();
    let (explicit, all, messages) = (text(), text(), text());
    let output = Output {
        explicit: Input { source: "n", text: &explicit },
        all: (!all.is_empty()).then_some(Input { source: "S", text: &all }),
        messages: &messages,
    };
    let facts = read(&output);
    assert_eq!(facts, read(&output));
    match facts {
        Ok(facts) => check(&facts, &explicit, &all),
        Err(Refused::NotDoveconf) => {
            let first = explicit.lines().next().unwrap_or_default();
            assert!(!first.starts_with("# 2.3 ") && !first.starts_with("# 2.4.1 "), "{first}");
        }
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
    // Passwords stand in these settings.
    if !explicit.contains(SECRET) && !all.contains(SECRET) && !messages.contains(SECRET) {
        let secret = format!(
            "{explicit}\n}}\n}}\n}}\n}}\npassdb static {{\n  args = password={SECRET}\n  \
             password = {SECRET}\n}}\ndoveadm_password = {SECRET}\n"
        );
        let output = Output { explicit: Input { source: "n", text: &secret }, ..output };
        assert!(!format!("{:?}", read(&output)).contains(SECRET));
    }
}

fn check(facts: &Facts, explicit: &str, all: &str) {
    let (lines, flat_lines) = (explicit.lines().count(), all.lines().count());
    let check_place = |place: &Place| {
        let lines = if place.source == "S" { flat_lines } else { lines };
        assert!(place.line.is_none_or(|line| (1..=lines).contains(&line)), "{place}");
    };
    let check_origin = |origin: &Origin| match origin {
        Origin::Seen { place, text } => {
            check_place(place);
            assert!(text.chars().count() < 400 && !text.contains('\n'), "{text}");
        }
        Origin::Assumed(reason) => assert!(reason.len() > 10, "{reason}"),
    };
    let server = facts.server.as_ref().expect("a version");
    assert!(server.value.starts_with("Dovecot "));
    check_origin(&server.origin);
    for listener in &facts.listeners {
        check_origin(&listener.port.origin);
        check_origin(&listener.security.origin);
        assert!(listener.security.value != Security::Tls || listener.requires_tls);
        assert!(listener.security.value != Security::Plain || !listener.requires_tls);
        if let Some(auth) = &listener.auth {
            check_origin(&auth.origin);
            let twice = auth.value.iter().enumerate().any(|(at, it)| auth.value[..at].contains(it));
            assert!(!auth.value.is_empty() && !twice, "{:?}", auth.value);
        }
        listener.behind_proxy.iter().for_each(check_origin);
    }
    for name in &facts.names {
        check_origin(&name.origin);
    }
    for certificate in &facts.certificates {
        check_origin(&certificate.origin);
        assert!(certificate.value.file.is_absolute());
    }
    if let Some(login) = &facts.login {
        check_origin(&login.origin);
        assert!(["%EMAILADDRESS%", "%EMAILLOCALPART%"].contains(&login.value.as_str()));
    }
    for source in &facts.domains {
        check_origin(&source.origin);
        if let DomainSource::Query { command: Some(command), .. } = &source.value {
            // It is for a shell.
            let known =
                command.chars().all(|c| c.is_ascii_alphanumeric() || " /._-:|'@*$*".contains(c));
            assert!(known, "{command}");
        }
    }
    for Note { place, text, .. } in &facts.notes {
        place.iter().for_each(check_place);
        assert!(!text.is_empty() && text.chars().count() < 5000 && !text.contains('\n'), "{text}");
    }
}
