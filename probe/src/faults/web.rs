//! What is wrong with an exchange, for every client.

use crate::calendar::date;
use crate::facts::Facts;
use crate::finding::Fault;
use crate::net::dns::{Answer, Outcome as Dns};
use crate::net::http::{Exchange, Hop, Outcome, Response};
use crate::net::tls::{Reason, Refused};
use crate::read::shortened;

/// The fault that keeps an exchange from a response; `None` if there is a response.
pub fn transport(exchange: &Exchange, facts: &Facts) -> Option<Fault> {
    let hop = exchange.last()?;
    let host = host(&hop.url);
    let place = place(&hop.url);
    let asked = asked(exchange);
    Some(match &hop.outcome {
        Outcome::Response(_) => return None,
        Outcome::NoAddress(answers) => no_address(host, answers, facts),
        Outcome::Unreachable(what)
            if what.contains("no answer") && !is_incidental(&hop.url, facts) =>
        {
            late(place, asked)
        }
        Outcome::Unreachable(what) if what.contains("no route") => no_route(place, what, asked),
        Outcome::Unreachable(what) if is_incidental(&hop.url, facts) => {
            let message = format!("no web server answers at {place}: {what}");
            Fault::new("web-none", place, message).seen(asked)
        }
        Outcome::Unreachable(what) => {
            let message = format!("no connection: {what}");
            Fault::new("connection-refused", place, message).seen(asked).mend(
                "Start the web server there, open its port, or correct the address in the DNS.",
            )
        }
        Outcome::TimedOut if hop.address.is_none() && is_incidental(&hop.url, facts) => {
            let message = format!("no web server answers at {place} in time");
            Fault::new("web-none", place, message).seen(asked)
        }
        Outcome::TimedOut if hop.address.is_none() => late(place, asked),
        Outcome::TimedOut => {
            Fault::new("http-timeout", url(&hop.url), "no complete response in time").seen(asked)
        }
        Outcome::Tls(refused) => tls(refused, &place, &asked),
        Outcome::Broken(what) => {
            let message = format!("the response is not HTTP, or not complete: {}", shortened(what));
            Fault::new("http-broken", url(&hop.url), message).seen(asked)
        }
        Outcome::NotAsked(what) if what.contains("redirect") => {
            let first = exchange.hops.first().map(|hop| url(&hop.url)).unwrap_or_default();
            Fault::new("redirect-loop", first, "the redirects do not end")
                .seen(hops(exchange))
                .mend("Answer this path with the document, without a redirect.")
        }
        Outcome::NotAsked(what) => Fault::new("not-asked", url(&hop.url), *what).seen(asked),
    })
}

/// The computer on which the program runs has no such network.
pub fn no_route(place: impl Into<String>, what: &str, asked: String) -> Fault {
    let message = format!("this computer cannot reach the address: {}", shortened(what));
    Fault::new("no-route", place, message)
        .seen(asked)
        .mend("Run the program in another network, or with --ipv4 or --ipv6.")
}

fn late(place: String, asked: String) -> Fault {
    Fault::new("connection-timeout", place, "no connection in time")
        .seen(asked)
        .mend("Correct the address in the DNS, or let the firewall refuse in place of dropping.")
}

/// The fault of a status that is no success; `None` for 2xx.
pub fn status(exchange: &Exchange, absent: &'static str) -> Option<Fault> {
    let hop = exchange.last()?;
    let response = hop.response().filter(|response| !response.is_success())?;
    let place = url(&hop.url);
    let message = format!("the response is {}", response.status);
    let fault = |code| Fault::new(code, place.clone(), message.clone()).seen(hops(exchange));
    Some(match response.status {
        404 | 405 | 410 => fault(absent),
        401 => fault("http-401").mend(
            "Answer these paths without a login. They hold nothing secret, and clients have none yet.",
        ),
        403 => fault("http-403")
            .mend("Allow these paths for everybody, whatever the User-Agent or the query is."),
        300..=399 => fault("http-redirect").mend("Send a Location, or the document itself."),
        500..=599 => fault("http-5xx").mend("Look into the error log of the web server."),
        _ => fault("http-status"),
    })
}

/// A web server that answers every path, at a host where documents are found.
pub fn catch_all(facts: &Facts) -> Option<Fault> {
    let exchange = facts.nowhere.as_ref()?;
    let is_good = exchange.response().is_some_and(|response| response.is_success());
    is_good.then(|| {
        let message = "the web server answers 200 to every path";
        Fault::new("catch-all", host(&exchange.sent.url), message)
            .seen(hops(exchange))
            .mend("Answer paths that do not exist with 404.")
    })
}

