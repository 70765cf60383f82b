//! A folder with one file for each domain, `<domain>.toml`, opened by name; also for patterns,
//! `*.<domain>.toml`.
//!
//! A request takes as long with a million domains as with one. The look-up of a domain only checks
//! the state of its file; reading is a separate step, which a service does in another thread. A
//! file is used once it has settled and is valid; until then, and while it has errors, is empty or
//! cannot be read, its last valid content stays in force. The folder itself may be moved: while it
//! is missing, domains that were not read before are unavailable. While a sub-folder is missing,
//! its domains that are in force stay so, and others are not there: most sub-folders never exist.
//! `layout` knows where a file lies, and `kept` holds what was read.

use super::kept::{Base, Content, File, Good, Kept, Trouble};
use super::layout::{self, Layout};
use super::name::Name;
use crate::address::Domain;
use crate::files::{self, Kind, SETTLE_TIME, Stamp, says_nothing};
use crate::finding::{CONFIRM, Finding, Place};
use crate::log;
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// For how many files and sub-folders it is logged that they cannot be examined.
const MAX_COMPLAINED: usize = 100;
/// The number of sub-folders whose states are remembered: all of two letters, digits and hyphens.
const MAX_FOLDERS: usize = 2048;

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
    layout: Layout,
    settling: Settling,
    /// Files from before this time are intended by the admin, as a start or a signal confirms.
    meant_at: SystemTime,
    /// The number of this configuration: content of others must be read again.
    base: Base,
    /// Content of configurations before this one may be replaced by any: a signal confirmed that.
    meant_base: Base,
    /// Shared with the configurations before and after this one, so that a reload copies nothing.
    kept: Arc<Mutex<Kept<T>>>,
    watch: Mutex<Watch>,
    /// True if `watch` has complaints.
    has_complaints: AtomicBool,
}

/// What is known of the folders.
#[derive(Clone, Default)]
struct Watch {
    /// The folder, with an empty name, and its sub-folders, as they were when a file was last read
    /// from them.
    folders: HashMap<Box<str>, Stamp>,
    /// The message that was logged for the folder; `None` while it can be read.
    complaint: Option<String>,
    /// The paths of files and sub-folders for which it was logged that they cannot be examined.
    complained: HashSet<PathBuf>,
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

/// The result of looking up a domain or a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lookup<T> {
    /// It has a file.
    Found {
        /// The value that was read from it.
        value: T,
        /// False if the file may have another content now.
        is_settled: bool,
    },
    /// It has no file.
    NoFile {
        /// False if it may have one now.
        is_settled: bool,
    },
    /// The file must be read first, by [`DomainsD::read`].
    Unread,
    /// The file cannot be used, and no valid content is kept.
    Unavailable,
}

/// What the folder of a missing file says about it.
enum Gone {
    /// The file was removed, or was never there; this is the state of its folder.
    Removed(Stamp),
    /// The folder is not what it was; the file may be there again.
    Unknown,
}

impl<T: Clone> DomainsD<T> {
    /// Takes the folder, and the number of letters of its sub-folders; its files are read when a
    /// domain is requested.
    pub fn new(folder: PathBuf, letters: usize, settling: Settling) -> DomainsD<T> {
        let layout = Layout { folder, letters };
        let mut watch = Watch::default();
        if settling == Settling::Wait && !layout.is_empty() {
            watch.folders.extend(state(&layout.folder).map(|stamp| (Box::default(), stamp)));
        }
        DomainsD {
            layout,
            settling,
            meant_at: SystemTime::now(),
            base: 0,
            meant_base: 0,
            kept: Arc::default(),
            watch: Mutex::new(watch),
            has_complaints: AtomicBool::new(false),
        }
    }

    /// Takes over the content of the same folder. All files are read again when their domains are
    /// requested; until then, and for files with errors, the earlier content stays in force.
    ///
    /// `is_meant` says that the admin intends the files as they are: emptied files are used.
    pub fn remember(&mut self, earlier: &DomainsD<T>, is_meant: bool) {
        if self.layout.folder != earlier.layout.folder {
            return;
        }
        self.kept = earlier.kept.clone();
        let base = self.kept().next_base();
        self.base = base;
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let known = earlier.watch();
        if is_meant {
            self.meant_base = self.base;
        } else {
            self.meant_at = earlier.meant_at;
            self.meant_base = earlier.meant_base;
            watch.complained = known.complained.clone();
            watch.folders = known.folders.clone();
        }
        watch.complaint = known.complaint.clone();
        let has_complaints = watch.complaint.is_some() || !watch.complained.is_empty();
        drop(watch);
        *self.has_complaints.get_mut() = has_complaints;
    }

