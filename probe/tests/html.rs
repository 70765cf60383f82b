//! The report as an HTML page. tests/accessibility/run.cjs looks at it in a browser.

use crate::fixtures;
use mailsetup_probe::report::html;
use std::fs;
use std::path::Path;

/// The pages for `make test-page`.
#[test]
fn pages_for_the_browser_are_written() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, report) in [("good", fixtures::good()), ("bad", fixtures::bad())] {
        let page = html::write(&report);
        let text = String::from_utf8(page.clone()).expect("UTF-8");
        assert!(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{text}");
        for part in ["mail.example.org", "</style>", "<caption>", "prefers-color-scheme: dark"] {
            assert!(text.contains(part), "{part}");
        }
        for part in ["<script", "http-equiv", "url(", "@import", " src=", "href=\"http"] {
            assert!(!text.contains(part), "{part}");
        }
        fs::write(folder.join(format!("report-{name}.html")), page).expect("page");
    }
}

#[test]
fn nothing_from_outside_is_markup() {
    let page = |text: &str| String::from_utf8(html::write(&fixtures::with_text(text))).unwrap();
    let count = |text: &str, sign: char| text.matches(sign).count();
    let (plain, hostile) = (page("x"), page("</td><script>alert('x')</script>\u{202e}\u{0}&\""));
    assert_eq!(count(&plain, '<'), count(&hostile, '<'));
    assert!(hostile.contains("&lt;script&gt;"));
    assert!(hostile.chars().all(|c| c == '\n' || mailsetup::visible::is_visible(c)));
}
