//! The requests that are made for a client are those that were recorded of it.
//!
//! `tests/fixtures/README.md` describes the records. A record without a header field says nothing about
//! that field, except that a client that is known to send no User-Agent has none in its records.

use crate::source;
use mailsetup::address::EmailAddress;
use mailsetup::clients::{self, Ask, Client, Step};
use mailsetup::xml::tree;
use mailsetup_probe::facts::{Facts, Target};
use mailsetup_probe::net::dns::{Answer, Kind, Outcome, Record};
use mailsetup_probe::net::http::Sent;
use mailsetup_probe::plan;
use std::collections::BTreeSet;
use std::fs;

/// Records of another version than the one that is played, with another User-Agent, or of a service of
/// the same vendor.
const OTHER_AGENTS: [&str; 9] = [
    "autodetect-well-known",
    "evolution-autoconfig-old",
    "evolution-well-known",
    "outlook-get-redirect-probe",
    "outlook-pox-mixed-case",
    "outlook-pox-root-domain",
    "outlook-pox-srv",
    "safari-macos-profile",
    "safari-macos-profile-ampersand",
];
/// The host is a setting of the client; the address is in another domain, or there is no schema.
const NOT_PLAYED: [&str; 3] =
    ["thunderbird-database-form", "activesync-pox-unknown-domain", "activesync-pox-no-schema"];
/// New Outlook names the schema of Outlook for its request, and that of ActiveSync for the response.
/// What is sent for it names ActiveSync twice; the responses are the same.
const OTHER_SCHEMA: &str = "new-outlook-pox-mobilesync";

#[derive(Debug)]
struct Recorded {
    name: String,
    method: String,
    url: String,
    fields: Vec<(String, String)>,
    body: String,
}

impl Recorded {
    fn read(name: &str, text: &str) -> Recorded {
        let text = text.trim_start_matches('\u{feff}');
        let (comments, request): (Vec<&str>, Vec<&str>) = {
            let lines: Vec<_> = text.split('\n').collect();
            let first = lines.iter().position(|line| !line.starts_with('#')).expect(name);
            (lines[..first].to_vec(), lines[first..].to_vec())
        };
        let scheme = if comments.contains(&"# scheme: http") { "http" } else { "https" };
        let blank = request.iter().position(|line| line.is_empty()).expect(name);
        let (method, target) = request[0].split_once(' ').expect(name);
        let target = target.strip_suffix(" HTTP/1.1").expect(name);
        let field = |line: &&str| {
            let (field, value) = line.split_once(':').expect(name);
            (field.to_ascii_lowercase(), value.trim().to_owned())
        };
        let fields: Vec<_> = request[1..blank].iter().map(field).collect();
        let host = fields.iter().find(|(field, _)| field == "host").expect(name);
        // Older cores of Delta Chat send the whole URL.
        let url = match target.starts_with("https://") {
            true => target.to_owned(),
            false => format!("{scheme}://{}{target}", host.1),
        };
        let body = request[blank + 1..].join("\n").trim().to_owned();
        Recorded { name: name.to_owned(), method: method.to_owned(), url, fields, body }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The addresses that it may be for.
    fn addresses(&self) -> Vec<EmailAddress> {
        let between = |text: &str, begin: &str, ends: &[char]| {
            let (_, rest) = text.split_once(begin)?;
            Some(rest.split(ends).next().unwrap_or(rest).to_owned())
        };
        let texts = [
            between(&self.url, "address=", &['&']),
            between(&self.url, "mail=", &['&']),
            between(&self.url, "/v1.0/", &['?']),
            between(&self.body, "<EMailAddress>", &['<']),
            Some("ann@example.org".to_owned()),
            Some("ann@hoster.example".to_owned()),
            Some("ann@unknown.example".to_owned()),
            Some("ann@xn--bcher-kva.example".to_owned()),
        ];
        let addresses = texts.into_iter().flatten().filter_map(|text| {
            let bytes: Vec<u8> = percent_encoding::percent_decode_str(&text).collect();
            EmailAddress::parse(&bytes).ok()
        });
        addresses.collect()
    }

    /// What is not as recorded.
    fn difference(&self, sent: &Sent, client: &Client) -> Option<String> {
        // EmailEngine writes the domain in letters.
        let url = self.url.replace("b%C3%BCcher", "xn--bcher-kva");
        if !sent.url.eq_ignore_ascii_case(&url) || sent.method != self.method {
            return Some(format!("{} {}", sent.method, sent.url));
        }
        let agent = self.field("user-agent");
        let is_agent = match (client.agent, agent) {
            _ if OTHER_AGENTS.contains(&&*self.name) => true,
            (Some(known), Some(agent)) => known == agent && sent.agent == agent,
            (Some(_), None) => sent.agent.is_empty() || self.is_shortened(),
            (None, Some(_)) => false,
            (None, None) => true,
        };
        if !is_agent {
            return Some(format!("User-Agent: {}", sent.agent));
        }
        let media_type = self.field("content-type").unwrap_or_default();
        if !self.body.is_empty() && sent.media_type != media_type && !media_type.is_empty() {
            return Some(format!("Content-Type: {}", sent.media_type));
        }
        let mut body = self.body.replace("bücher", "xn--bcher-kva");
        if self.name == OTHER_SCHEMA {
            body = body.replace("outlook/requestschema", "mobilesync/requestschema");
        }
        let (ours, theirs) = (parts(&sent.body), parts(&body));
        (ours != theirs).then(|| format!("{ours:?}, not {theirs:?}"))
    }

    /// True if its headers are not all known.
    fn is_shortened(&self) -> bool {
        let path = source("tests/fixtures/requests").join(format!("{}.http", self.name));
        String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).contains("# headers: ")
    }
}

