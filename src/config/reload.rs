//! Keeps the configuration of a running service up to date.
//!
//! A separate thread watches the files, reads them and checks them; the thread that serves takes
//! the new configuration with the next request. Files are used once all of them have been unchanged
//! for a while, since one may be half written. A reload with errors is logged once, and the
//! previous configuration stays in force. Files that failed are read again when they change, and
//! otherwise at increasing intervals.
//!
//! A reload that would answer for more domains, or stop signing, is refused, unless the file sets
//! that explicitly or a signal confirms the files: an emptied file would do both.

use super::check::Loading;
use super::find::Source;
use super::lookup::{Answer, Config};
use super::value_checks::ValueChecks;
use crate::files::{Seen, Stamp, is_cut, says_nothing};
use crate::finding::{CONFIRM, Finding, Place};
use crate::log;
use crate::signing::Identity;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often the files are checked. An edit is in force two seconds later at most: one check may
/// have missed it, and it must be unchanged for [`SETTLE_TIME`].
const INTERVAL: Duration = Duration::from_millis(400);
/// The share of the time that checks may take: one part of this many.
const SHARE: u32 = 100;
/// The longest time between two checks, if checks are slow: on a busy machine, or on a network
/// drive.
const LONGEST_INTERVAL: Duration = Duration::from_secs(2);
/// How long unchanged files are not read again after a failure; doubled with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

//------------ Reloading ------------------------------------------------------

/// The configuration of a running service.
#[derive(Debug)]
pub struct Reloading {
    config: Arc<Config>,
    shared: Arc<Shared>,
}

/// The number of reloads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reloads {
    /// Without errors.
    pub good: u64,
    /// With errors; the previous configuration stayed in force.
    pub broken: u64,
    /// True if the files have errors now.
    pub is_broken: bool,
}

/// Data that the two threads share.
#[derive(Debug, Default)]
struct Shared {
    /// True if `exchange` holds a configuration that was not taken yet.
    has_new: AtomicBool,
    exchange: Mutex<Exchange>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Exchange {
    new: Option<Arc<Config>>,
    /// Configurations that are no longer needed. Freeing one may take long.
    old: Vec<Arc<Config>>,
    /// Called once the files were read after a signal.
    asked: Vec<Done>,
    count: Reloads,
}

/// Called once the files were read.
struct Done(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Done")
    }
}

impl Reloading {
    /// Reads the configuration for the first time, and follows its files from then on.
    pub fn start(source: Source, checks: &'static ValueChecks) -> Result<Reloading, Vec<Finding>> {
        let config = Arc::new(source.load(Loading::start(checks))?);
        log_warnings(&config);
        let shared = Arc::new(Shared::default());
        let reader = Reader::new(source, config.clone(), shared.clone(), checks);
        let spawned = thread::Builder::new().name("reload".to_owned()).spawn(|| reader.run());
        spawned.map_err(|error| {
            let message = format!("cannot start the thread that reads files: {error}");
            vec![Finding::error("thread", None, message)]
        })?;
        Ok(Reloading { config, shared })
    }

    /// The configuration that was taken last.
    pub fn known(&self) -> &Config {
        &self.config
    }

    /// The number of reloads.
    pub fn count(&self) -> Reloads {
        self.shared.lock().count
    }

    /// Takes the configuration that was read last, if it is new.
    pub fn refresh(&mut self) {
        if self.shared.has_new.load(Ordering::Acquire) {
            let mut exchange = self.shared.lock();
            self.shared.has_new.store(false, Ordering::Relaxed);
            if let Some(new) = exchange.new.take() {
                exchange.old.push(std::mem::replace(&mut self.config, new));
            }
        }
    }

