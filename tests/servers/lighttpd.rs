//! lighttpd: FastCGI to the socket, and CGI.

use std::fs;
use std::path::Path;

use super::{HTTP, existing_site, install, listens, serve, servers_directory};
use crate::common::namespace::Namespace;
use crate::common::{Process, command, run, write};

/// Debian's lighttpd.conf, without unrelated settings, and with the access log enabled.
const MAIN: &str = r#"
server.modules = ( "mod_indexfile", "mod_access", "mod_alias", "mod_redirect" )
server.document-root = "/var/www/html"
server.upload-dirs = ( "/var/cache/lighttpd/uploads" )
server.errorlog = "/var/log/lighttpd/error.log"
server.pid-file = "/run/lighttpd.pid"
server.username = "www-data"
server.groupname = "www-data"
server.port = 80
server.http-parseopts = (
  "header-strict"           => "enable",
  "host-strict"             => "enable",
  "host-normalize"          => "enable",
  "url-normalize-unreserved"=> "enable",
  "url-normalize-required"  => "enable",
  "url-ctrls-reject"        => "enable",
  "url-path-2f-decode"      => "enable",
  "url-path-dotseg-remove"  => "enable",
)
static-file.exclude-extensions = ( ".php", ".pl", ".fcgi" )
mimetype.assign = ( ".txt" => "text/plain" )
include "/etc/lighttpd/conf-enabled/*.conf"
server.modules += ( "mod_dirlisting", "mod_staticfile" )
"#;

const ACCESS_LOG: &str = r#"
server.modules += ( "mod_accesslog" )
accesslog.filename = "/var/log/lighttpd/access.log"
"#;

/// contrib/lighttpd/50-mailsetup-fastcgi.conf.
pub fn fastcgi(world: &Namespace) -> Vec<Process> {
    fastcgi_beside(world, &[])
}

/// The same together with files of the admin: their names in conf-enabled, and their contents.
pub fn fastcgi_beside(world: &Namespace, others: &[(&str, &str)]) -> Vec<Process> {
    site("50-mailsetup-fastcgi.conf", others);
    vec![serve(world), start(world)]
}

/// contrib/lighttpd/51-mailsetup-cgi.conf.
pub fn cgi(world: &Namespace) -> Vec<Process> {
    cgi_beside(world, &[])
}

/// The same together with files of the admin.
pub fn cgi_beside(world: &Namespace, others: &[(&str, &str)]) -> Vec<Process> {
    site("51-mailsetup-cgi.conf", others);
    vec![start(world)]
}

fn site(conf: &str, others: &[(&str, &str)]) {
    let enabled = "/etc/lighttpd/conf-enabled";
    let _ = fs::remove_dir_all(enabled);
    existing_site();
    write(&Path::new(enabled).join("10-accesslog.conf"), ACCESS_LOG);
    install(&format!("lighttpd/{conf}"), &format!("{enabled}/{conf}"));
    for (name, content) in others {
        write(&Path::new(enabled).join(name), content);
    }
}

fn start(world: &Namespace) -> Process {
    write(Path::new("/etc/lighttpd/lighttpd.conf"), MAIN);
    servers_directory("/var/log/lighttpd");
    servers_directory("/var/cache/lighttpd/uploads");
    let config = ["-f", "/etc/lighttpd/lighttpd.conf"];
    run(command("lighttpd").arg("-tt").args(config));
    Process::start(world.sandbox, command("lighttpd").arg("-D").args(config))
        .wait_until(|| listens(HTTP))
}
