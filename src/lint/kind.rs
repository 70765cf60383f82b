//! What a kind of finding is: its code, the clients that it breaks, the remedy, and the function
//! that finds its cause in an account.

use super::breaks::{Breaks, Does};
use crate::account::{Account, MailServer};

/// One kind of finding; all are warnings.
pub struct Lint {
    /// The code, in kebab case; it does not change between versions.
    pub code: &'static str,
    /// One line for the manual.
    pub about: &'static str,
    /// The clients that it breaks.
    pub breaks: Breaks,
    /// The remedy.
    pub remedy: &'static str,
    pub(super) find: Find,
}

/// The function that finds the cause.
pub(super) enum Find {
    /// For a server or an alternative; keys are those of the server, and the message follows its
    /// name.
    Way(fn(&MailServer) -> Option<Cause>),
    /// The same, for properties that alternatives share with the server.
    Server(fn(&MailServer) -> Option<Cause>),
    /// The same as `Way`, for findings that depend on the domain, too.
    InDomain(fn(&MailServer, &Account) -> Option<Cause>),
    /// For an account.
    Account(fn(&Account) -> Vec<Cause>),
}

/// The message, and the keys that cause it: the first one that is set is the place.
pub(super) struct Cause {
    pub(super) keys: Vec<String>,
    pub(super) message: String,
    /// The clients, if they are not all of those of the kind.
    pub(super) breaks: Option<Does>,
}

impl Cause {
    /// The same, which breaks these clients only.
    pub(super) fn for_those(self, does: Does) -> Cause {
        Cause { breaks: Some(does), ..self }
    }
}

/// A cause.
pub(super) fn cause(keys: &[&str], message: impl Into<String>) -> Cause {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    Cause { keys, message: message.into(), breaks: None }
}
