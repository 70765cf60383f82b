//! The web server of the laboratory: nginx, with each virtual host made from data.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::path::Path;

use crate::certificates::{Authorities, KEY, Make};
use crate::common::{Process, Sandbox, command, source, write};
use crate::net::{HOSTER, WEB, WEB_6};

/// What an own host does: contrib's file for a virtual host that exists already.
pub const RESPONDER: &str = "root /var/www/html;\n# edits\ninclude snippets/mailsetup.conf;\n";

/// A web server that knows nothing of mail.
pub const NOTHING: &str = "root /var/www/html;\n";

/// A virtual host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    pub name: String,
    /// Where it is.
    pub addresses: Vec<&'static str>,
    /// What it does over http; none if it is not asked there.
    pub http: Option<String>,
    /// What it does over https; none if this name has no host there.
    pub https: Option<String>,
    /// How its certificate is made, and for which names.
    pub certificate: (Make, Vec<String>),
    /// Lines about TLS.
    pub tls: String,
}

impl Host {
    /// A host with http, https and a right certificate, which does this.
    pub fn new(name: &str, directives: &str) -> Self {
        Self {
            name: name.to_owned(),
            addresses: vec![WEB, WEB_6],
            http: Some(directives.to_owned()),
            https: Some(directives.to_owned()),
            certificate: (Make::Right, vec![name.to_owned()]),
            tls: String::new(),
        }
    }

    /// The same at the hoster.
    pub fn foreign(name: &str, directives: &str) -> Self {
        Self { addresses: vec![HOSTER], ..Self::new(name, directives) }
    }

    /// It does this instead.
    pub fn does(&mut self, directives: &str) {
        for of_scheme in [&mut self.http, &mut self.https].into_iter().flatten() {
            directives.clone_into(of_scheme);
        }
    }

    /// It does this, too; a location here comes before the others.
    pub fn does_first(&mut self, directives: &str) {
        for of_scheme in [&mut self.http, &mut self.https].into_iter().flatten() {
            of_scheme.insert_str(0, directives);
        }
    }
}

/// The configuration of nginx for these hosts, with what is replaced in documents.
pub fn config(
    hosts: &[Host],
    edits: &[(&str, String, String)],
    authorities: &mut Authorities,
) -> String {
    let mut text = "user www-data;
worker_processes 1;
pid /run/nginx.pid;
daemon off;
error_log /var/log/nginx/error.log;
include /etc/nginx/modules-enabled/*.conf;
events {
    worker_connections 768;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log combined;
    server_names_hash_bucket_size 128;
    sub_filter_types *;
    sub_filter_once off;
    ssl_protocols TLSv1.2 TLSv1.3;
"
    .to_owned();
    let mut server = |listen: &str, name: &str, rest: &str| {
        writeln!(text, "server {{\n{listen}server_name {name};\n{rest}}}").expect("text");
    };
    for host in hosts {
        let listen = |port: &str| {
            host.addresses.iter().fold(String::new(), |mut text, address| {
                let colon = if address.contains(':') {
                    format!("[{address}]")
                } else {
                    (*address).to_owned()
                };
                writeln!(text, "listen {colon}:{port};").expect("text");
                text
            })
        };
        // The first host of an address is what it shows to a name that it does not know.
        if let Some(directives) = &host.http {
            server(&listen("80"), &host.name, directives);
        }
        if let Some(directives) = &host.https {
            let (make, names) = &host.certificate;
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let certificate = authorities.file(*make, &names);
            let certificate = certificate.display();
            let tls = &host.tls;
            let rest = format!(
                "ssl_certificate {certificate};\nssl_certificate_key {KEY};\n{tls}\n{directives}"
            );
            server(&listen("443 ssl"), &host.name, &rest);
        }
    }
    text.push_str("}\n");
    text.replace("# edits\n", &locations(edits))
}

/// Locations where texts of the responder's documents are replaced. nginx ignores letter case here.
fn locations(edits: &[(&str, String, String)]) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut text = String::new();
    for kind in ["config-v1", "autodiscover"] {
        let of_kind: Vec<_> = edits.iter().filter(|(of, ..)| *of == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        writeln!(
            text,
            "location ~* /{kind}[^/]*[.]xml$ {{
include fastcgi_params;
fastcgi_param HTTP_HOST $host;
fastcgi_pass unix:/run/mailsetup.sock;"
        )
        .expect("text");
        for (_, from, to) in of_kind {
            writeln!(text, "sub_filter '{}' '{}';", quoted(from), quoted(to)).expect("text");
        }
        text.push_str("}\n");
    }
    text
}

/// Files that do not change.
pub fn prepare() {
    let contrib = fs::read_to_string(source("contrib/nginx/mailsetup.conf")).expect("contrib");
    write(Path::new("/etc/nginx/snippets/mailsetup.conf"), contrib);
    let page = "<!DOCTYPE html>\n<html><head><title>Welcome<meta charset=utf-8></head>\
                <body><p>Example<br></body></html>\n";
    write(Path::new("/var/www/html/index.html"), page);
    let _ = fs::create_dir_all("/var/log/nginx");
    let _ = fs::remove_file("/var/log/nginx/error.log");
}

/// Starts nginx with this configuration.
pub fn serve(sandbox: &Sandbox, config: &str) -> Process {
    write(Path::new("/etc/nginx/nginx.conf"), config);
    let listens = |address: &str| TcpStream::connect((address, 80)).is_ok();
    Process::start(sandbox, &mut command("nginx")).wait_until(|| listens(WEB) && listens(HOSTER))
}
