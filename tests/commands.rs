//! The commands: their output and exit status.

use crate::common::{Sandbox, command, copy_program, program, run, write_program};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Output;

fn mailsetup(arguments: &[&str]) -> Output {
    command(program()).args(arguments).output().expect("program")
}

/// Standard output of a command that must succeed.
fn stdout(arguments: &[&str]) -> String {
    let output = mailsetup(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Exit status and standard error of a command that must fail.
fn failure(arguments: &[&str]) -> (i32, String) {
    let output = mailsetup(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    (
        output.status.code().expect("an exit status"),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// A terminal of 80 columns breaks longer lines in the middle of a word.
#[test]
fn help_fits_into_80_columns() {
    for command in ["serve", "show", "dns", "names", "check", "hook", "health"] {
        for line in stdout(&[command, "--help"]).lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
    }
}

#[test]
fn without_arguments_there_is_help_and_status_2() {
    let (status, stderr) = failure(&[]);
    assert_eq!(status, 2);
    assert!(stderr.contains("Usage: mailsetup") && stderr.contains("serve"), "{stderr}");
    assert!(stdout(&["--help"]).contains("Usage: mailsetup"));
    assert_eq!(failure(&["sevre"]).0, 2);
}

#[test]
fn version_names_openssl_or_its_lack() {
    let version = stdout(&["--version"]);
    assert!(
        version.starts_with(concat!("mailsetup ", env!("CARGO_PKG_VERSION"), ", ")),
        "{version}"
    );
    assert_eq!(version.contains("OpenSSL"), cfg!(feature = "sign"), "{version}");
}

#[test]
fn show_prints_what_each_client_gets() {
    let thunderbird = stdout(&["show", "ann@example.org", "--client", "thunderbird"]);
    assert!(
        thunderbird.starts_with("<?xml ") && thunderbird.contains("<clientConfig version=\"1.1\">")
    );
    let outlook = stdout(&["show", "ann@example.org", "--client", "outlook"]);
    assert!(outlook.contains("<LoginName>ann@example.org</LoginName>"));
    let apple = stdout(&["show", "ann@example.org", "--client", "apple"]);
    assert!(apple.contains("<plist version=\"1.0\">"));
    let json = stdout(&["show", "ann@example.org", "--client", "json"]);
    let place: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let url = "https://autodiscover.example.org/autodiscover/autodiscover.xml";
    assert_eq!(place, serde_json::json!({ "Protocol": "AutodiscoverV1", "Url": url }));
    let page = stdout(&["show", "ann@example.org", "--client", "page"]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("ann@example.org"), "{page}");
    let records = stdout(&["show", "ann@example.org", "--client", "dns"]);
    assert_eq!(records, stdout(&["dns", "example.org"]));
    let all = stdout(&["show", "ann@example.org"]);
    for document in [thunderbird, outlook, json, apple] {
        assert!(all.contains(&document));
    }
    assert!(!all.contains("<!DOCTYPE html>") && !all.contains(" IN SRV "), "{all}");
    let v2 = "### GET https://autodiscover.example.org/autodiscover/autodiscover.json/v1.0/ann@example.org?Protocol=AutodiscoverV1\n";
    assert!(all.contains(v2), "{all}");
    assert!(
        all.contains("### POST https://autodiscover.example.org/autodiscover/autodiscover.xml")
    );
}

/// PACC is among the documents if it is enabled; otherwise, the reason is printed.
#[test]
fn show_prints_pacc_where_it_is_enabled() {
    let sandbox = Sandbox::new();
    let text = "smtp.port = 465\n[domain.'on.example']\npacc.enabled = true\n[domain.'off.example']\n\
                [domain.'empty.example']\npacc.enabled = true\nsmtp.port = 587\n";
    let config = sandbox.write("c.toml", text);
    let config = config.to_str().expect("UTF-8");
    let document = stdout(&["--config", config, "show", "--client", "pacc", "ann@on.example"]);
    assert!(document.starts_with('{') && document.contains("\"host\": \"mail.on.example\""));
    let all = stdout(&["--config", config, "show", "ann@on.example"]);
    let line =
        "### GET https://ua-auto-config.on.example/.well-known/user-agent-configuration.json\n";
    assert!(all.contains(&format!("{line}### 200 application/json\n{document}")), "{all}");
    assert!(!stdout(&["--config", config, "show", "ann@off.example"]).contains("ua-auto-config"));
    assert!(
        stdout(&["--config", config, "show", "ann@empty.example"])
            .contains("/user-agent-configuration.json\n### 404 ")
    );
    for (address, says) in [
        ("ann@off.example", "PACC is not enabled for off.example"),
        (
            "ann@empty.example",
            "no PACC document is published for empty.example; see `mailsetup check`",
        ),
    ] {
        let (status, stderr) = failure(&["--config", config, "show", "--client", "pacc", address]);
        assert_eq!((status, stderr.contains(says)), (1, true), "{stderr}");
    }
}

/// An address may contain characters that end a path.
#[test]
fn show_asks_for_any_address() {
    for address in
        ["a?b@example.org", "a/b#c@example.org", "50%25@example.org", "a&b+c@example.org"]
    {
        let json = stdout(&["show", address, "--client", "json"]);
        assert!(json.contains("/autodiscover/autodiscover.xml"), "{address}: {json}");
        let outlook = stdout(&["show", address, "--client", "outlook"]);
        let login = address.replace('&', "&amp;");
        assert!(outlook.contains(&format!("<LoginName>{login}</LoginName>")), "{outlook}");
    }
}

#[test]
fn show_says_why_there_is_nothing() {
    let (status, stderr) = failure(&["show", "ann"]);
    assert_eq!((status, stderr.contains("it has no @")), (2, true), "{stderr}");
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    let config = config.to_str().expect("UTF-8");
    for client in ["thunderbird", "outlook", "json", "apple", "pacc", "page", "dns", "all"] {
        let (status, stderr) =
            failure(&["show", "--config", config, "--client", client, "a@other.example"]);
        assert_eq!((status, stderr.lines().count()), (1, 1), "{client}: {stderr}");
    }
}

/// The file is printed for Outlook only, and only if the service would send settings.
#[test]
fn show_says_why_there_is_no_local_file() {
    let sandbox = Sandbox::new();
    let text = "imap.auth = 'oauth2'\npop3.auth = 'oauth2'\nsmtp.auth = 'oauth2'\n[oauth2]\n\
                issuer = 'id.example.org'\nscope = 'mail'\nclient_id = 'x'\n\
                authorization_url = 'https://id.example.org/authorize'\n\
                token_url = 'https://id.example.org/token'\n[domain.'example.org']\n";
    let config = sandbox.write("c.toml", text);
    let config = config.to_str().expect("UTF-8");
    let long = format!("ann@{}.example", vec!["a"; 121].join("."));
    for (options, address, status, says) in [
        (vec!["--client", "outlook"], "ann@other.example", 1, "other.example is not"),
        (vec!["--client", "outlook"], "ann@example.org", 1, "cannot be found"),
        (vec![], "ann@example.org", 2, "--local-xml needs --client outlook"),
        (vec!["--client", "json"], "ann@example.org", 2, "--local-xml needs --client outlook"),
        (vec!["--client", "outlook"], &long, 2, "--local-xml: autodiscover.a.a."),
    ] {
        let mut arguments = vec!["show", "--config", config, "--local-xml", address];
        arguments.extend(&options);
        let (code, stderr) = failure(&arguments);
        assert_eq!((code, stderr.contains(says)), (status, true), "{options:?}: {stderr}");
    }
    for host in ["", "mail", "mail.example.org/", "https://mail.example.org", "a b.example"] {
        let option = format!("--local-xml={host}");
        let (code, stderr) =
            failure(&["show", "ann@example.org", "--client", "outlook", option.as_str()]);
        assert_eq!((code, stderr.contains("--local-xml: ")), (2, true), "{host}: {stderr}");
    }
}

//------------ dns -----------------------------------------------------------

#[test]
fn dns_is_accepted_by_named_checkzone() {
    let sandbox = Sandbox::new();
    let config = sandbox.write(
        "c.toml",
        "[domain.'bücher.example']\nsmtp.security = 'tls'\n[domain.'example.org']\n",
    );
    let config = config.to_str().expect("UTF-8");
    for domain in ["example.org", "bücher.example", "XN--BCHER-KVA.example."] {
        // A complete zone is accepted unchanged.
        let alone = stdout(&["--config", config, "dns", domain, "--soa"]);
        // Records for pasting, pasted into a zone.
        let head = "@ 3600 IN SOA ns.example. host.example. 1 7200 900 1209600 3600\n@ 3600 IN NS ns.example.\n";
        let pasted = head.to_owned()
            + &stdout(&["--config", config, "dns", domain, "--web-host", "www.host.example"]);
        let ascii =
            if domain.starts_with("example") { "example.org" } else { "xn--bcher-kva.example" };
        for (name, zone) in [("alone", alone), ("pasted", pasted)] {
            let file = sandbox.write(name, &zone);
            run(command("named-checkzone").arg(ascii).arg(file));
            assert!(zone.is_ascii());
        }
    }
}

#[test]
fn dns_names_every_service_and_says_what_is_missing() {
    let zone = stdout(&["dns", "example.org", "--web-host", "www.example.net"]);
    let records: Vec<_> = zone
        .lines()
        .filter(|line| !line.starts_with(';'))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        records,
        [
            "autoconfig.example.org. 3600 IN CNAME www.example.net.",
            "autodiscover.example.org. 3600 IN CNAME www.example.net.",
            "_imaps._tcp.example.org. 3600 IN SRV 0 0 993 mail.example.org.",
            "_imap._tcp.example.org. 3600 IN SRV 0 0 0 .",
            "_pop3s._tcp.example.org. 3600 IN SRV 20 0 995 mail.example.org.",
            "_pop3._tcp.example.org. 3600 IN SRV 0 0 0 .",
            "_submissions._tcp.example.org. 3600 IN SRV 0 0 0 .",
            "_submission._tcp.example.org. 3600 IN SRV 10 0 587 mail.example.org.",
        ]
    );
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&["dns", "example.org", "--json"])).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(8));
    assert_eq!(
        json[2],
        serde_json::json!({
            "domain": "example.org", "zone": "example.org.",
            "name": "_imaps._tcp.example.org.", "ttl": 3600, "type": "SRV",
            "data": "0 0 993 mail.example.org.",
            "priority": 0, "weight": 0, "port": 993, "target": "mail.example.org.",
        })
    );
}

/// Off by default; with the option, a record, and a warning about the effect on users.
#[test]
fn dns_leads_to_autodiscover_elsewhere_on_request() {
    assert!(!stdout(&["dns", "example.org"]).contains("_autodiscover"));
    let name = "_autodiscover._tcp.example.org.";
    for (host, target) in [
        ("autodiscover.hoster.example", "autodiscover.hoster.example."),
        ("Mail.Bücher.example.", "mail.xn--bcher-kva.example."),
    ] {
        let arguments = ["dns", "example.org", "--soa", "--autodiscover-srv", host];
        let zone = stdout(&arguments);
        let line = zone.lines().find(|line| line.starts_with(name)).expect("a record");
        assert!(line.ends_with(&format!(" 3600 IN SRV   0 0 443 {target}")), "{line}");
        let comment: String = zone.lines().filter(|line| line.starts_with(';')).collect();
        assert!(comment.contains("Outlook asks its user whether to trust it"), "{comment}");
        assert!(comment.contains("Thunderbird asks if no Autodiscover"), "{comment}");
        let sandbox = Sandbox::new();
        run(command("named-checkzone").arg("example.org").arg(sandbox.write("zone", &zone)));
        let json: serde_json::Value = serde_json::from_str(&stdout(&[
            "dns",
            "example.org",
            "--json",
            "--autodiscover-srv",
            host,
        ]))
        .expect("JSON");
        let data = format!("0 0 443 {target}");
        let mut records = json.as_array().expect("records").iter();
        let is_it = |record: &&serde_json::Value| record["name"] == name;
        assert_eq!(records.find(is_it).expect("a record")["data"], data, "{json}");
    }
    for host in
        ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "localhost", "a b.example", "_x.example", ""]
    {
        let (status, stderr) = failure(&["dns", "example.org", "--autodiscover-srv", host]);
        assert_eq!(status, 2, "{host}");
        assert!(stderr.contains("--autodiscover-srv: "), "{stderr}");
    }
    // The name of this record is the longest.
    let label = "a".repeat(63);
    let domain = [&label[..], &label, &label, &"b".repeat(43)].join(".");
    assert_eq!((domain.len(), stdout(&["dns", &domain]).contains("_submissions")), (235, true));
    let (status, stderr) = failure(&["dns", &domain, "--autodiscover-srv", "a.example"]);
    assert_eq!((status, stderr.contains("too long for SRV records")), (1, true), "{stderr}");
}

