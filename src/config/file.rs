//! The configuration file as it is written: TOML, every key optional.
//!
//! Only shapes and types are known here. `read` fills these structs and refuses unknown keys and
//! wrong types; what the values mean is for `values` and `build`.

use super::defaults::EMAIL_DOMAIN;
pub use super::spanned::{ONE_OR_MORE, OneOrMore, SPANNED, Spanned};
pub use super::whole_file::{Addresses, AnswerFor, Domains, File, Limits, Log, Metrics};
use crate::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The keys of [`File`], and the table of domains; at the top they stand beside those of
/// [`Tables`].
pub const WHOLE_FILE: [&str; 5] = ["domain", "domains", "log", "metrics", "limits"];

/// Keys that only a domain has.
pub const DOMAIN_ONLY: [&[&str]; 3] =
    [&["alias_of"], &["autodiscover", "redirect_address"], &["autodiscover", "redirect_url"]];

/// Keys that a domain does not have.
pub const TOP_ONLY: [&[&str]; 2] = [&["apple", "signing_certificate"], &["apple", "signing_key"]];

/// A table that is left out nearly always, and takes no memory then.
pub type Rare<T> = Option<Box<T>>;

/// The settings of all domains at the top of the file, and those of one domain: `[domain."…"]`, or
/// a whole file in `domains.directory`.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Tables {
    pub alias_of: Option<Spanned<String>>,
    pub provider: Rare<Provider>,
    pub imap: Rare<ServerTable>,
    pub pop3: Rare<ServerTable>,
    pub smtp: Rare<ServerTable>,
    pub managesieve: Rare<ServerTable>,
    pub jmap: Rare<ServiceTable>,
    pub caldav: Rare<ServiceTable>,
    pub carddav: Rare<ServiceTable>,
    pub webdav: Rare<ServiceTable>,
    pub activesync: Rare<ServiceTable>,
    pub oauth2: Rare<OAuth2>,
    pub autodiscover: Rare<Autodiscover>,
    pub apple: Rare<Apple>,
    pub pacc: Rare<Pacc>,
    pub page: Rare<Page>,
}

/// Keys that are true or false, and keys that are numbers, wherever they are.
pub const FLAGS: [&str; 7] = [
    "client_addresses",
    "dav",
    "enabled",
    "fetch_at_once",
    "leave_on_server",
    "requests",
    "user_agents",
];
pub const NUMBERS: [&str; 8] = [
    "body_bytes",
    "buffered_bytes",
    "connections",
    "days_on_server",
    "parameters_bytes",
    "port",
    "stop_timeout_s",
    "timeout_s",
];

/// The placeholders that are filled in at a key. All other texts have none, so that a new key
/// refuses them until it is named here.
pub fn placeholders(key: &[&str]) -> &'static [&'static str] {
    match key {
        [.., "username"] => &[EMAIL_ADDRESS, EMAIL_LOCAL_PART, EMAIL_DOMAIN],
        ["provider", ..] | [.., "host"] => &[EMAIL_DOMAIN],
        ["jmap" | "caldav" | "carddav" | "webdav" | "activesync", "url"] => &[EMAIL_DOMAIN],
        ["oauth2", "issuer" | "authorization_url" | "token_url"] => &[EMAIL_DOMAIN],
        ["autodiscover", "redirect_address"] => &[EMAIL_LOCAL_PART, EMAIL_DOMAIN],
        ["autodiscover", "redirect_url"] => &[EMAIL_DOMAIN],
        ["apple", "description" | "consent", ..] => &[EMAIL_DOMAIN],
        _ => &[],
    }
}

/// `[provider]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Provider {
    pub name: Option<Spanned<String>>,
    pub short_name: Option<Spanned<String>>,
    pub homepage: Option<Spanned<String>>,
    pub support: Option<Spanned<String>>,
    pub webmail: Option<Spanned<String>>,
    pub documentation: Option<Vec<Spanned<Documentation>>>,
}

/// `[[provider.documentation]]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Documentation {
    pub url: Option<Spanned<String>>,
    pub title: Option<Spanned<BTreeMap<String, String>>>,
}

/// `[imap]`, `[pop3]`, `[smtp]` and `[managesieve]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ServerTable {
    pub enabled: Option<Spanned<bool>>,
    pub host: Option<Spanned<String>>,
    pub port: Option<Spanned<i64>>,
    pub security: Option<Spanned<Security>>,
    pub auth: Option<Spanned<OneOrMore<Auth>>>,
    pub username: Option<Spanned<String>>,
    pub alternatives: Option<Spanned<Vec<Alternative>>>,
    /// For POP3 only, as are the next.
    pub leave_on_server: Option<Spanned<bool>>,
    pub days_on_server: Option<Spanned<i64>>,
    pub fetch_at_once: Option<Spanned<bool>>,
}

/// `[[imap.alternatives]]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Alternative {
    pub host: Option<Spanned<String>>,
    pub port: Option<Spanned<i64>>,
    pub security: Option<Spanned<Security>>,
}

/// `[jmap]`, `[caldav]`, `[carddav]`, `[webdav]` and `[activesync]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ServiceTable {
    pub enabled: Option<bool>,
    pub url: Option<Spanned<String>>,
    pub username: Option<Spanned<String>>,
}

/// `[oauth2]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct OAuth2 {
    pub issuer: Option<Spanned<String>>,
    pub scope: Option<Spanned<String>>,
    pub authorization_url: Option<Spanned<String>>,
    pub token_url: Option<Spanned<String>>,
    pub client_id: Option<Spanned<String>>,
    pub client_secret: Option<Spanned<String>>,
}

/// `[pacc]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Pacc {
    pub enabled: Option<bool>,
}

/// `[autodiscover]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Autodiscover {
    pub dav: Option<bool>,
    pub redirect_address: Option<Spanned<String>>,
    pub redirect_url: Option<Spanned<String>>,
}

/// `security = …`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    Tls,
    StartTls,
    None,
}

/// `auth = …`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    Password,
    #[serde(rename = "cram-md5")]
    CramMd5,
    Ntlm,
    #[serde(rename = "oauth2")]
    OAuth2,
    None,
}

/// `[apple]`; the signing keys stand at the top only
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Apple {
    pub identifier: Option<Spanned<String>>,
    pub description: Option<Spanned<BTreeMap<String, String>>>,
    pub consent: Option<Spanned<BTreeMap<String, String>>>,
    pub signing_certificate: Option<Spanned<String>>,
    pub signing_key: Option<Spanned<String>>,
}

/// `[page]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Page {
    pub enabled: Option<bool>,
    pub template: Option<Spanned<String>>,
    pub logo: Option<Spanned<String>>,
    pub color: Option<Spanned<String>>,
}
