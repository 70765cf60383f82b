//! The files that profiles are signed with, and the last good pair that they held.
//!
//! A service looks at them all the time, beside the thread that serves; a process that answers one
//! request reads them when there is something to sign. A pair counts once its files have settled and
//! it has signed, and only if its chain leads as far as that of the last good one.

use crate::files::{self, Kind, Seen, Stamp};
use crate::finding::{Finding, Place};
use crate::log;
use crate::sign::{Fault, SignError, Signer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long files that failed are not read again, as long as they do not change.
const RETRY: Duration = Duration::from_secs(60);

/// Where the certificate (with its chain) and the key are; clones share what was read.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    /// Held while the files are read: one thread does that, and signing goes on.
    reading: Mutex<()>,
    known: Mutex<Known>,
}

/// What is known of the files.
#[derive(Debug, Default)]
struct Known {
    /// The last pair that signed.
    signer: Option<Arc<Signer>>,
    /// The states of the files that were read last, good or not, and when.
    read: Option<(Stamps, Instant)>,
    /// What was wrong with them.
    failure: Option<Box<Finding>>,
    /// Other states that were seen, and since when.
    seen: Seen<Stamps>,
    /// What was logged last, and of which files: it is not logged again.
    last_reported: Option<(Stamps, String)>,
}

/// The states of certificate and key; those that cannot be looked at count as gone.
type Stamps = [Option<Stamp>; 2];

impl Identity {
    /// Takes the paths; fails in a build that cannot sign.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Result<Identity, SignError> {
        match cfg!(feature = "sign") {
            true => Ok(Identity(Arc::new(Shared {
                certificate,
                key,
                reading: Mutex::default(),
                known: Mutex::default(),
            }))),
            false => Err(SignError::NotBuilt),
        }
    }

    /// True if both are about the same files.
    pub fn is_of_same_files(&self, other: &Identity) -> bool {
        self.0.certificate == other.0.certificate && self.0.key == other.0.key
    }

    /// The certificate and the key.
    pub fn files(&self) -> [&Path; 2] {
        [&self.0.certificate, &self.0.key]
    }

    /// Looks at the files, and reads them if they have changed and settled. `is_meant` says that
    /// they are what the admin wants as they are.
    pub fn look(&self, is_meant: bool) {
        self.0.look(is_meant);
    }

    /// Signs `document` and returns the CMS structure that holds it. Why it cannot is logged, once
    /// for each state of the files.
    pub fn sign(&self, document: &[u8]) -> Option<Vec<u8>> {
        // In a service, the thread that reads files looks at them from then on.
        let read = self.0.known().read;
        let stamps = read.map_or_else(|| self.0.look(false), |(stamps, _)| stamps);
        let (signer, failure) = {
            let known = self.0.known();
            (known.signer.clone(), known.failure.clone())
        };
        let signed = match signer {
            Some(signer) => signer.sign(document).map_err(|error| self.0.finding(&error)),
            None => Err(failure.unwrap_or_else(|| self.0.finding(&SignError::NotBuilt))),
        };
        signed
            .inspect_err(|why| {
                self.0.known().report(stamps, format!("profile sent unsigned: {why}"));
            })
            .ok()
    }

    /// What keeps a signature from being made now, and what devices will object to.
    pub fn findings(&self) -> Vec<Finding> {
        match self.0.read() {
            Ok(signer) => {
                let warning = |fault: Fault| Finding {
                    mend: Some(fault.mend.to_owned()),
                    ..Finding::warning(fault.code, self.0.place(false), fault.message)
                };
                signer.faults(SystemTime::now()).into_iter().map(warning).collect()
            }
            Err(mut error) => {
                error.message.insert_str(0, "profiles are sent unsigned: ");
                vec![*error]
            }
        }
    }

    /// Says what would keep a signature from being made now.
    pub fn check(&self) -> Result<(), Box<Finding>> {
        self.0.read().map(drop)
    }

    /// Why the files that were looked at last cannot be used.
    pub fn failure(&self) -> Option<Box<Finding>> {
        self.0.known().failure.clone()
    }

    /// `CN=…, until 2027-01-02`, for the log; `None` if nothing can be signed now.
    pub fn summary(&self) -> Option<String> {
        let known = self.0.known();
        let signer = known.signer.as_ref().filter(|signer| signer.is_valid_now())?;
        Some(format!("CN={}, until {}", signer.subject(), signer.not_after()))
    }
}

impl Shared {
    /// Brings what is known up to date; the states that the files have now.
    fn look(&self, is_meant: bool) -> Stamps {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at before they are read: what changes meanwhile is seen the next time.
        let state = |path: &Path| Stamp::of(path).ok().flatten();
        let stamps = [state(&self.certificate), state(&self.key)];
        let last = {
            let mut known = self.known();
            if let (Some((read, at)), false) = (&known.read, is_meant) {
                if *read == stamps && (known.failure.is_none() || at.elapsed() < RETRY) {
                    known.seen.clear();
                    return stamps;
                }
            }
            // Without a last good pair there is nothing to lose.
            let last = known.signer.clone().filter(|signer| signer.is_valid_now());
            if last.is_some() && !is_meant && !has_settled(&mut known.seen, stamps) {
                return stamps;
            }
            last
        };
        let result = self.read().and_then(|signer| match &last {
            Some(last) if !is_meant && !signer.leads_as_far_as(last) => {
                let message = "the chain ends earlier than that of the previous certificate";
                Err(Box::new(Finding::error("signing-chain-shorter", self.place(false), message)))
            }
            _ => Ok(signer),
        });
        let mut known = self.known();
        known.read = Some((stamps, Instant::now()));
        known.seen.clear();
        known.failure = None;
        match result {
            Ok(signer) => known.signer = Some(Arc::new(signer)),
            Err(failure) => {
                if last.is_some() {
                    let line = format!("{failure}; signing with the previous certificate");
                    known.report(stamps, line);
                }
                known.failure = Some(failure);
            }
        }
        stamps
    }

    fn read(&self) -> Result<Signer, Box<Finding>> {
        let bytes = |path: &PathBuf, kind| {
            files::read(path, kind).map_err(|error| {
                let message = format!("cannot be read: {}", files::reason(&error));
                Box::new(Finding::error("signing-unreadable", Some(Place::file(path)), message))
            })
        };
        let certificate = bytes(&self.certificate, Kind::Certificate)?;
        let key = bytes(&self.key, Kind::Key)?;
        Signer::from_pem(&certificate, &key).map_err(|error| self.finding(&error))
    }

    fn finding(&self, error: &SignError) -> Box<Finding> {
        let place = self.place(error.is_about_key());
        Box::new(Finding::error(error.code(), place, error.to_string()))
    }

    fn place(&self, is_about_key: bool) -> Option<Place> {
        Some(Place::file(if is_about_key { &self.key } else { &self.certificate }))
    }

    /// What is known; a thread that panicked left nothing half done.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn report(&mut self, stamps: Stamps, message: String) {
        let news = Some((stamps, message));
        if self.last_reported != news {
            if let Some((_, message)) = &news {
                log::error(message);
            }
            self.last_reported = news;
        }
    }
}

/// True if the files have not changed for a while, by their times or by what was seen.
fn has_settled(seen: &mut Seen<Stamps>, stamps: Stamps) -> bool {
    let by_times = stamps.iter().all(|stamp| stamp.is_some_and(|stamp| stamp.is_settled()));
    by_times || seen.has_settled(stamps)
}
