//! Signs Apple profiles: CMS SignedData (RFC 5652), attached, DER, with the chain inside.
//!
//! The only file that names OpenSSL. Certificate and key are read when the first profile is signed,
//! and again when one of the files has changed. A pair that is half written or does not match never
//! takes the place of a good one; one that is not valid now never signs. Refuses keys Apple's
//! devices do not take (anything but RSA and ECDSA).

use crate::files::Stamp;
use crate::log;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

//------------ Identity -------------------------------------------------------

/// Where the certificate (with its chain) and the key are, both PEM; clones share what was read.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    /// The last pair that could sign.
    #[cfg(feature = "sign")]
    kept: Mutex<Option<backend::Kept>>,
    /// What was said last, and of which files: it is not said again.
    told: Mutex<Option<(Stamps, String)>>,
}

/// The states of certificate and key; those that cannot be looked at count as gone.
type Stamps = [Option<Stamp>; 2];

impl Identity {
    /// Takes the paths; fails in a build that cannot sign.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Result<Identity, SignError> {
        let shared = Shared {
            certificate,
            key,
            #[cfg(feature = "sign")]
            kept: Mutex::default(),
            told: Mutex::default(),
        };
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
        backend::sign(&self.0, &stamps, document)
            .inspect_err(|error| {
                self.0.tell(&stamps, format!("a profile went out unsigned: {error}"));
            })
            .ok()
    }

    /// Says what would keep a signature from being made now.
    pub fn check(&self) -> Result<(), SignError> {
        backend::check(&self.0)
    }
}

impl Shared {
    fn stamps(&self) -> Stamps {
        let stamp = |path: &Path| Stamp::of(path).ok().flatten();
        [stamp(&self.certificate), stamp(&self.key)]
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

/// The version of OpenSSL in use; `None` in a build that cannot sign.
pub fn library_version() -> Option<&'static str> {
    backend::library_version()
}

//------------ SignError ------------------------------------------------------

/// Why nothing was signed.
#[derive(Debug)]
pub enum SignError {
    /// This program was built without the feature `sign`.
    NotBuilt,
    /// A file cannot be read.
    Read(PathBuf, std::io::Error),
    /// A file does not hold what it should.
    Content(PathBuf, &'static str),
    /// The key does not belong to the certificate.
    Mismatch(PathBuf, PathBuf),
    /// The certificate's time is over or has not come.
    NotValidNow(PathBuf, String),
    /// OpenSSL refused, and said why.
    Refused(String),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            SignError::NotBuilt => f.write_str(
                "this build cannot sign profiles: it was built without the feature `sign`",
            ),
            SignError::Read(path, error) => {
                write!(f, "{}: cannot be read: {error}", path.display())
            }
            SignError::Content(path, what) => write!(f, "{}: {what}", path.display()),
            SignError::Mismatch(certificate, key) => {
                write!(
                    f,
                    "{}: this key does not belong to {}",
                    key.display(),
                    certificate.display()
                )
            }
            SignError::NotValidNow(path, when) => {
                write!(f, "{}: the certificate {when}", path.display())
            }
            SignError::Refused(reason) => write!(f, "OpenSSL cannot sign: {reason}"),
        }
    }
}

impl std::error::Error for SignError {}

//------------ backend --------------------------------------------------------

#[cfg(feature = "sign")]
mod backend {
    use super::{Shared, SignError, Stamps, lock};
    use crate::files;
    use openssl::asn1::{Asn1Time, Asn1TimeRef};
    use openssl::cms::{CMSOptions, CmsContentInfo};
    use openssl::error::ErrorStack;
    use openssl::pkey::{Id, PKey, Private};
    use openssl::stack::Stack;
    use openssl::x509::X509;
    use std::cmp::Ordering;
    use std::fmt;
    use std::path::Path;
    use std::sync::Arc;

    /// A pair, and the states of the files it was read from.
    #[derive(Debug)]
    pub struct Kept {
        pair: Arc<Pair>,
        stamps: Stamps,
    }

    struct Pair {
        certificate: X509,
        chain: Stack<X509>,
        key: PKey<Private>,
    }

