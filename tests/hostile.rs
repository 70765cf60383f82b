//! Findings of a security review of requests, sockets and connections: one test for each kind of
//! fault, named after the fault, against the running program.

use crate::common::fcgi::{self, Client, Style};
use crate::common::http::{self, Request, Response};
use crate::common::{Process, Sandbox, cgi, command, free_port, program, run, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const KEPT: Style = Style { keep: true, ..Style::USUAL };

fn over_cgi(config: &Path, request: &Request) -> Response {
    cgi::send(&program(), request, &[("MAILSETUP_CONFIG", config.as_os_str())]).expect("an answer")
}

/// A service that speaks FastCGI on a socket and HTTP on a port.
fn serve(sandbox: &Sandbox, config: &str) -> (Process, PathBuf, SocketAddr) {
    let socket = sandbox.path("socket");
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let config = sandbox.write("c.toml", config);
    let mut command = command(program());
    command.arg("serve").arg("--config").arg(config);
    command.args(["--listen", &format!("unix:{}", socket.display())]);
    command.args(["--http", &address.to_string()]);
    let process =
        Process::start(sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    (process, socket, address)
}

fn signal(process: &Process, signal: Signal) {
    kill(Pid::from_raw(process.id() as i32), signal).expect("kill");
}

//------------ requests ------------------------------------------------------

/// The Host had precedence over the authority of an absolute target, under which a shared cache
/// stores the response (RFC 9112 §3.2.2).
#[test]
fn a_host_beside_an_absolute_target_poisons_no_cache() {
    let sandbox = Sandbox::new();
    let text = "[domain.'one.example']\n[domain.'two.example']\n";
    let (_service, socket, address) = serve(&sandbox, text);
    let config = sandbox.path("c.toml");
    let ask = |request: &Request| {
        let mut client = Client::unix(&socket).expect("connection");
        [
            over_cgi(&config, request),
            client.send(request, KEPT).expect("an answer"),
            http::send(address, request).expect("an answer"),
        ]
    };
    for (target, host, domain) in [
        ("http://autoconfig.one.example/mail/config-v1.1.xml", "autoconfig.two.example", "one"),
        ("https://AUTOCONFIG.one.example.:443/mail/config-v1.1.xml", "two.example", "one"),
        ("http://autoconfig.one.example/mail/config-v1.1.xml", "192.0.2.1", "one"),
        ("/mail/config-v1.1.xml", "autoconfig.two.example", "two"),
        ("/mail/config-v1.1.xml?u=http://one.example/", "autoconfig.two.example", "two"),
    ] {
        for answer in ask(&Request::get(target).host(host)) {
            let part = format!("<domain>{domain}.example</domain>");
            assert!(answer.text().contains(&part), "{target}: {}", answer.text());
        }
    }
    // An authority that is not a configured domain is not replaced by the Host.
    for target in
        ["http://other.example/mail/config-v1.1.xml", "http://192.0.2.1/mail/config-v1.1.xml"]
    {
        for answer in ask(&Request::get(target).host("autoconfig.two.example")) {
            assert_eq!(answer.status, 404, "{target}");
        }
    }
}

/// A redirect to the requested URL, in another spelling, sent clients in a circle.
#[test]
fn no_spelling_of_a_redirect_leads_back_to_itself() {
    let sandbox = Sandbox::new();
    let here = "https://autodiscover.b.example";
    let action = |url: &str, target: &str, host: &str| {
        let text = format!("[domain.'b.example'.autodiscover]\nredirect_url = '{url}'\n");
        let config = sandbox.write("c.toml", text);
        let body = "<a><EMailAddress>ann@b.example</EMailAddress></a>";
        let answer = over_cgi(&config, &Request::post(target, body).host(host)).text();
        let action = answer.split("<Action>").nth(1).and_then(|rest| rest.split('<').next());
        action.expect("an Action").to_owned()
    };
    let target = "/autodiscover/autodiscover.xml";
    for path in [
        "/autodiscover/autodiscover.xml",
        "/autodiscover/autodiscover.xml?x",
        "/autodiscover/autodiscover.xml#x",
        "/autodiscover/autodiscover.xml?",
        "/Auto%64iscover/autodiscover.xml",
        "/%61utodiscover%2fautodiscover%2Exml",
        "//autodiscover///autodiscover.xml",
        "/./autodiscover/x/../autodiscover.xml",
        "/autodiscover/%2e/autodiscover.xml",
        "/../autodiscover/autodiscover.xml",
        ":443/autodiscover/autodiscover.xml",
        ":0443/autodiscover/autodiscover.xml",
        "./autodiscover/autodiscover.xml",
        "/autodiscover/autodiscover.xml/.",
    ] {
        for host in ["autodiscover.b.example", "AUTODISCOVER.b.example.:443"] {
            let told = action(&format!("{here}{path}"), target, host);
            assert_eq!(told, "settings", "{path} at {host}");
        }
        let asked = action(
            &format!("{here}{path}"),
            "/AutoDiscover/AutoDiscover.xml?y",
            "autodiscover.b.example",
        );
        assert_eq!(asked, "settings", "{path}");
    }
    assert_eq!(
        action("https://192.0.2.1/autodiscover/autodiscover.xml", target, "192.0.2.1"),
        "settings"
    );
    for url in [
        "https://other.b.example/autodiscover/autodiscover.xml",
        "https://autodiscover.b.example/other/autodiscover.xml",
        "https://autodiscover.b.example/autodiscover/autodiscover.xml/x",
        "https://autodiscover.b.example",
    ] {
        assert_eq!(action(url, target, "autodiscover.b.example"), "redirectUrl", "{url}");
    }
}

/// A redirect to a path that the web server rewrites to the same document sent clients there
/// repeatedly.
#[test]
fn no_redirect_leads_to_a_path_that_the_web_server_rewrites() {
    let sandbox = Sandbox::new();
    let text = "[domain.'b.example'.autodiscover]\n\
                redirect_url = 'https://autodiscover.b.example/mail/ad.xml'\n";
    let config = sandbox.write("c.toml", text);
    let ours = "/autodiscover/autodiscover.xml";
    for (target, action) in [
        ("/mail/ad.xml", "settings"),
        ("//Mail/%61d.xml?x", "settings"),
        ("/other.xml", "redirectUrl"),
        (ours, "redirectUrl"),
    ] {
        for variables in [[ours, ""], ["", ours], ["/autodiscover", "//autodiscover.xml"]] {
            let body = "<a><EMailAddress>ann@b.example</EMailAddress></a>";
            let request = Request::post(target, body)
                .host("autodiscover.b.example")
                .variable("SCRIPT_NAME", variables[0])
                .variable("PATH_INFO", variables[1]);
            let answer = over_cgi(&config, &request).text();
            let expected = format!("<Action>{action}</Action>");
            assert!(answer.contains(&expected), "{target} {variables:?}: {answer}");
        }
    }
}

/// An absolute target without a path got 404 from CGI, and the page over HTTP.
#[test]
fn an_absolute_target_without_a_path_is_the_page() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    for target in [
        "http://example.org",
        "http://example.org?emailaddress=ann@example.org",
        "http://example.org/",
    ] {
        let answer = over_cgi(&config, &Request::get(target).host("other.example"));
        assert_eq!(answer.status, 200, "{target}");
        assert!(answer.text().contains("<title>"), "{target}");
    }
}

/// A name with U+202E passed `check` and was written to the page and the documents.
#[test]
fn no_value_turns_the_direction_of_text() {
    let sandbox = Sandbox::new();
    let oauth2 = |key: &str, value: &str| {
        ["issuer", "scope", "client_id", "client_secret"]
            .map(|name| (name, if name == key { value } else { "x" }))
            .map(|(name, value)| format!("{name} = \"{value}\"\n"))
            .concat()
            + "authorization_url = 'https://x.example/'\ntoken_url = 'https://x.example/'\n"
    };
    for hidden in ["\\u202E", "\\u200F", "\\u2066", "\\u061C"] {
        let value = format!("a{hidden}b");
        for text in [
            format!("[provider]\nname = \"{value}\"\n"),
            format!("[provider]\nshort_name = \"{value}\"\n"),
            format!(
                "[provider]\ndocumentation = [{{ url = 'https://x.example/', title = {{ en = \"{value}\" }} }}]\n"
            ),
            format!("[apple]\ndescription = {{ en = 'x', he = \"{value}\" }}\n"),
            format!("[apple]\nconsent.en = \"\"\"\nx\n{value}\"\"\"\n"),
            format!("[imap]\nusername = \"{value}\"\n"),
            format!("[caldav]\nurl = 'https://x.example/'\nusername = \"{value}\"\n"),
            format!("[domain.'x.example']\nprovider.name = \"{value}\"\n"),
            format!("[oauth2]\n{}", oauth2("issuer", &value)),
            format!("[oauth2]\n{}", oauth2("scope", &value)),
            format!("[oauth2]\n{}", oauth2("client_id", &value)),
            format!("[oauth2]\n{}", oauth2("client_secret", &value)),
        ] {
            let config = sandbox.write("c.toml", &text);
            let mut command = command(program());
            let output = command.args(["check", "--config"]).arg(config).output().expect("program");
            let output_text = String::from_utf8(output.stdout).expect("UTF-8");
            assert_eq!(output.status.code(), Some(1), "{text}{output_text}");
            let code = hidden.replace("\\u", "U+");
            assert!(output_text.contains(&code), "{text}{output_text}");
        }
    }
}

/// An address that is redirected within its own domain was redirected again at each step.
#[test]
fn no_redirect_to_an_address_leads_on_for_ever() {
    let sandbox = Sandbox::new();
    let actions = |to: &str, address: &str| {
        let text = format!(
            "[domain.'bücher.example'.autodiscover]\nredirect_address = '{to}'\n\
             [domain.'alias.example']\nalias_of = 'bücher.example'\n"
        );
        let config = sandbox.write("c.toml", text);
        let body = format!("<a><EMailAddress>{address}</EMailAddress></a>");
        let request = Request::post("/autodiscover/autodiscover.xml", body);
        let answer = over_cgi(&config, &request).text();
        let action = answer.split("<Action>").nth(1).and_then(|rest| rest.split('<').next());
        action.expect("an Action").to_owned()
    };
    for (to, address, action) in [
        ("office@bücher.example", "ann@xn--bcher-kva.example", "redirectAddr"),
        ("office@bücher.example", "OFFICE@XN--Bcher-KVA.example", "settings"),
        ("%EMAILLOCALPART%@BÜCHER.example.", "ann@xn--bcher-kva.example", "settings"),
        ("%EMAILLOCALPART%@bücher.example", "ann@alias.example", "redirectAddr"),
        ("x-%EMAILLOCALPART%@bücher.example", "ann@bücher.example", "settings"),
        ("x-%EMAILLOCALPART%@alias.example", "ann@alias.example", "settings"),
        ("x-%EMAILLOCALPART%@c.example", "ann@bücher.example", "redirectAddr"),
    ] {
        assert_eq!(actions(to, address), action, "{address} to {to}");
    }
}

/// If reached only by an SRV record, the JSON form and the page's code named a host that might not
/// exist; an unrelated host is never named.
#[test]
fn links_lead_to_the_host_that_was_reached() {
    let sandbox = Sandbox::new();
    let any = sandbox.write("any.toml", "domains.answer = 'any'\n");
    let named = "[imap]\nhost = 'imap.hoster.example'\n[smtp]\nhost = 'Bücher.example.'\n\
                 [caldav]\nurl = 'https://dav.example.net:8443/x'\n[domain.'example.org']\n\
                 [domain.'alias.example']\nalias_of = 'example.org'\n";
    let named = sandbox.write("named.toml", named);
    let listed = sandbox.write("listed.toml", "domains.list_files = ['list']\n");
    sandbox.write("list", "example.org\nother.example\n");
    for (config, domain, host, is_named) in [
        (&any, "example.org", "mail.example.org", true),
        (&any, "example.org", "Mail.Example.org.:443", true),
        (&any, "example.org", "a.b.example.org", true),
        (&any, "example.org", "example.org", true),
        (&any, "example.org", "mail.other.example", false),
        (&any, "example.org", "mailexample.org", false),
        (&any, "example.org", "example.org.evil.example", false),
        (&any, "example.org", "192.0.2.1", false),
        (&any, "example.org", "localhost", false),
        (&listed, "example.org", "mx.example.org", true),
        (&listed, "example.org", "mx.other.example", false),
        (&named, "example.org", "imap.hoster.example", true),
        (&named, "example.org", "xn--bcher-kva.example", true),
        (&named, "example.org", "dav.example.net:8443", true),
        (&named, "example.org", "x.hoster.example", false),
        (&named, "alias.example", "imap.hoster.example", true),
        (&named, "alias.example", "mx.alias.example", true),
        (&named, "alias.example", "autodiscover.example.org", true),
    ] {
        let name = match host.split(':').next().expect("a host").trim_end_matches('.') {
            "localhost" | "192.0.2.1" => "",
            name => name,
        };
        let name = name.to_lowercase();
        let named = |other: &str| if is_named { name.clone() } else { format!("{other}.{domain}") };
        let query = format!("Email=ann@{domain}&Protocol=Autodiscoverv1");
        for target in [
            format!("/autodiscover/autodiscover.json?{query}"),
            format!("/AutoDiscover/AutoDiscover.json/v1.0/ann@{domain}?Protocol=Autodiscoverv1"),
        ] {
            let answer = over_cgi(config, &Request::get(target).host(host)).text();
            let url = format!("https://{}/autodiscover/autodiscover.xml", named("autodiscover"));
            assert!(answer.contains(&format!("\"{url}\"")), "{host}: {answer}");
        }
        // The page's code contains a link, too: otherwise it is that of a page without a host name.
        let page = |host| {
            let page = Request::get(format!("/?emailaddress=ann@{domain}")).host(host);
            over_cgi(config, &page).text()
        };
        assert_eq!(page(host) == page("127.0.0.1"), !is_named, "{host}");
    }
}

/// A domain redirected to another, which redirected back.
#[test]
fn check_finds_redirects_that_lead_in_a_circle() {
    let sandbox = Sandbox::new();
    let redirect = |domain: &str, to: &str| {
        format!("[domain.'{domain}'.autodiscover]\nredirect_address = '{to}'\n")
    };
    let to = |domain: &str| format!("%EMAILLOCALPART%@{domain}");
    for (text, circles) in [
        (redirect("a.example", &to("b.example")) + &redirect("b.example", &to("a.example")), 2),
        (redirect("a.example", "x@b.example") + &redirect("b.example", "y@a.example"), 2),
        (
            redirect("a.example", "x-%EMAILLOCALPART%@alias.example")
                + "[domain.'alias.example']\nalias_of = 'a.example'\n",
            0,
        ),
        (redirect("a.example", &to("b.example")) + &redirect("b.example", &to("c.example")), 0),
        (redirect("a.example", "office@a.example"), 0),
        (redirect("a.example", &to("a.example")), 0),
        (redirect("a.example", &to("BÜCHER.example")) + "[domain.'bücher.example']\n", 0),
    ] {
        let config = sandbox.write("c.toml", &text);
        let mut command = command(program());
        let output = command.args(["check", "--json", "--config"]).arg(config).output();
        let output = String::from_utf8(output.expect("program").stdout).expect("UTF-8");
        let found = output.matches("\"redirect-circle\"").count();
        assert_eq!(found, circles, "{text}{output}");
    }
}

//------------ addresses -----------------------------------------------------

/// Every byte encoded.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Every request with an address: the request, the status, and a word of the error.
fn ways(address: &str) -> [(Request, u16, &'static str); 6] {
    let query = encoded(address);
    let body = address.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!("<a><EMailAddress>{body}</EMailAddress></a>");
    let json = "/autodiscover/autodiscover.json";
    [
        (Request::get(format!("/mail/config-v1.1.xml?emailaddress={query}")), 400, "not an e-mail"),
        (Request::get(format!("/mobileconfig?emailaddress={query}")), 400, "not an e-mail"),
        (
            Request::get(format!("{json}?Email={query}&Protocol=AutodiscoverV1")),
            400,
            "InvalidEmail",
        ),
        (Request::get(format!("{json}/v1.0/{query}?Protocol=AutodiscoverV1")), 400, "InvalidEmail"),
        (Request::post("/autodiscover/autodiscover.xml", body), 200, "<ErrorCode>600<"),
        (Request::get(format!("/?emailaddress={query}")), 400, "<form"),
    ]
}

/// An invisible character was accepted: the login in a profile began with U+202A.
#[test]
fn no_address_holds_what_is_not_seen() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.answer = 'any'\n");
    // One of each kind: marks of direction, zero width, byte order mark, soft hyphen, tags,
    // selectors, fillers, separators, private use, noncharacters, control characters.
    let hidden = "\u{202a}\u{202e}\u{2066}\u{200e}\u{61c}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\
                  \u{e0041}\u{fe0f}\u{e0100}\u{3164}\u{2800}\u{34f}\u{2028}\u{2029}\u{e000}\u{10fffd}\
                  \u{fffe}\u{1ffff}\u{85}\u{7f}\u{b}";
    for c in hidden.chars() {
        for address in [
            format!("{c}ann@shop.example"),
            format!("a{c}nn@shop.example"),
            format!("ann{c}@shop.example"),
            format!("\"a{c} b\"@shop.example"),
            format!("ann@{c}shop.example"),
            format!("ann@sh{c}op.example"),
            format!("ann@shop.example{c}"),
            format!("ann@bü{c}cher.example"),
        ] {
            for (request, status, word) in ways(&address) {
                let answer = over_cgi(&config, &request);
                let target = request.target.escape_ascii().to_string();
                assert_eq!(answer.status, status, "{target}: {}", answer.text());
                assert!(answer.text().contains(word), "{target}: {}", answer.text());
                // The page shows the input, with joiners and selectors, which occur in names.
                let stays = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0f}') && word == "<form";
                assert!(stays || !answer.text().contains(c), "reflected: {}", answer.text());
            }
        }
        let domain = Request::get(format!("/v1.1/{}", encoded(&format!("sh{c}op.example"))));
        assert_ne!(over_cgi(&config, &domain).status, 200, "{}", c.escape_unicode());
    }
}

