//! Compares the cost of mailsetup with that of the programs it may replace, on the same machine in
//! the same run: `make bench`.
//!
//! Behind nginx: mailsetup, PHP, a C program on libfcgi, the crate `fastcgi`, and a file. As CGI:
//! from start to exit, compared with an empty program and php-cgi. Signed profiles compared with
//! bare signatures. Memory with idle connections. Many domains, in a list and in files; logins from
//! other programs. Prints tables in Markdown and appends them to
//! docs/performance.md, which explains them.
//!
//! Settings, by environment:
//! - `BENCH_SECONDS`: seconds of requests to each server in a round (3)
//! - `BENCH_ROUNDS`: number of rounds (5); tables have medians
//! - `BENCH_CPUS`: CPUs for the load, nginx and the responder, for example `2-3 0 1`
//! - `BENCH_REPORT`: the file to append to (docs/performance.md)
//!
//! To run only some parts, name them: `cargo bench -p mailsetup --bench compare -- servers cgi signing idle
//! lists files logins instructions`. `MAILSETUP_TEST_PROGRAM` is another program to measure.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it prints tables, and stops at the first failure"
)]

#[path = "../../tests/common/mod.rs"]
mod common;

#[path = "../../tests/soak/load.rs"]
#[allow(dead_code, reason = "the clients of the soak test, without its questions")]
mod clients;

mod build;
mod callgrind;
mod cgi;
mod idle;
mod kept;
mod load;
mod measure;
mod nginx;
mod peers;
mod places;
mod report;
mod request;
mod scale;
mod servers;
mod signing;
mod sources;

use common::http::Request;
use places::Cpus;
use report::Report;
use std::env;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// The requested domain.
const DOMAIN: &str = "example.org";

fn main() {
    let settings = Settings::read();
    // cargo itself adds `--bench`.
    let parts: Vec<_> = env::args().skip(1).filter(|part| !part.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    // Only some parts need the other programs.
    let built = ["servers", "cgi", "idle"].into_iter().any(wanted).then(build::Built::new);
    let mut report = Report::new();
    if let Some(built) = &built {
        if wanted("servers") {
            servers::compare(&settings, built, &mut report);
        }
        if wanted("cgi") {
            cgi::compare(built, &mut report);
        }
        if wanted("idle") {
            idle::compare(built, &mut report);
        }
    }
    if wanted("signing") {
        signing::compare(&settings, &mut report);
    }
    if wanted("lists") {
        scale::lists(&mut report);
    }
    if wanted("files") {
        scale::files(&mut report);
    }
    if wanted("logins") {
        sources::compare(&mut report);
    }
    if wanted("instructions") {
        let about = "By callgrind, user space only: the same in every run of a program.";
        report.part("Instructions", about);
        report.markdown(&build::instructions());
    }
    report.publish(&settings);
}

/// The settings from the environment.
pub struct Settings {
    /// How long requests are sent to each server in a round.
    pub round: Duration,
    /// How many rounds there are.
    pub rounds: usize,
    /// The CPUs of the processes.
    pub cpus: Cpus,
    /// The file to append to.
    pub report: PathBuf,
}

impl Settings {
    fn read() -> Self {
        let number = |name, default| match env::var(name) {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
            Err(_) => default,
        };
        let report = env::var_os("BENCH_REPORT")
            .map_or_else(|| common::source("docs/performance.md"), PathBuf::from);
        Self {
            round: Duration::from_secs(number("BENCH_SECONDS", 3)),
            rounds: number("BENCH_ROUNDS", 5) as usize,
            cpus: Cpus::read(),
            report,
        }
    }
}

/// A configuration with twenty domains; benches/peers/autoconfig.php has the same.
pub fn twenty_domains() -> String {
    let mut config = format!("[domain.'{DOMAIN}']\n");
    for number in 1..20 {
        writeln!(config, "[domain.'d{number}.example']").expect("memory");
    }
    config
}

/// The request that is measured.
pub fn autoconfig() -> Request {
    Request::get(format!("/mail/config-v1.1.xml?emailaddress=ann@{DOMAIN}"))
        .host(format!("autoconfig.{DOMAIN}"))
}

/// The median of several numbers.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    percentile(numbers, 50)
}

/// The percentile of several numbers.
pub fn percentile(numbers: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers[(numbers.len() - 1) * percent / 100]
}
