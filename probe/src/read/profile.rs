//! The signature of an Apple profile: CMS SignedData in DER (RFC 5652) around the property list.
//!
//! Refuses what devices do not read: PEM, S/MIME with header fields, a signature apart from its
//! content. The purposes in a certificate are not examined: devices accept that of a web server.

use crate::net::tls::{Trust, name, text, unix};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::error::ErrorStack;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::stack::Stack;
use openssl::x509::{X509, X509Ref, X509StoreContext};

/// Longest profile, in octets.
pub const MAX_PROFILE: usize = 1024 * 1024;

/// A profile without its signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    /// The property list; empty if it cannot be taken out of the signature.
    pub content: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// Whether a device shows a profile as verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Signature {
    /// It is not signed.
    Unsigned,
    /// It is signed with a certificate of an authority that is believed.
    Trusted {
        /// Who the certificate was made for: `CN=www.example.org`. Empty if it is named by an
        /// identifier of its key alone.
        subject: String,
        /// The last second it is valid, as seconds since 1970, if the certificate is known.
        not_after: Option<i64>,
    },
    /// The signature fits, the certificate is not believed: expired, self-signed, of an unknown
    /// authority.
    Untrusted {
        /// Why.
        reason: String,
    },
    /// The signature does not fit, or cannot be read.
    Broken {
        /// Why.
        reason: String,
    },
}

/// Takes the property list out of its signature, and examines the signature, now.
pub fn signature(octets: &[u8], trust: &Trust) -> Profile {
    let profile = examine(octets, trust).unwrap_or_else(|reason| Profile {
        content: Vec::new(),
        signature: Signature::Broken { reason },
    });
    // A certificate that is not believed leaves its errors in the queue of this thread, where the
    // next call would find them.
    drop(ErrorStack::get());
    profile
}

fn examine(octets: &[u8], trust: &Trust) -> Result<Profile, String> {
    if octets.len() > MAX_PROFILE {
        return Err("it is longer than 1 MiB".to_owned());
    }
    if octets.starts_with(b"-----BEGIN ") || octets.starts_with(b"MIME-Version:") {
        return Err("it is in PEM or S/MIME, devices read DER".to_owned());
    }
    // An ASN.1 SEQUENCE; property lists begin with `<`, a byte order mark, a blank or `bplist`.
    if octets.first() != Some(&0x30) {
        return Ok(Profile { content: octets.to_vec(), signature: Signature::Unsigned });
    }
    let cms = CmsContentInfo::from_der(octets);
    let mut cms = cms.map_err(|errors| format!("it is not CMS: {}", text(&errors)))?;
    let mut content = Vec::new();
    let as_it_is = CMSOptions::BINARY | CMSOptions::NO_SIGNER_CERT_VERIFY;
    let unchecked =
        as_it_is | CMSOptions::NO_CONTENT_VERIFY | CMSOptions::NO_ATTR_VERIFY | CMSOptions::NOSIGS;
    cms.verify(None, None, None, Some(&mut content), unchecked).map_err(|errors| text(&errors))?;
    let signature = match cms.verify(None, None, None, None, as_it_is) {
        Ok(()) => who(octets, &mut cms, trust),
        Err(errors) => Signature::Broken { reason: text(&errors) },
    };
    Ok(Profile { content, signature })
}

/// Whether the signer is believed.
fn who(octets: &[u8], cms: &mut CmsContentInfo, trust: &Trust) -> Signature {
    let Some((signer, others)) = signer(octets) else {
        // PKCS #7, through which certificates are read, knows no key identifiers.
        drop(ErrorStack::get());
        let verified = cms.verify(None, Some(trust.store()), None, None, CMSOptions::BINARY);
        return match verified {
            Ok(()) => Signature::Trusted { subject: String::new(), not_after: None },
            Err(errors) => Signature::Untrusted { reason: text(&errors) },
        };
    };
    let subject = name(signer.subject_name());
    match reason(&signer, &others, trust) {
        Ok(None) => Signature::Trusted { subject, not_after: unix(signer.not_after()).ok() },
        Ok(Some(reason)) => Signature::Untrusted { reason },
        Err(errors) => Signature::Untrusted { reason: text(&errors) },
    }
}

/// The certificate of the first signer, and all certificates.
fn signer(octets: &[u8]) -> Option<(X509, Stack<X509>)> {
    let pkcs7 = Pkcs7::from_der(octets).ok()?;
    let mut others = Stack::new().ok()?;
    for certificate in pkcs7.signed()?.certificates().into_iter().flatten() {
        others.push(certificate.to_owned()).ok()?;
    }
    let signers = pkcs7.signers(&others, Pkcs7Flags::empty()).ok()?;
    let signer = signers.iter().next()?.to_owned();
    Some((signer, others))
}

