//! A running laboratory: what is started once, and what is started again for each scene.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::certificates::{AUTHORITY, Authorities, Make};
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, Sandbox, command, run, source, write};
use crate::web::Host;
use crate::zone::{self, Zone};
use crate::{mail, net, scripted, web};

const SOCKET: &str = "/run/mailsetup.sock";

/// What a domain publishes: all that a fault can change.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The address that is asked for.
    pub address: &'static str,
    pub zone: Zone,
    pub hosts: Vec<Host>,
    /// Words of a path, and what is replaced in the documents there.
    pub edits: Vec<(&'static str, String, String)>,
    /// The responder's configuration.
    pub config: String,
    /// What Mozilla's database has about the domain.
    pub database: Option<String>,
    /// More arguments of the program.
    pub arguments: Vec<&'static str>,
    /// The DNS server that the program asks.
    pub dns: &'static str,
}

impl Scene {
    /// A host by its name.
    pub fn host(&mut self, name: &str) -> &mut Host {
        let host = self.hosts.iter_mut().find(|host| host.name == name);
        host.unwrap_or_else(|| panic!("no host {name}"))
    }

    /// Replaces a text in the documents of autoconfig, on their way through the web server.
    pub fn edit(&mut self, from: &str, to: &str) {
        self.edits.push(("config-v1", from.to_owned(), to.to_owned()));
    }

    /// The same in the documents of Autodiscover.
    pub fn edit_pox(&mut self, from: &str, to: &str) {
        self.edits.push(("autodiscover", from.to_owned(), to.to_owned()));
    }
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    /// The exit status.
    pub status: Option<i32>,
    /// The JSON form.
    pub json: Value,
    /// What it printed on standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
    /// The largest amount of memory that it had, in KiB.
    pub memory: u64,
}

/// The servers, running.
pub struct World<'a> {
    sandbox: &'a Sandbox,
    authorities: Authorities,
    dns: Option<(Zone, Process)>,
    nginx: Option<(String, Process)>,
    responder: Option<(String, Process)>,
    _dovecot: Process,
}

impl<'a> World<'a> {
    /// Starts what stays the same in all scenes.
    pub fn start(namespace: &Namespace<'a>) -> Self {
        let sandbox = namespace.sandbox;
        net::create(sandbox);
        let mut authorities = Authorities::new();
        zone::resolver_files();
        web::prepare();
        let dovecot = mail::start(sandbox, &mut authorities);
        scripted::start(scripted::SCRIPTS, &authorities.file(Make::Right, &mail::NAMES));
        let _dovecot = mail::ready(dovecot);
        Self { sandbox, authorities, dns: None, nginx: None, responder: None, _dovecot }
    }

    /// The directory of this world.
    pub fn sandbox(&self) -> &Sandbox {
        self.sandbox
    }

    /// Publishes a scene: starts again what must change.
    pub fn publish(&mut self, scene: &Scene) {
        let _ = fs::remove_dir_all("/var/lib/database");
        if let Some(document) = &scene.database {
            let (_, domain) = scene.address.split_once('@').expect("a domain");
            write(&Path::new("/var/lib/database").join(domain), document);
        }
        self.respond(&scene.config);
        if self.dns.as_ref().is_none_or(|(zone, _)| *zone != scene.zone) {
            // The old one must be gone before the next one takes its port.
            self.dns = None;
            self.dns = Some((scene.zone.clone(), scene.zone.serve(self.sandbox)));
        }
        let config = web::config(&scene.hosts, &scene.edits, &mut self.authorities);
        if self.nginx.as_ref().is_none_or(|(running, _)| *running != config) {
            self.nginx = None;
            let nginx = web::serve(self.sandbox, &config);
            self.nginx = Some((config, nginx));
        }
    }

    fn respond(&mut self, config: &str) {
        if self.responder.as_ref().is_some_and(|(running, _)| *running == config) {
            return;
        }
        self.responder = None;
        let file = self.configuration(config);
        let listen = format!("unix:{SOCKET},mode=0660,group=www-data");
        let mut serve = command(PROGRAM);
        serve.arg("--config").arg(file).args(["serve", "--listen", &listen]);
        let responder = Process::start(self.sandbox, &mut serve)
            .wait_until(|| UnixStream::connect(SOCKET).is_ok());
        self.responder = Some((config.to_owned(), responder));
    }

    /// Writes the responder's configuration, and what it names.
    fn configuration(&mut self, config: &str) -> PathBuf {
        let signer = self.authorities.file(Make::Right, &["example.org"]);
        let expired = self.authorities.file(Make::Expired, &["example.org"]);
        let config = config
            .replace("SIGNER_EXPIRED", &expired.display().to_string())
            .replace("SIGNER", &signer.display().to_string());
        self.sandbox.write("config.toml", config)
    }

    /// The output of the responder's program with this configuration.
    pub fn mailsetup(&mut self, config: &str, arguments: &[&str]) -> String {
        let file = self.configuration(config);
        run(command(PROGRAM).arg("--config").arg(file).args(arguments))
    }

    /// A profile, signed by a certificate that has expired.
    pub fn signed(&mut self, profile: &[u8]) -> Vec<u8> {
        self.authorities.sign(Make::Expired, profile)
    }

    /// Runs the program on the scene that is published.
    pub fn probe(&self, scene: &Scene) -> Said {
        let usage = self.sandbox.path("usage");
        let mut probe = command("/usr/bin/python3");
        probe.arg(source("tests/laboratory/measured.py")).arg(&usage);
        probe.arg(env!("CARGO_BIN_EXE_mailsetup-probe"));
        probe.args(["--json", "--dns", scene.dns, "--ca", AUTHORITY]);
        probe.args(&scene.arguments).arg(scene.address);
        let began = Instant::now();
        let output = probe.output().expect("the program");
        let took = began.elapsed();
        let memory = fs::read_to_string(&usage).ok().and_then(|text| text.trim().parse().ok());
        let text = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        // Without a report, the reason is on standard error.
        let json = serde_json::from_str(&text).unwrap_or_default();
        Said { status: output.status.code(), json, stderr, took, memory: memory.unwrap_or(0) }
    }

    /// What the program prints for people about the scene that is published.
    pub fn report(&self, scene: &Scene) -> String {
        let mut probe = command(env!("CARGO_BIN_EXE_mailsetup-probe"));
        probe.args(["--dns", scene.dns, "--ca", AUTHORITY]);
        probe.args(&scene.arguments).arg(scene.address);
        let output = probe.output().expect("the program");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for path in ["/var/log/dovecot.log", "/var/log/postfix.log"] {
                let log = fs::read(Path::new(path)).unwrap_or_default();
                let log = String::from_utf8_lossy(&log);
                let lines: Vec<_> = log.lines().collect();
                for line in lines.iter().rev().take(10).rev() {
                    println!("{path}: {line}");
                }
            }
        }
    }
}
