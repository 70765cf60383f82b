//! What each client makes of a document: one variation of a good document for each row.
//!
//! The rows and their results were seen with the programs themselves; docs/protocols.md has the
//! sources. Clients that a row does not name take the settings as they are meant, unless `NOT_SEEN`
//! says that nobody has looked.

use mailsetup::account::{Protocol, Security};
use mailsetup::address::EmailAddress;
use mailsetup::clients::{self, Client};
use mailsetup_probe::read::autodiscover::Read;
use mailsetup_probe::read::{Body, Found, Oddity, Reader, Setting, autoconfig, autodiscover};

/// The clients of the rows.
const CLIENTS: [&str; 12] = [
    "Thunderbird",
    "Betterbird",
    "Evolution",
    "Delta Chat",
    "Pimalaya",
    "aerc",
    "EmailEngine",
    "FairEmail",
    "Nextcloud Mail",
    "Geary",
    "KMail",
    "Thunderbird for Android",
];
/// Nobody has looked.
const NOT_SEEN: &str = "?";
/// What becomes of the good document: the ports of both servers.
const GOOD: &str = "993/465";

const IMAP: &str = "<incomingServer type=\"imap\"><hostname>imap.example.org</hostname>\
    <port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username>\
    <authentication>password-cleartext</authentication></incomingServer>";
const SMTP: &str = "<outgoingServer type=\"smtp\"><hostname>smtp.example.org</hostname>\
    <port>465</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username>\
    <authentication>password-cleartext</authentication></outgoingServer>";

fn document() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\
         <emailProvider id=\"example.org\"><domain>example.org</domain>\
         <displayName>Example</displayName>{IMAP}{SMTP}</emailProvider></clientConfig>"
    )
}

fn client(name: &str) -> &'static Client {
    clients::all().find(|client| client.name == name).expect(name)
}

fn body(text: &[u8], media_type: &str) -> Body {
    let media_type = Some(media_type.to_owned()).filter(|text| !text.is_empty());
    Body { bytes: text.to_vec(), media_type, coding: None, is_cut: false }
}

/// What is filled in, as far as it differs from the good document.
fn filled_in(choice: &[Setting], address: &EmailAddress) -> String {
    let one = |setting: &Setting| {
        let mut text = setting.port.to_string();
        let is_tls = [993, 465].contains(&setting.port);
        match setting.security {
            Security::Tls if is_tls => {}
            Security::StartTls if !is_tls => {}
            Security::Tls => text += " tls",
            Security::StartTls => text += " starttls",
            Security::Plain => text += " plain",
        }
        if !setting.methods.is_empty() && setting.methods != ["password-cleartext"] {
            text += &format!(" {}", setting.methods.join("+"));
        }
        if setting.login != address.to_string() {
            text += &format!(" as {:?}", setting.login);
        }
        let usual = if setting.protocol == Protocol::Smtp { "smtp" } else { "imap" };
        if setting.host != format!("{usual}.example.org") {
            text += &format!(" at {}", setting.host);
        }
        text
    };
    choice.iter().map(one).collect::<Vec<_>>().join("/")
}

fn outcome(
    found: Result<Found, Oddity>,
    client: &Client,
    address: &EmailAddress,
    by_autodiscover: bool,
) -> String {
    match found {
        Ok(found) => filled_in(&found.choice(client, by_autodiscover), address),
        Err(oddity) => oddity.code.to_owned(),
    }
}

fn plays(name: &str, body: &Body) -> String {
    let address = EmailAddress::parse(b"ann@example.org").expect("an address");
    let client = client(name);
    let reader = Reader { client, address: &address };
    outcome(autoconfig::read(body, &reader), client, &address, false)
}

fn plays_autodiscover(name: &str, text: &str) -> String {
    let address = EmailAddress::parse(b"ann@example.org").expect("an address");
    let client = client(name);
    let reader = Reader { client, address: &address };
    match autodiscover::read(&body(text.as_bytes(), "text/xml"), &reader) {
        Ok(Read::Found(found)) => outcome(Ok(found), client, &address, true),
        Ok(other) => format!("{other:?}"),
        Err(oddity) => outcome(Err(oddity), client, &address, true),
    }
}

