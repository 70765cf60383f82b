//! Paths that a web server rewrote before it passed the request on: REQUEST_URI is the path of the
//! client, SCRIPT_NAME and PATH_INFO are those after the rewrite. `servers/sites.rs` tests real web
//! servers.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, cgi, command, program};
use std::os::unix::net::UnixStream;

const CONFIG: &str =
    "[metrics]\npath = '/metrics'\nhealth_path = '/health'\n[domain.'example.org']\n";
const ANN: &str = "emailaddress=ann@example.org";

/// A request that a web server rewrote.
fn rewritten(target: &str, script_name: &str, path_info: &str) -> Request {
    Request::get(target).variable("SCRIPT_NAME", script_name).variable("PATH_INFO", path_info)
}

/// The responses over FastCGI, which are those over CGI except for metrics.
fn each_way(requests: &[Request]) -> Vec<Response> {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", CONFIG);
    let socket = sandbox.path("socket");
    let listen = format!("unix:{}", socket.display());
    let mut serve = command(program());
    serve.env("MAILSETUP_CONFIG", &config).args(["serve", "--listen", &listen]);
    let _process =
        Process::start(&sandbox, &mut serve).wait_until(|| UnixStream::connect(&socket).is_ok());
    let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
    let answer = |request: &Request| {
        let mut client = Client::unix(&socket).expect("connect");
        let answer = client.send(request, Style::USUAL).expect("an answer over FastCGI");
        let by_cgi = cgi::send(&program(), request, &settings).expect("an answer over CGI");
        // A process for one request has no metrics and no health check.
        let media = answer.header("Content-Type").unwrap_or_default();
        if !media.contains("version=0.0.4") && answer.text() != "ok\n" {
            assert_eq!((by_cgi.status, by_cgi.text()), (answer.status, answer.text()));
        }
        answer
    };
    requests.iter().map(answer).collect()
}

#[test]
fn a_path_that_is_not_in_the_table_is_looked_up_as_the_web_server_rewrote_it() {
    let answers = each_way(&[
        rewritten(&format!("/autoconfig.xml?{ANN}"), "/mail/config-v1.1.xml", ""),
        rewritten(&format!("/autoconfig.xml?{ANN}"), "", "/mail/config-v1.1.xml"),
        rewritten(&format!("/autoconfig.xml?{ANN}"), "/Mail", "/Config-v1.1.xml"),
        rewritten(&format!("/autoconfig.xml?{ANN}"), "//mail", "//config-v1.1.xml"),
        rewritten(
            "/a?Protocol=ActiveSync",
            "/autodiscover/autodiscover.json",
            "/v1.0/x@example.org",
        ),
        rewritten("/iphone?emailaddress=ann@example.org", "/mobileconfig", ""),
        // The web server changed the query, too.
        rewritten("/for/ann", "/mail/config-v1.1.xml", "").variable("QUERY_STRING", ANN),
    ]);
    for (at, answer) in answers.iter().enumerate().filter(|(at, _)| *at != 4) {
        assert_eq!(answer.status, 200, "{at}: {}", answer.text());
    }
    assert!(answers[4].text().contains("ErrorCode"), "{}", answers[4].text());
    for at in [0, 1, 2, 3, 6] {
        assert!(answers[at].text().contains("<clientConfig"), "{at}: {}", answers[at].text());
    }
    assert!(answers[5].text().contains("ann@example.org"));
}

#[test]
fn what_the_client_wrote_comes_first() {
    let answers = each_way(&[
        rewritten(&format!("/mail/config-v1.1.xml?{ANN}"), "/mobileconfig", ""),
        rewritten(&format!("//mail/config-v1.1.xml?{ANN}"), "/mobileconfig", ""),
        rewritten(&format!("/mail/config-v1.1.xml?{ANN}"), "/metrics", ""),
    ]);
    for answer in answers {
        assert!(answer.text().contains("<clientConfig"), "{}", answer.text());
    }
}

/// Two slashes do not begin a host, and an absolute target may have doubled slashes, too.
#[test]
fn doubled_slashes_name_no_host() {
    let answers = each_way(&[
        Request::get(format!("http://autoconfig.example.org//mail//config-v1.1.xml?{ANN}")),
        Request::get("http://autoconfig.example.org//mail/config-v1.1.xml").host("x.example"),
        Request::get("//autoconfig.example.org/mail/config-v1.1.xml").host("x.example"),
        Request::get("//autoconfig.example.org//mail/config-v1.1.xml"),
        Request::get(format!("{}mail/config-v1.1.xml?{ANN}", "/".repeat(20_000))),
        Request::get("/".repeat(20_000)).host("x.example"),
    ]);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses[0], 200);
    assert_eq!(statuses[2..5], [404, 404, 200]);
    // The page, for a domain that is not configured.
    assert_eq!(statuses[5], 404);
}

#[test]
fn what_was_not_found_is_not_found() {
    let target = format!("/nothing?{ANN}");
    let answers = each_way(&[
        rewritten(&target, "/nothing", ""),
        rewritten(&target, "", ""),
        rewritten(&target, "/mailsetup.cgi", ""),
        // With the program's own path before it, a path of the table is another path.
        rewritten(&target, "/cgi-bin/mailsetup.cgi", "/mail/config-v1.1.xml"),
        rewritten(&target, "/mail/config-v1.1.xml", "/x"),
        rewritten(&target, "/mail/%63onfig-v1.1.xml", ""),
        rewritten(&target, "mail/config-v1.1.xml", ""),
    ]);
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, 404, "{at}: {}", answer.text());
    }
    // A method that a path does not allow is refused there, too.
    let post = Request { method: "POST".to_owned(), ..rewritten(&target, "/mobileconfig", "") };
    assert_eq!(each_way(&[post])[0].status, 405);
}

#[test]
fn counters_are_found_behind_a_rewrite_but_not_behind_doubled_slashes() {
    let answers = each_way(&[
        rewritten("/status/health", "/health", ""),
        rewritten("/status/counters", "", "/metrics"),
        rewritten("/status/counters", "/met", "rics"),
        rewritten("//metrics", "//metrics", ""),
        rewritten("/status", "//health", ""),
    ]);
    assert_eq!(answers[0].text(), "ok\n");
    assert!(answers[1].text().contains("mailsetup_build_info"), "{}", answers[1].text());
    assert!(answers[2].text().contains("mailsetup_build_info"), "{}", answers[2].text());
    assert_eq!([answers[3].status, answers[4].status], [404, 404]);
}
