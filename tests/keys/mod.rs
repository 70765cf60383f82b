//! Every key of the configuration is described once, in the comments of the structs in
//! `src/config/file.rs` and `src/config/whole_file.rs`. The example, the tables in mailsetup.toml(5)
//! and the JSON Schema are made of these, and committed. `make keys` (`UPDATE_GOLDEN=1`) rewrites
//! them.

mod agreement;
mod example;
mod manual;
mod schema;
pub mod source;

use crate::manual::committed;
use source::Source;
use std::fs;

fn frame(path: &str) -> String {
    let text = fs::read_to_string(crate::common::source(path)).expect(path);
    // A table that is not in the frame would be missing in the documents.
    for table in Source::read().tables().map(|table| table.name.as_str()).chain(["domain"]) {
        let marks = text.lines().filter(|line| *line == format!("@{table}@")).count();
        assert_eq!(marks, 1, "{path}: a line `@{table}@` is expected once");
    }
    text
}

#[test]
fn the_example_is_up_to_date() {
    let text = example::write(&Source::read(), &frame("contrib/config.example.toml.in"));
    committed("contrib/config.example.toml", text.as_bytes(), "keys");
}

#[test]
fn the_manual_is_up_to_date() {
    let text = manual::write(&Source::read(), &frame("man/mailsetup.toml.5.in"));
    committed("man/mailsetup.toml.5", text.as_bytes(), "keys");
}

#[test]
fn the_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(&schema::write(&Source::read())).expect("JSON") + "\n";
    committed("contrib/mailsetup.schema.json", text.as_bytes(), "keys");
}
