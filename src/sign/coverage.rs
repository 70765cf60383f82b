//! The host names that the certificates of a file are for, and whether they are valid now.
//!
//! The names are those of the extension subjectAltName; the common name counts only without it
//! (RFC 6125 §6.4.4). Refuses damaged certificates.

use super::certificate::{date, is, refused, subject, unix};
use super::error::SignError;
use super::pem;
use openssl::asn1::Asn1Time;
use openssl::nid::Nid;
use openssl::x509::X509;
use std::cmp::Ordering;

/// What a certificate is for.
#[derive(Debug)]
pub struct Coverage {
    /// The host names as they are written in it; a wildcard as `*.example.org`.
    pub names: Vec<String>,
    /// The display name of the certificate.
    pub subject: String,
    /// Why it does not count now: `expired on 2027-01-02`.
    pub fault: Option<String>,
}

impl Coverage {
    /// Reads the certificates of a PEM file, in their order; other contents are ignored.
    pub fn from_pem(file: &[u8]) -> Result<Vec<Coverage>, SignError> {
        let blocks = pem::blocks(file).map_err(|what| SignError::Certificate(what.to_owned()))?;
        let now = Asn1Time::days_from_now(0).map_err(refused)?;
        let certificates = blocks.iter().filter(|block| block.is_certificate()).enumerate();
        let coverages = certificates.map(|(at, block)| {
            let certificate = X509::from_pem(&block.text("CERTIFICATE")).map_err(|_| {
                SignError::Certificate(format!("certificate {} in the file is damaged", at + 1))
            })?;
            let (start, end) = (certificate.not_before(), certificate.not_after());
            let fault = if !is(end, Ordering::Greater, &now) {
                Some(format!("expired on {}", date(unix(end).map_err(refused)?)))
            } else if is(start, Ordering::Greater, &now) {
                Some(format!("is not valid before {}", date(unix(start).map_err(refused)?)))
            } else {
                None
            };
            Ok(Coverage { names: names(&certificate), subject: subject(&certificate), fault })
        });
        coverages.collect()
    }
}

fn names(certificate: &X509) -> Vec<String> {
    match certificate.subject_alt_names() {
        Some(names) => names.iter().filter_map(|name| name.dnsname().map(str::to_owned)).collect(),
        None => {
            let common = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).last();
            let text = common.and_then(|entry| entry.data().to_string().ok());
            text.into_iter().collect()
        }
    }
}
