//! Findings about redirects of Autodiscover to an address: where they lead, from domain to domain, as
//! clients follow them.

use crate::account::{Account, EMAIL_LOCAL_PART, Mailbox, Redirect};
use crate::address::{Domain, EmailAddress};
use crate::clients::{self, Client, Rule};
use crate::config::Config;
use crate::discovery::autodiscover::new_address;
use crate::finding::Finding;

/// How many redirects Autodiscover clients follow (seen: EWS's documentation names ten).
const MAX_REDIRECTS: usize = 10;
/// How many those with [`Rule::TwoRedirects`] follow.
const FEW_REDIRECTS: usize = 2;

const FOLLOWS: fn(&Client) -> bool = |client| client.has(Rule::FollowsRedirectAddress);
const FOLLOWS_FEW: fn(&Client) -> bool = |client| client.has(Rule::TwoRedirects);
/// They set up the account of the new address. Thunderbird keeps the login of the old one.
const TAKES_NEW_ADDRESS: fn(&Client) -> bool = |client| FOLLOWS(client) && !FOLLOWS_FEW(client);

/// The findings, without a place.
pub fn findings(domain: &Domain, account: &Account, config: &Config) -> Vec<Finding> {
    let Some(Redirect::Address(template)) = &account.moved else { return Vec::new() };
    let of = |local_part: &str| {
        let address = EmailAddress::parse(format!("{local_part}@{domain}").as_bytes()).ok()?;
        let mailbox = Mailbox { address: &address, login: None };
        Some((template.of(&mailbox), address))
    };
    // A local part of the least length.
    let Some((new, address)) = of("x") else { return Vec::new() };
    let Ok(parsed) = EmailAddress::parse(new.as_bytes()) else {
        let message = format!(
            "autodiscover.redirect_address: `{new}` is not an address; clients are not redirected, \
             and get the settings of this domain"
        );
        return vec![Finding::error("redirect-address", None, message)];
    };
    let mut findings = Vec::new();
    if parsed.folded() == address.folded() {
        let message = "autodiscover.redirect_address: it leads to the same address; clients are not \
                       redirected";
        let remedy = Some("remove it, or name another address".to_owned());
        findings.push(Finding { remedy, ..Finding::warning("redirect-to-itself", None, message) });
    } else if !template.template().contains(EMAIL_LOCAL_PART) {
        let message = format!(
            "autodiscover.redirect_address: every mailbox is redirected to {new}, which {}; anybody can \
             read this address",
            clients::sentence(&clients::those(TAKES_NEW_ADDRESS), "sets up", "set up")
        );
        let remedy = format!("use {EMAIL_LOCAL_PART}@ and the other domain");
        findings.push(Finding {
            clients: clients::labels(TAKES_NEW_ADDRESS),
            remedy: Some(remedy),
            ..Finding::warning("redirect-fixed", None, message)
        });
    }
    findings.extend(chain(domain, config));
    findings
}

/// The finding about a circle, or about more redirects than all clients follow.
fn chain(domain: &Domain, config: &Config) -> Option<Finding> {
    let mut addresses = vec![EmailAddress::parse(format!("user@{domain}").as_bytes()).ok()?];
    while let Some(next) = addresses.last().and_then(|address| next(address, config)) {
        let is_back = addresses.iter().any(|known| known.folded() == next.folded());
        addresses.push(next);
        if is_back || addresses.len() > MAX_REDIRECTS {
            break;
        }
    }
    let steps = addresses.len() - 1;
    let last = addresses.last()?.folded();
    let is_circle = addresses[..steps].iter().any(|address| address.folded() == last);
    let way: Vec<_> = addresses.iter().map(EmailAddress::to_string).collect();
    let way = way.join(" -> ");
    let key = "autodiscover.redirect_address";
    let circle = |message| Finding {
        clients: clients::labels(FOLLOWS),
        ..Finding::warning("redirect-circle", None, message)
    };
    let finding = if is_circle {
        let find = clients::sentence(&clients::those(FOLLOWS), "finds", "find");
        circle(format!("{key}: a circle, in which {find} nothing: {way}"))
    } else if steps >= MAX_REDIRECTS {
        circle(format!("{key}: clients give up after {MAX_REDIRECTS} redirects: {way}"))
    } else if steps > FEW_REDIRECTS {
        let give_up = clients::sentence(&clients::those(FOLLOWS_FEW), "gives up", "give up");
        let message = format!("{key}: {give_up} after {FEW_REDIRECTS} redirects: {way}");
        let clients = clients::labels(FOLLOWS_FEW);
        Finding { clients, ..Finding::warning("redirect-long", None, message) }
    } else {
        return None;
    };
    let remedy = "let it lead to the address that has settings, at once";
    Some(Finding { remedy: Some(remedy.to_owned()), ..finding })
}

/// The address to which an address is redirected.
fn next(address: &EmailAddress, config: &Config) -> Option<EmailAddress> {
    let found = config.find_now(address.domain()).ok()??;
    new_address(&found.account(address.domain(), None, Some(address.clone()))?)
}
