//! HTTP requests as mail clients make them, and what came back, hop by hop.
//!
//! Rules: RFC 9110, RFC 9112, RFC 8305 (the order of addresses). Redirects are followed and recorded;
//! a client that does not follow them is played by what is recorded. A body is read up to its limit, a
//! response for its time. No coding is asked for, and none is removed.

mod client;
mod dial;
mod exchange;
mod reach;
#[cfg(test)]
mod tests;
mod url;
mod wire;

pub use client::{Client, Limits};
pub use exchange::{Exchange, Hop, MAX_BODY, MAX_HEADER, MAX_REDIRECTS, Outcome, Response, Sent};
pub use url::{MAX_URL, Url, UrlError, parse_url};
