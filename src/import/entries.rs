//! Settings of an old responder as pairs of a key and a value, and what is common to their readers.
//!
//! A reader takes the keys that it knows. What it leaves is named: values of unknown keys, and of those
//! that belong to the old program only; secrets by their keys alone.

use super::yaml::Node;
use crate::account::{Auth, EMAIL_ADDRESS, Protocol, Security};
use crate::draft::{
    Draft, NoteKind, Noted, Origin, Place, Server, is_secret, value_without_secrets,
    without_secrets,
};
use crate::ports;
use std::collections::HashMap;
use std::num::NonZeroU16;

/// Keys with lists of domains, whose values may be long.
const LISTS: [&str; 3] = ["ALLOWED_DOMAINS", "CUSTOM_DOMAINS", "domains"];
/// Most bytes of all other values.
pub const MAX_VALUE: usize = 1000;
/// Most bytes of the name of a domain; of one in ASCII, the DNS has fewer.
const MAX_NAME: usize = 1000;
/// Most characters of a value in a message.
const MAX_SHOWN: usize = 100;
/// Most characters of a value that are read for a message.
pub const MAX_READ: usize = 2000;
/// Most keys that are named one by one.
const MAX_NAMED: usize = 200;
/// Most domains that become tables of the configuration.
pub const MAX_DOMAINS: usize = 5000;

/// A pair, with its line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The key as it is written.
    pub key: String,
    /// The value, without quotes.
    pub value: String,
    /// The line, from 1 on.
    pub line: usize,
}

/// The pairs of an input.
#[derive(Debug, Default)]
pub struct Entries {
    source: String,
    /// Taken ones are `None`.
    entries: Vec<Option<Entry>>,
    places: HashMap<String, usize>,
    /// Entries that a later one with the same key replaces.
    replaced: Vec<Entry>,
    /// Entries with values that are too long for any key.
    long: Vec<Entry>,
}

/// A value that was taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The value.
    pub value: String,
    /// Where it stands.
    pub place: Place,
    /// The pair, for comments.
    pub text: String,
}

impl Found {
    /// The value as a part of a draft.
    pub fn noted<T>(&self, value: impl Into<T>) -> Noted<T> {
        Noted::seen(value, self.place.clone(), &*self.text)
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        Origin::seen(self.place.clone(), &*self.text)
    }
}

impl Entries {
    /// The pairs of an input that is called `source`. Of two with the same key the last counts.
    pub fn new(source: &str, entries: impl IntoIterator<Item = Entry>) -> Entries {
        let mut all = Entries { source: source.to_owned(), ..Entries::default() };
        entries.into_iter().for_each(|entry| all.add(entry));
        all
    }

    fn add(&mut self, entry: Entry) {
        if entry.value.len() > MAX_VALUE && !LISTS.contains(&&*entry.key) {
            self.long.push(entry);
            return;
        }
        let at = self.entries.len();
        if let Some(before) = self.places.insert(entry.key.clone(), at) {
            self.replaced.extend(self.entries[before].take());
        }
        self.entries.push(Some(entry));
    }

