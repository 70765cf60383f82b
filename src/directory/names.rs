//! Names in one block of memory, found in constant time; each with a value, if it has one.
//!
//! A million names of 25 bytes take about 32 MB: the names as they are, and an index with 6.4 bytes
//! for each. Answers are exact: every name that seems to be found is compared.

use memchr::memchr;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// An unused slot of the index.
const EMPTY: u32 = u32::MAX;
/// Texts from this size on get a block that the system takes back.
const LARGE: u64 = 1024 * 1024;
/// Capacity from which glibc always maps memory of its own for an allocation, and returns it to the
/// system when it is freed. Smaller ones may come from a heap that keeps them: the threshold rises
/// with each freed block, up to 32 MiB (mallopt(3), `M_MMAP_THRESHOLD`). Pages that are never
/// written take no memory, so a block is not shrunk either.
const MAPPED: usize = 33 * 1024 * 1024;

/// Names, without duplicates.
#[derive(Debug, Default)]
pub struct Names {
    /// The names, each followed by a line end, and by its value and another line end if names have
    /// values; then the index, with four bytes a slot.
    block: Vec<u8>,
    /// Where the index begins.
    end: usize,
    /// The number of slots.
    slots: usize,
    /// The bits of a slot that are the place of a name; the others are of its hash, so that few
    /// names are compared in vain.
    mask: u32,
    len: usize,
    lines: usize,
}

/// Names that are being read.
#[derive(Debug)]
pub struct Collected {
    block: Vec<u8>,
    count: usize,
    lines: usize,
}

impl Collected {
    /// For the names of a text of about `bytes`, of which each takes this number of lines: one,
    /// or two with a value.
    pub fn new(bytes: u64, lines: usize) -> Collected {
        let block = match bytes >= LARGE {
            true => Vec::with_capacity(MAPPED.max(usize::try_from(bytes).unwrap_or(0) / 4 * 5)),
            false => Vec::new(),
        };
        Collected { block, count: 0, lines }
    }

    /// Adds a name, and its value if names have values. Neither has a line end.
    pub fn add(&mut self, lines: &[&str]) {
        debug_assert_eq!(lines.len(), self.lines);
        for line in lines {
            self.block.extend_from_slice(line.as_bytes());
            self.block.push(b'\n');
        }
        self.count += 1;
    }

    /// Makes the index. Of names that are there twice, the first counts; `is_double` is called with
    /// the number of each other one, counted from 0, and the name.
    pub fn into_names(mut self, mut is_double: impl FnMut(usize, &[u8])) -> Names {
        let end = self.block.len();
        // Fuller, a name that is not there would be compared with many slots.
        let slots = self.count * 8 / 5 + 1;
        let is_large = self.block.capacity() >= MAPPED;
        if !is_large {
            self.block.reserve_exact(slots * 4);
        }
        self.block.resize(end + slots * 4, 0xff);
        // The texts that are read are far smaller than that.
        let bits = usize::BITS - end.leading_zeros();
        let mask = 1u32.checked_shl(bits).map_or(u32::MAX, |beyond| beyond - 1);
        let mut names = Names { block: self.block, end, slots, mask, len: 0, lines: self.lines };
        let mut place = 0;
        for number in 0..self.count {
            let name_end = names.line_end(place);
            let name = &names.block[place..name_end];
            let (slot, found) = names.slot(name);
            match (found, u32::try_from(place)) {
                (None, Ok(offset)) => {
                    let entry = tag(hash(name)) & !mask | offset;
                    let at = end + slot * 4;
                    names.block[at..at + 4].copy_from_slice(&entry.to_le_bytes());
                    names.len += 1;
                }
                _ => is_double(number, name),
            }
            place = name_end + 1;
            for _ in 1..self.lines {
                place = names.line_end(place) + 1;
            }
        }
        names
    }
}

impl Names {
    /// True if there is this name.
    pub fn has(&self, name: &[u8]) -> bool {
        self.slot(name).1.is_some()
    }

