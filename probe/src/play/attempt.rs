//! The attempts of a client: each request and look-up of its table, with the rules by which it accepts
//! a response.

use crate::codes::weight;
use crate::facts::Facts;
use crate::faults::{apple, pacc, web};
use crate::finding::{Fault, Weight};
use crate::net::dns::{Answer, Kind, Outcome as Dns};
use crate::net::http::{Exchange, Hop, Response, Sent};
use crate::plan;
use crate::read::{Body, Found, Oddity, Reader, Setting, autoconfig, autodiscover, srv};
use crate::report::FoundBy;
use mailsetup::account::Protocol;
use mailsetup::address::EmailAddress;
use mailsetup::clients::{Ask, Client, DATABASE, Of, Rule, Schema, Sent as How, Step, What};

/// Redirects of Autodiscover that are followed.
const MAX_REDIRECTS: usize = 3;

/// One attempt to find settings.
#[derive(Debug)]
pub struct Attempt {
    /// The way.
    pub way: FoundBy,
    /// The URL or name that was asked, without a query.
    pub subject: String,
    /// What it gave.
    pub result: Result<Got, Fault>,
    /// True if there was a successful response, whatever was in it.
    pub is_answered: bool,
    /// True if a part of the way was without TLS.
    pub is_over_http: bool,
    /// True if the client ends its search here.
    pub is_end: bool,
    /// True for the request at the target of an SRV record in another domain.
    pub is_foreign: bool,
}

/// What an attempt gave.
#[derive(Debug)]
pub enum Got {
    /// Servers: those that the client would fill in, and all that it found.
    Servers {
        /// One for reading, one for sending.
        choice: Vec<Setting>,
        /// All.
        all: Vec<Setting>,
        /// What is wrong with them.
        odd: Vec<Fault>,
    },
    /// An Exchange or ActiveSync server.
    Exchange(String),
}

/// The attempts of a client, in order.
pub fn attempts(client: &'static Client, facts: &Facts) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for step in client.steps {
        match step {
            Step::Ask(ask) => {
                for sent in plan::requests(ask, client, facts) {
                    attempts.extend(
                        facts
                            .exchange(&sent)
                            .map(|exchange| of_exchange(client, ask, exchange, facts)),
                    );
                }
            }
            Step::Srv(["_autodiscover"]) => {}
            Step::Srv(labels) => attempts.push(of_srv(labels, client, facts)),
            step if *step == DATABASE => {
                let sent = plan::database(client, facts.domain());
                attempts.extend(
                    facts.exchange(&sent).map(|exchange| of_database(client, exchange, facts)),
                );
            }
            Step::Elsewhere(_) => {}
        }
    }
    attempts
}

fn of_exchange(client: &Client, ask: &Ask, exchange: &Exchange, facts: &Facts) -> Attempt {
    let first = exchange.sent.url.as_str();
    let host = web::host(first);
    let mut is_end = false;
    let result = refused(client, ask, exchange, facts)
        .map_or_else(|| document(client, ask, exchange, facts, &mut is_end, 0), Err);
    // Delta Chat takes any well-formed document as the answer, and guesses what is not in it.
    let is_taken = client.has(Rule::EveryServer) && client.has(Rule::ErrorEndsSearch);
    if let Err(fault) = &result {
        let is_read = fault.code.starts_with("doc-")
            && !["doc-broken", "doc-web-page", "doc-too-long"].contains(&fault.code);
        is_end |= is_taken && is_read;
    }
    Attempt {
        way: way(ask.what),
        subject: web::url(first),
        result,
        is_answered: exchange.response().is_some_and(|response| response.is_success()),
        is_over_http: exchange.hops.iter().any(|hop| hop.url.starts_with("http:")),
        is_end,
        is_foreign: ask.of == Of::Srv && plan::registered(host) != plan::registered(facts.domain()),
    }
}

