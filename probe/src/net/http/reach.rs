//! Where a response may not lead: what it names is asked for from this computer, which reaches more than
//! its server does.
//!
//! Refuses other services than web servers, as browsers do (Fetch, section 2.9), and the networks in which
//! this computer is, if the server is not in one.

use std::net::IpAddr;

/// True for ports that web servers have: those below 1024 belong to other services.
pub(super) fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..)
}

/// True for addresses that are reached from anywhere: not those of this computer, of its network, and of
/// private networks (RFC 1122, RFC 1918, RFC 3927, RFC 4193, RFC 4291, RFC 6598).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            !(first == 0
                || is_shared
                || address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast())
        }
        IpAddr::V6(address) => {
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_private_networks_are_known() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.2.1", "2001:db8::1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
