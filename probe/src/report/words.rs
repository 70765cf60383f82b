//! Sentences and parts of sentences that text and HTML share.

use super::{Outcome, Report, Verdict};
use crate::calendar::date;
use crate::codes;
use crate::finding::{Finding, Weight};
use crate::net::mail;
use crate::read::Setting;
use mailsetup::account::{Protocol, Security};
use mailsetup::finding::Level;

/// The heading of clients that fail only because the domain does not offer what they look for.
pub const BY_CHOICE: &str = "looks for what is not offered";
/// The sections of clients in the order of the report: outcome, whether what they look for is left out by
/// choice, heading.
const SECTIONS: [(Outcome, bool, &str); 4] = [
    (Outcome::Works, false, "works"),
    (Outcome::Asks, false, "works, but asks"),
    (Outcome::Fails, false, "fails"),
    (Outcome::Fails, true, BY_CHOICE),
];

/// True for a client that fails only because the domain does not offer what it looks for.
fn is_by_choice(verdict: &Verdict) -> bool {
    let is_choice = |code| codes::weight(code) == Weight::Choice;
    verdict.outcome == Outcome::Fails
        && verdict.cause.as_ref().is_some_and(|(code, _)| is_choice(code))
}

/// The verdict in one sentence: `18 of 24 clients set themselves up.`
pub fn verdict(report: &Report) -> String {
    let count = |outcome| report.clients.iter().filter(|it| it.outcome == outcome).count();
    let (all, works, asks) = (report.clients.len(), count(Outcome::Works), count(Outcome::Asks));
    let clients = if all == 1 { "client" } else { "clients" };
    let at_once = if asks > 0 { " at once" } else { "" };
    let text = match (works, all) {
        (_, 0) => return "no client was looked at.".to_owned(),
        (1, 1) => "the client sets itself up".to_owned(),
        (0, 1) if asks == 1 => return "the client sets itself up after a question.".to_owned(),
        (0, 1) => "the client does not set itself up".to_owned(),
        (0, _) => format!("none of {all} clients sets itself up{at_once}"),
        (works, all) if works == all => format!("all {all} clients set themselves up"),
        (1, _) => format!("1 of {all} {clients} sets itself up"),
        (_, _) => format!("{works} of {all} {clients} set themselves up"),
    };
    let text = match asks {
        0 => text,
        _ => format!("{text}, {asks} after a question"),
    };
    let fails = |verdict: &&Verdict| verdict.outcome == Outcome::Fails && !is_by_choice(verdict);
    let fails = report.clients.iter().filter(fails).count();
    let text = match (fails, works) {
        (0, _) | (_, 0) => text,
        (1, _) => format!("{text}; 1 fails"),
        (fails, _) => format!("{text}; {fails} fail"),
    };
    match report.clients.iter().filter(|verdict| is_by_choice(verdict)).count() {
        0 => format!("{text}."),
        1 if all == 1 => format!("{text}: it looks for what is not offered."),
        1 => format!("{text}; 1 looks for what is not offered."),
        count => format!("{text}; {count} look for what is not offered."),
    }
}

/// The sentence for a report without errors and warnings.
pub fn no_faults(report: &Report) -> String {
    const NONE: &str = "No errors and no warnings.";
    let fails = |verdict: &&Verdict| verdict.outcome == Outcome::Fails && !is_by_choice(verdict);
    match report.clients.iter().filter(fails).count() {
        0 => NONE.to_owned(),
        1 => format!("{NONE} 1 client fails because of what is not published: see the notes."),
        count => {
            format!("{NONE} {count} clients fail because of what is not published: see the notes.")
        }
    }
}

/// What came of each login that was made: `imap.example.org:993: accepted`
pub fn logins(report: &Report) -> impl Iterator<Item = String> {
    report.servers.iter().filter_map(|server| {
        let place = format!("{}:{}", server.endpoint.host, server.endpoint.port);
        server.dialogues.iter().find_map(|(_, outcome)| match outcome {
            mail::Outcome::Spoke(spoken) => Some(match spoken.login.as_ref()? {
                Ok(()) => format!("{place}: accepted"),
                Err(said) => format!("{place}: refused: {said}"),
            }),
            _ => None,
        })
    })
}

/// The clients that a finding hurts.
pub fn hurt(finding: &Finding, all: usize) -> String {
    match finding.clients.len() {
        count if count == all && count > 3 => format!("all {count} clients"),
        _ => finding.clients.join(", "),
    }
}

/// `2 errors, 1 warning`
pub fn counts(report: &Report) -> String {
    let count = |level, one: &str| match report.of_level(level).count() {
        1 => format!("1 {one}"),
        0 => format!("no {one}s"),
        count => format!("{count} {one}s"),
    };
    format!("{}, {}", count(Level::Error, "error"), count(Level::Warning, "warning"))
}

/// `34 requests, 2.4 s`
pub fn effort(report: &Report) -> String {
    let requests = if report.requests == 1 { "request" } else { "requests" };
    format!("{} {requests}, {:.1} s", report.requests, report.took.as_secs_f64())
}

