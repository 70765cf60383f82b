//! Parsers of single values.
//!
//! They do not depend on the key, the file or other values. A message describes the error in the
//! value; the caller prepends the key.

use super::defaults::EMAIL_DOMAIN;
use super::template::{self, HostError, Template};
use crate::account::{Color, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Localised};
use crate::address::{EmailAddress, HostName, is_around, is_text};
use crate::url::HttpsUrl;
use crate::visible::{is_hidden, is_visible, turns};
use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::Duration;

/// A TCP port.
pub fn port(number: i64) -> Result<NonZeroU16, String> {
    let port = u16::try_from(number).ok().and_then(NonZeroU16::new);
    port.ok_or_else(|| format!("{number} is not a valid TCP port (1-65535)"))
}

/// A number of days.
pub fn days(number: i64) -> Result<u16, String> {
    let days = u16::try_from(number).ok().filter(|days| *days > 0);
    days.ok_or_else(|| format!("{number} is not a valid number of days (1-65535)"))
}

/// How long a source of logins may take.
pub fn timeout_ms(number: i64) -> Result<Duration, String> {
    let timeout = u64::try_from(number).ok().filter(|ms| (10..=5000).contains(ms));
    timeout
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{number} is not a valid time limit (10-5000 milliseconds)"))
}

/// Longest name of a map, in bytes.
const MAX_MAP_NAME: usize = 100;

/// The path of a socket, and the name of a map behind it.
pub fn socketmap(text: &str) -> Result<(String, String), String> {
    let parts = text.strip_prefix("unix:").and_then(|rest| rest.rsplit_once(':'));
    let is_name = |name: &str| {
        matches!(name.len(), 1..=MAX_MAP_NAME) && name.bytes().all(|b| b.is_ascii_graphic())
    };
    match parts {
        Some((path, name)) if !path.is_empty() && is_name(name) => {
            Ok((path.to_owned(), name.to_owned()))
        }
        _ => Err(format!(
            "`{text}` is not a Unix socket and a name; expected for example \
             \"unix:/run/logins.sock:logins\""
        )),
    }
}

/// A host name; may contain `%EMAILDOMAIN%`.
pub fn host(text: &str) -> Result<Template<HostName>, String> {
    // seen: Thunderbird accepts no U-labels; a single label is a host, too.
    Template::<HostName>::parse(text).map_err(|error| match error {
        HostError::Invalid => format!(
            "`{text}` is not a host name; expected for example \"mail.example.org\", \
             \"mail.%EMAILDOMAIN%\" or \"192.0.2.1\""
        ),
        HostError::International => beside_the_domain(text),
    })
}

/// A user name; may contain all placeholders.
pub fn username(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Err("the value is empty".to_owned())
    } else if text.chars().any(|c| !is_text(c) || c.is_whitespace()) {
        Err("white space and control characters are not allowed".to_owned())
    } else if let Some(c) = text.chars().find(|c| !is_visible(*c)) {
        Err(format!("U+{:04X} is not visible; remove it", u32::from(c)))
    } else {
        Ok(text.to_owned())
    }
}

/// A line of visible text.
pub fn line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(message) = not_visible(text) {
        return Err(message);
    }
    match text.chars().all(is_text) {
        true => Ok(text.to_owned()),
        false => Err("expected visible text on one line".to_owned()),
    }
}

/// The error in a text that is invisible, or displayed differently from how it is written: users
/// read it on the page and in their mail clients.
fn not_visible(text: &str) -> Option<String> {
    if text.chars().all(|c| is_hidden(c) || c.is_whitespace()) {
        return Some("expected visible text on one line".to_owned());
    }
    let c = text.chars().find(|c| turns(*c))?;
    Some(format!("U+{:04X} changes how the text around it is displayed; remove it", u32::from(c)))
}

