//! The description of a mail client: its requests, and what it does with a document.

use super::step::{Ask, Host, Sent, Step, What};

/// A mail client.
#[derive(Debug)]
pub struct Client {
    /// What it is called in messages.
    pub name: &'static str,
    /// An addition to the name, for the documentation.
    pub also: &'static str,
    /// The versions that were read or run, else how the client is known.
    pub version: &'static str,
    /// The release in which the rules were seen, for findings; empty if they were not seen in a
    /// release.
    pub seen: &'static str,
    /// The order of the steps.
    pub order: Order,
    /// Its requests and look-ups, in order.
    pub steps: &'static [Step],
    /// Steps of other versions, or with settings other than the defaults.
    pub variants: &'static [Step],
    /// What it does with a response.
    pub rules: &'static [Rule],
    /// The client whose code it uses for discovery; steps and rules are the same.
    pub same_as: Option<&'static str>,
    /// How it is tested.
    pub tested: &'static [Tested],
    /// How the names of its recorded requests begin.
    pub requests: &'static [&'static str],
    /// Its User-Agent: empty if it sends none, `None` if it is not known.
    pub agent: Option<&'static str>,
    /// `Content-Type` of its Autodiscover requests.
    pub media_type: &'static str,
    /// How long it waits for a response, in seconds; 0 if it is not known.
    pub patience: u16,
    /// Where its behaviour was seen.
    pub source: &'static str,
}

/// The order of a client's steps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// All in parallel; one that succeeds is used.
    AtOnce,
    /// One after the other, until one succeeds.
    InTurn,
    /// One after the other, all of them.
    All,
    /// The user starts each step.
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

/// The values of fields that a client's entry leaves out.
pub const UNKNOWN: Client = Client {
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
    agent: None,
    media_type: "text/xml",
    patience: 0,
    source: "",
};

impl Client {
    /// The name with the version in which the rules were seen: a release, else what was read.
    pub fn label(&self) -> String {
        // A release, a commit or a standard.
        let is_version = self.version.contains(|c: char| c.is_ascii_digit() || c == '[');
        match self.seen {
            "" if is_version => format!("{} {}", self.name, self.version),
            _ => self.with_release(),
        }
    }

