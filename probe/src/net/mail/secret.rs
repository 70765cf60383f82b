//! The password for `--login`.
//!
//! It is not printed by `Debug`, not cloned, and overwritten when it is dropped. The buffers of
//! OpenSSL and of the system are beyond this.

use std::fmt;
use std::hint::black_box;

/// Octets that are overwritten when they are dropped.
pub struct Secret(Vec<u8>);

/// What a login needs beside the name of the account.
#[derive(Debug)]
pub struct Credentials {
    /// The password.
    pub password: Secret,
}

impl Secret {
    /// Takes the octets over. The caller has no copy, or overwrites it.
    pub fn new(octets: Vec<u8>) -> Secret {
        Secret(octets)
    }

    /// The octets; not for printing.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Else the compiler may leave out what nothing reads.
        black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Secret")
    }
}
