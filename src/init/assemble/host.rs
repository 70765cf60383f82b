//! The host name of the servers: a name in the certificate, since clients compare it with that, else
//! the name that a mail server has.

use super::machine::Machine;
use crate::account::{Protocol, Security};
use crate::address::Domain;
use crate::draft::{Draft, NoteKind, Noted, Origin, Place, Value};
use crate::init::facts::{Certificate, Facts};
use crate::order::sort_by_key;

/// Why a file cannot be read that is not there.
const MISSING: &str = "No such file or directory";

/// Sets the hosts of all servers. `named` are the domains with tables of their own.
pub(super) fn add(machine: &Machine, named: &[String], draft: &mut Draft) {
    note_certificates(machine, draft);
    let mut servers = std::mem::take(&mut draft.top.servers);
    for server in &mut servers {
        let order = order(machine, server.protocol);
        server.host = of_each_domain(&order, named, server.protocol)
            .or_else(|| in_certificate(machine, &order, server.protocol))
            .or_else(|| of_folder(machine, &order))
            .or_else(|| of_machine(machine, &order));
        if server.host.is_none() {
            let has_certificate = order.iter().any(|facts| !facts.certificates.is_empty());
            let reason = match has_certificate {
                true => "no host name was seen, and the certificate was not read",
                false => "no certificate and no host name was seen",
            };
            server.host = Some(Noted::assumed("mail.%EMAILDOMAIN%", reason));
        }
    }
    // Domains with a certificate of their own.
    for name in named {
        let Some((_, settings)) = draft.domains.iter_mut().find(|(known, _)| known.value == *name)
        else {
            continue;
        };
        let is_for_all = |host: &Noted<String>| host.value.contains('%');
        for server in servers.iter().filter(|it| !it.host.as_ref().is_some_and(is_for_all)) {
            let order = order(machine, server.protocol);
            if let Some(host) = of_domain(&order, name, server.protocol) {
                let value = Noted { value: Value::Text(host.value), origin: host.origin };
                settings.set(host_key(server.protocol), value);
            }
        }
    }
    draft.top.servers = servers;
    note_assumed(draft);
}

fn host_key(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => "imap.host",
        Protocol::Pop3 => "pop3.host",
        Protocol::Smtp => "smtp.host",
        Protocol::ManageSieve => "managesieve.host",
    }
}

/// What the servers tell, those of this protocol first.
fn order(machine: &Machine, protocol: Protocol) -> Vec<&Facts> {
    let mut order: Vec<_> = machine.facts.iter().collect();
    sort_by_key(&mut order, |facts| !facts.listeners.iter().any(|it| it.protocol == protocol));
    order
}

/// The names that hosts of a protocol usually have, before a domain.
fn prefixes(protocol: Protocol) -> [&'static str; 3] {
    match protocol {
        Protocol::Imap | Protocol::ManageSieve => ["mail.", "imap.", ""],
        Protocol::Pop3 => ["mail.", "pop.", "pop3."],
        Protocol::Smtp => ["mail.", "smtp.", ""],
    }
}

//------------ Certificates ---------------------------------------------------

/// The names in the usual certificates of the servers, in lower case, with their origin.
fn names(machine: &Machine, facts: &Facts) -> Vec<Noted<String>> {
    let usual = facts.certificates.iter().filter(|it| it.value.name.is_none());
    let names = usual.filter_map(|certificate| {
        let names = machine.certificates.get(&certificate.value.file)?.as_ref().ok()?;
        let all = names.join(", ");
        let with_names = |place: &Place| {
            Origin::seen(place.clone(), format!("{}: {all}", certificate.value.file.display()))
        };
        let origin = match certificate.origin.place() {
            Some(place) => with_names(place),
            None => certificate.origin.clone(),
        };
        let noted =
            move |name: &String| Noted { value: name.to_ascii_lowercase(), origin: origin.clone() };
        Some(names.iter().map(noted).collect::<Vec<_>>())
    });
    names.flatten().collect()
}

