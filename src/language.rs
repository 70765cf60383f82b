//! Chooses one of several texts by the languages that the client accepts.
//!
//! `Accept-Language` (RFC 9110 §12.5.4), matched by lookup (RFC 4647 §3.4): `de-AT` finds `de`,
//! `de` never finds `de-at`. Some ranges also find another tag that is read by the same people:
//! `zh-TW` finds `zh-Hant`. Unreadable ranges are skipped. If no language matches, the text is the
//! English one, else the first.

use std::collections::BTreeMap;

/// The language if none of the client's is available.
const FALLBACK: &str = "en";

/// How much of an `Accept-Language` is read, in bytes: browsers send up to a few hundred.
const MAX_WISHES: usize = 4096;
/// How many language ranges are used: browsers send up to ten.
const MAX_RANGES: usize = 16;
/// Longest range that is looked for; RFC 5646 §4.4.1 has 35 characters for the longest tag.
const MAX_RANGE: usize = 35;

/// The languages that the client accepts, in lower case, the preferred one first.
///
/// Parsed once for a request, whatever the number of texts. The size is limited, since a client may
/// send as long a header as the web server allows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Languages(Vec<String>);

impl Languages {
    /// Reads an `Accept-Language`; anything beyond the limits is ignored.
    pub fn parse(wishes: &[u8]) -> Languages {
        let read = &wishes[..wishes.len().min(MAX_WISHES)];
        let items = read.split(|&b| b == b',');
        // A truncated range would be another language.
        let whole = items.clone().count() - usize::from(read.len() < wishes.len());
        let mut ranges: Vec<_> = items.take(whole.min(MAX_RANGES)).filter_map(range).collect();
        // Ranges of equal weight keep their order.
        ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        Languages(ranges.into_iter().map(|(_, range)| range).collect())
    }

    /// The text for these languages; `None` if there are no texts.
    ///
    /// The languages of the texts are in lower case.
    pub fn choose<'a, T>(&self, texts: &'a BTreeMap<String, T>) -> Option<&'a T> {
        self.entry(texts).map(|(_, text)| text)
    }

    /// The same, with the language of the text.
    pub fn entry<'a, T>(&self, texts: &'a BTreeMap<String, T>) -> Option<(&'a String, &'a T)> {
        self.find(|tag| texts.get_key_value(tag)).or_else(|| fallback_entry(texts))
    }

    /// The first of these languages that `of` knows by its tag in lower case.
    pub fn find<T>(&self, of: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|range| lookup(range, &of))
    }
}

/// The text for a client of unknown languages.
pub fn fallback<T>(texts: &BTreeMap<String, T>) -> Option<&T> {
    fallback_entry(texts).map(|(_, text)| text)
}

fn fallback_entry<T>(texts: &BTreeMap<String, T>) -> Option<(&String, &T)> {
    texts.get_key_value(FALLBACK).or_else(|| texts.first_key_value())
}

/// A range in lower case and its weight in thousandths; `None` if its weight is zero, it cannot be
/// read or it is `*`.
fn range(item: &[u8]) -> Option<(u16, String)> {
    let item = std::str::from_utf8(item).ok()?;
    let (range, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
    let weight = parameter.trim().strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let weight: f32 = weight.trim().parse().ok()?;
    let is_wanted = weight > 0.0 && weight <= 1.0;
    let range = range.trim();
    (is_wanted && range != "*" && range.len() <= MAX_RANGE)
        .then(|| ((weight * 1000.0) as u16, range.to_ascii_lowercase()))
}

/// What `of` knows for a range, or for the range shortened from its end.
fn lookup<T>(whole: &str, of: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut range = whole;
    loop {
        let others = same_readers(range, whole);
        if let Some(found) = of(range).or_else(|| others.iter().find_map(|tag| of(tag))) {
            return Some(found);
        }
        range = &range[..range.rfind('-')?];
        // A single letter introduces the subtag that was just removed.
        if let Some((shorter, [_])) = range.rsplit_once('-').map(|(a, b)| (a, b.as_bytes())) {
            range = shorter;
        }
    }
}

/// Other tags that people who ask for a range can read: the script of Chinese by its region (CLDR,
/// likely subtags); an older tag of the same language; and Bokmål for all of
/// Norwegian. `whole` is the range before it was shortened: traditional characters are not
/// replaced by simplified ones.
fn same_readers(range: &str, whole: &str) -> &'static [&'static str] {
    const TRADITIONAL: [&str; 4] = ["zh-hant", "zh-tw", "zh-hk", "zh-mo"];
    match range {
        "zh-tw" | "zh-hk" | "zh-mo" => &TRADITIONAL[..1],
        "zh" if !TRADITIONAL.iter().any(|tag| whole.starts_with(tag)) => &["zh-hans"],
        "no" => &["nb"],
        "nb" => &["no"],
        "nn" => &["nb", "no"],
        "iw" => &["he"],
        "he" => &["iw"],
        _ => &[],
    }
}

