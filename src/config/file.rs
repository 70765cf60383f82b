//! The configuration file as it is written: TOML, every key optional, unknown keys refused.
//!
//! Only shapes and types are known here; what the values mean is for `check`. A mistake is told
//! with its line and, for a word that is not known, with the nearest one that is.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// A whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    pub provider: Provider,
    pub imap: Server,
    pub pop3: Server,
    pub smtp: Server,
    pub managesieve: Server,
    pub jmap: Service,
    pub caldav: Service,
    pub carddav: Service,
    pub webdav: Service,
    pub activesync: Service,
    pub oauth2: OAuth2,
    pub autodiscover: Autodiscover,
    pub apple: Apple,
    pub pacc: Pacc,
    pub page: Page,
    pub domains: Domains,
    pub domain: BTreeMap<Spanned<String>, Domain>,
    pub log: Log,
    pub metrics: Metrics,
    pub limits: Limits,
}

/// `[provider]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    pub name: Option<Spanned<String>>,
    pub short_name: Option<Spanned<String>>,
    pub homepage: Option<Spanned<String>>,
    pub support: Option<Spanned<String>>,
    pub webmail: Option<Spanned<String>>,
    pub documentation: Option<Vec<Documentation>>,
}

/// `[[provider.documentation]]`
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Documentation {
    pub url: Spanned<String>,
    pub title: Spanned<BTreeMap<String, String>>,
}

/// `[imap]`, `[pop3]`, `[smtp]` and `[managesieve]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    pub enabled: Option<Spanned<bool>>,
    pub host: Option<Spanned<String>>,
    pub port: Option<Spanned<i64>>,
    pub security: Option<Spanned<Security>>,
    pub auth: Option<Spanned<Auth>>,
    pub username: Option<Spanned<String>>,
    pub alternatives: Option<Vec<Alternative>>,
    /// For POP3 only, as are the next.
    pub leave_on_server: Option<Spanned<bool>>,
    pub days_on_server: Option<Spanned<i64>>,
    pub fetch_at_once: Option<Spanned<bool>>,
}

/// `[[imap.alternatives]]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Alternative {
    pub host: Option<Spanned<String>>,
    pub port: Option<Spanned<i64>>,
    pub security: Option<Spanned<Security>>,
}

/// `[jmap]`, `[caldav]`, `[carddav]`, `[webdav]` and `[activesync]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    pub enabled: Option<bool>,
    pub url: Option<Spanned<String>>,
    pub username: Option<Spanned<String>>,
}

/// `[oauth2]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
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
#[serde(default, deny_unknown_fields)]
pub struct Pacc {
    pub enabled: Option<bool>,
}

/// `[autodiscover]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Autodiscover {
    pub dav: Option<bool>,
}

/// `[domain."…".autodiscover]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct DomainAutodiscover {
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
    None,
}

/// `[apple]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Apple {
    pub identifier: Option<Spanned<String>>,
    pub description: Option<Spanned<BTreeMap<String, String>>>,
    pub consent: Option<Spanned<BTreeMap<String, String>>>,
    pub signing_certificate: Option<Spanned<String>>,
    pub signing_key: Option<Spanned<String>>,
}

/// `[page]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    pub enabled: Option<bool>,
    pub template: Option<Spanned<String>>,
    pub logo: Option<Spanned<String>>,
    pub color: Option<Spanned<String>>,
}

/// `[domains]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

/// A table that is left out nearly always, and takes no memory then: a CGI process reads every
/// domain to answer for one.
pub type Rare<T> = Option<Box<T>>;

/// `[domain."…"]`, and a whole file in `domains.directory`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Domain {
    pub alias_of: Option<Spanned<String>>,
    pub provider: Rare<Provider>,
    pub imap: Rare<Server>,
    pub pop3: Rare<Server>,
    pub smtp: Rare<Server>,
    pub managesieve: Rare<Server>,
    pub jmap: Rare<Service>,
    pub caldav: Rare<Service>,
    pub carddav: Rare<Service>,
    pub webdav: Rare<Service>,
    pub activesync: Rare<Service>,
    pub oauth2: Rare<OAuth2>,
    pub autodiscover: Rare<DomainAutodiscover>,
    pub apple: Rare<DomainApple>,
    pub pacc: Rare<Pacc>,
    pub page: Rare<Page>,
}

