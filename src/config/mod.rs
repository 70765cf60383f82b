//! The configuration: which domains are ours, and what their accounts look like.
//!
//! `file` and `whole_file` hold the shape of what is written, and the description of each key;
//! `spanned` has values with their places. `syntax` makes TOML tables of a text, `read` fills the
//! shape, a domain's tables over the base's (`reader` knows keys and their places, `node` values),
//! `merge` has the rules between keys, `values` parses single values, `build` makes settings of
//! them, `entry` has those of one domain, and `check` makes a [`Config`] of all, or says what is
//! wrong (`checker` collects it; `limits` are those of the service). `lookup` is the [`Config`], in
//! which domains are looked up. `parts` limits the memory of the parser,
//! `places` knows in which line a setting is, `settings` makes an account of what was found, `find`
//! knows where the file is, `reload` keeps a running service up to date, and `defaults` is all that
//! holds without any file. A [`Config`] is never half right: it exists or it does not.

mod build;
pub mod check;
mod checker;
pub mod defaults;
pub mod entry;
mod faults;
pub mod file;
pub mod find;
mod limits;
pub mod lookup;
mod merge;
mod node;
pub mod parts;
pub mod places;
pub mod read;
mod reader;
pub mod reload;
pub mod report;
pub mod settings;
mod spanned;
mod syntax;
mod template;
pub mod value_checks;
mod values;
mod whole_file;

pub use entry::{Base, Entry};
pub use lookup::{Answer, Config, Log, NotFound, StatusPaths, Unread};
