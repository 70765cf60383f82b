//! Signs Apple profiles: CMS SignedData (RFC 5652), attached, DER, with the chain inside.
//!
//! The only file that names OpenSSL. It takes bytes and reads no file: a [`Signer`] is made of a
//! certificate with its chain and a key, both PEM (RFC 7468), and exists only if they have signed.
//! Refuses keys that Apple's devices do not take, keys so small that a stranger could sign with
//! them, and a certificate that is not valid now.

use std::fmt;

pub use backend::{Signer, library_version};

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

//------------ Signer ---------------------------------------------------------

#[cfg(feature = "sign")]
mod backend {
    use super::pem::{self, Block};
    use super::{Fault, SignError};
    use crate::visible::visible;
    use openssl::asn1::{Asn1Time, Asn1TimeRef};
    use openssl::cms::{CMSOptions, CmsContentInfo};
    use openssl::error::ErrorStack;
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkcs12::Pkcs12;
    use openssl::pkey::{Id, PKey, PKeyRef, Private};
    use openssl::stack::Stack;
    use openssl::x509::store::X509StoreBuilder;
    use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
    use openssl::x509::{
        X509, X509KeyUsage, X509NameRef, X509PurposeId, X509Ref, X509StoreContext, X509VerifyResult,
    };
    use std::cmp::Ordering;
    use std::collections::HashSet;
    use std::fmt;
    use std::time::{SystemTime, UNIX_EPOCH};

    /// How many different certificates a file may hold: a bundle of all public roots has 150.
    const MAX_CERTIFICATES: usize = 256;

    /// The longest chain that is signed with; public ones have two or three certificates.
    const MAX_CHAIN: usize = 8;

    /// How many keys are tried.
    const MAX_KEYS: usize = 16;

    /// How many signatures of issuers are verified to put a chain into order.
    const MAX_TRIES: usize = 32;

    /// What Apple's devices are known to take (reported). A shorter key is refused: one of 512
    /// bits was broken by students in hours, and a profile signed with it proves nothing.
    const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

    /// One signature by a larger key takes a tenth of a second and more.
    const MAX_RSA_BITS: u32 = 8192;

