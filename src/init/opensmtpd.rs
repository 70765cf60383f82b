//! What OpenSMTPD tells of its ports, its certificates and its domains: smtpd.conf and the files that
//! it includes.
//!
//! Only `listen`, `pki`, `table`, `action` and `match` are of interest; all else is skipped. Domains
//! that are only relayed are left out. Rules: smtpd.conf(5) of OpenSMTPD 6.4 to 7.

use super::facts::{Certificate, DomainSource, Facts, Listener, Reach};
use crate::account::{Auth, Protocol, Security};
use crate::draft::{Note, NoteKind, Noted, Origin, Place};
use crate::ports;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

/// Most words that are read.
const MAX_WORDS: usize = 200_000;
/// The longest value of a macro that is filled in.
const MAX_VALUE: usize = 4096;

/// A file of the configuration.
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// True for a text that has the statement `listen on` or `match … action`.
pub fn is_configuration(text: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("listen"), Some("on")) => true,
            (Some("match"), Some(_)) => words.any(|word| word == "action"),
            _ => false,
        }
    })
}

/// The files that a file includes.
pub fn includes(text: &str) -> Vec<PathBuf> {
    let statements = statements(&File { name: "", text });
    let include = |words: &Statement| match &words.words[..] {
        [word, file] if word == "include" => Some(PathBuf::from(file)),
        _ => None,
    };
    statements.iter().filter_map(include).collect()
}

/// Reads the files of a configuration.
pub fn read(files: &[File]) -> Facts {
    let mut configuration = Configuration::default();
    let mut facts = Facts::default();
    for file in files {
        configuration.read(file);
    }
    if let Some(first) = files.first() {
        facts.server = Some(Noted::seen("OpenSMTPD", Place::whole(first.name), ""));
    }
    configuration.facts(&mut facts);
    facts
}

//------------ Statements -----------------------------------------------------

/// The words of a line.
#[derive(Clone)]
struct Statement {
    place: Place,
    words: Vec<String>,
}

impl Statement {
    fn origin(&self) -> Origin {
        Origin::seen(self.place.clone(), self.words.join(" "))
    }
}

/// The statements of a file: each ends with its line, unless a brace is open or the line ends with `\`.
fn statements(file: &File) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let (mut line, mut start, mut depth, mut count) = (1, 1, 0_usize, 0);
    let mut chars = file.text.chars().peekable();
    let mut end = |words: &mut Vec<String>, start| {
        if !words.is_empty() {
            let place = Place::line(file.name, start);
            statements.push(Statement { place, words: std::mem::take(words) });
        }
    };
    while let Some(c) = chars.next() {
        if words.is_empty() {
            start = line;
        }
        match c {
            '\n' => {
                line += 1;
                if depth == 0 {
                    end(&mut words, start);
                }
            }
            '\\' if chars.peek() == Some(&'\n') => {
                chars.next();
                line += 1;
            }
            '#' => {
                while chars.peek().is_some_and(|next| *next != '\n') {
                    chars.next();
                }
            }
            '"' => {
                let mut word = String::new();
                for c in chars.by_ref() {
                    match c {
                        '"' => break,
                        '\n' => line += 1,
                        c => word.push(c),
                    }
                }
                words.push(word);
            }
            '{' | '}' | ',' | '=' | '!' => {
                depth = match c {
                    '{' => depth + 1,
                    '}' => depth.saturating_sub(1),
                    _ => depth,
                };
                words.push(c.to_string());
            }
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                let is_part = |c: &char| !c.is_whitespace() && !"{},=\"#\\".contains(*c);
                while let Some(c) = chars.next_if(is_part) {
                    word.push(c);
                }
                words.push(word);
            }
        }
        count += 1;
        if count > MAX_WORDS * 8 || words.len() > MAX_WORDS {
            break;
        }
    }
    end(&mut words, start);
    statements
}

//------------ Configuration --------------------------------------------------

