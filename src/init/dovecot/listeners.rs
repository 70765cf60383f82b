//! Where a Dovecot serves mail clients: the listeners of its login services, for the protocols that
//! are on.
//!
//! `doveconf -n` hides default listeners, `doveconf -S` also shows those of protocols that are off. A
//! listener without a port is off, and one with `ssl = yes` is if `ssl = no` for all: Dovecot 2.3.19 and
//! 2.4.1 do so.

use super::config::{Config, Found, is_variable, shown, words};
use super::services::{self, Certificate};
use super::tree::{Block, escaped, unescaped};
use crate::account::{Auth, Protocol, Security};
use crate::draft::{Note, NoteKind, Noted, Origin};
use crate::init::facts::{Listener, Reach};
use crate::order;
use crate::ports;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU16;

/// The words of `protocols` that mail clients use, each with the service that accepts its
/// connections.
const SERVICES: [(&str, &str, Protocol); 4] = [
    ("imap", "imap-login", Protocol::Imap),
    ("pop3", "pop3-login", Protocol::Pop3),
    ("submission", "submission-login", Protocol::Smtp),
    ("sieve", "managesieve-login", Protocol::ManageSieve),
];
/// The most listeners of a service.
const MAX_LISTENERS: usize = 100;

/// What [`read`] found.
#[derive(Debug, Default)]
pub struct Read {
    /// The listeners, of each protocol the best first.
    pub listeners: Vec<Listener>,
    /// What is to be said about them.
    pub notes: Vec<Note>,
}

/// Finds the listeners. `messages` is what doveconf printed on standard error: it names protocols that
/// are not installed.
pub fn read(config: &Config, messages: &str) -> Read {
    let mut read = Read::default();
    let protocols = config.protocols();
    let on: BTreeSet<&str> = words(&protocols.value).collect();
    let mechanisms = Mechanisms::read(config, &mut read);
    let served: Vec<_> = SERVICES.into_iter().filter(|(word, ..)| on.contains(word)).collect();
    for (word, program, protocol) in &served {
        // doveconf prints everything else, and Dovecot does not start.
        if is_unknown(config, word, program, messages) {
            let text = format!("protocols has {word}, but its package is not installed");
            read.note(NoteKind::Warning, &protocols.origin, text);
            continue;
        }
        let certificate = services::certificate(config, word);
        let all = services::of_program(config, program, &on);
        let all: Vec<_> = all
            .into_iter()
            .map(|name| Service {
                config,
                word,
                name,
                program,
                protocol: *protocol,
                certificate: &certificate,
            })
            .collect();
        read_protocol(&all, &protocols, &mechanisms, &mut read);
    }
    if served.is_empty() {
        let text = match on.is_empty() {
            true => "protocols is not set: this Dovecot serves no mail clients".to_owned(),
            false => {
                let value = shown(protocols.value.trim());
                format!(
                    "protocols = {value}: this Dovecot serves no mail clients, another server may"
                )
            }
        };
        read.note(NoteKind::Hint, &protocols.origin, text);
    }
    // Of the same protocol: TLS from the first byte, then STARTTLS; the registered port first.
    order::sort_by_key(&mut read.listeners, |it| {
        let security = it.security.value;
        let order = SERVICES.iter().position(|(.., protocol)| *protocol == it.protocol);
        let by_security = match security {
            Security::Tls => 0,
            Security::StartTls => 1,
            Security::Plain => 2,
        };
        (order, by_security, it.port.value != ports::usual(it.protocol, security))
    });
    read
}

/// The listeners of all services of a protocol.
fn read_protocol(
    services: &[Service],
    protocols: &Found,
    mechanisms: &Mechanisms,
    read: &mut Read,
) {
    let before = (read.listeners.len(), read.notes.len());
    for service in services {
        service.read(protocols, mechanisms, read);
    }
    let Some(Service { config, word, program, protocol, .. }) = services.first() else { return };
    // A note says why a port is left out.
    if (read.listeners.len(), read.notes.len()) == before {
        let text = format!("protocols has {word}, but {program} listens at no port");
        read.note(NoteKind::Hint, &protocols.origin, text);
    }
    if *protocol != Protocol::Smtp {
        return;
    }
    let relay = config.setting_or("submission_relay_host", Some(word), "");
    if !relay.value.is_empty() {
        let text = format!("submission of Dovecot passes mail on to {}", shown(&relay.value));
        read.note(NoteKind::Hint, &relay.origin, text);
    } else {
        // Dovecot 2.3.19 takes the password and says 451 4.3.5 Internal error occurred.
        let text = "submission_relay_host is not set: every login to submission of Dovecot fails";
        read.note(NoteKind::Warning, &relay.origin, text);
        for listener in &mut read.listeners[before.0..] {
            listener.auth = None;
        }
    }
}

