//! The table of clients agrees with the recorded requests, and the documentation with the table.
//! `UPDATE_GOLDEN=1` rewrites the tables of the documentation.

use super::{read, recorded};
use crate::common::http::Request;
use crate::common::source;
use mailsetup::address::EmailAddress;
use mailsetup::clients::{
    Ask, Client, Host, Login, Of, Order, Rule, Schema, Scheme, Sent, Step, Tested, What, all,
};
use mailsetup::lint::{Breaks, LINTS};
use std::collections::BTreeSet;
use std::fs;

/// Requests that no client makes.
const OURS: [&str; 4] = ["pox-", "json-", "address-case", "host-port-case-dot"];
/// The domains of the requests, as described in tests/fixtures/README.md.
const DOMAINS: [&str; 4] =
    ["example.org", "hoster.example", "xn--bcher-kva.example", "unknown.example"];

//------------ the table ------------------------------------------------------

#[test]
fn the_table_is_in_order() {
    let names: Vec<_> = all().map(|client| client.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a name is there twice");
    for client in all() {
        let name = client.name;
        assert!(!client.steps.is_empty() && !client.source.is_empty(), "{name}");
        assert!(client.version.contains(client.seen), "{name}: {}", client.seen);
        assert!(!client.tested.is_empty(), "{name} is not known by anything");
        let is_recorded = client.tested.contains(&Tested::Recorded);
        assert_eq!(is_recorded, !client.requests.is_empty(), "{name}");
        for (at, rule) in client.rules.iter().enumerate() {
            assert!(!client.rules[..at].contains(rule), "{name}: {rule:?} is there twice");
        }
        let logins = client.rules.iter().filter(|rule| matches!(rule, Rule::Login(_)));
        assert!(logins.count() <= 1, "{name} does two things with a login");
        if let Some(other) = client.same_as {
            let other = all().find(|client| client.name == other).expect(other);
            assert!(client.rules == other.rules && client.steps == other.steps, "{name}");
        }
    }
}

/// A warning names clients with the behaviour that it describes.
#[test]
fn every_warning_that_is_about_clients_finds_some() {
    let mut labels: Vec<String> = all().map(Client::label).collect();
    labels.push("all".to_owned());
    let mut count = 0;
    for lint in LINTS {
        let broken = lint.breaks.labels();
        count += broken.len();
        assert!(broken.iter().all(|label| labels.contains(label)), "{}: {broken:?}", lint.code);
        let is_about_clients = matches!(lint.breaks, Breaks::Those(_));
        assert!(!broken.is_empty() || !is_about_clients, "{} breaks no client", lint.code);
    }
    assert!(count > 30, "only {count} clients in all warnings");
}

//------------ requests -------------------------------------------------------

#[test]
fn every_recorded_request_is_a_step_of_its_client() {
    let mut claimed = BTreeSet::new();
    let mut made = BTreeSet::new();
    for name in recorded() {
        let Some((client, beginning)) = owner(&name) else {
            assert!(OURS.iter().any(|ours| name.starts_with(ours)), "{name} is no client's");
            continue;
        };
        claimed.insert(beginning);
        let request = read(&name);
        let path = source("tests/fixtures/requests").join(format!("{name}.http"));
        let text = String::from_utf8_lossy(&fs::read(path).expect("a request")).into_owned();
        let scheme = match text.lines().any(|line| line == "# scheme: http") {
            true => Scheme::Http,
            false => Scheme::Https,
        };
        let variants = client.variants.iter().filter_map(|step| match step {
            Step::Ask(ask) => Some(ask),
            Step::Srv(_) | Step::Elsewhere(_) => None,
        });
        let step = client.asks().chain(variants).find(|ask| is_it(ask, &request, scheme));
        let step = step.unwrap_or_else(|| panic!("{name} is not a step of {}", client.name));
        made.insert(format!("{} {step:?}", client.name));
    }
    for client in all() {
        for beginning in client.requests {
            assert!(claimed.contains(beginning), "there is no request {beginning}*");
        }
    }
    assert!(made.len() > 50, "only {} steps are recorded", made.len());
}

/// The client of a request, by the longest prefix of its name.
fn owner(name: &str) -> Option<(&'static Client, &'static str)> {
    let beginnings =
        all().flat_map(|client| client.requests.iter().map(move |begin| (client, *begin)));
    beginnings.filter(|(_, begin)| name.starts_with(begin)).max_by_key(|(_, begin)| begin.len())
}

/// True if a request is this step, byte for byte except for the letter case of paths and the
/// digest.
fn is_it(ask: &Ask, request: &Request, scheme: Scheme) -> bool {
    let target = String::from_utf8(request.target.clone()).expect("a target in ASCII");
    // Older cores of Delta Chat send the whole URL.
    let absolute = target.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let (host, target) = match absolute {
        Some((host, rest)) => (host.to_owned(), format!("/{rest}")),
        None => {
            let host = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Host"));
            let (_, host) = host.expect("a Host");
            (String::from_utf8(host.clone()).expect("a host in ASCII"), target)
        }
    };
    let address = address(ask, &target, &host);
    let target = target.split("&emailmd5=").next().expect("a target");
    // EmailEngine writes the domain in letters.
    let target = target.replace("b%C3%BCcher", "xn--bcher-kva");
    let is_host = match ask.of {
        Of::Address => match request.body.is_some() || !has_address(ask) {
            true => DOMAINS.iter().any(|domain| ask.host(domain) == host),
            false => ask.host(address.domain().as_str()) == host,
        },
        // The names of one hoster.
        Of::Mx | Of::MxDomain | Of::Srv | Of::Setting => {
            let names = ["mx1.hoster.example", "hoster.example", "mail.hoster.example"];
            names.iter().any(|domain| ask.host(domain) == host)
        }
    };
    let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
    let is_schema = match ask.what {
        What::Pox(schema) => body.contains("mobilesync") == (schema == Schema::MobileSync),
        _ => body.is_empty(),
    };
    is_host
        && is_schema
        && ask.scheme == scheme
        && ask.method() == request.method
        && ask.target(&address).eq_ignore_ascii_case(&target)
}

fn has_address(ask: &Ask) -> bool {
    match ask.what {
        What::Autoconfig(sent)
        | What::WellKnown(sent)
        | What::Version(sent)
        | What::Profile(sent)
        | What::ProfileAlias(sent) => sent != Sent::No,
        What::Json(..) | What::Page => true,
        What::Database | What::Pox(_) | What::PoxGet | What::Pacc => false,
    }
}

/// The address in a target, else one of the host's domain.
fn address(ask: &Ask, target: &str, host: &str) -> EmailAddress {
    let after = |text: &str| target.split_once(text).map(|(_, rest)| rest.to_owned());
    let sent = after("address=").or_else(|| after("mail=")).or_else(|| after("/v1.0/"));
    let sent = sent.map(|text| text.split(['&', '?']).next().expect("a part").to_owned());
    let domain = DOMAINS.iter().find(|domain| ask.host(domain) == host);
    let of_host = || match ask.what {
        What::Database => format!("ann@{}", after("/v1.1/").unwrap_or_default()),
        _ => format!("ann@{}", domain.unwrap_or(&"example.org")),
    };
    let sent = sent.unwrap_or_else(of_host);
    let decoded = percent_encoding::percent_decode_str(&sent).collect::<Vec<_>>();
    EmailAddress::parse(&decoded)
        .or_else(|_| EmailAddress::parse(b"ann@example.org"))
        .expect("an address")
}

//------------ documentation --------------------------------------------------

/// The tables in docs/clients.md and docs/protocols.md.
#[test]
fn the_documentation_has_the_same_clients() {
    let mut clients = "| client | version | requests | responses | tested | fixtures |\n\
                       |---|---|---|---|---|---|\n"
        .to_owned();
    let mut sources = "| client | version | where |\n|---|---|---|\n".to_owned();
    for client in all() {
        let name = match client.also {
            "" => client.name.to_owned(),
            also => format!("{} ({also})", client.name),
        };
        let requests: Vec<_> = client.requests.iter().map(|it| format!("`{it}*`")).collect();
        let version = client.version;
        clients += &format!(
            "| {name} | {version} | {} | {} | {} | {} |\n",
            asks(client),
            answers(client).join("; "),
            tested(client),
            requests.join(", ")
        );
        sources += &format!("| {name} | {version} | {} |\n", client.source);
    }
    let mut rules: Vec<(String, Vec<&str>)> = Vec::new();
    for client in all().filter(|client| client.same_as.is_none()) {
        for rule in client.rules {
            let text = about(*rule);
            match rules.iter_mut().find(|(known, _)| known == text) {
                Some((_, names)) => names.push(client.name),
                None => rules.push((text.to_owned(), vec![client.name])),
            }
        }
    }
    let known: BTreeSet<_> = rules.iter().map(|(text, _)| text.as_str()).collect();
    let expected: BTreeSet<_> = RULES.iter().map(|rule| about(*rule)).collect();
    assert_eq!(known, expected, "RULES has every rule that a client has, and no other");
    rules.sort_by_key(|(text, _)| RULES.iter().position(|rule| about(*rule) == text));
    let mut does = "| behaviour | clients |\n|---|---|\n".to_owned();
    for (text, names) in rules {
        does += &format!("| {text} | {} |\n", names.join(", "));
    }
    compare("docs/clients.md", "## Requests of each client", &clients);
    compare("docs/clients.md", "## What clients do with a response", &does);
    compare("docs/protocols.md", "## Clients", &sources);
}

/// The table in docs/many-domains.md: which clients find the settings by what a domain has.
#[test]
fn the_documentation_has_the_clients_of_each_way() {
    let is_of_address = |ask: &Ask| ask.of == Of::Address;
    let is_https = |ask: &Ask| ask.scheme == Scheme::Https;
    type Finds<'a> = &'a dyn Fn(&Client) -> bool;
    let certificates: Finds = &|client| {
        let is_it = |ask: &&Ask| is_of_address(ask) && is_https(ask) && ask.host != Host::Domain;
        client.asks().any(|ask| is_it(&ask))
    };
    let http: Finds = &|client| {
        client.asks().any(|ask| {
            is_of_address(ask) && !is_https(ask) && matches!(ask.what, What::Autoconfig(_))
        })
    };
    let site: Finds = &|client| {
        client.asks().any(|ask| is_of_address(ask) && is_https(ask) && ask.host == Host::Domain)
    };
    let mx: Finds = &|client| {
        client.asks().any(|ask| {
            [Of::Mx, Of::MxDomain].contains(&ask.of) && matches!(ask.what, What::Autoconfig(_))
        })
    };
    let srv: Finds = &|client| {
        client
            .steps
            .iter()
            .any(|step| matches!(step, Step::Srv(names) if names.contains(&"_imaps")))
    };
    let mut table = "| the domain has | clients |\n|---|---|\n".to_owned();
    for (what, finds) in [
        ("`autoconfig.` and `autodiscover.`, with certificates", certificates),
        ("`autoconfig.` without a certificate", http),
        ("a site at its own name, with a certificate, that passes on the paths of mailsetup", site),
        ("an MX record to your server", mx),
        ("the SRV records of `mailsetup dns`", srv),
    ] {
        let clients = all()
            .filter(|client| !client.has(Rule::WantsExchange) && client.order != Order::ByHand);
        let names: Vec<_> = clients.filter(|it| finds(it)).map(|client| client.name).collect();
        assert!(names.len() > 3, "{what}: {names:?}");
        table += &format!("| {what} | {} |\n", names.join(", "));
    }
    compare("docs/many-domains.md", "## Which clients ask where", &table);
    // What the text below it says of these.
    let silent: Vec<_> = all()
        .filter(|client| {
            let is_silent = |ask: &Ask| ask.of == Of::MxDomain && !has_address(ask);
            client.asks().any(is_silent)
        })
        .map(|client| client.name.to_owned())
        .collect();
    let text = fs::read_to_string(source("docs/many-domains.md")).expect("a page");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("{} do not send the address", list(&silent))), "{silent:?}");
}

