//! One test for each bug that was found, named after the fault.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, cgi, command, copy_program, program, source, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A service on a socket, started with `arguments` in front.
fn serve(sandbox: &Sandbox, program: &Path, arguments: &[&str]) -> (Process, PathBuf) {
    let socket = sandbox.path("socket");
    let mut command = command(program);
    command.args(arguments).args(["serve", "--listen", &format!("unix:{}", socket.display())]);
    let process =
        Process::start(sandbox, &mut command).wait_until(|| UnixStream::connect(&socket).is_ok());
    (process, socket)
}

fn ask(socket: &Path, request: &Request) -> Response {
    let mut client = Client::unix(socket).expect("connection");
    client.send(request, Style::USUAL).expect("an answer")
}

fn autoconfig(domain: &str) -> Request {
    Request::get(format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}")).host("x.invalid")
}

fn over_cgi(config: &Path, request: &Request) -> Response {
    cgi::send(&program(), request, &[("MAILSETUP_CONFIG", config.as_os_str())]).expect("an answer")
}

/// The file in a usual place was removed: the built-in defaults were used and answered any domain.
#[test]
fn a_vanished_file_is_no_wish_for_the_defaults() {
    let sandbox = Sandbox::new();
    let copy = sandbox.path("mailsetup");
    copy_program(program(), &copy);
    let config = sandbox.write("mailsetup.toml", "[domain.'own.example']\n");
    let (service, socket) = serve(&sandbox, &copy, &[]);
    assert_eq!(ask(&socket, &autoconfig("other.example")).status, 404);
    fs::remove_file(config).expect("remove");
    assert!(wait_until(|| {
        assert_eq!(ask(&socket, &autoconfig("other.example")).status, 404);
        service.output().contains("keeping the previous one")
    }));
    assert_eq!(ask(&socket, &autoconfig("own.example")).status, 200);
}

/// A configuration file that appears later is used.
#[test]
fn a_file_that_appears_is_taken() {
    let sandbox = Sandbox::new();
    let copy = sandbox.path("mailsetup");
    copy_program(program(), &copy);
    let (_service, socket) = serve(&sandbox, &copy, &[]);
    assert_eq!(ask(&socket, &autoconfig("other.example")).status, 200);
    sandbox.write("mailsetup.toml", "[domain.'own.example']\n");
    assert!(wait_until(|| ask(&socket, &autoconfig("other.example")).status == 404));
}

/// A folder of domains that could not be read was treated as empty, and its domains got 404.
#[test]
fn a_folder_that_moves_away_or_breaks_denies_nobody() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/own.example.toml", "");
    let config = sandbox.write("c.toml", "domains.directory = 'domains.d'\n");
    let (service, socket) =
        serve(&sandbox, &program(), &["--config", config.to_str().expect("UTF-8")]);
    assert_eq!(ask(&socket, &autoconfig("own.example")).status, 200);
    // A file is replaced by something that cannot be read.
    fs::remove_file(sandbox.path("domains.d/own.example.toml")).expect("remove");
    mkfifo(&sandbox.path("domains.d/own.example.toml"), Mode::S_IRWXU).expect("mkfifo");
    assert_eq!(ask(&socket, &autoconfig("own.example")).status, 200, "the last good one");
    // A domain that was never valid is unavailable until its file is corrected.
    mkfifo(&sandbox.path("domains.d/new.example.toml"), Mode::S_IRWXU).expect("mkfifo");
    let is_reported = |times| {
        assert_eq!(ask(&socket, &autoconfig("new.example")).status, 503);
        service.output().matches("new.example.toml: cannot be read").count() == times
    };
    assert!(wait_until(|| is_reported(1)), "{}", service.output());
    assert!(is_reported(1), "logged once: {}", service.output());
    fs::remove_file(sandbox.path("domains.d/new.example.toml")).expect("remove");
    sandbox.write("domains.d/new.example.toml", "");
    assert!(wait_until(|| ask(&socket, &autoconfig("new.example")).status == 200));
}

