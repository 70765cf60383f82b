//! The configuration file as it is written: TOML, every key optional.
//!
//! Only shapes and types are known here. `read` fills these structs and refuses unknown keys and
//! wrong types; what the values mean is for `values` and `build`.

use super::defaults::EMAIL_DOMAIN;
use crate::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

/// What is read once for the whole file, beside its [`Tables`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct File {
    pub domains: Domains,
    pub log: Log,
    pub metrics: Metrics,
    pub limits: Limits,
}

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

/// `[domains]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Domains {
    pub answer: Option<Spanned<AnswerFor>>,
    pub list_files: Vec<Spanned<String>>,
    pub directory: Option<Spanned<String>>,
}

/// `answer = …`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum AnswerFor {
    Any,
    Listed,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Log {
    pub requests: Option<bool>,
    pub addresses: Option<Addresses>,
    pub client_addresses: Option<bool>,
    pub user_agents: Option<bool>,
}

/// `addresses = …`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    Masked,
    Full,
}

/// `[metrics]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metrics {
    pub path: Option<Spanned<String>>,
    pub health_path: Option<Spanned<String>>,
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub parameters_bytes: Option<Spanned<i64>>,
    pub body_bytes: Option<Spanned<i64>>,
    pub connections: Option<Spanned<i64>>,
    pub timeout_s: Option<Spanned<i64>>,
    pub buffered_bytes: Option<Spanned<i64>>,
    pub stop_timeout_s: Option<Spanned<i64>>,
}

//------------ Spanned --------------------------------------------------------

/// The name by which `read` knows a [`Spanned`].
pub const SPANNED: &str = "mailsetup::Spanned";

/// A value, and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    value: T,
    span: Option<Range<usize>>,
}

impl<T> Spanned<T> {
    /// A value at its place.
    pub fn new(value: T, span: Range<usize>) -> Spanned<T> {
        Spanned { value, span: Some(span) }
    }

    /// The value.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The place, in bytes of the text. None for a value that a domain inherits, and for one that
    /// was refused: what is wrong with these was reported before.
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// True if the value is of the base and not of the domain itself.
    pub fn is_inherited(&self) -> bool {
        self.span.is_none()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<T>, D::Error> {
        struct Parts<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = Spanned<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value and its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Spanned<T>, A::Error> {
                let value = parts.next_element()?.ok_or_else(|| A::Error::custom("no value"))?;
                let start = parts.next_element()?;
                let end = parts.next_element()?;
                Ok(Spanned { value, span: start.zip(end).map(|(start, end)| start..end) })
            }
        }

        deserializer.deserialize_tuple_struct(SPANNED, 3, Parts(PhantomData))
    }
}

/// The name by which `read` knows a [`OneOrMore`].
pub const ONE_OR_MORE: &str = "OneOrMore";

/// A value, or a list of values.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct OneOrMore<T>(pub Vec<T>);
