//! The dialogues, over any connection: no time limits and no TLS here.
//!
//! Refuses a response of more than 100 lines and what is not the protocol. Believes nothing that
//! comes after the response to STARTTLS. The commands are those below and no others: never DATA or a
//! command that changes a mailbox.

use super::secret::{Credentials, Secret};
use super::server::{Outcome, Spoken};
use super::talk::{Talk, shown};
use super::words::{self, Offer, Part, Status};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use mailsetup::account::Protocol;
use tokio::io::{AsyncRead, AsyncWrite};

/// A recipient in a domain that is kept for documentation.
const NOBODY: &str = "probe-test@example.net";

/// Most lines of a response.
const MAX_LINES: usize = 100;

/// A connection, and the protocol that is spoken on it.
#[derive(Debug)]
pub struct Dialogue<S> {
    talk: Talk<S>,
    protocol: Protocol,
    /// The name of this computer for EHLO.
    name: String,
    /// The number of the last command, for the tags of IMAP.
    number: usize,
    offer: Option<Offer>,
}

#[derive(Debug)]
struct Response {
    status: Status,
    /// All lines for SMTP, those before the last one for others.
    lines: Vec<String>,
    last: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    /// `name` is the name or address literal of this computer.
    pub fn new(stream: S, protocol: Protocol, name: &str) -> Dialogue<S> {
        Dialogue { talk: Talk::new(stream), protocol, name: name.into(), number: 0, offer: None }
    }

    /// Waits for the first octet of the server.
    ///
    /// # Errors
    ///
    /// The connection ended.
    pub async fn wait(&mut self) -> Result<(), Outcome> {
        self.talk.wait().await
    }

    /// Reads the greeting.
    ///
    /// # Errors
    ///
    /// The server refuses the connection, or it speaks another protocol.
    pub async fn greeting(&mut self) -> Result<String, Outcome> {
        if self.protocol == Protocol::Imap {
            let line = self.talk.line().await?;
            let mut words = line.split_ascii_whitespace();
            // PREAUTH comes before any protection: RFC 9051 section 11.1 has it refused.
            let is_ok = words.next() == Some("*")
                && words.next().is_some_and(|word| word.eq_ignore_ascii_case("OK"));
            return if is_ok { Ok(shown(&line)) } else { Err(Outcome::Unfit(shown(&line))) };
        }
        let response = self.response(false).await?;
        if response.status != Status::Ok {
            return Err(Outcome::Unfit(shown(&response.last)));
        }
        if self.protocol == Protocol::ManageSieve {
            self.offer = Some(words::offer(self.protocol, &response.lines));
        }
        let line = match self.protocol {
            Protocol::Smtp => response.lines.first().unwrap_or(&response.last),
            _ => &response.last,
        };
        Ok(shown(line))
    }

    /// Asks what the server offers.
    ///
    /// # Errors
    ///
    /// The server does not say it, or ends the connection.
    pub async fn hello(&mut self) -> Result<(), Outcome> {
        let response = match self.protocol {
            Protocol::Imap => self.command("CAPABILITY", true).await?,
            Protocol::Pop3 => self.command("CAPA", true).await?,
            Protocol::Smtp => self.command(&format!("EHLO {}", self.name), true).await?,
            // It says so in its greeting, and again after the handshake.
            Protocol::ManageSieve if self.offer.is_some() => return Ok(()),
            Protocol::ManageSieve => self.response(true).await?,
        };
        let mut offer = words::offer(self.protocol, &response.lines);
        match (response.status, self.protocol) {
            (Status::Ok, _) => {}
            // A server without CAPA (RFC 2449) has USER and nothing else.
            (Status::No, Protocol::Pop3) => offer.mechanisms = vec!["USER-COMMAND".into()],
            _ => return Err(Outcome::Unfit(shown(&response.last))),
        }
        self.offer = Some(offer);
        Ok(())
    }

    /// Writes what the server offers into what it said: before TLS, or at last.
    pub fn note(&self, spoken: &mut Spoken, is_at_last: bool) {
        let Some(offer) = &self.offer else { return };
        if is_at_last {
            spoken.capabilities = offer.capabilities.clone();
            spoken.mechanisms = offer.mechanisms.clone();
        } else {
            spoken.mechanisms_before_tls = offer.mechanisms.clone();
            spoken.offers_starttls = offer.has(self.starttls());
        }
    }

