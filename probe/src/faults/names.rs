//! What is wrong with names: aliases, SRV and MX records, leftovers of former hosters, wildcards.

use crate::facts::Facts;
use crate::finding::Fault;
use crate::net::dns::{Answer, Kind, Outcome, Record};
use crate::net::http::Exchange;
use crate::plan::registered;
use crate::read::Setting;

use super::web;

/// Names of hosters to which records point long after a domain has moved, and what their MX hosts have
/// in their names.
const HOSTERS: [(&str, &str); 4] = [
    ("outlook.com", "outlook.com"),
    ("office365.com", "outlook.com"),
    ("cpanel.net", "cpanel"),
    ("secureserver.net", "secureserver.net"),
];

/// All of it.
pub fn faults(facts: &Facts) -> Vec<Fault> {
    let mut faults = mx(facts);
    faults.extend(srv(facts));
    faults.extend(leftovers(facts));
    faults.extend(dead_web_addresses(facts));
    faults.extend(wildcard(facts));
    faults
}

/// `_autodiscover._tcp` with a target in another domain.
pub fn foreign_autodiscover(facts: &Facts) -> Option<Fault> {
    let name = format!("_autodiscover._tcp.{}", facts.domain());
    let answer = facts.answer(&name, Kind::Srv)?;
    let target = targets(answer).find(|target| registered(target) != registered(facts.domain()))?;
    let message = format!("the record points to another domain, {target}: the user is asked");
    Some(
        Fault::new("srv-autodiscover-foreign", &*name, message).seen(answer.to_string()).mend(
            format!("Remove the record, and publish autodiscover.{} instead.", facts.domain()),
        ),
    )
}

/// A server in another domain that an SRV record names.
pub fn foreign_srv(facts: &Facts, settings: &[Setting]) -> Option<Fault> {
    let foreign =
        settings.iter().find(|setting| registered(&setting.host) != registered(facts.domain()))?;
    let label = match foreign.protocol.is_incoming() {
        true => "_imaps",
        false => "_submissions",
    };
    let name = format!("{label}._tcp.{}", facts.domain());
    let message = format!("the server is in another domain, {}", foreign.host);
    Some(Fault::new("srv-foreign", name, message))
}

/// MX records.
fn mx(facts: &Facts) -> Vec<Fault> {
    let domain = facts.domain();
    let Some(answer) = facts.answer(domain, Kind::Mx) else { return Vec::new() };
    let mut faults = Vec::new();
    match &answer.outcome {
        Outcome::NoName => faults.push(
            Fault::new("domain-absent", domain, "the domain does not exist")
                .seen(answer.to_string())
                .mend("Check the spelling, and whether the domain is registered and delegated."),
        ),
        Outcome::NoData => faults.push(
            Fault::new("mx-absent", domain, "the domain has no MX record")
                .seen(answer.to_string())
                .mend(format!("{domain}. 3600 IN MX 10 <name of your mail server>.")),
        ),
        Outcome::Failed(_) | Outcome::TimedOut | Outcome::Unreadable(_) => faults.push(
            Fault::new("dns-failed", domain, "the DNS server gives no MX records")
                .seen(answer.to_string())
                .mend("Correct the zone or its DNSSEC signatures; ask with `dig +trace`."),
        ),
        Outcome::Records(records) => {
            for record in records {
                let Record::Mx { host, .. } = record else { continue };
                if host == "." {
                    faults.push(
                        Fault::new("mx-null", domain, "the domain says that it takes no mail")
                            .seen(answer.to_string()),
                    );
                    continue;
                }
                faults.extend(target(facts, host, domain, answer, "mx-alias", "mx-no-address"));
            }
        }
    }
    faults
}

/// SRV records of mail services.
fn srv(facts: &Facts) -> Vec<Fault> {
    let mut faults = Vec::new();
    let answers = facts.answers.iter().filter(|answer| answer.kind == Kind::Srv);
    for answer in answers {
        for host in targets(answer) {
            let found = target(facts, host, &answer.name, answer, "srv-alias", "srv-no-address");
            // `faults::mail` reports a mail server without an address.
            faults
                .extend(found.filter(|fault| fault.code == "srv-alias" || !is_mail(&answer.name)));
        }
    }
    faults
}

fn is_mail(name: &str) -> bool {
    name.split('.').next().is_some_and(|label| crate::read::srv::service(label).is_some())
}