/// A reload dropped the last valid settings of domains whose files have errors.
#[test]
fn a_reload_keeps_the_last_good_state_of_domains() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/own.example.toml", "imap.host = 'imap.own.example'\n");
    let config = sandbox.write("c.toml", "domains.directory = 'domains.d'\n");
    let (service, socket) =
        serve(&sandbox, &program(), &["--config", config.to_str().expect("UTF-8")]);
    assert_eq!(ask(&socket, &autoconfig("own.example")).status, 200);
    sandbox.write("domains.d/own.example.toml", "imap.port = 0\n");
    assert_eq!(ask(&socket, &autoconfig("own.example")).status, 200);
    kill(Pid::from_raw(service.id() as i32), Signal::SIGHUP).expect("SIGHUP");
    assert!(
        wait_until(|| service.output().contains("configuration reloaded")),
        "{}",
        service.output()
    );
    assert!(ask(&socket, &autoconfig("own.example")).text().contains("imap.own.example"));
}

/// A pipe in place of a file made the service wait for its writer.
#[test]
fn a_pipe_is_no_configuration() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("pipe.toml");
    mkfifo(&pipe, Mode::S_IRWXU).expect("mkfifo");
    let output =
        command(program()).arg("check").arg("--config").arg(&pipe).output().expect("program");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("it is not a file"));
}

/// A host with a placeholder was used as written: with capitals, every response was a 404.
#[test]
fn a_host_with_a_placeholder_is_spelt_like_any_other() {
    let sandbox = Sandbox::new();
    for (host, spelt) in [
        ("Mail.%EMAILDOMAIN%", "mail.own.example"),
        ("mail.%EMAILDOMAIN%.", "mail.own.example"),
        ("bücher.%EMAILDOMAIN%", "xn--bcher-kva.own.example"),
        ("%EMAILDOMAIN%", "own.example"),
        ("LOCALHOST", "localhost"),
    ] {
        let config = sandbox.write("c.toml", format!("imap.host = '{host}'\n"));
        let answer = over_cgi(&config, &autoconfig("own.example"));
        assert!(
            answer.text().contains(&format!("<hostname>{spelt}</hostname>")),
            "{host}: {}",
            answer.text()
        );
    }
}

/// Characters that XML does not allow were written to profiles.
#[test]
fn characters_that_xml_does_not_know_are_no_address() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "log.requests = false\n");
    let request = Request::get("/mobileconfig?emailaddress=%EF%BF%BE@example.org");
    assert_eq!(over_cgi(&config, &request).status, 400);
    let named = sandbox.write("n.toml", "provider.name = \"a\\uFFFEb\"\n");
    let output =
        command(program()).arg("check").arg("--config").arg(&named).output().expect("program");
    assert_eq!(output.status.code(), Some(1));
}

/// `<X/>` and `<X></X>` were read differently.
#[test]
fn an_empty_element_is_one_in_both_spellings() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "log.requests = false\n");
    let ann = "<EMailAddress>ann@example.org</EMailAddress>";
    for empty in ["<EMailAddress/>", "<EMailAddress></EMailAddress>", "<AcceptableResponseSchema/>"]
    {
        let body = format!("<Autodiscover><Request>{empty}{ann}</Request></Autodiscover>");
        let answer = over_cgi(&config, &Request::post("/autodiscover/autodiscover.xml", body));
        assert!(answer.text().contains("<LoginName>ann@example.org</LoginName>"), "{empty}");
    }
}

/// Errors in the file of the Host's domain prevented responses for mailboxes of another domain.
#[test]
fn a_broken_host_domain_does_not_matter_to_an_address() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/good.example.toml", "");
    sandbox.write("domains.d/bad.example.toml", "imap.port = 0\n");
    let config = sandbox.write("c.toml", "domains.directory = 'domains.d'\n");
    let (_service, socket) =
        serve(&sandbox, &program(), &["--config", config.to_str().expect("UTF-8")]);
    let request = autoconfig("good.example").host("autoconfig.bad.example");
    assert_eq!(ask(&socket, &request).status, 200);
    assert_eq!(ask(&socket, &autoconfig("bad.example")).status, 503);
}