/// True if the package of a protocol is not installed: doveconf says so, or `doveconf -S` lists the
/// services without that of the protocol.
pub fn is_unknown(config: &Config, protocol: &str, service: &str, messages: &str) -> bool {
    let mut named = messages.lines().filter_map(|line| line.split_once("Unknown protocol: "));
    named.any(|(_, name)| name.trim() == protocol)
        || services::all(config).is_some_and(|all| !all.contains(service))
}

impl Read {
    fn note(&mut self, kind: NoteKind, origin: &Origin, text: impl Into<String>) {
        self.notes.push(Note { kind, place: origin.place().cloned(), text: text.into() });
    }

    /// Notes what several listeners have in common.
    fn note_once(&mut self, kind: NoteKind, origin: &Origin, text: String) {
        if !self.notes.iter().rev().take(MAX_LISTENERS).any(|it| it.text == text) {
            self.note(kind, origin, text);
        }
    }
}

//------------ Mechanisms -----------------------------------------------------

/// `auth_mechanisms`: what passwords are sent by. It is the same for all protocols.
struct Mechanisms {
    methods: Vec<Auth>,
    origin: Origin,
}

impl Mechanisms {
    fn read(config: &Config, read: &mut Read) -> Mechanisms {
        let found = config.list("auth_mechanisms");
        let found = found.unwrap_or_else(|| config.setting_or("auth_mechanisms", None, "plain"));
        let (mut methods, mut others) = (Vec::new(), Vec::new());
        for word in words(&found.value) {
            let method = match word.to_ascii_lowercase().as_str() {
                "plain" | "login" => Auth::Password,
                "cram-md5" => Auth::CramMd5,
                "ntlm" => Auth::Ntlm,
                "xoauth2" | "oauthbearer" => Auth::OAuth2,
                _ => {
                    others.push(shown(word));
                    continue;
                }
            };
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        others.truncate(MAX_LISTENERS);
        if !others.is_empty() {
            let text = format!(
                "mechanisms that a configuration of mail clients does not name: {}",
                others.join(", ")
            );
            read.note(NoteKind::NotCarried, &found.origin, text);
        }
        if others.iter().any(|it| it.eq_ignore_ascii_case("anonymous")) {
            let text = "auth_mechanisms has anonymous: users log in without a password";
            read.note(NoteKind::Warning, &found.origin, text);
        }
        for block in config.tree.root.of("protocol") {
            if let Some(setting) = block.setting("auth_mechanisms") {
                // Dovecot 2.3.19 and 2.4.1 offer those that are set for all.
                let text = format!(
                    "auth_mechanisms in protocol {} has no effect: those for all are in force",
                    shown(&block.name)
                );
                read.note(NoteKind::Hint, &config.seen(setting).origin, text);
            }
        }
        Mechanisms { methods, origin: found.origin }
    }
}

//------------ Service --------------------------------------------------------

/// A service of a protocol that is on.
struct Service<'a> {
    config: &'a Config<'a>,
    /// `imap`.
    word: &'a str,
    /// `imap-login`, or any other name.
    name: &'a str,
    /// `imap-login`.
    program: &'a str,
    protocol: Protocol,
    certificate: &'a Certificate,
}

