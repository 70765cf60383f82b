//! The values that are filled into the template of the page.
//!
//! Most of a page is the same for all mailboxes of a domain: it is written once, with markers in
//! place of the mailbox, and filled in for each. A custom template may process the address, so it
//! gets the address itself.

use super::languages::{Language, Text};
use super::qr;
use super::theme::{self, HtmlEscape, TemplateError, Theme, Value};
use super::thunderbird;
use crate::account::{
    self, Account, Auth, AuthList, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Login, OWN_LOGIN, OwnLogin,
    Page, Security, ServiceKind,
};
use crate::address::EmailAddress;
use crate::language::{Languages, usual_case};
use crate::paths::MOBILECONFIG;
use crate::url::HttpsUrl;
use crate::visible::replaced;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::collections::BTreeMap;

/// The query parameter with the address, and the field of the form.
pub const PARAMETER: &str = "emailaddress";

/// The characters that are not encoded in a query.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

//------------ Content --------------------------------------------------------

/// The values for the template.
#[derive(Serialize)]
pub struct Content<'a> {
    pub stage: Stage,
    lang: &'a str,
    dir: &'a str,
    t: &'static BTreeMap<&'static str, Text>,
    #[serde(skip)]
    pub language: &'static Language,
    typed: String,
    address: String,
    pub provider: Option<Provider<'a>>,
    pub logo: Option<&'a str>,
    note: Option<Note<'a>>,
    contacts: Vec<Contact>,
    profile: String,
    code: Option<Value>,
    android_code: Option<Value>,
    servers: Vec<ServerRow<'a>>,
    services: Vec<ServiceRow<'a>>,
    /// Set by the theme, as is the next.
    pub style: Value,
    pub script: Value,
}

/// The kinds of pages.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Form,
    Settings,
    Invalid,
    Unknown,
}

/// The operator of the servers.
#[derive(Serialize)]
pub struct Provider<'a> {
    pub name: &'a str,
    homepage: Option<&'a str>,
    support: Option<&'a str>,
    webmail: Option<&'a str>,
    documentation: Vec<Documentation<'a>>,
}

#[derive(Serialize)]
struct Documentation<'a> {
    url: &'a str,
    title: &'a str,
}

/// A text of the provider.
#[derive(Serialize)]
struct Note<'a> {
    lang: String,
    text: &'a str,
}

/// Where users get help: an address or a telephone number.
#[derive(Serialize)]
struct Contact {
    link: String,
    text: String,
}

#[derive(Serialize)]
struct ServerRow<'a> {
    protocol: String,
    host: &'a str,
    port: u16,
    security: &'static str,
    auth: String,
    user: String,
}

#[derive(Serialize)]
struct ServiceRow<'a> {
    kind: String,
    url: &'a str,
    user: String,
}

impl<'a> Content<'a> {
    /// The page in a theme.
    pub fn page(&mut self, theme: &Theme) -> Result<String, TemplateError> {
        self.style = theme.style.clone();
        self.script = theme::script();
        theme.page(self)
    }

