//! The log: lines on standard error, which web servers and systemd collect.
//!
//! Control and invisible characters are escaped (see `visible`), so that a client cannot forge a
//! line or colour a terminal. Under the journal a line carries its priority (sd-daemon(3)). Lines
//! about requests are collected and written together; all others are written at once, after those;
//! `access_log` writes their content. The service continues if standard error is closed or full,
//! and it does not wait for the reader; lines are lost then. A line has 2 KiB at most, and the
//! number of errors that requests cause is limited.

use crate::finding::{Finding, Level};
use crate::visible::visible;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt::{Display, Write};
use std::io;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes of lines are collected before they are written: two writes' worth.
const COLLECTED: usize = 2 * (PIPE_BUF - 512);

/// How much a writable pipe takes without blocking the writer (pipe(7)).
const PIPE_BUF: usize = 4096;

/// How many findings are written at once: `check` prints all of them.
const MOST_FINDINGS: usize = 20;

/// The longest message in bytes; the rest is left out.
const LONGEST: usize = 2048;

/// How many errors that requests cause may be written at once, and how long each is counted: an
/// attacker may send any number of requests.
const BURST: u32 = 200;
const FADES: Duration = Duration::from_secs(1);

/// For how long lines are collected.
const DELAY: Duration = Duration::from_millis(100);
/// Stack of the thread that writes them, in bytes.
const STACK: usize = 64 * 1024;

/// Wakes the writing thread when there are lines.
static LINES_WAIT: Condvar = Condvar::new();
/// True if findings that requests cause are not written.
static IS_SILENT: AtomicBool = AtomicBool::new(false);
/// Lines that are not written yet.
static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Logs an error.
pub fn error(message: &dyn Display) {
    line("error: ", 3, message);
}

/// Logs an error that a request caused. Their rate is limited; the number of omitted ones is
/// logged.
pub fn error_on_request(message: &dyn Display) {
    if !IS_SILENT.load(Ordering::Relaxed) && recent().admits(Instant::now()) {
        error(message);
    }
}

/// Logs a warning.
pub fn warning(message: &dyn Display) {
    line("warning: ", 4, message);
}

/// Logs an event that the admin intended.
pub fn notice(message: &dyn Display) {
    line("", 5, message);
}

/// Logs an event that is noticed by a request. Their rate is limited, together with that of errors.
pub fn notice_on_request(message: &dyn Display) {
    if recent().admits(Instant::now()) {
        notice(message);
    }
}

/// Logs the findings about the configuration; of many, the first ones.
pub fn findings(findings: &[Finding]) {
    first_findings(findings, MOST_FINDINGS);
}

fn first_findings(findings: &[Finding], count: usize) {
    for finding in findings.iter().take(count) {
        let priority = if finding.level == Level::Error { 3 } else { 4 };
        line(finding.level.label(), priority, finding);
    }
    let more = findings.len().saturating_sub(count);
    if more > 0 {
        line("", 3, &format!("and {more} more; see `mailsetup check`"));
    }
}

/// From now on, findings of look-ups are not logged: `check` prints them itself.
pub fn leave_out_what_requests_find() {
    IS_SILENT.store(true, Ordering::Relaxed);
}

/// Logs findings that a request caused, as many as are admitted.
pub fn findings_on_request(findings: &[Finding]) {
    if IS_SILENT.load(Ordering::Relaxed) {
        return;
    }
    let now = Instant::now();
    let count = findings.iter().take(MOST_FINDINGS).take_while(|_| recent().admits(now)).count();
    if count > 0 {
        first_findings(findings, count);
    }
}

/// Collects a line about a request, which `write` writes without its line end. `write` escapes text
/// from clients.
pub fn collect(write: impl FnOnce(&mut Vec<u8>)) {
    let mut waiting = waiting();
    let is_first = waiting.is_empty();
    waiting.extend_from_slice(prefix(6).as_bytes());
    write(&mut waiting);
    waiting.push(b'\n');
    if waiting.len() >= COLLECTED {
        write_out(&mut waiting);
    } else if is_first {
        LINES_WAIT.notify_one();
    }
}

/// Starts the thread that writes collected lines, a tenth of a second after the first of them. A
/// timer of the thread that serves would cost each request some 200 instructions.
pub fn write_in_background() -> io::Result<()> {
    let write = || loop {
        let lines = LINES_WAIT.wait_while(waiting(), |waiting| waiting.is_empty());
        drop(lines);
        std::thread::sleep(DELAY);
        flush();
    };
    let thread = std::thread::Builder::new().name("log".to_owned()).stack_size(STACK);
    thread.spawn(write).map(drop)
}

/// Writes the collected lines.
pub fn flush() {
    let mut waiting = waiting();
    tell_left_out(&mut waiting);
    write_out(&mut waiting);
}

