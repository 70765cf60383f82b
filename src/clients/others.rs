//! Clients that are known from reports and from the documents of their vendors.

use super::client::Tested::{Document, Recorded};
use super::client::{Client, Order, Rule, UNKNOWN};
use super::step::Scheme::Https;
use super::step::Sent::{Encoded, No, Raw};
use super::step::{Ask, Form, Host, Sent, Step, What, json, mobile_sync, pox, pox_get};

/// A link to a profile.
const fn link(what: What) -> Step {
    Step::Ask(Ask::new(Https, Host::Autoconfig, what))
}

/// Autoconfig below `/v1.1`.
const fn version(sent: Sent) -> Step {
    link(What::Version(sent))
}

pub(super) static CLIENTS: &[Client] = &[
    Client {
        name: "eM Client",
        steps: &[pox(Https, Host::Autodiscover)],
        tested: &[Recorded],
        requests: &["em-client-"],
        agent: Some(""),
        source: "mailcow-dockerized pull request 370",
        ..UNKNOWN
    },
    Client {
        name: "Nine",
        steps: &[version(Encoded), json(Form::Query, "ActiveSync")],
        tested: &[Recorded],
        requests: &["nine-"],
        source: "wdes/mail-autodiscover-autoconfig, README and issue 4",
        ..UNKNOWN
    },
    Client {
        name: "MyMail",
        steps: &[pox_get(Https, Host::Autodiscover)],
        tested: &[Recorded],
        requests: &["mymail-"],
        source: "wdes/mail-autodiscover-autoconfig, README and issue 4",
        ..UNKNOWN
    },
    Client {
        name: "Spike",
        steps: &[pox_get(Https, Host::Domain)],
        tested: &[Recorded],
        requests: &["spike-"],
        source: "wdes/mail-autodiscover-autoconfig, README and issue 4",
        ..UNKNOWN
    },
    Client {
        name: "ActiveSync",
        also: "\"Exchange\" on a phone",
        version: "[MS-ASCMD]",
        order: Order::InTurn,
        steps: &[mobile_sync(Host::Domain), mobile_sync(Host::Autodiscover)],
        rules: &[Rule::WantsExchange],
        tested: &[Recorded, Document],
        requests: &["activesync-"],
        source: "[MS-ASCMD] 2.2.1.1",
        ..UNKNOWN
    },
    Client {
        name: "Apple Mail",
        version: "iOS 18.1, macOS 15.1",
        order: Order::ByHand,
        steps: &[
            link(What::Profile(Encoded)),
            link(What::Profile(No)),
            link(What::ProfileAlias(Raw)),
        ],
        rules: &[Rule::NoOAuth2],
        tested: &[Recorded, Document],
        requests: &["safari-"],
        agent: Some(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
             (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        ),
        source: "Apple's schema; mox, `http/autoconf.go` and issue 328; \
                 nolanbrown/ios-cert-enrollment pull request 5 (chain); lennart-k/rustical issue \
                 98, mail-in-a-box/mailinabox pull request 1402, nextcloud/server pull request \
                 10068 (principals)",
        ..UNKNOWN
    },
    Client {
        name: "macOS",
        also: "an Exchange account",
        steps: &[json(Form::Query, "EWS")],
        rules: &[Rule::WantsExchange],
        tested: &[Recorded, Document],
        requests: &["macos-ews-"],
        source: "mail-in-a-box issue 1811",
        ..UNKNOWN
    },
];
