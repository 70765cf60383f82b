//! The configuration file as it is written: TOML, every key optional.
//!
//! Only shapes and types are known here. `read` fills these structs and refuses unknown keys and
//! wrong types; what the values mean is for `values` and `build`.
//!
//! The comments of tables, keys and words, here, in `login`, `page` and `whole_file`, are the text of three
//! documents: `contrib/config.example.toml`, the tables in `man/mailsetup.toml.5` and
//! `contrib/mailsetup.schema.json`. `make keys` writes them; `tests/keys/source.rs` has the form.

use super::defaults::EMAIL_DOMAIN;
pub use super::login::Login;
pub use super::page::Page;
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

// The settings of all domains at the top of the file, and those of one domain: `[domain."…"]`, or a
// whole file in `domains.directory`.
/// The settings of one domain. It may have all keys of the other tables, except those of
/// `[domains]`, `[limits]`, `[log]` and `[metrics]` and the signing keys of `[apple]`. Keys that are
/// not set here have the values of the tables at the top. If a domain is named, only named and
/// listed domains are answered.
///
/// The name may be written in any letter case, and with international letters. It may be a pattern
/// like `*.example.org`, or `*`; see *Patterns*. A server that is disabled at the top and enabled
/// here has its other keys from the top.
///
/// ```toml
/// [domain."example.net"]
/// provider.name = "Example Net"
/// imap.host = "imap.example.net"
/// smtp.host = "smtp.example.net"
/// smtp.security = "tls"
/// ```
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Tables {
    /// The domain gets all settings of this other domain, which must be named or listed. An alias
    /// has no other keys. `%EMAILDOMAIN%` is the other domain then; `%EMAILADDRESS%` still ends in
    /// the alias.
    ///
    /// Up to eight aliases may follow each other.
    ///
    /// ```toml
    /// [domain."example.com"]
    /// alias_of = "example.net"
    /// ```
    ///
    /// - Value: domain
    /// - Default: none
    /// - Alone
    pub alias_of: Option<Spanned<String>>,
    /// Who runs the servers. Mail clients show it beside the account.
    pub provider: Rare<Provider>,
    /// Reading mail by IMAP. It is offered before POP3.
    pub imap: Rare<ServerTable>,
    /// Reading mail by POP3. It is offered behind IMAP: clients take it only if somebody chooses it.
    pub pop3: Rare<ServerTable>,
    /// Sending mail. It cannot be disabled: clients refuse an account that cannot send.
    pub smtp: Rare<ServerTable>,
    /// Filters on the server (ManageSieve). Not offered unless it is switched on.
    pub managesieve: Rare<ServerTable>,
    /// Calendars. Like address books, files, JMAP and ActiveSync, they are offered once they have a
    /// URL.
    pub caldav: Rare<ServiceTable>,
    /// Address books.
    pub carddav: Rare<ServiceTable>,
    /// Files.
    pub webdav: Rare<ServiceTable>,
    /// JMAP, a newer protocol for mail. A client refuses the whole autoconfig document for it;
    /// `mailsetup check` names it.
    pub jmap: Rare<ServiceTable>,
    /// Exchange ActiveSync, for phones. It is in the response to Autodiscover clients that request
    /// it; Outlook for phones requests only this, through a service of Microsoft.
    pub activesync: Rare<ServiceTable>,
    /// Where mail programs get tokens instead of asking for a password. It is used only for servers
    /// with `"oauth2"` in `auth`, and of the known clients only by Mustang: Thunderbird and others
    /// get tokens only for providers that they recognise by the host names of the servers. If a
    /// password works, too, use `auth = ["oauth2", "password"]`. With `"oauth2"` alone, Apple
    /// profiles and Autodiscover are not available. If one of these keys is set, all but
    /// `client_secret` are needed.
    ///
    /// If none of them is set, documents do not mention OAuth2.
    pub oauth2: Rare<OAuth2>,
    /// Autodiscover, which Outlook asks for.
    ///
    /// Redirects are set for one domain: see `[domain."NAME"]`.
    pub autodiscover: Rare<Autodiscover>,
    /// Apple's configuration profiles, for iPhone, iPad and Mac.
    pub apple: Rare<Apple>,
    /// PACC: one JSON document for a whole domain, which clients take only if its digest is in the
    /// DNS. It knows only TLS on ports 993, 995, 465 and 443, and the whole address as login;
    /// `mailsetup check` reports what is left out, `mailsetup dns` prints the records.
    ///
    /// The document can contain IMAP, POP3 and SMTP with TLS from the first byte, and JMAP,
    /// calendars, address books and files on port 443. The URL of calendars, address books and files
    /// must have a path: without one it says no more than the SRV records do, and clients take it
    /// for the URL of the collection. If what is left does not allow both reading and sending mail,
    /// there is no document.
    pub pacc: Rare<Pacc>,
    /// The page for mailbox owners, at `/` of dedicated host names.
    pub page: Rare<Page>,
    /// Where logins come from that are neither the address nor a part of it: one of a file, a
    /// socketmap and Dovecot's userdb. A login that is found takes the place of `username` in all
    /// documents for that address. Without a source, nothing is looked up.
    ///
    /// A domain that names a source uses it in place of the one at the top. Files in
    /// `domains.directory` may only set `enabled`. Only domains that are named or listed are looked
    /// up, and only for requests with an address; documents for a whole domain keep `username`. If a
    /// source does not know an address, does not respond in time, or responds with something that
    /// is not a login, the document has the login of `username`.
    ///
    /// A login has up to 255 bytes, without control characters and without `%EMAIL`. Answers of
    /// servers are kept for ten seconds. `mailsetup check` names what a source reveals.
    pub login: Rare<Login>,
}

