//! What was read from the files of a folder of domains, in bounded memory.
//!
//! Files with the same text share one value. Two generations are kept: what is used moves to the
//! recent one, and once that is full, it becomes the older one, whose remains are dropped. Content
//! that cannot be read again, since its file has errors now, is kept apart from them.

use crate::files::{Seen, Stamp};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The memory of one generation, in bytes: some 100,000 files whose texts are shared. There are two,
/// and as much again for content that cannot be read again.
pub const GENERATION: usize = 24 * 1024 * 1024;
/// The memory counted for a value in addition to its text and the files that it names, in bytes. With
/// the next it is 1.4 KB for a text of 100 bytes, which takes 1.2 KB.
const PER_CONTENT: usize = 512;
/// The memory counted for a text and its value, for each byte of it: many short tables of
/// documentation or of alternatives take this much.
const PER_BYTE: usize = 9;

/// Which reading of the configuration a value was made by; they are numbered.
pub type Base = u64;

/// The state of a file.
pub struct File<T> {
    /// The last valid content, if any.
    pub good: Option<Good<T>>,
    /// What is wrong or changing; nothing for most files.
    pub trouble: Option<Box<Trouble>>,
}

/// Valid content.
pub struct Good<T> {
    /// What was read, shared with the files that have the same text.
    pub content: Arc<Content<T>>,
    /// The state of the file then.
    pub stamp: Stamp,
}

/// The value that was read from a text.
pub struct Content<T> {
    /// The value.
    pub value: T,
    /// The text.
    pub text: Box<str>,
    /// Its hash, by [`Kept::hash`].
    pub hash: u64,
    /// The files that it names, with their states before they were read.
    pub named: Box<[(PathBuf, Option<Stamp>)]>,
    /// The sub-folder of the file, where the paths of these begin.
    pub folder: Box<str>,
    /// The configuration that it was read with.
    pub base: Base,
    /// The memory of the value in addition to its text.
    pub bytes: usize,
}

/// What is wrong with a file, or changing.
#[derive(Default)]
pub struct Trouble {
    /// A state other than that of the valid content, and since when it is known. `None` in it means
    /// that the file is missing.
    pub seen: Seen<Option<Stamp>>,
    /// The state that was read and had errors, when it was read, and with which configuration. The
    /// file is read again later, since a file that it names may have been corrected.
    pub refused: Option<(Stamp, Instant, Base)>,
    /// The hash of the message that was logged for it.
    pub complaint: Option<u64>,
}

/// The files, by their names without `.toml`.
pub struct Kept<T> {
    recent: Generation<T>,
    older: Generation<T>,
    /// Files with valid content and with errors since.
    needed: Generation<T>,
    /// What was dropped; freeing it takes long.
    dropped: Vec<Generation<T>>,
    hasher: RandomState,
    bases: Base,
}

struct Generation<T> {
    files: HashMap<Box<str>, File<T>>,
    /// The contents of these files, by the hash of the text.
    contents: HashMap<u64, Arc<Content<T>>>,
    bytes: usize,
}

impl<T> Kept<T> {
    /// The number of the next configuration.
    pub fn next_base(&mut self) -> Base {
        self.bases += 1;
        self.bases
    }

    /// The hash of a text.
    pub fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    /// True if something is known of a file.
    pub fn knows(&self, stem: &str) -> bool {
        [&self.recent, &self.older, &self.needed].iter().any(|it| it.files.contains_key(stem))
    }

    /// Uses what is known of a file.
    pub fn with<R>(&mut self, stem: &str, use_it: impl FnOnce(Option<&mut File<T>>) -> R) -> R {
        if let Some(file) = self.recent.files.get_mut(stem) {
            return use_it(Some(file));
        }
        if let Some(file) = self.needed.files.get_mut(stem) {
            return use_it(Some(file));
        }
        let Some((stem, mut file)) = self.older.files.remove_entry(stem) else {
            return use_it(None);
        };
        let used = use_it(Some(&mut file));
        self.insert(stem, file);
        used
    }

