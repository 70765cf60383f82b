//! Hosting panels: the files of contrib/panels, put where the panel puts them, with the real web
//! servers. The panels themselves cannot be installed here; what they do to the files is taken from
//! their source, which each part names.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{HTTP, activate, apache, certificate, install, nginx, serve, sites};
use crate::common::http::{self, Request};
use crate::common::namespace::Namespace;
use crate::common::{Process, Sandbox, command, program, run, source, write, write_program};

//------------ HestiaCP -------------------------------------------------------

// 1.10.3: func/domain.sh (add_web_config), bin/v-add-letsencrypt-domain, bin/v-list-mail-domains.

/// The words that Hestia replaces in a template, for nginx in front of Apache.
const HESTIA: [(&str, &str); 17] = [
    ("%ip%", "127.0.0.1"),
    ("%domain%", "autoconfig.example.org"),
    ("%domain_idn%", "autoconfig.example.org"),
    ("%alias%", "autodiscover.example.org"),
    ("%alias_idn%", "autodiscover.example.org"),
    ("%web_system%", "apache2"),
    ("%web_port%", "8080"),
    ("%web_ssl_port%", "8443"),
    ("%proxy_system%", "nginx"),
    ("%proxy_port%", "80"),
    ("%proxy_ssl_port%", "443"),
    ("%user%", "alice"),
    ("%home%", "/home"),
    ("%docroot%", "/home/alice/web/autoconfig.example.org/public_html"),
    ("%ssl_crt%", "/etc/ssl/certs/mailsetup.pem"),
    ("%ssl_key%", "/etc/ssl/private/mailsetup.key"),
    ("%ssl_pem%", "/etc/ssl/certs/mailsetup.pem"),
];

/// What differs with nginx alone.
const HESTIA_NGINX: [(&str, &str); 3] =
    [("%web_system%", "nginx"), ("%web_port%", "80"), ("%web_ssl_port%", "443")];

/// The templates for nginx in front of Apache.
pub fn hestia_proxy(world: &Namespace) -> Vec<Process> {
    hestia(world, str::to_owned, &HESTIA)
}

/// The templates for nginx alone, made as docs/panels.md says.
pub fn hestia_nginx(world: &Namespace) -> Vec<Process> {
    let page = fs::read_to_string(source("docs/panels.md")).expect("docs/panels.md");
    assert_eq!(page.matches("sed 's/%proxy_/%web_/g'").count(), 2);
    let words: Vec<_> = HESTIA_NGINX.iter().chain(&HESTIA).copied().collect();
    hestia(world, |template| template.replace("%proxy_", "%web_"), &words)
}

fn hestia(world: &Namespace, copied: fn(&str) -> String, words: &[(&str, &str)]) -> Vec<Process> {
    certificate();
    nginx::clear_sites();
    let system = words.iter().find(|(word, _)| *word == "%web_system%").expect("a word").1;
    // Where Hestia answers the check of Let's Encrypt.
    let folder = Path::new("/run/home/alice/conf/web/autoconfig.example.org");
    let challenge = "location ~ \"^/\\.well-known/acme-challenge/(.*)$\" {
        default_type text/plain;
        return 200 \"$1.thumbprint\";
    }";
    write(&folder.join("nginx.conf_letsencrypt"), challenge);
    symlink(folder.join("nginx.conf_letsencrypt"), folder.join("nginx.ssl.conf_letsencrypt"))
        .expect("symlink");
    for (template, configuration) in
        [("mailsetup.tpl", "nginx.conf"), ("mailsetup.stpl", "nginx.ssl.conf")]
    {
        let file = source("contrib/panels/hestia").join(template);
        let mut text = copied(&fs::read_to_string(file).expect("template"));
        for (word, value) in words {
            let value = if *word == "%home%" { "/run/home" } else { value };
            text = text.replace(word, value);
        }
        let left = text.lines().find(|line| line.contains('%'));
        assert_eq!(left, None, "{template} has a word that Hestia does not replace");
        // nginx before 1.25.1: HTTP/2 is a word of the line.
        let text = text.replace(":443 ssl;", ":443 ssl http2;");
        write(&Path::new("/etc/nginx/sites-enabled").join(configuration), text);
    }
    let logs = format!("/var/log/{system}/domains");
    vec![activate(world), nginx::start_with(world, Some(&logs))]
}

