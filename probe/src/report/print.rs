//! Writes the report to standard output and to the file of `--html`, and chooses the exit status.

use super::{Report, config, html, json, text, zone};
use crate::cli::{Options, Output};
use mailsetup::visible::visible_lines;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// The exit status if there are errors or warnings, or nothing to make a configuration of.
pub const FOUND: u8 = 1;
/// The exit status if the program could not do what was asked for.
pub const COULD_NOT: u8 = 2;

/// Prints the report in the form of the options; returns the exit status.
pub fn print(report: &Report, options: &Options) -> ExitCode {
    if let Some(file) = &options.html {
        if let Err(error) = write_file(file, &html::write(report)) {
            return complain(&format!("{}: {error}", file.display()));
        }
    }
    let written = match options.output {
        Output::Nothing => Ok(()),
        Output::Text => out(&text::write(report, is_coloured())),
        Output::Json => out(&json::write(report)),
        Output::MissingDns => out(&zone::write(report)),
        Output::Config => match config::write(report) {
            Ok(text) => out(&text),
            Err(reason) => {
                complain(&reason);
                return ExitCode::from(FOUND);
            }
        },
    };
    if let Err(error) = written {
        return complain(&format!("standard output: {error}"));
    }
    match options.output {
        Output::Config | Output::MissingDns => ExitCode::SUCCESS,
        _ if report.has_faults() => ExitCode::from(FOUND),
        _ => ExitCode::SUCCESS,
    }
}

/// Prints a text to standard output; returns the exit status.
pub fn print_text(text: &str) -> ExitCode {
    match out(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("standard output: {error}")),
    }
}

/// Prints why the program could not do what was asked for; returns the exit status.
pub fn complain(message: &str) -> ExitCode {
    // Standard error may be closed.
    writeln!(io::stderr(), "mailsetup-probe: {}", visible_lines(message.trim_end())).ok();
    ExitCode::from(COULD_NOT)
}

/// Colours are for terminals, and for users who have not switched them off (no-color.org).
fn is_coloured() -> bool {
    let is_off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    !is_off && io::stdout().is_terminal()
}

/// Writes to standard output. A reader that has closed the pipe is not an error.
fn out(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes)
}