/// Texts by language.
pub fn texts(texts: &BTreeMap<String, String>) -> Result<Localised, String> {
    let mut localised = Localised::new();
    for (language, text) in texts {
        let is_tag = language.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        let text = text.trim();
        let is_fine = !text.is_empty() && text.chars().all(|c| is_text(c) || c == '\n');
        if !is_tag || !is_fine {
            return Err(format!(
                "`{language}`: expected a language and its text, for example {{ en = \"text\" }}"
            ));
        }
        if let Some(message) = not_visible(text) {
            return Err(format!("`{language}`: {message}"));
        }
        let text = text.to_owned();
        if localised.insert(language.to_ascii_lowercase(), text).is_some() {
            return Err(format!("duplicate language `{language}`, in another letter case"));
        }
    }
    Ok(localised)
}

/// Longest note on the page in one language, in characters.
const MAX_NOTE: usize = 500;

/// A note for the page, by language.
pub fn note(note: &BTreeMap<String, String>) -> Result<Localised, String> {
    let localised = texts(note)?;
    match localised.iter().find(|(_, text)| text.chars().count() > MAX_NOTE) {
        Some((language, _)) => {
            Err(format!("`{language}`: the text is longer than {MAX_NOTE} characters"))
        }
        None => Ok(localised),
    }
}

/// Longest telephone number as it is shown, in characters.
const MAX_PHONE: usize = 40;
/// The most digits of a telephone number (E.164 §6), with a `(0)` that is not dialled.
const MAX_DIGITS: usize = 16;

/// A telephone number.
pub fn phone(text: &str) -> Result<String, String> {
    let is_sign = |c: char| c.is_ascii_digit() || " ()/.-".contains(c);
    let rest = text.strip_prefix(['+', '(']).unwrap_or(text);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_phone = rest.starts_with(|c: char| c.is_ascii_digit())
        && rest.chars().all(is_sign)
        && text.len() <= MAX_PHONE
        && (2..=MAX_DIGITS).contains(&digits);
    match is_phone {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not a telephone number; expected for example \"+49 30 123456\""
        )),
    }
}

/// An address that people write to.
pub fn email(text: &str) -> Result<EmailAddress, String> {
    let is_bare = !text.starts_with(is_around) && !text.ends_with(is_around);
    EmailAddress::parse(text.as_bytes()).ok().filter(|_| is_bare).ok_or_else(|| {
        format!("`{text}` is not an address; expected for example \"help@example.org\"")
    })
}

/// A name in reverse-DNS order.
pub fn identifier(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match text.split('.').all(is_label) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not a reverse-DNS name; expected for example \"org.example.mail\""
        )),
    }
}

/// A colour.
pub fn color(text: &str) -> Result<Color, String> {
    let color = Color::parse(text);
    color.ok_or_else(|| format!("`{text}` is not a colour; expected for example \"#1f5fbf\""))
}

/// An https URL in ASCII; may contain `%EMAILDOMAIN%`.
pub fn url(text: &str) -> Result<Template<HttpsUrl>, String> {
    Template::<HttpsUrl>::parse(text).ok_or_else(|| {
        format!(
            "`{text}` is not an https URL in ASCII; expected for example \"https://www.example.org/path\""
        )
    })
}

/// An address that clients are sent to; may contain `%EMAILLOCALPART%` and `%EMAILDOMAIN%`.
pub fn redirect_address(text: &str) -> Result<String, String> {
    let domain = text.rsplit('@').next().unwrap_or(text);
    if let Err(HostError::International) = Template::<HostName>::parse(domain) {
        return Err(beside_the_domain(text));
    }
    let example = template::filled(&text.replace(EMAIL_LOCAL_PART, "x"), template::SHORTEST);
    // Requests may have blanks around an address; a setting has one form.
    let is_bare = !text.starts_with(is_around) && !text.ends_with(is_around);
    match EmailAddress::parse(example.as_bytes()) {
        Ok(_) if is_bare => Ok(text.to_owned()),
        _ => Err(format!(
            "`{text}` is not an address; expected for example \"%EMAILLOCALPART%@example.org\""
        )),
    }
}

/// The message for an international letter in the same label as the placeholder.
fn beside_the_domain(text: &str) -> String {
    format!(
        "`{text}`: between two dots, only ASCII letters, digits and hyphens can be beside \
         %EMAILDOMAIN%"
    )
}

//------------ Placeholders ---------------------------------------------------

