//! Lines of a zone file (RFC 1035 §5.1), with comments about what they need.
//!
//! All names are absolute: the lines can stand in any zone file, below any `$ORIGIN`.

use super::folder::MARK;
use super::records::{Pacc, Published, Zone};
use crate::zone::{Data, line};

/// The lines of a zone.
pub fn write(zone: &Zone) -> String {
    let mut text = String::new();
    for (index, published) in zone.domains.iter().enumerate() {
        if index > 0 {
            text += "\n";
        }
        // The SOA record is the first of its zone.
        let soa = zone.soa.filter(|_| index == 0);
        text += &comments(published, soa.is_some());
        if let Some(ttl) = soa {
            let name = format!("{}.", zone.name);
            let soa = format!("ns.invalid. hostmaster.{name} 1 7200 900 1209600 3600");
            text += &line(&name, ttl, "SOA", &soa);
            text += &line(&name, ttl, "NS", "ns.invalid.");
        }
        for record in &published.records {
            text += &record.line();
        }
    }
    text
}

fn comments(published: &Published, has_soa: bool) -> String {
    let Published { domain, web_host, .. } = published;
    let mut text = format!(
        ";{MARK}{domain}: add these lines to its zone.\n\
         ; {web_host} must be the web server that answers for autoconfig.{domain} and\n\
         ; autodiscover.{domain}, with a certificate for both names; if it is another one, use --web-host.\n\
         ; The hosts named in SRV records need addresses of their own: they may not be CNAMEs.\n"
    );
    match published.pacc {
        Pacc::There => {
            text += &format!(
                "; ua-auto-config.{domain} is that server, too. The TXT record is valid for this\n\
                 ; configuration only: before a change, publish the new record beside the old one.\n"
            );
        }
        Pacc::Impossible => {
            text += "; There is no PACC document for this configuration; see `mailsetup check`.\n";
        }
        Pacc::Off => {}
    }
    let is_refusal = |data: &Data| matches!(data, Data::Srv { target: None, .. });
    if published.records.iter().any(|record| is_refusal(&record.data)) {
        text += "; The target `.` says that a service is not offered (RFC 2782).\n";
    }
    if has_soa {
        text += "; Replace ns.invalid and hostmaster in the SOA and NS records.\n";
    }
    if let Some(target) = &published.autodiscover {
        text += &format!(
            "; {target} must answer Autodiscover for {domain} on port 443. If it is in another domain,\n\
             ; Outlook asks its user whether to trust it, and Thunderbird asks if no Autodiscover\n\
             ; address of {domain} itself answers.\n"
        );
    }
    text
}