/// Why a client does not come to a document.
fn refused(client: &Client, ask: &Ask, exchange: &Exchange, facts: &Facts) -> Option<Fault> {
    let first = exchange.hops.first()?;
    let is_redirected = exchange.hops.len() > 1;
    let loops = web::transport(exchange, facts).filter(|fault| fault.code == "redirect-loop");
    if loops.is_some() {
        return loops;
    }
    if is_redirected && drops_path(exchange) {
        return Some(
            Fault::new("redirect-path", web::url(&first.url), "the redirect drops the path")
                .seen(web::hops(exchange))
                .mend("Keep the path; in nginx:\nreturn 301 https://$host$request_uri;"),
        );
    }
    if is_redirected && client.has(Rule::RefusesRedirects) {
        return Some(
            Fault::new("redirect", web::url(&first.url), "the response is a redirect")
                .seen(web::hops(exchange))
                .mend("Answer this path with the document, without a redirect."),
        );
    }
    if is_redirected && client.has(Rule::KeepsScheme) {
        let scheme = |url: &str| url.split(':').next().map(str::to_owned);
        let mut schemes = exchange.hops.iter().map(|hop| scheme(&hop.url));
        if schemes.any(|other| other != scheme(&first.url)) {
            return Some(
                Fault::new(
                    "redirect-scheme",
                    web::url(&first.url),
                    "a redirect leads from http to https",
                )
                .seen(web::hops(exchange))
                .mend("Answer this path over http, too, without a redirect."),
            );
        }
    }
    if let Some(fault) = web::transport(exchange, facts) {
        let is_absence = matches!(weight(fault.code), Weight::Absence | Weight::Choice);
        let code = if is_absence { absent_host(ask.what, fault.code) } else { fault.code };
        return Some(Fault { code, ..fault });
    }
    let took: std::time::Duration = exchange.hops.iter().map(|hop| hop.took).sum();
    if client.patience > 0 && took.as_secs_f32() > f32::from(client.patience) {
        let message = format!("the response takes {:.1} seconds", took.as_secs_f32());
        return Some(Fault::new("slow", web::url(&first.url), message).seen(web::hops(exchange)));
    }
    if let Some(fault) = agent_refused(client, exchange, facts) {
        return Some(fault);
    }
    let fault = web::status(exchange, absent(ask.what))?;
    if client.has(Rule::ReadsErrors) {
        let reader = Reader { client, address: &facts.target.address };
        let body = Body::of(exchange.response()?);
        if autoconfig::read(&body, &reader).is_ok() {
            return None;
        }
    }
    if exchange.hops.len() > 1 && exchange.sent.method == "POST" && exchange.last()?.method == "GET"
    {
        let subject = web::url(&first.url);
        let fault = Fault { code: "redirect-post", subject, ..fault };
        return Some(
            fault.mend("Answer a POST of this path with the document, without a redirect."),
        );
    }
    if matches!(ask.what, What::Pox(Schema::MobileSync)) && outlook_works(client, ask, facts) {
        let message = format!("a request for ActiveSync gets {}", exchange.response()?.status);
        return Some(
            Fault::new("mobilesync-refused", web::url(&first.url), message)
                .seen(web::hops(exchange))
                .mend("Answer with status 200 and the error 601."),
        );
    }
    if matches!(ask.what, What::Json(..)) && exchange.response().is_some_and(is_json_error) {
        let message = "Autodiscover in JSON does not have this protocol";
        return Some(Fault { code: "activesync-absent", message: message.to_owned(), ..fault });
    }
    if exchange.sent.method == "POST"
        && exchange.response()?.status == 405
        && is_got(&exchange.sent.url, facts)
    {
        return Some(
            Fault::new("post-refused", web::url(&first.url), "a GET is answered, a POST is not")
                .seen(web::hops(exchange))
                .mend("Allow POST for this path."),
        );
    }
    if needs_address(ask, exchange, facts) {
        let message =
            format!("without `emailaddress`, the response is {}", exchange.response()?.status);
        return Some(
            Fault::new("address-required", web::url(&first.url), message)
                .seen(web::hops(exchange))
                .mend("Take the domain from the Host where the query has no address."),
        );
    }
    Some(fault)
}

/// An error as Autodiscover v2 has it: this protocol is not offered.
fn is_json_error(response: &Response) -> bool {
    let body: Result<serde_json::Value, _> = serde_json::from_slice(&response.body);
    body.is_ok_and(|body| body["ErrorCode"].is_string())
}

/// True if a redirect leads from a path to the home page.
fn drops_path(exchange: &Exchange) -> bool {
    let path = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        path.split('?').next().unwrap_or(path).to_owned()
    };
    let of = |hop: Option<&Hop>| hop.map(|hop| path(&hop.url)).unwrap_or_default();
    exchange.response().is_some()
        && !of(exchange.hops.first()).is_empty()
        && of(exchange.last()).is_empty()
}

/// True if a GET of this URL is answered.
fn is_got(url: &str, facts: &Facts) -> bool {
    facts.exchanges.values().any(|other| {
        other.sent.method == "GET"
            && other.sent.url == url
            && other.response().is_some_and(|response| response.is_success())
    })
}

