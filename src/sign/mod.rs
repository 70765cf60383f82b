//! Signs Apple profiles: CMS SignedData (RFC 5652), attached, DER, with the chain inside; takes the
//! content out of signed ones; and reads which host names certificates are for.
//!
//! Only this folder uses OpenSSL. It takes bytes and reads no files: a [`Signer`] is made of a
//! certificate with its chain and a key, both PEM (RFC 7468), and exists only if they have signed a
//! test document. Refuses keys that Apple devices do not accept, keys so small that an attacker
//! could break them, and a certificate that is not valid now.

#[cfg(feature = "sign")]
mod certificate;
#[cfg(feature = "sign")]
mod chain;
#[cfg(feature = "sign")]
mod content;
#[cfg(feature = "sign")]
mod coverage;
mod error;
#[cfg(not(feature = "sign"))]
mod not_built;
#[cfg(feature = "sign")]
mod pem;
#[cfg(feature = "sign")]
mod signer;

#[cfg(feature = "sign")]
pub use content::content;
#[cfg(feature = "sign")]
pub use coverage::Coverage;
pub use error::{Fault, SignError};
#[cfg(not(feature = "sign"))]
pub use not_built::{Coverage, Signer, content, library_version};
#[cfg(feature = "sign")]
pub use signer::{Signer, library_version};
