//! The check of one file: the errors so far, and the files it names.
//!
//! The file of a domain may be written by another user, so it can only name files in its folder or
//! below.

use super::file::Spanned;
use super::report::Report;
use super::value_checks::ValueChecks;
use crate::files::{self, Kind, Stamp};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

/// The files that were read, and their states before that.
pub type Files = Vec<(PathBuf, Option<Stamp>)>;

/// Largest size of all templates and logos that a file names, together, in bytes.
const MAX_NAMED_BYTES: usize = 16 * 1024 * 1024;

/// Checks one file and collects its errors.
pub(super) struct Checker<'a> {
    path: &'a Path,
    /// Checks of values that other modules use.
    pub(super) checks: &'static ValueChecks,
    /// True for the file of a domain, which another user may have written.
    is_domain_file: bool,
    pub(super) report: Report<'a>,
    /// The files that were read during the check, and their states before that.
    pub(super) read: Files,
    /// The bytes read from them.
    pub(super) read_bytes: usize,
}

impl<'a> Checker<'a> {
    /// For the configuration file at `path` with the content `text`.
    pub(super) fn new(path: &'a Path, text: &'a str, checks: &'static ValueChecks) -> Checker<'a> {
        let report = Report::new(path, text);
        Checker { path, checks, is_domain_file: false, report, read: Vec::new(), read_bytes: 0 }
    }

    /// The same with this report; `path` is only where relative paths begin.
    pub(super) fn reporting(self, report: Report<'a>) -> Checker<'a> {
        Checker { report, ..self }
    }

    /// For the file of a domain.
    pub(super) fn of_domain(
        path: &'a Path,
        text: &'a str,
        checks: &'static ValueChecks,
    ) -> Checker<'a> {
        Checker { is_domain_file: true, ..Checker::new(path, text, checks) }
    }

    /// Adds an error at `span` to the report.
    pub(super) fn mistake(
        &mut self,
        code: &'static str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
    ) {
        // A value without a place was reported before: where it was inherited from, or for its
        // type.
        if span.is_some() {
            self.report.error(code, span, message);
        }
    }

    /// Reads a file that is named at `path`; the configuration follows its changes.
    pub(super) fn file(
        &mut self,
        key: &str,
        path: &Spanned<String>,
        kind: Kind,
    ) -> Option<(PathBuf, Vec<u8>)> {
        if self.is_empty(key, path) {
            return None;
        }
        let file = self.beside(path.get_ref());
        self.read.push((file.clone(), Stamp::of(&file).ok().flatten()));
        if self.is_domain_file && !is_below(self.folder(), Path::new(path.get_ref())) {
            let message = format!(
                "{key}: `{}` is outside the folder of this file; the file of a domain can \
                 only name files in its folder or below",
                path.get_ref()
            );
            self.mistake("file-outside", path.span(), message);
            return None;
        }
        match files::read(&file, kind) {
            Ok(bytes) => {
                self.read_bytes += bytes.len();
                if self.read_bytes > MAX_NAMED_BYTES {
                    let message = format!(
                        "{key}: the templates and logos that this file names are larger than {} \
                         MiB together",
                        MAX_NAMED_BYTES / 1024 / 1024
                    );
                    self.mistake("files-too-large", path.span(), message);
                    return None;
                }
                Some((file, bytes))
            }
            Err(error) => {
                let message =
                    format!("{key}: {} cannot be read: {}", file.display(), files::reason(&error));
                self.mistake("file-unreadable", path.span(), message);
                None
            }
        }
    }

    /// True for an empty path, which is an error: it would be the folder of the configuration.
    pub(super) fn is_empty(&mut self, key: &str, path: &Spanned<String>) -> bool {
        let is_empty = path.get_ref().is_empty();
        if is_empty {
            let message = format!("{key}: the value is empty");
            self.mistake("file-unreadable", path.span(), message);
        }
        is_empty
    }

    /// A path as written, or in the folder of the configuration file if it is relative.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// True if `path` is in `folder` or below it, also after links are followed.
fn is_below(folder: &Path, path: &Path) -> bool {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let (Ok(real_folder), Ok(real)) = (folder.canonicalize(), folder.join(path).canonicalize())
    else {
        // The path cannot be read, which is reported elsewhere.
        return is_plain;
    };
    is_plain && real.starts_with(real_folder)
}
