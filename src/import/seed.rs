//! automx2: the JSON that fills its database, in both versions, and what the database holds, as the
//! rows of one statement.
//!
//! In a seed, every server is for every domain, and TLS follows from the port: other keys of a server
//! are ignored by the program. LDAP servers are named, their passwords are not. Read in
//! rseichter/automx2, `src/automx2/database.py` and `model.py`.

use super::entries::{
    Entries, Entry, Found, MAX_DOMAINS, MAX_VALUE, Said, is_short, leave_all, name_domains, pairs,
    set_auth, set_host, set_port, set_security, set_socket_type, set_username, shortened,
};
use super::yaml::Node;
use crate::account::{Protocol, Security};
use crate::draft::{Draft, Note, NoteKind, Noted, Origin, Place, Server, Settings};
use crate::order;
use crate::ports;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU16;

/// What prints the database as JSON: `sqlite3 -json FILE` with this statement. Rows are servers with
/// the domains that have them. No password is in it.
pub const STATEMENT: &str = "\
SELECT p.name AS provider, p.short_name AS short_name, group_concat(d.name, ' ') AS domains,
  l.name AS ldapserver, s.type AS type, s.prio AS prio, s.name AS host, s.port AS port,
  s.socket_type AS socket_type, s.user_name AS user_name, s.authentication AS authentication,
  NULL AS url
FROM domain d JOIN provider p ON p.id = d.provider_id
  LEFT JOIN ldapserver l ON l.id = d.ldapserver_id
  LEFT JOIN server_domain m ON m.domain_id = d.id LEFT JOIN server s ON s.id = m.server_id
GROUP BY p.id, l.id, s.id
UNION ALL
SELECT NULL, NULL, group_concat(d.name, ' '), NULL, v.type, NULL, NULL, v.port, NULL,
  v.user_name, NULL, v.url
FROM domain d JOIN davserver_domain m ON m.domain_id = d.id
  JOIN davserver v ON v.id = m.davserver_id
GROUP BY v.id";

/// Most servers of a domain.
const MAX_SERVERS: usize = 100;
/// Most servers of all domains, each counted for each domain that has it.
const MAX_ALL: usize = 50_000;
/// The placeholders that a URL cannot have here.
const OF_MAILBOX: [&str; 2] = ["%EMAILADDRESS%", "%EMAILLOCALPART%"];

/// True if a tree is a seed.
pub fn is_seed(root: &Node) -> bool {
    let is_list = |key| root.get(key).is_some_and(|it| it.list().is_some());
    is_list("servers") && is_list("domains")
}

/// True if a tree has the rows of [`STATEMENT`].
pub fn are_rows(root: &Node) -> bool {
    let mut rows = root.list().unwrap_or_default().iter();
    rows.next().is_some_and(|row| {
        ["domains", "type", "host", "port", "url"].iter().all(|key| row.get(key).is_some())
    })
}

//------------ Seed -----------------------------------------------------------

