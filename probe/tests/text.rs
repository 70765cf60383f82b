//! The report as text.

use crate::{committed, fixtures};
use mailsetup_probe::report::{Outcome, Report, text};

#[test]
fn the_text_of_a_good_and_of_a_bad_run() {
    committed("probe/tests/golden/good.txt", text::write(&fixtures::good(), false).as_bytes());
    committed("probe/tests/golden/bad.txt", text::write(&fixtures::bad(), false).as_bytes());
}

/// Only lines to paste, and words that are longer than a line, are wider.
#[test]
fn it_fits_80_columns() {
    let mut report = fixtures::bad();
    let long = "some words that are repeated ".repeat(12);
    for finding in &mut report.findings {
        finding.message.clone_from(&long);
        finding.evidence.clone_from(&long);
        finding.subject.clone_from(&long);
    }
    report.clients[2].note.clone_from(&long);
    report.left_out = vec![long.clone()];
    report.address = long;
    let written = text::write(&report, false);
    for line in written.lines() {
        let is_alone = line.trim().split(' ').count() == 1;
        let is_pasted = line.starts_with("    ") && line.contains("certbot");
        assert!(line.chars().count() <= 80 || is_alone || is_pasted, "{line}");
        assert_eq!(line, line.trim_end());
    }
    assert!(written.lines().any(|line| line.chars().count() > 70));
}

#[test]
fn nothing_from_outside_reaches_the_terminal() {
    let written = text::write(&fixtures::with_text("\u{1b}[31m\r\u{202e}\u{9b}x"), false);
    let is_fine = |c: char| c == '\n' || mailsetup::visible::is_visible(c);
    assert!(written.chars().all(is_fine), "{}", written.escape_debug());
    assert!(written.contains("<U+001B>[31m"));
}

#[test]
fn colours_add_nothing_else() {
    let report = fixtures::bad();
    let coloured = text::write(&report, true);
    let mut plain = coloured.clone();
    for code in ["0", "1", "1;31", "1;32", "1;33"] {
        assert!(plain.contains(&format!("\x1b[{code}m")), "{code}");
        plain = plain.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(plain, text::write(&report, false));
}

fn first_line(report: &Report) -> String {
    text::write(report, false).lines().next().expect("a line").to_owned()
}

#[test]
fn the_first_line_is_the_verdict() {
    let mut report = fixtures::good();
    let mut with = |outcomes: &[Outcome]| {
        report.clients = fixtures::good().clients;
        report.clients.truncate(outcomes.len());
        for (verdict, outcome) in report.clients.iter_mut().zip(outcomes) {
            verdict.outcome = *outcome;
        }
        first_line(&report)
    };
    use Outcome::{Asks, Fails, Works};
    for (outcomes, line) in [
        (&[Works, Works][..], "all 2 clients set themselves up."),
        (&[Works, Works, Fails], "2 of 3 clients set themselves up; 1 fails."),
        (&[Works, Fails], "1 of 2 clients sets itself up; 1 fails."),
        (
            &[Works, Works, Asks, Fails],
            "2 of 4 clients set themselves up, 1 after a question; 1 fails.",
        ),
        (&[Fails, Fails], "none of 2 clients sets itself up."),
        (&[Asks, Fails], "none of 2 clients sets itself up at once, 1 after a question."),
        (&[Works], "the client sets itself up."),
        (&[Asks], "the client sets itself up after a question."),
        (&[Fails], "the client does not set itself up."),
        (&[], "no client was looked at."),
    ] {
        assert_eq!(with(outcomes), format!("ann@example.org: {line}"));
    }
}

#[test]
fn a_made_up_address_is_said() {
    let mut report = fixtures::good();
    report.is_made_up = true;
    assert!(first_line(&report).starts_with("example.org: "));
    assert!(text::write(&report, false).contains("Looked at with the address ann@example.org."));
}
