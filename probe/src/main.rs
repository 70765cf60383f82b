//! Reads the command line, runs what it asks for, and ends with the exit status: 0 nothing is wrong, 1 there
//! are errors or warnings, 2 the program could not do what was asked for.

use mailsetup_probe::cli::{self, Wanted};
use mailsetup_probe::password;
use mailsetup_probe::probe;
use mailsetup_probe::progress::Progress;
use mailsetup_probe::report::print::{complain, print, print_text};
use mailsetup_probe::report::text::fold;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (mut options, is_login) = match cli::parse(std::env::args_os()) {
        Ok(Wanted::Probe(options, is_login)) => (options, is_login),
        Ok(Wanted::Print(text)) => return print_text(&text),
        Ok(Wanted::Explain(code)) => {
            return match cli::explain(&code) {
                Ok(text) => print_text(&fold(&text)),
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
    let result = probe::run(&mut options, &progress);
    drop(progress);
    match result {
        Ok(report) => print(&report, &options),
        Err(error) => complain(&error.to_string()),
    }
}
