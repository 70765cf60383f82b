//! E-mail addresses: any bytes.
//!
//! Checks: an accepted address is written and read back as the same one; it has the sizes that RFC
//! 5321 allows, no control characters and no invisible ones; all its letter cases are folded to
//! one; its domain is a domain name.

use mailsetup::address::{
    Domain, EmailAddress, HostName, MAX_DOMAIN, MAX_LOCAL_PART, is_host_name,
};
use mailsetup::visible::{is_hidden, replaced};

pub fn run(data: &[u8]) {
    let Ok(address) = EmailAddress::parse(data) else { return };
    let text = address.to_string();
    assert_eq!(EmailAddress::parse(text.as_bytes()).as_ref(), Ok(&address), "{text:?}");
    assert_eq!(text, format!("{}@{}", address.local_part(), address.domain()));
    assert!((1..=MAX_LOCAL_PART).contains(&address.local_part().len()), "{text:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
    let is_joiner = |c| matches!(c, '\u{200c}' | '\u{200d}');
    assert!(!text.chars().any(|c| is_hidden(c) && !is_joiner(c)), "{text:?}");
    // A joiner changes the shape of a letter before it, which is not ASCII.
    assert!(!text.starts_with(is_joiner), "{text:?}");
    let chars: Vec<_> = text.chars().collect();
    let lonely = |pair: &[char]| is_joiner(pair[1]) && pair[0].is_ascii();
    assert!(!chars.windows(2).any(lonely), "{text:?}");
    assert_eq!(replaced(&text), text);
    let is_quoted = text.starts_with('"');
    assert!(is_quoted || !text.contains(['<', '>', '"', ' ', '(', ')']), "{text:?}");
    let capital =
        EmailAddress::parse(text.to_ascii_uppercase().as_bytes()).expect("any letter case");
    assert_eq!(capital.folded(), address.folded());
    check_domain(address.domain());
}

/// Checks of every domain, whatever its source.
pub fn check_domain(domain: &Domain) {
    let text = domain.as_str();
    assert!(is_host_name(text) && text.len() <= MAX_DOMAIN && text.contains('.'), "{text:?}");
    assert_eq!(HostName::parse(text).as_ref().map(HostName::as_str), Some(text));
    for spelling in [text.to_owned(), format!("{text}."), text.to_ascii_uppercase()] {
        assert_eq!(Domain::parse(&spelling).as_ref(), Ok(domain), "{spelling:?}");
    }
    if let Some(rest) = domain.without_prefix(&["www.", "autoconfig."]) {
        assert_eq!(Domain::parse(rest.as_str()), Ok(rest));
    }
}
