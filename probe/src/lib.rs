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
//! - [`cli`]: the command line; [`probe`]: the whole way in one function.
//! - [`net`]: DNS, TLS, HTTP and the mail protocols; asks and records, and does not judge.
//! - [`facts`]: what was observed; [`plan`]: from the step of a client to its requests; [`look`]:
//!   makes them; [`login`]: which servers may be sent a password.
//! - [`read`]: readers of what is published, as each client reads it.
//! - [`play`]: what each client makes of the facts.
//! - [`calendar`]: days, for people.
//! - [`finding`], [`codes`]: the kinds of findings. [`faults`]: what is wrong; [`judge`]: whom it hurts.
//! - [`report`]: what is printed; [`progress`]: the line that says what is being done; [`password`]:
//!   asks for it.
//!
//! The clients and their rules are the table of `mailsetup::clients`.

pub mod calendar;
pub mod cli;
pub mod codes;
pub mod facts;
pub mod faults;
pub mod finding;
pub mod judge;
pub mod login;
pub mod look;
pub mod net;
pub mod password;
pub mod plan;
pub mod play;
pub mod probe;
pub mod progress;
pub mod read;
pub mod report;
