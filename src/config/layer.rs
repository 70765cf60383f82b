//! What one place of the file says, at its top or for one domain, on top of a base.
//!
//! Every value is checked here; what is said nowhere comes from the base, else from `defaults`.

use super::check::Checker;
use super::settings::{Alternative, ServerSettings, ServiceSettings, Settings, replace};
use super::{defaults, file};
use crate::account::{
    Auth, Color, Documentation, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Localised, Login, Moved, OAuth2,
    Page, Pop3Options, Protocol, Provider, Security, ServiceKind,
};
use crate::address::{EmailAddress, host_name, is_text};
use crate::files::Kind;
use crate::finding::{Finding, Place};
use crate::page;
use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use toml::Spanned;

/// What the file says at one place.
pub(super) struct Layer<'a> {
    pub provider: Option<&'a file::Provider>,
    pub servers: [(Protocol, Option<&'a file::Server>); 4],
    pub services: [(ServiceKind, Option<&'a file::Service>); 5],
    pub oauth2: Option<&'a file::OAuth2>,
    pub pacc: Option<&'a file::Pacc>,
    pub dav_in_autodiscover: Option<bool>,
    pub redirect: Option<&'a file::DomainAutodiscover>,
    pub identifier: Option<&'a Spanned<String>>,
    pub description: Option<&'a Spanned<BTreeMap<String, String>>>,
    pub consent: Option<&'a Spanned<BTreeMap<String, String>>>,
    pub page: Option<&'a file::Page>,
}

/// The tables that a file and a domain have in common; `get` finds one if it was written.
macro_rules! layer {
    ($tables:expr, $get:ident, $redirect:expr) => {{
        let (autodiscover, apple) = ($get(&$tables.autodiscover), $get(&$tables.apple));
        Layer {
            provider: $get(&$tables.provider),
            servers: [
                (Protocol::Imap, $get(&$tables.imap)),
                (Protocol::Pop3, $get(&$tables.pop3)),
                (Protocol::Smtp, $get(&$tables.smtp)),
                (Protocol::ManageSieve, $get(&$tables.managesieve)),
            ],
            services: [
                (ServiceKind::Jmap, $get(&$tables.jmap)),
                (ServiceKind::CalDav, $get(&$tables.caldav)),
                (ServiceKind::CardDav, $get(&$tables.carddav)),
                (ServiceKind::WebDav, $get(&$tables.webdav)),
                (ServiceKind::ActiveSync, $get(&$tables.activesync)),
            ],
            oauth2: $get(&$tables.oauth2),
            pacc: $get(&$tables.pacc),
            dav_in_autodiscover: autodiscover.and_then(|said| said.dav),
            redirect: $redirect,
            identifier: apple.and_then(|said| said.identifier.as_ref()),
            description: apple.and_then(|said| said.description.as_ref()),
            consent: apple.and_then(|said| said.consent.as_ref()),
            page: $get(&$tables.page),
        }
    }};
}

impl<'a> From<&'a file::File> for Layer<'a> {
    fn from(tables: &'a file::File) -> Layer<'a> {
        fn get<T>(table: &T) -> Option<&T> {
            Some(table)
        }
        layer!(tables, get, None)
    }
}

impl<'a> From<&'a file::Domain> for Layer<'a> {
    fn from(tables: &'a file::Domain) -> Layer<'a> {
        fn get<T>(table: &file::Rare<T>) -> Option<&T> {
            table.as_deref()
        }
        layer!(tables, get, get(&tables.autodiscover))
    }
}

/// A table, if there is anything in it.
fn filled<T: Default + PartialEq>(table: Option<&T>) -> Option<&T> {
    table.filter(|table| **table != T::default())
}

impl Layer<'_> {
    /// True if nothing is said.
    pub fn is_empty(&self) -> bool {
        self.says_nothing_of_the_provider()
            && self.servers.iter().all(|(_, server)| filled(*server).is_none())
            && self.services.iter().all(|(_, service)| filled(*service).is_none())
            && filled(self.oauth2).is_none()
            && filled(self.pacc).is_none()
            && self.dav_in_autodiscover.is_none()
            && filled(self.redirect).is_none()
            && filled(self.page).is_none()
    }

    fn says_nothing_of_the_provider(&self) -> bool {
        filled(self.provider).is_none()
            && self.identifier.is_none()
            && self.description.is_none()
            && self.consent.is_none()
    }
}

impl Checker<'_> {
    /// What a layer says, and for the rest what `base` or the defaults say.
    pub(super) fn settings(&mut self, layer: &Layer, base: Option<&Settings>) -> Settings {
        let servers = layer.servers.map(|(protocol, server)| {
            let base = base
                .and_then(|base| base.servers.iter().find(|server| server.protocol == protocol));
            match (filled(server), base) {
                (None, Some(base)) => base.clone(),
                (server, base) => {
                    let nothing = file::Server::default();
                    let server = server.unwrap_or(&nothing);
                    Arc::new(self.server(protocol, server, base.map(|base| &**base)))
                }
            }
        });
        let said = layer.servers.iter().filter(|(protocol, _)| protocol.is_incoming());
        let said = said.filter_map(|(_, server)| server.as_ref()?.enabled.as_ref()).next_back();
        let reads_mail =
            servers.iter().any(|server| server.protocol.is_incoming() && server.enabled);
        if let (Some(enabled), false) = (said, reads_mail) {
            let message = "imap and pop3 are both switched off: an account needs one of them";
            self.mistake("no-incoming-server", Some(enabled.span()), message.to_owned());
        }
        let services = layer.services.map(|(kind, service)| {
            let base =
                base.and_then(|base| base.services.iter().find(|service| service.kind == kind));
            match (filled(service), base) {
                (None, Some(base)) => base.clone(),
                (service, base) => {
                    let nothing = file::Service::default();
                    let service = service.unwrap_or(&nothing);
                    Arc::new(self.service(kind, service, base.map(|base| &**base)))
                }
            }
        });
        let base_provider = base.map(|base| &base.provider);
        let provider = match base_provider.filter(|_| layer.says_nothing_of_the_provider()) {
            Some(base) => base.clone(),
            None => Arc::new(self.provider(layer, base_provider.map(|base| &**base))),
        };
        let page = match (filled(layer.page), base) {
            (None, Some(base)) => base.page.clone(),
            (None, None) => Arc::default(),
            (Some(page), base) => Arc::new(self.page(page, base.map(|base| &*base.page))),
        };
        let pop3 = layer.servers.iter().find(|(protocol, _)| *protocol == Protocol::Pop3);
        let pop3 = pop3.and_then(|(_, server)| *server);
        let base_pop3 = base.map(|base| base.pop3).unwrap_or_default();
        Settings {
            provider,
            servers,
            pop3: pop3.map_or(base_pop3, |pop3| self.pop3_options(pop3, base_pop3)),
            services,
            oauth2: layer
                .oauth2
                .and_then(|said| self.oauth2(said))
                .or_else(|| base.and_then(|base| base.oauth2.clone())),
            pacc: layer
                .pacc
                .and_then(|said| said.enabled)
                .or(base.map(|base| base.pacc))
                .unwrap_or(defaults::PACC),
            moved: layer.redirect.and_then(|said| self.moved(said)),
            dav_in_autodiscover: layer
                .dav_in_autodiscover
                .or(base.map(|base| base.dav_in_autodiscover))
                .unwrap_or(false),
            page,
        }
    }

    fn provider(&mut self, layer: &Layer, base: Option<&Provider>) -> Provider {
        let nothing = file::Provider::default();
        let said = layer.provider.unwrap_or(&nothing);
        let name = said.name.as_ref().and_then(|name| self.display_name(name));
        let short_name = said.short_name.as_ref().and_then(|name| self.display_name(name));
        let mut link =
            |key: &str, said: &Option<Spanned<String>>, base: Option<&Option<String>>| {
                said.as_ref().and_then(|url| self.url(key, url)).or_else(|| base.cloned().flatten())
            };
        let homepage = link("provider.homepage", &said.homepage, base.map(|base| &base.homepage));
        let support = link("provider.support", &said.support, base.map(|base| &base.support));
        let webmail = link("provider.webmail", &said.webmail, base.map(|base| &base.webmail));
        let documentation = said.documentation.as_ref().map(|pages| {
            let pages = pages.iter().filter_map(|page| {
                let url = self.url("provider.documentation.url", &page.url);
                let title = self.localised("provider.documentation.title", &page.title);
                Some(Documentation { url: url?, title: title? })
            });
            pages.collect()
        });
        let mut texts = |key, said: Option<&Spanned<BTreeMap<_, _>>>, base: Option<&Localised>| {
            said.and_then(|texts| self.localised(key, texts))
                .or_else(|| base.cloned())
                .unwrap_or_default()
        };
        let profile_description = texts(
            "apple.description",
            layer.description,
            base.map(|base| &base.profile_description),
        );
        let profile_consent =
            texts("apple.consent", layer.consent, base.map(|base| &base.profile_consent));
        let identifier = layer.identifier.and_then(|identifier| self.identifier(identifier));
        let default = || defaults::PROVIDER_NAME.to_owned();
        Provider {
            // A name of one's own is the short name too, unless there is one.
            short_name: short_name
                .or_else(|| name.clone())
                .or_else(|| base.map(|base| base.short_name.clone()))
                .unwrap_or_else(default),
            name: name.or_else(|| base.map(|base| base.name.clone())).unwrap_or_else(default),
            identifier: identifier
                .or_else(|| base.map(|base| base.identifier.clone()))
                .unwrap_or_default(),
            homepage,
            support,
            webmail,
            documentation: documentation
                .or_else(|| base.map(|base| base.documentation.clone()))
                .unwrap_or_default(),
            profile_description,
            profile_consent,
        }
    }

    fn server(
        &mut self,
        protocol: Protocol,
        server: &file::Server,
        base: Option<&ServerSettings>,
    ) -> ServerSettings {
        if let (Protocol::Smtp, Some(enabled)) =
            (protocol, server.enabled.as_ref().filter(|on| !*on.get_ref()))
        {
            let message = "smtp.enabled: clients refuse an account that cannot send".to_owned();
            self.mistake("smtp-disabled", Some(enabled.span()), message);
        }
        let auth = server.auth.as_ref().map(|auth| match auth.get_ref() {
            file::Auth::Password => Auth::Password,
            file::Auth::CramMd5 => Auth::CramMd5,
            file::Auth::Ntlm => Auth::Ntlm,
            file::Auth::None => Auth::None,
        });
        if auth == Some(Auth::None) && protocol != Protocol::Smtp {
            let message = format!(
                "{protocol}.auth: `none` is for smtp only; mail is not read without a login"
            );
            self.mistake("auth-none", server.auth.as_ref().map(Spanned::span), message);
        }
        let (said_port, said_security) =
            self.door(protocol, server.port.as_ref(), server.security.as_ref());
        let security = said_security
            .or(base.map(|base| base.security))
            .unwrap_or(defaults::security(protocol));
        let base_port = base.filter(|base| base.security == security).map(|base| base.port);
        let alternatives = server.alternatives.as_ref().map(|alternatives| {
            let alternatives = alternatives.iter().map(|said| {
                let (port, said_security) =
                    self.door(protocol, said.port.as_ref(), said.security.as_ref());
                let security = said_security.unwrap_or(security);
                Alternative {
                    host: said.host.as_ref().and_then(|host| self.host(protocol, host)),
                    port: port.unwrap_or(registered_port(protocol, security)),
                    security,
                }
            });
            alternatives.collect()
        });
        let host = server.host.as_ref().and_then(|host| self.host(protocol, host));
        let username = server
            .username
            .as_ref()
            .and_then(|username| self.username(&protocol.to_string(), username));
        let enabled = server.enabled.as_ref().map(|enabled| *enabled.get_ref());
        if protocol != Protocol::Pop3 {
            self.only_for_pop3(protocol, server);
        }
        // What is said here, else what the base says, else the default.
        ServerSettings {
            protocol,
            enabled: enabled
                .or(base.map(|base| base.enabled))
                .unwrap_or(defaults::enabled(protocol)),
            host: host.or(base.map(|base| base.host.clone())).unwrap_or(defaults::HOST.to_owned()),
            port: said_port.or(base_port).unwrap_or(registered_port(protocol, security)),
            security,
            auth: auth.or(base.map(|base| base.auth)).unwrap_or(defaults::AUTH),
            username: username
                .or(base.map(|base| base.username.clone()))
                .unwrap_or(defaults::USERNAME.to_owned()),
            alternatives: alternatives
                .or_else(|| base.map(|base| base.alternatives.clone()))
                .unwrap_or_default(),
        }
    }

    /// Port and protection, as far as they are said: a registered port says as much as the word would.
    fn door(
        &mut self,
        protocol: Protocol,
        port: Option<&Spanned<i64>>,
        security: Option<&Spanned<file::Security>>,
    ) -> (Option<NonZeroU16>, Option<Security>) {
        let port = port.and_then(|port| self.port(protocol, port));
        let security = security.map(|security| match security.get_ref() {
            file::Security::Tls => Security::Tls,
            file::Security::StartTls => Security::StartTls,
            file::Security::None => Security::Plain,
        });
        (port, security.or_else(|| port.and_then(|port| security_of_port(protocol, port))))
    }

    fn port(&mut self, protocol: Protocol, port: &Spanned<i64>) -> Option<NonZeroU16> {
        let number = u16::try_from(*port.get_ref()).ok().and_then(NonZeroU16::new);
        if number.is_none() {
            let message =
                format!("{protocol}.port: {} is no TCP port (1 to 65535)", port.get_ref());
            self.mistake("port-range", Some(port.span()), message);
        }
        number
    }

    fn host(&mut self, protocol: Protocol, host: &Spanned<String>) -> Option<String> {
        // The placeholder is checked, and spelt, like any domain.
        const STAND_IN: &str = "stand-in-for-the-domain.invalid";
        let text = replace(host.get_ref(), defaults::EMAIL_DOMAIN, STAND_IN);
        // Clients want A-labels (seen: Thunderbird takes no U-labels); one label is a host too.
        if let Some(name) = host_name(&text) {
            // Only where there was a placeholder.
            return Some(match text == *host.get_ref() {
                true => name,
                false => name.replace(STAND_IN, defaults::EMAIL_DOMAIN),
            });
        }
        let message = format!(
            "{protocol}.host: `{}` is not a host name; write a name like \"mail.example.org\", \
             or \"mail.%EMAILDOMAIN%\" for one of each domain",
            host.get_ref()
        );
        self.mistake("host-name", Some(host.span()), message);
        None
    }

    fn username(&mut self, key: &str, username: &Spanned<String>) -> Option<String> {
        let text = username.get_ref();
        let complaint = if text.is_empty() {
            "is empty: clients would log in as nobody".to_owned()
        } else if text.chars().any(|c| !is_text(c) || c.is_whitespace()) {
            "has white space or control characters".to_owned()
        } else if let Some(unknown) = unknown_placeholder(text) {
            format!(
                "has an unknown placeholder {unknown}; known are {EMAIL_ADDRESS}, {EMAIL_LOCAL_PART} and {}",
                defaults::EMAIL_DOMAIN
            )
        } else {
            return Some(text.clone());
        };
        self.mistake("username", Some(username.span()), format!("{key}.username {complaint}"));
        None
    }

    fn display_name(&mut self, name: &Spanned<String>) -> Option<String> {
        let text = name.get_ref().trim();
        match text.is_empty() || !text.chars().all(is_text) {
            true => {
                self.mistake(
                    "text",
                    Some(name.span()),
                    "a provider's name needs visible text on one line".to_owned(),
                );
                None
            }
            false => Some(text.to_owned()),
        }
    }

    fn identifier(&mut self, identifier: &Spanned<String>) -> Option<String> {
        let text = identifier.get_ref();
        let fine = text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        if !fine {
            let message = format!(
                "apple.identifier: `{text}` is no reverse-DNS name like \"org.example.mail\""
            );
            self.mistake("identifier", Some(identifier.span()), message);
        }
        fine.then(|| text.clone())
    }

    fn only_for_pop3(&mut self, protocol: Protocol, server: &file::Server) {
        let flags = [
            ("leave_on_server", &server.leave_on_server),
            ("fetch_at_once", &server.fetch_at_once),
        ];
        let flags =
            flags.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?.span())));
        let days = server.days_on_server.iter().map(|value| ("days_on_server", value.span()));
        for (key, span) in flags.chain(days).collect::<Vec<_>>() {
            self.mistake(
                "pop3-only",
                Some(span),
                format!("{protocol}.{key}: only pop3 has this key"),
            );
        }
    }

    fn pop3_options(&mut self, said: &file::Server, base: Pop3Options) -> Pop3Options {
        let days = said.days_on_server.as_ref().and_then(|days| {
            let number = u16::try_from(*days.get_ref()).ok().filter(|days| *days > 0);
            if number.is_none() {
                let message = format!(
                    "pop3.days_on_server: {} is no number of days (1 to 65535)",
                    days.get_ref()
                );
                self.mistake("days-range", Some(days.span()), message);
            }
            number
        });
        let flag = |said: &Option<Spanned<bool>>| said.as_ref().map(|flag| *flag.get_ref());
        Pop3Options {
            leave_on_server: flag(&said.leave_on_server).or(base.leave_on_server),
            days_on_server: days.or(base.days_on_server),
            fetch_at_once: flag(&said.fetch_at_once).or(base.fetch_at_once),
        }
    }

    fn service(
        &mut self,
        kind: ServiceKind,
        said: &file::Service,
        base: Option<&ServiceSettings>,
    ) -> ServiceSettings {
        let key = kind.to_string();
        let url = said.url.as_ref().and_then(|url| self.url(&format!("{key}.url"), url));
        let username = said.username.as_ref().and_then(|username| self.username(&key, username));
        ServiceSettings {
            kind,
            enabled: said.enabled.or(base.map(|base| base.enabled)).unwrap_or(true),
            url: url.or_else(|| base.and_then(|base| base.url.clone())),
            username: username
                .or_else(|| base.map(|base| base.username.clone()))
                .unwrap_or_else(|| defaults::USERNAME.to_owned()),
        }
    }

    fn oauth2(&mut self, said: &file::OAuth2) -> Option<OAuth2> {
        let first = [
            &said.issuer,
            &said.scope,
            &said.authorization_url,
            &said.token_url,
            &said.client_id,
            &said.client_secret,
        ];
        let first = first.into_iter().flatten().next()?;
        let needed =
            [&said.issuer, &said.scope, &said.authorization_url, &said.token_url, &said.client_id];
        let [Some(issuer), Some(scope), Some(authorization_url), Some(token_url), Some(client_id)] =
            needed
        else {
            let message = "oauth2 needs issuer, scope, authorization_url, token_url and client_id";
            self.mistake("oauth2-incomplete", Some(first.span()), message.to_owned());
            return None;
        };
        let mut line = |text: &Spanned<String>| self.display_name(text);
        let (issuer, scope, client_id) = (line(issuer), line(scope), line(client_id));
        let client_secret = said.client_secret.as_ref().and_then(&mut line);
        let authorization_url = self.url("oauth2.authorization_url", authorization_url);
        let token_url = self.url("oauth2.token_url", token_url);
        Some(OAuth2 {
            issuer: issuer?,
            scope: scope?,
            authorization_url: authorization_url?,
            token_url: token_url?,
            client_id: client_id?,
            client_secret,
        })
    }

    fn moved(&mut self, said: &file::DomainAutodiscover) -> Option<Moved> {
        if let (Some(address), Some(_)) = (&said.redirect_address, &said.redirect_url) {
            let message =
                "autodiscover.redirect_address and redirect_url: there can be one of them";
            self.mistake("redirect-twice", Some(address.span()), message.to_owned());
            return None;
        }
        if let Some(url) = &said.redirect_url {
            return self.url("autodiscover.redirect_url", url).map(Moved::Url);
        }
        let address = said.redirect_address.as_ref()?;
        let example = address.get_ref().replace(EMAIL_LOCAL_PART, "x");
        if EmailAddress::parse(example.as_bytes()).is_err() {
            let message = format!(
                "autodiscover.redirect_address: `{}` is no address like \"%EMAILLOCALPART%@example.org\"",
                address.get_ref()
            );
            self.mistake("redirect-address", Some(address.span()), message);
            return None;
        }
        Some(Moved::Address(Login::new(address.get_ref().clone())))
    }

    fn page(&mut self, said: &file::Page, base: Option<&Page>) -> Page {
        let default = Page::default();
        let base = base.unwrap_or(&default);
        let template = said.template.as_ref().and_then(|path| self.page_template(path));
        let logo = said.logo.as_ref().and_then(|path| self.logo(path));
        let color = said.color.as_ref().and_then(|color| self.color(color));
        Page {
            enabled: said.enabled.unwrap_or(base.enabled),
            template: template.or_else(|| base.template.clone()),
            logo: logo.or_else(|| base.logo.clone()),
            color: color.or(base.color),
        }
    }

    fn page_template(&mut self, path: &Spanned<String>) -> Option<String> {
        let (file, bytes) = self.file("page.template", path, Kind::Template)?;
        let Ok(template) = String::from_utf8(bytes) else {
            let message = format!("page.template: {} is not UTF-8", file.display());
            self.mistake("template", Some(path.span()), message);
            return None;
        };
        match page::check_template(&template) {
            Ok(()) => Some(template),
            Err(error) => {
                let position = error.line.map(|line| (line, 1));
                let place = Place { file: file.as_path().into(), position };
                let message = format!("page.template: {}", error.message);
                self.report.findings.push(Finding::error("template", Some(place), message));
                None
            }
        }
    }

    fn logo(&mut self, path: &Spanned<String>) -> Option<String> {
        let (file, picture) = self.file("page.logo", path, Kind::Logo)?;
        match page::data_uri(&picture) {
            Ok(uri) => Some(uri),
            Err(complaint) => {
                let message = format!("page.logo: {} {complaint}", file.display());
                self.mistake("logo", Some(path.span()), message);
                None
            }
        }
    }

    fn color(&mut self, color: &Spanned<String>) -> Option<Color> {
        let parsed = Color::parse(color.get_ref());
        if parsed.is_none() {
            let message =
                format!("page.color: `{}` is no colour like \"#1f5fbf\"", color.get_ref());
            self.mistake("color", Some(color.span()), message);
        }
        parsed
    }

    /// An https URL in ASCII; its path may hold `%EMAILDOMAIN%`, and so may its host.
    fn url(&mut self, key: &str, url: &Spanned<String>) -> Option<String> {
        let text = url.get_ref();
        let filled = replace(text, defaults::EMAIL_DOMAIN, "example.org");
        let host = filled
            .strip_prefix("https://")
            .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(rest));
        let is_host = host.is_some_and(|host| {
            let (name, port) = host.split_once(':').unwrap_or((host, "443"));
            host_name(name).is_some() && name.is_ascii() && port.parse::<NonZeroU16>().is_ok()
        });
        let is_plain = filled.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&b));
        // Nobody fills in a mailbox.
        let is_of_domain = !filled.contains(EMAIL_ADDRESS) && !filled.contains(EMAIL_LOCAL_PART);
        if is_host && is_plain && is_of_domain {
            return Some(text.clone());
        }
        let message = format!(
            "{key}: `{text}` is no URL like \"https://www.example.org/path\"; write it in ASCII, \
             with no placeholder but {}",
            defaults::EMAIL_DOMAIN
        );
        self.mistake("url", Some(url.span()), message);
        None
    }

    /// Texts by language.
    fn localised(
        &mut self,
        key: &str,
        texts: &Spanned<BTreeMap<String, String>>,
    ) -> Option<Localised> {
        let mut localised = Localised::new();
        for (language, text) in texts.get_ref() {
            let is_tag = language.split('-').all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            });
            if !is_tag || text.trim().is_empty() || !text.chars().all(|c| is_text(c) || c == '\n') {
                let message = format!(
                    "{key}: write {{ en = \"text\", de = \"Text\" }}; `{language}` is not like that"
                );
                self.mistake("texts", Some(texts.span()), message);
                return None;
            }
            localised.insert(language.to_ascii_lowercase(), text.trim().to_owned());
        }
        Some(localised)
    }
}

fn registered_port(protocol: Protocol, security: Security) -> NonZeroU16 {
    NonZeroU16::new(defaults::port(protocol, security)).unwrap_or(NonZeroU16::MIN)
}

/// What a port says about its protection, if it is a registered one.
fn security_of_port(protocol: Protocol, port: NonZeroU16) -> Option<Security> {
    [Security::Tls, Security::StartTls]
        .into_iter()
        .find(|&security| defaults::port(protocol, security) == port.get())
}

/// The first `%NAME%` that is none of ours.
fn unknown_placeholder(text: &str) -> Option<String> {
    let known = text
        .replace(EMAIL_ADDRESS, "")
        .replace(EMAIL_LOCAL_PART, "")
        .replace(defaults::EMAIL_DOMAIN, "");
    let mut pieces = known.split('%').skip(1).peekable();
    while let Some(piece) = pieces.next() {
        let is_name = !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_uppercase());
        if is_name && pieces.peek().is_some() {
            return Some(format!("%{piece}%"));
        }
    }
    None
}
