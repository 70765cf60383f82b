//! What becomes of a client: which of its attempts it uses, and whether the servers let it in.

use super::attempt::{Attempt, Got};
use crate::codes::{self, weight};
use crate::facts::Facts;
use crate::faults::mail;
use crate::faults::names;
use crate::finding::{Fault, Stage, Weight};
use crate::net::mail::Endpoint;
use crate::read::Setting;
use crate::report::{FoundBy, Outcome, Verdict};
use mailsetup::account::Security;
use mailsetup::clients::{Client, Order, Rule};

/// What is odd about a document, and still lets the client use it, but not log in.
const SPOILS_LOGIN: [&str; 1] = ["doc-username"];
/// What is odd about a document so that the user has to correct it.
const SPOILS_SETTINGS: [&str; 5] =
    ["pox-login", "pox-spa", "pox-ssl-off", "pox-encryption", "doc-plain"];
/// What is odd about a document so that the servers do not fit it: their faults are its own.
const SPOILS_SERVERS: [&str; 5] =
    ["pox-ssl-off", "pox-encryption", "doc-plain", "doc-security", "doc-white-space"];

/// A client that was played.
#[derive(Debug)]
pub struct Played {
    /// What becomes of it.
    pub verdict: Verdict,
    /// What kept it from a way to its settings, or from using them; the cause is among them.
    pub hits: Vec<Fault>,
    /// All settings that it found, also those that it would not use.
    pub found: Vec<Setting>,
}

/// Judges the attempts.
pub fn judge(client: &'static Client, attempts: Vec<Attempt>, facts: &Facts) -> Played {
    let found = attempts.iter().flat_map(all).cloned().collect();
    let is_exchange = client.has(Rule::WantsExchange);
    let used = choose(client, &attempts, is_exchange);
    let before = used.unwrap_or(attempts.len());
    let end = attempts.iter().position(|attempt| attempt.is_end);
    let before = end.map_or(before, |end| before.min(end + 1));
    let mut hits: Vec<Fault> = attempts[..before]
        .iter()
        .filter_map(|attempt| attempt.result.as_ref().err().cloned())
        .collect();
    if client.order == Order::All {
        let faults = attempts[before..].iter().filter_map(|attempt| attempt.result.as_ref().err());
        hits.extend(faults.filter(|fault| weight(fault.code) == Weight::Fault).cloned());
    }
    if client.order == Order::AtOnce {
        hits.extend(of_parallel(client, &attempts[before..]));
    }
    if is_exchange {
        // Whether there is an Exchange server is not for a web server to say that has a fault.
        hits.retain(|fault| fault.code == "activesync-absent");
    }
    let mut verdict = Verdict {
        client: client.name,
        version: client.seen,
        outcome: Outcome::Fails,
        found_by: FoundBy::None,
        cause: None,
        settings: Vec::new(),
        note: String::new(),
    };
    let Some(used) = used.map(|at| &attempts[at]) else {
        let cause = first_cause(&hits).cloned().unwrap_or_else(|| nothing(client, facts));
        verdict.cause = Some((cause.code, cause.subject.clone()));
        verdict.note = note_of_absence(client, &cause);
        if !hits.contains(&cause) {
            hits.push(cause);
        }
        return Played { verdict, hits, found };
    };
    verdict.found_by = used.way;
    verdict.outcome = Outcome::Works;
    if let Ok(Got::Servers { choice, all, odd }) = &used.result {
        verdict.settings = choice.clone();
        let mut cause = spoilt(odd, choice, client).map(|(outcome, fault, note)| {
            verdict.outcome = outcome;
            verdict.note = note;
            fault
        });
        hits.extend(odd.iter().cloned());
        let before = hits.len();
        if let Some(fault) = servers(client, choice, all, facts, &mut verdict, &mut hits) {
            verdict.outcome = Outcome::Fails;
            verdict.note.clear();
            let source = odd.iter().find(|odd| SPOILS_SERVERS.contains(&odd.code));
            if source.is_some() {
                hits.truncate(before);
            }
            cause = Some(source.unwrap_or(&fault).clone());
        }
        if verdict.outcome == Outcome::Works {
            cause = asks(client, used, &attempts, &hits, facts, &mut verdict);
        }
        if let Some(fault) = cause {
            verdict.cause = Some((fault.code, fault.subject.clone()));
            if !hits.contains(&fault) {
                hits.push(fault);
            }
        }
    }
    if verdict.outcome != Outcome::Fails && verdict.note.is_empty() {
        verdict.note = known(client).to_owned();
    }
    Played { verdict, hits, found }
}

