//! Connects to a mail server at each of its addresses, and speaks with it.
//!
//! Each connection has its time. A refused handshake is described by a second connection, on which
//! nothing is sent after the handshake. A login is made once, at one address, inside verified TLS.

use super::dialogue::Dialogue;
use super::secret::Credentials;
use super::server::{Endpoint, Outcome, Server, Spoken};
use crate::net::dns::Addresses;
use crate::net::tls::{Reason, Refused, Trust};
use mailsetup::account::{Protocol, Security};
use mailsetup::visible::visible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// Most addresses of a server that are connected to.
const MAX_ADDRESSES: usize = 4;
/// Addresses of IPv4 for which there is room among them.
const ROOM_FOR_V4: usize = 2;

/// How long the end of a dialogue is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// What all dialogues of a run share.
pub struct Context {
    /// The authorities that are believed.
    pub trust: Trust,
    /// The mail domain: submission is asked whether it takes a message from there without a login.
    pub domain: String,
    /// When all has to be done.
    pub deadline: Option<Instant>,
    /// The limits of one connection.
    pub limits: Limits,
    /// The password, if logins are to be made.
    pub credentials: Option<Credentials>,
}

/// The limits of one connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The time for all of it: Postfix's postscreen greets after 6 seconds.
    pub connection: Duration,
    /// How long nothing may come before the server is asked whether it speaks TLS from the first
    /// byte.
    pub quiet: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connection: Duration::from_secs(8), quiet: Duration::from_secs(3) }
    }
}

/// Connects to a server at each of its addresses at the same time, at most four, and speaks with it.
/// `login` is the name of the account; it is used if the context has a password.
pub async fn speak(
    endpoint: &Endpoint,
    addresses: Addresses,
    login: Option<&str>,
    context: &Context,
) -> Server {
    let chosen = choose(&addresses.list);
    let visit = async |number: usize| match chosen.get(number) {
        Some(address) => Some(Box::pin(Visit::new(endpoint, *address, context).make(None)).await),
        None => None,
    };
    let (a, b, c, d) = tokio::join!(visit(0), visit(1), visit(2), visit(3));
    let mut outcomes = [a, b, c, d].into_iter().flatten();
    let mut dialogues = Vec::new();
    for address in addresses.list {
        let outcome = match chosen.contains(&address) {
            true => outcomes.next(),
            false => None,
        };
        let not_asked = Outcome::NotAsked("the server has more than 4 addresses");
        dialogues.push((address, outcome.unwrap_or(not_asked)));
    }
    if let (Some(login), Some(credentials)) = (login, &context.credentials) {
        // One address is enough, and each refused login counts.
        let spoken = dialogues.iter_mut().find_map(|(address, outcome)| match outcome {
            Outcome::Spoke(spoken) if spoken.session.is_some() => Some((*address, spoken)),
            _ => None,
        });
        if let Some((address, spoken)) = spoken {
            let visit = Visit::new(endpoint, address, context);
            spoken.login = Some(match Box::pin(visit.make(Some((login, credentials)))).await {
                Outcome::Spoke(Spoken { login: Some(result), .. }) => result,
                _ => Err("there was no second connection for the login".into()),
            });
        }
    }
    Server { endpoint: endpoint.clone(), names: addresses.answers, dialogues }
}

/// The addresses that are connected to, in their order: if there are many of IPv6, some of IPv4, too.
fn choose(list: &[IpAddr]) -> Vec<IpAddr> {
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = list.iter().partition(|address| address.is_ipv4());
    let room = MAX_ADDRESSES - v4.len().min(ROOM_FOR_V4);
    let v6 = &v6[..v6.len().min(room)];
    let v4 = &v4[..v4.len().min(MAX_ADDRESSES - v6.len())];
    list.iter().filter(|address| v6.contains(address) || v4.contains(address)).copied().collect()
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Boxed = Box<dyn Stream>;

struct Visit<'a> {
    endpoint: &'a Endpoint,
    address: IpAddr,
    context: &'a Context,
    end: Instant,
}

