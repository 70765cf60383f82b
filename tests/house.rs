//! The structure of the source of both programs: which module may use which, and what may be in one
//! file only.
//! docs/architecture.md describes the rules.

use crate::common::source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The two crates.
const CRATES: [Rules; 2] = [
    Rules {
        folder: "src",
        section: "## Who may use whom",
        may_import: MAY_IMPORT,
        in_one_file: IN_ONE_FILE,
    },
    Rules {
        folder: "probe/src",
        section: "## Who may use whom in mailsetup-probe",
        may_import: PROBE_MAY_IMPORT,
        in_one_file: PROBE_IN_ONE_FILE,
    },
];

/// What a crate is held to.
struct Rules {
    folder: &'static str,
    /// The heading of the same table in docs/architecture.md.
    section: &'static str,
    may_import: &'static [(&'static str, &'static [&'static str])],
    in_one_file: &'static [(&'static str, &'static str)],
}

/// A module, and the modules of its crate it may name. `main` may name all.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("files", &[]),
    ("language", &[]),
    ("limits", &[]),
    ("order", &[]),
    ("response", &[]),
    ("visible", &[]),
    ("xml", &[]),
    ("address", &["visible"]),
    ("sign", &["visible"]),
    ("finding", &["address", "order", "visible"]),
    ("form", &["account", "address", "response"]),
    ("record", &["address"]),
    ("request", &["address"]),
    ("url", &["address"]),
    ("account", &["address", "url"]),
    ("http_cache", &["request", "response"]),
    ("log", &["finding", "visible"]),
    ("paths", &["request"]),
    ("step", &["record", "response"]),
    ("access_log", &["address", "log", "record", "request", "step", "visible"]),
    ("clients", &["address", "paths", "xml"]),
    ("directory", &["account", "address", "files", "finding", "log", "order"]),
    ("metrics", &["login", "response", "step"]),
    ("ports", &["account"]),
    ("zone", &["account", "address"]),
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
            "limits",
            "log",
            "login",
            "order",
            "ports",
            "record",
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
    ("gateway", &["limits", "log", "metrics", "request", "response", "step"]),
    ("draft", &["account", "address", "ports", "visible"]),
    ("init", &["account", "address", "draft", "order", "ports"]),
    ("import", &["account", "address", "draft", "order", "ports", "sign", "url", "xml"]),
    ("login", &["account", "address", "directory", "log", "step"]),
    (
        "page",
        &[
            "account", "address", "form", "language", "log", "paths", "question", "request",
            "response", "url", "visible", "xml",
        ],
    ),
    ("cli", &["gateway"]),
    ("web_names", &["address", "config", "discovery"]),
    ("lint", &["account", "clients", "discovery", "finding", "page", "ports", "url"]),
    ("resolve", &["account", "address", "config", "question"]),
    ("route", &["discovery", "page", "paths", "question", "request", "response"]),
    (
        "cache",
        &["account", "address", "config", "form", "http_cache", "question", "resolve", "response"],
    ),
    (
        "responder",
        &[
            "account",
            "address",
            "cache",
            "config",
            "http_cache",
            "login",
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
            "config",
            "gateway",
            "limits",
            "metrics",
            "record",
            "request",
            "responder",
            "response",
            "route",
            "step",
            "web_names",
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
            "directory",
            "discovery",
            "draft",
            "files",
            "finding",
            "gateway",
            "import",
            "init",
            "limits",
            "lint",
            "log",
            "login",
            "order",
            "page",
            "request",
            "responder",
            "response",
            "route",
            "service",
            "sign",
            "step",
            "url",
            "visible",
            "web_names",
            "xml",
            "zone",
        ],
    ),
];

