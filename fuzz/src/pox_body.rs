//! Autodiscover's XML: any body of a POST.
//!
//! Checks: a document that the reader accepts is the same after it was written and read again; the
//! response is a well-formed document with status 200, and names a mailbox only if the body named
//! an address: the same address, as parsed.

use super::answer;
use mailsetup::address::EmailAddress;
use mailsetup::request::{Method, Request};
use mailsetup::response::Status;
use mailsetup::xml;

pub fn run(data: &[u8]) {
    let document = xml::read(data);
    for (_, text) in document.iter().flat_map(|document| &document.leaves) {
        assert_eq!(text, text.trim_matches([' ', '\t', '\r', '\n']));
        check_round_trip(text);
    }
    let asked = document.iter().flat_map(|document| &document.leaves).find_map(|(name, text)| {
        (name == "EMailAddress" && !text.is_empty()).then(|| EmailAddress::parse(text.as_bytes()))
    });

    let target = b"/autodiscover/autodiscover.xml";
    let host = Some(&b"autodiscover.example.org"[..]);
    let response = answer::ask(&Request::new(Method::Post, target, host, data));
    answer::check(&response);
    assert_eq!(response.status, Status::Ok);
    let told = xml::read(&response.body).expect("well-formed, as was checked").leaves;
    let texts = |wanted: &str| {
        let found = told.iter().filter(|(name, _)| name == wanted).map(|(_, text)| text.as_str());
        found.collect::<Vec<_>>()
    };
    match asked {
        Some(Ok(address)) => {
            let errors = texts("ErrorCode");
            assert!(errors.is_empty() || errors == ["500"] || errors == ["601"], "{errors:?}");
            for name in texts("DisplayName") {
                assert_eq!(name, address.for_people());
            }
            for name in texts("LoginName") {
                let is_named = name == address.to_string() || name == address.local_part();
                assert!(is_named, "{name:?} instead of {address}");
            }
        }
        _ => assert_eq!(texts("ErrorCode"), ["600"]),
    }
}

/// A text is the same after writing and reading, except for characters that XML does not allow.
fn check_round_trip(text: &str) {
    let mut written = xml::Writer::new();
    written.text_in("a", &[("b", text)], text);
    let read = xml::read(&written.finish()).expect("what is written can be read");
    let is_legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    let legal: String = text.chars().map(|c| if is_legal(c) { c } else { '\u{fffd}' }).collect();
    assert_eq!(read.leaves, [("a".to_owned(), legal)]);
}
