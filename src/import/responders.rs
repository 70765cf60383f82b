//! Responders that are set up by variables of their environment: what each of them answered for which
//! variables, with its defaults.
//!
//! Read in the sources of Monogramm/autodiscover-email-settings and freifunkMUC's fork of it,
//! wdes/mail-autodiscover-autoconfig, solarssk/mail-autodiscover, damianmoore/docker-email-autoconfig,
//! LukWebsForge/Automx2Docker, and kim-groenborg-nielsen/go-mail-autoconf, which follows
//! onlime/email-autoconf.

use super::entries::{
    ANSWERED_ANY, Entries, Found, Said, complete, is_true, leave_all, name_domains, set_host,
    set_port, set_security, set_socket_type, set_username,
};
use super::part::NEW_IDENTIFIERS;
use super::solarssk;
use crate::account::{Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security};
use crate::draft::{Draft, NoteKind, Noted, Origin, Server, Settings, Value};
use crate::ports;
use std::collections::BTreeMap;

/// Responders with the same variables.
pub struct Family {
    /// What they are called.
    pub name: &'static str,
    /// Their variables about mail; the first ones are only theirs.
    keys: &'static [&'static str],
    /// The number of keys of which one must be there.
    marks: usize,
    /// Variables about the program itself; `*` stands for the rest of a name.
    own: &'static [&'static str],
    read: fn(&mut Entries, &Input, &mut Draft),
}

/// What is known beside the variables.
#[derive(Clone, Copy, Debug, Default)]
pub struct Input<'a> {
    /// The name of the container image.
    pub image: &'a str,
    /// True if the input has settings of more than one responder, each for its domain.
    pub is_one_of_several: bool,
}

const FAMILIES: [Family; 6] = [
    Family {
        name: "Monogramm/autodiscover-email-settings",
        keys: &[
            "IMAP_HOST",
            "POP_HOST",
            "SMTP_HOST",
            "IMAP_SOCKET",
            "POP_SOCKET",
            "SMTP_SOCKET",
            "COMPANY_NAME",
            "MOBILESYNC_URL",
            "SUPPORT_URL",
            "DOMAIN",
            "IMAP_PORT",
            "POP_PORT",
            "SMTP_PORT",
            "MOBILESYNC_NAME",
            "PROFILE_IDENTIFIER",
            "PROFILE_UUID",
            "MAIL_UUID",
            "LDAP_HOST",
            "LDAP_BASE",
        ],
        marks: 8,
        own: &["PORT", "LOG_LEVEL", "MOBILESYNC_AUTODISCOVER_JSON"],
        read: monogramm,
    },
    Family {
        name: "solarssk/mail-autodiscover",
        keys: &[
            "IMAP_SOCKET_TYPE",
            "SMTP_SOCKET_TYPE",
            "POP3_SOCKET_TYPE",
            "ALLOWED_DOMAINS",
            "MAIL_DISPLAY_NAME",
            "MAIL_DISPLAY_SHORT_NAME",
            "IMAP_AUTHENTICATION",
            "SMTP_AUTHENTICATION",
            "POP3_ENABLED",
            "IMAP_HOST",
            "SMTP_HOST",
            "POP3_HOST",
            "IMAP_PORT",
            "SMTP_PORT",
            "USERNAME_FORMAT",
        ],
        marks: 6,
        own: &[
            "APP_*",
            "IMAGE_TAG",
            "PUBLIC_BASE_URL",
            "HOST_PORT",
            "CONTAINER_PORT",
            "TRUST*",
            "FORWARDED_ALLOW_IPS",
            "ACCESS_LOG_*",
            "DISABLE_ACCESS_LOG",
            "LOG_LEVEL",
            "STRUCTURED_JSON_LOGS",
            "MAX_REQUEST_BODY_BYTES",
            "RATE_LIMIT_*",
            "SECURITY_HEADERS_ENABLED",
            "OUTLOOK_ENABLED",
            "THUNDERBIRD_ENABLED",
            "APPLE_MOBILECONFIG_ENABLED",
            "RETURN_404_FOR_UNKNOWN_DOMAIN",
        ],
        read: solarssk,
    },
    Family {
        name: "LukWebsForge/Automx2Docker",
        keys: &[
            "PROVIDER_NAME",
            "PROVIDER_SHORTNAME",
            "DOMAINS",
            "IMAP_HOST",
            "POP_HOST",
            "SMTP_HOST",
            "IMAP_SOCKET",
            "POP_SOCKET",
            "SMTP_SOCKET",
            "IMAP_PORT",
            "POP_PORT",
            "SMTP_PORT",
        ],
        marks: 2,
        own: &["PROXY_COUNT"],
        read: automx2,
    },
    Family {
        name: "wdes/mail-autodiscover-autoconfig",
        keys: &[
            "IMAP_HOSTNAME",
            "POP_HOSTNAME",
            "SMTP_HOSTNAME",
            "CUSTOM_DOMAINS",
            "APPLE_MAIL_UUID",
            "APPLE_PROFILE_UUID",
        ],
        marks: 4,
        own: &["ROCKET_*", "LOG_LEVEL"],
        read: wdes,
    },
    Family {
        name: "damianmoore/docker-email-autoconfig",
        keys: &["MAIL_HOSTNAME", "DISPLAY_NAME", "DISPLAY_SHORT_NAME"],
        marks: 1,
        own: &[],
        read: damianmoore,
    },
    Family {
        name: "onlime/email-autoconf",
        keys: &[
            "IMAP_SERVER_HOSTNAME",
            "SMTP_SERVER_HOSTNAME",
            "POP3_SERVER_HOSTNAME",
            "IMAP_SERVER",
            "SMTP_SERVER",
            "POP3_SERVER",
            "EMAIL_PROVIDER",
            "IMAP_SSL",
            "SMTP_SSL",
            "POP3_SSL",
            "IMAP_PORT",
            "SMTP_PORT",
            "POP3_PORT",
        ],
        marks: 6,
        own: &["SERVER_URL", "DEBUG", "FLASK_*"],
        read: onlime,
    },
];

