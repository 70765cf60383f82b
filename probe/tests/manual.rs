//! The manual page and the shell completions: generated from the same definition as `--help`, and
//! committed, so that the installation does not build anything. `UPDATE_GOLDEN=1` rewrites them.

use crate::{committed, source};
use clap_complete::Shell;
use mailsetup_probe::codes;
use mailsetup_probe::finding::Weight;
use std::fs;
use std::process::Command;

const SYNOPSIS: &str = ".SH SYNOPSIS\n\
    \\fBmailsetup\\-probe\\fR [\\fIOPTION\\fR]... \\fIADDRESS\\fR|\\fIDOMAIN\\fR\n.br\n\
    \\fBmailsetup\\-probe\\fR \\fB\\-\\-explain\\fR \\fICODE\\fR\n.br\n\
    \\fBmailsetup\\-probe\\fR \\fB\\-\\-version\\fR | \\fB\\-\\-help\\fR\n";

#[test]
fn completions_are_up_to_date() {
    for (shell, path) in [
        (Shell::Bash, "contrib/completions/mailsetup-probe.bash"),
        (Shell::Fish, "contrib/completions/mailsetup-probe.fish"),
        (Shell::Zsh, "contrib/completions/_mailsetup-probe"),
    ] {
        let mut script = Vec::new();
        let mut command = mailsetup_probe::cli::command();
        clap_complete::generate(shell, &mut command, "mailsetup-probe", &mut script);
        committed(path, &script);
    }
}

/// mailsetup-probe(1): the command line and the codes from the program, the rest from
/// `man/mailsetup-probe.1.in`.
#[test]
fn the_manual_page_is_up_to_date() {
    let command = mailsetup_probe::cli::command();
    let man = clap_mangen::Man::new(command).manual("mailsetup").date("").source("mailsetup-probe");
    let mut page = Vec::new();
    man.render_title(&mut page).expect("memory");
    man.render_name_section(&mut page).expect("memory");
    page.extend_from_slice(SYNOPSIS.as_bytes());
    man.render_description_section(&mut page).expect("memory");
    man.render_options_section(&mut page).expect("memory");
    let mut rest = fs::read_to_string(source("man/mailsetup-probe.1.in")).expect("a template");
    for (mark, text) in [
        ("@FINDINGS@\n", findings()),
        ("@GOOD@\n", lines(&real_run("run-good"))),
        ("@BAD@\n", lines(&real_run("run-bad"))),
    ] {
        assert_eq!(rest.matches(mark).count(), 1, "{mark}");
        rest = rest.replace(mark, &text);
    }
    page.extend_from_slice(rest.as_bytes());
    committed("man/mailsetup-probe.1", &page);
}

/// The output of a real run: tests/laboratory/examples.rs compares it.
fn real_run(name: &str) -> String {
    fs::read_to_string(source(&format!("probe/tests/golden/{name}.txt"))).expect(name)
}

/// docs/probe.md has the same runs, the README the beginning and the end of the good one.
#[test]
fn the_pages_show_real_runs() {
    let path = source("docs/probe.md");
    let mut page = fs::read_to_string(&path).expect("docs/probe.md");
    for (heading, name) in [("## A good run\n", "run-good"), ("## A bad run\n", "run-bad")] {
        let at = page.find(heading).expect(heading);
        let start = at + page[at..].find("```text\n").expect("a fence") + "```text\n".len();
        let end = start + page[start..].find("```\n").expect("its end");
        page.replace_range(start..end, &real_run(name));
    }
    committed("docs/probe.md", page.as_bytes());
    let readme = fs::read_to_string(source("README.md")).expect("README.md");
    let at = readme.find("```text\nann@example.org: ").expect("a run");
    let shown: Vec<_> = readme[at..].lines().skip(1).take_while(|line| *line != "```").collect();
    let run = real_run("run-good");
    let mut rest = run.lines();
    for line in shown.iter().filter(|line| **line != "...") {
        assert!(rest.any(|of_run| of_run == *line), "README.md: not in the run: {line}");
    }
    assert!(shown.len() > 3, "README.md: {shown:?}");
}

/// The column "finding" of docs/troubleshooting.md has codes of this program only.
#[test]
fn the_pages_name_findings_that_exist() {
    let page = fs::read_to_string(source("docs/troubleshooting.md")).expect("a page");
    let (mut is_table, mut count) = (false, 0);
    for line in page.lines() {
        let cell = line.split('|').nth(2).unwrap_or_default();
        is_table = cell == " finding " || is_table && line.starts_with('|');
        let words = cell.split('`').skip(1).step_by(2).filter(|word| !word.starts_with('-'));
        for word in words.filter(|_| is_table) {
            assert!(codes::code(word).is_some(), "docs/troubleshooting.md: no code {word}");
            count += 1;
        }
    }
    assert!(count > 30, "{count} codes");
}

fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

/// Lines of an example; one that begins with a full stop is no request.
fn lines(text: &str) -> String {
    text.lines().map(|line| format!("\\&{}\n", roff(line))).collect()
}

/// The codes of all findings, with one line each, by what they weigh.
fn findings() -> String {
    let mut text = String::new();
    for (heading, weights) in [
        ("Errors if a client fails because of them, else warnings:", &[Weight::Fault][..]),
        ("Warnings:", &[Weight::Risk]),
        (
            "Warnings or notes, only if a client fails because of them:",
            &[Weight::Absence, Weight::Choice],
        ),
        ("Notes:", &[Weight::Note]),
    ] {
        let mut codes: Vec<_> = codes::all().filter(|it| weights.contains(&it.weight)).collect();
        codes.sort_by_key(|code| code.id);
        assert!(!codes.is_empty(), "{heading}");
        text += &format!(".PP\n{heading}\n");
        let entry = |id: &str, about: &str| format!(".TP\n.B {}\n{}\n", roff(id), roff(about));
        text.extend(codes.iter().map(|code| entry(code.id, code.about)));
    }
    text
}

/// Every code has its texts, and is there once.
#[test]
fn codes_are_there_once() {
    let mut ids: Vec<_> = codes::all().map(|code| code.id).collect();
    for code in codes::all() {
        let is_kebab = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        assert!(code.id.bytes().all(is_kebab), "{}", code.id);
        assert!(code.about.ends_with('.') && !code.about.contains('\n'), "{}", code.about);
        assert!(code.explain.trim_end().ends_with('.'), "{}: {}", code.id, code.explain);
    }
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
}

#[test]
fn the_manual_page_is_well_formed() {
    let mut groff = Command::new("groff");
    groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(source("man/mailsetup-probe.1"));
    let output = groff.output().expect("groff, of the package groff");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}
