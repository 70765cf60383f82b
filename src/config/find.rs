//! Finds the configuration: a file that was named, else the text in a variable, else the first file
//! in the usual places; each with the environment variables over it.
//!
//! The place does not depend on a request, and a named file must exist.

use super::check::{self, Loading};
use super::checker::Files;
use super::environment::{Environment, TEXT};
use super::lookup::Config;
use crate::finding::{self, Finding, Place};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file next to the program, for shared hosting.
pub const BESIDE_PROGRAM: &str = "mailsetup.toml";
/// The system-wide file.
pub const SYSTEM: &str = "/etc/mailsetup/config.toml";

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub struct Source {
    text: Text,
    /// The variables, which stay as they were at the start.
    environment: Arc<Environment>,
}

/// Where the text is.
#[derive(Clone, Debug)]
enum Text {
    /// In this file, which must exist.
    Named(PathBuf),
    /// In a variable.
    Variable(String),
    /// In the first file of the usual places. Without one, the built-in defaults are used.
    Usual,
}

impl Source {
    /// The file that the option names, else what the environment variables name or contain, else
    /// the usual places.
    pub fn new(option: Option<PathBuf>, variables: &[(OsString, OsString)]) -> Source {
        let mut environment = Environment::new(variables, option.is_some());
        let text = match (option.or(environment.file.take()), environment.text.take()) {
            (Some(file), _) => Text::Named(file),
            (None, Some(text)) => Text::Variable(text),
            (None, None) => Text::Usual,
        };
        Source { text, environment: Arc::new(environment) }
    }

    /// The same variables, but this file.
    pub fn at(self, path: &Path) -> Source {
        Source { text: Text::Named(path.to_owned()), ..self }
    }

    /// The variables that are set.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The file that the option or the variable names.
    pub fn named(&self) -> Option<&Path> {
        match &self.text {
            Text::Named(path) => Some(path),
            Text::Variable(_) | Text::Usual => None,
        }
    }

    /// The file to read; `None` if there is none.
    pub fn path(&self) -> Option<PathBuf> {
        match &self.text {
            Text::Named(path) => Some(path.clone()),
            Text::Variable(_) => None,
            Text::Usual => usual_file(),
        }
    }

    /// The file, or the variable with the text; `None` if the built-in defaults are used.
    pub fn place(&self) -> Option<Place> {
        match &self.text {
            Text::Variable(_) => Some(Place::variable(Path::new(TEXT))),
            Text::Named(_) | Text::Usual => self.path().map(Place::file),
        }
    }

    /// Reads and checks the configuration; findings are sorted by place.
    pub fn load(&self, loading: Loading) -> Result<Config, Vec<Finding>> {
        self.load_watching(loading).1
    }

    /// Like `load`, and returns the files that were read with their states before that.
    pub fn load_watching(&self, loading: Loading) -> (Files, Result<Config, Vec<Finding>>) {
        let overlay = &self.environment.overlay;
        let beside = Path::new(SYSTEM);
        let (files, result) = match (&self.text, self.path()) {
            (_, Some(path)) => check::config(&path, overlay, loading),
            (Text::Variable(text), None) => {
                let place = Place::variable(Path::new(TEXT));
                check::without_file(beside, place, text, overlay, loading, Vec::new())
            }
            (_, None) => {
                let files = usual_places().map(|path| (path, None)).collect();
                if overlay.0.is_empty() {
                    return (files, Ok(check::built_in(loading.checks)));
                }
                let place = Place::variable(Path::new("environment"));
                check::without_file(beside, place, "", overlay, loading, files)
            }
        };
        let result = result.map_err(|mut findings| {
            finding::sort(&mut findings, &files);
            findings
        });
        (files, result)
    }
}

/// The first file that exists in the usual places.
pub fn usual_file() -> Option<PathBuf> {
    usual_places().find(|path| is_there(path))
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
