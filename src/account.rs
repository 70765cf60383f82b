//! The model of a mail account, independent of any protocol.
//!
//! Every document is written from an [`Account`]; nothing here depends on a configuration file, a
//! web server or the terms of a mail client.

use crate::address::{Domain, EmailAddress, HostName, is_text};
use crate::url::HttpsUrl;
use memchr::memchr;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU16;
use std::sync::Arc;

//------------ Account --------------------------------------------------------

/// All that a mail client needs for the accounts of one domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// The mail domain the settings are for.
    pub domain: Domain,
    /// The configured domain that the request's Host named, if the document needs it; it may be the
    /// same.
    pub host_domain: Option<Domain>,
    /// The request's Host, if it stands for this domain or for one that is configured, is below
    /// this domain, or has a server of this account: only such a Host may be used in a link.
    pub host: Option<Domain>,
    /// The requested mailbox; `None` if only a domain is known.
    pub address: Option<EmailAddress>,
    /// Its own login, if it has one: see [`Account::with_login`].
    pub login: Option<OwnLogin>,
    /// The operator of the servers.
    pub provider: Provider,
    /// The servers in the order in which clients should prefer them: IMAP, POP3, SMTP,
    /// ManageSieve. There is at most one of a protocol, one or more to read mail and exactly one to
    /// send it.
    pub servers: Vec<MailServer>,
    /// Further servers of the same protocols, for clients that cannot reach the first. Usually
    /// empty, since some clients use the last server they find.
    pub alternatives: Vec<MailServer>,
    /// How POP3 clients should treat fetched messages.
    pub pop3: Pop3Options,
    /// Services that are reached by a URL, at most one of a kind.
    pub services: Vec<WebService>,
    /// Where clients get tokens, if they support tokens instead of a password.
    pub oauth2: Option<OAuth2>,
    /// The real place of the settings, for clients that follow redirects.
    pub moved: Option<Redirect>,
    /// Whether PACC is enabled.
    pub pacc: bool,
    /// Whether Autodiscover documents contain calendars and address books.
    pub dav_in_autodiscover: bool,
    /// How the page for mailbox owners looks.
    pub page: Arc<Page>,
}

impl Account {
    /// The same account for a mailbox with a login of its own: the logins of all servers and
    /// services become the placeholder [`OWN_LOGIN`].
    pub fn with_login(mut self, login: OwnLogin) -> Account {
        let servers = self.servers.iter_mut().chain(&mut self.alternatives);
        let services = self.services.iter_mut().map(|service| &mut service.login);
        for name in servers.map(|server| &mut server.login).chain(services) {
            *name = Login::new(OWN_LOGIN.to_owned());
        }
        self.login = Some(login);
        self
    }

    /// Whom the documents of the account are for.
    pub fn subject(&self) -> Subject<'_> {
        let login = self.login.as_ref();
        let mailbox = self.address.as_ref().map(|address| Mailbox { address, login });
        Subject { domain: &self.domain, mailbox }
    }

    /// The server a client should read mail from: IMAP, else POP3.
    pub fn incoming(&self) -> Option<&MailServer> {
        self.servers.iter().find(|server| server.protocol.is_incoming())
    }

    /// The server a client should send mail through.
    pub fn outgoing(&self) -> Option<&MailServer> {
        self.servers.iter().find(|server| server.protocol == Protocol::Smtp)
    }

    /// True if a host is in the account's domain, or is that of one of its servers or services.
    pub fn knows(&self, host: &Domain) -> bool {
        let mut servers = self.servers.iter().chain(&self.alternatives);
        host.is_in(&self.domain)
            || servers.any(|server| server.host == *host)
            || self.services.iter().any(|service| *service.url.host() == *host)
    }

    /// False if a password is not enough to read or to send mail: a server accepts tokens only.
    pub fn takes_passwords(&self) -> bool {
        [self.incoming(), self.outgoing()]
            .iter()
            .all(|server| server.is_some_and(|server| server.auth.without_token().is_some()))
    }

    /// The service of a kind, if it is configured.
    pub fn service(&self, kind: ServiceKind) -> Option<&WebService> {
        self.services.iter().find(|service| service.kind == kind)
    }
}

