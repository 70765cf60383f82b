//! A certificate with its chain and a key that have signed: CMS SignedData (RFC 5652).
//!
//! Refuses keys that Apple devices do not accept, and files with other contents; the error names
//! the contents.

use super::certificate::{DAY, date, is, refused, subject, unix};
use super::chain::{RSA_BITS, chain, is_same_name, is_self_signed, lasting_faults, missing};
use super::error::{Fault, SignError};
use super::pem::{self, Block};
use openssl::asn1::Asn1Time;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{Id, PKey, PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::{X509, X509NameRef};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many different certificates a file may contain: a bundle of all public roots has 150.
const MAX_CERTIFICATES: usize = 256;

/// How many keys of a file are tried.
const MAX_KEYS: usize = 16;

/// A signature with a larger key takes a tenth of a second and more.
const MAX_RSA_BITS: u32 = 8192;

/// The curves that Apple's CryptoKit and Security frameworks support (P256, P384, P521).
const CURVES: [Nid; 3] = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];

/// How many days before its end a certificate is reported: ACME clients renew 30 days before.
const SOON_DAYS: i64 = 14;

/// The test document that a pair must sign before it is used.
const TEST_DOCUMENT: &[u8] = b"<?xml version='1.0'?>\n\xc3\xa9\r\n";

/// A certificate with its chain and its key that have signed.
pub struct Signer {
    key: PKey<Private>,
    /// The leaf, then each one's issuer.
    chain: Vec<X509>,
    /// The certificates that are sent in addition to the leaf: the chain without a root, which a
    /// device has or distrusts (RFC 8550 §2.3).
    sent: Stack<X509>,
    subject: String,
    not_after: String,
    /// The faults of the file that do not depend on the time.
    faults: Vec<Fault>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        // The key is never shown.
        write!(f, "Signer({}, until {})", self.subject, self.not_after)
    }
}

impl Signer {
    /// Reads a certificate with its chain and a key, and signs once with them.
    ///
    /// Duplicate certificates are used once, the order does not matter, and those that do not
    /// belong to the chain are ignored: `faults` lists what was corrected.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Signer, SignError> {
        let certificates = certificates(certificate)?;
        let keys = keys(key)?;
        let (leaf, key) = matching(&certificates, keys)?;
        check_key(&key)?;
        let chain = chain(leaf, &certificates)?;
        let mut sent = Stack::new().map_err(refused)?;
        for issuer in chain.iter().skip(1).filter(|issuer| !is_self_signed(issuer)) {
            sent.push(issuer.clone()).map_err(refused)?;
        }
        let signer = Signer {
            subject: subject(&chain[0]),
            not_after: date(unix(chain[0].not_after()).map_err(refused)?),
            faults: lasting_faults(&chain, &certificates, &key),
            key,
            chain,
            sent,
        };
        signer.try_once()?;
        Ok(signer)
    }

    /// Signs a document and returns the CMS structure that holds it.
    ///
    /// Fails if the certificate is not valid now: devices treat such a signature as missing.
    pub fn sign(&self, document: &[u8]) -> Result<Vec<u8>, SignError> {
        self.check_time()?;
        self.cms(document).and_then(|cms| cms.to_der()).map_err(refused)
    }

    fn cms(&self, document: &[u8]) -> Result<CmsContentInfo, ErrorStack> {
        // The document is signed byte by byte (BINARY), and no S/MIME capabilities are claimed.
        let options = CMSOptions::BINARY | CMSOptions::NOSMIMECAP;
        let leaf = Some(&*self.chain[0]);
        CmsContentInfo::sign(leaf, Some(&self.key), Some(&self.sent), Some(document), options)
    }

    /// Signs, and verifies the result.
    fn try_once(&self) -> Result<(), SignError> {
        let signed = self.sign(TEST_DOCUMENT)?;
        let mut content = Vec::new();
        // Whether the chain is trusted is decided by devices.
        let options = CMSOptions::BINARY | CMSOptions::NO_SIGNER_CERT_VERIFY;
        let mut cms = CmsContentInfo::from_der(&signed).map_err(refused)?;
        cms.verify(None, None, None, Some(&mut content), options).map_err(refused)?;
        match content == TEST_DOCUMENT {
            true => Ok(()),
            false => Err(SignError::Refused("the signed test document differs".to_owned())),
        }
    }

    fn check_time(&self) -> Result<(), SignError> {
        let now = Asn1Time::days_from_now(0).map_err(refused)?;
        let (start, end) = (self.chain[0].not_before(), self.chain[0].not_after());
        if !is(end, Ordering::Greater, &now) {
            Err(SignError::NotValidNow(format!("expired on {end}")))
        } else if is(start, Ordering::Greater, &now) {
            Err(SignError::NotValidNow(format!("is not valid before {start}")))
        } else {
            Ok(())
        }
    }

    /// True if the certificate is valid now.
    pub fn is_valid_now(&self) -> bool {
        self.check_time().is_ok()
    }

    /// The reasons for which devices will reject a signature at the time `now`.
    pub fn faults(&self, now: SystemTime) -> Vec<Fault> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let mut faults = self.faults.clone();
        for (at, certificate) in self.chain.iter().enumerate() {
            let Ok(end) = unix(certificate.not_after()) else { continue };
            let (name, day) = (subject(certificate), date(end));
            let what = if at == 0 { "certificate" } else { "chain's certificate" };
            if end <= now {
                faults.push(Fault {
                    code: "signing-expired",
                    message: format!("the {what} `{name}` expired on {day}"),
                    remedy: "renew it",
                });
            } else if end - now < SOON_DAYS * DAY {
                faults.push(Fault {
                    code: "signing-expires",
                    message: format!("the {what} `{name}` expires on {day}"),
                    remedy: "renew it; after that day devices show \"Not Verified\"",
                });
            }
        }
        faults
    }

    /// The certificate's name, for a line in the log.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The last day of the certificate, in UTC: `2027-01-02`.
    pub fn not_after(&self) -> &str {
        &self.not_after
    }

    /// False if this chain ends earlier than that of `earlier`, as in a file that is written in two
    /// steps.
    ///
    /// This is so if the missing issuer was in the earlier chain, or if this chain is shorter and
    /// ends below another issuer. A chain with its root is complete.
    pub fn leads_as_far_as(&self, earlier: &Signer) -> bool {
        let Some(next) = missing(&self.chain) else { return true };
        let is_next = |name: &X509NameRef| is_same_name(name, next);
        if earlier.chain.last().is_some_and(|end| is_next(end.issuer_name())) {
            return true;
        }
        let was_held = earlier.chain.iter().skip(1).any(|held| is_next(held.subject_name()));
        !was_held && self.links() >= earlier.links()
    }

    /// How many certificates there are below the root.
    fn links(&self) -> usize {
        1 + self.sent.len()
    }
}

