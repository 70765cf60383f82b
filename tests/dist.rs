//! `make dist`: the same bytes wherever it runs, what is in the tarball, the list of crates beside
//! it, and what is refused. `make dist-check` builds the tarball.

use crate::common::{Sandbox, run, source, write};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NAME: &str = concat!("mailsetup-", env!("CARGO_PKG_VERSION"));
const PROBE: &str = concat!("mailsetup-probe-", env!("CARGO_PKG_VERSION"));

/// A program with the environment of the caller, which has the cargo that runs this test; settings
/// of git and make that would apply to another folder are removed.
fn tool(sandbox: &Sandbox, program: &str) -> Command {
    let mut command = Command::new(program);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        command.env_remove(name);
    }
    // The checkout may belong to another user.
    let settings = sandbox.path("gitconfig");
    if !settings.exists() {
        write(
            &settings,
            "[safe]\n\tdirectory = *\n[user]\n\tname = Ann\n\temail = ann@example.org\n",
        );
    }
    command.env("GIT_CONFIG_GLOBAL", settings).env("GIT_CONFIG_NOSYSTEM", "1");
    command.stdin(Stdio::null());
    command
}

/// True in a checkout; the unpacked tarball has no history.
fn is_checkout() -> bool {
    source(".git").exists()
}

/// A repository with one commit: the files of this source tree as they are now.
fn repository(sandbox: &Sandbox) -> PathBuf {
    let repository = sandbox.path("origin");
    let mut list = tool(sandbox, "git");
    list.arg("-C").arg(source(""));
    list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    for file in run(&mut list).split_terminator('\0') {
        // One that was removed is still in the index.
        if source(file).exists() {
            let to = repository.join(file);
            fs::create_dir_all(to.parent().expect("a folder")).expect("folder");
            fs::copy(source(file), to).expect("copy");
        }
    }
    let git = |arguments: &[&str]| {
        let mut git = tool(sandbox, "git");
        git.env("GIT_COMMITTER_DATE", "2001-02-03T04:05:06Z").arg("-C").arg(&repository);
        run(git.args(arguments));
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "all"]);
    repository
}

/// A clone in a folder, which may be deeper than its origin.
fn clone(sandbox: &Sandbox, origin: &Path, folder: &str) -> PathBuf {
    let clone = sandbox.path(folder);
    run(tool(sandbox, "git").args(["clone", "--quiet"]).arg(origin).arg(&clone));
    clone
}

