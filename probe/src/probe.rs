//! The whole way: from the options to the report.

use crate::cli::{Family, Options, Target as Wanted};
use crate::facts::{Facts, Target};
use crate::faults::documents;
use crate::judge;
use crate::look::Look;
use crate::net::dns::{Answer, Families, Outcome, Resolver};
use crate::net::http::{self, Client as Web};
use crate::net::mail::{self, Credentials};
use crate::net::tls::Trust;
use crate::plan;
use crate::play;
use crate::progress::Progress;
use crate::report::{Published, Report, Seen};
use mailsetup::account::Protocol;
use mailsetup::clients::{self, Client};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What is kept of the time for the report itself, and for connections that are being closed.
const RESERVE: Duration = Duration::from_millis(500);

/// Why a domain could not be looked at.
#[derive(Debug)]
pub struct CouldNot(String);

impl fmt::Display for CouldNot {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Looks at a domain, and judges what was seen.
pub fn run(options: &mut Options, progress: &Progress) -> Result<Report, CouldNot> {
    let target = match &options.target {
        Wanted::Address(address) => Target { address: address.clone(), is_made_up: false },
        Wanted::Domain(domain) => {
            let address = plan::made_up(domain);
            let address =
                address.ok_or_else(|| CouldNot(format!("{domain}: the name is too long")))?;
            Target { address, is_made_up: true }
        }
    };
    let trust = |ca| Trust::new(ca).map_err(|err| CouldNot(err.to_string()));
    let ca = options.ca.as_deref();
    let resolver = match options.dns.is_empty() {
        true => Resolver::from_system(options.resolve.clone()),
        false => Resolver::new(options.dns.clone(), options.resolve.clone()),
    };
    let servers = resolver.servers().to_vec();
    let resolver = Arc::new(resolver);
    let families =
        Families { v4: options.family != Some(Family::V6), v6: options.family != Some(Family::V4) };
    let begin = Instant::now();
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let at = i64::try_from(at).unwrap_or_default();
    let deadline = tokio::time::Instant::from_std(begin + options.timeout.saturating_sub(RESERVE));
    resolver.set_deadline(deadline);
    let limits = http::Limits { deadline: Some(deadline), ..http::Limits::default() };
    let look = Look {
        web: Web::new(Arc::clone(&resolver), trust(ca)?, families, limits),
        resolver,
        families,
        mail: mail::Context {
            trust: trust(ca)?,
            domain: target.address.domain().to_string(),
            deadline: Some(deadline),
            limits: mail::Limits::default(),
            credentials: options.password.take().map(|password| Credentials { password }),
        },
        trust: trust(ca)?,
    };
    let clients: Vec<&'static Client> = clients::all()
        .filter(|client| options.clients.is_empty() || options.clients.contains(&client.name))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|err| CouldNot(format!("the runtime cannot be started: {err}")))?;
    let mut facts = Facts::new(target);
    runtime.block_on(look.at(&mut facts, &clients, progress));
    let is_silent = |answer: &Answer| matches!(answer.outcome, Outcome::TimedOut);
    if facts.answers.iter().all(is_silent) {
        let asked: Vec<_> = servers.iter().map(ToString::to_string).collect();
        let asked = asked.join(", ");
        return Err(CouldNot(format!(
            "no DNS server answers (asked: {asked}); --dns names another one"
        )));
    }
    let is_refused = |answer: &Answer| match &answer.outcome {
        Outcome::Failed(code) => code == "REFUSED",
        _ => false,
    };
    if facts.answers.iter().all(is_refused) {
        let message = "the DNS server refuses to answer this computer; --dns names another one";
        return Err(CouldNot(message.to_owned()));
    }
    let played: Vec<_> = clients.iter().map(|client| play::play(client, &facts)).collect();
    let findings = judge::judge(&facts, &played);
    let published = published(&facts);
    Ok(Report {
        address: facts.target.address.to_string(),
        is_made_up: facts.target.is_made_up,
        domain: facts.domain().to_owned(),
        clients: played.into_iter().map(|one| one.verdict).collect(),
        findings,
        servers: facts.servers,
        dns: facts.answers,
        requests: look.web.requests(),
        at,
        took: begin.elapsed(),
        left_out: facts.left_out,
        published,
    })
}

