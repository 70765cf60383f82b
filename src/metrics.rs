//! The metrics of a running service, in the text format of Prometheus (version 0.0.4).
//!
//! Labels are fixed words, never text of a request: a client cannot create a new series.

use crate::login::lookups::{Counts, Outcome};
use crate::response::Status;
use crate::step::Reply;
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::time::Duration;

/// Upper bounds of the histogram of durations, in seconds as they are written, and in microseconds.
const BUCKETS: [(&str, u128); 6] = [
    ("0.0001", 100),
    ("0.001", 1_000),
    ("0.01", 10_000),
    ("0.1", 100_000),
    ("1", 1_000_000),
    ("10", 10_000_000),
];

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counters of a process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Responses by document and status; there are few, so that a list is the fastest.
    answers: RefCell<Vec<(&'static str, Status, u64)>>,
    /// Responses that took at most this bound and more than the previous one.
    durations: [Cell<u64>; BUCKETS.len()],
    /// All durations together, in microseconds.
    duration: Cell<u128>,
    signatures_made: Cell<u64>,
    signatures_failed: Cell<u64>,
    connections: Cell<u64>,
    connections_accepted: Cell<u64>,
    connections_refused: Cell<u64>,
}

/// A connection, counted as long as this value exists.
#[derive(Debug)]
pub struct Connection<'a>(&'a Cell<u64>);

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Metrics {
    /// Counts a response.
    pub fn answered(&self, reply: &Reply, took: Duration) {
        let (document, status) = (reply.record.document, reply.response.status);
        let mut answers = self.answers.borrow_mut();
        let mut known = answers.iter_mut();
        match known.find(|(known, with, _)| (*known, *with) == (document, status)) {
            Some((.., count)) => *count += 1,
            None => answers.push((document, status, 1)),
        }
        let took = took.as_micros();
        self.duration.set(self.duration.get() + took);
        if let Some(bucket) = BUCKETS.iter().position(|(_, bound)| took <= *bound) {
            increase(&self.durations[bucket]);
        }
        match reply.record.signed {
            Some(true) => increase(&self.signatures_made),
            Some(false) => increase(&self.signatures_failed),
            None => {}
        }
    }

    /// Counts a connection; `refused` says that there were too many.
    pub fn connection(&self, refused: bool) -> Connection<'_> {
        increase(if refused { &self.connections_refused } else { &self.connections_accepted });
        increase(&self.connections);
        Connection(&self.connections)
    }

    /// All metrics, one per line.
    ///
    /// `good` and `broken` count the reloads without and with errors; `is_broken` says that the
    /// files have errors now; `lookups` counts those of logins.
    pub fn text(&self, good: u64, broken: u64, is_broken: bool, lookups: &Counts) -> String {
        let mut text = Text(String::with_capacity(2048));
        text.head("mailsetup_build_info", "gauge", "The version of mailsetup.");
        text.line("mailsetup_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        let mut answers = self.answers.borrow().clone();
        answers.sort_unstable_by_key(|(document, status, _)| (*document, status.code()));
        text.head("mailsetup_requests_total", "counter", "Responses by document and HTTP status.");
        for (document, status, count) in &answers {
            let labels = [("document", *document), ("status", status.digits())];
            text.line("mailsetup_requests_total", &labels, *count);
        }
        self.write_durations(&mut text, answers.iter().map(|(.., count)| count).sum());
        text.head(
            "mailsetup_signatures_total",
            "counter",
            "Profiles that should be signed, by result.",
        );
        for (result, count) in
            [("made", &self.signatures_made), ("failed", &self.signatures_failed)]
        {
            text.line("mailsetup_signatures_total", &[("result", result)], count.get());
        }
        write_lookups(&mut text, lookups);
        text.single("mailsetup_connections", "gauge", "Connections now.", self.connections.get());
        let accepted = self.connections_accepted.get();
        let help = "Accepted connections.";
        text.single("mailsetup_connections_accepted_total", "counter", help, accepted);
        let refused = self.connections_refused.get();
        let help = "Connections refused because of the limit or of FCGI_WEB_SERVER_ADDRS.";
        text.single("mailsetup_connections_refused_total", "counter", help, refused);
        text.head(
            "mailsetup_config_reloads_total",
            "counter",
            "Reloads of the configuration, by result.",
        );
        for (result, count) in [("good", good), ("broken", broken)] {
            text.line("mailsetup_config_reloads_total", &[("result", result)], count);
        }
        let help = "1 if the files have errors and the previous configuration is in force.";
        text.single("mailsetup_config_broken", "gauge", help, is_broken.into());
        text.0
    }

    fn write_durations(&self, text: &mut Text, count: u64) {
        let name = "mailsetup_request_duration_seconds";
        text.head(name, "histogram", "Time from the last byte of a request to its response.");
        let bucket = format!("{name}_bucket");
        let mut sum = 0;
        for ((bound, _), durations) in BUCKETS.iter().zip(&self.durations) {
            sum += durations.get();
            text.line(&bucket, &[("le", bound)], sum);
        }
        text.line(&bucket, &[("le", "+Inf")], count);
        let seconds = self.duration.get() as f64 / 1e6;
        text.line(&format!("{name}_sum"), &[], seconds);
        text.line(&format!("{name}_count"), &[], count);
    }
}

fn write_lookups(text: &mut Text, counts: &Counts) {
    let name = "mailsetup_login_lookups_total";
    text.head(name, "counter", "Look-ups of logins in a source, by source and result.");
    let mut results = counts.results.clone();
    results.sort_unstable();
    for (source, outcome, count) in results {
        let result = match outcome {
            Outcome::Found => "found",
            Outcome::NotFound => "not_found",
            Outcome::Failed => "failed",
            Outcome::TimedOut => "timeout",
            Outcome::Busy => "busy",
        };
        text.line(name, &[("source", source), ("result", result)], count);
    }
    let name = "mailsetup_login_lookup_seconds_total";
    text.head(name, "counter", "The time of these look-ups.");
    for (source, took) in &counts.took {
        text.line(name, &[("source", source)], took.as_secs_f64());
    }
}

fn increase(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

/// The text format.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to memory does not fail.
        write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n").ok();
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(self.0, "{name}{labels} {value}").ok();
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(name, &[], value);
    }
}
