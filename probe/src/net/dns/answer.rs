//! What is asked of a DNS server, and what comes.

use std::fmt;
use std::net::IpAddr;

/// The type of a record.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// The mail servers of a domain.
    Mx,
    /// The servers of a service.
    Srv,
    /// Text.
    Txt,
}

/// What was asked, and what came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The name, in lower case, without the final dot.
    pub name: String,
    /// The type.
    pub kind: Kind,
    /// The names that CNAME records lead to, in order.
    pub aliases: Vec<String>,
    /// What the server said.
    pub outcome: Outcome,
}

/// What a DNS server said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// At least one record of the type.
    Records(Vec<Record>),
    /// The name exists, and has no record of the type.
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// The server refused or failed: `SERVFAIL`, `REFUSED`.
    Failed(String),
    /// There was no answer in time.
    TimedOut,
    /// The answer could not be read, or the CNAME records lead in a circle.
    Unreadable(String),
}

/// A record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Record {
    /// A or AAAA.
    Address(IpAddr),
    /// MX.
    Mx {
        /// Lower first.
        preference: u16,
        /// The host; `.` if the domain takes no mail (RFC 7505).
        host: String,
    },
    /// SRV.
    Srv {
        /// Lower first.
        priority: u16,
        /// The share among equal priorities.
        weight: u16,
        /// TCP port.
        port: u16,
        /// The host; `.` if the service is not available (RFC 2782).
        target: String,
    },
    /// TXT: its strings, concatenated; bytes that are not UTF-8 are replaced.
    Txt(String),
}

impl Answer {
    /// The records; empty if there are none.
    pub fn records(&self) -> &[Record] {
        match &self.outcome {
            Outcome::Records(records) => records,
            _ => &[],
        }
    }

    /// The addresses among the records.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.records().iter().filter_map(|record| match record {
            Record::Address(address) => Some(*address),
            _ => None,
        })
    }

    /// True if the server said that there is no such record.
    pub fn is_absent(&self) -> bool {
        matches!(self.outcome, Outcome::NoData | Outcome::NoName)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Mx => "MX",
            Kind::Srv => "SRV",
            Kind::Txt => "TXT",
        })
    }
}

/// As `dig` prints it, without the name: `10 mail.example.org.`
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let absolute = |name: &str| if name == "." { name.to_owned() } else { format!("{name}.") };
        match self {
            Record::Address(address) => write!(f, "{address}"),
            Record::Mx { preference, host } => write!(f, "{preference} {}", absolute(host)),
            Record::Srv { priority, weight, port, target } => {
                write!(f, "{priority} {weight} {port} {}", absolute(target))
            }
            Record::Txt(text) => write!(f, "{text:?}"),
        }
    }
}

/// `SRV _imaps._tcp.example.org: NXDOMAIN`, `A autoconfig.example.org: CNAME www.example.org, 192.0.2.1`
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}: ", self.kind, self.name)?;
        for alias in &self.aliases {
            write!(f, "CNAME {alias}, ")?;
        }
        match &self.outcome {
            Outcome::Records(records) => {
                let records: Vec<_> = records.iter().map(ToString::to_string).collect();
                f.write_str(&records.join(", "))
            }
            Outcome::NoData => f.write_str("no such record"),
            Outcome::NoName => f.write_str("no such name (NXDOMAIN)"),
            Outcome::Failed(code) => write!(f, "the DNS server said {code}"),
            Outcome::TimedOut => f.write_str("no answer from the DNS server"),
            Outcome::Unreadable(reason) => f.write_str(reason),
        }
    }
}