#[test]
fn dns_refuses_what_is_no_domain_of_ours() {
    for (arguments, status) in
        [(&["dns", "example"][..], 2), (&["dns", "example.org", "--web-host", "a b"], 2)]
    {
        assert_eq!(failure(arguments).0, status, "{arguments:?}");
    }
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    let (status, stderr) =
        failure(&["dns", "other.example", "--config", config.to_str().expect("UTF-8")]);
    assert_eq!(status, 1);
    assert!(stderr.contains("other.example is not a configured domain"), "{stderr}");
}

//------------ check ---------------------------------------------------------

#[test]
fn check_warns_of_what_breaks_some_client() {
    let sandbox = Sandbox::new();
    let text = "imap.security = 'none'\npop3.port = 995\npop3.security = 'starttls'\nsmtp.auth = 'ntlm'\nsmtp.port = 587\n\
                smtp.security = 'tls'\nimap.username = '%EMAILLOCALPART%'\nsmtp.username = 'x-%EMAILLOCALPART%'\n\
                [domain.'example.org']\n[domain.'example.net']\n";
    let config = sandbox.write("c.toml", text);
    let config = config.to_str().expect("UTF-8");
    let report = stdout(&["--config", config, "check"]);
    for part in [
        "imap: without TLS, Thunderbird for Android",
        "pop3: port 995 is for TLS",
        "smtp: port 587 is for STARTTLS",
        "imap: Geary logs in with the whole address; aerc does not fill in this placeholder",
        "smtp: Geary, FairEmail, Mailspring, EmailEngine and aerc do not understand",
        "smtp: with auth = \"ntlm\" Thunderbird for Android refuses",
    ] {
        assert_eq!(report.matches(part).count(), 1, "{part} in {report}");
    }
    assert!(report.ends_with(": 6 warnings; 2 domains\n"), "{report}");
    assert_eq!(mailsetup(&["--config", config, "check", "--strict"]).status.code(), Some(1));
    let quiet = mailsetup(&["--config", config, "check", "--quiet"]);
    assert!(quiet.status.success() && quiet.stdout.is_empty());
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&["--config", config, "check", "--json"])).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(6));
    assert!(json[0]["level"] == "warning" && json[0]["domain"] == "example.net", "{}", json[0]);
}

