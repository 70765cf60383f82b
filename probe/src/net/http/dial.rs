//! Connects to the first address of a host that answers, and finds out about those before it.
//!
//! Rules: RFC 8305: the next address is tried after a failure or a short time.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// When the next address is tried, too.
const NEXT: Duration = Duration::from_millis(250);
/// How long an address has time while another one has answered.
const LATE: Duration = Duration::from_secs(2);
/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;

/// Addresses with ports that were found dead: they are not tried again.
#[derive(Debug, Default)]
pub(super) struct Dead(Mutex<HashMap<SocketAddr, String>>);

/// Attempts to connect to the addresses of a host.
pub(super) struct Dial<'a> {
    known: &'a Dead,
    port: u16,
    begun: Instant,
    attempts: JoinSet<(IpAddr, io::Result<TcpStream>)>,
    pending: Vec<IpAddr>,
    dead: Vec<(IpAddr, String)>,
}

impl Dead {
    fn get(&self, address: SocketAddr) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }

    fn add(&self, address: SocketAddr, reason: &str) {
        let mut dead = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        dead.insert(address, reason.to_owned());
    }
}

impl<'a> Dial<'a> {
    pub(super) fn new(known: &'a Dead, port: u16) -> Dial<'a> {
        Dial {
            known,
            port,
            begun: Instant::now(),
            attempts: JoinSet::new(),
            pending: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// The first connection; `None` if all addresses are dead. Does not end while one is silent.
    pub(super) async fn connect(&mut self, addresses: &[IpAddr]) -> Option<(IpAddr, TcpStream)> {
        self.begun = Instant::now();
        let mut addresses = alternating(addresses).into_iter().take(MAX_ADDRESSES);
        let mut is_over = false;
        loop {
            if !is_over {
                match addresses.next() {
                    Some(address) => {
                        if !self.attempt(address) {
                            continue;
                        }
                    }
                    None => is_over = true,
                }
            }
            let next = Instant::now() + NEXT;
            tokio::select! {
                ended = self.attempts.join_next() => match ended {
                    None if is_over => return None,
                    None => {}
                    Some(Ok((address, Ok(stream)))) => {
                        self.pending.retain(|known| *known != address);
                        return Some((address, stream));
                    }
                    Some(Ok((address, Err(error)))) => self.is_dead(address, reason(&error)),
                    // The task was stopped, which nothing does before the end.
                    Some(Err(_)) => {}
                },
                () = sleep_until(next), if !is_over => {}
            }
        }
    }

    /// The addresses that do not answer: waits for those that were tried first. After 2 seconds they
    /// count as dead.
    pub(super) async fn dead(mut self, until: Instant) -> Vec<(IpAddr, String)> {
        let late = self.begun + LATE;
        while !self.pending.is_empty() {
            match timeout_at(late.min(until), self.attempts.join_next()).await {
                Ok(Some(Ok((address, Ok(_))))) => self.pending.retain(|known| *known != address),
                Ok(Some(Ok((address, Err(error))))) => self.is_dead(address, reason(&error)),
                Ok(Some(Err(_))) => {}
                Ok(None) => break,
                Err(_) if until < late => break,
                Err(_) => {
                    for address in std::mem::take(&mut self.pending) {
                        self.is_dead(address, format!("no answer in {} s", LATE.as_secs()));
                    }
                }
            }
        }
        self.dead
    }

    /// What was found out so far.
    pub(super) fn reasons(&self) -> &[(IpAddr, String)] {
        &self.dead
    }

    /// Begins to connect; false if the address is known to be dead.
    fn attempt(&mut self, address: IpAddr) -> bool {
        let socket = SocketAddr::new(address, self.port);
        if let Some(reason) = self.known.get(socket) {
            self.dead.push((address, reason));
            return false;
        }
        self.pending.push(address);
        self.attempts.spawn(async move { (address, TcpStream::connect(socket).await) });
        true
    }

    fn is_dead(&mut self, address: IpAddr, reason: String) {
        self.known.add(SocketAddr::new(address, self.port), &reason);
        self.pending.retain(|known| *known != address);
        self.dead.push((address, reason));
    }
}

/// The addresses, one of each family after the other (RFC 8305 section 4).
fn alternating(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let is_first = |address: &IpAddr| address.is_ipv6() == addresses[0].is_ipv6();
    let mut firsts = addresses.iter().filter(|address| is_first(address));
    let mut others = addresses.iter().filter(|address| !is_first(address));
    let mut list = Vec::new();
    while list.len() < addresses.len() {
        list.extend(firsts.next());
        list.extend(others.next());
    }
    list
}

/// One text if all failed alike, else one for each address.
pub(super) fn summary(dead: &[(IpAddr, String)]) -> String {
    let first = dead.first().map_or("no address", |(_, reason)| reason);
    if dead.iter().all(|(_, reason)| reason == first) {
        return first.to_owned();
    }
    let each: Vec<_> =
        dead.iter().map(|(address, reason)| format!("{address}: {reason}")).collect();
    each.join(", ")
}

/// True if the reason is that this computer has no way to addresses of the family: that says nothing
/// about the server.
pub(super) fn is_of_this_computer(reason: &str) -> bool {
    let kinds = [io::ErrorKind::NetworkUnreachable, io::ErrorKind::AddrNotAvailable];
    kinds.iter().any(|kind| kind.to_string() == reason)
}

/// `connection refused`, without the number of the error.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::HostUnreachable => "no route to host".to_owned(),
        kind => kind.to_string(),
    }
}
