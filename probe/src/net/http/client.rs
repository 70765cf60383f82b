//! Makes requests within limits: of time, of requests, of connections to one host.

use super::dial::{Dead, Dial, is_of_this_computer, summary};
use super::exchange::{Exchange, Hop, MAX_REDIRECTS, Outcome, Response, Sent};
use super::reach::{is_public, is_web_port};
use super::url::parse_url;
use super::wire::{self, Message};
use crate::net::dns::{Families, Resolver};
use crate::net::tls::Trust;
use mailsetup::visible::visible;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout_at};

/// A server that has had this time and did not respond is late, also if the time of the program is up.
const FAIR: Duration = Duration::from_secs(3);

/// How long an untrusted server is described.
const DESCRIBE: Duration = Duration::from_secs(3);
/// Longest text of a redirect that cannot be followed, in characters.
const MAX_SHOWN: usize = 200;

/// What is not exceeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Requests in all, each redirect being one.
    pub requests: usize,
    /// Requests to the hosts of one domain: those whose last two labels are equal.
    pub per_domain: usize,
    /// Connections to one host at the same time.
    pub connections: usize,
    /// When all have to be complete.
    pub deadline: Option<Instant>,
}

/// Makes requests. Equal ones are sent once; concurrent ones share the exchange.
pub struct Client {
    resolver: Arc<Resolver>,
    trust: Trust,
    families: Families,
    limits: Limits,
    dead: Dead,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: usize,
    by_domain: HashMap<String, usize>,
    hosts: HashMap<String, Arc<Semaphore>>,
    exchanges: HashMap<Sent, Arc<OnceCell<Exchange>>>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { requests: 80, per_domain: 60, connections: 8, deadline: None }
    }
}

impl Client {
    /// A client that uses addresses of these families, and believes these authorities.
    pub fn new(
        resolver: Arc<Resolver>,
        trust: Trust,
        families: Families,
        limits: Limits,
    ) -> Client {
        Client { resolver, trust, families, limits, dead: Dead::default(), state: Mutex::default() }
    }

    /// How many requests were made, redirects among them.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Makes the request, and follows its redirects. `limit` is the time for all hops; waiting for a
    /// free connection does not count. If the request was made before, its exchange is returned.
    pub async fn exchange(&self, sent: Sent, limit: Duration) -> Exchange {
        let exchange = Arc::clone(self.state().exchanges.entry(sent.clone()).or_default());
        exchange.get_or_init(|| Box::pin(self.follow(sent, limit))).await.clone()
    }

    async fn follow(&self, sent: Sent, limit: Duration) -> Exchange {
        let mut hops: Vec<Hop> = Vec::new();
        let mut left = limit;
        let mut method = if sent.method == "POST" { "POST" } else { "GET" };
        let mut target = parse_url(&sent.url).map_err(|error| (sent.url.clone(), error));
        loop {
            let url = match target {
                Ok(url) => url,
                Err((text, error)) => {
                    hops.push(Hop::without_answer(method, shown(&text), broken_url(&error)));
                    break;
                }
            };
            let is_known =
                hops.iter().any(|hop| hop.method == method && hop.url == url.to_string());
            if is_known || hops.len() > MAX_REDIRECTS {
                let outcome = Outcome::NotAsked("too many redirects");
                hops.push(Hop::without_answer(method, url.to_string(), outcome));
                break;
            }
            let is_post = method == "POST";
            let message = Message {
                method,
                url: &url,
                agent: sent.agent,
                media_type: if is_post { sent.media_type } else { "" },
                body: if is_post { &sent.body } else { "" },
            };
            let comes_from_public = hops.iter().filter_map(|hop| hop.address).any(is_public);
            let hop = self.hop(message, left, comes_from_public).await;
            left = left.saturating_sub(hop.took);
            let next = hop.response().and_then(|response| location(response, method));
            hops.push(hop);
            let Some((location, next_method)) = next else {
                break;
            };
            method = next_method;
            target = url.join(&location).map_err(|error| (location, error));
        }
        Exchange { sent, hops }
    }