/// The statements of all files.
#[derive(Default)]
struct Configuration {
    macros: HashMap<String, String>,
    listen: Vec<Statement>,
    /// The files of certificates by the names of their `pki`.
    certificates: Vec<(String, Noted<PathBuf>)>,
    tables: HashMap<String, Table>,
    /// The names of actions that pass mail on to other servers.
    relays: Vec<String>,
    matches: Vec<Statement>,
}

/// A table.
enum Table {
    /// Its values, without those of keys.
    Values(Vec<String>),
    /// Its kind and file: `file:/etc/mail/domains`.
    Of(String, PathBuf),
}

impl Configuration {
    fn read(&mut self, file: &File) {
        for mut statement in statements(file) {
            if let [name, equals, value] = &statement.words[..] {
                if equals == "=" {
                    let value = self.expand(value);
                    self.macros.insert(name.clone(), value);
                    continue;
                }
            }
            for word in &mut statement.words {
                *word = self.expand(word);
            }
            let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
            match &words[..] {
                ["listen", "on", "socket", ..] => {}
                ["listen", "on", ..] => self.listen.push(statement),
                // The second word is that of the grammar up to version 6.3.
                ["pki", name, "cert" | "certificate", file, ..] => {
                    let file = Noted { value: PathBuf::from(file), origin: statement.origin() };
                    self.certificates.push(((*name).to_owned(), file));
                }
                ["table", name, "{", values @ ..] => {
                    self.tables.insert((*name).to_owned(), Table::Values(values_of(values)));
                }
                ["table", name, source] => {
                    let (kind, file) = match source.split_once(':') {
                        Some((kind, file)) if !kind.contains('/') => (kind, file),
                        _ => ("file", *source),
                    };
                    let table = Table::Of(kind.to_owned(), PathBuf::from(file));
                    self.tables.insert((*name).to_owned(), table);
                }
                ["action", name, "relay", ..] => self.relays.push((*name).to_owned()),
                ["match" | "accept", ..] => self.matches.push(statement),
                _ => {}
            }
        }
    }

    /// A word with macros filled in.
    fn expand(&self, word: &str) -> String {
        match word.strip_prefix('$').and_then(|name| self.macros.get(name)) {
            Some(value) => value.chars().take(MAX_VALUE).collect(),
            None => word.to_owned(),
        }
    }

    fn facts(&self, facts: &mut Facts) {
        for statement in &self.listen {
            self.listener(statement, facts);
        }
        for statement in &self.matches {
            self.domains(statement, facts);
        }
    }
}

/// The values in braces.
fn values_of(words: &[&str]) -> Vec<String> {
    let mut values = Vec::new();
    let mut words = words.iter().take_while(|word| **word != "}").peekable();
    while let Some(word) = words.next() {
        match *word {
            "," => {}
            // The value of a key.
            "=" => {
                words.next();
            }
            word => values.push(word.to_owned()),
        }
    }
    values
}

//------------ Listeners ------------------------------------------------------

