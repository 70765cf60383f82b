//! PACC: one document for a domain, the same bytes everywhere, and its digest in the DNS.

use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, cgi, command, free_port, http, program, run};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

const PATH: &str = "/.well-known/user-agent-configuration.json";
const ON: &str = "pacc.enabled = true\nsmtp.security = 'tls'\n";

fn ask(config: &Path, host: &str) -> Response {
    let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
    cgi::send(&program(), &Request::get(PATH).host(host), &settings).expect("an answer")
}

fn json(answer: &Response) -> serde_json::Value {
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/json")));
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn mailsetup(config: &Path, arguments: &[&str]) -> String {
    run(command(program()).arg("--config").arg(config).args(arguments))
}

/// The digest of a document, by an independent program.
fn digest(sandbox: &Sandbox, document: &[u8]) -> String {
    let (file, hash) = (sandbox.write("document", document), sandbox.path("hash"));
    let mut openssl = command("openssl");
    run(openssl.args(["dgst", "-sha256", "-binary", "-out"]).arg(&hash).arg(file));
    run(command("openssl").args(["base64", "-A", "-in"]).arg(hash)).trim().to_owned()
}

#[test]
fn it_is_off_unless_it_is_switched_on() {
    let sandbox = Sandbox::new();
    let off = sandbox.write("off.toml", "smtp.security = 'tls'\n");
    assert_eq!(ask(&off, "ua-auto-config.example.org").status, 404);
    assert!(!mailsetup(&off, &["dns", "example.org"]).contains("ua-auto-config"));
    let text =
        format!("{ON}[domain.'example.org']\n[domain.'off.example'.pacc]\nenabled = false\n");
    let on = sandbox.write("on.toml", text);
    assert_eq!(ask(&on, "ua-auto-config.example.org").status, 200);
    for host in ["ua-auto-config.off.example", "ua-auto-config.other.example"] {
        assert_eq!(ask(&on, host).status, 404, "{host}");
    }
}

#[test]
fn its_bytes_are_the_same_everywhere_and_their_digest_is_in_the_dns() {
    let sandbox = Sandbox::new();
    let text =
        format!("{ON}[domain.'example.org']\n[domain.'alias.example']\nalias_of = 'example.org'\n");
    let config = sandbox.write("c.toml", text);
    let document = ask(&config, "ua-auto-config.example.org");
    assert_eq!(document.header("Content-Encoding"), None);
    let control = document.header("Cache-Control").expect("Cache-Control");
    assert!(control.contains("no-transform"), "{control}");
    for host in [
        "example.org",
        "UA-Auto-Config.Example.ORG.:443",
        "www.example.org",
        "ua-auto-config.alias.example",
    ] {
        assert_eq!(ask(&config, host).body, document.body, "{host}");
    }
    // Another process, another gateway, other preferences.
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let mut serve = command(program());
    serve.arg("serve").arg("--http").arg(address.to_string()).arg("--config").arg(&config);
    let _service =
        Process::start(&sandbox, &mut serve).wait_until(|| TcpStream::connect(address).is_ok());
    let request = Request::get(format!("{PATH}?emailaddress=ann@example.org"))
        .host("ua-auto-config.example.org")
        .header("Accept-Encoding", "gzip, br")
        .header("Accept-Language", "de");
    assert_eq!(http::send(address, &request).expect("an answer").body, document.body);

    let zone =
        mailsetup(&config, &["dns", "example.org", "--soa", "--web-host", "www.example.net"]);
    let record = format!("\"v=UAAC1; a=sha256; d={}\"", digest(&sandbox, &document.body));
    for (name, data) in [
        ("ua-auto-config.example.org.", "IN CNAME www.example.net."),
        ("_ua-auto-config.example.org.", &format!("IN TXT   {record}")),
    ] {
        let is_there = |line: &str| line.starts_with(&format!("{name} ")) && line.ends_with(data);
        assert!(zone.lines().any(is_there), "{name} {data} in {zone}");
    }
    let file = sandbox.write("zone", &zone);
    run(command("named-checkzone").arg("example.org").arg(file));
    let all = mailsetup(&config, &["dns", "example.org", "--json"]);
    assert!(all.contains(&record.replace('"', "\\\"")), "{all}");
}

#[test]
fn what_it_cannot_tell_of_is_left_out() {
    let sandbox = Sandbox::new();
    let protocols = |text: &str| {
        let config = sandbox.write("c.toml", format!("pacc.enabled = true\n{text}"));
        let report = mailsetup(&config, &["check"]);
        let answer = ask(&config, "example.org");
        let keys = (answer.status == 200).then(|| {
            let document = json(&answer);
            let protocols = document["protocols"].as_object().expect("protocols");
            protocols.keys().cloned().collect::<Vec<_>>().join(" ")
        });
        let told = report.lines().filter_map(|line| line.split_once("pacc: "));
        let mut told: Vec<_> = told.filter_map(|(_, what)| what.split(';').next()).collect();
        told.sort();
        (keys.unwrap_or_default(), told.join("; "))
    };
    let nothing = "no document is published";
    let no_smtp = "smtp is left out: it is not on port 465 with TLS from the first byte";
    for (text, keys, told) in [
        ("smtp.port = 465", "imap pop3 smtp submit", String::new()),
        ("", "", format!("{nothing}; {no_smtp}")),
        ("jmap.url = 'https://j.example.org'", "imap jmap pop3", no_smtp.to_owned()),
        (
            "smtp.port = 465\nimap.port = 143\npop3.username = 'x'\n",
            "",
            format!(
                "imap is left out: it is not on port 993 with TLS from the first byte; \
                 {nothing}; pop3 is left out: its login is not the whole address"
            ),
        ),
        (
            "smtp.port = 465\ncaldav.url = 'https://d.example.org:8443/'\nwebdav.url = 'https://d.example.org/dav'\n\
             carddav.url = 'https://d.example.org'\ncarddav.username = '%EMAILLOCALPART%'\n",
            "imap pop3 smtp submit webdav",
            "caldav is left out: it is not on port 443; carddav is left out: its login is not the whole address"
                .to_owned(),
        ),
        // A DAV URL that only names a host is omitted; a JMAP session may be at the root.
        (
            "smtp.port = 465\ncaldav.url = 'https://d.example.org'\ncarddav.url = 'https://d.example.org/'\n\
             webdav.url = 'https://d.%EMAILDOMAIN%/?a'\njmap.url = 'https://j.example.org'\n",
            "imap jmap pop3 smtp submit",
            "caldav is left out: its URL has no path; carddav is left out: its URL has no path; \
             webdav is left out: its URL has no path"
                .to_owned(),
        ),
        (
            "smtp.alternatives = [{ port = 465 }]",
            "imap pop3 smtp submit",
            String::new(),
        ),
        ("smtp.port = 465\nsmtp.auth = 'none'", "", format!("{nothing}; smtp is left out: it takes no login")),
    ] {
        assert_eq!(protocols(text), (keys.to_owned(), told), "{text}");
    }
}
