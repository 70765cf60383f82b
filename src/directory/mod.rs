//! Which domains are ours, where they are not written in the configuration itself.
//!
//! `list` reads files that hold a domain a line; `domains_d` opens a file by a domain's name.
//! Neither knows what a configuration is.

pub mod domains_d;
pub mod list;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A source of domains cannot be read; what and why is in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DirectoryError;

/// What tells one state of a file from another: its place on disk, size and times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    inode: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The state of a file; `None` if there is none.
    pub fn of(path: &Path) -> Option<Stamp> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Stamp {
            inode: (meta.dev(), meta.ino()),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }
}
