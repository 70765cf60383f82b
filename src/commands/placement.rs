//! Where the files lie: what a web server on shared hosting refuses to run, and what it would send
//! to anybody; whether other users can read the signing key, whether a service that is not root can read
//! the other files, and who else can write them.
//!
//! A folder with one of the usual names, such as `public_html`, is taken for the document root of a
//! website.
//!
//! Shared hosting is recognised by a program named `*.cgi`: the one that runs, or the one beside
//! the configuration. suEXEC documents which files it runs. Group ownership is not compared, since
//! hosting panels give web folders to a group of the web server.

use crate::config::{Config, find};
use crate::files::{self, Kind};
use crate::finding::{self, Finding, Place};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The name of the program in a web folder.
const PROGRAM: &str = "mailsetup.cgi";
/// The rules of a folder.
const RULES: &str = ".htaccess";
/// In a folder of this name, a web server runs every file and sends none.
const RUN_ONLY: &str = "cgi-bin";

/// The attribute of a file with a list of access rights (`setfacl`).
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Names of document roots: those of hosting panels, Apache, nginx and others.
const ROOTS: [&str; 8] = [
    "public_html",
    "htdocs",
    "httpdocs",
    "httpsdocs",
    "wwwroot",
    "webroot",
    "docroot",
    "document_root",
];
/// `html` is one only in these folders: `/var/www/html`, `/usr/share/nginx/html`.
const ABOVE_HTML: [&str; 2] = ["www", "nginx"];

/// The findings about the configuration file `path`, and the files that `config` names.
pub fn findings(path: Option<&Path>, config: Option<&Config>) -> Vec<Finding> {
    let files = config.and_then(Config::signing_identity).map(|identity| identity.files());
    let key = files.map(|[_, key]| key);
    let lists =
        || config.into_iter().flat_map(|config| config.list_files().chain(config.map_files()));
    let mut findings: Vec<_> = key.and_then(readable_key).into_iter().collect();
    let named = config.into_iter().flat_map(|config| config.files.iter()).map(|(file, _)| &**file);
    // These include the configuration itself.
    let own = path.filter(|_| config.is_none());
    let folder = config.and_then(Config::directory);
    let all = own.into_iter().chain(named);
    if rustix::process::geteuid().is_root() {
        let closed = all.clone().filter_map(only_for_root);
        let below = folder.into_iter().flat_map(|it| of_folder(it, only_for_root));
        let closed: BTreeMap<_, _> = closed.chain(below).map(|it| (it.place.clone(), it)).collect();
        findings.extend(closed.into_values());
    }
    let all = all.chain(files.into_iter().flatten());
    findings.extend(all.filter_map(writable_by_others));
    findings.extend(folder.into_iter().flat_map(|it| of_folder(it, writable_by_others)));
    let program = program(path);
    let folder = program.as_deref().map(folder_of);
    let is_elsewhere = |file: &&Path| folder.is_none_or(|folder| !is_below(file, folder));
    let data = path.into_iter().chain(lists()).chain(config.and_then(Config::directory));
    findings.extend(data.filter(is_elsewhere).filter_map(in_document_root));
    findings.extend(key.filter(is_elsewhere).and_then(key_in_document_root));
    let (Some(program), Some(folder)) = (&program, folder) else { return findings };
    findings.extend(refused(program, folder));
    if folder.file_name().is_none_or(|name| name != RUN_ONLY) {
        findings.extend(shown(folder, path.into_iter().chain(lists())));
        findings.extend(key.filter(|key| is_below(key, folder)).map(key_in_folder));
    }
    findings
}

/// The program of a web folder.
fn program(config: Option<&Path>) -> Option<PathBuf> {
    let is_cgi = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "cgi");
    let beside = || config.map(|config| folder_of(config).join(PROGRAM)).filter(|it| it.is_file());
    find::program().filter(is_cgi).or_else(beside)
}

