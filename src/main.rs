//! Decides how this program was started; all else is the library.

use mailsetup::{commands, gateway};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: in CGI mode, the command line is written by strangers.
    match gateway::cgi::is_cgi() {
        true => commands::cgi::run(),
        false => commands::run(),
    }
}