/// Variables that containers have whatever runs in them, or that are for a web server in front.
const OF_CONTAINERS: [&str; 23] = [
    "PATH",
    "HOME",
    "HOSTNAME",
    "TERM",
    "LANG",
    "LC_*",
    "TZ",
    "PWD",
    "SHLVL",
    "USER",
    "NODE_*",
    "YARN_*",
    "NPM_*",
    "PYTHON*",
    "GPG_KEY",
    "VIRTUAL_*",
    "LETSENCRYPT_*",
    "PUID",
    "PGID",
    "KUBERNETES_*",
    "CARGO_*",
    "RUST*",
    "container",
];

/// The family of the variables, with the number of those that it knows.
pub fn family<'a>(
    keys: impl Iterator<Item = &'a str>,
    input: &Input,
) -> Option<(&'static Family, usize)> {
    let keys: Vec<_> = keys.collect();
    let count = |known: &[&str]| known.iter().filter(|known| keys.contains(known)).count();
    let mut best = None;
    for family in &FAMILIES {
        let is_named =
            family.name.split('/').next_back().is_some_and(|it| input.image.contains(it));
        let score = count(family.keys);
        let is_it = score > 0 && (count(&family.keys[..family.marks]) > 0 || is_named);
        if is_it && best.is_none_or(|(_, most)| score > most) {
            best = Some((family, score));
        }
    }
    best
}

impl Family {
    /// True if the variable is one of theirs about mail.
    pub fn knows(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }

    /// The settings, and what is not carried over.
    pub fn read(&self, mut entries: Entries, input: &Input) -> Draft {
        let mut draft = Draft::default();
        (self.read)(&mut entries, input, &mut draft);
        let is_one_of = |names: &[&str], key: &str| {
            names.iter().any(|name| match name.strip_suffix('*') {
                Some(beginning) => key.starts_with(beginning),
                None => key == *name,
            })
        };
        let of_the_program = |key: &str| is_one_of(self.own, key) || is_one_of(&OF_CONTAINERS, key);
        entries.leave_rest(&of_the_program, &mut draft);
        draft
    }
}

//------------ Monogramm ------------------------------------------------------

