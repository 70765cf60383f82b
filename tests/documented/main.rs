//! Every command of the documentation is run as it is written, in the order of its page, as root in
//! a machine of its own. A command that a page tells to run must succeed; what it must print is in
//! a table here. Commands that other steps of `.ci/run` run are only compared with the Makefile.
//!
//! `make test-docs` runs it; it needs root for the machine, and the program built by `make build`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod blocks;
#[path = "../common/mod.rs"]
mod common;
mod machine;
mod scenes;

use std::collections::BTreeSet;
use std::fs;

use blocks::{Block, blocks};
use common::{pages, source};
use machine::Machine;
use scenes::{ELSEWHERE, FUNCTIONS, OTHER_TESTS, PRINTS, SCENES, SERVICES, Scene};

/// Runs the script of a scene.
fn stage(machine: &Machine, place: &str, script: &str) {
    let output =
        machine.shell(&format!("{FUNCTIONS}\n{script}"), source("").to_str().expect("UTF-8"));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{place}:\n{printed}");
}

/// Runs the blocks of a page or section.
fn run(machine: &Machine, page: &str, blocks: &[Block]) {
    for block in blocks {
        for command in &block.commands {
            let place = format!("{page}:{}: {command}", block.line);
            if is_run_elsewhere(command) {
                continue;
            }
            let port = SERVICES.iter().find(|(start, _)| command == start).map(|(_, port)| port);
            let script = match port {
                Some(port) => format!(
                    "setsid {command} >/tmp/service 2>&1 </dev/null &\n\
                     for try in $(seq 600); do \
                     if (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; then exit 0; fi; sleep 0.1; \
                     done; cat /tmp/service; exit 1"
                ),
                None => command.clone(),
            };
            let output = machine.shell(&script, source("").to_str().expect("UTF-8"));
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{place}\n{}\n{printed}", output.status);
            if let Some(expected) = expected(command) {
                assert!(printed.contains(expected), "{place}\nhas no {expected:?}:\n{printed}");
            }
            println!("{place}");
        }
    }
}

/// What the command prints.
fn expected(command: &str) -> Option<&'static str> {
    let fitting = PRINTS.iter().filter(|(start, _)| command.starts_with(start));
    fitting.max_by_key(|(start, _)| start.len()).map(|(_, text)| *text)
}

/// True for a target of [`ELSEWHERE`], with or without variables.
fn is_run_elsewhere(command: &str) -> bool {
    let words: Vec<_> = command.split_whitespace().filter(|word| !word.contains('=')).collect();
    words.len() >= 2 && ELSEWHERE.contains(&words[..2].join(" ").as_str())
}

/// The blocks of a scene.
fn of(scene: &Scene) -> Vec<Block> {
    let text = fs::read_to_string(source(scene.page)).expect("a page");
    let blocks = blocks(&text).into_iter();
    blocks.filter(|block| scene.section.is_empty() || block.section == scene.section).collect()
}

#[test]
fn each_command_works_as_it_is_written() {
    let only = std::env::var("PAGE").ok();
    for scene in SCENES.iter().filter(|scene| only.as_deref().is_none_or(|only| only == scene.page))
    {
        let blocks = of(scene);
        Machine::run(|machine| {
            let place = format!("{} {:?}", scene.page, scene.section);
            stage(machine, &format!("before {place}"), scene.before);
            run(machine, scene.page, &blocks);
            stage(machine, &format!("after {place}"), scene.after);
        });
    }
}

#[test]
fn each_block_of_commands_belongs_to_a_scene() {
    let mut missing = Vec::new();
    for (page, text) in pages() {
        for block in blocks(&text) {
            let is_here = |section: &str| section.is_empty() || section == block.section;
            let mut scenes = SCENES.iter().filter(|scene| scene.page == page);
            let mut others = OTHER_TESTS.iter().filter(|(other, ..)| *other == page);
            if !scenes.any(|scene| is_here(scene.section))
                && !others.any(|(_, section, _)| is_here(section))
            {
                missing.push(format!("{page}:{}: {}", block.line, block.commands[0]));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    for scene in SCENES {
        assert!(!of(scene).is_empty(), "{}: no section {:?}", scene.page, scene.section);
    }
}

#[test]
fn commands_with_a_result_have_a_line_about_it() {
    let blocks = SCENES.iter().flat_map(of);
    let commands: BTreeSet<_> = blocks.flat_map(|block| block.commands).collect();
    let needs = |command: &&String| {
        let prints = command.starts_with("curl ") || command.starts_with("mailsetup ");
        prints && !is_run_elsewhere(command)
    };
    let missing: Vec<_> =
        commands.iter().filter(needs).filter(|command| expected(command).is_none()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn targets_that_other_steps_run_are_in_the_makefile() {
    let makefile = fs::read_to_string(source("Makefile")).expect("Makefile");
    for command in ELSEWHERE {
        let Some(target) = command.strip_prefix("make ") else { continue };
        assert!(makefile.contains(&format!("\n{target}:")), "{command}");
    }
    for (page, section, test) in OTHER_TESTS {
        assert!(source(test).exists(), "{page}, {section}: {test}");
    }
}