/// Blanks of any width around an address are removed; only plain ones are allowed inside quotes.
#[test]
fn blanks_around_an_address_are_dropped() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.answer = 'any'\n");
    for blank in [" ", "\t", "\r\n", "\u{a0}", "\u{3000}", "\u{202f} "] {
        for (request, ..) in ways(&format!("{blank}ann@shop.example{blank}")) {
            let answer = over_cgi(&config, &request);
            assert_eq!(answer.status, 200, "{}: {}", blank.escape_unicode(), answer.text());
            assert!(!answer.text().contains("<ErrorCode>"), "{}", answer.text());
        }
        for (request, ..) in ways(&format!("\"a{blank}b\"@shop.example")) {
            let answer = over_cgi(&config, &request);
            let is_refused = answer.status == 400 || answer.text().contains("<ErrorCode>");
            assert_eq!(is_refused, blank != " ", "{}", answer.text());
        }
    }
}

/// Persian and the scripts of India need joiners within words.
#[test]
fn joiners_that_words_need_come_through() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.answer = 'any'\n");
    for name in ["نامه\u{200c}ای", "क्\u{200d}ष.x"] {
        for (request, ..) in ways(&format!("{name}@shop.example")) {
            let answer = over_cgi(&config, &request);
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert!(!answer.text().contains("<ErrorCode>"), "{name}: {}", answer.text());
        }
        let request =
            Request::get(format!("/mobileconfig?emailaddress={}@a.example", encoded(name)));
        assert!(over_cgi(&config, &request).text().contains(name));
    }
}