/// All placeholders that there are.
const PLACEHOLDERS: [&str; 3] = [EMAIL_ADDRESS, EMAIL_LOCAL_PART, EMAIL_DOMAIN];

/// Words that are meant as a placeholder even if one of the two `%` is missing.
const WORDS: [&str; 7] =
    ["EMAILADDRESS", "EMAILLOCALPART", "EMAILDOMAIN", "EMAIL", "DOMAIN", "LOCALPART", "REALNAME"];

/// Refuses text that is meant as a placeholder and is not one of the `known` ones.
///
/// That is `%NAME%` with two letters or more in any case, and one of certain words with a single
/// `%` before or after it. Any other `%` is text: `100%`, `50%-off`, `%20`, and all of the
/// percent-encoding in URLs.
pub fn check_placeholders(text: &str, known: &[&str]) -> Result<(), String> {
    let Some(wrong) = wrong_placeholder(text, known) else { return Ok(()) };
    let is_meant = |known: &&&str| known.strip_suffix('%') == Some(wrong);
    let what = match known.iter().find(is_meant) {
        Some(whole) => format!("the `%` at the end of {whole} is missing"),
        None if PLACEHOLDERS.contains(&wrong) => format!("{wrong} cannot be used at this key"),
        None => format!("unknown placeholder {wrong}"),
    };
    let known = match known {
        [] => "placeholders are not allowed here".to_owned(),
        [only] => format!("only {only} is allowed here"),
        [first @ .., last] => format!("{} and {last} are allowed here", first.join(", ")),
    };
    Err(format!("{what}; {known}"))
}

/// The first part that is meant as a placeholder and is unknown.
fn wrong_placeholder<'t>(text: &'t str, known: &[&str]) -> Option<&'t str> {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find('%') {
        let start = at + found;
        let rest = &text[start..];
        if let Some(placeholder) = known.iter().find(|known| rest.starts_with(**known)) {
            at = start + placeholder.len();
            continue;
        }
        let letters = |text: &str| text.bytes().take_while(u8::is_ascii_alphabetic).count();
        let name = letters(&rest[1..]);
        let behind = &rest[1 + name..];
        let is_word = |word: &str| WORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
        // RFC 3986 §2.1
        let is_encoded = is_url && starts_encoded(rest);
        let is_closed = behind.starts_with('%');
        // In `%BCcher%20` the second `%` begins a byte of its own.
        let is_closed = is_closed
            && !(is_encoded && (name == 2 || starts_encoded(behind) || opens_known(behind, known)));
        let is_email =
            rest[1..1 + name].get(..5).is_some_and(|it| it.eq_ignore_ascii_case("email"));
        if name >= 2 && is_closed {
            return Some(&rest[..name + 2]);
        }
        if is_email || is_word(&rest[1..1 + name]) {
            return Some(&rest[..name + 1]);
        }
        // A word that ends here and does not begin with a `%`.
        let before = &text[at..start];
        let word = before.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        let begin = start - word;
        if is_word(&text[begin..start]) && !(is_url && starts_encoded(rest)) {
            return Some(&text[begin..=start]);
        }
        at = start + 1;
    }
    None
}

fn opens_known(text: &str, known: &[&str]) -> bool {
    known.iter().any(|known| text.starts_with(known))
}

