//! What can go wrong with lists while they are searched.

use super::lookup::Config;
use crate::files::Stamp;
use crate::finding::{Finding, Place};

impl Config {
    /// Why a list could not be searched, if so: what was not found may be in it.
    pub fn search_failure(&self) -> Option<Finding> {
        self.lists.iter().find_map(|(file, list)| {
            let message = format!("domains.list_files: cannot be read: {}", list.failure()?);
            Some(Finding::error("file-unreadable", Some(Place::file(file)), message))
        })
    }

    /// True if a list has changed since the configuration was read: a search may have found neither
    /// the old content nor the new one.
    pub fn has_changed_list(&self) -> bool {
        let lists = self.files.iter().filter(|(file, _)| self.list_files().any(|it| it == file));
        lists.into_iter().any(|(file, stamp)| Stamp::of(file).ok().flatten() != *stamp)
    }
}
