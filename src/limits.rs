//! What requests may cost a service: sizes, times and connections.
//!
//! The gateway holds to them; the configuration may change them.

use std::time::Duration;

/// What a request may cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Largest size of a FastCGI request's parameters, in bytes.
    pub parameters_bytes: usize,
    /// Largest size of a body, in bytes.
    pub body_bytes: usize,
    /// How many connections are served at the same time.
    pub connections: usize,
    /// How long a request may take to come in, and its answer to be taken.
    pub timeout: Duration,
    /// What all requests that are coming in may hold together, in bytes, beside a little for each.
    pub buffered_bytes: usize,
    /// How long what runs may take to finish after a signal to stop.
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
