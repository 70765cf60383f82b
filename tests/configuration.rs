//! The configuration file: the effect of each key, and the message for every error.

use crate::common::http::Request;
use crate::common::{Process, Sandbox, cgi, command, free_port, http, program, source, wait_until};
use crate::keys::source::{Shape, Source};
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

/// The response to Thunderbird's request for `address`, over CGI.
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

/// Each results in exit status 1 and one line with file, line and key, with any command.
#[test]
fn every_mistake_is_told_with_its_line() {
    const MISTAKES: &[(&str, usize, &[&str])] = &[
        ("[imap\nhost = 'x'\n", 1, &["]"]),
        ("[imap]\nhost = \n", 2, &[]),
        ("\n[imap]\nport = 'many'\n", 3, &["imap.port: a whole number is expected, not text"]),
        ("[imap]\nhost = 5\n", 2, &["imap.host: text in quotes is expected, not a whole number"]),
        ("[imap]\nhots = 'mail.example.org'\n", 2, &["unknown key `hots`", "did you mean `host`?"]),
        ("[imaps]\n", 1, &["unknown key `imaps`", "did you mean `imap`?"]),
        ("[imap]\nport = 0\n", 2, &["imap.port: 0 is not a valid TCP port (1-65535)"]),
        ("[smtp]\n\nport = 99999\n", 3, &["smtp.port: 99999 is not a valid TCP port"]),
        ("[pop3]\nport = -1\n", 2, &["pop3.port: -1 is not a valid TCP port"]),
        (
            "[imap]\nhost = 'mail example.org'\n",
            2,
            &["imap.host: `mail example.org` is not a host name"],
        ),
        ("[imap]\nhost = '<b>'\n", 2, &["imap.host: `<b>`"]),
        ("[imap]\nsecurity = 'ssl'\n", 2, &["unknown value `ssl`", "`tls`"]),
        ("[imap]\nauth = 'none'\n", 2, &["imap.auth: \"none\" is for smtp only"]),
        (
            "[smtp]\nenabled = false\n",
            2,
            &["smtp cannot be disabled: mail clients refuse an account that cannot send mail"],
        ),
        ("[imap]\nusername = '%EMAIL%'\n", 2, &["unknown placeholder %EMAIL%"]),
        ("[imap]\nusername = ''\n", 2, &["imap.username: the value is empty"]),
        ("imap.enabled = false\npop3.enabled = false\n", 2, &["both disabled"]),
        ("[domain.'a b']\n", 1, &["`a b` is not a domain name"]),
        (
            "[domain.'x.example']\nalias_of = 'nowhere.example'\n",
            2,
            &["leads to `nowhere.example`"],
        ),
        ("[domain.'x.example']\nalias_of = 'x.example'\n", 2, &["is part of a circle"]),
        (
            "[domain.'x.example']\n[domain.'y.example']\nalias_of = 'x.example'\nimap.port = 993\n",
            3,
            &["other keys are not allowed"],
        ),
        (
            "[domain.'bücher.example']\n[domain.'xn--bcher-kva.example']\n",
            2,
            &[
                "duplicate domain `xn--bcher-kva.example`: the first is in line 1",
                "in another spelling",
            ],
        ),
        (
            "[domain.'example.org']\n[domain.'EXAMPLE.org']\n",
            2,
            &["duplicate domain `EXAMPLE.org`: the first is in line 1"],
        ),
        ("[apple.description]\nEN = 'a'\nen = 'b'\n", 1, &["duplicate language `en`"]),
        ("[domains]\nanswer = 'listed'\n", 2, &["without any domain"]),
        ("[domains]\nlist_files = ['missing']\n", 2, &["missing cannot be read"]),
        ("[domains]\ndirectory = 'missing'\n", 2, &["missing cannot be read"]),
        ("[provider]\nname = ' '\n", 2, &["visible text"]),
        ("[apple]\nidentifier = 'org..example'\n", 2, &["not a reverse-DNS name"]),
        ("[apple]\nsigning_key = 'key.pem'\n", 2, &["are both required"]),
        ("[limits]\nbody_bytes = 0\n", 2, &["limits.body_bytes: 0 is not between 1 and"]),
        ("[metrics]\npath = 'x'\n", 2, &["metrics.path: `x` is not a valid path"]),
        ("[metrics]\npath = '/x?y'\n", 2, &["metrics.path: `/x?y` is not a valid path"]),
        ("[metrics]\npath = '/'\n", 2, &["metrics.path: `/` is a path that mail clients request"]),
        ("[metrics]\nhealth_path = '/MobileConfig'\n", 2, &["is a path that mail clients request"]),
        ("[metrics]\npath = '/x'\nhealth_path = '/x'\n", 3, &["is the same as metrics.path"]),
        ("[domains]\nask_path = '/MobileConfig'\n", 2, &["is a path that mail clients request"]),
        ("[domains]\nask_path = 'ask?'\n", 2, &["domains.ask_path: `ask?` is not a valid path"]),
        (
            "[metrics]\npath = '/x'\nhealth_path = '/y'\n[domains]\nask_path = '/y'\n",
            5,
            &["domains.ask_path is the same as metrics.health_path"],
        ),
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

/// A domain without quotes was reported twice, first as a name that is not a domain.
#[test]
fn a_domain_without_quotes_is_one_mistake() {
    let sandbox = Sandbox::new();
    for (text, part) in [
        ("[domain.example.org]\nimap.port = 993\n", "a domain name must be in quotes"),
        ("[domain.example.org.imap]\nport = 993\n", "a domain name must be in quotes"),
        ("[domain.example]\n", "`example` is not a domain name"),
    ] {
        let (_, stdout, _) = run(&sandbox.write("c.toml", text), &["check"]);
        assert_eq!(stdout.matches("error: ").count(), 1, "{stdout}");
        assert!(stdout.contains(part), "{stdout}");
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
fn two_tables_of_a_domain_are_a_duplicate_with_both_lines() {
    let sandbox = Sandbox::new();
    let text = "[domain.\"example.org\"]\nimap.port = 993\n\n[domain.\"example.org\"]\n";
    let (status, stdout, _) = run(&sandbox.write("c.toml", text), &["check"]);
    let expected = "c.toml:4:9: duplicate table [domain.\"example.org\"]: the first is in line 1 [";
    assert!(status == 1 && stdout.contains(expected), "{stdout}");
}

#[test]
fn all_unknown_keys_and_wrong_types_are_reported_at_once() {
    let sandbox = Sandbox::new();
    let text = "[imap]\nhots = 'x'\nport = 'y'\n[smpt]\n[domain.'x.example']\nimap.prot = 1\n\
                smtp.auth = 'oauth'\n[domain.'y.example'.page]\ncolour = '#fff'\nenabled = 1\n";
    let config = sandbox.write("c.toml", text);
    let (status, stdout, _) = run(&config, &["check"]);
    let found: Vec<_> = stdout
        .lines()
        .filter_map(|line| line.split_once("c.toml:")?.1.rsplit_once(" [")?.0.split_once(": "))
        .collect();
    let expected = [
        ("2:1", "unknown key `hots` in [imap]; did you mean `host`?"),
        ("3:8", "imap.port: a whole number is expected, not text"),
        ("4:2", "unknown key `smpt`; did you mean `smtp`?"),
        ("6:6", "unknown key `prot` in [imap]; did you mean `port`?"),
        ("7:13", "smtp.auth: unknown value `oauth`; did you mean `oauth2`?"),
        ("9:1", "unknown key `colour` in [page]; did you mean `color`?"),
        ("10:11", "page.enabled: true or false is expected, not a whole number"),
    ];
    assert_eq!((status, found.as_slice()), (1, expected.as_slice()), "{stdout}");
}

/// Domains inherit the base's values, but not its errors.
#[test]
fn a_mistake_of_the_base_is_reported_once() {
    let sandbox = Sandbox::new();
    let mut text =
        "imap.port = 0\nimap.host = 'a b'\noauth2.issuer = 'x'\npage.logo = 'gone'\n".to_owned();
    for domain in ["a", "b", "c"] {
        text +=
            &format!("[domain.'{domain}.example']\nimap.username = 'x'\npage.color = '#000000'\n");
        text += "oauth2.scope = 'y'\n";
    }
    let (_, stdout, _) = run(&sandbox.write("c.toml", text), &["check"]);
    let base: Vec<_> =
        (1..=4).map(|line| stdout.matches(&format!("c.toml:{line}:")).count()).collect();
    assert_eq!(base, [1; 4], "{stdout}");
    // These cannot be complete either, which is reported at their beginning.
    let domains: Vec<_> =
        [8, 12, 16].map(|line| stdout.matches(&format!("c.toml:{line}:")).count()).into();
    assert_eq!((domains, stdout.lines().count()), (vec![1; 3], 8), "{stdout}");
}

//------------ placeholders --------------------------------------------------

/// Every key with text as its value, by its path, and the form of the value: `V` stands for the
/// text.
fn text_keys() -> Vec<(String, String)> {
    let source = Source::read();
    let mut keys = Vec::new();
    let mut left = vec![
        ("Tables".to_owned(), String::new(), "V".to_owned()),
        ("File".to_owned(), String::new(), "V".to_owned()),
    ];
    while let Some((name, path, form)) = left.pop() {
        for key in &source.structs[&name] {
            // Inside a list, the path is that of the list, and the key is in its items.
            let (path, form) = match form.contains('{') {
                true => (path.clone(), form.replace('V', &format!("{} = V", key.name))),
                false if path.is_empty() => (key.name.clone(), form.clone()),
                false => (format!("{path}.{}", key.name), form.clone()),
            };
            match &key.shape {
                Shape::Text => keys.push((path, form)),
                Shape::Texts => keys.push((path, form.replace('V', "[V]"))),
                Shape::TextByLanguage => keys.push((path, form.replace('V', "{ en = V }"))),
                Shape::Table(inner) => left.push((inner.clone(), path, form)),
                Shape::Tables(inner) => {
                    left.push((inner.clone(), path, form.replace('V', "[{ V }]")));
                }
                Shape::Flag | Shape::Number | Shape::Word(_) | Shape::WordOrWords(_) => {}
            }
        }
    }
    keys
}

/// The findings of `check` in a file where every text key has this value; first those for all
/// domains, then those for one.
fn placeholders_found(value: &str) -> (usize, usize, String) {
    let is_for_a_domain = |key: &str| {
        ["log", "limits", "metrics", "domains"].iter().all(|table| !key.starts_with(table))
            && !key.contains("signing")
    };
    let is_for_all = |key: &str| !key.contains("redirect") && key != "alias_of";
    let (mut top, mut domain, mut count) = (String::new(), String::new(), 0);
    for (key, form) in text_keys() {
        let line = format!("{key} = {}\n", form.replace('V', &format!("'{value}'")));
        if is_for_all(&key) {
            top += &line;
            count += 1;
        }
        if is_for_a_domain(&key) {
            domain += &line;
            count += 1;
        }
    }
    // Two keys of one item cannot be in two lines: lists of tables are written with both.
    let merge = |text: &str| {
        let list = "provider.documentation = ";
        let (lists, others): (Vec<_>, Vec<_>) =
            text.lines().partition(|line| line.starts_with(list));
        let items: Vec<_> = lists
            .iter()
            .filter_map(|line| line.strip_prefix(list)?.strip_prefix("[{ ")?.strip_suffix(" }]"))
            .collect();
        format!("{}\n{list}[{{ {} }}]\n", others.join("\n"), items.join(", "))
    };
    // Two files, since the number of findings that are printed is limited.
    let files = [merge(&top), format!("[domain.'x.example']\n{}", merge(&domain))];
    let sandbox = Sandbox::new();
    let (mut found, mut all) = (0, String::new());
    for text in files {
        let (_, stdout, _) = run(&sandbox.write("c.toml", &text), &["check", "--json"]);
        found += stdout.matches("\"code\": \"placeholder\"").count();
        all += &format!("{text}\n{stdout}");
    }
    (count, found, all)
}

/// A new text key is part of this test as soon as it is in its struct.
#[test]
fn a_placeholder_that_is_not_filled_in_is_refused_at_every_key() {
    let keys = text_keys();
    for known in [
        "imap.host",
        "smtp.alternatives",
        "provider.documentation",
        "apple.consent",
        "domains.list_files",
    ] {
        assert!(keys.iter().any(|(key, _)| key == known), "{known} is not among {keys:?}");
    }
    assert!(keys.len() >= 50, "only {} keys of text: {keys:?}", keys.len());
    for value in [
        "%DOMAIN%",
        "a %emaildomain%",
        "%EmailAddress%",
        "%EMAIL%",
        "%EMAILDOMAIN",
        "x%EMAILADDRESS",
        "EMAILLOCALPART%",
        "https://%DOMAIN%/",
        "https://www.example.org/%user%",
    ] {
        let (count, found, text) = placeholders_found(value);
        assert_eq!(found, count, "{value}: {text}");
    }
    for value in ["100%", "50%-off", "a%20b", "https://www.example.org/b%C3%BCcher%20x", "%", "%%"]
    {
        let (_, found, text) = placeholders_found(value);
        assert_eq!(found, 0, "{value}: {text}");
    }
}

#[test]
fn a_placeholder_is_refused_with_those_that_are_filled_in_there() {
    let sandbox = Sandbox::new();
    for (text, message) in [
        (
            "provider.name = 'Mail %EMAILADDRESS%'",
            "provider.name: %EMAILADDRESS% cannot be used at this key; only %EMAILDOMAIN% is allowed here",
        ),
        (
            "provider.name = '%DOMAIN%'",
            "provider.name: unknown placeholder %DOMAIN%; only %EMAILDOMAIN% is allowed here",
        ),
        (
            "imap.username = '%emailaddress%'",
            "imap.username: unknown placeholder %emailaddress%; %EMAILADDRESS%, %EMAILLOCALPART% and %EMAILDOMAIN% are allowed here",
        ),
        (
            "imap.username = '%EMAILADDRESS'",
            "imap.username: the `%` at the end of %EMAILADDRESS% is missing; %EMAILADDRESS%, %EMAILLOCALPART% and %EMAILDOMAIN% are allowed here",
        ),
        (
            "oauth2.client_id = '%EMAILDOMAIN%'",
            "oauth2.client_id: %EMAILDOMAIN% cannot be used at this key; placeholders are not allowed here",
        ),
    ] {
        let (status, stdout, _) = run(&sandbox.write("c.toml", text), &["check"]);
        let told: Vec<_> = stdout.lines().filter(|line| line.contains(message)).collect();
        assert_eq!((status, told.len()), (1, 1), "{text}: {stdout}");
    }
}

/// Values with placeholders are filled in, in every document.
#[test]
fn every_placeholder_that_is_taken_is_filled_in() {
    let sandbox = Sandbox::new();
    let text = "imap.auth = ['oauth2', 'password']\n[oauth2]\nissuer = 'login.%EMAILDOMAIN%'\nscope = 'imap'\n\
                authorization_url = 'https://login.%EMAILDOMAIN%/a'\n\
                token_url = 'https://login.%EMAILDOMAIN%/t'\nclient_id = 'c'\n\
                [domain.'x.example'.autodiscover]\nredirect_address = '%EMAILLOCALPART%@new.%EMAILDOMAIN%'\n";
    let config = sandbox.write("c.toml", text);
    let (status, stdout, stderr) = run(&config, &["show", "ann@x.example"]);
    assert_eq!(status, 0, "{stderr}");
    for filled in [
        "<issuer>login.x.example</issuer>",
        "<authURL>https://login.x.example/a</authURL>",
        "<tokenURL>https://login.x.example/t</tokenURL>",
        "<RedirectAddr>ann@new.x.example</RedirectAddr>",
    ] {
        assert!(stdout.contains(filled), "{filled} is not in {stdout}");
    }
}

//------------ auth ----------------------------------------------------------

const OAUTH2: &str = "[oauth2]\nissuer = 'login.example.org'\nscope = 'imap'\nclient_id = 'c'\n\
                      authorization_url = 'https://login.example.org/a'\ntoken_url = 'https://login.example.org/t'\n";

/// A file where every server has this `auth`.
fn with_auth(auth: &str) -> String {
    let servers = ["imap", "pop3", "smtp", "managesieve"];
    servers.iter().map(|server| format!("{server}.auth = {auth}\n")).collect::<String>() + OAUTH2
}

#[test]
fn methods_are_written_in_their_order() {
    let sandbox = Sandbox::new();
    for (auth, words) in [
        ("'oauth2'", &["OAuth2"][..]),
        ("['password']", &["password-cleartext"]),
        ("['oauth2', 'password']", &["OAuth2", "password-cleartext"]),
        ("['password', 'oauth2']", &["password-cleartext", "OAuth2"]),
        (
            "['ntlm', 'cram-md5', 'oauth2', 'password']",
            &["NTLM", "password-encrypted", "OAuth2", "password-cleartext"],
        ),
    ] {
        let text = format!("managesieve.enabled = true\n{}", with_auth(auth));
        let document =
            autoconfig(&sandbox.write("c.toml", text), "ann@example.org").text().to_owned();
        let elements = words.iter().map(|word| format!("<authentication>{word}</authentication>"));
        let expected: Vec<_> = elements.collect();
        for server in document.split("Server type=").skip(1) {
            let server = server.split("Server>").next().expect("a server");
            let found: Vec<_> = server
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with("<authentication>"))
                .collect();
            assert_eq!(found, expected, "{auth}: {document}");
        }
        assert!(document.contains("<oAuth2>"), "{document}");
    }
}

#[test]
fn lists_of_methods_have_each_of_them_once() {
    let sandbox = Sandbox::new();
    for (text, message) in [
        ("imap.auth = []", "imap.auth: expected one or more methods, each of them once"),
        (
            "imap.auth = ['password', 'password']",
            "imap.auth: expected one or more methods, each of them once",
        ),
        (
            "imap.auth = ['password', 'none']",
            "imap.auth: \"none\" is for smtp only; mail is not read without a login",
        ),
        (
            "smtp.auth = ['password', 'none']",
            "smtp.auth: \"none\" cannot be combined with other methods",
        ),
        (
            "smtp.auth = ['password', 5]",
            "smtp.auth: text in quotes is expected, not a whole number",
        ),
        ("smtp.auth = { a = 'password' }", "smtp.auth: text in quotes is expected, not a table"),
    ] {
        let (status, stdout, _) = run(&sandbox.write("c.toml", text), &["check"]);
        assert!(status == 1 && stdout.contains(message), "{text}: {stdout}");
        assert_eq!(stdout.lines().count(), 2, "{text}: {stdout}");
    }
}

/// Formats that cannot express tokens use the first other method, and omit the server without one.
#[test]
fn documents_without_a_word_for_oauth2_never_ask_for_a_password_that_is_refused() {
    let sandbox = Sandbox::new();
    let show = |auth: &str, client: &str| {
        run(
            &sandbox.write("c.toml", with_auth(auth)),
            &["show", "--client", client, "ann@example.org"],
        )
    };
    for auth in ["['oauth2', 'password']", "['password', 'oauth2']"] {
        let (status, profile, _) = show(auth, "apple");
        assert!(status == 0 && profile.contains("EmailAuthPassword"), "{auth}: {profile}");
        let (status, settings, _) = show(auth, "outlook");
        assert!(status == 0 && settings.matches("<SPA>off</SPA>").count() == 3, "{settings}");
    }
    let (status, profile, _) = show("['oauth2', 'cram-md5', 'password']", "apple");
    assert!(status == 0 && profile.contains("EmailAuthCRAMMD5"), "{profile}");
    let (status, _, stderr) = show("'oauth2'", "apple");
    assert!(status == 1 && stderr.contains("accept no password"), "{stderr}");
    let (status, _, stderr) = show("'oauth2'", "outlook");
    assert!(status == 1 && stderr.contains("cannot be found"), "{stderr}");
    let (status, all, _) = show("'oauth2'", "all");
    assert!(status == 0 && all.contains("<authentication>OAuth2<"), "{all}");

    // Only one of the servers: POP3 is not needed.
    let text =
        format!("pop3.auth = 'oauth2'\npacc.enabled = true\nsmtp.security = 'tls'\n{OAUTH2}");
    let config = sandbox.write("c.toml", text);
    let (status, settings, _) = run(&config, &["show", "--client", "outlook", "ann@example.org"]);
    assert!(status == 0 && !settings.contains("POP3") && settings.contains("IMAP"), "{settings}");
    let (_, check, _) = run(&config, &["check"]);
    assert!(check.contains("pacc: pop3 is left out: it takes no password"), "{check}");

    let page = |auth: &str| {
        let config = sandbox.write("c.toml", with_auth(auth));
        let request = Request::get("/?emailaddress=ann@example.org").host("autoconfig.example.org");
        let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
        cgi::send(&program(), &request, &settings).expect("a page").text().to_owned()
    };
    assert!(page("['oauth2', 'password']").contains("href=\"mobileconfig?"));
    let tokens = page("'oauth2'");
    assert!(!tokens.contains("mobileconfig") && tokens.contains(">OAuth2<"), "{tokens}");
}

#[test]
fn check_says_what_clients_do_with_methods() {
    let sandbox = Sandbox::new();
    for (text, parts) in [
        (
            with_auth("['oauth2', 'password']"),
            &[
                "imap: auth is a list: Mustang takes oauth2, Thunderbird 153 and Thunderbird for Android take the first they support, but oauth2 only for servers that they know by name, Evolution 3.46 takes password, KMail takes oauth2",
            ][..],
        ),
        (
            "imap.auth = ['ntlm', 'password']\n".to_owned(),
            &[
                "imap: auth is a list: Mustang takes the first it supports, Thunderbird 153 and Thunderbird for Android take the first they support, Evolution 3.46 takes password, KMail takes ntlm",
            ],
        ),
        (
            "imap = { port = 143, security = 'tls' }\n".to_owned(),
            &["after Autodiscover, Thunderbird 153 and FairEmail use STARTTLS there"],
        ),
        (with_auth("'oauth2'"), &["auth = \"oauth2\" alone: Thunderbird"]),
        (
            OAUTH2.to_owned(),
            &["oauth2: no client uses it as long as no server has \"oauth2\" in auth"],
        ),
        ("imap.auth = ['oauth2', 'password']\n".to_owned(), &["without an [oauth2] table"]),
    ] {
        let (status, stdout, _) = run(&sandbox.write("c.toml", &text), &["check"]);
        assert_eq!(status, 0, "{text}: {stdout}");
        for part in parts {
            assert!(stdout.contains(part), "{text}: {part} is not in {stdout}");
        }
    }
    let (_, stdout, _) = run(&sandbox.write("c.toml", with_auth("'password'")), &["check"]);
    assert!(!stdout.contains("auth is a list"), "{stdout}");
}

/// Duplicate servers are written once, whatever their source.
#[test]
fn a_server_that_is_there_twice_is_written_once() {
    let sandbox = Sandbox::new();
    let text = "smtp.alternatives = [{ port = 465 }, { port = 465, security = 'tls' }, { port = 2525 },\n\
                { port = 465, host = 'mail.%EMAILDOMAIN%' }, { port = 465, host = 'mail.x.example' },\n\
                { port = 465, host = 'MAIL.x.example' }]\n\
                [domain.'x.example']\nsmtp.port = 465\n[domain.'y.example']\n";
    let config = sandbox.write("c.toml", text);
    for (domain, ports) in
        [("x.example", &["465", "2525"][..]), ("y.example", &["587", "465", "2525", "465"])]
    {
        let document = autoconfig(&config, &format!("ann@{domain}")).text().to_owned();
        let servers = document.split("outgoingServer type=").skip(1);
        let found: Vec<_> =
            servers.filter_map(|server| server.split_once("<port>")?.1.split('<').next()).collect();
        assert_eq!(found, ports, "{document}");
    }
    let (_, zone, _) = run(&config, &["dns", "x.example"]);
    assert_eq!(zone.matches(" 465 ").count(), 1, "{zone}");
}

/// A domain's file inherits from the base as its table does.
#[test]
fn a_table_and_a_file_of_a_domain_say_the_same() {
    let sandbox = Sandbox::new();
    let base = "provider.name = 'Base'\nprovider.short_name = 'B'\nprovider.homepage = 'https://base.example/'\n\
                imap.host = 'imap.base.example'\nimap.port = 9993\nimap.security = 'tls'\n\
                pop3.days_on_server = 7\nsmtp.alternatives = [{ host = 'other.example' }]\n\
                caldav.url = 'https://dav.base.example/'\npage.logo = 'logo.svg'\napple.identifier = 'org.base'\n";
    let own = "imap.username = '%EMAILLOCALPART%'\npop3.leave_on_server = true\nsmtp.security = 'tls'\n\
               caldav.username = 'x'\npage.color = '#123456'\napple.description.en = 'text'\n\
               provider.webmail = 'https://web.example/'\n";
    sandbox.write("logo.svg", "<svg/>");
    sandbox.write("domains.d/file.example.toml", own);
    let text = format!("{base}domains.directory = 'domains.d'\n[domain.'tabl.example']\n{own}");
    let config = sandbox.write("c.toml", text);
    let show = |domain: &str| {
        let (status, stdout, stderr) = run(&config, &["show", &format!("ann@{domain}")]);
        assert_eq!(status, 0, "{stderr}");
        stdout.replace(domain, "DOMAIN").replace(&domain.replace('.', "%2E"), "DOMAIN")
    };
    let (table, file) = (show("tabl.example"), show("file.example"));
    for part in [
        "imap.base.example",
        ">9993<",
        ">Base<",
        ">B<",
        "daysToLeaveMessagesOnServer>7<",
        "leaveMessagesOnServer>true<",
        "dav.base.example",
        "web.example",
        ">text<",
    ] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    // The parts of a profile that differ are derived from the address.
    let documents = |text: &str| text.split("### 200 application").next().map(str::to_owned);
    assert_eq!(documents(&table), documents(&file));
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
    // As another user, since root may read everything.
    let secret = sandbox.write("secret.toml", "");
    run_as_nobody(&secret);
}

fn run_as_nobody(config: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(config, fs::Permissions::from_mode(0o000)).expect("chmod");
    let program = Sandbox::new();
    let copy = program.path("mailsetup");
    crate::common::copy_program(crate::common::program(), &copy);
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

/// In CGI mode, errors are logged; clients get a 500.
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
    // A recent file may be changing; an older one is an error.
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

/// Further servers of a type only if configured, after the first.
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
    assert!(status == 0 && stdout.contains("Evolution 3.46 takes the last server"), "{stdout}");
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

/// The example as shipped has the same effect as no file.
#[test]
fn the_example_is_the_defaults() {
    let example = source("contrib/config.example.toml");
    let show = |config: &Path| run(config, &["show", "ann@example.org"]);
    let empty = Sandbox::new();
    assert_eq!(show(&example), show(&empty.write("empty.toml", "")));
    assert_eq!(run(&example, &["check"]).0, 0);
}

/// All settings of the example at once: it parses, and every domain gets its settings.
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
    // A CGI program must not write to standard error.
    let lines = lines.filter(|line| *line != "requests = true");
    let whole: Vec<_> = lines.collect();
    assert!(whole.len() > text.lines().filter(|line| line.starts_with("# ")).count() + 30);
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", whole.join("\n"));
    // The files that the last block names.
    sandbox.write("domains.txt", "listed.example\n");
    sandbox.write("domains.d/own.example.toml", "# defaults\nimap.port = 993\n");
    sandbox.write("logo.svg", "<svg/>");
    sandbox.write("page.html", "<p>{{ address }}</p>\n");
    sandbox.write("logins", "ann@example.net asmith\n");
    for domain in ["example.net", "listed.example", "own.example"] {
        assert_eq!(autoconfig(&config, &format!("ann@{domain}")).status, 200, "{domain}");
    }
}

//------------ reload --------------------------------------------------------

/// A running service uses a changed file, and keeps the previous configuration if it has errors.
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
        service.output().contains("c.toml:1:13: imap.port: 0 is not a valid TCP port"),
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
    let told = service.output().matches("is not a valid TCP port").count();
    assert_eq!(told, 1, "logged once: {}", service.output());
}
