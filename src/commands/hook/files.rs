//! The files of `contrib/` that can be printed, and the places in them that are filled in.
//!
//! The files are compiled in as they are; there is no second copy. A place is a text of the file
//! that an admin would replace, such as `/run/mailsetup.sock`.

use crate::address::Domain;
use crate::cli::FrontEnd;
use crate::gateway::listener::{Address, LONGEST_PATH};
use crate::order;

/// The domain in all examples of the files.
pub const DOMAIN: &str = "example.org";
const SOCKET: &str = "/run/mailsetup.sock";
/// Longest path of a socket in bytes: seen, Apache 2.4.
const LONGEST_IN_APACHE: usize = 95;
/// The same: seen, lighttpd 1.4.69.
const LONGEST_IN_LIGHTTPD: usize = 105;
/// The same below the root of HAProxy in Debian, where mailsetup has to create it.
const LONGEST_IN_HAPROXY: usize = LONGEST_PATH - "/var/lib/haproxy".len();
/// nginx cannot put longer host names into its table with the usual settings
/// (`server_names_hash_bucket_size` is 64 on most processors, 32 on others).
const MAX_IN_NGINX_TABLE: usize = 46;
const WWW_DATA: &str = "www-data";
/// What is put before a domain, in the order of the files.
const PREFIXES: [&str; 3] = ["autoconfig", "autodiscover", "ua-auto-config"];
/// An expression for all of them.
const PREFIX: &str = "(?:autoconfig|autodiscover|ua-auto-config)";

/// A value that has its own option, except for the socket and the domains.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    Certificate,
    Key,
    Program,
    CgiBin,
    User,
    Group,
    /// `--config`, for a unit.
    Config,
}

impl Field {
    /// The option of the command line.
    pub fn option(self) -> &'static str {
        match self {
            Field::Certificate => "--certificate",
            Field::Key => "--key",
            Field::Program => "--program",
            Field::CgiBin => "--cgi-bin",
            Field::User => "--user",
            Field::Group => "--group",
            Field::Config => "--config",
        }
    }
}

