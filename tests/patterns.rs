//! Patterns `*.example.org` and the default table `[domain."*"]`: whom they name, and which settings
//! count for a domain.

use crate::common::http::{Request, Response};
use crate::common::{Sandbox, cgi, command, program};
use std::ffi::OsStr;
use std::path::Path;

fn ask(config: &Path, request: Request) -> Response {
    ask_with(config, request, &[])
}

fn ask_with(config: &Path, request: Request, variables: &[(&str, &str)]) -> Response {
    let mut all = vec![("MAILSETUP_CONFIG", config.as_os_str())];
    all.extend(variables.iter().map(|(name, value)| (*name, OsStr::new(value))));
    cgi::send(&program(), &request, &all).expect("an answer")
}

/// The settings that are found: the host of the first server, or the status.
fn host(response: &Response) -> String {
    let text = response.text();
    match text.split_once("<hostname>") {
        Some((_, rest)) => rest.split('<').next().expect("a host").to_owned(),
        None => response.status.to_string(),
    }
}

fn by_address(config: &Path, domain: &str) -> String {
    let path = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
    host(&ask(config, Request::get(path).host("x.invalid")))
}

/// The domain of the document that is found by a Host, and its host.
fn by_host(config: &Path, name: &str) -> String {
    let response = ask(config, Request::get("/mail/config-v1.1.xml").host(name));
    let text = response.text();
    match text.split_once("<domain>") {
        Some((_, rest)) => {
            format!("{} {}", rest.split('<').next().expect("a domain"), host(&response))
        }
        None => response.status.to_string(),
    }
}

fn check(config: &Path, arguments: &[&str]) -> String {
    let output = command(program())
        .arg("check")
        .arg("--config")
        .arg(config)
        .args(arguments)
        .output()
        .expect("program");
    String::from_utf8(output.stdout).expect("UTF-8")
}

//------------ settings ------------------------------------------------------

#[test]
fn the_narrowest_settings_count() {
    let sandbox = Sandbox::new();
    let table = |name: &str, host: &str| format!("[domain.'{name}']\nimap.host = '{host}'\n");
    let tables = [
        table("*", "all.invalid"),
        table("*.example.org", "wide.invalid"),
        table("*.a.Example.org.", "narrow.invalid"),
        table("x.a.example.org", "own.invalid"),
        table("*.b\u{fc}cher.example", "international.invalid"),
    ];
    sandbox.write("list", "listed.example\nlisted.example.org\n");
    let listed = "domains.list_files = ['list']\n";
    let any = "domains.answer = 'any'\n";
    for (first, without) in [(listed, "404"), (any, "all.invalid")] {
        let config = sandbox.write("c.toml", format!("{first}{}", tables.concat()));
        for (domain, expected) in [
            ("x.a.example.org", "own.invalid"),
            ("y.a.example.org", "narrow.invalid"),
            ("z.x.a.example.org", "narrow.invalid"),
            // The domain behind `*.` is not one of those below it.
            ("a.example.org", "wide.invalid"),
            ("b.example.org", "wide.invalid"),
            ("listed.example.org", "wide.invalid"),
            ("d.c.b.example.org", "wide.invalid"),
            ("x.xn--bcher-kva.example", "international.invalid"),
            ("example.org", without),
            ("other.example", without),
            ("notexample.org", without),
        ] {
            assert_eq!(by_address(&config, domain), expected, "{domain} with {first}");
        }
        assert_eq!(by_address(&config, "listed.example"), "all.invalid");
    }
}

/// A pattern names domains, and the default table does not.
#[test]
fn the_default_table_names_nobody() {
    let sandbox = Sandbox::new();
    for (text, expected) in [
        ("[domain.'*']\nimap.host = 'all.invalid'\n", "all.invalid"),
        ("domains.answer = 'any'\n[domain.'*']\nimap.host = 'all.invalid'\n", "all.invalid"),
        ("[domain.'*']\nimap.host = 'all.invalid'\n[domain.'own.example']\n", "404"),
        ("[domain.'*.own.example']\n", "404"),
    ] {
        let config = sandbox.write("c.toml", text);
        assert_eq!(by_address(&config, "other.example"), expected, "{text}");
    }
    let config = sandbox.write("c.toml", "domains.answer = 'listed'\n[domain.'*']\n");
    assert!(check(&config, &[]).contains("[nobody-answered]"), "{}", check(&config, &[]));
    let config = sandbox.write("c.toml", "domains.answer = 'listed'\n[domain.'*.own.example']\n");
    assert!(check(&config, &[]).ends_with("no errors, no warnings; 1 pattern\n"));
}