/// Reads a seed.
pub fn read_seed(source: &str, root: &Node) -> Result<Draft, String> {
    let mut draft = Draft::default();
    let place = |line| Place::line(source, line);
    let text = |key| root.get(key).and_then(|node| Some((node, node.text()?)));
    if let Some((node, name)) = text("provider").filter(|(_, name)| name.len() > MAX_VALUE) {
        let text = format!("provider: {}: the value is too long", shortened(name));
        draft.not_carried(place(node.line), text);
    } else if let Some((node, name)) = text("provider") {
        let text = format!("provider: {}", shortened(name));
        draft.top.set("provider.name", Noted::seen(name, place(node.line), text));
        // The program takes the first word.
        let word = name.split(' ').next().unwrap_or(name);
        let text = format!("provider: the first word of {}", shortened(name));
        draft.top.set("provider.short_name", Noted::seen(word, place(node.line), text));
    }
    if let Some((node, version)) = text("version").filter(|(_, version)| *version != "2") {
        let text =
            format!("version {} is not known; it was read like version 2", shortened(version));
        draft.note(NoteKind::Warning, Some(place(node.line)), text);
    }
    let domains = root.get("domains").and_then(Node::list).unwrap_or_default();
    if domains.len() > MAX_DOMAINS {
        return Err(too_many());
    }
    for node in domains {
        let name = node.text().or_else(|| node.get("name").and_then(Node::text));
        let Some(name) = name else {
            draft.not_carried(place(node.line), "a domain without a name");
            continue;
        };
        name_domains([Noted::seen(name.trim(), place(node.line), "domains")], &mut draft);
        let name = shortened(name);
        for (key, value) in node.map().unwrap_or_default() {
            match &*key.text {
                "name" => {}
                "ldapserver_id" => {
                    let text = format!("{name}: ldapserver_id: {}", value.shown());
                    ldap(&text, place(key.line), &mut draft);
                }
                _ => unknown(&key.text, value, place(key.line), &mut draft),
            }
        }
    }
    let mut servers: Vec<_> =
        root.get("servers").and_then(Node::list).unwrap_or_default().iter().collect();
    if servers.len() > MAX_SERVERS {
        return Err(format!("more than {MAX_SERVERS} servers"));
    }
    // A stable sort: of servers with the same priority the first counts.
    order::sort_by_key(&mut servers, |node| {
        node.get("prio").and_then(Node::text).and_then(|it| it.parse::<i64>().ok()).unwrap_or(10)
    });
    for node in servers {
        let mut found = Vec::new();
        pairs(node, "", &mut found);
        let mut entries = Entries::new(source, found);
        entries.take("prio");
        server_of_seed(&mut entries, place(node.line), &mut draft);
        let keys = ["socket_type", "user_name", "authentication"];
        entries.leave(&keys, "automx2 ignores it in a seed", &mut draft);
        entries.leave_rest(&|_| false, &mut draft);
    }
    for node in root.get("ldapservers").and_then(Node::list).unwrap_or_default() {
        let part = |key| node.get(key).map(|it| it.shown().into_owned()).unwrap_or_default();
        let text = format!(
            "ldapservers: id {}, {}, search_base {}",
            part("id"),
            part("name"),
            part("search_base")
        );
        ldap(&text, place(node.line), &mut draft);
    }
    for (key, value) in root.map().unwrap_or_default() {
        let known = ["provider", "version", "domains", "servers", "ldapservers"];
        if !known.contains(&&*key.text) && !key.text.starts_with('_') {
            unknown(&key.text, value, place(key.line), &mut draft);
        }
    }
    Ok(draft)
}

fn server_of_seed(entries: &mut Entries, place: Place, draft: &mut Draft) {
    let Some(kind) = entries.take_set("type") else {
        return draft.not_carried(place, "a server without a type");
    };
    if let Some(key) = dav_key(&kind.value) {
        let port = entries.take_set("port");
        match entries.take_set("url") {
            Some(url) => {
                let (top, notes) = (&mut draft.top, &mut Vec::new());
                set_url(key, &url, top, notes);
                draft.notes.append(notes);
                other_port(port, draft);
            }
            None => leave_all([Some(kind), port], "a server without a URL", draft),
        }
        return;
    }
    let Some(protocol) = protocol(&kind.value) else {
        let parts = [Some(kind), entries.take_set("name"), entries.take_set("port")];
        return leave_all(parts, "an unknown type of server", draft);
    };
    let mut server = Server::new(protocol);
    match entries.take_set("name") {
        Some(name) => set_host(&mut server, &name),
        None => return draft.not_carried(place, format!("{}: a server without a name", kind.text)),
    }
    match entries.take_set("port") {
        Some(port) => set_port(&mut server, &port, draft),
        None => {
            let port = ports::usual(protocol, Security::Tls).get();
            let reason = "the port is not set, this is the default of automx2";
            server.port = Some(Noted::assumed(port, reason));
        }
    }
    let tls = [Protocol::Imap, Protocol::Pop3, Protocol::Smtp]
        .map(|protocol| ports::usual(protocol, Security::Tls));
    let port = server.port.as_ref().and_then(|port| NonZeroU16::new(port.value));
    let is_tls = port.is_some_and(|port| tls.contains(&port));
    let said = if is_tls { Security::Tls } else { Security::StartTls };
    let word = if is_tls { "SSL" } else { "STARTTLS" };
    let origin = Origin::Assumed(format!("automx2 says {word} for this port"));
    set_security(&mut server, Said::Word(said), origin, draft);
    draft.top.servers.push(server);
}

//------------ Database -------------------------------------------------------

/// The servers of some domains.
#[derive(Default)]
struct Group {
    domains: Vec<Noted<String>>,
    settings: Settings,
    /// Which rows they are of, without what does not matter here.
    rows: Vec<usize>,
}

