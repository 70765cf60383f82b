//! What a source says about a mailbox, and what is read of a reply.

use crate::account::OwnLogin;

/// What a source says about a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Its login.
    Login(OwnLogin),
    /// The source does not know it.
    NotFound,
    /// The source cannot say, or says something that is not a login: the reason.
    Failed(String),
}

/// The longest reason that is kept, in characters.
const MAX_REASON: usize = 200;

impl Answer {
    /// The answer with a login as the source wrote it.
    pub fn of(login: &[u8]) -> Answer {
        match std::str::from_utf8(login).ok().and_then(OwnLogin::parse) {
            Some(login) => Answer::Login(login),
            None => Answer::Failed("the reply is not a login".to_owned()),
        }
    }

    /// A failure: the word of the reply, and the reason that follows it, if one does.
    pub fn failed(word: &str, reason: &[u8]) -> Answer {
        let reason = String::from_utf8_lossy(reason);
        Answer::Failed(match reason.trim() {
            "" => word.to_owned(),
            reason => format!("{word}: {}", reason.chars().take(MAX_REASON).collect::<String>()),
        })
    }
}

/// What is read of the bytes that came after a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The reply is not complete.
    More,
    /// The answer, and the length of the reply.
    Answer(Answer, usize),
    /// These bytes are not a reply; what is wrong with them.
    Broken(&'static str),
}
