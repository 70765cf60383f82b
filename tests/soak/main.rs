//! Load and faults: requests during changes, errors and shortages.
//!
//! Each scenario sends requests to the built program over real sockets, counts requests and
//! failures, and fails after a failure. Without `SOAK=full` all numbers are small. `make soak` runs
//! everything in full and prints the table of docs/reliability.md; a word after `--` runs the
//! scenarios with that word in their name.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and print why they skip something"
)]

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, unused_imports, reason = "the web servers, without their own tests")]
#[path = "../servers/mod.rs"]
mod servers;

mod changes;
mod files;
mod load;
mod peers;
mod resources;
mod scale;
mod service;

use load::Tally;
use std::panic;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The result of a scenario.
pub struct Row {
    /// A description with counts.
    done: String,
    /// The results of the clients, none of which may fail.
    tally: Tally,
    /// Resident memory of the service before and after, or at its peak, in KiB.
    memory: (u64, u64),
}

/// The scale of the scenarios.
#[derive(Clone, Copy)]
pub struct Size {
    is_full: bool,
}

impl Size {
    /// The full count, or a small one.
    fn of(self, full: usize, small: usize) -> usize {
        if self.is_full { full } else { small }
    }
}

type Scenario = (&'static str, fn(Size) -> Row);

const SCENARIOS: &[Scenario] = &[
    ("reloads", changes::reloads),
    ("restarts by socket activation", changes::restarts),
    ("restarts and reloads behind nginx", changes::behind_nginx),
    ("certificate swaps", changes::certificates),
    ("configuration with errors, then corrected", changes::broken_configuration),
    ("files: 20,000 tables with an error each", files::mistakes),
    ("files: a list of a million lines", files::long_list),
    ("files: 64 MiB of random bytes in place of each", files::junk),
    ("files: the largest configuration", files::largest_configuration),
    ("files: the largest list", files::largest_list),
    ("files: the largest domain files", files::largest_domain_files),
    ("files: the largest template and logo", files::largest_template_and_logo),
    ("files: the largest certificate and key", files::largest_certificate),
    ("files: rewritten continuously", files::rewritten),
    ("lists: written in every wrong way", scale::lists),
    ("files: of many domains, half of them broken", scale::broken_files),
    ("domains: a flood of unknown ones", scale::flood),
    ("64 descriptors, 500 clients", peers::descriptors),
    ("slow clients, clients that never read", peers::slow),
    ("128 MiB of memory, largest FastCGI requests", resources::memory_fastcgi),
    ("128 MiB of memory, largest HTTP requests", resources::memory_http),
    ("clock jumps", resources::clock),
    ("full disk, closed standard error", resources::standard_error),
];

fn main() -> ExitCode {
    let size = Size { is_full: std::env::var("SOAK").is_ok_and(|size| size == "full") };
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let begun = Instant::now();
    let mut failed = Vec::new();
    println!("| scenario | what was done | requests | failed | slowest | memory, MiB |");
    println!("|---|---|---:|---:|---:|---:|");
    for (name, scenario) in SCENARIOS.iter().filter(|(name, _)| is_wanted(name)) {
        let Ok(Row { done, tally, memory }) = panic::catch_unwind(|| scenario(size)) else {
            failed.push(*name);
            continue;
        };
        let Tally { requests, failures, slowest, .. } = &tally;
        let mebibytes = |kibibytes: u64| kibibytes as f64 / 1024.0;
        println!(
            "| {name} | {done} | {requests} | {} | {} | {:.1} → {:.1} |",
            failures.len(),
            seconds(*slowest),
            mebibytes(memory.0),
            mebibytes(memory.1)
        );
        if !failures.is_empty() {
            eprintln!("{name}: {:#?}", &failures[..failures.len().min(5)]);
            failed.push(name);
        }
    }
    eprintln!("{} seconds", begun.elapsed().as_secs());
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => {
            eprintln!("failed: {failed:?}");
            ExitCode::FAILURE
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