/// One choice of what is published, the source that most clients read first.
fn published(facts: &Facts) -> Option<Published> {
    let sources = documents::sources(facts);
    let mut servers: Vec<Seen<crate::read::Setting>> = Vec::new();
    for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve] {
        let has = |source: &&documents::Source| {
            source.settings.iter().any(|setting| setting.protocol == protocol)
        };
        let Some(source) = sources.iter().find(has) else { continue };
        let of = source.settings.iter().filter(|setting| setting.protocol == protocol);
        servers
            .extend(of.map(|setting| Seen { value: setting.clone(), at: source.subject.clone() }));
    }
    let name = sources
        .iter()
        .find_map(|source| Some(Seen { value: source.name.clone()?, at: source.subject.clone() }));
    (!servers.is_empty()).then_some(Published { name, servers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::key;
    use crate::net::http::{Exchange, Hop, Outcome as Came, Response};
    use mailsetup::address::EmailAddress;

    const AUTOCONFIG: &str = "https://autoconfig.example.org/mail/config-v1.1.xml";
    const PACC: &str =
        "https://ua-auto-config.example.org/.well-known/user-agent-configuration.json";

    fn autoconfig(name: &str) -> String {
        let rest =
            "<port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username>";
        format!(
            "<clientConfig version='1.1'><emailProvider id='example.org'>\
             <displayName>{name}</displayName>\
             <incomingServer type='imap'><hostname>a.example.org</hostname>{rest}</incomingServer>\
             <outgoingServer type='smtp'><hostname>a.example.org</hostname>{rest}</outgoingServer>\
             </emailProvider></clientConfig>"
        )
    }

    fn pacc(name: &str) -> String {
        format!(
            r#"{{"protocols":{{"imap":{{"host":"a.example.org"}},"submit":{{"host":"a.example.org"}}}},
                "authentication":{{"password":true}},"info":{{"provider":{{"name":"{name}"}}}}}}"#
        )
    }

    /// The name that is found in documents at these URLs.
    fn name(documents: &[(&str, String)]) -> Option<(String, String)> {
        let address = EmailAddress::parse(b"ann@example.org").unwrap();
        let mut facts = Facts::new(Target { address, is_made_up: false });
        for (url, document) in documents {
            let sent = plan::plain((*url).to_owned());
            let body = document.clone().into_bytes();
            let response = Response { status: 200, fields: Vec::new(), body, is_cut: false };
            let hop = Hop {
                method: "GET",
                url: sent.url.clone(),
                address: None,
                dead: Vec::new(),
                session: None,
                outcome: Came::Response(response),
                took: Duration::ZERO,
            };
            facts.exchanges.insert(key(&sent), Exchange { sent, hops: vec![hop] });
        }
        let published = published(&facts).expect("servers");
        published.name.map(|seen| (seen.value, seen.at))
    }

    #[test]
    fn the_provider_has_the_name_of_the_first_document_with_one() {
        let both = [(PACC, pacc("P")), (AUTOCONFIG, autoconfig(" Example\n  Mail "))];
        assert_eq!(name(&both), Some(("Example Mail".to_owned(), AUTOCONFIG.to_owned())));
        let without = [(PACC, pacc("P")), (AUTOCONFIG, autoconfig(""))];
        assert_eq!(name(&without), Some(("P".to_owned(), PACC.to_owned())));
        assert_eq!(name(&without[1..]), None);
    }

    #[test]
    fn a_name_is_visible_and_short() {
        let only = |text: &str| name(&[(AUTOCONFIG, autoconfig(text))]).map(|(name, _)| name);
        assert_eq!(only(&"ä".repeat(61)), Some("ä".repeat(60)));
        assert_eq!(only("a\u{202e}b"), None);
        assert_eq!(only("%EMAILDOMAIN%"), None);
    }
}
