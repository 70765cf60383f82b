//! A folder with one file for each domain, `<domain>.toml`, opened by name.
//!
//! A million domains cost a request as much as one. A file that changed is read anew at the next
//! request for its domain; a broken one is logged once and the last good one stays.

use super::{DirectoryError, Stamp};
use crate::address::Domain;
use crate::log;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// How many domains are remembered; beyond that all are forgotten and read anew.
const REMEMBERED: usize = 4096;

/// The folder, and what was read from it.
pub struct DomainsD<T> {
    folder: PathBuf,
    remembered: RefCell<HashMap<Domain, Remembered<T>>>,
}

struct Remembered<T> {
    stamp: Stamp,
    /// The last good reading, if there ever was one.
    entry: Option<T>,
}

impl<T: Clone> DomainsD<T> {
    /// Takes the folder; it is read when a domain is asked for.
    pub fn new(folder: PathBuf) -> DomainsD<T> {
        DomainsD { folder, remembered: RefCell::default() }
    }

    /// True if there is a file for `domain`.
    pub fn has(&self, domain: &Domain) -> bool {
        self.path(domain).exists()
    }

    /// Every domain that has a file.
    pub fn domains(&self) -> Vec<Domain> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        files
            .filter_map(|file| {
                Domain::parse(file.file_name().to_str()?.strip_suffix(".toml")?).ok()
            })
            .collect()
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
        let Some(stamp) = Stamp::of(&path) else {
            remembered.remove(domain);
            return Ok(None);
        };
        let known = remembered.get(domain);
        if let Some(known) = known.filter(|known| known.stamp == stamp) {
            return known.entry.clone().map(Some).ok_or(DirectoryError);
        }
        let last_good = known.and_then(|known| known.entry.clone());
        let entry = match std::fs::read_to_string(&path) {
            Ok(text) => read(&path, &text)
                .map_err(|errors| errors.iter().for_each(|error| log::error(error))),
            Err(error) => {
                log::error(&format!("{}: cannot be read: {error}", path.display()));
                Err(())
            }
        };
        let entry = entry.ok().or(last_good);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(domain.clone(), Remembered { stamp, entry: entry.clone() });
        entry.map(Some).ok_or(DirectoryError)
    }

    fn path(&self, domain: &Domain) -> PathBuf {
        // A domain holds letters, digits, hyphens and dots and begins with none of the last two:
        // it cannot lead out of the folder.
        self.folder.join(format!("{domain}.toml"))
    }
}

impl<T> fmt::Debug for DomainsD<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("DomainsD").field("folder", &self.folder).finish_non_exhaustive()
    }
}
