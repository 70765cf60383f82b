//! Clients that ask all the time and judge every answer.
//!
//! A request fails if its connection is refused or takes too long, if its answer breaks off or is
//! not what was asked for. One close is no failure: that of a kept connection before any byte of
//! an answer. Whoever keeps a connection has to ask again on a new one then, as web servers do
//! (RFC 9112 §9.3.1); such a second attempt is made once and may not fail.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{self, Request, Response};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Where the service is asked.
#[derive(Clone)]
pub enum Door {
    FastCgi(PathBuf),
    Http(SocketAddr),
}

/// What clients saw.
#[derive(Default)]
pub struct Tally {
    pub requests: usize,
    pub failures: Vec<String>,
    /// Kept connections that were closed while idle.
    pub reconnected: usize,
    pub slowest: Duration,
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.requests += other.requests;
        self.failures.extend(other.failures);
        self.reconnected += other.reconnected;
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Asks once, on a connection of its own, and judges the answer.
    pub fn ask(&mut self, door: &Door, question: &Question) {
        self.count(question, || door.once(&question.request));
    }

    fn count(&mut self, question: &Question, ask: impl FnOnce() -> io::Result<Response>) {
        let begun = Instant::now();
        let outcome = match ask() {
            Ok(answer) if (question.is_good)(&answer) => None,
            Ok(answer) => Some(format!("{}: {:.200}", answer.status, answer.text())),
            Err(error) => Some(error.to_string()),
        };
        self.requests += 1;
        self.slowest = self.slowest.max(begun.elapsed());
        let target = question.request.target.escape_ascii();
        self.failures.extend(outcome.map(|what| format!("{target}: {what}")));
    }
}

impl Door {
    fn once(&self, request: &Request) -> io::Result<Response> {
        match self {
            Door::FastCgi(socket) => Client::unix(socket)?.send(request, Style::USUAL),
            Door::Http(address) => http::send(*address, request),
        }
    }
}

/// A request, and what its answer must be.
pub struct Question {
    pub request: Request,
    pub is_good: fn(&Response) -> bool,
}

pub fn autoconfig() -> Question {
    Question {
        request: Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org"),
        is_good: |answer| answer.status == 200 && answer.body.ends_with(b"</clientConfig>\n"),
    }
}

/// A profile, signed or not.
pub fn profile() -> Question {
    Question {
        request: Request::get("/mobileconfig?emailaddress=ann@example.org"),
        is_good: |answer| answer.status == 200 && answer.body.len() > 1000,
    }
}

fn autodiscover() -> Question {
    let body = "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/\
                requestschema/2006\"><Request><EMailAddress>ann@example.org</EMailAddress>\
                <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/\
                outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>";
    Question {
        request: Request::post("/autodiscover/autodiscover.xml", body),
        is_good: |answer| answer.status == 200 && answer.text().contains("ann@example.org</Login"),
    }
}

fn page() -> Question {
    Question {
        request: Request::get("/?emailaddress=ann@example.org"),
        is_good: |answer| answer.status == 200 && answer.body.ends_with(b"</html>\n"),
    }
}

/// What every kind of client asks.
pub fn everything() -> Vec<Question> {
    vec![autoconfig(), autodiscover(), profile(), page(), autoconfig()]
}

/// Clients at work. Half of them keep their connection, where they can.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

impl Load {
    pub fn start(door: &Door, clients: usize, questions: fn() -> Vec<Question>) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let (door, stop) = (door.clone(), stop.clone());
            thread::spawn(move || work(&door, number, questions(), &stop))
        };
        Load { clients: (0..clients).map(client).collect(), stop }
    }

    /// Lets every client finish its request.
    pub fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for client in self.clients {
            all.add(client.join().expect("a client"));
        }
        all
    }
}

fn work(door: &Door, number: usize, questions: Vec<Question>, stop: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let mut kept = None;
    for question in questions.iter().cycle().skip(number) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match door {
            Door::FastCgi(socket) if number % 2 == 0 => {
                let mut reconnected = 0;
                tally.count(question, || {
                    let (answer, again) = ask_kept(socket, &mut kept, &question.request)?;
                    reconnected = usize::from(again);
                    Ok(answer)
                });
                tally.reconnected += reconnected;
            }
            _ => tally.ask(door, question),
        }
    }
    tally
}

/// Asks on the connection that was kept, else on a new one; tells whether the kept one was closed.
fn ask_kept(
    socket: &std::path::Path,
    kept: &mut Option<Client>,
    request: &Request,
) -> io::Result<(Response, bool)> {
    let style = Style { keep: true, ..Style::USUAL };
    let mut was_closed = false;
    if let Some(mut client) = kept.take() {
        let before = client.received();
        match client.send(request, style) {
            Ok(answer) => {
                *kept = Some(client);
                return Ok((answer, false));
            }
            Err(error) => {
                let is_close = [
                    io::ErrorKind::UnexpectedEof,
                    io::ErrorKind::BrokenPipe,
                    io::ErrorKind::ConnectionReset,
                ];
                if client.received() > before || !is_close.contains(&error.kind()) {
                    return Err(error);
                }
                was_closed = true;
            }
        }
    }
    let mut client = Client::unix(socket)?;
    let answer = client.send(request, style)?;
    *kept = Some(client);
    Ok((answer, was_closed))
}