/// True if the same URL with an address is answered.
fn needs_address(ask: &Ask, exchange: &Exchange, facts: &Facts) -> bool {
    let is_without = matches!(
        ask.what,
        What::Autoconfig(How::No) | What::WellKnown(How::No) | What::Version(How::No)
    );
    let begin = format!("{}?", exchange.sent.url);
    is_without
        && facts.exchanges.values().any(|other| {
            other.sent.url.starts_with(&begin)
                && other.response().is_some_and(|response| response.is_success())
        })
}

/// True if the request of Outlook is answered at the same host.
fn outlook_works(client: &Client, ask: &Ask, facts: &Facts) -> bool {
    let ask = Ask { what: What::Pox(Schema::Outlook), ..*ask };
    plan::requests(&ask, client, facts).iter().any(|sent| {
        let response = facts.exchange(sent).and_then(Exchange::response);
        response.is_some_and(|response| response.is_success())
    })
}

/// A server that answers others and not this client.
fn agent_refused(client: &Client, exchange: &Exchange, facts: &Facts) -> Option<Fault> {
    let agent = client.agent.unwrap_or(plan::OWN_AGENT);
    let is_good =
        |exchange: &Exchange| exchange.response().is_some_and(|response| response.is_success());
    let own = facts.agents.iter().find(|tried| tried.sent.agent == agent)?;
    // What one host of a web server refuses, its others refuse.
    let host = web::host(&own.sent.url);
    // The exchange may have been made with the User-Agent of another client.
    let is_as_there = exchange.sent.agent != agent
        || exchange.response().map(|response| response.status)
            == own.response().map(|response| response.status);
    if own.response().is_none() || is_good(own) || !facts.agents.iter().any(is_good) || !is_as_there
    {
        return None;
    }
    let what =
        if agent.is_empty() { "without User-Agent".to_owned() } else { format!("of {agent}") };
    Some(
        Fault::new("agent-refused", host, format!("requests {what} are refused"))
            .seen(web::hops(own))
            .mend("Do not choose by the User-Agent for these paths."),
    )
}

/// What a document gives.
fn document(
    client: &Client,
    ask: &Ask,
    exchange: &Exchange,
    facts: &Facts,
    is_end: &mut bool,
    redirects: usize,
) -> Result<Got, Fault> {
    let url = web::url(&exchange.sent.url);
    let Some(response) = exchange.response() else {
        return Err(Fault::new("not-asked", url, "it was not asked"));
    };
    let body = Body::of(response);
    let reader = Reader { client, address: &facts.target.address };
    let fault = |oddity: Oddity| of_oddity(&url, exchange, oddity);
    match ask.what {
        What::Autoconfig(_) | What::WellKnown(_) | What::Version(_) | What::Database => {
            let found = autoconfig::read(&body, &reader).map_err(fault)?;
            Ok(servers(found, client, &url, exchange, false))
        }
        What::Pox(schema) => match autodiscover::read(&body, &reader).map_err(fault)? {
            autodiscover::Read::Found(found) => Ok(servers(found, client, &url, exchange, true)),
            autodiscover::Read::Exchange(server) => Ok(Got::Exchange(server)),
            autodiscover::Read::Error(text) => {
                let code = match schema {
                    Schema::Outlook => "autodiscover-absent",
                    Schema::MobileSync => "activesync-absent",
                };
                let message = format!("Autodiscover answers with an error: {text}");
                Err(Fault::new(code, url, message).seen(web::hops(exchange)))
            }
            other => follow(client, ask, exchange, other, facts, is_end, redirects),
        },
        What::PoxGet => match autodiscover::read(&body, &reader).map_err(fault)? {
            autodiscover::Read::Found(mut found) => {
                // Without an address in the request, there is no login for the response.
                found.oddities.retain(|oddity| oddity.code != "pox-login");
                Ok(servers(found, client, &url, exchange, true))
            }
            autodiscover::Read::Error(text) => {
                *is_end = client.has(Rule::ErrorEndsSearch);
                let message = format!("a GET is answered with an error and status 200: {text}");
                Err(Fault::new("pox-get-error", url, message)
                    .seen(web::hops(exchange))
                    .mend("Answer a GET with the settings of the domain, or with 404."))
            }
            other => follow(client, ask, exchange, other, facts, is_end, redirects),
        },
        What::Json(_, protocol) => {
            let server = autodiscover::url(&body).map_err(|reason| {
                Fault::new("activesync-absent", &*url, format!("no URL for {protocol}: {reason}"))
            })?;
            match protocol.eq_ignore_ascii_case("autodiscoverv1") {
                // The URL of the document that the steps before ask for.
                true => Err(Fault::new("activesync-absent", url, "it names Autodiscover in XML")),
                false => Ok(Got::Exchange(server)),
            }
        }
        What::Profile(_) | What::ProfileAlias(_) => {
            let (settings, odd) = apple::read(&url, response, facts)?;
            Ok(Got::Servers { choice: settings.clone(), all: settings, odd })
        }
        What::Pacc => {
            let settings = pacc::read(&url, exchange, &body, facts)?;
            let found = Found { settings, oddities: Vec::new() };
            Ok(servers(found, client, &url, exchange, false))
        }
        What::Page => Err(Fault::new("not-asked", url, "a page has no settings")),
    }
}

