//! From faults to findings: whom a fault hurts, how much it weighs, and what comes first.

use crate::codes;
use crate::facts::Facts;
use crate::faults::{documents, mail, names, pacc, web};
use crate::finding::{Fault, Finding, Stage, Weight};
use crate::play::Played;
use crate::play::verdict::endpoint;
use crate::report::{FoundBy, Outcome};
use mailsetup::clients::{self, DATABASE};
use mailsetup::finding::Level;

/// The client that most users of autoconfig have.
const MAIN: &str = "Thunderbird";

/// The findings, the one that matters most first.
pub fn judge(facts: &Facts, played: &[Played]) -> Vec<Finding> {
    let sources = documents::sources(facts);
    let mut faults = names::faults(facts);
    faults.extend(documents::disagreements(&sources));
    faults.extend(documents::denials(facts, &sources));
    faults.extend(pacc::old_tls(facts));
    faults.extend(other_case(facts));
    faults.extend(web::catch_all(facts));
    faults.extend(mail::without_login(facts));
    faults.extend(nothing_found(played, facts));
    faults.extend(named_servers(facts, &sources));
    faults.extend(played.iter().flat_map(|one| one.hits.iter().cloned()));
    let mut findings: Vec<Finding> = Vec::new();
    for fault in faults {
        if findings.iter().any(|known| known.code == fault.code && known.subject == fault.subject) {
            continue;
        }
        findings.extend(finding(fault, played));
    }
    // The subject of several is that of the first: the one that breaks most clients, https before http.
    findings.sort_by_key(|finding| {
        let is_http = finding.subject.starts_with("http:");
        (finding.level, usize::MAX - finding.clients.len(), is_http, finding.subject.clone())
    });
    together(&mut findings);
    without_consequences(&mut findings, facts);
    // Where a page hides a document, that is said already.
    if findings.iter().any(|finding| finding.code == "doc-web-page") {
        findings.retain(|finding| finding.code != "catch-all");
    }
    let broken: Vec<_> = findings
        .iter()
        .filter(|finding| {
            codes::stage(finding.code) == Stage::Mail || finding.code.starts_with("tls")
        })
        .map(|finding| finding.subject.clone())
        .collect();
    // A server that does not work is not another choice of servers.
    findings.retain(|finding| {
        !finding.code.ends_with("-differs") && !finding.code.ends_with("-differ")
            || !broken.iter().any(|place| finding.evidence.contains(place.as_str()))
    });
    findings.sort_by_key(|finding| {
        (finding.level, usize::MAX - finding.clients.len(), codes::stage(finding.code))
    });
    findings
}

/// A fault with its clients and its level; `None` if it matters to nobody.
fn finding(fault: Fault, played: &[Played]) -> Option<Finding> {
    let is_it = |code: &str, subject: &str| code == fault.code && subject == fault.subject;
    let is_cause = |one: &&Played| {
        one.verdict.cause.as_ref().is_some_and(|(code, subject)| is_it(code, subject))
    };
    let is_hit = |one: &&Played| one.hits.iter().any(|hit| is_it(hit.code, &hit.subject));
    let mut hurt = played.iter().filter(is_cause).peekable();
    let fails = hurt.clone().any(|one| one.verdict.outcome == Outcome::Fails);
    let weight = codes::weight(fault.code);
    let names = |of: &mut dyn Iterator<Item = &Played>| of.map(|one| one.verdict.client).collect();
    let (level, clients): (Level, Vec<&'static str>) = match weight {
        Weight::Fault => {
            let level = if fails { Level::Error } else { Level::Warning };
            (level, names(&mut played.iter().filter(is_hit)))
        }
        Weight::Risk => (Level::Warning, names(&mut played.iter().filter(is_hit))),
        Weight::Note => (Level::Note, names(&mut played.iter().filter(is_hit))),
        Weight::Absence if hurt.peek().is_some() => {
            // Where Thunderbird has another way, the domain has chosen one.
            let is_main = |one: &Played| one.verdict.client == MAIN;
            let is_hurt = hurt.clone().any(is_main) || !played.iter().any(is_main);
            (if is_hurt { Level::Warning } else { Level::Note }, names(&mut hurt))
        }
        Weight::Choice if hurt.peek().is_some() => {
            // With --client: the user asked about this client, so its failure counts.
            let is_main = |one: &Played| one.verdict.client == MAIN;
            let is_asked_for = !played.iter().any(is_main);
            (if is_asked_for { Level::Warning } else { Level::Note }, names(&mut hurt))
        }
        Weight::Absence | Weight::Choice => return None,
    };
    let (level, clients) = match fault.code {
        "nothing-found" | "domain-absent" => {
            let failed = |one: &&Played| one.verdict.outcome == Outcome::Fails;
            (Level::Error, names(&mut played.iter().filter(failed)))
        }
        "path-case" => {
            let is_outlook = |one: &&Played| one.verdict.client == "Outlook 2016";
            (level, names(&mut played.iter().filter(is_outlook)))
        }
        "database-differs" => {
            let asks_first = |one: &&Played| {
                let client = clients::all().find(|client| client.name == one.verdict.client);
                client.is_some_and(|client| client.steps.first() == Some(&DATABASE))
            };
            (level, names(&mut played.iter().filter(asks_first)))
        }
        _ => (level, clients),
    };
    Some(Finding {
        code: fault.code,
        level,
        subject: fault.subject,
        message: fault.message,
        evidence: fault.evidence,
        remedy: fault.remedy,
        clients,
    })
}

