//! The check of one file: the errors so far, and the files it names.
//!
//! The file of a domain may be written by another user, so it can only name files in its folder or
//! below.

use super::file::Spanned;
use super::report::Report;
use super::value_checks::ValueChecks;
use crate::directory::map::Map;
use crate::files::{self, Kind, Stamp};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The files that were read, and their states before that.
pub type Files = Vec<(PathBuf, Option<Stamp>)>;

/// Largest size of all templates and logos that a file names, together, in bytes.
const MAX_NAMED_BYTES: usize = 16 * 1024 * 1024;

/// A map file that was read, and its state before that.
pub(super) type MapFile = (PathBuf, Option<Stamp>, Arc<Map>);

/// Longest path of a socket, in bytes (unix(7)).
const MAX_SOCKET: usize = 107;
/// Most map files that can be configured: each is checked several times a second.
const MAX_MAPS: usize = 100;

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
    /// The map files of logins.
    pub(super) maps: Vec<MapFile>,
    /// Those of the previous configuration, which are not read again if they have not changed.
    earlier_maps: &'a [MapFile],
    /// True if maps are searched and not loaded.
    searches: bool,
}

impl<'a> Checker<'a> {
    /// For the configuration file at `path` with the content `text`.
    pub(super) fn new(path: &'a Path, text: &'a str, checks: &'static ValueChecks) -> Checker<'a> {
        let report = Report::new(path, text);
        Checker {
            path,
            checks,
            is_domain_file: false,
            report,
            read: Vec::new(),
            read_bytes: 0,
            maps: Vec::new(),
            earlier_maps: &[],
            searches: false,
        }
    }

    /// The same with this report; `path` is only where relative paths begin.
    pub(super) fn reporting(self, report: Report<'a>) -> Checker<'a> {
        Checker { report, ..self }
    }

    /// The same with the maps of the previous configuration; `searches` says that maps are searched
    /// and not loaded.
    pub(super) fn reading_maps(self, earlier_maps: &'a [MapFile], searches: bool) -> Checker<'a> {
        Checker { earlier_maps, searches, ..self }
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

    /// Reads a map file of logins that is named at `path`, unless another domain names it, too; the
    /// configuration follows its changes.
    pub(super) fn map(&mut self, key: &str, path: &Spanned<String>) -> Option<(PathBuf, Arc<Map>)> {
        if self.is_empty(key, path) {
            return None;
        }
        let file = self.beside(path.get_ref());
        if let Some((.., map)) = self.maps.iter().find(|(known, ..)| *known == file) {
            return Some((file, map.clone()));
        }
        if self.maps.len() == MAX_MAPS {
            let message = format!("{key}: at most {MAX_MAPS} files are allowed");
            self.mistake("too-many-maps", path.span(), message);
            return None;
        }
        let stamp = Stamp::of(&file).ok().flatten();
        self.read.push((file.clone(), stamp));
        let mut earlier = self.earlier_maps.iter();
        let map = match earlier.find(|(known, then, _)| (known, *then) == (&file, stamp)) {
            Some((.., map)) => map.clone(),
            None => match if self.searches { Map::search(&file) } else { Map::read(&file) } {
                Ok(map) => Arc::new(map),
                Err(error) => {
                    let reason = files::reason(&error);
                    let message = format!("{key}: {} cannot be read: {reason}", file.display());
                    self.mistake("file-unreadable", path.span(), message);
                    return None;
                }
            },
        };
        self.maps.push((file.clone(), stamp, map.clone()));
        Some((file, map))
    }

    /// The socket at `path`, which need not exist.
    pub(super) fn socket(
        &mut self,
        key: &str,
        path: &str,
        span: Option<Range<usize>>,
    ) -> Option<Arc<Path>> {
        let socket = self.beside(path);
        let length = socket.as_os_str().len();
        if path.is_empty() {
            self.mistake("socket", span, format!("{key}: the value is empty"));
        } else if length > MAX_SOCKET {
            let message = format!(
                "{key}: the path {} has {length} bytes; a socket has at most {MAX_SOCKET}",
                socket.display()
            );
            self.mistake("socket", span, message);
        } else {
            return Some(socket.into());
        }
        None
    }

    /// True for the file of a domain, which another user may have written.
    pub(super) fn is_domain_file(&self) -> bool {
        self.is_domain_file
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