/// Follows a redirect of Autodiscover.
fn follow(
    client: &Client,
    ask: &Ask,
    exchange: &Exchange,
    redirect: autodiscover::Read,
    facts: &Facts,
    is_end: &mut bool,
    redirects: usize,
) -> Result<Got, Fault> {
    let url = web::url(&exchange.sent.url);
    let (rule, target) = match &redirect {
        autodiscover::Read::RedirectAddress(address) => {
            (Rule::IgnoresRedirectAddress, format!("the address {address}"))
        }
        autodiscover::Read::RedirectUrl(to) => (Rule::IgnoresRedirectUrl, to.clone()),
        autodiscover::Read::Exchange(server) => return Ok(Got::Exchange(server.clone())),
        _ => return Err(Fault::new("doc-other", url, "the response has no settings")),
    };
    let fault =
        |message: String| Fault::new("pox-redirect", &*url, message).seen(web::hops(exchange));
    if client.has(rule) {
        return Err(fault(format!("Autodiscover redirects to {target}, which is not followed"))
            .mend("Answer with the settings themselves."));
    }
    if redirects == MAX_REDIRECTS {
        return Err(fault(format!(
            "the redirects of Autodiscover do not end; the last is to {target}"
        )));
    }
    let sent = redirected(&redirect, ask, client, &exchange.sent)
        .ok_or_else(|| fault(format!("Autodiscover redirects to {target}")))?;
    match facts.exchange(&sent) {
        Some(next) => match refused(client, ask, next, facts) {
            Some(fault) => Err(fault),
            None => document(client, ask, next, facts, is_end, redirects + 1),
        },
        None => Err(fault(format!("Autodiscover redirects to {target}, which was not asked"))),
    }
}

/// The request after a redirect of Autodiscover.
pub fn redirected(
    redirect: &autodiscover::Read,
    ask: &Ask,
    client: &Client,
    sent: &Sent,
) -> Option<Sent> {
    match redirect {
        autodiscover::Read::RedirectAddress(text) => {
            let address = EmailAddress::parse(text.as_bytes()).ok()?;
            let host = ask.host(address.domain().as_str());
            Some(plan::request(ask, client, &host, &address))
        }
        autodiscover::Read::RedirectUrl(url) if url.starts_with("https://") => {
            Some(Sent { url: url.clone(), ..sent.clone() })
        }
        _ => None,
    }
}

fn servers(found: Found, client: &Client, url: &str, exchange: &Exchange, is_pox: bool) -> Got {
    let choice = found.choice(client, is_pox);
    let odd = found.oddities.into_iter().map(|oddity| of_oddity(url, exchange, oddity)).collect();
    Got::Servers { choice, all: found.settings, odd }
}

fn of_oddity(url: &str, exchange: &Exchange, oddity: Oddity) -> Fault {
    let mut evidence = web::hops(exchange);
    if !oddity.piece.is_empty() {
        evidence += &format!("\n{}", oddity.piece);
    }
    Fault::new(oddity.code, url, oddity.message).seen(evidence).mend(oddity.remedy)
}