    /// The value of a name.
    pub fn value(&self, name: &[u8]) -> Option<&str> {
        let place = self.slot(name).1?;
        let start = self.line_end(place) + 1;
        std::str::from_utf8(&self.block[start..self.line_end(start)]).ok()
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The names in their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut place = 0;
        std::iter::from_fn(move || {
            while place < self.end {
                let here = place;
                let name = &self.block[place..self.line_end(place)];
                for _ in 0..self.lines {
                    place = self.line_end(place) + 1;
                }
                if self.slot(name).1 == Some(here) {
                    return Some(name);
                }
            }
            None
        })
    }

    /// True if a name begins with `text`.
    pub fn has_beginning(&self, text: &[u8]) -> bool {
        let mut place = 0;
        while place < self.end {
            if self.block[place..self.end].starts_with(text) {
                return true;
            }
            for _ in 0..self.lines {
                place = self.line_end(place) + 1;
            }
        }
        false
    }

    fn line_end(&self, start: usize) -> usize {
        memchr(b'\n', &self.block[start..self.end]).map_or(self.end, |at| start + at)
    }

    /// The slot of `name`, used or not, and the place of the name if it is there.
    fn slot(&self, name: &[u8]) -> (usize, Option<usize>) {
        let hash = hash(name);
        // The high half, as a share of the slots.
        let mut slot = (((hash >> 32) * self.slots as u64) >> 32) as usize;
        let wanted = tag(hash) & !self.mask;
        loop {
            let entry = self.entry(slot);
            if entry == EMPTY {
                return (slot, None);
            }
            if entry & !self.mask == wanted {
                let place = (entry & self.mask) as usize;
                let rest = &self.block[place..self.end];
                if rest.get(name.len()) == Some(&b'\n') && rest.starts_with(name) {
                    return (slot, Some(place));
                }
            }
            slot += 1;
            if slot == self.slots {
                slot = 0;
            }
        }
    }

    fn entry(&self, slot: usize) -> u32 {
        let bytes = self.block.get(self.end + slot * 4..).and_then(<[u8]>::first_chunk);
        bytes.map_or(EMPTY, |bytes| u32::from_le_bytes(*bytes))
    }
}

/// The admin chooses the names, so that the hash does not have to resist attacks.
fn hash(name: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    // The high bits of this hash are the well-distributed ones.
    hasher.finish().wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Bits of the hash that the slot does not follow from.
fn tag(hash: u64) -> u32 {
    hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 10, 100, 10_000] {
            let name = |number: usize| format!("{number}.d{}.example", number % 7);
            let mut collected = Collected::new(0, 1);
            for number in (0..count).chain(0..count) {
                collected.add(&[&name(number)]);
            }
            let mut doubles = Vec::new();
            let names = collected.into_names(|number, _| doubles.push(number));
            assert!(doubles.iter().copied().eq(count..2 * count));
            assert_eq!(names.len(), count);
            assert!(names.iter().eq((0..count).map(|number| name(number).into_bytes())));
            for number in 0..2 * count {
                assert_eq!(names.has(name(number).as_bytes()), number < count, "{number}");
            }
            for text in ["d0.example", "0.d0.exampl", "0.d0.example.org", ""] {
                assert!(!names.has(text.as_bytes()), "{text}");
            }
        }
    }

    #[test]
    fn the_first_of_two_values_counts() {
        let mut collected = Collected::new(LARGE, 2);
        for (name, value) in [("a", "1"), ("b", ""), ("a", "3"), ("1", "a")] {
            collected.add(&[name, value]);
        }
        let mut doubles = Vec::new();
        let names = collected.into_names(|number, name| doubles.push((number, name.to_vec())));
        assert_eq!(doubles, [(2, b"a".to_vec())]);
        let found = ["a", "b", "1", "3", ""].map(|name| names.value(name.as_bytes()));
        assert_eq!(found, [Some("1"), Some(""), Some("a"), None, None]);
        assert!(names.has_beginning(b"1") && !names.has_beginning(b"3"));
        assert!(names.iter().eq([&b"a"[..], b"b", b"1"]));
    }
}
