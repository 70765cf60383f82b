//! Web servers and launchers, each with the files of `contrib/` exactly as an administrator would
//! install them, or as `mailsetup hook` prints them with other values. The main configuration around
//! them is the distribution's, reduced to the relevant settings.

pub mod apache;
pub mod caddy;
mod certificates;
pub mod h2o;
pub mod haproxy;
pub mod hosting;
pub mod launchers;
pub mod lighttpd;
mod logins;
mod many;
pub mod nginx;
pub mod panels;
mod sites;
mod systemd;
mod tables;
mod userdb;

use std::cell::Cell;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
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

thread_local! {
    /// The socket with which `mailsetup hook` prints the files, in place of those of contrib.
    static HOOKED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The files of contrib with the name and the options with which `mailsetup hook` prints them, except
/// for the socket, and whether it has one.
const PRINTED: [(&str, &str, &[&str], bool); 16] = [
    ("nginx/mailsetup.conf", "nginx", &[], true),
    ("nginx/vhost.conf", "nginx-vhost", &[DOMAINS, CERTIFICATE, KEY], true),
    ("nginx/vhost-many.conf", "nginx-many", &[DOMAINS], true),
    ("nginx/fcgiwrap.conf", "nginx-fcgiwrap", &[CGI_BIN], true),
    ("apache/mailsetup-proxy_fcgi.conf", "apache", &[], true),
    ("apache/vhost.conf", "apache-vhost", &[DOMAINS, CERTIFICATE, KEY], true),
    ("apache/mailsetup-fcgid.conf", "apache-fcgid", &[CGI_BIN], false),
    ("apache/mailsetup-cgid.conf", "apache-cgi", &[CGI_BIN], false),
    ("lighttpd/50-mailsetup-fastcgi.conf", "lighttpd", &[], true),
    ("lighttpd/51-mailsetup-cgi.conf", "lighttpd-cgi", &[CGI_BIN], false),
    ("caddy/mailsetup.caddy", "caddy", &[], true),
    ("caddy/vhost.caddy", "caddy-vhost", &[DOMAINS], true),
    ("caddy/on-demand.caddy", "caddy-on-demand", &[], true),
    ("haproxy/mailsetup.cfg", "haproxy", &[], true),
    ("haproxy/mailsetup-http.cfg", "haproxy-http", &[], true),
    ("h2o/mailsetup.conf", "h2o", &[DOMAINS, CERTIFICATE, KEY], true),
];
const DOMAINS: &str = "--domains=BÜCHER.example,example.org,unknown.example,a-domain-with-a-long-name.that-nginx-cannot-put-into-its-table.example";
const CERTIFICATE: &str = "--certificate=/etc/ssl/certs/other+cert.pem";
const KEY: &str = "--key=/etc/ssl/private/other+key.pem";
const CGI_BIN: &str = "--cgi-bin=/usr/local/mail-cgi";

/// Runs a server with the files that `mailsetup hook` prints with this socket, and with other paths
/// and domains than those of contrib.
pub fn hooked(
    socket: &'static str,
    start: fn(&Namespace) -> Vec<Process>,
) -> impl Fn(&Namespace) -> Vec<Process> {
    move |world| {
        HOOKED.set(Some(socket));
        let folder = Path::new("/usr/local/mail-cgi");
        fs::create_dir_all(folder).expect("mkdir");
        std::os::unix::fs::symlink(PROGRAM, folder.join("mailsetup.cgi")).expect("link");
        fs::create_dir_all("/run/mail-clients").expect("mkdir");
        start(world)
    }
}

/// The socket that the files name, as in `--socket`.
fn where_to(default: &'static str) -> &'static str {
    HOOKED.get().unwrap_or(default)
}

/// A file of contrib, as it is or as `mailsetup hook` prints it.
fn contrib(name: &str) -> String {
    let Some(socket) = HOOKED.get() else {
        return fs::read_to_string(source("contrib").join(name)).expect("a file of contrib");
    };
    let (_, file, options, has_socket) =
        PRINTED.iter().find(|(path, ..)| *path == name).expect("a file that is printed");
    let mut print = command(PROGRAM);
    print.args(["hook", file]).args(*options);
    if *has_socket {
        print.args(["--socket", socket]);
    }
    let output = print.output().expect("the program");
    assert!(output.status.success() && output.stderr.is_empty(), "{file}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Writes a file of contrib to the place that its comment gives.
pub fn install(name: &str, path: &str) {
    write(Path::new(path), contrib(name));
}

/// An existing site: one file, which the web server still serves.
fn existing_site() {
    write(Path::new("/var/www/html/hello.txt"), "hello\n");
}

/// An empty directory into which the web server itself writes.
pub fn servers_directory(path: &str) {
    let user = User::from_name("www-data").ok().flatten().expect("there is no user www-data");
    fs::create_dir_all(path).unwrap_or_else(|err| panic!("{path}: {err}"));
    // Not removed as a whole: it could not be created again in a user namespace, where an overlay
    // cannot mark a directory as hiding the one below.
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    }
    chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("chown");
}

/// A certificate for these names, with its key, where contrib/nginx/vhost-many.conf has it, written
/// by the script of docs/many-domains.md.
fn certificate_files(names: &[&str]) {
    let page = fs::read_to_string(source("docs/many-domains.md")).expect("a page");
    let (_, script) = page.split_once("   ```text\n   #!/bin/sh\n").expect("a script");
    let (script, _) = script.split_once("   ```\n").expect("its end");
    let script = script.replace("\n   ", "\n");
    let path = "/etc/mailsetup-certificate";
    write(Path::new(path), format!("#!/bin/sh\n{}", script.trim_start()));
    let lineage = Path::new("/etc/issued");
    fs::create_dir_all(lineage).expect("mkdir");
    let all: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let mut request = command("openssl");
    request.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    request.args(["-nodes", "-subj", "/CN=x", "-addext"]);
    request.arg(format!("subjectAltName={}", all.join(",")));
    request.args(["-keyout", "privkey.pem", "-out", "fullchain.pem"]).current_dir(lineage);
    run(&mut request);
    run(command("sh").arg(path).env("RENEWED_LINEAGE", lineage));
}

/// The certificate that contrib's vhost files name.
fn certificate() {
    let (certificate, key) = match HOOKED.get() {
        Some(_) => (CERTIFICATE, KEY),
        None => ("=/etc/ssl/certs/mailsetup.pem", "=/etc/ssl/private/mailsetup.key"),
    };
    let path = |text: &'static str| text.split_once('=').expect("a path").1;
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
        path(key),
        "-out",
        path(certificate),
    ]));
}

