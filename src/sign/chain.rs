//! The chain of a certificate: its order, and the reasons for which devices will reject it.
//!
//! Refuses chains that are too long, and files with dozens of certificates of the same name. Rules:
//! RFC 5280, RFC 8550.

use super::certificate::{name, subject};
use super::error::{Fault, SignError};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{
    X509, X509KeyUsage, X509NameRef, X509PurposeId, X509Ref, X509StoreContext, X509VerifyResult,
};
use std::cmp::Ordering;

/// The sizes that Apple devices are known to accept; others are reported. A shorter key is refused:
/// keys of 512 bits were broken in hours, and a profile signed with one proves nothing.
pub(super) const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// The longest chain that is signed with; public ones have two or three certificates.
const MAX_CHAIN: usize = 8;

/// How many signatures of issuers are verified to put a chain into order.
const MAX_TRIES: usize = 32;

/// The leaf and its issuers as far as the file has them.
pub(super) fn chain(leaf: X509, certificates: &[X509]) -> Result<Vec<X509>, SignError> {
    let mut chain = vec![leaf];
    let mut tries = 0;
    while let Some(last) = chain.last().filter(|last| !is_self_signed(last)) {
        if chain.len() == MAX_CHAIN {
            return Err(SignError::Certificate(format!(
                "the chain has more than {MAX_CHAIN} certificates"
            )));
        }
        // A root may also exist as a certificate signed by another root; that one leads further.
        let mut found: Option<&X509> = None;
        for issuer in certificates {
            let is_new = found.is_none_or(|found| is_self_signed(found) && !is_self_signed(issuer));
            if !is_new || issuer.issued(last) != X509VerifyResult::OK || holds(&chain, issuer) {
                continue;
            }
            tries += 1;
            if tries > MAX_TRIES {
                return Err(SignError::Certificate(
                    "contains too many certificates of the same name".to_owned(),
                ));
            }
            if issuer.public_key().and_then(|key| last.verify(&key)).is_ok_and(|is_so| is_so) {
                found = Some(issuer);
            }
            // A failed verification leaves its reasons in OpenSSL's queue.
            drop(ErrorStack::get());
        }
        match found {
            Some(issuer) => chain.push(issuer.clone()),
            None => break,
        }
    }
    Ok(chain)
}

fn holds(chain: &[X509], certificate: &X509Ref) -> bool {
    chain.iter().any(|held| is_same(held, certificate))
}

fn is_same(one: &X509Ref, other: &X509Ref) -> bool {
    matches!((one.to_der(), other.to_der()), (Ok(one), Ok(other)) if one == other)
}

pub(super) fn is_same_name(one: &X509NameRef, other: &X509NameRef) -> bool {
    one.try_cmp(other).is_ok_and(Ordering::is_eq)
}

/// True if it names itself as its issuer, as a root does.
pub(super) fn is_self_signed(certificate: &X509Ref) -> bool {
    is_same_name(certificate.subject_name(), certificate.issuer_name())
}

/// The issuer of the last certificate, unless that is a root.
pub(super) fn missing(chain: &[X509]) -> Option<&X509NameRef> {
    chain.last().filter(|last| !is_self_signed(last)).map(|last| last.issuer_name())
}

