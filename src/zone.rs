//! The DNS records by which mail clients find a web server and the mail servers, and their lines in a zone file.
//!
//! Rules: RFC 1035 §3.3 and §5.1 for strings and lines, RFC 2782, RFC 6186 and RFC 8314 §5.1 for SRV
//! records. All names are absolute and ASCII.

use crate::account::{Protocol, Security};
use crate::address::{Domain, HostName};
use std::fmt::{self, Write};
use std::net::Ipv4Addr;

/// The time to live of the records, in seconds.
pub const TTL: u32 = 3600;
/// Longest string of a TXT record in octets (RFC 1035 §3.3).
const MAX_STRING: usize = 255;
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

    /// The data of the record for a server.
    pub fn data(&self, host: HostName, port: u16) -> Data {
        Data::Srv { priority: self.priority, port, target: Some(host) }
    }
}

//------------ Record ---------------------------------------------------------

/// One record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The absolute name, with the final dot.
    pub name: String,
    /// The time to live, in seconds.
    pub ttl: u32,
    /// The type, and what it says.
    pub data: Data,
}

/// What a record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Data {
    /// An address.
    A(Ipv4Addr),
    /// The name that this one is an alias of.
    Cname(HostName),
    /// Where a service is. The weight is always 0: there is one server of each.
    Srv {
        /// The priority; lower first.
        priority: u16,
        /// The port.
        port: u16,
        /// The host; `None` if the service is "decidedly not available" (RFC 2782).
        target: Option<HostName>,
    },
    /// A text, which may be longer than one string of a record.
    Txt(String),
}

impl Record {
    /// A record for a name below a domain.
    pub fn new(name: &str, domain: &Domain, ttl: u32, data: Data) -> Record {
        Record { name: format!("{name}.{domain}."), ttl, data }
    }

    /// The line of a zone file, with its line end.
    pub fn line(&self) -> String {
        line(&self.name, self.ttl, self.data.kind(), &self.data.to_string())
    }
}

/// The line of a zone file, with its line end.
pub fn line(name: &str, ttl: u32, kind: &str, data: &str) -> String {
    format!("{name:<34} {ttl} IN {kind:<5} {data}\n")
}

impl Data {
    /// The name of the type.
    pub fn kind(&self) -> &'static str {
        match self {
            Data::A(_) => "A",
            Data::Cname(_) => "CNAME",
            Data::Srv { .. } => "SRV",
            Data::Txt(_) => "TXT",
        }
    }
}

/// The data as in a zone file (RFC 1035 §5.1).
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Data::A(address) => write!(f, "{address}"),
            Data::Cname(host) => write!(f, "{host}."),
            Data::Srv { priority, port, target: Some(host) } => {
                write!(f, "{priority} 0 {port} {host}.")
            }
            Data::Srv { priority, port, target: None } => write!(f, "{priority} 0 {port} ."),
            Data::Txt(text) => {
                // Clients join the strings. A text without any is one empty string.
                let mut strings = text.as_bytes().chunks(MAX_STRING).peekable();
                if strings.peek().is_none() {
                    return f.write_str("\"\"");
                }
                for (index, string) in strings.enumerate() {
                    f.write_str(if index == 0 { "\"" } else { " \"" })?;
                    write_escaped(f, string)?;
                    f.write_char('"')?;
                }
                Ok(())
            }
        }
    }
}

/// Writes the bytes of a text as a zone file has them between quotes.
pub fn write_escaped(to: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => write!(to, "\\{}", char::from(byte))?,
            b' '..=b'~' => to.write_char(char::from(byte))?,
            _ => write!(to, "\\{byte:03}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_and_escaped() {
        let written = |text: &str| Data::Txt(text.to_owned()).to_string();
        assert_eq!(written(""), "\"\"");
        assert_eq!(written("path=/a b;c"), "\"path=/a b;c\"");
        assert_eq!(written("\"\\\n\u{e9}"), r#""\"\\\010\195\169""#);
        assert_eq!(written(&"x".repeat(255)), format!("\"{}\"", "x".repeat(255)));
        // A string has 255 octets; their escapes do not count.
        let long = "\"".repeat(256);
        assert_eq!(written(&long), format!("\"{}\" \"\\\"\"", "\\\"".repeat(255)));
    }
}
