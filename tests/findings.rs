//! Findings: each has a code and the place of its cause; they are sorted, reported once, and
//! contain nothing that a terminal would interpret.

use crate::common::{Sandbox, command, program};
use mailsetup::lint::LINTS;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Output;

fn check(config: &Path, arguments: &[&str]) -> Output {
    command(program())
        .arg("check")
        .arg("--config")
        .arg(config)
        .args(arguments)
        .output()
        .expect("program")
}

fn text(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn json(config: &Path) -> Vec<Value> {
    let text = text(&check(config, &["--json"]));
    match serde_json::from_str(&text) {
        Ok(Value::Array(findings)) => findings,
        other => panic!("{other:?}: {text}"),
    }
}

/// Code, file name, line and column of each finding, in their order.
fn places(config: &Path) -> Vec<String> {
    let place = |finding: &Value| {
        let file = finding["file"].as_str().expect("a file");
        let file = Path::new(file).file_name().expect("a name").to_string_lossy().into_owned();
        let position = match (&finding["line"], &finding["column"]) {
            (Value::Null, Value::Null) => String::new(),
            (line, column) => format!(":{line}:{column}"),
        };
        format!("{} {file}{position}", finding["code"].as_str().expect("a code"))
    };
    json(config).iter().map(place).collect()
}

//------------ places --------------------------------------------------------

/// One configuration for each kind of warning, and its place.
const WARNINGS: &[(&str, &str, &str)] = &[
    ("alternatives", "imap.alternatives = [{ port = 143 }]", "1:21"),
    ("activesync-path", "activesync.url = 'https://eas.example.org/'", "1:18"),
    ("ask-path-no-domain", "domains.ask_path = '/mailsetup/ask'", "1:20"),
    ("auth-list", "imap.auth = ['cram-md5', 'password']", "1:13"),
    ("auth-ntlm", "[imap]\nport = 993\nauth = 'ntlm'", "3:8"),
    ("auth-ntlm", "[smtp]\n  auth = 'ntlm'", "2:10"),
    ("host-address", "[imap]\nhost = '192.0.2.1'", "2:8"),
    ("host-address", "smtp.alternatives = [{ port = 465, host = '192.0.2.1' }]", "1:43"),
    ("host-example", "[domain.'company.de']\nimap.host = 'mail.example.org'", "2:13"),
    ("host-example", "smtp.host = 'a.invalid'\n[domain.'company.de']", "1:13"),
    ("host-local", "pop3.host = 'localhost'", "1:13"),
    ("host-local", "pop3.host = '127.0.0.1'", "1:13"),
    ("host-local", "imap.alternatives = [{ port = 143 }]\nimap.host = 'mail.localhost'", "2:13"),
    ("host-short", "smtp.host = 'mail'", "1:13"),
    ("jmap", "jmap = { url = 'https://jmap.example.org/' }", "1:16"),
    ("oauth2-alone", "imap.auth = 'oauth2'", "1:13"),
    ("oauth2-list", "imap.auth = ['oauth2', 'password']", "1:13"),
    ("oauth2-order", "[imap]\nauth = ['password', 'oauth2']", "2:8"),
    ("oauth2-missing", "[smtp]\nauth = 'oauth2'", "2:8"),
    (
        "oauth2-unused",
        "oauth2 = { issuer = 'x', scope = 'x', client_id = 'x', \
         authorization_url = 'https://x.example/', token_url = 'https://x.example/' }",
        "1:21",
    ),
    ("name-value", "provider.name = '0123'", "1:17"),
    ("name-value", "provider.name = 'A'\nprovider.short_name = 'true'", "2:23"),
    ("no-imap", "[imap]\nenabled = false", "2:11"),
    ("pacc-empty", "imap.port = 143\npop3.enabled = false\n[pacc]\nenabled = true", "4:11"),
    ("pacc-login", "pacc.enabled = true\nimap.username = '%EMAILLOCALPART%'", "2:17"),
    (
        "pacc-managesieve",
        "pacc.enabled = true\nsmtp.port = 465\nmanagesieve.enabled = true",
        "3:23",
    ),
    (
        "pacc-path",
        "pacc.enabled = true\nsmtp.port = 465\ncarddav.url = 'https://a.example/'",
        "3:15",
    ),
    ("pacc-path", "[pacc]\nenabled = true\n[caldav]\nurl = 'https://a.example'", "4:7"),
    ("pacc-port", "pacc.enabled = true\nimap.port = 143", "2:13"),
    ("pacc-port", "pacc.enabled = true", "1:16"),
    ("pacc-port", "pacc.enabled = true\ncaldav.url = 'https://a.example:8443/'", "2:14"),
    ("page-color", "[page]\ncolor = '#ffff00'", "2:9"),
    ("port-other", "imap.port = 995", "1:13"),
    ("port-other", "[smtp]\nalternatives = [{ port = 993 }]", "2:26"),
    ("port-other", "pop3.port = 4190", "1:13"),
    ("port-relay", "smtp.port = 25", "1:13"),
    ("port-relay", "smtp.alternatives = [{ port = 465 }, { port = 25 }]", "1:47"),
    ("port-starttls-other", "smtp.port = 2525", "1:13"),
    ("port-starttls-other", "[imap]\nsecurity = 'starttls'\nport = 1143", "3:8"),
    ("port-starttls", "imap.port = 143\nimap.security = 'tls'", "2:17"),
    (
        "port-starttls",
        "smtp.alternatives = [{ port = 465 }, { port = 587, security = 'tls' }]",
        "1:63",
    ),
    ("port-tls", "imap.port = 993\nimap.security = 'starttls'", "2:17"),
    (
        "port-tls",
        "[smtp]\nsecurity = 'starttls'\n[[smtp.alternatives]]\nport = 465\nsecurity = 'starttls'",
        "5:12",
    ),
    (
        "redirect-not-followed",
        "[domain.'a.example']\nautodiscover.redirect_address = 'x@b.example'",
        "2:33",
    ),
    (
        "redirect-url-not-followed",
        "[domain.'a.example']\nautodiscover.redirect_url = 'https://b.example/x'",
        "2:29",
    ),
    ("security-none", "imap.security = 'none'", "1:17"),
    ("security-none", "[smtp]\nalternatives = [{ port = 25, security = 'none' }]", "2:41"),
    ("security-none-other", "pop3.security = 'none'", "1:17"),
    (
        "service-username",
        "[caldav]\nurl = 'https://a.example/'\nusername = '%EMAILLOCALPART%'",
        "3:12",
    ),
    (
        "service-username",
        "caldav.url = 'https://a.example/'\nimap.username = '%EMAILLOCALPART%'",
        "2:17",
    ),
    ("smtp-without-login", "smtp.auth = 'none'", "1:13"),
    ("url-example", "caldav.url = 'https://dav.example.org/dav/'\n[domain.'company.de']", "1:14"),
    ("username-composed", "imap.username = 'x-%EMAILLOCALPART%'", "1:17"),
    ("username-fixed", "imap.username = 'ann'", "1:17"),
    ("username-local-part", "imap.username = '%EMAILLOCALPART%'", "1:17"),
    ("username-markup", "imap.username = 'a&%EMAILLOCALPART%'", "1:17"),
    ("username-value", "imap.username = '0123'", "1:17"),
    ("username-value", "imap.username = 'TRUE'", "1:17"),
];

#[test]
fn every_warning_has_the_place_of_its_cause() {
    let sandbox = Sandbox::new();
    for (code, config, place) in WARNINGS {
        let config = sandbox.write("c.toml", config);
        let place_of = |finding: &Value| format!("{}:{}", finding["line"], finding["column"]);
        let findings = json(&config);
        let found =
            findings.iter().any(|finding| finding["code"] == **code && place_of(finding) == *place);
        assert!(found, "{code} {place}: {findings:?}");
        let lines = text(&check(&config, &[]));
        let start = format!("warning: {}:{place}: ", config.display());
        let end = format!(" [{code}]");
        let is_it = |line: &str| line.starts_with(&start) && line.ends_with(&end);
        assert!(lines.lines().any(is_it), "{start}…{end}: {lines}");
    }
    for lint in LINTS {
        let is_tested = WARNINGS.iter().any(|(code, ..)| *code == lint.code);
        assert!(is_tested, "{} needs a row in WARNINGS", lint.code);
    }
}

/// Settings that are close to one with a warning, and work.
#[test]
fn settings_that_work_have_no_warning() {
    let sandbox = Sandbox::new();
    for (code, text) in [
        ("activesync-path", "activesync.url = 'https://a.example/microsoft-server-activesync/'"),
        ("auth-list", "imap.auth = ['password']"),
        ("auth-list", "imap.auth = ['oauth2', 'password']"),
        ("auth-ntlm", "pop3.auth = 'ntlm'"),
        ("host-address", "imap.host = '192.0.2.1'\nimap.security = 'none'"),
        ("host-address", "imap.host = '127.0.0.1'"),
        ("host-example", "imap.host = 'mail.example.org'\n[domain.'example.net']"),
        ("host-example", "imap.host = 'mail.example.de'\n[domain.'company.de']"),
        ("host-example", "imap.host = 'myexample.com'\n[domain.'company.de']"),
        ("host-local", "imap.host = '127.example'"),
        ("host-local", "imap.host = 'localhost.example'"),
        ("host-short", "imap.host = 'localhost'"),
        ("host-short", "imap.host = 'mail.lan'"),
        ("name-value", "provider.name = 'inf'"),
        ("name-value", "provider.name = '0123 Mail'"),
        ("oauth2-list", "imap.auth = ['password', 'oauth2']"),
        ("oauth2-list", "imap.auth = 'oauth2'"),
        ("oauth2-missing", "imap.auth = 'oauth2'\nimap.host = 'imap.gmail.com'"),
        ("oauth2-order", "imap.auth = ['oauth2', 'password']"),
        ("pacc-managesieve", "managesieve.enabled = true"),
        ("port-other", "imap.port = 2993\npop3.port = 110\nsmtp.port = 465"),
        ("port-relay", "smtp.port = 2525"),
        ("port-starttls-other", "smtp.port = 25\nimap.port = 143\npop3.port = 2110"),
        ("port-starttls-other", "managesieve = { enabled = true, port = 2000 }"),
        ("port-starttls-other", "smtp.alternatives = [{ port = 2525, security = 'starttls' }]"),
        ("url-example", "caldav.url = 'https://dav.example.org/dav/'\n[domain.'example.net']"),
        ("username-markup", "imap.username = '%EMAILLOCALPART%+x'"),
    ] {
        let config = sandbox.write("c.toml", text);
        let found = places(&config);
        let start = format!("{code} ");
        assert!(found.iter().all(|found| !found.starts_with(&start)), "{text}: {found:?}");
    }
}

/// Every finding that breaks clients names them with the version that was read or run.
#[test]
fn clients_have_versions() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "imap.enabled = false\nprovider.name = '0123'\n");
    let findings = json(&config);
    let clients = |code: &str| {
        let finding = findings.iter().find(|finding| finding["code"] == code).expect("a finding");
        finding["clients"].to_string()
    };
    assert_eq!(clients("name-value"), "[\"Thunderbird 153\"]");
    assert!(clients("no-imap").contains("\"Delta Chat 2.65\""), "{}", clients("no-imap"));
    assert!(clients("no-imap").contains("\"Geary 3e8d4f1\""), "{}", clients("no-imap"));
    // Only those that the setting breaks.
    for (text, named) in [
        ("imap.alternatives = [{ port = 143 }]", "[\"Evolution 3.46\"]"),
        ("smtp.alternatives = [{ port = 465 }]", "[\"Evolution 3.46\",\"aerc fab0531\"]"),
        ("pop3.port = 110\npop3.security = 'tls'", "[\"Thunderbird 153\"]"),
        ("smtp.port = 2525", "[\"Thunderbird 153\",\"FairEmail e23dd9d\"]"),
        ("imap.auth = ['cram-md5', 'oauth2']", "[\"Mustang 227ae5a\"]"),
        ("imap.auth = ['password', 'oauth2']", "[\"KMail 8163b65 (2026-07)\",\"Mustang 227ae5a\"]"),
    ] {
        let config = sandbox.write("d.toml", text);
        let findings = json(&config);
        let named: Value = serde_json::from_str(named).expect("JSON");
        let is_it = |finding: &&Value| finding["clients"] == named;
        assert!(findings.iter().any(|finding| is_it(&finding)), "{text}: {findings:?}");
    }
    // The line names releases.
    let lines = text(&check(&config, &[]));
    assert!(lines.contains("Delta Chat 2.65, Geary, FairEmail,"), "{lines}");
    for lint in LINTS {
        for label in lint.breaks.labels() {
            let is_versioned = label == "all" || label.contains(|c: char| c.is_ascii_digit());
            // Known by reports only.
            let is_reported = ["New Outlook", "AutoDetect", "MyMail", "Spike"].contains(&&*label);
            assert!(is_versioned || is_reported || label.ends_with(']'), "{}: {label}", lint.code);
        }
    }
}

