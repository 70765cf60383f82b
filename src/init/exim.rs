//! What Exim tells of its ports, its certificate and its domains: the output of `exim -bP` with
//! [`OPTIONS`].
//!
//! Values are strings that Exim expands for each connection: only the forms that are usual for "all
//! hosts, once TLS is on" are understood, and every other one is noted. Values of authenticators are
//! never repeated, since they may hold passwords. Rules: the Exim specification, chapters 13, 14, 33
//! and 43 (4.96).

use super::expansion::{When, default_file, list, when};
use super::facts::{Certificate, DomainSource, Facts, Listener, Reach};
use crate::account::{Auth, Protocol, Security};
use crate::draft::{Note, NoteKind, Noted, Origin, Place};
use crate::order;
use crate::ports;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

/// What to ask `exim -bP` for.
pub const OPTIONS: [&str; 10] = [
    "daemon_smtp_ports",
    "tls_on_connect_ports",
    "tls_advertise_hosts",
    "tls_certificate",
    "auth_advertise_hosts",
    "hosts_proxy",
    "local_interfaces",
    "primary_hostname",
    "+local_domains",
    "authenticators",
];

/// Reads the output; `None` if it is not that of Exim. `source` is its name.
pub fn read(text: &str, source: &str) -> Option<Facts> {
    let output = Output::parse(text, source);
    output.options.get("daemon_smtp_ports")?;
    let mut facts = Facts::default();
    let place = output.place("daemon_smtp_ports");
    facts.server = Some(Noted::seen("Exim", place, ""));
    output.listeners(&mut facts);
    output.certificate(&mut facts);
    if let Some(name) = output.value("primary_hostname") {
        facts.names.push(output.seen("primary_hostname", name));
    }
    output.domains(&mut facts);
    Some(facts)
}

//------------ Output ---------------------------------------------------------

/// The output of `exim -bP`.
struct Output<'a> {
    source: &'a str,
    /// The options, with their lines.
    options: HashMap<&'a str, (usize, &'a str)>,
    authenticators: Vec<Authenticator<'a>>,
}

/// A method of login.
struct Authenticator<'a> {
    line: usize,
    options: HashMap<&'a str, &'a str>,
}

impl<'a> Output<'a> {
    fn parse(text: &'a str, source: &'a str) -> Output<'a> {
        let mut output = Output { source, options: HashMap::new(), authenticators: Vec::new() };
        for (line, content) in text.lines().enumerate().map(|(at, content)| (at + 1, content)) {
            if content.trim_end().ends_with(" authenticator:") {
                output.authenticators.push(Authenticator { line, options: HashMap::new() });
                continue;
            }
            let Some((key, value)) = content.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim());
            match output.authenticators.last_mut() {
                Some(authenticator) => {
                    authenticator.options.entry(key).or_insert(value);
                }
                None => {
                    output.options.entry(key).or_insert((line, value));
                }
            }
        }
        output
    }

    /// The value of an option, unless it is empty.
    fn value(&self, key: &str) -> Option<&'a str> {
        self.options.get(key).map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    fn place(&self, key: &str) -> Place {
        match self.options.get(key) {
            Some((line, _)) => Place::line(self.source, *line),
            None => Place::whole(self.source),
        }
    }

    /// Says that a value follows from an option.
    fn seen<T>(&self, key: &str, value: impl Into<T>) -> Noted<T> {
        Noted { value: value.into(), origin: self.origin(key) }
    }

    fn origin(&self, key: &str) -> Origin {
        let value = self.options.get(key).map_or("", |(_, value)| *value);
        Origin::seen(self.place(key), format!("{key} = {value}").trim_end().to_owned())
    }

    fn note(&self, facts: &mut Facts, kind: NoteKind, key: &str, text: impl Into<String>) {
        facts.notes.push(Note { kind, place: Some(self.place(key)), text: text.into() });
    }
}

//------------ Ports ----------------------------------------------------------

