//! Finds settings that work, but not for all clients. Takes an account and returns findings, each
//! at the setting that causes it.
//!
//! To add a kind, write an entry in [`LINTS`] (`table`), its text in `explain`, and a row in
//! `tests/findings.rs`. The clients that it breaks follow from their behaviour, by the table in
//! `clients`. `servers`, `methods`, `logins` and `documents` find the causes.

mod breaks;
mod documents;
mod kind;
mod logins;
mod methods;
mod servers;
mod table;

pub use self::breaks::Breaks;
pub use self::kind::Lint;
use self::kind::{Cause, Find};
pub use self::table::LINTS;
use crate::account::{Account, MailServer};
use crate::finding::{Finding, Place};

/// The findings in an account; `place` finds the first key that is set.
pub fn lint(account: &Account, mut place: impl FnMut(&[String]) -> Option<Place>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lint in LINTS {
        let ways = |find: &dyn Fn(&MailServer) -> Option<Cause>| {
            let mut causes: Vec<_> = account.servers.iter().filter_map(of_server(find)).collect();
            causes.extend(of_alternatives(account, find));
            causes
        };
        let causes = match lint.find {
            Find::Way(find) => ways(&find),
            Find::InDomain(find) => ways(&|server| find(server, account)),
            Find::Server(find) => account.servers.iter().filter_map(of_server(&find)).collect(),
            Find::Account(find) => find(account),
        };
        findings.extend(causes.into_iter().map(|cause| Finding {
            clients: cause.breaks.map_or(lint.breaks, Breaks::Those).labels(),
            remedy: Some(lint.remedy.to_owned()),
            ..Finding::warning(lint.code, place(&cause.keys), cause.message)
        }));
    }
    findings
}

/// Prepends the server to keys and message.
fn of_server(find: &dyn Fn(&MailServer) -> Option<Cause>) -> impl Fn(&MailServer) -> Option<Cause> {
    move |server| {
        let Cause { keys, message, breaks } = find(server)?;
        let protocol = server.protocol;
        Some(Cause {
            keys: keys.iter().map(|key| format!("{protocol}.{key}")).collect(),
            message: format!("{protocol}: {message}"),
            breaks,
        })
    }
}

/// The same for alternatives. The keys that an alternative does not set are those of the server.
fn of_alternatives(account: &Account, find: &dyn Fn(&MailServer) -> Option<Cause>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for server in &account.alternatives {
        let MailServer { protocol, index, .. } = server;
        if let Some(Cause { keys, message, breaks }) = find(server) {
            let way = format!("{protocol}.alternatives[{index}]");
            let own = keys.iter().map(|key| format!("{way}.{key}"));
            let shared = if keys.iter().any(|key| key == "host") { "host" } else { "security" };
            let inherited = [format!("{protocol}.{shared}"), way.clone()];
            causes.push(Cause {
                keys: own.chain(inherited).collect(),
                message: format!("{way}: {message}"),
                breaks,
            });
        }
    }
    causes
}
