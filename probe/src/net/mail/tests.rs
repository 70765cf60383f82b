//! Mail servers on the loopback address, with what servers do right and wrong.

mod login;

use super::*;
use crate::net::dns::Addresses;
use crate::net::tls::Reason;
use crate::net::tls::testing::{Pair, Wish, accept, acceptor, authority, leaf, server, trust};
use mailsetup::account::{Protocol, Security};
use openssl::ssl::{SslAcceptor, SslVersion};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The response to a command; `TAG` becomes the tag of IMAP. `None` closes the connection. The
/// command is empty for the greeting, and for what ManageSieve sends after a handshake.
type Reply = fn(command: &str, is_tls: bool) -> Option<String>;

#[derive(Clone)]
struct Fake {
    root: Pair,
    acceptor: Arc<SslAcceptor>,
    protocol: Protocol,
    security: Security,
    reply: Reply,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(protocol: Protocol, security: Security, reply: Reply) -> Fake {
        let root = authority("root");
        let acceptor = Arc::new(acceptor(&leaf(&root), &[], None));
        Fake { root, acceptor, protocol, security, reply, commands: Arc::default() }
    }

    async fn start(&self) -> SocketAddr {
        let fake = self.clone();
        server(move |stream| fake.clone().serve(stream)).await
    }

    async fn serve(self, mut stream: TcpStream) {
        if self.security == Security::Tls {
            if let Some(stream) = accept(&self.acceptor, stream).await {
                self.speak(stream, true, true).await;
            }
        } else if self.speak(&mut stream, false, true).await {
            if let Some(stream) = accept(&self.acceptor, stream).await {
                self.speak(stream, true, self.protocol == Protocol::ManageSieve).await;
            }
        }
    }

    /// True if a handshake is to follow.
    async fn speak<S>(&self, mut stream: S, is_tls: bool, greets: bool) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if greets {
            let Some(text) = (self.reply)("", is_tls) else { return false };
            let _ = stream.write_all(text.as_bytes()).await;
        }
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                match stream.read_u8().await {
                    Ok(octet) => line.push(octet),
                    Err(_) => return false,
                }
            }
            let line = String::from_utf8(line).unwrap();
            let line = line.trim_end();
            let (tag, command) = match (self.protocol, line.split_once(' ')) {
                (Protocol::Imap, Some((tag, command))) => (tag, command),
                _ => ("", line),
            };
            self.commands.lock().unwrap().push(command.to_owned());
            let Some(text) = (self.reply)(command, is_tls) else { return false };
            let text = text.replace("TAG", tag);
            if stream.write_all(text.as_bytes()).await.is_err() {
                return false;
            }
            let is_ok = ["220", "+OK", "OK"].iter().any(|ok| text.starts_with(ok))
                || text.starts_with(&format!("{tag} OK"));
            if is_ok && ["STARTTLS", "STLS"].contains(&command) {
                return true;
            }
        }
    }

    async fn visit(&self) -> Outcome {
        let address = self.start().await;
        self.spoken_at(address, None).await
    }

    async fn spoken_at(&self, address: SocketAddr, login: Option<&str>) -> Outcome {
        let endpoint = Endpoint {
            protocol: self.protocol,
            host: "example.org".into(),
            port: address.port(),
            security: self.security,
        };
        let addresses = Addresses { answers: vec![], list: vec![address.ip()] };
        let mut context = context(&self.root);
        context.credentials = login.map(|_| secret());
        let server = speak(&endpoint, addresses, login, &context).await;
        let [(_, outcome)] = &server.dialogues[..] else { panic!("{server:?}") };
        outcome.clone()
    }

    async fn spoken(&self) -> Spoken {
        match self.visit().await {
            Outcome::Spoke(spoken) => spoken,
            outcome => panic!("{outcome:?}"),
        }
    }

    async fn log_in(&self) -> Option<Result<(), String>> {
        let address = self.start().await;
        match self.spoken_at(address, Some("ann@example.org")).await {
            Outcome::Spoke(spoken) => spoken.login,
            outcome => panic!("{outcome:?}"),
        }
    }

    fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap().clone()
    }
}