    /// The name with the release in which the rules were seen, if they were seen in one.
    pub fn with_release(&self) -> String {
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

    /// True if it requests autoconfig at a host of the domain without the address.
    pub fn asks_without_address(&self) -> bool {
        let what = What::Autoconfig(Sent::No);
        self.asks().any(|ask| ask.what == what && ask.host == Host::Autoconfig)
    }

    /// True if it requests Apple profiles.
    pub fn asks_for_profiles(&self) -> bool {
        self.asks().any(|ask| matches!(ask.what, What::Profile(_)))
    }

    /// True if all its Autodiscover requests are GET: it never gets a redirect, because a GET has
    /// no address.
    pub fn sends_no_address(&self) -> bool {
        let mut pox = self.asks().filter(|ask| matches!(ask.what, What::Pox(_) | What::PoxGet));
        pox.next().is_some_and(|first| {
            first.what == What::PoxGet && pox.all(|ask| ask.what == What::PoxGet)
        })
    }
}

//------------ Rule -----------------------------------------------------------

/// What a client does with a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule {
    /// Uses the first server of a type.
    FirstServer,
    /// Uses the last server of a type.
    LastServer,
    /// Uses the last outgoing server.
    LastOutgoing,
    /// Uses all servers, in their order.
    EveryServer,
    /// Uses the last server of a type from Autodiscover.
    LastProtocol,
    /// Finds no incoming server if the document has no IMAP server.
    NeedsImap,
    /// Finds no incoming server if another type precedes IMAP.
    ImapFirst,
    /// Rejects a document with an unknown type of server.
    RefusesOtherTypes,
    /// Rejects a document with an IMAP or SMTP server without TLS.
    RefusesPlain,
    /// Uses TLS or STARTTLS for a server that the document describes as one without.
    IgnoresPlain,
    /// Rejects a document with an IMAP or SMTP server without a known authentication method.
    RefusesOtherMethods,
    /// Uses STARTTLS for a server whose `socketType` it does not know.
    UnknownIsStartTls,
    /// Uses TLS for a server whose `socketType` it does not know.
    UnknownIsTls,
    /// Uses no TLS for a server whose `socketType` it does not know.
    UnknownIsPlain,
    /// Treats an outgoing server without a login as incomplete.
    NeedsLogin,
    /// Uses the first authentication method that it supports.
    FirstMethod,
    /// Uses the last authentication method that it knows.
    LastMethod,
    /// Uses the first authentication method that is not a plain password.
    FirstOtherMethod,
    /// Ignores authentication methods.
    IgnoresMethods,
    /// Uses OAuth2 only for servers in a built-in list.
    OAuth2ByHost,
    /// Uses the URLs of `oAuth2` in the document.
    OAuth2ByDocument,
    /// Never uses OAuth2.
    NoOAuth2,
    /// In Autodiscover, derives TLS or STARTTLS from the port, not from the document.
    PortDecides,
    /// In Autodiscover, uses TLS from the first byte if `SSL` is `on`, and only then.
    SslDecides,
    /// In Autodiscover, uses the address in place of the login.
    IgnoresLoginName,
    /// Reads text that looks like a number or a boolean as one.
    TypedText,
    /// How it reads a login.
    Login(Login),
    /// Uses the last login of the document, also that of a service, for the mail server.
    LastUsername,
    /// Uses the first successful response, in the order of its steps, even if it is not a document.
    FirstResponse,
    /// Requires the requested domain in `domain`.
    NeedsItsDomain,
    /// Accepts only XML media types, in lower case.
    NeedsXmlType,
    /// Accepts the words of a document only in their exact letter case, without white space.
    ExactWords,
    /// Rejects a document with white space around a port.
    ExactPorts,
    /// Keeps white space around a value.
    KeepsBlanks,
    /// Rejects a document with a byte order mark.
    RefusesMark,
    /// Rejects a document with white space before its XML declaration.
    RefusesLateStart,
    /// Rejects a document whose bytes are not UTF-8.
    NeedsUtf8,
    /// Does not decode a response that is compressed without having been asked for.
    RefusesCoding,
    /// Loses text in CDATA sections.
    DropsCData,
    /// Loses the text before a character reference.
    LosesReferences,
    /// Rejects a document with prefixed elements.
    RefusesPrefixes,
    /// Rejects a document with further attributes at a server.
    RefusesAttributes,
    /// Requires `id` at `emailProvider`.
    NeedsProviderId,
    /// Requires `version` at `clientConfig`.
    NeedsVersion,
    /// Requires at least one `domain`.
    NeedsDomain,
    /// Replaces `%EMAILDOMAIN%` by nothing.
    DropsDomainPlaceholder,
    /// Does not replace placeholders in host names.
    KeepsPlaceholdersInHosts,
    /// Follows redirects only within http or within https.
    KeepsScheme,
    /// In Autodiscover, knows `Type` in capitals only.
    NeedsCapitals,
    /// In Autodiscover, uses no TLS if `SSL` is `off`, whatever else is written.
    PlainIfOff,
    /// Parses the body of an error as a document.
    ReadsErrors,
    /// Does not follow HTTP redirects.
    RefusesRedirects,
    /// Asks the user to confirm a response over http.
    DistrustsHttp,
    /// Caches a response for weeks and ignores its caching header fields.
    KeepsAnswers,
    /// Follows Autodiscover redirects to another address.
    FollowsRedirectAddress,
    /// Does not follow an Autodiscover redirect to another address.
    IgnoresRedirectAddress,
    /// Does not follow an Autodiscover redirect to another URL.
    IgnoresRedirectUrl,
    /// Follows two Autodiscover redirects to another address, not more.
    TwoRedirects,
    /// Ends its search at an Autodiscover error with status 200.
    ErrorEndsSearch,
    /// Sends the password of the mailbox without a challenge.
    SendsPassword,
    /// Looks for Exchange or ActiveSync, and does not use IMAP.
    WantsExchange,
}

/// How a client reads the login in a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Login {
    /// It replaces placeholders at any position.
    Filled,
    /// It replaces a placeholder that is the whole value, and uses any other value literally.
    Alone,
    /// It replaces `%EMAILADDRESS%` if it is the whole value, and uses any other value literally.
    AddressAlone,
    /// It replaces `%EMAILLOCALPART%`, and uses the address in place of any other value.
    LocalPartOrAddress,
    /// It always uses the address.
    Address,
}
