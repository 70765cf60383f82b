//! The protocol of Postfix's socketmap tables: a name and a key in a netstring, a word and a value
//! in a netstring back. Bytes only, without a socket.
//!
//! Refuses a reply that is longer than one with a login can be, and every word that Postfix does
//! not know. Rules: socketmap_table(5); netstrings as <https://cr.yp.to/proto/netstrings.txt>.

use super::answer::{Answer, Reading};

/// The longest reply that is read, in bytes. Postfix reads 100,000; a login is shorter, and the
/// reason of a failure fits.
pub const MAX_REPLY: usize = 4096;

/// The request for a key in the map `name`.
pub fn request(name: &str, key: &str) -> Vec<u8> {
    format!("{}:{name} {key},", name.len() + 1 + key.len()).into_bytes()
}

/// Reads what was received since the request.
pub fn read(received: &[u8]) -> Reading {
    let digits = received.iter().take_while(|b| b.is_ascii_digit()).count();
    let length = received[..digits].iter().fold(0, |length: usize, digit| {
        length.saturating_mul(10).saturating_add((digit - b'0').into())
    });
    if digits > MAX_REPLY.ilog10() as usize + 1 || length > MAX_REPLY {
        return Reading::Broken("the reply is too long");
    }
    match received.get(digits) {
        None => return Reading::More,
        Some(b':') if digits > 0 => {}
        Some(_) => return Reading::Broken("the reply is not a netstring"),
    }
    let rest = &received[digits + 1..];
    match rest.get(length) {
        None => Reading::More,
        Some(b',') => answer(&rest[..length], digits + 1 + length + 1),
        Some(_) => Reading::Broken("the reply is not a netstring"),
    }
}

fn answer(reply: &[u8], length: usize) -> Reading {
    let blank = reply.iter().position(|&b| b == b' ').unwrap_or(reply.len());
    let (word, rest) = (&reply[..blank], reply.get(blank + 1..).unwrap_or_default());
    let answer = match word {
        b"OK" => Answer::of(rest),
        b"NOTFOUND" => Answer::NotFound,
        b"TEMP" => Answer::failed("TEMP", rest),
        b"TIMEOUT" => Answer::failed("TIMEOUT", rest),
        b"PERM" => Answer::failed("PERM", rest),
        _ => return Reading::Broken("the reply has an unknown word"),
    };
    Reading::Answer(answer, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::OwnLogin;

    #[test]
    fn a_request_is_a_netstring() {
        assert_eq!(request("logins", "ann@example.org"), b"22:logins ann@example.org,");
        assert_eq!(request("l", "\u{fc}@example.org"), "16:l \u{fc}@example.org,".as_bytes());
    }

    #[test]
    fn replies() {
        let login = |text: &str| Answer::Login(OwnLogin::parse(text).unwrap());
        let failed = |text: &str| Answer::Failed(text.to_owned());
        for (reply, expected) in [
            (&b"9:OK asmith,"[..], login("asmith")),
            (b"6:OK a b,", login("a b")),
            (b"9:NOTFOUND ,", Answer::NotFound),
            (b"8:NOTFOUND,", Answer::NotFound),
            (b"12:TEMP no disk,", failed("TEMP: no disk")),
            (b"5:TEMP ,", failed("TEMP")),
            (b"8:TIMEOUT ,", failed("TIMEOUT")),
            (b"8:PERM  x ,", failed("PERM: x")),
            (b"3:OK ,", failed("the reply is not a login")),
            (b"2:OK,", failed("the reply is not a login")),
            (b"5:OK \xff\xff,", failed("the reply is not a login")),
            (b"5:OK a\n,", failed("the reply is not a login")),
        ] {
            let name = String::from_utf8_lossy(reply);
            assert_eq!(read(reply), Reading::Answer(expected.clone(), reply.len()), "{name}");
            for length in 0..reply.len() {
                assert_eq!(read(&reply[..length]), Reading::More, "{name} up to {length}");
            }
            // Bytes behind a reply are not a part of it.
            let more = [reply, b"9:OK"].concat();
            assert_eq!(read(&more), Reading::Answer(expected, reply.len()), "{name}");
        }
    }

    #[test]
    fn bytes_that_are_not_a_reply() {
        for reply in [
            &b"x"[..],
            b":",
            b"-1:",
            b"9;OK asmith,",
            b"8:OK asmith,",
            b"2:ok,",
            b"0:,",
            b"3:OKa,",
            b"9: OK asmit,",
            b"4097:",
            b"99999999999999999999999",
            b"00000",
            b"HTTP/1.1 400 Bad Request\r\n",
            b"\0",
        ] {
            let name = String::from_utf8_lossy(reply);
            assert!(matches!(read(reply), Reading::Broken(_)), "{name}: {:?}", read(reply));
        }
        let reason = "x".repeat(MAX_REPLY - 5);
        let reply = format!("4096:TEMP {reason},");
        let Reading::Answer(Answer::Failed(text), length) = read(reply.as_bytes()) else {
            panic!("the longest reply");
        };
        assert_eq!((text.len(), length), ("TEMP: ".len() + 200, reply.len()));
        let (long, short) = (format!("260:OK {},", "x".repeat(257)), "x".repeat(255));
        assert!(matches!(read(long.as_bytes()), Reading::Answer(Answer::Failed(_), 265)));
        let reply = format!("258:OK {short},");
        let expected = Answer::Login(OwnLogin::parse(&short).unwrap());
        assert_eq!(read(reply.as_bytes()), Reading::Answer(expected, reply.len()));
    }
}
