//! Logins.

use super::*;

#[tokio::test]
async fn a_login_is_made_once_and_inside_of_tls() {
    for (protocol, reply) in ALL {
        for security in [Security::StartTls, Security::Tls] {
            let fake = Fake::new(protocol, security, reply);
            assert_eq!(fake.log_in().await, Some(Ok(())), "{protocol:?}");
            let secret = |command: &&String| command.contains("AGFubkBl");
            assert_eq!(fake.commands().iter().filter(secret).count(), 1, "{protocol:?}");
        }
        let fake = Fake::new(protocol, Security::Plain, reply);
        assert_eq!(fake.log_in().await, None);
        assert!(!fake.commands().iter().any(|command| command.starts_with("AUTH")));
    }
}

#[tokio::test]
async fn no_login_is_made_if_the_certificate_is_refused() {
    let mut fake = Fake::new(Protocol::Pop3, Security::Tls, pop3);
    fake.acceptor = Arc::new(acceptor(&leaf(&authority("another")), &[], None));
    let address = fake.start().await;
    let outcome = fake.spoken_at(address, Some("ann@example.org")).await;
    assert!(matches!(outcome, Outcome::Tls(_)), "{outcome:?}");
    assert_eq!(fake.commands(), [""; 0]);
}

#[tokio::test]
async fn older_ways_of_login_are_used_if_plain_is_not_offered() {
    let fake = Fake::new(Protocol::Imap, Security::Tls, |command, is_tls| match command {
        "CAPABILITY" => say(&["* CAPABILITY IMAP4rev1", "TAG OK done"]),
        r#"LOGIN "ann@example.org" "a \"secret\"""# => say(&["TAG OK in"]),
        _ => imap(command, is_tls),
    });
    assert_eq!(fake.log_in().await, Some(Ok(())));
    let fake = Fake::new(Protocol::Imap, Security::Tls, |command, is_tls| match command {
        "CAPABILITY" => say(&["* CAPABILITY IMAP4rev1 AUTH=PLAIN", "TAG OK done"]),
        "AUTHENTICATE PLAIN" => say(&["+ "]),
        // A line without a tag.
        "AGFubkBleGFtcGxlLm9yZwBhICJzZWNyZXQi" => say(&["a2 OK in"]),
        _ => imap(command, is_tls),
    });
    assert_eq!(fake.log_in().await, Some(Ok(())));
    let fake = Fake::new(Protocol::Pop3, Security::Tls, |command, is_tls| match command {
        "CAPA" => say(&["+OK", "USER", "."]),
        "USER ann@example.org" => say(&["+OK"]),
        "PASS a \"secret\"" => say(&["+OK in"]),
        _ => pop3(command, is_tls),
    });
    assert_eq!(fake.log_in().await, Some(Ok(())));
    let fake = Fake::new(Protocol::Smtp, Security::Tls, |command, is_tls| match command {
        "EHLO [127.0.0.1]" => say(&["250-mail.example.org", "250 AUTH LOGIN"]),
        "AUTH LOGIN" => say(&["334 VXNlcm5hbWU6"]),
        "YW5uQGV4YW1wbGUub3Jn" => say(&["334 UGFzc3dvcmQ6"]),
        "YSAic2VjcmV0Ig==" => say(&["235 in"]),
        _ => smtp(command, is_tls),
    });
    assert_eq!(fake.log_in().await, Some(Ok(())));
}

#[tokio::test]
async fn a_refused_login_is_reported_without_the_password() {
    let refused = Fake::new(Protocol::Smtp, Security::Tls, |command, is_tls| {
        match command.starts_with("AUTH") {
            true => say(&["535 5.7.8 wrong"]),
            false => smtp(command, is_tls),
        }
    });
    assert_eq!(refused.log_in().await, Some(Err("535 5.7.8 wrong".into())));
    let echo = Fake::new(Protocol::Smtp, Security::Tls, |command, is_tls| {
        match command.starts_with("AUTH") {
            true => Some(format!("502 {command}?\r\n")),
            false => smtp(command, is_tls),
        }
    });
    let text = echo.log_in().await.unwrap().unwrap_err();
    assert!(!text.contains("AGFu"), "{text}");
    let echo = Fake::new(Protocol::Pop3, Security::Tls, |command, is_tls| match command {
        "CAPA" => say(&["+OK", "USER", "."]),
        _ if command.starts_with("USER") => say(&["+OK"]),
        _ if command.starts_with("PASS") => Some(format!("-ERR {command}\r\n")),
        _ => pop3(command, is_tls),
    });
    let text = echo.log_in().await.unwrap().unwrap_err();
    assert!(!text.contains("secret"), "{text}");
    let echo = Fake::new(Protocol::Pop3, Security::Tls, |command, is_tls| match command {
        "CAPA" => say(&["+OK", "USER", "."]),
        _ if command.starts_with("USER") => say(&["+OK"]),
        _ if command.starts_with("PASS") => Some(format!("what is {command}?\r\n")),
        _ => pop3(command, is_tls),
    });
    let text = echo.log_in().await.unwrap().unwrap_err();
    assert!(!text.contains("secret"), "{text}");
    let none = Fake::new(Protocol::Smtp, Security::Tls, |command, is_tls| match command {
        "EHLO [127.0.0.1]" => say(&["250-mail.example.org", "250 AUTH XOAUTH2"]),
        _ => smtp(command, is_tls),
    });
    let text = "no mechanism for a password is offered".to_owned();
    assert_eq!(none.log_in().await, Some(Err(text)));
}

#[test]
fn a_password_is_not_printed() {
    assert_eq!(format!("{:?}", secret()), "Credentials { password: Secret }");
}
