//! Which servers are offered: for each protocol, the best of the ports that clients reach.

use super::machine::Machine;
use crate::account::{Auth, Protocol, Security};
use crate::draft::{Draft, NoteKind, Noted, Origin, Place, Server};
use crate::init::facts::{Facts, Listener, Reach};
use crate::order;
use crate::ports;
use std::net::IpAddr;
use std::num::NonZeroU16;

/// The protocols in the order of the configuration.
const PROTOCOLS: [Protocol; 4] =
    [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve];

/// The login by default.
pub(super) const ADDRESS: &str = "%EMAILADDRESS%";

/// Adds the servers.
pub(super) fn add(machine: &Machine, draft: &mut Draft) {
    let mut others = Vec::new();
    for protocol in PROTOCOLS {
        let all = sockets(machine, protocol);
        let (mut offered, hidden): (Vec<_>, Vec<_>) =
            all.iter().partition(|it| it.why_not(machine).is_none());
        // A port on which nothing listens now comes last.
        order::sort_by_key(&mut offered, |it| (!it.listens(machine), it.rank()));
        let is_alone = all.iter().all(Socket::is_relay);
        for socket in hidden {
            socket.note_why_not(machine, &offered, is_alone, draft);
        }
        // A port for other servers is the last resort. One without TLS may be meant for a proxy.
        let is_plain = offered.first().is_some_and(|it| it.is_plain() && !it.is_relay());
        let is_in_front = is_plain || offered.first().is_none_or(|it| it.is_relay());
        let server =
            is_in_front.then(|| in_front(machine, protocol, &all, is_plain, draft)).flatten();
        let (Some((best, rest)), None) = (offered.split_first(), &server) else {
            draft.top.servers.extend(server);
            continue;
        };
        for socket in offered.iter().filter(|it| !it.is_relay()) {
            socket.note_refusal(socket.port() == best.port(), draft);
        }
        let is_other = |it: &&&Socket| {
            it.port() != best.port() && !it.is_relay() && it.listener.refuses_mail.is_none()
        };
        for name in rest.iter().filter(is_other) {
            let closed = if name.listens(machine) { "" } else { ", where no program listens" };
            let text = format!("{}{closed}", name.name());
            if !others.contains(&text) {
                others.push(text);
            }
        }
        best.notes(machine, draft);
        let server = best.server(machine);
        draft.top.servers.push(server);
    }
    if !others.is_empty() {
        let text = format!(
            "not written, since one server of each protocol is enough for mail clients: {}",
            others.join(", ")
        );
        draft.note(NoteKind::Hint, None, text);
    }
}

//------------ Socket ---------------------------------------------------------

/// A socket of a mail server.
struct Socket<'a> {
    listener: &'a Listener,
    facts: &'a Facts,
}

fn sockets(machine: &Machine, protocol: Protocol) -> Vec<Socket<'_>> {
    let all =
        machine.facts.iter().flat_map(|facts| facts.listeners.iter().map(move |it| (it, facts)));
    let of_protocol = all.filter(|(listener, _)| listener.protocol == protocol);
    of_protocol.map(|(listener, facts)| Socket { listener, facts }).collect()
}