#[test]
fn check_names_who_does_not_follow_a_redirect() {
    let sandbox = Sandbox::new();
    let text = "[domain.'a.example'.autodiscover]\nredirect_address = '%EMAILLOCALPART%@c.example'\n\
                [domain.'b.example'.autodiscover]\nredirect_url = 'https://c.example/x'\n";
    let config = sandbox.write("c.toml", text);
    let report = stdout(&["--config", config.to_str().expect("UTF-8"), "check"]);
    for (domain, names) in [
        ("a.example", &["redirect_address", "Delta Chat", "EmailEngine", "FairEmail"][..]),
        ("b.example", &["redirect_url", "Thunderbird", "Delta Chat"][..]),
    ] {
        let line = report.lines().find(|line| line.contains(&format!(" {domain}: ")));
        let line = line.unwrap_or_else(|| panic!("nothing of {domain} in {report}"));
        assert!(names.iter().all(|name| line.contains(name)), "{line}");
    }
}

#[test]
fn check_without_a_file_says_so() {
    let output = command(program()).arg("check").output().expect("program");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        text,
        "built-in defaults (no configuration file): no errors, no warnings; any domain is answered\n"
    );
}

//------------ probe ---------------------------------------------------------

/// A script in place of `mailsetup-probe`.
fn place(sandbox: &Sandbox, folder: &str, script: &str) {
    fs::create_dir_all(sandbox.path(folder)).expect("folder");
    let path = sandbox.path(folder).join("mailsetup-probe");
    write_program(&path, format!("#!/bin/sh\n{script}\n"));
}

