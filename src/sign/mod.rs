//! Signs Apple profiles: CMS SignedData (RFC 5652), attached, DER, with the chain inside.
//!
//! The only folder that names OpenSSL. It takes bytes and reads no file: a [`Signer`] is made of a
//! certificate with its chain and a key, both PEM (RFC 7468), and exists only if they have signed.
//! Refuses keys that Apple's devices do not take, keys so small that a stranger could sign with
//! them, and a certificate that is not valid now.

#[cfg(feature = "sign")]
mod certificate;
#[cfg(feature = "sign")]
mod chain;
mod error;
#[cfg(not(feature = "sign"))]
mod not_built;
#[cfg(feature = "sign")]
mod pem;
#[cfg(feature = "sign")]
mod signer;

pub use error::{Fault, SignError};
#[cfg(not(feature = "sign"))]
pub use not_built::{Signer, library_version};
#[cfg(feature = "sign")]
pub use signer::{Signer, library_version};
