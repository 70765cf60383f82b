//! Looks at a domain: asks what the clients ask, and what is under it.
//!
//! In the order in which a client comes to it: names, web servers, mail servers. Each part runs in
//! parallel, within the limits of `net`. Judges nothing, but reads documents to find the servers that
//! they name.

use crate::facts::{Facts, key};
use crate::faults::mail::OWN;
use crate::faults::{documents, web};
use crate::login::Trusted;
use crate::net::dns::{Families, Kind, Record, Resolver};
use crate::net::http::{Client as Web, Exchange, Sent};
use crate::net::mail::{self, Endpoint};
use crate::net::tls::Trust;
use crate::plan::{self, OWN_AGENT};
use crate::play::{self, verdict};
use crate::progress::Progress;
use crate::read::{Body, Reader, autodiscover, profile};
use mailsetup::account::Security;
use mailsetup::clients::{Ask, Client, DATABASE, Host, Step, What};
use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// The longest time of one exchange: more than the patience of nearly all clients.
const EXCHANGE: Duration = Duration::from_secs(12);
/// Redirects of Autodiscover that are followed.
const ROUNDS: usize = 3;
/// Mail servers that are looked at.
const MAX_SERVERS: usize = 24;
/// The labels of SRV records.
const SERVICES: [&str; 8] = [
    "_imaps",
    "_imap",
    "_pop3s",
    "_pop3",
    "_submissions",
    "_submission",
    "_sieve",
    "_autodiscover",
];

/// What is needed to ask.
pub struct Look {
    /// DNS.
    pub resolver: Arc<Resolver>,
    /// HTTP.
    pub web: Web,
    /// The families of addresses.
    pub families: Families,
    /// The mail dialogues.
    pub mail: mail::Context,
    /// The authorities that are believed, for signatures.
    pub trust: Trust,
}