/// A language tag in the letter case that is usual for it (RFC 5646 §2.1.1): `pt-BR`, `zh-Hant`.
pub fn usual_case(tag: &str) -> String {
    let mut is_extension = false;
    let parts = tag.split('-').enumerate().map(|(at, part)| {
        let mut part = part.to_ascii_lowercase();
        if at > 0 && !is_extension {
            match part.len() {
                1 => is_extension = true,
                2 => part.make_ascii_uppercase(),
                4 => part[..1].make_ascii_uppercase(),
                _ => {}
            }
        }
        part
    });
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(languages: &[&str]) -> BTreeMap<String, String> {
        languages.iter().map(|language| ((*language).to_owned(), language.to_string())).collect()
    }

    fn choose<'a>(wishes: &[u8], texts: &'a BTreeMap<String, String>) -> Option<&'a String> {
        Languages::parse(wishes).choose(texts)
    }

    #[test]
    fn the_most_wanted_language_that_is_there() {
        let texts = texts(&["de", "de-at", "en", "pt-br", "zh-hant"]);
        for (wishes, chosen) in [
            ("", "en"),
            ("de", "de"),
            ("DE-AT", "de-at"),
            ("de-CH-1996, en", "de"),
            ("en;q=0.5, de;q=0.8", "de"),
            ("fr, de;q=0.8, en;q=0.9", "en"),
            ("en, de", "en"),
            ("de;q=0, fr", "en"),
            ("fr-FR, *", "en"),
            ("*", "en"),
            ("pt", "en"),
            ("zh-Hant-x-private-use", "zh-hant"),
            ("zh-Hant-TW", "zh-hant"),
            ("de ; q=0.9 , en ;q=0.1", "de"),
            ("de;q=x, en;q=2, ,;;,de-at;q=0.001", "de-at"),
            ("-,--,x-,-de", "en"),
            ("\u{fffd}", "en"),
        ] {
            assert_eq!(choose(wishes.as_bytes(), &texts).unwrap(), chosen, "{wishes}");
        }
        assert_eq!(choose(b"\xff,de", &texts).unwrap(), "de");
    }

    #[test]
    fn tags_with_the_same_readers() {
        let known = texts(&["en", "he", "nb", "zh-hans", "zh-hant"]);
        for (wishes, chosen) in [
            ("zh-TW", "zh-hant"),
            ("zh-HK, en;q=0.9", "zh-hant"),
            ("zh-MO", "zh-hant"),
            ("zh-Hant-CN", "zh-hant"),
            ("zh", "zh-hans"),
            ("zh-CN, zh;q=0.9", "zh-hans"),
            ("zh-SG", "zh-hans"),
            ("zh-Hans-HK", "zh-hans"),
            ("no", "nb"),
            ("nn-NO", "nb"),
            ("iw-IL", "he"),
            ("zha, non", "en"),
        ] {
            assert_eq!(choose(wishes.as_bytes(), &known).unwrap(), chosen, "{wishes}");
        }
        assert_eq!(choose(b"zh-TW", &texts(&["en", "zh-hans"])).unwrap(), "en");
        assert_eq!(choose(b"zh-TW", &texts(&["en", "zh", "zh-hant"])).unwrap(), "zh-hant");
        assert_eq!(choose(b"nb-NO", &texts(&["en", "no"])).unwrap(), "no");
        assert_eq!(choose(b"nn", &texts(&["en", "nn", "nb"])).unwrap(), "nn");
        assert_eq!(choose(b"he", &texts(&["en", "iw"])).unwrap(), "iw");
    }

    #[test]
    fn a_long_wish_is_read_to_its_limit() {
        let texts = texts(&["de", "de-at", "en"]);
        for (wishes, chosen) in [
            (format!("de{}", ",x".repeat(30_000)), "de"),
            (format!("{}de", "x,".repeat(15)), "de"),
            (format!("{}de", "x,".repeat(16)), "en"),
            (format!("{}de", ",".repeat(15)), "de"),
            // A truncated range is ignored.
            (format!("{}de-at", " ".repeat(4096 - 2)), "en"),
            (format!("{}de-at", " ".repeat(4096 - 5)), "de-at"),
            (format!("{}de-at ", " ".repeat(4096 - 5)), "en"),
            (format!("de-{}", "a-".repeat(2000)), "en"),
            ("-".repeat(60_000), "en"),
        ] {
            assert_eq!(
                choose(wishes.as_bytes(), &texts).unwrap(),
                chosen,
                "{} bytes",
                wishes.len()
            );
        }
    }

    #[test]
    fn somebody_always_gets_a_text() {
        assert_eq!(choose(b"de", &texts(&["fr", "it"])).unwrap(), "fr");
        assert_eq!(choose(b"de", &texts(&["de-at"])).unwrap(), "de-at", "as the only one");
        assert_eq!(choose(b"de", &texts(&[])), None);
        assert_eq!(fallback(&texts(&["de", "en"])).unwrap(), "en");
    }

    #[test]
    fn tags_in_their_usual_case() {
        for tag in ["de", "pt-BR", "zh-Hant-TW", "de-CH-1996", "en-US-x-twain", "sr-Latn"] {
            assert_eq!(usual_case(&tag.to_lowercase()), tag);
        }
    }
}
