//! A file of octoDNS's YamlProvider: names relative to the zone, and one record or a list for each.
//!
//! octoDNS refuses names that are not in its "natural" order, in which `d2` is before `d10`. It takes
//! texts whole, splits them itself, and wants a backslash before each semicolon
//! (`escaped_semicolons`, its default). Names and texts are in double quotes, as in JSON: without
//! them YAML takes some for numbers or for signs of its own.

use super::folder::MARK;
use super::json::to_json;
use super::records::Zone;
use crate::order;
use crate::zone::{Data, Record};
use std::cmp::Ordering;

/// The file of a zone.
pub fn write(zone: &Zone) -> String {
    let mut records: Vec<_> =
        zone.records().map(|(_, record)| (zone.relative(record), record)).collect();
    // Records of one name stay in their order.
    order::sort_by(&mut records, |(one, _), (other, _)| natural(one, other));
    let mut text = format!("#{MARK}{}.\n---\n", zone.name);
    for of_name in records.chunk_by(|(one, _), (other, _)| one == other) {
        for (index, (name, record)) in of_name.iter().enumerate() {
            if index == 0 {
                text += &format!("{}:\n", to_json(name));
            }
            let first = if of_name.len() > 1 { "- " } else { "  " };
            write_record(&mut text, first, record);
        }
    }
    text
}

/// Writes the fields of a record, the first of them after `first`.
fn write_record(text: &mut String, first: &str, record: &Record) {
    let value = match &record.data {
        Data::A(address) => format!(" {}", to_json(address)),
        Data::Cname(host) => format!(" \"{host}.\""),
        Data::Srv { priority, port, target } => {
            let target = target.as_ref().map_or(".".to_owned(), |host| format!("{host}."));
            format!(
                "\n    port: {port}\n    priority: {priority}\n    target: \"{target}\"\n    weight: 0"
            )
        }
        Data::Txt(text) => format!(" {}", to_json(&text.replace(';', "\\;"))),
    };
    let (ttl, kind) = (record.ttl, record.data.kind());
    *text += &format!("{first}ttl: {ttl}\n  type: {kind}\n  value:{value}\n");
}

/// The order of octoDNS: numbers in names by their value.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        if one.is_empty() || other.is_empty() {
            return one.len().cmp(&other.len());
        }
        let (text, digits, rest) = parts(one);
        let (other_text, other_digits, other_rest) = parts(other);
        // Without leading zeros, the longer number is the larger one.
        let number = |digits: &str| (digits.len(), digits.to_owned());
        let order = text
            .cmp(other_text)
            .then_with(|| digits.is_some().cmp(&other_digits.is_some()))
            .then_with(|| digits.map(number).cmp(&other_digits.map(number)));
        if order.is_ne() {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
}

/// The text before the first number, that number without leading zeros, and the rest.
fn parts(text: &str) -> (&str, Option<&str>, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let Some(at) = text.find(is_digit) else { return (text, None, "") };
    let (before, number) = text.split_at(at);
    let end = number.find(|c| !is_digit(c)).unwrap_or(number.len());
    (before, Some(number[..end].trim_start_matches('0')), &number[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_their_values() {
        let sorted = [
            "",
            "1",
            "a",
            "a.2",
            "a.2.b",
            "a.2x",
            "a.10",
            "a.10.9",
            "a.10.010a",
            "a.a",
            "b",
            "b0",
            "b18446744073709551616",
            "b18446744073709551617",
        ];
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(natural(one, other), at.cmp(&other_at), "{one} {other}");
            }
        }
        assert_eq!(natural("a01", "a1"), Ordering::Equal);
    }
}