/// `[domain."…".apple]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct DomainApple {
    pub identifier: Option<Spanned<String>>,
    pub description: Option<Spanned<BTreeMap<String, String>>>,
    pub consent: Option<Spanned<BTreeMap<String, String>>>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub requests: Option<bool>,
    pub addresses: Option<Addresses>,
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
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    pub path: Option<Spanned<String>>,
    pub health_path: Option<Spanned<String>>,
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub parameters_bytes: Option<Spanned<i64>>,
    pub body_bytes: Option<Spanned<i64>>,
    pub connections: Option<Spanned<i64>>,
    pub timeout_s: Option<Spanned<i64>>,
    pub buffered_bytes: Option<Spanned<i64>>,
    pub stop_timeout_s: Option<Spanned<i64>>,
}

//------------ Mistake --------------------------------------------------------

/// What is wrong, and where in the text.
#[derive(Debug)]
pub struct Mistake {
    pub span: Option<Range<usize>>,
    pub message: String,
}

/// Reads a TOML text.
pub fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Mistake> {
    toml::from_str(text).map_err(|error| {
        let span = error.span();
        let key = span.as_ref().and_then(|span| key_of_value(text, span.start));
        let message = with_nearest(&error.message().replace('\n', ", "));
        let message = message.replace("expected i64", "expected a whole number");
        let is_unquoted = span.as_ref().is_some_and(|span| is_unquoted_domain(text, span.start));
        let message = match is_unquoted {
            true => "a domain's name needs quotes: write [domain.\"example.org\"]".to_owned(),
            false => message,
        };
        let message = match key {
            Some(key) => format!("{key}: {message}"),
            None => message,
        };
        Mistake { span, message }
    })
}

/// The text of the line before `start`.
fn line_before(text: &str, start: usize) -> Option<&str> {
    let before = text.get(..start)?;
    Some(&before[before.rfind('\n').map_or(0, |at| at + 1)..])
}

/// The key whose value begins at `start`, if one does on that line.
fn key_of_value(text: &str, start: usize) -> Option<&str> {
    let (key, value) = line_before(text, start)?.split_once('=')?;
    value.trim().is_empty().then_some(key.trim())
}

/// True for a place within `[domain.example.org`, which TOML takes for tables inside tables.
fn is_unquoted_domain(text: &str, start: usize) -> bool {
    let line = line_before(text, start).unwrap_or_default().trim_start();
    line.strip_prefix("[domain.").is_some_and(|name| !name.contains(['"', '\'']))
}

/// Adds the nearest known word to serde's "unknown field `x`, expected one of `y`, `z`".
fn with_nearest(message: &str) -> String {
    let is_unknown_word =
        message.starts_with("unknown field") || message.starts_with("unknown variant");
    let mut words = message.split('`').skip(1).step_by(2);
    let nearest = match words.next() {
        Some(unknown) if is_unknown_word => nearest(unknown, words),
        _ => None,
    };
    let message = message.replacen("unknown field", "unknown key", 1).replacen(
        "unknown variant",
        "unknown value",
        1,
    );
    match nearest {
        Some(word) => format!("{message}; did you mean `{word}`?"),
        None => message,
    }
}

/// The word most like `unknown`, if it is like it at all.
fn nearest<'a>(unknown: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|word| (strsim::jaro_winkler(&unknown.to_lowercase(), word), word))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse::<File>(text).unwrap_err().message
    }

    #[test]
    fn unknown_words_come_with_the_nearest() {
        assert!(message("[imap]\nhots = 'x'").starts_with("unknown key `hots`"));
        assert!(message("[imap]\nhots = 'x'").ends_with("did you mean `host`?"));
        assert!(message("[imaps]").ends_with("did you mean `imap`?"));
        assert!(message("[imap]\nsecurity = 'startls'").ends_with("did you mean `starttls`?"));
        assert!(message("[imap]\nsecurity = 'TLS'").ends_with("did you mean `tls`?"));
        assert!(!message("[imap]\nqqqq = 1").contains("did you mean"));
        assert!(message("[domain.example.org]").starts_with("a domain's name needs quotes"));
        assert!(message("[domain.\"example.org\".imep]").ends_with("did you mean `imap`?"));
        assert!(message("[limits]\nbody_bytes = 'x'").starts_with("body_bytes: invalid type"));
    }

    #[test]
    fn mistakes_have_a_place() {
        let mistake = parse::<File>("[imap]\nport = 'x'\n").unwrap_err();
        assert_eq!(mistake.span, Some(14..17));
        assert!(mistake.message.contains("invalid type"), "{}", mistake.message);
    }
}
