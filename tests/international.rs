//! International domains: text for people has letters (U-labels), protocols get ASCII (A-labels),
//! and labels are not truncated.

use crate::common::http::{Request, Response};
use crate::common::{Sandbox, cgi, program};

const DOMAIN: &str = "xn--bcher-kva.example";
const FOR_PEOPLE: &str = "bücher.example";

fn send(config: &str, request: &Request) -> Response {
    let sandbox = Sandbox::new();
    let path = sandbox.write("config.toml", format!("log.requests = false\n{config}"));
    cgi::send(&program(), request, &[("MAILSETUP_CONFIG", path.as_os_str())]).expect("an answer")
}

fn get(target: &str) -> Request {
    Request::get(target).host("autoconfig.xn--bcher-kva.example")
}

/// The texts between these tags, in their order.
fn texts<'a>(document: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    document.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

const EVERYTHING: &str = "
[provider]
name = 'Post für %EMAILDOMAIN%'
homepage = 'https://www.%EMAILDOMAIN%/'
webmail = 'https://webmail.%EMAILDOMAIN%/'
documentation = [{ url = 'https://help.%EMAILDOMAIN%/', title = { en = 'Help for %EMAILDOMAIN%' } }]
[apple]
description = { en = 'Mail of %EMAILDOMAIN%', de = 'Post von %EMAILDOMAIN%' }
consent = { en = 'Rules of %EMAILDOMAIN%' }
[imap]
host = 'imap.%EMAILDOMAIN%'
username = '%EMAILLOCALPART%-%EMAILDOMAIN%'
[smtp]
port = 465
[caldav]
url = 'https://dav.%EMAILDOMAIN%/'
[activesync]
url = 'https://eas.%EMAILDOMAIN%/'
[pacc]
enabled = true
[domain.'bücher.example']
";

/// The file name of a profile, which users see among their downloads, had an A-label.
#[test]
fn people_read_letters_in_the_name_of_a_profile() {
    for (domain, expected) in [
        (
            "b%C3%BCcher.example",
            "attachment; filename=\"xn--bcher-kva.example.mobileconfig\"; \
             filename*=UTF-8''b%C3%BCcher.example.mobileconfig",
        ),
        ("example.org", "attachment; filename=\"example.org.mobileconfig\""),
        // Letters of two scripts that look alike.
        ("xn--ypal-43d9g.example", "attachment; filename=\"xn--ypal-43d9g.example.mobileconfig\""),
    ] {
        let answer = send("", &get(&format!("/mobileconfig?emailaddress=ann@{domain}")));
        assert_eq!(answer.header("Content-Disposition"), Some(expected), "{domain}");
    }
}

/// On the page, the title, "For …" and the brand were in A-labels.
#[test]
fn people_read_letters_on_the_page() {
    for (config, name) in [("", FOR_PEOPLE), (EVERYTHING, "Post für bücher.example")] {
        for typed in
            ["ann@b%C3%BCcher.example", "ann@xn--bcher-kva.example", "ann@B%C3%9Ccher.example"]
        {
            let page = send(config, &get(&format!("/?emailaddress={typed}"))).text();
            assert_eq!(
                texts(&page, "<title>", "</title>"),
                [format!("Set up your e-mail – {name}")]
            );
            assert_eq!(texts(&page, "<bdi>", "</bdi>"), [name]);
            assert_eq!(texts(&page, "<strong dir=\"ltr\">", "<"), [format!("ann@{FOR_PEOPLE}")]);
            // Text to be entered and links are in A-labels.
            assert!(page.contains("href=\"mobileconfig?emailaddress=ann@xn--bcher-kva.example\""));
            let values = texts(&page, "<span class=\"value\" dir=\"ltr\">", "<");
            assert!(values.len() >= 9 && values.iter().all(|value| value.is_ascii()), "{values:?}");
        }
    }
    let page = send(EVERYTHING, &get("/?emailaddress=ann@x.b%C3%BCcher.example"));
    assert_eq!(page.status, 404);
    assert!(page.text().contains("value=\"ann@x.bücher.example\""), "{}", page.text());
    let page = send(EVERYTHING, &get("/")).text();
    assert!(page.contains("Help for bücher.example") && !page.contains("for xn--"), "{page}");
    assert!(page.contains("https:&#x2f;&#x2f;help.xn--bcher-kva.example&#x2f;"), "{page}");
}

