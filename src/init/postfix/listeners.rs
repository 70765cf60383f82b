//! From a service of the type `inet` to a listener: its address, TLS and logins (postconf(5),
//! TLS_README, SASL_README).
//!
//! What is not in the manuals was seen with Postfix 3.7.11: without a certificate, STARTTLS is
//! offered and fails, and a port with TLS from the first byte closes the connection; smtpd does not
//! start with an argument that is not an option.

use super::lines::{LIST, shortened, words};
use super::parameters::{Found, Parameters};
use super::restrictions;
use super::services::{Service, Services};
use crate::account::{Auth, Protocol, Security};
use crate::draft::{Note, NoteKind, Noted, Origin};
use crate::init::facts::{Listener, Reach};
use crate::ports;
use std::net::IpAddr;
use std::num::NonZeroU16;

/// The methods of login that are known here.
const METHODS: [Auth; 4] = [Auth::Password, Auth::CramMd5, Auth::Ntlm, Auth::OAuth2];
/// The port at which other mail servers deliver (RFC 5321).
const MX: u16 = 25;
/// The parameters that name a server's certificates, if there is no `smtpd_tls_chain_files`.
pub const CERTIFICATES: [&str; 3] =
    ["smtpd_tls_cert_file", "smtpd_tls_eccert_file", "smtpd_tls_dcert_file"];