/// `Seen on 2026-11-26 at 18:19 UTC by mailsetup-probe 0.2.0.`
pub fn seen(report: &Report) -> String {
    let minutes = report.at.rem_euclid(86_400) / 60;
    let (day, hour, minute) = (date(report.at), minutes / 60, minutes % 60);
    let version = env!("CARGO_PKG_VERSION");
    format!("Seen on {day} at {hour:02}:{minute:02} UTC by mailsetup-probe {version}.")
}

/// `error`
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// `IMAP`
pub fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => "IMAP",
        Protocol::Pop3 => "POP3",
        Protocol::Smtp => "SMTP",
        Protocol::ManageSieve => "ManageSieve",
    }
}

/// `TLS`
pub fn security(security: Security) -> &'static str {
    match security {
        Security::Tls => "TLS",
        Security::StartTls => "STARTTLS",
        Security::Plain => "no TLS",
    }
}

/// The methods in the words of people: `password`; empty if the client chooses.
pub fn methods(setting: &Setting) -> String {
    let names: Vec<_> = setting.methods.iter().map(|method| plain_method(method)).collect();
    names.join(" or ")
}

/// A method of autoconfig in the words of people; one that is not known, as it is.
fn plain_method(method: &str) -> &str {
    match method {
        "password-cleartext" => "password",
        "password-encrypted" => "CRAM-MD5",
        "none" => "no login",
        other => other,
    }
}

/// `imap  mail.example.org 993 TLS, password, login ann@example.org`
pub fn line(setting: &Setting) -> String {
    let Setting { protocol, host, port, .. } = setting;
    let mut line = format!("{protocol}  {host} {port} {}", security(setting.security));
    let methods = methods(setting);
    if !methods.is_empty() {
        line += &format!(", {methods}");
    }
    if !setting.login.is_empty() {
        line += &format!(", login {}", setting.login);
    }
    line
}

/// What is said behind the name of a client: its note, else its cause.
pub fn remark(verdict: &Verdict) -> String {
    let cause = verdict.cause.as_ref().filter(|_| verdict.outcome != Outcome::Works);
    let cause = cause.map(|(code, subject)| match is_by_choice(verdict) {
        // Where it looked does not matter.
        true => (*code).to_owned(),
        false => format!("{code}, {subject}"),
    });
    match (cause, verdict.note.is_empty()) {
        (Some(cause), true) => cause,
        (Some(cause), false) => format!("{cause}; {}", verdict.note),
        (None, _) => verdict.note.clone(),
    }
}

/// Clients with one outcome, one remark and one set of settings.
pub struct Group<'a> {
    /// Their names.
    pub clients: Vec<&'static str>,
    /// What is said about them; empty for nothing.
    pub remark: String,
    /// What they fill in.
    pub settings: &'a [Setting],
    /// The first client before them that fills in the same.
    pub same_as: Option<&'static str>,
}

/// The clients by outcome, in the order of the table; no outcome without clients.
pub fn groups(report: &Report) -> Vec<(Outcome, &'static str, Vec<Group<'_>>)> {
    let mut seen: Vec<(&[Setting], &'static str)> = Vec::new();
    let mut outcomes = Vec::new();
    for (outcome, by_choice, heading) in SECTIONS {
        let mut groups: Vec<Group> = Vec::new();
        let is_meant =
            |verdict: &&Verdict| verdict.outcome == outcome && is_by_choice(verdict) == by_choice;
        for verdict in report.clients.iter().filter(is_meant) {
            let remark = remark(verdict);
            let same =
                |group: &&mut Group| group.settings == verdict.settings && group.remark == remark;
            match groups.iter_mut().find(same) {
                Some(group) => group.clients.push(verdict.client),
                None => groups.push(Group {
                    clients: vec![verdict.client],
                    remark,
                    settings: &verdict.settings,
                    same_as: None,
                }),
            }
        }
        for group in groups.iter_mut().filter(|group| !group.settings.is_empty()) {
            let known = seen.iter().find(|(settings, _)| *settings == group.settings);
            group.same_as = known.map(|(_, client)| *client);
            if let (None, Some(client)) = (known, group.clients.first()) {
                seen.push((group.settings, client));
            }
        }
        if !groups.is_empty() {
            outcomes.push((outcome, heading, groups));
        }
    }
    outcomes
}

/// A piece of a remedy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remedy<'a> {
    /// A sentence.
    Sentence(&'a str),
    /// Lines to paste.
    Lines(Vec<&'a str>),
}

/// The remedy of a finding in its pieces.
pub fn remedy(finding: &Finding) -> Vec<Remedy<'_>> {
    let mut pieces = Vec::new();
    for line in finding.remedy.trim_matches('\n').lines() {
        let is_sentence = line.starts_with(char::is_uppercase) && line.ends_with(['.', ':']);
        match (is_sentence, pieces.last_mut()) {
            (true, _) => pieces.push(Remedy::Sentence(line)),
            (false, Some(Remedy::Lines(lines))) => lines.push(line),
            (false, _) => pieces.push(Remedy::Lines(vec![line])),
        }
    }
    pieces
}