/// Keys that are true or false, wherever they are.
pub const FLAGS: [&str; 7] = [
    "client_addresses",
    "dav",
    "enabled",
    "fetch_at_once",
    "leave_on_server",
    "requests",
    "user_agents",
];
/// Keys that are numbers, wherever they are.
pub const NUMBERS: [&str; 10] = [
    "body_bytes",
    "buffered_bytes",
    "connections",
    "days_on_server",
    "directory_letters",
    "parameters_bytes",
    "port",
    "stop_timeout_s",
    "timeout_ms",
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
    /// The name, up to 60 characters. Longer ones are cut.
    ///
    /// - Default: `"%EMAILDOMAIN%"`
    /// - Example: `name = "%EMAILDOMAIN%"`
    pub name: Option<Spanned<String>>,
    /// A short name for narrow lists, up to 20 characters. Longer ones are cut. Of all known
    /// clients only FairEmail and KMail read it.
    ///
    /// - Default: that of `name`
    /// - Example: `short_name = "%EMAILDOMAIN%"`
    pub short_name: Option<Spanned<String>>,
    /// The provider's home page.
    ///
    /// - Value: URL
    /// - Default: none
    /// - Example: `homepage = "https://www.example.org/"`
    pub homepage: Option<Spanned<String>>,
    /// The provider's help pages.
    ///
    /// - Value: URL
    /// - Default: none
    /// - Example: `support = "https://www.example.org/help"`
    pub support: Option<Spanned<String>>,
    /// The provider's web mail.
    ///
    /// - Value: URL
    /// - Default: none
    /// - Example: `webmail = "https://webmail.%EMAILDOMAIN%/"`
    pub webmail: Option<Spanned<String>>,
    /// Instructions for mail programs, the most useful first, with a title for each language.
    /// FairEmail shows them.
    ///
    /// ```toml
    /// [[provider.documentation]]
    /// url = "https://www.example.org/help/mail"
    /// title = { en = "How to set up your mail program", de = "So richten Sie Ihr Mailprogramm ein" }
    /// ```
    ///
    /// - Default: none
    pub documentation: Option<Vec<Spanned<Documentation>>>,
}

/// `[[provider.documentation]]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Documentation {
    /// The page with the instructions.
    ///
    /// - Value: URL
    /// - Required
    pub url: Option<Spanned<String>>,
    /// Its title.
    ///
    /// - Required
    pub title: Option<Spanned<BTreeMap<String, String>>>,
}

