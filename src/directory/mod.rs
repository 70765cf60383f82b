//! Configured domains and logins that are outside the configuration file.
//!
//! `list` reads files with one domain a line, `map` files with an address and its login a line;
//! `domains_d` opens a file by a domain's name, `layout` knows where it lies, and `kept` holds what was
//! read; `name` is what a table, a file or a line may be for. None depends on the configuration.

pub mod domains_d;
mod kept;
pub mod layout;
mod line;
pub mod list;
pub mod map;
pub mod name;
mod names;
mod noted;
mod search;
mod searched;
mod text;
