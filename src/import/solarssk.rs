//! The YAML file of solarssk/mail-autodiscover, with settings for each domain, and the defaults that it
//! shares with the variables of that program.

use super::entries::{
    Entries, MAX_DOMAINS, Said, is_short, is_true, leave_all, pairs, set_auth, set_host, set_port,
    set_security, set_socket_type, shown,
};
use super::yaml::Node;
use crate::account::{Protocol, Security};
use crate::draft::{Draft, Noted, Origin, Place, Server, Settings};
use crate::ports;

/// True if a tree is such a file.
pub fn is_it(root: &Node) -> bool {
    let domains = root.get("domains").and_then(Node::map);
    domains.is_some_and(|domains| {
        domains.iter().any(|(_, it)| {
            let server = it.get("imap").or_else(|| it.get("smtp"));
            server.is_some_and(|server| server.get("host").is_some())
        })
    })
}

/// Reads the file.
pub fn read(source: &str, root: &Node) -> Result<Draft, String> {
    let mut draft = Draft::default();
    for (key, value) in root.map().unwrap_or_default() {
        if key.text != "domains" {
            let text = format!("{}: an unknown key", shown(&key.text, &value.shown()));
            draft.not_carried(Place::line(source, key.line), text);
        }
    }
    let domains = root.get("domains").and_then(Node::map).unwrap_or_default();
    if domains.len() > MAX_DOMAINS {
        return Err(format!("more than {MAX_DOMAINS} domains"));
    }
    for (name, node) in domains {
        let mut found = Vec::new();
        pairs(node, "", &mut found);
        let mut entries = Entries::new(source, found);
        let place = Place::line(source, name.line);
        if !is_short(&name.text, Some(place.clone()), &mut draft) {
            continue;
        }
        let mut settings = Settings { is_whole: true, ..Settings::default() };
        let names =
            [("provider.name", "display_name"), ("provider.short_name", "display_short_name")];
        for (key, its) in names {
            if let Some(found) = entries.take_set(its) {
                settings.set(key, found.noted(found.value.trim()));
            }
        }
        for protocol in [Protocol::Imap, Protocol::Smtp, Protocol::Pop3] {
            let keys = ["enabled", "host", "port", "socket_type", "authentication"]
                .map(|key| format!("{protocol}.{key}"));
            let keys = keys.each_ref().map(|key| &**key);
            settings.servers.extend(server(protocol, &mut entries, &keys, &mut draft));
        }
        entries.leave_rest(&|_| false, &mut draft);
        // Of two tables with the same name the last counts, as in the program.
        *draft.domain(Noted::seen(name.text.trim(), place, "")) = settings;
    }
    Ok(draft)
}

/// A server with the defaults of solarssk. The keys are those for: whether there is one, host, port,
/// protection and authentication.
pub fn server(
    protocol: Protocol,
    entries: &mut Entries,
    keys: &[&str; 5],
    draft: &mut Draft,
) -> Option<Server> {
    let [enabled, host, port, socket, auth] = keys.map(|key| entries.take_set(key));
    let is_on = match &enabled {
        Some(enabled) => is_true(&enabled.value),
        None => protocol != Protocol::Pop3,
    };
    if !is_on || host.is_none() {
        let reason = if is_on { "the host is not set" } else { "the server is not enabled" };
        leave_all([enabled, host, port, socket, auth], reason, draft);
        return None;
    }
    let mut server = Server::new(protocol);
    host.iter().for_each(|host| set_host(&mut server, host));
    let security = if protocol == Protocol::Smtp { Security::StartTls } else { Security::Tls };
    match port {
        Some(port) => set_port(&mut server, &port, draft),
        None => {
            let reason = format!("{} is not set, this was the default", keys[2]);
            server.port = Some(Noted::assumed(ports::usual(protocol, security).get(), reason));
        }
    }
    match socket {
        Some(socket) => set_socket_type(&mut server, Some(&socket), draft),
        None => {
            let origin = Origin::Assumed(format!("{} is not set, this was the default", keys[3]));
            set_security(&mut server, Said::Word(security), origin, draft);
        }
    }
    auth.iter().for_each(|auth| set_auth(&mut server, auth, draft));
    Some(server)
}
