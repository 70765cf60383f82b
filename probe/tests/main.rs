//! What the program takes and prints. A module for each form of output; `fixtures` has the reports.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod codes;
mod config;
mod corpora;
mod fixtures;
mod html;
mod json;
mod manual;
mod matrix;
mod program;
mod requests;
mod text;
mod ways;
mod zone;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the source tree of the workspace.
fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Compares a committed file with its generated content; `UPDATE_GOLDEN=1` writes it.
fn committed(path: &str, content: &[u8]) {
    let file = source(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("folder");
        fs::write(&file, content).expect(path);
    }
    let found = fs::read(&file).unwrap_or_default();
    assert!(found == content, "{path} is not what the code says; UPDATE_GOLDEN=1 rewrites it");
}
