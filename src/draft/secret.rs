//! Keeps passwords and other secrets out of messages and comments: which names speak of one, and what is
//! not repeated of a text. Names are shown, values are not.
//!
//! This is the one place for the rule. A value is hidden if its name says so (`bindpw=…`,
//! `$dbpass == '…'`, `"token": "…"`, `Server=…;Password=…`), or if it is the user part of an address of a
//! server (`mysql://…@host`, `…:…@host`). Rather too much is hidden than too little. Rules: RFC 3986 §3.2.1
//! for users in URLs, else none: what other programs write.

use std::borrow::Cow;

/// What is written instead.
pub const HIDDEN: &str = "***";
/// Longest value of which the end is looked for, in characters; a longer one is hidden with all behind it.
const MAX_VALUE: usize = 1000;
/// Parts of the names of secrets, in small letters.
const PARTS: [&str; 13] = [
    "pass",
    "secret",
    "token",
    "apikey",
    "bindpw",
    "bindauth",
    "private",
    "credential",
    "pwd",
    "dbpw",
    "dsn",
    "kennwort",
    "authorization",
];
/// Last words of such names. They also name methods and files.
const LAST_WORDS: [&str; 5] = ["pw", "key", "auth", "pin", "mdp"];
/// Last words of names of files: `passwd_file_path`.
const FILES: [&str; 4] = ["path", "file", "dir", "folder"];
/// Names with a part of a secret's name that have none.
const PUBLIC: [&str; 2] = ["tokenurl", "tokenendpoint"];
/// Values of switches.
const SWITCHES: [&str; 8] = ["true", "false", "on", "off", "yes", "no", "null", ""];
/// Words for authentication methods.
const METHODS: [&str; 17] = [
    "plaintext",
    "plain",
    "cleartext",
    "password",
    "password-cleartext",
    "password-encrypted",
    "encrypted",
    "secure",
    "none",
    "ntlm",
    "login",
    "smtp",
    "oauth2",
    "cram-md5",
    "gssapi",
    "simple",
    "basic",
];
/// URIs that have an address without a password.
const ADDRESS_SCHEMES: [&str; 5] = ["mailto", "acct", "sip", "sips", "xmpp"];

/// True for the name of a key, an element or a variable whose value is a secret.
pub fn is_secret_name(name: &str) -> bool {
    is_always_secret(name) || LAST_WORDS.contains(&last_word(name).as_str())
}

/// True for a pair whose value is not shown.
pub fn is_secret(name: &str, value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let names_file = FILES.contains(&last_word(name).as_str()) && is_path(&value);
    if SWITCHES.contains(&value.as_str()) || names_file {
        return false;
    }
    // The path of a key is not a secret, and `imap_auth = plaintext` is a method.
    let is_said = is_path(&value) || METHODS.contains(&value.as_str());
    is_always_secret(name) || is_secret_name(name) && !is_said
}

/// True for `/etc/dovecot/users`, but not for what base64 makes.
fn is_path(value: &str) -> bool {
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "/._-%{}| ".contains(c);
    value.strip_prefix('/').is_some_and(|rest| rest.contains('/')) && value.chars().all(is_of_path)
}

fn is_always_secret(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    !PUBLIC.iter().any(|it| letters.ends_with(it)) && PARTS.iter().any(|it| letters.contains(it))
}

/// The last word of `AUTH_KEY`, `authKey` or `auth-key2`, in small letters.
fn last_word(name: &str) -> String {
    let name = name.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
    let word = name.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let is_all_capital = !word.contains(|c: char| c.is_ascii_lowercase());
    let start = match is_all_capital {
        true => 0,
        false => word.rfind(|c: char| c.is_ascii_uppercase()).unwrap_or_default(),
    };
    word[start..].to_ascii_lowercase()
}

/// A text for a message or a comment, with `***` in the place of secrets.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    hidden(text, false)
}

/// A value of another program, where `password: …` is not a part of a sentence.
pub fn value_without_secrets(value: &str) -> Cow<'_, str> {
    hidden(value, true)
}

fn hidden(text: &str, is_value: bool) -> Cow<'_, str> {
    if !text.contains(['=', ':', '@']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(without_users(&without_assigned(text, is_value)))
}

//------------ Names and values -----------------------------------------------