    /// The curves that Apple's CryptoKit and Security frameworks know (P256, P384, P521).
    const CURVES: [Nid; 3] = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];

    /// How long before its end a certificate is reported: ACME clients renew 30 days before.
    const SOON_DAYS: i64 = 14;

    /// What is signed before a pair counts.
    const TEST_DOCUMENT: &[u8] = b"<?xml version='1.0'?>\n\xc3\xa9\r\n";

    /// A certificate with its chain and its key that have signed.
    pub struct Signer {
        key: PKey<Private>,
        /// The leaf, then each one's issuer.
        chain: Vec<X509>,
        /// What is sent beside the leaf: the chain without a root, which a device has or distrusts
        /// (RFC 8550 §2.3).
        sent: Stack<X509>,
        subject: String,
        not_after: String,
        /// What is wrong with the file, whatever the time is.
        faults: Vec<Fault>,
    }

    impl fmt::Debug for Signer {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            // Never the key.
            write!(f, "Signer({}, until {})", self.subject, self.not_after)
        }
    }

    impl Signer {
        /// Reads a certificate with its chain and a key, and signs once with them.
        ///
        /// Certificates that stand there twice count once, the order does not matter, and those
        /// that do not belong to the chain are left out: `faults` names what was mended.
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
        /// Fails if the certificate is not valid now: devices show such a signature like none.
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

        /// Signs, and reads back what was signed.
        fn try_once(&self) -> Result<(), SignError> {
            let signed = self.sign(TEST_DOCUMENT)?;
            let mut content = Vec::new();
            // What the chain leads to is for devices to judge.
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

        /// What devices will object to at the time `now`.
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
                        mend: "renew it",
                    });
                } else if end - now < SOON_DAYS * DAY {
                    faults.push(Fault {
                        code: "signing-expires",
                        message: format!("the {what} `{name}` expires on {day}"),
                        mend: "renew it; after that day devices show \"Not Verified\"",
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

        /// False if this chain breaks off earlier than that of `earlier` did, as a file does that
        /// is written in two steps.
        ///
        /// The next issuer is one that the earlier chain held, or this chain is shorter and ends
        /// below another issuer. A chain that holds its root leads as far as a chain can.
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
            // What follows in a `TRUSTED CERTIFICATE` is OpenSSL's own and left out.
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

    /// Why a file holds no certificate: what it holds instead.
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
            // A passphrase is never asked for: nothing would answer.
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

    /// Why a file holds no key: what it holds instead.
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

    /// What a file is that is not PEM.
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

    /// The certificate and the key that belong together. Of several certificates for one key, as
    /// in a file to which the renewed one was added: one that is valid now, and lasts longest.
    fn matching(
        certificates: &[X509],
        keys: Vec<PKey<Private>>,
    ) -> Result<(X509, PKey<Private>), SignError> {
        let now = Asn1Time::days_from_now(0).map_err(refused)?;
        for key in keys {
            let mut best: Option<(bool, i64, &X509)> = None;
            for certificate in certificates {
                // A kind of key that OpenSSL does not know is in another's certificate.
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
            // Ed25519 among them: OpenSSL 3.0 does not sign CMS with it.
            _ => error(
                "contains a key that Apple's devices do not accept; use RSA or ECDSA".to_owned(),
            ),
        }
    }

    //--- The chain

    /// The leaf and its issuers as far as the file has them.
    fn chain(leaf: X509, certificates: &[X509]) -> Result<Vec<X509>, SignError> {
        let mut chain = vec![leaf];
        let mut tries = 0;
        while let Some(last) = chain.last().filter(|last| !is_self_signed(last)) {
            if chain.len() == MAX_CHAIN {
                return Err(SignError::Certificate(format!(
                    "the chain has more than {MAX_CHAIN} certificates"
                )));
            }
            // A root that another root has signed is in use in both forms; that one leads further.
            let mut found: Option<&X509> = None;
            for issuer in certificates {
                let is_new =
                    found.is_none_or(|found| is_self_signed(found) && !is_self_signed(issuer));
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
                // What failed leaves its reasons behind.
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

    fn is_same_name(one: &X509NameRef, other: &X509NameRef) -> bool {
        one.try_cmp(other).is_ok_and(Ordering::is_eq)
    }

    /// True if it names itself as its issuer, which a root does.
    fn is_self_signed(certificate: &X509Ref) -> bool {
        is_same_name(certificate.subject_name(), certificate.issuer_name())
    }

    /// The issuer of the last certificate, unless that is a root.
    fn missing(chain: &[X509]) -> Option<&X509NameRef> {
        chain.last().filter(|last| !is_self_signed(last)).map(|last| last.issuer_name())
    }

    //--- Faults

    /// What is wrong with a file, whatever the time is.
    fn lasting_faults(chain: &[X509], file: &[X509], key: &PKeyRef<Private>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |code, message: String, mend| faults.push(Fault { code, message, mend });
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

    /// What OpenSSL has against the chain if its last certificate is trusted: an issuer that is
    /// not a CA, say. The time is looked at elsewhere.
    fn refusal(chain: &[X509]) -> Option<String> {
        let verify = || {
            let mut parameters = X509VerifyParam::new()?;
            parameters
                .set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::NO_CHECK_TIME)?;
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

    //--- Words

    /// What people call a certificate: its CN, else its first DNS name, else all of its name.
    fn subject(certificate: &X509Ref) -> String {
        let names = certificate.subject_alt_names();
        let dns = names.iter().flatten().find_map(|name| name.dnsname().map(visible));
        match common_name(certificate.subject_name()).or(dns) {
            Some(short) => short,
            None => name(certificate.subject_name()),
        }
    }

    /// A name with its CN, else with all that it has.
    fn name(name: &X509NameRef) -> String {
        if let Some(short) = common_name(name) {
            return short;
        }
        let parts = name.entries().filter_map(|entry| {
            let key = entry.object().nid().short_name().unwrap_or("?");
            Some(format!("{key}={}", entry.data().to_string().ok()?))
        });
        visible(&parts.collect::<Vec<_>>().join(", "))
    }

    fn common_name(name: &X509NameRef) -> Option<String> {
        let entry = name.entries_by_nid(Nid::COMMONNAME).last()?;
        let text = entry.data().to_string().ok()?;
        (!text.is_empty()).then(|| visible(&text))
    }

    //--- Time

    const DAY: i64 = 24 * 60 * 60;

    fn is(time: &Asn1TimeRef, order: Ordering, now: &Asn1TimeRef) -> bool {
        time.compare(now).is_ok_and(|found| found == order)
    }

    /// Seconds since 1970.
    fn unix(time: &Asn1TimeRef) -> Result<i64, ErrorStack> {
        let since = Asn1Time::from_unix(0)?.diff(time)?;
        Ok(i64::from(since.days) * DAY + i64::from(since.secs))
    }

    /// The day, in UTC, of seconds since 1970.
    fn date(unix: i64) -> String {
        // Years that begin in March, so that a leap day is the last of its year.
        let days = unix.div_euclid(DAY) + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = match month {
            0..=9 => (year + era * 400, month + 3),
            _ => (year + era * 400 + 1, month - 9),
        };
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn refused(errors: ErrorStack) -> SignError {
        // The reasons without OpenSSL's own files and lines.
        let reasons: Vec<_> = errors.errors().iter().filter_map(|error| error.reason()).collect();
        match reasons.is_empty() {
            true => SignError::Refused("no reason was given".to_owned()),
            false => SignError::Refused(visible(&reasons.join(", "))),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::date;

        #[test]
        fn days_have_their_dates() {
            for (unix, day) in [
                (0, "1970-01-01"),
                (-1, "1969-12-31"),
                (951_782_400, "2000-02-29"),
                (951_868_800, "2000-03-01"),
                (1_798_761_599, "2026-12-31"),
                (1_798_761_600, "2027-01-01"),
                (4_107_542_400, "2100-03-01"),
                (253_402_300_799, "9999-12-31"),
            ] {
                assert_eq!(date(unix), day, "{unix}");
            }
        }
    }
}

#[cfg(not(feature = "sign"))]
mod backend {
    use super::{Fault, SignError};
    use std::convert::Infallible;
    use std::time::SystemTime;

    /// Never there: this build cannot sign.
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

        /// What devices will object to.
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

        /// False if this chain breaks off earlier than the other did.
        pub fn leads_as_far_as(&self, _: &Signer) -> bool {
            match self.0 {}
        }
    }

    /// The version of OpenSSL in use; `None` in a build that cannot sign.
    pub fn library_version() -> Option<&'static str> {
        None
    }
}

//------------ pem ------------------------------------------------------------

/// The blocks of a PEM file (RFC 7468), found by their first and last lines. What is around them
/// is left out; so are carriage returns, blanks and a byte order mark.
#[cfg(feature = "sign")]
mod pem {
    /// What is between `-----BEGIN …-----` and `-----END …-----`.
    pub struct Block {
        pub label: String,
        /// The base64 text, without blanks.
        body: String,
        /// True if a passphrase is needed.
        pub is_encrypted: bool,
    }

    impl Block {
        pub fn is_certificate(&self) -> bool {
            ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].contains(&&*self.label)
        }

        pub fn is_key(&self) -> bool {
            self.label.ends_with("PRIVATE KEY")
        }

        /// The block alone, under this label, in lines of the usual length: OpenSSL refuses long
        /// ones.
        pub fn text(&self, label: &str) -> Vec<u8> {
            let mut text = format!("-----BEGIN {label}-----\n").into_bytes();
            for line in self.body.as_bytes().chunks(64) {
                text.extend_from_slice(line);
                text.push(b'\n');
            }
            text.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
            text
        }
    }

    /// The blocks of a file; fails if it is cut inside a block.
    pub fn blocks(file: &[u8]) -> Result<Vec<Block>, &'static str> {
        const START: &[u8] = b"-----BEGIN ";
        const CUT: &str = "a PEM block in the file is truncated: its END line is missing";
        const DAMAGED: &str = "a PEM block in the file is damaged: it is not base64";
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        let lines = file.split(|&b| b == b'\n' || b == b'\r').flat_map(|line| {
            // `cat a b`, where the last line of the first file does not end.
            let start = line.windows(START.len()).position(|part| part == START).unwrap_or(0);
            let (before, line) = line.split_at(start);
            [before.trim_ascii(), line.trim_ascii()]
        });
        for line in lines {
            match (&mut open, label(line, START)) {
                (None, Some(label)) => {
                    let is_encrypted = label.starts_with("ENCRYPTED");
                    open =
                        Some(Block { label: label.to_owned(), body: String::new(), is_encrypted });
                }
                (None, None) => {}
                (Some(_), Some(_)) => return Err(CUT),
                (Some(block), None) => match label(line, b"-----END ") {
                    Some(label) if label == block.label => blocks.extend(open.take()),
                    Some(_) => return Err(CUT),
                    // RFC 1421 §4.6: fields before the base64 text.
                    None if line.contains(&b':') => {
                        block.is_encrypted |= line.ends_with(b"ENCRYPTED");
                    }
                    None if line.iter().any(|b| !is_base64(*b)) => return Err(DAMAGED),
                    None => block.body.extend(
                        line.iter().filter(|b| !b.is_ascii_whitespace()).map(|&b| char::from(b)),
                    ),
                },
            }
        }
        match open {
            Some(_) => Err(CUT),
            None => Ok(blocks),
        }
    }

    fn is_base64(b: u8) -> bool {
        b.is_ascii_alphanumeric() || b"+/= \t".contains(&b)
    }

    fn label<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a str> {
        let label = line.strip_prefix(start)?.strip_suffix(b"-----")?;
        std::str::from_utf8(label).ok()
    }
}
