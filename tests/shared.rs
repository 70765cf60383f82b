//! Documents that domains share are the same, byte for byte, as those that are written for each
//! request, with any settings and domains, in any order, with and without own logins.

use crate::common::http;
use crate::common::source;
use crate::documents::{read, recorded};
use mailsetup::account::OwnLogin;
use mailsetup::cache::Cache;
use mailsetup::commands::CHECKS;
use mailsetup::config::{Config, check};
use mailsetup::gateway::inquiry_at_once;
use mailsetup::http_cache::{self, Tag};
use mailsetup::request::{Method, Request};
use mailsetup::resolve::resolve;
use mailsetup::responder::{self, Kept};
use mailsetup::response::Response;
use mailsetup::route::route;
use mailsetup::step::Step;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// The domain that documents are written for before they are shared.
const MARKER: &str = "qz7k.vj";

/// Settings, in which what depends on the domain is anywhere.
const SETTINGS: [&str; 17] = [
    "",
    "provider.name = 'Mail of %EMAILDOMAIN% & Co'\nprovider.short_name = 'M <%EMAILDOMAIN%>'",
    "provider = { name = '%EMAILDOMAIN% %EMAILDOMAIN%', short_name = 'Example' }",
    "provider.short_name = 'E'\nimap.host = 'mail-%EMAILDOMAIN%'\nsmtp.host = '%EMAILDOMAIN%-m.example'",
    "provider.short_name = 'E'\nimap.host = 'x%EMAILDOMAIN%'\npop3.host = 'xn-%EMAILDOMAIN%'",
    "provider.short_name = 'E'\nsmtp.host = '%EMAILDOMAIN%.%EMAILDOMAIN%.%EMAILDOMAIN%'",
    "provider.short_name = 'E'\n[[provider.documentation]]\nurl = 'https://www.%EMAILDOMAIN%/%EMAILDOMAIN%?a=%20'\n\
     title = { en = 'Help for <%EMAILDOMAIN%>', de = 'Hilfe: \"%EMAILDOMAIN%\"' }\n\
     [apple]\ndescription = { en = 'Mail of %EMAILDOMAIN%' }\nconsent = { en = 'I & %EMAILDOMAIN%', de = 'Ja' }",
    "[apple]\nidentifier = 'org.example.mail'\ndescription = { en = 'of %EMAILDOMAIN%', de = 'von' }",
    "provider.short_name = 'E'\nimap.auth = ['oauth2', 'password']\nsmtp.auth = ['oauth2', 'password']\n\
     [oauth2]\nissuer = 'login.%EMAILDOMAIN%'\nscope = 'imap'\nclient_id = 'mail'\n\
     authorization_url = 'https://login.%EMAILDOMAIN%/a'\ntoken_url = 'https://login.example.net/t'",
    "imap.auth = 'oauth2'\n[oauth2]\nissuer = 'login.example.net'\nscope = 'imap'\nclient_id = 'mail'\n\
     authorization_url = 'https://login.example.net/a'\ntoken_url = 'https://login.example.net/t'",
    // Three domains have the same redirect.
    "[domain.'example.org'.autodiscover]\nredirect_address = '%EMAILLOCALPART%@mail.%EMAILDOMAIN%'\n\
     [domain]\n'a.b' = { alias_of = 'example.org' }\n'qz7k.vj' = { alias_of = 'example.org' }",
    "[domain.'example.org'.autodiscover]\n\
     redirect_url = 'https://autodiscover.%EMAILDOMAIN%/autodiscover/autodiscover.xml'\n\
     [domain]\n'a.b' = { alias_of = 'example.org' }\n'qz7k.vj' = { alias_of = 'example.org' }",
    "provider.short_name = 'E'\npacc.enabled = true\nautodiscover.dav = true\nmanagesieve.enabled = true\n\
     caldav.url = 'https://dav.%EMAILDOMAIN%:8443/%EMAILDOMAIN%/'\ncarddav.url = 'https://%EMAILDOMAIN%/'\n\
     webdav.url = 'https://files-%EMAILDOMAIN%/%20'\njmap.url = 'https://jmap.%EMAILDOMAIN%/.well-known/jmap'\n\
     activesync.url = 'https://eas.%EMAILDOMAIN%/Microsoft-Server-ActiveSync'",
    // The servers are the same ones for one domain.
    "provider.short_name = 'E'\nimap.host = 'mail.%EMAILDOMAIN%'\nimap.alternatives = [\
     { host = 'mail.example.org', port = 993 }, { port = 143, security = 'starttls' }]",
    "provider.short_name = 'E'\nimap.host = 'mail.%EMAILDOMAIN%'\nimap.alternatives = [{ port = 143 }]\n\
     [domain.'alias.example']\nalias_of = 'example.org'\n[domain.'qz7k.vj']\nalias_of = 'example.org'\n\
     [domain.'example.net']\nalias_of = 'example.org'\n[domain.'xn--bcher-kva.example']\n\
     alias_of = 'example.org'\n[domain.'example.org']",
    // The name that was made up is in the settings.
    "provider.short_name = 'E'\nprovider.name = 'qz7k.vj'\nimap.username = 'qz7k.vj\\%EMAILLOCALPART%'",
    "provider.short_name = 'E'\nimap.username = '%EMAILLOCALPART%.qz%EMAILDOMAIN%'\n\
     smtp.username = 'x-%EMAILADDRESS%'\ncaldav.url = 'https://dav.example.net/dav/'\n\
     caldav.username = '%EMAILLOCALPART%'",
];

