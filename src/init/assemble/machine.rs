//! What is known of a machine before a configuration is made of it.

use crate::draft::Note;
use crate::init::facts::Facts;
use crate::init::listening::Listening;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is known of a machine.
#[derive(Debug, Default)]
pub struct Machine {
    /// What its mail servers tell.
    pub facts: Vec<Facts>,
    /// The ports that wait for connections, if they were read.
    pub listening: Option<Listening>,
    /// The host names in certificates, or why they are not known.
    pub certificates: BTreeMap<PathBuf, Result<Vec<String>, String>>,
    /// What is in files with domains.
    pub lists: BTreeMap<PathBuf, List>,
    /// The output of commands that list domains, or why there is none.
    pub listed: BTreeMap<Vec<String>, Result<Vec<String>, String>>,
    /// The commands that list the domains of a database, by the files of their queries, or why there is
    /// none. They end with `mailsetup import --domains -`.
    pub queries: BTreeMap<PathBuf, Result<String, String>>,
    /// What else is to be said about it.
    pub notes: Vec<Note>,
    /// True if outputs of another machine were read: then files that they name are not here.
    pub is_elsewhere: bool,
}

/// What is in a file with domains.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum List {
    /// Domains, so many, and whether every user may read the file.
    Domains(usize, bool),
    /// Why it cannot be used.
    Unusable(String),
}