/// The advice for OAuth2 leads to one form, whichever finding is read first.
#[test]
fn the_advice_for_oauth2_is_one() {
    let sandbox = Sandbox::new();
    let table = "[oauth2]\nissuer = 'x'\nscope = 'x'\nclient_id = 'x'\n\
                 authorization_url = 'https://x.example/'\ntoken_url = 'https://x.example/'\n";
    let codes = |auth: &str| {
        let config =
            format!("[imap]\nauth = {auth}\n[pop3]\nauth = {auth}\n[smtp]\nauth = {auth}\n");
        let config = sandbox.write("c.toml", config + table);
        let mut codes: Vec<_> = json(&config)
            .iter()
            .map(|finding| {
                let remedy = finding["remedy"].as_str().expect("a remedy").to_owned();
                (finding["code"].as_str().expect("a code").to_owned(), remedy)
            })
            .collect();
        codes.dedup();
        codes
    };
    let form = "auth = [\"oauth2\", \"password\"]";
    for (auth, code) in [
        ("'oauth2'", "oauth2-alone"),
        ("['password', 'oauth2']", "oauth2-order"),
        ("'password'", "oauth2-unused"),
    ] {
        let found = codes(auth);
        assert_eq!(found.len(), 1, "{auth}: {found:?}");
        assert!(found[0].0 == code && found[0].1.contains(form), "{auth}: {found:?}");
    }
    let found = codes("['oauth2', 'password']");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == "oauth2-list" && found[0].1.starts_with("no list works in more clients"));
}

