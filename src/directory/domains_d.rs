//! A folder with one file for each domain, `<domain>.toml`, opened by name.
//!
//! A request takes as long with a million domains as with one. The look-up of a domain only checks
//! the state of its file; reading is a separate step, which a service does in another thread. A
//! file is used once it has settled and is valid; until then, and while it has errors, is empty or
//! cannot be read, its last valid content stays in force. The folder itself may be moved: while it
//! is missing, domains that were not read before are unavailable.

use crate::address::Domain;
use crate::files::{self, Kind, SETTLE_TIME, Seen, Stamp, says_nothing};
use crate::finding::{CONFIRM, Finding, Place};
use crate::log;
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How much of the files is kept, in bytes; beyond that, content that can be read again is dropped.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The memory counted for a domain in addition to the content of its files, in bytes.
const BYTES_PER_DOMAIN: usize = 1024;

/// The number of domains for which it is logged that their files cannot be examined.
const MAX_COMPLAINED: usize = 100;

/// When a file that has just changed is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settling {
    /// Once it has settled: for a service, which keeps the last valid content.
    Wait,
    /// At once, unless it is empty: for a CGI process, which has no earlier content.
    RefuseEmpty,
    /// At once: for a command, whose user sees the result.
    TakeAll,
}

/// The folder, and the content that was read from it.
pub struct DomainsD<T> {
    folder: PathBuf,
    settling: Settling,
    /// Files from before this time are intended by the admin, as a start or a signal confirms.
    meant_at: SystemTime,
    known: Mutex<Known<T>>,
}

struct Known<T> {
    by_domain: HashMap<Domain, File<T>>,
    bytes: usize,
    /// The folder as it was when it last had TOML files.
    folder: Option<Stamp>,
    /// The message that was logged for the folder; `None` while it can be read.
    folder_complaint: Option<String>,
    /// The domains for which it was logged that their files cannot be examined.
    complained: HashSet<Domain>,
}

/// The state of the file of a domain.
#[derive(Clone)]
struct File<T> {
    /// The last valid content, if any.
    good: Option<Arc<Reading<T>>>,
    /// True if any content after the valid one is intended, as a signal confirmed.
    takes_any: bool,
    /// False if the valid content must be read again: the base it inherits from has changed.
    is_current: bool,
    /// A state other than that of the valid content, and since when it is known. `None` in it means
    /// that the file is missing.
    seen: Seen<Option<Stamp>>,
    /// The state that was read and had errors, and when it was read. The file is read again later,
    /// since a file that it names may have been corrected.
    refused: Option<(Stamp, Instant)>,
    /// The message that was logged for it.
    complaint: Option<String>,
}

/// The value that was read from a file.
struct Reading<T> {
    value: T,
    /// The file, and others that it names, with their states.
    files: Vec<(PathBuf, Option<Stamp>)>,
    text: String,
    bytes: usize,
}

/// The result of the reader of a file.
#[derive(Debug)]
pub struct Made<T> {
    /// The value.
    pub value: T,
    /// The files that it names, with their states before they were read.
    pub files: Vec<(PathBuf, Option<Stamp>)>,
    /// The bytes read from these, and the memory of the value in addition to its own text.
    pub bytes: usize,
}

/// The result of looking up a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lookup<T> {
    /// The domain has a file.
    Found {
        /// The value that was read from it.
        value: T,
        /// False if the file may have another content now.
        is_settled: bool,
    },
    /// The domain has no file.
    NoFile {
        /// False if it may have one now.
        is_settled: bool,
    },
    /// The file must be read first, by [`DomainsD::read`].
    Unread,
    /// The file of the domain cannot be used, and no valid content is kept.
    Unavailable,
}

impl<T: Clone> DomainsD<T> {
    /// Takes the folder; its files are read when a domain is requested.
    pub fn new(folder: PathBuf, settling: Settling) -> DomainsD<T> {
        let known = Known {
            by_domain: HashMap::new(),
            bytes: 0,
            folder: None,
            folder_complaint: None,
            complained: HashSet::new(),
        };
        let directory =
            DomainsD { folder, settling, meant_at: SystemTime::now(), known: Mutex::new(known) };
        if settling == Settling::Wait && !directory.is_empty() {
            directory.lock().folder = state(&directory.folder);
        }
        directory
    }

