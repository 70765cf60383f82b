//! The configuration file: what each key does, and what is said of every mistake.

use crate::common::http::Request;
use crate::common::{Process, Sandbox, cgi, command, free_port, http, program, source, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// Runs a command with a configuration; exit status, standard output, standard error.
fn run(config: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output =
        command(program()).arg("--config").arg(config).args(arguments).output().expect("program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit status"), text(&output.stdout), text(&output.stderr))
}

/// What Thunderbird would get for `address`, asked over CGI.
fn autoconfig(config: &Path, address: &str) -> http::Response {
    let request =
        Request::get(format!("/mail/config-v1.1.xml?emailaddress={address}")).host("x.invalid");
    cgi::send(&program(), &request, &[("MAILSETUP_CONFIG", config.as_os_str())]).expect("an answer")
}

/// The text of an element of the `nth` server in an autoconfig document.
fn of_server(document: &http::Response, nth: usize, element: &str) -> String {
    let text = document.text();
    let server = text
        .split("Server type=")
        .nth(nth + 1)
        .unwrap_or_else(|| panic!("no server {nth} in {text}"));
    let (_, rest) = server.split_once(&format!("<{element}>")).expect(element);
    rest.split('<').next().expect("text").to_owned()
}

//------------ mistakes ------------------------------------------------------

/// Each is exit status 1 and one line with file, line and key, whichever command meets it.
#[test]
fn every_mistake_is_told_with_its_line() {
    const MISTAKES: &[(&str, usize, &[&str])] = &[
        ("[imap\nhost = 'x'\n", 1, &["]"]),
        ("[imap]\nhost = \n", 2, &[]),
        ("\n[imap]\nport = 'many'\n", 3, &["invalid type: string \"many\""]),
        ("[imap]\nhost = 5\n", 2, &["invalid type: integer `5`, expected a string"]),
        ("[imap]\nhots = 'mail.example.org'\n", 2, &["unknown key `hots`", "did you mean `host`?"]),
        ("[imaps]\n", 1, &["unknown key `imaps`", "did you mean `imap`?"]),
        ("[imap]\nport = 0\n", 2, &["imap.port: 0 is no TCP port (1 to 65535)"]),
        ("[smtp]\n\nport = 99999\n", 3, &["smtp.port: 99999 is no TCP port"]),
        ("[pop3]\nport = -1\n", 2, &["pop3.port: -1 is no TCP port"]),
        (
            "[imap]\nhost = 'mail example.org'\n",
            2,
            &["imap.host: `mail example.org` is not a host name"],
        ),
        ("[imap]\nhost = '<b>'\n", 2, &["imap.host: `<b>`"]),
        ("[imap]\nsecurity = 'ssl'\n", 2, &["unknown value `ssl`", "`tls`"]),
        ("[imap]\nauth = 'none'\n", 2, &["imap.auth: `none` is for smtp only"]),
        (
            "[smtp]\nenabled = false\n",
            2,
            &["smtp.enabled: clients refuse an account that cannot send"],
        ),
        ("[imap]\nusername = '%EMAIL%'\n", 2, &["unknown placeholder %EMAIL%"]),
        ("[imap]\nusername = ''\n", 2, &["imap.username is empty"]),
        ("imap.enabled = false\npop3.enabled = false\n", 2, &["both switched off"]),
        ("[domain.'a b']\n", 1, &["`a b` is not a domain name"]),
        (
            "[domain.'x.example']\nalias_of = 'nowhere.example'\n",
            2,
            &["leads to `nowhere.example`"],
        ),
        ("[domain.'x.example']\nalias_of = 'x.example'\n", 2, &["goes in a circle"]),
        (
            "[domain.'x.example']\n[domain.'y.example']\nalias_of = 'x.example'\nimap.port = 993\n",
            3,
            &["stands alone"],
        ),
        (
            "[domain.'bücher.example']\n[domain.'xn--bcher-kva.example']\n",
            2,
            &["twice, in two spellings"],
        ),
        ("[domains]\nanswer = 'listed'\n", 2, &["no domain is listed"]),
        ("[domains]\nlist_files = ['missing']\n", 2, &["missing cannot be read"]),
        ("[domains]\ndirectory = 'missing'\n", 2, &["missing cannot be read"]),
        ("[provider]\nname = ' '\n", 2, &["visible text"]),
        ("[apple]\nidentifier = 'org..example'\n", 2, &["no reverse-DNS name"]),
        ("[apple]\nsigning_key = 'key.pem'\n", 2, &["go together"]),
        ("[limits]\nbody_bytes = 0\n", 2, &["limits.body_bytes: 0 is not between 1 and"]),
        ("[metrics]\npath = 'x'\n", 2, &["metrics.path: `x` is no path like"]),
        ("[metrics]\npath = '/x?y'\n", 2, &["metrics.path: `/x?y` is no path like"]),
        ("[metrics]\npath = '/'\n", 2, &["metrics.path: `/` is what mail clients ask for"]),
        ("[metrics]\nhealth_path = '/MobileConfig'\n", 2, &["is what mail clients ask for"]),
        ("[metrics]\npath = '/x'\nhealth_path = '/x'\n", 3, &["it is metrics.path as well"]),
    ];
    let sandbox = Sandbox::new();
    for (text, line, parts) in MISTAKES {
        let config = sandbox.write("config.toml", text);
        let place = match line {
            0 => format!("{}: ", config.display()),
            line => format!("{}:{line}:", config.display()),
        };
        let (status, stdout, stderr) = run(&config, &["check"]);
        assert_eq!((status, stderr.as_str()), (1, ""), "{text}");
        let expected = format!("error: {place}");
        assert!(stdout.starts_with(&expected), "{text}: expected {expected} got {stdout}");
        let (line, summary) = stdout.split_once('\n').expect("two lines");
        assert!(
            summary.ends_with(": 1 error; this configuration cannot be used\n"),
            "{text}: {stdout}"
        );
        for part in *parts {
            assert!(stdout.contains(part), "{text}: expected {part:?} in {stdout}");
        }
        for arguments in [
            &["serve", "--http", "127.0.0.1:0"][..],
            &["show", "ann@example.org"],
            &["dns", "example.org"],
        ] {
            let (status, _, stderr) = run(&config, arguments);
            assert_eq!(status, 1, "{text} {arguments:?}: {stderr}");
            assert_eq!(stderr, format!("mailsetup: {line}\n"), "{text} {arguments:?}");
        }
    }
}

