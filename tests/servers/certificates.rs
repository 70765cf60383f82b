//! Certificates for the names of many domains: Caddy gets them on demand, nginx and HAProxy take a
//! file for each name. A name without a certificate gets none, and not that of another name.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{HTTP, caddy, certificate_files, haproxy, listens, local, nginx, serve};
use crate::common::http::{self, Request};
use crate::common::namespace::Namespace;
use crate::common::{command, run, source, write};

/// example.org and example.net have names of their own; all others are answered, too.
const CONFIG: &str = "\
[metrics]
path = '/mailsetup/metrics'
[domains]
ask_path = '/mailsetup/ask'
answer = 'any'
[domain.'example.org']
[domain.'example.net']
";
const DOCUMENT: &str = "/mail/config-v1.1.xml?emailaddress=ann@example.org";

/// The names in the certificate that a client gets that asks for `name`, or for none; `None` if the
/// connection ends in the handshake.
fn names(name: Option<&str>) -> Option<String> {
    let mut client = command("openssl");
    client.args(["s_client", "-connect", "127.0.0.1:443"]);
    match name {
        Some(name) => client.args(["-servername", name]),
        None => client.arg("-noservername"),
    };
    let output = client.output().expect("openssl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let start = text.find("-----BEGIN CERTIFICATE-----")?;
    let end = text.find("-----END CERTIFICATE-----").expect("an end");
    write(
        Path::new("/etc/received.pem"),
        format!("{}-----END CERTIFICATE-----\n", &text[start..end]),
    );
    let show = ["x509", "-in", "/etc/received.pem", "-noout", "-ext", "subjectAltName"];
    let text = run(command("openssl").args(show));
    Some(text.lines().last().unwrap_or_default().trim().to_owned())
}

fn only(name: &str) -> Option<String> {
    Some(format!("DNS:{name}"))
}

/// The status and the text over https; the certificate is checked against this authority.
fn get(host: &str, authority: &str) -> String {
    let (resolve, url) = (format!("{host}:443:127.0.0.1"), format!("https://{host}{DOCUMENT}"));
    let arguments = ["-sS", "--fail", "--cacert", authority, "--resolve", &resolve, &url];
    run(command("curl").args(arguments.map(OsStr::new)))
}

#[test]
fn caddy_gets_certificates_for_names_of_exact_domains_only() {
    Namespace::run(|world| {
        write(Path::new("/etc/mailsetup/config.toml"), CONFIG);
        let service = serve(world);
        let caddy = caddy::on_demand_alone(world);
        for name in ["autoconfig.example.org", "autodiscover.example.net"] {
            assert_eq!(names(Some(name)), only(name), "{}", caddy.output());
            let root = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt";
            assert!(get(name, root).contains("<emailProvider id=\"example.org\">"));
        }
        for name in [
            "example.org",
            "www.example.org",
            "mail.example.org",
            "autoconfig.example.com",
            "autoconfig.sub.example.org",
            "ua-auto-config.example.org",
            "autoconfig.autoconfig.example.org",
        ] {
            assert_eq!(names(Some(name)), None, "{name}");
        }
        assert_eq!(names(None), None);

        // Nobody else can ask, whatever the Host and the form of the path.
        let query = "?domain=autoconfig.example.org";
        for target in [
            "/mailsetup/ask",
            "/MAILSETUP/Ask",
            "//mailsetup/ask",
            "/mailsetup//ask",
            "/./mailsetup/ask",
            "/x/../mailsetup/ask",
            "/mailsetup/%61sk",
            "/%6dailsetup/ask",
            "/mailsetup%2fask",
            "/mailsetup/ask/",
            "/mailsetup/metrics",
            "http://127.0.0.1:8026/mailsetup/ask",
        ] {
            for host in ["autoconfig.example.org", "127.0.0.1:8026", "localhost"] {
                let request = Request::get(format!("{target}{query}")).host(host);
                let answer = http::send(HTTP, &request).expect("an answer");
                assert!(![200, 405].contains(&answer.status), "{target} {host}: {}", answer.text());
                assert!(!answer.text().contains("certificate"), "{target}: {}", answer.text());
            }
        }
        for host in ["127.0.0.1:8026", "x.invalid"] {
            let ask = |target: &str| {
                http::send(local(8026), &Request::get(target).host(host)).expect("an answer")
            };
            let answer = ask(&format!("/mailsetup/ask{query}"));
            assert_eq!(answer.text(), "this name needs a certificate\n");
            for target in
                ["/mailsetup/ask?domain=autoconfig.example.com", "/mailsetup/metrics", DOCUMENT]
            {
                assert_eq!(ask(target).status, 404, "{target}");
            }
        }
        let outside = std::net::SocketAddr::from(([127, 0, 0, 2], 8026));
        assert!(!listens(outside) && listens(local(8026)));

        // Without mailsetup, there are no new certificates.
        drop(service);
        assert_eq!(names(Some("autodiscover.example.org")), None);
    });
}

#[test]
fn nginx_takes_the_file_of_the_name() {
    Namespace::run(|world| {
        write(Path::new("/etc/mailsetup/config.toml"), CONFIG);
        let _service = serve(world);
        let (one, two) = ("autoconfig.example.org", "autodiscover.example.net");
        certificate_files(&[one]);
        certificate_files(&[two]);
        // A client may choose its name to get at another file.
        certificate_files(&["secret"]);
        fs::rename("/etc/ssl/mailsetup/secret.pem", "/etc/ssl/secret.pem").expect("rename");
        let _nginx = nginx::many_alone(world);
        for name in [one, two] {
            assert_eq!(names(Some(name)), only(name));
            let file = format!("/etc/ssl/mailsetup/{name}.pem");
            assert!(get(name, &file).contains("<emailProvider id=\"example.org\">"));
        }
        for name in
            ["autoconfig.example.net", "autoconfig.example.com", "autoconfig./../../secret", "x"]
        {
            assert_eq!(names(Some(name)), None, "{name}");
        }
        assert_eq!(names(None), None);

        // Files are used without a reload: new ones, renewed ones, and that for other names.
        let both = ["autoconfig.example.com", one];
        certificate_files(&both);
        for name in both {
            let all = "DNS:autoconfig.example.com, DNS:autoconfig.example.org";
            assert_eq!(names(Some(name)).as_deref(), Some(all), "{name}");
        }
        certificate_files(&["default"]);
        for name in [None, Some("mail.example.org"), Some("default"), Some("../secret")] {
            assert_eq!(names(name), only("default"), "{name:?}");
        }
        assert_eq!(names(Some("autodiscover.example.org")), None);

        // The processes of nginx that read the files are not root.
        let file = format!("/etc/ssl/mailsetup/{one}.pem");
        std::os::unix::fs::chown(&file, Some(0), Some(0)).expect("chown");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("chmod");
        assert_eq!(names(Some(one)), None);
    });
}

#[test]
fn haproxy_takes_the_same_files() {
    Namespace::run(|world| {
        write(Path::new("/etc/mailsetup/config.toml"), CONFIG);
        let name = "autoconfig.example.org";
        certificate_files(&[name]);
        let page = fs::read_to_string(source("docs/many-domains.md")).expect("a page");
        let (_, line) = page.split_once("- HAProxy: `").expect("a line");
        let (line, _) = line.split_once('`').expect("its end");
        let _haproxy = haproxy::beside(world, line);
        assert_eq!(names(Some(name)), only(name));
        let file = format!("/etc/ssl/mailsetup/{name}.pem");
        assert!(get(name, &file).contains("<emailProvider id=\"example.org\">"));
        for name in [Some("autodiscover.example.org"), None] {
            assert_eq!(names(name), None, "{name:?}");
        }
    });
}