/// The listener of a service; `None` if it is not one of smtpd, or cannot be used. Notes say why.
pub fn listener(
    service: &Service,
    services: &Services,
    main: &Parameters,
    notes: &mut Vec<Note>,
) -> Option<Listener> {
    let command = match &service.command {
        Some(command) => command.as_str(),
        None if service.own.keys().any(|name| name.starts_with("smtpd_")) => "smtpd",
        None => return None,
    };
    let is_screen = command == "postscreen";
    if service.kind != "inet" || !(is_screen || command == "smtpd") {
        return None;
    }
    let mut note = |kind, text: String| {
        notes.push(Note { kind, place: Some(service.place.clone()), text });
    };
    let label = service.label();
    if let Some(stray) = &service.stray {
        let text = format!(
            "{label}: smtpd does not start, since {:?} is not an option; in master.cf, a value with \
             blanks needs braces: -o {{ name = value }}",
            shortened(stray)
        );
        note(NoteKind::Warning, text);
        return None;
    }
    if let Some(origin) = is_disabled(service, main) {
        note(NoteKind::Hint, format!("{label}: disabled by {}", shown(&origin)));
        return None;
    }
    let (host, port) = address(&service.name);
    let Some(port) = number(port) else {
        let port = shortened(port);
        let text = format!(
            "{label}: which port {port:?} is stands in /etc/services of the machine: \
             getent services {port}; the service is left out"
        );
        note(NoteKind::Warning, text);
        return None;
    };
    let value = |name: &str| main.value(name, &service.own);
    let proxy = value(match is_screen {
        true => "postscreen_upstream_proxy_protocol",
        false => "smtpd_upstream_proxy_protocol",
    });
    let seen = Origin::seen(service.place.clone(), service.shown.clone());
    let mut listener = Listener {
        protocol: Protocol::Smtp,
        port: Noted { value: port, origin: seen.clone() },
        security: Noted { value: Security::Plain, origin: seen },
        requires_tls: false,
        reach: reach(host, main),
        auth: None,
        behind_proxy: (!proxy.value.is_empty()).then_some(proxy.origin),
        without: None,
        refuses_mail: None,
    };
    // Behind postscreen, which passes connections on, is another service.
    let service = match services.find("smtpd", "pass") {
        Some(behind) if is_screen && port.get() != MX => behind,
        _ if is_screen => return Some(listener),
        _ => service,
    };
    let value = |name: &str| main.value(name, &service.own);

    let Some((security, mut requires)) = security(service, port, main) else {
        let level = value("smtpd_tls_security_level");
        let text = format!("{label}: smtpd does not start: {}", shown(&level.origin));
        note(NoteKind::Warning, text);
        return None;
    };
    listener.security = security;
    let discarded = value("smtpd_discard_ehlo_keywords");
    let is_discarded = |keyword: &str| {
        words(&discarded.value, LIST).iter().any(|word| word.eq_ignore_ascii_case(keyword))
    };
    if listener.security.value == Security::StartTls && is_discarded("starttls") {
        let text = format!("{label}: STARTTLS is not announced: {}", shown(&discarded.origin));
        note(NoteKind::Warning, text);
        listener.security = Noted { value: Security::Plain, origin: discarded.origin.clone() };
        if requires {
            // There is no login outside of TLS.
            return Some(listener);
        }
    }
    let enabled = value("smtpd_sasl_auth_enable");
    let is_enabled = enabled.value.eq_ignore_ascii_case("yes")
        || !enabled.is_known && (is_tls_port(port) || is_starttls_port(port));
    let enabled = is_enabled.then_some(enabled.origin);
    if listener.security.value != Security::Plain && !has_certificate(service, main) {
        let text = format!(
            "{label}: TLS is enabled, and there is no certificate, so that no connection with TLS \
             works; set smtpd_tls_chain_files"
        );
        note(NoteKind::Warning, text);
        if requires {
            return None;
        }
        listener.security.value = Security::Plain;
    }
    if let Some(origin) = main.is_yes("smtpd_tls_auth_only", &service.own) {
        if listener.security.value == Security::Plain && enabled.is_some() {
            let text = format!("{label}: no login, since there is no TLS: {}", shown(&origin));
            note(NoteKind::Warning, text);
            return Some(listener);
        }
        requires = true;
    }
    listener.requires_tls = requires;
    let Some(enabled) = enabled else { return Some(listener) };
    if is_discarded("auth") {
        let text = format!("{label}: logins are not announced: {}", shown(&discarded.origin));
        note(NoteKind::Warning, text);
        return Some(listener);
    }

    listener.refuses_mail = restrictions::refusal(main, &service.own);
    let plain = without(value("smtpd_sasl_security_options"));
    // By default, those inside of TLS are the same; postconf -x puts the value of main.cf there.
    let of_main = |name: &str| main.value(name, &Default::default()).value;
    let is_same = service.own.contains_key("smtpd_sasl_security_options")
        && !service.own.contains_key("smtpd_sasl_tls_security_options")
        && of_main("smtpd_sasl_tls_security_options") == of_main("smtpd_sasl_security_options");
    let inside = match listener.security.value {
        Security::Plain => plain.clone(),
        _ if is_same => plain.clone(),
        _ => without(value("smtpd_sasl_tls_security_options")),
    };
    let refuses = |without: &Option<Noted<Vec<Auth>>>, method| {
        without.as_ref().is_some_and(|it| it.value.contains(&method))
    };
    if let Some(without) = inside.as_ref().filter(|it| it.value.len() == METHODS.len()) {
        let text = format!(
            "{label}: {} leaves no method that mail clients know, and smtpd does not start",
            shown(&without.origin)
        );
        note(NoteKind::Warning, text);
        return Some(listener);
    }
    if let Some(without) = inside.as_ref().filter(|it| it.value.contains(&Auth::Password)) {
        let text = format!(
            "{label}: {} refuses PLAIN and LOGIN, which most clients use",
            shown(&without.origin)
        );
        note(NoteKind::Warning, text);
    }
    let kind = value("smtpd_sasl_type");
    listener.auth = Some(match kind.value == "dovecot" || main.is_partial() {
        true => Noted { value: Vec::new(), origin: enabled },
        false => {
            let method = match refuses(&inside, Auth::Password) {
                true => Auth::CramMd5,
                false => Auth::Password,
            };
            let reason = format!("the methods of another SASL server: {}", shown(&kind.origin));
            Noted::assumed(vec![method], shortened(&reason))
        }
    });
    if let (Security::StartTls, false, true) =
        (listener.security.value, requires, refuses(&plain, Auth::Password))
    {
        let origin = plain.map(|plain| shown(&plain.origin)).unwrap_or_default();
        let text = format!(
            "{label}: {origin} leaves mechanisms before STARTTLS only if the SASL server has others \
             than PLAIN and LOGIN; otherwise smtpd does not start; smtpd_tls_auth_only = yes is safe"
        );
        note(NoteKind::Warning, text);
    }
    listener.without = inside;
    Some(listener)
}

/// The methods that security options refuse, as Dovecot describes its mechanisms (postconf(5),
/// `smtpd_sasl_security_options`).
fn without(options: Found) -> Option<Noted<Vec<Auth>>> {
    let words = words(&options.value, LIST);
    let has = |option: &str| words.iter().any(|word| word.eq_ignore_ascii_case(option));
    let is_refused = |method: &Auth| match method {
        // No mechanism that is known here has these properties.
        _ if has("forward_secrecy") || has("mutual_auth") => true,
        Auth::Password => has("noplaintext"),
        Auth::CramMd5 | Auth::Ntlm => has("noactive") || has("nodictionary"),
        _ => false,
    };
    let value: Vec<_> = METHODS.into_iter().filter(is_refused).collect();
    (!value.is_empty()).then_some(Noted { value, origin: options.origin })
}

/// True for the registered port with TLS from the first byte.
fn is_tls_port(port: NonZeroU16) -> bool {
    ports::of(Protocol::Smtp).tls.is_some_and(|tls| tls.number == port)
}