/// Let's Encrypt gets its response from Hestia, over http and https.
pub fn hestia_answers_lets_encrypt() {
    let path = "/.well-known/acme-challenge/token";
    let answer = http::send(HTTP, &Request::get(path)).expect("an answer");
    assert_eq!((answer.status, answer.text().as_str()), (200, "token.thumbprint"));
    let url = format!("https://autoconfig.example.org{path}");
    let resolve = "autoconfig.example.org:443:127.0.0.1";
    let answer = run(command("curl").args(["-sSk", "--fail", "--resolve", resolve, &url]));
    assert_eq!(answer, "token.thumbprint");
}

/// A Hestia in a folder: its commands print what the files of the folder contain.
fn hestia_with(sandbox: &Sandbox, users: &str, domains: &[(&str, &str)]) {
    let folder = sandbox.path("hestia");
    write(&folder.join("users"), users);
    for (user, json) in domains {
        write(&folder.join(format!("domains-{user}")), json);
    }
    let folder = folder.display();
    for (name, script) in [
        ("v-list-users", format!("[ \"$1\" = json ] && cat '{folder}/users'")),
        ("v-list-mail-domains", format!("[ \"$2\" = json ] && cat \"{folder}/domains-$1\"")),
    ] {
        let path = sandbox.path("bin").join(name);
        fs::create_dir_all(sandbox.path("bin")).expect("mkdir");
        write_program(&path, format!("#!/bin/sh\n{script}\n"));
    }
}

/// Runs the script; returns whether it succeeded, and its messages.
fn hestia_domains(sandbox: &Sandbox, list: &Path) -> (bool, String) {
    let script = source("contrib/panels/hestia/mailsetup-hestia-domains");
    let path = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    let output =
        command(script).arg(list).env("PATH", path).output().expect("mailsetup-hestia-domains");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// In the shape that v-list-mail-domains prints.
fn hestia_json(domains: &[(&str, &str)]) -> String {
    let entry = |(domain, suspended): &(&str, &str)| {
        format!(
            "    \"{domain}\": {{
        \"ANTIVIRUS\": \"no\",
        \"ANTISPAM\": \"no\",
        \"REJECT\": \"no\",
        \"RATE_LIMIT\": \"200\",
        \"DKIM\": \"yes\",
        \"CATCHALL\": \"\",
        \"ACCOUNTS\": \"2\",
        \"U_DISK\": \"1\",
        \"SSL\": \"no\",
        \"SUSPENDED\": \"{suspended}\",
        \"TIME\": \"17:20:48\",
        \"DATE\": \"2026-08-22\",
        \"WEBMAIL_ALIAS\": \"webmail\",
        \"WEBMAIL\": \"\"
    }}"
        )
    };
    format!("{{\n{}\n}}\n", domains.iter().map(entry).collect::<Vec<_>>().join(",\n"))
}

#[test]
fn hestia_domains_become_a_list() {
    let sandbox = Sandbox::new();
    let users = "{\n    \"alice\": {\n        \"NAME\": \"Alice\"\n    },\n    \"bob\": {\n        \
                 \"NAME\": \"Bob\"\n    },\n    \"carol\": {\n        \"NAME\": \"Carol\"\n    }\n}\n";
    let alice = hestia_json(&[("example.org", "no"), ("bücher.example", "no")]);
    let bob = hestia_json(&[("late.example", "yes"), ("example.net", "no")]);
    hestia_with(&sandbox, users, &[("alice", &alice), ("bob", &bob), ("carol", "{\n}\n")]);
    let list = sandbox.path("domains");
    assert_eq!(hestia_domains(&sandbox, &list), (true, String::new()));
    let written = fs::read_to_string(&list).expect("the list");
    let mut names: Vec<_> = written.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["bücher.example", "example.net", "example.org"]);
    assert_eq!(fs::metadata(&list).expect("the list").permissions().mode() & 0o777, 0o644);

    // mailsetup reads it.
    let config = sandbox.write("c.toml", "[domains]\nlist_files = ['domains']\n");
    let mailsetup = |address: &str| {
        let arguments = ["show", address, "--client", "thunderbird"];
        command(program())
            .arg("--config")
            .arg(&config)
            .args(arguments)
            .output()
            .expect("program")
            .status
    };
    for address in ["ann@example.org", "ann@bücher.example", "ann@xn--bcher-kva.example"] {
        assert!(mailsetup(address).success(), "{address}");
    }
    assert!(!mailsetup("ann@late.example").success());

    // The same domains: the same file. Errors, and no domain at all: the file stays.
    let before = fs::metadata(&list).expect("the list").modified().expect("time");
    assert!(hestia_domains(&sandbox, &list).0);
    assert_eq!(fs::metadata(&list).expect("the list").modified().expect("time"), before);
    for (name, text) in [
        ("domains-bob", "Error: user bob doesn't exist\n"),
        ("users", "{\n    \"carol\": {\n        \"NAME\": \"Carol\"\n    }\n}\n"),
        ("users", ""),
    ] {
        write(&sandbox.path("hestia").join(name), text);
        let (succeeded, message) = hestia_domains(&sandbox, &list);
        assert!(!succeeded && !message.is_empty(), "{name}: {message}");
        assert_eq!(fs::read_to_string(&list).expect("the list"), written, "{name}");
    }
    fs::remove_file(sandbox.path("bin").join("v-list-users")).expect("remove");
    assert!(!hestia_domains(&sandbox, &list).0);
    let left = fs::read_dir(sandbox.path("")).expect("the sandbox").flatten();
    let left: Vec<_> = left.map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("domains.")), "{left:?}");
}

