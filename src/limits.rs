//! The limits of requests: sizes, times and connections.
//!
//! The gateways enforce them; the configuration may change them.

use std::time::Duration;

/// The limits of requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Largest size of a FastCGI request's parameters, in bytes.
    pub parameters_bytes: usize,
    /// Largest size of a body, in bytes.
    pub body_bytes: usize,
    /// How many connections are served at the same time.
    pub connections: usize,
    /// How long a request may take to be received, and its response to be taken.
    pub timeout: Duration,
    /// The memory that all incoming requests may use together, in bytes, in addition to a little
    /// for each.
    pub buffered_bytes: usize,
    /// How long running requests may take to finish after a signal to stop.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            parameters_bytes: 64 * 1024,
            body_bytes: 64 * 1024,
            connections: 4096,
            timeout: Duration::from_secs(30),
            buffered_bytes: 32 * 1024 * 1024,
            stop_timeout: Duration::from_secs(10),
        }
    }
}