/// A host without an address.
fn no_address(host: &str, answers: &[Answer], facts: &Facts) -> Fault {
    let evidence: Vec<_> = answers.iter().map(ToString::to_string).collect();
    let evidence = evidence.join("\n");
    let has = |is: fn(&Dns) -> bool| answers.iter().any(|answer| is(&answer.outcome));
    if has(|outcome| matches!(outcome, Dns::Failed(_))) {
        return Fault::new("dns-failed", host, "the DNS server cannot resolve the name")
            .seen(evidence)
            .mend("Correct the zone or its DNSSEC signatures; ask with `dig +trace`.");
    }
    if has(|outcome| matches!(outcome, Dns::TimedOut)) {
        return Fault::new("dns-timeout", host, "no DNS server answers for the name")
            .seen(evidence);
    }
    if has(|outcome| matches!(outcome, Dns::Unreadable(_))) {
        return Fault::new("dns-broken", host, "the DNS answer cannot be used").seen(evidence);
    }
    if let [answer] = answers {
        // With --ipv4 or --ipv6.
        let message =
            format!("the name has no address of the kind that was asked for ({})", answer.kind);
        return Fault::new("name-absent", host, message).seen(evidence);
    }
    if let Some(target) = answers.iter().find_map(|answer| answer.aliases.last()) {
        let message = format!("the name is an alias of {target}, which has no address");
        return Fault::new("dns-dangling", host, message)
            .seen(evidence)
            .mend("Remove the CNAME record, or let it point to your web server.");
    }
    let domain = facts.domain();
    let label = host.strip_suffix(domain).map(|label| label.trim_end_matches('.'));
    match label {
        Some("autoconfig") => Fault::new("autoconfig-absent", host, "the name does not exist")
            .mend(format!("{host}. 3600 IN CNAME <name of your web server>.")),
        Some("autodiscover") => Fault::new("autodiscover-absent", host, "the name does not exist")
            .mend(format!("{host}. 3600 IN CNAME <name of your web server>.")),
        Some("ua-auto-config") => Fault::new("pacc-absent", host, "the name does not exist"),
        Some("") => Fault::new("web-none", host, "the domain itself has no address"),
        _ => Fault::new("name-absent", host, "the name does not exist"),
    }
    .seen(evidence)
}

/// A TLS connection that clients refuse.
pub fn tls(refused: &Refused, place: &str, asked: &str) -> Fault {
    let seen = match &refused.seen {
        Some(session) => {
            let certificate = &session.certificate;
            let names = certificate.names.join(", ");
            format!(
                "{}; certificate for {}, issued by {}, valid until {}",
                session.protocol,
                shortened(&names),
                shortened(&certificate.issuer),
                date(certificate.not_after)
            )
        }
        None => shortened(&refused.detail),
    };
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    let (code, remedy) = match refused.reason {
        Reason::Name => (
            "tls-name",
            format!("Get a certificate that names {host}, and configure it for this name (SNI)."),
        ),
        Reason::Expired => (
            "tls-expired",
            "Renew the certificate, and reload the server: until then it sends the old one."
                .to_owned(),
        ),
        Reason::NotYet => {
            ("tls-not-yet", "Correct the clock of the server, or use the right file.".to_owned())
        }
        Reason::SelfSigned => {
            ("tls-self-signed", "Use a certificate of a public authority.".to_owned())
        }
        Reason::Incomplete => (
            "tls-incomplete",
            "Configure the file with the whole chain (fullchain.pem), not the certificate alone."
                .to_owned(),
        ),
        Reason::Unknown => ("tls-unknown", "Use a certificate of a public authority.".to_owned()),
        Reason::Unfit => ("tls-unfit", "Get a new certificate for a server.".to_owned()),
        Reason::OldProtocol => ("tls-old", "Enable TLS 1.2 and TLS 1.3.".to_owned()),
        Reason::NotTls => ("tls-none", "Enable TLS on this port.".to_owned()),
        Reason::Refused => (
            "tls-refused",
            format!("Configure a certificate for {host}; the server refuses this name."),
        ),
    };
    let message = refused.reason.to_string();
    Fault::new(code, place, message).seen(format!("{asked}\n{seen}")).mend(remedy)
}

/// True for the web server of the domain itself, which many domains do without.
fn is_incidental(url: &str, facts: &Facts) -> bool {
    let host = host(url);
    let label = host.strip_suffix(facts.domain()).map(|label| label.trim_end_matches('.'));
    let is_meant = matches!(label, Some("autoconfig" | "autodiscover" | "ua-auto-config"));
    url.starts_with("http://") || !is_meant
}

/// `GET URL: 301, GET URL: 200 text/html`
pub fn hops(exchange: &Exchange) -> String {
    let hops: Vec<_> = exchange.hops.iter().map(hop).collect();
    hops.join("\n")
}

fn hop(hop: &Hop) -> String {
    let came = match &hop.outcome {
        Outcome::Response(response) => came(response),
        Outcome::NotAsked(what) => (*what).to_owned(),
        Outcome::Tls(refused) => refused.reason.to_string(),
        Outcome::TimedOut => "no response in time".to_owned(),
        Outcome::Unreachable(what) | Outcome::Broken(what) => shortened(what),
        Outcome::NoAddress(_) => "no address".to_owned(),
    };
    format!("{} {}: {came}", hop.method, shortened(&hop.url))
}

fn came(response: &Response) -> String {
    let field = |name| response.field(name).map(|value| format!(" {}", shortened(value)));
    let kind = match (300..400).contains(&response.status) {
        true => field("location"),
        false => field("content-type"),
    };
    format!("{}{}", response.status, kind.unwrap_or_default())
}

/// `GET URL`
pub fn asked(exchange: &Exchange) -> String {
    match exchange.last() {
        Some(hop) if exchange.hops.len() == 1 => format!("{} {}", hop.method, shortened(&hop.url)),
        _ => hops(exchange),
    }
}

/// A URL without its query.
pub fn url(url: &str) -> String {
    shortened(url.split('?').next().unwrap_or(url))
}

/// The host of a URL, without its port.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

/// `host:port` of a URL.
pub fn place(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    match authority.contains(':') {
        true => authority.to_owned(),
        false if url.starts_with("http:") => format!("{authority}:80"),
        false => format!("{authority}:443"),
    }
}
