//! Files of an admin: with errors, huge, cut, and rewritten in every way during requests.
//!
//! Two clients send requests with pauses, so that the service is measured and not the competition
//! for processors. Each version of the files names hosts that begin with `good`; a response with
//! any other host is wrong, and so is one for a domain that is not named.

use crate::changes::SIGNING;
use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, command, run, wait_until};
use crate::load::{Load, Question, Tally};
use crate::service::{Place, memory};
use crate::{Row, Size};
use mailsetup::config::parts;
use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

//------------ responses ------------------------------------------------------

/// The base in version `number`.
pub fn base(number: usize) -> String {
    ["imap", "pop3", "smtp"]
        .map(|key| format!("{key}.host = 'good{number}.example.org'\n"))
        .concat()
}

/// True if every host in an autoconfig document is a valid one.
fn has_good_hosts(answer: &Response) -> bool {
    let text = answer.text();
    let mut hosts = text.split("<hostname>").skip(1).peekable();
    answer.status == 200 && hosts.peek().is_some() && hosts.all(|host| host.starts_with("good"))
}

fn has(answer: &Response, word: &[u8]) -> bool {
    answer.body.windows(word.len()).any(|part| part == word)
}

pub fn autoconfig(domain: &str) -> Question {
    let target = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
    Question { request: Request::get(target), is_good: has_good_hosts }
}

fn stranger() -> Question {
    let target = "/mail/config-v1.1.xml?emailaddress=ann@stranger.example";
    let request = Request::get(target).host("autoconfig.stranger.example");
    Question { request, is_good: |answer| answer.status == 404 }
}

fn profile() -> Question {
    Question {
        request: Request::get("/mobileconfig?emailaddress=ann@example.org"),
        is_good: |answer| {
            answer.status == 200 && has(answer, b">good") && !has(answer, b">mail.example.org<")
        },
    }
}

/// A signed profile that includes the certificate of the authority, which names the root.
fn signed_profile() -> Question {
    Question {
        request: profile().request,
        is_good: |answer| {
            (profile().is_good)(answer)
                && answer.body.starts_with(&[0x30, 0x82])
                && has(answer, ROOT.as_bytes())
        },
    }
}

/// The common name of the root.
const ROOT: &str = "root of the soak";

/// Creates a certificate by an authority below a root: `leaf.pem`, `authority.pem`, `used.key`.
fn certificates(sandbox: &Sandbox) {
    let path = |name: &str| sandbox.path(name);
    sandbox.write("ca", "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n");
    sandbox.write("end", "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n");
    for (name, subject, issuer, extensions) in [
        ("root", ROOT, None, "ca"),
        ("authority", "authority", Some("root"), "ca"),
        ("leaf", "mail.example.org", Some("authority"), "end"),
    ] {
        let (key, request) = (path(&format!("{name}.key")), path(&format!("{name}.csr")));
        let mut openssl = command("openssl");
        openssl.args(["req", "-new", "-nodes", "-newkey", "ec"]);
        openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.args(["-subj", &format!("/CN={subject}"), "-keyout"]).arg(&key);
        run(openssl.arg("-out").arg(&request));
        let mut openssl = command("openssl");
        openssl.args(["x509", "-req", "-days", "90", "-extfile"]).arg(path(extensions));
        openssl.arg("-in").arg(request).arg("-out").arg(path(&format!("{name}.pem")));
        match issuer {
            None => openssl.arg("-key").arg(key),
            Some(issuer) => {
                let path = |end: &str| path(&format!("{issuer}.{end}"));
                openssl.arg("-CA").arg(path("pem")).arg("-CAkey").arg(path("key"));
                openssl.arg("-CAcreateserial")
            }
        };
        run(&mut openssl);
    }
    fs::rename(path("leaf.key"), path("used.key")).expect("rename");
    let parts = ["leaf.pem", "authority.pem"].map(|name| fs::read(path(name)).expect("PEM"));
    sandbox.write("used.pem", parts.concat());
}

fn page() -> Question {
    Question {
        request: Request::get("/?emailaddress=ann@example.org"),
        is_good: |answer| answer.status == 200 && has(answer, b"good"),
    }
}

/// The clients of a configuration that names example.org and not every domain.
pub fn everybody() -> Vec<Question> {
    vec![autoconfig("example.org"), profile(), page(), stranger()]
}

