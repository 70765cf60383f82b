//! A model of the files of a running service: random edits, with requests between them.
//!
//! Several services run at the same time, each with a configuration, a list and the file of a
//! domain. Each version of a file names its own host or domain, so that a response identifies its
//! version. After each edit, every response is from a version that was valid for as long as a file
//! takes to settle; never from the defaults, and never for a domain that no version names. At rest
//! it is from the present versions if they are valid, otherwise from the last valid ones.
//!
//! `MODEL_STEPS` sets how many edits there are for each service, `MODEL_SEED` which ones.

use crate::common::fcgi::{Client, Style};
use crate::common::http::{Request, Response};
use crate::common::{Process, Sandbox, command, copy_program, program, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, geteuid, mkfifo};
use std::collections::BTreeSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const SERVICES: u64 = 8;
const STEPS: usize = 30;
/// A little less than a file takes to settle: clocks of files are coarse.
const NEARLY_SETTLED: Duration = Duration::from_millis(950);
/// The time after which an edit is either in force or refused.
const REST: Duration = Duration::from_millis(2200);

#[test]
fn responses_are_of_versions_that_were_settled_and_good() {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let seed = number("MODEL_SEED").unwrap_or(1);
    let steps = number("MODEL_STEPS").map_or(STEPS, |steps: u64| steps as usize);
    let copy = Sandbox::new();
    // The user of the service must be able to start it.
    let program_copy = copy.path("mailsetup");
    copy_program(program(), &program_copy);
    thread::scope(|scope| {
        for service in 0..SERVICES {
            let program = &program_copy;
            let seed = seed * 1000 + service;
            scope.spawn(move || Model::new(program, seed).run(steps));
        }
    });
}

/// Numbers that look random (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

//------------ File -----------------------------------------------------------

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// The version of this number.
    Good(u32),
    /// The same, cut within its last line.
    Cut(u32),
    Empty,
    Broken,
    Gone,
    /// A folder, a FIFO, or a file that the service may not read.
    Unreadable,
}

/// A file, its state, and the versions that may have been used.
struct File {
    path: PathBuf,
    text: fn(u32) -> String,
    state: State,
    is_locked: bool,
    since: Instant,
    moved_away: Option<State>,
    may_count: BTreeSet<u32>,
    last: u32,
}

fn configuration(number: u32) -> String {
    format!(
        "imap.host = 'c{number}.invalid'\nlog.requests = false\n[domains]\nlist_files = ['list']\ndirectory = 'd'\n\
         [domain.'own.example']\n# the end\n"
    )
}

fn list(number: u32) -> String {
    format!("listed.example\nl{number}.example\n")
}

fn domain_file(number: u32) -> String {
    format!("imap.host = 'f{number}.invalid'\n# the end\n")
}

/// Versions that exist from the beginning, for links.
const PREPARED: [u32; 2] = [1, 2];

impl File {
    fn new(path: PathBuf, text: fn(u32) -> String) -> File {
        for number in PREPARED {
            fs::write(prepared(&path, number), text(number)).expect("write");
        }
        fs::write(&path, text(3)).expect("write");
        File {
            path,
            text,
            state: State::Good(3),
            is_locked: false,
            since: Instant::now(),
            moved_away: None,
            // The targets of links have settled, and so have the files of the start.
            may_count: [1, 2, 3].into(),
            last: 3,
        }
    }

    fn state(&self) -> State {
        match self.is_locked {
            true => State::Unreadable,
            false => self.state,
        }
    }

    /// True if a version may have been used at any time.
    fn may_be(&self, number: u32) -> bool {
        let is_there = matches!(self.state, State::Good(n) | State::Cut(n) if n == number);
        self.may_count.contains(&number)
            || (is_there && !self.is_locked && self.since.elapsed() >= NEARLY_SETTLED)
    }

