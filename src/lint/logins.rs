//! Findings about logins, and about names that a client changes.

use super::breaks::{self, who};
use super::kind::{Cause, cause};
use crate::account::{Account, EMAIL_ADDRESS, EMAIL_LOCAL_PART, MailServer, ServiceKind};

pub(super) fn composed(server: &MailServer) -> Option<Cause> {
    let login = server.login.template();
    let is_composed = login != EMAIL_LOCAL_PART && login != EMAIL_ADDRESS && !is_fixed(login);
    is_composed.then(|| {
        let not = who(breaks::NO_COMPOSED, "does not understand", "do not understand");
        cause(&["username"], format!("{not} a username made of several parts"))
    })
}

pub(super) fn fixed(server: &MailServer) -> Option<Cause> {
    is_fixed(server.login.template()).then(|| {
        let log_in = who(breaks::NO_FIXED, "logs in", "log in");
        let message = format!(
            "{log_in} with the address, not with a fixed username; and anybody can read this \
             username in the documents of the domain"
        );
        cause(&["username"], message)
    })
}

pub(super) fn local_part(server: &MailServer) -> Option<Cause> {
    (server.login.template() == EMAIL_LOCAL_PART).then(|| {
        let address = who(breaks::ALWAYS_ADDRESS, "logs in", "log in");
        let literally = who(breaks::ONLY_ADDRESS, "does not fill in", "do not fill in");
        let message = format!(
            "{address} with the whole address; {literally} this placeholder and cannot log in"
        );
        cause(&["username"], message)
    })
}

pub(super) fn value(server: &MailServer) -> Option<Cause> {
    let login = server.login.template();
    looks_like_a_value(login).then(|| {
        let message = format!(
            "{} the username {login} as a number or as true or false",
            who(breaks::READS_VALUES, "reads", "read")
        );
        cause(&["username"], message)
    })
}

pub(super) fn markup(server: &MailServer) -> Option<Cause> {
    // They are written as `&amp;`, `&lt;` and `&gt;`.
    let is_cut = server.login.template().contains(['&', '<', '>']);
    is_cut.then(|| {
        let read = who(breaks::CUTS_AT_REFERENCES, "reads", "read");
        cause(&["username"], format!("{read} only the part after the last of & < > in a username"))
    })
}

pub(super) fn of_service(account: &Account) -> Vec<Cause> {
    let Some(incoming) = account.incoming() else { return Vec::new() };
    let services = account.services.iter().filter(|service| {
        service.kind != ServiceKind::ActiveSync
            && service.login.template() != incoming.login.template()
    });
    let cause = |kind| {
        cause(
            &[
                &format!("{kind}.username"),
                &format!("{}.username", incoming.protocol),
                &format!("{kind}.url"),
            ],
            format!(
                "{kind}.username: {} the last username for the mail server's",
                who(breaks::LAST_USERNAME, "takes", "take")
            ),
        )
    };
    services.map(|service| cause(service.kind)).collect()
}

pub(super) fn name_value(account: &Account) -> Vec<Cause> {
    let provider = &account.provider;
    // The name is also the short name if none is set.
    [
        ("name", &provider.name, &["provider.name"][..]),
        ("short_name", &provider.short_name, &["provider.short_name", "provider.name"]),
    ]
    .into_iter()
    .filter(|(_, name, _)| looks_like_a_value(name))
    .map(|(key, name, keys)| {
        let message = format!(
            "provider.{key}: {} {name} as a number or as true or false",
            who(breaks::READS_VALUES, "reads", "read")
        );
        cause(keys, message)
    })
    .collect()
}

/// True for a login that contains no part of the address.
fn is_fixed(login: &str) -> bool {
    !login.contains(EMAIL_ADDRESS) && !login.contains(EMAIL_LOCAL_PART)
}

/// True for text that JavaScript reads as a finite number, and for a truth value in any letter case
/// (seen: `JXON` of Thunderbird turns `0123` into 123).
fn looks_like_a_value(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_of = |prefix: &str, base: u32| {
        let digits = lower.strip_prefix(prefix).filter(|digits| !digits.is_empty());
        digits.is_some_and(|digits| digits.chars().all(|c| c.is_digit(base)))
    };
    lower.parse::<f64>().is_ok_and(f64::is_finite)
        || is_of("0x", 16)
        || is_of("0o", 8)
        || is_of("0b", 2)
        || ["true", "false"].contains(&&*lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_javascript() {
        for text in ["0123", "1e5", "-1", ".5", "1.", "0x1F", "0b1", "true", "FALSE", "True"] {
            assert!(looks_like_a_value(text), "{text}");
        }
        for text in ["", "inf", "nan", "Infinity", "1e999", "0x", "0xg", "1 2", "1&1", "truth"] {
            assert!(!looks_like_a_value(text), "{text}");
        }
    }
}
