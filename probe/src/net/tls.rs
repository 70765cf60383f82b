//! TLS connections: who is at the other end, and whether a client would believe it.
//!
//! Rules: RFC 5280, RFC 9525, RFC 9325. The name must be in subjectAltName: most clients do not look
//! at the common name. Of several faults of a certificate the one is the reason whose remedy also mends
//! the others, in the order of [`Reason`]; all are in the detail.
//!
//! A handshake is finished although the certificate is refused, so that all its faults are known and
//! it can be described; then the connection is closed, and nothing is ever sent on it. What is
//! refused before there is a certificate is described by a second connection, [`Trust::describe`].

mod certificate;
mod reason;
mod session;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use mailsetup::visible::visible;
use openssl::error::ErrorStack;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslRef, SslVerifyMode, SslVersion,
};
use openssl::x509::store::{X509StoreBuilder, X509StoreRef};
use openssl::x509::verify::{X509CheckFlags, X509VerifyFlags};
use openssl::x509::{X509, X509VerifyResult};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use self::reason::Fault;
pub use self::session::{Certificate, Reason, Refused, Session};
pub(crate) use self::{certificate::name, certificate::unix, reason::text};

/// Longest file of authorities, in octets.
const MAX_AUTHORITIES: u64 = 4 * 1024 * 1024;

/// SSL_OP_LEGACY_SERVER_CONNECT: servers without RFC 5746 are connected to, as NSS does.
const LEGACY_SERVER: SslOptions = SslOptions::from_bits_retain(0x4);
/// Many servers close without close_notify; clients take it for the end of a response.
const PLAIN_END: SslOptions = SslOptions::IGNORE_UNEXPECTED_EOF;

/// The authorities that are believed.
#[derive(Clone)]
pub struct Trust {
    checked: SslContext,
    unchecked: SslContext,
}

/// A file of authorities that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustError(String);

impl Trust {
    /// The authorities of the system and, if given, the certificates of a PEM file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no certificate.
    pub fn new(authorities: Option<&Path>) -> Result<Trust, TrustError> {
        let certificates = authorities.map(read_authorities).transpose()?;
        let of_openssl = |errors: ErrorStack| {
            TrustError(format!("OpenSSL cannot be set up: {}", reason::text(&errors)))
        };
        Ok(Trust {
            checked: checked(certificates.as_deref()).map_err(of_openssl)?,
            unchecked: unchecked().map_err(of_openssl)?,
        })
    }

    /// The certificates that are believed.
    pub(crate) fn store(&self) -> &X509StoreRef {
        self.checked.cert_store()
    }

    /// Makes a TLS connection as a client does: with SNI, TLS 1.2 or later, and a certificate that is
    /// valid for `name`, a host name in ASCII or an IP address. The caller limits the time.
    ///
    /// # Errors
    ///
    /// No client would use the connection; it is closed, and the certificate is described if there was
    /// one.
    pub async fn connect(
        &self,
        stream: TcpStream,
        name: &str,
    ) -> Result<(SslStream<TcpStream>, Session), Refused> {
        let faults = Arc::new(Mutex::new(Vec::new()));
        if !is_name(name) {
            let detail = "no certificate can have this name".to_owned();
            return Err(Refused { reason: Reason::Name, detail, seen: None });
        }
        let ssl = self.checked_ssl(name, &faults).map_err(|errors| reason::of_errors(&errors))?;
        let stream = SslStream::new(ssl, stream);
        let mut stream = stream.map_err(|errors| reason::of_errors(&errors))?;
        let shaken = Pin::new(&mut stream).connect().await;
        let session = Session::of(stream.ssl());
        // Left in the queue of this thread, errors would be read as those of the next call, which may
        // be of another connection.
        drop(ErrorStack::get());
        let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((reason, detail)) = reason::of_faults(&mut faults) {
            return Err(Refused { reason, detail, seen: session });
        }
        let result = stream.ssl().verify_result();
        match (shaken, session) {
            (Err(error), _) => Err(reason::of_handshake(&error)),
            (Ok(()), Some(session)) if result == X509VerifyResult::OK => Ok((stream, session)),
            (Ok(()), seen) => {
                let detail = result.error_string().to_owned();
                Err(Refused { reason: Reason::Unfit, detail, seen })
            }
        }
    }

