//! Answers of sources, kept for a few seconds: a client asks for several documents in a row.
//!
//! Failures are kept like answers, so that a source that fails is not asked more often than one that
//! works. The size is limited: clients choose the addresses.

use super::answer::Answer;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(10);
/// How many bytes the answers of each of the two generations may have.
const MAX_BYTES: usize = 1024 * 1024;
/// The memory of an answer in addition to its texts, in bytes.
const BYTES_PER_ANSWER: usize = 160;

/// The kept answers by key, in two generations: when the newer one is full or old, it replaces the
/// older one.
#[derive(Debug, Default)]
pub struct Answers {
    newer: Generation,
    older: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    by_key: HashMap<Box<[u8]>, (Answer, Instant)>,
    bytes: usize,
    /// When the first was kept.
    since: Option<Instant>,
}

impl Answers {
    /// The answer for a key, if it is kept.
    pub fn find(&self, key: &[u8], now: Instant) -> Option<&Answer> {
        let mut found = [&self.newer, &self.older].into_iter().filter_map(|it| it.by_key.get(key));
        let (answer, at) = found.next()?;
        (now.saturating_duration_since(*at) < KEPT).then_some(answer)
    }

    /// Keeps an answer.
    pub fn keep(&mut self, key: Box<[u8]>, answer: Answer, now: Instant) {
        let text = match &answer {
            Answer::Login(login) => login.as_str().len(),
            Answer::NotFound => 0,
            Answer::Failed(reason) => reason.len(),
        };
        let bytes = BYTES_PER_ANSWER + key.len() + text;
        let is_old = self.newer.since.is_some_and(|at| now.saturating_duration_since(at) >= KEPT);
        if is_old || self.newer.bytes + bytes > MAX_BYTES {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.since.get_or_insert(now);
        self.newer.bytes += bytes;
        self.newer.by_key.insert(key, (answer, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_for_ten_seconds() {
        let mut answers = Answers::default();
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let failed = Answer::Failed("x".to_owned());
        answers.keep((*b"a").into(), Answer::NotFound, at(0));
        answers.keep((*b"b").into(), failed.clone(), at(6));
        assert_eq!(answers.find(b"a", at(9)), Some(&Answer::NotFound));
        assert_eq!(answers.find(b"a", at(10)), None);
        // The first generation is now the older one.
        answers.keep((*b"c").into(), Answer::NotFound, at(12));
        assert_eq!(answers.find(b"b", at(15)), Some(&failed));
        assert_eq!(answers.find(b"b", at(16)), None);
        answers.keep((*b"b").into(), Answer::NotFound, at(16));
        assert_eq!(answers.find(b"b", at(17)), Some(&Answer::NotFound), "the newer one counts");
        assert_eq!(answers.find(b"d", at(17)), None);
    }

    #[test]
    fn the_size_is_limited() {
        let mut answers = Answers::default();
        let now = Instant::now();
        let key = |number: usize| Box::from(format!("{number:0100}").into_bytes());
        for number in 0..100_000 {
            answers.keep(key(number), Answer::NotFound, now);
            assert!(answers.newer.bytes <= MAX_BYTES && answers.older.bytes <= MAX_BYTES);
            assert!(answers.find(&key(number), now).is_some(), "the latest one is always kept");
        }
        assert!(answers.find(&key(0), now).is_none());
        let count = answers.newer.by_key.len() + answers.older.by_key.len();
        assert!((4000..=9000).contains(&count), "{count}");
    }
}
