//! A mail host with Debian's packages in a root of its own: MariaDB, Postfix, Dovecot, nginx, and
//! mailsetup. Its files are separate from those of this machine, where the mail clients run; the
//! network is the same. Nothing that is written in it remains.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::certificates;
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, Sandbox, command, run, source, write};
use crate::dns::{self, HERE};
use crate::world::{PASSWORD, expect, listens};

/// The mail domains in the database, with the mailbox in each.
pub const MAILBOXES: [(&str, &str); 2] =
    [("example.org", "ann@example.org"), ("example.net", "bob@example.net")];

/// The name of the mail host, and of its certificate.
pub const HOST: &str = "mail.example.org";

const CERTIFICATE: &str = "/etc/ssl/certs/mail.pem";
const KEY: &str = "/etc/ssl/private/mail.key";

/// The files of the logs, in the root.
const LOGS: [&str; 4] = [
    "var/log/dovecot.log",
    "var/log/postfix.log",
    "var/log/mariadb.log",
    "var/log/nginx/error.log",
];

/// A running mail host.
pub struct Machine<'a> {
    pub sandbox: &'a Sandbox,
    root: PathBuf,
    processes: Vec<Process>,
}

impl Machine<'_> {
    /// Runs `test` with a mail host of this release of Debian, which answers no mail client yet.
    pub fn run(release: &str, test: impl FnOnce(&mut Machine) + Send) {
        Namespace::run(|namespace| test(&mut Machine::start(namespace, release)));
    }

    fn start<'a>(namespace: &'a Namespace, release: &str) -> Machine<'a> {
        unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
        run(command("hostname").arg("mail"));
        run(command("ip").args(["address", "add", &format!("{HERE}/32"), "dev", "lo"]));
        let sandbox = namespace.sandbox;
        let machine = Machine { sandbox, root: root(sandbox, release), processes: Vec::new() };
        certificates::authority();
        machine.certificate(&[HOST], KEY, CERTIFICATE);
        machine.write("etc/hosts", &format!("127.0.0.1 localhost\n{HERE} {HOST} mail\n"));
        machine.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
        machine.write("root/ispmail.sh", &text("tests/clients/ispmail.sh"));
        run(machine.command("sh").args(["/root/ispmail.sh", CERTIFICATE, KEY, PASSWORD]));
        machine
    }

    /// A program of the machine.
    pub fn command(&self, program: &str) -> Command {
        let mut inside = command("chroot");
        inside.arg(&self.root).args(["/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8"]);
        inside.args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", program]);
        inside
    }

    /// Its mailsetup.
    pub fn mailsetup(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        command.args(arguments);
        command
    }

    /// Writes a file of the machine; the path is below its root.
    pub fn write(&self, path: &str, content: &str) {
        write(&self.root.join(path), content);
    }

    /// A file of the machine; the path is below its root.
    pub fn read(&self, path: &str) -> String {
        let path = self.root.join(path);
        fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
    }

    /// A certificate of the authority, at paths of the machine.
    fn certificate(&self, names: &[&str], key: &str, certificate: &str) {
        let inside = |path: &str| self.root.join(&path[1..]).to_str().expect("text").to_owned();
        certificates::certificate(names, &inside(key), &inside(certificate));
    }

    /// Starts what answers mail clients: mailsetup, the web server, and the DNS records that `mailsetup
    /// dns` prints for the domains. The command writes the part of nginx's configuration that
    /// `include` names, for the server blocks of mail clients.
    pub fn answer(&mut self, command: &str, include: &str) {
        let mut zone = dns::hosts(&MAILBOXES.map(|(domain, _)| domain), HOST, [HOST]);
        let mut names = Vec::new();
        for (domain, _) in MAILBOXES {
            let records = run(&mut self.mailsetup(&["dns", "--json", domain]));
            zone.push_str(&dns::records(&records, |_| true));
            names.extend(["autoconfig", "autodiscover"].map(|host| format!("{host}.{domain}")));
        }
        self.add(dns::server(&zone), || listens(53));

        let socket = "/run/mailsetup.sock";
        let listen = format!("unix:{socket},mode=0660,group=www-data");
        let path = self.root.join(&socket[1..]);
        self.add(self.mailsetup(&["serve", "--listen", &listen]), || {
            UnixStream::connect(&path).is_ok()
        });

        let (key, certificate) =
            ("/etc/ssl/private/autoconfig.key", "/etc/ssl/certs/autoconfig.pem");
        self.certificate(&names.iter().map(String::as_str).collect::<Vec<_>>(), key, certificate);
        run(self.command("sh").args(["-c", command]));
        let block = format!(
            "server {{
    listen 80;
    listen 443 ssl;
    server_name {};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    {include}
}}
",
            names.join(" ")
        );
        self.write("etc/nginx/sites-enabled/mail-clients.conf", &block);
        run(self.command("nginx").arg("-t"));
        let mut nginx = self.command("nginx");
        nginx.args(["-g", "daemon off;"]);
        self.add(nginx, || listens(443));
    }

    /// Empties the logs of the mail servers.
    pub fn forget(&self) {
        for log in &LOGS[..2] {
            fs::write(self.root.join(log), "").expect("a log");
        }
    }

    /// Waits until the mailbox has logged in to IMAP and to submission.
    pub fn expect_logins(&self, address: &str) {
        let user = format!("user=<{address}>, ");
        // 2.3 and 2.4 begin the line in different ways.
        expect(&self.root.join(LOGS[0]), &["imap-login: Info: Log", &user, ", TLS"]);
        expect(&self.root.join(LOGS[1]), &["/smtpd[", " disconnect from ", " auth=1 "]);
    }

    /// Waits until a message was accepted from the mailbox, and given to it.
    pub fn expect_message(&self, address: &str) {
        expect(&self.root.join(LOGS[1]), &["/smtpd[", &format!(", sasl_username={address}")]);
        let to = format!(" to=<{address}>");
        expect(&self.root.join(LOGS[1]), &["/lmtp[", &to, " status=sent "]);
    }

    fn add(&mut self, mut command: Command, ready: impl FnMut() -> bool) {
        self.processes.push(Process::start(self.sandbox, &mut command).wait_until(ready));
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            for path in LOGS {
                let log = fs::read(self.root.join(path)).unwrap_or_default();
                println!("{path}:\n{}", String::from_utf8_lossy(&log));
            }
        }
    }
}