impl Look {
    /// Looks at all of it, for the given clients.
    pub async fn at(&self, facts: &mut Facts, clients: &[&'static Client], progress: &Progress) {
        progress.say("asking DNS");
        self.names(facts).await;
        progress.say("asking web servers");
        let sent = requests(facts, clients);
        self.exchange_all(facts, sent).await;
        for _ in 0..ROUNDS {
            let sent = redirects(facts, clients);
            if sent.is_empty() {
                break;
            }
            self.exchange_all(facts, sent).await;
        }
        self.more(facts, clients).await;
        self.profiles(facts);
        progress.say("asking mail servers");
        self.servers(facts, clients).await;
        facts.answers = self.resolver.asked();
    }

    /// Names of the domain.
    async fn names(&self, facts: &mut Facts) {
        let domain = facts.domain().to_owned();
        let random = format!("mailsetup-probe-{:x}.{domain}", seed());
        let mut questions = vec![
            (domain.clone(), Kind::Mx),
            (format!("_ua-auto-config.{domain}"), Kind::Txt),
            (random.clone(), Kind::A),
        ];
        questions.extend(SERVICES.map(|label| (format!("{label}._tcp.{domain}"), Kind::Srv)));
        for label in ["", "autoconfig.", "autodiscover.", "ua-auto-config."] {
            questions.push((format!("{label}{domain}"), Kind::A));
            questions.push((format!("{label}{domain}"), Kind::Aaaa));
        }
        let asked = questions.iter().map(|(name, kind)| self.resolver.ask(name, *kind));
        let answers = all(asked.collect()).await;
        let mut hosts = BTreeSet::new();
        for record in answers.iter().flat_map(|answer| answer.records()) {
            match record {
                Record::Mx { host, .. } if host != "." => hosts.insert(host.clone()),
                Record::Srv { target, .. } if target != "." => hosts.insert(target.clone()),
                _ => false,
            };
        }
        let both = hosts
            .iter()
            .take(MAX_SERVERS)
            .flat_map(|host| [Kind::A, Kind::Aaaa].map(|kind| self.resolver.ask(host, kind)));
        all(both.collect()).await;
        facts.random_name = random;
        facts.answers = self.resolver.asked();
    }

    async fn exchange_all(&self, facts: &mut Facts, sent: Vec<Sent>) {
        let made = sent.into_iter().map(|sent| self.web.exchange(sent, EXCHANGE));
        for exchange in all(made.collect()).await {
            facts.exchanges.insert(key(&exchange.sent), exchange);
        }
    }

    /// What no client asks by itself: other User-Agents, paths that do not exist, other letter case.
    async fn more(&self, facts: &mut Facts, clients: &[&'static Client]) {
        let is_good = |exchange: &&Exchange| {
            exchange.response().is_some_and(|response| response.is_success())
        };
        let is_at = |exchange: &&Exchange, begin: &str| exchange.sent.url.starts_with(begin);
        let domain = facts.domain();
        let mut agents = Vec::new();
        let mut nowhere = None;
        for host in [format!("https://autoconfig.{domain}/"), format!("https://{domain}/.well")] {
            let mut at_host = facts.exchanges.values().filter(|one| is_at(one, &host));
            let Some(good) = at_host.find(is_good) else { continue };
            let names: BTreeSet<&'static str> = clients
                .iter()
                .filter_map(|client| client.agent)
                .chain([OWN_AGENT])
                .filter(|agent| *agent != good.sent.agent)
                .collect();
            agents.extend(names.into_iter().map(|agent| Sent { agent, ..good.sent.clone() }));
            agents.push(good.sent.clone());
            let root = good.sent.url.split('/').take(3).collect::<Vec<_>>().join("/");
            nowhere = Some(plan::plain(format!("{root}/mailsetup-probe-{:x}", seed())));
            // One host is enough: the rules of a web server hold for all of its sites.
            break;
        }
        let lower = format!("https://autodiscover.{domain}{}", mailsetup::paths::AUTODISCOVER.text);
        let mut posts = facts.exchanges.values().filter(|one| one.sent.method == "POST");
        let good = posts.find(|one| one.sent.url == lower && is_good(one));
        let other = good.map(|good| Sent {
            url: good.sent.url.replace("/autodiscover/autodiscover", "/Autodiscover/Autodiscover"),
            ..good.sent.clone()
        });
        let made = agents.into_iter().map(|sent| self.web.exchange(sent, EXCHANGE));
        facts.agents = all(made.collect()).await;
        if let Some(sent) = nowhere {
            facts.nowhere = Some(self.web.exchange(sent, EXCHANGE).await);
        }
        if let Some(sent) = other {
            facts.other_case = Some(self.web.exchange(sent, EXCHANGE).await);
        }
    }

    /// The signatures of profiles.
    fn profiles(&self, facts: &mut Facts) {
        let profiles = facts.exchanges.values().filter(|exchange| {
            let path = web::url(&exchange.sent.url);
            path.ends_with(mailsetup::paths::MOBILECONFIG.text)
                || path.ends_with(mailsetup::paths::MOBILECONFIG_PLESK.text)
        });
        let read = |exchange: &Exchange| {
            let response = exchange.response().filter(|response| response.is_success())?;
            let profile = profile::signature(&response.body, &self.trust);
            Some((exchange.sent.url.clone(), (profile.content, profile.signature)))
        };
        facts.profiles = profiles.filter_map(read).collect();
    }

    /// The servers that are named anywhere.
    async fn servers(&self, facts: &mut Facts, clients: &[&'static Client]) {
        let mut endpoints: Vec<(Endpoint, String)> = Vec::new();
        let mut add = |setting: &crate::read::Setting| {
            let endpoint = verdict::endpoint(setting);
            if !endpoints.iter().any(|(known, _)| *known == endpoint) {
                endpoints.push((endpoint, setting.login.clone()));
            }
        };
        let played: Vec<_> = clients.iter().map(|client| play::play(client, facts)).collect();
        played.iter().flat_map(|one| &one.verdict.settings).for_each(&mut add);
        let sources = documents::sources(facts);
        sources.iter().flat_map(|source| &source.settings).for_each(&mut add);
        played.iter().flat_map(|one| &one.found).for_each(&mut add);
        if endpoints.len() > MAX_SERVERS {
            let count = endpoints.len() - MAX_SERVERS;
            facts.left_out.push(format!("{count} more mail servers were not looked at"));
            endpoints.truncate(MAX_SERVERS);
        }
        let address = facts.target.address.to_string();
        let trusted = Trusted::of(facts);
        let spoken = endpoints.iter().map(async |(endpoint, login)| {
            let mut addresses = self.resolver.addresses(&endpoint.host, self.families).await;
            let mut own = Vec::new();
            if !self.resolver.is_overridden(&endpoint.host) {
                (own, addresses.list) = addresses.list.into_iter().partition(is_own);
            }
            let login = if login.is_empty() { &address } else { login };
            let login = trusted.has(endpoint).then_some(&**login);
            let mut server = mail::speak(endpoint, addresses, login, &self.mail).await;
            server.dialogues.extend(own.into_iter().map(|address| (address, OWN)));
            server
        });
        facts.servers = all(spoken.collect()).await;
        if self.mail.credentials.is_some() {
            let of = |server: &mail::Server| Some((server.endpoint.clone(), no_login(server)?));
            facts.without_login = facts.servers.iter().filter_map(of).collect();
        }
    }
}

/// Why a server that spoke was not sent the password.
fn no_login(server: &mail::Server) -> Option<&'static str> {
    let spoken = server.dialogues.iter().find_map(|(_, outcome)| match outcome {
        mail::Outcome::Spoke(spoken) => Some(spoken),
        _ => None,
    })?;
    match (&spoken.login, server.endpoint.security) {
        (Some(_), _) => None,
        (None, Security::Plain) => Some("the connection has no TLS"),
        (None, _) => Some("nothing that came from the domain over https names this server"),
    }
}

/// The requests of all clients, each once.
fn requests(facts: &Facts, clients: &[&'static Client]) -> Vec<Sent> {
    let mut requests: Vec<Sent> = Vec::new();
    let mut add = |sent: Sent| {
        if !requests.iter().any(|known| key(known) == key(&sent)) {
            requests.push(sent);
        }
    };
    for client in clients {
        for step in client.steps {
            match step {
                Step::Ask(ask) => {
                    plan::requests(ask, client, facts).into_iter().for_each(&mut add);
                }
                step if *step == DATABASE => add(plan::database(client, facts.domain())),
                Step::Srv(_) | Step::Elsewhere(_) => {}
            }
        }
    }
    requests
}

/// The requests that redirects of Autodiscover lead to, and that were not made yet.
fn redirects(facts: &Facts, clients: &[&'static Client]) -> Vec<Sent> {
    let mut requests: Vec<Sent> = Vec::new();
    for client in clients {
        let reader = Reader { client, address: &facts.target.address };
        for step in client.steps {
            let Step::Ask(ask @ Ask { what: What::Pox(_) | What::PoxGet, .. }) = step else {
                continue;
            };
            // The host is that of any redirect before.
            let known = facts.exchanges.values().filter(|exchange| {
                exchange.sent.method == ask.method()
                    && exchange.sent.url.to_ascii_lowercase().contains("autodiscover")
                    && ask.host != Host::Pacc
            });
            for exchange in known {
                let Some(response) = exchange.response().filter(|one| one.is_success()) else {
                    continue;
                };
                let Ok(read) = autodiscover::read(&Body::of(response), &reader) else { continue };
                let next = play::redirected(&read, ask, client, &exchange.sent);
                let next = next.filter(|sent| {
                    facts.exchange(sent).is_none()
                        && !requests.iter().any(|known| key(known) == key(sent))
                });
                requests.extend(next);
            }
        }
    }
    requests
}

/// True for addresses of the computer itself, and of the cable that it is on (RFC 1122, RFC 3927).
fn is_own(address: &IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_link_local() || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unicast_link_local() || address.is_unspecified()
        }
    }
}

/// A number for names that nobody has.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Waits for all, and returns their results in order.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
    let mut done: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut is_ready = true;
        for (slot, result) in pending.iter_mut().zip(&mut done) {
            let Some(future) = slot else { continue };
            match Pin::as_mut(future).poll(context) {
                Poll::Ready(output) => {
                    *result = Some(output);
                    *slot = None;
                }
                Poll::Pending => is_ready = false,
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
