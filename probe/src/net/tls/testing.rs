//! Certificates and TLS servers for tests.

use super::Trust;
use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod, SslOptions, SslVersion};
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Extension, X509NameBuilder};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;

const DAY: i64 = 24 * 60 * 60;
static COUNT: AtomicU32 = AtomicU32::new(1);

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// What a certificate is made of.
pub(crate) struct Wish<'a> {
    pub(crate) common_name: &'a str,
    pub(crate) dns: &'a [&'a str],
    pub(crate) ip: &'a [&'a str],
    pub(crate) issuer: Option<&'a Pair>,
    pub(crate) is_authority: bool,
    /// First and last day from now.
    pub(crate) days: (i64, i64),
    pub(crate) key: PKey<Private>,
    pub(crate) for_server: bool,
    pub(crate) has_key_id: bool,
    /// Of a public authority: it says where the certificate of its issuer is.
    pub(crate) has_place: bool,
}

impl Default for Wish<'_> {
    fn default() -> Self {
        Wish {
            common_name: "example",
            dns: &[],
            ip: &[],
            issuer: None,
            is_authority: false,
            days: (-1, 30),
            key: ec_key(),
            for_server: true,
            has_key_id: false,
            has_place: false,
        }
    }
}

pub(crate) fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub(crate) fn rsa_key(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

impl Wish<'_> {
    pub(crate) fn make(self) -> Pair {
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(COUNT.fetch_add(1, Ordering::Relaxed)).unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", self.common_name).unwrap();
        let name = name.build();
        builder.set_subject_name(&name).unwrap();
        let issuer = self.issuer.map_or(&*name, |issuer| issuer.certificate.subject_name());
        builder.set_issuer_name(issuer).unwrap();
        let day = |day: i64| Asn1Time::from_unix(now() + day * DAY).unwrap();
        builder.set_not_before(&day(self.days.0)).unwrap();
        builder.set_not_after(&day(self.days.1)).unwrap();
        builder.set_pubkey(&self.key).unwrap();
        if self.is_authority {
            let constraints = BasicConstraints::new().critical().ca().build().unwrap();
            builder.append_extension(constraints).unwrap();
        } else {
            let mut usage = ExtendedKeyUsage::new();
            let usage =
                if self.for_server { usage.server_auth() } else { usage.email_protection() };
            builder.append_extension(usage.build().unwrap()).unwrap();
        }
        if !self.dns.is_empty() || !self.ip.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for dns in self.dns {
                names.dns(dns);
            }
            for ip in self.ip {
                names.ip(ip);
            }
            let names = names.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(names).unwrap();
        }
        if self.has_key_id {
            let id = SubjectKeyIdentifier::new();
            let id = id.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(id).unwrap();
        }
        if self.has_place {
            builder.append_extension(issuer_place()).unwrap();
        }
        let key = self.issuer.map_or(&self.key, |issuer| &issuer.key);
        builder.sign(key, MessageDigest::sha256()).unwrap();
        Pair { certificate: builder.build(), key: self.key }
    }
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
    let contents = Asn1OctetString::new_from_bytes(&all).unwrap();
    let object = Asn1Object::from_str("1.3.6.1.5.5.7.1.1").unwrap();
    X509Extension::new_from_der(&object, false, &contents).unwrap()
}

pub(crate) fn authority(name: &str) -> Pair {
    Wish { common_name: name, is_authority: true, ..Wish::default() }.make()
}

/// A certificate for `example.org`.
pub(crate) fn leaf(issuer: &Pair) -> Pair {
    Wish { dns: &["example.org"], issuer: Some(issuer), ..Wish::default() }.make()
}

/// A file that is removed at the end.
pub(crate) struct TempFile(pub(crate) PathBuf);

impl TempFile {
    pub(crate) fn new(content: &[u8]) -> TempFile {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mailsetup-probe-{}-{count}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        TempFile(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Believes this authority.
pub(crate) fn trust(authority: &Pair) -> Trust {
    let file = TempFile::new(&authority.certificate.to_pem().unwrap());
    Trust::new(Some(&file.0)).unwrap()
}

/// A server's side: its certificate and the others that it sends.
pub(crate) fn acceptor(pair: &Pair, chain: &[&Pair], max: Option<SslVersion>) -> SslAcceptor {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.clear_options(SslOptions::NO_TLSV1 | SslOptions::NO_TLSV1_1);
    acceptor.set_security_level(0);
    acceptor.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
    acceptor.set_max_proto_version(max).unwrap();
    acceptor.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    acceptor.set_certificate(&pair.certificate).unwrap();
    acceptor.set_private_key(&pair.key).unwrap();
    for pair in chain {
        acceptor.add_extra_chain_cert(pair.certificate.clone()).unwrap();
    }
    acceptor.build()
}

/// Accepts TLS on a connection; `None` if the handshake fails.
pub(crate) async fn accept(
    acceptor: &SslAcceptor,
    stream: TcpStream,
) -> Option<SslStream<TcpStream>> {
    let ssl = Ssl::new(acceptor.context()).unwrap();
    let mut stream = SslStream::new(ssl, stream).unwrap();
    let shaken = Pin::new(&mut stream).accept().await;
    drop(openssl::error::ErrorStack::get());
    shaken.ok().map(|()| stream)
}

/// Listens on loopback and passes each connection to `serve`, in a task of its own.
pub(crate) async fn server<F, S>(serve: S) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(TcpStream) -> F + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}
