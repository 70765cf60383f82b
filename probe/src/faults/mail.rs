//! What is wrong with a mail server.

use super::web;
use crate::facts::Facts;
use crate::finding::Fault;
use crate::net::dns::Outcome as Dns;
use crate::net::mail::{Endpoint, Outcome, Server, Spoken};
use crate::read::shortened;
use mailsetup::account::{Protocol, Security};
use std::net::IpAddr;

/// An address of the computer itself is not asked: who names it, names the computer of each client.
pub const OWN: Outcome = Outcome::NotAsked("the address is that of the computer itself");

/// What is wrong with a server for every client that would use it; `None` if it can be used.
pub fn unusable(server: &Server) -> Option<Fault> {
    let place = place(&server.endpoint);
    if server.dialogues.is_empty() {
        return Some(no_address(server));
    }
    if let Some((address, _)) = server.dialogues.iter().find(|(_, outcome)| *outcome == OWN) {
        let is_own = |(_, outcome): &(IpAddr, Outcome)| *outcome == OWN;
        if server.dialogues.iter().all(is_own) {
            let message = format!("the host has the address {address}, which is each client's own");
            return Some(Fault::new("mail-own-address", &*server.endpoint.host, message).mend(
                format!("{}. 3600 IN A <address of the mail server>", server.endpoint.host),
            ));
        }
    }
    if server.dialogues.iter().any(|(_, outcome)| matches!(outcome, Outcome::Spoke(_))) {
        return None;
    }
    let (address, outcome) = server
        .dialogues
        .iter()
        .find(|(_, outcome)| !matches!(outcome, Outcome::Unreachable(_) | Outcome::TimedOut))
        .or(server.dialogues.first())?;
    fault(&place, *address, outcome, &server.endpoint)
}

/// The addresses at which a server that can be used at another cannot be used.
pub fn dead_addresses(server: &Server) -> Option<Fault> {
    let is_good = |outcome: &Outcome| matches!(outcome, Outcome::Spoke(_));
    if !server.dialogues.iter().any(|(_, outcome)| is_good(outcome)) {
        return None;
    }
    // Some of many addresses are not asked.
    let is_bad = |outcome: &Outcome| !is_good(outcome) && !matches!(outcome, Outcome::NotAsked(_));
    let (address, outcome) = server.dialogues.iter().find(|(_, outcome)| is_bad(outcome))?;
    let place = place(&server.endpoint);
    let fault = fault(&place, *address, outcome, &server.endpoint)?;
    match outcome {
        Outcome::Unreachable(_) | Outcome::TimedOut => {
            let kind = if address.is_ipv6() { "IPv6" } else { "IPv4" };
            let message = format!(
                "there is no connection at its {kind} address {address}: clients wait for it"
            );
            let record = if address.is_ipv6() { "AAAA" } else { "A" };
            Some(
                Fault::new("mail-dead-address", place, message).seen(fault.evidence).mend(format!(
                    "Let the server listen at {address}, or remove the record:\n{}. IN {record} {address}",
                    server.endpoint.host
                )),
            )
        }
        _ => Some(Fault { message: format!("at {address}: {}", fault.message), ..fault }),
    }
}

/// What is wrong with how a server speaks, though it can be used.
pub fn risks(server: &Server) -> Vec<Fault> {
    let mut faults = Vec::new();
    let place = place(&server.endpoint);
    let spoken = server.dialogues.iter().find_map(|(_, outcome)| match outcome {
        Outcome::Spoke(spoken) => Some(spoken),
        _ => None,
    });
    let Some(spoken) = spoken else { return faults };
    if let Some(injected) = &spoken.injected {
        faults.push(
            Fault::new(
                "starttls-injection",
                &*place,
                "the server sent text between its response to STARTTLS and the TLS handshake",
            )
            .seen(shortened(injected))
            .mend("Update the mail server, or the proxy in front of it."),
        );
    }
    let clear: Vec<_> = spoken
        .mechanisms_before_tls
        .iter()
        .filter(|name| ["PLAIN", "LOGIN", "LOGIN-COMMAND", "USER-COMMAND"].contains(&name.as_str()))
        .cloned()
        .collect();
    // Dovecot and Postfix trust a connection from the same machine.
    if !spoken.is_local && !clear.is_empty() && server.endpoint.security == Security::StartTls {
        let remedy = match server.endpoint.protocol {
            Protocol::Smtp => "In main.cf of Postfix:\nsmtpd_tls_auth_only = yes",
            _ => {
                "In Dovecot 2.4:\nauth_allow_cleartext = no\nIn Dovecot 2.3:\ndisable_plaintext_auth = yes"
            }
        };
        faults.push(
            Fault::new("auth-before-tls", &*place, "a password is accepted before TLS")
                .seen(format!("offered before STARTTLS: {}", clear.join(" ")))
                .mend(remedy),
        );
    }
    if spoken.is_open && !spoken.is_local {
        faults.push(
            Fault::new(
                "submission-open",
                &*place,
                "a message to another domain is accepted without a login",
            )
            .seen(spoken.mail_without_login.clone().unwrap_or_default())
            .mend("In main.cf of Postfix:\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject"),
        );
    }
    faults
}