impl Configuration {
    fn listener(&self, statement: &Statement, facts: &mut Facts) {
        let mut words = statement.words.iter().skip(2).map(String::as_str).peekable();
        let reach = reach(words.next().unwrap_or_default());
        let smtp = ports::of(Protocol::Smtp);
        let (mut port, mut is_tls, mut is_starttls) = (None, false, false);
        let (mut auth, mut has_table, mut is_proxied) = (false, false, false);
        let mut pki = Vec::new();
        let known_names = facts.names.len();
        while let Some(word) = words.next() {
            match word {
                "port" => port = words.next(),
                "smtps" => is_tls = true,
                "tls" | "tls-require" => is_starttls = true,
                "auth" | "auth-optional" => {
                    auth = true;
                    has_table = words.next_if(|next| next.starts_with('<')).is_some();
                }
                "pki" => pki.extend(words.next()),
                "hostname" => {
                    if let Some(name) = words.next() {
                        let name = Noted { value: name.to_owned(), origin: statement.origin() };
                        facts.names.push(name);
                    }
                }
                "proxy-v2" => is_proxied = true,
                // The name that is said at each address.
                "hostnames" => {
                    let list = words.by_ref().take_while(|word| *word != "}");
                    let list: Vec<_> = list.collect();
                    for pair in list.windows(2).filter(|pair| pair[0] == "=") {
                        let name = Noted { value: pair[1].to_owned(), origin: statement.origin() };
                        facts.names.push(name);
                    }
                }
                // A list of filters.
                "{" => while words.next().is_some_and(|word| word != "}") {},
                // Their names may be words that have a meaning here.
                "tag" | "senders" | "ca" => drop(words.next()),
                "filter" => drop(words.next_if(|word| *word != "{")),
                "secure" => {
                    // Both, on the usual ports: the grammar up to version 6.3.
                    is_starttls = true;
                    facts.notes.push(Note {
                        kind: NoteKind::Hint,
                        place: Some(statement.place.clone()),
                        text: "secure is of an older grammar: a port for TLS from the first byte may be \
                               missing here"
                            .to_owned(),
                    });
                }
                _ => {}
            }
        }
        let number = match port {
            Some("smtp") => NonZeroU16::new(25),
            Some("submission") => Some(smtp.starttls.number),
            Some("submissions" | "smtps") => smtp.tls.map(|port| port.number),
            Some(number) => number.parse().ok(),
            None if is_tls => smtp.tls.map(|port| port.number),
            None => NonZeroU16::new(25),
        };
        let Some(number) = number else {
            facts.notes.push(Note {
                kind: NoteKind::NotCarried,
                place: Some(statement.place.clone()),
                text: format!("a port that is not known here: {}", port.unwrap_or_default()),
            });
            return;
        };
        let security = match (is_tls, is_starttls) {
            (true, _) => Security::Tls,
            (false, true) => Security::StartTls,
            (false, false) => Security::Plain,
        };
        if auth && !has_table && facts.login.is_none() {
            // Those of the system.
            let login = Noted { value: "%EMAILLOCALPART%".to_owned(), origin: statement.origin() };
            facts.login = Some(login);
        }
        for name in &pki {
            let Some((_, file)) = self.certificates.iter().find(|(known, _)| known == name) else {
                continue;
            };
            // smtpd.conf(5): it is the name of the host, unless it is any other word.
            if auth && name.contains('.') {
                let origin = file.origin.clone();
                facts.names.push(Noted { value: (*name).to_owned(), origin });
            }
            let name = if pki.len() > 1 { Some((*name).to_owned()) } else { None };
            let certificate = Certificate { name, file: file.value.clone() };
            if facts.certificates.iter().all(|known| known.value != certificate) {
                let origin = file.origin.clone();
                facts.certificates.push(Noted { value: certificate, origin });
            }
        }
        if auth {
            // The names for mail clients come before those for other servers.
            let new_names = facts.names.len() - known_names;
            facts.names.rotate_right(new_names);
        }
        let origin = statement.origin();
        facts.listeners.push(Listener {
            protocol: Protocol::Smtp,
            port: Noted { value: number, origin: origin.clone() },
            security: Noted { value: security, origin: origin.clone() },
            // smtpd.conf(5): a login is only possible after TLS.
            requires_tls: security != Security::Plain,
            reach,
            auth: auth.then(|| Noted { value: vec![Auth::Password], origin: origin.clone() }),
            behind_proxy: is_proxied.then_some(origin),
            without: None,
            refuses_mail: None,
        });
    }
}