/// What a file connects to.
pub enum Socket {
    /// Nothing.
    None,
    /// A path.
    Unix(&'static str),
    /// A path, at most so many bytes long, or an IP address. For the latter, texts of the file with
    /// what is written in place of them: `{}` is the address, `{host}` and `{port}` are its parts.
    FastCgi(&'static str, usize, &'static [(&'static str, &'static str)]),
    /// An IP address, in place of this one.
    Http(&'static str),
    /// The same, at which the program listens.
    Listens(&'static str),
}

/// The host names of a file: the text, and what is written in place of it for these domains.
type Hosts = (&'static str, fn(&[Domain]) -> String);

/// A file of `contrib/`.
pub struct File {
    /// Its text.
    pub text: &'static str,
    /// What it connects to.
    pub socket: Socket,
    /// The host names in its settings; `None` if it is for a site that exists.
    pub hosts: Option<Hosts>,
    /// True if it has a form for any domain.
    pub takes_any: bool,
    /// The values it has a place for.
    fields: &'static [Field],
    /// The group of the web server, as the file has it.
    group: &'static str,
    /// A place for host names in a comment, for `--domains` only.
    comment: Option<Hosts>,
}

/// The values to fill in. A missing one leaves the text as it is.
#[derive(Default)]
pub struct Filled {
    pub socket: Option<Address>,
    pub domains: Vec<Domain>,
    pub certificate: Option<String>,
    pub key: Option<String>,
    pub program: Option<String>,
    pub cgi_bin: Option<String>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub config: Option<String>,
}

macro_rules! contrib {
    ($name:literal) => {
        include_str!(concat!("../../../contrib/", $name))
    };
}

/// A file without host names, sockets and fields.
const PLAIN: File = File {
    text: "",
    socket: Socket::None,
    hosts: None,
    takes_any: false,
    fields: &[],
    group: WWW_DATA,
    comment: None,
};

const NGINX_SOCKET: Socket =
    Socket::FastCgi(SOCKET, LONGEST_PATH, &[("unix:/run/mailsetup.sock", "{}")]);
const APACHE_SOCKET: Socket = Socket::FastCgi(
    SOCKET,
    LONGEST_IN_APACHE,
    &[("unix:/run/mailsetup.sock|fcgi://mailsetup", "fcgi://{}")],
);
const CADDY_SOCKET: Socket =
    Socket::FastCgi(SOCKET, LONGEST_PATH, &[("unix//run/mailsetup.sock", "{}")]);
const CGI: &[Field] = &[Field::Program, Field::CgiBin];

const NGINX: File = File {
    text: contrib!("nginx/mailsetup.conf"),
    socket: NGINX_SOCKET,
    fields: &[Field::Group],
    ..PLAIN
};
const NGINX_VHOST: File = File {
    text: contrib!("nginx/vhost.conf"),
    socket: NGINX_SOCKET,
    hosts: Some(("server_name autoconfig.* autodiscover.* ua-auto-config.*;", |domains| {
        let lines = domains.iter().map(nginx_names);
        format!("server_name {};", lines.collect::<Vec<_>>().join("\n        "))
    })),
    takes_any: true,
    fields: &[Field::Group, Field::Certificate, Field::Key],
    ..PLAIN
};
const NGINX_MANY: File =
    File { text: contrib!("nginx/vhost-many.conf"), fields: &[Field::Group], ..NGINX_VHOST };
const NGINX_FCGIWRAP: File = File {
    text: contrib!("nginx/fcgiwrap.conf"),
    socket: Socket::FastCgi(
        "/run/fcgiwrap.socket",
        LONGEST_PATH,
        &[("unix:/run/fcgiwrap.socket", "{}")],
    ),
    fields: CGI,
    ..PLAIN
};
const APACHE: File = File {
    text: contrib!("apache/mailsetup-proxy_fcgi.conf"),
    socket: APACHE_SOCKET,
    fields: &[Field::Group],
    ..PLAIN
};
const APACHE_VHOST: File = File {
    text: contrib!("apache/vhost.conf"),
    socket: APACHE_SOCKET,
    hosts: Some(("    ServerAlias autoconfig.* autodiscover.* ua-auto-config.*\n", |domains| {
        let line = |domain| format!("    ServerAlias {}\n", names(domain).join(" "));
        domains.iter().map(line).collect()
    })),
    takes_any: true,
    fields: &[Field::Group, Field::Certificate, Field::Key],
    ..PLAIN
};
const APACHE_FCGID: File =
    File { text: contrib!("apache/mailsetup-fcgid.conf"), fields: CGI, ..PLAIN };
const APACHE_CGI: File =
    File { text: contrib!("apache/mailsetup-cgid.conf"), fields: CGI, ..PLAIN };
const HTACCESS: File = File { text: contrib!("apache/htaccess"), ..PLAIN };
const LIGHTTPD: File = File {
    text: contrib!("lighttpd/50-mailsetup-fastcgi.conf"),
    socket: Socket::FastCgi(
        SOCKET,
        LONGEST_IN_LIGHTTPD,
        &[(
            r#""socket"      => "/run/mailsetup.sock","#,
            "\"host\"        => \"{host}\",\n        \"port\"        => {port},",
        )],
    ),
    fields: &[Field::Group],
    ..PLAIN
};
const LIGHTTPD_CGI: File =
    File { text: contrib!("lighttpd/51-mailsetup-cgi.conf"), fields: CGI, ..PLAIN };
const CADDY: File = File {
    text: contrib!("caddy/mailsetup.caddy"),
    socket: CADDY_SOCKET,
    fields: &[Field::Group],
    group: "caddy",
    ..PLAIN
};
const CADDY_VHOST: File = File {
    text: contrib!("caddy/vhost.caddy"),
    socket: CADDY_SOCKET,
    hosts: Some((
        "http://autoconfig.example.org, https://autoconfig.example.org,\n\
         http://autodiscover.example.org, https://autodiscover.example.org {",
        |domains| {
            // For the third name, few domains have a record; Caddy would ask for its certificate.
            let names = domains.iter().flat_map(|domain| names(domain).into_iter().take(2));
            let sites = names.map(|name| format!("http://{name}, https://{name}"));
            sites.collect::<Vec<_>>().join(",\n") + " {"
        },
    )),
    fields: &[Field::Group],
    group: "caddy",
    ..PLAIN
};
const CADDY_ON_DEMAND: File = File { text: contrib!("caddy/on-demand.caddy"), ..CADDY };
const HAPROXY_HOSTS: Hosts = (
    concat!(
        "#             use_backend mailsetup if { req.hdr(host) -m reg -i ",
        "'^(?:autoconfig|autodiscover|ua-auto-config)\\.' }\n"
    ),
    |domains| {
        let line = |domain: &Domain| {
            let domain = escaped(domain);
            let host = format!("'^{PREFIX}\\.{domain}\\.?(?::[0-9]+)?$'");
            format!("#             use_backend mailsetup if {{ req.hdr(host) -m reg -i {host} }}\n")
        };
        domains.iter().map(line).collect()
    },
);
const HAPROXY: File = File {
    text: contrib!("haproxy/mailsetup.cfg"),
    socket: Socket::FastCgi(SOCKET, LONGEST_IN_HAPROXY, &[("unix@/run/mailsetup.sock", "{}")]),
    fields: &[Field::User, Field::Group],
    group: "haproxy",
    comment: Some(HAPROXY_HOSTS),
    ..PLAIN
};
const HAPROXY_HTTP: File = File {
    text: contrib!("haproxy/mailsetup-http.cfg"),
    socket: Socket::Http("127.0.0.1:8025"),
    comment: Some(HAPROXY_HOSTS),
    ..PLAIN
};
const H2O: File = File {
    text: contrib!("h2o/mailsetup.conf"),
    socket: Socket::FastCgi(
        SOCKET,
        LONGEST_PATH,
        &[(
            "port: /run/mailsetup.sock\n        type: unix\n",
            "host: \"{host}\"\n        port: {port}\n",
        )],
    ),
    hosts: Some((
        "\"autodiscover.example.org\": *mailsetup\n\"ua-auto-config.example.org\": *mailsetup\n",
        |domains| {
            // The settings are those of the first name, which is in the text above.
            let names = domains.iter().flat_map(names).skip(1);
            names.map(|name| format!("\"{name}\": *mailsetup\n")).collect()
        },
    )),
    fields: &[Field::Group, Field::Certificate, Field::Key],
    group: "debian-h2o",
    ..PLAIN
};
const SYSTEMD_SOCKET: File = File {
    text: contrib!("systemd/mailsetup.socket"),
    socket: Socket::Unix(SOCKET),
    fields: &[Field::User, Field::Group],
    ..PLAIN
};
const SYSTEMD_SERVICE: File = File {
    text: contrib!("systemd/mailsetup.service"),
    fields: &[Field::Program, Field::Config],
    ..PLAIN
};
const SYSTEMD_HTTP: File = File {
    text: contrib!("systemd/mailsetup-http.service"),
    socket: Socket::Listens("127.0.0.1:8025"),
    fields: &[Field::Program, Field::Config],
    ..PLAIN
};

/// The file of a front end.
pub fn file(front_end: FrontEnd) -> &'static File {
    match front_end {
        FrontEnd::Nginx => &NGINX,
        FrontEnd::NginxVhost => &NGINX_VHOST,
        FrontEnd::NginxMany => &NGINX_MANY,
        FrontEnd::NginxFcgiwrap => &NGINX_FCGIWRAP,
        FrontEnd::Apache => &APACHE,
        FrontEnd::ApacheVhost => &APACHE_VHOST,
        FrontEnd::ApacheFcgid => &APACHE_FCGID,
        FrontEnd::ApacheCgi => &APACHE_CGI,
        FrontEnd::Htaccess => &HTACCESS,
        FrontEnd::Lighttpd => &LIGHTTPD,
        FrontEnd::LighttpdCgi => &LIGHTTPD_CGI,
        FrontEnd::Caddy => &CADDY,
        FrontEnd::CaddyVhost => &CADDY_VHOST,
        FrontEnd::CaddyOnDemand => &CADDY_ON_DEMAND,
        FrontEnd::Haproxy => &HAPROXY,
        FrontEnd::HaproxyHttp => &HAPROXY_HTTP,
        FrontEnd::H2o => &H2O,
        FrontEnd::SystemdSocket => &SYSTEMD_SOCKET,
        FrontEnd::SystemdService => &SYSTEMD_SERVICE,
        FrontEnd::SystemdHttp => &SYSTEMD_HTTP,
    }
}

impl File {
    /// True if the file has a place for this value.
    pub fn has(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// The text with these values.
    pub fn fill(&self, values: &Filled) -> String {
        replace(self.text, &self.places(values))
    }

    /// Texts of the file, and what is written in place of each.
    fn places(&self, values: &Filled) -> Vec<(String, String)> {
        let mut places = Vec::new();
        let mut fill = |text: &str, value: &str| places.push((text.to_owned(), value.to_owned()));
        if let Some(program) = &values.program {
            fill("/usr/bin/mailsetup", program);
        }
        if let (Some(config), Some(program)) = (&values.config, &values.program) {
            fill("ExecStart=/usr/bin/mailsetup", &format!("ExecStart={program} --config {config}"));
        }
        if let Some(folder) = &values.cgi_bin {
            fill("/usr/lib/cgi-bin", folder);
        }
        if let Some(certificate) = &values.certificate {
            fill("/etc/ssl/certs/mailsetup.pem", certificate);
        }
        if let Some(key) = &values.key {
            fill("/etc/ssl/private/mailsetup.key", key);
        }
        if let Some(user) = &values.user {
            fill(&format!("SocketUser={}", self.group), &format!("SocketUser={user}"));
        }
        if let Some(group) = &values.group {
            for before in ["group=", "SocketGroup=", "SocketGroup= set to ", "with the group "] {
                fill(&format!("{before}{}", self.group), &format!("{before}{group}"));
            }
        }
        if let Some(first) = values.domains.first() {
            fill(DOMAIN, first.as_str());
            for (text, hosts) in self.hosts.iter().chain(&self.comment) {
                fill(text, &hosts(&values.domains));
            }
        }
        match (&values.socket, &self.socket) {
            (Some(Address::Unix { path, .. }), Socket::Unix(text) | Socket::FastCgi(text, ..)) => {
                fill(text, &path.display().to_string());
            }
            (Some(Address::Tcp(tcp)), Socket::Http(text)) => fill(text, &tcp.to_string()),
            (Some(Address::Tcp(tcp)), Socket::Listens(text)) => {
                fill(text, &tcp.to_string());
                if !tcp.ip().to_canonical().is_loopback() {
                    fill("loopback only. ", "");
                    fill("on the loopback address, ", "");
                    fill(", and without network access except loopback", "");
                    fill("IPAddressAllow=localhost\nIPAddressDeny=any\n", "");
                }
            }
            (Some(Address::Tcp(tcp)), Socket::FastCgi(_, _, texts)) => {
                let (host, port) = (tcp.ip().to_string(), tcp.port().to_string());
                for (text, form) in *texts {
                    let value = form.replace("{}", &tcp.to_string());
                    fill(text, &value.replace("{host}", &host).replace("{port}", &port));
                }
                if let Some(needs) = self.needs() {
                    fill(needs, &format!("# Needs:  mailsetup serve --listen {tcp}\n"));
                }
            }
            _ => {}
        }
        places
    }

    /// The lines of the comment that say where the socket comes from.
    fn needs(&self) -> Option<&'static str> {
        let start = self.text.find("# Needs:")?;
        let command = start + self.text[start..].find("mailsetup serve --listen ")?;
        let end = command + self.text[command..].find('\n')? + 1;
        Some(&self.text[start..end])
    }
}

/// The host names of a domain.
fn names(domain: &Domain) -> Vec<String> {
    PREFIXES.iter().map(|prefix| format!("{prefix}.{domain}")).collect()
}

/// The same for nginx: an expression if they are too long for its table.
fn nginx_names(domain: &Domain) -> String {
    let names = names(domain);
    match names.iter().all(|name| name.len() <= MAX_IN_NGINX_TABLE) {
        true => names.join(" "),
        false => format!("\"~^{PREFIX}\\.{}$\"", escaped(domain)),
    }
}

/// A domain in an expression. It consists of letters, digits, hyphens and dots.
fn escaped(domain: &Domain) -> String {
    domain.as_str().replace('.', r"\.")
}

/// Replaces each of the texts, the longest that is at a place, and nothing in what is written.
fn replace(text: &str, places: &[(String, String)]) -> String {
    let mut places: Vec<_> = places.iter().collect();
    order::sort_by_key(&mut places, |(from, _)| std::cmp::Reverse(from.len()));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match places.iter().find(|(from, _)| rest.starts_with(&**from)) {
            Some((from, to)) => {
                out.push_str(to);
                rest = &rest[from.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}
