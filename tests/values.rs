//! Values of the configuration and of the command line: what is refused, with what message, and
//! what is taken.

use crate::common::http::Request;
use crate::common::{Sandbox, cgi, command, program};
use mailsetup::address::Domain;
use mailsetup::commands::CHECKS;
use mailsetup::config::{Config, check, entry};
use mailsetup::finding::Finding;
use std::path::Path;

fn load(text: &str) -> Result<Config, Vec<Finding>> {
    check::text(Path::new("c.toml"), text, &CHECKS)
}

/// A configuration is refused at one place, with this code and a message that contains `message`.
fn assert_refused(text: &str, code: &str, message: &str) {
    let findings = load(text).err().unwrap_or_default();
    let [finding] = &findings[..] else { panic!("{text}: {findings:?}") };
    assert_eq!(finding.code, code, "{text}");
    assert!(finding.message.contains(message), "{text}: {}", finding.message);
}

/// `127.1` is 127.0.0.1 for most programs, `10.0.0.256` is nothing, and `xn--a.b` has no letters;
/// they were taken for names, also in URLs and by `dns`.
#[test]
fn what_programs_take_for_another_host_is_refused() {
    let hosts = [
        "127.1",
        "10.0.0.256",
        "010.0.0.1",
        "1.2.3.0x4",
        "0x7f000001",
        "mail.example.5",
        "xn--a.b",
        "xn--.example",
    ];
    for host in hosts {
        let expected = format!("`{host}` is not a host name; expected for example");
        assert_refused(&format!("imap.host = '{host}'\n"), "host-name", &expected);
        let alternative = format!("imap.alternatives = [{{ host = '{host}' }}]\n");
        assert_refused(&alternative, "host-name", &expected);
        let url = format!("caldav.url = 'https://{host}/x'\n");
        assert_refused(&url, "url", "is not an https URL");
        for option in ["--web-host", "--autodiscover-srv"] {
            let output = command(program()).args(["dns", "example.org", option, host]).output();
            let output = output.expect("program");
            assert_eq!(output.status.code(), Some(2), "{option} {host}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains(&format!("{option}: {host} is not a host name")), "{said}");
            assert!(said.contains("expected for example"), "{said}");
        }
    }
    for host in ["192.0.2.1", "localhost", "xn--bcher-kva", "5.example", "mail.example.x5"] {
        assert!(load(&format!("imap.host = '{host}'\n")).is_ok(), "{host}");
    }
}

/// A text stood in for the domain and was replaced again in the result, where it could be a part of
/// an A-label or be written by the admin.
#[test]
fn the_domain_is_filled_in_only_where_the_placeholder_is() {
    for host in [
        "b\u{fc}%EMAILDOMAIN%",
        "%EMAILDOMAIN%\u{fc}",
        "\u{fc}-%EMAILDOMAIN%",
        "a.%EMAILDOMAIN%-\u{fc}.b",
    ] {
        let message = "only ASCII letters, digits and hyphens can be beside %EMAILDOMAIN%";
        assert_refused(&format!("imap.host = '{host}'\n"), "host-name", message);
        let redirect = format!(
            "[domain.'x.example'.autodiscover]\nredirect_address = '%EMAILLOCALPART%@{host}'\n"
        );
        assert_refused(&redirect, "redirect-address", message);
    }
    for host in [
        "xn--%EMAILDOMAIN%",
        "%EMAILDOMAIN%.5",
        "-%EMAILDOMAIN%",
        "%EMAILDOMAIN%-",
        "%EMAILDOMAIN%_",
        "%EMAILDOMAIN%..a",
        ".%EMAILDOMAIN%",
    ] {
        assert_refused(&format!("imap.host = '{host}'\n"), "host-name", "is not a host name");
    }
    let long = "a".repeat(60);
    for (host, filled) in [
        (
            "%EMAILDOMAIN%.stand-in-for-the-domain.invalid",
            "own.org.stand-in-for-the-domain.invalid",
        ),
        ("x.y.%EMAILDOMAIN%.x.y", "x.y.own.org.x.y"),
        ("MAIL-%EMAILDOMAIN%", "mail-own.org"),
        ("%EMAILDOMAIN%", "own.org"),
        ("b\u{fc}cher\u{3002}M%EMAILDOMAIN%N.", "xn--bcher-kva.mown.orgn"),
        (&format!("{long}%EMAILDOMAIN%"), &format!("{long}own.org")),
    ] {
        let config = load(&format!("imap.host = '{host}'\n")).expect(host);
        let domain = Domain::parse("own.org").expect("a domain");
        let found = config.find_now(&domain).expect("settings").expect("settings");
        let account = found.account(&domain, None, None).expect(host);
        assert_eq!(account.servers[0].host.as_str(), filled, "{host}");
    }
}

/// A host that fits some domains is an error of the domains that it does not fit.
#[test]
fn a_host_is_too_long_only_for_the_domains_that_are() {
    let long = "a".repeat(45);
    let text = format!(
        "imap.host = '{long}%EMAILDOMAIN%'\nsmtp.host = 'smtp.provider.net'\n\
         [domain.'a.org']\n[domain.'a-domain-of-19-bytes.example']\n"
    );
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", text);
    let output = command(program()).args(["check", "--config"]).arg(config).output();
    let said = String::from_utf8(output.expect("program").stdout).expect("UTF-8");
    assert!(said.contains("[host-too-long]"), "{said}");
    assert!(said.contains("a-domain-of-19-bytes.example"), "{said}");
    assert!(!said.contains("a.org"), "{said}");
}

/// A `%` without two digits after it was accepted at the end of a URL.
#[test]
fn a_url_does_not_end_within_a_percent_encoding() {
    for path in ["100%", "%2", "%EMAILDOMAIN%%", "?x=%", "%%EMAILDOMAIN%", "%2%EMAILDOMAIN%"] {
        let url = format!("caldav.url = 'https://dav.example.org/{path}'\n");
        assert_refused(&url, "url", "is not an https URL");
    }
    assert!(load("caldav.url = 'https://dav.example.org/100%25%EMAILDOMAIN%%20'\n").is_ok());
}

/// `check` said nothing of a redirect to an address that no domain name can end.
#[test]
fn check_reports_a_redirect_to_what_is_no_address_with_the_domain() {
    let label = "d".repeat(62);
    let domain = [&label[..], &label, &label, &"e".repeat(50), "example"].join(".");
    let text = format!(
        "[domain.'a.example'.autodiscover]\nredirect_address = 'x@{0}.%EMAILDOMAIN%'\n\
         [domain.'{domain}'.autodiscover]\nredirect_address = 'x@{0}.%EMAILDOMAIN%'\n",
        "a".repeat(26)
    );
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", text);
    let output = command(program()).args(["check", "--config"]).arg(config).output();
    let output = output.expect("program");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("[redirect-address]").count(), 1, "{said}");
    assert!(said.contains("c.toml:4:"), "{said}");
    assert!(said.contains("is not an address; clients are not redirected"), "{said}");
}