fn secret() -> Credentials {
    Credentials { password: Secret::new(b"a \"secret\"".to_vec()) }
}

fn context(root: &Pair) -> Context {
    Context {
        trust: trust(root),
        domain: "example.org".into(),
        deadline: None,
        limits: Limits {
            connection: Duration::from_millis(1500),
            quiet: Duration::from_millis(200),
        },
        credentials: None,
    }
}

fn say(lines: &[&str]) -> Option<String> {
    Some(lines.iter().map(|line| format!("{line}\r\n")).collect())
}

fn imap(command: &str, is_tls: bool) -> Option<String> {
    match command {
        "" => say(&["* OK [CAPABILITY IMAP4rev1] hello"]),
        "CAPABILITY" if is_tls => {
            say(&["* CAPABILITY IMAP4rev1 sasl-ir AUTH=PLAIN auth=login IDLE", "TAG OK done"])
        }
        "CAPABILITY" => say(&["* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED", "TAG OK done"]),
        "STARTTLS" => say(&["TAG OK begin"]),
        "LOGOUT" => say(&["* BYE", "TAG OK"]),
        "AUTHENTICATE PLAIN AGFubkBleGFtcGxlLm9yZwBhICJzZWNyZXQi" => say(&["TAG OK in"]),
        _ => say(&["TAG BAD what"]),
    }
}

fn pop3(command: &str, is_tls: bool) -> Option<String> {
    match command {
        "" => say(&["+OK ready"]),
        "CAPA" if is_tls => say(&["+OK", "USER", "SASL PLAIN", "UIDL", "."]),
        "CAPA" => say(&["+OK", "STLS", "UIDL", "."]),
        "STLS" => say(&["+OK"]),
        "QUIT" => say(&["+OK"]),
        "AUTH PLAIN" => say(&["+ "]),
        "AGFubkBleGFtcGxlLm9yZwBhICJzZWNyZXQi" => say(&["+OK in"]),
        _ => say(&["-ERR what"]),
    }
}

fn smtp(command: &str, is_tls: bool) -> Option<String> {
    match command {
        "" => say(&["220-mail.example.org waits", "220 mail.example.org ESMTP"]),
        "EHLO [127.0.0.1]" if is_tls => say(&[
            "250-mail.example.org",
            "250-SIZE 1000",
            "250-AUTH PLAIN LOGIN",
            "250-AUTH=PLAIN XOAUTH2",
            "250 8BITMIME",
        ]),
        "EHLO [127.0.0.1]" => say(&["250-mail.example.org", "250 STARTTLS"]),
        "STARTTLS" => say(&["220 go"]),
        "MAIL FROM:<probe-test@example.org>" => say(&["530 5.7.0 Authentication required"]),
        "AUTH PLAIN AGFubkBleGFtcGxlLm9yZwBhICJzZWNyZXQi" => say(&["235 in"]),
        "QUIT" => say(&["221 bye"]),
        _ => say(&["502 what"]),
    }
}

fn sieve(command: &str, is_tls: bool) -> Option<String> {
    match command {
        "" if is_tls => say(&[
            "\"IMPLEMENTATION\" {5}",
            "a \"b\"",
            "\"SASL\" \"PLAIN LOGIN\"",
            "\"VERSION\" \"1.0\"",
            "OK (TAG {4}",
            "tag1) \"done\"",
        ]),
        "" => say(&["\"SASL\" \"\"", "\"STARTTLS\"", "OK \"ready\""]),
        "STARTTLS" => say(&["OK \"begin\""]),
        "LOGOUT" => say(&["OK"]),
        "AUTHENTICATE \"PLAIN\" \"AGFubkBleGFtcGxlLm9yZwBhICJzZWNyZXQi\"" => say(&["OK"]),
        _ => say(&["NO \"what\""]),
    }
}

