//! An Apple profile, signed or not: any bytes.
//!
//! Checks: the result is the same a second time, and leaves no error in OpenSSL's queue for the next
//! call; what is not signed is its own content; the content is never longer than the profile; texts
//! have no control characters. No authority has signed an input.

use mailsetup::visible::is_visible;
use mailsetup_probe::net::tls::Trust;
use mailsetup_probe::read::profile::{Signature, signature};
use std::sync::LazyLock;

static TRUST: LazyLock<Trust> = LazyLock::new(|| Trust::new(None).expect("OpenSSL"));

pub fn run(data: &[u8]) {
    let profile = signature(data, &TRUST);
    assert_eq!(signature(data, &TRUST), profile);
    assert!(profile.content.len() <= data.len());
    match &profile.signature {
        Signature::Unsigned => assert_eq!(profile.content, data),
        Signature::Trusted { .. } => panic!("trusted: {profile:?}"),
        Signature::Untrusted { reason } | Signature::Broken { reason } => {
            assert!(!reason.is_empty() && reason.chars().all(is_visible), "{reason:?}");
        }
    }
}
