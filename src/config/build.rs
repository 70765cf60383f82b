//! Makes [`Settings`] of tables: values are parsed, and unset keys have their defaults.
//!
//! The tables of a domain are already merged with those of the base. A table that the domain does
//! not name is missing; the settings of the base are then shared.

use super::checker::Checker;
use super::file::{self, Rare, Spanned, Tables};
use super::settings::{
    Alternative, Apple, Documentation, OAuth2, Redirect, ServerSettings, ServiceSettings, Settings,
};
use super::template::Template;
use super::{defaults, merge, values};
use crate::account::{Auth, AuthList, Page, Pop3Options, Protocol, Security, ServiceKind};
use crate::files::Kind;
use crate::finding::{Finding, Place};
use crate::login::source::{Kind as SourceKind, Protocol as SourceProtocol, Server, Source};
use crate::order;
use crate::ports;
use std::fmt::{self, Display};
use std::ops::Range;
use std::sync::Arc;

/// The settings of the tables, merged over those of the base.
pub(super) fn settings(
    tables: &Tables,
    base: Option<&Settings>,
    checker: &mut Checker,
) -> Settings {
    let servers = [
        (Protocol::Imap, &tables.imap),
        (Protocol::Pop3, &tables.pop3),
        (Protocol::Smtp, &tables.smtp),
        (Protocol::ManageSieve, &tables.managesieve),
    ];
    let services = [
        (ServiceKind::Jmap, &tables.jmap),
        (ServiceKind::CalDav, &tables.caldav),
        (ServiceKind::CardDav, &tables.carddav),
        (ServiceKind::WebDav, &tables.webdav),
        (ServiceKind::ActiveSync, &tables.activesync),
    ];
    let settings = Settings {
        provider: part(&tables.provider, base.map(|base| &base.provider), |said, base| {
            provider(said, base, checker)
        }),
        apple: part(&tables.apple, base.map(|base| &base.apple), |said, _| apple(said, checker)),
        servers: servers.map(|(protocol, said)| {
            let base = base.and_then(|base| base.servers.iter().find(|it| it.protocol == protocol));
            part(said, base, |said, base| server(protocol, said, base, checker))
        }),
        pop3: match (&tables.pop3, base) {
            (Some(said), _) => pop3_options(said, checker),
            (None, base) => base.map(|base| base.pop3).unwrap_or_default(),
        },
        services: services.map(|(kind, said)| {
            let base = base.and_then(|base| base.services.iter().find(|it| it.kind == kind));
            part(said, base, |said, _| service(kind, said, checker))
        }),
        oauth2: match &tables.oauth2 {
            Some(said) => oauth2(said, checker).map(Arc::new),
            None => base.and_then(|base| base.oauth2.clone()),
        },
        pacc: match &tables.pacc {
            Some(said) => said.enabled.unwrap_or(defaults::PACC),
            None => base.map_or(defaults::PACC, |base| base.pacc),
        },
        moved: tables.autodiscover.as_ref().and_then(|said| moved(said, checker)),
        dav_in_autodiscover: match &tables.autodiscover {
            Some(said) => said.dav.unwrap_or(false),
            None => base.is_some_and(|base| base.dav_in_autodiscover),
        },
        page: part(&tables.page, base.map(|base| &base.page), |said, base| {
            self::page(said, base, checker)
        }),
        login: login(&tables.login, base.and_then(|base| base.login.as_ref()), checker),
    };
    check_incoming(tables, &settings, checker);
    settings
}

/// A part of the settings: that of the base, unless the table is present.
fn part<Said: Default, T>(
    said: &Rare<Said>,
    base: Option<&Arc<T>>,
    build: impl FnOnce(&Said, Option<&T>) -> T,
) -> Arc<T> {
    match (said, base) {
        (None, Some(base)) => base.clone(),
        (None, None) => Arc::new(build(&Said::default(), None)),
        (Some(said), base) => Arc::new(build(said, base.map(|base| &**base))),
    }
}

