//! Caddy: names of its own, and beside a site that exists.

use std::path::Path;

use super::{HTTP, existing_site, install, listens, local, serve};
use crate::common::namespace::Namespace;
use crate::common::{Process, command, run, write};

/// Where the site that existed before listens.
pub const SITE: std::net::SocketAddr = local(8080);

/// What an administrator has beside contrib's blocks. Certificates come from Caddy itself here,
/// as there is no network.
const MAIN: &str = "\
{
    admin off
    local_certs
    skip_install_trust
}
import mailsetup.Caddyfile
:80 {
    import mailsetup
    respond 404
}
:8080 {
    import mailsetup
    root * /var/www/html
    file_server
}
";

/// contrib/caddy/Caddyfile, both blocks.
pub fn start(world: &Namespace) -> Vec<Process> {
    existing_site();
    install("caddy/Caddyfile", "/etc/caddy/mailsetup.Caddyfile");
    write(Path::new("/etc/caddy/Caddyfile"), MAIN);
    let caddy = |verb: &str| {
        let mut command = command("caddy");
        command.env("HOME", "/var/lib/caddy").current_dir("/");
        command.args([verb, "--adapter", "caddyfile", "--config", "/etc/caddy/Caddyfile"]);
        command
    };
    run(&mut caddy("validate"));
    let server = Process::start(world.sandbox, &mut caddy("run"))
        .wait_until(|| listens(HTTP) && listens(SITE) && listens(local(443)));
    vec![serve(world), server]
}