/// The operator of the servers, as shown to the mailbox owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Provider {
    /// The full name, shown by clients beside the account.
    pub name: String,
    /// A short name for narrow lists.
    pub short_name: String,
    /// The reverse-DNS name below which identifiers of profiles are made.
    pub identifier: Identifier,
    /// The provider's home page.
    pub homepage: Option<HttpsUrl>,
    /// Where users find help.
    pub support: Option<HttpsUrl>,
    /// Where users read mail in a browser.
    pub webmail: Option<HttpsUrl>,
    /// Instructions for mail clients, the most useful first.
    pub documentation: Vec<Documentation>,
    /// The description that a device shows before it installs a profile.
    pub profile_description: Localised,
    /// The text that users must agree to before they install a profile.
    pub profile_consent: Localised,
}

/// A reverse-DNS name below which identifiers of profiles are made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identifier {
    /// The same for all domains.
    Fixed(String),
    /// That of the domain itself.
    OfDomain,
}

impl Identifier {
    /// `org.example.mailsetup` for `example.org`.
    pub fn reversed(domain: &Domain) -> String {
        let labels = domain.as_str().rsplit('.').chain(["mailsetup"]);
        let mut name = String::with_capacity(domain.as_str().len() + ".mailsetup".len());
        for label in labels {
            let dot = if name.is_empty() { "" } else { "." };
            name.push_str(dot);
            name.push_str(label);
        }
        name
    }

    /// The name for a domain.
    pub fn of(&self, domain: &Domain) -> Cow<'_, str> {
        match self {
            Identifier::Fixed(name) => Cow::Borrowed(name),
            Identifier::OfDomain => Cow::Owned(Identifier::reversed(domain)),
        }
    }
}

/// A page of instructions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Documentation {
    /// Where it is.
    pub url: HttpsUrl,
    /// Its title.
    pub title: Localised,
}

/// A text in several languages, by BCP 47 tag in lower case; empty if there is no text.
pub type Localised = BTreeMap<String, String>;

//------------ Page -----------------------------------------------------------

/// How the page for mailbox owners looks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// False if the page is disabled.
    pub enabled: bool,
    /// A template that replaces the built-in one.
    pub template: Option<String>,
    /// The provider's logo as a `data:` URI.
    pub logo: Option<String>,
    /// The provider's colour.
    pub color: Option<Color>,
    /// A text of the provider.
    pub note: Localised,
    /// The address for users who need help.
    pub email: Option<EmailAddress>,
    /// The telephone number for users who need help, as it is shown.
    pub phone: Option<String>,
}

impl Default for Page {
    fn default() -> Page {
        Page {
            enabled: true,
            template: None,
            logo: None,
            color: None,
            note: Localised::new(),
            email: None,
            phone: None,
        }
    }
}

/// Red, green and blue (sRGB).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Color> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Color([red, green, blue]))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

//------------ MailServer -----------------------------------------------------

/// A server that clients connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MailServer {
    /// The protocol that is spoken there.
    pub protocol: Protocol,
    /// Where it is.
    pub host: HostName,
    /// TCP port.
    pub port: NonZeroU16,
    /// How the connection is protected.
    pub security: Security,
    /// The authentication methods, the preferred one first.
    pub auth: AuthList,
    /// The name the user logs in with.
    pub login: Login,
    /// Of an alternative server, its index among the configured ones.
    pub index: usize,
}

/// The protocol of a mail server.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Protocol {
    /// IMAP (RFC 9051).
    Imap,
    /// POP3 (RFC 1939).
    Pop3,
    /// Message submission (RFC 6409).
    Smtp,
    /// ManageSieve (RFC 5804): filters on the server.
    ManageSieve,
}

impl Protocol {
    /// True for a protocol that reads mail.
    pub fn is_incoming(self) -> bool {
        matches!(self, Protocol::Imap | Protocol::Pop3)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop3",
            Protocol::Smtp => "smtp",
            Protocol::ManageSieve => "managesieve",
        })
    }
}

/// How a connection is protected (RFC 8314).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// Plain text that is upgraded to TLS before any other command.
    StartTls,
    /// No protection.
    Plain,
}

/// An authentication method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Auth {
    /// The password itself (SASL PLAIN or LOGIN), inside TLS.
    Password,
    /// A challenge over the password (CRAM-MD5).
    CramMd5,
    /// Windows' NTLM.
    Ntlm,
    /// A token instead of a password (SASL XOAUTH2 or OAUTHBEARER).
    OAuth2,
    /// No authentication; for sending only.
    None,
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Auth::Password => "password",
            Auth::CramMd5 => "cram-md5",
            Auth::Ntlm => "ntlm",
            Auth::OAuth2 => "oauth2",
            Auth::None => "none",
        })
    }
}

