//! Domains in a text file, one a line: the first word of each line.
//!
//! Reads plain lists, the sources of Postfix maps (`example.org OK`), passwd-files
//! (`ann@example.org:…`: the part after the `@`) and `/etc/localdomains`. A `#` starts a comment,
//! and a line that begins with white space continues the one before (postmap(1)). A line
//! `*.example.org` is a pattern: it stands for the domains below example.org.
//!
//! A list is loaded, for many look-ups in constant time, or searched, for a few of one process. Both
//! give the same answers.

use super::line::{self, Line, PATTERN};
use super::names::{Collected, Names};
pub use super::noted::Noted;
use super::searched::Searched;
use super::text::{Pieces, Text, is_unfinished, lines};
use crate::address::Domain;
use crate::files::{self, Kind};
use crate::finding::Finding;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

/// For how many domains at once a list is searched; for more, it is loaded.
const MAX_SEARCHED: usize = 8;

/// The domains of a list.
#[derive(Debug)]
pub struct List {
    /// The names; empty while the list is only searched.
    loaded: OnceLock<Loaded>,
    searched: Option<Searched>,
}

/// What was read of a list.
#[derive(Debug, Default)]
struct Loaded {
    /// The domains in A-labels and lower case, and the patterns.
    names: Names,
    has_patterns: bool,
    /// The last name, if its line has no line end; also if it is not a domain.
    unfinished: Option<Box<str>>,
    not_domains: Noted,
    indented: Noted,
}

impl List {
    /// Loads the list at `path`.
    pub fn read(path: &Path) -> io::Result<List> {
        let (file, bytes) = files::open(path, Kind::List)?;
        Ok(List::of(Loaded::read(&file, bytes)?))
    }

    /// Opens the list at `path`, which is read with the first look-up.
    pub fn search(path: &Path) -> io::Result<List> {
        Ok(List::searching(files::open(path, Kind::List)?.0))
    }

    /// Loads a text. One that is too large for a list is empty.
    pub fn parse(text: Vec<u8>) -> List {
        let bytes = text.len() as u64;
        List::of(Loaded::read(&text, bytes).unwrap_or_default())
    }

    /// The list in a text, which is read with the first look-up.
    pub fn searching(text: impl Text + 'static) -> List {
        List { loaded: OnceLock::new(), searched: Some(Searched::new(text)) }
    }

    fn of(loaded: Loaded) -> List {
        List { loaded: loaded.into(), searched: None }
    }

    /// True if a line is `domain`.
    pub fn contains(&self, domain: &Domain) -> bool {
        match self.only_searched() {
            Some(searched) => searched.contains(domain),
            None => self.loaded().names.has(domain.as_str().as_bytes()),
        }
    }

    /// True if a line is a pattern that `domain` matches: `*.` and a domain that it is below.
    pub fn has_pattern_for(&self, domain: &Domain) -> bool {
        match self.only_searched() {
            Some(searched) => searched.has_pattern_for(domain),
            None => self.loaded().has_pattern_for(domain.as_str()),
        }
    }

    /// Prepares look-ups of several domains, which is faster than one after another in a list that
    /// is searched.
    pub fn look_up(&self, domains: &[Domain]) {
        match self.only_searched() {
            Some(searched) if domains.len() <= MAX_SEARCHED => searched.look_up(domains),
            Some(_) => drop(self.loaded()),
            None => {}
        }
    }

    /// Why the list that is searched could not be read, if so. It names no domain then.
    pub fn failure(&self) -> Option<String> {
        self.searched.as_ref().and_then(Searched::failure)
    }

    /// How many domains and patterns the list names.
    pub fn len(&self) -> usize {
        self.loaded().names.len()
    }

    /// True if the list names nothing.
    pub fn is_empty(&self) -> bool {
        match self.only_searched() {
            Some(searched) => searched.is_empty(),
            None => self.len() == 0,
        }
    }

    /// The domains, in the order in which they were first named, without patterns.
    pub fn domains(&self) -> impl Iterator<Item = Domain> + '_ {
        let names = self.loaded().names.iter().filter_map(|name| std::str::from_utf8(name).ok());
        names.filter_map(|name| Domain::parse(name).ok())
    }

    /// True if the last line ends within a name of the earlier list: `example.or` of `example.org`,
    /// which belongs to another owner, or `exam`, which is not a domain.
    pub fn is_cut_from(&self, earlier: &List) -> bool {
        let Some(name) = &self.loaded().unfinished else { return false };
        let earlier = &earlier.loaded().names;
        !earlier.has(name.as_bytes()) && earlier.has_beginning(name.as_bytes())
    }

    /// The lines that are not domains.
    pub fn not_domains(&self) -> &Noted {
        &self.loaded().not_domains
    }

    /// Warnings about lines that are left out; of a list that is searched, none.
    pub fn warnings(&self, file: &Path) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.searched.is_none() {
            let Loaded { not_domains, indented, .. } = self.loaded();
            let what = ["is not a domain name", "are not domain names"];
            not_domains.add_warning("list-line", file, what, &mut found);
            let one = "follows white space, as if it continued the line before";
            let several = "begin with white space, as if they continued the line before";
            indented.add_warning("list-indented", file, [one, several], &mut found);
        }
        found
    }

    fn only_searched(&self) -> Option<&Searched> {
        self.searched.as_ref().filter(|_| self.loaded.get().is_none())
    }

    fn loaded(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            let Some(searched) = &self.searched else { return Loaded::default() };
            Loaded::read(searched.text(), 0).unwrap_or_else(|error| {
                searched.fail(&error);
                Loaded::default()
            })
        })
    }
}

