//! The program itself, as far as it asks nothing of the network.

use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_mailsetup-probe"));
    program.args(arguments).stdin(Stdio::null()).output().expect("the program")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_and_version_go_to_standard_output() {
    for (option, start) in
        [("--help", "Says for a mail domain"), ("--version", "mailsetup-probe 0")]
    {
        let output = run(&[option]);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(start));
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [
        &[][..],
        &["ann@"],
        &["example.org", "--json", "-q"],
        &["example.org", "--client", "pine"],
        &["example.org", "--login"],
        &["--explain", "no-such-code"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).starts_with("mailsetup-probe: "), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

/// A password is never read from a pipe or a file.
#[test]
fn a_login_needs_a_terminal() {
    let output = run(&["ann@example.org", "--login"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("terminal"));
}

/// Echo is off while the password is typed, and on again at every end.
#[test]
fn a_password_is_not_shown() {
    for (how, message) in [
        ("type", "no DNS server answers"),
        ("interrupt", "no password was entered"),
        ("terminate", "no password was entered"),
    ] {
        let mut python = Command::new("/usr/bin/python3");
        python.arg(crate::source("probe/tests/terminal.py"));
        let output = python.args([env!("CARGO_BIN_EXE_mailsetup-probe"), how]).output();
        let output = output.expect("python3, and setsid of util-linux");
        let seen: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((&seen["silent"], &seen["echo"]), (&true.into(), &true.into()), "{how}: {seen}");
        assert_eq!(seen["status"], 2, "{how}: {seen}");
        let shown = seen["shown"].as_str().expect("text");
        assert!(shown.contains(message) && !shown.contains("hunter2"), "{how}: {shown}");
    }
}
