//! Old responders that really run, each in a namespace of its own: PHP scripts under nginx and Apache as
//! an admin has them, and automx2. The same requests are answered before and after mailsetup has
//! taken over at the same URLs, and again after the way back.

use super::values::{Kind, values};
use super::{Answer, RESPONDERS, Responder, answers, folder, request, unwanted};
use crate::common::http::{self, Request, Response};
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, run, source, write};
use crate::documents::{read, recorded};
use crate::servers::{HTTP, apache, listens, local, nginx, serve, servers_directory};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where an admin has the old site.
const SITE: &str = "/etc/nginx/sites-enabled/autoconfig";
const SCRIPTS: &str = "/var/www/autoconfig";
const CONFIG: &str = "/etc/mailsetup/config.toml";
/// The address of automx2 in its documentation.
const AUTOMX2: u16 = 4243;

//------------ requests -------------------------------------------------------

/// The answers with a document, by the name of the request.
type Answers = BTreeMap<String, Response>;

/// Sends the requests that clients make for ann@example.org, or without an address, and those of the
/// links to profiles.
fn ask_all(links: &[&str]) -> Answers {
    let mut answers = Answers::new();
    let names = recorded().into_iter().filter(|name| is_of_a_client(name));
    let mut requests: Vec<_> = names.map(|name| (read(&name), name)).collect();
    requests.extend(links.iter().map(|link| (request(link, "example.org"), (*link).to_owned())));
    for (request, name) in requests {
        if is_ours(&request) {
            let answer = http::send(HTTP, &plain(request)).expect(&name);
            if answer.status == 200 && Kind::of(&answer.body).is_some() {
                answers.insert(name, answer);
            }
        }
    }
    answers
}

/// Whether no test made it up.
fn is_of_a_client(name: &str) -> bool {
    !["pox-", "json-", "address-case", "host-port"].iter().any(|own| name.starts_with(own))
}

/// Whether it is for example.org, and for no mailbox but ann; and not for ActiveSync, which old
/// responders take for Outlook.
fn is_ours(request: &Request) -> bool {
    let host = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.map(|(_, value)| &value[..]).unwrap_or_default();
    let parts = [host, &request.target, request.body.as_deref().unwrap_or_default()];
    let text: String = parts.map(String::from_utf8_lossy).concat();
    let text = text.replace("%40", "@");
    let others = ["hoster.example", "unknown.example", "xn--", "mobilesync"];
    let is_ann = |at: usize| text[..at].ends_with("ann");
    text.contains("example.org")
        && !others.iter().any(|other| text.contains(other))
        && text.match_indices('@').all(|(at, _)| is_ann(at))
}

/// Without the compression that some clients accept.
fn plain(mut request: Request) -> Request {
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("accept-encoding"));
    request
}

/// The old responder still answers as recorded, but for what it makes anew each time.
fn is_as_recorded(responder: &Responder) {
    let mut failures = Vec::new();
    for Answer { request: asked, domain, kind, body } in answers(responder.name) {
        let answer = http::send(HTTP, &plain(request(&asked, &domain))).expect(&asked);
        assert_eq!(answer.status, 200, "{asked}: {}", answer.text());
        let [old, new] = [&body, &answer.body].map(|body| {
            let mut values = values(kind, body, &domain);
            let is_random = ["PayloadUUID", "PayloadIdentifier"];
            values.retain(|name, _| !is_random.iter().any(|end| name.ends_with(end)));
            values
        });
        if old != new {
            failures.push(format!("{asked} {domain}: {:#?}", super::differences(&old, &new)));
        }
    }
    assert!(failures.is_empty(), "{}: {}", responder.name, failures.join("\n"));
}

/// What was answered before is answered after, with the same values.
fn are_the_same(responder: &Responder, before: &Answers, after: &Answers) {
    let mut failures = String::new();
    for (name, old) in before {
        match after.get(name) {
            Some(new) => {
                let kind = Kind::of(&old.body).expect("a document");
                assert_eq!(Kind::of(&new.body), Some(kind), "{name}");
                let pair = [&old.body[..], &new.body[..]];
                failures +=
                    &unwanted(responder.name, kind, "example.org", pair, &mut BTreeSet::new());
            }
            None => failures += &format!("{name}: no document\n"),
        }
    }
    assert!(failures.is_empty(), "{failures}\n{}", fs::read_to_string(CONFIG).expect("config"));
}

//------------ the three commands ---------------------------------------------

/// Those of the README: `mailsetup import`, `mailsetup hook`, and the reload that follows.
fn take_over(files: &[PathBuf], server: &str, hook: &str) {
    let mut import = command(PROGRAM);
    run(import.arg("import").args(files));
    let mut print = command(PROGRAM);
    write(Path::new(hook), run(print.args(["hook", server])));
}