/// `[imap]`, `[pop3]`, `[smtp]` and `[managesieve]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ServerTable {
    /// If false, the server is left out of every response. One of `imap` and `pop3` must stay on.
    ///
    /// - [imap] Without IMAP, some clients find no server; `mailsetup check` names them.
    /// - [smtp] False is an error: clients refuse an account that cannot send.
    /// - [smtp] Only: true
    /// - Default: `true`
    /// - [managesieve] Default: `false`
    /// - [imap, pop3] Example: `enabled = true`
    /// - [managesieve] Example: `enabled = false`
    pub enabled: Option<Spanned<bool>>,
    /// The host name, without a port. Mail clients connect to it, so its certificate must include
    /// this name.
    ///
    /// International letters are turned to ASCII, capitals to small letters. Between two dots,
    /// international letters cannot be beside `%EMAILDOMAIN%`.
    ///
    /// - Value: host name
    /// - Default: `"mail.%EMAILDOMAIN%"`
    /// - Example: `host = "mail.%EMAILDOMAIN%"`
    pub host: Option<Spanned<String>>,
    /// The TCP port, from {range}.
    ///
    /// - Range: 1 to 65535
    /// - [imap] Default: `993`, or `143` if `security` is not `"tls"`
    /// - [imap] Example: `port = 993`
    /// - [pop3] Default: `995`, or `110` if `security` is not `"tls"`
    /// - [pop3] Example: `port = 995`
    /// - [smtp] Default: `587`, or `465` if `security` is `"tls"`
    /// - [smtp] Example: `port = 587`
    /// - [managesieve] Default: `4190`
    /// - [managesieve] Example: `port = 4190`
    pub port: Option<Spanned<i64>>,
    /// How the connection is protected: {words}. With `"none"`, some clients refuse
    /// everything, also the other servers; `mailsetup check` names them.
    ///
    /// - [imap] Default: `"tls"`, or `"starttls"` if `port` is 143
    /// - [imap, pop3] Example: `security = "tls"`
    /// - [pop3] Default: `"tls"`, or `"starttls"` if `port` is 110
    /// - [smtp] If your server answers on port 465, set `"tls"`: every client reads it alike, and
    ///   Apple's profiles have no word for STARTTLS.
    /// - [smtp] Default: `"starttls"`, or `"tls"` if `port` is 465
    /// - [smtp, managesieve] Example: `security = "starttls"`
    /// - [managesieve] Default: `"starttls"`
    pub security: Option<Spanned<Security>>,
    /// The authentication method: {words}; or a list of methods, the preferred one first:
    /// `["oauth2", "password"]`. Only `"password"` works in every client: some refuse the whole
    /// configuration if `"ntlm"` is the only method. `mailsetup check` names them, and reports what
    /// each client does with a list.
    ///
    /// A list holds one method or more, each of them once. Autoconfig documents have all of them in
    /// that order. Apple profiles, Autodiscover and the page for mailbox owners have the first that
    /// is not `"oauth2"`. If one of the two servers that are needed to read and to send mail has
    /// `"oauth2"` alone, Apple profiles and Autodiscover are not available.
    ///
    /// - [smtp] It may also be `"none"`, for a server without login. Some clients refuse the whole
    ///   configuration then, or treat the set-up as incomplete.
    /// - Default: `"password"`
    /// - Example: `auth = "password"`
    pub auth: Option<Spanned<OneOrMore<Auth>>>,
    /// The login. Only `%EMAILADDRESS%` works in every client; `mailsetup check` names those that do
    /// not understand another login.
    ///
    /// White space is not allowed.
    ///
    /// - Value: login
    /// - Default: `"%EMAILADDRESS%"`
    /// - Example: `username = "%EMAILADDRESS%"`
    pub username: Option<Spanned<String>>,
    /// Other servers for the same mail, each with `host`, `port` and `security`; keys that are not
    /// set have the values of the first server. Some clients take the last server instead of the
    /// first; `mailsetup check` names them.
    ///
    /// They follow the first server in autoconfig documents, and get SRV records.
    ///
    /// - Default: none
    /// - [imap] Example: `alternatives = [{ port = 143, security = "starttls" }]`
    pub alternatives: Option<Spanned<Vec<Alternative>>>,
    /// Whether fetched messages stay on the server. Thunderbird reads it, as it does the next two.
    ///
    /// - Tables: [pop3]
    /// - Default: the mail client decides
    /// - Example: `leave_on_server = true`
    pub leave_on_server: Option<Spanned<bool>>,
    /// For how many days fetched messages stay on the server, from {range}.
    ///
    /// - Tables: [pop3]
    /// - Range: 1 to 65535
    /// - Default: the mail client decides
    /// - Example: `days_on_server = 14`
    pub days_on_server: Option<Spanned<i64>>,
    /// Whether new messages are fetched as soon as they are seen.
    ///
    /// - Tables: [pop3]
    /// - Default: the mail client decides
    /// - Example: `fetch_at_once = true`
    pub fetch_at_once: Option<Spanned<bool>>,
}