    /// Asks for TLS. Returns the connection for the handshake, and what the server sent too early.
    ///
    /// # Errors
    ///
    /// TLS is not offered, or refused.
    pub async fn start_tls(mut self) -> Result<(S, Option<String>), Outcome> {
        if !self.offer.as_ref().is_some_and(|offer| offer.has(self.starttls())) {
            return Err(Outcome::NoStartTls("it is not offered".into()));
        }
        let response = self.command(self.starttls(), false).await?;
        if response.status != Status::Ok {
            return Err(Outcome::NoStartTls(shown(&response.last)));
        }
        let (stream, rest) = self.talk.into_parts();
        let injected = shown(&String::from_utf8_lossy(&rest));
        Ok((stream, (!rest.is_empty()).then_some(injected)))
    }

    /// Submission: asks to send a message to another domain without a login, and takes it back. Many
    /// servers refuse only at the recipient, which is one that no mail can reach (RFC 2606). Returns the
    /// response that decides, and whether the message would be accepted.
    ///
    /// # Errors
    ///
    /// The connection ended.
    pub async fn mail(&mut self, sender: &str) -> Result<(String, bool), Outcome> {
        let mut response = self.command(&format!("MAIL FROM:<{sender}>"), false).await?;
        if response.status == Status::Ok {
            response = self.command(&format!("RCPT TO:<{NOBODY}>"), false).await?;
            // What it says to that changes nothing.
            let _ = self.command("RSET", false).await;
        }
        Ok((shown(&response.last), response.status == Status::Ok))
    }

    /// Logs in, with the first of these that is offered: PLAIN, LOGIN, the command of the protocol. The
    /// caller has checked that the connection is protected.
    ///
    /// # Errors
    ///
    /// What the server said, or why it was not asked.
    pub async fn log_in(&mut self, login: &str, credentials: &Credentials) -> Result<(), String> {
        let password = credentials.password.octets();
        let plain = [b"\0", login.as_bytes(), b"\0", password].concat();
        let plain = encoded(&Secret::new(plain));
        let offer = self.offer.clone().unwrap_or_default();
        let has = |mechanism| offer.has_mechanism(mechanism);
        let line = |parts: &[&[u8]]| Secret::new(parts.concat());
        // What is sent, one after the other; each but the last is answered by a continuation, or by
        // success for USER.
        let steps = match self.protocol {
            Protocol::Imap if has("PLAIN") && offer.has("SASL-IR") => {
                vec![line(&[b"AUTHENTICATE PLAIN ", plain.octets()])]
            }
            Protocol::Imap if has("PLAIN") => {
                vec![line(&[b"AUTHENTICATE PLAIN"]), line(&[plain.octets()])]
            }
            Protocol::Imap if has("LOGIN-COMMAND") => {
                let quoted = |octets| words::quoted(octets).map(Secret::new);
                let (Some(login), Some(password)) = (quoted(login.as_bytes()), quoted(password))
                else {
                    return Err("the LOGIN command cannot hold this login or password".into());
                };
                vec![line(&[b"LOGIN ", login.octets(), b" ", password.octets()])]
            }
            Protocol::Pop3 if has("PLAIN") => vec![line(&[b"AUTH PLAIN"]), line(&[plain.octets()])],
            Protocol::Pop3 if has("USER-COMMAND") => {
                let has_end = |octets: &[u8]| octets.iter().any(|octet| b"\r\n".contains(octet));
                if has_end(login.as_bytes()) || has_end(password) {
                    return Err("the PASS command cannot hold this login or password".into());
                }
                vec![line(&[b"USER ", login.as_bytes()]), line(&[b"PASS ", password])]
            }
            Protocol::Smtp if has("PLAIN") => vec![line(&[b"AUTH PLAIN ", plain.octets()])],
            Protocol::Smtp if has("LOGIN") => vec![
                line(&[b"AUTH LOGIN"]),
                encoded(&Secret::new(login.into())),
                encoded(&credentials.password),
            ],
            Protocol::ManageSieve if has("PLAIN") => {
                vec![line(&[b"AUTHENTICATE \"PLAIN\" \"", plain.octets(), b"\""])]
            }
            _ => return Err("no mechanism for a password is offered".into()),
        };
        // The ways in which the password is sent: some servers repeat a command that they do not know.
        let quoted = words::quoted(password).map(Secret::new);
        let encoded = encoded(&credentials.password);
        let mut secrets = vec![password, plain.octets(), encoded.octets()];
        secrets.extend(quoted.as_ref().map(Secret::octets));
        self.pass(&steps, &secrets).await
    }