/// Sends requests until the response names the host, without counting earlier responses.
pub fn wait_for(place: &Place, tally: &mut Tally, domain: &str, host: &str) {
    let target = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
    let host = format!("<hostname>{host}<");
    let is_there = || {
        let mut answer = None;
        let request = Request::get(&target);
        place.endpoint().once(&request).map(|found| answer = Some(found)).expect("an answer");
        answer.is_some_and(|answer| answer.text().contains(&host))
    };
    assert!(wait_until(is_there), "{domain} has no {host}");
    tally.ask(&place.endpoint(), &autoconfig(domain));
}

pub fn row(place: Place, service: Process, before: u64, tally: Tally, done: &str) -> Row {
    let highest = memory(&service, "VmHWM");
    row_of(place, service, (before, highest), tally, done)
}

fn row_of(place: Place, service: Process, memory: (u64, u64), tally: Tally, done: &str) -> Row {
    let highest = memory.1;
    assert!(highest < MAX_KIB, "{highest} KiB");
    place.stop(service);
    let done = format!(
        "{done}; {} requests over 20 ms, at most {:.3} s without the wait for a processor",
        tally.long,
        tally.slowest_running.as_secs_f64()
    );
    Row { done, tally, memory }
}

/// The memory that a service may use while it reads a file, in KiB: 256 MB.
const MAX_KIB: u64 = 256_000_000 / 1024;

/// The number of lines about reloads, with and without errors.
fn reloads(service: &Process) -> usize {
    let output = service.output();
    output.matches("configuration reloaded").count()
        + output.matches("keeping the previous one").count()
}

/// Changes the files, and waits until they were read.
pub fn until_read(service: &Process, change: impl FnOnce()) {
    let before = reloads(service);
    change();
    let deadline = Instant::now() + Duration::from_secs(120);
    while reloads(service) == before {
        assert!(Instant::now() < deadline, "not read:\n{}", service.output());
        thread::sleep(Duration::from_millis(20));
    }
}

//------------ mistakes -------------------------------------------------------

pub fn mistakes(size: Size) -> Row {
    let tables = |number: usize, port: &str| {
        let mut text = base(number) + "[domain.'example.org']\n";
        for domain in 0..20_000 {
            let _ = writeln!(text, "[domain.'d{domain}.example']\nimap.port = {port}");
        }
        text
    };
    let place = Place::new(&tables(0, "993"));
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), everybody);
    let rounds = size.of(3, 1);
    let mut mended = Tally::default();
    for number in 1..=rounds {
        place.configure(&tables(number, "0"));
        thread::sleep(Duration::from_secs(size.of(20, 4) as u64));
        place.configure(&tables(number, "993"));
        wait_for(&place, &mut mended, "d19999.example", &format!("good{number}.example.org"));
    }
    let mut tally = load.stop();
    tally.add(mended);
    let broken = service.output().matches("keeping the previous one").count();
    assert_eq!(broken, rounds, "{}", service.output());
    let done = format!("{rounds} times with errors for {} s, then corrected", size.of(20, 4));
    row(place, service, before, tally, &done)
}

//------------ lists ----------------------------------------------------------

/// A list with example.org first, and `count` others.
fn list(number: usize, count: usize) -> String {
    let mut text = "example.org\n".to_owned();
    for domain in 0..count {
        let _ = writeln!(text, "d{domain}.v{number}.example");
    }
    text
}

pub fn long_list(size: Size) -> Row {
    const COUNT: usize = 1_000_000;
    let config = base(0) + "[domains]\nlist_files = ['list']\n";
    let place = Place::new(&config);
    let path = place.sandbox.write("list", list(0, COUNT));
    let texts = [list(1, COUNT), list(2, COUNT)];
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), everybody);
    let mut known = Tally::default();
    let rounds = size.of(3, 1);
    for _ in 0..rounds {
        for (number, text) in (1..).zip(&texts) {
            // Emptied, cut within a name, replaced by a folder, removed: the valid list stays in
            // force.
            until_read(&service, || fs::write(&path, "").expect("write"));
            until_read(&service, || fs::write(&path, &text[..text.len() - 3]).expect("write"));
            until_read(&service, || {
                fs::remove_file(&path).expect("remove");
                fs::create_dir(&path).expect("mkdir");
            });
            until_read(&service, || {
                fs::remove_dir(&path).expect("remove");
                let next = place.sandbox.write("next", text);
                match number {
                    1 => fs::rename(next, &path).expect("rename"),
                    _ => drop(fs::copy(next, &path).expect("copy")),
                }
            });
            wait_for(
                &place,
                &mut known,
                &format!("d999999.v{number}.example"),
                "good0.example.org",
            );
        }
    }
    let mut tally = load.stop();
    tally.add(known);
    let done = format!("{rounds} times emptied, truncated, removed, replaced by mv and by cp");
    row(place, service, before, tally, &done)
}

