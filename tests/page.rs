//! The page for mailbox owners: its texts, its security, its QR code, and customisation.

use crate::common::http::{self, Request, Response};
use crate::common::{
    Process, Sandbox, cgi, command, free_port, program, source, wait_until, wait_until_settled,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex_lite::Regex;
use sha2::Digest;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

fn send(config: &str, request: &Request) -> Response {
    let sandbox = Sandbox::new();
    let path = sandbox.write("config.toml", format!("log.requests = false\n{config}"));
    send_with(&path, request)
}

fn send_with(config: &Path, request: &Request) -> Response {
    cgi::send(&program(), request, &[("MAILSETUP_CONFIG", config.as_os_str())]).expect("an answer")
}

fn get(target: &str) -> Request {
    Request::get(target).host("autoconfig.example.org")
}

fn ann() -> Request {
    get("/?emailaddress=ann@example.org")
}

/// The parts between two texts, for each occurrence.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

fn directive<'a>(page: &'a Response, name: &str) -> &'a str {
    let policy = page.header("content-security-policy").expect("a policy");
    let directive = policy.split("; ").find_map(|part| part.strip_prefix(name));
    directive.unwrap_or_else(|| panic!("no {name} in {policy}")).trim()
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(sha2::Sha256::digest(text.as_bytes())))
}

//------------ responses -----------------------------------------------------

#[test]
fn each_question_gets_its_page() {
    let sandbox = Sandbox::new();
    let [any, listed, disabled] = [
        ("any.toml", "log.requests = false\n"),
        ("listed.toml", "[domain.'example.org']\n"),
        ("disabled.toml", "[page]\nenabled = false\n"),
    ]
    .map(|(name, config)| sandbox.write(name, config));
    [&any, &listed, &disabled].into_iter().for_each(|config| wait_until_settled(config));
    let (no_store, kept) = (Some("no-store"), Some("public, max-age=300"));
    for (config, host, target, status, text, caching) in [
        (&any, "autoconfig.example.org", "/", 200, "<form", kept),
        (&any, "127.0.0.1:8025", "/", 200, "<form", kept),
        (&any, "127.0.0.1", "/?emailaddress=ann@example.org", 200, "id=\"apple\"", no_store),
        (&listed, "autoconfig.example.org", "/", 200, "<form", kept),
        (&listed, "www.example.org", "/?emailaddress=", 200, "<form", kept),
        (&listed, "example.org", "/?emailaddress=%20", 200, "<form", kept),
        (&listed, "x.example", "/?emailaddress=ann@example.org", 200, "id=\"apple\"", no_store),
        (&listed, "example.org", "/?emailaddress=ann", 400, "aria-invalid=\"true\"", no_store),
        (&listed, "example.org", "/?emailaddress=a@x.example", 404, "do not host mail", no_store),
        (&listed, "x.example", "/?emailaddress=a@x.example", 404, "do not host mail", no_store),
        (&listed, "x.example", "/", 404, "nothing here\n", no_store),
        (&listed, "x.example", "/?emailaddress=ann", 404, "nothing here\n", no_store),
        (&disabled, "example.org", "/", 404, "nothing here\n", no_store),
    ] {
        let page = send_with(config, &Request::get(target).host(host));
        let case = format!("{} {host} {target}: {}", config.display(), page.text());
        assert_eq!(page.status, status, "{case}");
        assert!(page.text().contains(text), "{case}");
        assert_eq!(page.header("cache-control"), caching, "{case}");
        let is_page = !text.starts_with("nothing");
        let media_type = ["text/plain; charset=utf-8", "text/html; charset=utf-8"];
        assert_eq!(page.header("content-type"), Some(media_type[usize::from(is_page)]), "{case}");
        if is_page {
            assert_eq!(page.header("vary"), Some("Accept-Language"));
            assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        }
    }
    let post = Request::post("/", "emailaddress=ann@example.org").host("example.org");
    assert_eq!(send("", &post).header("allow"), Some("GET, HEAD"));
}