/// The version of OpenSSL in use; `None` in a build that cannot sign.
pub fn library_version() -> Option<&'static str> {
    Some(openssl::version::version())
}

//--- Reading

/// The different certificates of a file, in their order.
fn certificates(file: &[u8]) -> Result<Vec<X509>, SignError> {
    let blocks = pem::blocks(file).map_err(|what| SignError::Certificate(what.to_owned()))?;
    let mut seen = HashSet::new();
    let mut certificates = Vec::new();
    for block in blocks.iter().filter(|block| block.is_certificate()) {
        let number = certificates.len() + 1;
        // The additional data in a `TRUSTED CERTIFICATE` is specific to OpenSSL and ignored.
        let certificate = X509::from_pem(&block.text("CERTIFICATE")).map_err(|_| {
            SignError::Certificate(format!("certificate {number} in the file is damaged"))
        })?;
        let digest = certificate.digest(MessageDigest::sha256()).map_err(refused)?;
        if !seen.insert(digest.to_vec()) {
            continue;
        }
        if certificates.len() == MAX_CERTIFICATES {
            return Err(SignError::Certificate(format!(
                "contains more than {MAX_CERTIFICATES} certificates: give it the certificate and \
                 its chain only"
            )));
        }
        certificates.push(certificate);
    }
    match certificates.is_empty() {
        true => Err(SignError::Certificate(no_certificate(file, &blocks))),
        false => Ok(certificates),
    }
}

/// Why a file has no certificate: its actual contents.
fn no_certificate(file: &[u8], blocks: &[Block]) -> String {
    let instead = if blocks.iter().any(Block::is_key) {
        "a key; are the two files swapped?"
    } else if blocks.iter().any(|block| block.label.ends_with("CERTIFICATE REQUEST")) {
        "a certificate request, which the CA has not signed yet"
    } else if blocks.iter().any(|block| ["PKCS7", "CMS"].contains(&&*block.label)) {
        "PKCS#7; convert it with `openssl pkcs7 -print_certs`"
    } else if X509::from_der(file).is_ok() {
        "a certificate in DER; convert it with `openssl x509 -inform DER`"
    } else {
        return format!("does not contain a PEM certificate{}", other_form(file));
    };
    format!("does not contain a PEM certificate but {instead}")
}