/// Why the certificate is not believed.
fn reason(
    signer: &X509Ref,
    others: &Stack<X509>,
    trust: &Trust,
) -> Result<Option<String>, ErrorStack> {
    X509StoreContext::new()?.init(trust.store(), signer, others, |context| {
        if context.verify_cert()? {
            return Ok(None);
        }
        let certificate = context.current_cert().unwrap_or(signer);
        let subject = name(certificate.subject_name());
        let issuer = name(certificate.issuer_name());
        let error = context.error().error_string();
        Ok(Some(format!("{error} ({subject}, issuer: {issuer})")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::testing::{Pair, Wish, authority, leaf, now, trust};

    const PLIST: &[u8] = b"<?xml version=\"1.0\"?>\n<plist>\xc3\xa9\r\n</plist>";

    fn signed(pair: &Pair, chain: &[&Pair], options: CMSOptions) -> Vec<u8> {
        let mut others = Stack::new().unwrap();
        for pair in chain {
            others.push(pair.certificate.clone()).unwrap();
        }
        let (certificate, key) = (Some(&*pair.certificate), Some(&*pair.key));
        let options = options | CMSOptions::BINARY;
        let cms = CmsContentInfo::sign(certificate, key, Some(&others), Some(PLIST), options);
        cms.unwrap().to_der().unwrap()
    }

    fn reason(profile: Profile) -> String {
        match profile.signature {
            Signature::Untrusted { reason } | Signature::Broken { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_profiles_are_unsigned() {
        let trust = Trust::new(None).unwrap();
        for content in [PLIST, b"", b"bplist00", b"\xef\xbb\xbf<plist/>", b"\n<plist/>"] {
            let profile = signature(content, &trust);
            assert_eq!((&*profile.content, profile.signature), (content, Signature::Unsigned));
        }
    }

    #[test]
    fn a_signature_of_a_known_authority_is_trusted() {
        let root = authority("root");
        let wish = Wish { is_authority: true, common_name: "middle", ..Wish::default() };
        let middle = Wish { issuer: Some(&root), ..wish }.make();
        // A certificate of a web server.
        let pair = leaf(&middle);
        let trust = trust(&root);
        let profile = signature(&signed(&pair, &[&middle], CMSOptions::empty()), &trust);
        assert_eq!(profile.content, PLIST);
        let Signature::Trusted { subject, not_after: Some(not_after) } = profile.signature else {
            panic!("{:?}", profile.signature);
        };
        assert_eq!(subject, "CN=example");
        assert!((not_after - (now() + 30 * 86_400)).abs() < 60);
        let without = signature(&signed(&pair, &[], CMSOptions::empty()), &trust);
        assert_eq!(without.content, PLIST);
        assert!(matches!(without.signature, Signature::Untrusted { .. }));
        assert!(reason(without).ends_with("(CN=example, issuer: CN=middle)"));
    }

    #[test]
    fn a_signer_may_be_named_by_its_key() {
        let root = authority("root");
        let wish = Wish { for_server: false, dns: &["example.org"], ..Wish::default() };
        let pair = Wish { issuer: Some(&root), has_key_id: true, ..wish }.make();
        let octets = signed(&pair, &[], CMSOptions::USE_KEYID);
        let profile = signature(&octets, &trust(&root));
        let expected = Signature::Trusted { subject: String::new(), not_after: None };
        assert_eq!((&*profile.content, profile.signature), (PLIST, expected));
        let other = signature(&octets, &trust(&authority("other")));
        assert!(matches!(other.signature, Signature::Untrusted { .. }));
    }

    #[test]
    fn others_are_not_trusted() {
        let root = authority("root");
        let trust = trust(&root);
        let of =
            |wish: Wish<'_>| signature(&signed(&wish.make(), &[], CMSOptions::empty()), &trust);
        let dns: &[&str] = &["example.org"];
        for (wish, text) in [
            (Wish { dns, days: (-9, -1), issuer: Some(&root), ..Wish::default() }, "expired"),
            (Wish { dns, days: (1, 9), issuer: Some(&root), ..Wish::default() }, "not yet valid"),
            (Wish { dns, ..Wish::default() }, "self"),
        ] {
            let profile = of(wish);
            assert_eq!(profile.content, PLIST);
            assert!(matches!(profile.signature, Signature::Untrusted { .. }));
            assert!(reason(profile).contains(text));
        }
    }

    #[test]
    fn what_does_not_fit_is_broken() {
        let root = authority("root");
        let trust = trust(&root);
        let good = signed(&leaf(&root), &[], CMSOptions::empty());
        let place = good.windows(7).position(|window| window == b"<plist>").unwrap();
        let mut changed = good.clone();
        changed[place + 1] = b'P';
        let profile = signature(&changed, &trust);
        assert!(profile.content.windows(7).any(|window| window == b"<Plist>"));
        assert!(matches!(profile.signature, Signature::Broken { .. }), "{profile:?}");
        let without = signed(&leaf(&root), &[], CMSOptions::CMS_NOCERTS);
        let apart = signed(&leaf(&root), &[], CMSOptions::DETACHED);
        let long = vec![b' '; MAX_PROFILE + 1];
        let junk = b"\x30\x03\x02\x01\x00".to_vec();
        let cut = good[..good.len() - 1].to_vec();
        for octets in [without, apart, long, junk, cut, b"-----BEGIN PKCS7-----".to_vec()] {
            let profile = signature(&octets, &trust);
            assert!(matches!(profile.signature, Signature::Broken { .. }), "{profile:?}");
            assert!(profile.content.is_empty());
            assert!(!reason(profile).is_empty());
        }
        assert!(ErrorStack::get().errors().is_empty());
    }
}
