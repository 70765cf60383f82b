//! Why nothing can be signed, and why devices object to what is. Names no file: the caller knows which
//! one it is.

use std::fmt;

//------------ Fault ----------------------------------------------------------

/// Why devices will object to what is signed, although it is signed correctly.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The kind, in kebab case: `signing-self-signed`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub mend: &'static str,
}

//------------ SignError ------------------------------------------------------

/// Why nothing can be signed. No message names a file: the caller knows which one it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignError {
    /// This program was built without the feature `sign`.
    NotBuilt,
    /// The certificate file does not hold what it should.
    Certificate(String),
    /// The key file does not hold what it should.
    Key(String),
    /// The key does not belong to a certificate in the file.
    Mismatch(String),
    /// The certificate has expired, or is not valid yet.
    NotValidNow(String),
    /// OpenSSL failed, and said why.
    Refused(String),
}

impl SignError {
    /// True if the key file is to be named with it, rather than the certificate file.
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