/// The page showed its input unchanged.
#[test]
fn the_page_shows_nothing_that_turns_or_hides_text() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.answer = 'any'\n");
    for c in
        ['\u{202e}', '\u{2066}', '\u{200b}', '\u{1b}', '\u{9b}', '\u{85}', '\u{2028}', '\u{e0041}']
    {
        let request = Request::get(format!("/?emailaddress={}", encoded(&format!("no{c}body"))));
        let answer = over_cgi(&config, &request.host("localhost"));
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("no\u{fffd}body"), "{}", answer.text());
        assert!(!answer.text().contains(c), "{}", c.escape_unicode());
    }
}

//------------ dns -----------------------------------------------------------

/// One string of a TXT record was longer than 255 bytes (RFC 1035 §3.3).
#[test]
fn a_long_path_is_split_into_strings() {
    let sandbox = Sandbox::new();
    for length in [1, 249, 250, 251, 300, 504, 505, 506, 1200] {
        let (encoded, rest) = ((length - 1) / 6, (length - 1) % 6);
        let path = format!("/{}{}", "x%3By;".repeat(encoded), "x".repeat(rest));
        let text = format!(
            "caldav.url = 'https://dav.example.org{path}'\n\
             carddav.url = 'https://dav.example.org{path}'\n"
        );
        let config = sandbox.write("c.toml", text);
        let config = config.to_str().expect("UTF-8");
        let dns = |arguments: &[&str]| {
            run(command(program()).args(["--config", config, "dns", "example.org"]).args(arguments))
        };
        let zone = dns(&["--soa"]);
        let file = sandbox.write("zone", &zone);
        let canonical = sandbox.path("canonical");
        run(command("named-checkzone").arg("-o").arg(&canonical).arg("example.org").arg(file));
        let json: serde_json::Value = serde_json::from_str(&dns(&["--json"])).expect("JSON");
        let records = json.as_array().expect("records");
        let texts: Vec<_> = records.iter().filter(|record| record["type"] == "TXT").collect();
        assert_eq!(texts.len(), 2);
        for record in texts {
            let data = record["data"].as_str().expect("text");
            assert!(zone.contains(data), "the same in both: {data}");
            let inner = data.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect(data);
            let strings: Vec<_> = inner.split("\" \"").collect();
            assert!(strings.iter().all(|string| (1..=255).contains(&string.len())), "{data}");
            assert_eq!(strings.concat(), format!("path={path}"));
            assert_eq!(strings.len(), (path.len() + 5).div_ceil(255));
        }
    }
}

