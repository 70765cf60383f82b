//! The servers that SRV records name (RFC 6186, RFC 8314 §5.1).
//!
//! A label without `s` means that the connection begins without TLS; clients use STARTTLS there. A
//! target of `.` means that the service is not available (RFC 2782).

use super::Setting;
use crate::net::dns::{Answer, Record};
use mailsetup::account::{Protocol, Security};

/// The protocol and security of a label.
pub fn service(label: &str) -> Option<(Protocol, Security)> {
    Some(match label {
        "_imaps" => (Protocol::Imap, Security::Tls),
        "_imap" => (Protocol::Imap, Security::StartTls),
        "_pop3s" => (Protocol::Pop3, Security::Tls),
        "_pop3" => (Protocol::Pop3, Security::StartTls),
        "_submissions" => (Protocol::Smtp, Security::Tls),
        "_submission" => (Protocol::Smtp, Security::StartTls),
        "_sieve" => (Protocol::ManageSieve, Security::StartTls),
        _ => return None,
    })
}

/// The servers of a label, the preferred one first.
pub fn settings(label: &str, answer: &Answer) -> Vec<Setting> {
    let Some((protocol, security)) = service(label) else { return Vec::new() };
    let mut records: Vec<_> = answer.records().iter().filter_map(of).collect();
    records.sort_by_key(|(priority, weight, ..)| (*priority, u16::MAX - weight));
    let setting = |(_, _, port, host): (u16, u16, u16, String)| Setting {
        protocol,
        host,
        port,
        security,
        methods: Vec::new(),
        login: String::new(),
    };
    records.into_iter().map(setting).collect()
}

fn of(record: &Record) -> Option<(u16, u16, u16, String)> {
    match record {
        Record::Srv { priority, weight, port, target } if target != "." => {
            Some((*priority, *weight, *port, target.clone()))
        }
        _ => None,
    }
}
