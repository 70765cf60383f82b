//! What can be done with this program, one file each.
//!
//! The only part that knows all the others. Exit status: 0 fine, 1 something was found to be
//! wrong, 2 it could not be tried.

pub mod cgi;
pub mod check;
pub mod dns;
pub mod serve;
pub mod show;

use crate::address::Domain;
use crate::cli::{Cli, Command};
use crate::config::{Config, check::Loading, find::Source};
use crate::finding::Finding;
use crate::gateway::listener;
use crate::{log, sign};
use clap::{CommandFactory, Parser};
use std::io::{self, Write};
use std::process::ExitCode;

/// Something was found to be wrong: the configuration, or what was asked about.
const FOUND: u8 = 1;
/// It could not be tried; also clap's code for a wrong command line.
const COULD_NOT_RUN: u8 = 2;

/// Does what the command line says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let source = Source::new(cli.config);
    if cli.version {
        return print(version());
    }
    match cli.command {
        Some(Command::Serve(arguments)) => serve::run(arguments, source),
        Some(Command::Show(arguments)) => show::run(&arguments, &source),
        Some(Command::Dns(arguments)) => dns::run(&arguments, &source),
        Some(Command::Check(arguments)) => check::run(&arguments, &source),
        None => match listener::inherited() {
            // Started by a web server or by socket activation.
            Ok(listeners) if !listeners.is_empty() => serve::inherited(listeners, source),
            Ok(_) => {
                // Nobody may be there to read it.
                write!(io::stderr(), "{}", Cli::command().render_help()).ok();
                ExitCode::from(COULD_NOT_RUN)
            }
            Err(error) => {
                serve::fail(&format!("the sockets this process was given cannot be used: {error}"))
            }
        },
    }
}

/// `mailsetup 0.1.0, OpenSSL 3.0.19 …`
fn version() -> String {
    let signing = sign::library_version().unwrap_or("without signing");
    format!("mailsetup {}, {signing}\n", env!("CARGO_PKG_VERSION"))
}

/// Reads the configuration, or says all that is wrong with it.
fn load(source: &Source) -> Result<Config, ExitCode> {
    source.load(Loading::COMMAND).map_err(|errors| complain(&errors))
}

/// What is said of a domain that is not answered.
fn not_ours(domain: &Domain) -> String {
    format!("{domain} is not answered: it is named in no [domain], list or directory")
}

fn complain(errors: &[Finding]) -> ExitCode {
    for error in errors {
        log::error(error);
    }
    ExitCode::from(FOUND)
}

/// Prints to standard output; a reader that went away is no failure.
fn print(text: impl AsRef<[u8]>) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            log::error(&format!("standard output: {error}"));
            ExitCode::from(COULD_NOT_RUN)
        }
        _ => ExitCode::SUCCESS,
    }
}
