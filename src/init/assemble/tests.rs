//! Which servers are offered on machines whose settings contradict what is usual.

use super::*;
use crate::account::{Auth, Protocol};
use crate::init::listening::Listening;
use crate::init::{dovecot, postfix};
use std::fmt::Write;

/// Dovecot with IMAP at its usual ports, and PLAIN and LOGIN.
const DOVECOT: &str = "# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf\n\
    # Hostname: mail.example.org\nauth_mechanisms = plain login\nprotocols = imap\nssl = required\n\
    ssl_cert = </etc/c.pem\npassdb {\n  driver = pam\n}\n";
/// Postfix with a certificate and Dovecot's logins.
const POSTFIX: &str = "myhostname = mail.example.org\nsmtpd_sasl_type = dovecot\n\
    smtpd_tls_cert_file = /etc/c.pem\nvirtual_mailbox_domains = example.org\n";
/// 587 with logins.
const SUBMISSION: &str = "submission inet n - y - - smtpd\n -o smtpd_sasl_auth_enable=yes\n \
    -o smtpd_tls_security_level=encrypt\n";
/// 465 with logins.
const SUBMISSIONS: &str = "submissions inet n - y - - smtpd\n -o smtpd_sasl_auth_enable=yes\n \
    -o smtpd_tls_wrappermode=yes\n";

/// The configuration of a machine with these settings, and these ports open everywhere.
fn draft(dovecot: &str, postfix: &str, listening: &[u16]) -> Draft {
    let explicit = dovecot::Input { source: "doveconf -n", text: dovecot };
    let dovecot = dovecot::read(&dovecot::Output { explicit, all: None, messages: "" });
    let postfix = postfix::read(&[postfix::Output { source: "postconf", text: postfix }]);
    let mut ports = "  sl  local_address\n".to_owned();
    for port in listening {
        writeln!(ports, "0: 00000000:{port:04X} 00000000:0000 0A").unwrap();
    }
    assemble(&Machine {
        facts: vec![dovecot.expect("Dovecot"), postfix],
        listening: Listening::parse(&ports).filter(|_| !listening.is_empty()),
        is_elsewhere: true,
        ..Machine::default()
    })
}

/// `smtp 587 (starttls)`, with `?` if the security is assumed.
fn servers(draft: &Draft) -> Vec<String> {
    let shown = draft.top.servers.iter().map(|server| {
        let is_assumed = server.security.as_ref().is_some_and(|it| it.origin.place().is_none());
        let mark = if is_assumed { "?" } else { "" };
        format!("{server}{mark}").replace("mail.example.org:", "")
    });
    shown.collect()
}

fn warnings(draft: &Draft) -> String {
    let mut text = String::new();
    for note in &draft.notes {
        writeln!(text, "{note}").unwrap();
    }
    text
}

#[test]
fn a_port_at_which_users_cannot_send_comes_last() {
    let with = |main: &str, services: &[&str]| {
        draft(DOVECOT, &format!("{POSTFIX}{main}\n{}", services.concat()), &[])
    };
    for (main, own, expected, is_warned) in [
        ("", "", "smtp 465 (tls)", false),
        ("", " -o smtpd_relay_restrictions=reject\n", "smtp 587 (starttls)", true),
        (
            "",
            " -o smtpd_client_restrictions=permit_mynetworks,reject\n",
            "smtp 587 (starttls)",
            true,
        ),
        (
            "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
            " -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n",
            "smtp 465 (tls)",
            true,
        ),
        ("smtpd_sender_restrictions = reject", "", "smtp 465 (tls)", true),
    ] {
        let draft = with(main, &[SUBMISSION, SUBMISSIONS, own]);
        assert!(
            servers(&draft).contains(&expected.to_owned()),
            "{main}{own}: {:?}",
            servers(&draft)
        );
        let text = warnings(&draft);
        assert_eq!(text.contains("refuses mail of users"), is_warned, "{main}{own}: {text}");
    }
}

#[test]
fn an_address_of_a_private_network_comes_after_the_others() {
    let private = SUBMISSIONS.replace("submissions", "10.0.0.1:465");
    let both = private.replace("10.0.0.1:465", "192.0.2.1:465");
    let plain = "submission inet n - y - - smtpd\n -o smtpd_sasl_auth_enable=yes\n";
    for (services, expected) in [
        ([SUBMISSION, &*private], "smtp 587 (starttls)"),
        ([SUBMISSION, &*both], "smtp 465 (tls)"),
        (["", &*private], "smtp 465 (tls)"),
        // Passwords are not shown for that.
        ([plain, &*private], "smtp 465 (tls)"),
    ] {
        let draft = draft(DOVECOT, &format!("{POSTFIX}{}", services.concat()), &[]);
        assert!(
            servers(&draft).contains(&expected.to_owned()),
            "{services:?}: {:?}",
            servers(&draft)
        );
    }
}