/// Names are cut silently otherwise.
#[test]
fn a_name_that_is_cut_is_a_warning() {
    let sandbox = Sandbox::new();
    let (fits, long) = ("\u{e4}".repeat(60), "\u{e4}".repeat(61));
    for (text, found) in [
        (format!("provider.name = '{fits}'"), &[][..]),
        (format!("provider.name = '{long}'"), &["name-long c.toml:1:17"]),
        (format!("provider = {{ name = 'x', short_name = '{}' }}", &fits[..40]), &[]),
        (
            format!("provider = {{ name = 'x', short_name = '{}' }}", &fits[..42]),
            &["name-long c.toml:1:39"],
        ),
        // That of a domain is not a choice.
        (format!("[domain.'{}.example']", "a".repeat(60)), &[]),
        (
            format!(
                "[provider]\nname = 'Mail of %EMAILDOMAIN%'\n[domain.'{}.org']",
                "a".repeat(60)
            ),
            &["name-long c.toml:2:8"],
        ),
    ] {
        let config = sandbox.write("c.toml", &text);
        assert_eq!(places(&config), found, "{text}");
    }
}

/// A list of web hosts as a list of domains: clients without an address got other settings.
#[test]
fn a_host_of_a_domain_is_not_a_domain() {
    let sandbox = Sandbox::new();
    sandbox
        .write("list", "a.example\nautoconfig.a.example\nwww.a.example\nautodiscover.b.example\n");
    let config = sandbox.write("c.toml", "domains.list_files = ['list']\n");
    assert_eq!(places(&config), ["domain-host c.toml"]);
    let finding = &json(&config)[0];
    assert_eq!(finding["domain"], "autoconfig.a.example");
    assert!(finding["clients"].to_string().contains("\"Geary 3e8d4f1\""), "{finding}");
    let config =
        sandbox.write("c.toml", "[domain.'a.example']\n[domain.'ua-auto-config.a.example']\n");
    assert_eq!(places(&config), ["domain-host c.toml:2:9"]);
}

#[test]
fn limits_must_take_the_requests_of_clients() {
    let sandbox = Sandbox::new();
    for (text, found) in [
        ("limits.body_bytes = 1023", &["limit-small c.toml:1:21"][..]),
        ("limits.body_bytes = 1024", &[]),
        ("[limits]\nparameters_bytes = 4095", &["limit-small c.toml:2:20"]),
        ("[limits]\nparameters_bytes = 4096", &[]),
    ] {
        let config = sandbox.write("c.toml", text);
        assert_eq!(places(&config), found, "{text}");
    }
}

//------------ redirects -----------------------------------------------------

/// Each domain with the address that it redirects to.
fn redirects(to: &[(&str, &str)]) -> String {
    let table = |(domain, to): &(&str, &str)| {
        format!("[domain.'{domain}']\nautodiscover.redirect_address = '{to}'\n")
    };
    to.iter().map(table).collect::<String>() + "[domain.'end.example']\n"
}

