//! The registered ports of the mail protocols.
//!
//! The only place in the code where they are written: defaults, warnings and PACC read them here.
//! Rules: the documents named in the table.

use crate::account::{Protocol, Security};
use std::num::NonZeroU16;

/// A port, and the document that registers it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Port {
    /// The TCP port.
    pub number: NonZeroU16,
    /// The document that registers it.
    pub rule: &'static str,
}

/// The ports of a protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ports {
    /// TLS from the first byte; ManageSieve has no such port.
    pub tls: Option<Port>,
    /// Plain text, with or without STARTTLS.
    pub starttls: Port,
}

/// The table.
pub const fn of(protocol: Protocol) -> Ports {
    match protocol {
        Protocol::Imap => ports(Some(port(993, "RFC 8314 §7")), port(143, "RFC 9051")),
        Protocol::Pop3 => ports(Some(port(995, "RFC 8314 §7")), port(110, "RFC 1939")),
        Protocol::Smtp => ports(Some(port(465, "RFC 8314 §7")), port(587, "RFC 6409 §3.1")),
        Protocol::ManageSieve => ports(None, port(4190, "RFC 5804 §1.8")),
    }
}

const fn ports(tls: Option<Port>, starttls: Port) -> Ports {
    Ports { tls, starttls }
}

const fn port(number: u16, rule: &'static str) -> Port {
    let number = match NonZeroU16::new(number) {
        Some(number) => number,
        None => NonZeroU16::MIN,
    };
    Port { number, rule }
}

/// The usual port of a protocol with this protection.
pub fn usual(protocol: Protocol, security: Security) -> NonZeroU16 {
    let Ports { tls, starttls } = of(protocol);
    match security {
        Security::Tls => tls.unwrap_or(starttls).number,
        Security::StartTls | Security::Plain => starttls.number,
    }
}

/// The protection that a port implies, if the port is registered for exactly one.
pub fn security_of(protocol: Protocol, number: NonZeroU16) -> Option<Security> {
    let Ports { tls, starttls } = of(protocol);
    let tls = tls?;
    if number == tls.number {
        Some(Security::Tls)
    } else if number == starttls.number {
        Some(Security::StartTls)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_says_what_it_is_used_for() {
        let number = |number| NonZeroU16::new(number).unwrap();
        for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp] {
            for security in [Security::Tls, Security::StartTls] {
                assert_eq!(security_of(protocol, usual(protocol, security)), Some(security));
            }
            assert_eq!(usual(protocol, Security::Plain), usual(protocol, Security::StartTls));
            assert_eq!(security_of(protocol, number(4190)), None);
        }
        for security in [Security::Tls, Security::StartTls, Security::Plain] {
            assert_eq!(usual(Protocol::ManageSieve, security), number(4190));
        }
        assert_eq!(security_of(Protocol::ManageSieve, number(4190)), None);
    }
}
