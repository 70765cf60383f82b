//! Where the configuration is: a file that was named, else the first of the usual places.
//!
//! Nothing of a request is looked at, and a file that was named must be there.

use super::check::{self, Loading};
use super::checker::Files;
use super::lookup::Config;
use crate::finding::{self, Finding};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Names the file, in place of an option.
pub const VARIABLE: &str = "MAILSETUP_CONFIG";
/// The file beside the program, for shared hosting.
pub const BESIDE_PROGRAM: &str = "mailsetup.toml";
/// The file of the system.
pub const SYSTEM: &str = "/etc/mailsetup/config.toml";

/// Where to look.
#[derive(Clone, Debug)]
pub enum Source {
    /// This file, which must be there.
    Named(PathBuf),
    /// The usual places, and the built-in defaults if there is none.
    Usual,
}

impl Source {
    /// The file an option named, else the one the environment names, else the usual places.
    pub fn new(option: Option<PathBuf>) -> Source {
        let variable =
            || std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        option.or_else(variable).map_or(Source::Usual, Source::Named)
    }

    /// The file to read; `None` if the built-in defaults hold.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Source::Named(path) => Some(path.clone()),
            Source::Usual => usual_places().find(|path| is_there(path)),
        }
    }

    /// Reads and checks the configuration; what is wrong is sorted by place.
    pub fn load(&self, loading: Loading) -> Result<Config, Vec<Finding>> {
        self.load_watching(loading).1
    }

    /// The same, and the files that were looked at with their states before that.
    pub fn load_watching(&self, loading: Loading) -> (Files, Result<Config, Vec<Finding>>) {
        match self.path() {
            Some(path) => {
                let (files, result) = check::config(&path, loading);
                let result = result.map_err(|mut findings| {
                    finding::sort(&mut findings, &files);
                    findings
                });
                (files, result)
            }
            None => {
                let files = usual_places().map(|path| (path, None)).collect();
                (files, Ok(check::built_in(loading.checks)))
            }
        }
    }
}

/// True also for a link that leads nowhere, and for what cannot be looked at: it is read then, and
/// fails.
fn is_there(path: &Path) -> bool {
    !path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn usual_places() -> impl Iterator<Item = PathBuf> {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    let beside = folder.map(|folder| folder.join(BESIDE_PROGRAM));
    beside.into_iter().chain([PathBuf::from(SYSTEM)])
}
