//! The table of paths: which discovery protocol a request is for.
//!
//! Paths are compared without regard to letter case: Autodiscover clients vary it, and the other
//! paths lose nothing by it. What is not in the table is looked up once more with doubled slashes
//! made single, and as the web server rewrote it. What is not in the table then is not ours.

use crate::discovery::autodiscover::{json, pox};
use crate::discovery::{autoconfig, mobileconfig, pacc};
use crate::page;
use crate::question::Question;
use crate::request::{Method, Request, eq_ignore_case};
use crate::response::{Response, Status};

/// One row: a path, the methods that make sense there, and who reads the question.
struct Route {
    /// What it is called in the log and in the metrics.
    name: &'static str,
    path: Path,
    methods: &'static [Method],
    read: for<'r> fn(&'r Request<'r>) -> Result<Question<'r>, Response>,
}

/// Which paths are meant.
enum Path {
    /// This one.
    Is(&'static str),
    /// Those with one more part behind this.
    Below(&'static str),
    /// Those with anything behind this: a slash may be part of an address.
    Under(&'static str),
}

const GET: &[Method] = &[Method::Get, Method::Head];
const GET_POST: &[Method] = &[Method::Get, Method::Head, Method::Post];

const ROUTES: [Route; 11] = [
    Route { name: "page", path: Path::Is("/"), methods: GET, read: page::read },
    Route {
        name: "autoconfig",
        path: Path::Is("/mail/config-v1.1.xml"),
        methods: GET,
        read: autoconfig::read,
    },
    Route {
        name: "autoconfig",
        path: Path::Is("/.well-known/autoconfig/mail/config-v1.1.xml"),
        methods: GET,
        read: autoconfig::read,
    },
    // seen: Nine asks here.
    Route {
        name: "autoconfig",
        path: Path::Is("/v1.1/mail/config-v1.1.xml"),
        methods: GET,
        read: autoconfig::read,
    },
    Route {
        name: "autoconfig",
        path: Path::Below("/v1.1/"),
        methods: GET,
        read: autoconfig::read_database_form,
    },
    Route {
        name: "autodiscover",
        path: Path::Is("/autodiscover/autodiscover.xml"),
        methods: GET_POST,
        read: pox::read,
    },
    Route {
        name: "autodiscover-json",
        path: Path::Is("/autodiscover/autodiscover.json"),
        methods: GET,
        read: json::read,
    },
    Route {
        name: "autodiscover-json",
        path: Path::Under(json::FOLDER),
        methods: GET,
        read: json::read_path,
    },
    Route {
        name: "mobileconfig",
        path: Path::Is("/mobileconfig"),
        methods: GET,
        read: mobileconfig::read,
    },
    Route {
        name: "mobileconfig",
        path: Path::Is("/email.mobileconfig"),
        methods: GET,
        read: mobileconfig::read,
    },
    Route {
        name: "pacc",
        path: Path::Is("/.well-known/user-agent-configuration.json"),
        methods: GET,
        read: pacc::read,
    },
];

impl Path {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Path::Is(this) => eq_ignore_case(path, this),
            Path::Below(this) => {
                behind(this, path).is_some_and(|rest| !rest.is_empty() && !rest.contains(&b'/'))
            }
            Path::Under(this) => behind(this, path).is_some_and(|rest| !rest.is_empty()),
        }
    }

    /// A path with doubled slashes as it is written here; `None` if it is another one. Slashes
    /// behind the words of the table stay: they may be part of an address.
    fn with_single_slashes(&self, path: &[u8]) -> Option<Vec<u8>> {
        let (Path::Is(this) | Path::Below(this) | Path::Under(this)) = self;
        let path = [this.as_bytes(), behind_slashes(this, path)?].concat();
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
    let question = match route.methods.contains(&request.method) {
        true => (route.read)(request),
        false => {
            let allow: Vec<_> = route.methods.iter().map(|method| method.as_str()).collect();
            Err(Response::text(Status::MethodNotAllowed, "this method is not allowed")
                .with("Allow", allow.join(", ")))
        }
    };
    Some((route.name, question))
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
