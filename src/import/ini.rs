//! automx 1 and 3: `automx.conf`, an INI file as Python's ConfigParser reads it.
//!
//! Sections of domains, `[global]` and what they inherit of `[DEFAULT]`; `follow`, and `backend =
//! global`. Settings of the backends static and global are carried; a backend that looks values up is
//! named, with the values that stand in the file. Read in sys4/automx, `src/automx/config.py`.

use super::entries::{
    Entries, Entry, Found, Said, is_true, name_domains, set_auth, set_port, set_security,
    shortened, shown,
};
use crate::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security};
use crate::draft::{
    Draft, Note, NoteKind, Noted, Origin, Place, Server, Settings, Value, is_secret,
};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

/// The placeholder for the domain.
const EMAIL_DOMAIN: &str = "%EMAILDOMAIN%";
/// Most sections that follow each other.
const MAX_FOLLOWED: usize = 8;
/// Most names in each other in `%(name)s`.
const MAX_EXPANDED: usize = 10;
/// Most bytes of a value once its names are filled in.
const MAX_EXPANDED_BYTES: usize = 512;
/// Most sections.
const MAX_SECTIONS: usize = 2000;
/// Most keys of a section.
const MAX_KEYS: usize = 200;
/// Most keys of a section that are named.
const MAX_NAMED: usize = 40;
/// Most bytes of a value.
const MAX_VALUE: usize = 4096;
/// Most bytes of the list of domains.
const MAX_LIST: usize = 1 << 20;

/// A section.
#[derive(Debug)]
struct Section {
    name: String,
    line: usize,
    entries: Vec<Entry>,
}

/// True if a text has the section that automx needs.
pub fn is_it(text: &str) -> bool {
    has_section(text, "[automx]")
}

/// True if a text is the configuration of automx2, which has its servers in a database.
pub fn is_of_automx2(text: &str) -> bool {
    has_section(text, "[automx2]")
}

fn has_section(text: &str, section: &str) -> bool {
    text.lines().any(|line| line.trim_end() == section)
}

/// Reads the file.
pub fn read(source: &str, text: &str) -> Result<Draft, String> {
    let mut draft = Draft::default();
    let mut sections = sections(source, text, &mut draft)?;
    let default = sections.iter().position(|it| it.name == "DEFAULT");
    let default = default.map(|at| sections.remove(at).entries).unwrap_or_default();
    let reader = Reader { source, sections, default, has_noted_default: Cell::new(false) };
    reader.read(&mut draft);
    Ok(draft)
}

/// The sections of a text. Keys are in small letters; what is indented continues the line before.
fn sections(source: &str, text: &str, draft: &mut Draft) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut current: Option<usize> = None;
    let mut strange: Option<(usize, usize)> = None;
    for (at, line) in text.lines().enumerate() {
        let (number, trimmed) = (at + 1, line.trim());
        let is_main = current.and_then(|at| sections.get(at)).is_some_and(|it| it.name == "automx");
        let max = if is_main { MAX_LIST } else { MAX_VALUE };
        if line.len() > max {
            return Err(format!("line {number}: more than {max} bytes"));
        }
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.split(']').next()) {
            let at = *names.entry(name.to_owned()).or_insert_with(|| {
                let section = Section { name: name.to_owned(), line: number, entries: Vec::new() };
                sections.push(section);
                sections.len() - 1
            });
            if sections.len() > MAX_SECTIONS {
                return Err(format!("line {number}: more than {MAX_SECTIONS} sections"));
            }
            current = Some(at);
            continue;
        }
        let Some(section) = current.and_then(|at| sections.get_mut(at)) else {
            strange.get_or_insert((number, 0)).1 += 1;
            continue;
        };
        let is_indented = line.starts_with([' ', '\t']);
        if let Some(entry) = section.entries.last_mut().filter(|_| is_indented) {
            entry.value.push('\n');
            entry.value.push_str(trimmed);
            if entry.value.len() > max {
                return Err(format!("line {number}: a value of more than {max} bytes"));
            }
            continue;
        }
        if section.entries.len() == MAX_KEYS {
            return Err(format!("line {number}: more than {MAX_KEYS} keys in [{}]", section.name));
        }
        match trimmed.split_once(['=', ':']) {
            Some((key, value)) => section.entries.push(Entry {
                key: key.trim_end().to_ascii_lowercase(),
                value: value.trim_start().to_owned(),
                line: number,
            }),
            None => strange.get_or_insert((number, 0)).1 += 1,
        }
    }
    if let Some((line, count)) = strange {
        let text = format!("{count} lines without a key and a value");
        draft.not_carried(Place::line(source, line), text);
    }
    Ok(sections)
}

