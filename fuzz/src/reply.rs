//! Replies of servers that know logins, byte by byte, as `socketmap_reply` and `userdb_reply` check
//! them.

use mailsetup::login::answer::{Answer, Reading};

/// The longest login.
const MAX_LOGIN: usize = 255;

/// Checks that a reply is complete with its last byte and not before, that it is the same whatever
/// follows it, and that what is read of it can be a login. Returns what is read of all bytes.
pub fn check(data: &[u8], read: impl Fn(&[u8]) -> Reading) -> Reading {
    let whole = read(data);
    let end = match &whole {
        Reading::Answer(_, length) => *length,
        Reading::More => data.len() + 1,
        // The first byte that cannot be one of a reply.
        Reading::Broken(_) => {
            let is_broken = |length: &usize| read(&data[..*length]) != Reading::More;
            (0..=data.len()).find(is_broken).expect("the whole is broken")
        }
    };
    // Long inputs are the same byte again and again.
    let step = 1 + data.len() / 512;
    for length in (0..=data.len()).step_by(step) {
        let reading = read(&data[..length]);
        match &whole {
            _ if length < end => assert_eq!(reading, Reading::More, "{length} of {end} bytes"),
            Reading::Broken(_) => assert!(matches!(reading, Reading::Broken(_)), "{reading:?}"),
            _ => assert_eq!(reading, whole),
        }
    }
    if let Reading::Answer(Answer::Login(login), _) = &whole {
        let text = login.as_str();
        assert!(matches!(text.len(), 1..=MAX_LOGIN) && !text.contains("%EMAIL"), "{text}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    whole
}
