//! E-mail addresses and domains, parsed once into types.
//!
//! Accepts the forms that mail software accepts: dot-atoms (also with doubled or final dots, which
//! exist in real mailboxes), quoted local parts, UTF-8 local parts (RFC 6531) and international
//! domains in both spellings. Refuses control characters, invisible characters, markup outside
//! quotes, oversized parts, and domains that are not host names. Rules: RFC 5321 §4.1.2 and
//! §4.5.3.1, RFC 5890, RFC 1123 §2.1, RFC 8264 §4.3.

use crate::visible::{is_hidden, is_joiner};
use std::borrow::{Borrow, Cow};
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Longest local part in octets (RFC 5321 §4.5.3.1.1).
pub const MAX_LOCAL_PART: usize = 64;
/// Longest domain name in octets (RFC 5321 §4.5.3.1.2; RFC 1035 leaves 253 for the text form).
pub const MAX_DOMAIN: usize = 253;
/// The prefixes of the host names at which clients request a domain's settings.
pub const HOST_PREFIXES: [&str; 4] = ["autoconfig.", "autodiscover.", "ua-auto-config.", "www."];
/// Longest text that is parsed as a domain, in octets: a letter of another script has up to four.
/// IDNA takes milliseconds for more than 64 KiB.
const MAX_DOMAIN_TEXT: usize = 4 * MAX_DOMAIN;
/// Longest label of a domain name in octets (RFC 1035 §2.3.4).
pub const MAX_LABEL: usize = 63;

//------------ Domain ---------------------------------------------------------

/// A domain name of two or more labels: ASCII (A-labels), lower case, no final dot.
///
/// Cheap to clone.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Domain(Arc<str>);

impl Domain {
    /// Parses a domain in any letter case, with or without a final dot, in U- or A-labels.
    ///
    /// Fails for addresses, ports, single labels and everything that is not a host name.
    pub fn parse(text: &str) -> Result<Domain, AddressError> {
        domain_name(text).map(|name| Domain(name.into()))
    }

    /// The domain in A-labels and lower case, without a final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain as people write it: in U-labels, unless these could be mistaken for another name.
    pub fn for_people(&self) -> Cow<'_, str> {
        match is_international(self) {
            true => readable(self).map_or(Cow::Borrowed(self.as_str()), Cow::Owned),
            false => Cow::Borrowed(self.as_str()),
        }
    }

    /// The domain without one of `prefixes` (each with its dot), if the rest is still a domain.
    pub fn without_prefix(&self, prefixes: &[&str]) -> Option<Domain> {
        let rest = prefixes.iter().find_map(|prefix| self.0.strip_prefix(prefix))?;
        rest.contains('.').then(|| Domain(rest.into()))
    }

    /// True if the domain is `other` or a subdomain of it.
    pub fn is_in(&self, other: &Domain) -> bool {
        let rest = self.0.strip_suffix(other.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The number of labels.
    pub fn labels(&self) -> usize {
        self.0.split('.').count()
    }

    /// Most labels of a parent that may have a pattern; deeper ones are not looked for.
    pub const MAX_PARENT_LABELS: usize = 17;

    /// The domains that this one is below, the nearest first: of at least two labels, and of at most
    /// [`Domain::MAX_PARENT_LABELS`], so that there are 16 of them or fewer.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        let dots = self.0.match_indices('.').map(|(at, _)| &self.0[at + 1..]);
        let left_out = self.labels().saturating_sub(Domain::MAX_PARENT_LABELS + 1);
        dots.skip(left_out).filter(|parent| parent.contains('.'))
    }

    /// True if the domain is `name` without one of `prefixes`.
    pub fn is_left_of(&self, name: &Domain, prefixes: &[&str]) -> bool {
        name.0.strip_suffix(self.as_str()).is_some_and(|prefix| prefixes.contains(&prefix))
    }
}