/// Domains of all lengths, and such that might be taken for something else.
fn domains() -> Vec<String> {
    let long = |len: usize| {
        let label = "a".repeat(59);
        format!("{label}.{label}.{label}.{label}.example.net")[240 - len..].to_owned()
    };
    let names = [
        "example.org",
        "a.b",
        "ab.cd",
        "example.net",
        "alias.example",
        "mail.example.org",
        "xn--bcher-kva.example",
        "example.xn--p1ai",
        "n--bcher-kva.example",
        "a--b.example",
        "q.z7k.vj",
        "z7k.vj",
        "qz7k.vjx",
        "aqz7k.vj",
        "qz7k.qz7k.vj",
        "qz7k.vj.qz7k.vj",
        "qqz7k.vj",
        "imap.smtp",
        "text.xml",
        "version.encoding",
        "mailsetup.org",
        "org.mailsetup",
        "e.e",
        "a.a",
        "smtp.mail",
        "eleven.example",
        "twentytwo-letters.example",
        "of.mail",
    ];
    let names = names.into_iter().map(str::to_owned);
    let labels = [format!("{}.example", "b".repeat(63)), format!("b.{}", "b".repeat(63))];
    let long = [20, 21, 40, 58, 60, 61, 66, 120, 200, 230, 240].map(long);
    names.chain([MARKER.to_owned()]).chain(labels).chain(long).collect()
}

const LOGINS: [&str; 9] = [
    "ann",
    "<b>&\"quoted\"'",
    "%OWNLOGIN%",
    "%FORPEOPLE%%UUIDOFMAIL%",
    "Zoë \u{10348}",
    "100%",
    "qz7k.vj",
    " ann@example.org ",
    "]]>&amp;",
];

/// Numbers that look random (xorshift64).
struct Random(u64);

impl Random {
    fn of<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        &values[(self.0 >> 33) as usize % values.len()]
    }
}

/// The recorded requests, and one for each document with an address that may have its own login.
fn requests() -> Vec<http::Request> {
    let recorded = recorded().into_iter().map(|name| read(&name));
    let own = [
        "/",
        "/mobileconfig",
        "/mobileconfig?emailaddress=ann@example.org",
        "/?emailaddress=ann@example.org",
    ];
    let more = own.into_iter().flat_map(|target| {
        let plain = http::Request::get(target).host("example.org");
        let german = plain.clone().header("Accept-Language", "de");
        [plain, german]
    });
    recorded.chain(more).collect()
}

fn config(text: &str) -> Config {
    let text = format!("domains.answer = 'any'\n{text}\n");
    check::text(Path::new("config.toml"), &text, &CHECKS)
        .unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// The request with another domain in place of the recorded one.
fn about(request: &http::Request, domain: &str) -> http::Request {
    let replaced = |bytes: &[u8]| {
        let text = bytes.iter().map(|&byte| char::from(byte)).collect::<String>();
        text.replace("example.org", domain).chars().map(|c| c as u8).collect::<Vec<_>>()
    };
    let mut request = request.clone();
    request.target = replaced(&request.target);
    request.headers.iter_mut().for_each(|(_, value)| *value = replaced(value));
    request.body = request.body.as_deref().map(replaced);
    request
}

fn read_by_gateway(request: &http::Request) -> Request<'_> {
    let value = |name: &str| {
        let mut headers = request.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    };
    let body = request.body.as_deref().unwrap_or_default();
    let method = Method::parse(request.method.as_bytes());
    let mut read = Request::new(method, &request.target, value("Host"), body);
    read.wishes.languages = value("Accept-Language").unwrap_or_default();
    read
}

/// The response, as the responder makes it for a mailbox with a login of its own; `None` if it is not
/// a document.
fn answer(
    request: &Request,
    config: &Config,
    cache: &Cache,
    login: Option<&str>,
) -> Option<Response> {
    let question = route(request)?.1.ok()?;
    let mut resolved = resolve(&question, config).ok()??;
    let has_mailbox =
        question.address.as_ref().is_some_and(|address| address.domain() == &*resolved.domain);
    if has_mailbox && question.document.names_login() {
        resolved.login = login.and_then(OwnLogin::parse);
    }
    let copy = cache.document(&question, &resolved, config)?;
    let (mut response, own) = (copy.response, Tag::default());
    let tag = copy.tag.as_deref().unwrap_or(&own);
    http_cache::apply(&mut response, request, question.address.is_some(), Some(tag));
    Some(response)
}