//------------ sockets -------------------------------------------------------

/// A process that ended late removed the socket of its successor: it identified its own by the
/// inode, whose number ext4 reuses at once.
#[test]
fn a_process_that_ends_late_removes_no_socket_of_another() {
    let sandbox = Sandbox::new();
    let (mut old, socket, address) = serve(&sandbox, "");
    let mut half = TcpStream::connect(address).expect("connection");
    half.write_all(b"POST /x HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\na")
        .expect("write");
    std::thread::sleep(Duration::from_millis(100));
    signal(&old, Signal::SIGTERM);
    assert!(wait_until(|| UnixStream::connect(&socket).is_err()), "it listens no more");
    let mut command = command(program());
    command.args(["serve", "--listen", &format!("unix:{}", socket.display())]);
    let mut new =
        Process::start(&sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    half.write_all(b"b").expect("write");
    assert_eq!(old.wait(), Some(0), "{}", old.output());
    let mut client = Client::unix(&socket).expect("the socket is there");
    let request = Request::get("/mail/config-v1.1.xml");
    assert_eq!(client.send(&request, Style::USUAL).expect("an answer").status, 200);
    signal(&new, Signal::SIGTERM);
    assert_eq!(new.wait(), Some(0), "{}", new.output());
    assert!(!socket.exists(), "its own it removes");
}

/// Of several processes that start at the same time, one gets the socket, and the others report
/// that.
#[test]
fn of_processes_that_start_at_once_one_has_the_socket() {
    for round in 0..5 {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("socket");
        if round % 2 == 0 {
            // A socket that was left behind, for all of them to replace.
            drop(UnixListener::bind(&socket).expect("bind"));
        }
        let mut started: Vec<_> = (0..6)
            .map(|_| {
                let mut command = command(program());
                command.args(["serve", "--listen", &format!("unix:{}", socket.display())]);
                Process::start(&sandbox, &mut command)
            })
            .collect();
        let listening = |process: &Process| process.output().contains("listening: ");
        let refused = |process: &Process| process.output().contains("another process listens");
        assert!(wait_until(|| started.iter().all(|it| listening(it) || refused(it))));
        assert_eq!(started.iter().filter(|it| listening(it)).count(), 1);
        let mut client = Client::unix(&socket).expect("the socket is there");
        let request = Request::get("/mail/config-v1.1.xml");
        assert_eq!(client.send(&request, Style::USUAL).expect("an answer").status, 200);
        for process in started.iter_mut().filter(|it| refused(it)) {
            assert_eq!(process.wait(), Some(2), "{}", process.output());
        }
        assert!(socket.exists(), "who was refused removed nothing");
        drop(started);
        let left: Vec<_> = fs::read_dir(sandbox.path("")).expect("folder").flatten().collect();
        let left: Vec<_> = left.iter().map(|entry| entry.file_name()).collect();
        assert!(left.iter().all(|name| name.to_string_lossy().starts_with("output")), "{left:?}");
    }
}

/// Group and mode were set by path, on the file that was there at that time: a link led to another
/// file.
#[test]
fn a_socket_is_seen_only_once_owner_and_mode_are_right() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("socket");
    let done = Arc::new(AtomicBool::new(false));
    let looks = {
        let (socket, done) = (socket.clone(), done.clone());
        thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                if let Ok(meta) = fs::symlink_metadata(&socket) {
                    seen.insert((meta.mode() & 0o777, meta.gid()));
                }
            }
            seen
        })
    };
    for _ in 0..10 {
        let mut command = command(program());
        let address = format!("unix:{},mode=0606,group=daemon", socket.display());
        command.args(["serve", "--listen", &address]);
        let mut process = Process::start(&sandbox, &mut command)
            .wait_until(|| UnixStream::connect(&socket).is_ok());
        signal(&process, Signal::SIGTERM);
        assert_eq!(process.wait(), Some(0), "{}", process.output());
    }
    done.store(true, Ordering::Relaxed);
    assert_eq!(looks.join().expect("a thread"), BTreeSet::from([(0o606, 1)]));
}

