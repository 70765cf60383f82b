//! Mail clients: what each one asks, in its order, and what it does with an answer.
//!
//! Data only, in one static table. `check` takes from it which clients a setting breaks, `show` how
//! a request is made, and docs/clients.md its tables. What is not known of a client is not in it:
//! the lack of a rule says nothing. Where it was seen stands in docs/protocols.md.

use crate::address::EmailAddress;
use crate::paths::{self, Path};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

mod free;
mod microsoft;
mod mozilla;
mod others;

/// A mail client.
#[derive(Debug)]
pub struct Client {
    /// What it is called in messages.
    pub name: &'static str,
    /// What belongs to its name where there is room for it.
    pub also: &'static str,
    /// The versions that were read or run, or how it is known otherwise.
    pub version: &'static str,
    /// The version in which the rules were seen, for findings; empty where they come from no release.
    pub seen: &'static str,
    /// How the steps follow one another.
    pub order: Order,
    /// What it asks, in its order.
    pub steps: &'static [Step],
    /// What other versions of it ask, or with other settings than the usual ones.
    pub variants: &'static [Step],
    /// What it does with an answer.
    pub rules: &'static [Rule],
    /// The client that this one has its discovery from; that one's rules hold.
    pub same_as: Option<&'static str>,
    /// How it is tested.
    pub tested: &'static [Tested],
    /// How the names of its recorded requests begin.
    pub requests: &'static [&'static str],
    /// Where it was seen.
    pub source: &'static str,
}

/// How the steps of a client follow one another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// All at the same time; the first of them that has an answer is taken.
    AtOnce,
    /// One after the other, until one has an answer.
    InTurn,
    /// One after the other, all of them.
    All,
    /// A person takes the step.
    ByHand,
    /// Not known.
    Unknown,
}

/// How a client is tested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tested {
    /// The client itself runs in the tests.
    Real,
    /// Its own code was run by hand.
    Run,
    /// Its requests are recorded.
    Recorded,
    /// By documents and reports only.
    Document,
}

//------------ Step -----------------------------------------------------------

/// One step of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A request.
    Ask(Ask),
    /// SRV records of the domain, below `_tcp`.
    Srv(&'static [&'static str]),
    /// Something that no server of the domain sees.
    Elsewhere(&'static str),
}

/// A request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ask {
    /// With TLS or without.
    pub scheme: Scheme,
    /// What stands before the domain.
    pub host: Host,
    /// Which domain that is.
    pub of: Of,
    /// What is asked for.
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

/// A host by what stands before the domain.
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

/// What is asked for.
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
    /// Autodiscover by GET, without anything in it.
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

/// The schema that is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Schema {
    /// Outlook's.
    Outlook,
    /// ActiveSync's.
    MobileSync,
}

/// Where the address stands in a request for JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// In the query, percent-encoded.
    Query,
    /// In the path.
    Path,
}

/// What `encodeURIComponent` and its kin leave as it is (RFC 3986 §2.3).
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

    /// Path and query for an address. The digest of an address is left out: nobody reads it.
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

//------------ Rule -----------------------------------------------------------

/// What a client does with an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule {
    /// Takes the first server of a type.
    FirstServer,
    /// Takes the last server of a type.
    LastServer,
    /// Takes the last server for sending.
    LastOutgoing,
    /// Takes all servers, in their order.
    EveryServer,
    /// Takes the last server of a type from Autodiscover.
    LastProtocol,
    /// Finds nothing to read mail from without an IMAP server.
    NeedsImap,
    /// Finds nothing if a server of another type stands before IMAP.
    ImapFirst,
    /// Refuses the document for a server of a type that it does not know.
    RefusesOtherTypes,
    /// Refuses the document for an IMAP or SMTP server without TLS.
    RefusesPlain,
    /// Refuses the document for an IMAP or SMTP server without a method that it knows.
    RefusesOtherMethods,
    /// Calls a server for sending incomplete if it takes no login.
    NeedsLogin,
    /// Takes the first method that it can use.
    FirstMethod,
    /// Takes the last method that it knows.
    LastMethod,
    /// Takes the first method that is not a plain password.
    FirstOtherMethod,
    /// Does not look at the methods.
    IgnoresMethods,
    /// Uses OAuth2 only for servers in a list of its own.
    OAuth2ByHost,
    /// Uses the addresses of `oAuth2` in the document.
    OAuth2ByDocument,
    /// Never uses OAuth2.
    NoOAuth2,
    /// Takes the port's usual protection in Autodiscover, whatever the document says.
    PortDecides,
    /// Reads text that looks like a number or a truth value as one.
    TypedText,
    /// What it makes of a login.
    Login(Login),
    /// Takes the last login of the document, also that of a service, for the mail server's.
    LastUsername,
    /// Wants the domain that it asked for in `domain`.
    NeedsItsDomain,
    /// Reads no document whose media type is not XML, in lower case.
    NeedsXmlType,
    /// Reads the body of an error as a document.
    ReadsErrors,
    /// Follows no HTTP redirect.
    RefusesRedirects,
    /// Asks its user about what came over http.
    DistrustsHttp,
    /// Keeps an answer for weeks, whatever its header says.
    KeepsAnswers,
    /// Does not follow an Autodiscover redirect to another address.
    IgnoresRedirectAddress,
    /// Does not follow an Autodiscover redirect to another URL.
    IgnoresRedirectUrl,
    /// Ends its search at an Autodiscover error with status 200.
    ErrorEndsSearch,
    /// Sends the password of the mailbox along, unasked.
    SendsPassword,
    /// Looks for Exchange or ActiveSync; IMAP is nothing to it.
    WantsExchange,
}

