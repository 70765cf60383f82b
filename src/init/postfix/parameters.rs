//! The parameters of main.cf: their values, and `$name` in them (postconf(5)).
//!
//! References are bounded: a text in which each name stands for two others grows without end.

use super::lines::{Setting, assignment, is_name, shortened};
use crate::draft::{Origin, Place};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

/// How deep references and braces may be nested. Postfix allows more than anybody writes.
const MAX_DEPTH: usize = 24;
/// How many bytes are read and written for all references together.
const MAX_WORK: usize = 16 * 1024 * 1024;
/// How many names in references that are not known are kept.
const MAX_UNKNOWN: usize = 20;
/// The longest value with its references.
const MAX_VALUE: usize = 1024 * 1024;

/// Postfix's values of parameters that are not set (postconf(5)). That of `myhostname` is the name
/// of the machine, which is not known here: empty.
const DEFAULTS: &[(&str, &str)] = &[
    ("config_directory", "/etc/postfix"),
    ("data_directory", "/var/lib/postfix"),
    ("inet_interfaces", "all"),
    ("inet_protocols", "all"),
    ("mydestination", "$myhostname, localhost.$mydomain, localhost"),
    ("myhostname", ""),
    ("queue_directory", "/var/spool/postfix"),
    ("smtpd_enforce_tls", "no"),
    (
        "smtpd_relay_restrictions",
        "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    ),
    ("smtpd_sasl_auth_enable", "no"),
    ("smtpd_sasl_security_options", "noanonymous"),
    ("smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options"),
    ("smtpd_sasl_type", "cyrus"),
    ("smtpd_tls_auth_only", "no"),
    ("smtpd_tls_wrappermode", "no"),
    ("smtpd_use_tls", "no"),
    ("virtual_mailbox_domains", "$virtual_mailbox_maps"),
    ("virtual_mailbox_maps", ""),
];

/// Parameters, and those that a service has of its own.
#[derive(Debug)]
pub struct Parameters {
    set: HashMap<String, Setting>,
    work: Cell<usize>,
    /// True if a value had too many references.
    exhausted: Cell<bool>,
    /// Names in references that are not known, at most [`MAX_UNKNOWN`].
    unknown: RefCell<BTreeSet<String>>,
    /// True if the value that is expanded now has such a name.
    has_unknown: Cell<bool>,
}

/// The parameters of one service, over those of main.cf.
pub type Overrides = HashMap<String, Setting>;

/// A value without references, and where it stands.
pub struct Found {
    /// The value.
    pub value: String,
    /// Where it was seen; assumed, if it is Postfix's default, or if it is not known.
    pub origin: Origin,
    /// False if it has references to names that are not known, which were taken to be empty.
    pub is_known: bool,
}

impl Parameters {
    /// No parameters.
    pub fn new() -> Parameters {
        Parameters {
            set: HashMap::new(),
            work: Cell::new(MAX_WORK),
            exhausted: Cell::new(false),
            unknown: RefCell::default(),
            has_unknown: Cell::new(false),
        }
    }

    /// Reads a line `name = value`; false if it is another. The last line of a name counts, of the
    /// first text that has one.
    pub fn read(&mut self, line: &str, place: Place) -> bool {
        let Some((name, value)) = assignment(line) else { return false };
        let shown = shortened(&format!("{name} = {value}"));
        let setting = Setting { value: value.to_owned(), place, shown };
        match self.set.get(name) {
            Some(known) if known.place.source != setting.place.source => {}
            _ => drop(self.set.insert(name.to_owned(), setting)),
        }
        true
    }

    /// True if nothing is set.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// True if these are a few parameters of many: what is missing may be set, too. Each Postfix that takes
    /// logins has one of smtpd's.
    pub fn is_partial(&self) -> bool {
        !self.set.keys().any(|name| name.starts_with("smtpd_"))
    }

    /// True if a value was left out since its references are too many.
    pub fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }

    /// The names in values that are not known: these references were taken to be empty.
    pub fn unknown(&self) -> Vec<String> {
        self.unknown.borrow().iter().cloned().collect()
    }

    /// Where a parameter is set, if it is.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.set.get(name)
    }

    /// The value of a parameter of a service, or of main.cf, without references. It is empty if it
    /// is not known.
    pub fn value(&self, name: &str, own: &Overrides) -> Found {
        let setting = own.get(name).or_else(|| self.set.get(name));
        self.has_unknown.set(false);
        match setting {
            Some(setting) => {
                let value = self.expanded(&setting.value, own);
                let is_known = !self.has_unknown.get();
                let origin = match is_known {
                    true => Origin::seen(setting.place.clone(), setting.shown.clone()),
                    false => Origin::Assumed(shortened(&format!(
                        "{} ({}), which is not in what was read",
                        setting.shown, setting.place
                    ))),
                };
                Found { value, origin, is_known }
            }
            None => {
                let value = self.expanded(default(name), own);
                let reason = match value.as_str() {
                    "" => format!("{name} is not set"),
                    value => shortened(&format!("{name} is not set; Postfix's default is {value}")),
                };
                Found { value, origin: Origin::Assumed(reason), is_known: true }
            }
        }
    }

    /// True if the value of a parameter is `yes`.
    pub fn is_yes(&self, name: &str, own: &Overrides) -> Option<Origin> {
        let found = self.value(name, own);
        found.value.eq_ignore_ascii_case("yes").then_some(found.origin)
    }

    fn expanded(&self, text: &str, own: &Overrides) -> String {
        let mut out = String::new();
        match self.expand(text, own, 0, &mut out) {
            Some(()) => out.trim().to_owned(),
            None => {
                self.exhausted.set(true);
                String::new()
            }
        }
    }

    /// `None` if references are too many, or not complete.
    fn expand(&self, text: &str, own: &Overrides, depth: usize, out: &mut String) -> Option<()> {
        self.work.set(self.work.get().checked_sub(text.len() + 1)?);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let inner;
            (inner, rest) = match after.chars().next() {
                Some('$') => {
                    out.push('$');
                    rest = &after[1..];
                    continue;
                }
                Some('{') => braced(after, '{', '}')?,
                Some('(') => braced(after, '(', ')')?,
                _ => {
                    let is_other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                    after.split_at(after.find(is_other).unwrap_or(after.len()))
                }
            };
            if depth >= MAX_DEPTH {
                return None;
            }
            self.reference(inner.trim(), own, depth + 1, out)?;
        }
        out.push_str(rest);
        (out.len() <= MAX_VALUE).then_some(())
    }

    /// What stands after `$`: a name, `name?text`, `name:text`, or `{a} == {b} ? {text} : {text}`.
    fn reference(&self, text: &str, own: &Overrides, depth: usize, out: &mut String) -> Option<()> {
        if text.starts_with('{') {
            let (is_true, rest) = self.comparison(text, own, depth)?;
            return self.choice(is_true, rest.trim_start().strip_prefix('?')?, own, depth, out);
        }
        let end = text.find(['?', ':']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let name = name.trim();
        if !is_name(name) {
            return name.is_empty().then_some(());
        }
        let mut value = String::new();
        match own.get(name).or_else(|| self.set.get(name)) {
            Some(setting) => self.expand(&setting.value, own, depth, &mut value)?,
            None if name == "mydomain" => value = self.domain(own, depth)?,
            None => {
                let default = DEFAULTS.iter().find(|(known, _)| *known == name);
                if default.is_none() && rest.is_empty() {
                    self.not_known(name);
                }
                self.expand(default.map_or("", |(_, value)| value), own, depth, &mut value)?;
            }
        }
        match rest.split_at_checked(1) {
            Some(("?", rest)) => self.choice(!value.is_empty(), rest, own, depth, out),
            Some((_, rest)) if value.is_empty() => self.expand(plain(rest), own, depth, out),
            Some(_) => Some(()),
            None => {
                self.work.set(self.work.get().checked_sub(value.len())?);
                out.push_str(&value);
                Some(())
            }
        }
    }

    fn not_known(&self, name: &str) {
        self.has_unknown.set(true);
        let mut unknown = self.unknown.borrow_mut();
        if unknown.len() < MAX_UNKNOWN {
            unknown.insert(shortened(name));
        }
    }

    /// The part of `myhostname` after its first dot: Postfix's default of `mydomain`.
    fn domain(&self, own: &Overrides, depth: usize) -> Option<String> {
        let mut host = String::new();
        if let Some(setting) = own.get("myhostname").or_else(|| self.set.get("myhostname")) {
            self.expand(&setting.value, own, depth, &mut host)?;
        }
        Some(host.split_once('.').map_or("localdomain", |(_, domain)| domain).to_owned())
    }

    /// `{a} == {b}` and what follows.
    fn comparison<'a>(
        &self,
        text: &'a str,
        own: &Overrides,
        depth: usize,
    ) -> Option<(bool, &'a str)> {
        let value = |text: &'a str| {
            let (inner, rest) = braced(text.trim_start(), '{', '}')?;
            let mut out = String::new();
            self.expand(inner.trim(), own, depth, &mut out)?;
            Some((out, rest))
        };
        let (left, rest) = value(text)?;
        let (operator, rest) = rest.split_at(rest.find('{')?);
        let (right, rest) = value(rest)?;
        let order = match (left.parse::<i64>(), right.parse::<i64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            _ => left.cmp(&right),
        };
        let is_true = match operator.trim() {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            _ => return None,
        };
        Some((is_true, rest))
    }

    /// `{text} : {text}`, or only a text for a condition that is true.
    fn choice(
        &self,
        is_true: bool,
        text: &str,
        own: &Overrides,
        depth: usize,
        out: &mut String,
    ) -> Option<()> {
        let text = text.trim();
        let (yes, no) = match text.starts_with('{') {
            true => {
                let (yes, rest) = braced(text, '{', '}')?;
                (yes.trim(), rest.trim_start().strip_prefix(':').map_or("", |no| plain(no.trim())))
            }
            false => (text, ""),
        };
        self.expand(if is_true { yes } else { no }, own, depth, out)
    }
}

