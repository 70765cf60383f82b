//! Plays a client: what it makes of what was observed.
//!
//! Each step of the client's table is tried as the client tries it; the first that gives settings is
//! used, with the exceptions of its rules. Then the servers that it would fill in are looked at.

mod attempt;
#[cfg(test)]
mod tests;
pub mod verdict;

pub use attempt::{Attempt, Got, attempts, redirected};
pub use verdict::Played;

use crate::facts::Facts;
use mailsetup::clients::Client;

/// Plays a client.
pub fn play(client: &'static Client, facts: &Facts) -> Played {
    verdict::judge(client, attempts(client, facts), facts)
}
