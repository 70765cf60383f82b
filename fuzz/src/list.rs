//! A list of domains: any bytes.
//!
//! Checks: the domains are those of a second, simple parser, in the order of the file and each
//! once; they are found, and similar names are not; every line that is not a domain is counted, the
//! first hundred are kept with their number and a shortened word. A list that is repeated many
//! times has the same domains. A list that is searched gives the same answers.

use mailsetup::address::Domain;
use mailsetup::directory::list::List;
use std::collections::HashSet;

/// For how many domains and patterns a list is searched, each with its neighbours.
const SEARCHED: usize = 8;
/// Most labels of the domain of a pattern.
const LABELS: usize = 17;
/// A longer word is not read.
const LONGEST: usize = 4096;
/// How many lines that are not domains are kept, and how much of each.
const KEPT: usize = 100;
const WORD: usize = 80;

pub fn run(data: &[u8]) {
    let list = List::parse(data.to_vec());
    let (domains, patterns, not_domains) = read(data);
    let found: Vec<_> = list.domains().collect();
    assert_eq!(found, domains);
    let len = domains.len() + patterns.len();
    assert_eq!((list.len(), list.is_empty()), (len, len == 0));
    let named: HashSet<_> = domains.iter().cloned().collect();
    for domain in &domains {
        assert!(list.contains(domain), "{domain}");
        for neighbour in neighbours(domain.as_str()) {
            assert_eq!(list.contains(&neighbour), named.contains(&neighbour), "{neighbour}");
        }
    }
    let noted = list.not_domains();
    assert_eq!(noted.count, not_domains.len());
    assert_eq!(noted.first.len(), not_domains.len().min(KEPT));
    assert!(noted.first.iter().eq(not_domains.iter().take(KEPT)));
    compare_search(data, &list, domains.iter().chain(&patterns).take(SEARCHED), &patterns);

    let times = 3 + 300 / data.len().max(1);
    let many = List::parse([data, b"\n"].concat().repeat(times));
    // A byte order mark is only removed at the beginning: later it is a part of a word.
    if !data.starts_with(BOM) {
        assert!(many.domains().eq(domains));
        assert_eq!(many.not_domains().count, times * not_domains.len());
    }
    assert!(many.not_domains().first.len() <= KEPT);
}

/// Compares a list that is searched with one that is loaded, and both with the patterns.
fn compare_search<'a>(
    data: &[u8],
    loaded: &List,
    domains: impl Iterator<Item = &'a Domain>,
    patterns: &[Domain],
) {
    let searched = List::searching(data.to_vec());
    assert_eq!(searched.is_empty(), loaded.is_empty());
    for domain in domains.flat_map(|domain| neighbours(domain.as_str())) {
        let answers = |list: &List| (list.contains(&domain), list.has_pattern_for(&domain));
        assert_eq!(answers(&searched), answers(loaded), "{domain}");
        let has_pattern = patterns.iter().any(|parent| domain != *parent && domain.is_in(parent));
        assert_eq!(loaded.has_pattern_for(&domain), has_pattern, "{domain}");
    }
    assert_eq!(searched.failure(), None);
}

const BOM: &[u8] = "\u{feff}".as_bytes();

/// The domains, those of patterns, and the lines that are neither, by a simple parser.
fn read(data: &[u8]) -> (Vec<Domain>, Vec<Domain>, Vec<(usize, String)>) {
    let text = data.strip_prefix(BOM).unwrap_or(data);
    let (mut domains, mut patterns, mut not_domains) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for (index, line) in text.split(|&b| b == b'\n').enumerate() {
        let end = line.iter().position(|b| b"# \t:\r".contains(b)).unwrap_or(line.len());
        let word = String::from_utf8_lossy(&line[..end]);
        if word.is_empty() {
            continue;
        }
        let pattern = word.strip_prefix("*.").filter(|_| !word.contains('@'));
        let domain = pattern.unwrap_or(word.rfind('@').map_or(&word, |at| &word[at + 1..]));
        let is_near =
            |domain: &Domain| pattern.is_none() || domain.as_str().split('.').count() <= LABELS;
        match Domain::parse(domain).ok().filter(is_near).filter(|_| end <= LONGEST) {
            Some(domain) if seen.insert((pattern.is_some(), domain.clone())) => {
                if pattern.is_some() { &mut patterns } else { &mut domains }.push(domain);
            }
            Some(_) => {}
            None => not_domains.push((index + 1, word.chars().take(WORD).collect())),
        }
    }
    (domains, patterns, not_domains)
}

/// The name, and names that differ slightly from it.
fn neighbours(name: &str) -> Vec<Domain> {
    let parent = name.split_once('.').map_or("", |(_, parent)| parent);
    let texts = [
        name.to_owned(),
        format!("a.{name}"),
        format!("autoconfig.{name}"),
        format!("www.www.{name}"),
        format!("a{name}"),
        format!("{name}a"),
        format!("{name}.example"),
        name[1..].to_owned(),
        name[..name.len() - 1].to_owned(),
        parent.to_owned(),
    ];
    texts.iter().filter_map(|text| Domain::parse(text).ok()).collect()
}
