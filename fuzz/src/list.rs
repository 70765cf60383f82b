//! A list of domains: any bytes.
//!
//! Checks: the domains are those of a second, simple parser, in the order of the file and each
//! once; they are found, and similar names are not; every line that is not a domain is counted, the
//! first hundred are kept with their number and a shortened word. A list that is repeated many
//! times has the same domains.

use mailsetup::address::Domain;
use mailsetup::directory::list::List;
use std::collections::HashSet;

/// How many lines that are not domains are kept, and how much of each.
const KEPT: usize = 100;
const WORD: usize = 80;

pub fn run(data: &[u8]) {
    let list = List::parse(data.to_vec());
    let (domains, not_domains) = read(data);
    let found: Vec<_> = list.domains().collect();
    assert_eq!(found, domains);
    assert_eq!((list.len(), list.is_empty()), (domains.len(), domains.is_empty()));
    let named: HashSet<_> = domains.iter().cloned().collect();
    for domain in &domains {
        assert!(list.contains(domain), "{domain}");
        for neighbour in neighbours(domain.as_str()) {
            assert_eq!(list.contains(&neighbour), named.contains(&neighbour), "{neighbour}");
        }
    }
    assert_eq!(list.not_domains_count, not_domains.len());
    assert_eq!(list.not_domains.len(), not_domains.len().min(KEPT));
    assert!(list.not_domains.iter().eq(not_domains.iter().take(KEPT)));

    let times = 3 + 300 / data.len().max(1);
    let many = List::parse([data, b"\n"].concat().repeat(times));
    // A byte order mark is only removed at the beginning: later it is a part of a word.
    if !data.starts_with(BOM) {
        assert!(many.domains().eq(domains));
        assert_eq!(many.not_domains_count, times * not_domains.len());
    }
    assert!(many.not_domains.len() <= KEPT);
}

const BOM: &[u8] = "\u{feff}".as_bytes();

/// The domains, and the lines that are not domains, by a simple parser.
fn read(data: &[u8]) -> (Vec<Domain>, Vec<(usize, String)>) {
    let text = String::from_utf8_lossy(data.strip_prefix(BOM).unwrap_or(data)).into_owned();
    let (mut domains, mut seen, mut not_domains) = (Vec::new(), HashSet::new(), Vec::new());
    for (index, line) in text.split('\n').enumerate() {
        let end = line.find(['#', ' ', '\t', ':', '\r']).unwrap_or(line.len());
        let word = &line[..end];
        if word.is_empty() {
            continue;
        }
        let domain = word.rfind('@').map_or(word, |at| &word[at + 1..]);
        match Domain::parse(domain) {
            Ok(domain) if seen.insert(domain.clone()) => domains.push(domain),
            Ok(_) => {}
            Err(_) => not_domains.push((index + 1, word.chars().take(WORD).collect())),
        }
    }
    (domains, not_domains)
}

/// Names that differ slightly from this one.
fn neighbours(name: &str) -> Vec<Domain> {
    let parent = name.split_once('.').map_or("", |(_, parent)| parent);
    let texts = [
        format!("a.{name}"),
        format!("a{name}"),
        format!("{name}a"),
        format!("{name}.example"),
        name[1..].to_owned(),
        name[..name.len() - 1].to_owned(),
        parent.to_owned(),
    ];
    texts.iter().filter_map(|text| Domain::parse(text).ok()).collect()
}