/// `make dist` with this umask. Fast compression: its level is not what is tested.
fn dist(sandbox: &Sandbox, folder: &Path, umask: &str) -> Command {
    let mut make = tool(sandbox, "sh");
    make.args(["-c", r#"umask "$1" && exec make -C "$2" dist CARGO="$3" XZ='xz -0 -T1'"#, "sh"]);
    make.arg(umask).arg(folder).arg(cargo());
    make
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// The message of `make dist` that refuses to run.
fn refusal(mut dist: Command) -> String {
    let output = dist.output().expect("make");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{text}");
    text
}

#[test]
fn two_clones_make_the_same_release_which_is_complete() {
    let sandbox = Sandbox::new();
    if !is_checkout() {
        let message = refusal(dist(&sandbox, &source(""), "022"));
        assert!(message.contains("not a git checkout"), "{message}");
        return;
    }
    let origin = repository(&sandbox);
    let one = clone(&sandbox, &origin, "one");
    run(&mut dist(&sandbox, &one, "022"));

    // Another folder, umask, time zone, language, user settings of git, tar and xz.
    let two = clone(&sandbox, &origin, "a/deeper/two");
    let settings =
        [("core.autocrlf", "true"), ("tar.umask", "0"), ("status.showUntrackedFiles", "no")];
    for (key, value) in settings {
        run(tool(&sandbox, "git").arg("-C").arg(&two).args(["config", key, value]));
    }
    let mut other = dist(&sandbox, &two, "077");
    other.env("TZ", "Asia/Tokyo").env("LC_ALL", "C.UTF-8");
    other.env("XZ_DEFAULTS", "--check=none").env("TAR_OPTIONS", "--mode=a+w");
    run(&mut other);

    let files = |clone: &Path| {
        let folder = clone.join("target/dist");
        let entries = fs::read_dir(&folder).expect("folder").map(|entry| {
            let name = entry.expect("entry").file_name().into_string().expect("a name");
            let content = fs::read(folder.join(&name)).expect("file");
            (name, content)
        });
        entries.collect::<BTreeMap<_, _>>()
    };
    let (files, others) = (files(&one), files(&two));
    let tarball = format!("{NAME}.tar.xz");
    let [bill, probe] = [NAME, PROBE].map(|name| format!("{name}.cdx.json"));
    assert_eq!(files.keys().collect::<Vec<_>>(), ["SHA256SUMS", &bill, &tarball, &probe]);
    for (name, content) in &files {
        assert!(others.get(name) == Some(content), "{name} differs");
    }
    run(tool(&sandbox, "sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(one.join("target/dist")));
    let sums = String::from_utf8_lossy(&files["SHA256SUMS"]);
    assert!([&tarball, &bill, &probe].iter().all(|file| sums.contains(*file)), "{sums}");

    check_listing(&sandbox, &one.join("target/dist").join(&tarball));
    // Below a checkout, where git finds that one.
    let mut unpack = tool(&sandbox, "tar");
    unpack.arg("-C").arg(one.join("target"));
    run(unpack.arg("-xf").arg(one.join("target/dist").join(&tarball)));
    let unpacked = one.join("target").join(NAME);
    let message = refusal(dist(&sandbox, &unpacked, "022"));
    assert!(message.contains("not a git checkout"), "{message}");
    check_files(&sandbox, &origin, &unpacked);
    for (file, program) in [(&bill, "mailsetup"), (&probe, "mailsetup-probe")] {
        let bill = serde_json::from_slice(&files[file]).expect("JSON");
        check_bill(&sandbox, &unpacked, program, &bill);
    }
}

/// One folder, sorted, of root, with the time of the commit and the modes of umask 022.
fn check_listing(sandbox: &Sandbox, tarball: &Path) {
    let mut list = tool(sandbox, "tar");
    list.env("TZ", "UTC").args(["--numeric-owner", "--full-time", "-tvf"]).arg(tarball);
    let listing = run(&mut list);
    for line in listing.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        assert_eq!(fields[1], "0/0", "{line}");
        assert_eq!(fields[3..5], ["2001-02-03", "04:05:06"], "{line}");
        assert!(["drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"].contains(&fields[0]), "{line}");
        assert!(fields[5].starts_with(&format!("{NAME}/")), "{line}");
    }
}

/// All files of the commit, and all dependencies in the state that cargo accepts.
fn check_files(sandbox: &Sandbox, origin: &Path, unpacked: &Path) {
    for file in run(tool(sandbox, "git").arg("-C").arg(origin).arg("ls-files")).lines() {
        let expected = fs::read(origin.join(file)).expect("committed");
        assert!(fs::read(unpacked.join(file)).is_ok_and(|it| it == expected), "{file}");
    }
    let mut crates = 0;
    for folder in fs::read_dir(unpacked.join("vendor")).expect("vendor") {
        let folder = folder.expect("entry").path();
        let list = fs::read(folder.join(".cargo-checksum.json")).expect("checksums");
        let list: Value = serde_json::from_slice(&list).expect("JSON");
        for file in list["files"].as_object().expect("files").keys() {
            assert!(folder.join(file).is_file(), "{}/{file}", folder.display());
            assert!(!file.ends_with(".orig"), "dh_clean removes {}/{file}", folder.display());
        }
        crates += 1;
    }
    let lock = fs::read_to_string(unpacked.join("Cargo.lock")).expect("lock file");
    assert_eq!(lock.matches("[[package]]").count(), crates + 2, "those in vendor and these two");
    // Without network and cache.
    let mut metadata = tool(sandbox, &cargo());
    metadata.args(["metadata", "--locked", "--format-version", "1"]).current_dir(unpacked);
    metadata.env("CARGO_HOME", sandbox.path("empty")).env("CARGO_NET_OFFLINE", "true");
    let output = metadata.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    for package in packages {
        let manifest = package["manifest_path"].as_str().expect("a path");
        assert!(Path::new(manifest).starts_with(unpacked), "{manifest}");
    }
}

/// The fields that CycloneDX 1.5 and its users need, and exactly the linked crates.
fn check_bill(sandbox: &Sandbox, unpacked: &Path, name: &str, bill: &Value) {
    let is_probe = name == "mailsetup-probe";
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["specVersion"], "1.5");
    assert_eq!(bill["version"], 1);
    assert!(bill.get("serialNumber").is_none() && bill["metadata"].get("timestamp").is_none());
    let program = &bill["metadata"]["component"];
    assert_eq!(program["type"], "application");
    assert_eq!(program["name"], name);
    assert_eq!(program["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(program["licenses"][0]["expression"], env!("CARGO_PKG_LICENSE"));

    let lock: toml::Table =
        fs::read_to_string(unpacked.join("Cargo.lock")).expect("lock file").parse().expect("TOML");
    let checksum = |name: &Value, version: &Value| {
        let packages = lock["package"].as_array().expect("packages").iter();
        let mut same = packages.filter(|package| {
            package["name"].as_str() == name.as_str()
                && package["version"].as_str() == version.as_str()
        });
        same.next().and_then(|package| package.get("checksum")?.as_str()).map(str::to_owned)
    };
    let expression = regex_lite::Regex::new(r"^\(?[\w.-]+( (AND|OR|WITH) \(?[\w.-]+\)?)*$");
    let expression = expression.expect("an expression");
    let components = bill["components"].as_array().expect("components");
    let mut refs = BTreeSet::from([program["bom-ref"].as_str().expect("a reference")]);
    let mut linked = BTreeSet::from([format!("{name} v{}", env!("CARGO_PKG_VERSION"))]);
    for component in components {
        let (name, version) = (&component["name"], &component["version"]);
        assert_eq!(component["type"], "library", "{name}");
        let licence = component["licenses"][0]["expression"].as_str().expect("an expression");
        assert!(expression.is_match(licence), "{name}: {licence}");
        let hash = component["hashes"][0]["content"].as_str();
        assert_eq!(hash, checksum(name, version).as_deref());
        assert!(hash.is_none() || component["hashes"][0]["alg"] == "SHA-256", "{name}");
        let (name, version) = (name.as_str().expect("name"), version.as_str().expect("version"));
        // The library of this project is in no registry.
        let kind = if name == "mailsetup" { "generic" } else { "cargo" };
        assert_eq!(hash.is_some(), kind == "cargo", "{name}");
        let purl = format!("pkg:{kind}/{name}@{}", version.replace('+', "%2B"));
        assert_eq!(component["purl"], purl.as_str());
        assert!(refs.insert(component["bom-ref"].as_str().expect("a reference")), "{purl} twice");
        linked.insert(format!("{name} v{version}"));
    }

    // What cargo links by default on the platforms of the release.
    let mut tree = tool(sandbox, &cargo());
    // Without messages about a lock that another cargo has.
    tree.args(["tree", "--quiet", "--locked", "--offline", "--prefix", "none", "--no-dedupe"]);
    tree.args(["--package", name]);
    tree.args(["--edges", "normal,no-proc-macro", "--target", "x86_64-unknown-linux-gnu"]);
    let tree = run(tree.current_dir(unpacked));
    let words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    assert_eq!(linked, tree.lines().map(words).collect());
    for (name, is_linked) in [
        ("openssl", true),
        ("tokio", true),
        ("mailsetup", is_probe),
        ("tokio-openssl", is_probe),
        // Of hyper's client.
        ("want", is_probe),
        // A macro, its parser, tests, another system, another feature.
        ("serde_derive", false),
        ("syn", false),
        ("nix", false),
        ("windows-sys", false),
        ("openssl-src", false),
    ] {
        let found = components.iter().any(|component| component["name"] == name);
        assert_eq!(found, is_linked, "{name}");
    }

    // Each crate has its dependencies, and is one.
    let mut users = BTreeSet::new();
    let mut used = BTreeSet::from([program["bom-ref"].as_str().expect("a reference")]);
    for dependency in bill["dependencies"].as_array().expect("dependencies") {
        users.insert(dependency["ref"].as_str().expect("a reference"));
        let needs = dependency["dependsOn"].as_array().expect("references");
        used.extend(needs.iter().map(|need| need.as_str().expect("a reference")));
    }
    assert_eq!(users, refs);
    assert_eq!(used, refs);
}

/// Crates that `cargo auditable` recorded: printed, compared, and missed where there are none.
/// `make dist-check` does this with a real build.
#[test]
fn crates_in_a_program_are_compared_with_the_list() {
    let sandbox = Sandbox::new();
    let data = r#"{"packages": [{"name": "mailsetup", "version": "1.0.0", "root": true},
        {"name": "toml", "version": "1.2.3"}, {"name": "syn", "version": "3.0.0", "kind": "build"}]}"#;
    let section = sandbox.path("section");
    let mut compress = tool(&sandbox, "python3");
    compress.args([
        "-c",
        "import sys, zlib; open(sys.argv[2], 'wb').write(zlib.compress(sys.argv[1].encode()))",
    ]);
    run(compress.arg(data).arg(&section));
    let program = sandbox.path("program");
    let mut add = tool(&sandbox, "objcopy");
    add.arg("--add-section").arg(format!(".dep-v0={}", section.display()));
    run(add.arg(crate::common::program()).arg(&program));

    let auditable = |arguments: &[&Path]| {
        let mut python = tool(&sandbox, "python3");
        let output = python.arg(source("packaging/auditable.py")).args(arguments).output();
        let output = output.expect("python3");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("text"))
    };
    let list = |name: &str, version: &str| {
        sandbox.write(
            name,
            format!(
                r#"{{"metadata": {{"component": {{"name": "mailsetup", "version": "1.0.0"}}}},
                    "components": [{{"name": "toml", "version": "{version}"}}]}}"#
            ),
        )
    };
    let crates = "mailsetup 1.0.0\ntoml 1.2.3\nsyn 3.0.0 build\n";
    assert_eq!(auditable(&[&program]), (true, crates.to_owned()));
    let (same, text) = auditable(&[&program, &list("same", "1.2.3")]);
    assert!(same && text == "the program records all 2 crates of the list\n", "{text}");
    let (same, text) = auditable(&[&program, &list("other", "1.2.4")]);
    for line in ["recorded, but not in the list: toml 1.2.3\n", "not recorded: toml 1.2.4\n"] {
        assert!(!same && text.contains(line), "{text}");
    }
    let (found, text) = auditable(&[&crate::common::program()]);
    assert!(!found && text.contains("not built by cargo auditable"), "{text}");
}