/// For look-ups in maps by a part of another domain.
impl Borrow<str> for Domain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a domain as [`Domain::parse`] reads it; borrowed if it is written that way.
pub fn domain_name(text: &str) -> Result<Cow<'_, str>, AddressError> {
    if text.len() > MAX_DOMAIN_TEXT {
        return Err(AddressError::Domain);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let ascii = match plain_host_name(name) {
        Some(Plain { is_lower: true }) => Cow::Borrowed(name),
        Some(Plain { is_lower: false }) => Cow::Owned(name.to_ascii_lowercase()),
        // UTS #46 drops some invisible characters; two different names would then look alike.
        None if name.chars().any(|c| is_hidden(c) && !is_joiner(c)) => {
            return Err(AddressError::Domain);
        }
        None => idna::domain_to_ascii(name)
            .ok()
            .filter(|ascii| is_host_name(ascii))
            .ok_or(AddressError::Domain)?
            .into(),
    };
    let last_dot = ascii.bytes().rposition(|b| b == b'.').ok_or(AddressError::Domain)?;
    match is_number(&ascii[last_dot + 1..]) {
        true => Err(AddressError::Domain),
        false => Ok(ascii),
    }
}

/// A host name that needs no IDNA mapping.
struct Plain {
    is_lower: bool,
}

/// Recognises a plain host name: ASCII in any letter case, without two adjacent hyphens, which may
/// mean that the name is already mapped (RFC 5891 §4.2.3.1).
fn plain_host_name(name: &str) -> Option<Plain> {
    const UPPER: u8 = 2;
    /// Every request has a Host: a table look-up takes half as long as comparisons.
    static ALPHANUMERIC: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < table.len() {
            table[byte] = match byte as u8 {
                b'a'..=b'z' | b'0'..=b'9' => 1,
                b'A'..=b'Z' => UPPER,
                _ => 0,
            };
            byte += 1;
        }
        table
    };
    let mut rest = name.as_bytes();
    let (mut label_len, mut seen) = (0, 0);
    loop {
        let run = rest.iter().position(|&b| {
            let class = ALPHANUMERIC[usize::from(b)];
            seen |= class;
            class == 0
        });
        let run = run.unwrap_or(rest.len());
        label_len += run;
        // Empty between two dots or hyphens, before the first or after the last.
        if run == 0 || label_len > MAX_LABEL {
            return None;
        }
        match rest.get(run) {
            None if name.len() <= MAX_DOMAIN => return Some(Plain { is_lower: seen < UPPER }),
            Some(b'-') => label_len += 1,
            Some(b'.') => label_len = 0,
            _ => return None,
        }
        rest = &rest[run + 1..];
    }
}