/// Reads the rows of [`STATEMENT`].
pub fn read_rows(source: &str, root: &Node) -> Result<Draft, String> {
    let mut draft = Draft::default();
    let mut rows: Vec<_> = root.list().unwrap_or_default().iter().collect();
    order::sort_by_key(&mut rows, |row| {
        row.get("prio").and_then(Node::text).and_then(|it| it.parse::<i64>().ok()).unwrap_or(10)
    });
    // The rows of each domain. Rows that differ in the LDAP server only are the same.
    let mut distinct: HashMap<String, usize> = HashMap::new();
    let mut settings: Vec<Settings> = Vec::new();
    let mut ldap_servers = HashSet::new();
    let mut order: Vec<(&str, usize)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut of_domain: Vec<Vec<usize>> = Vec::new();
    for row in rows {
        let what = row.map().unwrap_or_default().iter();
        let what = what.filter(|(key, _)| !["domains", "ldapserver"].contains(&&*key.text));
        let what: Vec<_> = what.map(|(key, it)| format!("{}={}", key.text, it.shown())).collect();
        let at = *distinct.entry(what.join("\n")).or_insert_with(|| {
            settings.push(settings_of_row(source, row, &mut draft));
            settings.len() - 1
        });
        let names = row.get("domains").and_then(Node::text).unwrap_or_default();
        let server = row.get("ldapserver").and_then(Node::text);
        if let Some(server) = server.filter(|server| ldap_servers.insert((*server, names))) {
            let text = format!("{}: ldapserver {server}", shortened(names));
            ldap(&text, Place::line(source, row.line), &mut draft);
        }
        for name in names.split_ascii_whitespace() {
            let domain = *places.entry(name).or_insert_with(|| {
                order.push((name, row.line));
                of_domain.push(Vec::new());
                of_domain.len() - 1
            });
            let its = &mut of_domain[domain];
            if its.contains(&at) {
                continue;
            }
            if its.len() == MAX_SERVERS {
                return Err(format!("{}: more than {MAX_SERVERS} servers", shortened(name)));
            }
            its.push(at);
        }
    }
    if order.len() > MAX_DOMAINS {
        return Err(too_many());
    }
    let mut groups: BTreeMap<&[usize], Group> = BTreeMap::new();
    for ((name, line), rows) in order.iter().zip(&of_domain) {
        let group = groups.entry(rows).or_default();
        if group.domains.is_empty() {
            group.rows.clone_from(rows);
            for row in rows {
                let its = &settings[*row];
                group.settings.servers.extend(its.servers.iter().cloned());
                for (key, value) in &its.values {
                    group.settings.set(key, value.clone());
                }
            }
        }
        group.domains.push(Noted::seen(*name, Place::line(source, *line), "domains"));
    }
    let count = |group: &Group| group.domains.len() * group.settings.servers.len();
    if groups.values().map(count).sum::<usize>() > MAX_ALL {
        return Err(format!("more than {MAX_ALL} servers, counted for each domain"));
    }
    add_groups(groups.into_values().collect(), &mut draft);
    Ok(draft)
}

/// Adds the groups: the settings of the largest are those of all domains, if that changes nothing for
/// the others.
fn add_groups(mut groups: Vec<Group>, draft: &mut Draft) {
    let has = |group: &Group, protocol| group.settings.of(protocol).next().is_some();
    groups.retain(|group| {
        if group.settings.servers.is_empty() {
            for domain in &group.domains {
                let text = format!("{}: no server, so the domain was not answered", domain.value);
                draft.note(NoteKind::NotCarried, domain.origin.place().cloned(), text);
            }
        }
        !group.settings.servers.is_empty()
    });
    // The largest first; of equal ones the first.
    order::sort_by_key(&mut groups, |group| std::cmp::Reverse(group.domains.len()));
    let is_alone = groups.len() == 1;
    let is_simple = |group: &Group| {
        [Protocol::Imap, Protocol::Pop3, Protocol::Smtp]
            .iter()
            .all(|protocol| group.settings.of(*protocol).count() < 2)
            && !group.settings.values.iter().any(|(key, _)| key.ends_with(".url"))
    };
    let top = groups.first().filter(|group| {
        is_alone || is_simple(group) && groups.iter().all(|group| has(group, Protocol::Smtp))
    });
    let top = top.map(|group| group.rows.clone());
    for group in groups {
        if !has(&group, Protocol::Smtp) {
            let place = group.domains.first().and_then(|it| it.origin.place().cloned());
            let names: Vec<_> = group.domains.iter().take(3).map(|it| &*it.value).collect();
            let text = format!(
                "{}: it has no server to send mail, which clients need: smtp.host is the default",
                names.join(", ")
            );
            draft.note(NoteKind::Warning, place, text);
        }
        let is_top = top.as_ref() == Some(&group.rows);
        for domain in group.domains {
            if !is_short(&domain.value, domain.origin.place().cloned(), draft) {
                continue;
            }
            let own = draft.domain(domain);
            if !is_top {
                *own = Settings { is_whole: true, ..group.settings.clone() };
            }
        }
        if is_top {
            draft.top = group.settings;
        }
    }
}