/// Answers every domain whose requests arrive, with the same servers.
fn monogramm(entries: &mut Entries, input: &Input, draft: &mut Draft) {
    // This fork has defaults for what is not set, and offers POP3 unless POP_HOST is empty.
    let has_defaults = input.image.to_ascii_lowercase().contains("freifunkmuc");
    let domain = entries.take_set("DOMAIN");
    for (protocol, name, security) in [
        (Protocol::Imap, "IMAP", Security::Tls),
        (Protocol::Pop3, "POP", Security::Tls),
        (Protocol::Smtp, "SMTP", Security::StartTls),
    ] {
        let [host, port, socket] =
            ["HOST", "PORT", "SOCKET"].map(|it| entries.take(&format!("{name}_{it}")));
        let mut server = Server::new(protocol);
        match (&host, &domain) {
            (Some(host), _) if !host.value.trim().is_empty() => set_host(&mut server, host),
            (None, Some(domain)) if has_defaults => {
                let host = format!("{}.{}", name.to_lowercase(), domain.value.trim());
                let reason = format!("{name}_HOST is not set, {host} is the default of the image");
                server.host = Some(Noted::assumed(host, reason));
            }
            (None, Some(domain)) if protocol == Protocol::Pop3 && input.image.is_empty() => {
                let text = format!(
                    "POP_HOST is not set, so POP3 is not offered; if the program was the one of \
                     freifunkMUC, it offered pop.{0}: set pop3.host to it then",
                    domain.value.trim()
                );
                draft.note(NoteKind::Hint, Some(domain.place.clone()), text);
                leave_all([port, socket], "POP_HOST is not set", draft);
                continue;
            }
            _ => {
                leave_all([port, socket], &format!("{name}_HOST is not set"), draft);
                continue;
            }
        }
        let is_set = |found: &Found| !found.value.trim().is_empty();
        match port.filter(is_set) {
            Some(port) => set_port(&mut server, &port, draft),
            None if has_defaults => {
                let reason = format!("{name}_PORT is not set, this is the default of the image");
                server.port = Some(Noted::assumed(ports::usual(protocol, security).get(), reason));
            }
            None => {}
        }
        set_socket_type(&mut server, socket.filter(is_set).as_ref(), draft);
        complete(&mut server);
        draft.top.servers.push(server);
    }
    // Both as in its autoconfig document.
    let company = entries.take_set("COMPANY_NAME");
    if let Some(name) = company.as_ref().or(domain.as_ref().filter(|_| has_defaults)) {
        let text = format!("{} Email", name.value.trim());
        draft.top.set("provider.name", name.noted(text));
    }
    let titled = |url: String| {
        let title = BTreeMap::from([("en".to_owned(), "Generic settings page".to_owned())]);
        Value::Pages(vec![(url, title)])
    };
    match (entries.take_set("SUPPORT_URL"), &domain) {
        (Some(url), _) => {
            let pages = titled(url.value.trim().to_owned());
            draft.top.set("provider.documentation", url.noted(pages));
        }
        (None, Some(domain)) if has_defaults => {
            let pages = titled(format!("https://{}", domain.value.trim()));
            let reason = "SUPPORT_URL is not set, this is the default of the image";
            draft.top.set("provider.documentation", Noted::assumed(pages, reason));
        }
        (None, _) => {}
    }
    if let Some(url) = entries.take_set("MOBILESYNC_URL") {
        draft.top.set("activesync.url", url.noted(url.value.trim()));
    }
    if let Some(identifier) = entries.take_set("PROFILE_IDENTIFIER") {
        draft.top.set("apple.identifier", identifier.noted(identifier.value.trim()));
    }
    // The name of a server for ActiveSync is its URL ([MS-ASCMD]).
    entries.take("MOBILESYNC_NAME");
    entries.leave(&["PROFILE_UUID", "MAIL_UUID", "LDAP_UUID"], NEW_IDENTIFIERS, draft);
    let ldap = [
        "LDAP_HOST",
        "LDAP_PORT",
        "LDAP_SOCKET",
        "LDAP_BASE",
        "LDAP_USER_FIELD",
        "LDAP_USER_BASE",
        "LDAP_SEARCH",
    ];
    entries.leave(&ldap, "mailsetup has no key for LDAP address books", draft);
    answers_any(domain.as_ref(), input, draft);
}

/// Names the domain of a responder that answers every domain, with the same settings, unless there is
/// another one for other domains.
fn answers_any(domain: Option<&Found>, input: &Input, draft: &mut Draft) {
    if let Some(domain) = domain {
        name_domains([domain.noted(domain.value.trim())], draft);
    }
    if !input.is_one_of_several {
        draft.top.set("domains.answer", Noted::assumed("any", ANSWERED_ANY));
    }
}

//------------ solarssk -------------------------------------------------------

