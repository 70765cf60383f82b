//! Names and dates of certificates, as text, and the reasons of OpenSSL's errors.

use super::error::SignError;
use crate::visible::visible;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::{X509NameRef, X509Ref};
use std::cmp::Ordering;

/// The display name of a certificate: its CN, else its first DNS name, else its whole name.
pub(super) fn subject(certificate: &X509Ref) -> String {
    let names = certificate.subject_alt_names();
    let dns = names.iter().flatten().find_map(|name| name.dnsname().map(visible));
    match common_name(certificate.subject_name()).or(dns) {
        Some(short) => short,
        None => name(certificate.subject_name()),
    }
}

/// A name as its CN, else with all its parts.
pub(super) fn name(name: &X509NameRef) -> String {
    if let Some(short) = common_name(name) {
        return short;
    }
    let parts = name.entries().filter_map(|entry| {
        let key = entry.object().nid().short_name().unwrap_or("?");
        Some(format!("{key}={}", entry.data().to_string().ok()?))
    });
    visible(&parts.collect::<Vec<_>>().join(", "))
}

pub(super) fn common_name(name: &X509NameRef) -> Option<String> {
    let entry = name.entries_by_nid(Nid::COMMONNAME).last()?;
    let text = entry.data().to_string().ok()?;
    (!text.is_empty()).then(|| visible(&text))
}

pub(super) const DAY: i64 = 24 * 60 * 60;

pub(super) fn is(time: &Asn1TimeRef, order: Ordering, now: &Asn1TimeRef) -> bool {
    time.compare(now).is_ok_and(|found| found == order)
}

/// Seconds since 1970.
pub(super) fn unix(time: &Asn1TimeRef) -> Result<i64, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since.days) * DAY + i64::from(since.secs))
}

/// The day, in UTC, of seconds since 1970.
pub(super) fn date(unix: i64) -> String {
    // Years begin in March here, so that a leap day is the last of its year.
    let days = unix.div_euclid(DAY) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (year + era * 400, month + 3),
        _ => (year + era * 400 + 1, month - 9),
    };
    format!("{year:04}-{month:02}-{day:02}")
}

pub(super) fn refused(errors: ErrorStack) -> SignError {
    // The reasons without OpenSSL's source files and lines.
    let reasons: Vec<_> = errors.errors().iter().filter_map(|error| error.reason()).collect();
    match reasons.is_empty() {
        true => SignError::Refused("no reason was given".to_owned()),
        false => SignError::Refused(visible(&reasons.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_their_dates() {
        for (unix, day) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(date(unix), day, "{unix}");
        }
    }
}
