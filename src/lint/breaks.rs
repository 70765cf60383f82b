//! Which clients a setting breaks: those with a certain behaviour, by the table in `clients`.

use crate::account::Auth;
use crate::clients::{Client, Login, Rule, Schema, What, labels, sentence, those};

/// The clients that a setting breaks.
#[derive(Clone, Copy)]
pub enum Breaks {
    /// No known client.
    None,
    /// Every client.
    All,
    /// Those with this behaviour.
    Those(Does),
}

/// A behaviour of a client, as a predicate.
pub type Does = fn(&Client) -> bool;

impl Breaks {
    /// The names of the clients, each with the version in which the behaviour was seen.
    pub fn labels(self) -> Vec<String> {
        match self {
            Breaks::None => Vec::new(),
            Breaks::All => vec!["all".to_owned()],
            Breaks::Those(does) => labels(does),
        }
    }
}

/// The clients with this behaviour, with their releases, followed by the verb for one or for
/// several.
pub fn who(does: Does, one: &str, many: &str) -> String {
    sentence(&those(does), one, many)
}

pub const TAKES_LAST: Does = |client| client.has(Rule::LastServer);
pub const TAKES_LAST_TO_SEND: Does = |client| TAKES_LAST(client) || client.has(Rule::LastOutgoing);
pub const REFUSES_METHODS: Does = |client| client.has(Rule::RefusesOtherMethods);
pub const REFUSES_TYPES: Does = |client| client.has(Rule::RefusesOtherTypes);
pub const REFUSES_PLAIN: Does = |client| client.has(Rule::RefusesPlain);
pub const READS_VALUES: Does = |client| client.has(Rule::TypedText);
pub const NEEDS_IMAP: Does = |client| client.has(Rule::NeedsImap);
pub const NEEDS_LOGIN: Does = |client| client.has(Rule::NeedsLogin);
pub const REFUSES_NO_LOGIN: Does = |client| NEEDS_LOGIN(client) || REFUSES_METHODS(client);
pub const OAUTH2_BY_HOST: Does = |client| client.has(Rule::OAuth2ByHost);
pub const OAUTH2_BY_DOCUMENT: Does = |client| client.has(Rule::OAuth2ByDocument);
pub const NEEDS_PASSWORD: Does = |client| OAUTH2_BY_HOST(client) || client.has(Rule::NoOAuth2);
/// KMail: it takes OAuth2 from a list, for which it has no provider.
pub const TAKES_OTHER_METHOD: Does = |client| client.has(Rule::FirstOtherMethod);
pub const TAKES_METHOD_BEFORE_OAUTH2: Does =
    |client| FIRST_BY_DOCUMENT(client) || TAKES_OTHER_METHOD(client);
pub const FIRST_BY_DOCUMENT: Does =
    |client| client.has(Rule::FirstMethod) && OAUTH2_BY_DOCUMENT(client);
pub const IGNORES_PLAIN: Does = |client| client.has(Rule::IgnoresPlain);
pub const NEEDS_TLS: Does = |client| REFUSES_PLAIN(client) || IGNORES_PLAIN(client);
pub const CUTS_AT_REFERENCES: Does = |client| client.has(Rule::LosesReferences);
/// Others request ActiveSync, too, but it is not known that they use it.
pub const WANTS_ACTIVESYNC: Does = |client| {
    let what = What::Pox(Schema::MobileSync);
    client.has(Rule::WantsExchange) && client.asks().any(|ask| ask.what == what)
};
pub const PORT_DECIDES: Does = |client| client.has(Rule::PortDecides);
pub const PORT_DECIDES_FOR_POP3: Does = |client| PORT_DECIDES(client) && !NEEDS_IMAP(client);
pub const LAST_USERNAME: Does = |client| client.has(Rule::LastUsername);
pub const IGNORES_ADDRESS: Does =
    |client| client.has(Rule::IgnoresRedirectAddress) && !client.sends_no_address();
pub const IGNORES_URL: Does =
    |client| client.has(Rule::IgnoresRedirectUrl) && !client.sends_no_address();
pub const GETS_NO_REDIRECT: Does = Client::sends_no_address;
pub const NO_REDIRECT_TO_ADDRESS: Does =
    |client| IGNORES_ADDRESS(client) || GETS_NO_REDIRECT(client);
pub const NO_REDIRECT_TO_URL: Does = |client| IGNORES_URL(client) || GETS_NO_REDIRECT(client);
pub const ALWAYS_ADDRESS: Does = |client| client.has(Rule::Login(Login::Address));
pub const NO_COMPOSED: Does = |client| {
    client.rules.iter().any(|rule| matches!(rule, Rule::Login(login) if *login != Login::Filled))
};
pub const NO_FIXED: Does =
    |client| ALWAYS_ADDRESS(client) || client.has(Rule::Login(Login::LocalPartOrAddress));
pub const ONLY_ADDRESS: Does = |client| client.has(Rule::Login(Login::AddressAlone));
pub const NO_LOCAL_PART: Does = |client| ALWAYS_ADDRESS(client) || ONLY_ADDRESS(client);
pub const CHOOSES_METHOD: Does = |client| {
    let rules = [Rule::FirstMethod, Rule::LastMethod, Rule::FirstOtherMethod];
    rules.into_iter().any(|rule| client.has(rule))
};

/// How clients treat a redirect of Autodiscover that some of them do not follow.
pub fn of_redirect(ignores: Does) -> String {
    let ignore = who(ignores, "does not follow it", "do not follow it");
    let get_none = who(
        GETS_NO_REDIRECT,
        "does not get it, because it sends no address",
        "do not get it, because they send no address",
    );
    format!("{ignore}; {get_none}")
}

/// How clients treat several authentication methods.
pub fn choices(methods: &[Auth]) -> String {
    const FIRST_BY_HOST: Does = |client| client.has(Rule::FirstMethod) && OAUTH2_BY_HOST(client);
    let takes =
        |does, method: &Auth| who(does, &format!("takes {method}"), &format!("take {method}"));
    let mut clients = Vec::new();
    let takes_first =
        |does| who(does, "takes the first it supports", "take the first they support");
    clients.extend(methods.first().map(|method| match method {
        Auth::Password | Auth::OAuth2 => takes(FIRST_BY_DOCUMENT, method),
        // It is not known which of the others they support.
        Auth::CramMd5 | Auth::Ntlm | Auth::None => takes_first(FIRST_BY_DOCUMENT),
    }));
    clients.push(takes_first(FIRST_BY_HOST));
    if methods.contains(&Auth::OAuth2) {
        clients.push("but oauth2 only for servers that they know by name".to_owned());
    }
    let known = [Auth::Password, Auth::CramMd5];
    let last = methods.iter().rfind(|method| known.contains(method));
    clients.extend(last.map(|method| takes(|client| client.has(Rule::LastMethod), method)));
    let other = methods.iter().find(|method| **method != Auth::Password);
    clients.extend(other.map(|method| takes(TAKES_OTHER_METHOD, method)));
    format!("auth is a list: {}", clients.join(", "))
}
