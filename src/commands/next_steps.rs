//! What an admin does next, when a configuration was written: the web server, the DNS, the test.
//!
//! Commands are for what is on this machine. If it has no web server that is known, or several, or if the
//! configuration is that of another machine, the files for web servers are named instead.

use crate::address::Domain;
use crate::config::Config;
use crate::config::find::SYSTEM;
use crate::draft::{Draft, Value};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// What a configuration was made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Made {
    /// The mail servers of this machine.
    Here,
    /// Outputs of another machine.
    Elsewhere,
    /// What answered before.
    Import,
}

/// A web server, how it is recognised, and what to do.
struct WebServer {
    hook: &'static str,
    programs: &'static [&'static str],
    /// The folder of the file, which not all systems have.
    folder: &'static str,
    file: &'static str,
    then: &'static [Line],
    reload: &'static str,
}

/// A line of a step.
#[derive(Clone, Debug)]
enum Line {
    Command(Cow<'static, str>),
    Text(&'static str),
}

impl Line {
    const fn command(text: &'static str) -> Line {
        Line::Command(Cow::Borrowed(text))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Line::Command(command) => writeln!(f, "       {command}"),
            Line::Text(text) => writeln!(f, "     {text}"),
        }
    }
}

/// The web servers for which a few commands are enough.
const WEB_SERVERS: [WebServer; 4] = [
    WebServer {
        hook: "nginx",
        programs: &["nginx"],
        folder: "/etc/nginx/snippets/",
        file: "mailsetup.conf",
        then: &[Line::Text("Write `include snippets/mailsetup.conf;` into its server blocks.")],
        reload: "nginx -t && systemctl reload nginx",
    },
    WebServer {
        hook: "apache",
        programs: &["apache2", "httpd"],
        folder: "/etc/apache2/conf-available/",
        file: "mailsetup.conf",
        then: &[Line::command("a2enmod proxy_fcgi setenvif && a2enconf mailsetup")],
        reload: "apachectl configtest && systemctl reload apache2",
    },
    WebServer {
        hook: "lighttpd",
        programs: &["lighttpd"],
        folder: "/etc/lighttpd/conf-available/",
        file: "50-mailsetup-fastcgi.conf",
        then: &[Line::command("lighty-enable-mod mailsetup-fastcgi")],
        reload: "lighttpd -tt -f /etc/lighttpd/lighttpd.conf && systemctl restart lighttpd",
    },
    WebServer {
        hook: "caddy",
        programs: &["caddy"],
        folder: "/etc/caddy/",
        file: "mailsetup.caddy",
        then: &[
            Line::Text("Import it in the Caddyfile. Its first lines say how, and which group the"),
            Line::Text("socket must have."),
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
        [only] if made != Made::Elsewhere => Some(only),
        _ => None,
    };
    let web = web_server(made, only, Path::new(SYSTEMD).is_dir());
    let domains = config.domains();
    let domain = domain(&domains, draft);
    let all = if domains.len() > 1 { "--all" } else { &domain };
    let (unit, option) = match target == Path::new(SYSTEM) {
        true => (String::new(), String::new()),
        false => (
            format!("The unit mailsetup.service reads {SYSTEM}, not this file.\n\n"),
            format!(" --config {}", target.display()),
        ),
    };
    let dns = Line::Command(format!("mailsetup{option} dns {all}").into());
    let probe = Line::Command(format!("mailsetup probe {domain}").into());
    format!(
        "{unit}Next:\n  1. {web}  2. The DNS. Publish what this prints:\n{dns}  3. The test, best from \
         outside of your network:\n{probe}"
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

/// The step about the web server, and the service behind it.
fn web_server(made: Made, server: Option<&WebServer>, has_systemd: bool) -> String {
    let mut lines = Vec::new();
    let title = match (made, server) {
        (Made::Elsewhere, _) => {
            "The web server, on the machine that answers mail clients. This file belongs\n     \
             there, too. The files for web servers:\n"
        }
        (_, None) => "The web server. The files for web servers:\n",
        (_, Some(_)) => "The web server:\n",
    };
    match server {
        Some(WebServer { hook, folder, file, then, .. }) => {
            lines.push(Line::Command(format!("mailsetup hook {hook} >{folder}{file}").into()));
            lines.extend_from_slice(then);
        }
        None => lines.push(Line::command("mailsetup hook --help")),
    }
    if made == Made::Import {
        lines.push(Line::Text("Remove the old rules for the same paths."));
    }
    match server {
        Some(server) if has_systemd => {
            lines.push(Line::Text("Then:"));
            lines.push(Line::command("systemctl enable --now mailsetup.socket"));
            lines.push(Line::command(server.reload));
        }
        _ => lines.push(Line::Text("Then start the service, and reload the web server.")),
    }
    [title.to_owned()].into_iter().chain(lines.iter().map(ToString::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_server_is_named_where_it_is_known() {
        for server in &WEB_SERVERS {
            for made in [Made::Here, Made::Import] {
                let text = web_server(made, Some(server), true);
                let hook = format!("The web server:\n       mailsetup hook {} >/etc/", server.hook);
                assert!(text.starts_with(&hook), "{text}");
                let service = "\n     Then:\n       systemctl enable --now mailsetup.socket\n";
                assert!(text.contains(service), "{text}");
                assert!(text.ends_with(&format!("       {}\n", server.reload)), "{text}");
                let is_import = made == Made::Import;
                assert_eq!(text.contains("Remove the old rules for the same paths."), is_import);
                // A command stays whole.
                let is_text = |line: &&str| !line.starts_with("       ");
                assert!(text.lines().filter(is_text).all(|line| line.len() <= 80), "{text}");
            }
            let text = web_server(Made::Here, Some(server), false);
            assert!(!text.contains("systemctl"), "{text}");
            assert!(
                text.ends_with("Then start the service, and reload the web server.\n"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_web_server_of_another_machine_is_not_known() {
        for made in [Made::Here, Made::Elsewhere, Made::Import] {
            let text = web_server(made, None, true);
            assert!(text.contains("\n       mailsetup hook --help\n"), "{text}");
            assert!(!text.contains("nginx") && !text.contains("systemctl"), "{text}");
            let is_elsewhere = made == Made::Elsewhere;
            assert_eq!(text.contains("on the machine that answers"), is_elsewhere, "{text}");
        }
    }
}