    /// The empty form, in the name of the account's provider.
    pub fn new(account: Option<&'a Account>, languages: &[u8]) -> Content<'a> {
        let languages = Languages::parse(languages);
        let language = Language::of(&languages);
        let provider = account.map(|account| &account.provider);
        Content {
            stage: Stage::Form,
            lang: language.tag,
            dir: language.direction,
            t: &language.texts,
            language,
            typed: String::new(),
            address: String::new(),
            provider: provider.map(|provider| Provider {
                name: &provider.name,
                homepage: provider.homepage.as_ref().map(HttpsUrl::as_str),
                support: provider.support.as_ref().map(HttpsUrl::as_str),
                webmail: provider.webmail.as_ref().map(HttpsUrl::as_str),
                documentation: provider
                    .documentation
                    .iter()
                    .filter_map(|page| {
                        Some(Documentation {
                            url: page.url.as_str(),
                            title: languages.choose(&page.title)?,
                        })
                    })
                    .collect(),
            }),
            logo: account.and_then(|account| account.page.logo.as_deref()),
            note: account.and_then(|account| note(&account.page, language)),
            contacts: account.map(|account| contacts(&account.page)).unwrap_or_default(),
            profile: String::new(),
            code: None,
            android_code: None,
            servers: Vec::new(),
            services: Vec::new(),
            style: Value::UNDEFINED,
            script: Value::UNDEFINED,
        }
    }

    /// The form, with input that is not an address.
    pub fn refuse(&mut self, typed: &str) {
        self.stage = Stage::Invalid;
        self.typed = replaced(typed);
    }

    /// The form, with an address of a domain that is not configured.
    pub fn miss(&mut self, address: &EmailAddress) {
        self.stage = Stage::Unknown;
        self.typed = address.for_people();
    }

    /// The settings of a mailbox.
    pub fn settle(&mut self, account: &'a Account, mailbox: &Mailbox) {
        self.stage = Stage::Settings;
        self.typed = mailbox.for_people.clone();
        self.address = mailbox.for_people.clone();
        if let Some(code) = &mailbox.apple_code {
            self.profile = profile(&mailbox.encoded);
            self.code = Some(Value::from_safe_string(code.clone()));
        }
        self.android_code = mailbox.android_code.clone().map(Value::from_safe_string);
        // A manual set-up needs one server to read mail from and the one to send mail through.
        let (incoming, outgoing) = (account.incoming(), account.outgoing());
        let rank = |server: &account::MailServer| match Some(server) {
            it if it == incoming => 0,
            it if it == outgoing => 1,
            _ => 2,
        };
        let mut servers: Vec<_> = account.servers.iter().chain(&account.alternatives).collect();
        servers.sort_by_key(|server| rank(server));
        self.servers = servers
            .into_iter()
            .map(|server| ServerRow {
                protocol: server.protocol.to_string(),
                host: server.host.as_str(),
                port: server.port.get(),
                security: security(server.security),
                auth: auth(server.auth),
                user: mailbox.login(&server.login),
            })
            .collect();
        let kinds = [ServiceKind::CalDav, ServiceKind::CardDav, ServiceKind::WebDav];
        self.services = kinds
            .into_iter()
            .filter_map(|kind| account.service(kind))
            .map(|service| ServiceRow {
                kind: service.kind.to_string(),
                url: service.url.as_str(),
                user: mailbox.login(&service.login),
            })
            .collect();
    }
}

/// The provider's text in the language of the page, so that it is the same for all users of a cached
/// page.
fn note<'a>(page: &'a Page, language: &Language) -> Option<Note<'a>> {
    let (tag, text) = Languages::parse(language.tag.as_bytes()).entry(&page.note)?;
    Some(Note { lang: usual_case(tag), text })
}

fn contacts(page: &Page) -> Vec<Contact> {
    let email = page.email.as_ref().map(|address| Contact {
        // RFC 6068 §2
        link: format!("mailto:{}", encoded(address)),
        text: address.for_people(),
    });
    let phone = page.phone.as_ref().map(|phone| {
        // RFC 3966 §5; a `(0)` is dialled only within a country.
        let number = match phone.starts_with('+') {
            true => phone.replace("(0)", ""),
            false => phone.clone(),
        };
        let number: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        Contact { link: format!("tel:{number}"), text: phone.clone() }
    });
    email.into_iter().chain(phone).collect()
}

/// The link to the profile, relative to this page.
fn profile(encoded: &str) -> String {
    format!("{}?{PARAMETER}={encoded}", MOBILECONFIG.from_root())
}

//------------ Mailbox --------------------------------------------------------

/// A mailbox as written on a page, or the markers for it.
pub struct Mailbox<'a> {
    /// The mailbox itself; without one, markers are in its place.
    itself: Option<account::Mailbox<'a>>,
    for_people: String,
    /// The address in a query.
    encoded: String,
    /// The QR code that leads to the profile, if there is one.
    apple_code: Option<String>,
    /// The QR code that Thunderbird for Android imports, if there is one.
    android_code: Option<String>,
}

const FOR_PEOPLE: &str = "%FORPEOPLE%";
const ENCODED: &str = "%ENCODED%";
const APPLE_CODE: &str = "%APPLECODE%";
const ANDROID_CODE: &str = "%ANDROIDCODE%";

/// The markers for a mailbox that is filled in later.
pub const MARKERS: [&str; 7] =
    [EMAIL_ADDRESS, EMAIL_LOCAL_PART, OWN_LOGIN, FOR_PEOPLE, ENCODED, APPLE_CODE, ANDROID_CODE];

impl<'a> Mailbox<'a> {
    /// The mailbox as it is.
    pub fn of(mailbox: account::Mailbox<'a>, codes: &Codes) -> Mailbox<'a> {
        let encoded = encoded(mailbox.address);
        Mailbox {
            for_people: mailbox.address.for_people(),
            apple_code: codes.apple(&encoded),
            android_code: codes.android(&mailbox),
            itself: Some(mailbox),
            encoded,
        }
    }

    /// A mailbox that is filled in later, with codes for an address that Thunderbird for Android
    /// accepts or not.
    pub fn open(codes: &Codes, is_taken: bool) -> Mailbox<'static> {
        let marker = |marker: &str, is_there: bool| is_there.then(|| marker.to_owned());
        Mailbox {
            itself: None,
            for_people: FOR_PEOPLE.to_owned(),
            encoded: ENCODED.to_owned(),
            apple_code: marker(APPLE_CODE, codes.link.is_some()),
            android_code: marker(ANDROID_CODE, is_taken && codes.accounts.is_some()),
        }
    }

