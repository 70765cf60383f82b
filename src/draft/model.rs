//! A draft: settings, domains, servers, each value with its origin.

use super::place::{Note, NoteKind, Noted, Origin, Place};
use crate::account::{Auth, Protocol, Security};
use crate::address::Domain;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

//------------ Draft ----------------------------------------------------------

/// A configuration that is being made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Draft {
    /// Comments for the top of the file, a line each.
    pub heading: Vec<String>,
    /// The settings of all domains.
    pub top: Settings,
    /// The named domains in the order in which they were seen, with settings of their own.
    pub domains: Vec<(Noted<String>, Settings)>,
    /// The files with lists of domains.
    pub list_files: Vec<Noted<String>>,
    /// A list that a command of the notes makes: it is written as a comment, to be uncommented then.
    pub list_to_make: Option<String>,
    /// A comment in the place of `[domains]`, if nothing names a domain: any domain is answered then.
    pub without_domains: Option<&'static str>,
    /// What is to be said about it.
    pub notes: Vec<Note>,
}

impl Draft {
    /// The settings of a domain, which is added if it is new. All spellings of a domain are one: letter
    /// case, a final dot, A-labels.
    pub fn domain(&mut self, mut name: Noted<String>) -> &mut Settings {
        if let Ok(domain) = Domain::parse(&name.value) {
            name.value = domain.for_people().into_owned();
        }
        let is_it = |known: &str| known.eq_ignore_ascii_case(&name.value);
        let at = self.domains.iter().position(|(known, _)| is_it(&known.value));
        let at = at.unwrap_or_else(|| {
            self.domains.push((name, Settings::default()));
            self.domains.len() - 1
        });
        &mut self.domains[at].1
    }

    /// Adds a note.
    pub fn note(&mut self, kind: NoteKind, place: Option<Place>, text: impl Into<String>) {
        self.notes.push(Note { kind, place, text: text.into() });
    }

    /// Adds a note about a value that is left out.
    pub fn not_carried(&mut self, place: Place, text: impl Into<String>) {
        self.note(NoteKind::NotCarried, Some(place), text);
    }

    /// Leaves each note once.
    pub fn say_once(&mut self) {
        let mut said = HashSet::new();
        self.notes.retain(|note| said.insert(note.to_string()));
    }

    /// Leaves each server once, and the login and the methods to the first of a protocol: those of its
    /// alternatives are the same in a configuration. What differs is noted.
    pub fn settle(&mut self) {
        let Draft { top, domains, notes, .. } = self;
        for settings in std::iter::once(top).chain(domains.iter_mut().map(|(_, it)| it)) {
            let mut settled: Vec<Server> = Vec::new();
            for mut server in settings.servers.drain(..) {
                if let Some(first) = settled.iter().find(|it| it.protocol == server.protocol) {
                    notes.extend(server.drop_what_differs(first));
                }
                if !settled.iter().any(|known| known.is_at(&server)) {
                    settled.push(server);
                }
            }
            settings.servers = settled;
        }
    }

    /// What is missing for a configuration that clients can use, if something is: "a server to read
    /// mail", "a server to send mail".
    pub fn missing(&self) -> Option<&'static str> {
        let all = || std::iter::once(&self.top).chain(self.domains.iter().map(|(_, it)| it));
        let has = |is_it: fn(Protocol) -> bool| {
            all().flat_map(|it| &it.servers).any(|server| is_it(server.protocol))
        };
        if !has(Protocol::is_incoming) {
            Some("a server to read mail")
        } else if !has(|it| it == Protocol::Smtp) {
            Some("a server to send mail")
        } else {
            None
        }
    }
}

//------------ Settings -------------------------------------------------------

/// The settings of all domains, or of one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// The mail servers; of each protocol the preferred one first.
    pub servers: Vec<Server>,
    /// All other keys, such as `provider.name`, each of them once; at the top also those of
    /// `[domains]`, such as `domains.answer`.
    pub values: Vec<(&'static str, Noted<Value>)>,
    /// True if a domain has nothing from the top.
    pub is_whole: bool,
}

impl Settings {
    /// True if no setting is there.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.values.is_empty()
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&Noted<Value>> {
        self.values.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Sets a key such as `provider.name`. A value that it has already stays and is returned.
    pub fn set(&mut self, key: &'static str, value: Noted<Value>) -> Option<&Noted<Value>> {
        if self.value(key).is_none() {
            self.values.push((key, value));
            return None;
        }
        self.value(key)
    }

    /// True if they have a server to read mail.
    pub fn has_incoming(&self) -> bool {
        self.servers.iter().any(|server| server.protocol.is_incoming())
    }

    /// The servers of a protocol.
    pub fn of(&self, protocol: Protocol) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(move |server| server.protocol == protocol)
    }
}

