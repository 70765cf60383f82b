//! Finds the configuration file: a file that was named, else the first of the usual places.
//!
//! The place does not depend on a request, and a named file must exist.

use super::check::{self, Loading};
use super::checker::Files;
use super::lookup::Config;
use crate::finding::{self, Finding};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The environment variable that names the file, instead of the option.
pub const VARIABLE: &str = "MAILSETUP_CONFIG";
/// The file next to the program, for shared hosting.
pub const BESIDE_PROGRAM: &str = "mailsetup.toml";
/// The system-wide file.
pub const SYSTEM: &str = "/etc/mailsetup/config.toml";

/// Where to look for the file.
#[derive(Clone, Debug)]
pub enum Source {
    /// This file, which must exist.
    Named(PathBuf),
    /// The usual places, and the built-in defaults if no file exists.
    Usual,
}

impl Source {
    /// The file that the option names, else the one of the environment variable, else the usual
    /// places.
    pub fn new(option: Option<PathBuf>) -> Source {
        let variable =
            || std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        option.or_else(variable).map_or(Source::Usual, Source::Named)
    }

    /// The file to read; `None` if the built-in defaults are used.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Source::Named(path) => Some(path.clone()),
            Source::Usual => usual_places().find(|path| is_there(path)),
        }
    }

    /// Reads and checks the configuration; findings are sorted by place.
    pub fn load(&self, loading: Loading) -> Result<Config, Vec<Finding>> {
        self.load_watching(loading).1
    }

    /// Like `load`, and returns the files that were read with their states before that.
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

/// True also for a dangling link, and for a file that cannot be examined: reading it reports the
/// error.
fn is_there(path: &Path) -> bool {
    !path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The file of the running program.
///
/// Where `/proc` is missing, as in a bare chroot, the name by which it was called: a web server calls
/// a CGI program with the program's folder as the current one.
pub fn program() -> Option<PathBuf> {
    let called = || std::env::args_os().next().map(PathBuf::from).filter(|path| path.is_file());
    std::env::current_exe().ok().or_else(called)
}

fn usual_places() -> impl Iterator<Item = PathBuf> {
    let program = program();
    let folder = program.as_deref().and_then(Path::parent);
    let beside = folder.map(|folder| folder.join(BESIDE_PROGRAM));
    beside.into_iter().chain([PathBuf::from(SYSTEM)])
}
