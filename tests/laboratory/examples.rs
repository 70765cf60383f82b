//! The documentation of the program: its two reports are those of real runs, and each of its commands
//! works as it is written. `UPDATE_GOLDEN=1` rewrites the reports.

use std::fs;
use std::path::Path;

use crate::blocks::blocks;
use crate::common::namespace::Namespace;
use crate::common::{command, copy_program, pages, source};
use crate::faults;
use crate::shapes;
use crate::world::World;

/// The files of the reports below probe/tests/golden, and the faults of each.
const SHOWN: [(&str, &[&str]); 2] =
    [("run-good", &[]), ("run-bad", &["autodiscover-tls-name", "needs-address", "srv-missing"])];

/// The page whose commands all belong to this program.
const PAGE: &str = "docs/probe.md";

/// What a command prints, by an option of it.
const PRINTS: [(&str, &str); 7] = [
    ("--as-config", ""),
    ("--client thunderbird", "the client sets itself up"),
    ("--explain", "certificate"),
    ("--json", "\"verdict\": \"works\""),
    ("--missing-dns", "no record is missing"),
    ("--quiet", ""),
    ("check", "no errors"),
];

#[test]
fn the_reports_of_the_documentation_are_real() {
    Namespace::run(|namespace| {
        let mut world = World::start(namespace);
        for (name, planted) in SHOWN {
            let mut scene = shapes::own(&mut world);
            for name in planted {
                (faults::named(name).plant)(&mut world, &mut scene);
            }
            world.publish(&scene);
            let report = lasting(&world.report(&scene));
            let path = source(&format!("probe/tests/golden/{name}.txt"));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&path, &report).expect("a report");
            }
            let hint = "UPDATE_GOLDEN=1 cargo test -p mailsetup-probe --test laboratory examples";
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == report, "{name}: run {hint}, then make man\n{report}");
        }
    });
}

/// The report with what changes from day to day replaced: how long it took, and the certificates' end.
fn lasting(report: &str) -> String {
    const END: &str = "valid until ";
    let line = |line: &str| {
        if let Some((requests, _)) = line.split_once(" requests, ") {
            return format!("{requests} requests, 0.2 s\n");
        }
        match line.find(END).map(|at| at + END.len()) {
            Some(at) => format!("{}2027-03-01{}\n", &line[..at], &line[at + 10..]),
            None => format!("{line}\n"),
        }
    };
    report.lines().map(line).collect()
}

#[test]
fn each_command_of_the_documentation_works() {
    let is_probe = |command: &str| command.starts_with("mailsetup probe");
    let mut commands = Vec::new();
    for (page, text) in pages() {
        for block in blocks(&text) {
            let of_block = block.commands.iter().filter(|one| page == PAGE || is_probe(one));
            commands.extend(of_block.map(|one| (format!("{page}:{}", block.line), one.clone())));
        }
    }
    assert!(commands.len() > 12, "{} commands", commands.len());
    // A terminal is needed for it: probe/tests/program.rs.
    commands.retain(|(_, one)| !one.contains("--login"));
    Namespace::run(|namespace| {
        let mut world = World::start(namespace);
        let scene = shapes::own(&mut world);
        world.publish(&scene);
        copy_program(env!("CARGO_BIN_EXE_mailsetup-probe"), Path::new("/usr/bin/mailsetup-probe"));
        for (place, one) in &commands {
            let mut shell = command("bash");
            shell.args(["-e", "-c", &format!("exec 2>&1\n{one}")]);
            shell.current_dir(namespace.sandbox.path(""));
            let output = shell.output().expect("bash");
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{place}: {one}\n{printed}");
            let fitting = PRINTS.iter().find(|(option, _)| one.contains(option));
            let expected = fitting.map_or("clients set themselves up", |(_, text)| text);
            assert!(printed.contains(expected), "{place}: {one}\nno {expected:?}:\n{printed}");
        }
        let page = fs::read_to_string(namespace.sandbox.path("report.html"));
        assert!(page.expect("a page").contains("Thunderbird"));
    });
}
