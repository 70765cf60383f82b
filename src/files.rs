//! Reads small files that an admin named: bounded, and never waiting for anybody.
//!
//! Refuses what is no file to read (folders, pipes, sockets), since a service that opened a pipe
//! would wait for its writer.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Largest file that is read, in bytes: a list of a few million domains.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Reads a whole file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    let kind = meta.file_type();
    if kind.is_dir() || kind.is_fifo() || kind.is_socket() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    // One byte more, so that the first read finds the end.
    let mut bytes = Vec::with_capacity(meta.len().min(MAX_BYTES) as usize + 1);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 <= MAX_BYTES {
        true => Ok(bytes),
        false => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 64 MiB")),
    }
}

/// Reads a whole file of UTF-8 text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// What tells one state of a file from another: its place on disk, size and times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    place: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The state of a file; `None` if there is none.
    ///
    /// Fails if that cannot be found out, which is no proof that there is none.
    pub fn of(path: &Path) -> io::Result<Option<Stamp>> {
        match std::fs::metadata(path) {
            Ok(meta) => Ok(Some(Stamp {
                place: (meta.dev(), meta.ino()),
                size: meta.size(),
                modified: (meta.mtime(), meta.mtime_nsec()),
                changed: (meta.ctime(), meta.ctime_nsec()),
            })),
            // A name too long for the file system is a domain without a file.
            Err(error) if error.kind() == io::ErrorKind::NotFound || is_too_long(&error) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// By number: `ErrorKind::InvalidFilename` came with Rust 1.87.
fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NAMETOOLONG.raw_os_error())
}
