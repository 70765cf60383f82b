//! Findings about authentication methods, and about OAuth2.
//!
//! With OAuth2, one form works in the most clients: `["oauth2", "password"]` and an `[oauth2]`
//! table. The remedies of all these findings lead to it.

use super::breaks::{self, choices, who};
use super::kind::{Cause, cause};
use crate::account::{Account, Auth, MailServer, Protocol};
use crate::clients;

pub(super) fn auth_list(server: &MailServer) -> Option<Cause> {
    let methods: Vec<_> = server.auth.iter().collect();
    let is_meant = methods.len() > 1 && !methods.contains(&Auth::OAuth2);
    is_meant.then(|| cause(&["auth"], choices(&methods)))
}

pub(super) fn oauth2_list(server: &MailServer) -> Option<Cause> {
    let methods: Vec<_> = server.auth.iter().collect();
    let is_meant = methods.len() > 1 && methods.first() == Some(&Auth::OAuth2);
    is_meant.then(|| cause(&["auth"], choices(&methods)))
}

pub(super) fn oauth2_order(server: &MailServer) -> Option<Cause> {
    let methods: Vec<_> = server.auth.iter().collect();
    let is_meant = methods.contains(&Auth::OAuth2) && methods.first() != Some(&Auth::OAuth2);
    let other = methods.iter().find(|method| **method != Auth::Password);
    let breaks = match other {
        Some(Auth::OAuth2) => breaks::TAKES_METHOD_BEFORE_OAUTH2,
        _ => breaks::FIRST_BY_DOCUMENT,
    };
    is_meant.then(|| cause(&["auth"], choices(&methods)).for_those(breaks))
}

pub(super) fn auth_ntlm(server: &MailServer) -> Option<Cause> {
    let is_alone = server.auth.iter().eq([Auth::Ntlm]);
    // Thunderbird for Android skips all other servers.
    let is_read = matches!(server.protocol, Protocol::Imap | Protocol::Smtp);
    (is_alone && is_read).then(|| {
        let refuse = who(breaks::REFUSES_METHODS, "refuses", "refuse");
        cause(&["auth"], format!("with auth = \"ntlm\" {refuse} the whole configuration"))
    })
}

pub(super) fn smtp_without_login(server: &MailServer) -> Option<Cause> {
    server.auth.contains(Auth::None).then(|| {
        let refuse = who(breaks::REFUSES_METHODS, "refuses", "refuse");
        let treat = who(breaks::NEEDS_LOGIN, "treats", "treat");
        cause(
            &["auth"],
            format!(
                "with auth = \"none\" {refuse} the whole configuration, and {treat} it as \
                 incomplete"
            ),
        )
    })
}

pub(super) fn oauth2_alone(account: &Account) -> Vec<Cause> {
    let servers = [account.incoming(), account.outgoing()].into_iter().flatten();
    let keys: Vec<_> = servers
        .filter(|server| server.auth.without_token().is_none())
        .map(|server| format!("{}.auth", server.protocol))
        .collect();
    let message = || {
        format!(
            "auth = \"oauth2\" alone: {} nothing unless they know the server by name; Apple \
             profiles and Autodiscover are not available",
            who(breaks::OAUTH2_BY_HOST, "finds", "find")
        )
    };
    let cause = (!keys.is_empty()).then(|| Cause { keys, message: message(), breaks: None });
    cause.into_iter().collect()
}

pub(super) fn oauth2_missing(account: &Account) -> Vec<Cause> {
    let message = || {
        format!(
            "auth has \"oauth2\" without an [oauth2] table: it is used only by clients that know \
             the server by name, as {} those of Google and Microsoft",
            who(breaks::OAUTH2_BY_HOST, "knows", "know")
        )
    };
    let is_unknown = |server: &&MailServer| {
        server.auth.contains(Auth::OAuth2) && !clients::know_oauth2_of(server.host.as_str())
    };
    let server = account.servers.iter().find(is_unknown);
    let cause = server
        .filter(|_| account.oauth2.is_none())
        .map(|server| cause(&[&format!("{}.auth", server.protocol)], message()));
    cause.into_iter().collect()
}

pub(super) fn oauth2_unused(account: &Account) -> Vec<Cause> {
    let is_used = account.servers.iter().any(|it| it.auth.contains(Auth::OAuth2));
    let is_unused = account.oauth2.is_some() && !is_used;
    let message = "oauth2: no client uses it as long as no server has \"oauth2\" in auth";
    is_unused.then(|| cause(&["oauth2.issuer"], message)).into_iter().collect()
}
