//! What holds for each reader of `mailsetup import`, whatever the file is.
//!
//! Checks: the result is the same a second time; an error is one short line; places are lines of the
//! file; notes are short; hosts, logins and texts have no marks of what is not known; and what `drafted`
//! checks.

use super::drafted;
use mailsetup::draft::{Draft, Origin, Place, Settings, Value};

/// A reader.
pub type Reader = fn(&str, &[u8]) -> Result<Draft, String>;

/// The most characters of a note: what is quoted from the file, twice, and the words around.
const MAX_TEXT: usize = 4000;

/// Reads the file, and checks the draft.
pub fn run(reader: Reader, data: &[u8]) {
    let result = reader("file", data);
    assert_eq!(result, reader("file", data));
    let draft = match result {
        Ok(draft) => draft,
        Err(why) => {
            assert!(!why.is_empty() && !why.contains('\n'), "{why}");
            assert!(why.chars().count() < MAX_TEXT, "{why}");
            return;
        }
    };
    let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
    let place = |place: &Place| {
        assert_eq!(place.source, "file");
        assert!(place.line.is_none_or(|line| (1..=lines).contains(&line)), "{place}");
    };
    for note in &draft.notes {
        note.place.iter().for_each(place);
        let is_mark = |c| matches!(c, '\u{fdd0}' | '\u{fdd1}');
        // A file that has them itself is no matter.
        assert!(!note.text.is_empty() && note.text.chars().count() < MAX_TEXT, "{note}");
        assert!(
            std::str::from_utf8(data).is_ok_and(|it| it.contains(is_mark))
                || !note.text.contains(is_mark)
        );
    }
    let all = [&draft.top].into_iter().chain(draft.domains.iter().map(|(_, it)| it));
    all.for_each(|settings| check_settings(settings, &place));
    drafted::run(data, Ok(draft));
}

fn check_settings(settings: &Settings, place: &impl Fn(&Place)) {
    let seen = |origin: &Origin| origin.place().into_iter().for_each(place);
    let known = |text: &str| assert!(!text.contains('\u{fdd0}'), "{text}");
    for server in &settings.servers {
        let host = server.host.as_ref().expect("a host");
        seen(&host.origin);
        known(&host.value);
        seen(&server.port.as_ref().expect("a port").origin);
        if let Some(username) = &server.username {
            seen(&username.origin);
            known(&username.value);
            assert!(username.value.contains("%EMAIL"), "{}", username.value);
        }
        let methods = server.auth.iter().flat_map(|auth| &auth.value);
        let methods: Vec<_> = methods.map(ToString::to_string).collect();
        let mut once = methods.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), methods.len());
    }
    for (_, value) in &settings.values {
        seen(&value.origin);
        match &value.value {
            Value::Text(text) => known(text),
            Value::Texts(texts) => texts.values().for_each(|text| known(text)),
            Value::Pages(pages) => pages.iter().for_each(|(url, _)| known(url)),
            Value::Number(_) | Value::Flag(_) => {}
        }
    }
}
