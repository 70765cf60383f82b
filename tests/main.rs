//! The integration tests: one binary, since every link costs time; one module per topic.

mod common;

mod conformance;
mod documents;
mod servers;
