//! Which response a client uses: the same responses to all, and what each of them makes of these.

use mailsetup::address::EmailAddress;
use mailsetup::clients::{self, Client, Step};
use mailsetup_probe::facts::{Facts, Target, key};
use mailsetup_probe::net::http::{Exchange, Hop, Outcome, Response, Sent};
use mailsetup_probe::plan;
use mailsetup_probe::play;
use mailsetup_probe::report::FoundBy;
use std::time::Duration;

const XML: &str = "text/xml; charset=utf-8";

fn autoconfig() -> String {
    let rest = "<port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username>\
                <authentication>password-cleartext</authentication>";
    format!(
        "<clientConfig version='1.1'><emailProvider id='example.org'><domain>example.org</domain>\
         <incomingServer type='imap'><hostname>a.example.org</hostname>{rest}</incomingServer>\
         <outgoingServer type='smtp'><hostname>a.example.org</hostname>{rest}</outgoingServer>\
         </emailProvider></clientConfig>"
    )
}

fn autodiscover(account: &str) -> String {
    format!("<Autodiscover><Response><Account>{account}</Account></Response></Autodiscover>")
}

fn settings() -> String {
    let server = |kind: &str, port: u16| {
        format!(
            "<Protocol><Type>{kind}</Type><Server>a.example.org</Server><Port>{port}</Port>\
             <SSL>on</SSL><LoginName>ann@example.org</LoginName></Protocol>"
        )
    };
    let servers = server("IMAP", 993) + &server("SMTP", 465);
    autodiscover(&format!("<AccountType>email</AccountType><Action>settings</Action>{servers}"))
}

/// A response: its status, media type and body; the URLs before it, if there was a redirect.
struct Answer {
    status: u16,
    media_type: &'static str,
    body: String,
    via: Option<&'static str>,
}

const NOTHING: Answer =
    Answer { status: 404, media_type: "text/plain", body: String::new(), via: None };

fn good(body: String) -> Answer {
    Answer { status: 200, media_type: XML, body, via: None }
}

fn hop(url: &str, method: &'static str, status: u16, answer: &Answer) -> Hop {
    let fields = vec![("content-type".to_owned(), answer.media_type.to_owned())];
    let body = answer.body.clone().into_bytes();
    Hop {
        method,
        url: url.to_owned(),
        address: None,
        dead: Vec::new(),
        session: None,
        outcome: Outcome::Response(Response { status, fields, body, is_cut: false }),
        took: Duration::ZERO,
    }
}

fn exchange(sent: Sent, answer: &Answer) -> Exchange {
    let hops = match answer.via {
        Some(target) => vec![
            hop(&sent.url, sent.method, 302, &NOTHING),
            hop(target, sent.method, answer.status, answer),
        ],
        None => vec![hop(&sent.url, sent.method, answer.status, answer)],
    };
    Exchange { sent, hops }
}

/// How a client finds its settings if a web server answers in this way; else the cause.
fn found(name: &str, answer: impl Fn(&Sent) -> Answer) -> Result<FoundBy, &'static str> {
    let client: &'static Client =
        clients::all().find(|client| client.name == name).expect("a client");
    let address = EmailAddress::parse(b"ann@example.org").expect("an address");
    let mut facts = Facts::new(Target { address, is_made_up: false });
    for step in client.steps {
        let Step::Ask(ask) = step else { continue };
        let mut all = plan::requests(ask, client, &facts);
        // Where redirects of Autodiscover lead.
        let other = EmailAddress::parse(b"ann@hoster.example").expect("an address");
        all.push(plan::request(ask, client, &ask.host("hoster.example"), &other));
        all.extend(all.first().map(|sent| {
            let url = "https://hoster.example/autodiscover/autodiscover.xml".to_owned();
            Sent { url, ..sent.clone() }
        }));
        for sent in all {
            let answer = answer(&sent);
            facts.exchanges.insert(key(&sent), exchange(sent, &answer));
        }
    }
    let verdict = play::play(client, &facts).verdict;
    match verdict.found_by {
        FoundBy::None => Err(verdict.cause.expect("a cause").0),
        way => Ok(way),
    }
}