/// The same of mailsetup-probe.
const PROBE_MAY_IMPORT: &[(&str, &[&str])] = &[
    ("calendar", &[]),
    ("finding", &[]),
    ("net", &[]),
    ("progress", &[]),
    ("codes", &["finding"]),
    ("password", &["net"]),
    ("read", &["net"]),
    ("cli", &["codes", "net"]),
    ("facts", &["net", "read"]),
    ("plan", &["facts", "net"]),
    ("report", &["calendar", "cli", "codes", "finding", "net", "read"]),
    ("faults", &["calendar", "facts", "finding", "net", "plan", "read"]),
    ("play", &["codes", "facts", "faults", "finding", "net", "plan", "read", "report"]),
    ("judge", &["codes", "facts", "faults", "finding", "play", "report"]),
    ("login", &["facts", "faults", "net", "plan", "play", "read"]),
    ("look", &["facts", "faults", "login", "net", "plan", "play", "progress", "read"]),
    (
        "probe",
        &[
            "cli", "facts", "faults", "judge", "look", "net", "plan", "play", "progress", "read",
            "report",
        ],
    ),
];

/// A word, and the beginnings of the names of the files that may have it.
const IN_ONE_FILE: &[(&str, &str)] = &[
    (
        "openssl::",
        "sign/certificate.rs sign/chain.rs sign/content.rs sign/coverage.rs sign/signer.rs",
    ),
    ("quick_xml::", "xml"),
    ("plist::", "xml.rs"),
    ("unsafe {", "gateway/listener.rs"),
    ("allow(unsafe_code", "gateway/listener.rs"),
    ("idna::", "address.rs"),
    ("sha2::", "discovery/pacc.rs page/csp.rs"),
    ("base64::", "discovery/pacc.rs page/logo.rs page/csp.rs"),
    ("hyper::", "gateway/http.rs"),
    ("minijinja::", "page/theme.rs"),
    ("qrcodegen::", "page/qr.rs"),
    ("toml::", "config"),
    ("saphyr_parser::", "import/yaml.rs"),
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
    // The responder connects to no other host: the look-ups are those of mailsetup-probe. It asks
    // the servers on this machine that are configured. Two commands do more: one connects to the
    // service, one starts that program. A socket that has no listener any more is found by
    // connecting to its path.
    ("TcpStream::connect", "commands/health.rs"),
    ("TcpSocket", "nowhere"),
    ("UdpSocket", "nowhere"),
    ("UnixStream::connect", "gateway/inquiry.rs"),
    ("net::connect(", "gateway/listener.rs gateway/inquiry_at_once.rs"),
    ("SocketAddrUnix", "gateway/listener.rs gateway/inquiry_at_once.rs"),
    ("UnixDatagram", "gateway/notify.rs"),
    ("hyper::client", "nowhere"),
    ("hyper_util::client", "nowhere"),
    ("lookup_host", "nowhere"),
    ("to_socket_addrs", "nowhere"),
    ("ToSocketAddrs", "nowhere"),
    ("process::Command", "commands/probe.rs commands/init/run.rs"),
    ("Command::new(", "commands/probe.rs commands/init/run.rs"),
    (".exec()", "commands/probe.rs"),
    (".spawn()", "commands/init/run.rs"),
];

/// The same of mailsetup-probe.
const PROBE_IN_ONE_FILE: &[(&str, &str)] = &[
    ("openssl::", "net/tls read/profile.rs"),
    ("tokio_openssl::", "net/tls"),
    ("hyper::", "net/http"),
    ("hyper_util::", "net/http"),
    ("simple_dns::", "net/dns"),
    ("clap::", "cli.rs main.rs"),
    // Only this folder asks the network.
    ("TcpStream", "net/"),
    ("UdpSocket", "net/dns"),
    ("tokio::net", "net/"),
    ("std::net::Tcp", "nowhere"),
    ("lookup_host", "nowhere"),
    ("to_socket_addrs", "nowhere"),
    ("ToSocketAddrs", "nowhere"),
    ("unsafe {", "nowhere"),
    ("allow(unsafe_code", "nowhere"),
    ("process::Command", "nowhere"),
];

/// The files of the responder with their code, see [`Rules::sources`].
fn sources() -> BTreeMap<String, String> {
    CRATES[0].sources()
}

