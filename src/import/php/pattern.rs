//! Regular expressions in a script, as far as scripts take the address of the request apart with them.
//!
//! A pattern is not run: what its groups find follows from how it is written. Rules: the PHP manual,
//! "PCRE Patterns". Everything else is not known.

use super::value::{EMAIL_DOMAIN, Entries, Value};
use crate::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART};
use std::rc::Rc;

/// Most groups of a pattern.
const MAX_GROUPS: usize = 20;

/// A group of a pattern that has a number.
struct Group<'a> {
    /// Its name; empty if it has none.
    name: &'a str,
    /// Where it begins and ends in the pattern.
    range: (usize, usize),
}

/// What a pattern finds in the request, in the address, or in the name of the host; none if it is not
/// known.
pub fn matches(pattern: &str, subject: &Value, line: usize) -> Option<Value> {
    let address = || Value::text(EMAIL_ADDRESS, line);
    if pattern.to_ascii_lowercase().contains("emailaddress") {
        let element = Value::unknown("the element EMailAddress", line);
        return Some(Value::list([element, address()]));
    }
    if subject.is(EMAIL_ADDRESS) {
        let at = pattern.find('@')?;
        let groups = groups(pattern);
        let part = |group: &Group| match group.range {
            (_, end) if end <= at => Value::text(EMAIL_LOCAL_PART, line),
            (start, _) if start > at => Value::text(EMAIL_DOMAIN, line),
            _ => address(),
        };
        return found(address(), &groups, part);
    }
    let inner = inner(pattern);
    if subject.is_host() {
        // The last group, up to the end of the name, is the domain.
        let groups = groups(pattern);
        let last = groups.last()?.range;
        let is_at_end = inner.strip_suffix('$').is_some_and(|it| it.ends_with(')'));
        let part = |group: &Group| match group.range == last && is_at_end {
            true => Value::text(EMAIL_DOMAIN, line),
            false => Value::unknown("a part of the host", line),
        };
        return found(Value::unknown("the host", line), &groups, part);
    }
    // A pattern for any address, in the body of the request.
    let is_open = matches!(subject, Value::Unknown(it) if it.text.contains("php://input"));
    let is_whole = |at: usize| groups(pattern).iter().all(|it| it.range.0 > at || it.range.1 < at);
    match inner.find('@').filter(|_| is_open && !inner.contains('<')) {
        Some(at) if is_whole(at + pattern.len() - inner.len()) => Some(Value::list([address()])),
        _ => None,
    }
}

/// The part of the address that is left when a pattern is replaced.
pub fn part_by_pattern(pattern: &str, with: &str) -> Option<&'static str> {
    match with {
        "$2" | "\\2" => return Some(EMAIL_DOMAIN),
        "$1" | "\\1" if pattern.matches('(').count() > 1 => return Some(EMAIL_LOCAL_PART),
        "" => {}
        _ => return None,
    }
    let inner = pattern.trim_matches(['/', '#', '~', '!', 'i', '^', '$']);
    match (inner.starts_with('@'), inner.ends_with('@')) {
        (true, false) => Some(EMAIL_LOCAL_PART),
        (false, true) => Some(EMAIL_DOMAIN),
        _ => None,
    }
}

/// True for a pattern, or a text, for the first label of a host name.
pub fn is_host_pattern(pattern: &str) -> bool {
    ["autoconfig", "autodiscover", "^[^.]+", "^[^\\.]+", "^.*?\\.", "www", "mail."]
        .iter()
        .any(|part| pattern.contains(part))
}

/// The list of what was found: the whole, and each group by its number and its name.
fn found(whole: Value, groups: &[Group], part: impl Fn(&Group) -> Value) -> Option<Value> {
    let mut all = Entries::default();
    let mut is_set = all.set(Some("0".to_owned()), whole);
    for (at, group) in groups.iter().enumerate() {
        is_set &= all.set(Some((at + 1).to_string()), part(group));
        if !group.name.is_empty() {
            is_set &= all.set(Some(group.name.to_owned()), part(group));
        }
    }
    is_set.then(|| Value::Array(Rc::new(all)))
}