struct Reader<'a> {
    source: &'a str,
    sections: Vec<Section>,
    default: Vec<Entry>,
    /// True once the values of [DEFAULT] were noted.
    has_noted_default: Cell<bool>,
}

impl Reader<'_> {
    fn read(&self, draft: &mut Draft) {
        let mut own = Entries::new(
            self.source,
            self.section("automx").iter().flat_map(|it| it.entries.clone()),
        );
        let domains = own.take_set("domains");
        own.take("provider");
        let of_program = [
            "memcache",
            "memcache_ttl",
            "client_error_limit",
            "rate_limit_exception_networks",
            "debug",
            "logfile",
            "homedir",
            "openssl",
        ];
        if let Some(issuer) = own.take_set("oauth_issuer") {
            let text =
                format!("{}: the other values of [oauth2] are not in this file", issuer.text);
            draft.not_carried(issuer.place, text);
        }
        own.leave_rest(&|key| of_program.contains(&key), draft);

        // Sections that a domain has, also by `follow`.
        let mut used = HashSet::new();
        // Values of [DEFAULT] are in every section, and are noted once.
        let mut noted = HashSet::new();
        let mut add = |notes: Vec<Note>, draft: &mut Draft| {
            draft.notes.extend(notes.into_iter().filter(|note| noted.insert(note.to_string())));
        };
        if self.section("global").is_some() {
            let (settings, notes) = self.settings("global", &mut used);
            draft.top = settings;
            add(notes, draft);
        }
        let list =
            domains.iter().flat_map(|it| it.value.split(|c: char| c == ',' || c.is_whitespace()));
        let list: Vec<_> = list.filter(|name| !name.is_empty()).collect();
        let is_all = list.first() == Some(&"*");
        let listed: HashSet<_> = list.iter().map(|name| name.to_ascii_lowercase()).collect();
        let is_listed = |name: &str| is_all || listed.contains(&name.to_ascii_lowercase());
        if !is_all {
            let named = list.iter().zip(domains.iter().cycle());
            name_domains(named.map(|(name, found)| found.noted(*name)), draft);
        }
        let mut has_own = false;
        for section in &self.sections {
            let name = &*section.name;
            if ["automx", "global"].contains(&name) || !name.contains('.') {
                continue;
            }
            if !is_listed(name) {
                continue;
            }
            let place = Place::line(self.source, section.line);
            let (settings, notes) = self.settings(name, &mut used);
            add(notes, draft);
            let is_global = self.get(name, "backend").is_some_and(|it| it.value.trim() == "global");
            has_own = true;
            let its = draft.domain(Noted::seen(name, place, format!("[{name}]")));
            if !is_global {
                *its = Settings { is_whole: true, ..settings };
            }
        }
        for section in &self.sections {
            let name = &*section.name;
            if name == "automx" || used.contains(&name.to_ascii_lowercase()) {
                continue;
            }
            let keys: Vec<_> =
                section.entries.iter().map(|entry| shown(&entry.key, &entry.value)).collect();
            let reason = match name.contains('.') {
                true => "not in the list `domains` of [automx], so it was not answered",
                false => "no domain has it",
            };
            let text = format!("[{}]: {reason}: {}", shortened(name), some(&keys));
            draft.not_carried(Place::line(self.source, section.line), text);
        }
        if let Some(domains) = domains.filter(|_| is_all && has_own && !draft.top.is_empty()) {
            draft.top.set("domains.answer", domains.noted("any"));
        }
    }

    fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// A value of a section or of [DEFAULT]; the last of two counts.
    fn get(&self, section: &str, key: &str) -> Option<&Entry> {
        let own = self.section(section).into_iter().flat_map(|it| it.entries.iter().rev());
        own.chain(self.default.iter().rev()).find(|entry| entry.key == key)
    }

    /// The settings of a section, with those that it follows.
    fn settings(&self, name: &str, used: &mut HashSet<String>) -> (Settings, Vec<Note>) {
        let mut draft = Draft::default();
        let mut next = Some(name.to_owned());
        let mut seen = HashSet::new();
        for _ in 0..MAX_FOLLOWED {
            let Some(name) = next.take() else { break };
            let name = name.to_ascii_lowercase();
            used.insert(name.clone());
            if seen.contains(&name) {
                let text = format!(
                    "follow = {}: the sections follow each other in a circle",
                    shortened(&name)
                );
                draft.not_carried(Place::whole(self.source), text);
                break;
            }
            next = self.add_section(&name, &mut draft);
            seen.insert(name);
        }
        if let Some(name) = next {
            let text = format!(
                "follow = {}: more than {MAX_FOLLOWED} sections follow each other",
                shortened(&name)
            );
            draft.not_carried(Place::whole(self.source), text);
        }
        (draft.top, draft.notes)
    }

    /// Adds the settings of one section, and returns the name of the one that it follows.
    fn add_section(&self, name: &str, draft: &mut Draft) -> Option<String> {
        let section = self.section(name)?;
        let place = Place::line(self.source, section.line);
        // Those of [DEFAULT] first: the section's own replace them without a word.
        let mut all: HashMap<&str, &Entry> = HashMap::new();
        let mut order = Vec::new();
        for entry in self.default.iter().chain(&section.entries) {
            if all.insert(&entry.key, entry).is_none() {
                order.push(&*entry.key);
            }
        }
        let mut used = HashSet::new();
        let found = order
            .iter()
            .filter_map(|key| all.get(key))
            .map(|it| Entry { value: expanded(&it.value, &all, &mut used), ..(*it).clone() });
        let mut entries = Entries::new(self.source, found.collect::<Vec<_>>());
        let backend = entries.take_set("backend");
        let kind = backend.as_ref().map_or("static", |it| it.value.trim());
        let (kind, is_more) = match kind.strip_suffix("_append") {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        match kind {
            "static" => {}
            "global" => {
                return (!name.eq_ignore_ascii_case("global")).then(|| "global".to_owned());
            }
            kind => {
                let at = backend.as_ref().map_or(place, |it| it.place.clone());
                let text = format!(
                    "[{name}]: backend = {}: what it looks up is not in this file",
                    shortened(kind)
                );
                draft.not_carried(at, text);
                if !["ldap", "sql", "script", "file"].contains(&kind) {
                    // The program did not use the other values of the section, nor the common ones.
                    let is_own = |key: &str| section.entries.iter().any(|it| it.key == key);
                    let is_left = |key: &&str| is_own(key) || !self.has_noted_default.get();
                    let keys: Vec<_> = order.into_iter().filter(is_left).collect();
                    let reason =
                        format!("automx does not use it with backend = {}", shortened(kind));
                    entries.leave(&keys, &reason, draft);
                    return None;
                }
            }
        }
        // Values that others have in them, and those of [DEFAULT] that were noted before.
        let is_noted = self.has_noted_default.replace(true);
        for key in order {
            let is_own = section.entries.iter().any(|entry| entry.key == key);
            if (is_noted && !is_own || used.contains(key)) && !is_carried(key) {
                entries.take(key);
            }
        }
        for (key, its) in
            [("provider.name", "account_name"), ("provider.short_name", "account_name_short")]
        {
            let Some(found) = entries.take_set(its) else { continue };
            let Some(text) = filled_in(&found, draft) else { continue };
            let value: Noted<Value> = found.noted(text);
            let is_other = draft.top.value(key).is_some_and(|known| known.value != value.value);
            if is_other {
                let text = format!("{its}: [{}] follows, and replaces it", shortened(name));
                let before = draft.top.value(key).and_then(|known| known.origin.place());
                draft.note(NoteKind::NotCarried, before.cloned(), text);
            }
            draft.top.values.retain(|(known, _)| *known != key);
            draft.top.set(key, value);
        }
        for (protocol, key) in
            [(Protocol::Imap, "imap"), (Protocol::Pop3, "pop"), (Protocol::Smtp, "smtp")]
        {
            let Some(server) = service(protocol, key, &mut entries, draft) else { continue };
            if !is_more {
                replace(&server, name, draft);
            }
            draft.top.servers.push(server);
        }
        let of_services = ["caldav", "carddav", "ox"];
        for service in of_services {
            let keys: Vec<_> =
                entries.keys().filter(|key| key.starts_with(service)).map(str::to_owned).collect();
            let keys: Vec<_> = keys.iter().map(|key| &**key).collect();
            entries.leave(
                &keys,
                "the file has no URL for the service; see [caldav] and [carddav]",
                draft,
            );
        }
        entries.leave(
            &["sign_mobileconfig", "sign_cert", "sign_key", "sign_more_certs"],
            "see apple.signing_certificate and apple.signing_key, which need files that mailsetup may read",
            draft,
        );
        let look_up = [
            "host",
            "base",
            "binddn",
            "bindmethod",
            "bindpw",
            "saslmech",
            "authzid",
            "scope",
            "usetls",
            "cipher",
            "reqcert",
            "cert",
            "key",
            "cacert",
            "filter",
            "query",
            "result_attrs",
            "script",
            "separator",
            "section_filter",
            "autoconfig",
            "autodiscover",
            "mobileconfig",
        ];
        entries.leave(&look_up, "they are for looking values up", draft);
        entries.leave(
            &["display_name"],
            "responses of mailsetup do not have the name of the user",
            draft,
        );
        entries.leave(
            &["server_url", "server_name"],
            "set activesync.url to it, if it is ActiveSync",
            draft,
        );
        let follow = entries.take_set("follow");
        // Those of Autodiscover, which are always the same.
        for (key, usual) in [("action", "settings"), ("account_type", "email")] {
            if entries.value(key).is_some_and(|value| value.trim() == usual) {
                entries.take(key);
            }
        }
        entries.leave_rest(&|key| ["action", "account_type"].contains(&key), draft);
        let follow = follow?;
        let name = follow.value.trim().to_owned();
        if self.section(&name).is_none() {
            let text = format!("{}: there is no such section", follow.text);
            draft.not_carried(follow.place, text);
            return None;
        }
        Some(name)
    }
}