    /// Starts a reload, whether or not the files have changed; `done` is called afterwards.
    pub fn reload(&self, done: impl FnOnce() + Send + 'static) {
        self.shared.lock().asked.push(Done(Box::new(done)));
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Files and their states; files that cannot be examined are treated as missing.
type Files = Vec<(PathBuf, Option<Stamp>)>;

//------------ Reader ---------------------------------------------------------

/// The thread that reads.
struct Reader {
    source: Source,
    checks: &'static ValueChecks,
    /// The last valid configuration.
    config: Arc<Config>,
    shared: Arc<Shared>,
    /// The states of the files that were read last, valid or not.
    read: Files,
    /// The states of the files at the last check, if they differ from those that were read, and
    /// since when.
    changed: Seen<Files>,
    /// The findings that were logged for the last failed reload.
    last_reported: Vec<Finding>,
    /// When to read unchanged files that failed again.
    retry: Option<(Instant, Duration)>,
}

impl Reader {
    fn new(
        source: Source,
        config: Arc<Config>,
        shared: Arc<Shared>,
        checks: &'static ValueChecks,
    ) -> Reader {
        let source = pinned(source, &config);
        let read = config.files.clone();
        let changed = young(&read);
        Reader {
            source,
            checks,
            config,
            shared,
            read,
            changed,
            last_reported: Vec::new(),
            retry: None,
        }
    }

    fn run(mut self) -> ! {
        loop {
            let took = self.look();
            self.look_at_signing(false);
            let pause = (took * SHARE).clamp(INTERVAL, LONGEST_INTERVAL);
            let shared = self.shared.clone();
            let exchange = shared.lock();
            let is_idle = |exchange: &mut Exchange| exchange.asked.is_empty();
            let waited = shared.wake.wait_timeout_while(exchange, pause, is_idle);
            let (mut exchange, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let asked = std::mem::take(&mut exchange.asked);
            let old = std::mem::take(&mut exchange.old);
            drop(exchange);
            drop(old);
            if !asked.is_empty() {
                self.look_at_signing(true);
                self.read(true, &Files::new());
                asked.into_iter().for_each(|Done(done)| done());
            }
        }
    }

    /// Checks the files, and reads them once they have settled; returns the duration of the check.
    fn look(&mut self) -> Duration {
        let begun = Instant::now();
        let files = self.states();
        let took = begun.elapsed();
        let is_due = if files != self.read || self.changed.is(&files) {
            self.changed.has_settled(files.clone())
        } else {
            self.changed.clear();
            self.retry.is_some_and(|(at, _)| Instant::now() >= at)
        };
        if is_due {
            self.read(false, &files);
        }
        took
    }

    /// The certificate is watched even while the configuration has errors.
    fn look_at_signing(&self, is_meant: bool) {
        if let Some(signing) = &self.config.signing {
            signing.look(is_meant);
        }
    }

    fn states(&self) -> Files {
        let paths: Vec<_> = match self.read.is_empty() {
            // There was no file so far; one may exist now.
            true => self.source.path().into_iter().collect(),
            false => self.read.iter().map(|(path, _)| path.clone()).collect(),
        };
        paths.into_iter().map(with_state).collect()
    }

    /// Reads the files. `is_meant` says that the admin intends them as they are; otherwise, files
    /// are used if they are as they were in `seen`, or have settled.
    fn read(&mut self, is_meant: bool, seen: &Files) {
        let earlier = Some(&*self.config);
        let loading = Loading { earlier, is_meant, ..Loading::start(self.checks) };
        let (files, result) = self.source.load_watching(loading);
        let seen: HashMap<_, _> = seen.iter().map(|(path, stamp)| (path, stamp)).collect();
        let has_settled = |(path, stamp): &(PathBuf, Option<Stamp>)| {
            seen.get(path) == Some(&stamp) || stamp.is_some_and(|stamp| stamp.is_settled())
        };
        let is_same = files.iter().all(|file| with_state(file.0.clone()) == *file);
        let counts = is_meant || (is_same && files.iter().all(has_settled));
        if !counts {
            // The files are being written: the content is neither the old nor the new one. Or one
            // of them is named for the first time, or was just moved into its place.
            self.read = files;
            self.changed = Seen::now(self.states());
            return;
        }
        let mut files = files;
        if let Ok(Config { signing: Some(signing), .. }) = &result {
            let pair = signing.files().map(|path| with_state(path.to_owned()));
            signing.look(is_meant);
            // A pair that cannot sign is a reason for refusal: its files are watched, too.
            if signing.failure().is_some() {
                files.extend(pair);
            }
        }
        let result = result.and_then(|config| match refusal(&config, &self.config) {
            Some(finding) if !is_meant => Err(vec![finding]),
            _ => Ok(config),
        });
        self.changed = young(&files);
        let is_news = is_meant || files != self.read;
        self.read = files;
        match result {
            Ok(config) => self.take(config, is_meant),
            Err(findings) => self.fail(findings, is_news),
        }
    }

    fn take(&mut self, config: Config, is_meant: bool) {
        if config.limits != self.config.limits {
            log::warning(&"[limits] has changed; this takes effect at the next start");
        }
        let was_broken = self.shared.lock().count.is_broken;
        let line = format!("configuration reloaded: {}", summary(&config, &self.config));
        // Nothing is logged if files were only read again because they were recent.
        if is_meant || was_broken || config.files != self.config.files {
            log_warnings(&config);
            log::notice(&line);
        }
        self.source = pinned(self.source.clone(), &config);
        let config = Arc::new(config);
        self.config = config.clone();
        self.last_reported = Vec::new();
        self.retry = None;
        let mut exchange = self.shared.lock();
        exchange.count.good += 1;
        exchange.count.is_broken = false;
        // A configuration that was never taken is freed here.
        let unused = exchange.new.replace(config);
        self.shared.has_new.store(true, Ordering::Release);
        drop(exchange);
        drop(unused);
    }

    /// Records errors; `is_news` says that the files have changed, or that a signal was received.
    fn fail(&mut self, findings: Vec<Finding>, is_news: bool) {
        let pause = self.retry.map_or(FIRST_PAUSE, |(_, pause)| (pause * 2).min(LONGEST_PAUSE));
        self.retry = Some((Instant::now() + pause, pause));
        if findings == self.last_reported && !is_news {
            return;
        }
        log::findings(&findings);
        let is_refused = |finding: &Finding| REFUSALS.contains(&finding.code);
        log::error(match findings.iter().all(is_refused) {
            true => &"configuration change refused; keeping the previous one",
            false => &"configuration has errors; keeping the previous one",
        });
        self.last_reported = findings;
        let mut exchange = self.shared.lock();
        exchange.count.broken += 1;
        exchange.count.is_broken = true;
    }
}

/// The files as they were read, if one of them changed so recently that a later change may not be
/// visible in its state.
fn young(files: &Files) -> Seen<Files> {
    let is_young = |stamp: &Stamp| !stamp.is_settled();
    match files.iter().any(|(_, stamp)| stamp.as_ref().is_some_and(is_young)) {
        true => Seen::now(files.clone()),
        false => Seen::default(),
    }
}

fn with_state(file: PathBuf) -> (PathBuf, Option<Stamp>) {
    let stamp = Stamp::of(&file).ok().flatten();
    (file, stamp)
}

/// Once a file was found, only that file is used. If it disappears, that is an error; the built-in
/// defaults are not used, since they answer for any domain.
fn pinned(source: Source, config: &Config) -> Source {
    match config.path() {
        Some(path) => source.at(path),
        None => source,
    }
}

fn log_warnings(config: &Config) {
    if !config.warnings.is_empty() {
        let count = config.warnings.len();
        log::warning(&format!("warnings about lists and maps: {count}; see `mailsetup check`"));
    }
}

//------------ Refusals -------------------------------------------------------

/// The codes of changes that are refused without errors.
const REFUSALS: [&str; 4] = ["answers-more", "emptied", "stops-signing", "truncated"];

/// Why a configuration may not replace another unless the admin confirms it.
fn refusal(new: &Config, old: &Config) -> Option<Finding> {
    let refused = |code, message: String| {
        let place = new.path().map(Place::file);
        let mut finding = Finding::error(code, place, message);
        finding.remedy = Some(CONFIRM.to_owned());
        Some(finding)
    };
    if says_nothing(&new.text) && !says_nothing(&old.text) {
        return refused("emptied", "the file is empty".to_owned());
    }
    if is_cut(&new.text, &old.text) {
        let message = "the file is truncated: it ends in the middle of a line of its previous text"
            .to_owned();
        return refused("truncated", message);
    }
    if new.answer == Answer::AnyByDefault && old.answer == Answer::Listed {
        let message = "the configuration no longer names domains; any domain would be answered";
        let mut finding = refused("answers-more", message.to_owned())?;
        finding.remedy =
            Some(format!("{CONFIRM}; to keep it, write answer = \"any\" in [domains]"));
        return Some(finding);
    }
    if old.signs() && !new.signs() {
        let mut message = "profiles would no longer be signed".to_owned();
        if let Some(failure) = new.signing.as_ref().and_then(Identity::failure) {
            let place =
                failure.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            message += &format!(": {place}{}", failure.message);
        } else if new.signing.is_some() && !new.names_domains() {
            message += ": profiles are signed only for configured domains, and none is configured";
        }
        return refused("stops-signing", message);
    }
    for (file, list) in &new.lists {
        let Some((_, earlier)) = old.lists.iter().find(|(known, _)| known == file) else {
            continue;
        };
        let (code, message) = if list.is_empty() && !earlier.is_empty() {
            ("emptied", "the list is empty")
        } else if list.is_cut_from(earlier) {
            (
                "truncated",
                "the list is truncated: it ends in the middle of a domain of its previous text",
            )
        } else {
            continue;
        };
        let mut finding = refused(code, message.to_owned())?;
        finding.place = Some(Place::file(file));
        return Some(finding);
    }
    for (file, _, map) in &new.maps {
        let Some((.., earlier)) = old.maps.iter().find(|(known, ..)| known == file) else {
            continue;
        };
        let (code, message) = if map.is_empty() && !earlier.is_empty() {
            ("emptied", "the map is empty")
        } else if map.is_cut_from(earlier) {
            (
                "truncated",
                "the map is truncated: it ends in the middle of a line of its previous text",
            )
        } else {
            continue;
        };
        let mut finding = refused(code, message.to_owned())?;
        finding.place = Some(Place::file(file));
        return Some(finding);
    }
    None
}

/// `12 domains (+1), signing with CN=…, until 2027-01-02`
fn summary(new: &Config, old: &Config) -> String {
    let count = new.count();
    let mut parts = vec![match count {
        1 => "1 domain".to_owned(),
        count => format!("{count} domains"),
    }];
    match count as i64 - old.count() as i64 {
        0 => {}
        change => parts[0] += &format!(" ({change:+})"),
    }
    match new.patterns.below.len() {
        0 => {}
        1 => parts.push("1 pattern".to_owned()),
        count => parts.push(format!("{count} patterns")),
    }
    if let Some(directory) = &new.directory {
        parts.push(format!("files in {}", directory.layout().folder.display()));
    }
    if new.answers_any() {
        match parts[..] {
            [_] if count == 0 => parts[0] = "any domain is answered".to_owned(),
            _ => parts.push("any other domain is answered".to_owned()),
        }
    }
    match &new.signing {
        Some(signing) => parts.push(match signing.summary() {
            Some(summary) => format!("signing with {summary}"),
            None => "not signing".to_owned(),
        }),
        None if old.signing.is_some() => parts.push("no longer signing".to_owned()),
        None => {}
    }
    parts.join(", ")
}

impl Config {
    /// The file this was read from; `None` if it was not read from a file.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// True if some profiles are signed.
    fn signs(&self) -> bool {
        self.names_domains() && self.signing.as_ref().and_then(Identity::summary).is_some()
    }

    /// True if a table, a pattern, a list or the folder names domains.
    fn names_domains(&self) -> bool {
        self.count() > 0 || !self.patterns.below.is_empty() || self.directory.is_some()
    }
}
