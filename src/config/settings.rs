//! What is set for a domain, and the account that is made of it.
//!
//! Texts may hold `%EMAILDOMAIN%`, which is filled in here: clients do it differently or not at
//! all. The other two placeholders are for logins and stay for whoever knows the address.

use super::defaults::{self, EMAIL_DOMAIN};
use crate::account::{
    self, Account, AuthList, Documentation, Localised, Login, MailServer, OAuth2, Page,
    Pop3Options, Protocol, Redirect, Security, ServiceKind, WebService,
};
use crate::address::{Domain, EmailAddress, is_host_name};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::{Arc, Weak};

/// Longest name of a provider, in characters (draft-ietf-mailmaint-autoconfig-06, displayName).
const MAX_NAME: usize = 60;
/// Longest short name of a provider, in characters (the same, displayShortName).
const MAX_SHORT_NAME: usize = 20;
/// The name of a provider of whose own nothing fits.
const ANY_NAME: &str = "Mail";

//------------ Settings -------------------------------------------------------

/// What the accounts of a domain look like, before the domain is filled in; what several domains
/// have in common, they share.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider.
    pub provider: Arc<Provider>,
    /// What profiles say.
    pub apple: Arc<Apple>,
    /// The servers: IMAP, POP3, SMTP, ManageSieve.
    pub servers: [Arc<ServerSettings>; 4],
    /// How POP3 clients should treat what they have fetched.
    pub pop3: Pop3Options,
    /// The services, one of each kind.
    pub services: [Arc<ServiceSettings>; 5],
    /// Where clients get tokens.
    pub oauth2: Option<Arc<OAuth2>>,
    /// Where Autodiscover clients are sent.
    pub moved: Option<Redirect>,
    /// Whether PACC is answered.
    pub pacc: bool,
    /// Whether Autodiscover clients are told of calendars and address books.
    pub dav_in_autodiscover: bool,
    /// How the page for mailbox owners looks.
    pub page: Arc<Page>,
}

/// Who runs the servers; the texts may hold `%EMAILDOMAIN%`.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The full name.
    pub name: String,
    /// A short name.
    pub short_name: String,
    /// The provider's home.
    pub homepage: Option<String>,
    /// Where users find help.
    pub support: Option<String>,
    /// Where users read mail in a browser.
    pub webmail: Option<String>,
    /// Instructions.
    pub documentation: Vec<Documentation>,
}

/// What Apple's profiles say; the texts may hold `%EMAILDOMAIN%`.
#[derive(Clone, Debug)]
pub struct Apple {
    /// The beginning of their identifiers, if it is not made of the domain.
    pub identifier: Option<String>,
    /// What a profile says of itself.
    pub description: Localised,
    /// What users have to agree to.
    pub consent: Localised,
}

/// A server, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// What is spoken there.
    pub protocol: Protocol,
    /// False if it is not offered.
    pub enabled: bool,
    /// Host name; may hold `%EMAILDOMAIN%`.
    pub host: String,
    /// TCP port.
    pub port: NonZeroU16,
    /// How the connection is protected.
    pub security: Security,
    /// How users prove who they are, the preferred way first.
    pub auth: AuthList,
    /// The login; may hold all three placeholders.
    pub username: String,
    /// Other ways to the same mail, with the same login.
    pub alternatives: Vec<Alternative>,
}

/// Another way to a server.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// Host name, if it is another.
    pub host: Option<String>,
    /// TCP port.
    pub port: NonZeroU16,
    /// How the connection is protected.
    pub security: Security,
}

/// A service, before the domain is filled in.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// What is spoken there.
    pub kind: ServiceKind,
    /// False if it is not offered; without a URL it cannot be.
    pub enabled: bool,
    /// Where; may hold `%EMAILDOMAIN%`.
    pub url: Option<String>,
    /// The login; may hold all three placeholders.
    pub username: String,
}

//------------ Found ----------------------------------------------------------

/// The settings found for a domain.
#[derive(Clone, Debug)]
pub struct Found {
    settings: Arc<Settings>,
    /// The domain that is filled in, if it is another than the one that was looked up.
    alias_of: Option<Domain>,
    /// False if a file that these come from may be changing now.
    pub is_settled: bool,
}

