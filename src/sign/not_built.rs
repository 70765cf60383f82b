//! The types of a build without the feature `sign`: they cannot be created.

use super::error::{Fault, SignError};
use std::convert::Infallible;
use std::time::SystemTime;

/// Never exists: this build cannot sign.
#[derive(Debug)]
pub struct Signer(Infallible);

impl Signer {
    /// Fails: this build cannot sign.
    pub fn from_pem(_: &[u8], _: &[u8]) -> Result<Signer, SignError> {
        Err(SignError::NotBuilt)
    }

    /// Signs a document.
    pub fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        match self.0 {}
    }

    /// True if the certificate is valid now.
    pub fn is_valid_now(&self) -> bool {
        match self.0 {}
    }

    /// The reasons for which devices will reject a signature.
    pub fn faults(&self, _: SystemTime) -> Vec<Fault> {
        match self.0 {}
    }

    /// The certificate's name.
    pub fn subject(&self) -> &str {
        match self.0 {}
    }

    /// The last day of the certificate.
    pub fn not_after(&self) -> &str {
        match self.0 {}
    }

    /// False if this chain ends earlier than the other.
    pub fn leads_as_far_as(&self, _: &Signer) -> bool {
        match self.0 {}
    }
}

/// What a certificate is for; never exists, as this build reads no certificates.
#[derive(Debug)]
pub struct Coverage {
    /// The host names in it.
    pub names: Vec<String>,
    /// The display name of the certificate.
    pub subject: String,
    /// Why it does not count now.
    pub fault: Option<String>,
}

impl Coverage {
    /// Fails: this build cannot read certificates.
    pub fn from_pem(_: &[u8]) -> Result<Vec<Coverage>, SignError> {
        Err(SignError::NotBuilt)
    }
}

/// The version of OpenSSL in use; `None` in a build that cannot sign.
pub fn library_version() -> Option<&'static str> {
    None
}

/// Fails: this build cannot read signed documents.
pub fn content(_: &[u8]) -> Result<Vec<u8>, String> {
    Err("this build cannot read signed profiles: it was built without the feature `sign`"
        .to_owned())
}