    /// The keys that were not taken.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().flatten().map(|entry| &*entry.key)
    }

    /// The value of a key, which stays.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.entries[*self.places.get(key)?].as_ref().map(|entry| &*entry.value)
    }

    /// Takes the value of a key, which may be empty.
    pub fn take(&mut self, key: &str) -> Option<Found> {
        let entry = self.entries[*self.places.get(key)?].take()?;
        let place = Place::line(&*self.source, entry.line);
        Some(Found { text: shown(&entry.key, &entry.value), place, value: entry.value })
    }

    /// Takes the value of a key; an empty one is as good as none.
    pub fn take_set(&mut self, key: &str) -> Option<Found> {
        self.take(key).filter(|found| !found.value.trim().is_empty())
    }

    /// Takes keys that cannot be carried over, and says so in one note.
    pub fn leave(&mut self, keys: &[&str], reason: &str, draft: &mut Draft) {
        leave_all(keys.iter().map(|key| self.take_set(key)), reason, draft);
    }

    /// Names what was not taken: keys of the old program itself in one note, all others one by one.
    pub fn leave_rest(mut self, of_the_program: &dyn Fn(&str) -> bool, draft: &mut Draft) {
        let replaced = std::mem::take(&mut self.replaced);
        let long = std::mem::take(&mut self.long);
        for (entries, reason) in
            [(replaced, "a later line sets it again"), (long, "the value is too long")]
        {
            for entry in entries.iter().take(MAX_NAMED) {
                let text = format!("{}: {reason}", shown(&entry.key, &entry.value));
                draft.not_carried(Place::line(&*self.source, entry.line), text);
            }
            if let Some(first) = entries.get(MAX_NAMED) {
                let text = format!("{} more keys: {reason}", entries.len() - MAX_NAMED);
                draft.not_carried(Place::line(&*self.source, first.line), text);
            }
        }
        let rest = self.entries.into_iter().flatten();
        let (own, unknown): (Vec<_>, Vec<_>) = rest.partition(|it| of_the_program(&it.key));
        let own: Vec<_> = own.into_iter().filter(|it| !it.value.trim().is_empty()).collect();
        if let Some(first) = own.first() {
            let texts: Vec<_> =
                own.iter().take(MAX_NAMED).map(|it| shown(&it.key, &it.value)).collect();
            let more = match own.len().saturating_sub(MAX_NAMED) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let text = format!("{}{more}: settings of the old program itself", texts.join(", "));
            draft.not_carried(Place::line(&*self.source, first.line), text);
        }
        for entry in unknown.iter().take(MAX_NAMED) {
            let text = format!("{}: an unknown key", shown(&entry.key, &entry.value));
            draft.not_carried(Place::line(&*self.source, entry.line), text);
        }
        if let Some(first) = unknown.get(MAX_NAMED) {
            let text = format!("{} more unknown keys", unknown.len() - MAX_NAMED);
            draft.not_carried(Place::line(&*self.source, first.line), text);
        }
    }
}

/// Says in one note that values cannot be carried over.
pub fn leave_all(found: impl IntoIterator<Item = Option<Found>>, reason: &str, draft: &mut Draft) {
    let found: Vec<_> = found.into_iter().flatten().collect();
    if let Some(first) = found.first() {
        let texts: Vec<_> = found.iter().map(|found| &*found.text).collect();
        draft.not_carried(first.place.clone(), format!("{}: {reason}", texts.join(", ")));
    }
}

/// The pairs of a table, and of tables in it: `imap.host`.
pub fn pairs(node: &Node, prefix: &str, entries: &mut Vec<Entry>) {
    for (key, value) in node.map().unwrap_or_default() {
        let path = format!("{prefix}{}", key.text);
        match value.map() {
            Some(_) => pairs(value, &format!("{path}."), entries),
            None => {
                entries.push(Entry {
                    key: path,
                    value: value.shown().into_owned(),
                    line: key.line,
                });
            }
        }
    }
}

/// A pair for messages: a secret without its value.
pub fn shown(key: &str, value: &str) -> String {
    let name = shortened(key);
    match is_secret(key, value) {
        true => name,
        false => {
            format!("{name}={}", shortened(&value_without_secrets(beginning(value, MAX_READ))))
        }
    }
}

/// The beginning of a text, for messages. Secrets are taken out before: of a part, they are not known.
pub fn shortened(text: &str) -> String {
    let text = &*without_secrets(beginning(text, MAX_READ));
    match beginning(text, MAX_SHOWN) {
        short if short.len() < text.len() => format!("{short}…"),
        _ => text.to_owned(),
    }
}

/// At most so many characters of a text.
pub fn beginning(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(at, _)| &text[..at])
}

/// True for a text that may be the name of a domain; one that is too long for it is noted.
pub fn is_short(name: &str, place: Option<Place>, draft: &mut Draft) -> bool {
    let is_short = name.len() <= MAX_NAME;
    if !is_short {
        let text = format!("{}: too long for a domain", shortened(name));
        draft.note(NoteKind::NotCarried, place, text);
    }
    is_short
}

