//! A file that a command replaces: where it lies, and where the old one is kept.
//!
//! A link stays, and the file that it leads to is replaced. Refuses what is not a file, and links that lead
//! to nothing.

use crate::files;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The end of the name of an old file; a number follows if that file exists.
const KEPT: &str = ".bak";

/// The file to be replaced, which may not exist yet; the error is a message that names it.
pub(super) fn place(path: &Path) -> Result<PathBuf, String> {
    let refused = |why: &str| Err(format!("{}: {why}", path.display()));
    let resolved = match path.is_symlink() {
        true => path.canonicalize(),
        false => Ok(path.to_owned()),
    };
    match resolved.and_then(|resolved| Ok((resolved.metadata()?, resolved))) {
        Ok((meta, resolved)) if meta.is_file() => Ok(resolved),
        Ok(_) => refused("it is not a file"),
        Err(error) if error.kind() != ErrorKind::NotFound => refused(&files::reason(&error)),
        Err(_) => match path.read_link() {
            Ok(target) => {
                refused(&format!("it is a link to {}, which does not exist", target.display()))
            }
            Err(_) => Ok(path.to_owned()),
        },
    }
}

/// Keeps the file as `FILE.bak`, or if there is one, as `FILE.bak.1` and so on, with its owner and mode. It
/// stays in its place, too: there is a file at any time. Returns the path of the old file.
pub(super) fn keep(file: &Path) -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let mut kept = file.as_os_str().to_owned();
        kept.push(KEPT);
        if number > 0 {
            kept.push(format!(".{number}"));
        }
        let kept = PathBuf::from(kept);
        match fs::hard_link(file, &kept).or_else(|error| match error.kind() {
            ErrorKind::AlreadyExists => Err(error),
            // The file system has no links, or the file is another user's.
            _ => copy(file, &kept),
        }) {
            Ok(()) => return Ok(kept),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Copies a file to a place that is free.
fn copy(file: &Path, kept: &Path) -> io::Result<()> {
    let mut old = File::open(file)?;
    let mut new = File::create_new(kept)?;
    let copied = old
        .metadata()
        .and_then(|meta| new.set_permissions(meta.permissions()))
        .and_then(|()| io::copy(&mut old, &mut new));
    copied.map(drop).inspect_err(|_| drop(fs::remove_file(kept)))
}
