//! The output of commands, and their exit statuses.
//!
//! Characters that a terminal would interpret are escaped: control and direction characters in
//! names and values always, those in a document only if standard output is a terminal.

use crate::address::Domain;
use crate::files;
use crate::finding::Finding;
use crate::log;
use crate::visible::{visible_json, visible_lines};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

/// Errors were found: in the configuration, or in the requested settings.
pub(super) const FOUND: u8 = 1;
/// The command could not be run; also clap's status for a wrong command line.
pub(super) const COULD_NOT_RUN: u8 = 2;

/// Why a command has failed: its exit status, and a message.
pub(super) struct Failed(u8, String);

impl Failed {
    /// Errors were found, in what was read.
    pub(super) fn found(message: impl Into<String>) -> Failed {
        Failed(FOUND, message.into())
    }

    /// The command could not be run: a file that cannot be read or written.
    pub(super) fn could_not_run(message: impl Into<String>) -> Failed {
        Failed(COULD_NOT_RUN, message.into())
    }

    /// Logs the message, and returns the exit status.
    pub(super) fn exit(self) -> ExitCode {
        log::error(&self.1);
        ExitCode::from(self.0)
    }
}

/// Prints errors.
pub(super) fn complain(errors: &[Finding]) -> ExitCode {
    log::findings(errors);
    ExitCode::from(FOUND)
}

/// The message for a domain that is not configured.
pub(super) fn not_ours(domain: &Domain) -> String {
    format!(
        "{} is not a configured domain: there is no [domain] table, list entry or file for it",
        domain.for_people()
    )
}

/// Prints to standard output; a reader that has closed the pipe is not an error.
pub(super) fn print(text: impl AsRef<[u8]>) -> ExitCode {
    let mut stdout = io::stdout().lock();
    ended(stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()))
}

/// Prints what `write` writes, without collecting it; fails with the exit status of an error, which
/// is logged. A reader that has closed the pipe is not an error.
pub(super) fn print_each(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ExitCode> {
    let mut output = BufWriter::new(io::stdout().lock());
    let written = write(&mut output).and_then(|()| output.flush());
    match &written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(ended(written)),
        _ => Ok(()),
    }
}

/// The exit status of a command that has written its output; the reader may have closed the pipe.
pub(super) fn ended(written: io::Result<()>) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            log::error(&format!("standard output: {}", files::reason(&error)));
            ExitCode::from(COULD_NOT_RUN)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints a document byte for byte; on a terminal, with escapes.
pub(super) fn print_document(document: &[u8]) -> ExitCode {
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

/// Prints JSON with characters that a terminal would interpret escaped, and without buffering all
/// of it: a finding can name many domains.
pub(super) fn print_json(value: &impl Serialize) -> ExitCode {
    let mut output = Escaping(BufWriter::new(io::stdout().lock()));
    let written = serde_json::to_writer_pretty(&mut output, value).map_err(io::Error::from);
    ended(written.and_then(|()| output.0.write_all(b"\n")).and_then(|()| output.0.flush()))
}

/// Writes JSON with escapes in place of invisible characters.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    /// Expects whole characters, as serde_json writes them.
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(json)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.0.write_all(visible_json(text).as_bytes())?;
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
