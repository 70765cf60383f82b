//! The defaults: the same as in the usual PHP script.
//!
//! `contrib/config.example.toml` shows each of these; a test compares the two.

use crate::account::{Auth, AuthList, Protocol, Security};
use std::time::Duration;

/// The placeholder for the domain in hosts, user names and the provider's names. It is filled in
/// here, because clients do so differently or not at all.
pub const EMAIL_DOMAIN: &str = "%EMAILDOMAIN%";

/// The provider's name, long and short.
pub const PROVIDER_NAME: &str = EMAIL_DOMAIN;
/// The host of every server.
pub const HOST: &str = "mail.%EMAILDOMAIN%";
/// The login of every server.
pub const USERNAME: &str = "%EMAILADDRESS%";
/// The authentication method of every server.
pub const AUTH: AuthList = AuthList::of(Auth::Password);

/// Whether PACC is enabled: it needs its digest in the DNS.
pub const PACC: bool = false;

/// How long a question to a source of logins may take.
pub const LOGIN_TIMEOUT: Duration = Duration::from_millis(300);

/// Whether a server is enabled: ManageSieve is not by default.
pub const fn enabled(protocol: Protocol) -> bool {
    !matches!(protocol, Protocol::ManageSieve)
}

/// The security of a server: TLS for POP3 and IMAP, STARTTLS for submission and ManageSieve.
pub const fn security(protocol: Protocol) -> Security {
    match protocol {
        Protocol::Imap | Protocol::Pop3 => Security::Tls,
        Protocol::Smtp | Protocol::ManageSieve => Security::StartTls,
    }
}
