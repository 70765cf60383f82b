//! Which servers may be sent the password of `--login`.
//!
//! A certificate shows that a server has the name that was asked for, not that the name is the right one.
//! An attacker on the network can change DNS records and documents over http, and can have a valid
//! certificate for a server of his own. So the password is sent to servers with a name in the mail domain,
//! and to servers named in a document that came from the domain over https. All others are refused.

use crate::facts::{Facts, Key, key};
use crate::faults::{documents, web};
use crate::net::http::Exchange;
use crate::net::mail::Endpoint;
use crate::plan;
use crate::play::verdict::endpoint;
use crate::read::{Body, Reader, autodiscover};
use mailsetup::address::EmailAddress;
use mailsetup::clients::{Client, UNKNOWN};
use std::collections::BTreeSet;

/// Redirects of Autodiscover that are followed.
const ROUNDS: usize = 3;

/// The servers that may be sent the password.
#[derive(Debug)]
pub struct Trusted {
    domain: String,
    named: Vec<Endpoint>,
}

impl Trusted {
    /// Reads what was published.
    pub fn of(facts: &Facts) -> Trusted {
        let exchanges = over_https(facts);
        let known = |exchange: &Exchange| exchanges.contains(&key(&exchange.sent));
        let (inside, outside): (Vec<_>, Vec<_>) = facts
            .exchanges
            .values()
            .filter(|one| one.response().is_some_and(|response| response.is_success()))
            .partition(|one| known(one));
        let is_at = |subject: &str, list: &[&Exchange]| {
            list.iter().any(|exchange| web::url(&exchange.sent.url) == subject)
        };
        let sources = documents::sources(facts)
            .into_iter()
            .filter(|source| is_at(&source.subject, &inside) && !is_at(&source.subject, &outside));
        let mut named: Vec<_> =
            sources.flat_map(|source| source.settings).map(|one| endpoint(&one)).collect();
        // Redirects of Autodiscover lead to any path.
        for exchange in inside {
            if let Some(autodiscover::Read::Found(found)) = autodiscover(exchange, facts) {
                named.extend(found.settings.iter().map(endpoint));
            }
        }
        Trusted { domain: facts.domain().to_owned(), named }
    }

    /// True if this server may be sent the password.
    pub fn has(&self, server: &Endpoint) -> bool {
        is_in(&server.host, &self.domain) || self.named.contains(server)
    }
}

/// The exchanges with hosts of the domain, and with those that they redirect to, that were all the way
/// over https.
fn over_https(facts: &Facts) -> BTreeSet<Key> {
    let database = plan::database(&UNKNOWN, facts.domain()).url;
    let all = || {
        let is_secure =
            |one: &&Exchange| one.hops.iter().all(|hop| hop.url.starts_with("https://"));
        facts.exchanges.values().filter(is_secure)
    };
    let first = all()
        .filter(|one| is_in(web::host(&one.sent.url), facts.domain()) || one.sent.url == database);
    let mut known: BTreeSet<Key> = first.map(|one| key(&one.sent)).collect();
    for _ in 0..ROUNDS {
        let redirects: Vec<_> = all()
            .filter(|one| known.contains(&key(&one.sent)))
            .filter_map(|one| autodiscover(one, facts))
            .collect();
        let is_target = |one: &&Exchange| {
            redirects.iter().any(|redirect| match redirect {
                autodiscover::Read::RedirectUrl(url) => one.sent.url == *url,
                autodiscover::Read::RedirectAddress(address) => {
                    let address = EmailAddress::parse(address.as_bytes());
                    let host = web::host(&one.sent.url);
                    address.is_ok_and(|address| is_in(host, address.domain().as_str()))
                }
                _ => false,
            })
        };
        known.extend(all().filter(is_target).map(|one| key(&one.sent)));
    }
    known
}

/// A document of Autodiscover, as it is meant.
fn autodiscover(exchange: &Exchange, facts: &Facts) -> Option<autodiscover::Read> {
    static NEUTRAL: Client = Client { name: "neutral", ..UNKNOWN };
    let reader = Reader { client: &NEUTRAL, address: &facts.target.address };
    let response = exchange.response().filter(|response| response.is_success())?;
    autodiscover::read(&Body::of(response), &reader).ok()
}

