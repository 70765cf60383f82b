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
use std::time::{Duration, Instant};

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
    let resolver = Arc::new(resolver);
    let families =
        Families { v4: options.family != Some(Family::V6), v6: options.family != Some(Family::V4) };
    let begin = Instant::now();
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
        return Err(CouldNot("no DNS server answers; --dns names another one".to_owned()));
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
    (!servers.is_empty()).then_some(Published { name: None, servers })
}
