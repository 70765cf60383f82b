//! `check` on shared hosting: modes, owners and places of files. `servers/hosting.rs` compares the
//! findings with what Apache does.

use crate::common::namespace::{CGI_PROGRAM, Namespace, PROGRAM};
use crate::common::{Sandbox, command, copy_program, program, source, write};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A web folder with the program, its configuration and contrib's `.htaccess`.
fn folder(sandbox: &Sandbox, name: &str, config: &str) -> PathBuf {
    let folder = sandbox.path(name);
    write(&folder.join("mailsetup.toml"), config);
    let rules = fs::read_to_string(source("contrib/apache/htaccess")).expect("htaccess");
    write(&folder.join(".htaccess"), rules);
    copy_program(program(), &folder.join("mailsetup.cgi"));
    set_mode(&folder.join("mailsetup.cgi"), 0o755);
    set_mode(&folder, 0o755);
    folder
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

/// The findings as `CODE FILE`, of the program and without an option.
fn check(program: &Path, arguments: &[&str]) -> Vec<String> {
    let mut check = command(program);
    let output = check.args(["check", "--json"]).args(arguments).output().expect("the program");
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |finding: &Value| {
        let file = finding["file"].as_str().expect("a file");
        let name = Path::new(file).file_name().expect("a name").to_string_lossy().into_owned();
        assert!(finding["remedy"].is_string() || finding["level"] == "error", "{finding}");
        format!("{} {name}", finding["code"].as_str().expect("a code"))
    };
    findings.iter().map(text).collect()
}

const NAMED: &str = "[domain.'example.org']\n";

#[test]
fn a_web_folder_as_it_should_be_has_no_findings() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox, "public_html", NAMED);
    let none: [&str; 0] = [];
    assert_eq!(check(&folder.join("mailsetup.cgi"), &[]), none);
    for mode in [0o700, 0o711, 0o555] {
        set_mode(&folder.join("mailsetup.cgi"), mode);
        assert_eq!(check(&folder.join("mailsetup.cgi"), &[]), none, "{mode:o}");
    }
    // The configuration need not exist.
    fs::remove_file(folder.join("mailsetup.toml")).expect("remove");
    assert_eq!(check(&folder.join("mailsetup.cgi"), &[]), none);
}

#[test]
fn what_suexec_refuses_is_a_warning() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox, "public_html", NAMED);
    let cgi = folder.join("mailsetup.cgi");
    let config = folder.join("mailsetup.toml");
    let beside = ["--config", config.to_str().expect("UTF-8")];
    for mode in [0o775, 0o757, 0o777, 0o4755, 0o2755] {
        set_mode(&cgi, mode);
        assert_eq!(check(&cgi, &[]), ["cgi-mode mailsetup.cgi"], "{mode:o}");
        assert_eq!(check(&program(), &beside), ["cgi-mode mailsetup.cgi"], "{mode:o}");
    }
    set_mode(&cgi, 0o644);
    assert_eq!(check(&program(), &beside), ["cgi-mode mailsetup.cgi"]);
    set_mode(&cgi, 0o755);
    for mode in [0o775, 0o757, 0o1777] {
        set_mode(&folder, mode);
        assert_eq!(check(&cgi, &[]), ["cgi-folder-mode public_html"], "{mode:o}");
    }
}

#[test]
fn files_that_no_rule_hides_are_a_warning() {
    let sandbox = Sandbox::new();
    let config = "domains.list_files = ['domains.txt', 'customers.txt', '../above.txt']\n";
    let folder = folder(&sandbox, "public_html", config);
    for list in ["domains.txt", "customers.txt", "../above.txt"] {
        write(&folder.join(list), "example.org\n");
    }
    let cgi = folder.join("mailsetup.cgi");
    assert_eq!(check(&cgi, &[]), ["file-exposed customers.txt"]);
    // Rules of the site itself.
    write(
        &folder.join(".htaccess"),
        "<FilesMatch \"\\.(toml|txt)$\">\nRequire all denied\n</FilesMatch>\n",
    );
    let lists = ["file-exposed domains.txt", "file-exposed customers.txt"];
    assert_eq!(check(&cgi, &[]), lists);
    fs::remove_file(folder.join(".htaccess")).expect("remove");
    let all = ["file-exposed mailsetup.toml", lists[0], lists[1]];
    assert_eq!(check(&cgi, &[]), all);
    // A configuration with an error is shown, too.
    write(&folder.join("mailsetup.toml"), "imap.port = 0\n");
    assert_eq!(check(&cgi, &[]), ["port-range mailsetup.toml", "file-exposed mailsetup.toml"]);
}

/// A web server runs the files of this folder, and sends none.
#[test]
fn cgi_bin_shows_no_files() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox, "cgi-bin", NAMED);
    fs::remove_file(folder.join(".htaccess")).expect("remove");
    let none: [&str; 0] = [];
    assert_eq!(check(&folder.join("mailsetup.cgi"), &[]), none);
}