/// The best name in a certificate.
fn in_certificate(
    machine: &Machine,
    order: &[&Facts],
    protocol: Protocol,
) -> Option<Noted<String>> {
    let own: Vec<_> = order.iter().flat_map(|facts| &facts.names).collect();
    order.iter().find_map(|facts| {
        let names = names(machine, facts);
        let hosts = || names.iter().filter(|it| is_host(&it.value));
        let is_own = |name: &str| own.iter().any(|it| it.value.eq_ignore_ascii_case(name));
        let with_prefix = || {
            let prefixes = prefixes(protocol).into_iter().filter(|prefix| !prefix.is_empty());
            let mut of = prefixes.filter_map(|it| hosts().find(|host| host.value.starts_with(it)));
            of.next()
        };
        let found = hosts().find(|host| is_own(&host.value)).or_else(with_prefix);
        if let Some(found) = found.or_else(|| in_wildcard_first(&names, hosts().next())) {
            return Some(found.clone());
        }
        // A wildcard: the name of the machine, if it is below it.
        let parent = |it: &Noted<String>| it.value.strip_prefix("*.").map(str::to_owned);
        let wildcards = || names.iter().filter_map(|it| Some((it, parent(it)?)));
        let covered = wildcards().find_map(|(wildcard, parent)| {
            let names = own.iter().map(|it| it.value.to_ascii_lowercase());
            let mut below =
                names.filter(|name| name.split_once('.').is_some_and(|(_, above)| above == parent));
            Some(Noted { value: below.next()?, origin: wildcard.origin.clone() })
        });
        covered.or_else(|| {
            let (wildcard, parent) = wildcards().next()?;
            let reason = format!("the certificate is for *.{parent} only ({})", wildcard.origin);
            Some(Noted::assumed(format!("mail.{parent}"), reason))
        })
    })
}

/// The first host, unless a wildcard makes another name possible.
fn in_wildcard_first<'a>(
    names: &[Noted<String>],
    first: Option<&'a Noted<String>>,
) -> Option<&'a Noted<String>> {
    first.filter(|_| !names.iter().any(|it| it.value.starts_with("*.")))
}

/// True for a name that clients of other machines can use.
fn is_host(name: &str) -> bool {
    let local = [".local", ".localdomain", ".lan", ".internal", ".invalid"];
    Domain::parse(name).is_ok_and(|domain| domain.as_str() == name)
        && !local.iter().any(|ending| name.ends_with(ending))
}

/// `mail.%EMAILDOMAIN%`, if each named domain has such a certificate of its own.
fn of_each_domain(order: &[&Facts], named: &[String], protocol: Protocol) -> Option<Noted<String>> {
    let (first, others) = named.split_first()?;
    if others.is_empty() {
        return None;
    }
    prefixes(protocol).into_iter().filter(|prefix| !prefix.is_empty()).find_map(|prefix| {
        let own = |domain: &String| by_sni(order, &format!("{prefix}{domain}"));
        let found = own(first)?;
        others
            .iter()
            .all(|domain| own(domain).is_some())
            .then(|| Noted { value: format!("{prefix}%EMAILDOMAIN%"), origin: found.origin })
    })
}

/// The host for which there is a certificate for one domain.
fn of_domain(order: &[&Facts], domain: &str, protocol: Protocol) -> Option<Noted<String>> {
    prefixes(protocol).into_iter().find_map(|prefix| by_sni(order, &format!("{prefix}{domain}")))
}

/// A certificate that the server of the protocol has for a name.
fn by_sni(order: &[&Facts], name: &str) -> Option<Noted<String>> {
    let certificates = order.first().map(|facts| &facts.certificates)?;
    let found = certificates
        .iter()
        .find(|it| it.value.name.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(name)))?;
    Some(Noted { value: name.to_owned(), origin: found.origin.clone() })
}

/// Notes why certificates were not read, and those that clients refuse.
fn note_certificates(machine: &Machine, draft: &mut Draft) {
    let mut seen = Vec::new();
    for certificate in machine.facts.iter().flat_map(|facts| &facts.certificates) {
        let file = &certificate.value.file;
        if seen.contains(&file) {
            continue;
        }
        seen.push(file);
        let place = certificate.origin.place().cloned();
        let shown = file.display();
        // The certificates that Debian's packages ssl-cert and dovecot-core create.
        let text = file.to_string_lossy();
        if text.contains("snakeoil") || text.ends_with("/dovecot/private/dovecot.pem") {
            let text =
                format!("{shown} is not from a public authority: mail clients warn about it");
            draft.note(NoteKind::Warning, place.clone(), text);
        }
        if let Some(Err(why)) = machine.certificates.get(file) {
            // A file with the key stands beside that with the certificate.
            let is_with = |it: &&Noted<Certificate>| {
                it.origin == certificate.origin
                    && machine.certificates.get(&it.value.file).is_some_and(Result::is_ok)
            };
            let mut all = machine.facts.iter().flat_map(|facts| &facts.certificates);
            if all.find(is_with).is_some() {
                continue;
            }
            let text = if why.starts_with(MISSING) {
                format!("{shown}: {why}: connections with TLS need this certificate")
            } else {
                let root = if why.contains("Permission denied") { "; run it as root" } else { "" };
                format!("{shown}: the names are not known: {why}{root}")
            };
            draft.note(NoteKind::Warning, place, text);
        }
    }
}

