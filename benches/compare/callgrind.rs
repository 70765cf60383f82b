//! Counts instructions with `valgrind --tool=callgrind`, user space only.

use crate::common::{Sandbox, command};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The instructions of a whole run of a program.
pub fn whole(sandbox: &Sandbox, command: &Command) -> u64 {
    let (mut counted, out) = counted(sandbox, command);
    let status = counted.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.expect("valgrind: is it installed?").success());
    total(&out)
}

/// The same command under callgrind, and the file of its counts.
pub fn counted(sandbox: &Sandbox, counted: &Command) -> (Command, PathBuf) {
    let out = sandbox.path("callgrind.out");
    let mut valgrind = command("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(counted.get_program()).args(counted.get_args());
    for (name, value) in counted.get_envs() {
        valgrind.env(name, value.expect("set"));
    }
    (valgrind, out)
}

/// The sum in a file of callgrind.
pub fn total(out: &Path) -> u64 {
    let text = fs::read_to_string(out).expect("callgrind's output");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    line.expect("a sum").trim().parse().expect("a number")
}
