//! Thunderbird, and clients that are derived from it.

use super::client::Tested::{Document, Real, Recorded};
use super::client::{Client, Login, Order, Rule, UNKNOWN};
use super::step::Scheme::{Http, Https};
use super::step::Sent::{Encoded, No};
use super::step::{Ask, DATABASE, Host, MAIL_SRV, Of, Step, What, a, of, pox, w};

/// What Thunderbird requests in every set-up.
const THUNDERBIRD: &[Step] = &[
    a(Https, Encoded),
    w(Https, Encoded),
    a(Http, Encoded),
    w(Http, Encoded),
    DATABASE,
    pox(Https, Host::Autodiscover),
    pox(Https, Host::Domain),
    pox(Http, Host::Autodiscover),
    Step::Srv(&["_autodiscover"]),
    of(Of::MxDomain, a(Https, Encoded)),
];

/// The rules of Thunderbird, and of Betterbird, which uses its code.
const THUNDERBIRD_RULES: &[Rule] = &[
    Rule::FirstServer,
    Rule::FirstMethod,
    Rule::OAuth2ByHost,
    Rule::NeedsLogin,
    Rule::PortDecides,
    Rule::TypedText,
    Rule::Login(Login::Filled),
    Rule::FirstResponse,
    Rule::NeedsXmlType,
    Rule::IgnoresRedirectUrl,
    Rule::FollowsRedirectAddress,
    Rule::TwoRedirects,
    Rule::SendsPassword,
    Rule::ExactWords,
    Rule::RefusesLateStart,
    Rule::RefusesPrefixes,
    Rule::NeedsProviderId,
    Rule::NeedsDomain,
    Rule::NeedsCapitals,
    Rule::PlainIfOff,
];

/// The domains of the mail servers for which Thunderbird gets tokens (seen: 153, `OAuth2Providers`).
pub(super) const OAUTH2_HOSTS: &[&str] = &[
    "googlemail.com",
    "gmail.com",
    "imap.mail.ru",
    "smtp.mail.ru",
    "imap.yandex.com",
    "smtp.yandex.com",
    "yahoo.com",
    "att.net",
    "aol.com",
    "office365.com",
    "outlook.com",
    "hotmail.com",
    "imap.fastmail.com",
    "pop.fastmail.com",
    "smtp.fastmail.com",
    "imap.comcast.net",
    "pop.comcast.net",
    "smtp.comcast.net",
    "thundermail.com",
];

pub(super) static CLIENTS: &[Client] = &[
    Client {
        name: "Thunderbird",
        version: "153.7.0 (ESR)",
        seen: "153",
        order: Order::AtOnce,
        steps: THUNDERBIRD,
        variants: &[
            // mailnews.auto_config.fetchFromISP.sendEmailAddress is false.
            a(Https, No),
            // mailnews.auto_config_url is set to a host of this server.
            Step::Ask(Ask {
                scheme: Https,
                host: Host::Autoconfig,
                of: Of::Setting,
                what: What::Database,
            }),
        ],
        rules: THUNDERBIRD_RULES,
        tested: &[Real, Recorded],
        requests: &["thunderbird-"],
        agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.7.0"),
        media_type: "text/xml; charset=utf-8",
        patience: 5,
        source: "`modules/accountcreation`: `FetchConfig`, `FetchHTTP`, `readFromXML`, \
                 `ExchangeAutoDiscover`, `FindConfig`",
        ..UNKNOWN
    },
    Client {
        name: "Betterbird",
        version: "153",
        seen: "153",
        order: Order::AtOnce,
        steps: THUNDERBIRD,
        rules: THUNDERBIRD_RULES,
        same_as: Some("Thunderbird"),
        tested: &[Document],
        agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.7.0"),
        media_type: "text/xml; charset=utf-8",
        patience: 5,
        source: "Betterbird/thunderbird-patches, `153`",
        ..UNKNOWN
    },
    Client {
        name: "Thunderbird for Android",
        also: "K-9",
        version: "a59bd67 (2026-08)",
        order: Order::AtOnce,
        steps: &[
            a(Https, No),
            w(Https, No),
            a(Http, No),
            w(Http, No),
            DATABASE,
            of(Of::MxDomain, a(Https, No)),
        ],
        rules: &[
            Rule::FirstServer,
            Rule::NeedsImap,
            Rule::RefusesPlain,
            Rule::RefusesOtherMethods,
            Rule::FirstMethod,
            Rule::OAuth2ByHost,
            Rule::Login(Login::Filled),
            Rule::DistrustsHttp,
            Rule::ExactWords,
            Rule::NeedsProviderId,
            Rule::NeedsDomain,
        ],
        tested: &[Recorded],
        requests: &["thunderbird-android-"],
        agent: Some("okhttp/4.12.0"),
        patience: 10,
        source: "`feature/autodiscovery/autoconfig`",
        ..UNKNOWN
    },
    Client {
        name: "Thunderbird for iOS",
        order: Order::Unknown,
        steps: &[
            MAIL_SRV,
            Step::Elsewhere("autoconfig by a library, whose requests are not known"),
        ],
        tested: &[Document],
        source: "thunderbird/thunderbird-ios issue 108",
        ..UNKNOWN
    },
];
