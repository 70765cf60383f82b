//! Describes a certificate: names, dates and key. All of it comes from outside: it is bounded, and
//! escaped.

use super::session::Certificate;
use mailsetup::visible::visible;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::x509::{GeneralNameRef, X509NameRef, X509Ref};
use std::net::IpAddr;

/// Names of one certificate that are kept.
const MAX_NAMES: usize = 100;
/// Longest name, in characters. A host name has 253.
const MAX_NAME: usize = 255;

impl Certificate {
    /// Describes the certificate, which came with `sent` certificates in all.
    pub(super) fn of(certificate: &X509Ref, sent: usize) -> Certificate {
        Certificate {
            names: names(certificate),
            subject: name(certificate.subject_name()),
            issuer: name(certificate.issuer_name()),
            // A date that cannot be read makes a certificate invalid at all times.
            not_before: unix(certificate.not_before()).unwrap_or(i64::MAX),
            not_after: unix(certificate.not_after()).unwrap_or(i64::MIN),
            sent,
            key: key(certificate),
        }
    }
}

fn names(certificate: &X509Ref) -> Vec<String> {
    let alternative = certificate.subject_alt_names();
    let names = alternative.iter().flatten().filter_map(alternative_name);
    let names: Vec<_> = names.take(MAX_NAMES).collect();
    if !names.is_empty() {
        return names;
    }
    let common = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).last();
    common.and_then(|entry| Some(bounded(&entry.data().to_string().ok()?))).into_iter().collect()
}

fn alternative_name(name: &GeneralNameRef) -> Option<String> {
    if let Some(dns) = name.dnsname() {
        return Some(bounded(dns));
    }
    let bytes = name.ipaddress()?;
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    v4.or(v6).ok().map(|address| address.to_string())
}

/// All parts of a name: `C=US, O=Example, CN=R10`.
pub(crate) fn name(name: &X509NameRef) -> String {
    let parts = name.entries().take(20).filter_map(|entry| {
        let key = entry.object().nid().short_name().unwrap_or("?");
        Some(format!("{key}={}", entry.data().to_string().ok()?))
    });
    bounded(&parts.collect::<Vec<_>>().join(", "))
}

fn key(certificate: &X509Ref) -> String {
    let Ok(key) = certificate.public_key() else {
        drop(ErrorStack::get());
        return "unknown".to_owned();
    };
    match key.id() {
        Id::RSA => format!("RSA {}", key.bits()),
        Id::RSA_PSS => format!("RSA-PSS {}", key.bits()),
        Id::EC => format!("EC {}", key.bits()),
        Id::ED25519 => "Ed25519".to_owned(),
        Id::ED448 => "Ed448".to_owned(),
        Id::DSA => format!("DSA {}", key.bits()),
        _ => "unknown".to_owned(),
    }
}

/// Seconds since 1970.
pub(crate) fn unix(time: &Asn1TimeRef) -> Result<i64, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since.days) * 24 * 60 * 60 + i64::from(since.secs))
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", visible(&text[..end])),
        None => visible(text),
    }
}