    impl fmt::Debug for Pair {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("Pair")
        }
    }

    pub fn sign(shared: &Shared, stamps: &Stamps, document: &[u8]) -> Result<Vec<u8>, SignError> {
        let pair = current(shared, stamps)?;
        // The document is signed byte by byte (BINARY), and no S/MIME capabilities are claimed.
        let options = CMSOptions::BINARY | CMSOptions::NOSMIMECAP;
        CmsContentInfo::sign(
            Some(&pair.certificate),
            Some(&pair.key),
            Some(&pair.chain),
            Some(document),
            options,
        )
        .and_then(|cms| cms.to_der())
        .map_err(refused)
    }

    pub fn check(shared: &Shared) -> Result<(), SignError> {
        read(shared).map(drop)
    }

    pub fn library_version() -> Option<&'static str> {
        Some(openssl::version::version())
    }

    /// The pair to sign with: what the files hold, else what they held last, if that is valid now.
    fn current(shared: &Shared, stamps: &Stamps) -> Result<Arc<Pair>, SignError> {
        let mut kept = lock(&shared.kept);
        if let Some(Kept { pair, stamps: then }) = &*kept {
            if then == stamps {
                pair.check_time(shared)?;
                return Ok(pair.clone());
            }
        }
        // Read again at each request until it is good: the files may be in the middle of a change.
        match read(shared) {
            Ok(pair) => {
                let pair = Arc::new(pair);
                *kept = Some(Kept { pair: pair.clone(), stamps: *stamps });
                Ok(pair)
            }
            Err(error) => match &*kept {
                Some(Kept { pair, .. }) if pair.check_time(shared).is_ok() => {
                    shared.tell(stamps, format!("{error}; the last good certificate signs"));
                    Ok(pair.clone())
                }
                _ => Err(error),
            },
        }
    }

    fn read(shared: &Shared) -> Result<Pair, SignError> {
        let (certificate_path, key_path) = (&shared.certificate, &shared.key);
        let bytes = |path: &Path| {
            files::read(path, files::Kind::Certificate)
                .map_err(|error| SignError::Read(path.to_owned(), error))
        };
        let no_certificate =
            || SignError::Content(certificate_path.clone(), "holds no PEM certificate");

        let mut certificates = X509::stack_from_pem(&bytes(certificate_path)?)
            .map_err(|_| no_certificate())?
            .into_iter();
        let certificate = certificates.next().ok_or_else(no_certificate)?;
        let mut chain = Stack::new().map_err(refused)?;
        for issuer in certificates {
            chain.push(issuer).map_err(refused)?;
        }
        let key =
            PKey::private_key_from_pem_callback(&bytes(key_path)?, |_| Err(ErrorStack::get()))
                .map_err(|_| {
                    SignError::Content(key_path.clone(), "holds no PEM key without a passphrase")
                })?;
        if !matches!(key.id(), Id::RSA | Id::EC) {
            let what =
                "holds a key that Apple's devices do not take in a profile: use RSA or ECDSA";
            return Err(SignError::Content(key_path.clone(), what));
        }
        let public = certificate.public_key().map_err(refused)?;
        if !public.public_eq(&key) {
            return Err(SignError::Mismatch(certificate_path.clone(), key_path.clone()));
        }
        let pair = Pair { certificate, chain, key };
        pair.check_time(shared)?;
        Ok(pair)
    }

    impl Pair {
        /// Fails unless the certificate is valid now.
        fn check_time(&self, shared: &Shared) -> Result<(), SignError> {
            let now = Asn1Time::days_from_now(0).map_err(refused)?;
            let is =
                |time: &Asn1TimeRef, order| time.compare(&now).is_ok_and(|found| found == order);
            let (start, end) = (self.certificate.not_before(), self.certificate.not_after());
            let when = if is(end, Ordering::Less) {
                format!("expired on {end}")
            } else if is(start, Ordering::Greater) {
                format!("is not valid before {start}")
            } else {
                return Ok(());
            };
            Err(SignError::NotValidNow(shared.certificate.clone(), when))
        }
    }

    fn refused(errors: ErrorStack) -> SignError {
        SignError::Refused(errors.to_string())
    }
}

#[cfg(not(feature = "sign"))]
mod backend {
    use super::{Shared, SignError, Stamps};

    pub fn sign(_: &Shared, _: &Stamps, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::NotBuilt)
    }

    pub fn check(_: &Shared) -> Result<(), SignError> {
        Err(SignError::NotBuilt)
    }

    pub fn library_version() -> Option<&'static str> {
        None
    }
}