/// A pattern inherits from the tables at the top, and from no wider pattern.
#[test]
fn a_pattern_inherits_from_the_top_alone() {
    let sandbox = Sandbox::new();
    let text = "imap.host = 'top.invalid'\n\
                [domain.'*']\nimap.host = 'all.invalid'\n\
                [domain.'*.example.org']\nimap.host = 'wide.invalid'\n\
                [domain.'*.a.example.org']\nprovider.name = 'Narrow'\n\
                [domain.'*.f.example.org']\nimap.host = 'mail.%EMAILDOMAIN%'\n";
    let config = sandbox.write("c.toml", text);
    assert_eq!(by_address(&config, "x.a.example.org"), "top.invalid");
    assert_eq!(by_address(&config, "x.f.example.org"), "mail.x.f.example.org");
}

#[test]
fn aliases_lead_from_and_to_patterns() {
    let sandbox = Sandbox::new();
    let text = "[domain.'own.example']\nimap.host = 'imap.%EMAILDOMAIN%'\n\
                [domain.'*.old.example']\nalias_of = 'own.example'\n\
                [domain.'*.new.example']\nimap.host = 'imap.%EMAILDOMAIN%'\n\
                [domain.'to.example']\nalias_of = 'a.new.example'\n\
                [domain.'*.twice.example']\nalias_of = 'x.old.example'\n";
    let config = sandbox.write("c.toml", text);
    for (domain, expected) in [
        ("x.old.example", "imap.own.example"),
        ("to.example", "imap.a.new.example"),
        ("x.twice.example", "imap.own.example"),
    ] {
        assert_eq!(by_address(&config, domain), expected, "{domain}");
    }
    assert!(
        check(&config, &[]).ends_with("no errors, no warnings; 2 domains and 3 patterns\n"),
        "{}",
        check(&config, &[])
    );
    for (text, message) in [
        (
            "[domain.'*.own.example']\nalias_of = 'a.own.example'\n",
            "c.toml:2:12: the alias of `*.own.example` is part of a circle [alias]",
        ),
        (
            "[domain.'*.own.example']\nalias_of = 'own.example'\n",
            "c.toml:2:12: the alias of `*.own.example` leads to `own.example`, which is not \
             configured [alias]",
        ),
        (
            "[domain.'*']\nalias_of = 'other.example'\n",
            "c.toml:2:12: the alias of `*` is part of a circle [alias]",
        ),
        (
            "[domain.'*.own.example']\nalias_of = 'x.other.example'\n\
             [domain.'*.other.example']\nalias_of = 'x.own.example'\n",
            "c.toml:2:12: the alias of `*.own.example` is part of a circle [alias]",
        ),
    ] {
        let config = sandbox.write("c.toml", text);
        let found = check(&config, &[]);
        assert!(found.contains(message), "{text}: {found}");
    }
}

//------------ Hosts ---------------------------------------------------------

/// `*.example.org` would name every host for clients below example.org.
#[test]
fn a_pattern_does_not_name_the_host_that_clients_ask() {
    let sandbox = Sandbox::new();
    let pattern = "[domain.'*.example.org']\nimap.host = 'pattern.invalid'\n";
    let own = "[domain.'example.org']\nimap.host = 'own.invalid'\n";
    let host = "[domain.'autoconfig.example.org']\nimap.host = 'host.invalid'\n";
    let below = "[domain.'autoconfig.a.example.org']\nimap.host = 'host.invalid'\n";
    let all = "[domain.'*']\nimap.host = 'all.invalid'\n";
    let any = "domains.answer = 'any'\n";
    for (parts, name, expected) in [
        // A host of a domain of the pattern leads to that domain.
        (&[pattern][..], "autoconfig.a.example.org", "a.example.org pattern.invalid"),
        (&[pattern], "www.a.example.org", "a.example.org pattern.invalid"),
        (&[pattern], "autodiscover.b.a.example.org", "b.a.example.org pattern.invalid"),
        (&[pattern], "a.example.org", "a.example.org pattern.invalid"),
        (&[pattern, below], "autoconfig.a.example.org", "autoconfig.a.example.org host.invalid"),
        (&[pattern, below], "autoconfig.b.example.org", "b.example.org pattern.invalid"),
        // Only one prefix is removed.
        (&[pattern], "www.autoconfig.example.org", "autoconfig.example.org pattern.invalid"),
        (&[pattern, own], "autoconfig.www.example.org", "www.example.org pattern.invalid"),
        // A host of the domain behind `*.` leads to that domain, named or not.
        (&[pattern], "autoconfig.example.org", "404"),
        (&[pattern], "example.org", "404"),
        (&[pattern, own], "autoconfig.example.org", "example.org own.invalid"),
        (&[pattern, own], "www.example.org", "example.org own.invalid"),
        (&[pattern, own, host], "autoconfig.example.org", "autoconfig.example.org host.invalid"),
        (&[pattern, own, host], "autodiscover.example.org", "example.org own.invalid"),
        (&[pattern, all], "autoconfig.example.org", "404"),
        (&[any, pattern, all], "autoconfig.example.org", "example.org all.invalid"),
        (&[any, pattern], "autoconfig.a.example.org", "a.example.org pattern.invalid"),
    ] {
        let config = sandbox.write("c.toml", parts.concat());
        assert_eq!(by_host(&config, name), expected, "{name} with {parts:?}");
    }
    // An address is what its owner wrote: nothing is removed from its domain.
    let config = sandbox.write("c.toml", pattern);
    assert_eq!(by_address(&config, "autoconfig.example.org"), "pattern.invalid");
}

