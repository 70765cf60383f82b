//! mailsetup provides mail clients with the settings of an account.
//!
//! A map of the crate. A request passes through these steps, each arrow is one function:
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
//! - [`gateway`]: requests in, responses out: [`gateway::cgi`], [`gateway::fastcgi`],
//!   [`gateway::http`]; accepted by [`gateway::server`] on [`gateway::listener`]s.
//! - [`request`], [`question`], [`response`]: the HTTP request, the requested document, the HTTP
//!   response; [`step`]: the next step of a request; [`record`]: what is logged about a response;
//!   [`limits`]: sizes, times and connections.
//! - [`responder`]: all steps in one function; [`http_cache`]: HTTP caching; [`cache`]: documents
//!   that were written before; [`form`]: a document with gaps. [`service`]: a running service:
//!   reload, cache, metrics, log.
//! - [`paths`], [`route`]: the paths that are served, and the discovery protocol of each.
//! - [`discovery`]: the protocols; each turns a question into a document:
//!   [`discovery::autoconfig`], [`discovery::autodiscover`], [`discovery::mobileconfig`],
//!   [`discovery::pacc`].
//! - [`page`]: the page for mailbox owners, and its texts in several [`language`]s.
//! - [`resolve`], [`config`], [`directory`]: the domain of a question, and its settings.
//! - [`login`]: logins of single mailboxes, from a file or a server.
//! - [`account`], [`address`], [`url`]: the model that every document is written from; [`ports`]:
//!   the registered ports.
//! - [`xml`], [`sign`]: markup and signatures; other modules do not use their libraries;
//!   [`signing`]: the files of the signatures.
//! - [`language`]: the choice between several texts; [`visible`]: escaping of text that is shown;
//!   [`zone`]: DNS records; [`web_names`]: the host names that certificates need.
//! - [`init`], [`import`]: configurations of mail servers and of programs that answered before;
//!   [`draft`]: the configuration that is made of them.
//! - [`cli`], [`commands`], [`log`], [`access_log`], [`metrics`]: command line, log and metrics;
//!   [`files`]: reads the admin's files; [`finding`]: errors and warnings; [`lint`]: settings that
//!   do not work for all clients; [`clients`]: requests and limitations of each mail client;
//!   [`order`]: sorting, for all that is not on the way of a request.
//!
//! `docs/architecture.md` describes which module may use which; `tests/house.rs` checks it.

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
pub mod draft;
pub mod files;
pub mod finding;
pub mod form;
pub mod gateway;
pub mod http_cache;
pub mod import;
pub mod init;
pub mod language;
pub mod limits;
pub mod lint;
pub mod log;
pub mod login;
pub mod metrics;
pub mod order;
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
pub mod web_names;
pub mod xml;
pub mod zone;
