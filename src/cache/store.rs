//! A bounded store of values, most of which are used again soon.
//!
//! It has two generations. A value is put into the recent one, and moved there from the older one
//! when it is used. When the recent one is full, it becomes the older one, and the values of the
//! older one are dropped: so a flood of values that are used once does not drop those in use.

use rustc_hash::FxHashMap;
use std::fmt;
use std::hash::Hash;

/// The values, several for a key.
pub struct Store<K, V> {
    max: Size,
    recent: Generation<K, V>,
    older: Generation<K, V>,
}

/// A number of values, and how many bytes they take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// The number of values.
    pub count: usize,
    /// Their bytes.
    pub bytes: usize,
}

struct Generation<K, V> {
    /// The number is small enough that an attacker gains nothing by keys of the same hash.
    values: FxHashMap<K, Vec<Item<V>>>,
    size: Size,
}

struct Item<V> {
    value: V,
    bytes: usize,
}

impl<K, V> Store<K, V> {
    /// How much is in it.
    pub fn size(&self) -> Size {
        let [recent, older] = [self.recent.size, self.older.size];
        Size { count: recent.count + older.count, bytes: recent.bytes + older.bytes }
    }
}

impl<K: Clone + Eq + Hash, V> Store<K, V> {
    /// An empty store; each generation has up to `max`.
    pub fn new(max: Size) -> Store<K, V> {
        Store { max, recent: Generation::default(), older: Generation::default() }
    }

    /// What `read` makes of the value of a key that `is` the right one; `None` if there is none.
    pub fn find<R>(
        &mut self,
        key: &K,
        is: impl Fn(&V) -> bool,
        read: impl FnOnce(&V) -> R,
    ) -> Option<R> {
        if let Some(value) = self.recent.find(key, &is) {
            return Some(read(value));
        }
        let item = self.older.take(key, &is)?;
        let found = read(&item.value);
        self.put(key.clone(), item);
        Some(found)
    }

    /// Puts a value of so many bytes into the store, in place of those that `is_old` says. A value
    /// that is too large for it is dropped.
    pub fn keep(&mut self, key: K, value: V, bytes: usize, is_old: impl Fn(&V) -> bool) {
        for generation in [&mut self.recent, &mut self.older] {
            while generation.take(&key, &is_old).is_some() {}
        }
        let bytes = bytes + size_of::<(K, Item<V>)>();
        if bytes <= self.max.bytes {
            self.put(key, Item { value, bytes });
        }
    }

    fn put(&mut self, key: K, item: Item<V>) {
        let Size { count, bytes } = self.recent.size;
        if count >= self.max.count || bytes + item.bytes > self.max.bytes {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.size.count += 1;
        self.recent.size.bytes += item.bytes;
        self.recent.values.entry(key).or_default().push(item);
    }
}

/// How much is in it, and not what.
impl<K, V> fmt::Debug for Store<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.size().fmt(f)
    }
}

impl<K: Eq + Hash, V> Generation<K, V> {
    fn find(&self, key: &K, is: impl Fn(&V) -> bool) -> Option<&V> {
        let mut values = self.values.get(key)?.iter().map(|item| &item.value);
        values.find(|value| is(value))
    }

    fn take(&mut self, key: &K, is: impl Fn(&V) -> bool) -> Option<Item<V>> {
        let items = self.values.get_mut(key)?;
        let at = items.iter().position(|item| is(&item.value))?;
        let item = items.swap_remove(at);
        if items.is_empty() {
            self.values.remove(key);
        }
        self.size.count -= 1;
        self.size.bytes -= item.bytes;
        Some(item)
    }
}

impl<K, V> Default for Generation<K, V> {
    fn default() -> Generation<K, V> {
        Generation { values: FxHashMap::default(), size: Size::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Size = Size { count: 4, bytes: 1000 };

    fn has(store: &mut Store<u32, u32>, key: u32) -> bool {
        store.find(&key, |value| *value == key, |value| *value) == Some(key)
    }

    #[test]
    fn a_flood_does_not_drop_what_is_in_use() {
        let mut store = Store::new(MAX);
        store.keep(1, 1, 0, |_| false);
        for key in 10..1000 {
            store.keep(key, key, 0, |_| false);
            assert!(has(&mut store, 1), "{key}");
            assert!(store.size().count <= 2 * MAX.count);
        }
        assert!(has(&mut store, 999) && !has(&mut store, 10));
        // Unused for two generations.
        (10..20).for_each(|key| store.keep(key, key, 0, |_| false));
        assert!(!has(&mut store, 1));
    }

    #[test]
    fn bytes_are_bounded_and_counted() {
        let mut store = Store::new(MAX);
        for key in 0..100 {
            store.keep(key, key, 300, |_| false);
            assert!(store.size().bytes <= 2 * MAX.bytes);
            assert!(has(&mut store, key));
        }
        // The same value again and again.
        let mut store = Store::new(MAX);
        (0..100).for_each(|_| store.keep(1, 1, 100, |_| true));
        assert_eq!(store.size().count, 1);
        store.keep(2, 2, MAX.bytes, |_| true);
        assert!(!has(&mut store, 2) && has(&mut store, 1));
    }
}