/// The folder of a file; `.` for a name alone.
fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// True if a file lies in a folder, or in one below it.
fn is_below(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

fn readable_key(key: &Path) -> Option<Finding> {
    let mode = key.metadata().ok()?.mode();
    if is_closed(key) {
        return None;
    }
    let message =
        format!("mode {}: every user of this machine can read the signing key", octal(mode));
    let mut finding = Finding::warning("key-readable", Some(Place::file(key)), message);
    finding.remedy = Some("set its mode to 600, as the user that the program runs as".to_owned());
    (mode & 0o004 != 0).then_some(finding)
}

/// True for a file below a folder that only its owner or a group may enter: nobody else gets to it.
fn is_closed(path: &Path) -> bool {
    let is_closed = |folder: &Path| folder.metadata().is_ok_and(|meta| meta.mode() & 0o001 == 0);
    path.canonicalize().is_ok_and(|path| path.ancestors().skip(1).any(is_closed))
}

fn key_in_folder(key: &Path) -> Finding {
    let message = "the signing key lies in the folder of the program, which is part of a website";
    let mut finding = Finding::warning("key-in-web-folder", Some(Place::file(key)), message);
    finding.remedy = Some("move it to a folder above the website".to_owned());
    finding
}

//------------ Who can read ---------------------------------------------------

/// The finding about a file that root alone can read, or about the folder above it that makes it so: this
/// check can read it, and a service that runs as another user cannot.
fn only_for_root(path: &Path) -> Option<Finding> {
    let real = path.canonicalize().ok()?;
    let is_closed = |path: &Path, bits: u32| {
        let Ok(meta) = path.metadata() else { return false };
        // A list of access rights may name the user of the service; its mask is in the bits of the group.
        let has_list = || rustix::fs::getxattr(path, ACCESS_LIST, &mut [0; 0][..]).is_ok();
        let (of_others, of_group) = (meta.mode() & bits != 0, (meta.mode() >> 3) & bits != 0);
        meta.uid() == 0 && !of_others && !(of_group && (meta.gid() != 0 || has_list()))
    };
    // The outermost one comes first: without its rights, those below it do not count.
    let mut above: Vec<_> = real.ancestors().skip(1).collect();
    above.reverse();
    let folder = above.into_iter().find(|folder| is_closed(folder, 0o1));
    let (closed, mode) = match folder {
        Some(folder) => (folder, "755"),
        None if !is_closed(&real, if real.is_dir() { 0o5 } else { 0o4 }) => return None,
        None => (path, if real.is_dir() { "755" } else { "644" }),
    };
    let what = if closed.is_dir() { "folder" } else { "file" };
    let message =
        format!("only root can read this {what}, and the service usually runs as another user");
    let mut finding = Finding::warning("file-root-only", Some(Place::file(closed)), message);
    finding.remedy = Some(format!("chmod {mode} {}", finding::name(closed)));
    Some(finding)
}

//------------ Who can write --------------------------------------------------

/// The findings about the folder of domains, and about the first file or sub-folder in it with one.
fn of_folder(folder: &Path, finding: fn(&Path) -> Option<Finding>) -> Vec<Finding> {
    let mut findings: Vec<_> = finding(folder).into_iter().collect();
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    };
    let below = entries(folder).flat_map(|path| {
        let in_it: Vec<_> = if path.is_dir() { entries(&path).collect() } else { Vec::new() };
        std::iter::once(path).chain(in_it.into_iter().filter(|path| path.is_file()))
    });
    let of_files: Vec<_> = below.filter_map(|path| finding(&path)).collect();
    let more = of_files.len().saturating_sub(1);
    let first = of_files.into_iter().min_by(|a, b| a.place.cmp(&b.place));
    findings.extend(first.map(|mut finding| {
        if more > 0 {
            finding.message += &format!("; and {more} more files in this folder");
        }
        finding
    }));
    findings
}

fn writable_by_others(path: &Path) -> Option<Finding> {
    let meta = path.metadata().ok()?;
    let (mode, place) = (octal(meta.mode()), Some(Place::file(path)));
    let what = match meta.is_dir() {
        true => "add and replace files in this folder",
        false => "change this file",
    };
    let right = octal(meta.mode() & 0o755);
    // A group with the number of its owner is that user's own.
    let is_of_group = meta.mode() & 0o020 != 0 && meta.gid() != 0 && meta.gid() != meta.uid();
    let mut finding = if meta.mode() & 0o002 != 0 && !is_closed(path) {
        let message = format!("mode {mode}: every user of this machine can {what}");
        Finding::warning("file-writable", place, message)
    } else if is_of_group {
        let message = format!("mode {mode}: group {} can {what}", meta.gid());
        Finding::note("file-writable", place, message)
    } else {
        return None;
    };
    finding.remedy = Some(format!("set its mode to {right}, unless this is intended"));
    Some(finding)
}