impl Socket<'_> {
    fn port(&self) -> NonZeroU16 {
        self.listener.port.value
    }

    /// `imap 143 (starttls)`
    fn name(&self) -> String {
        let mut server = Server::new(self.listener.protocol);
        server.security = Some(self.listener.security.clone());
        format!("{server}").replacen(' ', &format!(" {} ", self.port()), 1)
    }

    fn place(&self) -> Option<Place> {
        self.listener.port.origin.place().cloned()
    }

    /// Why clients cannot use it; `None` if they can.
    fn why_not(&self, machine: &Machine) -> Option<String> {
        if let Some(origin) = &self.listener.behind_proxy {
            let origin = origin.to_string();
            let origin = origin.trim_start_matches("Seen: ");
            Some(format!("takes connections from a proxy only ({origin})"))
        } else if self.listener.reach == Reach::Loopback {
            Some("is reached from this machine only".to_owned())
        } else if self.listener.auth.is_none() {
            Some("takes no login".to_owned())
        } else if self.is_refused() {
            Some("has no TLS, and refuses a login without it".to_owned())
        } else if let (Some(without), Some(methods)) =
            (&self.listener.without, self.methods(machine))
        {
            let origin = without.origin.to_string();
            let origin = origin.trim_start_matches("Seen: ");
            let is_none = methods.value.is_empty();
            is_none.then(|| format!("refuses each method of login that the server has ({origin})"))
        } else {
            None
        }
    }

    /// The methods of login: its own, else those where mail is read, without those that it refuses.
    fn methods(&self, machine: &Machine) -> Option<Noted<Vec<Auth>>> {
        let auth = self.listener.auth.as_ref().filter(|auth| !auth.value.is_empty());
        let auth = auth.or_else(|| methods_of_readers(machine));
        match (auth, &self.listener.without) {
            (Some(auth), Some(without)) => {
                let is_left = |method: &&Auth| !without.value.contains(method);
                let value: Vec<_> = auth.value.iter().filter(is_left).copied().collect();
                let is_same = value == auth.value;
                let origin = if is_same { &auth.origin } else { &without.origin };
                Some(Noted { value, origin: origin.clone() })
            }
            (None, Some(without)) if without.value.contains(&Auth::Password) => {
                let origin = without.origin.to_string();
                let reason = format!("{}: no password", origin.trim_start_matches("Seen: "));
                Some(Noted::assumed(vec![Auth::CramMd5], reason))
            }
            (auth, _) => auth.cloned(),
        }
    }

    /// Says that it is not offered, unless its port is, on other addresses, or it is for other servers
    /// and there are more.
    fn note_why_not(
        &self,
        machine: &Machine,
        offered: &[&Socket],
        is_alone: bool,
        draft: &mut Draft,
    ) {
        let is_known =
            (self.is_relay() && !is_alone) || offered.iter().any(|it| it.port() == self.port());
        let Some(why) = self.why_not(machine).filter(|_| !is_known) else { return };
        let kind = if offered.is_empty() { NoteKind::Warning } else { NoteKind::Hint };
        draft.note(kind, self.place(), format!("{} {why}: it is not offered", self.name()));
    }

    fn is_plain(&self) -> bool {
        self.listener.security.value == Security::Plain
    }

    fn is_refused(&self) -> bool {
        self.is_plain() && self.listener.requires_tls
    }

    /// True for the port on which other servers deliver mail.
    fn is_relay(&self) -> bool {
        self.listener.protocol == Protocol::Smtp && self.port().get() == 25
    }

    /// False if the kernel says that nothing waits on the port.
    fn listens(&self, machine: &Machine) -> bool {
        machine.listening.as_ref().is_none_or(|it| it.is_reachable(self.port().get()))
    }

    /// The best first: TLS from the first byte on its registered port (RFC 8314 §3). A port without TLS
    /// comes after one that is only in a private network, since it shows passwords.
    fn rank(&self) -> impl Ord {
        let Listener { protocol, port, security, refuses_mail, .. } = self.listener;
        let usual = ports::usual(*protocol, security.value);
        let is_assumed = port.origin.place().is_none();
        (
            refuses_mail.is_some(),
            self.is_relay(),
            self.is_plain(),
            self.is_in_private_network(),
            security.value,
            port.value != usual,
            is_assumed,
        )
    }

    /// True if clients reach it only in a private network.
    fn is_in_private_network(&self) -> bool {
        match &self.listener.reach {
            Reach::Addresses(addresses) => {
                addresses.iter().all(|it| is_private(it) || it.is_loopback())
            }
            Reach::Everywhere | Reach::Loopback | Reach::Unknown(_) => false,
        }
    }

    /// Says that users cannot send mail there. `is_best` is true if it is offered.
    fn note_refusal(&self, is_best: bool, draft: &mut Draft) {
        let Some(origin) = &self.listener.refuses_mail else { return };
        let origin = origin.to_string();
        let text = format!(
            "{} refuses mail of users who have logged in ({}); if it is for users, write \
             permit_sasl_authenticated before what refuses",
            self.name(),
            origin.trim_start_matches("Seen: ")
        );
        // Another port may be for programs of the machine.
        let usual = ports::usual(self.listener.protocol, self.listener.security.value);
        let is_for_users = is_best || self.port() == usual;
        let kind = if is_for_users { NoteKind::Warning } else { NoteKind::Hint };
        draft.note(kind, self.place(), text);
    }

    /// What is to be said about a server that is offered.
    fn notes(&self, machine: &Machine, draft: &mut Draft) {
        let name = self.name();
        let Listener { protocol, security, requires_tls, reach, auth, .. } = self.listener;
        if security.value == Security::Plain {
            let place = security.origin.place().cloned();
            // The reader may have noted it.
            if !draft.notes.iter().any(|note| note.place == place && note.text.contains("no TLS")) {
                let text = format!("{name} has no TLS: passwords and mail can be read on the way");
                draft.note(NoteKind::Warning, place, text);
            }
        } else if !requires_tls {
            let text = format!("{name} accepts a login without TLS, too");
            draft.note(NoteKind::Hint, security.origin.place().cloned(), text);
        }
        let usual = ports::of(*protocol);
        let is_usual = |port: NonZeroU16| {
            port == usual.starttls.number || usual.tls.is_some_and(|tls| tls.number == port)
        };
        if !is_usual(self.port()) && !self.is_relay() {
            let text = format!(
                "{name} is not a usual port: if a container or a firewall publishes another one, \
                 write that"
            );
            draft.note(NoteKind::Hint, self.place(), text);
        }
        if !self.listens(machine) {
            let server = self.facts.server.as_ref().map_or("the server", |it| it.value.as_str());
            let text =
                format!("{name}: no program listens there now: start {server}, or reload it");
            draft.note(NoteKind::Warning, self.place(), text);
        }
        match reach {
            Reach::Unknown(why) => {
                let text = format!("{name}: whether clients reach it is not known: {why}");
                draft.note(NoteKind::Hint, self.place(), text);
            }
            Reach::Addresses(addresses) if self.is_in_private_network() => {
                let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
                let text = format!(
                    "{name} is reached only at {}: clients outside of that network need another port \
                     or address",
                    addresses.join(", ")
                );
                draft.note(NoteKind::Hint, self.place(), text);
            }
            _ => {}
        }
        // The SASL server of an SMTP server is usually that of the IMAP server.
        let is_empty = |it: &&Noted<Vec<Auth>>| it.value.is_empty();
        let is_own = self.listener.protocol.is_incoming();
        if let Some(auth) = auth.as_ref().filter(is_empty).filter(|_| is_own) {
            let text = format!(
                "{name}: no method of login that mail clients know; they will try a password"
            );
            draft.note(NoteKind::Warning, auth.origin.place().cloned(), text);
        }
    }

    fn server(&self, machine: &Machine) -> Server {
        let Listener { protocol, port, security, .. } = self.listener;
        let mut server = Server::new(*protocol);
        server.port = Some(Noted { value: port.value.get(), origin: port.origin.clone() });
        server.security = Some(security.clone());
        // Every client knows a password, which is the default; several methods confuse some.
        server.auth = self.methods(machine).filter(|auth| !auth.value.contains(&Auth::Password));
        server.username = login(machine, self.facts);
        // Another SASL server may have other logins.
        let auth = self.listener.auth.as_ref().filter(|_| self.facts.login.is_none());
        if let Some(Origin::Assumed(why)) = auth.map(|auth| &auth.origin) {
            let reason = format!("as where mail is read; it may be another here ({why})");
            server.username = server.username.map(|it| Noted::assumed(it.value, reason));
        }
        server
    }
}