/// A server that is disabled at the top lost its other settings for domains that enable it.
#[test]
fn a_server_that_is_switched_off_keeps_its_settings() {
    let sandbox = Sandbox::new();
    let text = "pop3.enabled = false\npop3.host = 'pop.own.example'\n[domain.'own.example']\npop3.enabled = true\n";
    let config = sandbox.write("c.toml", text);
    assert!(
        over_cgi(&config, &autoconfig("own.example"))
            .text()
            .contains("<hostname>pop.own.example</hostname>")
    );
}

/// With `answer = "any"`, an alias of a domain that is not configured was refused.
#[test]
fn an_alias_may_lead_to_any_domain_where_any_is_answered() {
    let sandbox = Sandbox::new();
    let text = "domains.answer = 'any'\n[domain.'own.example']\nalias_of = 'other.example'\n";
    let config = sandbox.write("c.toml", text);
    assert!(
        over_cgi(&config, &autoconfig("own.example"))
            .text()
            .contains("<hostname>mail.other.example</hostname>")
    );
}

/// A circle of aliases through the folder was logged with every request. An alias to a missing
/// domain resulted in 404 without a log line, as if the domain were not configured.
#[test]
fn a_faulty_alias_in_the_folder_is_logged_once() {
    for (target, complaint) in [
        ("a.example", "a.example: the alias has more than 8 steps, or is part of a circle"),
        ("lost.example", "a.example: the alias leads to `lost.example`, which is not configured"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("domains.d/a.example.toml", "alias_of = 'b.example'\n");
        sandbox.write("domains.d/b.example.toml", format!("alias_of = '{target}'\n"));
        let config = sandbox.write("c.toml", "domains.directory = 'domains.d'\n");
        let (service, socket) =
            serve(&sandbox, &program(), &["--config", config.to_str().expect("UTF-8")]);
        for _ in 0..5 {
            assert_eq!(ask(&socket, &autoconfig("a.example")).status, 503);
        }
        assert!(wait_until(|| service.output().contains(complaint)), "{}", service.output());
        assert_eq!(service.output().matches("the alias").count(), 1, "{}", service.output());
        assert_eq!(ask(&socket, &autoconfig("lost.example")).status, 404);
    }
}

/// One byte that is not UTF-8, in a comment, made a whole list unusable.
#[test]
fn a_list_may_hold_other_bytes() {
    let sandbox = Sandbox::new();
    sandbox.write("list", b"# B\xfccher\nown.example\n");
    let config = sandbox.write("c.toml", "domains.list_files = ['list']\n");
    assert_eq!(over_cgi(&config, &autoconfig("own.example")).status, 200);
}

/// Records that led in a circle, or had an IP address as a target name.
#[test]
fn dns_makes_no_record_that_cannot_be() {
    let dns = |arguments: &[&str]| {
        let output = command(program()).arg("dns").args(arguments).output().expect("program");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let own = dns(&["example.org", "--web-host", "autoconfig.example.org"]);
    assert!(
        !own.contains("\nautoconfig.example.org.") && own.contains("\nautodiscover.example.org."),
        "{own}"
    );
    let address = dns(&["example.org", "--web-host", "192.0.2.1"]);
    assert!(
        address.contains("IN A     192.0.2.1\n") && !address.contains("CNAME 192"),
        "{address}"
    );
    let international = dns(&["example.org", "--web-host", "bücher.example"]);
    assert!(international.contains("CNAME xn--bcher-kva.example.\n"), "{international}");
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "imap.host = '192.0.2.1'\n");
    let host = dns(&["example.org", "--config", config.to_str().expect("UTF-8")]);
    assert!(!host.contains("SRV   0 0 993"), "{host}");
}

/// The host of a URL was repeated in capitals and with its final dot, which resulted in two
/// spellings.
#[test]
fn the_host_of_a_url_has_one_spelling() {
    let sandbox = Sandbox::new();
    let url = "https://DAV.Example.org.:8443/A";
    let text = format!("caldav.url = '{url}'\njmap.url = 'https://JMAP.example.org.'\n");
    let config = sandbox.write("c.toml", text);
    let dns = command(program()).args(["dns", "example.org", "--config"]).arg(&config).output();
    let dns = String::from_utf8(dns.expect("program").stdout).expect("UTF-8");
    assert!(dns.contains("SRV   0 0 8443 dav.example.org.\n"), "{dns}");
    assert!(dns.contains("SRV   0 0 443 jmap.example.org.\n"), "{dns}");
    let profile = over_cgi(&config, &Request::get("/mobileconfig?emailaddress=ann@example.org"));
    assert!(profile.text().contains("<string>dav.example.org</string>"), "{}", profile.text());
    // A URL is sent as written.
    let autoconfig = over_cgi(&config, &autoconfig("example.org"));
    assert!(autoconfig.text().contains(&format!("<url>{url}</url>")), "{}", autoconfig.text());
}

/// With standard error closed, the help panicked.
#[test]
fn help_without_a_standard_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let status = command(program()).stderr(full).status().expect("program");
    assert_eq!(status.code(), Some(2));
}

