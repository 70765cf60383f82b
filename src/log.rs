//! Lines for whoever runs this program: standard error, which web servers and systemd collect.
//!
//! One write a line. Control characters are replaced, so that nothing a stranger sends can forge
//! a line or colour a terminal. Under the journal a line carries its priority (sd-daemon(3)).
//! A closed or full standard error is no reason to stop.

use std::fmt::Display;
use std::io::Write;

/// Something failed.
pub fn error(message: &dyn Display) {
    line("error: ", 3, message);
}

/// Something will fail, or does for some.
pub fn warning(message: &dyn Display) {
    line("warning: ", 4, message);
}

/// Something happened that the admin meant to happen.
pub fn notice(message: &dyn Display) {
    line("", 5, message);
}

fn line(label: &str, priority: u8, message: &dyn Display) {
    let prefix = match is_journal() {
        true => format!("<{priority}>"),
        false => "mailsetup: ".to_owned(),
    };
    let line = format!("{prefix}{label}{}\n", visible(&message.to_string()));
    std::io::stderr().write_all(line.as_bytes()).ok();
}

/// True if standard error goes to the journal itself: systemd.exec(5), `JOURNAL_STREAM`.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(std::io::stderr())
        .is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// The text with every control character replaced.
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
