//! Caddy: with dedicated host names, and in an existing site.

use std::fs;
use std::path::Path;

use super::{contrib, existing_site, install, listens, local, serve};
use crate::common::namespace::Namespace;
use crate::common::{Process, command, run, source, write};

/// The address of the existing site.
pub const SITE: std::net::SocketAddr = local(8080);

/// The rest of an administrator's file. Certificates come from Caddy itself here, as there is no
/// network.
const MAIN: &str = "\
{
    admin off
    local_certs
    skip_install_trust
}
import mailsetup.caddy
import mailsetup-vhost.caddy
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

/// contrib/caddy/mailsetup.caddy and contrib/caddy/vhost.caddy.
pub fn start(world: &Namespace) -> Vec<Process> {
    install("caddy/mailsetup.caddy", "/etc/caddy/mailsetup.caddy");
    install("caddy/vhost.caddy", "/etc/caddy/mailsetup-vhost.caddy");
    run_with(world, MAIN, &[80, 8080, 443])
}

/// contrib/caddy/on-demand.caddy as the Caddyfile; Caddy's own authority issues the certificates.
pub fn on_demand(world: &Namespace) -> Vec<Process> {
    vec![serve(world), on_demand_alone(world)]
}

/// The same without the responder.
pub fn on_demand_alone(world: &Namespace) -> Process {
    let (_, own) = MAIN.split_once("{\n").expect("options");
    let (own, _) = own.split_once("}\n").expect("options");
    let file = contrib("caddy/on-demand.caddy");
    let (before, options) = file.split_once("\n{\n").expect("options");
    start_with(world, &format!("{before}\n{{\n{own}{options}"), &[80, 443])
}

/// contrib/caddy/mailsetup.caddy in a site on port 80 with these lines.
pub fn beside(world: &Namespace, lines: &str) -> Vec<Process> {
    let site = format!(":80 {{\n    import mailsetup\n    {lines}\n    file_server\n");
    let main = MAIN.replace(":80 {\n    import mailsetup\n    respond 404\n", &site);
    assert_ne!(main, MAIN);
    let main = main.replace("import mailsetup-vhost.caddy\n", "");
    install("caddy/mailsetup.caddy", "/etc/caddy/mailsetup.caddy");
    run_with(world, &main, &[80, 8080])
}

/// contrib/container/Caddyfile, behind the options that replace the certificates from the network;
/// for the suite, with any other host, too.
pub fn beside_container(world: &Namespace) -> Process {
    let file = fs::read_to_string(source("contrib/container/Caddyfile")).expect("contrib");
    let (_, body) = file.split_once("https://autodiscover.example.org {").expect("a site");
    let (options, _) = MAIN.split_once("import mailsetup.caddy").expect("options");
    start_with(world, &format!("{options}{file}\n:80 {{{body}"), &[80, 443])
}

fn run_with(world: &Namespace, main: &str, ports: &[u16]) -> Vec<Process> {
    existing_site();
    let server = start_with(world, main, ports);
    vec![serve(world), server]
}

fn start_with(world: &Namespace, main: &str, ports: &[u16]) -> Process {
    write(Path::new("/etc/caddy/Caddyfile"), main);
    let caddy = |verb: &str| {
        let mut command = command("caddy");
        command.env("HOME", "/var/lib/caddy").current_dir("/");
        command.args([verb, "--adapter", "caddyfile", "--config", "/etc/caddy/Caddyfile"]);
        command
    };
    run(&mut caddy("validate"));
    Process::start(world.sandbox, &mut caddy("run"))
        .wait_until(|| ports.iter().all(|&port| listens(local(port))))
}
