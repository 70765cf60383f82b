//! A map from addresses to logins: any bytes.
//!
//! Checks: the logins are those of a second, simple parser, of two entries for an address the first;
//! every entry that is left out has a warning, with an existing line. A map that is searched gives
//! the same answers, also for similar addresses. A part of the map may be recognised as truncated, a
//! whole one never.

use mailsetup::address::EmailAddress;
use mailsetup::directory::map::Map;
use std::collections::HashMap;
use std::path::Path;

/// For how many addresses a map is searched.
const SEARCHED: usize = 8;
/// How many warnings of a kind there are at most: those with a line, and one about the others.
const WARNINGS: usize = 101;
const BOM: &[u8] = "\u{feff}".as_bytes();

pub fn run(data: &[u8]) {
    let map = Map::parse(data.to_vec());
    let searched = Map::searching(data.to_vec());
    let (logins, left_out) = read(data);
    assert_eq!((map.len(), map.is_empty()), (logins.len(), logins.is_empty()));
    assert_eq!(searched.is_empty(), logins.is_empty());
    let warnings = map.warnings(Path::new("map"));
    let lines = data.split(|&b| b == b'\n').count();
    assert!(warnings.len() <= 3 * WARNINGS && warnings.is_empty() == (left_out == 0));
    if left_out < WARNINGS {
        assert_eq!(warnings.len(), left_out);
    }
    for warning in &warnings {
        let place = warning.place.as_ref().expect("a place");
        assert!(place.position.is_none_or(|(line, _)| (1..=lines).contains(&line)), "{warning}");
    }
    let mut addresses: Vec<_> = logins.keys().collect();
    addresses.sort();
    for (count, address) in addresses.into_iter().enumerate() {
        let end = address.get(1..).unwrap_or_default();
        let neighbours = [end, &address[..address.len() - 1], &format!("a{address}"), address];
        for address in neighbours {
            let login = logins.get(address).map(String::as_str);
            assert_eq!(map.get(address).as_deref(), login, "{address}");
            if count < SEARCHED {
                assert_eq!(searched.get(address).as_deref(), login, "{address}");
            }
        }
    }
    assert_eq!(searched.failure(), None);
    assert!(!map.is_cut_from(&map));
    let part = Map::parse(data[..data.len() / 2].to_vec());
    if part.is_cut_from(&map) {
        assert!(!data[..data.len() / 2].ends_with(b"\n"));
    }
}

/// The logins by address, and the number of entries that are left out, by a simple parser.
fn read(data: &[u8]) -> (HashMap<String, String>, usize) {
    let text = data.strip_prefix(BOM).unwrap_or(data);
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        match line.trim_ascii_start().first() {
            None | Some(b'#') => {}
            Some(_) => match entries.last_mut().filter(|_| b" \t".contains(&line[0])) {
                Some(entry) => *entry = [entry.trim_ascii_end(), line].concat(),
                None => entries.push(line.to_vec()),
            },
        }
    }
    let (mut logins, mut left_out) = (HashMap::new(), 0);
    for entry in entries {
        match entry_of(&entry) {
            Some((address, login)) if !logins.contains_key(&address) => {
                logins.insert(address, login);
            }
            _ => left_out += 1,
        }
    }
    (logins, left_out)
}

fn entry_of(line: &[u8]) -> Option<(String, String)> {
    let line = line.trim_ascii_end();
    // Neither an address nor a login has a control character.
    let chunk = |chunk: std::str::Utf8Chunk| {
        chunk.valid().to_owned() + if chunk.invalid().is_empty() { "" } else { "\u{1}" }
    };
    let text: String = line.utf8_chunks().map(chunk).collect();
    if text.starts_with([' ', '\t']) {
        return None;
    }
    let field = |text: &str| {
        let text = text.trim_ascii_start().strip_prefix(',')?.trim_ascii_start();
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Some(inner.unwrap_or(text).to_owned())
    };
    let quoted = text.strip_prefix('"').and_then(|rest| {
        let (address, rest) = rest.split_once('"')?;
        Some((address.to_owned(), field(rest)?))
    });
    let (address, login) = quoted.unwrap_or_else(|| {
        let from = if text.starts_with('"') { text.find("\"@").unwrap_or(0) } else { 0 };
        let end = text[from..].find([' ', '\t', ',']).map_or(text.len(), |end| from + end);
        let (address, rest) = text.split_at(end);
        (address.to_owned(), field(rest).unwrap_or_else(|| rest.trim_ascii_start().to_owned()))
    });
    let address = EmailAddress::parse(address.as_bytes()).ok()?;
    let is_login = matches!(login.len(), 1..=255)
        && !login.contains(|c: char| c.is_control() || ",\"\u{fffe}\u{ffff}".contains(c))
        && !login.contains("%EMAIL");
    is_login.then(|| (address.folded(), login))
}