/// A browser sends a blank as `+`: with a blank before the address, the profile was for `+ann@…`.
#[test]
fn a_typed_blank_is_no_part_of_the_address() {
    const BLANKS: [&str; 10] = [
        "+",
        "%20",
        "%C2%A0",
        "%09",
        "%0A",
        "%0D%0A",
        "%E3%80%80",
        "%E2%80%89",
        "+%20+",
        "%20+%C2%A0",
    ];
    let link = |value: &str| {
        let page = send("", &get(&format!("/?emailaddress={value}")));
        let text = page.text();
        let profile = between(&text, "href=\"mobileconfig?emailaddress=", "\"").first().copied();
        (page.status, profile.map(str::to_owned))
    };
    let found = |address: &str| (200, Some(address.to_owned()));
    for blank in BLANKS {
        for at in ["@", "%40"] {
            let address = format!("ann{at}example.org");
            for value in [
                format!("{blank}{address}"),
                format!("{address}{blank}"),
                format!("{blank}{address}{blank}"),
            ] {
                assert_eq!(link(&value), found("ann@example.org"), "{value}");
            }
        }
        assert_eq!(send("", &get(&format!("/?emailaddress={blank}"))).status, 200, "nothing typed");
        // Parts that a blank separates are not joined.
        for value in [format!("ann{blank}%40example.org"), format!("ann%40{blank}example.org")] {
            assert_eq!(link(&value).0, 400, "{value}");
        }
    }
    for (value, address) in [
        ("ann%2Btag%40example.org", "ann%2Btag@example.org"),
        ("%2Bann%40example.org", "%2Bann@example.org"),
        ("ann%2B%40example.org", "ann%2B@example.org"),
        // By hand, in a link.
        ("ann+tag@example.org", "ann%2Btag@example.org"),
        ("+ann+a%2Bb+c@example.org+", "ann%2Ba%2Bb%2Bc@example.org"),
        // A blank is allowed in quotes.
        ("%22a+b%22%40example.org", "%22a%20b%22@example.org"),
        ("+%22a%2Bb%22%40example.org", "%22a%2Bb%22@example.org"),
    ] {
        assert_eq!(link(value), found(address), "{value}");
    }
    // The form shows the blank, so that the user can correct the address.
    let page = send("", &get("/?emailaddress=+ann+%40example.org+")).text();
    assert!(page.contains("value=\"ann @example.org\""), "{page}");
}

/// Requests of mail clients do not come from a form: a plus stays a plus.
#[test]
fn a_plus_in_a_request_of_a_client_stays() {
    let profile = send("", &get("/mobileconfig?emailaddress=+ann@example.org")).text();
    assert!(profile.contains("<string>+ann@example.org</string>"), "{profile}");
    let json = "/autodiscover/autodiscover.json?Email=+ann@example.org&Protocol=Autodiscoverv1";
    assert_eq!(send("", &get(json)).status, 200);
}

/// The page shows the provider of the address, else of the Host.
#[test]
fn the_page_is_in_the_name_of_the_provider() {
    let config = "[domain.'example.org']\nprovider.name = 'Org'\n\
                  [domain.'example.net']\nprovider.name = 'Net'\n";
    for (host, target, name) in [
        ("autoconfig.example.org", "/", "Org"),
        ("autoconfig.example.net", "/?emailaddress=ann@example.org", "Org"),
        ("autoconfig.example.net", "/?emailaddress=ann@nowhere.example", "Net"),
        ("autoconfig.example.net", "/?emailaddress=ann", "Net"),
    ] {
        let page = send(config, &Request::get(target).host(host)).text();
        assert!(page.contains(&format!("<bdi>{name}</bdi>")), "{host}{target}: {page}");
    }
    let page = send(config, &Request::get("/?emailaddress=a@x.example").host("x.example")).text();
    assert!(!page.contains("<header>"), "{page}");
}

#[test]
fn head_has_the_header_of_get() {
    let head = Request::new("HEAD", "/?emailaddress=ann@example.org").host("example.org");
    let (get, head) = (send("", &ann()), send("", &head));
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-type"), get.header("content-type"));
    assert_eq!(head.header("cache-control"), Some("no-store"));
}

/// The page does not show whether a mailbox exists: pages of two addresses only differ in their
/// names.
#[test]
fn mailboxes_are_not_told_apart() {
    let page = |name: &str| {
        let page = send("", &get(&format!("/?emailaddress={name}@example.org"))).text();
        let codes = between(&page, "<svg", "</svg>");
        let page = codes.into_iter().fold(page.clone(), |page, code| page.replace(code, ""));
        page.replace(&format!("{name}@"), "@")
    };
    assert_eq!(page("ann"), page("bob"));
}

/// All values to be entered are in the HTML; only the copy buttons need the script.
#[test]
fn no_script_is_needed() {
    let config = "[smtp]\nport = 2525\nsecurity = 'tls'\nusername = 'mail-%EMAILLOCALPART%'\n\
                  [managesieve]\nenabled = true\n[caldav]\nurl = 'https://dav.example.org/c/'\n";
    let text = send(config, &ann()).text();
    let start = text.find("<main>").expect("main");
    let (page, script) = text[start..].split_once("<script>").expect("a script");
    for value in [
        "mail.example.org",
        ">993<",
        ">2525<",
        ">4190<",
        ">mail-ann<",
        "SSL&#x2f;TLS",
        "STARTTLS",
        "https:&#x2f;&#x2f;dav.example.org&#x2f;c&#x2f;",
        "href=\"mobileconfig?emailaddress=ann@example.org\"",
    ] {
        assert!(page.contains(value), "{value} is not in {page}");
    }
    let at = |word| page.find(word).expect(word);
    assert!(at("(IMAP)") < at("(SMTP)") && at("(SMTP)") < at("(POP3)"), "the usual two first");
    let buttons = between(page, "<button", ">");
    assert!(buttons.len() > 10 && buttons.iter().all(|button| button.ends_with(" hidden")));
    assert!(script.contains("button.hidden = false"));
}

