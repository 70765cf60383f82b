//! The report: tables in Markdown, printed and appended to a file, with a description of the
//! machine.

use crate::Settings;
use crate::build::{output_of_tool, php_fpm};
use crate::common::{command, program, run, source};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// How much of all CPUs other processes may use, from 0 to 1.
const QUIET: f64 = 0.05;

pub struct Report {
    machine: String,
    /// How much of all CPUs other processes used before the measurements, from 0 to 1.
    busy: f64,
    targets: Vec<Vec<String>>,
    text: String,
}

/// The target for a number.
pub enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

impl Report {
    /// Examines the machine, which must already be as idle as it will be.
    pub fn new() -> Self {
        Self { machine: machine(), busy: busy(), targets: Vec::new(), text: String::new() }
    }

    /// Adds a part: a heading and a description.
    pub fn part(&mut self, heading: &str, about: &str) {
        write!(self.text, "\n#### {heading}\n\n{about}\n").expect("memory");
    }

    /// Adds a table; the first column is text, the others are numbers.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.text += "\n";
        self.text += &table(head, rows);
    }

    /// Adds text that is already Markdown.
    pub fn markdown(&mut self, text: &str) {
        write!(self.text, "\n{text}").expect("memory");
    }

    /// Compares a number with its target.
    pub fn target(&mut self, what: &str, wanted: Wanted, reached: f64) {
        let (wanted, is_reached) = match wanted {
            Wanted::AtLeast(least) => (format!("≥ {least}"), reached >= least),
            Wanted::AtMost(most) => (format!("≤ {most}"), reached <= most),
        };
        let verdict = if is_reached { "yes" } else { "no" };
        self.targets.push(vec![what.to_owned(), wanted, number(reached), verdict.to_owned()]);
    }

    /// Prints everything and appends it to the file.
    pub fn publish(self, settings: &Settings) {
        let targets = table(&["target", "wanted", "measured", "reached"], &self.targets);
        let Self { machine, text, .. } = &self;
        let [before, after] = [self.busy, busy()].map(|busy| busy * 100.0);
        let others = format!(
            "Other processes used {before:.0} % of the CPU time immediately before the run, and {after:.0} % immediately after it."
        );
        let warning = match before.max(after) > QUIET * 100.0 {
            true => {
                " **The machine had other load: rates and times, and results that depend on them, are not reliable.**"
            }
            false => "",
        };
        let text = format!("\n{machine}\n{others}{warning}\n\n{targets}{text}");
        println!("{text}");
        let file = fs::OpenOptions::new().append(true).create(true).open(&settings.report);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .unwrap_or_else(|error| panic!("{}: {error}", settings.report.display()));
    }
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|---|{}\n", head.join(" | "), "---:|".repeat(head.len() - 1));
    for row in rows {
        writeln!(text, "| {} |", row.join(" | ")).expect("memory");
    }
    text
}

/// A number with three significant digits, or all before the point.
pub fn number(number: f64) -> String {
    let decimals = match number.abs() {
        0.0 | 100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{number:.decimals$}")
}

/// The heading of a run, and the machine.
fn machine() -> String {
    let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str, between: char| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(between)?.1.trim().trim_matches('"').to_owned())
    };
    let unknown = || "unknown".to_owned();
    let first_line = |text: String| text.lines().next().unwrap_or_default().to_owned();

    let model = after(&file("/proc/cpuinfo"), "model name", ':').unwrap_or_else(unknown);
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let system = after(&file("/etc/os-release"), "PRETTY_NAME", '=').unwrap_or_else(unknown);
    let date = run(command("date").args(["--utc", "+%Y-%m-%d"]));
    let nginx = run(command("nginx").arg("-v"));
    let php = first_line(run(command(php_fpm()).arg("--version")));
    let libfcgi =
        run(command("dpkg-query").args(["--show", "--showformat", "${Version}", "libfcgi-dev"]));
    let wrk = run(command("dpkg-query").args(["--show", "--showformat", "${Version}", "wrk"]));
    let version = run(command(program()).arg("--version"));

    let mut text = format!("### {}, {model}\n\n| | |\n|---|---|\n", date.trim());
    for (name, value) in [
        ("mailsetup", version.trim().trim_start_matches("mailsetup ").to_owned()),
        ("commit", commit().unwrap_or_else(unknown)),
        ("CPUs", format!("{cpus} × {model}")),
        ("system", format!("{system}, Linux {}", file("/proc/sys/kernel/osrelease").trim())),
        ("nginx", nginx.trim().trim_start_matches("nginx version: ").to_owned()),
        ("PHP", php),
        ("libfcgi", libfcgi),
        ("wrk", wrk),
        ("OpenSSL", run(command("openssl").arg("version")).trim().to_owned()),
        ("Rust", output_of_tool("rustc", &["--version"]).trim().to_owned()),
    ] {
        writeln!(text, "| {name} | {value} |").expect("memory");
    }
    text
}

/// The commit that was built, if git has it.
fn commit() -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty"]).current_dir(source(""));
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// How much of all CPUs is used while this program does nothing, from 0 to 1.
fn busy() -> f64 {
    let look = || {
        let stat = fs::read_to_string("/proc/stat").expect("/proc/stat");
        let times = stat.lines().next().expect("a line").split_whitespace().skip(1);
        let times: Vec<f64> = times.map(|time| time.parse().expect("a number")).collect();
        // The first eight are the total; the fourth is idle, the fifth waits for a disk.
        (times[..8].iter().sum::<f64>(), times[3] + times[4])
    };
    let before = look();
    thread::sleep(Duration::from_secs(2));
    let after = look();
    1.0 - (after.1 - before.1) / (after.0 - before.0)
}
