//! nginx in front of all peers: one worker, one server for each, the same settings for all.

use crate::common::{Process, Sandbox, source};
use crate::load::CONNECTIONS;
use crate::peers::{Peer, Way};
use crate::places::on;
use crate::{Settings, autoconfig};
use std::fmt::Write;
use std::net::TcpStream;
use std::process::Stdio;

/// Debian's nginx.conf, without unrelated settings and without access log.
const MAIN: &str = "\
daemon off;
user root;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {
    worker_connections 1024;
}
http {
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
";

/// Starts nginx with a server for each of `peers`.
pub fn start(sandbox: &Sandbox, settings: &Settings, peers: &[Peer]) -> Process {
    let mut config = MAIN.to_owned();
    for peer in peers {
        server(&mut config, peer);
    }
    config.push_str("}\n");
    let config = sandbox.write("nginx/nginx.conf", config);
    let mut nginx = on(&settings.cpus.nginx, "nginx");
    nginx.args(["-e", "stderr", "-p"]);
    nginx.arg(sandbox.path("nginx")).arg("-c").arg(config).stdin(Stdio::null());
    Process::start(sandbox, &mut nginx)
        .wait_until(|| peers.iter().all(|peer| TcpStream::connect(peer.address()).is_ok()))
}

fn server(config: &mut String, peer: &Peer) {
    let address = peer.address();
    let name = format!("peer{}", address.port());
    let location = match &peer.way {
        Way::FastCgi { socket, kept, .. } => {
            let (keepalive, keep) = match kept {
                true => (format!("keepalive {CONNECTIONS};"), "on"),
                false => (String::new(), "off"),
            };
            writeln!(
                config,
                "    upstream {name} {{ server unix:{}; {keepalive} }}",
                socket.display()
            )
            .expect("memory");
            // Only PHP reads SCRIPT_FILENAME; it is sent to all, so that all get the same
            // parameters.
            let script = source("benches/peers/autoconfig.php");
            format!(
                "include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {};
            fastcgi_pass {name};
            fastcgi_keep_conn {keep};",
                script.display()
            )
        }
        // No header fields that the others do not send.
        Way::File { path, headers } => {
            let mut location = format!(
                "alias {};
            etag off;
            max_ranges 0;
            add_header Last-Modified '';
            types {{ }}",
                path.display()
            );
            for (name, value) in headers {
                let directive = match &**name {
                    "Content-Type" => "default_type".to_owned(),
                    _ => format!("add_header {name}"),
                };
                write!(location, "\n            {directive} '{value}';").expect("memory");
            }
            location
        }
    };
    let path = String::from_utf8(autoconfig().path_and_query().0.to_owned()).expect("UTF-8");
    write!(
        config,
        "    server {{
        listen {address};
        location = {path} {{
            {location}
        }}
    }}
"
    )
    .expect("memory");
}
