//! Configured domains that are outside the configuration file.
//!
//! `list` reads files with one domain a line, `map` files with an address and its login a line;
//! `domains_d` opens a file by a domain's name. None depends on the configuration.
//! `list` reads files with one domain a line; `domains_d` opens a file by a domain's name; `name` is
//! what a table, a file or a line may be for. None depends on the configuration.

pub mod domains_d;
mod line;
pub mod list;
pub mod map;
mod names;
mod noted;
mod search;
mod searched;
mod text;
pub mod name;

/// A source of domains cannot be read; the log has the details.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DirectoryError;
