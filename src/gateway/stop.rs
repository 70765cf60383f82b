//! Tells connections to stop, and how long a request may take to begin then.
//!
//! A connection that has sent nothing is silent. If room is needed, silent connections are told first.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long a new connection may take to begin after a signal to stop: a web server connects to send
/// a request at once, and would report a close as a failure.
pub const GRACE: Duration = Duration::from_secs(1);
/// How long a connection that has sent nothing stays open while others wait for a free one: a web
/// server sends at once.
pub const SILENCE: Duration = Duration::from_millis(100);
/// How many silent connections are told at once for each connection that waits: if many are silent,
/// many wait.
const SILENT_AT_ONCE: usize = 8;

/// Tells connections to stop: all of them, or as many as have to make room, those that have waited
/// longest first. Clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Stop(Rc<Told>);

#[derive(Debug, Default)]
struct Told {
    all: Cell<bool>,
    silent: Notify,
    others: Notify,
    silent_count: Cell<usize>,
}

impl Stop {
    /// Tells all.
    pub fn tell_all(&self) {
        self.0.all.set(true);
        self.0.silent.notify_waiters();
        self.0.others.notify_waiters();
    }

    /// True if all have to stop, not only to make room.
    pub fn is_for_all(&self) -> bool {
        self.0.all.get()
    }

    /// True if a connection has sent nothing so far.
    pub fn has_silent(&self) -> bool {
        self.0.silent_count.get() > 0
    }

    /// Tells silent connections to make room. If there are too few of them, it tells idle ones, too,
    /// unless `silent_only`.
    pub fn make_room(&self, count: usize, silent_only: bool) {
        let silent = self.0.silent_count.get();
        for _ in 0..silent.min(count * SILENT_AT_ONCE) {
            self.0.silent.notify_one();
        }
        if !silent_only {
            (silent..count).for_each(|_| self.0.others.notify_one());
        }
    }

    /// Drops notices that no connection has received: they would close a connection that becomes idle
    /// later.
    pub fn room_is_made(&self) {
        for untold in [&self.0.silent, &self.0.others] {
            // Takes the stored permit, if there is one.
            pin!(untold.notified()).enable();
        }
    }

    /// Counts a connection as one that has sent nothing, as long as the value lives.
    pub fn silent(&self) -> Silent {
        self.0.silent_count.set(self.0.silent_count.get() + 1);
        Silent(self.clone())
    }

    /// Waits until a silent connection has to stop, or one that is not silent.
    pub async fn wait(&self, is_silent: bool) {
        let Told { all, silent, others, .. } = &*self.0;
        if !all.get() {
            if is_silent { silent } else { others }.notified().await;
        }
    }
}

/// A connection that has sent nothing so far.
#[derive(Debug)]
pub struct Silent(Stop);

impl Drop for Silent {
    fn drop(&mut self) {
        let count = &self.0.0.silent_count;
        count.set(count.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    /// True if a stop reaches a connection that begins to wait now.
    fn is_told(stop: &Stop, is_silent: bool) -> bool {
        pin!(stop.wait(is_silent)).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn notices_without_a_receiver_are_dropped() {
        let stop = Stop::default();
        let silent = stop.silent();
        stop.make_room(1, false);
        stop.make_room(9, false);
        stop.room_is_made();
        assert!(!is_told(&stop, true) && !is_told(&stop, false));
        drop(silent);
        stop.make_room(1, false);
        assert!(
            is_told(&stop, false) && !is_told(&stop, false),
            "without room_is_made, the notice is stored"
        );
        stop.tell_all();
        stop.room_is_made();
        assert!(is_told(&stop, true) && is_told(&stop, false));
    }
}
