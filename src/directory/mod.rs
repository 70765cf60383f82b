//! Configured domains that are outside the configuration file.
//!
//! `list` reads files with one domain a line; `domains_d` opens a file by a domain's name. Neither
//! depends on the configuration.

pub mod domains_d;
mod line;
pub mod list;
mod names;
mod search;
mod searched;
mod text;

/// A source of domains cannot be read; the log has the details.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DirectoryError;
