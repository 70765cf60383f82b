//! Apple's configuration profile (`.mobileconfig`) for iPhone, iPad and Mac.
//!
//! Rules: Apple's machine-readable schema (apple/device-management, `mdm/profiles`). Devices do not
//! request it by themselves: the user opens a link. Without an address in the link the profile is
//! for the Host's domain, and the device asks for address and user name. A profile never contains a
//! password. Every identifier is derived from the address, so that a second download updates the
//! account instead of adding another one, and two mailboxes never replace each other.

use super::{address_parameter, not_ours};
use crate::account::{
    Account, Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Identifier, MailServer, OWN_LOGIN, OwnLogin,
    Protocol, Security, ServiceKind, Subject, WebService,
};
use crate::address::Domain;
use crate::form::Form;
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
struct OfAMailbox<'a> {
    /// The `Accept-Language` of the request.
    languages: &'a [u8],
}

/// The profile of a domain, for any of its mailboxes.
struct OfADomain<'a> {
    languages: &'a [u8],
}

impl Document for OfAMailbox<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Address
    }

    fn names_login(&self) -> bool {
        true
    }

    fn is_signed(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn write(&self, account: &Account) -> Written {
        written(account, &Naming::of_mailbox(), self.languages, Written::ForMailbox)
    }

    fn not_found(&self) -> Response {
        not_ours()
    }
}

impl Document for OfADomain<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::Host
    }

    fn is_signed(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn write(&self, account: &Account) -> Written {
        written(account, &Naming::of_domain(account), self.languages, Written::ForDomain)
    }

    fn not_found(&self) -> Response {
        not_ours()
    }
}

const NAME: &str = "mobileconfig";

/// Names of the query parameter with the address: that of this program, and the one of Plesk.
const PARAMETERS: [&str; 2] = ["emailaddress", "email"];

/// Reads the question.
pub fn read<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    let languages = request.wishes.languages;
    for name in PARAMETERS {
        if let Some(address) = address_parameter(request, name)? {
            let document = OfAMailbox { languages };
            return Ok(Question::new(document, Some(address), request.host.clone()));
        }
    }
    Ok(Question::new(OfADomain { languages }, None, request.host.clone()))
}

/// True if the profile depends on the language of the reader.
fn depends_on_language(account: &Account) -> bool {
    account.provider.profile_description.len() > 1
}

/// The profile for other requests, too, if it is the same in all languages.
fn written(
    account: &Account,
    name_it: &Naming,
    languages: &[u8],
    for_others: fn(Form) -> Written,
) -> Written {
    let form = match write(account, name_it, languages) {
        Ok(form) => form,
        Err(response) => return Written::ForRequest(response),
    };
    let response = depends_on_language(account).then(|| form.fill_in(&account.subject()));
    response.flatten().map_or_else(|| for_others(form), Written::ForRequest)
}

/// The profile, or the response if it is not available.
fn write(account: &Account, name_it: &Naming, languages: &[u8]) -> Result<Form, Response> {
    let (Some(incoming), Some(outgoing)) = (account.incoming(), account.outgoing()) else {
        return Err(not_ours());
    };
    // `com.apple.mail.managed.yaml` cannot express OAuth2.
    if !account.takes_passwords() {
        return Err(Response::text(
            Status::NotFound,
            "no profile is available: the mail servers accept no password",
        ));
    }
    let profile = profile(account, incoming, outgoing, name_it, languages);
    let document = xml::property_list(&profile)
        .map_err(|_| Response::text(Status::InternalServerError, "cannot write the profile"))?;
    let response = Response::document("application/x-apple-aspen-config", document)
        .with("Content-Disposition", disposition(&account.domain));
    // RFC 9110 §12.5.5
    let response = match depends_on_language(account) {
        true => response.with("Vary", "Accept-Language"),
        false => response,
    };
    Ok(form(response, account.provider.identifier.clone()))
}

/// The name of the file, which users see among their downloads: also in ASCII for clients that
/// support no other form (RFC 6266 §4.3).
fn disposition(domain: &Domain) -> String {
    let mut text = format!("attachment; filename=\"{domain}.mobileconfig\"");
    let for_people = domain.for_people();
    if for_people != domain.as_str() {
        let encoded = utf8_percent_encode(&for_people, PLAIN);
        text += &format!("; filename*=UTF-8''{encoded}.mobileconfig");
    }
    text
}

/// The characters that are not encoded in an extended parameter (RFC 8187 §3.2.1).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

/// Root of all identifiers. It must never change: installed profiles would no longer be replaced by
/// new ones.
const IDENTIFIER_ROOT: Uuid = Uuid::from_u128(0x4d8b_2f6c_71a3_5e09_9c54_0e6b_d21f_8a37);

