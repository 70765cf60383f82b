//! The name of a table, a file or a line: one domain, all domains below one, or all domains.
//!
//! `*.example.org` stands for the domains below example.org, at any depth, and not for example.org
//! itself. Refuses `*` anywhere but before a dot at the beginning, and patterns for a whole top-level
//! domain.

use crate::address::Domain;
use std::fmt;

/// The beginning of a pattern.
const BELOW: &str = "*.";
/// What stands for all domains.
const ALL: &str = "*";

/// The name of a table or of a file with settings.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Name {
    /// One domain.
    Domain(Domain),
    /// `*.example.org`: the domains below this one.
    Below(Domain),
    /// `*`: the domains that nothing else has settings for.
    All,
}

impl Name {
    /// Parses a name; the domain in it as [`Domain::parse`] does. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Name, String> {
        if text == ALL {
            return Ok(Name::All);
        }
        if !text.contains('*') {
            let domain = Domain::parse(text).map(Name::Domain);
            return domain.map_err(|_| format!("`{text}` is not a domain name"));
        }
        let domain = text.strip_prefix(BELOW).and_then(|rest| Domain::parse(rest).ok());
        match domain {
            Some(domain) if domain.labels() <= Domain::MAX_PARENT_LABELS => Ok(Name::Below(domain)),
            _ => Err(format!(
                "`{text}` is not a pattern of domains; expected `*.` and a domain of 2 to {} \
                 labels, like *.example.org",
                Domain::MAX_PARENT_LABELS
            )),
        }
    }

    /// How the pattern for the domains below `parent` is written.
    pub fn below(parent: &str) -> String {
        [BELOW, parent].concat()
    }

    /// The name as people write it; see [`Domain::for_people`].
    pub fn for_people(&self) -> String {
        match self {
            Name::Domain(domain) => domain.for_people().into_owned(),
            Name::Below(parent) => Name::below(&parent.for_people()),
            Name::All => ALL.to_owned(),
        }
    }

    /// A domain that the name stands for.
    pub fn example(&self) -> Option<Domain> {
        match self {
            Name::Domain(domain) => Some(domain.clone()),
            // No longer than others of the pattern usually are; none if there can be none.
            Name::Below(parent) => Domain::parse(&format!("any.{parent}")).ok(),
            Name::All => Domain::parse("any.example").ok(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Name::Domain(domain) => domain.fmt(f),
            Name::Below(parent) => write!(f, "{BELOW}{parent}"),
            Name::All => f.write_str(ALL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_spelled_in_one_way() {
        let deep = format!("*.{}org", "a.".repeat(16));
        for (text, name) in [
            ("example.org", "example.org"),
            ("EXAMPLE.org.", "example.org"),
            ("*.example.org", "*.example.org"),
            ("*.EXAMPLE.Org.", "*.example.org"),
            ("*.b\u{fc}cher.example", "*.xn--bcher-kva.example"),
            ("*.a.b.example", "*.a.b.example"),
            (&deep, &deep),
            ("*", "*"),
        ] {
            let parsed = Name::parse(text).unwrap();
            assert_eq!(parsed.to_string(), name, "{text}");
            assert_eq!(Name::parse(&parsed.to_string()), Ok(parsed));
        }
        let deeper = format!("*.a.{}", &deep[2..]);
        for text in [
            "*.org",
            "*example.org",
            "a.*.example.org",
            "example.*",
            "**",
            "*.",
            "*..example.org",
            "*.*.example.org",
            "**.example.org",
            "*.192.0.2.1",
            "*.example.org:80",
            " *",
            &deeper,
        ] {
            let error = Name::parse(text).unwrap_err();
            assert!(error.contains(&format!("`{text}` is not a pattern")), "{error}");
        }
        assert_eq!(Name::parse("org"), Err("`org` is not a domain name".to_owned()));
    }

    #[test]
    fn the_example_of_a_pattern_is_below_it() {
        for (name, example) in [
            ("example.org", "example.org"),
            ("*.example.org", "any.example.org"),
            ("*", "any.example"),
        ] {
            let domain = Name::parse(name).unwrap().example().unwrap();
            assert_eq!(domain.as_str(), example);
        }
    }
}
