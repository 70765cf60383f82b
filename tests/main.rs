//! The integration tests: one binary, since linking is slow; one module per topic.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and print why they skip something"
)]

mod common;

mod addresses;
mod agreement;
mod ask;
mod commands;
mod configuration;
mod conformance;
mod container;
mod dist;
mod documents;
mod environment;
mod explain;
mod findings;
mod folder;
mod gateway;
mod hook;
mod hostile;
mod house;
mod import;
mod import_documents;
mod import_domains;
mod init;
mod installation;
mod international;
mod keys;
mod languages;
mod links;
mod lists;
mod logins;
mod malformed;
mod manual;
mod model;
mod names;
mod pacc;
mod page;
mod paths;
mod patterns;
mod placement;
mod ports;
mod records;
mod regression;
mod reload;
mod rewriting;
mod servers;
mod shared;
#[cfg(feature = "sign")]
mod signing;
mod takeover;
mod templates;
mod upgrade;
mod values;
mod watching;
mod well_known;
mod words;
