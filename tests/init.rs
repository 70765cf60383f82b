//! `mailsetup init`: whole configurations from recorded outputs, and from programs on this machine.
//!
//! `tests/fixtures/init/README.md` says what was recorded. `UPDATE_GOLDEN=1 cargo test --test main
//! init` writes what is expected: read it before it is committed.

use crate::common::{Sandbox, program, source};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of recorded outputs.
fn fixtures() -> PathBuf {
    source("tests/fixtures/init")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Compares a text with a file, or writes it.
fn compare(file: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match found {
            "" => drop(fs::remove_file(file)),
            found => fs::write(file, found).expect("a golden file"),
        }
        return;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    assert_eq!(found, expected, "{}", file.display());
}

#[test]
fn recorded_machines_get_the_expected_configuration() {
    let folder = fixtures();
    let machines = fs::read_dir(&folder).expect("fixtures").map(|entry| entry.expect("an entry"));
    let machines = machines.filter(|it| it.file_name().to_string_lossy().starts_with("machine-"));
    let mut machines: Vec<_> = machines.map(|entry| entry.path()).collect();
    machines.sort();
    assert!(machines.len() >= 25, "{} machines", machines.len());
    let mut written = 0;
    for machine in machines {
        let options = fs::read_to_string(machine.join("options")).expect("options");
        let mut init = Command::new(program());
        init.current_dir(&folder).args(["--config", "config.toml", "init", "--stdout"]);
        init.args(options.split_whitespace()).env_clear();
        let Output { status, stdout, stderr } = init.output().expect("mailsetup");
        let (stdout, stderr) = (text(&stdout), text(&stderr));
        compare(&machine.join("expected.toml"), &stdout);
        compare(&machine.join("expected.messages"), &stderr);
        assert_eq!(status.code(), Some(i32::from(stdout.is_empty())), "{}", machine.display());
        if stdout.is_empty() {
            assert!(stderr.contains("no configuration was written"), "{stderr}");
            continue;
        }
        written += 1;
        // Files that it names are those of another machine.
        let sandbox = Sandbox::new();
        let config = sandbox.write("config.toml", &stdout);
        let check = Command::new(program()).arg("--config").arg(&config).arg("check").output();
        let check = check.expect("mailsetup");
        assert!(check.status.success(), "{}: {}", machine.display(), text(&check.stdout));
    }
    assert!(written >= 25, "{written} configurations");
}
