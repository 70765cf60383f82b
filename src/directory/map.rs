//! Logins in a text file, one mailbox a line: an address, and the login behind a blank or a comma.
//!
//! Reads sources of Postfix maps (`ann@example.org asmith`) and CSV files (`ann@example.org,asmith`,
//! also with both in quotes). A line whose first character is a `#` is a comment, and a line that
//! begins with white space continues the one before (postmap(1)). An entry is left out if its first
//! word is not an address, or the rest is not one login: aliases with several targets are not. Of
//! two entries for an address the first counts, as postmap(1) has it.
//!
//! A map is loaded, for many look-ups in constant time, or searched, for one or two of one process.
//! Both give the same answers.

use super::names::{Collected, Names};
use super::noted::Noted;
use super::search::search;
use super::text::{Pieces, Text, is_unfinished, lines};
use crate::account::OwnLogin;
use crate::address::{EmailAddress, MAX_LOCAL_PART, domain_name};
use crate::files::{self, Kind};
use crate::finding::Finding;
use memchr::{memchr, memmem};
use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The logins of mailboxes.
#[derive(Debug)]
pub struct Map(Source);

#[derive(Debug)]
enum Source {
    Loaded(Loaded),
    Searched(Searched),
}

/// What was read of a map.
#[derive(Debug, Default)]
struct Loaded {
    /// The addresses in lower case, with their logins.
    names: Names,
    /// The last address and its login, if its line has no line end; also if they are not ones.
    unfinished: Option<(String, String)>,
    not_addresses: Noted,
    not_logins: Noted,
    doubles: Noted,
}

/// A map that is searched.
struct Searched {
    text: Box<dyn Text>,
    known: Mutex<Known>,
}

/// What was found out.
#[derive(Default)]
struct Known {
    logins: Vec<(String, Option<String>)>,
    failure: Option<String>,
}

impl Map {
    /// Loads the map at `path`.
    pub fn read(path: &Path) -> io::Result<Map> {
        let (file, bytes) = files::open(path, Kind::Map)?;
        Ok(Map(Source::Loaded(Loaded::read(&file, bytes)?)))
    }

    /// Opens the map at `path`, which is read with the first look-up.
    pub fn search(path: &Path) -> io::Result<Map> {
        Ok(Map::searching(files::open(path, Kind::Map)?.0))
    }

    /// Loads a text. One that is too large for a map is empty.
    pub fn parse(text: Vec<u8>) -> Map {
        let bytes = text.len() as u64;
        Map(Source::Loaded(Loaded::read(&text, bytes).unwrap_or_default()))
    }

    /// The map in a text, which is read with the first look-up.
    pub fn searching(text: impl Text + 'static) -> Map {
        Map(Source::Searched(Searched { text: Box::new(text), known: Mutex::default() }))
    }

    /// The login of the mailbox with this address, as [`EmailAddress::folded`] spells it.
    pub fn get(&self, address: &str) -> Option<Cow<'_, str>> {
        match &self.0 {
            Source::Loaded(loaded) => loaded.names.value(address.as_bytes()).map(Cow::Borrowed),
            Source::Searched(searched) => searched.get(address).map(Cow::Owned),
        }
    }

    /// The number of addresses; of a map that is searched, 0.
    pub fn len(&self) -> usize {
        self.loaded().map_or(0, |loaded| loaded.names.len())
    }

    /// True if the map has no login.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Source::Loaded(loaded) => loaded.names.len() == 0,
            Source::Searched(searched) => searched.is_empty(),
        }
    }

    /// True if the last line ends within a line of the earlier map: its login would be the beginning
    /// of another one.
    pub fn is_cut_from(&self, earlier: &Map) -> bool {
        let (Some(loaded), Some(earlier)) = (self.loaded(), earlier.loaded()) else { return false };
        // The earlier map may have ended in the same way.
        let unfinished = loaded.unfinished.as_ref();
        let unfinished = unfinished.filter(|it| earlier.unfinished.as_ref() != Some(it));
        let Some((address, login)) = unfinished else { return false };
        match earlier.names.value(address.as_bytes()) {
            Some(known) => {
                let is_there = loaded.names.value(address.as_bytes()) == Some(known);
                known.starts_with(login) && !is_there
            }
            None => login.is_empty() && earlier.names.has_beginning(address.as_bytes()),
        }
    }

    /// Why the map that is searched could not be read, if so. It has no login then.
    pub fn failure(&self) -> Option<String> {
        match &self.0 {
            Source::Loaded(_) => None,
            Source::Searched(searched) => searched.lock().failure.clone(),
        }
    }

    /// Warnings about entries that are left out; of a map that is searched, none.
    pub fn warnings(&self, file: &Path) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(loaded) = self.loaded() {
            let (one, many) = ("is not an e-mail address", "have no e-mail address");
            loaded.not_addresses.add_warning("map-line", file, [one, many], &mut found);
            let (one, many) = ("has no login that can be used", "have no login that can be used");
            loaded.not_logins.add_warning("map-line", file, [one, many], &mut found);
            let (one, many) = ("has another entry in an earlier line", "repeat an address");
            loaded.doubles.add_warning("map-double", file, [one, many], &mut found);
        }
        found
    }

    fn loaded(&self) -> Option<&Loaded> {
        match &self.0 {
            Source::Loaded(loaded) => Some(loaded),
            Source::Searched(_) => None,
        }
    }
}

