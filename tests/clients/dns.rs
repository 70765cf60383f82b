//! The DNS of a test: addresses, MX records, and what `mailsetup dns` prints.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::{command, write};

/// The address of all servers: one for documentation, since names that have only loopback addresses
/// are hidden from programs that resolve with `AI_ADDRCONFIG`.
pub const HERE: &str = "192.0.2.1";

/// The address of the DNS server.
pub const RESOLVER: &str = "127.0.0.1:53";

/// The lines of dnsmasq for hosts with an address, and for the MX records of mail domains.
pub fn hosts<'a>(
    domains: &[&str],
    exchanger: &str,
    hosts: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut lines = String::new();
    for domain in domains {
        writeln!(lines, "mx-host={domain},{exchanger},10").expect("text");
    }
    for host in hosts {
        writeln!(lines, "host-record={host},{HERE}").expect("text");
    }
    lines
}

/// The lines for the records of `mailsetup dns --json`, without the names of web hosts that
/// `is_there` does not know.
pub fn records(json: &str, is_there: impl Fn(&str) -> bool) -> String {
    let mut lines = String::new();
    let records: Value = serde_json::from_str(json).expect("JSON");
    for record in records.as_array().expect("records") {
        let text = |key: &str| record[key].as_str().expect("text").trim_end_matches('.');
        let (name, data) = (text("name"), text("data"));
        match text("type") {
            "CNAME" if is_there(name) => writeln!(lines, "cname={name},{data}").expect("text"),
            "CNAME" => {}
            "SRV" => {
                let fields: Vec<_> = data.split(' ').collect();
                let line = match *fields.as_slice() {
                    [priority, weight, port, target] if !target.is_empty() => {
                        format!("srv-host={name},{target},{port},{priority},{weight}")
                    }
                    // A target of "." means that the service is not available.
                    _ => format!("srv-host={name}"),
                };
                writeln!(lines, "{line}").expect("text");
            }
            "TXT" => writeln!(lines, "txt-record={name},{data}").expect("text"),
            other => panic!("a {other} record: {record}"),
        }
    }
    lines
}

/// The only DNS server of this machine, with these lines and no others.
pub fn server(lines: &str) -> Command {
    let usual =
        "no-resolv\nno-hosts\nlocal=/#/\nlisten-address=127.0.0.1\nbind-interfaces\nuser=root\n";
    write(Path::new("/etc/dnsmasq.conf"), format!("{usual}{lines}"));
    write(Path::new("/etc/resolv.conf"), "nameserver 127.0.0.1\n");
    write(Path::new("/etc/hosts"), "127.0.0.1 localhost\n");
    write(Path::new("/etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
    let mut server = command("dnsmasq");
    server.args(["--keep-in-foreground", "--conf-file=/etc/dnsmasq.conf"]);
    server
}
