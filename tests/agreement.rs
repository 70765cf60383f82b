//! The documents agree: with any configuration, every format names the same servers, ports,
//! security and login.

use crate::common::http::{self, Request};
use crate::common::{Sandbox, cgi, command, program};
use mailsetup::xml;
use plist::{Dictionary, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// A server that a client would connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Found {
    host: String,
    port: String,
    /// `None` if the format does not distinguish TLS from STARTTLS.
    is_tls: Option<bool>,
    is_plain: bool,
    login: Option<String>,
}

/// By protocol: imap, pop3, smtp.
type Servers = BTreeMap<String, Found>;

const ADDRESS: &str = "Ann.O'Hara+x&y@example.org";

fn mailsetup(config: &Path, arguments: &[&str]) -> Vec<u8> {
    let output =
        command(program()).arg("--config").arg(config).args(arguments).output().expect("program");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn show(config: &Path, client: &str) -> Vec<u8> {
    mailsetup(config, &["show", ADDRESS, "--client", client])
}

fn filled_in(login: &str) -> String {
    let (local_part, _) = ADDRESS.split_once('@').expect("an address");
    login.replace("%EMAILADDRESS%", ADDRESS).replace("%EMAILLOCALPART%", local_part)
}

fn encoded(address: &str) -> String {
    address.replace('&', "%26").replace('+', "%2B")
}

/// The leaves of a document, a group for each `first` among them.
fn groups(document: &[u8], first: &str) -> Vec<BTreeMap<String, String>> {
    let mut groups: Vec<BTreeMap<_, _>> = Vec::new();
    for (name, text) in xml::read(document).expect("well-formed").leaves {
        if name == first {
            groups.push(BTreeMap::new());
        }
        if let Some(group) = groups.last_mut() {
            group.entry(name).or_insert(text);
        }
    }
    groups
}

/// The elements, in their order, belong to `protocols`, in that order.
fn from_autoconfig(document: &[u8], protocols: &[&str]) -> Servers {
    let servers = groups(document, "hostname").into_iter().map(|server| Found {
        host: server["hostname"].clone(),
        port: server["port"].clone(),
        is_tls: Some(server["socketType"] == "SSL"),
        is_plain: server["socketType"] == "plain",
        login: Some(filled_in(&server["username"])),
    });
    protocols.iter().map(|protocol| (*protocol).to_owned()).zip(servers).collect()
}

fn from_autodiscover(document: &[u8]) -> Servers {
    let server = |server: BTreeMap<String, String>| {
        let found = Found {
            host: server["Server"].clone(),
            port: server["Port"].clone(),
            is_tls: Some(server["Encryption"] == "SSL"),
            is_plain: server["SSL"] == "off",
            login: Some(server["LoginName"].clone()),
        };
        (server["Type"].to_lowercase(), found)
    };
    groups(document, "Type").into_iter().map(server).collect()
}

fn from_profile(document: &[u8]) -> Servers {
    let profile: Value = plist::from_bytes(document).expect("a property list");
    let content =
        profile.as_dictionary().and_then(|profile| profile.get("PayloadContent")).expect("content");
    let mail =
        content.as_array().and_then(|content| content[0].as_dictionary()).expect("a payload");
    let text = |mail: &Dictionary, key: &str| mail[key].as_string().expect("a string").to_owned();
    let server = |direction: &str| {
        let key = |end: &str| format!("{direction}MailServer{end}");
        Found {
            host: text(mail, &key("HostName")),
            port: mail[&key("PortNumber")].as_unsigned_integer().expect("a port").to_string(),
            is_tls: None,
            is_plain: !mail[&key("UseSSL")].as_boolean().expect("a truth value"),
            login: Some(text(mail, &key("Username"))),
        }
    };
    let incoming = match text(mail, "EmailAccountType").as_str() {
        "EmailTypePOP" => "pop3",
        _ => "imap",
    };
    BTreeMap::from([
        (incoming.to_owned(), server("Incoming")),
        ("smtp".to_owned(), server("Outgoing")),
    ])
}

fn from_dns(config: &Path) -> Servers {
    let records: serde_json::Value =
        serde_json::from_slice(&mailsetup(config, &["dns", "example.org", "--json"]))
            .expect("JSON");
    let mut servers = Servers::new();
    for record in records.as_array().expect("records") {
        let (name, data) =
            (record["name"].as_str().expect("name"), record["data"].as_str().expect("data"));
        let label = name.split('.').next().expect("a label");
        let [_, _, port, host] = data.split(' ').collect::<Vec<_>>()[..] else { continue };
        let (protocol, is_tls) = match label {
            "_imaps" => ("imap", true),
            "_imap" => ("imap", false),
            "_pop3s" => ("pop3", true),
            "_pop3" => ("pop3", false),
            "_submissions" => ("smtp", true),
            "_submission" => ("smtp", false),
            _ => continue,
        };
        if host != "." {
            let host = host.trim_end_matches('.').to_owned();
            let found = Found {
                host,
                port: port.to_owned(),
                is_tls: Some(is_tls),
                is_plain: false,
                login: None,
            };
            assert!(servers.insert(protocol.to_owned(), found).is_none(), "{name} twice");
        }
    }
    servers
}

/// PACC only names hosts: TLS on the usual ports.
fn from_pacc(document: &[u8]) -> Servers {
    let document: serde_json::Value = serde_json::from_slice(document).expect("JSON");
    let server = |key: &str, protocol: &str, port: u16| {
        let host = document["protocols"][key]["host"].as_str()?.to_owned();
        let found = Found {
            host,
            port: port.to_string(),
            is_tls: Some(true),
            is_plain: false,
            login: None,
        };
        Some((protocol.to_owned(), found))
    };
    let servers =
        [server("imap", "imap", 993), server("pop3", "pop3", 995), server("smtp", "smtp", 465)];
    servers.into_iter().flatten().collect()
}

fn ask(config: &Path, request: &Request) -> http::Response {
    cgi::send(&program(), request, &[("MAILSETUP_CONFIG", config.as_os_str())]).expect("an answer")
}

/// Compares the values that both formats can express.
fn agree(what: &str, ours: &Servers, theirs: &Servers) {
    for (protocol, found) in theirs {
        let mut expected =
            ours.get(protocol).unwrap_or_else(|| panic!("{what} knows {protocol}")).clone();
        if found.is_tls.is_none() {
            expected.is_tls = None;
        }
        if found.login.is_none() {
            // DNS contains neither the login nor the lack of security.
            expected.login = None;
            expected.is_plain = false;
        }
        assert_eq!(*found, expected, "{what}, {protocol}");
    }
}

#[test]
fn all_documents_name_the_same_servers() {
    let sandbox = Sandbox::new();
    for (text, protocols) in [
        ("", &["imap", "pop3", "smtp"][..]),
        ("pop3.enabled = false\nsmtp.security = 'tls'\n", &["imap", "smtp"]),
        ("imap.enabled = false\n", &["pop3", "smtp"]),
        (
            "imap.host = 'imap.hoster.example'\nimap.port = 143\npop3.security = 'none'\npop3.port = 1110\n\
             smtp.host = 'smtp.%EMAILDOMAIN%'\nsmtp.port = 2525\nsmtp.username = '%EMAILLOCALPART%'\n\
             imap.username = '%EMAILLOCALPART%.%EMAILDOMAIN%'\npop3.username = 'fixed'\n",
            &["imap", "pop3", "smtp"],
        ),
    ] {
        let config = sandbox.write("c.toml", format!("log.requests = false\n{text}"));
        let autoconfig = from_autoconfig(&show(&config, "thunderbird"), protocols);
        assert_eq!(autoconfig.len(), protocols.len(), "{text}");
        let autodiscover = from_autodiscover(&show(&config, "outlook"));
        assert_eq!(autodiscover, autoconfig, "{text}");
        let profile = from_profile(&show(&config, "apple"));
        assert_eq!(profile.len(), 2, "{text}");
        agree("the profile", &autoconfig, &profile);
        // The page is for people: it shows every value of every server.
        let page = ask(&config, &Request::get(format!("/?emailaddress={}", encoded(ADDRESS))));
        assert_eq!(page.status, 200, "{text}");
        let page = page.text();
        for found in autoconfig.values() {
            let login = found
                .login
                .as_ref()
                .expect("a login")
                .replace('&', "&amp;")
                .replace('\'', "&#x27;");
            for value in [&found.host, &found.port, &login] {
                assert!(page.contains(&format!(">{value}<")), "{text}: {value} is not on the page");
            }
        }
        let dns = from_dns(&config);
        assert_eq!(dns.len(), protocols.len(), "{text}");
        agree("dns", &autoconfig, &dns);
    }
}

#[test]
fn pacc_names_the_same_servers() {
    let sandbox = Sandbox::new();
    let config = sandbox.write(
        "c.toml",
        "pacc.enabled = true\nsmtp.security = 'tls'\npop3.host = 'pop.example.org'\n",
    );
    let request = Request::get("/.well-known/user-agent-configuration.json")
        .host("ua-auto-config.example.org");
    let pacc = from_pacc(&ask(&config, &request).body);
    assert_eq!(pacc.len(), 3);
    agree(
        "PACC",
        &from_autoconfig(&show(&config, "thunderbird"), &["imap", "pop3", "smtp"]),
        &pacc,
    );
}

/// Documents do not reveal whether a mailbox exists: they have the same bytes, whether a list names
/// it or another one.
#[test]
fn no_document_knows_whether_a_mailbox_exists() {
    let sandbox = Sandbox::new();
    let configs = ["ann", "bob"].map(|mailbox| {
        sandbox.write(mailbox, format!("{mailbox}@example.org:{{PLAIN}}x:1000:1000::/home\n"));
        let list = format!("domains.list_files = ['{mailbox}']\n");
        let activesync = "activesync.url = 'https://eas.example.org/'\n";
        sandbox.write(&format!("{mailbox}.toml"), list + activesync)
    });
    let post = |dialect: &str, version: &str| {
        let schemas = format!("http://schemas.microsoft.com/exchange/autodiscover/{dialect}");
        let body = format!(
            "<Autodiscover xmlns=\"{schemas}/requestschema/2006\"><Request>\
             <EMailAddress>ann@example.org</EMailAddress><AcceptableResponseSchema>\
             {schemas}/responseschema/{version}</AcceptableResponseSchema></Request></Autodiscover>"
        );
        Request::post("/autodiscover/autodiscover.xml", body)
    };
    for request in [
        Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org"),
        Request::get("/mobileconfig?emailaddress=ann@example.org"),
        Request::get("/autodiscover/autodiscover.json?Email=ann@example.org&Protocol=ActiveSync"),
        Request::get("/?emailaddress=ann@example.org"),
        post("outlook", "2006a"),
        post("mobilesync", "2006"),
    ] {
        let [is_there, is_not] = configs.each_ref().map(|config| ask(config, &request));
        let target = request.target.escape_ascii();
        assert_eq!((is_there.status, is_not.status), (200, 200), "{target}");
        assert!(is_there.headers == is_not.headers && is_there.body == is_not.body, "{target}");
    }
}
