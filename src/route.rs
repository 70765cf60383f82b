//! The table of paths: which discovery protocol a request is for.
//!
//! Paths are compared without regard to letter case: Autodiscover clients vary it, and the other
//! paths lose nothing by it. What is not in the table is not ours.

use crate::discovery::autodiscover::{json, pox};
use crate::discovery::{autoconfig, mobileconfig, pacc};
use crate::page;
use crate::question::Question;
use crate::request::{Method, Request, is_called};
use crate::response::{Response, Status};

/// One row: a path, the methods that make sense there, and who reads the question.
struct Route {
    /// What it is called in the log and in the metrics.
    name: &'static str,
    path: Path,
    methods: &'static [Method],
    read: fn(&Request) -> Result<Question, Response>,
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
            Path::Is(this) => is_called(path, this),
            Path::Below(this) => {
                behind(this, path).is_some_and(|rest| !rest.is_empty() && !rest.contains(&b'/'))
            }
            Path::Under(this) => behind(this, path).is_some_and(|rest| !rest.is_empty()),
        }
    }
}

/// What stands behind `start` in a path that begins with it.
fn behind<'a>(start: &str, path: &'a [u8]) -> Option<&'a [u8]> {
    let (found, rest) = path.split_at_checked(start.len())?;
    found.eq_ignore_ascii_case(start.as_bytes()).then_some(rest)
}

/// True if a path is in the table.
pub fn is_known(path: &[u8]) -> bool {
    ROUTES.iter().any(|route| route.path.matches(path))
}

/// What is asked for, in a word, and the question; the answer to give if there is none. The word is
/// a hyphen for a path that is not in the table.
pub fn route(request: &Request) -> (&'static str, Result<Question, Response>) {
    let Some(route) = ROUTES.iter().find(|route| route.path.matches(&request.path)) else {
        return ("-", Err(Response::text(Status::NotFound, "nothing here")));
    };
    let question = match route.methods.contains(&request.method) {
        true => (route.read)(request),
        false => {
            let allow: Vec<_> = route.methods.iter().map(|method| method.as_str()).collect();
            Err(Response::text(Status::MethodNotAllowed, "this method is not allowed here")
                .with("Allow", allow.join(", ")))
        }
    };
    (route.name, question)
}
