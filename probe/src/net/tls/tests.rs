use super::testing::{Pair, Wish, accept, acceptor, authority, leaf, now, rsa_key, server, trust};
use super::*;
use openssl::ssl::SslAcceptor;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// A TLS server that counts the octets of application data that it is sent.
async fn tls_server(acceptor: SslAcceptor, received: &'static AtomicUsize) -> SocketAddr {
    let acceptor = Arc::new(acceptor);
    server(move |stream| {
        let acceptor = Arc::clone(&acceptor);
        async move {
            if let Some(mut stream) = accept(&acceptor, stream).await {
                let mut buffer = [0; 64];
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    received.fetch_add(length, Ordering::Relaxed);
                }
            }
        }
    })
    .await
}

static NOTHING: AtomicUsize = AtomicUsize::new(0);

async fn refused(trust: &Trust, acceptor: SslAcceptor, name: &str) -> Refused {
    let address = tls_server(acceptor, &NOTHING).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let connected = timeout(Duration::from_secs(2), trust.connect(stream, name)).await.unwrap();
    let refused = connected.err().unwrap();
    assert_eq!(NOTHING.load(Ordering::Relaxed), 0);
    assert!(ErrorStack::get().errors().is_empty());
    refused
}

async fn refused_for(wish: Wish<'_>) -> Refused {
    let root = authority("root");
    let pair = Wish { issuer: Some(&root), ..wish }.make();
    refused(&trust(&root), acceptor(&pair, &[], None), "example.org").await
}

#[tokio::test]
async fn a_good_certificate_is_accepted_and_described() {
    let root = authority("root");
    let intermediate =
        Wish { common_name: "middle", is_authority: true, issuer: Some(&root), ..Wish::default() };
    let intermediate = intermediate.make();
    let pair = Wish {
        dns: &["example.org", "*.example.com"],
        ip: &["127.0.0.1", "::1"],
        issuer: Some(&intermediate),
        ..Wish::default()
    };
    let pair = pair.make();
    let address = tls_server(acceptor(&pair, &[&intermediate], None), &NOTHING).await;
    let trust = trust(&root);
    for name in ["example.org", "EXAMPLE.org.", "a.example.com", "127.0.0.1", "::1", "[::1]"] {
        let stream = TcpStream::connect(address).await.unwrap();
        let (_, session) = trust.connect(stream, name).await.unwrap();
        assert_eq!(session.protocol, "TLSv1.3");
        let certificate = session.certificate;
        assert_eq!(certificate.names, ["example.org", "*.example.com", "127.0.0.1", "::1"]);
        assert_eq!((certificate.subject.as_str(), certificate.sent), ("CN=example", 2));
        assert_eq!(
            (certificate.issuer.as_str(), certificate.key.as_str()),
            ("CN=middle", "EC 256")
        );
        assert!((certificate.not_before - (now() - 86_400)).abs() < 60);
        assert!((certificate.not_after - (now() + 30 * 86_400)).abs() < 60);
    }
    for name in
        ["a.b.example.com", "example.com", "127.0.0.2", "example.org.evil.net", "xample.org"]
    {
        let stream = TcpStream::connect(address).await.unwrap();
        let refused = trust.connect(stream, name).await.err().unwrap();
        assert_eq!(refused.reason, Reason::Name, "{name}");
    }
}

#[tokio::test]
async fn names_are_checked() {
    let refused = refused_for(Wish { dns: &["www.example.net"], ..Wish::default() }).await;
    assert_eq!(refused.reason, Reason::Name);
    assert!(refused.detail.contains("ostname mismatch"), "{}", refused.detail);
    assert_eq!(refused.seen.unwrap().certificate.names, ["www.example.net"]);
    let refused = refused_for(Wish { common_name: "example.org", ..Wish::default() }).await;
    assert_eq!(refused.reason, Reason::Name);
    assert!(refused.detail.ends_with("(there is no subjectAltName)"), "{}", refused.detail);
    assert_eq!(refused.seen.unwrap().certificate.names, ["example.org"]);
}