    /// The content of a text, if a file with it was read by this configuration.
    pub fn content(
        &self,
        hash: u64,
        text: &str,
        folder: &str,
        base: Base,
    ) -> Option<Arc<Content<T>>> {
        let is_it = |content: &&Arc<Content<T>>| {
            let is_same = content.base == base && *content.text == *text;
            is_same && (content.named.is_empty() || *content.folder == *folder)
        };
        let mut contents = [&self.recent, &self.older].into_iter();
        contents.find_map(|it| it.contents.get(&hash).filter(is_it)).cloned()
    }

    /// Removes a file; returns what was known of it.
    pub fn take(&mut self, stem: &str) -> Option<File<T>> {
        let generations = [&mut self.recent, &mut self.older, &mut self.needed];
        generations.into_iter().find_map(|generation| generation.take(stem))
    }

    /// Adds a file that was removed before, or is new.
    pub fn insert(&mut self, stem: Box<str>, file: File<T>) {
        let is_needed = file.good.is_some()
            && file.trouble.as_ref().is_some_and(|trouble| trouble.complaint.is_some());
        if is_needed && self.needed.bytes + file.bytes(&stem) <= GENERATION {
            self.needed.insert(stem, file);
            return;
        }
        if self.recent.bytes + file.bytes(&stem) > GENERATION {
            let recent = std::mem::take(&mut self.recent);
            self.dropped.push(std::mem::replace(&mut self.older, recent));
        }
        self.recent.insert(stem, file);
    }

    /// What was dropped, to be freed without the lock: that takes long.
    pub fn dropped(&mut self) -> impl Sized + use<T> {
        std::mem::take(&mut self.dropped)
    }
}

impl<T> Generation<T> {
    fn insert(&mut self, stem: Box<str>, file: File<T>) {
        self.bytes += File::<T>::own_bytes(&stem);
        if let Some(Good { content, .. }) = &file.good {
            if !self.has(content) {
                self.bytes += content.memory();
                self.contents.insert(content.hash, content.clone());
            }
        }
        self.files.insert(stem, file);
    }

    fn take(&mut self, stem: &str) -> Option<File<T>> {
        let file = self.files.remove(stem)?;
        self.bytes = self.bytes.saturating_sub(File::<T>::own_bytes(stem));
        if let Some(Good { content, .. }) = &file.good {
            // No other file has it: there are this reference and that of the map.
            if self.has(content) && Arc::strong_count(content) == 2 {
                self.contents.remove(&content.hash);
                self.bytes = self.bytes.saturating_sub(content.memory());
            }
        }
        Some(file)
    }

    fn has(&self, content: &Arc<Content<T>>) -> bool {
        self.contents.get(&content.hash).is_some_and(|it| Arc::ptr_eq(it, content))
    }
}

impl<T> File<T> {
    /// The memory of the entry of a file without its content.
    fn own_bytes(stem: &str) -> usize {
        // A map is three quarters full on average of its sizes, and a text takes a block of its own.
        size_of::<(Box<str>, File<T>)>() / 2 * 3 + stem.len() + 16
    }

    fn bytes(&self, stem: &str) -> usize {
        let content = self.good.as_ref().map_or(0, |good| good.content.memory());
        Self::own_bytes(stem) + content
    }
}

impl<T> Content<T> {
    fn memory(&self) -> usize {
        PER_CONTENT + PER_BYTE * self.text.len() + self.bytes
    }
}

impl<T> Default for File<T> {
    fn default() -> File<T> {
        File { good: None, trouble: None }
    }
}

