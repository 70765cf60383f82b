//! Signs Apple profiles: CMS SignedData (RFC 5652), attached, DER, with the chain inside.
//!
//! The only file that names OpenSSL. Certificate and key are read anew for each signature, so a
//! renewed pair is used at once, and a pair that does not match or has expired never is. Refuses
//! keys Apple's devices do not take (anything but RSA and ECDSA). Nothing is loaded, and OpenSSL
//! is not started, until something is signed.

use std::fmt;
use std::path::PathBuf;

//------------ Identity -------------------------------------------------------

/// Where the certificate (with its chain) and the key are, both PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl Identity {
    /// Takes the paths; fails in a build that cannot sign.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Result<Identity, SignError> {
        match cfg!(feature = "sign") {
            true => Ok(Identity { certificate, key }),
            false => Err(SignError::NotBuilt),
        }
    }

    /// Signs `document` and returns the CMS structure that holds it.
    pub fn sign(&self, document: &[u8]) -> Result<Vec<u8>, SignError> {
        backend::sign(self, document)
    }

    /// Says what would keep a signature from being made now.
    pub fn check(&self) -> Result<(), SignError> {
        backend::check(self)
    }
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
    use super::{Identity, SignError};
    use crate::files;
    use openssl::asn1::Asn1Time;
    use openssl::cms::{CMSOptions, CmsContentInfo};
    use openssl::error::ErrorStack;
    use openssl::pkey::{Id, PKey, Private};
    use openssl::stack::Stack;
    use openssl::x509::X509;
    use std::cmp::Ordering;
    use std::path::Path;

    struct Pair {
        certificate: X509,
        chain: Stack<X509>,
        key: PKey<Private>,
    }

    pub fn sign(identity: &Identity, document: &[u8]) -> Result<Vec<u8>, SignError> {
        let pair = read(identity)?;
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

    pub fn check(identity: &Identity) -> Result<(), SignError> {
        read(identity).map(drop)
    }

    pub fn library_version() -> Option<&'static str> {
        Some(openssl::version::version())
    }

    fn read(identity: &Identity) -> Result<Pair, SignError> {
        let (certificate_path, key_path) = (&identity.certificate, &identity.key);
        let bytes = |path: &Path| {
            files::read(path).map_err(|error| SignError::Read(path.to_owned(), error))
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
        let now = Asn1Time::days_from_now(0).map_err(refused)?;
        let is = |time: &openssl::asn1::Asn1TimeRef, order| {
            time.compare(&now).is_ok_and(|found| found == order)
        };
        if is(certificate.not_after(), Ordering::Less) {
            let when = format!("expired on {}", certificate.not_after());
            return Err(SignError::NotValidNow(certificate_path.clone(), when));
        }
        if is(certificate.not_before(), Ordering::Greater) {
            let when = format!("is not valid before {}", certificate.not_before());
            return Err(SignError::NotValidNow(certificate_path.clone(), when));
        }
        Ok(Pair { certificate, chain, key })
    }

    fn refused(errors: ErrorStack) -> SignError {
        SignError::Refused(errors.to_string())
    }
}

#[cfg(not(feature = "sign"))]
mod backend {
    use super::{Identity, SignError};

    pub fn sign(_: &Identity, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::NotBuilt)
    }

    pub fn check(_: &Identity) -> Result<(), SignError> {
        Err(SignError::NotBuilt)
    }

    pub fn library_version() -> Option<&'static str> {
        None
    }
}