fn profile(
    account: &Account,
    incoming: &MailServer,
    outgoing: &MailServer,
    name_it: &Naming,
    languages: &[u8],
) -> Dict {
    let provider = &account.provider;
    let mut payloads = vec![mail(incoming, outgoing, name_it)];
    let calendars = account.service(ServiceKind::CalDav);
    payloads.extend(calendars.map(|service| dav(&CALDAV, service, name_it)));
    let contacts = account.service(ServiceKind::CardDav);
    payloads.extend(contacts.map(|service| dav(&CARDDAV, service, name_it)));

    let what = match (calendars, contacts) {
        (None, None) => "mail",
        (Some(_), None) => "mail and calendars",
        (None, Some(_)) => "mail and contacts",
        (Some(_), Some(_)) => "mail, calendars and contacts",
    };
    let whose = &name_it.whose;
    let default_description = || {
        format!(
            "Sets up {what} for {whose}. You are asked for the password during the installation."
        )
    };
    let description = Languages::parse(languages).choose(&provider.profile_description).cloned();
    let mut profile = name_it.payload("Configuration", Part::Profile, &provider.name);
    profile.extend([
        ("PayloadContent", Value::Dicts(payloads)),
        ("PayloadDescription", Value::Text(description.unwrap_or_else(default_description))),
        ("PayloadOrganization", Value::Text(provider.name.clone())),
    ]);
    // A device uses the text of its own language, else `default`.
    if let Some(default) = language::fallback(&provider.profile_consent) {
        let texts = provider.profile_consent.iter();
        let texts = texts.map(|(tag, text)| (language::usual_case(tag), text.clone()));
        let mut texts: BTreeMap<_, _> = texts.collect();
        texts.entry("default".to_owned()).or_insert_with(|| default.clone());
        profile.insert("ConsentText", Value::Texts(texts));
    }
    profile
}

/// `com.apple.mail.managed.yaml`. Numbers and booleans are always written: a missing port is
/// guessed, and a missing UseSSL means false.
fn mail(incoming: &MailServer, outgoing: &MailServer, name_it: &Naming) -> Dict {
    let kind = match incoming.protocol {
        Protocol::Pop3 => "EmailTypePOP",
        Protocol::Imap | Protocol::Smtp | Protocol::ManageSieve => "EmailTypeIMAP",
    };
    let is_protected = |server: &MailServer| Value::Flag(server.security != Security::Plain);
    let mut mail = name_it.payload("com.apple.mail.managed", Part::Mail, "Mail");
    mail.extend([
        ("EmailAccountDescription", Value::Text(name_it.account.clone())),
        ("EmailAccountType", Value::Word(kind)),
        ("IncomingMailServerAuthentication", Value::Word(authentication(incoming))),
        ("IncomingMailServerHostName", Value::Text(incoming.host.to_string())),
        ("IncomingMailServerPortNumber", Value::Number(incoming.port.get())),
        ("IncomingMailServerUseSSL", is_protected(incoming)),
        ("OutgoingMailServerAuthentication", Value::Word(authentication(outgoing))),
        ("OutgoingMailServerHostName", Value::Text(outgoing.host.to_string())),
        ("OutgoingMailServerPortNumber", Value::Number(outgoing.port.get())),
        ("OutgoingMailServerUseSSL", is_protected(outgoing)),
        ("OutgoingPasswordSameAsIncomingPassword", Value::Flag(true)),
    ]);
    if name_it.is_for_mailbox {
        let login = |server: &MailServer| Value::Text(server.login.template().to_owned());
        mail.extend([
            ("EmailAddress", Value::Word(EMAIL_ADDRESS)),
            ("IncomingMailServerUsername", login(incoming)),
            ("OutgoingMailServerUsername", login(outgoing)),
        ]);
    }
    mail
}

/// The keys of `com.apple.caldav.account.yaml` and `com.apple.carddav.account.yaml`.
struct Dav {
    kind: &'static str,
    part: Part,
    title: &'static str,
    description: &'static str,
    host: &'static str,
    port: &'static str,
    use_ssl: &'static str,
    username: &'static str,
}

const CALDAV: Dav = Dav {
    kind: "com.apple.caldav.account",
    part: Part::CalDav,
    title: "Calendars",
    description: "CalDAVAccountDescription",
    host: "CalDAVHostName",
    port: "CalDAVPort",
    use_ssl: "CalDAVUseSSL",
    username: "CalDAVUsername",
};

const CARDDAV: Dav = Dav {
    kind: "com.apple.carddav.account",
    part: Part::CardDav,
    title: "Contacts",
    description: "CardDAVAccountDescription",
    host: "CardDAVHostName",
    port: "CardDAVPort",
    use_ssl: "CardDAVUseSSL",
    username: "CardDAVUsername",
};