/// Takes out the servers in whose place a section that follows has another one.
fn replace(server: &Server, section: &str, draft: &mut Draft) {
    let servers = std::mem::take(&mut draft.top.servers);
    let (replaced, kept) = servers.into_iter().partition(|known| known.protocol == server.protocol);
    draft.top.servers = kept;
    let replaced: Vec<Server> = replaced;
    for known in replaced.iter().filter(|known| !known.is_at(server)) {
        let text = format!("{known}: [{}] follows, and replaces it", shortened(section));
        let place = known.origin().and_then(|origin| origin.place());
        draft.note(NoteKind::NotCarried, place.cloned(), text);
    }
}

/// The first words of a list.
fn some(words: &[String]) -> String {
    let first = words.iter().take(MAX_NAMED).map(|word| &**word).collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(MAX_NAMED) {
        0 if first.is_empty() => "it is empty".to_owned(),
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// True for keys that have an effect on what is carried over.
fn is_carried(key: &str) -> bool {
    let is_of_server = ["imap", "pop", "smtp"].iter().any(|it| key.split('_').next() == Some(it));
    is_of_server || ["account_name", "account_name_short", "follow"].contains(&key)
}

/// A value with `%(name)s` filled in; the names are added to `used`.
fn expanded(value: &str, all: &HashMap<&str, &Entry>, used: &mut HashSet<String>) -> String {
    let mut value = value.to_owned();
    for _ in 0..MAX_EXPANDED {
        let Some((before, rest)) = value.split_once("%(") else { break };
        let Some((name, behind)) = rest.split_once(")s") else { break };
        let name = name.to_ascii_lowercase();
        let Some(entry) = all.get(&*name).filter(|it| !is_secret(&name, &it.value)) else { break };
        used.insert(name);
        value = format!("{before}{}{behind}", entry.value);
        if value.len() > MAX_EXPANDED_BYTES {
            break;
        }
    }
    value
}

/// A server, unless it is switched off or has no host.
fn service(
    protocol: Protocol,
    name: &str,
    entries: &mut Entries,
    draft: &mut Draft,
) -> Option<Server> {
    let switch = entries.take_set(name);
    let mut take = |ending: &str| entries.take_set(&format!("{name}_{ending}"));
    let [host, port, encryption, auth, login] =
        ["server", "port", "encryption", "auth", "auth_identity"].map(&mut take);
    // How long clients keep a response, and whether something is put before a complete login.
    for ending in ["refresh_ttl", "expiration_date", "domain_required"] {
        take(ending);
    }
    let others = ["default", "author", "domain_name"].map(take);
    let is_on = switch.as_ref().is_some_and(|it| is_true(&it.value));
    let reason = match &switch {
        Some(switch) if !is_on => format!("{} switches the server off", switch.text),
        None => format!("{name} is not set, so the server is off"),
        Some(_) => "mailsetup has no such setting".to_owned(),
    };
    let left: Vec<_> = match is_on {
        true => others.into_iter().flatten().collect(),
        false => [host.clone(), port.clone(), encryption.clone(), auth.clone(), login.clone()]
            .into_iter()
            .chain(others)
            .flatten()
            .collect(),
    };
    if let Some(first) = left.first() {
        let texts: Vec<_> = left.iter().map(|it| &*it.text).collect();
        draft.not_carried(first.place.clone(), format!("{}: {reason}", texts.join(", ")));
    }
    let switch = switch.filter(|_| is_on)?;
    let mut server = Server::new(protocol);
    let Some(host) = host else {
        draft.not_carried(switch.place, format!("{}: {name}_server is not set", switch.text));
        return None;
    };
    let text = filled_in(&host, draft)?;
    server.host = Some(host.noted(text.trim()));
    port.iter().for_each(|port| set_port(&mut server, port, draft));
    match &encryption {
        Some(found) => {
            let said = match &*found.value.trim().to_ascii_lowercase() {
                "ssl" => Said::Word(Security::Tls),
                "starttls" => Said::Word(Security::StartTls),
                "none" => Said::Word(Security::Plain),
                // Clients are to try what works; documents have no word for that.
                "auto" => Said::Nothing,
                _ => {
                    let text = format!("{}: not ssl, starttls, auto or none", found.text);
                    draft.not_carried(found.place.clone(), text);
                    Said::Nothing
                }
            };
            set_security(&mut server, said, found.origin(), draft);
        }
        None => set_security(&mut server, Said::Nothing, Origin::Assumed(String::new()), draft),
    }
    auth.iter().for_each(|auth| set_auth(&mut server, auth, draft));
    match login {
        Some(login) => {
            let text = filled_in(&login, draft);
            server.username = text.map(|text| login.noted(text));
        }
        None => {
            let reason =
                format!("{name}_auth_identity is not set: automx says the local part then");
            server.username = Some(Noted::assumed(EMAIL_LOCAL_PART, reason));
        }
    }
    Some(server)
}

/// A value with the placeholders of the configuration. A value with variables, which a backend looks
/// up, is noted.
fn filled_in(found: &Found, draft: &mut Draft) -> Option<String> {
    if found.value.contains("${") {
        let text = format!("{}: a backend fills it in; for logins see [login]", found.text);
        draft.note(NoteKind::NotCarried, Some(found.place.clone()), text);
        return None;
    }
    let text = found.value.replace("%s", EMAIL_ADDRESS);
    Some(text.replace("%u", EMAIL_LOCAL_PART).replace("%d", EMAIL_DOMAIN).replace("%%", "%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        read("automx.conf", text).expect(text)
    }

    #[test]
    fn values_continue_on_indented_lines_and_are_inherited() {
        let draft = draft(
            "[automx]\ndomains = a.example,\n  b.example\n[DEFAULT]\nHost_Name: mail.example\n\
             [global]\nsmtp = yes\nsmtp_server = %(host_name)s\nsmtp_auth_identity = %s\n",
        );
        let names: Vec<_> = draft.domains.iter().map(|(name, _)| &*name.value).collect();
        assert_eq!(names, ["a.example", "b.example"]);
        let server = &draft.top.servers[0];
        assert_eq!(server.host.as_ref().unwrap().value, "mail.example");
        assert_eq!(server.username.as_ref().unwrap().value, EMAIL_ADDRESS);
    }

    #[test]
    fn names_in_names_end() {
        let text = "[automx]\n[DEFAULT]\na = %(b)s%(b)s\nb = %(a)s\n[global]\nsmtp = yes\nsmtp_server = %(a)s\n";
        assert!(
            draft(text).top.servers[0].host.as_ref().unwrap().value.len() <= 2 * MAX_EXPANDED_BYTES
        );
        let text = "[automx]\ndomains = *\n[a.example]\nbackend = static\nfollow = a.example\nsmtp = on\nsmtp_server = x\n";
        assert_eq!(draft(text).domains[0].1.servers.len(), 1);
    }

    #[test]
    fn secrets_are_not_filled_in() {
        let text =
            "[automx]\n[global]\nbindpw = hunter5\nscript = a %(bindpw)s\nbackend = script\n";
        let notes: String = draft(text).notes.iter().map(ToString::to_string).collect();
        assert!(notes.contains("script=a %(bindpw)s") && !notes.contains("hunter5"), "{notes}");
    }
}