/// True for a lower-case ASCII host name by RFC 1123 §2.1 (no underscore).
pub fn is_host_name(name: &str) -> bool {
    let may_be = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let mut labels = name.split('.');
    name.len() <= MAX_DOMAIN
        && labels.all(|label| {
            matches!(label.len(), 1..=MAX_LABEL)
                && label.bytes().all(may_be)
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// The prefix of an A-label (RFC 5890 §2.3.2.1).
const A_LABEL: &str = "xn--";

fn is_international(domain: &Domain) -> bool {
    domain.0.split('.').any(|label| label.starts_with(A_LABEL))
}

/// A domain in U-labels; `None` if they could be mistaken for another name, or do not map back to
/// it.
fn readable(domain: &Domain) -> Option<String> {
    let (text, result) = idna::domain_to_unicode(domain.as_str());
    result.ok()?;
    let is_safe = text.split('.').all(is_safe_label);
    let leads_back = || idna::domain_to_ascii(&text).is_ok_and(|ascii| ascii == domain.as_str());
    (is_safe && leads_back()).then_some(text)
}

/// True for a label of letters, digits, hyphens and the marks that belong to letters, without a mix
/// of scripts whose letters look alike (UTS #39 §5).
///
/// Refuses invisible characters and those that look like a dot, a slash or a blank.
fn is_safe_label(label: &str) -> bool {
    let is_mark = |c| {
        matches!(c,
            // Combining marks; the middle dots of Catalan and Japanese (RFC 5892 A.3, A.7).
            '\u{300}'..='\u{36f}' | '\u{b7}' | '\u{30fb}' | '\u{3099}' | '\u{309a}'
            // The scripts of India and South-East Asia, whose words need marks that are not
            // letters.
            | '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
    };
    let is_latin =
        |c: char| c.is_alphabetic() && (c < '\u{250}' || ('\u{1e00}'..'\u{1f00}').contains(&c));
    let looks_latin = |c| {
        // Greek, Cyrillic, Armenian; Cherokee; more Cyrillic, Greek and Coptic.
        matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1c80}'..='\u{1c8f}'
            | '\u{1f00}'..='\u{1fff}' | '\u{2c80}'..='\u{2cff}' | '\u{a640}'..='\u{a69f}'
            | '\u{ab70}'..='\u{abbf}')
    };
    label.chars().all(|c| c.is_alphanumeric() || c == '-' || is_mark(c))
        && !(label.chars().any(is_latin) && label.chars().any(looks_latin))
}

/// True for a number, decimal or hexadecimal: a name that ends in one is an IPv4 address or nothing
/// (RFC 1123 §2.1; the URL Standard, "ends in a number").
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => label.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// True for a lower-case ASCII host name that programs do not take for another one: it ends in a
/// number only if it is an IPv4 address in its usual form, and its A-labels can be decoded.
fn is_unmistakable(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    if is_number(last) {
        return name.parse::<Ipv4Addr>().is_ok();
    }
    let mut a_labels = name.split('.').filter(|label| label.starts_with(A_LABEL));
    a_labels.all(|label| idna::domain_to_ascii(label).is_ok_and(|ascii| ascii == label))
}

//------------ HostName -------------------------------------------------------

/// The name of a host: a domain, a single label, or an IPv4 address in four decimal parts; ASCII
/// (A-labels), lower case, no final dot.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HostName(String);

impl HostName {
    /// Parses a name in any letter case, with or without a final dot, in U- or A-labels. `None` if
    /// it is not a host name.
    pub fn parse(text: &str) -> Option<HostName> {
        let name = domain_name(text).map_or_else(
            |_| text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase(),
            Cow::into_owned,
        );
        HostName::in_ascii(name)
    }

    /// Takes a name that is already in ASCII and lower case. `None` if it is not a host name.
    pub fn in_ascii(name: String) -> Option<HostName> {
        (is_host_name(&name) && is_unmistakable(&name)).then_some(HostName(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for an IPv4 address.
    pub fn is_address(&self) -> bool {
        self.0.parse::<Ipv4Addr>().is_ok()
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<Domain> for HostName {
    fn eq(&self, domain: &Domain) -> bool {
        *self.0 == *domain.0
    }
}

//------------ EmailAddress ---------------------------------------------------

/// An e-mail address: a checked local part as the user spelled it, and a [`Domain`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EmailAddress {
    local_part: String,
    domain: Domain,
}

impl EmailAddress {
    /// Parses an address from bytes, after percent-decoding. Blanks around it are dropped.
    pub fn parse(bytes: &[u8]) -> Result<EmailAddress, AddressError> {
        let text = std::str::from_utf8(bytes).map_err(|_| AddressError::NotUtf8)?;
        let text = match text.as_bytes() {
            // Nearly always the address has nothing around it.
            [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
            _ => text.trim_matches(is_around),
        };
        // A quoted local part may contain an `@`; a domain never does.
        let at = text.bytes().rposition(|b| b == b'@').ok_or(AddressError::NoAt)?;
        let (local_part, domain) = (&text[..at], Domain::parse(&text[at + 1..])?);
        if local_part.len() > MAX_LOCAL_PART {
            return Err(AddressError::LocalPart);
        }
        let is_well_formed = is_plain(local_part)
            || (is_dot_atom(local_part) || is_quoted_string(local_part))
                && joiners_join(local_part);
        match is_well_formed {
            true => Ok(EmailAddress { local_part: local_part.to_owned(), domain }),
            false => Err(AddressError::LocalPart),
        }
    }

    /// The part before the `@`, as the user spelled it.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// True if the local part is a quoted string, which may contain any text.
    pub fn is_quoted(&self) -> bool {
        self.local_part.starts_with('"')
    }

    /// The address as people write it.
    pub fn for_people(&self) -> String {
        [&self.local_part, "@", &*self.domain.for_people()].concat()
    }

    /// One spelling for all letter cases of the address; identifiers are derived from it.
    pub fn folded(&self) -> String {
        [&self.local_part.to_lowercase(), "@", self.domain.as_str()].concat()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.local_part)?;
        f.write_str("@")?;
        f.write_str(self.domain.as_str())
    }
}

/// True for text of the letters, digits and signs that nearly all addresses consist of; it needs no
/// further checks.
fn is_plain(text: &str) -> bool {
    let is_usual = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+');
    !text.is_empty() && text.bytes().all(is_usual)
}

/// Characters of a dot-atom and dots anywhere: `a..b@` and `a.@` exist (seen: docomo.ne.jp).
fn is_dot_atom(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| {
            c.is_ascii_alphanumeric()
                || ".!#$%&'*+-/=?^_`{|}~".contains(c)
                || (!c.is_ascii() && is_seen(c))
        })
}

/// A quoted string (RFC 5321 §4.1.2) without control characters, and without white space other than
/// blanks.
fn is_quoted_string(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if c != ' ' && !is_seen(c) => return false,
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return false,
            _ => escaped = false,
        }
    }
    !inner.is_empty() && !escaped
}

/// True for characters that people and programs put around an address: blanks, tabs, ends of lines
/// and pages, and the blanks of other widths that phone keyboards and web pages produce.
pub fn is_around(c: char) -> bool {
    matches!(c, '\t' | '\r' | '\n' | '\u{c}')
        || (c.is_whitespace() && !c.is_control() && !is_hidden(c))
}

/// True for characters that a local part may contain: visible ones. Joiners are checked by
/// [`joiners_join`].
fn is_seen(c: char) -> bool {
    is_text(c) && !c.is_whitespace() && (!is_hidden(c) || is_joiner(c))
}

/// True if every joiner is between letters whose shape it changes, as in Persian and in the scripts
/// of India (RFC 5892, appendices A.1 and A.2); elsewhere it is invisible. IDNA has the same rule
/// for domains.
fn joiners_join(text: &str) -> bool {
    text.split(|c: char| c.is_ascii())
        .filter(|word| word.contains(is_joiner))
        .all(|word| idna::domain_to_unicode(word).1.is_ok())
}

/// True for characters that a line of any document may contain: no control characters, and not the
/// two that XML 1.0 §2.2 excludes.
pub fn is_text(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

//------------ AddressError ---------------------------------------------------

/// Why a text is not an e-mail address or a domain. It never contains the input, so it may be
/// shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressError {
    /// Not UTF-8.
    NotUtf8,
    /// There is no `@`.
    NoAt,
    /// The part before the `@` is empty, too long or has characters that need quotes.
    LocalPart,
    /// The part after the `@` is not a domain name.
    Domain,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            AddressError::NotUtf8 => "it is not UTF-8",
            AddressError::NoAt => "it has no @",
            AddressError::LocalPart => "the part before the @ is empty, too long or not allowed",
            AddressError::Domain => "the part after the @ is not a domain name",
        })
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_meet_in_one_spelling() {
        for (text, parsed) in [
            ("example.org", "example.org"),
            ("EXAMPLE.Org.", "example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("XN--Bcher-KVA.example", "xn--bcher-kva.example"),
            ("a.b-c.example", "a.b-c.example"),
            ("A--b.c--d.example", "a--b.c--d.example"),
        ] {
            assert_eq!(Domain::parse(text).unwrap().as_str(), parsed, "{text}");
        }
        for text in [
            "",
            ".",
            "org",
            "example..org",
            "-a.example",
            "a-.example",
            "a_b.example",
            "a b.example",
            "<b>.example",
            "example.org:80",
            "192.0.2.1",
            "example.0x4",
            "example.0x",
            "[::1]",
            "xn--a.example",
            "a.example..",
            "\u{202e}x.example",
        ] {
            assert_eq!(Domain::parse(text), Err(AddressError::Domain), "{text}");
        }
        let long = format!("{}.example", "a".repeat(64));
        assert!(Domain::parse(&long).is_err());
        assert!(Domain::parse(&"ab.".repeat(90)).is_err());
        assert!(Domain::parse(&format!("{}example", "é.".repeat(340))).is_err());
    }

    #[test]
    fn hosts_are_domains_labels_or_addresses() {
        for (text, name) in [
            ("MAIL.Example.org.", "mail.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("Localhost", "localhost"),
            ("localhost.", "localhost"),
            ("192.0.2.1", "192.0.2.1"),
            ("XN--Bcher-KVA", "xn--bcher-kva"),
            ("1.2.3.0x4.example", "1.2.3.0x4.example"),
            ("4x0", "4x0"),
        ] {
            let host = HostName::parse(text).unwrap();
            assert_eq!(host.as_str(), name, "{text}");
            assert_eq!(host.is_address(), text == "192.0.2.1", "{text}");
            assert_eq!(HostName::in_ascii(name.to_owned()), Some(host), "{text}");
        }
        for text in ["", ".", "a..b", "a.example..", "mail example", "<b>", "a:1", "[::1]"] {
            assert_eq!(HostName::parse(text), None, "{text}");
        }
        // Programs take these for other addresses, or for none.
        for text in [
            "127.1",
            "127.1.",
            "1",
            "0x7f000001",
            "10.0.0.256",
            "010.0.0.1",
            "1.2.3.4.5",
            "1.2.3.0x4",
            "1.2.3.0X4",
            "mail.example.1",
            "mail.example.0x",
            "xn--a.b",
            "xn--a",
            "xn--.example",
            "xn--abc-.example",
            "mail.xn--example.org",
        ] {
            assert_eq!(HostName::parse(text), None, "{text}");
            assert_eq!(HostName::in_ascii(text.to_ascii_lowercase()), None, "{text}");
        }
        for text in ["MAIL.example.org", "mail.example.org.", "bücher.example"] {
            assert_eq!(HostName::in_ascii(text.to_owned()), None, "{text}");
        }
        let domain = Domain::parse("mail.example.org").unwrap();
        assert!(HostName::parse("MAIL.example.org").is_some_and(|host| host == domain));
    }

    #[test]
    fn people_read_letters_unless_they_deceive() {
        for text in [
            "example.org",
            "bücher.example",
            "почта.рф",
            "例え.テスト",
            "हिन्दी.भारत",
            "ภาษา.ไทย",
            "l·l.example",
            "οικονομία.gr",
            "a--b.bücher.example",
        ] {
            assert_eq!(Domain::parse(text).unwrap().for_people(), text);
        }
        for text in [
            // Latin with Cyrillic, Greek, Cherokee.
            "раypal.example",
            "gοοgle.example",
            "Ꮯcc.example",
            // A slash, a heart, a joiner that is allowed between these letters.
            "a⁄b.example",
            "i♥.example",
            "نامه‌ای.example",
        ] {
            let Ok(domain) = Domain::parse(text) else { continue };
            assert!(domain.as_str().contains("xn--"), "{text}: {domain}");
            assert_eq!(domain.for_people(), domain.as_str(), "{text}");
        }
        let address = EmailAddress::parse("Ann@xn--bcher-kva.example".as_bytes()).unwrap();
        assert_eq!(address.for_people(), "Ann@bücher.example");
    }

    #[test]
    fn addresses_that_people_have() {
        for text in [
            "ann@example.org",
            "ann+tag@example.org",
            "o'brien@example.org",
            "a&b@example.org",
            "a..b.@example.org",
            "\"a b\"@example.org",
            "\"a@b\"@example.org",
            "дмитрий@example.org",
            "\"<b>\"@example.org",
        ] {
            let address = EmailAddress::parse(text.as_bytes()).expect(text);
            assert_eq!(address.to_string(), text);
        }
        let address = EmailAddress::parse(b" \x0cAnn@EXAMPLE.org\n").unwrap();
        assert_eq!((address.local_part(), address.domain().as_str()), ("Ann", "example.org"));
        assert_eq!(address.folded(), "ann@example.org");
    }

    #[test]
    fn what_is_no_address_says_why() {
        use AddressError::*;
        for (bytes, error) in [
            (&b"\xff@example.org"[..], NotUtf8),
            (b"ann", NoAt),
            (b"@example.org", LocalPart),
            (b"<b>@example.org", LocalPart),
            (b"a b@example.org", LocalPart),
            (b"a\x00@example.org", LocalPart),
            (b"\"a\"b\"@example.org", LocalPart),
            (b"\"a\\\"@example.org", LocalPart),
            ("\u{fffe}@example.org".as_bytes(), LocalPart),
            ("\u{202a}ann@example.org".as_bytes(), LocalPart),
            ("\"a\u{a0}b\"@example.org".as_bytes(), LocalPart),
            ("a\u{200d}b@example.org".as_bytes(), LocalPart),
            ("ann@exam\u{ad}ple.org".as_bytes(), Domain),
            (b"ann@localhost", Domain),
            (b"ann@exa mple.org", Domain),
        ] {
            assert_eq!(EmailAddress::parse(bytes), Err(error), "{}", bytes.escape_ascii());
        }
        let long = format!("{}@example.org", "a".repeat(65));
        assert_eq!(EmailAddress::parse(long.as_bytes()), Err(LocalPart));
    }

    #[test]
    fn joiners_stand_inside_words_that_need_them() {
        for text in ["نامه\u{200c}ای", "क्\u{200d}ष", "a.नी\u{94d}\u{200c}म.b"] {
            assert!(
                EmailAddress::parse(format!("{text}@example.org").as_bytes()).is_ok(),
                "{text}"
            );
        }
        assert!(Domain::parse("نامه\u{200c}ای.example").is_ok());
        for text in [
            "\u{200c}نامه",
            "نامه\u{200c}",
            "a\u{200c}b",
            "ا\u{200c}ی",
            "नी\u{200d}म",
            "नी\u{94d}.\u{200d}म",
            "नी\u{94d}a\u{200d}म",
            "👩\u{200d}💻",
            "\"a \u{200d}b\"",
        ] {
            assert!(
                EmailAddress::parse(format!("{text}@example.org").as_bytes()).is_err(),
                "{text}"
            );
        }
        assert!(Domain::parse("a\u{200d}b.example").is_err());
    }

    #[test]
    fn parents_have_two_labels_or_more() {
        let parents = |text: &str| {
            let domain = Domain::parse(text).unwrap();
            domain.parents().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(parents("example.org"), [""; 0]);
        assert_eq!(parents("a.example.org"), ["example.org"]);
        assert_eq!(parents("b.a.example.org"), ["a.example.org", "example.org"]);
        for (labels, count) in [(16, 14), (18, 16), (19, 16), (100, 16)] {
            let parents = parents(&format!("{}org", "a.".repeat(labels - 1)));
            assert_eq!(parents.len(), count, "{labels}");
            assert_eq!(parents[count - 1], "a.org");
        }
    }

    #[test]
    fn only_a_whole_prefix_label_is_stripped() {
        let strip = |text| Domain::parse(text).unwrap().without_prefix(&["autoconfig.", "www."]);
        assert_eq!(strip("autoconfig.ab.fr").unwrap().as_str(), "ab.fr");
        assert_eq!(strip("autoconfig.fr"), None);
        assert_eq!(strip("autoconfigs.ab.fr"), None);
        let domain = Domain::parse("ab.fr").unwrap();
        for (name, is) in [("ab.fr", true), ("x.y.ab.fr", true), ("cab.fr", false), ("b.fr", false)]
        {
            assert_eq!(Domain::parse(name).unwrap().is_in(&domain), is, "{name}");
        }
        for (name, is) in [("autoconfig.ab.fr", true), ("ab.fr", false), ("x.www.ab.fr", false)] {
            let name = Domain::parse(name).unwrap();
            assert_eq!(domain.is_left_of(&name, &["autoconfig.", "www."]), is, "{name}");
        }
    }
}
