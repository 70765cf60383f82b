//! Prints the DNS records by which mail clients find this program and the mail servers.
//!
//! Two names for the web server, and an SRV record for each mail service (RFC 6186, RFC 8314 §5.1),
//! also for those that are disabled. `_autodiscover._tcp` only on request: a target in another
//! domain makes Outlook, and sometimes Thunderbird, ask whether to trust it, and the name
//! `autodiscover.<domain>` leads to the same place without a question. All names are absolute and
//! ASCII.

use super::loading::load;
use super::output::{COULD_NOT_RUN, FOUND, not_ours, print, print_json};
use crate::account::{Account, Protocol, ServiceKind};
use crate::address::{Domain, HostName, MAX_DOMAIN};
use crate::cli;
use crate::config::{Config, find::Source};
use crate::discovery::pacc;
use crate::log;
use crate::visible::visible_lines;
use crate::zone::{Record, SERVICES, TTL, WEB_NAMES};
use std::process::ExitCode;

/// Longest string of a TXT record in octets (RFC 1035 §3.3).
const MAX_STRING: usize = 255;
/// The longest label among the records that every domain gets.
const LONGEST_LABEL: &str = "_submissions._tcp";
/// The label of the SRV record for Autodiscover ([MS-OXDISCO] 3.1.5).
const AUTODISCOVER: &str = "_autodiscover._tcp";
/// The web server's name for PACC, and that of its TXT record.
const PACC_NAMES: (&str, &str) = ("ua-auto-config", "_ua-auto-config");
/// Further records to print, and the format of the output.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The web server; without one, the IMAP server is used.
    pub web_host: Option<HostName>,
    /// The target of an `_autodiscover._tcp` record.
    pub autodiscover: Option<Domain>,
    /// True for a complete zone, with an SOA record.
    pub soa: bool,
    /// True for JSON.
    pub json: bool,
}

/// Reads the command line, and prints the records.
pub fn run(arguments: &cli::Dns, source: &Source) -> ExitCode {
    let Ok(domain) = Domain::parse(&arguments.domain) else {
        let domain = arguments.domain.rsplit('@').next().filter(|it| Domain::parse(it).is_ok());
        let hint = domain.map(|domain| format!("; did you mean {domain}?")).unwrap_or_default();
        log::error(&format!("{} is not a domain name{hint}", arguments.domain));
        return ExitCode::from(COULD_NOT_RUN);
    };
    let web_host = arguments.web_host.as_deref().map(|text| HostName::parse(text).ok_or(text));
    let web_host = match web_host.transpose() {
        Ok(host) => host,
        Err(text) => {
            log::error(&format!(
                "--web-host: {text} is not a host name; expected for example www.example.org or \
                 192.0.2.1"
            ));
            return ExitCode::from(COULD_NOT_RUN);
        }
    };
    // The target of an SRV record is a name, not an address; `Domain` accepts only names.
    let autodiscover = arguments.autodiscover_srv.as_deref();
    let autodiscover =
        match autodiscover.map(|text| Domain::parse(text).map_err(|_| text)).transpose() {
            Ok(target) => target,
            Err(text) => {
                let message = "is not a host name with a domain, and an SRV record cannot lead to \
                               an address; expected for example autodiscover.example.org";
                log::error(&format!("--autodiscover-srv: {text} {message}"));
                return ExitCode::from(COULD_NOT_RUN);
            }
        };
    let config = match load(source) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let wanted = Wanted { web_host, autodiscover, soa: arguments.soa, json: arguments.json };
    print_records(&domain, &config, wanted)
}

/// Prints the records of a domain, or the reason why it has none.
pub fn print_records(domain: &Domain, config: &Config, wanted: Wanted) -> ExitCode {
    let label = wanted.autodiscover.as_ref().map_or(LONGEST_LABEL, |_| AUTODISCOVER);
    if label.len() + ".".len() + domain.as_str().len() > MAX_DOMAIN {
        let domain = domain.for_people();
        log::error(&format!("{domain} is too long for SRV records"));
        return ExitCode::from(FOUND);
    }
    let account = match config.find_now(domain) {
        Ok(Some(found)) => found.account(domain, None, None),
        Ok(None) => {
            log::error(&not_ours(domain));
            return ExitCode::from(FOUND);
        }
        Err(_) => None,
    };
    let mail_host = || Some(account.as_ref()?.incoming()?.host.clone());
    let web_host = wanted.web_host.or_else(mail_host);
    let (Some(account), Some(web_host)) = (account, web_host) else {
        let domain = domain.for_people();
        log::error(&format!("the settings of {domain} cannot be used; see `mailsetup check`"));
        return ExitCode::from(FOUND);
    };
    let autodiscover = wanted.autodiscover.as_ref();
    let records = records(&account, &web_host, autodiscover);
    if wanted.json {
        return print_json(&records);
    }
    print(visible_lines(&zone(&account, &web_host, autodiscover, &records, wanted.soa)))
}

