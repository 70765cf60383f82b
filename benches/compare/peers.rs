//! The peers: programs that answer the same request with the same bytes, each in its own process.

use crate::build::{Built, php_fpm};
use crate::common::http::Response;
use crate::common::{Process, Sandbox, command, free_port, program, run};
use crate::load::CONNECTIONS;
use crate::places::on;
use crate::{Settings, twenty_domains};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options that enable opcache.
const OPCACHE: [&str; 2] = ["-d", "opcache.enable=1"];

/// One way to get the response.
pub struct Peer {
    pub name: String,
    pub port: u16,
    pub way: Way,
}

/// How nginx gets the response.
pub enum Way {
    FastCgi { process: Process, socket: PathBuf, kept: bool },
    File { path: PathBuf, headers: Vec<(String, String)> },
}

/// The program that answers.
#[derive(Clone, Copy)]
enum Responder {
    Mailsetup,
    Php,
    C,
    Crate,
}

impl Peer {
    /// The address at which nginx listens for it.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The process that answers, if it is not nginx itself.
    pub fn process(&self) -> Option<&Process> {
        match &self.way {
            Way::FastCgi { process, .. } => Some(process),
            Way::File { .. } => None,
        }
    }
}

/// Starts all peers; `answer` is the response of those with a fixed one.
pub fn start(
    sandbox: &Sandbox,
    settings: &Settings,
    built: &Built,
    answer: &Response,
) -> Vec<Peer> {
    let body = sandbox.write("answer.xml", &answer.body);
    let mut whole = Vec::new();
    for (name, value) in &answer.headers {
        whole.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    let whole = sandbox.write("answer", [&whole, &b"\r\n"[..], &answer.body].concat());
    let config = sandbox.write("config.toml", twenty_domains());

    let mut peers = Vec::new();
    for (name, responder) in [
        ("mailsetup", Responder::Mailsetup),
        ("PHP (php-fpm)", Responder::Php),
        ("C (libfcgi)", Responder::C),
        ("crate `fastcgi`", Responder::Crate),
    ] {
        // A process for each way: PHP and C can serve either kept connections or others, but not
        // both.
        for (kept, way) in [(true, "keepalive"), (false, "no keepalive")] {
            let socket = sandbox.path(&format!("{}.socket", peers.len()));
            let on = |program: &Path| on(&settings.cpus.responder, program);
            let mut command;
            match responder {
                Responder::Mailsetup => {
                    command = on(&program());
                    serve(&mut command, &config, &socket);
                }
                Responder::Php => {
                    command = on(&php_fpm());
                    configure_php(&mut command, sandbox, &socket);
                }
                Responder::C => {
                    command = on(&built.c_responder);
                    command.arg(&socket).arg(&whole).arg(CONNECTIONS.to_string());
                }
                Responder::Crate => {
                    command = on(&built.crate_responder);
                    command.arg(&socket).arg(&whole);
                }
            }
            let process = Process::start(sandbox, &mut command)
                .wait_until(|| UnixStream::connect(&socket).is_ok());
            let name = format!("{name}, {way}");
            let way = Way::FastCgi { process, socket, kept };
            peers.push(Peer { name, port: free_port(), way });
        }
    }
    // nginx knows the length of a file.
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| name != "Content-Length");
    let way = Way::File { path: body, headers };
    let name = "a file (nginx alone)".to_owned();
    peers.push(Peer { name, port: free_port(), way });
    peers
}

/// Arguments that make mailsetup a FastCGI service.
pub fn serve(mailsetup: &mut Command, config: &Path, socket: &Path) {
    let command = mailsetup.arg("--config").arg(config).arg("serve");
    command.arg("--listen").arg(format!("unix:{}", socket.display()));
}

/// php-fpm with Debian's php.ini and opcache. A child serves one connection at a time, and a kept one
/// for as long as it is open: with fewer children than connections, some requests would never be
/// answered.
fn configure_php(php: &mut Command, sandbox: &Sandbox, socket: &Path) {
    let pool = format!(
        "[global]
error_log = {}.log
daemonize = no
[autoconfig]
user = root
listen = {}
listen.backlog = 1024
pm = static
pm.max_children = {CONNECTIONS}
",
        socket.display(),
        socket.display()
    );
    let name = socket.file_name().expect("a name").to_string_lossy().into_owned();
    let pool = sandbox.write(&format!("{name}.conf"), pool);
    php.args(OPCACHE).args(["--nodaemonize", "--allow-to-run-as-root", "--fpm-config"]).arg(pool);
    let state = run(command(php_fpm()).args(OPCACHE).arg("-i"));
    assert!(state.contains("Opcode Caching => Up and Running"), "PHP without opcache");
}