impl Rules {
    /// The files of the crate with their code: without tests.
    fn sources(&self) -> BTreeMap<String, String> {
        let mut sources = BTreeMap::new();
        read(&source(self.folder), "", &mut sources);
        leave_out_test_files(&mut sources);
        assert!(sources.len() > 30, "only {} files in {}", sources.len(), self.folder);
        sources
    }
}

/// The files of both crates, with the folder of the crate.
fn all_sources() -> impl Iterator<Item = (String, String)> {
    CRATES.iter().flat_map(|rules| {
        let named = |(file, code)| (format!("{}/{file}", rules.folder), code);
        rules.sources().into_iter().map(named)
    })
}

/// Leaves out the files that are modules for tests only, and the lines that declare them.
fn leave_out_test_files(sources: &mut BTreeMap<String, String>) {
    let declared = regex_lite::Regex::new(r"#\[cfg\(test\)\]\n(?:pub(?:\(\w+\))? )?mod (\w+);\n");
    let declared = declared.expect("an expression");
    let mut left_out = Vec::new();
    for (file, code) in &mut *sources {
        // The files of `net/tls.rs` and of `net/tls/mod.rs` are in `net/tls`, those of lib.rs at the top.
        let path = file.trim_end_matches(".rs");
        let folder = path.trim_end_matches("/mod").trim_end_matches("lib");
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        left_out.extend(declared.captures_iter(code).map(|it| format!("{folder}{}", &it[1])));
        *code = declared.replace_all(code, "").into_owned();
    }
    for module in left_out {
        let (file, folder) = (format!("{module}.rs"), format!("{module}/"));
        let before = sources.len();
        sources.retain(|name, _| *name != file && !name.starts_with(&folder));
        assert!(sources.len() < before, "{file} is declared, but not there");
    }
}

fn read(folder: &Path, prefix: &str, sources: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("src") {
        let path = entry.expect("directory entry").path();
        let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), sources);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("source");
            let code = text.split("#[cfg(test)]\nmod tests {").next().expect("code").to_owned();
            sources.insert(name, code);
        }
    }
}

/// The lines of code: no comments.
fn lines(code: &str) -> impl Iterator<Item = &str> {
    // `https://` in a string is not a comment.
    let comment = |line: &str| {
        line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':')).map(|(at, _)| at)
    };
    code.lines().map(move |line| comment(line).map_or(line, |at| &line[..at]))
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
    for rules in &CRATES {
        let Rules { folder, may_import, .. } = rules;
        let allowed: BTreeMap<_, _> = may_import.iter().copied().collect();
        let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let sources = rules.sources();
        for (file, code) in &sources {
            let module = module(file);
            if ["lib", "main"].contains(&module) {
                continue;
            }
            let may = allowed
                .get(module)
                .unwrap_or_else(|| panic!("{folder}/{file}: {module} is not in the table"));
            for import in imports(code).into_iter().filter(|import| import != module) {
                assert!(may.contains(&import.as_str()), "{folder}/{file} may not use {import}");
                used.entry(module).or_default().insert(import);
            }
        }
        for (module, may) in *may_import {
            assert!(sources.keys().any(|file| self::module(file) == *module), "{module} is gone");
            for import in *may {
                assert!(
                    used[module].contains(*import),
                    "{module} no longer uses {import}: take it from the table"
                );
            }
        }
    }
}