//------------ size -----------------------------------------------------------

/// Replaces a file, whatever is there.
pub fn replace(place: &Place, name: &str, content: &[u8]) {
    let next = place.sandbox.write("next.file", content);
    fs::rename(next, place.sandbox.path(name)).expect("rename");
}

/// A configuration that names a file of each kind.
fn with_all_kinds(number: usize) -> String {
    base(number)
        + "page.template = 'page.html'\npage.logo = 'logo.png'\n[domains]\nlist_files = ['list']\n\
           directory = 'd'\n[domain.'example.org']\n"
}

pub const DOMAIN_FILE: &str = "imap.host = 'good.d.example'\npop3.host = 'good.d.example'\n\
                           smtp.host = 'good.d.example'\n";
const TEMPLATE: &str = "<p>{{ stage }} good</p>\n";

fn png(len: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.resize(len, b'x');
    png
}

/// A service with a file of each kind.
fn all_kinds() -> Place {
    let place = Place::new(&with_all_kinds(0));
    place.sandbox.write("list", "listed.example\n");
    place.sandbox.write("d/file.example.toml", DOMAIN_FILE);
    place.sandbox.write("page.html", TEMPLATE);
    place.sandbox.write("logo.png", png(1000));
    place
}

fn of_all_kinds() -> Vec<Question> {
    let mut questions = everybody();
    questions.extend(["listed.example", "file.example"].map(autoconfig));
    questions
}

pub fn junk(size: Size) -> Row {
    let mut junk = Vec::with_capacity(64 * 1024 * 1024);
    let mut state = 1_u32;
    while junk.len() < 64 * 1024 * 1024 {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        junk.extend_from_slice(&state.to_le_bytes());
    }
    let place = all_kinds();
    let service = place.start();
    let mut tally = Tally::default();
    // From now on, valid settings of the domain with a file are kept.
    tally.ask(&place.endpoint(), &autoconfig("file.example"));
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), of_all_kinds);
    let rounds = size.of(5, 1);
    for _ in 0..rounds {
        for (name, good) in [
            ("c.toml", with_all_kinds(0).into_bytes()),
            ("list", b"listed.example\n".to_vec()),
            ("page.html", TEMPLATE.as_bytes().to_vec()),
            ("logo.png", png(1000)),
        ] {
            until_read(&service, || replace(&place, name, &junk));
            until_read(&service, || replace(&place, name, &good));
        }
        replace(&place, "d/file.example.toml", &junk);
        thread::sleep(Duration::from_secs(3));
        replace(&place, "d/file.example.toml", DOMAIN_FILE.as_bytes());
        thread::sleep(Duration::from_secs(2));
    }
    tally.add(load.stop());
    let done = format!("{rounds} times, then corrected");
    row(place, service, before, tally, &done)
}

/// The start, followed by as many parts as fit.
fn filled(start: String, max: usize, mut more: impl FnMut(usize) -> String) -> String {
    let mut text = start;
    for number in 0.. {
        let part = more(number);
        if text.len() + part.len() > max {
            break;
        }
        text += &part;
    }
    text
}

