//! The integration tests: one binary, since every link costs time; one module per topic.

mod common;

mod commands;
mod configuration;
mod conformance;
mod documents;
mod house;
mod manual;
mod servers;