//------------ languages -----------------------------------------------------

/// `tests/languages.rs` requests every language.
#[test]
fn the_language_is_the_one_that_is_asked_for() {
    for (wish, language, direction) in [
        ("", "en", "ltr"),
        ("xx", "en", "ltr"),
        ("xx, de;q=0.2, fr;q=0.3", "fr", "ltr"),
        ("pt-BR, en;q=0.9", "pt", "ltr"),
        ("zh-TW, zh;q=0.9, en-US;q=0.8", "zh-Hant", "ltr"),
        ("zh-HK", "zh-Hant", "ltr"),
        ("zh-CN, zh;q=0.9", "zh-Hans", "ltr"),
        ("zh-SG", "zh-Hans", "ltr"),
        ("no, nn;q=0.9", "nb", "ltr"),
        ("nn", "nb", "ltr"),
        ("he-IL, en;q=0.8", "he", "rtl"),
        ("iw", "he", "rtl"),
        ("ar-EG", "ar", "rtl"),
    ] {
        let page = send("", &ann().header("Accept-Language", wish)).text();
        let html = format!("<html lang=\"{language}\" dir=\"{direction}\">");
        assert!(page.contains(&html), "{wish}");
    }
}

/// The style sheet does not use left and right.
#[test]
fn the_style_goes_both_ways() {
    let style = fs::read_to_string(source("src/page/style.css")).expect("style");
    let sided = Regex::new(r"(?m)^\s*(margin|padding|border)?-?(left|right)\b|: (left|right);");
    assert!(!sided.expect("a pattern").is_match(&style));
}

//------------ safety --------------------------------------------------------

#[test]
fn nothing_typed_or_configured_becomes_markup() {
    let config = "[provider]\nname = '<b>\"&''Co'\nsupport = 'https://example.org/?a=1&b=2'\n";
    let config = config.replace("'<b>\"&''Co'", "\"<b>\\\"&'Co\"");
    for (target, told) in [
        ("/?emailaddress=%22%3Cb%3E%22@example.org", "&quot;&lt;b&gt;&quot;@example.org"),
        ("/?emailaddress=%22%3E%3Cscript%3E", "value=\"&quot;&gt;&lt;script&gt;\""),
        ("/?emailaddress=%FF", "value=\"\u{fffd}\""),
        ("/", "&lt;b&gt;"),
    ] {
        let text = send(&config, &get(target)).text();
        assert!(text.contains(told), "{told}: {text}");
        assert!(!text.contains("<b>"), "{text}");
        assert_eq!(text.matches("<script").count(), 1, "{text}");
    }
}

#[test]
fn nothing_typed_turns_text_around_or_hides_in_it() {
    for hidden in
        ["%1B", "%C2%9B", "%E2%80%AE", "%E2%81%A6", "%E2%80%8B", "%EF%BB%BF", "%F3%A0%81%81"]
    {
        let text = send("", &get(&format!("/?emailaddress=a{hidden}b"))).text();
        assert!(text.contains("value=\"a\u{fffd}b\""), "{hidden}: {text}");
    }
}