const ALL: [(Protocol, Reply); 4] = [
    (Protocol::Imap, imap),
    (Protocol::Pop3, pop3),
    (Protocol::Smtp, smtp),
    (Protocol::ManageSieve, sieve),
];

#[tokio::test]
async fn each_protocol_is_spoken_with_starttls() {
    type Words = &'static [&'static str];
    let expected: [(&str, Words, Words, Words); 4] = [
        (
            "* OK [CAPABILITY IMAP4rev1] hello",
            &["IMAP4REV1", "SASL-IR", "IDLE"],
            &["PLAIN", "LOGIN", "LOGIN-COMMAND"],
            &["CAPABILITY", "STARTTLS", "CAPABILITY", "LOGOUT"],
        ),
        (
            "+OK ready",
            &["USER", "UIDL"],
            &["PLAIN", "USER-COMMAND"],
            &["CAPA", "STLS", "CAPA", "QUIT"],
        ),
        (
            "220-mail.example.org waits",
            &["SIZE 1000", "8BITMIME"],
            &["PLAIN", "LOGIN", "XOAUTH2"],
            &[
                "EHLO [127.0.0.1]",
                "STARTTLS",
                "EHLO [127.0.0.1]",
                "MAIL FROM:<probe-test@example.org>",
                "QUIT",
            ],
        ),
        (
            "OK \"ready\"",
            &["IMPLEMENTATION A \"B\"", "VERSION 1.0"],
            &["PLAIN", "LOGIN"],
            &["STARTTLS", "LOGOUT"],
        ),
    ];
    for ((protocol, reply), (greeting, capabilities, mechanisms, commands)) in
        ALL.into_iter().zip(expected)
    {
        let fake = Fake::new(protocol, Security::StartTls, reply);
        let spoken = fake.spoken().await;
        assert_eq!(spoken.greeting, greeting);
        assert_eq!(spoken.capabilities, capabilities, "{protocol:?}");
        assert_eq!(spoken.mechanisms, mechanisms, "{protocol:?}");
        assert_eq!(spoken.mechanisms_before_tls, [""; 0], "{protocol:?}");
        assert!(spoken.offers_starttls && spoken.injected.is_none(), "{spoken:?}");
        assert_eq!(spoken.session.unwrap().certificate.names, ["example.org"]);
        assert_eq!(fake.commands(), commands, "{protocol:?}");
        let is_smtp = protocol == Protocol::Smtp;
        let refused = is_smtp.then(|| "530 5.7.0 Authentication required".to_owned());
        assert_eq!((spoken.mail_without_login, spoken.is_open), (refused, false));
        assert_eq!(spoken.login, None);
    }
}

#[tokio::test]
async fn each_protocol_is_spoken_with_tls_from_the_first_octet() {
    for (protocol, reply) in ALL {
        let fake = Fake::new(protocol, Security::Tls, reply);
        let spoken = fake.spoken().await;
        assert!(spoken.mechanisms.contains(&"PLAIN".to_owned()), "{spoken:?}");
        assert!(!spoken.offers_starttls && spoken.mechanisms_before_tls.is_empty(), "{spoken:?}");
        assert!(spoken.session.is_some() && !spoken.greeting.is_empty(), "{spoken:?}");
        assert!(!fake.commands().iter().any(|command| command.starts_with("ST")));
    }
}

#[tokio::test]
async fn each_protocol_is_spoken_in_plain_text() {
    for (protocol, reply) in ALL {
        let fake = Fake::new(protocol, Security::Plain, reply);
        let spoken = fake.spoken().await;
        assert!(spoken.offers_starttls && spoken.session.is_none(), "{spoken:?}");
        assert_eq!(spoken.mechanisms, spoken.mechanisms_before_tls);
        assert!(!fake.commands().iter().any(|command| command.starts_with("ST")));
    }
}

