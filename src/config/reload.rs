//! Keeps the configuration of a running service up to date.
//!
//! A thread of its own looks at the files, reads them and checks them; the thread that serves takes
//! the finished configuration with the next request. Files count once all of them have stayed as
//! they are for a while, since one may be half written. A reload with errors is logged once, and the
//! previous configuration stays. Files that failed are read again when they change, and else less and
//! less often.
//!
//! No reload answers for more domains, or stops signing, unless the file says so in words or a
//! signal says that the files are meant: an emptied file would do both.

use super::check::Loading;
use super::find::Source;
use super::lookup::{Answer, Config};
use super::value_checks::ValueChecks;
use crate::files::{Seen, Stamp, is_cut, says_nothing};
use crate::finding::{Finding, Place};
use crate::log;
use crate::signing::Identity;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often the files are looked at. An edit is in force two seconds later at most: it may have
/// been missed by one look, and must be the same for [`SETTLE_TIME`].
const INTERVAL: Duration = Duration::from_millis(400);
/// How much of the time may go into looking, as one part of so many.
const SHARE: u32 = 100;
/// The longest time between two looks, where looking takes long: on a busy machine, or on a network
/// drive.
const LONGEST_INTERVAL: Duration = Duration::from_secs(2);
/// How long nothing is read after a failure, if the files do not change; doubled with each.
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

/// How often the files were read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reloads {
    /// Without errors.
    pub good: u64,
    /// With errors; the previous configuration stayed in force.
    pub broken: u64,
    /// True if the files have errors now.
    pub is_broken: bool,
}

/// What the two threads exchange.
#[derive(Debug, Default)]
struct Shared {
    /// True if `exchange` holds a configuration that was not taken.
    has_new: AtomicBool,
    exchange: Mutex<Exchange>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Exchange {
    new: Option<Arc<Config>>,
    /// Configurations that are not needed any more. Freeing one may take long.
    old: Vec<Arc<Config>>,
    /// To be called once the files were read, at a signal.
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

    /// How often the files were read.
    pub fn count(&self) -> Reloads {
        self.shared.lock().count
    }

    /// Takes the configuration that was read last, if it is another.
    pub fn refresh(&mut self) {
        if self.shared.has_new.load(Ordering::Acquire) {
            let mut exchange = self.shared.lock();
            self.shared.has_new.store(false, Ordering::Relaxed);
            if let Some(new) = exchange.new.take() {
                exchange.old.push(std::mem::replace(&mut self.config, new));
            }
        }
    }

    /// Has the files read, whether they have changed or not; `done` is called after that.
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

/// Files and their states; those that cannot be looked at count as gone.
type Files = Vec<(PathBuf, Option<Stamp>)>;

//------------ Reader ---------------------------------------------------------

/// The thread that reads.
struct Reader {
    source: Source,
    checks: &'static ValueChecks,
    /// The last good configuration.
    config: Arc<Config>,
    shared: Arc<Shared>,
    /// The states of the files that were read last, good or not.
    read: Files,
    /// What the files were at the last look, if that was not what was read; and since when.
    changed: Seen<Files>,
    /// What was logged of the last reading that failed.
    last_reported: Vec<Finding>,
    /// When to read files again that failed and do not change.
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

    /// Looks at the files, and reads them once they have settled; how long the look took.
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

    /// The certificate is followed even while the configuration has errors.
    fn look_at_signing(&self, is_meant: bool) {
        if let Some(signing) = &self.config.signing {
            signing.look(is_meant);
        }
    }

    fn states(&self) -> Files {
        let paths: Vec<_> = match self.read.is_empty() {
            // Without a file so far: is there one now?
            true => self.source.path().into_iter().collect(),
            false => self.read.iter().map(|(path, _)| path.clone()).collect(),
        };
        paths.into_iter().map(with_state).collect()
    }

    /// Reads the files. `is_meant` says that they are what the admin wants; else those count that
    /// are as they were in `seen`, or have settled.
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
            // They are being written: what was read is neither the old state nor the new one. Or
            // one of them is named for the first time, or came into its place a moment ago.
            self.read = files;
            self.changed = Seen::now(self.states());
            return;
        }
        let mut files = files;
        if let Ok(Config { signing: Some(signing), .. }) = &result {
            let pair = signing.files().map(|path| with_state(path.to_owned()));
            signing.look(is_meant);
            // A pair that does not sign is part of why this is refused: its files are followed, too.
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
        // What was only read again, since it was young, is not worth a line.
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
        // One that was never taken is freed here.
        let unused = exchange.new.replace(config);
        self.shared.has_new.store(true, Ordering::Release);
        drop(exchange);
        drop(unused);
    }

    /// Takes note of errors; `is_news` says that the files have changed, or a signal came.
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

/// The files as they were read, if one of them changed so lately that it may have changed since
/// without a trace.
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

/// Once a file was found it is the one: should it vanish, that is an error and does not ask for the
/// built-in defaults, which answer for any domain.
fn pinned(source: Source, config: &Config) -> Source {
    config.path().map_or(source, |path| Source::Named(path.to_owned()))
}

fn log_warnings(config: &Config) {
    if !config.warnings.is_empty() {
        let count = config.warnings.len();
        log::warning(&format!("{count} warnings about list files; see `mailsetup check`"));
    }
}

//------------ what changes ---------------------------------------------------

/// The codes of what is refused, though it has no errors.
const REFUSALS: [&str; 4] = ["answers-more", "emptied", "stops-signing", "truncated"];

/// Why a configuration may not take the place of another without a word of the admin.
fn refusal(new: &Config, old: &Config) -> Option<Finding> {
    let refused = |code, message: String| {
        let place = new.path().map(Place::file);
        let mut finding = Finding::error(code, place, message);
        finding.mend = Some("if this is intended, send SIGHUP or restart the service".to_owned());
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
        finding.mend = Some(
            "if this is intended, write answer = \"any\" in [domains], or send SIGHUP or restart the \
             service"
                .to_owned(),
        );
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
    if let Some(directory) = &new.directory {
        parts.push(format!("files in {}", directory.folder().display()));
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
        self.files.first().map(|(path, _)| path.as_path())
    }

    /// True if some profiles are signed.
    fn signs(&self) -> bool {
        self.names_domains() && self.signing.as_ref().and_then(Identity::summary).is_some()
    }

    /// True if a table, a list or the folder names domains.
    fn names_domains(&self) -> bool {
        self.count() > 0 || self.directory.is_some()
    }
}
