//! A configuration of mailsetup with the settings that are published today, for `--as-config`.
//!
//! Comments say where each server was seen. What the configuration has no word for is left out and said
//! in a comment. Texts from outside are checked or quoted before they are written.

use super::{Report, Seen};
use crate::read::Setting;
use mailsetup::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security};
use mailsetup::address::{Domain, HostName};
use mailsetup::visible::{replaced, visible};

/// The methods in the words of autoconfig, with those of the configuration.
const METHODS: [(&str, &str); 5] = [
    ("password-cleartext", "password"),
    ("password-encrypted", "cram-md5"),
    ("NTLM", "ntlm"),
    ("OAuth2", "oauth2"),
    ("none", "none"),
];

/// The tables of servers, in the order of the configuration.
const TABLES: [(&str, Protocol); 4] = [
    ("imap", Protocol::Imap),
    ("pop3", Protocol::Pop3),
    ("smtp", Protocol::Smtp),
    ("managesieve", Protocol::ManageSieve),
];

/// The configuration; the error says what is missing for one.
pub fn write(report: &Report) -> Result<String, String> {
    let nothing = |what: &str| {
        format!("no configuration can be written for {}: {what}", visible(&report.domain))
    };
    let domain = Domain::parse(&report.domain).map_err(|error| nothing(&error.to_string()))?;
    let published = report.published.as_ref();
    let published = published.ok_or_else(|| nothing("no settings are published"))?;
    let servers: Vec<_> = published.servers.iter().filter(|seen| can_be_named(seen)).collect();
    if !servers.iter().any(|seen| seen.value.protocol.is_incoming()) {
        return Err(nothing("no server to read mail is published"));
    }
    if !servers.iter().any(|seen| seen.value.protocol == Protocol::Smtp) {
        return Err(nothing("no server to send mail is published"));
    }
    let mut text = format!(
        "# The settings of {domain}, as they are published today; written by mailsetup-probe.\n\
         # Test: mailsetup --config FILE check\n"
    );
    if let Some(name) = &published.name {
        text += &format!("\n[provider]\n{}name = {}\n", seen_at(&name.at), quoted(&name.value));
    }
    for (table, protocol) in TABLES {
        let mut of_table = servers.iter().filter(|seen| seen.value.protocol == protocol);
        let Some(first) = of_table.next() else {
            if protocol.is_incoming() {
                text += &format!("\n[{table}]\n# It is not published.\nenabled = false\n");
            }
            continue;
        };
        text += &format!("\n[{table}]\n{}", seen_at(&first.at));
        if protocol == Protocol::ManageSieve {
            text += "enabled = true\n";
        }
        let keys = keys(&first.value, &report.address);
        text.extend(keys.iter().map(|(key, value)| format!("{key} = {value}\n")));
        text.extend(left_out(&first.value, &report.address));
        text += &alternatives(&first.value, of_table.copied());
    }
    text += &format!("\n# Only this domain is answered.\n[domain.\"{domain}\"]\n");
    Ok(text)
}

/// The further servers of a protocol. They have a place of their own; their methods and their login are
/// those of the first one.
fn alternatives<'a>(first: &Setting, others: impl Iterator<Item = &'a Seen<Setting>>) -> String {
    let (mut comments, mut rows) = (String::new(), Vec::new());
    let mut known = vec![place(first)];
    for Seen { value, at } in others {
        let row = place(value);
        if known.contains(&row) {
            continue;
        }
        comments += &seen_at(at);
        if value.methods != first.methods || value.login != first.login {
            let (host, port) = (visible(&value.host), value.port);
            comments += &format!("# Not taken over: the methods and the login of {host} {port}\n");
        }
        let keys: Vec<_> = row.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        rows.push(format!("  {{ {} }},\n", keys.join(", ")));
        known.push(row);
    }
    match rows.is_empty() {
        true => String::new(),
        false => format!("{comments}alternatives = [\n{}]\n", rows.concat()),
    }
}