#[test]
fn redirects_are_followed_as_clients_do() {
    let sandbox = Sandbox::new();
    let to = |domain: &str| format!("%EMAILLOCALPART%@{domain}");
    let [a, b, c, d, end] = ["a", "b", "c", "d", "end"].map(|it| to(&format!("{it}.example")));
    for (domains, found) in [
        (vec![("a.example", &*end)], &[][..]),
        (vec![("a.example", &b), ("b.example", &end)], &[]),
        (
            vec![("a.example", &b), ("b.example", &c), ("c.example", &end)],
            &["redirect-long c.toml:2:33"],
        ),
        (
            vec![("a.example", &b), ("b.example", &a)],
            &["redirect-circle c.toml:2:33", "redirect-circle c.toml:4:33"],
        ),
        (
            vec![("a.example", &b), ("b.example", &c), ("c.example", &d), ("d.example", &b)],
            &[
                "redirect-circle c.toml:2:33",
                "redirect-circle c.toml:4:33",
                "redirect-circle c.toml:6:33",
                "redirect-circle c.toml:8:33",
            ],
        ),
        (vec![("a.example", &a)], &["redirect-to-itself c.toml:2:33"]),
        (vec![("a.example", "Ann@end.example")], &["redirect-fixed c.toml:2:33"]),
        (vec![("a.example", "x-%EMAILLOCALPART%@end.example")], &[]),
    ] {
        let config = sandbox.write("c.toml", redirects(&domains));
        let mut places = places(&config);
        places.retain(|place| !place.starts_with("redirect-not-followed"));
        assert_eq!(places, found, "{domains:?}");
        // A service answers all of these.
        assert_eq!(check(&config, &[]).status.code(), Some(0), "{domains:?}");
        let named = json(&config);
        let of = |code: &str| named.iter().find(|finding| finding["code"] == code);
        if let Some(finding) = of("redirect-long") {
            assert_eq!(finding["clients"].to_string(), "[\"Thunderbird 153\"]");
        }
        if let Some(finding) = of("redirect-circle") {
            let message = finding["message"].as_str().expect("a message");
            assert!(finding["clients"].to_string().contains("Outlook 2016 16.0"), "{finding}");
            assert!(message.contains("user@a.example -> user@b.example"), "{message}");
        }
    }
}

//------------ places of a cause ----------------------------------------------

/// The same cause in each place where a setting can be written.
#[test]
fn a_cause_is_found_wherever_it_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("list", "listed.example\n");
    sandbox.write("d/own.example.toml", "\nimap = { auth = 'ntlm' }\n");
    sandbox.write("d/plain.example.toml", "pop3.enabled = false\n");
    sandbox.write("d/to-table.example.toml", "alias_of = 'table.example'\n");
    let tables = "[domain.'T\u{e4}ble.example'.imap]\nauth = 'ntlm'\n\
                  [domain.'table.example']\n'imap'.\"auth\" = 'ntlm'\n\
                  [domain.'alias.example']\nalias_of = 'table.example'\n\
                  [domain.'to-file.example']\nalias_of = 'own.example'\n\
                  [domain.'fine.example'.imap]\nauth = 'password'\n";
    let domains = "domains = { list_files = ['list'], directory = 'd' }\n";
    let config = sandbox.write("c.toml", format!("{domains}{tables}"));
    assert_eq!(
        places(&config),
        ["auth-ntlm c.toml:3:8", "auth-ntlm c.toml:5:17", "auth-ntlm own.example.toml:2:17"]
    );
    let findings = json(&config);
    let domains_of = |at: usize| findings[at]["domains"].to_string();
    assert_eq!(findings[0]["domain"], "xn--tble-loa.example");
    assert_eq!(domains_of(1), "[\"alias.example\",\"table.example\",\"to-table.example\"]");
    assert_eq!(domains_of(2), "[\"own.example\",\"to-file.example\"]");

    // In the base, it applies to domains without their own setting.
    let config = sandbox.write("c.toml", format!("imap.auth = 'ntlm'\n{domains}{tables}"));
    assert_eq!(
        places(&config),
        [
            "auth-ntlm c.toml:1:13",
            "auth-ntlm c.toml:4:8",
            "auth-ntlm c.toml:6:17",
            "auth-ntlm own.example.toml:2:17"
        ]
    );
    assert_eq!(json(&config)[0]["domains"].to_string(), "[\"listed.example\",\"plain.example\"]");
}

/// `alternatives` of a domain replace those of the base, so an index refers to them.
#[test]
fn an_index_counts_in_the_array_that_holds() {
    let sandbox = Sandbox::new();
    let base = "imap.alternatives = [{ port = 143, security = 'tls' }]\n";
    let own = "[domain.'a.example']\nimap.alternatives = [{ port = 993 }, { port = 143, security = 'tls' }]\n";
    let config = sandbox.write("c.toml", format!("{base}{own}"));
    let places = places(&config);
    assert_eq!(places, ["alternatives c.toml:3:21", "port-starttls c.toml:3:63"]);
}

/// A finding without a cause in the file has the file as its place, or the domain's name.
#[test]
fn a_default_has_the_file_as_its_place() {
    let sandbox = Sandbox::new();
    let label = "a".repeat(63);
    let long = [&label[..], &label, &label, &"b".repeat(55), "a"].join(".");
    let config = sandbox.write("c.toml", format!("\n[domain.'{long}']\n"));
    assert_eq!(places(&config), ["host-too-long c.toml:2:9"]);
    sandbox.write("list", &long);
    let config = sandbox.write("c.toml", "domains.list_files = ['list']\n");
    assert_eq!(places(&config), ["host-too-long c.toml"]);
    let host = format!("imap.host = '{}.%EMAILDOMAIN%'\n", "c".repeat(63));
    let config = sandbox.write("c.toml", format!("{host}[domain.'{long}']\n"));
    assert_eq!(places(&config), ["host-too-long c.toml:1:13"]);
    // The host of a URL counts, too.
    let hosts = "imap.host = 'a.example'\npop3.host = 'a.example'\nsmtp.host = 'a.example'\n";
    for (url, place) in [
        ("provider.support = 'https://support.%EMAILDOMAIN%/'", "4:20"),
        ("caldav.url = 'https://calendar.%EMAILDOMAIN%/'", "4:14"),
        (
            "provider.documentation = [{ url = 'https://support.%EMAILDOMAIN%/', title.en = 'Help' }]",
            "4:26",
        ),
        (
            &format!(
                "[domain.'{long}'.autodiscover]\nredirect_url = 'https://other.%EMAILDOMAIN%/'"
            ),
            "5:16",
        ),
    ] {
        let table =
            if url.starts_with('[') { String::new() } else { format!("[domain.'{long}']\n") };
        let config = sandbox.write("c.toml", format!("{hosts}{url}\n{table}"));
        assert_eq!(places(&config), [format!("host-too-long c.toml:{place}")], "{url}");
    }
    sandbox.write("list", "");
    let config = sandbox.write("c.toml", "\ndomains.list_files = ['list']\n");
    assert_eq!(places(&config), ["no-domain c.toml:2:22"]);
}

