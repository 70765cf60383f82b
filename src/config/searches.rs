//! What can go wrong with lists and maps while they are searched.

use super::lookup::Config;
use crate::files::Stamp;
use crate::finding::{Finding, Place};

impl Config {
    /// Why a list or a map could not be searched, if so: what was not found may be in it.
    pub fn search_failure(&self) -> Option<Finding> {
        let lists =
            self.lists.iter().map(|(file, list)| (file, list.failure(), "domains.list_files"));
        let maps = self.maps.iter().map(|(file, _, map)| (file, map.failure(), "login.map"));
        lists.chain(maps).find_map(|(file, failure, key)| {
            let message = format!("{key}: cannot be read: {}", failure?);
            Some(Finding::error("file-unreadable", Some(Place::file(file)), message))
        })
    }

    /// True if a list or a map has changed since the configuration was read: a search may have found
    /// neither the old content nor the new one.
    pub fn has_changed_search(&self) -> bool {
        let is_searched = |file| self.list_files().chain(self.map_files()).any(|it| it == file);
        let mut files = self.files.iter().filter(|(file, _)| is_searched(file.as_path()));
        files.any(|(file, stamp)| Stamp::of(file).ok().flatten() != *stamp)
    }
}