#[tokio::test]
async fn dates_are_checked() {
    let dns: &[&str] = &["example.org"];
    let refused = refused_for(Wish { dns, days: (-30, -1), ..Wish::default() }).await;
    assert_eq!(refused.reason, Reason::Expired);
    assert_eq!(refused.detail, "certificate has expired");
    let refused = refused_for(Wish { dns, days: (2, 30), ..Wish::default() }).await;
    assert_eq!(refused.reason, Reason::NotYet);
    let root = authority("root");
    let middle = Wish {
        common_name: "middle",
        is_authority: true,
        issuer: Some(&root),
        days: (-9, -1),
        ..Wish::default()
    };
    let middle = middle.make();
    let accepts = acceptor(&leaf(&middle), &[&middle], None);
    let refused = self::refused(&trust(&root), accepts, "example.org").await;
    assert_eq!(refused.reason, Reason::Expired);
    assert_eq!(refused.detail, "certificate has expired (of the issuer CN=middle)");
}

#[tokio::test]
async fn issuers_are_checked() {
    let (root, other) = (authority("root"), authority("other"));
    let trust = trust(&root);
    let of = async |pair: &Pair, chain: &[&Pair]| {
        let refused = refused(&trust, acceptor(pair, chain, None), "example.org").await;
        (refused.reason, refused.detail)
    };
    let itself = Wish { dns: &["example.org"], ..Wish::default() }.make();
    assert_eq!(of(&itself, &[]).await.0, Reason::SelfSigned);
    let middle = |issuer| {
        let wish = Wish { common_name: "middle", is_authority: true, ..Wish::default() };
        Wish { issuer: Some(issuer), ..wish }.make()
    };
    let known = middle(&root);
    let public = |issuer| {
        let wish = Wish { dns: &["example.org"], has_place: true, ..Wish::default() };
        Wish { issuer: Some(issuer), ..wish }.make()
    };
    let (reason, detail) = of(&public(&known), &[]).await;
    assert_eq!(reason, Reason::Incomplete);
    assert_eq!(detail, "unable to get local issuer certificate (issuer: CN=middle)");
    // The root does not replace the intermediate certificate.
    assert_eq!(of(&public(&known), &[&root]).await.0, Reason::Incomplete);
    // A private authority.
    assert_eq!(of(&leaf(&known), &[]).await.0, Reason::Unknown);
    assert_eq!(of(&leaf(&other), &[&other]).await.0, Reason::Unknown);
    let unknown = middle(&other);
    assert_eq!(of(&leaf(&unknown), &[&unknown, &other]).await.0, Reason::Unknown);
    assert_eq!(of(&leaf(&unknown), &[&unknown]).await.0, Reason::Unknown);
}

#[tokio::test]
async fn use_and_strength_are_checked() {
    let dns: &[&str] = &["example.org"];
    let refused = refused_for(Wish { dns, for_server: false, ..Wish::default() }).await;
    assert_eq!(refused.reason, Reason::Unfit);
    assert!(refused.detail.contains("purpose"), "{}", refused.detail);
    let refused = refused_for(Wish { dns, key: rsa_key(1024), ..Wish::default() }).await;
    assert_eq!(refused.reason, Reason::Unfit, "{refused:?}");
    assert!(refused.detail.contains("too weak"), "{}", refused.detail);
    assert_eq!(refused.seen.unwrap().certificate.key, "RSA 1024");
}

#[tokio::test]
async fn all_faults_are_told() {
    let wish = Wish { dns: &["example.net"], days: (-9, -1), ..Wish::default() };
    let accepts = acceptor(&wish.make(), &[], None);
    let refused = refused(&trust(&authority("root")), accepts, "example.org").await;
    assert_eq!(refused.reason, Reason::Name);
    for word in ["mismatch", "self", "expired"] {
        assert!(refused.detail.contains(word), "{}", refused.detail);
    }
}