/// `docs/architecture.md` has the same tables.
#[test]
fn the_documentation_has_the_same_table() {
    let text = fs::read_to_string(source("docs/architecture.md")).expect("docs/architecture.md");
    let words = |cell: &str| -> Vec<String> {
        let mut words: Vec<_> = cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        words.sort();
        words
    };
    for rules in &CRATES {
        let section = text.split(&format!("\n{}\n", rules.section)).nth(1).expect("a section");
        let table = section.split("\n## ").next().expect("a table");
        let mut documented = BTreeMap::new();
        for row in table.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = row.trim_matches('|').split('|');
            let (modules, uses) = (cells.next().expect("modules"), cells.next().expect("uses"));
            documented.extend(words(modules).into_iter().map(|module| (module, words(uses))));
        }
        // They may use all modules.
        let all = ["commands", "probe"];
        for module in all.iter().filter(|all| rules.may_import.iter().any(|(it, _)| it == *all)) {
            assert_eq!(documented.remove(*module), Some(Vec::new()), "{module}");
        }
        let allowed = rules.may_import.iter().filter(|(module, _)| !all.contains(module));
        let allowed: BTreeMap<_, _> = allowed
            .map(|(module, uses)| {
                let mut uses: Vec<_> = uses.iter().map(|word| (*word).to_owned()).collect();
                uses.sort();
                ((*module).to_owned(), uses)
            })
            .collect();
        assert_eq!(documented, allowed);
    }
}

/// The tables have no circle.
#[test]
fn the_tables_have_no_circles() {
    let names = |may: &[&str]| may.iter().map(|name| (*name).to_owned()).collect();
    for table in [MAY_IMPORT, PROBE_MAY_IMPORT] {
        let table = table.iter().map(|(module, may)| ((*module).to_owned(), names(may)));
        assert_eq!(circle(table.collect()), None);
    }
}

/// No file uses one that uses it, directly or through others: each can be read after those it uses.
#[test]
fn files_have_no_circles() {
    for rules in &CRATES {
        let sources = rules.sources();
        assert!(sources.values().all(|code| !code.contains("cfg(test)")), "tests are at the end");
        assert_eq!(circle(uses(&sources)), None, "{}", rules.folder);
    }
}

/// The search finds circles, whichever way a file is named.
#[test]
fn circles_are_found() {
    let uses = |files: &[(&str, &str)]| {
        uses(&files.iter().map(|(file, code)| ((*file).to_owned(), (*code).to_owned())).collect())
    };
    let library = ("lib.rs", "pub mod ship; pub mod wind;");
    let ship =
        ("ship/mod.rs", "mod hull; mod sail; mod rig;\npub use sail::Sail; pub struct Ship;");
    let sail = |code| ("ship/sail.rs", code);
    let rig = ("ship/rig.rs", "use super::{Ship, sail::{self, Sail as Cloth}};");
    let hull = ("ship/hull.rs", "use crate::ship::Sail; // not super::Ship");
    let wind = ("wind.rs", "fn blow() { crate::ship::Ship; }");
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let fine = uses(&[library, ship, sail("pub struct Sail;"), rig, hull, wind]);
    let expected: Uses = [
        ("lib.rs", names(&[])),
        ("ship/mod.rs", names(&["ship/sail.rs"])),
        ("ship/sail.rs", names(&[])),
        ("ship/rig.rs", names(&["ship/mod.rs", "ship/sail.rs"])),
        ("ship/hull.rs", names(&["ship/sail.rs"])),
        ("wind.rs", names(&["ship/mod.rs"])),
    ]
    .map(|(file, used)| (file.to_owned(), used))
    .into();
    assert_eq!(fine, expected);
    assert_eq!(circle(fine), None);
    for (code, found) in [
        ("use super::Ship;", "ship/sail.rs -> ship/mod.rs -> ship/sail.rs"),
        ("use super::*;", "ship/sail.rs -> ship/mod.rs -> ship/sail.rs"),
        (
            "use crate::{ship, wind as air};\nfn f() { g(air::blow) }",
            "ship/sail.rs -> wind.rs -> ship/mod.rs -> ship/sail.rs",
        ),
        ("type T = Box<super::hull::Hull>;", "ship/hull.rs -> ship/sail.rs -> ship/hull.rs"),
    ] {
        let files = [library, ship, sail(code), rig, hull, wind];
        assert_eq!(circle(uses(&files)).as_deref(), Some(found), "{code}");
    }
}