fn is_autoconfig(sent: &Sent) -> bool {
    sent.url.contains("/mail/config-v1.1.xml")
}

fn is_autodiscover(sent: &Sent) -> bool {
    sent.url.ends_with("/autodiscover/autodiscover.xml")
}

#[test]
fn an_error_with_a_document() {
    let answer = |sent: &Sent| match is_autoconfig(sent) {
        true => Answer { status: 404, ..good(autoconfig()) },
        false => NOTHING,
    };
    for name in ["aerc", "Geary", "KMail"] {
        assert_eq!(found(name, answer), Ok(FoundBy::Autoconfig), "{name}");
    }
    for name in ["Thunderbird", "Betterbird", "Evolution", "Delta Chat", "Pimalaya"] {
        assert_eq!(found(name, answer), Err("autoconfig-absent"), "{name}");
    }
}

#[test]
fn a_web_page_before_a_document() {
    let answer = |sent: &Sent| match () {
        () if !is_autoconfig(sent) => NOTHING,
        () if sent.url.contains("//autoconfig.") => {
            Answer { media_type: "text/html", ..good("<html><p>Welcome</html>".to_owned()) }
        }
        () => good(autoconfig()),
    };
    for name in ["Thunderbird", "Betterbird"] {
        assert_eq!(found(name, answer), Err("doc-media-type"), "{name}");
    }
    for name in ["Evolution", "Delta Chat", "Pimalaya", "aerc"] {
        assert_eq!(found(name, answer), Ok(FoundBy::Autoconfig), "{name}");
    }
    assert!(found("Geary", answer).is_err());
}

#[test]
fn a_redirect_to_another_host() {
    let answer = |sent: &Sent| match is_autoconfig(sent) {
        true => Answer { via: Some("https://hoster.example/a.xml"), ..good(autoconfig()) },
        false => NOTHING,
    };
    for name in ["Thunderbird", "Evolution", "Delta Chat", "aerc"] {
        assert_eq!(found(name, answer), Ok(FoundBy::Autoconfig), "{name}");
    }
    assert_eq!(found("Pimalaya", answer), Err("redirect"));
}

#[test]
fn an_error_of_autodiscover() {
    let error = "<Autodiscover><Response><Error><ErrorCode>600</ErrorCode></Error></Response>\
                 </Autodiscover>";
    // The second host has settings.
    let answer = |sent: &Sent| match () {
        () if !is_autodiscover(sent) => NOTHING,
        () if sent.url.starts_with("https://example.org/") => good(error.to_owned()),
        () => good(settings()),
    };
    assert_eq!(found("Delta Chat", answer), Err("pox-get-error"));
    assert_eq!(found("Thunderbird", answer), Ok(FoundBy::Autodiscover));
    assert_eq!(found("FairEmail", answer), Ok(FoundBy::Autodiscover));
}

#[test]
fn redirects_of_autodiscover() {
    let redirect = |account: &'static str| {
        move |sent: &Sent| match () {
            () if !is_autodiscover(sent) => NOTHING,
            () if sent.url.contains("hoster.example") => good(settings()),
            () => good(autodiscover(account)),
        }
    };
    let address =
        redirect("<Action>redirectAddr</Action><RedirectAddr>ann@hoster.example</RedirectAddr>");
    let found_it = Ok(FoundBy::Autodiscover);
    assert_eq!(found("Thunderbird", address), found_it);
    assert_eq!(found("Outlook 2016", address), found_it);
    for name in ["Delta Chat", "EmailEngine", "FairEmail"] {
        assert_eq!(found(name, address), Err("pox-redirect"), "{name}");
    }
    let url = redirect(
        "<Action>redirectUrl</Action><RedirectUrl>https://hoster.example/autodiscover/\
         autodiscover.xml</RedirectUrl>",
    );
    assert_eq!(found("Delta Chat", url), found_it);
    for name in ["Thunderbird", "EmailEngine", "FairEmail"] {
        assert_eq!(found(name, url), Err("pox-redirect"), "{name}");
    }
}
