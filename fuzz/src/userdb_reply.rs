//! A userdb of Dovecot: any bytes from it.
//!
//! The first byte says how many requests there were on the connection; with none, a greeting is
//! expected. Checks: a reply is complete with its last byte; it is the same with more bytes behind
//! it; it has the id of the request; a login can be one; no more than the longest reply is waited
//! for. Of all requests with parts of the input as address, only VERSION and USER are sent.

use super::reply;
use mailsetup::account::OwnLogin;
use mailsetup::login::answer::{Answer, Reading};
use mailsetup::login::userdb::{MAX_REPLY, read, request};

pub fn run(data: &[u8]) {
    let Some((&count, data)) = data.split_first() else { return };
    let count = u32::from(count);
    let id = (count + 1).to_string();
    let found = reply::check(data, |received| read(count, received));
    match &found {
        Reading::More => assert!(data.len() <= MAX_REPLY, "it waits for more"),
        Reading::Broken(_) => {}
        Reading::Answer(answer, length) => {
            assert!(data[..*length].ends_with(b"\n"), "a reply is a line");
            let lines: Vec<_> = data[..length - 1].split(|&b| b == b'\n').collect();
            let (line, before) = lines.split_last().expect("a line");
            let is_reply = |line: &[u8]| {
                let word = line.split(|&b| b == b'\t').next().expect("a word");
                [&b"USER"[..], b"NOTFOUND", b"FAIL"].contains(&word)
            };
            let others = match count {
                0 => {
                    assert!(before[0].starts_with(b"VERSION\t1"));
                    &before[1..]
                }
                _ => before,
            };
            assert!(!others.iter().any(|line| is_reply(line)), "an earlier reply was skipped");
            let fields: Vec<_> = line.split(|&b| b == b'\t').collect();
            assert_eq!(fields[1], id.as_bytes());
            match (fields[0], answer) {
                (b"NOTFOUND", Answer::NotFound) | (b"FAIL", Answer::Failed(_)) => {}
                (b"USER", answer) => {
                    let login = unescaped(fields[2]);
                    let login = String::from_utf8(login).ok().and_then(|it| OwnLogin::parse(&it));
                    match answer {
                        Answer::Login(found) => assert_eq!(Some(found), login.as_ref()),
                        Answer::Failed(_) => assert_eq!(login, None),
                        Answer::NotFound => panic!("{line:?}"),
                    }
                }
                _ => panic!("{line:?}: {answer:?}"),
            }
        }
    }
    check_request(count, &String::from_utf8_lossy(data));
}

/// The request has one line for the address, which is what it was.
fn check_request(count: u32, address: &str) {
    let sent = request(count, address);
    let lines: Vec<_> = sent.strip_suffix(b"\n").expect("a line").split(|&b| b == b'\n').collect();
    let (user, greeting) = lines.split_last().expect("a line");
    let expected = if count == 0 { vec![&b"VERSION\t1\t1"[..]] } else { Vec::new() };
    assert_eq!(greeting, expected);
    let fields: Vec<_> = user.split(|&b| b == b'\t').collect();
    let [word, id, escaped, service] = fields[..] else { panic!("{user:?}") };
    assert_eq!((word, service), (&b"USER"[..], &b"service=imap"[..]));
    assert_eq!(id, (count + 1).to_string().as_bytes());
    assert_eq!(unescaped(escaped), address.as_bytes());
    assert!(!escaped.contains(&b'\r') && !escaped.contains(&0));
}

/// A second implementation of the escapes.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut is_escaped = false;
    for &byte in text {
        match (is_escaped, byte) {
            (false, 1) => is_escaped = true,
            (false, byte) => found.push(byte),
            (true, byte) => {
                found.push(match byte {
                    b'0' => 0,
                    b'1' => 1,
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'n' => b'\n',
                    other => other,
                });
                is_escaped = false;
            }
        }
    }
    found
}