    /// The folder, and where its files lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// True if there is a file for `domain`.
    pub fn has(&self, domain: &Domain) -> bool {
        self.layout.path(domain.as_str()).exists()
    }

    /// True if there is a file for the pattern of the domains below `parent`.
    pub fn has_below(&self, parent: &str) -> bool {
        self.layout.path(&Name::below(parent)).exists()
    }

    /// Looks up `domain`. Only the states of files are read.
    pub fn lookup(&self, domain: &Domain) -> Lookup<T> {
        self.lookup_by_name(domain.as_str(), true)
    }

    /// Looks up the pattern of the domains below `parent`, after a domain that has no file.
    pub fn lookup_below(&self, parent: &str) -> Lookup<T> {
        self.lookup_by_name(&Name::below(parent), false)
    }

    /// `is_first` is false if the folder was just seen to be there.
    fn lookup_by_name(&self, stem: &str, is_first: bool) -> Lookup<T> {
        let path = self.layout.path(stem);
        match Stamp::of(&path) {
            Ok(Some(stamp)) => {
                self.forget_complaints(stem, &path);
                self.kept().with(stem, |file| self.lookup_file(file, stamp))
            }
            Ok(None) if !is_first && !self.kept().knows(stem) => {
                Lookup::NoFile { is_settled: true }
            }
            Ok(None) => self.lookup_gone(stem, &path),
            Err(error) => {
                match path.symlink_metadata() {
                    Ok(_) => self.complain_of(&path, &files::reason(&error)),
                    Err(_) => self.complain_of_folder(&files::reason(&error)),
                }
                self.last_good(stem)
            }
        }
    }

    fn lookup_file(&self, file: Option<&mut File<T>>, stamp: Stamp) -> Lookup<T> {
        let waits = self.settling == Settling::Wait;
        let counts = || !waits || stamp.is_settled() || stamp.is_older_than(self.meant_at);
        let Some(file) = file else {
            return if counts() { Lookup::Unread } else { Lookup::Unavailable };
        };
        let current = file.good.as_ref().filter(|good| good.content.base == self.base);
        if let Some(Good { content, stamp: then }) = current {
            let is_same = *then == stamp;
            let named = content.named.iter();
            let mut changed = named.filter(|(path, then)| state(path) != *then).peekable();
            if is_same && changed.peek().is_none() {
                let is_settled = self.settling != Settling::RefuseEmpty || !stamp.may_be_changing();
                return Lookup::Found { value: content.value.clone(), is_settled };
            }
            if is_same && waits && changed.any(|(path, _)| state(path).is_some_and(is_young)) {
                return Lookup::Found { value: content.value.clone(), is_settled: false };
            }
        }
        if !counts() && !file.trouble.get_or_insert_default().seen.has_settled(Some(stamp)) {
            return last_good(file);
        }
        match file.trouble.as_ref().and_then(|trouble| trouble.refused) {
            Some((refused, at, base))
                if refused == stamp && base == self.base && at.elapsed() < SETTLE_TIME =>
            {
                last_good(file)
            }
            _ => Lookup::Unread,
        }
    }

    fn lookup_gone(&self, stem: &str, path: &Path) -> Lookup<T> {
        let Gone::Removed(folder) = self.look_at_folder(stem) else { return self.last_good(stem) };
        let is_settled = match self.settling {
            Settling::Wait => folder.is_settled(),
            Settling::RefuseEmpty => !folder.may_be_changing(),
            Settling::TakeAll => true,
        };
        let mut kept = self.kept();
        let was_good = kept.with(stem, |file| {
            let Some(file) = file else { return Ok(false) };
            // The file may be about to be moved into its place.
            match !is_settled
                && file.good.is_some()
                && !file.trouble.get_or_insert_default().seen.has_settled(None)
            {
                true => Err(last_good(file)),
                false => Ok(file.good.is_some()),
            }
        });
        let removed = match was_good {
            Err(last_good) => return last_good,
            Ok(was_good) => (was_good, kept.take(stem)),
        };
        drop(kept);
        if let (true, _) = removed {
            log::notice_on_request(&format!("{}: the file was removed", path.display()));
        }
        Lookup::NoFile { is_settled }
    }

