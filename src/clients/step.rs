//! The steps of mail clients: their requests and look-ups.
//!
//! A step has all that is needed to make its request for any address.

use crate::address::EmailAddress;
use crate::paths::{self, Path};
use crate::xml;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// One step of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A request.
    Ask(Ask),
    /// SRV records of the domain, below `_tcp`.
    Srv(&'static [&'static str]),
    /// A look-up that does not reach a server of the domain.
    Elsewhere(&'static str),
}

/// A request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ask {
    /// With TLS or without.
    pub scheme: Scheme,
    /// The label before the domain.
    pub host: Host,
    /// Which domain this is.
    pub of: Of,
    /// What is requested.
    pub what: What,
}

/// With TLS or without.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// With TLS.
    Https,
    /// Without.
    Http,
}

/// A host by the label before the domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Host {
    /// The domain itself.
    Domain,
    /// `autoconfig.`
    Autoconfig,
    /// `autodiscover.`
    Autodiscover,
    /// `ua-auto-config.`
    Pacc,
}

/// Which domain a host belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Of {
    /// That of the address.
    Address,
    /// The name of the MX host.
    Mx,
    /// The name of the MX host without its first label, then the registered domain that it is in.
    MxDomain,
    /// The target of the SRV record `_autodiscover._tcp`.
    Srv,
    /// A name that is set in the client.
    Setting,
}

/// What is requested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// Autoconfig, at its first path.
    Autoconfig(Sent),
    /// Autoconfig, at its path below `.well-known`.
    WellKnown(Sent),
    /// Autoconfig, below `/v1.1`.
    Version(Sent),
    /// Autoconfig, as in Mozilla's database.
    Database,
    /// Autodiscover by POST.
    Pox(Schema),
    /// Autodiscover by GET, without an address.
    PoxGet,
    /// Autodiscover in JSON, for a protocol in the client's spelling.
    Json(Form, &'static str),
    /// An Apple profile.
    Profile(Sent),
    /// The same at its other path.
    ProfileAlias(Sent),
    /// PACC.
    Pacc,
    /// The page for mailbox owners.
    Page,
}

/// How the address is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sent {
    /// Not at all.
    No,
    /// Percent-encoded.
    Encoded,
    /// As it is.
    Raw,
    /// Percent-encoded, with its MD5 digest as `emailmd5`.
    Digested,
    /// With another local part in place of the user's, percent-encoded, and the digest.
    Dummy(&'static str),
}

/// The requested schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Schema {
    /// Outlook's.
    Outlook,
    /// ActiveSync's.
    MobileSync,
}

/// The place of the address in a request for JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// In the query, percent-encoded.
    Query,
    /// In the path.
    Path,
}

/// What `encodeURIComponent` and similar functions do not encode (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a part of a path may hold as it is (RFC 3986 §3.3).
const PATH: &AsciiSet = &UNRESERVED
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'=')
    .remove(b'@');