/// Files of others at the path are kept: a file, a socket, a link to one, before and after.
#[test]
fn what_was_put_in_the_place_of_a_socket_stays() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("socket");
    let start = || {
        let mut command = command(program());
        command.args(["serve", "--listen", &format!("unix:{}", socket.display())]);
        Process::start(&sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok())
    };
    let other = sandbox.path("other");
    let _other = UnixListener::bind(&other).expect("bind");
    for kind in ["file", "link", "socket"] {
        let mut process = start();
        fs::remove_file(&socket).expect("remove");
        let listener = match kind {
            "file" => fs::write(&socket, "").map(|()| None),
            "link" => symlink(&other, &socket).map(|()| None),
            _ => UnixListener::bind(&socket).map(Some),
        };
        let listener = listener.expect(kind);
        signal(&process, Signal::SIGTERM);
        assert_eq!(process.wait(), Some(0), "{}", process.output());
        assert!(fs::symlink_metadata(&socket).is_ok() && other.exists(), "{kind} stays");
        drop(listener);
        fs::remove_file(&socket).expect("remove");
    }
    // A link to a socket without a listener is not followed, and not replaced.
    let dead = sandbox.path("dead");
    drop(UnixListener::bind(&dead).expect("bind"));
    symlink(&dead, &socket).expect("link");
    let output = command(program())
        .args(["serve", "--listen", &format!("unix:{}", socket.display())])
        .output()
        .expect("program");
    assert_eq!(output.status.code(), Some(2));
    assert!(dead.exists() && fs::symlink_metadata(&socket).is_ok());
}