#[test]
fn the_policy_lets_in_what_is_there_and_nothing_else() {
    for target in ["/", "/?emailaddress=ann@example.org", "/?emailaddress=ann"] {
        let page = send("", &get(target));
        let text = page.text();
        let (styles, scripts) =
            (between(&text, "<style>", "</style>"), between(&text, "<script>", "</script>"));
        assert_eq!((styles.len(), scripts.len()), (1, 1));
        assert_eq!(directive(&page, "style-src "), hash(styles[0]));
        assert_eq!(directive(&page, "script-src "), hash(scripts[0]));
        for (name, value) in [
            ("default-src ", "'none'"),
            ("img-src ", "data:"),
            ("form-action ", "'self'"),
            ("base-uri ", "'none'"),
            ("frame-ancestors ", "'none'"),
        ] {
            assert_eq!(directive(&page, name), value);
        }
        assert!(
            !Regex::new(r#" style=| on[a-z]+=|https?:|//[a-z]"#)
                .expect("a pattern")
                .is_match(&text.replace(scripts[0], "").replace(styles[0], "")),
            "{text}"
        );
    }
}

//------------ the QR code ---------------------------------------------------

/// The codes of a page: the size in modules with the margin, and the text.
fn codes(page: &str) -> Vec<(usize, String)> {
    between(page, "<svg", "</svg>").into_iter().map(read_code).collect()
}

/// Paints the modules of the SVG and reads them as a camera would.
fn read_code(svg: &str) -> (usize, String) {
    let size: usize = between(svg, "viewBox=\"0 0 ", " ")[0].parse().expect("a size");
    let mut dark = vec![false; size * size];
    let line = Regex::new(r"M(\d+) (\d+)\.5|m(\d+) 0|h(\d+)").expect("a pattern");
    let (mut x, mut y) = (0, 0);
    for found in line.captures_iter(between(svg, " d=\"", "\"")[0]) {
        let number = |at: usize| found.get(at).map(|it| it.as_str().parse().expect("a number"));
        match (number(1), number(3), number(4)) {
            (Some(column), ..) => (x, y) = (column, number(2).expect("a row")),
            (_, Some(gap), _) => x += gap,
            (.., length) => {
                let end = x + length.expect("a length");
                dark[y * size + x..y * size + end].fill(true);
                x = end;
            }
        }
    }
    const SCALE: usize = 4;
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(size * SCALE, size * SCALE, |x, y| {
            if dark[y / SCALE * size + x / SCALE] { 0 } else { 255 }
        });
    let codes = image.detect_grids();
    assert_eq!(codes.len(), 1, "{svg}");
    (size, codes[0].decode().expect("a QR code").1)
}

#[test]
fn the_code_leads_to_the_profile() {
    let listed = "[domain.'example.org']\n[domain.'hoster.example']\n";
    for (config, host, address, url) in [
        (
            "",
            "autoconfig.example.org",
            "ann@example.org",
            "https://autoconfig.example.org/mobileconfig?emailaddress=ann@example.org",
        ),
        (
            "",
            "www.example.org:8080",
            "ann@example.org",
            "https://www.example.org/mobileconfig?emailaddress=ann@example.org",
        ),
        (
            "",
            "evil.example",
            "ann@example.org",
            "https://autoconfig.example.org/mobileconfig?emailaddress=ann@example.org",
        ),
        (
            "",
            "<b>",
            "ann@example.org",
            "https://autoconfig.example.org/mobileconfig?emailaddress=ann@example.org",
        ),
        (
            listed,
            "hoster.example",
            "ann@example.org",
            "https://hoster.example/mobileconfig?emailaddress=ann@example.org",
        ),
        (
            listed,
            "evil.example",
            "ann@example.org",
            "https://autoconfig.example.org/mobileconfig?emailaddress=ann@example.org",
        ),
        (
            "",
            "example.org",
            "%22a%26%3Cb%22@example.org",
            "https://example.org/mobileconfig?emailaddress=%22a%26%3Cb%22@example.org",
        ),
        (
            "",
            "example.org",
            "a%2Bb@example.org",
            "https://example.org/mobileconfig?emailaddress=a%2Bb@example.org",
        ),
    ] {
        let target = format!("/?emailaddress={address}");
        let page = send(config, &Request::get(target).host(host)).text();
        assert_eq!(codes(&page)[0].1, url);
        let (_, path) = url.split_once("example/").or(url.split_once("org/")).expect("a path");
        assert!(page.contains(&format!("href=\"{path}\"")), "{path}");
        let profile = send(config, &Request::get(format!("/{path}")).host(host));
        assert_eq!(profile.header("content-type"), Some("application/x-apple-aspen-config"));
    }
}

/// Thunderbird for Android and K-9 Mail import it: `feature/migration/qrcode/qr-code-format.md` of
/// thunderbird-android, version 1.
#[test]
fn the_other_code_is_an_account_for_android() {
    let other = "[imap]\nenabled = false\n[pop3]\nhost = 'pop.%EMAILDOMAIN%'\nport = 110\n\
                 auth = 'cram-md5'\nusername = '%EMAILLOCALPART%'\n\
                 [smtp]\nhost = '192.0.2.1'\nport = 25\nsecurity = 'none'\nauth = 'ntlm'\n";
    for (config, address, text) in [
        (
            "",
            "ann@example.org",
            r#"[1,[1,1],[0,"mail.example.org",993,3,1,"ann@example.org"],[[[0,"mail.example.org",587,2,1,"ann@example.org"],["ann@example.org",""]]]]"#,
        ),
        (
            other,
            "Ann+x@example.org",
            r#"[1,[1,1],[1,"pop.example.org",110,2,2,"Ann+x"],[[[0,"192.0.2.1",25,0,4,"Ann+x@example.org"],["Ann+x@example.org",""]]]]"#,
        ),
        (
            "smtp.auth = 'none'\nimap.auth = ['oauth2', 'password']\n",
            "a@xn--bcher-kva.example",
            r#"[1,[1,1],[0,"mail.xn--bcher-kva.example",993,3,1,"a@xn--bcher-kva.example"],[[[0,"mail.xn--bcher-kva.example",587,2,0,"a@xn--bcher-kva.example"],["a@xn--bcher-kva.example",""]]]]"#,
        ),
    ] {
        let page = send(config, &get(&format!("/?emailaddress={}", address.replace('+', "%2B"))));
        let (size, code) = codes(&page.text()).remove(1);
        assert_eq!(code, text);
        // Version 12, with a margin of 4 on each side, which a phone can read from a screen.
        assert!(size <= 17 + 4 * 12 + 8, "{size}");
        let value: serde_json::Value = serde_json::from_str(&code).expect("JSON");
        check_format(&value);
    }
    // Addresses that the app might not accept, and servers that accept no password.
    for (config, address) in [
        ("", "%22a%20b%22@example.org"),
        ("", "%C3%A9@example.org"),
        ("imap.auth = 'oauth2'\n", "ann@example.org"),
        ("smtp.auth = 'oauth2'\n", "ann@example.org"),
        (LONG_LOGINS, "ann@example.org"),
    ] {
        let page = send(config, &get(&format!("/?emailaddress={address}")));
        let profile = usize::from(!config.contains("oauth2"));
        assert_eq!((page.status, codes(&page.text()).len()), (200, profile), "{address}");
        assert!(!page.text().contains("Import settings"), "{address}");
    }
}

/// Logins that make a code too long for some mailboxes: then there is none for any.
const LONG_LOGINS: &str = "\
    imap.username = '%EMAILADDRESS%%EMAILADDRESS%%EMAILADDRESS%%EMAILADDRESS%'\n\
    smtp.username = '%EMAILADDRESS%%EMAILADDRESS%%EMAILADDRESS%%EMAILADDRESS%'\n";

/// The types of the format, without further elements; no password.
fn check_format(value: &serde_json::Value) {
    use serde_json::Value::{Array, Number, String};
    let server = |value: &serde_json::Value, protocols: u64| {
        let Array(fields) = value else { panic!("{value}") };
        let [
            Number(protocol),
            String(host),
            Number(port),
            Number(security),
            Number(auth),
            String(_),
        ] = &fields[..]
        else {
            panic!("{value}")
        };
        assert!(protocol.as_u64() <= Some(protocols) && host.is_ascii());
        assert!((1..=65535).contains(&port.as_u64().expect("a port")));
        assert!([0, 2, 3].contains(&security.as_u64().expect("a number")));
        assert!(auth.as_u64() <= Some(6));
    };
    let [version, sequence, incoming, outgoing] = &value.as_array().expect("an array")[..] else {
        panic!("{value}")
    };
    assert_eq!((version, sequence), (&1.into(), &vec![1, 1].into()));
    server(incoming, 1);
    let [group] = &outgoing.as_array().expect("groups")[..] else { panic!("{outgoing}") };
    let [outgoing, identity] = &group.as_array().expect("a group")[..] else { panic!("{group}") };
    server(outgoing, 0);
    let [String(address), String(_)] = &identity.as_array().expect("an identity")[..] else {
        panic!("{identity}")
    };
    assert!(address.is_ascii());
}

/// Pages are written once for a domain, a language and a host, and filled in for each mailbox.
#[test]
fn pages_that_are_kept_are_those_that_are_written() {
    let sandbox = Sandbox::new();
    let documentation = "[[provider.documentation]]\nurl = 'https://www.example.org/'\n\
                         title = { en = 'Help', de = 'Hilfe' }\n";
    let template = "<b>{{ address|upper }}</b>";
    let template = sandbox.write("page.html", template);
    let custom = format!("page.template = '{}'\n", template.display());
    for (at, config) in ["", documentation, &custom, LONG_LOGINS].into_iter().enumerate() {
        let name = format!("{at}.toml");
        let path = sandbox.write(&name, format!("log.requests = false\n{config}"));
        wait_until_settled(&path);
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = command(program());
        command.arg("--config").arg(&path).args(["serve", "--http"]).arg(address.to_string());
        let _service = Process::start(&sandbox, &mut command)
            .wait_until(|| std::net::TcpStream::connect(address).is_ok());
        for _ in 0..2 {
            for (mailbox, language, host) in [
                ("ann@example.org", "en", "autoconfig.example.org"),
                ("bob@example.org", "en", "autoconfig.example.org"),
                ("%25EMAILADDRESS%25@example.org", "en", "autoconfig.example.org"),
                ("%22%3Cb%3E%26%22@example.org", "en", "autoconfig.example.org"),
                ("%C3%A9@example.org", "en", "autoconfig.example.org"),
                ("ann@example.org", "de", "autoconfig.example.org"),
                ("ann@example.org", "en", "www.example.org"),
                ("ann@example.org", "en", "x.example.org"),
                ("ann@xn--bcher-kva.example", "en", "autoconfig.xn--bcher-kva.example"),
            ] {
                let request = Request::get(format!("/?emailaddress={mailbox}"))
                    .host(host)
                    .header("Accept-Language", language);
                let kept = http::send(address, &request).expect("a response").text();
                assert_eq!(kept, send_with(&path, &request).text(), "{mailbox} {language} {host}");
            }
        }
    }
}

/// The host in the link to the profile may depend on the settings of another domain, that of the Host.
#[test]
fn a_page_follows_the_domain_of_its_host() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a.example.toml", "");
    let path = sandbox.write("c.toml", "domains = { answer = 'any', directory = 'd' }\n");
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = command(program());
    command.arg("--config").arg(&path).args(["serve", "--http"]).arg(address.to_string());
    let _service = Process::start(&sandbox, &mut command)
        .wait_until(|| std::net::TcpStream::connect(address).is_ok());
    let code = || {
        let request = Request::get("/?emailaddress=ann@a.example").host("autoconfig.b.example");
        codes(&http::send(address, &request).expect("a response").text())[0].1.clone()
    };
    assert!(code().starts_with("https://autoconfig.a.example/"), "{}", code());
    let file = sandbox.write("d/b.example.toml", "");
    wait_until(|| code().starts_with("https://autoconfig.b.example/"));
    fs::remove_file(file).expect("a file");
    wait_until(|| code().starts_with("https://autoconfig.a.example/"));
}

