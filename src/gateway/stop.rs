//! Tells connections when it is time to stop, and how long they may take to begin then.
//!
//! A connection that has sent nothing is silent, and is told before others where room is needed.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// After a signal to stop, how long who has just connected may take to begin: a web server has
/// connected to send a request at once, and would take a close for a failure.
pub const GRACE: Duration = Duration::from_secs(1);
/// Where somebody waits for a connection that has sent nothing, how long that may be open: who
/// connects sends at once.
pub const SILENCE: Duration = Duration::from_millis(100);
/// How many silent connections are told at once for each that waits: where many are silent, many
/// wait.
const SILENT_AT_ONCE: usize = 8;

/// Tells connections that it is time to stop: all of them, or as many as are to make room, those that
/// have waited longest first. Clones belong together.
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

    /// True if all are to stop, and not only to make room.
    pub fn is_for_all(&self) -> bool {
        self.0.all.get()
    }

    /// True if a connection has sent nothing so far.
    pub fn has_silent(&self) -> bool {
        self.0.silent_count.get() > 0
    }

    /// Tells silent connections to make room, and if there are too few of them, idle ones, unless
    /// it is to be `silent_only`.
    pub fn make_room(&self, count: usize, silent_only: bool) {
        let silent = self.0.silent_count.get();
        for _ in 0..silent.min(count * SILENT_AT_ONCE) {
            self.0.silent.notify_one();
        }
        if !silent_only {
            (silent..count).for_each(|_| self.0.others.notify_one());
        }
    }

    /// Counts a connection as one that has sent nothing, as long as the value lives.
    pub fn silent(&self) -> Silent {
        self.0.silent_count.set(self.0.silent_count.get() + 1);
        Silent(self.clone())
    }

    /// Waits until it is time to stop for a connection that is silent, or for one that is not.
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
