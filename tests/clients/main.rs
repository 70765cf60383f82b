//! Real mail clients with a real mail host: with an address and a password, they must find the
//! settings that `mailsetup show` prints, and log in with them.
//!
//! `make test-clients` installs them and runs this; docs/clients.md describes the requests of each.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and print why they skip something"
)]

#[path = "../common/mod.rs"]
mod common;

mod account;
mod certificates;
mod delta_chat;
mod dns;
mod init;
mod machine;
mod marionette;
mod pimalaya;
mod rpc;
mod thunderbird;
mod world;

use std::fs;

/// docs/clients.md names the requests of each client by how their files begin.
#[test]
fn every_recorded_client_has_its_row() {
    let table = fs::read_to_string(common::source("docs/clients.md")).expect("docs/clients.md");
    let beginnings: Vec<&str> =
        table.split('`').filter_map(|word| word.strip_suffix("-*")).collect();
    for request in fs::read_dir(common::source("tests/fixtures/requests")).expect("requests") {
        let name = request.expect("a file").file_name().into_string().expect("text");
        let name = name.trim_end_matches(".http");
        let listed = beginnings.iter().any(|beginning| name.starts_with(beginning))
            || table.contains(&format!("`{name}`"));
        assert!(listed, "docs/clients.md has no row for {name}");
    }
}
