//! Reads the files that a command was given: files, pipes and standard input (`-`), up to a size.
//!
//! Unlike the files of a service, they may be pipes: `--doveconf <(docker exec mail doveconf -n)`.

use super::output::Failed;
use crate::files;
use rustix::fs::FileType;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The name of standard input.
pub(super) const STDIN: &str = "-";

/// Reads a file of at most `max` bytes; the message of the error names it.
pub(super) fn read(path: &Path, max: u64) -> Result<Vec<u8>, Failed> {
    let name = name(path);
    let failed =
        |error: io::Error| Failed::could_not_run(format!("{name}: {}", files::reason(&error)));
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == STDIN {
        true => io::stdin().take(max + 1).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes)),
    };
    read.map_err(failed)?;
    if bytes.len() as u64 > max {
        return Err(Failed::could_not_run(format!("{name}: it is larger than {} MiB", max >> 20)));
    }
    Ok(bytes)
}

/// The error for an input without a byte.
pub(super) fn empty(path: &Path) -> Failed {
    let why = match is_pipe(path) {
        true => "it is empty: the command before this one has failed, or has found nothing",
        false => "the file is empty",
    };
    Failed::found(format!("{}: {why}", name(path)))
}

/// Refuses standard input in more than one place.
pub(super) fn once<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Result<(), Failed> {
    match files.filter(|file| file.as_os_str() == STDIN).count() {
        0 | 1 => Ok(()),
        _ => Err(Failed::could_not_run(format!("{STDIN} can be given once: it is standard input"))),
    }
}

/// True for a pipe: the command that writes into it may fail.
pub(super) fn is_pipe(path: &Path) -> bool {
    let mode = match path.as_os_str() == STDIN {
        true => rustix::fs::fstat(io::stdin()),
        false => rustix::fs::stat(path),
    };
    mode.is_ok_and(|it| FileType::from_raw_mode(it.st_mode) == FileType::Fifo)
}

/// How a file is named in messages and comments.
pub(super) fn name(path: &Path) -> String {
    match path.as_os_str() == STDIN {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}
