//! `[login]` as it is written; a part of [`super::file`], which has the rules for comments.

use super::spanned::Spanned;
use serde::Deserialize;

/// `[login]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Login {
    /// A file with an address and its login in each line, as for Postfix's texthash tables, or
    /// separated by a comma. Addresses that are not in it have the login of `username`.
    ///
    /// The file is read again when it changes. See *Maps of logins*.
    ///
    /// - Value: path
    /// - Default: none
    /// - Without: `socketmap`
    /// - Example: `map = "logins"`
    pub map: Option<Spanned<String>>,
    /// The time limit for one question to a server, in milliseconds, from {range}. It includes
    /// waiting for a connection. After it, documents have the login of `username`.
    ///
    /// - Range: 10 to 5000
    /// - Default: `300`
    /// - Example: `timeout_ms = 300`
    pub timeout_ms: Option<Spanned<i64>>,
    /// If false, nothing is looked up. A domain can switch off a source that is set at the top.
    ///
    /// - Default: `true`
    /// - Example: `enabled = true`
    pub enabled: Option<bool>,
    /// The Unix socket of a server with the protocol of Postfix's socketmap tables, and the name of
    /// the map behind the last colon. It is asked for the address in lower case.
    ///
    /// See *Servers of logins*.
    ///
    /// ```toml
    /// [domain."other.example".login]
    /// socketmap = "unix:/run/logins.sock:logins"
    /// ```
    ///
    /// - Value: socket and name
    /// - Default: none
    /// - Without: `userdb`
    pub socketmap: Option<Spanned<String>>,
    /// A socket of Dovecot's userdb. The login is the user name that Dovecot has for the address.
    /// A user that can open such a socket can usually also read the list of all mailboxes from it, and
    /// fields of the password database: use a map or a socketmap if you can.
    ///
    /// See *Servers of logins*.
    ///
    /// ```toml
    /// [domain."dovecot.example".login]
    /// userdb = "/run/dovecot/mailsetup-userdb"
    /// ```
    ///
    /// - Value: path
    /// - Default: none
    /// - Without: `map`
    pub userdb: Option<Spanned<String>>,
}
