//! Decides how this program was started; the rest is in the library.

use mailsetup::{commands, gateway};
use std::process::ExitCode;

fn main() -> ExitCode {
    // This comes first: in CGI mode, the client controls the command line.
    match gateway::cgi::is_cgi() {
        true => commands::cgi::run(),
        false => commands::run(),
    }
}