//------------ DirectAdmin ----------------------------------------------------

/// `/etc/virtual/domains` has a domain on each line, also the host name of the server;
/// `/etc/virtual/domainowners` has the user of each domain after a colon (scripts/hostname.sh and
/// scripts/letsencrypt.sh of DirectAdmin).
#[test]
fn lists_of_directadmin_are_read_as_they_are() {
    for list in [
        "server.example.net\nexample.org\nsub.example.org\n",
        "example.org: alice\nsub.example.org: alice\nserver.example.net: admin\n",
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("domains", list);
        let config = sandbox.write("c.toml", "[domains]\nlist_files = ['domains']\n");
        let mailsetup = |arguments: &[&str]| {
            let mut command = command(program());
            command.arg("--config").arg(&config).args(arguments);
            command.output().expect("program")
        };
        for domain in ["example.org", "sub.example.org", "server.example.net"] {
            let output = mailsetup(&["show", &format!("ann@{domain}"), "--client", "outlook"]);
            assert!(output.status.success(), "{domain} in {list}");
        }
        assert!(!mailsetup(&["show", "ann@alice", "--client", "outlook"]).status.success());
        assert!(!mailsetup(&["show", "ann@other.example"]).status.success());
        let checked = mailsetup(&["check"]);
        let findings = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success() && !findings.contains("list-"), "{list}: {findings}");
    }
}

//------------ ISPConfig ------------------------------------------------------

/// The lines of ISPConfig around those of contrib: server/conf/nginx_vhost.conf.master of 3.2.
pub fn ispconfig_nginx(world: &Namespace) -> Vec<Process> {
    ispconfig_with(world, "")
}

fn ispconfig_with(world: &Namespace, before: &str) -> Vec<Process> {
    install("nginx/mailsetup.conf", "/etc/nginx/snippets/mailsetup.conf");
    let file = source("contrib/panels/ispconfig/nginx-directives.conf");
    let directives = fs::read_to_string(file).expect("directives");
    // ISPConfig removes comments, and replaces these words.
    let directives: Vec<_> =
        directives.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let directives = directives.join("\n");
    for word in ["{DOCROOT}", "{DOMAIN}", "{FASTCGIPASS}", "tmpl_"] {
        assert!(!directives.contains(word), "{word}");
    }
    let lines = format!(
        "{before}
    error_page 404 /error/404.html;
    recursive_error_pages on;
    location = /error/404.html {{ internal; }}
    location ~ /\\. {{ deny all; }}
    location ^~ /.well-known/acme-challenge/ {{ root /usr/local/ispconfig/interface/acme/; }}
    location ~ \\.php$ {{ return 404; }}
    location / {{ try_files $uri $uri/ =404; }}
    {directives}"
    );
    write(Path::new("/var/www/html/error/404.html"), "not found\n");
    write(Path::new("/usr/local/ispconfig/interface/acme/.well-known/acme-challenge/token"), "own");
    vec![serve(world), nginx::existing_site_with(world, &lines)]
}

/// Let's Encrypt gets its file from ISPConfig.
pub fn ispconfig_answers_lets_encrypt() {
    let answer = http::send(HTTP, &Request::get("/.well-known/acme-challenge/token"));
    assert_eq!(answer.expect("an answer").text(), "own");
    let hidden = http::send(HTTP, &Request::get("/.htpasswd")).expect("an answer");
    assert_eq!(hidden.status, 403);
}

