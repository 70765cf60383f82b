//! What can be done with this program, one file each.
//!
//! The only part that knows all the others. Exit status: 0 fine, 1 something was found to be
//! wrong, 2 it could not be tried. Nothing that a terminal would obey is printed: control and
//! direction characters of names and values are escaped, those of a document only if standard
//! output is a terminal.

pub mod cgi;
pub mod check;
pub mod dns;
pub mod serve;
pub mod show;

use crate::address::Domain;
use crate::cli::{Cli, Command};
use crate::config::value_checks::ValueChecks;
use crate::config::{Config, check::Loading, find::Source};
use crate::finding::Finding;
use crate::gateway::listener;
use crate::visible::{is_visible, visible, visible_lines};
use crate::{log, page, route, sign};
use clap::{CommandFactory, Parser};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

/// The values of a configuration that the page and the table of paths judge.
pub static CHECKS: ValueChecks = ValueChecks {
    is_client_path: route::is_taken,
    template: |template| {
        page::check_template(template).map_err(|error| (error.line, error.message))
    },
    logo: page::data_uri,
};

/// Something was found to be wrong: the configuration, or what was asked about.
const FOUND: u8 = 1;
/// It could not be tried; also clap's code for a wrong command line.
const COULD_NOT_RUN: u8 = 2;

/// Does what the command line says.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
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
            Err(error) => serve::fail(&format!("the inherited sockets cannot be used: {error}")),
        },
    }
}

/// Prints help, or what is wrong with the command line.
fn usage(error: &clap::Error) -> ExitCode {
    let mut text = error.render().to_string();
    if !error.use_stderr() {
        return print(text);
    }
    // Clap quotes arguments as they are, line breaks included.
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
    // Nobody may be there to read it.
    write!(io::stderr(), "{}", visible_lines(&text)).ok();
    ExitCode::from(COULD_NOT_RUN)
}

/// `mailsetup 0.1.0, OpenSSL 3.0.19 …`
fn version() -> String {
    let signing = sign::library_version().unwrap_or("without signing");
    format!("mailsetup {}, {signing}\n", env!("CARGO_PKG_VERSION"))
}

/// Reads the configuration, or says all that is wrong with it.
fn load(source: &Source) -> Result<Config, ExitCode> {
    source.load(Loading::command(&CHECKS)).map_err(|errors| complain(&errors))
}

/// What is said of a domain that is not answered.
fn not_ours(domain: &Domain) -> String {
    format!(
        "{} is not a configured domain: there is no [domain] table, list entry or file for it",
        domain.for_people()
    )
}

fn complain(errors: &[Finding]) -> ExitCode {
    log::findings(errors);
    ExitCode::from(FOUND)
}

/// Prints to standard output; a reader that went away is no failure.
fn print(text: impl AsRef<[u8]>) -> ExitCode {
    let mut stdout = io::stdout().lock();
    ended(stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()))
}

/// The exit status of a command that has written its output; a reader may have had enough of it.
fn ended(written: io::Result<()>) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            log::error(&format!("standard output: {error}"));
            ExitCode::from(COULD_NOT_RUN)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints a document byte for byte; on a terminal, only what is safe there.
fn print_document(document: &[u8]) -> ExitCode {
    if !io::stdout().is_terminal() {
        return print(document);
    }
    match std::str::from_utf8(document) {
        Ok(text) => print(visible_lines(text)),
        Err(_) => {
            log::error(
                &"a signed profile cannot be printed to a terminal; write it to a file, for example \
                  `>ann.mobileconfig`",
            );
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// Prints JSON that holds the same and nothing that a terminal would obey, without holding it all:
/// a finding can name each of many domains.
fn print_json(value: &impl Serialize) -> ExitCode {
    let mut output = Escaping(BufWriter::new(io::stdout().lock()));
    let written = serde_json::to_writer_pretty(&mut output, value).map_err(io::Error::from);
    ended(written.and_then(|()| output.0.write_all(b"\n")).and_then(|()| output.0.flush()))
}

/// Writes JSON with escapes in the place of what is not visible.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    /// Takes whole characters, as serde_json gives them.
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(json)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        for c in text.chars() {
            // A line break stands between values: serde_json escapes those inside of strings.
            if c == '\n' || is_visible(c) {
                self.0.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(self.0, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
