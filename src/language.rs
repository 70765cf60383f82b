//! Which of several texts to show somebody: by the languages their client asks for.
//!
//! `Accept-Language` (RFC 9110 §12.5.4), matched by lookup (RFC 4647 §3.4): `de-AT` finds `de`,
//! `de` never finds `de-at`. What cannot be read is passed over, and somebody always gets a text
//! where there is one: English, else the first.

use std::collections::BTreeMap;

/// What somebody gets whose languages are not there.
const FALLBACK: &str = "en";

/// The text for somebody who sends this `Accept-Language`; `None` if there is none at all.
///
/// The languages of the texts are in lower case.
pub fn choose<'a, T>(wishes: &[u8], texts: &'a BTreeMap<String, T>) -> Option<&'a T> {
    let wished = ranges(wishes).into_iter().find_map(|range| lookup(&range, texts));
    wished.or_else(|| fallback(texts))
}

/// The text for somebody of whom nothing is known.
pub fn fallback<T>(texts: &BTreeMap<String, T>) -> Option<&T> {
    texts.get(FALLBACK).or_else(|| texts.values().next())
}

/// The language ranges that are asked for, in lower case, most wanted first.
fn ranges(wishes: &[u8]) -> Vec<String> {
    let wishes = String::from_utf8_lossy(wishes).to_ascii_lowercase();
    let mut ranges: Vec<_> = wishes.split(',').filter_map(range).collect();
    // Among equals, the order in which they were written.
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(_, range)| range.to_owned()).collect()
}

/// A range and its weight in thousandths; `None` if it is not wanted, or is everybody's (`*`).
fn range(item: &str) -> Option<(u16, &str)> {
    let (range, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
    let weight: f32 = parameter.trim().strip_prefix("q=")?.trim().parse().ok()?;
    let is_wanted = weight > 0.0 && weight <= 1.0;
    let range = range.trim();
    (is_wanted && range != "*").then_some(((weight * 1000.0) as u16, range))
}

/// The text for a range, or for what remains of it as its end is cut off.
fn lookup<'a, T>(range: &str, texts: &'a BTreeMap<String, T>) -> Option<&'a T> {
    let mut range = range;
    loop {
        if let Some(text) = texts.get(range) {
            return Some(text);
        }
        range = &range[..range.rfind('-')?];
        // A single letter opens what was just cut off.
        if let Some((shorter, [_])) = range.rsplit_once('-').map(|(a, b)| (a, b.as_bytes())) {
            range = shorter;
        }
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