#[test]
fn two_mistakes_are_both_told() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[imap]\nport = 0\n[smtp]\nhost = 'a b'\n");
    let (_, stdout, _) = run(&config, &["check"]);
    assert!(stdout.ends_with(": 2 errors; this configuration cannot be used\n"), "{stdout}");
}

#[test]
fn a_circle_of_aliases_is_told_at_each_of_them() {
    let sandbox = Sandbox::new();
    let text = "[domain.'a.example']\nalias_of = 'b.example'\n[domain.'b.example']\nalias_of = 'c.example'\n\
                [domain.'c.example']\nalias_of = 'b.example'\n";
    let (status, stdout, _) = run(&sandbox.write("c.toml", text), &["check"]);
    assert_eq!((status, stdout.lines().count()), (1, 4), "{stdout}");
    assert!(stdout.lines().take(3).all(|line| line.contains("circle")), "{stdout}");
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let sandbox = Sandbox::new();
    for (name, reason) in [("none.toml", "No such file"), ("", "it is not a file")] {
        let (status, stdout, _) = run(&sandbox.path(name), &["check"]);
        assert_eq!(status, 1);
        assert!(stdout.contains("cannot be read: ") && stdout.contains(reason), "{stdout}");
    }
    let config = sandbox.write("latin1.toml", b"[provider]\nname = \"B\xfccher\"\n");
    assert_eq!(run(&config, &["check"]).0, 1, "not UTF-8");
    // As nobody, since root may read everything.
    let secret = sandbox.write("secret.toml", "");
    run_as_nobody(&secret);
}

fn run_as_nobody(config: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(config, fs::Permissions::from_mode(0o000)).expect("chmod");
    let program = Sandbox::new();
    let copy = program.path("mailsetup");
    fs::copy(crate::common::program(), &copy).expect("copy");
    let mut setpriv = Command::new("setpriv");
    setpriv
        .args(["--reuid=65534", "--clear-groups"])
        .arg(&copy)
        .arg("--config")
        .arg(config)
        .arg("check");
    let output = setpriv.output().expect("setpriv, of util-linux");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(1) && stdout.contains("Permission denied"), "{stdout}");
}