    /// One request; `comes_from_public` if a server that anybody reaches has redirected to it.
    async fn hop(&self, message: Message<'_>, limit: Duration, comes_from_public: bool) -> Hop {
        let url = message.url;
        if !is_web_port(url.port()) {
            let outcome = Outcome::NotAsked("the port is that of another service");
            return Hop::without_answer(message.method, url.to_string(), outcome);
        }
        let mut hop =
            Hop::without_answer(message.method, url.to_string(), Outcome::NotAsked("no time left"));
        let host = self.host(url.host());
        let deadline = self.limits.deadline;
        let permit = match deadline {
            Some(deadline) => timeout_at(deadline, host.acquire_owned()).await.ok(),
            None => Some(host.acquire_owned().await),
        };
        let (Some(_permit), false) = (permit, limit.is_zero()) else {
            return hop;
        };
        if let Err(reason) = self.count(url.host()) {
            hop.outcome = Outcome::NotAsked(reason);
            return hop;
        }
        let begun = Instant::now();
        let until = deadline.map_or(begun + limit, |deadline| deadline.min(begun + limit));
        let mut dial = Dial::new(&self.dead, url.port());
        let asked = self.ask(message, &mut hop, &mut dial, comes_from_public);
        let asked = timeout_at(until, asked).await;
        hop.took = begun.elapsed();
        hop.outcome = match asked {
            Ok(outcome) => outcome,
            Err(_) if Some(until) == deadline && hop.took < FAIR => {
                Outcome::NotAsked("no time left")
            }
            Err(_) => Outcome::TimedOut,
        };
        hop.dead = dial.dead(until).await;
        if hop.address.is_some() {
            hop.dead.retain(|(_, reason)| !is_of_this_computer(reason));
        }
        hop
    }

    async fn ask(
        &self,
        message: Message<'_>,
        hop: &mut Hop,
        dial: &mut Dial<'_>,
        comes_from_public: bool,
    ) -> Outcome {
        let url = message.url;
        let mut found = self.resolver.addresses(url.host(), self.families).await;
        if found.list.is_empty() {
            return Outcome::NoAddress(found.answers);
        }
        if comes_from_public && !self.resolver.is_overridden(url.host()) {
            found.list.retain(|address| is_public(*address));
        }
        if found.list.is_empty() {
            return Outcome::NotAsked("it is in a private network, to which a public server leads");
        }
        let Some((address, stream)) = dial.connect(&found.list).await else {
            return Outcome::Unreachable(summary(dial.reasons()));
        };
        hop.address = Some(address);
        // Without it, a request of two parts waits for the acknowledgement of the first.
        let _ = stream.set_nodelay(true);
        if !url.is_secure() {
            return wire::ask(stream, message).await;
        }
        match self.trust.connect(stream, url.host()).await {
            Ok((stream, session)) => {
                hop.session = Some(session);
                wire::ask(stream, message).await
            }
            Err(refused) if refused.is_to_be_described() => {
                let socket = SocketAddr::new(address, url.port());
                let describe = async {
                    let stream = TcpStream::connect(socket).await.ok()?;
                    self.trust.describe(stream, url.host()).await
                };
                let seen = timeout_at(Instant::now() + DESCRIBE, describe).await;
                Outcome::Tls(refused.described(seen.ok().flatten()))
            }
            Err(refused) => Outcome::Tls(refused),
        }
    }

    fn host(&self, host: &str) -> Arc<Semaphore> {
        let new = || Arc::new(Semaphore::new(self.limits.connections));
        Arc::clone(self.state().hosts.entry(host.to_owned()).or_insert_with(new))
    }

    fn count(&self, host: &str) -> Result<(), &'static str> {
        let mut state = self.state();
        if state.requests >= self.limits.requests {
            return Err("the limit of requests is reached");
        }
        let by_domain = state.by_domain.entry(domain_of(host).to_owned()).or_default();
        if *by_domain >= self.limits.per_domain {
            return Err("the limit of requests to this domain is reached");
        }
        *by_domain += 1;
        state.requests += 1;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hop {
    fn without_answer(method: &'static str, url: String, outcome: Outcome) -> Hop {
        Hop {
            method,
            url,
            address: None,
            dead: Vec::new(),
            session: None,
            outcome,
            took: Duration::ZERO,
        }
    }
}

fn broken_url(error: &super::UrlError) -> Outcome {
    Outcome::Broken(format!("the URL cannot be asked for: {error}"))
}

/// Where a redirect leads, and with which method: browsers turn POST into GET, except for 307 and
/// 308 (RFC 9110 section 15.4).
fn location(response: &Response, method: &'static str) -> Option<(String, &'static str)> {
    let next = match response.status {
        301..=303 => "GET",
        307 | 308 => method,
        _ => return None,
    };
    Some((response.field("location")?.to_owned(), next))
}

/// The last two labels of a name; an address as it is.
fn domain_of(host: &str) -> &str {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return host;
    }
    let mut dots = host.rmatch_indices('.');
    dots.nth(1).map_or(host, |(dot, _)| &host[dot + 1..])
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", visible(&text[..end])),
        None => visible(text),
    }
}