/// Hides what is assigned to, or compared with, the name of a secret.
fn without_assigned(text: &str, is_value: bool) -> String {
    let mut shown = String::new();
    let mut from = 0;
    for (at, sign) in text.match_indices(['=', ':']) {
        if at < from {
            continue;
        }
        let name = name_before(&text[..at]).filter(|name| is_secret_name(name));
        let Some(name) = name else { continue };
        let rest = &text[at..];
        let behind = rest.trim_start_matches(['=', ':', '>', '~']);
        let value = behind.trim_start();
        if sign == ":" {
            let is_quoted = text[..at].trim_end().ends_with(['"', '\'']);
            let is_close = behind.len() == value.len() && !value.starts_with('/');
            let is_path = rest.starts_with("::");
            if is_path || !is_quoted && !is_close && !is_value {
                continue;
            }
        }
        let before = text[..at].trim_end().trim_end_matches(['"', '\'']);
        let is_in_list = before.strip_suffix(name).is_some_and(|it| it.trim_end().ends_with(';'));
        let is_line = is_value && sign == ":";
        if value.starts_with(HIDDEN) {
            continue;
        }
        let end = value_end(value, is_in_list || is_line);
        if !is_secret(name, value[..end].trim_matches(['"', '\''])) {
            continue;
        }
        let start = text.len() - value.len();
        shown += &text[from..start];
        shown += HIDDEN;
        from = start + end;
    }
    shown + &text[from..]
}

/// The name before a sign: `$row['db_password']`, `"token"`, `bindpw`.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end_matches(['!', '=', '<', '.']).trim_end();
    let text = text.trim_end_matches(['"', '\'', ']', ')', '\\']);
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let start = text.char_indices().rev().take_while(|(_, c)| is_of_name(*c)).last()?.0;
    let name = &text[start..];
    // The usual name of the key in a loop.
    let is_loop = name == "key" && text[..start].ends_with('$');
    (!is_loop).then_some(name)
}

/// Where a value ends. In a list such as `Server=…;Password=…` it may have blanks.
fn value_end(value: &str, has_blanks: bool) -> usize {
    let window = match value.char_indices().nth(MAX_VALUE) {
        Some((at, _)) => &value[..at],
        None => value,
    };
    end_in(window, has_blanks).unwrap_or(value.len())
}

fn end_in(value: &str, has_blanks: bool) -> Option<usize> {
    let quoted = value.strip_prefix('\\').unwrap_or(value);
    if let Some(quote) = quoted.chars().next().filter(|c| ['"', '\''].contains(c)) {
        let start = value.len() - quoted.len() + 1;
        let mut is_escaped = false;
        for (at, c) in value[start..].char_indices() {
            if c == quote && (!is_escaped || start == 2) {
                return Some(start + at + 1);
            }
            is_escaped = c == '\\' && !is_escaped;
        }
        return None;
    }
    for (open, close) in [('[', ']'), ('(', ')'), ('{', '}')] {
        if value.starts_with(open) {
            return value.rfind(close).map(|at| at + 1);
        }
    }
    for (at, c) in value.char_indices() {
        let behind = &value[at + c.len_utf8()..];
        let is_end = match c {
            '`' => true,
            ';' | '&' => is_pair(behind),
            // A sentence goes on behind it.
            ',' | ':' => behind.is_empty() || behind.starts_with(' '),
            c if c.is_whitespace() => {
                !has_blanks && !behind.split_once(';').is_some_and(|(word, _)| is_word(word))
            }
            _ => false,
        };
        if is_end {
            return Some(at);
        }
    }
    None
}

fn is_word(text: &str) -> bool {
    !text.contains(['=', ':', ',', '`'])
}

/// True if a text goes on with a pair, or ends.
fn is_pair(text: &str) -> bool {
    let text = text.trim_start();
    match text.split_once('=') {
        Some((name, _)) => name.chars().all(|c| c.is_alphanumeric() || " _-".contains(c)),
        None => text.is_empty(),
    }
}

//------------ Users of servers -----------------------------------------------

/// Hides users and passwords before the name of a server.
fn without_users(text: &str) -> String {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let mut shown = String::new();
    for part in text.split_inclusive(is_between) {
        let word = part.trim_end_matches(is_between);
        shown += &match word.contains("://") {
            true => url_without_user(word),
            false => host_without_user(word),
        };
        shown += &part[word.len()..];
    }
    shown
}

/// `mysql://user:password@host` becomes `mysql://***@host`.
fn url_without_user(word: &str) -> String {
    let mut parts = word.split("://");
    let mut shown = host_without_user(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(['/', '?', '#']).unwrap_or(part.len());
        let (authority, path) = part.split_at(end);
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        // A password may have a slash in it.
        let has_password = port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit()));
        let has_user = authority.contains('@') || has_password && path.contains('@');
        let at = if authority.contains('@') { authority.rfind('@') } else { part.rfind('@') };
        shown += "://";
        match at.filter(|at| has_user && !is_placeholder(&part[..*at])) {
            Some(at) => {
                shown += HIDDEN;
                shown += &part[at..];
            }
            None => shown += part,
        }
    }
    shown
}

