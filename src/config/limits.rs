//! Settings of the whole service: its limits, and its paths for monitoring and for web servers.
//!
//! Refuses limits out of range, and paths that mail clients request.

use super::checker::Checker;
use super::file::{self, Spanned};
use super::lookup::StatusPaths;
use crate::limits::Limits;
use std::time::Duration;

/// Largest limit that can be set for a body or for parameters, in bytes.
const MAX_CAP: i64 = 16 * 1024 * 1024;
/// Largest limit that can be set for all incoming requests together, in bytes.
const MAX_BUFFERED: i64 = 1024 * 1024 * 1024;
/// Largest number of connections that can be set.
const MAX_CONNECTIONS: i64 = 100_000;
/// Longest timeout that can be set, in seconds.
const MAX_TIMEOUT_S: i64 = 3600;

/// The paths for monitoring and for web servers; `None` if no path is set.
pub(super) fn status(
    metrics: &file::Metrics,
    domains: &file::Domains,
    checker: &mut Checker,
) -> Option<StatusPaths> {
    let is_client_path = checker.checks.is_client_path;
    let mut known: Vec<(&str, String)> = Vec::new();
    let mut path = |key: &'static str, path: &Option<Spanned<String>>, example: &str| {
        let path = path.as_ref()?;
        let text = path.get_ref();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
        let same = known.iter().find(|(_, other)| other == text);
        let message = if !text.starts_with('/') || !text.bytes().all(is_plain) {
            format!(
                "{key}: `{text}` is not a valid path; expected for example \"{example}\", without \
                 `?` and `%`"
            )
        } else if is_client_path(text.as_bytes()) {
            format!("{key}: `{text}` is a path that mail clients request; use another path")
        } else if let Some((other, _)) = same {
            format!("{key} is the same as {other}")
        } else {
            known.push((key, text.clone()));
            return Some(text.clone());
        };
        checker.mistake("status-path", path.span(), message);
        None
    };
    let paths = StatusPaths {
        metrics_path: path("metrics.path", &metrics.path, "/mailsetup/metrics"),
        health_path: path("metrics.health_path", &metrics.health_path, "/mailsetup/health"),
        ask_path: path("domains.ask_path", &domains.ask_path, "/mailsetup/ask"),
    };
    (paths != StatusPaths::default()).then_some(paths)
}

/// The limits of requests.
pub(super) fn limits(limits: &file::Limits, checker: &mut Checker) -> Limits {
    let mut number = |name: &str, value: &Option<Spanned<i64>>, default: i64, max: i64| {
        let Some(value) = value else { return default };
        if !(1..=max).contains(value.get_ref()) {
            let message = format!("limits.{name}: {} is not between 1 and {max}", value.get_ref());
            checker.mistake("limit-range", value.span(), message);
            return default;
        }
        *value.get_ref()
    };
    let defaults = Limits::default();
    let mut size = |name: &str, value: &Option<Spanned<i64>>, default: usize, max: i64| {
        number(name, value, default as i64, max) as usize
    };
    Limits {
        parameters_bytes: size(
            "parameters_bytes",
            &limits.parameters_bytes,
            defaults.parameters_bytes,
            MAX_CAP,
        ),
        body_bytes: size("body_bytes", &limits.body_bytes, defaults.body_bytes, MAX_CAP),
        connections: size(
            "connections",
            &limits.connections,
            defaults.connections,
            MAX_CONNECTIONS,
        ),
        timeout: Duration::from_secs(size(
            "timeout_s",
            &limits.timeout_s,
            defaults.timeout.as_secs() as usize,
            MAX_TIMEOUT_S,
        ) as u64),
        buffered_bytes: size(
            "buffered_bytes",
            &limits.buffered_bytes,
            defaults.buffered_bytes,
            MAX_BUFFERED,
        ),
        stop_timeout: Duration::from_secs(size(
            "stop_timeout_s",
            &limits.stop_timeout_s,
            defaults.stop_timeout.as_secs() as usize,
            MAX_TIMEOUT_S,
        ) as u64),
    }
}