/// A path may have 107 bytes (unix(7)); a longer one is refused with a message.
#[test]
fn a_socket_may_have_the_longest_path() {
    let sandbox = Sandbox::new();
    let room = 107 - sandbox.path("x").as_os_str().len() + 1;
    let socket = sandbox.path(&"s".repeat(room));
    assert_eq!(socket.as_os_str().len(), 107);
    let mut command_ = command(program());
    command_.args(["serve", "--listen", &format!("unix:{}", socket.display())]);
    let mut process =
        Process::start(&sandbox, &mut command_).wait_until(|| UnixStream::connect(&socket).is_ok());
    signal(&process, Signal::SIGTERM);
    assert_eq!(process.wait(), Some(0), "{}", process.output());
    assert!(!socket.exists());
    let longer = format!("unix:{}x", socket.display());
    let output = command(program()).args(["serve", "--listen", &longer]).output().expect("program");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot listen on"));
    let left = fs::read_dir(sandbox.path("")).expect("folder").count();
    assert_eq!(left, 1, "only what the process printed");
}

//------------ connections ---------------------------------------------------

/// If all connections were silent, they were closed one by one, each a second after it was told to
/// stop.
#[test]
fn silent_connections_make_room_at_once() {
    for over_http in [true, false] {
        let sandbox = Sandbox::new();
        let (service, socket, address) = serve(&sandbox, "limits.connections = 50\n");
        let request = Request::get("/mail/config-v1.1.xml");
        let silent = || -> Box<dyn std::any::Any> {
            match over_http {
                true => Box::new(TcpStream::connect(address).expect("connection")),
                false => Box::new(UnixStream::connect(&socket).expect("connection")),
            }
        };
        for _ in 0..3 {
            let _silent: Vec<_> = (0..300).map(|_| silent()).collect();
            let begun = Instant::now();
            let answer = match over_http {
                true => http::send(address, &request),
                false => Client::unix(&socket).and_then(|mut it| it.send(&request, Style::USUAL)),
            };
            assert_eq!(answer.expect("an answer").status, 200);
            // Half a second on an idle machine; it was 17 without the fix.
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(10), "{took:?}\n{}", service.output());
            println!("over_http={over_http}: {took:?}");
        }
    }
}

