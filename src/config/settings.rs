//! The settings of a domain, and the account that is made of them.
//!
//! Texts may contain `%EMAILDOMAIN%`, which is filled in here: clients do so differently or not at
//! all. The other two placeholders are for logins and are filled in where the address is known.

use super::defaults;
use super::template::{Template, filled};
use crate::account::{
    self, Account, AuthList, EMAIL_ADDRESS, Identifier, Localised, Login, MailServer, Mailbox,
    Page, Pop3Options, Protocol, Security, ServiceKind, WebService,
};
use crate::address::{Domain, EmailAddress, HostName};
use crate::login::source::Source;
use crate::url::HttpsUrl;
use rustc_hash::FxBuildHasher;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::num::NonZeroU16;
use std::sync::{Arc, Weak};

/// Longest name of a provider, in characters (draft-ietf-mailmaint-autoconfig-06, displayName).
pub(super) const MAX_NAME: usize = 60;
/// Longest short name of a provider, in characters (the same, displayShortName).
pub(super) const MAX_SHORT_NAME: usize = 20;
/// The name of a provider whose own name does not fit.
const ANY_NAME: &str = "Mail";

//------------ Settings -------------------------------------------------------

/// The settings for the accounts of a domain, before the domain is filled in. Domains share equal
/// parts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider.
    pub provider: Arc<Provider>,
    /// The texts in Apple profiles.
    pub apple: Arc<Apple>,
    /// The servers: IMAP, POP3, SMTP, ManageSieve.
    pub servers: [Arc<ServerSettings>; 4],
    /// How POP3 clients should treat fetched messages.
    pub pop3: Pop3Options,
    /// The services, one of each kind.
    pub services: [Arc<ServiceSettings>; 5],
    /// Where clients get tokens.
    pub oauth2: Option<Arc<OAuth2>>,
    /// The redirect for Autodiscover clients.
    pub moved: Option<Redirect>,
    /// Whether PACC is enabled.
    pub pacc: bool,
    /// Whether Autodiscover documents contain calendars and address books.
    pub dav_in_autodiscover: bool,
    /// How the page for mailbox owners looks.
    pub page: Arc<Page>,
    /// Where the logins of single mailboxes come from, if they come from anywhere.
    pub login: Option<Arc<Source>>,
}

/// The operator of the servers; the texts may contain `%EMAILDOMAIN%`.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The full name.
    pub name: String,
    /// A short name.
    pub short_name: String,
    /// The provider's home page.
    pub homepage: Option<Template<HttpsUrl>>,
    /// Where users find help.
    pub support: Option<Template<HttpsUrl>>,
    /// Where users read mail in a browser.
    pub webmail: Option<Template<HttpsUrl>>,
    /// Instructions.
    pub documentation: Vec<Documentation>,
}

/// A page of instructions, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct Documentation {
    /// Where it is.
    pub url: Template<HttpsUrl>,
    /// Its title.
    pub title: Localised,
}

/// The texts in Apple profiles; they may contain `%EMAILDOMAIN%`.
#[derive(Clone, Debug)]
pub struct Apple {
    /// The prefix of their identifiers, if it is not derived from the domain.
    pub identifier: Option<String>,
    /// The description of a profile.
    pub description: Localised,
    /// The text that users must agree to.
    pub consent: Localised,
}

/// A server, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The protocol that is spoken there.
    pub protocol: Protocol,
    /// False if it is disabled.
    pub enabled: bool,
    /// Where it is.
    pub host: Template<HostName>,
    /// TCP port.
    pub port: NonZeroU16,
    /// How the connection is protected.
    pub security: Security,
    /// The authentication methods, the preferred one first.
    pub auth: AuthList,
    /// The login; may contain all three placeholders.
    pub username: String,
    /// Alternative servers for the same mail, with the same login.
    pub alternatives: Vec<Alternative>,
}

/// An alternative server.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// Host name, if it differs.
    pub host: Option<Template<HostName>>,
    /// TCP port.
    pub port: NonZeroU16,
    /// How the connection is protected.
    pub security: Security,
}