impl Loaded {
    /// Reads a text of about `bytes`.
    fn read(text: &dyn Text, bytes: u64) -> io::Result<Loaded> {
        let mut loaded = Loaded::default();
        let mut names = Collected::new(bytes, 2);
        for_each_line(text, |number, line, is_unfinished| {
            let entry = Entry::read(line);
            if is_unfinished {
                loaded.unfinished = entry.beginning(line);
            }
            match entry {
                Entry::Nothing => {}
                Entry::Login(address, login) => names.add(&[&address, login]),
                Entry::NotAddress(word) => loaded.not_addresses.add(number, word),
                Entry::NotLogin(address, _) => loaded.not_logins.add(number, address.as_bytes()),
            }
        })?;
        let doubles = &mut loaded.doubles;
        loaded.names = names.into_names(|number, address| doubles.add(number, address));
        if doubles.count > 0 {
            name_lines(text, &mut doubles.first)?;
        }
        Ok(loaded)
    }
}

/// Replaces the numbers of entries, counted from 0, by those of their lines. The numbers of all
/// lines would take more memory than the index, and few maps have doubles.
fn name_lines(text: &dyn Text, doubles: &mut [(usize, String)]) -> io::Result<()> {
    let mut doubles = doubles.iter_mut().peekable();
    let mut count = 0;
    for_each_line(text, |line_number, line, _| {
        if matches!(Entry::read(line), Entry::Login(..)) {
            if let Some((number, _)) = doubles.next_if(|(number, _)| *number == count) {
                *number = line_number;
            }
            count += 1;
        }
    })
}

impl Searched {
    fn get(&self, address: &str) -> Option<String> {
        let mut known = self.lock();
        if let Some((_, login)) = known.logins.iter().find(|(known, _)| known == address) {
            return login.clone();
        }
        let mut found: Option<(u64, String)> = None;
        let searched = search(&*self.text, Kind::Map, &[address.as_bytes()], |offset, rest| {
            // No entry begins with white space, and those that do may be many thousand.
            let is_entry = !rest.starts_with(b" ") && !rest.starts_with(b"\t");
            if is_entry && found.as_ref().is_none_or(|(earlier, _)| offset < *earlier) {
                match Entry::read(&Lines::read(rest).text) {
                    Entry::Login(key, login) if key == address => {
                        found = Some((offset, login.to_owned()));
                    }
                    _ => {}
                }
            }
        });
        if let Err(error) = searched {
            known.failure = Some(files::reason(&error));
            return None;
        }
        let login = found.map(|(_, login)| login);
        known.logins.push((address.to_owned(), login.clone()));
        login
    }

    fn is_empty(&self) -> bool {
        let mut is_empty = true;
        let read = for_each_line(&*self.text, |_, line, _| {
            is_empty &= !matches!(Entry::read(line), Entry::Login(..));
        });
        if let Err(error) = read {
            self.lock().failure = Some(files::reason(&error));
        }
        is_empty
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Searched {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Searched")
    }
}

//------------ Entry ----------------------------------------------------------

/// Calls `take` with the number of each line, its text together with the lines that continue it, and
/// whether the text ends within it.
fn for_each_line(text: &dyn Text, mut take: impl FnMut(usize, &[u8], bool)) -> io::Result<()> {
    let mut number = 1;
    let mut pieces = Pieces::new(text, Kind::Map);
    while let Some(piece) = pieces.next()? {
        let mut rest = piece;
        while !rest.is_empty() {
            let lines = Lines::read(rest);
            rest = &rest[lines.bytes..];
            let is_last = rest.is_empty() && is_unfinished(piece) && !lines.ends_with_comment;
            take(number, &lines.text, is_last);
            number += lines.count;
        }
    }
    Ok(())
}

/// A line with those that continue it, and with the comments and empty lines between them.
struct Lines<'a> {
    text: Cow<'a, [u8]>,
    /// How many lines and bytes these are.
    count: usize,
    bytes: usize,
    ends_with_comment: bool,
}