/// The site of nginx with the include, without the old rules for the same paths.
fn without_old_rules(site: &str, also: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in site.lines() {
        let rule = line.trim_start().starts_with("location");
        let ours = ["autodiscover", "Autodiscover", "AutoDiscover", "config-v1", "mobileconfig"];
        inside |= rule && ours.iter().any(|path| line.contains(path));
        if !inside {
            text += line;
            text.push('\n');
            if line.trim_start().starts_with("server_name") {
                text += &format!("    include snippets/mailsetup.conf;\n{also}");
            }
        }
        inside &= !line.trim_end().ends_with('}');
    }
    text
}

fn responder(name: &str) -> &'static Responder {
    RESPONDERS.iter().find(|it| it.name == name).expect(name)
}

/// Runs a test of a site under nginx: old, taken over, and back.
fn under_nginx(world: &Namespace, name: &str, old: Vec<Process>, links: &[&str], also: &str) {
    let responder = responder(name);
    let site = fs::read_to_string(SITE).expect("a site");
    let before = {
        let _server = nginx::start_with(world, None);
        is_as_recorded(responder);
        ask_all(links)
    };
    assert!(before.len() > 10, "{name}: {:?}", before.keys());
    let files = responder.files.iter().map(|file| folder(name).join(file)).collect::<Vec<_>>();
    take_over(&files, "nginx", "/etc/nginx/snippets/mailsetup.conf");
    {
        write(Path::new(SITE), without_old_rules(&site, also));
        let _service = serve(world);
        let _server = nginx::start_with(world, None);
        are_the_same(responder, &before, &ask_all(links));
    }
    // The way back.
    write(Path::new(SITE), site);
    let _server = nginx::start_with(world, None);
    is_as_recorded(responder);
    drop(old);
}

//------------ PHP ------------------------------------------------------------

/// php-fpm at the socket that Debian's packages have.
fn php(world: &Namespace) -> Process {
    let programs = fs::read_dir("/usr/sbin").expect("/usr/sbin").flatten();
    let mut programs = programs.map(|entry| entry.path());
    let is_it = |path: &PathBuf| path.to_string_lossy().starts_with("/usr/sbin/php-fpm");
    let program = programs.find(is_it).expect("no php-fpm: sh tests/install-takeover.sh");
    servers_directory("/run/php");
    let pool = "[global]\nerror_log = /run/php/log\n[www]\nuser = www-data\ngroup = www-data\n\
        listen = /run/php/php-fpm.sock\nlisten.owner = www-data\npm = static\npm.max_children = 2\n";
    write(Path::new("/etc/php/takeover.conf"), pool);
    let mut command = command(program);
    command.args(["--nodaemonize", "--fpm-config", "/etc/php/takeover.conf"]);
    let is_open = || std::os::unix::net::UnixStream::connect("/run/php/php-fpm.sock").is_ok();
    Process::start(world.sandbox, &mut command).wait_until(is_open)
}

fn scripts(name: &str) {
    fs::create_dir_all("/var/www").expect("mkdir");
    let from = folder(name).join("site");
    run(command("cp").arg("-r").arg(from).arg(SCRIPTS));
}

fn php_under_nginx(name: &str, links: &[&str], also: &str) {
    Namespace::run(|world| {
        scripts(name);
        nginx::clear_sites();
        write(Path::new(SITE), fs::read(folder(name).join("nginx.conf")).expect("a site"));
        let old = vec![php(world)];
        under_nginx(world, name, old, links, also);
    });
}

#[test]
#[ignore = "make test-takeover installs what it needs"]
fn php_scripts_with_heredocs() {
    let rule = "    rewrite ^/mobileconfig\\.php$ /mobileconfig last;\n";
    php_under_nginx("php-heredoc", &["profile-php"], rule);
}

#[test]
#[ignore = "make test-takeover installs what it needs"]
fn php_scripts_with_markup() {
    php_under_nginx("php-html", &[], "");
}

#[test]
#[ignore = "make test-takeover installs what it needs"]
fn php_scripts_with_variables() {
    php_under_nginx("php-variables", &[], "");
}

/// Under Apache, the file of contrib has precedence over the rules in .htaccess, which may stay.
#[test]
#[ignore = "make test-takeover installs what it needs"]
fn php_scripts_under_apache() {
    let rule = "RewriteEngine On\nRewriteRule ^/mobileconfig\\.php$ /mobileconfig [PT]\n";
    for (name, links, also) in [
        ("php-heredoc", &["profile-php"][..], rule),
        ("php-html", &[], ""),
        ("php-variables", &[], ""),
    ] {
        Namespace::run(|world| php_under_apache(world, responder(name), links, also));
    }
}