/// `[[imap.alternatives]]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Alternative {
    /// The host name.
    ///
    /// - Value: host name
    /// - Default: that of the first server
    pub host: Option<Spanned<String>>,
    /// The TCP port, from {range}.
    ///
    /// - Range: 1 to 65535
    /// - Default: the usual one for `security`
    pub port: Option<Spanned<i64>>,
    /// How the connection is protected: {words}.
    ///
    /// - Default: the usual one of `port`, else that of the first server
    pub security: Option<Spanned<Security>>,
}

/// `[jmap]`, `[caldav]`, `[carddav]`, `[webdav]` and `[activesync]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ServiceTable {
    /// If false, the service is left out of all documents. A domain can switch off a service that is
    /// set at the top.
    ///
    /// - Default: `true`
    /// - [caldav] Example: `enabled = true`
    pub enabled: Option<bool>,
    /// The URL, which begins with https:// and is in ASCII.
    ///
    /// - [jmap] It is the URL of the session resource.
    /// - Value: URL
    /// - Default: none
    /// - [caldav, carddav] Example: `url = "https://dav.%EMAILDOMAIN%/"`
    /// - [webdav] Example: `url = "https://files.%EMAILDOMAIN%/"`
    /// - [jmap] Example: `url = "https://jmap.%EMAILDOMAIN%/.well-known/jmap"`
    /// - [activesync] Example: `url = "https://eas.%EMAILDOMAIN%/Microsoft-Server-ActiveSync"`
    pub url: Option<Spanned<String>>,
    /// The login. Let it be that of the mail server: some clients take the last `username` of all
    /// services for that one; `mailsetup check` names them.
    ///
    /// White space is not allowed.
    ///
    /// - Value: login
    /// - Default: `"%EMAILADDRESS%"`
    /// - [caldav] Example: `username = "%EMAILADDRESS%"`
    pub username: Option<Spanned<String>>,
}

/// `[oauth2]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct OAuth2 {
    /// The name of the issuer.
    ///
    /// - Required
    /// - Example: `issuer = "login.example.org"`
    pub issuer: Option<Spanned<String>>,
    /// The scopes to request, separated by blanks.
    ///
    /// - Required
    /// - Example: `scope = "imap smtp offline_access"`
    pub scope: Option<Spanned<String>>,
    /// The URL of the authorization endpoint.
    ///
    /// - Value: URL
    /// - Required
    /// - Example: `authorization_url = "https://login.example.org/authorize"`
    pub authorization_url: Option<Spanned<String>>,
    /// The URL of the token endpoint.
    ///
    /// - Value: URL
    /// - Required
    /// - Example: `token_url = "https://login.example.org/token"`
    pub token_url: Option<Spanned<String>>,
    /// The client ID.
    ///
    /// - Required
    /// - Example: `client_id = "mail-clients"`
    pub client_id: Option<Spanned<String>>,
    /// The client secret. It is published in the documents, so it is not confidential.
    ///
    /// - Default: none
    /// - Example: `client_secret = "everybody-may-know-this"`
    pub client_secret: Option<Spanned<String>>,
}

/// `[pacc]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Pacc {
    /// Whether the document is available. Publish the records first, also before the settings
    /// change: the digest changes with them.
    ///
    /// - Default: `false`
    /// - Example: `enabled = false`
    pub enabled: Option<bool>,
}

