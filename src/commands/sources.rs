//! Findings about sources of logins: what they reveal, and sockets that cannot be used.
//!
//! No server is asked: `check` runs as another user than a service, often, and a question might be
//! logged there as one about a mailbox.

use crate::files;
use crate::finding::Finding;
use crate::login::source::{Kind, Protocol, Server, Source};
use rustix::fs::{Access, access};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// The mode with which Dovecot compares users instead of trusting everybody who can open the socket.
const COMPARED: u32 = 0o666;

/// The findings about a source, without a place.
pub fn findings(source: &Source) -> Vec<Finding> {
    let message = format!(
        "{}: a client can see from a login that differs from `username` that the mailbox exists",
        key(source)
    );
    let mut findings = vec![Finding::note("login-reveals", None, message)];
    if let Kind::Server(server) = &source.kind {
        findings.extend(of_socket(key(source), server));
    }
    findings
}

/// The finding about a source that no domain uses, without a place.
pub fn unused(source: &Source) -> Finding {
    let message = format!(
        "{}: no login is looked up, because no table, list, file or pattern names a domain",
        key(source)
    );
    let mut finding = Finding::warning("login-no-domain", None, message);
    finding.remedy = Some("name your domains, for example in domains.list_files".to_owned());
    finding
}

/// The key that names a source.
pub fn key(source: &Source) -> &'static str {
    match &source.kind {
        Kind::Map(..) => "login.map",
        Kind::Server(Server { protocol: Protocol::Socketmap(_), .. }) => "login.socketmap",
        Kind::Server(Server { protocol: Protocol::Userdb, .. }) => "login.userdb",
    }
}

fn of_socket(key: &str, server: &Server) -> Vec<Finding> {
    let socket = &server.socket;
    let warning = |reason: &str| {
        let message = format!("{key}: {}: {reason}", socket.display());
        let mut finding = Finding::warning("login-socket", None, message);
        finding.remedy = Some("until it works, documents have the login of `username`".to_owned());
        vec![finding]
    };
    let meta = match socket.metadata() {
        Ok(meta) if !meta.file_type().is_socket() => return warning("it is not a socket"),
        Ok(meta) => meta,
        Err(error) => return warning(&files::reason(&error)),
    };
    let mode = meta.mode() & 0o7777;
    let mut findings = Vec::new();
    if access(&**socket, Access::WRITE_OK).is_err() {
        let reason = format!("mode {mode:04o}: the user who runs this check cannot connect");
        findings.extend(warning(&reason));
    }
    if matches!(server.protocol, Protocol::Userdb) {
        let (message, remedy) = match mode {
            COMPARED => (
                "with mode 0666, Dovecot answers only about mailboxes that have the uid of the process \
                 that connects, unless it owns the socket; about others it says FAIL",
                "see docs/logins.md for the ways to a login",
            ),
            _ => (
                "a user that can open this socket can also read from Dovecot a list of all mailboxes, \
                 and fields of its password database",
                "a map or a socketmap says logins and nothing else",
            ),
        };
        let message = format!("{key}: {}: mode {mode:04o}: {message}", socket.display());
        let mut finding = Finding::note("login-userdb", None, message);
        finding.remedy = Some(remedy.to_owned());
        findings.push(finding);
    }
    findings
}
