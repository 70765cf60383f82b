//! Which discovery protocol a request is for: the table of `paths`, with who reads the question.
//!
//! Paths are compared without regard to letter case: Autodiscover clients vary it, and the other
//! paths lose nothing by it. What is not in the table is looked up once more with doubled slashes
//! made single, and as the web server rewrote it. What is not in the table then is not ours.

use crate::discovery::autodiscover::{json, pox};
use crate::discovery::{autoconfig, mobileconfig, pacc, well_known};
use crate::page;
use crate::paths::{self, Kind, PATHS, Path};
use crate::question::Question;
use crate::request::{Request, eq_ignore_case};
use crate::response::{Response, Status};

/// One row: a path, and who reads the question there.
struct Route {
    path: Path,
    read: Read,
}

/// Reads the question of a request, or gives the response where there is none.
type Read = for<'r> fn(&'r Request<'r>) -> Result<Question<'r>, Response>;

const fn to(path: Path, read: Read) -> Route {
    Route { path, read }
}

const ROUTES: [Route; PATHS.len()] = [
    to(paths::PAGE, page::read),
    to(paths::AUTOCONFIG, autoconfig::read),
    to(paths::AUTOCONFIG_WELL_KNOWN, autoconfig::read),
    to(paths::AUTOCONFIG_V1_1, autoconfig::read),
    to(paths::AUTOCONFIG_DATABASE, autoconfig::read_database_form),
    to(paths::AUTODISCOVER, pox::read),
    to(paths::AUTODISCOVER_JSON, json::read),
    to(paths::AUTODISCOVER_JSON_V1_0, json::read_path),
    to(paths::MOBILECONFIG, mobileconfig::read),
    to(paths::MOBILECONFIG_PLESK, mobileconfig::read),
    to(paths::PACC, pacc::read),
    to(paths::CALDAV, well_known::read_caldav),
    to(paths::CARDDAV, well_known::read_carddav),
];

impl Path {
    fn matches(&self, path: &[u8]) -> bool {
        match self.kind {
            Kind::Is => eq_ignore_case(path, self.text),
            Kind::Below => behind(self.text, path)
                .is_some_and(|rest| !rest.is_empty() && !rest.contains(&b'/')),
            Kind::Under => behind(self.text, path).is_some_and(|rest| !rest.is_empty()),
        }
    }

    /// A path with doubled slashes as it is written here; `None` if it is another one. Slashes
    /// behind the words of the table stay: they may be part of an address.
    fn with_single_slashes(&self, path: &[u8]) -> Option<Vec<u8>> {
        let path = [self.text.as_bytes(), behind_slashes(self.text, path)?].concat();
        self.matches(&path).then_some(path)
    }
}

/// What stands behind `start` in a path that begins with it.
fn behind<'a>(start: &str, path: &'a [u8]) -> Option<&'a [u8]> {
    let (found, rest) = path.split_at_checked(start.len())?;
    found.eq_ignore_ascii_case(start.as_bytes()).then_some(rest)
}

/// As `behind`, but `path` may have several slashes for each one of `start`.
fn behind_slashes<'a>(start: &str, mut path: &'a [u8]) -> Option<&'a [u8]> {
    for byte in start.bytes() {
        let (first, rest) = path.split_first()?;
        if !first.eq_ignore_ascii_case(&byte) {
            return None;
        }
        path = if byte == b'/' { without_slashes(rest) } else { rest };
    }
    Some(path)
}

/// The path without the slashes that it begins with.
fn without_slashes(path: &[u8]) -> &[u8] {
    let slashes = path.iter().take_while(|&&byte| byte == b'/').count();
    &path[slashes..]
}

/// True if a path is in the table.
pub fn is_known(path: &[u8]) -> bool {
    ROUTES.iter().any(|route| route.path.matches(path))
}

/// True if a path is in the table, or is made one of it by single slashes.
pub fn is_taken(path: &[u8]) -> bool {
    is_known(path) || with_single_slashes(path).is_some()
}

/// What is asked for, in a word, and the question; the response to give if there is none. `None` for
/// a path that is not in the table.
pub fn route<'r>(
    request: &'r Request<'r>,
) -> Option<(&'static str, Result<Question<'r>, Response>)> {
    let route = ROUTES.iter().find(|route| route.path.matches(&request.path))?;
    let question = match route.path.methods.contains(&request.method) {
        true => (route.read)(request),
        false => {
            let allow: Vec<_> = route.path.methods.iter().map(|method| method.as_str()).collect();
            Err(Response::text(Status::MethodNotAllowed, "this method is not allowed")
                .with("Allow", allow.join(", ")))
        }
    };
    Some((route.path.name, question))
}

/// The path of the table that a request means whose own path is not in it: that path with doubled
/// slashes made single, or the path that the web server rewrote it to.
pub fn other_path(request: &Request) -> Option<Vec<u8>> {
    if let Some(path) = with_single_slashes(&request.path) {
        return Some(path);
    }
    let rewritten = request.rewritten.concat();
    // Nearly always the web server rewrote nothing.
    if rewritten == *request.path {
        return None;
    }
    if is_known(&rewritten) {
        return Some(rewritten);
    }
    with_single_slashes(&rewritten)
}

fn with_single_slashes(path: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(path, b"//")?;
    // Those at the beginning are passed once and not for each row.
    let from = path.len() - without_slashes(path).len();
    let path = &path[from.saturating_sub(1)..];
    ROUTES.iter().find_map(|route| route.path.with_single_slashes(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_its_reader() {
        for (route, path) in ROUTES.iter().zip(PATHS) {
            assert_eq!((route.path.text, route.path.kind), (path.text, path.kind));
        }
    }
}