/// In CGI mode, what is wrong is for the log; strangers get a 500.
#[test]
fn a_broken_file_is_a_500_over_cgi() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[imap]\nport = 0\n");
    let ask = || {
        let mut program = command(program());
        program
            .env("MAILSETUP_CONFIG", &config)
            .env("GATEWAY_INTERFACE", "CGI/1.1")
            .env("REQUEST_METHOD", "GET");
        let output = program.output().expect("program");
        let response = cgi::parse(&output.stdout, false).expect("an answer");
        assert!(!response.text().contains("imap"), "{}", response.text());
        assert!(String::from_utf8_lossy(&output.stderr).contains("c.toml:2:8: imap.port: 0"));
        response
    };
    // It may be in the middle of a change; after that it is an error.
    let young = ask();
    assert_eq!((young.status, young.header("Retry-After")), (503, Some("2")));
    assert_eq!(young.header("Cache-Control"), Some("no-store"));
    assert!(wait_until(|| ask().status == 500));
}

//------------ keys ----------------------------------------------------------

#[test]
fn a_domain_stands_on_the_base_and_overrides_it() {
    let sandbox = Sandbox::new();
    let config = sandbox.write(
        "c.toml",
        "provider.name = 'Base & Co'\n\
         imap.host = 'imap.base.example'\nimap.username = '%EMAILLOCALPART%'\npop3.enabled = false\n\
         smtp.security = 'tls'\n\
         [domain.'own.example']\nimap.host = 'mail.%EMAILDOMAIN%'\nimap.security = 'starttls'\n\
         pop3.enabled = true\npop3.port = 110\nprovider.name = 'Own'\n\
         smtp.username = '%EMAILLOCALPART%.%EMAILDOMAIN%'\n\
         [domain.'plain.example']\n\
         [domain.'alias.example']\nalias_of = 'second.example'\n\
         [domain.'second.example']\nalias_of = 'own.example'\n",
    );
    let plain = autoconfig(&config, "ann@plain.example");
    let servers = |document: &http::Response| document.text().matches("Server type=").count();
    assert_eq!(servers(&plain), 2, "no POP3");
    assert_eq!(of_server(&plain, 0, "hostname"), "imap.base.example");
    assert_eq!(of_server(&plain, 0, "username"), "%EMAILLOCALPART%");
    assert_eq!(
        (of_server(&plain, 1, "port"), of_server(&plain, 1, "socketType")),
        ("465".into(), "SSL".into())
    );
    assert!(plain.text().contains("<displayName>Base &amp; Co</displayName>"));

    for (address, domain) in
        [("ann@own.example", "own.example"), ("ann@alias.example", "alias.example")]
    {
        let own = autoconfig(&config, address);
        assert_eq!(servers(&own), 3);
        assert!(own.text().contains(&format!("<domain>{domain}</domain>")), "{}", own.text());
        assert_eq!(
            of_server(&own, 0, "hostname"),
            "mail.own.example",
            "an alias gets the other's servers"
        );
        assert_eq!(
            (of_server(&own, 0, "port"), of_server(&own, 0, "socketType")),
            ("143".into(), "STARTTLS".into())
        );
        assert_eq!(
            (of_server(&own, 1, "port"), of_server(&own, 1, "socketType")),
            ("110".into(), "STARTTLS".into())
        );
        assert_eq!(of_server(&own, 2, "username"), "%EMAILLOCALPART%.own.example");
        assert!(own.text().contains("<displayShortName>Own</displayShortName>"));
    }
    assert_eq!(autoconfig(&config, "ann@unknown.example").status, 404);
}

