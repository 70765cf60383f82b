//! The tables of patterns, `[domain."*.example.org"]`, and the default table `[domain."*"]`.
//!
//! Of several patterns for a domain, the longest counts.

use super::entry::Entry;
use crate::address::Domain;
use rustc_hash::FxHashMap;

/// The tables that are for more than one domain.
#[derive(Debug, Default)]
pub struct Patterns {
    /// The patterns, by the domain behind `*.`.
    pub(super) below: FxHashMap<Domain, Entry>,
    /// The table for domains that nothing else has settings for; it names none.
    pub(super) all: Option<Entry>,
}

impl Patterns {
    /// True if a pattern names `domain`.
    pub fn name(&self, domain: &Domain) -> bool {
        self.of(domain).is_some()
    }

    /// The longest pattern for `domain`, by the domain behind `*.`, and its entry.
    pub fn of(&self, domain: &Domain) -> Option<(&Domain, &Entry)> {
        // Most configurations have none.
        if self.below.is_empty() {
            return None;
        }
        domain.parents().find_map(|parent| self.below.get_key_value(parent))
    }
}