/// One method or more, each of them once, the preferred one first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuthList {
    methods: [Auth; AuthList::MAX],
    len: u8,
}

impl AuthList {
    /// The number of methods.
    const MAX: usize = 5;

    /// A list of one.
    pub const fn of(method: Auth) -> AuthList {
        AuthList { methods: [method; AuthList::MAX], len: 1 }
    }

    /// Takes methods in their order; `None` for an empty list, or if a method occurs twice.
    pub fn new(methods: &[Auth]) -> Option<AuthList> {
        let mut list = AuthList::of(*methods.first()?);
        for method in &methods[1..] {
            if list.contains(*method) {
                return None;
            }
            *list.methods.get_mut(usize::from(list.len))? = *method;
            list.len += 1;
        }
        Some(list)
    }

    /// The methods in their order.
    pub fn iter(&self) -> impl Iterator<Item = Auth> {
        self.methods.into_iter().take(usize::from(self.len))
    }

    /// True if the method is one of them.
    pub fn contains(&self, method: Auth) -> bool {
        self.iter().any(|known| known == method)
    }

    /// The preferred method of those that need no token, for clients and formats without OAuth2.
    pub fn without_token(&self) -> Option<Auth> {
        self.iter().find(|method| *method != Auth::OAuth2)
    }
}

/// How POP3 clients should treat fetched messages; `None` leaves it to the client.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pop3Options {
    /// Whether messages stay on the server.
    pub leave_on_server: Option<bool>,
    /// For how many days.
    pub days_on_server: Option<u16>,
    /// Whether new messages are fetched as soon as they are seen.
    pub fetch_at_once: Option<bool>,
}

//------------ WebService -----------------------------------------------------

/// A service that is reached by a URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebService {
    /// The protocol that is spoken there.
    pub kind: ServiceKind,
    /// Where it is.
    pub url: HttpsUrl,
    /// The name the user logs in with.
    pub login: Login,
}

/// The kinds of services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServiceKind {
    /// JMAP (RFC 8620): the URL of the session resource.
    Jmap,
    /// Calendars (RFC 4791).
    CalDav,
    /// Address books (RFC 6352).
    CardDav,
    /// Files (RFC 4918).
    WebDav,
    /// Exchange ActiveSync ([MS-ASHTTP]).
    ActiveSync,
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            ServiceKind::Jmap => "jmap",
            ServiceKind::CalDav => "caldav",
            ServiceKind::CardDav => "carddav",
            ServiceKind::WebDav => "webdav",
            ServiceKind::ActiveSync => "activesync",
        })
    }
}

/// Where clients get tokens (RFC 6749).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OAuth2 {
    /// The issuer's name.
    pub issuer: String,
    /// The scopes to request, separated by blanks.
    pub scope: String,
    /// Where the user grants access.
    pub authorization_url: HttpsUrl,
    /// Where the client requests the token.
    pub token_url: HttpsUrl,
    /// The identifier that every client sends.
    pub client_id: String,
    /// The secret that belongs to it. It is public, since every client receives it.
    pub client_secret: Option<String>,
}

/// The real place of the settings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Redirect {
    /// The client repeats the request with another address.
    Address(Login),
    /// The client repeats the request at another URL.
    Url(HttpsUrl),
}

//------------ Login ----------------------------------------------------------

/// The whole address, in a login template.
pub const EMAIL_ADDRESS: &str = "%EMAILADDRESS%";
/// The part before the `@`, in a login template.
pub const EMAIL_LOCAL_PART: &str = "%EMAILLOCALPART%";
/// The mailbox's own login, in a login template. A configuration cannot contain it.
pub const OWN_LOGIN: &str = "%OWNLOGIN%";

/// A login name: literal text with the placeholders [`EMAIL_ADDRESS`] and [`EMAIL_LOCAL_PART`], or
/// [`OWN_LOGIN`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Login(String);

impl Login {
    /// Takes a template whose domain part is filled in already.
    pub fn new(template: String) -> Login {
        Login(template)
    }

    /// The template, for clients that fill it in themselves.
    pub fn template(&self) -> &str {
        &self.0
    }