#[test]
fn a_port_of_the_mail_server_is_not_that_of_a_proxy() {
    let loopback = SUBMISSION.replace("submission", "127.0.0.1:587");
    let without_logins = "submissions inet n - y - - smtpd\n -o smtpd_tls_wrappermode=yes\n";
    let only_loopback = format!("{POSTFIX}{loopback}");
    let with_own = format!("{POSTFIX}{loopback}{without_logins}");
    let has_smtp = |postfix: &str| {
        servers(&draft(DOVECOT, postfix, &[993, 465])).iter().any(|it| it == "smtp 465 (tls)?")
    };
    assert!(has_smtp(&only_loopback));
    assert!(!has_smtp(&with_own));
}

#[test]
fn a_proxy_is_preferred_to_a_port_without_tls() {
    let plain = DOVECOT.replace("ssl = required", "ssl = no\ndisable_plaintext_auth = no");
    for (dovecot, listening, expected) in [
        (&*plain, &[143, 993, 587][..], "imap 993 (tls)?"),
        (&plain, &[143, 587], "imap 143 (none)"),
        (&plain, &[], "imap 143 (none)"),
        (DOVECOT, &[143, 993, 587], "imap 993 (tls)?"),
    ] {
        let draft = draft(dovecot, &format!("{POSTFIX}{SUBMISSION}"), listening);
        let found = servers(&draft).remove(0);
        assert_eq!(found.trim_end_matches('?'), expected.trim_end_matches('?'), "{listening:?}");
        let is_proxy = warnings(&draft).contains("another program listens");
        assert_eq!(is_proxy, dovecot == plain && listening.contains(&993), "{listening:?}");
    }
}

#[test]
fn values_that_are_not_known_are_assumed() {
    let level = SUBMISSION.replace("=encrypt", "=$mua_level");
    let wrap = SUBMISSIONS.replace("wrappermode=yes", "wrappermode=$mua_wrap");
    let login = SUBMISSION.replace("enable=yes", "enable=${mua_auth}");
    for (services, main, expected) in [
        (&level, "", "smtp 587 (starttls)?"),
        (&wrap, "", "smtp 465 (tls)?"),
        (&login, "", "smtp 587 (starttls)"),
        (&level, "mua_level = encrypt\n", "smtp 587 (starttls)"),
        (&wrap, "mua_wrap = yes\n", "smtp 465 (tls)"),
    ] {
        let draft = draft(DOVECOT, &format!("{POSTFIX}{main}{services}"), &[]);
        assert!(
            servers(&draft).contains(&expected.to_owned()),
            "{services}: {:?}",
            servers(&draft)
        );
        assert_eq!(warnings(&draft).contains("not set in what was read"), main.is_empty());
    }
}

/// The methods of the SMTP server, and the origin of the login.
#[test]
fn methods_are_those_that_the_sasl_server_has() {
    let options = " -o smtpd_sasl_security_options=";
    let crammed = DOVECOT.replace("plain login", "plain login cram-md5");
    for (dovecot, option, expected) in [
        (DOVECOT, "noanonymous", Some(None)),
        // smtpd says "no SASL authentication mechanisms", and ends.
        (DOVECOT, "noanonymous,noplaintext", None),
        (&crammed, "noanonymous,noplaintext", Some(Some(Auth::CramMd5))),
        (&crammed, "noplaintext,noactive", None),
        (&crammed, "noactive", Some(None)),
        (&crammed, "forward_secrecy", None),
    ] {
        let draft = draft(dovecot, &format!("{POSTFIX}{SUBMISSION}{options}{option}\n"), &[]);
        let smtp = draft.top.servers.iter().find(|it| it.protocol == Protocol::Smtp);
        let auth = smtp.map(|it| it.auth.as_ref().and_then(|auth| auth.value.first().copied()));
        assert_eq!(auth, expected, "{option}");
    }
    let cyrus = POSTFIX.replace("= dovecot", "= cyrus");
    let only_cram = DOVECOT.replace("plain login", "cram-md5");
    let draft = draft(&only_cram, &format!("{cyrus}{SUBMISSION}"), &[]);
    let smtp = &draft.top.servers[1];
    assert_eq!(smtp.auth, None);
    let login = smtp.username.as_ref().expect("a login");
    assert!(login.origin.to_string().contains("it may be another here"), "{}", login.origin);
}

#[test]
fn behind_postscreen_is_another_service() {
    let services = "submission inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n \
        -o smtpd_sasl_auth_enable=yes\n -o smtpd_tls_security_level=encrypt\n";
    let draft = draft(DOVECOT, &format!("{POSTFIX}{services}"), &[]);
    assert!(servers(&draft).contains(&"smtp 587 (starttls)".to_owned()), "{:?}", servers(&draft));
}
