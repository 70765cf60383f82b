//! Who runs on which CPU.

use crate::common::command;
use std::env;
use std::ffi::OsStr;
use std::process::Command;

/// CPUs, as taskset(1) has them.
pub struct Cpus {
    pub load: String,
    pub nginx: String,
    pub responder: String,
}

impl Cpus {
    /// What the environment says, else what the machine has.
    pub fn read() -> Self {
        let count = count();
        let text = env::var("BENCH_CPUS").unwrap_or_else(|_| match count {
            // With so few, each division favours somebody: PHP's many processes pay for a CPU that
            // they share with the load, a single process for one that it cannot leave.
            1..4 => [&*all(); 3].join(" "),
            _ => format!("2-{} 0-1 0-1", count - 1),
        });
        let cpus: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        let [load, nginx, responder] = <[String; 3]>::try_from(cpus)
            .unwrap_or_else(|_| panic!("BENCH_CPUS holds three words: {text}"));
        Self { load, nginx, responder }
    }
}

/// How many CPUs there are.
fn count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Every CPU.
pub fn all() -> String {
    format!("0-{}", count() - 1)
}

/// A program on some CPUs, which ends when the benchmark ends, however that does.
pub fn on(cpus: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = command("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "--cpu-list", cpus]).arg(program);
    command
}
