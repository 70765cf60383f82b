//! Taking over from an old responder: after `mailsetup import` of its configuration, the documents are
//! those of before, value by value, but for the differences of `wanted.rs`.
//!
//! What the old responders answered is recorded in `fixtures/takeover`. `live.rs` runs them again.

mod live;
mod values;
mod wanted;

use crate::common::http::{Request, Response};
use crate::common::{Sandbox, cgi, command, program, source};
use crate::documents;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use values::{Kind, differences, values};
use wanted::{WANTED, Wanted};

/// A recorded responder: its folder, and what an admin passes to `mailsetup import`.
struct Responder {
    name: &'static str,
    files: &'static [&'static str],
}

const RESPONDERS: &[Responder] = &[
    Responder { name: "automx2-seed", files: &["seed.json"] },
    Responder { name: "automx2-seed-1", files: &["seed.json"] },
    Responder { name: "automx2-database", files: &["database.json"] },
    Responder { name: "automx-1", files: &["automx.conf"] },
    Responder { name: "monogramm-ssl", files: &["docker-compose.yml"] },
    Responder { name: "monogramm-starttls", files: &["autodiscover.env"] },
    Responder { name: "monogramm-pop", files: &["inspect.json"] },
    Responder { name: "go-autoconfig", files: &["config.yml"] },
    Responder { name: "wdes", files: &["docker-compose.yml"] },
    Responder {
        name: "php-heredoc",
        files: &[
            "site/mail/autoconfig.php",
            "site/autodiscover/autodiscover.php",
            "site/mobileconfig.php",
        ],
    },
    Responder {
        name: "php-html",
        files: &[
            "site/mail/config-v1.1.xml",
            "site/Autodiscover/Autodiscover.xml/index.php",
            "site/email.mobileconfig/index.php",
        ],
    },
    Responder { name: "php-variables", files: &["site/autoconfig.php", "site/autodiscover.php"] },
];

/// A recorded answer.
struct Answer {
    /// The request that it answers.
    request: String,
    domain: String,
    kind: Kind,
    body: Vec<u8>,
}

fn folder(responder: &str) -> PathBuf {
    source("tests/fixtures/takeover").join(responder)
}

/// The recorded answers of a responder.
fn answers(responder: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for file in fs::read_dir(folder(responder).join("answers")).expect(responder) {
        let path = file.expect("directory entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (request, domain) = name.split_once('@').unwrap_or((&name, "example.org"));
        let bytes = fs::read(&path).expect("an answer");
        let blank = bytes.windows(2).position(|pair| pair == b"\n\n").expect("a blank line");
        let body = bytes[blank + 2..].to_vec();
        let kind = Kind::of(&body).unwrap_or_else(|| panic!("what is {}?", path.display()));
        answers.push(Answer { request: request.to_owned(), domain: domain.to_owned(), kind, body });
    }
    answers.sort_by(|a, b| (&a.domain, &a.request).cmp(&(&b.domain, &b.request)));
    answers
}

/// Whether Autodiscover is asked by GET, without a mailbox; `mailsetup show` is for a mailbox.
fn is_of_a_domain(request: &str) -> bool {
    request.contains("-pox-get")
}

/// `mailsetup import` of these files, into a configuration in the sandbox.
fn import(sandbox: &Sandbox, files: &[PathBuf]) -> PathBuf {
    let mut import = command(program());
    let output = import.args(["import", "--stdout"]).args(files).output().expect("program");
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{files:?}: {}\n{notes}", output.status);
    let config = sandbox.write("config.toml", output.stdout);
    let check = command(program()).arg("--config").arg(&config).arg("check").output();
    let check = check.expect("program");
    let findings = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success(), "{files:?}: {findings}\n{}", read(&config));
    config
}

fn read(config: &Path) -> String {
    fs::read_to_string(config).expect("a configuration")
}

/// What `mailsetup show` prints for `ann@` and the domain; the error is its message.
fn show(config: &Path, kind: Kind, domain: &str) -> Result<Vec<u8>, String> {
    let mut show = command(program());
    show.arg("--config").arg(config).args(["show", &format!("ann@{domain}")]);
    let output = show.args(["--client", kind.client()]).output().expect("program");
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The recorded request of a client, of this domain.
fn request(name: &str, domain: &str) -> Request {
    let own = source("tests/fixtures/takeover/requests").join(format!("{name}.http"));
    let request = if own.exists() { documents::read_file(&own) } else { documents::read(name) };
    of_domain(request, domain)
}

/// The same request to the host names of another domain, for an address there.
fn of_domain(mut request: Request, domain: &str) -> Request {
    let replaced = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        text.replace("example.org", domain).into_bytes()
    };
    request.target = replaced(&request.target);
    request.body = request.body.as_deref().map(replaced);
    for (name, value) in &mut request.headers {
        if name.eq_ignore_ascii_case("host") {
            *value = replaced(value);
        }
    }
    request
}

fn ask(config: &Path, request: &Request) -> Response {
    let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
    cgi::send(&program(), request, &settings).expect("an answer")
}