/// What a client meets beside the attempt that it uses, because it makes all at once: documents that it
/// would use if that one failed, and servers that it waits for.
fn of_parallel(client: &Client, attempts: &[Attempt]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for attempt in attempts {
        match &attempt.result {
            Err(fault) if codes::stage(fault.code) == Stage::Document => faults.push(fault.clone()),
            Err(fault) if fault.code.ends_with("-timeout") && client.has(Rule::FirstResponse) => {
                // It goes on only when both autoconfig and Autodiscover have ended.
                faults.push(fault.clone());
            }
            Ok(Got::Servers { odd, .. }) => faults.extend(odd.iter().cloned()),
            _ => {}
        }
    }
    faults
}

fn all(attempt: &Attempt) -> &[Setting] {
    match &attempt.result {
        Ok(Got::Servers { all, .. }) => all,
        _ => &[],
    }
}

/// The attempt that the client uses.
fn choose(client: &Client, attempts: &[Attempt], is_exchange: bool) -> Option<usize> {
    let is_good = |attempt: &Attempt| match &attempt.result {
        Ok(Got::Servers { .. }) => !is_exchange,
        Ok(Got::Exchange(_)) => {
            is_exchange || client.name.contains("Outlook") || client.name == "AutoDetect"
        }
        Err(_) => false,
    };
    if client.has(Rule::FirstResponse) {
        // Of the responses of autoconfig, the first one decides.
        let autoconfig =
            || attempts.iter().enumerate().filter(|(_, one)| one.way == FoundBy::Autoconfig);
        let first = autoconfig().find(|(_, attempt)| attempt.is_answered).map(|(at, _)| at);
        if let Some(at) = first.filter(|at| is_good(&attempts[*at])) {
            return Some(at);
        }
        let is_other = |attempt: &Attempt| attempt.way != FoundBy::Autoconfig;
        return attempts.iter().position(|attempt| is_other(attempt) && is_good(attempt));
    }
    let end = attempts.iter().position(|attempt| attempt.is_end);
    let used = attempts.iter().position(is_good)?;
    let is_in_turn = client.order == Order::InTurn;
    Some(used).filter(|used| !(is_in_turn && end.is_some_and(|end| end < *used)))
}

/// The first cause: what is wrong before what is absent.
fn first_cause(hits: &[Fault]) -> Option<&Fault> {
    let rank = |fault: &Fault| match weight(fault.code) {
        Weight::Fault => 0,
        Weight::Risk => 1,
        Weight::Absence => 2,
        Weight::Choice => 3,
        Weight::Note => 4,
    };
    hits.iter().min_by_key(|fault| rank(fault))
}

/// A client that asks nothing that could be answered.
fn nothing(client: &Client, facts: &Facts) -> Fault {
    if client.has(Rule::WantsExchange) {
        let message = "no Exchange or ActiveSync server is published";
        return Fault::new("activesync-absent", facts.domain(), message);
    }
    let message = format!("{} does not find the domain by any of its steps", client.name);
    Fault::new("srv-absent", facts.domain(), message)
}

/// What is wrong with the chosen document in itself.
fn spoilt(odd: &[Fault], choice: &[Setting], client: &Client) -> Option<(Outcome, Fault, String)> {
    if let Some(fault) = odd.iter().find(|fault| SPOILS_LOGIN.contains(&fault.code)) {
        return Some((Outcome::Fails, fault.clone(), String::new()));
    }
    if let Some(fault) = odd.iter().find(|fault| SPOILS_SETTINGS.contains(&fault.code)) {
        let note = "the user has to correct the settings by hand".to_owned();
        return Some((Outcome::Asks, fault.clone(), note));
    }
    let plain = choice.iter().find(|setting| setting.security == Security::Plain)?;
    let place = format!("{}:{}", plain.host, plain.port);
    let message = format!("{} sends the password without TLS", client.name);
    let fault =
        Fault::new("plain-chosen", place, message).mend("Offer TLS, and announce it alone.");
    Some((Outcome::Asks, fault, "the user has to accept a connection without TLS".to_owned()))
}