/// Silent and idle connections make room, but not running requests, however slow they are.
#[test]
fn no_request_that_runs_makes_room() {
    let sandbox = Sandbox::new();
    let (_service, socket, address) = serve(&sandbox, "limits.connections = 4\n");
    let mut running = TcpStream::connect(address).expect("connection");
    running
        .write_all(b"POST /x HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\na")
        .expect("write");
    let records = fcgi::request_records(&Request::get("/x"), Style::USUAL);
    let (first, last) = records.split_at(records.len() - 8);
    let mut half = Client::unix(&socket).expect("connection");
    half.write(first).expect("write");
    thread::sleep(Duration::from_millis(200));
    let _silent: Vec<_> =
        (0..40).map(|_| TcpStream::connect(address).expect("connection")).collect();
    for _ in 0..20 {
        let answer = http::send(address, &Request::get("/x")).expect("an answer");
        assert_eq!(answer.status, 404);
    }
    running.write_all(b"b").expect("write");
    let mut answer = [0; 12];
    running.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 404");
    half.write(last).expect("write");
    assert!(half.read().expect("a record").content.starts_with(b"Status: 404"));
}

/// Requests that hyper refused by itself were neither logged nor counted.
#[test]
fn every_refused_request_has_a_line_and_a_counter() {
    let sandbox = Sandbox::new();
    let config = "limits.timeout_s = 1\nmetrics.path = '/metrics'\n";
    let (service, _, address) = serve(&sandbox, config);
    let good = "GET /x HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let long = format!("GET /x HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET /x HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(200));
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(20_000));
    let cases: [(&[u8], u16, u16); 11] = [
        (b"nonsense\r\n\r\n", 400, 400),
        (b"GET <x> HTTP/1.1\r\nHost: a\r\n\r\n", 400, 400),
        (b"GET /x HTTP/9.9\r\nHost: a\r\n\r\n", 400, 400),
        (b"GET /x HTTP/1.1\r\nHost: a\r\nb ad: c\r\n\r\n", 400, 400),
        (b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, 0),
        (long.as_bytes(), 431, 431),
        (many.as_bytes(), 431, 431),
        (long_target.as_bytes(), 431, 431),
        // Half a head, without the rest in time.
        (b"GET /x HTTP/1.1\r\nHo", 408, 0),
    ];
    for (count, (bytes, counted, told)) in cases.into_iter().enumerate() {
        let mut stream = TcpStream::connect(address).expect("connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        stream.write_all(bytes).expect("write");
        let mut answer = Vec::new();
        // The connection may be reset after the response.
        stream.read_to_end(&mut answer).ok();
        let case = bytes[..bytes.len().min(40)].escape_ascii().to_string();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let start = if told == 0 { String::new() } else { format!("HTTP/1.1 {told} ") };
        assert!(answer.starts_with(&start) && answer.is_empty() == (told == 0), "{case}: {answer}");
        let line = format!("method=- document=- status={counted} bytes=0 us=0");
        let lines = || service.output().lines().filter(|line| line.contains("status=")).count();
        assert!(wait_until(|| lines() == count + 1), "{case}: {}", service.output());
        let output = service.output();
        assert!(output.lines().last().is_some_and(|it| it.ends_with(&line)), "{case}: {output}");
    }
    // After a valid one, on the same connection: one line each.
    let before = service.output().lines().count();
    let mut stream = TcpStream::connect(address).expect("connection");
    stream.write_all(format!("{good}{good}nonsense\r\n\r\n").as_bytes()).expect("write");
    stream.read_to_end(&mut Vec::new()).ok();
    assert!(wait_until(|| service.output().lines().count() == before + 3));
    // A silent connection is not a request.
    let mut silent = TcpStream::connect(address).expect("connection");
    silent.read_to_end(&mut Vec::new()).ok();
    let mut kept = TcpStream::connect(address).expect("connection");
    kept.write_all(good.as_bytes()).expect("write");
    kept.read_to_end(&mut Vec::new()).ok();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(service.output().lines().count(), before + 4, "{}", service.output());
    let metrics = http::send(address, &Request::get("/metrics")).expect("an answer").text();
    for (status, count) in [(400, 8), (431, 3), (408, 1), (404, 3)] {
        let series = format!("{{document=\"-\",status=\"{status}\"}} {count}\n");
        assert!(metrics.contains(&series), "{series}{metrics}");
    }
}

