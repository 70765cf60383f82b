//! A file that a command replaces: where it lies, and where the old one is kept.
//!
//! A link stays, and the file that it leads to is replaced. Refuses what is not a file, and links that lead
//! to nothing.

use crate::files::{self, Kind};
use rustix::io::Errno;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The end of the name of an old file; a number follows if that file exists.
const KEPT: &str = ".bak";

/// The configuration that packages place.
const PACKAGED: &str = include_str!("../../packaging/config.toml");

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

/// True for the configuration without settings that a package places, as long as nobody has changed it.
pub(super) fn is_of_package(file: &Path) -> bool {
    // The first line names the schema, whose place differs.
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    files::read_text(file, Kind::Configuration).is_ok_and(|text| lines(&text) == lines(PACKAGED))
}

/// Creates a folder, and those above it, that the user of the service may enter, whatever the umask is.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        create_folder(above)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// The name of a new file beside `file`, which takes its place when it is complete.
pub(super) fn new_name(file: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or(Errno::ISDIR)?.to_string_lossy();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    // In containers, all processes may have the same number.
    Ok(file.with_file_name(format!(".{name}.{}-{time}", std::process::id())))
}
