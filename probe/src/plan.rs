//! From the step of a client to the requests that it makes.
//!
//! The same request of several clients is made once, with the User-Agent of the first; whether a
//! server treats User-Agents differently is tried apart.

use crate::facts::Facts;
use crate::net::dns::{Kind, Record};
use crate::net::http::Sent;
use mailsetup::address::{Domain, EmailAddress};
use mailsetup::clients::{Ask, Client, Of, Sent as How, What};

/// The User-Agent where that of the client is not known.
pub const OWN_AGENT: &str = concat!("mailsetup-probe/", env!("CARGO_PKG_VERSION"));
/// Mozilla's database of providers.
const DATABASE: &str = "https://autoconfig.thunderbird.net/v1.1/";

/// The requests of a step, in order.
pub fn requests(ask: &Ask, client: &Client, facts: &Facts) -> Vec<Sent> {
    let address = &facts.target.address;
    let hosts = match ask.of {
        Of::Address => vec![ask.host(facts.domain())],
        Of::Mx => exchangers(facts).into_iter().map(|host| ask.host(&host)).collect(),
        Of::MxDomain => {
            let domains = exchangers(facts).into_iter().flat_map(|host| parents(&host));
            let mut hosts: Vec<_> = domains
                .filter(|domain| domain != facts.domain())
                .map(|domain| ask.host(&domain))
                .collect();
            hosts.dedup();
            hosts
        }
        Of::Srv => services(facts),
        Of::Setting => Vec::new(),
    };
    hosts.iter().map(|host| request(ask, client, host, address)).collect()
}

/// A request at a host.
pub fn request(ask: &Ask, client: &Client, host: &str, address: &EmailAddress) -> Sent {
    let mut url = format!("{}://{host}{}", ask.scheme(), ask.target(address));
    if let What::Autoconfig(how) | What::WellKnown(how) = ask.what {
        if matches!(how, How::Digested | How::Dummy(_)) {
            let digest = crate::net::tls::md5(address.to_string().to_ascii_lowercase().as_bytes());
            url += &format!("&emailmd5={digest}");
        }
    }
    let body = ask.body(address).map(|body| String::from_utf8_lossy(&body).into_owned());
    Sent {
        method: ask.method(),
        url,
        agent: client.agent.unwrap_or(OWN_AGENT),
        media_type: if body.is_some() { client.media_type } else { "" },
        body: body.unwrap_or_default(),
    }
}

/// The request to Mozilla's database.
pub fn database(client: &Client, domain: &str) -> Sent {
    Sent {
        method: "GET",
        url: format!("{DATABASE}{domain}"),
        agent: client.agent.unwrap_or(OWN_AGENT),
        media_type: "",
        body: String::new(),
    }
}

/// A GET for which no client is played.
pub fn plain(url: String) -> Sent {
    Sent { method: "GET", url, agent: OWN_AGENT, media_type: "", body: String::new() }
}

/// The MX host that clients take: the preferred one.
pub fn exchangers(facts: &Facts) -> Vec<String> {
    let answer = facts.answer(facts.domain(), Kind::Mx);
    let records = answer.map(|answer| answer.records()).unwrap_or_default();
    let mut hosts: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Mx { preference, host } if host != "." => Some((*preference, host.clone())),
            _ => None,
        })
        .collect();
    hosts.sort();
    hosts.into_iter().take(1).map(|(_, host)| host).collect()
}

/// The name of a host without its first label, then the domain that it is registered in.
///
/// Without a list of registries: two labels, or three below a registry such as `co.uk`.
pub fn parents(host: &str) -> Vec<String> {
    let labels: Vec<_> = host.split('.').collect();
    let is_registry = |labels: &[&str]| match labels {
        [second, top] => top.len() == 2 && (second.len() <= 3 || *second == "gouv"),
        _ => false,
    };
    let least = match labels.len() {
        count if count >= 3 && is_registry(&labels[count - 2..]) => 3,
        _ => 2,
    };
    let mut parents = Vec::new();
    if labels.len() > least {
        parents.push(labels[1..].join("."));
    }
    let base = labels[labels.len().saturating_sub(least)..].join(".");
    if !parents.contains(&base) {
        parents.push(base);
    }
    parents
}

/// The domain that a name is registered in.
pub fn registered(name: &str) -> String {
    parents(name).pop().unwrap_or_else(|| name.to_owned())
}

/// The targets of `_autodiscover._tcp`, with their ports unless that is 443.
fn services(facts: &Facts) -> Vec<String> {
    let name = format!("_autodiscover._tcp.{}", facts.domain());
    let answer = facts.answer(&name, Kind::Srv);
    let records = answer.map(|answer| answer.records()).unwrap_or_default();
    let target = |record: &Record| match record {
        Record::Srv { port: 443, target, .. } if target != "." => Some(target.clone()),
        Record::Srv { port, target, .. } if target != "." => Some(format!("{target}:{port}")),
        _ => None,
    };
    records.iter().filter_map(target).take(2).collect()
}

/// The address that is used where only a domain is given: the mailbox that every domain has (RFC 5321
/// §4.5.1). `None` if it is too long.
pub fn made_up(domain: &Domain) -> Option<EmailAddress> {
    EmailAddress::parse(format!("postmaster@{domain}").as_bytes()).ok()
}