/// More servers of a type only if they are asked for, behind the first.
#[test]
fn alternatives_stand_behind_the_first() {
    let sandbox = Sandbox::new();
    let text = "[imap]\nalternatives = [{ port = 143 }, { host = 'other.example', security = 'tls' }]\n\
                [domain.'own.example']\nimap.host = 'imap.own.example'\n\
                [domain.'none.example']\nimap.alternatives = []\n";
    let config = sandbox.write("c.toml", text);
    let own = autoconfig(&config, "ann@own.example");
    let server =
        |nth| ["hostname", "port", "socketType"].map(|element| of_server(&own, nth, element));
    assert_eq!(server(0), ["imap.own.example", "993", "SSL"]);
    assert_eq!(server(1), ["imap.own.example", "143", "STARTTLS"]);
    assert_eq!(server(2), ["other.example", "993", "SSL"]);
    assert_eq!(server(3), ["mail.own.example", "995", "SSL"]);
    assert_eq!(of_server(&autoconfig(&config, "ann@none.example"), 1, "port"), "995");
    let (status, stdout, _) = run(&config, &["check"]);
    assert!(status == 0 && stdout.contains("Evolution takes the last server"), "{stdout}");
    let post = Request::post(
        "/autodiscover/autodiscover.xml",
        "<Autodiscover><Request><EMailAddress>a@own.example</EMailAddress></Request></Autodiscover>",
    );
    let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
    let answer = cgi::send(&program(), &post, &settings).expect("an answer");
    assert_eq!(answer.text().matches("<Type>IMAP</Type>").count(), 1, "one of a type");
    let (_, zone, _) = run(&config, &["dns", "own.example"]);
    assert!(zone.contains("SRV   10 0 143 imap.own.example."), "{zone}");
}

#[test]
fn answer_any_answers_domains_that_are_not_named() {
    let sandbox = Sandbox::new();
    let text = "domains.answer = 'any'\n[domain.'own.example']\nimap.host = 'imap.own.example'\n";
    let config = sandbox.write("c.toml", text);
    assert_eq!(
        of_server(&autoconfig(&config, "ann@own.example"), 0, "hostname"),
        "imap.own.example"
    );
    assert_eq!(
        of_server(&autoconfig(&config, "ann@any.example"), 0, "hostname"),
        "mail.any.example"
    );
}

#[test]
fn list_files_name_domains() {
    let sandbox = Sandbox::new();
    sandbox
        .write("virtual", "# comment\nlisted.example OK\nann@mailbox.example box\nnot_a_domain\n");
    let config = sandbox.write("c.toml", "[domains]\nlist_files = ['virtual']\n");
    for domain in ["listed.example", "mailbox.example"] {
        assert_eq!(
            of_server(&autoconfig(&config, &format!("a@{domain}")), 0, "hostname"),
            format!("mail.{domain}")
        );
    }
    assert_eq!(autoconfig(&config, "a@other.example").status, 404);
    let (status, stdout, _) = run(&config, &["check"]);
    assert_eq!(status, 0);
    assert!(
        stdout.starts_with("warning: ") && stdout.contains("virtual:4:1: `not_a_domain`"),
        "{stdout}"
    );
    assert_eq!(run(&config, &["check", "--strict"]).0, 1);
}

#[test]
fn a_directory_holds_a_file_for_each_domain() {
    let sandbox = Sandbox::new();
    sandbox.write("domains.d/own.example.toml", "imap.host = 'imap.own.example'\n");
    sandbox.write("domains.d/alias.example.toml", "alias_of = 'own.example'\n");
    sandbox.write("domains.d/broken.example.toml", "imap.port = 0\n");
    let config = sandbox.write("c.toml", "[domains]\ndirectory = 'domains.d'\n");
    for domain in ["own.example", "alias.example"] {
        assert_eq!(
            of_server(&autoconfig(&config, &format!("a@{domain}")), 0, "hostname"),
            "imap.own.example"
        );
    }
    assert_eq!(autoconfig(&config, "a@other.example").status, 404);
    let (status, stdout, stderr) = run(&config, &["check"]);
    assert_eq!((status, stderr.as_str()), (1, ""));
    assert!(stdout.contains("broken.example.toml:1:13: imap.port: 0"), "{stdout}");
}

//------------ example -------------------------------------------------------