fn line(label: &str, priority: u8, message: &dyn Display) {
    let line = format!("{}{label}{}\n", prefix(priority), bounded(message));
    let mut waiting = waiting();
    waiting.extend_from_slice(line.as_bytes());
    tell_left_out(&mut waiting);
    write_out(&mut waiting);
}

/// A message, escaped and shortened for a line.
fn bounded(message: &dyn Display) -> String {
    struct Start(String);
    impl Write for Start {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.push_str(text);
            // Formatting stops here.
            if self.0.len() > LONGEST { Err(std::fmt::Error) } else { Ok(()) }
        }
    }
    let mut start = Start(String::new());
    write!(start, "{message}").ok();
    let mut text = visible(&start.0);
    if text.len() > LONGEST {
        let end = (0..=LONGEST - '…'.len_utf8()).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

//------------ Recent ---------------------------------------------------------

/// The recent errors that requests caused.
#[derive(Debug)]
struct Recent {
    count: u32,
    since: Option<Instant>,
    left_out: u64,
}

static RECENT: Mutex<Recent> = Mutex::new(Recent { count: 0, since: None, left_out: 0 });

impl Recent {
    /// True if one more may be written now; otherwise it is counted as omitted.
    fn admits(&mut self, now: Instant) -> bool {
        self.fade(now);
        let is_admitted = self.count < BURST;
        match is_admitted {
            true => self.count += 1,
            false => self.left_out += 1,
        }
        is_admitted
    }

    fn fade(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let faded = now.saturating_duration_since(since).as_secs() / FADES.as_secs();
        if faded > 0 {
            let faded = u32::try_from(faded).unwrap_or(u32::MAX);
            self.count = self.count.saturating_sub(faded);
            self.since = Some(now);
        }
    }
}

/// Adds a line with the number of omitted errors, once the limit permits.
fn tell_left_out(waiting: &mut Vec<u8>) {
    let mut recent = recent();
    if recent.left_out == 0 {
        return;
    }
    recent.fade(Instant::now());
    if recent.count < BURST {
        let count = std::mem::take(&mut recent.left_out);
        recent.count += 1;
        let line = format!("{}warning: {count} lines like these were left out\n", prefix(4));
        waiting.extend_from_slice(line.as_bytes());
    }
}

fn recent() -> MutexGuard<'static, Recent> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner)
}

//------------ writing --------------------------------------------------------

fn waiting() -> MutexGuard<'static, Vec<u8>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes lines without waiting for the reader: lines that do not fit in a full pipe are lost.
fn write_out(lines: &mut Vec<u8>) {
    let mut rest = &lines[..];
    while !rest.is_empty() {
        let stderr = std::io::stderr();
        // A writable pipe takes at least this much (pipe(7)); lines are not split.
        let most = rest.len().min(PIPE_BUF);
        let end = rest[..most].iter().rposition(|&b| b == b'\n').map_or(most, |at| at + 1);
        let mut wanted = [PollFd::new(&stderr, PollFlags::OUT)];
        let is_writable =
            poll(&mut wanted, Some(&Timespec::default())).is_ok_and(|ready| ready > 0);
        if !is_writable || (&stderr).write_all(&rest[..end]).is_err() {
            break;
        }
        rest = &rest[end..];
    }
    lines.clear();
}

/// The beginning of a line.
fn prefix(priority: u8) -> &'static str {
    /// True if standard error goes to the journal itself: systemd.exec(5), `JOURNAL_STREAM`.
    static IS_JOURNAL: LazyLock<bool> = LazyLock::new(|| {
        let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
        rustix::fs::fstat(std::io::stderr())
            .is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
    });
    match (*IS_JOURNAL, priority) {
        (false, _) => "mailsetup: ",
        (true, 3) => "<3>",
        (true, 4) => "<4>",
        (true, 5) => "<5>",
        (true, _) => "<6>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(bounded(&"é\n"), "é<U+000A>");
        assert_eq!(bounded(&"a".repeat(LONGEST)).len(), LONGEST);
        // Some characters become eight bytes.
        for text in ["a".repeat(100_000), "é".repeat(100_000), "\n".repeat(2000)] {
            let cut = bounded(&text);
            assert!((LONGEST - 4..=LONGEST).contains(&cut.len()), "{}", cut.len());
            assert!(cut.ends_with('…'));
        }
    }

    #[test]
    fn a_burst_is_told_by_its_number() {
        let mut recent = Recent { count: 0, since: None, left_out: 0 };
        let start = Instant::now();
        let admitted = (0..1000).filter(|_| recent.admits(start)).count();
        assert_eq!((admitted, recent.left_out), (BURST as usize, 800));
        assert!(!recent.admits(start + Duration::from_millis(999)));
        let later = start + Duration::from_secs(3);
        assert_eq!((0..10).filter(|_| recent.admits(later)).count(), 3);
        assert!(recent.admits(later + Duration::from_secs(1000)));
        assert_eq!(recent.count, 1);
    }
}
