//! The variables of Dovecot in formats of logins: `%Ln`, `%{user | username | lower}`.
//!
//! Only those that are a part of the login are known; a format with others is [`Parts::Other`].

/// Of which parts of the typed login a format is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Parts {
    /// Of all of it.
    Login,
    /// Of the local part only.
    LocalPart,
    /// Of the domain, too: the login must have one.
    Address,
    /// Of something else: an environment variable, the service, nothing.
    Other,
}

/// Reads a format: `%Ln`, `%{user | username | lower}`.
pub fn parts(format: &str, is_new: bool) -> Parts {
    let (mut user, mut name, mut domain, mut other) = (false, false, false, false);
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let variable = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some((variable, after)) => {
                rest = after;
                new_variable(variable)
            }
            None if is_new => return Parts::Other,
            None => {
                // Letters before the variable change it: `%Lu`, `%-1.3n`.
                let is_modifier = |c: char| "LUEXRNHMDT0123456789.-".contains(c);
                let after = after.trim_start_matches(is_modifier);
                let variable = after.chars().next();
                rest = variable.map_or("", |c| &after[c.len_utf8()..]);
                variable.map_or("", |c| match c {
                    'u' => "user",
                    'n' => "username",
                    'd' => "domain",
                    '%' => "percent",
                    _ => "",
                })
            }
        };
        match variable {
            "user" => user = true,
            "username" => name = true,
            "domain" => domain = true,
            "percent" => {}
            _ => other = true,
        }
    }
    match (user, name, domain) {
        _ if other => Parts::Other,
        // An empty format changes nothing.
        _ if format.is_empty() => Parts::Login,
        (true, _, false) => Parts::Login,
        (_, _, true) => Parts::Address,
        (false, true, false) => Parts::LocalPart,
        (false, false, false) => Parts::Other,
    }
}

/// The part of the login that a variable in braces is: `user | username | lower`, `domain`.
fn new_variable(variable: &str) -> &'static str {
    let mut steps = variable.split('|').map(str::trim);
    let mut part = match steps.next() {
        Some("user" | "original_user") => "user",
        Some("username") => "username",
        Some("domain") => "domain",
        _ => return "",
    };
    for step in steps {
        part = match step {
            "username" if part == "user" => "username",
            "domain" if part == "user" => "domain",
            "lower" | "upper" => part,
            _ => return "",
        };
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_made_of_parts_of_the_login() {
        for (format, expected) in [
            ("", Parts::Login),
            ("%u", Parts::Login),
            ("%Lu", Parts::Login),
            ("%Mu", Parts::Login),
            ("%{user}", Parts::Login),
            ("%n", Parts::LocalPart),
            ("%Ln", Parts::LocalPart),
            ("%{username}", Parts::LocalPart),
            ("%Ln@%Ld", Parts::Address),
            ("%Ln-at-%Ld", Parts::Address),
            ("%d%%", Parts::Address),
            ("%s-%n", Parts::Other),
            ("%{env:A}%u", Parts::Other),
            ("all", Parts::Other),
            ("%", Parts::Other),
        ] {
            assert_eq!(parts(format, false), expected, "{format}");
        }
        for (format, expected) in [
            ("%{user}", Parts::Login),
            ("%{user | lower}", Parts::Login),
            ("%{user|username|lower}", Parts::LocalPart),
            ("%{user | username}@%{user | domain | lower}", Parts::Address),
            ("%{user | username}%{env:SUFFIX}", Parts::Other),
            ("%{user | sha1}", Parts::Other),
            ("%{user", Parts::Other),
            ("%u", Parts::Other),
        ] {
            assert_eq!(parts(format, true), expected, "{format}");
        }
    }
}