impl Visit<'_> {
    fn new<'a>(endpoint: &'a Endpoint, address: IpAddr, context: &'a Context) -> Visit<'a> {
        let end = Instant::now() + context.limits.connection;
        let end = context.deadline.map_or(end, |deadline| deadline.min(end));
        Visit { endpoint, address, context, end }
    }

    /// All of it, within the time.
    async fn make(&self, login: Option<(&str, &Credentials)>) -> Outcome {
        if self.end <= Instant::now() {
            return Outcome::NotAsked("the time was up");
        }
        match timeout_at(self.end, self.first_words()).await {
            Err(_) => Outcome::TimedOut,
            // What was learnt counts, even if there is no time for more.
            Ok(Ok((mut spoken, mut dialogue))) => {
                let more = self.more(&mut spoken, &mut dialogue, login);
                let _ = timeout_at(self.end, more).await;
                let end = self.end.min(Instant::now() + GOODBYE);
                let _ = timeout_at(end, dialogue.leave()).await;
                Outcome::Spoke(spoken)
            }
            Ok(Err(Outcome::Tls(refused))) => {
                let described = timeout_at(self.end, self.describe(refused.clone())).await;
                Outcome::Tls(described.unwrap_or(refused))
            }
            Ok(Err(outcome)) => outcome,
        }
    }

    /// Up to what the server offers at last.
    async fn first_words(&self) -> Result<(Spoken, Dialogue<Boxed>), Outcome> {
        let mut spoken = Spoken::default();
        let (stream, name) = self.before_tls(&mut spoken).await?;
        let stream: Boxed = match self.endpoint.security {
            Security::Plain => Box::new(stream),
            Security::Tls | Security::StartTls => {
                let shaken = self.context.trust.connect(stream, &self.endpoint.host).await;
                let (stream, session) = shaken.map_err(Outcome::Tls)?;
                spoken.session = Some(session);
                Box::new(stream)
            }
        };
        let mut dialogue = Dialogue::new(stream, self.endpoint.protocol, &name);
        if self.endpoint.security == Security::Plain {
            self.wait(&mut dialogue).await?;
        }
        if self.endpoint.security != Security::StartTls {
            spoken.greeting = dialogue.greeting().await?;
        }
        dialogue.hello().await?;
        dialogue.note(&mut spoken, true);
        if self.endpoint.security == Security::Plain {
            dialogue.note(&mut spoken, false);
        }
        Ok((spoken, dialogue))
    }

    /// A connection up to the handshake, or to the greeting if there is none; with the name of this
    /// computer.
    async fn before_tls(&self, spoken: &mut Spoken) -> Result<(TcpStream, String), Outcome> {
        let stream = self.connect().await?;
        let name = literal(&stream);
        spoken.is_local = stream.local_addr().is_ok_and(|own| own.ip() == self.address);
        if self.endpoint.security != Security::StartTls {
            return Ok((stream, name));
        }
        let mut dialogue = Dialogue::new(stream, self.endpoint.protocol, &name);
        self.wait(&mut dialogue).await?;
        spoken.greeting = dialogue.greeting().await?;
        dialogue.hello().await?;
        dialogue.note(spoken, false);
        let (stream, injected) = dialogue.start_tls().await?;
        spoken.injected = injected;
        Ok((stream, name))
    }

    /// What is asked of a server that speaks as announced.
    async fn more(
        &self,
        spoken: &mut Spoken,
        dialogue: &mut Dialogue<Boxed>,
        login: Option<(&str, &Credentials)>,
    ) {
        if let Some((login, credentials)) = login {
            if spoken.session.is_some() {
                spoken.login = Some(Err("the server did not respond in time".into()));
                spoken.login = Some(dialogue.log_in(login, credentials).await);
            }
        } else if self.endpoint.protocol == Protocol::Smtp {
            let sender = format!("probe-test@{}", self.context.domain);
            if let Ok((response, is_open)) = dialogue.mail(&sender).await {
                spoken.mail_without_login = Some(response);
                spoken.is_open = is_open;
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, Outcome> {
        let address = SocketAddr::new(self.address, self.endpoint.port);
        TcpStream::connect(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Outcome::TimedOut,
            _ => Outcome::Unreachable(reason(&error)),
        })
    }

    /// Waits for the first octet. A server that keeps quiet may be waiting for a TLS handshake.
    async fn wait<S>(&self, dialogue: &mut Dialogue<S>) -> Result<(), Outcome>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Ok(result) = timeout(self.context.limits.quiet, dialogue.wait()).await {
            return result;
        }
        let speaks_tls = async {
            let stream = self.connect().await.ok()?;
            self.context.trust.describe(stream, &self.endpoint.host).await
        };
        tokio::select! {
            biased;
            result = dialogue.wait() => result,
            Some(_) = speaks_tls => {
                let text = "there is no greeting: the server speaks TLS from the first byte";
                Err(Outcome::Unfit(text.into()))
            }
        }
    }

    /// The same with what a second connection shows.
    async fn describe(&self, mut refused: Refused) -> Refused {
        if self.endpoint.security == Security::Tls && refused.reason == Reason::NotTls {
            if let Some(greeting) = self.greeting_without_tls().await {
                refused.detail += &format!("; without TLS the server says: {greeting}");
            }
        } else if refused.is_to_be_described() {
            if let Ok((stream, _)) = self.before_tls(&mut Spoken::default()).await {
                let seen = self.context.trust.describe(stream, &self.endpoint.host).await;
                refused = refused.described(seen);
            }
        }
        refused
    }

    async fn greeting_without_tls(&self) -> Option<String> {
        let stream = self.connect().await.ok()?;
        let mut dialogue = Dialogue::new(stream, self.endpoint.protocol, "");
        let greeting = timeout(self.context.limits.quiet, dialogue.greeting()).await.ok()?;
        match greeting {
            Ok(text) | Err(Outcome::Unfit(text)) => Some(text),
            Err(_) => None,
        }
    }
}

/// The address literal of this computer (RFC 5321 section 4.1.3), for EHLO.
fn literal(stream: &TcpStream) -> String {
    match stream.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Err(_) => "[127.0.0.1]".into(),
    }
}

/// `connection refused`
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::HostUnreachable => "no route to host".into(),
        io::ErrorKind::NetworkUnreachable => "no route to this network".into(),
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        _ => visible(&error.to_string()),
    }
}