/// `[autodiscover]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Autodiscover {
    /// Whether the responses include calendars and address books. eM Client sets them up then;
    /// Outlook and Thunderbird ignore them. Autoconfig always includes them.
    ///
    /// - Default: `false`
    /// - Example: `dav = false`
    pub dav: Option<bool>,
    /// Redirects Autodiscover clients of one domain to this address. Some clients do not follow
    /// it; `mailsetup check` names them.
    ///
    /// A request with this address gets the settings. So does a request for which the address is
    /// invalid once it is filled in: a local part of more than 64 bytes, or a quoted one with text
    /// beside it.
    ///
    /// ```toml
    /// [domain."moved.example".autodiscover]
    /// redirect_address = "%EMAILLOCALPART%@example.net"
    /// ```
    ///
    /// - Value: address
    /// - Default: none
    pub redirect_address: Option<Spanned<String>>,
    /// Redirects Autodiscover clients of one domain to this URL. Some clients do not follow it;
    /// `mailsetup check` names them. A request to this URL gets the settings, so it may be a URL of this server. Only
    /// one of the two redirects can be set.
    ///
    /// Clients that send no address get the settings in either case.
    ///
    /// ```toml
    /// [domain."elsewhere.example".autodiscover]
    /// redirect_url = "https://autodiscover.example.net/autodiscover/autodiscover.xml"
    /// ```
    ///
    /// - Value: URL
    /// - Default: none
    /// - Without: `redirect_address`
    pub redirect_url: Option<Spanned<String>>,
}

/// `security = …`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte
    Tls,
    /// TLS after the command STARTTLS
    StartTls,
    /// without TLS
    None,
}

/// `auth = …`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// the password itself, inside TLS
    Password,
    /// a challenge over the password
    #[serde(rename = "cram-md5")]
    CramMd5,
    /// that of Windows
    Ntlm,
    /// a token; see `[oauth2]`
    #[serde(rename = "oauth2")]
    OAuth2,
    /// no login
    ///
    /// - Tables: [smtp]
    /// - Alone
    None,
}

/// `[apple]`; the signing keys stand at the top only
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Apple {
    /// The beginning of the identifiers of profiles: letters, digits and hyphens between dots, in
    /// reverse DNS order. Do not change it later: devices then treat the next profile as another
    /// account.
    ///
    /// A profile with the same identifier replaces the older one on a device.
    ///
    /// - Value: reverse DNS name
    /// - Default: the labels of the domain in reverse order and mailsetup, org.example.mailsetup for
    ///   example.org
    /// - Example: `identifier = "org.example.mailsetup"`
    pub identifier: Option<Spanned<String>>,
    /// The description of a profile, by language. Users get it in the language that their browser
    /// asks for, else in English, else in the first.
    ///
    /// - Default: a built-in sentence, in English
    /// - Example: `description = { en = "Sets up mail for you.", de = "Richtet Mail für Sie ein." }`
    pub description: Option<Spanned<BTreeMap<String, String>>>,
    /// The terms that users must accept before they install a profile, by language. Devices use
    /// their own language, else English, else the first.
    ///
    /// - Default: none
    /// - Example: `consent = { en = "You agree to our terms.", de = "Sie stimmen unseren Bedingungen zu." }`
    pub consent: Option<Spanned<BTreeMap<String, String>>>,
    /// The certificate that profiles are signed with, in PEM, followed by its chain without the
    /// root. Without a certificate, devices show "Not Signed", and install the profile; without the
    /// chain, "Not Verified".
    ///
    /// - Value: path
    /// - Default: none, profiles are not signed
    /// - Needs: `signing_key`
    /// - Example: `signing_certificate = "profile.pem"`
    pub signing_certificate: Option<Spanned<String>>,
    /// The key of `signing_certificate`, in PEM and without a passphrase: RSA of 2048 bits or more,
    /// or ECDSA with P-256, P-384 or P-521.
    ///
    /// - Value: path
    /// - Default: none
    /// - Needs: `signing_certificate`
    /// - Example: `signing_key = "profile.key"`
    pub signing_key: Option<Spanned<String>>,
}