/// From where an interface can be reached.
fn reach(interface: &str) -> Reach {
    match interface {
        "all" | "*" | "egress" => return Reach::Everywhere,
        "lo" | "lo0" | "localhost" => return Reach::Loopback,
        _ => {}
    }
    match interface.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => Reach::Everywhere,
        Ok(address) if address.is_loopback() => Reach::Loopback,
        Ok(address) => Reach::Addresses(vec![address]),
        Err(_) => Reach::Unknown(format!("the addresses of {interface}")),
    }
}

//------------ Domains --------------------------------------------------------

impl Configuration {
    fn domains(&self, statement: &Statement, facts: &mut Facts) {
        let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
        let after = |word: &str| {
            words
                .iter()
                .position(|it| *it == word)
                .map(|at| words.get(at + 1..).unwrap_or_default())
        };
        let action = after("action").and_then(|rest| rest.first());
        let is_rejected = words.last() == Some(&"reject");
        // The second one is of the grammar up to version 6.3.
        let is_relayed = action
            .is_some_and(|action| self.relays.iter().any(|relay| relay == action))
            || (words[0] == "accept" && words.contains(&"relay"));
        if is_rejected || is_relayed {
            return;
        }
        self.addresses(statement, &words, facts);
        let domains = words.windows(2).position(|pair| pair == ["for", "domain"]);
        let Some(at) = domains.filter(|at| *at == 0 || words[at - 1] != "!") else { return };
        let sources = match words.get(at + 2..).unwrap_or_default() {
            ["{", values @ ..] => values_of(values).into_iter().map(DomainSource::Name).collect(),
            [table, ..] if table.starts_with('<') => self.table(table.trim_matches(['<', '>'])),
            ["regex", ..] => vec![DomainSource::Unknown("a regular expression".to_owned())],
            [name, ..] => vec![DomainSource::Name((*name).to_owned())],
            [] => Vec::new(),
        };
        for value in sources {
            if facts.domains.iter().all(|known| known.value != value) {
                facts.domains.push(Noted { value, origin: statement.origin() });
            }
        }
    }

    /// The domains of addresses: `match from any for rcpt-to <users> action "in"`.
    fn addresses(&self, statement: &Statement, words: &[&str], facts: &mut Facts) {
        let at = words.windows(2).position(|pair| pair == ["for", "rcpt-to"]);
        let Some(table) = at.and_then(|at| words.get(at + 2)) else { return };
        // Mail from this machine alone says nothing about others.
        let is_local = words.windows(2).any(|pair| pair == ["from", "local"]);
        if is_local || !table.starts_with('<') {
            return;
        }
        let sources: Vec<_> = match self.tables.get(table.trim_matches(['<', '>'])) {
            Some(Table::Values(values)) => {
                let domains = values.iter().filter_map(|it| it.rsplit_once('@'));
                domains.map(|(_, domain)| DomainSource::Name(domain.to_owned())).collect()
            }
            _ => {
                let text = format!("those of the addresses in {table}; name them in [domains]");
                vec![DomainSource::Unknown(text)]
            }
        };
        for value in sources {
            if facts.domains.iter().all(|known| known.value != value) {
                facts.domains.push(Noted { value, origin: statement.origin() });
            }
        }
    }

    fn table(&self, name: &str) -> Vec<DomainSource> {
        let source = match self.tables.get(name) {
            Some(Table::Values(values)) => {
                return values.iter().cloned().map(DomainSource::Name).collect();
            }
            Some(Table::Of(kind, file)) => match kind.as_str() {
                "file" => DomainSource::File(file.clone()),
                "mysql" | "postgres" | "sqlite" | "ldap" => DomainSource::Query {
                    kind: kind.replace("postgres", "pgsql"),
                    file: Some(file.clone()),
                    command: None,
                },
                _ => DomainSource::Unknown(format!("{kind}:{} cannot be listed", file.display())),
            },
            None => DomainSource::Unknown(format!("there is no table {name}")),
        };
        vec![source]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        read(&[File { name: "smtpd.conf", text }])
    }

