//! Rules between keys when the tables of a domain are merged over those of the base.
//!
//! `read` gives a domain the base's value for each omitted key. That is right for all keys except
//! these.

use super::defaults;
use crate::account::{Protocol, Security};
use crate::ports;
use std::num::NonZeroU16;

/// Port and security of a server, from its own keys and those of the base.
///
/// A registered port implies its security. The base's port is inherited only together with its
/// security.
pub fn endpoint(
    protocol: Protocol,
    port: Option<NonZeroU16>,
    security: Option<Security>,
    base: Option<(NonZeroU16, Security)>,
) -> (NonZeroU16, Security) {
    let security = security.or_else(|| port.and_then(|port| ports::security_of(protocol, port)));
    let security =
        security.or(base.map(|(_, security)| security)).unwrap_or(defaults::security(protocol));
    let base_port = base.filter(|(_, base)| *base == security).map(|(port, _)| port);
    (port.or(base_port).unwrap_or_else(|| ports::usual(protocol, security)), security)
}

/// Name and short name of a provider: a domain's own name is also its short name, unless the domain
/// sets one.
pub fn names(
    name: Option<String>,
    short_name: Option<String>,
    base: Option<(&str, &str)>,
) -> (String, String) {
    let (base_name, base_short) =
        base.unwrap_or((defaults::PROVIDER_NAME, defaults::PROVIDER_NAME));
    let short_name = short_name.or_else(|| name.clone());
    (
        name.unwrap_or_else(|| base_name.to_owned()),
        short_name.unwrap_or_else(|| base_short.to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use Security::{Plain, StartTls, Tls};

    #[test]
    fn the_port_of_the_base_holds_with_its_protection() {
        let port = |number| NonZeroU16::new(number).unwrap();
        for (said, base, expected) in [
            ((None, None), None, (993, Tls)),
            ((Some(143), None), None, (143, StartTls)),
            ((Some(9993), None), None, (9993, Tls)),
            ((None, Some(StartTls)), None, (143, StartTls)),
            ((Some(993), Some(StartTls)), None, (993, StartTls)),
            ((None, None), Some((9993, Plain)), (9993, Plain)),
            ((None, Some(Tls)), Some((9993, Plain)), (993, Tls)),
            ((None, Some(Tls)), Some((9993, Tls)), (9993, Tls)),
            ((Some(143), None), Some((9993, Tls)), (143, StartTls)),
            ((Some(9143), None), Some((143, StartTls)), (9143, StartTls)),
        ] {
            let base = base.map(|(number, security)| (port(number), security));
            let found = endpoint(Protocol::Imap, said.0.map(port), said.1, base);
            assert_eq!(found, (port(expected.0), expected.1), "{said:?} over {base:?}");
        }
        // The port of ManageSieve does not imply its security.
        let sieve = |security| endpoint(Protocol::ManageSieve, Some(port(4190)), security, None);
        assert_eq!(sieve(None), (port(4190), StartTls));
        assert_eq!(sieve(Some(Tls)), (port(4190), Tls));
    }

    #[test]
    fn a_name_is_the_short_name_too() {
        let own = |name: Option<&str>| name.map(str::to_owned);
        for (name, short, base, expected) in [
            (None, None, None, (defaults::PROVIDER_NAME, defaults::PROVIDER_NAME)),
            (Some("A"), None, None, ("A", "A")),
            (None, Some("a"), None, (defaults::PROVIDER_NAME, "a")),
            (Some("A"), None, Some(("B", "b")), ("A", "A")),
            (None, Some("a"), Some(("B", "b")), ("B", "a")),
            (None, None, Some(("B", "b")), ("B", "b")),
        ] {
            let found = names(own(name), own(short), base);
            assert_eq!((found.0.as_str(), found.1.as_str()), expected);
        }
    }
}