    /// Looks at the folder of a missing file.
    fn look_at_folder(&self, stem: &str) -> Gone {
        let letters = self.layout.sub_folder(stem);
        let folder = self.layout.folder(letters);
        let replaced = "it is empty, and another folder than before";
        match (Stamp::of(&folder), letters) {
            (Ok(Some(stamp)), _) => {
                let is_empty = || match letters {
                    "" => self.layout.is_empty(),
                    _ => layout::is_empty(&folder),
                };
                if !self.watch().is_replaced(letters, &stamp) || !is_empty() {
                    self.forget_complaints(stem, &folder);
                    return Gone::Removed(stamp);
                }
                self.complain(
                    letters,
                    &format!("{replaced}; keeping the previous settings; {CONFIRM}"),
                );
            }
            (Ok(None), "") => self.complain_of_folder(&files::reason(&Errno::NOENT.into())),
            (Ok(None), _) => match Stamp::of(&self.layout.folder) {
                Ok(Some(stamp))
                    if self.watch().is_replaced("", &stamp) && self.layout.is_empty() =>
                {
                    self.complain(
                        "",
                        &format!("{replaced}; keeping the previous settings; {CONFIRM}"),
                    );
                }
                Ok(Some(stamp)) if !self.is_in_force(stem) => return Gone::Removed(stamp),
                Ok(Some(_)) => self.complain(
                    letters,
                    &format!("it is missing; keeping the previous settings; {CONFIRM}"),
                ),
                Ok(None) => self.complain_of_folder(&files::reason(&Errno::NOENT.into())),
                Err(error) => self.complain_of_folder(&files::reason(&error)),
            },
            (Err(error), _) => self.complain(letters, &files::reason(&error)),
        }
        Gone::Unknown
    }

    /// True if a file has valid content, which a signal did not give up since.
    fn is_in_force(&self, stem: &str) -> bool {
        self.kept().with(stem, |file| {
            let good = file.and_then(|file| file.good.as_ref());
            good.is_some_and(|good| !self.takes_any(&good.content))
        })
    }

    /// True if any content after this one is intended, as a signal confirmed.
    fn takes_any(&self, content: &Content<T>) -> bool {
        content.base < self.meant_base
    }

    /// Reads the file with a name, which is a domain or a pattern, for the next look-up.
    ///
    /// `read` makes a value of a path and its text, or returns the findings.
    pub fn read(
        &self,
        stem: &str,
        read: impl FnOnce(&Path, &str) -> Result<Made<T>, Vec<Finding>>,
    ) {
        let path = self.layout.path(stem);
        let Some(stamp) = state(&path) else { return };
        let made = self.content(stem, &path, stamp, read);
        // The file changed in between: the content is neither the old nor the new one.
        if state(&path) != Some(stamp) {
            return;
        }
        let letters = self.layout.sub_folder(stem);
        self.watch().see(letters, state(&self.layout.folder(letters)));
        if !letters.is_empty() {
            self.watch().see("", state(&self.layout.folder));
        }
        let (told, dropped) = self.store(stem, &path, stamp, made);
        // Look-ups do not wait while these are freed, and lines are written.
        drop(dropped);
        match told {
            Some(Told::Errors(findings)) => log::findings_on_request(&findings),
            Some(Told::Corrected) => {
                let name = Name::parse(stem).map_or_else(|_| stem.to_owned(), |it| it.for_people());
                log::notice_on_request(&format!("the settings of {name} are valid again"));
            }
            None => {}
        }
    }

    /// The content of a file: that of another file with the same text, or a new one.
    fn content(
        &self,
        stem: &str,
        path: &Path,
        stamp: Stamp,
        read: impl FnOnce(&Path, &str) -> Result<Made<T>, Vec<Finding>>,
    ) -> Result<Arc<Content<T>>, Vec<Finding>> {
        let text = files::read_text(path, Kind::DomainFile).map_err(|cause| {
            error(path, "file-unreadable", &format!("cannot be read: {}", files::reason(&cause)))
        })?;
        if self.settling == Settling::RefuseEmpty && says_nothing(&text) && stamp.may_be_changing()
        {
            return Err(error(path, "emptied", "the file is empty and was changed just now"));
        }
        let folder = self.layout.sub_folder(stem);
        let kept = self.kept();
        let hash = kept.hash(&text);
        let shared = kept.content(hash, &text, folder, self.base);
        drop(kept);
        let is_same = |content: &Arc<Content<T>>| {
            content.named.iter().all(|(path, then)| state(path) == *then)
        };
        if let Some(content) = shared.filter(is_same) {
            return Ok(content);
        }
        let Made { value, files, bytes } = read(path, &text)?;
        Ok(Arc::new(Content {
            value,
            text: text.into(),
            hash,
            named: files.into(),
            folder: folder.into(),
            base: self.base,
            bytes,
        }))
    }

