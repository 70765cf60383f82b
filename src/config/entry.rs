//! An entry for one domain: its settings, or an alias of another domain.
//!
//! It is made of a table in the configuration file, or of the text of the domain's own file.
//! Refuses other keys together with `alias_of`.

use super::build;
use super::checker::Checker;
use super::file::Tables;
use super::read::Inherited;
use super::settings::Settings;
use super::value_checks::ValueChecks;
use crate::address::Domain;
use crate::directory::domains_d::Made;
use crate::finding::Finding;
use std::path::Path;
use std::sync::Arc;

/// The entry for one domain.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Its settings.
    Settings(Arc<Settings>),
    /// It has the settings of another domain.
    AliasOf(Domain),
}

/// The base that domains inherit from.
#[derive(Clone, Debug)]
pub struct Base {
    /// The settings.
    pub(super) settings: Arc<Settings>,
    /// The tables they were made of, for the files of domains; empty without a folder.
    pub(super) tables: Inherited,
    /// Checks of values in these files.
    pub(super) checks: &'static ValueChecks,
}

/// Checks the text of one domain's file, which inherits from `base`.
pub fn of_file(path: &Path, text: &str, base: &Base) -> Result<Made<Entry>, Vec<Finding>> {
    let mut checker = Checker::of_domain(path, text, base.checks);
    let tables = base.tables.domain_file(text, &mut checker.report);
    match tables.map(|(tables, copied)| (of_tables(tables, base, &mut checker), copied)) {
        Some((value, copied)) if checker.report.is_empty() => {
            Ok(Made { value, files: checker.read, bytes: checker.read_bytes + copied })
        }
        _ => Err(checker.report.sorted()),
    }
}

/// The entry from the tables of a domain, merged over those of the base.
pub(super) fn of_tables(mut tables: Tables, base: &Base, checker: &mut Checker) -> Entry {
    let target = tables.alias_of.take();
    // A domain without keys of its own shares all settings.
    let says_nothing = tables == Tables::default();
    let settings = match says_nothing {
        true => base.settings.clone(),
        false => Arc::new(build::settings(&tables, Some(&base.settings), checker)),
    };
    let Some(target) = target else { return Entry::Settings(settings) };
    if !says_nothing {
        let message =
            "`alias_of` takes all settings of the other domain; other keys are not allowed";
        checker.mistake("alias-alone", target.span(), message.to_owned());
    }
    match Domain::parse(target.get_ref()) {
        Ok(domain) => Entry::AliasOf(domain),
        Err(_) if target.span().is_none() => Entry::Settings(settings),
        Err(_) => {
            checker.mistake(
                "domain-name",
                target.span(),
                format!("`{}` is not a domain name", target.get_ref()),
            );
            Entry::Settings(settings)
        }
    }
}
