//! Mail servers: any bytes from them, before the handshake and after it.
//!
//! The first byte selects the protocol, the second one how many bytes come at a time; the rest is what
//! the server sends, up to a zero byte before the handshake. Checks: the dialogue ends when the server
//! does; it sends whole lines, each with a command that is allowed; texts are visible; the password is
//! in none of them; and the result is the same if the bytes come one by one.

use super::take_until;
use mailsetup::account::Protocol;
use mailsetup_probe::net::mail::{Credentials, Dialogue, Outcome, Secret, Spoken};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The first word of what may be sent, without the tag of IMAP. The last ones are the login and the
/// password, encoded.
const COMMANDS: [&str; 18] = [
    "CAPABILITY",
    "CAPA",
    "EHLO",
    "STARTTLS",
    "STLS",
    "MAIL",
    "RCPT",
    "RSET",
    "LOGOUT",
    "QUIT",
    "AUTHENTICATE",
    "LOGIN",
    "AUTH",
    "USER",
    "PASS",
    "AGFubgBodXNoLWh1c2g=",
    "YW5u",
    "aHVzaC1odXNo",
];
const PASSWORD: &str = "hush-hush";

/// What a server sends, and what it was sent.
struct Script<'a> {
    rest: &'a [u8],
    at_once: usize,
    sent: &'a mut Vec<u8>,
}

impl AsyncRead for Script<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.at_once.min(buffer.remaining()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(length);
        buffer.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.sent.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// All of a dialogue.
async fn speak(
    protocol: Protocol,
    (before, after): (&[u8], &[u8]),
    at_once: usize,
    sent: &mut Vec<u8>,
    spoken: &mut Spoken,
) -> Result<(), Outcome> {
    let name = "[192.0.2.1]";
    let script = Script { rest: before, at_once, sent };
    let mut dialogue = Dialogue::new(script, protocol, name);
    spoken.greeting = dialogue.greeting().await?;
    dialogue.hello().await?;
    dialogue.note(spoken, false);
    let (script, injected) = dialogue.start_tls().await?;
    spoken.injected = injected;
    let script = Script { rest: after, at_once, sent: script.sent };
    let mut dialogue = Dialogue::new(script, protocol, name);
    dialogue.hello().await?;
    dialogue.note(spoken, true);
    if protocol == Protocol::Smtp {
        let (response, is_open) = dialogue.mail("probe-test@example.org").await?;
        spoken.mail_without_login = Some(response);
        spoken.is_open = is_open;
    }
    let credentials = Credentials { password: Secret::new(PASSWORD.into()) };
    spoken.login = Some(dialogue.log_in("ann", &credentials).await);
    dialogue.leave().await
}

pub fn run(data: &[u8]) {
    let [protocol, at_once, rest @ ..] = data else { return };
    let protocols = [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve];
    let protocol = protocols[usize::from(protocol % 4)];
    let mut rest = rest;
    let scripts = (take_until(&mut rest, b'\0'), rest);
    let at_once = usize::from(*at_once).max(1);
    let all = [at_once, 1].map(|at_once| {
        let (mut sent, mut spoken) = (Vec::new(), Spoken::default());
        let result = {
            let dialogue = pin!(speak(protocol, scripts, at_once, &mut sent, &mut spoken));
            match dialogue.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => result,
                Poll::Pending => panic!("it waits, although there is no more to come"),
            }
        };
        check(protocol, &sent, &spoken, &result);
        // What has come too early depends on how much comes at once.
        spoken.injected = None;
        (sent, spoken, result)
    });
    assert_eq!(all[0], all[1]);
}

fn check(protocol: Protocol, sent: &[u8], spoken: &Spoken, result: &Result<(), Outcome>) {
    let sent = std::str::from_utf8(sent).expect("ASCII");
    assert!(sent.is_empty() || sent.ends_with("\r\n"), "{sent:?}");
    for line in sent.lines() {
        let mut words = line.split(' ');
        let first = words.next().unwrap_or_default();
        let has_tag = protocol == Protocol::Imap && words.clone().next().is_some();
        let command = if has_tag { words.next().unwrap_or_default() } else { first };
        assert!(COMMANDS.contains(&command), "{line:?}");
    }
    let mut texts: Vec<&String> = vec![&spoken.greeting];
    texts.extend(&spoken.capabilities);
    texts.extend(&spoken.mechanisms);
    texts.extend(&spoken.mechanisms_before_tls);
    texts.extend(&spoken.injected);
    texts.extend(&spoken.mail_without_login);
    let login = spoken.login.as_ref().and_then(|login| login.as_ref().err());
    texts.extend(login);
    match result {
        Ok(()) => {}
        Err(Outcome::Unfit(text) | Outcome::NoStartTls(text)) => texts.push(text),
        Err(outcome) => panic!("{outcome:?}"),
    }
    for text in texts {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    // The server may guess it; then it is not shown either.
    assert!(login.is_none_or(|text| !text.contains(PASSWORD)), "{login:?}");
}