/// The keys of a file.
fn keys(file: &[u8]) -> Result<Vec<PKey<Private>>, SignError> {
    let blocks = pem::blocks(file).map_err(|what| SignError::Key(what.to_owned()))?;
    let mut keys = Vec::new();
    for block in blocks.iter().filter(|block| block.is_key()) {
        let error = |what: &str| Err(SignError::Key(what.to_owned()));
        if block.is_encrypted {
            return error(
                "contains a PEM key with a passphrase; remove the passphrase with \
                 `openssl pkey`",
            );
        }
        if block.label.starts_with("OPENSSH") {
            return error(
                "contains a key in the form of OpenSSH, not of PEM; convert it with `ssh-keygen -p -m PEM`",
            );
        }
        if keys.len() == MAX_KEYS {
            return Err(SignError::Key(format!("contains more than {MAX_KEYS} keys")));
        }
        // A passphrase is never requested: there is no terminal to enter it.
        let no_passphrase = |_: &mut [u8]| Err(ErrorStack::get());
        match PKey::private_key_from_pem_callback(&block.text(&block.label), no_passphrase) {
            Ok(key) => keys.push(key),
            Err(_) => return error("contains a damaged PEM key, or one of an unknown kind"),
        }
    }
    match keys.is_empty() {
        true => Err(SignError::Key(no_key(file, &blocks))),
        false => Ok(keys),
    }
}

/// Why a file has no key: its actual contents.
fn no_key(file: &[u8], blocks: &[Block]) -> String {
    let instead = if blocks.iter().any(Block::is_certificate) {
        "a certificate; are the two files swapped?"
    } else if blocks.iter().any(|block| block.label.ends_with("PUBLIC KEY")) {
        "a public key; the private one is needed"
    } else if PKey::private_key_from_der(file).is_ok() {
        "a key in DER; convert it with `openssl pkey -inform DER`"
    } else {
        return format!("does not contain a PEM key{}", other_form(file));
    };
    format!("does not contain a PEM key but {instead}")
}

/// The type of a file that is not PEM.
fn other_form(file: &[u8]) -> &'static str {
    if file.is_empty() {
        ": it is empty"
    } else if file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff") {
        " but text in UTF-16; save it as UTF-8"
    } else if Pkcs12::from_der(file).is_ok() {
        " but PKCS#12; convert it with `openssl pkcs12 -nodes`"
    } else {
        ""
    }
}

/// The certificate and the key that belong together. Of several certificates for one key, as in a
/// file to which the renewed one was added, the one that is valid now and lasts longest is used.
fn matching(
    certificates: &[X509],
    keys: Vec<PKey<Private>>,
) -> Result<(X509, PKey<Private>), SignError> {
    let now = Asn1Time::days_from_now(0).map_err(refused)?;
    for key in keys {
        let mut best: Option<(bool, i64, &X509)> = None;
        for certificate in certificates {
            // Another certificate may have a kind of key that OpenSSL does not support.
            if !certificate.public_key().is_ok_and(|public| public.public_eq(&key)) {
                continue;
            }
            let has_begun = !is(certificate.not_before(), Ordering::Greater, &now);
            let end = unix(certificate.not_after()).map_err(refused)?;
            if best.is_none_or(|(begun, last, _)| (begun, last) < (has_begun, end)) {
                best = Some((has_begun, end, certificate));
            }
        }
        if let Some((_, _, leaf)) = best {
            return Ok((leaf.clone(), key));
        }
    }
    let first = certificates.first().map(|first| subject(first)).unwrap_or_default();
    Err(SignError::Mismatch(first))
}

fn check_key(key: &PKeyRef<Private>) -> Result<(), SignError> {
    let error = |what: String| Err(SignError::Key(what));
    let (bits, least) = (key.bits(), RSA_BITS.start());
    match key.id() {
        Id::RSA if bits < *least => error(format!(
            "the RSA key has {bits} bits: its signatures can be forged, and devices do not \
             trust it; use a key of {least} bits or more"
        )),
        Id::RSA if bits > MAX_RSA_BITS => error(format!(
            "the RSA key has {bits} bits: a signature takes too long; use a key of {least} \
             to {} bits",
            RSA_BITS.end()
        )),
        Id::RSA => Ok(()),
        Id::EC => {
            let key = key.ec_key().map_err(refused)?;
            match key.group().curve_name() {
                Some(curve) if CURVES.contains(&curve) => Ok(()),
                curve => {
                    let name = curve.and_then(|curve| curve.short_name().ok());
                    error(format!(
                        "Apple's devices do not accept the curve of the key, {}; use P-256, \
                         P-384 or RSA",
                        name.unwrap_or("which has no name")
                    ))
                }
            }
        }
        // Including Ed25519: OpenSSL 3.0 does not sign CMS with it.
        _ => {
            error("contains a key that Apple's devices do not accept; use RSA or ECDSA".to_owned())
        }
    }
}
