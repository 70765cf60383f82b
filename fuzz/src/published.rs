//! A document that a domain publishes: autoconfig, Autodiscover in XML and in JSON, PACC, a profile.
//!
//! The first byte selects the kind, the media type and the content coding; the rest is the body. Every
//! client reads it. Checks: the result is the same a second time; there are not more servers than
//! elements; a host is a host name or an IP address, a port is not 0; a client takes at most one server
//! to read and one to send mail, of those that it found; texts are short, visible, and in one line.

use mailsetup::account::Protocol;
use mailsetup::address::{EmailAddress, is_host_name};
use mailsetup::clients;
use mailsetup::visible::is_visible;
use mailsetup_probe::codes;
use mailsetup_probe::net::http::{MAX_BODY, Response};
use mailsetup_probe::read::autodiscover::Read;
use mailsetup_probe::read::{Body, Found, Oddity, Reader, Setting};
use mailsetup_probe::read::{autoconfig, autodiscover, pacc, plist};
use std::net::IpAddr;

/// The most characters of a text about a document: what is quoted from it, twice, and the words around.
const MAX_TEXT: usize = 500;

const MEDIA_TYPES: [&str; 4] = ["", "text/xml", "Text/XML", "text/html; charset=utf-8"];

pub fn run(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let first = usize::from(first);
    let media_type = MEDIA_TYPES[first / 8 % 4];
    let coding = if first / 32 % 4 == 3 { "gzip" } else { "identity" };
    let mut fields = vec![("content-encoding".to_owned(), coding.to_owned())];
    if !media_type.is_empty() {
        fields.push(("content-type".to_owned(), media_type.to_owned()));
    }
    let is_cut = first / 128 == 1 && rest.is_empty();
    let body = Body::of(&Response { status: 200, fields, body: rest.to_vec(), is_cut });
    assert!(body.bytes.len() <= MAX_BODY.max(rest.len()));
    check_text(&body.begin());
    let elements = body.bytes.iter().filter(|byte| **byte == b'<').count();
    let address = EmailAddress::parse(b"ann.smith@example.org").expect("an address");
    match first % 8 {
        0..=2 => each_client(&address, |reader| {
            let found = twice(|| autoconfig::read(&body, reader));
            check_found(found.as_ref(), reader, false, elements);
        }),
        3 | 4 => {
            each_client(&address, |reader| match twice(|| autodiscover::read(&body, reader)) {
                Ok(Read::Found(found)) => check_found(Ok(&found), reader, true, elements),
                Ok(
                    Read::Exchange(text)
                    | Read::Error(text)
                    | Read::RedirectAddress(text)
                    | Read::RedirectUrl(text),
                ) => check_text(&text),
                Err(oddity) => check_found(Err(&oddity), reader, true, elements),
            })
        }
        5 => match twice(|| autodiscover::url(&body)) {
            Ok(text) | Err(text) => check_text(&text),
        },
        6 => {
            match twice(|| pacc::settings(&body.bytes, &address)) {
                Ok(settings) => check_settings(&settings, 3),
                Err(text) => check_text(&text),
            }
            assert_eq!(pacc::mismatch(&pacc::record(&body.bytes), &body.bytes), None);
            // Its digest would have to be in itself.
            let record = String::from_utf8_lossy(&body.bytes);
            check_text(&pacc::mismatch(&record, &body.bytes).expect("a mismatch"));
        }
        _ => match twice(|| plist::settings(&body.bytes)) {
            Ok(settings) => check_settings(&settings, 2),
            Err(text) => check_text(&text),
        },
    }
}

fn each_client(address: &EmailAddress, mut f: impl FnMut(&Reader)) {
    for client in clients::all() {
        f(&Reader { client, address });
    }
}

/// What is read, if it is the same a second time.
fn twice<T: PartialEq + std::fmt::Debug>(read: impl Fn() -> T) -> T {
    let result = read();
    assert_eq!(read(), result);
    result
}

fn check_found(found: Result<&Found, &Oddity>, reader: &Reader, is_pox: bool, elements: usize) {
    let found = match found {
        Ok(found) => found,
        Err(oddity) => return check_oddity(oddity),
    };
    check_settings(&found.settings, elements);
    // A server has several parts, each of which may be odd.
    assert!(found.oddities.len() <= elements, "{found:?}");
    found.oddities.iter().for_each(check_oddity);
    let choice = found.choice(reader.client, is_pox);
    assert!(choice.iter().all(|setting| found.settings.contains(setting)));
    let count = |is: fn(Protocol) -> bool| choice.iter().filter(|one| is(one.protocol)).count();
    assert_eq!(count(Protocol::is_incoming), 1, "{}: {found:?}", reader.client.name);
    assert_eq!(count(|protocol| protocol == Protocol::Smtp), 1, "{}", reader.client.name);
}

fn check_settings(settings: &[Setting], most: usize) {
    assert!(settings.len() <= most, "{settings:?}");
    for setting in settings {
        let is_address = setting.host.parse::<IpAddr>().is_ok();
        assert!(is_host_name(&setting.host) || is_address, "{setting:?}");
        assert!(setting.port > 0, "{setting:?}");
    }
}

fn check_oddity(oddity: &Oddity) {
    assert!(codes::code(oddity.code).is_some(), "{oddity:?}");
    check_text(&oddity.message);
    check_text(&oddity.piece);
}

fn check_text(text: &str) {
    assert!(text.chars().all(is_visible), "{text:?}");
    assert!(text.chars().count() <= MAX_TEXT, "{text:?}");
}