impl Loaded {
    /// Reads a text of about `bytes`.
    fn read(text: &dyn Text, bytes: u64) -> io::Result<Loaded> {
        let mut loaded = Loaded::default();
        let mut names = Collected::new(bytes, 1);
        let mut number = 0;
        let mut pieces = Pieces::new(text, Kind::List);
        while let Some(piece) = pieces.next()? {
            // The last line that is not indented.
            let mut before: &[u8] = b"";
            let mut last = Line::Nothing;
            for line in lines(piece) {
                number += 1;
                last = Line::read(line);
                match &last {
                    Line::Name(name) => {
                        loaded.has_patterns |= name.starts_with(PATTERN);
                        names.add(&[name]);
                        before = line;
                    }
                    Line::Other(word) => {
                        loaded.not_domains.add(number, word);
                        before = line;
                    }
                    Line::Nothing => {
                        if line::is_indented_domain(line) && line::is_single_word(before) {
                            loaded.indented.add(number, line.trim_ascii());
                        }
                    }
                }
            }
            loaded.unfinished = match last {
                _ if !is_unfinished(piece) => None,
                Line::Nothing => None,
                Line::Name(name) => Some((*name).into()),
                Line::Other(word) => line::beginning(word),
            };
        }
        loaded.names = names.into_names(|_, _| {});
        Ok(loaded)
    }

