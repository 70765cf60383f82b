//! Limits the memory that all incoming requests may use together.
//!
//! Each connection has a small amount of its own, which is enough for the requests of mail clients.
//! More is taken from a common pool: when the pool is used up, large requests are refused, and
//! small ones are still answered. Only counts bytes; it does not allocate.

use std::cell::Cell;
use std::rc::Rc;

/// The amount that each connection has of its own, in bytes.
pub const OWN_BYTES: usize = 4096;

/// The common pool; clones share it.
#[derive(Clone, Debug)]
pub struct Budget(Rc<Cell<usize>>);

impl Budget {
    /// A pool of this many bytes.
    pub fn new(bytes: usize) -> Budget {
        Budget(Rc::new(Cell::new(bytes)))
    }

    /// An empty share of it.
    pub fn share(&self) -> Share {
        Share { budget: self.clone(), taken: 0 }
    }
}

/// The bytes that one connection has taken; returned when this value is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    taken: usize,
}

impl Share {
    /// Makes this share cover `bytes`; false if the pool does not have that many, and then the
    /// share is unchanged.
    #[must_use]
    pub fn cover(&mut self, bytes: usize) -> bool {
        let wanted = bytes.saturating_sub(OWN_BYTES);
        let stock = self.budget.0.get() + self.taken;
        let is_there = wanted <= stock;
        if is_there {
            self.budget.0.set(stock - wanted);
            self.taken = wanted;
        }
        is_there
    }

    /// Returns all bytes.
    pub fn clear(&mut self) {
        self.budget.0.set(self.budget.0.get() + self.taken);
        self.taken = 0;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.cover(OWN_BYTES), "its own");
        assert!(one.cover(OWN_BYTES + 80) && other.cover(OWN_BYTES + 20));
        assert!(!other.cover(OWN_BYTES + 21), "used up");
        assert!(other.cover(OWN_BYTES), "a small request is always taken");
        assert!(one.cover(OWN_BYTES + 100) && !one.cover(OWN_BYTES + 101));
        drop(one);
        assert!(other.cover(OWN_BYTES + 100));
        other.clear();
        assert_eq!(budget.0.get(), 100);
    }
}
