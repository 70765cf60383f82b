//! Answers of DNS servers: any message, for a question about `a.example`.
//!
//! The first byte selects the type, the rest is the message. Checks: names are in lower case and
//! visible, no name comes twice, aliases and records are within their limits, and all records are of
//! the type.

use mailsetup_probe::net::dns::{Kind, Outcome, Reading, Record, read};

const NAME: &str = "a.example";

pub fn run(data: &[u8]) {
    let Some((kind, message)) = data.split_first() else { return };
    let kind = [Kind::A, Kind::Aaaa, Kind::Mx, Kind::Srv, Kind::Txt][usize::from(kind % 5)];
    let (aliases, outcome) = match read(message, NAME, kind) {
        Reading::Other | Reading::Cut => return,
        Reading::Leads(aliases) => {
            assert!(!aliases.is_empty());
            (aliases, None)
        }
        Reading::Ends(aliases, outcome) => (aliases, Some(outcome)),
    };
    assert!(aliases.len() <= 8, "{aliases:?}");
    for (number, alias) in aliases.iter().enumerate() {
        check_name(alias);
        assert!(alias != NAME && !aliases[..number].contains(alias), "{aliases:?}");
    }
    let records = match outcome {
        None | Some(Outcome::NoData | Outcome::NoName) => return,
        Some(Outcome::Failed(text) | Outcome::Unreadable(text)) => {
            return assert!(!text.is_empty());
        }
        Some(Outcome::TimedOut) => panic!("a message has come"),
        Some(Outcome::Records(records)) => records,
    };
    assert!((1..=64).contains(&records.len()), "{records:?}");
    for record in records {
        match (&record, kind) {
            (Record::Address(address), Kind::A) => assert!(address.is_ipv4()),
            (Record::Address(address), Kind::Aaaa) => assert!(address.is_ipv6()),
            (Record::Mx { host, .. }, Kind::Mx) => check_name(host),
            (Record::Srv { target, .. }, Kind::Srv) => check_name(target),
            (Record::Txt(_), Kind::Txt) => {}
            (record, kind) => panic!("{kind}: {record:?}"),
        }
        assert!(!record.to_string().contains(char::is_control), "{record:?}");
    }
}

fn check_name(name: &str) {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    assert!(!name.is_empty() && name.bytes().all(is_plain), "{name:?}");
}
