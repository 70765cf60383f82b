//! The DNS records by which mail clients find a web server and the mail servers, as lines of a zone file.
//!
//! Rules: RFC 1035 §5.1 for the lines, RFC 2782, RFC 6186 and RFC 8314 §5.1 for SRV records. All names
//! are absolute and ASCII.

use crate::account::{Protocol, Security};
use crate::address::{Domain, HostName};
use serde::Serialize;

/// The time to live of the records, in seconds.
pub const TTL: u32 = 3600;
/// Names of the web server below the mail domain.
pub const WEB_NAMES: [&str; 2] = ["autoconfig", "autodiscover"];
/// The services with an SRV record, most preferred first; a client takes the lowest number
/// (RFC 6186 §3.4).
pub const SERVICES: [Service; 7] = [
    Service { label: "_imaps", protocol: Protocol::Imap, tls: true, priority: 0 },
    Service { label: "_imap", protocol: Protocol::Imap, tls: false, priority: 10 },
    Service { label: "_pop3s", protocol: Protocol::Pop3, tls: true, priority: 20 },
    Service { label: "_pop3", protocol: Protocol::Pop3, tls: false, priority: 30 },
    Service { label: "_submissions", protocol: Protocol::Smtp, tls: true, priority: 0 },
    Service { label: "_submission", protocol: Protocol::Smtp, tls: false, priority: 10 },
    // RFC 5804 §1.8
    Service { label: "_sieve", protocol: Protocol::ManageSieve, tls: false, priority: 0 },
];

/// A service with an SRV record.
#[derive(Debug)]
pub struct Service {
    /// The first label of the name.
    pub label: &'static str,
    /// What is spoken.
    pub protocol: Protocol,
    /// True if the label implies TLS from the first byte.
    pub tls: bool,
    /// The priority of the record; lower first.
    pub priority: u16,
}

impl Service {
    /// True if a server of this protocol and security belongs in this record.
    pub fn is_for(&self, protocol: Protocol, security: Security) -> bool {
        self.protocol == protocol && self.tls == (security == Security::Tls)
    }

    /// The name below the domain: `_imaps._tcp`.
    pub fn name(&self) -> String {
        format!("{}._tcp", self.label)
    }

    /// The data of the record: `0 0 993 mail.example.org.`
    pub fn data(&self, host: &HostName, port: u16) -> String {
        format!("{} 0 {port} {host}.", self.priority)
    }
}

/// One record.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Record {
    /// The absolute name.
    pub name: String,
    /// The time to live, in seconds.
    pub ttl: u32,
    /// The type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The rest, as in a zone file.
    pub data: String,
}

impl Record {
    /// A record for a name below a domain.
    pub fn new(name: &str, domain: &Domain, kind: &'static str, data: String) -> Record {
        Record { name: format!("{name}.{domain}."), ttl: TTL, kind, data }
    }

    /// The line of a zone file, with its line end.
    pub fn line(&self) -> String {
        let Record { name, ttl, kind, data } = self;
        format!("{name:<34} {ttl} IN {kind:<5} {data}\n")
    }
}