    fn has_pattern_for(&self, domain: &str) -> bool {
        if !self.has_patterns {
            return false;
        }
        // The domain, in which the end of the label before a parent is replaced by the `*`.
        let mut bytes = domain.as_bytes().to_vec();
        let dots: Vec<_> = domain.match_indices('.').map(|(at, _)| at).collect();
        let near = dots.len().saturating_sub(Domain::MAX_PARENT_LABELS)..dots.len() - 1;
        dots[near].iter().any(|dot| {
            bytes[dot - 1] = b'*';
            self.names.has(&bytes[dot - 1..])
        })
    }
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
        assert_eq!(*list.not_domains(), Noted { first: vec![(9, "not".to_owned())], count: 1 });
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
        let noted = list.not_domains();
        assert_eq!((noted.first.len(), noted.count), (100, 1000));
        assert!(noted.first.iter().all(|(_, word)| word.len() == 80));
    }

    /// The domains that a request may ask for about a name.
    fn asked(name: &str) -> Vec<Domain> {
        let parent = name.split_once('.').map_or("", |(_, parent)| parent);
        let texts = [
            name.to_owned(),
            format!("autoconfig.{name}"),
            format!("www.{name}"),
            format!("www.autodiscover.{name}"),
            format!("a.{name}"),
            format!("b.a.{name}"),
            format!("{}a.{name}", "a.".repeat(20)),
            format!("a{name}"),
            format!("{name}a"),
            format!("{name}.example"),
            parent.to_owned(),
            format!("www.{parent}"),
        ];
        texts.iter().filter_map(|text| Domain::parse(text).ok()).collect()
    }

    fn assert_agreement(text: &[u8], names: &[&str]) {
        let loaded = List::parse(text.to_vec());
        let is_empty = List::searching(text.to_vec()).is_empty();
        assert_eq!(is_empty, loaded.is_empty());
        for name in names {
            let searched = List::searching(text.to_vec());
            for domain in asked(name) {
                let answers = |list: &List| (list.contains(&domain), list.has_pattern_for(&domain));
                assert_eq!(answers(&searched), answers(&loaded), "{domain}");
            }
            assert_eq!(searched.failure(), None);
        }
    }

    #[test]
    fn a_list_that_is_searched_gives_the_same_answers() {
        let forms: &[&[u8]] = &[
            b"example.org",
            b"EXAMPLE.ORG.",
            b"# example.org",
            b"  example.org",
            b"example.org OK",
            b"example.org:x",
            b"ann@example.org:x",
            b"example.org@example.net",
            b"example.net # example.org",
            b"example.net example.org",
            b"autoconfig.example.org",
            b"WWW.autodiscover.example.org",
            b"*.example.org",
            b"*.EXAMPLE.org # all",
            b"*.a.example.org",
            b"x@*.example.org",
            b"x*.example.org",
            b"*.org",
            b"aexample.org",
            b"\xff example.org",
            b"example.org\xff",
            b"example.org # \xff",
            "b\u{fc}cher.example".as_bytes(),
            "B\u{dc}CHER.example".as_bytes(),
            "*.b\u{fc}cher.example".as_bytes(),
            "\u{ff45}\u{ff58}ample\u{3002}org".as_bytes(),
            b"xn--bcher-kva.EXAMPLE",
            b"example.or",
            b"xn--a.example.org",
        ];
        let names = ["example.org", "a.example.org", "xn--bcher-kva.example", "example.net"];
        for first in forms {
            for second in forms {
                for end in [&b"\n"[..], b"\r\n", b""] {
                    let text = [BOM, first, b"\r\n\n", second, end].concat();
                    assert_agreement(&text[if end.is_empty() { 3 } else { 0 }..], &names);
                }
            }
        }
    }

    const BOM: &[u8] = "\u{feff}".as_bytes();

    /// Lines at the ends of the pieces in which a text is read.
    #[test]
    fn every_line_of_a_long_list_is_found() {
        let name = |number: usize| match number % 5 {
            0 => format!("d{number}.b\u{fc}cher.example"),
            1 => format!("D{number}.example OK"),
            2 => format!("*.d{number}.example # below"),
            3 => format!("# d{number}.example"),
            _ => format!("d{number}.example"),
        };
        let text: String = (0..8_000).map(|number| name(number) + "\r\n").collect();
        let text = [BOM, text.as_bytes()].concat();
        let loaded = List::parse(text.clone());
        assert_eq!((loaded.len(), loaded.not_domains().count), (6_400, 0));
        let searched = List::searching(text);
        let names = (0..8_000).step_by(331).flat_map(|number| {
            let below = ["", "a."].map(|below| format!("{below}d{number}.example"));
            [below[0].clone(), below[1].clone(), format!("d{number}.b\u{fc}cher.example")]
        });
        let domains: Vec<_> = names.map(|name| Domain::parse(&name).unwrap()).collect();
        for domains in domains.chunks(MAX_SEARCHED) {
            searched.look_up(domains);
            for domain in domains {
                let answers = |list: &List| (list.contains(domain), list.has_pattern_for(domain));
                assert_eq!(answers(&searched), answers(&loaded), "{domain}");
            }
        }
        assert!(searched.only_searched().is_some());
    }

    /// The beginning of such a line counts, as long as it is a whole word.
    #[test]
    fn lines_without_an_end_take_no_memory() {
        let long = "x".repeat(300_000);
        let text = format!(
            "example.org {long}\n{long}.example\nexample.net\n{}@example.com\n\
             a.example\n#{long}\n b.example",
            &long[..4096]
        );
        let list = List::parse(text.clone().into_bytes());
        let domains: Vec<_> = list.domains().map(|domain| domain.to_string()).collect();
        assert_eq!(domains, ["example.org", "example.net", "a.example"]);
        let lines: Vec<_> = list.not_domains().first.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 4]);
        assert_eq!(list.loaded().indented.first, [(7, "b.example".to_owned())]);
        assert_agreement(text.as_bytes(), &["example.org", "example.net", "a.example"]);
    }

    #[test]
    fn indented_lines_of_a_plain_list_are_noted() {
        let list = List::parse(
            b"  a.example\nb.example\n\tc.example # ours\n\n d.example\nmap.example\tOK\n \
              e.example\nf.example\n  relay:f.example\n  ann@f.example\n  OK\n# g\n # h.example\n"
                .to_vec(),
        );
        let lines: Vec<_> = list.loaded().indented.first.iter().map(|(line, _)| *line).collect();
        assert_eq!((lines, list.len()), (vec![1, 3, 5], 3));
    }

    #[test]
    fn many_look_ups_at_once_load_the_list() {
        let text = "example.org\n*.example.net\nb\u{fc}cher.example\n";
        let domain = |text: &str| Domain::parse(text).unwrap();
        for count in [1, MAX_SEARCHED, MAX_SEARCHED + 1] {
            let list = List::searching(text.as_bytes().to_vec());
            let others = (3..count).map(|number| domain(&format!("{number}.example")));
            let known = ["b\u{fc}cher.example", "example.net", "a.example.net"].map(domain);
            let domains: Vec<_> = known.into_iter().chain(others).take(count).collect();
            list.look_up(&domains);
            assert_eq!(list.only_searched().is_none(), count > MAX_SEARCHED);
            let found: Vec<_> = domains.iter().map(|domain| list.contains(domain)).collect();
            assert!(found[0] && !found[1..].contains(&true));
            assert!(list.has_pattern_for(&domain("a.example.net")));
            assert!(!list.has_pattern_for(&domain("example.net")));
            assert_eq!(list.len(), 3);
        }
    }

    #[test]
    fn a_text_that_cannot_be_read_is_no_empty_list() {
        struct Broken;
        impl Text for Broken {
            fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        let domains = asked("example.org");
        for look_up in [&domains[..1], &domains] {
            let list = List::searching(Broken);
            list.look_up(look_up);
            assert!(!list.contains(&domains[0]));
            assert_eq!(list.failure().as_deref(), Some("Input/output error"));
        }
    }
}
