//! The report as JSON. The keys are stable: more may be added. contrib/mailsetup-probe.schema.json
//! describes them; a test holds both together.

use super::{Report, Verdict, words};
use crate::finding::Finding;
use crate::net::dns::{Answer, Outcome as DnsOutcome};
use crate::net::mail::{Outcome, Server, Spoken};
use crate::net::tls::Session;
use crate::read::Setting;
use mailsetup::account::Security;
use mailsetup::clients::slug;
use mailsetup::visible::visible_json;
use serde::Serialize;
use std::net::IpAddr;

/// The report as JSON, with a final line end. Characters that a terminal would interpret are escaped.
pub fn write(report: &Report) -> String {
    // Structures of text and numbers are always written.
    let json = serde_json::to_string_pretty(&Json::of(report)).unwrap_or_default();
    visible_json(&json) + "\n"
}

#[derive(Serialize)]
struct Json<'a> {
    address: &'a str,
    /// True if only the domain was given.
    made_up: bool,
    domain: &'a str,
    clients: Vec<JsonClient<'a>>,
    findings: Vec<JsonFinding<'a>>,
    servers: Vec<JsonServer<'a>>,
    dns: Vec<JsonAnswer<'a>>,
    requests: usize,
    seconds: f64,
    left_out: &'a [String],
}

#[derive(Serialize)]
struct JsonClient<'a> {
    client: String,
    version: &'static str,
    verdict: &'static str,
    found_by: &'static str,
    cause: Option<&'static str>,
    cause_subject: Option<&'a str>,
    settings: Vec<JsonSetting<'a>>,
    note: &'a str,
}

#[derive(Serialize)]
struct JsonSetting<'a> {
    protocol: String,
    host: &'a str,
    port: u16,
    security: &'static str,
    auth: &'a [String],
    login: &'a str,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    id: &'static str,
    level: &'static str,
    subject: &'a str,
    message: &'a str,
    evidence: &'a str,
    mend: &'a str,
    clients: Vec<String>,
}

#[derive(Serialize)]
struct JsonServer<'a> {
    protocol: String,
    host: &'a str,
    port: u16,
    security: &'static str,
    addresses: Vec<JsonDialogue<'a>>,
}

#[derive(Serialize)]
struct JsonDialogue<'a> {
    address: IpAddr,
    outcome: &'static str,
    detail: String,
    tls: Option<JsonSession<'a>>,
    said: Option<JsonSpoken<'a>>,
}

#[derive(Serialize)]
struct JsonSession<'a> {
    protocol: &'a str,
    names: &'a [String],
    subject: &'a str,
    issuer: &'a str,
    not_before: i64,
    not_after: i64,
    key: &'a str,
}

#[derive(Serialize)]
struct JsonSpoken<'a> {
    greeting: &'a str,
    capabilities: &'a [String],
    mechanisms: &'a [String],
    mechanisms_before_tls: &'a [String],
    starttls: bool,
    open: bool,
    login: Option<bool>,
}

#[derive(Serialize)]
struct JsonAnswer<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: String,
    aliases: &'a [String],
    outcome: &'static str,
    detail: &'a str,
    records: Vec<String>,
}

impl<'a> Json<'a> {
    fn of(report: &'a Report) -> Json<'a> {
        Json {
            address: &report.address,
            made_up: report.is_made_up,
            domain: &report.domain,
            clients: report.clients.iter().map(client).collect(),
            findings: report.findings.iter().map(finding).collect(),
            servers: report.servers.iter().map(server).collect(),
            dns: report.dns.iter().map(answer).collect(),
            requests: report.requests,
            // Milliseconds are enough.
            seconds: (report.took.as_secs_f64() * 1000.0).round() / 1000.0,
            left_out: &report.left_out,
        }
    }
}

fn client(verdict: &Verdict) -> JsonClient<'_> {
    let cause = verdict.cause.as_ref();
    JsonClient {
        client: slug(verdict.client),
        version: verdict.version,
        verdict: verdict.outcome.word(),
        found_by: verdict.found_by.word(),
        cause: cause.map(|(code, _)| *code),
        cause_subject: cause.map(|(_, subject)| subject.as_str()),
        settings: verdict.settings.iter().map(setting).collect(),
        note: &verdict.note,
    }
}