/// With "Rewrite HTTP to HTTPS", requests over http are redirected, as the page says.
#[test]
fn ispconfig_redirects_if_told_so() {
    Namespace::run(|world| {
        write(Path::new("/etc/mailsetup/config.toml"), "[domain.\"example.org\"]\n");
        let before = "if ($scheme != \"https\") {
            rewrite ^(?!/\\.well-known/acme-challenge)/ https://$http_host$request_uri? permanent;
        }";
        let _processes = ispconfig_with(world, before);
        let answer = http::send(HTTP, &Request::get("/mail/config-v1.1.xml")).expect("an answer");
        assert_eq!(answer.status, 301);
    });
}

//------------ Virtualmin -----------------------------------------------------

/// The lines that Virtualmin 8.1 adds to a virtual host of Apache for its own program:
/// feature-mail.pl (enable_email_autoconfig).
const VIRTUALMIN: &str = "ServerAlias autoconfig.example.org
    ServerAlias autodiscover.example.org
    Redirect /mail/config-v1.1.xml /cgi-bin/autoconfig.cgi
    Redirect /.well-known/autoconfig/mail/config-v1.1.xml /cgi-bin/autoconfig.cgi
    ScriptAlias /AutoDiscover/AutoDiscover.xml /usr/lib/cgi-bin/autoconfig.cgi
    ScriptAlias /Autodiscover/Autodiscover.xml /usr/lib/cgi-bin/autoconfig.cgi
    ScriptAlias /autodiscover/autodiscover.xml /usr/lib/cgi-bin/autoconfig.cgi
    ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/";

/// contrib/apache/mailsetup-proxy_fcgi.conf has precedence over Virtualmin's own program, whose
/// lines stay.
pub fn virtualmin(world: &Namespace) -> Vec<Process> {
    apache::snippet_beside(world, apache::SNIPPETS[0], VIRTUALMIN, "")
}

//------------ mail stacks with an nginx of their own -------------------------

/// Which of the paths of mailsetup a stack keeps for itself, with the include at the place that
/// docs/panels.md names; `418` stands for the stack's own program.
#[test]
fn rules_of_mail_stacks_have_the_effect_that_the_page_says() {
    const INCLUDE: &str = "include snippets/mailsetup.conf;";
    let [autoconfig, well_known, pox, ..] = sites::OURS;
    let autodiscover = [pox, sites::OURS[3]];
    let iredmail = "location ~ ^/.well-known/ { return 418; } location ~ /\\. { deny all; }";
    let modoboa = "location ~ ^/(api|accounts|autodiscover) { return 418; }";
    let mail_in_a_box = "location = /.well-known/autoconfig/mail/config-v1.1.xml { return 418; }
        location = /mail/config-v1.1.xml { return 418; }
        location /mail/ { return 418; }
        location ~* ^/autodiscover/autodiscover.xml$ { return 418; }";
    let yunohost = "location ^~ '/.well-known/autoconfig/mail/' { return 418; }";
    for (lines, kept) in [
        (format!("{INCLUDE} {iredmail}"), &[][..]),
        (format!("{iredmail} {INCLUDE}"), &[well_known]),
        (format!("{INCLUDE} {modoboa}"), &[]),
        (format!("{modoboa} {INCLUDE}"), &autodiscover[1..]),
        (format!("{mail_in_a_box} {INCLUDE}"), &[autoconfig, well_known, pox]),
        (format!("{yunohost} {INCLUDE}"), &[well_known]),
    ] {
        sites::world(|world| {
            let _server = nginx::snippet_in(world, &lines);
            for target in sites::OURS {
                let expected = if kept.contains(&target) { 418 } else { 200 };
                assert_eq!(sites::get(target).status, expected, "{target} with {lines}");
            }
        });
    }
}

//------------ the files ------------------------------------------------------

#[test]
fn files_for_panels_are_documented() {
    let page = fs::read_to_string(source("docs/panels.md")).expect("docs/panels.md");
    for folder in ["hestia", "ispconfig"] {
        let files = fs::read_dir(source("contrib/panels").join(folder)).expect("a folder");
        for file in files.flatten() {
            let name = format!("contrib/panels/{folder}/{}", file.file_name().to_string_lossy());
            assert!(page.contains(&name), "docs/panels.md does not name {name}");
            let content = fs::read_to_string(file.path()).expect("text");
            for word in ["# Where:", "# Test:"] {
                assert!(content.contains(word), "{name} does not say {word}");
            }
        }
    }
}