/// A service, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// The protocol that is spoken there.
    pub kind: ServiceKind,
    /// False if it is disabled, as it is without a URL.
    pub enabled: bool,
    /// Where it is.
    pub url: Option<Template<HttpsUrl>>,
    /// The login; may contain all three placeholders.
    pub username: String,
}

/// Where clients get tokens, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct OAuth2 {
    /// The issuer's name; may contain `%EMAILDOMAIN%`.
    pub issuer: String,
    /// The scopes to request, separated by blanks.
    pub scope: String,
    /// Where the user grants access.
    pub authorization_url: Template<HttpsUrl>,
    /// Where the client requests the token.
    pub token_url: Template<HttpsUrl>,
    /// The identifier that every client sends.
    pub client_id: String,
    /// The secret that belongs to it.
    pub client_secret: Option<String>,
}

/// The redirect for Autodiscover clients, before the domain is filled in.
#[derive(Clone, Debug)]
pub enum Redirect {
    /// The client repeats the request with another address; may contain `%EMAILLOCALPART%` and
    /// `%EMAILDOMAIN%`.
    Address(String),
    /// The client repeats the request at another URL.
    Url(Template<HttpsUrl>),
}

//------------ Found ----------------------------------------------------------

/// The settings found for a domain.
#[derive(Clone, Debug)]
pub struct Found {
    settings: Arc<Settings>,
    /// The domain that is filled in, if it differs from the one that was looked up.
    alias_of: Option<Domain>,
    /// False if a file with these settings may be changing now.
    pub is_settled: bool,
}

/// See [`Found::identity`].
#[derive(Clone, Debug)]
pub struct Identity {
    settings: Weak<Settings>,
    alias_of: Option<Domain>,
}

impl Found {
    /// Combines settings with the domain to fill in, if it differs from the requested one.
    pub fn new(settings: Arc<Settings>, alias_of: Option<Domain>, is_settled: bool) -> Found {
        Found { settings, alias_of, is_settled }
    }

    /// Where the logins of single mailboxes come from, if they are looked up.
    pub fn login(&self) -> Option<&Arc<Source>> {
        self.settings.login.as_ref().filter(|source| source.enabled)
    }

    /// The same settings, found by an alias of `target`.
    pub fn for_alias_of(self, target: &Domain) -> Found {
        Found { alias_of: self.alias_of.or_else(|| Some(target.clone())), ..self }
    }

    /// True if all mail servers have this login for a mailbox anyway, except for the letter case, in
    /// which a source often writes addresses. A document for it would be another one than that for an
    /// address without a mailbox, and so tell that there is one.
    pub fn gives(&self, login: &str, address: &EmailAddress) -> bool {
        let domain = self.alias_of.as_ref().unwrap_or(address.domain());
        let mut servers = self.settings.servers.iter().filter(|server| server.enabled);
        servers.all(|server| match &*server.username {
            EMAIL_ADDRESS => is_address(login, address),
            template => {
                let template = Login::new(filled(template, domain.as_str()));
                is_same_name(login, &template.of(&Mailbox { address, login: None }))
            }
        })
    }

    /// The identity of these settings, which does not keep them alive.
    pub fn identity(&self) -> Identity {
        Identity { settings: Arc::downgrade(&self.settings), alias_of: self.alias_of.clone() }
    }

    /// A number that is the same for the same settings, and different for nearly all others.
    pub fn key(&self) -> u64 {
        FxBuildHasher.hash_one((Arc::as_ptr(&self.settings), &self.alias_of))
    }

    /// True if the same settings were found in the same way.
    pub fn is(&self, identity: &Identity) -> bool {
        // While the weak reference exists, no other settings have the same address.
        std::ptr::eq(Arc::as_ptr(&self.settings), identity.settings.as_ptr())
            && self.alias_of == identity.alias_of
    }

    /// True if PACC is enabled; the settings may still make no document.
    pub fn has_pacc(&self) -> bool {
        self.settings.pacc
    }