fn setting(setting: &Setting) -> JsonSetting<'_> {
    JsonSetting {
        protocol: setting.protocol.to_string(),
        host: &setting.host,
        port: setting.port,
        security: security(setting.security),
        auth: &setting.methods,
        login: &setting.login,
    }
}

fn finding(finding: &Finding) -> JsonFinding<'_> {
    JsonFinding {
        id: finding.code,
        level: words::level(finding.level),
        subject: &finding.subject,
        message: &finding.message,
        evidence: &finding.evidence,
        mend: &finding.remedy,
        clients: finding.clients.iter().map(|name| slug(name)).collect(),
    }
}

fn server(server: &Server) -> JsonServer<'_> {
    let endpoint = &server.endpoint;
    JsonServer {
        protocol: endpoint.protocol.to_string(),
        host: &endpoint.host,
        port: endpoint.port,
        security: security(endpoint.security),
        addresses: server.dialogues.iter().map(|(ip, outcome)| dialogue(*ip, outcome)).collect(),
    }
}

fn dialogue(address: IpAddr, outcome: &Outcome) -> JsonDialogue<'_> {
    let (word, detail, session, spoken) = match outcome {
        Outcome::Spoke(spoken) => {
            let refused = spoken.login.as_ref().and_then(|login| login.as_ref().err());
            let detail = refused.cloned().unwrap_or_default();
            ("spoke", detail, spoken.session.as_ref(), Some(spoken))
        }
        Outcome::Unreachable(reason) => ("unreachable", reason.clone(), None, None),
        Outcome::TimedOut => ("timeout", String::new(), None, None),
        Outcome::Tls(refused) => {
            let detail = match refused.detail.is_empty() {
                true => refused.reason.to_string(),
                false => format!("{}: {}", refused.reason, refused.detail),
            };
            ("tls", detail, refused.seen.as_ref(), None)
        }
        Outcome::NoStartTls(said) => ("no-starttls", said.clone(), None, None),
        Outcome::Unfit(said) => ("unfit", said.clone(), None, None),
        Outcome::NotAsked(reason) => ("not-asked", (*reason).to_owned(), None, None),
    };
    JsonDialogue {
        address,
        outcome: word,
        detail,
        tls: session.map(self::session),
        said: spoken.map(self::spoken),
    }
}

fn session(session: &Session) -> JsonSession<'_> {
    let certificate = &session.certificate;
    JsonSession {
        protocol: &session.protocol,
        names: &certificate.names,
        subject: &certificate.subject,
        issuer: &certificate.issuer,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        key: &certificate.key,
    }
}

fn spoken(spoken: &Spoken) -> JsonSpoken<'_> {
    JsonSpoken {
        greeting: &spoken.greeting,
        capabilities: &spoken.capabilities,
        mechanisms: &spoken.mechanisms,
        mechanisms_before_tls: &spoken.mechanisms_before_tls,
        starttls: spoken.offers_starttls,
        open: spoken.is_open,
        login: spoken.login.as_ref().map(Result::is_ok),
    }
}

fn answer(answer: &Answer) -> JsonAnswer<'_> {
    let (outcome, detail) = match &answer.outcome {
        DnsOutcome::Records(_) => ("records", ""),
        DnsOutcome::NoData => ("nodata", ""),
        DnsOutcome::NoName => ("nxdomain", ""),
        DnsOutcome::Failed(code) => ("failed", code.as_str()),
        DnsOutcome::TimedOut => ("timeout", ""),
        DnsOutcome::Unreadable(reason) => ("unreadable", reason.as_str()),
    };
    JsonAnswer {
        name: &answer.name,
        kind: answer.kind.to_string(),
        aliases: &answer.aliases,
        outcome,
        detail,
        records: answer.records().iter().map(ToString::to_string).collect(),
    }
}

/// The word of the configuration.
fn security(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::Plain => "none",
    }
}