/// True for the registered port with STARTTLS.
fn is_starttls_port(port: NonZeroU16) -> bool {
    ports::of(Protocol::Smtp).starttls.number == port
}

/// What protects a connection, and whether it is required; `None` for a level that does not exist.
///
/// A value that is not known is taken to be the usual one of the port.
fn security(
    service: &Service,
    port: NonZeroU16,
    main: &Parameters,
) -> Option<(Noted<Security>, bool)> {
    let wrap = main.value("smtpd_tls_wrappermode", &service.own);
    if wrap.value.eq_ignore_ascii_case("yes") || !wrap.is_known && is_tls_port(port) {
        // smtpd_tls_security_level is ignored then.
        return Some((Noted { value: Security::Tls, origin: wrap.origin }, true));
    }
    let level = main.value("smtpd_tls_security_level", &service.own);
    if !level.is_known {
        return Some((Noted { value: Security::StartTls, origin: level.origin }, true));
    }
    let required = main.is_yes("smtpd_enforce_tls", &service.own);
    let used = main.is_yes("smtpd_use_tls", &service.own);
    let (value, origin, requires) = match (level.value.as_str(), required, used) {
        ("", Some(origin), _) => (Security::StartTls, origin, true),
        ("", None, Some(origin)) => (Security::StartTls, origin, false),
        ("" | "none", ..) => (Security::Plain, level.origin, false),
        ("may", ..) => (Security::StartTls, level.origin, false),
        ("encrypt" | "verify" | "secure" | "fingerprint" | "dane" | "dane-only", ..) => {
            (Security::StartTls, level.origin, true)
        }
        _ => return None,
    };
    Some((Noted { value, origin }, requires))
}

/// True if there is a certificate, or if that cannot be known.
fn has_certificate(service: &Service, main: &Parameters) -> bool {
    let is_set = |name: &str| {
        let value = main.value(name, &service.own).value;
        !value.is_empty() && value != "none"
    };
    main.is_partial() || is_set("smtpd_tls_chain_files") || CERTIFICATES.into_iter().any(is_set)
}

/// The setting that disables the service, if one does: `master_service_disable`.
fn is_disabled(service: &Service, main: &Parameters) -> Option<Origin> {
    let list = main.value("master_service_disable", &Default::default());
    for word in words(&list.value, LIST) {
        let (pattern, disables) = match word.strip_prefix('!') {
            Some(pattern) => (pattern, false),
            None => (word, true),
        };
        let is_service = |separator: char| {
            let name =
                pattern.strip_suffix(&*service.kind).and_then(|it| it.strip_suffix(separator));
            name == Some(&service.name)
        };
        if pattern == service.kind || is_service('/') || is_service('.') {
            return disables.then_some(list.origin);
        }
    }
    None
}

/// The host of a service, if it has one, and its port: `[::1]:465`, `submission`.
fn address(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (Some(host).filter(|host| !host.is_empty()), port)
        }
        _ => (None, name),
    }
}

/// The port of a service by its number, or by its name in /etc/services.
fn number(port: &str) -> Option<NonZeroU16> {
    let ports::Ports { tls, starttls } = ports::of(Protocol::Smtp);
    match port {
        "smtp" | "mail" => NonZeroU16::new(MX),
        "submission" => Some(starttls.number),
        "submissions" | "smtps" | "ssmtp" | "urd" => tls.map(|port| port.number),
        number => number.parse().ok(),
    }
}

fn reach(host: Option<&str>, main: &Parameters) -> Reach {
    if let Some(host) = host {
        return reach_of(&[host]);
    }
    let interfaces = main.value("inet_interfaces", &Default::default()).value;
    match interfaces.as_str() {
        "all" | "" => Reach::Everywhere,
        "loopback-only" => Reach::Loopback,
        list => reach_of(&words(list, LIST)),
    }
}

fn reach_of(hosts: &[&str]) -> Reach {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for host in hosts {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => return Reach::Everywhere,
            Ok(address) => addresses.push(address),
            Err(_) if bare.eq_ignore_ascii_case("localhost") => {
                addresses.push(IpAddr::from([127, 0, 0, 1]));
            }
            Err(_) if *host == "all" => return Reach::Everywhere,
            Err(_) => {
                return Reach::Unknown(format!(
                    "it listens at the addresses of {}",
                    shortened(host)
                ));
            }
        }
    }
    match addresses.iter().all(IpAddr::is_loopback) {
        true => Reach::Loopback,
        false => Reach::Addresses(addresses),
    }
}

/// What an origin shows in a sentence.
pub fn shown(origin: &Origin) -> String {
    match origin {
        Origin::Seen { place, text } => format!("{text} ({place})"),
        Origin::Assumed(reason) => reason.clone(),
    }
}
