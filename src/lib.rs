//! mailsetup tells every mail client how to set up an account.
//!
//! This is the map. A request takes this way, and each arrow is one function:
//!
//! ```text
//! web server ── CGI │ FastCGI │ HTTP ──▶ gateway ──▶ Request
//!   Request  ── route ────▶ Question   which document, for which address or host
//!   Question ── resolve ──▶ Account    whose domain, which servers, which login
//!   Account  ── write ────▶ Response   by the discovery protocol that was asked
//!   Response ── sign ─────▶ Response   Apple profiles, where a certificate is configured
//!   Response ── gateway ──▶ web server
//! ```
//!
//! | step | module |
//! |---|---|
//! | requests in, answers out | [`gateway`]: [`gateway::cgi`], [`gateway::fastcgi`], [`gateway::http`], accepted by [`gateway::server`] on [`gateway::listener`]s |
//! | what came in, what goes out | [`request`], [`response`] |
//! | the way itself, in one function | [`responder`] |
//! | path → discovery protocol | [`route`] |
//! | the protocols: question in, document out | [`discovery`]: [`discovery::autoconfig`], [`discovery::autodiscover`], [`discovery::mobileconfig`] |
//! | what is asked | [`question`] |
//! | whose domain is it | [`resolve`], [`config`], [`directory`] |
//! | what every document is written from | [`account`], [`address`] |
//! | markup, signatures | [`xml`], [`sign`] |
//! | the command line | [`cli`], [`commands`] |
//! | lines for the admin | [`log`] |
//!
//! Who may use whom is told in `docs/architecture.md` and held by `tests/house.rs`.

#![deny(unsafe_code)]

pub mod account;
pub mod address;
pub mod cli;
pub mod commands;
pub mod config;
pub mod directory;
pub mod discovery;
pub mod gateway;
pub mod log;
pub mod question;
pub mod request;
pub mod resolve;
pub mod responder;
pub mod response;
pub mod route;
pub mod sign;
pub mod xml;