impl Output<'_> {
    fn listeners(&self, facts: &mut Facts) {
        let tls_ports = self.ports("tls_on_connect_ports", facts);
        let usual = self.ports("daemon_smtp_ports", facts);
        let starttls = self.when("tls_advertise_hosts", facts);
        let login = self.login(facts);
        let proxies = list(self.value("hosts_proxy").unwrap_or_default());
        let proxy = proxies.iter().any(|it| it == "*").then(|| self.origin("hosts_proxy"));
        if proxy.is_none() && !proxies.is_empty() {
            let text =
                "only these hosts are proxies; other clients connect to the ports themselves";
            self.note(facts, NoteKind::Hint, "hosts_proxy", text);
        }
        let mut by_port: Vec<(NonZeroU16, Vec<IpAddr>)> = Vec::new();
        let mut add = |port, address| {
            let known = by_port.iter().position(|(known, _)| *known == port);
            let at = known.unwrap_or_else(|| {
                by_port.push((port, Vec::new()));
                by_port.len() - 1
            });
            by_port[at].1.push(address);
        };
        for element in list(self.value("local_interfaces").unwrap_or("<; ::0 ; 0.0.0.0")) {
            match interface(&element) {
                Some((address, Some(port))) => add(port, address),
                Some((address, None)) => usual.iter().for_each(|port| add(*port, address)),
                None => {
                    let text = format!("not an address with a port: {element}");
                    self.note(facts, NoteKind::Hint, "local_interfaces", text);
                }
            }
        }
        for (port, addresses) in by_port {
            let is_tls = tls_ports.contains(&port);
            let (security, key) = match (is_tls, &starttls) {
                (true, _) => (Security::Tls, "tls_on_connect_ports"),
                (false, When::Never) => (Security::Plain, "tls_advertise_hosts"),
                (false, _) => (Security::StartTls, "tls_advertise_hosts"),
            };
            facts.listeners.push(Listener {
                protocol: Protocol::Smtp,
                port: self.seen("daemon_smtp_ports", port),
                security: self.seen(key, security),
                requires_tls: is_tls || login.as_ref().is_some_and(|(_, needs_tls)| *needs_tls),
                reach: reach(addresses),
                auth: login.as_ref().map(|(auth, _)| auth.clone()),
                behind_proxy: proxy.clone(),
                without: None,
                refuses_mail: None,
            });
        }
    }

    /// A list of ports.
    fn ports(&self, key: &str, facts: &mut Facts) -> Vec<NonZeroU16> {
        let mut ports = Vec::new();
        for element in list(self.value(key).unwrap_or_default()) {
            match port(&element) {
                Some(port) if !ports.contains(&port) => ports.push(port),
                Some(_) => {}
                None => {
                    let text = format!("{key}: not a port that is known here: {element}");
                    self.note(facts, NoteKind::Hint, key, text);
                }
            }
        }
        ports
    }

    /// When a list of hosts has a client.
    fn when(&self, key: &str, facts: &mut Facts) -> When {
        match self.value(key) {
            None => When::Never,
            Some(value) => when(value).unwrap_or_else(|| {
                let text = format!("{key} depends on the client: it is taken for all of them");
                self.note(facts, NoteKind::Hint, key, text);
                When::Always
            }),
        }
    }

    /// When logins are offered, to other machines.
    fn when_offered(&self, facts: &mut Facts) -> When {
        let key = "auth_advertise_hosts";
        let is_here = |it: &String| ["localhost", "127.0.0.1", "::1", "@[]"].contains(&it.as_str());
        let mut elements = list(self.value(key).unwrap_or("*"));
        elements.retain(|it| !is_here(it));
        // What follows does not count.
        if let Some(at) = elements.iter().position(|it| it == "!*") {
            elements.truncate(at);
        }
        when(&elements.join(" : ")).unwrap_or_else(|| self.when(key, facts))
    }

    /// The methods of login, and whether they are offered only after TLS; `None` if there is no login.
    fn login(&self, facts: &mut Facts) -> Option<(Noted<Vec<Auth>>, bool)> {
        if self.options.get("auth_advertise_hosts").is_some_and(|(_, value)| value.is_empty()) {
            self.note(
                facts,
                NoteKind::Hint,
                "auth_advertise_hosts",
                "auth_advertise_hosts is empty: no login is offered",
            );
            return None;
        }
        let offered = self.when_offered(facts);
        if offered == When::Never {
            let text = "auth_advertise_hosts has this machine only: no login is offered to others";
            self.note(facts, NoteKind::Hint, "auth_advertise_hosts", text);
            return None;
        }
        let mut methods: Vec<Auth> = Vec::new();
        let mut first = None;
        let mut all_need_tls = true;
        for authenticator in self.authenticators.iter().filter(|it| it.is_for_servers()) {
            let place = Place::line(self.source, authenticator.line);
            let name = authenticator.value("public_name").unwrap_or_default();
            let Some(method) = method(name) else {
                let text = format!("an authenticator that mail clients rarely know: {name}");
                facts.notes.push(Note { kind: NoteKind::NotCarried, place: Some(place), text });
                continue;
            };
            let condition = authenticator.value("server_advertise_condition");
            // What is not understood is not said to be offered without TLS.
            all_need_tls &= condition.is_some_and(|it| when(it) != Some(When::Always));
            if condition.is_some_and(|it| when(it).is_none()) {
                let text =
                    format!("{name}: whether it is offered depends on the client or the port");
                let place = Some(place.clone());
                facts.notes.push(Note { kind: NoteKind::Hint, place, text });
            }
            first.get_or_insert((place, name));
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        let Some((place, name)) = first else {
            let text = "no authenticator for clients is set up: no login is offered";
            facts.notes.push(Note {
                kind: NoteKind::Hint,
                place: Some(Place::whole(self.source)),
                text: text.to_owned(),
            });
            return None;
        };
        // Every client knows it.
        order::sort_by_key(&mut methods, |method| *method != Auth::Password);
        let needs_tls = all_need_tls || offered == When::AfterTls;
        Some((Noted::seen(methods, place, format!("public_name = {name}")), needs_tls))
    }

    fn certificate(&self, facts: &mut Facts) {
        let has_tls = facts.listeners.iter().any(|it| it.security.value != Security::Plain);
        match self.value("tls_certificate") {
            None if has_tls => self.note(
                facts,
                NoteKind::Warning,
                "tls_certificate",
                "tls_certificate is empty: Exim uses a self-signed certificate, which mail clients \
                 refuse",
            ),
            None => {}
            Some(value) => {
                let is_path = |it: &str| it.starts_with('/') && !it.contains('$');
                let files = list(value);
                for file in files.iter().filter(|it| is_path(it)) {
                    let file = Certificate { name: None, file: PathBuf::from(file) };
                    facts.certificates.push(self.seen("tls_certificate", file));
                }
                if files.iter().all(|it| is_path(it)) {
                    return;
                }
                let file = files.iter().find_map(|it| default_file(it));
                let text = match file {
                    Some(file) => {
                        let text = format!(
                            "tls_certificate depends on the name that the client asks for: {file} is \
                             taken for the usual one"
                        );
                        let file = Certificate { name: None, file: PathBuf::from(file) };
                        facts.certificates.push(self.seen("tls_certificate", file));
                        text
                    }
                    None => "tls_certificate depends on the client: the names in it are not known"
                        .to_owned(),
                };
                self.note(facts, NoteKind::Hint, "tls_certificate", text);
            }
        }
    }
}