/// Names domains. Behind the most that become tables, all others are left to lists.
pub fn name_domains(names: impl IntoIterator<Item = Noted<String>>, draft: &mut Draft) {
    let mut names = names.into_iter();
    for name in names.by_ref().take(MAX_DOMAINS) {
        let place = name.origin.place().cloned();
        if is_short(&name.value, place, draft) {
            draft.domain(name);
        }
    }
    if let Some(first) = names.next() {
        let text = format!(
            "{} and {} more domains: more than {MAX_DOMAINS} belong into a list; see import --domains",
            shortened(&first.value),
            names.count()
        );
        draft.note(NoteKind::NotCarried, first.origin.place().cloned(), text);
    }
}

/// Why any domain is answered, for programs that did.
pub const ANSWERED_ANY: &str = "the program answered every domain whose requests arrived; to answer \
                                only yours, name them and remove this line";

/// Yes, in the words of these programs.
pub fn is_true(text: &str) -> bool {
    matches!(&*text.trim().to_ascii_lowercase(), "true" | "yes" | "1" | "on" | "y" | "t")
}

//------------ Servers --------------------------------------------------------

/// The word of the configuration for a protection.
fn security_word(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::Plain => "none",
    }
}

/// The port of a server; another value is noted.
pub fn set_port(server: &mut Server, found: &Found, draft: &mut Draft) {
    match found.value.trim().parse::<NonZeroU16>() {
        Ok(port) => server.port = Some(found.noted(port.get())),
        Err(_) => draft.not_carried(found.place.clone(), format!("{}: not a port", found.text)),
    }
}

/// What an old responder said about the protection of a server.
pub enum Said {
    /// A word with a meaning.
    Word(Security),
    /// Nothing, or a word without one.
    Nothing,
}

/// The protection of a server whose port is known. What the old responder said is not copied if it
/// cannot work on a registered port, or is no protection: it is replaced, and a warning says so.
pub fn set_security(server: &mut Server, said: Said, origin: Origin, draft: &mut Draft) {
    let number = server.port.as_ref().and_then(|port| NonZeroU16::new(port.value));
    let registered = number.and_then(|number| ports::security_of(server.protocol, number));
    let port = number.map_or(String::new(), |number| format!("port {number}"));
    let (security, instead_of) = match (said, registered) {
        (Said::Word(said), Some(registered)) if said != registered => (registered, Some(said)),
        (Said::Word(Security::Plain), None) => (Security::StartTls, Some(Security::Plain)),
        (Said::Word(said), _) => {
            server.security = Some(Noted { value: said, origin });
            return;
        }
        (Said::Nothing, Some(registered)) => {
            let reason = format!("{} is the one for {port}", security_word(registered));
            server.security = Some(Noted::assumed(registered, reason));
            return;
        }
        // The configuration has a default for it.
        (Said::Nothing, None) => return,
    };
    let (word, other) = (security_word(security), instead_of.map_or("none", security_word));
    let text = match &origin {
        Origin::Seen { text, .. } => text.clone(),
        Origin::Assumed(reason) => reason.clone(),
    };
    let protocol = server.protocol;
    let why = match registered {
        Some(_) if other != "none" => format!("{port} is registered for {protocol} with {word}"),
        _ => "passwords would be sent without encryption".to_owned(),
    };
    let warning = format!(
        "{text}: {why}; security = \"{word}\" is written, make sure that the server has it"
    );
    draft.note(NoteKind::Warning, origin.place().cloned(), warning);
    let reason = format!("{word}, not {other}: {why}");
    server.security = Some(Noted::assumed(security, reason));
}

/// The usual port of a server whose protection alone is known.
pub fn complete(server: &mut Server) {
    if let (None, Some(security)) = (&server.port, &server.security) {
        let port = ports::usual(server.protocol, security.value).get();
        let reason = format!("the usual port for {}", security_word(security.value));
        server.port = Some(Noted::assumed(port, reason));
    }
}

/// The words of autoconfig for a protection, in any letter case.
pub fn socket_type(word: &str) -> Option<Security> {
    match &*word.trim().to_ascii_lowercase() {
        "ssl" | "tls/ssl" | "ssl/tls" => Some(Security::Tls),
        "starttls" => Some(Security::StartTls),
        "plain" | "none" => Some(Security::Plain),
        _ => None,
    }
}

