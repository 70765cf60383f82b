//! Writes a configuration from documents and configurations of programs that answered before.

use super::draft_file;
use crate::cli;
use crate::config::find::{SYSTEM, Source};
use crate::draft;
use std::path::Path;
use std::process::ExitCode;

/// Reads the files, and writes the configuration.
pub fn run(arguments: &cli::Import, source: &Source) -> ExitCode {
    let target = source.named().unwrap_or(Path::new(SYSTEM));
    draft_file::write(draft::merge(Vec::new()), target, &arguments.output)
}
