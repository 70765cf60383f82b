//! A connection over time: which request is answered first, how long to wait for the next bytes,
//! and whether the connection ends when the service stops.
//!
//! It does no I/O and uses no clock: the caller passes the time. A connection that is new, or on
//! which a request has just arrived, is not idle: if it were closed, the web server would answer
//! its client with 502.

use super::connection::{Arrived, Connection};
use crate::gateway::stop::{GRACE, SILENCE, Silent};
use std::time::Duration;
use tokio::time::Instant;

/// A connection and its deadlines.
#[derive(Debug)]
pub struct Conversation {
    /// The state of the protocol.
    pub connection: Connection,
    /// Bytes after a request, kept until that is answered; hardly ever any.
    rest: Vec<u8>,
    /// How long a request may take to be received.
    timeout: Duration,
    begun: Instant,
    /// A web server connects to send a request: the first byte has a deadline, later requests have
    /// none.
    is_new: bool,
    /// Counts the connection as silent while it is new, unless it is one too many.
    silent: Option<Silent>,
    /// The deadline of the request that is being received.
    deadline: Option<Instant>,
    /// The deadline of the first byte once the connection was told to stop.
    last_call: Option<Instant>,
}

impl Conversation {
    /// A connection that was accepted at `begun`. Later, a request may take `timeout` to be
    /// received.
    pub fn new(
        connection: Connection,
        silent: Option<Silent>,
        timeout: Duration,
        begun: Instant,
    ) -> Conversation {
        Conversation {
            connection,
            rest: Vec::new(),
            timeout,
            begun,
            is_new: true,
            silent,
            deadline: None,
            last_call: None,
        }
    }

    /// Takes bytes, after all earlier ones were processed; returns the request that they complete,
    /// if any. Bytes after that are kept.
    #[inline]
    pub fn receive(&mut self, mut bytes: &[u8]) -> Option<Arrived> {
        let arrived = self.connection.receive(&mut bytes);
        if !bytes.is_empty() {
            self.rest = bytes.to_vec();
        }
        arrived
    }

    /// True if bytes after the last request are kept, which must be received next.
    #[inline]
    pub fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Receives the bytes after the last request.
    pub fn receive_rest(&mut self) -> Option<Arrived> {
        let bytes = std::mem::take(&mut self.rest);
        self.receive(&bytes)
    }

    /// The deadline for more bytes, if any. Must be called before bytes are received; calls `now`
    /// only if a deadline begins.
    #[inline]
    pub fn deadline(&mut self, now: impl FnOnce() -> Instant) -> Option<Instant> {
        let may_idle = self.connection.is_idle() && !self.connection.is_overloaded();
        self.deadline = match may_idle && !self.is_new {
            true => None,
            false => self.deadline.or_else(|| Some(now() + self.timeout)),
        };
        if self.is_new { self.last_call.or(self.deadline) } else { self.deadline }
    }

    /// True if the connection can be told to stop while it waits for bytes.
    #[inline]
    pub fn can_stop(&self) -> bool {
        self.last_call.is_none() && self.connection.is_idle()
    }

    /// Records that the connection is to stop, with all others or to make room. `has_input` says
    /// whether there are bytes that were not received yet.
    pub fn stop(&mut self, is_for_all: bool, now: Instant, has_input: bool) {
        let end = self.begun + SILENCE;
        let makes_room = self.is_new && !is_for_all;
        self.last_call = Some(match makes_room && (now < end || !has_input) {
            true => end,
            false => now + GRACE,
        });
    }

