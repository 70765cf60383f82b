//! A list that is searched for each domain, for a process that answers one request.
//!
//! One pass over the text answers all questions about a domain and about its host names: a request
//! asks for `example.org`, `autoconfig.example.org` and patterns for both. Answers are kept, since a
//! request asks more than once. They are those of the loaded list.

use super::line::{Line, PATTERN};
use super::search::search;
use super::text::{Pieces, Text, lines};
use crate::address::{Domain, HOST_PREFIXES};
use crate::files::{self, Kind};
use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A list that is searched.
pub struct Searched {
    text: Box<dyn Text>,
    known: Mutex<Known>,
}

/// What was found out.
#[derive(Default)]
struct Known {
    about: Vec<About>,
    /// Why the text could not be read, if so.
    failure: Option<String>,
}

/// What the list says about a domain and its host names.
#[derive(Clone)]
struct About {
    /// The domain, without one of the prefixes.
    domain: Domain,
    is_named: bool,
    /// Whether the domain behind each of the prefixes is named.
    are_hosts_named: [bool; HOST_PREFIXES.len()],
    /// True if there is a pattern for the domains below this one.
    has_pattern_below: bool,
    /// True if there is a pattern that this domain matches.
    has_pattern: bool,
}

impl Searched {
    /// For the list in `text`.
    pub fn new(text: impl Text + 'static) -> Searched {
        Searched { text: Box::new(text), known: Mutex::default() }
    }

    /// The text.
    pub fn text(&self) -> &dyn Text {
        &*self.text
    }

    /// True if the list names `domain`.
    pub fn contains(&self, domain: &Domain) -> bool {
        let about = self.about(domain);
        match HOST_PREFIXES.iter().position(|prefix| has_prefix(domain, prefix, &about.domain)) {
            Some(which) => about.are_hosts_named[which],
            None => about.is_named,
        }
    }

    /// True if the list has a pattern that `domain` matches.
    pub fn has_pattern_for(&self, domain: &Domain) -> bool {
        let about = self.about(domain);
        about.has_pattern || (*domain != about.domain && about.has_pattern_below)
    }

    /// Finds out about several domains in one pass.
    pub fn look_up(&self, domains: &[Domain]) {
        let mut known = self.lock();
        let mut about: Vec<About> = Vec::new();
        for domain in domains.iter().map(without_prefix) {
            let is_known = |about: &About| about.domain == domain;
            if !known.about.iter().any(is_known) && !about.iter().any(is_known) {
                about.push(About::nothing(domain));
            }
        }
        if let Err(error) = self.search(&mut about) {
            known.fail(&error);
        }
        known.about.append(&mut about);
    }

    /// True if no line names a domain.
    pub fn is_empty(&self) -> bool {
        let mut pieces = Pieces::new(&*self.text, Kind::List);
        loop {
            match pieces.next() {
                Ok(Some(piece)) => {
                    if lines(piece).any(|line| matches!(Line::read(line), Line::Name(_))) {
                        return false;
                    }
                }
                Ok(None) => return true,
                Err(error) => {
                    self.fail(&error);
                    return true;
                }
            }
        }
    }

    /// Records that the text cannot be read.
    pub fn fail(&self, error: &io::Error) {
        self.lock().fail(error);
    }

    /// Why the text could not be read, if so. Nothing is found in it then.
    pub fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    fn about(&self, domain: &Domain) -> About {
        self.look_up(std::slice::from_ref(domain));
        let domain = without_prefix(domain);
        let known = self.lock();
        let about = known.about.iter().find(|about| about.domain == domain);
        about.cloned().unwrap_or_else(|| About::nothing(domain))
    }

    fn search(&self, about: &mut [About]) -> io::Result<()> {
        if about.is_empty() {
            return Ok(());
        }
        let domains: Vec<_> = about.iter().map(|about| about.domain.clone()).collect();
        let names = domains.iter().map(|domain| domain.as_str().as_bytes());
        let needles: Vec<_> = names.chain([PATTERN.as_bytes()]).collect();
        search(&*self.text, Kind::List, &needles, |_, rest| {
            let line = lines(rest).next().unwrap_or_default();
            if let Line::Name(name) = Line::read(line) {
                about.iter_mut().for_each(|about| about.learn(&name));
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn fail(&mut self, error: &io::Error) {
        self.failure = Some(files::reason(error));
    }
}

impl About {
    fn nothing(domain: Domain) -> About {
        About {
            domain,
            is_named: false,
            are_hosts_named: Default::default(),
            has_pattern_below: false,
            has_pattern: false,
        }
    }

    /// Takes a name of the list.
    fn learn(&mut self, name: &str) {
        let domain = self.domain.as_str();
        if let Some(parent) = name.strip_prefix(PATTERN) {
            match domain.strip_suffix(parent) {
                Some("") => self.has_pattern_below = true,
                Some(rest) => self.has_pattern |= rest.ends_with('.'),
                None => {}
            }
        } else if let Some(prefix) = name.strip_suffix(domain) {
            self.is_named |= prefix.is_empty();
            for (known, is_named) in HOST_PREFIXES.iter().zip(&mut self.are_hosts_named) {
                *is_named |= prefix == *known;
            }
        }
    }
}

fn without_prefix(domain: &Domain) -> Domain {
    domain.without_prefix(&HOST_PREFIXES).unwrap_or_else(|| domain.clone())
}

/// True if `domain` is `rest` with this prefix.
fn has_prefix(domain: &Domain, prefix: &str, rest: &Domain) -> bool {
    domain.as_str().strip_prefix(prefix) == Some(rest.as_str())
}

impl fmt::Debug for Searched {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Searched")
    }
}