//------------ Document roots -------------------------------------------------

fn in_document_root(path: &Path) -> Option<Finding> {
    let root = document_root(path)?;
    let message =
        format!("it lies in {}, which a web server sends to anybody", finding::name(&root));
    let mut finding = Finding::warning("file-exposed", Some(Place::file(path)), message);
    finding.remedy = Some("move it to a folder above the website".to_owned());
    Some(finding)
}

fn key_in_document_root(key: &Path) -> Option<Finding> {
    let root = document_root(key)?;
    let message = format!(
        "the signing key lies in {}, which a web server sends to anybody",
        finding::name(&root)
    );
    let mut finding = Finding::warning("key-in-web-folder", Some(Place::file(key)), message);
    finding.remedy = Some("move it to a folder above the website".to_owned());
    Some(finding)
}

/// The document root that a file lies in, unless a rule in a folder up to there hides the file, or
/// it lies in a folder of programs.
fn document_root(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    // What is in the folder of domains.
    let shown = if path.is_dir() { path.join("example.org.toml") } else { path.clone() };
    for folder in shown.ancestors().skip(1) {
        let name = |folder: &Path| Some(folder.file_name()?.to_str()?.to_owned());
        let own = name(folder)?;
        if own == RUN_ONLY || hides(&rules(folder), &shown) {
            return None;
        }
        let is_html = || {
            let above = folder.parent().and_then(name);
            own == "html" && above.is_some_and(|above| ABOVE_HTML.contains(&&*above))
        };
        if ROOTS.contains(&&*own) || is_html() {
            return Some(folder.to_owned());
        }
    }
    None
}

/// The rules of a folder, in lower case.
fn rules(folder: &Path) -> String {
    let rules = files::read(&folder.join(RULES), Kind::Configuration).unwrap_or_default();
    String::from_utf8_lossy(&rules).to_lowercase()
}

//------------ What suEXEC refuses ---------------------------------------------

/// The findings about a program and its folder that a web server with suEXEC answers with 500.
fn refused(program: &Path, folder: &Path) -> Vec<Finding> {
    let (Ok(of_program), Ok(of_folder)) = (program.metadata(), folder.metadata()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if let Some(reason) = bad_mode(&of_program) {
        let message = format!("mode {}: {reason}", octal(of_program.mode()));
        let mut finding = Finding::warning("cgi-mode", Some(Place::file(program)), message);
        finding.remedy = Some("set its mode to 755".to_owned());
        findings.push(finding);
    }
    if is_writable_by_others(&of_folder) {
        let message = format!(
            "mode {}: others than its owner can write to this folder, and suEXEC runs no program in it \
             (status 500)",
            octal(of_folder.mode())
        );
        let mut finding = Finding::warning("cgi-folder-mode", Some(Place::file(folder)), message);
        finding.remedy = Some("set its mode to 755".to_owned());
        findings.push(finding);
    }
    if let Some(message) = bad_owner(of_program.uid(), of_folder.uid()) {
        let mut finding = Finding::warning("cgi-owner", Some(Place::file(program)), message);
        finding.remedy = Some("upload it as the user of the website".to_owned());
        findings.push(finding);
    }
    findings
}

fn bad_mode(program: &Metadata) -> Option<&'static str> {
    if program.mode() & 0o111 == 0 {
        return Some("the web server cannot run the program (status 403 or 500)");
    }
    if is_writable_by_others(program) {
        return Some(
            "others than its owner can write to the program, and suEXEC does not run it (status 500)",
        );
    }
    let changes_user = program.mode() & 0o6000 != 0;
    changes_user.then_some("suEXEC does not run a set-user-ID or set-group-ID program (status 500)")
}

fn is_writable_by_others(meta: &Metadata) -> bool {
    meta.mode() & 0o022 != 0
}