/// See [`Found::identity`].
#[derive(Clone, Debug)]
pub struct Identity {
    settings: Weak<Settings>,
    alias_of: Option<Domain>,
}

impl Found {
    /// Joins settings and the domain to fill in, if it is another than the one asked for.
    pub fn new(settings: Arc<Settings>, alias_of: Option<Domain>, is_settled: bool) -> Found {
        Found { settings, alias_of, is_settled }
    }

    /// What tells these settings from others, without holding them.
    pub fn identity(&self) -> Identity {
        Identity { settings: Arc::downgrade(&self.settings), alias_of: self.alias_of.clone() }
    }

    /// True if the same settings were found in the same way.
    pub fn is(&self, identity: &Identity) -> bool {
        // As long as it is held weakly, no other settings have the same address.
        std::ptr::eq(Arc::as_ptr(&self.settings), identity.settings.as_ptr())
            && self.alias_of == identity.alias_of
    }

    /// The account of `address`, or of any address at `domain`.
    ///
    /// `None` if a host name gets too long for the domain.
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
        } = &*self.settings;
        let form = Form::new(self.alias_of.as_ref().unwrap_or(domain));
        let offered = || servers.iter().filter(|server| server.enabled);
        let servers = offered().map(|server| form.server(server, None));
        let servers: Vec<_> = servers.collect::<Option<_>>()?;
        let alternatives = offered().flat_map(|server| {
            let alternatives = server.alternatives.iter().enumerate();
            alternatives.map(|(index, other)| form.server(server, Some((index, other))))
        });
        let alternatives = distinct(alternatives.collect::<Option<_>>()?, &servers);
        let services = services.iter().filter(|service| service.enabled).filter_map(|service| {
            Some(WebService {
                kind: service.kind,
                url: form.fill(service.url.as_ref()?),
                login: Login::new(form.fill(&service.username)),
            })
        });
        Some(Account {
            provider: form.provider(provider, apple),
            servers,
            alternatives,
            pop3: *pop3,
            services: services.collect(),
            oauth2: oauth2.as_ref().map(|oauth2| form.oauth2(oauth2)),
            moved: moved.as_ref().map(|moved| match moved {
                Redirect::Address(address) => {
                    Redirect::Address(Login::new(form.fill(address.template())))
                }
                Redirect::Url(url) => Redirect::Url(form.fill(url)),
            }),
            pacc: *pacc,
            dav_in_autodiscover: *dav_in_autodiscover,
            host_domain,
            // Known to whoever knows the request.
            host: None,
            domain: domain.clone(),
            address,
            page: page.clone(),
        })
    }
}

impl Found {
    /// The domain whose settings were found, if it is another than the one that was looked up.
    pub fn alias_of(&self) -> Option<&Domain> {
        self.alias_of.as_ref()
    }

    /// The key of the host name that gets too long for `domain`, if one does.
    pub fn too_long(&self, domain: &Domain) -> Option<String> {
        let form = Form::new(self.alias_of.as_ref().unwrap_or(domain));
        let offered = self.settings.servers.iter().filter(|server| server.enabled);
        offered
            .flat_map(|server| {
                let key = server.protocol;
                let first = [(format!("{key}.host"), &server.host)];
                let others =
                    server.alternatives.iter().enumerate().filter_map(move |(index, other)| {
                        Some((format!("{key}.alternatives[{index}].host"), other.host.as_ref()?))
                    });
                first.into_iter().chain(others)
            })
            .find(|(_, host)| !is_host_name(&form.fill(host)))
            .map(|(key, _)| key)
    }
}

/// The alternatives without those that are there already: in a domain, a server may be moved to
/// where an alternative of the base is.
fn distinct(alternatives: Vec<MailServer>, servers: &[MailServer]) -> Vec<MailServer> {
    let mut known: BTreeSet<_> = match alternatives.is_empty() {
        true => return alternatives,
        false => servers.iter().map(place).collect(),
    };
    let is_new: Vec<_> = alternatives.iter().map(|server| known.insert(place(server))).collect();
    alternatives.into_iter().zip(is_new).filter_map(|(it, is_new)| is_new.then_some(it)).collect()
}