/// SRV records of mail services.
fn of_srv(labels: &[&str], client: &Client, facts: &Facts) -> Attempt {
    let domain = facts.domain();
    let name = |label: &str| format!("{label}._tcp.{domain}");
    let answers: Vec<(&str, &Answer)> = labels
        .iter()
        .filter_map(|label| Some((*label, facts.answer(&name(label), Kind::Srv)?)))
        .collect();
    let settings: Vec<_> =
        answers.iter().flat_map(|(label, answer)| srv::settings(label, answer)).collect();
    let settings: Vec<_> = settings
        .into_iter()
        .map(|setting| Setting { login: facts.target.address.to_string(), ..setting })
        .collect();
    let has = |is: fn(Protocol) -> bool| settings.iter().any(|setting| is(setting.protocol));
    let label = |is: fn(Protocol) -> bool| {
        let of = |label: &&&str| srv::service(label).is_some_and(|(protocol, _)| is(protocol));
        labels.iter().find(of).copied().unwrap_or("_imaps")
    };
    let evidence = |is: fn(Protocol) -> bool| {
        let of = |label: &str| srv::service(label).is_some_and(|(protocol, _)| is(protocol));
        let lines = answers.iter().filter(|(label, _)| of(label));
        lines.map(|(_, answer)| answer.to_string()).collect::<Vec<_>>().join("\n")
    };
    let absent = |is: fn(Protocol) -> bool, what: &str| {
        let is_failed = |answer: &Answer| {
            matches!(answer.outcome, Dns::Failed(_) | Dns::TimedOut | Dns::Unreadable(_))
        };
        let failed = answers.iter().find(|(_, answer)| is_failed(answer));
        let (code, subject) = match failed {
            Some((label, _)) => ("dns-failed", name(label)),
            None => ("srv-absent", name(label(is))),
        };
        Fault::new(code, subject, format!("no SRV record names a server to {what} mail"))
            .seen(evidence(is))
    };
    let result = if !has(Protocol::is_incoming) {
        Err(absent(Protocol::is_incoming, "read"))
    } else if !has(|protocol| protocol == Protocol::Smtp) {
        Err(absent(|protocol| protocol == Protocol::Smtp, "send"))
    } else {
        let found = Found { settings, oddities: Vec::new() };
        Ok(Got::Servers {
            choice: found.choice(client, false),
            all: found.settings,
            odd: Vec::new(),
        })
    };
    Attempt {
        way: FoundBy::Srv,
        subject: format!("_tcp.{domain}"),
        result,
        is_answered: true,
        is_over_http: false,
        is_end: false,
        is_foreign: false,
    }
}

/// Mozilla's database of providers.
fn of_database(client: &Client, exchange: &Exchange, facts: &Facts) -> Attempt {
    let url = web::url(&exchange.sent.url);
    let absent =
        || Fault::new("database-absent", &*url, "Mozilla's database does not have the domain");
    let response = exchange.response().filter(|response| response.is_success());
    let result = match response {
        None => Err(absent()),
        Some(response) => {
            let reader = Reader { client, address: &facts.target.address };
            let found = autoconfig::read(&Body::of(response), &reader);
            found
                .map(|found| servers(found, client, &url, exchange, false))
                .map_err(|oddity| of_oddity(&url, exchange, oddity))
        }
    };
    Attempt {
        way: FoundBy::Autoconfig,
        subject: url.clone(),
        result,
        is_answered: response.is_some(),
        is_over_http: false,
        is_end: false,
        is_foreign: false,
    }
}

/// The way of a request.
fn way(what: What) -> FoundBy {
    match what {
        What::Autoconfig(_) | What::WellKnown(_) | What::Version(_) | What::Database => {
            FoundBy::Autoconfig
        }
        What::Pox(_) | What::PoxGet | What::Json(..) => FoundBy::Autodiscover,
        What::Profile(_) | What::ProfileAlias(_) => FoundBy::Profile,
        What::Pacc => FoundBy::Pacc,
        What::Page => FoundBy::None,
    }
}

/// The code for a document whose host is not there.
fn absent_host(what: What, code: &'static str) -> &'static str {
    match what {
        What::Profile(_) | What::ProfileAlias(_) => "profile-absent",
        What::Pox(Schema::MobileSync) | What::Json(..) => "activesync-absent",
        _ => code,
    }
}

/// The code for a document that is not there.
fn absent(what: What) -> &'static str {
    match what {
        // No client asks for the page.
        What::Autoconfig(_) | What::Version(_) | What::Database | What::Page => "autoconfig-absent",
        What::WellKnown(_) => "well-known-absent",
        What::Pox(Schema::Outlook) | What::PoxGet => "autodiscover-absent",
        What::Pox(Schema::MobileSync) | What::Json(..) => "activesync-absent",
        What::Profile(_) | What::ProfileAlias(_) => "profile-absent",
        What::Pacc => "pacc-absent",
    }
}