/// The elements of a body with their namespaces and texts, in any order.
fn parts(body: &str) -> BTreeSet<(String, String, String)> {
    let mut parts = BTreeSet::new();
    if body.is_empty() {
        return parts;
    }
    // Some clients do not escape the address, and one sends a quotation mark after the document.
    let body = body.replace("a&b@", "a&amp;b@");
    let end = body.rfind('>').map_or(body.len(), |at| at + 1);
    let tree = tree::tree(&body.as_bytes()[..end]).unwrap_or_else(|err| panic!("{err}: {body}"));
    tree.root.each(&mut |element| {
        let text = element.text().trim().to_owned();
        parts.insert((element.name.clone(), element.namespace.clone(), text));
    });
    parts
}

/// The answers of DNS that some requests need.
fn facts(address: EmailAddress) -> Facts {
    let domain = address.domain().to_string();
    let mut facts = Facts::new(Target { address, is_made_up: false });
    let mut add = |name: String, kind: Kind, record: Record| {
        let outcome = Outcome::Records(vec![record]);
        facts.answers.push(Answer { name, kind, aliases: Vec::new(), outcome });
    };
    let host = "mx1.hoster.example".to_owned();
    add(domain.clone(), Kind::Mx, Record::Mx { preference: 10, host });
    let target = "mail.hoster.example".to_owned();
    let record = Record::Srv { priority: 0, weight: 0, port: 443, target };
    add(format!("_autodiscover._tcp.{domain}"), Kind::Srv, record);
    facts
}

/// The client of a record, by the longest prefix of its name.
fn owner(name: &str) -> Option<&'static Client> {
    let beginnings =
        clients::all().flat_map(|client| client.requests.iter().map(move |begin| (client, begin)));
    let owners = beginnings.filter(|(_, begin)| name.starts_with(**begin));
    owners.max_by_key(|(_, begin)| begin.len()).map(|(client, _)| client)
}

fn asks(client: &Client) -> impl Iterator<Item = &'static Ask> {
    let steps = client.steps.iter().chain(client.variants);
    steps.filter_map(|step| match step {
        Step::Ask(ask) => Some(ask),
        Step::Srv(_) | Step::Elsewhere(_) => None,
    })
}

#[test]
fn the_requests_of_every_client_are_the_recorded_ones() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(source("tests/fixtures/requests")).expect("requests") {
        let path = entry.expect("directory entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let Some(client) = owner(&name).filter(|_| !NOT_PLAYED.contains(&&*name)) else { continue };
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a request")).into_owned();
        let recorded = Recorded::read(&name, &text);
        count += 1;
        let mut differences = Vec::new();
        let is_made = recorded.addresses().into_iter().any(|address| {
            let facts = facts(address);
            asks(client).any(|ask| {
                plan::requests(ask, client, &facts).iter().any(|sent| {
                    let difference = recorded.difference(sent, client);
                    differences.extend(difference.clone());
                    difference.is_none()
                })
            })
        });
        if !is_made {
            differences.dedup();
            wrong.push(format!("{name}: {} {}\n  {}", recorded.method, recorded.url, {
                differences.join("\n  ")
            }));
        }
    }
    assert!(count > 80, "only {count} requests were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
