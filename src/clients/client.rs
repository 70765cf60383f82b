//! What is known of a mail client: its steps, and what it does with a document.

use super::step::{Ask, Step, What};

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

/// What a client is that nothing is said of.
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
    source: "",
};

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
