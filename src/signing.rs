//! The certificate and key files that profiles are signed with, and the last valid pair read from
//! them.
//!
//! A service checks the files regularly in another thread; a process that answers one request reads
//! them when it has to sign. A pair is used once its files have settled and it has signed a test
//! document, and only if its chain is not shorter than that of the last valid pair.

use crate::files::{self, Kind, Seen, Stamp};
use crate::finding::{Finding, Place};
use crate::log;
use crate::sign::{Fault, SignError, Signer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long unchanged files that failed are not read again.
const RETRY: Duration = Duration::from_secs(60);

/// The paths of the certificate (with its chain) and the key; clones share the pair that was read.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    /// Locked while one thread reads the files; signing continues.
    reading: Mutex<()>,
    known: Mutex<Known>,
}

/// The state of the files and the pair.
#[derive(Debug, Default)]
struct Known {
    /// The last pair that signed.
    signer: Option<Arc<Signer>>,
    /// The states of the files that were read last, good or not, and when.
    read: Option<(Stamps, Instant)>,
    /// The error found in them.
    failure: Option<Box<Finding>>,
    /// Other states that were seen, and since when.
    seen: Seen<Stamps>,
    /// The message that was logged last, and for which states; it is not logged again.
    last_reported: Option<(Stamps, String)>,
}

/// The states of certificate and key; files that cannot be examined are treated as missing.
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

    /// True if both have the same files.
    pub fn is_of_same_files(&self, other: &Identity) -> bool {
        self.0.certificate == other.0.certificate && self.0.key == other.0.key
    }

    /// The certificate and the key.
    pub fn files(&self) -> [&Path; 2] {
        [&self.0.certificate, &self.0.key]
    }

    /// Checks the files, and reads them if they have changed and settled. `is_meant` says that the
    /// admin intends them as they are.
    pub fn look(&self, is_meant: bool) {
        self.0.look(is_meant);
    }

    /// Signs `document` and returns the CMS structure that holds it. An error is logged once for
    /// each state of the files.
    pub fn sign(&self, document: &[u8]) -> Option<Vec<u8>> {
        // In a service, the thread that reads files checks them from then on.
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

    /// The errors that prevent signing now, and the reasons for which devices will reject a
    /// signature.
    pub fn findings(&self) -> Vec<Finding> {
        match self.0.read() {
            Ok(signer) => {
                let warning = |fault: Fault| Finding {
                    remedy: Some(fault.remedy.to_owned()),
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

    /// Fails if documents cannot be signed now.
    pub fn check(&self) -> Result<(), Box<Finding>> {
        self.0.read().map(drop)
    }

    /// Why the files cannot be used, as of the last check.
    pub fn failure(&self) -> Option<Box<Finding>> {
        self.0.known().failure.clone()
    }

    /// `CN=…, until 2027-01-02`, for the log; `None` if signing is not possible now.
    pub fn summary(&self) -> Option<String> {
        let known = self.0.known();
        let signer = known.signer.as_ref().filter(|signer| signer.is_valid_now())?;
        Some(format!("CN={}, until {}", signer.subject(), signer.not_after()))
    }
}

impl Shared {
    /// Updates the known state; returns the present states of the files.
    fn look(&self, is_meant: bool) -> Stamps {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // The states are taken before the files are read: a change in between is noticed the next
        // time.
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
            // Without a valid pair, new files are used without waiting.
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

    /// The known state. After a panic it is still consistent.
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

/// True if the files have not changed for a while, by their times or by earlier checks.
fn has_settled(seen: &mut Seen<Stamps>, stamps: Stamps) -> bool {
    let by_times = stamps.iter().all(|stamp| stamp.is_some_and(|stamp| stamp.is_settled()));
    by_times || seen.has_settled(stamps)
}
