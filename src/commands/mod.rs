//! The commands of this program, one file each.
//!
//! Only this module may use all others. Exit status: 0 success, 1 errors were found, 2 the command
//! could not be run. `loading` reads the configuration for all commands, and `output` escapes
//! characters that a terminal would interpret.

pub mod cgi;
pub mod check;
pub mod dns;
mod draft_file;
pub mod explain;
pub mod health;
pub mod hook;
pub mod import;
mod import_domains;
pub mod init;
mod input;
mod loading;
pub mod names;
mod next_steps;
mod output;
mod placement;
pub mod probe;
mod redirect;
mod replaced;
pub mod serve;
pub mod show;
mod sources;

pub use loading::{CHECKS, fit};

use crate::cli::{Cli, Command};
use crate::config::find::Source;
use crate::gateway::listener;
use crate::sign;
use crate::visible::{visible, visible_lines};
use clap::{CommandFactory, Parser};
use output::{COULD_NOT_RUN, print};
use std::io::{self, Write};
use std::process::ExitCode;

/// Runs the command of the command line.
pub fn run() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // All others are those of another program.
    if arguments.next().is_some_and(|it| it == probe::COMMAND) {
        return probe::run(arguments);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let environment: Vec<_> = std::env::vars_os().collect();
    let source = Source::new(cli.config, &environment);
    if cli.version {
        return print(version());
    }
    match cli.command {
        Some(Command::Init(arguments)) => init::run(&arguments, &source),
        Some(Command::Import(arguments)) => import::run(&arguments, &source),
        Some(Command::Serve(arguments)) => serve::run(arguments, source),
        Some(Command::Show(arguments)) => show::run(&arguments, &source),
        Some(Command::Dns(arguments)) => dns::run(&arguments, &source),
        Some(Command::Names(arguments)) => names::run(&arguments, &source),
        Some(Command::Check(arguments)) => check::run(&arguments, &source),
        Some(Command::Hook(arguments)) => hook::run(&arguments, &source),
        Some(Command::Health(arguments)) => health::run(&arguments),
        Some(Command::Probe(_)) => probe::refuse(),
        None => match listener::inherited() {
            // Started by a web server or by socket activation.
            Ok(listeners) if !listeners.is_empty() => serve::inherited(listeners, source),
            Ok(_) => {
                // Standard error may be closed.
                write!(io::stderr(), "{}", Cli::command().render_help()).ok();
                ExitCode::from(COULD_NOT_RUN)
            }
            Err(error) => serve::cannot_inherit(&error),
        },
    }
}

/// Prints help, or the error in the command line.
fn usage(error: &clap::Error) -> ExitCode {
    let mut text = error.render().to_string();
    if !error.use_stderr() {
        return print(text);
    }
    // Clap quotes arguments unchanged, line breaks included.
    for argument in std::env::args_os().skip(1) {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for quoted in [&*argument, value] {
            let shown = visible(quoted);
            if shown != quoted {
                text = text.replace(quoted, &shown);
            }
        }
    }
    // Standard error may be closed.
    write!(io::stderr(), "{}", visible_lines(&text)).ok();
    ExitCode::from(COULD_NOT_RUN)
}

/// `mailsetup 0.2.0, OpenSSL 3.0.19 …`
fn version() -> String {
    let signing = sign::library_version().unwrap_or("without signing");
    format!("mailsetup {}, {signing}\n", env!("CARGO_PKG_VERSION"))
}
