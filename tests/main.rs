//! The integration tests: one binary, since every link costs time; one module per topic.

mod common;

mod addresses;
mod agreement;
mod commands;
mod configuration;
mod conformance;
mod corpora;
mod documents;
mod findings;
mod gateway;
mod hostile;
mod house;
mod installation;
mod international;
mod keys;
mod malformed;
mod manual;
mod model;
mod pacc;
mod page;
mod paths;
mod ports;
mod regression;
mod reload;
mod rewriting;
mod servers;
#[cfg(feature = "sign")]
mod signing;
mod templates;
mod watching;
mod words;
