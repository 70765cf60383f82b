//! How long a domain may be, so that its documents differ from those of another domain with the
//! same settings only in its name.
//!
//! With a longer one a text may be shortened, or a host name refused. Domains have no room at all
//! where more than that depends on their letters: beside the placeholder in an international label,
//! and where the places of two servers may become the same one.

use super::defaults::{self, EMAIL_DOMAIN};
use super::settings::{Found, MAX_NAME, MAX_SHORT_NAME, Provider, ServerSettings};
use super::template::Template;
use crate::address::{HostName, MAX_DOMAIN, MAX_LABEL};

/// The longest domain for which that holds, in bytes; for all domains without two adjacent hyphens.
pub fn of(found: &Found) -> usize {
    if found.alias_of().is_some() {
        // The texts have the same domain in them for all.
        return MAX_DOMAIN;
    }
    let settings = found.settings();
    let Provider { name, short_name, .. } = &*settings.provider;
    let names = [(name, MAX_NAME), (short_name, MAX_SHORT_NAME)].map(|(name, max)| match &**name {
        // Documents have a gap for it, however it is shortened.
        defaults::PROVIDER_NAME => MAX_DOMAIN,
        name => in_text(name, max),
    });
    let servers = settings.servers.iter().filter(|server| server.enabled);
    let servers = servers.map(|server| in_hosts(server));
    let urls = found.urls().map(|(_, url)| match url {
        Template::Open(text) => in_host(host(text)),
        Template::Whole(_) => MAX_DOMAIN,
    });
    names.into_iter().chain(servers).chain(urls).min().unwrap_or(MAX_DOMAIN)
}

/// The room in the hosts of a server and its alternatives.
fn in_hosts(server: &ServerSettings) -> usize {
    let others = server.alternatives.iter().filter_map(|other| other.host.as_ref());
    let hosts: Vec<_> = [&server.host].into_iter().chain(others).collect();
    let is_same = hosts.iter().all(|host| *host == hosts[0]);
    let is_whole = hosts.iter().all(|host| matches!(host, Template::Whole(_)));
    match is_same || is_whole {
        true => hosts.into_iter().map(in_template).min().unwrap_or(MAX_DOMAIN),
        // Which of them are the same may depend on the domain.
        false => 0,
    }
}

fn in_template(host: &Template<HostName>) -> usize {
    match host {
        Template::Open(text) => in_host(text),
        Template::Whole(_) => MAX_DOMAIN,
    }
}

/// The room in a host name.
fn in_host(host: &str) -> usize {
    let of_label = |label: &str| match label {
        EMAIL_DOMAIN => MAX_DOMAIN,
        // An A-label is checked, and the domain may complete it or be a part of it.
        label if label.contains(EMAIL_DOMAIN) && label.contains("--") => 0,
        label => in_text(label, MAX_LABEL),
    };
    host.split('.').map(of_label).fold(in_text(host, MAX_DOMAIN), usize::min)
}

/// The room in a text of up to `max` characters.
fn in_text(text: &str, max: usize) -> usize {
    let count = text.matches(EMAIL_DOMAIN).count();
    let beside = text.chars().count() - count * EMAIL_DOMAIN.len();
    match count {
        0 => MAX_DOMAIN,
        _ => max.saturating_sub(beside) / count,
    }
}

/// The host in the text of a URL.
fn host(url: &str) -> &str {
    let (_, rest) = url.split_once("//").unwrap_or_default();
    rest.split(['/', '?', '#', ':']).next().unwrap_or_default()
}