/// In every document, displayed names are in U-labels and host names in A-labels.
#[test]
fn people_read_letters_in_every_document() {
    let autoconfig = send(EVERYTHING, &get("/mail/config-v1.1.xml")).text();
    for element in ["displayName", "displayShortName"] {
        let start = format!("<{element}>");
        let name = texts(&autoconfig, &start, "<")[0].to_owned();
        let whole = ["Post für bücher.example", "Post für bücher"][usize::from(element.len() > 11)];
        assert_eq!(name, whole);
    }
    assert!(autoconfig.contains("<descr lang=\"en\">Help for bücher.example</descr>"));
    let shown = ["displayName>", "displayShortName>", "<descr "];
    for line in autoconfig.lines().filter(|line| !shown.iter().any(|word| line.contains(word))) {
        assert!(line.is_ascii(), "{line}");
    }
    assert!(autoconfig.contains(&format!("<emailProvider id=\"{DOMAIN}\">")));
    assert!(autoconfig.contains(&format!("<domain>{DOMAIN}</domain>")));

    for target in ["/mobileconfig?emailaddress=ann@b%C3%BCcher.example", "/mobileconfig"] {
        let profile = send(EVERYTHING, &get(target)).text();
        let whose = if target.contains('?') { "ann@bücher.example" } else { FOR_PEOPLE };
        assert!(profile.contains(&format!("<string>Mail ({whose})</string>")), "{profile}");
        assert!(profile.contains("<string>Mail of bücher.example</string>"), "{profile}");
        assert!(profile.contains("<string>Rules of bücher.example</string>"), "{profile}");
        assert!(profile.contains("<key>PayloadOrganization</key>"));
        let plain = profile.split("<key>").filter(|pair| {
            let (key, value) = pair.split_once("</key>").unwrap_or_default();
            let is_shown = ["Description", "DisplayName", "Organization", "Text", "default", "en"];
            value.contains("<string>") && !is_shown.iter().any(|word| key.ends_with(word))
        });
        let plain: Vec<_> = plain.collect();
        assert!(plain.len() > 10 && plain.iter().all(|pair| pair.is_ascii()), "{plain:?}");
    }
    let default = send("", &get("/mobileconfig?emailaddress=ann@b%C3%BCcher.example")).text();
    assert!(default.contains("Sets up mail for ann@bücher.example."), "{default}");
    assert!(default.contains("<string>ann@xn--bcher-kva.example</string>"), "{default}");

    let pacc = send(EVERYTHING, &get("/.well-known/user-agent-configuration.json")).text();
    assert!(pacc.contains("\"name\": \"Post für bücher.example\""), "{pacc}");
    assert!(pacc.contains("\"documentation\": \"https://help.xn--bcher-kva.example/\""), "{pacc}");

    for (form, response) in [
        ("outlook", "outlook/responseschema/2006a"),
        ("mobilesync", "mobilesync/responseschema/2006"),
    ] {
        let schemas = "http://schemas.microsoft.com/exchange/autodiscover";
        let body = format!(
            "<Autodiscover xmlns='{schemas}/{form}/requestschema/2006'><Request>\
             <EMailAddress>ann@bücher.example</EMailAddress>\
             <AcceptableResponseSchema>{schemas}/{response}</AcceptableResponseSchema>\
             </Request></Autodiscover>"
        );
        let request = Request::post("/autodiscover/autodiscover.xml", &body)
            .host("autodiscover.xn--bcher-kva.example");
        let answer = send(EVERYTHING, &request).text();
        assert_eq!(texts(&answer, "<DisplayName>", "<"), ["ann@bücher.example"], "{answer}");
        for line in answer.lines().filter(|line| !line.contains("DisplayName")) {
            assert!(line.is_ascii(), "{line}");
        }
    }
}

/// A name that could be mistaken for another is shown in A-labels.
#[test]
fn letters_that_deceive_are_not_shown() {
    for domain in ["xn--ypal-43d9g.example", "xn--ggle-0nda.example", "xn--i-n3p.example"] {
        let page = send("", &Request::get(format!("/?emailaddress=ann@{domain}"))).text();
        assert!(page.contains(&format!("ann@{domain}</strong>")), "{domain}: {page}");
    }
}

/// The short name ended inside a label: `xn--bcher-kva.exampl`.
#[test]
fn no_label_is_cut() {
    let long = "donaudampfschifffahrtsgesellschaft"; // 34
    for (name, domain, short) in [
        ("%EMAILDOMAIN%", "xn--bcher-kva.example", "bücher.example"),
        ("%EMAILDOMAIN%", "twelve-chars.seven-7.example", "twelve-chars.seven-7"),
        ("%EMAILDOMAIN%", "twelve-chars.seven-77.example", "twelve-chars"),
        ("%EMAILDOMAIN%", &format!("{long}.example"), "Mail"),
        ("Post von %EMAILDOMAIN%", &format!("{long}.example"), "Post von"),
        ("Post von %EMAILDOMAIN%", "bücherei-nord.example", "Post von"),
        ("Post (%EMAILDOMAIN%)", "a.bücherei-nord.example", "Post (a"),
        ("%EMAILDOMAIN% Mail and more", "example.org", "example.org Mail and"),
        // A word is not a label.
        ("Universitätsrechenzentrum", "example.org", "Universitätsrechenze"),
        ("%EMAILDOMAIN%", "äöüäöüäöüäöüäöüäöü.äöüäöü.example", "äöüäöüäöüäöüäöüäöü"),
    ] {
        let config = format!("[provider]\nshort_name = '{name}'\n");
        let request = Request::get("/mail/config-v1.1.xml").host(format!("autoconfig.{domain}"));
        let text = send(&config, &request).text();
        assert_eq!(texts(&text, "<displayShortName>", "<"), [short], "{name}, {domain}");
    }
    let labels = ["zwölf-zeichn"; 5].join(".");
    let request = Request::get("/mail/config-v1.1.xml").host(format!("{labels}.example"));
    let text = send("", &request).text();
    assert_eq!(texts(&text, "<displayName>", "<"), [["zwölf-zeichn"; 4].join(".")]);
}

/// In the phone's settings, two mailboxes of one provider had the same name.
#[test]
fn accounts_of_one_domain_are_told_apart() {
    let config = "[provider]\nname = 'Example'\n[caldav]\nurl = 'https://dav.example.org/'\n\
                  [carddav]\nurl = 'https://dav.example.org/'\n";
    let described = |target: &str| {
        let profile = send(config, &Request::get(target).host("example.org")).text();
        let descriptions = texts(&profile, "AccountDescription</key>", "</string>");
        descriptions.into_iter().map(|text| text.trim().to_owned()).collect::<Vec<_>>()
    };
    for name in ["ann", "bob"] {
        let own = [(); 3].map(|()| format!("<string>{name}@example.org"));
        assert_eq!(described(&format!("/mobileconfig?emailaddress={name}@example.org")), own);
    }
    assert_eq!(described("/mobileconfig"), ["<string>Example"; 3], "for any mailbox");
}