    /// Records a state that has just been set.
    fn set(&mut self, begun: Instant, state: State, is_locked: bool) {
        if let (State::Good(number) | State::Cut(number), false) = (self.state, self.is_locked) {
            if self.since.elapsed() >= NEARLY_SETTLED {
                self.may_count.insert(number);
            }
        }
        let was = (self.state, self.is_locked);
        (self.state, self.is_locked) = (state, is_locked);
        if was != (state, is_locked) {
            self.since = begun;
        }
    }

    fn away(&self) -> PathBuf {
        self.path.with_extension("away")
    }

    /// Makes a random edit; returns its description.
    fn edit(&mut self, random: &mut Random) -> String {
        let begun = Instant::now();
        let meta = fs::symlink_metadata(&self.path).ok();
        let is_file = meta.as_ref().is_some_and(|meta| meta.is_file());
        let mode = |mode| fs::set_permissions(&self.path, fs::Permissions::from_mode(mode));
        let (what, state, is_locked) = match random.below(16) {
            0..2 => {
                let text = self.next();
                self.write(is_file, &text);
                ("written", State::Good(self.last), false)
            }
            2..4 => {
                let next = self.path.with_extension("next");
                fs::write(&next, self.next()).expect("write");
                self.clear();
                fs::rename(next, &self.path).expect("rename");
                ("replaced", State::Good(self.last), false)
            }
            4 | 14 if is_file && matches!(self.state, State::Good(_)) => {
                let State::Good(number) = self.state else { unreachable!() };
                let len = (self.text)(number).len() as u64 - 3;
                let file = fs::File::options().write(true).open(&self.path).expect("open");
                file.set_len(len).expect("cut");
                ("cut", State::Cut(number), self.is_locked)
            }
            5 | 15 => {
                self.write(is_file, "");
                ("emptied", State::Empty, false)
            }
            6 => {
                self.write(is_file, "x = = 1\n");
                // In a list, that is a line that is not a domain.
                let is_list = self.path.ends_with("list");
                ("broken", if is_list { State::Empty } else { State::Broken }, false)
            }
            7 => {
                self.clear();
                ("removed", State::Gone, false)
            }
            8 if is_file && !self.is_locked => {
                self.moved_away = Some(self.state);
                fs::rename(&self.path, self.away()).expect("rename");
                ("moved away", State::Gone, false)
            }
            9 if self.moved_away.is_some() => {
                self.clear();
                fs::rename(self.away(), &self.path).expect("rename");
                ("moved back", self.moved_away.take().expect("away"), false)
            }
            10 if is_file => {
                mode(0o000).expect("chmod");
                ("locked", self.state, true)
            }
            11 if is_file => {
                mode(0o644).expect("chmod");
                ("unlocked", self.state, false)
            }
            12 => {
                let number = PREPARED[random.below(2)];
                let next = self.path.with_extension("next");
                symlink(prepared(&self.path, number), &next).expect("a link");
                if meta.is_some_and(|meta| meta.is_dir()) {
                    self.clear();
                }
                fs::rename(next, &self.path).expect("rename");
                ("a link turned", State::Good(number), false)
            }
            13 => {
                self.clear();
                match random.below(2) {
                    0 => fs::create_dir(&self.path).expect("mkdir"),
                    _ => mkfifo(&self.path, Mode::from_bits_truncate(0o644)).expect("mkfifo"),
                }
                ("a folder or FIFO", State::Unreadable, false)
            }
            _ => {
                if is_file {
                    let file = fs::File::options().append(true).open(&self.path).expect("open");
                    file.set_modified(std::time::SystemTime::now()).expect("touch");
                }
                ("touched", self.state, self.is_locked)
            }
        };
        self.set(begun, state, is_locked);
        format!("{} {what}: {state:?}", self.path.display())
    }

    fn next(&mut self) -> String {
        self.last += 1;
        (self.text)(self.last)
    }