/// Of the program and its folder, and of the user who checks them: the web server runs the program as
/// this user. Root checks for others, and a program of root is run without suEXEC.
fn bad_owner(program: u32, folder: u32) -> Option<String> {
    let user = rustix::process::geteuid();
    if program != folder {
        return Some(format!(
            "it belongs to user {program} and its folder to user {folder}: suEXEC does not run it \
             (status 500)"
        ));
    }
    let is_other = !user.is_root() && program != 0 && program != user.as_raw();
    is_other.then(|| {
        let user = user.as_raw();
        format!("it belongs to user {program}: suEXEC does not run it as user {user} (status 500)")
    })
}

/// The bits of a mode that people set: `755`, `4755`.
fn octal(mode: u32) -> String {
    format!("{:o}", mode & 0o7777)
}

//------------ What is sent to anybody -----------------------------------------

/// The files in the web folder that no rule beside the program hides.
fn shown<'a>(folder: &Path, paths: impl Iterator<Item = &'a Path>) -> Vec<Finding> {
    let rules = rules(folder);
    let is_shown = |path: &&Path| is_below(path, folder) && !hides(&rules, path);
    let finding = |path: &Path| {
        let message = "it lies in the folder of the program, and no rule in the .htaccess there hides it: \
                       anybody can download it";
        let mut finding = Finding::warning("file-exposed", Some(Place::file(path)), message);
        finding.remedy = Some(
            "take contrib/apache/htaccess as .htaccess, which hides *.toml and lists named domains.txt"
                .to_owned(),
        );
        finding
    };
    paths.filter(is_shown).map(finding).collect()
}

/// True if a line of these rules, in lower case, denies files like this one: by its extension, or by
/// its whole name if that has none or is a `.txt`.
fn hides(rules: &str, path: &Path) -> bool {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|it| it.to_string_lossy().to_lowercase());
    let extension = text(path.extension()).filter(|extension| extension != "txt");
    let Some(word) = extension.or_else(|| text(path.file_name())) else { return false };
    let denies = |line: &str| {
        let is_rule = line.starts_with("rewriterule ")
            && ["r=404", "r=403", "[f", ",f,", ",f]"].iter().any(|flag| line.contains(flag));
        // In an expression, dots have a backslash.
        (is_rule || line.starts_with("<files")) && has_word(&line.replace("\\.", "."), &word)
    };
    rules.lines().map(str::trim_start).any(denies)
}

/// True if a text has this word, and not only as a part of a longer one: `main.txt` is not hidden by
/// a rule for `domains.txt`, and `domains` neither.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_-".contains(c);
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        let is_class = before.ends_with('\\');
        !is_class
            && !before.ends_with(is_part)
            && !behind.starts_with(is_part)
            // An extension, or a class of characters, goes on with the name.
            && !behind.starts_with(['.', '['])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_hide_what_they_name() {
        let ours = include_str!("../../contrib/apache/htaccess").to_lowercase();
        for name in ["mailsetup.toml", "x/Example.org.TOML", "domains.txt", "profile.key"] {
            assert!(hides(&ours, Path::new(name)), "{name}");
        }
        let shown = ["customers.txt", "customers", "virtual_domains", "domain.txt", "main.txt"];
        for name in shown.into_iter().chain(["mail.txt", "old.txt", "domains", "list.d", "list.c"])
        {
            assert!(!hides(&ours, Path::new(name)), "{name}");
        }
        let others = [
            ("<filesmatch \"\\.toml$\">\nrequire all denied\n</filesmatch>", true),
            ("  rewriterule \\.toml$ - [f]", true),
            ("rewriterule \\.toml$ - [nc,f,l]", true),
            ("# rewriterule \\.toml$ - [f]", false),
            ("rewriterule \\.toml$ mailsetup.cgi [l]", false),
            ("rewriteengine on", false),
            ("", false),
        ];
        for (rules, is_hidden) in others {
            assert_eq!(hides(rules, Path::new("mailsetup.toml")), is_hidden, "{rules}");
        }
    }

    /// The owner of a file of this test is the user that runs it.
    #[test]
    fn owners_are_compared() {
        let user = rustix::process::geteuid();
        assert_eq!(bad_owner(user.as_raw(), user.as_raw()), None);
        assert_eq!(bad_owner(0, 0), None);
        assert!(bad_owner(7, 8).is_some());
        assert_eq!(bad_owner(4_000_000, 4_000_000).is_some(), !user.is_root());
    }
}