/// postmap(1) takes a line that begins with white space for the rest of the one before.
#[test]
fn an_indented_line_of_a_plain_list_is_reported() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "domains.list_files = ['list', 'map']\n");
    sandbox.write("list", "a.example\n\tb.example\nc.example # ours\n# and\n  d.example\n");
    // Where the line before has more words, it is one of a real map.
    sandbox.write("map", "e.example OK\n  f.example\ng.example\n  ann@h.example\n  OK\n");
    assert_eq!(places(&config), ["list-indented list:2:1", "list-indented list:5:1"]);
    let printed = text(&check(&config, &[]));
    let message = "`b.example` follows white space, as if it continued the line before; the line \
                   is ignored";
    assert!(printed.contains(message), "{printed}");
    sandbox.write("list", "a.example\n".to_owned() + &" b.example\n".repeat(102));
    let printed = text(&check(&config, &[]));
    assert!(printed.contains("2 more lines begin with white space"), "{printed}");
}

//------------ order and number ----------------------------------------------

#[test]
fn findings_are_sorted_by_file_line_and_column() {
    let sandbox = Sandbox::new();
    sandbox.write("z-list", "ok.example\nnot_one\n");
    sandbox.write("a-list", "not_two\n");
    sandbox.write("d/a.example.b.example.toml", "smtp.port = 0\n");
    sandbox.write("d/a.example.toml", "imap.port = 0\nimap.auth = 'no'\n");
    sandbox.write("d/b.example.toml", "imap.auth = 'ntlm'\n");
    sandbox.write("d/c.example.toml", "imap.port = 0\nsmtp.port = 0\n");
    let config = sandbox.write(
        "c.toml",
        "smtp = { auth = 'ntlm', username = '%EMAILLOCALPART%' }\nimap.security = 'none'\n\
         [domains]\nlist_files = ['z-list', 'a-list']\ndirectory = 'd'\n",
    );
    assert_eq!(
        places(&config),
        [
            "auth-ntlm c.toml:1:17",
            "username-local-part c.toml:1:36",
            "security-none c.toml:2:17",
            "list-line z-list:2:1",
            "list-line a-list:1:1",
            "port-range a.example.b.example.toml:1:13",
            "port-range a.example.toml:1:13",
            "unknown-value a.example.toml:2:13",
            "auth-ntlm b.example.toml:1:13",
            "port-range c.example.toml:1:13",
            "port-range c.example.toml:2:13",
        ]
    );
    let output = check(&config, &[]);
    let text = text(&output);
    assert!(text.ends_with(": 5 errors, 6 warnings; 5 domains\n"), "{text}");
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 12));
}

#[test]
fn four_faulty_domains_are_four_findings() {
    let sandbox = Sandbox::new();
    let faulty = |line: &str| -> String {
        (1..=4).map(|n| format!("[domain.'d{n}.example']\n{line}\n")).collect()
    };
    let config = sandbox.write("c.toml", faulty("imap.port = 0"));
    let range = |line: usize| format!("port-range c.toml:{line}:13");
    assert_eq!(places(&config), [2, 4, 6, 8].map(range));
    let stdout = text(&check(&config, &[]));
    assert!(stdout.ends_with(": 4 errors; this configuration cannot be used\n"), "{stdout}");

    let config = sandbox.write("c.toml", faulty("imap.auth = 'ntlm'"));
    assert_eq!(places(&config), [2, 4, 6, 8].map(|line| format!("auth-ntlm c.toml:{line}:13")));
    for n in 1..=4 {
        sandbox.write(&format!("d/d{n}.example.toml"), "imap.auth = 'ntlm'\n");
        sandbox.write(&format!("e/d{n}.example.toml"), "imap.port = 0\n");
    }
    let file = |code: &str, n: usize| format!("{code} d{n}.example.toml:1:13");
    let config = sandbox.write("c.toml", "domains.directory = 'd'\n");
    assert_eq!(places(&config), [1, 2, 3, 4].map(|n| file("auth-ntlm", n)));
    let config = sandbox.write("c.toml", "domains.directory = 'e'\n");
    assert_eq!(places(&config), [1, 2, 3, 4].map(|n| file("port-range", n)));
}

/// One setting for many domains: one line, with their number; in JSON, with their names.
#[test]
fn a_shared_setting_is_named_once() {
    let sandbox = Sandbox::new();
    let names: String = (0..300).map(|n| format!("l{n:03}.example\n")).collect();
    sandbox.write("list", names);
    let config = sandbox.write(
        "c.toml",
        "imap.auth = 'ntlm'\ndomains.list_files = ['list']\n[domain.'a.example']\n[domain.'b.example'.imap]\nauth = 'password'\n",
    );
    let stdout = text(&check(&config, &[]));
    let line = stdout.lines().next().expect("a line");
    assert!(line.contains("c.toml:1:13: a.example and 300 more domains: imap: "), "{line}");
    assert!(stdout.ends_with(": 1 warning; 302 domains\n"), "{stdout}");
    let findings = json(&config);
    let domains = findings[0]["domains"].as_array().expect("domains");
    assert_eq!((findings.len(), domains.len(), &domains[300]), (1, 301, &"l299.example".into()));
    assert!(
        findings[0]["clients"][0] == "Thunderbird for Android a59bd67 (2026-08)",
        "{}",
        findings[0]
    );
    assert!(findings[0]["remedy"].is_string() && findings[0]["level"] == "warning");
}