impl<'a> Authenticator<'a> {
    fn value(&self, key: &str) -> Option<&'a str> {
        self.options.get(key).copied().filter(|value| !value.is_empty())
    }

    /// False if it is only for connections that Exim makes itself: each driver has an option that
    /// makes it one for clients (Exim specification, chapters 34 to 41).
    fn is_for_servers(&self) -> bool {
        let key = match self.value("driver") {
            Some("plaintext" | "external") => "server_condition",
            Some("cram_md5") => "server_secret",
            Some("spa") => "server_password",
            Some("dovecot") => "server_socket",
            // A certificate of the client takes the place of a password.
            Some("tls") | None => return false,
            Some(_) => return true,
        };
        self.value(key).is_some()
    }
}

/// The method of a SASL mechanism.
fn method(name: &str) -> Option<Auth> {
    match name.to_ascii_uppercase().as_str() {
        "PLAIN" | "LOGIN" => Some(Auth::Password),
        "CRAM-MD5" => Some(Auth::CramMd5),
        "NTLM" => Some(Auth::Ntlm),
        "XOAUTH2" | "OAUTHBEARER" => Some(Auth::OAuth2),
        _ => None,
    }
}

//------------ Domains --------------------------------------------------------

impl Output<'_> {
    fn domains(&self, facts: &mut Facts) {
        let key = "domainlist local_domains";
        let Some(value) = self.value(key) else {
            facts.notes.push(Note {
                kind: NoteKind::Hint,
                place: Some(Place::whole(self.source)),
                text: "there is no list local_domains: its domains are not known".to_owned(),
            });
            return;
        };
        let host = self.value("primary_hostname");
        let own = || host.map(|name| DomainSource::Host(name.to_owned()));
        for element in list(value) {
            let source = match element.as_str() {
                "@[]" | "localhost" | "localhost.localdomain" => None,
                other if other == "@" || host == Some(other) => own(),
                other => Some(source(other)),
            };
            facts.domains.extend(source.map(|source| self.seen(key, source)));
        }
    }
}