/// Compares the table below a heading, or writes it.
fn compare(path: &str, heading: &str, table: &str) {
    let file = source(path);
    let text = fs::read_to_string(&file).expect(path);
    let section = text.find(&format!("{heading}\n")).unwrap_or_else(|| panic!("{path}: {heading}"));
    let start = section + text[section..].find("\n|").expect("a table") + 1;
    let end = text[start..].find("\n\n").map_or(text.len(), |end| start + end + 1);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, [&text[..start], table, &text[end..]].concat()).expect(path);
    } else {
        let hint = "run UPDATE_GOLDEN=1 cargo test --test main documents, and read it";
        assert!(text[start..end] == *table, "{path}: {heading} is not what the code says; {hint}");
    }
}

fn tested(client: &Client) -> String {
    let word = |tested: &Tested| match tested {
        Tested::Real => "real",
        Tested::Run => "run",
        Tested::Recorded => "recorded",
        Tested::Document => "document",
    };
    client.tested.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// `A, B and C`
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [words @ .., last] => format!("{} and {last}", words.join(", ")),
    }
}

/// The steps of a client, in words.
fn asks(client: &Client) -> String {
    if let Some(other) = client.same_as {
        return format!("the same as {other}");
    }
    let order = match client.order {
        Order::AtOnce => "in parallel: ",
        Order::All => "all of these: ",
        Order::ByHand => "none by itself; the user opens ",
        Order::Unknown if client.steps.len() > 1 => "order unknown: ",
        Order::InTurn | Order::Unknown => "",
    };
    let in_turn = client.order != Order::AtOnce;
    let mut text = format!("{order}{}", steps(client.steps, in_turn));
    if !client.variants.is_empty() {
        text +=
            &format!("; depending on version or settings, also {}", steps(client.variants, false));
    }
    text
}

