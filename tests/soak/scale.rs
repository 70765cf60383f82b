//! Many domains: lists that are written in every wrong way, a folder whose files are broken by half,
//! and a flood of domains that are not configured. Each response is right or says what is wrong, no
//! request waits for a file, and memory has a limit.

use crate::common::http::Request;
use crate::common::names::{lines, names, shuffle};
use crate::common::{Process, command, program};
use crate::files::{DOMAIN_FILE, autoconfig, base, everybody, replace, row, until_read, wait_for};
use crate::load::{Load, Question, Tally};
use crate::service::{Place, memory};
use crate::{Row, Size};
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

/// The longest time of a request, without the wait for a processor.
const STALL: Duration = Duration::from_millis(500);

/// The most that a flood may add to the memory, in KiB: the limit of the cache, with its overhead.
const FLOOD_KIB: u64 = 24 * 1024;

fn without_stalls(tally: Tally) -> Tally {
    assert!(tally.slowest_running < STALL, "a request took {:?}", tally.slowest_running);
    tally
}

//------------ lists ----------------------------------------------------------

/// The service as a user who may be denied a file.
fn as_nobody() -> std::process::Command {
    let mut command = command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program());
    command
}

/// A list with the byte order mark and line ends of Windows.
fn of_windows(names: &[String]) -> Vec<u8> {
    format!("\u{feff}example.org\r\n{}", lines(names).replace('\n', "\r\n")).into_bytes()
}

pub fn lists(size: Size) -> Row {
    let mut names = names(size.of(1_000_000, 50_000));
    let place = Place::new(&(base(0) + "[domains]\nlist_files = ['list']\n"));
    replace(&place, "list", b"example.org\n");
    let path = place.sandbox.path("list");
    let writable = Permissions::from_mode(0o666);
    fs::set_permissions(place.sandbox.path("notify"), writable).expect("chmod");
    let service = place.start_by(as_nobody());
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), everybody);
    let mut known = Tally::default();
    let rounds = size.of(3, 1);
    let mut grown = 0;
    for round in 0..rounds {
        shuffle(&mut names, round as u64 + 7);
        let whole = of_windows(&names);
        until_read(&service, || replace(&place, "list", &whole));
        wait_for(&place, &mut known, &names[names.len() - 1], "good0.example.org");
        // In force stays the whole list.
        let half = &whole[..whole.len() / 2];
        let junk = names[0].repeat(64 * 1024 * 1024 / names[0].len()).into_bytes();
        for wrong in [half, b"", &junk] {
            until_read(&service, || replace(&place, "list", wrong));
            known.ask(&place.endpoint(), &autoconfig(&names[names.len() - 1]));
        }
        until_read(&service, || {
            let next = place.sandbox.write("next.file", &whole);
            fs::set_permissions(&next, Permissions::from_mode(0o000)).expect("chmod");
            fs::rename(next, &path).expect("rename");
        });
        known.ask(&place.endpoint(), &autoconfig(&names[names.len() - 1]));
        // Readable again, and written by a program that appends to it, also parts of names.
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("chmod");
        let mut file = OpenOptions::new().append(true).open(&path).expect("the list");
        for _ in 0..size.of(2000, 200) {
            grown += 1;
            let line = format!("grown-{grown}.example\r\n");
            let (first, rest) = line.split_at(line.len() / 2);
            file.write_all(first.as_bytes()).expect("write");
            thread::sleep(Duration::from_millis(3));
            file.write_all(rest.as_bytes()).expect("write");
        }
        wait_for(&place, &mut known, &format!("grown-{grown}.example"), "good0.example.org");
    }
    let mut tally = without_stalls(load.stop());
    tally.add(known);
    let done = format!(
        "{rounds} times {} lines with CRLF and BOM, then halved, emptied, 64 MiB of one line, no permission, and \
         {grown} lines appended in parts",
        names.len()
    );
    row(place, service, before, tally, &done)
}

//------------ files ----------------------------------------------------------

/// Files with errors, one of each kind in turn.
const BROKEN: [&[u8]; 4] =
    [b"imap.port = 0\n", b"imap.host = 'mail.exam", b"\xff\xfe\0", b"no_such_key = 1\n"];

