//! Apple's configuration profile (`.mobileconfig`) for iPhone, iPad and Mac.
//!
//! Rules: Apple's machine-readable schema (apple/device-management, `mdm/profiles`). Nothing asks
//! for this by itself: a person opens a link. Without an address in the link the profile is for the
//! Host's domain, and the device asks for address and user name. A profile never holds a password,
//! and every identifier is derived from the address, so that a second download updates the account
//! instead of adding another and two mailboxes never replace each other.

use super::{address_parameter, not_ours};
use crate::account::{Account, Auth, MailServer, Protocol, Security, ServiceKind, WebService};
use crate::address::Domain;
use crate::language::{self, Languages};
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::Request;
use crate::response::{Response, Status};
use crate::xml;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The profile of one mailbox.
static PROFILE: Document =
    Document { decided_by: DecidedBy::Address, signed: true, write, unknown: not_ours };

/// The profile of a domain, for any of its mailboxes.
static GENERIC_PROFILE: Document =
    Document { decided_by: DecidedBy::Host, signed: true, write, unknown: not_ours };

/// Names of the query parameter that holds the address: ours, and the one Plesk made known.
const PARAMETERS: [&str; 2] = ["emailaddress", "email"];

/// Reads the question.
pub fn read(request: &Request) -> Result<Question, Response> {
    let mut question =
        Question { document: &GENERIC_PROFILE, address: None, host: request.host.clone() };
    for name in PARAMETERS {
        if let Some(address) = address_parameter(request, name)? {
            question.document = &PROFILE;
            question.address = Some(address);
            break;
        }
    }
    Ok(question)
}

fn write(account: &Account, request: &Request) -> Written {
    Written::ForRequest(answer(account, request))
}

fn answer(account: &Account, request: &Request) -> Response {
    let (Some(incoming), Some(outgoing)) = (account.incoming(), account.outgoing()) else {
        return not_ours(request);
    };
    // `com.apple.mail.managed.yaml` has no word for OAuth2.
    if !account.takes_passwords() {
        return Response::text(
            Status::NotFound,
            "no profile is available: the mail servers accept no password",
        );
    }
    let profile = profile(account, incoming, outgoing, request.wishes.languages);
    let Ok(document) = xml::property_list(&profile) else {
        return Response::text(Status::InternalServerError, "cannot write the profile");
    };
    let response = Response::document("application/x-apple-aspen-config", document)
        .with("Content-Disposition", disposition(&account.domain));
    // RFC 9110 §12.5.5
    match account.provider.profile_description.len() > 1 {
        true => response.with("Vary", "Accept-Language"),
        false => response,
    }
}

/// The name of the file, which people see among their downloads: once in ASCII for clients that know
/// no other (RFC 6266 §4.3).
fn disposition(domain: &Domain) -> String {
    let mut text = format!("attachment; filename=\"{domain}.mobileconfig\"");
    let for_people = domain.for_people();
    if for_people != domain.as_str() {
        let encoded = utf8_percent_encode(&for_people, PLAIN);
        text += &format!("; filename*=UTF-8''{encoded}.mobileconfig");
    }
    text
}

/// What stays as it is in an extended parameter (RFC 8187 §3.2.1).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

/// Root of all identifiers; never to be changed, or every profile in the field turns into another.
const IDENTIFIER_ROOT: Uuid = Uuid::from_u128(0x4d8b_2f6c_71a3_5e09_9c54_0e6b_d21f_8a37);

fn profile(
    account: &Account,
    incoming: &MailServer,
    outgoing: &MailServer,
    languages: &[u8],
) -> Dict {
    let provider = &account.provider;
    let name_it = Naming::new(account);
    let mut payloads = vec![mail(account, incoming, outgoing, &name_it)];
    let calendars = account.service(ServiceKind::CalDav);
    payloads.extend(calendars.map(|service| dav(&CALDAV, account, service, &name_it)));
    let contacts = account.service(ServiceKind::CardDav);
    payloads.extend(contacts.map(|service| dav(&CARDDAV, account, service, &name_it)));

    let what = match (calendars, contacts) {
        (None, None) => "mail",
        (Some(_), None) => "mail and calendars",
        (None, Some(_)) => "mail and contacts",
        (Some(_), Some(_)) => "mail, calendars and contacts",
    };
    let whose = &name_it.whose;
    let default_description =
        || format!("Sets up {what} for {whose}. The password is asked while it is installed.");
    let description = Languages::parse(languages).choose(&provider.profile_description).cloned();
    let mut profile = name_it.payload("Configuration", None, &provider.name);
    profile.extend([
        ("PayloadContent", Value::Dicts(payloads)),
        ("PayloadDescription", Value::Text(description.unwrap_or_else(default_description))),
        ("PayloadOrganization", Value::Text(provider.name.clone())),
    ]);
    // A device takes the text of its own language, else `default`.
    if let Some(default) = language::fallback(&provider.profile_consent) {
        let texts = provider.profile_consent.iter();
        let texts = texts.map(|(tag, text)| (language::usual_case(tag), text.clone()));
        let mut texts: BTreeMap<_, _> = texts.collect();
        texts.entry("default".to_owned()).or_insert_with(|| default.clone());
        profile.insert("ConsentText", Value::Texts(texts));
    }
    profile
}