    fn login(&self, login: &Login) -> String {
        match &self.itself {
            Some(mailbox) => login.of(mailbox),
            None => login.template().to_owned(),
        }
    }
}

/// The markup for a mailbox, in the order of the markers.
pub fn fill(mailbox: &account::Mailbox, codes: &Codes) -> Vec<String> {
    let account::Mailbox { address, login } = mailbox;
    let html = |text: &str| HtmlEscape(text).to_string();
    let encoded = encoded(address);
    let apple = codes.apple(&encoded).unwrap_or_default();
    let android = codes.android(mailbox).unwrap_or_default();
    vec![
        html(&address.to_string()),
        html(address.local_part()),
        html(login.map_or("", OwnLogin::as_str)),
        html(&address.for_people()),
        html(&encoded),
        apple,
        android,
    ]
}

fn encoded(address: &EmailAddress) -> String {
    utf8_percent_encode(&address.to_string(), PLAIN).to_string()
}

/// The QR codes of a domain's mailboxes.
#[derive(Clone, Debug)]
pub struct Codes {
    /// The part of the link before the path of the profile; `None` if there is no link.
    link: Option<String>,
    accounts: Option<thunderbird::Accounts>,
    language: &'static Language,
}

impl Codes {
    /// The codes of an account, labelled in a language.
    pub fn of(account: &Account, language: &'static Language) -> Codes {
        let host = match &account.host {
            // The requested host, if it is configured: it is known to work.
            Some(host) => host.to_string(),
            None => format!("autoconfig.{}", account.domain),
        };
        let has_profile = account.takes_passwords();
        let link = has_profile.then(|| format!("https://{host}/"));
        Codes { link, accounts: thunderbird::Accounts::of(account), language }
    }

    fn apple(&self, encoded: &str) -> Option<String> {
        qr::svg(
            &[self.link.as_ref()?, &*profile(encoded)].concat(),
            self.language.text("code_label"),
        )
    }

    fn android(&self, mailbox: &account::Mailbox) -> Option<String> {
        let text = self.accounts.as_ref()?.text(mailbox)?;
        qr::svg(&text, self.language.text("android_code_label"))
    }
}

//------------ rows -----------------------------------------------------------

fn security(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::Plain => "none",
    }
}

/// A password if it suffices: few programs get a token by themselves.
fn auth(auth: AuthList) -> String {
    auth.without_token().unwrap_or(Auth::OAuth2).to_string()
}

//------------ templates ------------------------------------------------------

/// Tests a template with every kind of page, since some errors only occur when it is filled in.
pub fn check_template(template: &str) -> Result<(), TemplateError> {
    let theme = Theme::new(Some(template), None)?;
    samples().iter_mut().try_for_each(|content| content.page(&theme).map(drop))
}

/// One page of every stage: with all optional values, and without them.
pub fn samples() -> Vec<Content<'static>> {
    let sample = |stage, is_full: bool| {
        let link = is_full.then_some("https://www.example.org/");
        let user = || "ann@example.org".to_owned();
        let language = Language::english();
        Content {
            stage,
            lang: language.tag,
            dir: language.direction,
            t: &language.texts,
            language,
            typed: user(),
            address: user(),
            provider: is_full.then(|| Provider {
                name: "Example",
                homepage: link,
                support: link,
                webmail: link,
                documentation: vec![Documentation {
                    url: "https://www.example.org/",
                    title: "Help",
                }],
            }),
            logo: is_full.then_some("data:,"),
            note: is_full.then(|| Note { lang: "en".to_owned(), text: "Welcome" }),
            contacts: is_full
                .then(|| Contact { link: "tel:+49".to_owned(), text: "+49".to_owned() })
                .into_iter()
                .collect(),
            profile: match is_full {
                true => profile("ann@example.org"),
                false => String::new(),
            },
            code: is_full.then(|| Value::from_safe_string(String::new())),
            android_code: is_full.then(|| Value::from_safe_string(String::new())),
            servers: ["imap", "smtp", "pop3", "managesieve"]
                .into_iter()
                .map(|protocol| ServerRow {
                    protocol: protocol.to_owned(),
                    host: "mail.example.org",
                    port: 993,
                    security: security(Security::Tls),
                    auth: auth(AuthList::of(Auth::Password)),
                    user: user(),
                })
                .collect(),
            services: ["caldav", "carddav", "webdav"]
                .into_iter()
                .filter(|_| is_full)
                .map(|kind| ServiceRow {
                    kind: kind.to_owned(),
                    url: "https://dav.example.org/",
                    user: user(),
                })
                .collect(),
            style: Value::UNDEFINED,
            script: Value::UNDEFINED,
        }
    };
    let stages = || [Stage::Form, Stage::Settings, Stage::Invalid, Stage::Unknown];
    let full = stages().map(|stage| sample(stage, true));
    let bare = stages().map(|stage| sample(stage, false));
    full.into_iter().chain(bare).collect()
}
