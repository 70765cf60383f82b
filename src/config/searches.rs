//! What can go wrong with lists and maps while they are searched.

use super::lookup::Config;
use crate::files::Stamp;
use crate::finding::{Finding, Place};
use std::path::Path;

impl Config {
    /// Why a list could not be searched, if so: what was not found may be in it.
    pub fn search_failure(&self) -> Option<Finding> {
        self.lists.iter().find_map(|(file, list)| {
            let message = format!("domains.list_files: cannot be read: {}", list.failure()?);
            Some(Finding::error("file-unreadable", Some(Place::file(file)), message))
        })
    }

    /// True if a list has changed since the configuration was read: a search may have missed a domain
    /// of both the old content and the new one.
    pub fn has_changed_list(&self) -> bool {
        self.list_files().any(|file| self.has_changed(file))
    }

    /// True if a map has changed since the configuration was read: a search may have found a part of
    /// a login.
    pub fn has_changed_map(&self) -> bool {
        self.map_files().any(|file| self.has_changed(file))
    }

    fn has_changed(&self, file: &Path) -> bool {
        let mut states = self.files.iter().filter(|(known, _)| known == file);
        states.any(|(_, stamp)| Stamp::of(file).ok().flatten() != *stamp)
    }
}

#[cfg(test)]
mod tests {
    use crate::address::Domain;
    use crate::config::check::{self, Loading};
    use crate::config::value_checks::ValueChecks;
    use std::fs;
    use std::sync::Arc;

    static CHECKS: ValueChecks =
        ValueChecks { is_client_path: |_| false, template: |_| Ok(()), logo: |_| Err("none") };

    #[test]
    fn a_list_that_changes_while_it_is_searched_is_noticed() {
        let folder =
            std::env::temp_dir().join(format!("mailsetup-searches-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, list) = (folder.join("c.toml"), folder.join("list"));
        fs::write(&file, "domains.list_files = ['list']\n").unwrap();
        fs::write(&list, "a.example\n").unwrap();
        let config = check::config(&file, &Arc::default(), Loading::cgi(&CHECKS)).1.unwrap();
        assert!(config.is_named(&Domain::parse("a.example").unwrap()));
        assert!(!config.has_changed_list());
        // The configuration itself is read at once.
        fs::write(&file, "").unwrap();
        assert!(!config.has_changed_list());
        fs::write(&list, "a.example\nb.example\n").unwrap();
        assert!(config.has_changed_list() && config.search_failure().is_none());
        fs::remove_dir_all(&folder).unwrap();
    }
}
