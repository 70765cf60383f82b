//! Reads the command line, runs what it asks for, and ends with the exit status: 0 nothing is wrong, 1 there
//! are errors or warnings, 2 the program could not do what was asked for.

use mailsetup_probe::cli::{self, Options, Wanted};
use mailsetup_probe::finding::Code;
use mailsetup_probe::password;
use mailsetup_probe::progress::Progress;
use mailsetup_probe::report::{self, Report, complain, print_text};
use std::fmt::Display;
use std::process::ExitCode;

fn main() -> ExitCode {
    start(&[], |_, _| Err("this build cannot ask the network"))
}

/// Runs the program with the codes of its findings, and with the function that looks at a domain.
fn start<E: Display>(
    codes: &[Code],
    look: impl FnOnce(&Options, &Progress) -> Result<Report, E>,
) -> ExitCode {
    let (mut options, is_login) = match cli::parse(std::env::args_os()) {
        Ok(Wanted::Probe(options, is_login)) => (options, is_login),
        Ok(Wanted::Print(text)) => return print_text(&text),
        Ok(Wanted::Explain(code)) => {
            return match cli::explain(&code, codes) {
                Ok(text) => print_text(&text),
                Err(message) => complain(&message),
            };
        }
        Err(message) => return complain(&message),
    };
    if is_login {
        match password::ask(&format!("Password of {}: ", options.target)) {
            Ok(password) => options.password = Some(password),
            Err(message) => return complain(&message),
        }
    }
    let progress = Progress::new(options.output != cli::Output::Nothing);
    let result = look(&options, &progress);
    drop(progress);
    match result {
        Ok(report) => report::print(&report, &options),
        Err(error) => complain(&error.to_string()),
    }
}