/// The connection of a peer that may not connect was closed without a log line.
#[test]
fn a_peer_that_may_not_connect_is_told_of_and_counted() {
    let sandbox = Sandbox::new();
    let [fastcgi, address] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
    let config = sandbox.write("c.toml", "metrics.path = '/metrics'\n");
    let mut command = command(program());
    command.env("FCGI_WEB_SERVER_ADDRS", "192.0.2.1").arg("serve").arg("--config").arg(config);
    command.args(["--listen", &fastcgi.to_string(), "--http", &address.to_string()]);
    let service =
        Process::start(&sandbox, &mut command).wait_until(|| TcpStream::connect(address).is_ok());
    for _ in 0..3 {
        let mut stream = TcpStream::connect(fastcgi).expect("connection");
        stream.read_to_end(&mut Vec::new()).ok();
    }
    let metrics = http::send(address, &Request::get("/metrics")).expect("an answer").text();
    assert!(metrics.contains("\nmailsetup_connections_refused_total 3\n"), "{metrics}");
    let line = "a connection from 127.0.0.1 was refused: it is not in FCGI_WEB_SERVER_ADDRS";
    assert_eq!(service.output().matches(line).count(), 1, "{}", service.output());
}

//------------ the log -------------------------------------------------------

/// The length of a line was not limited.
#[test]
fn no_line_of_the_log_is_long() {
    let sandbox = Sandbox::new();
    let (service, _, address) = serve(&sandbox, "");
    for text in [
        format!("imap.host = '{}'\n", "x".repeat(100_000)),
        format!("imap.host = '{}'\n", "é".repeat(100_000)),
        format!("{} = 1\n", "k".repeat(100_000)),
        format!("[domain.'{}']\n", "\u{202e}".repeat(5_000)),
    ] {
        let before = service.output().matches("keeping the previous one").count();
        sandbox.write("c.toml", text);
        signal(&service, Signal::SIGHUP);
        assert!(wait_until(|| {
            service.output().matches("keeping the previous one").count() > before
        }));
    }
    assert_eq!(http::send(address, &Request::get("/x")).expect("an answer").status, 404);
    let output = service.output();
    let longest = output.lines().map(str::len).max().expect("a line");
    assert!(longest < 2200, "{longest}");
}

/// A client that requested one name after the other caused a line for each.
#[test]
fn a_stranger_does_not_flood_the_log_with_errors() {
    let sandbox = Sandbox::new();
    for number in 0..1001 {
        sandbox.write(&format!("domains.d/x{number}.example.toml"), "imap.port = 0\n");
    }
    let config = "[domains]\ndirectory = 'domains.d'\n[log]\nrequests = false\n";
    let (service, socket, _) = serve(&sandbox, config);
    let mut client = Client::unix(&socket).expect("connection");
    for number in 0..1000 {
        let target = format!("/mail/config-v1.1.xml?emailaddress=a@x{number}.example");
        client.send(&Request::get(target), KEPT).expect("an answer");
    }
    let errors = service.output().matches("error: ").count();
    assert!((100..250).contains(&errors), "{errors}\n{}", service.output());
    // The number of omitted lines is logged once the limit permits.
    thread::sleep(Duration::from_millis(2100));
    let target = "/mail/config-v1.1.xml?emailaddress=a@x1000.example";
    client.send(&Request::get(target), KEPT).expect("an answer");
    assert!(wait_until(|| service.output().contains(" lines like these were left out")));
}