/// The example as shipped says nothing else than having no file, and shows every key.
#[test]
fn the_example_is_the_defaults() {
    let example = source("contrib/config.example.toml");
    let text = fs::read_to_string(&example).expect("contrib/config.example.toml");
    let show = |config: &Path| run(config, &["show", "ann@example.org"]);
    let empty = Sandbox::new();
    assert_eq!(show(&example), show(&empty.write("empty.toml", "")));
    assert_eq!(run(&example, &["check"]).0, 0);

    // Every key of the code is there, live or commented out.
    let code = fs::read_to_string(source("src/config/file.rs")).expect("file.rs");
    let keys = code
        .lines()
        .filter_map(|line| line.strip_prefix("    pub ")?.split_once(": "))
        .map(|(key, _)| key);
    let mut count = 0;
    for key in keys.filter(|key| !["span", "message"].contains(key)) {
        let is_shown = text.lines().any(|line| {
            let line = line.trim_start_matches('#');
            line.starts_with(&format!("{key} ="))
                || line.starts_with(&format!("[{key}"))
                || line.contains(&format!(".{key}]"))
        });
        assert!(is_shown, "{key} is not in contrib/config.example.toml");
        count += 1;
    }
    assert!(count > 25, "only {count} keys found in the code");
}

/// Every setting of the example at once: it parses, and every domain gets its settings.
#[test]
fn the_example_can_be_taken_whole() {
    let text = fs::read_to_string(source("contrib/config.example.toml")).expect("example");
    let is_setting = |line: &str| {
        line.strip_prefix('#')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
    };
    // A build that cannot sign refuses the keys for it.
    let is_possible = |line: &&str| cfg!(feature = "sign") || !line.contains("signing_");
    let lines = text.lines().filter(is_possible);
    let lines = lines.map(|line| if is_setting(line) { &line[1..] } else { line });
    // A CGI program that says nothing is one that works.
    let lines = lines.filter(|line| *line != "requests = true");
    let whole: Vec<_> = lines.collect();
    assert!(whole.len() > text.lines().filter(|line| line.starts_with("# ")).count() + 30);
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", whole.join("\n"));
    // The files that its last block names.
    sandbox.write("domains.txt", "listed.example\n");
    sandbox.write("domains.d/own.example.toml", "# defaults\nimap.port = 993\n");
    sandbox.write("logo.svg", "<svg/>");
    sandbox.write("page.html", "<p>{{ address }}</p>\n");
    for domain in ["example.net", "listed.example", "own.example"] {
        assert_eq!(autoconfig(&config, &format!("ann@{domain}")).status, 200, "{domain}");
    }
}

//------------ reload --------------------------------------------------------

/// A running service takes a changed file, and keeps the previous one when that has errors.
#[test]
fn a_running_service_keeps_its_last_good_configuration() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "imap.host = 'one.example.org'\n");
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let mut serve = command(program());
    serve.arg("serve").arg("--http").arg(address.to_string()).arg("--config").arg(&config);
    let service = Process::start(&sandbox, &mut serve)
        .wait_until(|| std::net::TcpStream::connect(address).is_ok());
    let host = || {
        let request = Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org");
        of_server(&http::send(address, &request).expect("an answer"), 0, "hostname")
    };
    assert_eq!(host(), "one.example.org");

    sandbox.write("c.toml", "imap.host = 'two.example.org'\n");
    assert!(wait_until(|| host() == "two.example.org"), "a changed file is seen without a signal");

    sandbox.write("c.toml", "imap.port = 0\n");
    assert!(
        wait_until(|| {
            host();
            service.output().contains("keeping the previous one")
        }),
        "{}",
        service.output()
    );
    assert_eq!(host(), "two.example.org");
    assert!(
        service.output().contains("c.toml:1:13: imap.port: 0 is no TCP port"),
        "{}",
        service.output()
    );

    fs::remove_file(&config).expect("remove");
    let gone = || service.output().contains("cannot be read");
    assert!(
        wait_until(|| {
            host();
            gone()
        }),
        "{}",
        service.output()
    );
    assert_eq!(host(), "two.example.org");

    sandbox.write("c.toml", "imap.host = 'three.example.org'\n");
    kill(Pid::from_raw(service.id() as i32), Signal::SIGHUP).expect("SIGHUP");
    assert!(wait_until(|| host() == "three.example.org"), "{}", service.output());
    let told = service.output().matches("is no TCP port").count();
    assert_eq!(told, 1, "logged once: {}", service.output());
}