    /// The account of `address`, or of any address at `domain`.
    ///
    /// `None` if a host name, also that of a URL, becomes too long with the domain.
    pub fn account(
        &self,
        domain: &Domain,
        host_domain: Option<Domain>,
        address: Option<EmailAddress>,
    ) -> Option<Account> {
        let Settings {
            provider,
            apple,
            servers,
            pop3,
            services,
            oauth2,
            moved,
            dav_in_autodiscover,
            pacc,
            page,
            login: _,
        } = &*self.settings;
        let form = self.form(domain);
        let offered = || servers.iter().filter(|server| server.enabled);
        let servers = offered().map(|server| form.server(server, None));
        let servers: Vec<_> = servers.collect::<Option<_>>()?;
        let alternatives = offered().flat_map(|server| {
            let alternatives = server.alternatives.iter().enumerate();
            alternatives.map(|(index, other)| form.server(server, Some((index, other))))
        });
        let alternatives = distinct(alternatives.collect::<Option<_>>()?, &servers);
        let services = services.iter().filter(|service| service.enabled);
        let services = services.filter_map(|service| {
            let url = service.url.as_ref()?.of(form.domain);
            Some(url.map(|url| WebService {
                kind: service.kind,
                url,
                login: Login::new(form.fill(&service.username)),
            }))
        });
        Some(Account {
            provider: form.provider(provider, apple)?,
            servers,
            alternatives,
            pop3: *pop3,
            services: services.collect::<Option<_>>()?,
            oauth2: all(oauth2, |oauth2| form.oauth2(oauth2))?,
            moved: all(moved, |moved| form.moved(moved))?,
            pacc: *pacc,
            dav_in_autodiscover: *dav_in_autodiscover,
            host_domain,
            // Set by the caller, which has the request.
            host: None,
            domain: domain.clone(),
            address,
            login: None,
            page: page.clone(),
        })
    }
}

impl Found {
    /// The settings before the domain is filled in.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The domain whose settings were found, if it differs from the one that was looked up.
    pub fn alias_of(&self) -> Option<&Domain> {
        self.alias_of.as_ref()
    }

    /// The key of the host name that becomes too long with `domain`, if one does.
    pub fn too_long(&self, domain: &Domain) -> Option<String> {
        let domain = self.alias_of.as_ref().unwrap_or(domain);
        let is_too_long = |host: &Template<HostName>| host.of(domain).is_none();
        let mut servers = self.settings.servers.iter().filter(|server| server.enabled);
        let of_server = servers.find_map(|server| {
            let key = server.protocol;
            if is_too_long(&server.host) {
                return Some(format!("{key}.host"));
            }
            let mut others = server.alternatives.iter();
            let index = others.position(|other| other.host.as_ref().is_some_and(is_too_long))?;
            Some(format!("{key}.alternatives[{index}].host"))
        });
        let of_url = || self.urls().find(|(_, url)| url.of(domain).is_none());
        of_server.or_else(|| of_url().map(|(key, _)| key))
    }

    /// The names of the provider that are shortened for `domain`: the key, the length, and the
    /// largest one, in characters. A name that is the domain is not counted.
    pub fn shortened(&self, domain: &Domain) -> Vec<(&'static str, usize, usize)> {
        let form = self.form(domain);
        let Provider { name, short_name, .. } = &*self.settings.provider;
        // A short name that is not set is the name.
        let short_name = Some(short_name).filter(|short_name| *short_name != name);
        let names = [
            ("provider.name", Some(name), MAX_NAME),
            ("provider.short_name", short_name, MAX_SHORT_NAME),
        ];
        let own = names.into_iter().filter_map(|(key, name, max)| {
            let name = name.filter(|name| *name != defaults::PROVIDER_NAME)?;
            Some((key, form.say(name).chars().count(), max))
        });
        own.filter(|(_, length, max)| length > max).collect()
    }

    fn form<'a>(&'a self, domain: &'a Domain) -> Form<'a> {
        let domain = self.alias_of.as_ref().unwrap_or(domain);
        let is_alias = self.alias_of.is_some();
        Form { domain, domain_for_people: domain.for_people(), is_alias }
    }

