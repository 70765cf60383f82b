//! Strings that Exim expands, and lists of them, as far as their value is known without a connection.
//!
//! Rules: the Exim specification, chapters 6 and 11 (4.96).

/// Most elements of a list that are read.
const MAX_ELEMENTS: usize = 1000;

/// When something is offered to a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum When {
    /// Never.
    Never,
    /// To all clients.
    Always,
    /// Once TLS is on.
    AfterTls,
}

/// Reads a list of hosts, or a condition; `None` if it depends on anything but TLS.
pub fn when(value: &str) -> Option<When> {
    let text: String = value.split_ascii_whitespace().collect();
    // The name up to version 4.80.
    let text = text.replace("tls_cipher", "tls_in_cipher");
    match text.as_str() {
        "" => Some(When::Never),
        "*" | "true" | "yes" | "1" => Some(When::Always),
        "${ifeq{$tls_in_cipher}{}{}{*}}"
        | "${ifeq{$tls_in_cipher}{}{no}{yes}}"
        | "${ifeq{$tls_in_cipher}{}{false}{true}}"
        | "${ifeq{$tls_in_cipher}{}{0}{1}}"
        | "${if!eq{$tls_in_cipher}{}{*}}"
        | "${if!eq{$tls_in_cipher}{}{yes}{no}}"
        | "${if!eq{$tls_in_cipher}{}}"
        | "${ifdef:tls_in_cipher}"
        | "${ifdef:tls_in_cipher{*}}"
        | "${ifdef:tls_in_cipher{yes}{no}}"
        | "${ifdef:tls_in_cipher{true}{false}}"
        | "${ifdef:tls_in_cipher{*}{}}" => Some(When::AfterTls),
        _ => None,
    }
}

/// The elements of a list: between colons, or between the character that it names itself (`<;`). A
/// doubled separator is one in an element.
pub fn list(text: &str) -> Vec<String> {
    let text = text.trim();
    let (separator, text) = match text.strip_prefix('<').map(|rest| (rest.chars().next(), rest)) {
        Some((Some(separator), rest)) if separator.is_ascii_punctuation() => {
            (separator, &rest[separator.len_utf8()..])
        }
        _ => (':', text),
    };
    let mut elements = Vec::new();
    let mut element = String::new();
    // A separator in braces belongs to an expansion.
    let mut depth = 0_usize;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c != separator || depth > 0 {
            element.push(c);
        } else if chars.peek() == Some(&separator) {
            chars.next();
            element.push(separator);
        } else {
            elements.push(std::mem::take(&mut element));
        }
    }
    elements.push(element);
    let elements = elements.into_iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    elements.take(MAX_ELEMENTS).collect()
}

/// The file that is left if no condition and no lookup of an expansion holds: the last alternative of
/// `${if exists{/etc/$tls_in_sni.pem}{/etc/$tls_in_sni.pem}{/etc/exim.pem}}`.
pub fn default_file(text: &str) -> Option<&str> {
    let (before, inner) = text.rsplit_once('{')?;
    let (file, rest) = inner.split_once('}')?;
    // In braces after a word is what that word looks at.
    let is_alternative = before.trim_end().ends_with('}');
    let is_end = rest.chars().all(|c| c == '}' || c.is_whitespace());
    (is_alternative && is_end && file.starts_with('/') && !file.contains('$')).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_separators_of_their_own() {
        for (text, elements) in [
            ("25 : 465:587", &["25", "465", "587"][..]),
            ("<; ::1 ; 127.0.0.1", &["::1", "127.0.0.1"]),
            ("::::1 : a", &["::1", "a"]),
            ("${if eq{a:b}{}{x:y}} : c", &["${if eq{a:b}{}{x:y}}", "c"]),
            ("", &[]),
        ] {
            assert_eq!(list(text), elements, "{text}");
        }
    }

    #[test]
    fn the_last_alternative_is_the_default() {
        for (text, file) in [
            ("${if exists{/a/$tls_in_sni}{/a/$tls_in_sni}{/etc/exim.pem}}", Some("/etc/exim.pem")),
            ("${if exists{/a}{${lookup{$tls_sni}lsearch{/a}{$value}{/b}}}{/c}}", Some("/c")),
            ("${lookup{$tls_in_sni}lsearch{/etc/map}}", None),
            ("${lookup{$tls_in_sni}lsearch{/etc/map}{$value}}", None),
            ("${if exists{/a}{/a}{/b/$tls_in_sni}}", None),
            ("${if exists{/a}{/b}fail}", None),
            ("/etc/exim.pem", None),
        ] {
            assert_eq!(default_file(text), file, "{text}");
        }
    }
}
