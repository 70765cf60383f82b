//! The table of paths: which discovery protocol a request is for.
//!
//! Paths are compared without regard to letter case: Autodiscover clients vary it, and the other
//! paths lose nothing by it. What is not in the table is not ours.

use crate::discovery::{autoconfig, autodiscover::pox, mobileconfig};
use crate::question::Question;
use crate::request::{Method, Request};
use crate::response::{Response, Status};

/// One row: a path, the methods that make sense there, and who reads the question.
struct Route {
    path: &'static str,
    methods: &'static [Method],
    read: fn(&Request) -> Result<Question, Response>,
}

const GET: &[Method] = &[Method::Get, Method::Head];
const GET_POST: &[Method] = &[Method::Get, Method::Head, Method::Post];

const ROUTES: [Route; 5] = [
    Route { path: "/mail/config-v1.1.xml", methods: GET, read: autoconfig::read },
    Route {
        path: "/.well-known/autoconfig/mail/config-v1.1.xml",
        methods: GET,
        read: autoconfig::read,
    },
    Route { path: "/autodiscover/autodiscover.xml", methods: GET_POST, read: pox::read },
    Route { path: "/mobileconfig", methods: GET, read: mobileconfig::read },
    Route { path: "/email.mobileconfig", methods: GET, read: mobileconfig::read },
];

/// Finds out what is asked; the answer to give if that is nothing we know.
pub fn route(request: &Request) -> Result<Question, Response> {
    let route = ROUTES
        .iter()
        .find(|route| request.path.eq_ignore_ascii_case(route.path.as_bytes()))
        .ok_or_else(|| Response::text(Status::NotFound, "nothing here"))?;
    if !route.methods.contains(&request.method) {
        let allow: Vec<_> = route.methods.iter().map(|method| method.as_str()).collect();
        return Err(Response::text(Status::MethodNotAllowed, "this method is not allowed here")
            .with("Allow", allow.join(", ")));
    }
    (route.read)(request)
}