impl Lines<'_> {
    /// Reads the first line of a text, and what belongs to it.
    fn read(text: &[u8]) -> Lines<'_> {
        let line = lines(text).next().unwrap_or_default();
        let mut read = Lines {
            text: Cow::Borrowed(line),
            count: 1,
            bytes: text.len().min(line.len() + 1),
            ends_with_comment: says_nothing(line),
        };
        if read.ends_with_comment {
            return read;
        }
        while text.get(read.bytes).is_some_and(|byte| b" \t\r\n#".contains(byte)) {
            let line = lines(&text[read.bytes..]).next().unwrap_or_default();
            let is_comment = says_nothing(line);
            if !is_comment {
                if line.starts_with(b"\r") {
                    break;
                }
                // In place: a line may be continued many thousand times.
                let end = read.text.trim_ascii_end().len();
                let text = read.text.to_mut();
                text.truncate(end);
                text.extend_from_slice(line);
            }
            read.ends_with_comment = is_comment;
            read.count += 1;
            read.bytes = text.len().min(read.bytes + line.len() + 1);
        }
        read
    }
}

/// True for an empty line and for a comment.
fn says_nothing(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    text.is_empty() || text.starts_with(b"#")
}

/// What a line says, with those that continue it.
#[derive(Debug, Eq, PartialEq)]
enum Entry<'a> {
    Nothing,
    /// An address in lower case, and its login.
    Login(Cow<'a, str>, &'a str),
    /// This word is not an address.
    NotAddress(&'a [u8]),
    /// An address, and what is not a login.
    NotLogin(Cow<'a, str>, &'a [u8]),
}

impl Entry<'_> {
    fn read(line: &[u8]) -> Entry<'_> {
        if says_nothing(line) {
            return Entry::Nothing;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Entry::NotAddress(line.trim_ascii());
        }
        let (word, rest) = split(line.trim_ascii_end());
        match std::str::from_utf8(word).ok().and_then(folded) {
            None => Entry::NotAddress(word),
            Some(address) => match std::str::from_utf8(rest).ok().filter(|rest| is_login(rest)) {
                Some(login) => Entry::Login(address, login),
                None => Entry::NotLogin(address, rest),
            },
        }
    }

    /// The address and the login as far as they are written in `line`, which is unfinished.
    fn beginning(&self, line: &[u8]) -> Option<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase();
        match self {
            Entry::Nothing => None,
            Entry::NotAddress(word) if !line.ends_with(word) => None,
            Entry::Login(address, login) => Some((address.to_string(), (*login).to_owned())),
            Entry::NotAddress(word) => {
                let word = text(word.strip_prefix(b"\"").unwrap_or(word));
                (!word.is_empty()).then(|| (word, String::new()))
            }
            Entry::NotLogin(address, rest) => {
                let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
                Some((address.to_string(), String::from_utf8_lossy(rest).into_owned()))
            }
        }
    }
}

/// The address and the login of a line, which may not be ones.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    if let Some(rest) = line.strip_prefix(b"\"") {
        if let Some(at) = memchr(b'"', rest) {
            if let Some(login) = behind_comma(&rest[at + 1..]) {
                return (&rest[..at], login);
            }
        }
    }
    // A quoted local part may contain blanks and commas.
    let quoted = if line.starts_with(b"\"") { memmem::find(line, b"\"@") } else { None };
    let start = quoted.unwrap_or_default();
    let end = line[start..].iter().position(|byte| matches!(byte, b' ' | b'\t' | b','));
    let (word, rest) = line.split_at(end.map_or(line.len(), |end| start + end));
    (word, behind_comma(rest).unwrap_or_else(|| rest.trim_ascii_start()))
}

