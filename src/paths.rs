//! The paths that are answered: the only place in the code where they are written.
//!
//! Data only: `route` joins each row to the function that reads its question. Links to these paths use
//! the table, too. docs/protocols.md says which clients use which path.

use crate::request::Method;

/// One row: what is asked at a path, and how.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// What it is called in the log and in the metrics.
    pub name: &'static str,
    /// The path, or its beginning.
    pub text: &'static str,
    /// Which paths are meant.
    pub kind: Kind,
    /// The methods that make sense there.
    pub methods: &'static [Method],
}

/// Which paths a row stands for; all of them in any letter case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// This one.
    Is,
    /// Those with one more part behind this.
    Below,
    /// Those with anything behind this: a slash may be part of an address.
    Under,
}

impl Path {
    /// The path as a link on the page, which is at the root.
    pub fn from_root(&self) -> &'static str {
        self.text.trim_start_matches('/')
    }
}

const GET: &[Method] = &[Method::Get, Method::Head];
const ANY: &[Method] = &[Method::Get, Method::Head, Method::Post, Method::Other];
const GET_POST: &[Method] = &[Method::Get, Method::Head, Method::Post];

const fn path(
    name: &'static str,
    kind: Kind,
    text: &'static str,
    methods: &'static [Method],
) -> Path {
    Path { name, text, kind, methods }
}

/// The page for mailbox owners.
pub const PAGE: Path = path("page", Kind::Is, "/", GET);
/// Autoconfig, on a host of its own.
pub const AUTOCONFIG: Path = path("autoconfig", Kind::Is, "/mail/config-v1.1.xml", GET);
/// The same on the site of the domain.
pub const AUTOCONFIG_WELL_KNOWN: Path =
    path("autoconfig", Kind::Is, "/.well-known/autoconfig/mail/config-v1.1.xml", GET);
/// The same again. seen: Nine asks here.
pub const AUTOCONFIG_V1_1: Path = path("autoconfig", Kind::Is, "/v1.1/mail/config-v1.1.xml", GET);
/// The same as Mozilla's database has it, with the domain behind it.
pub const AUTOCONFIG_DATABASE: Path = path("autoconfig", Kind::Below, "/v1.1/", GET);
/// Autodiscover in XML.
pub const AUTODISCOVER: Path =
    path("autodiscover", Kind::Is, "/autodiscover/autodiscover.xml", GET_POST);
/// Autodiscover in JSON, with the address in the query.
pub const AUTODISCOVER_JSON: Path =
    path("autodiscover-json", Kind::Is, "/autodiscover/autodiscover.json", GET);
/// The same with the address behind it.
pub const AUTODISCOVER_JSON_V1_0: Path =
    path("autodiscover-json", Kind::Under, "/autodiscover/autodiscover.json/v1.0/", GET);
/// A profile for Apple's devices.
pub const MOBILECONFIG: Path = path("mobileconfig", Kind::Is, "/mobileconfig", GET);
/// The same where Plesk has it.
pub const MOBILECONFIG_PLESK: Path = path("mobileconfig", Kind::Is, "/email.mobileconfig", GET);
/// PACC.
pub const PACC: Path = path("pacc", Kind::Is, "/.well-known/user-agent-configuration.json", GET);

/// Calendars (RFC 6764 §5).
pub const CALDAV: Path = path("caldav", Kind::Is, "/.well-known/caldav", ANY);
/// Address books (the same).
pub const CARDDAV: Path = path("carddav", Kind::Is, "/.well-known/carddav", ANY);

/// The table, in the order in which a path is looked up.
pub const PATHS: [Path; 13] = [
    PAGE,
    AUTOCONFIG,
    AUTOCONFIG_WELL_KNOWN,
    AUTOCONFIG_V1_1,
    AUTOCONFIG_DATABASE,
    AUTODISCOVER,
    AUTODISCOVER_JSON,
    AUTODISCOVER_JSON_V1_0,
    MOBILECONFIG,
    MOBILECONFIG_PLESK,
    PACC,
    CALDAV,
    CARDDAV,
];