/// The discovery protocols do not depend on each other; the gateways do not depend on mail.
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
    for rules in &CRATES {
        let sources = rules.sources();
        for (word, file) in rules.in_one_file {
            let mut found = false;
            for (name, code) in &sources {
                let named = lines(code).any(|line| line.contains(word));
                let here = file.split(' ').any(|file| name.starts_with(file));
                let folder = rules.folder;
                assert!(!named || here, "{folder}/{name} names {word}, which belongs to {file}");
                found |= named;
            }
            assert_eq!(found, *file != "nowhere", "{}: {word}", rules.folder);
        }
    }
}

/// What runs for everybody has nothing that could connect to another host: cargo gives it neither
/// hyper's client nor TLS.
#[test]
fn the_responder_is_built_without_a_client() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = |package: &str| {
        let mut tree = Command::new(&cargo);
        tree.args(["tree", "--quiet", "--locked", "--offline", "--edges", "normal,features"]);
        tree.args(["--prefix", "none", "--package", package]).current_dir(source(""));
        let output = tree.output().expect("cargo tree");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let (responder, probe) = (tree("mailsetup"), tree("mailsetup-probe"));
    for word in ["hyper feature \"client\"", "tokio-openssl v", "simple-dns v"] {
        assert!(!responder.contains(word), "the responder has {word}");
    }
    assert!(
        responder.contains("hyper feature \"server\"") && !responder.contains("mailsetup-probe")
    );
    assert!(probe.contains("hyper feature \"client\"") && probe.contains("tokio-openssl v"));
}

