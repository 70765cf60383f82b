//! A folder with a file for each zone.
//!
//! A file is written beside its place and moved there, and only if it changes: programs that watch
//! the folder or compare times see what is new. A file that does not begin as those of this command
//! do is not replaced: it may be an admin's own.

use crate::files;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// What the first line of each file says after the sign of a comment.
pub const MARK: &str = " Mail set-up for ";

/// Writes a file, unless it has this content already. The error is a message about the file.
pub fn write(folder: &Path, name: &str, content: &str) -> Result<(), String> {
    let path = folder.join(name);
    let failed = |error: io::Error| format!("{}: {}", path.display(), files::reason(&error));
    match is_there(&path, content).map_err(failed)? {
        There::Same => return Ok(()),
        There::Foreign => {
            return Err(format!(
                "{}: this file was not written by `mailsetup dns`, and is not replaced; move it \
                 away, or use another folder",
                path.display()
            ));
        }
        There::Nothing | There::Other => {}
    }
    let new = folder.join(format!(".{name}.{}", std::process::id()));
    let mut file = File::create_new(&new).map_err(failed)?;
    let moved = file.write_all(content.as_bytes()).and_then(|()| fs::rename(&new, &path));
    moved.map_err(|error| {
        fs::remove_file(&new).ok();
        failed(error)
    })
}

/// What is at the place of a file.
enum There {
    Nothing,
    /// This very content.
    Same,
    /// Another content, from an earlier run.
    Other,
    /// Something else.
    Foreign,
}

fn is_there(path: &Path, content: &str) -> io::Result<There> {
    // Opening a pipe would wait for its writer.
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(error),
    };
    if !meta.is_file() {
        return Ok(There::Foreign);
    }
    let mut file = File::open(path)?;
    if meta.len() == content.len() as u64 {
        let mut found = Vec::with_capacity(content.len());
        file.read_to_end(&mut found)?;
        return Ok(match found == content.as_bytes() {
            true => There::Same,
            false => of_this_command(&found),
        });
    }
    let mut beginning = Vec::new();
    file.take(1 + MARK.len() as u64).read_to_end(&mut beginning)?;
    Ok(of_this_command(&beginning))
}

fn of_this_command(found: &[u8]) -> There {
    match found.get(1..).is_some_and(|rest| rest.starts_with(MARK.as_bytes())) {
        true => There::Other,
        false => There::Foreign,
    }
}