/// The settings that one row has.
fn settings_of_row(source: &str, row: &Node, draft: &mut Draft) -> Settings {
    let mut found: Vec<Entry> = Vec::new();
    pairs(row, "", &mut found);
    found.retain(|entry| !entry.value.is_empty());
    let mut entries = Entries::new(source, found);
    ["domains", "ldapserver", "prio"].iter().for_each(|key| drop(entries.take(key)));
    let mut settings = Settings::default();
    for (key, its) in [("provider.name", "provider"), ("provider.short_name", "short_name")] {
        if let Some(found) = entries.take_set(its) {
            settings.set(key, found.noted(&*found.value));
        }
    }
    let [kind, host, port, socket, login, auth, url] =
        ["type", "host", "port", "socket_type", "user_name", "authentication", "url"]
            .map(|key| entries.take_set(key));
    entries.leave_rest(&|_| false, draft);
    let Some(kind) = kind else { return settings };
    match (protocol(&kind.value), dav_key(&kind.value), host, url) {
        (Some(protocol), _, Some(host), _) => {
            let mut server = Server::new(protocol);
            set_host(&mut server, &host);
            port.iter().for_each(|port| set_port(&mut server, port, draft));
            set_socket_type(&mut server, socket.as_ref(), draft);
            auth.iter().for_each(|auth| set_auth(&mut server, auth, draft));
            if let Some(login) = &login {
                set_username(&mut server, &login.value, login.origin());
            }
            settings.servers.push(server);
        }
        (_, Some(key), _, Some(url)) => {
            set_url(key, &url, &mut settings, &mut draft.notes);
            other_port(port, draft);
            if let Some(login) = login.filter(|it| it.value != "%EMAILADDRESS%") {
                let key = if key == "caldav.url" { "caldav.username" } else { "carddav.username" };
                settings.set(key, login.noted(&*login.value));
            }
        }
        (_, _, host, url) => {
            leave_all([Some(kind), host, port, url], "an unknown type of server", draft);
        }
    }
    settings
}

//------------ Common parts ---------------------------------------------------

fn protocol(kind: &str) -> Option<Protocol> {
    match kind {
        "imap" => Some(Protocol::Imap),
        "pop" => Some(Protocol::Pop3),
        "smtp" => Some(Protocol::Smtp),
        _ => None,
    }
}

fn dav_key(kind: &str) -> Option<&'static str> {
    match kind {
        "caldav" => Some("caldav.url"),
        "carddav" => Some("carddav.url"),
        _ => None,
    }
}

/// The URL of a service. What is of one mailbox is left out: clients find it from the folder above.
fn set_url(key: &'static str, url: &Found, settings: &mut Settings, notes: &mut Vec<Note>) {
    let note = |kind, text| Note { kind, place: Some(url.place.clone()), text };
    let mut carried = url.value.trim();
    let place = OF_MAILBOX.iter().filter_map(|it| carried.find(it)).min();
    if let Some(at) = place {
        carried = &carried[..carried[..at].rfind('/').map_or(at, |slash| slash + 1)];
        let text =
            format!("{}: {carried} is written, up to the mailbox; clients find the rest", url.text);
        notes.push(note(NoteKind::Warning, text));
    }
    let reason = "automx2 has calendars and address books in Autodiscover";
    settings.set("autodiscover.dav", Noted::assumed(true, reason));
    let known = settings.set(key, url.noted(carried));
    if known.is_some_and(|known| known.value != carried.into()) {
        let text = format!(
            "{}: a configuration has one URL for calendars, and one for address books",
            url.text
        );
        notes.push(note(NoteKind::NotCarried, text));
    }
}

/// The port of a service is in its URL here.
fn other_port(port: Option<Found>, draft: &mut Draft) {
    if let Some(port) = port.filter(|it| !["0", "443"].contains(&it.value.trim())) {
        draft.not_carried(port.place, format!("{}: write the port into the URL", port.text));
    }
}

fn ldap(text: &str, place: Place, draft: &mut Draft) {
    let text = format!(
        "{text}: logins and names came from LDAP; for logins that are not the address see [login]"
    );
    draft.not_carried(place, text);
}

fn unknown(key: &str, value: &Node, place: Place, draft: &mut Draft) {
    let text = format!("{}: an unknown key", super::entries::shown(key, &value.shown()));
    draft.not_carried(place, text);
}

fn too_many() -> String {
    format!(
        "more than {MAX_DOMAINS} domains; import the names with --domains, and the servers alone"
    )
}
