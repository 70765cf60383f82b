//! The configuration: the configured domains, and the settings of their accounts.
//!
//! `file` and `whole_file` hold the structure of the file, and the description of each key;
//! `spanned` has values with their places. `syntax` parses a text into TOML tables, `read` fills
//! the structs, with the tables of a domain over those of the base (`reader` has the known keys and
//! places, `node` the values), `merge` has the rules between keys, `values` parses single values,
//! `build` makes settings of them, `entry` has those of one domain, and `check` makes a [`Config`]
//! of all, or reports the errors (`checker` collects them; `limits` are those of the service).
//! `lookup` is the [`Config`], in which domains are looked up; `exact` has those named exactly,
//! `patterns` the tables that are for more than one. `parts` limits the memory of the parser,
//! `places` finds the line of a setting, `settings` makes an account of the settings that were
//! found, `room` says for which domains these are alike, `find` finds the file, `environment` reads
//! variables that set `keys`, `overlay` lays them over the file, `reload` keeps a running service up
//! to date, and `defaults` has the built-in defaults. A [`Config`] is always complete and valid.

mod build;
pub mod check;
mod checker;
pub mod defaults;
pub mod entry;
pub mod environment;
mod exact;
mod faults;
pub mod file;
pub mod find;
pub mod keys;
mod limits;
mod login;
pub mod lookup;
mod merge;
mod node;
pub mod overlay;
mod page;
pub mod parts;
pub mod patterns;
pub mod places;
pub mod read;
pub mod reader;
pub mod reload;
pub mod report;
pub mod room;
mod searches;
pub mod settings;
mod spanned;
mod syntax;
mod template;
pub mod value_checks;
mod values;
mod whole_file;

pub use entry::{Base, Entry};
pub use lookup::{Answer, Config, Log, NotFound, StatusPaths, Unread};