#[tokio::test]
async fn greetings_with_an_error_are_unfit() {
    let unfit: [(Protocol, Reply); 11] = [
        (Protocol::Imap, |_, _| say(&["* BYE too many connections"])),
        (Protocol::Imap, |_, _| say(&["* PREAUTH welcome"])),
        (Protocol::Imap, |_, _| say(&["220 mail.example.org ESMTP"])),
        (Protocol::Pop3, |_, _| say(&["-ERR locked"])),
        (Protocol::Pop3, |_, _| say(&["* OK hello"])),
        (Protocol::Smtp, |_, _| say(&["421 later"])),
        (Protocol::Smtp, |_, _| say(&["554-no", "554 never"])),
        (Protocol::Smtp, |_, _| say(&["SSH-2.0-OpenSSH_9.9"])),
        (Protocol::Smtp, |_, _| say(&["22\u{e9} hello"])),
        (Protocol::ManageSieve, |_, _| say(&["BYE \"no\""])),
        (Protocol::ManageSieve, |_, _| say(&["* OK hello"])),
    ];
    for (protocol, reply) in unfit {
        let outcome = Fake::new(protocol, Security::StartTls, reply).visit().await;
        let said = reply("", false).unwrap().trim_end().lines().last().unwrap().to_owned();
        assert_eq!(outcome, Outcome::Unfit(said));
    }
    let closed = Fake::new(Protocol::Imap, Security::StartTls, |_, _| None).visit().await;
    assert_eq!(closed, Outcome::Unfit("the server closed the connection".into()));
}

#[tokio::test]
async fn a_server_that_says_too_much_is_unfit() {
    let endless: [Reply; 4] = [
        |command, _| match command {
            "" => say(&["* OK"]),
            _ => Some("* CAPABILITY IMAP4rev1\r\n".repeat(200)),
        },
        |_, _| Some("x".repeat(20_000)),
        |command, _| match command {
            "" => say(&["* OK"]),
            _ => Some(format!("* OK {}\r\n", "x".repeat(8000)).repeat(20)),
        },
        |command, _| match command {
            "" => say(&["* OK"]),
            _ => say(&["* CAPABILITY {99999999999999999999999}", "x"]),
        },
    ];
    for (number, reply) in endless.into_iter().enumerate() {
        let outcome = Fake::new(Protocol::Imap, Security::Plain, reply).visit().await;
        assert!(matches!(outcome, Outcome::Unfit(_)), "{number}: {outcome:?}");
    }
    let pop3 = Fake::new(Protocol::Pop3, Security::Plain, |command, _| match command {
        "" => say(&["+OK"]),
        _ => Some(format!("+OK\r\n{}", "UIDL\r\n".repeat(101))),
    });
    let expected = Outcome::Unfit("a response has more than 100 lines".into());
    assert_eq!(pop3.visit().await, expected);
}

#[tokio::test]
async fn starttls_that_is_not_offered_or_refused_is_reported() {
    let not_offered = Fake::new(Protocol::Smtp, Security::StartTls, |command, _| match command {
        "" => say(&["220 hello"]),
        _ => say(&["250 mail.example.org"]),
    });
    let text = "it is not offered".to_owned();
    assert_eq!(not_offered.visit().await, Outcome::NoStartTls(text));
    assert_eq!(not_offered.commands(), ["EHLO [127.0.0.1]"]);
    let refused = Fake::new(Protocol::Smtp, Security::StartTls, |command, is_tls| match command {
        "STARTTLS" => say(&["454 TLS not available"]),
        _ => smtp(command, is_tls),
    });
    let text = "454 TLS not available".to_owned();
    assert_eq!(refused.visit().await, Outcome::NoStartTls(text));
}