/// The differences of two documents that nobody wants, a line each; `used` gets the others.
fn unwanted(
    responder: &str,
    kind: Kind,
    domain: &str,
    [old, new]: [&[u8]; 2],
    used: &mut BTreeSet<usize>,
) -> String {
    let mut text = String::new();
    let [old, new] = [old, new].map(|body| values(kind, body, domain));
    for (name, old, new) in differences(&old, &new) {
        let is_it = |wanted: &Wanted| wanted.is_it(responder, kind, [&name, &old, &new]);
        match WANTED.iter().position(is_it) {
            Some(at) => {
                used.insert(at);
            }
            None => {
                writeln!(text, "{responder}, {domain}, {kind:?}: {name}: {old} -> {new}")
                    .expect("memory");
            }
        }
    }
    text
}

/// `mailsetup show` prints the values of the old responder, and a recorded request of each client gets
/// the same document.
#[test]
fn documents_have_the_values_of_the_old_responder() {
    let mut failures = String::new();
    let mut used = BTreeSet::new();
    let mut compared = 0;
    for responder in RESPONDERS {
        let sandbox = Sandbox::new();
        let name = responder.name;
        let files: Vec<_> = responder.files.iter().map(|file| folder(name).join(file)).collect();
        let config = import(&sandbox, &files);
        let mut own = String::new();
        for Answer { request: asked, domain, kind, body: old } in answers(name) {
            compared += 1;
            if !is_of_a_domain(&asked) {
                match show(&config, kind, &domain) {
                    Ok(new) => own += &unwanted(name, kind, &domain, [&old, &new], &mut used),
                    Err(message) => writeln!(own, "{name}: {message}").expect("memory"),
                }
            }
            // Links to a profile are of the site: docs/import.md has the rules for them.
            if asked.starts_with("profile-") {
                continue;
            }
            let response = ask(&config, &request(&asked, &domain));
            if response.status == 200 {
                own += &unwanted(name, kind, &domain, [&old, &response.body], &mut used);
            } else {
                writeln!(own, "{asked} of {domain} gets {}: {}", response.status, response.text())
                    .expect("memory");
            }
        }
        if !own.is_empty() {
            writeln!(failures, "\n{own}---\n{}", read(&config)).expect("memory");
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(compared > 40, "{compared} documents");
    let stale = WANTED.iter().enumerate().filter(|(at, _)| !used.contains(at));
    let stale: Vec<_> = stale.map(|(_, wanted)| format!("{wanted:?}")).collect();
    assert!(stale.is_empty(), "no such difference: {stale:#?}");
}

/// Each recorded document is an input, too: what it says is said again. Whether a login of one mailbox
/// is part of its address is not known if the document does not have the address.
#[test]
fn a_document_alone_is_enough_for_its_values() {
    let mut failures = String::new();
    for responder in RESPONDERS {
        let answers = answers(responder.name).into_iter();
        let answers = answers.filter(|answer| !is_of_a_domain(&answer.request));
        for Answer { request: asked, domain, kind, body: old } in answers {
            let sandbox = Sandbox::new();
            let config = import(&sandbox, &[sandbox.write(&asked, &old)]);
            let mut old = old;
            if let Some(text) = without_bare_logins(&old, &domain) {
                old = text;
            }
            let own = match show(&config, kind, &domain) {
                Ok(new) => {
                    let pair = [&old[..], &new[..]];
                    unwanted(responder.name, kind, &domain, pair, &mut BTreeSet::new())
                }
                Err(message) => message,
            };
            if !own.is_empty() {
                writeln!(failures, "\n{asked}: {own}---\n{}", read(&config)).expect("memory");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// A document without the address whose login is the part before the `@`, with the address instead: that is
/// assumed then.
fn without_bare_logins(body: &[u8], domain: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let bare = ["<LoginName>ann</LoginName>", "<username>ann</username>"];
    if text.contains(&format!("ann@{domain}")) || !bare.iter().any(|login| text.contains(login)) {
        return None;
    }
    let address = |login: &str| login.replace(">ann<", &format!(">ann@{domain}<"));
    let text =
        bare.iter().fold(text.to_owned(), |text, login| text.replace(login, &address(login)));
    Some(text.into_bytes())
}

/// The documentation has the statement of the program.
#[test]
fn the_statement_for_a_database_is_documented() {
    let page = fs::read_to_string(source("docs/import.md")).expect("a page");
    assert!(page.contains(&format!(" \"\n{}\n\" >", mailsetup::import::STATEMENT)));
}

/// Each folder of fixtures is compared.
#[test]
fn every_recorded_responder_is_imported() {
    let folders = fs::read_dir(source("tests/fixtures/takeover")).expect("fixtures");
    let folders = folders.map(|entry| entry.expect("directory entry").path());
    let mut found: Vec<_> = folders.filter(|path| path.join("answers").is_dir()).collect();
    found.sort();
    let mut known: Vec<_> = RESPONDERS.iter().map(|it| folder(it.name)).collect();
    known.sort();
    assert_eq!(found, known);
    let readme = fs::read_to_string(source("tests/fixtures/takeover/README.md")).expect("README");
    for responder in RESPONDERS {
        assert!(readme.contains(&format!("`{}`", responder.name)), "{}", responder.name);
    }
}