fn records(account: &Account, web_host: &HostName, autodiscover: Option<&Domain>) -> Vec<Record> {
    let record = |name: &str, kind, data| Record::new(name, &account.domain, kind, data);
    // The web server's own name has an address record; it cannot be an alias of itself.
    let pacc = pacc::record(account);
    let names = WEB_NAMES.iter().chain(pacc.iter().map(|_| &PACC_NAMES.0));
    let names = names.filter(|name| format!("{name}.{}", account.domain) != web_host.as_str());
    let web = names.map(|name| match web_host.is_address() {
        true => record(name, "A", web_host.to_string()),
        false => record(name, "CNAME", format!("{web_host}.")),
    });
    let services = SERVICES.iter().filter_map(|service| {
        let server = account
            .servers
            .iter()
            .chain(&account.alternatives)
            .find(|server| service.is_for(server.protocol, server.security));
        let data = match server {
            // The target of an SRV record is a name, not an address.
            Some(server) if server.host.is_address() => return None,
            Some(server) => service.data(&server.host, server.port.get()),
            // Clients expect a record for a missing service only for mail (RFC 6186 §3.4).
            None if service.protocol == Protocol::ManageSieve => return None,
            // "Decidedly not available" (RFC 2782).
            None => "0 0 0 .".to_owned(),
        };
        Some(record(&service.name(), "SRV", data))
    });
    let digest = pacc.iter().map(|text| record(PACC_NAMES.1, "TXT", strings(text)));
    let autodiscover =
        autodiscover.map(|target| record(AUTODISCOVER, "SRV", format!("0 0 443 {target}.")));
    let mut records: Vec<_> = web.chain(digest).chain(autodiscover).chain(services).collect();
    for service in &account.services {
        let (name, has_path) = match service.kind {
            ServiceKind::Jmap => ("_jmap._tcp", false),
            ServiceKind::CalDav => ("_caldavs._tcp", true),
            ServiceKind::CardDav => ("_carddavs._tcp", true),
            ServiceKind::WebDav | ServiceKind::ActiveSync => continue,
        };
        let (host, port) = (service.url.host(), service.url.port());
        if !host.is_address() {
            records.push(record(name, "SRV", format!("0 0 {port} {host}.")));
        }
        if has_path {
            // RFC 6764 §4: a path, without query and fragment.
            records.push(record(name, "TXT", strings(&format!("path={}", service.url.path()))));
        }
    }
    records
}

/// A text as the strings of a TXT record, each of the maximum length; clients join them.
///
/// The text is ASCII without quotes and backslashes, since a checked URL cannot contain them.
fn strings(text: &str) -> String {
    let strings = text.as_bytes().chunks(MAX_STRING).map(String::from_utf8_lossy);
    format!("\"{}\"", strings.collect::<Vec<_>>().join("\" \""))
}

/// The records as lines of a zone file (RFC 1035 §5.1).
fn zone(
    account: &Account,
    web_host: &HostName,
    autodiscover: Option<&Domain>,
    records: &[Record],
    soa: bool,
) -> String {
    let domain = &account.domain;
    let mut text = format!(
        "; Mail set-up for {domain}: add these lines to its zone.\n\
         ; {web_host} must be the web server that answers for autoconfig.{domain} and\n\
         ; autodiscover.{domain}, with a certificate for both names; if it is another one, use --web-host.\n\
         ; The hosts named in SRV records need addresses of their own: they may not be CNAMEs.\n"
    );
    if pacc::record(account).is_some() {
        text += &format!(
            "; ua-auto-config.{domain} is that server, too. The TXT record is valid for this\n\
             ; configuration only: before a change, publish the new record beside the old one.\n"
        );
    } else if account.pacc {
        text += "; There is no PACC document for this configuration; see `mailsetup check`.\n";
    }
    if records.iter().any(|record| record.data.ends_with(" .")) {
        text += "; The target `.` says that a service is not offered (RFC 2782).\n";
    }
    if soa {
        text += "; Replace ns.invalid and hostmaster in the SOA and NS records.\n";
    }
    if let Some(target) = autodiscover {
        text += &format!(
            "; {target} must answer Autodiscover for {domain} on port 443. If it is in another domain,\n\
             ; Outlook asks its user whether to trust it, and Thunderbird asks if no Autodiscover\n\
             ; address of {domain} itself answers.\n"
        );
    }
    if soa {
        let data = format!("ns.invalid. hostmaster.{domain}. 1 7200 900 1209600 3600");
        for (kind, data) in [("SOA", data), ("NS", "ns.invalid.".to_owned())] {
            text += &Record { name: format!("{domain}."), ttl: TTL, kind, data }.line();
        }
    }
    for record in records {
        text += &record.line();
    }
    text
}
