//! h2o, with dedicated host names and with a site of its own.

use std::path::Path;

use super::{HTTP, certificate, existing_site, install, listens, local, serve_at, where_to};
use crate::common::namespace::Namespace;
use crate::common::{Process, command, run, write};

/// Debian's h2o.conf, without unrelated settings; its log is a file, not a program.
const MAIN: &str = "\
user: debian-h2o
error-log: /var/log/h2o-error.log
listen:
  port: 80
hosts:
  <<: !file /etc/h2o/mailsetup.conf
";

/// The host names of an existing site, with the log that contrib's comment describes.
const SITE: &str = "  site.example:
    access-log: /var/log/h2o-access.log
    paths:
      /:
        file.dir: /var/www/html
";

/// Whether the tests of h2o can run: false on Debian 13, which has no h2o.
pub fn is_packaged() -> bool {
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let is_packaged = !system.contains("VERSION_ID=\"13\"");
    if !is_packaged {
        println!("Debian 13 has no h2o: not tested");
    }
    is_packaged
}

/// contrib/h2o/mailsetup.conf as the only hosts.
pub fn start(world: &Namespace) -> Vec<Process> {
    run_with(world, MAIN)
}

/// The same below an existing site, which gets the requests for unknown hosts.
pub fn beside_a_site(world: &Namespace) -> Vec<Process> {
    run_with(world, &MAIN.replace("hosts:\n", &format!("hosts:\n{SITE}")))
}

fn run_with(world: &Namespace, main: &str) -> Vec<Process> {
    certificate();
    existing_site();
    install("h2o/mailsetup.conf", "/etc/h2o/mailsetup.conf");
    write(Path::new("/etc/h2o/h2o.conf"), main);
    let responder = serve_at(world, where_to("unix:/run/mailsetup.sock"), "debian-h2o");
    let config = ["-c", "/etc/h2o/h2o.conf"];
    run(command("h2o").arg("-t").args(config));
    let server = Process::start(world.sandbox, command("h2o").args(config))
        .wait_until(|| listens(HTTP) && listens(local(443)));
    vec![responder, server]
}