/// If many files have errors, the other commands name the first ones.
#[test]
fn a_long_list_of_findings_is_cut_in_the_log_only() {
    let sandbox = Sandbox::new();
    let bad: String =
        (0..25).map(|n| format!("[domain.'d{n}.example']\nimap.port = 0\n")).collect();
    let config = sandbox.write("c.toml", bad);
    let all = text(&check(&config, &[]));
    assert_eq!(all.lines().count(), 26);
    for arguments in
        [&["show", "a@d1.example"][..], &["dns", "d1.example"], &["serve", "--http", "127.0.0.1:0"]]
    {
        let output = command(program())
            .arg("--config")
            .arg(&config)
            .args(arguments)
            .output()
            .expect("program");
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let first: String =
            all.lines().take(20).map(|line| format!("mailsetup: {line}\n")).collect();
        assert_eq!(stderr, format!("{first}mailsetup: and 5 more; see `mailsetup check`\n"));
    }
    // In CGI, the same in the web server's log.
    let output = command(program())
        .env("MAILSETUP_CONFIG", &config)
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("REQUEST_METHOD", "GET")
        .output()
        .expect("program");
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 21);
}

/// A value of a megabyte does not make a line of a megabyte; the error is still shown.
#[test]
fn a_long_value_is_not_a_long_line() {
    let sandbox = Sandbox::new();
    for value in ["x", "\u{20ac}", "\u{1f600}"] {
        let value = value.repeat(1_000_000 / value.len());
        let config = sandbox.write("c.toml", format!("imap.host = \"{value}\"\n"));
        let stdout = text(&check(&config, &[]));
        assert!(stdout.lines().all(|line| line.len() < 2000), "{}", stdout.len());
        assert!(stdout.contains("c.toml:1:13: imap.host: `"), "{stdout}");
        assert!(stdout.contains("` is not a host name") && stdout.contains("[...]"), "{stdout}");
    }
}

//------------ terminal escapes ----------------------------------------------

/// ESC, control characters of Latin 1, direction characters, invisible characters.
const HOSTILE: &str = "a\u{1b}[31m\u{9b}\u{7f}\u{202e}\u{200b}\u{feff}\u{2028}b";

/// Fails for a character that a terminal interprets, or that is invisible.
fn assert_harmless(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    for c in text.chars() {
        let is_harmful =
            (c.is_control() && c != '\n') || HOSTILE.contains(c) && !c.is_ascii_graphic();
        assert!(!is_harmful, "{c:?} in {text:?}");
    }
}

#[test]
fn no_value_or_name_reaches_a_terminal_as_it_is() {
    let sandbox = Sandbox::new();
    let escaped = HOSTILE.replace('\u{1b}', "\\u001b").replace('\u{7f}', "\\u007f");
    let list = sandbox.path(&format!("list {HOSTILE}\n"));
    fs::write(&list, format!("{HOSTILE}\n")).expect("list");
    let configs = [
        format!("imap.host = \"{escaped}\"\n"),
        format!("imap.username = \"{escaped}\"\n"),
        format!("imap.\"{escaped}\" = 1\n"),
        format!("\"{escaped}\" = 1\n"),
        format!("smtp.security = \"{escaped}\"\n"),
        format!("caldav.url = \"{escaped}\"\n"),
        format!("page.logo = \"{escaped}\"\n"),
        format!("page.color = \"{escaped}\"\n"),
        format!("metrics.path = \"{escaped}\"\n"),
        format!("apple.identifier = \"{escaped}\"\n"),
        format!("apple.description = {{ \"{escaped}\" = 'x' }}\n"),
        format!("domains.list_files = [\"{escaped}\"]\n"),
        format!("domains.list_files = [\"list {escaped}\\n\"]\n"),
        format!("[domain.\"{escaped}\"]\n"),
        format!("[domain.'a.example']\nalias_of = \"{escaped}\"\n"),
        format!("[domain.'a.example']\nautodiscover.redirect_address = \"{escaped}\"\n"),
    ];
    for config in configs {
        let config = sandbox.write("c.toml", &config);
        for arguments in [
            &["check"][..],
            &["check", "--json"],
            &["show", "ann@example.org"],
            &["dns", "example.org"],
            &["serve", "--http", "not.an.address"],
        ] {
            let output = command(program())
                .arg("--config")
                .arg(&config)
                .args(arguments)
                .output()
                .expect("program");
            let about = fs::read_to_string(&config).expect("config");
            assert_ne!(output.status.code(), Some(101), "{about}");
            assert_harmless(&output.stdout);
            assert_harmless(&output.stderr);
            if arguments[0] == "check" {
                assert!(!output.stdout.is_empty(), "{about}");
            }
        }
        json(&config);
    }
}

#[test]
fn no_argument_reaches_a_terminal_as_it_is() {
    let line = format!("{HOSTILE}\nerror: forged");
    let sandbox = Sandbox::new();
    for arguments in [
        &[&line[..]][..],
        &["--", &line],
        &["check", &line],
        &["check", &format!("--{line}")],
        &["serve", "--listen", &line],
        &["serve", &format!("--http={line}")],
        &["show", &line],
        &["show", "a@example.org", "--client", &line],
        &["dns", &line],
        &["dns", "example.org", "--web-host", &line],
        &["--config", &line, "check"],
        &["--config", &line, "check", "--json"],
        &["--config", &line, "show", "a@example.org"],
        &[&format!("--config={line}"), "serve", "--http", "127.0.0.1:0"],
    ] {
        let output = command(program())
            .current_dir(sandbox.path(""))
            .args(arguments)
            .output()
            .expect("program");
        assert!([Some(1), Some(2)].contains(&output.status.code()), "{arguments:?}");
        assert_harmless(&output.stdout);
        assert_harmless(&output.stderr);
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).expect("UTF-8");
        assert!(!printed.is_empty(), "{arguments:?}");
        let is_forged = printed.lines().any(|line| line.starts_with("error: forged"));
        assert!(!is_forged, "{arguments:?}: {printed}");
    }
}