/// `make release-check` begins with what must agree.
#[test]
fn a_release_has_one_version_and_the_day_of_its_commit() {
    let sandbox = Sandbox::new();
    if !is_checkout() {
        println!("the unpacked tarball has no history, which this test needs");
        return;
    }
    let origin = repository(&sandbox);
    let version = env!("CARGO_PKG_VERSION");
    let git = |arguments: &[&str]| {
        let mut git = tool(&sandbox, "git");
        git.env("GIT_COMMITTER_DATE", "2001-02-03T23:30:00-0200").arg("-C").arg(&origin);
        run(git.args(arguments));
    };
    let checked = |heading: &str, document: &str| {
        let text = format!("# Changelog\n\n## {heading}\n\n## 0.0.9 - 2000-01-01\n");
        write(&origin.join("CHANGELOG.md"), text);
        write(&origin.join("docs/example.md"), document);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "release"]);
        release_check(&sandbox, &origin)
    };
    let good = format!("{version} - 2001-02-04");
    let (passed, text) = checked(&good, &format!("mailsetup-{version}.tar.xz, mailsetup 0.4"));
    assert!(passed && text.contains(&format!("git tag -a v{version}")), "{text}");

    for (heading, document, fault) in [
        ("Unreleased", "", "CHANGELOG.md has changes that are not released"),
        (&format!("{version} - 2001-02-03"), "", "the first heading is"),
        ("9.9.9 - 2001-02-04", "", "the first heading is \"9.9.9 - 2001-02-04\""),
        (&good, "mailsetup 9.9.9, OpenSSL", "docs/example.md:1:mailsetup 9.9.9"),
        (&good, "mailsetup-probe 9.9.9", "docs/example.md:1:mailsetup-probe 9.9.9"),
    ] {
        let (passed, text) = checked(heading, document);
        assert!(!passed && text.contains(fault), "{fault}: {text}");
    }

    let probe = origin.join("probe/Cargo.toml");
    let text = fs::read_to_string(&probe).expect("a manifest");
    write(&probe, text.replace(version, "9.9.9"));
    let (passed, said) = checked(&good, "");
    for fault in ["the version is 9.9.9, not", "mailsetup is 9.9.9, not"] {
        assert!(!passed && said.contains(&format!("probe/Cargo.toml: {fault}")), "{said}");
    }
    write(&probe, text);

    git(&["tag", &format!("v{version}")]);
    let (passed, text) = checked(&good, "");
    assert!(!passed && text.contains(&format!("v{version} is another commit")), "{text}");
    git(&["tag", "--force", &format!("v{version}")]);
    let (passed, text) = release_check(&sandbox, &origin);
    assert!(passed, "{text}");
    write(&origin.join("README.md"), "");
    let (passed, text) = release_check(&sandbox, &origin);
    assert!(!passed && text.contains("not committed"), "{text}");
}