    /// Takes over the content of the same folder. All files are read again when their domains are
    /// requested; until then, and for files with errors, the earlier content stays in force.
    ///
    /// `is_meant` says that the admin intends the files as they are: emptied files are used.
    pub fn remember(&mut self, earlier: &DomainsD<T>, is_meant: bool) {
        if self.folder != earlier.folder {
            return;
        }
        if !is_meant {
            self.meant_at = earlier.meant_at;
        }
        let earlier = earlier.lock();
        let mut known = self.lock();
        known.by_domain = earlier.by_domain.clone();
        known.bytes = earlier.bytes;
        if !is_meant {
            known.folder = earlier.folder;
            known.complained = earlier.complained.clone();
        }
        known.folder_complaint = earlier.folder_complaint.clone();
        #[expect(clippy::iter_over_hash_type, reason = "the same is done to each of them")]
        for file in known.by_domain.values_mut() {
            file.is_current = false;
            file.refused = None;
            file.takes_any |= is_meant;
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// True if there is a file for `domain`.
    pub fn has(&self, domain: &Domain) -> bool {
        self.path(domain).exists()
    }

    /// Every file, whether its name is a domain or not, sorted by name.
    pub fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<_> =
            files.map(|file| file.path()).filter(|path| is_toml(path)).collect();
        files.sort_unstable();
        files
    }

    /// Every domain that has a file.
    pub fn domains(&self) -> Vec<Domain> {
        let domain = |path: &PathBuf| {
            let stem = path.file_stem()?.to_str()?;
            Domain::parse(stem).ok().filter(|domain| domain.as_str() == stem)
        };
        self.files().iter().filter_map(domain).collect()
    }

    /// Looks up `domain`. Only the states of files are read.
    pub fn lookup(&self, domain: &Domain) -> Lookup<T> {
        let state = Stamp::of(&self.path(domain));
        let mut known = self.lock();
        match state {
            Ok(Some(stamp)) => {
                known.folder_complaint = None;
                if !known.complained.is_empty() {
                    known.complained.remove(domain);
                }
                self.lookup_file(known.by_domain.get_mut(domain), stamp)
            }
            Ok(None) => self.lookup_gone(&mut known, domain),
            Err(error) => {
                let path = self.path(domain);
                match path.symlink_metadata() {
                    Ok(_) => known.complain_of_file(domain, &path, &error),
                    Err(_) => known.complain_of_folder(&self.folder, &files::reason(&error)),
                }
                known.last_good(domain)
            }
        }
    }

    fn lookup_file(&self, file: Option<&mut File<T>>, stamp: Stamp) -> Lookup<T> {
        let waits = self.settling == Settling::Wait;
        let counts = !waits || stamp.is_settled() || stamp.is_older_than(self.meant_at);
        let Some(file) = file else {
            return if counts { Lookup::Unread } else { Lookup::Unavailable };
        };
        if let Some(Reading { value, files, .. }) = file.good.as_deref().filter(|_| file.is_current)
        {
            // The first is the file itself.
            let named = files.iter().skip(1);
            let is_same = files.first().is_some_and(|(_, then)| *then == Some(stamp));
            let mut changed = named.filter(|(path, then)| state(path) != *then).peekable();
            if is_same && changed.peek().is_none() {
                let is_settled = self.settling != Settling::RefuseEmpty || !stamp.may_be_changing();
                return Lookup::Found { value: value.clone(), is_settled };
            }
            if is_same && waits && changed.any(|(path, _)| state(path).is_some_and(is_young)) {
                return Lookup::Found { value: value.clone(), is_settled: false };
            }
        }
        if !counts && !file.seen.has_settled(Some(stamp)) {
            return file.last_good();
        }
        match file.refused {
            Some((refused, at)) if refused == stamp && at.elapsed() < SETTLE_TIME => {
                file.last_good()
            }
            _ => Lookup::Unread,
        }
    }

    fn lookup_gone(&self, known: &mut Known<T>, domain: &Domain) -> Lookup<T> {
        let complaint = match Stamp::of(&self.folder) {
            Ok(Some(folder)) if known.is_replaced_by(&folder) && self.is_empty() => {
                format!(
                    "it is empty, and another folder than before; keeping the previous settings; {CONFIRM}"
                )
            }
            Ok(Some(folder)) => {
                known.folder_complaint = None;
                return self.lookup_removed(known, domain, folder);
            }
            Ok(None) => files::reason(&Errno::NOENT.into()),
            Err(error) => files::reason(&error),
        };
        known.complain_of_folder(&self.folder, &complaint);
        known.last_good(domain)
    }

    fn lookup_removed(&self, known: &mut Known<T>, domain: &Domain, folder: Stamp) -> Lookup<T> {
        let is_settled = match self.settling {
            Settling::Wait => folder.is_settled(),
            Settling::RefuseEmpty => !folder.may_be_changing(),
            Settling::TakeAll => true,
        };
        let Some(file) = known.by_domain.get_mut(domain) else {
            return Lookup::NoFile { is_settled };
        };
        // The file may be about to be moved into its place.
        if !is_settled && !file.seen.has_settled(None) && file.good.is_some() {
            return file.last_good();
        }
        if file.good.is_some() {
            let path = self.path(domain);
            log::notice(&format!("{}: the file was removed", path.display()));
        }
        known.forget(domain);
        Lookup::NoFile { is_settled }
    }

    /// True if the folder has no TOML file.
    fn is_empty(&self) -> bool {
        let mut files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        !files.any(|file| is_toml(&file.path()))
    }

    /// Reads the file of `domain`, for the next look-up.
    ///
    /// `read` makes a value of a path and its text, or returns the findings.
    pub fn read(
        &self,
        domain: &Domain,
        read: impl FnOnce(&Path, &str) -> Result<Made<T>, Vec<Finding>>,
    ) {
        let path = self.path(domain);
        let error = |code, message: &str| {
            vec![Finding::error(code, Some(Place::file(path.as_path())), message)]
        };
        let Some(stamp) = state(&path) else { return };
        let made = match files::read_text(&path, Kind::DomainFile) {
            Ok(text) => {
                let is_refused = self.settling == Settling::RefuseEmpty
                    && says_nothing(&text)
                    && stamp.may_be_changing();
                match is_refused {
                    true => Err(error("emptied", "the file is empty and was changed just now")),
                    false => read(&path, &text).map(|made| Reading {
                        value: made.value,
                        files: [(path.clone(), Some(stamp))]
                            .into_iter()
                            .chain(made.files)
                            .collect(),
                        bytes: text.len() + made.bytes,
                        text,
                    }),
                }
            }
            Err(cause) => {
                let message = format!("cannot be read: {}", files::reason(&cause));
                Err(error("file-unreadable", &message))
            }
        };
        let mut known = self.lock();
        // The file changed in between: the content is neither the old nor the new one.
        if state(&path) != Some(stamp) {
            return;
        }
        let was = known.by_domain.get(domain);
        let refusal = |reading: &Reading<T>| {
            let good = was.filter(|file| !file.takes_any)?.good.as_ref()?;
            if says_nothing(&reading.text) && !says_nothing(&good.text) {
                Some(("emptied", "is empty"))
            } else if files::is_cut(&reading.text, &good.text) {
                Some((
                    "truncated",
                    "is truncated: it ends in the middle of a line of its previous text",
                ))
            } else {
                None
            }
        };
        let made = made.and_then(|reading| match refusal(&reading) {
            Some((code, what)) => Err(error(
                code,
                &format!("the file {what}; keeping the previous settings; {CONFIRM}"),
            )),
            None => Ok(reading),
        });
        known.folder = state(&self.folder);
        let forgotten = known.remember(domain, stamp, made);
        // Look-ups do not wait while these are freed.
        drop(known);
        drop(forgotten);
    }

    /// The path of the file of `domain`, whether it exists or not.
    pub fn path(&self, domain: &Domain) -> PathBuf {
        // A domain consists of letters, digits, hyphens and dots and does not begin with one of the
        // last two: it cannot lead out of the folder.
        self.folder.join(format!("{domain}.toml"))
    }

    fn lock(&self) -> MutexGuard<'_, Known<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Known<T> {
    /// Stores content, or the error in a state of the file. Returns the entries that were removed
    /// to make room.
    fn remember(
        &mut self,
        domain: &Domain,
        stamp: Stamp,
        made: Result<Reading<T>, Vec<Finding>>,
    ) -> HashMap<Domain, File<T>> {
        let mut file = self.by_domain.get(domain).cloned().unwrap_or_default();
        self.forget(domain);
        file.is_current = true;
        file.seen.clear();
        match made {
            Ok(reading) => {
                if file.complaint.take().is_some() {
                    let domain = domain.for_people();
                    log::notice(&format!("the settings of {domain} are valid again"));
                }
                file.refused = None;
                file.good = Some(Arc::new(reading));
                file.takes_any = false;
            }
            Err(findings) => {
                let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
                let complaint = lines.join("; ");
                if file.complaint.as_ref() != Some(&complaint) {
                    log::findings_on_request(&findings);
                }
                file.refused = Some((stamp, Instant::now()));
                file.complaint = Some(complaint);
            }
        }
        let bytes = file.bytes();
        let mut forgotten = HashMap::new();
        if self.bytes + bytes > MAX_BYTES {
            forgotten = std::mem::take(&mut self.by_domain);
            self.bytes = 0;
            // Content that cannot be read again is kept longest.
            let is_needed = |file: &File<T>| file.complaint.is_some() && file.good.is_some();
            let needed = forgotten.values().filter(|file| is_needed(file));
            let needed_bytes: usize = needed.map(File::bytes).sum();
            if needed_bytes + bytes <= MAX_BYTES {
                let files = forgotten.into_iter();
                (self.by_domain, forgotten) = files.partition(|(_, file)| is_needed(file));
                self.bytes = needed_bytes;
            }
        }
        self.bytes += bytes;
        self.by_domain.insert(domain.clone(), file);
        forgotten
    }

    fn forget(&mut self, domain: &Domain) {
        if let Some(file) = self.by_domain.remove(domain) {
            self.bytes = self.bytes.saturating_sub(file.bytes());
        }
    }
}

impl<T: Clone> Known<T> {
    /// The last valid content for a domain whose file cannot be examined.
    fn last_good(&self, domain: &Domain) -> Lookup<T> {
        self.by_domain.get(domain).map_or(Lookup::Unavailable, File::last_good)
    }
}

impl<T> Known<T> {
    /// True if another folder, from which files were read, is now in the place of this one.
    fn is_replaced_by(&self, folder: &Stamp) -> bool {
        self.folder.as_ref().is_some_and(|known| !known.is_of_same_file(folder))
    }