/// The name of a protocol for `openssl s_client -starttls`.
fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => "imap",
        Protocol::Pop3 => "pop3",
        Protocol::Smtp => "smtp",
        Protocol::ManageSieve => "sieve",
    }
}

/// Says that hosts are guesses, and how to compare them with the certificate.
fn note_assumed(draft: &mut Draft) {
    let mut assumed: Vec<(&str, u16, Option<&str>)> = Vec::new();
    for server in &draft.top.servers {
        let (Some(host), Some(port)) = (&server.host, &server.port) else { continue };
        let is_known = assumed.iter().any(|(name, ..)| *name == host.value);
        if host.origin.place().is_none() && !host.value.contains('%') && !is_known {
            let is_starttls =
                matches!(&server.security, Some(it) if it.value == Security::StartTls);
            assumed.push((&host.value, port.value, is_starttls.then(|| word(server.protocol))));
        }
    }
    let Some((host, port, starttls)) = assumed.first() else { return };
    let names: Vec<_> = assumed.iter().map(|(name, ..)| *name).collect();
    let starttls = starttls.map_or(String::new(), |it| format!(" -starttls {it}"));
    let text = format!(
        "assumed host names, which must be in the certificate: {}; `openssl s_client -connect \
         {host}:{port}{starttls} </dev/null | openssl x509 -noout -ext subjectAltName` prints its names",
        names.join(", ")
    );
    draft.note(NoteKind::Warning, None, text);
}

//------------ Machine --------------------------------------------------------

/// The name of the folder of a certificate that was not read: programs that get certificates name it
/// after the first name in it. The name of the machine is better if it is below that: the certificate
/// may be a wildcard.
fn of_folder(machine: &Machine, order: &[&Facts]) -> Option<Noted<String>> {
    let is_usual = |certificate: &&Noted<Certificate>| {
        let file = &certificate.value.file;
        certificate.value.name.is_none()
            && !machine.certificates.get(file).is_some_and(Result::is_ok)
    };
    // Those of the server of the protocol, if it has any.
    let facts = order.iter().find(|facts| !facts.certificates.is_empty())?;
    let mut usual = facts.certificates.iter().filter(is_usual);
    usual.find_map(|certificate| {
        let folder = certificate.value.file.parent()?.file_name()?.to_str()?.to_ascii_lowercase();
        // What certbot and acme.sh add to a name that they have twice.
        let name = folder.strip_suffix("_ecc").unwrap_or(&folder);
        let name = match name.rsplit_once('-') {
            Some((name, number))
                if number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                name
            }
            _ => name,
        };
        if !name.contains('.') || name.starts_with('.') || !is_host(name) {
            return None;
        }
        let is_below = |host: &str| host.ends_with(&format!(".{name}"));
        let own =
            || order.iter().flat_map(|facts| &facts.names).map(|it| it.value.to_ascii_lowercase());
        if own().find(|host| is_host(host)).is_some_and(|first| first == name || is_below(&first)) {
            return None;
        }
        let name = own().find(|host| is_below(host)).unwrap_or_else(|| name.to_owned());
        let origin = certificate.origin.to_string();
        let origin = origin.trim_start_matches("Seen: ");
        let reason = format!("{origin}: the name of the folder (the certificate was not read)");
        Some(Noted::assumed(name, reason))
    })
}

/// The name of a mail server, since no certificate was read.
fn of_machine(machine: &Machine, order: &[&Facts]) -> Option<Noted<String>> {
    let names = order.iter().flat_map(|facts| &facts.names);
    let name = names.into_iter().find(|name| is_host(&name.value.to_ascii_lowercase()))?;
    let has_none = machine.facts.iter().all(|facts| facts.certificates.is_empty());
    let why = if has_none { "no certificate was seen" } else { "the certificate was not read" };
    let reason = format!("{} ({why})", name.origin.to_string().trim_start_matches("Seen: "));
    Some(Noted::assumed(name.value.to_ascii_lowercase(), reason))
}