#[cfg(feature = "sign")]
#[test]
fn a_key_in_the_web_folder_or_readable_by_others_is_a_warning() {
    let sandbox = Sandbox::new();
    let signing = "[apple]\nsigning_certificate = 'profile.pem'\nsigning_key = 'profile.key'\n";
    let folder = folder(&sandbox, "public_html", &(NAMED.to_owned() + signing));
    let openssl = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=example.org"];
    let mut make = command("openssl");
    make.args(openssl).args(["-keyout", "profile.key", "-out", "profile.pem"]);
    crate::common::run(make.current_dir(&folder));
    let cgi = folder.join("mailsetup.cgi");
    let about_key = |cgi: &Path| {
        let mut findings = check(cgi, &[]);
        findings.retain(|finding| finding.starts_with("key-"));
        findings
    };
    let key = folder.join("profile.key");
    for mode in [0o600, 0o640] {
        set_mode(&key, mode);
        assert_eq!(about_key(&cgi), ["key-in-web-folder profile.key"], "{mode:o}");
    }
    set_mode(&key, 0o644);
    assert_eq!(about_key(&cgi), ["key-in-web-folder profile.key", "key-readable profile.key"]);
    // Above the website.
    let elsewhere = sandbox.path("htdocs/profile.key");
    write(&elsewhere, fs::read(&key).expect("the key"));
    set_mode(&elsewhere, 0o600);
    let config = NAMED.to_owned() + &signing.replace("profile.key", "../htdocs/profile.key");
    write(&folder.join("mailsetup.toml"), config);
    assert_eq!(about_key(&cgi), ["key-in-web-folder profile.key"]);
    let config = NAMED.to_owned() + &signing.replace("profile.key", "../profile.key");
    fs::rename(key, sandbox.path("profile.key")).expect("rename");
    write(&folder.join("mailsetup.toml"), config);
    assert_eq!(about_key(&cgi), ["key-readable profile.key"]);
    set_mode(&sandbox.path("profile.key"), 0o600);
    let none: [&str; 0] = [];
    assert_eq!(about_key(&cgi), none);
    // In a folder that others may not enter, its mode does not matter.
    let closed = sandbox.path("closed");
    fs::create_dir(&closed).expect("mkdir");
    set_mode(&closed, 0o700);
    set_mode(&sandbox.path("profile.key"), 0o644);
    fs::rename(sandbox.path("profile.key"), closed.join("profile.key")).expect("rename");
    let config = NAMED.to_owned() + &signing.replace("profile.key", "../closed/profile.key");
    write(&folder.join("mailsetup.toml"), config);
    assert_eq!(about_key(&cgi), none);
}

/// Whoever can write these files decides where passwords are sent.
#[test]
fn files_that_others_can_write_are_named() {
    let sandbox = Sandbox::new();
    let text = "[domains]\nlist_files = ['list']\ndirectory = 'd'\n[domain.'a.example']\n";
    let config = sandbox.write("c.toml", text);
    let list = sandbox.write("list", "b.example\n");
    let domain = sandbox.write("d/c.example.toml", "");
    sandbox.write("d/d.example.toml", "");
    let arguments = ["--config", config.to_str().expect("UTF-8")];
    let none: [&str; 0] = [];
    assert_eq!(check(&program(), &arguments), none);
    for (path, mode, usual) in [
        (&config, 0o646, 0o644),
        (&list, 0o606, 0o604),
        (&domain, 0o666, 0o644),
        (&sandbox.path("d"), 0o777, 0o755),
    ] {
        set_mode(path, mode);
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(check(&program(), &arguments), [format!("file-writable {name}")]);
        set_mode(path, usual);
        assert_eq!(check(&program(), &arguments), none, "{name}");
    }
    // One line for a folder with many of them.
    set_mode(&domain, 0o666);
    set_mode(&sandbox.path("d/d.example.toml"), 0o666);
    assert_eq!(check(&program(), &arguments), ["file-writable c.example.toml"]);
    set_mode(&domain, 0o644);
    set_mode(&sandbox.path("d/d.example.toml"), 0o644);
    // A group may be intended: a note, unless it is the owner's own or root's.
    set_mode(&config, 0o664);
    assert_eq!(check(&program(), &arguments), none);
    std::os::unix::fs::chown(&config, None, Some(4_000_000)).expect("chown, as root");
    assert_eq!(check(&program(), &arguments), ["file-writable c.toml"]);
    let mut strict = command(program());
    let status = strict.args(["check", "--strict"]).args(arguments).output().expect("the program");
    assert_eq!(status.status.code(), Some(0));
    // In a folder that others may not enter, its mode does not matter.
    set_mode(&config, 0o646);
    set_mode(&sandbox.path(""), 0o750);
    std::os::unix::fs::chown(sandbox.path(""), None, Some(4_000_000)).expect("chown, as root");
    assert_eq!(check(&program(), &arguments), none);
    set_mode(&sandbox.path(""), 0o755);
}