/// The text, without braces around it.
fn plain(text: &str) -> &str {
    super::lines::unbraced(text).unwrap_or(text)
}

/// What is between the first brace of a text and the one that closes it, and what follows.
fn braced(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some((&text[1..at], &text[at + 1..]));
            }
        }
    }
    None
}

fn default(name: &str) -> &'static str {
    DEFAULTS.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn value(lines: &[&str], name: &str) -> String {
        let mut parameters = Parameters::new();
        for line in lines {
            assert!(parameters.read(line, Place::whole("main.cf")));
        }
        parameters.value(name, &Overrides::new()).value
    }

    #[test]
    fn references_are_replaced() {
        for (text, expected) in [
            ("$b", "B"),
            ("${b}.$(b)$b.x", "B.BB.x"),
            ("$$b $none.", "$b ."),
            ("${b?yes}${none?no}${none:no}${b:yes}", "yesno"),
            ("${b?{is $b}:{not}} ${none?{is}:{not $b}}", "is B not B"),
            ("${{$b} == {B} ? {same}:{other}}", "same"),
            ("${{10} < {9} ? {less}:{more}}", "more"),
            ("${b", ""),
            ("$a", ""),
        ] {
            assert_eq!(value(&[&format!("a = {text}"), "b = B"], "a"), expected, "{text}");
        }
    }

    #[test]
    fn defaults_depend_on_other_values() {
        let lines = ["myhostname = mail.example.org"];
        let names = "mail.example.org, localhost.example.org, localhost";
        assert_eq!(value(&lines, "mydestination"), names);
        assert_eq!(
            value(&["virtual_mailbox_maps = hash:/m"], "virtual_mailbox_domains"),
            "hash:/m"
        );
        assert_eq!(value(&["mydomain = example.net"], "inet_interfaces"), "all");
    }

    #[test]
    fn the_last_line_of_the_first_text_counts() {
        let mut parameters = Parameters::new();
        for (line, source) in [("a = 1", "-x"), ("a = 2", "-x"), ("a = 3", "-n"), ("b = 4", "-n")] {
            parameters.read(line, Place::whole(source));
        }
        let none = Overrides::new();
        assert_eq!(parameters.value("a", &none).value, "2");
        assert_eq!(parameters.value("b", &none).value, "4");
    }

    #[test]
    fn references_without_end_are_left_out() {
        let doubling = |n: usize| format!("a{n} = $a{0}$a{0}", n + 1);
        let lines: Vec<_> = (0..200_000).map(doubling).collect();
        let mut parameters = Parameters::new();
        for line in &lines {
            parameters.read(line, Place::whole("main.cf"));
        }
        let start = Instant::now();
        for name in ["a0", "a1", "a2"] {
            assert_eq!(parameters.value(name, &Overrides::new()).value, "");
        }
        assert!(parameters.is_exhausted());
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