/// Why the servers do not let the client in.
fn servers(
    client: &Client,
    choice: &[Setting],
    all: &[Setting],
    facts: &Facts,
    verdict: &mut Verdict,
    hits: &mut Vec<Fault>,
) -> Option<Fault> {
    let mut cause = None;
    let mut settings = Vec::new();
    for setting in choice {
        let mut candidates = vec![setting];
        if client.has(Rule::EveryServer) {
            candidates.extend(
                all.iter().filter(|other| other.protocol == setting.protocol && *other != setting),
            );
        }
        let mut first = None;
        let mut usable = None;
        for candidate in candidates {
            match why_not(candidate, facts) {
                None => {
                    usable = Some(candidate);
                    break;
                }
                Some(fault) => {
                    hits.push(fault.clone());
                    first.get_or_insert(fault);
                }
            }
        }
        settings.push(usable.unwrap_or(setting).clone());
        if usable.is_none() {
            cause = cause.or(first);
        }
        if let Some(server) = facts.server(&endpoint(usable.unwrap_or(setting))) {
            hits.extend(mail::dead_addresses(server));
            hits.extend(mail::risks(server));
        }
    }
    verdict.settings = settings;
    cause
}

/// Why a client cannot use a server.
fn why_not(setting: &Setting, facts: &Facts) -> Option<Fault> {
    let server = facts.server(&endpoint(setting))?;
    mail::unusable(server).or_else(|| mail::login(server, &setting.methods))
}

/// The server of a setting.
pub fn endpoint(setting: &Setting) -> Endpoint {
    Endpoint {
        protocol: setting.protocol,
        host: setting.host.clone(),
        port: setting.port,
        security: setting.security,
    }
}

/// What the user is asked, though all is right.
fn asks(
    client: &Client,
    used: &Attempt,
    attempts: &[Attempt],
    hits: &[Fault],
    facts: &Facts,
    verdict: &mut Verdict,
) -> Option<Fault> {
    if used.is_over_http && client.has(Rule::DistrustsHttp) {
        verdict.outcome = Outcome::Asks;
        verdict.note = "the user has to confirm settings that came without TLS".to_owned();
        let message = "the settings come over http";
        return Some(
            first_cause(hits)
                .cloned()
                .unwrap_or_else(|| Fault::new("http-only", used.subject.clone(), message)),
        );
    }
    let foreign = names::foreign_autodiscover(facts);
    let is_autodiscover = |attempt: &Attempt| attempt.way == FoundBy::Autodiscover;
    let is_played_by_it = client.has(Rule::SendsPassword) && client.has(Rule::FirstResponse);
    let no_own = !attempts.iter().any(|attempt| is_autodiscover(attempt) && attempt.is_answered);
    if let Some(fault) = foreign.filter(|_| (is_played_by_it && no_own) || used.is_foreign) {
        verdict.outcome = Outcome::Asks;
        verdict.note = "the user has to confirm a server in another domain".to_owned();
        return Some(fault);
    }
    if client.name == "SRV clients" {
        if let Some(fault) = names::foreign_srv(facts, &verdict.settings) {
            verdict.outcome = Outcome::Asks;
            verdict.note = "the user has to confirm servers in another domain".to_owned();
            return Some(fault);
        }
    }
    None
}

/// Why a failure may not matter.
fn note_of_absence(client: &Client, cause: &Fault) -> String {
    let is_choice = codes::weight(cause.code) == Weight::Choice;
    match cause.code {
        _ if !is_choice => String::new(),
        "activesync-absent" if client.has(Rule::WantsExchange) => {
            "does not matter unless you offer Exchange or ActiveSync".to_owned()
        }
        "activesync-absent" => "asks Microsoft's service, which decides by itself".to_owned(),
        "profile-absent" => "needs a link to a profile, which you give to your users".to_owned(),
        "pacc-absent" => "few clients read PACC yet".to_owned(),
        _ => String::new(),
    }
}

/// What is known of a client that cannot be run.
fn known(client: &Client) -> &'static str {
    match client.name {
        "AutoDetect" => "as far as is known: Microsoft's service keeps its own list of providers",
        "Outlook 2016" => {
            "in the dialog that reads these settings; the newer one often ignores them"
        }
        "Apple Mail" => "by the link to the profile",
        _ => "",
    }
}
