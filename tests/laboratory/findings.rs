//! Compares what the program says with what was planted.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::common::namespace::Namespace;
use crate::faults::{self, Fault};
use crate::shapes;
use crate::world::{Said, Scene, World};

/// The worlds that run at the same time.
const WORLDS: usize = 2;

/// The longest time of a run without faults, which the program itself sets.
const LIMIT: Duration = Duration::from_secs(30);

impl Said {
    fn findings(&self) -> &[Value] {
        self.json["findings"].as_array().map_or(&[], Vec::as_slice)
    }

    /// One line for each finding, without notes.
    fn list(&self) -> String {
        let mut text = self.stderr.clone();
        for finding in self.findings().iter().filter(|finding| text_of(finding, "level") != "note")
        {
            let clients: Vec<_> = strings(&finding["clients"]).collect();
            writeln!(
                text,
                "    {} {} {}: {} [{}]",
                text_of(finding, "level"),
                text_of(finding, "id"),
                text_of(finding, "subject"),
                text_of(finding, "message"),
                clients.join(" "),
            )
            .expect("text");
        }
        text
    }

    /// Where a finding with this code and subject stands in the list.
    fn position(&self, fault: &Fault) -> Option<usize> {
        let is_it = |finding: &Value| {
            text_of(finding, "id") == fault.code && text_of(finding, "subject") == fault.subject
        };
        self.findings().iter().position(is_it)
    }
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Runs `check` on each job, in as many worlds as there are; returns the complaints.
pub fn in_worlds<T: Send>(
    jobs: impl IntoIterator<Item = T>,
    check: impl Fn(&mut World, T) -> Vec<String> + Sync,
) -> Vec<String> {
    in_worlds_with(jobs, |_| (), |world, (), job| check(world, job))
}

/// The same with something that is started once in each world.
pub fn in_worlds_with<T: Send, S>(
    jobs: impl IntoIterator<Item = T>,
    start: impl for<'a> Fn(&World<'a>) -> S + Sync,
    check: impl Fn(&mut World, &mut S, T) -> Vec<String> + Sync,
) -> Vec<String> {
    let jobs: Mutex<VecDeque<T>> = Mutex::new(jobs.into_iter().collect());
    let complaints = Mutex::new(Vec::new());
    let next = || jobs.lock().expect("a lock").pop_front();
    thread::scope(|scope| {
        for _ in 0..WORLDS {
            scope.spawn(|| {
                Namespace::run(|namespace| {
                    let mut world = World::start(namespace);
                    let mut started = start(&world);
                    while let Some(job) = next() {
                        let new = check(&mut world, &mut started, job);
                        complaints.lock().expect("a lock").extend(new);
                    }
                });
            });
        }
    });
    complaints.into_inner().expect("a lock")
}

/// The faults that the variable `FAULT` names, else all.
pub fn chosen() -> Vec<&'static Fault> {
    let chosen = std::env::var("FAULT").unwrap_or_default();
    let chosen: Vec<_> = chosen.split(',').filter(|name| !name.is_empty()).collect();
    if chosen.is_empty() {
        faults::all().collect()
    } else {
        chosen.into_iter().map(faults::named).collect()
    }
}

fn fail_with(complaints: &[String]) {
    for complaint in complaints {
        println!("{complaint}");
    }
    assert!(complaints.is_empty(), "{} complaints", complaints.len());
}

//------------ without a fault ------------------------------------------------

/// The shapes of domains without a fault, and clients that must find their settings there.
const SHAPES: [(&str, fn(&mut World) -> Scene, &[&str]); 5] = [
    ("own server", shapes::own, &["thunderbird", "delta-chat", "evolution", "pimalaya", "kmail"]),
    ("own server, STARTTLS", shapes::starttls, &["thunderbird", "delta-chat", "evolution"]),
    ("as Gmail", shapes::gmail_like, &["thunderbird", "delta-chat", "evolution"]),
    ("as Fastmail", shapes::fastmail_like, &["thunderbird", "delta-chat", "evolution"]),
    ("as Exchange", shapes::exchange_like, &["thunderbird", "delta-chat", "outlook-2016"]),
];