impl Ask {
    /// Asks the domain of the address.
    pub const fn new(scheme: Scheme, host: Host, what: What) -> Ask {
        Ask { scheme, host, of: Of::Address, what }
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        match self.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
        }
    }

    /// `GET` or `POST`.
    pub fn method(&self) -> &'static str {
        match self.what {
            What::Pox(_) => "POST",
            _ => "GET",
        }
    }

    /// The host of a domain, which is the one that `of` says.
    pub fn host(&self, domain: &str) -> String {
        let before = match self.host {
            Host::Domain => "",
            Host::Autoconfig => "autoconfig.",
            Host::Autodiscover => "autodiscover.",
            Host::Pacc => "ua-auto-config.",
        };
        format!("{before}{domain}")
    }

    /// The body for an address; `None` for a GET ([MS-OXDSCLI] 2.2.3, [MS-ASCMD] 2.2.1.1).
    pub fn body(&self, address: &EmailAddress) -> Option<Vec<u8>> {
        const NAMESPACE: &str = "http://schemas.microsoft.com/exchange/autodiscover/";
        let What::Pox(schema) = self.what else { return None };
        let (request, response) = match schema {
            Schema::Outlook => ("outlook/requestschema/2006", "outlook/responseschema/2006a"),
            Schema::MobileSync => {
                ("mobilesync/requestschema/2006", "mobilesync/responseschema/2006")
            }
        };
        let mut document = xml::Writer::new();
        let root = [("xmlns", &*format!("{NAMESPACE}{request}"))];
        document.element("Autodiscover", &root, |xml| {
            xml.element("Request", &[], |xml| {
                xml.text("EMailAddress", &address.to_string());
                xml.text("AcceptableResponseSchema", &format!("{NAMESPACE}{response}"));
            });
        });
        Some(document.finish())
    }

    /// Path and query for an address. The digest of an address is left out, because mailsetup
    /// ignores it.
    pub fn target(&self, address: &EmailAddress) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let sent = |sent: Sent| match sent {
            Sent::No => None,
            Sent::Encoded | Sent::Digested => Some(encoded(&address.to_string())),
            Sent::Raw => Some(address.to_string()),
            Sent::Dummy(local_part) => Some(encoded(&format!("{local_part}@{}", address.domain()))),
        };
        let with = |path: &Path, name: &str, how: Sent| match sent(how) {
            Some(address) => format!("{}?{name}={address}", path.text),
            None => path.text.to_owned(),
        };
        match self.what {
            What::Autoconfig(how) => with(&paths::AUTOCONFIG, "emailaddress", how),
            What::WellKnown(how) => with(&paths::AUTOCONFIG_WELL_KNOWN, "emailaddress", how),
            What::Version(how) => with(&paths::AUTOCONFIG_V1_1, "emailaddress", how),
            What::Database => format!("{}{}", paths::AUTOCONFIG_DATABASE.text, address.domain()),
            What::Pox(_) | What::PoxGet => paths::AUTODISCOVER.text.to_owned(),
            What::Json(Form::Query, protocol) => {
                let path = with(&paths::AUTODISCOVER_JSON, "Email", Sent::Encoded);
                format!("{path}&Protocol={protocol}&RedirectCount=1")
            }
            What::Json(Form::Path, protocol) => {
                let address = address.to_string();
                let address = utf8_percent_encode(&address, PATH);
                let folder = paths::AUTODISCOVER_JSON_V1_0.text;
                format!("{folder}{address}?Protocol={protocol}")
            }
            What::Profile(how) => with(&paths::MOBILECONFIG, "emailaddress", how),
            What::ProfileAlias(how) => with(&paths::MOBILECONFIG_PLESK, "email", how),
            What::Pacc => paths::PACC.text.to_owned(),
            What::Page => with(&paths::PAGE, "emailaddress", Sent::Encoded),
        }
    }
}

//------------ for the tables -------------------------------------------------

/// Mozilla's database of providers.
pub const DATABASE: Step = Step::Elsewhere("Mozilla's database");
/// The SRV records of mail services.
pub const MAIL_SRV: Step =
    Step::Srv(&["_imaps", "_imap", "_pop3s", "_pop3", "_submissions", "_submission"]);

/// Autoconfig at `autoconfig.`
pub const fn a(scheme: Scheme, sent: Sent) -> Step {
    Step::Ask(Ask::new(scheme, Host::Autoconfig, What::Autoconfig(sent)))
}

/// Autoconfig below `.well-known` of the domain.
pub const fn w(scheme: Scheme, sent: Sent) -> Step {
    Step::Ask(Ask::new(scheme, Host::Domain, What::WellKnown(sent)))
}

/// The same over https, of another domain.
pub const fn of(of: Of, step: Step) -> Step {
    match step {
        Step::Ask(ask) => Step::Ask(Ask { of, ..ask }),
        other => other,
    }
}

/// Autodiscover by POST.
pub const fn pox(scheme: Scheme, host: Host) -> Step {
    Step::Ask(Ask::new(scheme, host, What::Pox(Schema::Outlook)))
}

/// The same for ActiveSync.
pub const fn mobile_sync(host: Host) -> Step {
    Step::Ask(Ask::new(Scheme::Https, host, What::Pox(Schema::MobileSync)))
}

/// Autodiscover by GET.
pub const fn pox_get(scheme: Scheme, host: Host) -> Step {
    Step::Ask(Ask::new(scheme, host, What::PoxGet))
}

/// Autodiscover in JSON.
pub const fn json(form: Form, protocol: &'static str) -> Step {
    Step::Ask(Ask::new(Scheme::Https, Host::Autodiscover, What::Json(form, protocol)))
}
