//! What an admin does next, when a configuration was written: the web server, the DNS, the test.
//!
//! Commands are for what is on this machine. If it has no web server that is known, or several, or if the
//! configuration is that of another machine, the files for web servers are named instead.

use crate::address::Domain;
use crate::config::Config;
use crate::config::find::SYSTEM;
use crate::draft::{Draft, Value};
use std::path::Path;

/// What a configuration was made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Made {
    /// The mail servers of this machine.
    OfThisMachine,
    /// Outputs of another machine.
    OfAnotherMachine,
    /// What answered before.
    OfResponder,
}

/// A web server, how it is recognised, and what to do. Lines that are not commands end with a colon.
struct WebServer {
    hook: &'static str,
    programs: &'static [&'static str],
    /// The folder of the file, which not all systems have.
    folder: &'static str,
    file: &'static str,
    then: &'static [&'static str],
    reload: &'static str,
}

/// The web servers for which a few commands are enough.
const WEB_SERVERS: [WebServer; 4] = [
    WebServer {
        hook: "nginx",
        programs: &["nginx"],
        folder: "/etc/nginx/snippets/",
        file: "mailsetup.conf",
        then: &["and write `include snippets/mailsetup.conf;` into the server blocks, then:"],
        reload: "nginx -t && systemctl reload nginx",
    },
    WebServer {
        hook: "apache",
        programs: &["apache2", "httpd"],
        folder: "/etc/apache2/conf-available/",
        file: "mailsetup.conf",
        then: &["a2enmod proxy_fcgi setenvif && a2enconf mailsetup"],
        reload: "apachectl configtest && systemctl reload apache2",
    },
    WebServer {
        hook: "lighttpd",
        programs: &["lighttpd"],
        folder: "/etc/lighttpd/conf-available/",
        file: "50-mailsetup-fastcgi.conf",
        then: &["lighty-enable-mod mailsetup-fastcgi"],
        reload: "lighttpd -tt -f /etc/lighttpd/lighttpd.conf && systemctl restart lighttpd",
    },
    WebServer {
        hook: "caddy",
        programs: &["caddy"],
        folder: "/etc/caddy/",
        file: "mailsetup.caddy",
        then: &[
            "and import it in the Caddyfile: its first lines say how, and which group",
            "the socket must have; then:",
        ],
        reload: "caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy",
    },
];
/// Where the programs of web servers are.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
/// It is there if systemd runs (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";

/// The next three steps.
pub(super) fn steps(made: Made, target: &Path, config: &Config, draft: &Draft) -> String {
    let is_there = |program: &&str| FOLDERS.iter().any(|it| Path::new(it).join(program).exists());
    let is_usable = |server: &&WebServer| {
        server.programs.iter().any(is_there) && Path::new(server.folder).is_dir()
    };
    let installed: Vec<_> = WEB_SERVERS.iter().filter(is_usable).collect();
    let only = match installed[..] {
        [only] if made != Made::OfAnotherMachine => Some(only),
        _ => None,
    };
    let web = web_server(made, only, target, Path::new(SYSTEMD).is_dir());
    let option = match target == Path::new(SYSTEM) {
        true => String::new(),
        false => format!(" --config {}", target.display()),
    };
    let domains = config.domains();
    let all = match &domains[..] {
        [] | [_] => domain(&domains, draft),
        _ => "--all".to_owned(),
    };
    let domain = domain(&domains, draft);
    format!(
        "Next:\n  1. the web server:\n{web}  2. the DNS; publish what this prints:\n     \
         mailsetup{option} dns {all}\n  3. the test, best from outside of your network:\n     \
         mailsetup probe {domain}\n"
    )
}

/// A domain for which to ask: one that is named, else that of the servers, which is a good guess.
fn domain(domains: &[Domain], draft: &Draft) -> String {
    let provider = match draft.top.value("provider.name").map(|name| &name.value) {
        Some(Value::Text(name)) => Domain::parse(name).ok(),
        _ => None,
    };
    let first = draft.domains.first().and_then(|(name, _)| Domain::parse(&name.value).ok());
    let domain = first.or_else(|| domains.first().cloned()).or(provider);
    domain.map_or("DOMAIN".to_owned(), |domain| domain.to_string())
}

/// The lines about the web server, and the service behind it.
fn web_server(made: Made, server: Option<&WebServer>, target: &Path, has_systemd: bool) -> String {
    let mut lines = Vec::new();
    match (made, server) {
        (Made::OfAnotherMachine, _) => {
            lines.push("on the machine that answers mail clients, which needs this file, too:");
        }
        _ if target != Path::new(SYSTEM) => {
            lines.push("this file is not the one that mailsetup.service reads, which is");
            lines.push(SYSTEM);
        }
        _ => {}
    }
    let hook = server.map(|it| format!("mailsetup hook {} >{}{}", it.hook, it.folder, it.file));
    lines.push(hook.as_deref().unwrap_or("mailsetup hook --help"));
    lines.extend(server.map_or(&["has the files for web servers"][..], |server| server.then));
    if made == Made::OfResponder {
        lines.push("and remove the old rules for the same paths, then:");
    }
    match server {
        Some(server) if has_systemd => {
            lines.push("systemctl enable --now mailsetup.socket");
            lines.push(server.reload);
        }
        _ => lines.push("and start mailsetup's service, and reload the web server"),
    }
    lines.iter().map(|line| format!("     {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_server_is_named_where_it_is_known() {
        let system = Path::new(SYSTEM);
        for server in &WEB_SERVERS {
            for made in [Made::OfThisMachine, Made::OfResponder] {
                let text = web_server(made, Some(server), system, true);
                let hook = format!("     mailsetup hook {} >/etc/", server.hook);
                assert!(text.starts_with(&hook), "{text}");
                assert!(
                    text.contains("\n     systemctl enable --now mailsetup.socket\n"),
                    "{text}"
                );
                assert!(text.ends_with(&format!("     {}\n", server.reload)), "{text}");
                let is_import = made == Made::OfResponder;
                assert_eq!(text.contains("remove the old rules for the same paths"), is_import);
                // A command stays whole.
                assert!(text.lines().skip(1).all(|line| line.len() <= 80), "{text}");
            }
            let text = web_server(Made::OfThisMachine, Some(server), system, false);
            assert!(!text.contains("systemctl"), "{text}");
            assert!(text.contains("start mailsetup's service"), "{text}");
        }
        let nginx = Some(&WEB_SERVERS[0]);
        let text = web_server(Made::OfThisMachine, nginx, Path::new("x.toml"), true);
        assert!(text.contains("reads, which is\n     /etc/mailsetup/config.toml\n"), "{text}");
    }

    #[test]
    fn the_web_server_of_another_machine_is_not_known() {
        for made in [Made::OfThisMachine, Made::OfAnotherMachine, Made::OfResponder] {
            let text = web_server(made, None, Path::new(SYSTEM), true);
            assert!(text.contains("     mailsetup hook --help\n"), "{text}");
            assert!(!text.contains("nginx") && !text.contains("systemctl"), "{text}");
            let is_elsewhere = made == Made::OfAnotherMachine;
            assert_eq!(text.contains("on the machine that answers"), is_elsewhere, "{text}");
        }
    }
}