impl<T> Default for Generation<T> {
    fn default() -> Generation<T> {
        Generation { files: HashMap::new(), contents: HashMap::new(), bytes: 0 }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept {
            recent: Generation::default(),
            older: Generation::default(),
            needed: Generation::default(),
            dropped: Vec::new(),
            hasher: RandomState::new(),
            bases: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn stamp() -> Stamp {
        Stamp::of(Path::new("/")).unwrap().unwrap()
    }

    fn add(kept: &mut Kept<usize>, stem: &str, text: &str, bytes: usize) {
        let hash = kept.hash(text);
        let content = kept.content(hash, text, "", 0).unwrap_or_else(|| {
            Arc::new(Content {
                value: text.len(),
                text: text.into(),
                hash,
                named: Box::default(),
                folder: Box::default(),
                base: 0,
                bytes,
            })
        });
        kept.take(stem);
        let good = Some(Good { content, stamp: stamp() });
        kept.insert(stem.into(), File { good, trouble: None });
    }

    fn has(kept: &mut Kept<usize>, stem: &str) -> bool {
        kept.with(stem, |file| file.is_some())
    }

    /// The aim of the memory for one generation.
    #[test]
    fn a_hundred_thousand_files_with_few_texts_are_kept() {
        let mut kept = Kept::default();
        let name = |number| format!("customer-{number}.hoster.example");
        for number in 0..100_000 {
            add(&mut kept, &name(number), &format!("text {}", number % 10), 0);
        }
        assert!((0..100_000).all(|number| has(&mut kept, &name(number))));
        assert!(kept.recent.bytes <= GENERATION, "{}", kept.recent.bytes);
        assert_eq!((kept.recent.contents.len(), kept.dropped.len()), (10, 0));
        let bytes = kept.recent.bytes / 100_000;
        assert!(bytes <= 300, "{bytes} bytes a domain");
    }

    #[test]
    fn what_is_used_outlives_what_is_not() {
        let mut kept = Kept::default();
        // Twenty of these fill a generation.
        let add = |kept: &mut Kept<usize>, number: usize| {
            add(kept, &number.to_string(), &format!("text {number}"), GENERATION / 20);
        };
        add(&mut kept, 0);
        for number in 1..100 {
            add(&mut kept, number);
            assert!(has(&mut kept, "0"), "{number}");
            assert!(has(&mut kept, &number.to_string()));
            let bytes = kept.recent.bytes + kept.older.bytes;
            assert!(bytes <= 2 * GENERATION, "{bytes}");
            drop(kept.dropped());
        }
        assert!(!has(&mut kept, "1") && has(&mut kept, "90"));
    }

    #[test]
    fn what_cannot_be_read_again_is_kept_longest() {
        let mut kept = Kept::default();
        add(&mut kept, "broken", "text", 0);
        let mut file = kept.take("broken").unwrap();
        file.trouble.get_or_insert_default().complaint = Some(1);
        kept.insert("broken".into(), file);
        for number in 0..100 {
            add(&mut kept, &number.to_string(), &format!("text {number}"), GENERATION / 10);
        }
        assert!(has(&mut kept, "broken") && !has(&mut kept, "0"));
    }

    /// The text of a file that is edited again and again is freed.
    #[test]
    fn a_text_is_freed_with_the_last_file_that_has_it() {
        let mut kept = Kept::default();
        for number in 0..100 {
            add(&mut kept, "edited", &format!("text {number}"), GENERATION / 10);
            add(&mut kept, "other", "same", 0);
        }
        assert_eq!(kept.recent.contents.len(), 2);
        add(&mut kept, "edited", "same", 0);
        assert_eq!(kept.recent.contents.len(), 1);
        let before = kept.recent.bytes;
        kept.take("edited");
        assert!(kept.recent.bytes < before && kept.recent.contents.len() == 1);
        kept.take("other");
        assert_eq!((kept.recent.bytes, kept.recent.contents.len()), (0, 0));
    }

    #[test]
    fn a_text_is_shared_within_a_configuration_and_a_folder() {
        let mut kept = Kept::default();
        add(&mut kept, "a", "text", 0);
        let hash = kept.hash("text");
        assert!(kept.content(hash, "text", "other", 0).is_some());
        assert!(kept.content(hash, "text", "", 1).is_none());
        assert!(kept.content(hash, "texts", "", 0).is_none());
        let mut file = kept.take("a").unwrap();
        let good = file.good.as_mut().unwrap();
        Arc::get_mut(&mut good.content).unwrap().named = [("logo".into(), None)].into();
        kept.insert("a".into(), file);
        assert!(kept.content(hash, "text", "", 0).is_some());
        assert!(kept.content(hash, "text", "other", 0).is_none());
    }
}
