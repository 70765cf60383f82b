//! From faults to findings: whom a fault hurts, how much it weighs, and what comes first.

use crate::codes;
use crate::facts::Facts;
use crate::faults::{documents, names, pacc, web};
use crate::finding::{Fault, Finding, Stage, Weight};
use crate::play::Played;
use crate::report::Outcome;
use mailsetup::finding::Level;

/// The client that most users of autoconfig have.
const MAIN: &str = "Thunderbird";

/// The findings, the one that matters most first.
pub fn judge(facts: &Facts, played: &[Played]) -> Vec<Finding> {
    let sources = documents::sources(facts);
    let mut faults = names::faults(facts);
    faults.extend(documents::disagreements(&sources));
    faults.extend(pacc::old_tls(facts));
    faults.extend(other_case(facts));
    faults.extend(nothing_found(played, facts));
    faults.extend(played.iter().flat_map(|one| one.hits.iter().cloned()));
    let mut findings: Vec<Finding> = Vec::new();
    for fault in faults {
        if findings.iter().any(|known| known.code == fault.code && known.subject == fault.subject) {
            continue;
        }
        findings.extend(finding(fault, played));
    }
    together(&mut findings);
    without_consequences(&mut findings, facts);
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
        Weight::Choice if hurt.peek().is_some() => (Level::Note, names(&mut hurt)),
        Weight::Absence | Weight::Choice => return None,
    };
    let (level, clients) = match fault.code {
        "nothing-found" | "domain-absent" => {
            let failed = |one: &&Played| one.verdict.outcome == Outcome::Fails;
            (Level::Error, names(&mut played.iter().filter(failed)))
        }
        "path-case" => (level, vec!["Outlook 2016"]),
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
    let has = |code: &str| findings.iter().any(|finding| finding.code == code);
    let domain = facts.domain();
    let is_whole = |finding: &Finding| finding.code == "dns-failed" && finding.subject == domain;
    if has("domain-absent") {
        findings.retain(|finding| finding.code == "domain-absent");
    } else if findings.iter().any(is_whole) && has("nothing-found") {
        findings.retain(|finding| finding.code != "nothing-found");
        findings.retain(|finding| finding.code != "dns-failed" || finding.subject == domain);
    } else if has("nothing-found") {
        findings.retain(|finding| {
            !matches!(codes::weight(finding.code), Weight::Absence | Weight::Choice)
        });
    }
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
                // https before http.
                let rank = |subject: &String| (subject.starts_with("http:"), subject.clone());
                let (subject, other) = match rank(&finding.subject) < rank(&known.subject) {
                    true => (finding.subject, std::mem::take(&mut known.subject)),
                    false => (std::mem::take(&mut known.subject), finding.subject),
                };
                known.subject = subject;
                known.evidence += &format!("\nalso: {other}");
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
        (Stage::Document, _) => one.message == other.message,
        (Stage::Http, _) => web::host(&one.subject) == web::host(&other.subject),
        (_, Weight::Choice) => one.code != "srv-absent",
        _ => false,
    }
}

/// A domain that publishes nothing.
fn nothing_found(played: &[Played], facts: &Facts) -> Option<Fault> {
    use crate::report::FoundBy;
    let mut found = played.iter().filter(|one| one.verdict.found_by != FoundBy::None);
    let is_played = played.len() > 1;
    (is_played && found.next().is_none()).then(|| {
        Fault::new("nothing-found", facts.domain(), "no client finds settings for this domain")
            .mend(format!("mailsetup dns {} --web-host <name of your web server>", facts.domain()))
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
