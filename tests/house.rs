//! The house: who may use whom, and what stands in one file only. The rules are told in
//! docs/architecture.md.

use crate::common::source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A module, and the modules of this crate it may name. `main` may name all.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("files", &[]),
    ("language", &[]),
    ("response", &[]),
    ("visible", &[]),
    ("xml", &[]),
    ("address", &["visible"]),
    ("sign", &["visible"]),
    ("finding", &["address"]),
    ("form", &["address", "response"]),
    ("record", &["address"]),
    ("request", &["address"]),
    ("url", &["address"]),
    ("account", &["address", "url"]),
    ("http_cache", &["request", "response"]),
    ("log", &["finding", "visible"]),
    ("paths", &["request"]),
    ("step", &["record", "response"]),
    ("access_log", &["address", "log", "record", "request", "step", "visible"]),
    ("clients", &["address", "paths"]),
    ("directory", &["address", "files", "finding", "log"]),
    ("metrics", &["response", "step"]),
    ("ports", &["account"]),
    ("question", &["account", "address", "form", "response"]),
    ("signing", &["files", "finding", "log", "sign"]),
    (
        "config",
        &[
            "account",
            "address",
            "directory",
            "files",
            "finding",
            "log",
            "ports",
            "record",
            "request",
            "signing",
            "url",
            "visible",
        ],
    ),
    (
        "discovery",
        &[
            "account", "address", "form", "language", "paths", "ports", "question", "request",
            "response", "url", "xml",
        ],
    ),
    ("gateway", &["log", "metrics", "request", "response", "step"]),
    (
        "page",
        &[
            "account", "address", "form", "language", "log", "paths", "question", "request",
            "response", "url", "visible", "xml",
        ],
    ),
    ("cli", &["gateway"]),
    ("lint", &["account", "clients", "discovery", "finding", "page", "ports", "url"]),
    ("resolve", &["account", "address", "config", "question"]),
    ("route", &["discovery", "page", "paths", "question", "request", "response"]),
    ("cache", &["address", "config", "form", "http_cache", "question", "resolve", "response"]),
    (
        "responder",
        &[
            "address",
            "cache",
            "config",
            "http_cache",
            "question",
            "record",
            "request",
            "resolve",
            "response",
            "route",
            "signing",
            "step",
        ],
    ),
    (
        "service",
        &[
            "access_log",
            "cache",
            "config",
            "gateway",
            "metrics",
            "record",
            "request",
            "responder",
            "response",
            "route",
            "step",
        ],
    ),
    (
        "commands",
        &[
            "access_log",
            "account",
            "address",
            "cli",
            "clients",
            "config",
            "discovery",
            "files",
            "finding",
            "gateway",
            "lint",
            "log",
            "page",
            "request",
            "responder",
            "response",
            "route",
            "service",
            "sign",
            "step",
            "visible",
            "xml",
        ],
    ),
];

/// The files of the crate with their code: without comments, and without the tests at the end.
fn sources() -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    read(&source("src"), "", &mut sources);
    assert!(sources.len() > 30, "only {} files were found", sources.len());
    sources
}

fn read(folder: &Path, prefix: &str, sources: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("src") {
        let path = entry.expect("directory entry").path();
        let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), sources);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("source");
            let code = text.split("#[cfg(test)]\nmod tests").next().expect("code").to_owned();
            sources.insert(name, code);
        }
    }
}

/// The lines of code: no comments.
fn lines(code: &str) -> impl Iterator<Item = &str> {
    code.lines().map(|line| line.split("//").next().unwrap_or_default())
}

/// The module a file belongs to: its folder or its name.
fn module(file: &str) -> &str {
    file.split('/').next().expect("a name").trim_end_matches(".rs")
}

/// The modules that a file names by `crate::…`, in one line or in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let code: String = lines(code).flat_map(|line| [line, "\n"]).collect();
    let mut found = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        let names = match part.strip_prefix('{') {
            Some(rest) => rest.split('}').next().expect("braces"),
            None => part.split(|c: char| !c.is_alphanumeric() && c != '_').next().expect("a name"),
        };
        for name in names.split(',') {
            found.insert(name.trim().split("::").next().expect("a name").to_owned());
        }
    }
    found.remove("");
    found
}

#[test]
fn modules_use_only_whom_they_may() {
    let allowed: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let sources = sources();
    for (file, code) in &sources {
        let module = module(file);
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let may =
            allowed.get(module).unwrap_or_else(|| panic!("{file}: {module} is not in the table"));
        for import in imports(code).into_iter().filter(|import| import != module) {
            assert!(may.contains(&import.as_str()), "{file} may not use {import}");
            used.entry(module).or_default().insert(import);
        }
    }
    for (module, may) in MAY_IMPORT {
        assert!(sources.keys().any(|file| self::module(file) == *module), "{module} is gone");
        for import in *may {
            assert!(
                used[module].contains(*import),
                "{module} no longer uses {import}: take it from the table"
            );
        }
    }
}

/// `docs/architecture.md` has the same table.
#[test]
fn the_documentation_has_the_same_table() {
    let path = source("docs/architecture.md");
    let text = std::fs::read_to_string(path).expect("docs/architecture.md");
    let section = text.split("## Who may use whom").nth(1).expect("a section");
    let table = section.split("\n## ").next().expect("a table");
    let words = |cell: &str| -> Vec<String> {
        let mut words: Vec<_> = cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        words.sort();
        words
    };
    let mut documented = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.trim_matches('|').split('|');
        let (modules, uses) = (cells.next().expect("modules"), cells.next().expect("uses"));
        documented.extend(words(modules).into_iter().map(|module| (module, words(uses))));
    }
    // It may use everything.
    assert_eq!(documented.remove("commands"), Some(Vec::new()));
    let allowed = MAY_IMPORT.iter().filter(|(module, _)| *module != "commands");
    let allowed: BTreeMap<_, _> = allowed
        .map(|(module, uses)| {
            let mut uses: Vec<_> = uses.iter().map(|word| (*word).to_owned()).collect();
            uses.sort();
            ((*module).to_owned(), uses)
        })
        .collect();
    assert_eq!(documented, allowed);
}