    /// The URLs of enabled services, each with its key.
    pub(super) fn urls(&self) -> impl Iterator<Item = (String, &Template<HttpsUrl>)> {
        let Settings { provider, services, oauth2, moved, .. } = &*self.settings;
        let services = services.iter().filter(|service| service.enabled);
        let services = services
            .filter_map(|service| Some((format!("{}.url", service.kind), service.url.as_ref()?)));
        let pages = provider.documentation.iter();
        let pages = pages.map(|page| ("provider.documentation".to_owned(), &page.url));
        let oauth2 = oauth2.as_ref();
        let others = [
            ("provider.homepage", provider.homepage.as_ref()),
            ("provider.support", provider.support.as_ref()),
            ("provider.webmail", provider.webmail.as_ref()),
            ("oauth2.authorization_url", oauth2.map(|oauth2| &oauth2.authorization_url)),
            ("oauth2.token_url", oauth2.map(|oauth2| &oauth2.token_url)),
            (
                "autodiscover.redirect_url",
                match moved {
                    Some(Redirect::Url(url)) => Some(url),
                    Some(Redirect::Address(_)) | None => None,
                },
            ),
        ];
        let others = others.into_iter().filter_map(|(key, url)| Some((key.to_owned(), url?)));
        services.chain(pages).chain(others)
    }
}

/// True if a login is an address, except for the letter case. The usual case, without an allocation.
fn is_address(login: &str, address: &EmailAddress) -> bool {
    login.rsplit_once('@').is_some_and(|(local_part, domain)| {
        is_same_name(domain, address.domain().as_str())
            && is_same_name(local_part, address.local_part())
    })
}

/// True if two names are the same, except for the letter case.
fn is_same_name(one: &str, other: &str) -> bool {
    let is_ascii = one.is_ascii() && other.is_ascii();
    one.eq_ignore_ascii_case(other) || (!is_ascii && one.to_lowercase() == other.to_lowercase())
}

/// Applies `make` to a value, if set; `None` if `make` fails.
fn all<T, U>(value: &Option<T>, make: impl FnOnce(&T) -> Option<U>) -> Option<Option<U>> {
    match value {
        Some(value) => make(value).map(Some),
        None => Some(None),
    }
}

/// The alternatives without duplicates: a domain may move a server to the place of an alternative
/// of the base.
fn distinct(alternatives: Vec<MailServer>, servers: &[MailServer]) -> Vec<MailServer> {
    let mut known: BTreeSet<_> = match alternatives.is_empty() {
        true => return alternatives,
        false => servers.iter().map(place).collect(),
    };
    let is_new: Vec<_> = alternatives.iter().map(|server| known.insert(place(server))).collect();
    alternatives.into_iter().zip(is_new).filter_map(|(it, is_new)| is_new.then_some(it)).collect()
}

/// Two servers with the same values here are the same.
fn place(server: &MailServer) -> (Protocol, &str, NonZeroU16, Security) {
    (server.protocol, server.host.as_str(), server.port, server.security)
}

/// Which of the names of the provider, the full and the short one, are the domain itself.
pub fn are_the_domain(found: &Found) -> [bool; 2] {
    let Provider { name, short_name, .. } = &*found.settings.provider;
    let is_own = found.alias_of.is_none();
    [name, short_name].map(|name| is_own && name == defaults::PROVIDER_NAME)
}

/// The full name of a provider that is a domain without A-labels.
pub fn name(domain: &Domain) -> Cow<'_, str> {
    shortened(domain, MAX_NAME)
}

/// The short name of a provider that is a domain without A-labels.
pub fn short_name(domain: &Domain) -> Cow<'_, str> {
    shortened(domain, MAX_SHORT_NAME)
}

fn shortened(domain: &Domain, max: usize) -> Cow<'_, str> {
    match domain.as_str() {
        name if name.len() > max => Cow::Owned(cut(name.to_owned(), max)),
        name => Cow::Borrowed(name),
    }
}