/// The login at a server: its own, else that of the server where mail is read. The default is not
/// repeated.
fn login(machine: &Machine, facts: &Facts) -> Option<Noted<String>> {
    let known = facts.login.as_ref().or_else(|| of_readers(machine))?;
    (known.value != ADDRESS).then(|| known.clone())
}

/// The methods where mail is read.
fn methods_of_readers(machine: &Machine) -> Option<&Noted<Vec<Auth>>> {
    let listeners = machine.facts.iter().flat_map(|facts| &facts.listeners);
    let readers = listeners.filter(|it| it.protocol.is_incoming());
    readers.filter_map(|it| it.auth.as_ref()).find(|auth| !auth.value.is_empty())
}

/// The login where mail is read.
pub(super) fn of_readers(machine: &Machine) -> Option<&Noted<String>> {
    let reads = |facts: &&Facts| facts.listeners.iter().any(|it| it.protocol.is_incoming());
    machine.facts.iter().filter(reads).find_map(|facts| facts.login.as_ref())
}

fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

//------------ Proxies --------------------------------------------------------

/// The server that clients reach through another program, if one is in front: a mail server is there
/// that clients do not reach, and another program listens on the registered port, or not even that is
/// known. `is_plain`: clients reach one without TLS, so that a proxy must be seen.
fn in_front(
    machine: &Machine,
    protocol: Protocol,
    all: &[Socket],
    is_plain: bool,
    draft: &mut Draft,
) -> Option<Server> {
    let hidden = |it: &&Socket| {
        it.listener.auth.is_some()
            && (it.listener.behind_proxy.is_some()
                || it.listener.reach == Reach::Loopback
                || is_plain && it.is_plain())
            && !it.is_relay()
    };
    let hidden: Vec<_> = all.iter().filter(hidden).collect();
    // The command line of Exim may name ports that its settings do not have.
    let relay = || all.iter().find(|it| it.is_relay() && it.listener.auth.is_some());
    let is_relay_alone = hidden.is_empty();
    let first = hidden.first().copied().or_else(relay)?;
    let ports = ports::of(protocol);
    let tls = ports.tls.map(|port| (port.number, Security::Tls));
    let starttls = (ports.starttls.number, Security::StartTls);
    let open = |(number, _): &(NonZeroU16, Security)| {
        let listening = machine.listening.as_ref();
        // A mail server itself may listen there, for the proxy or without logins.
        let mut own = machine.facts.iter().flat_map(|facts| &facts.listeners);
        let is_its_own = own.any(|it| it.port.value == *number && it.reach != Reach::Loopback);
        !is_its_own && listening.is_some_and(|it| it.is_reachable(number.get()))
    };
    let seen = tls.into_iter().chain([starttls]).find(open);
    let is_behind = hidden.iter().any(|it| it.listener.behind_proxy.is_some());
    let only_starttls = hidden.iter().all(|it| it.listener.security.value == Security::StartTls);
    let ((number, security), reason) = match seen {
        Some(found) if is_relay_alone => (
            found,
            "a program listens on this port, which the settings do not name; it may be the mail \
             server by an option such as -oX of Exim",
        ),
        Some(found) => (
            found,
            "another program listens on this port; it may be a proxy in front of the mail server",
        ),
        None if is_behind && !is_plain => (
            tls.filter(|_| !only_starttls).unwrap_or(starttls),
            "clients come through a proxy, whose port is not known: correct it here",
        ),
        // From this machine only, and nothing in front of it.
        None => return None,
    };
    let mut server = Server::new(protocol);
    server.port = Some(Noted::assumed(number.get(), reason));
    server.security = Some(Noted::assumed(security, reason));
    server.username = login(machine, first.facts);
    let text = format!("{server}: {reason}");
    let alike = hidden.iter().find(|it| it.listener.security.value == security);
    draft.note(NoteKind::Warning, alike.copied().unwrap_or(first).place(), text);
    Some(server)
}