/// The value of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A text by language.
    Texts(BTreeMap<String, String>),
    /// Pages of instructions: a URL, and its titles by language.
    Pages(Vec<(String, BTreeMap<String, String>)>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

//------------ Server ---------------------------------------------------------

/// A mail server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// The protocol that is spoken there.
    pub protocol: Protocol,
    /// The host name; may contain `%EMAILDOMAIN%`.
    pub host: Option<Noted<String>>,
    /// TCP port.
    pub port: Option<Noted<u16>>,
    /// How the connection is protected.
    pub security: Option<Noted<Security>>,
    /// The authentication methods, the preferred one first.
    pub auth: Option<Noted<Vec<Auth>>>,
    /// The login; may contain placeholders.
    pub username: Option<Noted<String>>,
}

impl Server {
    /// A server of which nothing is known.
    pub fn new(protocol: Protocol) -> Server {
        Server { protocol, host: None, port: None, security: None, auth: None, username: None }
    }

    /// True if both are the same place.
    pub fn is_at(&self, other: &Server) -> bool {
        let is_same_host = match (value(&self.host), value(&other.host)) {
            (Some(one), Some(other)) => is_same_host(one, other),
            (one, other) => one == other,
        };
        self.protocol == other.protocol
            && is_same_host
            && value(&self.port) == value(&other.port)
            && value(&self.security) == value(&other.security)
    }

    /// Leaves the login and the methods to the preferred server, and returns notes if they differ.
    fn drop_what_differs(&mut self, first: &Server) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut differs = |what: &str, origin: &Origin| {
            let text = match self.is_at(first) {
                true => format!("a second {what} of {self}: the first one is used"),
                false => format!("the {what} of {self}: it differs from that of {first}"),
            };
            let place = origin.place().cloned();
            notes.push(Note { kind: NoteKind::NotCarried, place, text });
        };
        if let Some(auth) = &self.auth {
            if value(&first.auth) != Some(&auth.value) {
                differs("authentication method", &auth.origin);
            }
        }
        if let Some(username) = &self.username {
            if value(&first.username) != Some(&username.value) {
                differs("login", &username.origin);
            }
        }
        (self.auth, self.username) = (None, None);
        notes
    }

    /// Where it was seen: the place of the first of its values.
    pub fn origin(&self) -> Option<&Origin> {
        let values = [
            self.host.as_ref().map(|it| &it.origin),
            self.port.as_ref().map(|it| &it.origin),
            self.security.as_ref().map(|it| &it.origin),
        ];
        values.into_iter().flatten().next()
    }
}

/// `imap mail.example.org:993 (tls)`
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.protocol)?;
        if let Some(host) = &self.host {
            write!(f, " {}", host.value)?;
        }
        if let Some(port) = &self.port {
            write!(f, "{}{}", if self.host.is_some() { ":" } else { " port " }, port.value)?;
        }
        match &self.security {
            Some(security) => write!(f, " ({})", security_word(security.value)),
            None => Ok(()),
        }
    }
}

/// True for two spellings of a host name: letter case, a final dot, A-labels.
pub(super) fn is_same_host(one: &str, other: &str) -> bool {
    if one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.')) {
        return true;
    }
    // In ASCII, without A-labels, there are no other spellings.
    let has_others = |host: &str| !host.is_ascii() || host.to_ascii_lowercase().contains("xn--");
    (has_others(one) || has_others(other))
        && matches!((Domain::parse(one), Domain::parse(other)), (Ok(one), Ok(other)) if one == other)
}

/// The value alone.
fn value<T>(noted: &Option<Noted<T>>) -> Option<&T> {
    noted.as_ref().map(|it| &it.value)
}