impl Service<'_> {
    fn read(&self, protocols: &Found, mechanisms: &Mechanisms, read: &mut Read) {
        for name in self.names() {
            if let Some(listener) = self.listener(&name, protocols, mechanisms, read) {
                read.listeners.push(listener);
            }
        }
    }

    /// The names of the listeners, the default ones first.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.defaults().iter().map(|(name, ..)| (*name).to_owned()).collect();
        let list = format!("service/{}/inet_listener", self.name);
        if let Some((_, list)) = self.config.flat.as_ref().and_then(|flat| flat.get(&list)) {
            names = words(list).map(unescaped).collect();
        }
        let mut seen: BTreeSet<String> = names.iter().cloned().collect();
        for block in self.blocks().flat_map(|service| service.of("inet_listener")) {
            if seen.insert(block.name.clone()) {
                names.push(block.name.clone());
            }
        }
        names.truncate(MAX_LISTENERS);
        names
    }

    /// The blocks `service imap-login { … }`.
    fn blocks(&self) -> impl DoubleEndedIterator<Item = &Block<'_>> {
        self.config.tree.root.of("service").filter(|it| it.name == self.name)
    }

    /// The listeners that the service has without any setting: name, port, whether it begins with
    /// TLS.
    fn defaults(&self) -> Vec<(&'static str, NonZeroU16, bool)> {
        if self.name != self.program {
            return Vec::new();
        }
        let ports = ports::of(self.protocol);
        let (plain, tls) = match self.protocol {
            Protocol::Imap => ("imap", Some("imaps")),
            Protocol::Pop3 => ("pop3", Some("pop3s")),
            // Dovecot 2.3 has no listener for TLS from the first byte.
            Protocol::Smtp => ("submission", self.config.is_new.then_some("submissions")),
            Protocol::ManageSieve => ("sieve", None),
        };
        let tls = tls.zip(ports.tls).map(|(name, port)| (name, port.number, true));
        [Some((plain, ports.starttls.number, false)), tls].into_iter().flatten().collect()
    }

    /// True if a listener was configured, and is not only there by default.
    fn is_written(&self, listener: &str) -> bool {
        let mut all = self.blocks().flat_map(|service| service.of("inet_listener"));
        all.any(|it| it.name == listener && !it.is_empty())
    }

    /// A setting of a listener.
    fn value(&self, listener: &str, name: &str) -> Option<Found> {
        let blocks = self.blocks().rev().flat_map(|service| service.of("inet_listener").rev());
        let mut settings =
            blocks.filter(|it| it.name == listener).filter_map(|it| it.setting(name));
        if let Some(setting) = settings.next() {
            let Found { value, origin } = self.config.seen(setting);
            let origin = match origin {
                Origin::Seen { place, text } => {
                    Origin::seen(place, format!("inet_listener {}: {text}", shown(listener)))
                }
                assumed => assumed,
            };
            return Some(Found { value, origin });
        }
        let name = format!("service/{}/inet_listener/{}/{name}", self.name, escaped(listener));
        self.config.flat(&name)
    }

    fn listener(
        &self,
        name: &str,
        protocols: &Found,
        mechanisms: &Mechanisms,
        read: &mut Read,
    ) -> Option<Listener> {
        let default = self.defaults().into_iter().find(|(known, ..)| *known == name);
        let reason = || {
            let protocols = match protocols.origin.place() {
                Some(place) => format!("{} is on ({place})", self.word),
                None => format!("{} is on by default", self.word),
            };
            let series = self.config.series();
            Origin::Assumed(format!("a default of Dovecot {series}, and {protocols}"))
        };
        let by_default = |value: String| Found { value, origin: reason() };
        let port = self.value(name, "port");
        let port = port.or_else(|| default.map(|(_, port, _)| by_default(port.to_string())))?;
        let number = match port.value.parse::<u16>() {
            Ok(number) => NonZeroU16::new(number)?,
            Err(_) => {
                let text = "this port is not a number: the listener is left out";
                read.note(NoteKind::NotCarried, &port.origin, text);
                return None;
            }
        };
        if name == "sieve_deprecated" {
            let text =
                format!("port {number}: clients use {}", ports::of(self.protocol).starttls.number);
            read.note(NoteKind::NotCarried, &port.origin, text);
            return None;
        }
        let is_tls = self.value(name, "ssl").or_else(|| {
            default.map(|(.., tls)| by_default(if tls { "yes" } else { "no" }.to_owned()))
        });
        let is_tls = is_tls.filter(Found::is_yes);
        let reach = self.reach(name, number, read);
        let security = self.security(name, number, is_tls, &reach, read)?;
        let haproxy = self.value(name, "haproxy");
        if let Some(haproxy) = haproxy.as_ref().filter(|it| is_variable(&it.value)) {
            let text = format!(
                "port {number}: whether clients come through a proxy is known only to the running \
                 Dovecot; if they do, write the port of the proxy"
            );
            read.note(NoteKind::NotCarried, &haproxy.origin, text);
        }
        let haproxy = haproxy.filter(Found::is_yes);
        let requires_tls = self.requires_tls(security.value);
        let auth = self.methods(number, &security, &reach, mechanisms, read);
        let port = Noted { value: number, origin: port.origin };
        let behind_proxy = haproxy.map(|it| it.origin);
        Some(Listener {
            protocol: self.protocol,
            port,
            security,
            requires_tls,
            reach,
            auth,
            behind_proxy,
            without: None,
            refuses_mail: None,
        })
    }

    /// How connections to a listener are protected; `None` if it accepts none, or if that is not known.
    fn security(
        &self,
        name: &str,
        port: NonZeroU16,
        is_tls: Option<Found>,
        reach: &Reach,
        read: &mut Read,
    ) -> Option<Noted<Security>> {
        let for_all = self.config.setting_or("ssl", None, "yes");
        let ssl = self.config.setting_or("ssl", Some(self.word), "yes");
        let is_off = |ssl: &Found| ssl.value.eq_ignore_ascii_case("no");
        if is_variable(&ssl.value) {
            let text =
                format!("the protection of port {port} is known only to the running Dovecot");
            read.note(NoteKind::NotCarried, &ssl.origin, text);
            return None;
        }
        if self.config.is_new && ssl.value.eq_ignore_ascii_case("required") {
            let allows = self.config.setting_or("auth_allow_cleartext", Some(self.word), "no");
            if allows.is_yes() {
                // Dovecot 2.4.1: "Invalid settings: auth_allow_cleartext=yes has no effect".
                let text = format!(
                    "auth_allow_cleartext = yes, and ssl = required: Dovecot 2.4 closes every \
                     connection to {}",
                    self.word
                );
                read.note_once(NoteKind::Warning, &allows.origin, text);
                return None;
            }
        }
        // A connection from the machine itself counts as safe.
        let works = *reach == Reach::Loopback || is_off(&ssl) || self.has_certificate(&ssl, read);
        match is_tls {
            Some(_) if is_off(&for_all) || is_off(&ssl) => {
                let ssl = if is_off(&ssl) { ssl } else { for_all };
                if self.is_written(name) {
                    let text = format!("port {port} has TLS, but ssl = no: it serves no clients");
                    read.note(NoteKind::Warning, &ssl.origin, text);
                }
                None
            }
            Some(_) if !works => None,
            Some(tls) => Some(Noted { value: Security::Tls, origin: tls.origin }),
            None if is_off(&ssl) => {
                // Nobody else can read what stays on the machine.
                if *reach != Reach::Loopback {
                    let text = format!(
                        "port {port} has no TLS: passwords and mail can be read on the way"
                    );
                    read.note(NoteKind::Warning, &ssl.origin, text);
                }
                Some(Noted { value: Security::Plain, origin: ssl.origin })
            }
            None if !works && self.requires_tls(Security::StartTls) => None,
            None if !works => Some(Noted { value: Security::Plain, origin: ssl.origin }),
            None => Some(Noted { value: Security::StartTls, origin: ssl.origin }),
        }
    }

    /// False if there is no certificate, which is noted.
    fn has_certificate(&self, ssl: &Found, read: &mut Read) -> bool {
        let (word, setting) = (self.word, services::certificate_key(self.config));
        match self.certificate {
            Certificate::Usual => true,
            Certificate::OfAddress(place) => {
                let text = format!(
                    "{word}: there is a certificate for some addresses of this machine only; \
                     connections with TLS to all others fail"
                );
                read.note_once(NoteKind::Warning, &Origin::seen(place.clone(), ""), text);
                true
            }
            Certificate::None { has_names } => {
                let names = match has_names {
                    true => ", also with one for some names (local_name)",
                    false => "",
                };
                let text = format!(
                    "{word}: TLS is enabled, and there is no certificate, so that no connection with \
                     TLS works{names}; set {setting}"
                );
                read.note_once(NoteKind::Warning, &ssl.origin, text);
                false
            }
        }
    }

    /// Whether passwords are refused as long as there is no TLS, and the setting that says so.
    fn refuses_clear_text(&self) -> Found {
        if self.config.is_new {
            let found = self.config.setting_or("auth_allow_cleartext", Some(self.word), "no");
            let value = if found.is_yes() { "no" } else { "yes" };
            return Found { value: value.to_owned(), origin: found.origin };
        }
        self.config.setting_or("disable_plaintext_auth", Some(self.word), "yes")
    }

    fn requires_tls(&self, security: Security) -> bool {
        let ssl = self.config.setting_or("ssl", Some(self.word), "yes");
        match security {
            Security::Tls => true,
            Security::StartTls => {
                ssl.value.eq_ignore_ascii_case("required") || self.refuses_clear_text().is_yes()
            }
            Security::Plain => false,
        }
    }

    /// The methods of login at a listener; `None` if nobody can log in there.
    fn methods(
        &self,
        port: NonZeroU16,
        security: &Noted<Security>,
        reach: &Reach,
        mechanisms: &Mechanisms,
        read: &mut Read,
    ) -> Option<Noted<Vec<Auth>>> {
        let mut methods = mechanisms.methods.clone();
        // A connection from the machine itself counts as safe.
        let refuses = self.refuses_clear_text();
        if security.value == Security::Plain && *reach != Reach::Loopback && refuses.is_yes() {
            methods.retain(|it| *it != Auth::Password);
            let text =
                format!("port {port} has no TLS, and a password needs it: it is refused there");
            read.note(NoteKind::Warning, &refuses.origin, text);
        }
        if methods.is_empty() {
            let text = format!("port {port}: no method of login that a configuration can name");
            read.note(NoteKind::Warning, &mechanisms.origin, text);
            return None;
        }
        Some(Noted { value: methods, origin: mechanisms.origin.clone() })
    }

    /// From where a listener can be reached.
    fn reach(&self, listener: &str, port: NonZeroU16, read: &mut Read) -> Reach {
        let key = if self.config.is_new { "listen" } else { "address" };
        let own = self.value(listener, key).filter(|it| !it.value.is_empty());
        let who = if own.is_some() { format!("port {port}") } else { "Dovecot".to_owned() };
        let found = own.unwrap_or_else(|| self.config.setting_or("listen", None, "*, ::"));
        let reach = reach_of(&found.value);
        let is_reached = !matches!(reach, Reach::Loopback | Reach::Unknown(_));
        if is_reached && is_only_v6(&found.value) {
            let text = format!(
                "{who} listens on IPv6 only ({}): clients that have IPv4 alone do not reach it",
                shown(found.value.trim())
            );
            read.note_once(NoteKind::Warning, &found.origin, text);
        }
        reach
    }
}

