//! Web servers and launchers, each with the files of `contrib/` exactly as an administrator would
//! install them. The main configuration around them is the distribution's, reduced to the relevant
//! settings.

pub mod apache;
pub mod caddy;
pub mod haproxy;
pub mod launchers;
pub mod lighttpd;
pub mod nginx;
pub mod panels;
mod sites;
mod systemd;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::path::Path;

use nix::unistd::User;

use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, Sandbox, command, run, source, write};

/// The address of web servers in their namespace.
pub const HTTP: SocketAddr = local(80);

/// The socket in all of contrib.
pub const SOCKET: &str = "/run/mailsetup.sock";

pub const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

/// Whether a program listens at the address.
pub fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

/// Copies a file of contrib, unchanged, to the place that its comment gives.
fn install(contrib: &str, path: &str) {
    let content = fs::read(source("contrib").join(contrib)).expect("a file of contrib");
    write(Path::new(path), content);
}

/// An existing site: one file, which the web server still serves.
fn existing_site() {
    write(Path::new("/var/www/html/hello.txt"), "hello\n");
}

/// An empty directory into which the web server itself writes.
fn servers_directory(path: &str) {
    let _ = fs::remove_dir_all(path);
    let user = User::from_name("www-data").ok().flatten().expect("there is no user www-data");
    fs::create_dir_all(path).unwrap_or_else(|err| panic!("{path}: {err}"));
    chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("chown");
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

/// The responder on the socket, started and restricted as by the units.
fn activate(world: &Namespace) -> Process {
    let config = Path::new("/etc/mailsetup/config.toml");
    let process = launchers::socket_activate_inetd(world.sandbox, config, Path::new(SOCKET));
    let user = User::from_name("www-data").ok().flatten().expect("there is no user www-data");
    chown(SOCKET, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("chown");
    process
}

/// The responder on the socket, started by the command in contrib's comments.
fn serve(world: &Namespace) -> Process {
    let listen = format!("unix:{SOCKET},mode=0660,group=www-data");
    Process::start(world.sandbox, command(PROGRAM).args(["serve", "--listen", &listen]))
        .wait_until(|| std::os::unix::net::UnixStream::connect(SOCKET).is_ok())
}

/// Without a system that enforces it, only its compilation can be tested.
#[test]
fn selinux_module_compiles() {
    let sandbox = Sandbox::new();
    let (module, package) = (sandbox.path("mailsetup.mod"), sandbox.path("mailsetup.pp"));
    let source = source("contrib/selinux/mailsetup.te");
    run(command("checkmodule").args(["-M", "-m", "-o"]).arg(&module).arg(source));
    run(command("semodule_package").arg("-m").arg(module).arg("-o").arg(&package));
    assert!(package.exists());
}

#[test]
fn contrib_is_documented() {
    let readme = fs::read_to_string(source("contrib/README.md")).expect("README");
    let mut routes: Vec<(String, String)> = Vec::new();
    for directory in ["apache", "caddy", "haproxy", "lighttpd", "nginx", "selinux", "systemd"] {
        let files = fs::read_dir(source("contrib").join(directory)).expect("directory");
        for file in files.flatten() {
            let name = file.path().strip_prefix(source("contrib")).expect("below").to_owned();
            let name = name.to_str().expect("text").to_owned();
            let file_name = name.split_once('/').expect("two parts").1;
            let listed = readme.contains(&name)
                || readme.contains(&format!("({directory})")) && readme.contains(file_name);
            assert!(listed, "contrib/README.md does not list {name}");
            let content = fs::read_to_string(file.path()).expect("text");
            for word in ["# Where:", "# Test:"] {
                assert!(content.contains(word), "{name} does not say {word}");
            }
            // One expression lists the paths of this program; its copies must be equal.
            for line in content.lines().filter(|line| !line.starts_with("SetEnvIf")) {
                if let Some((_, rest)) = line.split_once("(?:(?:\\.well-known") {
                    let route = rest.split_once(")$").expect("end of the expression").0;
                    // HAProxy does not merge doubled slashes.
                    routes.push((name.clone(), route.replace("/+", "/")));
                }
            }
        }
    }
    assert_eq!(routes.len(), 12, "{routes:?}");
    for (name, route) in &routes {
        assert_eq!(route, &routes[0].1, "{name} and {}", routes[0].0);
    }
}
