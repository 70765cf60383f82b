//! All documents against each other, against SRV records, and against Mozilla's database.

use super::web;
use crate::facts::Facts;
use crate::finding::Fault;
use crate::net::dns::Kind;
use crate::read::{Body, Reader, Setting, autoconfig, autodiscover, pacc, plist, srv};
use mailsetup::account::{Protocol, Security};
use mailsetup::clients::{Client, UNKNOWN};
use mailsetup::paths;

/// A client without rules: it reads a document as it is meant.
static NEUTRAL: Client = Client { name: "neutral", ..UNKNOWN };

/// Something that names servers.
#[derive(Clone, Debug)]
pub struct Source {
    /// The URL, or the name of the record.
    pub subject: String,
    /// What kind it is.
    pub kind: Origin,
    /// The servers.
    pub settings: Vec<Setting>,
    /// The name of the provider, if it has one.
    pub name: Option<String>,
}

/// Where servers are named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Autoconfig of the domain.
    Autoconfig,
    /// Autodiscover of the domain.
    Autodiscover,
    /// Apple's profile.
    Profile,
    /// PACC.
    Pacc,
    /// Autoconfig of the domain of the MX host.
    Provider,
    /// Mozilla's database.
    Database,
    /// SRV records.
    Srv,
}

/// All sources that could be read, the one that most clients read first.
pub fn sources(facts: &Facts) -> Vec<Source> {
    let reader = Reader { client: &NEUTRAL, address: &facts.target.address };
    let mut sources: Vec<Source> = Vec::new();
    for exchange in facts.exchanges.values() {
        let Some(response) = exchange.response().filter(|response| response.is_success()) else {
            continue;
        };
        let subject = web::url(&exchange.sent.url);
        if sources.iter().any(|source| source.subject == subject) {
            continue;
        }
        let host = web::host(&exchange.sent.url);
        let is_ours = host == facts.domain() || host.ends_with(&format!(".{}", facts.domain()));
        let body = Body::of(response);
        let path = subject.split_once("://").map_or("", |(_, rest)| rest);
        let path = path.split_once('/').map_or("", |(_, path)| path);
        let ends = |known: &paths::Path| format!("/{path}").eq_ignore_ascii_case(known.text);
        let read = if ends(&paths::AUTOCONFIG) || ends(&paths::AUTOCONFIG_WELL_KNOWN) {
            let kind = if is_ours { Origin::Autoconfig } else { Origin::Provider };
            autoconfig::read(&body, &reader).ok().map(|found| (kind, found.settings))
        } else if subject.contains("/v1.1/") && !is_ours {
            autoconfig::read(&body, &reader).ok().map(|found| (Origin::Database, found.settings))
        } else if ends(&paths::AUTODISCOVER) {
            match autodiscover::read(&body, &reader) {
                Ok(autodiscover::Read::Found(found)) => {
                    Some((Origin::Autodiscover, found.settings))
                }
                _ => None,
            }
        } else if ends(&paths::PACC) {
            let settings = pacc::settings(&body.bytes, &facts.target.address);
            settings.ok().map(|settings| (Origin::Pacc, settings))
        } else if ends(&paths::MOBILECONFIG) || ends(&paths::MOBILECONFIG_PLESK) {
            let content = facts.profiles.get(&exchange.sent.url).map(|(content, _)| content);
            let settings = content.and_then(|content| plist::settings(content).ok());
            settings.map(|settings| (Origin::Profile, settings))
        } else {
            None
        };
        sources.extend(read.map(|(kind, settings)| {
            let name = match kind {
                Origin::Autoconfig | Origin::Provider | Origin::Database => {
                    autoconfig::provider_name(&body)
                }
                Origin::Pacc => pacc::provider_name(&body.bytes),
                Origin::Autodiscover | Origin::Profile | Origin::Srv => None,
            };
            Source { subject, kind, settings, name }
        }));
    }
    sources.extend(of_srv(facts));
    let rank = |source: &Source| match source.kind {
        Origin::Autoconfig if source.subject.starts_with("https:") => 0,
        Origin::Autoconfig => 1,
        Origin::Provider => 2,
        Origin::Database => 3,
        Origin::Autodiscover => 4,
        Origin::Pacc => 5,
        Origin::Profile => 6,
        Origin::Srv => 7,
    };
    sources.sort_by_key(|source| (rank(source), source.subject.starts_with("http:")));
    sources
}

