//! Builds the measured programs: the static ones by `make static`, the peers by their compilers.

use crate::common::{command, run, source};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs, below cargo's target directory.
pub struct Built {
    /// mailsetup without any library, as for shared hosting.
    pub static_program: PathBuf,
    /// The same without signing.
    pub static_unsigned: PathBuf,
    /// A static program that does nothing.
    pub empty: PathBuf,
    /// benches/peers/responder.c
    pub c_responder: PathBuf,
    /// benches/peers/fastcgi-crate
    pub crate_responder: PathBuf,
}

impl Built {
    pub fn new() -> Self {
        let directory = target().join("bench");
        fs::create_dir_all(&directory).expect("mkdir");

        // Each is copied, since both are built in the same place.
        let keep = |name: &str, flags: &str| {
            eprintln!("building: {name}");
            run(tool("make").args(["static", flags]));
            let kept = directory.join(name);
            fs::copy(static_program(), &kept).expect("copy");
            kept
        };
        let static_unsigned = keep("mailsetup-static-unsigned", "CARGOFLAGS=--no-default-features");
        let static_program = keep("mailsetup-static", "CARGOFLAGS=");

        let empty = directory.join("empty");
        run(tool("rustc")
            .args([
                "--edition",
                "2024",
                "-O",
                "-C",
                "target-feature=+crt-static",
                "-C",
                "strip=symbols",
            ])
            .arg("-o")
            .arg(&empty)
            .arg(source("benches/peers/empty.rs")));

        let c_responder = directory.join("responder");
        run(tool("cc")
            .args(["-O2", "-o"])
            .arg(&c_responder)
            .arg(source("benches/peers/responder.c"))
            .arg("-lfcgi"));

        let crate_target = directory.join("fastcgi-crate");
        run(cargo()
            .args(["build", "--release", "--locked", "--manifest-path"])
            .arg(source("benches/peers/fastcgi-crate/Cargo.toml"))
            .arg("--target-dir")
            .arg(&crate_target));
        let crate_responder = crate_target.join("release/fastcgi-crate");

        Self { static_program, static_unsigned, empty, c_responder, crate_responder }
    }
}

/// The table of benches/instructions.rs.
pub fn instructions() -> String {
    output_of(cargo().args(["bench", "--quiet", "--locked", "--bench", "instructions"]))
}

/// The output of a compiler or similar tool.
pub fn output_of_tool(name: &str, arguments: &[&str]) -> String {
    output_of(tool(name).args(arguments))
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("start");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Debian's php-fpm, whose name contains its version.
pub fn php_fpm() -> PathBuf {
    let programs =
        fs::read_dir("/usr/sbin").expect("/usr/sbin").flatten().map(|entry| entry.path());
    let is_fpm = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("php-fpm"))
    };
    programs.filter(is_fpm).max().expect("php-fpm is missing: sh tests/install-bench.sh")
}

/// Cargo's target directory.
fn target() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_mailsetup"));
    program.ancestors().nth(2).expect("target/release/mailsetup").to_owned()
}

/// The program that `make static` built.
fn static_program() -> PathBuf {
    let folders = fs::read_dir(target()).expect("target").flatten().map(|entry| entry.path());
    let programs = folders
        .filter(|folder| folder.to_string_lossy().contains("-linux-"))
        .map(|folder| folder.join("release/mailsetup"))
        .filter(|program| program.exists());
    let changed = |program: &PathBuf| fs::metadata(program).and_then(|data| data.modified()).ok();
    programs.max_by_key(changed).expect("make static builds target/*-linux-*/release/mailsetup")
}

fn cargo() -> Command {
    tool(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// A compiler, in the source tree and with the user's environment: it may need HOME, a proxy and
/// similar settings, but not the variables that cargo set for this program.
fn tool(name: impl Into<OsString>) -> Command {
    let mut tool = command(name.into());
    let ours = |name: &str| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR";
    tool.envs(env::vars_os().filter(|(name, _)| !ours(&name.to_string_lossy())));
    tool.current_dir(source(""));
    tool
}
