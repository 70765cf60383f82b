//! Asks DNS servers, each question once.
//!
//! Believes only the server that was asked, by address, port, identifier and question. Each try has
//! its time, and all of them have a deadline. After a failure or no answer the next server is asked.

use super::answer::{Answer, Kind, Outcome, Record};
use super::message::{self, Reading};
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

/// How long a try may take.
const TRY: Duration = Duration::from_secs(2);
/// How often a server is asked.
const TRIES: usize = 2;
/// Most servers that are taken from the system's configuration, as in libc.
const MAX_SERVERS: usize = 3;
/// Most octets of the system's configuration that are read.
const MAX_FILE: u64 = 64 * 1024;
/// The port of DNS.
const PORT: u16 = 53;

/// A resolver with a memory: concurrent and later questions that are equal share one answer.
#[derive(Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    overrides: Vec<(String, IpAddr)>,
    try_for: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    deadline: Option<Instant>,
    asked: Vec<Arc<Asked>>,
}

/// A question, and its answer when it has come.
#[derive(Debug)]
struct Asked {
    name: String,
    kind: Kind,
    answer: OnceCell<Answer>,
}

/// The families of addresses that are used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

/// The addresses of a host.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Addresses {
    /// The answers for AAAA and A, as far as they were asked for.
    pub answers: Vec<Answer>,
    /// The addresses, those of IPv6 first.
    pub list: Vec<IpAddr>,
}

impl Resolver {
    /// The servers that are asked.
    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// Asks these servers in this order. `overrides` are addresses of hosts that are not asked for.
    pub fn new(servers: Vec<SocketAddr>, overrides: Vec<(String, IpAddr)>) -> Resolver {
        let overrides = overrides.into_iter().map(|(name, address)| (plain(&name), address));
        Resolver { servers, overrides: overrides.collect(), try_for: TRY, state: Mutex::default() }
    }

    /// Asks the servers of `/etc/resolv.conf`; without any, the one of this computer, as libc does.
    pub fn from_system(overrides: Vec<(String, IpAddr)>) -> Resolver {
        let mut text = String::new();
        let file = std::fs::File::open("/etc/resolv.conf");
        // What is not UTF-8 or cannot be read names no servers.
        let _ = file.and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
        Resolver::new(servers_of(&text), overrides)
    }

    /// How long a try may take, 2 seconds unless it is set.
    pub fn with_try(mut self, time: Duration) -> Resolver {
        self.try_for = time;
        self
    }

    /// When the last answer has to be there.
    pub fn set_deadline(&self, deadline: impl Into<Instant>) {
        self.state().deadline = Some(deadline.into());
    }

    /// The answers so far, in the order in which the questions were asked. Overridden names are not
    /// among them.
    pub fn asked(&self) -> Vec<Answer> {
        self.state().asked.iter().filter_map(|asked| asked.answer.get().cloned()).collect()
    }

    /// Asks for the records of a kind. A name that DNS cannot hold has an unreadable answer.
    pub async fn ask(&self, name: &str, kind: Kind) -> Answer {
        let name = plain(name);
        if let Some(answer) = self.overridden(&name, kind) {
            return answer;
        }
        let asked = {
            let mut state = self.state();
            let known = state.asked.iter().find(|asked| asked.name == name && asked.kind == kind);
            known.cloned().unwrap_or_else(|| {
                let asked = Asked { name, kind, answer: OnceCell::new() };
                state.asked.push(Arc::new(asked));
                state.asked[state.asked.len() - 1].clone()
            })
        };
        asked.answer.get_or_init(|| self.follow(&asked.name, kind)).await.clone()
    }