/// A pattern without its delimiters and what is behind them.
fn inner(pattern: &str) -> &str {
    let pattern = pattern.trim_start();
    let Some(first) = pattern.chars().next().filter(|c| !c.is_alphanumeric() && *c != '\\') else {
        return pattern;
    };
    let end = match first {
        '(' => ')',
        '{' => '}',
        '[' => ']',
        other => other,
    };
    let inner = &pattern[first.len_utf8()..];
    inner.rfind(end).map_or(inner, |end| &inner[..end])
}

/// The groups of a pattern that have numbers, in their order.
fn groups(pattern: &str) -> Vec<Group<'_>> {
    let bytes = pattern.as_bytes();
    let mut groups: Vec<Group> = Vec::new();
    // The brackets that are open: their place in `groups`, if they are counted.
    let mut open = Vec::new();
    let mut is_class = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b']' => is_class = false,
            b'[' => is_class = true,
            b'(' if !is_class => {
                let rest = &pattern[at + 1..];
                let name = ["?P<", "?<", "?'"].iter().find_map(|start| rest.strip_prefix(start));
                let name = name.filter(|rest| !rest.starts_with(['=', '!']));
                let is_counted = name.is_some() || !rest.starts_with('?');
                if is_counted && groups.len() < MAX_GROUPS {
                    let name = name.and_then(|rest| rest.split(['>', '\'']).next());
                    open.push(Some(groups.len()));
                    groups.push(Group { name: name.unwrap_or(""), range: (at, pattern.len()) });
                } else {
                    open.push(None);
                }
            }
            b')' if !is_class => {
                if let Some(Some(group)) = open.pop() {
                    groups[group].range.1 = at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_their_numbers_and_names() {
        let all = |pattern| -> Vec<_> {
            groups(pattern).iter().map(|it| (it.name.to_owned(), it.range.0)).collect()
        };
        let unnamed =
            |places: &[usize]| -> Vec<_> { places.iter().map(|at| (String::new(), *at)).collect() };
        assert_eq!(all("/^(.+)@(.+)$/"), unnamed(&[2, 7]));
        assert_eq!(all("/^(?:a|b)\\.(.+)$/"), unnamed(&[11]));
        assert_eq!(all("/\\(a[(]\\)/"), unnamed(&[]));
        assert_eq!(all("/(?P<a>x)(?<b>y)(?'c'z)(?<=w)/").len(), 3);
        assert_eq!(all("/(?P<domain>x)/"), [("domain".to_owned(), 1)]);
        assert_eq!(all(&"(".repeat(1000)).len(), MAX_GROUPS);
    }

    #[test]
    fn matches_are_parts_of_the_address() {
        let address = Value::text(EMAIL_ADDRESS, 1);
        let host = Value::unknown("$_SERVER['HTTP_HOST']", 1);
        let body = Value::unknown("file_get_contents('php://input')", 1);
        for (pattern, subject, key, part) in [
            ("/^(.+)@(.+)$/", &address, "1", Some(EMAIL_LOCAL_PART)),
            ("/^(.+)@(.+)$/", &address, "2", Some(EMAIL_DOMAIN)),
            ("/@(?P<domain>.+)$/", &address, "domain", Some(EMAIL_DOMAIN)),
            ("/^(.+@.+)$/", &address, "1", Some(EMAIL_ADDRESS)),
            ("/x/", &address, "0", None),
            ("/^autoconfig\\.(.+)$/", &host, "1", Some(EMAIL_DOMAIN)),
            ("/^(autoconfig|autodiscover)\\.(.+)$/i", &host, "2", Some(EMAIL_DOMAIN)),
            ("/^(autoconfig|autodiscover)\\.(.+)$/i", &host, "1", None),
            ("/(?P<domain>[a-z0-9-]+\\.[a-z]+)$/", &host, "domain", Some(EMAIL_DOMAIN)),
            ("/^([a-z]+)\\./", &host, "1", None),
            ("/[a-z]+@[a-z.]+/", &body, "0", Some(EMAIL_ADDRESS)),
            ("#<emailaddress>(.*)</emailaddress>#i", &body, "1", Some(EMAIL_ADDRESS)),
            ("#<A>(.*@.*)</A>#", &body, "1", None),
        ] {
            let found = matches(pattern, subject, 1);
            let found = found.and_then(|it| it.entry(key).cloned());
            assert_eq!(found.and_then(|it| it.known()).as_deref(), part, "{pattern} {key}");
        }
    }
}
