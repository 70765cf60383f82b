//! `config.php` of SpicyWeb-de/isp-mailConfig, which asks ISPConfig for the login of a mailbox.
//!
//! Constants in `define('NAME', VALUE);`. The ports are always the same. The name and the password for
//! ISPConfig are not repeated.

use super::entries::{Entries, Entry, leave_all, set_host};
use crate::account::{Protocol, Security};
use crate::draft::{Draft, NoteKind, Noted, Origin, Place, Server, Value};
use crate::ports;

/// Constants that only this program has.
const ITS_OWN: [&str; 4] =
    ["SERVICE_ADDR", "SERVICE_SHORT", "IMAP_SERVER_FQDN", "SMTP_SERVER_FQDN"];

/// True if a script is such a file.
pub fn is_it(text: &str) -> bool {
    let constants = constants(text);
    let has = |name: &str| constants.iter().any(|entry| entry.key == name);
    has("SERVICE_NAME") && ITS_OWN.iter().any(|name| has(name))
}

/// Reads the file.
pub fn read(source: &str, text: &str) -> Draft {
    let mut draft = Draft::default();
    let mut entries = Entries::new(source, constants(text));
    if let Some(name) = entries.take_set("SERVICE_NAME") {
        draft.top.set("provider.name", name.noted(&*name.value));
    }
    if let Some(name) = entries.take_set("SERVICE_SHORT") {
        draft.top.set("provider.short_name", name.noted(&*name.value));
    }
    if let Some(found) =
        entries.take_set("SERVICE_ADDR").filter(|it| it.value.eq_ignore_ascii_case("true"))
    {
        let text = format!(
            "{}: the old responses had the login behind the name of the provider",
            found.text
        );
        draft.not_carried(found.place, text);
    }
    let fallback = entries.take_set("FALLBACK_SERVER_FQDN");
    for (protocol, key, securities) in [
        (Protocol::Imap, "IMAP_SERVER_FQDN", &[Security::Tls][..]),
        (Protocol::Pop3, "POP_SERVER_FQDN", &[Security::Tls]),
        (Protocol::Smtp, "SMTP_SERVER_FQDN", &[Security::Tls, Security::StartTls]),
    ] {
        let host = entries.take_set(key);
        if host.is_none() {
            let text = format!(
                "{key} is not set: the name of the server in ISPConfig was used, which may differ for each mailbox"
            );
            draft.note(NoteKind::Warning, Some(Place::whole(source)), text);
        }
        for security in securities {
            let mut server = Server::new(protocol);
            match host.as_ref().or(fallback.as_ref()) {
                Some(host) => set_host(&mut server, host),
                None => {
                    let reason = format!("{key} is not set");
                    server.host = Some(Noted::assumed("mail.%EMAILDOMAIN%", reason));
                }
            }
            let reason = "isp-mailConfig always says this";
            server.port = Some(Noted::assumed(ports::usual(protocol, *security).get(), reason));
            server.security = Some(Noted::assumed(*security, reason));
            draft.top.servers.push(server);
        }
    }
    let reason = "isp-mailConfig always says this";
    for (key, value) in [
        ("pop3.leave_on_server", Value::Flag(true)),
        ("pop3.days_on_server", Value::Number(10)),
        ("pop3.fetch_at_once", Value::Flag(true)),
    ] {
        draft.top.set(key, Noted { value, origin: Origin::Assumed(reason.to_owned()) });
    }
    let reason = "logins came from ISPConfig; for logins that are not the address see [login]";
    let mut soap =
        ["SOAP_LOCATION", "SOAP_URI", "SOAP_USER", "SOAP_PASS"].map(|key| entries.take(key));
    // The name and the password are one secret.
    if let Some(user) = &mut soap[2] {
        user.text = "SOAP_USER".to_owned();
    }
    leave_all(soap, reason, &mut draft);
    entries.leave_rest(&|_| false, &mut draft);
    draft
}

/// The constants that a script defines, outside of comments.
fn constants(text: &str) -> Vec<Entry> {
    let mut constants = Vec::new();
    let mut in_comment = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if in_comment {
            in_comment = !line.contains("*/");
            continue;
        }
        if line.starts_with("/*") {
            in_comment = !line.contains("*/");
            continue;
        }
        if line.starts_with("//") || line.starts_with('#') {
            continue;
        }
        if let Some((key, value)) = defined(line) {
            constants.push(Entry { key, value, line: at + 1 });
        }
    }
    constants
}

/// `define('NAME', 'value');`, `define("NAME", true);`
fn defined(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("define")?.trim_start().strip_prefix('(')?.trim_start();
    let (key, rest) = quoted(rest)?;
    let rest = rest.trim_start().strip_prefix(',')?.trim_start();
    let value = match quoted(rest) {
        Some((value, _)) => value,
        None => rest.split([')', ';']).next()?.trim().to_owned(),
    };
    Some((key, value))
}

/// A text in quotes, and what is behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((inside, &text[at + 1..])),
            '\\' => inside.push(chars.next()?.1),
            c => inside.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_found_outside_of_comments() {
        let text = "<?php\n//define('A', 'x');\ndefine('B', 'it\\'s');\n/* define('C', 1);\ndefine('D', 1); */\n\
                    define( \"E\" , true ); // z\n";
        let found = constants(text);
        let found: Vec<_> = found.iter().map(|it| (&*it.key, &*it.value, it.line)).collect();
        assert_eq!(found, [("B", "it's", 3), ("E", "true", 6)]);
    }
}
