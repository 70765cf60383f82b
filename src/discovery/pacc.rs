//! PACC, automatic configuration by one JSON document for a whole domain.
//!
//! Rules: draft-ietf-mailmaint-pacc-02, and what is known of its successors. A client accepts the
//! document only if its SHA-256 digest is in the DNS, so its bytes must always be the same: one
//! serializer, keys in a fixed order, nothing of the request in it. It can only express TLS on the
//! registered ports and the whole address as login; other settings are omitted. If the rest is not
//! enough to read and to send mail, no document is sent.

use super::not_ours;
use crate::account::{Account, Auth, EMAIL_ADDRESS, MailServer, Protocol, Security, ServiceKind};
use crate::form::Form;
use crate::ports;
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::Request;
use crate::response::{Response, Status};
use crate::url::{HTTPS_PORT, HttpsUrl};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The name of submission: `smtp` up to draft 02, the only one that clients are known to read, and
/// `submit` from draft 03 on. Clients skip unknown names, so both are written.
const SUBMISSION: &[&str] = &["smtp", "submit"];
/// The servers that the document can contain, and their names.
const SERVERS: [(Protocol, &[&str]); 3] =
    [(Protocol::Imap, &["imap"]), (Protocol::Pop3, &["pop3"]), (Protocol::Smtp, SUBMISSION)];
/// The services that the document can contain, and their names.
const SERVICES: [(ServiceKind, &str); 4] = [
    (ServiceKind::Jmap, "jmap"),
    (ServiceKind::CalDav, "caldav"),
    (ServiceKind::CardDav, "carddav"),
    (ServiceKind::WebDav, "webdav"),
];

/// The document of a domain.
struct OfADomain;

impl Document for OfADomain {
    fn name(&self) -> &'static str {
        "pacc"
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Host
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn write(&self, account: &Account) -> Written {
        Written::ForDomain(Form::whole(match document(account) {
            // A proxy that compresses would change the digested bytes (RFC 9111 §5.2.2.6).
            Some(document) => Response::document("application/json", document)
                .with("Cache-Control", "public, max-age=300, no-transform"),
            None => {
                Response::text(Status::NotFound, "no PACC document is published for this domain")
            }
        }))
    }

    fn not_found(&self) -> Response {
        not_ours()
    }
}

/// Reads the question, which depends only on the Host.
pub fn read<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    Ok(Question::new(OfADomain, None, request.host.clone()))
}

/// The bytes of the document; `None` if none is to be published.
fn document(account: &Account) -> Option<Vec<u8>> {
    let protocols = protocols(account).0;
    if !account.pacc || !is_enough(&protocols) {
        return None;
    }
    let provider = &account.provider;
    let page = provider.documentation.first().map(|page| &page.url);
    let page = page.or(provider.support.as_ref()).map(HttpsUrl::as_str);
    let configuration = Configuration {
        protocols,
        authentication: Authentication { password: true },
        info: Info {
            provider: Provider { name: &provider.name, short_name: &provider.short_name },
            help: page.map(|documentation| Help { documentation }),
        },
    };
    let mut document = serde_json::to_vec_pretty(&configuration).ok()?;
    document.push(b'\n');
    Some(document)
}

/// True if the account has a document.
pub fn is_published(account: &Account) -> bool {
    account.pacc && is_enough(&protocols(account).0)
}

/// The text of the record `_ua-auto-config`, without which clients reject the document.
pub fn record(account: &Account) -> Option<String> {
    let digest = BASE64_STANDARD.encode(Sha256::digest(document(account)?));
    Some(format!("v=UAAC1; a=sha256; d={digest}"))
}

/// A setting that the document cannot contain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// Its name: a server, a service, or `document` for the whole document.
    pub what: &'static str,
    /// Why.
    pub why: Why,
}

