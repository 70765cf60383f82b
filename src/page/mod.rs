//! The page for mailbox owners at `/`: type the address, see what to do on each device.
//!
//! One template in HTML, `template.html`, which an admin may replace; what is filled in is escaped
//! there, whoever wrote it. No script is needed, nothing is loaded from anywhere, and the policy
//! (Content Security Policy Level 3) lets nothing else in. The page asks for no password and says
//! nothing of mailboxes: every address of a domain gets the same answer.

pub mod contrast;
mod csp;
mod logo;
mod qr;
mod theme;
mod translations;

pub use logo::data_uri;

use crate::account::{self, Account, Auth, AuthList, Page, Security, ServiceKind};
use crate::address::{EmailAddress, is_around};
use crate::language::Languages;
use crate::log;
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::{Request, decode};
use crate::response::{Response, Status};
use crate::visible::replaced;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
pub use theme::TemplateError;
use theme::{Theme, Value};
use translations::{LANGUAGES, Language};

/// The query parameter with the address, and the field of the form.
const PARAMETER: &str = "emailaddress";

/// What stays as it is in a query.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The page: of the address's domain, else in the name of the Host's.
static PAGE: Document =
    Document { decided_by: DecidedBy::AddressElseHost, signed: false, write, unknown };

/// Reads the question. What is no address is told on the page itself.
pub fn read(request: &Request) -> Result<Question, Response> {
    let address = match Typed::read(request) {
        Typed::Address(address) => Some(address),
        Typed::Nothing | Typed::NoAddress(_) => None,
    };
    Ok(Question { document: &PAGE, address, host: request.host.clone() })
}

/// What was typed into the form.
enum Typed {
    Nothing,
    Address(EmailAddress),
    NoAddress(String),
}

impl Typed {
    fn read(request: &Request) -> Typed {
        let value = form_value(request.encoded_parameter(PARAMETER).unwrap_or_default());
        if value.is_empty() {
            return Typed::Nothing;
        }
        EmailAddress::parse(value.as_bytes())
            .map_or_else(|_| Typed::NoAddress(value), Typed::Address)
    }
}

/// The address in a value of the form, without the blanks around it; what is not UTF-8 is replaced.
///
/// Browsers send a blank as `+` and a plus as `%2B` (URL Standard, urlencoded serializing); phones
/// add blanks. But in a link that was written by hand, `ann+tag@example.org` means the plus. So a
/// `+` is a plus where a blank could not stand in an address: within a local part that is not
/// quoted. At either end, beside the `@` and behind it, it is a blank.
fn form_value(encoded: &[u8]) -> String {
    let pieces: Vec<_> =
        encoded.split(|&b| b == b'+').map(|piece| decode(piece).into_owned()).collect();
    let pieces: Vec<_> = pieces.iter().map(|piece| String::from_utf8_lossy(piece)).collect();
    let first = |piece: &Cow<'_, str>| piece.trim_start_matches(is_around).chars().next();
    let is_quoted = pieces.iter().find_map(first) == Some('"');
    let is_blank = |text: &str| text.chars().all(is_around);
    let mut value = String::with_capacity(encoded.len());
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            let rest = &pieces[at..];
            let is_plus = !is_quoted
                && !is_blank(&value)
                && !value.contains('@')
                && !rest[0].starts_with('@')
                && !rest.iter().all(|piece| is_blank(piece));
            value.push(if is_plus { '+' } else { ' ' });
        }
        value.push_str(piece);
    }
    value.trim_matches(is_around).to_owned()
}

fn write(account: &Account, request: &Request) -> Written {
    Written::ForRequest(answer(account, request))
}

fn answer(account: &Account, request: &Request) -> Response {
    if !account.page.enabled {
        return nothing_here();
    }
    let mut content = Content::new(Some(account), request);
    match Typed::read(request) {
        Typed::Nothing => {}
        Typed::NoAddress(typed) => content.refuse(&typed),
        // Only the Host's domain is ours.
        Typed::Address(address) if *address.domain() != account.domain => content.miss(&address),
        Typed::Address(address) => content.settle(account, &address),
    }
    respond(content, &account.page)
}

/// The answer where no domain is ours: nobody's name is on it.
fn unknown(request: &Request) -> Response {
    let mut content = Content::new(None, request);
    match Typed::read(request) {
        Typed::Address(address) => content.miss(&address),
        // Asked by an address or by `localhost`, which are in nobody's name: somebody tries it out.
        Typed::Nothing if request.host.is_none() => {}
        Typed::NoAddress(typed) if request.host.is_none() => content.refuse(&typed),
        Typed::Nothing | Typed::NoAddress(_) => return nothing_here(),
    }
    respond(content, &Page::default())
}

fn nothing_here() -> Response {
    Response::text(Status::NotFound, "nothing here")
}

fn respond(mut content: Content, page: &Page) -> Response {
    let template = page.template.as_deref();
    let look = Theme::of(template, page.color);
    let (html, look) = match look.and_then(|look| Ok((look.page(&mut content)?, look))) {
        Ok(page) => page,
        Err(error) => {
            if theme::is_first_failure(template) {
                let name = content.provider.map_or("", |provider| provider.name);
                log::error(&format!(
                    "the page of \"{name}\" cannot be written: page.template: {error}"
                ));
            }
            return Response::text(Status::InternalServerError, "cannot write the page");
        }
    };
    let response = Response {
        status: match content.stage {
            Stage::Form | Stage::Settings => Status::Ok,
            Stage::Invalid => Status::BadRequest,
            Stage::Unknown => Status::NotFound,
        },
        ..Response::document("text/html; charset=utf-8", html.into_bytes())
    };
    response
        .with("Content-Security-Policy", look.policy.clone())
        .with("Referrer-Policy", "no-referrer")
        .with("X-Content-Type-Options", "nosniff")
        .with("Vary", "Accept-Language")
}