/// Only `xml.rs` writes markup: no string in the code contains a tag. The advice of mailsetup-probe
/// does, but it is text.
#[test]
fn no_string_holds_markup() {
    let is_advice = |file: &str| {
        let folders = ["codes", "faults", "judge", "play", "read"];
        folders.iter().any(|folder| file.starts_with(&format!("probe/src/{folder}")))
    };
    for (file, code) in all_sources().filter(|(file, _)| !is_advice(file)) {
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

/// A file must be short enough to be read at once.
#[test]
fn no_file_is_longer_than_600_lines() {
    for (file, code) in all_sources() {
        let lines = code.lines().count();
        assert!(lines <= 600, "{file} has {lines} lines");
    }
}

#[test]
fn every_file_opens_with_what_it_does() {
    for (file, code) in all_sources() {
        let opening: Vec<_> = code.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(!opening.is_empty(), "{file} does not say what it does");
        assert!(
            code.lines().all(|line| line.chars().count() <= 120),
            "{file} has a line that is too long"
        );
    }
}

/// Code outside of tests does not panic on input.
#[test]
fn nothing_is_unwrapped_or_left_to_do() {
    for (file, code) in all_sources() {
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

/// The oldest supported Rust builds every dependency; clippy checks this crate's own code.
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

//------------ files that use each other --------------------------------------

/// Each name, and the names it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// A circle, as text; `None` if there is none.
fn circle(mut uses: Uses) -> Option<String> {
    // A name that uses none of the remaining ones is not part of a circle.
    while let Some(free) =
        uses.iter().find(|(_, used)| used.is_empty()).map(|(name, _)| name.clone())
    {
        uses.remove(&free);
        for used in uses.values_mut() {
            used.remove(&free);
        }
    }
    let mut way = vec![uses.keys().next()?];
    loop {
        let next = uses[way[way.len() - 1]].first().expect("one that is left");
        let at = way.iter().position(|name| *name == next);
        way.push(next);
        if let Some(at) = at {
            return Some(
                way[at..].iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" -> "),
            );
        }
    }
}

/// The files whose items each file names, by their paths from `src`.
///
/// An item belongs to the file that defines it, not to one that re-exports it by `use`. Declaring a
/// module, or naming one without an item in it, does not count. Names are found, methods are not.
fn uses(sources: &BTreeMap<String, String>) -> Uses {
    let modules = Modules::read(sources);
    let mut uses = Uses::new();
    for (module, Module { file, tokens, .. }) in &modules.0 {
        let used = uses.entry(file.clone()).or_default();
        let begins = |at: &usize| *at == 0 || tokens[at - 1] != "::";
        for at in (0..tokens.len()).filter(begins).filter(|at| modules.knows(module, &tokens[*at]))
        {
            let mut paths = Vec::new();
            read_paths(&tokens[at..], &[], &mut paths);
            let paths = paths.iter().filter(|(_, path)| path.len() > 1);
            used.extend(paths.filter_map(|(_, path)| modules.file_of(module, path)));
        }
        used.remove(file);
    }
    uses
}

/// The modules by their paths: `gateway::fastcgi`, and `` for the crate itself.
struct Modules(BTreeMap<String, Module>);

struct Module {
    file: String,
    tokens: Vec<String>,
    /// The imports by `use`: the name, and its path.
    imports: BTreeMap<String, Vec<String>>,
}

impl Modules {
    fn read(sources: &BTreeMap<String, String>) -> Modules {
        let token = regex_lite::Regex::new(r"::|\w+|\S").expect("an expression");
        let mut modules = BTreeMap::new();
        // The program names the library like an external crate.
        for (file, code) in sources.iter().filter(|(file, _)| *file != "main.rs") {
            let code: String = lines(code).flat_map(|line| [line, "\n"]).collect();
            let tokens = token.find_iter(&code).map(|found| found.as_str().to_owned()).collect();
            let path = file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
            let path = if path == "lib" { String::new() } else { path };
            modules.insert(path, Module { file: file.clone(), tokens, imports: BTreeMap::new() });
        }
        let mut read = Modules(modules);
        for module in read.0.keys().cloned().collect::<Vec<_>>() {
            let mut paths = Vec::new();
            let tokens = &read.0[&module].tokens;
            for at in (0..tokens.len()).filter(|at| tokens[*at] == "use") {
                read_paths(&tokens[at + 1..], &[], &mut paths);
            }
            paths.retain(|(_, path)| read.knows(&module, &path[0]));
            read.0.get_mut(&module).expect("a module").imports.extend(paths);
        }
        read
    }

    /// True if a path in `module` that begins with this word leads into the crate.
    fn knows(&self, module: &str, word: &str) -> bool {
        ["crate", "self", "super"].contains(&word)
            || self.0.contains_key(&child(module, word))
            || self.0[module].imports.contains_key(word)
    }

    /// The file that defines what a path in `module` leads to; none if that is a module.
    fn file_of(&self, module: &str, path: &[String]) -> Option<String> {
        let (word, rest) = path.split_first()?;
        let below = child(module, word);
        match word.as_str() {
            "crate" => self.file_of("", rest),
            "self" => self.file_of(module, rest),
            "super" => self.file_of(module.rsplit_once("::").map_or("", |(above, _)| above), rest),
            _ if self.0.contains_key(&below) => self.file_of(&below, rest),
            word => match self.0[module].imports.get(word) {
                Some(path) => self.file_of(module, &[path, rest].concat()),
                None => Some(self.0[module].file.clone()),
            },
        }
    }
}

fn child(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// Reads the path at the beginning of `tokens`, or all paths in its braces, each with the imported
/// name; returns the number of tokens.
fn read_paths(
    tokens: &[String],
    before: &[String],
    found: &mut Vec<(String, Vec<String>)>,
) -> usize {
    let is_word =
        |token: &str| token == "*" || token.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let mut path = before.to_vec();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token != "}") {
                at += read_paths(&tokens[at..], &path, found).max(1);
            }
            return at + 1;
        }
        if !is_word(token) {
            break;
        }
        path.push(token.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            break;
        }
        at += 1;
    }
    let is_renamed = tokens.get(at).is_some_and(|token| token == "as");
    let name = match is_renamed {
        true => tokens.get(at + 1),
        false => path.iter().rfind(|word| *word != "self"),
    };
    if let (Some(name), true) = (name, path.len() > before.len()) {
        found.push((name.clone(), path));
    }
    if is_renamed { at + 2 } else { at }
}