/// Answers the domains that it names.
fn solarssk(entries: &mut Entries, _: &Input, draft: &mut Draft) {
    names(entries, ["MAIL_DISPLAY_NAME", "MAIL_DISPLAY_SHORT_NAME"], draft);
    let login = entries.take_set("USERNAME_FORMAT");
    for protocol in [Protocol::Imap, Protocol::Smtp, Protocol::Pop3] {
        let name = protocol.to_string().to_uppercase();
        let keys = ["ENABLED", "HOST", "PORT", "SOCKET_TYPE", "AUTHENTICATION"]
            .map(|it| format!("{name}_{it}"));
        let keys = keys.each_ref().map(|key| &**key);
        let server = solarssk::server(protocol, entries, &keys, draft);
        let Some(mut server) = server else { continue };
        if let Some(login) = &login {
            match login.value.trim() {
                "localpart" => set_username(&mut server, EMAIL_LOCAL_PART, login.origin()),
                "email" => set_username(&mut server, EMAIL_ADDRESS, login.origin()),
                _ if protocol == Protocol::Imap => {
                    draft.not_carried(
                        login.place.clone(),
                        format!("{}: not a form of logins", login.text),
                    );
                }
                _ => {}
            }
        }
        draft.top.servers.push(server);
    }
    if let Some(domains) = entries.take_set("ALLOWED_DOMAINS") {
        let names = domains.value.split(',').map(str::trim).filter(|name| !name.is_empty());
        name_domains(names.map(|name| domains.noted(name)), draft);
    }
    if let Some(file) = entries.take_set("CONFIG_FILE") {
        let text = format!(
            "{}: if that file exists, it was used instead of these; import it alone",
            file.text
        );
        draft.note(NoteKind::Hint, Some(file.place), text);
    }
    for key in ["OUTLOOK_ENABLED", "THUNDERBIRD_ENABLED", "APPLE_MOBILECONFIG_ENABLED"] {
        if entries.value(key).is_some_and(|value| !is_true(value)) {
            entries.leave(&[key], "mailsetup answers all clients", draft);
        }
    }
    let key = "RETURN_404_FOR_UNKNOWN_DOMAIN";
    if entries.value(key).is_some_and(|value| !is_true(value)) {
        entries.leave(&[key], "mailsetup answers other domains with status 404", draft);
    }
}

//------------ Automx2Docker --------------------------------------------------

/// Fills the database of automx2, which answers the domains that it names.
fn automx2(entries: &mut Entries, _: &Input, draft: &mut Draft) {
    names(entries, ["PROVIDER_NAME", "PROVIDER_SHORTNAME"], draft);
    for (protocol, name) in
        [(Protocol::Imap, "IMAP"), (Protocol::Pop3, "POP"), (Protocol::Smtp, "SMTP")]
    {
        let [host, port, socket] =
            ["HOST", "PORT", "SOCKET"].map(|it| entries.take_set(&format!("{name}_{it}")));
        let Some(host) = host else {
            leave_all([port, socket], &format!("{name}_HOST is not set"), draft);
            continue;
        };
        let mut server = Server::new(protocol);
        set_host(&mut server, &host);
        if let Some(port) = port {
            set_port(&mut server, &port, draft);
        }
        set_socket_type(&mut server, socket.as_ref(), draft);
        let always = || "the image always says this".to_owned();
        set_username(&mut server, EMAIL_ADDRESS, Origin::Assumed(always()));
        server.auth = Some(Noted::assumed(vec![Auth::Password], always()));
        complete(&mut server);
        draft.top.servers.push(server);
    }
    if let Some(domains) = entries.take_set("DOMAINS") {
        let names = domains.value.split(',').map(str::trim).filter(|name| !name.is_empty());
        name_domains(names.map(|name| domains.noted(name)), draft);
    }
}

//------------ wdes -----------------------------------------------------------

/// Answers every domain. The custom ones have servers below their own names, all others the same.
fn wdes(entries: &mut Entries, _: &Input, draft: &mut Draft) {
    let hosts = [
        (Protocol::Imap, "imap", "IMAP_HOSTNAME"),
        (Protocol::Pop3, "pop", "POP_HOSTNAME"),
        (Protocol::Smtp, "smtp", "SMTP_HOSTNAME"),
    ];
    for (protocol, _, key) in hosts {
        if let Some(host) = entries.take_set(key) {
            wdes_servers(protocol, &host, None, &mut draft.top);
        }
    }
    let reason = "the responder shows the domain with Mail behind it";
    draft.top.set("provider.name", Noted::assumed("%EMAILDOMAIN% Mail", reason));
    if let Some(custom) = entries.take_set("CUSTOM_DOMAINS") {
        // The program compares names as they are written, without removing blanks.
        let names: Vec<_> = custom.value.split(',').map(str::trim).collect();
        let is_name = |name: &&&str| !name.is_empty();
        name_domains(names.iter().filter(is_name).map(|name| custom.noted(*name)), draft);
        for (name, settings) in &mut draft.domains {
            let name = name.value.clone();
            for (protocol, label, _) in hosts {
                wdes_servers(protocol, &custom, Some(&format!("{label}.{name}")), settings);
            }
        }
    }
    if !draft.top.servers.is_empty() {
        draft.top.set("domains.answer", Noted::assumed("any", ANSWERED_ANY));
    }
    entries.leave(&["APPLE_MAIL_UUID", "APPLE_PROFILE_UUID"], NEW_IDENTIFIERS, draft);
}