/// The table has no circle: every module stands below the ones it uses.
#[test]
fn the_table_has_no_circles() {
    let mut above: Vec<&str> = Vec::new();
    let mut left: Vec<_> = MAY_IMPORT.to_vec();
    while !left.is_empty() {
        let (free, rest): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|(_, may)| may.iter().all(|name| above.contains(name)));
        assert!(!free.is_empty(), "a circle among {rest:?}");
        above.extend(free.iter().map(|(name, _)| *name));
        left = rest;
    }
}

/// The discovery protocols do not know each other; the parts of the gateway do not know mail.
#[test]
fn discovery_protocols_do_not_know_each_other() {
    for (file, code) in sources()
        .iter()
        .filter(|(file, _)| file.starts_with("discovery/") && !file.ends_with("/mod.rs"))
    {
        for other in ["autoconfig", "autodiscover", "mobileconfig", "pacc"] {
            let names = [format!("super::{other}"), format!("discovery::{other}")];
            assert!(
                !names.iter().any(|name| lines(code).any(|line| line.contains(name))),
                "{file} names {other}"
            );
        }
    }
}

#[test]
fn some_things_stand_in_one_file_only() {
    for (word, file) in [
        ("openssl::", "sign/certificate.rs sign/chain.rs sign/signer.rs"),
        ("quick_xml::", "xml.rs"),
        ("plist::", "xml.rs"),
        ("unsafe {", "gateway/listener.rs"),
        ("allow(unsafe_code)", "gateway/listener.rs"),
        ("idna::", "address.rs"),
        ("sha2::", "discovery/pacc.rs page/csp.rs"),
        ("base64::", "discovery/pacc.rs page/logo.rs page/csp.rs"),
        ("hyper::", "gateway/http.rs"),
        ("minijinja::", "page/theme.rs"),
        ("qrcodegen::", "page/qr.rs"),
        ("toml::", "config"),
        ("fs::read(", "nowhere"),
        ("read_to_string(", "gateway/listener.rs"),
        ("clap::", "cli.rs commands/mod.rs"),
        ("/config-v1.1.xml", "paths.rs"),
        ("autodiscover.xml", "paths.rs"),
        ("autodiscover.json", "paths.rs"),
        ("mobileconfig?", "nowhere"),
        ("user-agent-configuration", "paths.rs"),
        // A page has an example.
        ("993", "ports.rs page/content.rs"),
        ("995", "ports.rs"),
        ("465", "ports.rs"),
        ("587", "ports.rs"),
        ("4190", "ports.rs"),
    ] {
        let mut found = false;
        for (name, code) in sources() {
            let named = lines(&code).any(|line| line.contains(word));
            let here = file.split(' ').any(|file| name.starts_with(file));
            assert!(!named || here, "{name} names {word}, which belongs to {file}");
            found |= named;
        }
        assert_eq!(found, file != "nowhere", "{word}");
    }
}

/// Markup is written by `xml.rs` alone: no string in the code holds a tag.
#[test]
fn no_string_holds_markup() {
    for (file, code) in sources() {
        for (number, line) in lines(&code).enumerate() {
            for text in line.split('"').skip(1).step_by(2) {
                let tag = text
                    .find('<')
                    .and_then(|at| text[at + 1..].trim_start_matches('/').chars().next());
                let is_tag = tag.is_some_and(|c| c.is_ascii_alphabetic()) && text.contains('>');
                assert!(!is_tag, "{file}:{}: {text}", number + 1);
            }
        }
    }
}

/// A file is read in one go; translations are data.
#[test]
fn no_file_is_longer_than_600_lines() {
    for (file, code) in sources() {
        let lines = code.lines().count();
        assert!(lines <= 600 || file == "page/translations.rs", "{file} has {lines} lines");
    }
}

#[test]
fn every_file_opens_with_what_it_does() {
    for (file, code) in sources() {
        let opening: Vec<_> = code.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(!opening.is_empty(), "{file} does not say what it does");
        assert!(
            code.lines().all(|line| line.chars().count() <= 120),
            "{file} has a line that is too long"
        );
    }
}

/// Nothing outside of tests gives up on what others send.
#[test]
fn nothing_is_unwrapped_or_left_to_do() {
    for (file, code) in sources() {
        for line in lines(&code) {
            for word in [
                ".unwrap()",
                ".expect(",
                "todo!",
                "unimplemented!",
                "unreachable!",
                "panic!",
                "dbg!",
            ] {
                assert!(!line.contains(word), "{file}: {line}");
            }
        }
    }
}

/// The oldest Rust that may build this builds every dependency: clippy holds our own code to it.
#[test]
fn every_dependency_builds_with_the_stated_rust() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--format-version", "1", "--locked", "--manifest-path"]);
    let output = metadata.arg(source("Cargo.toml")).output().expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let version = |package: &serde_json::Value| {
        let text = package["rust_version"].as_str().unwrap_or("0");
        text.split('.').map(|part| part.parse().expect("a number")).collect::<Vec<u32>>()
    };
    let ours = packages
        .iter()
        .find(|package| package["name"] == "mailsetup")
        .map(version)
        .expect("ourselves");
    assert_eq!(ours, [1, 85]);
    for package in packages {
        assert!(
            version(package)[..] <= [&ours[..], &[0]].concat()[..],
            "{} wants a newer Rust",
            package["name"]
        );
    }
}
