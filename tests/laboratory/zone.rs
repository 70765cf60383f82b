//! The DNS of the laboratory: the whole tree of names is one zone of NSD, so that nothing leaks and
//! a name that is not written here does not exist.

use std::fmt::Write as _;
use std::path::Path;

use crate::common::{Process, Sandbox, command, write};
use crate::net::DNS;

/// The records, as a zone file has them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Zone {
    records: Vec<(String, &'static str, String)>,
    /// Names for which, and below which, the server says SERVFAIL.
    pub failing: Vec<String>,
}

impl Zone {
    /// Adds a record; `data` is as in a zone file, with absolute names.
    pub fn add(&mut self, name: &str, kind: &'static str, data: &str) {
        self.records.push((name.to_owned(), kind, data.to_owned()));
    }

    /// Removes the records of one type, or all of them with `ANY`.
    pub fn remove(&mut self, name: &str, kind: &str) {
        let before = self.records.len();
        self.records.retain(|(owner, of, _)| owner != name || kind != "ANY" && kind != *of);
        assert!(self.records.len() < before, "the zone has no {kind} of {name}");
    }

    /// Replaces all records of a name, if there are any, by one.
    pub fn set(&mut self, name: &str, kind: &'static str, data: &str) {
        self.records.retain(|(owner, ..)| owner != name);
        self.add(name, kind, data);
    }

    /// Replaces the records of one type.
    pub fn replace(&mut self, name: &str, kind: &'static str, data: &str) {
        self.remove(name, kind);
        self.add(name, kind, data);
    }

    fn text(&self) -> String {
        let mut text = "$TTL 60\n. IN SOA ns.laboratory. lab.laboratory. 1 3600 600 86400 60\n\
                        . IN NS ns.laboratory.\nns.laboratory. IN A 192.0.2.53\n"
            .to_owned();
        for (name, kind, data) in &self.records {
            writeln!(text, "{name}. IN {kind} {data}").expect("text");
        }
        for name in &self.failing {
            writeln!(text, "{name}. IN NS ns.laboratory.").expect("text");
        }
        text
    }

    /// Starts a server with this zone.
    pub fn serve(&self, sandbox: &Sandbox) -> Process {
        let mut config = format!(
            "server:
  ip-address: {DNS}
  username: \"\"
  chroot: \"\"
  database: \"\"
  pidfile: \"/run/nsd.pid\"
  xfrdfile: \"/run/nsd.xfrd\"
  zonelistfile: \"/run/nsd.zones\"
  zonesdir: \"/etc/nsd\"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: \".\"
  zonefile: \"/etc/nsd/root.zone\"
"
        );
        for name in &self.failing {
            // A zone without a file.
            write!(config, "zone:\n  name: \"{name}\"\n  zonefile: \"/etc/nsd/missing.zone\"\n")
                .expect("text");
        }
        write(Path::new("/etc/nsd/root.zone"), self.text());
        write(Path::new("/etc/nsd/nsd.conf"), config);
        let mut server = command("nsd");
        server.args(["-d", "-c", "/etc/nsd/nsd.conf"]);
        Process::start(sandbox, &mut server).wait_until(answers)
    }
}

/// Whether the server answers: a question for the SOA record of the root.
fn answers() -> bool {
    let question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01";
    let socket = std::net::UdpSocket::bind((DNS, 0)).expect("a socket");
    socket.set_read_timeout(Some(std::time::Duration::from_millis(20))).expect("a time");
    let mut answer = [0; 512];
    socket.send_to(question, (DNS, 53)).is_ok()
        && socket.recv_from(&mut answer).is_ok_and(|(length, _)| length > 12 && answer[3] & 15 == 0)
}

/// For programs that read the system's files.
pub fn resolver_files() {
    write(Path::new("/etc/resolv.conf"), format!("nameserver {DNS}\noptions timeout:2\n"));
    write(Path::new("/etc/hosts"), "127.0.0.1 localhost\n");
    write(Path::new("/etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
}
