//! Writes a configuration from what the mail servers of a machine say about themselves.
//!
//! `this` asks the programs of this machine, `given` reads their outputs from files, `contents` reads the
//! certificates and lists that they name, `run` runs a program.

mod contents;
mod given;
mod run;
mod this;

use super::draft_file;
use super::next_steps::Made;
use crate::cli;
use crate::config::find::{SYSTEM, Source};
use crate::init::assemble::assemble;
use std::path::Path;
use std::process::ExitCode;

/// Reads the mail servers, and writes the configuration.
pub fn run(arguments: &cli::Init, source: &Source) -> ExitCode {
    let target = source.named().unwrap_or(Path::new(SYSTEM));
    let (made, read) = match given::is_used(arguments) {
        true => (Made::Elsewhere, given::read(arguments)),
        false => (Made::Here, Ok(this::read())),
    };
    let machine = match read {
        Ok(machine) => machine,
        Err(failed) => return failed.exit(),
    };
    draft_file::write(made, assemble(&machine), target, &arguments.output)
}
