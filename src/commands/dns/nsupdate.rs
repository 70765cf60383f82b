//! A script for `nsupdate` (BIND) and `knsupdate` (Knot): dynamic updates by RFC 2136.
//!
//! One message for each domain, which is carried out as a whole: each RRset takes the place of the
//! one that is there, so that a second run changes nothing. A server ignores an alias beside other
//! records without an error (RFC 2136 §3.4.2.2); the message says that there are no addresses at that
//! name, and is refused if there are. Server and key are options of those programs.

use super::folder::MARK;
use super::records::{Published, Zone};
use crate::zone::Data;

/// The updates of a zone.
pub fn write(zone: &Zone) -> String {
    zone.domains.iter().map(|published| message(zone, published)).collect()
}

fn message(zone: &Zone, Published { domain, records, .. }: &Published) -> String {
    let mut text = format!(";{MARK}{domain}.\nzone {}.\n", zone.name);
    for record in records {
        let others: &[_] = match record.data {
            Data::Cname(_) => &["A", "AAAA"],
            Data::A(_) => &["CNAME"],
            Data::Srv { .. } | Data::Txt(_) => &[],
        };
        for other in others {
            text += &format!("prereq nxrrset {} {other}\n", record.name);
        }
    }
    for record in records {
        let (name, ttl, kind) = (&record.name, record.ttl, record.data.kind());
        text += &format!("update delete {name} {kind}\n");
        text += &format!("update add {name} {ttl} {kind} {}\n", record.data);
    }
    text + "send\n"
}
