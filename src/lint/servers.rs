//! Findings about servers: which are there, on which host and port, and how they are protected.

use super::breaks::{self, Does, who};
use super::kind::{Cause, cause};
use crate::account::{Account, MailServer, Protocol, Security, ServiceKind, WebService};
use crate::ports;

/// The port for mail between servers (RFC 5321 §4.5.4.2).
const RELAY: u16 = 25;
/// Names that are reserved for examples (RFC 2606, RFC 6761): the DNS has no mail server there.
const EXAMPLES: [&str; 5] = ["example", "invalid", "example.com", "example.net", "example.org"];
/// The path of ActiveSync ([MS-ASHTTP] 2.2.1.1.1).
const ACTIVESYNC_PATH: &str = "/Microsoft-Server-ActiveSync";

pub(super) fn alternatives(account: &Account) -> Vec<Cause> {
    let has = |protocol| account.alternatives.iter().any(|server| server.protocol == protocol);
    let cause = |protocol| {
        let does = match protocol {
            Protocol::Smtp => breaks::TAKES_LAST_TO_SEND,
            _ => breaks::TAKES_LAST,
        };
        let take = who(does, "takes", "take");
        cause(
            &[&format!("{protocol}.alternatives")],
            format!("{protocol}.alternatives: {take} the last server instead of the first"),
        )
        .for_those(does)
    };
    let protocols = [Protocol::Imap, Protocol::Pop3, Protocol::Smtp];
    protocols.into_iter().filter(|protocol| has(*protocol)).map(cause).collect()
}

pub(super) fn no_imap(account: &Account) -> Vec<Cause> {
    let has_imap = account.servers.iter().any(|server| server.protocol == Protocol::Imap);
    let message =
        || format!("without imap, {} no server", who(breaks::NEEDS_IMAP, "finds", "find"));
    (!has_imap).then(|| cause(&["imap.enabled"], message())).into_iter().collect()
}

pub(super) fn jmap(account: &Account) -> Vec<Cause> {
    let jmap = account.service(ServiceKind::Jmap);
    let refuse = who(breaks::REFUSES_TYPES, "refuses", "refuse");
    let message = || format!("jmap: {refuse} the whole autoconfig document for it");
    jmap.iter().map(|_| cause(&["jmap.url"], message())).collect()
}

pub(super) fn activesync_path(account: &Account) -> Vec<Cause> {
    let service = account.service(ServiceKind::ActiveSync);
    let is_other = |path: &str| !path.trim_end_matches('/').eq_ignore_ascii_case(ACTIVESYNC_PATH);
    let url = service.map(|service| &service.url).filter(|url| is_other(url.path()));
    let message = format!("activesync.url: phones request {ACTIVESYNC_PATH} at this host");
    url.map(|_| cause(&["activesync.url"], message)).into_iter().collect()
}

//------------ Ports and protection -------------------------------------------

pub(super) fn port_starttls(server: &MailServer) -> Option<Cause> {
    let is_wrong = server.security == Security::Tls && is_port_of(server, Security::StartTls);
    let does = port_decides(server);
    is_wrong.then(|| {
        cause(
            &["security", "port"],
            format!(
                "port {} is for STARTTLS; after Autodiscover, {} STARTTLS there, in spite of \
                 security = \"tls\"",
                server.port,
                who(does, "uses", "use")
            ),
        )
        .for_those(does)
    })
}

pub(super) fn port_tls(server: &MailServer) -> Option<Cause> {
    let is_wrong = server.security == Security::StartTls && is_port_of(server, Security::Tls);
    is_wrong.then(|| {
        cause(
            &["security", "port"],
            format!(
                "port {} is for TLS from the first byte; no client connects with \
                 security = \"starttls\"",
                server.port
            ),
        )
    })
}

/// Alternatives are not in the documents of Autodiscover.
pub(super) fn port_starttls_other(server: &MailServer) -> Option<Cause> {
    let is_read = server.protocol != Protocol::ManageSieve;
    let is_unknown = ports::security_of(server.protocol, server.port).is_none()
        && other_protocol(server).is_none()
        && server.port.get() != RELAY;
    let does = port_decides(server);
    (server.security == Security::StartTls && is_read && is_unknown).then(|| {
        cause(
            &["port", "security"],
            format!(
                "port {} is not registered for STARTTLS; after Autodiscover, {} TLS from the first \
                 byte there",
                server.port,
                who(does, "uses", "use")
            ),
        )
        .for_those(does)
    })
}

pub(super) fn port_other(server: &MailServer) -> Option<Cause> {
    let other = other_protocol(server)?;
    let message = format!("port {} is registered for {other}", server.port);
    Some(cause(&["port"], message))
}