/// The same, with as many parts as the parser's memory limit allows.
fn filled_toml(start: String, max: usize, mut more: impl FnMut(usize) -> String) -> String {
    let mut left = parts::MAX_MEMORY - 1000 - parts::memory(&start);
    // The first part that does not fit ends the text, although a smaller one might fit.
    let mut fits = |part: &str| {
        let rest = left.checked_sub(parts::memory(part));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let mut text = start;
    for number in 0.. {
        let part = more(number);
        if text.len() + part.len() > max || !fits(&part) {
            break;
        }
        text += &part;
    }
    text
}

pub fn largest_configuration(_size: Size) -> Row {
    const MAX: usize = 2 * 1024 * 1024;
    let start = |number| base(number) + "[domain.'example.org']\n";
    let contents = [
        filled_toml(start(1), MAX, |n| format!("[domain.'{n}.example']\n")),
        // Again, while the previous configuration is kept.
        filled_toml(start(2), MAX, |n| format!("[domain.'{n}.a.example']\n")),
        filled_toml(start(3), MAX, |n| {
            format!("[domain.'{n}.example']\nimap.port=143\nsmtp.port=25\n")
        }),
        filled_toml(start(4), MAX, |n| format!("[domain.'{n}.example']\nimap.port=0\n")),
        filled_toml(start(5), MAX, |n| {
            format!("[[domain.'{}.example'.imap.alternatives]]\n", n / 9)
        }),
        filled_toml(start(6), MAX, |n| format!("[domain.'{n}.example']\nalias_of='example.org'\n")),
        filled_toml("x=[".to_owned(), MAX - 1, |_| "1,".to_owned()) + "]",
        filled_toml("x=[".to_owned(), MAX - 1, |_| "{},".to_owned()) + "]",
        filled_toml("x=".to_owned(), MAX, |_| "[".to_owned()),
        filled_toml("x".to_owned(), MAX - 2, |_| ".x".to_owned()) + "=1",
        filled_toml(String::new(), MAX, |n| format!("x{n}{}=1\n", ".x".repeat(70))),
        filled_toml(start(8), MAX, |n| format!("[domain.'{n}.example'{}]\n", ".x".repeat(15))),
        filled_toml("x=1\n".to_owned(), MAX, |_| "x=1\n".to_owned()),
        filled_toml(String::new(), MAX, |n| format!("x{n}=1\n")),
        filled_toml(String::new(), MAX, |n| format!("[x{n}]\n")),
        filled_toml(String::new(), MAX, |_| "[[x]]\n".to_owned()),
        filled_toml(start(7), MAX - 3, |_| "\n".to_owned()) + "\0",
    ];
    let place = Place::new(&start(0));
    largest(place, everybody, &contents.map(|text| ("c.toml", text.into_bytes())))
}

pub fn largest_list(_size: Size) -> Row {
    const MAX: usize = 32 * 1024 * 1024;
    let start = || "example.org\n".to_owned();
    let short = |mut number: usize| {
        let mut name = String::new();
        for _ in 0..5 {
            name.push(char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[number % 36]));
            number /= 36;
        }
        name
    };
    let contents = [
        filled(start(), MAX, |_| "x\n".to_owned()),
        // The shorter the names, the more there are; twice, while the first ones are kept.
        filled(start(), MAX, |n| format!("{}.a\n", short(n))),
        filled(start(), MAX, |n| format!("{}.b\n", short(n))),
        filled(start(), MAX, |n| format!("ü{n}.example\n")),
        filled(start(), MAX, |n| format!("{}.{n}.example\n", "x".repeat(63))),
        filled(start(), MAX, |n| format!("X{n}.EXAMPLE\n")),
        filled(start(), MAX, |_| "\n".to_owned()),
        filled(start(), MAX, |_| "ü".repeat(1000)),
    ];
    let place = Place::new(&(base(0) + "[domains]\nlist_files = ['list']\n"));
    place.sandbox.write("list", "example.org\n");
    largest(place, everybody, &contents.map(|text| ("list", text.into_bytes())))
}

pub fn largest_template_and_logo(_size: Size) -> Row {
    const MAX: usize = 64 * 1024;
    let contents = [
        ("page.html", filled("<p>good".to_owned(), MAX, |_| "x".to_owned()).into_bytes()),
        ("page.html", filled("<p>good".to_owned(), MAX, |_| "{{stage}}".to_owned()).into_bytes()),
        ("page.html", filled("<p>good".to_owned(), MAX, |_| "{".to_owned()).into_bytes()),
        (
            "page.html",
            filled("<p>good".to_owned(), MAX, |_| "{%if 1%}{%endif%}".to_owned()).into_bytes(),
        ),
        (
            "page.html",
            (filled("<p>good{{".to_owned(), MAX - 3, |_| "1+".to_owned()) + "1}}").into_bytes(),
        ),
        (
            "page.html",
            b"<p>good{%for i in range(9999)%}{%for j in range(9999)%}x{%endfor%}{%endfor%}"
                .to_vec(),
        ),
        (
            "page.html",
            filled("<p>good".to_owned(), MAX, |_| "{%for i in range(99)%}x{%endfor%}".to_owned())
                .into_bytes(),
        ),
        ("page.html", TEMPLATE.as_bytes().to_vec()),
        ("logo.png", png(64 * 1024)),
        ("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'>".repeat(1600)),
    ];
    largest(all_kinds(), of_all_kinds, &contents)
}

