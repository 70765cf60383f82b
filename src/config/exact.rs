//! The domains that the configuration names exactly: by a table, a line of a list, or a file of the
//! folder.
//!
//! Patterns do not count, and neither does `answer = "any"`: certificates must not be requested, and
//! records not published, for a name that a client chose.

use super::lookup::Config;
use crate::address::Domain;
use crate::directory::name::Name;

impl Config {
    /// Every domain that is named exactly, once, without collecting those of lists: first the
    /// tables, sorted by name, then the lists, each in its own order, then the files of the folder.
    pub fn exact_domains(&self) -> impl Iterator<Item = Domain> + '_ {
        let mut tables: Vec<_> = self.domains.keys().cloned().collect();
        tables.sort_unstable();
        let listed = self.lists.iter().enumerate().flat_map(move |(at, (_, list))| {
            list.domains().filter(move |domain| {
                let is_in_earlier = self.lists[..at].iter().any(|(_, list)| list.contains(domain));
                !self.domains.contains_key(domain) && !is_in_earlier
            })
        });
        let in_directory = self.names_of_files().filter_map(|name| match name {
            Name::Domain(domain) => Some(domain),
            Name::Below(_) | Name::All => None,
        });
        let in_directory = in_directory.filter(|domain| !self.is_in_table_or_list(domain));
        tables.into_iter().chain(listed).chain(in_directory)
    }

    fn is_in_table_or_list(&self, domain: &Domain) -> bool {
        self.domains.contains_key(domain)
            || self.lists.iter().any(|(_, list)| list.contains(domain))
    }
}
