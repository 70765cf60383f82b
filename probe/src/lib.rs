//! Says for a mail domain which mail clients find their settings, and why the others do not.
//!
//! ```text
//! command line ─ cli ─▶ Options
//!   Options ─ look ──▶ Facts      asks DNS, web and mail servers, as the clients do
//!   Facts ── play ───▶ Verdicts   what each client makes of it
//!   Facts ── judge ──▶ Findings   what is wrong, and whom it hurts
//!   both ─── report ─▶ text, JSON, HTML, a configuration, zone lines
//! ```
//!
//! - [`net`]: DNS, TLS, HTTP and the mail protocols; asks and records, and does not judge.
//! - [`read`]: readers of what is published.
//! - [`finding`]: the kinds of findings. [`report`]: what is printed.
//!
//! The clients and their rules are the table of `mailsetup::clients`.

pub mod facts;
pub mod finding;
pub mod net;
pub mod plan;
pub mod read;
pub mod report;