/// True for a server with a host and a port that a configuration can have.
fn can_be_named(seen: &Seen<Setting>) -> bool {
    HostName::parse(&seen.value.host).is_some() && seen.value.port != 0
}

/// A comment with the place where something was seen.
fn seen_at(place: &str) -> String {
    format!("# Seen: {}\n", visible(place))
}

/// The keys for the place of a server, with their values.
fn place(setting: &Setting) -> Vec<(&'static str, String)> {
    let security = match setting.security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::Plain => "none",
    };
    let host = HostName::parse(&setting.host);
    let host = host.as_ref().map_or(setting.host.as_str(), HostName::as_str);
    vec![("host", quoted(host)), ("port", setting.port.to_string()), ("security", quoted(security))]
}

/// The keys of a server, with their values.
fn keys(setting: &Setting, address: &str) -> Vec<(&'static str, String)> {
    let mut keys = place(setting);
    let methods: Vec<_> = methods(setting).map(quoted).collect();
    match &methods[..] {
        [] => {}
        [one] => keys.push(("auth", one.clone())),
        many => keys.push(("auth", format!("[{}]", many.join(", ")))),
    }
    if let Some(login) = template(&setting.login, address) {
        keys.push(("username", quoted(&login)));
    }
    keys
}

/// Comments about what a configuration has no word for.
fn left_out(setting: &Setting, address: &str) -> Vec<String> {
    let mut comments = Vec::new();
    let unknown = setting.methods.iter().filter(|method| {
        !methods(setting).any(|known| known == words_of(method).unwrap_or_default())
    });
    for method in unknown {
        comments.push(format!("# Not taken over: the authentication method {}\n", visible(method)));
    }
    if !setting.login.is_empty() && template(&setting.login, address).is_none() {
        comments.push(format!("# Not taken over: the login {}\n", visible(&setting.login)));
    }
    comments
}

/// The methods in the words of the configuration, each of them once.
fn methods(setting: &Setting) -> impl Iterator<Item = &'static str> {
    let mut known = Vec::new();
    for word in setting.methods.iter().filter_map(|method| words_of(method)) {
        // Without a login, mail can only be sent; and it is the only method then.
        let is_alone =
            word != "none" || setting.protocol == Protocol::Smtp && setting.methods.len() == 1;
        if is_alone && !known.contains(&word) {
            known.push(word);
        }
    }
    known.into_iter()
}

fn words_of(method: &str) -> Option<&'static str> {
    METHODS.iter().find(|(name, _)| *name == method).map(|(_, word)| *word)
}

/// The login with placeholders in place of the address or of its local part; `None` if there is none, or
/// if it has a sign that the configuration would read as one.
fn template(login: &str, address: &str) -> Option<String> {
    let local_part = address.rsplit_once('@').map_or("", |(local_part, _)| local_part);
    let is_in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_own = |rest: Option<&str>| rest.filter(|_| !local_part.is_empty()).map(str::to_owned);
    let (before, placeholder, after) = if login.eq_ignore_ascii_case(address) {
        (String::new(), EMAIL_ADDRESS, String::new())
    } else if let Some(rest) =
        is_own(login.strip_prefix(local_part)).filter(|rest| !is_in_word(rest.chars().next()))
    {
        (String::new(), EMAIL_LOCAL_PART, rest)
    } else if let Some(rest) =
        is_own(login.strip_suffix(local_part)).filter(|rest| !is_in_word(rest.chars().next_back()))
    {
        (rest, EMAIL_LOCAL_PART, String::new())
    } else {
        (login.to_owned(), "", String::new())
    };
    let is_fit = !login.is_empty() && !before.contains('%') && !after.contains('%');
    is_fit.then(|| format!("{before}{placeholder}{after}"))
}

/// A basic string of TOML. Its escapes are those of JSON; characters that only TOML escapes are replaced.
fn quoted(text: &str) -> String {
    serde_json::Value::from(replaced(text)).to_string()
}