fn php_under_apache(world: &Namespace, responder: &Responder, links: &[&str], also: &str) {
    let name = responder.name;
    let modules = ["dir", "mime", "proxy", "proxy_fcgi", "rewrite", "setenvif"];
    let site = |also: &str| {
        let site = format!(
            "<VirtualHost *:80>\nDocumentRoot {SCRIPTS}\n{also}\
             <Directory {SCRIPTS}>\nAllowOverride All\n</Directory>\n\
             <FilesMatch \"\\.php$\">\n\
             SetHandler \"proxy:unix:/run/php/php-fpm.sock|fcgi://localhost\"\n\
             </FilesMatch>\n</VirtualHost>\n"
        );
        write(Path::new("/etc/apache2/sites-enabled/autoconfig.conf"), site);
    };
    scripts(name);
    let rules = fs::read(folder(name).join("htaccess")).expect("rules");
    write(&Path::new(SCRIPTS).join(".htaccess"), rules);
    apache::clear();
    site("");
    let _php = php(world);
    let before = {
        let _server = apache::start(world, "event", &modules);
        is_as_recorded(responder);
        ask_all(links)
    };
    assert!(before.len() > 10, "{name}: {:?}", before.keys());
    let files: Vec<_> = responder.files.iter().map(|file| folder(name).join(file)).collect();
    let conf = "/etc/apache2/conf-enabled/mailsetup.conf";
    take_over(&files, "apache", conf);
    site(also);
    {
        let _service = serve(world);
        let _server = apache::start(world, "event", &modules);
        are_the_same(responder, &before, &ask_all(links));
    }
    // The way back: a2disconf.
    fs::remove_file(conf).expect("the file");
    site("");
    let _server = apache::start(world, "event", &modules);
    is_as_recorded(responder);
}

//------------ automx2 --------------------------------------------------------

/// automx2 from PyPI in this version, with a database in the sandbox.
fn automx2(world: &Namespace, version: &str) -> Process {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("takeover");
    let flask = folder.join(format!("automx2-{version}/bin/flask"));
    assert!(flask.exists(), "{} is missing: sh tests/install-takeover.sh", flask.display());
    let script = fs::read_to_string(source("tests/install-takeover.sh")).expect("the script");
    assert!(script.contains(version), "{version} is not the installed one");
    let database = world.sandbox.path("automx2.sqlite");
    let config =
        format!("[automx2]\nloglevel = WARNING\ndb_uri = sqlite:///{}\n", database.display());
    let config = world.sandbox.write("automx2.conf", config);
    let mut command = command(flask);
    command.env("AUTOMX2_CONF", config).env("FLASK_APP", "automx2.server:app");
    command.args(["run", "--host=127.0.0.1", &format!("--port={AUTOMX2}")]);
    Process::start(world.sandbox, &mut command).wait_until(|| listens(local(AUTOMX2)))
}

/// The site in front of it.
fn proxy() {
    nginx::clear_sites();
    let site = fs::read(folder("automx2-seed").join("nginx.conf")).expect("a site");
    write(Path::new(SITE), site);
}

const AUTOMX2_LINK: &str = "    rewrite ^/mobileconfig/$ /mobileconfig last;\n";

fn seeded(name: &str, version: &str) {
    Namespace::run(|world| {
        let old = automx2(world, version);
        let seed = fs::read(folder(name).join("seed.json")).expect("a seed");
        let request = Request::new("POST", "/initdb/").header("Content-Type", "application/json");
        let answer = http::send(local(AUTOMX2), &request.body(seed)).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        proxy();
        under_nginx(world, name, vec![old], &["profile-automx2"], AUTOMX2_LINK);
    });
}

#[test]
#[ignore = "make test-takeover installs what it needs"]
fn automx2_with_a_seed() {
    seeded("automx2-seed", "2026.2");
}

/// The rows that are imported are those that the command in the documentation prints.
#[test]
#[ignore = "make test-takeover installs what it needs"]
fn automx2_with_its_database() {
    Namespace::run(|world| {
        let name = "automx2-database";
        let old = automx2(world, "2026.2");
        // The program makes its tables, and fills them with examples.
        for method in ["GET", "DELETE"] {
            let request = Request::new(method, "/initdb/");
            let answer = http::send(local(AUTOMX2), &request).expect("an answer");
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let database = world.sandbox.path("automx2.sqlite");
        let rows = fs::File::open(folder(name).join("database.sql")).expect("rows");
        run(command("sqlite3").arg(&database).stdin(rows));
        let page = fs::read_to_string(source("docs/import.md")).expect("a page");
        let (_, shown) = page.split_once("```text\nsqlite3 -json ").expect("a command");
        let (shown, _) = shown.split_once(" >").expect("its end");
        let (path, statement) = shown.split_once(' ').expect("a path");
        let script = format!("sqlite3 -json '{}' {statement}", database.display());
        assert_eq!(path, "/var/lib/automx2/db.sqlite");
        let printed = run(command("sh").args(["-c", &script]));
        let recorded = fs::read_to_string(folder(name).join("database.json")).expect("rows");
        assert_eq!(printed, recorded);
        proxy();
        under_nginx(world, name, vec![old], &["profile-automx2"], AUTOMX2_LINK);
    });
}

#[test]
#[ignore = "make test-takeover installs what it needs"]
fn automx2_with_an_older_seed() {
    seeded("automx2-seed-1", "2026.0");
}
