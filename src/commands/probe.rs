//! Starts `mailsetup-probe`, a program of its own, in place of this one: exit status and signals are
//! its own. The arguments are passed on as they are.
//!
//! The only file that starts a program, and no request leads here: the responder itself names
//! nothing that connects to other hosts.

use super::output::COULD_NOT_RUN;
use crate::files;
use crate::log;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The word of the command line.
pub(super) const COMMAND: &str = "probe";
/// The program, and the package that has it.
const PROGRAM: &str = "mailsetup-probe";

/// Becomes the program, with these arguments: the one in the folder of this program, else in `PATH`.
/// Returns only if it cannot be started.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.collect();
    // Links are resolved: the folder is that of the file.
    let this = std::env::current_exe().ok();
    let beside = this.and_then(|this| this.parent().map(|folder| folder.join(PROGRAM)));
    for program in beside.into_iter().chain([PathBuf::from(PROGRAM)]) {
        let error = Command::new(&program).args(&arguments).exec();
        if error.kind() != ErrorKind::NotFound {
            let reason = files::reason(&error);
            log::error(&format!("{} cannot be started: {reason}", program.display()));
            return ExitCode::from(COULD_NOT_RUN);
        }
    }
    log::error(&format!("{PROGRAM} is not installed; the package {PROGRAM} has it"));
    ExitCode::from(COULD_NOT_RUN)
}

/// `probe` after another option: it reads no configuration.
pub(super) fn refuse() -> ExitCode {
    log::error(&"probe reads no configuration: leave out --config");
    ExitCode::from(COULD_NOT_RUN)
}