/// The protection that is said by a word of autoconfig. A word that clients do not know is noted.
pub fn set_socket_type(server: &mut Server, found: Option<&Found>, draft: &mut Draft) {
    let Some(found) = found else {
        return set_security(server, Said::Nothing, Origin::Assumed(String::new()), draft);
    };
    let said = match socket_type(&found.value) {
        Some(security) => Said::Word(security),
        None => {
            let text = format!("{}: not SSL, STARTTLS or plain", found.text);
            draft.not_carried(found.place.clone(), text);
            Said::Nothing
        }
    };
    set_security(server, said, found.origin(), draft);
}

/// The words of autoconfig for authentication methods, with the older ones that clients still read.
pub fn set_auth(server: &mut Server, found: &Found, draft: &mut Draft) {
    let auth = match &*found.value.trim().to_ascii_lowercase() {
        "password-cleartext" | "plain" | "plaintext" | "cleartext" => Auth::Password,
        "password-encrypted" | "secure" | "encrypted" | "cram-md5" => Auth::CramMd5,
        "ntlm" => Auth::Ntlm,
        "oauth2" => Auth::OAuth2,
        "none" if server.protocol == Protocol::Smtp => Auth::None,
        _ => {
            let text =
                format!("{}: mailsetup does not have this authentication method", found.text);
            return draft.not_carried(found.place.clone(), text);
        }
    };
    server.auth = Some(found.noted(vec![auth]));
}

/// The login of a server; the whole address is the default and needs no line.
pub fn set_username(server: &mut Server, login: &str, origin: Origin) {
    if login != EMAIL_ADDRESS {
        server.username = Some(Noted { value: login.to_owned(), origin });
    }
}

/// A host name for the configuration: without blanks around it, and without the port that some have
/// behind it.
pub fn set_host(server: &mut Server, found: &Found) {
    server.host = Some(found.noted(found.value.trim()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> Entries {
        let entry = |(at, (key, value)): (usize, &(&str, &str))| Entry {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            line: at + 1,
        };
        Entries::new("x", pairs.iter().enumerate().map(entry))
    }

    #[test]
    fn what_is_not_taken_is_named() {
        let mut all = entries(&[("A", "1"), ("PORT", "80"), ("DB_PASSWORD", "p"), ("A", "2")]);
        assert_eq!(all.take("A").unwrap().text, "A=2");
        assert_eq!(all.take("A"), None);
        let mut draft = Draft::default();
        all.leave_rest(&|key| key == "PORT", &mut draft);
        let notes: Vec<_> = draft.notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "not carried over: x:1: A=1: a later line sets it again",
                "not carried over: x:2: PORT=80: settings of the old program itself",
                "not carried over: x:3: DB_PASSWORD: an unknown key",
            ]
        );
    }

    #[test]
    fn protection_that_cannot_work_is_not_copied() {
        use Security::{Plain, StartTls, Tls};
        let submission = |tls| ports::usual(Protocol::Smtp, if tls { Tls } else { StartTls }).get();
        for (port, said, written, warnings) in [
            (submission(false), Some(Tls), Some(StartTls), 1),
            (submission(true), Some(StartTls), Some(Tls), 1),
            (submission(true), Some(Plain), Some(Tls), 1),
            (submission(false), None, Some(StartTls), 0),
            (submission(false), Some(StartTls), Some(StartTls), 0),
            (2525, Some(Tls), Some(Tls), 0),
            (2525, Some(Plain), Some(StartTls), 1),
            (2525, None, None, 0),
        ] {
            let mut server = Server::new(Protocol::Smtp);
            server.port = Some(Noted::assumed(port, ""));
            let mut draft = Draft::default();
            let said = said.map_or(Said::Nothing, Said::Word);
            set_security(&mut server, said, Origin::Assumed("said".to_owned()), &mut draft);
            assert_eq!(server.security.map(|it| it.value), written, "{port}");
            assert_eq!(draft.notes.len(), warnings, "{port}");
        }
    }
}