fn of_srv(facts: &Facts) -> Vec<Source> {
    let labels = ["_imaps", "_imap", "_pop3s", "_pop3", "_submissions", "_submission", "_sieve"];
    let mut sources = Vec::new();
    for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve] {
        let mut settings = Vec::new();
        let mut subject = None;
        for label in labels {
            if srv::service(label).is_none_or(|(known, _)| known != protocol) {
                continue;
            }
            let name = format!("{label}._tcp.{}", facts.domain());
            let Some(answer) = facts.answer(&name, Kind::Srv) else { continue };
            let found = srv::settings(label, answer);
            if !found.is_empty() {
                subject.get_or_insert(name);
            }
            settings.extend(found);
        }
        let kind = Origin::Srv;
        let name = None;
        sources.extend(subject.map(|subject| Source { subject, kind, settings, name }));
    }
    sources
}

/// Sources that name other servers than the first.
pub fn disagreements(sources: &[Source]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp] {
            let of = |source: &Source| -> Vec<Setting> {
                let of = source.settings.iter().filter(|setting| setting.protocol == protocol);
                of.cloned().collect()
            };
            let own = of(source);
            let first = sources[..at].iter().map(|other| (other, of(other)));
            let Some((other, others)) = first.into_iter().find(|(_, found)| !found.is_empty())
            else {
                continue;
            };
            let is_same = |a: &Setting, b: &Setting| {
                a.host == b.host && a.port == b.port && a.security == b.security
            };
            let agree = own.iter().any(|own| others.iter().any(|other| is_same(own, other)));
            // Another port of the same host is another way to the same server.
            let is_way = source.kind != Origin::Database
                && own
                    .iter()
                    .any(|own| others.iter().any(|other| own.host == other.host && is_usual(own)));
            let code = match source.kind {
                Origin::Srv => "srv-differs",
                Origin::Database => "database-differs",
                _ => "docs-differ",
            };
            if own.is_empty() || agree || is_way {
                continue;
            }
            let message = format!(
                "for {protocol} it says {}, but {} says {}",
                list(&own),
                other.subject,
                list(&others)
            );
            if !faults.iter().any(|fault| fault.code == code && fault.subject == source.subject) {
                faults.push(
                    Fault::new(code, &*source.subject, message)
                        .seen(format!("{}: {}", source.subject, list(&own)))
                        .mend("Let all of them name the same servers."),
                );
            }
        }
    }
    faults
}

/// True for a server on the registered port of its security.
fn is_usual(setting: &Setting) -> bool {
    let port = std::num::NonZeroU16::new(setting.port);
    let usual = port.and_then(|port| mailsetup::ports::security_of(setting.protocol, port));
    usual == Some(setting.security)
}

/// A protocol that SRV records deny, though a document offers it.
pub fn denials(facts: &Facts, sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (protocol, label, other) in
        [(Protocol::Imap, "_imaps", "_imap"), (Protocol::Smtp, "_submissions", "_submission")]
    {
        let of = |label: &str| facts.answer(&format!("{label}._tcp.{}", facts.domain()), Kind::Srv);
        let is_denied = |label| {
            of(label).is_some_and(|answer| {
                !answer.records().is_empty() && srv::settings(label, answer).is_empty()
            })
        };
        let offers = |source: &&Source| {
            source.kind != Origin::Database
                && source.settings.iter().any(|setting| setting.protocol == protocol)
        };
        let Some(source) = sources.iter().find(offers) else { continue };
        if is_denied(label) && is_denied(other) {
            let message = format!(
                "the record says that there is no {protocol}, but {} names a server",
                source.subject
            );
            let subject = format!("{label}._tcp.{}", facts.domain());
            faults.push(
                Fault::new("srv-differs", subject, message)
                    .seen(of(label).map(ToString::to_string).unwrap_or_default())
                    .mend("Name the server in the record."),
            );
        }
    }
    faults
}

fn list(settings: &[Setting]) -> String {
    let one = |setting: &Setting| {
        let security = match setting.security {
            Security::Tls => "TLS",
            Security::StartTls => "STARTTLS",
            Security::Plain => "no TLS",
        };
        format!("{}:{} {security}", setting.host, setting.port)
    };
    settings.iter().map(one).collect::<Vec<_>>().join(", ")
}
