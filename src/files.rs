//! Reads the files that an admin names: bounded, and without waiting for another process.
//!
//! Refuses what is not a file to read (folders, pipes, sockets), since a service that opened a pipe
//! would wait for its writer. Every kind of file has its largest size; docs/reliability.md lists
//! them. A file that changed a moment ago may be half written: [`Stamp`] tells.

use rustix::io::Errno;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a file must have stayed as it is before its content counts. Editors and `cp` write a
/// file within this time.
pub const SETTLE_TIME: Duration = Duration::from_secs(1);

//------------ Kind -----------------------------------------------------------

/// The kinds of files that are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The configuration.
    Configuration,
    /// The file of one domain in `domains.directory`.
    DomainFile,
    /// A list of domains.
    List,
    /// A certificate with its chain.
    Certificate,
    /// A private key.
    Key,
    /// A template of the page.
    Template,
    /// A logo.
    Logo,
}

impl Kind {
    /// Largest size, in bytes.
    ///
    /// A service takes at most 256 MB of memory while it reads a file of this size, whatever it
    /// holds, and with one of the same size that is in force. A list takes up to four times its size;
    /// what TOML takes is limited by `config::parts`.
    pub const fn max_bytes(self) -> u64 {
        match self {
            Kind::List => 32 * 1024 * 1024,
            // A file with the certificates of all authorities has a quarter of this.
            Kind::Certificate | Kind::Key => 1024 * 1024,
            Kind::Configuration => 2 * 1024 * 1024,
            Kind::Template | Kind::DomainFile | Kind::Logo => 64 * 1024,
        }
    }
}

/// Reads a whole file.
pub fn read(path: &Path, kind: Kind) -> io::Result<Vec<u8>> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    let file_type = meta.file_type();
    if file_type.is_dir() || file_type.is_fifo() || file_type.is_socket() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let max = kind.max_bytes();
    let too_large = || {
        let message = format!("it is larger than {} KiB", max / 1024);
        Err(io::Error::new(io::ErrorKind::FileTooLarge, message))
    };
    if meta.len() > max {
        return too_large();
    }
    // One byte more, so that the first read finds the end.
    let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
    // The size of a device or of a file in /proc is not known before.
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max { too_large() } else { Ok(bytes) }
}

/// Why a file cannot be read, in words and without the number of the error.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

/// Reads a whole file of UTF-8 text; a byte order mark is left out.
pub fn read_text(path: &Path, kind: Kind) -> io::Result<String> {
    let mut text = String::from_utf8(read(path, kind)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// True if a text is the beginning of what it was before, and ends within a line.
pub fn is_cut(text: &str, earlier: &str) -> bool {
    let rest = earlier.strip_prefix(text).unwrap_or_default();
    !rest.is_empty() && !text.ends_with('\n') && !rest.starts_with(['\n', '\r'])
}

/// True for a text with nothing but comments and blank lines.
pub fn says_nothing(text: &str) -> bool {
    text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#'))
}

//------------ Stamp ----------------------------------------------------------

/// What tells one state of a file from another: its place on disk, size and times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    place: (u64, u64),
    /// The birth of the file, where the file system knows it: numbers of inodes are used again.
    born: Option<SystemTime>,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The state of a file; `None` if it does not exist.
    ///
    /// Fails if that cannot be found out, which does not prove that it does not exist.
    pub fn of(path: &Path) -> io::Result<Option<Stamp>> {
        match std::fs::metadata(path) {
            Ok(meta) => Ok(Some(Stamp {
                place: (meta.dev(), meta.ino()),
                born: meta.created().ok(),
                size: meta.size(),
                modified: (meta.mtime(), meta.mtime_nsec()),
                changed: (meta.ctime(), meta.ctime_nsec()),
            })),
            // A name that is too long for the file system is that of a domain without a file.
            Err(error) if error.raw_os_error() == Some(Errno::NAMETOOLONG.raw_os_error()) => {
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// True if both are states of the same file or folder.
    pub fn is_of_same_file(&self, other: &Stamp) -> bool {
        self.place == other.place && self.born == other.born
    }

    /// True if the last change was so short ago that the next one may follow: for a process that
    /// cannot wait and see.
    pub fn may_be_changing(&self) -> bool {
        self.age().is_none_or(|age| age < 2 * SETTLE_TIME)
    }

    /// True if the file was last changed so long ago that it is not being written now.
    ///
    /// The time of the last change of the inode is the system's: no program can set it back. A time
    /// in the future says nothing, since the clock was set.
    pub fn is_settled(&self) -> bool {
        self.age().is_some_and(|age| age >= SETTLE_TIME)
    }

    /// The time since the last change; `None` if that is in the future.
    pub fn age(&self) -> Option<Duration> {
        SystemTime::now().duration_since(self.changed()?).ok()
    }

    /// True if the last change was before a time.
    pub fn is_older_than(&self, time: SystemTime) -> bool {
        self.changed().is_some_and(|changed| changed < time)
    }

    fn changed(&self) -> Option<SystemTime> {
        let (seconds, nanoseconds) = self.changed;
        let since_epoch =
            Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
        UNIX_EPOCH.checked_add(since_epoch)
    }
}

//------------ Seen -----------------------------------------------------------

/// A state of one or more files that was seen, and since when: it counts once it has stayed the
/// same for [`SETTLE_TIME`], whatever the clock says of the files.
#[derive(Clone, Debug)]
pub struct Seen<T>(Option<(T, Instant)>);

impl<T: PartialEq> Seen<T> {
    /// True if this is the state that was seen last.
    pub fn is(&self, state: &T) -> bool {
        self.0.as_ref().is_some_and(|(seen, _)| seen == state)
    }

    /// Takes note of a state; true if it has stayed the same for long enough.
    pub fn has_settled(&mut self, state: T) -> bool {
        match &self.0 {
            Some((seen, since)) if *seen == state => since.elapsed() >= SETTLE_TIME,
            _ => {
                *self = Seen::now(state);
                false
            }
        }
    }
}

impl<T> Seen<T> {
    /// A state that is seen for the first time.
    pub fn now(state: T) -> Seen<T> {
        Seen(Some((state, Instant::now())))
    }

    /// Forgets the state: what is there now is known.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Seen<T> {
        Seen(None)
    }
}
