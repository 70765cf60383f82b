//! Outlook, and the services of Microsoft that make requests for it.

use super::client::Tested::{Document, Recorded};
use super::client::{Client, Order, Rule, UNKNOWN};
use super::step::Scheme::{Http, Https};
use super::step::Sent::No;
use super::step::{Form, Host, Of, Step, json, mobile_sync, of, pox, pox_get, w};

pub(super) static CLIENTS: &[Client] = &[
    Client {
        name: "Outlook 2010",
        version: "14.0.4760",
        order: Order::InTurn,
        steps: &[pox(Https, Host::Domain), pox(Https, Host::Autodiscover)],
        rules: &[Rule::NoOAuth2, Rule::FollowsRedirectAddress],
        tested: &[Recorded, Document],
        requests: &["outlook-2010-"],
        agent: Some("Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.4760; Pro)"),
        source: "mail-in-a-box issue 509; Microsoft TechNet cc511507",
        ..UNKNOWN
    },
    Client {
        name: "Outlook 2016",
        also: "and newer",
        version: "16.0",
        order: Order::InTurn,
        steps: &[
            Step::Elsewhere("Microsoft 365"),
            pox(Https, Host::Domain),
            pox(Https, Host::Autodiscover),
            pox_get(Http, Host::Autodiscover),
            Step::Srv(&["_autodiscover"]),
            of(Of::Srv, pox(Https, Host::Domain)),
            json(Form::Query, "Autodiscoverv1"),
        ],
        variants: &[of(Of::Srv, json(Form::Path, "Autodiscoverv1"))],
        rules: &[Rule::NoOAuth2, Rule::FollowsRedirectAddress],
        tested: &[Recorded, Document],
        requests: &["outlook-"],
        agent: Some("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.11231; Pro)"),
        source: "Microsoft, \"Outlook 2016 implementation of Autodiscover\"; \
                 Monogramm/autodiscover-email-settings issue 18; smartlyway/email-autoconfig-php \
                 issue 2; stalwartlabs/stalwart issue 3248 (Encryption); mailcow-dockerized issue \
                 2300 and mjl-/mox issue 200 (JSON)",
        ..UNKNOWN
    },
    Client {
        name: "New Outlook",
        steps: &[mobile_sync(Host::Autodiscover)],
        tested: &[Recorded, Document],
        requests: &["new-outlook-"],
        source: "Mailu issue 3961",
        ..UNKNOWN
    },
    Client {
        name: "AutoDetect",
        also: "for Outlook on phones and Macs, and new Outlook",
        order: Order::InTurn,
        steps: &[
            w(Https, No),
            json(Form::Query, "ActiveSync"),
            pox(Https, Host::Autodiscover),
            mobile_sync(Host::Autodiscover),
        ],
        tested: &[Recorded, Document],
        requests: &["autodetect-"],
        agent: Some("OutlookMobileCloudService-Autodetect/1.0.0"),
        source: "HLFH/automua issue 9; gronke/email-autodiscover issue 4",
        ..UNKNOWN
    },
    Client {
        name: "Remote Connectivity Analyzer",
        order: Order::InTurn,
        steps: &[pox(Https, Host::Domain), pox(Https, Host::Autodiscover)],
        rules: &[Rule::WantsExchange],
        tested: &[Recorded, Document],
        requests: &["rca-"],
        source: "mox, `http/autoconf.go`; Monogramm/autodiscover-email-settings issue 18",
        ..UNKNOWN
    },
];