    /// Asks for the addresses of a host; an address is its own.
    pub async fn addresses(&self, host: &str, families: Families) -> Addresses {
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = literal.unwrap_or(host).parse() {
            return Addresses { answers: Vec::new(), list: vec![address] };
        }
        let ask = async |kind, is_wanted| match is_wanted {
            true => Some(self.ask(host, kind).await),
            false => None,
        };
        let (v6, v4) = tokio::join!(ask(Kind::Aaaa, families.v6), ask(Kind::A, families.v4));
        let answers: Vec<_> = v6.into_iter().chain(v4).collect();
        let mut list = Vec::new();
        for address in answers.iter().flat_map(Answer::addresses) {
            if !list.contains(&address) {
                list.push(address);
            }
        }
        Addresses { answers, list }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if the addresses of this host were given.
    pub fn is_overridden(&self, host: &str) -> bool {
        let host = plain(host);
        self.overrides.iter().any(|(known, _)| *known == host)
    }

    fn overridden(&self, name: &str, kind: Kind) -> Option<Answer> {
        let is_kind = |address: &IpAddr| match kind {
            Kind::A => address.is_ipv4(),
            Kind::Aaaa => address.is_ipv6(),
            _ => false,
        };
        if !matches!(kind, Kind::A | Kind::Aaaa) {
            return None;
        }
        let ours = self.overrides.iter().filter(|(known, _)| known == name);
        let ours: Vec<_> = ours.map(|(_, address)| *address).collect();
        if ours.is_empty() {
            return None;
        }
        let records = ours.into_iter().filter(is_kind).map(Record::Address);
        let outcome = match records.collect::<Vec<_>>() {
            records if records.is_empty() => Outcome::NoData,
            records => Outcome::Records(records),
        };
        Some(Answer { name: name.to_owned(), kind, aliases: Vec::new(), outcome })
    }

    /// Asks, and again for the last alias if the server has not followed it.
    async fn follow(&self, name: &str, kind: Kind) -> Answer {
        let mut aliases: Vec<String> = Vec::new();
        let outcome = loop {
            let current = aliases.last().map_or(name, |last| last);
            let (more, end) = match self.ask_servers(current, kind).await {
                Reading::Leads(more) => (more, None),
                Reading::Ends(more, outcome) => (more, Some(outcome)),
                Reading::Other | Reading::Cut => (Vec::new(), Some(Outcome::TimedOut)),
            };
            let mut reason = None;
            for alias in more {
                reason = reason.or_else(|| message::stray(name, &aliases, &alias));
                if reason.is_none() {
                    aliases.push(alias);
                }
            }
            match (reason, end) {
                (Some(reason), _) => break Outcome::Unreadable(reason.into()),
                (None, Some(outcome)) => break outcome,
                (None, None) => {}
            }
        };
        Answer { name: name.to_owned(), kind, aliases, outcome }
    }

    /// Asks one server after the other, until one says something about the name.
    async fn ask_servers(&self, name: &str, kind: Kind) -> Reading {
        let mut last = Outcome::TimedOut;
        for server in &self.servers {
            let mut with_edns = true;
            for _ in 0..TRIES {
                let id = random();
                let Some(question) = message::write(id, name, kind, with_edns) else {
                    return ends(Outcome::Unreadable("DNS cannot hold this name".into()));
                };
                let is_answer = |message: &[u8]| {
                    if message.get(..2) != Some(&id.to_be_bytes()) {
                        return Reading::Other;
                    }
                    message::read(message, name, kind)
                };
                match self.within(exchange(*server, &question, is_answer)).await {
                    // Servers from before 1999 do not know EDNS.
                    Ok(Reading::Ends(_, Outcome::Failed(code)))
                        if with_edns && matches!(&*code, "FORMERR" | "NOTIMP") =>
                    {
                        with_edns = false;
                        last = Outcome::Failed(code);
                    }
                    Ok(Reading::Ends(
                        _,
                        outcome @ (Outcome::Failed(_) | Outcome::Unreadable(_)),
                    )) => {
                        last = outcome;
                        break;
                    }
                    Ok(reading) => return reading,
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                    // Nothing listens there.
                    Err(_) => break,
                }
            }
        }
        ends(last)
    }

    /// The result of a try, or an error when its time is over.
    async fn within<T>(&self, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let end = Instant::now() + self.try_for;
        let end = self.state().deadline.map_or(end, |deadline| deadline.min(end));
        timeout_at(end, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn ends(outcome: Outcome) -> Reading {
    Reading::Ends(Vec::new(), outcome)
}

/// Asks one server once: over UDP, and over TCP if the answer was cut.
async fn exchange(
    server: SocketAddr,
    question: &[u8],
    read: impl Fn(&[u8]) -> Reading,
) -> io::Result<Reading> {
    // Port 0: the system chooses one at random for each question.
    let local: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((local, 0)).await?;
    // Datagrams from other addresses are dropped by the system.
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match read(&buffer[..length]) {
            Reading::Other => {}
            Reading::Cut => break,
            reading => return Ok(reading),
        }
    }
    match over_tcp(server, question).await.map(|message| read(&message)) {
        Ok(reading @ (Reading::Leads(_) | Reading::Ends(..))) => Ok(reading),
        Ok(_) => {
            Ok(ends(Outcome::Unreadable("the answer over TCP is for another question".into())))
        }
        Err(error) => Ok(ends(Outcome::Unreadable(format!(
            "the answer does not fit into UDP, and there is none over TCP: {error}"
        )))),
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// The servers in the text of `/etc/resolv.conf`.
pub(super) fn servers_of(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_server = words.next() == Some("nameserver");
        words.next().filter(|_| is_server)?.parse::<IpAddr>().ok()
    });
    let servers: Vec<_> = servers.take(MAX_SERVERS).map(|ip| SocketAddr::new(ip, PORT)).collect();
    match servers.is_empty() {
        true => vec![(Ipv4Addr::LOCALHOST, PORT).into()],
        false => servers,
    }
}

/// In lower case, without the final dot.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// A number that others cannot guess: each `RandomState` has keys of its own.
fn random() -> u16 {
    let [high, low, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
    u16::from_be_bytes([high, low])
}
