//! Plays a client: what it makes of what was observed.
//!
//! Each step of the client's table is tried as the client tries it; the first that gives settings is
//! used, with the exceptions of its rules. Then the servers that it would fill in are looked at.

mod attempt;
#[cfg(test)]
mod tests;
pub mod verdict;

pub use attempt::{Attempt, Got, attempts, redirected};

use crate::facts::Facts;
use crate::finding::Fault;
use crate::read::Setting;
use crate::report::Verdict;
use mailsetup::clients::Client;

/// A client that was played.
#[derive(Debug)]
pub struct Played {
    /// What becomes of it.
    pub verdict: Verdict,
    /// What kept it from a way to its settings, or from using them; the cause is among them.
    pub hits: Vec<Fault>,
    /// All settings that it found, also those that it would not use.
    pub found: Vec<Setting>,
}

/// Plays a client.
pub fn play(client: &'static Client, facts: &Facts) -> Played {
    verdict::judge(client, attempts(client, facts), facts)
}
