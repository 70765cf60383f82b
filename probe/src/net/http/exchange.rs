//! A request, and what came back, hop by hop.

use crate::net::dns::Answer;
use crate::net::tls;
use std::net::IpAddr;
use std::time::Duration;

/// Longest body that is read, in octets.
pub const MAX_BODY: usize = 64 * 1024;
/// Longest header of a response, in octets.
pub const MAX_HEADER: usize = 32 * 1024;
/// Redirects that are followed.
pub const MAX_REDIRECTS: usize = 10;

/// A request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Sent {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// `https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=ann%40example.org`
    pub url: String,
    /// The User-Agent; empty for none.
    pub agent: &'static str,
    /// `Content-Type` of the body; empty for none.
    pub media_type: &'static str,
    /// The body.
    pub body: String,
}

/// A request, and what came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// What was asked.
    pub sent: Sent,
    /// What came, one for each redirect that was followed, and the last one; never empty.
    pub hops: Vec<Hop>,
}

/// One request on the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hop {
    /// `GET` or `POST`: a redirect may turn one into the other.
    pub method: &'static str,
    /// The URL.
    pub url: String,
    /// The address of the server, if there was a connection.
    pub address: Option<IpAddr>,
    /// Addresses of the host that could not be connected to, and why: all of them, or some that came
    /// before the one that answered.
    /// Not those that this computer has no route to, if another one answered.
    pub dead: Vec<(IpAddr, String)>,
    /// The TLS session, if there was one.
    pub session: Option<tls::Session>,
    /// What came.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What came of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// A response.
    Response(Response),
    /// The host has no address; the answers for A and AAAA.
    NoAddress(Vec<Answer>),
    /// No address could be connected to: `connection refused`, `no route to host`.
    Unreachable(String),
    /// There was no response in time.
    TimedOut,
    /// There is no TLS connection that a client would use.
    Tls(tls::Refused),
    /// What came is not HTTP, or ended too early.
    Broken(String),
    /// Not asked: the limit of requests or of time was reached, or the redirects are too many.
    NotAsked(&'static str),
}

/// A response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body, as a client that accepts no coding reads it.
    pub body: Vec<u8>,
    /// True if the body is longer than what was read.
    pub is_cut: bool,
}

impl Exchange {
    /// The last hop.
    pub fn last(&self) -> Option<&Hop> {
        self.hops.last()
    }

    /// The response after all redirects, if there is one.
    pub fn response(&self) -> Option<&Response> {
        self.last()?.response()
    }
}

impl Hop {
    /// The response, if there is one.
    pub fn response(&self) -> Option<&Response> {
        match &self.outcome {
            Outcome::Response(response) => Some(response),
            _ => None,
        }
    }
}

impl Response {
    /// A header field by its name in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// True for 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