/// With any domain answered, any Host was used in links as if it had been checked.
#[test]
fn a_host_that_nobody_named_is_not_said_back() {
    let sandbox = Sandbox::new();
    let any = sandbox.write("any.toml", "log.requests = false\n");
    let text = "[domains]\nanswer = 'any'\n[domain.'x.example']\n";
    let named = sandbox.write("named.toml", text);
    for (config, host, said) in [
        (&any, "autodiscover.evil.example", "autodiscover.own.example"),
        (&any, "own.example", "own.example"),
        (&any, "AutoDiscover.Own.Example.:8443", "autodiscover.own.example"),
        (&any, "<b>", "autodiscover.own.example"),
        (&any, "mail.own.example", "mail.own.example"),
        (&named, "autodiscover.evil.example", "autodiscover.own.example"),
        (&named, "autodiscover.x.example", "autodiscover.x.example"),
    ] {
        let target =
            "/autodiscover/autodiscover.json?Email=ann@own.example&Protocol=AutodiscoverV1";
        let answer = over_cgi(config, &Request::get(target).host(host));
        let url = format!("\"Url\":\"https://{said}/autodiscover/autodiscover.xml\"");
        assert!(answer.text().contains(&url), "{host}: {}", answer.text());
    }
}

/// A domain with a redirect to itself sent its clients in a circle.
#[test]
fn nobody_is_redirected_to_where_they_are() {
    let sandbox = Sandbox::new();
    let text = "[domain.'a.example'.autodiscover]\nredirect_address = 'office@a.example'\n\
                [domain.'b.example'.autodiscover]\nredirect_url = 'https://MX.b.example:443/AutoDiscover/AutoDiscover.xml'\n";
    let config = sandbox.write("c.toml", text);
    let ask = |address: &str, host: &str| {
        let body = format!("<a><EMailAddress>{address}</EMailAddress></a>");
        let request = Request::post("/autodiscover/autodiscover.xml", body).host(host);
        let answer = over_cgi(&config, &request).text().to_owned();
        let action = answer.split("<Action>").nth(1).and_then(|rest| rest.split('<').next());
        action.expect("an Action").to_owned()
    };
    assert_eq!(ask("ann@a.example", "autodiscover.a.example"), "redirectAddr");
    assert_eq!(ask("OFFICE@A.example", "autodiscover.a.example"), "settings");
    assert_eq!(ask("ann@b.example", "autodiscover.b.example"), "redirectUrl");
    assert_eq!(ask("ann@b.example", "mx.B.example."), "settings");
    // A request without an address is not redirected, nor is one for the JSON form.
    for target in [
        "/autodiscover/autodiscover.xml",
        "/autodiscover/autodiscover.json?Email=ann@a.example&Protocol=AutodiscoverV1",
    ] {
        let answer = over_cgi(&config, &Request::get(target).host("autodiscover.a.example"));
        assert_eq!((answer.status, answer.text().contains("office")), (200, false), "{target}");
    }
}