/// The word of the configuration for a protection.
pub fn security_word(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::Plain => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{fit, merge, write};
    use super::*;
    use crate::draft::NoteKind;

    fn at(line: usize) -> Place {
        Place::line("old.xml", line)
    }

    fn server(protocol: Protocol, host: &str, port: u16, line: usize) -> Server {
        Server {
            host: Some(Noted::seen(host, at(line), "")),
            port: Some(Noted::seen(port, at(line), "")),
            security: Some(Noted::seen(Security::Tls, at(line), "")),
            ..Server::new(protocol)
        }
    }

    fn draft(host: &str, domain: &str) -> Draft {
        let mut draft = Draft::default();
        draft.top.servers.push(server(Protocol::Imap, host, 993, 3));
        draft.top.servers.push(server(Protocol::Smtp, host, 465, 7));
        if !domain.is_empty() {
            draft.domain(Noted::seen(domain, at(1), ""));
        }
        draft
    }

    #[test]
    fn a_draft_is_written_with_its_origins() {
        let mut draft = draft("mail.example.org", "example.org");
        draft.heading.push("Written by a test".to_owned());
        draft.top.set("provider.name", Noted::assumed("A \"B\"", "nothing\nwas seen"));
        draft.top.servers.push(server(Protocol::Imap, "mail.example.org", 1993, 5));
        draft.not_carried(at(9), "the rest");
        draft.top.set("domains.answer", Noted::seen("listed", at(2), ""));
        draft.list_files.push(Noted::seen("domains.txt", at(10), ""));
        let text = "# Written by a test\n\n\
                    [provider]\n# Assumed: nothing<U+000A>was seen\nname = \"A \\\"B\\\"\"\n\n\
                    [imap]\n# Seen: old.xml:3\nhost = \"mail.example.org\"\nport = 993\n\
                    security = \"tls\"\n# Seen: old.xml:5\nalternatives = [\n  \
                    { host = \"mail.example.org\", port = 1993, security = \"tls\" },\n]\n\n\
                    [pop3]\n# No such server was seen.\nenabled = false\n\n\
                    [smtp]\n# Seen: old.xml:7\nhost = \"mail.example.org\"\nport = 465\n\
                    security = \"tls\"\n\n[domains]\n# Seen: old.xml:2\nanswer = \"listed\"\n\
                    # Seen: old.xml:10\nlist_files = [\"domains.txt\"]\n\n\
                    # Seen: old.xml:1\n[domain.\"example.org\"]\n\n\
                    # not carried over: old.xml:9: the rest\n";
        assert_eq!(write(&draft), text);
    }

    #[test]
    fn a_server_is_enabled_because_its_port_was_seen() {
        let mut draft = draft("mail.example.org", "");
        let mut sieve = server(Protocol::ManageSieve, "mail.example.org", 4190, 4);
        sieve.host = Some(Noted::assumed("mail.example.org".to_owned(), "the certificate"));
        draft.top.servers.push(sieve);
        let text = "[managesieve]\n# Seen: old.xml:4\nenabled = true\n\
                    # Assumed: the certificate\nhost = \"mail.example.org\"\n\
                    # Seen: old.xml:4\nport = 4190\nsecurity = \"tls\"\n";
        assert!(write(&draft).contains(text), "{}", write(&draft));
    }

    /// A configuration with two spellings of a domain is refused.
    #[test]
    fn spellings_of_a_domain_are_one() {
        let mut draft = draft("mail.example.org", "");
        for name in [
            "Example.ORG.",
            "example.org",
            "EXAMPLE.ORG",
            "b\u{fc}cher.example",
            "xn--bcher-kva.example",
        ] {
            draft.domain(Noted::seen(name, at(1), ""));
        }
        let names: Vec<_> = draft.domains.iter().map(|(name, _)| name.value.as_str()).collect();
        assert_eq!(names, ["example.org", "b\u{fc}cher.example"]);
        let other = self::draft("mail.example.org", "XN--bcher-kva.example.");
        assert_eq!(merge(vec![draft, other]).domains.len(), 2);
    }

    #[test]
    fn what_drafts_agree_on_is_merged() {
        let all = merge(vec![draft("a.example", ""), draft("a.example", "example.org")]);
        assert_eq!(all.notes, []);
        assert_eq!(all.top.servers.len(), 2);
        assert_eq!(all.domains.len(), 1);
    }

    #[test]
    fn contradictions_name_both_places() {
        let mut other = draft("b.example", "");
        other.top.servers[0] = server(Protocol::Imap, "a.example", 1993, 4);
        let all = merge(vec![draft("a.example", ""), other]);
        assert_eq!(all.top.servers.len(), 2);
        let notes: Vec<_> = all.notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "contradiction: old.xml:4: imap a.example:993 (tls) (old.xml:3) is used, \
                 imap a.example:1993 (tls) is not",
                "contradiction: old.xml:7: smtp a.example:465 (tls) (old.xml:7) is used, \
                 smtp b.example:465 (tls) is not",
            ]
        );
    }

    #[test]
    fn spellings_of_a_host_are_one() {
        for (one, other, is_same) in [
            ("mail.example.org", "Mail.Example.ORG.", true),
            ("mail.b\u{fc}cher.example", "MAIL.XN--BCHER-KVA.example", true),
            ("mail.B\u{dc}CHER.example", "mail.b\u{fc}cher.example.", true),
            ("imap.%EMAILDOMAIN%", "IMAP.%EMAILDOMAIN%", true),
            ("192.0.2.1", "192.0.2.10", false),
            ("mail.example.org", "mail.example.net", false),
            ("mail.b\u{fc}cher.example", "mail.bucher.example", false),
        ] {
            let all = merge(vec![draft(one, "example.org"), draft(other, "example.org")]);
            assert_eq!(all.notes.is_empty(), is_same, "{one} {other}");
            let mut one = draft(one, "");
            one.top.servers.extend(draft(other, "").top.servers);
            one.settle();
            assert_eq!(one.top.servers.len(), if is_same { 2 } else { 4 }, "{other}");
        }
    }

    /// The login and the methods of the second one are not lost in silence.
    #[test]
    fn a_server_that_is_there_twice_is_noted_if_it_differs() {
        let mut draft = draft("mail.example.org", "");
        let mut second = draft.top.servers[0].clone();
        draft.top.servers.push(second.clone());
        second.username = Some(Noted::seen("%EMAILLOCALPART%", at(9), ""));
        second.auth = Some(Noted::seen(vec![Auth::Ntlm], at(8), ""));
        draft.top.servers.push(second);
        draft.settle();
        assert_eq!(draft.top.servers.len(), 2);
        let notes: Vec<_> = draft.notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "not carried over: old.xml:8: a second authentication method of imap \
                 mail.example.org:993 (tls): the first one is used",
                "not carried over: old.xml:9: a second login of imap mail.example.org:993 (tls): \
                 the first one is used",
            ]
        );
    }

    /// One document has all servers, another one of them: Autodiscover has one for each protocol.
    #[test]
    fn alternatives_of_a_document_are_no_contradiction() {
        let mut many = draft("a.example", "");
        many.top.servers.push(server(Protocol::Imap, "a.example", 143, 5));
        let mut few = draft("A.example", "");
        few.top.servers[0] = server(Protocol::Imap, "A.example", 143, 4);
        for (one, other) in [(&many, &few), (&few, &many)] {
            let all = merge(vec![one.clone(), other.clone()]);
            assert_eq!(all.notes, []);
            assert_eq!(all.top.of(Protocol::Imap).count(), 2);
            let first = all.top.of(Protocol::Imap).next();
            assert_eq!(first, one.top.of(Protocol::Imap).next(), "the first file decides");
        }
        // What a document does not say of a server is no contradiction.
        few.top.servers[0].security = None;
        few.top.servers[1].port = None;
        let all = merge(vec![few, many.clone()]);
        assert_eq!(all.notes, []);
        let first = all.top.of(Protocol::Imap).next().expect("a server");
        assert!(first.security.is_some(), "{first}");
        // Two lists that differ contradict each other.
        let mut others = many.clone();
        others.top.servers.last_mut().expect("a server").port =
            Some(Noted::seen(1143u16, at(5), ""));
        let all = merge(vec![many, others]);
        assert_eq!((all.notes.len(), all.top.of(Protocol::Imap).count()), (1, 2));
    }

    #[test]
    fn domains_with_settings_of_their_own_do_not_contradict() {
        let all = merge(vec![draft("a.example", "example.org"), draft("b.example", "example.net")]);
        assert_eq!(all.notes, []);
        assert_eq!(all.domains[1].1.servers.len(), 2);
        assert_eq!(all.top.servers.len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_taken_out_and_noted() {
        let mut draft = draft("mail.example.org", "not a domain");
        draft.domain(Noted::seen("example.org", at(2), ""));
        draft.top.servers.push(server(Protocol::Pop3, "no host", 995, 8));
        draft.top.servers[0].username = Some(Noted::seen("%UNKNOWN%", at(4), ""));
        draft.top.set("provider.homepage", Noted::seen("http://example.org/", at(6), ""));
        let refuse = |text: &str| {
            let bad = ["not a domain", "no host", "%UNKNOWN%", "http://"];
            match bad.iter().find(|bad| text.contains(**bad)) {
                Some(bad) => Err(format!("{bad} is bad")),
                None => Ok(()),
            }
        };
        fit(&mut draft, &refuse);
        assert!(draft.notes.iter().all(|note| note.kind == NoteKind::NotCarried));
        assert_eq!(draft.notes.len(), 4, "{:?}", draft.notes);
        assert_eq!(refuse(&write(&Draft { notes: Vec::new(), ..draft })), Ok(()));
    }
}
