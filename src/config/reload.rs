//! Keeps the configuration of a running service up to date.
//!
//! The files are looked at when a request comes in, at most once a second; when one has changed,
//! all is read anew. A broken file is logged once and the last good configuration stays.

use super::{Config, ConfigError, find::Source};
use crate::directory::Stamp;
use crate::log;
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
    /// What the files were when they were last read.
    seen: Seen,
    looked: Instant,
}

#[derive(Debug, Eq, PartialEq)]
struct Seen(Option<PathBuf>, Vec<Option<Stamp>>);

impl Seen {
    fn now(source: &Source, config: &Config) -> Seen {
        Seen(source.path(), config.files.iter().map(|file| Stamp::of(file)).collect())
    }
}

impl Reloading {
    /// Reads the configuration for the first time.
    pub fn start(source: Source) -> Result<Reloading, Vec<ConfigError>> {
        let config = Rc::new(source.load()?);
        let seen = Seen::now(&source, &config);
        Ok(Reloading { source, config, seen, looked: Instant::now() })
    }

    /// The configuration that holds now.
    pub fn current(&mut self) -> Rc<Config> {
        if self.looked.elapsed() >= INTERVAL {
            self.looked = Instant::now();
            if Seen::now(&self.source, &self.config) != self.seen {
                self.reload();
            }
        }
        self.config.clone()
    }

    /// Reads the files, whether they have changed or not.
    pub fn reload(&mut self) {
        // Noted before reading: what changes while it is read is seen the next time.
        let seen = Seen::now(&self.source, &self.config);
        match self.source.load() {
            Ok(config) => {
                self.config = Rc::new(config);
                // The new configuration may name other files.
                self.seen = Seen::now(&self.source, &self.config);
                log::notice(&"the configuration was read anew");
            }
            Err(errors) => {
                self.seen = seen;
                for error in errors {
                    log::error(&error);
                }
                log::error(&"the configuration is broken: the last good one stays");
            }
        }
    }
}