/// Compares each client with its result, and those without one with `other`.
fn row(about: &str, other: &str, results: &[(&str, &str)], play: impl Fn(&str) -> String) {
    let mut wrong = Vec::new();
    for name in CLIENTS {
        let as_other = if name == "Betterbird" { "Thunderbird" } else { name };
        let expected = results.iter().find(|(known, _)| *known == as_other);
        let expected = expected.map_or(other, |(_, result)| *result);
        let played = play(name);
        if expected != NOT_SEEN && played != expected {
            wrong.push(format!("{about}, {name}: {played}, expected {expected}"));
        }
    }
    assert!(results.iter().all(|(name, _)| CLIENTS.contains(name)), "{about}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn autoconfig_row(about: &str, text: &str, other: &str, results: &[(&str, &str)]) {
    row(about, other, results, |name| plays(name, &body(text.as_bytes(), "text/xml")));
}

fn edited(from: &str, to: &str) -> String {
    let document = document();
    assert!(document.contains(from), "{from}");
    document.replace(from, to)
}

/// The incoming server, with another value or another element.
fn imap(from: &str, to: &str) -> String {
    assert!(IMAP.contains(from), "{from}");
    edited(IMAP, &IMAP.replace(from, to))
}

#[test]
fn a_good_document_works_everywhere() {
    autoconfig_row("good", &document(), GOOD, &[]);
    let other = edited("<clientConfig ", "<clientConfig xmlns=\"http://example.org/ns\" ");
    autoconfig_row("a namespace", &other, GOOD, &[]);
    let other = edited("<displayName>Example</displayName>", "");
    autoconfig_row("no displayName", &other, GOOD, &[]);
    let extras = "<documentation url=\"https://a.example\"><descr>a</descr></documentation>\
        <enable visiturl=\"https://a.example\"><instruction>a</instruction></enable>\
        <inputField key=\"A\" label=\"a\"/><addressBook type=\"carddav\"/><calendar type=\"caldav\"/>\
        </emailProvider><webMail><loginPage url=\"https://a.example\"/></webMail>\
        <oAuth2><issuer>a.example</issuer></oAuth2><clientConfigUpdate url=\"https://a.example\"/>";
    autoconfig_row("extras", &edited("</emailProvider>", extras), GOOD, &[]);
}

#[test]
fn which_of_several_servers() {
    let second_imap = IMAP.replace("993", "143").replace("SSL", "STARTTLS");
    let second_smtp = SMTP.replace("465", "587").replace("SSL", "STARTTLS");
    let both = document()
        .replace(IMAP, &format!("{IMAP}{second_imap}"))
        .replace(SMTP, &format!("{SMTP}{second_smtp}"));
    autoconfig_row("two of each", &both, GOOD, &[("Evolution", "143/587"), ("aerc", "993/587")]);
    let plain_imap = second_imap.replace("STARTTLS", "plain");
    let plain_smtp = second_smtp.replace("STARTTLS", "plain");
    let both = document()
        .replace(IMAP, &format!("{IMAP}{plain_imap}"))
        .replace(SMTP, &format!("{SMTP}{plain_smtp}"));
    autoconfig_row(
        "one without TLS last",
        &both,
        GOOD,
        &[
            ("Evolution", "143 plain/587 plain"),
            ("aerc", "993/587 plain"),
            ("Thunderbird for Android", "doc-plain"),
        ],
    );
    let jmap = IMAP.replace("imap", "jmap").replace("993", "443");
    autoconfig_row(
        "JMAP first",
        &edited(IMAP, &format!("{jmap}{IMAP}")),
        GOOD,
        &[("Pimalaya", "doc-type"), ("Geary", "doc-imap-late")],
    );
    let pop = IMAP.replace("imap", "pop3").replace("993", "995");
    let works = "995 tls at pop3.example.org/465";
    let fails = "doc-no-imap";
    autoconfig_row(
        "POP3 alone",
        &edited(IMAP, &pop),
        works,
        &[
            ("Delta Chat", fails),
            ("aerc", fails),
            ("EmailEngine", fails),
            ("FairEmail", fails),
            ("Nextcloud Mail", fails),
            ("Geary", fails),
            ("Thunderbird for Android", fails),
        ],
    );
}

#[test]
fn the_form_of_the_document() {
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend_from_slice(document().as_bytes());
    let read = |name: &str| plays(name, &body(&marked, "text/xml"));
    row("a byte order mark", GOOD, &[("Evolution", "doc-mark")], read);
    let text = document().replace("UTF-8", "ISO-8859-1").replace("Example", "Ex\u{e4}mple");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin")).collect();
    let fails = "doc-encoding";
    row(
        "ISO-8859-1",
        GOOD,
        &[("Evolution", fails), ("Pimalaya", fails), ("aerc", fails), ("EmailEngine", NOT_SEEN)],
        |name| plays(name, &body(&latin, "text/xml")),
    );
    let prefixed = document().replace("</", "</m:").replace('<', "<m:");
    let prefixed = prefixed.replace("<m:/m:", "</m:").replace("<m:?xml", "<?xml");
    let prefixed = prefixed.replace("<m:clientConfig ", "<m:clientConfig xmlns:m=\"u\" ");
    let fails = "doc-prefix";
    autoconfig_row(
        "prefixes",
        &prefixed,
        NOT_SEEN,
        &[
            ("Thunderbird", fails),
            ("Evolution", fails),
            ("Delta Chat", fails),
            ("Pimalaya", fails),
            ("EmailEngine", fails),
            ("aerc", GOOD),
        ],
    );
    autoconfig_row(
        "no id",
        &edited(" id=\"example.org\"", ""),
        GOOD,
        &[
            ("Thunderbird", "doc-no-id"),
            ("Pimalaya", "doc-no-id"),
            ("Thunderbird for Android", "doc-no-id"),
        ],
    );
    let without = edited(" version=\"1.1\"", "");
    autoconfig_row("no version", &without, GOOD, &[("Pimalaya", "doc-no-version")]);
    autoconfig_row(
        "no domain",
        &edited("<domain>example.org</domain>", ""),
        GOOD,
        &[("Thunderbird", "doc-no-domain"), ("Thunderbird for Android", "doc-no-domain")],
    );
    let more = edited("type=\"imap\"", "type=\"imap\" a=\"b\"");
    autoconfig_row("a further attribute", &more, GOOD, &[("Evolution", "doc-attribute")]);
    for media_type in ["text/plain", "", "Text/XML"] {
        let read = |name: &str| plays(name, &body(document().as_bytes(), media_type));
        row(media_type, GOOD, &[("Thunderbird", "doc-media-type")], read);
    }
}

#[test]
fn the_form_of_a_value() {
    autoconfig_row(
        "CDATA",
        &imap("imap.example.org", "<![CDATA[imap.example.org]]>"),
        GOOD,
        &[("Evolution", "doc-cdata"), ("Delta Chat", "doc-cdata"), ("FairEmail", NOT_SEEN)],
    );
    autoconfig_row(
        "a character reference",
        &imap("imap.example.org", "imap.&#101;xample.org"),
        GOOD,
        &[("Delta Chat", "993 at xample.org/465")],
    );
    let mut spaced = document();
    for value in ["imap.example.org", "smtp.example.org", "993", "465", "SSL"] {
        spaced = spaced.replace(&format!(">{value}<"), &format!(">\n  {value}\n<"));
    }
    autoconfig_row(
        "white space around values",
        &spaced,
        NOT_SEEN,
        &[
            ("Thunderbird", "doc-white-space"),
            ("Evolution", "doc-white-space"),
            ("aerc", "doc-white-space"),
            ("Delta Chat", GOOD),
            ("EmailEngine", GOOD),
        ],
    );
    // Thunderbird removes it from names of hosts.
    let host = imap("imap.example.org", " imap.example.org\n");
    autoconfig_row("white space around a host", &host, GOOD, &[("Evolution", "doc-white-space")]);
    autoconfig_row(
        "an unknown socketType",
        &imap("SSL", "ssl"),
        GOOD,
        &[
            ("Thunderbird", "doc-security"),
            ("Evolution", NOT_SEEN),
            ("Pimalaya", "doc-security"),
            ("EmailEngine", NOT_SEEN),
            ("Geary", "993 plain/465"),
            ("Thunderbird for Android", "doc-security"),
        ],
    );
    autoconfig_row(
        "another socketType",
        &imap("SSL", "https"),
        NOT_SEEN,
        &[
            ("Thunderbird", "doc-security"),
            ("Delta Chat", GOOD),
            ("aerc", "993 starttls/465"),
            ("KMail", GOOD),
            ("FairEmail", GOOD),
            ("Nextcloud Mail", "993 plain/465"),
            ("Geary", "993 plain/465"),
            ("Thunderbird for Android", "doc-security"),
        ],
    );
    let plain = IMAP.replace("SSL", "plain").replace("993", "143");
    autoconfig_row(
        "an only server without TLS",
        &edited(IMAP, &plain),
        "143 plain/465",
        &[("FairEmail", "143/465"), ("Thunderbird for Android", "doc-plain")],
    );
}

#[test]
fn which_method() {
    let methods = |words: &[&str]| {
        let element = |word: &&str| format!("<authentication>{word}</authentication>");
        let all: String = words.iter().map(element).collect();
        imap("<authentication>password-cleartext</authentication>", &all)
    };
    autoconfig_row(
        "OAuth2, then a password, at an unknown host",
        &methods(&["OAuth2", "password-cleartext"]),
        GOOD,
        &[
            ("Pimalaya", "993 OAuth2+password-cleartext/465"),
            ("aerc", NOT_SEEN),
            ("EmailEngine", NOT_SEEN),
            ("FairEmail", NOT_SEEN),
            ("Nextcloud Mail", NOT_SEEN),
            ("KMail", "993 OAuth2/465"),
        ],
    );
    autoconfig_row(
        "two methods without a password, then a password",
        &methods(&["TLS-client-cert", "GSSAPI", "password-cleartext"]),
        NOT_SEEN,
        &[
            ("Thunderbird", "993 GSSAPI/465"),
            ("Evolution", GOOD),
            ("Delta Chat", GOOD),
            ("Pimalaya", "doc-method"),
        ],
    );
    autoconfig_row(
        "a password, then methods that Evolution does not know",
        &methods(&["password-encrypted", "password-cleartext", "GSSAPI", "OAuth2"]),
        NOT_SEEN,
        &[
            ("Thunderbird", "993 password-encrypted/465"),
            ("Evolution", GOOD),
            ("Delta Chat", GOOD),
            ("KMail", "993 password-encrypted/465"),
        ],
    );
    let fails = "doc-method";
    autoconfig_row(
        "a word in capitals",
        &methods(&["PASSWORD-CLEARTEXT"]),
        NOT_SEEN,
        &[
            ("Thunderbird", fails),
            ("Pimalaya", fails),
            ("Thunderbird for Android", fails),
            ("Delta Chat", GOOD),
            ("Geary", GOOD),
        ],
    );
}

#[test]
fn which_login() {
    let login = |text: &str| imap("%EMAILADDRESS%", text);
    autoconfig_row(
        "the local part alone",
        &login("%EMAILLOCALPART%"),
        "993 as \"ann\"/465",
        &[("aerc", "993 as \"%EMAILLOCALPART%\"/465"), ("Geary", GOOD)],
    );
    let literal = "993 as \"%EMAILLOCALPART%-x\"/465";
    autoconfig_row(
        "a placeholder with more",
        &login("%EMAILLOCALPART%-x"),
        "993 as \"ann-x\"/465",
        &[("aerc", literal), ("EmailEngine", literal), ("FairEmail", literal), ("Geary", GOOD)],
    );
    autoconfig_row(
        "a number",
        &login("0123"),
        "993 as \"0123\"/465",
        &[("Thunderbird", "993 as \"123\"/465"), ("Geary", GOOD)],
    );
    autoconfig_row("the word true", &login("true"), "993 as \"true\"/465", &[("Geary", GOOD)]);
    autoconfig_row(
        "an empty login",
        &login(""),
        "993 as \"\"/465",
        &[
            ("Thunderbird", "993 as \"true\"/465"),
            ("Delta Chat", "doc-username"),
            ("Geary", GOOD),
            ("Thunderbird for Android", "doc-username"),
        ],
    );
    let without = imap("<username>%EMAILADDRESS%</username>", "");
    autoconfig_row(
        "no login",
        &without,
        NOT_SEEN,
        &[
            ("Thunderbird", "doc-username"),
            ("Delta Chat", "doc-username"),
            ("Geary", GOOD),
            ("Thunderbird for Android", "doc-username"),
        ],
    );
    let literal = "doc-placeholder";
    autoconfig_row(
        "the domain in a host",
        &imap("imap.example.org", "imap.%EMAILDOMAIN%"),
        GOOD,
        &[
            ("Evolution", literal),
            ("aerc", literal),
            ("EmailEngine", literal),
            ("FairEmail", literal),
            ("Nextcloud Mail", literal),
            ("Geary", literal),
        ],
    );
    autoconfig_row(
        "the domain in a login",
        &login("%EMAILLOCALPART%-%EMAILDOMAIN%"),
        "993 as \"ann-example.org\"/465",
        &[
            ("Evolution", "993 as \"ann-\"/465"),
            ("aerc", "993 as \"%EMAILLOCALPART%-%EMAILDOMAIN%\"/465"),
            ("EmailEngine", "993 as \"%EMAILLOCALPART%-%EMAILDOMAIN%\"/465"),
            ("FairEmail", "993 as \"%EMAILLOCALPART%-%EMAILDOMAIN%\"/465"),
            ("Geary", GOOD),
        ],
    );
}

//------------ Autodiscover ---------------------------------------------------

/// A server; the last part is everything after the port.
fn server(kind: &str, port: u16, rest: &str) -> String {
    let host = kind.to_ascii_lowercase();
    format!(
        "<Protocol><Type>{kind}</Type><Server>{host}.example.org</Server>\
         <Port>{port}</Port>{rest}</Protocol>"
    )
}

fn autodiscover(servers: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover \
         xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\
         <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/\
         responseschema/2006a\"><Account><AccountType>email</AccountType>\
         <Action>settings</Action>{}</Account></Response></Autodiscover>",
        servers.concat()
    )
}

