//! Writes the configuration that a command has made, or prints it.
//!
//! The file is written beside its place and moved there. A file that exists is not overwritten without
//! `--force`, and is kept as `FILE.bak` then.

use super::loading::CHECKS;
use super::output::{COULD_NOT_RUN, FOUND, print};
use crate::cli;
use crate::config::check;
use crate::draft::{self, Draft};
use crate::log;
use crate::visible::visible;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Takes out what cannot be used, reports the notes, and writes the configuration to `target`, or to
/// standard output.
pub(super) fn write(mut draft: Draft, target: &Path, output: &cli::Output) -> ExitCode {
    draft.settle();
    draft::fit(&mut draft, &|text| match check::text(target, text, &CHECKS) {
        Ok(_) => Ok(()),
        Err(findings) => Err(findings.first().map(|it| it.message.clone()).unwrap_or_default()),
    });
    for note in &draft.notes {
        // Standard error may be closed.
        writeln!(io::stderr(), "{}", visible(&note.to_string())).ok();
    }
    if let Some(missing) = draft.missing() {
        log::error(&format!("no configuration was written: {missing} is missing"));
        return ExitCode::from(FOUND);
    }
    let text = draft::write(&draft);
    if output.stdout {
        return print(text);
    }
    match put(target, &text, output.force) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            log::error(&message);
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// Writes the file; the error is a message about it.
fn put(target: &Path, text: &str, force: bool) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", target.display());
    let beside = |ending: &str| {
        let mut name = target.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let is_there = target.symlink_metadata().is_ok();
    if is_there && !force {
        return Err(format!(
            "{}: the file exists; --force overwrites it, --stdout prints the configuration",
            target.display()
        ));
    }
    let new = beside(&format!(".{}", std::process::id()));
    let mut file = File::create_new(&new).map_err(failed)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let kept = written.and_then(|()| match is_there {
        true => fs::copy(target, beside(".bak")).map(|_| ()),
        false => Ok(()),
    });
    kept.and_then(|()| fs::rename(&new, target)).map_err(|error| {
        fs::remove_file(&new).ok();
        failed(error)
    })
}
