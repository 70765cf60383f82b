//! Logins from a source, for domains whose logins no rule can make: a file, or a server on this
//! machine that is asked for the login of an address.
//!
//! A protocol is a file without I/O: `socketmap` and `userdb` write requests and read replies. A
//! `source` is what is configured; `lookup` finds the login of a mailbox, or returns the question to
//! ask, which is a step of a request (`crate::step`); `lookups` keeps the answers (`cache`) and knows
//! which servers fail. An answer that is not a login is a failure; with a failure, documents are as
//! without a source.

pub mod answer;
mod cache;
pub mod lookup;
pub mod lookups;
pub mod socketmap;
pub mod source;
pub mod userdb;