/// Where an address decides, the domain that the Host stands for is in the document, too.
#[test]
fn the_domain_of_the_host_is_written_beside_that_of_the_address() {
    let sandbox = Sandbox::new();
    let config = sandbox
        .write("c.toml", "[domain.'*.example.org']\n[domain.'own.example']\nimap.port = 143\n");
    let path = |domain: &str| format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
    for (address, name, domains) in [
        ("a.example.org", "autoconfig.a.example.org", &["a.example.org"][..]),
        ("a.example.org", "autoconfig.b.example.org", &["a.example.org", "b.example.org"]),
        ("a.example.org", "autoconfig.example.org", &["a.example.org"]),
        ("own.example", "autoconfig.a.example.org", &["own.example", "a.example.org"]),
        ("own.example", "autoconfig.own.example", &["own.example"]),
    ] {
        let text = ask(&config, Request::get(path(address)).host(name)).text();
        let found: Vec<_> =
            text.split("<domain>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        assert_eq!(found, domains, "{address} at {name}");
    }
}

//------------ names ---------------------------------------------------------

#[test]
fn a_name_that_is_no_pattern_is_refused() {
    let sandbox = Sandbox::new();
    for name in ["*.org", "*example.org", "a.*.example.org", "**", "example.*", "*.*.example.org"] {
        let config = sandbox.write("c.toml", format!("\n[domain.'{name}']\n"));
        let expected = format!(
            "c.toml:2:9: `{name}` is not a pattern of domains; expected `*.` and a domain of 2 to \
             17 labels, like *.example.org [domain-name]"
        );
        assert!(check(&config, &[]).contains(&expected), "{}", check(&config, &[]));
    }
    for (first, second) in
        [("*.example.org", "*.EXAMPLE.org."), ("*.b\u{fc}cher.example", "*.xn--bcher-kva.example")]
    {
        let text = format!("\n[domain.'{first}']\n[domain.'{second}']\n");
        let found = check(&sandbox.write("c.toml", text), &[]);
        let message = format!("duplicate domain `{second}`: the first is in line 2");
        assert!(found.contains(&message), "{found}");
    }
}

#[test]
fn check_finds_the_settings_of_patterns() {
    let sandbox = Sandbox::new();
    let text = "[domain.'own.example']\n\
                [domain.'*.example.org']\nimap.port = 143\nimap.security = 'none'\n\
                [domain.'*']\nprovider.name = \"A name that is longer than the sixty characters that \
                clients allow for it\"\n";
    let config = sandbox.write("c.toml", text);
    let found = check(&config, &[]);
    for expected in [
        "c.toml:4:17: imap: ",
        "[security-none]",
        "c.toml:6:17: provider.name: 73 characters; it is cut after 60",
        "; 1 domain and 1 pattern\n",
    ] {
        assert!(found.contains(expected), "{expected} in {found}");
    }
    let any = sandbox.write("c.toml", format!("domains.answer = 'any'\n{text}"));
    let found = check(&any, &[]);
    assert!(found.ends_with("; 1 domain and 1 pattern named, and any other is answered\n"));
    assert_eq!(found.matches("provider.name: 73").count(), 1, "{found}");
}

#[test]
fn a_variable_may_name_patterns() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'*']\nimap.host = 'all.invalid'\n");
    let variable = [("MAILSETUP_DOMAINS", "own.example, *.Example.org, *.b\u{fc}cher.example")];
    for (domain, expected) in [
        ("own.example", "all.invalid"),
        ("a.example.org", "all.invalid"),
        ("a.xn--bcher-kva.example", "all.invalid"),
        ("example.org", "404"),
        ("a.own.example", "404"),
    ] {
        let path = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
        let response = ask_with(&config, Request::get(path).host("x.invalid"), &variable);
        assert_eq!(host(&response), expected, "{domain}");
    }
    for (value, message) in [
        ("*.org", "`*.org` is not a pattern of domains"),
        ("*", "`*` names no domain; set MAILSETUP_DOMAINS_ANSWER=any"),
        ("a.example *.b.example", "expected commas between domains"),
    ] {
        let mut command = command(program());
        command.args(["check", "--config"]).arg(&config).env("MAILSETUP_DOMAINS", value);
        let output = command.output().expect("program");
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(found.contains(message) && found.contains("[domain-name]"), "{found}");
    }
}