/// True if all addresses are of IPv6: Dovecot takes no connection with IPv4 at `::`.
fn is_only_v6(list: &str) -> bool {
    let mut all = words(list).map(|word| word.trim_start_matches('[').trim_end_matches(']'));
    all.all(|word| matches!(word.parse::<IpAddr>(), Ok(IpAddr::V6(_))))
}

/// From where sockets at these addresses can be reached.
fn reach_of(list: &str) -> Reach {
    let mut addresses = Vec::new();
    for word in words(list) {
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            _ if bare == "*" => return Reach::Everywhere,
            Ok(address) if address.is_unspecified() => return Reach::Everywhere,
            Ok(address) if !addresses.contains(&address) => addresses.push(address),
            Ok(_) => {}
            Err(_) if bare.eq_ignore_ascii_case("localhost") => {
                addresses.push(IpAddr::from([127, 0, 0, 1]));
            }
            Err(_) => return Reach::Unknown(format!("it listens at {}", shown(list))),
        }
        if addresses.len() > MAX_LISTENERS {
            return Reach::Unknown(format!("it listens at {}", shown(list)));
        }
    }
    if addresses.is_empty() {
        Reach::Unknown("it listens at no address".to_owned())
    } else if addresses.iter().all(IpAddr::is_loopback) {
        Reach::Loopback
    } else {
        Reach::Addresses(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_from_where() {
        let address = |text: &str| text.parse().unwrap();
        for (list, reach) in [
            ("*, ::", Reach::Everywhere),
            ("*,[::]", Reach::Everywhere),
            ("127.0.0.1 0.0.0.0", Reach::Everywhere),
            ("127.0.0.1, ::1", Reach::Loopback),
            ("localhost", Reach::Loopback),
            ("192.0.2.25 [::1]", Reach::Addresses(vec![address("192.0.2.25"), address("::1")])),
            ("mail.example.org", Reach::Unknown("it listens at mail.example.org".to_owned())),
            (" ", Reach::Unknown("it listens at no address".to_owned())),
        ] {
            assert_eq!(reach_of(list), reach, "{list}");
        }
        for (list, expected) in [
            ("::", true),
            ("[::]", true),
            ("2001:db8::1, [2001:db8::2]", true),
            ("*, ::", false),
            ("0.0.0.0 [::]", false),
            ("2001:db8::1 mail.example.org", false),
        ] {
            assert_eq!(is_only_v6(list), expected, "{list}");
        }
    }
}
