//! Resources of the provider `hashicorp/dns` for Terraform and OpenTofu, in JSON syntax.
//!
//! That provider makes dynamic updates (RFC 2136), for any server. In JSON, strings are templates:
//! `${` and `%{` are doubled. The provider puts a text between the quotes of a zone file, and splits
//! it itself. `resource` is a list, so that resources can be written one after the other.

use super::json::to_json;
use super::records::Zone;
use crate::zone::{Data, Record, write_escaped};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

#[derive(Serialize)]
struct Resource<'a> {
    zone: &'a str,
    name: &'a str,
    ttl: u32,
    #[serde(flatten)]
    data: Values,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    A { addresses: [Ipv4Addr; 1] },
    Cname { cname: String },
    Srv { srv: [Srv; 1] },
    Txt { txt: [String; 1] },
}

#[derive(Serialize)]
struct Srv {
    priority: u16,
    weight: u16,
    port: u16,
    target: String,
}

/// The resources of a zone, without the brackets of the list.
pub fn write(zone: &Zone) -> String {
    let lines = zone.records().map(|(_, record)| resource(zone, record));
    lines.collect::<Vec<_>>().join(",\n")
}

fn resource(zone: &Zone, record: &Record) -> String {
    let (kind, data) = match &record.data {
        Data::A(address) => ("dns_a_record_set", Values::A { addresses: [*address] }),
        Data::Cname(host) => ("dns_cname_record", Values::Cname { cname: format!("{host}.") }),
        Data::Srv { priority, port, target } => {
            let target = target.as_ref().map_or(".".to_owned(), |host| format!("{host}."));
            let srv = Srv { priority: *priority, weight: 0, port: *port, target };
            ("dns_srv_record_set", Values::Srv { srv: [srv] })
        }
        Data::Txt(text) => ("dns_txt_record_set", Values::Txt { txt: [template(text)] }),
    };
    let zone_name = format!("{}.", zone.name);
    let name = zone.relative(record);
    let resource = Resource { zone: &zone_name, name, ttl: record.ttl, data };
    let named = BTreeMap::from([(identifier(&record.name), resource)]);
    format!("    {}", to_json(&BTreeMap::from([(kind, named)])))
}

/// The name of a resource: `_` in place of each dot. Two names never become the same, because a
/// label has a `_` only as its first character.
fn identifier(name: &str) -> String {
    name.trim_end_matches('.').replace('.', "_")
}

/// A text as the provider and the template language want it.
fn template(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to memory does not fail.
    write_escaped(&mut escaped, text.as_bytes()).ok();
    escaped.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_not_a_template() {
        assert_eq!(template("a;b $x %25 {y}"), "a;b $x %25 {y}");
        assert_eq!(template("${a}%{b}$${c}"), "$${a}%%{b}$$${c}");
        assert_eq!(template("\"\\"), "\\\"\\\\");
    }
}
