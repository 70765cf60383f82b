//! The path at which a web server asks whether a name needs a certificate.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, cgi, command, program};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Tables, a list, a folder and an alias name domains; all others are answered, too.
const CONFIG: &str = "\
[pop3]
enabled = false
[smtp]
port = 465
[pacc]
enabled = true
[domains]
ask_path = '/mailsetup/ask'
answer = 'any'
list_files = ['list']
directory = 'domains.d'
[domain.'example.org']
[domain.'www.example.org']
[domain.'off.example']
pacc.enabled = false
[domain.'alias.example']
alias_of = 'off.example'
[domain.'xn--bcher-kva.example']
";

struct Service {
    _process: Process,
    sandbox: Sandbox,
}

impl Service {
    fn start() -> Service {
        let sandbox = Sandbox::new();
        sandbox.write("list", "listed.example OK\n*.pattern.example OK\n");
        sandbox.write("domains.d/file.example.toml", "pacc.enabled = false\n");
        sandbox.write("domains.d/pacc.example.toml", "");
        sandbox.write("domains.d/alias2.example.toml", "alias_of = 'pacc.example'\n");
        sandbox.write("domains.d/broken.example.toml", "imap = 3\n");
        let (socket, config) = (sandbox.path("socket"), sandbox.write("c.toml", CONFIG));
        crate::common::wait_until_settled(&sandbox.path("domains.d/broken.example.toml"));
        let mut serve = command(program());
        serve.arg("--config").arg(config).arg("serve");
        serve.arg("--listen").arg(format!("unix:{}", socket.display()));
        let process = Process::start(&sandbox, &mut serve)
            .wait_until(|| UnixStream::connect(&socket).is_ok());
        Service { _process: process, sandbox }
    }

    fn send(&self, request: &Request) -> Response {
        let mut client = Client::unix(&self.sandbox.path("socket")).expect("a connection");
        client.send(request, Style::USUAL).expect("an answer")
    }

    fn status(&self, query: &str) -> u16 {
        self.send(&Request::get(format!("/mailsetup/ask{query}")).host("127.0.0.1:8025")).status
    }
}

#[test]
fn only_names_of_exact_domains_need_a_certificate() {
    let service = Service::start();
    for (domain, has_pacc) in [
        ("example.org", true),
        ("www.example.org", true),
        ("off.example", false),
        ("alias.example", false),
        ("xn--bcher-kva.example", true),
        ("listed.example", true),
        ("file.example", false),
        ("pacc.example", true),
        ("alias2.example", true),
    ] {
        for (prefix, is_needed) in
            [("autoconfig", true), ("autodiscover", true), ("ua-auto-config", has_pacc)]
        {
            let status = if is_needed { 200 } else { 404 };
            let query = format!("?domain={prefix}.{domain}");
            // The first request may read the file of the domain, the second one has it.
            for _ in 0..2 {
                assert_eq!(service.status(&query), status, "{query}");
            }
        }
    }
    // A file with errors names its domain; whether that has PACC is not known.
    assert_eq!(service.status("?domain=autoconfig.broken.example"), 200);
    assert_eq!(service.status("?domain=ua-auto-config.broken.example"), 503);
}

#[test]
fn all_other_questions_get_404() {
    let service = Service::start();
    for query in [
        "",
        "?",
        "?domain",
        "?domain=",
        "?domain=example.org",
        "?domain=www.example.org",
        "?domain=mail.example.org",
        "?domain=autoconfig.other.example",
        "?domain=autoconfig.sub.example.org",
        "?domain=autoconfig.sub.pattern.example",
        "?domain=autoconfig.pattern.example",
        "?domain=autoconfig.autoconfig.example.org",
        "?domain=autoconfig.www.off.example",
        "?domain=www.autoconfig.example.org",
        "?domain=xautoconfig.example.org",
        "?domain=autoconfig",
        "?domain=autoconfig.",
        "?domain=autoconfig.org",
        "?domain=.autoconfig.example.org",
        "?domain=autoconfig..example.org",
        "?domain=*.example.org",
        "?domain=autoconfig.*",
        "?domain=autoconfig.example.org.",
        "?domain=Autoconfig.example.org",
        "?domain=autoconfig.Example.org",
        "?domain=autoconfig.example.org:443",
        "?domain=autoconfig%2Eexample.org",
        "?domain=autoconfig.example.org%00",
        "?domain=autoconfig.b\u{fc}cher.example",
        "?domain=autoconfig.b%C3%BCcher.example",
        "?domain=autoconfig.example.org&domain=autoconfig.example.org",
        "?domain=autoconfig.example.org&x=1",
        "?x=1&domain=autoconfig.example.org",
        "?DOMAIN=autoconfig.example.org",
        "?domain=192.0.2.1",
        "?domain=[2001:db8::1]",
        "?domain=autoconfig.example.org?domain=autoconfig.example.org",
        "/?domain=autoconfig.example.org",
    ] {
        assert_eq!(service.status(query), 404, "{query}");
    }
    let long = format!("?domain=autoconfig.{}example.org", "a.".repeat(4000));
    assert_eq!(service.status(&long), 404);
}

#[test]
fn a_response_is_never_kept_and_other_methods_are_refused() {
    let service = Service::start();
    let target = "/mailsetup/ask?domain=autoconfig.example.org";
    for request in [Request::get(target), Request::get("/mailsetup/ask")] {
        assert_eq!(service.send(&request).header("Cache-Control"), Some("no-store"));
    }
    let refused = service.send(&Request::post(target, ""));
    assert_eq!((refused.status, refused.header("Allow")), (405, Some("GET, HEAD")));
}

#[test]
fn without_the_key_and_in_cgi_there_is_no_such_path() {
    let sandbox = Sandbox::new();
    let target = "/mailsetup/ask?domain=autoconfig.example.org";
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    let get = |config: &Path| {
        let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
        cgi::send(&program(), &Request::get(target), &settings).expect("an answer").status
    };
    assert_eq!(get(&config), 404);
    let config =
        sandbox.write("c.toml", "[domains]\nask_path = '/mailsetup/ask'\n[domain.'example.org']\n");
    assert_eq!(get(&config), 404);
}