pub fn largest_certificate(_size: Size) -> Row {
    const MAX: usize = 1024 * 1024;
    let place = Place::new(&(base(0) + SIGNING + "[domain.'example.org']\n"));
    certificates(&place.sandbox);
    let read = |name: &str| fs::read_to_string(place.sandbox.path(name)).expect("PEM");
    let (used, leaf, key) = (read("used.pem"), read("leaf.pem"), read("used.key"));
    let body: String = leaf.lines().filter(|line| !line.starts_with('-')).collect();
    let contents = [
        ("used.pem", filled(used.clone(), MAX, |_| leaf.clone())),
        // Each differs in its serial number.
        ("used.pem", filled(used.clone(), MAX, |n| other(&body, n))),
        ("used.pem", filled(used.clone(), MAX, |_| "-----BEGIN CERTIFICATE-----\n".to_owned())),
        ("used.pem", filled(used.clone(), MAX, |_| "x\n".to_owned())),
        ("used.pem", filled(String::new(), MAX, |_| "x\n".to_owned())),
        ("used.key", filled(key.clone(), MAX, |_| key.clone())),
        ("used.key", filled(String::new(), MAX, |_| "x\n".to_owned())),
    ];
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), || vec![signed_profile(), stranger()]);
    let mut highest = 0;
    for (number, (name, content)) in contents.iter().enumerate() {
        fs::write(format!("/proc/{}/clear_refs", service.id()), "5").expect("clear_refs");
        replace(&place, name, content.as_bytes());
        thread::sleep(Duration::from_secs(4));
        let memory = memory(&service, "VmHWM");
        eprintln!("{name} {number}: {} MiB", memory / 1024);
        highest = highest.max(memory);
    }
    let tally = load.stop();
    let done = format!("{} contents of the largest allowed size, all signed", contents.len());
    row_of(place, service, (before, highest), tally, &done)
}

/// A certificate that differs from others in a byte of its signature.
fn other(body: &str, number: usize) -> String {
    let mut body = body.as_bytes().to_vec();
    let at = body.len() - 12;
    for (place, byte) in body[at..at + 4].iter_mut().enumerate() {
        *byte = b'A' + (number >> (4 * place) & 15) as u8;
    }
    let body = String::from_utf8_lossy(&body);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

/// Reads one content after the other under load.
fn largest(place: Place, questions: fn() -> Vec<Question>, contents: &[(&str, Vec<u8>)]) -> Row {
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), questions);
    let mut highest = 0;
    for (number, (name, content)) in contents.iter().enumerate() {
        // The peak is reset for each (proc_pid_clear_refs(5)).
        fs::write(format!("/proc/{}/clear_refs", service.id()), "5").expect("clear_refs");
        until_read(&service, || replace(&place, name, content));
        let memory = memory(&service, "VmHWM");
        eprintln!("{name} {number}: {} MiB", memory / 1024);
        highest = highest.max(memory);
    }
    let tally = load.stop();
    let done = format!("{} contents of the largest allowed size", contents.len());
    row_of(place, service, (before, highest), tally, &done)
}

pub fn largest_domain_files(size: Size) -> Row {
    const MAX: usize = 64 * 1024;
    let count = size.of(4000, 500);
    let place = Place::new(&(base(0) + "[domains]\ndirectory = 'd'\n[domain.'example.org']\n"));
    place.sandbox.write("d/logo.png", png(MAX));
    for number in 0..count {
        let start = format!("{DOMAIN_FILE}page.logo = 'logo.png'\n");
        let text = match number % 4 {
            0 => filled(start, MAX, |n| {
                format!(
                    "[[provider.documentation]]\nurl='https://{n}.example/'\ntitle={{en='x'}}\n"
                )
            }),
            1 => filled(start, MAX, |_| "[[imap.alternatives]]\n".to_owned()),
            2 => filled(start, MAX, |n| format!("x{n}=1\n")),
            _ => filled(start, MAX, |_| "#".to_owned()),
        };
        place.sandbox.write(&format!("d/{number}.example.toml"), text);
    }
    thread::sleep(Duration::from_secs(2));
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), everybody);
    let mut tally = Tally::default();
    for _ in 0..2 {
        for number in 0..count {
            let mut question = autoconfig(&format!("{number}.example"));
            if number % 4 == 2 {
                question.is_good = |answer| answer.status == 503;
            }
            tally.ask(&place.endpoint(), &question);
        }
    }
    let slowest_first = tally.slowest;
    tally.slowest = Duration::ZERO;
    tally.long = 0;
    tally.add(load.stop());
    let done = format!(
        "{count} domain files and logos of 64 KiB, each requested twice (at most {:.3} s, read by \
         another thread)",
        slowest_first.as_secs_f64()
    );
    row(place, service, before, tally, &done)
}

