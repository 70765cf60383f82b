//! The body of `PATCH /api/v1/servers/localhost/zones/ZONE` of PowerDNS, one line for each zone.
//!
//! The API, not pdnsutil: it also works from another machine and with every backend, and a body is
//! carried out as a whole or not at all. `REPLACE` puts a record in the place of those with its name
//! and type, so that a second run changes nothing. The server ignores the name of the zone in the
//! body; it is there for the loop that makes the URL.

use super::json::to_json;
use super::records::Zone;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    name: String,
    rrsets: Vec<RrSet<'a>>,
}

#[derive(Serialize)]
struct RrSet<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    ttl: u32,
    changetype: &'static str,
    records: [Content; 1],
}

#[derive(Serialize)]
struct Content {
    content: String,
    disabled: bool,
}

/// The body for a zone, with a line end.
pub fn write(zone: &Zone) -> String {
    let rrsets = zone.records().map(|(_, record)| RrSet {
        name: &record.name,
        kind: record.data.kind(),
        ttl: record.ttl,
        changetype: "REPLACE",
        records: [Content { content: record.data.to_string(), disabled: false }],
    });
    let body = Body { name: format!("{}.", zone.name), rrsets: rrsets.collect() };
    to_json(&body) + "\n"
}
