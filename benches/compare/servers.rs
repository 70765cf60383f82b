//! The same request through nginx to each peer: rate, delays, CPU time and memory.

use crate::build::Built;
use crate::common::http::{Request, Response, send};
use crate::common::{Sandbox, cgi, program};
use crate::load::{CONNECTIONS, Load, run_wrk};
use crate::measure::{Memory, cpu, crew, megabytes, memory};
use crate::peers::{self, Peer};
use crate::report::{Report, Wanted, number};
use crate::{Settings, autoconfig, median, nginx, twenty_domains};
use std::time::Duration;

/// The measurements of one peer in one round.
struct Round {
    load: Load,
    /// CPU time of one request, in microseconds.
    nginx: f64,
    responder: f64,
}

pub fn compare(settings: &Settings, built: &Built, report: &mut Report) {
    let sandbox = Sandbox::new();
    let config = sandbox.write("asked.toml", twenty_domains());
    let answer = cgi::send(&program(), &autoconfig(), &[("MAILSETUP_CONFIG", config.as_os_str())])
        .expect("an answer");
    let peers = peers::start(&sandbox, settings, built, &answer);
    let nginx = nginx::start(&sandbox, settings, &peers);
    check_php(&peers);

    let length = length(&peers[0]);
    let mut rounds: Vec<Vec<Round>> = peers.iter().map(|_| Vec::new()).collect();
    for round in 0..=settings.rounds {
        for (peer, rounds) in peers.iter().zip(&mut rounds) {
            check(peer, &answer);
            if round == 0 {
                eprintln!("warming up: {}", peer.name);
                run_wrk(settings, peer.port, length, Duration::from_secs(1));
                continue;
            }
            eprintln!("round {round} of {}: {}", settings.rounds, peer.name);
            let nginx = crew(nginx.id());
            let responder = peer.process().map_or_else(Vec::new, |process| crew(process.id()));
            let before = (cpu(&nginx), cpu(&responder));
            let load = run_wrk(settings, peer.port, length, settings.round);
            let each = |time: Duration| time.as_secs_f64() * 1e6 / load.requests;
            rounds.push(Round {
                nginx: each(cpu(&nginx) - before.0),
                responder: each(cpu(&responder) - before.1),
                load,
            });
        }
    }
    write(settings, &peers, &rounds, report);
}

/// Sends one request, and compares every byte of the response except the date.
fn check(peer: &Peer, answer: &Response) {
    let got = send(peer.address(), &autoconfig()).expect(&peer.name);
    assert_eq!((got.status, got.text()), (200, answer.text()), "{}", peer.name);
    assert_eq!(fields(&got), fields(answer), "{}", peer.name);
}

/// The header fields of the responder, sorted.
fn fields(response: &Response) -> Vec<(String, &str)> {
    let fields = response.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), &**value));
    let of_nginx = ["server", "date", "connection"];
    let mut fields: Vec<_> = fields.filter(|(name, _)| !of_nginx.contains(&&**name)).collect();
    fields.sort();
    fields
}

/// Checks that PHP does the same work: it answers other requests like mailsetup, too.
fn check_php(peers: &[Peer]) {
    let path = "/mail/config-v1.1.xml";
    for request in [
        Request::get(path),
        Request::get(path).host("d7.example"),
        Request::get(path).host("unknown.example"),
        Request::get(format!("{path}?emailaddress=ann@D7.example")),
        Request::get(format!("{path}?emailaddress=ann@unknown.example")),
        Request::get(format!("{path}?emailaddress=ann@d7.example")).host("www.d7.example"),
        Request::get(format!("{path}?emailaddress=ann")),
    ] {
        let ask = |name: &str| {
            let peer = peers.iter().find(|peer| peer.name.starts_with(name)).expect("a peer");
            let answer = send(peer.address(), &request).expect(name);
            let is_document = answer.status == 200;
            (answer.status, answer.text().split('\n').skip(usize::from(!is_document)).collect())
        };
        let (ours, php): ((u16, String), (u16, String)) = (ask("mailsetup"), ask("PHP"));
        assert_eq!(ours, php, "{request:?}");
    }
}

/// The length of a whole response on a kept connection, in bytes.
fn length(peer: &Peer) -> usize {
    let answer = send(peer.address(), &autoconfig()).expect(&peer.name);
    let fields = answer.headers.iter().map(|(name, value)| match &**name {
        "Connection" => "Connection: keep-alive\r\n".len(),
        _ => name.len() + value.len() + 4,
    });
    "HTTP/1.1 200 OK\r\n".len() + fields.sum::<usize>() + 2 + answer.body.len()
}

fn write(settings: &Settings, peers: &[Peer], rounds: &[Vec<Round>], report: &mut Report) {
    let middle = |name: &str, what: fn(&Round) -> f64| {
        let at = peers.iter().position(|peer| peer.name == name).expect("a peer");
        median(rounds[at].iter().map(what))
    };
    let (ours, php) = ("mailsetup, keepalive", "PHP (php-fpm), keepalive");
    let file = "a file (nginx alone)";
    let times = |one: f64, other: f64| one / other;
    let rate = |name| middle(name, |round| round.load.rate);
    let used = |name| middle(name, |round| round.responder);
    report.target(
        "responder's CPU time, keepalive: share of php-fpm's",
        Wanted::AtMost(0.125),
        times(used(ours), used(php)),
    );
    report.target(
        "requests/s, keepalive: multiple of php-fpm's",
        Wanted::AtLeast(2.9),
        times(rate(ours), rate(php)),
    );
    report.target(
        "requests/s, keepalive: multiple of nginx's with a file",
        Wanted::AtLeast(0.85),
        times(rate(ours), rate(file)),
    );

    let mut rows = Vec::new();
    for (peer, rounds) in peers.iter().zip(rounds) {
        let middle = |what: fn(&Round) -> f64| median(rounds.iter().map(what));
        let memory: Option<Memory> = peer.process().map(|process| memory(&crew(process.id())));
        let none = || "–".to_owned();
        rows.push(vec![
            peer.name.clone(),
            number(middle(|round| round.load.rate)),
            number(middle(|round| round.load.p50)),
            number(middle(|round| round.load.p99)),
            number(middle(|round| round.load.cpu)),
            number(middle(|round| round.nginx)),
            peer.process().map_or_else(none, |_| number(middle(|round| round.responder))),
            memory.map_or_else(none, |memory| number(megabytes(memory.pss))),
            memory.map_or_else(none, |memory| number(megabytes(memory.rss))),
        ]);
    }
    let head = [
        "behind nginx",
        "requests/s",
        "p50 µs",
        "p99 µs",
        "wrk CPU µs",
        "nginx CPU µs",
        "responder CPU µs",
        "PSS MB",
        "RSS MB",
    ];
    report.part(
        "Behind nginx",
        &format!(
            "wrk with {CONNECTIONS} connections and one thread, {} rounds of {} s for each, alternating, medians. \
             CPUs: load {}, nginx {}, responder {}. Memory after the load, for all processes of a responder.",
            settings.rounds,
            settings.round.as_secs(),
            settings.cpus.load,
            settings.cpus.nginx,
            settings.cpus.responder,
        ),
    );
    report.table(&head, &rows);
}
