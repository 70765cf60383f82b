//! Configurations and documents of programs that answered mail clients before: bytes in, a draft of a
//! configuration out.
//!
//! A reader for each kind of file; `kind` recognises it by its content. A reader names each value that it
//! cannot carry over. `domains` reads the domains in the output of a database client. No I/O.

pub mod autoconfig;
mod cells;
pub mod domains;
mod embedded;
mod encoding;
mod entries;
mod env_file;
pub mod environment;
pub mod go_autoconfig;
pub mod ini;
pub mod isp_mail_config;
mod kind;
mod marked;
mod part;
pub mod php;
pub mod pox;
pub mod profile;
mod prose;
mod responders;
pub mod seed;
pub mod solarssk;
pub mod yaml;

pub use kind::read;
pub use seed::STATEMENT;
