//! Writes a configuration from what the mail servers of a machine say about themselves.

use super::draft_file;
use crate::cli;
use crate::config::find::{SYSTEM, Source};
use crate::draft::Draft;
use std::path::Path;
use std::process::ExitCode;

/// Reads the mail servers, and writes the configuration.
pub fn run(arguments: &cli::Init, source: &Source) -> ExitCode {
    let target = source.named().unwrap_or(Path::new(SYSTEM));
    draft_file::write(Draft::default(), target, &arguments.output)
}
