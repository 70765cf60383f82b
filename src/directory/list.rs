//! Domains in a text file, one a line: the first word of each line.
//!
//! Reads plain lists, the sources of Postfix maps (`example.org OK`), passwd-files
//! (`ann@example.org:…`: the part after the `@`) and `/etc/localdomains`. A `#` starts a comment,
//! and a line that begins with white space continues the one before (postmap(1)).
//!
//! A list is kept as one text with an index of offsets: a million domains take about 35 MB, and a
//! name is found in constant time.

use crate::address::{Domain, domain_name};
use crate::files::{self, Kind};
use rustc_hash::FxHasher;
use std::hash::Hasher;
use std::io;
use std::path::Path;

/// How many lines that are not domains are reported; the others are counted.
const MAX_REPORTED: usize = 100;
/// How much of such a line is reported, in characters.
const MAX_WORD: usize = 80;

/// The domains of a list.
#[derive(Debug, Default)]
pub struct List {
    /// The names, in A-labels and lower case, each followed by a line end.
    names: String,
    /// Where names begin, by their hash: open addressing, a power of two long, at most three
    /// quarters full. [`EMPTY`] for unused slots.
    index: Vec<u32>,
    len: usize,
    /// The last name, if its line has no line end; also if it is not a domain.
    unfinished: Option<Box<str>>,
    /// Lines that are not domains: the first of them, with their words.
    pub not_domains: Vec<(usize, String)>,
    /// How many lines are not domains.
    pub not_domains_count: usize,
}

/// An unused slot; lists are shorter than this offset.
const EMPTY: u32 = u32::MAX;

impl List {
    /// Reads the list at `path`.
    pub fn read(path: &Path) -> io::Result<List> {
        Ok(List::parse(files::read(path, Kind::List)?))
    }

    /// Reads a text. A word that is not UTF-8 is not a domain; mostly it is in a comment.
    pub fn parse(text: Vec<u8>) -> List {
        let mut list = List { index: vec![EMPTY; 16], ..List::default() };
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let mut lines = text.split(|&byte| byte == b'\n').enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let line = String::from_utf8_lossy(line);
            let Some(word) = first_word(&line) else { continue };
            match domain_name(word.rsplit('@').next().unwrap_or(word)) {
                Ok(name) => {
                    list.insert(&name);
                    // A last line with a line end is followed by an empty one.
                    list.unfinished = lines.peek().is_none().then(|| (*name).into());
                }
                Err(_) => {
                    let is_last = lines.peek().is_none();
                    list.unfinished = is_last.then(|| beginning(word)).flatten();
                    list.not_domains_count += 1;
                    if list.not_domains.len() < MAX_REPORTED {
                        list.not_domains.push((index + 1, word.chars().take(MAX_WORD).collect()));
                    }
                }
            }
        }
        list.names.shrink_to_fit();
        list
    }

    /// True if the list names `domain`.
    pub fn contains(&self, domain: &Domain) -> bool {
        self.has(domain.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.len > 0 && self.index[self.slot(name)] != EMPTY
    }

    /// How many domains the list names.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if the list names no domain.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// True if the last line ends within a name of the earlier list: `example.or` of `example.org`,
    /// which belongs to another owner, or `exam`, which is not a domain.
    pub fn is_cut_from(&self, earlier: &List) -> bool {
        let Some(name) = &self.unfinished else { return false };
        let mut names = earlier.names.lines();
        !earlier.has(name) && names.any(|known| known.starts_with(&**name))
    }

    /// The domains, in the order in which they were first named.
    pub fn domains(&self) -> impl Iterator<Item = Domain> + '_ {
        self.names.lines().filter_map(|name| Domain::parse(name).ok())
    }

    fn insert(&mut self, name: &str) {
        if self.len >= self.index.len() / 4 * 3 {
            self.grow();
        }
        let slot = self.slot(name);
        let (Ok(offset), EMPTY) = (u32::try_from(self.names.len()), self.index[slot]) else {
            return;
        };
        self.index[slot] = offset;
        self.names.push_str(name);
        self.names.push('\n');
        self.len += 1;
    }

    fn grow(&mut self) {
        // The old index is freed before the new one is allocated.
        let size = self.index.len() * 2;
        self.index = Vec::new();
        self.index = vec![EMPTY; size];
        let mut offset = 0;
        for name in self.names.lines() {
            let slot = slot(&self.index, &self.names, name);
            self.index[slot] = offset;
            offset += name.len() as u32 + 1;
        }
    }

    /// The slot of `name` in the index, used or not.
    fn slot(&self, name: &str) -> usize {
        slot(&self.index, &self.names, name)
    }
}

