//! The network of the laboratory: addresses for documentation (RFC 5737, RFC 3849), and networks
//! from which no answer ever comes.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use crate::common::{Sandbox, command, run, wait_until};

/// The addresses of the user.
const USER: &str = "192.0.2.200";
const USER_6: &str = "2001:db8::c8";
/// The web server of the domains.
pub const WEB: &str = "192.0.2.1";
pub const WEB_6: &str = "2001:db8::1";
/// The mail server.
pub const MAIL: &str = "192.0.2.2";
pub const MAIL_6: &str = "2001:db8::2";
/// The web server of a hoster who knows nothing about these domains.
pub const HOSTER: &str = "192.0.2.3";
/// An address of one host alone: TLS versions are a matter of the address in nginx.
pub const ALONE: &str = "192.0.2.4";
/// A host that refuses every connection.
pub const CLOSED: &str = "192.0.2.9";
/// Mail servers with one fault each; see mail.rs.
pub const EXPIRED: &str = "192.0.2.20";
pub const OTHER_NAME: &str = "192.0.2.21";
pub const WITHOUT_TLS: &str = "192.0.2.22";
pub const WITHOUT_AUTH: &str = "192.0.2.23";
pub const IN_THE_CLEAR: &str = "192.0.2.24";
pub const OPEN: &str = "192.0.2.25";
/// The DNS server.
pub const DNS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);
/// Hosts that never answer.
pub const SILENT: &str = "198.51.100.9";
pub const SILENT_6: &str = "2001:db8:dead::9";

/// Sets up the addresses in the namespace of the calling thread.
pub fn create(sandbox: &Sandbox) {
    let mut batch =
        "link add lab0 type veth peer name lab1\nlink set lab0 up\nlink set lab1 up\n".to_owned();
    let addresses = [
        WEB,
        MAIL,
        HOSTER,
        ALONE,
        CLOSED,
        EXPIRED,
        OTHER_NAME,
        WITHOUT_TLS,
        WITHOUT_AUTH,
        IN_THE_CLEAR,
        OPEN,
        "192.0.2.53",
        USER,
    ];
    // Those from 30 on belong to scripted.rs.
    let scripted = (30..50).map(|last| format!("192.0.2.{last}"));
    for address in addresses.into_iter().map(str::to_owned).chain(scripted) {
        writeln!(batch, "address add {address}/24 dev lab0").expect("text");
    }
    for address in [WEB_6, MAIL_6, USER_6] {
        writeln!(batch, "address add {address}/64 dev lab0 nodad").expect("text");
    }
    // Connections come from an address of their own, as those of a user do: Dovecot trusts its own.
    for address in (1..50).map(|last| format!("192.0.2.{last}")) {
        if batch.contains(&format!("address add {address}/24 ")) {
            writeln!(
                batch,
                "route replace local {address} dev lab0 table local scope host src {USER}"
            )
            .expect("text");
        }
    }
    // Packets to these networks go out, to a card that nobody has.
    batch.push_str(
        "neigh add 192.0.2.254 lladdr 02:00:00:00:00:09 dev lab0
route add 198.51.100.0/24 via 192.0.2.254
neigh add 2001:db8::fffe lladdr 02:00:00:00:00:09 dev lab0
route add 2001:db8:dead::/64 via 2001:db8::fffe
",
    );
    run(command("ip").arg("-batch").arg(sandbox.write("network", batch)));
    for address in [WEB_6, MAIL_6] {
        let route = |verb: &str, rest: &[&str]| {
            let mut ip = command("ip");
            ip.args(["-6", "route", verb, "local", address, "dev", "lab0", "table", "local"]);
            ip.args(rest).output().expect("ip").status.success()
        };
        // The kernel adds its own a moment after the address.
        assert!(wait_until(|| route("del", &[])), "no route to {address}");
        assert!(route("add", &["src", USER_6]), "no route to {address}");
    }
}
