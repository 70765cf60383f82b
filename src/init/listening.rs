//! The TCP ports on which a machine waits for connections, as the kernel lists them in
//! `/proc/net/tcp` and `/proc/net/tcp6`.
//!
//! The texts of both files may follow each other, as `cat` prints them. Lines that are not sockets in
//! the state LISTEN are skipped. Rules: proc_pid_net(5), Linux `net/ipv4/tcp_ipv4.c`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The state LISTEN.
const LISTEN: &str = "0A";
/// Most sockets that are kept.
const MAX_SOCKETS: usize = 10_000;

/// The sockets of a machine that wait for connections.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listening(BTreeSet<(u16, IpAddr)>);

impl Listening {
    /// Reads the text of the files; `None` if it is neither of them.
    pub fn parse(text: &str) -> Option<Listening> {
        let mut sockets = BTreeSet::new();
        let mut has_heading = false;
        for line in text.lines() {
            has_heading |= line.trim_start().starts_with("sl ") && line.contains("local_address");
            if let Some(socket) = socket(line).filter(|_| sockets.len() < MAX_SOCKETS) {
                sockets.insert(socket);
            }
        }
        has_heading.then_some(Listening(sockets))
    }

    /// The addresses on which a port waits; none if it does not.
    pub fn addresses(&self, port: u16) -> impl Iterator<Item = IpAddr> {
        self.0.iter().filter(move |(number, _)| *number == port).map(|(_, address)| *address)
    }

    /// True if the port waits on an address.
    pub fn has(&self, port: u16) -> bool {
        self.addresses(port).next().is_some()
    }

    /// True if the port waits on an address that other machines reach.
    pub fn is_reachable(&self, port: u16) -> bool {
        self.addresses(port).any(|address| !address.is_loopback())
    }
}

/// The port and the address of a line, if it is a socket that waits for connections.
fn socket(line: &str) -> Option<(u16, IpAddr)> {
    let mut words = line.split_ascii_whitespace();
    let local = words.next().filter(|it| it.ends_with(':')).and_then(|_| words.next())?;
    let (_remote, state) = (words.next()?, words.next()?);
    if state != LISTEN {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    Some((u16::from_str_radix(port, 16).ok()?, self::address(address)?))
}

/// An address: words of 32 bits, each printed as a number of a little-endian machine.
fn address(text: &str) -> Option<IpAddr> {
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let word = |at: usize| {
        let digits = text.get(at..at + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_le_bytes)
    };
    match text.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let mut bytes = [0; 16];
            for (at, word) in words.iter().enumerate() {
                bytes[4 * at..4 * at + 4].copy_from_slice(word);
            }
            // ::ffff:192.0.2.1 is the address of version 4.
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n";

    fn parse(lines: &str) -> Vec<(u16, String)> {
        let read = Listening::parse(&format!("{HEADING}{lines}")).expect("the file");
        read.0.iter().map(|(port, address)| (*port, address.to_string())).collect()
    }

    #[test]
    fn sockets_that_wait_are_read_with_their_addresses() {
        for (line, port, address) in [
            ("   0: 00000000:03E1 00000000:0000 0A 00000000:00000000", 993, "0.0.0.0"),
            ("   1: 0100007F:0019 00000000:0000 0A 00000000:00000000", 25, "127.0.0.1"),
            ("  12: 0A0200C0:024B 00000000:0000 0A 0:0", 587, "192.0.2.10"),
            ("   0: 00000000000000000000000000000000:03E1 0:0000 0A 00000000:00000000", 993, "::"),
            ("   1: 00000000000000000000000001000000:008F 0:0000 0A 0:0", 143, "::1"),
            ("   2: 0000000000000000FFFF00000100007F:01D1 0:0000 0A 0:0", 465, "127.0.0.1"),
            ("   3: B80D0120000000000000000001000000:1060 0:0000 0A 0:0", 4192, "2001:db8::1"),
        ] {
            assert_eq!(parse(line), [(port, address.to_owned())], "{line}");
        }
    }

    #[test]
    fn other_lines_are_skipped() {
        for line in [
            "   2: 020200C0:8FE4 507100CB:01BB 01 00000000:00000000",
            "   2: 020200C0 00000000:0000 0A",
            "   2: 020200C0:1FFFF 00000000:0000 0A",
            "   2: +20200C0:03E1 00000000:0000 0A",
            "   2: 0202é0C0:03E1 00000000:0000 0A",
            "   2: 02:03E1 00000000:0000 0A",
            "2 00000000:03E1 00000000:0000 0A",
            "",
        ] {
            assert_eq!(parse(line), [], "{line}");
        }
        assert_eq!(Listening::parse("LISTEN 0 100 0.0.0.0:993"), None);
    }

    #[test]
    fn a_port_is_reachable_if_one_of_its_addresses_is() {
        let both = "0: 0100007F:0019 0:0 0A\n1: 00000000:03E1 0:0 0A\n2: 0100007F:03E1 0:0 0A\n";
        let read = Listening::parse(&format!("{HEADING}{both}")).expect("the file");
        assert_eq!((read.has(25), read.is_reachable(25)), (true, false));
        assert_eq!((read.has(993), read.is_reachable(993)), (true, true));
        assert_eq!((read.has(995), read.is_reachable(995)), (false, false));
    }
}