#[tokio::test]
async fn names_are_bounded_and_escaped() {
    let names: Vec<String> = (0..150).map(|count| format!("n{count}.example.net")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = "a\nb\u{202e}\u{1b}[31m";
    let refused = refused_for(Wish { common_name: name, dns: &names, ..Wish::default() }).await;
    let certificate = refused.seen.unwrap().certificate;
    assert_eq!(certificate.names.len(), 100);
    assert_eq!(certificate.subject, "CN=a<U+000A>b<U+202E><U+001B>[31m");
}

#[tokio::test]
async fn old_versions_are_refused_and_described() {
    let root = authority("root");
    let trust = trust(&root);
    let old = acceptor(&leaf(&root), &[], Some(SslVersion::TLS1_1));
    let address = tls_server(old, &NOTHING).await;
    let refused = trust.connect(TcpStream::connect(address).await.unwrap(), "example.org").await;
    let refused = refused.err().unwrap();
    assert!(refused.is_to_be_described(), "{refused:?}");
    let seen = trust.describe(TcpStream::connect(address).await.unwrap(), "example.org").await;
    assert_eq!(seen.as_ref().unwrap().protocol, "TLSv1.1");
    let refused = refused.described(seen);
    assert_eq!(refused.reason, Reason::OldProtocol);
    assert_eq!(refused.seen.unwrap().certificate.names, ["example.org"]);
    assert_eq!(NOTHING.load(Ordering::Relaxed), 0);
    let new = acceptor(&leaf(&root), &[], Some(SslVersion::TLS1_2));
    let address = tls_server(new, &NOTHING).await;
    let stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(trust.connect(stream, "example.org").await.unwrap().1.protocol, "TLSv1.2");
}

#[tokio::test]
async fn what_is_not_tls_is_told() {
    let trust = Trust::new(None).unwrap();
    for (answer, reason) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], Reason::NotTls),
        (b"220 mail.example.org ESMTP\r\n", Reason::NotTls),
        (b"* OK IMAP4rev1 ready\r\n", Reason::NotTls),
        (b"\x16\x03\x03\xff\xffgarbage", Reason::NotTls),
        (b"\x16\x03\x03\x00\x04\x07\x00\x00\x00", Reason::NotTls),
        (b"", Reason::Refused),
        // Alerts: handshake failure, unrecognized name, protocol version.
        (b"\x15\x03\x03\x00\x02\x02\x28", Reason::Refused),
        (b"\x15\x03\x03\x00\x02\x02\x70", Reason::Refused),
        (b"\x15\x03\x03\x00\x02\x02\x46", Reason::Refused),
    ] {
        let address = server(move |mut stream| async move {
            let mut hello = [0; 1024];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
            while let Ok(1..) = stream.read(&mut hello).await {}
        })
        .await;
        let stream = TcpStream::connect(address).await.unwrap();
        let refused = trust.connect(stream, "example.org").await.err().unwrap();
        assert_eq!(refused.reason, reason, "{answer:?} {}", refused.detail);
        assert!(!refused.detail.is_empty());
        let stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(trust.describe(stream, "example.org").await, None);
    }
}

#[tokio::test]
async fn silent_servers_and_odd_names_end() {
    let trust = Trust::new(None).unwrap();
    let address = server(|mut stream| async move {
        let _ = stream.read_u8().await;
        // A record that announces more than ever comes.
        let _ = stream.write_all(b"\x16\x03\x03\x40\x00\x02").await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let stream = TcpStream::connect(address).await.unwrap();
    let waited = timeout(Duration::from_millis(200), trust.connect(stream, "example.org")).await;
    assert!(waited.is_err());
    let long = "a".repeat(300);
    for name in [long.as_str(), "", "a\0b"] {
        let stream = TcpStream::connect(address).await.unwrap();
        let refused = trust.connect(stream, name).await.err().unwrap();
        assert_eq!(refused.reason, Reason::Name, "{name}");
        let stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(trust.describe(stream, name).await, None);
    }
}

#[tokio::test]
async fn long_lists_of_certificates_are_refused() {
    let root = authority("root");
    let others: Vec<_> = (0..800).map(|_| root.clone()).collect();
    let others: Vec<&Pair> = others.iter().collect();
    let refused =
        refused(&trust(&root), acceptor(&leaf(&root), &others, None), "example.org").await;
    assert_eq!(refused.reason, Reason::Unfit, "{}", refused.detail);
}

#[test]
fn a_file_of_authorities_must_have_certificates() {
    let error = |content: &[u8]| {
        let file = testing::TempFile::new(content);
        Trust::new(Some(&file.0)).err().unwrap().to_string()
    };
    assert!(error(b"").ends_with("contains no certificate; expected: certificates (PEM)"));
    assert!(error(b"-----BEGIN CERTIFICATE-----\nx\n").contains("expected: certificates (PEM)"));
    let missing = Trust::new(Some(Path::new("/nowhere/ca.pem"))).err().unwrap().to_string();
    assert!(missing.starts_with("/nowhere/ca.pem: No such file"), "{missing}");
}
