//! The CPU time and memory of processes, from /proc (proc_pid_stat(5), proc_pid_smaps(5)).

use std::fs;
use std::time::Duration;

/// A process and its children, for servers with several workers.
pub fn crew(id: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let children = children.split_whitespace().map(|id| id.parse().expect("a process id"));
    [id].into_iter().chain(children).collect()
}

/// CPU time of these processes, in user space and in the kernel.
pub fn cpu(ids: &[u32]) -> Duration {
    ids.iter().map(|id| times(&id.to_string(), 14)).sum()
}

/// CPU time of all processes that were started here and have ended.
pub fn cpu_of_ended() -> Duration {
    times("self", 16)
}

/// The sum of two consecutive times in a process's `stat`, the first of them in this field.
fn times(id: &str, field: usize) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("a running process");
    // The name, in parentheses, may contain any characters; it is the second field.
    let (_, rest) = stat.rsplit_once(") ").expect("a name");
    let ticks = rest.split(' ').skip(field - 3).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<u64>().expect("ticks")).sum::<u64>();
    // Linux reports it in hundredths of a second, whatever the kernel's own clock.
    Duration::from_millis(10 * ticks)
}

/// Memory of some processes, in KiB.
#[derive(Clone, Copy)]
pub struct Memory {
    /// Resident memory. Shared pages are counted for each process.
    pub rss: u64,
    /// Like `rss`, but shared pages are divided among the processes.
    pub pss: u64,
}

pub fn memory(ids: &[u32]) -> Memory {
    let mut sum = Memory { rss: 0, pss: 0 };
    for id in ids {
        let rollup =
            fs::read_to_string(format!("/proc/{id}/smaps_rollup")).expect("a running process");
        let value = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
            line.trim_end_matches("kB").trim().parse::<u64>().expect("a number")
        };
        sum.rss += value("Rss:");
        sum.pss += value("Pss:");
    }
    sum
}

/// Converts KiB to MB.
pub fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}
