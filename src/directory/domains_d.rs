//! A folder with one file for each domain, `<domain>.toml`, opened by name.
//!
//! A million domains cost a request as much as one. A file that changed is read anew at the next
//! request for its domain; one that is broken, or cannot be read for a while, is logged once and
//! the last good one stays.

use super::DirectoryError;
use crate::address::Domain;
use crate::files::{self, Stamp};
use crate::log;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// How many domains are remembered; beyond that, those that can be read anew are forgotten.
const REMEMBERED: usize = 4096;

/// The folder, and what was read from it.
pub struct DomainsD<T> {
    folder: PathBuf,
    remembered: RefCell<HashMap<Domain, Remembered<T>>>,
}

#[derive(Clone)]
struct Remembered<T> {
    /// The state of the file that was read last; `None` if it is to be read in any case.
    stamp: Option<Stamp>,
    /// What is wrong with that state, as it was logged.
    complaint: Option<String>,
    /// The last good reading, if there ever was one.
    entry: Option<T>,
}

impl<T: Clone> DomainsD<T> {
    /// Takes the folder; it is read when a domain is asked for.
    pub fn new(folder: PathBuf) -> DomainsD<T> {
        DomainsD { folder, remembered: RefCell::default() }
    }

    /// Takes over what another reader of the same folder knows; every file is read anew, and what
    /// is known counts only for those that are broken.
    pub fn remember(&self, earlier: &DomainsD<T>) {
        if self.folder == earlier.folder {
            let mut remembered = earlier.remembered.borrow().clone();
            remembered.values_mut().for_each(|known| known.stamp = None);
            *self.remembered.borrow_mut() = remembered;
        }
    }

    /// True if there is a file for `domain`.
    pub fn has(&self, domain: &Domain) -> bool {
        self.path(domain).exists()
    }

    /// Every file, whether its name is right or not, in the order of their names.
    pub fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let is_toml =
            |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        let mut files: Vec<_> = files.map(|file| file.path()).filter(is_toml).collect();
        files.sort();
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

    /// What the file of `domain` says; `None` if there is no file.
    ///
    /// `read` makes an entry of a path and the text there. Fails if the file is broken and was
    /// never better.
    pub fn entry<E: Display>(
        &self,
        domain: &Domain,
        read: impl FnOnce(&Path, &str) -> Result<T, Vec<E>>,
    ) -> Result<Option<T>, DirectoryError> {
        let path = self.path(domain);
        let mut remembered = self.remembered.borrow_mut();
        let known = remembered.get(domain);
        let unreadable = |error| vec![format!("{}: cannot be read: {error}", path.display())];
        let (stamp, complaints) = match Stamp::of(&path) {
            Ok(None) => {
                remembered.remove(domain);
                return Ok(None);
            }
            Ok(stamp) => {
                if let Some(known) = known.filter(|known| known.stamp == stamp) {
                    return known.entry.clone().map(Some).ok_or(DirectoryError);
                }
                match files::read_text(&path) {
                    Ok(text) => match read(&path, &text) {
                        Ok(entry) => {
                            let fresh =
                                Remembered { stamp, complaint: None, entry: Some(entry.clone()) };
                            make_room(&mut remembered);
                            remembered.insert(domain.clone(), fresh);
                            return Ok(Some(entry));
                        }
                        Err(errors) => (stamp, errors.iter().map(E::to_string).collect()),
                    },
                    // It may be better in a moment: to be tried again.
                    Err(error) => (None, unreadable(error)),
                }
            }
            Err(error) => (None, unreadable(error)),
        };
        let complaint = Some(complaints.join("; "));
        if known.is_none_or(|known| known.complaint != complaint) {
            complaints.iter().for_each(|complaint| log::error(complaint));
        }
        let entry = known.and_then(|known| known.entry.clone());
        make_room(&mut remembered);
        remembered.insert(domain.clone(), Remembered { stamp, complaint, entry: entry.clone() });
        entry.map(Some).ok_or(DirectoryError)
    }

    fn path(&self, domain: &Domain) -> PathBuf {
        // A domain holds letters, digits, hyphens and dots and begins with none of the last two:
        // it cannot lead out of the folder.
        self.folder.join(format!("{domain}.toml"))
    }
}

/// Forgets what can be read anew, once too much is remembered.
fn make_room<T>(remembered: &mut HashMap<Domain, Remembered<T>>) {
    if remembered.len() >= REMEMBERED {
        remembered.retain(|_, known| known.complaint.is_some() && known.entry.is_some());
    }
}

impl<T> fmt::Debug for DomainsD<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("DomainsD").field("folder", &self.folder).finish_non_exhaustive()
    }
}