    async fn pass(&mut self, steps: &[Secret], secrets: &[&[u8]]) -> Result<(), String> {
        let of_outcome = |outcome| match outcome {
            Outcome::Unfit(text) => text,
            _ => "the connection ended".to_owned(),
        };
        for (number, step) in steps.iter().enumerate() {
            let is_last = number + 1 == steps.len();
            let tag = if number == 0 { self.next_tag() } else { String::new() };
            let bytes = Secret::new([tag.as_bytes(), step.octets(), b"\r\n"].concat());
            self.talk.send(bytes.octets()).await.map_err(of_outcome)?;
            let response = self.any_response(false).await.map_err(of_outcome)?;
            match response.status {
                Status::Ok if is_last => return Ok(()),
                Status::Ok if self.protocol == Protocol::Pop3 => {}
                Status::Continue if !is_last => {}
                _ => return Err(without(&response.last, secrets)),
            }
        }
        Err("the server did not answer the login".into())
    }

    /// Ends the dialogue.
    ///
    /// # Errors
    ///
    /// The connection ended before.
    pub async fn leave(&mut self) -> Result<(), Outcome> {
        let command = match self.protocol {
            Protocol::Imap | Protocol::ManageSieve => "LOGOUT",
            Protocol::Pop3 | Protocol::Smtp => "QUIT",
        };
        self.command(command, false).await.map(|_| ())
    }

    fn starttls(&self) -> &'static str {
        match self.protocol {
            Protocol::Pop3 => "STLS",
            _ => "STARTTLS",
        }
    }

    /// The tag of the next command with its space; empty for protocols without tags.
    fn next_tag(&mut self) -> String {
        self.number += 1;
        match self.protocol {
            Protocol::Imap => format!("a{} ", self.number),
            _ => String::new(),
        }
    }

    async fn command(&mut self, text: &str, is_list: bool) -> Result<Response, Outcome> {
        let line = format!("{}{text}\r\n", self.next_tag());
        self.talk.send(line.as_bytes()).await?;
        self.response(is_list).await
    }

    /// Reads a response; `is_list` if that of POP3 has more lines than one.
    async fn response(&mut self, is_list: bool) -> Result<Response, Outcome> {
        let response = self.any_response(is_list).await?;
        match response.status {
            Status::Unfit => Err(Outcome::Unfit(shown(&response.last))),
            _ => Ok(response),
        }
    }

    /// Reads a response, or a line that is none.
    async fn any_response(&mut self, is_list: bool) -> Result<Response, Outcome> {
        let tag = format!("a{}", self.number);
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            if lines.len() >= MAX_LINES {
                return Err(Outcome::Unfit("a response has more than 100 lines".into()));
            }
            match words::part(self.protocol, &tag, &line) {
                Part::More => lines.push(line),
                Part::End(status) => {
                    if self.protocol == Protocol::Smtp {
                        lines.push(line.clone());
                    }
                    if self.protocol == Protocol::Pop3 && is_list && status == Status::Ok {
                        lines = self.list().await?;
                    }
                    return Ok(Response { status, lines, last: line });
                }
            }
        }
    }

    /// The lines up to the one with a dot.
    async fn list(&mut self) -> Result<Vec<String>, Outcome> {
        let mut lines = Vec::new();
        loop {
            match self.talk.line().await? {
                dot if dot == "." => return Ok(lines),
                _ if lines.len() >= MAX_LINES => {
                    return Err(Outcome::Unfit("a response has more than 100 lines".into()));
                }
                line => lines.push(line),
            }
        }
    }

    /// A line; the literals in it become quoted strings.
    async fn line(&mut self) -> Result<String, Outcome> {
        let mut line = self.talk.line().await?;
        if !matches!(self.protocol, Protocol::Imap | Protocol::ManageSieve) {
            return Ok(line);
        }
        let mut count = 0;
        while let Some((before, length)) = words::literal(&line) {
            count += 1;
            if count > MAX_LINES {
                return Err(Outcome::Unfit("a line has more than 100 strings".into()));
            }
            let text = self.talk.octets(length).await?;
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            line = format!("{before}\"{text}\"{}", self.talk.line().await?);
        }
        Ok(line)
    }
}

fn encoded(secret: &Secret) -> Secret {
    Secret::new(BASE64_STANDARD.encode(secret.octets()).into_bytes())
}

/// A response as it may be shown: not with the password.
fn without(line: &str, secrets: &[&[u8]]) -> String {
    let holds = |secret: &&[u8]| {
        // As in the line, octets that are not UTF-8 are replaced.
        let secret = String::from_utf8_lossy(secret);
        let mut parts = line.as_bytes().windows(secret.len().max(1));
        !secret.is_empty() && parts.any(|part| part.eq_ignore_ascii_case(secret.as_bytes()))
    };
    match secrets.iter().any(holds) {
        true => "refused; the response repeats the password and is not shown".into(),
        false => shown(line),
    }
}
