//! The access log: a line for each request.
//!
//! Each line holds the request, the response and the time. Addresses are masked, and the client is
//! not identified, unless the configuration enables that. Text that a client sent is escaped.

use crate::address::EmailAddress;
use crate::log;
use crate::record::Fields;
use crate::request::{Method, Sender};
use crate::step::Reply;
use crate::visible::{readable, visible};
use std::time::Duration;

/// The longest User-Agent in bytes; the rest is left out.
const LONGEST: usize = 256;

/// Writes the line about a response that is about to be sent; `took` is the time from the last byte
/// of the request to the response.
pub fn write(method: Method, sender: Sender, reply: &Reply, took: Duration, fields: Fields) {
    log::collect(|line| {
        let mut add = |name: &str, value: &str| {
            line.extend_from_slice(name.as_bytes());
            line.extend_from_slice(value.as_bytes());
        };
        let (response, record) = (&reply.response, &reply.record);
        add("method=", method.as_str());
        add(" document=", record.document);
        add(" status=", response.status.digits());
        // The response to a HEAD is sent without its body.
        let sent = if method == Method::Head { 0 } else { response.body.len() };
        add(" bytes=", itoa::Buffer::new().format(sent));
        add(" us=", itoa::Buffer::new().format(took.as_micros() as u64));
        if let Some(host) = &record.host {
            add(" host=", host.as_str());
        }
        if let Some(address) = &record.address {
            if fields.addresses {
                add(" address=", &visible(&address.to_string()));
            } else {
                add(" address=", first(address));
                add("***@", address.domain().as_str());
            }
        }
        if fields.client_addresses && !sender.address.is_empty() {
            add(" client=", &quoted(sender.address));
        }
        if fields.user_agents && !sender.user_agent.is_empty() {
            add(" user_agent=", &quoted(sender.user_agent));
        }
    });
}

/// The first letter of an address; empty if that character would reveal more than a letter does.
fn first(address: &EmailAddress) -> &str {
    let start = address.local_part().get(..1).unwrap_or_default();
    if start.bytes().all(|b| b.is_ascii_alphanumeric()) { start } else { "" }
}

/// A value as it was sent, up to its longest length: in quotes if it has other characters than a
/// network address.
fn quoted(value: &[u8]) -> String {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b".:%-".contains(b);
    let mut end = value.len().min(LONGEST);
    // Not within a character.
    while value.get(end).is_some_and(|b| b & 0xc0 == 0x80) && end > 0 {
        end -= 1;
    }
    let text = visible(&readable(&value[..end]));
    if value.len() == end && value.iter().all(is_plain) {
        return text;
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if quoted.len() >= LONGEST {
            quoted.push('…');
            break;
        }
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_behind_their_first_letter() {
        for (address, shown) in
            [("ann@example.org", "a"), ("\"a b\"@example.org", ""), ("é@example.org", "")]
        {
            assert_eq!(first(&EmailAddress::parse(address.as_bytes()).unwrap()), shown);
        }
    }

    #[test]
    fn values_stay_within_their_quotes() {
        for (value, shown) in [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("Mail/1 (a)", "\"Mail/1 (a)\""),
            ("a\" status=200 \\\n", "\"a\\\" status=200 \\\\<U+000A>\""),
        ] {
            assert_eq!(quoted(value.as_bytes()), shown);
        }
        let long = quoted("é".repeat(1000).as_bytes());
        assert_eq!(long.chars().count(), 2 + LONGEST / 2);
    }

    #[test]
    fn values_are_short_and_cut_between_characters() {
        for value in [&b"\t"[..], b"\xff", b"\"", b"\\", b"a", "é".as_bytes(), "a€".as_bytes()] {
            for count in [100, 255, 256, 257, 70_000] {
                let shown = quoted(&value.repeat(count));
                assert!(shown.len() <= LONGEST + 16, "{} {count}", shown.len());
                assert!(!shown.contains('\u{fffd}') && !shown.contains("<C3>"), "{shown}");
            }
        }
        assert_eq!(quoted(b"a\xff"), "\"a<FF>\"");
    }
}
