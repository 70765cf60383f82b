//! Web servers and launchers, each with the files of `contrib/` exactly as an administrator would
//! install them. The main configuration around them is the distribution's, reduced to what counts.

pub mod apache;
pub mod caddy;
pub mod launchers;
pub mod lighttpd;
pub mod nginx;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, run, source, write};

/// Where web servers listen in their namespace.
pub const HTTP: SocketAddr = local(80);

/// The socket in all of contrib.
const SOCKET: &str = "/run/mailsetup.sock";

pub const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

/// Whether somebody listens there.
pub fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

/// Copies a file of contrib, unchanged, to where its comment says it belongs.
fn install(contrib: &str, path: &str) {
    let content = fs::read(source("contrib").join(contrib)).expect("a file of contrib");
    write(Path::new(path), content);
}

/// A site that was there before: one file, which stays the web server's.
fn existing_site() {
    write(Path::new("/var/www/html/hello.txt"), "hello\n");
}

/// The certificate that contrib's vhost files name.
fn certificate() {
    run(command("openssl").args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=autoconfig.example.org",
        "-addext",
        "subjectAltName=DNS:autoconfig.example.org,DNS:autodiscover.example.org",
        "-keyout",
        "/etc/ssl/private/mailsetup.key",
        "-out",
        "/etc/ssl/certs/mailsetup.pem",
    ]));
}

/// The responder on the socket, started by the line that contrib's comments give.
fn serve(world: &Namespace) -> Process {
    let listen = format!("unix:{SOCKET},mode=0660,group=www-data");
    Process::start(world.sandbox, command(PROGRAM).args(["serve", "--listen", &listen]))
        .wait_until(|| std::os::unix::net::UnixStream::connect(SOCKET).is_ok())
}
