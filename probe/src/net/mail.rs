//! The first words of IMAP, POP3, submission and ManageSieve servers: greeting, capabilities, STARTTLS,
//! capabilities again.
//!
//! Rules: RFC 9051, RFC 2449, RFC 2595, RFC 4954, RFC 3207, RFC 5804, RFC 8314. Lines and their number
//! are bounded. Nothing that a server sends between the response to STARTTLS and the handshake is
//! believed. No login is made, unless a password was asked for on the terminal.

mod dialogue;
mod secret;
mod server;
mod speak;
mod talk;
#[cfg(test)]
mod tests;
mod words;

pub use dialogue::Dialogue;
pub use secret::{Credentials, Secret};
pub use server::{Endpoint, Outcome, Server, Spoken};
pub use speak::{Context, Limits, speak};