/// Whether the checkout passes the first part of `make release-check`, and what was printed.
fn release_check(sandbox: &Sandbox, origin: &Path) -> (bool, String) {
    let mut check = tool(sandbox, "sh");
    // The day there is not that of the committer.
    let output = check.arg(origin.join("packaging/release.sh")).env("TZ", "UTC+10").output();
    let output = output.expect("sh");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("text"))
}

#[test]
fn changes_that_are_not_committed_are_refused() {
    if !is_checkout() {
        println!("the unpacked tarball has no history, which this test needs");
        return;
    }
    let sandbox = Sandbox::new();
    let origin = repository(&sandbox);
    let readme = fs::read_to_string(origin.join("README.md")).expect("README");
    write(&origin.join("README.md"), format!("{readme}\n"));
    let message = refusal(dist(&sandbox, &origin, "022"));
    assert!(message.contains("commit or remove these changes first"), "{message}");
    assert!(message.contains(" M README.md"), "{message}");

    write(&origin.join("README.md"), readme);
    write(&origin.join("src/forgotten.rs"), "");
    let message = refusal(dist(&sandbox, &origin, "022"));
    assert!(message.contains("?? src/forgotten.rs"), "{message}");
    assert!(!message.contains("README.md"), "{message}");
    assert!(!origin.join("target").exists(), "nothing is made");
}
