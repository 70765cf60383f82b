//! Runs the programs of mail servers that print their settings.
//!
//! A program gets no input, ten seconds, and room for 4 MiB of output. After that it is killed with the
//! processes that it has started.

use crate::files;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take.
const MAX_TIME: Duration = Duration::from_secs(10);
/// The largest output, and the largest file that takes its place.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// The largest output on standard error.
const MAX_MESSAGES: u64 = 64 * 1024;
/// Where programs of mail servers are, beside `$PATH`: a user's has no `sbin`.
const FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/// How long its pipes are read when it has ended, and something that it has started has them, too.
const MAX_REST: Duration = Duration::from_millis(500);
/// Between two looks at whether a program has ended.
const POLL: Duration = Duration::from_millis(5);

/// What a program printed.
pub struct Printed {
    /// Standard output.
    pub text: String,
    /// Standard error.
    pub messages: String,
    /// False if its exit status says that it failed.
    pub succeeded: bool,
}

/// Why a program printed nothing that can be used.
pub enum Failure {
    /// It is not installed.
    Missing,
    /// It could not be started, took too long or printed too much.
    Other(String),
}

/// Runs a program.
pub fn run(program: &str, arguments: &[&str]) -> Result<Printed, Failure> {
    let other = |error: std::io::Error| {
        Failure::Other(format!("it cannot be started: {}", files::reason(&error)))
    };
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path()).env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that all of it can be killed.
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::Missing,
        _ => other(error),
    })?;
    let group = Pid::from_raw(child.id() as i32);
    let read = match (child.stdout.take(), child.stderr.take()) {
        (Some(output), Some(messages)) => {
            wait(group, collect(output, MAX_BYTES), collect(messages, MAX_MESSAGES))
        }
        _ => Err("it has no output".to_owned()),
    };
    // What it has started may still run. Its number is its own until it is waited for.
    if let Some(group) = group {
        kill_process_group(group, Signal::KILL).ok();
    }
    let status = child.wait().map_err(other)?;
    let (text, mut messages) = read.map_err(Failure::Other)?;
    // Nothing else says why there is no output, or only a part of it.
    match (status.signal(), status.code()) {
        (Some(signal), _) => messages.push_str(&format!("\nended by signal {signal}\n")),
        (None, Some(code @ 1..)) if text.is_empty() && messages.is_empty() => {
            messages = format!("exit status {code}\n");
        }
        _ => {}
    }
    Ok(Printed { text, messages, succeeded: status.success() })
}

/// What arrives on a pipe, in parts; the end of the pipe ends it.
struct Collected {
    parts: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    is_open: bool,
}

impl Collected {
    /// Takes what has arrived.
    fn take(&mut self) {
        while self.is_open {
            match self.parts.try_recv() {
                Ok(part) => self.bytes.extend(part),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.is_open = false,
            }
        }
    }
}

/// Reads a pipe to its end, or one byte more than is allowed.
fn collect(pipe: impl Read + Send + 'static, max: u64) -> Collected {
    let (sender, parts) = channel();
    thread::spawn(move || {
        let mut pipe = pipe.take(max + 1);
        let mut part = vec![0; 64 * 1024];
        // What was read before an error counts.
        while let Ok(length @ 1..) = pipe.read(&mut part) {
            if sender.send(part[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    Collected { parts, bytes: Vec::new(), is_open: true }
}

/// Waits for the end of a program, and returns what it printed. What it has started may still hold its
/// pipes: when it has ended itself, its output is complete.
fn wait(
    program: Option<Pid>,
    mut output: Collected,
    mut messages: Collected,
) -> Result<(String, String), String> {
    let mut end = Instant::now() + MAX_TIME;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error means that there is nothing to wait for.
    let runs = || program.is_some_and(|it| matches!(waitid(WaitId::Pid(it), options), Ok(None)));
    let mut has_ended = false;
    loop {
        if !has_ended && !runs() {
            has_ended = true;
            end = end.min(Instant::now() + MAX_REST);
        }
        output.take();
        messages.take();
        if output.bytes.len() as u64 > MAX_BYTES {
            return Err(format!("it prints more than {} MiB", MAX_BYTES >> 20));
        }
        let is_late = Instant::now() > end;
        if has_ended && (is_late || !(output.is_open || messages.is_open)) {
            break;
        }
        if is_late {
            let seconds = MAX_TIME.as_secs();
            return Err(format!("it has not ended after {seconds} seconds, and was stopped"));
        }
        thread::sleep(POLL);
    }
    messages.bytes.truncate(MAX_MESSAGES as usize);
    let readable = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((readable(output.bytes), readable(messages.bytes)))
}

/// `$PATH` with the folders of system programs.
fn path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    for folder in FOLDERS {
        path.push(":");
        path.push(folder);
    }
    path
}