/// The field behind a comma, without quotes around it; `None` without a comma.
fn behind_comma(text: &[u8]) -> Option<&[u8]> {
    let field = text.trim_ascii_start().strip_prefix(b",")?.trim_ascii_start();
    let inner = field.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    Some(inner.unwrap_or(field))
}

/// An address as [`EmailAddress::folded`] spells it; borrowed if it is written that way.
fn folded(text: &str) -> Option<Cow<'_, str>> {
    let at = memchr::memrchr(b'@', text.as_bytes())?;
    let (local, domain) = (&text[..at], &text[at + 1..]);
    let is_usual = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'+');
    if matches!(local.len(), 1..=MAX_LOCAL_PART)
        && local.bytes().all(is_usual)
        && domain_name(domain).is_ok_and(|name| name == domain)
    {
        return Some(Cow::Borrowed(text));
    }
    EmailAddress::parse(text.as_bytes()).ok().map(|address| Cow::Owned(address.folded()))
}

/// True for one login. Commas and quotes are of a list of targets, or of a CSV file of another form.
fn is_login(text: &str) -> bool {
    !text.contains([',', '"']) && OwnLogin::is_one(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOM: &[u8] = "\u{feff}".as_bytes();

    fn get(text: &str, address: &str) -> Option<String> {
        let loaded = Map::parse(text.as_bytes().to_vec());
        let searched = Map::searching(text.as_bytes().to_vec());
        assert_eq!(searched.is_empty(), loaded.is_empty(), "{text:?}");
        let found = [loaded.get(address), searched.get(address), searched.get(address)];
        assert!(found.iter().all(|login| *login == found[0]), "{text:?} {address}: {found:?}");
        assert_eq!(searched.failure(), None);
        found[0].as_ref().map(|login| login.to_string())
    }

    #[test]
    fn maps_as_mail_servers_have_them() {
        for (line, login) in [
            ("ann@example.org asmith", Some("asmith")),
            ("ANN@Example.ORG.\t ASmith \r", Some("ASmith")),
            ("ann@example.org,asmith", Some("asmith")),
            ("ann@example.org , \"asmith\"", Some("asmith")),
            ("\"ann@example.org\",\"asmith\"", Some("asmith")),
            ("\"Ann@example.org\", asmith", Some("asmith")),
            ("ann@example.org anna smith", Some("anna smith")),
            ("ann@example.org\n  asmith", Some("asmith")),
            ("ann@example.org\r\n# no\r\n\r\n\tasmith\r", Some("asmith")),
            // A tab is not allowed in a login.
            ("ann@example.org a\n\tb", None),
            ("ann@example.org a\n b\n#\n c", Some("a b c")),
            ("ann@example.org \u{e4}smith", Some("\u{e4}smith")),
            ("ann@example.org #1", Some("#1")),
            ("\u{ff41}nn@example.org x\nann@\u{ff45}xample.org asmith", Some("asmith")),
            ("ann@example.org", None),
            ("ann@example.org,", None),
            ("ann@example.org \u{1}", None),
            ("ann@example.org a%EMAILADDRESS%", None),
            ("ann@example.org bob@example.org, carl@example.org", None),
            ("ann@example.org,asmith,1", None),
            ("ann@example.org \"asmith\"", None),
            ("\"ann@example.org,asmith", None),
            ("# ann@example.org asmith", None),
            (" ann@example.org asmith", None),
            ("bob@example.org ann@example.org", None),
            ("bob@example.org x\n ann@example.org asmith", None),
            ("xann@example.org asmith", None),
            ("ann@example.org.example asmith", None),
            ("@example.org asmith", None),
        ] {
            for text in [line.to_owned(), format!("\n# x\r\n{line}\n"), format!("\u{feff}{line}")] {
                assert_eq!(get(&text, "ann@example.org").as_deref(), login, "{text:?}");
            }
        }
        let quoted = "\"a, b\"@example.org x\n\"c\"@example.org,y\n";
        assert_eq!(get(quoted, "\"a, b\"@example.org").as_deref(), Some("x"));
        assert_eq!(get(quoted, "\"c\"@example.org").as_deref(), Some("y"));
        assert_eq!(
            get("\u{c4}nn@B\u{fc}cher.example x", "\u{e4}nn@xn--bcher-kva.example").as_deref(),
            Some("x")
        );
    }

    #[test]
    fn entries_that_are_left_out_are_reported_with_their_lines() {
        let map = Map::parse(
            b"ann@example.org 1\n# comment\nann 2\nbob@example.org\n  3\nANN@example.org\t4\n\
              carl@example.org\n\nbob@example.org 5\nann@example.org 6"
                .to_vec(),
        );
        let found = map.warnings(Path::new("map"));
        let found: Vec<_> = found.iter().map(Finding::to_string).collect();
        assert_eq!(
            found,
            [
                "map:3:1: `ann` is not an e-mail address; the line is ignored [map-line]",
                "map:7:1: `carl@example.org` has no login that can be used; the line is ignored [map-line]",
                "map:6:1: `ann@example.org` has another entry in an earlier line; the line is ignored [map-double]",
                "map:9:1: `bob@example.org` has another entry in an earlier line; the line is ignored [map-double]",
                "map:10:1: `ann@example.org` has another entry in an earlier line; the line is ignored [map-double]",
            ]
        );
        assert_eq!(map.len(), 2);
        let logins = ["ann", "bob"].map(|name| map.get(&format!("{name}@example.org")));
        assert_eq!(logins, [Some("1".into()), Some("3".into())]);
    }

    #[test]
    fn a_map_that_is_cut_within_a_line_is_known() {
        let map = |text: &str| Map::parse(text.as_bytes().to_vec());
        let earlier = map("ann@example.org asmith\nbob@b.example.org,bob.jones\n");
        for (text, is_cut) in [
            ("ann@example.org asmith", false),
            ("ann@example.org asmit", true),
            ("ann@example.org asmit\n", false),
            ("ann@example.org ", true),
            ("ann@example.or", true),
            ("ann@example.org asmith\nBOB@b.ex", true),
            ("ann@example.org asmith\n\"bo", true),
            ("ann@example.org asmith\nbob@b.example.org,bob.", true),
            ("ann@example.org asmith\nbob@b.example.org,\"bob", true),
            ("ann@example.org asmith\nbob@b.example.org,\"bob.jones", true),
            ("ann@example.org asmith\nbob@b.example.org,\"bob.jones\"", false),
            ("ann@example.org other", false),
            ("carl@example.org x", false),
            ("ann@example.org asmith\n# bo", false),
            ("ann@example.org asmith\n,@b,", false),
            ("ann@example.org asmith\n\"", false),
            ("", false),
        ] {
            assert_eq!(map(text).is_cut_from(&earlier), is_cut, "{text:?}");
        }
        let twice = map("ann@example.org asmith\nann");
        assert!(twice.is_cut_from(&earlier) && !twice.is_cut_from(&twice));
    }

    /// Entries at the ends of the pieces in which a text is read.
    #[test]
    fn every_entry_of_a_long_map_is_found() {
        let line = |number: usize| match number % 4 {
            0 => format!("u{number}@example.org,l{number}\r\n"),
            1 => format!("U{number}@example.org\r\n# c\r\n  l{number}\r\n"),
            2 => format!("u{number}@b\u{fc}cher.example \u{fc}{number}\n"),
            _ => format!("u{number}@example.org l{number}\nu{number}@example.org x\n"),
        };
        let text: String = (0..8_000).map(line).collect();
        let text = [BOM, text.as_bytes()].concat();
        let (loaded, searched) = (Map::parse(text.clone()), Map::searching(text));
        assert_eq!(loaded.len(), 8_000);
        for number in (0..8_000).step_by(331) {
            let (domain, first) = match number % 4 {
                2 => ("xn--bcher-kva.example", "\u{fc}"),
                _ => ("example.org", "l"),
            };
            let address = format!("u{number}@{domain}");
            let expected = Some(format!("{first}{number}").into());
            assert_eq!(
                (loaded.get(&address), searched.get(&address)),
                (expected.clone(), expected)
            );
        }
    }

    #[test]
    fn a_line_that_is_continued_very_often_takes_no_longer() {
        let begun = std::time::Instant::now();
        let text = [&b"ann@example.org a\n"[..], &b" b\n".repeat(400_000)].concat();
        assert_eq!(Map::parse(text).len(), 0);
        let text = [b"b@example.org a\n", &b" ann@example.org\n".repeat(50_000)[..]].concat();
        assert_eq!(Map::searching(text).get("ann@example.org"), None);
        assert!(begun.elapsed() < std::time::Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}