pub(super) fn port_relay(server: &MailServer) -> Option<Cause> {
    let is_relay = server.protocol == Protocol::Smtp && server.port.get() == RELAY;
    is_relay.then(|| {
        let message = format!(
            "port {RELAY} is for mail between servers: many networks block it for mail clients \
             (RFC 6409 section 3.1)"
        );
        cause(&["port"], message)
    })
}

pub(super) fn security_none(server: &MailServer) -> Option<Cause> {
    (server.security == Security::Plain && is_read_on_android(server)).then(|| {
        let refuse = who(breaks::REFUSES_PLAIN, "refuses", "refuse");
        let use_tls = who(breaks::IGNORES_PLAIN, "uses", "use");
        cause(
            &["security"],
            format!(
                "without TLS, {refuse} the whole configuration, {use_tls} TLS or STARTTLS \
                 nevertheless, and passwords can be read on the network"
            ),
        )
    })
}

pub(super) fn security_none_other(server: &MailServer) -> Option<Cause> {
    (server.security == Security::Plain && !is_read_on_android(server))
        .then(|| cause(&["security"], "without TLS, passwords can be read on the network"))
}

/// True for the servers that Thunderbird for Android reads: it skips POP3 and all other protocols.
fn is_read_on_android(server: &MailServer) -> bool {
    matches!(server.protocol, Protocol::Imap | Protocol::Smtp)
}

/// The clients that look at the port of this server only.
fn port_decides(server: &MailServer) -> Does {
    match server.protocol {
        Protocol::Pop3 => breaks::PORT_DECIDES_FOR_POP3,
        _ => breaks::PORT_DECIDES,
    }
}

/// True if a server is on the registered port of this security alone.
fn is_port_of(server: &MailServer, security: Security) -> bool {
    ports::security_of(server.protocol, server.port) == Some(security)
}

/// The protocol for which the port of a server is registered, if it is another one.
fn other_protocol(server: &MailServer) -> Option<Protocol> {
    let has = |protocol: &Protocol| {
        let ports::Ports { tls, starttls } = ports::of(*protocol);
        starttls.number == server.port || tls.is_some_and(|tls| tls.number == server.port)
    };
    let all = [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ManageSieve];
    all.into_iter().find(has).filter(|protocol| *protocol != server.protocol)
}

//------------ Hosts ----------------------------------------------------------

pub(super) fn host_address(server: &MailServer) -> Option<Cause> {
    let is_meant = server.host.is_address() && !is_loopback(server.host.as_str());
    (is_meant && server.security != Security::Plain).then(|| {
        let message = format!(
            "host {} is an IP address, which certificates rarely contain: clients that verify the \
             certificate refuse the connection",
            server.host
        );
        cause(&["host"], message)
    })
}

pub(super) fn host_local(server: &MailServer) -> Option<Cause> {
    is_loopback(server.host.as_str()).then(|| {
        let message = format!("host {} is the machine of the mail client itself", server.host);
        cause(&["host"], message)
    })
}

pub(super) fn host_short(server: &MailServer) -> Option<Cause> {
    let host = server.host.as_str();
    let is_short = !host.contains('.') && !is_loopback(host);
    is_short.then(|| {
        let message = format!(
            "host {} has no dot: it is found only in a network that completes it, and no public \
             certificate contains it",
            server.host
        );
        cause(&["host"], message)
    })
}

pub(super) fn host_example(server: &MailServer, account: &Account) -> Option<Cause> {
    let is_left = is_example(server.host.as_str()) && !is_example(account.domain.as_str());
    is_left.then(|| cause(&["host"], about_example(server.host.as_str())))
}

pub(super) fn url_example(account: &Account) -> Vec<Cause> {
    let services = account.services.iter().filter(|service| {
        is_example(service.url.host().as_str()) && !is_example(account.domain.as_str())
    });
    let cause = |service: &WebService| {
        let message = format!("{}: {}", service.kind, about_example(service.url.host().as_str()));
        cause(&[&format!("{}.url", service.kind)], message)
    };
    services.map(cause).collect()
}

fn about_example(host: &str) -> String {
    format!("host {host} is a name for examples (RFC 6761), and is not in the DNS")
}

fn is_example(name: &str) -> bool {
    let is_below = |zone: &str| {
        name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    EXAMPLES.iter().any(|zone| is_below(zone))
}

/// True for a name or an IPv4 address of the machine itself (RFC 6761 §6.3, RFC 6890).
fn is_loopback(host: &str) -> bool {
    let is_in_127 =
        host.starts_with("127.") && host.bytes().all(|b| b == b'.' || b.is_ascii_digit());
    is_in_127 || ["localhost", "0.0.0.0"].contains(&host) || host.ends_with(".localhost")
}
