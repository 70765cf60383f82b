//! Lines for whoever runs this program: standard error, which web servers and systemd collect.
//!
//! What could make a line look like another is escaped (see `visible`), so that nothing a stranger
//! sends can forge one or colour a terminal. Under the journal a line carries its priority
//! (sd-daemon(3)). Lines about requests are collected and written together; all others are written
//! at once, behind those; `access_log` knows what is in them. A closed or full standard error is no
//! reason to stop, and a reader that does not read is not waited for: lines are lost then. A line has
//! 2 KiB at most, and the number of errors that requests cause is limited.

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

/// How much a writable pipe takes without making the writer wait (pipe(7)).
const PIPE_BUF: usize = 4096;

/// How many findings are written at once: who wants more can run `check`.
const MOST_FINDINGS: usize = 20;

/// The longest message in bytes; the rest is left out.
const LONGEST: usize = 2048;

/// How many errors that requests bring to light may be written at once, and how long one of them
/// counts: strangers may ask without end.
const BURST: u32 = 200;
const FADES: Duration = Duration::from_secs(1);

/// For how long lines are collected.
const DELAY: Duration = Duration::from_millis(100);
/// Stack of the thread that writes them, in bytes.
const STACK: usize = 64 * 1024;

/// Tells the thread that writes that there are lines.
static LINES_WAIT: Condvar = Condvar::new();
/// True if what requests bring to light is not written.
static IS_SILENT: AtomicBool = AtomicBool::new(false);
/// Lines that are not written yet.
static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Something failed.
pub fn error(message: &dyn Display) {
    line("error: ", 3, message);
}

/// Something failed that a request has brought to light, and many could: only so many are written
/// as somebody can read, and the number of the others.
pub fn error_on_request(message: &dyn Display) {
    if !IS_SILENT.load(Ordering::Relaxed) && recent().admits(Instant::now()) {
        error(message);
    }
}

/// Something will fail, or does for some.
pub fn warning(message: &dyn Display) {
    line("warning: ", 4, message);
}

/// Something happened that the admin meant to happen.
pub fn notice(message: &dyn Display) {
    line("", 5, message);
}

/// What is wrong with the configuration; of many findings, the first ones.
pub fn findings(findings: &[Finding]) {
    for finding in findings.iter().take(MOST_FINDINGS) {
        let priority = if finding.level == Level::Error { 3 } else { 4 };
        line(finding.level.label(), priority, finding);
    }
    let more = findings.len().saturating_sub(MOST_FINDINGS);
    if more > 0 {
        line("", 3, &format!("and {more} more; see `mailsetup check`"));
    }
}

/// From now on, nothing is written of what looking up a domain brings to light: `check` prints all
/// of it itself.
pub fn leave_out_what_requests_find() {
    IS_SILENT.store(true, Ordering::Relaxed);
}

/// The same, where a request has brought them to light.
pub fn findings_on_request(list: &[Finding]) {
    if !IS_SILENT.load(Ordering::Relaxed) && recent().admits(Instant::now()) {
        findings(list);
    }
}

/// Collects a line about a request, which `write` writes without its line end. What could make it
/// look like another is escaped by `write`.
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

/// Starts the thread that writes the lines that wait, a tenth of a second after the first of them.
/// A timer of the thread that serves would cost each request some 200 instructions.
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

/// Writes what is waiting.
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

/// A message as it may stand in a line.
fn bounded(message: &dyn Display) -> String {
    struct Start(String);
    impl Write for Start {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.push_str(text);
            // Nothing of the rest is made.
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

/// The errors of late that requests have brought to light.
#[derive(Debug)]
struct Recent {
    count: u32,
    since: Option<Instant>,
    left_out: u64,
}

static RECENT: Mutex<Recent> = Mutex::new(Recent { count: 0, since: None, left_out: 0 });

impl Recent {
    /// True if one more may be written now; else it counts as left out.
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

/// Adds a line about those that were left out, once there is room for one.
fn tell_left_out(waiting: &mut Vec<u8>) {
    let mut recent = recent();
    if recent.left_out == 0 {
        return;
    }
    recent.fade(Instant::now());
    if recent.count < BURST {
        let count = std::mem::take(&mut recent.left_out);
        recent.count += 1;
        let line = format!("{}warning: {count} errors like these were left out\n", prefix(4));
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

/// Writes lines out and never waits for a reader: what a full pipe does not take is lost.
fn write_out(lines: &mut Vec<u8>) {
    let mut rest = &lines[..];
    while !rest.is_empty() {
        let stderr = std::io::stderr();
        // At least this much goes into a pipe that is writable (pipe(7)); and no line is cut.
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

/// What a line begins with.
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
        // Some become eight bytes.
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