    /// Stores content, or the error in a state of the file. Returns what is to be logged, and what is
    /// no longer kept.
    fn store(
        &self,
        stem: &str,
        path: &Path,
        stamp: Stamp,
        made: Result<Arc<Content<T>>, Vec<Finding>>,
    ) -> (Option<Told>, impl Sized + use<T>) {
        let mut kept = self.kept();
        let earlier = kept.take(stem);
        let mut file = File::default();
        let mut was = None;
        if let Some(earlier) = earlier {
            (file.good, was) = (earlier.good, earlier.trouble);
        }
        let complaint = was.as_ref().and_then(|trouble| trouble.complaint);
        let good = file.good.as_ref().map(|good| &*good.content);
        let refused = |made: Arc<Content<T>>| {
            let good = good.filter(|good| !self.takes_any(good));
            match good.and_then(|good| refusal(&made.text, &good.text)) {
                Some((code, what)) => Err(error(
                    path,
                    code,
                    &format!("the file {what}; keeping the previous settings; {CONFIRM}"),
                )),
                None => Ok(made),
            }
        };
        let told = match made.and_then(refused) {
            Ok(content) => {
                // Another thread may have read the same text.
                let same = kept.content(content.hash, &content.text, &content.folder, self.base);
                let is_same = |same: &Arc<Content<T>>| same.named == content.named;
                let content = same.filter(is_same).unwrap_or(content);
                file.good = Some(Good { content, stamp });
                complaint.map(|_| Told::Corrected)
            }
            Err(findings) => {
                let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
                let hash = kept.hash(&lines.join("; "));
                let trouble = Trouble {
                    refused: Some((stamp, Instant::now(), self.base)),
                    complaint: Some(hash),
                    ..Trouble::default()
                };
                file.trouble = Some(Box::new(trouble));
                (complaint != Some(hash)).then_some(Told::Errors(findings))
            }
        };
        kept.insert(stem.into(), file);
        (told, kept.dropped())
    }

    /// The last valid content for a domain whose file cannot be examined.
    fn last_good(&self, stem: &str) -> Lookup<T> {
        self.kept().with(stem, |file| file.map_or(Lookup::Unavailable, |file| last_good(file)))
    }

    fn complain_of_folder(&self, reason: &str) {
        self.complain("", reason);
    }

    /// Logs that the folder, or a sub-folder, cannot be used.
    fn complain(&self, letters: &str, reason: &str) {
        if !letters.is_empty() {
            self.complain_of(&self.layout.folder(letters), reason);
            return;
        }
        let complaint = format!("{}: cannot be used: {reason}", self.layout.folder.display());
        let mut watch = self.watch();
        if watch.complaint.as_ref() != Some(&complaint) {
            log::error(&complaint);
            watch.complaint = Some(complaint);
            self.has_complaints.store(true, Ordering::Relaxed);
        }
    }

    /// Logs once for each file and sub-folder that it cannot be examined; clients choose the
    /// domains, so the number is limited.
    fn complain_of(&self, path: &Path, reason: &str) {
        let mut watch = self.watch();
        if watch.complained.len() < MAX_COMPLAINED && watch.complained.insert(path.to_owned()) {
            log::error(&format!("{}: cannot be read: {reason}", path.display()));
            self.has_complaints.store(true, Ordering::Relaxed);
        }
    }