/// A check by root can read files that the service cannot.
#[test]
fn files_that_only_root_can_read_are_named() {
    let sandbox = Sandbox::new();
    let text = "[domains]\nlist_files = ['l/list']\ndirectory = 'd'\n[domain.'a.example']\n";
    let config = sandbox.write("c.toml", text);
    let list = sandbox.write("l/list", "b.example\n");
    let domain = sandbox.write("d/c.example.toml", "");
    sandbox.write("d/d.example.toml", "");
    let folder = sandbox.path("l");
    let arguments = ["--config", config.to_str().expect("UTF-8")];
    let none: [&str; 0] = [];
    assert_eq!(check(&program(), &arguments), none);
    let group =
        |path: &Path, group| std::os::unix::fs::chown(path, None, Some(group)).expect("chown");
    for (path, mode, usual) in [
        (&config, 0o640, 0o644),
        (&list, 0o600, 0o644),
        (&domain, 0o640, 0o644),
        (&sandbox.path("d"), 0o750, 0o755),
        (&sandbox.path("d"), 0o700, 0o755),
        (&folder, 0o700, 0o755),
        (&folder, 0o644, 0o755),
    ] {
        set_mode(path, mode);
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let expected = [format!("file-root-only {name}")];
        assert_eq!(check(&program(), &arguments), expected, "{mode:o}");
        // A group may be that of the service.
        group(path, 4_000_000);
        let is_for_group = mode & 0o050 == 0o050 || mode == 0o640;
        match is_for_group {
            true => assert_eq!(check(&program(), &arguments), none, "{name} {mode:o}"),
            false => assert_eq!(check(&program(), &arguments), expected, "{name} {mode:o}"),
        }
        group(path, 0);
        set_mode(path, usual);
        assert_eq!(check(&program(), &arguments), none, "{name}");
    }
    // One line for a folder above all of them, and one for many files in a folder.
    set_mode(&sandbox.path(""), 0o700);
    assert_eq!(check(&program(), &arguments).len(), 1);
    set_mode(&sandbox.path(""), 0o755);
    set_mode(&domain, 0o600);
    set_mode(&sandbox.path("d/d.example.toml"), 0o600);
    assert_eq!(check(&program(), &arguments), ["file-root-only c.example.toml"]);
    // Files of another user are for a service that runs as that user.
    for path in [&domain, &sandbox.path("d/d.example.toml")] {
        std::os::unix::fs::chown(path, Some(4_000_000), None).expect("chown");
    }
    assert_eq!(check(&program(), &arguments), none);
}

/// Also without a program beside the configuration.
#[test]
fn files_in_a_document_root_are_named() {
    let sandbox = Sandbox::new();
    let none: [&str; 0] = [];
    for (folder, is_root) in [
        ("public_html", true),
        ("htdocs/deep/er", true),
        ("www/html", true),
        ("site/html", false),
        ("www/example.org", false),
        ("public_html/cgi-bin", false),
        ("my_public_html", false),
    ] {
        let config = sandbox.write(&format!("{folder}/c.toml"), NAMED);
        let found = check(&program(), &["--config", config.to_str().expect("UTF-8")]);
        match is_root {
            true => assert_eq!(found, ["file-exposed c.toml"], "{folder}"),
            false => assert_eq!(found, none, "{folder}"),
        }
    }
    // Rules between the file and the root hide it; lists and the folder of domains count, too.
    let text = "[domains]\nlist_files = ['public_html/list.txt']\ndirectory = 'htdocs/d'\n";
    sandbox.write("public_html/list.txt", "a.example\n");
    sandbox.write("htdocs/d/b.example.toml", "");
    let config = sandbox.write("c.toml", text);
    let found = check(&program(), &["--config", config.to_str().expect("UTF-8")]);
    assert_eq!(found, ["file-exposed list.txt", "file-exposed d"]);
    sandbox.write("htdocs/.htaccess", "RewriteRule \\.toml$ - [F]\n");
    let found = check(&program(), &["--config", config.to_str().expect("UTF-8")]);
    assert_eq!(found, ["file-exposed list.txt"]);
}

/// `/usr/bin/mailsetup` with `/etc/mailsetup/config.toml`, also called by its link in cgi-bin.
#[test]
fn an_installed_program_has_no_findings() {
    Namespace::run(|_| {
        write(Path::new("/etc/mailsetup/config.toml"), NAMED.to_owned() + LIST);
        write(Path::new("/etc/mailsetup/domains.txt"), "example.net\n");
        for program in [PROGRAM, CGI_PROGRAM] {
            let none: [&str; 0] = [];
            assert_eq!(check(Path::new(program), &[]), none, "{program}");
        }
    });
}

const LIST: &str = "[domains]\nlist_files = ['domains.txt']\n";
