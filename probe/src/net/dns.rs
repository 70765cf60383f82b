//! Asks a DNS server: a stub resolver over UDP, over TCP where the answer is too long.
//!
//! Rules: RFC 1034, RFC 1035, RFC 2782 (SRV). Keeps apart what a user must keep apart: a name that
//! does not exist, a name without records of a type, a server that fails, and no answer.

mod answer;
mod message;
mod resolver;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Kind, Outcome, Record};
pub use message::{Reading, read};
pub use resolver::{Addresses, Families, Resolver};
