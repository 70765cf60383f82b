//! The DNS records that are missing, as lines of a zone file, for `--missing-dns`.
//!
//! A record is missing if the DNS server said so: not if it failed or was not asked. Rules: RFC 6186,
//! RFC 8314 §5.1. Host names that came from outside are checked before they are written.

use super::Report;
use crate::net::dns::{Answer, Kind, Outcome as DnsOutcome};
use crate::net::mail::Outcome;
use mailsetup::account::{Protocol, Security};
use mailsetup::address::{Domain, HostName};
use mailsetup::visible::visible;
use mailsetup::zone::{Data, Record, SERVICES, TTL, WEB_NAMES};

/// A mail server that can be named in a record.
struct Found {
    protocol: Protocol,
    security: Security,
    host: HostName,
    port: u16,
}

/// What is known about a record.
enum Known {
    /// It is there.
    There,
    /// It is missing.
    Missing,
    /// It is not known; the reason.
    Unknown(String),
}

/// The records that are missing; comments only if there are none.
pub fn write(report: &Report) -> String {
    let Ok(domain) = Domain::parse(&report.domain) else {
        return String::new();
    };
    let (mut records, mut unknown) = (Vec::new(), Vec::new());
    let servers = servers(report);
    let mut web_host = None;
    for name in WEB_NAMES {
        match host(report, &format!("{name}.{domain}")) {
            Known::There => {}
            Known::Missing => {
                let target = web_host.get_or_insert_with(|| web_target(report, &domain, &servers));
                let target = target.clone().map(Data::Cname);
                records.extend(target.map(|data| Record::new(name, &domain, TTL, data)));
            }
            Known::Unknown(reason) => unknown.push(reason),
        }
    }
    for service in &SERVICES {
        let is_for = |server: &&Found| service.is_for(server.protocol, server.security);
        let Some(server) = servers.iter().find(is_for) else { continue };
        match known(report, Kind::Srv, &format!("{}.{domain}", service.name())) {
            Known::There => {}
            Known::Missing => {
                let data = service.data(server.host.clone(), server.port);
                records.push(Record::new(&service.name(), &domain, TTL, data));
            }
            Known::Unknown(reason) => unknown.push(reason),
        }
    }
    let mut text = match records.is_empty() {
        true if servers.is_empty() => format!(
            "; {domain}: no mail server was found, so it is not known which records are missing.\n\
             ; All of them: mailsetup dns {domain} --web-host <name of your web server>\n"
        ),
        true => format!("; {domain}: no record is missing.\n"),
        false => format!("; {domain}: add these lines to its zone.\n"),
    };
    let alias = records.iter().find_map(|record| match &record.data {
        Data::Cname(target) => Some(target),
        _ => None,
    });
    if let Some(target) = alias {
        text += &format!(
            "; {target} must be the web server that answers for autoconfig.{domain} and\n\
             ; autodiscover.{domain}, with a certificate for both names; replace it if it is another one.\n"
        );
    }
    for reason in unknown {
        text += &format!("; Not known: {}\n", visible(&reason));
    }
    text.extend(records.iter().map(Record::line));
    text
}

/// The servers that are published, then those that answered.
fn servers(report: &Report) -> Vec<Found> {
    let published = report.published.iter().flat_map(|published| &published.servers);
    let published = published.map(|seen| {
        let setting = &seen.value;
        (setting.protocol, setting.security, setting.host.as_str(), setting.port)
    });
    let spoke = |outcome: &Outcome| matches!(outcome, Outcome::Spoke(_));
    let answered = report
        .servers
        .iter()
        .filter(|server| server.dialogues.iter().any(|(_, outcome)| spoke(outcome)));
    let answered = answered.map(|server| {
        let endpoint = &server.endpoint;
        (endpoint.protocol, endpoint.security, endpoint.host.as_str(), endpoint.port)
    });
    let all = published.chain(answered).filter_map(|(protocol, security, host, port)| {
        // The target of an SRV record is a name, not an address.
        let host = HostName::parse(host).filter(|host| !host.is_address())?;
        // RFC 8314 §4.1: no record leads to a server without TLS.
        let is_safe = security != Security::Plain && port != 0;
        is_safe.then_some(Found { protocol, security, host, port })
    });
    all.collect()
}

/// The web server for a missing name: that of the other name, else the host of the first mail server, as
/// `mailsetup dns` does.
fn web_target(report: &Report, domain: &Domain, servers: &[Found]) -> Option<HostName> {
    let there = WEB_NAMES.iter().map(|name| format!("{name}.{domain}"));
    let mut there = there.filter(|name| matches!(host(report, name), Known::There));
    if let Some(name) = there.next() {
        let answer = report.dns.iter().find(|answer| answer.name == name);
        let target = answer.and_then(|answer| answer.aliases.first());
        return HostName::parse(target.map_or(name.as_str(), String::as_str));
    }
    servers.first().map(|server| server.host.clone())
}

/// What is known about a host: it is there if it has an address of either kind.
fn host(report: &Report, name: &str) -> Known {
    match (known(report, Kind::A, name), known(report, Kind::Aaaa, name)) {
        (Known::There, _) | (_, Known::There) => Known::There,
        (Known::Missing, _) | (_, Known::Missing) if !has_alias(report, name) => Known::Missing,
        (Known::Unknown(reason), _) => Known::Unknown(reason),
        // An alias that leads nowhere is a finding of its own; a second record is not allowed.
        _ => Known::There,
    }
}

fn has_alias(report: &Report, name: &str) -> bool {
    report.dns.iter().any(|answer| answer.name == name && !answer.aliases.is_empty())
}

fn known(report: &Report, kind: Kind, name: &str) -> Known {
    let answer = report.dns.iter().find(|answer| answer.kind == kind && answer.name == name);
    match answer {
        Some(Answer { outcome: DnsOutcome::Records(_), .. }) => Known::There,
        Some(answer) if answer.is_absent() => Known::Missing,
        Some(answer) => Known::Unknown(answer.to_string()),
        None => Known::Unknown(format!("{kind} {name}: not asked")),
    }
}