/// `com.apple.mail.managed.yaml`. Numbers and booleans are always written: the port left out is
/// guessed, and UseSSL left out is false.
fn mail(account: &Account, incoming: &MailServer, outgoing: &MailServer, name_it: &Naming) -> Dict {
    let kind = match incoming.protocol {
        Protocol::Pop3 => "EmailTypePOP",
        Protocol::Imap | Protocol::Smtp | Protocol::ManageSieve => "EmailTypeIMAP",
    };
    let is_protected = |server: &MailServer| Value::Flag(server.security != Security::Plain);
    let mut mail = name_it.payload("com.apple.mail.managed", Some("mail"), "Mail");
    mail.extend([
        ("EmailAccountDescription", Value::Text(name_it.account.clone())),
        ("EmailAccountType", Value::Word(kind)),
        ("IncomingMailServerAuthentication", Value::Word(authentication(incoming))),
        ("IncomingMailServerHostName", Value::Text(incoming.host.clone())),
        ("IncomingMailServerPortNumber", Value::Number(incoming.port.get())),
        ("IncomingMailServerUseSSL", is_protected(incoming)),
        ("OutgoingMailServerAuthentication", Value::Word(authentication(outgoing))),
        ("OutgoingMailServerHostName", Value::Text(outgoing.host.clone())),
        ("OutgoingMailServerPortNumber", Value::Number(outgoing.port.get())),
        ("OutgoingMailServerUseSSL", is_protected(outgoing)),
        ("OutgoingPasswordSameAsIncomingPassword", Value::Flag(true)),
    ]);
    if let Some(address) = &account.address {
        mail.extend([
            ("EmailAddress", Value::Text(address.to_string())),
            ("IncomingMailServerUsername", Value::Text(incoming.login.of(address))),
            ("OutgoingMailServerUsername", Value::Text(outgoing.login.of(address))),
        ]);
    }
    mail
}

/// The words of `com.apple.caldav.account.yaml` and `com.apple.carddav.account.yaml`.
struct Dav {
    kind: &'static str,
    part: &'static str,
    title: &'static str,
    description: &'static str,
    host: &'static str,
    port: &'static str,
    use_ssl: &'static str,
    username: &'static str,
}

const CALDAV: Dav = Dav {
    kind: "com.apple.caldav.account",
    part: "caldav",
    title: "Calendars",
    description: "CalDAVAccountDescription",
    host: "CalDAVHostName",
    port: "CalDAVPort",
    use_ssl: "CalDAVUseSSL",
    username: "CalDAVUsername",
};

const CARDDAV: Dav = Dav {
    kind: "com.apple.carddav.account",
    part: "carddav",
    title: "Contacts",
    description: "CardDAVAccountDescription",
    host: "CardDAVHostName",
    port: "CardDAVPort",
    use_ssl: "CardDAVUseSSL",
    username: "CardDAVUsername",
};

/// No PrincipalURL: what is configured is where a server begins, not where a user's principal is.
/// Devices find that by `/.well-known` (RFC 6764 §6), whatever a profile says.
fn dav(words: &Dav, account: &Account, service: &WebService, name_it: &Naming) -> Dict {
    let (host, port, _) = service.place();
    let mut dav = name_it.payload(words.kind, Some(words.part), words.title);
    dav.extend([
        (words.description, Value::Text(name_it.account.clone())),
        (words.host, Value::Text(host.to_owned())),
        (words.port, Value::Number(port)),
        (words.use_ssl, Value::Flag(true)),
    ]);
    if let Some(address) = &account.address {
        dav.insert(words.username, Value::Text(service.login.of(address)));
    }
    dav
}

fn authentication(server: &MailServer) -> &'static str {
    match server.auth.without_token().unwrap_or(Auth::Password) {
        Auth::Password | Auth::OAuth2 => "EmailAuthPassword",
        Auth::CramMd5 => "EmailAuthCRAMMD5",
        Auth::Ntlm => "EmailAuthNTLM",
        Auth::None => "EmailAuthNone",
    }
}

//------------ Naming ---------------------------------------------------------

/// What a profile and its payloads are called: the same for one mailbox, however it is spelt and
/// whatever its servers are.
struct Naming {
    /// The mailbox or the domain, for people.
    whose: String,
    /// What the device lists its accounts by: the address, since two mailboxes of one provider would
    /// be called the same; without one, the provider.
    account: String,
    /// The profile's identifier, with which those of its payloads begin.
    identifier: String,
}

impl Naming {
    fn new(account: &Account) -> Naming {
        let (whose, of_whom) = match &account.address {
            Some(address) => (address.for_people(), address.folded()),
            None => (account.domain.for_people().into_owned(), account.domain.to_string()),
        };
        let mailbox = Uuid::new_v5(&IDENTIFIER_ROOT, of_whom.as_bytes());
        let identifier = format!("{}.{}", account.provider.identifier, mailbox.simple());
        let account = match &account.address {
            Some(_) => whose.clone(),
            None => account.provider.name.clone(),
        };
        Naming { whose, account, identifier }
    }

    /// `CommonPayloadKeys.yaml`: what every payload has, and without a `part` the profile itself.
    fn payload(&self, kind: &'static str, part: Option<&str>, title: &str) -> Dict {
        let name = format!("{}.{}", self.identifier, part.unwrap_or("profile"));
        let uuid = Uuid::new_v5(&IDENTIFIER_ROOT, name.as_bytes());
        let identifier = if part.is_some() { name } else { self.identifier.clone() };
        Dict::from([
            ("PayloadDisplayName", Value::Text(format!("{title} ({})", self.whose))),
            ("PayloadIdentifier", Value::Text(identifier)),
            ("PayloadType", Value::Word(kind)),
            ("PayloadUUID", Value::Text(uuid.hyphenated().to_string().to_uppercase())),
            ("PayloadVersion", Value::Number(1)),
        ])
    }
}

//------------ Dict -----------------------------------------------------------

/// A dict of a property list, in the order of its keys.
type Dict = BTreeMap<&'static str, Value>;

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Word(&'static str),
    Text(String),
    Number(u16),
    Flag(bool),
    Texts(BTreeMap<String, String>),
    Dicts(Vec<Dict>),
}