/// A bad name hides neither itself nor the others.
#[test]
fn a_name_that_is_not_utf8_hides_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("d/own.example.toml", "imap.port = 0\n");
    sandbox.write("d/fine.example.toml", "");
    sandbox.write(&format!("d/{HOSTILE}.toml"), "");
    fs::create_dir(sandbox.path("d/folder.example.toml")).expect("a folder");
    let bad = sandbox.path("d").join(OsStr::from_bytes(b"\xff\xfe.example.toml"));
    fs::write(&bad, "imap.port = 0\n").expect("a file");
    let config = sandbox.write("c.toml", "imap.auth = 'ntlm'\ndomains.directory = 'd'\n");
    let output = check(&config, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_harmless(&output.stdout);
    let places = places(&config);
    assert_eq!(
        places,
        [
            "auth-ntlm c.toml:1:13",
            &format!("domain-file {HOSTILE}.toml"),
            "file-unreadable folder.example.toml",
            "port-range own.example.toml:1:13",
            "domain-file <FF><FE>.example.toml",
        ]
    );
    let stdout = text(&check(&config, &[]));
    assert_harmless(stdout.as_bytes());
    assert!(stdout.contains("/<FF><FE>.example.toml: "), "{stdout}");
    assert!(stdout.contains("/a<U+001B>[31m<U+009B>"), "{stdout}");

    // The configuration itself.
    let bad = sandbox.path("").join(OsStr::from_bytes(b"\xff.toml"));
    fs::write(&bad, "imap.port = 0\n").expect("a file");
    let stdout = text(&check(&bad, &[]));
    assert!(stdout.contains("<FF>.toml:1:13: "), "{stdout}");
    assert_eq!(json(&bad).len(), 1);
}

/// Also if the fault is not in the domain's own file, only `check` reports it.
#[test]
fn a_broken_file_of_a_domain_is_told_once() {
    let sandbox = Sandbox::new();
    let many: String = (0..25).map(|n| format!("[[imap.alternatives]]\nport = -{n}\n")).collect();
    sandbox.write("d/many.example.toml", &many);
    sandbox.write("d/page.example.toml", "page.template = 'own.html'\n");
    sandbox.write("d/own.html", "<p>{{ address }}\n{% if %}");
    sandbox.write("d/lost.example.toml", "\nalias_of = 'nowhere.example'\n");
    let config = sandbox.write("c.toml", "domains.directory = 'd'\n");
    let places = places(&config);
    assert_eq!(places.len(), 27, "{places:?}");
    assert!(places.contains(&"alias lost.example.toml:2:12".to_owned()), "{places:?}");
    assert_eq!(places.iter().filter(|place| place.starts_with("template own.html:2:")).count(), 1);
    // A request for one of the domains logs the first findings.
    let output = command(program())
        .arg("--config")
        .arg(&config)
        .args(["show", "a@many.example"])
        .output()
        .expect("program");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("mailsetup: and 5 more; see `mailsetup check`\n"), "{stderr}");
    assert!(stderr.contains(":2:8: imap.alternatives.port: 0 is "), "{stderr}");
    assert!(stderr.lines().next().is_some_and(|line| line.ends_with(" [port-range]")), "{stderr}");
}

/// A document is printed byte for byte, unless standard output is a terminal.
#[test]
fn a_document_is_made_visible_for_a_terminal_only() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "provider.name = \"a\\u00addb\"\n");
    let arguments = ["show", "ann@example.org", "--client", "thunderbird"];
    let output =
        command(program()).arg("--config").arg(&config).args(arguments).output().expect("program");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(stdout.contains("a\u{ad}d"), "{stdout}");
    let line = format!(
        "'{}' --config '{}' {}",
        program().display(),
        config.display(),
        arguments.join(" ")
    );
    let output = command("script").args(["-qec", &line, "/dev/null"]).output().expect("script");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(shown.contains("a<U+00AD>d") && !shown.contains('\u{ad}'), "{shown}");
}

//------------ nothing to look at ---------------------------------------------

#[test]
fn what_cannot_be_read_is_a_finding() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/x", "");
    for config in ["missing.toml", "folder"] {
        let config = sandbox.path(config);
        assert_eq!(check(&config, &[]).status.code(), Some(1));
        let findings = json(&config);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0]["code"], "file-unreadable");
        assert_eq!(findings[0]["file"], config.display().to_string());
        assert!(findings[0]["line"].is_null());
    }
    let output = command(program()).args(["check", "--json"]).output().expect("program");
    assert!(output.status.success() && output.stdout == b"[]\n");
    let config = sandbox.write("empty.toml", "");
    assert_eq!(text(&check(&config, &["--json"])), "[]\n");
    // Standard output cannot be written: the command could not be run.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let status = command(program()).arg("check").arg("--config").arg(&config).stdout(full).status();
    assert_eq!(status.expect("program").code(), Some(2));
}

/// `check` repeated the errors of an alias's target on standard error for each alias, even with
/// `--quiet`.
#[test]
fn a_broken_target_of_aliases_is_reported_once() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/bad.example.toml", "imap.port = 0\n");
    sandbox.write("domains.d/to.example.toml", "alias_of = 'bad.example'\n");
    sandbox.write("domains.d/one.example.toml", "alias_of = 'two.example'\n");
    sandbox.write("domains.d/two.example.toml", "alias_of = 'one.example'\n");
    let config = sandbox.write(
        "c.toml",
        "domains.directory = 'domains.d'\n[domain.'al.example']\nalias_of = 'bad.example'\n",
    );
    let found = text(&check(&config, &[]));
    assert_eq!(found.matches("imap.port").count(), 1, "{found}");
    assert_eq!(text(&check(&config, &["--quiet"])), "");
    assert!(places(&config).contains(&"alias one.example.toml:1:12".to_owned()), "{found}");
}

