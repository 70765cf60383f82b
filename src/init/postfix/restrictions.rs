//! Whether a user who has logged in may send mail to other domains: the lists of restrictions
//! (SMTPD_ACCESS_README, postconf(5)).
//!
//! Each list is read from its first word on, until one decides for a client outside of `mynetworks`, which
//! has logged in, and a recipient elsewhere. What depends on a table or on another server is not known.

use super::lines::{LIST, unbraced, words};
use super::parameters::{Found, Overrides, Parameters};
use crate::draft::Origin;

/// The lists that are evaluated for each message.
pub const RESTRICTIONS: [&str; 7] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
];
/// How deep a list may name others, which Postfix calls classes.
const MAX_DEPTH: usize = 4;

/// What a list says of such a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Permitted,
    Refused,
    /// It depends on a table, a server or a class that is not in what was read.
    Unknown,
    /// The next word decides.
    Undecided,
}

/// The list that keeps users from sending mail, if one surely does. `own` are the parameters of the service.
pub fn refusal(main: &Parameters, own: &Overrides) -> Option<Origin> {
    RESTRICTIONS.into_iter().find_map(|name| {
        let Found { value, origin, .. } = main.value(name, own);
        let verdict = verdict(&value, main, own, 0);
        (verdict == Verdict::Refused).then_some(origin)
    })
}

fn verdict(list: &str, main: &Parameters, own: &Overrides, depth: usize) -> Verdict {
    let mut words = words(list, LIST).into_iter();
    while let Some(word) = words.next() {
        let word = word.to_ascii_lowercase();
        let decided = match word.as_str() {
            "permit" | "permit_sasl_authenticated" => Verdict::Permitted,
            "reject" | "defer" | "defer_if_permit" => Verdict::Refused,
            "reject_unauth_destination" | "defer_unauth_destination" | "check_relay_domains" => {
                Verdict::Refused
            }
            // What follows them does not refuse, or is their argument.
            "warn_if_reject" | "sleep" => {
                words.next();
                Verdict::Undecided
            }
            word if word.starts_with("check_") => Verdict::Unknown,
            // The argument of a test: a table, a list of names, an address.
            word if word.contains([':', '.', '/', '=', '[']) || unbraced(word).is_some() => {
                Verdict::Undecided
            }
            // Tests of the client, the sender or the recipient, which users pass or are not meant by.
            word if ["reject_", "defer_", "permit_"].iter().any(|it| word.starts_with(it)) => {
                Verdict::Undecided
            }
            class => match main.setting(class) {
                Some(_) if depth < MAX_DEPTH => {
                    verdict(&main.value(class, own).value, main, own, depth + 1)
                }
                _ => Verdict::Unknown,
            },
        };
        if decided != Verdict::Undecided {
            return decided;
        }
    }
    Verdict::Undecided
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Place;

    fn is_refused(lines: &[&str]) -> bool {
        let mut main = Parameters::new();
        for line in lines {
            assert!(main.read(line, Place::whole("main.cf")), "{line}");
        }
        refusal(&main, &Overrides::new()).is_some()
    }

    /// What Postfix 3.7.11 answered to a user who had logged in, and sent mail elsewhere.
    #[test]
    fn lists_that_refuse_users_are_known() {
        for line in [
            "smtpd_relay_restrictions = reject",
            "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
            "smtpd_relay_restrictions = permit_mynetworks defer_unauth_destination",
            "smtpd_relay_restrictions = reject_unauth_destination, permit_sasl_authenticated",
            "smtpd_client_restrictions = permit_mynetworks,reject",
            "smtpd_sender_restrictions = reject",
            "smtpd_recipient_restrictions = permit_mynetworks,reject_unauth_destination,permit",
            "smtpd_helo_restrictions = reject_rbl_client b.example, permit_tls_clientcerts, REJECT",
            "smtpd_data_restrictions = warn_if_reject reject_unknown_client_hostname, defer",
        ] {
            assert!(is_refused(&[line]), "{line}");
        }
        for line in [
            "smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject",
            "smtpd_recipient_restrictions = reject_unknown_recipient_domain, permit",
            "smtpd_client_restrictions = warn_if_reject reject",
            "smtpd_client_restrictions = permit_sasl_authenticated,reject",
            "smtpd_client_restrictions = reject_rbl_client reject.example",
            "smtpd_client_restrictions = check_client_access cidr:/etc/a, reject",
            "smtpd_client_restrictions = check_sasl_access { texthash:/a, default=x }, reject",
            "smtpd_recipient_restrictions = check_policy_service unix:private/p, reject",
            "smtpd_sender_restrictions = users_of_mine, reject",
            "smtpd_client_restrictions = ",
        ] {
            assert!(!is_refused(&[line]), "{line}");
        }
        let list = "smtpd_sender_restrictions = mine, reject";
        assert!(is_refused(&[list, "mine = permit_mynetworks"]));
        assert!(!is_refused(&[list, "mine = permit_sasl_authenticated"]));
        assert!(!is_refused(&[list, "mine = mine"]));
    }
}
