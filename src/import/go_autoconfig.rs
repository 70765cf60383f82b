//! `config.yml` of L11R/go-autoconfig.
//!
//! It answers every domain. `starttls` is false unless it is set in its older versions; in newer ones
//! the default of `smtp` is true. Without the key, the port decides.

use super::entries::{
    ANSWERED_ANY, Entries, Said, is_true, leave_all, name_domains, pairs, set_host, set_port,
    set_security,
};
use super::yaml::Node;
use crate::account::{Protocol, Security};
use crate::draft::{Draft, Noted, Origin, Server};

/// True if a tree is such a file.
pub fn is_it(root: &Node) -> bool {
    let has = |table| root.get(table).is_some_and(|table| table.get("server").is_some());
    has("imap") || has("smtp")
}

/// Reads the file.
pub fn read(source: &str, root: &Node) -> Draft {
    let mut draft = Draft::default();
    let mut found = Vec::new();
    pairs(root, "", &mut found);
    let mut entries = Entries::new(source, found);
    for protocol in [Protocol::Imap, Protocol::Smtp] {
        let [host, port, starttls] = ["server", "port", "starttls"]
            .map(|key| entries.take_set(&format!("{protocol}.{key}")));
        let Some(host) = host else {
            leave_all([port, starttls], "the server is not set", &mut draft);
            continue;
        };
        let mut server = Server::new(protocol);
        set_host(&mut server, &host);
        port.iter().for_each(|port| set_port(&mut server, port, &mut draft));
        let (said, origin) = match &starttls {
            Some(it) if is_true(&it.value) => (Said::Word(Security::StartTls), it.origin()),
            Some(it) => (Said::Word(Security::Tls), it.origin()),
            None => (Said::Nothing, Origin::Assumed(String::new())),
        };
        set_security(&mut server, said, origin, &mut draft);
        draft.top.servers.push(server);
    }
    if let Some(domain) = entries.take_set("domain") {
        let name = domain.value.trim();
        if name.starts_with("autoconfig.") || name.starts_with("autodiscover.") {
            draft.not_carried(domain.place, format!("{}: not a mail domain", domain.text));
        } else {
            name_domains([domain.noted(name)], &mut draft);
        }
    }
    draft.top.set("domains.answer", Noted::assumed("any", ANSWERED_ANY));
    entries.leave_rest(&|key| key == "service_addr", &mut draft);
    draft
}
