//! Replays the inputs of the fuzzer on stable Rust: every input of `fuzz/corpus` is passed to its
//! target, of both programs. `fuzz/run.sh` finds more; docs/reliability.md describes the checks of each
//! target.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use crate::source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// The least number of inputs in a corpus.
const FEW: usize = 50;

#[test]
fn every_input_of_the_corpora_holds() {
    for (name, target) in targets::TARGETS {
        let mut inputs = entries(&source("fuzz/corpus").join(name));
        // The order in which the fuzzer reads them: the state that one leaves may matter to the
        // next.
        inputs.sort_by_key(|path| fs::metadata(path).expect("an input").len());
        assert!(inputs.len() >= FEW, "{name} has only {} inputs", inputs.len());
        for path in inputs {
            let bytes = fs::read(&path).expect("an input");
            assert!(catch_unwind(|| target(&bytes)).is_ok(), "{}", path.display());
        }
    }
}

/// Removed targets leave no corpus, and every target that is built is replayed.
#[test]
fn each_target_has_its_parts() {
    let names: BTreeSet<_> = targets::TARGETS.map(|(name, _)| name.to_owned()).into();
    for folder in ["fuzz/corpus", "fuzz/dictionaries", "fuzz/fuzz_targets"] {
        let found = entries(&source(folder));
        let found = found.iter().map(|path| path.file_stem().expect("a name").to_string_lossy());
        assert_eq!(found.map(|name| name.into_owned()).collect::<BTreeSet<_>>(), names, "{folder}");
    }
}

/// The fuzzer tests the dependencies of the program: those in both lock files have the same
/// versions.
#[test]
fn the_fuzzer_has_the_dependencies_of_the_program() {
    let versions = |path: &str| {
        let lock = fs::read_to_string(source(path)).expect(path);
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in lock.split("[[package]]\n").skip(1) {
            let mut lines = package.lines();
            let mut next = || lines.next().expect("name, then version").to_owned();
            versions.entry(next()).or_default().insert(next());
        }
        versions
    };
    let (ours, fuzzed) = (versions("Cargo.lock"), versions("fuzz/Cargo.lock"));
    assert!(fuzzed.len() > 30, "only {} packages were found", fuzzed.len());
    for (name, fuzzed) in fuzzed {
        let same = ours.get(&name).is_none_or(|ours| fuzzed.is_subset(ours));
        assert!(same, "{name}: copy Cargo.lock to fuzz/, cargo completes it with the next build");
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("directory entry").path()).collect();
    entries.sort();
    entries
}