fn slot(index: &[u32], names: &str, name: &str) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(name.as_bytes());
    // The high bits of this hash are the well-distributed ones.
    let bits = index.len().trailing_zeros();
    let mut slot = (hasher.finish().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize;
    loop {
        let offset = index[slot];
        if offset == EMPTY {
            return slot;
        }
        let rest = &names.as_bytes()[offset as usize..];
        let is_it = rest.get(name.len()) == Some(&b'\n') && rest.starts_with(name.as_bytes());
        if is_it {
            return slot;
        }
        slot = (slot + 1) & (index.len() - 1);
    }
}

/// The possible beginning of a name: the text after an `@`, in lower case.
fn beginning(word: &str) -> Option<Box<str>> {
    let name = word.rsplit('@').next().unwrap_or(word);
    let may_be = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_one = !name.is_empty() && name.len() <= MAX_WORD && name.chars().all(may_be);
    is_one.then(|| name.to_ascii_lowercase().into())
}

/// The first word of a line; `None` for a comment, an empty line, and one that continues the line
/// before.
fn first_word(line: &str) -> Option<&str> {
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let line = line.split('#').next().unwrap_or_default();
    line.split([' ', '\t', ':', '\r']).next().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_mail_servers_have_them() {
        let list = List::parse(
            "\u{feff}# domains\nexample.org\r\nexample.net OK\n  continued\nann@example.com:{PLAIN}x:1:1::/home::\n\
             @virtual.example x\n\nb\u{fc}cher.example # ours\nnot a domain\nEXAMPLE.org\n"
                .to_owned()
                .into_bytes(),
        );
        let domains: Vec<_> = list.domains().map(|domain| domain.to_string()).collect();
        let expected = [
            "example.org",
            "example.net",
            "example.com",
            "virtual.example",
            "xn--bcher-kva.example",
        ];
        assert_eq!((domains, list.len()), (expected.map(str::to_owned).to_vec(), 5));
        assert_eq!((list.not_domains, list.not_domains_count), (vec![(9, "not".to_owned())], 1));
    }

    #[test]
    fn every_domain_is_found_and_no_other() {
        let name = |number: usize| format!("{number}.d{}.example", number % 7);
        let text: String = (0..10_000).map(|number| name(number) + "\n").collect();
        let list = List::parse((text.clone() + &text).into_bytes());
        assert_eq!(list.len(), 10_000);
        for number in 0..20_000 {
            let domain = Domain::parse(&name(number)).unwrap();
            assert_eq!(list.contains(&domain), number < 10_000, "{domain}");
        }
        // The end of a listed name, and its beginning.
        for text in ["d0.example", "0.d0.exampl", "0.d0.example.org"] {
            assert!(!list.contains(&Domain::parse(text).unwrap()), "{text}");
        }
        assert!(!List::parse(Vec::new()).contains(&Domain::parse("a.example").unwrap()));
    }

    #[test]
    fn a_list_that_is_cut_within_a_name_is_known() {
        let list = |text: &str| List::parse(text.as_bytes().to_vec());
        let earlier = list("example.org\nann@b.example.org:x\nb\u{fc}cher.example\nexample.net\n");
        for (text, is_cut) in [
            ("example.or", true),
            ("example.org", false),
            ("example.org\nann@b.example.or", true),
            ("example.org\nann@b.example.org", false),
            ("example.org\nann@b.example.org:", false),
            ("b\u{fc}cher.exam", true),
            ("b\u{fc}cher.exam\n", false),
            ("example.or\n", false),
            ("other.example", false),
            ("example.org\n# exam", false),
            ("example.org\nexamp", true),
            ("example.org\nEXAMP", true),
            ("example.org\nexample.", true),
            ("example.org\nann@b.exampl", true),
            ("example.org\nann@b", true),
            ("example.org\nexamp\n", false),
            ("example.org\nother", false),
            ("example.org\n.", false),
            ("", false),
        ] {
            assert_eq!(list(text).is_cut_from(&earlier), is_cut, "{text:?}");
        }
    }

    #[test]
    fn of_many_lines_that_are_not_domains_the_first_are_kept() {
        let list = List::parse(format!("{}\n", "x".repeat(1000)).repeat(1000).into_bytes());
        assert_eq!((list.not_domains.len(), list.not_domains_count), (MAX_REPORTED, 1000));
        assert!(list.not_domains.iter().all(|(_, word)| word.len() == MAX_WORD));
    }
}
