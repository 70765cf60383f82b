//! The files that profiles are signed with, and the last good pair that they held.
//!
//! They are read when the first profile is signed, and again when one of them has changed. A pair
//! counts once it has signed, and only if its chain leads as far as the last good one's did.

use crate::files::{self, Stamp};
use crate::finding::{Finding, Place};
use crate::log;
use crate::sign::{Fault, SignError, Signer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Where the certificate (with its chain) and the key are; clones share what was read.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    /// The last pair that signed, and the states of the files that it was read from.
    kept: Mutex<Option<(Arc<Signer>, Stamps)>>,
    /// What was said last, and of which files: it is not said again.
    told: Mutex<Option<(Stamps, String)>>,
}

/// The states of certificate and key; those that cannot be looked at count as gone.
type Stamps = [Option<Stamp>; 2];

impl Identity {
    /// Takes the paths; fails in a build that cannot sign.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Result<Identity, SignError> {
        let shared = Shared { certificate, key, kept: Mutex::default(), told: Mutex::default() };
        match cfg!(feature = "sign") {
            true => Ok(Identity(Arc::new(shared))),
            false => Err(SignError::NotBuilt),
        }
    }

    /// True if both are about the same files.
    pub fn is_of_same_files(&self, other: &Identity) -> bool {
        self.0.certificate == other.0.certificate && self.0.key == other.0.key
    }

    /// Signs `document` and returns the CMS structure that holds it. Why it cannot is logged, once
    /// for each state of the files.
    pub fn sign(&self, document: &[u8]) -> Option<Vec<u8>> {
        // Looked at before it is read: what changes meanwhile is seen the next time.
        let stamps = self.0.stamps();
        let signed = self
            .0
            .current(&stamps)
            .and_then(|signer| signer.sign(document).map_err(|error| self.0.finding(&error)));
        signed
            .inspect_err(|why| self.0.tell(&stamps, format!("a profile went out unsigned: {why}")))
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
                error.message.insert_str(0, "profiles go out unsigned: ");
                vec![*error]
            }
        }
    }

    /// Says what would keep a signature from being made now.
    pub fn check(&self) -> Result<(), Box<Finding>> {
        self.0.read().map(drop)
    }
}

impl Shared {
    fn stamps(&self) -> Stamps {
        let stamp = |path: &Path| Stamp::of(path).ok().flatten();
        [stamp(&self.certificate), stamp(&self.key)]
    }

    /// The pair to sign with: what the files hold, else what they held last.
    fn current(&self, stamps: &Stamps) -> Result<Arc<Signer>, Box<Finding>> {
        let mut kept = lock(&self.kept);
        if let Some((signer, _)) = kept.as_ref().filter(|(_, then)| then == stamps) {
            return Ok(signer.clone());
        }
        // Read again at each request until it is good: the files may be in the middle of a change.
        let last = kept.as_ref().map(|(signer, _)| signer.clone());
        let last = last.filter(|signer| signer.is_valid_now());
        let why = match self.read() {
            Ok(signer) if last.as_ref().is_none_or(|last| signer.leads_as_far_as(last)) => {
                let signer = Arc::new(signer);
                *kept = Some((signer.clone(), *stamps));
                return Ok(signer);
            }
            Ok(_) => {
                let message = "the chain breaks off earlier than the last good one did";
                Box::new(Finding::error("signing-chain-shorter", self.place(false), message))
            }
            Err(error) => error,
        };
        let last = last.ok_or_else(|| why.clone())?;
        self.tell(stamps, format!("{why}; the last good certificate signs"));
        Ok(last)
    }

    fn read(&self) -> Result<Signer, Box<Finding>> {
        let bytes = |path: &PathBuf| {
            files::read(path).map_err(|error| {
                let message = format!("cannot be read: {error}");
                Box::new(Finding::error("signing-unreadable", Some(Place::file(path)), message))
            })
        };
        Signer::from_pem(&bytes(&self.certificate)?, &bytes(&self.key)?)
            .map_err(|error| self.finding(&error))
    }

    fn finding(&self, error: &SignError) -> Box<Finding> {
        let place = self.place(error.is_about_key());
        Box::new(Finding::error(error.code(), place, error.to_string()))
    }

    fn place(&self, is_about_key: bool) -> Option<Place> {
        Some(Place::file(if is_about_key { &self.key } else { &self.certificate }))
    }

    fn tell(&self, stamps: &Stamps, message: String) {
        let mut told = lock(&self.told);
        let news = Some((*stamps, message));
        if *told != news {
            if let Some((_, message)) = &news {
                log::error(message);
            }
            *told = news;
        }
    }
}

/// What a mutex holds; a thread that panicked left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