#[tokio::test]
async fn what_comes_before_the_handshake_is_thrown_away() {
    let fake = Fake::new(Protocol::Imap, Security::StartTls, |command, is_tls| match command {
        "STARTTLS" => say(&["TAG OK begin", "* CAPABILITY AUTH=EVIL", "a3 OK done"]),
        _ => imap(command, is_tls),
    });
    let spoken = fake.spoken().await;
    let injected = spoken.injected.unwrap();
    assert!(injected.starts_with("* CAPABILITY AUTH=EVIL"), "{injected}");
    assert_eq!(spoken.mechanisms, ["PLAIN", "LOGIN", "LOGIN-COMMAND"]);
}

/// Postfix takes the sender, and refuses the recipient (`smtpd_delay_reject`).
#[tokio::test]
async fn an_open_submission_server_is_recognised_and_the_message_taken_back() {
    const REFUSED: &str = "554 5.7.1 Access denied";
    fn taken(command: &str, is_tls: bool) -> Option<String> {
        match command.split(' ').next() {
            Some("MAIL" | "RCPT" | "RSET") => say(&["250 Ok"]),
            _ => smtp(command, is_tls),
        }
    }
    fn refused(command: &str, is_tls: bool) -> Option<String> {
        match command.split(' ').next() {
            Some("RCPT") => say(&[REFUSED]),
            _ => taken(command, is_tls),
        }
    }
    for (server, said, is_open) in [(taken as Reply, "250 Ok", true), (refused, REFUSED, false)] {
        let fake = Fake::new(Protocol::Smtp, Security::StartTls, server);
        let spoken = fake.spoken().await;
        assert_eq!(spoken.is_open, is_open);
        assert_eq!(spoken.mail_without_login.as_deref(), Some(said));
        let sent = [
            "MAIL FROM:<probe-test@example.org>",
            "RCPT TO:<probe-test@example.net>",
            "RSET",
            "QUIT",
        ];
        assert_eq!(fake.commands()[3..], sent);
    }
}

#[tokio::test]
async fn pop3_without_capa_has_the_user_command() {
    let fake = Fake::new(Protocol::Pop3, Security::Tls, |command, _| match command {
        "" => say(&["+OK"]),
        _ => say(&["-ERR what"]),
    });
    let spoken = fake.spoken().await;
    assert_eq!((spoken.capabilities.len(), spoken.mechanisms), (0, vec!["USER-COMMAND".into()]));
}