//------------ rewriting ------------------------------------------------------

/// The ways in which files are replaced.
type Way = fn(place: &Place, name: &str, content: &[u8]);

const WAYS: [Way; 5] = [by_cp, replace, by_truncating, by_an_editor, by_rsync];

fn by_cp(place: &Place, name: &str, content: &[u8]) {
    let next = place.sandbox.write("next.file", content);
    run(command("cp").arg(next).arg(place.sandbox.path(name)));
}

/// Truncates the file and writes it in parts, like a shell's `>` after a slow program.
fn by_truncating(place: &Place, name: &str, content: &[u8]) {
    let mut file = fs::File::create(place.sandbox.path(name)).expect("create");
    for part in content.chunks(content.len().div_ceil(7).max(1)) {
        thread::sleep(Duration::from_millis(3));
        file.write_all(part).expect("write");
    }
}

/// Moves the old file away and writes a new one, as vim does with `backupcopy=no`.
fn by_an_editor(place: &Place, name: &str, content: &[u8]) {
    let path = place.sandbox.path(name);
    let backup = place.sandbox.path(&format!("{name}~"));
    fs::rename(&path, &backup).expect("rename");
    thread::sleep(Duration::from_millis(3));
    fs::write(&path, content).expect("write");
    fs::remove_file(backup).expect("remove");
}

fn by_rsync(place: &Place, name: &str, content: &[u8]) {
    let next = place.sandbox.write("next.file", content);
    run(command("rsync").arg("--checksum").arg(next).arg(place.sandbox.path(name)));
}

pub fn rewritten(size: Size) -> Row {
    let files = |number: usize| {
        let hosts = ["imap", "pop3", "smtp"]
            .map(|key| format!("{key}.host = 'good{number}.file.example'\n"))
            .concat();
        let listed: String =
            (0..2000).map(|domain| format!("d{domain}.v{number}.example\n")).collect();
        [
            (
                "c.toml",
                base(number) + SIGNING + "[domains]\nlist_files = ['list']\ndirectory = 'd'\n",
            ),
            ("list", format!("example.org\nlisted.example\n{listed}")),
            ("d/file.example.toml", hosts),
        ]
    };
    let place = Place::new("");
    certificates(&place.sandbox);
    for (name, text) in files(0) {
        place.sandbox.write(name, text);
    }
    let service = place.start();
    let mut tally = Tally::default();
    tally.ask(&place.endpoint(), &autoconfig("file.example"));
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), || {
        let mut questions = vec![signed_profile(), autoconfig("example.org"), page(), stranger()];
        questions.extend(["listed.example", "file.example"].map(autoconfig));
        questions
    });
    let cat = "cat leaf.pem authority.pem >used.pem";
    let (mut number, mut writes) = (0, 0);
    let each = Duration::from_secs(size.of(12, 2) as u64);
    for way in WAYS {
        let begun = Instant::now();
        while begun.elapsed() < each {
            number += 1;
            for (name, text) in files(number) {
                way(&place, name, text.as_bytes());
                writes += 1;
            }
            run(command("sh").args(["-c", cat]).current_dir(place.sandbox.path("")));
            writes += 1;
            // Occasionally long enough for one of the states to be used.
            let pause = if number % 20 == 0 { 1500 } else { 5 };
            thread::sleep(Duration::from_millis(pause));
        }
        // The last version is in force.
        wait_for(&place, &mut tally, "listed.example", &format!("good{number}.example.org"));
        wait_for(&place, &mut tally, "file.example", &format!("good{number}.file.example"));
        wait_for(
            &place,
            &mut tally,
            &format!("d1999.v{number}.example"),
            &format!("good{number}.example.org"),
        );
    }
    tally.add(load.stop());
    let done = format!("{writes} times by cp, mv, truncation, the method of an editor, and rsync");
    row(place, service, before, tally, &done)
}