/// True for `%` and two hexadecimal digits.
fn starts_encoded(text: &str) -> bool {
    matches!(text.as_bytes(), [b'%', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds() {
        for (number, is_port) in [(1, true), (65535, true), (0, false), (-1, false), (65536, false)]
        {
            assert_eq!(port(number).is_ok(), is_port, "{number}");
            assert_eq!(days(number).is_ok(), is_port, "{number}");
        }
        assert_eq!(port(70000), Err("70000 is not a valid TCP port (1-65535)".to_owned()));
    }

    #[test]
    fn hosts_are_names() {
        for (text, name) in [
            ("mail.example.org", Some("mail.example.org")),
            ("MAIL.%EMAILDOMAIN%", Some("mail.%EMAILDOMAIN%")),
            ("%EMAILDOMAIN%", Some("%EMAILDOMAIN%")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("localhost", Some("localhost")),
            ("mail example", None),
            ("<b>", None),
            ("", None),
            ("a..b", None),
        ] {
            let name = name.map(|name| match name.contains('%') {
                true => Template::Open(name.to_owned()),
                false => Template::Whole(HostName::parse(name).unwrap()),
            });
            assert_eq!(host(text).ok(), name, "{text}");
        }
    }

    #[test]
    fn urls_are_https_and_ascii() {
        let whole = "https://www.example.org/b%C3%BCcher";
        assert_eq!(url(whole), Ok(Template::Whole(HttpsUrl::parse(whole).unwrap())));
        for text in
            ["https://WWW.%EMAILDOMAIN%/b%C3%BCcher?x=%20#y", "https://a.example/%EMAILDOMAIN%"]
        {
            assert_eq!(url(text), Ok(Template::Open(text.to_owned())), "{text}");
        }
        for text in [
            "http://www.%EMAILDOMAIN%/",
            "https://a.example:%EMAILDOMAIN%/",
            "https://b%C/",
            "https://x/%a%EMAILDOMAIN%",
            "https://x/%%EMAILDOMAIN%",
            "https://x/%EMAILDOMAIN%%",
        ] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_texts() {
        assert_eq!(line(" a b ").as_deref(), Ok("a b"));
        assert!(line(" ").is_err() && line("a\nb").is_err());
        let one = |text: &str| texts(&BTreeMap::from([("en".into(), text.into())]));
        for text in ["a\u{202e}b", "\u{2066}a", "a\u{200f}", "a\u{2028}b", "\u{200b}", "\u{3164}"] {
            assert!(line(text).is_err() && username(text).is_err(), "{text:?}");
            assert!(one(text).is_err(), "{text:?}");
        }
        for text in ["\u{2764}\u{fe0f}", "\u{646}\u{627}\u{645}\u{647}\u{200c}\u{627}\u{6cc}"] {
            assert!(line(text).is_ok() && username(text).is_ok() && one(text).is_ok(), "{text:?}");
        }
        // A soft hyphen is useful in a long word, but not in a user name.
        assert!(line("Donau\u{ad}dampf").is_ok() && username("donau\u{ad}dampf").is_err());
        assert!(username("").is_err() && username("a b").is_err() && username("a%b").is_ok());
        assert!(identifier("org.example-1.mail").is_ok() && identifier("org..mail").is_err());
        assert!(color("#1F5fbf").is_ok() && color("blue").is_err() && color("#1f5fb").is_err());
        for (text, is_address) in [
            ("%EMAILLOCALPART%@example.org", true),
            ("all@%EMAILDOMAIN%", true),
            ("ann", false),
            ("", false),
            ("\nann@example.org", false),
            ("ann@example.org ", false),
            ("ann@\u{fc}.%EMAILDOMAIN%", true),
            ("ann@\u{fc}%EMAILDOMAIN%", false),
        ] {
            assert_eq!(redirect_address(text).is_ok(), is_address, "{text}");
        }
        let one = |tag: &str, text: &str| texts(&BTreeMap::from([(tag.into(), text.into())]));
        assert_eq!(one("de-AT", " a\nb ").unwrap()["de-at"], "a\nb");
        let twice = BTreeMap::from([("EN".into(), "a".into()), ("en".into(), "b".into())]);
        assert!(texts(&twice).is_err_and(|error| error.contains("duplicate language")));
        assert!(one("en", "a\u{202e}b").is_err());
        assert!(one("a b", "x").is_err() && one("en", " ").is_err() && one("en", "\u{7}").is_err());
    }

    #[test]
    fn notes_and_contacts_for_the_page() {
        let of = |text: String| note(&BTreeMap::from([("de".into(), text)]));
        assert!(of("\u{e4}".repeat(500)).is_ok());
        let message = "`de`: the text is longer than 500 characters";
        assert_eq!(of("\u{e4}".repeat(501)), Err(message.to_owned()));
        assert!(of("a\u{202e}".to_owned()).is_err() && of(" ".to_owned()).is_err());
        for number in
            ["112", "+49 30 123456", "(030) 12 34-56", "+49 (0)30/12.34", "0800 123456789012"]
        {
            assert_eq!(phone(number).as_deref(), Ok(number));
        }
        for number in [
            "",
            "1",
            "+",
            "+49 30 x",
            "++49",
            "30\n",
            "12345678901234567",
            "call 112",
            "\u{663}11",
            "<b>1",
        ] {
            assert!(phone(number).is_err(), "{number}");
        }
        assert!(phone(&format!("11{}", " ".repeat(39))).is_err());
        assert!(email("help@example.org").is_ok() && email("h\u{e9}@b\u{fc}cher.example").is_ok());
        for text in ["", "help", "help@x", " help@example.org", "mailto:a@b@example.org"] {
            assert!(email(text).is_err(), "{text}");
        }
    }

    #[test]
    fn placeholders_that_are_not_filled_in() {
        let domain = &[EMAIL_DOMAIN][..];
        for (text, known, wrong) in [
            ("Mail %EMAILADDRESS%", domain, Some("%EMAILADDRESS%")),
            ("%DOMAIN%", domain, Some("%DOMAIN%")),
            ("%emaildomain%", domain, Some("%emaildomain%")),
            ("%EmailDomain%", domain, Some("%EmailDomain%")),
            ("%EMAILDOMAIN", domain, Some("%EMAILDOMAIN")),
            ("%EMAILDOMAIN.example", domain, Some("%EMAILDOMAIN")),
            ("mail.EMAILDOMAIN%", domain, Some("EMAILDOMAIN%")),
            ("%emailaddres", domain, Some("%emailaddres")),
            ("%EMAIL%", &PLACEHOLDERS, Some("%EMAIL%")),
            ("%EMAILADDRESS", &PLACEHOLDERS, Some("%EMAILADDRESS")),
            ("%user%", &PLACEHOLDERS, Some("%user%")),
            ("%EMAILDOMAIN%%DOMAIN%", domain, Some("%DOMAIN%")),
            ("%EMAILDOMAIN%", &[], Some("%EMAILDOMAIN%")),
            ("https://x/%EMAILADDRESS%", domain, Some("%EMAILADDRESS%")),
            ("https://x/%ADDRESS%", domain, Some("%ADDRESS%")),
            ("https://x/%ADDRESS%/y", domain, Some("%ADDRESS%")),
            ("https://%DOMAIN/", domain, Some("%DOMAIN")),
            ("https://x/%C3%BCcher/%emaildomain%", domain, Some("%emaildomain%")),
            ("https://x/%EMAILDOMAIN%/%domain%20", domain, Some("%domain%")),
            // Text.
            ("100%", domain, None),
            ("50%-off", domain, None),
            ("50%off", domain, None),
            ("100% of 20%", domain, None),
            ("5%a%", domain, None),
            ("%20", &[], None),
            ("%u@%d", &PLACEHOLDERS, None),
            ("%EMAILDOMAIN%", domain, None),
            ("%EMAILLOCALPART%%EMAILDOMAIN%", &PLACEHOLDERS, None),
            ("%EMAILLOCALPART%%%EMAILDOMAIN%", &PLACEHOLDERS, None),
            ("https://x/%20%2F", domain, None),
            ("https://x/b%C3%BCcher%20x", domain, None),
            ("https://x/%EF%BB%BF%ab%cd", domain, None),
            ("https://x/%ab%EMAILDOMAIN%", domain, None),
            ("https://x/%abc%EMAILDOMAIN%", domain, None),
            ("https://x/domain%20name", domain, None),
            ("", &[], None),
            ("%", &[], None),
            ("%%", &[], None),
        ] {
            assert_eq!(wrong_placeholder(text, known), wrong, "{text}");
        }
        assert_eq!(
            check_placeholders("%x%EMAIL%", &PLACEHOLDERS),
            Err("unknown placeholder %EMAIL%; %EMAILADDRESS%, %EMAILLOCALPART% and \
                 %EMAILDOMAIN% are allowed here"
                .to_owned())
        );
    }
}