/// One that prints where it is, and its arguments.
fn stand_in(sandbox: &Sandbox, folder: &str) {
    place(sandbox, folder, r#"printf '%s\n' "${0%/*}" "$#" "$@"; exit 7"#);
}

/// A copy of the program in an own folder: no other one is beside it.
fn copy(sandbox: &Sandbox) -> PathBuf {
    let copy = sandbox.path("own/mailsetup");
    fs::create_dir_all(sandbox.path("own")).expect("folder");
    copy_program(program(), &copy);
    copy
}

/// Exit status, standard output and standard error of `mailsetup` with these arguments; `more` is a
/// folder at the end of `PATH`.
fn probe(program: &Path, more: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = command(program);
    command.env("PATH", format!("/nowhere:{}", more.display())).args(arguments);
    let output = command.output().expect("program");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn probe_starts_the_program_with_all_arguments() {
    let sandbox = Sandbox::new();
    let (own, other) = (copy(&sandbox), sandbox.path("other"));
    stand_in(&sandbox, "other");
    let lines = |folder: &Path, arguments: &[&str]| {
        let mut lines = format!("{}\n{}\n", folder.display(), arguments.len());
        lines.extend(arguments.iter().flat_map(|argument| [*argument, "\n"]));
        (Some(7), lines, String::new())
    };
    // Options of this program, too, and what clap would take out.
    let all = ["ann@example.org", "--help", "-V", "--config", "x", "--", "--json", "", "a b"];
    for arguments in [&all[..], &["--help"], &["--config"], &["--", "-q"], &[]] {
        let given = [&["probe"], arguments].concat();
        assert_eq!(probe(&own, &other, &given), lines(&other, arguments), "in PATH");
    }
    // The one in the same folder comes first, also by a link in another folder.
    stand_in(&sandbox, "own");
    let link = sandbox.path("link");
    symlink(&own, &link).expect("a link");
    for program in [&own, &link] {
        let expected = lines(&sandbox.path("own"), &["-q"]);
        assert_eq!(probe(program, &other, &["probe", "-q"]), expected);
    }
}

/// It takes the place of this program: the process is the same.
#[test]
fn probe_is_replaced() {
    let sandbox = Sandbox::new();
    let own = copy(&sandbox);
    place(&sandbox, "own", "kill -USR1 $$; sleep 5");
    let status = command(own).arg("probe").status().expect("program");
    assert_eq!(status.signal(), Some(10), "SIGUSR1: {status}");
}

#[test]
fn probe_says_what_is_missing() {
    let sandbox = Sandbox::new();
    let (own, empty) = (copy(&sandbox), sandbox.path("empty"));
    let says = |arguments: &[&str]| {
        let (status, stdout, stderr) = probe(&own, &empty, arguments);
        assert_eq!((status, &*stdout, stderr.lines().count()), (Some(2), "", 1), "{stderr}");
        stderr
    };
    let missing = says(&["probe", "example.org"]);
    assert!(missing.contains("the package mailsetup-probe has it"), "{missing}");
    let refused = says(&["--config", "x", "probe", "--json", "example.org"]);
    assert!(refused.contains("probe reads no configuration"), "{refused}");
    // Not a program: it is not skipped for another one.
    sandbox.write("own/mailsetup-probe", "");
    stand_in(&sandbox, "empty");
    let text = says(&["probe", "example.org"]);
    assert!(text.contains("own/mailsetup-probe cannot be started: Permission denied"), "{text}");
}

/// A web server passes parts of a request as arguments.
#[test]
fn cgi_never_starts_the_program() {
    let sandbox = Sandbox::new();
    let own = copy(&sandbox);
    stand_in(&sandbox, "own");
    let mut cgi = command(own);
    cgi.env("GATEWAY_INTERFACE", "CGI/1.1").env("REQUEST_METHOD", "GET");
    cgi.env("REQUEST_URI", "/mail/config-v1.1.xml?probe+example.org");
    cgi.env("HTTP_HOST", "autoconfig.example.org");
    let output = cgi.args(["probe", "example.org"]).output().expect("program");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // A response, whichever: not the lines of the script.
    assert!(text.contains("\nContent-Type: ") && !text.contains("/own\n"), "{text}");
    assert_ne!(output.status.code(), Some(7));
}

//------------ signing -------------------------------------------------------

#[cfg(not(feature = "sign"))]
#[test]
fn a_build_without_signing_says_so() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[apple]\nsigning_certificate = 'a'\nsigning_key = 'b'\n");
    let (status, _) =
        failure(&["--config", config.to_str().expect("UTF-8"), "show", "ann@example.org"]);
    assert_eq!(status, 1);
}
