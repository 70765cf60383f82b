//! The CPUs of the processes.

use crate::common::command;
use std::env;
use std::ffi::OsStr;
use std::process::Command;

/// CPUs, in the form of taskset(1).
pub struct Cpus {
    pub load: String,
    pub nginx: String,
    pub responder: String,
}

impl Cpus {
    /// The CPUs from the environment, else those of the machine.
    pub fn read() -> Self {
        let count = count();
        let text = env::var("BENCH_CPUS").unwrap_or_else(|_| match count {
            // With so few, each division favours some peer: PHP's many processes lose if they share
            // a CPU with the load, a single process if it is bound to one.
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

/// A program on some CPUs, which is ended when the benchmark ends in any way.
pub fn on(cpus: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = command("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "--cpu-list", cpus]).arg(program);
    command
}
