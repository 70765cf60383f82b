//! Why signing fails, and why devices reject signatures. Messages name no file: the caller knows
//! which one it is.

use std::fmt;

//------------ Fault ----------------------------------------------------------

/// Why devices will reject a correct signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The kind, in kebab case: `signing-self-signed`.
    pub code: &'static str,
    /// The message.
    pub message: String,
    /// The remedy.
    pub remedy: &'static str,
}

//------------ SignError ------------------------------------------------------

/// Why signing fails. No message names a file: the caller knows which one it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignError {
    /// This program was built without the feature `sign`.
    NotBuilt,
    /// The certificate file does not contain a usable certificate.
    Certificate(String),
    /// The key file does not contain a usable key.
    Key(String),
    /// The key does not belong to a certificate in the file.
    Mismatch(String),
    /// The certificate has expired, or is not valid yet.
    NotValidNow(String),
    /// OpenSSL failed, with its reason.
    Refused(String),
}

impl SignError {
    /// True if the error is about the key file, not the certificate file.
    pub fn is_about_key(&self) -> bool {
        matches!(self, SignError::Key(_) | SignError::Mismatch(_))
    }

    /// The kind, in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            SignError::NotBuilt => "signing-not-built",
            SignError::Certificate(_) => "signing-certificate",
            SignError::Key(_) => "signing-key",
            SignError::Mismatch(_) => "signing-mismatch",
            SignError::NotValidNow(_) => "signing-time",
            SignError::Refused(_) => "signing-refused",
        }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            SignError::NotBuilt => f.write_str(
                "this build cannot sign profiles: it was built without the feature `sign`",
            ),
            SignError::Mismatch(name) => {
                write!(f, "the key does not belong to the certificate `{name}`")
            }
            SignError::Certificate(what) | SignError::Key(what) => f.write_str(what),
            SignError::NotValidNow(when) => write!(f, "the certificate {when}"),
            SignError::Refused(reason) => write!(f, "OpenSSL cannot sign: {reason}"),
        }
    }
}

impl std::error::Error for SignError {}