/// What a client makes of the login in a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Login {
    /// It fills in placeholders wherever they stand.
    Filled,
    /// It fills in a placeholder that stands alone, and takes all else literally.
    Alone,
    /// It fills in `%EMAILADDRESS%` that stands alone, and takes all else literally.
    AddressAlone,
    /// It knows `%EMAILLOCALPART%`, and takes the address in place of all else.
    LocalPartOrAddress,
    /// It always takes the address.
    Address,
}

//------------ Client ---------------------------------------------------------

/// All clients, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Client> {
    [mozilla::CLIENTS, free::CLIENTS, others::CLIENTS, microsoft::CLIENTS].into_iter().flatten()
}

/// The clients that something is true for, without those that share the code of another.
pub fn those(is_meant: impl Fn(&Client) -> bool) -> Vec<&'static Client> {
    all().filter(|client| client.same_as.is_none() && is_meant(client)).collect()
}

/// `A takes`, `A and B take` or `A, B and C take`: with the verb in both numbers.
pub fn sentence(clients: &[&Client], one: &str, many: &str) -> String {
    let names: Vec<_> = clients.iter().map(|client| client.name).collect();
    match &names[..] {
        [] => String::new(),
        [name] => format!("{name} {one}"),
        [others @ .., last] => format!("{} and {last} {many}", others.join(", ")),
    }
}

impl Client {
    /// The name with the version in which the rules were seen.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.seen).trim_end().to_owned()
    }

    /// True if a rule holds for it.
    pub fn has(&self, rule: Rule) -> bool {
        self.rules.contains(&rule)
    }

    /// Its requests.
    pub fn asks(&self) -> impl Iterator<Item = &'static Ask> {
        self.steps.iter().filter_map(|step| match step {
            Step::Ask(ask) => Some(ask),
            Step::Srv(_) | Step::Elsewhere(_) => None,
        })
    }

    /// True if it asks for Autodiscover by GET only: it never gets a redirect, since it names no
    /// address.
    pub fn sends_no_address(&self) -> bool {
        let mut pox = self.asks().filter(|ask| matches!(ask.what, What::Pox(_) | What::PoxGet));
        pox.next().is_some_and(|first| {
            first.what == What::PoxGet && pox.all(|ask| ask.what == What::PoxGet)
        })
    }
}

//------------ for the tables -------------------------------------------------

use self::Scheme::Https;

/// Mozilla's database of providers.
const DATABASE: Step = Step::Elsewhere("Mozilla's database");
/// The SRV records of mail services.
const MAIL_SRV: Step =
    Step::Srv(&["_imaps", "_imap", "_pop3s", "_pop3", "_submissions", "_submission"]);

/// Autoconfig at `autoconfig.`
const fn a(scheme: Scheme, sent: Sent) -> Step {
    Step::Ask(Ask::new(scheme, Host::Autoconfig, What::Autoconfig(sent)))
}

/// Autoconfig below `.well-known` of the domain.
const fn w(scheme: Scheme, sent: Sent) -> Step {
    Step::Ask(Ask::new(scheme, Host::Domain, What::WellKnown(sent)))
}

/// The same over https, of another domain.
const fn of(of: Of, step: Step) -> Step {
    match step {
        Step::Ask(ask) => Step::Ask(Ask { of, ..ask }),
        other => other,
    }
}

/// Autodiscover by POST.
const fn pox(scheme: Scheme, host: Host) -> Step {
    Step::Ask(Ask::new(scheme, host, What::Pox(Schema::Outlook)))
}

/// The same for ActiveSync.
const fn mobile_sync(host: Host) -> Step {
    Step::Ask(Ask::new(Https, host, What::Pox(Schema::MobileSync)))
}

/// Autodiscover by GET.
const fn pox_get(scheme: Scheme, host: Host) -> Step {
    Step::Ask(Ask::new(scheme, host, What::PoxGet))
}

/// Autodiscover in JSON.
const fn json(form: Form, protocol: &'static str) -> Step {
    Step::Ask(Ask::new(Https, Host::Autodiscover, What::Json(form, protocol)))
}

/// What a client is that nothing is said of.
const UNKNOWN: Client = Client {
    name: "",
    also: "",
    version: "reported",
    seen: "",
    order: Order::Unknown,
    steps: &[],
    variants: &[],
    rules: &[],
    same_as: None,
    tested: &[],
    requests: &[],
    source: "",
};