/// Calendars and address books in Autodiscover could only be set for all domains.
#[test]
fn a_domain_has_its_own_say_about_calendars_in_autodiscover() {
    let sandbox = Sandbox::new();
    let text = "autodiscover.dav = true\ncaldav.url = 'https://dav.example.org/'\n\
                [domain.'yes.example']\n[domain.'no.example'.autodiscover]\ndav = false\n\
                [domain.'none.example']\ncaldav.enabled = false\n";
    let config = sandbox.write("c.toml", text);
    for (domain, is_told) in [("yes.example", true), ("no.example", false), ("none.example", false)]
    {
        let request = Request::get("/autodiscover/autodiscover.xml").host(domain);
        let answer = over_cgi(&config, &request);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text().contains("<Type>CalDAV</Type>"), is_told, "{domain}");
    }
}

/// A profile is written with markers in it; no text of the configuration can hold one.
#[test]
fn no_text_of_the_configuration_is_taken_for_a_marker() {
    let markers = [
        "%EMAILADDRESS%",
        "%EMAILLOCALPART%",
        "%OWNLOGIN%",
        "%FORPEOPLE%",
        "%IDENTIFIER%",
        "%NAME%",
        "%SHORTNAME%",
        "%UUIDOFPROFILE%",
        "%UUIDOFMAIL%",
        "%UUIDOFCALDAV%",
        "%UUIDOFCARDDAV%",
        "%ENCODED%",
        "%APPLECODE%",
        "%ANDROIDCODE%",
    ];
    // They are those of the program.
    let files = ["discovery/mobileconfig.rs", "page/content.rs", "account.rs", "cache/shared.rs"];
    let code: String =
        files.map(|file| std::fs::read_to_string(source("src").join(file)).expect(file)).concat();
    let found = regex_lite::Regex::new("\"(%[A-Z]+%)\"").expect("an expression");
    let found: std::collections::BTreeSet<_> =
        found.captures_iter(&code).map(|found| found[1].to_owned()).collect();
    assert_eq!(found, markers.map(str::to_owned).into());
    let sandbox = Sandbox::new();
    for marker in markers {
        for text in [marker, &format!("https://example.org/{marker}20"), &format!("100%{marker}")] {
            let config = format!("[apple]\ndescription = {{ en = '{text}' }}\n");
            let config = sandbox.write("c.toml", config);
            let output = command(program()).arg("--config").arg(config).arg("check").output();
            let output = output.expect("a program");
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("placeholder"), "{text}");
        }
    }
}

/// A source of logins that knows each mailbox, as Dovecot does, told by its answers which addresses
/// have one: their documents had the login in place of the placeholder.
#[test]
fn a_login_that_the_settings_give_anyway_does_not_tell_that_a_mailbox_exists() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "logins",
        "ann@example.org ann@example.org\nben@example.org Ben@example.org\n\
         cat@example.org cat\ndan@example.net dan\neve@example.net eve@example.net\n",
    );
    let config = sandbox.write(
        "c.toml",
        "login.map = 'logins'\n[domain.'example.org']\n[domain.'example.net']\n\
         imap.username = '%EMAILLOCALPART%'\npop3.username = '%EMAILLOCALPART%'\n\
         smtp.username = '%EMAILLOCALPART%'\n",
    );
    let document = |address: &str, path: &str| {
        let response =
            over_cgi(&config, &Request::get(format!("{path}{address}")).host("x.invalid"));
        assert_eq!(response.status, 200, "{address}");
        response.text()
    };
    let autoconfig = |address: &str| document(address, "/mail/config-v1.1.xml?emailaddress=");
    for address in ["ann@example.org", "ben@example.org", "ANN@example.org"] {
        assert_eq!(autoconfig(address), autoconfig("nobody@example.org"), "{address}");
    }
    assert_eq!(autoconfig("dan@example.net"), autoconfig("nobody@example.net"));
    for (address, login) in [("cat@example.org", "cat"), ("eve@example.net", "eve@example.net")] {
        let expected = format!("<username>{login}</username>");
        assert_eq!(autoconfig(address).matches(&expected).count(), 3, "{address}");
    }
    // The profile has the address itself, in the letter case of the request.
    let profile = document("Ben@example.org", "/mobileconfig?emailaddress=");
    assert!(profile.contains("<string>Ben@example.org</string>"), "{profile}");
}
