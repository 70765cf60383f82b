//! Clients that send requests all the time and check every response.
//!
//! A request fails if its connection is refused or takes too long, or if its response is incomplete
//! or wrong. One kind of close is not a failure: that of a kept connection before any byte of a
//! response. The client must then repeat the request on a new connection, as web servers do (RFC
//! 9112 §9.3.1); the second attempt is made once and must not fail.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{self, Request, Response};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The address of the service.
#[derive(Clone)]
pub enum Endpoint {
    FastCgi(PathBuf),
    Http(SocketAddr),
}

/// The results of clients.
#[derive(Default)]
pub struct Tally {
    pub requests: usize,
    pub failures: Vec<String>,
    /// Kept connections that were closed while idle.
    pub reconnected: usize,
    pub slowest: Duration,
    /// How many requests took longer than [`LONG`].
    pub long: usize,
    /// The slowest request of paced clients, without the time during which this client or the
    /// serving thread was ready to run and had no processor.
    pub slowest_running: Duration,
}

/// The longest time of a request, whatever the contents of the files.
pub const LONG: Duration = Duration::from_millis(20);

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.requests += other.requests;
        self.failures.extend(other.failures);
        self.reconnected += other.reconnected;
        self.slowest = self.slowest.max(other.slowest);
        self.long += other.long;
        self.slowest_running = self.slowest_running.max(other.slowest_running);
    }

    /// Sends one request on a new connection, and checks the response.
    pub fn ask(&mut self, endpoint: &Endpoint, question: &Question) {
        self.count(question, || endpoint.once(&question.request));
    }

    fn count(&mut self, question: &Question, ask: impl FnOnce() -> io::Result<Response>) {
        let begun = Instant::now();
        let asked = ask();
        let took = begun.elapsed();
        let outcome = match asked {
            Ok(answer) if (question.is_good)(&answer) => None,
            Ok(answer) => Some(format!("{}: {:.200}", answer.status, answer.text())),
            Err(error) => Some(error.to_string()),
        };
        self.requests += 1;
        self.slowest = self.slowest.max(took);
        self.long += usize::from(took > LONG);
        let target = question.request.target.escape_ascii();
        self.failures.extend(outcome.map(|what| format!("{target}: {what}")));
    }
}

impl Endpoint {
    pub fn once(&self, request: &Request) -> io::Result<Response> {
        match self {
            Endpoint::FastCgi(socket) => Client::unix(socket)?.send(request, Style::USUAL),
            Endpoint::Http(address) => http::send(*address, request),
        }
    }
}

/// A request and the check of its response.
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

/// The requests of every kind of client.
pub fn everything() -> Vec<Question> {
    vec![autoconfig(), autodiscover(), profile(), page(), autoconfig()]
}

/// A pause between the requests of a client, so that the processors are not the limit; and the
/// process of the service.
#[derive(Clone, Copy)]
pub struct Pace {
    pub pause: Duration,
    pub service: u32,
}

impl Pace {
    /// How long this thread and the serving one have waited for a processor (schedstats in the
    /// kernel's documentation).
    fn waited(self) -> Duration {
        let service = format!("/proc/{}/schedstat", self.service);
        let waited = |path: &str| -> u64 {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.split(' ').nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        Duration::from_nanos(waited("/proc/thread-self/schedstat") + waited(&service))
    }
}

/// Running clients. Half of them keep their connection, if possible.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

impl Load {
    pub fn start(endpoint: &Endpoint, clients: usize, questions: fn() -> Vec<Question>) -> Load {
        Load::start_at(endpoint, clients, None, questions)
    }

    /// Two clients that pause between their requests.
    pub fn paced(endpoint: &Endpoint, service: u32, questions: fn() -> Vec<Question>) -> Load {
        let pause = Duration::from_micros(1500);
        Load::start_at(endpoint, 2, Some(Pace { pause, service }), questions)
    }

    fn start_at(
        endpoint: &Endpoint,
        clients: usize,
        pace: Option<Pace>,
        questions: fn() -> Vec<Question>,
    ) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let (endpoint, stop) = (endpoint.clone(), stop.clone());
            thread::spawn(move || work(&endpoint, number, pace, questions(), &stop))
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

fn work(
    endpoint: &Endpoint,
    number: usize,
    pace: Option<Pace>,
    questions: Vec<Question>,
    stop: &AtomicBool,
) -> Tally {
    let mut tally = Tally::default();
    let mut kept = None;
    for question in questions.iter().cycle().skip(number) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let begun = pace.map(|pace| {
            thread::sleep(pace.pause);
            (pace, pace.waited(), Instant::now())
        });
        match endpoint {
            Endpoint::FastCgi(socket) if number % 2 == 0 => {
                let mut reconnected = 0;
                tally.count(question, || {
                    let (answer, again) = ask_kept(socket, &mut kept, &question.request)?;
                    reconnected = usize::from(again);
                    Ok(answer)
                });
                tally.reconnected += reconnected;
            }
            _ => tally.ask(endpoint, question),
        }
        if let Some((pace, before, begun)) = begun {
            let took = begun.elapsed();
            let waited = pace.waited().saturating_sub(before);
            tally.slowest_running = tally.slowest_running.max(took.saturating_sub(waited));
        }
    }
    tally
}

/// Sends a request on the kept connection, else on a new one; returns whether the kept one was
/// closed.
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
