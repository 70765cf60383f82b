//! Where logins come from that no rule can make: a file, or a server on this machine.

use super::answer::Reading;
use super::{socketmap, userdb};
use crate::address::EmailAddress;
use crate::directory::map::Map;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A source of logins, as it is configured.
#[derive(Debug)]
pub struct Source {
    /// The kind, and where it is.
    pub kind: Kind,
    /// How long a question to a server may take.
    pub timeout: Duration,
    /// False if nothing is asked.
    pub enabled: bool,
}

/// The kinds of sources.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A file with an address and a login in each line.
    Map(PathBuf, Arc<Map>),
    /// A server.
    Server(Server),
}

/// A server on this machine.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its Unix socket.
    pub socket: Arc<Path>,
    /// What it speaks.
    pub protocol: Protocol,
}

/// The protocol of a server.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// That of Postfix's socketmap tables, and the name of the map.
    Socketmap(Arc<str>),
    /// That of Dovecot's userdb.
    Userdb,
}

impl Server {
    /// The protocol in one word, which is also that of its key.
    pub fn word(&self) -> &'static str {
        match self.protocol {
            Protocol::Socketmap(_) => "socketmap",
            Protocol::Userdb => "userdb",
        }
    }

    /// The address as the server is asked for it. Keys of maps are in lower case (socketmap_table(5));
    /// Dovecot has rules of its own for the letter case.
    pub fn wanted(&self, address: &EmailAddress) -> String {
        match self.protocol {
            Protocol::Socketmap(_) => address.folded(),
            Protocol::Userdb => address.to_string(),
        }
    }

    /// The bytes of the request `count` of a connection.
    pub fn request(&self, count: u32, wanted: &str) -> Vec<u8> {
        match &self.protocol {
            Protocol::Socketmap(name) => socketmap::request(name, wanted),
            Protocol::Userdb => userdb::request(count, wanted),
        }
    }

    /// Reads what was received since that request.
    pub fn read(&self, count: u32, received: &[u8]) -> Reading {
        match self.protocol {
            Protocol::Socketmap(_) => socketmap::read(received),
            Protocol::Userdb => userdb::read(count, received),
        }
    }
}

/// `socketmap unix:/run/logins:accounts`
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (word, socket) = (self.word(), self.socket.display());
        match &self.protocol {
            Protocol::Socketmap(name) => write!(f, "{word} unix:{socket}:{name}"),
            Protocol::Userdb => write!(f, "{word} {socket}"),
        }
    }
}
