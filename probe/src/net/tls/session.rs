//! A TLS connection, and why one was not made.

use std::fmt;

/// A connection that a client would use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// `TLSv1.3`
    pub protocol: String,
    /// The certificate of the server.
    pub certificate: Certificate,
}

/// A certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Certificate {
    /// The names that it is valid for: those of subjectAltName, else the common name.
    pub names: Vec<String>,
    /// Who it was made for, and by whom.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The first second it is valid, as seconds since 1970.
    pub not_before: i64,
    /// The last one.
    pub not_after: i64,
    /// How many certificates the server sent.
    pub sent: usize,
    /// The key: `RSA 2048`, `EC 256`.
    pub key: String,
}

/// Why a connection was not made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The reason.
    pub reason: Reason,
    /// What OpenSSL said.
    pub detail: String,
    /// The protocol and the certificate, as seen without checking; `None` if there was none.
    pub seen: Option<Session>,
}

/// Why a connection with TLS was not made. Of several faults of a certificate the first of these is
/// the reason: a certificate for the right name, then one of a known authority, mends all that follow.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The certificate is for other names.
    Name,
    /// It is signed by itself.
    SelfSigned,
    /// Its authority is not known: a root that is not believed was sent, or the issuer of the last
    /// one of several certificates is not known.
    Unknown,
    /// It, or one of its issuers, has expired.
    Expired,
    /// It is not valid yet.
    NotYet,
    /// An intermediate certificate is missing: of the issuers of the certificate not one was sent, and
    /// none is believed, but it says where the certificate of its issuer is, as those of public
    /// authorities do.
    Incomplete,
    /// It may not be used by a server, or its key or hash is too weak.
    Unfit,
    /// Only versions before TLS 1.2 are spoken.
    OldProtocol,
    /// What came is not TLS.
    NotTls,
    /// The server refused the connection with an alert, or closed it.
    Refused,
}

impl Refused {
    /// True if a second connection with [`Trust::describe`](super::Trust::describe) could say more.
    pub fn is_to_be_described(&self) -> bool {
        self.seen.is_none() && matches!(self.reason, Reason::Refused | Reason::OldProtocol)
    }

    /// The same with what the second connection showed: a server that speaks only old versions often
    /// says no more than that the handshake failed.
    pub fn described(mut self, seen: Option<Session>) -> Refused {
        if let Some(session) = &seen {
            if ["SSLv3", "TLSv1", "TLSv1.1"].contains(&session.protocol.as_str()) {
                self.reason = Reason::OldProtocol;
            }
            self.seen = seen;
        }
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Reason::Name => "the certificate is for other names",
            Reason::Expired => "the certificate has expired",
            Reason::NotYet => "the certificate is not valid yet",
            Reason::SelfSigned => "the certificate is self-signed",
            Reason::Incomplete => "an intermediate certificate is missing",
            Reason::Unknown => "the certificate is from an authority that is not trusted",
            Reason::Unfit => "the certificate may not be used for this",
            Reason::OldProtocol => "only versions before TLS 1.2 are spoken",
            Reason::NotTls => "the response is not TLS",
            Reason::Refused => "the server ended the TLS handshake",
        })
    }
}
