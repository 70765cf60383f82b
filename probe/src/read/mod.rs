//! Reads the documents that a domain publishes.

use mailsetup::account::{Protocol, Security};

/// A server in a document, in the words that all protocols share.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    /// The protocol.
    pub protocol: Protocol,
    /// The host, with its placeholders replaced as the client does.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// The authentication methods in the words of autoconfig, in the order in which the client tries
    /// them: `password-cleartext`, `OAuth2`; empty if the client chooses by what the server offers.
    pub methods: Vec<String>,
    /// The login, as the client fills it in; empty if the client asks or tries the address.
    pub login: String,
}