/// What an element of a list of domains stands for.
fn source(element: &str) -> DomainSource {
    let unknown = |why: &str| DomainSource::Unknown(format!("{element}: {why}"));
    if let Some((lookup, rest)) = element.split_once(';') {
        let kind = lookup.trim().rsplit('-').next().unwrap_or_default();
        let kind = kind.split(',').next().unwrap_or_default();
        let file = rest.trim();
        let file = if file.starts_with('/') && !file.contains('$') { Some(file) } else { None };
        return match (kind, file) {
            ("lsearch" | "wildlsearch" | "nwildlsearch", Some(file)) => {
                DomainSource::File(PathBuf::from(file))
            }
            ("dsearch", Some(folder)) => {
                DomainSource::Command(vec!["ls".to_owned(), folder.to_owned()])
            }
            ("mysql" | "pgsql" | "sqlite" | "ldap" | "ldapm" | "ldapdn", _) => {
                DomainSource::Query { kind: kind.to_owned(), file: None, command: None }
            }
            _ => unknown("it cannot be listed"),
        };
    }
    if element.starts_with('+') {
        let name = element.trim_start_matches('+');
        return unknown(&format!("another list; `exim -bP +{name}` prints it"));
    }
    if element.starts_with("${lookup") {
        let kinds = ["mysql", "pgsql", "sqlite", "ldap"];
        if let Some(kind) = kinds.iter().find(|kind| element.contains(*kind)) {
            return DomainSource::Query { kind: (*kind).to_owned(), file: None, command: None };
        }
    }
    if element.starts_with('/') && !element.contains('$') {
        return DomainSource::File(PathBuf::from(element));
    }
    match element.starts_with(['!', '^', '$', '@', '*']) {
        true => unknown("it is not a domain"),
        false => DomainSource::Name(element.to_owned()),
    }
}

//------------ Addresses ------------------------------------------------------

/// An address, with a port if it has one: `0.0.0.0`, `192.0.2.1.465`, `[192.0.2.1]:465`.
fn interface(text: &str) -> Option<(IpAddr, Option<NonZeroU16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(number) => Some(number.parse().ok()?),
            None => None,
        };
        return Some((address.parse().ok()?, port));
    }
    // "::0" is the way in which Exim writes all addresses of version 6.
    if let Ok(address) = text.parse() {
        return Some((address, None));
    }
    let (address, number) = text.rsplit_once('.')?;
    Some((address.parse().ok()?, Some(number.parse().ok()?)))
}

/// A port by its number or its name.
fn port(text: &str) -> Option<NonZeroU16> {
    let smtp = ports::of(Protocol::Smtp);
    match text {
        "smtp" => NonZeroU16::new(25),
        "submission" => Some(smtp.starttls.number),
        "submissions" | "smtps" | "ssmtp" => smtp.tls.map(|port| port.number),
        number => number.parse().ok(),
    }
}

