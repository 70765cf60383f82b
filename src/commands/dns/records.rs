//! The records of a mail domain as data; the formats are in the other files.
//!
//! Two names for the web server, and an SRV record for each mail service (RFC 6186, RFC 8314 §5.1),
//! also for those that are disabled. `_autodiscover._tcp` only on request: a target in another
//! domain makes Outlook, and sometimes Thunderbird, ask whether to trust it, and the name
//! `autodiscover.<domain>` leads to the same place without a question. All names are absolute and
//! ASCII. Every record is an RRset of its own, and no name with an alias has another record.

use crate::account::{Account, Protocol, ServiceKind};
use crate::address::{Domain, HostName, MAX_DOMAIN};
use crate::commands::output::not_ours;
use crate::config::Config;
use crate::discovery::pacc;
use crate::url::HTTPS_PORT;
use crate::zone::{Data, Record, SERVICES, WEB_NAMES};
use std::net::Ipv4Addr;

/// The longest label among the records that every domain gets.
const LONGEST_LABEL: &str = "_submissions._tcp";
/// The label of the SRV record for Autodiscover ([MS-OXDISCO] 3.1.5).
const AUTODISCOVER: &str = "_autodiscover._tcp";
/// The web server's name for PACC, and that of its TXT record.
const PACC_NAMES: (&str, &str) = ("ua-auto-config", "_ua-auto-config");

/// What the command line says about the records.
#[derive(Debug)]
pub struct Wanted {
    /// The web server; without one, the IMAP server is used.
    pub web_host: Option<HostName>,
    /// The target of an `_autodiscover._tcp` record.
    pub autodiscover: Option<Domain>,
    /// The time to live, in seconds.
    pub ttl: u32,
}

/// The records of one zone.
#[derive(Debug)]
pub struct Zone {
    /// Its name.
    pub name: Domain,
    /// The mail domains in it, at least one: the zone's own name, or names below it.
    pub domains: Vec<Published>,
    /// The time to live of an SOA and an NS record, if these are wanted.
    pub soa: Option<u32>,
}

impl Zone {
    /// The name of a record without that of the zone.
    pub fn relative<'a>(&self, record: &'a Record) -> &'a str {
        let name = record.name.strip_suffix(&format!(".{}.", self.name));
        name.unwrap_or(&record.name)
    }

    /// Each record, with its mail domain.
    pub fn records(&self) -> impl Iterator<Item = (&Domain, &Record)> {
        self.domains.iter().flat_map(|Published { domain, records, .. }| {
            records.iter().map(move |record| (domain, record))
        })
    }
}

/// The records of a mail domain.
#[derive(Debug)]
pub struct Published {
    /// The mail domain.
    pub domain: Domain,
    /// The web server.
    pub web_host: HostName,
    /// The target of the `_autodiscover._tcp` record.
    pub autodiscover: Option<Domain>,
    /// The PACC document.
    pub pacc: Pacc,
    /// The records.
    pub records: Vec<Record>,
}

/// Whether there is a PACC document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pacc {
    /// It is not enabled.
    Off,
    /// It is enabled, but the settings cannot be expressed in it.
    Impossible,
    /// It is published.
    There,
}

/// The records of a domain, or the reason why it has none.
pub fn of(domain: &Domain, config: &Config, wanted: &Wanted) -> Result<Published, String> {
    let label = wanted.autodiscover.as_ref().map_or(LONGEST_LABEL, |_| AUTODISCOVER);
    if label.len() + ".".len() + domain.as_str().len() > MAX_DOMAIN {
        return Err(format!("{} is too long for SRV records", domain.for_people()));
    }
    let account = match config.find_now(domain) {
        Ok(Some(found)) => found.account(domain, None, None),
        Ok(None) => return Err(not_ours(domain)),
        Err(_) => None,
    };
    let mail_host = || Some(account.as_ref()?.incoming()?.host.clone());
    let web_host = wanted.web_host.clone().or_else(mail_host);
    let (Some(account), Some(web_host)) = (account, web_host) else {
        let domain = domain.for_people();
        return Err(format!("the settings of {domain} cannot be used; see `mailsetup check`"));
    };
    let digest = pacc::record(&account);
    let pacc = match (&digest, account.pacc) {
        (Some(_), _) => Pacc::There,
        (None, true) => Pacc::Impossible,
        (None, false) => Pacc::Off,
    };
    let records = records(&account, &web_host, digest, wanted);
    let autodiscover = wanted.autodiscover.clone();
    Ok(Published { domain: account.domain, web_host, autodiscover, pacc, records })
}

fn records(
    account: &Account,
    web_host: &HostName,
    digest: Option<String>,
    wanted: &Wanted,
) -> Vec<Record> {
    let record = |name: &str, data| Record::new(name, &account.domain, wanted.ttl, data);
    let services = SERVICES.iter().filter_map(|service| {
        let server = account
            .servers
            .iter()
            .chain(&account.alternatives)
            .find(|server| service.is_for(server.protocol, server.security));
        let data = match server {
            // The target of an SRV record is a name, not an address.
            Some(server) if server.host.is_address() => return None,
            Some(server) => service.data(server.host.clone(), server.port.get()),
            // Clients expect a record for a missing service only for mail (RFC 6186 §3.4).
            None if service.protocol == Protocol::ManageSieve => return None,
            // "Decidedly not available" (RFC 2782).
            None => Data::Srv { priority: 0, port: 0, target: None },
        };
        Some(record(&service.name(), data))
    });
    let https = |host: HostName, port| Data::Srv { priority: 0, port, target: Some(host) };
    let mut services: Vec<_> = services.collect();
    for service in &account.services {
        let (name, has_path) = match service.kind {
            ServiceKind::Jmap => ("_jmap._tcp", false),
            ServiceKind::CalDav => ("_caldavs._tcp", true),
            ServiceKind::CardDav => ("_carddavs._tcp", true),
            ServiceKind::WebDav | ServiceKind::ActiveSync => continue,
        };
        let (host, port) = (service.url.host(), service.url.port());
        if !host.is_address() {
            services.push(record(name, https(host.clone(), port)));
        }
        if has_path {
            // RFC 6764 §4: a path, without query and fragment.
            services.push(record(name, Data::Txt(format!("path={}", service.url.path()))));
        }
    }
    // Such a name has an address record: it can be neither an alias of itself nor, as the target of
    // an SRV record, of another.
    let is_host = |name: &str| {
        let is_target = |record: &Record| match &record.data {
            Data::Srv { target: Some(target), .. } => target.as_str() == name,
            _ => false,
        };
        web_host.as_str() == name || services.iter().any(is_target)
    };
    let names = WEB_NAMES.iter().chain(digest.as_ref().map(|_| &PACC_NAMES.0));
    let names = names.filter(|name| !is_host(&format!("{name}.{}", account.domain)));
    let web = names.map(|name| match web_host.as_str().parse::<Ipv4Addr>() {
        Ok(address) => record(name, Data::A(address)),
        Err(_) => record(name, Data::Cname(web_host.clone())),
    });
    let mut records: Vec<_> = web.collect();
    records.extend(digest.map(|text| record(PACC_NAMES.1, Data::Txt(text))));
    let autodiscover = wanted.autodiscover.as_ref();
    let autodiscover = autodiscover.and_then(|target| HostName::parse(target.as_str()));
    records.extend(autodiscover.map(|target| record(AUTODISCOVER, https(target, HTTPS_PORT))));
    records.append(&mut services);
    records
}
