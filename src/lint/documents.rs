//! Findings about single documents: PACC, redirects of Autodiscover, the page.

use super::breaks::{self, of_redirect};
use super::kind::{Cause, cause};
use crate::account::{Account, Protocol, Redirect};
use crate::discovery::pacc::{self, Why};
use crate::page::contrast::on_light;
use crate::url::HTTPS_PORT;

pub(super) fn pacc_empty(account: &Account) -> Vec<Cause> {
    left_out(account, |why| why == Why::NotEnough)
}

pub(super) fn pacc_login(account: &Account) -> Vec<Cause> {
    left_out(account, |why| matches!(why, Why::Login | Why::NoLogin | Why::NoPassword))
}

pub(super) fn pacc_path(account: &Account) -> Vec<Cause> {
    left_out(account, |why| why == Why::NoPath)
}

pub(super) fn pacc_port(account: &Account) -> Vec<Cause> {
    left_out(account, |why| matches!(why, Why::Port(_)))
}

pub(super) fn pacc_managesieve(account: &Account) -> Vec<Cause> {
    let has = account.servers.iter().any(|server| server.protocol == Protocol::ManageSieve);
    let message = "pacc: managesieve is left out: it has no port for TLS from the first byte";
    let keys = &["managesieve.enabled", "pacc.enabled"];
    (account.pacc && has).then(|| cause(keys, message)).into_iter().collect()
}

/// The settings that PACC omits for some of the reasons.
fn left_out(account: &Account, is_reason: impl Fn(Why) -> bool) -> Vec<Cause> {
    if !account.pacc {
        return Vec::new();
    }
    let left_out = pacc::left_out(account).into_iter().filter(|left_out| is_reason(left_out.why));
    let causes = left_out.map(|pacc::LeftOut { what, why }| {
        let (keys, message) = match why {
            Why::Port(HTTPS_PORT) => (&["url"][..], format!("it is not on port {HTTPS_PORT}")),
            Why::Port(port) => (
                &["security", "port"][..],
                format!("it is not on port {port} with TLS from the first byte"),
            ),
            Why::Login => (&["username"][..], "its login is not the whole address".to_owned()),
            Why::NoLogin => (&["auth"][..], "it takes no login".to_owned()),
            Why::NoPassword => (&["auth"][..], "it takes no password".to_owned()),
            Why::NoPath => (&["url"][..], "its URL has no path".to_owned()),
            Why::NotEnough => {
                return cause(&["pacc.enabled"], "pacc: no document is published");
            }
        };
        let keys = keys.iter().map(|key| format!("{what}.{key}"));
        Cause {
            // If a default is the reason, the place is that of PACC itself.
            keys: keys.chain(["pacc.enabled".to_owned()]).collect(),
            message: format!("pacc: {what} is left out: {message}"),
            breaks: None,
        }
    });
    causes.collect()
}

pub(super) fn page_color(account: &Account) -> Vec<Cause> {
    let color = account.page.color.filter(|color| on_light(*color) != *color);
    let message = |color| {
        format!(
            "page.color: text in {color} cannot be read on a light page; {} is shown there",
            on_light(color)
        )
    };
    color.into_iter().map(|color| cause(&["page.color"], message(color))).collect()
}

pub(super) fn redirect_to_address(account: &Account) -> Vec<Cause> {
    let is_moved = matches!(account.moved, Some(Redirect::Address(_)));
    let key = "autodiscover.redirect_address";
    let message = || format!("{key}: {}", of_redirect(breaks::IGNORES_ADDRESS));
    is_moved.then(|| cause(&[key], message())).into_iter().collect()
}

pub(super) fn redirect_to_url(account: &Account) -> Vec<Cause> {
    let is_moved = matches!(account.moved, Some(Redirect::Url(_)));
    let key = "autodiscover.redirect_url";
    let message = || format!("{key}: {}", of_redirect(breaks::IGNORES_URL));
    is_moved.then(|| cause(&[key], message())).into_iter().collect()
}