    /// True if the connection was told to stop and ends here, unless there are bytes to receive.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.last_call.is_some() && !self.is_new && self.connection.is_idle()
    }

    /// Records that bytes were received. True if the connection is from now on told to stop as one
    /// that is not silent; `is_for_all` says whether all are told already.
    #[inline]
    pub fn has_spoken(&mut self, is_for_all: bool) -> bool {
        if !self.is_new {
            return false;
        }
        self.is_new = false;
        self.silent = None;
        if !is_for_all {
            // It was to make room as a silent connection, which it no longer is.
            self.last_call = None;
        }
        !is_for_all
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::{self, kind};
    use super::*;
    use crate::gateway::stop::Stop;
    use crate::limits::Limits;

    const TIMEOUT: Duration = Duration::from_secs(30);
    const MOMENT: Duration = Duration::from_millis(10);

    fn new(begun: Instant) -> Conversation {
        Conversation::new(Connection::new(&Limits::default()), None, TIMEOUT, begun)
    }

    /// A conversation that has received these bytes, with the request if complete.
    fn after(bytes: &[u8], begun: Instant) -> (Conversation, Option<Arrived>) {
        let mut conversation = new(begun);
        let arrived = conversation.receive(bytes);
        conversation.has_spoken(false);
        (conversation, arrived)
    }

    fn get(id: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        records::write(&mut bytes, kind::BEGIN_REQUEST, id, &[0, 1, 1, 0, 0, 0, 0, 0]);
        records::write(&mut bytes, kind::PARAMS, id, b"");
        records::write(&mut bytes, kind::STDIN, id, b"");
        bytes
    }

    fn no_clock() -> Instant {
        panic!("no deadline begins here")
    }

    #[test]
    fn a_deadline_runs_until_a_request_is_there_and_none_while_idle() {
        let begun = Instant::now();
        let mut conversation = new(begun);
        let end = Some(begun + TIMEOUT);
        assert_eq!(conversation.deadline(|| begun), end, "the first byte");
        let (first, second) = (get(1), get(2));
        assert_eq!(conversation.receive(&first[..20]), None);
        conversation.has_spoken(false);
        assert_eq!(conversation.deadline(no_clock), end, "goes on");
        let arrived = conversation.receive(&first[20..]).unwrap();
        conversation.connection.answer(arrived.ticket, |_| {});
        assert_eq!(conversation.deadline(no_clock), None, "idle");
        assert_eq!(conversation.receive(&second[..20]), None);
        let later = begun + 2 * TIMEOUT;
        assert_eq!(conversation.deadline(|| later), Some(later + TIMEOUT), "another one");

        let overloaded = Connection::overloaded(&Limits::default());
        let mut conversation = Conversation::new(overloaded, None, TIMEOUT, begun);
        conversation.has_spoken(false);
        assert_eq!(conversation.deadline(|| begun), end, "one too many may not idle");
    }

    #[test]
    fn what_comes_behind_a_request_is_received_after_it() {
        let both = [get(1), get(2), get(3)[..5].to_vec()].concat();
        let (mut conversation, arrived) = after(&both, Instant::now());
        conversation.connection.answer(arrived.unwrap().ticket, |_| {});
        assert!(conversation.has_rest());
        let arrived = conversation.receive_rest().unwrap();
        conversation.connection.answer(arrived.ticket, |_| {});
        assert_eq!((conversation.has_rest(), conversation.receive_rest()), (true, None));
        assert!(!conversation.has_rest() && !conversation.connection.is_idle());
    }

    #[test]
    fn who_is_silent_until_its_first_byte() {
        let stop = Stop::default();
        let connection = Connection::new(&Limits::default());
        let mut conversation =
            Conversation::new(connection, Some(stop.silent()), TIMEOUT, Instant::now());
        assert!(stop.has_silent());
        assert!(conversation.has_spoken(false) && !conversation.has_spoken(false));
        assert!(!stop.has_silent());
        assert!(!new(Instant::now()).has_spoken(true), "all are told already");
    }

    #[test]
    fn to_stop_an_idle_one_ends_and_a_new_one_has_a_moment() {
        let begun = Instant::now();
        let (mut idle, arrived) = after(&get(1), begun);
        idle.connection.answer(arrived.unwrap().ticket, |_| {});
        assert!(idle.can_stop() && !idle.is_over());
        idle.stop(true, begun, false);
        assert!(!idle.can_stop() && idle.is_over());
        idle.receive(&get(2)[..20]);
        assert!(!idle.is_over(), "a request has begun");

        let mut new = new(begun);
        new.stop(true, begun + MOMENT, false);
        assert!(!new.is_over() && !new.can_stop());
        assert_eq!(new.deadline(|| begun), Some(begun + MOMENT + GRACE));
        assert!(!new.has_spoken(true) && new.is_over());
    }

    #[test]
    fn to_make_room_a_silent_one_has_its_first_tenth_of_a_second() {
        let begun = Instant::now();
        let end = Some(begun + SILENCE);
        for (after, has_input, deadline) in [
            (MOMENT, true, end),
            (MOMENT, false, end),
            (TIMEOUT, false, end),
            // Its bytes arrived before it was told to stop.
            (TIMEOUT, true, Some(begun + TIMEOUT + GRACE)),
        ] {
            let mut conversation = new(begun);
            conversation.stop(false, begun + after, has_input);
            assert_eq!(conversation.deadline(|| begun), deadline, "{after:?} {has_input}");
            assert!(conversation.has_spoken(false));
            assert!(conversation.can_stop(), "it has spoken, and goes on");
        }
    }
}
