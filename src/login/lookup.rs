//! Looks up the login of a mailbox in a source.

use super::answer::{Answer, Reading};
use super::lookups::{Lookups, Outcome};
use super::source::{Kind, Server, Source};
use crate::account::OwnLogin;
use crate::address::EmailAddress;
use crate::directory::map::Map;
use crate::log;
use crate::step::{Dialogue, Failure, Inquiry, Progress};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The login of a mailbox, if it has one of its own; or what has to be asked first.
///
/// Then the look-up is repeated: the answer is kept, also that there is none.
pub fn look_up(
    source: &Source,
    address: &EmailAddress,
    lookups: &Rc<Lookups>,
) -> Result<Option<OwnLogin>, Inquiry> {
    let server = match &source.kind {
        Kind::Map(file, map) => return Ok(in_map(file, map, address, lookups)),
        Kind::Server(server) => server,
    };
    let wanted = server.wanted(address);
    let key = key(server, source.timeout, &wanted);
    match lookups.kept(&key) {
        Some(Answer::Login(login)) => Ok(Some(login)),
        Some(Answer::NotFound | Answer::Failed(_)) => Ok(None),
        None => {
            let (server, lookups) = (server.clone(), lookups.clone());
            let socket = server.socket.clone();
            let question = Question { server, wanted, key, lookups, answer: None };
            let dialogue = Box::new(question);
            Err(Inquiry { socket, timeout: source.timeout, dialogue })
        }
    }
}

/// The login of a mailbox in a map.
fn in_map(file: &Path, map: &Map, address: &EmailAddress, lookups: &Lookups) -> Option<OwnLogin> {
    let begun = Instant::now();
    let login = map.get(&address.folded()).and_then(|login| OwnLogin::parse(&login));
    let outcome = match (&login, map.failure()) {
        (Some(_), _) => Outcome::Found,
        (None, None) => Outcome::NotFound,
        (None, Some(failure)) => {
            log::error_on_request(&format!("login: {} cannot be read: {failure}", file.display()));
            Outcome::Failed
        }
    };
    lookups.count("map", outcome, begun.elapsed());
    login
}

/// The same bytes for questions that get the same answer in the same time.
fn key(server: &Server, timeout: Duration, wanted: &str) -> Box<[u8]> {
    let name = server.to_string();
    [&timeout.as_nanos().to_be_bytes(), name.as_bytes(), b"\0", wanted.as_bytes()].concat().into()
}

/// A question to a server.
struct Question {
    server: Server,
    wanted: String,
    key: Box<[u8]>,
    lookups: Rc<Lookups>,
    answer: Option<Answer>,
}

impl Dialogue for Question {
    fn key(&self) -> &[u8] {
        &self.key
    }

    fn request(&self, count: u32) -> Vec<u8> {
        self.server.request(count, &self.wanted)
    }

    fn read(&mut self, count: u32, received: &[u8]) -> Progress {
        match self.server.read(count, received) {
            Reading::More => Progress::More,
            Reading::Broken(what) => Progress::Broken(what),
            Reading::Answer(answer, length) => {
                self.answer = Some(answer);
                Progress::Done(length)
            }
        }
    }

    fn end(self: Box<Self>, result: Result<(), Failure>, took: Duration) {
        let Question { server, key, lookups, answer, .. } = *self;
        let result = result.and_then(|()| answer.ok_or(Failure::Closed));
        lookups.end(&server, key, result, took);
    }
}
