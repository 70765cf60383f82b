//! The languages of the page: a file of texts for each, which is part of the program.
//!
//! A file has a line `key = "text"` for each text: TOML, one line each and without escapes. `key.1`
//! and `key.2` are the steps of a list. A file is read when its language is requested for the first
//! time; a text that it lacks is the English one. `tests/languages.rs` refuses everything else, and
//! docs/translating.md describes it for translators.

use crate::language::Languages;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The texts of the page in one language.
#[derive(Debug)]
pub struct Language {
    /// BCP 47 tag.
    pub tag: &'static str,
    /// `ltr` or `rtl`.
    pub direction: &'static str,
    /// The texts by key.
    pub texts: BTreeMap<&'static str, Text>,
}

/// A text, or the steps of a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Text {
    /// One text.
    One(&'static str),
    /// Several texts in their order.
    Steps(Vec<&'static str>),
}

/// A file, and what was read from it.
struct File {
    tag: &'static str,
    content: &'static str,
    language: OnceLock<Language>,
}

macro_rules! files {
    ($($tag:literal)*) => {
        [$(File {
            tag: $tag,
            content: include_str!(concat!("languages/", $tag, ".toml")),
            language: OnceLock::new(),
        }),*]
    };
}

static ENGLISH: [File; 1] = files!["en"];
static OTHERS: [File; 24] = files![
    "ar" "cs" "da" "de" "el" "es" "fi" "fr" "he" "hu" "it" "ja" "ko" "nb" "nl" "pl" "pt" "ro" "ru"
    "sv" "tr" "uk" "zh-Hans" "zh-Hant"
];

impl Language {
    /// The language of the page for these preferences; English if it is in none of them.
    pub fn of(languages: &Languages) -> &'static Language {
        file(languages).language()
    }

    /// The English texts.
    pub fn english() -> &'static Language {
        ENGLISH[0].language()
    }

    /// A text that is no list.
    pub fn text(&self, key: &str) -> &'static str {
        match self.texts.get(key) {
            Some(Text::One(text)) => text,
            Some(Text::Steps(_)) | None => "",
        }
    }
}

/// The tag of the page's language for these preferences.
pub fn tag(languages: &Languages) -> &'static str {
    file(languages).tag
}

fn file(languages: &Languages) -> &'static File {
    let of = |range: &str| files().find(|file| file.tag.eq_ignore_ascii_case(range));
    languages.find(of).unwrap_or(&ENGLISH[0])
}

fn files() -> impl Iterator<Item = &'static File> {
    ENGLISH.iter().chain(&OTHERS)
}

impl File {
    fn language(&'static self) -> &'static Language {
        self.language.get_or_init(|| {
            let entries = ENGLISH[0].entries().chain(self.entries());
            let entries: BTreeMap<_, _> = entries.collect();
            let mut texts = BTreeMap::new();
            for (key, text) in &entries {
                match key.split_once('.') {
                    None => {
                        texts.insert(*key, Text::One(text));
                    }
                    // The keys are sorted: step 1 comes first.
                    Some((list, _)) => {
                        let steps = texts.entry(list).or_insert_with(|| Text::Steps(Vec::new()));
                        if let Text::Steps(steps) = steps {
                            steps.push(text);
                        }
                    }
                }
            }
            let direction = entries.get("direction").copied().unwrap_or("ltr");
            Language { tag: self.tag, direction, texts }
        })
    }

    /// The keys of the file and their texts.
    fn entries(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.content.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (key, text) = line.split_once(" = ")?;
            Some((key, text.strip_prefix('"')?.strip_suffix('"')?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of a file that has only these lines.
    fn read(content: &'static str) -> &'static Language {
        let file = File { tag: "x", content, language: OnceLock::new() };
        Box::leak(Box::new(file)).language()
    }

    #[test]
    fn what_a_file_lacks_is_english() {
        let english = Language::english();
        let language = read(
            "# title = \"no\"\ndirection = \"rtl\"\n\ntitle = \"T = 1\"\nandroid_steps.2 = \"B\"\n",
        );
        assert_eq!((language.tag, language.direction), ("x", "rtl"));
        assert_eq!(language.text("title"), "T = 1");
        assert_eq!(language.text("lead"), english.text("lead"));
        assert_eq!((language.text("android_steps"), language.text("nothing")), ("", ""));
        let steps = |language: &Language| match &language.texts["android_steps"] {
            Text::Steps(steps) => steps.clone(),
            Text::One(_) => panic!("one text"),
        };
        assert_eq!(steps(language), [steps(english)[0], "B"]);
    }

    #[test]
    fn the_language_is_the_one_that_is_wanted_most() {
        for (wishes, expected) in [
            ("", "en"),
            ("xx, de;q=0.5", "de"),
            ("pt-BR", "pt"),
            ("zh-TW", "zh-Hant"),
            ("zh-HK, zh;q=0.9", "zh-Hant"),
            ("zh-CN", "zh-Hans"),
            ("zh", "zh-Hans"),
            ("zh-hant-hk", "zh-Hant"),
            ("no", "nb"),
            ("nn-NO, en;q=0.5", "nb"),
            ("iw", "he"),
        ] {
            let languages = Languages::parse(wishes.as_bytes());
            assert_eq!(tag(&languages), expected, "{wishes}");
            assert_eq!(Language::of(&languages).tag, expected, "{wishes}");
        }
    }
}
