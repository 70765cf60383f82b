//! The authorities and certificates of the laboratory: right ones, and one of each kind of wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Extension, X509Name, X509NameEntryRef};

use crate::common::write;

/// The certificate of the authority that all programs of the laboratory trust.
pub const AUTHORITY: &str = "/etc/ssl/certs/authority.pem";

/// The key of every server.
pub const KEY: &str = "/etc/ssl/private/laboratory.key";

const DAY: i64 = 24 * 60 * 60;

/// How a certificate is made.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Make {
    Right,
    Expired,
    NotYet,
    SelfSigned,
    /// The intermediate certificate is not sent.
    Incomplete,
    /// By an authority that nobody trusts.
    Unknown,
}

/// The authorities, and the certificates that were made so far.
pub struct Authorities {
    key: PKey<Private>,
    intermediate: X509,
    stranger: X509,
    made: BTreeMap<(Make, String), PathBuf>,
}

impl Authorities {
    /// Makes the authorities, and writes their files.
    pub fn new() -> Self {
        // One key for all: nothing here depends on who holds it, and it saves time.
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
        let root = certificate(&key, "Authority of the laboratory", None, (-2, 30), &[]);
        let intermediate =
            certificate(&key, "Intermediate of the laboratory", Some(&root), (-2, 30), &[]);
        let stranger = certificate(&key, "Authority of nobody", None, (-2, 30), &[]);
        write(Path::new(AUTHORITY), root.to_pem().expect("PEM"));
        // The store of the system, for clients that have no other.
        write(Path::new("/etc/ssl/certs/ca-certificates.crt"), root.to_pem().expect("PEM"));
        write(Path::new(KEY), key.private_key_to_pem_pkcs8().expect("PEM"));
        Self { key, intermediate, stranger, made: BTreeMap::new() }
    }

    /// The file of a certificate for these names, with what a server sends beside it.
    pub fn file(&mut self, make: Make, names: &[&str]) -> PathBuf {
        let place = (make, names.join(","));
        if let Some(path) = self.made.get(&place) {
            return path.clone();
        }
        let days = match make {
            Make::Expired => (-40, -10),
            Make::NotYet => (10, 40),
            _ => (-1, 60),
        };
        let issuer = match make {
            Make::SelfSigned => None,
            Make::Unknown => Some(&self.stranger),
            _ => Some(&self.intermediate),
        };
        let leaf = certificate(&self.key, names[0], issuer, days, names);
        let mut pem = leaf.to_pem().expect("PEM");
        if matches!(make, Make::Right | Make::Expired | Make::NotYet) {
            pem.extend(self.intermediate.to_pem().expect("PEM"));
        }
        let path = PathBuf::from(format!("/etc/ssl/laboratory/{}.pem", self.made.len()));
        write(&path, pem);
        self.made.insert(place, path.clone());
        path
    }

    /// A message with its signature by such a certificate, as devices take profiles.
    pub fn sign(&mut self, make: Make, message: &[u8]) -> Vec<u8> {
        let pem = std::fs::read(self.file(make, &["example.org"])).expect("a certificate");
        let mut chain = X509::stack_from_pem(&pem).expect("PEM").into_iter();
        let leaf = chain.next().expect("a certificate");
        let mut others = Stack::new().expect("a stack");
        for certificate in chain {
            others.push(certificate).expect("a stack");
        }
        let options = CMSOptions::BINARY;
        let signed = CmsContentInfo::sign(
            Some(&leaf),
            Some(&self.key),
            Some(&others),
            Some(message),
            options,
        );
        signed.and_then(|signed| signed.to_der()).expect("a signature")
    }
}

/// A certificate: of an authority if it has no names, self-signed if it has no issuer.
fn certificate(
    key: &PKey<Private>,
    subject: &str,
    issuer: Option<&X509>,
    (from, to): (i64, i64),
    names: &[&str],
) -> X509 {
    let mut name = X509Name::builder().expect("a name");
    name.append_entry_by_nid(Nid::COMMONNAME, subject).expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("a version");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let now = i64::try_from(now).expect("a time");
    let serial = BigNum::from_slice(&openssl::sha::sha256(subject.as_bytes())[..8]);
    let serial = serial.and_then(|number| number.to_asn1_integer()).expect("a number");
    builder.set_serial_number(&serial).expect("a number");
    builder.set_subject_name(&name).expect("a name");
    builder.set_issuer_name(issuer.map_or(&*name, |issuer| issuer.subject_name())).expect("a name");
    let time = |days: i64| Asn1Time::from_unix(now + days * DAY).expect("a time");
    builder.set_not_before(&time(from)).expect("a time");
    builder.set_not_after(&time(to)).expect("a time");
    builder.set_pubkey(key).expect("a key");
    let mut constraints = BasicConstraints::new();
    let mut usage = KeyUsage::new();
    if names.is_empty() {
        constraints.critical().ca();
        usage.critical().key_cert_sign().crl_sign();
    } else {
        constraints.critical();
        usage.critical().digital_signature();
        let mut extended = ExtendedKeyUsage::new();
        extended.server_auth().email_protection();
        builder.append_extension(extended.build().expect("an extension")).expect("an extension");
        let mut alternative = SubjectAlternativeName::new();
        for name in names {
            alternative.dns(name);
        }
        let context = builder.x509v3_context(issuer.map(|issuer| &**issuer), None);
        let alternative = alternative.build(&context).expect("an extension");
        builder.append_extension(alternative).expect("an extension");
    }
    builder.append_extension(constraints.build().expect("an extension")).expect("an extension");
    if issuer.is_some_and(|issuer| issuer.subject_name().entries().any(is_intermediate)) {
        builder.append_extension(issuer_place()).expect("an extension");
    }
    builder.append_extension(usage.build().expect("an extension")).expect("an extension");
    builder.sign(key, MessageDigest::sha256()).expect("a signature");
    builder.build()
}

/// An extension that says where the certificate of the issuer is (RFC 5280 §4.2.2.1), as public
/// authorities write it.
fn issuer_place() -> X509Extension {
    const URL: &[u8] = b"http://ca.example/ca.crt";
    // caIssuers, 1.3.6.1.5.5.7.48.2
    const METHOD: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let place = [&[0x86, URL.len() as u8], URL].concat();
    let one = [&[0x30, (METHOD.len() + place.len()) as u8], METHOD, &place].concat();
    let all = [&[0x30, one.len() as u8], &one[..]].concat();
    let contents = Asn1OctetString::new_from_bytes(&all).expect("an extension");
    let object = Asn1Object::from_str("1.3.6.1.5.5.7.1.1").expect("an extension");
    X509Extension::new_from_der(&object, false, &contents).expect("an extension")
}

fn is_intermediate(entry: &X509NameEntryRef) -> bool {
    entry.data().as_slice().starts_with(b"Intermediate")
}