/// There is no PrincipalURL: the configured URL is the root of the server, not the user's
/// principal. Devices find that by `/.well-known` (RFC 6764 §6), whatever the profile contains.
fn dav(words: &Dav, service: &WebService, name_it: &Naming) -> Dict {
    let mut dav = name_it.payload(words.kind, words.part, words.title);
    dav.extend([
        (words.description, Value::Text(name_it.account.clone())),
        (words.host, Value::Text(service.url.host().to_string())),
        (words.port, Value::Number(service.url.port())),
        (words.use_ssl, Value::Flag(true)),
    ]);
    if name_it.is_for_mailbox {
        dav.insert(words.username, Value::Text(service.login.template().to_owned()));
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

/// The parts with an identifier of their own.
#[derive(Clone, Copy, Debug)]
enum Part {
    Profile,
    Mail,
    CalDav,
    CardDav,
}

impl Part {
    /// All of them, in the order of their markers.
    const ALL: [Part; 4] = [Part::Profile, Part::Mail, Part::CalDav, Part::CardDav];

    fn name(self) -> &'static str {
        match self {
            Part::Profile => "profile",
            Part::Mail => "mail",
            Part::CalDav => "caldav",
            Part::CardDav => "carddav",
        }
    }

    /// The marker for its UUID in a form.
    fn marker(self) -> &'static str {
        match self {
            Part::Profile => "%UUIDOFPROFILE%",
            Part::Mail => "%UUIDOFMAIL%",
            Part::CalDav => "%UUIDOFCALDAV%",
            Part::CardDav => "%UUIDOFCARDDAV%",
        }
    }

    /// Its UUID: the same for one mailbox, whatever its servers are. `identifier` is the profile's.
    fn uuid(self, identifier: &str) -> String {
        let name = [identifier, ".", self.name()].concat();
        let mut buffer = Uuid::encode_buffer();
        let uuid = Uuid::new_v5(&IDENTIFIER_ROOT, name.as_bytes());
        uuid.hyphenated().encode_upper(&mut buffer).to_owned()
    }
}

/// The names in a profile and its payloads: the same for one mailbox, whatever its servers are.
struct Naming {
    /// The mailbox or the domain, as people write it; a mailbox is filled in later.
    whose: String,
    /// The name of the account on the device: the address, since two mailboxes of one provider
    /// would otherwise have the same name; without an address, the provider.
    account: String,
    /// True for a mailbox.
    is_for_mailbox: bool,
}

/// The mailbox as people write it, in a form.
const FOR_PEOPLE: &str = "%FORPEOPLE%";
/// The profile's identifier, which is the prefix of those of its payloads, in a form.
const IDENTIFIER: &str = "%IDENTIFIER%";

impl Naming {
    /// The names of a mailbox.
    fn of_mailbox() -> Naming {
        let name = || FOR_PEOPLE.to_owned();
        Naming { whose: name(), account: name(), is_for_mailbox: true }
    }

    fn of_domain(account: &Account) -> Naming {
        Naming {
            whose: account.domain.for_people().into_owned(),
            account: account.provider.name.clone(),
            is_for_mailbox: false,
        }
    }

    /// `CommonPayloadKeys.yaml`: the keys of every payload and of the profile itself.
    fn payload(&self, kind: &'static str, part: Part, title: &str) -> Dict {
        let identifier = match part {
            Part::Profile => IDENTIFIER.to_owned(),
            _ => format!("{IDENTIFIER}.{}", part.name()),
        };
        Dict::from([
            ("PayloadDisplayName", Value::Text(format!("{title} ({})", self.whose))),
            ("PayloadIdentifier", Value::Text(identifier)),
            ("PayloadType", Value::Word(kind)),
            ("PayloadUUID", Value::Word(part.marker())),
            ("PayloadVersion", Value::Number(1)),
        ])
    }
}

/// The identifier of the profile of a mailbox or a domain, below that of its provider.
fn identifier(provider: &str, of_whom: &str) -> String {
    let mut buffer = Uuid::encode_buffer();
    let id = Uuid::new_v5(&IDENTIFIER_ROOT, of_whom.as_bytes());
    [provider, ".", id.simple().encode_lower(&mut buffer)].concat()
}

/// The profile of any mailbox of a domain, or of the domain itself, from one with markers in it.
fn form(response: Response, provider: Identifier) -> Form {
    let texts = [IDENTIFIER, EMAIL_ADDRESS, EMAIL_LOCAL_PART, OWN_LOGIN, FOR_PEOPLE];
    let body = &response.body;
    // Only the parts in use: each costs a hash for every mailbox.
    let parts: Vec<_> = Part::ALL
        .into_iter()
        .filter(|part| memchr::memmem::find(body, part.marker().as_bytes()).is_some())
        .collect();
    let uuids = parts.iter().map(|part| part.marker());
    let markers: Vec<_> = uuids.chain(texts).collect();
    let fill = move |subject: &Subject| {
        let provider = provider.of(subject.domain);
        let identifier = match &subject.mailbox {
            // One spelling for all letter cases.
            Some(mailbox) => identifier(&provider, &mailbox.address.folded()),
            None => identifier(&provider, subject.domain.as_str()),
        };
        let mut texts = Vec::with_capacity(parts.len() + 5);
        texts.extend(parts.iter().map(|part| part.uuid(&identifier)));
        texts.push(identifier);
        if let Some(mailbox) = &subject.mailbox {
            let address = mailbox.address;
            let whole = [address.local_part(), "@", address.domain().as_str()].concat();
            let login = mailbox.login.map_or("", OwnLogin::as_str);
            let for_people = address.for_people();
            let of_mailbox = [&*whole, address.local_part(), login, &*for_people];
            texts.extend(of_mailbox.map(|text| xml::escaped_in_property_list(text).into_owned()));
        }
        Some(texts)
    };
    Form::new(response, &markers, Box::new(fill))
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