/// The responder on the socket, started and restricted as by the units.
fn activate(world: &Namespace) -> Process {
    let config = Path::new("/etc/mailsetup/config.toml");
    let Some(socket) = where_to("unix:/run/mailsetup.sock").strip_prefix("unix:") else {
        return serve(world);
    };
    let process = launchers::socket_activate_inetd(world.sandbox, config, Path::new(socket));
    let user = User::from_name("www-data").ok().flatten().expect("there is no user www-data");
    chown(socket, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("chown");
    process
}

/// The responder on the socket, started by the command in contrib's comments.
pub fn serve(world: &Namespace) -> Process {
    serve_at(world, where_to("unix:/run/mailsetup.sock"), "www-data")
}

/// The same at this socket, for the group of a web server.
fn serve_at(world: &Namespace, socket: &str, group: &str) -> Process {
    let listen = match socket.starts_with("unix:") {
        true => format!("{socket},mode=0660,group={group}"),
        false => socket.to_owned(),
    };
    Process::start(world.sandbox, command(PROGRAM).args(["serve", "--listen", &listen]))
        .wait_until(|| is_open(socket))
}

/// Whether a program listens at a socket, written as in `--socket`.
fn is_open(socket: &str) -> bool {
    match socket.strip_prefix("unix:") {
        Some(path) => UnixStream::connect(path).is_ok(),
        None => listens(socket.parse().expect("an address")),
    }
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
    for directory in [
        "apache",
        "caddy",
        "container",
        "dovecot",
        "export",
        "h2o",
        "haproxy",
        "lighttpd",
        "many-machines",
        "nginx",
        "selinux",
        "socketmap",
        "systemd",
    ] {
        let files = fs::read_dir(source("contrib").join(directory)).expect("directory");
        for file in files.flatten() {
            let name = file.path().strip_prefix(source("contrib")).expect("below").to_owned();
            let name = name.to_str().expect("text").to_owned();
            let file_name = name.split_once('/').expect("two parts").1;
            let listed = readme.contains(&name)
                || readme.contains(&format!("({directory})")) && readme.contains(file_name);
            assert!(listed, "contrib/README.md does not list {name}");
            // Statements are used as they are.
            if name.ends_with(".sql") {
                continue;
            }
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
    assert_eq!(routes.len(), 13, "{routes:?}");
    for (name, route) in &routes {
        assert_eq!(route, &routes[0].1, "{name} and {}", routes[0].0);
    }
}