/// True for the domain itself and for names below it.
fn is_in(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Target;
    use crate::net::http::{Hop, Outcome, Response};
    use mailsetup::account::{Protocol, Security};
    use std::time::Duration;

    const AUTOCONFIG: &str = "autoconfig.example.org/mail/config-v1.1.xml?emailaddress=x";
    const POX: &str = "autodiscover/autodiscover.xml";

    /// The servers may be sent the password that these documents name: the URLs of all hops, and the body.
    fn is_trusted(host: &str, documents: &[(&[&str], String)]) -> bool {
        let address = EmailAddress::parse(b"ann@example.org").unwrap();
        let mut facts = Facts::new(Target { address, is_made_up: false });
        for (urls, body) in documents {
            let sent = plan::plain(urls[0].to_owned());
            let hop = |url: &&str| Hop {
                method: "GET",
                url: (*url).to_owned(),
                address: None,
                dead: Vec::new(),
                session: None,
                outcome: Outcome::Response(Response {
                    status: 200,
                    fields: vec![("content-type".into(), "text/xml".into())],
                    body: body.clone().into_bytes(),
                    is_cut: false,
                }),
                took: Duration::ZERO,
            };
            let exchange = Exchange { sent, hops: urls.iter().map(hop).collect() };
            facts.exchanges.insert(key(&exchange.sent), exchange);
        }
        Trusted::of(&facts).has(&Endpoint {
            protocol: Protocol::Imap,
            host: host.to_owned(),
            port: 993,
            security: Security::Tls,
        })
    }

    fn autoconfig() -> String {
        let server = |tag: &str, kind: &str, port: u16| {
            format!(
                "<{tag} type=\"{kind}\"><hostname>mail.example.net</hostname><port>{port}</port>\
                 <socketType>SSL</socketType><username>%EMAILADDRESS%</username>\
                 <authentication>password-cleartext</authentication></{tag}>"
            )
        };
        format!(
            "<clientConfig version=\"1.1\"><emailProvider id=\"example.org\">\
             <domain>example.org</domain>{}{}</emailProvider></clientConfig>",
            server("incomingServer", "imap", 993),
            server("outgoingServer", "smtp", 465)
        )
    }

    fn pox(account: &str) -> String {
        format!(
            "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/\
             2006\"><Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/\
             responseschema/2006a\"><Account><AccountType>email</AccountType>{account}</Account>\
             </Response></Autodiscover>"
        )
    }

    fn settings() -> String {
        pox("<Action>settings</Action><Protocol><Type>IMAP</Type><Server>mail.example.net</Server>\
             <Port>993</Port><LoginName>ann@example.org</LoginName><SSL>on</SSL></Protocol>\
             <Protocol><Type>SMTP</Type><Server>mail.example.net</Server><Port>465</Port>\
             <LoginName>ann@example.org</LoginName><SSL>on</SSL></Protocol>")
    }

    #[test]
    fn servers_in_the_domain_are_trusted() {
        for host in ["example.org", "mail.example.org", "a.b.example.org"] {
            assert!(is_trusted(host, &[]), "{host}");
        }
        for host in ["mail.example.net", "org", "badexample.org", "example.org.example.net", ""] {
            assert!(!is_trusted(host, &[]), "{host}");
        }
    }

    #[test]
    fn servers_that_the_domain_names_over_https_are_trusted() {
        let https = format!("https://{AUTOCONFIG}");
        let http = format!("http://{AUTOCONFIG}");
        let elsewhere = "https://autoconfig.example.net/mail/config-v1.1.xml";
        let database = "https://autoconfig.thunderbird.net/v1.1/example.org";
        for urls in [&[&*https][..], &[&https, elsewhere], &[database]] {
            assert!(is_trusted("mail.example.net", &[(urls, autoconfig())]), "{urls:?}");
            assert!(!is_trusted("mail2.example.net", &[(urls, autoconfig())]), "{urls:?}");
        }
        let other = "https://autoconfig.thunderbird.net/v1.1/example.net";
        let look_alike = "https://autoconfig.badexample.org/mail/config-v1.1.xml";
        for urls in [
            &[&*http][..],
            &[&http, &https],
            &[&https, &http],
            &[&https, "http://example.net/x", elsewhere],
            // The name comes from an MX record.
            &[elsewhere],
            &[other],
            &[look_alike],
        ] {
            assert!(!is_trusted("mail.example.net", &[(urls, autoconfig())]), "{urls:?}");
        }
    }

    #[test]
    fn servers_behind_redirects_of_autodiscover_are_trusted_as_the_redirect_is() {
        let ours = format!("https://autodiscover.example.org/{POX}");
        let plain = format!("http://autodiscover.example.org/{POX}");
        let theirs = format!("https://autodiscover.example.net/{POX}");
        let path = "https://autodiscover.example.net/other/path";
        let to_url = |url: &str| {
            pox(&format!("<Action>redirectUrl</Action><RedirectUrl>{url}</RedirectUrl>"))
        };
        let to_address =
            pox("<Action>redirectAddr</Action><RedirectAddr>ann@example.net</RedirectAddr>");
        let is_trusted = |first: &str, redirect: String, next: &str| {
            let chain = [(&[first][..], redirect), (&[next][..], settings())];
            super::tests::is_trusted("mail.example.net", &chain)
        };
        assert!(is_trusted(&ours, to_url(&theirs), &theirs));
        assert!(is_trusted(&ours, to_url(path), path));
        assert!(is_trusted(&ours, to_address.clone(), &theirs));
        // The redirect came over http, leads elsewhere, or is in a record of DNS only.
        assert!(!is_trusted(&plain, to_url(&theirs), &theirs));
        assert!(!is_trusted(&plain, to_address, &theirs));
        assert!(!is_trusted(&ours, to_url(path), &theirs));
        assert!(!is_trusted(&ours, String::new(), &theirs));
    }
}
