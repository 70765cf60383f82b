//! Writes the configuration that a command has made, or prints it.
//!
//! The file is written beside its place and moved there. A file that exists is not overwritten without
//! `--force`, and is kept then. The findings of `mailsetup check` and the next steps follow.

use super::loading::{CHECKS, fit};
use super::next_steps::{Made, steps};
use super::output::{COULD_NOT_RUN, FOUND, print};
use super::replaced;
use crate::cli;
use crate::config::{Config, check};
use crate::draft::{self, Draft, NoteKind};
use crate::files::{self, Kind};
use crate::log;
use crate::visible::{visible, visible_lines};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The mode of the file: it has no secrets, and the service runs as a user of its own.
const MODE: u32 = 0o644;

/// How a configuration is named that is printed.
const STDOUT: &str = "standard output";

/// Takes out what cannot be used, reports the notes, and writes the configuration to `target`, or to
/// standard output.
pub(super) fn write(made: Made, mut draft: Draft, target: &Path, output: &cli::Output) -> ExitCode {
    let place = match replaced::place(target) {
        _ if output.stdout => target.to_owned(),
        Ok(place) => place,
        Err(message) => return fail(&message),
    };
    let may_replace = output.force || !output.stdout && replaced::is_of_package(&place);
    if place.exists() && !may_replace && !output.stdout {
        return fail(&exists(target));
    }
    draft.settle();
    fit(&mut draft, target);
    draft.say_once();
    for note in &draft.notes {
        say(&format!("{}\n", visible(&note.to_string())));
    }
    if let Some(missing) = draft.missing() {
        log::error(&format!("no configuration was written: {missing} is missing"));
        return ExitCode::from(FOUND);
    }
    let text = draft::write(&draft);
    let config = match check::text(target, &text, &CHECKS) {
        Ok(config) => config,
        // Each value was tried on its own.
        Err(findings) => {
            log::findings(&findings);
            return ExitCode::from(FOUND);
        }
    };
    if text.len() as u64 > Kind::Configuration.max_bytes() {
        let large = files::too_large(Kind::Configuration);
        log::error(&format!("no configuration was written: {large}; name the domains by a list"));
        return ExitCode::from(FOUND);
    }
    if output.stdout {
        let printed = print(text);
        say(&check_of(target, Path::new(STDOUT), &config, &draft));
        return printed;
    }
    let written = match put(&place, &text, may_replace) {
        Ok(written) => written,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return fail(&exists(target));
        }
        Err(error) => {
            return fail(&format!("{}: {}", target.display(), files::reason(&error)));
        }
    };
    let written = match written {
        Put::Unchanged => format!("Unchanged: {}", target.display()),
        Put::New => format!("Written: {}", target.display()),
        Put::Replaced(kept) => {
            format!("Written: {}\nThe old file: {}", target.display(), kept.display())
        }
    };
    print(format!(
        "{}\n{}\n{}",
        visible_lines(&written),
        check_of(target, target, &config, &draft),
        visible_lines(&steps(made, target, &config, &draft))
    ))
}

fn fail(message: &str) -> ExitCode {
    log::error(&message);
    ExitCode::from(COULD_NOT_RUN)
}

/// Writes to standard error, which may be closed.
fn say(text: &str) {
    io::stderr().write_all(text.as_bytes()).ok();
}

/// What `check` finds in the configuration, which is named `shown`; and how many messages there were before.
fn check_of(target: &Path, shown: &Path, config: &Config, draft: &Draft) -> String {
    log::leave_out_what_requests_find();
    let checked = super::check::of_text(target, shown, config);
    let kinds = [NoteKind::NotCarried, NoteKind::Contradiction, NoteKind::Warning];
    let counts = kinds.iter().filter_map(|kind| {
        let plural = if *kind == NoteKind::NotCarried { "" } else { "s" };
        match draft.notes.iter().filter(|note| note.kind == *kind).count() {
            0 => None,
            1 => Some(format!("1 {}", kind.label())),
            count => Some(format!("{count} {}{plural}", kind.label())),
        }
    });
    let counts: Vec<_> = counts.collect();
    match counts.is_empty() {
        true => checked,
        false => format!(
            "{checked}What was read: {} (above, and at the end of the file)\n",
            counts.join(", ")
        ),
    }
}

//------------ The file -------------------------------------------------------

fn exists(target: &Path) -> String {
    format!(
        "{}: the file exists; --force overwrites it and keeps the old one, --stdout prints the \
         configuration",
        target.display()
    )
}

/// What was done with the file.
enum Put {
    Unchanged,
    New,
    /// Where the old one is.
    Replaced(PathBuf),
}

/// Writes the file, unless it has this text already. If a file that exists may not be replaced, the error
/// is [`AlreadyExists`](io::ErrorKind::AlreadyExists).
fn put(place: &Path, text: &str, may_replace: bool) -> io::Result<Put> {
    if may_replace
        && files::read(place, Kind::Configuration).is_ok_and(|old| old == text.as_bytes())
    {
        return Ok(Put::Unchanged);
    }
    if let Some(folder) = place.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        replaced::create_folder(folder)?;
    }
    let new = replaced::new_name(place)?;
    let written = File::create_new(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()
    });
    let put = written.and_then(|()| match may_replace.then(|| replaced::keep(place)) {
        Some(Ok(kept)) => fs::rename(&new, place).map(|()| Put::Replaced(kept)),
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => move_to_free(&new, place).map(|()| Put::New),
    });
    put.inspect_err(|_| drop(fs::remove_file(&new)))
}

/// Moves a file to a place that is free. Unlike a rename, a link never overwrites a file that has come
/// into being meanwhile.
fn move_to_free(new: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(new, target) {
        Ok(()) => fs::remove_file(new),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // The file system has no links.
        Err(_) => fs::rename(new, target),
    }
}