/// Several lines of a field are one list (RFC 9110 §5.3).
#[test]
fn a_field_may_have_several_lines() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = command(program());
    command.arg("--config").arg(&config).args(["serve", "--http"]).arg(address.to_string());
    let _service = Process::start(&sandbox, &mut command)
        .wait_until(|| std::net::TcpStream::connect(address).is_ok());
    let ask = |request: &Request| http::send(address, request).expect("a response");
    let form = get("/").header("Accept-Language", "zz").header("Accept-Language", "de");
    assert!(ask(&form).text().contains("lang=\"de\""));
    let document = || get("/mail/config-v1.1.xml");
    let first = ask(&document());
    let tag = first.header("etag").expect("a tag");
    let again = document().header("If-None-Match", "\"a\"").header("If-None-Match", tag);
    assert_eq!(ask(&again).status, 304);
}

//------------ customisation -------------------------------------------------

#[test]
fn a_logo_is_carried_along() {
    const SVG: &str = "<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>";
    for (name, content, media_type) in [
        ("logo.svg", SVG.as_bytes(), "image&#x2f;svg+xml"),
        ("logo.png", b"\x89PNG\r\n\x1a\n...", "image&#x2f;png"),
        ("logo", b"\xff\xd8\xff\xe0", "image&#x2f;jpeg"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(name, content);
        let config = format!("[page]\nlogo = '{name}'\n[provider]\nname = 'A & B'\n");
        let page = send_with(&sandbox.write("config.toml", config), &ann()).text();
        let encoded = STANDARD.encode(content).replace('/', "&#x2f;");
        let image = format!("<img src=\"data:{media_type};base64,{encoded}\" alt=\"A &amp; B\">");
        assert!(page.contains(&image), "{image}: {page}");
    }
}

#[test]
fn a_colour_is_shown_if_it_can_be_read() {
    let style = |color: &str| {
        let page = send(&format!("[page]\ncolor = '{color}'\n"), &ann()).text();
        between(&page, "--accent: ", ";").iter().map(|shade| shade.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(style("#0F766e")[0], "#0f766e");
    assert_ne!(style("#0f766e")[1], "#0f766e", "lighter on dark pages");
    assert_ne!(style("#ffee00")[0], "#ffee00", "too pale for a light page");
    assert_eq!(style("#ffee00")[1], "#ffee00");
    let sandbox = Sandbox::new();
    let pale = sandbox.write("config.toml", "page.color = '#ffee00'\n");
    let output = command(program()).arg("--config").arg(&pale).arg("check").output();
    let text = String::from_utf8(output.expect("program").stdout).expect("text");
    assert!(text.contains("warning: ") && text.contains("page.color: text in #ffee00"), "{text}");
}

#[test]
fn a_domain_has_a_look_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.write("logo.svg", "<svg/>");
    let config = sandbox.write(
        "config.toml",
        "[page]\nlogo = 'logo.svg'\n[domain.'example.org']\npage.color = '#004080'\n\
         [domain.'example.net']\npage.enabled = false\n",
    );
    let page = send_with(&config, &ann()).text();
    assert!(page.contains("#004080") && page.contains("data:image"), "{page}");
    let net = Request::get("/?emailaddress=ann@example.net").host("autoconfig.example.net");
    assert_eq!(send_with(&config, &net).status, 404);
}

/// Two domains of one service: each page has the logo, the colour and the texts of its own domain,
/// also if it comes from the cache.
#[test]
fn each_domain_has_its_own_logo_colour_and_texts() {
    let sandbox = Sandbox::new();
    sandbox.write("org.svg", "<svg id='org'/>");
    sandbox.write("d/net.svg", "<svg id='net'/>");
    let config = sandbox.write(
        "config.toml",
        "domains.directory = 'd'\n[page]\nnote = { en = 'Note of all.' }\nphone = '112'\n\
         [domain.'example.org']\n\
         provider.name = 'Org'\n\
         page = { logo = 'org.svg', color = '#004080', email = 'help@example.org', \
         note = { en = 'Note of org.', de = 'Text von org.', zh-hant = '\u{6587}' } }\n\
         [domain.'example.com']\n",
    );
    sandbox.write(
        "d/example.net.toml",
        "[provider]\nname = 'Net'\n[page]\nlogo = 'net.svg'\ncolor = '#802000'\n\
         phone = '+49 (0)30 1'\nnote = { ar = '\u{646}\u{635}' }\n",
    );
    wait_until_settled(&config);
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = command(program());
    command.arg("--config").arg(&config).args(["serve", "--http"]).arg(address.to_string());
    let _service = Process::start(&sandbox, &mut command)
        .wait_until(|| std::net::TcpStream::connect(address).is_ok());
    let logo = |name: &str| STANDARD.encode(format!("<svg id='{name}'/>"));
    let (org, net) = (logo("org"), logo("net"));
    let note = |lang: &str, text: &str| {
        format!("<p class=\"note\" lang=\"{lang}\" dir=\"auto\">{text}</p>")
    };
    let all = ["<bdi>example.com</bdi>", &note("en", "Note of all."), "href=\"tel:112\""];
    let org_email = "href=\"mailto:help@example.org\" dir=\"ltr\">help@example.org</a>";
    let orgs = ["alt=\"Org\"", &org, "--accent: #004080;", org_email, "href=\"tel:112\""];
    let nets = [
        "alt=\"Net\"",
        &net,
        "--accent: #802000;",
        "href=\"tel:+49301\" dir=\"ltr\">+49 (0)30 1</a>",
        &note("ar", "\u{646}\u{635}"),
    ];
    for target in ["/", "/?emailaddress=ann@", "/?emailaddress=bob@", "/?emailaddress=ann"] {
        for language in ["en", "de-AT", "zh-TW", "ar"] {
            let org_note = match language {
                "de-AT" => note("de", "Text von org."),
                "zh-TW" => note("zh-Hant", "\u{6587}"),
                _ => note("en", "Note of org."),
            };
            let orgs: Vec<_> = orgs.iter().copied().chain([org_note.as_str()]).collect();
            for (domain, own, others) in [
                ("example.org", &orgs[..], &[&nets[..4], &all[..2]].concat()[..]),
                ("example.net", &nets[..], &[&orgs[..], &all[..2]].concat()[..]),
                ("example.com", &all[..], &[&orgs[..4], &nets[..]].concat()[..]),
            ] {
                let target = match target.ends_with('@') {
                    true => format!("{target}{domain}"),
                    false => target.to_owned(),
                };
                let request = Request::get(&target)
                    .host(format!("autoconfig.{domain}"))
                    .header("Accept-Language", language);
                let page = http::send(address, &request).expect("a page").text();
                let case = format!("{domain}{target} in {language}: {page}");
                for part in own {
                    assert!(page.contains(part), "{part} is not in {case}");
                }
                for part in others {
                    assert!(!page.contains(part), "{part} is in {case}");
                }
            }
        }
    }
}

/// What a provider writes is text, and not markup.
#[test]
fn notes_are_escaped() {
    let config =
        "[page]\nnote = { en = \"<b>1 & 2</b>\\n3\" }\nemail = '\"<b>\"@b\u{fc}cher.example'\n";
    for target in ["/", "/?emailaddress=ann@example.org"] {
        let page = send(config, &get(target)).text();
        assert!(page.contains(">&lt;b&gt;1 &amp; 2&lt;&#x2f;b&gt;\n3</p>"), "{page}");
        let link = "href=\"mailto:%22%3Cb%3E%22@xn--bcher-kva.example\" dir=\"ltr\">\
                    &quot;&lt;b&gt;&quot;@b\u{fc}cher.example</a>";
        assert!(page.contains(link), "{page}");
    }
}

#[test]
fn a_template_takes_the_place_of_ours() {
    const OWN: &str = "<!DOCTYPE html><title>{{ t.title }}</title><style>p { margin: 0 }</style>\
                       <style>{{ style }}</style><style>{{ typed }}</style>\n<p>{{ address }}</p>";
    let sandbox = Sandbox::new();
    sandbox.write("own.html", OWN);
    let config = sandbox.write("config.toml", "page.template = 'own.html'\n");
    let page = send_with(&config, &get("/?emailaddress=%22%3Cb%3E%22@example.org"));
    let text = page.text();
    assert!(text.contains("<p>&quot;&lt;b&gt;&quot;@example.org</p>"), "{text}");
    let styles = directive(&page, "style-src ");
    let [own, ours, filled] = between(&text, "<style>", "</style>")[..] else { panic!("{text}") };
    assert!(styles.contains(&hash(own)) && styles.contains(&hash(ours)), "{styles}");
    assert!(!styles.contains(&hash(filled)), "what strangers fill in is let in by nobody");
    // The built-in template may be the start of a custom one.
    sandbox.write("own.html", fs::read(source("src/page/template.html")).expect("template"));
    assert_eq!(send_with(&config, &ann()).text(), send("", &ann()).text());
}

#[test]
fn what_is_broken_is_told_with_file_and_line() {
    let big = "x".repeat(64 * 1024 + 1);
    for (config, file, content, told) in [
        ("page.template = 'f'", "f", "<p>{{ t }}\n{% if %}", "f:2:1: page.template: "),
        ("page.template = 'f'", "f", "<p>\n\n{{ adress }}", "f:3:1: page.template: "),
        ("page.template = 'f'", "f", "<p>{{ address|nothing }}", "f:1:1: page.template: "),
        (
            "page.template = 'f'",
            "f",
            "<p>{% if stage == 'unknown' %}\n{{ x }}{% endif %}",
            "f:2:1: ",
        ),
        ("page.template = 'f'", "f", "<p>{{ t }}{% include 'x' %}", "f:1:1: "),
        ("page.template = 'g'", "f", "", "config.toml:1:17: page.template: "),
        ("page.logo = 'g'", "f", "", "config.toml:1:13: page.logo: "),
        ("page.logo = '.'", "f", "", "it is not a file"),
        ("page.logo = 'f'", "f", "GIF89a", "f is not an SVG, PNG or JPEG"),
        ("page.logo = 'f'", "f", &big, "f cannot be read: it is larger than 64 KiB"),
        (
            "page.color = 'red'",
            "f",
            "",
            "config.toml:1:14: page.color: `red` is not a colour; expected",
        ),
        ("page.color = '#+12345'", "f", "", "page.color: `#+12345`"),
        ("page.colour = 'red'", "f", "", "did you mean `color`?"),
        (
            "page.note = { en = '' }",
            "f",
            "",
            "config.toml:1:13: page.note: `en`: expected a language and its text",
        ),
        ("page.note = 'text'", "f", "", "config.toml:1:13: page.note: "),
        ("page.email = 'help'", "f", "", "config.toml:1:14: page.email: `help` is not an address"),
        (
            "page.phone = 'x'",
            "f",
            "",
            "config.toml:1:14: page.phone: `x` is not a telephone number",
        ),
        ("page.enabled = 'no'", "f", "", "page.enabled: true or false is expected, not text"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(file, content);
        let path = sandbox.write("config.toml", config);
        let output = command(program()).arg("--config").arg(&path).arg("check").output();
        let output = output.expect("program");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{config}: {text}");
        assert!(text.contains(told), "{config}, {content}: {text}");
        assert_eq!(text.lines().count(), 2, "one, and the sum: {text}");
    }
}

/// Template and logo are reloaded like the configuration; if one has errors, the previous one stays
/// in force.
#[test]
fn a_running_service_follows_its_template() {
    let sandbox = Sandbox::new();
    let template = sandbox.write("own.html", "<p>one {{ lang }}");
    let config = sandbox.write("config.toml", "page.template = 'own.html'\n");
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let mut serve = command(program());
    serve.arg("serve").arg("--http").arg(address.to_string()).arg("--config").arg(&config);
    let is_up = || http::send(address, &ann()).is_ok();
    let service = Process::start(&sandbox, &mut serve).wait_until(is_up);
    let text = || http::send(address, &ann()).expect("an answer").text();
    assert_eq!(text(), "<p>one en\n");
    fs::write(&template, "<p>two: {{").expect("template");
    assert!(wait_until(|| {
        assert_eq!(text(), "<p>one en\n");
        service.output().contains("own.html:1:1: page.template: ")
    }));
    fs::write(&template, "<p>three {{ lang }}").expect("template");
    assert!(wait_until(|| text() == "<p>three en\n"), "{}", service.output());
}
