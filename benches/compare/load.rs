//! The load: wrk, one thread, always the same number of connections.

use crate::common::{run, source};
use crate::measure::cpu_of_ended;
use crate::places::on;
use crate::{DOMAIN, Settings};
use std::time::Duration;

/// Connections of wrk to nginx, and thus the most that nginx opens to a responder.
pub const CONNECTIONS: usize = 16;

/// The result of wrk.
pub struct Load {
    pub requests: f64,
    /// Requests in a second.
    pub rate: f64,
    /// In microseconds.
    pub p50: f64,
    pub p99: f64,
    /// CPU time of wrk for one request, in microseconds.
    pub cpu: f64,
}

/// Sends requests to the server on `port` for `time`. Every response must be a 200 and, with its
/// header, `length` bytes long.
pub fn run_wrk(settings: &Settings, port: u16, length: usize, time: Duration) -> Load {
    let before = cpu_of_ended();
    let output = run(on(&settings.cpus.load, "wrk")
        .args(["--threads", "1"])
        .args(["--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{}s", time.as_secs())])
        .args(["--header", &format!("Host: autoconfig.{DOMAIN}"), "--script"])
        .arg(source("benches/compare/load.lua"))
        .args([&format!("http://127.0.0.1:{port}/"), "--", DOMAIN]));
    let sums = output.lines().find_map(|line| line.strip_prefix("sums ")).expect("sums of wrk");
    let sums: Vec<f64> = sums.split(' ').map(|sum| sum.parse().expect("a number")).collect();
    let [requests, duration, bytes, p50, p99, errors] = sums[..] else { panic!("{output}") };
    assert_eq!(errors, 0.0, "answers that were none:\n{output}");
    // wrk may stop in the middle of a response on each connection, and nginx occasionally sends
    // `close` instead of `keep-alive`.
    let odd = (bytes - requests * length as f64).abs();
    let may_be_odd = (CONNECTIONS * length) as f64 + requests / 100.0;
    assert!(odd <= may_be_odd, "answers of other lengths than {length}:\n{output}");
    let cpu = (cpu_of_ended() - before).as_secs_f64() * 1e6 / requests;
    Load { requests, rate: requests / duration * 1e6, p50, p99, cpu }
}
