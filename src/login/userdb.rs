//! The protocol of Dovecot's userdb socket. Bytes only, without a socket.
//!
//! Only VERSION and USER are ever sent. The login is the user name of the reply: Dovecot has applied
//! `auth_username_format` and a `user` field of its userdb to it. Refuses the reply to another
//! request, another major version, and a reply that is longer than a userdb entry is.
//!
//! Rules: Dovecot's auth_protocol.md, "Server <-> Master", and the parts of `auth-master-connection.c`
//! that it leaves out; the same in Dovecot 2.3 and 2.4.

use super::answer::{Answer, Reading};
use std::borrow::Cow;

/// The longest reply that is read, in bytes: an entry has the home folder, quota rules and the like.
pub const MAX_REPLY: usize = 8192;

/// The service that is named in the request. Userdb queries may have it in them, as ISPConfig's
/// has in `disable%Ls`, so it is one that exists.
const SERVICE: &str = "imap";

/// The greeting of a client. Servers speak their own minor version, and accept every one.
const GREETING: &str = "VERSION\t1\t1\n";

/// The bytes to send for the request `count` of a connection, counted from 0.
pub fn request(count: u32, address: &str) -> Vec<u8> {
    let greeting = if count == 0 { GREETING } else { "" };
    let (id, user) = (id(count), escaped(address));
    format!("{greeting}USER\t{id}\t{user}\tservice={SERVICE}\n").into_bytes()
}

/// Reads what was received since the request `count`.
pub fn read(count: u32, received: &[u8]) -> Reading {
    let mut length = 0;
    let mut is_greeted = count > 0;
    for line in received.split_inclusive(|&b| b == b'\n') {
        length += line.len();
        if length > MAX_REPLY {
            break;
        }
        let Some(line) = line.strip_suffix(b"\n") else { return Reading::More };
        let mut fields = line.split(|&b| b == b'\t');
        let word = fields.next().unwrap_or_default();
        if !is_greeted {
            if word != b"VERSION" || fields.next() != Some(b"1") {
                return Reading::Broken("the server does not greet as a userdb of Dovecot");
            }
            is_greeted = true;
            continue;
        }
        // Others are about the server, as SPID is.
        if ![&b"USER"[..], b"NOTFOUND", b"FAIL"].contains(&word) {
            continue;
        }
        if fields.next() != Some(id(count).to_string().as_bytes()) {
            return Reading::Broken("the reply has the id of another request");
        }
        let answer = match word {
            b"NOTFOUND" => Answer::NotFound,
            b"FAIL" => {
                let reason = fields.find_map(|field| field.strip_prefix(b"reason="));
                Answer::failed("FAIL", &unescaped(reason.unwrap_or_default()))
            }
            _ => match fields.next() {
                Some(user) => Answer::of(&unescaped(user)),
                None => return Reading::Broken("the reply has no user name"),
            },
        };
        return Reading::Answer(answer, length);
    }
    match length > MAX_REPLY {
        true => Reading::Broken("the reply is too long"),
        false => Reading::More,
    }
}

/// The id of the request `count`.
fn id(count: u32) -> u32 {
    count.wrapping_add(1)
}

/// The signs that separate fields and lines, and the one that escapes them, with their names.
const ESCAPES: [(char, char); 5] =
    [('\0', '0'), ('\u{1}', '1'), ('\t', 't'), ('\r', 'r'), ('\n', 'n')];

fn escaped(text: &str) -> Cow<'_, str> {
    let escape = |c: char| ESCAPES.iter().find(|(sign, _)| *sign == c).map(|(_, name)| *name);
    if !text.chars().any(|c| escape(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match escape(c) {
            Some(name) => escaped.extend(['\u{1}', name]),
            None => escaped.push(c),
        }
    }
    escaped.into()
}

