//! DNS messages: writes a question, reads an answer.
//!
//! Refuses messages with more records than fit into their length, compression that does not lead
//! back, and CNAME records that lead in a circle. Ignores records for names that were not asked for.
//! Rules: RFC 1035 section 4, RFC 6604 (the code of an answer is that of the last name), RFC 6891.

use super::answer::{Kind, Outcome, Record};
use simple_dns::rdata::{OPT, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};

/// Most CNAME records in a row that are followed.
pub(super) const MAX_ALIASES: usize = 8;
/// Most records that are taken from an answer.
const MAX_RECORDS: usize = 64;
/// The longest answer that a server may send over UDP, in octets: it crosses the Internet in one
/// piece.
const EDNS_SIZE: u16 = 1232;
/// Octets of a header.
const HEADER: usize = 12;
/// The fewest octets of a question.
const QUESTION: usize = 5;
/// The fewest octets of a record.
const RECORD: usize = 11;

/// What a message says about a question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// It is no answer to this question.
    Other,
    /// The answer was cut to fit into UDP.
    Cut,
    /// It ends with an alias: the last of these names is to be asked for.
    Leads(Vec<String>),
    /// The aliases, and what the server said about the last of them.
    Ends(Vec<String>, Outcome),
}

/// The question as a message; `None` if DNS cannot hold the name.
pub(super) fn write(id: u16, name: &str, kind: Kind, with_edns: bool) -> Option<Vec<u8>> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return None;
    }
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let qtype = QTYPE::TYPE(type_of(kind));
    let question = Question::new(Name::new_unchecked(name), qtype, QCLASS::CLASS(CLASS::IN), false);
    packet.questions.push(question);
    if with_edns {
        let opt = OPT { opt_codes: Vec::new(), udp_packet_size: EDNS_SIZE, version: 0 };
        *packet.opt_mut() = Some(opt);
    }
    packet.build_bytes_vec().ok()
}

/// Reads a message as the answer to a question: `name` is in lower case, without the final dot. The
/// identifier is not looked at.
pub fn read(message: &[u8], name: &str, kind: Kind) -> Reading {
    let unreadable = |reason: &str| Reading::Ends(Vec::new(), Outcome::Unreadable(reason.into()));
    let Some((header, rest)) = message.split_at_checked(HEADER) else {
        return unreadable("the answer is not a DNS message");
    };
    let number = |at: usize| usize::from(header[at]) << 8 | usize::from(header[at + 1]);
    let least = number(4) * QUESTION + (number(6) + number(8) + number(10)) * RECORD;
    let is_cut = header[2] & 2 != 0;
    // The reader of the library allocates as many records as are announced.
    let packet = if least > rest.len() { None } else { Packet::parse(message).ok() };
    let Some(packet) = packet else {
        return if is_cut { Reading::Cut } else { unreadable("the answer is not a DNS message") };
    };
    let is_error = packet.rcode() != RCODE::NoError;
    let is_for_us = match &packet.questions[..] {
        // Some servers repeat no question in an error.
        [] => is_error,
        [asked] => text_of(&asked.qname) == name && asked.qtype == QTYPE::TYPE(type_of(kind)),
        _ => false,
    };
    if !packet.has_flags(PacketFlag::RESPONSE) || !is_for_us {
        return Reading::Other;
    }
    if is_cut {
        return Reading::Cut;
    }
    let mut aliases: Vec<String> = Vec::new();
    let records = loop {
        let current = aliases.last().map_or(name, |last| last);
        let here = || packet.answers.iter().filter(|answer| text_of(&answer.name) == current);
        let records = here().filter_map(|answer| record(&answer.rdata, kind));
        let records: Vec<_> = records.take(MAX_RECORDS).collect();
        let alias = here().find_map(|answer| match &answer.rdata {
            RData::CNAME(alias) => Some(text_of(alias)),
            _ => None,
        });
        match alias {
            Some(alias) if records.is_empty() => {
                if let Some(reason) = stray(name, &aliases, &alias) {
                    return Reading::Ends(aliases, Outcome::Unreadable(reason.into()));
                }
                aliases.push(alias);
            }
            _ => break records,
        }
    };
    let code = header[3] & 15;
    let is_final = packet.has_flags(PacketFlag::AUTHORITATIVE_ANSWER)
        || packet.has_flags(PacketFlag::RECURSION_AVAILABLE);
    let has_soa = packet.name_servers.iter().any(|record| matches!(record.rdata, RData::SOA(_)));
    let outcome = match packet.rcode() {
        RCODE::NameError => Outcome::NoName,
        RCODE::NoError if !records.is_empty() => Outcome::Records(records),
        RCODE::NoError if !aliases.is_empty() && !has_soa => return Reading::Leads(aliases),
        RCODE::NoError if !has_soa && !is_final => {
            Outcome::Failed("that others have to be asked".into())
        }
        RCODE::NoError => Outcome::NoData,
        _ => Outcome::Failed(match code {
            1 => "FORMERR".into(),
            2 => "SERVFAIL".into(),
            4 => "NOTIMP".into(),
            5 => "REFUSED".into(),
            code => format!("RCODE {code}"),
        }),
    };
    Reading::Ends(aliases, outcome)
}

/// Why an alias cannot be followed, if it cannot.
pub(super) fn stray(name: &str, aliases: &[String], alias: &str) -> Option<&'static str> {
    if alias == name || aliases.iter().any(|known| known == alias) {
        Some("the CNAME records lead in a circle")
    } else if aliases.len() >= MAX_ALIASES {
        Some("more than 8 CNAME records follow each other")
    } else {
        None
    }
}

fn type_of(kind: Kind) -> TYPE {
    match kind {
        Kind::A => TYPE::A,
        Kind::Aaaa => TYPE::AAAA,
        Kind::Mx => TYPE::MX,
        Kind::Srv => TYPE::SRV,
        Kind::Txt => TYPE::TXT,
    }
}

/// A record, if it is of the kind.
fn record(data: &RData, kind: Kind) -> Option<Record> {
    Some(match (data, kind) {
        (RData::A(a), Kind::A) => Record::Address(std::net::Ipv4Addr::from(a.address).into()),
        (RData::AAAA(a), Kind::Aaaa) => Record::Address(std::net::Ipv6Addr::from(a.address).into()),
        (RData::MX(mx), Kind::Mx) => {
            Record::Mx { preference: mx.preference, host: text_of(&mx.exchange) }
        }
        (RData::SRV(srv), Kind::Srv) => Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: text_of(&srv.target),
        },
        (RData::TXT(txt), Kind::Txt) => Record::Txt(match String::try_from(txt.clone()) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        _ => return None,
    })
}

/// A name in lower case without the final dot, `.` for the root. Other octets than visible ASCII are
/// written as `\DDD`, as in a zone file.
fn text_of(name: &Name) -> String {
    let mut text = String::new();
    for label in name.as_bytes() {
        if !text.is_empty() {
            text.push('.');
        }
        for byte in label {
            if byte.is_ascii_graphic() && !matches!(byte, b'.' | b'\\') {
                text.push(char::from(byte.to_ascii_lowercase()));
            } else {
                text.push_str(&format!("\\{byte:03}"));
            }
        }
    }
    if text.is_empty() { ".".into() } else { text }
}