/// Where nothing is there at all, each single absence is no finding.
fn without_consequences(findings: &mut Vec<Finding>, facts: &Facts) {
    leftovers_first(findings);
    let has = |code: &str| findings.iter().any(|finding| finding.code == code);
    let domain = facts.domain();
    let is_whole = |finding: &Finding| finding.code == "dns-failed" && finding.subject == domain;
    if has("domain-absent") {
        findings.retain(|finding| finding.code == "domain-absent");
    } else if findings.iter().any(is_whole) && has("nothing-found") {
        findings.retain(|finding| finding.code != "nothing-found");
        findings.retain(|finding| finding.code != "dns-failed" || finding.subject == domain);
    } else if findings.iter().any(|one| one.level == Level::Error && one.code != "nothing-found") {
        // Something is published, and broken.
        findings.retain(|finding| finding.code != "nothing-found");
    } else if has("nothing-found") {
        findings.retain(|finding| {
            !matches!(codes::weight(finding.code), Weight::Absence | Weight::Choice)
        });
    }
}

/// What is wrong at a name that a forgotten record leads elsewhere is wrong with that record.
fn leftovers_first(findings: &mut Vec<Finding>) {
    let is_stale = |finding: &Finding| finding.code == "stale-record";
    let (mut stale, others): (Vec<_>, Vec<_>) = findings.drain(..).partition(is_stale);
    for finding in others {
        let subject = finding.subject.clone();
        let name = if subject.contains("://") { web::host(&subject) } else { host_of(&subject) };
        match stale.iter_mut().find(|stale| stale.subject == name) {
            Some(stale) => {
                stale.level = stale.level.min(finding.level);
                stale.evidence += &format!("\n{subject}: {}", finding.message);
                for client in finding.clients {
                    if !stale.clients.contains(&client) {
                        stale.clients.push(client);
                    }
                }
            }
            None => findings.push(finding),
        }
    }
    findings.extend(stale);
}

/// The name in `host:port`.
fn host_of(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |(host, _)| host)
}

/// The same thing said of several documents, or of several paths of a host, is one finding; and what is
/// left out by choice is said once.
fn together(findings: &mut Vec<Finding>) {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in std::mem::take(findings) {
        let same = kept.iter_mut().find(|known| is_same(known, &finding));
        match same {
            Some(known) => {
                known.level = known.level.min(finding.level);
                known.evidence += &format!("\nalso: {}", finding.subject);
                for client in finding.clients {
                    if !known.clients.contains(&client) {
                        known.clients.push(client);
                    }
                }
            }
            None => kept.push(finding),
        }
    }
    *findings = kept;
}

/// True if two findings say the same.
fn is_same(one: &Finding, other: &Finding) -> bool {
    if one.code != other.code {
        return false;
    }
    match (codes::stage(one.code), codes::weight(one.code)) {
        (Stage::Document, _) => {
            let name = |url: &str| url.rsplit('/').next().map(str::to_owned);
            one.message == other.message || name(&one.subject) == name(&other.subject)
        }
        (Stage::Http, _) => web::host(&one.subject) == web::host(&other.subject),
        (_, Weight::Choice) => one.code != "srv-absent",
        _ if one.code == "not-asked" => true,
        _ => false,
    }
}

/// What is wrong with servers that are published, whether or not a client uses them.
fn named_servers(facts: &Facts, sources: &[documents::Source]) -> Vec<Fault> {
    let named = sources.iter().flat_map(|source| &source.settings).map(endpoint);
    let named: Vec<_> = named.collect();
    let servers = facts.servers.iter().filter(|server| named.contains(&server.endpoint));
    let mut faults = Vec::new();
    for server in servers {
        // The same port with the right security works: it is the document that is wrong.
        let works = facts.servers.iter().any(|other| {
            let (one, other_endpoint) = (&server.endpoint, &other.endpoint);
            one.host == other_endpoint.host
                && one.port == other_endpoint.port
                && mail::unusable(other).is_none()
        });
        faults.extend(mail::unusable(server).filter(|_| !works));
        faults.extend(mail::dead_addresses(server));
        faults.extend(mail::risks(server));
    }
    faults
}

/// A domain that publishes nothing.
fn nothing_found(played: &[Played], facts: &Facts) -> Option<Fault> {
    let mut found = played.iter().filter(|one| one.verdict.found_by != FoundBy::None);
    let is_played = played.len() > 1;
    (is_played && found.next().is_none()).then(|| {
        Fault::new("nothing-found", facts.domain(), "no client finds settings for this domain")
            .mend(format!(
                "Publish the settings. This prints the records for it:\n\
                 mailsetup dns {} --web-host <name of your web server>",
                facts.domain()
            ))
    })
}

/// A web server that knows Autodiscover only in one letter case.
fn other_case(facts: &Facts) -> Option<Fault> {
    let other = facts.other_case.as_ref()?;
    let is_good = other.response().is_some_and(|response| response.is_success());
    (!is_good && other.response().is_some()).then(|| {
        let message = "the path is answered in lower case only";
        Fault::new("path-case", web::url(&other.sent.url), message)
            .seen(web::hops(other))
            .mend("Match the paths of Autodiscover without regard to letter case.")
    })
}