/// What makes two servers the same.
fn place(server: &MailServer) -> (Protocol, &str, NonZeroU16, Security) {
    (server.protocol, &server.host, server.port, server.security)
}

/// Templates on their way to texts.
struct Form<'a> {
    /// What is filled in.
    domain: &'a Domain,
    /// The same in what people read.
    domain_for_people: Cow<'a, str>,
}

impl Form<'_> {
    fn new(domain: &Domain) -> Form<'_> {
        Form { domain, domain_for_people: domain.for_people() }
    }

    /// A server, or another way to it; `None` if the host name gets too long for the domain.
    fn server(
        &self,
        server: &ServerSettings,
        other: Option<(usize, &Alternative)>,
    ) -> Option<MailServer> {
        let index = other.map_or(0, |(index, _)| index);
        let other = other.map(|(_, other)| other);
        let host = other.and_then(|other| other.host.as_ref()).unwrap_or(&server.host);
        let host = self.fill(host);
        is_host_name(&host).then(|| MailServer {
            protocol: server.protocol,
            host,
            port: other.map_or(server.port, |other| other.port),
            security: other.map_or(server.security, |other| other.security),
            auth: server.auth,
            login: Login::new(self.fill(&server.username)),
            index,
        })
    }

    fn provider(&self, provider: &Provider, apple: &Apple) -> account::Provider {
        let link = |link: &Option<String>| link.as_deref().map(|link| self.fill(link));
        let localised = |texts: &Localised| {
            texts.iter().map(|(language, text)| (language.clone(), self.say(text))).collect()
        };
        account::Provider {
            name: cut(self.say(&provider.name), MAX_NAME),
            short_name: cut(self.say(&provider.short_name), MAX_SHORT_NAME),
            identifier: match &apple.identifier {
                Some(identifier) => identifier.clone(),
                None => reversed(self.domain),
            },
            homepage: link(&provider.homepage),
            support: link(&provider.support),
            webmail: link(&provider.webmail),
            documentation: provider
                .documentation
                .iter()
                .map(|page| Documentation {
                    url: self.fill(&page.url),
                    title: localised(&page.title),
                })
                .collect(),
            profile_description: localised(&apple.description),
            profile_consent: localised(&apple.consent),
        }
    }

    fn oauth2(&self, oauth2: &OAuth2) -> OAuth2 {
        OAuth2 {
            issuer: self.fill(&oauth2.issuer),
            authorization_url: self.fill(&oauth2.authorization_url),
            token_url: self.fill(&oauth2.token_url),
            ..oauth2.clone()
        }
    }

    fn fill(&self, template: &str) -> String {
        replace(template, EMAIL_DOMAIN, self.domain.as_str())
    }

    /// The same in a text that people read.
    fn say(&self, template: &str) -> String {
        replace(template, EMAIL_DOMAIN, &self.domain_for_people)
    }
}

/// The text with every `placeholder` replaced; most have none.
fn replace(text: &str, placeholder: &str, with: &str) -> String {
    match text.contains('%') {
        true => text.replace(placeholder, with),
        false => text.to_owned(),
    }
}

/// The name, or as much of it as fits into `max` characters.
///
/// A domain name ends behind a label or is left out, since a part of a label is another name.
fn cut(name: String, max: usize) -> String {
    let Some((end, _)) = name.char_indices().nth(max) else { return name };
    let word = name[..end].rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let word_end = name[end..].find(char::is_whitespace).map_or(name.len(), |blank| end + blank);
    let end = match name[word..word_end].contains('.') {
        // All that fits may be just what stands before a dot.
        true if name[end..].starts_with('.') => end,
        true => name[word..end].rfind('.').map_or(word, |dot| word + dot),
        false => end,
    };
    let fits = name[..end].trim_end_matches(|c: char| !c.is_alphanumeric());
    if fits.is_empty() { ANY_NAME.to_owned() } else { fits.to_owned() }
}

/// `org.example.mailsetup` for `example.org`.
fn reversed(domain: &Domain) -> String {
    let mut labels: Vec<_> = domain.as_str().split('.').rev().collect();
    labels.push(defaults::IDENTIFIER_SUFFIX);
    labels.join(".")
}