    /// Logs once for each domain that its file cannot be examined; clients choose the domains, so
    /// the number is limited.
    fn complain_of_file(&mut self, domain: &Domain, path: &Path, error: &io::Error) {
        if self.complained.len() < MAX_COMPLAINED && self.complained.insert(domain.clone()) {
            log::error(&format!("{}: cannot be read: {}", path.display(), files::reason(error)));
        }
    }

    fn complain_of_folder(&mut self, folder: &Path, reason: &str) {
        let complaint = format!("{}: cannot be used: {reason}", folder.display());
        if self.folder_complaint.as_ref() != Some(&complaint) {
            log::error(&complaint);
            self.folder_complaint = Some(complaint);
        }
    }
}

impl<T> Default for File<T> {
    fn default() -> File<T> {
        File {
            good: None,
            takes_any: false,
            is_current: false,
            seen: Seen::default(),
            refused: None,
            complaint: None,
        }
    }
}

impl<T: Clone> File<T> {
    /// The last valid content while the file has another one.
    fn last_good(&self) -> Lookup<T> {
        match &self.good {
            Some(good) => Lookup::Found { value: good.value.clone(), is_settled: false },
            None => Lookup::Unavailable,
        }
    }
}

impl<T> File<T> {
    fn bytes(&self) -> usize {
        let complaint = self.complaint.as_ref().map_or(0, String::len);
        let reading = self.good.as_ref().map_or(0, |good| good.bytes);
        BYTES_PER_DOMAIN + complaint + reading
    }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// The state of a file; a file that cannot be examined is treated as missing.
fn state(path: &Path) -> Option<Stamp> {
    Stamp::of(path).ok().flatten()
}

fn is_young(stamp: Stamp) -> bool {
    stamp.age().is_some_and(|age: Duration| age < SETTLE_TIME)
}

impl<T> fmt::Debug for DomainsD<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("DomainsD").field("folder", &self.folder).finish_non_exhaustive()
    }
}