    /// A file was examined, so that it, its sub-folder and the folder can be read.
    fn forget_complaints(&self, stem: &str, path: &Path) {
        if !self.has_complaints.load(Ordering::Relaxed) {
            return;
        }
        let mut watch = self.watch();
        watch.complaint = None;
        if !watch.complained.is_empty() {
            watch.complained.remove(path);
            watch.complained.remove(&self.layout.folder(self.layout.sub_folder(stem)));
        }
        self.has_complaints.store(!watch.complained.is_empty(), Ordering::Relaxed);
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is logged about a file that was read.
enum Told {
    /// It has errors, other ones than before.
    Errors(Vec<Finding>),
    /// It had errors.
    Corrected,
}

impl Watch {
    /// True if another folder, from which files were read, is now in the place of this one.
    fn is_replaced(&self, letters: &str, folder: &Stamp) -> bool {
        self.folders.get(letters).is_some_and(|known| !known.is_of_same_file(folder))
    }

    /// Records the state of a folder from which a file was read.
    fn see(&mut self, letters: &str, folder: Option<Stamp>) {
        let Some(folder) = folder else { return };
        if let Some(known) = self.folders.get_mut(letters) {
            *known = folder;
        } else if self.folders.len() < MAX_FOLDERS {
            self.folders.insert(letters.into(), folder);
        }
    }
}

/// Why a text does not replace an earlier one unless the admin confirms it: a code, and what it is.
fn refusal(text: &str, earlier: &str) -> Option<(&'static str, &'static str)> {
    if says_nothing(text) && !says_nothing(earlier) {
        Some(("emptied", "is empty"))
    } else if files::is_cut(text, earlier) {
        Some(("truncated", "is truncated: it ends in the middle of a line of its previous text"))
    } else {
        None
    }
}

fn error(path: &Path, code: &'static str, message: &str) -> Vec<Finding> {
    vec![Finding::error(code, Some(Place::file(path)), message)]
}

/// The last valid content while the file has another one.
fn last_good<T: Clone>(file: &File<T>) -> Lookup<T> {
    match &file.good {
        Some(good) => Lookup::Found { value: good.content.value.clone(), is_settled: false },
        None => Lookup::Unavailable,
    }
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
        f.debug_struct("DomainsD").field("layout", &self.layout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder below that for temporary files, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path =
                std::env::temp_dir().join(format!("mailsetup-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    /// The value of a domain; its file is read if it was not.
    fn value(directory: &DomainsD<Arc<str>>, domain: &str) -> Option<Arc<str>> {
        let domain = Domain::parse(domain).unwrap();
        for _ in 0..2 {
            match directory.lookup(&domain) {
                Lookup::Found { value, .. } => return Some(value),
                Lookup::Unread => directory.read(domain.as_str(), |path, text| {
                    let files = match text.contains("named") {
                        true => vec![(path.with_file_name("named"), None)],
                        false => Vec::new(),
                    };
                    match text {
                        "broken\n" => Err(error(path, "syntax", "broken")),
                        text => Ok(Made { value: text.into(), files, bytes: 0 }),
                    }
                }),
                _ => return None,
            }
        }
        None
    }

    /// Documents are kept for each value: files with the same text must not have two.
    #[test]
    fn files_with_the_same_text_share_one_value() {
        let folder = Folder::new("share");
        let texts = [
            ("a", "same\n"),
            ("b", "same\n"),
            ("c", "other\n"),
            ("d", "named\n"),
            ("e", "named\n"),
        ];
        for (name, text) in texts {
            std::fs::write(folder.0.join(format!("{name}.example.toml")), text).unwrap();
        }
        let first = DomainsD::new(folder.0.clone(), 0, Settling::TakeAll);
        let of = |directory: &DomainsD<_>, name: &str| {
            value(directory, &format!("{name}.example")).unwrap()
        };
        let is_shared = |directory: &DomainsD<_>, a: &str, b: &str| {
            Arc::ptr_eq(&of(directory, a), &of(directory, b))
        };
        for (a, b, expected) in [("a", "b", true), ("a", "c", false), ("d", "e", true)] {
            assert_eq!(is_shared(&first, a, b), expected, "{a} {b}");
        }
        // With another configuration, the same text may mean something else.
        let earlier = of(&first, "a");
        let mut second = DomainsD::new(folder.0.clone(), 0, Settling::TakeAll);
        second.remember(&first, false);
        let a = Domain::parse("a.example").unwrap();
        assert_eq!(second.lookup(&a), Lookup::Unread);
        assert!(!Arc::ptr_eq(&of(&second, "a"), &earlier) && is_shared(&second, "a", "b"));
        // Until it is read again, the earlier content stays in force.
        std::fs::write(folder.0.join("c.example.toml"), "broken\n").unwrap();
        assert_eq!(of(&second, "c").as_ref(), "other\n");
    }
}
