//! Runs the programs of mail servers that print their settings.
//!
//! A program gets no input, ten seconds, and room for 4 MiB of output. After that it is killed with the
//! processes that it has started.

use crate::files;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
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
    let output = child.stdout.take().map(|pipe| collect(pipe, MAX_BYTES));
    let messages = child.stderr.take().map(|pipe| collect(pipe, MAX_MESSAGES));
    let group = Pid::from_raw(child.id() as i32);
    let read = wait(group, output, messages);
    // What it has started may still run. Its number is its own until it is waited for.
    if let Some(group) = group {
        kill_process_group(group, Signal::KILL).ok();
    }
    let status = child.wait().map_err(other)?;
    let (text, messages) = read.map_err(Failure::Other)?;
    Ok(Printed { text, messages, succeeded: status.success() })
}

type Collected = Receiver<Vec<u8>>;

/// Reads a pipe to its end, or one byte more than is allowed.
fn collect(pipe: impl Read + Send + 'static, max: u64) -> Collected {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error counts.
        pipe.take(max + 1).read_to_end(&mut bytes).ok();
        sender.send(bytes).ok();
    });
    receiver
}

/// Waits for the end of a program, and returns what it printed.
fn wait(
    program: Option<Pid>,
    output: Option<Collected>,
    messages: Option<Collected>,
) -> Result<(String, String), String> {
    let end = Instant::now() + MAX_TIME;
    let too_long =
        || format!("it has not ended after {} seconds, and was stopped", MAX_TIME.as_secs());
    let read = |from: Option<Collected>| match from {
        Some(from) => match from.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(bytes) => Ok(bytes),
            Err(RecvTimeoutError::Timeout) => Err(too_long()),
            Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
        },
        None => Ok(Vec::new()),
    };
    let text = read(output)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("it prints more than {} MiB", MAX_BYTES >> 20));
    }
    let mut messages = read(messages)?;
    messages.truncate(MAX_MESSAGES as usize);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error means that there is nothing to wait for.
    while program.is_some_and(|it| matches!(waitid(WaitId::Pid(it), options), Ok(None))) {
        if Instant::now() > end {
            return Err(too_long());
        }
        thread::sleep(POLL);
    }
    let readable = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((readable(text), readable(messages)))
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
