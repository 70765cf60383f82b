//! A mail server, and what it says.

use crate::net::dns::Answer;
use crate::net::tls;
use mailsetup::account::{Protocol, Security};
use std::net::IpAddr;

/// A server that a client would connect to.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Endpoint {
    /// What is spoken.
    pub protocol: Protocol,
    /// The host, in lower case.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
}

/// A server, and what was seen of it at each of its addresses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Which.
    pub endpoint: Endpoint,
    /// The answers for A and AAAA.
    pub names: Vec<Answer>,
    /// Each address, in the order in which a client tries them, and what came.
    pub dialogues: Vec<(IpAddr, Outcome)>,
}

/// What came of a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The server spoke as announced.
    Spoke(Spoken),
    /// No connection: `connection refused`, `no route to host`.
    Unreachable(String),
    /// No connection, or no word, in time.
    TimedOut,
    /// No TLS connection that a client would use.
    Tls(tls::Refused),
    /// STARTTLS is not offered, or refused: what was said.
    NoStartTls(String),
    /// It greets with an error, or what it says is not the protocol: what was said.
    Unfit(String),
    /// Not asked: the time or the number of connections was up.
    NotAsked(&'static str),
}

/// What a server said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Spoken {
    /// The greeting, shortened.
    pub greeting: String,
    /// The TLS session, if there is one.
    pub session: Option<tls::Session>,
    /// The capabilities after TLS, in upper case, without the mechanisms.
    pub capabilities: Vec<String>,
    /// The SASL mechanisms after TLS, in upper case. For IMAP and POP3 this has also `LOGIN-COMMAND` or
    /// `USER-COMMAND` if a login without SASL is allowed.
    pub mechanisms: Vec<String>,
    /// The mechanisms that are offered before TLS, where the connection begins without it.
    pub mechanisms_before_tls: Vec<String>,
    /// True if STARTTLS is offered (where TLS is not spoken from the first byte).
    pub offers_starttls: bool,
    /// Submission: the response to a message without a login; `None` if it was not tried.
    pub mail_without_login: Option<String>,
    /// True if a message to another domain would be accepted without a login.
    pub is_open: bool,
    /// True if the server is on this machine: servers trust such connections more than others.
    pub is_local: bool,
    /// Bytes that came after the response to STARTTLS and before the handshake.
    pub injected: Option<String>,
    /// The result of the login, if one was made: the response of the server if it was refused.
    pub login: Option<Result<(), String>>,
}