pub fn broken_files(size: Size) -> Row {
    let names = names(size.of(100_000, 4000));
    let place = Place::new(&(base(0) + "[domains]\ndirectory = 'd'\n[domain.'example.org']\n"));
    let write = |number: usize, content: &[u8]| {
        // Not through Sandbox::write, which first removes a file.
        fs::write(place.sandbox.path(&format!("d/{}.toml", names[number])), content)
            .expect("write");
    };
    let is_broken = |number: usize| number % 2 == 1;
    fs::create_dir(place.sandbox.path("d")).expect("mkdir");
    for number in 0..names.len() {
        let broken = BROKEN[number / 2 % BROKEN.len()];
        write(number, if is_broken(number) { broken } else { DOMAIN_FILE.as_bytes() });
    }
    thread::sleep(Duration::from_secs(2));
    let service = place.start();
    let before = memory(&service, "VmRSS");
    let load = Load::paced(&place.endpoint(), service.id(), everybody);
    let mut all = Tally::default();
    let begun = Instant::now();
    for (number, domain) in names.iter().enumerate() {
        let mut question = autoconfig(domain);
        if is_broken(number) {
            question.is_good = |answer| answer.status == 503 && answer.text().lines().count() == 1;
        }
        all.ask(&place.endpoint(), &question);
    }
    // Lines about errors are limited to 200 at once and one a second; those about requests are not.
    let errors = lines_about_files(&service);
    let most = 250 + begun.elapsed().as_secs() as usize;
    assert!((BROKEN.len()..most).contains(&errors), "{errors} lines about errors, at most {most}");
    let repaired = size.of(1000, 200);
    let some = || (0..names.len()).filter(|number| is_broken(*number)).take(repaired);
    some().for_each(|number| write(number, DOMAIN_FILE.as_bytes()));
    thread::sleep(Duration::from_secs(3));
    some().for_each(|number| all.ask(&place.endpoint(), &autoconfig(&names[number])));
    // Only those of the other clients are about waiting.
    (all.long, all.slowest) = (0, Duration::ZERO);
    all.add(without_stalls(load.stop()));
    let done = format!(
        "{} files, half of them with errors; then {repaired} corrected, each of them requested",
        names.len()
    );
    row(place, service, before, all, &done)
}

fn lines_about_files(service: &Process) -> usize {
    service.output().lines().filter(|line| line.contains(".toml")).count()
}

//------------ domains that are not configured --------------------------------

pub fn flood(size: Size) -> Row {
    let place = Place::new(&(base(0) + "domains.answer = 'any'\n"));
    let service = place.start();
    let load = Load::paced(&place.endpoint(), service.id(), || {
        vec![autoconfig("example.org"), autoconfig("example.net")]
    });
    let names = names(size.of(400_000, 20_000));
    let mut all = Tally::default();
    let mut ask = |number: usize| {
        let name = &names[number];
        let domain = match number % 4 {
            0 => name.clone(),
            // As long as a domain may be, less what clients put before it.
            1 => format!("{0}.{0}.{0}.{name}", "x".repeat(60)),
            2 => format!("xn--bcher-kva.{name}"),
            _ => format!("a.b.c.d.e.f.g.h.i.j.{name}"),
        };
        let request = Request::get(format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}"))
            .host(format!("autoconfig.{domain}"));
        let is_good = autoconfig("").is_good;
        all.ask(&place.endpoint(), &Question { request, is_good });
    };
    // What is cached for the first ones is not counted as growth.
    let (first, rest) = (names.len() / 4, names.len());
    (0..first).for_each(&mut ask);
    let before = memory(&service, "VmRSS");
    (first..rest).for_each(&mut ask);
    let after = memory(&service, "VmRSS");
    assert!(after < before + FLOOD_KIB, "{before} KiB, then {after} KiB");
    all.add(without_stalls(load.stop()));
    let done = format!("{rest} domains that are not configured, with `answer = \"any\"`");
    row(place, service, before, all, &done)
}
