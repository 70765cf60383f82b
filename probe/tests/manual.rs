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
    let example = |name: &str| {
        let text = fs::read_to_string(source(&format!("probe/tests/golden/{name}.txt")));
        lines(&text.expect(name))
    };
    for (mark, text) in
        [("@FINDINGS@\n", findings()), ("@GOOD@\n", example("good")), ("@BAD@\n", example("bad"))]
    {
        assert_eq!(rest.matches(mark).count(), 1, "{mark}");
        rest = rest.replace(mark, &text);
    }
    page.extend_from_slice(rest.as_bytes());
    committed("man/mailsetup-probe.1", &page);
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
