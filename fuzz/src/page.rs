//! The page for mailbox owners: any query, Host and preferences.
//!
//! One line each for query, Host, Accept-Language and If-None-Match; an empty Host means none.
//! Checks: those of `answer::check`, and that a page has its policy.

use super::{answer, take_until};
use mailsetup::request::{Method, Request, Wishes};

pub fn run(data: &[u8]) {
    let data = answer::with_markup(data);
    let mut rest = &data[..];
    let target = [b"/?", take_until(&mut rest, b'\n')].concat();
    let host = Some(take_until(&mut rest, b'\n')).filter(|host| !host.is_empty());
    let wishes = Wishes {
        languages: take_until(&mut rest, b'\n'),
        known_tags: take_until(&mut rest, b'\n'),
    };
    let request = Request { wishes, ..Request::new(Method::Get, &target, host, b"") };
    answer::check(&answer::ask(&request));
}