/// Fills in templates.
struct Form<'a> {
    /// The domain to fill in.
    domain: &'a Domain,
    /// The domain as it is shown to people.
    domain_for_people: Cow<'a, str>,
    /// True if it is not the domain that was looked up.
    is_alias: bool,
}

impl Form<'_> {
    /// A server or an alternative; `None` if the host name becomes too long with the domain.
    fn server(
        &self,
        server: &ServerSettings,
        other: Option<(usize, &Alternative)>,
    ) -> Option<MailServer> {
        let index = other.map_or(0, |(index, _)| index);
        let other = other.map(|(_, other)| other);
        let host = other.and_then(|other| other.host.as_ref()).unwrap_or(&server.host);
        Some(MailServer {
            protocol: server.protocol,
            host: host.of(self.domain)?,
            port: other.map_or(server.port, |other| other.port),
            security: other.map_or(server.security, |other| other.security),
            auth: server.auth,
            login: Login::new(self.fill(&server.username)),
            index,
        })
    }

    fn provider(&self, provider: &Provider, apple: &Apple) -> Option<account::Provider> {
        let link = |link: &Option<Template<HttpsUrl>>| all(link, |link| link.of(self.domain));
        let localised = |texts: &Localised| {
            texts.iter().map(|(language, text)| (language.clone(), self.say(text))).collect()
        };
        Some(account::Provider {
            name: cut(self.say(&provider.name), MAX_NAME),
            short_name: cut(self.say(&provider.short_name), MAX_SHORT_NAME),
            identifier: match &apple.identifier {
                Some(identifier) => Identifier::Fixed(identifier.clone()),
                // An alias has the identifiers of its target.
                None if self.is_alias => Identifier::Fixed(Identifier::reversed(self.domain)),
                None => Identifier::OfDomain,
            },
            homepage: link(&provider.homepage)?,
            support: link(&provider.support)?,
            webmail: link(&provider.webmail)?,
            documentation: provider
                .documentation
                .iter()
                .map(|page| {
                    Some(account::Documentation {
                        url: page.url.of(self.domain)?,
                        title: localised(&page.title),
                    })
                })
                .collect::<Option<_>>()?,
            profile_description: localised(&apple.description),
            profile_consent: localised(&apple.consent),
        })
    }

    fn oauth2(&self, oauth2: &OAuth2) -> Option<account::OAuth2> {
        Some(account::OAuth2 {
            issuer: self.fill(&oauth2.issuer),
            scope: oauth2.scope.clone(),
            authorization_url: oauth2.authorization_url.of(self.domain)?,
            token_url: oauth2.token_url.of(self.domain)?,
            client_id: oauth2.client_id.clone(),
            client_secret: oauth2.client_secret.clone(),
        })
    }

    fn moved(&self, moved: &Redirect) -> Option<account::Redirect> {
        Some(match moved {
            Redirect::Address(address) => {
                account::Redirect::Address(Login::new(self.fill(address)))
            }
            Redirect::Url(url) => account::Redirect::Url(url.of(self.domain)?),
        })
    }

    fn fill(&self, template: &str) -> String {
        filled(template, self.domain.as_str())
    }

    /// Fills in a text that is shown to people.
    fn say(&self, template: &str) -> String {
        filled(template, &self.domain_for_people)
    }
}

/// The name, shortened to `max` characters.
///
/// A domain name is cut after a label or omitted, since a part of a label would be another name.
fn cut(name: String, max: usize) -> String {
    let Some((end, _)) = name.char_indices().nth(max) else { return name };
    let word = name[..end].rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let word_end = name[end..].find(char::is_whitespace).map_or(name.len(), |blank| end + blank);
    let end = match name[word..word_end].contains('.') {
        // The cut may be exactly before a dot.
        true if name[end..].starts_with('.') => end,
        true => name[word..end].rfind('.').map_or(word, |dot| word + dot),
        false => end,
    };
    let fits = name[..end].trim_end_matches(|c: char| !c.is_alphanumeric());
    if fits.is_empty() { ANY_NAME.to_owned() } else { fits.to_owned() }
}