/// From where a port can be reached.
fn reach(mut addresses: Vec<IpAddr>) -> Reach {
    if addresses.iter().any(IpAddr::is_unspecified) {
        return Reach::Everywhere;
    }
    if addresses.iter().all(IpAddr::is_loopback) {
        return Reach::Loopback;
    }
    addresses.retain(|address| !address.is_loopback());
    addresses.dedup();
    Reach::Addresses(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `465 Tls true Everywhere [Password]`
    fn listeners(lines: &[&str]) -> Vec<String> {
        let text = lines.join("\n");
        let facts = read(&text, "exim -bP").expect("the output");
        let shown = facts.listeners.iter().map(|it| {
            let auth = it.auth.as_ref().map(|auth| auth.value.clone());
            let Listener { port, security, requires_tls, reach, .. } = it;
            format!("{} {:?} {requires_tls} {reach:?} {auth:?}", port.value, security.value)
        });
        shown.collect()
    }

    const PLAIN: &str = "plain authenticator:\ndriver = plaintext\npublic_name = PLAIN\n\
                         server_condition = 1";

    #[test]
    fn a_port_has_tls_a_reach_and_logins() {
        let always = "auth_advertise_hosts = *";
        let after = "auth_advertise_hosts = ${if eq {$tls_in_cipher}{}{}{*}}";
        let tls = "tls_advertise_hosts = *";
        for (lines, expected) in [
            (
                &["daemon_smtp_ports = submission", after, tls, PLAIN][..],
                &["587 StartTls true Everywhere Some([Password])"][..],
            ),
            (
                &["daemon_smtp_ports = 465", "tls_on_connect_ports = submissions", always, PLAIN],
                &["465 Tls true Everywhere Some([Password])"],
            ),
            (
                &["daemon_smtp_ports = 587", "tls_advertise_hosts = ", always, PLAIN],
                &["587 Plain false Everywhere Some([Password])"],
            ),
            (
                &["daemon_smtp_ports = 587", tls, "auth_advertise_hosts = ", PLAIN],
                &["587 StartTls false Everywhere None"],
            ),
            (
                &[
                    "daemon_smtp_ports = 587",
                    tls,
                    "auth_advertise_hosts = localhost : ::::1",
                    PLAIN,
                ],
                &["587 StartTls false Everywhere None"],
            ),
            (
                &[
                    "daemon_smtp_ports = 587",
                    tls,
                    "auth_advertise_hosts = localhost : ${if eq{$tls_in_cipher}{}{}{*}}",
                    PLAIN,
                ],
                &["587 StartTls true Everywhere Some([Password])"],
            ),
            (
                &["daemon_smtp_ports = smtp", tls, "local_interfaces = <; 127.0.0.1 ; ::1"],
                &["25 StartTls false Loopback None"],
            ),
            (
                &["daemon_smtp_ports = 25", tls, "local_interfaces = ::::1 : 192.0.2.1.587"],
                &[
                    "25 StartTls false Loopback None",
                    "587 StartTls false Addresses([192.0.2.1]) None",
                ],
            ),
        ] {
            assert_eq!(listeners(lines), expected, "{lines:?}");
        }
        assert_eq!(read("protocols = imap", ""), None);
    }

    #[test]
    fn only_all_hosts_are_behind_a_proxy() {
        let start = "daemon_smtp_ports = 587\ntls_advertise_hosts = *\n";
        for (value, is_behind) in [("*", true), ("192.0.2.1", false), ("", false)] {
            let text = format!("{start}hosts_proxy = {value}\n{PLAIN}\n");
            let facts = read(&text, "exim -bP").expect("the output");
            assert_eq!(facts.listeners[0].behind_proxy.is_some(), is_behind, "{value}");
        }
        for (value, takes_login) in [("*", true), ("!*", false), ("127.0.0.1 : !*", false)] {
            let text = format!("{start}auth_advertise_hosts = {value}\n{PLAIN}\n");
            let text = text.replace("authenticator:", "authenticator:  ");
            let facts = read(&text, "exim -bP").expect("the output");
            assert_eq!(facts.listeners[0].auth.is_some(), takes_login, "{value}");
        }
    }

    #[test]
    fn domains_have_sources() {
        for (element, source) in [
            ("example.org", DomainSource::Name("example.org".to_owned())),
            ("lsearch;/etc/domains", DomainSource::File("/etc/domains".into())),
            ("partial-lsearch;/etc/domains", DomainSource::File("/etc/domains".into())),
            ("/etc/domains", DomainSource::File("/etc/domains".into())),
        ] {
            assert_eq!(self::source(element), source, "{element}");
        }
        for element in ["!a.example", "^x", "+other", "*.example.org", "lsearch;$home/x", "nis;x"] {
            assert!(matches!(self::source(element), DomainSource::Unknown(_)), "{element}");
        }
        for element in ["mysql;SELECT", "${lookup pgsql{SELECT}}"] {
            assert!(matches!(self::source(element), DomainSource::Query { .. }), "{element}");
        }
    }
}