/// A domain without a fault gives no error and no warning.
#[test]
fn nothing_is_said_about_a_domain_without_a_fault() {
    let complaints = in_worlds(SHAPES, |world, (name, shape, finders)| {
        let scene = shape(world);
        world.publish(&scene);
        let said = world.probe(&scene);
        println!("{name}: {:?}, {} MiB", said.took, said.memory / 1024);
        let mut complaints = Vec::new();
        for finding in said.findings() {
            if text_of(finding, "level") != "note" {
                complaints.push(format!("{name}: it says\n{}", said.list()));
                break;
            }
        }
        if said.status != Some(0) {
            complaints.push(format!("{name}: status {:?}\n{}", said.status, said.stderr));
        }
        if said.took > LIMIT {
            complaints.push(format!("{name}: {:?}\n", said.took));
        }
        for client in finders {
            let verdicts = said.json["clients"].as_array().expect("clients");
            let verdict = verdicts.iter().find(|verdict| text_of(verdict, "client") == *client);
            if verdict.is_none_or(|verdict| text_of(verdict, "verdict") != "works") {
                complaints.push(format!("{name}: {client}: {verdict:?}\n"));
            }
        }
        complaints
    });
    fail_with(&complaints);
}

//------------ one fault ------------------------------------------------------

/// Every fault is named, with its subject and the clients that it breaks, and nothing else is.
#[test]
fn every_fault_is_named() {
    let complaints = in_worlds(chosen(), |world, fault| {
        let scene = fault.scene(world);
        world.publish(&scene);
        let said = world.probe(&scene);
        let complaint = complaint(fault, &said);
        let word = if complaint.is_some() { "WRONG" } else { "ok" };
        println!("{word:5} {:28} {:.1} s", fault.name, said.took.as_secs_f32());
        complaint.into_iter().collect()
    });
    fail_with(&complaints);
}

/// What is wrong with what the program said about a fault.
fn complaint(fault: &Fault, said: &Said) -> Option<String> {
    let mut complaint = String::new();
    let named = said.position(fault);
    if let Some(named) = named {
        let clients: Vec<_> = strings(&said.findings()[named]["clients"]).collect();
        let missing: Vec<_> = fault.clients.iter().filter(|name| !clients.contains(name)).collect();
        if !missing.is_empty() {
            writeln!(complaint, "  it does not name {missing:?}").expect("text");
        }
    } else if !fault.code.is_empty() {
        writeln!(complaint, "  no {} {}", fault.code, fault.subject).expect("text");
    }
    for (at, finding) in said.findings().iter().enumerate() {
        let id = text_of(finding, "id");
        let is_expected = Some(at) == named || fault.also.iter().any(|(code, _)| *code == id);
        if !is_expected && text_of(finding, "level") != "note" {
            writeln!(complaint, "  too much: {id} {}", text_of(finding, "subject")).expect("text");
        }
    }
    let errs = said.findings().iter().any(|finding| text_of(finding, "level") != "note");
    if said.status != Some(i32::from(errs)) {
        writeln!(complaint, "  status {:?} {}", said.status, said.stderr).expect("text");
    }
    if complaint.is_empty() {
        return None;
    }
    Some(format!("{}:\n{complaint}{}", fault.name, said.list()))
}

//------------ two faults -----------------------------------------------------

/// Faults that can be there at the same time, in the order in which a client meets them.
const TOGETHER: [&str; 10] = [
    "mx-missing",
    "wildcard",
    "pacc-stale",
    "domain-tls-expired",
    "path-case",
    "needs-address",
    "attribute",
    "profile-media-type",
    "imap-tls-expired",
    "smtp-closed",
];

/// Of two faults, both are named, the one that breaks more clients first.
#[test]
fn of_two_faults_both_are_named() {
    let pairs =
        (0..TOGETHER.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    let complaints = in_worlds(pairs, |world, (first, second)| {
        let faults = [first, second].map(|at| faults::named(TOGETHER[at]));
        let mut scene = faults[0].scene(world);
        (faults[1].plant)(world, &mut scene);
        world.publish(&scene);
        let said = world.probe(&scene);
        let names = format!("{} and {}", faults[0].name, faults[1].name);
        let [Some(one), Some(other)] = faults.map(|fault| said.position(fault)) else {
            return vec![format!("{names}: not both are named\n{}", said.list())];
        };
        let weight = |at: usize| {
            let finding = &said.findings()[at];
            let level = ["note", "warning", "error"];
            let level = level.iter().position(|level| *level == text_of(finding, "level"));
            (level, strings(&finding["clients"]).count())
        };
        // Of equal ones, the earlier on the way of a client comes first.
        let right = if weight(other) > weight(one) { other < one } else { one < other };
        if right { Vec::new() } else { vec![format!("{names}: wrong order\n{}", said.list())] }
    });
    fail_with(&complaints);
}