#[tokio::test]
async fn mechanisms_before_tls_are_kept() {
    let fake = Fake::new(Protocol::Imap, Security::StartTls, |command, is_tls| match command {
        "CAPABILITY" if !is_tls => say(&["* CAPABILITY STARTTLS AUTH=PLAIN", "TAG OK done"]),
        _ => imap(command, is_tls),
    });
    let spoken = fake.spoken().await;
    assert_eq!(spoken.mechanisms_before_tls, ["PLAIN", "LOGIN-COMMAND"]);
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_described() {
    for security in [Security::Tls, Security::StartTls] {
        let mut fake = Fake::new(Protocol::Imap, security, imap);
        let other = Wish { dns: &["other.org"], issuer: Some(&fake.root), ..Wish::default() };
        fake.acceptor = Arc::new(acceptor(&other.make(), &[], None));
        let Outcome::Tls(refused) = fake.visit().await else { panic!("{security:?}") };
        assert_eq!(refused.reason, Reason::Name);
        assert_eq!(refused.seen.unwrap().certificate.names, ["other.org"]);

        let old = leaf(&fake.root);
        fake.acceptor = Arc::new(acceptor(&old, &[], Some(SslVersion::TLS1_1)));
        let Outcome::Tls(refused) = fake.visit().await else { panic!("{security:?}") };
        assert_eq!(refused.reason, Reason::OldProtocol);
        assert_eq!(refused.seen.unwrap().protocol, "TLSv1.1");
        assert!(!fake.commands().iter().any(|command| command == "LOGOUT"));
    }
}

#[tokio::test]
async fn plain_text_in_place_of_tls_is_reported_with_what_was_said() {
    let mut fake = Fake::new(Protocol::Imap, Security::Plain, imap);
    let address = fake.start().await;
    fake.security = Security::Tls;
    let Outcome::Tls(refused) = fake.spoken_at(address, None).await else { panic!() };
    assert_eq!(refused.reason, Reason::NotTls);
    assert!(refused.detail.ends_with("hello"), "{}", refused.detail);
}

#[tokio::test]
async fn tls_in_place_of_plain_text_is_recognised() {
    let mut fake = Fake::new(Protocol::Smtp, Security::Tls, smtp);
    let address = fake.start().await;
    fake.security = Security::StartTls;
    let outcome = fake.spoken_at(address, None).await;
    let Outcome::Unfit(text) = &outcome else { panic!("{outcome:?}") };
    assert!(text.contains("TLS from the first byte"), "{text}");
}

#[tokio::test]
async fn silence_and_closed_ports_are_told_apart() {
    let fake = Fake::new(Protocol::Imap, Security::StartTls, imap);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(fake.spoken_at(silent.local_addr().unwrap(), None).await, Outcome::TimedOut);
    let closed = silent.local_addr().unwrap();
    drop(silent);
    let expected = Outcome::Unreachable("connection refused".into());
    assert_eq!(fake.spoken_at(closed, None).await, expected);
}

#[tokio::test]
async fn a_slow_server_is_waited_for() {
    let fake = Fake::new(Protocol::Smtp, Security::Plain, smtp);
    let there = fake.clone();
    let address = server(move |stream| {
        let there = there.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            there.serve(stream).await;
        }
    });
    let address = address.await;
    let outcome = fake.spoken_at(address, None).await;
    assert!(matches!(outcome, Outcome::Spoke(_)), "{outcome:?}");
}

#[tokio::test]
async fn what_was_learnt_is_kept_if_the_rest_takes_too_long() {
    let fake = Fake::new(Protocol::Smtp, Security::Plain, |command, is_tls| {
        match command.starts_with("MAIL") {
            true => Some(String::new()),
            false => smtp(command, is_tls),
        }
    });
    let spoken = fake.spoken().await;
    assert!(spoken.offers_starttls && spoken.mail_without_login.is_none(), "{spoken:?}");
}

#[tokio::test]
async fn at_most_four_addresses_are_connected_to_at_once() {
    let fake = Fake::new(Protocol::Pop3, Security::Plain, pop3);
    let port = fake.start().await.port();
    let endpoint = Endpoint {
        protocol: Protocol::Pop3,
        host: "example.org".into(),
        port,
        security: Security::Plain,
    };
    // Only the first is listened on; the documentation's network of IPv6 has no host.
    let list = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "127.0.0.1", "127.0.0.2"];
    let list: Vec<IpAddr> = list.iter().map(|address| address.parse().unwrap()).collect();
    let addresses = Addresses { answers: vec![], list: list.clone() };
    let server = speak(&endpoint, addresses, None, &context(&fake.root)).await;
    let (there, outcomes): (Vec<_>, Vec<_>) = server.dialogues.into_iter().unzip();
    assert_eq!(there, list);
    assert!(matches!(outcomes[2], Outcome::NotAsked(_)), "{outcomes:?}");
    assert!(matches!(outcomes[3], Outcome::Spoke(_)), "{outcomes:?}");
    assert_eq!(outcomes[4], Outcome::Unreachable("connection refused".into()));

    let mut late = context(&fake.root);
    late.deadline = Some(tokio::time::Instant::now());
    let addresses = Addresses { answers: vec![], list: list[3..4].to_vec() };
    let server = speak(&endpoint, addresses, None, &late).await;
    assert!(matches!(server.dialogues[0].1, Outcome::NotAsked(_)), "{server:?}");
}