    fn write(&self, is_file: bool, text: &str) {
        match is_file {
            true => {
                let mode = fs::Permissions::from_mode(0o644);
                fs::set_permissions(&self.path, mode).expect("chmod");
            }
            false => self.clear(),
        }
        fs::write(&self.path, text).expect("write");
    }

    fn clear(&self) {
        let Ok(meta) = fs::symlink_metadata(&self.path) else { return };
        match meta.is_dir() {
            true => fs::remove_dir(&self.path).expect("rmdir"),
            false => fs::remove_file(&self.path).expect("remove"),
        }
    }
}

fn prepared(path: &Path, number: u32) -> PathBuf {
    path.with_extension(format!("v{number}"))
}

//------------ Model ----------------------------------------------------------

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Folder {
    There,
    Away,
    Locked,
}

struct Model {
    sandbox: Sandbox,
    process: Process,
    random: Random,
    seed: u64,
    story: Vec<String>,
    main: File,
    list: File,
    file: File,
    folder: Folder,
    /// Since when all files and the folder can be read and are not empty.
    good_since: Option<Instant>,
    /// The configuration and the list that were in force at the last response, and whether others
    /// may be now.
    in_force: (u32, u32),
    may_have_changed: bool,
    /// Names of a list that was cut before it was known to be in force.
    may_be_cut: BTreeSet<u32>,
    /// The version of the domain's file that was in force at the last response, and the states
    /// since.
    of_file: Option<u32>,
    file_may_have_changed: bool,
    file_was_gone: bool,
    file_was_empty: bool,
}

impl Model {
    fn new(program: &Path, seed: u64) -> Model {
        let sandbox = Sandbox::new();
        let path = |name: &str| sandbox.path(name);
        fs::create_dir(path("d")).expect("mkdir");
        let main = File::new(path("c.toml"), configuration);
        let list = File::new(path("list"), list);
        let file = File::new(path("d/file.example.toml"), domain_file);
        // The service does not run as root, which may read everything.
        let mut start = match geteuid().is_root() {
            true => {
                let mut setpriv = command("setpriv");
                setpriv.args(["--reuid=65534", "--clear-groups"]).arg(program);
                setpriv
            }
            false => command(program),
        };
        start.env("MAILSETUP_CONFIG", &main.path);
        let listener = UnixListener::bind(path("socket")).expect("bind");
        start.stdin(OwnedFd::from(listener));
        let process = Process::start(&sandbox, &mut start);
        thread::sleep(NEARLY_SETTLED);
        let story = Vec::new();
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut model = Model {
            process,
            random,
            seed,
            story,
            main,
            list,
            file,
            folder: Folder::There,
            good_since: Some(Instant::now()),
            in_force: (3, 3),
            may_have_changed: false,
            may_be_cut: BTreeSet::new(),
            of_file: None,
            file_may_have_changed: true,
            file_was_gone: true,
            file_was_empty: false,
            sandbox,
        };
        model.rest();
        model
    }

