//! Which domains are ours, where they are not written in the configuration itself.
//!
//! `list` reads files that hold a domain a line; `domains_d` opens a file by a domain's name.
//! Neither knows what a configuration is.

pub mod domains_d;
pub mod list;

/// A source of domains cannot be read; what and why is in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DirectoryError;
