//! What holds where nothing is configured: what the usual PHP script does.
//!
//! `contrib/config.example.toml` shows each of these; a test holds the two together.

use crate::account::{Auth, AuthList, Protocol, Security};

/// Stands for the domain in hosts, user names and the provider's names; filled in by us, because
/// clients do it differently or not at all.
pub const EMAIL_DOMAIN: &str = "%EMAILDOMAIN%";

/// The provider's name, long and short.
pub const PROVIDER_NAME: &str = EMAIL_DOMAIN;
/// The host of every server.
pub const HOST: &str = "mail.%EMAILDOMAIN%";
/// The login of every server.
pub const USERNAME: &str = "%EMAILADDRESS%";
/// How users prove who they are.
pub const AUTH: AuthList = AuthList::of(Auth::Password);

/// Whether PACC is answered: only once its digest is in the DNS.
pub const PACC: bool = false;

/// Whether a server is offered: filters only on request.
pub const fn enabled(protocol: Protocol) -> bool {
    !matches!(protocol, Protocol::ManageSieve)
}

/// How a server is protected: POP3 and IMAP by TLS, submission and filters by STARTTLS.
pub const fn security(protocol: Protocol) -> Security {
    match protocol {
        Protocol::Imap | Protocol::Pop3 => Security::Tls,
        Protocol::Smtp | Protocol::ManageSieve => Security::StartTls,
    }
}

/// The end of the identifiers of profiles, behind the domain's labels in reverse order.
pub const IDENTIFIER_SUFFIX: &str = "mailsetup";