/// The root of a release, with changes that are kept in memory.
fn root(sandbox: &Sandbox, release: &str) -> PathBuf {
    let lower = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("init").join(release);
    assert!(lower.exists(), "{} is missing: sh tests/install-init.sh", lower.display());
    let none = None::<&str>;
    let layers = sandbox.path("machine");
    let part = |name: &str| layers.join(name);
    fs::create_dir(&layers).expect("mkdir");
    mount(Some("tmpfs"), &layers, Some("tmpfs"), MsFlags::empty(), none).expect("tmpfs");
    for name in ["changes", "work", "root"] {
        fs::create_dir(part(name)).expect("mkdir");
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        part("changes").display(),
        part("work").display()
    );
    let root = part("root");
    mount(Some("overlay"), &root, Some("overlay"), MsFlags::empty(), Some(&*options))
        .unwrap_or_else(|err| panic!("overlay of {}: {err}", lower.display()));
    for shared in ["dev", "proc"] {
        let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
        mount(Some(&Path::new("/").join(shared)), &root.join(shared), none, flags, none)
            .expect("bind");
    }
    for empty in ["run", "tmp"] {
        let mode = if empty == "tmp" { "mode=1777" } else { "mode=755" };
        mount(Some("tmpfs"), &root.join(empty), Some("tmpfs"), MsFlags::empty(), Some(mode))
            .expect("tmpfs");
    }
    let program = root.join(&PROGRAM[1..]);
    write(&program, "");
    mount(Some(PROGRAM), &program, none, MsFlags::MS_BIND, none).expect("the program");
    root
}

/// A file of the source.
fn text(path: &str) -> String {
    fs::read_to_string(source(path)).unwrap_or_else(|err| panic!("{path}: {err}"))
}