/// TLS from the first byte, then STARTTLS, on the usual ports.
fn wdes_servers(protocol: Protocol, found: &Found, host: Option<&str>, settings: &mut Settings) {
    for security in [Security::Tls, Security::StartTls] {
        let mut server = Server::new(protocol);
        server.host = Some(found.noted(host.unwrap_or(found.value.trim())));
        let reason = "the responder offers this port for every server";
        server.port = Some(Noted::assumed(ports::usual(protocol, security).get(), reason));
        server.security = Some(Noted::assumed(security, reason));
        settings.servers.push(server);
    }
}

//------------ damianmoore ----------------------------------------------------

/// Answers every domain with one host and STARTTLS.
fn damianmoore(entries: &mut Entries, input: &Input, draft: &mut Draft) {
    names(entries, ["DISPLAY_NAME", "DISPLAY_SHORT_NAME"], draft);
    let Some(host) = entries.take_set("MAIL_HOSTNAME") else { return };
    for protocol in [Protocol::Imap, Protocol::Smtp] {
        let mut server = Server::new(protocol);
        set_host(&mut server, &host);
        let reason = "the responder always says this";
        let port = ports::usual(protocol, Security::StartTls).get();
        server.port = Some(Noted::assumed(port, reason));
        server.security = Some(Noted::assumed(Security::StartTls, reason));
        draft.top.servers.push(server);
    }
    answers_any(None, input, draft);
}

//------------ onlime ---------------------------------------------------------

/// Answers every domain. A server without TLS from the first byte has STARTTLS.
fn onlime(entries: &mut Entries, input: &Input, draft: &mut Draft) {
    for (protocol, name, security) in [
        (Protocol::Imap, "IMAP", Security::Tls),
        (Protocol::Pop3, "POP3", Security::Tls),
        (Protocol::Smtp, "SMTP", Security::StartTls),
    ] {
        let mut first = |endings: &[&str]| {
            let mut found =
                endings.iter().filter_map(|it| entries.take_set(&format!("{name}_{it}")));
            found.next()
        };
        let host = first(&["SERVER_HOSTNAME", "SERVER"]);
        let port = first(&["SERVER_PORT", "PORT"]);
        let tls = first(&["SERVER_SSL", "SSL"]);
        let Some(host) = host else {
            leave_all([port, tls], "the host is not set", draft);
            continue;
        };
        let mut server = Server::new(protocol);
        set_host(&mut server, &host);
        match port {
            Some(port) => set_port(&mut server, &port, draft),
            None => {
                let port = ports::usual(protocol, security).get();
                server.port =
                    Some(Noted::assumed(port, "the port is not set, this was the default"));
            }
        }
        let (said, origin) = match &tls {
            Some(tls) if is_true(&tls.value) => (Security::Tls, tls.origin()),
            Some(tls) => (Security::StartTls, tls.origin()),
            None => (security, Origin::Assumed("it is not set, this was the default".to_owned())),
        };
        set_security(&mut server, Said::Word(said), origin, draft);
        draft.top.servers.push(server);
    }
    let keys = ["DB_TYPE", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_PASS"];
    entries.leave(&keys, "names and logins came from a database; for logins see [login]", draft);
    entries.leave(&["SMTP_GLOBAL_PREFERRED"], "mailsetup has no such setting", draft);
    answers_any(entries.take_set("EMAIL_PROVIDER").as_ref(), input, draft);
}

//------------ Common parts ---------------------------------------------------

/// The names of the provider.
fn names(entries: &mut Entries, [name, short_name]: [&str; 2], draft: &mut Draft) {
    for (key, name) in [("provider.name", name), ("provider.short_name", short_name)] {
        if let Some(found) = entries.take_set(name) {
            draft.top.set(key, found.noted(found.value.trim()));
        }
    }
}
