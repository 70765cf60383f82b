//! Clients with public source code, except those of Mozilla.

use super::client::Tested::{Document, Real, Recorded, Run};
use super::client::{Client, Login, Order, Rule, UNKNOWN};
use super::step::Scheme::{Http, Https};
use super::step::Sent::{Digested, Dummy, Encoded, No, Raw};
use super::step::{
    Ask, DATABASE, Form, Host, MAIL_SRV, Of, Sent, Step, What, a, json, of, pox, pox_get, w,
};

const PACC: Step = Step::Ask(Ask::new(Https, Host::Pacc, What::Pacc));
/// A table of large providers in the client.
const BUILT_IN: Step = Step::Elsewhere("a built-in table of large providers");
/// What Evolution before 3.55.2 sends in place of the local part.
const EVOLUTION_USER: Sent = Dummy("EVOLUTIONUSER");

pub(super) static CLIENTS: &[Client] = &[
    Client {
        name: "Delta Chat",
        version: "core 2.65.0; core 4888889 read",
        seen: "2.65",
        order: Order::InTurn,
        steps: &[
            a(Https, Encoded),
            w(Https, No),
            pox_get(Https, Host::Domain),
            pox_get(Https, Host::Autodiscover),
            DATABASE,
        ],
        variants: &[w(Https, Encoded)],
        rules: &[
            Rule::EveryServer,
            Rule::NeedsImap,
            Rule::IgnoresMethods,
            Rule::Login(Login::Filled),
            Rule::KeepsAnswers,
            Rule::IgnoresRedirectAddress,
            Rule::ErrorEndsSearch,
        ],
        tested: &[Real, Recorded],
        requests: &["delta-chat-"],
        source: "`src/configure.rs`, `src/configure/auto_mozilla.rs`, `auto_outlook.rs`, \
                 `src/net/http.rs`",
        ..UNKNOWN
    },
    Client {
        name: "Pimalaya",
        also: "himalaya",
        version: "io-pim-discovery 0.9.0; 0.7.0 recorded",
        seen: "0.9",
        order: Order::All,
        steps: &[a(Https, Raw), w(Https, No), DATABASE, MAIL_SRV, PACC],
        rules: &[Rule::EveryServer, Rule::RefusesOtherTypes, Rule::RefusesRedirects],
        tested: &[Real, Recorded],
        requests: &["pimalaya-"],
        source: "`src/autoconfig`, `src/pacc`; email-lib 0.27",
        ..UNKNOWN
    },
    Client {
        name: "Evolution",
        version: "3.56.2; 3.46.4 run",
        seen: "3.46",
        order: Order::InTurn,
        steps: &[
            a(Https, Digested),
            a(Http, Digested),
            w(Https, Digested),
            w(Http, Digested),
            DATABASE,
            of(Of::Mx, a(Https, Digested)),
            of(Of::MxDomain, a(Https, Digested)),
            MAIL_SRV,
        ],
        // PACC: reported of a proposed change.
        variants: &[a(Https, EVOLUTION_USER), w(Https, EVOLUTION_USER), PACC],
        rules: &[Rule::LastServer, Rule::LastMethod, Rule::NoOAuth2, Rule::Login(Login::Filled)],
        tested: &[Run, Recorded],
        requests: &["evolution-"],
        source: "`src/mail/e-mail-autoconfig.c`, NEWS; merge request 219 (PACC)",
        ..UNKNOWN
    },
    Client {
        name: "Evolution EWS",
        also: "GNOME Online Accounts",
        version: "from its requests",
        order: Order::InTurn,
        steps: &[pox(Https, Host::Domain), pox(Https, Host::Autodiscover)],
        rules: &[Rule::WantsExchange],
        tested: &[Recorded],
        requests: &["evolution-ews-"],
        source: "its requests",
        ..UNKNOWN
    },
    Client {
        name: "KMail",
        also: "account wizard",
        version: "8163b65 (2026-07)",
        order: Order::InTurn,
        steps: &[DATABASE, a(Https, No), a(Http, No), w(Https, No)],
        rules: &[Rule::FirstOtherMethod, Rule::Login(Login::Filled), Rule::ReadsErrors],
        tested: &[Recorded],
        requests: &["kmail-"],
        source: "`src/ispdbservice.cpp`, `src/ispdb/serverconfiguration.cpp`",
        ..UNKNOWN
    },
    Client {
        name: "Akonadi EWS",
        also: "KDE",
        version: "e6bf053",
        order: Order::InTurn,
        steps: &[
            pox(Https, Host::Domain),
            pox(Https, Host::Autodiscover),
            pox(Http, Host::Domain),
            pox(Http, Host::Autodiscover),
        ],
        rules: &[Rule::WantsExchange],
        tested: &[Recorded],
        requests: &["akonadi-ews-"],
        source: "KDE/kdepim-runtime, `resources/ews/ewsclient/ewspoxautodiscoverrequest.cpp`",
        ..UNKNOWN
    },
    Client {
        name: "Geary",
        version: "3e8d4f1",
        order: Order::InTurn,
        steps: &[a(Https, No), DATABASE],
        rules: &[
            Rule::FirstServer,
            Rule::NeedsImap,
            Rule::ImapFirst,
            Rule::IgnoresMethods,
            Rule::Login(Login::Address),
            Rule::ReadsErrors,
        ],
        tested: &[Recorded],
        requests: &["geary-"],
        source: "`src/client/accounts/accounts-autoconfig.vala`",
        ..UNKNOWN
    },
    Client {
        name: "FairEmail",
        version: "e23dd9d",
        order: Order::InTurn,
        steps: &[
            MAIL_SRV,
            a(Https, Raw),
            w(Https, Raw),
            a(Http, Raw),
            w(Http, Raw),
            DATABASE,
            pox(Https, Host::Domain),
            pox(Https, Host::Autodiscover),
        ],
        rules: &[
            Rule::FirstServer,
            Rule::LastProtocol,
            Rule::NeedsImap,
            Rule::PortDecides,
            Rule::Login(Login::Alone),
            Rule::LastUsername,
            Rule::IgnoresRedirectAddress,
            Rule::IgnoresRedirectUrl,
        ],
        tested: &[Recorded],
        requests: &["fairemail-"],
        source: "`EmailProvider.java`, `Misc.java`",
        ..UNKNOWN
    },
    Client {
        name: "Nextcloud Mail",
        version: "e5734fe",
        order: Order::InTurn,
        steps: &[
            a(Https, Raw),
            w(Https, Raw),
            DATABASE,
            a(Http, Raw),
            w(Http, Raw),
            of(Of::Mx, a(Https, Raw)),
            of(Of::Mx, w(Https, Raw)),
            of(Of::MxDomain, a(Https, Raw)),
            of(Of::MxDomain, w(Https, Raw)),
        ],
        rules: &[Rule::FirstServer, Rule::NeedsImap, Rule::Login(Login::Filled)],
        tested: &[Recorded],
        requests: &["nextcloud-"],
        source: "`lib/Service/AutoConfig/IspDb.php`",
        ..UNKNOWN
    },
    Client {
        name: "Mailspring",
        version: "d93a0d7",
        order: Order::InTurn,
        steps: &[BUILT_IN, a(Https, No), w(Https, No)],
        rules: &[Rule::FirstServer, Rule::NeedsImap, Rule::Login(Login::LocalPartOrAddress)],
        tested: &[Recorded],
        requests: &["mailspring-"],
        source: "`onboarding-helpers.ts`",
        ..UNKNOWN
    },
    Client {
        name: "EmailEngine",
        version: "aea4535, faba375",
        order: Order::AtOnce,
        steps: &[
            BUILT_IN,
            a(Https, Encoded),
            w(Http, No),
            pox(Https, Host::Autodiscover),
            Step::Srv(&["_imaps", "_imap", "_submissions", "_submission", "_autodiscover"]),
            DATABASE,
        ],
        rules: &[
            Rule::FirstServer,
            Rule::LastProtocol,
            Rule::NeedsImap,
            Rule::Login(Login::Alone),
            Rule::IgnoresRedirectAddress,
            Rule::IgnoresRedirectUrl,
            Rule::ErrorEndsSearch,
        ],
        tested: &[Run, Recorded],
        requests: &["emailengine-"],
        source: "`lib/autodetect-imap-settings.js`",
        ..UNKNOWN
    },
    Client {
        name: "aerc",
        version: "fab0531",
        order: Order::InTurn,
        steps: &[
            Step::Srv(&["_imaps", "_imap", "_submission"]),
            a(Https, Encoded),
            w(Https, Encoded),
            DATABASE,
        ],
        rules: &[
            Rule::LastOutgoing,
            Rule::NeedsImap,
            Rule::Login(Login::AddressAlone),
            Rule::ReadsErrors,
        ],
        tested: &[Run, Recorded],
        requests: &["aerc-"],
        source: "`lib/autoconfig`",
        ..UNKNOWN
    },
    Client {
        name: "Sailfish OS",
        version: "2025",
        order: Order::InTurn,
        steps: &[a(Https, No), w(Https, No), DATABASE, a(Http, No), w(Http, No)],
        rules: &[Rule::FirstServer, Rule::NeedsItsDomain],
        tested: &[Recorded],
        requests: &["sailfish-"],
        source: "nemo-qml-plugin-email, `src/emailautoconfig.cpp`",
        ..UNKNOWN
    },
    Client {
        name: "Mustang",
        also: "Parula",
        version: "227ae5a",
        order: Order::InTurn,
        steps: &[
            Step::Elsewhere("its own copy of Mozilla's database"),
            a(Https, Raw),
            w(Https, No),
            a(Http, Raw),
            of(Of::MxDomain, a(Https, No)),
            json(Form::Path, "Ews"),
            json(Form::Path, "ActiveSync"),
            json(Form::Path, "REST"),
            pox(Https, Host::Autodiscover),
        ],
        rules: &[
            Rule::FirstServer,
            Rule::FirstMethod,
            Rule::OAuth2ByDocument,
            Rule::NeedsItsDomain,
            Rule::SendsPassword,
        ],
        tested: &[Recorded],
        requests: &["mustang-"],
        source: "`app/logic/Mail/AutoConfig`",
        ..UNKNOWN
    },
    Client {
        name: "Maily",
        also: "enough_mail",
        version: "from its library",
        order: Order::InTurn,
        steps: &[a(Https, Encoded), a(Http, Encoded), DATABASE],
        tested: &[Recorded],
        requests: &["enough-mail-"],
        source: "enough_mail, `lib/src/private/util/discover_helper.dart`",
        ..UNKNOWN
    },
    Client {
        name: "Wino Mail",
        version: "d52f7b8 (2026-06)",
        order: Order::InTurn,
        steps: &[
            a(Https, Encoded),
            w(Https, Encoded),
            DATABASE,
            Step::Srv(&["_imaps", "_imap", "_submissions", "_submission"]),
        ],
        rules: &[Rule::NeedsImap, Rule::Login(Login::Filled)],
        tested: &[Recorded],
        requests: &["wino-"],
        source: "`Wino.Core/Services/AutoDiscoveryService.cs`",
        ..UNKNOWN
    },
    Client {
        name: "exchangelib",
        version: "4.7.2",
        order: Order::InTurn,
        steps: &[
            pox(Https, Host::Domain),
            pox(Https, Host::Autodiscover),
            pox_get(Http, Host::Autodiscover),
            Step::Srv(&["_autodiscover"]),
        ],
        rules: &[Rule::WantsExchange],
        tested: &[Recorded],
        requests: &["exchangelib-"],
        source: "`exchangelib/autodiscover`",
        ..UNKNOWN
    },
    Client {
        name: "Claws Mail",
        version: "4.3.1",
        order: Order::InTurn,
        steps: &[Step::Srv(&["_imaps", "_imap", "_pop3s", "_pop3", "_submission"])],
        tested: &[Document],
        source: "`src/gtk/gtkutils.c`",
        ..UNKNOWN
    },
];