fn unescaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&1) {
        return Cow::Borrowed(bytes);
    }
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        match (byte, rest.as_slice().first()) {
            (1, Some(&name)) => {
                rest.next();
                let sign = ESCAPES.iter().find(|(_, known)| *known == char::from(name));
                text.push(sign.map_or(name, |(sign, _)| *sign as u8));
            }
            (1, None) => {}
            (byte, _) => text.push(byte),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::OwnLogin;

    /// The longest line that Dovecot reads, in bytes.
    const MAX_LINE: usize = 1024;

    fn login(text: &str) -> Answer {
        Answer::Login(OwnLogin::parse(text).unwrap())
    }

    fn failed(text: &str) -> Answer {
        Answer::Failed(text.to_owned())
    }

    /// What Dovecot 2.3.19 was sent, and what it replied, with a passwd-file:
    /// `ann@example.org:{PLAIN}x:1000:1000::/home/ann::userdb_user=asmith`.
    #[test]
    fn a_recorded_dialogue() {
        for (count, address, sent, received, answer) in [
            (
                0,
                "ann@example.org",
                "VERSION\t1\t1\nUSER\t1\tann@example.org\tservice=imap\n",
                "VERSION\t1\t1\nSPID\t24223\nUSER\t1\tasmith\tuid=1000\tgid=1000\thome=/home/ann\n",
                login("asmith"),
            ),
            (
                1,
                "bob@example.org",
                "USER\t2\tbob@example.org\tservice=imap\n",
                "USER\t2\tbob@example.org\tuid=1000\tgid=1000\thome=/home/bob\n",
                login("bob@example.org"),
            ),
            (
                2,
                "nobody@example.org",
                "USER\t3\tnobody@example.org\tservice=imap\n",
                "NOTFOUND\t3\n",
                Answer::NotFound,
            ),
            // The socket had mode 0666, and the peer's uid was not that of the reply.
            (
                0,
                "ann@example.org",
                "VERSION\t1\t1\nUSER\t1\tann@example.org\tservice=imap\n",
                "VERSION\t1\t1\nSPID\t24414\nFAIL\t1\n",
                failed("FAIL"),
            ),
            // A tab in the userdb.
            (
                6,
                "tab@example.org",
                "USER\t7\ttab@example.org\tservice=imap\n",
                "USER\t7\ta\x01tb\tuid=1000\tgid=1000\thome=/home/bob\n",
                failed("the reply is not a login"),
            ),
        ] {
            assert_eq!(String::from_utf8(request(count, address)).unwrap(), sent);
            let bytes = received.as_bytes();
            assert_eq!(read(count, bytes), Reading::Answer(answer, bytes.len()), "{received}");
            for length in 0..bytes.len() {
                assert_eq!(read(count, &bytes[..length]), Reading::More, "{received} to {length}");
            }
        }
    }

    #[test]
    fn other_replies() {
        for (count, received, answer) in [
            (0, "VERSION\t1\t4\nSPID\t9\nFUTURE\tx\nUSER\t1\ta\n", login("a")),
            (0, "VERSION\t1\t3\nUSER\t1\ta\tuser=b\n", login("a")),
            (4, "FAIL\t5\treason=no\x01tdisk\n", failed("FAIL: no\tdisk")),
            (4, "FAIL\t5\ttemp\n", failed("FAIL")),
            (4, "USER\t5\t\n", failed("the reply is not a login")),
            (4, "USER\t5\ta\x01zb\x01\n", login("azb")),
            (u32::MAX, "USER\t0\ta\n", login("a")),
        ] {
            let expected = Reading::Answer(answer, received.len());
            assert_eq!(read(count, received.as_bytes()), expected, "{received}");
        }
        for (count, received) in [
            (0, "SPID\t9\n"),
            (0, "VERSION\t2\t0\n"),
            (0, "VERSION\n"),
            (0, "\n"),
            (0, "* OK Dovecot ready.\r\n"),
            (1, "USER\t1\ta\n"),
            (1, "USER\t02\ta\n"),
            (1, "USER\n"),
            (1, "USER\t2\n"),
            (1, "NOTFOUND\t3\n"),
            (1, "FAIL\n"),
        ] {
            let reading = read(count, received.as_bytes());
            assert!(matches!(reading, Reading::Broken(_)), "{received}: {reading:?}");
        }
        let endless = vec![b'x'; MAX_REPLY + 1];
        assert_eq!(read(1, &endless), Reading::Broken("the reply is too long"));
        assert_eq!(read(1, &endless[1..]), Reading::More);
        let lines = "SPID\t1\n".repeat(MAX_REPLY);
        assert_eq!(read(1, lines.as_bytes()), Reading::Broken("the reply is too long"));
    }

    /// A longer line would end the connection, and Dovecot would log an error.
    #[test]
    fn every_request_fits_into_a_line() {
        let address = format!("{}@{}", "\t".repeat(64), "x".repeat(253));
        let line = request(u32::MAX - 1, &address).len();
        assert!(line + GREETING.len() < MAX_LINE, "{line}");
        assert_eq!(
            request(1, "\"a\tb\u{1}\"@example.org"),
            b"USER\t2\t\"a\x01tb\x011\"@example.org\tservice=imap\n"
        );
    }

    /// Whoever may ask this socket may usually also ask for password hashes and all users.
    #[test]
    fn nothing_is_sent_but_version_and_user() {
        for count in [0, 1, 2, u32::MAX] {
            for address in ["ann@example.org", "\"\nLIST\t1\n\"@example.org", "\"\rPASS\0\"@x.org"]
            {
                let request = String::from_utf8(request(count, address)).unwrap();
                let lines: Vec<_> = request.strip_suffix('\n').unwrap().split('\n').collect();
                let (user, greeting) = lines.split_last().unwrap();
                assert_eq!(greeting, if count == 0 { &["VERSION\t1\t1"][..] } else { &[] });
                assert_eq!(user.split('\t').count(), 4, "{user}");
                assert!(user.starts_with("USER\t") && !user.contains(['\r', '\0']), "{user}");
            }
        }
    }
}