/// Why a setting is omitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// It is not on this port, with TLS from the first byte.
    Port(u16),
    /// Its login is not the whole address.
    Login,
    /// It does not accept a login.
    NoLogin,
    /// It accepts tokens only.
    NoPassword,
    /// Its URL has no path: it only names a host, which is in the DNS already.
    NoPath,
    /// The remaining servers are not enough to read and to send mail.
    NotEnough,
}

/// The settings that the document cannot contain.
pub fn left_out(account: &Account) -> Vec<LeftOut> {
    let (protocols, mut left_out) = protocols(account);
    if !is_enough(&protocols) {
        left_out.push(LeftOut { what: "document", why: Why::NotEnough });
    }
    left_out
}

/// True if mail can be read and sent.
fn is_enough(protocols: &[(&str, Place)]) -> bool {
    let has = |name| protocols.iter().any(|(known, _)| *known == name);
    has("jmap") || ((has("imap") || has("pop3")) && SUBMISSION.iter().any(|name| has(name)))
}

/// The settings that the document can contain, and those that it cannot.
fn protocols(account: &Account) -> (Vec<(&'static str, Place)>, Vec<LeftOut>) {
    let mut protocols = Vec::new();
    let mut left_out = Vec::new();
    for (protocol, names) in SERVERS {
        let port = ports::usual(protocol, Security::Tls).get();
        let all = account.servers.iter().chain(&account.alternatives);
        let all: Vec<_> = all.filter(|server| server.protocol == protocol).collect();
        match all.iter().find(|server| fault(server, port).is_none()) {
            Some(server) => {
                let place = |name: &&'static str| (*name, Place::Host(server.host.to_string()));
                protocols.extend(names.iter().map(place));
            }
            None => {
                let why = all.first().and_then(|server| fault(server, port));
                left_out.extend(why.map(|why| LeftOut { what: names[0], why }));
            }
        }
    }
    for (kind, what) in SERVICES {
        let Some(service) = account.service(kind) else { continue };
        let url = &service.url;
        if url.port() != HTTPS_PORT {
            left_out.push(LeftOut { what, why: Why::Port(HTTPS_PORT) });
        } else if service.login.template() != EMAIL_ADDRESS {
            left_out.push(LeftOut { what, why: Why::Login });
        } else if kind != ServiceKind::Jmap && url.is_bare_origin() {
            // A client would use the root of the host as the user's collection.
            left_out.push(LeftOut { what, why: Why::NoPath });
        } else {
            protocols
                .push((what, Place::Url(format!("https://{}{}", url.host(), url.path_and_more()))));
        }
    }
    (protocols, left_out)
}

/// Why the document cannot contain a server.
fn fault(server: &MailServer, port: u16) -> Option<Why> {
    if server.security != Security::Tls || server.port.get() != port {
        Some(Why::Port(port))
    } else if server.login.template() != EMAIL_ADDRESS {
        Some(Why::Login)
    } else if server.auth.contains(Auth::None) {
        Some(Why::NoLogin)
    } else if server.auth.without_token().is_none() {
        Some(Why::NoPassword)
    } else {
        None
    }
}

//------------ Configuration --------------------------------------------------

/// The document (draft-ietf-mailmaint-pacc-02 §4).
#[derive(Serialize)]
struct Configuration<'a> {
    #[serde(serialize_with = "in_order")]
    protocols: Vec<(&'static str, Place)>,
    authentication: Authentication,
    info: Info<'a>,
}

/// The place of a server or service: without a port, and always with TLS.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Host(String),
    Url(String),
}

#[derive(Serialize)]
struct Authentication {
    password: bool,
}

#[derive(Serialize)]
struct Info<'a> {
    provider: Provider<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Help<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Provider<'a> {
    name: &'a str,
    short_name: &'a str,
}

#[derive(Serialize)]
struct Help<'a> {
    documentation: &'a str,
}

fn in_order<S: Serializer>(
    protocols: &[(&'static str, Place)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(protocols.iter().map(|(name, place)| (name, place)))
}