/// Why a client cannot log in with the methods that its settings have; `None` if it can.
pub fn login(server: &Server, methods: &[String]) -> Option<Fault> {
    let spoken = server.dialogues.iter().find_map(|(_, outcome)| match outcome {
        Outcome::Spoke(spoken) => Some(spoken),
        _ => None,
    })?;
    let place = place(&server.endpoint);
    let offered = spoken.mechanisms.join(" ");
    let evidence =
        format!("offered: {}", if offered.is_empty() { "no mechanism" } else { offered.as_str() });
    if let Some(Err(said)) = &spoken.login {
        return Some(
            Fault::new("login-refused", place, "the login was refused").seen(shortened(said)),
        );
    }
    if spoken.mechanisms.is_empty() {
        let is_disabled = spoken.capabilities.iter().any(|name| name == "LOGINDISABLED");
        let (code, message) = match server.endpoint.protocol {
            _ if is_disabled => ("login-disabled", "no login is allowed, also after TLS"),
            Protocol::Smtp => ("auth-none", "no login is offered for sending"),
            _ => ("auth-none", "no login is offered"),
        };
        let remedy = match server.endpoint.protocol {
            Protocol::Smtp => "In main.cf of Postfix:\nsmtpd_sasl_auth_enable = yes",
            _ => "In Dovecot:\nauth_mechanisms = plain login",
        };
        return Some(Fault::new(code, place, message).seen(evidence).mend(remedy));
    }
    let can = |method: &str| offers(spoken, method);
    let is_possible = match methods {
        [] => can("password-cleartext") || can("password-encrypted"),
        [only] if only == "none" => true,
        methods => methods.iter().any(|method| can(method)),
    };
    if is_possible {
        return None;
    }
    let wanted = if methods.is_empty() { "a password".to_owned() } else { methods.join(", ") };
    let message = format!("the settings say {wanted}, which the server does not offer");
    Some(
        Fault::new("auth-missing", place, message)
            .seen(evidence)
            .mend("Announce what the server offers, or enable the mechanism there."),
    )
}

/// The servers that were not sent the password of `--login`.
pub fn without_login(facts: &Facts) -> Vec<Fault> {
    let fault = |(endpoint, reason): &(Endpoint, &str)| {
        Fault::new("login-not-tried", place(endpoint), format!("no login was tried: {reason}"))
    };
    facts.without_login.iter().map(fault).collect()
}

/// True if a server offers a method of autoconfig.
fn offers(spoken: &Spoken, method: &str) -> bool {
    let any = |names: &[&str]| spoken.mechanisms.iter().any(|name| names.contains(&name.as_str()));
    match method {
        "password-cleartext" | "plain" => any(&["PLAIN", "LOGIN", "LOGIN-COMMAND", "USER-COMMAND"]),
        "password-encrypted" | "secure" => {
            any(&["CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "APOP"])
        }
        "OAuth2" => any(&["XOAUTH2", "OAUTHBEARER"]),
        "NTLM" => any(&["NTLM"]),
        "GSSAPI" => any(&["GSSAPI"]),
        "none" | "client-IP-address" => true,
        _ => false,
    }
}

fn fault(place: &str, address: IpAddr, outcome: &Outcome, endpoint: &Endpoint) -> Option<Fault> {
    let at = format!("{} {place} ({address})", endpoint.protocol);
    Some(match outcome {
        Outcome::Spoke(_) => return None,
        Outcome::Unreachable(what) if what.contains("no route") => web::no_route(place, what, at),
        Outcome::Unreachable(what) => {
            Fault::new("mail-refused", place, format!("no connection: {what}"))
                .seen(at)
                .mend("Start the service, open its port in the firewall, or correct the settings.")
        }
        Outcome::TimedOut => {
            Fault::new("mail-timeout", place, "no connection, or no greeting, in time")
                .seen(at)
                .mend("Open the port in the firewall, or correct the port and the security.")
        }
        Outcome::Tls(refused) => web::tls(refused, place, &at),
        Outcome::NoStartTls(said) => {
            Fault::new("starttls-missing", place, "STARTTLS is not offered")
                .seen(format!("{at}\n{}", shortened(said)))
                .mend("Configure a certificate in the mail server, or announce its port for TLS.")
        }
        Outcome::Unfit(said) => {
            let message = format!("this is not a usable {} server", endpoint.protocol);
            Fault::new("mail-unfit", place, message).seen(format!("{at}\n{}", shortened(said)))
        }
        Outcome::NotAsked(what) => Fault::new("not-asked", place, *what).seen(at),
    })
}

fn no_address(server: &Server) -> Fault {
    let host = server.endpoint.host.as_str();
    let evidence: Vec<_> = server.names.iter().map(ToString::to_string).collect();
    let outcomes = || server.names.iter().map(|answer| &answer.outcome);
    let (code, message) = if outcomes().any(|outcome| matches!(outcome, Dns::Failed(_))) {
        ("dns-failed", "the DNS server cannot resolve the name".to_owned())
    } else if outcomes().any(|outcome| matches!(outcome, Dns::TimedOut)) {
        ("dns-timeout", "no DNS server answers for the name".to_owned())
    } else if let [answer] = &server.names[..] {
        // With --ipv4 or --ipv6.
        ("mail-no-address", format!("the host has no address of the kind {}", answer.kind))
    } else if let Some(alias) = server.names.iter().find_map(|answer| answer.aliases.last()) {
        ("dns-dangling", format!("the name is an alias of {alias}, which has no address"))
    } else {
        ("mail-no-address", "the host of the mail server has no address".to_owned())
    };
    Fault::new(code, host, message)
        .seen(evidence.join("\n"))
        .mend(format!("{host}. 3600 IN A <address of the mail server>"))
}

/// `mail.example.org:993`
pub fn place(endpoint: &Endpoint) -> String {
    format!("{}:{}", endpoint.host, endpoint.port)
}
