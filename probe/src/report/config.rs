//! A configuration of mailsetup with the settings that are published today, for `--as-config`.
//!
//! Comments say where each server was seen. What the configuration has no word for is left out and named
//! at the end.

use super::{Report, Seen};
use crate::read::Setting;
use mailsetup::account::{Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol};
use mailsetup::address::{Domain, HostName};
use mailsetup::draft::{self, Draft, Noted, Place, Server};
use mailsetup::visible::visible;

/// The methods in the words of autoconfig, with those of the configuration.
const METHODS: [(&str, Auth); 5] = [
    ("password-cleartext", Auth::Password),
    ("password-encrypted", Auth::CramMd5),
    ("NTLM", Auth::Ntlm),
    ("OAuth2", Auth::OAuth2),
    ("none", Auth::None),
];

/// The configuration; the error says what is missing for one.
pub fn write(report: &Report) -> Result<String, String> {
    let nothing = |what: &str| {
        format!("no configuration can be written for {}: {what}", visible(&report.domain))
    };
    let domain = Domain::parse(&report.domain).map_err(|error| nothing(&error.to_string()))?;
    let published = report.published.as_ref();
    let published = published.ok_or_else(|| nothing("no settings are published"))?;
    let mut draft = Draft {
        heading: vec![
            format!(
                "The settings of {domain}, as they are published today; written by mailsetup-probe."
            ),
            "Test: mailsetup --config FILE check".to_owned(),
        ],
        ..Draft::default()
    };
    if let Some(name) = &published.name {
        let name = Noted::seen(name.value.as_str(), Place::whole(&name.at), "");
        draft.top.set("provider.name", name);
    }
    for seen in published.servers.iter().filter(|seen| can_be_named(seen)) {
        let server = server(seen, &report.address, &mut draft);
        draft.top.servers.push(server);
    }
    draft.settle();
    draft.say_once();
    match draft.missing() {
        Some(missing) => Err(nothing(&format!("{missing} is not published"))),
        None => {
            draft.domain(Noted::assumed(domain.as_str(), "only this domain is answered"));
            Ok(draft::write(&draft))
        }
    }
}

/// True for a server with a host and a port that a configuration can have.
fn can_be_named(seen: &Seen<Setting>) -> bool {
    HostName::parse(&seen.value.host).is_some() && seen.value.port != 0
}

/// The server of a configuration. What it has no word for is noted.
fn server(seen: &Seen<Setting>, address: &str, draft: &mut Draft) -> Server {
    let Seen { value: setting, at } = seen;
    let at = Place::whole(at);
    let mut server = Server::new(setting.protocol);
    let host = HostName::parse(&setting.host);
    let host = host.as_ref().map_or(setting.host.as_str(), HostName::as_str);
    server.host = Some(Noted::seen(host, at.clone(), ""));
    server.port = Some(Noted::seen(setting.port, at.clone(), ""));
    server.security = Some(Noted::seen(setting.security, at.clone(), ""));
    let methods = methods(setting);
    let is_known = |method: &&String| word(method).is_some_and(|it| methods.contains(&it));
    for unknown in setting.methods.iter().filter(|method| !is_known(method)) {
        draft.not_carried(at.clone(), format!("the authentication method {unknown}"));
    }
    if !methods.is_empty() {
        server.auth = Some(Noted::seen(methods, at.clone(), ""));
    }
    match template(&setting.login, address) {
        Some(login) => server.username = Some(Noted::seen(login, at, "")),
        None if setting.login.is_empty() => {}
        None => draft.not_carried(at, format!("the login {}", setting.login)),
    }
    server
}

/// The methods that a configuration has a word for, each of them once.
fn methods(setting: &Setting) -> Vec<Auth> {
    let mut known = Vec::new();
    for method in setting.methods.iter().filter_map(|method| word(method)) {
        // Without a login, mail can only be sent; and it is the only method then.
        let is_alone = method != Auth::None
            || setting.protocol == Protocol::Smtp && setting.methods.len() == 1;
        if is_alone && !known.contains(&method) {
            known.push(method);
        }
    }
    known
}

fn word(method: &str) -> Option<Auth> {
    METHODS.iter().find(|(name, _)| *name == method).map(|(_, method)| *method)
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
