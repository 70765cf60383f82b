//! mailsetup provides mail clients with the settings of an account.
//!
//! This is the map. A request takes this way, and each arrow is one function:
//!
//! ```text
//! web server ── CGI │ FastCGI │ HTTP ──▶ gateway ──▶ Request
//!   Request  ── route ────▶ Question   which document, for which address or host
//!   Question ── resolve ──▶ Account    whose domain, which servers, which login
//!   Account  ── write ────▶ Response   by the document of the question
//!   Response ── sign ─────▶ Response   Apple profiles, where a certificate is configured
//!   Response ── gateway ──▶ web server
//! ```
//!
//! - [`gateway`]: requests in, answers out: [`gateway::cgi`], [`gateway::fastcgi`],
//!   [`gateway::http`]; accepted by [`gateway::server`] on [`gateway::listener`]s.
//! - [`request`], [`question`], [`response`]: what came in, what is asked, what goes out; [`step`]:
//!   what is to be done next; [`record`]: what a response is about; [`limits`]: what
//!   requests may cost.
//! - [`responder`]: the way itself, in one function; [`http_cache`]: who may cache a response;
//!   [`cache`]: documents that were written before; [`form`]: one with gaps. [`service`]: what a
//!   running one has beside it.
//! - [`paths`], [`route`]: which paths are answered, and from a path to a discovery protocol.
//! - [`discovery`]: the protocols, question in and document out: [`discovery::autoconfig`],
//!   [`discovery::autodiscover`], [`discovery::mobileconfig`],
//!   [`discovery::pacc`].
//! - [`page`]: the page for mailbox owners, and its words in [`language`]s they read.
//! - [`resolve`], [`config`], [`directory`]: whose domain it is and what is set for it.
//! - [`account`], [`address`], [`url`]: what every document is written from; [`ports`]: the registered ports.
//! - [`xml`], [`sign`]: markup and signatures, named nowhere else; [`signing`]: the files of the
//!   signatures.
//! - [`language`]: which of several texts somebody reads; [`visible`]: text made fit to be shown.
//! - [`cli`], [`commands`], [`log`], [`access_log`], [`metrics`]: what an admin types and reads;
//!   [`files`]: what they wrote; [`finding`]: what is wrong with it; [`lint`]: what works, but not for
//!   everybody; [`clients`]: what each mail client asks and does.
//!
//! Who may use whom is told in `docs/architecture.md` and held by `tests/house.rs`.

pub mod access_log;
pub mod account;
pub mod address;
pub mod cache;
pub mod cli;
pub mod clients;
pub mod commands;
pub mod config;
pub mod directory;
pub mod discovery;
pub mod files;
pub mod finding;
pub mod form;
pub mod gateway;
pub mod http_cache;
pub mod language;
pub mod limits;
pub mod lint;
pub mod log;
pub mod metrics;
pub mod page;
pub mod paths;
pub mod ports;
pub mod question;
pub mod record;
pub mod request;
pub mod resolve;
pub mod responder;
pub mod response;
pub mod route;
pub mod service;
pub mod sign;
pub mod signing;
pub mod step;
pub mod url;
pub mod visible;
pub mod xml;
