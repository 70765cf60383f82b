//! Reads the files that the configuration names, with a size limit and without waiting for another
//! process.
//!
//! Refuses folders, pipes and sockets: after opening a pipe, a service would wait for its writer.
//! Every kind of file has a largest size; docs/reliability.md lists them. A file that was just
//! changed may be half written: [`Stamp`] detects that.

use rustix::io::Errno;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a file must have been unchanged before its content is used. Editors and `cp` write a
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
    /// A map from addresses to logins.
    Map,
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
    /// contains, together with one of the same size that is in force. A list takes up to twice its
    /// size, and 3.3 times with short names that are not ASCII; a map takes up to 2.2 times its
    /// size. The memory of TOML is limited by `config::parts`.
    pub const fn max_bytes(self) -> u64 {
        match self {
            Kind::Map => 48 * 1024 * 1024,
            Kind::List => 32 * 1024 * 1024,
            // A file with the certificates of all public authorities has a quarter of this size.
            Kind::Certificate | Kind::Key => 1024 * 1024,
            Kind::Configuration => 2 * 1024 * 1024,
            Kind::Template | Kind::DomainFile | Kind::Logo => 64 * 1024,
        }
    }
}

/// Opens a file, and returns its size: that of a device, or of a file in /proc, is not known in
/// advance.
pub fn open(path: &Path, kind: Kind) -> io::Result<(File, u64)> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    let file_type = meta.file_type();
    if file_type.is_dir() || file_type.is_fifo() || file_type.is_socket() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    if meta.len() > kind.max_bytes() { Err(too_large(kind)) } else { Ok((file, meta.len())) }
}

/// The error for a file that is larger than [`Kind::max_bytes`].
pub fn too_large(kind: Kind) -> io::Error {
    let message = format!("it is larger than {} KiB", kind.max_bytes() / 1024);
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}

/// Reads a whole file.
pub fn read(path: &Path, kind: Kind) -> io::Result<Vec<u8>> {
    let (file, len) = open(path, kind)?;
    let max = kind.max_bytes();
    // One byte more, so that the first read finds the end.
    let mut bytes = Vec::with_capacity(len as usize + 1);
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max { Err(too_large(kind)) } else { Ok(bytes) }
}

/// Why a file cannot be read, as text without the error number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

/// Reads a whole file of UTF-8 text; a byte order mark is removed.
pub fn read_text(path: &Path, kind: Kind) -> io::Result<String> {
    let mut text = String::from_utf8(read(path, kind)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// True if a text is the beginning of its earlier version and ends within a line.
pub fn is_cut(text: &str, earlier: &str) -> bool {
    let rest = earlier.strip_prefix(text).unwrap_or_default();
    !rest.is_empty() && !text.ends_with('\n') && !rest.starts_with(['\n', '\r'])
}

/// True for a text with nothing but comments and blank lines.
pub fn says_nothing(text: &str) -> bool {
    text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#'))
}

//------------ Stamp ----------------------------------------------------------

/// The state of a file: its place on disk, size and times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    place: (u64, u64),
    /// The creation time of the file, if the file system records it: inode numbers are reused.
    born: Option<SystemTime>,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The state of a file; `None` if it does not exist.
    ///
    /// Fails if the state cannot be read, which does not prove that the file does not exist.
    pub fn of(path: &Path) -> io::Result<Option<Stamp>> {
        match std::fs::metadata(path) {
            Ok(meta) => Ok(Some(Stamp {
                place: (meta.dev(), meta.ino()),
                born: born(path, &meta),
                size: meta.size(),
                modified: (meta.mtime(), meta.mtime_nsec()),
                changed: (meta.ctime(), meta.ctime_nsec()),
            })),
            // A name that is too long for the file system belongs to a domain without a file.
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

    /// True if the last change is so recent that another may follow; for a process that cannot
    /// wait.
    pub fn may_be_changing(&self) -> bool {
        self.age().is_none_or(|age| age < 2 * SETTLE_TIME)
    }

    /// True if the file was last changed so long ago that it is not being written now.
    ///
    /// The system sets the time of the last change of the inode; programs cannot set it back. A
    /// time in the future is ignored, since the clock was changed.
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

/// The creation time of a file, if the file system records it.
#[cfg(not(target_env = "musl"))]
fn born(_: &Path, meta: &Metadata) -> Option<SystemTime> {
    meta.created().ok()
}

/// The same for musl, with which std does not read it (seen: Rust 1.95).
#[cfg(target_env = "musl")]
fn born(path: &Path, _: &Metadata) -> Option<SystemTime> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::BTIME).ok()?;
    let seconds = u64::try_from(found.stx_btime.tv_sec).ok()?;
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, found.stx_btime.tv_nsec);
    (found.stx_mask & StatxFlags::BTIME.bits() != 0).then_some(time)
}

//------------ Seen -----------------------------------------------------------

/// A state of one or more files and the time at which it was first seen. It is used once it has
/// been unchanged for [`SETTLE_TIME`], whatever the times of the files.
#[derive(Clone, Debug)]
pub struct Seen<T>(Option<(T, Instant)>);

impl<T: PartialEq> Seen<T> {
    /// True if this is the state that was seen last.
    pub fn is(&self, state: &T) -> bool {
        self.0.as_ref().is_some_and(|(seen, _)| seen == state)
    }

    /// Records a state; true if it has been unchanged for long enough.
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

    /// Clears the state, since the present one has been read.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Seen<T> {
        Seen(None)
    }
}
