//! What the lines of servers mean: the parts of a response, capabilities, mechanisms.
//!
//! Pure: text in, words out.

use mailsetup::account::Protocol;
use mailsetup::visible::visible;

/// What a server offers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Offer {
    /// In upper case, without mechanisms.
    pub capabilities: Vec<String>,
    /// In upper case; with `LOGIN-COMMAND` or `USER-COMMAND`.
    pub mechanisms: Vec<String>,
}

/// What a line is in a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// A line before the last one.
    More,
    /// The last line.
    End(Status),
}

/// What a response says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    /// Success.
    Ok,
    /// Refused.
    No,
    /// More is to be sent.
    Continue,
    /// The server ends the connection, or the line is none of the protocol.
    Unfit,
}

/// Which part of a response a line is. `tag` is that of the command for IMAP.
pub(super) fn part(protocol: Protocol, tag: &str, line: &str) -> Part {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match protocol {
        Protocol::Imap if word == tag => Part::End(match is(first(rest), "OK") {
            true => Status::Ok,
            false => Status::No,
        }),
        Protocol::Imap if word == "*" && !is(first(rest), "BYE") => Part::More,
        Protocol::Imap | Protocol::Pop3 if word == "+" => Part::End(Status::Continue),
        Protocol::Pop3 if word == "+OK" => Part::End(Status::Ok),
        Protocol::Pop3 if word == "-ERR" => Part::End(Status::No),
        Protocol::Smtp => smtp_part(line),
        Protocol::ManageSieve => {
            // `NO (QUOTA) "text"`, and `OK(...)` of old servers.
            let word = line.split([' ', '(']).next().unwrap_or_default();
            match word.to_ascii_uppercase().as_str() {
                "OK" => Part::End(Status::Ok),
                "NO" => Part::End(Status::No),
                _ if line.starts_with('"') => Part::More,
                _ => Part::End(Status::Unfit),
            }
        }
        _ => Part::End(Status::Unfit),
    }
}

fn smtp_part(line: &str) -> Part {
    let Some((code, rest)) = line.split_at_checked(3) else { return Part::End(Status::Unfit) };
    let is_code = code.bytes().all(|byte| byte.is_ascii_digit());
    match (is_code, rest.bytes().next()) {
        (true, Some(b'-')) => Part::More,
        (true, Some(b' ') | None) => Part::End(match code.as_bytes()[0] {
            b'2' => Status::Ok,
            b'3' => Status::Continue,
            _ => Status::No,
        }),
        _ => Part::End(Status::Unfit),
    }
}

/// What the lines of a response to CAPABILITY, CAPA or EHLO offer, or those of a greeting of
/// ManageSieve. The code of EHLO stands before each line.
pub(super) fn offer(protocol: Protocol, lines: &[String]) -> Offer {
    let mut offer = Offer::default();
    match protocol {
        Protocol::Imap => {
            for line in lines {
                let mut words = line.split_ascii_whitespace().skip(1);
                if words.next().is_some_and(|word| is(word, "CAPABILITY")) {
                    words.for_each(|word| offer.add_imap(word));
                }
            }
            if !offer.has("LOGINDISABLED") {
                add(&mut offer.mechanisms, "LOGIN-COMMAND");
            }
        }
        Protocol::Pop3 => {
            for line in lines {
                offer.add(line, &["SASL"]);
            }
            if offer.has("USER") {
                add(&mut offer.mechanisms, "USER-COMMAND");
            }
        }
        Protocol::Smtp => {
            // The first line is the name of the server.
            for line in lines.iter().skip(1) {
                let line = line.get(4..).unwrap_or_default();
                match line.get(..5).filter(|start| is(start, "AUTH=")) {
                    // Before RFC 2554; old servers offer both.
                    Some(_) => offer.add(&line.replacen('=', " ", 1), &["AUTH"]),
                    None => offer.add(line, &["AUTH"]),
                }
            }
        }
        Protocol::ManageSieve => {
            for line in lines {
                offer.add(&strings(line).join(" "), &["SASL"]);
            }
        }
    }
    offer
}

impl Offer {
    /// True if a capability is offered, with or without parameters.
    pub(super) fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| first(known) == capability)
    }

    /// True if a mechanism is offered.
    pub(super) fn has_mechanism(&self, mechanism: &str) -> bool {
        self.mechanisms.iter().any(|known| known == mechanism)
    }

    /// Adds a capability with its parameters; those of `mechanisms` are mechanisms.
    fn add(&mut self, line: &str, mechanisms: &[&str]) {
        let mut words = line.split_ascii_whitespace();
        let Some(word) = words.next() else { return };
        if mechanisms.iter().any(|name| is(word, name)) {
            words.for_each(|word| add(&mut self.mechanisms, word));
        } else {
            let line: Vec<_> = line.split_ascii_whitespace().collect();
            add(&mut self.capabilities, &line.join(" "));
        }
    }

    fn add_imap(&mut self, word: &str) {
        match word.split_once('=') {
            Some((auth, mechanism)) if is(auth, "AUTH") => add(&mut self.mechanisms, mechanism),
            _ => add(&mut self.capabilities, word),
        }
    }
}

fn add(words: &mut Vec<String>, word: &str) {
    let word = visible(&word.to_ascii_uppercase());
    if !word.is_empty() && !words.contains(&word) {
        words.push(word);
    }
}

fn first(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

fn is(word: &str, name: &str) -> bool {
    word.eq_ignore_ascii_case(name)
}

/// The quoted strings of a line: `"SIEVE" "fileinto \"x\""`. A literal has been made one of them.
fn strings(line: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut chars = line.chars();
    while chars.by_ref().any(|c| c == '"') {
        let mut string = String::new();
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => string.extend(chars.next()),
                c => string.push(c),
            }
        }
        strings.push(string);
    }
    strings
}

/// A quoted string of IMAP; `None` if the text cannot be in one.
pub(super) fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    let mut quoted = Vec::with_capacity(2 * text.len() + 2);
    quoted.push(b'"');
    for &octet in text {
        match octet {
            b'\0' | b'\r' | b'\n' | 0x80.. => return None,
            b'"' | b'\\' => quoted.extend([b'\\', octet]),
            octet => quoted.push(octet),
        }
    }
    quoted.push(b'"');
    Some(quoted)
}

/// The length of the literal that a line ends with: `{12}`, `{12+}`.
pub(super) fn literal(line: &str) -> Option<(&str, usize)> {
    let (before, length) = line.strip_suffix('}')?.rsplit_once('{')?;
    let length = length.strip_suffix('+').unwrap_or(length);
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too long is refused as too long.
    is_number.then(|| (before, length.parse().unwrap_or(usize::MAX)))
}