/// `user:password@host` becomes `***@host`.
fn host_without_user(word: &str) -> String {
    let user = || {
        let at = word.rfind('@')?;
        let (user, password) = word[..at].split_once(':')?;
        let start = user.rfind(['=', '(', ',', '[', '{']).map_or(0, |at| at + 1);
        let is_host =
            word[at + 1..].starts_with(|c: char| c.is_alphanumeric() || "[%$".contains(c));
        let is_address = ADDRESS_SCHEMES.contains(&&*user[start..].to_ascii_lowercase());
        let is_user = !user[start..].is_empty() && !password.is_empty();
        (is_user && is_host && !is_address).then_some((start, at))
    };
    match user() {
        Some((start, at)) => format!("{}{HIDDEN}{}", &word[..start], &word[at..]),
        None => word.to_owned(),
    }
}

/// A placeholder for the address is not a user.
fn is_placeholder(user: &str) -> bool {
    user.starts_with("%EMAIL") && user.ends_with('%') && !user.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_speak_of_secrets() {
        for name in [
            "Password",
            "IncomingPassword",
            "dbpass",
            "DB_PW",
            "api_key",
            "apiKey",
            "AUTH_KEY",
            "clientSecret",
            "bindpw",
            "X-BINDPW",
            "ACCESS_TOKEN",
            "MYSQL_PWD",
            "DATABASE_DSN",
            "passwd2",
            "privateKey",
            "MailKey",
            "motDePasse",
            "oauth2.client_secret",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "host",
            "Keyboard",
            "AuthPackage",
            "AuthRequired",
            "socketType",
            "monkey",
            "pinned",
            "authentication",
            "oauth2.token_url",
            "tokenURL",
            "displayName",
            "UsePOPAuthority",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(!is_secret("imap_auth", "plaintext") && !is_secret("key", "/etc/ssl/a.key"));
        assert!(!is_secret("passwd_file_path", "/etc/dovecot/%{user | domain}/users"));
        assert!(is_secret("passwd", "/etc/dovecot/users") && is_secret("api_key", "/aB3/x+Yz=="));
        assert!(is_secret("auth", "mylogin") && is_secret("password", "plaintext"));
        assert!(!is_secret("OutgoingPasswordSameAsIncomingPassword", "false"));
    }

    #[test]
    fn values_of_secrets_are_hidden() {
        for (text, shown) in [
            ("mysql://automx:hunter5@localhost/db, a=b", "mysql://***@localhost/db, a=b"),
            (
                "`https://u:p@w@a.example` https://b.example/@c",
                "`https://***@a.example` https://b.example/@c",
            ),
            ("mysql://u:p%40w@host/db", "mysql://***@host/db"),
            ("mysql://u:p/w@host/db", "mysql://***@host/db"),
            ("redis://:hunter5@host:6379", "redis://***@host:6379"),
            ("https://host:443/a@b", "https://host:443/a@b"),
            ("://@", "://***@"),
            ("relay user:pw@host:25", "relay ***@host:25"),
            ("RELAY=user:p@w@host", "RELAY=***@host"),
            ("ann@example.org mailto:ann@example.org", "ann@example.org mailto:ann@example.org"),
            ("input.xml:7: ann@example.org", "input.xml:7: ann@example.org"),
            ("https://dav.example/%EMAILADDRESS%", "https://dav.example/%EMAILADDRESS%"),
            ("https://%EMAILLOCALPART%@dav.example/", "https://%EMAILLOCALPART%@dav.example/"),
            ("host=h dbname=x password=y user=z", "host=h dbname=x password=*** user=z"),
            ("Server=h;Password=a b;Database=c", "Server=h;Password=***;Database=c"),
            ("Server=h;Password=a b", "Server=h;Password=***"),
            ("mysql:host=h;password=a;b=c", "mysql:host=h;password=***;b=c"),
            (
                "ldap://h/dc=x????bindname=cn=a,X-BINDPW=y",
                "ldap://h/dc=x????bindname=cn=a,X-BINDPW=***",
            ),
            ("https://h/?a=b&token=c&d=e", "https://h/?a=b&token=***&d=e"),
            ("uris = ldap://h, dnpass = a, x = b", "uris = ldap://h, dnpass = ***, x = b"),
            ("$dbpass = \"hunter5\"", "$dbpass = ***"),
            ("$_GET['key'] === 'hunter5' && $a", "$_GET['key'] === *** && $a"),
            ("$pass != \"it's\" || $b == 'c'", "$pass != *** || $b == 'c'"),
            ("['db_password' => 'a b', 'host' => 'h']", "['db_password' => ***, 'host' => 'h']"),
            ("{\"token\":\"a b\", \"c\": 1}", "{\"token\":***, \"c\": 1}"),
            ("{\\\"token\\\":\\\"a b\\\"}", "{\\\"token\\\":***}"),
            ("$key == 'imap'", "$key == 'imap'"),
            ("auth = \"password\"", "auth = \"password\""),
            ("DB_PASSWORD: an unknown key", "DB_PASSWORD: an unknown key"),
            ("Secret::get()", "Secret::get()"),
            ("password=***: an unknown key", "password=***: an unknown key"),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert_eq!(without_secrets(shown), shown);
        }
        assert_eq!(value_without_secrets("password: a b"), "password: ***");
    }
}
