//! A server of socketmaps: any bytes from it.
//!
//! Checks: a reply is complete with its last byte; it is the same with more bytes behind it; what
//! `Model`, a second, simple parser, reads of it is the same; a login can be one; no more than the
//! longest reply is waited for.

use super::reply;
use mailsetup::account::OwnLogin;
use mailsetup::login::answer::{Answer, Reading};
use mailsetup::login::socketmap::{MAX_REPLY, read};

pub fn run(data: &[u8]) {
    let found = reply::check(data, read);
    match (found, model(data)) {
        (Reading::More, Model::More) => {
            assert!(data.len() <= MAX_REPLY + "4096:".len(), "it waits for more");
        }
        (Reading::Broken(_), Model::Broken) => {}
        (Reading::Answer(Answer::Login(login), length), Model::Login(text, end)) => {
            assert_eq!((login.as_str(), length), (text, end));
        }
        (Reading::Answer(Answer::NotFound, length), Model::NotFound(end)) => {
            assert_eq!(length, end);
        }
        (Reading::Answer(Answer::Failed(_), length), Model::Failed(end)) => {
            assert_eq!(length, end);
        }
        (found, model) => panic!("{found:?} is not {model:?}"),
    }
}

#[derive(Debug)]
enum Model<'a> {
    More,
    Broken,
    Login(&'a str, usize),
    NotFound(usize),
    Failed(usize),
}

fn model(data: &[u8]) -> Model<'_> {
    let end = data.iter().position(|b| !b.is_ascii_digit());
    let digits = std::str::from_utf8(&data[..end.unwrap_or(data.len())]).expect("digits");
    if digits.len() > 4 {
        return Model::Broken;
    }
    let length = digits.parse().unwrap_or(0);
    let Some(end) = end else {
        return if length > MAX_REPLY { Model::Broken } else { Model::More };
    };
    if digits.is_empty() || length > MAX_REPLY || data[end] != b':' {
        return Model::Broken;
    }
    let rest = &data[end + 1..];
    let Some(last) = rest.get(length) else { return Model::More };
    let text = &rest[..length];
    let whole = end + length + 2;
    let word = text.split(|&b| b == b' ').next().expect("a word");
    match (*last, word) {
        (b',', b"OK") => {
            let login = text.get(3..).and_then(|login| std::str::from_utf8(login).ok());
            match login.filter(|login| OwnLogin::parse(login).is_some()) {
                Some(login) => Model::Login(login, whole),
                None => Model::Failed(whole),
            }
        }
        (b',', b"NOTFOUND") => Model::NotFound(whole),
        (b',', b"TEMP" | b"TIMEOUT" | b"PERM") => Model::Failed(whole),
        _ => Model::Broken,
    }
}