/// The faults of a file that do not depend on the time.
pub(super) fn lasting_faults(chain: &[X509], file: &[X509], key: &PKeyRef<Private>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |code, message: String, remedy| faults.push(Fault { code, message, remedy });
    let leaf = &chain[0];
    if is_self_signed(leaf) {
        fault(
            "signing-self-signed",
            format!(
                "the certificate `{}` is self-signed: devices show \"Not Verified\"",
                subject(leaf)
            ),
            "use a certificate of a CA that devices trust, for example one like that of the web server",
        );
    } else if let (1, Some(issuer)) = (chain.len(), missing(chain)) {
        fault(
            "signing-chain-incomplete",
            format!(
                "the certificate of the issuer `{}` is missing in the file: devices show \
                 \"Not Verified\"",
                name(issuer)
            ),
            "add the chain after the certificate, as in a `fullchain.pem`",
        );
    }
    if leaf.subject_name().entries_by_nid(Nid::COMMONNAME).next().is_none() {
        fault(
            "signing-name",
            "the certificate has no common name (CN), which devices show as the signer".to_owned(),
            "use a certificate with a common name",
        );
    }
    let place = |certificate: &X509| file.iter().position(|other| is_same(other, certificate));
    if !chain.iter().map(place).is_sorted() || place(leaf) != Some(0) {
        fault(
            "signing-order",
            "the certificates of the chain are not in order; they are sent in order".to_owned(),
            "put the certificate first, then the one of its issuer, and so on",
        );
    }
    let is_related = |certificate: &X509| {
        chain.iter().any(|held| is_same_name(held.subject_name(), certificate.subject_name()))
    };
    let unrelated: Vec<_> = file.iter().filter(|other| !is_related(other)).collect();
    if let Some(first) = unrelated.first() {
        let more = match unrelated.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        fault(
            "signing-unrelated",
            format!(
                "a certificate in the file does not belong to the chain: `{}`{more}",
                subject(first)
            ),
            "it is not sent; remove it",
        );
    }
    let for_signatures = X509KeyUsage::DIGITAL_SIGNATURE | X509KeyUsage::NON_REPUDIATION;
    if leaf.key_usage().is_some_and(|usage| !usage.intersects(for_signatures)) {
        fault(
            "signing-key-usage",
            format!(
                "the certificate `{}` is not for signatures: its key usage has neither \
                 digitalSignature nor nonRepudiation (RFC 8550 section 4.4.2)",
                subject(leaf)
            ),
            "use a certificate for signatures",
        );
    }
    for certificate in chain.iter().filter(|certificate| !is_self_signed(certificate)) {
        let algorithm = certificate.signature_algorithm().object().nid();
        let digest = algorithm.signature_algorithms().map(|both| both.digest);
        if digest.is_some_and(|digest| [Nid::MD5, Nid::SHA1].contains(&digest)) {
            fault(
                "signing-weak-hash",
                format!(
                    "the certificate `{}` is signed with SHA-1 or MD5: devices do not trust it",
                    subject(certificate)
                ),
                "use a certificate that is signed with SHA-256",
            );
        }
    }
    if key.id() == Id::RSA && key.bits() > *RSA_BITS.end() {
        fault(
            "signing-key-size",
            format!("the RSA key has {} bits: not all devices take it", key.bits()),
            "use a key of 2048 to 4096 bits",
        );
    }
    if let Some(reason) = refusal(chain) {
        fault(
            "signing-chain-refused",
            format!("the chain is refused: {reason}"),
            "use the chain that the CA provides with the certificate",
        );
    }
    faults
}

/// OpenSSL's reason against the chain if its last certificate is trusted, for example an issuer
/// that is not a CA. The time is checked elsewhere.
fn refusal(chain: &[X509]) -> Option<String> {
    let verify = || {
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::NO_CHECK_TIME)?;
        parameters.set_purpose(X509PurposeId::ANY)?;
        let mut store = X509StoreBuilder::new()?;
        store.set_param(&parameters)?;
        let (last, rest) = chain.split_last().ok_or_else(ErrorStack::get)?;
        store.add_cert(last.clone())?;
        let mut issuers = Stack::new()?;
        for issuer in rest.iter().skip(1) {
            issuers.push(issuer.clone())?;
        }
        let (store, mut context) = (store.build(), X509StoreContext::new()?);
        context.init(&store, &chain[0], &issuers, |context| {
            let is_good = context.verify_cert()?;
            Ok((!is_good).then(|| context.error().error_string().to_owned()))
        })
    };
    verify().unwrap_or_else(|error| Some(error.to_string()))
}
