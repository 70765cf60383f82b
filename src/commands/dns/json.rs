//! JSON: an array of all records, one a line; `contrib/mailsetup-dns.schema.json` describes it.
//!
//! Each record has its data twice: as text, as in a zone file, and in fields.

use super::records::Zone;
use crate::address::Domain;
use crate::zone::{Data, Record};
use serde::Serialize;
use std::net::Ipv4Addr;

/// A record, with the fields of its type.
#[derive(Serialize)]
struct Line<'a> {
    domain: &'a str,
    zone: String,
    name: &'a str,
    ttl: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    data: String,
    #[serde(flatten)]
    fields: Fields<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    A { address: Ipv4Addr },
    Cname { target: String },
    Srv { priority: u16, weight: u16, port: u16, target: String },
    Txt { text: &'a str },
}

/// The records of a zone, without the brackets of the array.
pub fn write(zone: &Zone) -> String {
    let lines = zone.records().map(|(domain, record)| line(zone, domain, record));
    lines.collect::<Vec<_>>().join(",\n")
}

fn line(zone: &Zone, domain: &Domain, record: &Record) -> String {
    let fields = match &record.data {
        Data::A(address) => Fields::A { address: *address },
        Data::Cname(host) => Fields::Cname { target: format!("{host}.") },
        Data::Srv { priority, port, target } => {
            let target = target.as_ref().map_or(".".to_owned(), |host| format!("{host}."));
            Fields::Srv { priority: *priority, weight: 0, port: *port, target }
        }
        Data::Txt(text) => Fields::Txt { text },
    };
    let line = Line {
        domain: domain.as_str(),
        zone: format!("{}.", zone.name),
        name: &record.name,
        ttl: record.ttl,
        kind: record.data.kind(),
        data: record.data.to_string(),
        fields,
    };
    format!("  {}", to_json(&line))
}

/// A value as JSON in one line. Texts and numbers, of which these values consist, can always be
/// written.
pub fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
