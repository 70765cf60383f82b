//! What a mail server tells about the accounts of its users.

use crate::account::{Auth, Protocol, Security};
use crate::draft::{Note, Noted, Origin};
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

/// What one mail server tells; a part of it may be unknown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// The server with its version, as it names itself: `Dovecot 2.3.19.1`.
    pub server: Option<Noted<String>>,
    /// The sockets at which it serves mail clients.
    pub listeners: Vec<Listener>,
    /// Its host names, the best first.
    pub names: Vec<Noted<String>>,
    /// Its certificates.
    pub certificates: Vec<Noted<Certificate>>,
    /// The login of users; may contain `%EMAILADDRESS%` and `%EMAILLOCALPART%`.
    pub login: Option<Noted<String>>,
    /// Where the mail domains of users stand.
    pub domains: Vec<Noted<DomainSource>>,
    /// The folders of further instances of the server, which were not read.
    pub instances: Option<Noted<String>>,
    /// What is to be said about it.
    pub notes: Vec<Note>,
}

/// A socket at which mail clients are served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listener {
    /// The protocol that is spoken there.
    pub protocol: Protocol,
    /// TCP port, and where it was seen.
    pub port: Noted<NonZeroU16>,
    /// How a connection is protected, and where that was seen.
    pub security: Noted<Security>,
    /// True if a login without TLS is refused.
    pub requires_tls: bool,
    /// From where it can be reached.
    pub reach: Reach,
    /// The methods of login; `None` if there is no login. Empty for the methods of the server where mail
    /// is read.
    pub auth: Option<Noted<Vec<Auth>>>,
    /// What says that connections come from a proxy, such as HAProxy: then clients use another port.
    pub behind_proxy: Option<Origin>,
    /// The methods that the SASL server has, and that are not offered here.
    pub without: Option<Noted<Vec<Auth>>>,
    /// What keeps users who have logged in from sending mail to other domains.
    pub refuses_mail: Option<Origin>,
}

/// From where a socket can be reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reach {
    /// All addresses of the machine.
    Everywhere,
    /// These addresses.
    Addresses(Vec<IpAddr>),
    /// Only the machine itself.
    Loopback,
    /// Not known, and why.
    Unknown(String),
}

/// A certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// The name that a client must ask for by SNI to get it; `None` for the usual one.
    pub name: Option<String>,
    /// The file.
    pub file: PathBuf,
}

/// Where mail domains stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DomainSource {
    /// The domain itself.
    Name(String),
    /// The name of the machine, whose users have mail, too.
    Host(String),
    /// A text file with a domain at the beginning of each line.
    File(PathBuf),
    /// A text file with domains, files and maps in any order, as Postfix's lists have them.
    Words(PathBuf),
    /// A command of the mail server that lists them, a domain at the beginning of each line.
    Command(Vec<String>),
    /// A database.
    Query {
        /// `mysql`, `pgsql`, `sqlite`, `ldap`, …
        kind: String,
        /// The file that says how it is queried.
        file: Option<PathBuf>,
        /// The command that prints the domains, without passwords, if it can be told.
        command: Option<String>,
    },
    /// It cannot be listed, and why.
    Unknown(String),
}
