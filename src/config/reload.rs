//! Keeps the configuration of a running service up to date.
//!
//! The files are looked at when a request comes in, at most once a second. Once one has changed
//! and is the same at the next look (it may have been half written), all is read anew. A broken
//! file is logged once and the last good configuration stays; it is tried again until it is good.

use super::{Config, find::Source};
use crate::files::Stamp;
use crate::finding::Finding;
use crate::log;
use crate::metrics::Reloads;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long nobody looks at the files again.
const INTERVAL: Duration = Duration::from_secs(1);

/// A configuration that follows its files.
#[derive(Debug)]
pub struct Reloading {
    source: Source,
    config: Rc<Config>,
    /// What the files were at the last look, if that was not what was read.
    changed: Option<Files>,
    /// What was said of the files when they were found to be broken.
    told: Vec<Finding>,
    look_again: Instant,
    count: Reloads,
}

/// Files and their states; those that cannot be looked at count as gone.
type Files = Vec<(PathBuf, Option<Stamp>)>;

impl Reloading {
    /// Reads the configuration for the first time.
    pub fn start(source: Source) -> Result<Reloading, Vec<Finding>> {
        let config = Rc::new(source.load()?);
        log_warnings(&config);
        Ok(Reloading {
            source: pinned(source, &config),
            config,
            changed: None,
            told: Vec::new(),
            look_again: Instant::now() + INTERVAL,
            count: Reloads::default(),
        })
    }

    /// The configuration as it was found at the last look.
    pub fn known(&self) -> &Config {
        &self.config
    }

    /// How often the files were read.
    pub fn count(&self) -> Reloads {
        self.count
    }

    /// The configuration that holds at the time `now`.
    pub fn current(&mut self, now: Instant) -> Rc<Config> {
        if now >= self.look_again {
            self.look_again = now + INTERVAL;
            let files = self.look();
            if files == self.config.files {
                let has_changed = self.changed.take().is_some();
                if has_changed && self.count.is_broken {
                    // A link, say, that was turned back: nothing is to be read.
                    self.told = Vec::new();
                    self.count.is_broken = false;
                    log::notice(&"the configuration is again the one that was read last");
                }
            } else if self.changed.as_ref() == Some(&files) {
                self.read(false);
            } else {
                self.changed = Some(files);
            }
        }
        self.config.clone()
    }

    /// Reads the files, whether they have changed or not.
    pub fn reload(&mut self) {
        self.read(true);
    }

    fn read(&mut self, tell_again: bool) {
        match self.source.load() {
            Ok(mut config) => {
                if config.limits != self.config.limits {
                    log::warning(&"[limits] has changed: that takes effect at the next start");
                }
                log_warnings(&config);
                config.remember(&self.config);
                self.source = pinned(self.source.clone(), &config);
                self.config = Rc::new(config);
                self.changed = None;
                self.told = Vec::new();
                self.count.good += 1;
                self.count.is_broken = false;
                log::notice(&"the configuration was read anew");
            }
            Err(errors) if errors == self.told && !tell_again => {}
            Err(errors) => {
                for error in &errors {
                    log::error(error);
                }
                log::error(&"the configuration is broken: the last good one stays");
                self.told = errors;
                self.count.broken += 1;
                self.count.is_broken = true;
            }
        }
    }

    fn look(&self) -> Files {
        let files = match self.config.files.is_empty() {
            // Without a file so far: is there one now?
            true => self.source.path().into_iter().collect(),
            false => self.config.files.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(),
        };
        files.into_iter().map(with_stamp).collect()
    }
}

fn with_stamp(file: PathBuf) -> (PathBuf, Option<Stamp>) {
    let stamp = Stamp::of(&file).ok().flatten();
    (file, stamp)
}

/// Once a file was found it is the one: should it vanish, that is a mistake and no wish for the
/// built-in defaults, which answer for any domain.
fn pinned(source: Source, config: &Config) -> Source {
    config.files.first().map_or(source, |(file, _)| Source::Named(file.clone()))
}

fn log_warnings(config: &Config) {
    if !config.warnings.is_empty() {
        let count = config.warnings.len();
        log::warning(&format!(
            "{count} lines of list files are left out; `mailsetup check` names them"
        ));
    }
}