    fn run(mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
            for _ in 0..2 {
                self.check();
            }
            match self.random.below(8) {
                0 | 1 => thread::sleep(Duration::from_millis(300)),
                2 => thread::sleep(Duration::from_millis(1200)),
                3 => self.rest(),
                _ => {}
            }
            self.check();
        }
        self.rest();
    }

    //------------ edits ------------------------------------------------------

    fn step(&mut self) {
        let since = self.good_since;
        let file_since = self.file.since;
        let was = (self.file.state(), self.folder);
        let what = match self.random.below(10) {
            0..3 => self.main.edit(&mut self.random),
            3..5 => {
                let before = self.list.state;
                let what = self.list.edit(&mut self.random);
                match (before, self.list.state) {
                    (State::Good(number), State::Cut(_))
                        if self.may_have_changed || self.in_force.1 != number =>
                    {
                        self.may_be_cut.insert(number);
                    }
                    _ => {}
                }
                what
            }
            5..9 if self.folder != Folder::Away => self.file.edit(&mut self.random),
            _ => self.edit_folder(),
        };
        self.story.push(what);
        let settled = |since: Instant| since.elapsed() >= NEARLY_SETTLED;
        self.may_have_changed |= since.is_some_and(settled);
        let says_something = |file: &File| matches!(file.state(), State::Good(_) | State::Cut(_));
        let is_good = says_something(&self.main)
            && says_something(&self.list)
            && self.folder == Folder::There;
        self.good_since = is_good.then(Instant::now);
        // A link to a settled file is used at once.
        let is_link = self.file.path.is_symlink();
        let may_count = matches!(was.0, State::Good(_) | State::Cut(_)) && settled(file_since);
        self.file_may_have_changed |= may_count || is_link;
        let is_gone = |state, folder| state == State::Gone && folder != Folder::Away;
        self.file_was_gone |= is_gone(self.file.state(), self.folder);
        self.file_was_empty |= self.file.state() == State::Empty;
    }

    fn edit_folder(&mut self) -> String {
        let (folder, away) = (self.sandbox.path("d"), self.sandbox.path("d.away"));
        let mode = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode));
        self.folder = match self.folder {
            Folder::Away => {
                fs::rename(away, &folder).expect("rename");
                Folder::There
            }
            Folder::Locked => {
                mode(0o755).expect("chmod");
                Folder::There
            }
            Folder::There if self.random.below(2) == 0 => {
                fs::rename(folder, away).expect("rename");
                Folder::Away
            }
            Folder::There => {
                mode(0o000).expect("chmod");
                Folder::Locked
            }
        };
        format!("the folder is {:?}", self.folder)
    }

    //------------ responses --------------------------------------------------

    fn ask(&self, domain: &str) -> (String, Response) {
        let target = format!("/mail/config-v1.1.xml?emailaddress=ann@{domain}");
        self.send(&Request::get(target).host("x.invalid"))
    }

    /// The host of the first server, else the status; and the response.
    fn send(&self, request: &Request) -> (String, Response) {
        let client = Client::unix(&self.sandbox.path("socket"));
        let answer = client
            .and_then(|mut client| client.send(request, Style::USUAL))
            .unwrap_or_else(|error| self.fail(&format!("no response: {error}")));
        let text = answer.text();
        let host = text.split_once("<hostname>").and_then(|(_, rest)| rest.split('<').next());
        (host.map_or_else(|| answer.status.to_string(), str::to_owned), answer)
    }

    fn fail(&self, what: &str) -> ! {
        let story = self.story.join("\n");
        panic!(
            "{what}\nMODEL_SEED={} (service {}), after:\n{story}\n{}",
            self.seed / 1000,
            self.seed % 1000,
            self.process.output()
        );
    }

    fn check(&self) {
        let is_base =
            |host: &str| version(host, "c").is_some_and(|number| self.main.may_be(number));
        // Without the folder, domains that may have a file there are unavailable.
        let is_unknown = |(host, answer): &(String, Response)| {
            let is_stored = answer.header("Cache-Control") != Some("no-store");
            self.folder != Folder::There && host == "503" && !is_stored
        };
        let own = self.ask("own.example");
        let listed = self.ask("listed.example");
        if !is_base(&own.0) || !(is_base(&listed.0) || is_unknown(&listed)) {
            self.fail(&format!("own.example gets {}, listed.example {}", own.0, listed.0));
        }
        let stranger = self.ask("stranger.example");
        if stranger.0 != "404" && !is_unknown(&stranger) {
            self.fail(&format!("a stranger gets {}", stranger.0));
        }
        for number in self.list.last.saturating_sub(1)..=self.list.last {
            let listed = self.ask(&format!("l{number}.example"));
            let may_be = listed.0 == "404"
                || is_unknown(&listed)
                || is_base(&listed.0) && self.list.may_be(number);
            // Cut from "l1.example\n".
            let cut = self.ask(&format!("l{number}.examp"));
            let cut_may_be =
                cut.0 == "404" || is_unknown(&cut) || self.may_be_cut.contains(&number);
            if !may_be || !cut_may_be {
                self.fail(&format!("l{number} gets {}, cut {}", listed.0, cut.0));
            }
        }
        self.check_file(&is_base);
    }

    fn check_file(&self, is_base: &dyn Fn(&str) -> bool) {
        let by_host = Request::get("/mail/config-v1.1.xml").host("autoconfig.file.example");
        for (host, answer) in [self.ask("file.example"), self.send(&by_host)] {
            let is_stored = answer.header("Cache-Control") != Some("no-store");
            let number = version(&host, "f");
            let may_be = match (&*host, number) {
                (_, Some(number)) => self.file.may_be(number),
                ("404", _) => self.file_was_gone,
                ("503", _) => self.file_was_gone && !is_stored,
                // A new empty file inherits everything from the base.
                _ => is_base(&host) && self.file_was_gone && self.file_was_empty,
            };
            if !may_be {
                self.fail(&format!("file.example gets {host}"));
            }
            let is_there = matches!(self.file.state(), State::Good(_) | State::Cut(_));
            if number.is_some() && is_stored && !is_there {
                self.fail(&format!("{host} may be stored"));
            }
        }
    }

    /// Waits until everything has settled, and compares.
    fn rest(&mut self) {
        self.story.push("rest".to_owned());
        let all_good = match (self.main.state(), self.list.state(), self.folder) {
            (State::Good(main), State::Good(list), Folder::There) => Some((main, list)),
            _ => None,
        };
        thread::sleep(REST);
        let is_in_force = |(main, list): (u32, u32)| {
            let listed = self.ask(&format!("l{list}.example")).0;
            let is_unknown = self.folder != Folder::There && listed == "503";
            self.ask("own.example").0 == format!("c{main}.invalid")
                && (is_unknown || listed == format!("c{main}.invalid"))
        };
        match all_good {
            // A busy machine may need longer.
            Some(pair) if wait_until(|| is_in_force(pair)) => {
                self.in_force = pair;
                self.may_have_changed = false;
                self.good_since = Some(Instant::now());
            }
            Some(pair) => self.fail(&format!("{pair:?} is not in force")),
            None if !self.may_have_changed && !is_in_force(self.in_force) => {
                self.fail(&format!("{:?} is not in force any more", self.in_force));
            }
            None => {}
        }
        let is = |expected: &str| wait_until(|| self.ask("file.example").0 == expected);
        match (self.file.state(), self.folder) {
            (State::Good(number), Folder::There) => {
                if !is(&format!("f{number}.invalid")) {
                    self.fail(&format!("f{number} is not in force"));
                }
                self.of_file = Some(number);
                (self.file_may_have_changed, self.file_was_gone) = (false, false);
                self.file_was_empty = false;
            }
            (State::Gone, Folder::There) => {
                if !is("404") {
                    self.fail("file.example is gone");
                }
            }
            _ => {
                let (host, _) = self.ask("file.example");
                let expected = self.of_file.map(|number| format!("f{number}.invalid"));
                let is_known = !self.file_may_have_changed && !self.file_was_gone;
                if is_known && expected.as_ref() != Some(&host) {
                    self.fail(&format!("file.example gets {host}, not {expected:?}"));
                }
            }
        }
        if all_good.is_some() && self.random.below(3) == 0 {
            self.story.push("SIGHUP".to_owned());
            kill(Pid::from_raw(self.process.id() as i32), Signal::SIGHUP).expect("SIGHUP");
            thread::sleep(Duration::from_millis(100));
            // An emptied file of the domain may be used now.
            self.file_may_have_changed = true;
            (self.file_was_gone, self.file_was_empty) = (true, true);
        }
        self.check();
    }
}

/// The number in `c3.invalid`.
fn version(host: &str, prefix: &str) -> Option<u32> {
    host.strip_prefix(prefix)?.strip_suffix(".invalid")?.parse().ok()
}