    /// Describes the server without checking anything: every version since TLS 1.0, every cipher that
    /// OpenSSL has. Nothing is sent after the handshake. `None` if there is no handshake.
    pub async fn describe(&self, stream: TcpStream, name: &str) -> Option<Session> {
        if !is_name(name) {
            return None;
        }
        let mut ssl = Ssl::new(&self.unchecked).ok()?;
        set_name(&mut ssl, name).ok()?;
        let mut stream = SslStream::new(ssl, stream).ok()?;
        let session = match Pin::new(&mut stream).connect().await {
            Ok(()) => Session::of(stream.ssl()),
            Err(_) => None,
        };
        drop(ErrorStack::get());
        session
    }

    fn checked_ssl(&self, name: &str, faults: &Arc<Mutex<Vec<Fault>>>) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.checked)?;
        set_name(&mut ssl, name)?;
        let param = ssl.param_mut();
        param.set_hostflags(
            X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT,
        );
        match ip_literal(name) {
            Some(address) => param.set_ip(address)?,
            None => param.set_host(name.trim_end_matches('.'))?,
        }
        let faults = Arc::clone(faults);
        ssl.set_verify_callback(SslVerifyMode::PEER, move |is_good, context| {
            if !is_good {
                let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                reason::add(&mut faults, context);
                // An error that is left in the queue of this thread would end the handshake.
                drop(ErrorStack::get());
            }
            // `connect` refuses the connection if there is any fault.
            true
        });
        Ok(ssl)
    }
}

impl Session {
    fn of(ssl: &SslRef) -> Option<Session> {
        let certificate = ssl.peer_certificate()?;
        let sent = ssl.peer_cert_chain().map_or(1, |chain| chain.len());
        let protocol = ssl.version_str().to_owned();
        Some(Session { protocol, certificate: Certificate::of(&certificate, sent) })
    }
}

/// The MD5 digest in hexadecimal, which Evolution sends for an address; not for anything secret.
pub fn md5(bytes: &[u8]) -> String {
    let digest = openssl::hash::hash(openssl::hash::MessageDigest::md5(), bytes);
    let digest = digest.as_ref().map(AsRef::as_ref).unwrap_or_default();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_authorities(path: &Path) -> Result<Vec<X509>, TrustError> {
    let shown = visible(&path.display().to_string());
    let refused =
        |reason: &str| TrustError(format!("{shown}: {reason}; expected: certificates (PEM)"));
    let mut pem = Vec::new();
    let file = File::open(path).map_err(|error| refused(&error.to_string()))?;
    let read = file.take(MAX_AUTHORITIES + 1).read_to_end(&mut pem);
    match read {
        Err(error) => return Err(refused(&error.to_string())),
        Ok(length) if length as u64 > MAX_AUTHORITIES => return Err(refused("longer than 4 MiB")),
        Ok(_) => {}
    }
    let certificates = X509::stack_from_pem(&pem);
    drop(ErrorStack::get());
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(refused("contains no certificate")),
        Ok(certificates) => Ok(certificates),
        Err(errors) => Err(refused(&reason::text(&errors))),
    }
}

fn checked(authorities: Option<&[X509]>) -> Result<SslContext, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.set_default_paths()?;
    for certificate in authorities.into_iter().flatten() {
        store.add_cert(certificate.clone())?;
    }
    if authorities.is_some() {
        // An intermediate authority in the file is believed without its root.
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    }
    let mut context = SslContextBuilder::new(SslMethod::tls_client())?;
    context.set_cert_store(store.build());
    context.set_verify(SslVerifyMode::PEER);
    context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_cipher_list("DEFAULT:!aNULL:!eNULL:!PSK:!SRP")?;
    // 112 bits: RSA 2048, no SHA-1; as RFC 9325 asks, whatever the settings of the system are.
    context.set_security_level(2);
    context.set_options(LEGACY_SERVER | PLAIN_END);
    Ok(context.build())
}

fn unchecked() -> Result<SslContext, ErrorStack> {
    let mut context = SslContextBuilder::new(SslMethod::tls_client())?;
    context.set_verify(SslVerifyMode::NONE);
    context.set_security_level(0);
    context.set_min_proto_version(Some(SslVersion::TLS1))?;
    context.set_cipher_list("ALL:!aNULL:!eNULL:@SECLEVEL=0")?;
    context.set_options(LEGACY_SERVER);
    Ok(context.build())
}

/// Sets SNI, which has no IP addresses and no final dot (RFC 6066 section 3).
fn set_name(ssl: &mut Ssl, name: &str) -> Result<(), ErrorStack> {
    match ip_literal(name) {
        Some(_) => Ok(()),
        None => ssl.set_hostname(name.trim_end_matches('.')),
    }
}

/// Other names cannot be given to OpenSSL, or are not those of a host.
fn is_name(name: &str) -> bool {
    (1..=254).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

fn ip_literal(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TrustError {}