/// A host that MX or SRV records name: it may be no alias (RFC 2181 §10.3, RFC 2782).
fn target(
    facts: &Facts,
    host: &str,
    name: &str,
    answer: &Answer,
    alias: &'static str,
    no_address: &'static str,
) -> Option<Fault> {
    let answers: Vec<_> =
        [Kind::A, Kind::Aaaa].into_iter().filter_map(|kind| facts.answer(host, kind)).collect();
    let evidence: Vec<_> =
        std::iter::once(answer).chain(answers.iter().copied()).map(ToString::to_string).collect();
    let evidence = evidence.join("\n");
    if let Some(target) = answers.iter().find_map(|answer| answer.aliases.last()) {
        let message = format!("the record names {host}, which is an alias of {target}");
        let remedy = format!("Name {target} in the record.");
        return Some(Fault::new(alias, name, message).seen(evidence).mend(remedy));
    }
    let is_absent = !answers.is_empty() && answers.iter().all(|answer| answer.is_absent());
    is_absent.then(|| {
        let message = format!("the record names {host}, which has no address");
        Fault::new(no_address, name, message).seen(evidence)
    })
}

/// Records that lead to a hoster who does not answer for the domain.
fn leftovers(facts: &Facts) -> Vec<Fault> {
    let domain = facts.domain();
    let mx = facts.answer(domain, Kind::Mx).map(ToString::to_string).unwrap_or_default();
    let is_hosted = |target: &str| {
        let hoster = HOSTERS.iter().find(|(name, _)| target.ends_with(name));
        hoster.is_some_and(|(_, mark)| mx.contains(mark))
    };
    let is_hoster = |target: &str| HOSTERS.iter().any(|(name, _)| target.ends_with(name));
    let mut faults = Vec::new();
    let fault = |name: &str, target: &str, answer: &Answer| {
        Fault::new(
            "stale-record",
            name,
            format!("the record points to {target}, and the domain's mail is not there"),
        )
        .seen(format!("{answer}\n{mx}"))
        .mend("Remove the record, or let it point to your web server.")
    };
    for label in ["autoconfig", "autodiscover"] {
        let name = format!("{label}.{domain}");
        let Some(answer) = facts.answer(&name, Kind::A) else { continue };
        let Some(target) = answer.aliases.last() else { continue };
        let is_foreign = registered(target) != registered(domain);
        let is_answered = facts.exchanges.values().any(|exchange| {
            let host = web::host(&exchange.sent.url);
            host == name && exchange.response().is_some_and(|response| response.is_success())
        });
        let is_stale = is_foreign
            && !mx.contains(&registered(target))
            && !is_hosted(target)
            && (!is_answered || is_hoster(target));
        if is_stale {
            faults.push(fault(&name, target, answer));
        }
    }
    let name = format!("_autodiscover._tcp.{domain}");
    if let Some(answer) = facts.answer(&name, Kind::Srv) {
        let stale = targets(answer).find(|target| is_hoster(target) && !is_hosted(target));
        faults.extend(stale.map(|target| fault(&name, target, answer)));
    }
    faults
}

/// Addresses of web servers that are dead, while another one of the same name lives.
fn dead_web_addresses(facts: &Facts) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let hops = facts.exchanges.values().flat_map(|exchange: &Exchange| &exchange.hops);
    for hop in hops {
        let place = web::host(&hop.url).to_owned();
        if !place.ends_with(facts.domain()) || faults.iter().any(|fault| fault.subject == place) {
            continue;
        }
        let Some((address, why)) = hop.dead.first().filter(|_| hop.address.is_some()) else {
            continue;
        };
        let kind = if address.is_ipv6() { "AAAA" } else { "A" };
        let message =
            format!("there is no connection at its address {address}: clients wait for it");
        faults.push(
            Fault::new("web-dead-address", place, message).seen(format!("{address}: {why}")).mend(
                format!("Let the web server listen there, or remove the {kind} record {address}."),
            ),
        );
    }
    faults
}

/// Names that nobody has made.
fn wildcard(facts: &Facts) -> Option<Fault> {
    let name = facts.random_name.as_str();
    let answer = facts.answer(name, Kind::A).filter(|answer| !answer.records().is_empty())?;
    let subject = format!("*.{}", facts.domain());
    let message = "names that do not exist have an address, those of clients among them";
    Some(Fault::new("dns-wildcard", subject, message).seen(answer.to_string()))
}

/// The targets of SRV records, without those that say that there is no service.
fn targets(answer: &Answer) -> impl Iterator<Item = &str> {
    answer.records().iter().filter_map(|record| match record {
        Record::Srv { target, .. } if target != "." => Some(target.as_str()),
        _ => None,
    })
}
