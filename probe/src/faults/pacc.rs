//! PACC: the document, its digest in the DNS, and its TLS.

use super::web;
use crate::facts::Facts;
use crate::finding::Fault;
use crate::net::dns::{Kind, Record};
use crate::net::http::Exchange;
use crate::read::{Body, Setting, pacc, shortened};

/// The settings of a document, if its digest is in the DNS.
pub fn read(
    url: &str,
    exchange: &Exchange,
    body: &Body,
    facts: &Facts,
) -> Result<Vec<Setting>, Fault> {
    let name = format!("_ua-auto-config.{}", facts.domain());
    let right = format!("{name}. 3600 IN TXT \"{}\"", pacc::record(&body.bytes));
    let media_type = body.media_type.as_deref().unwrap_or_default();
    if !media_type.starts_with("application/json") {
        let message = format!("the document is sent as {}", shortened(media_type));
        return Err(Fault::new("doc-media-type", url, message)
            .seen(web::hops(exchange))
            .mend("Send it as Content-Type: application/json."));
    }
    let settings = pacc::settings(&body.bytes, &facts.target.address)
        .map_err(|reason| Fault::new("pacc-broken", url, reason).seen(body.begin()))?;
    let answer = facts.answer(&name, Kind::Txt);
    let texts: Vec<&str> = answer
        .map(|answer| answer.records())
        .unwrap_or_default()
        .iter()
        .filter_map(|record| match record {
            Record::Txt(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let evidence = answer.map(ToString::to_string).unwrap_or_default();
    if texts.is_empty() {
        let message = "the record with the digest of the document is missing";
        return Err(Fault::new("pacc-record", name, message).seen(evidence).mend(right));
    }
    let mismatches: Vec<_> =
        texts.iter().filter_map(|text| pacc::mismatch(text, &body.bytes)).collect();
    match mismatches.first() {
        Some(reason) if mismatches.len() == texts.len() => {
            let message = format!("no record has the digest of the document: {reason}");
            Err(Fault::new("pacc-digest", name, message).seen(evidence).mend(right))
        }
        _ => Ok(settings),
    }
}

/// TLS older than clients of PACC may require.
pub fn old_tls(facts: &Facts) -> Option<Fault> {
    let name = format!("ua-auto-config.{}", facts.domain());
    let mut hops = facts.exchanges.values().flat_map(|exchange| &exchange.hops);
    let session =
        hops.find_map(|hop| hop.session.as_ref().filter(|_| web::host(&hop.url) == name))?;
    let is_old = session.protocol != "TLSv1.3";
    is_old.then(|| {
        let message = format!("the web server speaks {}, and not TLS 1.3", session.protocol);
        Fault::new("pacc-tls", format!("{name}:443"), message).mend("Enable TLS 1.3.")
    })
}