//------------ Content --------------------------------------------------------

/// What the template fills in.
#[derive(Serialize)]
struct Content<'a> {
    stage: Stage,
    lang: &'a str,
    dir: &'a str,
    t: &'a Language,
    typed: String,
    address: String,
    provider: Option<Provider<'a>>,
    logo: Option<&'a str>,
    profile: String,
    code: Option<Value>,
    servers: Vec<ServerRow<'a>>,
    services: Vec<ServiceRow<'a>>,
    /// Filled in by the look, as is the next.
    style: Value,
    script: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Form,
    Settings,
    Invalid,
    Unknown,
}

#[derive(Serialize)]
struct Provider<'a> {
    name: &'a str,
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
    /// The empty form, in the name of whoever has the account.
    fn new(account: Option<&'a Account>, request: &Request) -> Content<'a> {
        let languages = Languages::parse(request.wishes.languages);
        let t = spoken(&languages);
        let provider = account.map(|account| &account.provider);
        Content {
            stage: Stage::Form,
            lang: t.tag,
            dir: t.direction,
            t,
            typed: String::new(),
            address: String::new(),
            provider: provider.map(|provider| Provider {
                name: &provider.name,
                homepage: provider.homepage.as_deref(),
                support: provider.support.as_deref(),
                webmail: provider.webmail.as_deref(),
                documentation: provider
                    .documentation
                    .iter()
                    .filter_map(|page| {
                        Some(Documentation {
                            url: &page.url,
                            title: languages.choose(&page.title)?,
                        })
                    })
                    .collect(),
            }),
            logo: account.and_then(|account| account.page.logo.as_deref()),
            profile: String::new(),
            code: None,
            servers: Vec::new(),
            services: Vec::new(),
            style: Value::UNDEFINED,
            script: Value::UNDEFINED,
        }
    }

    fn refuse(&mut self, typed: &str) {
        self.stage = Stage::Invalid;
        self.typed = replaced(typed);
    }

    fn miss(&mut self, address: &EmailAddress) {
        self.stage = Stage::Unknown;
        self.typed = address.for_people();
    }

    fn settle(&mut self, account: &'a Account, address: &EmailAddress) {
        self.stage = Stage::Settings;
        self.typed = address.for_people();
        self.address = address.for_people();
        if account.takes_passwords() {
            self.profile = profile(address);
            let profile = format!("https://{}/{}", host(account), self.profile);
            self.code = qr::svg(&profile, self.t.code_label).map(Value::from_safe_string);
        }
        // Who sets up by hand needs one server to read from and the one to send through.
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
                host: &server.host,
                port: server.port.get(),
                security: security(server.security),
                auth: auth(server.auth),
                user: server.login.of(address),
            })
            .collect();
        let kinds = [ServiceKind::CalDav, ServiceKind::CardDav, ServiceKind::WebDav];
        self.services = kinds
            .into_iter()
            .filter_map(|kind| account.service(kind))
            .map(|service| ServiceRow {
                kind: service.kind.to_string(),
                url: &service.url,
                user: service.login.of(address),
            })
            .collect();
    }
}

/// The language to speak.
fn spoken(languages: &Languages) -> &'static Language {
    let known: BTreeMap<_, _> =
        LANGUAGES.iter().map(|language| (language.tag.to_owned(), language)).collect();
    languages.choose(&known).copied().unwrap_or(&LANGUAGES[0])
}

/// The profile, as seen from this page.
fn profile(address: &EmailAddress) -> String {
    let address = address.to_string();
    format!("mobileconfig?{PARAMETER}={}", utf8_percent_encode(&address, PLAIN))
}

/// The host that a phone should ask: the one that was asked if it is ours, since that one works.
fn host(account: &Account) -> Cow<'_, str> {
    match &account.host {
        Some(host) => Cow::Borrowed(host.as_str()),
        None => Cow::Owned(format!("autoconfig.{}", account.domain)),
    }
}

fn security(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::Plain => "none",
    }
}

/// A password if one will do: few programs get a token by themselves.
fn auth(auth: AuthList) -> String {
    auth.without_token().unwrap_or(Auth::OAuth2).to_string()
}

//------------ templates ------------------------------------------------------

/// Tries a template with every kind of page, since some mistakes show only when it is filled in.
pub fn check_template(template: &str) -> Result<(), TemplateError> {
    let look = Theme::new(Some(template), None)?;
    samples().iter_mut().try_for_each(|content| look.page(content).map(drop))
}

/// One page of every stage: with all there can be, and with nothing that can be left out.
fn samples() -> Vec<Content<'static>> {
    let sample = |stage, is_full: bool| {
        let link = is_full.then_some("https://www.example.org/");
        let user = || "ann@example.org".to_owned();
        let t = &LANGUAGES[0];
        Content {
            stage,
            lang: t.tag,
            dir: t.direction,
            t,
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
            profile: match is_full {
                true => format!("mobileconfig?{PARAMETER}=ann@example.org"),
                false => String::new(),
            },
            code: is_full.then(|| Value::from_safe_string(String::new())),
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
