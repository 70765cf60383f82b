//! nginx: to the socket, without and with kept connections, and to fcgiwrap.

use std::path::Path;
use std::process::Stdio;

use super::{
    HTTP, activate, certificate, certificate_files, existing_site, install, listens, serve,
    servers_directory, where_to,
};
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, copy_program, run, write};

/// Debian's nginx.conf, without unrelated settings.
const MAIN: &str = "\
user www-data;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {
    worker_connections 768;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    gzip on;
    include /etc/nginx/conf.d/*.conf;
    include /etc/nginx/sites-enabled/*;
}
";

/// contrib/nginx/mailsetup.conf in an existing site.
pub fn snippet(world: &Namespace) -> Vec<Process> {
    snippet_in(world, &site("include snippets/mailsetup.conf;"))
}

/// The same in a server block with these lines.
pub fn snippet_in(world: &Namespace, lines: &str) -> Vec<Process> {
    vec![serve(world), snippet_alone(world, lines)]
}

/// The same without the responder.
pub fn snippet_alone(world: &Namespace, lines: &str) -> Process {
    install("nginx/mailsetup.conf", "/etc/nginx/snippets/mailsetup.conf");
    existing_site_with(world, lines)
}

/// An existing site with these lines in its server block.
pub fn existing_site_with(world: &Namespace, lines: &str) -> Process {
    existing_server(lines);
    start(world)
}

/// contrib/nginx/vhost.conf as the only site.
pub fn vhost(world: &Namespace) -> Vec<Process> {
    vec![activate(world), vhost_alone(world)]
}

/// The same without the responder.
pub fn vhost_alone(world: &Namespace) -> Process {
    certificate();
    clear_sites();
    install("nginx/vhost.conf", "/etc/nginx/sites-enabled/mailsetup.conf");
    start(world)
}

/// contrib/nginx/vhost-many.conf as the only site, with a certificate for each of two names.
pub fn many(world: &Namespace) -> Vec<Process> {
    certificate_files(&["autoconfig.example.org", "autodiscover.example.org"]);
    vec![activate(world), many_alone(world)]
}

/// The same without the responder and the certificates.
pub fn many_alone(world: &Namespace) -> Process {
    clear_sites();
    install("nginx/vhost-many.conf", "/etc/nginx/sites-enabled/mailsetup.conf");
    start(world)
}

/// contrib/many-machines/nginx.conf as the only site, without the machines.
pub fn many_machines(world: &Namespace) -> Process {
    certificate();
    clear_sites();
    install("many-machines/nginx.conf", "/etc/nginx/sites-enabled/mailsetup.conf");
    start(world)
}

/// contrib/container/nginx.conf as the only site, where the compose file mounts it.
pub fn beside_container(world: &Namespace) -> Process {
    certificate();
    clear_sites();
    std::fs::create_dir_all("/etc/nginx/certificates").expect("mkdir");
    for (from, to) in
        [("certs/mailsetup.pem", "mailsetup.pem"), ("private/mailsetup.key", "mailsetup.key")]
    {
        let to = Path::new("/etc/nginx/certificates").join(to);
        std::fs::copy(Path::new("/etc/ssl").join(from), to).expect("a certificate");
    }
    install("container/nginx.conf", "/etc/nginx/conf.d/default.conf");
    start(world)
}

/// contrib/nginx/fcgiwrap.conf in an existing site.
pub fn fcgiwrap(world: &Namespace) -> Vec<Process> {
    fcgiwrap_in(world, &site("include snippets/mailsetup-fcgiwrap.conf;"))
}

/// The same in a server block with these lines.
pub fn fcgiwrap_in(world: &Namespace, lines: &str) -> Vec<Process> {
    install("nginx/fcgiwrap.conf", "/etc/nginx/snippets/mailsetup-fcgiwrap.conf");
    existing_server(lines);
    let address = where_to("unix:/run/fcgiwrap.socket");
    let socket = address.strip_prefix("unix:").expect("a path");
    let wrapper = Process::start(
        world.sandbox,
        command("spawn-fcgi").args([
            "-n",
            "-s",
            socket,
            "-M",
            "0660",
            "-u",
            "www-data",
            "-g",
            "www-data",
            "-U",
            "www-data",
            "--",
            "/usr/sbin/fcgiwrap",
        ]),
    )
    .wait_until(|| std::os::unix::net::UnixStream::connect(socket).is_ok());
    vec![wrapper, start(world)]
}

/// The configuration in the chroot.
pub const CHROOT_CONFIG: &str = "/var/chroot/etc/mailsetup/config.toml";

/// As slowcgi of OpenBSD: the wrapper runs in a chroot that contains the program, its configuration,
/// and the libraries that a build with libraries needs; no devices, no users, no /proc.
pub fn fcgiwrap_in_chroot(world: &Namespace) -> Vec<Process> {
    let root = Path::new("/var/chroot");
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    for (from, to) in [(PROGRAM, "/cgi-bin/mailsetup.cgi"), ("/usr/sbin/fcgiwrap", "/fcgiwrap")] {
        let mut files = vec![(from.to_owned(), to.to_owned())];
        let libraries = run(command("ldd").arg(from));
        let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/'));
        files.extend(libraries.map(|path| (path.to_owned(), path.to_owned())));
        for (from, to) in files {
            let to = inside(&to);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("mkdir");
            copy_program(from, &to);
        }
    }
    let config = std::fs::read("/etc/mailsetup/config.toml").expect("config");
    write(Path::new(CHROOT_CONFIG), config);
    std::fs::create_dir_all(inside("/run")).expect("mkdir");
    let socket = "/var/chroot/run/slowcgi.sock";
    let option = format!("--socket=unix:{socket}");
    let mut print = command(PROGRAM);
    let snippet = run(print.args(["hook", "nginx-fcgiwrap", "--cgi-bin=/cgi-bin", &option]));
    write(Path::new("/etc/nginx/snippets/mailsetup-fcgiwrap.conf"), snippet);
    existing_server(&site("include snippets/mailsetup-fcgiwrap.conf;"));
    let mut wrapper = command("spawn-fcgi");
    let in_chroot = "/run/slowcgi.sock";
    wrapper.args(["-n", "-s", in_chroot, "-M", "0660", "-u", "www-data", "-g", "www-data"]);
    wrapper.args(["-U", "www-data", "-c", "/var/chroot", "--", "/fcgiwrap"]);
    let wrapper = Process::start(world.sandbox, &mut wrapper)
        .wait_until(|| std::os::unix::net::UnixStream::connect(socket).is_ok());
    vec![wrapper, start(world)]
}

pub fn clear_sites() {
    let _ = std::fs::remove_dir_all("/etc/nginx/sites-enabled");
    let _ = std::fs::remove_dir_all("/etc/nginx/conf.d");
}

/// The lines of a usual server block, including `include`.
fn site(include: &str) -> String {
    format!(
        "{include}
    location ~ /\\. {{
        deny all;
    }}
    location / {{
        try_files $uri $uri/ =404;
    }}"
    )
}

fn existing_server(lines: &str) {
    clear_sites();
    existing_site();
    let server = format!(
        "server {{
    listen 80 default_server;
    root /var/www/html;
    server_name _;
    {lines}
}}
"
    );
    write(Path::new("/etc/nginx/sites-enabled/default"), server);
}

fn start(world: &Namespace) -> Process {
    start_with(world, None)
}

/// Starts it with the sites that are there, and with one more directory for logs.
pub fn start_with(world: &Namespace, logs: Option<&str>) -> Process {
    write(Path::new("/etc/nginx/nginx.conf"), MAIN);
    servers_directory("/var/log/nginx");
    logs.into_iter().for_each(servers_directory);
    run(command("nginx").arg("-t"));
    Process::start(world.sandbox, command("nginx").args(["-g", "daemon off;"]).stdin(Stdio::null()))
        .wait_until(|| listens(HTTP))
}
