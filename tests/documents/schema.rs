//! Checks documents by the schemas in `fixtures/schema`, with xmllint and plistutil.

use crate::common::{command, run, source};
use std::path::{Path, PathBuf};

/// xmllint's exit status for a document that the schema refuses.
const REFUSED: i32 = 3;

pub fn autoconfig(files: &[PathBuf]) {
    for file in files {
        assert!(passes_autoconfig(file), "{}", file.display());
    }
}

pub fn autodiscover(files: &[PathBuf]) {
    for file in files {
        assert!(passes_autodiscover(file), "{}", file.display());
    }
}

pub fn passes_autoconfig(file: &Path) -> bool {
    passes("--relaxng", "autoconfig.rng", file)
}

pub fn passes_autodiscover(file: &Path) -> bool {
    passes("--schema", "autodiscover.xsd", file)
        && passes("--relaxng", "autodiscover-rules.rng", file)
}

fn passes(kind: &str, schema: &str, file: &Path) -> bool {
    let schema = source("tests/fixtures/schema").join(schema);
    let mut xmllint = command("xmllint");
    xmllint.args(["--noout", "--nonet", kind]).arg(schema).arg(file);
    let output = xmllint
        .output()
        .unwrap_or_else(|error| panic!("xmllint: {error}; is libxml2-utils installed?"));
    match output.status.code() {
        Some(0) => true,
        Some(REFUSED) => {
            // The reason for the failure of the test.
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            false
        }
        _ => panic!("xmllint: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Reads property lists with an independent reader.
pub fn property_lists(files: &[&Path]) {
    for file in files {
        run(command("plistutil").arg("-i").arg(file).args(["-f", "json"]));
    }
}