/// What mailsetup.toml(5) says of local parts with which the new address is invalid.
#[test]
fn who_cannot_be_redirected_gets_the_settings() {
    let sandbox = Sandbox::new();
    let text =
        "[domain.'a.example'.autodiscover]\nredirect_address = 'x-%EMAILLOCALPART%@b.example'\n";
    let config = sandbox.write("c.toml", text);
    for (local_part, action) in [
        ("ann", "redirectAddr"),
        (&*"a".repeat(62), "redirectAddr"),
        (&*"a".repeat(63), "settings"),
        ("\"a b\"", "settings"),
    ] {
        let body = format!("<a><EMailAddress>{local_part}@a.example</EMailAddress></a>");
        let request = Request::post("/autodiscover/autodiscover.xml", body).host("a.example");
        let variables = [("MAILSETUP_CONFIG", config.as_os_str())];
        let response = cgi::send(&program(), &request, &variables).expect("a response");
        let expected = format!("<Action>{action}</Action>");
        assert!(response.text().contains(&expected), "{local_part}: {}", response.text());
    }
}

/// `dns` wrote `path=?x`, and PACC `https://host?x`: a query or a fragment was taken for the path.
#[test]
fn a_url_without_a_path_has_the_path_slash() {
    for (url, path, pacc) in [
        ("https://dav.example.org", "/", "https://dav.example.org/"),
        ("https://dav.example.org?x", "/", "https://dav.example.org/?x"),
        ("https://dav.example.org#x", "/", "https://dav.example.org/#x"),
        ("https://dav.example.org/a?x#y", "/a", "https://dav.example.org/a?x#y"),
        ("https://dav.example.org/a/?b/c", "/a/", "https://dav.example.org/a/?b/c"),
    ] {
        let sandbox = Sandbox::new();
        let text = format!(
            "pacc.enabled = true\nsmtp.security = 'tls'\njmap.url = '{url}'\n\
             caldav.url = '{url}'\ncarddav.url = '{url}'\n"
        );
        let config = sandbox.write("c.toml", text);
        let run = |arguments: &[&str]| {
            let output = command(program()).arg("--config").arg(&config).args(arguments).output();
            String::from_utf8(output.expect("program").stdout).expect("UTF-8")
        };
        let zone = run(&["dns", "example.org"]);
        assert_eq!(zone.matches(&format!("\"path={path}\"\n")).count(), 2, "{url}: {zone}");
        let document = run(&["show", "--client", "pacc", "ann@example.org"]);
        assert!(document.contains(&format!("\"url\": \"{pacc}\"")), "{url}: {document}");
    }
}

/// The keys of a domain's file stand at its top; `[domain."…"]` in it was an unknown key among all
/// the others, without a hint.
#[test]
fn a_domain_in_the_settings_of_a_domain_is_an_error_with_a_hint() {
    let base = load("domains.directory = '/'\n").expect("a configuration");
    let text = "[domain.'y.example']\nimap.port = 993\n";
    let findings = entry::of_file(Path::new("x.example.toml"), text, base.base()).expect_err(text);
    let said: Vec<_> = findings.iter().map(|it| (it.code, it.message.as_str())).collect();
    let message = "unknown key `domain`: this file has the settings of one domain; write them \
                   without [domain.\"…\"], and further domains to files of their own";
    assert_eq!(said, [("unknown-key", message)]);
    let inner = "[domain.'x.example'.domain.'y.example']\nimap.port = 993\n";
    assert_refused(inner, "unknown-key", "a domain contains no others; write [domain.\"…\"]");
    // A name that is not in quotes.
    let bare = "[domain.my.domain.example]\nimap.port = 993\n";
    assert_refused(bare, "unknown-key", "write [domain.\"my.domain.example\"]");
}
