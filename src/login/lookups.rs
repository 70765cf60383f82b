//! What a process knows about its sources: the kept answers, the number of look-ups, and which
//! servers fail. A server that begins to fail is logged, and that it works again.

use super::answer::Answer;
use super::cache::Answers;
use super::source::Server;
use crate::log;
use crate::step::Failure;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The shortest time between two lines that say that a server fails: it may fail for one mailbox
/// only.
const PAUSE: Duration = Duration::from_secs(10);

/// What a process knows about its sources.
#[derive(Debug, Default)]
pub struct Lookups {
    answers: RefCell<Answers>,
    counts: RefCell<Counts>,
    servers: RefCell<HashMap<Arc<Path>, State>>,
}

/// The number of look-ups, and their time.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// By the word of the source and the result; answers that were kept are not counted.
    pub results: Vec<(&'static str, Outcome, u64)>,
    /// How long each source took, all look-ups together.
    pub took: Vec<(&'static str, Duration)>,
}

/// The result of a look-up, as it is counted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// A login was found.
    Found,
    /// The source does not know the mailbox.
    NotFound,
    /// The source cannot say.
    Failed,
    /// There was no reply in time.
    TimedOut,
    /// There was no free connection for most of the time.
    Busy,
}

/// The state of a server.
#[derive(Debug, Default)]
struct State {
    is_failing: bool,
    /// True if that was logged.
    is_logged: bool,
    /// When a failure was last logged.
    logged: Option<Instant>,
}

impl Lookups {
    /// The answer that is kept for a key.
    pub fn kept(&self, key: &[u8]) -> Option<Answer> {
        self.answers.borrow().find(key, Instant::now()).cloned()
    }

    /// The number of look-ups.
    pub fn counts(&self) -> Counts {
        self.counts.borrow().clone()
    }

    /// Counts a look-up.
    pub fn count(&self, word: &'static str, outcome: Outcome, took: Duration) {
        let mut counts = self.counts.borrow_mut();
        match counts.results.iter_mut().find(|(known, with, _)| (*known, *with) == (word, outcome))
        {
            Some((.., count)) => *count += 1,
            None => counts.results.push((word, outcome, 1)),
        }
        match counts.took.iter_mut().find(|(known, _)| *known == word) {
            Some((_, sum)) => *sum += took,
            None => counts.took.push((word, took)),
        }
    }

    /// Takes the end of a question to a server: its answer, or why there is none.
    pub fn end(
        &self,
        server: &Server,
        key: Box<[u8]>,
        result: Result<Answer, Failure>,
        took: Duration,
    ) {
        let outcome = match &result {
            Ok(Answer::Login(_)) => Outcome::Found,
            Ok(Answer::NotFound) => Outcome::NotFound,
            Ok(Answer::Failed(_)) => Outcome::Failed,
            Err(Failure::TimedOut) => Outcome::TimedOut,
            Err(Failure::Busy) => Outcome::Busy,
            Err(Failure::Broken(_) | Failure::Closed | Failure::System(_)) => Outcome::Failed,
        };
        self.count(server.word(), outcome, took);
        let answer = result.unwrap_or_else(|failure| Answer::Failed(failure.to_string()));
        let mut servers = self.servers.borrow_mut();
        let state = servers.entry(server.socket.clone()).or_default();
        match &answer {
            Answer::Failed(reason) => state.fails(server, reason),
            Answer::Login(_) | Answer::NotFound => state.works(server),
        }
        self.answers.borrow_mut().keep(key, answer, Instant::now());
    }
}

impl State {
    fn fails(&mut self, server: &Server, reason: &str) {
        self.is_failing = true;
        if !self.is_logged && self.logged.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.is_logged = true;
            self.logged = Some(Instant::now());
            log::error_on_request(&format!(
                "login: {server} fails: {reason}; documents have the login of `username`"
            ));
        }
    }

    fn works(&mut self, server: &Server) {
        if self.is_failing && self.is_logged {
            log::notice(&format!("login: {server} works again"));
        }
        self.is_failing = false;
        self.is_logged = false;
    }
}