    #[test]
    fn a_listener_has_a_port_tls_and_logins() {
        for (line, expected) in [
            ("listen on all port 587 tls-require auth", "587 StartTls Everywhere true"),
            ("listen on egress smtps auth <users>", "465 Tls Everywhere true"),
            ("listen on 0.0.0.0 port submissions smtps", "465 Tls Everywhere false"),
            ("listen on lo0", "25 Plain Loopback false"),
            ("listen on 192.0.2.1 tls", "25 StartTls Addresses([192.0.2.1]) false"),
            ("if = \"lo\"\nlisten on $if port submission", "587 Plain Loopback false"),
            ("listen on all port 587 tls-require pki a\\\n\tauth", "587 StartTls Everywhere true"),
            ("listen on all port 587 tag auth filter \"tls\"", "587 Plain Everywhere false"),
            (
                "listen on all port 587 filter { \"tls\", auth } tls",
                "587 StartTls Everywhere false",
            ),
            (
                "listen on all smtps hostnames { 192.0.2.1 = mail.example.org } auth",
                "465 Tls Everywhere true",
            ),
            ("listen on all \\\n  port 587 # x\n", "587 Plain Everywhere false"),
        ] {
            let facts = facts(line);
            let [it] = &facts.listeners[..] else { panic!("{line}: {:?}", facts.listeners) };
            let Listener { port, security, reach, auth, .. } = it;
            let found = format!("{} {:?} {reach:?} {}", port.value, security.value, auth.is_some());
            assert_eq!(found, expected, "{line}");
        }
        assert_eq!(facts("listen on socket\n# listen on all\n").listeners, []);
    }

    #[test]
    fn the_older_grammar_and_tables_of_addresses_name_domains() {
        let found = facts(
            "pki mail.a.example certificate \"/etc/a\" key \"/etc/k\"\ntable d file:/etc/d\n\
             listen on egress smtps pki mail.a.example auth\n\
             accept from any for domain <d> virtual <v> deliver to maildir\n\
             accept from any for domain \"b.example\" relay backup\naccept for any relay\n\
             table u { \"x@c.example\" = x, \"@d.example\" = y, \"z\" = z }\ntable w file:/etc/w\n\
             match from any for rcpt-to <u> action in\nmatch from local for rcpt-to <w> action in\n\
             match from any for domain e.example rcpt-to <w> reject\n",
        );
        assert_eq!(found.certificates[0].value.file, PathBuf::from("/etc/a"));
        assert_eq!(found.names[0].value, "mail.a.example");
        let found: Vec<_> = found.domains.into_iter().map(|it| it.value).collect();
        let name = |name: &str| DomainSource::Name(name.to_owned());
        let file = DomainSource::File("/etc/d".into());
        assert_eq!(found, [file, name("c.example"), name("d.example")]);
    }

    #[test]
    fn only_domains_that_are_delivered_here_count() {
        let found = facts(
            "table a { a.example, \"b.example\" }\ntable c file:/etc/c\ntable d \"/etc/d\"\n\
             table e mysql:/etc/e\naction \"out\" relay\naction in maildir\n\
             match from any for domain <a> action in\nmatch for domain <c> action in\n\
             match for domain <d> action in\nmatch for domain <e> action in\n\
             match for domain \"f.example\" action \"out\"\nmatch !for domain g.example action in\n\
             match for domain { \"h.example\", i.example } action in\nmatch for any action in\n",
        );
        let found: Vec<_> = found.domains.into_iter().map(|it| it.value).collect();
        let name = |name: &str| DomainSource::Name(name.to_owned());
        let query = DomainSource::Query {
            kind: "mysql".to_owned(),
            file: Some("/etc/e".into()),
            command: None,
        };
        assert_eq!(
            found,
            [
                name("a.example"),
                name("b.example"),
                DomainSource::File("/etc/c".into()),
                DomainSource::File("/etc/d".into()),
                query,
                name("h.example"),
                name("i.example"),
            ]
        );
    }
}
