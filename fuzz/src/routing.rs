//! All steps of a request, except for the page: any method, target, Host, preferences and body.
//!
//! The form is a simplified HTTP: `METHOD TARGET`, then the lines of Host, Accept-Language and
//! If-None-Match, then the body. An empty line means a missing field. Checks: those of
//! `answer::check`, and that only known methods get a document.

use super::{answer, take_until};
use mailsetup::request::{Method, Request, Wishes};
use mailsetup::response::Status;
use mailsetup::route::route;

pub fn run(data: &[u8]) {
    let data = answer::with_markup(data);
    let mut rest = &data[..];
    let mut target = take_until(&mut rest, b'\n');
    let method = Method::parse(take_until(&mut target, b' '));
    let host = Some(take_until(&mut rest, b'\n')).filter(|host| !host.is_empty());
    let wishes = Wishes {
        languages: take_until(&mut rest, b'\n'),
        known_tags: take_until(&mut rest, b'\n'),
    };
    let request = Request { wishes, ..Request::new(method, target, host, rest) };
    if *request.path == *b"/" {
        // The page takes many times as long as any document: the target `page` tests it.
        assert_eq!(
            route(&request).unwrap().1.is_ok(),
            matches!(method, Method::Get | Method::Head)
        );
        return;
    }
    let response = answer::ask(&request);
    answer::check(&response);
    let is_document = matches!(response.status, Status::Ok | Status::NotModified);
    assert!(!is_document || method != Method::Other);
}
