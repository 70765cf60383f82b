//! The reasons of OpenSSL's errors, in the words of [`Reason`].

use super::certificate::name;
use super::session::{Reason, Refused};
use mailsetup::visible::visible;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::ssl;
use openssl::x509::X509StoreContextRef;

/// Faults of one certificate chain that are kept.
const MAX_FAULTS: usize = 16;

/// A fault of a certificate.
#[derive(Debug)]
pub(super) struct Fault {
    reason: Reason,
    text: String,
}

/// True for a certificate with the URL of its issuer's (RFC 5280 §4.2.2.1), as public authorities write
/// it. One of a private authority seldom has it: then it is the authority that is not known.
fn says_where_its_issuer_is(context: &X509StoreContextRef) -> bool {
    let information = context.current_cert().and_then(|certificate| certificate.authority_info());
    information.is_some_and(|all| all.iter().any(|one| one.method().nid() == Nid::AD_CA_ISSUERS))
}

/// Adds the fault that OpenSSL found.
pub(super) fn add(faults: &mut Vec<Fault>, context: &X509StoreContextRef) {
    let error = context.error();
    // X509_V_ERR_*, <openssl/x509_vfy.h>; the numbers are part of the stable interface.
    let reason = match error.as_raw() {
        62 | 64 => Reason::Name,
        9 | 13 => Reason::NotYet,
        10 | 14 => Reason::Expired,
        18 => Reason::SelfSigned,
        // No issuer for the last certificate of the chain.
        2 | 20 | 21 | 27 => match context.chain().map_or(1, |chain| chain.len()) {
            0 | 1 if says_where_its_issuer_is(context) => Reason::Incomplete,
            _ => Reason::Unknown,
        },
        19 => Reason::Unknown,
        _ => Reason::Unfit,
    };
    let certificate = context.current_cert();
    let mut text = error.error_string().to_owned();
    match (reason, certificate) {
        (Reason::Incomplete | Reason::Unknown, Some(certificate)) => {
            text += &format!(" (issuer: {})", name(certificate.issuer_name()));
        }
        (Reason::Name, Some(certificate)) if certificate.subject_alt_names().is_none() => {
            text += " (there is no subjectAltName)";
        }
        (_, Some(certificate)) if context.error_depth() > 0 => {
            text += &format!(" (of the issuer {})", name(certificate.subject_name()));
        }
        _ => {}
    }
    // OpenSSL says twice that the issuer is missing.
    let is_known = |known: &Fault| {
        known.text == text || (known.reason == reason && reason == Reason::Incomplete)
    };
    if faults.len() < MAX_FAULTS && !faults.iter().any(is_known) {
        faults.push(Fault { reason, text });
    }
}

/// The reason that comes first, and the text of all; `None` if there is no fault.
pub(super) fn of_faults(faults: &mut [Fault]) -> Option<(Reason, String)> {
    faults.sort_by_key(|fault| fault.reason);
    let texts: Vec<_> = faults.iter().map(|fault| fault.text.as_str()).collect();
    Some((faults.first()?.reason, texts.join("; ")))
}

/// Why a handshake failed.
pub(super) fn of_handshake(error: &ssl::Error) -> Refused {
    if let Some(errors) = error.ssl_error() {
        return of_errors(errors);
    }
    let detail = match error.io_error() {
        Some(error) => visible(&error.to_string()),
        None => "the connection was closed during the handshake".to_owned(),
    };
    Refused { reason: Reason::Refused, detail, seen: None }
}

pub(super) fn of_errors(errors: &ErrorStack) -> Refused {
    // SSL_R_*, <openssl/sslerr.h>; the numbers are part of the stable interface.
    let code = errors.errors().iter().map(openssl::error::Error::reason_code).next();
    let reason = match code {
        // unsupported protocol, version too low, wrong SSL version
        Some(258 | 396 | 266) => Reason::OldProtocol,
        // wrong version number, packet length too long, bad record type, HTTP request, HTTPS proxy
        // request, encrypted length too long, data length too long, unexpected message or record
        Some(267 | 198 | 443 | 156 | 155 | 150 | 146 | 244 | 245) => Reason::NotTls,
        // Keys and hashes of the handshake that are too weak, a list of certificates that is too long.
        Some(394 | 397 | 398 | 399 | 152) => Reason::Unfit,
        _ => Reason::Refused,
    };
    Refused { reason, detail: text(errors), seen: None }
}

/// The reasons without OpenSSL's source files and lines.
pub(crate) fn text(errors: &ErrorStack) -> String {
    let reasons: Vec<_> = errors.errors().iter().filter_map(|error| error.reason()).collect();
    match reasons.is_empty() {
        true => "no reason was given".to_owned(),
        false => visible(&reasons.join(", ")),
    }
}