    /// The login name of one mailbox.
    pub fn of(&self, mailbox: &Mailbox) -> String {
        match mailbox.login {
            Some(login) if self.0 == OWN_LOGIN => login.as_str().to_owned(),
            _ => {
                let Mailbox { address, .. } = mailbox;
                fill_in(&self.0, &address.to_string(), address.local_part())
            }
        }
    }
}

/// The login of one mailbox, from a source that knows it: it takes the place of the template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnLogin(Box<str>);

impl OwnLogin {
    /// Longest login, in bytes.
    pub const MAX: usize = 255;

    /// Takes a login as it is written; `None` for a text that cannot be one.
    pub fn parse(text: &str) -> Option<OwnLogin> {
        OwnLogin::is_one(text).then(|| OwnLogin(text.into()))
    }

    /// False for an empty or a longer text, for characters that documents do not have, and for the
    /// beginning of a placeholder, which clients would replace.
    pub fn is_one(text: &str) -> bool {
        let fits = matches!(text.len(), 1..=OwnLogin::MAX);
        fits && text.chars().all(is_text) && !text.contains("%EMAIL")
    }

    /// The login.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mailbox that a document is written for.
#[derive(Clone, Copy, Debug)]
pub struct Mailbox<'a> {
    /// Its address.
    pub address: &'a EmailAddress,
    /// Its own login, if it has one.
    pub login: Option<&'a OwnLogin>,
}

/// Whom a document is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The domain whose settings are in the document.
    pub domain: &'a Domain,
    /// The mailbox, if one was given.
    pub mailbox: Option<Mailbox<'a>>,
}

/// Replaces the placeholders [`EMAIL_ADDRESS`] and [`EMAIL_LOCAL_PART`] in a text.
pub fn fill_in(text: &str, address: &str, local_part: &str) -> String {
    // Placeholders are replaced from left to right, so that a mailbox named like a placeholder is
    // kept.
    let mut filled = String::with_capacity(text.len() + 8 * address.len());
    let mut rest = text;
    while let Some(start) = memchr(b'%', rest.as_bytes()) {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix(EMAIL_ADDRESS) {
            filled.push_str(address);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(EMAIL_LOCAL_PART) {
            filled.push_str(local_part);
            rest = after;
        } else {
            filled.push('%');
            rest = &rest[1..];
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_there_once_and_in_order() {
        use Auth::{CramMd5, Ntlm, OAuth2, Password};
        for methods in [&[Password][..], &[OAuth2, Password], &[Ntlm, CramMd5, OAuth2]] {
            let list = AuthList::new(methods).unwrap();
            assert_eq!(list.iter().collect::<Vec<_>>(), methods);
            assert_eq!(list.without_token(), methods.iter().copied().find(|it| *it != OAuth2));
        }
        assert_eq!(AuthList::new(&[OAuth2]).unwrap().without_token(), None);
        assert_eq!(AuthList::new(&[]), None);
        assert_eq!(AuthList::new(&[Password, OAuth2, Password]), None);
    }

    #[test]
    fn login_is_filled_in_once() {
        let address = EmailAddress::parse(b"%EMAILADDRESS%@example.org").unwrap();
        for (template, login) in [
            ("%EMAILADDRESS%", "%EMAILADDRESS%@example.org"),
            ("%EMAILLOCALPART%", "%EMAILADDRESS%"),
            ("mail-%EMAILLOCALPART%.org", "mail-%EMAILADDRESS%.org"),
            ("100%", "100%"),
            ("fixed", "fixed"),
        ] {
            let mailbox = Mailbox { address: &address, login: None };
            assert_eq!(Login::new(template.into()).of(&mailbox), login);
        }
    }

    #[test]
    fn an_own_login_is_a_text_that_clients_do_not_change() {
        for text in ["ann", "<a>&\"'", "Zoë", "100%", "%OWNLOGIN%", " a b ", &"a".repeat(255)] {
            let login = OwnLogin::parse(text).unwrap();
            let address = EmailAddress::parse(b"ann@example.org").unwrap();
            let mailbox = Mailbox { address: &address, login: Some(&login) };
            assert_eq!(Login::new(OWN_LOGIN.into()).of(&mailbox), text);
            assert_eq!(Login::new("x-%EMAILLOCALPART%".into()).of(&mailbox), "x-ann");
        }
        for text in
            ["", "a\nb", "\u{85}", "\u{ffff}", "%EMAILADDRESS%", "a%EMAIL", &"é".repeat(128)]
        {
            assert_eq!(OwnLogin::parse(text), None, "{text:?}");
        }
    }
}