/// An account needs a server to read mail from.
fn check_incoming(tables: &Tables, settings: &Settings, checker: &mut Checker) {
    let mut servers = settings.servers.iter();
    if servers.any(|server| server.protocol.is_incoming() && server.enabled) {
        return;
    }
    let said = [&tables.pop3, &tables.imap].into_iter().flatten();
    let span = said.filter_map(|server| server.enabled.as_ref()?.span()).max_by_key(|it| it.start);
    let message = "imap and pop3 are both disabled; at least one of them must be enabled";
    checker.mistake("no-incoming-server", span, message.to_owned());
}

/// A key of a table; formatted only if a finding names it.
struct Key<T>(T, &'static str);

impl<T: Display> Display for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Parses the value of a key, if it is set.
fn parsed<V, T>(
    code: &'static str,
    key: impl Display,
    said: &Option<Spanned<V>>,
    parse: impl FnOnce(&V) -> Result<T, String>,
    checker: &mut Checker,
) -> Option<T> {
    let said = said.as_ref()?;
    match parse(said.get_ref()) {
        Ok(value) => Some(value),
        Err(message) => {
            checker.mistake(code, said.span(), format!("{key}: {message}"));
            None
        }
    }
}

fn parsed_text<T>(
    code: &'static str,
    key: impl Display,
    said: &Option<Spanned<String>>,
    parse: impl FnOnce(&str) -> Result<T, String>,
    checker: &mut Checker,
) -> Option<T> {
    parsed(code, key, said, |text| parse(text), checker)
}

//------------ Provider -------------------------------------------------------

fn provider(
    said: &file::Provider,
    base: Option<&super::settings::Provider>,
    checker: &mut Checker,
) -> super::settings::Provider {
    let own = |said: &Option<Spanned<String>>| {
        said.clone().filter(|name| base.is_none() || !name.is_inherited())
    };
    let name = parsed_text("text", "provider.name", &own(&said.name), values::line, checker);
    let short = own(&said.short_name);
    let short_name = parsed_text("text", "provider.short_name", &short, values::line, checker);
    let base = base.map(|base| (base.name.as_str(), base.short_name.as_str()));
    let (name, short_name) = merge::names(name, short_name, base);
    let mut url = |key, said| parsed_text("url", key, said, values::url, checker);
    super::settings::Provider {
        name,
        short_name,
        homepage: url("provider.homepage", &said.homepage),
        support: url("provider.support", &said.support),
        webmail: url("provider.webmail", &said.webmail),
        documentation: said
            .documentation
            .iter()
            .flatten()
            .filter_map(|page| documentation(page, checker))
            .collect(),
    }
}

fn documentation(
    said: &Spanned<file::Documentation>,
    checker: &mut Checker,
) -> Option<Documentation> {
    let file::Documentation { url, title } = said.get_ref();
    if url.is_none() || title.is_none() {
        let message = "provider.documentation: url and title are both required".to_owned();
        checker.mistake("documentation-incomplete", said.span(), message);
    }
    let url = parsed_text("url", "provider.documentation.url", url, values::url, checker);
    let title = parsed("texts", "provider.documentation.title", title, values::texts, checker);
    Some(Documentation { url: url?, title: title? })
}

fn apple(said: &file::Apple, checker: &mut Checker) -> Apple {
    let mut texts =
        |key, said| parsed("texts", key, said, values::texts, checker).unwrap_or_default();
    Apple {
        description: texts("apple.description", &said.description),
        consent: texts("apple.consent", &said.consent),
        identifier: parsed_text(
            "identifier",
            "apple.identifier",
            &said.identifier,
            values::identifier,
            checker,
        ),
    }
}

//------------ Servers --------------------------------------------------------

fn server(
    protocol: Protocol,
    said: &file::ServerTable,
    base: Option<&ServerSettings>,
    checker: &mut Checker,
) -> ServerSettings {
    let key = |name| Key(protocol, name);
    let enabled = said.enabled.as_ref();
    if let (Protocol::Smtp, Some(enabled)) = (protocol, enabled.filter(|on| !*on.get_ref())) {
        let message =
            "smtp cannot be disabled: mail clients refuse an account that cannot send mail"
                .to_owned();
        checker.mistake("smtp-disabled", enabled.span(), message);
    }
    if protocol != Protocol::Pop3 {
        only_for_pop3(protocol, said, checker);
    }
    let own_port = said.port.clone().filter(|port| base.is_none() || !port.is_inherited());
    let port = parsed("port-range", key("port"), &own_port, |port| values::port(*port), checker);
    let own = said.security.as_ref().filter(|word| base.is_none() || !word.is_inherited());
    let base_door = base.map(|base| (base.port, base.security));
    let (port, security) = merge::endpoint(protocol, port, own.map(protection), base_door);
    let alternatives = match (&said.alternatives, base) {
        (None, _) => Vec::new(),
        // Omitted keys have the values of the base.
        (Some(said), Some(base)) if said.is_inherited() => base.alternatives.clone(),
        (Some(said), _) => {
            let said = said.get_ref().iter();
            said.map(|said| alternative(protocol, said, security, checker)).collect()
        }
    };
    ServerSettings {
        protocol,
        enabled: enabled.map_or(defaults::enabled(protocol), |enabled| *enabled.get_ref()),
        host: parsed_text("host-name", key("host"), &said.host, values::host, checker)
            .unwrap_or_else(|| Template::Open(defaults::HOST.to_owned())),
        port,
        security,
        auth: parsed("auth", key("auth"), &said.auth, |said| auth(protocol, said), checker)
            .unwrap_or(defaults::AUTH),
        username: parsed_text(
            "username",
            key("username"),
            &said.username,
            values::username,
            checker,
        )
        .unwrap_or_else(|| defaults::USERNAME.to_owned()),
        alternatives,
    }
}

fn alternative(
    protocol: Protocol,
    said: &file::Alternative,
    security: Security,
    checker: &mut Checker,
) -> Alternative {
    let key = |name| Key(protocol, name);
    let port = parsed(
        "port-range",
        key("alternatives.port"),
        &said.port,
        |port| values::port(*port),
        checker,
    );
    let word = said.security.as_ref().map(protection);
    // Without `security` and without a registered port, it has the security of the server.
    let registered = ports::usual(protocol, security);
    let (port, security) = merge::endpoint(protocol, port, word, Some((registered, security)));
    let host =
        parsed_text("host-name", key("alternatives.host"), &said.host, values::host, checker);
    Alternative { host, port, security }
}

fn protection(said: &Spanned<file::Security>) -> Security {
    match said.get_ref() {
        file::Security::Tls => Security::Tls,
        file::Security::StartTls => Security::StartTls,
        file::Security::None => Security::Plain,
    }
}

fn auth(protocol: Protocol, said: &file::OneOrMore<file::Auth>) -> Result<AuthList, String> {
    let methods: Vec<_> = said
        .0
        .iter()
        .map(|auth| match auth {
            file::Auth::Password => Auth::Password,
            file::Auth::CramMd5 => Auth::CramMd5,
            file::Auth::Ntlm => Auth::Ntlm,
            file::Auth::OAuth2 => Auth::OAuth2,
            file::Auth::None => Auth::None,
        })
        .collect();
    if methods.contains(&Auth::None) && protocol != Protocol::Smtp {
        return Err("\"none\" is for smtp only; mail is not read without a login".to_owned());
    }
    if methods.contains(&Auth::None) && methods.len() > 1 {
        return Err("\"none\" cannot be combined with other methods".to_owned());
    }
    AuthList::new(&methods)
        .ok_or_else(|| "expected one or more methods, each of them once".to_owned())
}

fn only_for_pop3(protocol: Protocol, said: &file::ServerTable, checker: &mut Checker) {
    let span = |flag: &Option<Spanned<bool>>| flag.as_ref().and_then(Spanned::span);
    for (key, span) in [
        ("leave_on_server", span(&said.leave_on_server)),
        ("days_on_server", said.days_on_server.as_ref().and_then(Spanned::span)),
        ("fetch_at_once", span(&said.fetch_at_once)),
    ] {
        if span.is_some() {
            checker.mistake(
                "pop3-only",
                span,
                format!("{protocol}.{key}: this key is for pop3 only"),
            );
        }
    }
}

fn pop3_options(said: &file::ServerTable, checker: &mut Checker) -> Pop3Options {
    let flag = |said: &Option<Spanned<bool>>| said.as_ref().map(|flag| *flag.get_ref());
    let days = |days: &i64| values::days(*days);
    Pop3Options {
        leave_on_server: flag(&said.leave_on_server),
        days_on_server: parsed(
            "days-range",
            "pop3.days_on_server",
            &said.days_on_server,
            days,
            checker,
        ),
        fetch_at_once: flag(&said.fetch_at_once),
    }
}

//------------ Services -------------------------------------------------------

fn service(kind: ServiceKind, said: &file::ServiceTable, checker: &mut Checker) -> ServiceSettings {
    let key = |name| Key(kind, name);
    ServiceSettings {
        kind,
        enabled: said.enabled.unwrap_or(true),
        url: parsed_text("url", key("url"), &said.url, values::url, checker),
        username: parsed_text(
            "username",
            key("username"),
            &said.username,
            values::username,
            checker,
        )
        .unwrap_or_else(|| defaults::USERNAME.to_owned()),
    }
}

fn oauth2(said: &file::OAuth2, checker: &mut Checker) -> Option<OAuth2> {
    let all = [
        &said.issuer,
        &said.scope,
        &said.authorization_url,
        &said.token_url,
        &said.client_id,
        &said.client_secret,
    ];
    let needed = &all[..5];
    if needed.iter().any(|key| key.is_none()) {
        let span = all.into_iter().flatten().find_map(Spanned::span);
        let message =
            "oauth2: issuer, scope, authorization_url, token_url and client_id are required";
        checker.mistake("oauth2-incomplete", span, message.to_owned());
    }
    let mut line = |key, said| parsed_text("text", key, said, values::line, checker);
    let issuer = line("oauth2.issuer", &said.issuer);
    let scope = line("oauth2.scope", &said.scope);
    let client_id = line("oauth2.client_id", &said.client_id);
    let client_secret = line("oauth2.client_secret", &said.client_secret);
    let mut url = |key, said| parsed_text("url", key, said, values::url, checker);
    let authorization_url = url("oauth2.authorization_url", &said.authorization_url);
    let token_url = url("oauth2.token_url", &said.token_url);
    Some(OAuth2 {
        issuer: issuer?,
        scope: scope?,
        authorization_url: authorization_url?,
        token_url: token_url?,
        client_id: client_id?,
        client_secret,
    })
}

fn moved(said: &file::Autodiscover, checker: &mut Checker) -> Option<Redirect> {
    if let (Some(address), Some(_)) = (&said.redirect_address, &said.redirect_url) {
        let message =
            "only one of autodiscover.redirect_address and redirect_url can be set".to_owned();
        checker.mistake("redirect-twice", address.span(), message);
        return None;
    }
    let url =
        parsed_text("url", "autodiscover.redirect_url", &said.redirect_url, values::url, checker);
    let address = parsed_text(
        "redirect-address",
        "autodiscover.redirect_address",
        &said.redirect_address,
        values::redirect_address,
        checker,
    );
    url.map(Redirect::Url).or(address.map(Redirect::Address))
}

//------------ Logins ---------------------------------------------------------

/// The source of logins: that of the domain, else that of the base, with the domain's other keys.
fn login(
    said: &Rare<file::Login>,
    base: Option<&Arc<Source>>,
    checker: &mut Checker,
) -> Option<Arc<Source>> {
    let Some(said) = said else { return base.cloned() };
    let own = |key: Option<Range<usize>>| key.filter(|_| checker.is_domain_file());
    let keys = [&said.map, &said.socketmap, &said.userdb];
    let spans = keys.into_iter().flatten().map(Spanned::span);
    let timeout = said.timeout_ms.as_ref().map(Spanned::span);
    if let Some(span) = spans.chain(timeout).flatten().find_map(|span| own(Some(span))) {
        let message = "the file of a domain can only set login.enabled: the user who writes it may \
                       not choose what is read";
        checker.mistake("login-place", Some(span), message);
        return None;
    }
    let timeout = |ms: &i64| values::timeout_ms(*ms);
    let timeout = parsed("limit-range", "login.timeout_ms", &said.timeout_ms, timeout, checker);
    Some(Arc::new(Source {
        kind: kind(said, base, checker)?,
        timeout: timeout.unwrap_or(defaults::LOGIN_TIMEOUT),
        enabled: said.enabled.unwrap_or(true),
    }))
}

/// The kind and the place of a source.
fn kind(
    said: &file::Login,
    base: Option<&Arc<Source>>,
    checker: &mut Checker,
) -> Option<SourceKind> {
    // Relative paths of the base begin at the base's own file, and its map was read already.
    let is_own = |path: &&Spanned<String>| base.is_none() || !path.is_inherited();
    let keys = [&said.map, &said.socketmap, &said.userdb];
    let own = keys.map(|key| key.as_ref().filter(is_own));
    let mut spans: Vec<_> = own.iter().flatten().map(|path| path.span()).collect();
    order::sort_by_key(&mut spans, |span| span.as_ref().map(|span| span.start));
    if let [_, .., last] = &spans[..] {
        let message = "only one of login.map, login.socketmap and login.userdb can be set";
        checker.mistake("login-twice", last.clone(), message);
        return None;
    }
    match own {
        [Some(path), ..] => {
            let (file, map) = checker.map("login.map", path)?;
            Some(SourceKind::Map(file, map))
        }
        [_, Some(text), _] => {
            let key = "login.socketmap";
            let parsed = parsed_text("socket", key, &said.socketmap, values::socketmap, checker);
            let (path, name) = parsed?;
            let socket = checker.socket(key, &path, text.span())?;
            Some(SourceKind::Server(Server {
                socket,
                protocol: SourceProtocol::Socketmap(name.into()),
            }))
        }
        [.., Some(path)] => {
            let socket = checker.socket("login.userdb", path.get_ref(), path.span())?;
            Some(SourceKind::Server(Server { socket, protocol: SourceProtocol::Userdb }))
        }
        [None, None, None] => base.map(|base| base.kind.clone()),
    }
}

//------------ Page -----------------------------------------------------------

fn page(said: &file::Page, base: Option<&Page>, checker: &mut Checker) -> Page {
    let own = |path: &Option<Spanned<String>>| match (path, base) {
        (Some(path), Some(_)) if path.is_inherited() => None,
        _ => path.clone(),
    };
    let template = own(&said.template).and_then(|path| template(&path, checker));
    let logo = own(&said.logo).and_then(|path| logo(&path, checker));
    Page {
        enabled: said.enabled.unwrap_or(true),
        // The files of the base were read already, relative to the base's own file.
        template: template.or_else(|| base.and_then(|base| base.template.clone())),
        logo: logo.or_else(|| base.and_then(|base| base.logo.clone())),
        color: parsed_text("color", "page.color", &said.color, values::color, checker),
        note: parsed("texts", "page.note", &said.note, values::note, checker).unwrap_or_default(),
        email: parsed_text("email", "page.email", &said.email, values::email, checker),
        phone: parsed_text("phone", "page.phone", &said.phone, values::phone, checker),
    }
}

fn template(path: &Spanned<String>, checker: &mut Checker) -> Option<String> {
    let (file, bytes) = checker.file("page.template", path, Kind::Template)?;
    let Ok(template) = String::from_utf8(bytes) else {
        let message = format!("page.template: {} is not UTF-8", file.display());
        checker.mistake("template", path.span(), message);
        return None;
    };
    match (checker.checks.template)(&template) {
        Ok(()) => Some(template),
        Err((line, message)) => {
            let position = line.map(|line| (line, 1));
            let place = Place { position, ..Place::file(file) };
            let message = format!("page.template: {message}");
            checker.report.findings.push(Finding::error("template", Some(place), message));
            None
        }
    }
}

fn logo(path: &Spanned<String>, checker: &mut Checker) -> Option<String> {
    let (file, picture) = checker.file("page.logo", path, Kind::Logo)?;
    match (checker.checks.logo)(&picture) {
        Ok(uri) => Some(uri),
        Err(complaint) => {
            let message = format!("page.logo: {} {complaint}", file.display());
            checker.mistake("logo", path.span(), message);
            None
        }
    }
}
