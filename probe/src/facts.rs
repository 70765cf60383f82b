//! What was observed of a domain: the answers of DNS, the exchanges with web servers, the dialogues with
//! mail servers. Nothing here judges.

use crate::net::dns::{Answer, Kind};
use crate::net::http::{Exchange, Sent};
use crate::net::mail::{Endpoint, Server};
use crate::read::profile::Signature;
use mailsetup::address::EmailAddress;
use std::collections::BTreeMap;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address that is set up.
    pub address: EmailAddress,
    /// True if only a domain was given, and the local part is made up.
    pub is_made_up: bool,
}

/// What was observed.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What was asked about.
    pub target: Target,
    /// The answers of DNS, in the order of asking.
    pub answers: Vec<Answer>,
    /// The exchanges, by method, URL and body.
    pub exchanges: BTreeMap<Key, Exchange>,
    /// The mail servers.
    pub servers: Vec<Server>,
    /// Requests for a URL that works, with the User-Agent of each client.
    pub agents: Vec<Exchange>,
    /// A request for a path that cannot exist, at a host with a document.
    pub nowhere: Option<Exchange>,
    /// A request to Autodiscover in another letter case, if one was made.
    pub other_case: Option<Exchange>,
    /// The content and the signature of each profile, by URL.
    pub profiles: BTreeMap<String, (Vec<u8>, Signature)>,
    /// A label that nobody has, below the domain: whether names are answered by a wildcard.
    pub random_name: String,
    /// The servers that were not sent the password, though it was asked for; and why.
    pub without_login: Vec<(Endpoint, &'static str)>,
    /// What was left out, because a limit was reached.
    pub left_out: Vec<String>,
}

/// What makes two requests the same.
pub type Key = (&'static str, String, String);

/// The key of a request.
pub fn key(sent: &Sent) -> Key {
    (sent.method, sent.url.clone(), sent.body.clone())
}

impl Facts {
    /// Nothing was observed yet.
    pub fn new(target: Target) -> Facts {
        Facts {
            target,
            answers: Vec::new(),
            exchanges: BTreeMap::new(),
            servers: Vec::new(),
            agents: Vec::new(),
            nowhere: None,
            other_case: None,
            profiles: BTreeMap::new(),
            random_name: String::new(),
            without_login: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// The mail domain.
    pub fn domain(&self) -> &str {
        self.target.address.domain().as_str()
    }

    /// An answer of DNS.
    pub fn answer(&self, name: &str, kind: Kind) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.kind == kind && answer.name == name)
    }

    /// An exchange.
    pub fn exchange(&self, sent: &Sent) -> Option<&Exchange> {
        self.exchanges.get(&key(sent))
    }

    /// A mail server.
    pub fn server(&self, endpoint: &Endpoint) -> Option<&Server> {
        self.servers.iter().find(|server| server.endpoint == *endpoint)
    }
}