/// Steps in words. Those of one kind are joined; if the order counts, only neighbours.
fn steps(steps: &[Step], in_turn: bool) -> String {
    /// Requests of one kind: the kind, the places, and the text after them.
    type Clause = (&'static str, Vec<(String, Vec<Scheme>)>, String);
    let mut clauses: Vec<Clause> = Vec::new();
    let mut add = |kind, place: &str, scheme: Option<Scheme>, behind: String| {
        let first = if in_turn { clauses.len().saturating_sub(1) } else { 0 };
        let is_same = |(known, _, end): &Clause| *known == kind && *end == behind;
        let at = clauses[first..].iter().position(is_same).map(|at| first + at);
        let at = at.unwrap_or_else(|| {
            clauses.push((kind, Vec::new(), behind));
            clauses.len() - 1
        });
        let places = &mut clauses[at].1;
        match places.iter_mut().find(|(known, _)| known == place) {
            Some((_, schemes)) => schemes.extend(scheme),
            None => places.push((place.to_owned(), scheme.into_iter().collect())),
        }
    };
    for step in steps {
        let ask = match step {
            Step::Ask(ask) => ask,
            Step::Srv(["_autodiscover"]) => {
                add("", "the SRV record of Autodiscover", None, String::new());
                continue;
            }
            Step::Srv(_) => {
                add("", "SRV records", None, String::new());
                continue;
            }
            Step::Elsewhere(place) => {
                add("", place, None, String::new());
                continue;
            }
        };
        let scheme = Some(ask.scheme);
        let of = match ask.of {
            Of::Address => "",
            Of::Mx => " for the MX host",
            Of::MxDomain => " for the domain of the MX host",
            Of::Srv => " at the target of the SRV record",
            Of::Setting => " at a host that is set in the client",
        };
        let host = match (ask.of, ask.host) {
            (Of::Srv, _) => "the target of the SRV record",
            (_, Host::Domain) => "the domain",
            (_, Host::Autoconfig) => "`autoconfig.`",
            (_, Host::Autodiscover) => "`autodiscover.`",
            (_, Host::Pacc) => "`ua-auto-config.`",
        };
        match ask.what {
            What::Autoconfig(sent) => add("", "A", scheme, with(sent) + of),
            What::WellKnown(sent) => add("", "W", scheme, with(sent) + of),
            What::Version(sent) => add("", "A below `/v1.1`", scheme, with(sent) + of),
            What::Database => add("", "`/v1.1/<domain>`", scheme, of.to_owned()),
            What::Pox(Schema::Outlook) => add("P by POST on ", host, scheme, String::new()),
            What::Pox(Schema::MobileSync) => {
                add("P by POST for ActiveSync on ", host, scheme, String::new());
            }
            What::PoxGet => add("P by GET on ", host, scheme, String::new()),
            What::Json(_, protocol) => add("J for ", protocol, scheme, of.to_owned()),
            What::Profile(sent) => add("", "M", scheme, with(sent)),
            What::ProfileAlias(sent) => add("", "`/email.mobileconfig`", scheme, with(sent)),
            What::Pacc => add("", "PACC", scheme, String::new()),
            What::Page => add("", "the page", scheme, String::new()),
        }
    }
    let clauses = clauses.into_iter().map(|(kind, places, behind)| {
        let over = |schemes: &[Scheme]| match schemes {
            [Scheme::Http] => " over http only",
            [Scheme::Https, Scheme::Http] => " over https and http",
            _ => "",
        };
        let same = places.iter().all(|(_, schemes)| *schemes == places[0].1);
        let words: Vec<_> = places
            .iter()
            .map(|(place, schemes)| match over(schemes).trim_start() {
                "" => place.clone(),
                _ if same => place.clone(),
                over => format!("{place} ({over})"),
            })
            .collect();
        let all = if same { over(&places[0].1) } else { "" };
        format!("{kind}{}{all}{behind}", list(&words))
    });
    clauses.collect::<Vec<_>>().join("; ")
}

fn with(sent: Sent) -> String {
    match sent {
        Sent::No => " without the address".to_owned(),
        Sent::Encoded => " with the address".to_owned(),
        Sent::Raw => " with the unencoded address".to_owned(),
        Sent::Digested => " with the address and its MD5 digest".to_owned(),
        Sent::Dummy(word) => format!(" with `{word}` as the local part"),
    }
}

/// The responses that a client gets.
fn answers(client: &Client) -> Vec<String> {
    if let Some(other) = client.same_as {
        return vec![format!("the same as {other}")];
    }
    let mut answers: Vec<String> = Vec::new();
    let mut add = |answer: &str| {
        if !answers.iter().any(|known| known == answer) {
            answers.push(answer.to_owned());
        }
    };
    for step in client.steps {
        match step {
            Step::Srv(["_autodiscover"]) => add("the record of `mailsetup dns --autodiscover-srv`"),
            Step::Srv(_) => add("the records of `mailsetup dns`"),
            Step::Elsewhere(_) => {}
            Step::Ask(ask) => add(match ask.what {
                What::Autoconfig(_) | What::WellKnown(_) | What::Version(_) | What::Database => {
                    "autoconfig"
                }
                What::Pox(Schema::Outlook) => "settings",
                What::Pox(Schema::MobileSync) => "601",
                What::PoxGet => "settings without a login",
                What::Json(_, protocol) => match protocol.eq_ignore_ascii_case("autodiscoverv1") {
                    true => "the URL of P",
                    false => "`InvalidProtocol`",
                },
                What::Profile(_) | What::ProfileAlias(_) => "a profile, signed if configured",
                What::Pacc => "a PACC document, if it is enabled",
                What::Page => "the page",
            }),
        }
    }
    for rule in client.rules {
        match rule {
            Rule::ReadsErrors => add("404 in plain text: the client parses the body of an error"),
            Rule::NeedsItsDomain => add("the requested domain in `<domain>`"),
            Rule::WantsExchange => add("no Exchange server, which the client looks for"),
            _ => {}
        }
    }
    answers
}

/// The rules in the order of the documentation.
const RULES: [Rule; 65] = [
    Rule::FirstServer,
    Rule::LastServer,
    Rule::LastOutgoing,
    Rule::EveryServer,
    Rule::LastProtocol,
    Rule::NeedsImap,
    Rule::ImapFirst,
    Rule::RefusesOtherTypes,
    Rule::RefusesPlain,
    Rule::IgnoresPlain,
    Rule::RefusesOtherMethods,
    Rule::UnknownIsStartTls,
    Rule::UnknownIsTls,
    Rule::UnknownIsPlain,
    Rule::NeedsLogin,
    Rule::FirstMethod,
    Rule::LastMethod,
    Rule::FirstOtherMethod,
    Rule::IgnoresMethods,
    Rule::OAuth2ByHost,
    Rule::OAuth2ByDocument,
    Rule::NoOAuth2,
    Rule::PortDecides,
    Rule::SslDecides,
    Rule::IgnoresLoginName,
    Rule::TypedText,
    Rule::Login(Login::Filled),
    Rule::Login(Login::Alone),
    Rule::Login(Login::AddressAlone),
    Rule::Login(Login::LocalPartOrAddress),
    Rule::Login(Login::Address),
    Rule::LastUsername,
    Rule::FirstResponse,
    Rule::NeedsItsDomain,
    Rule::NeedsXmlType,
    Rule::ExactWords,
    Rule::ExactPorts,
    Rule::KeepsBlanks,
    Rule::RefusesMark,
    Rule::RefusesLateStart,
    Rule::NeedsUtf8,
    Rule::RefusesCoding,
    Rule::DropsCData,
    Rule::LosesReferences,
    Rule::RefusesPrefixes,
    Rule::RefusesAttributes,
    Rule::NeedsProviderId,
    Rule::NeedsVersion,
    Rule::NeedsDomain,
    Rule::DropsDomainPlaceholder,
    Rule::KeepsPlaceholdersInHosts,
    Rule::KeepsScheme,
    Rule::NeedsCapitals,
    Rule::PlainIfOff,
    Rule::ReadsErrors,
    Rule::RefusesRedirects,
    Rule::DistrustsHttp,
    Rule::KeepsAnswers,
    Rule::FollowsRedirectAddress,
    Rule::IgnoresRedirectAddress,
    Rule::IgnoresRedirectUrl,
    Rule::TwoRedirects,
    Rule::ErrorEndsSearch,
    Rule::SendsPassword,
    Rule::WantsExchange,
];

/// A rule in words.
fn about(rule: Rule) -> &'static str {
    match rule {
        Rule::FirstServer => "uses the first server of a type",
        Rule::LastServer => "uses the last server of a type",
        Rule::LastOutgoing => "uses the last outgoing server",
        Rule::EveryServer => "uses all servers, in their order",
        Rule::LastProtocol => "uses the last server of a type from Autodiscover",
        Rule::NeedsImap => "finds no incoming server if the document has no IMAP server",
        Rule::ImapFirst => "finds no incoming server if another type precedes IMAP",
        Rule::RefusesOtherTypes => "rejects a document with an unknown type of server",
        Rule::RefusesPlain => "rejects a document with an IMAP or SMTP server without TLS",
        Rule::IgnoresPlain => "uses TLS or STARTTLS for a server without TLS",
        Rule::RefusesOtherMethods => {
            "rejects a document with an IMAP or SMTP server without a known authentication method"
        }
        Rule::UnknownIsStartTls => "uses STARTTLS for a server with an unknown `socketType`",
        Rule::UnknownIsTls => "uses TLS for a server with an unknown `socketType`",
        Rule::UnknownIsPlain => "uses no TLS for a server with an unknown `socketType`",
        Rule::NeedsLogin => "treats an outgoing server without a login as incomplete",
        Rule::FirstMethod => "uses the first authentication method that it supports",
        Rule::LastMethod => "uses the last authentication method that it knows",
        Rule::FirstOtherMethod => {
            "uses the first authentication method that is not a plain password"
        }
        Rule::IgnoresMethods => "ignores authentication methods",
        Rule::OAuth2ByHost => "uses OAuth2 only for servers in a built-in list",
        Rule::OAuth2ByDocument => "uses the URLs of `oAuth2` in the document",
        Rule::NoOAuth2 => "never uses OAuth2 from a document",
        Rule::PortDecides => {
            "Autodiscover: derives TLS or STARTTLS from the port, not from the document"
        }
        Rule::SslDecides => {
            "Autodiscover: uses TLS from the first byte if `SSL` is `on`, and only then"
        }
        Rule::IgnoresLoginName => "Autodiscover: uses the address in place of the login",
        Rule::TypedText => "reads `0123` as a number and `true` as a boolean",
        Rule::Login(Login::Filled) => "login: replaces placeholders at any position",
        Rule::Login(Login::Alone) => {
            "login: replaces a placeholder that is the whole value, uses any other value literally"
        }
        Rule::Login(Login::AddressAlone) => {
            "login: replaces `%EMAILADDRESS%` if it is the whole value, uses any other value literally"
        }
        Rule::Login(Login::LocalPartOrAddress) => {
            "login: replaces `%EMAILLOCALPART%`, uses the address in place of any other value"
        }
        Rule::Login(Login::Address) => "login: always uses the address",
        Rule::LastUsername => {
            "uses the last login of the document, also that of a service, for the mail server"
        }
        Rule::FirstResponse => {
            "uses the first successful response in the order of its requests, even if it is not a document"
        }
        Rule::NeedsItsDomain => "requires the requested domain in `<domain>`",
        Rule::NeedsXmlType => {
            "accepts only the media types `text/xml` and `application/xml`, in lower case"
        }
        Rule::ExactWords => {
            "accepts the words of a document only in their exact letter case, without white space"
        }
        Rule::ExactPorts => "rejects a document with white space around a port",
        Rule::KeepsBlanks => "keeps white space around a value",
        Rule::RefusesMark => "rejects a document with a byte order mark",
        Rule::RefusesLateStart => "rejects a document with white space before its XML declaration",
        Rule::NeedsUtf8 => "rejects a document that is not in UTF-8",
        Rule::RefusesCoding => {
            "does not decode a response that is compressed without a request for it"
        }
        Rule::DropsCData => "loses text in CDATA sections",
        Rule::LosesReferences => "loses the text before a character reference",
        Rule::RefusesPrefixes => "rejects a document with prefixed elements",
        Rule::RefusesAttributes => "rejects a document with further attributes at a server",
        Rule::NeedsProviderId => "requires `id` at `emailProvider`",
        Rule::NeedsVersion => "requires `version` at `clientConfig`",
        Rule::NeedsDomain => "requires at least one `<domain>`",
        Rule::DropsDomainPlaceholder => "replaces `%EMAILDOMAIN%` by nothing",
        Rule::KeepsPlaceholdersInHosts => "does not replace placeholders in host names",
        Rule::KeepsScheme => "follows redirects only within http or within https",
        Rule::NeedsCapitals => "Autodiscover: knows `Type` in capitals only",
        Rule::PlainIfOff => "Autodiscover: uses no TLS if `SSL` is `off`, whatever `Encryption` is",
        Rule::ReadsErrors => "parses the body of an error as a document",
        Rule::RefusesRedirects => "does not follow HTTP redirects",
        Rule::DistrustsHttp => "asks the user to confirm a response over http",
        Rule::KeepsAnswers => "caches a response for weeks and ignores its caching header fields",
        Rule::FollowsRedirectAddress => "follows redirects of Autodiscover to an address",
        Rule::IgnoresRedirectAddress => "does not follow a redirect of Autodiscover to an address",
        Rule::IgnoresRedirectUrl => "does not follow a redirect of Autodiscover to a URL",
        Rule::TwoRedirects => "follows two redirects of Autodiscover to an address, not more",
        Rule::ErrorEndsSearch => "ends its search at an Autodiscover error with status 200",
        Rule::SendsPassword => "sends the password to Autodiscover without a challenge",
        Rule::WantsExchange => "looks for Exchange or ActiveSync",
    }
}