const LOGIN: &str = "<LoginName>ann@example.org</LoginName>";
const TLS: &str = "<SSL>on</SSL><Encryption>SSL</Encryption>";
const STARTTLS: &str = "<SSL>on</SSL><Encryption>TLS</Encryption>";

/// A row of Autodiscover: the results of Thunderbird, Delta Chat, EmailEngine and FairEmail.
fn autodiscover_row(about: &str, servers: &[String], results: [&str; 4]) {
    let names = ["Thunderbird", "Delta Chat", "EmailEngine", "FairEmail"];
    let results: Vec<_> = names.into_iter().zip(results).collect();
    let document = autodiscover(servers);
    row(about, NOT_SEEN, &results, |name| plays_autodiscover(name, &document));
}

#[test]
fn servers_of_autodiscover() {
    let with = |rest: &str| format!("{LOGIN}{rest}");
    autodiscover_row(
        "TLS and STARTTLS",
        &[server("IMAP", 993, &with(TLS)), server("SMTP", 587, &with(STARTTLS))],
        ["993/587", "993/587", "993/587 tls", "993/587"],
    );
    let off = with("<SSL>off</SSL><Encryption>TLS</Encryption>");
    let plain = "143 plain/587 plain";
    autodiscover_row(
        "SSL off",
        &[server("IMAP", 143, &off), server("SMTP", 587, &off)],
        [plain, plain, "143/587", "143/587"],
    );
    let empty = with("<SSL></SSL><Encryption/>");
    autodiscover_row(
        "empty elements",
        &[server("IMAP", 993, &empty), server("SMTP", 465, &empty)],
        ["pox-empty", GOOD, "993 starttls/465 starttls", GOOD],
    );
    let good = [server("IMAP", 993, &with(TLS)), server("SMTP", 465, &with(TLS))];
    autodiscover_row("good", &good, [GOOD; 4]);
    let lower = good.clone().map(|server| server.replace("IMAP", "imap").replace("SMTP", "smtp"));
    autodiscover_row("Type in lower case", &lower, ["pox-type", GOOD, GOOD, NOT_SEEN]);
    let portless = good.clone().map(|it| it.replace("<Port>993</Port>", ""));
    autodiscover_row("no Port", &portless, ["doc-port"; 4]);
    let nameless = good.clone().map(|server| server.replace(LOGIN, ""));
    autodiscover_row("no LoginName", &nameless, [GOOD, GOOD, NOT_SEEN, GOOD]);
    let named = good.clone().map(|server| server.replace(LOGIN, "<LoginName>ann</LoginName>"));
    let login = "993 as \"ann\"/465 as \"ann\"";
    autodiscover_row("a short LoginName", &named, [login, GOOD, login, GOOD]);
    let several = [&good[0], &server("IMAP", 143, &with(STARTTLS)), &good[1]].map(String::clone);
    autodiscover_row("two of a type", &several, [GOOD, GOOD, "143 tls/465", "143/465"]);
}