/// The same without the time in an error of Autodiscover.
fn steady(response: Option<Response>) -> Option<Response> {
    let mut response = response?;
    let text = String::from_utf8_lossy(&response.body).into_owned();
    if let Some((before, after)) = text.split_once("<Error Time=\"") {
        response.body = format!("{before}{}", &after["HH:MM:SS.fffffff".len()..]).into();
    }
    Some(response)
}

#[test]
fn a_shared_document_is_the_same_as_one_of_its_own() {
    let (requests, domains) = (requests(), domains());
    let full = fs::read_to_string(source("tests/fixtures/config/full.toml")).expect("a file");
    let longest = "é".repeat(127) + "e";
    let mut logins: Vec<_> = LOGINS.iter().map(|login| Some(*login)).collect();
    logins.push(Some(&longest));
    // Most mailboxes have none.
    logins.extend([None; 20]);
    for (seed, text) in SETTINGS.iter().copied().chain([&*full]).enumerate() {
        let (config, cache) = (config(text), Cache::default());
        let mut random = Random(seed as u64 + 1);
        for _ in 0..1000 {
            let (domain, login) = (random.of(&domains), *random.of(&logins));
            let request = about(random.of(&requests), domain);
            let request = read_by_gateway(&request);
            let shared = steady(answer(&request, &config, &cache, login));
            let own = steady(answer(&request, &config, &Cache::default(), login));
            assert_eq!(shared, own, "{text}: {domain} {login:?}");
        }
    }
}

#[test]
fn the_responder_shares_documents() {
    let (requests, domains) = (requests(), domains());
    let (config, kept) = (config(SETTINGS[12]), Kept::default());
    let mut random = Random(1);
    for _ in 0..1000 {
        let domain: &String = random.of(&domains);
        let request = about(random.of(&requests), domain);
        let request = read_by_gateway(&request);
        let Step::Done(reply) = responder::respond(&request, &config, &kept) else {
            panic!("nothing is signed or looked up");
        };
        let own = responder::respond_now(&request, &config, &Rc::default(), inquiry_at_once::ask)
            .response;
        assert_eq!(steady(Some(reply.response)), steady(Some(own)));
    }
}

/// The own login is what each document has for the program that logs in, and nothing else changes.
#[test]
fn an_own_login_takes_the_place_of_every_other() {
    let text = "autodiscover.dav = true\nmanagesieve.enabled = true\npacc.enabled = true\n\
        imap.alternatives = [{ port = 143, security = 'starttls' }]\n\
        caldav.url = 'https://dav.example.net/dav/'\ncarddav.url = 'https://dav.example.net/dav/'\n\
        activesync.url = 'https://eas.example.net/'\nwebdav.url = 'https://dav.example.net/f/'\n\
        webdav.username = '%EMAILLOCALPART%'";
    let config = config(text);
    let login = "<ann>&%Zo\u{eb}\"";
    let in_xml = "&lt;ann&gt;&amp;%Zo\u{eb}\"";
    let in_profile = "&lt;ann&gt;&amp;%Zo\u{eb}&quot;";
    let mut named = BTreeMap::new();
    for request in requests() {
        let request = read_by_gateway(&request);
        let Some((_, Ok(question))) = route(&request) else { continue };
        let is_personal = question.address.is_some();
        let cache = Cache::default();
        let [without, with] =
            [None, Some(login)].map(|login| steady(answer(&request, &config, &cache, login)));
        let (Some(without), Some(with)) = (without, with) else { continue };
        let text = |response: &Response| String::from_utf8_lossy(&response.body).into_owned();
        let (before, after) = (text(&without), text(&with));
        let name = question.document.name();
        let (has_it, form) = match name {
            "autoconfig" => (true, in_xml.to_owned() + "</username>"),
            "autodiscover" => (before.contains("<LoginName>"), format!("<LoginName>{in_xml}</")),
            "mobileconfig" => (true, format!("Username</key><string>{in_profile}</string>")),
            "page" => (before.contains("993"), "&lt;ann&gt;&amp;%Zo\u{eb}&quot;".to_owned()),
            _ => (false, String::new()),
        };
        let has_it = has_it && is_personal;
        assert_eq!(before != after, has_it, "{name}: {after}");
        let after: String = after.split_whitespace().collect();
        if has_it {
            assert_eq!(with.header("Cache-Control"), Some("no-store"), "{name}");
            named.insert(name, after.matches(&form).count());
            for other in ["%EMAILADDRESS%", "%EMAILLOCALPART%", "<username>ann", "<LoginName>ann"] {
                assert!(!after.contains(other), "{name}: {after}");
            }
        }
    }
    // IMAP twice, POP3, SMTP, ManageSieve, and three services; IMAP, POP3, SMTP and two services; the
    // servers for reading and sending and two services; the page has each three times.
    let expected = [("autoconfig", 8), ("autodiscover", 5), ("mobileconfig", 4), ("page", 24)];
    assert_eq!(named, expected.into());
}