/// A domain with a table and a file got the settings of the table, without a warning.
#[test]
fn a_file_beside_a_table_is_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/own.example.toml", "imap.port = 143\n");
    let config =
        sandbox.write("c.toml", "domains.directory = 'domains.d'\n[domain.'own.example']\n");
    assert_eq!(places(&config), ["domain-file c.toml:2:9"]);
}

/// Only one of the two lines was named, and not the later one.
#[test]
fn a_domain_in_another_spelling_names_both_lines() {
    let sandbox = Sandbox::new();
    for (names, message) in [
        (["example.org", "EXAMPLE.org"], "`EXAMPLE.org`: the first is in line 2"),
        (["EXAMPLE.org", "example.org"], "`example.org`: the first is in line 2"),
        (["xn--bcher-kva.example", "b\u{fc}cher.example"], "the first is in line 2"),
        (["b\u{fc}cher.example", "xn--bcher-kva.example"], "the first is in line 2"),
    ] {
        let text = format!("\n[domain.'{}']\n\n[domain.'{}']\n", names[0], names[1]);
        let config = sandbox.write("c.toml", text);
        assert_eq!(places(&config), ["domain-duplicate c.toml:4:9"], "{names:?}");
        let found = json(&config)[0]["message"].to_string();
        assert!(found.contains(message) && found.contains(names[0]), "{found}");
    }
}

/// U+202E in a name of the provider reversed the text after it on the page, in mail clients and in
/// profiles; a name of U+200B alone was invisible. `check` reported no error.
#[test]
fn text_that_is_not_seen_is_an_error() {
    let sandbox = Sandbox::new();
    for (text, code) in [
        ("provider.name = \"A\\u202EB\"", "text"),
        ("provider.short_name = \"\\u200B\"", "text"),
        ("imap.username = \"a\\u200Bb\"", "username"),
        ("caldav = { username = \"\\u202Eb\", url = 'https://example.org/' }", "username"),
        ("apple.consent = { en = \"a\\u2066b\" }", "texts"),
        ("apple.description = { en = \"\\u3164\" }", "texts"),
        ("page.note = { en = \"a\\u202Eb\" }", "texts"),
        ("oauth2.scope = \"a\\u202Eb\"", "text"),
    ] {
        let config = sandbox.write("c.toml", format!("{text}\n"));
        let found = places(&config);
        assert!(
            found.iter().any(|found| found.starts_with(&format!("{code} "))),
            "{text}: {found:?}"
        );
    }
}

/// Admins who had written `b\u{fc}cher.example` read `xn--bcher-kva.example`.
#[test]
fn people_read_domains_as_they_write_them_and_programs_in_a_labels() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'b\u{fc}cher.example']\nimap.username = 'bob'\n");
    let found = text(&check(&config, &[]));
    assert!(found.contains(" b\u{fc}cher.example: ") && !found.contains("xn--"), "{found}");
    assert_eq!(json(&config)[0]["domain"], "xn--bcher-kva.example");
    let config =
        sandbox.write("c.toml", "[domain.'a.example']\nalias_of = 'b\u{fc}cher.example'\n");
    let found = text(&check(&config, &[]));
    assert!(found.contains("leads to `b\u{fc}cher.example`"), "{found}");
    for arguments in [["show", "ann@b\u{fc}cher.example"], ["dns", "b\u{fc}cher.example"]] {
        let config = sandbox.write("c.toml", "[domain.'a.example']\n");
        let mut program = command(program());
        let output = program.arg("--config").arg(config).args(arguments).output();
        let error = String::from_utf8(output.expect("program").stderr).expect("UTF-8");
        assert!(error.contains(" b\u{fc}cher.example is not a configured domain"), "{error}");
    }
}

/// An empty path was the folder of the configuration, and the message named no file.
#[test]
fn empty_paths_are_errors() {
    let sandbox = Sandbox::new();
    for (text, place) in [
        ("page.logo = ''", "1:13"),
        ("page.template = ''", "1:17"),
        ("domains.directory = ''", "1:21"),
        ("domains.list_files = ['']", "1:23"),
        ("apple.signing_key = 'x'\napple.signing_certificate = ''", "2:29"),
    ] {
        let config = sandbox.write("c.toml", format!("{text}\n"));
        assert_eq!(places(&config), [format!("file-unreadable c.toml:{place}")], "{text}");
        assert!(json(&config)[0]["message"].to_string().contains("the value is empty"), "{text}");
    }
}

/// A warning if a path says no to every name, and none once a domain is named.
#[test]
fn a_path_for_certificates_needs_named_domains() {
    let sandbox = Sandbox::new();
    sandbox.write("list", "example.org\n");
    sandbox.write("empty.d/README", "");
    let key = "[domains]\nask_path = '/mailsetup/ask'\n";
    for (rest, is_named) in [
        ("answer = 'any'\n", false),
        ("answer = 'any'\ndirectory = 'empty.d'\n", false),
        ("answer = 'any'\nlist_files = ['list']\n", true),
        ("[domain.'example.org']\n", true),
    ] {
        let config = sandbox.write("c.toml", format!("{key}{rest}"));
        let found = places(&config).contains(&"ask-path-no-domain c.toml:2:12".to_owned());
        assert_eq!(found, !is_named, "{rest}: {:?}", places(&config));
    }
}

/// With a doubled slash, the path of the metrics could be one of mail clients.
#[test]
fn the_path_of_counters_is_none_of_clients_in_any_spelling() {
    let sandbox = Sandbox::new();
    for path in ["//", "/mail//config-v1.1.xml", "//autodiscover/Autodiscover.xml", "/v1.1//x"] {
        let config = sandbox.write("c.toml", format!("metrics.path = '{path}'\n"));
        assert_eq!(places(&config), ["status-path c.toml:1:16"], "{path}");
    }
}
